/* SPDX-License-Identifier: MIT */
/*
 * pretend.c - a kernel's table of expectations. Each request is answered at once, and the
 * answers wait to be received:
 *
 *     EXP_NEW     ACK: 0, or why not; without EXCL one that is there has another timeout
 *     EXP_GET     the one that the tuple meets, and ACK; a dump: all, and DONE
 *     EXP_DELETE  ACK
 *     CT_NEW      ACK; a helper's name that is empty takes the flow's expectations with it
 *     CT_GET_STATS  ACK, which is all that anybody asks it for
 *
 * What decides is what a tuple meets, not what it is: of an expectation's source only the bits
 * of its mask count.
 */
#include <errno.h>
#include <sys/socket.h>
#include "../netlink/uapi.h"
#include "cth.h"
#include "pretend.h"

#define EXPECTATIONS(message) (NFNL_SUBSYS_CTNETLINK_EXP << 8 | (message))
#define FLOW_NEW   (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW)
#define FLOW_STATS (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS)

/* Matching. */

static bool same_bits(const uint8_t *a, const uint8_t *b, const uint8_t *mask, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((a[i] ^ b[i]) & mask[i])
			return false;
	return true;
}

/* Ports, or ICMP's id in the place of the source's and its type and code in that of the other's. */
static uint16_t source_id(const struct cth_tuple *t)
{
	return t->has_icmp ? t->icmp_id : t->sport;
}

static uint16_t dest_id(const struct cth_tuple *t)
{
	return t->has_icmp ? (uint16_t)(t->icmp_type << 8 | t->icmp_code) : t->dport;
}

static bool meets(const struct cth_tuple *a, const struct cth_tuple *b,
		  const struct cth_addr *mask, uint16_t port_mask)
{
	size_t n = a->src.family == AF_INET ? 4 : 16;

	return a->src.family == b->src.family && a->l4 == b->l4 &&
	       same_bits(a->src.b, b->src.b, mask->b, n) && memcmp(a->dst.b, b->dst.b, n) == 0 &&
	       !((source_id(a) ^ source_id(b)) & port_mask) && dest_id(a) == dest_id(b);
}

/* Is there a flow that would meet both? */
static bool overlap(const struct cth_expect *a, const struct cth_expect *b)
{
	struct cth_addr both = a->mask.src;

	for (size_t i = 0; i < sizeof(both.b); i++)
		both.b[i] &= b->mask.src.b[i];
	return a->zone == b->zone &&
	       meets(&a->tuple, &b->tuple, &both,
		     (uint16_t)(source_id(&a->mask) & source_id(&b->mask)));
}

/* The table. */

static void drop_one(struct pretend *k, size_t i)
{
	k->n--;
	memmove(&k->table[i], &k->table[i + 1], (k->n - i) * sizeof(k->table[0]));
	memmove(&k->until[i], &k->until[i + 1], (k->n - i) * sizeof(k->until[0]));
}

static void drop_old(struct pretend *k)
{
	for (size_t i = k->n; i-- > 0;)
		if (k->until[i] <= k->now)
			drop_one(k, i);
}

static size_t find(struct pretend *k, const struct cth_tuple *t, uint16_t zone)
{
	size_t i = 0;

	drop_old(k);
	while (i < k->n && !(k->table[i].zone == zone &&
			     meets(t, &k->table[i].tuple, &k->table[i].mask.src,
				   source_id(&k->table[i].mask))))
		i++;
	return i;
}

const struct cth_expect *pretend_find(struct pretend *k, const struct cth_tuple *t, uint16_t zone)
{
	size_t i = find(k, t, zone);

	return i < k->n ? &k->table[i] : NULL;
}

static const struct cth_class *class_of(const struct pretend *k, const struct cth_expect *e)
{
	return k->classes && e->class_number < CTH_CLASSES ? &k->classes[e->class_number] : NULL;
}

/* Beyond the class's maximum the master's oldest one makes room. */
static void make_room(struct pretend *k, const struct cth_expect *e)
{
	const struct cth_class *class = class_of(k, e);
	size_t count = 0, oldest = 0;

	for (size_t i = k->n; i-- > 0;) {
		if (!cth_tuple_equal(&k->table[i].master, &e->master) ||
		    k->table[i].class_number != e->class_number)
			continue;
		count++;
		oldest = i;
	}
	if (class && class->max && count >= class->max)
		drop_one(k, oldest);
}

static void keep(struct pretend *k, const struct cth_expect *e)
{
	const struct cth_class *class = class_of(k, e);
	struct cth_expect *kept;

	make_room(k, e);
	kept = &k->table[k->n];
	*kept = *e;
	kept->have |= CTH_EXPECT_ID;
	kept->id = ++k->ids;
	k->until[k->n++] = class ? k->now + class->timeout : UINT64_MAX;
}

int pretend_new(struct pretend *k, const struct cth_expect *e)
{
	if (find(k, &e->tuple, e->zone) < k->n)
		return -EEXIST;
	for (size_t i = 0; i < k->n; i++)
		if (overlap(&k->table[i], e))
			return -EBUSY;
	if (k->n == PRETEND_EXPECTATIONS)
		return -EMFILE;
	keep(k, e);
	return 0;
}

/* Answers. */

static void answer(struct pretend *k, struct cth_span bytes)
{
	if (bytes.n > sizeof(k->answers) - k->answers_n)
		return;
	memcpy(k->answers + k->answers_n, bytes.p, bytes.n);
	k->answers_n += bytes.n;
}

static void answer_ack(struct pretend *k, const struct cth_nlmsg *m, int error)
{
	uint8_t ack[36] = { 0 };

	if (error == 0 && !(m->flags & NLM_F_ACK))
		return;
	cth_store_host32(ack, sizeof(ack));
	cth_store_host16(ack + 4, NLMSG_ERROR);
	cth_store_host16(ack + 6, CTH_NLM_F_CAPPED);
	cth_store_host32(ack + 8, m->seq);
	cth_store_host32(ack + 16, (uint32_t)error);
	memcpy(ack + 20, m->whole.p, 16);
	answer(k, cth_span(ack, sizeof(ack)));
}

static void answer_done(struct pretend *k, const struct cth_nlmsg *m)
{
	uint8_t done[20] = { 0 };

	cth_store_host32(done, sizeof(done));
	cth_store_host16(done + 4, NLMSG_DONE);
	cth_store_host16(done + 6, NLM_F_MULTI);
	cth_store_host32(done + 8, m->seq);
	answer(k, cth_span(done, sizeof(done)));
}

/* The i-th as the kernel shows it: without its zone, and with the seconds that it has left. */
static void answer_one(struct pretend *k, const struct cth_nlmsg *m, size_t i)
{
	struct cth_expect shown = k->table[i];
	uint8_t buf[1024];
	struct cth_msg out;

	shown.have &= ~(uint32_t)CTH_EXPECT_ZONE;
	if (k->until[i] != UINT64_MAX) {
		shown.have |= CTH_EXPECT_TIMEOUT;
		shown.timeout = (uint32_t)(k->until[i] - k->now);
	}
	cth_msg_init(&out, buf, sizeof(buf));
	if (cth_expect_put_new(&out, NLM_F_MULTI, m->seq, &shown) == 0)
		answer(k, cth_msg_bytes(&out));
}

/* Requests. */

static void take_new(struct pretend *k, const struct cth_nlmsg *m, const struct cth_expect *e)
{
	size_t i = find(k, &e->tuple, e->zone);

	if (cth_expect_check(e, NULL) < 0 || !(e->have & CTH_EXPECT_MASTER)) {
		answer_ack(k, m, -EINVAL);
	} else if (i < k->n && !(m->flags & NLM_F_EXCL)) {
		if (e->have & CTH_EXPECT_TIMEOUT)
			k->until[i] = k->now + e->timeout;
		answer_ack(k, m, 0);
	} else if (i == k->n && !(m->flags & NLM_F_CREATE)) {
		answer_ack(k, m, -ENOENT);
	} else {
		answer_ack(k, m, pretend_new(k, e));
	}
}

static void take_get(struct pretend *k, const struct cth_nlmsg *m, const struct cth_expect *e)
{
	size_t found;

	if ((m->flags & NLM_F_DUMP) == NLM_F_DUMP) {
		drop_old(k);
		for (size_t i = 0; i < k->n; i++)
			answer_one(k, m, i);
		answer_done(k, m);
		return;
	}
	found = find(k, &e->tuple, e->zone);
	if (found < k->n)
		answer_one(k, m, found);
	answer_ack(k, m, found < k->n ? 0 : -ENOENT);
}

static void take_delete(struct pretend *k, const struct cth_nlmsg *m, const struct cth_expect *e)
{
	size_t i = find(k, &e->tuple, e->zone);
	bool there = i < k->n && (!(e->have & CTH_EXPECT_ID) || e->id == k->table[i].id);

	if (there)
		drop_one(k, i);
	answer_ack(k, m, there ? 0 : -ENOENT);
}

static void take_flow(struct pretend *k, const struct cth_nlmsg *m)
{
	struct cth_flow f;
	int r = cth_flow_parse(&f, m->attrs);

	for (size_t i = k->n; r == 0 && f.have & CTH_FLOW_HELPER && !f.helper[0] && i-- > 0;)
		if (cth_tuple_equal(&k->table[i].master, &f.orig))
			drop_one(k, i);
	answer_ack(k, m, r < 0 ? -EINVAL : 0);
}

static void take(struct pretend *k, const struct cth_nlmsg *m)
{
	struct cth_expect e;

	if (m->type == FLOW_NEW)
		take_flow(k, m);
	else if (m->type == FLOW_STATS)
		answer_ack(k, m, 0);
	else if (cth_expect_parse(&e, m->attrs) < 0)
		answer_ack(k, m, -EINVAL);
	else if (m->type == EXPECTATIONS(IPCTNL_MSG_EXP_NEW))
		take_new(k, m, &e);
	else if (m->type == EXPECTATIONS(IPCTNL_MSG_EXP_GET))
		take_get(k, m, &e);
	else if (m->type == EXPECTATIONS(IPCTNL_MSG_EXP_DELETE))
		take_delete(k, m, &e);
	else
		answer_ack(k, m, -EINVAL);
}

/* The seam. Requests come in one piece. */

static int pretend_send(void *ctx, const struct iovec *parts, size_t n)
{
	struct pretend *k = ctx;
	struct cth_nlmsg m;

	for (size_t i = 0; i < n; i++) {
		struct cth_span left = cth_span(parts[i].iov_base, parts[i].iov_len);

		while (cth_nlmsg_next(&left, &m) > 0)
			take(k, &m);
	}
	return 0;
}

static int pretend_receive(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms)
{
	struct pretend *k = ctx;

	(void)timeout_ms;
	if (n == 0 || k->answers_n == 0)
		return 0;
	slots[0].portid = 0;
	slots[0].truncated = k->answers_n > slots[0].cap;
	slots[0].n = slots[0].truncated ? slots[0].cap : k->answers_n;
	memcpy(slots[0].buf, k->answers, slots[0].n);
	k->answers_n = 0;
	return 1;
}

void pretend_init(struct pretend *k)
{
	const struct cth_io io = { pretend_receive, pretend_send, k };

	memset(k, 0, sizeof(*k));
	k->io = io;
}
