/* SPDX-License-Identifier: MIT */
/* slp.c - what the Service Location Protocol makes of requests to many, and of all others. */
#include "asking.h"
#include "../../cthelper/helper.h"

/* Whatever stands in one is part of it; a literal's own last NUL is not. */
#define BYTES(text) cth_span(text, sizeof(text) - 1)

/* A request for services, by hand: 53 bytes. */
#define REQUEST "\2\1\0\0\x35\x20\0\0\0\0\x12\x34\0\2en" "\0\0" "\0\x0eservice:backup" "\0\7DEFAULT" \
	"\0\6(a=*) " "\0\0"

static uint8_t request[] = REQUEST;
static struct cth_view asked(struct cth_span body)
{
	struct cth_view v = {
		.l4 = IPPROTO_UDP, .first = true, .body = body,
		.self = { AF_INET, { 10, 0, 1, 1 } }, .peer = { AF_INET, { 239, 255, 255, 253 } },
		.self_public = { AF_INET, { 10, 0, 1, 1 } }, .self_port = 40000, .peer_port = 427,
	};

	return v;
}

static void decide(struct cth_span body)
{
	struct cth_view v = asked(body);

	cth_decide(&cth_proto_slp, &v, &d);
}

static void decide_to(struct cth_addr peer)
{
	struct cth_view v = asked(BYTES(REQUEST));

	v.self.family = peer.family;
	v.peer = peer;
	cth_decide(&cth_proto_slp, &v, &d);
}

/* With one byte of the request that is another. */
static void decide_with(size_t at, uint8_t byte)
{
	memcpy(request, REQUEST, sizeof(request));
	request[at] = byte;
	decide(BYTES(request));
}

static void assert_expected(void)
{
	assert_answers(CTH_FROM_ANY, 427, CTH_WANT_PERMANENT, 0);
}

static void a_request_to_the_group_expects_all_from_port_427_at_its_own_port(void **state)
{
	(void)state;
	decide(BYTES(REQUEST));
	assert_expected();
}

static void so_does_one_to_a_broadcast_address(void **state)
{
	(void)state;
	decide_to((struct cth_addr){ AF_INET, { 255, 255, 255, 255 } });
	assert_expected();
	decide_to((struct cth_addr){ AF_INET, { 10, 0, 1, 255 } });
	assert_expected();
}

static void none_to_a_single_agent(void **state)
{
	(void)state;
	decide_to((struct cth_addr){ AF_INET, { 10, 0, 1, 2 } });
	assert_silent();
	decide_to((struct cth_addr){ AF_INET, { 239, 255, 255, 250 } });
	assert_silent();
	decide_to((struct cth_addr){ AF_INET, { 239, 255, 254, 253 } });
	assert_silent();
	decide_to((struct cth_addr){ AF_INET6, { 0xfd, 1, [15] = 2 } });
	assert_silent();
}

static void to_group_of_ipv6(uint8_t scope, uint16_t high, uint16_t low)
{
	struct cth_addr a = { AF_INET6, { 0xff, scope } };

	cth_store_be16(a.b + 12, high);
	cth_store_be16(a.b + 14, low);
	decide_to(a);
}

static void over_ipv6_there_are_groups_for_agents_and_for_each_hash_of_a_type(void **state)
{
	(void)state;
	to_group_of_ipv6(2, 0, 0x116);
	assert_expected();
	to_group_of_ipv6(5, 0, 0x123);
	assert_expected();
	to_group_of_ipv6(2, 1, 0x1000);
	assert_expected();
	to_group_of_ipv6(0xe, 1, 0x13ff);
	assert_expected();
}

static void other_groups_of_ipv6_are_not_these(void **state)
{
	struct cth_addr a = { AF_INET6, { 0xff, 2, [14] = 1, [15] = 0x16 } };

	(void)state;
	to_group_of_ipv6(2, 0, 0x117);
	assert_silent();
	to_group_of_ipv6(2, 1, 0x0fff);
	assert_silent();
	to_group_of_ipv6(2, 1, 0x1400);
	assert_silent();
	to_group_of_ipv6(0x12, 0, 0x116); /* one that nobody has assigned */
	assert_silent();
	for (unsigned i = 2; i < 12; i++) {
		a.b[i] = 1;
		decide_to(a);
		assert_silent();
		a.b[i] = 0;
	}
	decide_to(a);
	assert_expected();
}

static void nor_at_another_port(void **state)
{
	struct cth_view v = asked(BYTES(REQUEST));

	(void)state;
	v.peer_port = 428;
	cth_decide(&cth_proto_slp, &v, &d);
	assert_silent();
}

static void nor_by_the_side_that_answers(void **state)
{
	struct cth_view v = asked(BYTES(REQUEST));

	(void)state;
	v.reply = true;
	cth_decide(&cth_proto_slp, &v, &d);
	assert_silent();
}

static void an_agent_may_ask_from_port_427_itself(void **state)
{
	struct cth_view v = asked(BYTES(REQUEST));

	(void)state;
	v.self_port = 427;
	cth_decide(&cth_proto_slp, &v, &d);
	assert_expected();
}

static void of_all_functions_three_are_requests(void **state)
{
	(void)state;
	for (unsigned function = 0; function < 256; function++) {
		decide_with(1, (uint8_t)function);
		if (function == 1 || function == 6 || function == 9)
			assert_expected();
		else
			assert_silent();
	}
}

static void of_all_versions_the_second_is_read(void **state)
{
	(void)state;
	for (unsigned version = 0; version < 256; version++) {
		decide_with(0, (uint8_t)version);
		if (version == 2)
			assert_expected();
		else
			assert_silent();
	}
}

static void without_its_flag_it_is_for_a_single_agent(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		decide_with(5, (uint8_t)flags);
		if (flags & 0x20)
			assert_expected();
		else
			assert_silent();
	}
}

static void a_length_that_is_not_the_messages_is_garbled(void **state)
{
	(void)state;
	decide_with(4, 52);
	assert_garbled();
	decide_with(4, 54);
	assert_garbled();
	decide_with(3, 1);
	assert_garbled();
	decide_with(2, 1);
	assert_garbled();
}

static void strings_beyond_the_message_are_garbled(void **state)
{
	(void)state;
	decide_with(12, 1); /* the language's length */
	assert_garbled();
	decide_with(13, 44);
	assert_garbled();
	decide_with(16, 1); /* of those who have answered */
	assert_garbled();
	decide_with(17, 36);
	assert_garbled();
	decide_with(17, 35); /* all that is left */
	assert_expected();
}

static void without_a_language_it_is_garbled(void **state)
{
	(void)state;
	decide_with(13, 0);
	assert_garbled();
}

static void who_has_answered_may_be_in_it(void **state)
{
	(void)state;
	decide(BYTES("\2\1\0\0\x30\x20\0\0\0\0\x12\x34\0\2en" "\0\x12" "10.0.1.2,10.0.1.33"
		     "\0\4pony" "\0\0\0\0\0\0"));
	assert_expected();
}

static void a_request_sent_again_is_decided_alike(void **state)
{
	struct cth_view v = asked(BYTES(REQUEST));
	struct cth_decision again;

	(void)state;
	cth_decide(&cth_proto_slp, &v, &d);
	v.first = false; /* the first one is confirmed by now */
	cth_decide(&cth_proto_slp, &v, &again);
	assert_memory_equal(&d, &again, sizeof(d));
}

static void what_other_flows_have_for_a_state_changes_nothing(void **state)
{
	struct cth_view v = asked(BYTES(REQUEST));

	(void)state;
	memset(v.state, 0xff, sizeof(v.state));
	cth_decide(&cth_proto_slp, &v, &d);
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
	struct cth_span whole = BYTES(REQUEST);

	(void)state;
	every_truncation(whole, truncated, &whole.n);
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
	every_byte_value(BYTES(REQUEST), any_byte, NULL);
}

static void the_constants_are_what_the_kernel_takes(void **state)
{
	struct cth_helper h = { .name = "slp", .l3 = AF_INET, .l4 = IPPROTO_UDP, .classes = 1 };

	(void)state;
	assert_string_equal(cth_proto_slp.name, "slp");
	assert_int_equal(cth_proto_slp.port, 427);
	assert_int_equal(cth_proto_slp.l4[0], IPPROTO_UDP);
	assert_int_equal(cth_proto_slp.l4[1], 0);
	assert_null(cth_proto_slp.classes[1].name);
	strcpy(h.policy[0].name, cth_proto_slp.classes[0].name);
	h.policy[0].max = cth_proto_slp.classes[0].max;
	h.priv_len = cth_proto_slp.state_len;
	assert_int_equal(cth_helper_check(&h, NULL), 0);
	assert_ptr_equal(cth_proto_find("slp"), &cth_proto_slp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_to_the_group_expects_all_from_port_427_at_its_own_port),
		cmocka_unit_test(so_does_one_to_a_broadcast_address),
		cmocka_unit_test(none_to_a_single_agent),
		cmocka_unit_test(over_ipv6_there_are_groups_for_agents_and_for_each_hash_of_a_type),
		cmocka_unit_test(other_groups_of_ipv6_are_not_these),
		cmocka_unit_test(nor_at_another_port),
		cmocka_unit_test(nor_by_the_side_that_answers),
		cmocka_unit_test(an_agent_may_ask_from_port_427_itself),
		cmocka_unit_test(of_all_functions_three_are_requests),
		cmocka_unit_test(of_all_versions_the_second_is_read),
		cmocka_unit_test(without_its_flag_it_is_for_a_single_agent),
		cmocka_unit_test(a_length_that_is_not_the_messages_is_garbled),
		cmocka_unit_test(strings_beyond_the_message_are_garbled),
		cmocka_unit_test(without_a_language_it_is_garbled),
		cmocka_unit_test(who_has_answered_may_be_in_it),
		cmocka_unit_test(a_request_sent_again_is_decided_alike),
		cmocka_unit_test(what_other_flows_have_for_a_state_changes_nothing),
		cmocka_unit_test(what_is_cut_short_is_garbled),
		cmocka_unit_test(every_byte_may_have_every_value),
		cmocka_unit_test(the_constants_are_what_the_kernel_takes),
	};

	return RUN(tests);
}
