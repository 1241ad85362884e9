/* SPDX-License-Identifier: MIT */
/*
 * notify.c - the protocol of sd_notify(3) and sd_listen_fds(3), without a library. A datagram
 * to the socket that NOTIFY_SOCKET names has lines, and perhaps a descriptor:
 *
 *     READY=1 | MAINPID=812 | STATUS=serving ftp on queue 0
 *     FDSTORE=1 | FDNAME=queue | FDPOLL=0                        + SCM_RIGHTS
 *
 * and the descriptors that are given back begin at 3, LISTEN_FDS of them. An address that begins
 * with @ is an abstract one. Nothing here waits: whoever supervises us must not be able to stop us.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "cth.h"
#include "notify.h"

#define FIRST_STORED 3
#define MESSAGE      1024

/* The environment. */

static bool number_in(const char *variable, uint64_t most, uint64_t *value)
{
	const char *text = getenv(variable);

	return text && parse_number(text, 0, most, value);
}

/* "@name" is an abstract one, which has a zero byte in the @'s place, and none at its end. */
static int take_address(struct notify *n)
{
	const char *address = getenv("NOTIFY_SOCKET");
	size_t length;

	if (!address || !address[0])
		return 0;
	length = strlen(address);
	if (address[0] != '/' && address[0] != '@')
		return -EAFNOSUPPORT; /* vsock, for virtual machines */
	if (length < 2 || length >= sizeof(n->to.sun_path))
		return -EINVAL;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, address, length + 1);
	n->to_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
	if (address[0] == '@') {
		n->to.sun_path[0] = '\0';
		n->to_n--;
	}
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return n->fd < 0 ? -errno : 0;
}

/* What is meant for our parent, or for a program that has started us in passing, is not for us. */
static bool is_for_us(const char *variable, bool if_absent)
{
	uint64_t pid;

	if (!getenv(variable))
		return if_absent;
	return number_in(variable, INT32_MAX, &pid) && pid == (uint64_t)getpid();
}

static void take_watchdog(struct notify *n)
{
	uint64_t us;

	if (n->fd < 0 || !is_for_us("WATCHDOG_PID", true) ||
	    !number_in("WATCHDOG_USEC", INT32_MAX * (uint64_t)1000, &us) || us == 0)
		return;
	n->every = (int64_t)(us / 2000); /* half of it is in time, whatever comes between */
	if (n->every == 0)
		n->every = 1;
}

static void take_stored(struct notify *n)
{
	const char *names = getenv("LISTEN_FDNAMES");
	uint64_t count;

	if (!is_for_us("LISTEN_PID", false) || !number_in("LISTEN_FDS", NOTIFY_STORED, &count))
		return;
	n->stored = FIRST_STORED;
	n->stored_n = (int)count;
	for (int fd = FIRST_STORED; fd < FIRST_STORED + n->stored_n; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (names && strlen(names) < sizeof(n->names))
		memcpy(n->names, names, strlen(names) + 1);
	n->next_name = n->names;
}

int notify_begin(struct notify *n)
{
	static const char *const variables[] = {
		"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_PIDFDID",
		"LISTEN_FDS", "LISTEN_FDNAMES",
	};
	int err;

	memset(n, 0, sizeof(*n));
	n->fd = -1;
	err = take_address(n);
	take_watchdog(n);
	take_stored(n);
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	return err;
}

/* The names stand in one line, a:b:c, and may be fewer than the descriptors. */
static const char *next_name(struct notify *n)
{
	char *name = n->next_name, *end = strchr(name, ':');

	if (end)
		*end = '\0';
	n->next_name = end ? end + 1 : name + strlen(name);
	return name;
}

int notify_stored(struct notify *n, const char **name)
{
	while (n->stored_n > 0) {
		int fd = n->stored++;

		n->stored_n--;
		*name = next_name(n);
		if (fcntl(fd, F_GETFD) >= 0)
			return fd;
	}
	return -1;
}

/* Messages. */

static void put_descriptor(struct msghdr *m, void *room, socklen_t size, int fd)
{
	struct cmsghdr *c;

	memset(room, 0, size);
	m->msg_control = room;
	m->msg_controllen = size;
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

static void send_lines(struct notify *n, const char *lines, size_t length, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { (void *)(uintptr_t)lines, length };
	struct msghdr m = { .msg_name = &n->to, .msg_namelen = n->to_n, .msg_iov = &part,
			    .msg_iovlen = 1 };

	if (fd >= 0)
		put_descriptor(&m, control.room, sizeof(control.room), fd);
	if (sendmsg(n->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)length)
		n->lost++;
}

__attribute__((format(printf, 3, 4)))
static void tell(struct notify *n, int fd, const char *format, ...)
{
	char lines[MESSAGE];
	va_list args;
	int length;

	if (n->fd < 0)
		return;
	va_start(args, format);
	length = vsnprintf(lines, sizeof(lines), format, args);
	va_end(args);
	if (length < 0)
		return;
	/* What is too long can only be a status, and ends sooner. */
	send_lines(n, lines, (size_t)length < sizeof(lines) ? (size_t)length : sizeof(lines) - 1, fd);
}

/* A line's end in it would begin another assignment. */
static const char *one_line(const char *status)
{
	static char line[MESSAGE - 128];
	size_t n = strlen(status);

	if (n >= sizeof(line))
		n = sizeof(line) - 1;
	for (size_t i = 0; i < n; i++)
		line[i] = status[i] == '\n' ? ' ' : status[i];
	line[n] = '\0';
	return line;
}

void notify_ready(struct notify *n, const char *status)
{
	tell(n, -1, "READY=1\nMAINPID=%ld\nSTATUS=%s", (long)getpid(), one_line(status));
}

void notify_status(struct notify *n, const char *status)
{
	tell(n, -1, "STATUS=%s", one_line(status));
}

/* The time tells the reply to one request from that to the next; systemd 253 wants it. */
void notify_reloading(struct notify *n, const char *status)
{
	struct timespec now = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	tell(n, -1, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=%s",
	     (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u, one_line(status));
}

void notify_stopping(struct notify *n)
{
	tell(n, -1, "STOPPING=1\nSTATUS=leaving in good order");
}

int notify_alive(struct notify *n, int64_t now, bool healthy)
{
	if (n->every == 0)
		return -1;
	if (healthy && now >= n->at) {
		tell(n, -1, "WATCHDOG=1");
		n->at = now + n->every;
	}
	return (int)(n->at > now ? n->at - now : n->every);
}

/* A ':' in it would part two names. */
static const char *plain_name(const char *name, char room[NOTIFY_NAME + 1])
{
	size_t n = strlen(name);

	if (n > NOTIFY_NAME)
		n = NOTIFY_NAME;
	for (size_t i = 0; i < n; i++)
		room[i] = name[i] <= ' ' || name[i] == ':' || name[i] >= 0x7f ? '_' : name[i];
	room[n] = '\0';
	return room;
}

/*
 * FDPOLL=0: or systemd lets go of it as soon as poll(2) tells of an error, and a netlink socket
 * tells of one whenever it was full.
 */
void notify_store(struct notify *n, const char *name, int fd)
{
	char room[NOTIFY_NAME + 1];

	tell(n, fd, "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", plain_name(name, room));
}

void notify_forget(struct notify *n, const char *name)
{
	char room[NOTIFY_NAME + 1];

	tell(n, -1, "FDSTOREREMOVE=1\nFDNAME=%s", plain_name(name, room));
}
