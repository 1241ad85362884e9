/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of tools/log.c: over real pipes, terminals and sockets that are full, gone, or
 * renewed.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include "../../tools/cth.h"
#include "../../tools/log.h"
#include "unit.h"

#define PATIENCE 60 /* seconds: what waits for ever ends the test */

static char folder[] = "/tmp/cth-log-XXXXXX", path[64];
static int kept = -1; /* the real standard error */

static void stderr_is(int fd)
{
	fflush(stderr);
	if (kept < 0)
		kept = dup(STDERR_FILENO);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	alarm(PATIENCE);
}

static void stderr_is_real(void)
{
	alarm(0);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
}

/* What is there now; "" is nothing. */
static char room[1 << 20];
static const char *there(int fd)
{
	size_t n = 0;

	for (;;) {
		struct pollfd in = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (poll(&in, 1, 0) <= 0 || n == sizeof(room) - 1)
			break;
		got = read(fd, room + n, sizeof(room) - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	room[n] = '\0';
	return room;
}

/* Standard error. */

static int pipe_ends[2];

static void begin_pipe(void)
{
	said_by = "cth run";
	assert_int_equal(pipe(pipe_ends), 0);
	stderr_is(pipe_ends[1]);
}

static void end_pipe(void)
{
	stderr_is_real();
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

static void a_program_says_what_it_has_to_say(void **state)
{
	(void)state;
	begin_pipe();
	warn("a warning of %d", 1);
	assert_string_equal(there(pipe_ends[0]), "cth run: a warning of 1\n");
	assert_int_equal((fail)(-ENOENT, "open it", "it is not there", "make it"),
			 CTH_EXIT_FAILURE); /* in parentheses it is not cmocka's */
	assert_string_equal(there(pipe_ends[0]), "cth run: open it: ENOENT: it is not there; make it\n");
	note("serving %s", "ftp");
	assert_string_equal(there(pipe_ends[0]), "serving ftp\n");
	assert_int_equal(log_fd(), -1);
	end_pipe();
}

static void a_service_says_the_same(void **state)
{
	(void)state;
	begin_pipe();
	assert_int_equal(log_begin(NULL), 0);
	warn("a warning\nof two lines");
	note("a note");
	assert_string_equal(there(pipe_ends[0]), "cth run: a warning\nof two lines\na note\n");
	assert_int_equal(log_fd(), -1);
	end_pipe();
}

static void nothing_comes_through_that_moves_a_cursor(void **state)
{
	(void)state;
	begin_pipe();
	assert_int_equal(log_begin(NULL), 0);
	log_say(LOG_KIND_WARNING, "cth", "a\tb\033[2J\rc\177d\303\244");
	assert_string_equal(there(pipe_ends[0]), "cth: a b?[2J?c?d\303\244\n");
	end_pipe();
}

static void what_is_too_long_for_a_pipe_ends_sooner(void **state)
{
	static char text[10000];
	size_t n;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	begin_pipe();
	assert_int_equal(log_begin(NULL), 0);
	log_say(LOG_KIND_WARNING, "cth", text);
	n = strlen(there(pipe_ends[0]));
	assert_int_equal(n, 4096);
	assert_int_equal(room[n - 1], '\n');
	end_pipe();
}

static void who_shares_a_pipe_still_waits_there(void **state)
{
	(void)state;
	begin_pipe();
	assert_int_equal(log_begin(NULL), 0);
	assert_false(fcntl(pipe_ends[1], F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK);
	assert_false(fcntl(STDERR_FILENO, F_GETFD) & FD_CLOEXEC);
	end_pipe();
}

/* Says so much that some of it is lost: how much of it was said. */
static unsigned say_until_full(void)
{
	uint64_t before = log_lost();
	unsigned n = 0;

	while (log_lost() == before) {
		note("line %u", n++);
		assert_true(n < 1000000);
	}
	return n - 1;
}

/* Each line whole, in order, and then this. */
static void assert_lines(const char *text, unsigned n, const char *rest)
{
	char line[32];

	for (unsigned i = 0; i < n; i++) {
		snprintf(line, sizeof(line), "line %u\n", i);
		assert_memory_equal(text, line, strlen(line));
		text += strlen(line);
	}
	assert_string_equal(text, rest);
}

static void a_reader_that_stops_stops_nobody_else(void **state)
{
	unsigned n;

	(void)state;
	begin_pipe();
	assert_int_equal(log_begin(NULL), 0);
	n = say_until_full();
	note("lost as well");
	assert_lines(there(pipe_ends[0]), n, "");
	warn("heard");
	assert_string_equal(there(pipe_ends[0]), "cth run: 2 messages before this one could not be said: "
			    "nobody took them\ncth run: heard\n");
	warn("and no more of that");
	assert_string_equal(there(pipe_ends[0]), "cth run: and no more of that\n");
	end_pipe();
}

static void a_reader_that_has_gone_ends_nobody(void **state)
{
	uint64_t before = log_lost();

	(void)state;
	signal(SIGPIPE, SIG_IGN); /* as `cth run` has it */
	begin_pipe();
	assert_int_equal(log_begin(NULL), 0);
	close(pipe_ends[0]);
	warn("to nobody");
	warn("to nobody again");
	assert_int_equal(log_lost(), before + 2);
	pipe_ends[0] = -1;
	end_pipe();
	stderr_is_real();
}

static void a_terminal_that_is_stopped_stops_nobody_else(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	struct termios raw;
	const char *text;
	unsigned n;

	(void)state;
	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0 && tcgetattr(slave, &raw) == 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(slave, TCSANOW, &raw), 0);
	said_by = "cth run";
	stderr_is(slave);
	assert_int_equal(log_begin(NULL), 0);
	(void)there(master);
	warn("first"); /* and perhaps what an earlier one has lost */
	(void)there(master);
	n = say_until_full();
	text = there(master);
	assert_true(n > 0 && strncmp(text, "line 0\nline 1\n", 14) == 0);
	/* The last one may have been cut; what follows begins a line of its own all the same. */
	warn("heard");
	text = there(master);
	assert_non_null(strstr(text, "cth run: 1 message before this one could not be said"));
	assert_non_null(strstr(text, "\ncth run: heard\n"));
	stderr_is_real();
	close(slave);
	close(master);
}

static void the_journal_is_told_how_severe_it_is(void **state)
{
	int ends[2];
	struct stat s;
	char stream[64];

	(void)state;
	said_by = "cth run";
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(fstat(ends[1], &s), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)s.st_dev,
		 (unsigned long long)s.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	stderr_is(ends[1]);
	assert_int_equal(log_begin(NULL), 0);
	(fail)(EBUSY, "bind", "no", NULL);
	warn("one\ntwo");
	note("three");
	assert_string_equal(there(ends[0]), "<3>cth run: bind: EBUSY: no\n"
			    "<4>cth run: one\n<4>two\n<5>three\n");
	setenv("JOURNAL_STREAM", "1:1", 1); /* of somebody who has redirected us since */
	assert_int_equal(log_begin(NULL), 0);
	note("plain");
	assert_string_equal(there(ends[0]), "plain\n");
	unsetenv("JOURNAL_STREAM");
	stderr_is_real();
	close(ends[0]);
	close(ends[1]);
}

static void a_socket_that_is_full_stops_nobody(void **state)
{
	int ends[2];
	unsigned n;

	(void)state;
	said_by = "cth run";
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	stderr_is(ends[1]);
	assert_int_equal(log_begin(NULL), 0);
	n = say_until_full();
	assert_lines(there(ends[0]), n, "");
	assert_false(fcntl(ends[1], F_GETFL) & O_NONBLOCK);
	warn("heard");
	assert_string_equal(there(ends[0]), "cth run: 1 message before this one could not be said: nobody "
			    "took them\ncth run: heard\n");
	stderr_is_real();
	close(ends[0]);
	close(ends[1]);
}

/* syslog. */

static int make_daemon(int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	assert_true(fd >= 0);
	unlink(path);
	memcpy(a.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static char datagram[4096];
static const char *next_datagram(int fd)
{
	ssize_t n = recv(fd, datagram, sizeof(datagram) - 1, MSG_DONTWAIT);

	datagram[n < 0 ? 0 : n] = '\0';
	return datagram;
}

/* The rest of one that begins as all of this process's do. */
static const char *said(int fd, int priority)
{
	char start[64];

	snprintf(start, sizeof(start), "<%d>cth[%ld]: ", priority, (long)getpid());
	next_datagram(fd);
	if (strncmp(datagram, start, strlen(start)) != 0)
		fail_msg("'%s' should begin with '%s'", datagram, start);
	return datagram + strlen(start);
}

static int begin_syslog(void)
{
	int fd = make_daemon(SOCK_DGRAM);

	said_by = "cth run";
	alarm(PATIENCE);
	assert_int_equal(log_begin(path), 0);
	assert_true(log_fd() >= 0);
	assert_true(fcntl(log_fd(), F_GETFD) & FD_CLOEXEC);
	return fd;
}

static void end_syslog(int fd)
{
	alarm(0);
	close(fd);
	unlink(path);
	assert_int_equal(log_begin(NULL), 0);
	assert_int_equal(log_fd(), -1);
}

static void a_message_is_a_datagram_with_its_priority(void **state)
{
	int fd = begin_syslog();

	(void)state;
	(void)(fail)(EBUSY, "bind queue 1", "it is taken", "take another");
	assert_string_equal(said(fd, 27), "bind queue 1: EBUSY: it is taken; take another");
	warn("a warning");
	assert_string_equal(said(fd, 28), "a warning");
	note("serving ftp");
	assert_string_equal(said(fd, 29), "serving ftp");
	assert_string_equal(next_datagram(fd), "");
	end_syslog(fd);
}

static void lines_are_messages(void **state)
{
	int fd = begin_syslog();

	(void)state;
	warn("one\n<0>two\n\nthree\n");
	assert_string_equal(said(fd, 28), "one");
	assert_string_equal(said(fd, 28), "<0>two");
	assert_string_equal(said(fd, 28), "three"); /* an empty one is none */
	assert_string_equal(next_datagram(fd), "");
	end_syslog(fd);
}

static void a_long_line_goes_on_in_the_next_message(void **state)
{
	int fd = begin_syslog();
	char text[2000], whole[2100];
	const char *part;
	size_t pieces = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = i % 10 == 9 ? ' ' : (char)('a' + i / 10 % 26);
	text[sizeof(text) - 1] = '\0';
	log_say(LOG_KIND_WARNING, "cth", text);
	whole[0] = '\0';
	for (; pieces < 2; pieces++) {
		part = said(fd, 28);
		assert_true(strlen(datagram) <= 1024);
		assert_true(part[0] != ' ' && part[strlen(part) - 1] != ' ');
		strcat(whole, part);
		strcat(whole, " ");
	}
	assert_string_equal(next_datagram(fd), "");
	whole[strlen(whole) - 1] = '\0';
	assert_string_equal(whole, text);
	end_syslog(fd);
}

static void a_word_without_end_is_cut(void **state)
{
	int fd = begin_syslog();
	char text[1500];
	size_t n = 0;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_say(LOG_KIND_NOTICE, "cth", text);
	n += strlen(said(fd, 29));
	assert_int_equal(strlen(datagram), 1024);
	n += strlen(said(fd, 29));
	assert_int_equal(n, sizeof(text) - 1);
	end_syslog(fd);
}

static void a_daemon_that_does_not_read_stops_nobody(void **state)
{
	int fd = begin_syslog();
	unsigned n = say_until_full();

	(void)state;
	assert_true(n > 0);
	note("lost as well");
	for (unsigned i = 0; i < n; i++) {
		char line[32];

		snprintf(line, sizeof(line), "line %u", i);
		assert_string_equal(said(fd, 29), line);
	}
	note("heard");
	assert_string_equal(said(fd, 28), "2 messages before this one could not be said: nobody took them");
	assert_string_equal(said(fd, 29), "heard");
	end_syslog(fd);
}

static void a_daemon_that_was_started_again_is_found(void **state)
{
	int fd = begin_syslog();
	uint64_t before = log_lost();

	(void)state;
	close(fd);
	fd = make_daemon(SOCK_DGRAM);
	warn("to the new one");
	assert_string_equal(said(fd, 28), "to the new one");
	close(fd);
	unlink(path);
	warn("to nobody");
	assert_int_equal(log_lost(), before + 1);
	fd = make_daemon(SOCK_DGRAM);
	warn("to the next one");
	assert_string_equal(said(fd, 28), "1 message before this one could not be said: nobody took them");
	assert_string_equal(said(fd, 28), "to the next one");
	end_syslog(fd);
}

/* A keeper: it says a thing each time that it is told to, from where no path leads to anybody. */
static void jailed_child(int orders)
{
	char c;

	log_jailed();
	while (read(orders, &c, 1) == 1) {
		warn("%c of the child", c);
		c = log_lost() ? '!' : '.';
		if (write(orders, &c, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static char ask(int child, char what)
{
	char c = what;

	assert_int_equal(write(child, &c, 1), 1);
	assert_int_equal(read(child, &c, 1), 1);
	return c;
}

static void a_child_in_a_jail_is_connected_anew_by_its_parent(void **state)
{
	int fd = begin_syslog(), ends[2], status;
	char should[128];
	pid_t child;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		close(fd); /* or it would be the daemon's second holder */
		jailed_child(ends[1]);
	}
	close(ends[1]);
	assert_int_equal(ask(ends[0], 'a'), '.');
	snprintf(should, sizeof(should), "<28>cth[%ld]: a of the child", (long)child);
	assert_string_equal(next_datagram(fd), should);
	close(fd);
	assert_int_equal(ask(ends[0], 'b'), '!'); /* nobody is there */
	fd = make_daemon(SOCK_DGRAM);
	assert_int_equal(ask(ends[0], 'c'), '!'); /* somebody is, but it cannot know */
	assert_string_equal(next_datagram(fd), "");
	log_mend();
	assert_int_equal(ask(ends[0], 'd'), '!');
	snprintf(should, sizeof(should), "<28>cth[%ld]: 2 messages before this one could not be said: "
		 "nobody took them", (long)child);
	assert_string_equal(next_datagram(fd), should);
	snprintf(should, sizeof(should), "<28>cth[%ld]: d of the child", (long)child);
	assert_string_equal(next_datagram(fd), should);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	end_syslog(fd);
}

static void to_mend_what_is_whole_changes_nothing(void **state)
{
	int fd = begin_syslog();

	(void)state;
	note("before");
	log_mend();
	note("after");
	assert_string_equal(said(fd, 29), "before");
	assert_string_equal(said(fd, 29), "after");
	end_syslog(fd);
	log_mend(); /* nor does it where there is none */
}

/* Without a daemon. */

/* That is told, and what is said is heard, if on standard error. */
static void begin_without(int error, const char *regards)
{
	const char *text;
	int err;

	begin_pipe();
	err = log_begin(path);
	assert_int_equal(err, error);
	log_failed(err, path);
	text = there(pipe_ends[0]);
	assert_non_null(strstr(text, path));
	if (!strstr(text, regards) || !strstr(text, "; until then messages go to standard error\n"))
		fail_msg("'%s' lacks '%s'", text, regards);
	log_mend();
	warn("is heard where it always was");
	assert_string_equal(there(pipe_ends[0]), "cth run: is heard where it always was\n");
}

static void end_without(void)
{
	end_pipe();
	unlink(path);
	assert_int_equal(log_begin(NULL), 0);
}

static void without_a_daemon_messages_go_to_standard_error(void **state)
{
	int fd;

	(void)state;
	unlink(path);
	begin_without(-ENOENT, ": ENOENT: there is no such socket; start a syslog daemon");
	end_without();
	close(make_daemon(SOCK_DGRAM));
	begin_without(-ECONNREFUSED, ": ECONNREFUSED: the syslog daemon that made it has ended");
	end_without();
	fd = make_daemon(SOCK_STREAM);
	begin_without(-EPROTOTYPE, ": EPROTOTYPE: it takes a stream");
	end_without();
	close(fd);
	assert_int_equal(log_begin("/x/123456789012345678901234567890123456789012345678901234567890"
				   "123456789012345678901234567890123456789012345678901234567890"),
			 -ENAMETOOLONG);
	assert_int_equal(log_fd(), -1);
}

static void a_daemon_that_comes_later_is_found(void **state)
{
	uint64_t before = log_lost();
	int fd;

	(void)state;
	unlink(path);
	begin_without(-ENOENT, ": ENOENT: ");
	fd = make_daemon(SOCK_DGRAM);
	log_mend();
	assert_string_equal(said(fd, 29),
			    "messages go to syslog from now on; those before went to standard error");
	warn("to the daemon");
	assert_string_equal(said(fd, 28), "to the daemon");
	assert_string_equal(there(pipe_ends[0]), "");
	assert_int_equal(log_lost(), before);
	close(fd);
	end_without();
	begin_without(-ENOENT, ": ENOENT: ");
	fd = make_daemon(SOCK_DGRAM);
	warn("to the daemon, which nobody has looked for");
	assert_string_equal(said(fd, 28), "to the daemon, which nobody has looked for");
	close(fd);
	end_without();
}

static void a_child_in_a_jail_finds_it_through_its_parent(void **state)
{
	int fd, ends[2], status;
	char should[128];
	pid_t child;

	(void)state;
	unlink(path);
	begin_without(-ENOENT, ": ENOENT: ");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		jailed_child(ends[1]);
	}
	close(ends[1]);
	assert_int_equal(ask(ends[0], 'a'), '.');
	assert_string_equal(there(pipe_ends[0]), "cth run: a of the child\n");
	fd = make_daemon(SOCK_DGRAM);
	log_mend();
	(void)said(fd, 29);
	assert_int_equal(ask(ends[0], 'b'), '.');
	snprintf(should, sizeof(should), "<28>cth[%ld]: b of the child", (long)child);
	assert_string_equal(next_datagram(fd), should);
	assert_string_equal(there(pipe_ends[0]), "");
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(fd);
	end_without();
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/log", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_says_what_it_has_to_say), /* before there is a service */
		cmocka_unit_test(a_service_says_the_same),
		cmocka_unit_test(nothing_comes_through_that_moves_a_cursor),
		cmocka_unit_test(what_is_too_long_for_a_pipe_ends_sooner),
		cmocka_unit_test(who_shares_a_pipe_still_waits_there),
		cmocka_unit_test(a_reader_that_stops_stops_nobody_else),
		cmocka_unit_test(a_reader_that_has_gone_ends_nobody),
		cmocka_unit_test(a_terminal_that_is_stopped_stops_nobody_else),
		cmocka_unit_test(the_journal_is_told_how_severe_it_is),
		cmocka_unit_test(a_socket_that_is_full_stops_nobody),
		cmocka_unit_test(a_message_is_a_datagram_with_its_priority),
		cmocka_unit_test(lines_are_messages),
		cmocka_unit_test(a_long_line_goes_on_in_the_next_message),
		cmocka_unit_test(a_word_without_end_is_cut),
		cmocka_unit_test(a_daemon_that_does_not_read_stops_nobody),
		cmocka_unit_test(a_daemon_that_was_started_again_is_found),
		cmocka_unit_test(a_child_in_a_jail_is_connected_anew_by_its_parent),
		cmocka_unit_test(to_mend_what_is_whole_changes_nothing),
		cmocka_unit_test(without_a_daemon_messages_go_to_standard_error),
		cmocka_unit_test(a_daemon_that_comes_later_is_found),
		cmocka_unit_test(a_child_in_a_jail_finds_it_through_its_parent),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, make_folder, remove_folder);
}
