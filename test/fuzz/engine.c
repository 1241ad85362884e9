/* SPDX-License-Identifier: MIT */
/*
 * engine.c - fuzz target: whole datagrams through queue and engine, with a kernel on the control
 * socket whose answers come from the input as well, from its end backward; and so do the
 * decisions of a protocol that somebody has taken over. The true protocols run too.
 *
 * Whatever comes: one verdict for each packet, expectations within the protocol's constants,
 * none inside of a verdict that has no conntrack part, and no decision of a true protocol that
 * goes beyond them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include "../../cthelper/engine.h"
#include "../../netlink/uapi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define EXP_NEW (NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_NEW)
#define EXP_GET (NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_GET)
#define EXP_DEL (NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_DELETE)
#define CT_NEW  (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW)
#define CT_STATS (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS)
#define FLIGHTS 4

static struct cth_span left; /* of the input, to be used up from its end */
static struct cth_served served[3];
static struct cth_engine engine;
static struct cth_queue queue;
static uint8_t waiting[2048]; /* an answer on the control socket */
static size_t waiting_n;
static struct cth_expect last;
static size_t failed; /* verdicts that were not taken */

static uint8_t next(void)
{
	return left.n ? left.p[--left.n] : 0;
}

#define must(so) do { \
	if (!(so)) { \
		fprintf(stderr, "not so: %s\n", #so); \
		abort(); \
	} \
} while (0)

/* The protocol that was taken over: any bytes at all, or something near to what it might say. */
static void decide_badly(const struct cth_view *v, struct cth_decision *d)
{
	struct cth_wanted *w;

	must(v->body.n > 0);
	if (next() % 4 == 0) {
		for (size_t i = 0; i < sizeof(*d); i++)
			((uint8_t *)d)[i] = next();
		return;
	}
	for (uint8_t n = next() % 3; n-- && (w = cth_want(v, d)) != NULL;) {
		w->port = (uint16_t)(next() << 8 | next());
		w->flags = next();
		w->ports = next() % 4;
		w->note_at = next() % 8;
		w->source = 1 << next() % 2;
		w->dest = 1 << next() % 2;
		w->public_port = (uint16_t)(next() % 2 * 40000);
		cth_announce(d, w, next() % (v->body.n + 1), next() % 10, next() % CTH_FORMS, '|');
		d->announced[d->announced_n - 1].from = next() % 3 * 4;
		d->announced[d->announced_n - 1].more = next() % 2;
	}
	d->state_changed = next() & 1;
	d->state[0] = next();
	d->leave = next() & 1;
	d->drop = next() % 8 == 0;
	d->timeout = next();
}

static const uint8_t both[] = { IPPROTO_TCP, IPPROTO_UDP, 0 };
static const struct cth_proto bad = {
	.name = "ftp", .l4 = both, .state_len = 8,
	.classes = { { "one", 1, 300 }, { "two", 8, 60 } },
	.wants_l4 = both, .wants_source = CTH_FROM_PEER | CTH_FROM_ANY,
	.wants_dest = CTH_TO_SELF | CTH_TO_OWN,
	.wants_flags = CTH_WANT_EVEN | CTH_WANT_PERMANENT | CTH_WANT_PORT_ONLY | CTH_WANT_CHILD,
	.wants_ports = 2, .lowest_port = 1024, .announces = (1 << CTH_FORMS) - 1,
	.longest_text = 8, .growth = 30, .may = CTH_MAY_DROP | CTH_MAY_LEAVE, .longest = 200,
	.child = "child", .decide = decide_badly,
};

/* The kernel. */

static void one_of(const struct cth_proto *p, uint32_t allow, const struct cth_expect *e)
{
	size_t classes = 0, l4 = 0, n = e->tuple.src.family == AF_INET ? 4 : 16;

	while (classes < CTH_CLASSES && p->classes[classes].name)
		classes++;
	while (p->wants_l4[l4] && p->wants_l4[l4] != e->tuple.l4)
		l4++;
	must(p->wants_l4[l4] != 0 && e->class_number < classes);
	if (!(p->wants_dest & CTH_TO_SELF))
		must(e->tuple.dport >= (allow & CTH_ALLOW_LOW_PORTS ? 1 : p->lowest_port));
	must(e->mask.src.b[0] == 0 || e->mask.src.b[0] == 0xff);
	must(e->mask.src.b[0] == 0xff || p->wants_source & CTH_FROM_ANY);
	for (size_t i = 1; i < n; i++)
		must(e->mask.src.b[i] == e->mask.src.b[0]);
	must(!(e->have & CTH_EXPECT_FN) == !(e->have & CTH_EXPECT_NAT));
}

/* Of some protocol that is served; which one, the message does not tell. */
static void expectation(const struct cth_expect *e)
{
	must(cth_expect_check(e, NULL) == 0);
	must(e->tuple.l4 == IPPROTO_TCP || e->tuple.l4 == IPPROTO_UDP);
	if (engine.call.served)
		one_of(engine.call.served->proto, engine.call.served->allow, e);
}

static void answer_ack(uint32_t seq, int error)
{
	uint8_t *m = waiting + waiting_n;

	memset(m, 0, 36);
	cth_store_host32(m, 36);
	cth_store_host16(m + 4, NLMSG_ERROR);
	cth_store_host16(m + 6, CTH_NLM_F_CAPPED);
	cth_store_host32(m + 8, seq);
	cth_store_host32(m + 16, (uint32_t)error);
	cth_store_host32(m + 20, 20);
	cth_store_host32(m + 28, seq);
	waiting_n += 36;
}

/* The one that was asked for, or one that is nearly it. */
static void answer_expectation(uint32_t seq)
{
	struct cth_msg m;

	if (next() % 4 == 0)
		last.master.sport ^= 1;
	if (next() % 4 == 0)
		last.tuple.src.b[0] ^= 1;
	cth_msg_init(&m, waiting, 1024);
	if (cth_expect_put_new(&m, 0, seq, &last) == 0)
		waiting_n = cth_msg_bytes(&m).n;
}

static void answer(const struct cth_nlmsg *m)
{
	static const int errors[] = { 0, -EEXIST, -EBUSY, -EALREADY, -EMFILE, -ENOENT, -EINVAL,
				      -EPERM, 0, -EEXIST, -EBUSY, -EEXIST };
	uint8_t how = next() % 16;

	if (how == 15)
		return; /* none */
	if (how == 14) { /* no answer that anybody has asked for */
		while (waiting_n < 64)
			waiting[waiting_n++] = next();
		return;
	}
	if (how == 13)
		answer_ack(m->seq + 1, 0);
	if (m->type == EXP_GET && !(m->flags & NLM_F_DUMP) && how & 1)
		answer_expectation(m->seq);
	answer_ack(m->seq, how < sizeof(errors) / sizeof(errors[0]) ? errors[how] : 0);
}

static int control_send(void *ctx, const struct iovec *parts, size_t n)
{
	struct cth_span d = cth_span(parts[0].iov_base, parts[0].iov_len);
	struct cth_expect e;
	struct cth_nlmsg m;

	(void)ctx;
	must(n == 1 && cth_nlmsg_next(&d, &m) == 1 && d.n == 0);
	must(m.type == EXP_NEW || m.type == EXP_GET || m.type == EXP_DEL || m.type == CT_NEW ||
	     m.type == CT_STATS);
	waiting_n = 0;
	if (m.type == EXP_NEW) {
		must(cth_expect_parse(&e, m.attrs) == 0 && e.have & CTH_EXPECT_MASTER);
		must((m.flags & (NLM_F_CREATE | NLM_F_EXCL)) == (NLM_F_CREATE | NLM_F_EXCL));
		expectation(&e);
		last = e;
	}
	if (m.type == EXP_DEL) /* without a tuple it would be all of them */
		must(cth_expect_parse(&e, m.attrs) == 0 && e.have & CTH_EXPECT_TUPLE);
	answer(&m);
	return 0;
}

static int control_receive(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms)
{
	(void)ctx;
	(void)n;
	(void)timeout_ms;
	if (!waiting_n)
		return 0;
	memcpy(slots[0].buf, waiting, waiting_n);
	slots[0].n = waiting_n;
	slots[0].portid = 0;
	slots[0].truncated = false;
	waiting_n = 0;
	return 1;
}

/* The queue. */

static void verdict(const struct cth_nlmsg *m)
{
	struct cth_span attrs = m->attrs;
	struct cth_expect e;
	bool ct = false, expect = false;
	struct cth_attr a;

	while (cth_attr_next(&attrs, &a) > 0) {
		ct |= a.type == NFQA_CT;
		if (a.type != CTH_NFQA_EXP)
			continue;
		must(!expect && cth_expect_parse(&e, a.value) == 0);
		must(e.have & CTH_EXPECT_TUPLE && e.have & CTH_EXPECT_MASK);
		expect = true;
	}
	must(ct || !expect);
}

static int send_verdicts(void *ctx, const struct iovec *parts, size_t n)
{
	static uint8_t bytes[1 << 18];
	struct cth_span d;
	struct cth_nlmsg m;
	size_t len = 0;

	(void)ctx;
	if (n > 1 && next() % 8 == 0) { /* no memory for another packet */
		failed++;
		return -ENOBUFS;
	}
	for (size_t i = 0; i < n; i++) {
		must(parts[i].iov_len <= sizeof(bytes) - len);
		memcpy(bytes + len, parts[i].iov_base, parts[i].iov_len);
		len += parts[i].iov_len;
	}
	d = cth_span(bytes, len);
	while (cth_nlmsg_next(&d, &m) > 0) {
		must(m.type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT));
		verdict(&m);
	}
	must(d.n == 0);
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

static void event(const struct cth_event *e, void *ctx)
{
	(void)ctx;
	must(e->served && e->flow && e->flow->have & CTH_FLOW_ORIG);
	/* What the true protocols decide, they may. */
	must(e->kind != CTH_EVENT_VIOLATION || e->served->proto == &bad);
}

static void start(struct cth_sock *s, struct cth_sock *control)
{
	static const struct cth_io queue_io = { receive_nothing, send_verdicts, NULL };
	static const struct cth_io control_io = { control_receive, control_send, NULL };
	static uint8_t answers[4096], out[CTH_QUEUE_OUT];
	static struct cth_flight flights[FLIGHTS];
	uint8_t how = next();

	cth_sock_seam(s, &queue_io, answers, 0);
	cth_sock_seam(control, &control_io, answers, sizeof(answers));
	control->timeout_ms = 0;
	memset(served, 0, sizeof(served));
	served[0].proto = how & 1 ? &bad : &cth_proto_ftp;
	served[1].proto = &cth_proto_tftp;
	served[2].proto = &bad;
	served[2].name = "test";
	for (size_t i = 0; i < 3; i++)
		served[i].allow = how >> 1 & 3;
	cth_queue_init(&queue, s, NULL, 0, out, sizeof(out), cth_engine_packet, &engine);
	for (uint16_t num = 0; num < CTH_QUEUE_BOUND; num++)
		cth_queue_adopt(&queue, num, CTH_QUEUE_CONNTRACK);
	cth_engine_init(&engine, &queue, control, served, 3, flights, FLIGHTS, how);
	engine.fn = event;
	engine.cold = how & 8;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cth_sock s, control;
	size_t counted = 0;

	left = cth_span(data, n);
	memset(&last, 0, sizeof(last));
	waiting_n = failed = 0;
	start(&s, &control);
	for (int i = 0; i < 2; i++) { /* and once more: retransmitted, or seen again on loopback */
		cth_queue_feed(&queue, cth_span(data, n));
		if (next() & 1)
			must(cth_queue_flush(&queue) == 0);
		cth_engine_settle(&engine);
	}
	must(cth_queue_flush(&queue) == 0);
	must(queue.stats.unsent == 0 && queue.stats.refused == failed && queue.stats.held == 0);
	must(queue.stats.verdicts >= queue.stats.packets); /* the malformed pass too */
	for (size_t i = 0; i < 3; i++)
		counted += served[i].stats.packets;
	must(counted + engine.others == queue.stats.packets);
	must(served[1].stats.violations == 0);
	return 0;
}
