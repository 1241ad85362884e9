/* SPDX-License-Identifier: MIT */
/* dhcpv6.c - what DHCPv6 makes of what clients ask, of garbage, and of everything else. */
#include "asking.h"
#include "../../cthelper/helper.h"

#define BYTES(text) cth_span(text, sizeof(text) - 1)

/* A Solicit: a client's identifier, what it would like, for how long it has tried, and an IA_NA. */
#define SOLICIT "\1\x12\x34\x56" "\0\1\0\xa" "\0\3\0\1\2\0\0\0\0\1" "\0\6\0\2" "\0\x17" \
		"\0\x8\0\2" "\0\0" "\0\3\0\xc" "\0\0\0\1" "\0\0\0\0" "\0\0\0\0"

static const struct cth_addr all = { AF_INET6, { 0xff, 2, [13] = 1, [15] = 2 } };
static struct cth_view from_client(struct cth_span body)
{
	struct cth_view v = {
		.l4 = IPPROTO_UDP, .first = true, .body = body, .peer = all,
		.self = { AF_INET6, { 0xfe, 0x80, [15] = 2 } },
		.self_public = { AF_INET6, { 0xfe, 0x80, [15] = 2 } },
		.self_port = 546, .peer_port = 547,
	};

	return v;
}

static void decide(struct cth_span body)
{
	struct cth_view v = from_client(body);

	cth_decide(&cth_proto_dhcpv6, &v, &d);
}

static void assert_expected(uint32_t timeout)
{
	assert_answers(CTH_FROM_ANY, 0, CTH_WANT_PERMANENT, timeout);
}

static void a_solicit_expects_whoever_answers_for_as_long_as_the_client_waits(void **state)
{
	(void)state;
	decide(BYTES(SOLICIT));
	assert_expected(3960);
}

/* RFC 8415, part 7.6, and a tenth for RAND of part 15. */
static void each_message_has_its_time_and_the_servers_have_none(void **state)
{
	static const uint32_t should[256] = { [1] = 3960, [3] = 33, [4] = 10, [5] = 660, [6] = 660,
					      [8] = 11, [9] = 11, [11] = 3960 };
	uint8_t bytes[sizeof(SOLICIT) - 1];

	(void)state;
	memcpy(bytes, SOLICIT, sizeof(bytes));
	for (unsigned type = 0; type < 256; type++) {
		bytes[0] = (uint8_t)type;
		decide(cth_span(bytes, sizeof(bytes)));
		if (should[type])
			assert_expected(should[type]);
		else
			assert_ignored(0);
		assert_true(should[type] <= cth_proto_dhcpv6.longest);
	}
}

static void a_message_may_have_no_options_or_empty_ones(void **state)
{
	(void)state;
	decide(BYTES("\xb\1\2\3"));
	assert_expected(3960);
	decide(BYTES("\3\1\2\3" "\0\xe\0\0" "\0\x14\0\0"));
	assert_expected(33);
}

static void an_option_that_ends_elsewhere_is_garbled(void **state)
{
	(void)state;
	decide(BYTES("\1\1\2"));
	assert_ignored(1 << CTH_NOTE_GARBLED);
	decide(BYTES("\1\1\2\3" "\0"));
	assert_ignored(1 << CTH_NOTE_GARBLED);
	decide(BYTES("\1\1\2\3" "\0\1\0\1"));
	assert_ignored(1 << CTH_NOTE_GARBLED);
	decide(BYTES("\1\1\2\3" "\0\1\xff\xff" "abcd"));
	assert_ignored(1 << CTH_NOTE_GARBLED);
	decide(BYTES("\1\1\2\3" "\0\1\0\2" "ab" "\0\2\0"));
	assert_ignored(1 << CTH_NOTE_GARBLED);
}

static void only_what_goes_to_all_servers_needs_a_helper(void **state)
{
	struct cth_view v = from_client(BYTES(SOLICIT));

	(void)state;
	for (size_t i = 0; i < 16; i++) {
		v.peer = all;
		v.peer.b[i] ^= 1;
		cth_decide(&cth_proto_dhcpv6, &v, &d);
		assert_ignored(0);
	}
	v.peer = all;
	v.peer.family = AF_INET;
	cth_decide(&cth_proto_dhcpv6, &v, &d);
	assert_ignored(0);
}

static void another_port_than_the_clients_is_not_opened(void **state)
{
	struct cth_view v = from_client(BYTES(SOLICIT));

	(void)state;
	for (unsigned port = 0; port < 65536; port++) {
		v.self_port = (uint16_t)port;
		cth_decide(&cth_proto_dhcpv6, &v, &d);
		if (port == 546)
			assert_expected(3960);
		else
			assert_ignored(0);
	}
}

static void the_answering_side_opens_nothing(void **state)
{
	struct cth_view v = from_client(BYTES(SOLICIT));

	(void)state;
	v.reply = true;
	cth_decide(&cth_proto_dhcpv6, &v, &d);
	assert_ignored(0);
}

static void asked_again_it_is_decided_alike(void **state)
{
	struct cth_view v = from_client(BYTES(SOLICIT));
	struct cth_decision again;

	(void)state;
	cth_decide(&cth_proto_dhcpv6, &v, &d);
	v.first = false;
	cth_decide(&cth_proto_dhcpv6, &v, &again);
	assert_memory_equal(&d, &again, sizeof(d));
}

/* Where each option ends; dhcpv6_helper_cb of conntrackd reads the type whatever the length is. */
static void truncated(struct cth_span bytes, void *ctx)
{
	static const size_t whole[] = { 4, 18, 24, 30, 46 };

	(void)ctx;
	if (bytes.n == 0)
		return; /* never comes to a protocol */
	decide(bytes);
	for (size_t i = 0; i < N_OF(whole); i++) {
		if (bytes.n != whole[i])
			continue;
		assert_expected(3960);
		return;
	}
	assert_ignored(1 << CTH_NOTE_GARBLED);
}

static void peer_bug_reads_payload_bytes_without_length_check(void **state)
{
	(void)state;
	every_truncation(BYTES(SOLICIT), truncated, NULL);
}

static void any_byte(struct cth_span bytes, void *ctx)
{
	(void)ctx;
	decide(bytes);
	assert_nothing_else(d.wanted_n ? d.timeout : 0);
	assert_true(d.wanted_n + (d.notes != 0) <= 1);
	assert_int_equal(d.timeout != 0, d.wanted_n);
}

static void every_byte_may_have_every_value(void **state)
{
	(void)state;
	every_byte_value(BYTES(SOLICIT), any_byte, NULL);
}

static void the_constants_are_what_the_kernel_takes(void **state)
{
	struct cth_helper h = { .name = "dhcpv6", .l3 = AF_INET6, .l4 = IPPROTO_UDP, .classes = 1 };

	(void)state;
	assert_ptr_equal(cth_proto_find("dhcpv6"), &cth_proto_dhcpv6);
	assert_int_equal(cth_proto_dhcpv6.family, AF_INET6);
	assert_int_equal(cth_proto_dhcpv6.port, 547);
	assert_int_equal(cth_proto_dhcpv6.l4[0], IPPROTO_UDP);
	assert_int_equal(cth_proto_dhcpv6.l4[1], 0);
	assert_int_equal(cth_proto_dhcpv6.state_len, 0);
	assert_null(cth_proto_dhcpv6.classes[1].name);
	/* Longer than any wait: the flow is what ends it. The kernel counts in 32 bits of 1/1000 s. */
	assert_in_range(cth_proto_dhcpv6.classes[0].timeout, cth_proto_dhcpv6.longest,
			UINT32_MAX / 1000);
	strcpy(h.policy[0].name, cth_proto_dhcpv6.classes[0].name);
	h.policy[0].max = cth_proto_dhcpv6.classes[0].max;
	h.policy[0].timeout = cth_proto_dhcpv6.classes[0].timeout;
	assert_int_equal(cth_helper_check(&h, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_solicit_expects_whoever_answers_for_as_long_as_the_client_waits),
		cmocka_unit_test(each_message_has_its_time_and_the_servers_have_none),
		cmocka_unit_test(a_message_may_have_no_options_or_empty_ones),
		cmocka_unit_test(an_option_that_ends_elsewhere_is_garbled),
		cmocka_unit_test(only_what_goes_to_all_servers_needs_a_helper),
		cmocka_unit_test(another_port_than_the_clients_is_not_opened),
		cmocka_unit_test(the_answering_side_opens_nothing),
		cmocka_unit_test(asked_again_it_is_decided_alike),
		cmocka_unit_test(peer_bug_reads_payload_bytes_without_length_check),
		cmocka_unit_test(every_byte_may_have_every_value),
		cmocka_unit_test(the_constants_are_what_the_kernel_takes),
	};

	return RUN(tests);
}
