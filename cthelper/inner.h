/* SPDX-License-Identifier: MIT */
/*
 * inner.h - what the parts of the engine call each other for. Private to the library.
 */
#ifndef CTH_INNER_H
#define CTH_INNER_H

#include "engine.h"

/* A list that 0 ends. */
static inline bool cth_l4_in(const uint8_t *list, uint8_t l4)
{
	while (*list && *list != l4)
		list++;
	return *list != 0;
}

/* Ports in a row. */
static inline unsigned cth_row(uint8_t ports)
{
	return ports ? ports : 1;
}

/*
 * flow.c: of a flow what its helper's packets are decided by: tuples, helper, sequence numbers'
 * shifts, and what stands beside its nests. As cth_flow_parse(), but no other nest is looked into.
 */
int cth_flow_see(struct cth_flow *f, struct cth_span attrs);

/* ctnetlink.c: is it because the kernel has no nf_conntrack_netlink that it refused? */
bool cth_ctnetlink_is_absent(struct cth_sock *s, const struct cth_nack *nack);

/* expect.c: cth_expect_new(), _get(), _del(), in room for their messages, and a place for what is
   there, of the caller's. _renew: the one that e's tuple meets has e's timeout from now on. */
int cth_expect_new_in(struct cth_sock *s, const struct cth_expect *e, uint8_t *room, size_t cap,
		      struct cth_nack *nack);
int cth_expect_renew_in(struct cth_sock *s, const struct cth_expect *e, uint8_t *room, size_t cap,
			struct cth_nack *nack);
int cth_expect_get_in(struct cth_sock *s, const struct cth_tuple *tuple, uint16_t zone,
		      struct cth_expect *found, uint8_t *room, size_t cap, struct cth_nack *nack);
int cth_expect_del_in(struct cth_sock *s, const struct cth_expect *e, struct cth_expect *there,
		      uint8_t *room, size_t cap, struct cth_nack *nack);

/* engine.c: tells whoever listens. kind, error and why are the event's; x may be NULL. */
void cth_engine_tell(struct cth_engine *e, const struct cth_call *c, enum cth_event_kind kind,
		     const struct cth_expect *x, int error, const char *why);

/* flights.c: the state that a flow has by now, or NULL: what its packet shows is the latest. */
const uint8_t *cth_flight_find(struct cth_engine *e, uint32_t flow);
void cth_flight_note(struct cth_engine *e, uint32_t flow, const uint8_t state[CTH_STATE]);

/* ask.c: asks. told: this packet announces it, so that the port may be chosen. */
void cth_ask(struct cth_engine *e, const struct cth_call *c, const struct cth_wanted *w, bool told,
	     struct cth_verdict *v, struct cth_asked *a);

/* Counts and tells what came of it, when the packet is ready; or undoes what it has made. */
void cth_ask_tell(struct cth_engine *e, const struct cth_call *c, const struct cth_wanted *w,
		  const struct cth_asked *a);
void cth_ask_undo(struct cth_engine *e, const struct cth_call *c, const struct cth_wanted *w,
		  struct cth_asked *a, struct cth_verdict *v);

/* engine.c: makes sure that there is room for what one packet may leave to do. */
void cth_later_reserve(struct cth_engine *e);

/* engine.c: one more thing to do when the verdict has gone, filled in but for what is expected. */
struct cth_later *cth_later_note(struct cth_engine *e, const struct cth_call *c, bool leave);

#endif
