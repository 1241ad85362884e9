/* SPDX-License-Identifier: MIT */
/*
 * run.h - what the parts of `cth run` share. run.c has its life from the start to the end,
 * run_options.c its command line, run_show.c, run_counts.c and run_list.c what it shows,
 * run_fault.c what its failures mean, run_dry.c the dry run.
 */
#ifndef TOOLS_RUN_H
#define TOOLS_RUN_H

#include "cth.h"
#include "../cthelper/service.h"
#include "jail.h"
#include "listen.h"

#define RUN_CAUSES 64 /* that are told apart */

struct run {
	struct cth_service service;
	struct cth_service_config config;
	struct cth_served served[CTH_SERVICE_HELPERS];
	bool unattached[CTH_SERVICE_HELPERS]; /* no rule attaches it */
	const char *netns;
	bool queue_given, verbose, list;
	bool legacy;             /* there are rules of iptables-legacy, which are not read */
	bool ready_told;
	/* The three roles: see roles.h. */
	bool single;             /* one process does it all */
	const char *keeper, *worker; /* users */
	struct jail keeper_jail, worker_jail;
	unsigned deadline_ms;    /* for a packet's decision */
	struct {
		uint32_t count, seconds;
	} restarts;              /* of a keeper that dies, before it is given up */
	bool fail_closed;        /* what cannot be decided is dropped */
	const char *keep_path;   /* of a pcap for packets that nobody survives; NULL: none */
	FILE *kept;
	uint64_t keep_most;
	struct role_counts {
		uint64_t workers;   /* that were started */
		uint64_t died, hung, protested; /* of them: were found dead; were silent; said what is no answer */
		uint64_t undecided; /* packets that the policy has decided */
		uint64_t kept;
		uint64_t thrown;    /* packets that a dead keeper has left */
		uint64_t keepers;   /* that were started */
		uint64_t silent;    /* of them: gave no sign of life, and were killed */
	} roles;
	uint32_t allow;
	struct cth_ports *ports;
	uint8_t *memory;
	/* run_show.c */
	struct run_cause {
		const struct cth_served *served;
		enum cth_event_kind kind;
		int number;      /* the error, or the note */
		const char *why;
	} told[RUN_CAUSES];      /* causes of which has been warned */
	size_t told_n;
	uint64_t untold;         /* lines of -v that would have had to wait for their reader */
	bool mute;               /* standard output takes nothing any more */
	bool gaps_told;
	int write_error;
	struct queue_losses losses;
};

/* run_options.c: the command line: -1, or an exit code. */
int take_run(const struct applet *self, int argc, char **argv, struct run *r);

/* run.c: the helper that is registered for it, for one l3 and l4: what it should be like. */
void served_helper(const struct run *r, const struct cth_served *s, uint16_t l3, uint8_t l4,
		   struct cth_helper *h);

/* run_dry.c: shows what would be sent: 0, or an exit code. */
int rehearse_run(struct run *r);

/*
 * run.c: the parts of the way. prepare: memory, sockets and files, which takes privilege; open: in the
 * kernel; leave: out again. 0, or an exit code, and why has been said.
 */
int run_prepare(struct run *r);
int run_open(struct run *r);
int run_leave(struct run *r);

/* run_fault.c: says why cth_service_open() failed; the exit code. */
int run_refused(const struct run *r, int err, const struct cth_service_fault *fault);

/* run_list.c */

/* "ftp", or "ftp-in=ftp" under another name; and the name that is registered. */
const char *served_text(const struct cth_served *s);
const char *served_name(const struct cth_served *s);
const char *l4_words(const struct cth_proto *p, const char *between); /* "tcp udp" */

/* --list; and "ftp (tcp 21), tftp (udp 69)" */
void show_protocols(void);
const char *protocol_words(void);

/* run_show.c */

/* A cth_event_fn, whose ctx is the run: -v's lines, and warnings. */
void show_event(const struct cth_event *e, void *run);

/* What an operator should hear of the queue itself while it runs, once. */
void show_gaps(struct run *r);

/* After writing to stdout: sees that it arrived, and does without if it cannot. */
void shown(struct run *r);

/* run_counts.c */

/* All counters on stdout; at the end as text only those that are not 0, and losses as warnings. */
void show_counters(struct run *r, bool end);

/* Reads what was lost up to now, while the sockets are open. */
void measure_losses(struct run *r);

#endif
