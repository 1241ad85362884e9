/* SPDX-License-Identifier: MIT */
/*
 * status.h - a run as it is seen from outside: counters and their names, how long decisions
 * take, and the socket at which all that is told.
 *
 *     guardian   makes it, as root, and takes it away at the end
 *     keeper     has it from the guardian, and answers: who connects gets a snapshot, and that
 *                is all. Nothing is read, nobody is waited for.
 *
 * A snapshot is Prometheus' text format 0.0.4. Its last line is STATUS_END: what lacks it was cut.
 *
 *     # HELP cth_packets_total Packets of flows that have the helper.
 *     # TYPE cth_packets_total counter
 *     cth_packets_total{helper="ftp",queue="1",netns="lan"} 1234
 *     # EOF
 *
 * status_counters.c has the names, status_serve.c the socket, status_snapshot.c what is told;
 * status_read.h reads it.
 */
#ifndef TOOLS_STATUS_H
#define TOOLS_STATUS_H

#include "listen.h"
#include "../cthelper/service.h"
#include <sys/types.h>
#include <time.h>

#define STATUS_FOLDER "/run/cth"
#define STATUS_PATH   108    /* bytes of a socket's path, the end included: sun_path has no more */
#define STATUS_END    "# EOF\n"
#define STATUS_ROOM   262144 /* bytes of a snapshot: as many helpers and queues as there may be */
#define STATUS_QUEUES 8

/* A counter of a struct: the name by which it is shown everywhere. */
struct status_counter {
	const char *name, *means;
	size_t at;        /* in the struct */
	bool cause;       /* of packets that passed unfollowed: one of the causes */
};

/*
 * Those of a helper, in struct cth_engine_stats; and of the roles, in struct role_counts of
 * run.h.
 */
extern const struct status_counter status_helper_counters[], status_role_counters[];
extern const size_t status_helper_counters_n, status_role_counters_n;
uint64_t status_value(const struct status_counter *c, const void *counts);

/* How long decisions took: plain data, to be shared by processes. */
#define STATUS_TIMES 12
struct run_latency {
	uint64_t took[STATUS_TIMES + 1]; /* how many took up to status_times[i], and more than the one before;
					    the last: longer than all */
	uint64_t sum;                    /* nanoseconds */
};
extern const uint64_t status_times[STATUS_TIMES]; /* nanoseconds, ascending */

/* From one call to the other: a decision. */
int64_t latency_begin(void);
void latency_end(struct run_latency *l, int64_t begun);

/* The socket. All zero: none yet. */
struct status_socket {
	const char *path;   /* that the operator wants; NULL: the usual one */
	bool off;
	bool usual;         /* path is nobody's wish either: its absence ends nothing */
	/* private */
	char at[STATUS_PATH];
	bool open;
	int fd;
	dev_t device;       /* of the file; nodes are used again */
	ino_t node;
	struct timespec made;
	int64_t started;    /* seconds since 1970 */
	int64_t rests;      /* until then: of milliseconds that only grow */
	uint64_t answers, strangers, cut;
};

/*
 * The guardian, as root, before it gives up rights: makes the socket, for root alone. If not told
 * it is STATUS_FOLDER/NAME.sock, or NAME@NETNS.sock. One that nobody listens at is replaced. 0,
 * or an exit code, and why has been said: somebody listens there; or it cannot be made, and was
 * asked for.
 */
int status_open(struct status_socket *s, const char *name, const char *netns);

/* Takes it away, unless it is somebody else's by now. Harmless when it was never made. */
void status_close(struct status_socket *s);

/* Its descriptor, or -1: for lists of those that stay open. */
int status_fd(const struct status_socket *s);

/* What is told. Texts and counts live until the snapshot is made. */
struct status_look {
	const void *roles;   /* struct role_counts */
	uint64_t untold;     /* lines of stdout */
	uint64_t unsaid;     /* messages */
	struct status_helper {
		const char *name, *protocol, *netns; /* netns NULL: the one that it was started in */
		uint16_t queue;
		const struct cth_engine_stats *stats;
		const struct run_latency *latency;
	} helpers[CTH_SERVICE_HELPERS];
	size_t helpers_n;
	/* Those of a socket: all queues that a namespace has. */
	struct status_queue {
		const char *numbers, *netns; /* "1,2" */
		struct counter counters[QUEUE_COUNTERS];
		uint64_t others;     /* packets of no helper */
		int64_t waiting;     /* -1: not known */
	} queues[STATUS_QUEUES];
	size_t queues_n;
};

/* The keeper: what to wait for, or -1: nothing for now; then status_serve() each time. */
int status_wait(struct status_socket *s);
void status_serve(struct status_socket *s, void (*look)(struct status_look *l, void *ctx), void *ctx);

/* status_read.c: "ftp" of /run/cth/ftp.sock: how many bytes. */
size_t status_name(const char *path, const char **name);

/*
 * Writes the snapshot: its length. What does not fit is left out, by whole lines, and so is
 * STATUS_END then: false in *whole.
 */
size_t status_snapshot(const struct status_socket *s, const struct status_look *l, char *room,
		       size_t size, bool *whole);

#endif
