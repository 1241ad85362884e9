/* SPDX-License-Identifier: MIT */
/*
 * fanout.c - as many consumers as queues, each a process with one socket and one queue.
 *
 *     parent    helpers: enabled when all queues are bound, disabled before the first goes
 *      | | |    pipes:   a byte says "bound", their end that a consumer has ended
 *     0  1  2   consumers, which leave when the parent says so, or is dead
 *
 * The parent sees no packet. What a terminal or an init system sends to all of them is the parent's
 * alone to obey: else queues would go while their helpers are enabled.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fanout.h"

#define LOOK_MS   1000
#define LEAVE_MS 10000 /* a consumer that takes longer to leave is killed */

struct consumer {
	pid_t id; /* 0: it has ended */
	int end;  /* of its pipe, to read */
	uint16_t num;
};

struct fanout {
	struct consumer consumer[FANOUT_MAX];
	size_t n;
	int code;
	bool leaving;
};

void fanout_bound(int ready)
{
	ssize_t n;

	do {
		n = write(ready, "b", 1);
	} while (n < 0 && errno == EINTR);
}

static void consumer_main(uint16_t num, int ready, fanout_fn *consume, void *ctx)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s: queue %u", said_by, num);
	said_by = name;
	exit(consume(num, ready, ctx));
}

static int consumer_start(struct fanout *f, uint16_t num, fanout_fn *consume, void *ctx)
{
	struct consumer *c = &f->consumer[f->n];
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(-errno, "starting a consumer", NULL, NULL);
	fflush(NULL); /* or both would say it */
	c->id = fork();
	if (c->id == 0) {
		obey_parent(parent);
		consumer_main(num, ends[1], consume, ctx);
	}
	close(ends[1]);
	if (c->id < 0) {
		close(ends[0]);
		return fail(-errno, "starting a consumer", NULL, "lower the number of queues");
	}
	c->end = ends[0];
	c->num = num;
	f->n++;
	return CTH_EXIT_OK;
}

/* One has ended: how, if nobody has asked it to. */
static void consumer_ended(struct fanout *f, struct consumer *c)
{
	int status = 0, code;

	while (waitpid(c->id, &status, 0) < 0 && errno == EINTR)
		;
	close(c->end);
	c->id = 0;
	code = WIFEXITED(status) ? WEXITSTATUS(status) : CTH_EXIT_FAILURE;
	if (WIFSIGNALED(status))
		warn("the consumer of queue %u was killed by signal %d (%s): what waited there is "
		     "dropped%s", c->num, WTERMSIG(status), strsignal(WTERMSIG(status)),
		     f->leaving ? "" : ", and the others end too");
	if (f->code == CTH_EXIT_OK)
		f->code = code;
}

/* Waits until one says something, or for so long: false if none has ended. */
static bool look_at_consumers(struct fanout *f, int timeout_ms)
{
	struct pollfd ends[FANOUT_MAX];
	bool ended = false;
	char said;

	for (size_t i = 0; i < f->n; i++) {
		ends[i].fd = f->consumer[i].id ? f->consumer[i].end : -1;
		ends[i].events = POLLIN;
		ends[i].revents = 0;
	}
	if (poll(ends, f->n, timeout_ms) <= 0)
		return false;
	for (size_t i = 0; i < f->n; i++) {
		if (!ends[i].revents || read(ends[i].fd, &said, 1) != 0)
			continue;
		consumer_ended(f, &f->consumer[i]);
		ended = true;
	}
	return ended;
}

/* The one that was started last: has it bound its queue? */
static bool await_bound(const struct fanout *f)
{
	struct pollfd end = { .fd = f->consumer[f->n - 1].end, .events = POLLIN };
	char said;

	while (!interrupted)
		if (poll(&end, 1, LOOK_MS) > 0)
			return read(end.fd, &said, 1) == 1;
	return false;
}

static bool start_all(struct fanout *f, const struct listener *l, fanout_fn *consume, void *ctx)
{
	for (uint32_t num = l->first; num <= l->last; num++) {
		f->code = consumer_start(f, (uint16_t)num, consume, ctx);
		if (f->code != CTH_EXIT_OK || !await_bound(f))
			return false;
	}
	return true;
}

static bool any_left(const struct fanout *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->consumer[i].id)
			return true;
	return false;
}

static void tell_all(const struct fanout *f, int number)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->consumer[i].id)
			kill(f->consumer[i].id, number);
}

/* Also those that stand still. */
static void end_all(struct fanout *f)
{
	int64_t end = listener_now() + LEAVE_MS;

	f->leaving = true;
	tell_all(f, SIGNAL_OF_PARENT);
	tell_all(f, SIGCONT);
	while (any_left(f)) {
		look_at_consumers(f, LOOK_MS);
		if (listener_now() < end)
			continue;
		tell_all(f, SIGKILL);
		end += LEAVE_MS;
	}
}

int fan_out(struct listener *l, fanout_fn *consume, void *ctx)
{
	struct fanout f = { .n = 0 };

	catch_interrupts();
	if (start_all(&f, l, consume, ctx)) {
		listener_enable(l);
		while (!interrupted && !look_at_consumers(&f, LOOK_MS))
			listener_tend(l);
		listener_disable(l);
	}
	end_all(&f);
	return f.code;
}
