/* SPDX-License-Identifier: MIT */
/* mdns.c - what Multicast DNS makes of questions, of answers, and of what is neither. */
#include "asking.h"
#include "../../cthelper/helper.h"

/* Whatever stands in one is part of it; a literal's own last NUL is not. */
#define BYTES(text) cth_span(text, sizeof(text) - 1)
#define HEADER "\x12\x34\0\0\0\1\0\0\0\0\0\0"
#define QUERY BYTES(HEADER "\3one\5local\0\0\1\0\1")

static struct cth_view asked(struct cth_span body)
{
	struct cth_view v = {
		.l4 = IPPROTO_UDP, .first = true, .body = body,
		.self = { AF_INET, { 10, 0, 1, 1 } }, .peer = { AF_INET, { 224, 0, 0, 251 } },
		.self_public = { AF_INET, { 10, 0, 1, 1 } }, .self_port = 40000, .peer_port = 5353,
	};

	return v;
}

static void decide(struct cth_span body)
{
	struct cth_view v = asked(body);

	cth_decide(&cth_proto_mdns, &v, &d);
}

static void assert_expected(void)
{
	assert_answers(CTH_FROM_ANY, 5353, CTH_WANT_PERMANENT, 0);
}

static void a_question_expects_all_from_port_5353_at_the_askers_own_port(void **state)
{
	(void)state;
	decide(QUERY);
	assert_expected();
}

static void over_ipv6_as_well(void **state)
{
	struct cth_view v = asked(QUERY);

	(void)state;
	v.self.family = AF_INET6;
	v.peer = (struct cth_addr){ AF_INET6, { 0xff, 2, [15] = 0xfb } };
	cth_decide(&cth_proto_mdns, &v, &d);
	assert_expected();
}

static void of_several_questions_the_first_one_is_read(void **state)
{
	(void)state;
	decide(BYTES("\0\0\0\0\0\2\0\0\0\0\0\0\3one\0\0\1\0\1\xc0\x0c\0\x1c\0\1"));
	assert_expected();
	decide(BYTES("\0\0\0\0\xff\xff\0\0\0\0\0\0\3one\0\0\1\0\1"));
	assert_expected();
}

static void known_answers_edns_and_a_wish_for_unicast_may_be_in_it(void **state)
{
	(void)state;
	decide(BYTES("\0\0\0\0\0\1\0\0\0\0\0\1\0\0\xff\x80\1\0\0\x29\4\xd0\0\0\0\0\0\0"));
	assert_expected();
	decide(BYTES("\0\0\2\0\0\1\0\1\0\0\0\0\3one\0\0\1\0\1\xc0\x0c\0\1\0\1"));
	assert_expected();
}

static void recursion_may_be_desired_as_of_any_server(void **state)
{
	(void)state;
	decide(BYTES("\0\0\1\x20\0\1\0\0\0\0\0\0\3one\0\0\1\0\1"));
	assert_expected();
}

static void from_port_5353_nothing_is_expected(void **state)
{
	struct cth_view v = asked(QUERY);

	(void)state;
	v.self_port = 5353;
	cth_decide(&cth_proto_mdns, &v, &d);
	assert_silent();
}

static void nor_if_a_single_host_is_asked(void **state)
{
	struct cth_view v = asked(QUERY);

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		v.peer = (struct cth_addr){ AF_INET, { 224, 0, 0, 251 } };
		v.peer.b[i] ^= 1;
		cth_decide(&cth_proto_mdns, &v, &d);
		assert_silent();
	}
	for (unsigned i = 0; i < 16; i++) {
		v.peer = (struct cth_addr){ AF_INET6, { 0xff, 2, [15] = 0xfb } };
		v.peer.b[i] ^= 1;
		cth_decide(&cth_proto_mdns, &v, &d);
		assert_silent();
	}
	v.peer = (struct cth_addr){ 0 };
	cth_decide(&cth_proto_mdns, &v, &d);
	assert_silent();
}

static void nor_at_another_port_of_the_group(void **state)
{
	struct cth_view v = asked(QUERY);

	(void)state;
	v.peer_port = 5354;
	cth_decide(&cth_proto_mdns, &v, &d);
	assert_silent();
}

static void nor_by_the_side_that_answers(void **state)
{
	struct cth_view v = asked(QUERY);

	(void)state;
	v.reply = true;
	cth_decide(&cth_proto_mdns, &v, &d);
	assert_silent();
}

/* RFC 6762, parts 18.2, 18.3 and 18.11. */
static void answers_other_operations_and_errors_mean_nothing(void **state)
{
	uint8_t bytes[] = HEADER "\3one\5local\0\0\1\0\1";

	(void)state;
	for (unsigned flags = 0; flags < 65536; flags++) {
		bytes[2] = (uint8_t)(flags >> 8);
		bytes[3] = (uint8_t)flags;
		decide(cth_span(bytes, sizeof(bytes) - 1));
		if (flags & (0x8000 | 0x7800 | 0x000f))
			assert_silent();
		else
			assert_expected();
	}
}

static void no_question_is_garbled(void **state)
{
	(void)state;
	decide(BYTES("\0\0\0\0\0\0\0\0\0\0\0\0"));
	assert_garbled();
	decide(BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\3one\0\0\1\0\1"));
	assert_garbled();
	decide(BYTES(HEADER));
	assert_garbled();
}

static void a_first_name_that_points_elsewhere_is_garbled(void **state)
{
	(void)state;
	decide(BYTES(HEADER "\xc0\x0c\0\1\0\1"));
	assert_garbled();
	decide(BYTES(HEADER "\3one\xc0\x0c\0\1\0\1"));
	assert_garbled();
	decide(BYTES(HEADER "\x40" "a\0\0\1\0\1"));
	assert_garbled();
}

static void a_label_beyond_the_packet_is_garbled(void **state)
{
	(void)state;
	decide(BYTES(HEADER "\x3f" "one\0\0\1\0\1"));
	assert_garbled();
	decide(BYTES(HEADER "\3one\0\0\1\0"));
	assert_garbled();
}

static void a_name_has_up_to_255_bytes(void **state)
{
	uint8_t bytes[12 + 256 + 4] = HEADER;

	(void)state;
	for (unsigned i = 0; i < 127; i++) { /* 127 labels of one letter, and the end: 255 */
		bytes[12 + 2 * i] = 1;
		bytes[12 + 2 * i + 1] = 'a';
	}
	decide(cth_span(bytes, 12 + 255 + 4));
	assert_expected();
	memmove(bytes + 12 + 4, bytes + 12 + 3, 252); /* one byte longer */
	bytes[12] = 2;
	bytes[12 + 1] = bytes[12 + 2] = 'a';
	bytes[12 + 3] = 1;
	bytes[12 + 4] = 'a';
	for (unsigned i = 1; i < 127; i++) {
		bytes[12 + 1 + 2 * i] = 1;
		bytes[12 + 2 + 2 * i] = 'a';
	}
	bytes[12 + 255] = 0;
	decide(cth_span(bytes, sizeof(bytes)));
	assert_garbled();
}

static void the_root_is_a_name(void **state)
{
	(void)state;
	decide(BYTES(HEADER "\0\0\2\0\1"));
	assert_expected();
}

static void a_question_sent_again_is_decided_alike(void **state)
{
	struct cth_view v = asked(QUERY);
	struct cth_decision again;

	(void)state;
	cth_decide(&cth_proto_mdns, &v, &d);
	v.first = false; /* the first one is confirmed by now */
	cth_decide(&cth_proto_mdns, &v, &again);
	assert_memory_equal(&d, &again, sizeof(d));
}

static void what_other_flows_have_for_a_state_changes_nothing(void **state)
{
	struct cth_view v = asked(QUERY);

	(void)state;
	memset(v.state, 0xff, sizeof(v.state));
	cth_decide(&cth_proto_mdns, &v, &d);
	assert_expected();
}

static void truncated(struct cth_span bytes, void *ctx)
{
	if (bytes.n == 0)
		return; /* never comes to a protocol */
	decide(bytes);
	if (bytes.n == *(size_t *)ctx)
		assert_expected();
	else
		assert_garbled();
}

static void what_is_cut_short_is_garbled(void **state)
{
	struct cth_span query = QUERY;

	(void)state;
	every_truncation(query, truncated, &query.n);
}

static void any_byte(struct cth_span bytes, void *ctx)
{
	(void)ctx;
	decide(bytes);
	assert_nothing_else(0);
	if (d.wanted_n)
		assert_expected();
}

static void every_byte_may_have_every_value(void **state)
{
	(void)state;
	every_byte_value(QUERY, any_byte, NULL);
}

static void the_constants_are_what_the_kernel_takes(void **state)
{
	struct cth_helper h = { .name = "mdns", .l3 = AF_INET, .l4 = IPPROTO_UDP, .classes = 1 };

	(void)state;
	assert_string_equal(cth_proto_mdns.name, "mdns");
	assert_int_equal(cth_proto_mdns.port, 5353);
	assert_int_equal(cth_proto_mdns.l4[0], IPPROTO_UDP);
	assert_int_equal(cth_proto_mdns.l4[1], 0);
	assert_null(cth_proto_mdns.classes[1].name);
	strcpy(h.policy[0].name, cth_proto_mdns.classes[0].name);
	h.policy[0].max = cth_proto_mdns.classes[0].max;
	h.priv_len = cth_proto_mdns.state_len;
	assert_int_equal(cth_helper_check(&h, NULL), 0);
	assert_ptr_equal(cth_proto_find("mdns"), &cth_proto_mdns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_expects_all_from_port_5353_at_the_askers_own_port),
		cmocka_unit_test(over_ipv6_as_well),
		cmocka_unit_test(of_several_questions_the_first_one_is_read),
		cmocka_unit_test(known_answers_edns_and_a_wish_for_unicast_may_be_in_it),
		cmocka_unit_test(recursion_may_be_desired_as_of_any_server),
		cmocka_unit_test(from_port_5353_nothing_is_expected),
		cmocka_unit_test(nor_if_a_single_host_is_asked),
		cmocka_unit_test(nor_at_another_port_of_the_group),
		cmocka_unit_test(nor_by_the_side_that_answers),
		cmocka_unit_test(answers_other_operations_and_errors_mean_nothing),
		cmocka_unit_test(no_question_is_garbled),
		cmocka_unit_test(a_first_name_that_points_elsewhere_is_garbled),
		cmocka_unit_test(a_label_beyond_the_packet_is_garbled),
		cmocka_unit_test(a_name_has_up_to_255_bytes),
		cmocka_unit_test(the_root_is_a_name),
		cmocka_unit_test(a_question_sent_again_is_decided_alike),
		cmocka_unit_test(what_other_flows_have_for_a_state_changes_nothing),
		cmocka_unit_test(what_is_cut_short_is_garbled),
		cmocka_unit_test(every_byte_may_have_every_value),
		cmocka_unit_test(the_constants_are_what_the_kernel_takes),
	};

	return RUN(tests);
}
