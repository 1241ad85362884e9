/* SPDX-License-Identifier: MIT */
/*
 * raw.c - FTP by hand, for what real clients and servers do not do: commands in pieces, lines
 * longer than any, announcements that are lies, chosen ports, transfers that wait half-way, many
 * sessions without a program's start for each. RFC 959, RFC 2428.
 *
 *     raw [-N NETNS] [-b SOURCE] [-p PORT] [-t SECONDS] [-n SESSIONS | -u FILE] [-m AT-ONCE]
 *         [-c FILE] DIR HOST STEP...
 *     raw -s [-N NETNS] [-p PORT] DIR
 *
 * The client logs in, takes the steps in order, and quits; if one of them is login or leave, it
 * does nothing of its own accord. DIR is what the server serves, as it is
 * seen from here: what is got or put is compared byte by byte. With -u sessions follow each
 * other until there is such a file; -c adds a dot to a file for each transfer, and a line's end
 * for each session.
 *
 *     pasv epsv port eprt   how data connections are made from now on
 *     at=PORT               where port and eprt listen; 0: anywhere
 *     cut=N                 PORT and EPRT go out in two pieces, the first of N bytes
 *     hasty                 the second one at once; else when the first one has arrived
 *     ask                   announce now; the next transfer uses it
 *     get=NAME put=NAME     put stores a copy below in/, which is deleted
 *     half=NAME             get, with a pause in the middle
 *     list                  NLST, which must name the file "small"
 *     login                 as TYPE I, too
 *     leave                 closes the connection, and that was it
 *     pause                 prints "paused", waits for a line on stdin
 *     say=TEXT              any command, or several, with ^ between; the first answer counts
 *     want=CODE:TEXT        any command, this answer
 *     pad=N                 a command of N bytes
 *     echo=N                SITE ECHO with N characters, which must come back
 *     noop=N                N of them, one by one; prints their round trips: "noop N MEDIAN P99 us"
 *
 * The server, -s, serves IPv4 and IPv6 and has some commands of its own: SITE CUT N (the next
 * 227 or 229 goes out in two pieces), SITE SAY TEXT, SITE ECHO TEXT, SITE PAD N (an answer of N
 * bytes).
 *
 * A data connection must come from, and be announced at, the very address that the control
 * connection has. Exit 0: all went well, else stderr tells what did not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *dir, *host, *source, *control_port = "21", *until;
static int tally = -1;
static int patience = 3000; /* ms */
static const char *doing = "connect";
static int session;

struct talk {
	int fd;
	size_t n;      /* bytes in buf */
	size_t line;   /* of them in the line that was taken last, its end included */
	char buf[16384];
};

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", doing);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(1);
}

/* ---- sockets ---- */

static bool ready(int fd, short what, int ms)
{
	struct pollfd p = { .fd = fd, .events = what };
	int got;

	do
		got = poll(&p, 1, ms);
	while (got < 0 && errno == EINTR);
	return got > 0;
}

static void wait_for(int fd, short what, const char *name)
{
	if (!ready(fd, what, patience))
		die("%s: nothing for %d s", name, patience / 1000);
}

static void write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent;

		wait_for(fd, POLLOUT, "send");
		sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			die("send: %s", strerror(errno));
		if (sent > 0) {
			p += sent;
			n -= (size_t)sent;
		}
	}
}

/* The rest of a command is to be a segment of its own, and the first piece to have arrived; if it
 * is withheld on the way, there is no use in waiting longer than a retransmission takes. In haste
 * both are on their way. */
static void write_cut(int fd, const char *p, size_t n, size_t cut, bool hasty)
{
	struct timespec pause = { .tv_nsec = 2000000 };
	int unsent = 1;

	if (cut == 0 || cut >= n) {
		write_all(fd, p, n);
		return;
	}
	write_all(fd, p, cut);
	for (int i = 0; i < 150 && unsent > 0 && !hasty; i++) {
		if (ioctl(fd, SIOCOUTQ, &unsent) < 0)
			die("SIOCOUTQ: %s", strerror(errno));
		if (unsent > 0)
			nanosleep(&pause, NULL);
	}
	write_all(fd, p + cut, n - cut);
}

static const char *text_of(const struct sockaddr_storage *a)
{
	static char text[2][INET6_ADDRSTRLEN];
	static int turn;
	char *t = text[turn = !turn];
	const void *bytes = a->ss_family == AF_INET
				    ? (const void *)&((const struct sockaddr_in *)a)->sin_addr
				    : (const void *)&((const struct sockaddr_in6 *)a)->sin6_addr;

	if (!inet_ntop(a->ss_family, bytes, t, sizeof(text[0])))
		die("an address: %s", strerror(errno));
	/* the server's sockets are IPv6 ones for both */
	return strncmp(t, "::ffff:", 7) ? t : t + 7;
}

static struct sockaddr_storage name_of(int fd, int (*which)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_storage a = { 0 };
	socklen_t n = sizeof(a);

	if (which(fd, (struct sockaddr *)&a, &n) < 0)
		die("name of a socket: %s", strerror(errno));
	return a;
}

static unsigned port_of(const struct sockaddr_storage *a)
{
	return ntohs(a->ss_family == AF_INET ? ((const struct sockaddr_in *)a)->sin_port
					     : ((const struct sockaddr_in6 *)a)->sin6_port);
}

static struct sockaddr_storage address(const char *name, const char *port, socklen_t *n)
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;
	in_port_t number = htons((uint16_t)strtoul(port, NULL, 10));

	if (inet_pton(AF_INET, name, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = number;
		*n = sizeof(*v4);
	} else if (inet_pton(AF_INET6, name, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = number;
		*n = sizeof(*v6);
	} else {
		die("%s is no address", name);
	}
	return a;
}

static int stream(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
		die("socket: %s", strerror(errno));
	return fd;
}

static int dial(const char *name, const char *port, const char *from, const char *what)
{
	socklen_t n, m, size = sizeof(int);
	struct sockaddr_storage to = address(name, port, &n);
	int fd = stream(to.ss_family), err = 0;

	if (from) {
		struct sockaddr_storage own = address(from, "0", &m);

		if (bind(fd, (struct sockaddr *)&own, m) < 0)
			die("bind %s: %s", from, strerror(errno));
	}
	if (connect(fd, (struct sockaddr *)&to, n) < 0 && errno != EINPROGRESS)
		die("%s to %s port %s: %s", what, name, port, strerror(errno));
	if (!ready(fd, POLLOUT, patience))
		die("%s to %s port %s: no answer for %d s", what, name, port, patience / 1000);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0 || err)
		die("%s to %s port %s: %s", what, name, port, strerror(err));
	return fd;
}

/* ---- a line at a time ---- */

/* NULL: the other side has closed. */
static char *take_line(struct talk *t)
{
	memmove(t->buf, t->buf + t->line, t->n - t->line);
	t->n -= t->line;
	t->line = 0;
	for (;;) {
		char *end = memchr(t->buf, '\n', t->n);
		ssize_t got;

		if (end) {
			t->line = (size_t)(end - t->buf) + 1;
			*end = 0;
			if (end > t->buf && end[-1] == '\r')
				end[-1] = 0;
			return t->buf;
		}
		if (t->n >= sizeof(t->buf) - 1)
			die("a line without an end");
		wait_for(t->fd, POLLIN, "control connection");
		got = recv(t->fd, t->buf + t->n, sizeof(t->buf) - 1 - t->n, 0);
		if (got == 0 || (got < 0 && errno == ECONNRESET))
			return NULL;
		if (got > 0)
			t->n += (size_t)got;
	}
}

/* The last line of an answer, of several lines or one. */
static char *answer(struct talk *t)
{
	for (;;) {
		char *line = take_line(t);

		if (!line)
			die("the server has closed the control connection");
		if (strspn(line, "0123456789") == 3 && (line[3] == ' ' || line[3] == 0))
			return line;
	}
}

static char *expect(struct talk *t, const char *code)
{
	char *line = answer(t);

	if (strncmp(line, code, strlen(code)))
		die("answer %.100s", line);
	return line;
}

__attribute__((format(printf, 2, 3))) static void tell(struct talk *t, const char *format, ...)
{
	char line[9200];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line) - 2, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(line) - 2)
		die("too long");
	line[n++] = '\r';
	line[n++] = '\n';
	write_all(t->fd, line, (size_t)n);
}

/* ---- what has been done ---- */

static void count(char what)
{
	if (tally >= 0 && write(tally, &what, 1) != 1)
		die("count: %s", strerror(errno));
}

static bool is_over(int sessions)
{
	return until ? access(until, F_OK) == 0 : session >= sessions;
}

/* ---- files ---- */

static char *slurp(const char *name, size_t *n)
{
	char path[4096];
	struct stat st;
	char *all;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	if (!f || fstat(fileno(f), &st) < 0)
		die("%s: %s", path, strerror(errno));
	*n = (size_t)st.st_size;
	all = malloc(*n + 1);
	if (!all || fread(all, 1, *n, f) != *n)
		die("%s: cannot be read", path);
	fclose(f);
	return all;
}

static size_t receive(int fd, char *to, size_t room)
{
	size_t n = 0;

	while (n < room) {
		ssize_t got;

		wait_for(fd, POLLIN, "data connection");
		got = recv(fd, to + n, room - n, 0);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			die("data connection: %s", strerror(errno));
		if (got == 0)
			break;
		if (got > 0)
			n += (size_t)got;
	}
	return n;
}

static void hold(void)
{
	char line[16];

	puts("paused");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(1);
}

/* ---- the client ---- */

struct client {
	struct talk control;
	struct sockaddr_storage self, peer;
	enum { PASV, EPSV, PORT, EPRT } mode;
	size_t cut;
	bool hasty;
	char at[8];
	int listener;        /* -1: none is open */
	bool begun;          /* the 150 of a transfer has been taken */
	char target[64];     /* where a passive server listens; "" when nothing was announced */
	char target_port[8];
	unsigned puts;
};

static void listen_for_data(struct client *c)
{
	socklen_t n;
	struct sockaddr_storage own = address(text_of(&c->self), c->at, &n);

	c->listener = stream(own.ss_family);
	if (bind(c->listener, (struct sockaddr *)&own, n) < 0 || listen(c->listener, 1) < 0)
		die("listen at %s: %s", c->at, strerror(errno));
}

static void announce(struct client *c)
{
	struct sockaddr_storage own;
	const char *text;
	char line[128], commas[64];
	unsigned port;
	int n;

	listen_for_data(c);
	own = name_of(c->listener, getsockname);
	text = text_of(&own);
	port = port_of(&own);
	snprintf(commas, sizeof(commas), "%s", text);
	for (char *p = commas; (p = strchr(p, '.')); )
		*p = ',';
	if (c->mode == PORT)
		n = snprintf(line, sizeof(line), "PORT %s,%u,%u\r\n", commas, port >> 8, port & 255);
	else
		n = snprintf(line, sizeof(line), "EPRT |%d|%s|%u|\r\n", own.ss_family == AF_INET ? 1 : 2, text, port);
	write_cut(c->control.fd, line, (size_t)n, c->cut, c->hasty);
	expect(&c->control, "200");
}

static void ask_passive(struct client *c)
{
	unsigned v[6];
	const char *line, *p;

	tell(&c->control, c->mode == PASV ? "PASV" : "EPSV");
	line = expect(&c->control, c->mode == PASV ? "227" : "229");
	strcpy(c->target, text_of(&c->peer));
	p = strchr(line, '(');
	if (c->mode == EPSV) {
		if (!p || sscanf(p, "(|||%7[0-9]|)", c->target_port) != 1)
			die("what is %.100s", line);
		return;
	}
	if (!p || sscanf(p, "(%u,%u,%u,%u,%u,%u)", v, v + 1, v + 2, v + 3, v + 4, v + 5) != 6)
		die("what is %.100s", line);
	snprintf(c->target, sizeof(c->target), "%u.%u.%u.%u", v[0], v[1], v[2], v[3]);
	snprintf(c->target_port, sizeof(c->target_port), "%u", (v[4] << 8 | v[5]) & 0xffff);
	if (strcmp(c->target, text_of(&c->peer)))
		die("227 names %s instead of %s", c->target, text_of(&c->peer));
}

static void ask(struct client *c)
{
	if (c->mode == PORT || c->mode == EPRT)
		announce(c);
	else
		ask_passive(c);
}

static int accepted(struct client *c)
{
	struct pollfd p[2] = { { .fd = c->listener, .events = POLLIN },
			       { .fd = c->control.fd, .events = POLLIN } };
	struct sockaddr_storage from;
	int fd;

	/* Some servers say 150 first; and one that cannot connect says 425 instead of all that. */
	if (poll(p, 2, patience) > 0 && !(p[0].revents & POLLIN)) {
		expect(&c->control, "1");
		c->begun = true;
	}
	wait_for(c->listener, POLLIN, "data connection");
	fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		die("accept: %s", strerror(errno));
	close(c->listener);
	c->listener = -1;
	from = name_of(fd, getpeername);
	if (strcmp(text_of(&from), text_of(&c->peer)))
		die("data comes from %s instead of %s", text_of(&from), text_of(&c->peer));
	return fd;
}

/* A data connection with the command on its way and the server's 150 taken. */
__attribute__((format(printf, 2, 3))) static int transfer(struct client *c, const char *format, ...)
{
	char line[256];
	va_list args;
	int fd = -1, small = 65536;

	if (c->listener < 0 && !*c->target)
		ask(c);
	if (*c->target) {
		fd = dial(c->target, c->target_port, source, "data connection");
		*c->target = 0;
	}
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	tell(&c->control, "%s", line);
	if (fd < 0)
		fd = accepted(c);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (!c->begun)
		expect(&c->control, "1");
	c->begun = false;
	return fd;
}

static void step_get(struct client *c, const char *name, bool half)
{
	size_t n, got = 0;
	char *want = slurp(name, &n), *have = malloc(n + 1);
	int fd = transfer(c, "RETR %s", name);

	if (half) {
		got = receive(fd, have, n / 2);
		hold();
	}
	got += receive(fd, have + got, n + 1 - got);
	close(fd);
	expect(&c->control, "226");
	if (got != n || memcmp(want, have, n))
		die("%zu bytes came, which are not the %zu of %s", got, n, name);
	count('.');
	free(want);
	free(have);
}

static void step_put(struct client *c, const char *name)
{
	size_t n, m;
	char *want = slurp(name, &n), *have;
	char there[128], path[4096];
	int fd;

	snprintf(there, sizeof(there), "in/%d-%u", (int)getpid(), c->puts++);
	fd = transfer(c, "STOR %s", there);
	write_all(fd, want, n);
	close(fd);
	expect(&c->control, "226");
	have = slurp(there, &m);
	if (n != m || memcmp(want, have, n))
		die("%zu bytes arrived, which are not the %zu of %s", m, n, name);
	count('.');
	snprintf(path, sizeof(path), "%s/%s", dir, there);
	unlink(path);
	free(want);
	free(have);
}

static void step_list(struct client *c)
{
	char names[65536];
	int fd = transfer(c, "NLST");
	size_t n = receive(fd, names, sizeof(names) - 1);

	names[n] = 0;
	close(fd);
	expect(&c->control, "226");
	if (!strstr(names, "small"))
		die("the list is %.100s", names);
	count('.');
}

static void step_say(struct client *c, const char *text)
{
	char line[4096];

	snprintf(line, sizeof(line), "%s", text);
	for (char *p = line; (p = strstr(p, "^")); )
		*p = '\n';
	tell(&c->control, "%s", line);
	answer(&c->control);
}

static void step_want(struct client *c, const char *text)
{
	tell(&c->control, "%s", text + 4);
	if (strncmp(answer(&c->control), text, 3))
		die("answer %.100s", c->control.buf);
}

static void step_fill(struct client *c, int n, bool echo)
{
	char text[9000];

	if (n < 10 || n > 8900)
		die("10 to 8900 bytes");
	for (int i = 0; i < n; i++)
		text[i] = (char)('a' + rand() % 26);
	text[n] = 0;
	if (echo) {
		tell(&c->control, "SITE ECHO %s", text);
		if (strcmp(expect(&c->control, "200 ") + 4, text))
			die("%.100s... came back as %.100s", text, c->control.buf + 4);
	} else {
		text[n - 2] = 0; /* the end of the line counts */
		memcpy(text, "NOOP ", 5);
		tell(&c->control, "%s", text);
		answer(&c->control);
	}
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare_times(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void step_noop(struct client *c, int n)
{
	double *times = calloc(n > 0 ? (size_t)n : 1, sizeof(*times));

	if (!times || n < 1)
		die("how many?");
	for (int i = 0; i < n; i++) {
		double began = now_us();

		tell(&c->control, "NOOP");
		expect(&c->control, "200");
		times[i] = now_us() - began;
	}
	qsort(times, (size_t)n, sizeof(*times), compare_times);
	printf("noop %d %.0f %.0f us\n", n, times[n / 2], times[(long)n * 99 / 100]);
	fflush(stdout);
	free(times);
}

static void log_in(struct client *c)
{
	doing = "log in";
	tell(&c->control, "USER anonymous");
	if (expect(&c->control, "")[0] == '3') {
		tell(&c->control, "PASS x@y");
		expect(&c->control, "230");
	}
	tell(&c->control, "TYPE I");
	expect(&c->control, "200");
}

static bool value(const char *step, const char *name, const char **v)
{
	size_t n = strlen(name);

	*v = step + n;
	return strncmp(step, name, n) == 0;
}

static void take(struct client *c, const char *step)
{
	static const char *const modes[] = { "pasv", "epsv", "port", "eprt" };
	const char *v;

	doing = step;
	for (unsigned i = 0; i < 4; i++)
		if (strcmp(step, modes[i]) == 0) {
			c->mode = i;
			return;
		}
	if (value(step, "at=", &v))
		snprintf(c->at, sizeof(c->at), "%s", v);
	else if (value(step, "cut=", &v))
		c->cut = strtoul(v, NULL, 10);
	else if (strcmp(step, "hasty") == 0)
		c->hasty = true;
	else if (value(step, "get=", &v))
		step_get(c, v, false);
	else if (value(step, "half=", &v))
		step_get(c, v, true);
	else if (value(step, "put=", &v))
		step_put(c, v);
	else if (value(step, "say=", &v))
		step_say(c, v);
	else if (value(step, "want=", &v))
		step_want(c, v);
	else if (value(step, "pad=", &v))
		step_fill(c, atoi(v), false);
	else if (value(step, "echo=", &v))
		step_fill(c, atoi(v), true);
	else if (value(step, "noop=", &v))
		step_noop(c, atoi(v));
	else if (strcmp(step, "login") == 0)
		log_in(c);
	else if (strcmp(step, "ask") == 0)
		ask(c);
	else if (strcmp(step, "list") == 0)
		step_list(c);
	else if (strcmp(step, "pause") == 0)
		hold();
	else
		die("what is this step");
}

static bool has(char **steps, const char *step)
{
	while (*steps && strcmp(*steps, step))
		steps++;
	return *steps;
}

/* go: where to wait, logged in, until the others are. */
static void one_session(char **steps, const int *go)
{
	struct client c = { .listener = -1, .at = "0" };
	char byte = 0;

	doing = "connect";
	c.control.fd = dial(host, control_port, source, "control connection");
	c.self = name_of(c.control.fd, getsockname);
	c.peer = name_of(c.control.fd, getpeername);
	expect(&c.control, "220");
	if (!has(steps, "login") && !has(steps, "leave"))
		log_in(&c);
	if (go && (write(go[1], &byte, 1) != 1 || close(go[1]) < 0 || read(go[2], &byte, 1) != 0))
		die("the other sessions: %s", strerror(errno));
	for (; *steps && strcmp(*steps, "leave"); steps++)
		take(&c, *steps);
	if (!*steps) {
		doing = "quit";
		tell(&c.control, "QUIT");
		expect(&c.control, "221");
	}
	close(c.control.fd);
	count('\n');
}

static int many_sessions(char **steps, int n, int at_once)
{
	int here[2], go[2], pipes[3], status, failed = 0;
	char byte;

	if (pipe2(here, O_CLOEXEC) < 0 || pipe2(go, O_CLOEXEC) < 0)
		die("pipe: %s", strerror(errno));
	pipes[1] = here[1];
	pipes[2] = go[0];
	for (int i = 0; i < at_once; i++) {
		if (fork())
			continue;
		close(go[1]);
		srand((unsigned)i);
		for (session = 0; !is_over(n); session++)
			one_session(steps, session == 0 ? pipes : NULL);
		exit(0);
	}
	close(here[1]);
	/* A child that fails closes its end, unheard. */
	for (int i = 0; i < at_once && read(here[0], &byte, 1) == 1; i++)
		;
	close(go[1]);
	while (wait(&status) > 0)
		failed += status != 0;
	if (failed)
		fprintf(stderr, "%d of %d failed\n", failed, at_once);
	return failed != 0;
}

/* ---- the server ---- */

struct served {
	struct talk control;
	struct sockaddr_storage self, peer;
	int listener;
	char target[64], target_port[8];
	size_t cut;
};

static void serve_passive(struct served *s, bool extended)
{
	struct sockaddr_in6 own = { .sin6_family = AF_INET6 };
	struct sockaddr_storage bound;
	char line[128], commas[64];
	unsigned port;
	int n;

	if (s->listener >= 0)
		close(s->listener);
	*s->target = 0;
	s->listener = stream(AF_INET6);
	if (bind(s->listener, (struct sockaddr *)&own, sizeof(own)) < 0 || listen(s->listener, 1) < 0)
		die("listen: %s", strerror(errno));
	bound = name_of(s->listener, getsockname);
	port = port_of(&bound);
	snprintf(commas, sizeof(commas), "%s", text_of(&s->self));
	for (char *p = commas; (p = strchr(p, '.')); )
		*p = ',';
	n = extended ? snprintf(line, sizeof(line), "229 Entering Extended Passive Mode (|||%u|)\r\n", port)
		     : snprintf(line, sizeof(line), "227 Entering Passive Mode (%s,%u,%u).\r\n", commas,
				port >> 8, port & 255);
	write_cut(s->control.fd, line, (size_t)n, s->cut, false);
	s->cut = 0;
}

static bool serve_active(struct served *s, const char *arg)
{
	unsigned v[6], port;

	if (sscanf(arg, "%u,%u,%u,%u,%u,%u", v, v + 1, v + 2, v + 3, v + 4, v + 5) == 6) {
		snprintf(s->target, sizeof(s->target), "%u.%u.%u.%u", v[0], v[1], v[2], v[3]);
		port = v[4] << 8 | v[5];
	} else if (sscanf(arg, "|%*u|%63[0-9a-fA-F.:]|%u|", s->target, &port) != 2) {
		return false;
	}
	snprintf(s->target_port, sizeof(s->target_port), "%u", port & 0xffff);
	/* RFC 2577: not to a third party */
	return strcmp(s->target, text_of(&s->peer)) == 0;
}

static int data_connection(struct served *s)
{
	int fd;

	if (*s->target)
		return dial(s->target, s->target_port, NULL, "data connection");
	wait_for(s->listener, POLLIN, "data connection");
	fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	close(s->listener);
	s->listener = -1;
	return fd;
}

static void serve_transfer(struct served *s, char letter, const char *name)
{
	static char bytes[1 << 20];
	char path[4096];
	size_t n;
	int fd = data_connection(s);

	tell(&s->control, "150 Here it comes.");
	if (letter == 'R') {
		char *all = slurp(name, &n);

		write_all(fd, all, n);
		free(all);
	} else if (letter == 'S') {
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", dir, name);
		f = fopen(path, "wb");
		while (f && (n = receive(fd, bytes, sizeof(bytes))) > 0)
			fwrite(bytes, 1, n, f);
		if (f)
			fclose(f);
	} else {
		write_all(fd, "small\r\n", 7);
	}
	close(fd);
	tell(&s->control, "226 Done.");
}

static void serve_site(struct served *s, const char *arg)
{
	const char *v;

	if (value(arg, "CUT ", &v)) {
		s->cut = strtoul(v, NULL, 10);
		tell(&s->control, "200 Next time.");
	} else if (value(arg, "SAY ", &v) || value(arg, "ECHO ", &v)) {
		tell(&s->control, "%s%s", arg[0] == 'E' ? "200 " : "", v);
	} else if (value(arg, "PAD ", &v)) {
		char pad[9000] = "200 ";
		size_t n = strtoul(v, NULL, 10);

		memset(pad + 4, 'x', sizeof(pad) - 5);
		if (n > 6 && n < sizeof(pad))
			pad[n - 2] = 0;
		tell(&s->control, "%s", pad);
	} else {
		tell(&s->control, "500 No.");
	}
}

static void serve_command(struct served *s, char *line)
{
	char *arg = line + strcspn(line, " ");

	if (*arg)
		*arg++ = 0;
	doing = line;
	if (strcmp(line, "USER") == 0)
		tell(&s->control, "331 Password.");
	else if (strcmp(line, "PASS") == 0)
		tell(&s->control, "230 Welcome.");
	else if (strcmp(line, "TYPE") == 0 || strcmp(line, "NOOP") == 0)
		tell(&s->control, "200 Fine.");
	else if (strcmp(line, "PASV") == 0 || strcmp(line, "EPSV") == 0)
		serve_passive(s, line[0] == 'E');
	else if (strcmp(line, "PORT") == 0 || strcmp(line, "EPRT") == 0)
		tell(&s->control, serve_active(s, arg) ? "200 Fine." : "500 Not there.");
	else if (strcmp(line, "RETR") == 0 || strcmp(line, "STOR") == 0 || strcmp(line, "NLST") == 0)
		serve_transfer(s, line[0], arg);
	else if (strcmp(line, "SITE") == 0)
		serve_site(s, arg);
	else if (strcmp(line, "QUIT") == 0)
		tell(&s->control, "221 Bye.");
	else
		tell(&s->control, "500 %.20s?", line);
}

static void serve_session(int fd)
{
	struct served s = { .control.fd = fd, .listener = -1 };
	int one = 1;
	char *line;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	s.self = name_of(fd, getsockname);
	s.peer = name_of(fd, getpeername);
	tell(&s.control, "220 By hand.");
	while ((line = take_line(&s.control)))
		serve_command(&s, line);
}

static int serve(void)
{
	struct sockaddr_in6 own = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(control_port)) };
	int fd = stream(AF_INET6);

	doing = "serve";
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0 || listen(fd, 64) < 0)
		die("listen: %s", strerror(errno));
	patience = 60000;
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int got;

		if (!ready(fd, POLLIN, -1))
			continue;
		got = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (got >= 0 && fork() == 0) {
			serve_session(got);
			exit(0);
		}
		close(got);
	}
}

static void enter(const char *netns)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

int main(int argc, char **argv)
{
	int c, n = 1, at_once = 1;
	bool server = false;

	while ((c = getopt(argc, argv, "+N:b:p:t:n:u:m:c:s")) >= 0)
		switch (c) {
		case 'N': enter(optarg); break;
		case 'b': source = optarg; break;
		case 'p': control_port = optarg; break;
		case 't': patience = atoi(optarg) * 1000; break;
		case 'n': n = atoi(optarg); break;
		case 'u': until = optarg; break;
		case 'm': at_once = atoi(optarg); break;
		case 'c': tally = open(optarg, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644); break;
		case 's': server = true; break;
		default: return 2;
		}
	argv += optind;
	if (!argv[0] || (!server && !argv[1])) {
		fprintf(stderr, "usage: raw [-N NETNS] [-b SOURCE] [-p PORT] [-t SECONDS] [-n SESSIONS | -u FILE] [-m AT-ONCE] "
			"[-c FILE] DIR HOST STEP... | raw -s [-p PORT] DIR\n");
		return 2;
	}
	dir = argv[0];
	if (server)
		return serve();
	host = argv[1];
	if (at_once > 1)
		return many_sessions(argv + 2, n, at_once);
	for (session = 0; !is_over(n); session++)
		one_session(argv + 2, NULL);
	return 0;
}
