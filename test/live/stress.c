/* SPDX-License-Identifier: MIT */
/*
 * stress.c - the NFQUEUE client where there is too much of everything: a consumer that stands
 * still, a queue of one packet, buffers that are too small, a kernel without memory. Nothing may
 * hang, each packet gets one verdict, and what was lost is told: what was sent is what was decided
 * and what the kernel counts as lost, to the packet.
 */
#include <linux/netlink.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include "live.h"

#define QUEUE 10
#define SLOTS 64
#define SLOT  (65531 + CTH_QUEUE_ROOM)

static struct cth_sock s;
static struct cth_queue q;
static struct cth_slot ring[SLOTS];
static uint8_t slot_bytes[SLOTS][SLOT], answers[CTH_SOCK_BUF], out[CTH_QUEUE_OUT];
static void (*answer)(const struct cth_pkt *p, struct cth_verdict *v);
static pid_t consumer;

static void see(const struct cth_pkt *p, struct cth_verdict *v, void *ctx)
{
	(void)ctx;
	if (answer)
		answer(p, v);
}

static void open_and_bind(struct cth_queue_config cfg)
{
	struct cth_nack nack;

	cth_slots(ring, SLOTS, slot_bytes, SLOT);
	assert_int_equal(cth_sock_open(&s, answers, sizeof(answers)), 0);
	assert_int_equal(cth_queue_init(&q, &s, ring, SLOTS, out, sizeof(out), see, NULL), 0);
	assert_int_equal(cth_queue_bind(&q, QUEUE, &cfg, &nack), 0);
}

static int setup(void **state)
{
	(void)state;
	answer = NULL;
	memset(&s, 0, sizeof(s));
	s.fd = -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (consumer > 0) {
		kill(consumer, SIGKILL);
		waitpid(consumer, NULL, 0);
		consumer = 0;
	}
	cth_sock_close(&s);
	close_all();
	return 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* How many have arrived up to now; they are taken away, so that there is room for others. */
static size_t arrived(struct udp u)
{
	static char text[65536];
	size_t n = 0;

	while (recv(u.rx, text, sizeof(text), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

/* Decides all that waits; a queue that does not get empty has hung. */
static void drain(void)
{
	double end = now() + 20;

	do {
		assert_true(cth_queue_run(&q, 0, 20) >= 0);
		assert_true(now() < end);
	} while (proc(QUEUE).depth > 0 || q.stats.held > 0);
}

/* Each loss is told: nothing that was sent is missing from this sum. */
static void assert_all_told(const struct cth_queue_stats *stats, size_t sent, size_t got)
{
	struct proc p = proc(QUEUE);

	assert_int_equal(p.depth, 0);
	assert_int_equal(stats->packets + p.dropped + p.user_dropped, sent);
	assert_int_equal(stats->gaps, p.user_dropped);
	assert_int_equal(stats->verdicts - stats->nacks, stats->packets);
	assert_int_equal(stats->unsent, 0);
	assert_int_equal(stats->held, 0);
	assert_int_equal(got, stats->packets);
}

/* A consumer that is a process of its own. What it has counted is seen from here. */
static struct cth_queue_stats *counted;
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	stop = number;
}

static void consume(struct cth_queue_config cfg, bool no_ranges, int ready)
{
	const struct timespec a_moment = { .tv_nsec = 200000 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, on_signal);
	open_and_bind(cfg);
	q.no_ranges = no_ranges;
	if (write(ready, "r", 1) != 1)
		_exit(1);
	while (!stop) {
		if (cth_queue_run(&q, 0, 100) < 0)
			_exit(1);
		*counted = q.stats;
		nanosleep(&a_moment, NULL); /* some work, so that there is always something waiting */
	}
	_exit(0);
}

static void consumer_starts(struct cth_queue_config cfg, bool no_ranges)
{
	int ends[2];
	char r;

	counted = mmap(NULL, sizeof(*counted), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);
	assert_ptr_not_equal(counted, MAP_FAILED);
	assert_int_equal(pipe(ends), 0);
	consumer = fork();
	if (consumer == 0)
		consume(cfg, no_ranges, ends[1]);
	assert_true(consumer > 0);
	close(ends[1]);
	assert_int_equal(read(closed_later(ends[0]), &r, 1), 1);
}

static void consumer_ends(void)
{
	int status;

	assert_int_equal(kill(consumer, SIGTERM), 0);
	assert_int_equal(waitpid(consumer, &status, 0), consumer);
	consumer = 0;
	assert_int_equal(status, 0);
	munmap(counted, sizeof(*counted));
}

static size_t sent, got;

/* As fast as it goes, for so long. */
static void load(struct udp u, double seconds)
{
	double end = now() + seconds;

	while (now() < end) {
		say_many(u, 32);
		sent += 32;
		got += arrived(u);
	}
}

/* Until the consumer has nothing to do any more. */
static void settle(struct udp u)
{
	double end = now() + 20;
	uint64_t before;

	do {
		before = counted->packets;
		assert_true(now() < end);
		poll(NULL, 0, 300);
		got += arrived(u);
	} while (proc(QUEUE).depth > 0 || counted->packets != before);
}

static void stand_still(uint32_t flags, bool no_ranges)
{
	struct udp u = udp_open(AF_INET, 5000);
	uint64_t before;

	sent = got = 0;
	consumer_starts((struct cth_queue_config){ .flags = flags }, no_ranges);
	load(u, 1);
	assert_int_equal(kill(consumer, SIGSTOP), 0);
	load(u, 0.2); /* what it was in the middle of is over */
	before = counted->packets;
	load(u, 3);
	assert_int_equal(counted->packets, before);
	assert_int_equal(kill(consumer, SIGCONT), 0);
	load(u, 1);
	settle(u);
	assert_true(counted->packets > before);
	say(u, "after all"); /* after which the gap before it is told as well */
	sent++;
	settle(u);
	if (flags & CTH_QUEUE_FAIL_OPEN) {
		assert_int_equal(got, sent);
		assert_int_equal(proc(QUEUE).dropped + proc(QUEUE).user_dropped, 0);
		assert_int_equal(counted->verdicts, counted->packets);
		assert_int_equal(counted->nacks + counted->unsent, 0);
		assert_true(counted->packets < sent);
	} else {
		assert_all_told(counted, sent, got);
		assert_true(counted->packets < sent);
	}
	consumer_ends();
	assert_false(proc(QUEUE).there);
}

static void a_consumer_that_was_stopped_goes_on_and_every_loss_is_told(void **state)
{
	(void)state;
	stand_still(0, false);
}

static void so_it_is_without_ranges(void **state)
{
	(void)state;
	stand_still(0, true);
}

static void with_fail_open_nothing_is_lost_while_it_stands(void **state)
{
	(void)state;
	stand_still(CTH_QUEUE_FAIL_OPEN, false);
}

static void a_queue_of_one_packet_goes_on(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	sent = got = 0;
	open_and_bind((struct cth_queue_config){ .maxlen = 1 });
	for (size_t i = 0; i < 1000; i++) {
		size_t burst = 1 + i % 5;

		say_many(u, burst);
		sent += burst;
		assert_int_equal(cth_queue_run(&q, 0, 1000), 1);
		got += arrived(u);
	}
	assert_int_equal(q.stats.packets, 1000);
	assert_int_equal(proc(QUEUE).dropped, sent - 1000);
	assert_all_told(&q.stats, sent, got);
}

static void receive_buffer(int bytes)
{
	int is = 0;
	socklen_t n = sizeof(is);

	assert_int_equal(setsockopt(cth_sock_fd(&s), SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
				    sizeof(bytes)), 0);
	assert_int_equal(getsockopt(cth_sock_fd(&s), SOL_SOCKET, SO_RCVBUF, &is, &n), 0);
	assert_true(is <= 4096);
}

static void flood_and_settle(struct udp u)
{
	for (size_t i = 0; i < 200; i++) {
		say_many(u, 50);
		sent += 50;
		assert_true(cth_queue_run(&q, 0, 0) >= 0);
		got += arrived(u);
	}
	drain();
	say(u, "after all");
	sent++;
	drain();
	got += arrived(u);
	assert_true(proc(QUEUE).user_dropped > 0);
	assert_all_told(&q.stats, sent, got);
}

static void a_receive_buffer_of_4_kib_loses_packets_and_tells_each(void **state)
{
	static char text[60001];
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	sent = got = 0;
	open_and_bind((struct cth_queue_config){ 0 });
	receive_buffer(2048); /* which the kernel doubles */
	flood_and_settle(u);
	/* A packet that is larger than the buffer comes all the same. */
	memset(text, 'x', sizeof(text) - 1);
	for (size_t i = 0; i < 20; i++) {
		say(u, text);
		assert_int_equal(cth_queue_run(&q, 0, 1000), 1);
		assert_string_equal(heard(u), text);
	}
}

/* An application that switches it on again, or a socket that it has opened itself. */
static void a_storm_of_enobufs_is_counted_and_passes(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);
	int off = 0;

	(void)state;
	sent = got = 0;
	open_and_bind((struct cth_queue_config){ 0 });
	receive_buffer(2048);
	assert_int_equal(setsockopt(cth_sock_fd(&s), SOL_NETLINK, NETLINK_NO_ENOBUFS, &off,
				    sizeof(off)), 0);
	flood_and_settle(u);
	assert_true(s.stats.overruns > 50);
}

/* Two of three sends fail, as when memory is short; the kernel never has a verdict twice. */
static struct cth_io kernel;
static uint32_t sends;

static int send_sometimes(void *ctx, const struct iovec *parts, size_t n)
{
	(void)ctx;
	if (++sends % 3)
		return sends % 2 ? -ENOBUFS : -ENOMEM;
	return kernel.send(kernel.ctx, parts, n);
}

static int receive_always(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms)
{
	(void)ctx;
	return kernel.receive(kernel.ctx, slots, n, timeout_ms);
}

static void drop_some_mark_some(const struct cth_pkt *p, struct cth_verdict *v)
{
	if (p->id % 11 == 0)
		v->code = CTH_DROP;
	if (p->id % 7 == 0) {
		v->set_mark = true;
		v->mark = p->id;
	}
}

static void sends_that_fail_again_and_again_lose_no_verdict(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);
	size_t dropped = 0;

	(void)state;
	sent = got = 0;
	open_and_bind((struct cth_queue_config){ 0 });
	kernel = s.io;
	s.io = (struct cth_io){ receive_always, send_sometimes, NULL };
	answer = drop_some_mark_some;
	for (size_t i = 0; i < 200; i++) {
		say_many(u, 20);
		sent += 20;
		assert_true(cth_queue_run(&q, 0, 0) >= 0);
		got += arrived(u);
	}
	drain();
	got += arrived(u);
	for (size_t id = 1; id <= sent; id++)
		dropped += id % 11 == 0;
	assert_int_equal(q.stats.packets, sent);
	assert_all_told(&q.stats, sent, got + dropped);
}

static void hold(const struct cth_pkt *p, struct cth_verdict *v)
{
	(void)p;
	v->code = CTH_HOLD;
}

static void verdicts_for_ids_never_seen_decide_nothing(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);
	struct cth_verdict v;

	(void)state;
	sent = 3, got = 0;
	open_and_bind((struct cth_queue_config){ 0 });
	cth_verdict_init(&v);
	assert_int_equal(cth_queue_verdict(&q, QUEUE, 4711, &v, NULL), -ENOENT);
	answer = hold;
	say_many(u, 3);
	assert_int_equal(cth_queue_run(&q, 0, 1000), 3);
	/* Ids that are yet to come, that were long ago, that cannot be. */
	assert_int_equal(cth_queue_verdict(&q, QUEUE, 4, &v, NULL), 0);
	assert_int_equal(cth_queue_verdict(&q, QUEUE, UINT32_MAX, &v, NULL), 0);
	assert_int_equal(cth_queue_verdict(&q, QUEUE, 0, &v, NULL), 0);
	assert_int_equal(cth_queue_run(&q, 0, 1000), 0);
	assert_int_equal(q.stats.nacks, 3);
	assert_int_equal(q.last_nack.error, -ENOENT);
	assert_int_equal(proc(QUEUE).depth, 3);
	assert_int_equal(arrived(u), 0);
	answer = NULL;
	say(u, "comes and goes"); /* and takes none of those along that are held */
	sent++;
	assert_int_equal(cth_queue_run(&q, 0, 1000), 1);
	got += arrived(u);
	assert_int_equal(got, 1);
	assert_int_equal(proc(QUEUE).depth, 3);
	for (uint32_t id = 1; id <= 3; id++)
		assert_int_equal(cth_queue_verdict(&q, QUEUE, id, &v, NULL), 0);
	drain();
	got += arrived(u);
	assert_all_told(&q.stats, sent, got);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_consumer_that_was_stopped_goes_on_and_every_loss_is_told),
		TEST(so_it_is_without_ranges),
		TEST(with_fail_open_nothing_is_lost_while_it_stands),
		TEST(a_queue_of_one_packet_goes_on),
		TEST(a_receive_buffer_of_4_kib_loses_packets_and_tells_each),
		TEST(a_storm_of_enobufs_is_counted_and_passes),
		TEST(sends_that_fail_again_and_again_lose_no_verdict),
		TEST(verdicts_for_ids_never_seen_decide_nothing),
	};

	return RUN(tests);
}
