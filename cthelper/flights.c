/* SPDX-License-Identifier: MIT */
/*
 * flights.c - states on their way. What a packet shows of its flow's state is how it was when
 * the packet was queued; a verdict that changes the state comes later:
 *
 *     queued   A1 A2 | B1        A1, A2: two segments of one flow
 *     read     A1 A2   B1        both show the state from before A1
 *     verdict     A1' A2'        A2 must be decided with what A1' says
 *
 * So it is remembered until no packet can show the former one. That is when the socket was seen
 * empty after the verdict had gone: what comes later was queued later. Or when more packets have
 * come since than can wait in the queues at once, for those that wait are all that are old. Hence
 * as many places as that never run out.
 *
 * A flow has one number in its network namespace, and so has a socket: a flow whose helper moves to
 * another queue has one state all the same.
 */
#include "inner.h"

static bool flight_is_over(const struct cth_engine *e, const struct cth_flight *f)
{
	return e->queue->emptied > f->round || e->count - f->count >= e->flights_n;
}

/* Those that are over make room; the rest stand together, in no order. */
static void flights_clear(struct cth_engine *e)
{
	for (size_t i = e->flying; i-- > 0;)
		if (flight_is_over(e, &e->flights[i]))
			e->flights[i] = e->flights[--e->flying];
}

static struct cth_flight *flight_of(struct cth_engine *e, uint32_t flow)
{
	for (size_t i = 0; i < e->flying; i++)
		if (e->flights[i].flow == flow)
			return &e->flights[i];
	return NULL;
}

const uint8_t *cth_flight_find(struct cth_engine *e, uint32_t flow)
{
	struct cth_flight *f;

	flights_clear(e);
	f = flight_of(e, flow);
	return f ? f->state : NULL;
}

void cth_flight_note(struct cth_engine *e, uint32_t flow, const uint8_t state[CTH_STATE])
{
	struct cth_flight *f = flight_of(e, flow);

	if (!f && e->flying < e->flights_n)
		f = &e->flights[e->flying++];
	if (!f)
		return; /* fewer places than packets can wait: see cth_engine_init() */
	f->flow = flow;
	f->count = e->count;
	f->round = e->queue->round;
	memcpy(f->state, state, CTH_STATE);
}
