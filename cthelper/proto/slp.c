/* SPDX-License-Identifier: MIT */
/*
 * slp.c - the Service Location Protocol, version 2: RFC 2608, and RFC 3111 for IPv6. Whoever looks
 * for a service, or for an agent that knows some, asks all, and each that has an answer sends it
 * to the port that the question came from (RFC 2608, part 6.1):
 *
 *     user agent, port C --- request ---> 239.255.255.253, a broadcast address, ff0x::..., port 427
 *     user agent, port C <-- reply ------ port 427 of each agent that has an answer
 *
 *      1 byte    1          3        2       3           2     2              2
 *     +---------+----------+--------+-------+-----------+-----+-----+--------+-----+--------+--
 *     | version | function | length | flags | extension | XID | len | "en"   | len | PRList | ...
 *     +---------+----------+--------+-------+-----------+-----+-----+--------+-----+--------+--
 *       2         1, 6, 9    of all   0x2000: to many                  who has answered
 *
 * The flag tells a request to many, whom it may concern, from one to a single agent, whose reply
 * belongs to the request's own flow. What follows the list of those who have answered already is
 * for the agents to judge.
 */
#include <sys/socket.h>
#include "../proto.h"

#define SLP_UDP  17
#define SLP_PORT 427

enum {
	SLP_VERSION    = 2,
	SLP_FUNCTION   = 1,
	SLP_LENGTH     = 1,      /* three bytes, behind the function */
	SLP_FLAGS      = 5,
	SLP_HEADER_LEN = 12,     /* up to the language's length */
	SLP_TO_MANY    = 0x2000,
	SLP_SRV_RQST = 1, SLP_ATTR_RQST = 6, SLP_SRV_TYPE_RQST = 9,
};

/*
 * A network's own broadcast address is known to its hosts alone; of a /24 or larger it ends so. A
 * host may have such an address, too: who asks it could as well have asked all.
 */
static bool slp_is_ipv4_many(const uint8_t *b)
{
	static const uint8_t group[] = { 239, 255, 255, 253 };

	return memcmp(b, group, sizeof(group)) == 0 || b[3] == 255;
}

/* RFC 3111, part 4.1: groups for agents, for directory agents, and by a hash of what is sought. */
static bool slp_is_ipv6_many(const uint8_t *b)
{
	static const uint8_t zeros[10];
	uint32_t group = cth_be32(b + 12);

	return b[0] == 0xff && b[1] < 0x10 && memcmp(b + 2, zeros, sizeof(zeros)) == 0 &&
	       (group == 0x116 || group == 0x123 || (group >= 0x11000 && group <= 0x113ff));
}

static bool slp_is_many(const struct cth_addr *a)
{
	return a->family == AF_INET6 ? slp_is_ipv6_many(a->b) : slp_is_ipv4_many(a->b);
}

static bool slp_is_request(struct cth_span body)
{
	uint8_t function = body.p[SLP_FUNCTION];

	return body.p[0] == SLP_VERSION && cth_be16(body.p + SLP_FLAGS) & SLP_TO_MANY &&
	       (function == SLP_SRV_RQST || function == SLP_ATTR_RQST ||
		function == SLP_SRV_TYPE_RQST);
}

/* Takes a string with its length off the front; false: it is not all there. */
static bool slp_string(struct cth_span *rest, size_t *len)
{
	struct cth_span n = cth_span_sub(*rest, 0, 2);

	*len = n.p ? cth_be16(n.p) : 0;
	if (!n.p || *len > rest->n - 2)
		return false;
	*rest = cth_span_sub(*rest, 2 + *len, rest->n - 2 - *len);
	return true;
}

static bool slp_is_readable(struct cth_span body)
{
	struct cth_span rest = cth_span_sub(body, SLP_HEADER_LEN, body.n - SLP_HEADER_LEN);
	size_t language, answered;

	return (cth_be32(body.p + SLP_LENGTH) & 0xffffff) == body.n &&
	       slp_string(&rest, &language) && language > 0 && slp_string(&rest, &answered);
}

static void slp_decide(const struct cth_view *v, struct cth_decision *d)
{
	if (v->reply || v->peer_port != SLP_PORT || !slp_is_many(&v->peer))
		return;
	if (v->body.n >= SLP_HEADER_LEN && !slp_is_request(v->body))
		return;
	if (v->body.n < SLP_HEADER_LEN || !slp_is_readable(v->body)) {
		cth_note(d, CTH_NOTE_GARBLED);
		return;
	}
	(void)cth_want_answers(v, d, SLP_PORT);
}

static const uint8_t slp_l4[] = { SLP_UDP, 0 };

/*
 * A request is sent again and again for CONFIG_MC_MAX, 15 seconds, each time with more of those who
 * have answered (RFC 2608, parts 6.3 and 13): one expectation does for all of it, and a second more
 * for the last replies. Who is to go on for longer renews it by each request.
 */
const struct cth_proto cth_proto_slp = {
	.name = "slp",
	.l4 = slp_l4,
	.port = SLP_PORT,
	.classes = { { "slp", 1, 16 } },
	.wants_l4 = slp_l4,
	.wants_source = CTH_FROM_ANY,
	.wants_dest = CTH_TO_SELF,
	.wants_flags = CTH_WANT_PERMANENT,
	.decide = slp_decide,
};
