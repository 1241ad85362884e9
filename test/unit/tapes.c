/* SPDX-License-Identifier: MIT */
/*
 * tapes.c - cth decode and cth replay as they are called: files that are no recordings or
 * end too early, options, exit codes, and the lines that replay prints.
 */
#include <dirent.h>
#include <unistd.h>
#include "../../tools/cth.h" /* before cmocka, which has a macro fail */
#include "unit.h"
#include "../../tools/decode.h"

extern const struct applet decode_applet, replay_applet;

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

static char *out_text, *err_text;

/* Runs an applet with stdout and stderr in memory: its exit code. */
static int run(const struct applet *a, int argc, const char *const *words)
{
	char out_path[] = "/tmp/cth-out-XXXXXX", err_path[] = "/tmp/cth-err-XXXXXX";
	int out = mkstemp(out_path), err = mkstemp(err_path), kept[2], status;
	char *argv[8], name[] = "cth";

	argv[0] = name;
	for (int i = 0; i < argc; i++)
		argv[1 + i] = (char *)(uintptr_t)words[i];
	argv[1 + argc] = NULL;
	fflush(stdout);
	fflush(stderr);
	kept[0] = dup(1);
	kept[1] = dup(2);
	dup2(out, 1);
	dup2(err, 2);
	optind = 0;
	status = a->main(a, argc + 1, argv);
	fflush(stdout);
	fflush(stderr);
	dup2(kept[0], 1);
	dup2(kept[1], 2);
	close(kept[0]);
	close(kept[1]);
	close(out);
	close(err);
	free(out_text);
	free(err_text);
	out_text = read_text(out_path);
	err_text = read_text(err_path);
	unlink(out_path);
	unlink(err_path);
	common.json = false;
	return status;
}

/* Decodes these bytes as a file. */
static int decode_file(const void *bytes, size_t n)
{
	char path[] = "/tmp/cth-pcap-XXXXXX";
	const char *words[] = { path };
	int fd = mkstemp(path), status;

	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	close(fd);
	status = run(&decode_applet, 1, words);
	unlink(path);
	return status;
}

static void assert_said(const char *text)
{
	if (!strstr(err_text, text))
		fail_msg("said: %s, should have: %s", err_text, text);
}

static void files_that_are_no_recording_are_refused_by_their_name(void **state)
{
	const uint8_t pcapng[32] = { 0x0a, 0x0d, 0x0d, 0x0a };
	const uint8_t gzip[32] = { 0x1f, 0x8b, 8 };
	struct recording r = recording("readme-demo");
	const char *nowhere[] = { "/nonexistent/x.pcap" }, *folder[] = { "/tmp" };

	(void)state;
	assert_int_equal(decode_file("", 0), CTH_EXIT_FAILURE);
	assert_said("the file is empty");
	assert_string_equal(out_text, "");
	assert_int_equal(decode_file("this is a text, and a long one", 30), CTH_EXIT_FAILURE);
	assert_said("EBADMSG: this is not a pcap file");
	assert_int_equal(decode_file(pcapng, sizeof(pcapng)), CTH_EXIT_FAILURE);
	assert_said("this is a pcapng file, and only pcap is read; convert it: tcpdump -r");
	assert_int_equal(decode_file(gzip, sizeof(gzip)), CTH_EXIT_FAILURE);
	assert_said("compressed; gunzip");
	cth_store_host32(r.bytes + 20, 1);
	assert_int_equal(decode_file(r.bytes, r.n), CTH_EXIT_FAILURE);
	assert_said("its link type is 1, and that of netlink is 253");
	cth_store_host32(r.bytes + 20, 253);
	swap_recording(r.bytes, r.n);
	assert_int_equal(decode_file(r.bytes, r.n), CTH_EXIT_OK);
	assert_int_equal(run(&decode_applet, 1, nowhere), CTH_EXIT_FAILURE);
	assert_said("read /nonexistent/x.pcap: ENOENT");
	assert_int_equal(run(&decode_applet, 1, folder), CTH_EXIT_FAILURE);
	assert_said("read /tmp: EISDIR");
	free_recording(&r);
}

static void a_recording_cut_short_is_shown_up_to_there_and_then_refused(void **state)
{
	struct recording r = recording("readme-demo");
	char *whole = read_text("test/recordings/readme-demo.txt"), *seventh = strstr(whole, "#7 ");
	size_t at = CTH_PCAP_FILE_HEADER;

	(void)state;
	for (int i = 0; i < 6; i++)
		at += 16 + cth_host32(r.bytes + at + 8);
	assert_non_null(seventh);
	for (size_t more = 1; more < 40; more += 19) {
		assert_int_equal(decode_file(r.bytes, at + more), CTH_EXIT_FAILURE);
		assert_int_equal(strlen(out_text), (size_t)(seventh - whole));
		assert_memory_equal(out_text, whole, (size_t)(seventh - whole));
		assert_said("cut short or spoilt at byte");
		assert_said("behind frame 6");
	}
	assert_int_equal(decode_file(r.bytes, at), CTH_EXIT_OK);
	assert_string_equal(err_text, "");
	free(whole);
	free_recording(&r);
}

static void a_frame_cut_by_the_capture_says_so(void **state)
{
	struct recording r = recording("dump-helpers-ct-expect");

	(void)state;
	cth_store_host32(r.bytes + CTH_PCAP_FILE_HEADER + 12,
			 cth_host32(r.bytes + CTH_PCAP_FILE_HEADER + 12) + 100);
	assert_int_equal(decode_file(r.bytes, r.n), CTH_EXIT_OK);
	assert_non_null(strstr(out_text,
		"#1 +0.000000 to kernel 120 bytes, of which the capture has 20\n"));
	free_recording(&r);
}

static void other_netlink_protocols_are_one_line(void **state)
{
	struct recording r = recording("dump-helpers-ct-expect");

	(void)state;
	cth_store_be16(r.bytes + CTH_PCAP_FILE_HEADER + 30, 0);
	assert_int_equal(decode_file(r.bytes, r.n), CTH_EXIT_OK);
	assert_non_null(strstr(out_text, "#1 +0.000000 to kernel 20 bytes of NETLINK_ROUTE\n#2 "));
	free_recording(&r);
}

static void as_many_bytes_are_shown_as_asked_for(void **state)
{
	static const char path[] = "test/recordings/readme-demo.pcap";
	const char *few[] = { "-x", "4", path }, *bad[] = { "-x", "few", path };
	const char *two[] = { path, path };

	(void)state;
	assert_int_equal(run(&decode_applet, 3, few), CTH_EXIT_OK);
	assert_non_null(strstr(out_text, "    data 60 bytes 4500003c ... 56 more\n"));
	assert_int_equal(run(&decode_applet, 3, bad), CTH_EXIT_USAGE);
	assert_int_equal(run(&decode_applet, 0, NULL), CTH_EXIT_USAGE);
	assert_int_equal(run(&decode_applet, 2, two), CTH_EXIT_USAGE);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void replay_prints_what_nfqnl_test_printed(void **state)
{
	const char *words[] = { "test/recordings/readme-demo.pcap" };

	(void)state;
	assert_int_equal(run(&replay_applet, 1, words), CTH_EXIT_OK);
	assert_int_equal(count(out_text, "pkt received\n"), 8);
	assert_ptr_equal(strstr(out_text,
		"pkt received\n"
		"hw_protocol=0x0800 hook=4 id=1 outdev=3 uid=0 gid=0 payload_len=60 \n"
		"entering callback\n"
		"pkt received\n"
		"hw_protocol=0x0800 hook=1 id=2 hw_src_addr=ca:0b:7e:97:1f:6d indev=3 uid=0 gid=0 "
		"payload_len=60 \n"
		"entering callback\n"), out_text);
	assert_said("68 frames: 8 packets, 0 malformed, 8 verdicts made and none sent");
}

static void replay_takes_one_queue_or_all(void **state)
{
	static const char path[] = "test/recordings/conntrackd-tftp-v4v6.pcap";
	const char *all[] = { path }, *one[] = { "-q", "3", path }, *none[] = { "-q", "9", path };
	const char *bad[] = { "-q", "65536", path };

	(void)state;
	assert_int_equal(run(&replay_applet, 1, all), CTH_EXIT_OK);
	assert_int_equal(count(out_text, "pkt received\n"), 2);
	assert_int_equal(run(&replay_applet, 3, one), CTH_EXIT_OK);
	assert_int_equal(count(out_text, "hw_protocol=0x86dd"), 1);
	assert_int_equal(count(out_text, "pkt received\n"), 1);
	assert_int_equal(run(&replay_applet, 3, none), CTH_EXIT_OK);
	assert_said(": 0 packets");
	assert_int_equal(run(&replay_applet, 3, bad), CTH_EXIT_USAGE);
}

static void replay_shows_description_flow_and_answer_when_asked(void **state)
{
	const char *words[] = { "-v", "-q", "2", "test/recordings/conntrackd-tftp-v4v6.pcap" };

	(void)state;
	assert_int_equal(run(&replay_applet, 4, words), CTH_EXIT_OK);
	assert_ptr_equal(strstr(out_text, "< NFQNL_MSG_PACKET length 274 "), out_text);
	assert_non_null(strstr(out_text, "\nflow udp 10.0.1.2:35704 -> 10.0.2.2:69 "));
	assert_non_null(strstr(out_text, "queue 2\n  NFQA_VERDICT_HDR verdict 0x1 (ACCEPT) id 1\n"));
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

static void replay_counts_every_packet_of_the_recordings(const char *name)
{
	struct recording r = recording(name);
	const struct decode_how how = { .shown = 0 };
	char path[300], *text, said[64];
	const char *words[] = { path };
	struct tape tape;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_int_equal(tape_start(&tape, r.bytes, r.n), 0);
	assert_int_equal(decode_tape(f, &tape, &how), 0);
	fclose(f);
	snprintf(path, sizeof(path), "test/recordings/%s", name);
	snprintf(said, sizeof(said), ": %zu packets, 0 malformed", count(text, "\n< NFQNL_MSG_PACKET "));
	assert_int_equal(run(&replay_applet, 1, words), CTH_EXIT_OK);
	assert_said(said);
	free(text);
	free_recording(&r);
}

static void every_recorded_packet_is_replayed(void **state)
{
	(void)state;
	each_recording(replay_counts_every_packet_of_the_recordings);
}

static int free_texts(void **state)
{
	(void)state;
	free(out_text);
	free(err_text);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_that_are_no_recording_are_refused_by_their_name),
		cmocka_unit_test(a_recording_cut_short_is_shown_up_to_there_and_then_refused),
		cmocka_unit_test(a_frame_cut_by_the_capture_says_so),
		cmocka_unit_test(other_netlink_protocols_are_one_line),
		cmocka_unit_test(as_many_bytes_are_shown_as_asked_for),
		cmocka_unit_test(replay_prints_what_nfqnl_test_printed),
		cmocka_unit_test(replay_takes_one_queue_or_all),
		cmocka_unit_test(replay_shows_description_flow_and_answer_when_asked),
		cmocka_unit_test(every_recorded_packet_is_replayed),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, NULL, free_texts);
}
