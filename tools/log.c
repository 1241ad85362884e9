/* SPDX-License-Identifier: MIT */
/*
 * log.c - messages to standard error or to syslog. One to syslog is a datagram as RFC 3164 and
 * syslog(3) have it, but for the time, which daemons know themselves:
 *
 *     <28>cth[812]: the keeper has died of a signal
 *      |
 *      facility (3, daemons) * 8 + severity
 *
 * syslog(3) opens its socket when it likes, at the latest when the daemon was started again, and
 * nobody can open one from a jail. Here the guardian connects one before, and keeper and guardian
 * share it. A daemon that is started again is found by its path: by the guardian, which
 * connects the socket again when it is awake anyway. To connect is the socket's business and
 * not the descriptor's, so that the keeper's next message comes there, too. Thus nothing that
 * the keeper says goes through the guardian, which would have to read it, and to wait for
 * whoever takes it. At boot a daemon may come later than those who have something to say: until
 * the socket has once been connected messages go to standard error.
 *
 * Standard error is often a pipe, and its reader may stop. O_NONBLOCK there would hit everybody who
 * shares the pipe's end, such as the shell; so an end of our own is opened, through /proc. A
 * socket, which is what systemd gives, is asked call by call not to wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "cth.h"
#include "log.h"

#define FACILITY     (3 * 8)
#define DATAGRAM     1024 /* RFC 3164: bytes of a message, at most */
#define MESSAGE      4096 /* and of one on standard error: a pipe takes so much whole, or not at all */

static struct {
	bool service;        /* nothing waits */
	bool socket;         /* standard error is one */
	bool journal;        /* and systemd's: lines begin with their severity */
	bool torn;           /* the last line there is without its end */
	bool jailed;
	bool awaited;        /* nobody has been there yet who takes what goes to syslog */
	int fd;              /* of syslog, if path */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "": standard error */
	uint64_t lost, told;
} to = { .fd = -1 };

/* Text. */

/* What stands in for a character that might do something to a terminal. */
static char printable(char c)
{
	return c == '\t' ? ' ' : (unsigned char)c < ' ' || c == 0x7f ? '?' : c;
}

struct text {
	char bytes[MESSAGE];
	size_t n;
};

static void add(struct text *t, const char *from, size_t n)
{
	/* The last byte is for the line's end. */
	for (size_t i = 0; i < n && t->n < sizeof(t->bytes) - 1; i++)
		t->bytes[t->n++] = printable(from[i]);
}

static void end_line(struct text *t)
{
	if (t->n == sizeof(t->bytes))
		t->n--;
	t->bytes[t->n++] = '\n';
}

/* The length of the first line; *next is the one after it, or NULL. */
static size_t line_length(const char *line, const char **next)
{
	const char *end = strchr(line, '\n');

	*next = end && end[1] ? end + 1 : NULL;
	return end ? (size_t)(end - line) : strlen(line);
}

/* Standard error. */

/* Whether nobody has to wait for it. */
static bool takes_bytes(void)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&out, 1, 0) == 1 && (out.revents & POLLOUT);
}

static bool write_bytes(const char *bytes, size_t n)
{
	ssize_t done;

	do {
		if (!takes_bytes())
			return false;
		done = to.socket ? send(STDERR_FILENO, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL)
				 : write(STDERR_FILENO, bytes, n);
	} while (done < 0 && errno == EINTR);
	if (done > 0)
		to.torn = bytes[done - 1] != '\n';
	return done == (ssize_t)n;
}

static void compose(struct text *t, enum log_kind kind, const char *by, const char *text)
{
	const char severity[] = { '<', (char)('0' + kind), '>' };
	const char *line = text, *next;
	size_t n;

	t->n = 0;
	if (to.torn)
		end_line(t);
	for (; line; line = next) {
		n = line_length(line, &next);
		if (to.journal)
			add(t, severity, sizeof(severity));
		if (line == text && by && kind < LOG_KIND_NOTICE) {
			add(t, by, strlen(by));
			add(t, ": ", 2);
		}
		add(t, line, n);
		end_line(t);
	}
}

static bool say_on_stderr(enum log_kind kind, const char *by, const char *text)
{
	struct text t;

	compose(&t, kind, by, text);
	if (to.service)
		return write_bytes(t.bytes, t.n);
	return fwrite(t.bytes, 1, t.n, stderr) == t.n;
}

/*
 * An end of our own of the pipe, or of the terminal. Where there is none poll(2) alone has to
 * do.
 */
static void open_own_end(void)
{
	int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)dup2(fd, STDERR_FILENO);
	close(fd);
}

/* sd-daemon(3): $JOURNAL_STREAM is "DEVICE:INODE" of the stream that the journal reads. */
static bool is_journal(const struct stat *s)
{
	const char *stream = getenv("JOURNAL_STREAM");

	return stream && strcmp(stream, phrase("%llu:%llu", (unsigned long long)s->st_dev,
					       (unsigned long long)s->st_ino)) == 0;
}

static void prepare_stderr(void)
{
	struct stat s;

	if (fstat(STDERR_FILENO, &s) < 0)
		return;
	to.socket = S_ISSOCK(s.st_mode);
	to.journal = is_journal(&s);
	if (S_ISFIFO(s.st_mode) || S_ISCHR(s.st_mode))
		open_own_end();
}

/* syslog. */

static int connect_syslog(int fd)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	memcpy(a.sun_path, to.path, sizeof(a.sun_path));
	return connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
}

static bool send_datagram(const char *bytes, size_t n)
{
	ssize_t done = send(to.fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (done < 0 && (errno == ECONNREFUSED || errno == ENOTCONN) && !to.jailed &&
	    connect_syslog(to.fd) == 0)
		done = send(to.fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return done == (ssize_t)n;
}

/* How much of it goes into room bytes: up to a blank, if there is one. */
static size_t piece_length(const char *line, size_t n, size_t room)
{
	if (n <= room)
		return n;
	for (size_t i = room; i > room / 2; i--)
		if (line[i] == ' ')
			return i;
	return room;
}

/* A line that is too long becomes several. */
static bool send_line(enum log_kind kind, const char *line, size_t n)
{
	char bytes[DATAGRAM];
	int start = snprintf(bytes, sizeof(bytes), "<%u>cth[%ld]: ", FACILITY + (unsigned)kind,
			     (long)getpid());

	for (size_t piece; n > 0; line += piece, n -= piece) {
		size_t at = (size_t)start;

		piece = piece_length(line, n, sizeof(bytes) - at);
		for (size_t i = 0; i < piece; i++)
			bytes[at++] = printable(line[i]);
		if (!send_datagram(bytes, at))
			return false;
		for (; piece < n && line[piece] == ' '; piece++)
			;
	}
	return true;
}

static bool say_to_syslog(enum log_kind kind, const char *text)
{
	const char *next;
	bool said = true;

	for (; text && said; text = next) {
		size_t n = line_length(text, &next);

		said = send_line(kind, text, n);
	}
	return said;
}

/* Both. */

static bool say_there(enum log_kind kind, const char *by, const char *text)
{
	bool said = to.path[0] && say_to_syslog(kind, text);

	if (said)
		to.awaited = false;
	return said || (to.path[0] && !to.awaited) ? said : say_on_stderr(kind, by, text);
}

void log_say(enum log_kind kind, const char *by, const char *text)
{
	if (to.lost != to.told &&
	    say_there(LOG_KIND_WARNING, said_by,
		      phrase("%llu message%s before this one could not be said: nobody took them",
			     (unsigned long long)(to.lost - to.told),
			     to.lost - to.told == 1 ? "" : "s")))
		to.told = to.lost;
	if (!say_there(kind, by, text))
		to.lost++;
}

static void end_syslog(void)
{
	if (to.fd >= 0)
		close(to.fd);
	to.fd = -1;
	to.path[0] = '\0';
}

static int begin_syslog(const char *path)
{
	int fd, err;

	if (strlen(path) >= sizeof(to.path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	memset(to.path, 0, sizeof(to.path));
	memcpy(to.path, path, strlen(path));
	to.fd = fd;
	err = connect_syslog(fd);
	to.awaited = err < 0;
	return err;
}

int log_begin(const char *syslog)
{
	end_syslog();
	prepare_stderr();
	to.service = true;
	return syslog ? begin_syslog(syslog) : 0;
}

void log_failed(int error, const char *syslog)
{
	const char *cause = NULL, *remedy = "see what it is";

	switch (error < 0 ? -error : error) {
	case ENOENT:
		cause = "there is no such socket";
		remedy = "start a syslog daemon";
		break;
	case ECONNREFUSED:
		cause = "the syslog daemon that made it has ended";
		remedy = "start it again";
		break;
	case EPROTOTYPE:
		cause = "it takes a stream, which has gone out of use";
		remedy = "have the syslog daemon take datagrams there";
		break;
	}
	fail(error, phrase("send messages to syslog at %s", syslog), cause,
	     phrase("%s, or: --log stderr; until then messages go to standard error", remedy));
}

int log_fd(void)
{
	return to.fd;
}

void log_jailed(void)
{
	to.jailed = true;
	to.lost = to.told = 0; /* its parent's */
}

void log_mend(void)
{
	if (to.fd < 0 || to.jailed || connect_syslog(to.fd) < 0 || !to.awaited)
		return;
	to.awaited = false;
	note("messages go to syslog from now on; those before went to standard error");
}

uint64_t log_lost(void)
{
	return to.lost;
}
