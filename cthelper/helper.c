/* SPDX-License-Identifier: MIT */
/*
 * helper.c - the registry of user-space helpers. Answers to linux/netfilter/
 * nfnetlink_cthelper.h; one helper is these attributes:
 *
 *     NAME           string, 15 characters and NUL
 *     TUPLE          | L3PROTONUM be16 | L4PROTONUM u8 |
 *     QUEUE_NUM      be32
 *     POLICY         | SET_NUM be32 | SET1 | ... | SET4 |, and each of the sets
 *                    | NAME string | EXPECT_MAX be32 | EXPECT_TIMEOUT be32 |
 *     PRIV_DATA_LEN  be32
 *     STATUS         be32: 0 disabled, 1 enabled
 *
 * The kernel's answers are too kind to be passed on. A GET by key says success and
 * sends nothing where there is nothing; a NEW that is to change a helper creates it; a
 * DEL of what is unknown succeeds as long as nothing is registered at all. So whether a
 * helper is there is always read from a dump, and filtered on this side.
 */
#include <errno.h>
#include "helper.h"
#include "../netlink/uapi.h"

#define REGISTRY(message) (uint16_t)(NFNL_SUBSYS_CTHELPER << 8 | (message))
#define EVERY_PART (CTH_HELPER_QUEUE | CTH_HELPER_PRIV_LEN | CTH_HELPER_STATUS | CTH_HELPER_POLICY)

/* What the largest of our messages takes: a NEW with four classes and longest names. */
#define REQUEST_ROOM 256

static bool name_fits(const char *name)
{
	return memchr(name, 0, CTH_HELPER_NAME) != NULL;
}

/* What is wrong with the classes: NULL if nothing is. */
static const char *policy_fault(const struct cth_helper *h)
{
	if (h->classes == 0)
		return "there is no class of expectations";
	if (h->classes > CTH_HELPER_CLASSES)
		return "there are more than 4 classes of expectations";
	for (size_t i = 0; i < h->classes; i++) {
		if (!name_fits(h->policy[i].name))
			return "a class's name is longer than 15 characters";
		if (h->policy[i].name[0] == 0)
			return "a class has no name";
		if (h->policy[i].max > CTH_HELPER_MAX)
			return "a class allows more than 255 expectations";
	}
	return NULL;
}

/* What is wrong with the key, or with one of the parts that are to be sent. */
static const char *helper_fault(const struct cth_helper *h, uint32_t parts)
{
	if (!name_fits(h->name))
		return "the name is longer than 15 characters";
	if (h->name[0] == 0)
		return "there is no name";
	if ((parts & CTH_HELPER_QUEUE) && h->queue > UINT16_MAX)
		return "the queue number is over 65535";
	if ((parts & CTH_HELPER_PRIV_LEN) && h->priv_len > CTH_HELPER_PRIV)
		return "a flow's state is more than 32 bytes";
	return parts & CTH_HELPER_POLICY ? policy_fault(h) : NULL;
}

int cth_helper_check(const struct cth_helper *h, const char **why)
{
	const char *fault = helper_fault(h, EVERY_PART);

	if (!fault && h->l4 == 0)
		fault = "there is no transport protocol: no flow has protocol 0";
	if (why)
		*why = fault;
	return fault ? -EINVAL : 0;
}

/* Messages out. */

static void put_key(struct cth_msg *m, const char *name, uint16_t l3, uint8_t l4)
{
	size_t tuple;

	cth_msg_put_str(m, NFCTH_NAME, name);
	tuple = cth_msg_nest(m, NFCTH_TUPLE);
	cth_msg_put_be16(m, NFCTH_TUPLE_L3PROTONUM, l3);
	cth_msg_put_u8(m, NFCTH_TUPLE_L4PROTONUM, l4);
	cth_msg_nest_end(m, tuple);
}

static void put_policy(struct cth_msg *m, const struct cth_helper *h)
{
	size_t policy = cth_msg_nest(m, NFCTH_POLICY);

	cth_msg_put_be32(m, NFCTH_POLICY_SET_NUM, h->classes);
	for (size_t i = 0; i < h->classes; i++) {
		const struct cth_helper_class *c = &h->policy[i];
		size_t set = cth_msg_nest(m, (uint16_t)(NFCTH_POLICY_SET1 + i));

		cth_msg_put_str(m, NFCTH_POLICY_NAME, c->name);
		cth_msg_put_be32(m, NFCTH_POLICY_EXPECT_MAX, c->max);
		cth_msg_put_be32(m, NFCTH_POLICY_EXPECT_TIMEOUT, c->timeout);
		cth_msg_nest_end(m, set);
	}
	cth_msg_nest_end(m, policy);
}

static int put_parts(struct cth_msg *m, uint16_t flags, uint32_t seq, const struct cth_helper *h,
		     uint32_t parts)
{
	if (helper_fault(h, parts))
		return -EINVAL;
	cth_msg_begin(m, REGISTRY(NFNL_MSG_CTHELPER_NEW), flags, seq, 0, 0);
	put_key(m, h->name, h->l3, h->l4);
	if (parts & CTH_HELPER_QUEUE)
		cth_msg_put_be32(m, NFCTH_QUEUE_NUM, h->queue);
	if (parts & CTH_HELPER_POLICY)
		put_policy(m, h);
	if (parts & CTH_HELPER_PRIV_LEN)
		cth_msg_put_be32(m, NFCTH_PRIV_DATA_LEN, h->priv_len);
	if (parts & CTH_HELPER_STATUS)
		cth_msg_put_be32(m, NFCTH_STATUS, h->enabled ? NFCT_HELPER_STATUS_ENABLED
							     : NFCT_HELPER_STATUS_DISABLED);
	return cth_msg_end(m);
}

int cth_helper_put_new(struct cth_msg *m, uint16_t flags, uint32_t seq, const struct cth_helper *h)
{
	return put_parts(m, flags, seq, h, flags & NLM_F_CREATE ? (uint32_t)EVERY_PART : h->have);
}

int cth_helper_put_get(struct cth_msg *m, uint16_t flags, uint32_t seq)
{
	cth_msg_begin(m, REGISTRY(NFNL_MSG_CTHELPER_GET), flags, seq, 0, 0);
	return cth_msg_end(m);
}

int cth_helper_put_del(struct cth_msg *m, uint16_t flags, uint32_t seq, const char *name,
		       uint16_t l3, uint8_t l4)
{
	if (!name_fits(name))
		return -EINVAL;
	cth_msg_begin(m, REGISTRY(NFNL_MSG_CTHELPER_DEL), flags, seq, 0, 0);
	put_key(m, name, l3, l4);
	return cth_msg_end(m);
}

/* Messages in. */

static const struct cth_attr_rule helper_rules[] = {
	[NFCTH_NAME]          = { 1, CTH_HELPER_NAME, true },
	[NFCTH_TUPLE]         = { 0, CTH_ATTR_ANY, false },
	[NFCTH_QUEUE_NUM]     = { 4, 4, false },
	[NFCTH_POLICY]        = { 0, CTH_ATTR_ANY, false },
	[NFCTH_PRIV_DATA_LEN] = { 4, 4, false },
	[NFCTH_STATUS]        = { 4, 4, false },
};

static const struct cth_attr_rule key_rules[] = {
	[NFCTH_TUPLE_L3PROTONUM] = { 2, 2, false },
	[NFCTH_TUPLE_L4PROTONUM] = { 1, 1, false },
};

static const struct cth_attr_rule policy_rules[] = {
	[NFCTH_POLICY_SET_NUM] = { 4, 4, false },
	[NFCTH_POLICY_SET1]    = { 0, CTH_ATTR_ANY, false },
	[NFCTH_POLICY_SET2]    = { 0, CTH_ATTR_ANY, false },
	[NFCTH_POLICY_SET3]    = { 0, CTH_ATTR_ANY, false },
	[NFCTH_POLICY_SET4]    = { 0, CTH_ATTR_ANY, false },
};

static const struct cth_attr_rule class_rules[] = {
	[NFCTH_POLICY_NAME]           = { 1, CTH_HELPER_NAME, true },
	[NFCTH_POLICY_EXPECT_MAX]     = { 4, 4, false },
	[NFCTH_POLICY_EXPECT_TIMEOUT] = { 4, 4, false },
};

#define HELPER_RULES (sizeof(helper_rules) / sizeof(helper_rules[0]))
#define KEY_RULES    (sizeof(key_rules) / sizeof(key_rules[0]))
#define POLICY_RULES (sizeof(policy_rules) / sizeof(policy_rules[0]))
#define CLASS_RULES  (sizeof(class_rules) / sizeof(class_rules[0]))

/* v has been held against a rule: there is a NUL within CTH_HELPER_NAME bytes. */
static void copy_helper_name(char name[CTH_HELPER_NAME], struct cth_span v)
{
	memcpy(name, v.p, strlen((const char *)v.p) + 1);
}

static int parse_key(struct cth_helper *h, struct cth_span level)
{
	struct cth_span v[KEY_RULES];
	int r = cth_attr_index(level, key_rules, KEY_RULES, v);

	if (r < 0)
		return r;
	if (!v[NFCTH_TUPLE_L3PROTONUM].p || !v[NFCTH_TUPLE_L4PROTONUM].p)
		return -EINVAL;
	h->l3 = cth_be16(v[NFCTH_TUPLE_L3PROTONUM].p);
	h->l4 = v[NFCTH_TUPLE_L4PROTONUM].p[0];
	return 0;
}

static int parse_class(struct cth_helper_class *c, struct cth_span level)
{
	struct cth_span v[CLASS_RULES];
	int r = cth_attr_index(level, class_rules, CLASS_RULES, v);

	if (r < 0)
		return r;
	if (!v[NFCTH_POLICY_NAME].p || !v[NFCTH_POLICY_EXPECT_MAX].p ||
	    !v[NFCTH_POLICY_EXPECT_TIMEOUT].p)
		return -EINVAL;
	copy_helper_name(c->name, v[NFCTH_POLICY_NAME]);
	c->max = cth_be32(v[NFCTH_POLICY_EXPECT_MAX].p);
	c->timeout = cth_be32(v[NFCTH_POLICY_EXPECT_TIMEOUT].p);
	return 0;
}

/* The count and the sets must tell the same: neither alone is believed. */
static int parse_policy(struct cth_helper *h, struct cth_span level)
{
	struct cth_span v[POLICY_RULES];
	uint32_t count;
	int r = cth_attr_index(level, policy_rules, POLICY_RULES, v);

	if (r < 0)
		return r;
	if (!v[NFCTH_POLICY_SET_NUM].p)
		return -EINVAL;
	count = cth_be32(v[NFCTH_POLICY_SET_NUM].p);
	if (count > CTH_HELPER_CLASSES)
		return -ERANGE;
	for (size_t i = 0; i < CTH_HELPER_CLASSES; i++) {
		struct cth_span set = v[NFCTH_POLICY_SET1 + i];

		if ((set.p != NULL) != (i < count))
			return -EBADMSG;
		r = set.p ? parse_class(&h->policy[i], set) : 0;
		if (r < 0)
			return r;
	}
	h->classes = (uint8_t)count;
	h->have |= CTH_HELPER_POLICY;
	return 0;
}

static void parse_numbers(struct cth_helper *h, const struct cth_span *v)
{
	if (v[NFCTH_QUEUE_NUM].p) {
		h->queue = cth_be32(v[NFCTH_QUEUE_NUM].p);
		h->have |= CTH_HELPER_QUEUE;
	}
	if (v[NFCTH_PRIV_DATA_LEN].p) {
		h->priv_len = cth_be32(v[NFCTH_PRIV_DATA_LEN].p);
		h->have |= CTH_HELPER_PRIV_LEN;
	}
	if (v[NFCTH_STATUS].p) {
		h->enabled = cth_be32(v[NFCTH_STATUS].p) == NFCT_HELPER_STATUS_ENABLED;
		h->have |= CTH_HELPER_STATUS;
	}
}

int cth_helper_parse(struct cth_helper *h, const struct cth_nlmsg *m)
{
	struct cth_span v[HELPER_RULES];
	int r;

	memset(h, 0, sizeof(*h));
	if (m->type != REGISTRY(NFNL_MSG_CTHELPER_NEW))
		return -EPROTO;
	if (m->cut)
		return -EBADMSG; /* between two attributes it would look whole */
	r = cth_attr_index(m->attrs, helper_rules, HELPER_RULES, v);
	if (r < 0)
		return r;
	if (!v[NFCTH_NAME].p || !v[NFCTH_TUPLE].p)
		return -EINVAL;
	copy_helper_name(h->name, v[NFCTH_NAME]);
	r = parse_key(h, v[NFCTH_TUPLE]);
	if (r < 0)
		return r;
	parse_numbers(h, v);
	return v[NFCTH_POLICY].p ? parse_policy(h, v[NFCTH_POLICY]) : 0;
}

/* The registry itself. */

/* A walk over a dump: all helpers, or those with one key. */
struct walk {
	uint32_t seq;
	const char *name; /* NULL: all */
	uint16_t l3;
	uint8_t l4;
	struct cth_helper *list;
	size_t room, count;
};

static int walk_step(const struct cth_nlmsg *m, void *ctx)
{
	struct walk *w = (struct walk *)ctx;
	struct cth_helper h;
	int r;

	if (!m) { /* the dump starts again */
		w->count = 0;
		return 0;
	}
	if (m->seq != w->seq) /* a packet, or the rest of a dump that was given up */
		return 0;
	r = cth_helper_parse(&h, m);
	if (r < 0)
		return r == -EPROTO ? 0 : r;
	if (w->name && (strcmp(h.name, w->name) != 0 || h.l3 != w->l3 || h.l4 != w->l4))
		return 0;
	if (w->count < w->room)
		w->list[w->count] = h;
	w->count++;
	return 0;
}

static int request_dump(struct cth_sock *s, uint32_t seq, cth_msg_fn *fn, void *ctx,
			struct cth_nack *nack)
{
	uint8_t buf[32];
	struct cth_msg m;
	int r;

	cth_msg_init(&m, buf, sizeof(buf));
	r = cth_helper_put_get(&m, NLM_F_REQUEST | NLM_F_DUMP, seq);
	return r < 0 ? r : cth_sock_dump(s, cth_msg_bytes(&m), fn, ctx, nack);
}

/*
 * EINVAL is what nfnetlink says of a subsystem that it does not have, and nobody has
 * another reason to say it of a dump: so a dump tells whether the registry is there.
 */
static int registry_dump(struct cth_sock *s, struct walk *w, struct cth_nack *nack)
{
	int r;

	w->seq = cth_sock_seq(s);
	r = request_dump(s, w->seq, walk_step, w, nack);
	return nack->error == -EINVAL ? -EPROTONOSUPPORT : r;
}

/*
 * Of any other request EINVAL may mean the message. With a sentence of explanation it
 * does, for that comes from the subsystem; without one, a dump has to tell.
 */
static bool is_absent(struct cth_sock *s, const struct cth_nack *nack)
{
	return nack->error == -EINVAL && !nack->text[0] &&
	       request_dump(s, cth_sock_seq(s), NULL, NULL, NULL) == -EINVAL;
}

static int registry_request(struct cth_sock *s, const struct cth_msg *m, struct cth_nack *nack)
{
	int r = cth_sock_request(s, cth_msg_bytes(m), NULL, NULL, nack);

	return is_absent(s, nack) ? -EPROTONOSUPPORT : r;
}

/* The helper with this key, into *h unless that is NULL. */
static int registry_find(struct cth_sock *s, const char *name, uint16_t l3, uint8_t l4,
			 struct cth_helper *h, struct cth_nack *nack)
{
	struct walk one = { .name = name, .l3 = l3, .l4 = l4, .list = h, .room = h ? 1 : 0 };
	int r;

	if (!name_fits(name)) /* cut to 15 characters it might be another's */
		return -EINVAL;
	r = registry_dump(s, &one, nack);
	if (r < 0)
		return r;
	return one.count ? 0 : -ENOENT;
}

/* Callers need not want to know how they were refused; we do. */
static struct cth_nack *fresh(struct cth_nack *nack, struct cth_nack *own)
{
	if (!nack)
		nack = own;
	memset(nack, 0, sizeof(*nack));
	return nack;
}

int cth_helper_add(struct cth_sock *s, const struct cth_helper *h, struct cth_nack *nack)
{
	uint8_t buf[REQUEST_ROOM];
	struct cth_nack own, second;
	struct cth_msg m;
	int r;

	nack = fresh(nack, &own);
	r = cth_helper_check(h, NULL);
	if (r < 0)
		return r;
	cth_msg_init(&m, buf, sizeof(buf));
	/* Without EXCL a NEW for a helper that is there would change it, and say success. */
	r = cth_helper_put_new(&m, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
			       cth_sock_seq(s), h);
	if (r == 0)
		r = registry_request(s, &m, nack);
	/* Older kernels say EEXIST of a helper of their own as well, which is in no list. */
	if (r == -EEXIST && registry_find(s, h->name, h->l3, h->l4, NULL, &second) == -ENOENT)
		return -EBUSY;
	return r;
}

int cth_helper_get(struct cth_sock *s, const char *name, uint16_t l3, uint8_t l4,
		   struct cth_helper *h, struct cth_nack *nack)
{
	struct cth_nack own;

	return registry_find(s, name, l3, l4, h, fresh(nack, &own));
}

int cth_helper_list(struct cth_sock *s, struct cth_helper *list, size_t n, struct cth_nack *nack)
{
	struct walk all = { .list = list, .room = n };
	struct cth_nack own;
	int r = registry_dump(s, &all, fresh(nack, &own));

	return r < 0 ? r : (int)all.count;
}

/* Is there a helper that can be changed like this? */
static int can_change(struct cth_sock *s, const struct cth_helper *h, struct cth_nack *nack)
{
	struct cth_helper now;
	int r = registry_find(s, h->name, h->l3, h->l4, &now, nack);

	if (r < 0)
		return r;
	/* What the kernel would say, were it told the length. */
	if ((h->have & CTH_HELPER_PRIV_LEN) && h->priv_len != now.priv_len)
		return -EBUSY;
	return 0;
}

/*
 * The kernel creates what it does not find, if it has all that it needs for that: without
 * the length of the state it has not, so that an update never creates.
 */
static int request_change(struct cth_sock *s, const struct cth_helper *h, struct cth_nack *nack)
{
	uint8_t buf[REQUEST_ROOM];
	struct cth_msg m;
	int r;

	cth_msg_init(&m, buf, sizeof(buf));
	r = put_parts(&m, NLM_F_REQUEST | NLM_F_ACK, cth_sock_seq(s), h,
		      h->have & ~(uint32_t)CTH_HELPER_PRIV_LEN);
	return r < 0 ? r : registry_request(s, &m, nack);
}

int cth_helper_update(struct cth_sock *s, const struct cth_helper *h, struct cth_nack *nack)
{
	struct cth_nack own, second;
	int r;

	nack = fresh(nack, &own);
	if (helper_fault(h, h->have))
		return -EINVAL;
	r = can_change(s, h, nack);
	if (r < 0)
		return r;
	r = request_change(s, h, nack);
	/* Deleted since we looked: the kernel wanted to create it, and lacked something. */
	if (r == -EINVAL && registry_find(s, h->name, h->l3, h->l4, NULL, &second) == -ENOENT)
		return -ENOENT;
	return r;
}

int cth_helper_del(struct cth_sock *s, const char *name, uint16_t l3, uint8_t l4,
		   struct cth_nack *nack)
{
	uint8_t buf[64];
	struct cth_nack own;
	struct cth_msg m;
	int r;

	nack = fresh(nack, &own);
	r = registry_find(s, name, l3, l4, NULL, nack);
	if (r < 0)
		return r;
	cth_msg_init(&m, buf, sizeof(buf));
	r = cth_helper_put_del(&m, NLM_F_REQUEST | NLM_F_ACK, cth_sock_seq(s), name, l3, l4);
	return r < 0 ? r : registry_request(s, &m, nack);
}
