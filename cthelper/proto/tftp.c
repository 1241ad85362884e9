/* SPDX-License-Identifier: MIT */
/*
 * tftp.c - the Trivial File Transfer Protocol: RFC 1350, with the options of RFC 2347.
 *
 *     client, port C --- RRQ, WRQ ---------> server, port 69
 *     client, port C <-- DATA, ACK, ... ---- server, a port of its own choice
 *
 *      2 bytes   1 byte or more      letters         options, in pairs
 *     +--------+-----------+------+------+------+------+------+-------+------+
 *     | opcode | file name | NUL  | mode | NUL  | name | NUL  | value | NUL  |
 *     +--------+-----------+------+------+------+------+------+-------+------+
 *       1 RRQ, 2 WRQ
 *
 * The request is the flow's first packet, and the answer is a flow of its own, back to the very
 * port that the request came from. A request that is sent again asks for the same once more.
 */
#include "../proto.h"

#define TFTP_UDP 17

enum { TFTP_RRQ = 1, TFTP_WRQ = 2 };

/* Takes a string and its NUL off the front: an absent span when it has no end. */
static struct cth_span tftp_string(struct cth_span *rest)
{
	const uint8_t *nul = rest->n ? memchr(rest->p, 0, rest->n) : NULL;
	struct cth_span s = cth_span(NULL, 0);

	if (nul) {
		s = cth_span_sub(*rest, 0, (size_t)(nul - rest->p));
		*rest = cth_span_sub(*rest, s.n + 1, rest->n - s.n - 1);
	}
	return s;
}

static bool tftp_is_request(struct cth_span body)
{
	struct cth_span opcode = cth_span_sub(body, 0, 2);
	unsigned code = opcode.p ? cth_be16(opcode.p) : 0;

	return code == TFTP_RRQ || code == TFTP_WRQ;
}

/* Names may have bytes above 127, but nothing that no one can type. */
static bool tftp_is_name(struct cth_span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] == 127)
			return false;
	return s.n > 0;
}

/* "netascii", "octet", "mail" in the RFC; a server may know more, and says so if not. */
static bool tftp_is_mode(struct cth_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t lower = s.p[i] | 0x20;

		if (lower < 'a' || lower > 'z')
			return false;
	}
	return s.n > 0;
}

/* Options are the server's business: whatever they are, it answers. */
static bool tftp_is_readable(struct cth_span body)
{
	struct cth_span rest = cth_span_sub(body, 2, body.n - 2);
	struct cth_span name = tftp_string(&rest);
	struct cth_span mode = tftp_string(&rest);

	return tftp_is_name(name) && tftp_is_mode(mode);
}

static void tftp_decide(const struct cth_view *v, struct cth_decision *d)
{
	struct cth_wanted *w;

	if (v->reply || !tftp_is_request(v->body))
		return;
	if (!tftp_is_readable(v->body)) {
		cth_note(d, CTH_NOTE_GARBLED);
		return;
	}
	w = cth_want(v, d);
	if (w)
		w->dest = CTH_TO_SELF;
}

static const uint8_t tftp_l4[] = { TFTP_UDP, 0 };

/*
 * An answer is there in a moment, or the client asks again after some seconds, which makes a new
 * expectation if the old one has gone. Two minutes outlast the servers that have to wake a disk
 * or a tape, and the clients that give up later than all others; if the request's own flow does,
 * for an expectation ends with it: net.netfilter.nf_conntrack_udp_timeout, 30 seconds, which is the
 * operator's to raise, and begins anew with each request that is sent again.
 */
const struct cth_proto cth_proto_tftp = {
	.name = "tftp",
	.l4 = tftp_l4,
	.port = 69,
	.classes = { { "tftp", 1, 120 } },
	.wants_l4 = tftp_l4,
	.wants_source = CTH_FROM_PEER,
	.wants_dest = CTH_TO_SELF,
	.decide = tftp_decide,
};
