/* SPDX-License-Identifier: MIT */
/*
 * run_counts.c - what `cth run` has counted, for each helper and for the queue. One counter on
 * a line: whose, which, how many.
 */
#include <inttypes.h>
#include "proc.h"
#include "run.h"

void measure_losses(struct run *r)
{
	const struct cth_sock *s = &r->service.sock;
	struct proc_queue q;
	uint32_t drops;

	if (proc_queue(r->config.queue, &q) == 1 && q.portid == s->portid) {
		r->losses.full = q.dropped_full;
		r->losses.no_room = q.dropped_socket;
	}
	if (cth_sock_drops(s, &drops) == 0)
		r->losses.socket = drops;
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

#define ROLE_COUNTERS 9

/* What the worker has cost; with --single there is none. */
static void role_counters(const struct run *r, struct counter c[ROLE_COUNTERS])
{
	const struct role_counts *n = &r->roles;
	const struct counter all[ROLE_COUNTERS] = {
		{ "workers", n->workers, NULL }, { "died", n->died, NULL },
		{ "hung", n->hung, NULL }, { "protested", n->protested, NULL },
		{ "undecided", n->undecided, NULL }, { "kept", n->kept, NULL },
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

static void all_counters_json(struct run *r, const struct counter queue[QUEUE_COUNTERS])
{
	struct json j = { .f = stdout };
	struct counter c[HELPER_COUNTERS], roles[ROLE_COUNTERS];

	json_open(&j, NULL, '{');
	json_string(&j, "event", "counters");
	json_open(&j, "helpers", '[');
	for (size_t i = 0; i < r->config.n; i++) {
		json_open(&j, NULL, '{');
		json_string(&j, "helper", served_name(&r->served[i]));
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
	json_open(&j, "queue", '{');
	json_number(&j, "number", r->config.queue);
	counters_json(&j, queue, QUEUE_COUNTERS);
	json_number(&j, "others", r->service.engine.others);
	json_number(&j, "untold", r->untold);
	json_close(&j, '}');
	json_close(&j, '}');
}

static void all_counters_text(struct run *r, const struct counter queue[QUEUE_COUNTERS], bool all)
{
	const struct counter rest[] = {
		{ "others", r->service.engine.others, NULL },
		{ "untold", r->untold, NULL },
	};
	const char *whose = phrase("queue-%u", r->config.queue);
	struct counter c[HELPER_COUNTERS], roles[ROLE_COUNTERS];

	role_counters(r, roles);
	if (!r->single)
		print_counters("worker", roles, ROLE_COUNTERS, all);
	for (size_t i = 0; i < r->config.n; i++)
		print_counters(served_name(&r->served[i]), c,
			       helper_counters(&r->served[i].stats, c), all);
	print_counters(whose, queue, QUEUE_COUNTERS, all);
	print_counters(whose, rest, sizeof(rest) / sizeof(rest[0]), all);
}

void show_counters(struct run *r, bool end)
{
	struct counter queue[QUEUE_COUNTERS];

	queue_counters(&r->service.queue.stats, &r->service.sock.stats, &r->losses, queue);
	if (common.json)
		all_counters_json(r, queue);
	else
		all_counters_text(r, queue, !end);
	shown(r);
	if (end)
		tell_losses(queue);
}
