/* SPDX-License-Identifier: MIT */
/*
 * pkt.c - fuzz target: a queued packet's message, the headers in its payload, and an
 * edit of what the transport carries.
 */
#include <stdlib.h>
#include "../../queue/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static volatile uint32_t sum;

static void read_all(struct cth_span s)
{
	for (size_t i = 0; i < s.n; i++)
		sum += s.p[i];
}

static void edit(const struct cth_pkt *p, const struct cth_ip *ip)
{
	static struct cth_edited out;
	struct cth_edit e = { 0 };
	const char *why = NULL;
	size_t half = ip->body_len / 2, total = 0;

	cth_edit_cut(&e, 0, half ? 1 : 0, "abc", half % 4);
	cth_edit_cut(&e, half, ip->body_len - half, "0123456789", ip->body_len % 11);
	if (ip->body_len > 8)
		cth_edit_length_at(&e, half > 4 ? 2 : 1, 2);
	if (cth_edit_apply(&e, p, &out, &why) < 0) {
		if (!why)
			abort();
		return;
	}
	for (size_t i = 0; i < out.parts; i++) {
		read_all(cth_span(out.part[i].iov_base, out.part[i].iov_len));
		total += out.part[i].iov_len;
	}
	if (total != out.n || out.n > 65531)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cth_span d = cth_span(data, n);
	struct cth_nlmsg m;
	struct cth_pkt p;
	struct cth_ip ip;

	while (cth_nlmsg_next(&d, &m) > 0) {
		if (cth_pkt_parse(&p, &m) < 0)
			continue;
		read_all(p.payload);
		read_all(p.ct);
		read_all(p.secctx);
		read_all(p.l2hdr);
		if (p.hw_len > sizeof(p.hw_addr))
			abort();
		if (!p.payload.p || cth_ip_find(&ip, p.payload) < 0)
			continue;
		if (ip.body && (ip.body > p.payload.n || ip.body_len > p.payload.n - ip.body))
			abort();
		edit(&p, &ip);
	}
	return 0;
}
