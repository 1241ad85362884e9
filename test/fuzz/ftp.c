/* SPDX-License-Identifier: MIT */
/*
 * ftp.c - fuzz target: FTP. The bytes are segments of both sides, in order or not:
 *
 *     | flags | state, 32 bytes, if flags say so | how | jump | length | bytes | how | jump | ...
 *
 * Whatever they are, no decision may go beyond the protocol's constants, none may depend on
 * anything but its view, and a segment that comes again changes nothing.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "../../cthelper/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum {
	FLAG_IPV6 = 1, FLAG_REWRITE = 2, FLAG_FOREIGN = 4, FLAG_LOW = 8, FLAG_STATE = 16,
	FLAG_NO_PORT = 32,
};
enum { HOW_REPLY = 1, HOW_JUMP = 2, HOW_AGAIN = 4, HOW_ACK = 8 };

#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static uint8_t take(struct cth_span *d)
{
	uint8_t c = d->n ? *d->p : 0;

	if (d->n)
		*d = cth_span(d->p + 1, d->n - 1);
	return c;
}

/* 10.0.0.1 and 10.0.0.2; with public 11.0.0.1, 11.0.0.2. In IPv6 the same in front of ::. */
static struct cth_addr address(uint8_t flags, uint8_t net, bool reply)
{
	struct cth_addr a = { .family = flags & FLAG_IPV6 ? AF_INET6 : AF_INET, .b = { net } };

	a.b[flags & FLAG_IPV6 ? 15 : 3] = reply ? 2 : 1;
	return a;
}

static struct cth_view begin(uint8_t flags, struct cth_span *d)
{
	struct cth_view v = { .l4 = IPPROTO_TCP, .rewrite = flags & FLAG_REWRITE };

	v.allow = (flags & FLAG_FOREIGN ? CTH_ALLOW_FOREIGN : 0) |
		  (flags & FLAG_LOW ? CTH_ALLOW_LOW_PORTS : 0);
	for (size_t i = 0; flags & FLAG_STATE && i < CTH_STATE; i++)
		v.state[i] = take(d);
	return v;
}

static void lawful_wanted(const struct cth_view *v, const struct cth_wanted *w)
{
	const struct cth_proto *p = &cth_proto_ftp;

	REQUIRE(w->l4 == IPPROTO_TCP && w->class_number == 0 && w->ports <= 1);
	REQUIRE(w->source == p->wants_source && (w->flags & ~p->wants_flags) == 0);
	REQUIRE(w->dest == CTH_TO_OWN || w->dest == CTH_TO_OTHER);
	REQUIRE(w->dest == CTH_TO_OWN ||
		(v->allow & CTH_ALLOW_FOREIGN && w->address.family == v->self.family));
	REQUIRE(v->rewrite || (!w->flags && w->note_at == CTH_NOWHERE));
	REQUIRE(w->note_at == CTH_NOWHERE || w->note_at + 2 <= p->state_len);
	if (w->flags == 0)
		REQUIRE(w->port >= (v->allow & CTH_ALLOW_LOW_PORTS ? 1 : p->lowest_port));
}

static void lawful_announced(const struct cth_view *v, const struct cth_decision *d)
{
	size_t end = 0;

	REQUIRE(v->rewrite || d->announced_n == 0);
	for (unsigned i = 0; i < d->announced_n; i++) {
		const struct cth_announced *a = &d->announced[i];

		REQUIRE((a->len || (a->from && !a->more)) && a->off >= end);
		REQUIRE(a->len <= v->body.n && a->off <= v->body.n - a->len);
		end = a->off + a->len;
		REQUIRE(a->form < CTH_FORMS);
		if (a->form == CTH_FORM_NONE)
			continue;
		REQUIRE(a->wanted < d->wanted_n && d->wanted[a->wanted].dest == CTH_TO_OWN);
		REQUIRE(a->form != CTH_FORM_COMMAS || v->self.family == AF_INET);
	}
}

static void lawful(const struct cth_view *v, const struct cth_decision *d)
{
	struct cth_served served = { .proto = &cth_proto_ftp, .allow = v->allow };
	struct cth_call call = { .served = &served, .view = *v };

	REQUIRE(!cth_decision_beyond(&call, d));
	REQUIRE(!d->drop && d->wanted_n <= CTH_WANTED && d->announced_n <= CTH_ANNOUNCED);
	REQUIRE(d->state_changed == (memcmp(d->state, v->state, CTH_STATE) != 0));
	REQUIRE(memcmp(d->state + cth_proto_ftp.state_len, v->state + cth_proto_ftp.state_len,
		       CTH_STATE - cth_proto_ftp.state_len) == 0);
	for (unsigned i = 0; i < d->wanted_n; i++)
		lawful_wanted(v, &d->wanted[i]);
	lawful_announced(v, d);
}

static void keep(struct cth_view *v, struct cth_decision *d, uint8_t flags)
{
	for (unsigned i = 0; i < d->wanted_n; i++) {
		const struct cth_wanted *w = &d->wanted[i];
		uint16_t port = w->public_port ? w->public_port : 4000;

		if (w->note_at != CTH_NOWHERE)
			cth_store_be16(d->state + w->note_at, flags & FLAG_NO_PORT ? 0 : port);
	}
	memcpy(v->state, d->state, CTH_STATE);
}

static void segment(struct cth_view *v, uint8_t flags)
{
	struct cth_decision d, again;

	cth_decide(&cth_proto_ftp, v, &d);
	cth_decide(&cth_proto_ftp, v, &again);
	REQUIRE(memcmp(&d, &again, sizeof(d)) == 0);
	lawful(v, &d);
	keep(v, &d, flags);
	cth_decide(&cth_proto_ftp, v, &again);
	lawful(v, &again);
	keep(v, &again, flags);
	REQUIRE(memcmp(d.state, v->state, CTH_STATE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cth_span d = cth_span(data, n);
	uint8_t flags = take(&d);
	struct cth_view v = begin(flags, &d);
	uint32_t seq[2] = { cth_be32(v.state), cth_be32(v.state + 4) };

	while (d.n) {
		uint8_t how = take(&d), jump = take(&d);
		size_t len = take(&d);

		len = len < d.n ? len : d.n;
		if (len == 0)
			continue;
		v.reply = how & HOW_REPLY;
		v.self = address(flags, 10, v.reply);
		v.peer = address(flags, 10, !v.reply);
		v.self_public = address(flags, flags & FLAG_REWRITE ? 11 : 10, v.reply);
		if (how & HOW_JUMP)
			seq[v.reply] += how & HOW_AGAIN ? 0u - jump : jump;
		v.seq = seq[v.reply];
		v.ack = seq[!v.reply] + (how & HOW_ACK ? jump : 0u);
		v.body = cth_span(d.p, len);
		segment(&v, flags);
		seq[v.reply] += (uint32_t)len;
		d = cth_span(d.p + len, d.n - len);
	}
	return 0;
}
