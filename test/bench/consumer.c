/* SPDX-License-Identifier: MIT */
/* consumer.c - options, clock and result of a consumer. */
#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "consumer.h"

volatile sig_atomic_t bench_stop;
volatile uint64_t bench_bytes;
uint64_t bench_count, bench_next;

static struct bench_page own; /* without a generator that shares one */
struct bench_page *bench_page = &own;

static uint64_t warmup = 2048, wanted;
static uint64_t clock_at, gate_at = UINT64_MAX; /* packets */
static double cpu_start, wall_start;
static bool started;

void bench_die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static double wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return seconds(u.ru_utime) + seconds(u.ru_stime);
}

static void clock_turn(void)
{
	if (started) {
		bench_stop = 1;
		return;
	}
	started = true;
	cpu_start = cpu();
	wall_start = wall();
	warmup = bench_count;
	clock_at = wanted ? bench_count + wanted : UINT64_MAX;
}

static void gate_pass(void)
{
	uint32_t done = (uint32_t)(gate_at / bench_page->window);
	uint32_t opened;

	while ((opened = bench_page->opened) == done && !bench_stop)
		syscall(SYS_futex, &bench_page->opened, FUTEX_WAIT, opened, NULL, NULL, 0);
	gate_at += bench_page->window;
}

void bench_milestone(void)
{
	if (bench_count >= clock_at)
		clock_turn();
	if (bench_count >= gate_at)
		gate_pass();
	bench_next = clock_at < gate_at ? clock_at : gate_at;
}

static void on_term(int number)
{
	(void)number;
	bench_stop = 1;
}

/* packets, CPU microseconds per packet, packets per second, share of one core */
static int result(void)
{
	double c = cpu() - cpu_start, w = wall() - wall_start;
	uint64_t n = bench_count - warmup;

	if (!started || n == 0) {
		fprintf(stderr, "no packets after the warm-up\n");
		return 1;
	}
	printf("%llu %.4f %.0f %.3f\n", (unsigned long long)n, c * 1e6 / (double)n,
	       (double)n / w, c / w);
	return 0;
}

static void share(int fd)
{
	void *p = mmap(NULL, sizeof(*bench_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		bench_die("mmap");
	bench_page = p;
	if (bench_page->window)
		gate_at = 0;
}

int main(int argc, char **argv)
{
	struct sigaction term = { .sa_handler = on_term };
	struct bench b = { .range = 2048, .batch = 64 };
	int c;

	while ((c = getopt(argc, argv, "q:n:w:b:c:grxW:")) != -1) {
		switch (c) {
		case 'q':
			b.queue = (uint16_t)atoi(optarg);
			break;
		case 'n':
			wanted = strtoull(optarg, NULL, 10);
			break;
		case 'w':
			warmup = strtoull(optarg, NULL, 10);
			break;
		case 'b':
			b.batch = strtoul(optarg, NULL, 10);
			break;
		case 'c':
			b.range = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'g':
			b.gso = true;
			break;
		case 'r':
			b.ranges = true;
			break;
		case 'x':
			b.example = true;
			break;
		case 'W':
			share(atoi(optarg));
			break;
		default:
			return 2;
		}
	}
	if (b.batch == 0 || b.batch > BENCH_BATCH_MAX)
		return 2;
	clock_at = warmup;
	bench_next = clock_at < gate_at ? clock_at : gate_at;
	sigaction(SIGTERM, &term, NULL); /* without SA_RESTART: it ends a receive */
	consume(&b);
	return result();
}
