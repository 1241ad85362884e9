/* SPDX-License-Identifier: MIT */
/*
 * tns.c - SQL*Net, Oracle's Transparent Network Substrate: "Oracle Protocol" by Ian Redfern (2003)
 * for its packets, Oracle's Net Services Reference for addresses. A listener may send its client on
 * to another port, where a dispatcher or a process of the client's own waits:
 *
 *     client                   listener
 *     CONNECT
 *                              REDIRECT (ADDRESS=(PROTOCOL=tcp)(HOST=10.0.2.2)(PORT=40012))
 *     CONNECT, to port 40012
 *
 *       0        2       4      5       6       8        10
 *     +--------+-------+------+-------+-------+--------+---------------+-----+------------------+
 *     | length | check | 5    | flags | check | length | (ADDRESS=...) | NUL | (DESCRIPTION=... |
 *     | of all | sum 0 |      |       | sum 0 | of text|               |     | to connect with) |
 *     +--------+-------+------+-------+-------+--------+---------------+-----+------------------+
 *     | 10     | 0     | 5    |       | 0     | of text|
 *     +--------+-------+------+-------+-------+--------+---------------+-----+------------------+
 *     | length | 0     | 6    |       | 0     | flags  | (ADDRESS=...) | NUL | (DESCRIPTION=... |
 *     +--------+-------+------+-------+-------+--------+---------------+-----+------------------+
 *
 * The text is in the REDIRECT itself, or in a DATA packet that comes after it, in the same segment
 * or in the next. There its length has been told already when it is seen; so it must not change.
 * Each packet is in one segment: the longest text has some hundred bytes.
 *
 * A listener that sends on does so at first, but that it may have had the client RESEND. Whatever
 * else comes first, an ACCEPT or a REFUSE, whole or not, begins what is a database's or quotes the
 * client, and is not read.
 *
 *       0         4             6
 *     +---------+-------------+-------+   number: of the first byte of the listener's next packet,
 *     | number  | public port | stage |   or of that with the text
 *     +---------+-------------+-------+
 */
#include <netinet/in.h>
#include "../proto.h"

enum { TNS_NUMBER = 0, TNS_PUBLIC_PORT = 4, TNS_STAGE = 6, TNS_STATE = 7 };
/* Stages: nobody has asked; the listener's turn; awaited is the DATA packet; the text is there. */
enum { TNS_SILENT, TNS_ASKED, TNS_AWAITED, TNS_TOLD, TNS_LEFT };
enum { TNS_REDIRECT = 5, TNS_DATA = 6, TNS_RESEND = 11 }; /* types of packets */
enum { TNS_TYPE_AT = 4, TNS_HEADER = 8, TNS_LENGTH_AT = 8, TNS_TEXT_AT = 10 };

#define TNS_DIGITS      5  /* of a port */
#define TNS_ADDRESS     45 /* characters of an address, at most */

/* HOST and PORT, and where they stand in the packet. */
struct tns_address {
	struct cth_addr host; /* of no family: it is a name */
	uint32_t port;
	size_t host_at, host_n, port_at, port_n; /* port_n 0: none was told; ... */
	bool has_host;
};

/* The packet at off, if all of it is here and it has no checksums, which nobody computes. */
static struct cth_span tns_packet(struct cth_span body, size_t off)
{
	struct cth_span header = cth_span_sub(body, off, TNS_HEADER);

	if (!header.p || cth_be16(header.p) < TNS_TEXT_AT || cth_be16(header.p + 2) ||
	    cth_be16(header.p + 6))
		return cth_span(NULL, 0);
	return cth_span_sub(body, off, cth_be16(header.p));
}

static void tns_skip_spaces(struct cth_span *rest)
{
	while (cth_read_word(rest, " "))
		;
}

/* "(HOST=", with spaces wherever they may be. */
static bool tns_read_key(struct cth_span *rest, const char *key)
{
	struct cth_span at = *rest;

	if (!cth_read_word(&at, "("))
		return false;
	tns_skip_spaces(&at);
	if (!cth_read_word(&at, key))
		return false;
	tns_skip_spaces(&at);
	if (!cth_read_word(&at, "="))
		return false;
	tns_skip_spaces(&at);
	*rest = at;
	return true;
}

static bool tns_read_end(struct cth_span *rest)
{
	tns_skip_spaces(rest);
	return cth_read_word(rest, ")");
}

/* A host's name: letters, digits, and what is between them. */
static bool tns_skip_name(struct cth_span *rest)
{
	size_t n = 0;

	while (n < rest->n && rest->p[n] > ' ' && rest->p[n] < 127 && !memchr("()=\"'\\", rest->p[n], 6))
		n++;
	*rest = cth_span_sub(*rest, n, rest->n - n);
	return n > 0;
}

/* With brackets or without. Offsets are those in the body, where rest ends at end. */
static bool tns_read_host(struct cth_span *rest, size_t end, struct tns_address *a)
{
	bool bracket = cth_read_word(rest, "[");

	if (a->has_host)
		return false;
	a->has_host = true;
	a->host_at = end - rest->n;
	if (!cth_read_address(rest, &a->host) && (bracket || !tns_skip_name(rest)))
		return false;
	a->host_n = end - rest->n - a->host_at;
	return (a->host_n <= TNS_ADDRESS || !a->host.family) &&
	       (!bracket || cth_read_word(rest, "]")) && tns_read_end(rest);
}

static bool tns_read_port(struct cth_span *rest, size_t end, struct tns_address *a)
{
	if (a->port_n)
		return false;
	a->port_at = end - rest->n;
	if (!cth_read_number(rest, UINT16_MAX, &a->port))
		return false;
	a->port_n = end - rest->n - a->port_at;
	return a->port_n <= TNS_DIGITS && tns_read_end(rest);
}

/* Of all that an address may say, each once. */
static bool tns_read_address(struct cth_span rest, size_t end, struct tns_address *a)
{
	bool good = true;

	while (rest.n && good) {
		if (tns_read_key(&rest, "HOST"))
			good = tns_read_host(&rest, end, a);
		else if (tns_read_key(&rest, "PORT"))
			good = tns_read_port(&rest, end, a);
		else
			rest = cth_span_sub(rest, 1, rest.n - 1);
	}
	return good && a->has_host && a->port_n;
}

/* A name cannot be looked up; whosever it is, only the sender's own address is opened for it. */
static bool tns_is_own(const struct cth_view *v, const struct tns_address *a)
{
	return !a->host.family || cth_addr_equal(&a->host, &v->self);
}

static bool tns_may_be(const struct cth_view *v, struct cth_decision *d,
		       const struct tns_address *a)
{
	if (!tns_is_own(v, a) &&
	    (!(v->allow & CTH_ALLOW_FOREIGN) || a->host.family != v->self.family)) {
		cth_note(d, CTH_NOTE_FOREIGN);
		return false;
	}
	if (!cth_port_is_allowed(v, a->port)) {
		cth_note(d, CTH_NOTE_LOW_PORT);
		return false;
	}
	return true;
}

/* The port that was told when this text was sent before; or 0. */
static uint16_t tns_told(const struct cth_view *v, uint32_t number)
{
	return cth_be32(v->state + TNS_NUMBER) == number ?
	       cth_told_port(v, cth_be16(v->state + TNS_PUBLIC_PORT)) : 0;
}

static void tns_keep(const struct cth_view *v, struct cth_decision *d, uint32_t number,
		     uint8_t stage)
{
	if (cth_be32(v->state + TNS_NUMBER) != number)
		memset(d->state, 0, sizeof(d->state));
	cth_store_be32(d->state + TNS_NUMBER, number);
	d->state[TNS_STAGE] = stage;
	d->state_changed = true;
}

static void tns_announce(struct cth_decision *d, const struct cth_wanted *w,
			 const struct tns_address *a)
{
	if (a->host_at < a->port_at && a->host.family)
		cth_announce(d, w, a->host_at, a->host_n, CTH_FORM_ADDRESS, 0);
	cth_announce(d, w, a->port_at, a->port_n, CTH_FORM_PORT, 0);
	if (a->host_at > a->port_at && a->host.family)
		cth_announce(d, w, a->host_at, a->host_n, CTH_FORM_ADDRESS, 0);
}

/* What stands from at to end, up to a NUL, in the packet whose first byte has this number. */
static void tns_follow(const struct cth_view *v, struct cth_decision *d, size_t at, size_t end,
		       uint32_t number)
{
	struct cth_span text = cth_span_sub(v->body, at, end - at);
	const uint8_t *nul = text.n ? memchr(text.p, 0, text.n) : NULL;
	struct tns_address a = { 0 };
	struct cth_wanted *w;

	if (nul)
		text.n = (size_t)(nul - text.p);
	if (!tns_read_address(text, at + text.n, &a)) {
		cth_note(d, CTH_NOTE_GARBLED);
		return;
	}
	w = tns_may_be(v, d, &a) ? cth_want(v, d) : NULL;
	if (!w)
		return;
	w->port = (uint16_t)a.port;
	if (!tns_is_own(v, &a)) {
		w->dest = CTH_TO_OTHER;
		w->address = a.host;
	} else if (v->rewrite) {
		w->public_port = tns_told(v, number);
		w->note_at = TNS_PUBLIC_PORT;
		tns_announce(d, w, &a);
	}
}

/* The DATA packet at off, whose text the REDIRECT before it has told the length of. */
static void tns_data(const struct cth_view *v, struct cth_decision *d, size_t off)
{
	struct cth_span p = tns_packet(v->body, off);

	if (p.n && p.p[TNS_TYPE_AT] == TNS_DATA)
		tns_follow(v, d, off + TNS_TEXT_AT, off + p.n, v->seq + (uint32_t)off);
	else
		cth_note(d, CTH_NOTE_GARBLED);
}

/* Where the packet with a REDIRECT's text begins: it, or the next one. */
static uint32_t tns_text_number(const struct cth_view *v, struct cth_span redirect)
{
	return v->seq + (uint32_t)(redirect.n > TNS_TEXT_AT ? 0 : redirect.n);
}

static void tns_redirect(const struct cth_view *v, struct cth_decision *d, struct cth_span p)
{
	bool inside = p.n > TNS_TEXT_AT;
	size_t data = inside ? 0 : p.n; /* where the packet with the text begins */

	tns_keep(v, d, tns_text_number(v, p), inside ? TNS_TOLD : TNS_AWAITED);
	if (inside && cth_be16(p.p + TNS_LENGTH_AT) > p.n - TNS_TEXT_AT)
		cth_note(d, CTH_NOTE_GARBLED);
	else if (inside)
		tns_follow(v, d, TNS_TEXT_AT, TNS_TEXT_AT + cth_be16(p.p + TNS_LENGTH_AT), v->seq);
	else if (v->body.n > data)
		tns_data(v, d, data);
	if (d->announced_n == 0)
		return;
	/* Of the packet and of the text in it; or of the text, and of the DATA packet. */
	cth_count(d, inside ? 0 : TNS_LENGTH_AT, 2);
	cth_count(d, inside ? TNS_LENGTH_AT : data, 2);
}

static bool tns_is(struct cth_span b, uint8_t type)
{
	return b.n > TNS_TYPE_AT && b.p[TNS_TYPE_AT] == type;
}

/* The listener's turn: of what it said before nothing is news. */
static void tns_answer(const struct cth_view *v, struct cth_decision *d, struct cth_span redirect)
{
	uint32_t next = cth_be32(v->state + TNS_NUMBER), end = v->seq + (uint32_t)v->body.n;
	bool in_order = v->seq == next;

	if ((int32_t)(end - next) <= 0)
		return;
	if (in_order && redirect.n) {
		tns_redirect(v, d, redirect);
	} else if (in_order && tns_is(v->body, TNS_RESEND) && v->body.n == TNS_HEADER &&
		   cth_be16(v->body.p) == TNS_HEADER) {
		tns_keep(v, d, end, TNS_ASKED);
	} else {
		if (tns_is(v->body, TNS_REDIRECT))
			cth_note(d, CTH_NOTE_GARBLED);
		tns_keep(v, d, next, TNS_LEFT);
	}
}

/* Once there was a REDIRECT, the text that belongs to it; or both, sent again. */
static void tns_rest(const struct cth_view *v, struct cth_decision *d, struct cth_span redirect)
{
	uint32_t number = cth_be32(v->state + TNS_NUMBER);

	if (redirect.n && tns_text_number(v, redirect) == number) {
		tns_redirect(v, d, redirect);
	} else if (v->state[TNS_STAGE] == TNS_AWAITED && v->seq == number) {
		d->fixed = true;
		tns_data(v, d, 0);
	}
}

static void tns_decide(const struct cth_view *v, struct cth_decision *d)
{
	uint8_t stage = v->state[TNS_STAGE];
	struct cth_span p = tns_packet(v->body, 0);

	if (!tns_is(p, TNS_REDIRECT))
		p = cth_span(NULL, 0);
	if (stage == TNS_SILENT && !v->reply)
		tns_keep(v, d, v->ack, TNS_ASKED);
	else if (stage == TNS_ASKED && v->reply)
		tns_answer(v, d, p);
	else if ((stage == TNS_AWAITED || stage == TNS_TOLD) && v->reply)
		tns_rest(v, d, p);
	d->leave = d->state[TNS_STAGE] == TNS_LEFT;
}

static const uint8_t tns_l4[] = { IPPROTO_TCP, 0 };

/*
 * A client connects at once; a minute outlasts several of its SYNs that are lost, and a server that
 * has to start a process first.
 */
const struct cth_proto cth_proto_tns = {
	.name = "tns",
	.l4 = tns_l4,
	.port = 1521,
	.state_len = TNS_STATE,
	.classes = { { "tns", 1, 60 } },
	.wants_l4 = tns_l4,
	.wants_source = CTH_FROM_PEER,
	.wants_dest = CTH_TO_OWN | CTH_TO_OTHER,
	.lowest_port = CTH_LOWEST_PORT,
	.announces = 1 << CTH_FORM_ADDRESS | 1 << CTH_FORM_PORT,
	.longest_text = TNS_ADDRESS,
	.growth = (39 - 2) + (TNS_DIGITS - 1), /* "::" and one digit become as long as they can be */
	.counts = 2,
	.may = CTH_MAY_LEAVE,
	.whole_stream = true,
	.decide = tns_decide,
};
