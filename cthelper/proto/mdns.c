/* SPDX-License-Identifier: MIT */
/*
 * mdns.c - Multicast DNS: RFC 6762. Who only wants to know something, and is not himself of those
 * who answer, asks from a port of his own, and is answered directly (parts 5.1 and 6.7):
 *
 *     host, port C --- query ---> 224.0.0.251 or ff02::fb, port 5353
 *     host, port C <-- answer --- port 5353 of each host on the link that knows
 *
 *      2 bytes                                                       1 to 255  2     2 bytes
 *     +----+-------+-----------+---------+-------------+------------+------+------+-------+--
 *     | id | flags | questions | answers | authorities | additional | name | type | class | ...
 *     +----+-------+-----------+---------+-------------+------------+------+------+-------+--
 *             '-- QR: 0 in a query; OPCODE and RCODE: 0, or it is to be ignored (part 18)
 *
 * Those who ask from port 5353 are answered to the group, if not to their own port 5353, which is
 * open to the link anyway. Of the questions the first one tells whether it is any: the others
 * change nothing in who may answer.
 */
#include <sys/socket.h>
#include "../proto.h"

#define MDNS_UDP  17
#define MDNS_PORT 5353

enum {
	MDNS_FLAGS      = 2,
	MDNS_QUESTIONS  = 4,
	MDNS_HEADER_LEN = 12,
	MDNS_LABEL_MAX  = 63,  /* RFC 1035, part 2.3.4, and so are names' */
	MDNS_NAME_MAX   = 255,
	MDNS_NO_QUERY   = 0xf80f, /* QR, OPCODE, RCODE */
};

static bool mdns_is_group(const struct cth_addr *a)
{
	static const struct cth_addr ipv4 = { AF_INET, { 224, 0, 0, 251 } };
	static const struct cth_addr ipv6 = { AF_INET6, { 0xff, 2, [15] = 0xfb } };

	return cth_addr_equal(a, &ipv4) || cth_addr_equal(a, &ipv6);
}

/* Bytes of the name in front, with its end; 0: it is none. The first one can point to no other. */
static size_t mdns_name_len(struct cth_span s)
{
	size_t at = 0;

	while (at < s.n && at < MDNS_NAME_MAX && s.p[at] <= MDNS_LABEL_MAX) {
		if (s.p[at] == 0)
			return at + 1;
		at += 1u + s.p[at];
	}
	return 0;
}

static bool mdns_asks(struct cth_span body)
{
	struct cth_span question = cth_span_sub(body, MDNS_HEADER_LEN, body.n - MDNS_HEADER_LEN);
	size_t name = mdns_name_len(question);

	return cth_be16(body.p + MDNS_QUESTIONS) > 0 && name > 0 &&
	       cth_span_sub(question, name, 4).p;
}

static void mdns_decide(const struct cth_view *v, struct cth_decision *d)
{
	if (v->reply || v->self_port == MDNS_PORT || v->peer_port != MDNS_PORT ||
	    !mdns_is_group(&v->peer))
		return;
	if (v->body.n >= MDNS_HEADER_LEN && cth_be16(v->body.p + MDNS_FLAGS) & MDNS_NO_QUERY)
		return;
	if (v->body.n < MDNS_HEADER_LEN || !mdns_asks(v->body)) {
		cth_note(d, CTH_NOTE_GARBLED);
		return;
	}
	(void)cth_want_answers(v, d, MDNS_PORT);
}

static const uint8_t mdns_l4[] = { MDNS_UDP, 0 };

/*
 * One expectation does for all who answer, and for all that is asked from this port: each question
 * has it last as long again. They answer within half a second (parts 6 and 7.2); who is slower has
 * as long as resolvers wait before they ask again.
 */
const struct cth_proto cth_proto_mdns = {
	.name = "mdns",
	.l4 = mdns_l4,
	.port = MDNS_PORT,
	.classes = { { "mdns", 1, 5 } },
	.wants_l4 = mdns_l4,
	.wants_source = CTH_FROM_ANY,
	.wants_dest = CTH_TO_SELF,
	.wants_flags = CTH_WANT_PERMANENT,
	.decide = mdns_decide,
};
