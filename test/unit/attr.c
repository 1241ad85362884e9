/* SPDX-License-Identifier: MIT */
/* attr.c - the parser, on well-formed, cut, and lying input at a guard page. */
#include "unit.h"
#include "../../netlink/uapi.h"

static uint8_t buf[256];

/* Two messages, the first with attributes 1 (u8), 2 (be16), 3 (string) and a nest 4. */
static struct cth_span two_messages(void)
{
	struct cth_msg m;
	size_t nest;

	cth_msg_init(&m, buf, sizeof(buf));
	cth_msg_begin(&m, 0x0300, NLM_F_MULTI, 11, 10, 0x0102);
	cth_msg_put_u8(&m, 1, 5);
	cth_msg_put_be16(&m, 2, 0x0a0b);
	cth_msg_put_str(&m, 3, "ftp");
	nest = cth_msg_nest(&m, 4);
	cth_msg_put_be32(&m, 1, 99);
	cth_msg_nest_end(&m, nest);
	cth_msg_end(&m);
	cth_msg_begin(&m, 0x0301, NLM_F_REQUEST, 12, 0, 0);
	cth_msg_put_u8(&m, 9, 1);
	cth_msg_end(&m);
	return cth_msg_bytes(&m);
}

static const struct cth_attr_rule rules[] = {
	[1] = { 1, CTH_ATTR_ANY, false },
	[2] = { 2, 2, false },
	[3] = { 1, 16, true },
	[4] = { 0, CTH_ATTR_ANY, false },
};

static void messages_and_attributes_come_out_as_they_went_in(void **state)
{
	struct cth_span d = two_messages(), v[5];
	struct cth_nlmsg m;

	(void)state;
	assert_int_equal(cth_nlmsg_next(&d, &m), 1);
	assert_int_equal(m.type, 0x0300);
	assert_int_equal(m.flags, NLM_F_MULTI);
	assert_int_equal(m.seq, 11);
	assert_int_equal(m.family, 10);
	assert_int_equal(m.res_id, 0x0102);
	assert_int_equal(cth_attr_index(m.attrs, rules, 5, v), 0);
	assert_null(v[0].p);
	assert_int_equal(v[1].p[0], 5);
	assert_int_equal(cth_be16(v[2].p), 0x0a0b);
	assert_string_equal((const char *)v[3].p, "ftp");
	assert_int_equal(v[4].n, 8);
	assert_int_equal(cth_nlmsg_next(&d, &m), 1);
	assert_int_equal(m.type, 0x0301);
	assert_int_equal(m.seq, 12);
	assert_int_equal(cth_nlmsg_next(&d, &m), 0);
}

/* Walks everything there is, two levels deep, as a parser of ours would. */
static void walk(struct cth_span d, void *ctx)
{
	struct cth_span v[5], inner;
	struct cth_nlmsg m;
	struct cth_attr a;
	size_t bytes = 0;

	(void)ctx;
	while (cth_nlmsg_next(&d, &m) > 0) {
		bytes += m.whole.n;
		inner = cth_attr_find(m.attrs, 4);
		for (size_t k = 0; k < inner.n; k++)
			bytes += inner.p[k];
		if (cth_attr_index(m.attrs, rules, 5, v) < 0)
			continue;
		for (size_t i = 1; i < 5; i++)
			for (size_t k = 0; v[i].p && k < v[i].n; k++)
				bytes += v[i].p[k];
		inner = v[4];
		while (inner.p && cth_attr_next(&inner, &a) > 0)
			for (size_t k = 0; k < a.value.n; k++)
				bytes += a.value.p[k];
	}
	assert_true(bytes < 1000000);
}

static void no_truncation_reads_past_the_end(void **state)
{
	(void)state;
	every_truncation(two_messages(), walk, NULL);
}

static void no_byte_value_reads_past_the_end(void **state)
{
	(void)state;
	every_byte_value(two_messages(), walk, NULL);
}

static void a_cut_message_is_malformed_and_stays_where_it_is(void **state)
{
	struct cth_span d = two_messages(), before;
	struct cth_nlmsg m;

	(void)state;
	d.n -= 4;
	assert_int_equal(cth_nlmsg_next(&d, &m), 1);
	before = d;
	assert_int_equal(cth_nlmsg_next(&d, &m), -EBADMSG);
	assert_ptr_equal(d.p, before.p);
	assert_int_equal(d.n, before.n);
}

/* The last message and the last attribute end without padding; some parsers lose them. */
static void peer_netlink_parsers_lose_an_unpadded_last_attribute(void **state)
{
	uint8_t *p;
	struct cth_span d, v[5];
	struct cth_nlmsg m;
	struct cth_msg b;

	(void)state;
	cth_msg_init(&b, buf, sizeof(buf));
	cth_msg_begin(&b, 0x0300, 0, 1, 0, 0);
	cth_msg_put_u8(&b, 1, 5);
	cth_msg_end(&b);
	cth_store_host32(buf, 25);
	p = guarded(buf, 25);
	d = cth_span(p, 25);
	assert_int_equal(cth_nlmsg_next(&d, &m), 1);
	assert_int_equal(cth_attr_index(m.attrs, rules, 5, v), 0);
	assert_int_equal(v[1].n, 1);
	assert_int_equal(v[1].p[0], 5);
	assert_int_equal(cth_nlmsg_next(&d, &m), 0);
	free_guarded(p, 25);
}

static void impossible_lengths_are_malformed(void **state)
{
	static const uint32_t lengths[] = { 0, 1, 15, 16, 19, 21, 0x7fffffff, 0x80000000, 0xffffffff };
	struct cth_msg b;

	(void)state;
	for (size_t i = 0; i < N_OF(lengths); i++) {
		struct cth_nlmsg m;
		struct cth_span d;

		cth_msg_init(&b, buf, sizeof(buf));
		cth_msg_begin(&b, 0x0300, 0, 1, 0, 0);
		cth_msg_end(&b);
		cth_store_host32(buf, lengths[i]);
		d = cth_msg_bytes(&b);
		assert_int_equal(cth_nlmsg_next(&d, &m), -EBADMSG);
	}
	for (uint16_t len = 0; len < 4; len++) {
		struct cth_attr a;
		struct cth_span d;

		cth_store_host16(buf, len);
		cth_store_host16(buf + 2, 1);
		d = cth_span(buf, 4);
		assert_int_equal(cth_attr_next(&d, &a), -EBADMSG);
	}
}

static void a_control_message_has_no_nfgenmsg(void **state)
{
	struct cth_span d;
	struct cth_nlmsg m;

	(void)state;
	memset(buf, 0, 20);
	cth_store_host32(buf, 20);
	cth_store_host16(buf + 4, NLMSG_DONE);
	d = cth_span(buf, 20);
	assert_int_equal(cth_nlmsg_next(&d, &m), 1);
	assert_int_equal(m.attrs.n, 4);
	assert_int_equal(m.family, 0);
}

/* What the rules say, value by value. */
static void rules_hold_as_in_the_kernel(void **state)
{
	static const struct {
		uint16_t type;
		const char *value;
		size_t n;
		int result;
	} cases[] = {
		{ 1, "", 0, -ERANGE },            /* shorter than its type */
		{ 1, "\1\2\3", 3, 0 },            /* longer is tolerated where the rule has no end */
		{ 2, "\1", 1, -ERANGE },
		{ 2, "\1\2\3", 3, -ERANGE },
		{ 3, "abc", 3, -EINVAL },         /* no NUL */
		{ 3, "abc\0", 4, 0 },
		{ 3, "0123456789abcde\0", 16, 0 },
		{ 3, "0123456789abcdef\0", 17, -ERANGE }, /* its NUL lies too far */
		{ 3, "", 0, -ERANGE },
		{ 4, "", 0, 0 },
		{ 0, "x", 1, 0 },                 /* not known: skipped */
		{ 77, "x", 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct cth_span v[5];
		struct cth_msg b;
		uint8_t *p;
		size_t n;

		cth_msg_init(&b, buf, sizeof(buf));
		cth_msg_begin_bare(&b);
		cth_msg_put(&b, cases[i].type, cases[i].value, cases[i].n);
		cth_msg_end(&b);
		n = 4 + cases[i].n; /* without the padding, at the guard page */
		p = guarded(buf, n);
		assert_int_equal(cth_attr_index(cth_span(p, n), rules, 5, v), cases[i].result);
		free_guarded(p, n);
	}
}

static void the_last_duplicate_wins(void **state)
{
	struct cth_span v[5];
	struct cth_msg b;

	(void)state;
	cth_msg_init(&b, buf, sizeof(buf));
	cth_msg_begin_bare(&b);
	cth_msg_put_u8(&b, 1, 5);
	cth_msg_put_u8(&b, 1, 6);
	cth_msg_end(&b);
	assert_int_equal(cth_attr_index(cth_msg_bytes(&b), rules, 5, v), 0);
	assert_int_equal(v[1].p[0], 6);
}

struct everything {
	struct cth_span span;
	uint8_t u8;
	uint16_t be16;
	uint32_t be32;
	uint64_t be64;
	uint8_t four[4], sixteen[16];
};

static const struct cth_attr_field fields[] = {
	[1] = { CTH_ATTR_SPAN, offsetof(struct everything, span), 1 },
	[2] = { CTH_ATTR_U8, offsetof(struct everything, u8), 2 },
	[3] = { CTH_ATTR_BE16, offsetof(struct everything, be16), 4 },
	[4] = { CTH_ATTR_BE32, offsetof(struct everything, be32), 8 },
	[5] = { CTH_ATTR_BE64, offsetof(struct everything, be64), 16 },
	[6] = { CTH_ATTR_4, offsetof(struct everything, four), 32 },
	[7] = { CTH_ATTR_16, offsetof(struct everything, sixteen), 64 },
};

/* type repeats n bytes of 1, 2, 3 ... */
static int read_one(uint16_t type, size_t n, struct everything *e, uint32_t *told)
{
	static const uint8_t count[17] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 };
	struct cth_msg b;
	uint8_t *p;
	int r;

	cth_msg_init(&b, buf, sizeof(buf));
	cth_msg_begin_bare(&b);
	cth_msg_put(&b, type, count, n);
	cth_msg_end(&b);
	p = guarded(buf, 4 + n); /* without the padding */
	memset(e, 0xee, sizeof(*e));
	*told = 0;
	r = cth_attr_read(cth_span(p, 4 + n), fields, N_OF(fields), e, told);
	free_guarded(p, 4 + n);
	return r;
}

static void fields_are_read_at_their_own_length_alone(void **state)
{
	static const size_t lengths[] = { 0, 0, 1, 2, 4, 8, 4, 16 };
	struct everything e, untouched;
	uint32_t told;

	(void)state;
	memset(&untouched, 0xee, sizeof(untouched));
	for (uint16_t type = 0; type < 10; type++)
		for (size_t n = 0; n <= 17; n++) {
			bool known = type > 0 && type < N_OF(fields);
			bool fits = known && (type == 1 || n == lengths[type]);

			assert_int_equal(read_one(type, n, &e, &told), fits || !known ? 0 : -ERANGE);
			assert_int_equal(told, fits ? 1u << (type - 1) : 0);
			if (!fits)
				assert_memory_equal(&e, &untouched, sizeof(e));
		}
	read_one(1, 3, &e, &told);
	assert_int_equal(e.span.n, 3);
	read_one(2, 1, &e, &told);
	assert_int_equal(e.u8, 1);
	assert_int_equal(e.be16, 0xeeee);
	read_one(3, 2, &e, &told);
	assert_int_equal(e.be16, 0x0102);
	read_one(4 | NLA_F_NESTED | NLA_F_NET_BYTEORDER, 4, &e, &told);
	assert_int_equal(e.be32, 0x01020304);
	read_one(5, 8, &e, &told);
	assert_true(e.be64 == 0x0102030405060708);
	read_one(6, 4, &e, &told);
	assert_memory_equal(e.four, "\1\2\3\4", 4);
	read_one(7, 16, &e, &told);
	assert_memory_equal(e.sixteen, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20", 16);
}

static void one_attribute_is_found_whatever_stands_beside_it(void **state)
{
	struct cth_span level;
	struct cth_msg b;

	(void)state;
	cth_msg_init(&b, buf, sizeof(buf));
	cth_msg_begin_bare(&b);
	cth_msg_put_u8(&b, 1, 5);
	cth_msg_put_be32(&b, 4 | NLA_F_NESTED, 7);
	cth_msg_put(&b, 2, NULL, 0);
	cth_msg_put_u8(&b, 1 | NLA_F_NET_BYTEORDER, 6);
	cth_msg_end(&b);
	level = cth_msg_bytes(&b);
	assert_int_equal(cth_attr_find(level, 1).n, 1);
	assert_int_equal(cth_attr_find(level, 1).p[0], 6); /* of duplicates the last */
	assert_int_equal(cth_be32(cth_attr_find(level, 4).p), 7);
	assert_non_null(cth_attr_find(level, 2).p);
	assert_int_equal(cth_attr_find(level, 2).n, 0);
	assert_null(cth_attr_find(level, 3).p);
	assert_null(cth_attr_find(cth_span(NULL, 0), 1).p);
	/* Nothing of a level that is malformed behind it, either. */
	buf[level.n - 8] = 9;
	assert_null(cth_attr_find(level, 4).p);
}

static void of_fields_too_the_last_duplicate_wins(void **state)
{
	struct everything e;
	uint32_t told = 0x100;
	struct cth_msg b;

	(void)state;
	cth_msg_init(&b, buf, sizeof(buf));
	cth_msg_begin_bare(&b);
	cth_msg_put_u8(&b, 2, 5);
	cth_msg_put_be32(&b, 4, 7);
	cth_msg_put_u8(&b, 2, 6);
	cth_msg_end(&b);
	assert_int_equal(cth_attr_read(cth_msg_bytes(&b), fields, N_OF(fields), &e, &told), 0);
	assert_int_equal(told, 0x100 | 2 | 8);
	assert_int_equal(e.u8, 6);
	/* What came before an error is read. */
	buf[cth_msg_bytes(&b).n - 8] = buf[cth_msg_bytes(&b).n - 7] = 3;
	told = 0;
	assert_int_equal(cth_attr_read(cth_msg_bytes(&b), fields, N_OF(fields), &e, &told),
			 -EBADMSG);
	assert_int_equal(told, 2 | 8);
	assert_int_equal(e.u8, 5);
}

static void flag_bits_are_not_part_of_the_type(void **state)
{
	struct cth_attr a;
	struct cth_span d;

	(void)state;
	cth_store_host16(buf, 4);
	cth_store_host16(buf + 2, NLA_F_NESTED | NLA_F_NET_BYTEORDER | 3);
	d = cth_span(buf, 4);
	assert_int_equal(cth_attr_next(&d, &a), 1);
	assert_int_equal(a.type, 3);
	assert_true(a.nested);
	assert_int_equal(a.value.n, 0);
	assert_non_null(a.value.p);
}

static void a_span_never_reaches_outside(void **state)
{
	struct cth_span s = cth_span("abcd", 4);

	(void)state;
	assert_non_null(cth_span_sub(s, 4, 0).p);
	assert_null(cth_span_sub(s, 4, 1).p);
	assert_null(cth_span_sub(s, 5, 0).p);
	assert_null(cth_span_sub(s, 1, SIZE_MAX).p);
	assert_null(cth_span_sub(s, SIZE_MAX, 2).p);
	assert_null(cth_span_sub(cth_span(NULL, 0), 0, 0).p);
	assert_int_equal(cth_be64((const uint8_t *)"\1\2\3\4\5\6\7\10"), 0x0102030405060708);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_and_attributes_come_out_as_they_went_in),
		cmocka_unit_test(no_truncation_reads_past_the_end),
		cmocka_unit_test(no_byte_value_reads_past_the_end),
		cmocka_unit_test(a_cut_message_is_malformed_and_stays_where_it_is),
		cmocka_unit_test(peer_netlink_parsers_lose_an_unpadded_last_attribute),
		cmocka_unit_test(impossible_lengths_are_malformed),
		cmocka_unit_test(a_control_message_has_no_nfgenmsg),
		cmocka_unit_test(rules_hold_as_in_the_kernel),
		cmocka_unit_test(the_last_duplicate_wins),
		cmocka_unit_test(fields_are_read_at_their_own_length_alone),
		cmocka_unit_test(one_attribute_is_found_whatever_stands_beside_it),
		cmocka_unit_test(of_fields_too_the_last_duplicate_wins),
		cmocka_unit_test(flag_bits_are_not_part_of_the_type),
		cmocka_unit_test(a_span_never_reaches_outside),
	};

	return RUN(tests);
}
