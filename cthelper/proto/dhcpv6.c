/* SPDX-License-Identifier: MIT */
/*
 * dhcpv6.c - the Dynamic Host Configuration Protocol for IPv6: RFC 8415. A client asks whoever is
 * there, and any of those may answer, from an address of its own:
 *
 *     client, port 546 --- Solicit, Request, Renew, ... ---> ff02::1:2, port 547
 *     client, port 546 <--- Advertise, Reply --------------- a server or a relay, any port
 *
 *      1 byte   3 bytes          2      2       length
 *     +------+----------------+------+--------+--------+------+-----
 *     | type | transaction id | code | length | option | code | ...
 *     +------+----------------+------+--------+--------+------+-----
 *
 * All that a client asks has the same ports and addresses: it is one flow, and one expectation goes
 * with it, for as long as the flow lasts; so it is the flow's timeout that tells how long a client
 * waits, which depends on what it asked.
 *
 * What relays exchange with servers has no need of a helper: a relay's port is open to clients
 * anyway.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include "../proto.h"

#define DHCPV6_CLIENT  546
#define DHCPV6_LONGEST 3960 /* seconds, see below */
#define DHCPV6_HEADER  4u
#define DHCPV6_OPTION  4u

/*
 * How long a client may wait before it asks again, or gives up: the last and longest time of part
 * 7.6, and a tenth more, as part 15 has it chosen around that.
 */
static const struct {
	uint8_t type;
	uint16_t seconds;
} dhcpv6_waits[] = {
	{ 1, DHCPV6_LONGEST },  /* Solicit: SOL_MAX_RT 3600 */
	{ 3, 33 },              /* Request: REQ_MAX_RT 30 */
	{ 4, 10 },              /* Confirm: CNF_MAX_RD 10, which is the end of it */
	{ 5, 660 },             /* Renew: REN_MAX_RT 600 */
	{ 6, 660 },             /* Rebind: REB_MAX_RT 600 */
	{ 8, 11 },              /* Release: REL_MAX_RC 4, doubled from REL_TIMEOUT 1 on */
	{ 9, 11 },              /* Decline: DEC_MAX_RC 4, the same */
	{ 11, DHCPV6_LONGEST }, /* Information-request: INF_MAX_RT 3600 */
};

/* All_DHCP_Relay_Agents_and_Servers */
static const struct cth_addr dhcpv6_all = { AF_INET6, { 0xff, 2, [13] = 1, [15] = 2 } };

/* Seconds; 0: this is nothing that a client asks. */
static uint32_t dhcpv6_wait(uint8_t type)
{
	for (size_t i = 0; i < sizeof(dhcpv6_waits) / sizeof(dhcpv6_waits[0]); i++)
		if (dhcpv6_waits[i].type == type)
			return dhcpv6_waits[i].seconds;
	return 0;
}

/* What they are is the server's business; that they are any is asked of whoever opens a port. */
static bool dhcpv6_is_readable(struct cth_span body)
{
	struct cth_span rest = cth_span_sub(body, DHCPV6_HEADER, body.n - DHCPV6_HEADER);

	if (!rest.p)
		return false;
	while (rest.n >= DHCPV6_OPTION) {
		size_t n = DHCPV6_OPTION + cth_be16(rest.p + 2);

		if (n > rest.n)
			return false;
		rest = cth_span_sub(rest, n, rest.n - n);
	}
	return rest.n == 0;
}

static void dhcpv6_decide(const struct cth_view *v, struct cth_decision *d)
{
	uint32_t wait = dhcpv6_wait(v->body.p[0]);

	if (v->reply || v->self_port != DHCPV6_CLIENT || !cth_addr_equal(&v->peer, &dhcpv6_all) ||
	    wait == 0)
		return;
	if (!dhcpv6_is_readable(v->body)) {
		cth_note(d, CTH_NOTE_GARBLED);
		return;
	}
	(void)cth_want_answers(v, d, 0);
	d->timeout = wait;
}

static const uint8_t dhcpv6_l4[] = { IPPROTO_UDP, 0 };

/* The flow ends an expectation: with each question its own time begins anew, and is no shorter. */
const struct cth_proto cth_proto_dhcpv6 = {
	.name = "dhcpv6",
	.l4 = dhcpv6_l4,
	.family = AF_INET6,
	.port = 547,
	.classes = { { "dhcpv6", 1, DHCPV6_LONGEST } },
	.wants_l4 = dhcpv6_l4,
	.wants_source = CTH_FROM_ANY,
	.wants_dest = CTH_TO_SELF,
	.wants_flags = CTH_WANT_PERMANENT,
	.longest = DHCPV6_LONGEST,
	.decide = dhcpv6_decide,
};
