/* SPDX-License-Identifier: MIT */
/*
 * manager.h - `cth run` and the one that started it, systemd for example: what it is told
 * (notify.h), and the queues' sockets that it keeps, so that even when all processes are killed
 * at once, what waits in a queue waits for the next start. Only the guardian, or the one
 * process of --single, speaks with it. Without a manager all of this does nothing.
 */
#ifndef TOOLS_MANAGER_H
#define TOOLS_MANAGER_H

#include "run.h"

/*
 * At the very start: sees where messages are to go (r->conf.syslog), who wants to be told, and
 * what was kept for us. 0, or an exit code, and why has been said.
 */
int manager_begin(const struct run *r);

/* Another place for messages, from now on; it is said if nobody takes them there yet. */
void manager_log(bool syslog);

/* To be kept open by who calls the others; -1: none. */
int manager_fd(void);

/*
 * In the place's network namespace, with its sockets open: if a socket was kept that owns one of
 * its queues, it takes p->service.sock's place; then p->inherited is set, the service is to
 * be resumed, and helpers that were there before the predecessor have terms.keep set. 0, or an
 * exit code, and why has been said.
 */
int manager_inherit(struct run_place *p);

/* After all places: what is kept and of no use to any of them is given up. */
void manager_let_go(void);

/* It serves, for the first time or after a reload; the sockets are kept from now on. */
void manager_ready(const struct run *r);

void manager_reloading(void);
void manager_stopping(void);
void manager_status(const char *status); /* one line, for people */

/* The end, in good order or not at all: no socket is to be kept any longer. */
void manager_end(const struct run *r);

/*
 * The watchdog: to be called each time around. healthy: whoever serves was heard, or is just being
 * replaced. Returns in how many milliseconds at the latest it wants to be called again; -1: never.
 */
int manager_alive(bool healthy);

#endif
