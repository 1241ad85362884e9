/* SPDX-License-Identifier: MIT */
/*
 * tns.c - fuzz target: what the helper for SQL*Net makes of a segment, from either side, translated
 * or not, after any state. It is within the protocol's constants, and alike when asked twice.
 *
 *     byte 0: from which side, whether translated, what is allowed, family; 7 bytes of state; the
 *     segment, whose number is the one that the state has, or another
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include "decided.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cth_view v = { .l4 = IPPROTO_TCP, .self_port = 1521, .peer_port = 40000 };
	struct cth_decision d;

	if (n < 9)
		return 0;
	v.reply = data[0] & 1;
	v.rewrite = data[0] >> 1 & 1;
	v.allow = data[0] >> 2 & 3;
	v.self.family = data[0] >> 4 & 1 ? AF_INET6 : AF_INET;
	v.peer.family = v.self_public.family = v.self.family;
	memcpy(v.self.b, "\x0a\x00\x02\x02", 4);
	memcpy(v.state, data + 1, 7);
	v.seq = cth_be32(v.state) + (data[0] >> 5 & 1);
	v.body = cth_span(data + 8, n - 8);
	decided(&cth_proto_tns, &v, &d);
	if (d.wanted_n && (!v.reply || v.state[6] < 1 || v.state[6] > 3))
		abort();
	return 0;
}
