/* SPDX-License-Identifier: MIT */
/*
 * decode.c - recordings as text: the golden texts beside them, from either byte order,
 * and what happens to input that is malformed. There are recordings of machines of both
 * orders: wherever this runs, the golden texts prove that every field of the host's order
 * in the others is turned.
 */
#include <dirent.h>
#include "../../tools/cth.h" /* before cmocka, which has a macro fail */
#include "unit.h"
#include "../../cthelper/attach.h"
#include "../../netlink/uapi.h"
#include "../../tools/decode.h"
#include "../../tools/schema.h"

/* Golden texts */

static char *read_text(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t cap = 1 << 22, n;
	char *text = malloc(cap);

	if (!f)
		fail_msg("%s cannot be read; cth decode makes it", path);
	n = fread(text, 1, cap - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

/*
 * The golden texts name errors as most processors number them. mips and a few others go their
 * own way beyond 34: what they read as 75 is no EOVERFLOW, and a recording does not tell where
 * it was made. There the number stays, and the name is this machine's.
 */
static char *with_names_of_here(char *golden)
{
	static const char error[] = " error -";
	char *text, *at = golden, *number;
	size_t len;
	FILE *f;

	if (EOVERFLOW == 75 && EOPNOTSUPP == 95)
		return golden;
	f = open_memstream(&text, &len);
	while ((number = strstr(at, error))) {
		long err = strtol(number + strlen(error), &number, 10);

		fwrite(at, 1, (size_t)(number - at), f);
		at = number;
		if (strncmp(at, " (", 2) == 0) {
			fprintf(f, " (%s", errno_name((int)err));
			at = strchr(at, ')');
		}
	}
	fputs(at, f);
	fclose(f);
	free(golden);
	return text;
}

/* Fails at the first line that differs. */
static void assert_same_text(const char *name, const char *is, const char *should)
{
	size_t line = 1;

	while (*is && *is == *should) {
		line += *is == '\n';
		is++;
		should++;
	}
	if (*is != *should)
		fail_msg("%s, line %zu: ...%.*s, should be ...%.*s", name, line,
			 (int)strcspn(is, "\n"), is, (int)strcspn(should, "\n"), should);
}

/* The text of a recording in memory, which is turned if it has to be. */
static char *text_of_tape(uint8_t *bytes, size_t n)
{
	const struct decode_how how = { .shown = DECODE_SHOWN };
	struct tape tape;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_int_equal(tape_start(&tape, bytes, n), 0);
	assert_int_equal(decode_tape(f, &tape, &how), 0);
	fclose(f);
	return text;
}

static void each_recording(void (*fn)(const char *name))
{
	DIR *dir = opendir("test/recordings");
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (!strstr(entry->d_name, ".pcap"))
			continue;
		fn(entry->d_name);
		n++;
	}
	closedir(dir);
	assert_true(n >= 19);
}

static void assert_golden(const char *name, struct recording *r)
{
	char *is = text_of_tape(r->bytes, r->n), *should, path[300];

	snprintf(path, sizeof(path), "test/recordings/%.*s.txt",
		 (int)strcspn(name, "."), name);
	should = with_names_of_here(read_text(path));
	assert_same_text(path, is, should);
	free(should);
	free(is);
}

static void check_golden(const char *name)
{
	struct recording r = recording(name);

	assert_golden(name, &r);
	free_recording(&r);
}

static void every_recording_decodes_to_its_golden_text(void **state)
{
	(void)state;
	each_recording(check_golden);
}

static size_t big, little;

static void count_byte_order(const char *name)
{
	uint8_t magic[4] = { 0 };
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "test/recordings/%.256s", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fread(magic, 1, sizeof(magic), f), sizeof(magic));
	fclose(f);
	/* a1b2c3d4 or a1b23c4d */
	big += magic[0] == 0xa1;
	little += magic[3] == 0xa1;
}

static void machines_of_both_byte_orders_have_recorded(void **state)
{
	(void)state;
	each_recording(count_byte_order);
	assert_true(big >= 6 && little >= 19);
}

/* Another machine's recording, made from ours: its file and its datagrams are foreign. */
static void check_golden_of_foreign(const char *name)
{
	struct recording r = recording(name), ours = recording(name);
	struct cth_pcap p;

	swap_recording(r.bytes, r.n);
	assert_int_equal(cth_pcap_open(&p, cth_span(r.bytes, r.n)), 0);
	assert_true(p.foreign);
	assert_golden(name, &r);
	assert_bytes(cth_span(r.bytes, r.n), ours.bytes, ours.n);
	free_recording(&r);
	free_recording(&ours);
}

static void a_recording_of_the_other_byte_order_gives_the_same_text(void **state)
{
	(void)state;
	each_recording(check_golden_of_foreign);
}

/* Datagrams made by hand, in this machine's byte order or in the other one */

struct made {
	uint8_t b[2048];
	size_t n;
	bool foreign;
};

static void put(struct made *d, const void *bytes, size_t n)
{
	assert_true(n <= sizeof(d->b) - d->n);
	memcpy(d->b + d->n, bytes, n);
	d->n += n;
}

/* A number of the host's order. */
static void put_host(struct made *d, uint64_t v, size_t n)
{
	const uint16_t probe = 1;
	bool low_first = (*(const uint8_t *)&probe == 1) != d->foreign;

	for (size_t i = 0; i < n; i++) {
		uint8_t byte = (uint8_t)(v >> 8 * (low_first ? i : n - 1 - i));

		put(d, &byte, 1);
	}
}

static void put_be(struct made *d, uint64_t v, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		uint8_t byte = (uint8_t)(v >> 8 * i);

		put(d, &byte, 1);
	}
}

static void pad(struct made *d)
{
	put(d, "\0\0\0", (4 - d->n % 4) % 4);
}

static void put_nlmsghdr(struct made *d, size_t len, uint16_t type, uint16_t flags, uint32_t seq)
{
	put_host(d, len, 4);
	put_host(d, type, 2);
	put_host(d, flags, 2);
	put_host(d, seq, 4);
	put_host(d, 0x01020304, 4);
}

static void put_nfgenmsg(struct made *d, uint8_t family, uint16_t res_id)
{
	put(d, &family, 1);
	put(d, "", 1);
	put_be(d, res_id, 2);
}

static void put_attr(struct made *d, uint16_t type, size_t n)
{
	put_host(d, 4 + n, 2);
	put_host(d, type, 2);
}

static void put_host_attr(struct made *d, uint16_t type, uint64_t v, size_t n)
{
	put_attr(d, type, n);
	put_host(d, v, n);
	pad(d);
}

static void put_be_attr(struct made *d, uint16_t type, uint64_t v, size_t n)
{
	put_attr(d, type, n);
	put_be(d, v, n);
	pad(d);
}

static void put_text_attr(struct made *d, uint16_t type, const char *text)
{
	put_attr(d, type, strlen(text) + 1);
	put(d, text, strlen(text) + 1);
	pad(d);
}

/* Sets a message's length when it is complete. */
static void end_message(struct made *d, size_t start)
{
	struct made len = { .foreign = d->foreign };

	put_host(&len, d->n - start, 4);
	memcpy(d->b + start, len.b, 4);
}

#define NESTED 0x8000

/* A request to conntrack with all that stands there in the host's order. */
static void make_conntrack(struct made *d)
{
	size_t start = d->n;

	put_nlmsghdr(d, 0, 0x0101, 0x0301, 7);
	put_nfgenmsg(d, 2, 0);
	put_attr(d, CTA_FILTER | NESTED, 16);
	put_host_attr(d, 1, 0x0b, 4);
	put_host_attr(d, 2, 0x830, 4);
	pad(d);
	put_attr(d, CTA_LABELS, 16);
	for (uint32_t i = 1; i <= 4; i++)
		put_host(d, 0x01020300 + i, 4);
	put_attr(d, 99 | NESTED, 20); /* unknown, but it says that it is a nest */
	put_be_attr(d, 1, 0x01020304, 4);
	put_attr(d, 2 | NESTED, 8);
	put_be_attr(d, 3, 0x0506, 2);
	put_be_attr(d, 98, 0x01020304, 4); /* unknown: stays */
	put_attr(d, 97, 16);               /* unknown, not marked as a nest: stays */
	put(d, "0123456789abcdef", 16);
	put_be_attr(d, CTA_MARK, 0x2a, 4);
	end_message(d, start);
}

/* A refused rule, echoed whole: the expression's table is known by its name alone. */
static void make_refusal(struct made *d)
{
	size_t start = d->n, echo;

	put_nlmsghdr(d, 0, NLMSG_ERROR, 0x200, 8);
	put_host(d, (uint32_t)-22, 4);
	echo = d->n;
	put_nlmsghdr(d, 0, 0x0a06, 0x0c05, 8);
	put_nfgenmsg(d, 2, 0);
	put_text_attr(d, 1, "t");
	put_attr(d, 4, 28); /* EXPRESSIONS, ELEM, NAME and DATA: none marked as a nest */
	put_attr(d, 1, 24);
	put_text_attr(d, 1, "meta");
	put_attr(d, 2, 8);
	put_be_attr(d, 2, 16, 4);
	end_message(d, echo);
	put_text_attr(d, 1, "no");
	put_host_attr(d, 2, 36, 4);
	put_be_attr(d, 3, 0x0102030405060708, 8);
	put_attr(d, 4, 32);
	put_host_attr(d, 1, 9, 4);
	put_host_attr(d, 2, (uint64_t)-2, 8);
	put_host_attr(d, 12, 0xff00, 8);
	put_host_attr(d, 5, 2, 4);
	put_host_attr(d, 6, 20, 4);
	end_message(d, start);
}

static void make_done(struct made *d)
{
	size_t start = d->n;

	put_nlmsghdr(d, 0, NLMSG_DONE, 0x202, 9);
	put_host(d, (uint32_t)-4, 4);
	put_text_attr(d, 1, "why");
	end_message(d, start);
}

static void make_all(struct made *d, bool foreign)
{
	memset(d, 0, sizeof(*d));
	d->foreign = foreign;
	make_conntrack(d);
	make_refusal(d);
	make_done(d);
}

static void every_field_of_the_hosts_order_is_turned(void **state)
{
	struct made host, foreign;
	struct made turned;

	(void)state;
	make_all(&host, false);
	make_all(&foreign, true);
	turned = foreign;
	swap_datagram(turned.b, turned.n, true);
	assert_bytes(cth_span(turned.b, turned.n), host.b, host.n);
	turned = host;
	swap_datagram(turned.b, turned.n, false);
	assert_bytes(cth_span(turned.b, turned.n), foreign.b, foreign.n);
}

static char *text_of(const struct made *d, bool to_kernel)
{
	uint8_t *p = guarded(d->b, d->n);
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	decode_datagram(f, cth_span(p, d->n), to_kernel);
	fclose(f);
	free_guarded(p, d->n);
	return text;
}

static void assert_text(const struct made *d, const char *should)
{
	char *is = text_of(d, true);

	assert_same_text("text", is, should);
	free(is);
}

static void extended_acks_and_unknown_attributes_are_shown(void **state)
{
	struct made d;

	(void)state;
	make_all(&d, false);
	assert_text(&d,
		"> IPCTNL_MSG_CT_GET length 120 flags REQUEST|DUMP seq 7 portid 16909060 family 2 (IPV4)\n"
		"  CTA_FILTER\n"
		"    CTA_FILTER_ORIG_FLAGS 0xb (IP_SRC|IP_DST|PROTO_NUM)\n"
		"    CTA_FILTER_REPLY_FLAGS 0x830 (PROTO_SRC_PORT|PROTO_DST_PORT|PROTO_ICMPV6_ID)\n"
		"  CTA_LABELS words 01020301 01020302 01020303 01020304\n"
		"  type 99 nested\n"
		"    type 1 4 bytes 01020304\n"
		"    type 2 nested\n"
		"      type 3 2 bytes 0506\n"
		"  type 98 4 bytes 01020304\n"
		"  type 97 16 bytes 30313233 34353637 38396162 63646566\n"
		"  CTA_MARK 0x2a\n"
		"> NLMSG_ERROR length 160 flags ACK_TLVS seq 8 portid 16909060 error -22 (EINVAL)\n"
		"  of NFT_MSG_NEWRULE length 60 flags REQUEST|ACK|CREATE|APPEND seq 8 portid 16909060"
		" family 2 (IPV4)\n"
		"    NFTA_RULE_TABLE \"t\"\n"
		"    NFTA_RULE_EXPRESSIONS\n"
		"      NFTA_LIST_ELEM\n"
		"        NFTA_EXPR_NAME \"meta\"\n"
		"        NFTA_EXPR_DATA\n"
		"          NFTA_META_KEY 16 (L4PROTO)\n"
		"  NLMSGERR_ATTR_MSG \"no\"\n"
		"  NLMSGERR_ATTR_OFFS 36\n"
		"  NLMSGERR_ATTR_COOKIE 8 bytes 01020304 05060708\n"
		"  NLMSGERR_ATTR_POLICY\n"
		"    NL_POLICY_TYPE_ATTR_TYPE 9 (S64)\n"
		"    NL_POLICY_TYPE_ATTR_MIN_VALUE_S -2\n"
		"    NL_POLICY_TYPE_ATTR_MASK 0xff00\n"
		"  NLMSGERR_ATTR_MISS_TYPE 2\n"
		"  NLMSGERR_ATTR_MISS_NEST 20\n"
		"> NLMSG_DONE length 28 flags MULTI|ACK_TLVS seq 9 portid 16909060 error -4 (EINTR)\n"
		"  NLMSGERR_ATTR_MSG \"why\"\n");
}

/* What is malformed */

static void begin(struct made *d)
{
	memset(d, 0, sizeof(*d));
}

/* A whole message, to see that the walk goes on. */
static void put_get(struct made *d)
{
	put_nlmsghdr(d, 20, 0x0901, 1, 2);
	put_nfgenmsg(d, 0, 0);
}
#define GET_TEXT "> NFNL_MSG_CTHELPER_GET length 20 flags REQUEST seq 2 portid 16909060" \
		 " family 0 (UNSPEC)\n"

static void a_message_too_short_for_its_nfgenmsg_is_told_and_passed(void **state)
{
	struct made d;

	(void)state;
	begin(&d);
	put_nlmsghdr(&d, 18, 0x0900, 5, 1);
	put(&d, "\0\0\0\0", 4);
	put_get(&d);
	assert_text(&d,
		"> NFNL_MSG_CTHELPER_NEW length 18 flags REQUEST|ACK seq 1 portid 16909060 "
		"malformed at byte 0: too short for its nfgenmsg\n" GET_TEXT);
}

static void a_malformed_attribute_ends_its_level_and_no_more(void **state)
{
	struct made d;

	(void)state;
	begin(&d);
	put_nlmsghdr(&d, 48, 0x0900, 1, 1);
	put_nfgenmsg(&d, 0, 0);
	put_attr(&d, 2, 12);
	put_be_attr(&d, 2, 6, 1);
	put_host(&d, 3, 2); /* a length below its header's */
	put_host(&d, 1, 2);
	put_be_attr(&d, 6, 1, 4);
	put_host(&d, 0, 4); /* and one of nothing */
	put_get(&d);
	assert_text(&d,
		"> NFNL_MSG_CTHELPER_NEW length 48 flags REQUEST seq 1 portid 16909060 family 0 (UNSPEC)\n"
		"  NFCTH_TUPLE\n"
		"    NFCTH_TUPLE_L4PROTONUM 6 (tcp)\n"
		"    malformed at byte 32: attribute of type 1 says it has 3 bytes, and there are 4\n"
		"  NFCTH_STATUS 1 (ENABLED)\n"
		"  malformed at byte 44: attribute of type 0 says it has 0 bytes, and there are 4\n"
		GET_TEXT);
}

static void a_message_longer_than_the_datagram_is_shown_as_far_as_it_is_there(void **state)
{
	struct made d;

	(void)state;
	begin(&d);
	put_get(&d);
	put_nlmsghdr(&d, 100, 0x0900, 1, 1);
	put_nfgenmsg(&d, 0, 0);
	put_text_attr(&d, 1, "ftp");
	put_attr(&d, 3, 4);
	put(&d, "\0", 2);
	assert_text(&d, GET_TEXT
		"> NFNL_MSG_CTHELPER_NEW length 100 flags REQUEST seq 1 portid 16909060 family 0 (UNSPEC) "
		"malformed at byte 20: it says it has 100 bytes, and there are 34\n"
		"  NFCTH_NAME \"ftp\"\n"
		"  malformed at byte 48: attribute of type 3 says it has 8 bytes, and there are 6\n");
}

static void bytes_that_are_no_message_are_told(void **state)
{
	struct made d;

	(void)state;
	begin(&d);
	put_get(&d);
	put(&d, "abc", 3);
	assert_text(&d, GET_TEXT "> malformed at byte 20: 3 bytes left over, too few for a message\n");

	begin(&d);
	put_nlmsghdr(&d, 15, 0x0900, 1, 1);
	put_get(&d);
	assert_text(&d, "> malformed at byte 0: a message of type 2304 says it has 15 bytes, "
			"less than its header\n");
}

static void values_of_a_wrong_size_are_shown_as_bytes(void **state)
{
	struct made d;

	(void)state;
	begin(&d);
	put_nlmsghdr(&d, 0, 0x0902, 1, 1);
	put_nfgenmsg(&d, 0, 0);
	put_attr(&d, 1, 3);
	put(&d, "ftp", 3);
	pad(&d);
	put_attr(&d, 1, 8);
	put(&d, "ftp\0\0\0\0\0", 8);
	put_attr(&d, 1, 8);
	put(&d, "a\"\0\x01\\\0x\0", 8);
	put_be_attr(&d, 3, 7, 2);
	put_be_attr(&d, 6, 1, 8);
	put_attr(&d, 2, 0);
	end_message(&d, 0);
	assert_text(&d,
		"> NFNL_MSG_CTHELPER_DEL length 76 flags REQUEST seq 1 portid 16909060 family 0 (UNSPEC)\n"
		"  NFCTH_NAME \"ftp\" malformed at byte 20: no NUL at its end\n"
		"  NFCTH_NAME \"ftp\" bytes 8\n"
		"  NFCTH_NAME \"a\\\"\\x00\\x01\\\\\\x00x\\x00\"\n"
		"  NFCTH_QUEUE_NUM 2 bytes 0007 malformed at byte 52: 2 bytes where 4 should be\n"
		"  NFCTH_STATUS 8 bytes 00000000 00000001 malformed at byte 60: 8 bytes where 4 should be\n"
		"  NFCTH_TUPLE empty\n");
}

static void errors_too_short_are_told(void **state)
{
	struct made d;

	(void)state;
	begin(&d);
	put_nlmsghdr(&d, 24, NLMSG_ERROR, 0, 1);
	put_host(&d, 0, 8);
	put_nlmsghdr(&d, 18, NLMSG_DONE, 2, 1);
	put(&d, "\0\0\0\0", 4);
	put_nlmsghdr(&d, 16, NLMSG_OVERRUN, 0, 1);
	assert_text(&d,
		"> NLMSG_ERROR length 24 flags 0 seq 1 portid 16909060 malformed at byte 16: "
		"8 bytes, too few for an error and the header that it answers\n"
		"> NLMSG_DONE length 18 flags MULTI seq 1 portid 16909060 malformed at byte 40: "
		"2 bytes, too few for an error\n"
		"> NLMSG_OVERRUN length 16 flags 0 seq 1 portid 16909060\n");
}

static void nests_are_followed_to_a_bound(void **state)
{
	struct made host, foreign;
	char *text;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct made *d = i ? &foreign : &host;

		begin(d);
		d->foreign = i;
		put_nlmsghdr(d, 20 + 4 * 300, 0x0100, 1, 1);
		put_nfgenmsg(d, 0, 0);
		for (size_t n = 300; n-- > 0;) {
			/* Deeper than the bound, the bytes cannot be known and stay as they are. */
			d->foreign = i && n >= 300 - SCHEMA_DEPTH - 1;
			put_attr(d, 99 | NESTED, 4 * n);
		}
	}
	swap_datagram(foreign.b, foreign.n, true);
	assert_bytes(cth_span(foreign.b, foreign.n), host.b, host.n);
	text = text_of(&host, true);
	assert_non_null(strstr(text, "type 99 nested 1132 bytes "));
	assert_non_null(strstr(text, "nests 17 deep are not followed"));
	free(text);
}

static void what_the_schema_does_not_know_has_its_number(void **state)
{
	struct made d;

	(void)state;
	begin(&d);
	put_nlmsghdr(&d, 20, 0x0905, 0x0f01, 1);
	put_nfgenmsg(&d, 0, 0);
	put_nlmsghdr(&d, 20, 0x3007, 0x0f41, 1);
	put_nfgenmsg(&d, 99, 513);
	put_nlmsghdr(&d, 20, 8, 0, 1);
	put(&d, "abcd", 4);
	assert_text(&d,
		"> CTHELPER message 5 length 20 flags REQUEST|0xf00 seq 1 portid 16909060 family 0 (UNSPEC)\n"
		"> subsystem 48 message 7 length 20 flags REQUEST|0xf40 seq 1 portid 16909060 family 99"
		" res_id 513\n"
		"> NLMSG type 8 length 20 flags 0 seq 1 portid 16909060 4 bytes 61626364\n");
}

static void a_verdict_is_told_by_its_low_byte_and_its_high_bits(void **state)
{
	static const struct {
		uint32_t word;
		const char *text;
	} cases[] = {
		{ 0, "0x0 (DROP)" },
		{ 1, "0x1 (ACCEPT)" },
		{ 0x00050003, "0x50003 (QUEUE 5)" },
		{ 0x00058003, "0x58003 (QUEUE 5 bypass)" },
		{ 0x00054003, "0x54003 (QUEUE, high bits 0x540)" },
		{ 0x00010001, "0x10001 (ACCEPT, high bits 0x100)" },
		{ 9, "0x9 (unknown)" },
	};
	struct made d;
	char *text;

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		begin(&d);
		put_nlmsghdr(&d, 32, 0x0301, 1, 1);
		put_nfgenmsg(&d, 0, 7);
		put_attr(&d, 2, 8);
		put_be(&d, cases[i].word, 4);
		put_be(&d, 1234, 4);
		text = text_of(&d, true);
		assert_non_null(strstr(text, "queue 7\n  NFQA_VERDICT_HDR verdict "));
		assert_non_null(strstr(text, cases[i].text));
		assert_non_null(strstr(text, ") id 1234\n"));
		free(text);
	}
}

static void upper_flags_mean_what_the_verb_makes_of_them(void **state)
{
	static const struct {
		uint16_t type, flags;
		const char *text;
	} cases[] = {
		{ 0x0900, 0x0705, "flags REQUEST|ACK|REPLACE|EXCL|CREATE seq" },
		{ 0x0901, 0x0301, "flags REQUEST|DUMP seq" },
		{ 0x0901, 0x0201, "flags REQUEST|MATCH seq" },
		{ 0x0902, 0x0301, "flags REQUEST|NONREC|BULK seq" },
		{ 0x0900, 0x0032, "flags MULTI|DUMP_INTR|DUMP_FILTERED seq" },
		{ NLMSG_DONE, 0x0202, "flags MULTI|ACK_TLVS seq" },
	};
	struct made d;
	char *text;

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		begin(&d);
		put_nlmsghdr(&d, 20, cases[i].type, cases[i].flags, 1);
		put_nfgenmsg(&d, 0, 0);
		text = text_of(&d, true);
		if (!strstr(text, cases[i].text))
			fail_msg("%s, should have: %s", text, cases[i].text);
		free(text);
	}
}

static void expectation_statistics_come_under_conntracks_number(void **state)
{
	struct made d;

	(void)state;
	begin(&d);
	put_nlmsghdr(&d, 28, 0x0103, 2, 1);
	put_nfgenmsg(&d, 0, 0);
	put_be_attr(&d, 1, 5, 4);
	put_nlmsghdr(&d, 20, 0x0103, 0x301, 1);
	put_nfgenmsg(&d, 2, 0);
	assert_text(&d,
		"> IPCTNL_MSG_EXP_GET_STATS_CPU length 28 flags MULTI seq 1 portid 16909060 family 0"
		" (UNSPEC)\n"
		"  CTA_STATS_EXP_NEW 5\n"
		"> IPCTNL_MSG_CT_GET_CTRZERO length 20 flags REQUEST|DUMP seq 1 portid 16909060 family 2"
		" (IPV4)\n");
}

static void nothing_that_attach_sends_is_unknown(void **state)
{
	static uint8_t room[CTH_ATTACH_ROOM(2)];
	const struct cth_ports ports[] = { { 21, 21 }, { 2121, 2130 } };
	const struct cth_attach a = {
		.helper = "ftp", .l4 = 6, .ipv4 = true, .ipv6 = true, .ports = ports, .n = 2,
	};
	struct made d = { .n = 0 };
	struct cth_msg m;
	char *text;

	(void)state;
	cth_msg_init(&m, room, sizeof(room));
	assert_int_equal(cth_attach_put(&m, 1, &a), 0);
	for (struct cth_span left = cth_msg_bytes(&m); left.n;) {
		struct cth_nlmsg one;

		assert_int_equal(cth_nlmsg_next(&left, &one), 1);
		d.n = 0;
		put(&d, one.whole.p, one.whole.n);
		text = text_of(&d, true);
		if (strstr(text, " type ") || strstr(text, "message ") || strstr(text, "malformed"))
			fail_msg("%s", text);
		free(text);
	}
}

/* Everything that a file may do to a datagram: nothing may be read behind its end. */

#define ROOM 1024
struct probe {
	FILE *null;
	uint8_t *room; /* ROOM bytes before a forbidden page */
	size_t skip, n;
};

static struct probe begin_probe(void)
{
	static const uint8_t zeros[ROOM];
	struct probe probe = { .null = fopen("/dev/null", "w"), .room = guarded(zeros, ROOM) };

	assert_non_null(probe.null);
	return probe;
}

static void end_probe(struct probe *probe)
{
	fclose(probe->null);
	free_guarded(probe->room, ROOM);
}

/* There and back is the same. */
static void decode_and_turn(struct cth_span bytes, void *ctx)
{
	struct probe *probe = ctx;
	uint8_t *p = probe->room + ROOM - bytes.n;

	decode_datagram(probe->null, bytes, true);
	memcpy(p, bytes.p, bytes.n);
	swap_datagram(p, bytes.n, false);
	swap_datagram(p, bytes.n, true);
	assert_bytes(cth_span(p, bytes.n), bytes.p, bytes.n);
}

/* The first frames of a recording that are of moderate length. */
static void truncate_frame(struct cth_span datagram, bool to_kernel, void *ctx)
{
	struct probe *probe = ctx;

	(void)to_kernel;
	if (probe->n == 0 || datagram.n > 600)
		return;
	probe->n--;
	every_truncation(datagram, decode_and_turn, probe);
}

static void spoil_frame(struct cth_span datagram, bool to_kernel, void *ctx)
{
	struct probe *probe = ctx;

	(void)to_kernel;
	if (probe->n == 0 || (probe->skip && probe->skip--))
		return;
	probe->n--;
	every_byte_value(datagram, decode_and_turn, probe);
}

static void no_truncation_of_a_datagram_reads_behind_its_end(void **state)
{
	static const char *const names[] = {
		"cthelper-errors", "conntrackd-tftp-v4v6", "nft-ct-helper-ftp", "queue-bridge-vlan",
		"queue-config-verdict-errors", "dump-helpers-ct-expect",
	};
	struct probe probe = begin_probe();

	(void)state;
	for (size_t i = 0; i < N_OF(names); i++) {
		probe.n = 20;
		each_datagram(names[i], truncate_frame, &probe);
	}
	end_probe(&probe);
}

static void no_byte_value_in_a_datagram_reads_behind_its_end(void **state)
{
	static const struct {
		const char *name;
		size_t skip;
	} frames[] = {
		{ "conntrackd-tftp-v4v6", 0 }, /* a packet with its flow */
		{ "cthelper-errors", 108 },    /* a refused registration, with extended ACK */
	};
	struct probe probe = begin_probe();

	(void)state;
	for (size_t i = 0; i < N_OF(frames); i++) {
		probe.skip = frames[i].skip;
		probe.n = 1;
		each_datagram(frames[i].name, spoil_frame, &probe);
		assert_int_equal(probe.n, 0);
	}
	end_probe(&probe);
}

static void json_has_the_same_and_is_a_line_for_each_message(void **state)
{
	struct made d;
	char *text;

	(void)state;
	begin(&d);
	put_nlmsghdr(&d, 0, 0x0902, 1, 1);
	put_nfgenmsg(&d, 0, 0);
	put_text_attr(&d, 1, "a\"b");
	put_attr(&d, 2, 8);
	put_be_attr(&d, 1, 2, 2);
	put_attr(&d, 6, 1);
	put(&d, "\1", 1);
	end_message(&d, 0);
	pad(&d);
	put_get(&d);
	common.json = true;
	text = text_of(&d, true);
	common.json = false;
	assert_string_equal(text,
		"{\"message\":\"NFNL_MSG_CTHELPER_DEL\",\"to_kernel\":true,\"type\":2306,\"length\":45,"
		"\"flags\":\"REQUEST\",\"seq\":1,\"portid\":16909060,\"family\":0,\"family_meaning\":"
		"\"UNSPEC\",\"attrs\":["
		"{\"attr\":\"NFCTH_NAME\",\"type\":1,\"value\":\"a\\\"b\"},"
		"{\"attr\":\"NFCTH_TUPLE\",\"type\":2,\"attrs\":[{\"attr\":\"NFCTH_TUPLE_L3PROTONUM\","
		"\"type\":1,\"value\":2,\"meaning\":\"inet\"}]},"
		"{\"attr\":\"NFCTH_STATUS\",\"type\":6,\"bytes\":1,\"hex\":\"01\",\"malformed\":"
		"\"1 byte where 4 should be\",\"offset\":40}]}\n"
		"{\"message\":\"NFNL_MSG_CTHELPER_GET\",\"to_kernel\":true,\"type\":2305,\"length\":20,"
		"\"flags\":\"REQUEST\",\"seq\":2,\"portid\":16909060,\"family\":0,\"family_meaning\":"
		"\"UNSPEC\",\"attrs\":[]}\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_recording_decodes_to_its_golden_text),
		cmocka_unit_test(machines_of_both_byte_orders_have_recorded),
		cmocka_unit_test(a_recording_of_the_other_byte_order_gives_the_same_text),
		cmocka_unit_test(every_field_of_the_hosts_order_is_turned),
		cmocka_unit_test(extended_acks_and_unknown_attributes_are_shown),
		cmocka_unit_test(a_message_too_short_for_its_nfgenmsg_is_told_and_passed),
		cmocka_unit_test(a_malformed_attribute_ends_its_level_and_no_more),
		cmocka_unit_test(a_message_longer_than_the_datagram_is_shown_as_far_as_it_is_there),
		cmocka_unit_test(bytes_that_are_no_message_are_told),
		cmocka_unit_test(values_of_a_wrong_size_are_shown_as_bytes),
		cmocka_unit_test(errors_too_short_are_told),
		cmocka_unit_test(nests_are_followed_to_a_bound),
		cmocka_unit_test(what_the_schema_does_not_know_has_its_number),
		cmocka_unit_test(a_verdict_is_told_by_its_low_byte_and_its_high_bits),
		cmocka_unit_test(upper_flags_mean_what_the_verb_makes_of_them),
		cmocka_unit_test(expectation_statistics_come_under_conntracks_number),
		cmocka_unit_test(nothing_that_attach_sends_is_unknown),
		cmocka_unit_test(no_truncation_of_a_datagram_reads_behind_its_end),
		cmocka_unit_test(no_byte_value_in_a_datagram_reads_behind_its_end),
		cmocka_unit_test(json_has_the_same_and_is_a_line_for_each_message),
	};

	return RUN(tests);
}
