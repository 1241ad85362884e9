/* SPDX-License-Identifier: MIT */
/*
 * consumer.h - what all consumers of the benchmark share: options, the clock, and the line
 * with the result. Each consumer is a file with a consume() of its own, and its loop is
 * what a user of that library writes.
 *
 *     NAME [-q QUEUE] [-n PACKETS] [-w WARMUP] [-b BATCH] [-c RANGE] [-g] [-r] [-x] [-W FD]
 *
 *     -b  datagrams per receive      -c  copy range          -g  F_GSO
 *     -r  range verdicts             -x  as the library's own example sets it
 *     -W  a struct bench_page that is shared with the generator
 *
 * After WARMUP packets the clock is started, after PACKETS more it is stopped; without -n,
 * SIGTERM stops it. CPU time is that of the process, the kernel's part included.
 */
#ifndef BENCH_CONSUMER_H
#define BENCH_CONSUMER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_RCVBUF  (8 << 20) /* the same for all: no packet is lost on the way */
#define BENCH_MAXLEN  4096      /* packets that may wait in the kernel */
#define BENCH_ROOM    1024      /* what a message has beside the payload */
#define BENCH_BATCH_MAX 256

struct bench {
	uint16_t queue;
	uint32_t range;
	size_t batch;
	bool gso, ranges, example;
};

/*
 * What generator and consumer tell each other. With a gate the two take turns: a window of
 * packets is queued while the consumer waits, and then decided while the generator waits.
 */
struct bench_page {
	_Atomic uint64_t decided;
	_Atomic uint32_t ready;  /* the consumer has set up all that it needs */
	_Atomic uint32_t opened; /* windows that may be decided; a futex */
	uint32_t window;         /* packets in each; 0: no gate */
};

extern volatile sig_atomic_t bench_stop;

/* Called by the consumer when n more packets are decided and their verdicts sent. */
extern uint64_t bench_count, bench_next;
extern struct bench_page *bench_page;
void bench_milestone(void);

/* Called once, before the first receive. */
static inline void bench_ready(void)
{
	bench_page->ready = 1;
	if (bench_next == 0)
		bench_milestone();
}

static inline void bench_decided(size_t n)
{
	bench_count += n;
	bench_page->decided = bench_count;
	if (bench_count >= bench_next)
		bench_milestone();
}

/* What the consumer looked at: so that no compiler leaves out the look. */
extern volatile uint64_t bench_bytes;

/* Serves until bench_stop; ends the program with 1 and a reason if it cannot. */
void consume(const struct bench *b);
void bench_die(const char *what);

#endif
