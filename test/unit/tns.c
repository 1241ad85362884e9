/* SPDX-License-Identifier: MIT */
/* tns.c - what the helper for SQL*Net makes of REDIRECTs in all their forms, and of the rest. */
#include <netinet/in.h>
#include <sys/socket.h>
#include "unit.h"
#include "../../cthelper/helper.h"
#include "../../cthelper/proto.h"

#define ADDRESS(host, port) "(ADDRESS=(PROTOCOL=tcp)(HOST=" host ")(PORT=" port "))"
#define OWN  ADDRESS("10.0.2.2", "40012")
#define CONNECT_WITH "(DESCRIPTION=(ADDRESS=(HOST=other)(PORT=1))(CONNECT_DATA=(SID=X)))"
#define SEQ  1000

enum { ACCEPT = 2, REFUSE = 4, REDIRECT = 5, DATA = 6, RESEND = 11 };

static struct cth_decision d;
static struct cth_view view;
static uint8_t body[1024];

/* The client has sent its CONNECT, the listener is about to answer. */
static void setup(void)
{
	struct cth_view asked = { .l4 = IPPROTO_TCP, .seq = 1, .ack = SEQ, .body = cth_span(body, 1) };

	cth_decide(&cth_proto_tns, &asked, &d);
	view = (struct cth_view){
		.l4 = IPPROTO_TCP, .reply = true, .seq = SEQ,
		.self = { AF_INET, { 10, 0, 2, 2 } }, .peer = { AF_INET, { 10, 0, 1, 2 } },
		.self_public = { AF_INET, { 10, 0, 1, 1 } }, .self_port = 1521, .peer_port = 40000,
	};
	memcpy(view.state, d.state, sizeof(view.state));
}

/* Appends a packet of this type: two bytes, and a text. */
static void append(uint8_t type, uint16_t two, const char *text, size_t n)
{
	uint8_t *p = body + view.body.n;

	memset(p, 0, 10);
	cth_store_be16(p, (uint16_t)(10 + n));
	p[4] = type;
	cth_store_be16(p + 8, two);
	memcpy(p + 10, text, n);
	view.body = cth_span(body, view.body.n + 10 + n);
}

static void decide(void)
{
	cth_decide(&cth_proto_tns, &view, &d);
}

/* The text in the REDIRECT itself. */
static void redirected(const char *text)
{
	setup();
	append(REDIRECT, (uint16_t)strlen(text), text, strlen(text));
}

/* In a DATA packet of the same segment. */
static void redirected_by_data(const char *text)
{
	setup();
	append(REDIRECT, (uint16_t)strlen(text), "", 0);
	append(DATA, 0, text, strlen(text));
}

/* In one of the next segment: decides on the first, leaves the second to be decided on. */
static void redirected_by_next(const char *text)
{
	setup();
	append(REDIRECT, (uint16_t)strlen(text), "", 0);
	decide();
	memcpy(view.state, d.state, sizeof(view.state));
	view.seq = SEQ + 10;
	view.body.n = 0;
	append(DATA, 0, text, strlen(text));
}

static void assert_expects_own(uint16_t port)
{
	assert_int_equal(d.notes, 0);
	assert_int_equal(d.wanted_n, 1);
	assert_int_equal(d.wanted[0].class_number, 0);
	assert_int_equal(d.wanted[0].l4, IPPROTO_TCP);
	assert_int_equal(d.wanted[0].source, CTH_FROM_PEER);
	assert_int_equal(d.wanted[0].dest, CTH_TO_OWN);
	assert_int_equal(d.wanted[0].port, port);
	assert_int_equal(d.wanted[0].flags, 0);
	assert_false(d.drop);
}

static void assert_expects_nothing(uint8_t notes)
{
	assert_int_equal(d.wanted_n, 0);
	assert_int_equal(d.announced_n, 0);
	assert_int_equal(d.notes, notes);
	assert_false(d.drop);
}

static void assert_announced(unsigned i, enum cth_form form, const char *text)
{
	assert_true(i < d.announced_n);
	assert_int_equal(d.announced[i].form, form);
	assert_int_equal(d.announced[i].len, strlen(text));
	assert_memory_equal(body + d.announced[i].off, text, strlen(text));
}

static void assert_counted(uint32_t first, uint32_t second)
{
	assert_int_equal(d.counted_n, 2);
	assert_int_equal(d.counted[0].off, first);
	assert_int_equal(d.counted[0].width, 2);
	assert_int_equal(d.counted[1].off, second);
	assert_int_equal(d.counted[1].width, 2);
}

static void a_redirect_expects_the_client_at_its_address(void **state)
{
	(void)state;
	redirected(OWN);
	decide();
	assert_expects_own(40012);
	assert_int_equal(d.announced_n, 0);
	assert_false(d.leave);
}

static void a_redirect_whose_text_follows_in_the_same_segment_does(void **state)
{
	(void)state;
	redirected_by_data(OWN);
	decide();
	assert_expects_own(40012);
	assert_false(d.fixed);
}

static void a_redirect_whose_text_follows_in_the_next_segment_does(void **state)
{
	(void)state;
	redirected_by_next(OWN);
	assert_expects_nothing(0);
	assert_true(d.state_changed);
	decide();
	assert_expects_own(40012);
	assert_true(d.fixed);
	assert_false(d.state_changed);
}

static void data_that_does_not_follow_a_redirect_is_no_announcement(void **state)
{
	(void)state;
	setup();
	append(DATA, 0, OWN, strlen(OWN));
	decide();
	assert_expects_nothing(0);
	assert_true(d.leave);
	redirected_by_next(OWN);
	view.seq++;
	decide();
	assert_expects_nothing(0);
}

static void what_the_client_is_to_connect_with_is_not_read(void **state)
{
	static const char text[] = OWN "\0" CONNECT_WITH;

	(void)state;
	setup();
	append(REDIRECT, sizeof(text) - 1, text, sizeof(text) - 1);
	decide();
	assert_expects_own(40012);
	setup();
	append(REDIRECT, sizeof(text) - 1, "", 0);
	append(DATA, 0, text, sizeof(text) - 1);
	decide();
	assert_expects_own(40012);
}

static void keys_are_read_in_upper_and_lower_case_with_spaces_in_any_order(void **state)
{
	static const char *const texts[] = {
		"(address=(protocol=tcp)(host=10.0.2.2)(port=40012))",
		"(ADDRESS = (PROTOCOL = TCP) ( HOST = 10.0.2.2 ) (PORT =  40012 ))",
		"(ADDRESS=(PORT=40012)(HOST=10.0.2.2)(PROTOCOL=tcp))",
		"(ADDRESS=(PROTOCOL=tcp)(DEV=10)(HOST=10.0.2.2)(PORT=40012)(KEY=()))",
		"(DESCRIPTION=(ADDRESS=(HOST=10.0.2.2)(PORT=40012)))",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++) {
		redirected(texts[i]);
		decide();
		assert_expects_own(40012);
	}
}

static void ipv6_addresses_are_read_with_and_without_brackets(void **state)
{
	static const char *const texts[] = {
		ADDRESS("fd02::2", "40012"), ADDRESS("[fd02::2]", "40012"),
		ADDRESS("FD02:0:0:0:0:0:0:2", "40012"),
	};
	static const struct cth_addr own = { AF_INET6, { 0xfd, 2, [15] = 2 } };

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++) {
		redirected(texts[i]);
		view.self = own;
		view.peer.family = view.self_public.family = AF_INET6;
		view.rewrite = true;
		decide();
		assert_expects_own(40012);
		assert_int_equal(d.announced_n, 2);
	}
	assert_announced(0, CTH_FORM_ADDRESS, "FD02:0:0:0:0:0:0:2");
	redirected(ADDRESS("[fd02::2]", "40012"));
	view.self = own;
	view.rewrite = true;
	decide();
	assert_announced(0, CTH_FORM_ADDRESS, "fd02::2"); /* the brackets stay */
}

static void of_a_translated_flow_host_and_port_are_rewritten_and_lengths_follow(void **state)
{
	(void)state;
	redirected(OWN);
	view.rewrite = true;
	decide();
	assert_expects_own(40012);
	assert_int_equal(d.announced_n, 2);
	assert_announced(0, CTH_FORM_ADDRESS, "10.0.2.2");
	assert_announced(1, CTH_FORM_PORT, "40012");
	assert_counted(0, 8); /* of the packet, of the text */
	assert_int_equal(d.wanted[0].note_at, 4);
	redirected("(ADDRESS=(PORT=40012)(HOST=10.0.2.2))");
	view.rewrite = true;
	decide();
	assert_announced(0, CTH_FORM_PORT, "40012");
	assert_announced(1, CTH_FORM_ADDRESS, "10.0.2.2");
}

static void behind_an_empty_redirect_it_is_the_data_packets_length_that_follows(void **state)
{
	(void)state;
	redirected_by_data(OWN);
	view.rewrite = true;
	decide();
	assert_int_equal(d.announced_n, 2);
	assert_announced(0, CTH_FORM_ADDRESS, "10.0.2.2");
	assert_counted(8, 10); /* of the text, in the REDIRECT; of the DATA packet */
}

static void in_a_segment_of_its_own_the_text_keeps_its_length(void **state)
{
	(void)state;
	redirected_by_next(OWN);
	view.rewrite = true;
	decide();
	assert_int_equal(d.announced_n, 2);
	assert_int_equal(d.counted_n, 0);
	assert_true(d.fixed);
}

static void a_name_is_taken_for_the_senders_own_and_stays(void **state)
{
	(void)state;
	redirected(ADDRESS("db1.example.com", "40012"));
	view.rewrite = true;
	decide();
	assert_expects_own(40012);
	assert_int_equal(d.announced_n, 1);
	assert_announced(0, CTH_FORM_PORT, "40012");
}

static void an_address_of_a_third_party_is_not_followed(void **state)
{
	(void)state;
	redirected(ADDRESS("10.0.2.99", "40012"));
	view.rewrite = true;
	decide();
	assert_expects_nothing(1 << CTH_NOTE_FOREIGN);
	redirected(ADDRESS("10.0.1.2", "40012")); /* the client's own */
	decide();
	assert_expects_nothing(1 << CTH_NOTE_FOREIGN);
	redirected_by_next(ADDRESS("10.0.2.99", "40012"));
	decide();
	assert_expects_nothing(1 << CTH_NOTE_FOREIGN);
}

static void unless_it_is_allowed_and_then_it_is_never_rewritten(void **state)
{
	(void)state;
	redirected(ADDRESS("10.0.2.99", "40012"));
	view.rewrite = true;
	view.allow = CTH_ALLOW_FOREIGN;
	decide();
	assert_int_equal(d.notes, 0);
	assert_int_equal(d.wanted_n, 1);
	assert_int_equal(d.announced_n, 0);
	assert_int_equal(d.wanted[0].dest, CTH_TO_OTHER);
	assert_int_equal(d.wanted[0].port, 40012);
	assert_int_equal(d.wanted[0].address.b[3], 99);
	redirected(ADDRESS("fd02::2", "40012")); /* another family's cannot be expected */
	view.allow = CTH_ALLOW_FOREIGN;
	decide();
	assert_expects_nothing(1 << CTH_NOTE_FOREIGN);
}

static void ports_below_1024_are_expected_only_where_they_are_allowed(void **state)
{
	(void)state;
	redirected(ADDRESS("10.0.2.2", "1023"));
	decide();
	assert_expects_nothing(1 << CTH_NOTE_LOW_PORT);
	view.allow = CTH_ALLOW_LOW_PORTS;
	decide();
	assert_expects_own(1023);
	redirected(ADDRESS("10.0.2.2", "0"));
	view.allow = CTH_ALLOW_LOW_PORTS;
	decide();
	assert_expects_nothing(1 << CTH_NOTE_LOW_PORT);
}

static void a_text_that_cannot_be_read_is_garbled(void **state)
{
	static const char *const texts[] = {
		"x", "(ADDRESS=(HOST=10.0.2.2))", "(ADDRESS=(PORT=40012))",
		ADDRESS("", "40012"), ADDRESS("10.0.2.2", ""), ADDRESS("10.0.2.2", "65536"),
		ADDRESS("10.0.2.2", "040012"), ADDRESS("10.0.2.2", "4x"), ADDRESS("[10.0.2.2", "40012"),
		ADDRESS("[db1]", "40012"), ADDRESS("d\x01", "40012"), ADDRESS("\"db1\"", "40012"),
		ADDRESS("0000000000000000000000000000000000000010.0.2.2", "40012"),
		"(HOST=10.0.2.2)(PORT=40012)(PORT=40013)", "(HOST=10.0.2.2)(HOST=10.0.2.2)(PORT=40012)",
		"(HOST=10.0.2.2)(PORT=40012", "(HOST=10.0.2.2)(PORT 40012)", "HOST=10.0.2.2)PORT=40012)",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++) {
		redirected(texts[i]);
		decide();
		assert_expects_nothing(1 << CTH_NOTE_GARBLED);
		redirected_by_data(texts[i]);
		decide();
		assert_expects_nothing(1 << CTH_NOTE_GARBLED);
	}
}

static void lengths_that_lie_are_garbled(void **state)
{
	(void)state;
	redirected(OWN);
	cth_store_be16(body, (uint16_t)(view.body.n + 1));
	decide();
	assert_expects_nothing(1 << CTH_NOTE_GARBLED);
	cth_store_be16(body, 9);
	decide();
	assert_expects_nothing(1 << CTH_NOTE_GARBLED);
	redirected(OWN);
	cth_store_be16(body + 8, (uint16_t)(strlen(OWN) + 1));
	decide();
	assert_expects_nothing(1 << CTH_NOTE_GARBLED);
	redirected(OWN);
	cth_store_be16(body + 8, (uint16_t)(strlen(OWN) - 5)); /* the port is not of it */
	decide();
	assert_expects_nothing(1 << CTH_NOTE_GARBLED);
	redirected_by_data(OWN);
	cth_store_be16(body + 10, 0xffff);
	decide();
	assert_expects_nothing(1 << CTH_NOTE_GARBLED);
}

static void checksums_that_somebody_computed_are_garbled(void **state)
{
	(void)state;
	redirected(OWN);
	body[3] = 1;
	decide();
	assert_expects_nothing(1 << CTH_NOTE_GARBLED);
	redirected(OWN);
	body[6] = 1;
	decide();
	assert_expects_nothing(1 << CTH_NOTE_GARBLED);
}

static void lengths_are_not_touched_where_nothing_is_rewritten(void **state)
{
	(void)state;
	redirected_by_data("x");
	view.rewrite = true;
	view.body.n = 11; /* of the DATA packet there is one byte */
	decide();
	assert_expects_nothing(1 << CTH_NOTE_GARBLED);
	assert_int_equal(d.counted_n, 0);
	redirected(OWN);
	decide();
	assert_int_equal(d.counted_n, 0);
}

static void only_data_may_follow_an_empty_redirect(void **state)
{
	(void)state;
	setup();
	append(REDIRECT, (uint16_t)strlen(OWN), "", 0);
	append(REFUSE, 0, OWN, strlen(OWN));
	decide();
	assert_expects_nothing(1 << CTH_NOTE_GARBLED);
	redirected_by_next(OWN);
	body[4] = REFUSE;
	decide();
	assert_expects_nothing(1 << CTH_NOTE_GARBLED);
}

static void the_client_announces_nothing(void **state)
{
	(void)state;
	redirected(OWN);
	view.reply = false;
	decide();
	assert_expects_nothing(0);
	assert_false(d.state_changed);
	memset(view.state, 0, sizeof(view.state));
	decide();
	assert_expects_nothing(0);
}

/* What comes first is none of it: and then a whole REDIRECT, where the next segment begins. */
static void assert_left(size_t n, uint8_t notes)
{
	uint8_t state[CTH_STATE];

	view.body = cth_span(body, n);
	decide();
	assert_expects_nothing(notes);
	assert_true(d.leave);
	assert_true(d.state_changed);
	memcpy(state, d.state, sizeof(state));
	redirected(OWN);
	memcpy(view.state, state, sizeof(state));
	view.seq = SEQ + (uint32_t)n;
	decide();
	assert_expects_nothing(0);
}

static void accepted(void)
{
	setup();
	append(ACCEPT, 0, "0123456789abcdef", 16);
}

/* Rows may hold what looks like a REDIRECT: a client has put it into the database. */
static void who_is_accepted_is_left_and_nothing_is_read_any_more(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 26; n++) {
		accepted();
		assert_left(n, 0);
	}
	for (size_t at = 2; at < 8; at++) {
		accepted();
		body[at] ^= at == 4 ? 0 : 1; /* a checksum */
		assert_left(26, 0);
	}
	for (size_t n = 1; n < 10 + strlen(OWN); n++) {
		redirected(OWN);
		assert_left(n, n < 5 ? 0 : 1 << CTH_NOTE_GARBLED);
	}
}

static void other_packets_mean_nothing_and_are_left(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		setup();
		append((uint8_t)type, (uint16_t)strlen(OWN), OWN, strlen(OWN));
		decide();
		if (type == REDIRECT)
			continue;
		assert_expects_nothing(0);
		assert_true(d.leave);
	}
}

/* Eight bytes, which a listener that wants the CONNECT again sends alone. */
static void asks_to_resend(uint32_t seq)
{
	static const uint8_t resend[8] = { 0, 8, 0, 0, RESEND };

	memcpy(body, resend, sizeof(resend));
	view.body = cth_span(body, sizeof(resend));
	view.seq = seq;
	decide();
	assert_expects_nothing(0);
	assert_false(d.leave);
	memcpy(view.state, d.state, sizeof(view.state));
	view.body.n = 0;
}

static void a_redirect_may_come_after_resends(void **state)
{
	(void)state;
	for (unsigned times = 0; times < 3; times++) {
		setup();
		for (uint32_t i = 0; i <= times; i++)
			asks_to_resend(SEQ + 8 * i);
		asks_to_resend(SEQ + 8 * times); /* the last one again */
		view.seq = SEQ + 8 * (times + 1);
		append(REDIRECT, (uint16_t)strlen(OWN), OWN, strlen(OWN));
		decide();
		assert_expects_own(40012);
	}
	setup();
	asks_to_resend(SEQ);
	view.seq = SEQ + 8;
	append(ACCEPT, 0, "0123456789abcdef", 16);
	assert_left(26, 0);
}

static void a_redirect_behind_a_gap_is_not_read(void **state)
{
	(void)state;
	redirected(OWN);
	view.seq++;
	decide();
	assert_expects_nothing(1 << CTH_NOTE_GARBLED);
	assert_true(d.leave);
}

/* He has been sent on: nothing in this flow will do so again. */
static void only_the_first_redirect_counts(void **state)
{
	(void)state;
	redirected(OWN);
	decide();
	assert_expects_own(40012);
	memcpy(view.state, d.state, sizeof(view.state));
	view.seq += (uint32_t)view.body.n;
	decide();
	assert_expects_nothing(0);
	redirected_by_next(OWN);
	decide();
	memcpy(view.state, d.state, sizeof(view.state));
	view.seq += (uint32_t)view.body.n;
	decide();
	assert_expects_nothing(0);
}

static void sent_again_it_is_decided_alike(void **state)
{
	struct cth_decision first;

	(void)state;
	redirected(OWN);
	view.rewrite = true;
	decide();
	first = d;
	memcpy(view.state, d.state, sizeof(view.state));
	cth_store_be16(view.state + 4, 2000); /* what the engine chose */
	decide();
	assert_int_equal(d.wanted[0].public_port, 2000);
	assert_int_equal(first.wanted[0].public_port, 0);
	assert_int_equal(d.announced_n, first.announced_n);

	redirected_by_next(OWN);
	view.rewrite = true;
	cth_store_be16(view.state + 4, 2000);
	decide();
	assert_int_equal(d.wanted[0].public_port, 2000);
	first = d;
	decide();
	assert_memory_equal(&first, &d, sizeof(d));

	/* Both packets again, now in one segment. */
	memcpy(first.state, view.state, sizeof(first.state));
	redirected_by_data(OWN);
	view.rewrite = true;
	memcpy(view.state, first.state, sizeof(view.state));
	decide();
	assert_int_equal(d.wanted[0].public_port, 2000);
}

static void a_state_of_another_message_is_not_taken_for_its_own(void **state)
{
	(void)state;
	redirected(OWN);
	view.rewrite = true;
	cth_store_be16(view.state + 4, 22); /* nobody can have told that */
	decide();
	assert_expects_own(40012);
	assert_int_equal(d.wanted[0].public_port, 0);
	for (unsigned stage = 0; stage < 256; stage++) {
		redirected(OWN);
		memset(view.state, 0xff, sizeof(view.state));
		view.state[6] = (uint8_t)stage;
		decide();
		assert_int_equal(d.wanted_n, 0);
	}
}

static void truncated(struct cth_span bytes, void *ctx)
{
	if (bytes.n == 0)
		return; /* never comes to a protocol */
	view.body = bytes;
	decide();
	assert_int_equal(d.wanted_n, bytes.n == *(size_t *)ctx);
}

/* conntrackd's holds lengths against the whole packet, and searches for strings without end. */
static void peer_bug_searches_past_the_packets_end(void **state)
{
	size_t n;

	(void)state;
	redirected(OWN);
	n = view.body.n;
	every_truncation(cth_span(body, n), truncated, &n);
	redirected_by_data(OWN);
	n = view.body.n;
	every_truncation(cth_span(body, n), truncated, &n);
	redirected_by_next(OWN);
	n = view.body.n;
	every_truncation(cth_span(body, n), truncated, &n);
}

static void any_byte(struct cth_span bytes, void *ctx)
{
	(void)ctx;
	view.body = bytes;
	decide();
	assert_false(d.drop);
	assert_true(d.wanted_n <= 1);
	if (d.wanted_n)
		assert_true(d.wanted[0].port >= 1024 && d.wanted[0].dest == CTH_TO_OWN);
}

static void every_byte_may_have_every_value(void **state)
{
	(void)state;
	redirected(OWN);
	view.rewrite = true;
	every_byte_value(cth_span(body, view.body.n), any_byte, NULL);
	redirected_by_data(OWN);
	every_byte_value(cth_span(body, view.body.n), any_byte, NULL);
	redirected_by_next(OWN);
	every_byte_value(cth_span(body, view.body.n), any_byte, NULL);
}

static void the_constants_are_what_the_kernel_takes(void **state)
{
	struct cth_helper h = { .name = "tns", .l3 = AF_INET, .l4 = IPPROTO_TCP, .classes = 1 };

	(void)state;
	assert_string_equal(cth_proto_tns.name, "tns");
	assert_int_equal(cth_proto_tns.port, 1521);
	strcpy(h.policy[0].name, cth_proto_tns.classes[0].name);
	h.policy[0].max = cth_proto_tns.classes[0].max;
	h.priv_len = cth_proto_tns.state_len;
	assert_int_equal(cth_helper_check(&h, NULL), 0);
	assert_ptr_equal(cth_proto_find("tns"), &cth_proto_tns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_redirect_expects_the_client_at_its_address),
		cmocka_unit_test(a_redirect_whose_text_follows_in_the_same_segment_does),
		cmocka_unit_test(a_redirect_whose_text_follows_in_the_next_segment_does),
		cmocka_unit_test(data_that_does_not_follow_a_redirect_is_no_announcement),
		cmocka_unit_test(what_the_client_is_to_connect_with_is_not_read),
		cmocka_unit_test(keys_are_read_in_upper_and_lower_case_with_spaces_in_any_order),
		cmocka_unit_test(ipv6_addresses_are_read_with_and_without_brackets),
		cmocka_unit_test(of_a_translated_flow_host_and_port_are_rewritten_and_lengths_follow),
		cmocka_unit_test(behind_an_empty_redirect_it_is_the_data_packets_length_that_follows),
		cmocka_unit_test(in_a_segment_of_its_own_the_text_keeps_its_length),
		cmocka_unit_test(a_name_is_taken_for_the_senders_own_and_stays),
		cmocka_unit_test(an_address_of_a_third_party_is_not_followed),
		cmocka_unit_test(unless_it_is_allowed_and_then_it_is_never_rewritten),
		cmocka_unit_test(ports_below_1024_are_expected_only_where_they_are_allowed),
		cmocka_unit_test(a_text_that_cannot_be_read_is_garbled),
		cmocka_unit_test(lengths_that_lie_are_garbled),
		cmocka_unit_test(checksums_that_somebody_computed_are_garbled),
		cmocka_unit_test(lengths_are_not_touched_where_nothing_is_rewritten),
		cmocka_unit_test(only_data_may_follow_an_empty_redirect),
		cmocka_unit_test(the_client_announces_nothing),
		cmocka_unit_test(who_is_accepted_is_left_and_nothing_is_read_any_more),
		cmocka_unit_test(other_packets_mean_nothing_and_are_left),
		cmocka_unit_test(a_redirect_may_come_after_resends),
		cmocka_unit_test(a_redirect_behind_a_gap_is_not_read),
		cmocka_unit_test(only_the_first_redirect_counts),
		cmocka_unit_test(sent_again_it_is_decided_alike),
		cmocka_unit_test(a_state_of_another_message_is_not_taken_for_its_own),
		cmocka_unit_test(peer_bug_searches_past_the_packets_end),
		cmocka_unit_test(every_byte_may_have_every_value),
		cmocka_unit_test(the_constants_are_what_the_kernel_takes),
	};

	return RUN(tests);
}
