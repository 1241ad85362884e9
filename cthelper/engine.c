/* SPDX-License-Identifier: MIT */
/*
 * engine.c - the way of a helper's packet: whose it is, what its protocol sees of it, and what
 * is left to do when its verdict has gone.
 *
 *     cth_pkt -- CTA_HELP_NAME, l4 --> served --+
 *        |---- CTA_TUPLE_*, direction ----------+--> cth_view --> cth_decide()
 *        |---- CTA_HELP_INFO, or a flight ------+                      |
 *        '---- TCP, UDP: body ------------------'                cth_engine_apply()
 *
 * A helper's packets come from both of conntrack's last hooks, in both directions, handshakes
 * and bare ACKs among them; and ICMP errors that belong to the flow.
 */
#include <errno.h>
#include <netinet/in.h>
#include "inner.h"

#define ENGINE_FIRST_REPLY 3u /* IP_CT_ESTABLISHED_REPLY: from here on ct_info is a reply's */
#define ENGINE_LATER_EACH  2u /* an expectation by verdict, and a flow that leaves */
#define ENGINE_TCP_SEQ     4u /* offsets in the TCP header */
#define ENGINE_TCP_ACK     8u
#define ENGINE_TCP_FLAGS   13u
#define ENGINE_TCP_SYN     0x02u
#define ENGINE_TCP_HAS_ACK 0x10u
#define ENGINE_TCP_URG     0x20u

void cth_engine_init(struct cth_engine *e, struct cth_queue *q, struct cth_sock *control,
		     struct cth_served *served, size_t n, struct cth_flight *flights,
		     size_t flights_n, uint32_t seed)
{
	memset(e, 0, sizeof(*e));
	e->queue = q;
	e->control = control;
	e->served = served;
	e->n = n;
	e->flights = flights;
	e->flights_n = flights_n;
	e->seed = seed;
}

void cth_engine_tell(struct cth_engine *e, const struct cth_call *c, enum cth_event_kind kind,
		     const struct cth_expect *x, int error, const char *why)
{
	struct cth_event event = { .kind = kind, .served = c->served, .flow = &c->flow,
				   .expect = x, .error = error, .why = why };

	if (x)
		event.port = x->have & CTH_EXPECT_NAT ? x->nat.sport : x->tuple.dport;
	if (e->fn)
		e->fn(&event, e->ctx);
}

static struct cth_served *engine_served(struct cth_engine *e, const char *helper, uint8_t l4)
{
	for (size_t i = 0; i < e->n; i++) {
		struct cth_served *s = &e->served[i];

		if (strcmp(cth_served_name(s), helper) == 0 && cth_l4_in(s->proto->l4, l4))
			return s;
	}
	return NULL;
}

/* By how much the kernel has shifted the numbers that an ACK speaks of. */
static uint32_t engine_shift(const struct cth_flow *f, bool reply, uint32_t ack)
{
	bool told = f->have & (reply ? CTH_FLOW_SEQ_ORIG : CTH_FLOW_SEQ_REPLY);
	const struct cth_seq_adj *adj = reply ? &f->seq_orig : &f->seq_reply;
	uint32_t before = (uint32_t)adj->before, past = ack - before - adj->position;

	if (!told)
		return 0;
	return past - 1 < 0x7fffffffu ? (uint32_t)adj->after : before;
}

static void engine_see_tcp(struct cth_call *c, struct cth_span header)
{
	uint8_t flags = header.p[ENGINE_TCP_FLAGS];
	struct cth_view *v = &c->view;

	v->seq = cth_be32(header.p + ENGINE_TCP_SEQ);
	if (flags & ENGINE_TCP_SYN)
		v->seq++;
	if (!(flags & ENGINE_TCP_HAS_ACK))
		return;
	v->ack = cth_be32(header.p + ENGINE_TCP_ACK);
	v->ack -= engine_shift(&c->flow, v->reply, v->ack);
}

static void engine_see_flow(struct cth_call *c, bool reply)
{
	const struct cth_flow *f = &c->flow;
	const struct cth_tuple *own = reply ? &f->reply : &f->orig;
	const struct cth_tuple *other = reply ? &f->orig : &f->reply;
	struct cth_view *v = &c->view;

	v->l4 = f->orig.l4;
	v->reply = reply;
	v->first = !(f->status & CTH_FLOW_CONFIRMED);
	v->rewrite = f->status & (CTH_FLOW_SRC_NAT | CTH_FLOW_DST_NAT);
	v->allow = c->served->allow;
	v->self = own->src;
	v->self_port = own->sport;
	v->peer = own->dst;
	v->peer_port = own->dport;
	v->self_public = other->dst;
}

/*
 * Has it bytes that the receiver may leave out of its stream? By default that is the one before the
 * urgent pointer, wherever that points to, from a segment that carries nothing, too.
 */
static bool engine_is_unruly(const struct cth_pkt *p, const struct cth_ip *ip)
{
	struct cth_span flags = cth_span_sub(p->payload, ip->l4 + ENGINE_TCP_FLAGS, 1);

	if (ip->proto != IPPROTO_TCP || !ip->l4 || !flags.p)
		return false;
	return *flags.p & ENGINE_TCP_URG || (ip->body_len > 0 && !(*flags.p & ENGINE_TCP_HAS_ACK));
}

/*
 * Half of a flow's packets carry nothing, as handshakes and ACKs: of these only whose they are is
 * looked at.
 */
static bool engine_is_bare(struct cth_engine *e, const struct cth_pkt *p, const struct cth_ip *ip,
			   struct cth_call *c)
{
	const char *helper;
	struct cth_served *s;

	if (p->have & CTH_PKT_CAP_LEN || !ip->l4 || !ip->body || ip->body_len > 0)
		return false;
	helper = cth_flow_helper(p->ct);
	s = helper ? engine_served(e, helper, ip->proto) : NULL;
	if (!s)
		return false;
	c->served = s;
	s->stats.packets++;
	s->stats.bare++;
	return true;
}

/* The body: 0; 1: there is none, or it is not the flow's own; -1: it was not seen whole. */
static int engine_see_body(struct cth_call *c, const struct cth_pkt *p, const struct cth_ip *ip)
{
	bool cut = p->have & CTH_PKT_CAP_LEN;

	if (!ip->l4 || ip->proto != c->flow.orig.l4 || !ip->body || ip->body_len == 0)
		return cut ? -1 : 1;
	if (cut || ip->more)
		return -1;
	c->view.body = cth_span_sub(p->payload, ip->body, ip->body_len);
	if (ip->proto == IPPROTO_TCP)
		engine_see_tcp(c, cth_span_sub(p->payload, ip->l4, ip->body - ip->l4));
	return 0;
}

/* The state of the flow by now. false: it was not told. */
static bool engine_see_state(struct cth_engine *e, struct cth_call *c)
{
	const uint8_t *flying = cth_flight_find(e, c->flow.id);
	size_t len = c->served->proto->state_len;
	struct cth_span info = c->flow.info;

	/* A flow that was expected itself keeps none, and without it no line's start is known. */
	if (len > 0 && c->flow.have & CTH_FLOW_MASTER)
		return false;
	if (flying) {
		memcpy(c->view.state, flying, CTH_STATE);
		return true;
	}
	if (e->cold || len == 0)
		return true;
	if (!info.p)
		return false;
	memcpy(c->view.state, info.p, info.n < len ? info.n : len);
	return true;
}

static bool engine_flow_is_told(const struct cth_flow *f, const struct cth_pkt *p)
{
	const uint32_t needs = CTH_FLOW_ORIG | CTH_FLOW_REPLY | CTH_FLOW_ID | CTH_FLOW_STATUS;

	return (f->have & needs) == needs && p->have & CTH_PKT_CT_INFO && f->orig.src.family &&
	       f->orig.dst.family == f->orig.src.family && f->reply.src.family &&
	       f->reply.dst.family == f->reply.src.family && f->orig.has_ports &&
	       f->reply.has_ports;
}

bool cth_engine_call(struct cth_engine *e, const struct cth_pkt *p, struct cth_call *c)
{
	struct cth_ip ip;
	bool unruly;
	int r;

	e->count++;
	if (cth_ip_find(&ip, p->payload) < 0)
		memset(&ip, 0, sizeof(ip));
	c->pkt = p;
	c->served = NULL;
	c->drop = false;
	unruly = engine_is_unruly(p, &ip);
	if (!unruly && engine_is_bare(e, p, &ip, c))
		return false;
	memset(&c->view, 0, sizeof(c->view));
	if (cth_flow_see(&c->flow, p->ct) == 0 && c->flow.have & CTH_FLOW_HELPER)
		c->served = engine_served(e, c->flow.helper, c->flow.orig.l4);
	if (!c->served) {
		e->others++;
		return false;
	}
	c->served->stats.packets++;
	c->drop = unruly && c->served->proto->whole_stream;
	if (c->drop)
		return false;
	if (!engine_flow_is_told(&c->flow, p) ||
	    (c->served->proto->whole_stream && cth_flow_is_picked_up(p->ct))) {
		c->served->stats.unseen++;
		return false;
	}
	engine_see_flow(c, p->ct_info >= ENGINE_FIRST_REPLY);
	r = engine_see_body(c, p, &ip);
	if (r > 0)
		c->served->stats.bare++;
	else if (r < 0 || !engine_see_state(e, c))
		c->served->stats.unseen++;
	else
		return true;
	return false;
}

/* As a cth_decide_fn. */
static bool engine_decide(struct cth_engine *e)
{
	struct cth_decision *d = &e->decision;

	if (!e->decide) {
		cth_decide(e->call.served->proto, &e->call.view, d);
		return true;
	}
	memset(d, 0, sizeof(*d));
	memcpy(d->state, e->call.view.state, sizeof(d->state));
	return e->decide(&e->call, d, e->decide_ctx);
}

static void engine_refused(const struct cth_pkt *p, struct cth_verdict *v, int error,
			   const char *why, void *engine)
{
	struct cth_engine *e = engine;

	cth_engine_unsent(e, p, &e->call, &e->decision, v, error, why);
}

void cth_engine_packet(const struct cth_pkt *p, struct cth_verdict *v, void *engine)
{
	struct cth_engine *e = engine;
	bool drop;

	e->queue->refused = engine_refused;
	e->queue->refused_ctx = e;
	if (!cth_engine_call(e, p, &e->call)) {
		drop = e->call.drop;
	} else if (engine_decide(e)) {
		cth_engine_apply(e, p, &e->call, &e->decision, v);
		return;
	} else {
		drop = e->decision.drop;
	}
	if (drop) {
		v->code = CTH_DROP;
		e->call.served->stats.dropped++;
	}
}

/* The two things that can only be done when the verdict has gone. */

void cth_later_reserve(struct cth_engine *e)
{
	if (e->later_n + ENGINE_LATER_EACH <= CTH_ENGINE_LATER)
		return;
	(void)cth_queue_flush(e->queue); /* the verdicts that what stands here has waited for */
	cth_engine_settle(e);
}

struct cth_later *cth_later_note(struct cth_engine *e, const struct cth_call *c, bool leave)
{
	struct cth_later *l = &e->later[e->later_n];
	struct cth_expect *x = &e->wanted;

	(void)cth_expect_set_master(x, &c->flow);
	for (size_t i = 0; leave && i < e->later_n; i++)
		if (e->later[i].leave && cth_tuple_equal(&e->later[i].flow, &x->master))
			return &e->later[i];
	e->later_n++;
	memset(l, 0, sizeof(*l));
	l->leave = leave;
	l->served = c->served;
	l->flow = x->master;
	l->zone = x->zone;
	return l;
}

static void later_leave(struct cth_engine *e, const struct cth_later *l, struct cth_call *c)
{
	int r = cth_flow_detach(e->control, &l->flow, l->zone, NULL);

	if (r == 0)
		l->served->stats.left++;
	if (r != -ENOENT) /* then the flow itself is gone */
		cth_engine_tell(e, c, CTH_EVENT_LEFT, NULL, r,
				r < 0 ? "the flow goes on being queued" : NULL);
}

/* The kernel does not tell whether it took the expectation of a verdict. */
static void later_look(struct cth_engine *e, const struct cth_later *l, struct cth_call *c)
{
	struct cth_expect *x = &e->found;
	int r = cth_expect_get(e->control, &l->expected, l->zone, x, NULL);

	if (r == 0 && cth_tuple_equal(&x->master, &l->flow)) {
		l->served->stats.expected++;
		cth_engine_tell(e, c, CTH_EVENT_EXPECTED, x, 0, NULL);
		return;
	}
	memset(x, 0, sizeof(*x));
	x->have = CTH_EXPECT_TUPLE | CTH_EXPECT_MASTER | CTH_EXPECT_NAT;
	x->tuple = l->expected;
	x->master = l->flow;
	x->nat.sport = l->port;
	l->served->stats.unsure++;
	cth_engine_tell(e, c, CTH_EVENT_UNSURE, x, r, "it was met already, or the kernel has not "
			"taken it, which it does not tell");
}

void cth_engine_settle(struct cth_engine *e)
{
	struct cth_call *c = &e->past;

	for (size_t i = 0; i < e->later_n; i++) {
		const struct cth_later *l = &e->later[i];

		memset(c, 0, sizeof(*c));
		c->served = l->served;
		c->flow.have = CTH_FLOW_ORIG;
		c->flow.orig = l->flow;
		if (l->leave)
			later_leave(e, l, c);
		else
			later_look(e, l, c);
	}
	e->later_n = 0;
}

int cth_engine_run(struct cth_engine *e, size_t budget, int timeout_ms)
{
	int r = cth_queue_run(e->queue, budget, timeout_ms);

	cth_engine_settle(e);
	return r;
}
