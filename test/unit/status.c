/* SPDX-License-Identifier: MIT */
/*
 * status.c - what a run tells of itself, and how it is read: text, sockets, tables.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../tools/run.h" /* before cmocka, which has a macro of the name fail */
#include "../../tools/status_read.h"
#include "unit.h"

static char snapshot_room[STATUS_ROOM];

/* A run with something in every counter, each another number. */
static struct some {
	struct status_socket socket;
	struct cth_engine_stats stats[2];
	struct run_latency latency[2];
	struct role_counts roles;
	struct status_look look;
} some;

static struct some *some_run(void)
{
	struct status_look *l = &some.look;
	uint64_t n = 1000;

	memset(&some, 0, sizeof(some));
	snprintf(some.socket.at, sizeof(some.socket.at), "/run/cth/ftp.sock");
	some.socket.started = 1700000000;
	for (size_t i = 0; i < 2; i++) {
		l->helpers[i] = (struct status_helper){
			i ? "tftp" : "my-ftp", i ? "tftp" : "ftp", "lan", 7, &some.stats[i],
			&some.latency[i],
		};
		for (size_t k = 0; k < status_helper_counters_n; k++) {
			n++;
			memcpy((char *)&some.stats[i] + status_helper_counters[k].at, &n, sizeof(n));
		}
	}
	l->helpers_n = 2;
	for (size_t k = 0; k < status_role_counters_n; k++) {
		n++;
		memcpy((char *)&some.roles + status_role_counters[k].at, &n, sizeof(n));
	}
	l->roles = &some.roles;
	some.latency[0].took[0] = 98;
	some.latency[0].took[3] = 1;
	some.latency[0].took[STATUS_TIMES] = 1;
	some.latency[0].sum = 3000000007;
	l->queues[0].numbers = "7";
	l->queues[0].netns = "lan";
	l->queues[0].waiting = 3;
	l->queues_n = 1;
	queue_counters(&(struct cth_queue_stats){ .packets = 5 }, &(struct cth_sock_stats){ 0 },
		       &(struct queue_losses){ .full = 2 }, l->queues[0].counters);
	return &some;
}

static void look_at(struct status_look *l, void *ctx)
{
	*l = ((struct some *)ctx)->look;
}

static struct cth_span snapshot(struct some *r)
{
	bool whole;
	size_t n = status_snapshot(&r->socket, &r->look, snapshot_room, sizeof(snapshot_room), &whole);

	assert_true(whole);
	return cth_span(snapshot_room, n);
}

static int take(struct status *s, const void *text, size_t n)
{
	char *copy = malloc(n + 1);

	memset(s, 0, sizeof(*s));
	if (n)
		memcpy(copy, text, n);
	s->path = strdup("/run/cth/ftp.sock");
	return status_take(s, copy, n);
}

static int reads(const char *text, unsigned *line)
{
	struct status s;
	int err = take(&s, text, strlen(text));

	assert_int_equal(err, s.error);
	*line = s.line;
	status_free(&s);
	return err;
}

static bool span_is(struct cth_span s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

/* The one value with these labels; NULL: whatever it is. */
static const struct status_sample *find(const struct status *s, const char *name, const char *helper,
					const char *label, const char *value)
{
	for (size_t i = 0; i < s->samples_n; i++)
		if (span_is(s->samples[i].name, name) &&
		    (!helper || span_is(status_label(&s->samples[i], "helper"), helper)) &&
		    (!label || span_is(status_label(&s->samples[i], label), value)))
			return &s->samples[i];
	return NULL;
}

static void each_counter_is_told_once_under_its_name(void **state)
{
	struct some *r = some_run();
	struct cth_span text = snapshot(r);
	struct status s;

	(void)state;
	assert_int_equal(take(&s, text.p, text.n), 0);
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < status_helper_counters_n; k++) {
			const struct status_counter *c = &status_helper_counters[k];
			char name[64];
			const struct status_sample *found;

			snprintf(name, sizeof(name), "cth_%s_total", c->name);
			found = find(&s, c->cause ? "cth_passed_total" : name,
				     i == 0 ? "my-ftp" : "tftp", c->cause ? "cause" : NULL, c->name);
			assert_non_null(found);
			assert_int_equal(found->value, status_value(c, &r->stats[i]));
			assert_true(span_is(status_label(found, "queue"), "7"));
			assert_true(span_is(status_label(found, "netns"), "lan"));
		}
	for (size_t k = 0; k < status_role_counters_n; k++) {
		char name[64];

		snprintf(name, sizeof(name), "cth_%s_total", status_role_counters[k].name);
		assert_int_equal(status_of_run(&s, name), status_value(&status_role_counters[k], &r->roles));
	}
	assert_int_equal(status_of_run(&s, "cth_start_time_seconds"), 1700000000);
	assert_non_null(find(&s, "cth_helper_info", "my-ftp", "protocol", "ftp"));
	assert_non_null(find(&s, "cth_queue_dropped_total", NULL, "queue", "7"));
	status_free(&s);
}

/* Every value has a family before it, each family one type, and no line comes twice. */
static void the_format_is_kept(void **state)
{
	struct cth_span text = snapshot(some_run());
	char family[128] = "", *line, *rest = malloc(text.n + 1), *all = rest, *seen[2048];
	size_t n = 0;

	(void)state;
	memcpy(rest, text.p, text.n);
	rest[text.n] = 0;
	while ((line = strsep(&rest, "\n")) != NULL && *line) {
		for (size_t i = 0; i < n; i++)
			assert_string_not_equal(seen[i], line);
		seen[n++] = line;
		if (strncmp(line, "# HELP ", 7) == 0) {
			assert_int_equal(sscanf(line, "# HELP %127s ", family), 1);
			assert_true(strlen(line) > strlen(family) + 9);
		} else if (strncmp(line, "# TYPE ", 7) == 0) {
			assert_memory_equal(line + 7, family, strlen(family));
		} else if (line[0] != '#') {
			assert_memory_equal(line, family, strlen(family));
		}
	}
	assert_string_equal(seen[n - 1], "# EOF");
	free(all);
}

static void decisions_are_a_histogram_that_adds_up(void **state)
{
	struct cth_span text = snapshot(some_run());
	struct status s;

	(void)state;
	assert_int_equal(take(&s, text.p, text.n), 0);
	assert_int_equal(find(&s, "cth_decision_seconds_bucket", "my-ftp", "le", "0.00005")->value, 98);
	assert_int_equal(find(&s, "cth_decision_seconds_bucket", "my-ftp", "le", "0.0005")->value, 99);
	assert_int_equal(find(&s, "cth_decision_seconds_bucket", "my-ftp", "le", "2.5")->value, 99);
	assert_int_equal(find(&s, "cth_decision_seconds_bucket", "my-ftp", "le", "+Inf")->value, 100);
	assert_int_equal(find(&s, "cth_decision_seconds_count", "my-ftp", NULL, NULL)->value, 100);
	assert_int_equal(find(&s, "cth_decision_seconds_sum", "my-ftp", NULL, NULL)->value, 3);
	assert_int_equal(find(&s, "cth_decision_seconds_sum", "my-ftp", NULL, NULL)->nano, 7);
	status_free(&s);
}

static void a_decision_counts_once_where_it_belongs(void **state)
{
	struct run_latency l;
	uint64_t n = 0;

	(void)state;
	memset(&l, 0, sizeof(l));
	latency_end(&l, latency_begin());
	latency_end(&l, latency_begin() - 700000);             /* 0.7 ms and a bit, of 1 */
	latency_end(&l, latency_begin() - 3600 * INT64_C(1000000000));
	latency_end(&l, latency_begin() + INT64_C(1000000000)); /* of the future: no time at all */
	for (size_t i = 0; i <= STATUS_TIMES; i++)
		n += l.took[i];
	assert_int_equal(n, 4);
	assert_int_equal(l.took[STATUS_TIMES], 1);
	assert_int_equal(l.took[0] + l.took[1] + l.took[2] + l.took[3] + l.took[4] + l.took[5] +
			 l.took[6] + l.took[7] + l.took[8] + l.took[9] + l.took[10] + l.took[11], 3);
	assert_true(l.took[0] >= 1 && l.sum > 3600 * UINT64_C(1000000000));
	for (size_t i = 1; i < STATUS_TIMES; i++)
		assert_true(status_times[i] > status_times[i - 1]);
}

static void names_that_are_strange_come_back(void **state)
{
	struct some *r = some_run();
	struct cth_span text;
	struct status s;
	char *json = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&json, &n);

	(void)state;
	r->look.helpers[0].netns = "/a \"b\\c\n\033d";
	text = snapshot(r);
	assert_int_equal(take(&s, text.p, text.n), 0);
	assert_non_null(find(&s, "cth_packets_total", "my-ftp", "netns", "/a \\\"b\\\\c??d"));
	status_json(f, &s, 1);
	fclose(f);
	assert_non_null(strstr(json, "\"netns\":\"/a \\\"b\\\\c??d\""));
	free(json);
	status_free(&s);
}

static void a_path_without_end_is_no_danger(void **state)
{
	struct some *r = some_run();
	char path[4096];
	struct cth_span text;
	struct status s;

	(void)state;
	memset(path, '"', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	for (size_t n = 400; n < 600; n++) { /* about the end of the room for labels */
		r->look.helpers[0].netns = path + sizeof(path) - 1 - n;
		text = snapshot(r);
		assert_int_equal(take(&s, text.p, text.n), 0);
		status_free(&s);
	}
}

static void what_does_not_fit_is_cut_by_lines_and_seen(void **state)
{
	struct some *r = some_run();
	size_t all = snapshot(r).n;

	(void)state;
	for (size_t size = 1; size <= all; size += size < 300 ? 1 : 97) {
		char *room = malloc(size);
		bool whole = true;
		size_t n = status_snapshot(&r->socket, &r->look, room, size, &whole);
		struct status s;

		assert_false(whole);
		assert_true(n < size && (n == 0 || room[n - 1] == '\n'));
		assert_int_equal(take(&s, room, n), n ? -EMSGSIZE : -ENODATA);
		status_free(&s);
		free(room);
	}
}

static void every_truncation_is_told(void **state)
{
	struct cth_span text = snapshot(some_run());

	(void)state;
	for (size_t n = 0; n < text.n; n++) {
		struct status s;
		int err = take(&s, text.p, n);

		assert_int_equal(err, n == 0 ? -ENODATA : n < 7 ? -EBADMSG : -EMSGSIZE);
		assert_int_equal(s.samples_n, 0);
		status_free(&s);
	}
}

/* Either it is read and can be shown in every form, or it is told. */
static void show_all(const struct status *s)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	status_print(f, s, 1);
	status_json(f, s, 1);
	status_rates(f, s, 1, s, 1);
	status_prometheus(f, s, 1);
	fclose(f);
	for (size_t i = 0; i < n; i++)
		assert_true(text[i] == '\n' || (unsigned char)text[i] >= ' ');
	free(text);
}

static void a_byte(struct cth_span bytes, void *ctx)
{
	struct status s;

	(void)ctx;
	if (take(&s, bytes.p, bytes.n) == 0)
		show_all(&s);
	status_free(&s);
}

static void any_byte_may_be_any_other(void **state)
{
	static const char text[] =
		"# HELP cth_a a\n# TYPE cth_a counter\n"
		"cth_packets_total{helper=\"a\\\"\",queue=\"1\"} 12\n"
		"cth_passed_total{helper=\"b\",cause=\"c\"} 1\n"
		"cth_decision_seconds_bucket{helper=\"b\",le=\"0.5\"} 1\n"
		"cth_decision_seconds_sum{helper=\"b\"} 0.5\n"
		"cth_queue_waiting{queue=\"1\"} 3\n# EOF\n";

	(void)state;
	every_byte_value(cth_span(text, sizeof(text) - 1), a_byte, NULL);
}

static void numbers_are_read_as_far_as_they_go(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint64_t value;
		uint32_t nano;
	} numbers[] = {
		{ "0", 0, 0, 0 }, { "18446744073709551615", 0, UINT64_MAX, 0 },
		{ "18446744073709551616", -EBADMSG, 0, 0 },
		{ "99999999999999999999999999999999", -EBADMSG, 0, 0 },
		{ "0.5", 0, 0, 500000000 }, { "3.000000001", 0, 3, 1 },
		{ "3.0000000001", -EBADMSG, 0, 0 }, { "3.", -EBADMSG, 0, 0 },
		{ ".5", -EBADMSG, 0, 0 }, { "-1", -EBADMSG, 0, 0 }, { "+1", -EBADMSG, 0, 0 },
		{ "1e9", -EBADMSG, 0, 0 }, { "NaN", -EBADMSG, 0, 0 }, { "+Inf", -EBADMSG, 0, 0 },
		{ "0x10", -EBADMSG, 0, 0 }, { "1 2", -EBADMSG, 0, 0 }, { "", -EBADMSG, 0, 0 },
		{ " 1", -EBADMSG, 0, 0 }, { "1 ", -EBADMSG, 0, 0 }, { "1\r", -EBADMSG, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(numbers); i++) {
		char text[128];
		struct status s;

		snprintf(text, sizeof(text), "a %s\n# EOF\n", numbers[i].text);
		assert_int_equal(take(&s, text, strlen(text)), numbers[i].err);
		if (numbers[i].err == 0) {
			assert_int_equal(s.samples[0].value, numbers[i].value);
			assert_int_equal(s.samples[0].nano, numbers[i].nano);
			show_all(&s);
		}
		status_free(&s);
	}
}

static void what_is_not_of_the_format_is_told_with_its_line(void **state)
{
	static const struct {
		const char *text;
		int err;
		unsigned line;
	} texts[] = {
		{ "", -ENODATA, 0 }, { "# EOF\n", 0, 1 },
		{ "\n# EOF\n", -EBADMSG, 1 }, { "a 1\nb\n# EOF\n", -EBADMSG, 2 },
		{ "# EOF\n# EOF\n", -EBADMSG, 2 }, { "# EOF\na 1\n", -EBADMSG, 2 },
		{ "a 1\n# EOF", -EMSGSIZE, 2 }, { "a 1\n", -EMSGSIZE, 1 },
		{ "HTTP/1.0 400 Bad Request\r\n\r\n", -EBADMSG, 1 }, { "SSH-2.0-x\n", -EBADMSG, 1 },
		{ "hello", -EBADMSG, 1 }, { "\033[2J\n# EOF\n", -EBADMSG, 1 },
		{ "# \033[2J\n# EOF\n", -EBADMSG, 1 }, { "1a 1\n# EOF\n", -EBADMSG, 1 },
		{ "a{} 1\n# EOF\n", -EBADMSG, 1 }, { "a{b} 1\n# EOF\n", -EBADMSG, 1 },
		{ "a{b=\"c} 1\n# EOF\n", -EBADMSG, 1 }, { "a{b=\"c\\\"} 1\n# EOF\n", -EBADMSG, 1 },
		{ "a{b=\"c\"\n# EOF\n", -EBADMSG, 1 }, { "a{b=\"c\",} 1\n# EOF\n", -EBADMSG, 1 },
		{ "a{b=\"c\\\n# EOF\n", -EBADMSG, 1 }, { "a{b=\"\a\"} 1\n# EOF\n", -EBADMSG, 1 },
		{ "a{a=\"\",b=\"\",c=\"\",d=\"\",e=\"\",f=\"\",g=\"\",h=\"\"} 1\n# EOF\n", 0, 2 },
		{ "a{a=\"\",b=\"\",c=\"\",d=\"\",e=\"\",f=\"\",g=\"\",h=\"\",i=\"\"} 1\n# EOF\n",
		  -EBADMSG, 1 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++) {
		unsigned line = 0;

		assert_int_equal(reads(texts[i].text, &line), texts[i].err);
		assert_int_equal(line, texts[i].line);
	}
}

/* What is shown. */

static char *printed(void (*print)(FILE *f, const struct status *runs, size_t n),
		     const struct status *runs, size_t n)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	print(f, runs, n);
	fclose(f);
	return text;
}

static void the_table_has_a_line_for_each_helper(void **state)
{
	struct cth_span text = snapshot(some_run());
	struct status s;
	char *table;

	(void)state;
	assert_int_equal(take(&s, text.p, text.n), 0);
	table = printed(status_print, &s, 1);
	/* 99 of 100 took no longer than half a millisecond, one no end; the mean of 3 s is 30 ms */
	assert_non_null(strstr(table, "\nmy-ftp               7 lan              1001      1004"));
	assert_non_null(strstr(table, "    30ms  <500us\n"));
	assert_non_null(strstr(table, "\ntftp                 7 lan              1020      1023"));
	assert_non_null(strstr(table, "       -       -\n"));
	assert_non_null(strstr(table, "ftp: serving for "));
	assert_non_null(strstr(table, ", version "));
	assert_non_null(strstr(table, ", workers 1039, died 1040, hung 1041"));
	assert_non_null(strstr(table, "\nqueue 7 in lan: waiting 3, packets 5, dropped 2\n"));
	free(table);
	status_free(&s);
}

static void rates_are_of_the_time_between(void **state)
{
	struct some *r = some_run();
	struct cth_span text = snapshot(r);
	struct status s[2];
	char *table = NULL;
	size_t n = 0;
	FILE *f;

	(void)state;
	assert_int_equal(take(&s[0], text.p, text.n), 0);
	r->stats[0].packets += 25;
	r->latency[0].took[5] += 10;
	r->latency[0].sum += 10 * 2000000;
	text = snapshot(r);
	assert_int_equal(take(&s[1], text.p, text.n), 0);
	s[0].at = 1000;
	s[1].at = 3000;
	f = open_memstream(&table, &n);
	status_rates(f, &s[0], 1, &s[1], 1);
	fclose(f);
	assert_non_null(strstr(table, "\nmy-ftp               7 lan              12.5       0.0"));
	assert_non_null(strstr(table, "     2ms  <2.5ms\n"));
	free(table);
	/* Started since, another run, or the first look: there is nothing to compare with. */
	r->socket.started++;
	text = snapshot(r);
	status_free(&s[0]);
	assert_int_equal(take(&s[0], text.p, text.n), 0);
	for (int first = 0; first < 2; first++) {
		f = open_memstream(&table, &n);
		status_rates(f, &s[0], first ? 0 : 1, &s[1], 1);
		fclose(f);
		assert_non_null(strstr(table, "\nmy-ftp               7 lan                 -         -"));
		free(table);
	}
	status_free(&s[0]);
	status_free(&s[1]);
}

static void json_has_all_of_it(void **state)
{
	struct cth_span text = snapshot(some_run());
	struct status s;
	char *json;

	(void)state;
	assert_int_equal(take(&s, text.p, text.n), 0);
	json = printed(status_json, &s, 1);
	assert_non_null(strstr(json, "{\"runs\":[{\"run\":\"ftp\",\"path\":\"/run/cth/ftp.sock\",\"version\":"));
	assert_non_null(strstr(json, "\"start_time_seconds\":1700000000,\"workers\":1039,\"died\":1040,\"hung\":1041,"));
	assert_non_null(strstr(json, "\"helpers\":[{\"helper\":\"my-ftp\",\"queue\":\"7\",\"netns\":\"lan\","
				     "\"protocol\":\"ftp\",\"packets\":1001,\"bare\":1002,"));
	assert_non_null(strstr(json, "\"passed\":{\"foreign\":1015,\"low_port\":1016,"));
	assert_non_null(strstr(json, "\"decision_seconds_bucket\":{\"0.00005\":98,"));
	assert_non_null(strstr(json, "\"+Inf\":100},\"decision_nanoseconds_sum\":3000000007,"
				     "\"decision_seconds_count\":100}"));
	assert_non_null(strstr(json, "\"queues\":[{\"queue\":\"7\",\"netns\":\"lan\",\"waiting\":3,\"packets\":5,"));
	free(json);
	status_free(&s);
}

static void families_of_several_runs_are_joined(void **state)
{
	static const char one[] = "# HELP a A.\n# TYPE a counter\na{x=\"1\"} 1\n"
				  "# HELP b B.\n# TYPE b gauge\nb 1\n# EOF\n",
			  other[] = "# HELP c C.\n# TYPE c gauge\nc 3\n"
				    "# HELP a A.\n# TYPE a counter\na{x=\"2\"} 2\n# EOF\n",
			  both[] = "# HELP a A.\n# TYPE a counter\na{x=\"1\"} 1\na{x=\"2\"} 2\n"
				   "# HELP b B.\n# TYPE b gauge\nb 1\n"
				   "# HELP c C.\n# TYPE c gauge\nc 3\n# EOF\n";
	struct status s[3];
	char *text;

	(void)state;
	assert_int_equal(take(&s[0], one, sizeof(one) - 1), 0);
	assert_int_equal(take(&s[1], "garbage\n", 8), -EBADMSG);
	assert_int_equal(take(&s[2], other, sizeof(other) - 1), 0);
	text = printed(status_prometheus, s, 3);
	assert_string_equal(text, both);
	free(text);
	text = printed(status_prometheus, s, 1);
	assert_string_equal(text, one);
	free(text);
	for (size_t i = 0; i < 3; i++)
		status_free(&s[i]);
}

/* Sockets. */

static char folder[64], path[128];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/cth-unit-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/x.sock", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

/* What is said on stderr while something fails as it shall. */
static int quietly(int (*fn)(void *ctx), void *ctx)
{
	int usual = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY), r;

	dup2(null, STDERR_FILENO);
	r = fn(ctx);
	dup2(usual, STDERR_FILENO);
	close(usual);
	close(null);
	return r;
}

static int opens(void *s)
{
	return status_open(s, "ftp", NULL);
}

static struct some *serving(void)
{
	struct some *r = some_run();

	r->socket.path = path;
	assert_int_equal(status_open(&r->socket, "ftp", NULL), 0);
	return r;
}

/* A child that answers until it is killed. */
static pid_t answering(struct some *r)
{
	pid_t id = fork();

	if (id == 0) {
		struct pollfd wait = { .fd = status_wait(&r->socket), .events = POLLIN };

		alarm(60);
		for (;;) {
			poll(&wait, 1, -1);
			status_serve(&r->socket, look_at, r);
		}
	}
	return id;
}

static void end(pid_t id)
{
	kill(id, SIGKILL);
	waitpid(id, NULL, 0);
}

static void the_socket_is_roots_and_goes_with_the_run(void **state)
{
	struct some *r = serving();
	struct stat file;

	(void)state;
	assert_int_equal(lstat(path, &file), 0);
	assert_int_equal(file.st_mode & 07777, 0600);
	assert_true(S_ISSOCK(file.st_mode));
	assert_true(fcntl(status_fd(&r->socket), F_GETFD) & FD_CLOEXEC);
	status_close(&r->socket);
	assert_int_equal(status_fd(&r->socket), -1);
	assert_int_equal(lstat(path, &file), -1);
	status_close(&r->socket);
}

static void who_asks_gets_the_snapshot(void **state)
{
	struct some *r = serving();
	pid_t id = answering(r);
	struct status s;

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(status_ask(path, 30000, &s), geteuid() ? -ENODATA : 0);
		if (geteuid() == 0) {
			assert_non_null(find(&s, "cth_packets_total", "my-ftp", NULL, NULL));
			assert_in_range(status_of_run(&s, "cth_status_answers_total"), 0, i);
		}
		status_free(&s);
	}
	end(id);
	status_close(&r->socket);
}

static int connected(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	memcpy(at.sun_path, path, strlen(path));
	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* None of them reads, one has gone, one talks: the answer is there for who reads at last. */
static void slow_clients_are_not_waited_for(void **state)
{
	static char text[STATUS_ROOM];
	struct some *r = serving();
	int fds[10];
	size_t n = 0;
	ssize_t got;

	(void)state;
	for (size_t i = 0; i < N_OF(fds); i++)
		fds[i] = connected();
	close(fds[3]);
	assert_int_equal(send(fds[4], "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
	status_serve(&r->socket, look_at, r);
	assert_true(r->socket.answers + r->socket.strangers == 4); /* packets are looked at again */
	status_serve(&r->socket, look_at, r);
	status_serve(&r->socket, look_at, r);
	status_serve(&r->socket, look_at, r);
	assert_int_equal(r->socket.answers, geteuid() ? 0 : 10);
	assert_int_equal(r->socket.strangers, geteuid() ? 10 : 0);
	assert_int_equal(r->socket.cut, 0);
	while ((got = recv(fds[4], text + n, sizeof(text) - n, 0)) > 0)
		n += (size_t)got;
	assert_true(geteuid() || (n > 1000 && memcmp(text + n - 6, "# EOF\n", 6) == 0));
	for (size_t i = 0; i < N_OF(fds); i++)
		if (i != 3)
			close(fds[i]);
	status_close(&r->socket);
}

/*
 * The longest one, 32 helpers of a namespace with a long path, goes out whole to who does not
 * read.
 */
static void the_longest_snapshot_fits_into_the_socket(void **state)
{
	static char text[2 * STATUS_ROOM];
	struct some *r = serving();
	static char netns[64];
	size_t n = 0;
	ssize_t got;
	int fd;

	(void)state;
	memset(netns, 'n', sizeof(netns) - 1);
	memset(r->stats, 0xff, sizeof(r->stats));
	memset(r->latency, 0x7f, sizeof(r->latency));
	for (size_t i = 0; i < CTH_SERVICE_HELPERS; i++) {
		r->look.helpers[i] = r->look.helpers[0];
		r->look.helpers[i].name = "a23456789012345";
		r->look.helpers[i].netns = netns;
	}
	r->look.helpers_n = CTH_SERVICE_HELPERS;
	for (size_t i = 1; i < STATUS_QUEUES; i++)
		r->look.queues[i] = r->look.queues[0];
	r->look.queues_n = STATUS_QUEUES;
	assert_true(snapshot(r).n < STATUS_ROOM);
	fd = connected();
	status_serve(&r->socket, look_at, r);
	while ((got = recv(fd, text + n, sizeof(text) - n, 0)) > 0)
		n += (size_t)got;
	assert_true(geteuid() || (n > 100000 && memcmp(text + n - 6, "# EOF\n", 6) == 0));
	close(fd);
	status_close(&r->socket);
}

static void serve_without_descriptors(struct some *r)
{
	struct rlimit usual, none;
	int fd = connected();

	getrlimit(RLIMIT_NOFILE, &usual);
	none = usual;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	status_serve(&r->socket, look_at, r);
	setrlimit(RLIMIT_NOFILE, &usual);
	close(fd);
}

static void without_descriptors_it_rests(void **state)
{
	struct some *r = serving();

	(void)state;
	serve_without_descriptors(r);
	assert_int_equal(r->socket.answers + r->socket.strangers, 0);
	assert_int_equal(status_wait(&r->socket), -1);
	r->socket.rests = 1;
	assert_int_equal(status_wait(&r->socket), status_fd(&r->socket));
	status_serve(&r->socket, look_at, r);
	assert_int_equal(r->socket.answers + r->socket.strangers, 1);
	status_close(&r->socket);
}

static void one_that_is_left_over_is_replaced_a_live_one_is_not(void **state)
{
	struct some *r = serving();
	static struct status_socket second;
	struct stat was, is;

	(void)state;
	second.path = path;
	assert_int_equal(lstat(path, &was), 0);
	assert_int_equal(quietly(opens, &second), CTH_EXIT_BUSY);
	assert_int_equal(lstat(path, &is), 0);
	assert_int_equal(is.st_ino, was.st_ino);
	close(status_fd(&r->socket)); /* as if killed */
	assert_int_equal(opens(&second), 0);
	status_close(&r->socket); /* whose file it is not any more */
	assert_int_equal(lstat(path, &is), 0);
	status_close(&second);
	assert_int_equal(lstat(path, &is), -1);
}

static void what_is_no_socket_stays(void **state)
{
	static struct status_socket r;
	struct stat file;

	(void)state;
	r.path = path;
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(quietly(opens, &r), CTH_EXIT_FAILURE);
	assert_int_equal(lstat(path, &file), 0);
	assert_true(S_ISREG(file.st_mode));
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(quietly(opens, &r), CTH_EXIT_FAILURE);
	assert_int_equal(lstat(path, &file), 0);
	unlink(path);
	assert_int_equal(status_fd(&r), -1);
}

static void paths_that_cannot_be_are_told(void **state)
{
	static struct status_socket r;
	static char very_long[200];

	(void)state;
	memset(very_long, 'x', sizeof(very_long) - 1);
	r.path = very_long;
	assert_int_equal(quietly(opens, &r), CTH_EXIT_FAILURE);
	r.path = "/nosuch/folder/x.sock";
	assert_int_equal(quietly(opens, &r), CTH_EXIT_FAILURE);
	r.path = NULL;
	r.off = true;
	assert_int_equal(opens(&r), 0);
	assert_int_equal(status_fd(&r), -1);
	assert_int_equal(status_wait(&r), -1);
	status_serve(&r, look_at, &some);
}

static void the_client_tells_why(void **state)
{
	struct status s;
	struct some *r;
	int datagram = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	(void)state;
	assert_int_equal(status_ask(path, 1000, &s), -ENOENT);
	status_free(&s);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(status_ask(path, 1000, &s), -ECONNREFUSED);
	status_free(&s);
	unlink(path);
	memcpy(at.sun_path, path, strlen(path));
	assert_int_equal(bind(datagram, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(status_ask(path, 1000, &s), -EPROTOTYPE);
	status_free(&s);
	close(datagram);
	unlink(path);
	r = serving(); /* but does not answer */
	assert_int_equal(status_ask(path, 100, &s), -ETIMEDOUT);
	status_free(&s);
	for (int i = 0; i < 40; i++) /* the backlog is full */
		if (status_ask(path, 0, &s) == -ETIMEDOUT)
			status_free(&s);
	assert_int_equal(status_ask(path, 50, &s), -ETIMEDOUT);
	status_free(&s);
	status_close(&r->socket);
}

#define SOCKET(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_counter_is_told_once_under_its_name),
		cmocka_unit_test(the_format_is_kept),
		cmocka_unit_test(decisions_are_a_histogram_that_adds_up),
		cmocka_unit_test(a_decision_counts_once_where_it_belongs),
		cmocka_unit_test(names_that_are_strange_come_back),
		cmocka_unit_test(a_path_without_end_is_no_danger),
		cmocka_unit_test(what_does_not_fit_is_cut_by_lines_and_seen),
		cmocka_unit_test(every_truncation_is_told),
		cmocka_unit_test(any_byte_may_be_any_other),
		cmocka_unit_test(numbers_are_read_as_far_as_they_go),
		cmocka_unit_test(what_is_not_of_the_format_is_told_with_its_line),
		cmocka_unit_test(the_table_has_a_line_for_each_helper),
		cmocka_unit_test(rates_are_of_the_time_between),
		cmocka_unit_test(json_has_all_of_it),
		cmocka_unit_test(families_of_several_runs_are_joined),
		SOCKET(the_socket_is_roots_and_goes_with_the_run),
		SOCKET(who_asks_gets_the_snapshot),
		SOCKET(slow_clients_are_not_waited_for),
		SOCKET(the_longest_snapshot_fits_into_the_socket),
		SOCKET(without_descriptors_it_rests),
		SOCKET(one_that_is_left_over_is_replaced_a_live_one_is_not),
		SOCKET(what_is_no_socket_stays),
		SOCKET(paths_that_cannot_be_are_told),
		SOCKET(the_client_tells_why),
	};

	return RUN(tests);
}
