/* SPDX-License-Identifier: MIT */
/*
 * Packets that are kept for a report: each in a file of its own, whole or not at all, whatever
 * became of the disk, or of whoever was about to write.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../../netlink/pcap.h"
#include "../../tools/kept.h"
#include "unit.h" /* last: cmocka has a fail() too */

static const uint8_t packet[200] = "a packet that nobody survives";
#define WHOLE (CTH_PCAP_FILE_HEADER + CTH_PCAP_FRAME_HEADER + sizeof(packet))

static char folder[] = "/tmp/kept-XXXXXX";

static const char *file(unsigned number)
{
	return phrase("%s/packet-%02u.pcap", folder, number);
}

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/kept-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= KEPT_MOST; i++)
		if (unlink(file(i)) < 0)
			(void)rmdir(file(i));
	return rmdir(folder);
}

static int keep(void)
{
	int fd = kept_new(folder), r;

	if (fd < 0)
		return fd;
	r = kept_write(fd, (struct cth_span){ packet, sizeof(packet) });
	close(fd);
	return r;
}

static size_t size(unsigned number)
{
	struct stat s;

	assert_int_equal(stat(file(number), &s), 0);
	return (size_t)s.st_size;
}

static void make(unsigned number, const void *bytes, size_t n)
{
	int fd = open(file(number), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

/* A disk that has room for so much: what goes beyond is written in part, and then not at all. */
static void have_room(rlim_t n)
{
	struct rlimit limit = { n, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void assert_one_packet_in(unsigned number)
{
	uint8_t bytes[WHOLE];
	struct cth_pcap_frame frame;
	struct cth_pcap pcap;
	int fd = open(file(number), O_RDONLY);

	assert_int_equal(size(number), WHOLE);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), WHOLE);
	close(fd);
	assert_int_equal(cth_pcap_open(&pcap, (struct cth_span){ bytes, sizeof(bytes) }), 0);
	assert_int_equal(cth_pcap_next(&pcap, &frame), 1);
	assert_int_equal(frame.bytes.n, sizeof(packet));
	assert_memory_equal(frame.bytes.p, packet, sizeof(packet));
	assert_int_equal(cth_pcap_next(&pcap, &frame), 0);
}

static void each_packet_has_a_file_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(keep(), 0);
		assert_one_packet_in(i);
	}
	assert_int_equal(unlink(file(2)), 0);
	assert_int_equal(keep(), 0);
	assert_one_packet_in(2);
}

static void root_alone_reads_it(void **state)
{
	struct stat s;

	(void)state;
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(keep(), 0);
	assert_int_equal(stat(file(1), &s), 0);
	assert_int_equal(s.st_mode & 0777, 0600);
	assert_int_equal(stat(folder, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0700);
}

static void there_is_an_end_to_them(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= KEPT_MOST; i++)
		assert_int_equal(keep(), 0);
	assert_int_equal(keep(), -EEXIST);
	for (unsigned i = 1; i <= KEPT_MOST; i++)
		assert_one_packet_in(i);
	assert_int_equal(access(phrase("%s/packet-%u.pcap", folder, KEPT_MOST + 1), F_OK), -1);
	assert_int_equal(unlink(file(KEPT_MOST)), 0);
	assert_int_equal(keep(), 0);
}

static void of_a_packet_that_finds_no_room_nothing_is_left_and_its_file_is_used_again(void **state)
{
	(void)state;
	for (size_t room = 0; room < WHOLE; room++) {
		int r;

		have_room(room);
		r = keep();
		have_room(RLIM_INFINITY);
		assert_true(r < 0);
		assert_int_equal(size(1), 0);
	}
	assert_int_equal(keep(), 0);
	assert_one_packet_in(1);
}

static void what_is_there_is_left_as_it_is(void **state)
{
	(void)state;
	make(1, "x", 1);
	assert_int_equal(mkdir(file(2), 0700), 0);
	assert_int_equal(symlink("/dev/null", file(3)), 0);
	assert_int_equal(mkfifo(file(4), 0600), 0);
	make(5, "", 0);
	assert_int_equal(link(file(5), file(6)), 0);
	assert_int_equal(keep(), 0);
	assert_int_equal(size(1), 1);
	assert_int_equal(size(5), 0);
	assert_one_packet_in(7);
}

static void what_somebody_else_is_about_to_write_is_his(void **state)
{
	int fd = kept_new(folder);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(keep(), 0);
	assert_int_equal(size(1), 0);
	assert_one_packet_in(2);
	close(fd);
	assert_int_equal(keep(), 0);
	assert_one_packet_in(1);
}

static void a_folder_that_cannot_be_is_refused(void **state)
{
	(void)state;
	assert_int_equal(kept_new("/nowhere/at/all"), -ENOENT);
	assert_int_equal(kept_new("/dev/null"), -ENOTDIR);
	assert_int_equal(kept_new(phrase("/%0*d", 300, 0)), -ENAMETOOLONG);
}

static void the_folder_is_the_named_one_or_the_managers_or_the_usual_one(void **state)
{
	static char usual[] = "/var/lib/cth";
	struct conf c = { .packets = usual };

	(void)state;
	unsetenv("STATE_DIRECTORY");
	unsetenv("RUNTIME_DIRECTORY");
	assert_string_equal(kept_folder(&c), usual);
	setenv("RUNTIME_DIRECTORY", "/run/mine", 1);
	assert_string_equal(kept_folder(&c), "/run/mine");
	setenv("STATE_DIRECTORY", "/var/lib/mine:/var/lib/other", 1);
	assert_string_equal(kept_folder(&c), "/var/lib/mine");
	setenv("STATE_DIRECTORY", "", 1);
	assert_string_equal(kept_folder(&c), "/run/mine");
	c.at[CONF_PACKETS] = 7;
	assert_string_equal(kept_folder(&c), usual);
	c.packets = NULL;
	assert_null(kept_folder(&c));
	unsetenv("STATE_DIRECTORY");
	unsetenv("RUNTIME_DIRECTORY");
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_packet_has_a_file_of_its_own),
		T(root_alone_reads_it),
		T(there_is_an_end_to_them),
		T(of_a_packet_that_finds_no_room_nothing_is_left_and_its_file_is_used_again),
		T(what_is_there_is_left_as_it_is),
		T(what_somebody_else_is_about_to_write_is_his),
		T(a_folder_that_cannot_be_is_refused),
		cmocka_unit_test(the_folder_is_the_named_one_or_the_managers_or_the_usual_one),
	};

	return RUN(tests);
}
