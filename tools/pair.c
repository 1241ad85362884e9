/* SPDX-License-Identifier: MIT */
/*
 * pair.c - between guardian and keeper: a pair of sockets, one byte a message, and beside some of
 * them descriptors. They come all together or not at all: of a message that was cut, because
 * whoever gets it may not have so many open, what did come is closed.
 *
 *     guardian <== 'w' ==================== keeper      another worker, please
 *     guardian === 'w' + [ in | out ] ====> keeper      the channel to it
 *
 * Neither side ever waits for the other to read.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "roles.h"

union pair_control {
	struct cmsghdr header;
	char room[CMSG_SPACE(PAIR_FDS * sizeof(int))];
};

int pair_open(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
}

int pair_say(int end, char word, const int *fds, size_t n)
{
	union pair_control control;
	const size_t bytes = n * sizeof(int);
	struct iovec part = { &word, 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };

	if (n > 0) { /* libcs differ in the types of the lengths */
		memset(&control, 0, sizeof(control));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = (socklen_t)CMSG_LEN(bytes);
		memcpy(CMSG_DATA(&control.header), fds, bytes);
		m.msg_control = control.room;
		m.msg_controllen = (socklen_t)CMSG_SPACE(bytes);
	}
	return sendmsg(end, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* How many came. */
static size_t take_descriptors(struct msghdr *m, int fds[PAIR_FDS])
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	size_t n;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len < CMSG_LEN(0))
		return 0;
	n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (n > PAIR_FDS)
		n = PAIR_FDS;
	memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	return n;
}

int pair_hear(int end, struct pair_heard *h)
{
	union pair_control control;
	struct iovec part = { &h->word, 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	ssize_t n;

	h->n = 0;
	n = recvmsg(end, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	h->n = take_descriptors(&m, h->fds);
	if (m.msg_flags & MSG_CTRUNC)
		pair_drop(h);
	return 1;
}

void pair_drop(struct pair_heard *h)
{
	while (h->n > 0)
		close(h->fds[--h->n]);
}
