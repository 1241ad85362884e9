/* SPDX-License-Identifier: MIT */
/*
 * count.c - somebody else's program, C and C++ alike: feeds a recording to the queue client, and
 * says what it saw. It needs no kernel, so that every way of taking the library in can be run.
 *
 *     count FILE      "packets N bytes N verdicts N", each packet answered with ACCEPT
 */
#include <stdio.h>
#include <cth/netlink/pcap.h>
#include <cth/queue/queue.h>

static uint8_t file[1 << 20], answers[CTH_SOCK_BUF], out[CTH_QUEUE_OUT], memory[2048];
static size_t bytes, sent;
static struct cth_queue queue;
static struct cth_slot slot;
static struct cth_sock sock;
static struct cth_io io;

static int receive_nothing(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms)
{
	(void)ctx, (void)slots, (void)n, (void)timeout_ms;
	return 0;
}

static int send_nowhere(void *ctx, const struct iovec *parts, size_t n)
{
	(void)ctx, (void)parts, (void)n;
	sent++;
	return 0;
}

static void see(const struct cth_pkt *p, struct cth_verdict *v, void *ctx)
{
	(void)v, (void)ctx;
	bytes += p->payload.n;
}

int main(int argc, char **argv)
{
	FILE *f = fopen(argc > 1 ? argv[1] : "", "rb");
	size_t n = f ? fread(file, 1, sizeof(file), f) : 0;
	struct cth_pcap recording;
	struct cth_pcap_frame frame;

	io.receive = receive_nothing;
	io.send = send_nowhere;
	slot.buf = memory;
	slot.cap = sizeof(memory);
	cth_sock_seam(&sock, &io, answers, sizeof(answers));
	if (!f || cth_pcap_open(&recording, cth_span(file, n)) < 0 || recording.foreign ||
	    cth_queue_init(&queue, &sock, &slot, 1, out, sizeof(out), see, NULL) < 0 ||
	    cth_queue_adopt(&queue, 10, 0) < 0)
		return 1;
	while (cth_pcap_next(&recording, &frame) > 0)
		if (!frame.to_kernel)
			cth_queue_feed(&queue, frame.bytes);
	if (cth_queue_flush(&queue) < 0 || !sent)
		return 1;
	printf("packets %lu bytes %lu verdicts %lu\n", (unsigned long)queue.stats.packets,
	       (unsigned long)bytes, (unsigned long)queue.stats.verdicts);
	return 0;
}
