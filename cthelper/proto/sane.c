/* SPDX-License-Identifier: MIT */
/*
 * sane.c - the network protocol of SANE, Scanner Access Now Easy: the SANE standard, version 1,
 * chapter 5. An image comes over a connection of its own, to a port that the server tells:
 *
 *     client                                               server, port 6566
 *       ---- 7, handle ------------------------------------------>  SANE_NET_START
 *       <--- status, port, byte order, resource -------------------
 *            '----------' read here
 *       ---- a new connection ------------------------------------>  that port
 *
 *     +------+--------+         +--------+-------+------+------------+----------+
 *     | code | handle |         | status | 0 | P | byte order | resource        |
 *     +------+--------+         +--------+-------+------+------------+----------+
 *        4       4                  4      2   2        4        4, and its text
 *
 * Numbers are of four bytes, big-endian. If there is a resource, its use has to be authorised: port
 * is nothing then, and what the client says next is SANE_NET_AUTHORIZE, code 9, with the name of a
 * user. Behind the one number that answers this comes the first question's answer again.
 *
 * Client and server take turns. So a question begins where a client speaks that has heard all that
 * the server has said, and its answer with the next byte of the server's, which is the one that the
 * question acknowledges. Nothing else has to be understood of either, and however segments cut
 * them, their first bytes are put together in the state:
 *
 *      0          4        8       12     16     24       26        27        28     29
 *     +----------+--------+-------+------+------+--------+---------+---------+------+
 *     | question | answer | heard | code | told | public | of code | of told | turn |
 *     | begins   | begins | up to |      |      | port   | seen    | seen    |      |
 *     +----------+--------+-------+------+------+--------+---------+---------+------+
 */
#include <netinet/in.h>
#include "../proto.h"

enum {
	SANE_QUESTION  = 0,
	SANE_ANSWER    = 4,
	SANE_HEARD     = 8,
	SANE_CODE      = 12,
	SANE_TOLD      = 16,
	SANE_PUBLIC    = 24,
	SANE_CODE_SEEN = 26, /* a bit for each byte */
	SANE_TOLD_SEEN = 27,
	SANE_TURN      = 28,
	SANE_STATE     = 29,
};

/* What is in the turn. */
enum {
	SANE_BEGUN   = 1 << 0, /* there was a question */
	SANE_STARTED = 1 << 1, /* it was SANE_NET_START, or belongs to one */
};

enum { SANE_NET_START = 7, SANE_NET_AUTHORIZE = 9 };

#define SANE_CODE_LEN 4u
#define SANE_TOLD_LEN 8u
#define SANE_PORT_AT  6u /* in what is told: the word's lower half */

/* Is number a behind b in a stream? */
static bool sane_is_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/*
 * Keeps what the segment has of the n bytes from a number of the stream on, each as it was seen
 * first: on loopback the packet that was rewritten comes once more. false: it has none of them.
 */
static bool sane_keep(const struct cth_view *v, uint32_t from, uint8_t *kept, uint32_t n,
		      uint8_t *seen)
{
	bool any = false;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = from + i - v->seq;

		if (at >= v->body.n)
			continue;
		any = true;
		if (!(*seen & 1u << i))
			kept[i] = v->body.p[at];
		*seen |= (uint8_t)(1u << i);
	}
	return any;
}

/* Does the client begin anew, after an answer? */
static bool sane_is_new(const struct cth_view *v, const uint8_t *s)
{
	return !(s[SANE_TURN] & SANE_BEGUN) ||
	       (sane_is_after(v->seq, cth_be32(s + SANE_QUESTION)) &&
		sane_is_after(v->ack, cth_be32(s + SANE_ANSWER)));
}

/*
 * Who acknowledges less than was said might have the rest of it taken for an answer, and that may
 * be bytes of his own that the server gives back. More than was said cannot be acknowledged: then
 * some of it was not seen here.
 */
static void sane_question(const struct cth_view *v, uint8_t *s)
{
	if (sane_is_new(v, s)) {
		if (s[SANE_TURN] & SANE_BEGUN && sane_is_after(cth_be32(s + SANE_HEARD), v->ack))
			return;
		cth_store_be32(s + SANE_QUESTION, v->seq);
		cth_store_be32(s + SANE_ANSWER, v->ack);
		cth_store_be32(s + SANE_HEARD, v->ack);
		memset(s + SANE_CODE, 0, SANE_TURN - SANE_CODE);
		s[SANE_TURN] |= SANE_BEGUN;
	}
	sane_keep(v, cth_be32(s + SANE_QUESTION), s + SANE_CODE, SANE_CODE_LEN, s + SANE_CODE_SEEN);
	if (s[SANE_CODE_SEEN] != 0x0f)
		return;
	if (cth_be32(s + SANE_CODE) == SANE_NET_START)
		s[SANE_TURN] |= SANE_STARTED;
	else if (cth_be32(s + SANE_CODE) != SANE_NET_AUTHORIZE)
		s[SANE_TURN] &= (uint8_t)~SANE_STARTED;
}

/*
 * Is the port one to be expected? Of the word's last two bytes the first alone says whether it is
 * high enough; of a lower one nothing is rewritten before it is known.
 */
static bool sane_is_port(const struct cth_view *v, struct cth_decision *d, bool whole)
{
	const uint8_t *told = d->state + SANE_TOLD;
	uint16_t port = cth_be16(told + SANE_PORT_AT);

	if (cth_be32(told) != 0 || (whole && cth_be32(told + 4) == 0))
		return false; /* it has not started: there is no paper, or a resource */
	if (!whole)
		return v->rewrite && cth_be16(told + 4) == 0 && port >= CTH_LOWEST_PORT;
	if (cth_be16(told + 4) != 0)
		cth_note(d, CTH_NOTE_GARBLED);
	else if (!cth_port_is_allowed(v, port))
		cth_note(d, CTH_NOTE_LOW_PORT);
	else
		return true;
	return false;
}

/* As much of the port as is here, at an offset; where it goes on, so does what was told of it. */
static void sane_announce(const struct cth_view *v, struct cth_decision *d, struct cth_wanted *w,
			  uint32_t at)
{
	bool first = at < v->body.n, last = at + 1 < v->body.n;
	struct cth_announced *a = &d->announced[d->announced_n];

	if (first && cth_announce(d, w, at, 1u + last, CTH_FORM_BINARY_PORT, 0)) {
		a->more = !last;
	} else if (last && w->public_port &&
		   cth_announce(d, w, at + 1, 1, CTH_FORM_BINARY_PORT, 0)) {
		a->from = 1;
	}
}

static void sane_expect(const struct cth_view *v, struct cth_decision *d, uint32_t begin)
{
	const uint8_t *s = d->state;
	bool whole = s[SANE_TOLD_SEEN] == 0xff;
	struct cth_wanted *w;

	if ((s[SANE_TOLD_SEEN] & 0x7f) != 0x7f || !sane_is_port(v, d, whole))
		return;
	w = cth_want(v, d);
	if (!w)
		return;
	w->port = whole ? cth_be16(s + SANE_TOLD + SANE_PORT_AT) : 0;
	w->flags = whole ? 0 : CTH_WANT_PORT_ONLY;
	w->public_port = cth_told_port(v, cth_be16(s + SANE_PUBLIC));
	w->note_at = SANE_PUBLIC;
	if (v->rewrite)
		sane_announce(v, d, w, begin + SANE_PORT_AT - v->seq);
}

static void sane_answer(const struct cth_view *v, struct cth_decision *d)
{
	uint8_t *s = d->state;
	uint32_t begin = cth_be32(s + SANE_ANSWER), end = v->seq + (uint32_t)v->body.n;

	if (!(s[SANE_TURN] & SANE_BEGUN))
		return;
	if (sane_is_after(end, cth_be32(s + SANE_HEARD)))
		cth_store_be32(s + SANE_HEARD, end);
	if (!(s[SANE_TURN] & SANE_STARTED) || s[SANE_CODE_SEEN] != 0x0f)
		return;
	if (cth_be32(s + SANE_CODE) == SANE_NET_AUTHORIZE)
		begin += 4;
	if (sane_keep(v, begin, s + SANE_TOLD, SANE_TOLD_LEN, s + SANE_TOLD_SEEN))
		sane_expect(v, d, begin);
}

static void sane_decide(const struct cth_view *v, struct cth_decision *d)
{
	if (v->reply)
		sane_answer(v, d);
	else
		sane_question(v, d->state);
	d->state_changed = memcmp(d->state, v->state, CTH_STATE) != 0;
}

static const uint8_t sane_l4[] = { IPPROTO_TCP, 0 };

/*
 * The client connects as soon as it knows where to, and asks for nothing else before; whose SYN is
 * lost tries for two minutes.
 */
const struct cth_proto cth_proto_sane = {
	.name = "sane",
	.l4 = sane_l4,
	.port = 6566,
	.state_len = SANE_STATE,
	.classes = { { "sane", 1, 120 } },
	.wants_l4 = sane_l4,
	.wants_source = CTH_FROM_PEER,
	.wants_dest = CTH_TO_OWN,
	.wants_flags = CTH_WANT_PORT_ONLY,
	.lowest_port = CTH_LOWEST_PORT,
	.announces = 1 << CTH_FORM_NONE | 1 << CTH_FORM_BINARY_PORT,
	.longest_text = 2,
	.decide = sane_decide,
};
