/* SPDX-License-Identifier: MIT */
/*
 * status_read.c - reads what a run says of itself: see status_read.h. Whoever has said it is
 * believed nothing: what is not of the format is told with its line, and not shown.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "status_read.h"

/* The format. */

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* The word at the beginning of the line, which is shortened by it. */
static bool take_name(struct cth_span *line, struct cth_span *name)
{
	size_t n = 0;

	while (n < line->n && (is_letter(line->p[n]) || (n > 0 && is_digit(line->p[n]))))
		n++;
	*name = cth_span(line->p, n);
	*line = cth_span(line->p + n, line->n - n);
	return n > 0;
}

static bool take_byte(struct cth_span *line, uint8_t byte)
{
	if (line->n == 0 || line->p[0] != byte)
		return false;
	*line = cth_span(line->p + 1, line->n - 1);
	return true;
}

/* Up to the quote that ends it, and past it. */
static bool take_quoted(struct cth_span *line, struct cth_span *value)
{
	size_t n = 0;

	if (!take_byte(line, '"'))
		return false;
	while (n < line->n && line->p[n] != '"') {
		if (line->p[n] == '\\' && ++n == line->n)
			return false;
		if (line->p[n] < ' ' || line->p[n] == 0x7f)
			return false;
		n++;
	}
	*value = cth_span(line->p, n);
	*line = cth_span(line->p + n, line->n - n);
	return take_byte(line, '"');
}

static bool take_labels(struct cth_span *line, struct status_sample *s)
{
	if (!take_byte(line, '{'))
		return true;
	do {
		struct status_label *l = &s->labels[s->n];

		if (s->n++ == STATUS_LABELS || !take_name(line, &l->name) ||
		    !take_byte(line, '=') || !take_quoted(line, &l->value))
			return false;
	} while (take_byte(line, ','));
	return take_byte(line, '}');
}

static bool take_fraction(struct cth_span *line, uint32_t *nano)
{
	uint32_t digit = 100000000;
	size_t n = 0;

	for (; n < line->n && is_digit(line->p[n]); n++, digit /= 10)
		*nano += digit * (uint32_t)(line->p[n] - '0');
	*line = cth_span(line->p + n, line->n - n);
	return n > 0 && n <= 9;
}

static bool take_number(struct cth_span *line, struct status_sample *s)
{
	size_t n = 0;

	for (; n < line->n && is_digit(line->p[n]); n++) {
		uint64_t digit = (uint64_t)(line->p[n] - '0');

		if (s->value > (UINT64_MAX - digit) / 10)
			return false;
		s->value = s->value * 10 + digit;
	}
	*line = cth_span(line->p + n, line->n - n);
	if (n == 0)
		return false;
	return !take_byte(line, '.') || take_fraction(line, &s->nano);
}

static bool read_sample(struct cth_span line, struct status_sample *s)
{
	memset(s, 0, sizeof(*s));
	return take_name(&line, &s->name) && take_labels(&line, s) && take_byte(&line, ' ') &&
	       take_number(&line, s) && line.n == 0;
}

/* Nothing that a terminal would take for a command. */
static bool is_printable(struct cth_span line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] < ' ' || line.p[i] == 0x7f)
			return false;
	return true;
}

static int add_sample(struct status *s, const struct status_sample *sample)
{
	if (s->samples_n == STATUS_SAMPLES)
		return -EFBIG;
	if ((s->samples_n & (s->samples_n - 1)) == 0) { /* room for a power of two */
		size_t room = s->samples_n ? 2 * s->samples_n : 1;
		void *more = realloc(s->samples, room * sizeof(*sample));

		if (!more)
			return -ENOMEM;
		s->samples = more;
	}
	s->samples[s->samples_n++] = *sample;
	return 0;
}

static int read_line(struct status *s, struct cth_span line)
{
	struct status_sample sample;

	if (!is_printable(line))
		return -EBADMSG;
	if (line.n > 0 && line.p[0] == '#')
		return 0;
	return read_sample(line, &sample) ? add_sample(s, &sample) : -EBADMSG;
}

/* Line by line. A last one without its end was cut, and so was what lacks STATUS_END. */
static int read_lines(struct status *s)
{
	struct cth_span rest = cth_span(s->text, s->n);
	const size_t end = sizeof(STATUS_END) - 1;
	bool ended = false;

	while (rest.n > 0) {
		const uint8_t *newline = memchr(rest.p, '\n', rest.n);
		size_t n = newline ? (size_t)(newline - rest.p) : rest.n;
		int err;

		s->line++;
		if (ended)
			return -EBADMSG;
		if (!newline)
			return is_printable(rest) ? -EMSGSIZE : -EBADMSG;
		ended = n + 1 == end && memcmp(rest.p, STATUS_END, end) == 0;
		err = read_line(s, cth_span(rest.p, n));
		if (err < 0)
			return err;
		rest = cth_span(rest.p + n + 1, rest.n - n - 1);
	}
	return ended ? 0 : s->n ? -EMSGSIZE : -ENODATA;
}

/* A text without a single line of the format before it was cut is something else. */
static int read_text(struct status *s)
{
	int err = read_lines(s);

	if (err == -EMSGSIZE && s->samples_n == 0 && (s->n < 7 || memcmp(s->text, "# HELP ", 7) != 0))
		err = -EBADMSG;
	if (err < 0)
		s->samples_n = 0;
	return err;
}

int status_take(struct status *s, char *text, size_t n)
{
	s->text = text;
	s->n = n;
	s->line = 0;
	return s->error = read_text(s);
}

void status_free(struct status *s)
{
	free(s->path);
	free(s->text);
	free(s->samples);
	memset(s, 0, sizeof(*s));
}

/* What is in it. */

static bool is_text(struct cth_span s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

static bool is_same(struct cth_span a, struct cth_span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

struct cth_span status_label(const struct status_sample *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (is_text(s->labels[i].name, name))
			return s->labels[i].value;
	return cth_span("", 0);
}

uint64_t status_of_run(const struct status *s, const char *name)
{
	for (size_t i = 0; i < s->samples_n; i++)
		if (is_text(s->samples[i].name, name))
			return s->samples[i].value;
	return 0;
}

static uint64_t sum_of(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* le="0.00025": nanoseconds; "+Inf" and what is no number are beyond all. */
static uint64_t nanoseconds_of(uint64_t whole, uint32_t nano)
{
	return whole > UINT64_MAX / 1000000000 - 1 ? UINT64_MAX : whole * 1000000000 + nano;
}

static uint64_t bound_of(struct cth_span le)
{
	struct status_sample number = { .value = 0 };

	return take_number(&le, &number) && le.n == 0 ? nanoseconds_of(number.value, number.nano)
						      : UINT64_MAX;
}

static void add_time(struct status_row *row, const struct status_sample *s)
{
	if (row->times_n == STATUS_BOUNDS)
		return;
	row->times[row->times_n].within = bound_of(status_label(s, "le"));
	row->times[row->times_n++].n = s->value;
}

static void add_to_row(struct status_row *row, const struct status_sample *s)
{
	static const char *const names[STATUS_COLUMNS] = {
		[STATUS_PACKETS] = "cth_packets_total", [STATUS_EXPECTED] = "cth_expected_total",
		[STATUS_AGAIN] = "cth_again_total", [STATUS_REFUSED] = "cth_refused_total",
		[STATUS_EDITS] = "cth_edits_total", [STATUS_PASSED] = "cth_passed_total",
		[STATUS_VIOLATIONS] = "cth_violations_total", [STATUS_DROPPED] = "cth_dropped_total",
	};

	for (size_t i = 0; i < STATUS_COLUMNS; i++)
		if (is_text(s->name, names[i]))
			row->counts[i] = sum_of(row->counts[i], s->value);
	if (is_text(s->name, "cth_decision_seconds_bucket"))
		add_time(row, s);
	if (is_text(s->name, "cth_decision_seconds_sum"))
		row->sum = nanoseconds_of(s->value, s->nano);
}

size_t status_name(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	size_t n;

	*name = slash ? slash + 1 : path;
	n = strlen(*name);
	return n > 5 && strcmp(*name + n - 5, ".sock") == 0 ? n - 5 : n;
}

bool status_in_row(const struct status_row *row, const struct status_sample *s)
{
	return is_same(row->helper, status_label(s, "helper")) &&
	       is_same(row->queue, status_label(s, "queue")) &&
	       is_same(row->netns, status_label(s, "netns"));
}

struct rows {
	struct status_row *list;
	size_t n;
	struct status_row rest; /* what is too much */
};

static struct status_row *row_of(struct rows *rows, const struct status *from,
				 const struct status_sample *s)
{
	struct status_row *more;

	/* Those of one run stand behind each other. */
	for (size_t i = rows->n; i-- > 0 && rows->list[i].from == from;)
		if (status_in_row(&rows->list[i], s))
			return &rows->list[i];
	if (rows->n == STATUS_ROWS)
		return &rows->rest;
	more = realloc(rows->list, (rows->n + 1) * sizeof(*more));
	if (!more)
		return NULL;
	rows->list = more;
	rows->list[rows->n] = (struct status_row){
		.from = from, .helper = status_label(s, "helper"),
		.queue = status_label(s, "queue"), .netns = status_label(s, "netns"),
	};
	return &rows->list[rows->n++];
}

static int compare_spans(struct cth_span a, struct cth_span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n ? memcmp(a.p, b.p, n) : 0;

	return r ? r : (a.n > b.n) - (a.n < b.n);
}

static int by_helper(const void *one, const void *other)
{
	const struct status_row *a = one, *b = other;
	int r = compare_spans(a->helper, b->helper);

	if (r == 0)
		r = compare_spans(a->netns, b->netns);
	return r ? r : compare_spans(a->queue, b->queue);
}

static bool is_of(const struct status_sample *s, bool queues)
{
	bool helper = status_label(s, "helper").n > 0;

	return queues ? !helper && status_label(s, "queue").n > 0 : helper;
}

static bool add_rows(struct rows *rows, const struct status *run, bool queues)
{
	for (size_t i = 0; i < run->samples_n; i++) {
		struct status_row *row;

		if (!is_of(&run->samples[i], queues))
			continue;
		row = row_of(rows, run, &run->samples[i]);
		if (!row)
			return false;
		add_to_row(row, &run->samples[i]);
	}
	return true;
}

int status_rows(const struct status *runs, size_t n, bool queues, struct status_row **list)
{
	struct rows rows = { .n = 0 };

	*list = NULL;
	for (size_t i = 0; i < n; i++) {
		if (add_rows(&rows, &runs[i], queues))
			continue;
		free(rows.list);
		return -ENOMEM;
	}
	if (rows.n)
		qsort(rows.list, rows.n, sizeof(*rows.list), by_helper);
	*list = rows.list;
	return (int)rows.n;
}
