/* SPDX-License-Identifier: MIT */
/*
 * rpc.c - fuzz target: a conversation with rpcbind, over UDP or TCP, translated or not. The input
 * is an option byte, the flow's state, and packets: a byte for the side, two for the length, one
 * for how far the number goes back, and so much of the rest. Nothing may be wanted but what the
 * protocol's constants allow, and nothing for what the client sends.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include "decided.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct cth_addr server = { AF_INET, { 10, 0, 2, 2 } };
static const struct cth_addr client = { AF_INET, { 10, 0, 1, 2 } };

static void packet(struct cth_view *v, uint32_t seq[2])
{
	struct cth_decision d;

	v->self = v->self_public = v->reply ? server : client;
	v->peer = v->reply ? client : server;
	v->seq = seq[v->reply];
	v->ack = seq[!v->reply];
	decided(&cth_proto_rpc, v, &d);
	if (!v->reply && (d.wanted_n || d.announced_n))
		abort();
	if (d.announced_n != (v->rewrite ? d.wanted_n : 0))
		abort();
	memcpy(v->state, d.state, sizeof(v->state));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cth_view v = { 0 };
	uint32_t seq[2] = { 0x7ffffff0u, 0xfffffff0u };

	if (n < 1 + CTH_STATE)
		return 0;
	v.l4 = data[0] & 1 ? IPPROTO_TCP : IPPROTO_UDP;
	v.rewrite = data[0] & 2;
	v.allow = data[0] & 4 ? CTH_ALLOW_LOW_PORTS : 0;
	if (data[0] & 8)
		memcpy(v.state, data + 1, CTH_STATE);
	data += 1 + CTH_STATE;
	n -= 1 + CTH_STATE;
	while (n > 4) {
		size_t len = cth_be16(data + 1);

		v.reply = data[0] & 1;
		seq[v.reply] -= data[3];
		data += 4;
		n -= 4;
		if (len > n || len == 0)
			len = n;
		v.body = cth_span(data, len);
		packet(&v, seq);
		seq[v.reply] += (uint32_t)len;
		data += len;
		n -= len;
	}
	return 0;
}
