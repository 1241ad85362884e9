/* SPDX-License-Identifier: MIT */
/*
 * rpc.c - who asks at port 111 where a program of ONC RPC (RFC 5531) is to be found: GETPORT of the
 * port mapper, version 2; GETADDR and GETVERSADDR of rpcbind, versions 3 and 4 (RFC 1833), which
 * answer with a universal address (RFC 5665). Then he goes there, more than once.
 *
 *     client --- CALL: xid, GETPORT, program, TCP ---> server, port 111
 *     client <-- REPLY: xid, 20048 ------------------- server
 *     client --------------------------------------> server, port 20048
 *
 *     CALL   xid | 0 | 2 | 100000 | version | procedure | flavour, length, credential |
 *            flavour, length, verifier | program | version | 6, 17 or "tcp", "udp6", ... | ...
 *     REPLY  xid | 1 | 0 | flavour, length, verifier | 0 | 20048 or "10.0.2.2.78.80"
 *
 * All are words of four bytes. Over UDP a datagram is a message; over TCP one is cut into
 * fragments, each behind a word with its length and, in the highest bit, whether it is the last;
 * and segments cut them anywhere. So messages are followed byte by byte, from nothing but what the
 * kernel keeps, where the last calls stand as well, the latest in front:
 *
 *       0       1                11               21         23     26     29     32
 *     +-------+----------------+----------------+----------+------+------+------+
 * TCP | flags | side: client's | side: server's | told     | call | call | call |
 *     +-------+----------------+----------------+----------+------+------+------+
 *     +-------+-----------------+----------------------------------------------+
 * UDP | flags |                 | eight calls                                   |
 *     +-------+-----------------+----------------------------------------------+
 *                               8
 *
 *     side  4 next byte's number | 2 left of the fragment | 1 word, byte, bytes of a mark |
 *           3 of the word, so far; or of an address, what is passed, the last segment
 *     call  2 the lower half of its xid | 1 what it asks for
 *
 * An answer that was rewritten is sent again by TCP if it is lost, and is to be rewritten again: so
 * its call has, in place of the xid, how far behind the server's next byte it was. Nothing
 * else of the server's is read twice, and over TCP no call is answered twice.
 *
 * A server gives the answers, but some of what rpcbind answers the client has made up: TADDR2UADDR
 * writes any address, GETTIME may be any number. Both would pass for an answer to GETADDR or
 * GETPORT with the same xid. Who calls such a procedure, or another program, is not followed any
 * more, nor who might have done so unseen.
 *
 * Where the flow is translated, what is to be rewritten has to be in one segment: the two bytes of
 * a port; or an address from the fragment's mark on, which tells its length. So has each address
 * its own segment.
 */
#include <netinet/in.h>
#include "../proto.h"

enum {
	RPC_FLAGS_AT = 0,
	RPC_SIDE_AT  = 1,
	RPC_SIDE     = 10,
	RPC_TOLD_AT  = 21,
	RPC_CALL     = 3,
	RPC_TCP_CALLS = 3,
	RPC_UDP_CALLS = 8,
};

#define RPC_TIMEOUT     120 /* seconds */
#define RPC_OPAQUE_MAX  400 /* bytes of a credential, or a verifier */
#define RPC_LONGEST     47  /* an IPv6 address, and a port as two numbers */
#define RPC_TO_RESULT   28  /* from a mark to the result, if the verifier is empty */
#define RPC_NOT_HERE    (-65536L) /* a place before all segments */
#define RPC_LAST        (UINT32_C(1) << 31) /* in a mark: no fragment of the message follows */

enum { RPC_NULL = 0, RPC_GET = 3, RPC_DUMP = 4, RPC_GET_VERSION = 9 };

/* What a call asks for. */
enum {
	RPC_PORT    = 1 << 0, /* a port, as a number */
	RPC_ADDRESS = 1 << 1, /* a universal address */
	RPC_TCP     = 1 << 2, /* of a program over TCP, ... */
	RPC_UDP     = 1 << 3, /* ... over UDP: the question was read to its end */
	RPC_TOLD    = 1 << 4, /* it was answered, and the answer rewritten */
	RPC_LATEST  = 1 << 5, /* the last such address: told has the port */
};

/* What is to be done with a word of a message. */
enum rpc_kind {
	RPC_REST, /* nothing, nor with those that follow */
	RPC_ANY,
	RPC_IS,
	RPC_XID,
	RPC_VERSION,
	RPC_PROCEDURE,
	RPC_LENGTH,
	RPC_OPAQUE,
	RPC_TRANSPORT,
	RPC_NETID,
	RPC_RESULT,
	/* Byte by byte: */
	RPC_HOST, /* of a universal address */
	RPC_HIGH, /* the port's upper half */
	RPC_LOW,
	RPC_END,  /* zeros up to a whole word */
};

#define RPC_WORDS 16

struct rpc_word {
	uint8_t kind;
	uint32_t value; /* RPC_IS: this; RPC_LENGTH: words behind the opaque to be passed as well */
};

static const struct rpc_word rpc_call[RPC_WORDS] = {
	{ RPC_XID, 0 }, { RPC_IS, 0 }, { RPC_IS, 2 }, { RPC_IS, 100000 },
	{ RPC_VERSION, 0 }, { RPC_PROCEDURE, 0 },
	{ RPC_ANY, 0 }, { RPC_LENGTH, 0 }, { RPC_OPAQUE, 0 },
	{ RPC_ANY, 0 }, { RPC_LENGTH, 2 }, { RPC_OPAQUE, 0 },
	{ RPC_TRANSPORT, 0 }, { RPC_NETID, 0 },
};

static const struct rpc_word rpc_reply[RPC_WORDS] = {
	{ RPC_XID, 0 }, { RPC_IS, 1 }, { RPC_IS, 0 },
	{ RPC_ANY, 0 }, { RPC_LENGTH, 0 }, { RPC_OPAQUE, 0 },
	{ RPC_IS, 0 },
	{ RPC_RESULT, 0 }, { RPC_HOST, 0 }, { RPC_HIGH, 0 }, { RPC_LOW, 0 }, { RPC_END, 0 },
};

enum { RPC_RESULT_WORD = 7, RPC_END_WORD = 11, RPC_LAST_WORD = RPC_WORDS - 1 };

/* One direction: how far it was read. */
struct rpc_side {
	uint32_t next;
	uint16_t left;      /* bytes of the fragment */
	uint8_t mark;       /* bytes of its mark, if that is being read */
	bool last;          /* it is the message's last */
	uint8_t word, byte; /* of the message; of the word */
	uint8_t kept[3];    /* the word's bytes before this one; or else ... */
};

/* ... what is in them. */
enum {
	RPC_LEFT_AT = 2, /* words to be passed, characters left of an address */
	RPC_HOST_AT = 0, /* characters of the host that were read */
	RPC_PORT_AT = 0, /* two bytes */
	RPC_ALONE_AT = 0, /* two bytes, between messages: the last segment's length, see rpc_alone() */
};

struct rpc_asked {
	uint32_t key; /* the lower half of the xid; RPC_TOLD: number of the result's first byte */
	uint8_t what;
};

struct rpc {
	const struct cth_view *v;
	struct cth_decision *d;
	const struct rpc_word *words;
	bool begun;            /* TCP: it was asked; UDP: something was expected */
	bool closed;
	uint8_t which;         /* the call that is being answered */
	unsigned calls;
	struct rpc_side sides[2], *side;
	struct rpc_asked asked[RPC_UDP_CALLS + 1]; /* one more: none */
	char own[CTH_ADDRESS_ROOM];
	size_t own_n;
	size_t at;             /* in the body: the byte that is read */
	long mark_at, result_at;
};

/* ---- state ---- */

static void rpc_load_side(struct rpc_side *s, const uint8_t *p)
{
	s->next = cth_be32(p);
	s->left = cth_be16(p + 4);
	s->word = p[6] >> 4;
	s->byte = p[6] >> 2 & 3;
	s->mark = p[6] & 3;
	memcpy(s->kept, p + 7, sizeof(s->kept));
}

static void rpc_store_side(const struct rpc_side *s, uint8_t *p)
{
	cth_store_be32(p, s->next);
	cth_store_be16(p + 4, s->left);
	p[6] = (uint8_t)(s->word << 4 | s->byte << 2 | s->mark);
	memcpy(p + 7, s->kept, sizeof(s->kept));
}

static void rpc_load(struct rpc *r)
{
	const uint8_t *p = r->v->state;
	bool tcp = r->v->l4 == IPPROTO_TCP;

	r->begun = p[RPC_FLAGS_AT] & 1;
	r->closed = p[RPC_FLAGS_AT] >> 1 & 1;
	r->which = p[RPC_FLAGS_AT] >> 2 & 3;
	r->sides[0].last = p[RPC_FLAGS_AT] >> 4 & 1;
	r->sides[1].last = p[RPC_FLAGS_AT] >> 5 & 1;
	r->calls = tcp ? RPC_TCP_CALLS : RPC_UDP_CALLS;
	for (unsigned i = 0; tcp && i < 2; i++)
		rpc_load_side(&r->sides[i], p + RPC_SIDE_AT + RPC_SIDE * i);
	for (unsigned i = 0; i < r->calls; i++) {
		const uint8_t *call = p + CTH_STATE - RPC_CALL * (r->calls - i);
		struct rpc_asked *a = &r->asked[i];

		a->what = call[2];
		a->key = cth_be16(call);
		if (a->what & RPC_TOLD)
			a->key = r->sides[1].next - a->key;
	}
}

static void rpc_store(const struct rpc *r)
{
	uint8_t *p = r->d->state;
	bool tcp = r->v->l4 == IPPROTO_TCP;

	p[RPC_FLAGS_AT] = (uint8_t)(r->begun | r->closed << 1 | (r->which & 3) << 2 |
				    r->sides[0].last << 4 | r->sides[1].last << 5);
	for (unsigned i = 0; tcp && i < 2; i++)
		rpc_store_side(&r->sides[i], p + RPC_SIDE_AT + RPC_SIDE * i);
	for (unsigned i = 0; i < r->calls; i++) {
		uint8_t *call = p + CTH_STATE - RPC_CALL * (r->calls - i);
		const struct rpc_asked *a = &r->asked[i];
		uint32_t behind = r->sides[1].next - a->key;
		bool gone = a->what & RPC_TOLD && behind > UINT16_MAX;

		cth_store_be16(call, (uint16_t)(a->what & RPC_TOLD ? behind : a->key));
		call[2] = gone ? 0 : a->what;
	}
	r->d->state_changed = memcmp(p, r->v->state, CTH_STATE) != 0;
}

/* ---- what is answered ---- */

/* Bytes of the string there, with its length and what fills it up. */
static size_t rpc_string(struct cth_span body, long at)
{
	return 4 + (cth_be32(body.p + at) + 3) / 4 * 4;
}

/* Where the last of what is rewritten ends. */
static long rpc_rewritten(const struct cth_decision *d)
{
	const struct cth_announced *last;

	if (d->announced_n == 0)
		return 0;
	last = &d->announced[d->announced_n - 1];
	return (long)last->off + (long)last->len;
}

/*
 * Can the result be rewritten where it stands? Of a state that is another message's, one might
 * begin where the one before has not ended.
 */
static bool rpc_is_whole(const struct rpc *r, const struct rpc_asked *a)
{
	long result = r->result_at, from = rpc_rewritten(r->d);
	struct cth_span body = r->v->body;

	if (!(a->what & RPC_ADDRESS))
		return result + 2 >= from && r->mark_at < result;
	if (result < from || !cth_span_sub(body, (size_t)result, rpc_string(body, result)).p)
		return false;
	return r->v->l4 != IPPROTO_TCP ||
	       (r->mark_at >= from && r->mark_at == result - RPC_TO_RESULT &&
		r->d->counted_n == 0);
}

/* Of the last address that was told, the port as well: another might not be as long. */
static void rpc_remember(struct rpc *r, struct rpc_asked *a, struct cth_wanted *w)
{
	bool again = a->what & RPC_TOLD;
	uint16_t told = cth_be16(r->v->state + RPC_TOLD_AT);

	a->key = r->v->seq + (uint32_t)r->result_at;
	a->what |= RPC_TOLD;
	if (!(a->what & RPC_ADDRESS))
		return;
	for (unsigned i = 0; i < r->calls && !again; i++)
		r->asked[i].what &= (uint8_t)~RPC_LATEST;
	a->what |= again ? 0 : RPC_LATEST;
	if (!(a->what & RPC_LATEST))
		return;
	w->note_at = RPC_TOLD_AT;
	if (again)
		w->public_port = cth_told_port(r->v, told);
}

static void rpc_announce(struct rpc *r, struct rpc_asked *a, struct cth_wanted *w)
{
	long at = r->result_at;

	if (a->what & RPC_ADDRESS)
		cth_announce(r->d, w, (size_t)at, rpc_string(r->v->body, at), CTH_FORM_UNIVERSAL,
			     0);
	else
		cth_announce(r->d, w, (size_t)(at + 2), 2, CTH_FORM_BINARY_PORT, 0);
	if (r->v->l4 != IPPROTO_TCP)
		return;
	if (a->what & RPC_ADDRESS)
		cth_count(r->d, (size_t)r->mark_at, 4);
	rpc_remember(r, a, w);
}

static void rpc_expect(struct rpc *r, struct rpc_asked *a, unsigned port)
{
	bool whole = !r->v->rewrite || rpc_is_whole(r, a);
	struct cth_wanted *w = whole ? cth_want(r->v, r->d) : NULL;

	if (!w) {
		cth_note(r->d, CTH_NOTE_UNFOLLOWED);
		return;
	}
	w->l4 = a->what & RPC_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	w->port = (uint16_t)port;
	w->flags = CTH_WANT_PERMANENT;
	r->begun = true;
	if (r->v->rewrite)
		rpc_announce(r, a, w);
}

static void rpc_answered(struct rpc *r)
{
	struct rpc_asked *a = &r->asked[r->which];
	unsigned port = cth_be16(r->side->kept + RPC_PORT_AT);

	if (port == 0 || r->which == r->calls)
		return; /* there is no such program; the call was forgotten amid the answer */
	if (!cth_port_is_allowed(r->v, port))
		cth_note(r->d, CTH_NOTE_LOW_PORT);
	else
		rpc_expect(r, a, port);
}

/* ---- words ---- */

static void rpc_pass(struct rpc *r)
{
	r->side->word = RPC_LAST_WORD;
}

/* It is no call, or none of those that are followed; no reply, or to none of them. */
static void rpc_is_other(struct rpc *r)
{
	r->closed |= !r->v->reply;
	rpc_pass(r);
}

static void rpc_is_garbled(struct rpc *r)
{
	cth_note(r->d, CTH_NOTE_GARBLED);
	rpc_pass(r);
}

/* Comes to the front: one that was sent again, or a new one, and the oldest is forgotten. */
static void rpc_ask(struct rpc *r, unsigned xid)
{
	unsigned i = 0;

	while (i < r->calls - 1 && (r->asked[i].key != xid || r->asked[i].what & RPC_TOLD))
		i++;
	memmove(&r->asked[1], &r->asked[0], i * sizeof(r->asked[0]));
	r->asked[0] = (struct rpc_asked){ xid, 0 };
	if (r->which == i)
		r->which = (uint8_t)r->calls;
	else if (r->which < i)
		r->which++;
}

static void rpc_match(struct rpc *r, unsigned xid)
{
	unsigned i = 0;

	while (i < r->calls && (r->asked[i].key != xid || r->asked[i].what & RPC_TOLD ||
				!(r->asked[i].what & (RPC_TCP | RPC_UDP))))
		i++;
	r->which = (uint8_t)i;
	if (i == r->calls)
		rpc_is_other(r);
}

static void rpc_version(struct rpc *r, uint32_t version)
{
	r->asked[0].what = version == 2 ? RPC_PORT : version == 3 || version == 4 ? RPC_ADDRESS : 0;
}

static void rpc_procedure(struct rpc *r, uint32_t procedure)
{
	unsigned what = r->asked[0].what;

	if ((procedure == RPC_GET && what) ||
	    (procedure == RPC_GET_VERSION && what == RPC_ADDRESS))
		return;
	if (procedure == RPC_NULL || procedure == RPC_GET || procedure == RPC_DUMP)
		rpc_pass(r);
	else
		rpc_is_other(r);
}

/* Of an opaque, behind which more words are to be passed. */
static void rpc_length(struct rpc *r, uint32_t length, uint32_t more)
{
	uint32_t words = (length + 3) / 4 + more;

	if (length > RPC_OPAQUE_MAX)
		rpc_is_other(r);
	else if (words == 0)
		r->side->word++;
	else
		r->side->kept[RPC_LEFT_AT] = (uint8_t)words;
}

/* A number of IP's; or the length of a netid, which comes next. */
static void rpc_transport(struct rpc *r, uint32_t value)
{
	struct rpc_asked *a = &r->asked[0];

	if (a->what & RPC_ADDRESS && (value == strlen("tcp") || value == strlen("tcp6")))
		return;
	if (a->what & RPC_PORT)
		a->what |= value == IPPROTO_TCP ? RPC_TCP : value == IPPROTO_UDP ? RPC_UDP : 0;
	rpc_pass(r);
}

static void rpc_netid(struct rpc *r, uint32_t value)
{
	uint8_t name[4];

	cth_store_be32(name, value);
	if (memcmp(name, "tcp", 4) == 0 || memcmp(name, "tcp6", 4) == 0)
		r->asked[0].what |= RPC_TCP;
	else if (memcmp(name, "udp", 4) == 0 || memcmp(name, "udp6", 4) == 0)
		r->asked[0].what |= RPC_UDP;
	rpc_pass(r);
}

/* The port, or the length of the address, which comes next. */
static void rpc_result(struct rpc *r, uint32_t value)
{
	bool address = r->asked[r->which].what & RPC_ADDRESS;
	struct rpc_side *s = r->side;

	r->result_at = (long)r->at - 3;
	if (value > (address ? RPC_LONGEST : UINT16_MAX)) {
		rpc_is_garbled(r);
	} else if (!address) {
		cth_store_be16(s->kept + RPC_PORT_AT, (uint16_t)value);
		s->word = RPC_END_WORD;
	} else if (value == 0) {
		rpc_pass(r); /* there is no such program */
	} else {
		s->kept[RPC_LEFT_AT] = (uint8_t)value;
		s->kept[RPC_HOST_AT] = 0;
	}
}

static void rpc_take_word(struct rpc *r, const struct rpc_word *w, uint32_t value)
{
	r->side->word++;
	switch (w->kind) {
	case RPC_IS:
		if (value != w->value)
			rpc_is_other(r);
		break;
	case RPC_XID:
		r->v->reply ? rpc_match(r, (uint16_t)value) : rpc_ask(r, (uint16_t)value);
		break;
	case RPC_VERSION:
		rpc_version(r, value);
		break;
	case RPC_PROCEDURE:
		rpc_procedure(r, value);
		break;
	case RPC_LENGTH:
		rpc_length(r, value, w->value);
		break;
	case RPC_TRANSPORT:
		rpc_transport(r, value);
		break;
	case RPC_NETID:
		rpc_netid(r, value);
		break;
	case RPC_RESULT:
		rpc_result(r, value);
		break;
	}
}

static void rpc_take_host(struct rpc *r, uint8_t b)
{
	struct rpc_side *s = r->side;
	uint8_t n = s->kept[RPC_HOST_AT];

	if (n < r->own_n && b == (uint8_t)r->own[n]) {
		s->kept[RPC_HOST_AT]++;
	} else if (n == r->own_n && b == '.') {
		cth_store_be16(s->kept + RPC_PORT_AT, 0);
		s->word++;
	} else {
		cth_note(r->d, CTH_NOTE_FOREIGN);
		rpc_pass(r);
	}
}

static void rpc_take_number(struct rpc *r, bool high, uint8_t b)
{
	struct rpc_side *s = r->side;
	uint8_t *number = &s->kept[RPC_PORT_AT + !high];
	unsigned value = *number * 10u + b - '0';

	if (b >= '0' && b <= '9' && value <= UINT8_MAX) {
		*number = (uint8_t)value;
		s->byte = 1; /* it has digits */
	} else if (high && b == '.' && s->byte) {
		s->byte = 0;
		s->word++;
	} else {
		rpc_is_garbled(r);
	}
}

static void rpc_take_character(struct rpc *r, unsigned kind, uint8_t b)
{
	struct rpc_side *s = r->side;

	if (kind == RPC_END) {
		if (b != 0 || s->byte++ == 3)
			rpc_is_garbled(r);
		return;
	}
	if (kind == RPC_HOST)
		rpc_take_host(r, b);
	else
		rpc_take_number(r, kind == RPC_HIGH, b);
	if (s->word == RPC_LAST_WORD || --s->kept[RPC_LEFT_AT] > 0)
		return;
	if (kind != RPC_LOW || !s->byte) {
		rpc_is_garbled(r);
		return;
	}
	s->word++;
	s->byte = 0;
}

static void rpc_take(struct rpc *r, uint8_t b)
{
	struct rpc_side *s = r->side;
	const struct rpc_word *w = &r->words[s->word];

	if (w->kind == RPC_REST)
		return;
	if (w->kind >= RPC_HOST) {
		rpc_take_character(r, w->kind, b);
	} else if (s->byte < 3) {
		if (w->kind != RPC_OPAQUE)
			s->kept[s->byte] = b;
		s->byte++;
	} else {
		s->byte = 0;
		if (w->kind != RPC_OPAQUE)
			rpc_take_word(r, w, (uint32_t)cth_be16(s->kept) << 16 |
					    (uint32_t)s->kept[2] << 8 | b);
		else if (--s->kept[RPC_LEFT_AT] == 0)
			s->word++;
	}
}

/* ---- messages ---- */

/* Over UDP an answer may come twice, and has to be rewritten alike: so its call is kept. */
static void rpc_end(struct rpc *r)
{
	struct rpc_asked *a = &r->asked[r->which];

	if (r->words[r->side->word].kind == RPC_END)
		rpc_answered(r);
	r->side->word = r->side->byte = 0;
	if (!r->v->reply)
		return;
	if (r->v->l4 == IPPROTO_TCP && !(a->what & RPC_TOLD))
		a->what = 0;
	r->which = (uint8_t)r->calls;
}

static void rpc_take_mark(struct rpc *r, uint8_t b)
{
	struct rpc_side *s = r->side;

	if (s->mark == 0) {
		r->mark_at = (long)r->at;
		s->last = b & 0x80;
	}
	if ((s->mark == 0 && b & 127) || (s->mark == 1 && b)) {
		r->closed = true; /* what has such fragments is not RFC 1833 */
		cth_note(r->d, CTH_NOTE_UNFOLLOWED);
	}
	s->left = (uint16_t)(s->mark < 2 ? 0 : s->left << 8 | b);
	s->mark = (s->mark + 1) & 3;
	if (s->mark == 0 && s->left == 0 && s->last)
		rpc_end(r);
}

/* Into a gap of the server's only what is not of interest has gone. */
static bool rpc_skip(struct rpc *r, uint32_t missing)
{
	struct rpc_side *s = r->side;

	if (s->word != RPC_LAST_WORD || s->mark || missing > s->left)
		return false;
	s->next += missing;
	s->left = (uint16_t)(s->left - missing);
	if (s->left == 0 && s->last)
		rpc_end(r);
	return true;
}

static void rpc_read(struct rpc *r)
{
	struct rpc_side *s = r->side;
	struct cth_span body = r->v->body;

	for (; r->at < body.n && !r->closed; r->at++) {
		s->next++;
		if (s->mark || s->left == 0) {
			rpc_take_mark(r, body.p[r->at]);
			continue;
		}
		rpc_take(r, body.p[r->at]);
		if (--s->left == 0 && s->last)
			rpc_end(r);
	}
}

/*
 * An answer that was rewritten before, its result at offset at of the body: of a port maybe only
 * the lower half.
 */
static void rpc_read_again(struct rpc *r, unsigned which, long at)
{
	struct rpc_side again = { .word = RPC_RESULT_WORD, .byte = (uint8_t)(at < 0 ? -at : 0) };
	bool address = r->asked[which].what & RPC_ADDRESS;

	r->side = &again;
	r->which = (uint8_t)which;
	r->mark_at = address ? at - RPC_TO_RESULT : RPC_NOT_HERE;
	r->at = (size_t)(at < 0 ? 0 : at);
	for (; r->at < r->v->body.n && again.word < RPC_END_WORD; r->at++)
		rpc_take(r, r->v->body.p[r->at]);
	if (again.word == RPC_END_WORD)
		rpc_answered(r);
	else
		cth_note(r->d, CTH_NOTE_UNFOLLOWED);
}

/* All that were, in the order in which they stand. */
static void rpc_retell(struct rpc *r)
{
	uint8_t which = r->which;
	long from = -2, nearest = 0;

	while (nearest < (long)r->v->body.n) {
		unsigned found = 0;

		nearest = (long)r->v->body.n;
		for (unsigned i = 0; i < r->calls; i++) {
			long at = (int32_t)(r->asked[i].key - r->v->seq);

			if (r->asked[i].what & RPC_TOLD && at >= from && at < nearest) {
				nearest = at;
				found = i;
			}
		}
		if (nearest < (long)r->v->body.n)
			rpc_read_again(r, found, nearest);
		from = nearest + 1;
	}
	r->which = which;
	r->mark_at = r->result_at = RPC_NOT_HERE;
}

/* Is it between two messages? */
static bool rpc_rests(const struct rpc_side *s)
{
	return !s->mark && s->left == 0 && s->word == 0 && s->byte == 0;
}

/* Is the segment one message, in one fragment? Then its length; or 0. */
static uint16_t rpc_alone(struct cth_span body)
{
	uint32_t rest = (uint32_t)body.n - 4;

	return body.n > 4 && rest < UINT16_MAX - 4 && cth_be32(body.p) == (RPC_LAST | rest) ?
	       (uint16_t)body.n : 0;
}

/*
 * The server may not have got what was seen here: a client can send other bytes with the same
 * numbers, and have them read in its place. So only a call that was alone in the last segment is
 * read again, and has to be as long, and one that is followed: whatever the server makes of the
 * two, it is no other. With anything else, and with a gap, he might be asked what is not read here.
 */
static void rpc_follow_client(struct rpc *r)
{
	struct rpc_side *s = &r->sides[0];
	uint16_t alone = rpc_rests(s) ? rpc_alone(r->v->body) : 0;
	bool again = alone && alone == cth_be16(s->kept + RPC_ALONE_AT) &&
		     r->v->seq == s->next - alone;
	struct rpc_asked last = r->asked[0];

	r->side = s;
	if (r->closed)
		return;
	if (r->v->seq != s->next && !again) {
		r->closed = true;
		cth_note(r->d, CTH_NOTE_UNFOLLOWED);
		return;
	}
	s->next = r->v->seq;
	rpc_read(r);
	if (again && last.what && !(last.what & RPC_TOLD) &&
	    (r->asked[0].key != last.key || r->asked[0].what != last.what))
		r->closed = true; /* it asks for something else */
	if (rpc_rests(s))
		cth_store_be16(s->kept + RPC_ALONE_AT, alone);
}

static void rpc_follow_server(struct rpc *r)
{
	struct rpc_side *s = &r->sides[1];
	uint32_t seen = s->next - r->v->seq;

	if (r->v->rewrite)
		rpc_retell(r);
	r->side = s;
	if (seen > INT32_MAX) {
		if (!r->closed && !rpc_skip(r, -seen)) {
			cth_note(r->d, CTH_NOTE_UNFOLLOWED);
			return;
		}
		seen = 0;
	}
	r->at = seen;
	rpc_read(r);
}

static void rpc_stream(struct rpc *r)
{
	const struct cth_view *v = r->v;

	if (!r->begun && v->reply)
		return; /* nobody has asked */
	if (!r->begun) {
		r->begun = true;
		r->sides[0].next = v->seq;
		r->sides[1].next = v->ack;
	}
	if (v->reply)
		rpc_follow_server(r);
	else
		rpc_follow_client(r);
}

static void rpc_datagram(struct rpc *r)
{
	struct rpc_side s = { .left = (uint16_t)r->v->body.n, .last = true };

	r->side = &s;
	rpc_read(r);
	/* Each packet would have it end sooner, and what is expected with it. */
	if (r->begun)
		r->d->timeout = RPC_TIMEOUT;
}

static void rpc_decide(const struct cth_view *v, struct cth_decision *d)
{
	struct rpc r = { .v = v, .d = d, .words = v->reply ? rpc_reply : rpc_call,
			 .mark_at = RPC_NOT_HERE, .result_at = RPC_NOT_HERE };

	rpc_load(&r);
	r.own_n = cth_write_address(&v->self, r.own);
	if (v->l4 == IPPROTO_TCP)
		rpc_stream(&r);
	else
		rpc_datagram(&r);
	rpc_store(&r);
}

static const uint8_t rpc_l4[] = { IPPROTO_TCP, IPPROTO_UDP, 0 };

/*
 * Who has asked once comes several times: mount(8) tries the port, then the kernel calls there. So
 * expectations stay; and two minutes outlast what he has to wait for in between, and mount, which
 * gives up by then, or asks anew. An expectation ends with the flow that asked for it: over UDP
 * that is kept as long, over TCP it has what is left when the client has closed it. Eight at once
 * are four programs over both transports.
 *
 * growth: from ::1.4.0 to the longest there is.
 */
const struct cth_proto cth_proto_rpc = {
	.name = "rpc",
	.l4 = rpc_l4,
	.port = 111,
	.state_len = CTH_STATE,
	.classes = { { "rpc", 8, RPC_TIMEOUT } },
	.wants_l4 = rpc_l4,
	.wants_source = CTH_FROM_PEER,
	.wants_dest = CTH_TO_OWN,
	.wants_flags = CTH_WANT_PERMANENT,
	.lowest_port = CTH_LOWEST_PORT,
	.announces = 1 << CTH_FORM_BINARY_PORT | 1 << CTH_FORM_UNIVERSAL,
	.longest_text = 4 + RPC_LONGEST + 1,
	.growth = 40,
	.counts = 1,
	.longest = RPC_TIMEOUT,
	.whole_stream = true,
	.decide = rpc_decide,
};
