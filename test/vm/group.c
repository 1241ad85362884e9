/* SPDX-License-Identifier: MIT */
/*
 * group.c - who asks a group and is answered by its members one by one: a question of Multicast DNS
 * (RFC 6762, part 5.1) or of the Service Location Protocol (RFC 2608, part 6.3), an agent of the
 * latter, and somebody who only hears what the group is told.
 *
 *     group [-i INTERFACE] [-p PORT] [-t SECONDS] [-n ANSWERS] ask mdns|slp ADDRESS NAME
 *     group [-i INTERFACE] [-d DEAF] answer slp ADDRESS NAME URL
 *     group [-i INTERFACE] hear ADDRESS PORT
 *
 * ask: NAME is a host, or a service's type. From PORT, or any. A line for each that answers, with
 * his address, until there are ANSWERS, 1 if not told, within SECONDS, 3 if not told. A request of
 * SLP is sent again after two seconds, and then four, with those who have answered in it.
 * With -n 0 it asks, and that is all. Exit 0: so many have answered, else stderr tells how many.
 *
 * answer: from port 427, to a request to many for NAME that does not name us; the first DEAF of
 * them are not heard. hear: a line for each packet, with its sender. Both say "ready" first.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MDNS_PORT 5353
#define SLP_PORT  427

static const char *interface = "eth0";
static unsigned own_port, wanted = 1, deaf;
static int patience = 3000; /* ms */

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(1);
}

/* ---- sockets ---- */

static struct sockaddr_storage address(const char *name, unsigned port, socklen_t *n)
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;

	if (inet_pton(AF_INET, name, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		*n = sizeof(*v4);
	} else if (inet_pton(AF_INET6, name, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		v6->sin6_scope_id = if_nametoindex(interface);
		*n = sizeof(*v6);
	} else {
		die("%s is no address", name);
	}
	return a;
}

static const char *text_of(const struct sockaddr_storage *a)
{
	static char text[INET6_ADDRSTRLEN];
	const void *bytes = a->ss_family == AF_INET ?
			    (const void *)&((const struct sockaddr_in *)a)->sin_addr :
			    (const void *)&((const struct sockaddr_in6 *)a)->sin6_addr;

	return inet_ntop(a->ss_family, bytes, text, sizeof(text));
}

static unsigned port_of(const struct sockaddr_storage *a)
{
	return ntohs(a->ss_family == AF_INET ? ((const struct sockaddr_in *)a)->sin_port :
		     ((const struct sockaddr_in6 *)a)->sin6_port);
}

/* At this port, 0 for any, of every address, on that one interface. */
static int datagrams(int family, unsigned port)
{
	socklen_t n;
	struct sockaddr_storage any = address(family == AF_INET ? "0.0.0.0" : "::", port, &n);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;

	((struct sockaddr_in6 *)&any)->sin6_scope_id = 0; /* where IPv4 has nothing */
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
		die("IPV6_V6ONLY: %s", strerror(errno));
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, n) < 0)
		die("a socket at port %u: %s", port, strerror(errno));
	return fd;
}

static void join(int fd, const struct sockaddr_storage *group)
{
	struct group_req g = { .gr_interface = if_nametoindex(interface), .gr_group = *group };
	int level = group->ss_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;

	if (setsockopt(fd, level, MCAST_JOIN_GROUP, &g, sizeof(g)) < 0)
		die("join %s: %s", text_of(group), strerror(errno));
}

static void tell(int fd, const uint8_t *p, size_t n, const struct sockaddr_storage *to, socklen_t len)
{
	if (sendto(fd, p, n, 0, (const struct sockaddr *)to, len) != (ssize_t)n)
		die("send to %s: %s", text_of(to), strerror(errno));
}

/* Bytes of the next packet; 0: none for so long. */
static size_t next(int fd, uint8_t *p, size_t room, struct sockaddr_storage *from, int ms)
{
	struct pollfd f = { .fd = fd, .events = POLLIN };
	socklen_t n = sizeof(*from);
	ssize_t got;

	if (poll(&f, 1, ms) <= 0)
		return 0;
	got = recvfrom(fd, p, room, 0, (struct sockaddr *)from, &n);
	if (got < 0)
		die("receive: %s", strerror(errno));
	return (size_t)got;
}

static int now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

/* ---- messages ---- */

struct message {
	uint8_t p[1400];
	size_t n;
};

static void put(struct message *m, const void *p, size_t n)
{
	if (n > sizeof(m->p) - m->n)
		die("a message that is too long");
	memcpy(m->p + m->n, p, n);
	m->n += n;
}

static void put16(struct message *m, unsigned v)
{
	put(m, (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

static unsigned get16(const struct message *m, size_t at)
{
	return at + 2 <= m->n ? (unsigned)m->p[at] << 8 | m->p[at + 1] : 0;
}

static void mdns_query(struct message *m, unsigned id, const char *name)
{
	static const unsigned one_question[] = { 0, 1, 0, 0, 0 };

	m->n = 0;
	put16(m, id);
	for (size_t i = 0; i < 5; i++)
		put16(m, one_question[i]);
	while (*name) {
		size_t n = strcspn(name, ".");

		put(m, (uint8_t[]){ (uint8_t)n }, 1);
		put(m, name, n);
		name += n + (name[n] == '.');
	}
	put(m, "", 1);
	put16(m, 255); /* any type, */
	put16(m, 1);   /* of the Internet */
}

static bool mdns_is_answer(const struct message *m, unsigned id)
{
	return m->n > 12 && get16(m, 0) == id && m->p[2] & 0x80 && get16(m, 6) > 0;
}

static void slp_string(struct message *m, const char *text)
{
	put16(m, (unsigned)strlen(text));
	put(m, text, strlen(text));
}

static void slp_header(struct message *m, uint8_t function, unsigned flags, unsigned id)
{
	m->n = 0;
	put(m, (uint8_t[]){ 2, function, 0, 0, 0 }, 5);
	put16(m, flags);
	put(m, "\0\0", 3);
	put16(m, id);
	slp_string(m, "en");
}

static void slp_end(struct message *m)
{
	m->p[3] = (uint8_t)(m->n >> 8);
	m->p[4] = (uint8_t)m->n;
}

static void slp_request(struct message *m, unsigned id, const char *type, const char *answered)
{
	slp_header(m, 1, 0x2000, id);
	slp_string(m, answered);
	slp_string(m, type);
	slp_string(m, "DEFAULT");
	slp_string(m, "");
	slp_string(m, "");
	slp_end(m);
}

static void slp_reply(struct message *m, unsigned id, const char *url)
{
	slp_header(m, 2, 0, id);
	put16(m, 0); /* no error, */
	put16(m, 1); /* one URL, */
	put(m, "", 1);
	put16(m, 60); /* for a minute, */
	slp_string(m, url);
	put(m, "", 1); /* that nobody has signed */
	slp_end(m);
}

static bool slp_is_reply(const struct message *m, unsigned id)
{
	return m->n > 20 && m->p[0] == 2 && m->p[1] == 2 && get16(m, 3) == m->n &&
	       get16(m, 10) == id && get16(m, 16) == 0 && get16(m, 18) > 0;
}

/* The n-th string behind the header, from 0, language and all. */
static const char *slp_text(const struct message *m, unsigned n)
{
	static char text[1400];
	size_t at = 12;

	for (; n > 0 && at + 2 <= m->n; n--)
		at += 2 + get16(m, at);
	if (at + 2 > m->n || get16(m, at) > m->n - at - 2)
		return "";
	memcpy(text, m->p + at + 2, get16(m, at));
	text[get16(m, at)] = 0;
	return text;
}

/* ---- the three ---- */

static int ask(bool slp, const char *group, const char *name)
{
	unsigned id = (unsigned)getpid() & 0xffff, n = 0;
	socklen_t len;
	struct sockaddr_storage to = address(group, slp ? SLP_PORT : MDNS_PORT, &len), from;
	int fd = datagrams(to.ss_family, own_port), end = now() + patience, again = now(), wait = 2000;
	char answered[1024] = "";
	struct message m;

	do {
		if (again <= now()) {
			if (slp)
				slp_request(&m, id, name, answered);
			else
				mdns_query(&m, id, name);
			tell(fd, m.p, m.n, &to, len);
			again = slp ? now() + wait : end;
			wait *= 2;
		}
		if (n == wanted)
			break;
		m.n = next(fd, m.p, sizeof(m.p), &from, (again < end ? again : end) - now());
		if (m.n == 0 || !(slp ? slp_is_reply(&m, id) : mdns_is_answer(&m, id)))
			continue;
		n++;
		printf("%s port %u\n", text_of(&from), port_of(&from));
		fflush(stdout);
		snprintf(answered + strlen(answered), sizeof(answered) - strlen(answered), "%s%s",
			 *answered ? "," : "", text_of(&from));
	} while (n < wanted && now() < end);
	if (n < wanted)
		fprintf(stderr, "timed out: %u answers of %u\n", n, wanted);
	return n < wanted;
}

static bool slp_is_ours(const struct message *m, const char *type, const char *own)
{
	return m->n > 16 && m->p[0] == 2 && m->p[1] == 1 && m->p[5] & 0x20 && get16(m, 3) == m->n &&
	       !strstr(slp_text(m, 1), own) && strcmp(slp_text(m, 2), type) == 0;
}

/* As what the other side sees us. */
static const char *own_text(const struct sockaddr_storage *peer)
{
	static char text[INET6_ADDRSTRLEN];
	struct sockaddr_storage own = { 0 };
	socklen_t n = sizeof(own);
	int fd = datagrams(peer->ss_family, 0);

	if (connect(fd, (const struct sockaddr *)peer, sizeof(*peer)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&own, &n) < 0)
		die("connect to %s: %s", text_of(peer), strerror(errno));
	close(fd);
	return strcpy(text, text_of(&own));
}

__attribute__((noreturn)) static void answer(const char *group, const char *type, const char *url)
{
	socklen_t len;
	struct sockaddr_storage to = address(group, SLP_PORT, &len), from;
	int fd = datagrams(to.ss_family, SLP_PORT);
	struct message m;

	join(fd, &to);
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		m.n = next(fd, m.p, sizeof(m.p), &from, -1);
		if (!slp_is_ours(&m, type, own_text(&from)))
			continue;
		if (deaf > 0) {
			deaf--;
			continue;
		}
		slp_reply(&m, get16(&m, 10), url);
		tell(fd, m.p, m.n, &from, len);
	}
}

__attribute__((noreturn)) static void hear(const char *group, unsigned port)
{
	socklen_t len;
	struct sockaddr_storage to = address(group, port, &len), from;
	int fd = datagrams(to.ss_family, port);
	struct message m;

	join(fd, &to);
	printf("ready\n");
	for (;;) {
		fflush(stdout);
		if (next(fd, m.p, sizeof(m.p), &from, -1) > 0)
			printf("%s port %u\n", text_of(&from), port_of(&from));
	}
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+i:p:t:n:d:")) >= 0)
		switch (c) {
		case 'i': interface = optarg; break;
		case 'p': own_port = (unsigned)atoi(optarg); break;
		case 't': patience = atoi(optarg) * 1000; break;
		case 'n': wanted = (unsigned)atoi(optarg); break;
		case 'd': deaf = (unsigned)atoi(optarg); break;
		default: return 2;
		}
	argc -= optind;
	argv += optind;
	if (argc == 4 && strcmp(argv[0], "ask") == 0)
		return ask(strcmp(argv[1], "slp") == 0, argv[2], argv[3]);
	if (argc == 5 && strcmp(argv[0], "answer") == 0)
		answer(argv[2], argv[3], argv[4]);
	if (argc == 3 && strcmp(argv[0], "hear") == 0)
		hear(argv[1], (unsigned)atoi(argv[2]));
	fprintf(stderr, "usage: group [-i INTERFACE] [-p PORT] [-t SECONDS] [-n ANSWERS] ask mdns|slp ADDRESS NAME\n"
		"       group [-i INTERFACE] [-d DEAF] answer slp ADDRESS NAME URL\n"
		"       group [-i INTERFACE] hear ADDRESS PORT\n");
	return 2;
}
