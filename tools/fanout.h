/* SPDX-License-Identifier: MIT */
/*
 * fanout.h - one consumer for each queue of a range, as rules with fanout spread flows over them:
 * processes that share nothing, so that as many cores work as there are queues.
 */
#ifndef TOOLS_FANOUT_H
#define TOOLS_FANOUT_H

#include "listen.h"

#define FANOUT_MAX 256 /* queues */

/*
 * What a consumer does, in its own process: it serves queue num until interrupted is set, and
 * calls fanout_bound(ready) as soon as it has bound it. The result is its exit code.
 */
typedef int fanout_fn(uint16_t num, int ready, void *ctx);
void fanout_bound(int ready);

/*
 * Starts one for each of l->first to l->last, each when the one before has bound its queue, then
 * enables the helpers of these queues, unless l says not to. Ends all of them when it is asked to
 * end, or when one has ended by itself: a queue without its consumer drops what comes to it. The
 * exit code is the first that is not 0.
 */
int fan_out(struct listener *l, fanout_fn *consume, void *ctx);

#endif
