/* SPDX-License-Identifier: MIT */
/*
 * expect.c - expectations. Answers to linux/netfilter/nfnetlink_conntrack.h; one of them is
 * these attributes, in the order in which the kernel shows them:
 *
 *     TUPLE MASK MASTER   see tuple.c
 *     NAT                 | DIR be32: 0 original, 1 reply | TUPLE |
 *     TIMEOUT ID FLAGS CLASS  be32
 *     HELP_NAME           string, 15 characters and NUL
 *     FN                  string
 *     ZONE                be16, only ever sent to the kernel
 *
 * Of MASK the kernel reads the source's half, of NAT's tuple source address and port; but
 * it wants all of both, so what means nothing is filled in here.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "inner.h"
#include "../netlink/uapi.h"

#define EXPECTATIONS(message) (uint16_t)(NFNL_SUBSYS_CTNETLINK_EXP << 8 | (message))
#define ALL_FLAGS (uint32_t)(CTH_EXPECT_PERMANENT | CTH_EXPECT_INACTIVE | CTH_EXPECT_USERSPACE)

/* One that names an expectation: tuple, id, zone. */
#define EXPECT_NAME_ROOM 160

/* What is good and what is not. */

static bool knows_ports(uint8_t l4)
{
	switch (l4) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_DCCP:
	case IPPROTO_SCTP:
	case IPPROTO_UDPLITE:
	case IPPROTO_GRE: /* its keys, under the name of ports */
		return true;
	}
	return false;
}

static bool is_icmp(uint8_t l4)
{
	return l4 == IPPROTO_ICMP || l4 == IPPROTO_ICMPV6;
}

/* What keeps the kernel from reading it as the tuple of a flow: NULL if nothing does. */
static const char *tuple_fault(const struct cth_tuple *t)
{
	if (t->src.family != AF_INET && t->src.family != AF_INET6)
		return "a tuple has no source address";
	if (t->dst.family != t->src.family)
		return "a tuple has no destination address of its source's family";
	if (t->l4 == 0)
		return "a tuple has no transport protocol";
	if (knows_ports(t->l4) && !t->has_ports)
		return "a tuple of this transport protocol has two ports";
	if (is_icmp(t->l4) && !t->has_icmp)
		return "a tuple of ICMP has type, code and id";
	if (t->has_zone)
		return "a tuple has a zone of its own, which the kernel does not take there";
	return NULL;
}

static const char *tuples_fault(const struct cth_expect *e)
{
	uint8_t family = e->tuple.src.family;
	const char *fault = tuple_fault(&e->tuple);

	if (!fault && (e->have & CTH_EXPECT_MASTER))
		fault = tuple_fault(&e->master);
	if (fault)
		return fault;
	if ((e->have & CTH_EXPECT_MASTER) && e->master.src.family != family)
		return "the flow and its master are of two families";
	if (e->mask.src.family != family)
		return "the mask has no source address of the tuple's family";
	if ((e->have & CTH_EXPECT_NAT) && e->nat.src.family && e->nat.src.family != family)
		return "NAT's address is not of the tuple's family";
	return NULL;
}

static bool name_is_good(const char *name, size_t room)
{
	return name[0] != 0 && memchr(name, 0, room) != NULL;
}

static const char *parts_fault(const struct cth_expect *e)
{
	if ((e->have & CTH_EXPECT_HELPER) && !name_is_good(e->helper, sizeof(e->helper)))
		return "the helper's name is empty or longer than 15 characters";
	if ((e->have & CTH_EXPECT_FN) && !name_is_good(e->fn, sizeof(e->fn)))
		return "the function's name is empty or longer than 31 characters";
	if ((e->have & CTH_EXPECT_FLAGS) && (e->flags & ~ALL_FLAGS))
		return "there is a flag that the kernel does not have";
	if ((e->have & CTH_EXPECT_NAT) && e->nat_dir > 1)
		return "NAT's direction is neither 0, original, nor 1, reply";
	return NULL;
}

static const char *expect_fault(const struct cth_expect *e)
{
	const char *fault;

	if (!(e->have & CTH_EXPECT_TUPLE))
		return "there is no tuple";
	if (!(e->have & CTH_EXPECT_MASK))
		return "there is no mask";
	fault = tuples_fault(e);
	return fault ? fault : parts_fault(e);
}

int cth_expect_check(const struct cth_expect *e, const char **why)
{
	const char *fault = expect_fault(e);

	if (why)
		*why = fault;
	return fault ? -EINVAL : 0;
}

int cth_expect_set_master(struct cth_expect *e, const struct cth_flow *f)
{
	if (!(f->have & CTH_FLOW_ORIG))
		return -EINVAL;
	e->master = f->orig;
	e->zone = f->have & CTH_FLOW_ZONE ? f->zone : f->orig.has_zone ? f->orig.zone : 0;
	e->master.has_zone = false;
	e->have |= CTH_EXPECT_MASTER | CTH_EXPECT_ZONE;
	return 0;
}

/* Attributes out. */

static void put_tuple(struct cth_msg *m, uint16_t type, const struct cth_tuple *t)
{
	size_t nest = cth_msg_nest(m, type);

	cth_tuple_put(m, t);
	cth_msg_nest_end(m, nest);
}

/* The kernel tells ports from ICMP by the mask's own protocol; it takes no type that ICMP lacks. */
static void put_mask(struct cth_msg *m, const struct cth_expect *e)
{
	struct cth_tuple whole = e->tuple;

	whole.src = e->mask.src;
	memset(whole.dst.b, 0xff, sizeof(whole.dst.b));
	whole.sport = e->mask.sport;
	whole.dport = 0xffff;
	whole.icmp_id = e->mask.icmp_id;
	put_tuple(m, CTA_EXPECT_MASK, &whole);
}

static void put_nat(struct cth_msg *m, const struct cth_expect *e)
{
	size_t nest = cth_msg_nest(m, CTA_EXPECT_NAT);
	struct cth_tuple whole = e->tuple;

	memset(whole.src.b, 0, sizeof(whole.src.b));
	memset(whole.dst.b, 0, sizeof(whole.dst.b));
	if (e->nat.src.family)
		whole.src = e->nat.src;
	whole.sport = e->nat.sport;
	whole.dport = 0;
	whole.icmp_id = e->nat.icmp_id;
	cth_msg_put_be32(m, CTA_EXPECT_NAT_DIR, e->nat_dir);
	put_tuple(m, CTA_EXPECT_NAT_TUPLE, &whole);
	cth_msg_nest_end(m, nest);
}

static void put_number(struct cth_msg *m, const struct cth_expect *e, uint32_t part,
		       uint16_t type, uint32_t v)
{
	if (e->have & part)
		cth_msg_put_be32(m, type, v);
}

static void put_zone(struct cth_msg *m, uint16_t zone)
{
	if (zone)
		cth_msg_put_be16(m, CTA_EXPECT_ZONE, zone);
}

int cth_expect_put(struct cth_msg *m, const struct cth_expect *e)
{
	if (expect_fault(e))
		return -EINVAL;
	put_tuple(m, CTA_EXPECT_TUPLE, &e->tuple);
	put_mask(m, e);
	if (e->have & CTH_EXPECT_MASTER)
		put_tuple(m, CTA_EXPECT_MASTER, &e->master);
	if (e->have & CTH_EXPECT_NAT)
		put_nat(m, e);
	put_number(m, e, CTH_EXPECT_TIMEOUT, CTA_EXPECT_TIMEOUT, e->timeout);
	put_number(m, e, CTH_EXPECT_ID, CTA_EXPECT_ID, e->id);
	put_number(m, e, CTH_EXPECT_FLAGS, CTA_EXPECT_FLAGS, e->flags);
	put_number(m, e, CTH_EXPECT_CLASS, CTA_EXPECT_CLASS, e->class_number);
	if (e->have & CTH_EXPECT_HELPER)
		cth_msg_put_str(m, CTA_EXPECT_HELP_NAME, e->helper);
	if (e->have & CTH_EXPECT_FN)
		cth_msg_put_str(m, CTA_EXPECT_FN, e->fn);
	if (e->have & CTH_EXPECT_ZONE)
		put_zone(m, e->zone);
	return 0;
}

/* Messages out. */

int cth_expect_put_new(struct cth_msg *m, uint16_t flags, uint32_t seq, const struct cth_expect *e)
{
	if (expect_fault(e))
		return -EINVAL;
	cth_msg_begin(m, EXPECTATIONS(IPCTNL_MSG_EXP_NEW), flags, seq, e->tuple.src.family, 0);
	cth_expect_put(m, e);
	return cth_msg_end(m);
}

int cth_expect_put_get(struct cth_msg *m, uint16_t flags, uint32_t seq, uint8_t family,
		       const struct cth_tuple *tuple, uint16_t zone)
{
	if (tuple && tuple_fault(tuple))
		return -EINVAL;
	cth_msg_begin(m, EXPECTATIONS(IPCTNL_MSG_EXP_GET), flags, seq,
		      tuple ? tuple->src.family : family, 0);
	if (tuple) {
		put_tuple(m, CTA_EXPECT_TUPLE, tuple);
		put_zone(m, zone);
	}
	return cth_msg_end(m);
}

/* Without a tuple this message would delete all there is. */
int cth_expect_put_del(struct cth_msg *m, uint16_t flags, uint32_t seq, const struct cth_expect *e)
{
	if (!(e->have & CTH_EXPECT_TUPLE) || tuple_fault(&e->tuple))
		return -EINVAL;
	cth_msg_begin(m, EXPECTATIONS(IPCTNL_MSG_EXP_DELETE), flags, seq, e->tuple.src.family, 0);
	put_tuple(m, CTA_EXPECT_TUPLE, &e->tuple);
	put_number(m, e, CTH_EXPECT_ID, CTA_EXPECT_ID, e->id);
	if (e->have & CTH_EXPECT_ZONE)
		put_zone(m, e->zone);
	return cth_msg_end(m);
}

int cth_expect_put_flush(struct cth_msg *m, uint16_t flags, uint32_t seq, const char *helper)
{
	if (helper && !name_is_good(helper, CTH_EXPECT_HELPER_NAME))
		return -EINVAL;
	cth_msg_begin(m, EXPECTATIONS(IPCTNL_MSG_EXP_DELETE), flags, seq, 0, 0);
	if (helper)
		cth_msg_put_str(m, CTA_EXPECT_HELP_NAME, helper);
	return cth_msg_end(m);
}

/* Attributes in. */

static const struct cth_attr_rule expect_rules[] = {
	[CTA_EXPECT_MASTER]    = { 0, CTH_ATTR_ANY, false },
	[CTA_EXPECT_TUPLE]     = { 0, CTH_ATTR_ANY, false },
	[CTA_EXPECT_MASK]      = { 0, CTH_ATTR_ANY, false },
	[CTA_EXPECT_TIMEOUT]   = { 4, 4, false },
	[CTA_EXPECT_ID]        = { 4, 4, false },
	[CTA_EXPECT_HELP_NAME] = { 1, CTH_EXPECT_HELPER_NAME, true },
	[CTA_EXPECT_ZONE]      = { 2, 2, false },
	[CTA_EXPECT_FLAGS]     = { 4, 4, false },
	[CTA_EXPECT_CLASS]     = { 4, 4, false },
	[CTA_EXPECT_NAT]       = { 0, CTH_ATTR_ANY, false },
	[CTA_EXPECT_FN]        = { 1, CTH_EXPECT_FN_NAME, true },
};

static const struct cth_attr_rule nat_rules[] = {
	[CTA_EXPECT_NAT_DIR]   = { 4, 4, false },
	[CTA_EXPECT_NAT_TUPLE] = { 0, CTH_ATTR_ANY, false },
};

#define EXPECT_RULES (sizeof(expect_rules) / sizeof(expect_rules[0]))
#define NAT_RULES    (sizeof(nat_rules) / sizeof(nat_rules[0]))

static int take_tuple(struct cth_expect *e, uint32_t part, struct cth_tuple *t, struct cth_span v)
{
	if (!v.p)
		return 0;
	e->have |= part;
	return cth_tuple_parse(t, v);
}

static int take_tuples(struct cth_expect *e, const struct cth_span *v)
{
	int r = take_tuple(e, CTH_EXPECT_TUPLE, &e->tuple, v[CTA_EXPECT_TUPLE]);

	if (r == 0)
		r = take_tuple(e, CTH_EXPECT_MASK, &e->mask, v[CTA_EXPECT_MASK]);
	if (r == 0)
		r = take_tuple(e, CTH_EXPECT_MASTER, &e->master, v[CTA_EXPECT_MASTER]);
	return r;
}

static int take_nat(struct cth_expect *e, struct cth_span level)
{
	struct cth_span v[NAT_RULES];
	int r;

	if (!level.p)
		return 0;
	r = cth_attr_index(level, nat_rules, NAT_RULES, v);
	if (r < 0)
		return r;
	if (!v[CTA_EXPECT_NAT_DIR].p || !v[CTA_EXPECT_NAT_TUPLE].p)
		return -EINVAL;
	e->nat_dir = cth_be32(v[CTA_EXPECT_NAT_DIR].p);
	return take_tuple(e, CTH_EXPECT_NAT, &e->nat, v[CTA_EXPECT_NAT_TUPLE]);
}

static void take_number(struct cth_expect *e, uint32_t part, uint32_t *to, struct cth_span v)
{
	if (!v.p)
		return;
	e->have |= part;
	*to = cth_be32(v.p);
}

static void take_numbers(struct cth_expect *e, const struct cth_span *v)
{
	take_number(e, CTH_EXPECT_TIMEOUT, &e->timeout, v[CTA_EXPECT_TIMEOUT]);
	take_number(e, CTH_EXPECT_ID, &e->id, v[CTA_EXPECT_ID]);
	take_number(e, CTH_EXPECT_FLAGS, &e->flags, v[CTA_EXPECT_FLAGS]);
	take_number(e, CTH_EXPECT_CLASS, &e->class_number, v[CTA_EXPECT_CLASS]);
	if (v[CTA_EXPECT_ZONE].p) {
		e->have |= CTH_EXPECT_ZONE;
		e->zone = cth_be16(v[CTA_EXPECT_ZONE].p);
	}
}

/* v has been held against a rule: there is a NUL within the room that name has. */
static void take_name(struct cth_expect *e, uint32_t part, char *name, struct cth_span v)
{
	if (!v.p)
		return;
	e->have |= part;
	memcpy(name, v.p, strlen((const char *)v.p) + 1);
}

int cth_expect_parse(struct cth_expect *e, struct cth_span attrs)
{
	struct cth_span v[EXPECT_RULES];
	int r;

	memset(e, 0, sizeof(*e));
	r = cth_attr_index(attrs, expect_rules, EXPECT_RULES, v);
	if (r < 0)
		return r;
	take_numbers(e, v);
	take_name(e, CTH_EXPECT_HELPER, e->helper, v[CTA_EXPECT_HELP_NAME]);
	take_name(e, CTH_EXPECT_FN, e->fn, v[CTA_EXPECT_FN]);
	r = take_tuples(e, v);
	return r < 0 ? r : take_nat(e, v[CTA_EXPECT_NAT]);
}

int cth_expect_event(struct cth_expect *e, const struct cth_nlmsg *m)
{
	int r;

	if (m->type != EXPECTATIONS(IPCTNL_MSG_EXP_NEW) &&
	    m->type != EXPECTATIONS(IPCTNL_MSG_EXP_DELETE))
		return -EPROTO;
	if (m->cut) /* perhaps between two attributes, where it would not show */
		return -EBADMSG;
	r = cth_expect_parse(e, m->attrs);
	if (r < 0)
		return r;
	return m->type == EXPECTATIONS(IPCTNL_MSG_EXP_NEW);
}

/* The kernel's table. */

/* What an answer is read into, or told to. */
struct reading {
	uint32_t seq;
	struct cth_expect *found; /* the last */
	size_t count;
	cth_expect_fn *fn;        /* of a dump */
	void *ctx;
};

static int reading_step(const struct cth_nlmsg *m, void *ctx)
{
	struct reading *w = (struct reading *)ctx;
	int r;

	if (!m) { /* the dump starts again */
		if (w->fn)
			w->fn(NULL, w->ctx);
		return 0;
	}
	if (m->seq != w->seq) /* an event, or the rest of a dump that was given up */
		return 0;
	r = cth_expect_event(w->found, m);
	if (r <= 0)
		return r == -EPROTO ? 0 : r;
	w->count++;
	if (w->fn)
		w->fn(w->found, w->ctx);
	return 0;
}

/* One request; the answers that bear its sequence number go to w, if given. */
static int request_expectation(struct cth_sock *s, const struct cth_msg *m, struct reading *w,
			       struct cth_nack *nack)
{
	struct cth_nack own = { 0 };
	int r;

	if (!nack)
		nack = &own;
	r = cth_sock_request(s, cth_msg_bytes(m), w ? reading_step : NULL, w, nack);
	return cth_ctnetlink_is_absent(s, nack) ? -EPROTONOSUPPORT : r;
}

/* What fails before anything is sent must not look as if the kernel had refused it. */
static void forget_refusal(struct cth_nack *nack)
{
	if (nack)
		memset(nack, 0, sizeof(*nack));
}

static int request_new(struct cth_sock *s, const struct cth_expect *e, uint16_t flags,
		       uint8_t *room, size_t cap, struct cth_nack *nack)
{
	struct cth_msg m;
	int r;

	forget_refusal(nack);
	if (!(e->have & CTH_EXPECT_MASTER))
		return -EINVAL;
	cth_msg_init(&m, room, cap);
	r = cth_expect_put_new(&m, NLM_F_REQUEST | NLM_F_ACK | flags, cth_sock_seq(s), e);
	return r < 0 ? r : request_expectation(s, &m, NULL, nack);
}

/* Without EXCL another master's would get our timeout, and we success and nothing. */
int cth_expect_new_in(struct cth_sock *s, const struct cth_expect *e,
		      uint8_t *room, size_t cap, struct cth_nack *nack)
{
	return request_new(s, e, NLM_F_CREATE | NLM_F_EXCL, room, cap, nack);
}

/* Of one that is there this changes the timeout, and nothing else. */
int cth_expect_renew_in(struct cth_sock *s, const struct cth_expect *e,
			uint8_t *room, size_t cap, struct cth_nack *nack)
{
	return e->have & CTH_EXPECT_TIMEOUT ? request_new(s, e, 0, room, cap, nack) : -EINVAL;
}

int cth_expect_new(struct cth_sock *s, const struct cth_expect *e, struct cth_nack *nack)
{
	uint8_t room[CTH_EXPECT_ROOM];

	return cth_expect_new_in(s, e, room, sizeof(room), nack);
}

int cth_expect_get_in(struct cth_sock *s, const struct cth_tuple *tuple, uint16_t zone,
		      struct cth_expect *found, uint8_t *room, size_t cap, struct cth_nack *nack)
{
	struct reading one = { .found = found };
	struct cth_msg m;
	int r;

	forget_refusal(nack);
	one.seq = cth_sock_seq(s);
	cth_msg_init(&m, room, cap);
	/* The answer is marked as one of many, and no DONE comes: only the ACK ends it. */
	r = cth_expect_put_get(&m, NLM_F_REQUEST | NLM_F_ACK, one.seq, AF_UNSPEC, tuple, zone);
	if (r == 0)
		r = request_expectation(s, &m, &one, nack);
	return r == 0 && one.count == 0 ? -ENOENT : r;
}

int cth_expect_get(struct cth_sock *s, const struct cth_tuple *tuple, uint16_t zone,
		   struct cth_expect *found, struct cth_nack *nack)
{
	uint8_t room[EXPECT_NAME_ROOM];

	return cth_expect_get_in(s, tuple, zone, found, room, sizeof(room), nack);
}

/*
 * The kernel deletes whatever the tuple meets, if its source is masked another's too. So that is
 * looked at first, and deleted by its id.
 */
int cth_expect_del_in(struct cth_sock *s, const struct cth_expect *e, struct cth_expect *there,
		      uint8_t *room, size_t cap, struct cth_nack *nack)
{
	uint16_t zone = e->have & CTH_EXPECT_ZONE ? e->zone : 0;
	struct cth_msg m;
	int r;

	forget_refusal(nack);
	if (!(e->have & CTH_EXPECT_TUPLE))
		return -EINVAL;
	r = cth_expect_get_in(s, &e->tuple, zone, there, room, cap, nack);
	if (r < 0)
		return r;
	if (!cth_tuple_equal(&there->tuple, &e->tuple) ||
	    ((e->have & CTH_EXPECT_ID) && there->id != e->id))
		return -ENOENT;
	there->have = CTH_EXPECT_TUPLE | (there->have & CTH_EXPECT_ID) |
		      (e->have & CTH_EXPECT_ZONE);
	there->zone = zone;
	cth_msg_init(&m, room, cap);
	r = cth_expect_put_del(&m, NLM_F_REQUEST | NLM_F_ACK, cth_sock_seq(s), there);
	return r < 0 ? r : request_expectation(s, &m, NULL, nack);
}

int cth_expect_del(struct cth_sock *s, const struct cth_expect *e, struct cth_nack *nack)
{
	uint8_t room[EXPECT_NAME_ROOM];
	struct cth_expect there;

	return cth_expect_del_in(s, e, &there, room, sizeof(room), nack);
}

int cth_expect_flush(struct cth_sock *s, const char *helper, struct cth_nack *nack)
{
	uint8_t buf[64];
	struct cth_msg m;
	int r;

	forget_refusal(nack);
	cth_msg_init(&m, buf, sizeof(buf));
	r = cth_expect_put_flush(&m, NLM_F_REQUEST | NLM_F_ACK, cth_sock_seq(s), helper);
	return r < 0 ? r : request_expectation(s, &m, NULL, nack);
}

int cth_expect_list(struct cth_sock *s, uint8_t family, cth_expect_fn *fn, void *ctx,
		    struct cth_nack *nack)
{
	struct cth_expect each;
	struct reading all = { .seq = cth_sock_seq(s), .found = &each, .fn = fn, .ctx = ctx };
	struct cth_nack own = { 0 };
	uint8_t buf[32];
	struct cth_msg m;
	int r;

	if (!nack)
		nack = &own;
	cth_msg_init(&m, buf, sizeof(buf));
	r = cth_expect_put_get(&m, NLM_F_REQUEST | NLM_F_DUMP, all.seq, family, NULL, 0);
	if (r == 0)
		r = cth_sock_dump(s, cth_msg_bytes(&m), reading_step, &all, nack);
	return nack->error == -EINVAL ? -EPROTONOSUPPORT : r;
}
