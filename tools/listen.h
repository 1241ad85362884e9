/* SPDX-License-Identifier: MIT */
/*
 * listen.h - a program that serves queues, from bind to unbind, in the order that loses
 * nothing: bind, enable the helpers of these queues; on the way out disable them, decide
 * what still waits, unbind.
 */
#ifndef TOOLS_LISTEN_H
#define TOOLS_LISTEN_H

#include "cth.h"

/* What /proc and the socket tell of packets dropped. */
struct queue_losses {
	uint32_t socket, full, no_room;
	uint32_t waiting; /* at the end, to be dropped with the queue */
};

struct listener {
	/* What the applet wants; all else is zero. */
	uint16_t first, last;         /* queue numbers, both included */
	struct cth_queue_config config;
	int rcvbuf;                   /* bytes; 0: for what may wait */
	bool no_enable;               /* leave the helpers alone */
	bool no_ranges;
	bool verbose;
	FILE *chatter;                /* start-up lines and helpers go here */
	/* What it may look at. */
	struct cth_queue queue;
	bool leaving;                 /* the last packets are being decided */
	/* private */
	struct cth_sock sock, control;
	bool control_open;
	struct cth_slot *ring;
	uint8_t *memory;
	bool tending;                      /* helpers are looked for, the next time at look_at */
	int64_t look_at;
	struct cth_helper *known, *enabled; /* all at the last look; those that we enabled */
	size_t known_n, enabled_n;
	struct queue_losses losses;
};

/* Binds all of it and enables the helpers: 0, or an exit code, and the reason has been said. */
int listener_open(struct listener *l, cth_pkt_fn *fn, void *ctx);

/*
 * For who serves no queue, but has others do it, l->first to l->last: enables the helpers of these
 * queues, unless no_enable says not to; and disables them again. listener_tend() goes between.
 */
void listener_enable(struct listener *l);
void listener_disable(struct listener *l);

/*
 * To be called between turns, as often as one likes: once a second it looks for helpers that
 * are new, and enables those of our queues.
 */
void listener_tend(struct listener *l);

/*
 * Disables what was enabled, decides what waits, unbinds. fn still sees the last packets,
 * with l->leaving set; it must not hold them. Harmless when repeated or never opened.
 */
void listener_close(struct listener *l);

/* After listener_close(): what was lost, one line each on stderr; nothing if nothing was. */
void listener_tell_losses(const struct listener *l);

/*
 * After listener_close(): every counter on stdout; which queue's they are, if that is to be
 * told.
 */
void listener_print_counters(const struct listener *l, bool whose);

struct counter {
	const char *name;
	uint64_t value;
	const char *loss; /* what it means when it is not 0; NULL: no loss */
};

/* All of a queue's counters; and those that are losses, one line each on stderr. */
#define QUEUE_COUNTERS 19
void queue_counters(const struct cth_queue_stats *q, const struct cth_sock_stats *s,
		    const struct queue_losses *lost, struct counter c[QUEUE_COUNTERS]);
void tell_losses(const struct counter c[QUEUE_COUNTERS]);

/* What the errors of cth_queue_bind() with these flags mean; the exit code. */
int bind_refused(int err, const struct cth_nack *nack, uint16_t num, uint32_t flags);

/* Milliseconds, that only grow. */
int64_t listener_now(void);

#endif
