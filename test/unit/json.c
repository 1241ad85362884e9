/* SPDX-License-Identifier: MIT */
/* json.c - what the applets print and read: JSON, numbers, names of protocols and errnos. */
#include <netinet/in.h>
#include <sys/socket.h>
#include "../../tools/cth.h" /* before cmocka, which has a macro of the name fail */
#include "unit.h"

/* What fill writes. */
static void assert_json(void (*fill)(struct json *j), const char *should)
{
	char *text = NULL;
	size_t n = 0;
	struct json j = { .f = open_memstream(&text, &n) };

	assert_non_null(j.f);
	fill(&j);
	fclose(j.f);
	assert_string_equal(text, should);
	free(text);
}

static void one_of_each(struct json *j)
{
	json_open(j, NULL, '{');
	json_string(j, "name", "test");
	json_number(j, "largest", UINT64_MAX);
	json_signed(j, "smallest", INT64_MIN);
	json_bool(j, "yes", true);
	json_bool(j, "no", false);
	json_open(j, "empty", '[');
	json_close(j, ']');
	json_open(j, "list", '[');
	json_number(j, NULL, 1);
	json_number(j, NULL, 2);
	json_open(j, NULL, '{');
	json_close(j, '{');
	json_close(j, '[');
	json_close(j, '}');
}

static void every_kind_of_value_and_64_bits_are_exact(void **state)
{
	(void)state;
	assert_json(one_of_each, "{\"name\":\"test\",\"largest\":18446744073709551615,"
		    "\"smallest\":-9223372036854775808,\"yes\":true,\"no\":false,\"empty\":[],"
		    "\"list\":[1,2,{}]}\n");
}

static void two_lines(struct json *j)
{
	for (int i = 0; i < 2; i++) {
		json_open(j, NULL, '{');
		json_bool(j, "a", true);
		json_close(j, '}');
	}
}

static void one_writer_makes_one_line_after_the_other(void **state)
{
	(void)state;
	assert_json(two_lines, "{\"a\":true}\n{\"a\":true}\n");
}

static void odd_text(struct json *j)
{
	static const char odd[] = "\"\\\n\t\x7f\0z\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";

	json_open(j, NULL, '[');
	json_bytes(j, NULL, cth_span(odd, sizeof(odd) - 1));
	json_string(j, NULL, "");
	json_close(j, ']');
}

static void text_is_escaped_and_utf8_passes(void **state)
{
	(void)state;
	assert_json(odd_text, "[\"\\\"\\\\\\u000a\\u0009\\u007f\\u0000z\xc3\xa9\xe2\x82\xac"
		    "\xf0\x9f\x98\x80\",\"\"]\n");
}

static void broken_text(struct json *j)
{
	static const char *const broken[] = {
		"\xff", "\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8",
		"\xc3", "\xe2\x82", "\xf0\x9f\x98",
	};

	json_open(j, NULL, '[');
	for (size_t i = 0; i < N_OF(broken); i++) {
		/* At a guard page: a character that is cut short is not read further. */
		size_t n = strlen(broken[i]);
		uint8_t *p = guarded(broken[i], n);

		json_bytes(j, NULL, cth_span(p, n));
		free_guarded(p, n);
	}
	json_close(j, ']');
}

static void what_is_not_utf8_comes_out_byte_by_byte(void **state)
{
	(void)state;
	assert_json(broken_text, "[\"\\u00ff\",\"\\u0080\",\"\\u00c0\\u0080\",\"\\u00e0\\u0080\\u0080\","
		    "\"\\u00ed\\u00a0\\u0080\",\"\\u00f4\\u0090\\u0080\\u0080\",\"\\u00f8\","
		    "\"\\u00c3\",\"\\u00e2\\u0082\",\"\\u00f0\\u009f\\u0098\"]\n");
}

static void numbers_are_taken_whole_or_not_at_all(void **state)
{
	static const char *const bad[] = {
		"", " ", "x", "1x", " 1", "1 ", "+1", "-1", "0x", "0xg", "1.0", "18446744073709551616",
	};
	uint64_t v = 7;

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		if (parse_number(bad[i], 0, UINT64_MAX, &v))
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(v, 7);
	}
	assert_true(parse_number("18446744073709551615", 0, UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_true(parse_number("010", 0, 10, &v));
	assert_int_equal(v, 10);
	assert_true(parse_number("0xfF", 0, 255, &v));
	assert_int_equal(v, 255);
	assert_false(parse_number("256", 0, 255, &v));
	assert_false(parse_number("2", 3, 255, &v));
}

static void protocols_have_names_and_numbers(void **state)
{
	char buf[12];
	uint16_t l3;
	uint8_t l4;

	(void)state;
	assert_true(parse_l3("ipv6", &l3));
	assert_int_equal(l3, AF_INET6);
	assert_string_equal(l3_name(l3, buf), "inet6");
	assert_true(parse_l3("2", &l3));
	assert_int_equal(l3, AF_INET);
	assert_false(parse_l3("3", &l3));
	assert_false(parse_l3("INET", &l3));
	assert_string_equal(l3_name(65535, buf), "65535");

	assert_true(parse_l4("udp", &l4));
	assert_int_equal(l4, IPPROTO_UDP);
	assert_true(parse_l4("255", &l4));
	assert_string_equal(l4_name(l4, buf), "255");
	assert_string_equal(l4_name(IPPROTO_TCP, buf), "tcp");
	assert_false(parse_l4("256", &l4));
	assert_false(parse_l4("", &l4));
}

static void every_errno_has_its_symbol(void **state)
{
	char unknown[64];

	(void)state;
	assert_string_equal(errno_name(ENOENT), "ENOENT");
	assert_string_equal(errno_name(-ENOBUFS), "ENOBUFS");
	assert_string_equal(errno_name(EWOULDBLOCK), "EAGAIN");
	assert_string_equal(errno_name(EOPNOTSUPP), "EOPNOTSUPP");
	assert_string_equal(errno_name(-524), "ENOTSUPP");
	assert_string_equal(errno_name(9999), "errno 9999");
	/* All that libc has a text for has a symbol here. Of others musl always says the same. */
	snprintf(unknown, sizeof(unknown), "%s", strerror(9999));
	for (int i = 1; i < 200; i++)
		if (!strstr(strerror(i), "Unknown error") && strcmp(strerror(i), unknown) != 0 &&
		    errno_name(i)[0] != 'E')
			fail_msg("%d (%s) is %s", i, strerror(i), errno_name(i));
}

static void exit_codes_stand_for_errnos(void **state)
{
	(void)state;
	assert_int_equal(exit_code(0), CTH_EXIT_OK);
	assert_int_equal(exit_code(-EPERM), CTH_EXIT_PERMISSION);
	assert_int_equal(exit_code(EACCES), CTH_EXIT_PERMISSION);
	assert_int_equal(exit_code(EBUSY), CTH_EXIT_BUSY);
	assert_int_equal(exit_code(EADDRINUSE), CTH_EXIT_BUSY);
	assert_int_equal(exit_code(-EPROTONOSUPPORT), CTH_EXIT_UNSUPPORTED);
	assert_int_equal(exit_code(-EOPNOTSUPP), CTH_EXIT_UNSUPPORTED);
	assert_int_equal(exit_code(-EAFNOSUPPORT), CTH_EXIT_UNSUPPORTED);
	assert_int_equal(exit_code(-524), CTH_EXIT_UNSUPPORTED);
	assert_int_equal(exit_code(-ENOENT), CTH_EXIT_FAILURE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_value_and_64_bits_are_exact),
		cmocka_unit_test(one_writer_makes_one_line_after_the_other),
		cmocka_unit_test(text_is_escaped_and_utf8_passes),
		cmocka_unit_test(what_is_not_utf8_comes_out_byte_by_byte),
		cmocka_unit_test(numbers_are_taken_whole_or_not_at_all),
		cmocka_unit_test(protocols_have_names_and_numbers),
		cmocka_unit_test(every_errno_has_its_symbol),
		cmocka_unit_test(exit_codes_stand_for_errnos),
	};

	return RUN(tests);
}
