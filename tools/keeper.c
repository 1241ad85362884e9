/* SPDX-License-Identifier: MIT */
/*
 * keeper.c - serves as `cth run --single` does, but has the worker decide: see roles.h.
 *
 *     packet --> engine --> question --> worker
 *                  ^                       |
 *                  '-- bounds <-- answer --'
 *                                  | none, or not one
 *                                  v
 *                             another worker, the same question; and if that does not help either
 *                             the packet passes (or, --fail-closed, is dropped) unread, is kept for
 *                             a report, and counted
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include "jail.h"
#include "kept.h"
#include "proc.h"
#include "roles.h"
#include "trim.h"
#include "watch.h"

#define WAKE_MS      1000 /* verdicts that the kernel had no memory for are tried again */
#define ALIVE_MS     1000 /* the guardian wants to hear so often that we are */
#define WORKER_WAIT 5000 /* ms: for the guardian to fork one */
#define WORKER_AGAIN 500 /* ms, after it has said no */
#define KEEP_WAIT   2000 /* ms: for it to make a file */
#define TRIES        2   /* workers that one packet may cost */
#define SLOW_MOST    4   /* answers that a worker may take its time for */
#define IDS          64
#define FATAL        16  /* packets that are known to cost them, the last ones */

/* What is watched; places come first. */
#define FROM_GUARDIAN RUN_PLACES
#define FROM_STATUS   (RUN_PLACES + 1)

struct keeper {
	struct run *run;
	int guardian;
	struct channel channel;
	uint32_t ids[IDS], ids_n, id; /* of questions: in reserve, how many; without random ones */
	bool leaving, relaying;
	struct watch watch;
	bool alone;        /* there is one place: see await() */
	bool status_rests;
	unsigned slow;     /* answers of this worker */
	int64_t worker_at; /* not before that */
	int64_t alive_at;  /* the next sign of life */
	struct fatal {
		uint32_t flow, seq;
		uint64_t hash; /* 0: nothing stands here */
	} fatal[FATAL];
	size_t fatal_next;
};

/* Words of the guardian. */

static void stay_behind(struct keeper *k)
{
	k->leaving = true;
	for (size_t i = 0; i < k->run->places_n; i++)
		k->run->places[i].service.stay = true;
}

static void take_word(struct keeper *k, char word)
{
	if (word == ROLE_LEAVE)
		k->leaving = true;
	if (word == ROLE_RELAY)
		k->relaying = true;
	if (word != ROLE_COUNT)
		return;
	measure_losses(k->run);
	show_counters(k->run, false);
}

/* One of them: false: nothing is there, or the guardian is gone. */
static bool next_word(struct keeper *k, struct pair_heard *h)
{
	int r = pair_hear(k->guardian, h);

	if (r == 0) /* nobody is there to restart anybody: a successor of us all may come */
		stay_behind(k);
	return r > 0;
}

static void take_words(struct keeper *k)
{
	struct pair_heard late;

	while (next_word(k, &late)) {
		pair_drop(&late); /* what came too late to be waited for */
		take_word(k, late.word);
	}
}

/* Waits for what the guardian was asked for, which comes with n descriptors. */
static bool get_answer_of_guardian(struct keeper *k, char word, size_t n, int64_t end,
				   struct pair_heard *h)
{
	for (int64_t now = listener_now(); now < end; now = listener_now()) {
		struct pollfd wait = { .fd = k->guardian, .events = POLLIN };
		int ready = poll(&wait, 1, (int)(end - now));

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			break;
		if (!next_word(k, h)) {
			if (k->leaving)
				break;
			continue;
		}
		if (h->word == word && h->n == n)
			return true;
		pair_drop(h);
		if (h->word == word || h->word == ROLE_NONE)
			break;
		take_word(k, h->word);
	}
	return false;
}

/* What it says after it was asked is the answer, and what it has said before is none. */
static bool ask_guardian(struct keeper *k, char word, size_t n, int64_t end, struct pair_heard *h)
{
	take_words(k);
	return pair_say(k->guardian, word, NULL, 0) == 0 &&
	       get_answer_of_guardian(k, word, n, end, h);
}

/* Does not wait: a guardian that is stopped needs no such sign. true: it was time for one. */
static bool show_life_at(struct keeper *k, int64_t now)
{
	if (now < k->alive_at)
		return false;
	k->alive_at = now + ALIVE_MS;
	(void)pair_say(k->guardian, ROLE_ALIVE, NULL, 0);
	return true;
}

static bool show_life(struct keeper *k)
{
	return show_life_at(k, listener_now());
}

/* Workers. */

/* One that is ready to be asked. */
static bool get_worker(struct keeper *k)
{
	int64_t now = listener_now(), end = now + WORKER_WAIT;
	struct pair_heard h;

	if (now < k->worker_at)
		return false;
	while (now < end && ask_guardian(k, ROLE_WORKER, 2, end, &h)) {
		k->channel = (struct channel){ .in = h.fds[0], .out = h.fds[1] };
		k->run->shared->roles.workers++;
		k->slow = 0;
		show_life(k);
		if (channel_greeted(&k->channel, WORKER_WAIT) == 0) {
			trim_program();
			return true;
		}
		channel_close(&k->channel);
		now = listener_now();
	}
	k->worker_at = listener_now() + WORKER_AGAIN;
	return false;
}

/* It may be alive, and busy for ever. */
static void dismiss_worker(struct keeper *k)
{
	channel_close(&k->channel);
	(void)pair_say(k->guardian, ROLE_NONE, NULL, 0);
}

/* Why it goes is counted, and said once for each cause. */
static void lose_worker(struct keeper *k, int error)
{
	struct role_counts *n = &k->run->shared->roles;
	uint64_t *count = error == -ETIMEDOUT ? &n->hung : error == -EPROTO ? &n->protested : &n->died;

	show_life(k);
	dismiss_worker(k);
	if ((*count)++ == 0)
		warn("the worker %s; the packet is given to another one",
		     error == -ETIMEDOUT ? "does not answer in time" :
		     error == -EPROTO ? "says what is no answer" : "has died of a packet, or was killed");
}

/*
 * One that has been taken over could have each packet wait for as long as it may, and would never
 * be found silent. What it has answered stands; but it goes.
 */
static void mind_pace(struct keeper *k, int64_t ms)
{
	uint32_t deadline = k->run->conf.deadline;

	if (ms * 2 <= (int64_t)deadline)
		return;
	if (k->run->shared->roles.slow++ == 0)
		warn("the worker has taken %lld of the %lu ms that it has for a packet, which is counted as "
		     "slow: raise the deadline if the machine is as busy as that; a worker that does so %d "
		     "times is replaced", (long long)ms, (unsigned long)deadline, SLOW_MOST);
	if (++k->slow == SLOW_MOST)
		dismiss_worker(k);
}

static uint32_t protocol_number(const struct cth_proto *p)
{
	uint32_t n = 0;

	while (cth_protos[n] && cth_protos[n] != p)
		n++;
	return n;
}

/* FNV-1a. Who makes two packets alike gains that neither is read. */
static uint64_t hash_of(struct cth_span body)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < body.n; i++)
		h = (h ^ body.p[i]) * 1099511628211u;
	return h | 1;
}

static struct fatal fatal_of(const struct cth_call *c)
{
	return (struct fatal){ c->flow.id, c->view.seq, hash_of(c->view.body) };
}

/* TCP sends again what waits for long, or is dropped. It shall not cost a worker each time. */
static bool is_known_fatal(const struct keeper *k, const struct cth_call *c)
{
	struct fatal now;

	if (k->fatal[0].hash == 0)
		return false;
	now = fatal_of(c);
	for (size_t i = 0; i < FATAL; i++)
		if (k->fatal[i].hash == now.hash && k->fatal[i].flow == now.flow &&
		    k->fatal[i].seq == now.seq)
			return true;
	return false;
}

/* In a file of its own, which the guardian makes. */
static void keep_packet(struct keeper *k, const struct cth_pkt *p)
{
	struct role_counts *n = &k->run->shared->roles;
	struct pair_heard h;
	int r;

	if (!k->run->conf.packets)
		return;
	if (!ask_guardian(k, ROLE_KEEP, 1, listener_now() + KEEP_WAIT, &h)) {
		n->unkept++; /* it has said why */
		return;
	}
	r = kept_write(h.fds[0], p->message);
	pair_drop(&h);
	if (r < 0)
		kept_failed(r, kept_folder(&k->run->conf));
	(*(r < 0 ? &n->unkept : &n->kept))++;
}

static void note_fatal(struct keeper *k, const struct cth_call *c)
{
	k->fatal[k->fatal_next++ % FATAL] = fatal_of(c);
	keep_packet(k, c->pkt);
}

/* Who could guess it would answer before he is asked. Without random numbers he may. */
static uint32_t next_id(struct keeper *k)
{
	uint32_t id;

	if (k->ids_n == 0) {
		if (getrandom(k->ids, sizeof(k->ids), GRND_NONBLOCK) != sizeof(k->ids))
			for (size_t i = 0; i < IDS; i++)
				k->ids[i] = k->id++;
		k->ids_n = IDS;
	}
	id = k->ids[--k->ids_n];
	return id ? id : 1; /* 0 is the greeting's */
}

/* What goes beyond its bounds is no answer, and whoever gives it is not asked again. */
static int ask_worker(struct keeper *k, const struct cth_call *c, uint32_t proto,
		      struct cth_decision *d)
{
	struct cth_event event = { .kind = CTH_EVENT_VIOLATION, .served = c->served,
				   .flow = &c->flow };
	int64_t begun = listener_now();
	int r = channel_ask(&k->channel, next_id(k), proto, &c->view,
			    (int)k->run->conf.deadline, d);

	if (r == 0) {
		mind_pace(k, listener_now() - begun);
		event.why = cth_decision_beyond(c, d);
	}
	if (!event.why)
		return r;
	c->served->stats.violations++;
	show_event(&event, k->run);
	return -EPROTO;
}

/* true: a worker has given one. */
static bool get_answer(struct keeper *k, const struct cth_call *c, struct cth_decision *d)
{
	uint32_t proto = protocol_number(c->served->proto);
	unsigned blamed = is_known_fatal(k, c) ? TRIES : 0;
	bool known = blamed > 0;

	while (blamed < TRIES && (k->channel.in >= 0 || get_worker(k))) {
		int r = ask_worker(k, c, proto, d);

		if (r == 0)
			return true;
		lose_worker(k, r);
		blamed += r != -EPIPE; /* dead since before: no packet's fault */
	}
	if (blamed == TRIES && !known)
		note_fatal(k, c);
	return false;
}

/* A cth_decide_fn. */
static bool have_decided(const struct cth_call *c, struct cth_decision *d, void *keeper)
{
	struct keeper *k = keeper;

	if (limits_let_ask(k->run, c) && get_answer(k, c, d) && limits_let_expect(k->run, c, d))
		return true;
	return decide_by_policy(k->run, c, d);
}

/* The process. */

static volatile sig_atomic_t rung = 1; /* at first all is looked at */

static void ring(int number)
{
	(void)number;
	rung = 1;
}

/*
 * With one place the receive itself waits for packets, which saves a call for each. What else may
 * come then has its descriptor ring, which ends that wait. Should it ring just before that begins,
 * it is seen with the next sign of life.
 */
static void have_ring(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETOWN, getpid()) < 0 ||
	    fcntl(fd, F_SETFL, flags | O_ASYNC) < 0)
		warn("the keeper is not woken: %s: it answers a second late", errno_name(-errno));
}

static void have_all_ring(const struct keeper *k)
{
	struct sigaction a;

	memset(&a, 0, sizeof(a));
	sigemptyset(&a.sa_mask);
	a.sa_handler = ring;
	a.sa_flags = SA_RESTART; /* but for waits with an end to them: signal(7) */
	sigaction(SIGIO, &a, NULL);
	have_ring(k->guardian);
	if (status_fd(&k->run->status) >= 0)
		have_ring(status_fd(&k->run->status));
}

/* All that it will ever have open; from inside of the jail nothing can be. */
static int open_files(struct keeper *k)
{
	struct run *r = k->run;
	int err = channel_begin();

	if (err == 0)
		err = watch_begin(&k->watch);
	if (err == 0)
		err = watch_add(&k->watch, k->guardian, FROM_GUARDIAN);
	if (err == 0 && status_fd(&r->status) >= 0)
		err = watch_add(&k->watch, status_fd(&r->status), FROM_STATUS);
	for (size_t i = 0; i < r->places_n && err == 0; i++)
		err = watch_add(&k->watch, cth_sock_fd(&r->places[i].service.sock), (unsigned)i);
	if (err < 0)
		return fail(err, "watch for packets", NULL, NULL);
	k->alone = r->places_n == 1;
	if (k->alone)
		have_all_ring(k);
	proc_keep("modules");
	return CTH_EXIT_OK;
}

/* Of the status socket only as long as whoever asks does not ask too often. */
static void mind_rest(struct keeper *k)
{
	int fd = status_fd(&k->run->status);
	bool rests = status_wait(&k->run->status) < 0;

	if (fd >= 0 && rests != k->status_rests)
		watch_pause(&k->watch, fd, FROM_STATUS, rests);
	k->status_rests = rests;
}

/* Whoever has something for us, packets aside: set as of watch_wait(). */
static uint32_t await(struct keeper *k, bool look)
{
	uint32_t ready, others = 1u << FROM_GUARDIAN | 1u << FROM_STATUS;

	if (k->alone && !look && !rung)
		return 0;
	mind_rest(k);
	rung = 0;
	ready = watch_wait(&k->watch, k->alone ? 0 : WAKE_MS) & others;
	if (ready)
		rung = 1; /* there may be more than what is served at once */
	return ready;
}

static int keep_serving(struct keeper *k)
{
	struct run *r = k->run;
	int status = CTH_EXIT_OK;

	trim_program();
	while (!k->leaving && status == CTH_EXIT_OK) {
		uint32_t ready;
		bool second;

		status = run_turn(r, k->alone && !rung ? WAKE_MS : 0);
		second = show_life(k);
		if (k->relaying || status != CTH_EXIT_OK)
			break;
		ready = await(k, second);
		if (ready & 1u << FROM_GUARDIAN)
			take_words(k);
		if (ready & 1u << FROM_STATUS)
			status_serve(&r->status, run_look, r);
	}
	return status;
}

static bool place_has_queue(const struct run_place *p, int num)
{
	int queue;

	for (size_t i = 0; (queue = place_queue(p, i)) >= 0; i++)
		if (queue == num)
			return true;
	return false;
}

/* A queue of a dead keeper's, as it is before it is taken over. */
struct left {
	uint32_t waiting, last_id;
};

static void look_left(const struct run *r, struct left left[RUN_PLACES][CTH_QUEUE_BOUND])
{
	struct proc_queue q;
	int queue;

	memset(left, 0, RUN_PLACES * sizeof(left[0]));
	for (size_t i = 0; i < r->places_n; i++) {
		const struct run_place *p = &r->places[i];

		proc_in((unsigned)i);
		for (size_t k = 0; k < CTH_QUEUE_BOUND && (queue = place_queue(p, k)) >= 0; k++)
			if (proc_queue((uint32_t)queue, &q) == 1 &&
			    q.portid == p->service.sock.portid)
				left[i][k] = (struct left){ q.waiting, q.last_id };
	}
}

/*
 * Of what waited then, all is dropped but what the dead keeper had not read: that reached from
 * the first packet that has been received since, if any, to the last one then. Ids that the kernel
 * failed to deliver are taken for such packets.
 */
static uint32_t dropped_of(const struct left *left, const struct cth_queue *q, int queue)
{
	uint32_t first, unread = 0;

	if (cth_queue_first(q, (uint16_t)queue, &first) && (int32_t)(left->last_id - first) >= 0)
		unread = left->last_id - first + 1;
	return left->waiting > unread ? left->waiting - unread : 0;
}

static void count_left(struct run *r, struct left left[RUN_PLACES][CTH_QUEUE_BOUND])
{
	int queue;

	for (size_t i = 0; i < r->places_n; i++)
		for (size_t k = 0; k < CTH_QUEUE_BOUND &&
				   (queue = place_queue(&r->places[i], k)) >= 0; k++)
			r->shared->roles.thrown +=
				dropped_of(&left[i][k], &r->places[i].service.queue, queue);
}

/* A cth_decide_fn too. */
static bool have_decided_and_timed(const struct cth_call *c, struct cth_decision *d, void *keeper)
{
	struct keeper *k = keeper;
	int64_t begun = latency_begin();
	bool decided;

	show_life_at(k, begun / 1000000); /* answers that come just in time are many */
	run_keep_counts_of(k->run, c->served); /* should it be the last that this keeper sees */
	decided = have_decided(c, d, k);
	latency_end(&k->run->shared->latency[run_index(k->run, c->served)], begun);
	return decided;
}

static void have_engines_ask(struct keeper *k)
{
	for (size_t i = 0; i < k->run->places_n; i++) {
		k->run->places[i].service.engine.decide = have_decided_and_timed;
		k->run->places[i].service.engine.decide_ctx = k;
	}
}

/*
 * Queues that one had bound who died while it changed to another configuration, which was not
 * taken; or who left his sockets to us, and had a file that named others.
 */
static void leave_other_queues(struct run *r, bool resume)
{
	struct proc_queue list[64];

	for (size_t i = 0; i < r->places_n; i++) {
		struct cth_service *s = &r->places[i].service;
		int n;

		if (!resume && !r->places[i].inherited)
			continue;
		proc_in((unsigned)i);
		n = proc_queues(list, sizeof(list) / sizeof(list[0]));
		for (int k = 0; k < n && (size_t)k < sizeof(list) / sizeof(list[0]); k++) {
			uint16_t num = (uint16_t)list[k].num;

			if (list[k].portid == s->sock.portid && !place_has_queue(&r->places[i], num) &&
			    cth_queue_adopt(&s->queue, num, CTH_QUEUE_CONNTRACK) == 0)
				(void)cth_queue_unbind(&s->queue, num, NULL);
		}
	}
}

/* Into the kernel; and, after a SIGHUP, on to the other configuration. */
static int begin_serving(struct keeper *k, bool resume, bool left_well)
{
	static struct left left[RUN_PLACES][CTH_QUEUE_BOUND];
	struct run *r = k->run;
	int status, changed;

	if (resume && !left_well)
		look_left(r, left);
	status = run_open(r, resume, left_well);
	if (status != CTH_EXIT_OK)
		return status;
	if (resume && !left_well)
		count_left(r, left);
	leave_other_queues(r, resume);
	changed = r->next.n ? run_change(r) : 1;
	if (changed < 0)
		return CTH_EXIT_FAILURE; /* the next keeper goes back */
	if (!changed)
		(void)pair_say(k->guardian, ROLE_REFUSED, NULL, 0);
	(void)pair_say(k->guardian, ROLE_READY, NULL, 0);
	return CTH_EXIT_OK;
}

/* Between two packets, with all in place; unless a verdict is still owed. */
static int leave_as_it_is(struct run *r)
{
	for (size_t i = 0; i < r->places_n; i++)
		if (cth_queue_flush(&r->places[i].service.queue) < 0)
			return CTH_EXIT_FAILURE;
	return CTH_EXIT_OK;
}

int keeper_run(struct run *r, int guardian, bool resume, bool left_well)
{
	static struct keeper k;
	const char *step;
	int status, left;

	k.run = r;
	k.guardian = guardian;
	k.channel = (struct channel){ -1, -1 };
	run_go_on_counting(r);
	status = places_prepare(r);
	have_engines_ask(&k);
	if (status == CTH_EXIT_OK)
		status = open_files(&k);
	if (status != CTH_EXIT_OK)
		return status;
	status = jail_enter(&r->keeper_jail, &step);
	if (status < 0)
		return jail_failed(status, step);
	status = begin_serving(&k, resume, left_well);
	if (status != CTH_EXIT_OK)
		return status;
	status = keep_serving(&k);
	if (k.relaying && !k.leaving && status == CTH_EXIT_OK)
		return leave_as_it_is(r) == CTH_EXIT_OK ? ROLE_EXIT_RELAYED : CTH_EXIT_FAILURE;
	left = run_leave(r);
	return status ? status : left;
}
