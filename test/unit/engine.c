/* SPDX-License-Identifier: MIT */
/*
 * engine.c - the engine, with protocols made up for it: whole datagrams go through the queue,
 * a pretended kernel answers on the control socket, and what is looked at is what the kernel is
 * asked, in which order, and the verdict that comes out.
 *
 *     packet --> queue --> engine --> decide() of this file
 *                            |  \--> control: requests, noted, refused where a test says so
 *                            '--> verdict, taken apart
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include "packets.h"
#include "../../cthelper/engine.h"
#include "../../cthelper/render.h"
#include "../../netlink/uapi.h"
#include "../../tools/pretend.h"

#define EXP_NEW (NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_NEW)
#define EXP_GET (NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_GET)
#define EXP_DEL (NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_DELETE)
#define CT_NEW  (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW)
#define VERDICT (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT)

#define FLIGHTS 8
#define ANYTHING 512 /* requests and events noted */

/* The protocol under test: constants that a test may change, and a decision that it makes. */

static const uint8_t tcp_and_udp[] = { IPPROTO_TCP, IPPROTO_UDP, 0 };
static const uint8_t tcp_only[] = { IPPROTO_TCP, 0 };
static struct cth_proto proto;
static struct cth_view seen;          /* by the last decide() */
static uint8_t seen_body[2048];
static size_t decided;
static void (*decision)(const struct cth_view *v, struct cth_decision *d);

static void decide(const struct cth_view *v, struct cth_decision *d)
{
	seen = *v;
	assert_true(v->body.n > 0 && v->body.n <= sizeof(seen_body));
	memcpy(seen_body, v->body.p, v->body.n);
	decided++;
	if (decision)
		decision(v, d);
}

static void decide_udp(const struct cth_view *v, struct cth_decision *d)
{
	(void)v;
	d->drop = true;
}

static const uint8_t udp_only[] = { IPPROTO_UDP, 0 };
static const struct cth_proto other_proto = {
	.name = "other", .l4 = udp_only, .port = 69, .classes = { { "other", 1, 300 } },
	.wants_l4 = udp_only, .may = CTH_MAY_DROP, .decide = decide_udp,
};

static const struct cth_proto plain_proto = {
	.name = "made-up",
	.l4 = tcp_and_udp,
	.port = 21,
	.state_len = 8,
	.classes = { { "first", 4, 300 }, { "second", 8, 180 } },
	.wants_l4 = tcp_and_udp,
	.wants_source = CTH_FROM_PEER | CTH_FROM_ANY,
	.wants_dest = CTH_TO_SELF | CTH_TO_OWN,
	.wants_flags = CTH_WANT_PERMANENT | CTH_WANT_INACTIVE | CTH_WANT_EVEN | CTH_WANT_CHILD |
		       CTH_WANT_PORT_ONLY,
	.wants_ports = 4,
	.lowest_port = 1024,
	.announces = (1 << CTH_FORMS) - 1,
	.longest_text = 40,
	.growth = 64,
	.counts = CTH_COUNTED,
	.may = CTH_MAY_DROP | CTH_MAY_LEAVE,
	.longest = 300,
	.child = "child",
	.decide = decide,
};

/* What is around the engine. */

static struct script kernel;          /* behind the queue */
static struct cth_sock sock, control;
static struct cth_queue queue;
static uint8_t out[CTH_QUEUE_OUT], answers[CTH_SOCK_BUF], ring_bytes[4][8192];
static struct cth_slot ring[4];
static struct cth_served served[2];
static struct cth_flight flights[FLIGHTS];
static struct cth_engine engine;

static struct {
	struct pretend k;
	struct cth_io io;
	int refuse[ANYTHING];     /* answers to EXP_NEW, one after the other; 0: ask the table */
	size_t refuse_n, news;
	int refuse_all;
	bool silent;              /* no answers any more */
	size_t lose;              /* of the first answers */
	struct {
		uint16_t type, flags;
		struct cth_expect e;
		size_t verdicts;  /* that had been sent before */
	} asked[ANYTHING];
	size_t asked_n;
	int error_waiting;
	uint32_t error_seq;
} ctl;

static struct {
	struct cth_event e;
	struct cth_expect x;
	struct cth_tuple flow;
} events[ANYTHING];
static size_t events_n;

static void note_event(const struct cth_event *e, void *ctx)
{
	assert_ptr_equal(ctx, &engine);
	assert_non_null(e->served);
	assert_non_null(e->flow);
	assert_true(e->flow->have & CTH_FLOW_ORIG);
	assert_true(events_n < ANYTHING);
	events[events_n].e = *e;
	events[events_n].flow = e->flow->orig;
	if (e->expect)
		events[events_n].x = *e->expect;
	events_n++;
}

static size_t count_events(enum cth_event_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < events_n; i++)
		n += events[i].e.kind == kind;
	return n;
}

static const struct cth_event *event_of(enum cth_event_kind kind)
{
	for (size_t i = 0; i < events_n; i++)
		if (events[i].e.kind == kind)
			return &events[i].e;
	fail_msg("no event %d", kind);
	return NULL;
}

static int control_send(void *ctx, const struct iovec *parts, size_t n)
{
	struct cth_span left = cth_span(parts[0].iov_base, parts[0].iov_len);
	struct cth_nlmsg m;

	(void)ctx;
	assert_int_equal(n, 1);
	assert_int_equal(cth_nlmsg_next(&left, &m), 1);
	assert_int_equal(left.n, 0);
	assert_true(ctl.asked_n < ANYTHING);
	ctl.asked[ctl.asked_n].type = m.type;
	ctl.asked[ctl.asked_n].flags = m.flags;
	ctl.asked[ctl.asked_n].verdicts = kernel.outs;
	if (m.type != CT_NEW)
		assert_int_equal(cth_expect_parse(&ctl.asked[ctl.asked_n].e, m.attrs), 0);
	ctl.asked_n++;
	if (m.type == EXP_NEW) {
		size_t i = ctl.news++;
		int error = i < ctl.refuse_n ? ctl.refuse[i] : ctl.refuse_all;

		if (error) {
			if (error == -ETIME) /* up in this moment */
				ctl.k.n = 0;
			ctl.error_waiting = error;
			ctl.error_seq = m.seq;
			return 0;
		}
	}
	return ctl.k.io.send(ctl.k.io.ctx, parts, n);
}

static int control_receive(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms)
{
	struct script one;

	(void)ctx;
	if (ctl.silent || ctl.lose) {
		ctl.lose -= ctl.lose > 0;
		ctl.error_waiting = 0;
		ctl.k.answers_n = 0;
		return 0;
	}
	if (!ctl.error_waiting)
		return ctl.k.io.receive(ctl.k.io.ctx, slots, n, timeout_ms);
	memset(&one, 0, offsetof(struct script, out));
	script_ack(&one, ctl.error_seq, ctl.error_waiting);
	memcpy(slots[0].buf, one.in[0].bytes, one.in[0].n);
	slots[0].n = one.in[0].n;
	slots[0].portid = 0;
	slots[0].truncated = false;
	ctl.error_waiting = 0;
	return 1;
}

static void start_engine(uint32_t seed)
{
	cth_queue_init(&queue, &sock, ring, N_OF(ring), out, sizeof(out), cth_engine_packet, &engine);
	assert_int_equal(cth_queue_adopt(&queue, 7, CTH_QUEUE_CONNTRACK), 0);
	assert_int_equal(cth_queue_adopt(&queue, 8, CTH_QUEUE_CONNTRACK), 0);
	cth_engine_init(&engine, &queue, &control, served, N_OF(served), flights, FLIGHTS, seed);
	engine.fn = note_event;
	engine.ctx = &engine;
}

static int setup(void **state)
{
	(void)state;
	proto = plain_proto;
	decision = NULL;
	decided = 0;
	memset(&seen, 0, sizeof(seen));
	memset(&ctl, 0, sizeof(ctl));
	events_n = 0;
	script_init(&kernel);
	pretend_init(&ctl.k);
	ctl.io = (struct cth_io){ control_receive, control_send, NULL };
	cth_sock_seam(&sock, &kernel.io, answers, 0);
	cth_sock_seam(&control, &ctl.io, answers, sizeof(answers));
	control.timeout_ms = 0;
	cth_slots(ring, N_OF(ring), ring_bytes, sizeof(ring_bytes[0]));
	memset(served, 0, sizeof(served));
	served[0].proto = &proto;
	served[1].proto = &other_proto;
	memset(flights, 0, sizeof(flights));
	start_engine(1);
	return 0;
}

/*
 * Flows. The sides are 1, the client, and 2, the server; 9 is the router's address towards the
 * other.
 */

static struct cth_addr side(int version, uint8_t n)
{
	struct cth_addr a = { AF_INET, { 10, 0, n, 1 } };

	if (version == 6)
		a = (struct cth_addr){ AF_INET6, { 0xfd, n, [15] = 1 } };
	return a;
}

enum nat { NO_NAT, SNAT, DNAT };

static void set_tuple(struct cth_tuple *t, uint8_t l4, struct cth_addr src, uint16_t sport,
		      struct cth_addr dst, uint16_t dport)
{
	*t = (struct cth_tuple){ .src = src, .dst = dst, .l4 = l4, .has_ports = true,
				 .sport = sport, .dport = dport };
}

struct situation {
	struct cth_flow flow;
	int version;
	bool reply;
	bool no_ct, no_info, no_payload;
	uint8_t conn_flags;      /* conntrack's of the client's side, of TCP; 0: not told */
	uint16_t queue;
	uint32_t id, ct_info, cap_len, skb_info, seq, ack;
	uint8_t tcp_flags;
	const char *body;
	size_t body_n;
	uint8_t proto;           /* of the packet, if it is not the flow's */
	size_t ext_len;          /* of an IPv6 extension header */
	uint8_t info[CTH_STATE];
	size_t info_n;
};

/* A control connection with port 40000 of the client, which behind SNAT is 50000; the server's
   port is 21, which behind DNAT is 2121. */
static struct situation situation(int version, uint8_t l4, enum nat nat, bool reply)
{
	struct situation s = { .version = version, .reply = reply, .queue = 7, .id = 1,
			       .seq = 1000, .ack = 5000, .tcp_flags = 0x18, .info_n = 8 };
	struct cth_flow *f = &s.flow;

	f->have = CTH_FLOW_ORIG | CTH_FLOW_REPLY | CTH_FLOW_ID | CTH_FLOW_STATUS | CTH_FLOW_HELPER;
	f->status = CTH_FLOW_CONFIRMED | CTH_FLOW_SEEN_REPLY;
	f->id = 0x1234;
	strcpy(f->helper, "made-up");
	set_tuple(&f->orig, l4, side(version, 1), 40000, side(version, nat == DNAT ? 9 : 2),
		  nat == DNAT ? 2121 : 21);
	set_tuple(&f->reply, l4, side(version, 2), 21, side(version, nat == SNAT ? 9 : 1),
		  nat == SNAT ? 50000 : 40000);
	f->status |= nat == SNAT ? CTH_FLOW_SRC_NAT : nat == DNAT ? CTH_FLOW_DST_NAT : 0;
	s.ct_info = reply ? 3 : 0;
	return s;
}

/* The tuple that the packet's receiver answers by. */
static const struct cth_tuple *answer_of(const struct situation *s)
{
	return s->reply ? &s->flow.orig : &s->flow.reply;
}

/* As it leaves the machine: with the addresses of behind the translation. */
static void make_ip(struct packet *k, const struct situation *s)
{
	static const uint8_t options[] = { IPPROTO_TCP, 0, 1, 4, 0, 0, 0, 0 };
	const struct cth_tuple *t = answer_of(s);
	struct shape shape = { .version = s->version, .proto = s->proto ? s->proto : t->l4 };
	size_t n = s->version == 4 ? 4 : 16, at = s->version == 4 ? 12 : 8;

	if (s->ext_len) {
		shape.first = 0;
		shape.ext = options;
		shape.ext_len = s->ext_len;
	}
	make_packet(k, &shape, s->body ? s->body : "",
		    s->body_n ? s->body_n : s->body ? strlen(s->body) : 0);
	memcpy(k->b + at, t->dst.b, n);
	memcpy(k->b + at + n, t->src.b, n);
	if (shape.proto == TCP || shape.proto == UDP) {
		put16(k->b + k->l4, t->dport);
		put16(k->b + k->l4 + 2, t->sport);
	}
	if (shape.proto == TCP) {
		cth_store_be32(k->b + k->l4 + 4, s->seq);
		cth_store_be32(k->b + k->l4 + 8, s->ack);
		k->b[k->l4 + 13] = s->tcp_flags;
	}
	finish_packet(k);
}

static void put_nested_tuple(struct cth_msg *m, uint16_t type, const struct cth_tuple *t)
{
	size_t nest = cth_msg_nest(m, type);

	cth_tuple_put(m, t);
	cth_msg_nest_end(m, nest);
}

static void put_seq_adj(struct cth_msg *m, uint16_t type, const struct cth_seq_adj *a)
{
	size_t nest = cth_msg_nest(m, type);

	cth_msg_put_be32(m, CTA_NAT_SEQ_CORRECTION_POS, a->position);
	cth_msg_put_be32(m, CTA_NAT_SEQ_OFFSET_BEFORE, (uint32_t)a->before);
	cth_msg_put_be32(m, CTA_NAT_SEQ_OFFSET_AFTER, (uint32_t)a->after);
	cth_msg_nest_end(m, nest);
}

static void put_help(struct cth_msg *m, const struct situation *s)
{
	size_t nest = cth_msg_nest(m, CTA_HELP);

	cth_msg_put_str(m, CTA_HELP_NAME, s->flow.helper);
	if (!s->no_info && s->info_n)
		cth_msg_put(m, CTA_HELP_INFO, s->info, s->info_n);
	cth_msg_nest_end(m, nest);
}

static void put_protoinfo(struct cth_msg *m, uint8_t flags)
{
	uint8_t both[2] = { flags, 0 };
	size_t info = cth_msg_nest(m, CTA_PROTOINFO), tcp = cth_msg_nest(m, CTA_PROTOINFO_TCP);

	cth_msg_put_u8(m, CTA_PROTOINFO_TCP_STATE, 3);
	cth_msg_put(m, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, both, sizeof(both));
	cth_msg_nest_end(m, tcp);
	cth_msg_nest_end(m, info);
}

static void put_ct(struct cth_msg *m, const struct situation *s)
{
	const struct cth_flow *f = &s->flow;
	size_t nest = cth_msg_nest(m, NFQA_CT);

	put_nested_tuple(m, CTA_TUPLE_ORIG, &f->orig);
	if (f->have & CTH_FLOW_REPLY)
		put_nested_tuple(m, CTA_TUPLE_REPLY, &f->reply);
	if (f->have & CTH_FLOW_ZONE)
		cth_msg_put_be16(m, CTA_ZONE, f->zone);
	if (f->have & CTH_FLOW_ID)
		cth_msg_put_be32(m, CTA_ID, f->id);
	if (f->have & CTH_FLOW_STATUS)
		cth_msg_put_be32(m, CTA_STATUS, f->status);
	if (f->have & CTH_FLOW_HELPER)
		put_help(m, s);
	if (s->conn_flags)
		put_protoinfo(m, s->conn_flags);
	if (f->have & CTH_FLOW_MASTER)
		put_nested_tuple(m, CTA_TUPLE_MASTER, &f->master);
	if (f->have & CTH_FLOW_SEQ_ORIG)
		put_seq_adj(m, CTA_NAT_SEQ_ADJ_ORIG, &f->seq_orig);
	if (f->have & CTH_FLOW_SEQ_REPLY)
		put_seq_adj(m, CTA_NAT_SEQ_ADJ_REPLY, &f->seq_reply);
	cth_msg_nest_end(m, nest);
}

static struct packet ip;              /* of the last situation */

static size_t make_datagram(const struct situation *s, uint8_t *buf, size_t cap)
{
	uint8_t header[7] = { 0, 0, 0, 0, 8, 0, 4 };
	struct cth_msg m;

	make_ip(&ip, s);
	cth_store_be32(header, s->id);
	if (s->version == 6)
		put16(header + 4, 0x86dd);
	cth_msg_init(&m, buf, cap);
	cth_msg_begin(&m, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET, 0, 0,
		      s->version == 4 ? AF_INET : AF_INET6, s->queue);
	cth_msg_put(&m, NFQA_PACKET_HDR, header, sizeof(header));
	if (!s->no_ct) {
		put_ct(&m, s);
		cth_msg_put_be32(&m, NFQA_CT_INFO, s->ct_info);
	}
	if (s->skb_info)
		cth_msg_put_be32(&m, NFQA_SKB_INFO, s->skb_info);
	if (s->cap_len)
		cth_msg_put_be32(&m, NFQA_CAP_LEN, s->cap_len);
	if (!s->no_payload)
		cth_msg_put(&m, NFQA_PAYLOAD, ip.b, ip.n);
	assert_int_equal(cth_msg_end(&m), 0);
	return cth_msg_bytes(&m).n;
}

/* Verdicts. */

static struct {
	bool there;
	uint32_t word, id;
	bool has_ct, has_expect, has_packet;
	struct cth_flow ct;
	struct cth_expect expect;
	uint8_t info[64];
	size_t info_n;
	struct packet packet;
} verdict;
static size_t verdicts, looked_at;

static void take_verdict(const struct cth_nlmsg *m)
{
	struct cth_span left = m->attrs;
	struct cth_attr a;

	assert_int_equal(m->type, VERDICT);
	memset(&verdict, 0, sizeof(verdict));
	verdict.there = true;
	while (cth_attr_next(&left, &a) > 0) {
		if (a.type == NFQA_VERDICT_HDR) {
			verdict.word = cth_be32(a.value.p);
			verdict.id = cth_be32(a.value.p + 4);
		} else if (a.type == NFQA_CT) {
			verdict.has_ct = true;
			assert_int_equal(cth_flow_parse(&verdict.ct, a.value), 0);
			if (verdict.ct.info.p)
				memcpy(verdict.info, verdict.ct.info.p, verdict.ct.info.n);
			verdict.info_n = verdict.ct.info.n;
		} else if (a.type == CTH_NFQA_EXP) {
			assert_false(verdict.has_expect);
			verdict.has_expect = true;
			assert_int_equal(cth_expect_parse(&verdict.expect, a.value), 0);
		} else if (a.type == NFQA_PAYLOAD) {
			verdict.has_packet = true;
			verdict.packet = ip; /* its shape */
			verdict.packet.n = a.value.n;
			memcpy(verdict.packet.b, a.value.p, a.value.n);
		} else {
			fail_msg("attribute %u in a verdict", a.type);
		}
	}
	verdicts++;
}

static void take_verdicts(void)
{
	for (; looked_at < kernel.outs; looked_at++) {
		struct cth_span left = script_sent(&kernel, looked_at);
		struct cth_nlmsg m;

		while (cth_nlmsg_next(&left, &m) > 0)
			take_verdict(&m);
		assert_int_equal(left.n, 0);
	}
}

static void feed(const struct situation *s)
{
	static uint8_t buf[8192];
	size_t n = make_datagram(s, buf, sizeof(buf));

	assert_int_equal(cth_queue_feed(&queue, cth_span(buf, n)), 1);
}

/* One packet from beginning to end, and the one verdict that it gets. */
static void pass(const struct situation *s)
{
	kernel.out_n = kernel.outs = looked_at = verdicts = 0;
	feed(s);
	assert_int_equal(cth_queue_flush(&queue), 0);
	cth_engine_settle(&engine);
	take_verdicts();
	assert_int_equal(verdicts, 1);
	assert_int_equal(verdict.id, s->id);
	assert_int_equal(queue.stats.refused, 0);
}

/* One whose first verdict could not be sent, perhaps. */
static void pass_refused(const struct situation *s, bool refused)
{
	kernel.out_n = kernel.outs = looked_at = verdicts = 0;
	feed(s);
	assert_int_equal(cth_queue_flush(&queue), 0);
	cth_engine_settle(&engine);
	take_verdicts();
	assert_int_equal(verdicts, 1);
	assert_int_equal(verdict.id, s->id);
	assert_int_equal(queue.stats.refused, refused);
}

static void assert_passed_as_it_was(void)
{
	assert_int_equal(verdict.word, CTH_ACCEPT);
	assert_false(verdict.has_ct);
	assert_false(verdict.has_expect);
	assert_false(verdict.has_packet);
}

/* The packet that the verdict puts in place: its body, lengths and checksums being right. */
static void assert_edited(const char *body)
{
	struct packet *k = &verdict.packet;

	assert_int_equal(verdict.word, CTH_ACCEPT);
	assert_true(verdict.has_packet);
	assert_true(verdict.has_ct); /* else the kernel adjusts nothing */
	assert_int_equal(k->n - k->body, strlen(body));
	assert_memory_equal(k->b + k->body, body, strlen(body));
	assert_int_equal(k->version == 4 ? get16(k->b + 2) : 40 + get16(k->b + 4), k->n);
	if (k->version == 4)
		assert_int_equal(header_sum(k), 0xffff);
	assert_int_equal(transport_sum(k), 0xffff);
}

static size_t asked(uint16_t type)
{
	size_t n = 0;

	for (size_t i = 0; i < ctl.asked_n; i++)
		n += ctl.asked[i].type == type;
	return n;
}

/* The i-th expectation that the kernel was asked to make. */
static const struct cth_expect *new_expect(size_t nth)
{
	for (size_t i = 0; i < ctl.asked_n; i++)
		if (ctl.asked[i].type == EXP_NEW && nth-- == 0)
			return &ctl.asked[i].e;
	fail_msg("the kernel was not asked to make so many expectations");
	return NULL;
}

static const struct cth_engine_stats *stats(void)
{
	return &served[0].stats;
}

/* Dispatch. */

static void a_packet_goes_to_its_helper_by_name_protocol_and_family(void **state)
{
	struct situation s;

	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		s = situation(version, IPPROTO_TCP, NO_NAT, false);
		s.body = "hello";
		pass(&s);
		assert_passed_as_it_was();
		assert_int_equal(seen.l4, IPPROTO_TCP);
		s = situation(version, IPPROTO_UDP, NO_NAT, true);
		s.body = "hello";
		pass(&s);
		assert_passed_as_it_was();
		assert_int_equal(seen.l4, IPPROTO_UDP);
		strcpy(s.flow.helper, "other");
		pass(&s);
		assert_int_equal(verdict.word, CTH_DROP);
	}
	assert_int_equal(decided, 4);
	assert_int_equal(stats()->packets, 4);
	assert_int_equal(stats()->bare, 0);
	assert_int_equal(served[1].stats.packets, 2);
	assert_int_equal(served[1].stats.dropped, 2);
	assert_int_equal(engine.others, 0);
}

static void a_name_of_its_own_replaces_the_protocols(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	served[0].name = "mine";
	start_engine(1);
	s.body = "hello";
	pass(&s);
	assert_int_equal(decided, 0);
	strcpy(s.flow.helper, "mine");
	pass(&s);
	assert_int_equal(decided, 1);
}

static void a_packet_of_nobodys_passes_and_is_counted(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false), t;

	(void)state;
	s.body = "hello";
	t = s;
	t.no_ct = true;
	pass(&t);
	assert_passed_as_it_was();
	assert_int_equal(engine.others, 1);
	t = s;
	t.flow.have &= ~(uint32_t)CTH_FLOW_HELPER;
	pass(&t);
	assert_passed_as_it_was();
	assert_int_equal(engine.others, 2);
	t = s;
	strcpy(t.flow.helper, "unknown");
	pass(&t);
	assert_passed_as_it_was();
	assert_int_equal(engine.others, 3);
	t = s;
	strcpy(t.flow.helper, "other"); /* which is of UDP */
	pass(&t);
	assert_passed_as_it_was();
	assert_int_equal(engine.others, 4);
	assert_int_equal(stats()->packets + served[1].stats.packets, 0);
	assert_int_equal(decided, 0);
}

static void what_carries_nothing_never_reaches_a_protocol(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	s.tcp_flags = 0x02;
	s.flow.status = 0;
	s.ct_info = 2;
	pass(&s);
	assert_passed_as_it_was();
	s = situation(6, IPPROTO_TCP, NO_NAT, true);
	s.tcp_flags = 0x10;
	pass(&s);
	assert_passed_as_it_was();
	s = situation(4, IPPROTO_UDP, NO_NAT, true);
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(stats()->packets, 3);
	assert_int_equal(stats()->bare, 3);
	assert_int_equal(decided, 0);
}

/* The receiver would leave bytes out of the stream, or take none: the protocol would not know. */
static void of_a_stream_that_has_to_be_whole_nothing_passes_that_its_receiver_leaves_out(void **state)
{
	static const struct {
		uint8_t flags;
		const char *body;
		bool passes;
	} cases[] = {
		{ 0x18, "hello", true }, { 0x10, NULL, true }, { 0x02, NULL, true }, { 0x12, NULL, true },
		{ 0x12, "hello", true }, { 0x04, NULL, true },
		{ 0x38, "hello", false }, { 0x30, NULL, false }, { 0x20, NULL, false },
		{ 0x02, "hello", false }, { 0x00, "hello", false }, { 0x08, "hello", false },
	};

	(void)state;
	for (int whole = 0; whole < 2; whole++)
		for (int version = 4; version <= 6; version += 2)
			for (size_t i = 0; i < N_OF(cases); i++) {
				struct situation s = situation(version, IPPROTO_TCP, NO_NAT, i & 1);

				setup(NULL);
				proto.whole_stream = whole;
				s.tcp_flags = cases[i].flags;
				s.body = cases[i].body;
				pass(&s);
				assert_int_equal(verdict.word == CTH_DROP, whole && !cases[i].passes);
				assert_int_equal(stats()->dropped, whole && !cases[i].passes);
				assert_int_equal(stats()->packets, 1);
				assert_int_equal(decided, s.body && (cases[i].passes || !whole));
			}
}

/* As a client can have the kernel forget a connection that the server goes on with. */
static void of_a_connection_picked_up_in_its_midst_no_stream_is_whole(void **state)
{
	static const struct {
		uint8_t flags;
		bool whole, is_decided;
	} cases[] = {
		{ 0, true, true }, { 0x23, true, true }, { 0x0a, true, false }, { 0x2a, true, false },
		{ 0x0a, false, true },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

		setup(NULL);
		proto.whole_stream = cases[i].whole;
		s.conn_flags = cases[i].flags;
		s.body = "hello";
		pass(&s);
		assert_passed_as_it_was();
		assert_int_equal(decided, cases[i].is_decided);
		assert_int_equal(stats()->unseen, !cases[i].is_decided);
	}
}

static void an_icmp_error_of_the_flow_is_not_the_protocols(void **state)
{
	static const char quoted[28] = { 3, 4, 0, 0, 0, 0, 0, 0, 0x45, 0, 0, 20 };
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	s.proto = IPPROTO_ICMP;
	s.ct_info = 1;
	s.body = quoted;
	s.body_n = sizeof(quoted);
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(stats()->packets, 1);
	assert_int_equal(stats()->bare, 1);
	assert_int_equal(decided, 0);
}

static void what_was_not_seen_whole_passes_and_is_counted(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false), t;

	(void)state;
	s.body = "hello";
	t = s;
	t.cap_len = 1400;
	pass(&t);
	assert_passed_as_it_was();
	assert_int_equal(stats()->unseen, 1);
	t = s;
	t.no_info = true;
	pass(&t);
	assert_passed_as_it_was();
	assert_int_equal(stats()->unseen, 2);
	t = s;
	t.body = NULL; /* all that is left of it by a short copy range */
	t.cap_len = 1400;
	pass(&t);
	assert_passed_as_it_was();
	assert_int_equal(stats()->unseen, 3);
	t = s;
	t.no_payload = true;
	pass(&t);
	assert_passed_as_it_was();
	assert_int_equal(stats()->unseen + stats()->bare, 4);
	assert_int_equal(stats()->packets, 4);
	assert_int_equal(decided, 0);
}

static void without_a_state_none_needs_to_be_shown(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	proto.state_len = 0;
	s.no_info = true;
	s.body = "hello";
	pass(&s);
	assert_int_equal(decided, 1);
	assert_int_equal(stats()->unseen, 0);
}

static void no_truncation_of_a_packet_is_read_beyond(void **state)
{
	static uint8_t buf[8192];
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);
	size_t n;

	(void)state;
	s.body = "hello";
	n = make_datagram(&s, buf, sizeof(buf));
	for (size_t len = 20; len < n; len++) {
		uint8_t *at = guarded(buf, len);

		kernel.out_n = kernel.outs = 0;
		cth_queue_feed(&queue, cth_span(at, len));
		cth_queue_flush(&queue);
		cth_engine_settle(&engine);
		free_guarded(at, len);
	}
	assert_int_equal(decided, 0);
}

/* The view. */

static void assert_addr(const struct cth_addr *a, struct cth_addr should)
{
	assert_true(cth_addr_equal(a, &should));
}

static void a_view_is_the_senders(void **state)
{
	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		for (enum nat nat = NO_NAT; nat <= DNAT; nat++) {
			struct situation s = situation(version, IPPROTO_TCP, nat, false);

			s.body = "hello";
			memcpy(s.info, "\1\2\3\4\5\6\7\x8", 8);
			pass(&s);
			assert_false(seen.reply);
			assert_false(seen.first);
			assert_int_equal(seen.rewrite, nat != NO_NAT);
			assert_addr(&seen.self, side(version, 1));
			assert_addr(&seen.peer, side(version, nat == DNAT ? 9 : 2));
			assert_addr(&seen.self_public, side(version, nat == SNAT ? 9 : 1));
			assert_int_equal(seen.self_port, 40000);
			assert_int_equal(seen.peer_port, nat == DNAT ? 2121 : 21);
			assert_int_equal(seen.body.n, 5);
			assert_memory_equal(seen_body, "hello", 5);
			assert_memory_equal(seen.state, "\1\2\3\4\5\6\7\x8\0\0", 10);

			s = situation(version, IPPROTO_TCP, nat, true);
			s.body = "220 hello";
			pass(&s);
			assert_true(seen.reply);
			assert_int_equal(seen.rewrite, nat != NO_NAT);
			assert_addr(&seen.self, side(version, 2));
			assert_addr(&seen.peer, side(version, nat == SNAT ? 9 : 1));
			assert_addr(&seen.self_public, side(version, nat == DNAT ? 9 : 2));
			assert_int_equal(seen.self_port, 21);
			assert_int_equal(seen.peer_port, nat == SNAT ? 50000 : 40000);
		}
	}
}

static void a_view_tells_the_flows_first_packet_and_what_is_allowed(void **state)
{
	struct situation s = situation(4, IPPROTO_UDP, NO_NAT, false);

	(void)state;
	served[0].allow = CTH_ALLOW_FOREIGN | CTH_ALLOW_LOW_PORTS;
	s.body = "x";
	s.flow.status = 0;
	s.ct_info = 2;
	pass(&s);
	assert_true(seen.first);
	assert_false(seen.reply);
	assert_int_equal(seen.allow, CTH_ALLOW_FOREIGN | CTH_ALLOW_LOW_PORTS);
}

static void sequence_numbers_count_as_their_owners_do(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, true);

	(void)state;
	s.body = "hello";
	s.seq = 0xffffffff;
	s.ack = 7000;
	pass(&s);
	assert_int_equal(seen.seq, 0xffffffff);
	assert_int_equal(seen.ack, 7000);
	s.tcp_flags = 0x12; /* with the SYN, which is a number of its own */
	pass(&s);
	assert_int_equal(seen.seq, 0);

	/* The client's stream grew by 3 at 6000, and then by 2 more: the server acknowledges the grown. */
	s.tcp_flags = 0x18;
	s.flow.have |= CTH_FLOW_SEQ_ORIG | CTH_FLOW_SEQ_REPLY;
	s.flow.status |= CTH_FLOW_SEQ_ADJUST;
	s.flow.seq_orig = (struct cth_seq_adj){ .position = 6000, .before = 3, .after = 5 };
	s.flow.seq_reply = (struct cth_seq_adj){ .position = 1, .before = 100, .after = 1000 };
	pass(&s);
	assert_int_equal(seen.ack, 6995);
	assert_int_equal(seen.seq, 0xffffffff);
	s.ack = 6004; /* 6001 before the last growth: behind its place */
	pass(&s);
	assert_int_equal(seen.ack, 5999);
	s.ack = 6003; /* exactly at its place: not yet */
	pass(&s);
	assert_int_equal(seen.ack, 6000);
	s.ack = 5003;
	pass(&s);
	assert_int_equal(seen.ack, 5000);
	s.flow.seq_orig = (struct cth_seq_adj){ .position = 6000, .before = 0, .after = -4 };
	s.ack = 7000;
	pass(&s);
	assert_int_equal(seen.ack, 7004);
	s.flow.have &= ~(uint32_t)CTH_FLOW_SEQ_REPLY;
	pass(&s);
	assert_int_equal(seen.ack, 7004);
	s.flow.have ^= CTH_FLOW_SEQ_ORIG | CTH_FLOW_SEQ_REPLY; /* the server's own are not meant */
	pass(&s);
	assert_int_equal(seen.ack, 7000);
}

/* Expectations. */

/* A decision of one expectation: what a test wants of it. */
static struct cth_wanted want;
static struct cth_announced announced[CTH_ANNOUNCED + 1];
static uint8_t announced_n;
static bool changes_state;

static void want_one(const struct cth_view *v, struct cth_decision *d)
{
	(void)v;
	d->wanted[0] = want;
	d->wanted_n = 1;
	d->announced_n = announced_n;
	for (size_t i = 0; i < announced_n && i < CTH_ANNOUNCED; i++)
		d->announced[i] = announced[i];
	if (changes_state) {
		d->state[0] = 0xaa;
		d->state_changed = true;
	}
}

static void start_wanting(uint16_t port)
{
	decision = want_one;
	want = (struct cth_wanted){ .l4 = IPPROTO_TCP, .source = CTH_FROM_PEER, .dest = CTH_TO_OWN,
				    .port = port, .note_at = CTH_NOWHERE };
	memset(announced, 0, sizeof(announced));
	announced_n = 0;
	changes_state = false;
}

static void announce(size_t off, size_t len, enum cth_form form, char separator)
{
	announced[announced_n++] = (struct cth_announced){
		.off = (uint32_t)off, .len = (uint32_t)len, .form = (uint8_t)form,
		.separator = (uint8_t)separator,
	};
}

/* Announces the part of the body that is text. */
static void announce_text(const struct situation *s, const char *text, enum cth_form form,
			  char separator)
{
	const char *at = strstr(s->body, text);

	assert_non_null(at);
	announce((size_t)(at - s->body), strlen(text), form, separator);
}

static void assert_all_bits(const struct cth_addr *a, bool ones)
{
	for (size_t i = 0; i < (a->family == AF_INET ? 4u : 16u); i++)
		assert_int_equal(a->b[i], ones ? 0xff : 0);
}

static void assert_goes_to(const struct situation *s, const struct cth_expect *e, uint16_t port)
{
	const struct cth_tuple *t = answer_of(s);

	assert_true(e->have & CTH_EXPECT_TUPLE && e->have & CTH_EXPECT_MASK);
	assert_true(cth_addr_equal(&e->tuple.dst, &t->dst));
	assert_int_equal(e->tuple.dport, port);
	assert_true(e->tuple.has_ports);
	assert_int_equal(e->tuple.l4, want.l4);
	assert_int_equal(e->tuple.sport, want.source_port);
	assert_int_equal(e->mask.sport, want.source_port ? 0xffff : 0);
	assert_int_equal(e->mask.src.family, t->src.family);
	assert_all_bits(&e->mask.src, want.source == CTH_FROM_PEER);
	if (want.source == CTH_FROM_PEER)
		assert_true(cth_addr_equal(&e->tuple.src, &t->src));
	assert_int_equal(e->have & CTH_EXPECT_CLASS ? e->class_number : 0, want.class_number);
}

static void assert_translated(const struct situation *s, const struct cth_expect *e, uint16_t port)
{
	bool nat = s->flow.status & (CTH_FLOW_SRC_NAT | CTH_FLOW_DST_NAT);

	assert_int_equal((e->have & CTH_EXPECT_NAT) != 0, nat);
	assert_int_equal((e->have & CTH_EXPECT_FN) != 0, nat);
	if (!nat)
		return;
	assert_string_equal(e->fn, "nat-follow-master");
	assert_int_equal(e->nat_dir, s->reply ? 0 : 1);
	assert_int_equal(e->nat.sport, port);
}

static void an_expectation_goes_from_the_peer_to_the_senders_public_address(void **state)
{
	(void)state;
	for (int i = 0; i < 24; i++) {
		struct situation s = situation(i & 1 ? 6 : 4, IPPROTO_TCP, (enum nat)(i / 2 % 3),
					       i >= 12);
		const struct cth_expect *e;

		setup(NULL);
		start_wanting((uint16_t)(30000 + i));
		if (i & 2)
			want.source = CTH_FROM_ANY;
		if (i & 4)
			want.source_port = 20;
		want.class_number = i & 1;
		if (i % 5 == 0)
			want.flags = CTH_WANT_PERMANENT | CTH_WANT_INACTIVE;
		s.flow.zone = 9;
		s.flow.have |= CTH_FLOW_ZONE;
		s.body = "hello";
		pass(&s);
		assert_passed_as_it_was();
		assert_int_equal(ctl.asked_n, 1);
		assert_int_equal(ctl.asked[0].flags & (NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK),
				 NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
		assert_int_equal(ctl.asked[0].verdicts, 0);
		e = new_expect(0);
		assert_goes_to(&s, e, want.port);
		assert_translated(&s, e, want.port);
		assert_true(e->have & CTH_EXPECT_MASTER);
		assert_true(cth_tuple_equal(&e->master, &s.flow.orig));
		assert_int_equal(e->zone, 9);
		assert_int_equal(e->have & CTH_EXPECT_FLAGS ? e->flags : 0,
				 want.flags ? CTH_EXPECT_PERMANENT | CTH_EXPECT_INACTIVE : 0);
		assert_false(e->have & CTH_EXPECT_HELPER);
		assert_int_equal(stats()->expected, 1);
		assert_int_equal(count_events(CTH_EVENT_EXPECTED), 1);
		assert_int_equal(events_n, 1);
		assert_true(cth_tuple_equal(&events[0].x.tuple, &e->tuple));
		assert_ptr_equal(events[0].e.served, &served[0]);
	}
}

static void to_self_is_the_very_port_of_the_flow(void **state)
{
	(void)state;
	for (int i = 0; i < 12; i++) {
		struct situation s = situation(i & 1 ? 6 : 4, IPPROTO_UDP, (enum nat)(i / 2 % 3),
					       i >= 6);

		setup(NULL);
		start_wanting(0);
		want.l4 = IPPROTO_UDP;
		want.dest = CTH_TO_SELF;
		want.port = s.reply ? 21 : 40000;
		s.body = "x";
		pass(&s);
		assert_int_equal(ctl.asked_n, 1);
		assert_goes_to(&s, new_expect(0), answer_of(&s)->dport);
		assert_translated(&s, new_expect(0), s.reply ? 21 : 40000);
	}
}

static void to_another_is_never_translated(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	served[0].allow = CTH_ALLOW_FOREIGN;
	proto.wants_dest |= CTH_TO_OTHER;
	start_wanting(30000);
	want.dest = CTH_TO_OTHER;
	want.address = side(4, 77);
	s.body = "hello";
	pass(&s);
	assert_int_equal(ctl.asked_n, 1);
	assert_addr(&new_expect(0)->tuple.dst, side(4, 77));
	assert_int_equal(new_expect(0)->tuple.dport, 30000);
	assert_false(new_expect(0)->have & (CTH_EXPECT_NAT | CTH_EXPECT_FN));
	assert_int_equal(stats()->expected, 1);
}

static void want_two(const struct cth_view *v, struct cth_decision *d)
{
	struct cth_wanted *w = cth_want(v, d);

	assert_non_null(w);
	assert_int_equal(w->l4, v->l4);
	assert_int_equal(w->source, CTH_FROM_PEER);
	assert_int_equal(w->dest, CTH_TO_OWN);
	assert_int_equal(w->note_at, CTH_NOWHERE);
	w->port = 30000;
	w = cth_want(v, d);
	w->port = 30001;
}

static void several_are_made_in_their_order(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	decision = want_two;
	s.body = "hello";
	pass(&s);
	assert_int_equal(asked(EXP_NEW), 2);
	assert_int_equal(new_expect(0)->tuple.dport, 30000);
	assert_int_equal(new_expect(1)->tuple.dport, 30001);
	assert_int_equal(stats()->expected, 2);
	assert_int_equal(ctl.k.n, 2);
}

/* Ports. */

/* Somebody else's expectation for the same port. */
static void others_port(const struct situation *s, uint16_t port)
{
	struct cth_expect e = { .have = CTH_EXPECT_TUPLE | CTH_EXPECT_MASK | CTH_EXPECT_MASTER };
	const struct cth_tuple *t = answer_of(s);

	set_tuple(&e.tuple, IPPROTO_TCP, t->src, 0, t->dst, port);
	e.mask.src = t->src;
	memset(e.mask.src.b, 0xff, sizeof(e.mask.src.b));
	e.master = s->flow.orig;
	e.master.sport ^= 1;
	assert_int_equal(pretend_new(&ctl.k, &e), 0);
}

static void a_retransmission_keeps_expectation_and_port(void **state)
{
	(void)state;
	for (enum nat nat = NO_NAT; nat <= SNAT; nat++) {
		struct situation s = situation(4, IPPROTO_TCP, nat, false);

		setup(NULL);
		start_wanting(30000);
		s.body = "hello";
		pass(&s);
		ctl.asked_n = 0;
		s.id = 2;
		pass(&s);
		assert_passed_as_it_was();
		assert_int_equal(asked(EXP_NEW), 1);
		assert_int_equal(asked(EXP_GET), 1);
		assert_int_equal(asked(EXP_DEL), 0);
		assert_int_equal(stats()->expected, 1);
		assert_int_equal(stats()->again, 1);
		assert_int_equal(stats()->refused, 0);
		assert_int_equal(count_events(CTH_EVENT_AGAIN), 1);
		assert_int_equal(ctl.k.n, 1);
	}
}

/* Announces a port that is another flow's already: the one that is told instead. */
static uint16_t told_another_port(struct situation *s)
{
	start_wanting(30000);
	others_port(s, 30000);
	s->body = "port 30000\r\n";
	announce_text(s, "30000", CTH_FORM_PORT, 0);
	pass(s);
	assert_int_equal(ctl.k.n, 2);
	return ctl.k.table[1].tuple.dport;
}

static void a_port_of_anothers_means_another_where_it_can_be_told(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);
	uint16_t port;

	(void)state;
	port = told_another_port(&s);
	assert_true(port >= 1024 && port != 30000);
	assert_translated(&s, &ctl.k.table[1], 30000);
	assert_true(cth_tuple_equal(&ctl.k.table[1].master, &s.flow.orig));
	assert_int_equal(stats()->ports, 1);
	assert_int_equal(stats()->expected, 1);
	assert_int_equal(event_of(CTH_EVENT_EXPECTED)->port, 30000);
	{
		char body[32];

		snprintf(body, sizeof(body), "port %u\r\n", port);
		assert_edited(body);
	}
}

/* Translated to elsewhere, it is not what this packet announces, whoever's it is. */
static void what_leads_elsewhere_means_another_port(void **state)
{
	(void)state;
	for (int own = 0; own < 2; own++) {
		struct situation s = situation(4, IPPROTO_TCP, SNAT, false);
		struct cth_expect *there = &ctl.k.table[0];

		setup(NULL);
		start_wanting(30000);
		others_port(&s, 30000);
		there->have |= CTH_EXPECT_NAT | CTH_EXPECT_FN;
		strcpy(there->fn, "nat-follow-master");
		there->nat_dir = 1;
		there->nat.sport = own ? 29999 : 30000;
		if (own)
			there->master = s.flow.orig;
		s.body = "port 30000\r\n";
		announce_text(&s, "30000", CTH_FORM_PORT, 0);
		pass(&s);
		assert_int_equal(ctl.k.n, 2);
		assert_int_equal(stats()->again, 0);
		assert_int_equal(stats()->expected, 1);
		assert_translated(&s, &ctl.k.table[1], 30000);
	}
}

static void busy_and_already_mean_the_next_port(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, DNAT, true);

	(void)state;
	start_wanting(30000);
	ctl.refuse[0] = ctl.refuse[1] = -EBUSY;
	ctl.refuse[2] = -EALREADY;
	ctl.refuse_n = 3;
	s.body = "port 30000\r\n";
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	pass(&s);
	assert_int_equal(asked(EXP_NEW), 4);
	assert_int_equal(new_expect(0)->tuple.dport, 30000);
	for (size_t i = 0; i < 4; i++)
		assert_translated(&s, new_expect(i), 30000);
	assert_int_equal(stats()->ports, 3);
	assert_int_equal(stats()->expected, 1);
	assert_true(verdict.has_packet);
}

static void at_most_so_many_ports_are_tried(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);
	uint8_t tried[8192] = { 0 };

	(void)state;
	start_wanting(30000);
	ctl.refuse_all = -EBUSY;
	s.body = "port 30000\r\n";
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(asked(EXP_NEW), CTH_ENGINE_PORTS);
	for (size_t i = 0; i < CTH_ENGINE_PORTS; i++) {
		uint16_t port = new_expect(i)->tuple.dport;

		assert_true(port >= 1024);
		assert_false(tried[port / 8] & 1 << port % 8); /* none twice */
		tried[port / 8] |= (uint8_t)(1 << port % 8);
	}
	assert_int_equal(stats()->refused, 1);
	assert_int_equal(stats()->expected, 0);
	assert_int_equal(count_events(CTH_EVENT_REFUSED), 1);
	assert_int_equal(ctl.k.n, 0);
}

static void the_first_port_tried_differs_by_seed(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);
	uint16_t first[8];
	size_t same = 0;

	(void)state;
	for (uint32_t seed = 0; seed < 8; seed++) {
		setup(NULL);
		start_engine(seed);
		start_wanting(30000);
		others_port(&s, 30000);
		s.body = "port 30000\r\n";
		announce_text(&s, "30000", CTH_FORM_PORT, 0);
		pass(&s);
		first[seed] = ctl.k.table[1].tuple.dport;
		for (uint32_t i = 0; i < seed; i++)
			same += first[i] == first[seed];
	}
	assert_int_equal(same, 0);
}

static void an_even_port_stays_even(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	start_wanting(30000);
	want.flags = CTH_WANT_EVEN;
	ctl.refuse_all = -EBUSY;
	s.body = "port 30000\r\n";
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	pass(&s);
	assert_int_equal(asked(EXP_NEW), CTH_ENGINE_PORTS);
	for (size_t i = 0; i < CTH_ENGINE_PORTS; i++)
		assert_int_equal(new_expect(i)->tuple.dport % 2, 0);
}

static void ports_in_a_row_come_all_or_none(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);
	uint16_t first;

	(void)state;
	start_wanting(30000);
	want.ports = 4;
	others_port(&s, 30002);
	s.body = "port 30000\r\n";
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	pass(&s);
	assert_int_equal(asked(EXP_DEL), 2); /* 30000 and 30001 */
	assert_int_equal(ctl.k.n, 5);
	first = ctl.k.table[1].tuple.dport;
	assert_true(first >= 1024 && first <= 65532);
	for (uint16_t i = 0; i < 4; i++) {
		assert_int_equal(ctl.k.table[1 + i].tuple.dport, first + i);
		assert_translated(&s, &ctl.k.table[1 + i], (uint16_t)(30000 + i));
	}
	assert_true(verdict.has_packet);
}

static void a_row_that_cannot_be_had_leaves_nothing(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	start_wanting(30000);
	want.ports = 3;
	others_port(&s, 30002);
	ctl.k.table[0].mask.sport = 0xffff; /* so that it is not the same */
	s.body = "port 30000\r\n";
	pass(&s);
	assert_int_equal(ctl.k.n, 1);
	assert_int_equal(stats()->expected, 0);
	assert_int_equal(stats()->refused, 1);
}

/* Where nothing can be rewritten the port is what it is. */
static void anothers_expectation_is_shared_where_it_is_the_same(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	start_wanting(30000);
	others_port(&s, 30000);
	s.body = "hello";
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(asked(EXP_NEW), 1);
	assert_int_equal(stats()->again, 1);
	assert_int_equal(stats()->refused, 0);
	assert_int_equal(ctl.k.n, 1);
	assert_int_equal(count_events(CTH_EVENT_AGAIN), 1);
}

/* Each time that it is told, it lasts as long as its class has it. */
static void what_is_told_again_lasts_as_long_again(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	for (int longer = 0; longer < 2; longer++) {
		uint32_t lasts = longer ? 500 : 300;

		setup(NULL);
		served[0].terms.classes[0].timeout = longer ? lasts : 0;
		ctl.k.classes = (struct cth_class[CTH_CLASSES]){ { "first", 4, lasts } };
		start_wanting(30000);
		s.body = "hello";
		pass(&s);
		pass(&s); /* a retransmission */
		assert_int_equal(asked(EXP_NEW), 2);
		ctl.k.now = lasts - 1;
		pass(&s);
		assert_int_equal(asked(EXP_NEW), 4);
		assert_int_equal(ctl.asked[ctl.asked_n - 1].flags, NLM_F_REQUEST | NLM_F_ACK);
		assert_int_equal(new_expect(3)->timeout, lasts);
		assert_true(cth_tuple_equal(&new_expect(3)->tuple, &new_expect(0)->tuple));
		assert_int_equal(ctl.k.until[0], ctl.k.now + lasts);
		assert_int_equal(ctl.k.n, 1);
		assert_int_equal(stats()->expected, 1);
		assert_int_equal(stats()->again, 2);
	}
}

static void what_ends_while_it_is_told_again_is_made_anew(void **state)
{
	static const int errors[] = { -ETIME, -EPERM };

	(void)state;
	for (size_t i = 0; i < N_OF(errors); i++) {
		struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

		setup(NULL);
		ctl.k.classes = proto.classes;
		start_wanting(30000);
		s.body = "hello";
		pass(&s);
		ctl.k.now = 299;
		ctl.refuse[2] = errors[i];
		ctl.refuse_n = 3;
		pass(&s);
		assert_int_equal(ctl.k.n, 1);
		assert_int_equal(stats()->expected, errors[i] == -ETIME ? 2 : 1);
		assert_int_equal(stats()->again, errors[i] == -ETIME ? 0 : 1);
		if (errors[i] == -ETIME)
			assert_false(new_expect(3)->have & CTH_EXPECT_TIMEOUT);
		assert_int_equal(stats()->refused, 0);
	}
}

/* Another's goes with its own flow. */
static void anothers_expectation_does_not_last_longer(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	ctl.k.classes = proto.classes;
	start_wanting(30000);
	others_port(&s, 30000);
	ctl.k.now = 200;
	s.body = "hello";
	pass(&s);
	assert_int_equal(asked(EXP_NEW), 1);
	assert_int_equal(ctl.k.until[0], 300);
	assert_int_equal(stats()->again, 1);
}

static void anothers_expectation_that_only_meets_is_a_refusal(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	start_wanting(30000);
	others_port(&s, 30000);
	memset(ctl.k.table[0].mask.src.b, 0, 16); /* from anywhere */
	memset(ctl.k.table[0].tuple.src.b, 0, 16);
	s.body = "hello";
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(asked(EXP_NEW), 1);
	assert_int_equal(stats()->again, 0);
	assert_int_equal(stats()->refused, 1);
	assert_int_equal(event_of(CTH_EVENT_REFUSED)->error, -EADDRINUSE);
	assert_int_equal(ctl.k.n, 1);
}

static void refusals_that_no_port_helps_end_it(void **state)
{
	static const int errors[] = { -EMFILE, -EOPNOTSUPP, -ENOENT, -EPERM };

	(void)state;
	for (size_t i = 0; i < N_OF(errors); i++) {
		struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

		setup(NULL);
		start_wanting(30000);
		ctl.refuse_all = errors[i];
		s.body = "port 30000\r\n";
		announce_text(&s, "30000", CTH_FORM_PORT, 0);
		pass(&s);
		assert_passed_as_it_was();
		assert_int_equal(asked(EXP_NEW), 1);
		assert_int_equal(stats()->refused, 1);
		assert_int_equal(count_events(CTH_EVENT_REFUSED), 1);
		assert_int_equal(event_of(CTH_EVENT_REFUSED)->error, errors[i]);
		assert_non_null(event_of(CTH_EVENT_REFUSED)->expect);
	}
}

static void a_bad_class_is_a_refusal(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	start_wanting(30000);
	ctl.refuse_all = -EINVAL;
	s.body = "hello";
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(asked(EXP_NEW), 1);
	assert_int_equal(event_of(CTH_EVENT_REFUSED)->error, -EINVAL);
}

static void no_answer_is_a_refusal(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	start_wanting(30000);
	ctl.silent = true;
	s.body = "hello";
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(asked(EXP_NEW), 1);
	assert_int_equal(event_of(CTH_EVENT_REFUSED)->error, -ETIMEDOUT);
	assert_int_equal(stats()->refused, 1);
}

static void one_that_was_made_in_silence_is_found(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	start_wanting(30000);
	ctl.lose = 1;
	s.body = "port 30000\r\n";
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	pass(&s);
	assert_int_equal(asked(EXP_NEW), 1);
	assert_int_equal(ctl.k.n, 1);
	assert_int_equal(stats()->expected, 1);
	assert_int_equal(stats()->again + stats()->refused, 0);
	assert_int_equal(count_events(CTH_EVENT_EXPECTED), 1);

	/* And as it is this packet's it is taken back. */
	setup(NULL);
	start_wanting(30000);
	want.public_port = 45678;
	ctl.lose = 1;
	s.skb_info = CTH_SKB_GSO;
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	pass(&s);
	assert_int_equal(asked(EXP_NEW), 1);
	assert_int_equal(asked(EXP_DEL), 1);
	assert_int_equal(ctl.k.n, 0);
	assert_int_equal(stats()->edits_refused, 1);
}

static void what_is_not_found_after_silence_was_not_made(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	start_wanting(30000);
	ctl.lose = 1;
	ctl.refuse_all = -EBUSY; /* but that was lost */
	s.body = "hello";
	pass(&s);
	assert_int_equal(asked(EXP_NEW), 1);
	assert_int_equal(asked(EXP_GET), 1);
	assert_int_equal(stats()->expected, 0);
	assert_int_equal(stats()->refused, 1);
	assert_int_equal(event_of(CTH_EVENT_REFUSED)->error, -ETIMEDOUT);

	/* Somebody else's has been in the way: another port. */
	setup(NULL);
	start_wanting(30000);
	ctl.lose = 1;
	others_port(&s, 30000);
	s.body = "port 30000\r\n";
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	pass(&s);
	assert_int_equal(asked(EXP_NEW), 2);
	assert_int_equal(ctl.k.n, 2);
	assert_int_equal(stats()->expected, 1);
	assert_int_equal(stats()->ports, 1);
}

/* Where another's is as good as ours, it is not ours to be counted. */
static void one_that_was_found_after_silence_may_be_anothers(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	start_wanting(30000);
	ctl.lose = 1;
	others_port(&s, 30000);
	s.body = "hello";
	pass(&s);
	assert_int_equal(stats()->expected, 0);
	assert_int_equal(stats()->again, 1);
	assert_int_equal(ctl.k.n, 1);
}

/* It would end sooner or later, be met by nobody, or belong to another helper. */
static void what_is_of_another_kind_is_not_ours(void **state)
{
	static const struct {
		uint8_t flags;      /* wanted */
		uint32_t have, found; /* there */
		uint32_t class_number;
		const char *helper;
		uint64_t again;
	} cases[] = {
		{ 0, 0, 0, 1, NULL, 1 },
		{ 0, CTH_EXPECT_FLAGS, 0, 1, "made-up", 1 },
		{ 0, CTH_EXPECT_FLAGS, CTH_EXPECT_USERSPACE, 1, NULL, 1 },
		{ 0, CTH_EXPECT_FLAGS, CTH_EXPECT_INACTIVE, 1, NULL, 0 },
		{ 0, CTH_EXPECT_FLAGS, CTH_EXPECT_PERMANENT, 1, NULL, 0 },
		{ CTH_WANT_PERMANENT, CTH_EXPECT_FLAGS, CTH_EXPECT_PERMANENT, 1, NULL, 1 },
		{ CTH_WANT_PERMANENT, CTH_EXPECT_FLAGS, CTH_EXPECT_INACTIVE, 1, NULL, 0 },
		{ CTH_WANT_INACTIVE, CTH_EXPECT_FLAGS, CTH_EXPECT_INACTIVE, 1, NULL, 1 },
		{ CTH_WANT_INACTIVE, 0, 0, 1, NULL, 0 },
		{ 0, 0, 0, 2, NULL, 0 },
		{ 0, 0, 0, 0, NULL, 1 }, /* of an older kernel, to which all are */
		{ CTH_WANT_CHILD, 0, 0, 0, NULL, 0 },
		{ CTH_WANT_CHILD, 0, 0, 1, "made-up", 1 },
		{ 0, 0, 0, 1, "other", 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);
		struct cth_expect *there = &ctl.k.table[0];

		setup(NULL);
		start_wanting(30000);
		want.class_number = 1;
		want.flags = cases[i].flags;
		others_port(&s, 30000);
		there->have |= cases[i].have | CTH_EXPECT_CLASS;
		there->flags = cases[i].found;
		there->class_number = cases[i].class_number;
		if (cases[i].helper) {
			there->have |= CTH_EXPECT_HELPER;
			strcpy(there->helper, cases[i].helper);
		}
		s.body = "hello";
		pass(&s);
		if (stats()->again != cases[i].again)
			fail_msg("case %zu", i);
		assert_int_equal(stats()->refused, !cases[i].again);
		assert_int_equal(ctl.k.n, 1);
	}
}

static void a_port_told_before_is_tried_first(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	start_wanting(30000);
	want.public_port = 45678;
	s.body = "port 30000\r\n";
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	pass(&s);
	assert_int_equal(asked(EXP_NEW), 1);
	assert_goes_to(&s, new_expect(0), 45678);
	assert_translated(&s, new_expect(0), 30000);
	assert_edited("port 45678\r\n");
	setup(NULL);
	start_wanting(30000);
	want.public_port = 45678;
	others_port(&s, 45678);
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	pass(&s);
	assert_int_equal(ctl.k.n, 2);
	assert_int_not_equal(ctl.k.table[1].tuple.dport, 45678);
}

static void a_port_told_before_is_fixed_where_it_is_not_told_again(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	start_wanting(30000);
	want.public_port = 45678;
	s.body = "go\r\n";
	pass(&s);
	assert_passed_as_it_was();
	assert_goes_to(&s, new_expect(0), 45678);
	assert_translated(&s, new_expect(0), 30000);
	setup(NULL);
	start_wanting(30000);
	want.public_port = 45678;
	ctl.refuse_all = -EBUSY;
	pass(&s);
	assert_int_equal(asked(EXP_NEW), 1);
	assert_int_equal(stats()->refused, 1);
}

static void a_port_is_noted_in_the_state_that_is_sent(void **state)
{
	(void)state;
	for (int changes = 0; changes < 2; changes++) {
		struct situation s = situation(4, IPPROTO_TCP, SNAT, false);
		uint16_t port;

		setup(NULL);
		start_wanting(30000);
		others_port(&s, 30000);
		want.note_at = 6;
		changes_state = changes;
		s.body = "port 30000\r\n";
		announce_text(&s, "30000", CTH_FORM_PORT, 0);
		pass(&s);
		port = ctl.k.table[1].tuple.dport;
		assert_true(verdict.has_ct);
		assert_int_equal(verdict.info_n, 8);
		assert_int_equal(verdict.info[0], changes ? 0xaa : 0);
		assert_int_equal(get16(verdict.info + 6), port);
	}
}

static void where_no_port_is_told_none_is_noted(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	start_wanting(30000);
	want.note_at = 6;
	s.body = "port 30000\r\n";
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(stats()->expected, 1);
}

/* Where the protocol keeps no port, either; another flow is told another. */
static void a_retransmission_is_told_the_same_port_though_none_was_kept(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);
	char body[32];

	(void)state;
	snprintf(body, sizeof(body), "port %u\r\n", told_another_port(&s));
	assert_edited(body);
	pass(&s);
	assert_int_equal(ctl.k.n, 2);
	assert_int_equal(stats()->again, 1);
	assert_edited(body);
	s.flow.id++;
	pass(&s);
	assert_int_equal(ctl.k.n, 3);
}

static void want_as_kept(const struct cth_view *v, struct cth_decision *d)
{
	want.public_port = (uint16_t)get16(v->state + 6);
	want_one(v, d);
}

static void a_retransmission_is_told_the_port_that_was_chosen(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);
	uint8_t info[8];
	char body[32];

	(void)state;
	start_wanting(30000);
	decision = want_as_kept;
	want.note_at = 6;
	others_port(&s, 30000);
	s.body = "port 30000\r\n";
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	pass(&s);
	snprintf(body, sizeof(body), "port %u\r\n", ctl.k.table[1].tuple.dport);
	assert_edited(body);
	memcpy(info, verdict.info, 8);
	for (int i = 0; i < 2; i++) { /* from the flight, and from the kernel */
		s.id++;
		pass(&s);
		assert_edited(body);
		assert_int_equal(verdict.info_n, 0); /* nothing new */
		assert_int_equal(ctl.k.n, 2);
		queue.round += 2;
		queue.emptied = queue.round - 1;
		memcpy(s.info, info, 8);
	}
	assert_int_equal(stats()->expected, 1);
	assert_int_equal(stats()->again, 2);
}

static void a_port_alone_is_chosen_and_nothing_made(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	start_wanting(30000);
	want.flags = CTH_WANT_PORT_ONLY;
	want.note_at = 0;
	s.body = "port 30000\r\n";
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	pass(&s);
	assert_int_equal(ctl.k.n, 0);
	assert_int_equal(asked(EXP_NEW), 0);
	assert_int_equal(get16(verdict.info), 30000);
	assert_int_equal(stats()->expected, 0);
	assert_int_equal(events_n, 0);
	want.port = 0; /* any will do */
	s.id = 2;
	pass(&s);
	assert_true(get16(verdict.info) >= 1024);
	assert_int_equal(asked(EXP_NEW), 0);
	assert_int_equal(stats()->violations, 0);
}

/* Edits. */

static void announcements_are_written_in_their_form(void **state)
{
	static const struct {
		int version;
		enum cth_form form;
		char separator;
		const char *body, *text, *should;
	} cases[] = {
		{ 4, CTH_FORM_PORT, 0, "to 30000 go\r\n", "30000", "to 45678 go\r\n" },
		{ 4, CTH_FORM_PORT, 0, "to 030000 go\r\n", "030000", "to 45678 go\r\n" },
		{ 6, CTH_FORM_PORT, 0, "to 30000 go\r\n", "30000", "to 45678 go\r\n" },
		{ 4, CTH_FORM_COMMAS, 0, "PORT 10,0,1,1,117,48\r\n", "10,0,1,1,117,48",
		  "PORT 10,0,9,1,178,110\r\n" },
		{ 4, CTH_FORM_ADDRESS_PORT, '|', "EPRT |1|10.0.1.1|30000|\r\n", "10.0.1.1|30000",
		  "EPRT |1|10.0.9.1|45678|\r\n" },
		{ 4, CTH_FORM_ADDRESS_PORT, ':', "c 10.0.1.1:30000", "10.0.1.1:30000",
		  "c 10.0.9.1:45678" },
		{ 6, CTH_FORM_ADDRESS_PORT, '|', "EPRT |2|fd01::1|30000|\r\n", "fd01::1|30000",
		  "EPRT |2|fd09::1|45678|\r\n" },
		{ 4, CTH_FORM_NONE, 0, "keep this not", "not", "keep this " },
		{ 4, CTH_FORM_ADDRESS, 0, "(HOST=10.0.1.1)", "10.0.1.1", "(HOST=10.0.9.1)" },
		{ 6, CTH_FORM_ADDRESS, 0, "(HOST=fd01::1)", "fd01::1", "(HOST=fd09::1)" },
		{ 4, CTH_FORM_AUTHORITY, 0, "http://10.0.1.1:30000/", "10.0.1.1:30000",
		  "http://10.0.9.1:45678/" },
		{ 6, CTH_FORM_AUTHORITY, 0, "http://[fd01::1]/", "[fd01::1]",
		  "http://[fd09::1]:45678/" },
		{ 6, CTH_FORM_BINARY_PORT, 0, "at u0.", "u0", "at \xb2\x6e." },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct situation s = situation(cases[i].version, IPPROTO_TCP, SNAT, false);

		setup(NULL);
		start_wanting(30000);
		want.public_port = 45678;
		s.body = cases[i].body;
		announce_text(&s, cases[i].text, cases[i].form, cases[i].separator);
		pass(&s);
		assert_edited(cases[i].should);
		assert_int_equal(stats()->edits, 1);
		assert_int_equal(stats()->expected, 1);
		assert_int_equal(stats()->violations + stats()->edits_refused, 0);
		assert_true(ctl.asked[0].verdicts == 0);
	}
}

/* Strings of XDR have NULs, so these are looked at alone. */
static void universal_addresses_are_strings_of_xdr(void **state)
{
	static const struct {
		struct cth_addr a;
		uint16_t port;
		const char *text;
		size_t n;
	} cases[] = {
		{ { AF_INET, { 10, 0, 9, 1 } }, 45678, "\0\0\0\x10" "10.0.9.1.178.110", 20 },
		{ { AF_INET, { 10, 0, 9, 1 } }, 2049, "\0\0\0\x0c" "10.0.9.1.8.1", 16 },
		{ { AF_INET, { 10, 0, 9, 11 } }, 2049, "\0\0\0\x0d" "10.0.9.11.8.1\0\0\0", 20 },
		{ { AF_INET6, { 0xfd, 9, [15] = 1 } }, 111, "\0\0\0\x0d" "fd09::1.0.111\0\0\0", 20 },
		{ { AF_INET6, { 0xfd, 9, [15] = 0x1b } }, 111, "\0\0\0\x0e" "fd09::1b.0.111\0\0", 20 },
		{ { 0 }, 111, "", 0 },
	};
	char text[CTH_RENDER_ROOM];

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		assert_int_equal(cth_render(CTH_FORM_UNIVERSAL, 0, &cases[i].a, cases[i].port, text),
				 cases[i].n);
		assert_memory_equal(text, cases[i].text, cases[i].n);
	}
}

/* The longest of them all fits, whatever the form. */
static void no_form_needs_more_room_than_there_is(void **state)
{
	struct cth_addr a = { AF_INET6, { 0 } };
	char text[CTH_RENDER_ROOM + 1];

	(void)state;
	memset(a.b, 0xfe, sizeof(a.b));
	text[CTH_RENDER_ROOM] = 'x';
	for (enum cth_form form = CTH_FORM_NONE; form < CTH_FORMS; form++)
		assert_true(cth_render(form, '|', &a, 65535, text) <= CTH_RENDER_ROOM);
	assert_int_equal(cth_render(CTH_FORM_UNIVERSAL, 0, &a, 65535, text), 52);
	assert_int_equal(text[CTH_RENDER_ROOM], 'x');
}

static void count_two(const struct cth_view *v, struct cth_decision *d)
{
	struct cth_wanted *w = cth_want(v, d);

	w->port = 300;
	w->public_port = 45678;
	assert_true(cth_announce(d, w, 8, 3, CTH_FORM_PORT, 0));
	assert_true(cth_count(d, 0, 2));
	assert_true(cth_count(d, 2, 4));
	assert_false(cth_count(d, 6, 2));
}

static void lengths_follow_what_the_text_grows_by(void **state)
{
	struct situation s = situation(4, IPPROTO_UDP, SNAT, false);

	(void)state;
	decision = count_two;
	served[0].allow = CTH_ALLOW_LOW_PORTS;
	s.body = "aabbbbP=300;";
	pass(&s);
	assert_edited("acbbbdP=45678;");
}

static void fix_two(const struct cth_view *v, struct cth_decision *d)
{
	struct cth_wanted *w = cth_want(v, d);
	const uint8_t *port = memchr(v->body.p, ' ', v->body.n);

	w->port = 30000;
	w->public_port = want.public_port;
	d->fixed = 1;
	assert_true(cth_announce(d, w, 0, (size_t)(port - v->body.p), CTH_FORM_ADDRESS, 0));
	assert_true(cth_announce(d, w, (size_t)(port - v->body.p) + 1, 5, CTH_FORM_PORT, 0));
}

/* Of client 10.0.1.2 or so the other side is told 10.0.9.1. */
static void where_a_length_is_told_already_a_shorter_text_gets_zeros_before_its_port(void **state)
{
	static const struct {
		uint16_t port;
		const char *body, *should;
	} cases[] = {
		{ 45678, "10.0.1.1 30000;", "10.0.9.1 45678;" },
		{ 45678, "10.0.1.123 30000;", "10.0.9.1 0045678;" },
		{ 2000, "10.0.1.1 30000;", "10.0.9.1 02000;" },
		{ 2000, "100.100.100.100 30000;", "10.0.9.1 000000002000;" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

		setup(NULL);
		decision = fix_two;
		want.public_port = cases[i].port;
		s.body = cases[i].body;
		pass(&s);
		assert_edited(cases[i].should);
		assert_int_equal(stats()->edits, 1);
		assert_int_equal(ctl.k.n, 1);
	}
}

static void and_with_a_longer_text_the_packet_stays_as_it_is(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	decision = fix_two;
	want.public_port = 45678;
	s.body = "10.0.1. 30000;";
	pass(&s);
	assert_false(verdict.has_packet);
	assert_int_equal(stats()->edits_refused, 1);
	assert_int_equal(ctl.k.n, 0);
}

static void a_length_that_would_leave_its_width_keeps_the_packet_as_it_is(void **state)
{
	struct situation s = situation(4, IPPROTO_UDP, SNAT, false);

	(void)state;
	decision = count_two;
	served[0].allow = CTH_ALLOW_LOW_PORTS;
	s.body = "\xff\xff" "bbbbP=300;";
	pass(&s);
	assert_false(verdict.has_packet);
	assert_int_equal(stats()->edits_refused, 1);
	assert_int_equal(ctl.k.n, 0);
}

static void ipv6_addresses_are_written_as_rfc_5952_says(void **state)
{
	static const struct {
		uint8_t b[16];
		const char *text;
	} cases[] = {
		{ { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1 }, "2001:db8::1:0:0:1" },
		{ { 0x20, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1 }, "2001:0:0:1::1" },
		{ { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 },
		  "2001:db8:0:1:1:1:1:1" },
		{ { 0xfe, 0x80, [14] = 0xab, [15] = 0xcd }, "fe80::abcd" },
		{ { 0x20, 1, [13] = 1 }, "2001::1:0" },
		{ { 0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd, 0xab,
		    0xcd, 0xab, 0xcd }, "abcd:abcd:abcd:abcd:abcd:abcd:abcd:abcd" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct situation s = situation(6, IPPROTO_UDP, SNAT, false); /* may change its length */
		char should[64];

		setup(NULL);
		start_wanting(30000);
		want.public_port = 45678;
		s.body = "[fd01::1]|30000";
		memcpy(s.flow.reply.dst.b, cases[i].b, 16);
		announce(0, strlen(s.body), CTH_FORM_ADDRESS_PORT, '/');
		pass(&s);
		snprintf(should, sizeof(should), "%s/45678", cases[i].text);
		assert_edited(should);
	}
}

static void announce_twice(const struct cth_view *v, struct cth_decision *d)
{
	struct cth_wanted *first = cth_want(v, d), *second = cth_want(v, d);

	first->port = 30000;
	first->public_port = 40001;
	second->port = 30002;
	second->public_port = 40003;
	assert_true(cth_announce(d, second, 0, 5, CTH_FORM_PORT, 0));
	assert_true(cth_announce(d, NULL, 5, 4, CTH_FORM_NONE, 0));
	assert_true(cth_announce(d, first, 10, 5, CTH_FORM_PORT, 0));
}

static void several_places_are_rewritten_at_once(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	decision = announce_twice;
	s.body = "30002 cut 30000.";
	pass(&s);
	assert_edited("40003 40001.");
	assert_int_equal(stats()->edits, 1);
	assert_int_equal(stats()->expected, 2);
}

static void a_text_that_segments_cut_goes_out_in_pieces(void **state)
{
	static const struct {
		const char *body, *text, *should;
		uint8_t from, more;
	} cases[] = {
		{ "10,0,1", "10,0,1", "10,0,9", 0, 1 },
		{ "10,0,1,111,117,48", "10,0,1,111,117,48", "10,0,9,1,178,110", 0, 1 }, /* is over */
		{ ",1,117", ",1,117", ",1,178", 6, 1 },
		{ ",1,117,48\r\n", ",1,117,48", ",1,178,110\r\n", 6, 0 },
		{ "7,48\r\n", "7,48", ",110\r\n", 12, 0 },
		{ "\r\n", "", "0\r\n", 15, 0 },
		{ "1,48\r\n", "1,48", "\r\n", 16, 0 },
		{ "1,48", "1,48", "", 17, 1 },
		{ "1,48\r\n", "1,48", "\r\n", 40, 0 },
	};

	(void)state;
	for (unsigned only = 0; only < 2; only++) {
		for (size_t i = 0; i < N_OF(cases); i++) {
			struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

			setup(NULL);
			start_wanting(30000);
			want.public_port = 45678;
			want.flags = only ? CTH_WANT_PORT_ONLY : 0;
			s.body = cases[i].body;
			announce_text(&s, cases[i].text, CTH_FORM_COMMAS, 0);
			announced[0].from = cases[i].from;
			announced[0].more = cases[i].more;
			pass(&s);
			assert_edited(cases[i].should);
			assert_int_equal(stats()->edits, 1);
			assert_int_equal(stats()->expected, !only);
			assert_true(!only || !cases[i].from || ctl.asked_n == 0);
		}
	}
}

/* The other side has a part of it, and will go by that. */
static void of_a_text_that_was_begun_the_port_is_final(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	start_wanting(30000);
	want.public_port = 45678;
	ctl.refuse_all = -EBUSY;
	s.body = "000\r\n";
	announce_text(&s, "000", CTH_FORM_PORT, 0);
	announced[0].from = 2;
	pass(&s);
	assert_edited("678\r\n");
	assert_int_equal(asked(EXP_NEW), 1);
	assert_int_equal(stats()->refused, 1);
	assert_int_equal(stats()->expected, 0);
}

static void what_stands_there_already_is_no_edit(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, DNAT, false); /* the client's address is its own */

	(void)state;
	start_wanting(30000);
	s.body = "PORT 10,0,1,1,117,48\r\n";
	announce_text(&s, "10,0,1,1,117,48", CTH_FORM_COMMAS, 0);
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(stats()->edits, 0);
	assert_int_equal(stats()->expected, 1);
	assert_translated(&s, new_expect(0), 30000);
}

static void without_translation_nothing_is_to_be_rewritten(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	start_wanting(30000);
	s.body = "PORT 10,0,1,1,117,48\r\n";
	announce_text(&s, "10,0,1,1,117,48", CTH_FORM_COMMAS, 0);
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(stats()->violations, 0);
	assert_int_equal(stats()->expected, 1);
}

static void assert_taken_back(void)
{
	assert_passed_as_it_was();
	assert_int_equal(ctl.k.n, 0);
	assert_int_equal(asked(EXP_DEL), 1);
	assert_int_equal(stats()->edits, 0);
	assert_int_equal(stats()->edits_refused, 1);
	assert_int_equal(stats()->violations, 0);
	assert_int_equal(count_events(CTH_EVENT_EDIT_REFUSED), 1);
	assert_true(event_of(CTH_EVENT_EDIT_REFUSED)->error < 0);
	assert_non_null(event_of(CTH_EVENT_EDIT_REFUSED)->why);
}

static void an_edit_that_must_not_be_takes_its_expectations_back(void **state)
{
	struct situation s;

	(void)state;
	s = situation(4, IPPROTO_TCP, SNAT, false);
	start_wanting(30000);
	want.public_port = 45678;
	s.body = "port 30000\r\n";
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	s.skb_info = CTH_SKB_GSO;
	pass(&s);
	assert_taken_back();

	/* The kernel would adjust the stream at a wrong place. */
	setup(NULL);
	s = situation(6, IPPROTO_TCP, SNAT, false);
	start_wanting(30000);
	want.public_port = 4567;
	want.note_at = 0;
	s.ext_len = 8;
	s.info[1] = 1;
	s.body = "port 30000\r\n";
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	pass(&s);
	assert_int_equal(get16(verdict.info), 4567); /* which was told before */
	verdict.has_ct = false;
	assert_taken_back();

	/* It would grow more than any of its protocol's. */
	setup(NULL);
	s = situation(4, IPPROTO_UDP, SNAT, false);
	proto.growth = 3;
	start_wanting(30000);
	want.public_port = 45678;
	s.body = "port 3\r\n";
	announce_text(&s, "3", CTH_FORM_PORT, 0);
	pass(&s);
	assert_taken_back();
}

/* What was there before this packet, a retransmission, is what the first one told. */
static void only_what_this_packet_has_made_is_taken_back(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	start_wanting(30000);
	want.ports = 4;
	want.public_port = 45678;
	s.body = "port 30000\r\n";
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	pass(&s);
	assert_int_equal(ctl.k.n, 4);
	ctl.k.n = 3; /* the last has been met meanwhile */
	s.id = 2;
	s.skb_info = CTH_SKB_GSO;
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(stats()->edits_refused, 1);
	assert_int_equal(asked(EXP_DEL), 1);
	assert_int_equal(ctl.k.n, 3);
	for (uint16_t i = 0; i < 3; i++)
		assert_int_equal(ctl.k.table[i].tuple.dport, 45678 + i);
}

/* The other side goes by what it was told first. */
static void a_port_told_before_is_kept_whatever_becomes_of_a_retransmission(void **state)
{
	(void)state;
	for (int why = 0; why < 3; why++) {
		struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

		setup(NULL);
		start_wanting(30000);
		decision = want_as_kept;
		changes_state = true;
		want.note_at = 6;
		put16(s.info + 6, 45678);
		s.body = "port 30000\r\n";
		announce_text(&s, "30000", CTH_FORM_PORT, 0);
		if (why == 0)
			s.skb_info = CTH_SKB_GSO;
		else if (why == 1)
			ctl.refuse_all = -EMFILE;
		else
			kernel.send_error[0] = -ENOBUFS;
		pass_refused(&s, why == 2);
		assert_false(verdict.has_packet);
		assert_int_equal(ctl.k.n, 0);
		assert_int_equal(verdict.info_n, 8);
		assert_int_equal(verdict.info[0], 0xaa);
		assert_int_equal(get16(verdict.info + 6), 45678);
	}
}

/* The kernel has no memory for it just now: so it passes as it is. */
static void an_edited_packet_that_cannot_be_sent_takes_its_expectations_back(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	start_wanting(30000);
	changes_state = true;
	want.public_port = 0;
	want.note_at = 6;
	s.body = "port 30000\r\n";
	s.flow.reply.dport = 40000;
	others_port(&s, 30000); /* so that another is chosen */
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	kernel.send_error[0] = -ENOBUFS;
	pass_refused(&s, true);
	assert_int_equal(verdict.word, CTH_ACCEPT);
	assert_false(verdict.has_packet);
	assert_int_equal(verdict.info_n, 8); /* the state goes all the same */
	assert_int_equal(verdict.info[0], 0xaa);
	assert_int_equal(get16(verdict.info + 6), 0);
	assert_int_equal(ctl.k.n, 1);
	assert_int_equal(asked(EXP_DEL), 1);
	assert_int_equal(stats()->states, 1);
	assert_int_equal(stats()->edits_refused, 1);
	assert_int_equal(count_events(CTH_EVENT_EDIT_REFUSED), 1);
	assert_int_equal(event_of(CTH_EVENT_EDIT_REFUSED)->error, -ENOBUFS);
	assert_non_null(event_of(CTH_EVENT_EDIT_REFUSED)->why);

	/* What flies is what was sent. */
	decision = NULL;
	s.id = 2;
	pass_refused(&s, true);
	assert_int_equal(seen.state[0], 0xaa);
	assert_int_equal(get16(seen.state + 6), 0);
}

/* A verdict without another packet waits for memory; what it announces holds. */
static void what_is_not_edited_waits_for_memory_and_is_kept(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	start_wanting(30000);
	changes_state = true;
	s.body = "port 30000\r\n";
	kernel.send_error[0] = kernel.send_error[1] = -ENOBUFS;
	feed(&s);
	assert_int_equal(cth_queue_flush(&queue), -ENOBUFS);
	assert_int_equal(cth_queue_flush(&queue), 0);
	looked_at = verdicts = 0;
	take_verdicts();
	assert_int_equal(verdicts, 1);
	assert_int_equal(verdict.info[0], 0xaa);
	assert_int_equal(ctl.k.n, 1);
	assert_int_equal(stats()->edits_refused, 0);
	assert_int_equal(queue.stats.refused, 0);
}

/* First packets. */

static struct situation first_packet(int version, enum nat nat)
{
	struct situation s = situation(version, IPPROTO_UDP, nat, false);

	s.flow.status &= ~(uint32_t)(CTH_FLOW_CONFIRMED | CTH_FLOW_SEEN_REPLY);
	s.ct_info = 2;
	s.body = "\0\1file";
	s.body_n = 6;
	start_wanting(40000);
	want.l4 = IPPROTO_UDP;
	want.dest = CTH_TO_SELF;
	return s;
}

/* The packet alone, up to where its verdict has been sent. */
static void pass_unsettled(const struct situation *s)
{
	kernel.out_n = kernel.outs = looked_at = verdicts = 0;
	feed(s);
	assert_int_equal(cth_queue_flush(&queue), 0);
	take_verdicts();
	assert_int_equal(verdicts, 1);
	assert_int_equal(queue.stats.refused, 0);
}

/* What the kernel makes of the verdict's expectation. */
static void kernel_takes_expectation(const struct situation *s)
{
	struct cth_expect e = verdict.expect;

	assert_int_equal(cth_expect_set_master(&e, &s->flow), 0);
	assert_int_equal(pretend_new(&ctl.k, &e), 0);
}

static void a_flows_first_packet_carries_its_expectation_in_the_verdict(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		struct situation s;

		setup(NULL);
		s = first_packet(i & 1 ? 6 : 4, (enum nat)(i / 2));
		want.flags = CTH_WANT_PERMANENT | CTH_WANT_CHILD; /* as long as it gets */
		want.class_number = 1;
		proto.child = "fifteen-letters";
		pass_unsettled(&s);
		assert_int_equal(verdict.word, CTH_ACCEPT);
		assert_true(verdict.has_expect);
		assert_true(verdict.has_ct); /* without it the kernel does not look at the other */
		assert_goes_to(&s, &verdict.expect, answer_of(&s)->dport);
		assert_translated(&s, &verdict.expect, 40000);
		assert_int_equal(asked(EXP_NEW), 0);
		kernel_takes_expectation(&s);
		ctl.asked_n = 0;
		cth_engine_settle(&engine);
		assert_int_equal(asked(EXP_GET), 1);
		assert_int_equal(ctl.asked[0].verdicts, 1);
		assert_int_equal(stats()->expected, 1);
		assert_int_equal(stats()->refused, 0);
		assert_int_equal(count_events(CTH_EVENT_EXPECTED), 1);
		cth_engine_settle(&engine);
		assert_int_equal(asked(EXP_GET), 1); /* once */
	}
}

static void an_expectation_in_a_verdict_that_is_not_found_is_unsure(void **state)
{
	struct situation s = first_packet(4, NO_NAT);

	(void)state;
	pass(&s);
	assert_true(verdict.has_expect);
	assert_int_equal(stats()->expected, 0);
	assert_int_equal(stats()->unsure, 1);
	assert_int_equal(count_events(CTH_EVENT_UNSURE), 1);
	assert_true(cth_tuple_equal(&events[0].flow, &s.flow.orig));

	/* Another's in its place is none either. */
	setup(NULL);
	s = first_packet(4, NO_NAT);
	pass_unsettled(&s);
	kernel_takes_expectation(&s);
	ctl.k.table[0].master.sport = 1;
	cth_engine_settle(&engine);
	assert_int_equal(stats()->expected, 0);
	assert_int_equal(stats()->unsure, 1);
}

static void want_two_of_udp(const struct cth_view *v, struct cth_decision *d)
{
	(void)v;
	d->wanted_n = 2;
	d->wanted[0] = d->wanted[1] = want;
	d->wanted[1].dest = CTH_TO_OWN;
	d->wanted[1].port = 30000;
}

static void a_verdict_carries_one_expectation(void **state)
{
	struct situation s = first_packet(4, NO_NAT);

	(void)state;
	decision = want_two_of_udp;
	pass_unsettled(&s);
	assert_true(verdict.has_expect);
	assert_int_equal(verdict.expect.tuple.dport, 40000);
	kernel_takes_expectation(&s);
	cth_engine_settle(&engine);
	assert_int_equal(stats()->expected, 1);
	assert_int_equal(stats()->refused, 1);
	assert_int_equal(count_events(CTH_EVENT_REFUSED), 1);
}

static void a_child_gets_the_protocols_child_for_a_helper(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	start_wanting(30000);
	want.flags = CTH_WANT_CHILD;
	s.body = "hello";
	pass_unsettled(&s);
	/* Newer kernels take the helper's name from a verdict alone. */
	assert_int_equal(asked(EXP_NEW), 0);
	assert_true(verdict.has_expect && verdict.has_ct);
	assert_string_equal(verdict.expect.helper, "child");
	assert_goes_to(&s, &verdict.expect, 30000);
	kernel_takes_expectation(&s);
	cth_engine_settle(&engine);
	assert_int_equal(stats()->expected, 1);
	/* Told again, and there; what the kernel shows is the master's helper. */
	strcpy(ctl.k.table[0].helper, "made-up");
	pass(&s);
	assert_false(verdict.has_expect);
	assert_int_equal(stats()->again, 1);
	assert_int_equal(stats()->expected, 1);
}

static void what_a_verdict_has_made_lasts_as_long_again(void **state)
{
	struct situation s = situation(4, IPPROTO_UDP, NO_NAT, false);

	(void)state;
	ctl.k.classes = proto.classes;
	start_wanting(30000);
	want.class_number = 1;
	want.flags = CTH_WANT_CHILD;
	s.body = "hello";
	pass_unsettled(&s);
	kernel_takes_expectation(&s);
	strcpy(ctl.k.table[0].helper, "made-up"); /* as the kernel shows it */
	cth_engine_settle(&engine);
	ctl.k.now = 179;
	pass(&s);
	assert_false(verdict.has_expect);
	assert_int_equal(asked(EXP_NEW), 1);
	assert_int_equal(new_expect(0)->timeout, 180);
	assert_int_equal(ctl.k.until[0], 179 + 180);
	assert_int_equal(stats()->again, 1);
	/* Gone between the two questions: the verdict makes it anew. */
	ctl.refuse[1] = -ETIME;
	ctl.refuse_n = 2;
	ctl.k.now += 10;
	pass_unsettled(&s);
	assert_true(verdict.has_expect);
}

static void a_protocol_that_is_its_own_child_goes_by_the_name_it_is_served_by(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	served[0].name = "mine";
	proto.child = proto.name;
	start_wanting(30000);
	want.flags = CTH_WANT_CHILD;
	strcpy(s.flow.helper, "mine");
	s.body = "hello";
	pass_unsettled(&s);
	assert_string_equal(verdict.expect.helper, "mine");
}

static void want_two_children(const struct cth_view *v, struct cth_decision *d)
{
	struct cth_wanted *w;

	for (unsigned i = 0; i < 2; i++) {
		w = cth_want(v, d);
		w->port = (uint16_t)(30000 + i);
		w->flags = CTH_WANT_CHILD;
	}
}

static void one_packet_brings_one_child_and_no_more(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	decision = want_two_children;
	s.body = "hello";
	pass_unsettled(&s);
	assert_goes_to(&s, &verdict.expect, 30000);
	assert_int_equal(stats()->refused, 1);
	assert_non_null(strstr(event_of(CTH_EVENT_REFUSED)->why, "one expectation"));
}

static void a_child_of_another_masters_is_not_taken_for_ours(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	start_wanting(30000);
	want.flags = CTH_WANT_CHILD;
	others_port(&s, 30000);
	s.body = "to 30000";
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	pass_unsettled(&s);
	assert_true(verdict.has_expect);
	assert_int_not_equal(verdict.expect.tuple.dport, 30000);
	assert_int_equal(stats()->ports, 1);
}

/* A first packet that announces a port, to be rewritten. */
static struct situation announcing_first_packet(void)
{
	struct situation s = first_packet(4, SNAT);

	want.dest = CTH_TO_OWN;
	want.port = 30000;
	s.body = "port 30000\r\n";
	s.body_n = 0;
	announce_text(&s, "30000", CTH_FORM_PORT, 0);
	return s;
}

static void a_first_packets_port_is_looked_for_before_it_is_told(void **state)
{
	struct situation s = announcing_first_packet();
	char body[32];

	(void)state;
	others_port(&s, 30000);
	ctl.k.table[0].tuple.l4 = IPPROTO_UDP;
	pass_unsettled(&s);
	assert_true(verdict.has_expect);
	assert_int_not_equal(verdict.expect.tuple.dport, 30000);
	assert_translated(&s, &verdict.expect, 30000);
	snprintf(body, sizeof(body), "port %u\r\n", verdict.expect.tuple.dport);
	assert_edited(body);
	assert_int_equal(asked(EXP_NEW), 0);
	kernel_takes_expectation(&s);
	cth_engine_settle(&engine);
	assert_int_equal(stats()->expected, 1);
}

static void a_first_packet_that_must_not_be_edited_brings_no_expectation(void **state)
{
	struct situation s = announcing_first_packet();

	(void)state;
	want.public_port = 45678;
	s.skb_info = CTH_SKB_GSO;
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(stats()->edits_refused, 1);
	assert_int_equal(stats()->expected + stats()->unsure, 0);
	assert_int_equal(asked(EXP_NEW) + asked(EXP_DEL), 0);
}

static void a_first_packet_that_cannot_be_sent_brings_no_expectation(void **state)
{
	struct situation s = first_packet(4, SNAT);

	(void)state;
	want.dest = CTH_TO_OWN;
	want.port = 30000;
	s.body = "30000";
	s.body_n = 5;
	announce_text(&s, "30000", CTH_FORM_ADDRESS_PORT, '|');
	kernel.send_error[0] = -ENOMEM;
	pass_refused(&s, true);
	assert_passed_as_it_was();
	assert_int_equal(asked(EXP_GET), 1); /* for the port, before; not afterwards */
	assert_int_equal(stats()->unsure, 0);
	assert_int_equal(stats()->edits_refused, 1);
}

static void a_first_packet_brings_no_row(void **state)
{
	struct situation s = first_packet(4, NO_NAT);

	(void)state;
	want.dest = CTH_TO_OWN;
	want.port = 30000;
	want.ports = 2;
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(stats()->refused, 1);
	assert_int_equal(event_of(CTH_EVENT_REFUSED)->error, -EOPNOTSUPP);
}

static void a_first_packets_repetition_is_told_apart(void **state)
{
	struct situation s = first_packet(4, SNAT);

	(void)state;
	pass_unsettled(&s);
	kernel_takes_expectation(&s);
	cth_engine_settle(&engine);
	s.flow.status |= CTH_FLOW_CONFIRMED; /* the flow is there by now */
	s.id = 2;
	pass(&s);
	assert_false(verdict.has_expect);
	assert_int_equal(stats()->expected, 1);
	assert_int_equal(stats()->again, 1);
	assert_int_equal(ctl.k.n, 1);
}

static void many_first_packets_in_one_batch_are_all_looked_for(void **state)
{
	struct situation s = first_packet(4, NO_NAT);
	size_t n = 3 * CTH_ENGINE_LATER;

	(void)state;
	proto.classes[0].max = 255;
	for (size_t i = 0; i < n; i++) {
		struct cth_expect e;

		s.id = (uint32_t)i + 1;
		s.flow.id = (uint32_t)i;
		s.flow.orig.sport = s.flow.reply.dport = (uint16_t)(41000 + i);
		feed(&s);
		e = (struct cth_expect){ .have = CTH_EXPECT_TUPLE | CTH_EXPECT_MASK };
		set_tuple(&e.tuple, IPPROTO_UDP, side(4, 2), 0, side(4, 1), s.flow.reply.dport);
		e.mask.src = (struct cth_addr){ AF_INET, { 255, 255, 255, 255 } };
		cth_expect_set_master(&e, &s.flow);
		/* Its verdict waits, as far as we know; the kernel does what it will do. */
		pretend_new(&ctl.k, &e);
	}
	assert_true(asked(EXP_GET) > 0);
	assert_true(ctl.asked[0].verdicts > 0); /* not before the verdict had gone */
	cth_queue_flush(&queue);
	cth_engine_settle(&engine);
	looked_at = verdicts = 0;
	take_verdicts();
	assert_int_equal(verdicts, n);
	assert_int_equal(stats()->expected, n);
	assert_int_equal(stats()->refused, 0);
}

/* State. */

static void next_state(const struct cth_view *v, struct cth_decision *d)
{
	assert_memory_equal(d->state, v->state, CTH_STATE);
	if (v->body.p[0] != '+')
		return;
	d->state[0]++;
	d->state[7] = 7;
	d->state_changed = true;
}

static void a_state_is_sent_when_it_has_changed(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	decision = next_state;
	s.body = "=";
	pass(&s);
	assert_passed_as_it_was();
	s.body = "+";
	s.info[0] = 41;
	pass(&s);
	assert_int_equal(verdict.word, CTH_ACCEPT);
	assert_true(verdict.has_ct);
	assert_int_equal(verdict.ct.have, CTH_FLOW_HELPER); /* and nothing else of the flow */
	assert_string_equal(verdict.ct.helper, "made-up");
	assert_int_equal(verdict.info_n, 8);
	assert_int_equal(verdict.info[0], 42);
	assert_int_equal(verdict.info[7], 7);
	assert_int_equal(stats()->states, 1);
}

static void a_second_packet_of_a_batch_sees_what_the_first_has_left(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	decision = next_state;
	s.body = "+";
	feed(&s);
	s.id = 2;
	feed(&s); /* with the state of when it was queued: the old one */
	assert_int_equal(seen.state[0], 1);
	assert_int_equal(seen.state[7], 7);
	s.id = 3;
	s.reply = true;
	s.ct_info = 3;
	feed(&s);
	assert_int_equal(seen.state[0], 2);
	cth_queue_flush(&queue);
	looked_at = 0;
	take_verdicts();
	assert_int_equal(verdict.info[0], 3);
	assert_int_equal(stats()->states, 3);
}

static void keep_too_much(const struct cth_view *v, struct cth_decision *d)
{
	memset(d->state, v->state[0] + 1, sizeof(d->state));
	d->state_changed = 1;
}

static void a_state_is_no_longer_than_the_kernel_keeps_it(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	decision = keep_too_much;
	s.body = "x";
	feed(&s);
	feed(&s);
	assert_int_equal(seen.state[7], 1);
	assert_int_equal(seen.state[8], 0);
	assert_int_equal(seen.state[CTH_STATE - 1], 0);
}

static void flows_are_told_apart_and_one_flow_is_one_on_every_queue(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	decision = next_state;
	s.body = "+";
	feed(&s);
	s.flow.id++;
	feed(&s);
	assert_int_equal(seen.state[0], 0);
	s.flow.id--;
	s.queue = 8; /* the helper has moved meanwhile */
	feed(&s);
	assert_int_equal(seen.state[0], 1);
	s.queue = 7;
	feed(&s);
	assert_int_equal(seen.state[0], 2);
}

static void receive(const struct situation *s)
{
	static uint8_t buf[4096];

	script_bytes(&kernel, buf, make_datagram(s, buf, sizeof(buf)));
}

static void a_state_flies_until_the_socket_was_seen_empty(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	decision = next_state;
	s.body = "+";
	receive(&s);
	assert_int_equal(cth_engine_run(&engine, 0, 0), 1);
	/* Queued before that verdict had gone, perhaps: after the last receive began. */
	receive(&s);
	assert_int_equal(cth_engine_run(&engine, 0, 0), 1);
	assert_int_equal(seen.state[0], 1);
	assert_int_equal(cth_engine_run(&engine, 0, 0), 0);
	/* Queued after: what it shows is what there is, be it another's doing. */
	s.info[0] = 77;
	receive(&s);
	assert_int_equal(cth_engine_run(&engine, 0, 0), 1);
	assert_int_equal(seen.state[0], 77);
}

static void a_state_flies_no_longer_than_packets_can_wait(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false), t = s;

	(void)state;
	decision = next_state;
	s.body = "+";
	feed(&s);
	t.flow.id = 99;
	t.body = "=";
	for (size_t i = 0; i < FLIGHTS - 2; i++)
		feed(&t);
	s.info[0] = 77;
	s.body = "=";
	feed(&s);
	assert_int_equal(seen.state[0], 1);
	for (size_t i = 0; i < FLIGHTS; i++)
		feed(&t);
	feed(&s);
	assert_int_equal(seen.state[0], 77);
}

static void states_of_more_flows_than_there_is_room_are_those_of_the_last(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	decision = next_state;
	s.body = "+";
	for (size_t i = 0; i < 4 * FLIGHTS; i++) {
		s.flow.id = (uint32_t)(i * 0x10001);
		feed(&s);
		assert_int_equal(seen.state[0], 0);
		feed(&s);
		assert_int_equal(seen.state[0], 1);
	}
}

static void an_expected_flows_state_is_never_sent(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	decision = next_state;
	s.flow.have |= CTH_FLOW_MASTER;
	s.flow.status |= CTH_FLOW_EXPECTED;
	set_tuple(&s.flow.master, IPPROTO_TCP, side(4, 1), 39999, side(4, 2), 21);
	s.body = "+";
	pass(&s);
	assert_int_equal(verdict.word, CTH_ACCEPT);
	assert_false(verdict.ct.have & CTH_FLOW_HELPER);
}

static void an_expected_flow_is_decided_where_no_state_is_needed(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	proto.state_len = 0;
	start_wanting(30000);
	s.flow.have |= CTH_FLOW_MASTER;
	s.flow.status |= CTH_FLOW_EXPECTED;
	set_tuple(&s.flow.master, IPPROTO_UDP, side(4, 1), 39999, side(4, 2), 1900);
	s.body = "hello";
	pass(&s);
	assert_int_equal(decided, 1);
	assert_int_equal(stats()->unseen, 0);
	assert_int_equal(stats()->expected, 1);
	assert_false(verdict.ct.have & CTH_FLOW_HELPER);
}

static void cold_only_its_own_states_are_believed(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, false);

	(void)state;
	decision = next_state;
	engine.cold = true;
	s.body = "+";
	s.info[0] = 55;
	s.info_n = 8;
	pass(&s);
	assert_int_equal(seen.state[0], 0);
	assert_int_equal(verdict.info[0], 1);
	s.info_n = 3; /* nor is its length */
	pass(&s);
	assert_int_equal(seen.state[0], 1);
	assert_int_equal(verdict.info_n, 8);
	s.no_info = true; /* nor whether it is there */
	pass(&s);
	assert_int_equal(seen.state[0], 2);
}

/* The rest of a decision. */

static struct cth_decision decided_on;

static void as_told(const struct cth_view *v, struct cth_decision *d)
{
	(void)v;
	*d = decided_on;
}

static void start_deciding(void)
{
	memset(&decided_on, 0, sizeof(decided_on));
	decision = as_told;
}

static void a_flow_is_left_when_its_verdict_has_gone(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, true);

	(void)state;
	start_deciding();
	decided_on.leave = true;
	s.body = "234 go ahead\r\n";
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(asked(CT_NEW), 1);
	assert_int_equal(ctl.asked[0].verdicts, 1);
	assert_int_equal(stats()->left, 1);
	assert_int_equal(count_events(CTH_EVENT_LEFT), 1);
	cth_engine_settle(&engine);
	assert_int_equal(asked(CT_NEW), 1);
	for (uint32_t i = 0; i < 3; i++) { /* of one batch */
		s.id++;
		feed(&s);
	}
	cth_queue_flush(&queue);
	cth_engine_settle(&engine);
	assert_int_equal(asked(CT_NEW), 2);
	assert_int_equal(stats()->left, 2);
}

static void a_flow_that_cannot_be_left_stays(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	start_deciding();
	decided_on.leave = true;
	s.body = "x";
	s.flow.status |= CTH_FLOW_SEQ_ADJUST;
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(asked(CT_NEW), 0);
	s.flow.status = CTH_FLOW_SRC_NAT;
	s.ct_info = 2;
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(asked(CT_NEW), 0);
	assert_int_equal(stats()->left, 0);
	assert_int_equal(count_events(CTH_EVENT_LEFT), 0);
}

static void a_timeout_goes_into_the_verdict(void **state)
{
	struct situation s = situation(4, IPPROTO_UDP, NO_NAT, true);

	(void)state;
	start_deciding();
	decided_on.timeout = 300;
	s.body = "x";
	pass(&s);
	assert_int_equal(verdict.word, CTH_ACCEPT);
	assert_true(verdict.has_ct);
	assert_int_equal(verdict.ct.have, CTH_FLOW_TIMEOUT);
	assert_int_equal(verdict.ct.timeout, 300);
}

/* The kernel would take nothing at all of such a verdict. */
static void a_timeout_that_is_fixed_stays(void **state)
{
	struct situation s = situation(4, IPPROTO_UDP, NO_NAT, true);

	(void)state;
	start_deciding();
	decided_on.timeout = 300;
	decided_on.state_changed = 1;
	decided_on.state[0] = 5;
	s.flow.status |= IPS_FIXED_TIMEOUT;
	s.body = "x";
	pass(&s);
	assert_int_equal(verdict.ct.have, CTH_FLOW_HELPER);
	assert_int_equal(verdict.info[0], 5);
}

static void a_packet_is_dropped_when_the_protocol_says_so(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, true);

	(void)state;
	start_deciding();
	decided_on.drop = true;
	s.body = "x";
	pass(&s);
	assert_int_equal(verdict.word, CTH_DROP);
	assert_int_equal(stats()->dropped, 1);
}

/*
 * Whoever is asked instead of the protocol, and knows nothing, has a policy; the rest is
 * garbage.
 */
static bool nobody_decides(const struct cth_call *c, struct cth_decision *d, void *drop)
{
	(void)c;
	memset(d, 0xff, sizeof(*d));
	d->drop = *(const bool *)drop;
	return false;
}

static void what_nobody_decides_passes_or_is_dropped_by_policy(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, true);
	bool drop = true;

	(void)state;
	start_deciding();
	engine.decide = nobody_decides;
	engine.decide_ctx = &drop;
	s.body = "x";
	pass(&s);
	assert_int_equal(verdict.word, CTH_DROP);
	assert_int_equal(stats()->dropped, 1);
	drop = false;
	pass(&s);
	assert_int_equal(verdict.word, CTH_ACCEPT);
	assert_int_equal(verdict.ct.have, 0);
	assert_int_equal(stats()->violations, 0);
	engine.decide = NULL;
}

static void notes_are_counted_and_told(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, NO_NAT, true);

	(void)state;
	start_deciding();
	cth_note(&decided_on, CTH_NOTE_FOREIGN);
	cth_note(&decided_on, CTH_NOTE_GARBLED);
	s.body = "x";
	pass(&s);
	assert_passed_as_it_was();
	assert_int_equal(stats()->notes[CTH_NOTE_FOREIGN], 1);
	assert_int_equal(stats()->notes[CTH_NOTE_GARBLED], 1);
	assert_int_equal(stats()->notes[CTH_NOTE_LOW_PORT], 0);
	assert_int_equal(count_events(CTH_EVENT_NOTE), 2);
	assert_int_equal(event_of(CTH_EVENT_NOTE)->note, CTH_NOTE_FOREIGN);
}

static void nobody_has_to_listen(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	engine.fn = NULL;
	start_wanting(30000);
	ctl.refuse_all = -EMFILE;
	s.body = "x";
	pass(&s);
	assert_int_equal(stats()->refused, 1);
}

/* Violations: a decision of a protocol that is broken, or of somebody who has taken it over. */

static struct cth_decision sound(void)
{
	struct cth_decision d = { .wanted_n = 1, .announced_n = 1 };

	d.wanted[0] = (struct cth_wanted){ .l4 = IPPROTO_TCP, .source = CTH_FROM_PEER,
					   .dest = CTH_TO_OWN, .port = 30000, .public_port = 45678,
					   .note_at = CTH_NOWHERE };
	d.announced[0] = (struct cth_announced){ .off = 5, .len = 5, .form = CTH_FORM_PORT };
	d.state_changed = true;
	d.state[0] = 1;
	d.timeout = 60;
	return d;
}

static const char violated_body[] = "port 30000 of mine\r\n";
static int violated_version = 4;

/* Whoever asks beforehand is told what the engine will find. */
static void judge_alone(const struct situation *s, const struct cth_decision *d)
{
	struct cth_call c = { .served = &served[0] };
	const char *beyond;

	c.flow = s->flow;
	c.view = seen;
	beyond = cth_decision_beyond(&c, d);
	assert_int_equal(beyond != NULL, stats()->violations);
	if (beyond)
		assert_string_equal(beyond, event_of(CTH_EVENT_VIOLATION)->why);
}

static void decide_now(const struct cth_decision *d)
{
	struct situation s = situation(violated_version, IPPROTO_TCP, SNAT, false);

	decided_on = *d;
	decision = as_told;
	s.body = violated_body;
	pass(&s);
	judge_alone(&s, d);
}

#define VIOLATION(change) do { \
	struct cth_decision d; \
	setup(NULL); \
	d = sound(); \
	(void)d; \
	change; \
	decide_now(&d); \
	if (stats()->violations != 1) \
		fail_msg("line %d: no violation: %s", __LINE__, #change); \
	assert_violation(); \
} while (0)

#define SOUND(change) do { \
	struct cth_decision d; \
	setup(NULL); \
	d = sound(); \
	change; \
	decide_now(&d); \
	if (stats()->violations) \
		fail_msg("line %d: a violation: %s: %s", __LINE__, #change, \
			 event_of(CTH_EVENT_VIOLATION)->why); \
	assert_int_equal(stats()->expected, 1); \
	assert_int_equal(verdict.info_n, 8); \
} while (0)

static void assert_violation(void)
{
	assert_passed_as_it_was();
	assert_int_equal(ctl.k.n, 0);
	assert_int_equal(stats()->expected, 0);
	assert_int_equal(stats()->edits, 0);
	assert_int_equal(stats()->states, 0);
	assert_int_equal(stats()->dropped, 0);
	assert_int_equal(count_events(CTH_EVENT_VIOLATION), 1);
	assert_non_null(event_of(CTH_EVENT_VIOLATION)->why);
}

/* What waits in the queue would go on without the change of length that this packet begins. */
static void a_flow_is_not_left_by_a_packet_that_is_rewritten(void **state)
{
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);

	(void)state;
	start_deciding();
	decided_on = sound();
	decided_on.leave = 1;
	s.body = violated_body;
	pass(&s);
	assert_true(verdict.has_packet);
	assert_int_equal(asked(CT_NEW), 0);
	assert_int_equal(stats()->left, 0);
}

static void a_sound_decision_is_done(void **state)
{
	(void)state;
	SOUND((void)0);
	assert_edited("port 45678 of mine\r\n");
	assert_int_equal(verdict.ct.timeout, 60);
	SOUND(d.wanted[0].class_number = 1);
	SOUND(d.wanted[0].port = 1024);
	SOUND(d.wanted[0].port = 65535);
	SOUND(served[0].allow = CTH_ALLOW_LOW_PORTS; d.wanted[0].port = 1023);
	SOUND(d.announced_n = 0);
	SOUND(d.announced[0].off = (uint32_t)strlen(violated_body) - 5);
	SOUND(d.wanted[0].note_at = 6);
	SOUND(d.announced[0].wanted = 200; d.announced[0].form = CTH_FORM_NONE);
}

static void what_a_protocol_never_wants_is_a_violation(void **state)
{
	(void)state;
	VIOLATION(proto.wants_l4 = tcp_only; d.wanted[0].l4 = IPPROTO_UDP);
	VIOLATION(d.wanted[0].l4 = IPPROTO_SCTP);
	VIOLATION(d.wanted[0].l4 = 0);
	VIOLATION(proto.wants_source = CTH_FROM_PEER; d.wanted[0].source = CTH_FROM_ANY);
	VIOLATION(d.wanted[0].source = 0);
	VIOLATION(d.wanted[0].source = CTH_FROM_PEER | CTH_FROM_ANY);
	VIOLATION(d.wanted[0].source = 4);
	VIOLATION(proto.wants_dest = CTH_TO_OWN; d.wanted[0].dest = CTH_TO_SELF);
	VIOLATION(d.wanted[0].dest = 0);
	VIOLATION(d.wanted[0].dest = CTH_TO_OWN | CTH_TO_SELF);
	VIOLATION(d.wanted[0].dest = CTH_TO_OTHER; d.wanted[0].address = side(4, 77));
	VIOLATION(proto.wants_flags = 0; d.wanted[0].flags = CTH_WANT_PERMANENT);
	VIOLATION(proto.wants_flags = CTH_WANT_EVEN; d.wanted[0].flags = CTH_WANT_CHILD);
	VIOLATION(d.wanted[0].flags = 0x80);
	VIOLATION(d.wanted[0].flags = CTH_WANT_CHILD; proto.child = NULL);
	VIOLATION(d.wanted[0].class_number = 2);
	VIOLATION(d.wanted[0].class_number = CTH_CLASSES);
	VIOLATION(d.wanted[0].class_number = 255);
	VIOLATION(d.wanted[0].ports = 5);
	VIOLATION(d.timeout = 301);
	VIOLATION(d.timeout = UINT32_MAX);
	VIOLATION(proto.longest = 0);
	VIOLATION(proto.wants_ports = 0; d.wanted[0].ports = 2);
}

static void ports_beyond_the_constants_are_a_violation(void **state)
{
	(void)state;
	VIOLATION(d.wanted[0].port = 1023);
	VIOLATION(d.wanted[0].port = 0);
	VIOLATION(served[0].allow = CTH_ALLOW_LOW_PORTS; d.wanted[0].port = 0);
	VIOLATION(d.wanted[0].port = 65534; d.wanted[0].ports = 4);
	VIOLATION(d.wanted[0].public_port = 65534; d.wanted[0].ports = 4);
	VIOLATION(d.wanted[0].public_port = 22);
	VIOLATION(d.wanted[0].public_port = 1023);
	VIOLATION(d.wanted[0].dest = CTH_TO_SELF; d.wanted[0].public_port = 5000; d.announced_n = 0);
	VIOLATION(d.wanted[0].note_at = 7);
	VIOLATION(d.wanted[0].note_at = 8);
	VIOLATION(d.wanted[0].note_at = CTH_STATE);
	VIOLATION(d.wanted[0].note_at = CTH_NOWHERE - 1);
}

static void an_odd_port_where_only_even_ones_are_is_a_violation(void **state)
{
	(void)state;
	SOUND(d.wanted[0].flags = CTH_WANT_EVEN);
	VIOLATION(d.wanted[0].flags = CTH_WANT_EVEN; d.wanted[0].port = 30001);
	VIOLATION(d.wanted[0].flags = CTH_WANT_EVEN; d.wanted[0].public_port = 45679);
	VIOLATION(d.wanted[0].flags = CTH_WANT_EVEN; d.wanted[0].port = 30001;
		  d.wanted[0].public_port = 0);
	SOUND(d.wanted[0].flags = CTH_WANT_EVEN; d.wanted[0].public_port = 0);
	SOUND(d.wanted[0].port = 30001; d.wanted[0].public_port = 45679);
}

/* Or a worker that was taken over could blank what it likes of a stream. */
static void what_is_rewritten_is_no_more_than_an_announcement(void **state)
{
	(void)state;
	SOUND(proto.longest_text = 5);
	VIOLATION(proto.longest_text = 4);
	VIOLATION(proto.longest_text = 0);
	SOUND(proto.longest_text = 5; d.announced[0].form = CTH_FORM_NONE);
	VIOLATION(proto.longest_text = 4; d.announced[0].form = CTH_FORM_NONE);
	SOUND(proto.longest_text = 8; d.announced_n = 2; d.announced[0].form = CTH_FORM_NONE;
	      d.announced[1].off = 10; d.announced[1].len = 3);
	VIOLATION(proto.longest_text = 7; d.announced_n = 2; d.announced[0].form = CTH_FORM_NONE;
		  d.announced[1].off = 10; d.announced[1].len = 3);
	SOUND(proto.longest_text = 5; d.announced_n = 2;
	      d.announced[1].off = 10; d.announced[1].len = 3);
	VIOLATION(d.announced[0].len = 0);
	VIOLATION(d.announced[0].len = 0; d.announced[0].form = CTH_FORM_NONE);
}

static void lengths_are_in_the_packet_and_beside_what_is_announced(void **state)
{
	const uint32_t end = (uint32_t)strlen(violated_body);

	(void)state;
#define LENGTH(at, of) d.counted_n = 1; d.counted[0].off = (at); d.counted[0].width = (of)
	SOUND(LENGTH(0, 2));
	SOUND(LENGTH(1, 4));
	SOUND(LENGTH(10, 2));
	SOUND(LENGTH(end - 2, 2));
	SOUND(LENGTH(0, 2); d.counted_n = 2; d.counted[1].off = 2; d.counted[1].width = 2);
	VIOLATION(proto.counts = 0; LENGTH(0, 2));
	VIOLATION(LENGTH(0, 2); d.counted_n = CTH_COUNTED + 1);
	VIOLATION(LENGTH(0, 2); d.counted_n = 255);
	VIOLATION(LENGTH(0, 0));
	VIOLATION(LENGTH(0, 1));
	VIOLATION(LENGTH(0, 8));
	VIOLATION(LENGTH(2, 4));
	VIOLATION(LENGTH(9, 2));
	VIOLATION(LENGTH(5, 2));
	VIOLATION(LENGTH(end - 1, 2));
	VIOLATION(LENGTH(end, 2));
	VIOLATION(LENGTH(UINT32_MAX, 2));
	VIOLATION(LENGTH(0, 4); d.counted_n = 2; d.counted[1].off = 3; d.counted[1].width = 2);
	VIOLATION(LENGTH(3, 2); d.counted_n = 2; d.counted[1].off = 0; d.counted[1].width = 2);
#undef LENGTH
}

static void pieces_of_an_announcement_are_bounded_as_it_is(void **state)
{
	(void)state;
	SOUND(d.announced[0].from = 3);
	SOUND(d.announced[0].more = 1);
	SOUND(d.announced[0].more = 0xff);
	SOUND(d.announced[0].from = 3; d.announced[0].more = 1);
	/* Only of protocols that do so; and not for a port that may yet be another. */
	VIOLATION(d.announced[0].from = 3; proto.announces = 1 << CTH_FORM_PORT);
	VIOLATION(d.announced[0].more = 1; proto.announces = 1 << CTH_FORM_PORT);
	VIOLATION(d.announced[0].from = 3; d.wanted[0].public_port = 0);
	SOUND(d.announced[0].more = 1; d.wanted[0].public_port = 0);
	SOUND(proto.longest_text = 5; d.announced[0].from = 5);
	VIOLATION(proto.longest_text = 5; d.announced[0].from = 6);
	VIOLATION(d.announced[0].from = 255);
	/* The last one alone may be put in, and in front of something. */
	SOUND(d.announced[0].from = 3; d.announced[0].len = 0);
	SOUND(d.announced[0].from = 3; d.announced[0].len = 0; d.announced[0].off = 0);
	VIOLATION(d.announced[0].from = 3; d.announced[0].len = 0; d.announced[0].more = 1);
	VIOLATION(d.announced[0].from = 3; d.announced[0].len = 0;
		  d.announced[0].form = CTH_FORM_NONE);
	VIOLATION(d.announced[0].from = 3; d.announced[0].len = 0;
		  d.announced[0].off = (uint32_t)strlen(violated_body));
	/* All that gives way to them counts together with what is cut out. */
	SOUND(proto.longest_text = 8; d.announced_n = 2; d.announced[0].from = 3;
	      d.announced[1] = d.announced[0]; d.announced[1].off = 10; d.announced[1].len = 3);
	VIOLATION(proto.longest_text = 7; d.announced_n = 2; d.announced[0].from = 3;
		  d.announced[1] = d.announced[0]; d.announced[1].off = 10; d.announced[1].len = 3);
	VIOLATION(proto.longest_text = 7; d.announced_n = 2; d.announced[0].from = 3;
		  d.announced[1].off = 10; d.announced[1].len = 3;
		  d.announced[1].form = CTH_FORM_NONE);
}

static void a_form_that_a_protocol_never_uses_is_a_violation(void **state)
{
	(void)state;
	for (unsigned form = 0; form < CTH_FORMS; form++) {
		SOUND(proto.announces = (uint8_t)(1 << form); d.announced[0].separator = '|';
		      d.announced[0].form = (uint8_t)form);
		VIOLATION(proto.announces &= (uint8_t)~(1 << form); d.announced[0].separator = '|';
			  d.announced[0].form = (uint8_t)form);
	}
	VIOLATION(proto.announces = 0);
}

static void a_separator_is_printed_and_no_digit(void **state)
{
	static const char separates[] = "|!,/:;_az~";

	(void)state;
	for (unsigned c = 0; c < 256; c++)
		if (c <= ' ' || c >= 127 || (c >= '0' && c <= '9'))
			VIOLATION(d.announced[0].form = CTH_FORM_ADDRESS_PORT;
				  d.announced[0].separator = (uint8_t)c);
	for (size_t i = 0; separates[i]; i++)
		SOUND(d.announced[0].form = CTH_FORM_ADDRESS_PORT;
		      d.announced[0].separator = (uint8_t)separates[i]);
	SOUND(d.announced[0].separator = '\n'); /* of no meaning */
}

static void what_a_protocol_never_does_is_a_violation(void **state)
{
	(void)state;
	VIOLATION(d.drop = 1; proto.may = CTH_MAY_LEAVE);
	VIOLATION(d.drop = 0xff; proto.may = 0);
	VIOLATION(d.leave = 1; proto.may = CTH_MAY_DROP);
	VIOLATION(d.leave = 0x80; proto.may = 0);
	VIOLATION(proto.state_len = 0);
	VIOLATION(d.notes = 1 << CTH_NOTES);
	VIOLATION(d.notes = 0x80);
	SOUND(proto.may = 0; d.notes = 1 << (CTH_NOTES - 1));
	SOUND(proto.may = CTH_MAY_LEAVE; d.leave = 1);
}

static void announcements_beyond_the_packet_are_a_violation(void **state)
{
	(void)state;
	VIOLATION(d.announced[0].off = (uint32_t)strlen(violated_body) - 4);
	VIOLATION(d.announced[0].off = (uint32_t)strlen(violated_body) + 1; d.announced[0].len = 0);
	VIOLATION(d.announced[0].off = UINT32_MAX);
	VIOLATION(d.announced[0].off = UINT32_MAX - 4);
	VIOLATION(d.announced[0].len = UINT32_MAX);
	VIOLATION(d.announced[0].len = UINT32_MAX - 4);
	VIOLATION(d.announced_n = 2; d.announced[1] = d.announced[0]);
	VIOLATION(d.announced_n = 2; d.announced[1] = d.announced[0]; d.announced[1].off = 0);
	VIOLATION(d.announced_n = 2; d.announced[1] = d.announced[0]; d.announced[1].off = 9);
	VIOLATION(d.announced[0].form = CTH_FORMS);
	VIOLATION(d.announced[0].form = 255);
	VIOLATION(d.announced[0].wanted = 1);
	VIOLATION(d.announced[0].wanted = CTH_WANTED);
	VIOLATION(d.announced[0].wanted = 255);
	VIOLATION(d.wanted_n = 0);
	VIOLATION(d.wanted_n = CTH_WANTED + 1);
	VIOLATION(d.wanted_n = 255);
	VIOLATION(d.announced_n = CTH_ANNOUNCED + 1);
	VIOLATION(d.announced_n = 255);
	violated_version = 6;
	VIOLATION(d.announced[0].form = CTH_FORM_COMMAS);
	violated_version = 4;
}

static void growth_is_bounded_in_all(void **state)
{
	(void)state;
	SOUND(proto.growth = 8; d.announced[0].form = CTH_FORM_ADDRESS_PORT;
	      d.announced[0].separator = '|'; d.announced[0].len = 6);
	assert_edited("port 10.0.9.1|45678of mine\r\n");
}

static void foreign_addresses_need_leave(void **state)
{
	(void)state;
	SOUND(served[0].allow = CTH_ALLOW_FOREIGN; proto.wants_dest |= CTH_TO_OTHER;
	      d.wanted[0].dest = CTH_TO_OTHER; d.wanted[0].public_port = 0;
	      d.wanted[0].address = side(4, 77); d.announced_n = 0);
	VIOLATION(served[0].allow = CTH_ALLOW_FOREIGN; proto.wants_dest |= CTH_TO_OTHER;
		  d.wanted[0].dest = CTH_TO_OTHER; d.wanted[0].address = side(6, 77);
		  d.announced_n = 0);
	VIOLATION(served[0].allow = CTH_ALLOW_FOREIGN; proto.wants_dest |= CTH_TO_OTHER;
		  d.wanted[0].dest = CTH_TO_OTHER; d.announced_n = 0);
	VIOLATION(served[0].allow = CTH_ALLOW_LOW_PORTS; proto.wants_dest |= CTH_TO_OTHER;
		  d.wanted[0].dest = CTH_TO_OTHER; d.wanted[0].address = side(4, 77);
		  d.announced_n = 0);
	SOUND(served[0].allow = CTH_ALLOW_FOREIGN; proto.wants_dest |= CTH_TO_OTHER;
	      d.wanted[0].dest = CTH_TO_OTHER; d.wanted[0].public_port = 0;
	      d.wanted[0].address = side(4, 77));
	assert_false(verdict.has_packet); /* nor is it ever rewritten */
}

/* Every byte of a decision set to every value: whatever comes, one verdict and no crash. */
static void a_decision_of_any_bytes_gets_its_packet_one_verdict(void **state)
{
	struct cth_decision d;

	(void)state;
	for (size_t i = 0; i < sizeof(d); i += i < 64 ? 1 : 3) {
		for (unsigned value = 0; value < 256; value += 51) {
			uint8_t *bytes = (uint8_t *)&d;

			setup(NULL);
			d = sound();
			if (i == offsetof(struct cth_decision, drop) ||
			    i == offsetof(struct cth_decision, leave) ||
			    i == offsetof(struct cth_decision, state_changed))
				bytes[i] = value & 1;
			else
				bytes[i] = (uint8_t)value;
			decide_now(&d);
		}
	}
}

/* The halves apart. */

static struct cth_pkt kept;
static struct cth_call call;
static bool is_call;

static void first_half(const struct cth_pkt *p, struct cth_verdict *v, void *ctx)
{
	(void)ctx;
	kept = *p;
	is_call = cth_engine_call(&engine, p, &call);
	if (is_call)
		v->code = CTH_HOLD;
}

static void the_halves_may_be_called_apart(void **state)
{
	static uint8_t buf[4096];
	static struct cth_verdict v;
	struct situation s = situation(4, IPPROTO_TCP, SNAT, false);
	struct cth_decision d = sound();

	(void)state;
	queue.fn = first_half;
	s.body = violated_body;
	assert_int_equal(cth_queue_feed(&queue, cth_span(buf, make_datagram(&s, buf, sizeof(buf)))), 1);
	assert_true(is_call);
	assert_ptr_equal(call.served, &served[0]);
	assert_addr(&call.view.self, side(4, 1));
	assert_int_equal(call.view.body.n, strlen(violated_body));
	assert_int_equal(decided, 0);
	cth_queue_flush(&queue);
	assert_int_equal(kernel.outs, 0);

	cth_verdict_init(&v);
	cth_engine_apply(&engine, &kept, &call, &d, &v);
	assert_int_equal(cth_queue_verdict(&queue, 7, s.id, &v, &kept), 0);
	looked_at = verdicts = 0;
	take_verdicts();
	assert_int_equal(verdicts, 1);
	assert_edited("port 45678 of mine\r\n");
	assert_int_equal(verdict.info[0], 1);
	assert_int_equal(ctl.k.n, 1);
	assert_int_equal(stats()->packets, 1);

	s.body = NULL;
	s.tcp_flags = 0x10;
	s.id = 2;
	feed(&s);
	assert_false(is_call);
	assert_int_equal(stats()->bare, 1);
}

/* Sent late, and refused then: the caller tells. */
static void what_cannot_be_sent_late_is_taken_back_if_it_was_changed(void **state)
{
	(void)state;
	for (unsigned changed = 0; changed < 2; changed++) {
		static uint8_t buf[4096];
		static struct cth_verdict v;
		struct situation s = situation(4, IPPROTO_TCP, SNAT, false);
		struct cth_decision d = sound();
		size_t n;

		setup(NULL);
		queue.fn = first_half;
		s.body = violated_body;
		d.announced_n = (uint8_t)changed;
		n = make_datagram(&s, buf, sizeof(buf));
		assert_int_equal(cth_queue_feed(&queue, cth_span(buf, n)), 1);
		cth_verdict_init(&v);
		cth_engine_apply(&engine, &kept, &call, &d, &v);
		assert_int_equal(ctl.k.n, 1);
		assert_int_equal(cth_edit_empty(&v.edit), !changed);
		cth_engine_unsent(&engine, &kept, &call, &d, &v, -ENOBUFS, "no memory");
		assert_int_equal(ctl.k.n, !changed);
		assert_int_equal(stats()->edits_refused, changed);
		assert_true(cth_edit_empty(&v.edit));
		assert_int_equal(cth_queue_verdict(&queue, 7, s.id, &v, &kept), 0);
		looked_at = verdicts = 0;
		take_verdicts();
		assert_false(verdict.has_packet);
		assert_int_equal(verdict.info[0], 1);
	}
}

/* decide.c's helpers for protocols. */

static void a_protocol_cannot_want_or_announce_more_than_there_is_room_for(void **state)
{
	struct cth_view v = { .l4 = IPPROTO_UDP };
	struct cth_decision d;
	struct cth_wanted *w;

	(void)state;
	decision = NULL;
	v.body = cth_span("x", 1);
	v.state[3] = 3;
	memset(&d, 0xff, sizeof(d));
	cth_decide(&plain_proto, &v, &d);
	assert_false(d.drop || d.leave || d.state_changed);
	assert_int_equal(d.wanted_n + d.announced_n + d.notes + d.timeout, 0);
	assert_memory_equal(d.state, v.state, CTH_STATE);
	for (size_t i = 0; i < CTH_WANTED; i++) {
		w = cth_want(&v, &d);
		assert_ptr_equal(w, &d.wanted[i]);
		assert_int_equal(w->class_number, 0);
		assert_int_equal(w->flags, 0);
	}
	assert_null(cth_want(&v, &d));
	assert_int_equal(d.wanted_n, CTH_WANTED);
	for (size_t i = 0; i < CTH_ANNOUNCED; i++) {
		assert_true(cth_announce(&d, &d.wanted[i], i, 1, CTH_FORM_ADDRESS_PORT, '|'));
		assert_int_equal(d.announced[i].wanted, i);
		assert_int_equal(d.announced[i].separator, '|');
	}
	assert_false(cth_announce(&d, &d.wanted[0], 9, 1, CTH_FORM_PORT, 0));
	assert_int_equal(d.announced_n, CTH_ANNOUNCED);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_packet_goes_to_its_helper_by_name_protocol_and_family),
		T(a_name_of_its_own_replaces_the_protocols),
		T(a_packet_of_nobodys_passes_and_is_counted),
		T(what_carries_nothing_never_reaches_a_protocol),
		T(of_a_stream_that_has_to_be_whole_nothing_passes_that_its_receiver_leaves_out),
		T(of_a_connection_picked_up_in_its_midst_no_stream_is_whole),
		T(an_icmp_error_of_the_flow_is_not_the_protocols),
		T(what_was_not_seen_whole_passes_and_is_counted),
		T(without_a_state_none_needs_to_be_shown),
		T(no_truncation_of_a_packet_is_read_beyond),
		T(a_view_is_the_senders),
		T(a_view_tells_the_flows_first_packet_and_what_is_allowed),
		T(sequence_numbers_count_as_their_owners_do),
		T(an_expectation_goes_from_the_peer_to_the_senders_public_address),
		T(a_child_gets_the_protocols_child_for_a_helper),
		T(a_protocol_that_is_its_own_child_goes_by_the_name_it_is_served_by),
		T(to_self_is_the_very_port_of_the_flow),
		T(to_another_is_never_translated),
		T(several_are_made_in_their_order),
		T(a_retransmission_keeps_expectation_and_port),
		T(a_port_of_anothers_means_another_where_it_can_be_told),
		T(what_leads_elsewhere_means_another_port),
		T(busy_and_already_mean_the_next_port),
		T(at_most_so_many_ports_are_tried),
		T(the_first_port_tried_differs_by_seed),
		T(an_even_port_stays_even),
		T(ports_in_a_row_come_all_or_none),
		T(a_row_that_cannot_be_had_leaves_nothing),
		T(anothers_expectation_is_shared_where_it_is_the_same),
		T(what_is_told_again_lasts_as_long_again),
		T(what_a_verdict_has_made_lasts_as_long_again),
		T(what_ends_while_it_is_told_again_is_made_anew),
		T(anothers_expectation_does_not_last_longer),
		T(anothers_expectation_that_only_meets_is_a_refusal),
		T(refusals_that_no_port_helps_end_it),
		T(a_bad_class_is_a_refusal),
		T(no_answer_is_a_refusal),
		T(one_that_was_made_in_silence_is_found),
		T(what_is_not_found_after_silence_was_not_made),
		T(one_that_was_found_after_silence_may_be_anothers),
		T(what_is_of_another_kind_is_not_ours),
		T(a_port_told_before_is_tried_first),
		T(a_port_told_before_is_fixed_where_it_is_not_told_again),
		T(a_port_is_noted_in_the_state_that_is_sent),
		T(where_no_port_is_told_none_is_noted),
		T(a_retransmission_is_told_the_same_port_though_none_was_kept),
		T(a_retransmission_is_told_the_port_that_was_chosen),
		T(a_port_alone_is_chosen_and_nothing_made),
		T(announcements_are_written_in_their_form),
		T(ipv6_addresses_are_written_as_rfc_5952_says),
		T(one_packet_brings_one_child_and_no_more),
		T(a_child_of_another_masters_is_not_taken_for_ours),
		T(universal_addresses_are_strings_of_xdr),
		T(no_form_needs_more_room_than_there_is),
		T(lengths_follow_what_the_text_grows_by),
		T(where_a_length_is_told_already_a_shorter_text_gets_zeros_before_its_port),
		T(and_with_a_longer_text_the_packet_stays_as_it_is),
		T(a_length_that_would_leave_its_width_keeps_the_packet_as_it_is),
		T(lengths_are_in_the_packet_and_beside_what_is_announced),
		T(several_places_are_rewritten_at_once),
		T(a_text_that_segments_cut_goes_out_in_pieces),
		T(of_a_text_that_was_begun_the_port_is_final),
		T(what_stands_there_already_is_no_edit),
		T(without_translation_nothing_is_to_be_rewritten),
		T(an_edit_that_must_not_be_takes_its_expectations_back),
		T(a_flows_first_packet_carries_its_expectation_in_the_verdict),
		T(an_expectation_in_a_verdict_that_is_not_found_is_unsure),
		T(a_verdict_carries_one_expectation),
		T(a_first_packets_port_is_looked_for_before_it_is_told),
		T(a_first_packet_that_must_not_be_edited_brings_no_expectation),
		T(only_what_this_packet_has_made_is_taken_back),
		T(a_port_told_before_is_kept_whatever_becomes_of_a_retransmission),
		T(an_edited_packet_that_cannot_be_sent_takes_its_expectations_back),
		T(what_is_not_edited_waits_for_memory_and_is_kept),
		T(a_first_packet_that_cannot_be_sent_brings_no_expectation),
		T(a_first_packet_brings_no_row),
		T(a_first_packets_repetition_is_told_apart),
		T(many_first_packets_in_one_batch_are_all_looked_for),
		T(a_state_is_sent_when_it_has_changed),
		T(a_second_packet_of_a_batch_sees_what_the_first_has_left),
		T(a_state_is_no_longer_than_the_kernel_keeps_it),
		T(flows_are_told_apart_and_one_flow_is_one_on_every_queue),
		T(a_state_flies_until_the_socket_was_seen_empty),
		T(a_state_flies_no_longer_than_packets_can_wait),
		T(states_of_more_flows_than_there_is_room_are_those_of_the_last),
		T(an_expected_flows_state_is_never_sent),
		T(an_expected_flow_is_decided_where_no_state_is_needed),
		T(cold_only_its_own_states_are_believed),
		T(a_flow_is_left_when_its_verdict_has_gone),
		T(a_flow_that_cannot_be_left_stays),
		T(a_timeout_goes_into_the_verdict),
		T(a_timeout_that_is_fixed_stays),
		T(a_packet_is_dropped_when_the_protocol_says_so),
		T(what_nobody_decides_passes_or_is_dropped_by_policy),
		T(notes_are_counted_and_told),
		T(nobody_has_to_listen),
		T(a_flow_is_not_left_by_a_packet_that_is_rewritten),
		T(a_sound_decision_is_done),
		T(what_a_protocol_never_wants_is_a_violation),
		T(ports_beyond_the_constants_are_a_violation),
		T(announcements_beyond_the_packet_are_a_violation),
		T(an_odd_port_where_only_even_ones_are_is_a_violation),
		T(what_is_rewritten_is_no_more_than_an_announcement),
		T(pieces_of_an_announcement_are_bounded_as_it_is),
		T(a_form_that_a_protocol_never_uses_is_a_violation),
		T(a_separator_is_printed_and_no_digit),
		T(what_a_protocol_never_does_is_a_violation),
		T(growth_is_bounded_in_all),
		T(foreign_addresses_need_leave),
		T(a_decision_of_any_bytes_gets_its_packet_one_verdict),
		T(the_halves_may_be_called_apart),
		T(what_cannot_be_sent_late_is_taken_back_if_it_was_changed),
		T(a_protocol_cannot_want_or_announce_more_than_there_is_room_for),
	};

	return RUN(tests);
}
