/* SPDX-License-Identifier: MIT */
/*
 * expect.c - expectations: their messages against golden bytes and against what kernels have
 * said, their parser against lies, and their functions against a table that answers as the
 * kernel's does: by what a tuple meets, not by what it is.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include "unit.h"
#include "golden.h"
#include "../../cthelper/expect.h"
#include "../../queue/pkt.h"
#include "../../netlink/uapi.h"

#define NEW    (NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_NEW)
#define STATS  (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS)
#define GET    (NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_GET)
#define DELETE (NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_DELETE)

static struct script k;
static struct cth_sock s;
static uint8_t answers[CTH_SOCK_BUF];
static uint8_t out[8192];
static struct cth_msg msg;
static struct cth_nack nack;

static int setup(void **state)
{
	(void)state;
	script_init(&k);
	cth_sock_seam(&s, &k.io, answers, sizeof(answers));
	s.timeout_ms = 0;
	cth_msg_init(&msg, out, sizeof(out));
	memset(&nack, 0xff, sizeof(nack));
	return 0;
}

/* Tuples and expectations to work with. */

static struct cth_addr ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	struct cth_addr at = { AF_INET, { a, b, c, d } };

	return at;
}

static struct cth_addr ipv6(uint8_t net, uint8_t last)
{
	struct cth_addr at = { AF_INET6, { 0xfd, net } };

	at.b[15] = last;
	return at;
}

static struct cth_tuple flow(struct cth_addr src, struct cth_addr dst, uint8_t l4,
			     uint16_t sport, uint16_t dport)
{
	struct cth_tuple t = { .src = src, .dst = dst, .l4 = l4, .has_ports = true,
			       .sport = sport, .dport = dport };

	return t;
}

/* The data connection that a server's 227 announces: from the client, any port. */
static struct cth_expect passive(uint16_t port)
{
	struct cth_expect e = { .have = CTH_EXPECT_TUPLE | CTH_EXPECT_MASK | CTH_EXPECT_MASTER };

	e.tuple = flow(ipv4(10, 0, 1, 2), ipv4(10, 0, 2, 2), IPPROTO_TCP, 0, port);
	e.mask.src = ipv4(255, 255, 255, 255);
	e.master = flow(ipv4(10, 0, 1, 2), ipv4(10, 0, 2, 2), IPPROTO_TCP, 57086, 21);
	return e;
}

/* One with every part, of IPv6. */
static struct cth_expect everything(void)
{
	struct cth_expect e = { .have = (1 << 11) - 1 };

	e.tuple = flow(ipv6(2, 2), ipv6(1, 2), IPPROTO_TCP, 0, 40000);
	e.mask = flow(ipv6(0xff, 0xff), ipv6(0, 0), 0, 0xff00, 1);
	e.master = flow(ipv6(1, 2), ipv6(2, 2), IPPROTO_UDP, 5062, 5060);
	e.zone = 7;
	e.timeout = 300;
	e.id = 0xdeadbeef;
	e.flags = CTH_EXPECT_PERMANENT | CTH_EXPECT_INACTIVE;
	e.class_number = 3;
	strcpy(e.helper, "exactly15letter");
	strcpy(e.fn, "nat-follow-master");
	e.nat_dir = 1;
	e.nat.src = ipv6(9, 9);
	e.nat.sport = 20;
	return e;
}

/* Golden bytes. */

#define TCP_PORTS(sport, dport) \
	AN(24, CTA_TUPLE_PROTO), A(1, CTA_PROTO_NUM), 6, 0, 0, 0, \
	A(2, CTA_PROTO_SRC_PORT), B16(sport), 0, 0, A(2, CTA_PROTO_DST_PORT), B16(dport), 0, 0
#define V4(src, dst) \
	AN(16, CTA_TUPLE_IP), A(4, CTA_IP_V4_SRC), B32(src), A(4, CTA_IP_V4_DST), B32(dst)
#define V6BYTES(net, last) 0xfd, net, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last
#define V6(srcnet, srclast, dstnet, dstlast) \
	AN(40, CTA_TUPLE_IP), A(16, CTA_IP_V6_SRC), V6BYTES(srcnet, srclast), \
	A(16, CTA_IP_V6_DST), V6BYTES(dstnet, dstlast)
#define FF4  0xff, 0xff, 0xff, 0xff
#define FF16 FF4, FF4, FF4, FF4

static void a_new_expectation_is_these_bytes(void **state)
{
	static const uint8_t should[] = {
		MESSAGE(176, 0x0200, 0x605, 9, AF_INET, 0),
		AN(48, CTA_EXPECT_TUPLE), V4(0x0a000102, 0x0a000202), TCP_PORTS(0, 65491),
		AN(48, CTA_EXPECT_MASK), V4(0xffffffff, 0xffffffff), TCP_PORTS(0, 65535),
		AN(48, CTA_EXPECT_MASTER), V4(0x0a000102, 0x0a000202), TCP_PORTS(57086, 21),
	};
	struct cth_expect e = passive(65491);

	(void)state;
	assert_int_equal(cth_expect_put_new(&msg, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE |
					    NLM_F_EXCL, 9, &e), 0);
	assert_bytes(cth_msg_bytes(&msg), should, sizeof(should));
}

static const uint8_t every_part[] = {
	AN(72, CTA_EXPECT_TUPLE), V6(2, 2, 1, 2), TCP_PORTS(0, 40000),
	AN(72, CTA_EXPECT_MASK),
		AN(40, CTA_TUPLE_IP), A(16, CTA_IP_V6_SRC), V6BYTES(0xff, 0xff),
		A(16, CTA_IP_V6_DST), FF16, TCP_PORTS(0xff00, 65535),
	AN(72, CTA_EXPECT_MASTER), V6(1, 2, 2, 2),
		AN(24, CTA_TUPLE_PROTO), A(1, CTA_PROTO_NUM), 17, 0, 0, 0,
		A(2, CTA_PROTO_SRC_PORT), B16(5062), 0, 0,
		A(2, CTA_PROTO_DST_PORT), B16(5060), 0, 0,
	AN(84, CTA_EXPECT_NAT), A(4, CTA_EXPECT_NAT_DIR), B32(1),
		AN(72, CTA_EXPECT_NAT_TUPLE), AN(40, CTA_TUPLE_IP),
		A(16, CTA_IP_V6_SRC), V6BYTES(9, 9),
		A(16, CTA_IP_V6_DST), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		TCP_PORTS(20, 0),
	A(4, CTA_EXPECT_TIMEOUT), B32(300),
	A(4, CTA_EXPECT_ID), B32(0xdeadbeef),
	A(4, CTA_EXPECT_FLAGS), B32(3),
	A(4, CTA_EXPECT_CLASS), B32(3),
	A(16, CTA_EXPECT_HELP_NAME), 'e', 'x', 'a', 'c', 't', 'l', 'y', '1', '5', 'l', 'e', 't',
		't', 'e', 'r', 0,
	A(18, CTA_EXPECT_FN), 'n', 'a', 't', '-', 'f', 'o', 'l', 'l', 'o', 'w', '-', 'm', 'a', 's',
		't', 'e', 'r', 0, 0, 0,
	A(2, CTA_EXPECT_ZONE), B16(7), 0, 0,
};

static void peer_nfexp_nlmsg_build_drops_class_nat_and_fn(void **state)
{
	struct cth_expect e = everything();

	(void)state;
	cth_msg_begin_bare(&msg);
	assert_int_equal(cth_expect_put(&msg, &e), 0);
	assert_int_equal(cth_msg_end(&msg), 0);
	assert_bytes(cth_msg_bytes(&msg), every_part, sizeof(every_part));
}

static void nat_is_whole_with_a_port_alone(void **state)
{
	static const uint8_t should[] = {
		AN(48, CTA_EXPECT_TUPLE), V4(0x0a000202, 0x0a000201), TCP_PORTS(0, 40001),
		AN(48, CTA_EXPECT_MASK), V4(0xffffffff, 0xffffffff), TCP_PORTS(0, 65535),
		AN(60, CTA_EXPECT_NAT), A(4, CTA_EXPECT_NAT_DIR), B32(0),
			AN(48, CTA_EXPECT_NAT_TUPLE), V4(0, 0), TCP_PORTS(40000, 0),
	};
	struct cth_expect e = { .have = CTH_EXPECT_TUPLE | CTH_EXPECT_MASK | CTH_EXPECT_NAT };

	(void)state;
	e.tuple = flow(ipv4(10, 0, 2, 2), ipv4(10, 0, 2, 1), IPPROTO_TCP, 0, 40001);
	e.mask.src = ipv4(255, 255, 255, 255);
	e.nat.sport = 40000;
	cth_msg_begin_bare(&msg);
	assert_int_equal(cth_expect_put(&msg, &e), 0);
	assert_int_equal(cth_msg_end(&msg), 0);
	assert_bytes(cth_msg_bytes(&msg), should, sizeof(should));
}

static void an_icmp_mask_has_a_type_that_icmp_has(void **state)
{
	static const uint8_t should[] = {
		AN(56, CTA_EXPECT_TUPLE), V4(0x0a000102, 0x0a000202),
			AN(32, CTA_TUPLE_PROTO), A(1, CTA_PROTO_NUM), 1, 0, 0, 0,
			A(2, CTA_PROTO_ICMP_ID), B16(99), 0, 0,
			A(1, CTA_PROTO_ICMP_TYPE), 8, 0, 0, 0,
			A(1, CTA_PROTO_ICMP_CODE), 0, 0, 0, 0,
		AN(56, CTA_EXPECT_MASK), V4(0xffffffff, 0xffffffff),
			AN(32, CTA_TUPLE_PROTO), A(1, CTA_PROTO_NUM), 1, 0, 0, 0,
			A(2, CTA_PROTO_ICMP_ID), B16(0xffff), 0, 0,
			A(1, CTA_PROTO_ICMP_TYPE), 8, 0, 0, 0,
			A(1, CTA_PROTO_ICMP_CODE), 0, 0, 0, 0,
	};
	struct cth_expect e = { .have = CTH_EXPECT_TUPLE | CTH_EXPECT_MASK };

	(void)state;
	e.tuple = flow(ipv4(10, 0, 1, 2), ipv4(10, 0, 2, 2), IPPROTO_ICMP, 0, 0);
	e.tuple.has_ports = false;
	e.tuple.has_icmp = true;
	e.tuple.icmp_type = 8;
	e.tuple.icmp_id = 99;
	e.mask.src = ipv4(255, 255, 255, 255);
	e.mask.icmp_id = 0xffff;
	cth_msg_begin_bare(&msg);
	assert_int_equal(cth_expect_put(&msg, &e), 0);
	assert_int_equal(cth_msg_end(&msg), 0);
	assert_bytes(cth_msg_bytes(&msg), should, sizeof(should));
}

static void questions_and_deletions_are_these_bytes(void **state)
{
	static const uint8_t get[] = {
		MESSAGE(80, 0x0201, 5, 1, AF_INET, 0),
		AN(48, CTA_EXPECT_TUPLE), V4(0x0a000102, 0x0a000202), TCP_PORTS(0, 7),
		A(2, CTA_EXPECT_ZONE), B16(5), 0, 0,
	};
	static const uint8_t dump[] = { MESSAGE(20, 0x0201, 0x301, 2, AF_INET6, 0) };
	static const uint8_t del[] = {
		MESSAGE(80, 0x0202, 5, 3, AF_INET, 0),
		AN(48, CTA_EXPECT_TUPLE), V4(0x0a000102, 0x0a000202), TCP_PORTS(0, 7),
		A(4, CTA_EXPECT_ID), B32(0x91bd8bd8),
	};
	static const uint8_t flush[] = { MESSAGE(20, 0x0202, 5, 4, 0, 0) };
	static const uint8_t of_helper[] = {
		MESSAGE(28, 0x0202, 5, 5, 0, 0), A(4, CTA_EXPECT_HELP_NAME), 'f', 't', 'p', 0,
	};
	struct cth_expect e = passive(7);

	(void)state;
	assert_int_equal(cth_expect_put_get(&msg, 5, 1, AF_INET6, &e.tuple, 5), 0);
	assert_bytes(cth_msg_bytes(&msg), get, sizeof(get));
	cth_msg_reset(&msg);
	assert_int_equal(cth_expect_put_get(&msg, 0x301, 2, AF_INET6, NULL, 0), 0);
	assert_bytes(cth_msg_bytes(&msg), dump, sizeof(dump));
	cth_msg_reset(&msg);
	e.id = 0x91bd8bd8;
	e.have |= CTH_EXPECT_ID | CTH_EXPECT_ZONE; /* zone 0 is none */
	assert_int_equal(cth_expect_put_del(&msg, 5, 3, &e), 0);
	assert_bytes(cth_msg_bytes(&msg), del, sizeof(del));
	cth_msg_reset(&msg);
	assert_int_equal(cth_expect_put_flush(&msg, 5, 4, NULL), 0);
	assert_bytes(cth_msg_bytes(&msg), flush, sizeof(flush));
	cth_msg_reset(&msg);
	assert_int_equal(cth_expect_put_flush(&msg, 5, 5, "ftp"), 0);
	assert_bytes(cth_msg_bytes(&msg), of_helper, sizeof(of_helper));
}

static void what_does_not_fit_is_taken_back(void **state)
{
	struct cth_expect e = everything();
	size_t n;

	(void)state;
	assert_int_equal(cth_expect_put_new(&msg, 0, 1, &e), 0);
	n = cth_msg_bytes(&msg).n;
	for (size_t cap = 0; cap < n; cap++) {
		uint8_t *room = guarded(out, cap);

		cth_msg_init(&msg, room, cap);
		assert_int_equal(cth_expect_put_new(&msg, 0, 1, &e), -EMSGSIZE);
		assert_int_equal(cth_msg_bytes(&msg).n, 0);
		free_guarded(room, cap);
	}
}

/* Tuples on their own. */

static void put_and_read(const struct cth_tuple *t)
{
	struct cth_tuple back;

	cth_msg_reset(&msg);
	cth_msg_begin_bare(&msg);
	cth_tuple_put(&msg, t);
	assert_int_equal(cth_msg_end(&msg), 0);
	assert_int_equal(cth_tuple_parse(&back, cth_msg_bytes(&msg)), 0);
	assert_true(cth_tuple_equal(t, &back));
}

static void what_is_told_of_a_tuple_is_put_and_no_more(void **state)
{
	struct cth_tuple t = { 0 };

	(void)state;
	put_and_read(&t);
	assert_int_equal(cth_msg_bytes(&msg).n, 0);
	t.src = ipv4(1, 2, 3, 4);
	put_and_read(&t);
	t.dst = ipv4(5, 6, 7, 8);
	put_and_read(&t);
	t.l4 = IPPROTO_ICMP;
	put_and_read(&t);
	t.has_icmp = true;
	t.icmp_id = 0x1234;
	t.icmp_type = 8;
	t.icmp_code = 9;
	put_and_read(&t);
	t.has_zone = true;
	t.zone = 0x4321;
	put_and_read(&t);
	t = flow(ipv6(1, 2), ipv6(3, 4), IPPROTO_SCTP, 0x102, 0x304);
	put_and_read(&t);
	t.l4 = IPPROTO_ICMPV6;
	t.has_ports = false;
	t.has_icmp = true;
	put_and_read(&t);
}

static void icmpv6_has_numbers_of_its_own(void **state)
{
	static const uint8_t should[] = {
		AN(32, CTA_TUPLE_PROTO), A(1, CTA_PROTO_NUM), 58, 0, 0, 0,
		A(2, CTA_PROTO_ICMPV6_ID), B16(0x1234), 0, 0,
		A(1, CTA_PROTO_ICMPV6_TYPE), 128, 0, 0, 0,
		A(1, CTA_PROTO_ICMPV6_CODE), 1, 0, 0, 0,
		A(2, 3 /* CTA_TUPLE_ZONE */), B16(0x0102), 0, 0,
	};
	struct cth_tuple t = { .l4 = IPPROTO_ICMPV6, .has_icmp = true, .icmp_id = 0x1234,
			       .icmp_type = 128, .icmp_code = 1, .has_zone = true,
			       .zone = 0x0102 };

	(void)state;
	cth_msg_begin_bare(&msg);
	cth_tuple_put(&msg, &t);
	assert_int_equal(cth_msg_end(&msg), 0);
	assert_bytes(cth_msg_bytes(&msg), should, sizeof(should));
}

static void tuples_differ_in_any_part_that_is_told(void **state)
{
	struct cth_tuple a = flow(ipv4(1, 2, 3, 4), ipv4(5, 6, 7, 8), IPPROTO_TCP, 1, 2), b;

	(void)state;
	b = a;
	assert_true(cth_tuple_equal(&a, &b));
	memset(b.src.b + 4, 0xee, 12); /* bytes that IPv4 does not have */
	b.icmp_id = 5; /* not told */
	b.zone = 6;
	assert_true(cth_tuple_equal(&a, &b));
#define DIFFERS(change) do { b = a; change; assert_false(cth_tuple_equal(&a, &b)); } while (0)
	DIFFERS(b.src.b[3] = 5);
	DIFFERS(b.dst.b[0] = 4);
	DIFFERS(b.src.family = AF_INET6);
	DIFFERS(b.dst.family = 0);
	DIFFERS(b.l4 = IPPROTO_UDP);
	DIFFERS(b.sport = 3);
	DIFFERS(b.dport = 3);
	DIFFERS(b.has_ports = false);
	DIFFERS(b.has_zone = true);
	DIFFERS(b.has_icmp = true);
	a = flow(ipv6(1, 1), ipv6(2, 2), IPPROTO_ICMPV6, 0, 0);
	a.has_icmp = a.has_zone = true;
	DIFFERS(b.src.b[15] = 9);
	DIFFERS(b.icmp_id = 9);
	DIFFERS(b.icmp_type = 9);
	DIFFERS(b.icmp_code = 9);
	DIFFERS(b.zone = 9);
}

/* What may not go out. */

static void refused(const struct cth_expect *e, const char *reason)
{
	const char *why = NULL;

	assert_int_equal(cth_expect_check(e, &why), -EINVAL);
	if (!why || !strstr(why, reason))
		fail_msg("'%s' should be about '%s'", why ? why : "nothing", reason);
	assert_int_equal(cth_expect_check(e, NULL), -EINVAL);
	cth_msg_begin_bare(&msg);
	assert_int_equal(cth_expect_put(&msg, e), -EINVAL);
	assert_int_equal(cth_msg_end(&msg), 0);
	assert_int_equal(cth_expect_put_new(&msg, 0, 1, e), -EINVAL);
	assert_int_equal(cth_msg_bytes(&msg).n, 0); /* nothing was put */
}

#define REFUSED(change, reason) do { \
	struct cth_expect e = everything(); \
	change; \
	refused(&e, reason); \
} while (0)

static void what_crashes_kernels_is_refused(void **state)
{
	(void)state;
	REFUSED(e.have &= ~(uint32_t)CTH_EXPECT_TUPLE, "no tuple");
	REFUSED(e.have &= ~(uint32_t)CTH_EXPECT_MASK, "no mask");
	REFUSED(e.have = 0, "no tuple");
	REFUSED(e.tuple.src.family = 0, "no source address");
	REFUSED(e.tuple.dst.family = 0, "no destination address");
	REFUSED(e.tuple.l4 = 0, "no transport protocol");
	REFUSED(e.tuple.has_ports = false, "two ports");
	REFUSED(e.mask.src.family = 0, "mask has no source address");
}

static void what_the_kernel_would_refuse_or_misread_is_refused(void **state)
{
	(void)state;
	REFUSED(e.tuple.dst.family = AF_INET, "of its source's family");
	REFUSED(e.mask.src.family = AF_INET, "of the tuple's family");
	REFUSED(e.master.src.family = e.master.dst.family = AF_INET, "two families");
	REFUSED(e.nat.src.family = AF_INET, "NAT's address");
	REFUSED(e.tuple.src.family = 7, "no source address");
	REFUSED(e.tuple.l4 = IPPROTO_ICMPV6, "type, code and id");
	REFUSED(e.master.l4 = 0, "no transport protocol");
	REFUSED(e.master.has_ports = false, "two ports");
	REFUSED(e.tuple.has_zone = true, "zone of its own");
	REFUSED(e.master.has_zone = true, "zone of its own");
	REFUSED(e.flags = 8, "flag");
	REFUSED(e.nat_dir = 2, "direction");
	REFUSED(e.helper[0] = 0, "helper's name");
	REFUSED(memset(e.helper, 'x', sizeof(e.helper)), "helper's name");
	REFUSED(e.fn[0] = 0, "function's name");
	REFUSED(memset(e.fn, 'x', sizeof(e.fn)), "function's name");
}

static void what_is_not_told_may_be_anything(void **state)
{
	struct cth_expect e = everything();
	const char *why = "something";

	(void)state;
	e.have = CTH_EXPECT_TUPLE | CTH_EXPECT_MASK;
	e.flags = e.nat_dir = 99;
	e.helper[0] = e.fn[0] = 0;
	memset(&e.master, 0, sizeof(e.master));
	assert_int_equal(cth_expect_check(&e, &why), 0);
	assert_null(why);
	e.tuple.l4 = 132; /* SCTP has ports; what is none of ours needs none */
	e.tuple.has_ports = false;
	assert_int_equal(cth_expect_check(&e, NULL), -EINVAL);
	e.tuple.l4 = 89;
	assert_int_equal(cth_expect_check(&e, NULL), 0);
}

static void a_delete_without_a_tuple_would_delete_all(void **state)
{
	struct cth_expect e = passive(1);

	(void)state;
	e.have &= ~(uint32_t)CTH_EXPECT_TUPLE;
	assert_int_equal(cth_expect_put_del(&msg, 5, 1, &e), -EINVAL);
	assert_int_equal(cth_expect_del(&s, &e, &nack), -EINVAL);
	e.have |= CTH_EXPECT_TUPLE;
	e.tuple.dst.family = 0;
	assert_int_equal(cth_expect_put_del(&msg, 5, 1, &e), -EINVAL);
	assert_int_equal(cth_expect_put_get(&msg, 5, 1, 0, &e.tuple, 0), -EINVAL);
	assert_int_equal(cth_expect_put_flush(&msg, 5, 1, ""), -EINVAL);
	assert_int_equal(cth_expect_put_flush(&msg, 5, 1, "abcdefghijklmnop"), -EINVAL);
	assert_int_equal(cth_msg_bytes(&msg).n, 0);
	assert_int_equal(k.outs, 0);
	assert_int_equal(nack.error, 0);
}

static void a_master_is_taken_from_a_packets_flow(void **state)
{
	struct cth_expect e = passive(1);
	struct cth_flow f = { .have = 0 };

	(void)state;
	assert_int_equal(cth_expect_set_master(&e, &f), -EINVAL);
	f.have = CTH_FLOW_ORIG;
	f.orig = flow(ipv4(1, 1, 1, 1), ipv4(2, 2, 2, 2), IPPROTO_UDP, 3, 4);
	e.have = CTH_EXPECT_TUPLE | CTH_EXPECT_MASK;
	assert_int_equal(cth_expect_set_master(&e, &f), 0);
	assert_true(cth_tuple_equal(&e.master, &f.orig));
	assert_int_equal(e.zone, 0);
	assert_int_equal(cth_expect_check(&e, NULL), 0);
	f.orig.has_zone = true; /* of this direction alone */
	f.orig.zone = 9;
	assert_int_equal(cth_expect_set_master(&e, &f), 0);
	assert_int_equal(e.zone, 9);
	assert_int_equal(cth_expect_check(&e, NULL), 0);
	f.orig.has_zone = false;
	f.have |= CTH_FLOW_ZONE;
	f.zone = 5;
	assert_int_equal(cth_expect_set_master(&e, &f), 0);
	assert_int_equal(e.zone, 5);
	assert_true(e.have & CTH_EXPECT_ZONE);
}

/* The parser. */

static void every_part_is_read(void **state)
{
	struct cth_expect e, wanted = everything();

	(void)state;
	assert_int_equal(cth_expect_parse(&e, cth_span(every_part, sizeof(every_part))), 0);
	assert_int_equal(e.have, wanted.have);
	assert_true(cth_tuple_equal(&e.tuple, &wanted.tuple));
	assert_int_equal(e.mask.sport, 0xff00);
	assert_memory_equal(e.mask.src.b, wanted.mask.src.b, 16);
	assert_true(cth_tuple_equal(&e.master, &wanted.master));
	assert_int_equal(e.zone, 7);
	assert_int_equal(e.timeout, 300);
	assert_int_equal(e.flags, 3);
	assert_int_equal(e.class_number, 3);
	assert_string_equal(e.helper, "exactly15letter");
	assert_string_equal(e.fn, "nat-follow-master");
	assert_int_equal(e.nat_dir, 1);
	assert_int_equal(e.nat.sport, 20);
	assert_memory_equal(e.nat.src.b, wanted.nat.src.b, 16);
}

static void peer_libnetfilter_conntrack_has_no_cta_expect_id(void **state)
{
	struct cth_expect e;

	(void)state;
	assert_int_equal(cth_expect_parse(&e, cth_span(every_part, sizeof(every_part))), 0);
	assert_true(e.have & CTH_EXPECT_ID);
	assert_int_equal(e.id, 0xdeadbeef);
}

static void what_is_absent_is_not_zero(void **state)
{
	struct cth_expect e;

	(void)state;
	memset(&e, 0xff, sizeof(e));
	assert_int_equal(cth_expect_parse(&e, cth_span(every_part, 0)), 0);
	assert_int_equal(e.have, 0);
	assert_int_equal(e.helper[0], 0);
	assert_int_equal(e.fn[0], 0);
	assert_int_equal(e.tuple.src.family, 0);
}

static void peer_nfexp_nlmsg_parse_sets_the_l3_number_of_another_tuple(void **state)
{
	static const uint8_t attrs[] = {
		AN(16 + 4, CTA_EXPECT_MASTER), V4(0x01020304, 0x05060708),
		AN(40 + 4, CTA_EXPECT_TUPLE), V6(1, 2, 3, 4),
	};
	struct cth_expect e;

	(void)state;
	/* Each alone, and each beside one of the other family. */
	assert_int_equal(cth_expect_parse(&e, cth_span(attrs, 24)), 0);
	assert_int_equal(e.have, CTH_EXPECT_MASTER);
	assert_int_equal(e.master.src.family, AF_INET);
	assert_int_equal(e.tuple.src.family, 0);
	assert_int_equal(e.mask.src.family, 0);
	assert_int_equal(cth_expect_parse(&e, cth_span(attrs + 24, 48)), 0);
	assert_int_equal(e.have, CTH_EXPECT_TUPLE);
	assert_int_equal(e.master.src.family, 0);
	assert_int_equal(e.tuple.src.family, AF_INET6);
	assert_int_equal(cth_expect_parse(&e, cth_span(attrs, sizeof(attrs))), 0);
	assert_int_equal(e.master.src.family, AF_INET);
	assert_int_equal(e.tuple.src.family, AF_INET6);
	assert_int_equal(e.tuple.dst.family, AF_INET6);
	assert_int_equal(e.mask.src.family, 0);
}

/* One attribute of n letters, with or without a NUL behind them. */
static int parse_name(uint16_t type, size_t letters, bool terminated, struct cth_expect *e)
{
	uint8_t bytes[128];
	size_t n = 4 + letters + terminated;
	uint8_t *p;
	int r;

	memset(bytes, 'x', sizeof(bytes));
	cth_store_host16(bytes, (uint16_t)n);
	cth_store_host16(bytes + 2, type);
	if (terminated)
		bytes[n - 1] = 0;
	p = guarded(bytes, n);
	r = cth_expect_parse(e, cth_span(p, n));
	free_guarded(p, n);
	return r;
}

static void peer_nfexp_nlmsg_parse_asserts_on_the_length_of_names(void **state)
{
	struct cth_expect e;

	(void)state;
	for (size_t letters = 0; letters < 100; letters++) {
		assert_int_equal(parse_name(CTA_EXPECT_HELP_NAME, letters, true, &e),
				 letters < 16 ? 0 : -ERANGE);
		assert_int_equal(parse_name(CTA_EXPECT_FN, letters, true, &e),
				 letters < 32 ? 0 : -ERANGE);
		if (letters < 32)
			assert_int_equal(strlen(e.fn), letters);
		assert_true(parse_name(CTA_EXPECT_HELP_NAME, letters, false, &e) < 0);
		assert_true(parse_name(CTA_EXPECT_FN, letters, false, &e) < 0);
	}
}

static void peer_nfexp_nlmsg_parse_nat_attr_cb_reaches_past_its_table(void **state)
{
	uint8_t attrs[4 + 8 + 52 + 8];
	struct cth_expect e;

	(void)state;
	/* Beside the two that there are, one of any other number is skipped. */
	for (uint16_t type = 3; type < 300; type++) {
		const uint8_t nat[] = {
			AN(8 + 52 + 8, CTA_EXPECT_NAT),
			A(4, CTA_EXPECT_NAT_DIR), B32(1),
			AN(48, CTA_EXPECT_NAT_TUPLE), V4(0x0a000101, 0), TCP_PORTS(40000, 0),
			A(4, type), B32(0xffffffff),
		};
		uint8_t *p = guarded(nat, sizeof(nat));

		assert_int_equal(cth_expect_parse(&e, cth_span(p, sizeof(nat))), 0);
		assert_int_equal(e.have, CTH_EXPECT_NAT);
		assert_int_equal(e.nat_dir, 1);
		assert_int_equal(e.nat.sport, 40000);
		free_guarded(p, sizeof(nat));
		memcpy(attrs, nat, sizeof(attrs));
	}
	/* Half of it is none. */
	cth_store_host16(attrs, 4 + 8);
	assert_int_equal(cth_expect_parse(&e, cth_span(attrs, 12)), -EINVAL);
	cth_store_host16(attrs, 4);
	assert_int_equal(cth_expect_parse(&e, cth_span(attrs, 4)), -EINVAL);
}

static void numbers_of_another_size_are_refused(void **state)
{
	static const struct {
		uint16_t type, size;
	} fixed[] = {
		{ CTA_EXPECT_TIMEOUT, 4 }, { CTA_EXPECT_ID, 4 }, { CTA_EXPECT_FLAGS, 4 },
		{ CTA_EXPECT_CLASS, 4 }, { CTA_EXPECT_ZONE, 2 },
	};
	struct cth_expect e;

	(void)state;
	for (size_t i = 0; i < N_OF(fixed); i++) {
		for (uint16_t n = 0; n < 9; n++) {
			uint8_t bytes[16] = { 0 }, *p;

			cth_store_host16(bytes, (uint16_t)(4 + n));
			cth_store_host16(bytes + 2, fixed[i].type);
			p = guarded(bytes, 4u + n);
			assert_int_equal(cth_expect_parse(&e, cth_span(p, 4u + n)),
					 n == fixed[i].size ? 0 : -ERANGE);
			free_guarded(p, 4u + n);
		}
	}
}

static void of_two_the_last_one_counts(void **state)
{
	static const uint8_t attrs[] = {
		A(4, CTA_EXPECT_CLASS), B32(1), A(4, CTA_EXPECT_CLASS), B32(2),
		A(4, 99), B32(3),
	};
	struct cth_expect e;

	(void)state;
	assert_int_equal(cth_expect_parse(&e, cth_span(attrs, sizeof(attrs))), 0);
	assert_int_equal(e.class_number, 2);
}

static void parse_anything(struct cth_span bytes, void *ctx)
{
	size_t *good = ctx;
	struct cth_expect e;

	if (cth_expect_parse(&e, bytes) < 0)
		return;
	++*good;
	assert_non_null(memchr(e.helper, 0, sizeof(e.helper)));
	assert_non_null(memchr(e.fn, 0, sizeof(e.fn)));
	/* What can be made again is the same when it is read again. */
	if (cth_expect_check(&e, NULL) == 0) {
		uint8_t room[1024];
		struct cth_expect again;
		struct cth_msg m;

		cth_msg_init(&m, room, sizeof(room));
		cth_msg_begin_bare(&m);
		assert_int_equal(cth_expect_put(&m, &e), 0);
		assert_int_equal(cth_msg_end(&m), 0);
		assert_int_equal(cth_expect_parse(&again, cth_msg_bytes(&m)), 0);
		assert_true(cth_tuple_equal(&again.tuple, &e.tuple));
		assert_int_equal(again.have | CTH_EXPECT_ZONE, e.have | CTH_EXPECT_ZONE);
	}
}

static void whatever_comes_stays_inside(void **state)
{
	size_t good = 0;

	(void)state;
	every_truncation(cth_span(every_part, sizeof(every_part)), parse_anything, &good);
	assert_in_range(good, 10, 100); /* at the attributes' ends, padded or not */
	good = 0;
	every_byte_value(cth_span(every_part, sizeof(every_part)), parse_anything, &good);
	assert_in_range(good, sizeof(every_part), 256 * sizeof(every_part));
}

static void events_are_of_two_kinds(void **state)
{
	struct cth_expect e = everything(), seen;
	struct cth_nlmsg m;
	struct cth_span d;

	(void)state;
	assert_int_equal(cth_expect_put_new(&msg, NLM_F_CREATE | NLM_F_EXCL, 0, &e), 0);
	d = cth_msg_bytes(&msg);
	assert_int_equal(cth_nlmsg_next(&d, &m), 1);
	assert_int_equal(cth_expect_event(&seen, &m), 1);
	assert_int_equal(seen.id, e.id);
	m.type = DELETE;
	assert_int_equal(cth_expect_event(&seen, &m), 0);
	assert_int_equal(seen.id, e.id);
	m.type = GET;
	assert_int_equal(cth_expect_event(&seen, &m), -EPROTO);
	m.type = NFNL_SUBSYS_CTNETLINK << 8;
	assert_int_equal(cth_expect_event(&seen, &m), -EPROTO);
	m.type = NEW;
	m.cut = true;
	assert_int_equal(cth_expect_event(&seen, &m), -EBADMSG);
	m.cut = false;
	m.attrs.n -= 5;
	assert_int_equal(cth_expect_event(&seen, &m), -EBADMSG);
	assert_int_equal(CTH_GROUP_EXPECT_NEW, NFNLGRP_CONNTRACK_EXP_NEW);
	assert_int_equal(CTH_GROUP_EXPECT_DESTROY, NFNLGRP_CONNTRACK_EXP_DESTROY);
}

/* Recordings. */

struct seen {
	size_t made, shown, in_verdicts, rejected;
	struct cth_expect last, last_shown;
};

/* The kernel's own message is, byte by byte, what the builder makes of what was read. */
static void rebuild(const struct cth_nlmsg *m, const struct cth_expect *e)
{
	uint8_t room[1024];
	struct cth_msg again;

	cth_msg_init(&again, room, sizeof(room));
	cth_msg_begin_bare(&again);
	assert_int_equal(cth_expect_put(&again, e), 0);
	assert_int_equal(cth_msg_end(&again), 0);
	assert_bytes(m->attrs, cth_msg_bytes(&again).p, cth_msg_bytes(&again).n);
}

static void see_verdict(const struct cth_nlmsg *m, struct seen *seen)
{
	static const struct cth_attr_rule rules[] = { [CTH_NFQA_EXP] = { 0, CTH_ATTR_ANY, false } };
	struct cth_span v[N_OF(rules)];

	if (cth_attr_index(m->attrs, rules, N_OF(rules), v) < 0 || !v[CTH_NFQA_EXP].p)
		return;
	if (cth_expect_parse(&seen->last, v[CTH_NFQA_EXP]) < 0)
		seen->rejected++;
	else
		seen->in_verdicts++;
}

static void see_message(struct cth_span d, bool to_kernel, void *ctx)
{
	struct seen *seen = ctx;
	struct cth_nlmsg m;

	(void)to_kernel;
	while (cth_nlmsg_next(&d, &m) > 0) {
		if (m.type == NEW && (m.flags & NLM_F_REQUEST)) {
			assert_int_equal(cth_expect_parse(&seen->last, m.attrs), 0);
			seen->made++;
		} else if (m.type == NEW) {
			assert_int_equal(cth_expect_event(&seen->last_shown, &m), 1);
			rebuild(&m, &seen->last_shown);
			seen->shown++;
		} else if (m.type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT)) {
			see_verdict(&m, seen);
		}
	}
}

static struct seen look_at(const char *name)
{
	struct seen seen = { 0 };

	each_datagram(name, see_message, &seen);
	return seen;
}

static void recorded_expectations_of_ftp_are_read(void **state)
{
	struct cth_tuple master;
	struct seen seen;

	(void)state;
	seen = look_at("conntrackd-ftp-v4");
	assert_int_equal(seen.made, 3);
	assert_int_equal(seen.in_verdicts, 0);
	assert_int_equal(seen.last.have & (CTH_EXPECT_TUPLE | CTH_EXPECT_MASK | CTH_EXPECT_MASTER),
			 CTH_EXPECT_TUPLE | CTH_EXPECT_MASK | CTH_EXPECT_MASTER);
	assert_int_equal(seen.last.tuple.l4, IPPROTO_TCP);
	assert_int_equal(seen.last.master.dport, 21);
	assert_int_equal(look_at("conntrackd-ftp-v6").made, 0);
	seen = look_at("conntrackd-ftp-masq-port");
	assert_int_equal(seen.made, 1);
	master = flow(ipv4(10, 0, 1, 2), ipv4(10, 0, 2, 2), IPPROTO_TCP, seen.last.master.sport,
		      21);
	assert_true(cth_tuple_equal(&seen.last.master, &master));
	assert_false(seen.last.have & (CTH_EXPECT_NAT | CTH_EXPECT_FN)); /* the peer's bug */
	assert_int_equal(look_at("conntrackd-ftp-dnat-pasv").made, 1);
	assert_int_equal(look_at("nft-ct-helper-ftp").made, 2);
}

static void recorded_expectations_of_verdicts_are_read(void **state)
{
	struct seen seen;

	(void)state;
	seen = look_at("conntrackd-tftp-v4v6");
	assert_int_equal(seen.in_verdicts, 2);
	assert_int_equal(seen.last.tuple.src.family, AF_INET6);
	assert_int_equal(seen.last.mask.src.family, AF_INET6);
	assert_int_equal(seen.last.master.dport, 69);
	assert_int_equal(look_at("conntrackd-tftp-masq").in_verdicts, 1);
}

static void what_recorded_kernels_showed_the_builder_makes(void **state)
{
	struct seen seen;

	(void)state;
	seen = look_at("helper-behaviours");
	assert_int_equal(seen.shown, 13);
	assert_true(seen.in_verdicts >= 13);
	assert_string_equal(seen.last_shown.helper, "test");
	assert_true(seen.last_shown.have & CTH_EXPECT_ID);
	assert_int_not_equal(seen.last_shown.id, 0);
}

static void truncate_message(struct cth_span d, bool to_kernel, void *ctx)
{
	struct cth_nlmsg m;
	size_t good = 0, *messages = ctx;

	(void)to_kernel;
	while (cth_nlmsg_next(&d, &m) > 0) {
		if (m.type != NEW)
			continue;
		++*messages;
		every_truncation(m.attrs, parse_anything, &good);
		if (*messages == 1)
			every_byte_value(m.attrs, parse_anything, &good);
	}
}

static void recorded_ones_cut_anywhere_stay_inside(void **state)
{
	size_t messages = 0;

	(void)state;
	each_datagram("helper-behaviours", truncate_message, &messages);
	assert_int_equal(messages, 13);
}

/* The kernel's table. */

static struct {
	struct cth_expect list[8];
	size_t n;
	bool absent;        /* no such subsystem: EINVAL, whatever is asked */
	bool no_permission;
	bool deaf;
	int refuse_new;     /* this -errno for the next NEW */
	const char *helper; /* of the masters */
	struct cth_tuple master; /* the flow that there is */
	int interruptions;
	size_t deletes;
	size_t probes, dumps;
} table;

/* Does a flow of this tuple meet it? */
static bool meets(const struct cth_tuple *t, const struct cth_expect *e)
{
	size_t n = t->src.family == AF_INET ? 4 : 16;

	if (t->src.family != e->tuple.src.family || t->l4 != e->tuple.l4 ||
	    t->dport != e->tuple.dport || memcmp(t->dst.b, e->tuple.dst.b, n) != 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((t->src.b[i] ^ e->tuple.src.b[i]) & e->mask.src.b[i])
			return false;
	return ((t->sport ^ e->tuple.sport) & e->mask.sport) == 0;
}

static size_t find(const struct cth_expect *e)
{
	uint16_t zone = e->have & CTH_EXPECT_ZONE ? e->zone : 0;
	size_t i = 0;

	while (i < table.n && !(meets(&e->tuple, &table.list[i]) && table.list[i].zone == zone))
		i++;
	if (i < table.n && (e->have & CTH_EXPECT_ID) && table.list[i].id != e->id)
		return table.n;
	return i;
}

/* As the kernel shows it: with an id, a timeout, the master's helper; without the zone. */
static void show(uint16_t type, uint16_t flags, uint32_t seq, const struct cth_expect *e)
{
	static uint8_t bytes[1024];
	struct cth_expect shown = *e;
	struct cth_msg m;

	shown.have = (shown.have | CTH_EXPECT_TIMEOUT | CTH_EXPECT_FLAGS | CTH_EXPECT_CLASS |
		      CTH_EXPECT_HELPER | CTH_EXPECT_ID) & ~(uint32_t)CTH_EXPECT_ZONE;
	shown.timeout = 30;
	strcpy(shown.helper, table.helper);
	cth_msg_init(&m, bytes, sizeof(bytes));
	cth_msg_begin(&m, type, flags, seq, shown.tuple.src.family, 0);
	assert_int_equal(cth_expect_put(&m, &shown), 0);
	assert_int_equal(cth_msg_end(&m), 0);
	script_bytes(&k, bytes, cth_msg_bytes(&m).n);
}

static int table_new(const struct cth_nlmsg *m, struct cth_expect *e)
{
	assert_int_equal(m->flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	assert_int_equal(m->family, e->tuple.src.family);
	if (table.refuse_new)
		return table.refuse_new;
	if (find(e) < table.n)
		return -EEXIST;
	if (!cth_tuple_equal(&e->master, &table.master))
		return -ENOENT;
	assert_true(table.n < N_OF(table.list));
	e->id = 0x1000 + (uint32_t)table.n;
	table.list[table.n++] = *e;
	return 0;
}

static int table_del(struct cth_expect *e)
{
	size_t i = find(e);

	table.deletes++;
	if (!(e->have & CTH_EXPECT_TUPLE)) {
		if (!(e->have & CTH_EXPECT_HELPER) || strcmp(e->helper, table.helper) == 0)
			table.n = 0;
		return 0;
	}
	if (i == table.n)
		return -ENOENT;
	table.n--;
	memmove(&table.list[i], &table.list[i + 1], (table.n - i) * sizeof(table.list[0]));
	return 0;
}

static void table_dump(const struct cth_nlmsg *m)
{
	uint16_t flags = NLM_F_MULTI;

	if (table.interruptions) {
		table.interruptions--;
		flags |= CTH_NLM_F_DUMP_INTR;
	}
	for (size_t i = 0; i < table.n; i++)
		if (m->family == 0 || m->family == table.list[i].tuple.src.family)
			show(NEW, flags, m->seq, &table.list[i]);
	script_done(&k, m->seq, 0);
}

static void kernel(struct script *script, struct cth_span datagram)
{
	struct cth_expect e;
	struct cth_nlmsg m;
	size_t i;
	int r = 0;

	assert_int_equal(cth_nlmsg_next(&datagram, &m), 1);
	assert_int_equal(datagram.n, 0);
	table.probes += m.type == STATS;
	table.dumps += m.type == GET && (m.flags & NLM_F_DUMP) == NLM_F_DUMP;
	if (table.deaf)
		return;
	if (m.type == STATS && !table.absent) {
		script_ack(script, m.seq, 0);
		return;
	}
	if (table.absent || table.no_permission) {
		script_ack(script, m.seq, table.absent ? -EINVAL : -EPERM);
		return;
	}
	assert_int_equal(cth_expect_parse(&e, m.attrs), 0);
	switch (m.type) {
	case NEW:
		r = table_new(&m, &e);
		break;
	case DELETE:
		r = table_del(&e);
		break;
	default:
		assert_int_equal(m.type, GET);
		if ((m.flags & NLM_F_DUMP) == NLM_F_DUMP) {
			table_dump(&m);
			return;
		}
		i = find(&e);
		if (i == table.n)
			r = -ENOENT;
		else
			show(NEW, NLM_F_MULTI, m.seq, &table.list[i]); /* and no DONE behind it */
	}
	assert_true(m.flags & NLM_F_ACK);
	script_ack(script, m.seq, r);
}

static int with_table(void **state)
{
	setup(state);
	memset(&table, 0, sizeof(table));
	table.helper = "ftp";
	table.master = passive(1).master;
	k.on_send = kernel;
	return 0;
}

static void make(uint16_t port)
{
	struct cth_expect e = passive(port);

	assert_int_equal(cth_expect_new(&s, &e, &nack), 0);
	assert_int_equal(nack.error, 0);
}

static void an_expectation_is_made_found_and_deleted(void **state)
{
	struct cth_expect e = passive(40000), found;

	(void)state;
	make(40000);
	assert_int_equal(table.n, 1);
	assert_int_equal(cth_expect_get(&s, &e.tuple, 0, &found, &nack), 0);
	assert_true(cth_tuple_equal(&found.tuple, &e.tuple));
	assert_true(cth_tuple_equal(&found.master, &e.master));
	assert_int_equal(found.id, 0x1000);
	assert_string_equal(found.helper, "ftp");
	assert_int_equal(cth_expect_get(&s, &e.tuple, 0, &found, NULL), 0);
	assert_int_equal(cth_expect_del(&s, &e, &nack), 0);
	assert_int_equal(table.n, 0);
	assert_int_equal(cth_expect_get(&s, &e.tuple, 0, &found, &nack), -ENOENT);
	assert_int_equal(nack.error, -ENOENT);
	assert_int_equal(cth_expect_del(&s, &e, &nack), -ENOENT);
}

static void one_that_is_there_is_not_made_twice(void **state)
{
	struct cth_expect e = passive(40000), other = passive(40000), found;

	(void)state;
	make(40000);
	assert_int_equal(cth_expect_new(&s, &e, &nack), -EEXIST);
	assert_int_equal(nack.error, -EEXIST);
	/* Another flow's: one can be told from the other by what is found. */
	other.tuple.sport = 5;
	other.mask.sport = 0xffff;
	other.master.sport = 6;
	assert_int_equal(cth_expect_new(&s, &other, &nack), -EEXIST);
	assert_int_equal(cth_expect_get(&s, &other.tuple, 0, &found, &nack), 0);
	assert_false(cth_tuple_equal(&found.master, &other.master));
	assert_true(cth_tuple_equal(&found.master, &e.master));
	assert_int_equal(table.n, 1);
}

static void what_a_tuple_only_meets_is_not_deleted(void **state)
{
	struct cth_expect e = passive(40000);

	(void)state;
	make(40000);
	e.tuple.sport = 1234; /* the mask leaves the source port open: it meets the one that is there */
	assert_int_equal(cth_expect_del(&s, &e, &nack), -ENOENT);
	assert_int_equal(nack.error, 0); /* it was not the kernel that said so */
	assert_int_equal(table.n, 1);
	assert_int_equal(table.deletes, 0);
	e = passive(40000);
	e.have |= CTH_EXPECT_ID;
	e.id = 0x1001; /* one that came and went */
	assert_int_equal(cth_expect_del(&s, &e, &nack), -ENOENT);
	assert_int_equal(table.n, 1);
	e.id = 0x1000;
	assert_int_equal(cth_expect_del(&s, &e, &nack), 0);
	assert_int_equal(table.n, 0);
}

static void zones_are_apart(void **state)
{
	struct cth_expect e = passive(40000), found;

	(void)state;
	make(40000);
	e.have |= CTH_EXPECT_ZONE;
	e.zone = 3;
	assert_int_equal(cth_expect_new(&s, &e, &nack), 0);
	assert_int_equal(table.n, 2);
	assert_int_equal(cth_expect_get(&s, &e.tuple, 3, &found, &nack), 0);
	assert_int_equal(found.id, 0x1001);
	assert_int_equal(cth_expect_get(&s, &e.tuple, 4, &found, &nack), -ENOENT);
	assert_int_equal(cth_expect_del(&s, &e, &nack), 0);
	assert_int_equal(table.n, 1);
	assert_int_equal(table.list[0].zone, 0);
}

static void refusals_are_passed_on(void **state)
{
	static const int errors[] = {
		-EBUSY, -EALREADY, -EMFILE, -ENOENT, -EOPNOTSUPP, -ESHUTDOWN, -ENOMEM,
		-EINVAL, /* class or FN: a dump tells that the subsystem is there */
	};
	struct cth_expect e = passive(1);

	(void)state;
	for (size_t i = 0; i < N_OF(errors); i++) {
		table.refuse_new = errors[i];
		assert_int_equal(cth_expect_new(&s, &e, &nack), errors[i]);
		assert_int_equal(nack.error, errors[i]);
		assert_int_equal(cth_expect_new(&s, &e, NULL), errors[i]);
	}
	/* What our own check refuses never gets there. */
	e.have &= ~(uint32_t)CTH_EXPECT_MASK;
	k.outs = 0;
	assert_int_equal(cth_expect_new(&s, &e, &nack), -EINVAL);
	assert_int_equal(nack.error, 0);
	e = passive(1);
	e.have &= ~(uint32_t)CTH_EXPECT_MASTER;
	assert_int_equal(cth_expect_new(&s, &e, &nack), -EINVAL);
	assert_int_equal(k.outs, 0);
}

/* Collects what a dump tells. */
struct collected {
	struct cth_expect list[16];
	size_t n, restarts;
};

static void collect(const struct cth_expect *e, void *ctx)
{
	struct collected *c = ctx;

	if (!e) {
		c->n = 0;
		c->restarts++;
		return;
	}
	assert_true(c->n < N_OF(c->list));
	c->list[c->n++] = *e;
}

static void all_or_a_family_are_listed(void **state)
{
	struct collected c = { .n = 0 };
	struct cth_expect e = everything();

	(void)state;
	make(1);
	make(2);
	table.master = e.master;
	assert_int_equal(cth_expect_new(&s, &e, &nack), 0);
	assert_int_equal(cth_expect_list(&s, AF_UNSPEC, collect, &c, &nack), 0);
	assert_int_equal(c.n, 3);
	assert_int_equal(c.list[1].tuple.dport, 2);
	assert_int_equal(c.list[2].tuple.src.family, AF_INET6);
	c.n = 0;
	assert_int_equal(cth_expect_list(&s, AF_INET6, collect, &c, NULL), 0);
	assert_int_equal(c.n, 1);
	c.n = 0;
	table.interruptions = 2;
	assert_int_equal(cth_expect_list(&s, AF_INET, collect, &c, &nack), 0);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.restarts, 2);
	table.interruptions = 1;
	assert_int_equal(cth_expect_list(&s, AF_INET, NULL, NULL, &nack), 0);
}

static void a_flush_takes_all_or_those_of_a_helper(void **state)
{
	(void)state;
	make(1);
	make(2);
	assert_int_equal(cth_expect_flush(&s, "tftp", &nack), 0);
	assert_int_equal(table.n, 2);
	assert_int_equal(cth_expect_flush(&s, "ftp", &nack), 0);
	assert_int_equal(table.n, 0);
	make(1);
	assert_int_equal(cth_expect_flush(&s, NULL, &nack), 0);
	assert_int_equal(table.n, 0);
	assert_int_equal(cth_expect_flush(&s, NULL, NULL), 0);
	assert_int_equal(cth_expect_flush(&s, "abcdefghijklmnop", &nack), -EINVAL);
}

static void a_kernel_without_ctnetlink_is_told(void **state)
{
	struct cth_expect e = passive(1), found;

	(void)state;
	table.absent = true;
	assert_int_equal(cth_expect_new(&s, &e, &nack), -EPROTONOSUPPORT);
	assert_int_equal(cth_expect_get(&s, &e.tuple, 0, &found, &nack), -EPROTONOSUPPORT);
	assert_int_equal(cth_expect_del(&s, &e, &nack), -EPROTONOSUPPORT);
	assert_int_equal(cth_expect_flush(&s, NULL, NULL), -EPROTONOSUPPORT);
	assert_int_equal(table.probes, 4);
	assert_int_equal(table.dumps, 0);
	assert_int_equal(cth_expect_list(&s, 0, NULL, NULL, NULL), -EPROTONOSUPPORT);
}

/* Of a table of a hundred thousand, perhaps. */
static void a_bare_refusal_costs_no_dump(void **state)
{
	struct cth_expect e = passive(1);

	(void)state;
	table.refuse_new = -EINVAL;
	assert_int_equal(cth_expect_new(&s, &e, &nack), -EINVAL);
	assert_int_equal(nack.error, -EINVAL);
	assert_int_equal(table.probes, 1);
	assert_int_equal(table.dumps, 0);
	table.refuse_new = -EMFILE; /* which nobody else says */
	assert_int_equal(cth_expect_new(&s, &e, &nack), -EMFILE);
	assert_int_equal(table.probes, 1);
}

static void without_permission_nothing_works(void **state)
{
	struct cth_expect e = passive(1), found;

	(void)state;
	table.no_permission = true;
	assert_int_equal(cth_expect_new(&s, &e, &nack), -EPERM);
	assert_int_equal(cth_expect_get(&s, &e.tuple, 0, &found, &nack), -EPERM);
	assert_int_equal(cth_expect_del(&s, &e, &nack), -EPERM);
	assert_int_equal(cth_expect_flush(&s, NULL, &nack), -EPERM);
	assert_int_equal(cth_expect_list(&s, 0, NULL, NULL, &nack), -EPERM);
	assert_int_equal(nack.error, -EPERM);
}

static void no_answer_is_a_timeout(void **state)
{
	struct cth_expect e = passive(1), found;

	(void)state;
	table.deaf = true;
	assert_int_equal(cth_expect_new(&s, &e, &nack), -ETIMEDOUT);
	assert_int_equal(cth_expect_get(&s, &e.tuple, 0, &found, &nack), -ETIMEDOUT);
	assert_int_equal(cth_expect_list(&s, 0, NULL, NULL, &nack), -ETIMEDOUT);
	assert_int_equal(nack.error, 0);
}

/* A GET between whose answer and ACK an event comes: not what was asked for. */
static void with_an_event(struct script *script, struct cth_span datagram)
{
	struct cth_expect other = passive(9);

	other.id = 99;
	show(NEW, NLM_F_CREATE | NLM_F_EXCL, 0, &other);
	kernel(script, datagram);
}

static void events_between_are_no_answers(void **state)
{
	struct cth_expect e = passive(1), found;
	struct collected c = { .n = 0 };

	(void)state;
	make(1);
	k.on_send = with_an_event;
	assert_int_equal(cth_expect_get(&s, &e.tuple, 0, &found, &nack), 0);
	assert_int_equal(found.id, 0x1000);
	assert_int_equal(cth_expect_list(&s, 0, collect, &c, &nack), 0);
	assert_int_equal(c.n, 1);
	e = passive(2);
	assert_int_equal(cth_expect_get(&s, &e.tuple, 0, &found, &nack), -ENOENT);
}

static void success_without_an_answer_is_enoent(void **state)
{
	struct cth_expect e = passive(1), found;

	(void)state;
	k.on_send = script_ack_all;
	assert_int_equal(cth_expect_get(&s, &e.tuple, 0, &found, &nack), -ENOENT);
}

/* A GET whose answer is damaged. */
static void damaged(struct script *script, struct cth_span datagram)
{
	static const uint8_t class[] = {
		A(3, CTA_EXPECT_CLASS), 0, 0, 0, 0,
	};
	uint8_t bytes[20 + sizeof(class)] = { 0 };
	struct cth_nlmsg m;

	assert_int_equal(cth_nlmsg_next(&datagram, &m), 1);
	cth_store_host32(bytes, sizeof(bytes));
	cth_store_host16(bytes + 4, NEW);
	cth_store_host32(bytes + 8, m.seq);
	memcpy(bytes + 20, class, sizeof(class));
	script_bytes(script, bytes, sizeof(bytes));
	if ((m.flags & NLM_F_DUMP) == NLM_F_DUMP)
		script_done(script, m.seq, 0);
	else
		script_ack(script, m.seq, 0);
}

static void a_damaged_answer_is_an_error(void **state)
{
	struct cth_expect e = passive(1), found;

	(void)state;
	k.on_send = damaged;
	assert_int_equal(cth_expect_get(&s, &e.tuple, 0, &found, &nack), -ERANGE);
	assert_int_equal(cth_expect_list(&s, 0, NULL, NULL, &nack), -ERANGE);
	assert_int_equal(nack.error, 0);
}

/* The real socket. */
static void a_group_is_joined_or_that_is_refused(void **state)
{
	struct cth_sock real;
	int r;

	(void)state;
	assert_int_equal(cth_sock_join(&s, CTH_GROUP_EXPECT_NEW), -EBADF); /* a seam has none */
	r = cth_sock_open(&real, answers, sizeof(answers));
	if (r == -EPROTONOSUPPORT) /* qemu-user, where the big-endian run stands, has none */
		return;
	assert_int_equal(r, 0);
	r = cth_sock_join(&real, CTH_GROUP_EXPECT_NEW);
	assert_true(r == 0 || r == -EPERM);
	if (r == 0) {
		assert_int_equal(cth_sock_join(&real, CTH_GROUP_EXPECT_NEW), 0);
		assert_int_equal(cth_sock_join(&real, 100000), -EINVAL);
	}
	cth_sock_close(&real);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_new_expectation_is_these_bytes, setup),
		cmocka_unit_test_setup(peer_nfexp_nlmsg_build_drops_class_nat_and_fn, setup),
		cmocka_unit_test_setup(nat_is_whole_with_a_port_alone, setup),
		cmocka_unit_test_setup(an_icmp_mask_has_a_type_that_icmp_has, setup),
		cmocka_unit_test_setup(questions_and_deletions_are_these_bytes, setup),
		cmocka_unit_test_setup(what_does_not_fit_is_taken_back, setup),
		cmocka_unit_test_setup(what_is_told_of_a_tuple_is_put_and_no_more, setup),
		cmocka_unit_test_setup(icmpv6_has_numbers_of_its_own, setup),
		cmocka_unit_test_setup(tuples_differ_in_any_part_that_is_told, setup),
		cmocka_unit_test_setup(what_crashes_kernels_is_refused, setup),
		cmocka_unit_test_setup(what_the_kernel_would_refuse_or_misread_is_refused, setup),
		cmocka_unit_test_setup(what_is_not_told_may_be_anything, setup),
		cmocka_unit_test_setup(a_delete_without_a_tuple_would_delete_all, setup),
		cmocka_unit_test_setup(a_master_is_taken_from_a_packets_flow, setup),
		cmocka_unit_test_setup(every_part_is_read, setup),
		cmocka_unit_test_setup(peer_libnetfilter_conntrack_has_no_cta_expect_id, setup),
		cmocka_unit_test_setup(what_is_absent_is_not_zero, setup),
		cmocka_unit_test_setup(peer_nfexp_nlmsg_parse_sets_the_l3_number_of_another_tuple, setup),
		cmocka_unit_test_setup(peer_nfexp_nlmsg_parse_asserts_on_the_length_of_names, setup),
		cmocka_unit_test_setup(peer_nfexp_nlmsg_parse_nat_attr_cb_reaches_past_its_table, setup),
		cmocka_unit_test_setup(numbers_of_another_size_are_refused, setup),
		cmocka_unit_test_setup(of_two_the_last_one_counts, setup),
		cmocka_unit_test_setup(whatever_comes_stays_inside, setup),
		cmocka_unit_test_setup(events_are_of_two_kinds, setup),
		cmocka_unit_test_setup(recorded_expectations_of_ftp_are_read, setup),
		cmocka_unit_test_setup(recorded_expectations_of_verdicts_are_read, setup),
		cmocka_unit_test_setup(what_recorded_kernels_showed_the_builder_makes, setup),
		cmocka_unit_test_setup(recorded_ones_cut_anywhere_stay_inside, setup),
		cmocka_unit_test_setup(an_expectation_is_made_found_and_deleted, with_table),
		cmocka_unit_test_setup(one_that_is_there_is_not_made_twice, with_table),
		cmocka_unit_test_setup(what_a_tuple_only_meets_is_not_deleted, with_table),
		cmocka_unit_test_setup(zones_are_apart, with_table),
		cmocka_unit_test_setup(refusals_are_passed_on, with_table),
		cmocka_unit_test_setup(all_or_a_family_are_listed, with_table),
		cmocka_unit_test_setup(a_flush_takes_all_or_those_of_a_helper, with_table),
		cmocka_unit_test_setup(a_kernel_without_ctnetlink_is_told, with_table),
		cmocka_unit_test_setup(a_bare_refusal_costs_no_dump, with_table),
		cmocka_unit_test_setup(without_permission_nothing_works, with_table),
		cmocka_unit_test_setup(no_answer_is_a_timeout, with_table),
		cmocka_unit_test_setup(events_between_are_no_answers, with_table),
		cmocka_unit_test_setup(success_without_an_answer_is_enoent, setup),
		cmocka_unit_test_setup(a_damaged_answer_is_an_error, setup),
		cmocka_unit_test_setup(a_group_is_joined_or_that_is_refused, setup),
	};

	return RUN(tests);
}
