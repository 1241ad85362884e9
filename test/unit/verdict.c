/* SPDX-License-Identifier: MIT */
/*
 * verdict.c - verdict messages against golden bytes and against recorded ones that the
 * kernel took, and every verdict that is refused.
 */
#include <sys/socket.h>
#include "packets.h"
#include "../../netlink/uapi.h"
#include "../../queue/verdict.h"

#define VERDICT (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT)
#define BATCH   (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT_BATCH)

static uint8_t buf[2048], should[2048];
static size_t should_n;
static struct cth_msg m;
static struct packet k, other;

/* What should come: headers and lengths in this machine's order, the rest as on the wire. */
static void expect_message(uint16_t type, uint16_t queue)
{
	memset(should, 0, sizeof(should));
	cth_store_host16(should + 4, type);
	cth_store_host16(should + 6, NLM_F_REQUEST);
	cth_store_be16(should + 18, queue);
	should_n = 20;
}

static void expect_attr(uint16_t type, const void *value, size_t n)
{
	cth_store_host16(should + should_n, (uint16_t)(4 + n));
	cth_store_host16(should + should_n + 2, type);
	memcpy(should + should_n + 4, value, n);
	should_n += 4 + n + cth_msg_pad(n);
}

static void expect_header(uint32_t word, uint32_t id)
{
	uint8_t header[8];

	cth_store_be32(header, word);
	cth_store_be32(header + 4, id);
	expect_attr(NFQA_VERDICT_HDR, header, 8);
}

/* outside: how many bytes of the message follow elsewhere. */
static void assert_message(size_t outside)
{
	cth_store_host32(should, (uint32_t)(should_n + outside));
	assert_bytes(cth_msg_bytes(&m), should, should_n);
	cth_msg_reset(&m);
}

static int setup(void **state)
{
	(void)state;
	cth_msg_init(&m, buf, sizeof(buf));
	return 0;
}

static struct cth_verdict an_accept(void)
{
	struct cth_verdict v;

	memset(&v, 0xa5, sizeof(v));
	cth_verdict_init(&v);
	return v;
}

static void the_plainest_verdict(void **state)
{
	struct cth_verdict v = an_accept();

	(void)state;
	assert_int_equal(cth_verdict_check(&v, NULL, NULL), 0);
	assert_true(cth_edit_empty(&v.edit));
	assert_int_equal(cth_verdict_put(&m, 513, 0x01020304, &v, NULL, NULL), 0);
	expect_message(VERDICT, 513);
	expect_header(1, 0x01020304);
	assert_int_equal(should_n, 32);
	assert_message(0);
}

static void the_word_of_every_code(void **state)
{
	static const struct {
		int code;
		uint16_t queue;
		bool bypass;
		uint32_t word;
	} codes[] = {
		{ CTH_DROP, 0, false, 0 }, { CTH_ACCEPT, 0, false, 1 },
		{ CTH_REPEAT, 0, false, 4 }, { CTH_STOP, 0, false, 5 },
		{ CTH_QUEUE, 0, false, 3 }, { CTH_QUEUE, 7, true, 0x00078003 },
		{ CTH_QUEUE, 65535, false, 0xffff0003 }, { CTH_QUEUE, 65535, true, 0xffff8003 },
		/* The kernel would skip what it does after an ACCEPT. */
		{ CTH_ACCEPT, 9, true, 1 }, { CTH_STOP, 9, true, 5 }, { CTH_DROP, 9, true, 0 },
		{ CTH_REPEAT, 9, true, 4 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(codes); i++) {
		struct cth_verdict v = an_accept();

		v.code = codes[i].code;
		v.to_queue = codes[i].queue;
		v.bypass = codes[i].bypass;
		assert_int_equal(cth_verdict_check(&v, NULL, NULL), 0);
		assert_int_equal(cth_verdict_put(&m, 3, 9, &v, NULL, NULL), 0);
		expect_message(VERDICT, 3);
		expect_header(codes[i].word, 9);
		assert_message(0);
	}
}

static void peer_go_nfqueue_cuts_the_verdict_to_8_bits(void **state)
{
	struct cth_verdict v = an_accept();

	(void)state;
	v.code = CTH_QUEUE;
	v.to_queue = 0x1234;
	assert_int_equal(cth_verdict_put(&m, 0, 1, &v, NULL, NULL), 0);
	assert_int_equal(cth_be32(cth_msg_bytes(&m).p + 24), 0x12340003);
}

static void every_part_in_one_message(void **state)
{
	struct cth_verdict v = an_accept();
	uint8_t nest[64];
	struct cth_pkt p = { .family = AF_BRIDGE };

	(void)state;
	p.l2hdr = cth_span("..............", 14);
	v.set_mark = v.set_priority = v.set_vlan = true;
	v.mark = 0x0a0b0c0d;
	v.priority = 0x00010002;
	v.vlan_proto = 0x8100;
	v.vlan_tci = 0x0007;
	v.l2hdr = cth_span("0123456789abcd", 14);
	v.ct = cth_span("\0\0\0\0", 0);
	assert_int_equal(cth_verdict_check(&v, &p, NULL), 0);
	assert_int_equal(cth_verdict_put(&m, 12, 77, &v, &p, NULL), 0);

	expect_message(VERDICT, 12);
	expect_header(1, 77);
	expect_attr(NFQA_MARK, "\x0a\x0b\x0c\x0d", 4);
	expect_attr(21, "\0\1\0\2", 4);
	cth_store_host16(nest, 6);
	cth_store_host16(nest + 2, 1);
	memcpy(nest + 4, "\x81\x00\0\0", 4);
	cth_store_host16(nest + 8, 6);
	cth_store_host16(nest + 10, 2);
	memcpy(nest + 12, "\x00\x07\0\0", 4);
	expect_attr(19 | NLA_F_NESTED, nest, 16);
	expect_attr(20, "0123456789abcd", 14);
	expect_attr(11 | NLA_F_NESTED, "", 0);
	assert_message(0);
}

static void ranges_and_raw_words(void **state)
{
	(void)state;
	assert_int_equal(cth_verdict_put_range(&m, 65535, UINT32_MAX), 0);
	expect_message(BATCH, 65535);
	expect_header(1, UINT32_MAX);
	assert_message(0);

	assert_int_equal(cth_verdict_put_raw(&m, 5, 2, 0xdeadbeef), 0);
	expect_message(VERDICT, 5);
	expect_header(0xdeadbeef, 2);
	assert_message(0);
}

static void a_mark_is_changed_in_the_bits_of_its_mask(void **state)
{
	static const struct {
		uint32_t own, mark, mask, becomes;
	} marks[] = {
		{ 0, 5, 0, 5 },
		{ 0xffffffff, 5, 0, 5 }, /* no mask: all of it */
		{ 0xffffffff, 5, 0xffffffff, 5 },
		{ 0x12345678, 0xaaaaaaaa, 0x0000ff00, 0x1234aa78 },
		{ 0x12345678, 0, 0xff000000, 0x00345678 },
		{ 0x12345678, 0xffffffff, 1, 0x12345679 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(marks); i++) {
		struct cth_pkt p = { .family = AF_INET, .mark = marks[i].own };
		struct cth_verdict v = an_accept();
		uint8_t mark[4];

		v.set_mark = true;
		v.mark = marks[i].mark;
		v.mark_mask = marks[i].mask;
		assert_int_equal(cth_verdict_check(&v, &p, NULL), 0);
		assert_int_equal(cth_verdict_put(&m, 0, 1, &v, &p, NULL), 0);
		expect_message(VERDICT, 0);
		expect_header(1, 1);
		cth_store_be32(mark, marks[i].becomes);
		expect_attr(NFQA_MARK, mark, 4);
		assert_message(0);
	}
}

/* Attributes into a buffer of their own, as a caller makes them. */
static struct cth_msg bare;
static uint8_t bare_bytes[512];

static void attrs_begin(void)
{
	cth_msg_init(&bare, bare_bytes, sizeof(bare_bytes));
	cth_msg_begin_bare(&bare);
}

static struct cth_span attrs_end(void)
{
	assert_int_equal(cth_msg_end(&bare), 0);
	return cth_msg_bytes(&bare);
}

static void put_tuple(uint16_t type, bool ip, bool proto)
{
	size_t nest = cth_msg_nest(&bare, type);

	if (ip)
		cth_msg_nest_end(&bare, cth_msg_nest(&bare, CTA_TUPLE_IP));
	if (proto)
		cth_msg_nest_end(&bare, cth_msg_nest(&bare, CTA_TUPLE_PROTO));
	cth_msg_nest_end(&bare, nest);
}

static struct cth_span expectation(void)
{
	attrs_begin();
	put_tuple(CTA_EXPECT_TUPLE, true, true);
	put_tuple(CTA_EXPECT_MASK, true, true);
	cth_msg_put_be32(&bare, CTA_EXPECT_CLASS, 1);
	return attrs_end();
}

static void an_expectation_brings_the_flow_along(void **state)
{
	struct cth_verdict v = an_accept();

	(void)state;
	v.expect = expectation();
	assert_int_equal(cth_verdict_check(&v, NULL, NULL), 0);
	assert_int_equal(cth_verdict_put(&m, 3, 8, &v, NULL, NULL), 0);
	expect_message(VERDICT, 3);
	expect_header(1, 8);
	expect_attr(11 | NLA_F_NESTED, "", 0);
	expect_attr(15 | NLA_F_NESTED, v.expect.p, v.expect.n);
	assert_message(0);
}

static void a_packet_follows_outside_of_the_message(void **state)
{
	struct shape s = { .version = 4, .proto = UDP };
	struct cth_verdict v = an_accept();
	struct cth_pkt p = { .family = AF_INET };

	(void)state;
	make_packet(&k, &s, "hello", 5);
	make_packet(&other, &s, "HELLO!!!", 8);
	p.payload = cth_span(k.b, k.n);
	v.packet = cth_span(other.b, other.n);
	assert_int_equal(cth_verdict_check(&v, &p, NULL), 0);
	assert_int_equal(cth_verdict_put(&m, 3, 8, &v, &p, NULL), 0);
	expect_message(VERDICT, 3);
	expect_header(1, 8);
	expect_attr(NFQA_PAYLOAD, "", 0);
	cth_store_host16(should + should_n - 4, (uint16_t)(4 + other.n));
	assert_message(other.n);
}

/* Behind an edit the kernel sees to the sequence numbers only if the flow is spoken of. */
static void an_edit_brings_the_flow_along(void **state)
{
	static struct cth_edited edited;
	struct shape s = { .version = 4, .proto = UDP };
	struct cth_verdict v = an_accept();
	struct cth_pkt p = { .family = AF_INET };

	(void)state;
	make_packet(&k, &s, "hello", 5);
	p.payload = cth_span(k.b, k.n);
	cth_edit_cut(&v.edit, 0, 1, "J", 1);
	assert_int_equal(cth_verdict_check(&v, &p, NULL), 0);
	assert_int_equal(cth_edit_apply(&v.edit, &p, &edited, NULL), 0);
	assert_int_equal(cth_verdict_put(&m, 3, 8, &v, &p, &edited), 0);
	expect_message(VERDICT, 3);
	expect_header(1, 8);
	expect_attr(11 | NLA_F_NESTED, "", 0);
	expect_attr(NFQA_PAYLOAD, "", 0);
	cth_store_host16(should + should_n - 4, 4 + 33);
	assert_message(33);
}

static void peer_nfq_rs_length_of_the_payload_counts_no_padding(void **state)
{
	struct cth_verdict v = an_accept();

	(void)state;
	for (size_t n = 1; n < 9; n++) {
		struct cth_span b;

		v.packet = cth_span("01234567", n);
		assert_int_equal(cth_verdict_put(&m, 0, 1, &v, NULL, NULL), 0);
		b = cth_msg_bytes(&m);
		assert_int_equal(cth_host16(b.p + b.n - 4), 4 + n);
		assert_int_equal(cth_host32(b.p), b.n + n);
		cth_msg_reset(&m);
	}
}

static void peer_conntrackd_verdict_outgrows_its_buffer(void **state)
{
	struct cth_verdict v = an_accept();
	size_t whole;

	(void)state;
	v.set_mark = v.set_priority = v.set_vlan = true;
	v.l2hdr = cth_span("0123456789abcd", 14);
	v.expect = expectation();
	v.packet = cth_span("0123456789", 10);
	assert_int_equal(cth_verdict_put(&m, 0, 1, &v, NULL, NULL), 0);
	whole = cth_msg_bytes(&m).n;
	for (size_t cap = 0; cap <= whole; cap++) {
		uint8_t *g = guarded(buf, cap);

		cth_msg_init(&m, g, cap);
		assert_int_equal(cth_verdict_put(&m, 0, 1, &v, NULL, NULL),
				 cap < whole ? -EMSGSIZE : 0);
		assert_int_equal(cth_msg_bytes(&m).n, cap < whole ? 0 : whole);
		free_guarded(g, cap);
	}
}

/* The verdict is refused so, with a sentence. */
static void assert_refused(const struct cth_verdict *v, const struct cth_pkt *p, int r)
{
	const char *why = NULL;

	assert_int_equal(cth_verdict_check(v, p, &why), r);
	assert_int_equal(cth_verdict_check(v, p, NULL), r);
	if (r < 0) {
		assert_non_null(why);
		assert_true(strlen(why) > 10);
	} else {
		assert_null(why);
	}
}

static void codes_that_are_none_are_refused(void **state)
{
	(void)state;
	for (int code = -300; code < 600; code++) {
		struct cth_verdict v = an_accept();
		bool good = code == 0 || code == 1 || code == 3 || code == 4 || code == 5;

		v.code = code;
		assert_refused(&v, NULL, good ? 0 : -EINVAL);
	}
}

/* A flow as the kernel tells it. */
static struct cth_span flow(uint32_t status, const char *helper, uint16_t adjusted)
{
	static uint8_t bytes[128];
	struct cth_msg f;

	cth_msg_init(&f, bytes, sizeof(bytes));
	cth_msg_begin_bare(&f);
	cth_msg_put_be32(&f, CTA_STATUS, status);
	if (helper) {
		size_t nest = cth_msg_nest(&f, CTA_HELP);

		cth_msg_put_str(&f, CTA_HELP_NAME, helper);
		cth_msg_nest_end(&f, nest);
	}
	if (adjusted)
		cth_msg_put(&f, adjusted, "", 0);
	assert_int_equal(cth_msg_end(&f), 0);
	return cth_msg_bytes(&f);
}

static void a_helpers_packet_is_not_repeated_for_ever(void **state)
{
	struct cth_pkt p = { .family = AF_INET };
	struct cth_verdict v = an_accept();

	(void)state;
	v.code = CTH_REPEAT;
	assert_refused(&v, NULL, 0);
	assert_refused(&v, &p, 0);
	p.ct = flow(8, NULL, 0);
	assert_refused(&v, &p, 0);
	p.ct = flow(8, "ftp", 0);
	assert_refused(&v, &p, -EOPNOTSUPP);
	v.code = CTH_STOP;
	assert_refused(&v, &p, 0);
	v.code = CTH_ACCEPT;
	assert_refused(&v, &p, 0);
}

static void part_of_a_mark_needs_the_packet(void **state)
{
	struct cth_pkt p = { .family = AF_INET };
	struct cth_verdict v = an_accept();

	(void)state;
	v.mark_mask = 0xff;
	assert_refused(&v, NULL, 0);
	v.set_mark = true;
	assert_refused(&v, NULL, -EINVAL);
	assert_refused(&v, &p, 0);
	v.mark_mask = 0;
	assert_refused(&v, NULL, 0);
	v.mark_mask = UINT32_MAX;
	assert_refused(&v, NULL, 0);
}

static void a_bridges_parts_are_for_a_bridges_packet(void **state)
{
	struct cth_pkt p = { .family = AF_INET };
	struct cth_verdict vlan = an_accept(), l2 = an_accept();

	(void)state;
	vlan.set_vlan = true;
	l2.l2hdr = cth_span("0123456789abcd", 14);
	assert_refused(&vlan, &p, -EINVAL);
	assert_refused(&l2, &p, -EINVAL);
	p.family = AF_INET6;
	assert_refused(&vlan, &p, -EINVAL);
	p.family = AF_BRIDGE;
	assert_refused(&vlan, &p, 0);
	assert_refused(&l2, &p, -EINVAL); /* it has none */
	for (size_t n = 0; n < 20; n++) {
		p.l2hdr = cth_span("01234567890123456789", n);
		assert_refused(&l2, &p, n == 14 ? 0 : -EINVAL);
	}
	assert_refused(&vlan, NULL, 0);
	assert_refused(&l2, NULL, 0);
}

static void a_malformed_flow_is_refused(void **state)
{
	static const uint16_t numbers[] = { CTA_STATUS, CTA_TIMEOUT, CTA_MARK };
	struct cth_verdict v = an_accept();

	(void)state;
	v.ct = cth_span("\x99\x99\x99\x99\x99", 5);
	assert_refused(&v, NULL, -EINVAL);
	v.ct = cth_span("xyz", 3);
	assert_refused(&v, NULL, -EINVAL);
	for (size_t i = 0; i < N_OF(numbers); i++)
		for (size_t n = 0; n < 8; n++) {
			attrs_begin();
			cth_msg_put(&bare, numbers[i], "01234567", n);
			v.ct = attrs_end();
			assert_refused(&v, NULL, n != 4 ? -EINVAL : 0);
		}
}

static struct cth_span help(const char *name, size_t n)
{
	size_t nest;

	attrs_begin();
	nest = cth_msg_nest(&bare, CTA_HELP);
	if (name)
		cth_msg_put(&bare, CTA_HELP_NAME, name, n);
	cth_msg_put(&bare, 2, "0123456789abcdef", 16);
	cth_msg_nest_end(&bare, nest);
	return attrs_end();
}

static void private_data_needs_the_helpers_name(void **state)
{
	struct cth_verdict v = an_accept();

	(void)state;
	v.ct = help("test", 5);
	assert_refused(&v, NULL, 0);
	v.ct = help("0123456789abcde", 16);
	assert_refused(&v, NULL, 0);
	v.ct = help("0123456789abcdef", 17);
	assert_refused(&v, NULL, -EINVAL);
	v.ct = help("test", 4);
	assert_refused(&v, NULL, -EINVAL);
	v.ct = help(NULL, 0);
	assert_refused(&v, NULL, -EINVAL);
	attrs_begin();
	cth_msg_put(&bare, CTA_HELP, "\x99\x99\x99\x99", 4);
	v.ct = attrs_end();
	assert_refused(&v, NULL, -EINVAL);
}

static void a_helper_is_not_exchanged_for_another(void **state)
{
	struct cth_pkt p = { .family = AF_INET };
	struct cth_verdict v = an_accept();

	(void)state;
	v.ct = help("tftp", 5);
	assert_refused(&v, &p, 0); /* the flow is not told */
	p.ct = flow(8, "tftp", 0);
	assert_refused(&v, &p, 0);
	p.ct = flow(8, "ftp", 0);
	assert_refused(&v, &p, -EINVAL);
	p.ct = flow(8, "tftp2", 0);
	assert_refused(&v, &p, -EINVAL);
	p.ct = flow(8, NULL, 0);
	assert_refused(&v, &p, -EINVAL);
}

static struct cth_span number(uint16_t type, uint32_t value)
{
	attrs_begin();
	cth_msg_put_be32(&bare, type, value);
	return attrs_end();
}

/* One part that the kernel refuses takes all others along, without a word. */
static void what_the_kernel_would_refuse_of_a_flow_is_refused(void **state)
{
	struct cth_pkt p = { .family = AF_INET };
	struct cth_verdict v = an_accept();

	(void)state;
	v.ct = number(CTA_TIMEOUT, 60);
	p.ct = flow(8, NULL, 0);
	assert_refused(&v, &p, 0);
	p.ct = flow(8 | 1 << 10, NULL, 0); /* FIXED_TIMEOUT */
	assert_refused(&v, &p, -EPERM);
	for (unsigned bit = 0; bit < 16; bit++) {
		p.ct = flow(1u << bit, NULL, 0);
		v.ct = number(CTA_STATUS, 0);
		assert_refused(&v, &p, bit == 1 || bit == 2 ? -EINVAL : 0);
		v.ct = number(CTA_STATUS, 1u << bit);
		assert_refused(&v, &p, 0);
	}
	for (size_t n = 0; n <= 20; n++) {
		attrs_begin();
		cth_msg_put(&bare, CTA_LABELS, "01234567890123456789", n);
		v.ct = attrs_end();
		assert_refused(&v, NULL, n >= 4 && n <= 16 && n % 4 == 0 ? 0 : -EINVAL);
	}
}

static void a_helper_is_detached_from_confirmed_flows_only(void **state)
{
	struct cth_pkt p = { .family = AF_INET };
	struct cth_verdict v = an_accept();

	(void)state;
	v.ct = help("", 1);
	assert_refused(&v, NULL, 0);
	assert_refused(&v, &p, -EOPNOTSUPP); /* not told */
	for (unsigned bit = 0; bit < 16; bit++) {
		p.ct = flow(1u << bit, "test", 0);
		assert_refused(&v, &p, bit == 3 ? 0 : -EOPNOTSUPP);
	}
	p.ct = flow(8, "test", CTA_SEQ_ADJ_ORIG);
	assert_refused(&v, &p, -EOPNOTSUPP);
	p.ct = flow(8, "test", CTA_SEQ_ADJ_REPLY);
	assert_refused(&v, &p, -EOPNOTSUPP);
	v.ct = help("test", 5);
	assert_refused(&v, &p, 0);
}

static void an_expectation_that_crashes_kernels_is_refused(void **state)
{
	struct cth_verdict v = an_accept();

	(void)state;
	for (unsigned parts = 0; parts < 4; parts++) {
		attrs_begin();
		if (parts & 1)
			put_tuple(CTA_EXPECT_TUPLE, true, true);
		if (parts & 2)
			put_tuple(CTA_EXPECT_MASK, true, true);
		put_tuple(CTA_EXPECT_MASTER, true, true);
		v.expect = attrs_end();
		for (int code = 0; code < 2; code++) {
			v.code = code; /* the kernel reads it before it drops the packet */
			assert_refused(&v, NULL, parts == 3 ? 0 : -EINVAL);
		}
	}
	for (unsigned parts = 0; parts < 16; parts++) {
		attrs_begin();
		put_tuple(CTA_EXPECT_TUPLE, parts & 1, parts & 2);
		put_tuple(CTA_EXPECT_MASK, parts & 4, parts & 8);
		v.expect = attrs_end();
		assert_refused(&v, NULL, parts == 15 ? 0 : -EINVAL);
	}
	v.expect = cth_span("", 0);
	assert_refused(&v, NULL, -EINVAL);
	v.expect = expectation();
	for (size_t n = v.expect.n - 1; n > 0; n--) {
		v.expect.n = n;
		/* The class, which is the last one, may be missing. */
		assert_refused(&v, NULL, n == expectation().n - 8 ? 0 : -EINVAL);
	}
	/* Of two the last one counts. */
	attrs_begin();
	put_tuple(CTA_EXPECT_TUPLE, true, true);
	put_tuple(CTA_EXPECT_MASK, true, true);
	cth_msg_put(&bare, CTA_EXPECT_MASK, "", 0);
	v.expect = attrs_end();
	assert_refused(&v, NULL, -EINVAL);
}

static void an_edit_needs_the_packet_and_no_other_packet(void **state)
{
	struct shape s = { .version = 4, .proto = UDP };
	struct cth_pkt p = { .family = AF_INET };
	struct cth_verdict v = an_accept();

	(void)state;
	make_packet(&k, &s, "hello", 5);
	p.payload = cth_span(k.b, k.n);
	cth_edit_cut(&v.edit, 0, 1, "J", 1);
	assert_refused(&v, NULL, -EINVAL);
	assert_refused(&v, &p, 0);
	v.packet = p.payload;
	assert_refused(&v, &p, -EINVAL);
	assert_refused(&v, NULL, -EINVAL);
}

static void a_packet_must_be_as_long_as_it_tells(void **state)
{
	struct cth_verdict v = an_accept();

	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		struct shape s = { .version = version, .proto = TCP };

		make_packet(&k, &s, "hello", 5);
		for (size_t n = 0; n < k.n + 9; n++) {
			v.packet = cth_span(k.b, n);
			assert_refused(&v, NULL, n == k.n ? 0 : -EINVAL);
		}
		v.packet.n = k.n;
		put16(k.b + (version == 4 ? 2 : 4), 0);
		assert_refused(&v, NULL, -EINVAL);
	}
	k.b[6] = 0; /* an extension header that goes beyond it */
	put16(k.b + 4, k.n - 40);
	k.b[41] = 200;
	assert_refused(&v, NULL, -EINVAL);
	k.b[0] = 0x44;
	assert_refused(&v, NULL, -EINVAL);
}

static void peer_python_sends_an_empty_packet_or_one_too_long(void **state)
{
	static const uint8_t zeros[66000];
	struct shape s = { .version = 4, .proto = UDP };
	struct cth_verdict v = an_accept();

	(void)state;
	v.packet = cth_span(zeros, 0);
	assert_refused(&v, NULL, -EINVAL);
	for (size_t n = 65531 - 28 - 2; n < 65531 - 28 + 3; n++) {
		make_packet(&k, &s, zeros, n);
		v.packet = cth_span(k.b, k.n);
		assert_refused(&v, NULL, k.n > 65531 ? -EMSGSIZE : 0);
	}
	v.packet = cth_span(zeros, SIZE_MAX);
	assert_refused(&v, NULL, -EMSGSIZE);
}

/* May other take the place of k? */
static void assert_replaces(int r)
{
	struct cth_pkt p = { .family = k.version == 4 ? AF_INET : AF_INET6 };
	struct cth_verdict v = an_accept();

	p.payload = cth_span(k.b, k.n);
	v.packet = cth_span(other.b, other.n);
	assert_refused(&v, &p, r);
}

static void peer_python_replaces_a_packet_that_was_cut(void **state)
{
	struct shape s = { .version = 4, .proto = UDP };
	struct cth_pkt p = { .family = AF_INET };
	struct cth_verdict v = an_accept();

	(void)state;
	make_packet(&k, &s, "hello", 5);
	v.packet = p.payload = cth_span(k.b, k.n);
	assert_refused(&v, &p, 0);
	p.have = CTH_PKT_CAP_LEN;
	p.cap_len = 1500;
	assert_refused(&v, &p, -ENODATA);
	p.have = 0;
	p.payload = cth_span(NULL, 0);
	assert_refused(&v, &p, -ENODATA);
	p.payload = v.packet;
	p.skb_info = CTH_SKB_GSO | CTH_SKB_CSUM_NOT_READY;
	assert_refused(&v, &p, -EOPNOTSUPP);
	p.skb_info = CTH_SKB_CSUM_NOT_READY;
	assert_refused(&v, &p, 0);
	p.family = AF_BRIDGE;
	assert_refused(&v, &p, -EOPNOTSUPP);
}

static void the_ip_header_of_another_packet_keeps_its_form(void **state)
{
	struct shape s = { .version = 4, .proto = UDP, .options = 8 }, t = s;

	(void)state;
	make_packet(&k, &s, "hello", 5);
	make_packet(&other, &s, "another body, longer", 20);
	other.b[8] = 1;              /* another TTL */
	put16(other.b + 4, 0x9999);  /* another id */
	put16(other.b + 12, 0xc0a8); /* another address */
	put16(other.b + 6, 0);       /* without DF */
	finish_packet(&other);
	assert_replaces(0);
	other.b[27] ^= 1;
	assert_replaces(-EOPNOTSUPP);
	for (unsigned bit = 0; bit < 16; bit++) {
		make_packet(&other, &s, "hello", 5);
		put16(other.b + 6, get16(other.b + 6) ^ (size_t)1 << bit);
		assert_replaces(bit == 14 ? 0 : -EOPNOTSUPP);
	}
	t.options = 4;
	make_packet(&other, &t, "hello", 5);
	assert_replaces(-EOPNOTSUPP);
	t.options = 8;
	t.version = 6;
	make_packet(&other, &t, "hello", 5);
	assert_replaces(-EOPNOTSUPP);
	/* The same bytes where the options were, but they are none any more. */
	t.version = 4;
	t.options = 4;
	make_packet(&other, &t, "hello", 5);
	memset(other.b + 24, 1, 4);
	finish_packet(&other);
	assert_replaces(-EOPNOTSUPP);
	t.version = 6;
	make_packet(&other, &t, "hello", 5);
	t.version = 4;
	t.options = 20;
	make_packet(&k, &t, "hello", 5);
	memcpy(k.b + 20, other.b + 20, 20);
	memcpy(k.b + 6, other.b + 6, 2);
	finish_packet(&k);
	assert_replaces(-EOPNOTSUPP);
	/* What was no IP packet stays as it is. */
	make_packet(&k, &s, "hello", 5);
	make_packet(&other, &s, "hello", 5);
	k.b[0] = 0x08;
	assert_replaces(-EOPNOTSUPP);
	k.n = 10;
	k.b[0] = 0x47;
	assert_replaces(-EOPNOTSUPP);
}

static void the_extension_headers_of_another_packet_stay(void **state)
{
	static const uint8_t ext[8] = { UDP, 0, 1, 4, 0, 0, 0, 0 };
	struct shape s = { .version = 6, .proto = UDP, .ext = ext, .ext_len = 8, .first = 60 };

	(void)state;
	make_packet(&k, &s, "hello", 5);
	make_packet(&other, &s, "hello, world", 12);
	assert_replaces(0);
	other.b[47] = 1;
	assert_replaces(-EOPNOTSUPP);
	s.first = 0;
	make_packet(&other, &s, "hello", 5);
	assert_replaces(-EOPNOTSUPP);
	s.ext_len = 0;
	make_packet(&other, &s, "hello", 5);
	assert_replaces(-EOPNOTSUPP);
	make_packet(&k, &s, "HELLO", 5);
	assert_replaces(0);
}

/* Makes a recorded verdict again, and compares: those of the kind that we send. */
struct again {
	size_t same, skipped;
};

static bool read_verdict(struct cth_span attrs, struct cth_verdict *v, uint32_t *id)
{
	struct cth_attr a;
	uint32_t seen = 0;

	cth_verdict_init(v);
	while (cth_attr_next(&attrs, &a) > 0) {
		if (a.type >= 32 || seen & 1u << a.type)
			return false;
		seen |= 1u << a.type;
		if (a.type == NFQA_VERDICT_HDR && a.value.n == 8) {
			v->code = (int)(cth_be32(a.value.p) & 0xff);
			v->to_queue = (uint16_t)(cth_be32(a.value.p) >> 16);
			v->bypass = cth_be32(a.value.p) & 0x8000;
			*id = cth_be32(a.value.p + 4);
		} else if (a.type == NFQA_MARK && a.value.n == 4 && !v->ct.p) {
			v->set_mark = true;
			v->mark = cth_be32(a.value.p);
		} else if (a.type == NFQA_CT && a.nested && !v->expect.p) {
			v->ct = a.value;
		} else if (a.type == CTH_NFQA_EXP && a.nested && v->ct.p) {
			v->expect = a.value;
		} else {
			return false;
		}
	}
	return seen & 1u << NFQA_VERDICT_HDR;
}

static void make_again(struct cth_span d, bool to_kernel, void *ctx)
{
	struct again *t = ctx;
	struct cth_nlmsg n;

	(void)to_kernel;
	while (cth_nlmsg_next(&d, &n) > 0) {
		struct cth_verdict v;
		struct cth_span b;
		uint32_t id = 0;

		if (n.type != VERDICT)
			continue;
		if (!read_verdict(n.attrs, &v, &id)) {
			t->skipped++;
			continue;
		}
		assert_int_equal(cth_verdict_put(&m, n.res_id, id, &v, NULL, NULL), 0);
		b = cth_msg_bytes(&m);
		assert_int_equal(cth_host32(b.p), cth_host32(n.whole.p));
		assert_int_equal(cth_host16(b.p + 4), VERDICT);
		assert_bytes(cth_span_sub(b, 16, b.n - 16), n.whole.p + 16, n.whole.n - 16);
		cth_msg_reset(&m);
		t->same++;
	}
}

static void recorded_verdicts_that_kernels_took(void **state)
{
	static const struct {
		const char *name;
		size_t same, skipped;
	} files[] = {
		{ "readme-demo.pcap", 8, 0 }, { "queue-gso.pcap", 50, 0 },
		{ "queue-bridge-vlan.pcap", 12, 0 }, { "conntrackd-tftp-masq.pcap", 1, 0 },
		{ "queue-uid-gid-mark.pcap", 1, 0 }, { "helper-behaviours.pcap", 52, 3 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(files); i++) {
		struct again t = { 0 };

		each_datagram(files[i].name, make_again, &t);
		assert_int_equal(t.same, files[i].same);
		assert_int_equal(t.skipped, files[i].skipped);
	}
}

#define VERDICT_TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VERDICT_TEST(the_plainest_verdict),
		VERDICT_TEST(the_word_of_every_code),
		VERDICT_TEST(peer_go_nfqueue_cuts_the_verdict_to_8_bits),
		VERDICT_TEST(every_part_in_one_message),
		VERDICT_TEST(ranges_and_raw_words),
		VERDICT_TEST(a_mark_is_changed_in_the_bits_of_its_mask),
		VERDICT_TEST(an_expectation_brings_the_flow_along),
		VERDICT_TEST(a_packet_follows_outside_of_the_message),
		VERDICT_TEST(an_edit_brings_the_flow_along),
		VERDICT_TEST(peer_nfq_rs_length_of_the_payload_counts_no_padding),
		VERDICT_TEST(peer_conntrackd_verdict_outgrows_its_buffer),
		VERDICT_TEST(codes_that_are_none_are_refused),
		VERDICT_TEST(a_helpers_packet_is_not_repeated_for_ever),
		VERDICT_TEST(part_of_a_mark_needs_the_packet),
		VERDICT_TEST(a_bridges_parts_are_for_a_bridges_packet),
		VERDICT_TEST(a_malformed_flow_is_refused),
		VERDICT_TEST(a_helper_is_not_exchanged_for_another),
		VERDICT_TEST(what_the_kernel_would_refuse_of_a_flow_is_refused),
		VERDICT_TEST(private_data_needs_the_helpers_name),
		VERDICT_TEST(a_helper_is_detached_from_confirmed_flows_only),
		VERDICT_TEST(an_expectation_that_crashes_kernels_is_refused),
		VERDICT_TEST(an_edit_needs_the_packet_and_no_other_packet),
		VERDICT_TEST(a_packet_must_be_as_long_as_it_tells),
		VERDICT_TEST(peer_python_sends_an_empty_packet_or_one_too_long),
		VERDICT_TEST(peer_python_replaces_a_packet_that_was_cut),
		VERDICT_TEST(the_ip_header_of_another_packet_keeps_its_form),
		VERDICT_TEST(the_extension_headers_of_another_packet_stay),
		VERDICT_TEST(recorded_verdicts_that_kernels_took),
	};

	return RUN(tests);
}
