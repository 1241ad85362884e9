/* SPDX-License-Identifier: MIT */
/* script.c - a kernel made of a script, behind the seam of netlink/socket.h. */
#include "unit.h"
#include "../../netlink/uapi.h"

static int script_receive(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms)
{
	struct script *k = ctx;
	int got = 0;

	(void)timeout_ms;
	while ((size_t)got < n && k->in_next < k->ins) {
		struct cth_slot *slot = &slots[got];
		size_t len = k->in[k->in_next].n;

		if (k->in[k->in_next].error) {
			if (got)
				break;
			return k->in[k->in_next++].error;
		}
		slot->n = len < slot->cap ? len : slot->cap;
		slot->truncated = len > slot->cap;
		slot->portid = k->in[k->in_next].portid;
		memcpy(slot->buf, k->in[k->in_next].bytes, slot->n);
		k->in_next++;
		got++;
	}
	return got;
}

static int script_send(void *ctx, const struct iovec *parts, size_t n)
{
	struct script *k = ctx;
	size_t start = k->out_n;
	size_t send = k->sends++;

	if (send < N_OF(k->send_error) && k->send_error[send])
		return k->send_error[send];
	assert_true(k->outs < N_OF(k->out_at));
	k->out_at[k->outs++] = start;
	for (size_t i = 0; i < n; i++) {
		assert_true(parts[i].iov_len <= sizeof(k->out) - k->out_n);
		memcpy(k->out + k->out_n, parts[i].iov_base, parts[i].iov_len);
		k->out_n += parts[i].iov_len;
	}
	if (k->on_send)
		k->on_send(k, cth_span(k->out + start, k->out_n - start));
	return 0;
}

void script_init(struct script *k)
{
	memset(k, 0, sizeof(*k));
	k->io.receive = script_receive;
	k->io.send = script_send;
	k->io.ctx = k;
}

void script_bytes(struct script *k, const void *bytes, size_t n)
{
	assert_true(k->ins < N_OF(k->in) && n <= sizeof(k->in[0].bytes));
	if (n)
		memcpy(k->in[k->ins].bytes, bytes, n);
	k->in[k->ins].n = n;
	k->in[k->ins].portid = 0;
	k->in[k->ins].error = 0;
	k->ins++;
}

void script_error(struct script *k, int error)
{
	script_bytes(k, NULL, 0);
	k->in[k->ins - 1].error = error;
}

void script_ack(struct script *k, uint32_t seq, int error)
{
	uint8_t m[36] = { 0 };

	cth_store_host32(m, sizeof(m));
	cth_store_host16(m + 4, NLMSG_ERROR);
	cth_store_host16(m + 6, CTH_NLM_F_CAPPED);
	cth_store_host32(m + 8, seq);
	cth_store_host32(m + 16, (uint32_t)error);
	cth_store_host32(m + 20, 20);
	cth_store_host32(m + 28, seq);
	script_bytes(k, m, sizeof(m));
}

void script_done(struct script *k, uint32_t seq, int error)
{
	uint8_t m[20] = { 0 };

	cth_store_host32(m, sizeof(m));
	cth_store_host16(m + 4, NLMSG_DONE);
	cth_store_host16(m + 6, NLM_F_MULTI);
	cth_store_host32(m + 8, seq);
	cth_store_host32(m + 16, (uint32_t)error);
	script_bytes(k, m, sizeof(m));
}

struct cth_span script_sent(const struct script *k, size_t i)
{
	size_t end;

	assert_true(i < k->outs);
	end = i + 1 < k->outs ? k->out_at[i + 1] : k->out_n;
	return cth_span(k->out + k->out_at[i], end - k->out_at[i]);
}

void script_ack_all(struct script *k, struct cth_span datagram)
{
	struct cth_nlmsg m;

	while (cth_nlmsg_next(&datagram, &m) > 0)
		if (m.flags & NLM_F_ACK)
			script_ack(k, m.seq, 0);
}
