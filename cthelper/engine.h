/* SPDX-License-Identifier: MIT */
/*
 * engine.h - from a helper's packets to expectations. It finds out whose packet it is, has the
 * protocol decide, holds the decision against the packet and the protocol's constants, asks the
 * kernel, chooses ports, rewrites what was announced, and fills in the verdict.
 *
 *     packet --> cth_engine_call() --> cth_decide() --> cth_engine_apply() --> verdict
 *                                     (may be another
 *                                      process)
 *
 * What goes wrong here costs an expectation, never the packet: it passes, and is counted.
 */
#ifndef CTH_ENGINE_H
#define CTH_ENGINE_H

#include <sys/socket.h>
#include "../queue/queue.h"
#include "expect.h"
#include "proto.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CTH_ENGINE_PORTS 128 /* tries to find a free port */
#define CTH_ENGINE_LATER 16  /* what is yet to be done when the verdicts have gone */

/* Counts of one helper; they only grow. */
struct cth_engine_stats {
	uint64_t packets;
	uint64_t bare;       /* of them without anything for the protocol: handshakes, ACKs, ICMP
			      * errors */
	uint64_t unseen;     /* not seen whole, or without the flow's state: passed */
	uint64_t expected;   /* expectations made; a few are taken back, with edits_refused */
	uint64_t again;      /* wanted again, and there already: retransmissions */
	uint64_t refused;    /* not to be had: the kernel's word, or no port was free */
	uint64_t unsure;     /* made with a flow's first packet, and gone when looked for: met
			      * already, or never taken, which the kernel does not tell */
	uint64_t ports;      /* ports that were tried and were taken */
	uint64_t edits;      /* packets rewritten */
	uint64_t edits_refused; /* that must not be, or, of edits too, that the kernel had no memory
				 * for: their announcement passes as it is, in vain */
	uint64_t states;     /* changes of a flow's state */
	uint64_t left;       /* flows that are queued no more */
	uint64_t dropped;    /* packets, because the protocol says so */
	uint64_t violations; /* decisions beyond the protocol's constants: none of them is done */
	uint64_t notes[CTH_NOTES]; /* what was not followed, by cause */
};

struct cth_ports; /* attach.h */

/* What service.h makes of it; all zero is as usual. */
struct cth_terms {
	uint16_t queue;          /* several may share one */
	uint32_t maxlen;         /* packets that wait there; 0: CTH_SERVICE_MAXLEN */
	bool full_closed;        /* what finds it full is dropped; else it passes */
	bool no_ipv4, no_ipv6;
	struct {
		uint32_t max;    /* expectations of a flow at once; 0: the class's */
		uint32_t timeout; /* seconds; 0: the class's */
	} classes[CTH_CLASSES];
	bool attach;             /* make the rules too, in place of any of the helper's that
				    attach.h has made: for the protocol's port, ... */
	const struct cth_ports *ports; /* ... or for these */
	size_t ports_n;
	bool keep;               /* resumed: it was there before the predecessor, too: at the end
				    it is left, disabled */
};

/* A helper that is served: a protocol, the name it is registered by, and on what terms. */
struct cth_served {
	const struct cth_proto *proto;
	const char *name;  /* NULL: proto->name */
	uint32_t allow;    /* CTH_ALLOW_* */
	struct cth_engine_stats stats;
	struct cth_terms terms;
};

/* The name under which the helper is registered: its own, or the protocol's. */
static inline const char *cth_served_name(const struct cth_served *s)
{
	return s->name ? s->name : s->proto->name;
}

/* Is it served over the family, AF_INET or AF_INET6? */
static inline bool cth_served_over(const struct cth_served *s, uint16_t family)
{
	return (s->proto->family == 0 || s->proto->family == family) &&
	       !(family == AF_INET ? s->terms.no_ipv4 : s->terms.no_ipv6);
}

enum cth_event_kind {
	CTH_EVENT_EXPECTED,     /* expect was made */
	CTH_EVENT_AGAIN,        /* expect was there: told once more by a retransmission */
	CTH_EVENT_REFUSED,      /* expect could not be made: error, why */
	CTH_EVENT_UNSURE,       /* expect: see cth_engine_stats */
	CTH_EVENT_EDIT_REFUSED, /* error, why */
	CTH_EVENT_NOTE,         /* note */
	CTH_EVENT_LEFT,         /* the flow is queued no more; with an error: it still is */
	CTH_EVENT_VIOLATION,    /* why */
};

struct cth_event {
	enum cth_event_kind kind;
	const struct cth_served *served;
	const struct cth_flow *flow;     /* the master: have and orig at least */
	const struct cth_expect *expect; /* NULL but where it says so */
	uint16_t port;                   /* of expect, as its owner knows it */
	enum cth_note note;
	int error;                       /* -errno */
	const char *why;                 /* a sentence, or NULL */
};

/* Sees what becomes of a packet; all that e points to lives until the return. */
typedef void cth_event_fn(const struct cth_event *e, void *ctx);

/* A packet, and what a protocol is to see of it. */
struct cth_call {
	const struct cth_pkt *pkt;
	struct cth_served *served;
	struct cth_flow flow; /* its views lie in the packet */
	struct cth_view view; /* body too */
	bool drop;            /* none for a protocol, and not to pass: see whole_stream */
};

/*
 * Has a protocol run elsewhere, and waits for it: *d, which comes as "pass, and nothing else", may
 * be any bytes afterwards; what goes beyond the protocol's constants is refused. false: nobody has
 * decided, and of d counts nothing but drop, which is the caller's own policy.
 */
typedef bool cth_decide_fn(const struct cth_call *c, struct cth_decision *d, void *ctx);

/* A state on its way: private to the engine, room from the caller. */
struct cth_flight {
	uint32_t flow;
	uint64_t count, round; /* when: of packets, of receives */
	uint8_t state[CTH_STATE];
};

/* What is to be done once the verdict has gone: private too. */
struct cth_later {
	bool leave;       /* else look whether the expectation is there */
	uint16_t zone;
	uint16_t port;    /* as its owner knows it */
	struct cth_served *served;
	struct cth_tuple flow;
	struct cth_tuple expected;
};

/* What came of one expectation that was wanted: private too. */
struct cth_asked {
	enum {
		CTH_ASKED_REFUSED, /* and told */
		CTH_ASKED_MADE,
		CTH_ASKED_THERE,   /* already: a retransmission, or as good as ours */
		CTH_ASKED_VERDICT, /* the packet's own verdict makes it */
		CTH_ASKED_PORT,    /* only a port was wanted */
	} outcome;
	uint16_t port; /* that the other side is to be told; 0: refused */
	uint32_t made; /* which of the row this packet has made: set of 1 << i */
};

struct cth_engine {
	uint64_t others;   /* packets that are no helper's of ours: they pass */
	cth_event_fn *fn;  /* may be set, with ctx, at any time; NULL: nobody listens */
	void *ctx;
	cth_decide_fn *decide; /* likewise; NULL: protocols run here, cth_decide() */
	void *decide_ctx;
	bool cold;         /* believe no packet's state, only one's own: for recordings */
	/* private */
	struct cth_queue *queue;
	struct cth_sock *control;
	struct cth_served *served;
	size_t n;
	struct cth_flight *flights;
	size_t flights_n, flying;
	uint64_t count;
	uint32_t seed;
	struct cth_later later[CTH_ENGINE_LATER];
	size_t later_n, later_mark; /* mark: before the last packet's */
	/* Work space: stack is dear on small systems. */
	struct cth_call call, past;
	struct cth_decision decision;
	struct cth_asked asked[CTH_WANTED]; /* by the last packet that was applied */
	struct cth_expect wanted, found;
	struct cth_edited edited;
	uint8_t ct[96], expect[320]; /* of a verdict */
	uint8_t room[CTH_EXPECT_ROOM]; /* of requests */
};

/*
 * What a packet's state shows is how it was when the packet was queued; so the states that were
 * sent after that are remembered in flights. There must be as many as packets can wait in all
 * queues of q together (their maxlen). control is a socket of its own, in the same namespace.
 * All must live as long as e. seed: anything that others cannot guess.
 */
void cth_engine_init(struct cth_engine *e, struct cth_queue *q, struct cth_sock *control,
		     struct cth_served *served, size_t n, struct cth_flight *flights,
		     size_t flights_n, uint32_t seed);

/*
 * A packet, from beginning to end: a cth_pkt_fn, whose ctx is the engine. It becomes the queue's
 * refused as well.
 */
void cth_engine_packet(const struct cth_pkt *p, struct cth_verdict *v, void *engine);

/* cth_queue_run(), and then what has to wait until the verdicts have gone. */
int cth_engine_run(struct cth_engine *e, size_t budget, int timeout_ms);

/* That alone: after cth_queue_flush(), for who does not use cth_engine_run(). */
void cth_engine_settle(struct cth_engine *e);

/*
 * The two halves of cth_engine_packet(), for who has the protocol run elsewhere. One pair at a
 * time: between a packet's call and its apply there is no other packet's, or that would be shown a
 * state that is about to change. What *c views lies in the packet, and dies with it.
 */

/*
 * true: *c is to be decided. false: the packet is none of a protocol's; it passes, counted, and of
 * *c only served counts, whose it is, or NULL.
 */
bool cth_engine_call(struct cth_engine *e, const struct cth_pkt *p, struct cth_call *c);

/*
 * Does what d says, if it may, and fills in v, which comes as cth_verdict_init() made it and
 * lives on buffers of e until the next call. Asks the kernel, and waits for its answers.
 */
void cth_engine_apply(struct cth_engine *e, const struct cth_pkt *p, const struct cth_call *c,
		      const struct cth_decision *d, struct cth_verdict *v);

/*
 * The verdict that was just made of c and d cannot be sent, as cth_refused_fn or the return of
 * cth_queue_verdict() tells. If the packet would have been changed, what it announces is taken
 * back, and *v becomes what still has to go, with the packet as it was. Before any other packet.
 */
void cth_engine_unsent(struct cth_engine *e, const struct cth_pkt *p, const struct cth_call *c,
		       const struct cth_decision *d, struct cth_verdict *v, int error,
		       const char *why);

/*
 * What in d, which may be any bytes, goes beyond the packet of c, or beyond the constants of its
 * protocol as c->served widens them: half a sentence for the log, or NULL, nothing. Pure.
 * cth_engine_apply() asks it first, counts, and does nothing of such a decision: the packet
 * passes. Who has other plans with those who overstep asks it himself before that.
 */
const char *cth_decision_beyond(const struct cth_call *c, const struct cth_decision *d);

#ifdef __cplusplus
}
#endif
#endif
