/* SPDX-License-Identifier: MIT */
/* cth.c - a consumer with libcthelper. */
#include <errno.h>
#include <stdlib.h>
#include "consumer.h"
#include "../../queue/queue.h"

static void see(const struct cth_pkt *p, struct cth_verdict *v, void *ctx)
{
	(void)v, (void)ctx; /* ACCEPT */
	bench_bytes += p->payload.n;
}

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	errno = -r;
	bench_die(what);
}

void consume(const struct bench *b)
{
	static struct cth_queue q;
	static struct cth_sock s;
	static struct cth_slot ring[BENCH_BATCH_MAX];
	static uint8_t answers[CTH_SOCK_BUF], out[CTH_QUEUE_OUT];
	struct cth_queue_config config = { .range = b->range, .maxlen = BENCH_MAXLEN };
	size_t each = b->range + CTH_QUEUE_ROOM;
	uint8_t *memory = malloc(b->batch * each);
	int r = 0;

	if (!memory)
		bench_die("malloc");
	if (b->gso)
		config.flags = CTH_QUEUE_GSO;
	cth_slots(ring, b->batch, memory, each);
	check(cth_sock_open(&s, answers, sizeof(answers)), "open");
	check(cth_sock_rcvbuf(&s, BENCH_RCVBUF), "rcvbuf");
	check(cth_queue_init(&q, &s, ring, b->batch, out, sizeof(out), see, NULL), "init");
	q.no_ranges = !b->ranges;
	check(cth_queue_bind(&q, b->queue, &config, NULL), "bind");
	bench_ready();
	while (!bench_stop && (r = cth_queue_run(&q, 0, -1)) >= 0)
		bench_decided((size_t)r);
	check(r, "run");
}
