/* SPDX-License-Identifier: MIT */
/*
 * run_limits.c - what is decided without the protocol: packets beyond the limits that the
 * operator has set for a helper, and those that nobody can decide. They pass or are dropped
 * by the helper's policy, unread, and count as undecided.
 *
 *     packet --> decisions per second? --> protocol --> expectations per second? --> engine
 *                        |                                       |
 *                        '---------------> policy <--------------'
 *
 * A limit counts in whole seconds: cheap, and up to twice as much over the border of two.
 */
#include <inttypes.h>
#include "run.h"

#define SECOND 1000 /* ms */

/* Has what is counted in r, n more of it, still room in this second? */
static bool has_room(struct run_rate *r, uint32_t limit, uint32_t n)
{
	int64_t now;

	if (limit == 0 || n == 0)
		return true;
	now = listener_now();
	if (now - r->since >= SECOND) {
		r->since = now;
		r->count = 0;
	}
	if (r->count >= limit || n > limit - r->count) /* which may have been lowered */
		return false;
	r->count += n;
	return true;
}

static void tell_limit(struct run *r, const struct cth_call *c, const char *what, uint32_t limit)
{
	if (r->shared->roles.limited++ == 0)
		warn("%s: more than %" PRIu32 " %s per second: what is beyond that is decided by policy, "
		     "and counted as limited", cth_served_name(c->served), limit, what);
}

bool limits_let_ask(struct run *r, const struct cth_call *c)
{
	size_t i = run_index(r, c->served);
	uint32_t limit = r->terms[i]->decisions;

	if (has_room(&r->asked[i], limit, 1))
		return true;
	tell_limit(r, c, "packets to decide", limit);
	return false;
}

bool limits_let_expect(struct run *r, const struct cth_call *c, const struct cth_decision *d)
{
	size_t i = run_index(r, c->served);
	uint32_t limit = r->terms[i]->expectations, n = 0;

	for (unsigned k = 0; k < d->wanted_n && k < CTH_WANTED; k++)
		n += !(d->wanted[k].flags & CTH_WANT_PORT_ONLY);
	if (has_room(&r->expected[i], limit, n))
		return true;
	tell_limit(r, c, "expectations", limit);
	return false;
}

bool decide_by_policy(struct run *r, const struct cth_call *c, struct cth_decision *d)
{
	d->drop = r->terms[run_index(r, c->served)]->fail_closed;
	if (r->shared->roles.undecided++ == 0)
		warn("a packet of %s cannot be decided, and %s", served_text(c->served),
		     d->drop ? "is dropped" : "passes as it is");
	return false;
}

/* A cth_decide_fn, of `cth run --single`. */
bool decide_within_limits(const struct cth_call *c, struct cth_decision *d, void *run)
{
	struct run *r = run;

	if (limits_let_ask(r, c)) {
		cth_decide(c->served->proto, &c->view, d);
		if (limits_let_expect(r, c, d))
			return true;
	}
	return decide_by_policy(r, c, d);
}
