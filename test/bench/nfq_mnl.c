/* SPDX-License-Identifier: MIT */
/* nfq_mnl.c - a consumer with libmnl and libnetfilter_queue's nfq_nlmsg_*. */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include "consumer.h"

static struct mnl_socket *nl;

static void put(struct nlmsghdr *h, const char *what)
{
	if (mnl_socket_sendto(nl, h, h->nlmsg_len) < 0)
		bench_die(what);
}

static int see(const struct nlmsghdr *m, void *ctx)
{
	struct nlattr *attr[NFQA_MAX + 1] = { NULL };
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(m);
	const struct nfqnl_msg_packet_hdr *p;
	char out[256];
	struct nlmsghdr *h;

	(void)ctx;
	if (nfq_nlmsg_parse(m, attr) < 0 || !attr[NFQA_PACKET_HDR])
		return MNL_CB_ERROR;
	p = mnl_attr_get_payload(attr[NFQA_PACKET_HDR]);
	bench_bytes += mnl_attr_get_payload_len(attr[NFQA_PAYLOAD]);
	h = nfq_nlmsg_put(out, NFQNL_MSG_VERDICT, ntohs(g->res_id));
	nfq_nlmsg_verdict_put(h, (int)ntohl(p->packet_id), NF_ACCEPT);
	put(h, "verdict");
	return MNL_CB_OK;
}

static void set_up(const struct bench *b)
{
	int on = 1, room = BENCH_RCVBUF;
	char buf[512];
	struct nlmsghdr *h = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, b->queue);

	mnl_socket_setsockopt(nl, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	nfq_nlmsg_cfg_put_cmd(h, AF_INET, NFQNL_CFG_CMD_BIND);
	put(h, "bind");
	h = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, b->queue);
	nfq_nlmsg_cfg_put_params(h, NFQNL_COPY_PACKET, (int)b->range);
	nfq_nlmsg_cfg_put_qmaxlen(h, BENCH_MAXLEN);
	mnl_attr_put_u32(h, NFQA_CFG_FLAGS, htonl(b->gso ? NFQA_CFG_F_GSO : 0));
	mnl_attr_put_u32(h, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO));
	put(h, "parameters");
}

void consume(const struct bench *b)
{
	size_t cap = b->range + BENCH_ROOM;
	char *buf = malloc(cap);

	nl = mnl_socket_open(NETLINK_NETFILTER);
	if (!nl || !buf || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		bench_die("open");
	set_up(b);
	bench_ready();
	while (!bench_stop) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, cap);

		if (n < 0)
			continue;
		if (mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(nl), see, NULL) < 0)
			bench_die("callback");
		bench_decided(1);
	}
}
