/* SPDX-License-Identifier: MIT */
/*
 * status_counters.c - the counters of a run, each with its name and what it counts, whoever shows
 * them: see status.h.
 */
#include <string.h>
#include "run.h"
#include "status.h"

#define COUNT(name, means) { #name, means, offsetof(struct cth_engine_stats, name), false }
#define CAUSE(name, note, means) \
	{ name, means, offsetof(struct cth_engine_stats, notes[CTH_NOTE_##note]), true }

const struct status_counter status_helper_counters[] = {
	COUNT(packets, "Packets of flows that have the helper."),
	COUNT(bare, "Packets without anything for the protocol."),
	COUNT(unseen, "Packets not seen whole, or without the state of their flow; they "
		      "passed."),
	COUNT(expected, "Expectations made."),
	COUNT(again, "Expectations that were there already: retransmissions."),
	COUNT(refused, "Expectations that the kernel refused, or no port was free for."),
	COUNT(unsure, "Expectations of a first packet that were gone when looked for."),
	COUNT(ports, "Ports that were tried and were taken."),
	COUNT(edits, "Packets rewritten."),
	COUNT(edits_refused, "Packets that must not be rewritten; they passed as they were."),
	COUNT(states, "Changes of the state of a flow."),
	COUNT(left, "Flows that are queued no more."),
	COUNT(dropped, "Packets dropped because the protocol says so."),
	COUNT(violations, "Decisions beyond the protocol's constants; nothing of them was done."),
	CAUSE("foreign", FOREIGN, "The address of a third party was announced."),
	CAUSE("low_port", LOW_PORT, "A port below 1024 was announced."),
	CAUSE("garbled", GARBLED, "What was announced cannot be read."),
	CAUSE("unfollowed", UNFOLLOWED, "A part was not seen, or came too late to be rewritten."),
	CAUSE("sealed", SEALED, "The flow was encrypted from there on."),
};
const size_t status_helper_counters_n =
	sizeof(status_helper_counters) / sizeof(status_helper_counters[0]);

#define ROLE(name, means) { #name, means, offsetof(struct role_counts, name), false }

const struct status_counter status_role_counters[] = {
	ROLE(workers, "Workers started."),
	ROLE(died, "Workers that were found dead."),
	ROLE(hung, "Workers that did not answer in time."),
	ROLE(protested, "Workers that said what is no answer."),
	ROLE(slow, "Answers that took more than half of the time that they may."),
	ROLE(undecided, "Packets that the policy has decided, for no worker could."),
	ROLE(limited, "Those of them that were beyond what is allowed in a second."),
	ROLE(kept, "Packets kept for a report."),
	ROLE(unkept, "Packets that could not be kept."),
	ROLE(thrown, "Packets dropped that a dead keeper had read and not decided."),
	ROLE(keepers, "Keepers started; each but the first took over from another."),
	ROLE(silent, "Keepers that gave no sign of life, and were killed."),
};
const size_t status_role_counters_n =
	sizeof(status_role_counters) / sizeof(status_role_counters[0]);

uint64_t status_value(const struct status_counter *c, const void *counts)
{
	uint64_t value;

	memcpy(&value, (const char *)counts + c->at, sizeof(value));
	return value;
}
