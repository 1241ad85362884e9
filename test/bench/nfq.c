/* SPDX-License-Identifier: MIT */
/*
 * nfq.c - a consumer with libnetfilter_queue's callback API. With -x it is set as the
 * library's own example is: 4 KiB of buffer, the queue's defaults, uid and gid asked for.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include "consumer.h"

static int see(struct nfq_q_handle *q, struct nfgenmsg *g, struct nfq_data *d, void *ctx)
{
	struct nfqnl_msg_packet_hdr *h = nfq_get_msg_packet_hdr(d);
	unsigned char *payload;
	int n = nfq_get_payload(d, &payload);

	(void)g, (void)ctx;
	if (n > 0)
		bench_bytes += (uint64_t)n;
	return nfq_set_verdict(q, h ? ntohl(h->packet_id) : 0, NF_ACCEPT, 0, NULL);
}

static void tune(struct nfq_handle *h, struct nfq_q_handle *q, const struct bench *b)
{
	int on = 1, room = BENCH_RCVBUF;

	setsockopt(nfq_fd(h), SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	setsockopt(nfq_fd(h), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (nfq_set_queue_maxlen(q, BENCH_MAXLEN) < 0)
		bench_die("maxlen");
	if (b->gso && nfq_set_queue_flags(q, NFQA_CFG_F_GSO, NFQA_CFG_F_GSO) < 0)
		bench_die("F_GSO");
}

void consume(const struct bench *b)
{
	size_t cap = b->example ? 4096 : b->range + BENCH_ROOM;
	struct nfq_handle *h = nfq_open();
	struct nfq_q_handle *q = h ? nfq_create_queue(h, b->queue, see, NULL) : NULL;
	char *buf = malloc(cap);

	if (!q || !buf)
		bench_die("open");
	if (nfq_set_mode(q, NFQNL_COPY_PACKET, b->example ? 0xffff : b->range) < 0)
		bench_die("mode");
	if (b->example)
		nfq_set_queue_flags(q, NFQA_CFG_F_UID_GID, NFQA_CFG_F_UID_GID);
	else
		tune(h, q, b);
	bench_ready();
	while (!bench_stop) {
		ssize_t n = recv(nfq_fd(h), buf, cap, 0);

		if (n < 0)
			continue;
		nfq_handle_packet(h, buf, (int)n);
		bench_decided(1);
	}
}
