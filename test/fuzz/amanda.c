/* SPDX-License-Identifier: MIT */
/*
 * amanda.c - fuzz target: what Amanda's helper makes of a packet, from either side, translated or
 * not, after any state. It is within the protocol's constants, and alike when asked twice.
 *
 *     byte 0: from which side, whether translated, what is allowed; 12 bytes of state; the packet
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include "decided.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cth_view v = { .l4 = IPPROTO_UDP, .self_port = 10080, .peer_port = 851 };
	struct cth_decision d;

	if (n < 14)
		return 0;
	v.reply = data[0] & 1;
	v.rewrite = data[0] >> 1 & 1;
	v.allow = data[0] >> 2 & 3;
	v.self.family = v.peer.family = v.self_public.family = AF_INET;
	memcpy(v.state, data + 1, 12);
	v.body = cth_span(data + 13, n - 13);
	decided(&cth_proto_amanda, &v, &d);
	if (d.wanted_n && (!v.reply || d.timeout == 0 || d.leave))
		abort();
	return 0;
}
