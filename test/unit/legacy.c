/* SPDX-License-Identifier: MIT */
/* Unit tests of tools/legacy.c: blocks of entries as iptables-legacy has them, right and wrong. */
#include <errno.h>
#include "../../tools/legacy.h"
#include "unit.h"

static uint8_t block[4096];
static size_t block_n;
static struct legacy_table table;
static struct rules rules;

static int begin(void **state)
{
	(void)state;
	memset(block, 0, sizeof(block));
	block_n = 0;
	table = (struct legacy_table){ .family = 2, .name = "raw" };
	return 0;
}

static int end(void **state)
{
	(void)state;
	rules_free(&rules);
	return 0;
}

static void put16(size_t at, unsigned v)
{
	cth_store_host16(block + at, (uint16_t)v);
}

/* With that many bytes of matches. */
static void put_entry(unsigned l4, size_t matches, const char *name, const void *info, size_t n)
{
	bool ipv6 = table.family == 10;
	size_t base = ipv6 ? 168 : 112, target = base + matches, at = block_n;

	put16(at + (ipv6 ? 128 : 80), l4);
	put16(at + (ipv6 ? 140 : 88), (unsigned)target);
	put16(at + (ipv6 ? 142 : 90), (unsigned)(target + 32 + n));
	put16(at + target, (unsigned)(32 + n));
	memcpy(block + at + target + 2, name, strlen(name));
	if (n)
		memcpy(block + at + target + 32, info, n);
	block_n += target + 32 + n;
}

static void put_chain(const char *name)
{
	char info[32] = "";

	memcpy(info, name, strlen(name));
	put_entry(0, 0, "ERROR", info, sizeof(info));
}

static void put_builtin(unsigned hook)
{
	table.valid_hooks |= 1u << hook;
	table.hook_entry[hook] = (uint32_t)block_n;
}

static void put_helper(const char *helper, size_t matches)
{
	uint8_t info[72] = { 0 };

	memcpy(info + 12, helper, strlen(helper));
	put_entry(6, matches, "CT", info, sizeof(info));
}

static void put_queue(unsigned first, unsigned n, unsigned flags)
{
	uint8_t info[8] = { 0 };

	cth_store_host16(info, (uint16_t)first);
	cth_store_host16(info + 2, (uint16_t)n);
	cth_store_host16(info + 4, (uint16_t)flags);
	put_entry(17, 0, "NFQUEUE", info, sizeof(info));
}

static int parse(void)
{
	return legacy_parse(&table, cth_span(block, block_n), &rules);
}

static const char *text(size_t i)
{
	static char buf[256];

	return rule_text(&rules.list[i], buf, sizeof(buf));
}

static void helpers_and_queues_are_found_with_their_chain_and_number(void **state)
{
	(void)state;
	for (unsigned family = 2; family <= 10; family += 8) {
		begin(NULL);
		table.family = (uint8_t)family;
		put_builtin(0);
		put_entry(6, 0, "", "\0\0\0\0\0\0\0", 8); /* a verdict */
		put_helper("ftp", 48);
		put_entry(0, 0, "", "\0\0\0\0\0\0\0", 8);
		put_builtin(3);
		put_queue(5, 3, 1);
		put_helper("", 0); /* it sets a zone, say */
		put_chain("mine");
		put_helper("tftp", 0);
		put_chain("ERROR");
		assert_int_equal(parse(), 0);
		assert_int_equal(rules.n, 3);
		assert_string_equal(text(0), family == 2 ? "ip raw PREROUTING rule 2 (iptables-legacy)"
							 : "ip6 raw PREROUTING rule 2 (iptables-legacy)");
		assert_int_equal(rules.list[0].kind, RULE_HELPER);
		assert_string_equal(rules.list[0].helper, "ftp");
		assert_int_equal(rules.list[0].l4, 6);
		assert_string_equal(strchr(text(1), ' '), " raw OUTPUT rule 1 (iptables-legacy)");
		assert_int_equal(rules.list[1].kind, RULE_QUEUE);
		assert_int_equal(rules.list[1].queue_first, 5);
		assert_int_equal(rules.list[1].queue_last, 7);
		assert_true(rules.list[1].bypass);
		assert_string_equal(strchr(text(2), ' '), " raw mine rule 1 (iptables-legacy)");
		assert_string_equal(rules.list[2].helper, "tftp");
		rules_free(&rules);
	}
}

static void they_stand_behind_those_that_are_there(void **state)
{
	(void)state;
	put_builtin(0);
	put_helper("ftp", 0);
	assert_int_equal(parse(), 0);
	assert_int_equal(parse(), 0);
	assert_int_equal(rules.n, 2);
	assert_string_equal(rules.list[1].helper, "ftp");
}

static void a_name_without_an_end_is_cut(void **state)
{
	(void)state;
	put_builtin(0);
	put_helper("sixteen-letters-", 0);
	assert_int_equal(parse(), 0);
	assert_string_equal(rules.list[0].helper, "sixteen-letters");
}

static void an_empty_table_has_none(void **state)
{
	(void)state;
	assert_int_equal(parse(), 0);
	assert_int_equal(rules.n, 0);
}

static void right_or_refused(struct cth_span bytes, void *ctx)
{
	int r = legacy_parse(&table, bytes, &rules);

	(void)ctx;
	assert_true(r == 0 || r == -EBADMSG);
	for (size_t i = 0; i < rules.n; i++)
		assert_true(strlen(text(i)) < 256);
	rules_free(&rules);
}

static void put_all(void)
{
	put_builtin(0);
	put_helper("ftp", 16);
	put_queue(5, 0, 0);
	put_chain("mine");
	put_helper("tftp", 0);
}

static void every_truncation_is_right_or_refused(void **state)
{
	(void)state;
	put_all();
	every_truncation(cth_span(block, block_n), right_or_refused, NULL);
	/* in the middle of the last entry */
	assert_int_equal(legacy_parse(&table, cth_span(block, block_n - 1), &rules), -EBADMSG);
}

static void every_byte_value_is_right_or_refused(void **state)
{
	(void)state;
	put_all();
	every_byte_value(cth_span(block, block_n), right_or_refused, NULL);
}

static void an_entry_that_does_not_go_on_is_no_endless_one(void **state)
{
	(void)state;
	put_builtin(0);
	put_helper("ftp", 0);
	put16(90, 0);
	assert_int_equal(parse(), -EBADMSG);
	put16(90, 112 + 8); /* a target without room for itself */
	assert_int_equal(parse(), -EBADMSG);
	put16(88, 0);
	assert_int_equal(parse(), -EBADMSG);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(helpers_and_queues_are_found_with_their_chain_and_number),
		T(they_stand_behind_those_that_are_there),
		T(a_name_without_an_end_is_cut),
		T(an_empty_table_has_none),
		T(every_truncation_is_right_or_refused),
		T(every_byte_value_is_right_or_refused),
		T(an_entry_that_does_not_go_on_is_no_endless_one),
	};

	return RUN(tests);
}
