/* SPDX-License-Identifier: MIT */
/* amanda.c - what the Amanda helper makes of replies, of requests, and of everything else. */
#include <netinet/in.h>
#include <sys/socket.h>
#include "unit.h"
#include "../../cthelper/helper.h"
#include "../../cthelper/proto.h"

#define TEXT(text) cth_span(text, sizeof(text) - 1)

#define REP     "Amanda 3.5 REP HANDLE 000-00000000 SEQ 1795953451\n"
#define STREAMS "CONNECT DATA 50037 MESG 50038 INDEX 50039 STATE 50040\n"
#define OPTIONS "OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n\n"

static struct cth_decision d;

/* From the host with the disks; behind a router that translates if rewrite. */
static struct cth_view reply(struct cth_span body, bool rewrite)
{
	struct cth_view v = {
		.l4 = IPPROTO_UDP, .reply = true, .rewrite = rewrite, .body = body,
		.self = { AF_INET, { 10, 0, 2, 2 } }, .peer = { AF_INET, { 10, 0, 1, 2 } },
		.self_public = { AF_INET, { 10, 0, 1, 1 } }, .self_port = 10080, .peer_port = 851,
	};

	return v;
}

static void decide(struct cth_span body)
{
	struct cth_view v = reply(body, false);

	cth_decide(&cth_proto_amanda, &v, &d);
}

static void decide_rewritten(struct cth_span body)
{
	struct cth_view v = reply(body, true);

	cth_decide(&cth_proto_amanda, &v, &d);
}

static void assert_expects(unsigned i, uint16_t port)
{
	assert_true(i < d.wanted_n);
	assert_int_equal(d.wanted[i].class_number, 0);
	assert_int_equal(d.wanted[i].l4, IPPROTO_TCP);
	assert_int_equal(d.wanted[i].source, CTH_FROM_PEER);
	assert_int_equal(d.wanted[i].dest, CTH_TO_OWN);
	assert_int_equal(d.wanted[i].flags, 0);
	assert_int_equal(d.wanted[i].port, port);
	assert_int_equal(d.wanted[i].source_port, 0);
}

static void assert_expects_nothing(uint8_t notes)
{
	assert_false(d.drop);
	assert_false(d.leave);
	assert_false(d.state_changed);
	assert_int_equal(d.wanted_n, 0);
	assert_int_equal(d.announced_n, 0);
	assert_int_equal(d.notes, notes);
}

static void a_reply_expects_every_stream_of_its_line(void **state)
{
	(void)state;
	decide(TEXT(REP STREAMS OPTIONS));
	assert_int_equal(d.wanted_n, 4);
	assert_int_equal(d.notes, 0);
	assert_int_equal(d.announced_n, 0);
	assert_false(d.state_changed);
	for (unsigned i = 0; i < 4; i++)
		assert_expects(i, (uint16_t)(50037 + i));
}

static void a_stream_that_there_is_not_has_minus_one_for_its_port(void **state)
{
	(void)state;
	decide(TEXT(REP "CONNECT DATA 50050 MESG 50051 INDEX -1 STATE 50052\n" OPTIONS));
	assert_int_equal(d.wanted_n, 3);
	assert_int_equal(d.notes, 0);
	assert_expects(2, 50052);
	decide(TEXT(REP "CONNECT DATA -1\n"));
	assert_expects_nothing(0);
	decide(TEXT(REP "CONNECT\n"));
	assert_expects_nothing(0);
}

static void the_streams_of_a_recovery_are_followed_as_well(void **state)
{
	(void)state;
	decide(TEXT(REP "CONNECT MESG 50006\n" OPTIONS));
	assert_int_equal(d.wanted_n, 1);
	assert_expects(0, 50006);
	decide(TEXT(REP "CONNECT CTL 50042 DATA 50043 STATE 50044\n" OPTIONS));
	assert_int_equal(d.wanted_n, 3);
	assert_expects(0, 50042);
	assert_expects(2, 50044);
}

static void three_streams_of_older_versions_are_followed(void **state)
{
	(void)state;
	decide(TEXT("Amanda 2.4 REP HANDLE 003-E0C90708 SEQ 1014215471\n"
		    "CONNECT DATA 1025 MESG 1026 INDEX 1027\n\nOPTIONS ;\n"));
	assert_int_equal(d.wanted_n, 3);
	assert_expects(2, 1027);
}

static void where_the_flow_is_translated_each_port_may_be_rewritten(void **state)
{
	static const char body[] = REP STREAMS OPTIONS;

	(void)state;
	decide_rewritten(TEXT(REP STREAMS OPTIONS));
	assert_int_equal(d.wanted_n, 4);
	assert_int_equal(d.announced_n, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(d.announced[i].wanted, i);
		assert_int_equal(d.announced[i].form, CTH_FORM_PORT);
		assert_int_equal(d.announced[i].len, 5);
		assert_memory_equal(body + d.announced[i].off, "5003", 4 - (i == 3));
		assert_int_equal(d.wanted[i].note_at, 4 + 2 * i);
		assert_int_equal(d.wanted[i].public_port, 0);
	}
	assert_true(d.state_changed);
	assert_int_equal(cth_be32(d.state), 1795953451);
}

static void a_reply_sent_again_tells_the_same_ports(void **state)
{
	struct cth_view v = reply(TEXT(REP STREAMS OPTIONS), true);

	(void)state;
	cth_store_be32(v.state, 1795953451);
	for (size_t i = 0; i < 4; i++)
		cth_store_be16(v.state + 4 + 2 * i, (uint16_t)(2000 + i));
	cth_decide(&cth_proto_amanda, &v, &d);
	assert_false(d.state_changed);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(d.wanted[i].public_port, 2000 + i);
}

static void another_request_begins_anew(void **state)
{
	struct cth_view v = reply(TEXT(REP STREAMS OPTIONS), true);

	(void)state;
	memset(v.state, 0xff, sizeof(v.state));
	cth_decide(&cth_proto_amanda, &v, &d);
	assert_true(d.state_changed);
	assert_int_equal(cth_be32(d.state), 1795953451);
	assert_int_equal(cth_be32(d.state + 4), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(d.wanted[i].public_port, 0);
}

static void a_port_in_the_state_that_nobody_can_have_told_is_forgotten(void **state)
{
	struct cth_view v = reply(TEXT(REP STREAMS), true);

	(void)state;
	cth_store_be32(v.state, 1795953451);
	cth_store_be16(v.state + 4, 1023);
	cth_decide(&cth_proto_amanda, &v, &d);
	assert_int_equal(d.wanted[0].public_port, 0);
	v.allow = CTH_ALLOW_LOW_PORTS;
	cth_decide(&cth_proto_amanda, &v, &d);
	assert_int_equal(d.wanted[0].public_port, 1023);
	v.rewrite = false;
	cth_decide(&cth_proto_amanda, &v, &d);
	assert_int_equal(d.wanted[0].public_port, 0);
}

static void ports_below_1024_are_expected_only_where_they_are_allowed(void **state)
{
	struct cth_view v = reply(TEXT(REP "CONNECT DATA 1023 MESG 1024 INDEX 22\n"), false);

	(void)state;
	cth_decide(&cth_proto_amanda, &v, &d);
	assert_int_equal(d.wanted_n, 1);
	assert_expects(0, 1024);
	assert_int_equal(d.notes, 1 << CTH_NOTE_LOW_PORT);
	v.allow = CTH_ALLOW_LOW_PORTS;
	cth_decide(&cth_proto_amanda, &v, &d);
	assert_int_equal(d.wanted_n, 3);
	assert_int_equal(d.notes, 0);
	decide(TEXT(REP "CONNECT DATA 0\n"));
	assert_expects_nothing(1 << CTH_NOTE_LOW_PORT);
}

static void low_ports_that_are_allowed_may_become_as_long_as_ports_are(void **state)
{
	struct cth_view v = reply(TEXT(REP "CONNECT DATA 1 MESG 2 INDEX 3 STATE 4\n"), true);
	uint32_t longer = 0;

	(void)state;
	v.allow = CTH_ALLOW_LOW_PORTS;
	cth_decide(&cth_proto_amanda, &v, &d);
	assert_int_equal(d.announced_n, 4);
	for (unsigned i = 0; i < 4; i++)
		longer += 5 - d.announced[i].len;
	assert_true(longer <= cth_proto_amanda.growth);
}

static void of_more_than_four_streams_four_are_followed(void **state)
{
	(void)state;
	decide(TEXT(REP "CONNECT A 5001 B 5002 C -1 D 5003 E 5004 F 5005 G 5006\n"));
	assert_int_equal(d.wanted_n, 4);
	assert_expects(3, 5004);
	assert_int_equal(d.notes, 1 << CTH_NOTE_UNFOLLOWED);
}

static void a_line_that_cannot_be_read_expects_nothing(void **state)
{
	static const char *const lines[] = {
		"CONNECT DATA 50037", "CONNECT DATA", "CONNECT DATA \n", "CONNECT  50037\n",
		"CONNECT DATA 65536\n", "CONNECT DATA 050037\n", "CONNECT DATA 50037x\n",
		"CONNECT DATA -2\n", "CONNECT DATA -15\n", "CONNECT DATA 50037 MESG\n",
		"CONNECT DATA 50037 MESG 5\x80\n", "CONNECT DA\x01TA 50037\n",
		"CONNECT DATA 50037\r\n", "CONNECTDATA 50037\n", "CONNECT DATA 50037  MESG 50038\n",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(lines); i++) {
		char body[200];
		int n = snprintf(body, sizeof(body), "%s%s", REP, lines[i]);

		decide(cth_span(body, (size_t)n));
		assert_expects_nothing(1 << CTH_NOTE_GARBLED);
	}
}

static void the_tape_server_announces_nothing(void **state)
{
	struct cth_view v = reply(TEXT(REP STREAMS OPTIONS), false);

	(void)state;
	v.reply = false;
	cth_decide(&cth_proto_amanda, &v, &d);
	assert_expects_nothing(0);
	assert_int_equal(d.timeout, 330);
}

static void the_line_counts_only_as_the_second_one_of_a_reply(void **state)
{
	(void)state;
	decide(TEXT("Amanda 3.5 ACK HANDLE 000-00000000 SEQ 1795953451\n" STREAMS));
	assert_expects_nothing(0);
	decide(TEXT("Amanda 3.5 NAK HANDLE 000-00000000 SEQ 1795953451\n" STREAMS));
	assert_expects_nothing(0);
	decide(TEXT("Amanda 3.5 PREP HANDLE 000-00000000 SEQ 1795953451\n" STREAMS));
	assert_expects_nothing(0);
	decide(TEXT(REP OPTIONS STREAMS));
	assert_expects_nothing(0);
	decide(TEXT(REP "ERROR no: " STREAMS));
	assert_expects_nothing(0);
	decide(TEXT(REP " " STREAMS));
	assert_expects_nothing(0);
	decide(TEXT(STREAMS));
	assert_expects_nothing(0);
}

static void headers_that_are_none_are_not_replies(void **state)
{
	static const char *const headers[] = {
		"Amanda REP HANDLE 0 SEQ 1\n", "Amanda 3.5 REP HANDLE  SEQ 1\n",
		"Amanda 3.5 REP HANDLE 0 SEQ 4294967296\n", "Amanda 3.5 REP HANDLE 0 SEQ x\n",
		"Amanda 3.5 REP HANDLE 0 SEQ 1 \n", "Amanda 3.5 REP HANDLE 0 SEQ 1",
		"Amanda 3.5 REP HANDLE 0 0 SEQ 1\n", " Amanda 3.5 REP HANDLE 0 SEQ 1\n",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(headers); i++) {
		char body[200];
		int n = snprintf(body, sizeof(body), "%s%s", headers[i], STREAMS);

		decide(cth_span(body, (size_t)n));
		assert_expects_nothing(0);
	}
}

static void whatever_amanda_says_keeps_the_flow_for_as_long_as_an_estimate_takes(void **state)
{
	(void)state;
	decide(TEXT("Amanda 3.5 ACK HANDLE 000-00000001 SEQ 1795551076\n"));
	assert_int_equal(d.timeout, 330);
	decide(TEXT("Amanda 3.5 PREP HANDLE 000-00000001 SEQ 1795551076\n" OPTIONS));
	assert_int_equal(d.timeout, 330);
	decide(TEXT(REP STREAMS));
	assert_int_equal(d.timeout, 330);
	assert_int_equal(cth_proto_amanda.longest, 330);
}

static void what_is_not_amandas_does_not(void **state)
{
	(void)state;
	decide(TEXT("Amanda3.5 ACK"));
	assert_int_equal(d.timeout, 0);
	decide(TEXT("\0\1\2\3\4\5\6\7"));
	assert_int_equal(d.timeout, 0);
	decide(TEXT("Amanda "));
	assert_int_equal(d.timeout, 0);
}

static void ipv6_is_decided_alike(void **state)
{
	struct cth_view v = reply(TEXT(REP STREAMS), true);
	struct cth_decision four;

	(void)state;
	cth_decide(&cth_proto_amanda, &v, &four);
	v.self.family = v.peer.family = v.self_public.family = AF_INET6;
	cth_decide(&cth_proto_amanda, &v, &d);
	assert_memory_equal(&four, &d, sizeof(d));
}

/* Only with its end is the line one. */
static void truncated(struct cth_span bytes, void *ctx)
{
	(void)ctx;
	if (bytes.n == 0)
		return; /* never comes to a protocol */
	decide_rewritten(bytes);
	assert_int_equal(d.wanted_n, bytes.n >= sizeof(REP STREAMS) - 1 ? 4 : 0);
	assert_int_equal(d.announced_n, d.wanted_n);
}

static void no_truncation_reads_past_the_end(void **state)
{
	(void)state;
	every_truncation(TEXT(REP STREAMS OPTIONS), truncated, NULL);
}

static void any_byte(struct cth_span bytes, void *ctx)
{
	(void)ctx;
	decide_rewritten(bytes);
	assert_false(d.drop || d.leave);
	assert_true(d.wanted_n <= 4);
	for (unsigned i = 0; i < d.wanted_n; i++)
		assert_true(d.wanted[i].port >= 1024 && d.announced[i].len <= 5);
}

static void every_byte_may_have_every_value(void **state)
{
	(void)state;
	every_byte_value(TEXT(REP STREAMS), any_byte, NULL);
}

/* amanda_helper_cb of conntrackd overwrites the port that it has read by the master's. */
static void peer_bug_expects_the_port_of_the_request(void **state)
{
	(void)state;
	decide(TEXT(REP STREAMS));
	assert_expects(0, 50037);
}

/* And of three expectations it keeps one, STATE it does not know. */
static void peer_bug_only_the_last_of_a_lines_streams_is_expected(void **state)
{
	(void)state;
	decide(TEXT(REP STREAMS));
	assert_int_equal(d.wanted_n, 4);
	assert_int_equal(cth_proto_amanda.classes[0].max, 4);
}

static void the_constants_are_what_the_kernel_takes(void **state)
{
	struct cth_helper h = { .name = "amanda", .l3 = AF_INET, .l4 = IPPROTO_UDP, .classes = 1 };

	(void)state;
	assert_string_equal(cth_proto_amanda.name, "amanda");
	assert_int_equal(cth_proto_amanda.port, 10080);
	assert_int_equal(cth_proto_amanda.l4[0], IPPROTO_UDP);
	assert_int_equal(cth_proto_amanda.l4[1], 0);
	strcpy(h.policy[0].name, cth_proto_amanda.classes[0].name);
	h.policy[0].max = cth_proto_amanda.classes[0].max;
	h.priv_len = cth_proto_amanda.state_len;
	assert_int_equal(cth_helper_check(&h, NULL), 0);
	assert_ptr_equal(cth_proto_find("amanda"), &cth_proto_amanda);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_expects_every_stream_of_its_line),
		cmocka_unit_test(a_stream_that_there_is_not_has_minus_one_for_its_port),
		cmocka_unit_test(the_streams_of_a_recovery_are_followed_as_well),
		cmocka_unit_test(three_streams_of_older_versions_are_followed),
		cmocka_unit_test(where_the_flow_is_translated_each_port_may_be_rewritten),
		cmocka_unit_test(a_reply_sent_again_tells_the_same_ports),
		cmocka_unit_test(another_request_begins_anew),
		cmocka_unit_test(a_port_in_the_state_that_nobody_can_have_told_is_forgotten),
		cmocka_unit_test(ports_below_1024_are_expected_only_where_they_are_allowed),
		cmocka_unit_test(low_ports_that_are_allowed_may_become_as_long_as_ports_are),
		cmocka_unit_test(of_more_than_four_streams_four_are_followed),
		cmocka_unit_test(a_line_that_cannot_be_read_expects_nothing),
		cmocka_unit_test(the_tape_server_announces_nothing),
		cmocka_unit_test(the_line_counts_only_as_the_second_one_of_a_reply),
		cmocka_unit_test(headers_that_are_none_are_not_replies),
		cmocka_unit_test(whatever_amanda_says_keeps_the_flow_for_as_long_as_an_estimate_takes),
		cmocka_unit_test(what_is_not_amandas_does_not),
		cmocka_unit_test(ipv6_is_decided_alike),
		cmocka_unit_test(no_truncation_reads_past_the_end),
		cmocka_unit_test(every_byte_may_have_every_value),
		cmocka_unit_test(peer_bug_expects_the_port_of_the_request),
		cmocka_unit_test(peer_bug_only_the_last_of_a_lines_streams_is_expected),
		cmocka_unit_test(the_constants_are_what_the_kernel_takes),
	};

	return RUN(tests);
}
