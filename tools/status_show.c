/* SPDX-License-Identifier: MIT */
/*
 * status_show.c - shows what runs have said of themselves: see status_read.h. What a run's version
 * counts that is not known here is shown all the same, but for the columns of the table.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "status_read.h"

#define SPAN(s) (int)(s).n, (const char *)(s).p

static bool begins(struct cth_span s, const char *text)
{
	size_t n = strlen(text);

	return s.n >= n && memcmp(s.p, text, n) == 0;
}

static bool ends(struct cth_span s, const char *text)
{
	size_t n = strlen(text);

	return s.n >= n && memcmp(s.p + s.n - n, text, n) == 0;
}

static bool is_text(struct cth_span s, const char *text)
{
	return s.n == strlen(text) && begins(s, text);
}

/* "packets" of cth_packets_total, and of cth_queue_packets_total. */
static struct cth_span short_name(struct cth_span name)
{
	static const char *const fronts[] = { "cth_", "queue_" };

	for (size_t i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++)
		if (begins(name, fronts[i]))
			name = cth_span(name.p + strlen(fronts[i]), name.n - strlen(fronts[i]));
	if (ends(name, "_total"))
		name = cth_span(name.p, name.n - 6);
	return name;
}

static const char *run_name(const struct status *run, struct cth_span *name)
{
	const char *text;
	size_t n = status_name(run->path ? run->path : "", &text);

	*name = cth_span(text, n);
	return text;
}

/* Text. */

/* 90s, 5m, 7h12m, 3d04h */
static const char *span_text(uint64_t seconds)
{
	if (seconds < 120)
		return phrase("%" PRIu64 "s", seconds);
	if (seconds < 7200)
		return phrase("%" PRIu64 "m", seconds / 60);
	if (seconds < 172800)
		return phrase("%" PRIu64 "h%02" PRIu64 "m", seconds / 3600, seconds / 60 % 60);
	return phrase("%" PRIu64 "d%02" PRIu64 "h", seconds / 86400, seconds / 3600 % 24);
}

/* 250us, 2.5ms, 1s */
static const char *time_text(uint64_t nanoseconds)
{
	uint64_t us = nanoseconds / 1000;

	if (us < 1000)
		return phrase("%" PRIu64 "us", us);
	if (us < 1000000)
		return phrase(us % 1000 / 100 ? "%" PRIu64 ".%" PRIu64 "ms" : "%" PRIu64 "ms",
			      us / 1000, us % 1000 / 100);
	return phrase(us % 1000000 / 100000 ? "%" PRIu64 ".%" PRIu64 "s" : "%" PRIu64 "s",
		      us / 1000000, us % 1000000 / 100000);
}

static void print_start(FILE *f, const struct status *run)
{
	uint64_t since = status_of_run(run, "cth_start_time_seconds");
	time_t now = time(NULL), then = (time_t)since;
	struct tm *at = localtime(&then);
	const char *text = "?";

	if (at && since > 0 && since < (uint64_t)1 << 40)
		text = phrase("%d-%02d-%02d %02d:%02d:%02d", 1900 + at->tm_year, 1 + at->tm_mon,
			      at->tm_mday, at->tm_hour, at->tm_min, at->tm_sec);
	fprintf(f, "serving for %s, since %s",
		now > then && then > 0 ? span_text((uint64_t)(now - then)) : "0s", text);
	for (size_t i = 0; i < run->samples_n; i++)
		if (is_text(run->samples[i].name, "cth_info")) {
			struct cth_span version = status_label(&run->samples[i], "version");

			fprintf(f, ", version %.*s", SPAN(version));
			break;
		}
}

/* Always: who was started, and how many packets. Of the rest what is not 0. */
static bool is_worth_a_word(const struct status_sample *s)
{
	static const char *const always[] = {
		"cth_keepers_total", "cth_workers_total", "cth_queue_packets_total",
		"cth_queue_waiting",
	};

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (is_text(s->name, always[i]))
			return true;
	return s->value > 0 && !is_text(s->name, "cth_status_answers_total") &&
	       !is_text(s->name, "cth_info") && !is_text(s->name, "cth_start_time_seconds");
}

static void print_word(FILE *f, const struct status_sample *s, const char *between)
{
	struct cth_span name = short_name(s->name);

	fprintf(f, "%s%.*s %" PRIu64, between, SPAN(name), s->value);
}

static bool is_of_run(const struct status_sample *s)
{
	return status_label(s, "helper").n == 0 && status_label(s, "queue").n == 0;
}

static void print_run(FILE *f, const struct status *run)
{
	struct cth_span name;

	run_name(run, &name);
	fprintf(f, "%.*s: ", SPAN(name));
	print_start(f, run);
	for (size_t i = 0; i < run->samples_n; i++)
		if (is_of_run(&run->samples[i]) && is_worth_a_word(&run->samples[i]))
			print_word(f, &run->samples[i], ", ");
	fputc('\n', f);
}

static void print_queue(FILE *f, const struct status_row *row)
{
	const char *between = "";

	fprintf(f, "queue %.*s", SPAN(row->queue));
	if (row->netns.n)
		fprintf(f, " in %.*s", SPAN(row->netns));
	fputs(": ", f);
	for (size_t i = 0; i < row->from->samples_n; i++) {
		const struct status_sample *s = &row->from->samples[i];

		if (!status_in_row(row, s) || !is_worth_a_word(s))
			continue;
		print_word(f, s, between);
		between = ", ";
	}
	fputc('\n', f);
}

static void print_runs(FILE *f, const struct status *runs, size_t n)
{
	struct status_row *queues;
	int queues_n = status_rows(runs, n, true, &queues);

	for (size_t i = 0; i < n; i++)
		if (!runs[i].error)
			print_run(f, &runs[i]);
	for (int i = 0; i < queues_n; i++)
		print_queue(f, &queues[i]);
	free(queues);
}

/* The table. */

static const struct {
	const char *head;
	int wide;
} columns[STATUS_COLUMNS] = {
	[STATUS_PACKETS] = { "packets", 10 }, [STATUS_EXPECTED] = { "expected", 9 },
	[STATUS_AGAIN] = { "again", 7 }, [STATUS_REFUSED] = { "refused", 8 },
	[STATUS_EDITS] = { "edits", 8 }, [STATUS_PASSED] = { "passed", 7 },
	[STATUS_VIOLATIONS] = { "violations", 11 }, [STATUS_DROPPED] = { "dropped", 8 },
};

static void print_head(FILE *f, const char *per)
{
	fprintf(f, "%-16s %5s %-10s", phrase("helper%s", per), "queue", "netns");
	for (size_t i = 0; i < STATUS_COLUMNS; i++)
		fprintf(f, " %*s", columns[i].wide, columns[i].head);
	fprintf(f, " %7s %7s\n", "mean", "99%");
}

static void print_row_name(FILE *f, const struct status_row *row)
{
	struct cth_span netns = row->netns.n ? row->netns : cth_span("-", 1);

	fprintf(f, "%-16.*s %5.*s %-10.*s", SPAN(row->helper), SPAN(row->queue), SPAN(netns));
}

static uint64_t decisions_of(const struct status_row *row)
{
	return row->times_n ? row->times[row->times_n - 1].n : 0;
}

/* Within which of the bounds 99 of 100 decisions came. */
static const char *most_text(const struct status_row *row, uint64_t n)
{
	uint64_t most = n - n / 100;

	for (size_t i = 0; i < row->times_n; i++) {
		if (row->times[i].n < most)
			continue;
		if (row->times[i].within == UINT64_MAX)
			return i ? phrase(">%s", time_text(row->times[i - 1].within)) : "?";
		return phrase("<%s", time_text(row->times[i].within));
	}
	return "?";
}

static void print_times(FILE *f, const struct status_row *row)
{
	uint64_t n = decisions_of(row);

	fprintf(f, " %7s %7s\n", n ? time_text(row->sum / n) : "-", n ? most_text(row, n) : "-");
}

static void print_row(FILE *f, const struct status_row *row)
{
	print_row_name(f, row);
	for (size_t i = 0; i < STATUS_COLUMNS; i++)
		fprintf(f, " %*" PRIu64, columns[i].wide, row->counts[i]);
	print_times(f, row);
}

void status_print(FILE *f, const struct status *runs, size_t n)
{
	struct status_row *rows;
	int rows_n = status_rows(runs, n, false, &rows);

	print_runs(f, runs, n);
	if (rows_n > 0)
		print_head(f, "");
	for (int i = 0; i < rows_n; i++)
		print_row(f, &rows[i]);
	free(rows);
}

/* Rates. */

static bool is_same(struct cth_span a, struct cth_span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool is_same_row(const struct status_row *a, const struct status_row *b)
{
	return is_same(a->helper, b->helper) && is_same(a->queue, b->queue) &&
	       is_same(a->netns, b->netns) && a->from->path && b->from->path &&
	       strcmp(a->from->path, b->from->path) == 0;
}

/* Was it started since? Then all that it has counted is new. */
static bool goes_on(const struct status_row *before, const struct status_row *now)
{
	static const char start[] = "cth_start_time_seconds";

	return status_of_run(before->from, start) == status_of_run(now->from, start) &&
	       before->times_n == now->times_n && now->from->at > before->from->at;
}

static uint64_t growth(uint64_t before, uint64_t now)
{
	return now >= before ? now - before : now;
}

static struct status_row difference(const struct status_row *before, const struct status_row *now)
{
	struct status_row d = *now;

	for (size_t i = 0; i < STATUS_COLUMNS; i++)
		d.counts[i] = growth(before->counts[i], now->counts[i]);
	for (size_t i = 0; i < d.times_n; i++)
		d.times[i].n = growth(before->times[i].n, now->times[i].n);
	d.sum = growth(before->sum, now->sum);
	return d;
}

static void print_rates(FILE *f, const struct status_row *before, const struct status_row *now)
{
	double seconds = (double)(now->from->at - before->from->at) / 1000;
	struct status_row d = difference(before, now);

	print_row_name(f, now);
	for (size_t i = 0; i < STATUS_COLUMNS; i++)
		fprintf(f, " %*.1f", columns[i].wide, (double)d.counts[i] / seconds);
	print_times(f, &d);
}

/* There is nothing yet to compare it with. */
static void print_no_rates(FILE *f, const struct status_row *now)
{
	print_row_name(f, now);
	for (size_t i = 0; i < STATUS_COLUMNS; i++)
		fprintf(f, " %*s", columns[i].wide, "-");
	fprintf(f, " %7s %7s\n", "-", "-");
}

void status_rates(FILE *f, const struct status *before, size_t before_n, const struct status *now,
		  size_t n)
{
	struct status_row *old, *rows;
	int old_n = status_rows(before, before_n, false, &old);
	int rows_n = status_rows(now, n, false, &rows);

	print_runs(f, now, n);
	if (rows_n > 0)
		print_head(f, ", per s");
	for (int i = 0; i < rows_n; i++) {
		int k = 0;

		while (k < old_n && !(is_same_row(&old[k], &rows[i]) && goes_on(&old[k], &rows[i])))
			k++;
		if (k < old_n)
			print_rates(f, &old[k], &rows[i]);
		else
			print_no_rates(f, &rows[i]);
	}
	free(old);
	free(rows);
}

/* JSON. */

/* A label as it was before it was escaped. */
static void json_label(struct json *j, const char *key, struct cth_span value)
{
	char text[512];
	size_t n = 0;

	for (size_t i = 0; i < value.n && n < sizeof(text); i++) {
		uint8_t c = value.p[i];

		if (c == '\\' && i + 1 < value.n) {
			c = value.p[++i];
			c = c == 'n' ? '\n' : c;
		}
		text[n++] = (char)c;
	}
	json_bytes(j, key, cth_span(text, n));
}

static const char *key_of(struct cth_span name)
{
	return phrase("%.*s", SPAN(name));
}

/* cth_helper_info{protocol="ftp"}: what its labels tell beside whose it is. */
static void info_json(struct json *j, const struct status_sample *s)
{
	static const char *const known[] = { "helper", "queue", "netns", "run" };

	for (size_t i = 0; i < s->n; i++) {
		bool is_known = false;

		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			is_known |= is_text(s->labels[i].name, known[k]);
		if (!is_known)
			json_label(j, key_of(s->labels[i].name), s->labels[i].value);
	}
}

/* "passed":{"foreign":0,...}: those of one name stand together. */
static void open_group(struct json *j, struct cth_span *group, struct cth_span name)
{
	if (is_same(*group, name))
		return;
	if (group->n)
		json_close(j, '}');
	*group = name;
	if (name.n)
		json_open(j, key_of(short_name(name)), '{');
}

static void sample_json(struct json *j, const struct status_sample *s, struct cth_span *group)
{
	struct cth_span cause = status_label(s, "cause"), le = status_label(s, "le");
	bool grouped = cause.n || le.n;

	open_group(j, group, grouped ? s->name : cth_span(NULL, 0));
	if (grouped)
		json_number(j, key_of(cause.n ? cause : le), s->value);
	else if (ends(s->name, "_info"))
		info_json(j, s);
	else if (ends(s->name, "_seconds_sum")) /* whole numbers are exact */
		json_number(j, phrase("%.*snanoseconds_sum", (int)short_name(s->name).n - 11,
				      (const char *)short_name(s->name).p),
			    s->value > UINT64_MAX / 1000000000 - 1 ? UINT64_MAX
								   : s->value * 1000000000 + s->nano);
	else
		json_number(j, key_of(short_name(s->name)), s->value);
}

static void row_json(struct json *j, const struct status_row *row)
{
	struct cth_span group = cth_span(NULL, 0);

	json_open(j, NULL, '{');
	if (row->helper.n)
		json_label(j, "helper", row->helper);
	json_label(j, "queue", row->queue);
	if (row->netns.n)
		json_label(j, "netns", row->netns);
	for (size_t i = 0; i < row->from->samples_n; i++)
		if (status_in_row(row, &row->from->samples[i]))
			sample_json(j, &row->from->samples[i], &group);
	open_group(j, &group, cth_span(NULL, 0));
	json_close(j, '}');
}

static void rows_json(struct json *j, const struct status *run, bool queues)
{
	struct status_row *rows;
	int n = status_rows(run, 1, queues, &rows);

	json_open(j, queues ? "queues" : "helpers", '[');
	for (int i = 0; i < n; i++)
		row_json(j, &rows[i]);
	json_close(j, ']');
	free(rows);
}

static void run_json(struct json *j, const struct status *run)
{
	struct cth_span name, group = cth_span(NULL, 0);

	run_name(run, &name);
	json_open(j, NULL, '{');
	json_bytes(j, "run", name);
	json_string(j, "path", run->path ? run->path : "");
	for (size_t i = 0; i < run->samples_n; i++)
		if (is_of_run(&run->samples[i]))
			sample_json(j, &run->samples[i], &group);
	open_group(j, &group, cth_span(NULL, 0));
	rows_json(j, run, false);
	rows_json(j, run, true);
	json_close(j, '}');
}

void status_json(FILE *f, const struct status *runs, size_t n)
{
	struct json j = { .f = f };

	json_open(&j, NULL, '{');
	json_open(&j, "runs", '[');
	for (size_t i = 0; i < n; i++)
		if (!runs[i].error)
			run_json(&j, &runs[i]);
	json_close(&j, ']');
	json_close(&j, '}');
}

/* Prometheus. */

/* A family: its line of help and all that follows up to the next one's. */
struct family {
	struct cth_span title, body;
};

static const char help[] = "# HELP ";

static struct cth_span next_line(struct cth_span *rest)
{
	const uint8_t *newline = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct cth_span line = cth_span(rest->p, newline ? (size_t)(newline + 1 - rest->p) : rest->n);

	*rest = cth_span(rest->p + line.n, rest->n - line.n);
	return line;
}

/* The line of help, and its name: up to the second blank. */
static struct cth_span name_of(struct cth_span title)
{
	const size_t front = sizeof(help) - 1;
	size_t n = front;

	while (n < title.n && title.p[n] != ' ')
		n++;
	return cth_span(title.p + front, n - front);
}

static bool next_family(struct cth_span *rest, struct family *family)
{
	struct cth_span line, ahead;

	do {
		if (rest->n == 0)
			return false;
		line = next_line(rest);
	} while (!begins(line, help));
	family->title = line;
	ahead = *rest;
	while (ahead.n && !begins(ahead, help) && !begins(ahead, STATUS_END))
		next_line(&ahead);
	family->body = cth_span(rest->p, rest->n - ahead.n);
	*rest = ahead;
	return true;
}

static bool find_family(const struct status *run, struct cth_span name, struct family *family)
{
	struct cth_span rest = cth_span(run->text, run->error ? 0 : run->n);

	while (next_family(&rest, family))
		if (is_same(name_of(family->title), name))
			return true;
	return false;
}

static void print_samples(FILE *f, struct cth_span body)
{
	while (body.n) {
		struct cth_span line = next_line(&body);

		if (line.p[0] != '#')
			fwrite(line.p, 1, line.n, f);
	}
}

/* A family where it comes first, and all the others' of that name. */
static void join_family(FILE *f, const struct status *runs, size_t n, size_t first,
			const struct family *family)
{
	struct cth_span name = name_of(family->title);
	struct family other;

	for (size_t i = 0; i < first; i++)
		if (find_family(&runs[i], name, &other))
			return;
	fwrite(family->title.p, 1, family->title.n, f);
	fwrite(family->body.p, 1, family->body.n, f);
	for (size_t i = first + 1; i < n; i++)
		if (find_family(&runs[i], name, &other))
			print_samples(f, other.body);
}

void status_prometheus(FILE *f, const struct status *runs, size_t n)
{
	if (n == 1 && !runs[0].error)
		fwrite(runs[0].text, 1, runs[0].n, f);
	for (size_t i = 0; i < n && n > 1; i++) {
		struct cth_span rest = cth_span(runs[i].text, runs[i].error ? 0 : runs[i].n);
		struct family family;

		while (next_family(&rest, &family))
			join_family(f, runs, n, i, &family);
	}
	if (n > 1)
		fputs(STATUS_END, f);
}
