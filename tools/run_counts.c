/* SPDX-License-Identifier: MIT */
/*
 * run_counts.c - what `cth run` has counted, for each helper and for the queue. One counter on
 * a line: whose, which, how many.
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

#define HELPER_COUNTERS (15 + CTH_NOTES)

static size_t helper_counters(const struct cth_engine_stats *s,
			      struct counter c[HELPER_COUNTERS])
{
	static const char *const note_names[CTH_NOTES] = {
		[CTH_NOTE_FOREIGN] = "foreign",
		[CTH_NOTE_LOW_PORT] = "low_port",
		[CTH_NOTE_GARBLED] = "garbled",
		[CTH_NOTE_UNFOLLOWED] = "unfollowed",
		[CTH_NOTE_SEALED] = "sealed",
	};
	const struct counter all[] = {
		{ "packets", s->packets, NULL }, { "bare", s->bare, NULL },
		{ "unseen", s->unseen, NULL }, { "expected", s->expected, NULL },
		{ "again", s->again, NULL }, { "refused", s->refused, NULL },
		{ "unsure", s->unsure, NULL }, { "ports", s->ports, NULL },
		{ "edits", s->edits, NULL }, { "edits_refused", s->edits_refused, NULL },
		{ "states", s->states, NULL }, { "left", s->left, NULL },
		{ "dropped", s->dropped, NULL }, { "violations", s->violations, NULL },
	};
	size_t n = sizeof(all) / sizeof(all[0]);

	memcpy(c, all, sizeof(all));
	for (size_t i = 0; i < CTH_NOTES; i++)
		if (note_names[i])
			c[n++] = (struct counter){ note_names[i], s->notes[i], NULL };
	return n;
}

#define ROLE_COUNTERS 10

/* What the worker has cost; with --single there is none. */
static void role_counters(const struct run *r, struct counter c[ROLE_COUNTERS])
{
	const struct role_counts *n = &r->shared->roles;
	const struct counter all[ROLE_COUNTERS] = {
		{ "workers", n->workers, NULL }, { "died", n->died, NULL },
		{ "hung", n->hung, NULL }, { "protested", n->protested, NULL },
		{ "undecided", n->undecided, NULL }, { "limited", n->limited, NULL },
		{ "kept", n->kept, NULL },
		{ "thrown", n->thrown, NULL }, { "keepers", n->keepers, NULL },
		{ "silent", n->silent, NULL },
	};

	memcpy(c, all, sizeof(all));
}

static void print_counters(const char *whose, const struct counter *c, size_t n, bool all)
{
	for (size_t i = 0; i < n; i++)
		if (all || c[i].value)
			printf("%-15s %-18s %" PRIu64 "\n", whose, c[i].name, c[i].value);
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

static void all_counters_json(struct run *r)
{
	struct json j = { .f = stdout };
	struct counter c[HELPER_COUNTERS], roles[ROLE_COUNTERS];

	json_open(&j, NULL, '{');
	json_string(&j, "event", "counters");
	json_open(&j, "helpers", '[');
	for (size_t i = 0; i < r->n; i++) {
		json_open(&j, NULL, '{');
		json_string(&j, "helper", cth_served_name(&r->served[i]));
		json_string(&j, "protocol", r->served[i].proto->name);
		counters_json(&j, c, helper_counters(&r->served[i].stats, c));
		json_close(&j, '}');
	}
	json_close(&j, ']');
	if (!r->single) {
		role_counters(r, roles);
		json_open(&j, "worker", '{');
		counters_json(&j, roles, ROLE_COUNTERS);
		json_close(&j, '}');
	}
	json_open(&j, "queues", '[');
	for (size_t i = 0; i < r->places_n; i++)
		place_json(&j, &r->places[i]);
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

static void all_counters_text(struct run *r, bool all)
{
	struct counter c[HELPER_COUNTERS], roles[ROLE_COUNTERS], queue[QUEUE_COUNTERS];
	const struct counter untold = { "untold", r->untold, NULL };
	struct counter others = { "others", 0, NULL };

	role_counters(r, roles);
	if (!r->single || r->shared->roles.undecided)
		print_counters("worker", roles, ROLE_COUNTERS, all);
	for (size_t i = 0; i < r->n; i++)
		print_counters(cth_served_name(&r->served[i]), c,
			       helper_counters(&r->served[i].stats, c), all);
	for (size_t i = 0; i < r->places_n; i++) {
		const struct run_place *p = &r->places[i];

		place_counters(p, queue);
		others.value = p->service.engine.others;
		print_counters(place_text(p), queue, QUEUE_COUNTERS, all);
		print_counters(place_text(p), &others, 1, all);
	}
	print_counters("output", &untold, 1, all);
}

void show_counters(struct run *r, bool end)
{
	struct counter queue[QUEUE_COUNTERS];

	if (common.json)
		all_counters_json(r);
	else
		all_counters_text(r, !end);
	shown(r);
	for (size_t i = 0; i < r->places_n && end; i++) {
		place_counters(&r->places[i], queue);
		tell_losses(queue);
	}
}
