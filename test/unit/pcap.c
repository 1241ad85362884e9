/* SPDX-License-Identifier: MIT */
/* pcap.c - recordings, written and read, in both byte orders. */
#include "unit.h"
#include "../../netlink/pcap.h"

static uint8_t file[4096];

/* Two frames: a request of 20 bytes, an answer of 36 of which the capture kept 21. */
static size_t write_file(void)
{
	struct cth_pcap_frame f = {
		.sec = 0xf0000001, .nsec = 123456789, .to_kernel = true, .family = 12, .full = 20,
		.bytes = cth_span("0123456789abcdefghij", 20),
	};
	size_t n = CTH_PCAP_FILE_HEADER;

	cth_pcap_file_header(file);
	cth_pcap_frame_header(file + n, &f);
	n += CTH_PCAP_FRAME_HEADER;
	memcpy(file + n, f.bytes.p, f.bytes.n);
	n += f.bytes.n;

	f.to_kernel = false;
	f.full = 36;
	f.bytes = cth_span("ABCDEFGHIJKLMNOPQRSTU", 21);
	cth_pcap_frame_header(file + n, &f);
	n += CTH_PCAP_FRAME_HEADER;
	memcpy(file + n, f.bytes.p, f.bytes.n);
	return n + f.bytes.n;
}

static void swap32(uint8_t *p)
{
	uint8_t t[4] = { p[3], p[2], p[1], p[0] };

	memcpy(p, t, 4);
}

/* The same file as a machine of the other byte order writes it. */
static void make_foreign(void)
{
	uint8_t t = file[4];
	size_t at = CTH_PCAP_FILE_HEADER;
	const size_t stored[2] = { 36, 37 };

	swap32(file);
	file[4] = file[5];
	file[5] = t;
	t = file[6];
	file[6] = file[7];
	file[7] = t;
	for (size_t i = 8; i < CTH_PCAP_FILE_HEADER; i += 4)
		swap32(file + i);
	for (size_t f = 0; f < 2; f++) {
		for (size_t i = 0; i < 16; i += 4)
			swap32(file + at + i);
		at += 16 + stored[f];
	}
}

static void check_frames(size_t n, bool foreign)
{
	struct cth_pcap p;
	struct cth_pcap_frame f;

	assert_int_equal(cth_pcap_open(&p, cth_span(file, n)), 0);
	assert_int_equal(p.foreign, foreign);
	assert_int_equal(cth_pcap_next(&p, &f), 1);
	assert_int_equal(f.sec, 0xf0000001);
	assert_int_equal(f.nsec, 123456789);
	assert_true(f.to_kernel);
	assert_int_equal(f.family, 12);
	assert_int_equal(f.full, 20);
	assert_bytes(f.bytes, "0123456789abcdefghij", 20);
	assert_int_equal(cth_pcap_next(&p, &f), 1);
	assert_false(f.to_kernel);
	assert_int_equal(f.full, 36);
	assert_bytes(f.bytes, "ABCDEFGHIJKLMNOPQRSTU", 21);
	assert_int_equal(cth_pcap_next(&p, &f), 0);
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	check_frames(write_file(), false);
}

static void what_a_foreign_machine_wrote_is_read(void **state)
{
	size_t n = write_file();

	(void)state;
	make_foreign();
	check_frames(n, true);
}

/* Wireshark and tcpdump go by these bytes. */
static void the_headers_are_the_formats(void **state)
{
	uint8_t should[CTH_PCAP_FILE_HEADER] = { 0 };

	(void)state;
	write_file();
	cth_store_host32(should, 0xa1b23c4d);
	cth_store_host16(should + 4, 2);
	cth_store_host16(should + 6, 4);
	cth_store_host32(should + 16, 262144);
	cth_store_host32(should + 20, 253);
	assert_bytes(cth_span(file, CTH_PCAP_FILE_HEADER), should, sizeof(should));
	assert_bytes(cth_span(file + 40, 16), "\0\7\3\70\0\0\0\0\0\0\0\0\0\0\0\14", 16);
}

static void read_all(struct cth_span bytes, void *ctx)
{
	struct cth_pcap p;
	struct cth_pcap_frame f;
	size_t sum = 0;
	int r;

	(void)ctx;
	if (cth_pcap_open(&p, bytes) < 0)
		return;
	while ((r = cth_pcap_next(&p, &f)) > 0)
		for (size_t i = 0; i < f.bytes.n; i++)
			sum += f.bytes.p[i];
	assert_true(r == 0 || r == -EBADMSG);
	assert_true(sum <= bytes.n * 255);
}

static void no_truncation_reads_past_the_end(void **state)
{
	size_t n = write_file();

	(void)state;
	every_truncation(cth_span(file, n), read_all, NULL);
	make_foreign();
	every_truncation(cth_span(file, n), read_all, NULL);
}

static void no_byte_value_reads_past_the_end(void **state)
{
	size_t n = write_file();

	(void)state;
	every_byte_value(cth_span(file, n), read_all, NULL);
}

static void a_file_cut_short_gives_what_is_whole_and_says_so(void **state)
{
	size_t n = write_file();
	struct cth_pcap p;
	struct cth_pcap_frame f;

	(void)state;
	assert_int_equal(cth_pcap_open(&p, cth_span(file, n - 1)), 0);
	assert_int_equal(cth_pcap_next(&p, &f), 1);
	assert_int_equal(cth_pcap_next(&p, &f), -EBADMSG);
	assert_int_equal(cth_pcap_next(&p, &f), -EBADMSG);
}

static void other_files_are_refused(void **state)
{
	struct cth_pcap p;
	size_t n = write_file();

	(void)state;
	assert_int_equal(cth_pcap_open(&p, cth_span(file, 0)), -EBADMSG);
	assert_int_equal(cth_pcap_open(&p, cth_span("\x0a\x0d\x0d\x0a pcapng, and some more", 26)), -EBADMSG);
	cth_store_host32(file + 20, 1); /* Ethernet */
	assert_int_equal(cth_pcap_open(&p, cth_span(file, n)), -EPROTONOSUPPORT);
	cth_store_host32(file + 20, 253);
	cth_store_host16(file + 4, 3);
	assert_int_equal(cth_pcap_open(&p, cth_span(file, n)), -EBADMSG);
}

/* tcpdump's microseconds and its packet type 4: the request flag tells the direction. */
static void the_direction_of_tcpdumps_frames_is_inferred(void **state)
{
	size_t n = write_file();
	struct cth_pcap p;
	struct cth_pcap_frame f;

	(void)state;
	cth_store_host32(file, 0xa1b2c3d4);
	cth_store_host32(file + 28, 123456);
	cth_store_be16(file + 40, 4);
	memset(file + 56, 0, 20);
	for (uint16_t flags = 0; flags < 4; flags++) {
		cth_store_host16(file + 56 + 6, flags);
		assert_int_equal(cth_pcap_open(&p, cth_span(file, n)), 0);
		assert_int_equal(cth_pcap_next(&p, &f), 1);
		assert_int_equal(f.to_kernel, (flags & 1) != 0);
		assert_int_equal(f.nsec, 123456000);
	}
	cth_store_host32(file + 28, 1000000); /* no microsecond, but no reason to overflow */
	assert_int_equal(cth_pcap_open(&p, cth_span(file, n)), 0);
	assert_int_equal(cth_pcap_next(&p, &f), 1);
	assert_int_equal(f.nsec, 999999999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_a_foreign_machine_wrote_is_read),
		cmocka_unit_test(the_headers_are_the_formats),
		cmocka_unit_test(no_truncation_reads_past_the_end),
		cmocka_unit_test(no_byte_value_reads_past_the_end),
		cmocka_unit_test(a_file_cut_short_gives_what_is_whole_and_says_so),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(the_direction_of_tcpdumps_frames_is_inferred),
	};

	return RUN(tests);
}
