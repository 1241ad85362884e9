/* SPDX-License-Identifier: MIT */
/*
 * channel.c - between keeper and worker: a pair of sockets that keep records apart.
 *
 *     keeper -- | id | protocol | view | body ... | --> worker
 *     keeper <-- | id | decision | ------------------- worker
 *
 * The worker greets, and then there is one question at a time. So what it says is the answer to
 * the last question or it is nothing: a record of another length, or with another id, is none.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#include "roles.h"

#define CHANNEL_BUFFER (2 * (CTH_PACKET_MAX + 1024)) /* the longest question, as the kernel counts */

static int channel_error(void)
{
	return errno == EAGAIN ? -ETIMEDOUT : -errno;
}

/* Waits for the answer to id. */
static int take_answer(int channel, uint32_t id, struct channel_answer *a)
{
	ssize_t n;

	do /* told how long it really was: a record that is cut would look like an answer */
		n = recv(channel, a, sizeof(*a), MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return channel_error();
	if (n == 0)
		return -ECONNRESET;
	return n == (ssize_t)sizeof(*a) && a->id == id ? 0 : -EPROTO;
}

int channel_ask(int channel, uint32_t id, uint32_t proto, const struct cth_view *v,
		struct cth_decision *d)
{
	struct channel_question q = { .id = id, .proto = proto, .view = *v };
	struct iovec parts[] = { { &q, sizeof(q) }, { (void *)v->body.p, v->body.n } };
	struct channel_answer a;
	ssize_t n;
	int r;

	q.view.body.p = NULL; /* not even the address */
	do
		n = writev(channel, parts, 2);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return channel_error();
	r = take_answer(channel, id, &a);
	if (r == 0)
		*d = a.decision;
	return r;
}

int channel_greet(int channel)
{
	struct channel_answer a;

	memset(&a, 0, sizeof(a));
	return channel_answer(channel, &a);
}

int channel_greeted(int channel, int timeout_ms)
{
	struct pollfd wait = { .fd = channel, .events = POLLIN };
	struct channel_answer a;
	int n;

	do
		n = poll(&wait, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n == 0 ? -ETIMEDOUT : -errno;
	return take_answer(channel, 0, &a);
}

int channel_next(int channel, struct channel_room *room)
{
	size_t n;
	ssize_t got;

	do
		got = read(channel, room, sizeof(*room));
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return got == 0 || errno == ECONNRESET ? 0 : -errno;
	n = (size_t)got;
	if (n < sizeof(room->question) || n - sizeof(room->question) != room->question.view.body.n)
		return -EPROTO;
	room->question.view.body.p = room->body;
	return 1;
}

int channel_answer(int channel, const struct channel_answer *answer)
{
	ssize_t n;

	do
		n = write(channel, answer, sizeof(*answer));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int channel_pair(int ends[2], unsigned deadline_ms)
{
	const struct timeval limit = { .tv_sec = deadline_ms / 1000,
				       .tv_usec = deadline_ms % 1000 * 1000 };
	int size = CHANNEL_BUFFER, error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	/* More than the system's usual maximum, which may be set low, takes CAP_NET_ADMIN. */
	if (setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
	    setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0)
		return 0;
	error = -errno;
	close(ends[0]);
	close(ends[1]);
	return error;
}
