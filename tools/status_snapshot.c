/* SPDX-License-Identifier: MIT */
/*
 * status_snapshot.c - what a run tells of itself, in Prometheus' text format: one family after the
 * other, and in each a line for every helper, or every queue.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include "cth.h"
#include "status.h"

#ifndef CTH_VERSION
#define CTH_VERSION "of unknown version"
#endif
#define LABELS 512

struct text {
	char *room;
	size_t n, size;
	bool cut;
};

/* A line, whole; after one that did not fit there are no more. */
static void put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	if (t->cut)
		return;
	va_start(args, format);
	n = vsnprintf(t->room + t->n, t->size - t->n, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= t->size - t->n)
		t->cut = true;
	else
		t->n += (size_t)n;
}

static void put_family(struct text *t, const char *name, const char *type, const char *means)
{
	put(t, "# HELP %s %s\n# TYPE %s %s\n", name, means, name, type);
}

static void put_value(struct text *t, const char *name, const char *labels, uint64_t value)
{
	put(t, "%s{%s} %" PRIu64 "\n", name, labels, value);
}

/* Labels. */

/* NAME="VALUE", the value of n bytes, behind what stands there. */
static void add_label(char labels[LABELS], const char *name, const char *value, size_t n)
{
	size_t at = strlen(labels);

	if (LABELS - at < strlen(name) + 8)
		return;
	at += (size_t)snprintf(labels + at, LABELS - at, "%s%s=\"", at ? "," : "", name);
	for (size_t i = 0; i < n && at < LABELS - 4; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c == '"' || c == '\\')
			labels[at++] = '\\';
		labels[at++] = c < ' ' || c == 0x7f ? '?' : (char)c;
	}
	labels[at++] = '"';
	labels[at] = 0;
}

static void add_text(char labels[LABELS], const char *name, const char *value)
{
	add_label(labels, name, value, strlen(value));
}

static const char *run_labels(const struct status_socket *s, char labels[LABELS])
{
	const char *name;
	size_t n = status_name(s->at, &name);

	labels[0] = 0;
	add_label(labels, "run", name, n);
	return labels;
}

static const char *queue_labels(const struct status_queue *q, char labels[LABELS])
{
	labels[0] = 0;
	add_text(labels, "queue", q->numbers);
	if (q->netns)
		add_text(labels, "netns", q->netns);
	return labels;
}

static const char *helper_labels(const struct status_helper *h, char labels[LABELS])
{
	labels[0] = 0;
	add_text(labels, "helper", h->name);
	add_text(labels, "queue", phrase("%u", h->queue));
	if (h->netns)
		add_text(labels, "netns", h->netns);
	return labels;
}

/* The run. */

static void put_of_run(struct text *t, const char *labels, const char *word, const char *means,
		       uint64_t value)
{
	const char *name = phrase("cth_%s_total", word);

	put_family(t, name, "counter", means);
	put_value(t, name, labels, value);
}

static void put_run(struct text *t, const struct status_socket *s, const struct status_look *l)
{
	char labels[LABELS];

	run_labels(s, labels);
	put_family(t, "cth_info", "gauge", "The program.");
	put(t, "cth_info{%s,version=\"%s\"} 1\n", labels, CTH_VERSION);
	put_family(t, "cth_start_time_seconds", "gauge", "When it was started, since 1970.");
	put_value(t, "cth_start_time_seconds", labels, (uint64_t)s->started);
	for (size_t i = 0; i < status_role_counters_n; i++)
		put_of_run(t, labels, status_role_counters[i].name, status_role_counters[i].means,
			   status_value(&status_role_counters[i], l->roles));
	put_of_run(t, labels, "untold", "Lines of standard output that would have had to wait for "
		   "their reader.", l->untold);
	put_of_run(t, labels, "unsaid", "Messages that would have had to wait for theirs.", l->unsaid);
	put_of_run(t, labels, "status_answers", "Clients of the status socket that this keeper has "
		   "answered.", s->answers);
	put_of_run(t, labels, "status_strangers", "Clients of it that were not root.", s->strangers);
	put_of_run(t, labels, "status_cut", "Answers that did not go out whole.", s->cut);
}

/* The helpers. */

static void put_infos(struct text *t, const struct status_socket *s, const struct status_look *l)
{
	char of_run[LABELS], labels[LABELS];

	run_labels(s, of_run);
	put_family(t, "cth_helper_info", "gauge", "What the helper serves.");
	for (size_t i = 0; i < l->helpers_n; i++)
		put(t, "cth_helper_info{%s,protocol=\"%s\",%s} 1\n",
		    helper_labels(&l->helpers[i], labels), l->helpers[i].protocol, of_run);
}

static void put_counter(struct text *t, const struct status_look *l, const struct status_counter *c)
{
	const char *name = phrase("cth_%s_total", c->name);
	char labels[LABELS];

	put_family(t, name, "counter", c->means);
	for (size_t i = 0; i < l->helpers_n; i++)
		put_value(t, name, helper_labels(&l->helpers[i], labels),
			  status_value(c, l->helpers[i].stats));
}

static void put_causes(struct text *t, const struct status_helper *h)
{
	char labels[LABELS];

	helper_labels(h, labels);
	for (size_t i = 0; i < status_helper_counters_n; i++)
		if (status_helper_counters[i].cause)
			put(t, "cth_passed_total{%s,cause=\"%s\"} %" PRIu64 "\n", labels,
			    status_helper_counters[i].name, status_value(&status_helper_counters[i], h->stats));
}

/* 0.00025 of 250000 */
static const char *seconds(uint64_t nanoseconds, char text[32])
{
	char *end = text + snprintf(text, 32, "%" PRIu64 ".%09" PRIu64, nanoseconds / 1000000000,
				    nanoseconds % 1000000000) - 1;

	for (; *end == '0'; end--)
		*end = 0;
	if (*end == '.')
		*end = 0;
	return text;
}

static void put_latency(struct text *t, const struct run_latency *l, const char *labels)
{
	uint64_t n = 0;
	char text[32];

	for (size_t i = 0; i < STATUS_TIMES; i++) {
		n += l->took[i];
		put(t, "cth_decision_seconds_bucket{%s,le=\"%s\"} %" PRIu64 "\n", labels,
		    seconds(status_times[i], text), n);
	}
	n += l->took[STATUS_TIMES];
	put(t, "cth_decision_seconds_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", labels, n);
	put(t, "cth_decision_seconds_sum{%s} %s\n", labels, seconds(l->sum, text));
	put(t, "cth_decision_seconds_count{%s} %" PRIu64 "\n", labels, n);
}

static void put_helpers(struct text *t, const struct status_look *l)
{
	char labels[LABELS];

	for (size_t i = 0; i < status_helper_counters_n; i++)
		if (!status_helper_counters[i].cause)
			put_counter(t, l, &status_helper_counters[i]);
	put_family(t, "cth_passed_total", "counter", "Packets that passed unfollowed, by cause.");
	for (size_t i = 0; i < l->helpers_n; i++)
		put_causes(t, &l->helpers[i]);
	put_family(t, "cth_decision_seconds", "histogram",
		   "How long packets waited for their decision.");
	for (size_t i = 0; i < l->helpers_n; i++)
		put_latency(t, l->helpers[i].latency, helper_labels(&l->helpers[i], labels));
}

/* The queues. */

static const struct {
	const char *name, *means; /* where listen.c tells no loss */
} queue_means[] = {
	{ "packets", "packets received" },
	{ "verdicts", "packets decided" },
	{ "sends", "datagrams that carried verdicts" },
	{ "stray", "messages that answered no request" },
};

static const char *queue_counter_means(const struct counter *c)
{
	for (size_t i = 0; i < sizeof(queue_means) / sizeof(queue_means[0]); i++)
		if (strcmp(queue_means[i].name, c->name) == 0)
			return queue_means[i].means;
	return c->loss ? c->loss : c->name;
}

/* queue_dropped is cth_queue_dropped_total too. */
static const char *queue_metric(const struct counter *c, bool gauge)
{
	bool twice = strncmp(c->name, "queue_", 6) == 0;

	return phrase("cth_queue_%s%s", c->name + (twice ? 6 : 0), gauge ? "" : "_total");
}

/* All sockets have the same counters. One is known only at the end. */
static void put_queue_counter(struct text *t, const struct status_look *l, size_t i)
{
	const struct counter *c = &l->queues[0].counters[i];
	bool gauge = strcmp(c->name, "held") == 0;
	const char *name = queue_metric(c, gauge);
	char labels[LABELS];

	if (strcmp(c->name, "waiting") == 0)
		return;
	put_family(t, name, gauge ? "gauge" : "counter", queue_counter_means(c));
	for (size_t k = 0; k < l->queues_n; k++)
		put_value(t, name, queue_labels(&l->queues[k], labels),
			  l->queues[k].counters[i].value);
}

static void put_queues(struct text *t, const struct status_look *l)
{
	char labels[LABELS];

	put_family(t, "cth_queue_waiting", "gauge", "packets that wait for their verdict");
	for (size_t i = 0; i < l->queues_n; i++)
		if (l->queues[i].waiting >= 0)
			put_value(t, "cth_queue_waiting", queue_labels(&l->queues[i], labels),
				  (uint64_t)l->queues[i].waiting);
	for (size_t i = 0; i < QUEUE_COUNTERS && l->queues_n; i++)
		put_queue_counter(t, l, i);
	put_family(t, "cth_queue_others_total", "counter",
		   "packets that are no helper's of this run; they passed");
	for (size_t i = 0; i < l->queues_n; i++)
		put_value(t, "cth_queue_others_total", queue_labels(&l->queues[i], labels),
			  l->queues[i].others);
}

size_t status_snapshot(const struct status_socket *s, const struct status_look *l, char *room,
		       size_t size, bool *whole)
{
	struct text t = { room, 0, size, false };

	put_run(&t, s, l);
	put_infos(&t, s, l);
	put_helpers(&t, l);
	put_queues(&t, l);
	put(&t, "%s", STATUS_END);
	*whole = !t.cut;
	return t.n;
}

/* How long decisions take. */

#define MICROSECONDS(n) (n) * (uint64_t)1000
const uint64_t status_times[STATUS_TIMES] = {
	MICROSECONDS(50), MICROSECONDS(100), MICROSECONDS(250), MICROSECONDS(500),
	MICROSECONDS(1000), MICROSECONDS(2500), MICROSECONDS(5000), MICROSECONDS(10000),
	MICROSECONDS(25000), MICROSECONDS(100000), MICROSECONDS(500000), MICROSECONDS(2500000),
};

int64_t latency_begin(void)
{
	struct timespec t = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void latency_end(struct run_latency *l, int64_t begun)
{
	int64_t now = latency_begin();
	uint64_t took = now > begun ? (uint64_t)(now - begun) : 0;
	size_t i = 0;

	while (i < STATUS_TIMES && took > status_times[i])
		i++;
	l->took[i]++;
	l->sum += took;
}
