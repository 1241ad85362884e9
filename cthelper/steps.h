/* SPDX-License-Identifier: MIT */
/*
 * steps.h - what the parts of a service call each other for. Private to the library.
 *
 *     service.c             opens, runs and closes: the order of all steps
 *     service_change.c      goes on with other terms
 *     service_steps.c       services side by side, step by step
 *     service_terms.c       what follows from the terms alone
 *     service_registry.c    the steps: helpers ...
 *     service_queue.c       ... the queues that their packets come from ...
 *     service_rules.c       ... and the rules that give them connections
 */
#ifndef CTH_STEPS_H
#define CTH_STEPS_H

#include "service.h"

/* A step of the way in, for one service; f tells of whom it is about. 0 or -errno. */
typedef int cth_step_fn(struct cth_service *s, struct cth_service_fault *f);

/* Which are, in this order: */
int cth_step_register(struct cth_service *s, struct cth_service_fault *f);
int cth_step_listen(struct cth_service *s, struct cth_service_fault *f);
int cth_step_answer_for(struct cth_service *s, struct cth_service_fault *f);
int cth_step_enable(struct cth_service *s, struct cth_service_fault *f);
int cth_step_attach(struct cth_service *s, struct cth_service_fault *f);

/* The queues that the terms name: part of cth_step_listen(), and of a change. */
int cth_step_bind(struct cth_service *s, struct cth_service_fault *f);

/* How far the way out is. */
struct cth_undoing {
	bool all;          /* it is the end; else what no terms speak of goes */
	bool cleared;      /* rules have gone, of tables that are to follow */
	unsigned patience; /* tries to delete what is busy */
	int first;         /* error; 0: none yet */
};

/* A step of the way out, for one service. What fails does not stop it. */
typedef void cth_undo_fn(struct cth_service *s, struct cth_undoing *u);

/* Which are, in this order; what waits is served after the first, and after rules have gone. */
void cth_undo_enable(struct cth_service *s, struct cth_undoing *u);
void cth_undo_waiting(struct cth_service *s, struct cth_undoing *u);
void cth_undo_rules(struct cth_service *s, struct cth_undoing *u);
void cth_undo_attach(struct cth_service *s, struct cth_undoing *u);
void cth_undo_bind(struct cth_service *s, struct cth_undoing *u);
void cth_undo_listen(struct cth_service *s, struct cth_undoing *u);
void cth_undo_register(struct cth_service *s, struct cth_undoing *u);

/* service_steps.c: every step for all services before the next one begins; NULL ends them. */
int cth_steps_go(const struct cth_service_part *parts, size_t n, cth_step_fn *const *step,
		 struct cth_service_fault *f);
void cth_steps_undo(const struct cth_service_part *parts, size_t n, cth_undo_fn *undo,
		    struct cth_undoing *u);

/* Serves what still waits, of all of them. */
void cth_steps_drain(const struct cth_service_part *parts, size_t n, struct cth_undoing *u);

/* What several have is the first one's to register; -EINVAL: and cannot be on two terms. */
int cth_steps_share(const struct cth_service_part *parts, size_t n);

/* For each helper of a service until one fails. */
typedef int cth_step_one_fn(struct cth_service *s, struct cth_service_helper *h,
			 struct cth_service_fault *f);
int cth_step_each(struct cth_service *s, cth_step_one_fn *step, struct cth_service_fault *f);

/* Neither done nor refused, as far as we know. */
bool cth_step_in_doubt(int r, const struct cth_nack *nack);

/* Keeps the first error; true: it is undone. What is gone already is as good as removed. */
bool cth_step_undone(int r, int *first);

/* service_terms.c: rules without any port would give a helper every flow there is. */
bool cth_terms_have_ports(const struct cth_served *served);

/* Is the i-th the first of those that share its queue? And the queue as all of them want it. */
bool cth_terms_are_first(const struct cth_served *served, size_t i);
void cth_terms_queue(const struct cth_served *served, size_t n, size_t i,
		     struct cth_queue_config *config);
bool cth_terms_name(const struct cth_served *served, size_t n, uint16_t queue);

/* Packets that can wait, in all queues but those of others. */
size_t cth_terms_waiting(const struct cth_served *served, size_t n,
			 const struct cth_served *others);

/* A registration's name; and the helper as it is to be, disabled. */
static inline const char *cth_registered_name(const struct cth_service_helper *h)
{
	return cth_served_name(h->served);
}

static inline void cth_registered_helper(const struct cth_service_helper *h,
					 struct cth_helper *want)
{
	cth_served_helper(h->served, h->l3, h->l4, want);
}

#endif
