/* SPDX-License-Identifier: MIT */
/*
 * replay.c - recordings through the protocols: each NAME.pcap of a helper's packets has beside
 * it, in NAME.helper.txt, what engine and protocol make of it before a pretended kernel. After a
 * change that is meant,
 *
 *     CTH_GOLDEN=write build/unit/native/replay
 *
 * writes them anew; read the difference before it is committed.
 */
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../../tools/cth.h" /* before cmocka, which has a macro fail */
#include "unit.h"
#include "../../cthelper/proto.h"
#include "../../tools/decode.h"
#include "../../tools/pretend.h"

extern const struct applet replay_applet;

static char *out_text, *err_text;

static char *read_text(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t cap = 1 << 22, n;
	char *text;

	if (!f)
		return NULL;
	text = malloc(cap);
	n = fread(text, 1, cap - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

/* Runs replay with stdout and stderr in memory: its exit code. */
static int replay(int argc, const char *const *words)
{
	char out_path[] = "/tmp/cth-out-XXXXXX", err_path[] = "/tmp/cth-err-XXXXXX";
	int out = mkstemp(out_path), err = mkstemp(err_path), kept[2], status;
	char *argv[10], name[] = "cth";

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
	status = replay_applet.main(&replay_applet, argc + 1, argv);
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

static int replay_helper(const char *helper, const char *path)
{
	const char *words[] = { "--helper", helper, path };

	return replay(3, words);
}

static void assert_said(const char *text)
{
	if (!strstr(err_text, text))
		fail_msg("said: %s, should have: %s", err_text, text);
}

/* Golden texts. */

/* PROTOCOL-... and conntrackd-PROTOCOL-...: whose packets are in it; NULL: no helper's. */
static const char *protocol_of(const char *name)
{
	static const char *const before[] = { "conntrackd-", "s390x-" };

	for (size_t i = 0; i < N_OF(before); i++)
		if (strncmp(name, before[i], strlen(before[i])) == 0)
			name += strlen(before[i]);
	for (size_t i = 0; cth_protos[i]; i++) {
		size_t n = strlen(cth_protos[i]->name);

		if (strncmp(name, cth_protos[i]->name, n) == 0 && name[n] == '-')
			return cth_protos[i]->name;
	}
	return NULL;
}

static void each_helper_recording(void (*fn)(const char *name, const char *helper))
{
	DIR *dir = opendir("test/recordings");
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char *end = strstr(entry->d_name, ".pcap");

		if (!end || !protocol_of(entry->d_name))
			continue;
		*end = '\0';
		fn(entry->d_name, protocol_of(entry->d_name));
		n++;
	}
	closedir(dir);
	assert_true(n >= 6);
}

static void assert_golden(const char *path)
{
	char *should = read_text(path);
	size_t i = 0, line = 1;

	if (!should)
		fail_msg("%s cannot be read; CTH_GOLDEN=write makes it", path);
	for (; out_text[i] && out_text[i] == should[i]; i++)
		line += out_text[i] == '\n';
	if (out_text[i] != should[i])
		fail_msg("%s, line %zu: ...%.*s, should be ...%.*s", path, line,
			 (int)strcspn(out_text + i, "\n"), out_text + i,
			 (int)strcspn(should + i, "\n"), should + i);
	free(should);
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void check_golden(const char *name, const char *helper)
{
	const char *how = getenv("CTH_GOLDEN");
	char path[600];

	snprintf(path, sizeof(path), "test/recordings/%s.pcap", name);
	assert_int_equal(replay_helper(helper, path), CTH_EXIT_OK);
	assert_said(" packets of the helper ");
	snprintf(path, sizeof(path), "test/recordings/%s.helper.txt", name);
	if (how && strcmp(how, "write") == 0)
		write_text(path, out_text);
	assert_golden(path);
}

static void every_helpers_recording_has_its_golden_text(void **state)
{
	(void)state;
	each_helper_recording(check_golden);
}

/* Writes bytes to a file that lives for this one call. */
static int replay_bytes(const char *helper, const void *bytes, size_t n)
{
	char path[] = "/tmp/cth-pcap-XXXXXX";
	int fd = mkstemp(path), status;

	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	close(fd);
	status = replay_helper(helper, path);
	unlink(path);
	return status;
}

static void check_foreign(const char *name, const char *helper)
{
	struct recording r = recording(name);
	char path[600];

	swap_recording(r.bytes, r.n);
	assert_int_equal(replay_bytes(helper, r.bytes, r.n), CTH_EXIT_OK);
	snprintf(path, sizeof(path), "test/recordings/%s.helper.txt", name);
	assert_golden(path);
	free_recording(&r);
}

static void from_the_other_byte_order_it_is_the_same(void **state)
{
	(void)state;
	each_helper_recording(check_foreign);
}

/* The lines' other forms. */

#define MASQ "test/recordings/conntrackd-ftp-masq-port.pcap"
#define PORT "#21 +0.050142 original 10.0.1.2:40196 > 10.0.2.2:21 \"PORT 10,0,1,2,209,101\\r\\n\"\n"

static void an_announcement_is_followed_and_rewritten(void **state)
{
	const char *at;

	(void)state;
	assert_int_equal(replay_helper("ftp", MASQ), CTH_EXIT_OK);
	at = strstr(out_text, PORT);
	assert_non_null(at);
	assert_non_null(strstr(at, "\n  expected tcp src=10.0.2.2 dst=10.0.2.1 sport=0 dport=53605 "));
	assert_non_null(strstr(at, " fn=nat-follow-master\n"));
	assert_non_null(strstr(at, "\n  edit \"10,0,1,2,209,101\" -> \"10,0,2,1,209,101\"\n"));
	assert_null(strstr(out_text, "SYN"));
	assert_said("38 frames: 18 packets of the helper ftp, 9 of them bare; 1 expected, 0 again, "
		    "0 refused, 1 edits");
}

static void bare_packets_are_shown_when_asked(void **state)
{
	const char *words[] = { "-v", "--helper", "ftp", MASQ };
	size_t lines = 0, verdicts = 0;

	(void)state;
	assert_int_equal(replay(4, words), CTH_EXIT_OK);
	assert_non_null(strstr(out_text, "#1 +0.000000 bare IPv4 tcp 10.0.2.1:40196 > 10.0.2.2:21 SYN "
			       "body 0\n  verdict ACCEPT\n"));
	for (const char *at = out_text; *at; at = strchr(at, '\n') + 1) {
		lines += *at == '#';
		verdicts += strncmp(at, "  verdict ", 10) == 0;
	}
	assert_int_equal(lines, 18);
	assert_int_equal(verdicts, 18);
}

static void json_is_an_object_on_a_line_for_each_packet(void **state)
{
	const char *words[] = { "-j", "--helper", "ftp", MASQ };
	size_t lines = 0;
	const char *at;

	(void)state;
	assert_int_equal(replay(4, words), CTH_EXIT_OK);
	for (at = out_text; *at; at = strchr(at, '\n') + 1, lines++) {
		assert_int_equal(strncmp(at, "{\"frame\":", 9), 0);
		assert_int_equal(strchr(at, '\n')[-1], '}');
	}
	assert_int_equal(lines, 9);
	at = strstr(out_text, "{\"frame\":21,\"microseconds\":50142,\"dir\":\"original\",\"from\":"
		    "\"10.0.1.2:40196\",\"to\":\"10.0.2.2:21\",\"body\":\"PORT 10,0,1,2,209,101"
		    "\\u000d\\u000a\",\"events\":[{\"event\":\"expected\",\"expectation\":{");
	assert_non_null(at);
	assert_non_null(strstr(at, "\"edit\":{\"old\":\"PORT 10,0,1,2,209,101\\u000d\\u000a\",\"new\":"
			       "\"PORT 10,0,2,1,209,101\\u000d\\u000a\"},\"state\":\""));
}

static void only_one_queues_packets_if_asked(void **state)
{
	const char *zero[] = { "-q", "0", "--helper", "ftp", MASQ };
	const char *five[] = { "-q", "5", "--helper", "ftp", MASQ };

	(void)state;
	assert_int_equal(replay(5, zero), CTH_EXIT_OK);
	assert_non_null(strstr(out_text, PORT));
	assert_int_equal(replay(5, five), CTH_EXIT_FAILURE);
	assert_said("there are no queued packets in it");
}

static void the_helpers_name_is_found_or_told(void **state)
{
	const char *as[] = { "--helper", "ftp", "--as", "ftp", MASQ };
	const char *other[] = { "--helper", "ftp", "--as", "tftp", MASQ };

	(void)state;
	assert_int_equal(replay(5, as), CTH_EXIT_OK);
	assert_non_null(strstr(out_text, PORT));
	assert_int_equal(replay(5, other), CTH_EXIT_FAILURE);
	assert_said("no flow in it has the helper 'tftp' over a transport that ftp speaks; "
		    "its helpers are: ftp");
	/* A helper by another name, of the same transport. */
	assert_int_equal(replay_helper("tftp", "test/recordings/helper-behaviours.pcap"),
			 CTH_EXIT_OK);
	assert_said("packets of the helper test,");
}

static void what_cannot_be_rehearsed_is_said(void **state)
{
	const char *lonely[] = { "--as", "ftp", MASQ };
	const char *allowed[] = { "--allow-foreign", MASQ };
	struct recording r = recording("conntrackd-ftp-masq-port");

	(void)state;
	assert_int_equal(replay_helper("nosuch", MASQ), CTH_EXIT_USAGE);
	assert_said("'nosuch' is not a protocol; there are: ");
	assert_said(", ftp, ");
	assert_int_equal(replay(3, lonely), CTH_EXIT_USAGE);
	assert_said("only with --helper");
	assert_int_equal(replay(2, allowed), CTH_EXIT_USAGE);
	assert_int_equal(replay_helper("tftp", MASQ), CTH_EXIT_FAILURE);
	assert_said("over a transport that tftp speaks; its helpers are: ftp");
	assert_int_equal(replay_helper("ftp", "test/recordings/readme-demo.pcap"), CTH_EXIT_FAILURE);
	assert_said("no packet in it tells of a flow that has a helper; record with");
	assert_int_equal(replay_helper("ftp", "test/recordings/helper-errors-nfct.pcap"),
			 CTH_EXIT_FAILURE);
	assert_said("there are no queued packets in it");
	assert_int_equal(replay_helper("ftp", "/nonexistent/x.pcap"), CTH_EXIT_FAILURE);
	assert_said("read /nonexistent/x.pcap: ENOENT");
	assert_int_equal(replay_bytes("ftp", "a text, and none too short", 26), CTH_EXIT_FAILURE);
	assert_said("this is not a pcap file");
	assert_int_equal(replay_bytes("ftp", r.bytes, r.n - 1), CTH_EXIT_FAILURE);
	assert_said("cut short or spoilt at byte");
	assert_non_null(strstr(out_text, PORT));
	free_recording(&r);
}

/* A recording that was cut anywhere, or in which a byte is another, is shown as far as it goes. */
static void no_damage_is_too_much(void **state)
{
	struct recording r = recording("conntrackd-ftp-masq-port");

	(void)state;
	for (size_t i = 0; i < r.n; i += 61)
		replay_bytes("ftp", r.bytes, i);
	for (size_t i = CTH_PCAP_FILE_HEADER; i < r.n; i += 37) {
		uint8_t kept = r.bytes[i];

		r.bytes[i] ^= (uint8_t)(1 + i % 255);
		replay_bytes("ftp", r.bytes, r.n);
		r.bytes[i] = kept;
	}
	free_recording(&r);
}

/* The pretended kernel. */

static struct pretend kernel;

static struct cth_expect expectation(uint8_t from, uint16_t port)
{
	struct cth_expect e = { .have = CTH_EXPECT_TUPLE | CTH_EXPECT_MASK | CTH_EXPECT_MASTER };

	e.tuple = (struct cth_tuple){ .l4 = IPPROTO_TCP, .has_ports = true, .dport = port };
	e.tuple.src = (struct cth_addr){ AF_INET, { 10, 0, 0, from } };
	e.tuple.dst = (struct cth_addr){ AF_INET, { 10, 0, 0, 99 } };
	e.mask.src = (struct cth_addr){ AF_INET, { 255, 255, 255, 255 } };
	e.master = e.tuple;
	e.master.sport = 1;
	return e;
}

static void a_pretended_kernel_answers_by_what_a_tuple_meets(void **state)
{
	struct cth_expect one = expectation(1, 5000), any = expectation(1, 5000), far;

	(void)state;
	pretend_init(&kernel);
	assert_int_equal(pretend_new(&kernel, &one), 0);
	assert_int_equal(pretend_new(&kernel, &one), -EEXIST);
	memset(&any.mask.src.b, 0, sizeof(any.mask.src.b));
	memset(&any.tuple.src.b, 0, sizeof(any.tuple.src.b));
	assert_int_equal(pretend_new(&kernel, &any), -EBUSY); /* none meets it, but they overlap */
	any.tuple.dport = 5001;
	assert_int_equal(pretend_new(&kernel, &any), 0);
	far = expectation(7, 5001);
	assert_int_equal(pretend_new(&kernel, &far), -EEXIST); /* which is the one from anywhere */
	assert_ptr_equal(pretend_find(&kernel, &far.tuple, 0), &kernel.table[1]);
	far.tuple.sport = 77; /* no bit of it counts */
	assert_non_null(pretend_find(&kernel, &far.tuple, 0));
	assert_null(pretend_find(&kernel, &far.tuple, 5));
	far.zone = 5;
	assert_int_equal(pretend_new(&kernel, &far), 0);
	far.tuple.l4 = IPPROTO_UDP;
	assert_null(pretend_find(&kernel, &far.tuple, 5));
}

static void beyond_a_classs_maximum_its_oldest_goes_and_all_go_in_time(void **state)
{
	static const struct cth_class classes[CTH_CLASSES] = { { "one", 2, 300 } };
	struct cth_expect a = expectation(1, 1), b = expectation(1, 2), c = expectation(1, 3);

	(void)state;
	pretend_init(&kernel);
	kernel.classes = classes;
	kernel.now = 1000;
	a.master = b.master = c.master;
	assert_int_equal(pretend_new(&kernel, &a), 0);
	kernel.now = 1010;
	assert_int_equal(pretend_new(&kernel, &b), 0);
	assert_int_equal(pretend_new(&kernel, &c), 0);
	assert_null(pretend_find(&kernel, &a.tuple, 0));
	assert_int_equal(kernel.n, 2);
	kernel.now = 1309;
	assert_non_null(pretend_find(&kernel, &b.tuple, 0));
	kernel.now = 1310;
	assert_null(pretend_find(&kernel, &b.tuple, 0));
	assert_int_equal(kernel.n, 0);
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
		cmocka_unit_test(every_helpers_recording_has_its_golden_text),
		cmocka_unit_test(from_the_other_byte_order_it_is_the_same),
		cmocka_unit_test(an_announcement_is_followed_and_rewritten),
		cmocka_unit_test(bare_packets_are_shown_when_asked),
		cmocka_unit_test(json_is_an_object_on_a_line_for_each_packet),
		cmocka_unit_test(only_one_queues_packets_if_asked),
		cmocka_unit_test(the_helpers_name_is_found_or_told),
		cmocka_unit_test(what_cannot_be_rehearsed_is_said),
		cmocka_unit_test(no_damage_is_too_much),
		cmocka_unit_test(a_pretended_kernel_answers_by_what_a_tuple_meets),
		cmocka_unit_test(beyond_a_classs_maximum_its_oldest_goes_and_all_go_in_time),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, NULL, free_texts);
}
