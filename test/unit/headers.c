/* SPDX-License-Identifier: MIT */
/* headers.c - lines, headers and authorities as protocols find them in their packets. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include "unit.h"
#include "../../cthelper/proto.h"

static struct cth_span text_at_the_edge(const char *text)
{
	return at_the_edge(cth_span(text, strlen(text)));
}

static void assert_text(struct cth_span s, const char *text)
{
	assert_int_equal(s.n, strlen(text));
	assert_memory_equal(s.p, text, s.n);
}

static void a_line_ends_with_a_newline_and_maybe_a_return_before_it(void **state)
{
	struct cth_span rest = text_at_the_edge("one\r\ntwo\n\r\n\n\rthree\r\r\nfour\r"), line;

	(void)state;
	assert_true(cth_read_line(&rest, &line));
	assert_text(line, "one");
	assert_true(cth_read_line(&rest, &line));
	assert_text(line, "two");
	for (int i = 0; i < 2; i++) {
		assert_true(cth_read_line(&rest, &line));
		assert_text(line, "");
	}
	assert_true(cth_read_line(&rest, &line));
	assert_text(line, "\rthree\r");
	assert_false(cth_read_line(&rest, &line));
	assert_text(rest, "four\r");
	rest = text_at_the_edge("");
	assert_false(cth_read_line(&rest, &line));
}

static void blanks_are_spaces_and_tabs(void **state)
{
	struct cth_span rest = text_at_the_edge(" \t \r");

	(void)state;
	cth_skip_blanks(&rest);
	assert_text(rest, "\r");
	cth_skip_blanks(&rest);
	assert_text(rest, "\r");
	rest = text_at_the_edge("\t ");
	cth_skip_blanks(&rest);
	assert_int_equal(rest.n, 0);
}

static void a_header_is_found_by_its_name_before_the_empty_line(void **state)
{
	static const struct {
		const char *message;
		enum cth_header result;
		const char *value;
	} cases[] = {
		{ "M * HTTP/1.1\r\nMX: 3\r\n\r\n", CTH_HEADER_FOUND, "3" },
		{ "M * HTTP/1.1\nmx:3\n", CTH_HEADER_FOUND, "3" },
		{ "M * HTTP/1.1\r\nMx \t:\t 3 \r\n", CTH_HEADER_FOUND, "3 " },
		{ "M * HTTP/1.1\r\nMX:\r\n", CTH_HEADER_FOUND, "" },
		{ "M\r\nMX: 1\r\nMX: 2\r\n\r\n", CTH_HEADER_FOUND, "1" },
		{ "M\r\nMXX: 1\r\nXMX: 2\r\nMX 3\r\n MX: 4\r\nMX: 5\r\n\r\n", CTH_HEADER_FOUND, "5" },
		{ "M\r\nST: MX: 1\r\n\r\n", CTH_HEADER_ABSENT, NULL },
		{ "M\r\n\r\nMX: 1\r\n\r\n", CTH_HEADER_ABSENT, NULL },
		{ "M\n\nMX: 1\n\n", CTH_HEADER_ABSENT, NULL },
		{ "\r\n", CTH_HEADER_ABSENT, NULL },
		{ "M\r\nMX: 1", CTH_HEADER_CUT, NULL }, /* or more digits */
		{ "M\r\nMX: 1\r", CTH_HEADER_CUT, NULL },
		{ "M\r\nST: 1\r\n", CTH_HEADER_CUT, NULL },
		{ "M", CTH_HEADER_CUT, NULL },
		{ "", CTH_HEADER_CUT, NULL },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct cth_span value;

		if (cth_find_header(text_at_the_edge(cases[i].message), "MX", &value) != cases[i].result)
			fail_msg("%s", cases[i].message);
		if (cases[i].value)
			assert_text(value, cases[i].value);
	}
}

static void an_authority_is_an_address_and_a_port_or_the_usual_one(void **state)
{
	static const struct {
		const char *text, *host;
		uint32_t port;
		const char *rest;
	} cases[] = {
		{ "10.0.1.2:6000/event", "10.0.1.2", 6000, "/event" },
		{ "10.0.1.2:65535", "10.0.1.2", 65535, "" },
		{ "10.0.1.2/", "10.0.1.2", 80, "/" },
		{ "10.0.1.2?a", "10.0.1.2", 80, "?a" },
		{ "10.0.1.2#a", "10.0.1.2", 80, "#a" },
		{ "10.0.1.2>", "10.0.1.2", 80, ">" },
		{ "10.0.1.2 ", "10.0.1.2", 80, " " },
		{ "10.0.1.2\t", "10.0.1.2", 80, "\t" },
		{ "10.0.1.2", "10.0.1.2", 80, "" },
		{ "[fd01::2]:6000/", "fd01::2", 6000, "/" },
		{ "[::ffff:10.0.1.2]", "::ffff:10.0.1.2", 80, "" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct cth_span rest = text_at_the_edge(cases[i].text);
		struct cth_addr host, wanted = { strchr(cases[i].host, ':') ? AF_INET6 : AF_INET, { 0 } };
		uint32_t port;

		assert_int_equal(inet_pton(wanted.family, cases[i].host, wanted.b), 1);
		if (!cth_read_authority(&rest, 80, &host, &port))
			fail_msg("%s", cases[i].text);
		assert_true(cth_addr_equal(&host, &wanted));
		assert_int_equal(port, cases[i].port);
		assert_text(rest, cases[i].rest);
	}
}

static void what_is_no_authority_is_left_where_it_is(void **state)
{
	static const char *const texts[] = {
		"", ":", "[", "[]", "/", "device.example:80", "user@10.0.1.2", "10.0.1.2:", "10.0.1.2:0",
		"10.0.1.2:65536", "10.0.1.2:80a", "10.0.1.2:-1", "10.0.1.2@", "10.0.1", "fd01::2",
		"fd01::2:80", "[fd01::2", "[fd01::2:80", "[fd01::2]80", "[10.0.1.2]:80", "[fd01::2%1]",
		"10.0.1.2]:80", "10.0.1.2\r",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++) {
		struct cth_span rest = text_at_the_edge(texts[i]);
		struct cth_addr host;
		uint32_t port;

		if (cth_read_authority(&rest, 80, &host, &port))
			fail_msg("%s", texts[i]);
		assert_text(rest, texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_ends_with_a_newline_and_maybe_a_return_before_it),
		cmocka_unit_test(blanks_are_spaces_and_tabs),
		cmocka_unit_test(a_header_is_found_by_its_name_before_the_empty_line),
		cmocka_unit_test(an_authority_is_an_address_and_a_port_or_the_usual_one),
		cmocka_unit_test(what_is_no_authority_is_left_where_it_is),
	};

	return RUN(tests);
}
