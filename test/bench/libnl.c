/* SPDX-License-Identifier: MIT */
/* libnl.c - a consumer with libnl's queue messages, without its wait for an ACK of each. */
#include <stdlib.h>
#include <sys/socket.h>
#include <netlink/netlink.h>
#include <netlink/msg.h>
#include <netlink/netfilter/queue.h>
#include <netlink/netfilter/queue_msg.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include "consumer.h"

static struct nl_sock *nl;

static int see(struct nl_msg *m, void *ctx)
{
	struct nfnl_queue_msg *q;
	struct nl_msg *verdict;
	int n = 0;

	(void)ctx;
	if (nlmsg_hdr(m)->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
		return NL_OK;
	if (nfnlmsg_queue_msg_parse(nlmsg_hdr(m), &q) < 0)
		return NL_STOP;
	if (nfnl_queue_msg_get_payload(q, &n))
		bench_bytes += (uint64_t)n;
	nfnl_queue_msg_set_verdict(q, NF_ACCEPT);
	verdict = nfnl_queue_msg_build_verdict(q);
	if (!verdict || nl_send_auto(nl, verdict) < 0)
		bench_die("verdict");
	nlmsg_free(verdict);
	nfnl_queue_msg_put(q);
	bench_decided(1);
	return NL_OK;
}

void consume(const struct bench *b)
{
	int on = 1, room = BENCH_RCVBUF;
	struct nfnl_queue *q = nfnl_queue_alloc();

	nl = nfnl_queue_socket_alloc();
	if (!nl || !q || nl_connect(nl, NETLINK_NETFILTER) < 0)
		bench_die("open");
	setsockopt(nl_socket_get_fd(nl), SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	setsockopt(nl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	nfnl_queue_set_group(q, b->queue);
	nfnl_queue_set_copy_mode(q, NFNL_QUEUE_COPY_PACKET);
	nfnl_queue_set_copy_range(q, b->range);
	nfnl_queue_set_maxlen(q, BENCH_MAXLEN);
	if (nfnl_queue_create(nl, q) < 0)
		bench_die("bind");
	nl_socket_disable_seq_check(nl);
	nl_socket_disable_auto_ack(nl);
	nl_socket_set_msg_buf_size(nl, b->range + BENCH_ROOM);
	nl_socket_modify_cb(nl, NL_CB_VALID, NL_CB_CUSTOM, see, NULL);
	bench_ready();
	while (!bench_stop)
		nl_recvmsgs_default(nl);
}
