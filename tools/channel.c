/* SPDX-License-Identifier: MIT */
/*
 * channel.c - between keeper and worker: two pipes, as nothing between processes costs less.
 *
 *     keeper == | id | protocol | view | body ... | ==> worker
 *     keeper <== | id | decision | =================== worker
 *
 * The worker greets, and then there is one question at a time, all that its pipe holds. Answers
 * come in packets, O_DIRECT of pipe(2): what the worker says is the answer to the last question
 * or it is nothing, and a packet of another length, or with another id, is none.
 *
 * A pipe has a reader as long as the worker lives: a question to one that is dead fails when it is
 * asked, one that it dies of when the answer is waited for.
 *
 * A pipe's read has no deadline, and poll(2) in front of it would be one more call for each
 * question. So there is a timer, which goes on from one question to the next: it is set again only
 * when it has run out, and the question of that moment is a later one. What it does to one whose
 * time is up holds whether the read has begun or not: from then on the answers' pipe does not wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#include "roles.h"

#define CHANNEL_SHORT 512      /* bytes of a body */
#define CHANNEL_ROOM (1 << 17) /* the longest question; a pipe usually has half of it */

_Static_assert(sizeof(struct channel_answer) <= PIPE_BUF, "an answer is one packet of a pipe");

/* Until end there is room for more of a question: 0, or what has come of it. */
static int await_room(int fd, int64_t end)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	int64_t left;
	int n;

	do {
		left = end - listener_now();
		n = poll(&wait, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	return n > 0 && left > 0 ? 0 : n < 0 ? -errno : -ETIMEDOUT;
}

/* From where an answer is awaited, and until when; -1: none is, and the time is of no meaning. */
static volatile sig_atomic_t awaited = -1;
static volatile int64_t awaited_until;
static volatile sig_atomic_t too_late; /* its time was up */

static volatile sig_atomic_t timer_runs;
static int64_t timer_end; /* if it runs */

static void set_timer(int64_t end)
{
	int64_t left = end - listener_now();
	struct itimerval t = { .it_value = { .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 } };

	if (left <= 0)
		t.it_value = (struct timeval){ .tv_usec = 1 };
	timer_end = end;
	timer_runs = 1;
	(void)setitimer(ITIMER_REAL, &t, NULL);
}

static void time_is_up(int number)
{
	int error = errno;

	(void)number;
	timer_runs = 0;
	if (awaited >= 0 && awaited_until > listener_now())
		set_timer(awaited_until);
	else if (awaited >= 0)
		too_late = fcntl(awaited, F_SETFL, O_NONBLOCK) == 0;
	errno = error;
}

int channel_begin(void)
{
	struct sigaction a;

	memset(&a, 0, sizeof(a));
	sigemptyset(&a.sa_mask);
	a.sa_handler = time_is_up;
	a.sa_flags = SA_RESTART; /* so the read begins anew, and ends at once */
	return sigaction(SIGALRM, &a, NULL) < 0 ? -errno : 0;
}

/*
 * A timer that runs out before that sets itself again. What comes when time is up counts no more,
 * as its pipe never waits again.
 */
static ssize_t read_until(int fd, void *to, size_t n, int64_t end)
{
	ssize_t got;

	too_late = 0;
	awaited_until = end;
	awaited = fd;
	if (!timer_runs || timer_end > end)
		set_timer(end);
	do
		got = read(fd, to, n);
	while (got < 0 && errno == EINTR);
	awaited = -1;
	if (too_late)
		errno = EAGAIN;
	return too_late ? -1 : got;
}

/* Waits for the answer to id. */
static int take_answer(const struct channel *c, uint32_t id, int64_t end, struct cth_decision *d)
{
	struct { /* one that is cut would look like an answer */
		struct channel_answer answer;
		char more;
	} got;
	ssize_t n = read_until(c->in, &got, sizeof(got.answer) + 1, end);

	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (n == 0)
		return -ECONNRESET;
	if (n != (ssize_t)sizeof(got.answer) || got.answer.id != id)
		return -EPROTO;
	*d = got.answer.decision;
	return 0;
}

/* What n bytes are of the parts has gone. */
static void parts_forget(struct iovec parts[2], size_t n)
{
	for (size_t i = 0; i < 2; i++) {
		size_t gone = n < parts[i].iov_len ? n : parts[i].iov_len;

		parts[i].iov_base = (char *)parts[i].iov_base + gone;
		parts[i].iov_len -= gone;
		n -= gone;
	}
}

/* All at once, unless a pipe may not be as large as it should. */
static int put_question(const struct channel *c, struct iovec parts[2], int64_t end)
{
	int r = 0;

	while (r == 0 && parts[0].iov_len + parts[1].iov_len > 0) {
		ssize_t n = parts[1].iov_len ? writev(c->out, parts, 2) :
					       write(c->out, parts[0].iov_base, parts[0].iov_len);

		if (n >= 0)
			parts_forget(parts, (size_t)n);
		else if (errno == EAGAIN)
			r = await_room(c->out, end);
		else if (errno != EINTR)
			r = -errno;
	}
	return r;
}

int channel_ask(const struct channel *c, uint32_t id, uint32_t proto, const struct cth_view *v,
		int timeout_ms, struct cth_decision *d)
{
	struct { /* most are short, and one part costs the kernel less than two */
		struct channel_question question;
		uint8_t body[CHANNEL_SHORT];
	} q;
	struct iovec parts[] = { { &q, sizeof(q.question) }, { (void *)v->body.p, v->body.n } };
	int64_t end = listener_now() + timeout_ms;
	int r;

	q.question = (struct channel_question){ .id = id, .proto = proto, .view = *v };
	q.question.view.body.p = NULL; /* not even the address */
	if (v->body.n <= CHANNEL_SHORT) {
		memcpy(q.body, v->body.p, v->body.n);
		parts[0].iov_len += v->body.n;
		parts[1].iov_len = 0;
	}
	r = put_question(c, parts, end);
	return r == 0 ? take_answer(c, id, end, d) : r;
}

int channel_greet(const struct channel *c)
{
	struct channel_answer a;

	memset(&a, 0, sizeof(a));
	return channel_answer(c, &a);
}

int channel_greeted(const struct channel *c, int timeout_ms)
{
	struct cth_decision d;

	return take_answer(c, 0, listener_now() + timeout_ms, &d);
}

/* Up to n bytes more: how many, 0 at the end. */
static ssize_t take_bytes(const struct channel *c, void *to, size_t n)
{
	ssize_t got;

	do
		got = read(c->in, to, n);
	while (got < 0 && errno == EINTR);
	return got;
}

int channel_next(const struct channel *c, struct channel_room *room)
{
	size_t have = 0, whole = sizeof(room->question);

	while (have < whole) {
		ssize_t n = take_bytes(c, (char *)room + have, sizeof(*room) - have);

		if (n < 0)
			return -errno;
		if (n == 0)
			return have ? -EPROTO : 0;
		have += (size_t)n;
		if (have < sizeof(room->question))
			continue;
		if (room->question.view.body.n > sizeof(room->body))
			return -EPROTO;
		whole = sizeof(room->question) + room->question.view.body.n;
	}
	if (have > whole)
		return -EPROTO;
	room->question.view.body.p = room->body;
	return 1;
}

int channel_answer(const struct channel *c, const struct channel_answer *answer)
{
	ssize_t n;

	do
		n = write(c->out, answer, sizeof(*answer));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

void channel_close(struct channel *c)
{
	if (c->in >= 0)
		close(c->in);
	if (c->out >= 0)
		close(c->out);
	c->in = c->out = -1;
}

int channel_pair(struct channel *keeper, struct channel *worker)
{
	int questions[2], answers[2], error;

	if (pipe2(questions, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(answers, O_CLOEXEC | O_DIRECT) < 0) {
		error = -errno;
		close(questions[0]);
		close(questions[1]);
		return error;
	}
	*keeper = (struct channel){ .in = answers[0], .out = questions[1] };
	*worker = (struct channel){ .in = questions[0], .out = answers[1] };
	(void)fcntl(keeper->out, F_SETPIPE_SZ, CHANNEL_ROOM);
	/* Whoever does not read shall not keep the keeper waiting for longer than it wants to. */
	if (fcntl(keeper->out, F_SETFL, O_NONBLOCK) == 0)
		return 0;
	error = -errno;
	channel_close(keeper);
	channel_close(worker);
	return error;
}
