/* SPDX-License-Identifier: MIT */
/*
 * service_rules.c - the steps of a service with its rules, a batch of nf_tables for each family:
 * they come last, and go when their helper is disabled.
 */
#include <errno.h>
#include <sys/socket.h>
#include "steps.h"

/* No slot is in use while nobody receives packets: the first one takes the batch. */
static void service_batch(struct cth_service *s, struct cth_msg *m)
{
	cth_msg_init(m, s->ring[0].buf, s->ring[0].cap);
}

static int service_attach(struct cth_service *s, struct cth_service_helper *h,
			  struct cth_service_fault *f)
{
	const struct cth_terms *terms = &h->served->terms;
	const struct cth_ports usual = { h->served->proto->port, h->served->proto->port };
	const struct cth_attach a = {
		.helper = cth_registered_name(h), .l4 = h->l4,
		.ipv4 = h->l3 == AF_INET, .ipv6 = h->l3 == AF_INET6,
		.ports = terms->ports_n ? terms->ports : &usual,
		.n = terms->ports_n ? terms->ports_n : 1,
	};
	struct cth_msg m;
	int r;

	if (!terms->attach)
		return 0;
	f->step = CTH_STEP_ATTACH;
	cth_registered_helper(h, &f->helper);
	service_batch(s, &m);
	r = cth_attach(&s->control, &m, &a, &f->nack);
	if (r == 0 || cth_step_in_doubt(r, &f->nack))
		h->attached = true; /* else what was there before still is */
	/* What IPv4 has just got, IPv6 can only lack because nf_tables has no such family. */
	if ((r == -EOPNOTSUPP || r == -EAFNOSUPPORT) && a.ipv6 && cth_served_over(h->served, AF_INET))
		return 0;
	return r;
}

int cth_step_attach(struct cth_service *s, struct cth_service_fault *f)
{
	return cth_step_each(s, service_attach, f);
}

/* Whose rules are ours, and are to go: all, or those whose terms are without any. */
static bool service_is_to_detach(const struct cth_service *s, const struct cth_service_helper *h,
				 bool all)
{
	return h->attached && (all ? !s->stay : !h->served->terms.attach);
}

void cth_undo_rules(struct cth_service *s, struct cth_undoing *u)
{
	struct cth_msg m;

	service_batch(s, &m);
	for (size_t i = s->helpers_n; i-- > 0;) {
		struct cth_service_helper *h = &s->helpers[i];

		if (!service_is_to_detach(s, h, u->all))
			continue;
		u->cleared = true;
		cth_step_undone(cth_attach_clear(&s->control, &m, cth_registered_name(h),
						 h->l3 == AF_INET6, NULL), &u->first);
	}
}

void cth_undo_attach(struct cth_service *s, struct cth_undoing *u)
{
	struct cth_msg m;

	service_batch(s, &m);
	for (size_t i = s->helpers_n; i-- > 0;) {
		struct cth_service_helper *h = &s->helpers[i];

		/* One table has the rules of every l4: of the others it is gone already. */
		if (service_is_to_detach(s, h, u->all) &&
		    cth_step_undone(cth_detach(&s->control, &m, cth_registered_name(h),
					       h->l3 == AF_INET6, NULL), &u->first))
			h->attached = false;
	}
}
