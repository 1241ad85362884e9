/* SPDX-License-Identifier: MIT */
/*
 * log.h - where messages go: to standard error, or to syslog. What says them is say.c's warn(),
 * fail() and note().
 */
#ifndef TOOLS_LOG_H
#define TOOLS_LOG_H

#include <stdint.h>

#define LOG_SYSLOG "/dev/log" /* where syslog daemons listen */

/* syslog's severities. */
enum log_kind {
	LOG_KIND_ERROR   = 3,
	LOG_KIND_WARNING = 4,
	LOG_KIND_NOTICE  = 5,
};

/*
 * Says it, each of its lines as a message of its own. by, unless it is NULL, stands in front of
 * errors and warnings, but not in syslog, which tells that by itself.
 */
void log_say(enum log_kind kind, const char *by, const char *text);

/*
 * For services, whose packets wait while they talk: from now on nothing waits until a message can
 * be taken. What cannot be said is counted, and the next that can be tells how much that was.
 * syslog: the socket of a syslog daemon; NULL: standard error. 0; or -errno: nobody takes messages
 * there, and until somebody does, whom log_mend() looks for, they go to standard error. It may be
 * called again, to change.
 */
int log_begin(const char *syslog);

/* Says so, of an error of log_begin(). */
void log_failed(int error, const char *syslog);

/* A descriptor to be kept open, or -1. */
int log_fd(void);

/* For a process that can reach no path any more, and counts for itself. */
void log_jailed(void);

/*
 * For one that still can: looks for a syslog daemon that has been started, or started again. All
 * processes that came of log_begin()'s caller by fork(2) share the socket: they are connected, too.
 */
void log_mend(void);

/* Messages that could not be said, by this process. */
uint64_t log_lost(void);

#endif
