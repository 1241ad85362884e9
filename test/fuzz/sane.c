/* SPDX-License-Identifier: MIT */
/*
 * sane.c - fuzz target: SANE's network protocol. The bytes are segments of both sides, in order or
 * not, after a state of anything:
 *
 *     | flags | state, 32 bytes | how | jump | length | bytes | how | jump | length | bytes | ...
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include "decided.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { FLAG_STATE = 1, FLAG_REWRITE = 2, FLAG_LOW = 4, FLAG_NO_PORT = 8 };
enum { HOW_REPLY = 1, HOW_BACK = 2 };

static uint8_t take(struct cth_span *d)
{
	uint8_t c = d->n ? *d->p : 0;

	*d = cth_span_sub(*d, d->n ? 1 : 0, d->n ? d->n - 1 : 0);
	return c;
}

/* What the engine would keep of it: the port that it chose. */
static void keep(struct cth_view *v, const struct cth_decision *d, uint8_t flags)
{
	memcpy(v->state, d->state, CTH_STATE);
	for (unsigned i = 0; v->rewrite && i < d->wanted_n; i++) {
		uint16_t port = d->wanted[i].public_port ? d->wanted[i].public_port : 4000;

		cth_store_be16(v->state + d->wanted[i].note_at, flags & FLAG_NO_PORT ? 0 : port);
	}
}

static void segment(struct cth_view *v, uint8_t flags)
{
	struct cth_decision d;

	decided(&cth_proto_sane, v, &d);
	if (d.drop || d.leave || d.wanted_n > 1 || d.announced_n > d.wanted_n)
		abort();
	if (d.wanted_n && (!v->reply || d.notes))
		abort();
	keep(v, &d, flags);
	if (!v->reply)
		return;
	decided(&cth_proto_sane, v, &d); /* once more, as it is sent again: nothing changes */
	keep(v, &d, flags);
	if (d.state_changed)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cth_span d = cth_span(data, n);
	uint8_t flags = take(&d);
	struct cth_view v = { .l4 = IPPROTO_TCP, .rewrite = flags & FLAG_REWRITE };
	uint32_t seq[2];

	v.allow = flags & FLAG_LOW ? CTH_ALLOW_LOW_PORTS : 0;
	v.self.family = v.peer.family = v.self_public.family = AF_INET;
	for (size_t i = 0; flags & FLAG_STATE && i < CTH_STATE; i++)
		v.state[i] = take(&d);
	seq[0] = cth_be32(v.state);
	seq[1] = cth_be32(v.state + 4);
	while (d.n) {
		uint8_t how = take(&d), jump = take(&d);
		size_t len = take(&d);

		len = len < d.n ? len : d.n;
		if (len == 0)
			continue;
		v.reply = how & HOW_REPLY;
		seq[v.reply] += how & HOW_BACK ? 0u - jump : jump;
		v.seq = seq[v.reply];
		v.ack = seq[!v.reply];
		v.body = cth_span(d.p, len);
		segment(&v, flags);
		seq[v.reply] += (uint32_t)len;
		d = cth_span_sub(d, len, d.n - len);
	}
	return 0;
}
