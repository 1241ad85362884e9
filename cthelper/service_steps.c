/* SPDX-License-Identifier: MIT */
/*
 * service_steps.c - services in several network namespaces go side by side, each step for all of
 * them before the next: what is enabled is enabled everywhere at once.
 */
#include <errno.h>
#include "steps.h"

#define SERVICE_QUIET_MS 25 /* for a packet that is about to be queued */

bool cth_step_in_doubt(int r, const struct cth_nack *nack)
{
	return r < 0 && nack->error == 0 && r != -EINVAL && r != -ENOENT && r != -EMSGSIZE &&
	       r != -EPROTONOSUPPORT;
}

int cth_step_each(struct cth_service *s, cth_step_one_fn *step, struct cth_service_fault *f)
{
	int r = 0;

	for (size_t i = 0; i < s->helpers_n && r == 0; i++) {
		memset(f, 0, sizeof(*f));
		f->served = s->helpers[i].served;
		r = step(s, &s->helpers[i], f);
	}
	return r;
}

int cth_steps_go(const struct cth_service_part *parts, size_t n, cth_step_fn *const *step,
		 struct cth_service_fault *f)
{
	int r = 0;

	for (; *step && r == 0; step++) {
		for (size_t i = 0; i < n && r == 0; i++) {
			r = (*step)(parts[i].service, f);
			f->service = parts[i].service;
		}
	}
	return r;
}

/* The same registration, in a service before the n-th. */
static const struct cth_service_helper *
services_find(const struct cth_service_part *parts, size_t n, const struct cth_service_helper *like)
{
	for (size_t i = 0; i < n; i++) {
		const struct cth_service *s = parts[i].service;

		for (size_t k = 0; k < s->helpers_n; k++)
			if (s->helpers[k].l3 == like->l3 && s->helpers[k].l4 == like->l4 &&
			    strcmp(cth_registered_name(&s->helpers[k]), cth_registered_name(like)) == 0)
				return &s->helpers[k];
	}
	return NULL;
}

static bool service_wants_the_same(const struct cth_service_helper *a,
				   const struct cth_service_helper *b)
{
	struct cth_helper one, other;

	cth_registered_helper(a, &one);
	cth_registered_helper(b, &other);
	return memcmp(&one, &other, sizeof(one)) == 0;
}

int cth_steps_share(const struct cth_service_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct cth_service *s = parts[i].service;

		for (size_t k = 0; k < s->helpers_n; k++) {
			const struct cth_service_helper *first =
				services_find(parts, i, &s->helpers[k]);

			s->helpers[k].shared = first != NULL;
			if (first && !service_wants_the_same(first, &s->helpers[k]))
				return -EINVAL;
		}
	}
	return 0;
}

bool cth_step_undone(int r, int *first)
{
	if (r < 0 && r != -ENOENT && *first == 0)
		*first = r;
	return r == 0 || r == -ENOENT;
}

void cth_steps_undo(const struct cth_service_part *parts, size_t n, cth_undo_fn *undo,
		    struct cth_undoing *u)
{
	for (size_t i = n; i-- > 0;)
		if (parts[i].service->opened)
			undo(parts[i].service, u);
}

/* Any of them that listens. */
static struct cth_service *services_listener(const struct cth_service_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].service->opened && parts[i].service->queues_n)
			return parts[i].service;
	return NULL;
}

/*
 * Serves what still waits; and once more after a moment, for a packet that another CPU was about to
 * queue. The moment is one for all, and spent on a socket that nothing comes from.
 */
void cth_steps_drain(const struct cth_service_part *parts, size_t n, struct cth_undoing *u)
{
	struct cth_service *s = services_listener(parts, n);

	if (!s)
		return;
	cth_steps_undo(parts, n, cth_undo_waiting, u);
	cth_sock_receive(&s->control, s->ring, 1, SERVICE_QUIET_MS);
	cth_steps_undo(parts, n, cth_undo_waiting, u);
}
