/* SPDX-License-Identifier: MIT */
/*
 * rules.c - fuzz target: the reader of nf_tables' chains, objects and rules, behind a kernel
 * that answers each of its three dumps with the same bytes.
 */
#include "../../netlink/uapi.h"
#include "../../tools/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct {
	struct cth_span bytes;
	uint32_t seq;   /* of the dump that is being answered */
	int left;       /* its answers that are still to come */
} dump;

static int note_request(void *ctx, const struct iovec *parts, size_t n)
{
	(void)ctx;
	(void)n;
	dump.seq = cth_host32((const uint8_t *)parts[0].iov_base + 8);
	dump.left = 2;
	return 0;
}

static int answer(void *ctx, struct cth_slot *slot, size_t n, int timeout_ms)
{
	(void)ctx;
	(void)n;
	(void)timeout_ms;
	if (dump.left == 0)
		return 0;
	slot->portid = 0;
	slot->truncated = false;
	if (dump.left-- == 2) {
		slot->n = dump.bytes.n < slot->cap ? dump.bytes.n : slot->cap;
		memcpy(slot->buf, dump.bytes.p, slot->n);
		return 1;
	}
	slot->n = 20;
	memset(slot->buf, 0, 20);
	cth_store_host32(slot->buf, 20);
	cth_store_host16(slot->buf + 4, NLMSG_DONE);
	cth_store_host32(slot->buf + 8, dump.seq);
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint8_t answers[8192];
	struct cth_io io = { .receive = answer, .send = note_request };
	struct rules rules = { 0 };
	struct cth_nack nack;
	struct cth_sock s;
	char text[256];

	dump.bytes = cth_span(data, n);
	cth_sock_seam(&s, &io, answers, sizeof(answers));
	s.timeout_ms = 0;
	if (rules_read(&s, &rules, &nack) == 0)
		for (size_t i = 0; i < rules.n; i++)
			rule_text(&rules.list[i], text, sizeof(text));
	rules_free(&rules);
	return 0;
}
