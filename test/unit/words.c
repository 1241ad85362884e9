/* SPDX-License-Identifier: MIT */
/* words.c - numbers, words and addresses as protocols find them in their packets. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include "unit.h"
#include "../../cthelper/proto.h"
#include "../../cthelper/render.h"

static struct cth_span text_at_the_edge(const char *text)
{
	return at_the_edge(cth_span(text, strlen(text)));
}

static void numbers_end_where_the_digits_do(void **state)
{
	struct cth_span rest = text_at_the_edge("00123,5");
	uint32_t number = 7;

	(void)state;
	assert_true(cth_read_number(&rest, 65535, &number));
	assert_int_equal(number, 123);
	assert_int_equal(rest.n, 2);
	assert_false(cth_read_number(&rest, 65535, &number));
	assert_int_equal(rest.n, 2);
	assert_int_equal(number, 123);
	assert_true(cth_read_word(&rest, ","));
	assert_true(cth_read_number(&rest, 5, &number));
	assert_int_equal(rest.n, 0);
	assert_false(cth_read_number(&rest, 5, &number));
}

static void numbers_are_no_greater_than_they_may_be(void **state)
{
	static const struct {
		const char *text;
		uint32_t max;
		bool reads;
	} cases[] = {
		{ "65535", 65535, true }, { "65536", 65535, false }, { "0", 0, true }, { "1", 0, false },
		{ "4294967295", UINT32_MAX, true }, { "4294967296", UINT32_MAX, false },
		{ "18446744073709551617", UINT32_MAX, false }, { "-1", UINT32_MAX, false },
		{ " 1", UINT32_MAX, false },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct cth_span rest = text_at_the_edge(cases[i].text);
		uint32_t number;

		if (cth_read_number(&rest, cases[i].max, &number) != cases[i].reads)
			fail_msg("%s", cases[i].text);
		assert_int_equal(rest.n, cases[i].reads ? 0 : strlen(cases[i].text));
	}
}

static void words_are_read_in_upper_and_lower_case(void **state)
{
	struct cth_span rest = text_at_the_edge("Data 5 mesg");

	(void)state;
	assert_false(cth_read_word(&rest, "DATA  "));
	assert_true(cth_read_word(&rest, "DATA "));
	assert_true(cth_read_word(&rest, "5 "));
	assert_false(cth_read_word(&rest, "MESG "));
	assert_true(cth_read_word(&rest, "MESG"));
	assert_int_equal(rest.n, 0);
	assert_false(cth_read_word(&rest, "x"));
	assert_true(cth_read_word(&rest, ""));
	/* Only letters have two cases. */
	rest = text_at_the_edge("@[`{");
	assert_false(cth_read_word(&rest, "`"));
	assert_true(cth_read_word(&rest, "@[`{"));
}

static void four_bytes_of_xdr_are_big_endian(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7 };
	uint8_t *edge = guarded(bytes, sizeof(bytes));
	struct cth_span rest = cth_span(edge, sizeof(bytes));
	uint32_t number;

	(void)state;
	assert_true(cth_read_xdr(&rest, &number));
	assert_int_equal(number, 0x01020304);
	assert_false(cth_read_xdr(&rest, &number));
	assert_int_equal(rest.n, 3);
	free_guarded(edge, sizeof(bytes));
}

static void addresses_are_read_as_libc_reads_them(void **state)
{
	static const char *const texts[] = {
		"10.0.1.2", "0.0.0.0", "255.255.255.255", "::", "::1", "1::", "2001:db8::1", "fe80::abcd:1",
		"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::8", "1:2:3::7:8", "FE80::AbCd",
		"::ffff:10.0.1.2", "::10.0.1.2", "1:2:3:4:5:6:10.0.1.2", "1::6:10.0.1.2", "0001:0002::0003",
		"64:ff9b::192.0.2.33",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++) {
		struct cth_span rest = text_at_the_edge(texts[i]);
		struct cth_addr a;
		uint8_t should[16] = { 0 };
		int family = strchr(texts[i], ':') ? AF_INET6 : AF_INET;

		assert_int_equal(inet_pton(family, texts[i], should), 1);
		if (!cth_read_address(&rest, &a))
			fail_msg("%s", texts[i]);
		assert_int_equal(a.family, family);
		assert_memory_equal(a.b, should, sizeof(should));
		assert_int_equal(rest.n, 0);
	}
}

static void what_is_no_address_is_left_where_it_is(void **state)
{
	static const char *const texts[] = {
		"", ".", ":", ":1", "1:", "1.2.3", "1.2.3.", "1.2.3.256", "1.2.3.4.5", "1.2.3.4x", "1.2.3.4-x",
		"1.2.3.4.example.org", "example.org", "1.2..4", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", ":::",
		"1:::8", "1::2::3", "12345::", "1::g", "::1.2.3", "1:2:3:4:5:6:7:1.2.3.4", "::1:", "::1::",
		"1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "-1.2.3.4", "fe80", "fe80::1_", "::1.2.3.4.5",
		"1:2:3:4:5:6:7:8:",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++) {
		struct cth_span rest = text_at_the_edge(texts[i]);
		struct cth_addr a;

		if (cth_read_address(&rest, &a))
			fail_msg("%s", texts[i]);
		assert_int_equal(rest.n, strlen(texts[i]));
		assert_int_equal(a.family, 0);
	}
}

static void an_address_ends_where_another_thing_begins(void **state)
{
	static const struct {
		const char *text, *rest;
	} cases[] = {
		{ "10.0.1.2:80/x", ":80/x" }, { "fe80::1]:80", "]:80" }, { "10.0.1.2)", ")" },
		{ "fe80::1%eth0", "%eth0" }, { "::)", ")" }, { "1:2:3:4:5:6:7:8/64", "/64" },
		{ "10.0.1.2 x", " x" }, { "::1,2", ",2" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct cth_span rest = text_at_the_edge(cases[i].text);
		struct cth_addr a;

		if (!cth_read_address(&rest, &a))
			fail_msg("%s", cases[i].text);
		assert_int_equal(rest.n, strlen(cases[i].rest));
		assert_memory_equal(rest.p, cases[i].rest, rest.n);
	}
}

/* Whatever the bytes: what is read is read again from what is written of it. */
static void every_address_that_is_written_is_read(void **state)
{
	uint32_t x = 1;

	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		struct cth_addr a = { n & 1 ? AF_INET : AF_INET6, { 0 } }, b;
		char text[CTH_RENDER_ROOM + 1];
		struct cth_span rest;
		size_t len;

		for (unsigned i = 0; i < (n & 1 ? 4u : 16u); i++) {
			x = x * 1664525u + 1013904223u;
			a.b[i] = x >> 30 ? 0 : (uint8_t)(x >> 20);
		}
		len = cth_render(CTH_FORM_ADDRESS, 0, &a, 0, text);
		text[len] = 0;
		rest = text_at_the_edge(text);
		if (!cth_read_address(&rest, &b))
			fail_msg("%s", text);
		assert_int_equal(rest.n, 0);
		assert_true(cth_addr_equal(&a, &b));
	}
}

static void an_address_is_written_as_it_is_read(void **state)
{
	static const char *const texts[] = {
		"10.0.2.2", "255.255.255.255", "::", "::1", "2001:db8::1", "fd02:0:0:1::",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	};
	struct cth_addr a = { 0 };
	char text[CTH_ADDRESS_ROOM];

	(void)state;
	assert_int_equal(cth_write_address(&a, text), 0);
	for (size_t i = 0; i < N_OF(texts); i++) {
		struct cth_span rest = cth_span(texts[i], strlen(texts[i]));

		assert_true(cth_read_address(&rest, &a));
		assert_int_equal(cth_write_address(&a, text), strlen(texts[i]));
		assert_memory_equal(text, texts[i], strlen(texts[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_end_where_the_digits_do),
		cmocka_unit_test(numbers_are_no_greater_than_they_may_be),
		cmocka_unit_test(words_are_read_in_upper_and_lower_case),
		cmocka_unit_test(four_bytes_of_xdr_are_big_endian),
		cmocka_unit_test(addresses_are_read_as_libc_reads_them),
		cmocka_unit_test(what_is_no_address_is_left_where_it_is),
		cmocka_unit_test(an_address_ends_where_another_thing_begins),
		cmocka_unit_test(an_address_is_written_as_it_is_read),
		cmocka_unit_test(every_address_that_is_written_is_read),
	};

	return RUN(tests);
}
