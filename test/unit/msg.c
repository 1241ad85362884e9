/* SPDX-License-Identifier: MIT */
/* msg.c - the builder, against golden bytes and against buffers of every size. */
#include "unit.h"
#include "../../netlink/uapi.h"

static uint8_t buf[70000];

/* A header as netlink wants it: in the byte order of whoever runs this test. */
static size_t put_header(uint8_t *p, uint32_t len, uint16_t type, uint16_t flags, uint32_t seq)
{
	memset(p, 0, 16);
	cth_store_host32(p, len);
	cth_store_host16(p + 4, type);
	cth_store_host16(p + 6, flags);
	cth_store_host32(p + 8, seq);
	return 16;
}

static size_t put_attr(uint8_t *p, uint16_t len, uint16_t type)
{
	cth_store_host16(p, len);
	cth_store_host16(p + 2, type);
	return 4;
}

static void a_message_is_these_bytes(void **state)
{
	uint8_t should[128] = { 0 };
	size_t n = 0, nest;
	struct cth_msg m;

	(void)state;
	cth_msg_init(&m, buf, sizeof(buf));
	cth_msg_begin(&m, 0x0301, NLM_F_REQUEST | NLM_F_ACK, 7, 2, 0x1234);
	cth_msg_put_u8(&m, 1, 0xab);
	cth_msg_put_be16(&m, 2, 0x0102);
	cth_msg_put_be32(&m, 3, 0x01020304);
	cth_msg_put_be64(&m, 4, 0x0102030405060708);
	nest = cth_msg_nest(&m, 5);
	cth_msg_put_str(&m, 6, "abc");
	cth_msg_put(&m, 7, "hello", 5);
	cth_msg_nest_end(&m, nest);
	assert_int_equal(cth_msg_end(&m), 0);

	n += put_header(should, 80, 0x0301, 5, 7);
	memcpy(should + n, "\x02\x00\x12\x34", 4);
	n += 4;
	n += put_attr(should + n, 5, 1);
	should[n] = 0xab;
	n += 4;
	n += put_attr(should + n, 6, 2);
	memcpy(should + n, "\x01\x02", 2);
	n += 4;
	n += put_attr(should + n, 8, 3);
	memcpy(should + n, "\x01\x02\x03\x04", 4);
	n += 4;
	n += put_attr(should + n, 12, 4);
	memcpy(should + n, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	n += 8;
	n += put_attr(should + n, 4 + 8 + 12, NLA_F_NESTED | 5);
	n += put_attr(should + n, 8, 6);
	memcpy(should + n, "abc", 4);
	n += 4;
	n += put_attr(should + n, 9, 7);
	memcpy(should + n, "hello", 5);
	n += 8;
	assert_int_equal(n, 20 + 8 + 8 + 8 + 12 + 24);
	assert_bytes(cth_msg_bytes(&m), should, n);
}

/* Fills a message of some shape; used to find where each buffer size breaks. */
static int fill(struct cth_msg *m)
{
	size_t nest;

	cth_msg_begin(m, 0x0301, 1, 1, 0, 0);
	cth_msg_put_be32(m, 1, 1);
	nest = cth_msg_nest(m, 2);
	cth_msg_put_str(m, 3, "name");
	cth_msg_put_u8(m, 4, 1);
	cth_msg_nest_end(m, nest);
	return cth_msg_end(m);
}

static void every_buffer_size_ends_in_a_message_or_in_nothing(void **state)
{
	struct cth_msg m;
	size_t whole;

	(void)state;
	cth_msg_init(&m, buf, sizeof(buf));
	assert_int_equal(fill(&m), 0);
	whole = cth_msg_bytes(&m).n;
	for (size_t cap = 0; cap <= whole; cap++) {
		uint8_t *p = guarded(buf, cap);

		cth_msg_init(&m, p, cap);
		assert_int_equal(fill(&m), cap < whole ? -EMSGSIZE : 0);
		assert_int_equal(cth_msg_bytes(&m).n, cap < whole ? 0 : whole);
		free_guarded(p, cap);
	}
}

static void as_many_messages_as_fit_then_the_same_again(void **state)
{
	struct cth_msg m;
	size_t one, sent = 0, rounds = 0;

	(void)state;
	cth_msg_init(&m, buf, sizeof(buf));
	fill(&m);
	one = cth_msg_bytes(&m).n;
	cth_msg_init(&m, buf, one * 3 + 5);
	for (int i = 0; i < 7; i++) {
		if (fill(&m) == -EMSGSIZE) {
			assert_int_equal(cth_msg_bytes(&m).n, one * 3);
			sent += cth_msg_bytes(&m).n;
			rounds++;
			cth_msg_reset(&m);
			assert_int_equal(fill(&m), 0);
		}
	}
	sent += cth_msg_bytes(&m).n;
	assert_int_equal(rounds, 2);
	assert_int_equal(sent, one * 7);
}

static void a_taken_back_message_leaves_the_one_before(void **state)
{
	struct cth_msg m;
	size_t one;

	(void)state;
	cth_msg_init(&m, buf, sizeof(buf));
	fill(&m);
	one = cth_msg_bytes(&m).n;
	cth_msg_begin(&m, 0x0302, 1, 2, 0, 0);
	cth_msg_put_be32(&m, 1, 1);
	assert_int_equal(cth_msg_bytes(&m).n, one);
	cth_msg_cancel(&m);
	assert_int_equal(cth_msg_bytes(&m).n, one);
	assert_int_equal(cth_msg_end(&m), -EINVAL);
	/* A begin without an end of the one before takes that one back. */
	cth_msg_begin(&m, 0x0302, 1, 2, 0, 0);
	assert_int_equal(fill(&m), 0);
	assert_int_equal(cth_msg_bytes(&m).n, 2 * one);
}

static void puts_outside_of_a_message_do_nothing(void **state)
{
	struct cth_msg m;

	(void)state;
	cth_msg_init(&m, buf, sizeof(buf));
	cth_msg_put_be32(&m, 1, 1);
	assert_null(cth_msg_space(&m, 4));
	assert_int_equal(cth_msg_bytes(&m).n, 0);
	assert_int_equal(fill(&m), 0);
	/* And are not held against the next one. */
	cth_msg_put_be32(&m, 1, 1);
	cth_msg_nest_end(&m, cth_msg_nest(&m, 1));
	cth_msg_reserve(&m, 1, 8);
	assert_int_equal(fill(&m), 0);
}

/* As if they had been put, in a buffer that ends where they do. */
static void attributes_may_be_written_in_place(void **state)
{
	uint8_t *p, *end = guarded(buf, 36), should[36];
	struct cth_msg m;

	(void)state;
	cth_msg_init(&m, should, sizeof(should));
	cth_msg_begin(&m, 0x0301, 1, 2, 3, 4);
	cth_msg_put_be64(&m, 5, 6);
	cth_msg_put(&m, 7, NULL, 0);
	assert_int_equal(cth_msg_end(&m), 0);

	cth_msg_init(&m, end, sizeof(should));
	cth_msg_begin(&m, 0x0301, 1, 2, 3, 4);
	p = cth_msg_space(&m, 16);
	assert_non_null(p);
	p = cth_msg_header(p, 5, 8);
	cth_store_be64(p, 6);
	assert_ptr_equal(cth_msg_header(p + 8, 7, 0), end + sizeof(should));
	assert_int_equal(cth_msg_end(&m), 0);
	assert_bytes(cth_msg_bytes(&m), should, sizeof(should));

	cth_msg_reset(&m);
	cth_msg_begin(&m, 0x0301, 1, 2, 3, 4);
	assert_null(cth_msg_space(&m, 20));
	assert_null(cth_msg_space(&m, 4));
	assert_int_equal(cth_msg_end(&m), -EMSGSIZE);
	free_guarded(end, sizeof(should));
}

/* libmnl's nla_len is 16 bits wide and wraps: the attribute goes out silently empty. */
static void peer_libmnl_attribute_of_65532_bytes_wraps(void **state)
{
	static uint8_t data[65536];
	struct cth_msg m;

	(void)state;
	for (size_t n = 65528; n <= 65536; n++) {
		cth_msg_init(&m, buf, sizeof(buf));
		cth_msg_begin(&m, 0x0301, 1, 1, 0, 0);
		cth_msg_put(&m, 1, data, n);
		assert_int_equal(cth_msg_end(&m), n <= 65531 ? 0 : -EMSGSIZE);
	}
}

static void a_nest_over_65535_bytes_is_an_overflow(void **state)
{
	static uint8_t data[40100];
	struct cth_msg m;
	size_t nest;

	(void)state;
	for (int i = 1; i <= 2; i++) {
		cth_msg_init(&m, buf, sizeof(buf));
		cth_msg_begin(&m, 0x0301, 1, 1, 0, 0);
		nest = cth_msg_nest(&m, 1);
		cth_msg_put(&m, 1, data, 25500);
		cth_msg_put(&m, 1, data, i == 1 ? 40020 : 40024);
		cth_msg_nest_end(&m, nest);
		assert_int_equal(cth_msg_end(&m), i == 1 ? 0 : -EMSGSIZE);
	}
}

static void a_reserved_attribute_counts_what_lies_outside(void **state)
{
	uint8_t should[32] = { 0 };
	struct cth_msg m;

	(void)state;
	cth_msg_init(&m, buf, sizeof(buf));
	cth_msg_begin(&m, 0x0301, 1, 9, 0, 5);
	cth_msg_reserve(&m, 10, 1001);
	assert_int_equal(cth_msg_end(&m), 0);
	put_header(should, 24 + 1001, 0x0301, 1, 9);
	should[19] = 5;
	put_attr(should + 20, 1005, 10);
	assert_bytes(cth_msg_bytes(&m), should, 24);
	assert_int_equal(cth_msg_pad(1001), 3);
	assert_int_equal(cth_msg_pad(1000), 0);
}

static void a_reserved_attribute_is_the_last(void **state)
{
	struct cth_msg m;
	size_t nest;

	(void)state;
	cth_msg_init(&m, buf, sizeof(buf));
	cth_msg_begin(&m, 0x0301, 1, 9, 0, 5);
	cth_msg_reserve(&m, 10, 8);
	cth_msg_put_u8(&m, 1, 1);
	assert_int_equal(cth_msg_end(&m), -EMSGSIZE);

	cth_msg_begin(&m, 0x0301, 1, 9, 0, 5);
	nest = cth_msg_nest(&m, 1);
	cth_msg_reserve(&m, 10, 8);
	cth_msg_nest_end(&m, nest);
	assert_int_equal(cth_msg_end(&m), -EMSGSIZE);

	cth_msg_begin(&m, 0x0301, 1, 9, 0, 5);
	cth_msg_reserve(&m, 10, 8);
	cth_msg_reserve(&m, 10, 8);
	assert_int_equal(cth_msg_end(&m), -EMSGSIZE);

	cth_msg_begin(&m, 0x0301, 1, 9, 0, 5);
	cth_msg_reserve(&m, 10, 65532);
	assert_int_equal(cth_msg_end(&m), -EMSGSIZE);
	assert_int_equal(cth_msg_bytes(&m).n, 0);
}

static void a_bare_message_is_attributes_alone(void **state)
{
	uint8_t should[8];
	struct cth_msg m;

	(void)state;
	cth_msg_init(&m, buf, sizeof(buf));
	cth_msg_begin_bare(&m);
	cth_msg_put_be32(&m, 8, 0x2a);
	assert_int_equal(cth_msg_end(&m), 0);
	put_attr(should, 8, 8);
	memcpy(should + 4, "\0\0\0\x2a", 4);
	assert_bytes(cth_msg_bytes(&m), should, 8);

	cth_msg_init(&m, buf, 7);
	cth_msg_begin_bare(&m);
	cth_msg_put_be32(&m, 8, 0x2a);
	assert_int_equal(cth_msg_end(&m), -EMSGSIZE);
	assert_int_equal(cth_msg_bytes(&m).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_these_bytes),
		cmocka_unit_test(every_buffer_size_ends_in_a_message_or_in_nothing),
		cmocka_unit_test(as_many_messages_as_fit_then_the_same_again),
		cmocka_unit_test(a_taken_back_message_leaves_the_one_before),
		cmocka_unit_test(puts_outside_of_a_message_do_nothing),
		cmocka_unit_test(attributes_may_be_written_in_place),
		cmocka_unit_test(peer_libmnl_attribute_of_65532_bytes_wraps),
		cmocka_unit_test(a_nest_over_65535_bytes_is_an_overflow),
		cmocka_unit_test(a_reserved_attribute_counts_what_lies_outside),
		cmocka_unit_test(a_reserved_attribute_is_the_last),
		cmocka_unit_test(a_bare_message_is_attributes_alone),
	};

	return RUN(tests);
}
