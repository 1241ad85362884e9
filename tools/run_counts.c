/* SPDX-License-Identifier: MIT */
/*
 * run_counts.c - what `cth run` has counted, for each helper and for the queue. One counter on
 * a line: whose, which, how many.
 *
 * Packets wait meanwhile. So each line is written only if its reader has room for it, and an
 * object of JSON piece by piece, each shorter than what a pipe takes at once. At the end nobody
 * waits any more, and the reader has some time.
 */
#include <inttypes.h>
#include "proc.h"
#include "run.h"

static void measure_place(struct run_place *p)
{
	const struct cth_sock *s = &p->service.sock;
	struct queue_losses lost = { .socket = p->losses.socket };
	bool seen = false;
	uint32_t drops;
	int queue;

	for (size_t i = 0; (queue = place_queue(p, i)) >= 0; i++) {
		struct proc_queue q;

		if (proc_queue((uint32_t)queue, &q) != 1 || q.portid != s->portid)
			continue;
		seen = true;
		lost.full += q.dropped_full;
		lost.no_room += q.dropped_socket;
	}
	if (cth_sock_drops(s, &drops) == 0)
		lost.socket = drops;
	if (!seen) {
		lost.full = p->losses.full;
		lost.no_room = p->losses.no_room;
	}
	p->losses = lost;
}

void measure_losses(struct run *r)
{
	for (size_t i = 0; i < r->places_n; i++) {
		proc_in((unsigned)i);
		measure_place(&r->places[i]);
	}
}

#define PIECE_WAIT 200  /* ms for the next piece of an object that has begun */
#define END_WAIT   1000 /* ms for each line at the end */

static bool has_room(struct run *r, bool end)
{
	if (reader_has_room(r, end ? END_WAIT : 0))
		return true;
	if (end && !r->mute)
		show_no_more(r, "nobody reads it");
	return false;
}

/* Half an object is none: whoever does not take the rest gets nothing more. */
static bool next_piece(struct run *r)
{
	shown(r);
	if (reader_has_room(r, PIECE_WAIT))
		return true;
	if (!r->mute)
		show_no_more(r, "its reader has stopped in the middle of the counters");
	return false;
}

static void print_value(struct run *r, const char *whose, const char *name, uint64_t value,
			bool end)
{
	if ((end && !value) || !has_room(r, end))
		return;
	printf("%-15s %-18s %" PRIu64 "\n", whose, name, value);
	shown(r);
}

static void print_table(struct run *r, const char *whose, const struct status_counter *c, size_t n,
			const void *counts, bool end)
{
	for (size_t i = 0; i < n; i++)
		print_value(r, whose, c[i].name, status_value(&c[i], counts), end);
}

static void table_json(struct json *j, const struct status_counter *c, size_t n, const void *counts)
{
	for (size_t i = 0; i < n; i++)
		json_number(j, c[i].name, status_value(&c[i], counts));
}

static void print_counters(struct run *r, const char *whose, const struct counter *c, size_t n,
			   bool end)
{
	for (size_t i = 0; i < n; i++)
		print_value(r, whose, c[i].name, c[i].value, end);
}

static void counters_json(struct json *j, const struct counter *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		json_number(j, c[i].name, c[i].value);
}

static void place_counters(const struct run_place *p, struct counter c[QUEUE_COUNTERS])
{
	queue_counters(&p->service.queue.stats, &p->service.sock.stats, &p->losses, c);
}

static void place_json(struct json *j, const struct run_place *p)
{
	struct counter c[QUEUE_COUNTERS];
	int queue;

	place_counters(p, c);
	json_open(j, NULL, '{');
	if (p->netns)
		json_string(j, "netns", p->netns);
	json_open(j, "numbers", '[');
	for (size_t i = 0; (queue = place_queue(p, i)) >= 0; i++)
		json_number(j, NULL, (uint64_t)queue);
	json_close(j, ']');
	counters_json(j, c, QUEUE_COUNTERS);
	json_number(j, "others", p->service.engine.others);
	json_close(j, '}');
}

static void all_counters_json(struct run *r, bool end)
{
	struct json j = { .f = stdout };

	if (!has_room(r, end))
		return;
	json_open(&j, NULL, '{');
	json_string(&j, "event", "counters");
	json_open(&j, "helpers", '[');
	for (size_t i = 0; i < r->n; i++) {
		if (!next_piece(r))
			return;
		json_open(&j, NULL, '{');
		json_string(&j, "helper", cth_served_name(&r->served[i]));
		json_string(&j, "protocol", r->served[i].proto->name);
		table_json(&j, status_helper_counters, status_helper_counters_n, &r->served[i].stats);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	if (!next_piece(r))
		return;
	if (!r->single) {
		json_open(&j, "worker", '{');
		table_json(&j, status_role_counters, status_role_counters_n, &r->shared->roles);
		json_close(&j, '}');
	}
	json_open(&j, "queues", '[');
	for (size_t i = 0; i < r->places_n; i++) {
		if (!next_piece(r))
			return;
		place_json(&j, &r->places[i]);
	}
	json_close(&j, ']');
	json_number(&j, "untold", r->untold);
	json_close(&j, '}');
}

/* "queue-1,2", or "dmz:queue-1" */
static const char *place_text(const struct run_place *p)
{
	const char *text = p->netns ? phrase("%s:queue-", p->netns) : "queue-";
	int queue;

	for (size_t i = 0; (queue = place_queue(p, i)) >= 0; i++)
		text = phrase("%s%s%d", text, i ? "," : "", queue);
	return text;
}

static void all_counters_text(struct run *r, bool end)
{
	struct counter queue[QUEUE_COUNTERS];

	if (!r->single || r->shared->roles.undecided)
		print_table(r, "worker", status_role_counters, status_role_counters_n,
			    &r->shared->roles, end);
	for (size_t i = 0; i < r->n; i++)
		print_table(r, cth_served_name(&r->served[i]), status_helper_counters,
			    status_helper_counters_n, &r->served[i].stats, end);
	for (size_t i = 0; i < r->places_n; i++) {
		const struct run_place *p = &r->places[i];

		place_counters(p, queue);
		print_counters(r, place_text(p), queue, QUEUE_COUNTERS, end);
		print_value(r, place_text(p), "others", p->service.engine.others, end);
	}
	print_value(r, "output", "untold", r->untold, end);
}

void show_counters(struct run *r, bool end)
{
	struct counter queue[QUEUE_COUNTERS];

	if (common.json)
		all_counters_json(r, end);
	else
		all_counters_text(r, end);
	shown(r);
	for (size_t i = 0; i < r->places_n && end; i++) {
		place_counters(&r->places[i], queue);
		tell_losses(queue);
	}
}
