/* SPDX-License-Identifier: MIT */
/*
 * notify.h - what a service tells the one that started it, by the protocol of sd_notify(3), which
 * systemd and others speak; and the descriptors that it keeps for us meanwhile. Without one
 * that wants to be told all of this does nothing.
 *
 *     struct notify n;
 *
 *     notify_begin(&n);
 *     while ((fd = notify_stored(&n, &name)) >= 0)
 *             it is ours now, from the one who has died
 *     notify_store(&n, "queue", fd);
 *     notify_ready(&n, "serving ftp on queue 0");
 *     timeout = notify_alive(&n, now, healthy);
 *     notify_stopping(&n);
 *     notify_forget(&n, "queue");
 */
#ifndef TOOLS_NOTIFY_H
#define TOOLS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define NOTIFY_NAME   255 /* characters of a descriptor's name; not ':' */
#define NOTIFY_STORED 64  /* descriptors that are taken back, at most */

struct notify {
	int fd;            /* a socket; -1: nobody wants to be told */
	uint64_t lost;     /* messages that were not taken */
	/* private */
	struct sockaddr_un to;
	socklen_t to_n;
	int64_t every, at; /* ms: between signs of life, 0: none are wanted; when the next one is due */
	int stored, stored_n;
	char names[4096], *next_name;
};

/*
 * Takes NOTIFY_SOCKET, WATCHDOG_* and LISTEN_* out of the environment, so that no child minds
 * them. 0; -errno: NOTIFY_SOCKET cannot be reached, and nothing will be told.
 */
int notify_begin(struct notify *n);

/*
 * The next descriptor that was stored by a predecessor, close-on-exec, now the caller's; -1: there
 * are no more. *name lives as long as n.
 */
int notify_stored(struct notify *n, const char **name);

/* status is for people, one line. */
void notify_ready(struct notify *n, const char *status);
void notify_status(struct notify *n, const char *status);
void notify_reloading(struct notify *n, const char *status); /* until the next notify_ready() */
void notify_stopping(struct notify *n);

/*
 * The watchdog: a sign of life, if one is due and healthy. now is in milliseconds of
 * CLOCK_MONOTONIC. Returns in how many of them it wants to be called again at the latest; -1:
 * never.
 */
int notify_alive(struct notify *n, int64_t now, bool healthy);

/*
 * Have it kept, so that it outlives us and is given to the next one; and no more. One of the same
 * name is kept besides, unless it is the same.
 */
void notify_store(struct notify *n, const char *name, int fd);
void notify_forget(struct notify *n, const char *name);

#endif
