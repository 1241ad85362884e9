/* SPDX-License-Identifier: MIT */
/*
 * ssdp.c - fuzz target: what UPnP makes of a payload, over UDP and TCP, from either side, over IPv4
 * and IPv6. A packet may want one answer, or calls to its own sender; never both, and no state.
 */
#include <sys/socket.h>
#include "decided.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void look(struct cth_view *v)
{
	struct cth_decision d;

	for (unsigned i = 0; i < 8; i++) {
		v->reply = i & 1;
		v->l4 = i & 2 ? 6 : 17;
		v->allow = i & 4 ? CTH_ALLOW_LOW_PORTS : 0;
		decided(&cth_proto_ssdp, v, &d);
		if (d.drop || d.leave || d.state_changed || (v->reply && v->l4 == 6 && d.wanted_n))
			abort();
		for (unsigned w = 0; w < d.wanted_n; w++)
			if (d.wanted[w].dest == CTH_TO_SELF ? v->l4 == 6 || d.wanted_n > 1 || d.announced_n :
			    d.wanted[w].l4 != 6 || d.announced_n != d.wanted_n)
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cth_view v = {
		.first = true, .self = { AF_INET, { 10, 0, 1, 2 } }, .self_public = { AF_INET, { 10, 0, 1, 2 } },
		.peer = { AF_INET, { 239, 255, 255, 250 } }, .self_port = 2000, .peer_port = 1900,
	};

	if (n == 0)
		return 0;
	v.body = cth_span(data, n);
	look(&v);
	v.self.family = v.self_public.family = v.peer.family = AF_INET6;
	look(&v);
	return 0;
}
