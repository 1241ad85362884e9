/* SPDX-License-Identifier: MIT */
/*
 * service_change.c - other terms for services that go on, without losing a packet; and back to the
 * old ones, if the kernel does not take the new:
 *
 *     BIND | NEW changed | batch of rules | verdicts | UNBIND
 */
#include <errno.h>
#include "steps.h"

static bool service_is_same(const struct cth_service *s, const struct cth_served *served)
{
	for (size_t i = 0; i < s->config.n; i++) {
		const struct cth_served *old = &s->config.served[i], *now = &served[i];

		if (now->proto != old->proto || !cth_terms_have_ports(now) ||
		    strcmp(cth_served_name(now), cth_served_name(old)) != 0 ||
		    now->terms.no_ipv4 != old->terms.no_ipv4 ||
		    now->terms.no_ipv6 != old->terms.no_ipv6)
			return false;
	}
	return true;
}

/* What was counted while the kernel took the new terms, too. */
static void service_go_on(struct cth_service *s)
{
	for (size_t i = 0; i < s->config.n; i++)
		s->config.served[i].stats = s->before[i].stats;
	s->engine.served = s->config.served;
}

static void service_take_terms(struct cth_service *s, struct cth_served *served)
{
	for (size_t i = 0; i < s->helpers_n; i++)
		s->helpers[i].served = &served[s->helpers[i].served - s->config.served];
	s->config.served = served;
}

/* Old and new queues together. */
static size_t service_waiting_meanwhile(const struct cth_service *s,
					const struct cth_served *served)
{
	return cth_terms_waiting(served, s->config.n, NULL) +
	       cth_terms_waiting(s->config.served, s->config.n, served);
}

static int services_may_change(const struct cth_service_part *parts, size_t n,
			       struct cth_service_fault *f)
{
	for (size_t i = 0; i < n; i++) {
		const struct cth_service *s = parts[i].service;

		f->service = s;
		if (!s->opened || !service_is_same(s, parts[i].served))
			return -EINVAL;
		if (service_waiting_meanwhile(s, parts[i].served) > s->flights_n)
			return -ENOMEM;
	}
	return 0;
}

static int services_take_terms(const struct cth_service_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct cth_service *s = parts[i].service;

		s->waiting = service_waiting_meanwhile(s, parts[i].served);
		s->before = s->config.served;
		service_take_terms(s, parts[i].served);
	}
	return cth_steps_share(parts, n);
}

/* The kernel's side of the terms: what is bound, and what is ruled, afterwards may be more. */
static int services_agree(const struct cth_service_part *parts, size_t n,
			  struct cth_service_fault *f)
{
	static cth_step_fn *const stages[] = {
		cth_step_bind, cth_step_enable, cth_step_attach, NULL
	};

	return cth_steps_go(parts, n, stages, f);
}

/*
 * Takes away what no terms speak of; packets that wait there are served. What cannot be taken
 * away now does no harm, and is tried again at the end.
 */
static void services_forget(const struct cth_service_part *parts, size_t n)
{
	struct cth_undoing u = { .all = false };

	cth_steps_undo(parts, n, cth_undo_rules, &u);
	cth_steps_drain(parts, n, &u);
	cth_steps_undo(parts, n, cth_undo_attach, &u);
	cth_steps_undo(parts, n, cth_undo_bind, &u);
	for (size_t i = 0; i < n; i++)
		parts[i].service->waiting =
			cth_terms_waiting(parts[i].service->config.served,
					  parts[i].service->config.n, NULL);
}

/* The old terms again. A queue that nobody names any more may be what a helper is still told. */
static void services_take_back(const struct cth_service_part *parts, size_t n,
			       struct cth_service_fault *f, struct cth_service_fault *second)
{
	for (size_t i = 0; i < n; i++)
		service_take_terms(parts[i].service, parts[i].service->before);
	f->torn = services_agree(parts, n, second) < 0;
	if (!f->torn)
		services_forget(parts, n);
}

int cth_services_change(const struct cth_service_part *parts, size_t n,
			struct cth_service_fault *fault)
{
	struct cth_service_fault own;
	int r;

	if (!fault)
		fault = &own;
	memset(fault, 0, sizeof(*fault));
	r = services_may_change(parts, n, fault);
	if (r < 0)
		return r;
	r = services_take_terms(parts, n);
	if (r == 0)
		r = services_agree(parts, n, fault);
	if (r < 0) {
		services_take_back(parts, n, fault, &own); /* what is in own, nobody will see */
		return r;
	}
	for (size_t i = 0; i < n; i++)
		service_go_on(parts[i].service);
	services_forget(parts, n);
	return 0;
}

int cth_service_change(struct cth_service *s, struct cth_served *served,
		       struct cth_service_fault *fault)
{
	const struct cth_service_part alone = { .service = s, .served = served };

	return cth_services_change(&alone, 1, fault);
}
