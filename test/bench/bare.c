/* SPDX-License-Identifier: MIT */
/*
 * bare.c - the floor: a consumer without any library, and without any care. It believes
 * every length, takes the id from the first attribute, where the kernel puts it, and looks at
 * nothing else. Batch 1 is recv and send; more is recvmmsg and one send, with a verdict for
 * each or, with ranges, one for all.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "consumer.h"

#define NFQA_CFG_F_GSO_BIT (1u << 2)

struct verdict {
	struct nlmsghdr h;
	struct nfgenmsg g;
	struct nlattr a;
	struct nfqnl_msg_verdict_hdr v;
};

struct config {
	struct nlmsghdr h;
	struct nfgenmsg g;
	struct nlattr cmd_a;
	struct nfqnl_msg_config_cmd cmd;
	struct nlattr params_a;
	struct nfqnl_msg_config_params params;
	uint8_t pad[3];
	struct nlattr len_a;
	uint32_t len;
	struct nlattr mask_a;
	uint32_t mask;
	struct nlattr flags_a;
	uint32_t flags;
} __attribute__((packed));

static struct nlattr attribute(uint16_t type, size_t n)
{
	struct nlattr a = { .nla_len = (uint16_t)(sizeof(a) + n), .nla_type = type };

	return a;
}

static void set_up(int fd, const struct bench *b)
{
	int on = 1, room = BENCH_RCVBUF;
	struct config c;
	char answer[256];
	struct nlmsgerr *e = (struct nlmsgerr *)(answer + sizeof(struct nlmsghdr));

	memset(&c, 0, sizeof(c));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	c.h.nlmsg_len = sizeof(c);
	c.h.nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG;
	c.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	c.g.res_id = htons(b->queue);
	c.cmd_a = attribute(NFQA_CFG_CMD, sizeof(c.cmd));
	c.cmd.command = NFQNL_CFG_CMD_BIND;
	c.params_a = attribute(NFQA_CFG_PARAMS, sizeof(c.params));
	c.params.copy_range = htonl(b->range);
	c.params.copy_mode = NFQNL_COPY_PACKET;
	c.len_a = attribute(NFQA_CFG_QUEUE_MAXLEN, 4);
	c.len = htonl(BENCH_MAXLEN);
	c.mask_a = attribute(NFQA_CFG_MASK, 4);
	c.mask = c.flags = htonl(b->gso ? NFQA_CFG_F_GSO_BIT : 0);
	c.flags_a = attribute(NFQA_CFG_FLAGS, 4);
	if (send(fd, &c, sizeof(c), 0) < 0 || recv(fd, answer, sizeof(answer), 0) < 0)
		bench_die("bind");
	errno = -e->error;
	if (errno)
		bench_die("bind");
}

static uint32_t id_of(const char *datagram)
{
	const struct nfqnl_msg_packet_hdr *p = (const void *)(datagram + sizeof(struct nlmsghdr) +
		sizeof(struct nfgenmsg) + sizeof(struct nlattr));

	return p->packet_id;
}

static void verdict(struct verdict *v, uint16_t type, uint16_t queue, uint32_t id)
{
	memset(v, 0, sizeof(*v));
	v->h.nlmsg_len = sizeof(*v);
	v->h.nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type);
	v->h.nlmsg_flags = NLM_F_REQUEST;
	v->g.res_id = htons(queue);
	v->a = attribute(NFQA_VERDICT_HDR, sizeof(v->v));
	v->v.verdict = htonl(1);
	v->v.id = id;
}

static void one_by_one(int fd, const struct bench *b, char *room, size_t each)
{
	struct verdict v;

	while (!bench_stop) {
		if (recv(fd, room, each, 0) < 0)
			continue;
		verdict(&v, NFQNL_MSG_VERDICT, b->queue, id_of(room));
		if (send(fd, &v, sizeof(v), 0) < 0)
			bench_die("send");
		bench_decided(1);
	}
}

static void many(int fd, const struct bench *b, char *room, size_t each)
{
	static struct mmsghdr m[BENCH_BATCH_MAX];
	static struct iovec iov[BENCH_BATCH_MAX];
	static struct verdict v[BENCH_BATCH_MAX];
	int n;

	for (size_t i = 0; i < b->batch; i++) {
		iov[i].iov_base = room + i * each;
		iov[i].iov_len = each;
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	while (!bench_stop) {
		n = recvmmsg(fd, m, (unsigned)b->batch, MSG_WAITFORONE, NULL);
		if (n <= 0)
			continue;
		if (b->ranges)
			verdict(v, NFQNL_MSG_VERDICT_BATCH, b->queue, id_of(room + (size_t)(n - 1) * each));
		for (int i = 0; i < n && !b->ranges; i++)
			verdict(&v[i], NFQNL_MSG_VERDICT, b->queue, id_of(room + (size_t)i * each));
		if (send(fd, v, sizeof(*v) * (size_t)(b->ranges ? 1 : n), 0) < 0)
			bench_die("send");
		bench_decided((size_t)n);
	}
}

void consume(const struct bench *b)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	size_t each = b->range + BENCH_ROOM;
	char *room = malloc(b->batch * each);

	if (fd < 0 || !room)
		bench_die("socket");
	set_up(fd, b);
	bench_ready();
	if (b->batch == 1)
		one_by_one(fd, b, room, each);
	else
		many(fd, b, room, each);
}
