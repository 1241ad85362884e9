/* SPDX-License-Identifier: MIT */
/* watch.c - see watch.h. */
#include <errno.h>
#include <sys/epoll.h>
#include "watch.h"

#define WATCH_EVENTS 32

int watch_begin(struct watch *w)
{
	w->fd = epoll_create1(EPOLL_CLOEXEC);
	return w->fd < 0 ? -errno : 0;
}

static int watch_control(struct watch *w, int operation, int fd, unsigned number, uint32_t what)
{
	struct epoll_event e = { .events = what, .data = { .u32 = number } };

	return epoll_ctl(w->fd, operation, fd, &e) < 0 ? -errno : 0;
}

int watch_add(struct watch *w, int fd, unsigned number)
{
	return watch_control(w, EPOLL_CTL_ADD, fd, number, EPOLLIN);
}

void watch_pause(struct watch *w, int fd, unsigned number, bool pause)
{
	(void)watch_control(w, EPOLL_CTL_MOD, fd, number, pause ? 0 : EPOLLIN);
}

uint32_t watch_wait(struct watch *w, int timeout_ms)
{
	struct epoll_event events[WATCH_EVENTS];
	int n = epoll_wait(w->fd, events, WATCH_EVENTS, timeout_ms);
	uint32_t set = 0;

	for (int i = 0; i < n; i++)
		set |= 1u << events[i].data.u32;
	return set;
}
