/* SPDX-License-Identifier: MIT */
/*
 * expect_show.c - expectations on the screen: a line of words for people and for scripts,
 * new ones only ever at the end, and JSON.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include "expect.h"
#include "line.h"

static const char *address(const struct cth_addr *a, char text[INET6_ADDRSTRLEN])
{
	if (!a->family || !inet_ntop(a->family, a->b, text, INET6_ADDRSTRLEN))
		return "?";
	return text;
}

const char *tuple_words(const struct cth_tuple *t)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], l4[12];
	const char *more = "";

	if (t->has_ports)
		more = phrase(" sport=%u dport=%u", t->sport, t->dport);
	else if (t->has_icmp)
		more = phrase(" icmp-type=%u icmp-code=%u icmp-id=%u", t->icmp_type, t->icmp_code,
			      t->icmp_id);
	return phrase("%s src=%s dst=%s%s", l4_name(t->l4, l4), address(&t->src, src),
		      address(&t->dst, dst), more);
}

/* Of mask and NAT only the source means something. */
static void add_source(struct line *l, const struct cth_tuple *t)
{
	char src[INET6_ADDRSTRLEN];

	if (t->src.family)
		line_add(l, " src=%s", address(&t->src, src));
	if (t->has_ports)
		line_add(l, " sport=%u", t->sport);
	if (t->has_icmp)
		line_add(l, " icmp-id=%u", t->icmp_id);
}

static void add_flags(struct line *l, uint32_t flags)
{
	const uint32_t known = CTH_EXPECT_PERMANENT | CTH_EXPECT_INACTIVE | CTH_EXPECT_USERSPACE;

	line_add(l, " flags=%s%s%s%s", flags ? "" : "none,",
	    flags & CTH_EXPECT_PERMANENT ? "permanent," : "",
	    flags & CTH_EXPECT_INACTIVE ? "inactive," : "",
	    flags & CTH_EXPECT_USERSPACE ? "userspace," : "");
	if (flags & ~known)
		line_add(l, "0x%" PRIx32 ",", flags & ~known);
	l->text[--l->n] = 0; /* the last comma */
}

static void add_numbers(struct line *l, const struct cth_expect *e)
{
	if (e->have & CTH_EXPECT_CLASS)
		line_add(l, " class=%" PRIu32, e->class_number);
	if (e->have & CTH_EXPECT_FLAGS)
		add_flags(l, e->flags);
	if (e->have & CTH_EXPECT_TIMEOUT)
		line_add(l, " timeout=%" PRIu32, e->timeout);
	if (e->have & CTH_EXPECT_ID)
		line_add(l, " id=0x%" PRIx32, e->id);
	if (e->have & CTH_EXPECT_ZONE)
		line_add(l, " zone=%u", e->zone);
}

const char *expect_words(const struct cth_expect *e, char text[EXPECT_LINE])
{
	struct line l;

	line_begin(&l, text, EXPECT_LINE);
	line_add(&l, "%s", tuple_words(&e->tuple));
	if (e->have & CTH_EXPECT_MASK) {
		line_add(&l, " mask");
		add_source(&l, &e->mask);
	}
	if (e->have & CTH_EXPECT_MASTER)
		line_add(&l, " master %s", tuple_words(&e->master));
	if (e->have & CTH_EXPECT_NAT) {
		line_add(&l, " nat dir=%s", e->nat_dir ? "reply" : "original");
		add_source(&l, &e->nat);
	}
	add_numbers(&l, e);
	if (e->have & CTH_EXPECT_HELPER)
		line_add(&l, " master-helper=%s", e->helper);
	if (e->have & CTH_EXPECT_FN)
		line_add(&l, " fn=%s", e->fn);
	return text;
}

/* JSON. */

static void json_source(struct json *j, const struct cth_tuple *t)
{
	char text[INET6_ADDRSTRLEN];

	if (t->src.family)
		json_string(j, "src", address(&t->src, text));
	if (t->has_ports)
		json_number(j, "sport", t->sport);
	if (t->has_icmp)
		json_number(j, "icmp_id", t->icmp_id);
}

static void json_tuple(struct json *j, const char *key, const struct cth_tuple *t)
{
	char text[INET6_ADDRSTRLEN], l4[12];

	json_open(j, key, '{');
	json_string(j, "l4", l4_name(t->l4, l4));
	json_source(j, t);
	if (t->dst.family)
		json_string(j, "dst", address(&t->dst, text));
	if (t->has_ports)
		json_number(j, "dport", t->dport);
	if (t->has_icmp) {
		json_number(j, "icmp_type", t->icmp_type);
		json_number(j, "icmp_code", t->icmp_code);
	}
	json_close(j, '}');
}

static void json_tuples(struct json *j, const struct cth_expect *e)
{
	json_tuple(j, "tuple", &e->tuple);
	if (e->have & CTH_EXPECT_MASK) {
		json_open(j, "mask", '{');
		json_source(j, &e->mask);
		json_close(j, '}');
	}
	if (e->have & CTH_EXPECT_MASTER)
		json_tuple(j, "master", &e->master);
	if (e->have & CTH_EXPECT_NAT) {
		json_open(j, "nat", '{');
		json_string(j, "dir", e->nat_dir ? "reply" : "original");
		json_source(j, &e->nat);
		json_close(j, '}');
	}
}

static void json_flags(struct json *j, uint32_t flags)
{
	json_open(j, "flags", '[');
	if (flags & CTH_EXPECT_PERMANENT)
		json_string(j, NULL, "permanent");
	if (flags & CTH_EXPECT_INACTIVE)
		json_string(j, NULL, "inactive");
	if (flags & CTH_EXPECT_USERSPACE)
		json_string(j, NULL, "userspace");
	json_close(j, ']');
}

void expect_json(struct json *j, const char *key, const struct cth_expect *e)
{
	json_open(j, key, '{');
	json_tuples(j, e);
	if (e->have & CTH_EXPECT_CLASS)
		json_number(j, "class", e->class_number);
	if (e->have & CTH_EXPECT_FLAGS)
		json_flags(j, e->flags);
	if (e->have & CTH_EXPECT_TIMEOUT)
		json_number(j, "timeout", e->timeout);
	if (e->have & CTH_EXPECT_ID)
		json_number(j, "id", e->id);
	if (e->have & CTH_EXPECT_ZONE)
		json_number(j, "zone", e->zone);
	if (e->have & CTH_EXPECT_HELPER)
		json_string(j, "master_helper", e->helper);
	if (e->have & CTH_EXPECT_FN)
		json_string(j, "fn", e->fn);
	json_close(j, '}');
}
