/* SPDX-License-Identifier: MIT */
/*
 * verdict.h - what becomes of a packet, and the messages that tell the kernel so.
 */
#ifndef CTH_VERDICT_H
#define CTH_VERDICT_H

#include "../netlink/msg.h"
#include "edit.h"

#ifdef __cplusplus
extern "C" {
#endif

enum cth_code {
	CTH_DROP   = 0,
	CTH_ACCEPT = 1,
	CTH_QUEUE  = 3, /* on to another queue: to_queue, bypass */
	CTH_REPEAT = 4, /* the same hook once more: a loop, unless the mark ends it */
	CTH_STOP   = 5, /* accept, past the hook's remaining programs */
	CTH_HOLD   = -1, /* none yet: cth_queue_verdict() will tell */
};

/*
 * A verdict. Zero-initialised it is DROP, so cth_verdict_init() comes first; before a
 * packet callback it has come already. Spans must live until the callback returns.
 */
struct cth_verdict {
	int code;               /* enum cth_code */
	uint16_t to_queue;      /* CTH_QUEUE: its number */
	bool bypass;            /* CTH_QUEUE: accept if nobody listens there */
	bool set_mark;          /* new = (the packet's own & ~mark_mask) | (mark & mark_mask) */
	bool set_priority;
	bool set_vlan;          /* bridge only: both parts of the tag */
	uint32_t mark;
	uint32_t mark_mask;     /* bits to change; 0 stands for all of them */
	uint32_t priority;
	uint16_t vlan_proto, vlan_tci;
	struct cth_span l2hdr;  /* bridge only: as long as the packet's own */
	struct cth_span ct;     /* attributes CTA_* for the flow, built with cth_msg_begin_bare() */
	struct cth_span expect; /* attributes CTA_EXPECT_*: one expectation, with TUPLE and MASK */
	/*
	 * The whole packet anew, from the network header on, lengths and checksums done. The
	 * kernel adjusts the TCP stream (as it does for an edit) only if ct is given as well,
	 * and be it empty: who shifts sequence numbers himself leaves it absent.
	 */
	struct cth_span packet;
	struct cth_edit edit;   /* or only changes to its body */
};

/* ACCEPT, and nothing else. */
void cth_verdict_init(struct cth_verdict *v);

/*
 * May this verdict be sent for this packet? 0, or -errno and in *why a sentence that says
 * what the kernel would have made of it: a helper's packet that repeats for ever, an
 * expectation that crashes kernels, a packet cut short, a bridge's part elsewhere. HOLD is
 * refused, as no verdict. An edit is judged by cth_edit_apply(), not here.
 * p may be NULL for a packet whose description is gone: then only what the verdict itself
 * tells is judged, and what needs the packet (part of its mark, an edit) is refused.
 *
 * -EINVAL     the verdict contradicts itself or the packet, or is malformed.
 * -EMSGSIZE   a packet longer than CTH_PACKET_MAX.
 * -ENODATA    another packet for one that was never seen whole.
 * -EOPNOTSUPP sound, but the kernel would spoil or lose it.
 *
 * A refused verdict whose code is DROP still means: drop it.
 */
int cth_verdict_check(const struct cth_verdict *v, const struct cth_pkt *p, const char **why);

/*
 * Puts one VERDICT message: 0, or -EMSGSIZE with m as it was. v has passed
 * cth_verdict_check() with this p. If edited or v->packet is given the message ends with
 * the header of NFQA_PAYLOAD: its bytes follow outside, see cth_msg_reserve().
 */
int cth_verdict_put(struct cth_msg *m, uint16_t queue, uint32_t id, const struct cth_verdict *v,
		    const struct cth_pkt *p, const struct cth_edited *edited);

/* ACCEPT for every packet of the queue that is still undecided and not after id. */
int cth_verdict_put_range(struct cth_msg *m, uint16_t queue, uint32_t id);

/* A verdict that is nothing but its word, which may be any: it is not checked. */
int cth_verdict_put_raw(struct cth_msg *m, uint16_t queue, uint32_t id, uint32_t word);

#ifdef __cplusplus
}
#endif
#endif
