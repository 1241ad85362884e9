/* SPDX-License-Identifier: MIT */
/*
 * rules.c - reads nf_tables. Answers to linux/netfilter/nf_tables.h, whose numbers are
 * repeated here because headers of 3.10 lack it, and for iptables' targets to
 * linux/netfilter/xt_NFQUEUE.h and xt_CT.h. Of each level only what is looked for is read:
 *
 *     GETCHAIN   TABLE NAME HOOK { HOOKNUM PRIORITY }     where packets come in
 *     GETOBJ     TABLE NAME TYPE DATA { NAME L4PROTO }    the helper behind an objref
 *     GETSET     TABLE NAME OBJ_TYPE                      maps to such objects, and
 *     GETSETELEM TABLE SET { ELEM { OBJREF } ... }        what they hold
 *     GETRULE    TABLE CHAIN HANDLE EXPRESSIONS { ELEM { NAME DATA { ... } } ... }
 *
 *     queue      NUM be16, TOTAL be16, FLAGS be16, SREG_QNUM
 *     objref     IMM_TYPE be32, IMM_NAME; or SET_SREG, SET_NAME
 *     immediate  DATA { VERDICT { CODE be32, CHAIN } }    a jump
 *     target     NAME, INFO: "NFQUEUE" { u16 num, u16 total, u16 bypass or flags },
 *                "CT" { u16 flags, u16 zone, u32, u32, char helper[16], ... }
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "../netlink/msg.h"
#include "../netlink/uapi.h"
#include "rules.h"

#define NFT(message) ((uint16_t)(CTH_NFNL_SUBSYS_NFTABLES << 8 | (message)))
enum {
	NEWCHAIN = 3, GETCHAIN = 4, NEWRULE = 6, GETRULE = 7, NEWSET = 9, GETSET = 10,
	NEWSETELEM = 12, GETSETELEM = 13, NEWOBJ = 18, GETOBJ = 19,
};

enum { CHAIN_TABLE = 1, CHAIN_NAME = 3, CHAIN_HOOK = 4, CHAIN_ATTRS };
enum { HOOK_NUM = 1, HOOK_PRIORITY = 2, HOOK_ATTRS };
enum { OBJ_TABLE = 1, OBJ_NAME = 2, OBJ_TYPE = 3, OBJ_DATA = 4, OBJ_ATTRS };
enum { CT_HELPER_NAME = 1, CT_HELPER_L4 = 3, CT_HELPER_ATTRS };
enum { RULE_TABLE = 1, RULE_CHAIN = 2, RULE_HANDLE = 3, RULE_EXPRESSIONS = 4, RULE_ATTRS };
enum { EXPR_NAME = 1, EXPR_DATA = 2, EXPR_ATTRS };
enum { QUEUE_NUM = 1, QUEUE_TOTAL = 2, QUEUE_FLAGS = 3, QUEUE_SREG = 4, QUEUE_ATTRS };
enum { OBJREF_TYPE = 1, OBJREF_NAME = 2, OBJREF_SET = 4, OBJREF_ATTRS };
enum { SET_TABLE = 1, SET_NAME = 2, SET_OBJ_TYPE = 15, SET_ATTRS };
enum { ELEMS_TABLE = 1, ELEMS_SET = 2, ELEMS_LIST = 3, ELEMS_ATTRS };
enum { ELEM_OBJREF = 9, ELEM_ATTRS };
enum { TARGET_NAME = 1, TARGET_INFO = 3, TARGET_ATTRS };
enum { IMMEDIATE_DATA = 2, IMMEDIATE_ATTRS };
enum { DATA_VERDICT = 2, DATA_ATTRS };
enum { VERDICT_CHAIN = 2, VERDICT_ATTRS };

#define OBJECT_CT_HELPER 3 /* NFT_OBJECT_CT_HELPER */
#define QUEUE_BYPASS     1 /* NFT_QUEUE_FLAG_BYPASS; bypass of xt_NFQ_info is the same bit */
#define XT_CT_HELPER_AT  12
#define MAP_NAME         256 /* to be asked for, and so whole */
#define JUMPS_DEEP       16
#define JUMPS_TRIED      10000 /* a ruleset may be made of nothing else */

#define ANY { 0, CTH_ATTR_ANY, false }
#define STRING { 1, CTH_ATTR_ANY, true }
#define AT_LEAST(n) { n, CTH_ATTR_ANY, false }

struct chain {
	uint8_t family;
	char table[RULE_NAME], name[RULE_NAME];
	struct rule_hook at;
};

struct object {
	uint8_t family;
	char table[RULE_NAME], name[RULE_NAME], helper[16];
	uint8_t l4;
};

/* A map whose values are helpers' objects. */
struct map {
	uint8_t family;
	char table[RULE_NAME], name[MAP_NAME];
	bool unread;         /* its elements could not be had */
	size_t first, count; /* of reader.values */
};

struct value {
	char object[RULE_NAME];
};

struct jump {
	uint8_t family;
	char table[RULE_NAME], from[RULE_NAME], to[RULE_NAME];
};

/* A list that grows; its elements are all of one size. */
struct list {
	void *items;
	size_t n, cap, size;
};

struct reader {
	struct list rules, chains, objects, jumps, maps, values;
	struct rule rule; /* the one being read */
};

static void *append(struct list *l)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 32;
		void *more = realloc(l->items, cap * l->size);

		if (!more)
			return NULL;
		l->items = more;
		l->cap = cap;
	}
	return memset((char *)l->items + l->n++ * l->size, 0, l->size);
}

/* A string that the rules have found to end with a NUL. */
static void copy_text(char *to, size_t n, struct cth_span text)
{
	snprintf(to, n, "%s", text.p ? (const char *)text.p : "");
}

static bool text_is(struct cth_span text, const char *want)
{
	return text.p && strcmp((const char *)text.p, want) == 0;
}

static int chain_message(struct reader *r, const struct cth_nlmsg *m)
{
	static const struct cth_attr_rule rules[CHAIN_ATTRS] = {
		[CHAIN_TABLE] = STRING, [CHAIN_NAME] = STRING, [CHAIN_HOOK] = ANY,
	};
	static const struct cth_attr_rule hook_rules[HOOK_ATTRS] = {
		[HOOK_NUM] = AT_LEAST(4), [HOOK_PRIORITY] = AT_LEAST(4),
	};
	struct cth_span a[CHAIN_ATTRS], h[HOOK_ATTRS];
	struct chain *c;
	int error = cth_attr_index(m->attrs, rules, CHAIN_ATTRS, a);

	if (error < 0)
		return error;
	c = append(&r->chains);
	if (!c)
		return -ENOMEM;
	c->family = m->family;
	copy_text(c->table, sizeof(c->table), a[CHAIN_TABLE]);
	copy_text(c->name, sizeof(c->name), a[CHAIN_NAME]);
	if (!a[CHAIN_HOOK].p || cth_attr_index(a[CHAIN_HOOK], hook_rules, HOOK_ATTRS, h) < 0 ||
	    !h[HOOK_NUM].p || !h[HOOK_PRIORITY].p)
		return 0;
	c->at.known = true;
	c->at.hook = cth_be32(h[HOOK_NUM].p);
	c->at.priority = (int32_t)cth_be32(h[HOOK_PRIORITY].p);
	return 0;
}

static int object_message(struct reader *r, const struct cth_nlmsg *m)
{
	static const struct cth_attr_rule rules[OBJ_ATTRS] = {
		[OBJ_TABLE] = STRING, [OBJ_NAME] = STRING, [OBJ_TYPE] = AT_LEAST(4),
		[OBJ_DATA] = ANY,
	};
	static const struct cth_attr_rule data_rules[CT_HELPER_ATTRS] = {
		[CT_HELPER_NAME] = STRING, [CT_HELPER_L4] = AT_LEAST(1),
	};
	struct cth_span a[OBJ_ATTRS], d[CT_HELPER_ATTRS];
	struct object *o;
	int error = cth_attr_index(m->attrs, rules, OBJ_ATTRS, a);

	if (error < 0)
		return error;
	if (!a[OBJ_TYPE].p || cth_be32(a[OBJ_TYPE].p) != OBJECT_CT_HELPER || !a[OBJ_DATA].p)
		return 0;
	error = cth_attr_index(a[OBJ_DATA], data_rules, CT_HELPER_ATTRS, d);
	if (error < 0)
		return error;
	o = append(&r->objects);
	if (!o)
		return -ENOMEM;
	o->family = m->family;
	copy_text(o->table, sizeof(o->table), a[OBJ_TABLE]);
	copy_text(o->name, sizeof(o->name), a[OBJ_NAME]);
	copy_text(o->helper, sizeof(o->helper), d[CT_HELPER_NAME]);
	o->l4 = d[CT_HELPER_L4].p ? d[CT_HELPER_L4].p[0] : 0;
	return 0;
}

static int set_message(struct reader *r, const struct cth_nlmsg *m)
{
	static const struct cth_attr_rule rules[SET_ATTRS] = {
		[SET_TABLE] = STRING, [SET_NAME] = STRING, [SET_OBJ_TYPE] = AT_LEAST(4),
	};
	struct cth_span a[SET_ATTRS];
	struct map *map;
	int error = cth_attr_index(m->attrs, rules, SET_ATTRS, a);

	if (error < 0 || !a[SET_OBJ_TYPE].p || cth_be32(a[SET_OBJ_TYPE].p) != OBJECT_CT_HELPER)
		return error < 0 ? error : 0;
	map = append(&r->maps);
	if (!map)
		return -ENOMEM;
	map->family = m->family;
	copy_text(map->table, sizeof(map->table), a[SET_TABLE]);
	copy_text(map->name, sizeof(map->name), a[SET_NAME]);
	return 0;
}

static int element_message(struct reader *r, const struct cth_nlmsg *m)
{
	static const struct cth_attr_rule rules[ELEMS_ATTRS] = { [ELEMS_LIST] = ANY };
	static const struct cth_attr_rule elem_rules[ELEM_ATTRS] = { [ELEM_OBJREF] = STRING };
	struct cth_span a[ELEMS_ATTRS], e[ELEM_ATTRS];
	struct cth_attr element;
	struct value *value;
	int error = cth_attr_index(m->attrs, rules, ELEMS_ATTRS, a);

	while (error == 0 && a[ELEMS_LIST].p && cth_attr_next(&a[ELEMS_LIST], &element) > 0) {
		error = cth_attr_index(element.value, elem_rules, ELEM_ATTRS, e);
		if (error < 0 || !e[ELEM_OBJREF].p)
			continue;
		value = append(&r->values);
		if (!value)
			return -ENOMEM;
		copy_text(value->object, sizeof(value->object), e[ELEM_OBJREF]);
	}
	return error;
}

static int add_rule(struct reader *r)
{
	struct rule *rule = append(&r->rules);

	if (!rule)
		return -ENOMEM;
	*rule = r->rule;
	return 0;
}

static int queue_rule(struct reader *r, uint16_t num, uint16_t total, bool bypass)
{
	r->rule.kind = RULE_QUEUE;
	r->rule.queue_first = num;
	r->rule.queue_last = (uint16_t)(num + (total ? total - 1 : 0));
	r->rule.bypass = bypass;
	return add_rule(r);
}

static int queue_expression(struct reader *r, struct cth_span data)
{
	static const struct cth_attr_rule rules[QUEUE_ATTRS] = {
		[QUEUE_NUM] = AT_LEAST(2), [QUEUE_TOTAL] = AT_LEAST(2),
		[QUEUE_FLAGS] = AT_LEAST(2), [QUEUE_SREG] = AT_LEAST(4),
	};
	struct cth_span a[QUEUE_ATTRS];
	int error = cth_attr_index(data, rules, QUEUE_ATTRS, a);

	if (error < 0)
		return error;
	r->rule.computed = a[QUEUE_SREG].p != NULL;
	return queue_rule(r, a[QUEUE_NUM].p ? cth_be16(a[QUEUE_NUM].p) : 0,
			  a[QUEUE_TOTAL].p ? cth_be16(a[QUEUE_TOTAL].p) : 1,
			  a[QUEUE_FLAGS].p && cth_be16(a[QUEUE_FLAGS].p) & QUEUE_BYPASS);
}

/* Objects have been read before. */
static const struct object *find_object(const struct reader *r, const char *name)
{
	const struct object *objects = r->objects.items;

	for (size_t i = 0; i < r->objects.n; i++)
		if (objects[i].family == r->rule.family &&
		    strcmp(objects[i].table, r->rule.table) == 0 &&
		    strcmp(objects[i].name, name) == 0)
			return &objects[i];
	return NULL;
}

static int helper_rule(struct reader *r, const char *object_name)
{
	const struct object *o = find_object(r, object_name);

	r->rule.kind = RULE_HELPER;
	if (o) {
		memcpy(r->rule.helper, o->helper, sizeof(r->rule.helper));
		r->rule.l4 = o->l4;
	}
	return add_rule(r);
}

/* One rule becomes one for each object of its map. */
static int map_rules(struct reader *r, const struct map *map)
{
	const struct value *values = r->values.items;
	int error = 0;

	r->rule.by_map = true;
	r->rule.kind = RULE_HELPER;
	if (map->unread || map->count == 0) {
		r->rule.map_unread = map->unread;
		return add_rule(r);
	}
	for (size_t i = map->first; i < map->first + map->count && error == 0; i++) {
		size_t same = map->first;

		while (strcmp(values[same].object, values[i].object) != 0)
			same++;
		if (same < i)
			continue; /* told already */
		memset(r->rule.helper, 0, sizeof(r->rule.helper));
		r->rule.l4 = 0;
		error = helper_rule(r, values[i].object);
	}
	return error;
}

static int map_expression(struct reader *r, struct cth_span name)
{
	const struct map *maps = r->maps.items;

	for (size_t i = 0; i < r->maps.n; i++)
		if (maps[i].family == r->rule.family &&
		    strcmp(maps[i].table, r->rule.table) == 0 && text_is(name, maps[i].name))
			return map_rules(r, &maps[i]);
	return 0; /* to objects of another kind */
}

static int objref_expression(struct reader *r, struct cth_span data)
{
	static const struct cth_attr_rule rules[OBJREF_ATTRS] = {
		[OBJREF_TYPE] = AT_LEAST(4), [OBJREF_NAME] = STRING, [OBJREF_SET] = STRING,
	};
	struct cth_span a[OBJREF_ATTRS];
	char name[RULE_NAME];
	int error = cth_attr_index(data, rules, OBJREF_ATTRS, a);

	if (error < 0)
		return error;
	if (a[OBJREF_SET].p)
		return map_expression(r, a[OBJREF_SET]);
	if (!a[OBJREF_NAME].p || !a[OBJREF_TYPE].p ||
	    cth_be32(a[OBJREF_TYPE].p) != OBJECT_CT_HELPER)
		return 0;
	copy_text(name, sizeof(name), a[OBJREF_NAME]);
	return helper_rule(r, name);
}

static int xt_queue(struct reader *r, struct cth_span info)
{
	/* Revision 0 has the number alone; what is shorter than a later one is padded with 0. */
	if (info.n < 2)
		return 0;
	return queue_rule(r, cth_host16(info.p), info.n >= 4 ? cth_host16(info.p + 2) : 1,
			  info.n >= 6 && cth_host16(info.p + 4) & QUEUE_BYPASS);
}

static int xt_ct(struct reader *r, struct cth_span info)
{
	struct cth_span helper = cth_span_sub(info, XT_CT_HELPER_AT, sizeof(r->rule.helper));

	if (!helper.p || helper.p[0] == '\0')
		return 0; /* it sets something else: a zone, notrack */
	r->rule.kind = RULE_HELPER;
	memcpy(r->rule.helper, helper.p, sizeof(r->rule.helper) - 1);
	return add_rule(r);
}

static int target_expression(struct reader *r, struct cth_span data)
{
	static const struct cth_attr_rule rules[TARGET_ATTRS] = {
		[TARGET_NAME] = STRING, [TARGET_INFO] = ANY,
	};
	struct cth_span a[TARGET_ATTRS];
	int error = cth_attr_index(data, rules, TARGET_ATTRS, a);

	if (error < 0)
		return error;
	r->rule.xt = true;
	if (text_is(a[TARGET_NAME], "NFQUEUE"))
		return xt_queue(r, a[TARGET_INFO]);
	if (text_is(a[TARGET_NAME], "CT"))
		return xt_ct(r, a[TARGET_INFO]);
	return 0;
}

static int immediate_expression(struct reader *r, struct cth_span data)
{
	static const struct cth_attr_rule rules[IMMEDIATE_ATTRS] = { [IMMEDIATE_DATA] = ANY };
	static const struct cth_attr_rule data_rules[DATA_ATTRS] = { [DATA_VERDICT] = ANY };
	static const struct cth_attr_rule verdict_rules[VERDICT_ATTRS] = {
		[VERDICT_CHAIN] = STRING,
	};
	struct cth_span a[IMMEDIATE_ATTRS], d[DATA_ATTRS], v[VERDICT_ATTRS];
	struct jump *jump;

	if (cth_attr_index(data, rules, IMMEDIATE_ATTRS, a) < 0 || !a[IMMEDIATE_DATA].p ||
	    cth_attr_index(a[IMMEDIATE_DATA], data_rules, DATA_ATTRS, d) < 0 ||
	    !d[DATA_VERDICT].p ||
	    cth_attr_index(d[DATA_VERDICT], verdict_rules, VERDICT_ATTRS, v) < 0 ||
	    !v[VERDICT_CHAIN].p)
		return 0; /* a value, or a verdict without a chain */
	jump = append(&r->jumps);
	if (!jump)
		return -ENOMEM;
	jump->family = r->rule.family;
	memcpy(jump->table, r->rule.table, sizeof(jump->table));
	memcpy(jump->from, r->rule.chain, sizeof(jump->from));
	copy_text(jump->to, sizeof(jump->to), v[VERDICT_CHAIN]);
	return 0;
}

static const struct {
	const char *name;
	int (*read)(struct reader *r, struct cth_span data);
} expressions[] = {
	{ "queue", queue_expression },
	{ "objref", objref_expression },
	{ "target", target_expression },
	{ "immediate", immediate_expression },
};

static int expression(struct reader *r, struct cth_span element)
{
	static const struct cth_attr_rule rules[EXPR_ATTRS] = {
		[EXPR_NAME] = STRING, [EXPR_DATA] = ANY,
	};
	struct cth_span a[EXPR_ATTRS];
	int error = cth_attr_index(element, rules, EXPR_ATTRS, a);

	if (error < 0 || !a[EXPR_DATA].p)
		return error;
	for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++)
		if (text_is(a[EXPR_NAME], expressions[i].name))
			return expressions[i].read(r, a[EXPR_DATA]);
	return 0;
}

static int rule_message(struct reader *r, const struct cth_nlmsg *m)
{
	static const struct cth_attr_rule rules[RULE_ATTRS] = {
		[RULE_TABLE] = STRING, [RULE_CHAIN] = STRING, [RULE_HANDLE] = AT_LEAST(8),
		[RULE_EXPRESSIONS] = ANY,
	};
	struct cth_span a[RULE_ATTRS], list;
	struct cth_attr element;
	int error = cth_attr_index(m->attrs, rules, RULE_ATTRS, a);

	if (error < 0)
		return error;
	list = a[RULE_EXPRESSIONS];
	while (error == 0 && list.p && cth_attr_next(&list, &element) > 0) {
		memset(&r->rule, 0, sizeof(r->rule));
		r->rule.family = m->family;
		copy_text(r->rule.table, sizeof(r->rule.table), a[RULE_TABLE]);
		copy_text(r->rule.chain, sizeof(r->rule.chain), a[RULE_CHAIN]);
		r->rule.handle = a[RULE_HANDLE].p ? cth_be64(a[RULE_HANDLE].p) : 0;
		error = expression(r, element.value);
	}
	return error;
}

static int take_message(const struct cth_nlmsg *m, struct reader *r)
{
	switch (m->type) {
	case NFT(NEWCHAIN):
		return chain_message(r, m);
	case NFT(NEWOBJ):
		return object_message(r, m);
	case NFT(NEWSET):
		return set_message(r, m);
	case NFT(NEWSETELEM):
		return element_message(r, m);
	case NFT(NEWRULE):
		return rule_message(r, m);
	}
	return 0;
}

/* One dump; what it fills is taken back when the kernel says that it changed under the dump. */
struct filling {
	struct reader *r;
	struct list *lists[2];
	size_t from[2]; /* how long they were before */
};

static int take_or_forget(const struct cth_nlmsg *m, void *ctx)
{
	struct filling *f = ctx;

	for (size_t i = 0; !m && i < 2; i++)
		if (f->lists[i])
			f->lists[i]->n = f->from[i];
	return m ? take_message(m, f->r) : 0;
}

static int dump(struct cth_sock *s, uint16_t what, struct filling *f, struct cth_nack *nack)
{
	uint8_t buf[64];
	struct cth_msg m;
	int r;

	cth_msg_init(&m, buf, sizeof(buf));
	cth_msg_begin(&m, NFT(what), NLM_F_REQUEST | NLM_F_DUMP, cth_sock_seq(s), 0, 0);
	r = cth_msg_end(&m);
	return r < 0 ? r : cth_sock_dump(s, cth_msg_bytes(&m), take_or_forget, f, nack);
}

/* What one map holds; that it could not be had is noted, and no error. */
static void dump_map(struct cth_sock *s, struct reader *r, struct map *map)
{
	struct filling f = { r, { &r->values, NULL }, { r->values.n, 0 } };
	uint8_t buf[64 + RULE_NAME + MAP_NAME];
	struct cth_nack nack = { 0 };
	struct cth_msg m;
	int error;

	cth_msg_init(&m, buf, sizeof(buf));
	cth_msg_begin(&m, NFT(GETSETELEM), NLM_F_REQUEST | NLM_F_DUMP, cth_sock_seq(s),
		      map->family, 0);
	cth_msg_put_str(&m, ELEMS_TABLE, map->table);
	cth_msg_put_str(&m, ELEMS_SET, map->name);
	error = cth_msg_end(&m);
	if (error == 0)
		error = cth_sock_dump(s, cth_msg_bytes(&m), take_or_forget, &f, &nack);
	if (error < 0)
		r->values.n = f.from[0];
	map->unread = error < 0;
	map->first = f.from[0];
	map->count = r->values.n - f.from[0];
}

static void dump_maps(struct cth_sock *s, struct reader *r)
{
	for (size_t i = 0; i < r->maps.n; i++)
		dump_map(s, r, (struct map *)r->maps.items + i);
}

static bool same_place(const struct chain *c, uint8_t family, const char *table, const char *name)
{
	return c->family == family && strcmp(c->table, table) == 0 && strcmp(c->name, name) == 0;
}

/* The hook that leads to a chain, by way of jumps from other chains if need be. */
static struct rule_hook hook_of(const struct reader *r, uint8_t family, const char *table,
				const char *chain, unsigned deep, unsigned *left)
{
	const struct chain *chains = r->chains.items;
	const struct jump *jumps = r->jumps.items;
	struct rule_hook none = { 0 };

	for (size_t i = 0; i < r->chains.n; i++)
		if (chains[i].at.known && same_place(&chains[i], family, table, chain))
			return chains[i].at;
	for (size_t i = 0; deep > 0 && *left > 0 && i < r->jumps.n; i++) {
		struct rule_hook at;

		if (jumps[i].family != family || strcmp(jumps[i].table, table) != 0 ||
		    strcmp(jumps[i].to, chain) != 0)
			continue;
		--*left;
		at = hook_of(r, family, table, jumps[i].from, deep - 1, left);
		if (at.known)
			return at;
	}
	return none;
}

static int read_all(struct cth_sock *s, struct reader *r, struct cth_nack *nack)
{
	struct filling chains = { r, { &r->chains, NULL }, { 0 } };
	struct filling objects = { r, { &r->objects, NULL }, { 0 } };
	struct filling maps = { r, { &r->maps, NULL }, { 0 } };
	struct filling rules = { r, { &r->rules, &r->jumps }, { 0 } };
	int error = dump(s, GETCHAIN, &chains, nack);

	if (error == -EINVAL && nack->error) /* how an absent subsystem answers */
		return -EPROTONOSUPPORT;
	if (error == 0)
		error = dump(s, GETOBJ, &objects, nack);
	if (error == 0)
		error = dump(s, GETSET, &maps, nack);
	if (error == 0)
		dump_maps(s, r);
	if (error == -EINVAL && nack->error) { /* objects came with 4.10 */
		memset(nack, 0, sizeof(*nack));
		error = 0;
	}
	return error < 0 ? error : dump(s, GETRULE, &rules, nack);
}

int rules_read(struct cth_sock *s, struct rules *rules, struct cth_nack *nack)
{
	struct reader r = {
		.rules = { .size = sizeof(struct rule) },
		.chains = { .size = sizeof(struct chain) },
		.objects = { .size = sizeof(struct object) },
		.jumps = { .size = sizeof(struct jump) },
		.maps = { .size = sizeof(struct map) },
		.values = { .size = sizeof(struct value) },
	};
	int error;

	memset(nack, 0, sizeof(*nack));
	error = read_all(s, &r, nack);
	rules->list = r.rules.items;
	rules->n = error < 0 ? 0 : r.rules.n;
	for (size_t i = 0; i < rules->n; i++) {
		struct rule *rule = &rules->list[i];
		unsigned left = JUMPS_TRIED;

		rule->at = hook_of(&r, rule->family, rule->table, rule->chain, JUMPS_DEEP, &left);
	}
	free(r.chains.items);
	free(r.objects.items);
	free(r.jumps.items);
	free(r.maps.items);
	free(r.values.items);
	return error;
}

void rules_free(struct rules *rules)
{
	free(rules->list);
	rules->list = NULL;
	rules->n = 0;
}

const char *hook_name(uint32_t hook)
{
	static const char *const names[] = { "prerouting", "input", "forward", "output",
					     "postrouting" };

	return hook < sizeof(names) / sizeof(names[0]) ? names[hook] : "?";
}

static const char *family_name(uint8_t family)
{
	return family == 1 ? "inet" : family == 2 ? "ip" : family == 10 ? "ip6" :
	       family == 7 ? "bridge" : "?";
}

const char *rule_text(const struct rule *r, char *text, size_t n)
{
	int used = snprintf(text, n, "%s %s %s %s %" PRIu64 "%s", family_name(r->family), r->table,
			    r->chain, r->legacy ? "rule" : "handle", r->handle,
			    r->legacy ? " (iptables-legacy)" : "");

	if (r->at.known && used > 0 && (size_t)used < n)
		snprintf(text + used, n - (size_t)used, " (%s, priority %" PRId32 ")",
			 hook_name(r->at.hook), r->at.priority);
	return text;
}
