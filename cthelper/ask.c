/* SPDX-License-Identifier: MIT */
/*
 * ask.c - asks the kernel for an expectation, and for a port that is free. Answers to
 * nf_conntrack_netlink, subsystem CTNETLINK_EXP, and to the NAT core's "nat-follow-master".
 *
 * With T for the announcing packet's flow as the other side knows it (the flow's tuple of
 * the opposite direction), what is expected is, as it will come in:
 *
 *     T.src, any port --> T.dst, port that was told
 *                         '---- on a translated flow: then to the port as its owner knows it,
 *                               the way the master's own packets go
 *
 *     client 10.0.1.2 ---- masquerade 10.0.2.1 ---- 10.0.2.2 server
 *       PORT 10.0.1.2:5000 --> PORT 10.0.2.1:6000
 *     expected                 10.0.2.2:any --> 10.0.2.1:6000, saved port 5000, as the replies go
 */
#include <errno.h>
#include <netinet/in.h>
#include "inner.h"

#define ASK_LOWEST  1024u
#define ASK_CHOICES (65536u - ASK_LOWEST)
#define ASK_FOLLOW  "nat-follow-master"

/* What may come of one question, beside -errno. */
enum {
	ASK_MADE,
	ASK_THERE,  /* it was there: a retransmission, or as good as ours */
	ASK_TAKEN,  /* somebody else's: another port might do */
};

static uint16_t ask_private_port(const struct cth_call *c, const struct cth_wanted *w)
{
	return w->dest == CTH_TO_SELF ? c->view.self_port : w->port;
}

static void ask_whence(const struct cth_call *c, const struct cth_wanted *w, struct cth_expect *x)
{
	const struct cth_tuple *t = c->view.reply ? &c->flow.orig : &c->flow.reply;

	x->tuple.src.family = x->mask.src.family = t->src.family;
	if (w->source == CTH_FROM_PEER) {
		x->tuple.src = t->src;
		memset(x->mask.src.b, 0xff, cth_addr_len(&t->src));
	}
	x->tuple.sport = w->source_port;
	x->mask.sport = w->source_port ? 0xffff : 0;
	x->tuple.l4 = x->mask.l4 = w->l4;
	x->tuple.has_ports = x->mask.has_ports = true;
	x->tuple.dst = w->dest == CTH_TO_OTHER ? w->address : t->dst;
	x->mask.dst.family = t->dst.family;
}

/* A protocol that is its own child goes by the name that it is served by. */
static const char *ask_child(const struct cth_served *s)
{
	return strcmp(s->proto->child, s->proto->name) == 0 ? cth_served_name(s) : s->proto->child;
}

/* The i-th of a row, told as port + i; good until the next one. */
static struct cth_expect *ask_fill(struct cth_engine *e, const struct cth_call *c,
				   const struct cth_wanted *w, uint16_t port, unsigned i)
{
	struct cth_expect *x = &e->wanted;

	memset(x, 0, sizeof(*x));
	x->have = CTH_EXPECT_TUPLE | CTH_EXPECT_MASK | CTH_EXPECT_MASTER | CTH_EXPECT_ZONE |
		  CTH_EXPECT_CLASS;
	ask_whence(c, w, x);
	(void)cth_expect_set_master(x, &c->flow); /* its tuple is told: engine.c has looked */
	x->tuple.dport = (uint16_t)(port + i);
	x->class_number = w->class_number;
	if (w->flags & (CTH_WANT_PERMANENT | CTH_WANT_INACTIVE)) {
		x->have |= CTH_EXPECT_FLAGS;
		x->flags = (w->flags & CTH_WANT_PERMANENT ? CTH_EXPECT_PERMANENT : 0) |
			   (w->flags & CTH_WANT_INACTIVE ? CTH_EXPECT_INACTIVE : 0);
	}
	if (w->flags & CTH_WANT_CHILD) {
		const char *child = ask_child(c->served);
		size_t n = strlen(child);

		x->have |= CTH_EXPECT_HELPER;
		memcpy(x->helper, child, n < sizeof(x->helper) ? n : sizeof(x->helper) - 1);
	}
	if (!c->view.rewrite || w->dest == CTH_TO_OTHER)
		return x;
	x->have |= CTH_EXPECT_NAT | CTH_EXPECT_FN;
	x->nat_dir = !c->view.reply;
	x->nat.src.family = x->tuple.src.family;
	x->nat.has_ports = true;
	x->nat.sport = (uint16_t)(ask_private_port(c, w) + i);
	memcpy(x->fn, ASK_FOLLOW, sizeof(ASK_FOLLOW));
	return x;
}

static uint32_t ask_flags(const struct cth_expect *x)
{
	return x->have & CTH_EXPECT_FLAGS ?
	       x->flags & (CTH_EXPECT_PERMANENT | CTH_EXPECT_INACTIVE) : 0;
}

/*
 * Does it last as long, and do as much? Older kernels take the class for 0 unless there is a helper
 * for the child. What is shown is the master's helper, whose class it is.
 */
static bool ask_kind_is_same(const struct cth_call *c, const struct cth_expect *x,
			     const struct cth_expect *found)
{
	bool first = found->class_number == 0 && !(x->have & CTH_EXPECT_HELPER);

	return ask_flags(x) == ask_flags(found) &&
	       (x->class_number == found->class_number || first) &&
	       (!(found->have & CTH_EXPECT_HELPER) || strcmp(found->helper, c->flow.helper) == 0);
}

/* Is what was found what x would have been? */
static int ask_compare(const struct cth_call *c, const struct cth_expect *x,
		       const struct cth_expect *found)
{
	if (!cth_tuple_equal(&x->tuple, &found->tuple) || !ask_kind_is_same(c, x, found))
		return ASK_TAKEN;
	if (!(x->have & CTH_EXPECT_NAT)) {
		/* Whoever's it is: it lets the same flow through, to the same place. */
		bool same = !(found->have & CTH_EXPECT_NAT) && x->mask.sport == found->mask.sport &&
			    cth_addr_equal(&x->mask.src, &found->mask.src);
		return same ? ASK_THERE : ASK_TAKEN;
	}
	return cth_tuple_equal(&x->master, &found->master) && found->have & CTH_EXPECT_NAT &&
	       x->nat.sport == found->nat.sport ? ASK_THERE : ASK_TAKEN;
}

static int ask_make(struct cth_engine *e, const struct cth_expect *x)
{
	return cth_expect_new_in(e->control, x, e->room, sizeof(e->room), NULL);
}

static int ask_find(struct cth_engine *e, const struct cth_expect *x)
{
	return cth_expect_get_in(e->control, &x->tuple, x->zone, &e->found, e->room,
				 sizeof(e->room), NULL);
}

/* It was asked for, and no answer came: if it is there now, it is taken to be this packet's. */
static int ask_after_silence(struct cth_engine *e, const struct cth_call *c,
			     const struct cth_expect *x)
{
	int r = ask_find(e, x);

	if (r < 0)
		return -ETIMEDOUT;
	r = ask_compare(c, x, &e->found);
	return r == ASK_THERE && cth_tuple_equal(&x->master, &e->found.master) ? ASK_MADE : r;
}

static int ask_one(struct cth_engine *e, const struct cth_call *c, const struct cth_expect *x)
{
	int r = ask_make(e, x);

	if (r == -EBUSY || r == -EALREADY)
		return ASK_TAKEN;
	if (r == -ETIMEDOUT)
		return ask_after_silence(e, c, x);
	if (r != -EEXIST)
		return r < 0 ? r : ASK_MADE;
	r = ask_find(e, x);
	if (r == -ENOENT) /* gone a moment ago: the way is free now, or another's again */
		return ask_make(e, x) == 0 ? ASK_MADE : ASK_TAKEN;
	return r < 0 ? r : ask_compare(c, x, &e->found);
}

/* For a port that is only to be told: would it be free? */
static int ask_probe(struct cth_engine *e, const struct cth_call *c, const struct cth_expect *x)
{
	int r = ask_find(e, x);

	if (r == 0)
		return ask_compare(c, x, &e->found);
	return r == -ENOENT ? ASK_MADE : r;
}

/* The seconds that the kernel gives one of this class. */
static uint32_t ask_lasts(const struct cth_served *s, uint32_t class_number)
{
	if (class_number >= CTH_CLASSES)
		return 0;
	return s->terms.classes[class_number].timeout ? s->terms.classes[class_number].timeout :
	       s->proto->classes[class_number].timeout;
}

/*
 * What was found is told once more, and lasts as long again. Not if it is another master's, with
 * whose flow it ends anyway, nor if it was made just now, which spares retransmissions a request.
 */
static int ask_renew(struct cth_engine *e, const struct cth_call *c, struct cth_expect *x,
		     bool probes)
{
	uint32_t lasts = ask_lasts(c->served, e->found.class_number);
	int r;

	if (!cth_tuple_equal(&x->master, &e->found.master) ||
	    !(e->found.have & CTH_EXPECT_TIMEOUT) || e->found.timeout + 1 >= lasts)
		return ASK_THERE;
	x->have |= CTH_EXPECT_TIMEOUT;
	x->timeout = lasts;
	r = cth_expect_renew_in(e->control, x, e->room, sizeof(e->room), NULL);
	if (r != -ENOENT && r != -ETIME)
		return ASK_THERE;
	/* Its time was up in this moment. */
	x->have &= ~(uint32_t)CTH_EXPECT_TIMEOUT;
	return probes || ask_make(e, x) == 0 ? ASK_MADE : ASK_TAKEN;
}

/* Those of a row that this packet has made go. */
static void ask_delete(struct cth_engine *e, const struct cth_call *c, const struct cth_wanted *w,
		       struct cth_asked *a)
{
	for (unsigned i = 0; a->made >> i; i++) {
		struct cth_expect *x = ask_fill(e, c, w, a->port, i);

		if (!(a->made >> i & 1))
			continue;
		x->have = CTH_EXPECT_TUPLE | CTH_EXPECT_ZONE;
		(void)cth_expect_del_in(e->control, x, &e->found, e->room, sizeof(e->room),
					NULL);
	}
	a->made = 0;
}

/*
 * The packet's verdict makes it, not a request: no request can on an unconfirmed flow, and newer
 * kernels take a helper for the new flow from verdicts alone.
 */
static bool ask_is_by_verdict(const struct cth_call *c, const struct cth_wanted *w)
{
	return !(w->flags & CTH_WANT_PORT_ONLY) &&
	       (c->view.first || w->flags & CTH_WANT_CHILD);
}

/* By verdict, or for a port alone, nothing is made. */
static bool ask_only_probes(const struct cth_call *c, const struct cth_wanted *w)
{
	return ask_is_by_verdict(c, w) || w->flags & CTH_WANT_PORT_ONLY;
}

/* A row of them, from a->port on: all, or none. */
static int ask_row(struct cth_engine *e, const struct cth_call *c, const struct cth_wanted *w,
		   struct cth_asked *a)
{
	bool probes = ask_only_probes(c, w);
	unsigned n = cth_row(w->ports);
	int r = ASK_MADE;

	for (unsigned i = 0; i < n && (r == ASK_MADE || r == ASK_THERE); i++) {
		struct cth_expect *x = ask_fill(e, c, w, a->port, i);

		r = probes ? ask_probe(e, c, x) : ask_one(e, c, x);
		if (r == ASK_THERE && !(w->flags & CTH_WANT_PORT_ONLY))
			r = ask_renew(e, c, x, probes);
		if (r == ASK_MADE && !probes)
			a->made |= 1u << i;
	}
	if (r == ASK_MADE || r == ASK_THERE)
		return a->made ? ASK_MADE : r;
	ask_delete(e, c, w, a);
	return r;
}

/*
 * Where the search for a port begins: anywhere, but always there for the same announcement of the
 * same flow, so that one whose protocol keeps no port is told the same when it is sent again. The
 * mixing is the end of MurmurHash3; no secret depends on it, only that neighbours do not collide.
 */
static uint32_t ask_start(const struct cth_engine *e, const struct cth_call *c,
			  const struct cth_wanted *w)
{
	uint32_t x = e->seed ^ c->flow.id ^ (uint32_t)ask_private_port(c, w) << 16 ^
		     w->class_number ^ (uint32_t)w->l4 << 8;

	x ^= x >> 16;
	x *= UINT32_C(0x85ebca6b);
	x ^= x >> 13;
	x *= UINT32_C(0xc2b2ae35);
	return x ^ x >> 16;
}

/* The port of the n-th try: what was told or is its owner's, and then any. */
static uint16_t ask_port(const struct cth_engine *e, const struct cth_call *c,
			 const struct cth_wanted *w, unsigned n)
{
	const struct cth_tuple *t = c->view.reply ? &c->flow.orig : &c->flow.reply;
	unsigned step = w->flags & CTH_WANT_EVEN ? 2 : 1;
	uint32_t choices = (ASK_CHOICES - cth_row(w->ports)) / step;

	if (n == 0 && w->public_port)
		return w->public_port;
	if (n == 0 && w->dest == CTH_TO_SELF)
		return t->dport;
	if (n == 0 && w->port)
		return w->port;
	return (uint16_t)(ASK_LOWEST + (ask_start(e, c, w) % choices + n) % choices * step);
}

static int ask_ports(struct cth_engine *e, const struct cth_call *c, const struct cth_wanted *w,
		     bool choose, struct cth_asked *a)
{
	unsigned tries = choose ? CTH_ENGINE_PORTS : 1;
	int r = ASK_TAKEN;

	for (unsigned n = 0; n < tries && r == ASK_TAKEN; n++) {
		a->port = ask_port(e, c, w, n);
		r = c->view.first && !choose ? ASK_MADE : ask_row(e, c, w, a);
		c->served->stats.ports += r == ASK_TAKEN;
	}
	return r;
}

static const char *ask_why(int r, bool choose)
{
	switch (r) {
	case ASK_TAKEN:
		return choose ? "no port was free" : "another flow expects the same";
	case -EMFILE:
		return "the namespace's table is full: "
		       "sysctl net.netfilter.nf_conntrack_expect_max";
	case -ENOENT:
		return "the kernel does not know the flow any more";
	case -EINVAL:
		return "the kernel does not know the class, or cannot translate expected flows: "
		       "CONFIG_NF_NAT";
	case -EOPNOTSUPP:
		return "the flow has lost its helper, or there is none for the new one";
	case -EPERM:
		return "this needs CAP_NET_ADMIN";
	case -ETIMEDOUT:
		return "the kernel has not answered; it may have made it all the same";
	default:
		return NULL;
	}
}

/* A verdict makes one expectation, no more. */
static int ask_verdict(struct cth_engine *e, const struct cth_call *c, const struct cth_wanted *w,
		     uint16_t port, struct cth_verdict *v)
{
	struct cth_expect *x;
	struct cth_msg m;

	if (v->expect.p || cth_row(w->ports) > 1)
		return -EOPNOTSUPP;
	x = ask_fill(e, c, w, port, 0);
	x->have &= ~(uint32_t)(CTH_EXPECT_MASTER | CTH_EXPECT_ZONE); /* the packet's own, always */
	cth_msg_init(&m, e->expect, sizeof(e->expect));
	cth_msg_begin_bare(&m);
	if (cth_expect_put(&m, x) < 0 || cth_msg_end(&m) < 0)
		return -EINVAL;
	v->expect = cth_msg_bytes(&m);
	return 0;
}

void cth_ask(struct cth_engine *e, const struct cth_call *c, const struct cth_wanted *w, bool told,
	     struct cth_verdict *v, struct cth_asked *a)
{
	bool only = w->flags & CTH_WANT_PORT_ONLY;
	bool choose = c->view.rewrite && w->dest == CTH_TO_OWN && (told || only);
	const char *why = "one packet's verdict can make one expectation, and no more";
	int r;

	memset(a, 0, sizeof(*a));
	r = ask_ports(e, c, w, choose, a);
	a->outcome = only ? CTH_ASKED_PORT : r == ASK_THERE ? CTH_ASKED_THERE : CTH_ASKED_MADE;
	if (r != ASK_MADE && r != ASK_THERE) {
		why = ask_why(r, choose);
	} else if (ask_is_by_verdict(c, w) && (c->view.first || r == ASK_MADE)) {
		a->outcome = CTH_ASKED_VERDICT;
		r = ask_verdict(e, c, w, a->port, v);
	}
	if (r == ASK_MADE || r == ASK_THERE)
		return;
	a->outcome = CTH_ASKED_REFUSED;
	c->served->stats.refused++;
	cth_engine_tell(e, c, CTH_EVENT_REFUSED, ask_fill(e, c, w, a->port, 0),
			r == ASK_TAKEN ? -EADDRINUSE : r, why);
	a->port = 0;
}

void cth_ask_tell(struct cth_engine *e, const struct cth_call *c, const struct cth_wanted *w,
		  const struct cth_asked *a)
{
	struct cth_later *l;

	if (a->outcome == CTH_ASKED_MADE) {
		c->served->stats.expected++;
		cth_engine_tell(e, c, CTH_EVENT_EXPECTED, ask_fill(e, c, w, a->port, 0), 0, NULL);
	} else if (a->outcome == CTH_ASKED_THERE) {
		c->served->stats.again++;
		cth_engine_tell(e, c, CTH_EVENT_AGAIN, ask_fill(e, c, w, a->port, 0), 0, NULL);
	} else if (a->outcome == CTH_ASKED_VERDICT) {
		l = cth_later_note(e, c, false);
		l->port = ask_private_port(c, w);
		l->expected = ask_fill(e, c, w, a->port, 0)->tuple;
	}
}

void cth_ask_undo(struct cth_engine *e, const struct cth_call *c, const struct cth_wanted *w,
		  struct cth_asked *a, struct cth_verdict *v)
{
	if (a->outcome == CTH_ASKED_VERDICT)
		v->expect = cth_span(NULL, 0);
	ask_delete(e, c, w, a);
	a->outcome = CTH_ASKED_REFUSED;
	a->port = 0;
}
