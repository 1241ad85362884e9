/* SPDX-License-Identifier: MIT */
/* tftp.c - what TFTP makes of requests, of garbage, and of everything else. */
#include "asking.h"
#include "../../cthelper/helper.h"

/* A literal with NULs in it; its own last NUL is part of it. */
#define BYTES(text) cth_span(text, sizeof(text))
#define SHORT(text) cth_span(text, sizeof(text) - 1)

static struct cth_view from_client(struct cth_span body)
{
	struct cth_view v = {
		.l4 = IPPROTO_UDP, .first = true, .body = body,
		.self = { AF_INET, { 10, 0, 1, 2 } }, .peer = { AF_INET, { 10, 0, 2, 2 } },
		.self_public = { AF_INET, { 10, 0, 2, 1 } }, .self_port = 35704, .peer_port = 69,
	};

	return v;
}

static void decide(struct cth_span body)
{
	struct cth_view v = from_client(body);

	cth_decide(&cth_proto_tftp, &v, &d);
}

static void assert_expected(void)
{
	assert_answers(CTH_FROM_PEER, 0, 0, 0);
}

static void a_read_request_expects_the_server_at_the_clients_port(void **state)
{
	(void)state;
	decide(BYTES("\0\1file\0octet"));
	assert_expected();
}

static void a_write_request_does_so_too(void **state)
{
	(void)state;
	decide(BYTES("\0\2file\0netascii"));
	assert_expected();
}

static void modes_are_read_in_upper_and_lower_case(void **state)
{
	(void)state;
	decide(BYTES("\0\1a\0OCTET"));
	assert_expected();
	decide(BYTES("\0\1a\0NetAscii"));
	assert_expected();
	decide(BYTES("\0\2a\0mail"));
	assert_expected();
}

static void a_mode_of_the_servers_own_is_the_servers_to_judge(void **state)
{
	(void)state;
	decide(BYTES("\0\1a\0binary"));
	assert_expected();
}

static void options_may_follow_whole_or_cut(void **state)
{
	(void)state;
	decide(BYTES("\0\1a\0octet\0tsize\0" "0\0blksize\0" "1468"));
	assert_expected();
	decide(SHORT("\0\1a\0octet\0tsize"));
	assert_expected();
	decide(BYTES("\0\1a\0octet\0\0\0\0"));
	assert_expected();
}

static void names_with_folders_spaces_and_bytes_above_127_are_names(void **state)
{
	(void)state;
	decide(BYTES("\0\1/srv/tftp/pxe linux.0\0octet"));
	assert_expected();
	decide(BYTES("\0\1C:\\boot\\\xc3\xa4\xff\0octet"));
	assert_expected();
}

static void a_request_cut_short_is_garbled(void **state)
{
	(void)state;
	decide(SHORT("\0\1"));
	assert_garbled();
	decide(SHORT("\0\1file"));
	assert_garbled();
	decide(BYTES("\0\1file"));
	assert_garbled();
	decide(SHORT("\0\1file\0octet"));
	assert_garbled();
}

static void a_request_that_is_no_text_is_garbled(void **state)
{
	(void)state;
	decide(BYTES("\0\1\0octet"));
	assert_garbled();
	decide(BYTES("\0\1file\0"));
	assert_garbled();
	decide(BYTES("\0\1fi\nle\0octet"));
	assert_garbled();
	decide(BYTES("\0\1fi\x7fle\0octet"));
	assert_garbled();
	decide(BYTES("\0\1file\0oct8"));
	assert_garbled();
	decide(BYTES("\0\1file\0octet\x80"));
	assert_garbled();
	decide(BYTES("\0\1file\0{octet}"));
	assert_garbled();
}

static void other_opcodes_mean_nothing(void **state)
{
	(void)state;
	for (unsigned code = 0; code < 65536; code++) {
		uint8_t bytes[] = { (uint8_t)(code >> 8), (uint8_t)code, 'a', 0, 'b', 0 };

		decide(cth_span(bytes, sizeof(bytes)));
		if (code == 1 || code == 2)
			assert_expected();
		else
			assert_silent();
	}
}

static void the_answering_side_announces_nothing(void **state)
{
	struct cth_view v = from_client(BYTES("\0\1file\0octet"));

	(void)state;
	v.reply = true;
	cth_decide(&cth_proto_tftp, &v, &d);
	assert_silent();
}

static void a_request_sent_again_is_decided_alike(void **state)
{
	struct cth_view v = from_client(BYTES("\0\1file\0octet"));
	struct cth_decision again;

	(void)state;
	cth_decide(&cth_proto_tftp, &v, &d);
	v.first = false; /* the first one is confirmed by now */
	cth_decide(&cth_proto_tftp, &v, &again);
	assert_memory_equal(&d, &again, sizeof(d));
}

static void ipv6_is_decided_alike(void **state)
{
	struct cth_view v = from_client(BYTES("\0\1file\0octet"));

	(void)state;
	v.self.family = v.peer.family = v.self_public.family = AF_INET6;
	cth_decide(&cth_proto_tftp, &v, &d);
	assert_expected();
}

/* What is only a beginning of a request is no request. */
static void truncated(struct cth_span bytes, void *ctx)
{
	if (bytes.n == 0)
		return; /* never comes to a protocol */
	decide(bytes);
	if (bytes.n == *(size_t *)ctx)
		assert_expected();
	else if (bytes.n < 2)
		assert_silent();
	else
		assert_garbled();
}

/* tftp_helper_cb of conntrackd reads the opcode whatever the length is. */
static void peer_bug_reads_payload_bytes_without_length_check(void **state)
{
	struct cth_span request = BYTES("\0\2some/file\0octet");

	(void)state;
	every_truncation(request, truncated, &request.n);
}

static void any_byte(struct cth_span bytes, void *ctx)
{
	(void)ctx;
	decide(bytes);
	assert_nothing_else(0);
	assert_true(d.wanted_n + (d.notes != 0) <= 1);
}

static void every_byte_may_have_every_value(void **state)
{
	(void)state;
	every_byte_value(BYTES("\0\1file\0octet\0tsize\0" "0"), any_byte, NULL);
}

static void the_constants_are_what_the_kernel_takes(void **state)
{
	struct cth_helper h = { .name = "tftp", .l3 = AF_INET, .l4 = IPPROTO_UDP, .classes = 1 };

	(void)state;
	assert_string_equal(cth_proto_tftp.name, "tftp");
	assert_int_equal(cth_proto_tftp.port, 69);
	assert_int_equal(cth_proto_tftp.l4[0], IPPROTO_UDP);
	assert_int_equal(cth_proto_tftp.l4[1], 0);
	assert_null(cth_proto_tftp.classes[1].name);
	strcpy(h.policy[0].name, cth_proto_tftp.classes[0].name);
	h.policy[0].max = cth_proto_tftp.classes[0].max;
	h.priv_len = cth_proto_tftp.state_len;
	assert_int_equal(cth_helper_check(&h, NULL), 0);
}

static void it_is_in_the_list_of_protocols(void **state)
{
	(void)state;
	assert_ptr_equal(cth_proto_find("tftp"), &cth_proto_tftp);
	assert_null(cth_proto_find("tft"));
	assert_null(cth_proto_find("tftpd"));
	assert_null(cth_proto_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_request_expects_the_server_at_the_clients_port),
		cmocka_unit_test(a_write_request_does_so_too),
		cmocka_unit_test(modes_are_read_in_upper_and_lower_case),
		cmocka_unit_test(a_mode_of_the_servers_own_is_the_servers_to_judge),
		cmocka_unit_test(options_may_follow_whole_or_cut),
		cmocka_unit_test(names_with_folders_spaces_and_bytes_above_127_are_names),
		cmocka_unit_test(a_request_cut_short_is_garbled),
		cmocka_unit_test(a_request_that_is_no_text_is_garbled),
		cmocka_unit_test(other_opcodes_mean_nothing),
		cmocka_unit_test(the_answering_side_announces_nothing),
		cmocka_unit_test(a_request_sent_again_is_decided_alike),
		cmocka_unit_test(ipv6_is_decided_alike),
		cmocka_unit_test(peer_bug_reads_payload_bytes_without_length_check),
		cmocka_unit_test(every_byte_may_have_every_value),
		cmocka_unit_test(the_constants_are_what_the_kernel_takes),
		cmocka_unit_test(it_is_in_the_list_of_protocols),
	};

	return RUN(tests);
}
