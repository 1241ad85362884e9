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

/* A tuple's attributes, before its nests are read. */
struct tuple_level {
	struct cth_span ip, proto;
	uint16_t zone;
};

enum {
	TUPLE_IP    = 1 << 0,
	TUPLE_PROTO = 1 << 1,
	TUPLE_ZONE  = 1 << 2,
	TUPLE_SRC4  = 1 << 3,
	TUPLE_DST4  = 1 << 4,
	TUPLE_SRC6  = 1 << 5,
	TUPLE_DST6  = 1 << 6,
	TUPLE_SPORT = 1 << 7,
	TUPLE_DPORT = 1 << 8,
	TUPLE_ICMP  = 7 << 9,  /* id, type, code */
	TUPLE_ICMP6 = 7 << 12,
};

#define TUPLE_LEVEL(as, member, part) { as, offsetof(struct tuple_level, member), part }
#define TUPLE_FIELD(as, member, part) { as, offsetof(struct cth_tuple, member), part }

static const struct cth_attr_field tuple_fields[] = {
	[CTA_TUPLE_IP]       = TUPLE_LEVEL(CTH_ATTR_SPAN, ip, TUPLE_IP),
	[CTA_TUPLE_PROTO]    = TUPLE_LEVEL(CTH_ATTR_SPAN, proto, TUPLE_PROTO),
	[CTH_CTA_TUPLE_ZONE] = TUPLE_LEVEL(CTH_ATTR_BE16, zone, TUPLE_ZONE),
};

static const struct cth_attr_field address_fields[] = {
	[CTA_IP_V4_SRC] = TUPLE_FIELD(CTH_ATTR_4, src.b, TUPLE_SRC4),
	[CTA_IP_V4_DST] = TUPLE_FIELD(CTH_ATTR_4, dst.b, TUPLE_DST4),
	[CTA_IP_V6_SRC] = TUPLE_FIELD(CTH_ATTR_16, src.b, TUPLE_SRC6),
	[CTA_IP_V6_DST] = TUPLE_FIELD(CTH_ATTR_16, dst.b, TUPLE_DST6),
};

static const struct cth_attr_field proto_fields[] = {
	[CTA_PROTO_NUM]         = TUPLE_FIELD(CTH_ATTR_U8, l4, 0),
	[CTA_PROTO_SRC_PORT]    = TUPLE_FIELD(CTH_ATTR_BE16, sport, TUPLE_SPORT),
	[CTA_PROTO_DST_PORT]    = TUPLE_FIELD(CTH_ATTR_BE16, dport, TUPLE_DPORT),
	[CTA_PROTO_ICMP_ID]     = TUPLE_FIELD(CTH_ATTR_BE16, icmp_id, 1 << 9),
	[CTA_PROTO_ICMP_TYPE]   = TUPLE_FIELD(CTH_ATTR_U8, icmp_type, 1 << 10),
	[CTA_PROTO_ICMP_CODE]   = TUPLE_FIELD(CTH_ATTR_U8, icmp_code, 1 << 11),
	[CTA_PROTO_ICMPV6_ID]   = TUPLE_FIELD(CTH_ATTR_BE16, icmp_id, 1 << 12),
	[CTA_PROTO_ICMPV6_TYPE] = TUPLE_FIELD(CTH_ATTR_U8, icmp_type, 1 << 13),
	[CTA_PROTO_ICMPV6_CODE] = TUPLE_FIELD(CTH_ATTR_U8, icmp_code, 1 << 14),
};

#define TUPLE_READ(level, table, into, told) \
	cth_attr_read(level, table, sizeof(table) / sizeof((table)[0]), into, told)

static int parse_addresses(struct cth_tuple *t, struct cth_span level)
{
	uint32_t told = 0;
	int r = TUPLE_READ(level, address_fields, t, &told);

	if (r < 0)
		return r;
	if (told & (TUPLE_SRC4 | TUPLE_DST4) && told & (TUPLE_SRC6 | TUPLE_DST6))
		return -EBADMSG;
	if (told & (TUPLE_SRC4 | TUPLE_SRC6))
		t->src.family = told & TUPLE_SRC4 ? AF_INET : AF_INET6;
	if (told & (TUPLE_DST4 | TUPLE_DST6))
		t->dst.family = told & TUPLE_DST4 ? AF_INET : AF_INET6;
	return 0;
}

/* Both ports, and all three of ICMP or of ICMPv6; half of that is nothing. */
static int parse_proto(struct cth_tuple *t, struct cth_span level)
{
	uint32_t told = 0, icmp;
	int r = TUPLE_READ(level, proto_fields, t, &told);

	if (r < 0)
		return r;
	t->has_ports = told & TUPLE_SPORT && told & TUPLE_DPORT;
	if (!t->has_ports)
		t->sport = t->dport = 0;
	icmp = told & (TUPLE_ICMP | TUPLE_ICMP6);
	t->has_icmp = icmp == TUPLE_ICMP || icmp == TUPLE_ICMP6;
	if (!t->has_icmp)
		t->icmp_id = t->icmp_type = t->icmp_code = 0;
	return 0;
}

/* Attribute by attribute. */
static int tuple_walk(struct cth_tuple *t, struct cth_span attrs)
{
	struct tuple_level l;
	uint32_t told = 0;
	int r = TUPLE_READ(attrs, tuple_fields, &l, &told);

	if (r == 0 && told & TUPLE_IP)
		r = parse_addresses(t, l.ip);
	if (r == 0 && told & TUPLE_PROTO)
		r = parse_proto(t, l.proto);
	if (r == 0 && told & TUPLE_ZONE) {
		t->has_zone = true;
		t->zone = l.zone;
	}
	return r;
}

/* Where an attribute's header is, and its two halves: length, type. */
struct tuple_header {
	uint16_t at, whole[2];
};

#define TUPLE_HEADERS 7

/* With addresses of a bytes. */
#define TUPLE_LAYOUT(a, src_type, dst_type) { \
	{ 0, { 12 + 2 * (a), NLA_F_NESTED | CTA_TUPLE_IP } }, \
	{ 4, { 4 + (a), src_type } }, \
	{ 8 + (a), { 4 + (a), dst_type } }, \
	{ 12 + 2 * (a), { 28, NLA_F_NESTED | CTA_TUPLE_PROTO } }, \
	{ 16 + 2 * (a), { 5, CTA_PROTO_NUM } }, \
	{ 24 + 2 * (a), { 6, CTA_PROTO_SRC_PORT } }, \
	{ 32 + 2 * (a), { 6, CTA_PROTO_DST_PORT } } }
#define TUPLE_USUAL(a) (40 + 2 * (a)) /* bytes in all: the one bound */

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
	} else {
		memcpy(t->src.b, p + 8, 16);
		memcpy(t->dst.b, p + 28, 16);
	}
	p += b.n; /* the rest counts from the end */
	t->l4 = p[-20];
	t->has_ports = true;
	t->sport = cth_be16(p - 12);
	t->dport = cth_be16(p - 4);
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
