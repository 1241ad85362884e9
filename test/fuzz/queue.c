/* SPDX-License-Identifier: MIT */
/*
 * queue.c - fuzz target: whole datagrams through the queue client, with a callback that
 * does a bit of everything. Whatever came in, what goes out are well-formed verdicts.
 */
#include <stdlib.h>
#include "../../queue/queue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int send_checked(void *ctx, const struct iovec *parts, size_t n)
{
	static uint8_t bytes[1 << 20];
	struct cth_span d;
	struct cth_nlmsg m;
	size_t len = 0;
	int r;

	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		if (parts[i].iov_len > sizeof(bytes) - len)
			abort();
		memcpy(bytes + len, parts[i].iov_base, parts[i].iov_len);
		len += parts[i].iov_len;
	}
	d = cth_span(bytes, len);
	while ((r = cth_nlmsg_next(&d, &m)) > 0)
		if (m.type != 0x0301 && m.type != 0x0303)
			abort();
	if (r < 0)
		abort();
	return 0;
}

static int receive_nothing(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms)
{
	(void)ctx;
	(void)slots;
	(void)n;
	(void)timeout_ms;
	return 0;
}

static void decide(const struct cth_pkt *p, struct cth_verdict *v, void *ctx)
{
	(void)ctx;
	switch (p->id % 8) {
	case 0:
		v->code = CTH_DROP;
		break;
	case 1:
		v->set_mark = true;
		v->mark = p->id;
		v->mark_mask = 0xffff;
		break;
	case 2:
		v->code = CTH_HOLD;
		break;
	case 3:
		cth_edit_cut(&v->edit, 0, 1, "xyz", 3);
		break;
	case 4:
		v->code = CTH_REPEAT;
		break;
	case 5:
		v->ct = p->ct;
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct cth_queue q;
	static uint8_t answers[1024], out[CTH_QUEUE_OUT], slot_buf[2048];
	struct cth_slot slot = { .buf = slot_buf, .cap = sizeof(slot_buf) };
	struct cth_io io = { .receive = receive_nothing, .send = send_checked };
	struct cth_sock s;

	cth_sock_seam(&s, &io, answers, sizeof(answers));
	if (cth_queue_init(&q, &s, &slot, 1, out, sizeof(out), decide, NULL) < 0)
		abort();
	for (uint16_t num = 0; num < CTH_QUEUE_BOUND; num++)
		if (cth_queue_adopt(&q, num, 0) < 0)
			abort();
	/* As if bound by us, so that ranges are made. */
	for (size_t i = 0; i < CTH_QUEUE_BOUND; i++)
		q.bound[i].foreign = false;
	cth_queue_feed(&q, cth_span(data, n));
	if (cth_queue_flush(&q) < 0 || q.stats.unsent)
		abort();
	if (q.stats.verdicts + q.stats.held < q.stats.packets)
		abort();
	return 0;
}
