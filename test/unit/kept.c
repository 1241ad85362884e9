/* SPDX-License-Identifier: MIT */
/*
 * Packets that are kept for a report: in the file there are whole ones and no others, whatever
 * became of the disk, or of whoever was about to write.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../../netlink/pcap.h"
#include "../../tools/kept.h"
#include "unit.h" /* last: cmocka has a fail() too */

#define HEADER CTH_PCAP_FILE_HEADER
#define FRAME  (CTH_PCAP_FRAME_HEADER + sizeof(packet))

static const uint8_t packet[200] = "a packet that nobody survives";
static char path[] = "/tmp/kept-XXXXXX";
static struct kept kept;

static int begin(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/kept-XXXXXX");
	fd = mkstemp(path);
	memset(&kept, 0, sizeof(kept));
	return fd < 0 ? -1 : close(fd);
}

static int end(void **state)
{
	(void)state;
	return unlink(path);
}

static int add(void)
{
	return kept_add(&kept, (struct cth_span){ packet, sizeof(packet) });
}

static size_t size(void)
{
	struct stat s;

	assert_int_equal(stat(path, &s), 0);
	return (size_t)s.st_size;
}

/* How many are in the file, which ends behind the last one. */
static size_t whole(void)
{
	static uint8_t bytes[65536];
	struct cth_pcap_frame frame;
	struct cth_pcap pcap;
	int fd = open(path, O_RDONLY), r;
	ssize_t n = read(fd, bytes, sizeof(bytes));
	size_t frames = 0;

	assert_true(n >= 0);
	close(fd);
	assert_int_equal(cth_pcap_open(&pcap, (struct cth_span){ bytes, (size_t)n }), 0);
	while ((r = cth_pcap_next(&pcap, &frame)) == 1) {
		assert_int_equal(frame.bytes.n, sizeof(packet));
		assert_memory_equal(frame.bytes.p, packet, sizeof(packet));
		frames++;
	}
	assert_int_equal(r, 0);
	return frames;
}

static void write_file(const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

/* A disk that has room for so much: what goes beyond is written in part, and then not at all. */
static void have_room(size_t n)
{
	struct rlimit limit = { n, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void have_all_room(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void each_opening_adds(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(kept_open_file(&kept, path), 0);
		assert_int_equal(whole(), 2 * i);
		assert_int_equal(add(), 0);
		assert_int_equal(add(), 0);
		assert_int_equal(whole(), 2 * i + 2);
		close(kept.fd);
	}
}

static void root_alone_reads_it(void **state)
{
	struct stat s;

	(void)state;
	unlink(path);
	assert_int_equal(kept_open_file(&kept, path), 0);
	close(kept.fd);
	assert_int_equal(stat(path, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0600);
}

static void of_a_packet_that_finds_no_room_nothing_is_left(void **state)
{
	(void)state;
	assert_int_equal(kept_open_file(&kept, path), 0);
	assert_int_equal(add(), 0);
	for (size_t more = 0; more < FRAME; more++) {
		have_room(HEADER + FRAME + more);
		assert_true(add() < 0);
		assert_int_equal(size(), HEADER + FRAME);
	}
	have_all_room();
	assert_int_equal(add(), 0);
	assert_int_equal(whole(), 2);
	close(kept.fd);
}

static void a_file_without_room_for_its_header_is_begun_later(void **state)
{
	(void)state;
	have_room(HEADER / 2);
	assert_int_equal(kept_open_file(&kept, path), -ENOSPC);
	have_all_room();
	assert_int_equal(size(), 0);
	assert_int_equal(kept_open_file(&kept, path), 0);
	assert_int_equal(whole(), 0);
	close(kept.fd);
}

static void what_died_in_the_middle_of_a_packet_is_cut_off(void **state)
{
	(void)state;
	for (size_t part = 1; part < FRAME; part++) {
		assert_int_equal(truncate(path, 0), 0);
		assert_int_equal(kept_open_file(&kept, path), 0);
		assert_int_equal(add(), 0);
		assert_int_equal(add(), 0);
		close(kept.fd);
		assert_int_equal(truncate(path, (off_t)(HEADER + FRAME + part)), 0);
		assert_int_equal(kept_open_file(&kept, path), part);
		assert_int_equal(whole(), 1);
		assert_int_equal(add(), 0);
		assert_int_equal(whole(), 2);
		close(kept.fd);
	}
}

static void what_died_in_the_middle_of_the_header_is_begun_again(void **state)
{
	uint8_t header[CTH_PCAP_FILE_HEADER];

	(void)state;
	cth_pcap_file_header(header);
	for (size_t part = 1; part < sizeof(header); part++) {
		write_file(header, part);
		assert_int_equal(kept_open_file(&kept, path), part);
		assert_int_equal(add(), 0);
		assert_int_equal(whole(), 1);
		close(kept.fd);
	}
}

static void another_file_is_left_alone(void **state)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/bash";
	uint8_t micro[CTH_PCAP_FILE_HEADER];

	(void)state;
	for (size_t n = 1; n <= sizeof(text); n++) {
		write_file(text, n);
		assert_int_equal(kept_open_file(&kept, path), -EBADMSG);
		assert_int_equal(kept.fd, -1);
		assert_int_equal(size(), n);
	}
	cth_pcap_file_header(micro);
	cth_store_host32(micro, 0xa1b2c3d4u); /* its times would be read wrongly */
	write_file(micro, sizeof(micro));
	assert_int_equal(kept_open_file(&kept, path), -EBADMSG);
}

static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	assert_int_equal(kept_open_file(&kept, "/nowhere/kept"), -ENOENT);
	assert_int_equal(kept_open_file(&kept, "/tmp"), -EISDIR);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(kept_open_file(&kept, path), -ESPIPE);
}

static void a_file_that_is_emptied_meanwhile_is_begun_again(void **state)
{
	(void)state;
	assert_int_equal(kept_open_file(&kept, path), 0);
	assert_int_equal(add(), 0);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(add(), 0);
	assert_int_equal(whole(), 1);
	close(kept.fd);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_opening_adds),
		T(root_alone_reads_it),
		T(of_a_packet_that_finds_no_room_nothing_is_left),
		T(a_file_without_room_for_its_header_is_begun_later),
		T(what_died_in_the_middle_of_a_packet_is_cut_off),
		T(what_died_in_the_middle_of_the_header_is_begun_again),
		T(another_file_is_left_alone),
		T(what_is_no_file_is_refused),
		T(a_file_that_is_emptied_meanwhile_is_begun_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
