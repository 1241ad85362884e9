/* SPDX-License-Identifier: MIT */
/*
 * live.h - what the tests on the running kernel share: two UDP sockets with a queue between
 * them, and what the kernel tells of that queue. test/live/run says which rules there are.
 *
 *     tx --- OUTPUT --- queue 10 --- cth_queue --- lo --- rx
 */
#ifndef TEST_LIVE_H
#define TEST_LIVE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../unit/unit.h"
#include "../../queue/queue.h"

/* A line of /proc/net/netfilter/nfnetlink_queue. */
struct proc {
	bool there;
	unsigned portid, depth, mode, range, dropped, user_dropped, last_id;
};

static inline struct proc proc(unsigned num)
{
	FILE *f = fopen("/proc/net/netfilter/nfnetlink_queue", "r");
	struct proc p = { .there = false };
	unsigned n;

	assert_non_null(f);
	while (fscanf(f, "%u %u %u %u %u %u %u %u %*u", &n, &p.portid, &p.depth, &p.mode, &p.range,
		      &p.dropped, &p.user_dropped, &p.last_id) == 8) {
		if (n == num) {
			p.there = true;
			break;
		}
	}
	fclose(f);
	return p;
}

/* Descriptors that teardown closes, however a test has ended. */
static int opened[16];
static size_t opens;

static inline int closed_later(int fd)
{
	assert_true(fd >= 0 && opens < N_OF(opened));
	opened[opens++] = fd;
	return fd;
}

static inline void close_all(void)
{
	while (opens > 0)
		close(opened[--opens]);
}

/* Two UDP sockets: what is sent on tx goes to rx's port. */
struct udp {
	int tx, rx;
};

static inline struct udp udp_open(int family, uint16_t port)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port),
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr *to = family == AF_INET ? (struct sockaddr *)&in4 : (struct sockaddr *)&in6;
	socklen_t n = family == AF_INET ? sizeof(in4) : sizeof(in6);
	struct udp u = { closed_later(socket(family, SOCK_DGRAM, 0)),
			 closed_later(socket(family, SOCK_DGRAM, 0)) };
	int much = 4 << 20;

	assert_int_equal(bind(u.rx, to, n), 0);
	assert_int_equal(connect(u.tx, to, n), 0);
	setsockopt(u.rx, SOL_SOCKET, SO_RCVBUFFORCE, &much, sizeof(much));
	setsockopt(u.tx, SOL_SOCKET, SO_SNDBUFFORCE, &much, sizeof(much));
	return u;
}

static inline void say(struct udp u, const char *text)
{
	assert_int_equal(send(u.tx, text, strlen(text), 0), strlen(text));
}

static inline void say_many(struct udp u, size_t n)
{
	while (n-- > 0)
		say(u, "many");
}

/* What came next, or "" after a moment of nothing. */
static inline const char *heard(struct udp u)
{
	static char text[65536];
	struct pollfd p = { .fd = u.rx, .events = POLLIN };
	ssize_t n = 0;

	if (poll(&p, 1, 100) == 1)
		n = recv(u.rx, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[n > 0 ? n : 0] = 0;
	return text;
}

static inline size_t heard_all(struct udp u)
{
	size_t n = 0;

	while (heard(u)[0])
		n++;
	return n;
}

#endif
