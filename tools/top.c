/* SPDX-License-Identifier: MIT */
/*
 * top.c - `cth top`: what runs of `cth run` do at this moment, in a terminal, or as one table for
 * each interval where there is none. Of terminals only what ECMA-48 and xterm have in common
 * with all that came after them: home, clear, cursor, the other screen.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include "listen.h"
#include "status_read.h"

#define TIMEOUT_MS 2000
#define LINES      24 /* of a terminal that does not tell */
#define WIDE       80

struct top {
	char **words;
	int words_n;
	uint64_t interval, times;
	bool terminal, keys;
	struct termios usual;
	struct status runs[2][STATUS_RUNS];
	int n[2];
};

/* The terminal. */

static void put(const char *text)
{
	fputs(text, stdout);
}

static void enter_terminal(struct top *t)
{
	struct termios raw;

	t->terminal = isatty(STDOUT_FILENO) && !common.json;
	if (!t->terminal)
		return;
	t->keys = tcgetattr(STDIN_FILENO, &t->usual) == 0;
	raw = t->usual;
	raw.c_lflag &= (tcflag_t)~(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	raw.c_cc[VSUSP] = _POSIX_VDISABLE; /* stopped, it would leave the terminal like this */
	if (t->keys && tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		t->keys = false; /* in the background */
	put("\033[?1049h\033[?25l");
}

static void leave_terminal(struct top *t)
{
	if (!t->terminal)
		return;
	put("\033[?25h\033[?1049l");
	fflush(stdout);
	if (t->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &t->usual);
}

static void size_of_terminal(size_t *lines, size_t *wide)
{
	struct winsize size;

	*lines = LINES;
	*wide = WIDE;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	*lines = size.ws_row ? size.ws_row : LINES;
	*wide = size.ws_col ? size.ws_col : WIDE;
}

/* As much as there is room for, over what stands there, so that nothing flickers. */
static void put_screen(const char *text)
{
	size_t lines, wide;

	size_of_terminal(&lines, &wide);
	put("\033[H");
	for (size_t i = 0; i + 1 < lines && *text; i++) {
		size_t n = strcspn(text, "\n");

		fwrite(text, 1, n < wide ? n : wide, stdout);
		put("\033[K\r\n");
		text += n + (text[n] == '\n');
	}
	put("\033[J");
}

static bool is_end(char key)
{
	return key == 'q' || key == 'Q' || key == 3 || key == 4;
}

/* Waits for the next look; true: somebody wants to leave. */
static bool wait_for_keys(struct top *t, int64_t until)
{
	struct pollfd in = { .fd = t->keys ? STDIN_FILENO : -1, .events = POLLIN };
	char key;

	for (int64_t now = listener_now(); now < until; now = listener_now()) {
		if (interrupted)
			return true;
		if (poll(&in, 1, (int)(until - now)) <= 0)
			continue;
		if (read(STDIN_FILENO, &key, 1) != 1)
			t->keys = false, in.fd = -1; /* hung up: the end comes by a signal */
		else if (is_end(key))
			return true;
	}
	return interrupted != 0;
}

/* A look. */

static void print_failures(FILE *f, const struct status *runs, int n)
{
	for (int i = 0; i < n; i++) {
		const char *remedy, *why;

		if (!runs[i].error)
			continue;
		why = status_why(&runs[i], &remedy);
		fprintf(f, "%s: %s: %s\n", runs[i].path ? runs[i].path : "?",
			errno_name(runs[i].error), why);
	}
}

static void print_look(struct top *t, FILE *f, int now)
{
	int n = t->n[now] > 0 ? t->n[now] : 0, before = t->n[!now] > 0 ? t->n[!now] : 0;

	if (n == 0)
		fprintf(f, "nobody runs that could be asked\n");
	print_failures(f, t->runs[now], n);
	status_rates(f, t->runs[!now], (size_t)before, t->runs[now], (size_t)n);
}

static int show_look(struct top *t, int now)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f;

	if (common.json) {
		status_json(stdout, t->runs[now], t->n[now] > 0 ? (size_t)t->n[now] : 0);
		return fflush(stdout);
	}
	f = open_memstream(&text, &size);
	if (!f)
		return -1;
	print_look(t, f, now);
	if (fclose(f) == 0 && t->terminal)
		put_screen(text);
	else if (text)
		printf("%s\n", text);
	free(text);
	return fflush(stdout);
}

static void forget(struct top *t, int which)
{
	for (int i = 0; i < t->n[which]; i++)
		status_free(&t->runs[which][i]);
	t->n[which] = 0;
}

/*
 * The first look is there already. Counts in all are shown of it; but what has happened since
 * is to be seen at the second one, so that only a terminal, which must not stay empty, gets it
 * as well.
 */
static void watch(struct top *t)
{
	int64_t next = listener_now();
	uint64_t shown = common.json;
	const char *of;
	bool end = (common.json || t->terminal) && show_look(t, 1) != 0;

	for (int now = 0; !end && (t->times == 0 || shown < t->times); now = !now, shown++) {
		next += (int64_t)t->interval * 1000;
		if (wait_for_keys(t, next))
			break;
		forget(t, now);
		t->n[now] = status_ask_all(t->words, t->words_n, TIMEOUT_MS, t->runs[now], &of);
		end = interrupted || show_look(t, now) != 0;
	}
}

/* Who has nobody to look at is told so at once; later on runs may come and go. */
static int look_first(struct top *t)
{
	const char *of;
	int n = status_ask_all(t->words, t->words_n, TIMEOUT_MS, t->runs[1], &of), status = 0;

	if (n <= 0)
		return status_nobody(n, of);
	t->n[1] = n;
	for (int i = 0; i < n; i++) {
		if (!t->runs[1][i].error)
			return CTH_EXIT_OK;
		status = status_failed(&t->runs[1][i]);
	}
	forget(t, 1);
	return status;
}

static int top_main(const struct applet *self, int argc, char **argv)
{
	static const struct applet_option long_options[] = {
		{ "delay", required_argument, 'd' },
		{ "times", required_argument, 'n' },
		{ NULL, 0, 0 },
	};
	static struct top t;
	int c, r;

	t.interval = 1;
	while ((c = next_option(argc, argv, long_options)) != -1) {
		if (c == 'd' && !parse_number(optarg, 1, 86400, &t.interval))
			return usage_error(self, "-d %s: it is a number of seconds from 1 to 86400",
					   optarg);
		if (c == 'n' && !parse_number(optarg, 1, UINT64_MAX, &t.times))
			return usage_error(self, "-n %s: not a number of looks", optarg);
		r = c == 'd' || c == 'n' ? -1 : common_option(self, c);
		if (r != -1)
			return r;
	}
	t.words = argv + optind;
	t.words_n = argc - optind;
	catch_interrupts();
	r = look_first(&t);
	if (r != CTH_EXIT_OK)
		return r;
	enter_terminal(&t);
	watch(&t);
	leave_terminal(&t);
	forget(&t, 0);
	forget(&t, 1);
	return CTH_EXIT_OK;
}

const struct applet top_applet = {
	.name = "top",
	.usage = "[-d SECONDS] [-n TIMES] [SOCKET|FOLDER]...",
	.help =
	"Shows what runs of `cth run` do, again and again.\n"
	"\n"
	"  -d, --delay SECONDS  between two looks; 1\n"
	"  -n, --times N        N looks, and the end\n"
	"\n"
	"Counts are per second since the look before, and the times of decisions are of it too.\n"
	"Without a socket it asks all in " STATUS_FOLDER ", as `cth status` does. q or Ctrl-C ends it.\n"
	"Where standard output is no terminal it prints a table for each look; with --json a line\n"
	"with what has been counted in all.\n"
	"\n"
	"  cth top\n"
	"  cth top -d 60 " STATUS_FOLDER "/ftp.sock >>log\n",
	.main = top_main,
};
