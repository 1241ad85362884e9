/* SPDX-License-Identifier: MIT */
/*
 * run_status.c - `cth run` and its status socket: where it is, and what is told there: see
 * status.h.
 */
#include "log.h"
#include "run.h"

_Static_assert(RUN_PLACES <= STATUS_QUEUES, "all of them are told");
#define NUMBERS (CTH_SERVICE_HELPERS * 6 + 1) /* "65535,..." */

/* A file always says one, if only by saying none. */
int run_open_status(struct run *r)
{
	struct status_socket *s = &r->status;

	if (r->conf_path || r->conntrackd_path) {
		s->path = r->conf.status;
		s->off = !s->path;
		s->usual = !r->conf.at[CONF_STATUS];
	}
	return status_open(s, cth_served_name(r->served), r->places[0].netns);
}

static void look_at_helper(struct status_helper *h, struct run *r, size_t i)
{
	const struct cth_served *s = &r->served[i];

	h->name = cth_served_name(s);
	h->protocol = s->proto->name;
	h->netns = place_of(r, s)->netns;
	h->queue = s->terms.queue;
	h->stats = &s->stats;
	h->latency = &r->shared->latency[i];
}

/* "1,2", and how many packets wait there; -1: there is nothing to tell of them. */
static int64_t look_at_numbers(const struct run_place *p, char numbers[NUMBERS])
{
	int64_t waiting = -1;
	size_t at = 0;
	int queue;

	numbers[0] = 0;
	for (size_t i = 0; (queue = place_queue(p, i)) >= 0; i++) {
		struct proc_queue q;

		at += (size_t)snprintf(numbers + at, NUMBERS - at, "%s%u", i ? "," : "",
				       (unsigned)queue & UINT16_MAX);
		if (proc_queue((uint32_t)queue, &q) == 1 && q.portid == p->service.sock.portid)
			waiting = (waiting < 0 ? 0 : waiting) + q.waiting;
	}
	return waiting;
}

static void look_at_place(struct status_queue *to, const struct run_place *p, char numbers[NUMBERS])
{
	to->waiting = look_at_numbers(p, numbers);
	to->numbers = numbers;
	to->netns = p->netns;
	to->others = p->service.engine.others;
	queue_counters(&p->service.queue.stats, &p->service.sock.stats, &p->losses, to->counters);
}

void run_look(struct status_look *l, void *run)
{
	static char numbers[RUN_PLACES][NUMBERS];
	struct run *r = run;

	measure_losses(r);
	l->roles = &r->shared->roles;
	l->untold = r->untold;
	l->unsaid = log_lost();
	for (size_t i = 0; i < r->n; i++)
		look_at_helper(&l->helpers[l->helpers_n++], r, i);
	for (size_t i = 0; i < r->places_n; i++) {
		proc_in((unsigned)i);
		look_at_place(&l->queues[l->queues_n++], &r->places[i], numbers[i]);
	}
}
