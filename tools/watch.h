/* SPDX-License-Identifier: MIT */
/*
 * watch.h - waits for several descriptors at once, by epoll(7): what it costs does not grow with
 * those that are silent, and where several places are served it is waited for after every packet.
 */
#ifndef TOOLS_WATCH_H
#define TOOLS_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct watch {
	int fd; /* of its own, close-on-exec */
};

/* 0 or -errno. From then on only watch_wait() and watch_pause() are called: a jail lets them. */
int watch_begin(struct watch *w);

/* number: from 0 to 31, what it is told by. 0 or -errno. */
int watch_add(struct watch *w, int fd, unsigned number);

/* Looks away from one, until it is to be looked at again. */
void watch_pause(struct watch *w, int fd, unsigned number, bool pause);

/* Which have something to read, or an error: set of 1 << number; 0: none in time, or a signal. */
uint32_t watch_wait(struct watch *w, int timeout_ms);

#endif
