/* SPDX-License-Identifier: MIT */
/*
 * service_registry.c - the steps of a service in the kernel's registry of helpers:
 *
 *     GET, NEW disabled > NEW enabled | NEW disabled > NEW as it was, or DEL
 *
 * An answer that is lost leaves open whether the kernel has done it; then it is undone too, for
 * a helper that is disabled once too often is no harm, and one that stays enabled with nobody
 * listening is.
 */
#include <errno.h>
#include "steps.h"

#define SERVICE_FREE_MS 50 /* between two tries to delete what is busy */

/* What cannot be changed about a helper is the same? */
static bool service_is_alike(const struct cth_helper *a, const struct cth_helper *b)
{
	if (a->classes != b->classes || a->priv_len != b->priv_len)
		return false;
	for (size_t i = 0; i < a->classes; i++)
		if (strcmp(a->policy[i].name, b->policy[i].name) != 0)
			return false;
	return true;
}

/* Nothing is changed yet: whether nobody listens on our queue only binding it will tell. */
static int service_take_over(struct cth_service *s, struct cth_service_helper *h,
			     struct cth_service_fault *f)
{
	bool alike = service_is_alike(&h->was, &f->helper);

	f->step = CTH_STEP_TAKE_OVER;
	f->helper = h->was;
	if (!alike)
		return -EEXIST;
	if (h->was.enabled && (uint16_t)h->was.queue != h->served->terms.queue &&
	    !s->config.resume) /* a predecessor may have died between two queues */
		return -EBUSY;
	h->taken = true;
	h->made = s->config.resume && !h->served->terms.keep; /* the predecessor's, and so ours */
	return 0;
}

/* Looking comes first: only so is one whose making is in doubt known to be ours. */
static int service_register(struct cth_service *s, struct cth_service_helper *h,
			    struct cth_service_fault *f)
{
	int r;

	if (h->shared)
		return 0;
	f->step = CTH_STEP_REGISTER;
	cth_registered_helper(h, &f->helper);
	r = cth_helper_get(&s->control, f->helper.name, h->l3, h->l4, &h->was, &f->nack);
	if (r == -ENOENT) {
		r = cth_helper_add(&s->control, &f->helper, &f->nack);
		h->made = r == 0 || cth_step_in_doubt(r, &f->nack);
		if (r != -EEXIST)
			return r;
		r = cth_helper_get(&s->control, f->helper.name, h->l3, h->l4, &h->was, &f->nack);
	}
	return r < 0 ? r : service_take_over(s, h, f);
}

/* Answers to a predecessor's questions. */
static void service_forget_answers(struct cth_service *s)
{
	while (cth_sock_receive(&s->control, s->ring, 1, 0) > 0)
		;
}

int cth_step_register(struct cth_service *s, struct cth_service_fault *f)
{
	if (s->config.resume)
		service_forget_answers(s);
	return cth_step_each(s, service_register, f);
}

/* Left by one that was killed: from now on it is us whom its packets come to. */
int cth_step_answer_for(struct cth_service *s, struct cth_service_fault *f)
{
	(void)f;
	for (size_t i = 0; i < s->helpers_n; i++)
		s->helpers[i].enabled = s->helpers[i].taken && s->helpers[i].was.enabled;
	return 0;
}

static int service_enable(struct cth_service *s, struct cth_service_helper *h,
			  struct cth_service_fault *f)
{
	int r;

	if (h->shared)
		return 0;
	f->step = CTH_STEP_ENABLE;
	cth_registered_helper(h, &f->helper);
	f->helper.enabled = true;
	f->helper.have = CTH_HELPER_STATUS;
	if (h->taken || h->changed)
		f->helper.have |= CTH_HELPER_QUEUE | CTH_HELPER_POLICY;
	r = cth_helper_update(&s->control, &f->helper, &f->nack);
	if (r == 0 || cth_step_in_doubt(r, &f->nack))
		h->enabled = h->changed = true;
	return r;
}

int cth_step_enable(struct cth_service *s, struct cth_service_fault *f)
{
	return cth_step_each(s, service_enable, f);
}

static int service_disable(struct cth_service *s, const struct cth_service_helper *h)
{
	struct cth_helper change;
	int r;

	cth_registered_helper(h, &change);
	change.have = CTH_HELPER_STATUS;
	r = cth_helper_update(&s->control, &change, NULL);
	if (r < 0 && r != -ENOENT && r != -EPERM)
		r = cth_helper_update(&s->control, &change, NULL);
	return r;
}

void cth_undo_enable(struct cth_service *s, struct cth_undoing *u)
{
	for (size_t i = s->helpers_n; i-- > 0;) {
		struct cth_service_helper *h = &s->helpers[i];

		if (h->enabled && cth_step_undone(service_disable(s, h), &u->first))
			h->enabled = false;
	}
	s->leaving = true;
}

/* Gives one that was taken over its own queue, maxima and timeouts back. */
static int service_restore(struct cth_service *s, const struct cth_service_helper *h)
{
	struct cth_helper was = h->was;

	was.queue = (uint16_t)was.queue; /* more was listed perhaps, but never counted */
	was.have = CTH_HELPER_QUEUE | CTH_HELPER_POLICY;
	return cth_helper_update(&s->control, &was, NULL);
}

/*
 * The kernel lets go of a rule's helper a moment after the rule itself is gone. That moment is
 * waited for on a socket that nothing comes from.
 */
static int service_delete(struct cth_service *s, const struct cth_service_helper *h,
			  unsigned *patience)
{
	const char *name = cth_registered_name(h);
	int r = cth_helper_del(&s->control, name, h->l3, h->l4, NULL);

	while (r == -EBUSY && *patience > 0) {
		--*patience;
		cth_sock_receive(&s->control, s->ring, 1, SERVICE_FREE_MS);
		r = cth_helper_del(&s->control, name, h->l3, h->l4, NULL);
	}
	return r;
}

void cth_undo_register(struct cth_service *s, struct cth_undoing *u)
{
	for (size_t i = s->helpers_n; i-- > 0 && !s->stay;) {
		struct cth_service_helper *h = &s->helpers[i];

		if (!h->made && h->changed && !h->enabled)
			cth_step_undone(service_restore(s, h), &u->first);
		if (h->made && cth_step_undone(service_delete(s, h, &u->patience), &u->first))
			h->made = false;
	}
}
