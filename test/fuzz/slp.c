/* SPDX-License-Identifier: MIT */
/*
 * slp.c - fuzz target: what the Service Location Protocol makes of a payload to its group. It may
 * want one flow, from port 427, for nothing shorter than its header; from others than the group,
 * never.
 */
#include <sys/socket.h>
#include "decided.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cth_view v = { .l4 = 17, .first = true, .self_port = 2000, .peer_port = 427,
			      .self = { AF_INET, { 10, 0, 1, 1 } },
			      .peer = { AF_INET, { 239, 255, 255, 253 } } };
	struct cth_decision d;

	if (n == 0)
		return 0;
	v.body = cth_span(data, n);
	decided(&cth_proto_slp, &v, &d);
	if (d.wanted_n > 1 || (d.wanted_n && (n <= 12 || d.notes || d.wanted[0].source_port != 427)))
		abort();
	v.peer.b[0] = 10;
	v.peer.b[3] = 2;
	decided(&cth_proto_slp, &v, &d);
	if (d.wanted_n || d.notes)
		abort();
	return 0;
}
