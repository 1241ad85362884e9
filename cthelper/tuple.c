/* SPDX-License-Identifier: MIT */
/*
 * tuple.c - one direction of a flow: who speaks to whom, over what. Answers to
 * CTA_TUPLE_* of linux/netfilter/nfnetlink_conntrack.h:
 *
 *     IP     | V4_SRC 4 | V4_DST 4 |  or  | V6_SRC 16 | V6_DST 16 |
 *     PROTO  | NUM u8 | and, by protocol, | SRC_PORT be16 | DST_PORT be16 |
 *                                      or | ICMP_ID be16 | ICMP_TYPE u8 | ICMP_CODE u8 |
 *                                      or | the same three under numbers of ICMPv6 |
 *     ZONE   be16, when this direction has one of its own
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "flow.h"
#include "../netlink/uapi.h"

#define CTH_CTA_TUPLE_ZONE 3 /* 4.3 */

static const struct cth_attr_rule tuple_rules[] = {
	[CTA_TUPLE_IP]       = { 0, CTH_ATTR_ANY, false },
	[CTA_TUPLE_PROTO]    = { 0, CTH_ATTR_ANY, false },
	[CTH_CTA_TUPLE_ZONE] = { 2, 2, false },
};

static const struct cth_attr_rule address_rules[] = {
	[CTA_IP_V4_SRC] = { 4, 4, false },
	[CTA_IP_V4_DST] = { 4, 4, false },
	[CTA_IP_V6_SRC] = { 16, 16, false },
	[CTA_IP_V6_DST] = { 16, 16, false },
};

static const struct cth_attr_rule proto_rules[] = {
	[CTA_PROTO_NUM]         = { 1, 1, false },
	[CTA_PROTO_SRC_PORT]    = { 2, 2, false },
	[CTA_PROTO_DST_PORT]    = { 2, 2, false },
	[CTA_PROTO_ICMP_ID]     = { 2, 2, false },
	[CTA_PROTO_ICMP_TYPE]   = { 1, 1, false },
	[CTA_PROTO_ICMP_CODE]   = { 1, 1, false },
	[CTA_PROTO_ICMPV6_ID]   = { 2, 2, false },
	[CTA_PROTO_ICMPV6_TYPE] = { 1, 1, false },
	[CTA_PROTO_ICMPV6_CODE] = { 1, 1, false },
};

#define TUPLE_RULES   (sizeof(tuple_rules) / sizeof(tuple_rules[0]))
#define ADDRESS_RULES (sizeof(address_rules) / sizeof(address_rules[0]))
#define PROTO_RULES   (sizeof(proto_rules) / sizeof(proto_rules[0]))

static void take_address(struct cth_addr *a, struct cth_span v4, struct cth_span v6)
{
	struct cth_span v = v4.p ? v4 : v6;

	if (!v.p)
		return;
	a->family = v4.p ? AF_INET : AF_INET6;
	memcpy(a->b, v.p, v.n);
}

static int parse_addresses(struct cth_tuple *t, struct cth_span level)
{
	struct cth_span v[ADDRESS_RULES];
	int r = cth_attr_index(level, address_rules, ADDRESS_RULES, v);

	if (r < 0)
		return r;
	if ((v[CTA_IP_V4_SRC].p || v[CTA_IP_V4_DST].p) &&
	    (v[CTA_IP_V6_SRC].p || v[CTA_IP_V6_DST].p))
		return -EBADMSG;
	take_address(&t->src, v[CTA_IP_V4_SRC], v[CTA_IP_V6_SRC]);
	take_address(&t->dst, v[CTA_IP_V4_DST], v[CTA_IP_V6_DST]);
	return 0;
}

/* id, type and code, of ICMP or ICMPv6: all three or none. */
static void take_icmp(struct cth_tuple *t, const struct cth_span *v)
{
	if (!v[0].p || !v[1].p || !v[2].p)
		return;
	t->has_icmp = true;
	t->icmp_id = cth_be16(v[0].p);
	t->icmp_type = v[1].p[0];
	t->icmp_code = v[2].p[0];
}

static int parse_proto(struct cth_tuple *t, struct cth_span level)
{
	struct cth_span v[PROTO_RULES];
	int r = cth_attr_index(level, proto_rules, PROTO_RULES, v);

	if (r < 0)
		return r;
	if (v[CTA_PROTO_NUM].p)
		t->l4 = v[CTA_PROTO_NUM].p[0];
	if (v[CTA_PROTO_SRC_PORT].p && v[CTA_PROTO_DST_PORT].p) {
		t->has_ports = true;
		t->sport = cth_be16(v[CTA_PROTO_SRC_PORT].p);
		t->dport = cth_be16(v[CTA_PROTO_DST_PORT].p);
	}
	take_icmp(t, &v[CTA_PROTO_ICMP_ID]);
	take_icmp(t, &v[CTA_PROTO_ICMPV6_ID]);
	return 0;
}

/* Attribute by attribute. */
static int tuple_walk(struct cth_tuple *t, struct cth_span attrs)
{
	struct cth_span v[TUPLE_RULES];
	int r = cth_attr_index(attrs, tuple_rules, TUPLE_RULES, v);

	if (r == 0 && v[CTA_TUPLE_IP].p)
		r = parse_addresses(t, v[CTA_TUPLE_IP]);
	if (r == 0 && v[CTA_TUPLE_PROTO].p)
		r = parse_proto(t, v[CTA_TUPLE_PROTO]);
	if (r == 0 && v[CTH_CTA_TUPLE_ZONE].p) {
		t->has_zone = true;
		t->zone = cth_be16(v[CTH_CTA_TUPLE_ZONE].p);
	}
	return r;
}

/* Headers of attributes: where, length, type. */
struct tuple_header {
	uint16_t at, whole[2];
};

#define TUPLE_HEADERS 7
#define TUPLE_LAYOUT(a, src_type, dst_type) { \
	{ 0, { 12 + 2 * (a), NLA_F_NESTED | CTA_TUPLE_IP } }, \
	{ 4, { 4 + (a), src_type } }, \
	{ 8 + (a), { 4 + (a), dst_type } }, \
	{ 12 + 2 * (a), { 28, NLA_F_NESTED | CTA_TUPLE_PROTO } }, \
	{ 16 + 2 * (a), { 5, CTA_PROTO_NUM } }, \
	{ 24 + 2 * (a), { 6, CTA_PROTO_SRC_PORT } }, \
	{ 32 + 2 * (a), { 6, CTA_PROTO_DST_PORT } } }
#define TUPLE_USUAL(a) (40 + 2 * (a)) /* bytes in all */

static const struct tuple_header tuple_v4[] = TUPLE_LAYOUT(4, CTA_IP_V4_SRC, CTA_IP_V4_DST);
static const struct tuple_header tuple_v6[] = TUPLE_LAYOUT(16, CTA_IP_V6_SRC, CTA_IP_V6_DST);

/*
 * What kernels send of a protocol with ports is laid out always alike. If all seven headers
 * say so, the values are where they are then; else nothing is read, and what is there is walked.
 */
static bool tuple_usual(struct cth_tuple *t, struct cth_span b)
{
	bool v4 = b.n == TUPLE_USUAL(4);
	const struct tuple_header *h = v4 ? tuple_v4 : tuple_v6;
	const uint8_t *p = b.p;

	if (!v4 && b.n != TUPLE_USUAL(16))
		return false;
	for (const struct tuple_header *end = h + TUPLE_HEADERS; h < end; h++)
		if (cth_host32(p + h->at) != cth_host32((const uint8_t *)h->whole))
			return false;
	t->src.family = t->dst.family = v4 ? AF_INET : AF_INET6;
	if (v4) {
		memcpy(t->src.b, p + 8, 4);
		memcpy(t->dst.b, p + 16, 4);
		p += 12 + 2 * 4;
	} else {
		memcpy(t->src.b, p + 8, 16);
		memcpy(t->dst.b, p + 28, 16);
		p += 12 + 2 * 16;
	}
	t->l4 = p[8];
	t->has_ports = true;
	t->sport = cth_be16(p + 16);
	t->dport = cth_be16(p + 24);
	return true;
}

int cth_tuple_parse(struct cth_tuple *t, struct cth_span attrs)
{
	memset(t, 0, sizeof(*t));
	return tuple_usual(t, attrs) ? 0 : tuple_walk(t, attrs);
}

/* The other way. */

static void put_address(struct cth_msg *m, uint16_t v4, uint16_t v6, const struct cth_addr *a)
{
	if (a->family == AF_INET)
		cth_msg_put(m, v4, a->b, 4);
	else if (a->family == AF_INET6)
		cth_msg_put(m, v6, a->b, 16);
}

static void put_icmp(struct cth_msg *m, const struct cth_tuple *t)
{
	bool v6 = t->l4 == IPPROTO_ICMPV6;

	cth_msg_put_be16(m, v6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID, t->icmp_id);
	cth_msg_put_u8(m, v6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE, t->icmp_type);
	cth_msg_put_u8(m, v6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE, t->icmp_code);
}

static void put_proto(struct cth_msg *m, const struct cth_tuple *t)
{
	cth_msg_put_u8(m, CTA_PROTO_NUM, t->l4);
	if (t->has_ports) {
		cth_msg_put_be16(m, CTA_PROTO_SRC_PORT, t->sport);
		cth_msg_put_be16(m, CTA_PROTO_DST_PORT, t->dport);
	}
	if (t->has_icmp)
		put_icmp(m, t);
}

void cth_tuple_put(struct cth_msg *m, const struct cth_tuple *t)
{
	size_t nest;

	if (t->src.family || t->dst.family) {
		nest = cth_msg_nest(m, CTA_TUPLE_IP);
		put_address(m, CTA_IP_V4_SRC, CTA_IP_V6_SRC, &t->src);
		put_address(m, CTA_IP_V4_DST, CTA_IP_V6_DST, &t->dst);
		cth_msg_nest_end(m, nest);
	}
	if (t->l4 || t->has_ports || t->has_icmp) {
		nest = cth_msg_nest(m, CTA_TUPLE_PROTO);
		put_proto(m, t);
		cth_msg_nest_end(m, nest);
	}
	if (t->has_zone)
		cth_msg_put_be16(m, CTH_CTA_TUPLE_ZONE, t->zone);
}

size_t cth_addr_len(const struct cth_addr *a)
{
	return a->family == AF_INET ? 4 : a->family == AF_INET6 ? 16 : 0;
}

bool cth_addr_equal(const struct cth_addr *a, const struct cth_addr *b)
{
	return a->family == b->family && memcmp(a->b, b->b, cth_addr_len(a)) == 0;
}

static bool same_ports(const struct cth_tuple *a, const struct cth_tuple *b)
{
	return a->has_ports == b->has_ports &&
	       (!a->has_ports || (a->sport == b->sport && a->dport == b->dport));
}

static bool same_icmp(const struct cth_tuple *a, const struct cth_tuple *b)
{
	return a->has_icmp == b->has_icmp &&
	       (!a->has_icmp || (a->icmp_id == b->icmp_id && a->icmp_type == b->icmp_type &&
				 a->icmp_code == b->icmp_code));
}

static bool same_zone(const struct cth_tuple *a, const struct cth_tuple *b)
{
	return a->has_zone == b->has_zone && (!a->has_zone || a->zone == b->zone);
}

bool cth_tuple_equal(const struct cth_tuple *a, const struct cth_tuple *b)
{
	return cth_addr_equal(&a->src, &b->src) && cth_addr_equal(&a->dst, &b->dst) &&
	       a->l4 == b->l4 && same_ports(a, b) && same_icmp(a, b) && same_zone(a, b);
}
