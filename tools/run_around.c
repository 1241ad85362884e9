/* SPDX-License-Identifier: MIT */
/*
 * run_around.c - what `cth run` looks at before it begins, beyond its own queues and rules: what
 * this kernel lacks, and the network namespaces where it will enable a helper that nobody serves.
 */
#include "elsewhere.h"
#include "lacking.h"
#include "run.h"

void run_look_around(struct run *r)
{
	struct elsewhere_helper helpers[CTH_SERVICE_HELPERS] = { { .queue = 0 } };
	const char *served[RUN_PLACES];

	for (size_t i = 0; i < r->n; i++) {
		snprintf(helpers[i].name, sizeof(helpers[i].name), "%s",
			 cth_served_name(&r->served[i]));
		helpers[i].queue = r->served[i].terms.queue;
	}
	for (size_t i = 0; i < r->places_n; i++)
		served[i] = r->places[i].netns;
	lacking_warn(&r->places[0].service.control);
	elsewhere_warn(helpers, r->n, served, r->places_n, r->verbose);
}
