/* SPDX-License-Identifier: MIT */
/*
 * service_queue.c - the steps of a service with its queues: bound before helpers are enabled,
 * emptied before they are let go of; and taken over from a predecessor, with what waits in them.
 */
#include "steps.h"

static bool service_is_bound(const struct cth_service *s, uint16_t queue)
{
	for (size_t i = 0; i < s->queues_n; i++)
		if (s->queues[i] == queue)
			return true;
	return false;
}

static int service_bind(struct cth_service *s, size_t i, struct cth_service_fault *f)
{
	struct cth_served *served = &s->config.served[i];
	struct cth_queue_config config;
	int r;

	memset(f, 0, sizeof(*f));
	f->step = CTH_STEP_BIND;
	f->served = served;
	cth_terms_queue(s->config.served, s->config.n, i, &config);
	r = cth_queue_bind(&s->queue, served->terms.queue, &config, &f->nack);
	if (r < 0 || service_is_bound(s, served->terms.queue))
		return r;
	s->queues[s->queues_n++] = served->terms.queue;
	return 0;
}

int cth_step_bind(struct cth_service *s, struct cth_service_fault *f)
{
	int r = 0;

	for (size_t i = 0; i < s->config.n && r == 0; i++)
		if (cth_terms_are_first(s->config.served, i))
			r = service_bind(s, i, f);
	return r;
}

/*
 * What a dead predecessor had read and not decided is dropped, for what it had done by half nobody
 * knows; what it had not read is served: some of it here, the rest before the answer to bind,
 * which is behind it.
 *
 * Such a packet may show its flow's state from before the last verdict, and the table of states on
 * their way has died with the predecessor. A protocol reads that as packets that went by
 * unseen, and so it was, as far as it can know: FTP, whose state says which byte comes next in
 * either direction, finds a gap, does not read the segment, tells of it if it looks like an
 * announcement, and goes on from its end. As the older state is then the flow's, the other
 * side's next line may be behind a gap too. Never is a byte taken for another: numbers in an
 * older state are only smaller. What is sent again from before it may be read anew, and its
 * port be chosen anew; an AUTH may be forgotten, and what is encrypted goes on being queued.
 * All that is no worse than a segment that was lost on the way here, and takes a flow with
 * several packets queued at once.
 */
static int service_inherit(struct cth_service *s, struct cth_service_fault *f)
{
	const struct cth_served *served = s->config.served;
	int r = 0;

	memset(f, 0, sizeof(*f));
	f->step = CTH_STEP_BIND;
	f->served = served;
	for (size_t i = 0; i < s->config.n && r == 0; i++)
		if (cth_terms_are_first(served, i))
			r = cth_queue_take_over(&s->queue, served[i].terms.queue,
						CTH_QUEUE_CONNTRACK);
	if (r == 0)
		r = cth_engine_run(&s->engine, 0, 0);
	return r < 0 ? r : 0;
}

int cth_step_listen(struct cth_service *s, struct cth_service_fault *f)
{
	int r = 0;

	if (s->config.rcvbuf > 0)
		(void)cth_sock_rcvbuf(&s->sock, s->config.rcvbuf);
	if (s->config.resume && !s->config.left_well)
		r = service_inherit(s, f);
	return r < 0 ? r : cth_step_bind(s, f);
}

/* Until its socket is empty; no more than can have waited, should another rule feed the queue. */
void cth_undo_waiting(struct cth_service *s, struct cth_undoing *u)
{
	int r = s->queues_n ? cth_engine_run(&s->engine, s->waiting, 0) : 0;

	cth_step_undone(r < 0 ? r : 0, &u->first);
}

/* All queues, or those that no terms name. */
void cth_undo_bind(struct cth_service *s, struct cth_undoing *u)
{
	for (size_t i = s->queues_n; i-- > 0;) {
		if (u->all ? s->stay : cth_terms_name(s->config.served, s->config.n, s->queues[i]))
			continue;
		if (cth_step_undone(cth_queue_unbind(&s->queue, s->queues[i], NULL), &u->first))
			s->queues[i] = s->queues[--s->queues_n];
	}
}

/* That unbinds even if the kernel would not hear of it. */
void cth_undo_listen(struct cth_service *s, struct cth_undoing *u)
{
	(void)u;
	cth_sock_close(&s->sock);
}
