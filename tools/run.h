/* SPDX-License-Identifier: MIT */
/*
 * run.h - what the parts of `cth run` share.
 *
 *     run_options.c, run_conf.c   what is to be done: a struct conf, whoever says it
 *     run_places.c                where: network namespaces, each with a service of its own
 *     run.c                       its life from the start to the end
 *     run_limits.c                what is decided by policy
 *     run_show.c, run_counts.c, run_list.c    what it shows
 *     run_fault.c, run_dry.c      what its failures mean; the dry run
 */
#ifndef TOOLS_RUN_H
#define TOOLS_RUN_H

#include "cth.h"
#include "../cthelper/service.h"
#include "conf.h"
#include "jail.h"
#include "listen.h"
#include "proc.h"
#include "status.h"

#define RUN_CAUSES 64 /* that are told apart */
#define RUN_PLACES PROC_PLACES

/* A network namespace, and the service in it. */
struct run_place {
	const char *netns;       /* NULL: the one that this was started in */
	struct cth_service service;
	struct cth_service_config config; /* served: a part of the run's */
	size_t first;            /* of that part */
	uint8_t *memory;
	size_t room;
	bool legacy;             /* there are rules of iptables-legacy that could not be read */
	bool gaps_told;
	bool inherited;          /* service.sock is a predecessor's, who was killed: manager.h */
	struct queue_losses losses;
};

/*
 * Outlives keepers: guardian and keepers have it in common, and nobody else. Counts only, of which
 * the guardian reads none: whoever has a keeper in hand shall not have the guardian through it.
 * What a keeper goes by, is what has been warned of.
 */
struct run_shared {
	struct cth_engine_stats stats[CTH_SERVICE_HELPERS]; /* of each that is served */
	struct role_counts {
		uint64_t workers;   /* that were started */
		uint64_t died, hung, protested; /* of them: were found dead; were silent; said no answer */
		uint64_t slow;      /* answers that took more than half of the deadline */
		uint64_t undecided; /* packets that the policy has decided */
		uint64_t limited;   /* of them: beyond what is allowed in a second */
		uint64_t kept, unkept; /* those that cost workers: in a file; or that could not be */
		uint64_t thrown;    /* packets that a dead keeper had read */
		uint64_t keepers;   /* that were started */
		uint64_t silent;    /* of them: gave no sign of life, and were killed */
	} roles;
	struct run_latency latency[CTH_SERVICE_HELPERS]; /* of each that is served */
};

struct run {
	struct conf conf;        /* what is done */
	struct conf next;        /* what a SIGHUP has brought, until it is in force; n is 0: nothing */
	const char *conf_path, *conntrackd_path; /* of the file that it is from; NULL: there is none */
	const struct words *words; /* of the command line, beside a file */
	bool check, list, verbose, queue_given;
	const char *log;         /* stderr or syslog; NULL: as conf says */
	/* All helpers, those of a place together; and beside them their terms as they are written. */
	struct cth_served *served;
	struct cth_served sides[2][CTH_SERVICE_HELPERS]; /* in force, and to be next */
	const struct conf_helper *terms[CTH_SERVICE_HELPERS];
	size_t n;
	bool unattached[CTH_SERVICE_HELPERS]; /* no rule attaches it */
	struct run_rate {
		int64_t since;   /* ms, as listener_now() */
		uint32_t count;  /* since then */
	} asked[CTH_SERVICE_HELPERS], expected[CTH_SERVICE_HELPERS]; /* run_limits.c */
	int rcvbuf;
	struct run_shared *shared;
	unsigned side;           /* which is in force */
	bool ready_told;
	/* The three roles: see roles.h. */
	bool single;             /* one process does it all */
	struct jail keeper_jail, worker_jail;
	struct status_socket status;
	/* run_show.c */
	struct run_cause {
		const struct cth_served *served;
		enum cth_event_kind kind;
		int number;      /* the error, or the note */
		const char *why;
	} told[RUN_CAUSES];      /* causes of which has been warned */
	size_t told_n;
	uint64_t untold;         /* lines that would have had to wait for their reader */
	bool mute;               /* standard output takes nothing any more */
	int write_error;
	size_t places_n;
	struct run_place places[RUN_PLACES]; /* the last: of most of them nothing is ever touched */
};

/* run_options.c: the command line: -1, or an exit code. */
int take_run(const struct applet *self, int argc, char **argv, struct run *r);

/* What it says beside a conntrackd.conf, into what that one has said: 0, -ENOMEM. */
int run_say_beside(const struct run *r, struct conf *c);

/*
 * run_conf.c: the file. read: into *c: 0, or an exit code, and what is wrong with it has been said.
 * check: `cth run --check`, an exit code. fill: the terms of conf in the form of the library,
 * in the run's order.
 */
int run_read_conf(const struct run *r, struct conf *c);
int run_check_conf(struct run *r);
void run_fill_served(const struct run *r, const struct conf *c, struct cth_served *served);

/*
 * run_conf.c: another configuration, into r->next: 1: the keeper is to take it; 0: nothing has
 * changed, or it cannot be, which has been said. run_take_next(): it is in force now;
 * run_drop_next(): it is not.
 */
int run_read_next(struct run *r);
void run_take_next(struct run *r);
void run_drop_next(struct run *r);

/* run_conf.c: the users' numbers, into the jails: 0, or an exit code. */
int run_users(struct run *r);

/*
 * run_places.c: 0, or an exit code, and why has been said. plan: which there are, and who is
 * served in each; open: their sockets, and what is in the kernel already; prepare: memory.
 */
int places_plan(struct run *r);
int places_open(struct run *r);
int places_prepare(struct run *r);
void places_close(struct run *r);

/* The services, for the library. next: of all helpers, for a change; NULL: none. */
void places_parts(struct run *r, struct cth_served *next,
		  struct cth_service_part parts[RUN_PLACES]);

struct run_place *place_of(struct run *r, const struct cth_served *s);

/* Its number among r->served. During a change s may be of either side. */
size_t run_index(const struct run *r, const struct cth_served *s);

/* Counters, into what outlives a keeper; and from there, in the next one. */
void run_keep_counts(struct run *r);
void run_keep_counts_of(struct run *r, const struct cth_served *s);
void run_go_on_counting(struct run *r);

/* run_around.c: warns of what the kernel lacks, and of other namespaces that will be disturbed. */
void run_look_around(struct run *r);

/* The queues of a place, each once: the i-th, or -1. */
int place_queue(const struct run_place *p, size_t i);

/*
 * run_limits.c: may the protocol be asked about this packet; may what it says be done; and what is
 * done instead. All of it together, with the protocol here, is a cth_decide_fn, whose ctx is
 * the run.
 */
bool limits_let_ask(struct run *r, const struct cth_call *c);
bool limits_let_expect(struct run *r, const struct cth_call *c, const struct cth_decision *d);
bool decide_by_policy(struct run *r, const struct cth_call *c, struct cth_decision *d);
bool decide_within_limits(const struct cth_call *c, struct cth_decision *d, void *run);

/* run_dry.c: shows what would be sent: 0, or an exit code. */
int rehearse_run(struct run *r);

/*
 * run.c: the parts of the way. open: in the kernel, resumed from a dead keeper, or one that
 * left well; turn: serves what is there, or comes within wait_ms, in each place; leave: out again.
 * 0, or an exit code, and why has been said. change: to r->next: 1; 0: it cannot be, and all is
 * as it was; -1: nor can that be, and it is to end. That is said too.
 */
int run_open(struct run *r, bool resume, bool left_well);
int run_turn(struct run *r, int wait_ms);
int run_change(struct run *r);
int run_leave(struct run *r);

/* run_fault.c: says why the services could not be opened, or changed; the exit code. */
int run_refused(const struct run *r, int err, const struct cth_service_fault *fault);

/* run_list.c */

/* "ftp", or "ftp-in=ftp" under another name. */
const char *served_text(const struct cth_served *s);
const char *l4_words(const struct cth_proto *p, const char *between); /* "tcp udp" */

/* --list; and "ftp (tcp 21), tftp (udp 69)" */
void show_protocols(void);
const char *protocol_words(void);

/* run_show.c */

/* A cth_event_fn, whose ctx is the run: -v's lines, and warnings. */
void show_event(const struct cth_event *e, void *run);

/* What an operator should hear of the queues themselves while it runs, once. */
void show_gaps(struct run *r);

/*
 * Whether PIPE_BUF bytes can be written to stdout without waiting, at the latest after wait_ms; if
 * not that is counted. After writing: shown() sees that it arrived, and does without if it cannot.
 * show_no_more(): stdout is done without from now on, for that reason.
 */
bool reader_has_room(struct run *r, int wait_ms);
void shown(struct run *r);
void show_no_more(struct run *r, const char *why);

/* run_counts.c */

/* All counters on stdout; at the end as text only those that are not 0, and losses as warnings. */
void show_counters(struct run *r, bool end);

/* run_status.c: what the status socket tells: status_serve()'s; and which socket that is. */
void run_look(struct status_look *l, void *run);
int run_open_status(struct run *r);

/* Reads what was lost up to now, while the sockets are open. */
void measure_losses(struct run *r);

#endif
