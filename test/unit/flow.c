/* SPDX-License-Identifier: MIT */
/*
 * flow.c - what conntrack tells of a flow, attribute by attribute, from real kernels and
 * from liars; and what a verdict's ct may say.
 */
#include <sys/socket.h>
#include "unit.h"
#include "golden.h"
#include "../../cthelper/flow.h"
#include "../../netlink/uapi.h"

static uint8_t out[4096];
static struct cth_msg msg;

static int setup(void **state)
{
	(void)state;
	cth_msg_init(&msg, out, sizeof(out));
	return 0;
}

#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

/* Parses a copy that ends at the forbidden page. Views into it are gone afterwards. */
static int flow_of(struct cth_flow *f, const void *bytes, size_t n)
{
	uint8_t *p = guarded(bytes, n);
	int r = cth_flow_parse(f, cth_span(p, n));

	free_guarded(p, n);
	return r;
}

static int tuple_of(struct cth_tuple *t, const void *bytes, size_t n)
{
	return cth_tuple_parse(t, at_the_edge(cth_span(bytes, n)));
}

#define FLOW(f, ...)  flow_of(f, BYTES(__VA_ARGS__))
#define TUPLE(t, ...) tuple_of(t, BYTES(__VA_ARGS__))

/* Attributes, with the system's numbers. */
#define V6(last) 0xfd, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last
#define IPV4 AN(16, CTA_TUPLE_IP), \
	A(4, CTA_IP_V4_SRC), 10, 0, 1, 2, A(4, CTA_IP_V4_DST), 10, 0, 2, 1
#define IPV6 AN(40, CTA_TUPLE_IP), A(16, CTA_IP_V6_SRC), V6(2), A(16, CTA_IP_V6_DST), V6(9)
#define PORTS AN(24, CTA_TUPLE_PROTO), A(1, CTA_PROTO_NUM), 6, 0, 0, 0, \
	A(2, CTA_PROTO_SRC_PORT), B16(40001), 0, 0, A(2, CTA_PROTO_DST_PORT), B16(21), 0, 0
#define TUPLE_BYTES 48 /* of IPV4, PORTS */

static const uint8_t everything[] = {
	AN(TUPLE_BYTES, CTA_TUPLE_ORIG), IPV4, PORTS,
	AN(80, CTA_TUPLE_REPLY), IPV6, PORTS, A(2, CTA_TUPLE_ZONE), B16(7), 0, 0,
	AN(TUPLE_BYTES, CTA_TUPLE_MASTER), IPV4, PORTS,
	A(2, CTA_ZONE), B16(0x0102), 0, 0,
	A(4, CTA_ID), B32(0xdeadbeef),
	A(4, CTA_STATUS), B32(0x18e),
	A(4, CTA_TIMEOUT), B32(431999),
	A(4, CTA_MARK), B32(0x01020304),
	A(4, CTA_USE), B32(2),
	AN(44, CTA_PROTOINFO), AN(40, CTA_PROTOINFO_TCP),
		A(1, CTA_PROTOINFO_TCP_STATE), 3, 0, 0, 0,
		A(1, CTA_PROTOINFO_TCP_WSCALE_ORIGINAL), 7, 0, 0, 0,
		A(1, CTA_PROTOINFO_TCP_WSCALE_REPLY), 8, 0, 0, 0,
		A(2, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL), 0x23, 0xff, 0, 0,
		A(2, CTA_PROTOINFO_TCP_FLAGS_REPLY), 0x33, 0xff, 0, 0,
	AN(24, CTA_COUNTERS_ORIG),
		A(8, CTA_COUNTERS_PACKETS), B64(5), A(8, CTA_COUNTERS_BYTES), B64(0x100000002),
	AN(24, CTA_COUNTERS_REPLY),
		A(8, CTA_COUNTERS_PACKETS), B64(6), A(8, CTA_COUNTERS_BYTES), B64(7),
	AN(24, CTA_TIMESTAMP),
		A(8, CTA_TIMESTAMP_START), B64(0x1122334455667788), A(8, CTA_TIMESTAMP_STOP), B64(9),
	AN(28, CTA_HELP), A(4, CTA_HELP_NAME), 'f', 't', 'p', 0,
		A(16, CTA_HELP_INFO), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	AN(12, CTA_SECCTX), A(5, CTA_SECCTX_NAME), 's', 'e', 'c', 't', 0, 0, 0, 0,
	AN(24, CTA_SEQ_ADJ_ORIG), A(4, CTA_SEQADJ_CORRECTION_POS), B32(1000),
		A(4, CTA_SEQADJ_OFFSET_BEFORE), B32(-3), A(4, CTA_SEQADJ_OFFSET_AFTER), B32(4),
	AN(24, CTA_SEQ_ADJ_REPLY), A(4, CTA_SEQADJ_CORRECTION_POS), B32(0xffffffff),
		A(4, CTA_SEQADJ_OFFSET_BEFORE), B32(0x7fffffff),
		A(4, CTA_SEQADJ_OFFSET_AFTER), B32(0x80000000),
	AN(24, CTA_SYNPROXY), A(4, CTA_SYNPROXY_ISN), B32(1), A(4, CTA_SYNPROXY_ITS), B32(2),
		A(4, CTA_SYNPROXY_TSOFF), B32(3),
	A(16, CTA_LABELS), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80,
};

static void assert_tuple(const struct cth_tuple *t, uint8_t family, const uint8_t *src,
			 const uint8_t *dst)
{
	size_t n = family == AF_INET ? 4 : 16;

	assert_int_equal(t->src.family, family);
	assert_int_equal(t->dst.family, family);
	assert_memory_equal(t->src.b, src, n);
	assert_memory_equal(t->dst.b, dst, n);
	assert_int_equal(t->l4, 6);
	assert_true(t->has_ports);
	assert_false(t->has_icmp);
	assert_int_equal(t->sport, 40001);
	assert_int_equal(t->dport, 21);
}

static void every_attribute_is_read(void **state)
{
	const uint8_t v4src[] = { 10, 0, 1, 2 }, v4dst[] = { 10, 0, 2, 1 };
	const uint8_t v6src[] = { V6(2) }, v6dst[] = { V6(9) };
	uint8_t *p = guarded(everything, sizeof(everything));
	struct cth_flow f;

	(void)state;
	assert_int_equal(cth_flow_parse(&f, cth_span(p, sizeof(everything))), 0);
	assert_int_equal(f.have, ((CTH_FLOW_SYNPROXY << 1) - 1));
	assert_tuple(&f.orig, AF_INET, v4src, v4dst);
	assert_tuple(&f.reply, AF_INET6, v6src, v6dst);
	assert_tuple(&f.master, AF_INET, v4src, v4dst);
	assert_false(f.orig.has_zone);
	assert_true(f.reply.has_zone);
	assert_int_equal(f.reply.zone, 7);
	assert_int_equal(f.zone, 0x0102);
	assert_int_equal(f.id, 0xdeadbeef);
	assert_int_equal(f.status, 0x18e);
	assert_int_equal(f.timeout, 431999);
	assert_int_equal(f.mark, 0x01020304);
	assert_int_equal(f.use, 2);
	assert_int_equal(f.tcp.state, 3);
	assert_int_equal(f.tcp.wscale_orig, 7);
	assert_int_equal(f.tcp.wscale_reply, 8);
	assert_int_equal(f.tcp.flags_orig, 0x23);
	assert_int_equal(f.tcp.flags_reply, 0x33);
	assert_true(f.packets_orig == 5 && f.bytes_orig == 0x100000002);
	assert_true(f.packets_reply == 6 && f.bytes_reply == 7);
	assert_true(f.start == 0x1122334455667788 && f.stop == 9);
	assert_string_equal(f.helper, "ftp");
	assert_bytes(f.info, BYTES(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
	assert_bytes(f.secctx, "sect", 4);
	assert_int_equal(f.seq_orig.position, 1000);
	assert_int_equal(f.seq_orig.before, -3);
	assert_int_equal(f.seq_orig.after, 4);
	assert_int_equal(f.seq_reply.position, 0xffffffff);
	assert_int_equal(f.seq_reply.before, INT32_MAX);
	assert_int_equal(f.seq_reply.after, INT32_MIN);
	assert_int_equal(f.synproxy_isn, 1);
	assert_int_equal(f.synproxy_its, 2);
	assert_int_equal(f.synproxy_tsoff, 3);
	assert_bytes(f.labels, BYTES(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80));
	free_guarded(p, sizeof(everything));
}

static void absent_is_not_zero(void **state)
{
	struct cth_flow f;

	(void)state;
	memset(&f, 0xff, sizeof(f));
	assert_int_equal(cth_flow_parse(&f, cth_span(NULL, 0)), 0);
	assert_int_equal(f.have, 0);
	assert_null(f.info.p);
	assert_null(f.labels.p);
	assert_null(f.secctx.p);
	assert_int_equal(f.orig.src.family, 0);
	assert_string_equal(f.helper, "");
	/* And zero is not absent. */
	assert_int_equal(FLOW(&f, A(4, CTA_MARK), B32(0)), 0);
	assert_int_equal(f.have, CTH_FLOW_MARK);
	assert_int_equal(FLOW(&f, A(2, CTA_ZONE), B16(0), 0, 0), 0);
	assert_int_equal(f.have, CTH_FLOW_ZONE);
	assert_int_equal(FLOW(&f, A(0, CTA_LABELS)), 0);
	assert_non_null(f.labels.p);
	/* An empty nest tells that it is there, and nothing of what is in it. */
	assert_int_equal(FLOW(&f, AN(0, CTA_TUPLE_ORIG), AN(0, CTA_HELP), AN(0, CTA_PROTOINFO),
			      AN(0, CTA_TIMESTAMP), AN(0, CTA_SECCTX), AN(0, CTA_SEQ_ADJ_ORIG),
			      AN(0, CTA_SYNPROXY), AN(0, CTA_COUNTERS_ORIG)), 0);
	assert_int_equal(f.have, CTH_FLOW_ORIG);
}

static void half_of_what_belongs_together_is_not_told(void **state)
{
	struct cth_flow f;

	(void)state;
	/* One direction's counters; packets without bytes. */
	assert_int_equal(FLOW(&f, AN(24, CTA_COUNTERS_ORIG), A(8, CTA_COUNTERS_PACKETS), B64(5),
			      A(8, CTA_COUNTERS_BYTES), B64(6)), 0);
	assert_int_equal(f.have, 0);
	assert_int_equal(FLOW(&f, AN(24, CTA_COUNTERS_ORIG), A(8, CTA_COUNTERS_PACKETS), B64(5),
			      A(8, CTA_COUNTERS_BYTES), B64(6),
			      AN(12, CTA_COUNTERS_REPLY), A(8, CTA_COUNTERS_PACKETS), B64(5)), 0);
	assert_int_equal(f.have, 0);
	assert_int_equal(FLOW(&f, AN(16, CTA_SEQ_ADJ_ORIG), A(4, 1), B32(5), A(4, 2), B32(6)), 0);
	assert_int_equal(f.have, 0);
	assert_int_equal(FLOW(&f, AN(16, CTA_SYNPROXY), A(4, 2), B32(5), A(4, 3), B32(6)), 0);
	assert_int_equal(f.have, 0);
	/* Private data of no helper. */
	assert_int_equal(FLOW(&f, AN(8, CTA_HELP), A(4, CTA_HELP_INFO), 1, 2, 3, 4), 0);
	assert_int_equal(f.have, 0);
	assert_null(f.info.p);
	/* A destroyed flow's TCP has only its state, a living one's time only a start. */
	assert_int_equal(FLOW(&f, AN(12, CTA_PROTOINFO), AN(8, CTA_PROTOINFO_TCP),
			      A(1, CTA_PROTOINFO_TCP_STATE), 8, 0, 0, 0), 0);
	assert_int_equal(f.have, CTH_FLOW_TCP);
	assert_int_equal(f.tcp.state, 8);
	assert_int_equal(f.tcp.flags_orig, 0);
	assert_int_equal(FLOW(&f, AN(12, CTA_TIMESTAMP), A(8, CTA_TIMESTAMP_START), B64(1)), 0);
	assert_int_equal(f.have, CTH_FLOW_START);
}

static void the_old_32_bit_counters_are_read(void **state)
{
	struct cth_flow f;

	(void)state;
	assert_int_equal(FLOW(&f, AN(16, CTA_COUNTERS_ORIG), A(4, CTA_COUNTERS32_PACKETS), B32(1),
			      A(4, CTA_COUNTERS32_BYTES), B32(0xffffffff),
			      AN(16, CTA_COUNTERS_REPLY), A(4, CTA_COUNTERS32_PACKETS), B32(2),
			      A(4, CTA_COUNTERS32_BYTES), B32(3)), 0);
	assert_int_equal(f.have, CTH_FLOW_COUNTERS);
	assert_true(f.packets_orig == 1 && f.bytes_orig == 0xffffffff);
	assert_true(f.packets_reply == 2 && f.bytes_reply == 3);
}

static void other_transports_have_states_too(void **state)
{
	struct cth_flow f;

	(void)state;
	assert_int_equal(FLOW(&f, AN(28, CTA_PROTOINFO), AN(24, CTA_PROTOINFO_SCTP),
			      A(1, CTA_PROTOINFO_SCTP_STATE), 4, 0, 0, 0,
			      A(4, CTA_PROTOINFO_SCTP_VTAG_ORIGINAL), B32(0xa0a1a2a3),
			      A(4, CTA_PROTOINFO_SCTP_VTAG_REPLY), B32(0xb0b1b2b3)), 0);
	assert_int_equal(f.have, CTH_FLOW_SCTP);
	assert_int_equal(f.sctp.state, 4);
	assert_int_equal(f.sctp.vtag_orig, 0xa0a1a2a3);
	assert_int_equal(f.sctp.vtag_reply, 0xb0b1b2b3);
	assert_int_equal(FLOW(&f, AN(32, CTA_PROTOINFO), AN(28, CTA_PROTOINFO_DCCP),
			      A(1, CTA_PROTOINFO_DCCP_STATE), 4, 0, 0, 0,
			      A(1, CTA_PROTOINFO_DCCP_ROLE), 1, 0, 0, 0,
			      A(8, CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ), B64(0x0000112233445566)), 0);
	assert_int_equal(f.have, CTH_FLOW_DCCP);
	assert_int_equal(f.dccp.state, 4);
	assert_int_equal(f.dccp.role, 1);
	assert_true(f.dccp.handshake_seq == 0x112233445566);
}

/* Tuples. */

static void icmp_of_both_families_is_read(void **state)
{
	struct cth_tuple t;

	(void)state;
	assert_int_equal(TUPLE(&t, IPV4, AN(32, CTA_TUPLE_PROTO), A(1, CTA_PROTO_NUM), 1, 0, 0, 0,
			       A(2, CTA_PROTO_ICMP_ID), B16(0x1234), 0, 0,
			       A(1, CTA_PROTO_ICMP_TYPE), 8, 0, 0, 0,
			       A(1, CTA_PROTO_ICMP_CODE), 5, 0, 0, 0), 0);
	assert_true(t.has_icmp);
	assert_false(t.has_ports);
	assert_int_equal(t.l4, 1);
	assert_int_equal(t.icmp_id, 0x1234);
	assert_int_equal(t.icmp_type, 8);
	assert_int_equal(t.icmp_code, 5);
	assert_int_equal(TUPLE(&t, IPV6, AN(32, CTA_TUPLE_PROTO), A(1, CTA_PROTO_NUM), 58, 0, 0, 0,
			       A(2, CTA_PROTO_ICMPV6_ID), B16(0x4321), 0, 0,
			       A(1, CTA_PROTO_ICMPV6_TYPE), 129, 0, 0, 0,
			       A(1, CTA_PROTO_ICMPV6_CODE), 1, 0, 0, 0), 0);
	assert_true(t.has_icmp);
	assert_int_equal(t.l4, 58);
	assert_int_equal(t.icmp_id, 0x4321);
	assert_int_equal(t.icmp_type, 129);
	assert_int_equal(t.icmp_code, 1);
	/* Two of the three. */
	assert_int_equal(TUPLE(&t, IPV4, AN(16, CTA_TUPLE_PROTO),
			       A(2, CTA_PROTO_ICMP_ID), B16(0x1234), 0, 0,
			       A(1, CTA_PROTO_ICMP_TYPE), 8, 0, 0, 0), 0);
	assert_false(t.has_icmp);
}

static void a_protocol_without_ports_has_none(void **state)
{
	struct cth_tuple t;

	(void)state;
	assert_int_equal(TUPLE(&t, IPV4, AN(8, CTA_TUPLE_PROTO),
			       A(1, CTA_PROTO_NUM), 50, 0, 0, 0), 0);
	assert_int_equal(t.l4, 50);
	assert_false(t.has_ports);
	assert_false(t.has_icmp);
	assert_int_equal(TUPLE(&t, IPV4, AN(8, CTA_TUPLE_PROTO),
			       A(2, CTA_PROTO_SRC_PORT), B16(1), 0, 0), 0);
	assert_false(t.has_ports);
	assert_int_equal(TUPLE(&t, AN(8, CTA_TUPLE_IP), A(4, CTA_IP_V4_SRC), 1, 2, 3, 4), 0);
	assert_int_equal(t.src.family, AF_INET);
	assert_int_equal(t.dst.family, 0);
	assert_int_equal(t.l4, 0);
}

static void a_tuple_has_one_family(void **state)
{
	struct cth_tuple t;

	(void)state;
	assert_int_equal(TUPLE(&t, AN(28, CTA_TUPLE_IP), A(4, CTA_IP_V4_SRC), 1, 2, 3, 4,
			       A(16, CTA_IP_V6_DST), V6(1)), -EBADMSG);
	assert_int_equal(TUPLE(&t, AN(28, CTA_TUPLE_IP), A(4, CTA_IP_V4_DST), 1, 2, 3, 4,
			       A(16, CTA_IP_V6_SRC), V6(1)), -EBADMSG);
}

/* Behind an attribute that nobody knows, the same bytes are walked. */
static void the_usual_layout_tells_what_a_walk_would(void **state)
{
	static const uint8_t v4[] = { A(0, 99), IPV4, PORTS }, v6[] = { A(0, 99), IPV6, PORTS };
	static const struct { const uint8_t *p; size_t n; } cases[] = {
		{ v4, sizeof(v4) }, { v6, sizeof(v6) },
	};
	struct cth_tuple usual, walked;
	uint8_t bytes[sizeof(v6)];

	(void)state;
	for (size_t c = 0; c < N_OF(cases); c++)
		for (size_t at = 4; at < cases[c].n; at++)
			for (unsigned flip = 0; flip < 256; flip++) {
				int r;

				memcpy(bytes, cases[c].p, cases[c].n);
				bytes[at] ^= (uint8_t)flip;
				r = tuple_of(&usual, bytes + 4, cases[c].n - 4);
				assert_int_equal(tuple_of(&walked, bytes, cases[c].n), r);
				assert_int_equal(r == 0 ? cth_tuple_equal(&usual, &walked) : 1, 1);
				if (flip == 0)
					assert_int_equal(usual.dport, 21);
			}
}

/* Sizes. */

/* A level around an attribute: how deep, and which nests. */
struct sized {
	unsigned type;
	size_t size;
	unsigned nest[2]; /* the outer one first; 0: none */
};

static const struct sized sizes[] = {
	{ CTA_STATUS, 4, { 0, 0 } }, { CTA_TIMEOUT, 4, { 0, 0 } }, { CTA_MARK, 4, { 0, 0 } },
	{ CTA_USE, 4, { 0, 0 } }, { CTA_ID, 4, { 0, 0 } }, { CTA_ZONE, 2, { 0, 0 } },
	{ CTA_TUPLE_ZONE, 2, { CTA_TUPLE_ORIG, 0 } },
	{ CTA_IP_V4_SRC, 4, { CTA_TUPLE_ORIG, CTA_TUPLE_IP } },
	{ CTA_IP_V4_DST, 4, { CTA_TUPLE_REPLY, CTA_TUPLE_IP } },
	{ CTA_IP_V6_SRC, 16, { CTA_TUPLE_MASTER, CTA_TUPLE_IP } },
	{ CTA_IP_V6_DST, 16, { CTA_TUPLE_ORIG, CTA_TUPLE_IP } },
	{ CTA_PROTO_NUM, 1, { CTA_TUPLE_ORIG, CTA_TUPLE_PROTO } },
	{ CTA_PROTO_SRC_PORT, 2, { CTA_TUPLE_ORIG, CTA_TUPLE_PROTO } },
	{ CTA_PROTO_DST_PORT, 2, { CTA_TUPLE_ORIG, CTA_TUPLE_PROTO } },
	{ CTA_PROTO_ICMP_ID, 2, { CTA_TUPLE_ORIG, CTA_TUPLE_PROTO } },
	{ CTA_PROTO_ICMP_TYPE, 1, { CTA_TUPLE_ORIG, CTA_TUPLE_PROTO } },
	{ CTA_PROTO_ICMP_CODE, 1, { CTA_TUPLE_ORIG, CTA_TUPLE_PROTO } },
	{ CTA_PROTO_ICMPV6_ID, 2, { CTA_TUPLE_ORIG, CTA_TUPLE_PROTO } },
	{ CTA_PROTO_ICMPV6_TYPE, 1, { CTA_TUPLE_ORIG, CTA_TUPLE_PROTO } },
	{ CTA_PROTO_ICMPV6_CODE, 1, { CTA_TUPLE_ORIG, CTA_TUPLE_PROTO } },
	{ CTA_PROTOINFO_TCP_STATE, 1, { CTA_PROTOINFO, CTA_PROTOINFO_TCP } },
	{ CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, 1, { CTA_PROTOINFO, CTA_PROTOINFO_TCP } },
	{ CTA_PROTOINFO_TCP_WSCALE_REPLY, 1, { CTA_PROTOINFO, CTA_PROTOINFO_TCP } },
	{ CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, 2, { CTA_PROTOINFO, CTA_PROTOINFO_TCP } },
	{ CTA_PROTOINFO_TCP_FLAGS_REPLY, 2, { CTA_PROTOINFO, CTA_PROTOINFO_TCP } },
	{ CTA_PROTOINFO_SCTP_STATE, 1, { CTA_PROTOINFO, CTA_PROTOINFO_SCTP } },
	{ CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, 4, { CTA_PROTOINFO, CTA_PROTOINFO_SCTP } },
	{ CTA_PROTOINFO_SCTP_VTAG_REPLY, 4, { CTA_PROTOINFO, CTA_PROTOINFO_SCTP } },
	{ CTA_PROTOINFO_DCCP_STATE, 1, { CTA_PROTOINFO, CTA_PROTOINFO_DCCP } },
	{ CTA_PROTOINFO_DCCP_ROLE, 1, { CTA_PROTOINFO, CTA_PROTOINFO_DCCP } },
	{ CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ, 8, { CTA_PROTOINFO, CTA_PROTOINFO_DCCP } },
	{ CTA_COUNTERS_PACKETS, 8, { CTA_COUNTERS_ORIG, 0 } },
	{ CTA_COUNTERS_BYTES, 8, { CTA_COUNTERS_REPLY, 0 } },
	{ CTA_COUNTERS32_PACKETS, 4, { CTA_COUNTERS_REPLY, 0 } },
	{ CTA_COUNTERS32_BYTES, 4, { CTA_COUNTERS_ORIG, 0 } },
	{ CTA_TIMESTAMP_START, 8, { CTA_TIMESTAMP, 0 } },
	{ CTA_TIMESTAMP_STOP, 8, { CTA_TIMESTAMP, 0 } },
	{ CTA_SEQADJ_CORRECTION_POS, 4, { CTA_SEQ_ADJ_ORIG, 0 } },
	{ CTA_SEQADJ_OFFSET_BEFORE, 4, { CTA_SEQ_ADJ_REPLY, 0 } },
	{ CTA_SEQADJ_OFFSET_AFTER, 4, { CTA_SEQ_ADJ_ORIG, 0 } },
	{ CTA_SYNPROXY_ISN, 4, { CTA_SYNPROXY, 0 } },
	{ CTA_SYNPROXY_ITS, 4, { CTA_SYNPROXY, 0 } },
	{ CTA_SYNPROXY_TSOFF, 4, { CTA_SYNPROXY, 0 } },
};

static int parse_sized(const struct sized *a, size_t n)
{
	static const uint8_t zeros[32];
	struct cth_flow f;
	size_t outer = 0, inner = 0;

	cth_msg_reset(&msg);
	cth_msg_begin_bare(&msg);
	if (a->nest[0])
		outer = cth_msg_nest(&msg, (uint16_t)a->nest[0]);
	if (a->nest[1])
		inner = cth_msg_nest(&msg, (uint16_t)a->nest[1]);
	cth_msg_put(&msg, (uint16_t)a->type, zeros, n);
	if (a->nest[1])
		cth_msg_nest_end(&msg, inner);
	if (a->nest[0])
		cth_msg_nest_end(&msg, outer);
	assert_int_equal(cth_msg_end(&msg), 0);
	return flow_of(&f, cth_msg_bytes(&msg).p, cth_msg_bytes(&msg).n);
}

static void peer_conntrackd_a_short_attribute_is_read_as_a_longer_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(sizes); i++) {
		assert_int_equal(parse_sized(&sizes[i], sizes[i].size), 0);
		assert_int_equal(parse_sized(&sizes[i], sizes[i].size - 1), -ERANGE);
		assert_int_equal(parse_sized(&sizes[i], sizes[i].size + 1), -ERANGE);
	}
}

/* The helper's name and data. */

static void peer_conntrackd_assumes_that_private_data_is_there(void **state)
{
	struct cth_flow f;

	(void)state;
	assert_int_equal(FLOW(&f, AN(8, CTA_HELP), A(4, CTA_HELP_NAME), 'f', 't', 'p', 0), 0);
	assert_int_equal(f.have, CTH_FLOW_HELPER);
	assert_null(f.info.p);
	assert_int_equal(FLOW(&f, AN(12, CTA_HELP), A(4, CTA_HELP_NAME), 'f', 't', 'p', 0,
			      A(0, CTA_HELP_INFO)), 0);
	assert_non_null(f.info.p);
	assert_int_equal(f.info.n, 0);
	/* As long as the kernel's is, not as long as ours would be. */
	assert_int_equal(FLOW(&f, AN(16, CTA_HELP), A(4, CTA_HELP_NAME), 'f', 't', 'p', 0,
			      A(3, CTA_HELP_INFO), 1, 2, 3, 0), 0);
	assert_int_equal(f.info.n, 3);
}

static void private_data_has_32_bytes_at_most(void **state)
{
	struct cth_flow f;
	uint8_t data[64] = { A(4, CTA_HELP_NAME), 'f', 't', 'p', 0 };
	uint8_t level[68] = { AN(48, CTA_HELP) };

	(void)state;
	memcpy(level + 4, data, 8);
	memcpy(level + 12, BYTES(A(32, CTA_HELP_INFO)));
	assert_int_equal(flow_of(&f, level, 48), -EBADMSG); /* cut */
	memcpy(level, BYTES(AN(44, CTA_HELP)));
	assert_int_equal(flow_of(&f, level, 48), 0);
	assert_int_equal(f.info.n, 32);
	memcpy(level, BYTES(AN(48, CTA_HELP)));
	memcpy(level + 12, BYTES(A(33, CTA_HELP_INFO)));
	assert_int_equal(flow_of(&f, level, 52), -ERANGE);
}

static void a_helpers_name_ends_within_16_bytes(void **state)
{
	struct cth_flow f;

	(void)state;
	assert_int_equal(FLOW(&f, AN(20, CTA_HELP), A(16, CTA_HELP_NAME),
			      'e', 'x', 'a', 'c', 't', 'l', 'y', '1', '5',
			      'l', 'e', 't', 't', 'e', 'r', 0), 0);
	assert_string_equal(f.helper, "exactly15letter");
	assert_int_equal(FLOW(&f, AN(20, CTA_HELP), A(16, CTA_HELP_NAME),
			      's', 'i', 'x', 't', 'e', 'e', 'n', 'l', 'e',
			      't', 't', 'e', 'r', 's', '!', '!'), -EINVAL);
	assert_int_equal(FLOW(&f, AN(24, CTA_HELP), A(17, CTA_HELP_NAME),
			      's', 'i', 'x', 't', 'e', 'e', 'n', 'l', 'e',
			      't', 't', 'e', 'r', 's', '!', '!', 0, 0, 0, 0), -ERANGE);
	assert_int_equal(FLOW(&f, AN(8, CTA_HELP), A(1, CTA_HELP_NAME), 0, 0, 0, 0), 0);
	assert_string_equal(f.helper, "");
	assert_int_equal(FLOW(&f, AN(8, CTA_HELP), A(3, CTA_HELP_NAME), 'f', 't', 'p', 0), -EINVAL);
}

static void a_security_context_needs_no_end(void **state)
{
	struct cth_flow f;

	(void)state;
	assert_int_equal(FLOW(&f, AN(8, CTA_SECCTX), A(4, CTA_SECCTX_NAME), 'a', 'b', 'c', 'd'), 0);
	assert_int_equal(f.secctx.n, 4);
	assert_int_equal(FLOW(&f, AN(8, CTA_SECCTX), A(4, CTA_SECCTX_NAME), 'a', 0, 'c', 0), 0);
	assert_int_equal(f.secctx.n, 1);
	assert_int_equal(FLOW(&f, AN(4, CTA_SECCTX), A(0, CTA_SECCTX_NAME)), 0);
	assert_non_null(f.secctx.p);
	assert_int_equal(f.secctx.n, 0);
}

static void what_is_unknown_is_skipped(void **state)
{
	struct cth_flow f;

	(void)state;
	assert_int_equal(FLOW(&f, A(4, 99), B32(1), A(4, CTA_MARK), B32(5), AN(8, CTA_NAT_SRC),
			      A(4, 1), B32(1),
			      A(4, CTA_STATUS_MASK), B32(1), A(3, CTA_MARK_MASK), 1, 2, 3), 0);
	assert_int_equal(f.have, CTH_FLOW_MARK);
	assert_int_equal(f.mark, 5);
}

/* Damage. */

static void parse_flow(struct cth_span bytes, void *ctx)
{
	size_t *good = ctx;
	const char *helper = cth_flow_helper(bytes);
	struct cth_flow f;

	if (helper) /* inside, with its end */
		assert_non_null(memchr(helper, 0, (size_t)(bytes.p + bytes.n - (const uint8_t *)helper)));
	if (cth_flow_parse(&f, bytes) < 0)
		return;
	(*good)++;
	assert_non_null(memchr(f.helper, 0, sizeof(f.helper)));
	/* Which are alike alone and with all else. */
	assert_string_equal(helper ? helper : "", f.helper);
	assert_int_equal(cth_flow_is_picked_up(bytes), f.tcp.flags_orig >> 3 & 1);
	assert_in_range(f.info.n, 0, CTH_FLOW_INFO);
	/* Views lie inside, to their last byte. */
	for (size_t i = 0; i < f.secctx.n; i++)
		assert_in_range((uintptr_t)&f.secctx.p[i], (uintptr_t)bytes.p,
				(uintptr_t)bytes.p + bytes.n - 1);
}

static void parse_tuple(struct cth_span bytes, void *ctx)
{
	size_t *good = ctx;
	struct cth_tuple t;

	if (cth_tuple_parse(&t, bytes) < 0)
		return;
	(*good)++;
	assert_true(t.src.family == 0 || t.src.family == AF_INET || t.src.family == AF_INET6);
	assert_true(t.src.family == t.dst.family || t.src.family == 0 || t.dst.family == 0);
}

static void whatever_comes_stays_inside(void **state)
{
	static const uint8_t tuple[] = { IPV6, PORTS, A(2, CTA_TUPLE_ZONE), B16(7), 0, 0 };
	size_t good = 0;

	(void)state;
	every_truncation(cth_span(everything, sizeof(everything)), parse_flow, &good);
	assert_in_range(good, 20, 60); /* where it is cut between two attributes or in padding */
	good = 0;
	every_byte_value(cth_span(everything, sizeof(everything)), parse_flow, &good);
	assert_in_range(good, sizeof(everything), 256 * sizeof(everything));
	good = 0;
	every_truncation(cth_span(tuple, sizeof(tuple)), parse_tuple, &good);
	assert_in_range(good, 4, 8);
	good = 0;
	every_byte_value(cth_span(tuple, sizeof(tuple)), parse_tuple, &good);
	assert_in_range(good, sizeof(tuple), 256 * sizeof(tuple));
}

/* What a verdict may say. */

static void a_verdicts_ct_is_these_bytes(void **state)
{
	static const uint8_t should[] = {
		AN(20, 5), A(5, 1), 's', 'a', 'n', 'e', 0, 0, 0, 0, A(3, 2), 1, 2, 3, 0,
		A(4, 7), B32(600),
		A(4, 8), B32(0x0000000f), A(4, 21), B32(0x000000ff),
		A(8, 22), 1, 2, 3, 4, 5, 6, 7, 8, A(8, 23), 0xff, 0, 0, 0, 0, 0, 0, 0,
	};

	(void)state;
	cth_msg_begin_bare(&msg);
	assert_int_equal(cth_flow_put_helper(&msg, "sane", cth_span("\1\2\3", 3)), 0);
	cth_flow_put_timeout(&msg, 600);
	cth_flow_put_mark(&msg, 0xffffff0f, 0xff); /* bits outside of the mask would flip */
	assert_int_equal(cth_flow_put_labels(&msg, cth_span("\1\2\3\4\5\6\7\10", 8),
					     cth_span("\377\0\0\0\0\0\0\0", 8)), 0);
	assert_int_equal(cth_msg_end(&msg), 0);
	assert_bytes(cth_msg_bytes(&msg), should, sizeof(should));
}

static void data_can_be_left_alone_and_cleared(void **state)
{
	static const uint8_t left[] = { AN(8, 5), A(4, 1), 'f', 't', 'p', 0 };
	static const uint8_t cleared[] = { AN(12, 5), A(4, 1), 'f', 't', 'p', 0, A(0, 2) };
	static const uint8_t detached[] = { AN(8, 5), A(1, 1), 0, 0, 0, 0 };

	(void)state;
	cth_msg_begin_bare(&msg);
	assert_int_equal(cth_flow_put_helper(&msg, "ftp", cth_span(NULL, 0)), 0);
	assert_int_equal(cth_msg_end(&msg), 0);
	assert_bytes(cth_msg_bytes(&msg), left, sizeof(left));
	cth_msg_reset(&msg);
	cth_msg_begin_bare(&msg);
	assert_int_equal(cth_flow_put_helper(&msg, "ftp", cth_span("", 0)), 0);
	assert_int_equal(cth_msg_end(&msg), 0);
	assert_bytes(cth_msg_bytes(&msg), cleared, sizeof(cleared));
	cth_msg_reset(&msg);
	cth_msg_begin_bare(&msg);
	assert_int_equal(cth_flow_put_helper(&msg, "", cth_span(NULL, 0)), 0);
	assert_int_equal(cth_msg_end(&msg), 0);
	assert_bytes(cth_msg_bytes(&msg), detached, sizeof(detached));
}

static void what_the_kernel_would_spoil_is_not_put(void **state)
{
	static const uint8_t zeros[64];

	(void)state;
	cth_msg_begin_bare(&msg);
	assert_int_equal(cth_flow_put_helper(&msg, "sixteen_letters_", cth_span(NULL, 0)), -EINVAL);
	assert_int_equal(cth_flow_put_helper(&msg, "ftp", cth_span(zeros, 33)), -EINVAL);
	for (size_t n = 0; n <= 20; n++) {
		bool fine = n == 4 || n == 8 || n == 12 || n == 16;

		if (!fine)
			assert_int_equal(cth_flow_put_labels(&msg, cth_span(zeros, n),
					cth_span(NULL, 0)), -EINVAL);
	}
	assert_int_equal(cth_flow_put_labels(&msg, cth_span(zeros, 16), cth_span(zeros, 12)),
			 -EINVAL);
	assert_int_equal(cth_flow_put_labels(&msg, cth_span(zeros, 16), cth_span(zeros, 0)),
			 -EINVAL);
	assert_int_equal(cth_msg_end(&msg), 0);
	assert_int_equal(cth_msg_bytes(&msg).n, 0);
	cth_msg_begin_bare(&msg);
	assert_int_equal(cth_flow_put_helper(&msg, "exactly15letter", cth_span(zeros, 32)), 0);
	assert_int_equal(cth_flow_put_labels(&msg, cth_span(zeros, 16), cth_span(NULL, 0)), 0);
	assert_int_equal(cth_msg_end(&msg), 0);
	assert_int_equal(cth_msg_bytes(&msg).n, 4 + 20 + 36 + 20);
}

static void peer_conntrackd_echoes_the_whole_object(void **state)
{
	struct cth_flow f, back;

	(void)state;
	assert_int_equal(cth_flow_parse(&f, cth_span(everything, sizeof(everything))), 0);
	cth_msg_begin_bare(&msg);
	assert_int_equal(cth_flow_put_helper(&msg, f.helper, f.info), 0);
	assert_int_equal(cth_msg_end(&msg), 0);
	assert_int_equal(flow_of(&back, cth_msg_bytes(&msg).p, cth_msg_bytes(&msg).n), 0);
	/* No status, no timeout, no mark: nothing that others may have changed meanwhile. */
	assert_int_equal(back.have, CTH_FLOW_HELPER);
	assert_null(back.labels.p);
	assert_string_equal(back.helper, "ftp");
	assert_int_equal(back.info.n, f.info.n);
}

/* Detaching. */

static struct script k;
static struct cth_sock s;
static uint8_t answers[4096];
static struct cth_nack nack;

static void kernel(void (*on_send)(struct script *script, struct cth_span datagram))
{
	script_init(&k);
	cth_sock_seam(&s, &k.io, answers, sizeof(answers));
	s.timeout_ms = 0;
	k.on_send = on_send;
	memset(&nack, 0xff, sizeof(nack));
}

static struct cth_tuple tuple_from(const void *bytes, size_t n)
{
	struct cth_tuple t;

	assert_int_equal(tuple_of(&t, bytes, n), 0);
	return t;
}

static void a_detach_names_the_flow_and_no_helper(void **state)
{
	static const uint8_t v4[] = {
		MESSAGE(84, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW,
			NLM_F_REQUEST | NLM_F_ACK, 1, AF_INET, 0),
		AN(TUPLE_BYTES, CTA_TUPLE_ORIG), IPV4, PORTS,
		AN(8, CTA_HELP), A(1, CTA_HELP_NAME), 0, 0, 0, 0,
	};
	static const uint8_t v6[] = {
		MESSAGE(116, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW,
			NLM_F_REQUEST | NLM_F_ACK, 2, AF_INET6, 0),
		AN(72, CTA_TUPLE_ORIG), IPV6, PORTS,
		A(2, CTA_ZONE), B16(0x0102), 0, 0,
		AN(8, CTA_HELP), A(1, CTA_HELP_NAME), 0, 0, 0, 0,
	};
	struct cth_tuple t4 = tuple_from(BYTES(IPV4, PORTS)), t6 = tuple_from(BYTES(IPV6, PORTS));

	(void)state;
	kernel(script_ack_all);
	assert_int_equal(cth_flow_detach(&s, &t4, 0, &nack), 0);
	assert_int_equal(nack.error, 0);
	assert_bytes(script_sent(&k, 0), v4, sizeof(v4));
	assert_int_equal(cth_flow_detach(&s, &t6, 0x0102, NULL), 0);
	assert_bytes(script_sent(&k, 1), v6, sizeof(v6));
	assert_int_equal(k.outs, 2);

	/* And without a socket, into whatever room there is. */
	for (size_t room = 0; room <= sizeof(v6); room++) {
		cth_msg_init(&msg, out, room);
		assert_int_equal(cth_flow_put_detach(&msg, NLM_F_REQUEST | NLM_F_ACK, 2, &t6, 0x0102),
				 room == sizeof(v6) ? 0 : -EMSGSIZE);
	}
	assert_bytes(cth_msg_bytes(&msg), v6, sizeof(v6));
}

/* Every tuple that can be told fits the message. */
static void the_longest_tuple_can_be_detached(void **state)
{
	struct cth_tuple t = tuple_from(BYTES(IPV6, PORTS));

	(void)state;
	kernel(script_ack_all);
	t.l4 = 58;
	t.has_icmp = t.has_zone = true;
	assert_int_equal(cth_flow_detach(&s, &t, 0xffff, &nack), 0);
}

static void a_tuple_that_names_no_flow_is_not_sent(void **state)
{
	struct cth_tuple t;

	(void)state;
	kernel(script_ack_all);
	for (int missing = 0; missing < 4; missing++) {
		t = tuple_from(BYTES(IPV4, PORTS));
		if (missing == 0)
			t.src.family = 0;
		if (missing == 1)
			t.dst.family = 0;
		if (missing == 2)
			t.dst.family = AF_INET6;
		if (missing == 3)
			t.l4 = 0;
		nack.error = -EPERM; /* of a request before */
		assert_int_equal(cth_flow_detach(&s, &t, 0, &nack), -EINVAL);
		assert_int_equal(nack.error, 0);
	}
	memset(&t, 0, sizeof(t));
	assert_int_equal(cth_flow_detach(&s, &t, 0, NULL), -EINVAL);
	assert_int_equal(k.outs, 0);
}

static int refusal;

static void refuse_new(struct script *script, struct cth_span datagram)
{
	struct cth_nlmsg m;

	while (cth_nlmsg_next(&datagram, &m) > 0)
		script_ack(script, m.seq, (m.type & 255) == IPCTNL_MSG_CT_NEW ? refusal : 0);
}

static void refuse_all(struct script *script, struct cth_span datagram)
{
	struct cth_nlmsg m;

	while (cth_nlmsg_next(&datagram, &m) > 0)
		script_ack(script, m.seq, refusal);
}

static void what_the_kernel_says_is_told(void **state)
{
	static const int errors[] = { -ENOENT, -EBUSY, -EPERM, -EINVAL, -EOPNOTSUPP };
	struct cth_tuple t = tuple_from(BYTES(IPV4, PORTS));

	(void)state;
	for (size_t i = 0; i < N_OF(errors); i++) {
		kernel(refuse_new);
		refusal = errors[i];
		assert_int_equal(cth_flow_detach(&s, &t, 0, &nack), errors[i]);
		assert_int_equal(nack.error, errors[i]);
		assert_int_equal(nack.seq, 1);
		assert_int_equal(k.outs, errors[i] == -EINVAL ? 2 : 1);
	}
}

static void a_kernel_without_ctnetlink_is_told(void **state)
{
	struct cth_tuple t = tuple_from(BYTES(IPV4, PORTS));

	(void)state;
	kernel(refuse_all);
	refusal = -EINVAL;
	assert_int_equal(cth_flow_detach(&s, &t, 0, &nack), -EPROTONOSUPPORT);
	assert_int_equal(cth_flow_detach(&s, &t, 0, NULL), -EPROTONOSUPPORT);
}

static void no_answer_and_no_memory_are_told(void **state)
{
	struct cth_tuple t = tuple_from(BYTES(IPV4, PORTS));

	(void)state;
	kernel(NULL);
	assert_int_equal(cth_flow_detach(&s, &t, 0, &nack), -ETIMEDOUT);
	assert_int_equal(nack.error, 0);
	kernel(script_ack_all);
	k.send_error[0] = -ENOBUFS;
	assert_int_equal(cth_flow_detach(&s, &t, 0, &nack), -ENOBUFS);
	assert_int_equal(nack.error, 0);
}

/* Recordings. */

struct seen {
	size_t packets, flows, tracked; /* packets, those with a ct, messages of conntrack's own */
	size_t with_helper, with_info, ipv4, ipv6, icmp, tcp, udp, masters, echoed;
	size_t info_bytes;
	const char *helper;
};

static void see_flow(const struct cth_flow *f, struct seen *seen)
{
	assert_int_equal(f->have & (CTH_FLOW_ORIG | CTH_FLOW_REPLY | CTH_FLOW_ID | CTH_FLOW_STATUS),
			 CTH_FLOW_ORIG | CTH_FLOW_REPLY | CTH_FLOW_ID | CTH_FLOW_STATUS);
	assert_int_equal(f->orig.src.family, f->reply.dst.family);
	assert_int_equal(f->orig.l4, f->reply.l4);
	assert_true(f->orig.has_ports != f->orig.has_icmp);
	assert_true((f->have & CTH_FLOW_TCP) == 0 || f->orig.l4 == 6);
	seen->ipv4 += f->orig.src.family == AF_INET;
	seen->ipv6 += f->orig.src.family == AF_INET6;
	seen->icmp += f->orig.has_icmp;
	seen->tcp += (f->have & CTH_FLOW_TCP) != 0;
	seen->udp += f->orig.l4 == 17;
	seen->masters += (f->have & CTH_FLOW_MASTER) != 0;
	if (f->have & CTH_FLOW_HELPER) {
		seen->with_helper++;
		if (seen->helper)
			assert_string_equal(f->helper, seen->helper);
	}
	if (f->info.p) {
		seen->with_info++;
		seen->info_bytes = f->info.n;
	}
}

/* Finds NFQA_CT among a packet's attributes, without the code of queue/. */
static struct cth_span ct_of(struct cth_span attrs)
{
	struct cth_attr a;

	while (cth_attr_next(&attrs, &a) > 0)
		if (a.type == NFQA_CT)
			return a.value;
	return cth_span(NULL, 0);
}

static void see(struct cth_span datagram, bool to_kernel, void *ctx)
{
	struct seen *seen = ctx;
	struct cth_nlmsg m;
	struct cth_flow f;

	while (cth_nlmsg_next(&datagram, &m) > 0) {
		struct cth_span ct = ct_of(m.attrs);

		if (m.type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT) && ct.p) {
			if (cth_flow_parse(&f, ct) == 0)
				seen->echoed += (f.have & CTH_FLOW_STATUS) != 0;
		}
		if (to_kernel)
			continue;
		if (m.type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW)) {
			seen->tracked++;
			ct = m.attrs;
		} else if (m.type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)) {
			seen->packets++;
			seen->flows += ct.p != NULL;
		} else {
			continue;
		}
		if (!ct.p)
			continue;
		assert_int_equal(cth_flow_parse(&f, ct), 0);
		see_flow(&f, seen);
	}
}

static void recorded_flows_of_every_kind_are_read(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	each_datagram("queue-ct-icmp-udp-tcp-v4v6", see, &seen);
	assert_int_equal(seen.packets, 10);
	assert_int_equal(seen.flows, 6); /* the four of ICMPv6 were not tracked */
	assert_int_equal(seen.icmp, 4);
	assert_int_equal(seen.tcp, 2);
	assert_int_equal(seen.with_helper, 0);
}

static void recorded_helpers_and_their_data_are_read(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	seen.helper = "test";
	each_datagram("helper-behaviours", see, &seen);
	assert_int_equal(seen.packets, 57);
	assert_int_equal(seen.flows, 56); /* one was queued without F_CONNTRACK */
	assert_true(seen.ipv6 > 0);
	assert_true(seen.udp > 0);
	assert_true(seen.with_info > 0);
	assert_int_equal(seen.info_bytes, 16);
	assert_int_equal(seen.tracked, 27);
}

static void recorded_work_of_conntrackd_is_read(void **state)
{
	static const struct {
		const char *name, *helper;
		size_t packets;
	} recordings[] = {
		{ "conntrackd-ftp-v4", "ftp", 83 },
		{ "conntrackd-ftp-v6", "ftp", 32 },
		{ "conntrackd-ftp-masq-port", "ftp", 18 },
		{ "conntrackd-ftp-dnat-pasv", "ftp", 15 },
		{ "conntrackd-tftp-v4v6", "tftp", 2 },
		{ "conntrackd-tftp-masq", "tftp", 1 },
		{ "nft-ct-helper-ftp", "ftp", 44 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(recordings); i++) {
		struct seen seen = { .helper = recordings[i].helper };

		each_datagram(recordings[i].name, see, &seen);
		assert_int_equal(seen.packets, recordings[i].packets);
		assert_int_equal(seen.flows, recordings[i].packets);
		/* Of conntrack's own messages some tell of data connections, which have none. */
		assert_in_range(seen.with_helper, recordings[i].packets,
				recordings[i].packets + seen.tracked);
		if (strcmp(recordings[i].helper, "ftp") == 0)
			assert_int_equal(seen.info_bytes, 24);
		assert_true(seen.echoed > 0); /* the peer's habit, in the peer's verdicts */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_attribute_is_read, setup),
		cmocka_unit_test_setup(absent_is_not_zero, setup),
		cmocka_unit_test_setup(half_of_what_belongs_together_is_not_told, setup),
		cmocka_unit_test_setup(the_old_32_bit_counters_are_read, setup),
		cmocka_unit_test_setup(other_transports_have_states_too, setup),
		cmocka_unit_test_setup(icmp_of_both_families_is_read, setup),
		cmocka_unit_test_setup(a_protocol_without_ports_has_none, setup),
		cmocka_unit_test_setup(a_tuple_has_one_family, setup),
		cmocka_unit_test(the_usual_layout_tells_what_a_walk_would),
		cmocka_unit_test_setup(peer_conntrackd_a_short_attribute_is_read_as_a_longer_one,
				       setup),
		cmocka_unit_test_setup(peer_conntrackd_assumes_that_private_data_is_there, setup),
		cmocka_unit_test_setup(private_data_has_32_bytes_at_most, setup),
		cmocka_unit_test_setup(a_helpers_name_ends_within_16_bytes, setup),
		cmocka_unit_test_setup(a_security_context_needs_no_end, setup),
		cmocka_unit_test_setup(what_is_unknown_is_skipped, setup),
		cmocka_unit_test_setup(whatever_comes_stays_inside, setup),
		cmocka_unit_test_setup(a_verdicts_ct_is_these_bytes, setup),
		cmocka_unit_test_setup(data_can_be_left_alone_and_cleared, setup),
		cmocka_unit_test_setup(what_the_kernel_would_spoil_is_not_put, setup),
		cmocka_unit_test_setup(peer_conntrackd_echoes_the_whole_object, setup),
		cmocka_unit_test_setup(a_detach_names_the_flow_and_no_helper, setup),
		cmocka_unit_test_setup(the_longest_tuple_can_be_detached, setup),
		cmocka_unit_test_setup(a_tuple_that_names_no_flow_is_not_sent, setup),
		cmocka_unit_test_setup(what_the_kernel_says_is_told, setup),
		cmocka_unit_test_setup(a_kernel_without_ctnetlink_is_told, setup),
		cmocka_unit_test_setup(no_answer_and_no_memory_are_told, setup),
		cmocka_unit_test_setup(recorded_flows_of_every_kind_are_read, setup),
		cmocka_unit_test_setup(recorded_helpers_and_their_data_are_read, setup),
		cmocka_unit_test_setup(recorded_work_of_conntrackd_is_read, setup),
	};

	return RUN(tests);
}
