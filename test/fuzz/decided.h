/* SPDX-License-Identifier: MIT */
/*
 * decided.h - what every protocol's fuzz target asks: decided twice it is decided alike, and never
 * beyond the protocol's own constants. The first thing that is expected is told, which is how
 * test/fuzz/run knows that a seed comes as far.
 */
#ifndef TEST_FUZZ_DECIDED_H
#define TEST_FUZZ_DECIDED_H

#include <stdio.h>
#include <stdlib.h>
#include "../../cthelper/engine.h"

static inline void decided(const struct cth_proto *proto, const struct cth_view *v,
			   struct cth_decision *d)
{
	struct cth_served served = { .proto = proto, .allow = v->allow };
	struct cth_call c = { .served = &served, .view = *v };
	struct cth_decision again;
	static bool told;

	cth_decide(proto, v, d);
	cth_decide(proto, v, &again);
	if (memcmp(d, &again, sizeof(again)) != 0 || cth_decision_beyond(&c, d))
		abort();
	if (d->wanted_n && !told) {
		fprintf(stderr, "expected\n");
		told = true;
	}
}

#endif
