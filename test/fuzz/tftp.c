/* SPDX-License-Identifier: MIT */
/*
 * tftp.c - fuzz target: what TFTP makes of a payload, from either side. It may want one flow,
 * within its constants, and only for a request of the client's; and alike when asked twice.
 */
#include <stdlib.h>
#include "../../cthelper/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void decided(const struct cth_view *v)
{
	struct cth_decision d, again;

	cth_decide(&cth_proto_tftp, v, &d);
	cth_decide(&cth_proto_tftp, v, &again);
	if (memcmp(&d, &again, sizeof(d)) != 0)
		abort();
	if (d.drop || d.leave || d.state_changed || d.announced_n || d.wanted_n > 1)
		abort();
	if (d.wanted_n && (v->reply || v->body.n < 6 || v->body.p[0] || d.notes ||
			   d.wanted[0].source != CTH_FROM_PEER || d.wanted[0].dest != CTH_TO_SELF))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cth_view v = { .l4 = 17, .first = true, .self_port = 2000, .peer_port = 69 };

	if (n == 0)
		return 0;
	v.body = cth_span(data, n);
	decided(&v);
	v.reply = true;
	decided(&v);
	return 0;
}
