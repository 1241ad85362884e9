/* SPDX-License-Identifier: MIT */
/*
 * dhcpv6.c - fuzz target: what DHCPv6 makes of a payload, from either side, to all servers and to
 * one. It may want one flow, for a client's question to all, and has the flow live then.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include "decided.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void asked(const struct cth_view *v, bool may)
{
	struct cth_decision d;

	decided(&cth_proto_dhcpv6, v, &d);
	if (d.drop || d.leave || d.state_changed || d.announced_n || d.wanted_n > 1)
		abort();
	if (d.wanted_n != (d.timeout != 0) || (d.wanted_n && (!may || d.notes || v->body.n < 4)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cth_view v = {
		.l4 = IPPROTO_UDP, .first = true, .self_port = 546, .peer_port = 547,
		.self = { AF_INET6, { 0xfe, 0x80, [15] = 2 } },
		.self_public = { AF_INET6, { 0xfe, 0x80, [15] = 2 } },
		.peer = { AF_INET6, { 0xff, 2, [13] = 1, [15] = 2 } },
	};

	if (n == 0)
		return 0;
	v.body = cth_span(data, n);
	asked(&v, true);
	v.reply = true;
	asked(&v, false);
	v.reply = false;
	v.peer.b[15] = 1;
	asked(&v, false);
	return 0;
}
