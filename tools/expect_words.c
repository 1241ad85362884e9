/* SPDX-License-Identifier: MIT */
/*
 * expect_words.c - the command line of `cth expect ...`: words, checked whole before anything
 * is sent. mask, master and nat begin a part; what stands before the first of them is the
 * expected tuple itself.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include "expect.h"

enum part { IN_TUPLE = 1, IN_MASK = 2, IN_MASTER = 4, IN_NAT = 8 };
#define ANYWHERE 0xf

struct reader {
	const struct applet *self;
	struct cth_expect *e;
	enum part in;
	bool key_only;   /* the rest of a line is known, and not looked at */
	bool source_port; /* the tuple's was told */
};

static struct cth_tuple *tuple_in(struct reader *r)
{
	return r->in == IN_TUPLE ? &r->e->tuple : r->in == IN_MASK ? &r->e->mask :
	       r->in == IN_MASTER ? &r->e->master : &r->e->nat;
}

/* Each takes the value behind "KEY=": -1, or an exit code. */

static int take_address(struct reader *r, const char *text, struct cth_addr *a)
{
	if (inet_pton(AF_INET, text, a->b) == 1)
		a->family = AF_INET;
	else if (inet_pton(AF_INET6, text, a->b) == 1)
		a->family = AF_INET6;
	else
		return usage_error(r->self, "address '%s': it is one of IPv4 or of IPv6, no name",
				   text);
	return -1;
}

static int take_src(struct reader *r, const char *text)
{
	return take_address(r, text, &tuple_in(r)->src);
}

static int take_dst(struct reader *r, const char *text)
{
	return take_address(r, text, &tuple_in(r)->dst);
}

static int take_u16(struct reader *r, const char *what, const char *text, uint16_t *to)
{
	uint64_t v;

	if (!parse_number(text, 0, UINT16_MAX, &v))
		return usage_error(r->self, "%s '%s': it is a number from 0 to 65535", what, text);
	*to = (uint16_t)v;
	return -1;
}

static int take_u32(struct reader *r, const char *what, const char *text, uint32_t *to)
{
	uint64_t v;

	if (!parse_number(text, 0, UINT32_MAX, &v))
		return usage_error(r->self, "%s '%s': it is a number of 32 bits", what, text);
	*to = (uint32_t)v;
	return -1;
}

static int take_sport(struct reader *r, const char *text)
{
	tuple_in(r)->has_ports = true;
	r->source_port |= r->in == IN_TUPLE;
	return take_u16(r, "port", text, &tuple_in(r)->sport);
}

static int take_dport(struct reader *r, const char *text)
{
	tuple_in(r)->has_ports = true;
	return take_u16(r, "port", text, &tuple_in(r)->dport);
}

static int take_icmp_id(struct reader *r, const char *text)
{
	tuple_in(r)->has_icmp = true;
	r->source_port |= r->in == IN_TUPLE;
	return take_u16(r, "ICMP's id", text, &tuple_in(r)->icmp_id);
}

static int take_u8(struct reader *r, const char *what, const char *text, uint8_t *to)
{
	uint64_t v;

	if (!parse_number(text, 0, UINT8_MAX, &v))
		return usage_error(r->self, "%s '%s': it is a number from 0 to 255", what, text);
	*to = (uint8_t)v;
	return -1;
}

static int take_icmp_type(struct reader *r, const char *text)
{
	tuple_in(r)->has_icmp = true;
	return take_u8(r, "ICMP's type", text, &tuple_in(r)->icmp_type);
}

static int take_icmp_code(struct reader *r, const char *text)
{
	tuple_in(r)->has_icmp = true;
	return take_u8(r, "ICMP's code", text, &tuple_in(r)->icmp_code);
}

static int take_dir(struct reader *r, const char *text)
{
	if (strcmp(text, "reply") != 0 && strcmp(text, "original") != 0)
		return usage_error(r->self, "direction '%s': the child goes as the master's "
				   "packets in direction original, or reply", text);
	r->e->nat_dir = text[0] == 'r';
	return -1;
}

static int take_class(struct reader *r, const char *text)
{
	r->e->have |= CTH_EXPECT_CLASS;
	return take_u32(r, "class", text, &r->e->class_number);
}

static int take_zone(struct reader *r, const char *text)
{
	r->e->have |= CTH_EXPECT_ZONE;
	return take_u16(r, "zone", text, &r->e->zone);
}

static int take_id(struct reader *r, const char *text)
{
	if (!r->key_only)
		return usage_error(r->self, "id=%s: the kernel makes the id", text);
	r->e->have |= CTH_EXPECT_ID;
	return take_u32(r, "id", text, &r->e->id);
}

static int take_timeout(struct reader *r, const char *text)
{
	if (r->key_only)
		return -1;
	return usage_error(r->self, "timeout=%s: that of the class counts, whatever is asked for; "
			   "`cth helper set NAME -c CLASS:MAX:TIMEOUT` changes it", text);
}

static int take_flags(struct reader *r, const char *text)
{
	static const char *const names[] = { "permanent", "inactive", "userspace" };
	size_t i, n;

	r->e->have |= CTH_EXPECT_FLAGS;
	for (; *text; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		if (n == 4 && strncmp(text, "none", n) == 0)
			continue;
		for (i = 0; i < 3; i++)
			if (strlen(names[i]) == n && strncmp(text, names[i], n) == 0)
				break;
		if (i == 3 && !r->key_only)
			return usage_error(r->self, "flag '%.*s': there are permanent and inactive",
					   (int)n, text);
		r->e->flags |= i < 3 ? 1u << i : 0;
	}
	return -1;
}

static int take_name(struct reader *r, const char *what, const char *text, char *name, size_t room)
{
	size_t n = strlen(text);

	if (n == 0 || n >= room)
		return usage_error(r->self, "%s '%s' has %zu characters: it is 1 to %zu", what, text,
				   n, room - 1);
	memcpy(name, text, n + 1);
	return -1;
}

static int take_helper(struct reader *r, const char *text)
{
	r->e->have |= CTH_EXPECT_HELPER;
	return take_name(r, "the helper's name", text, r->e->helper, sizeof(r->e->helper));
}

static int take_master_helper(struct reader *r, const char *text)
{
	if (r->key_only)
		return -1;
	return usage_error(r->self, "master-helper=%s: the master has it, or has another; for the "
			   "expected flow's own say helper=%s", text, text);
}

static int take_fn(struct reader *r, const char *text)
{
	r->e->have |= CTH_EXPECT_FN;
	return take_name(r, "the function's name", text, r->e->fn, sizeof(r->e->fn));
}

static const struct {
	const char *key;
	int (*take)(struct reader *r, const char *text);
	unsigned parts; /* in which it means something */
} keys[] = {
	{ "src", take_src, ANYWHERE },
	{ "dst", take_dst, IN_TUPLE | IN_MASTER },
	{ "sport", take_sport, ANYWHERE },
	{ "dport", take_dport, IN_TUPLE | IN_MASTER },
	{ "icmp-id", take_icmp_id, ANYWHERE },
	{ "icmp-type", take_icmp_type, IN_TUPLE | IN_MASTER },
	{ "icmp-code", take_icmp_code, IN_TUPLE | IN_MASTER },
	{ "dir", take_dir, IN_NAT },
	{ "class", take_class, ANYWHERE },
	{ "flags", take_flags, ANYWHERE },
	{ "timeout", take_timeout, ANYWHERE },
	{ "id", take_id, ANYWHERE },
	{ "zone", take_zone, ANYWHERE },
	{ "helper", take_helper, ANYWHERE },
	{ "master-helper", take_master_helper, ANYWHERE },
	{ "fn", take_fn, ANYWHERE },
};

static const struct {
	const char *word;
	enum part in;
	uint32_t part;
} parts[] = {
	{ "mask", IN_MASK, CTH_EXPECT_MASK },
	{ "master", IN_MASTER, CTH_EXPECT_MASTER },
	{ "nat", IN_NAT, CTH_EXPECT_NAT },
};

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

static int take_assignment(struct reader *r, const char *word, const char *value)
{
	size_t n = (size_t)(value - word) - 1;

	for (size_t i = 0; i < N_OF(keys); i++) {
		if (strlen(keys[i].key) != n || strncmp(keys[i].key, word, n) != 0)
			continue;
		if (!(keys[i].parts & r->in))
			return usage_error(r->self, "'%s' means nothing in this part: only source "
					   "address and source port do, and nat's dir", word);
		return keys[i].take(r, value);
	}
	return usage_error(r->self, "'%s': there is no such word", word);
}

static int take_word(struct reader *r, const char *word)
{
	const char *equals = strchr(word, '=');

	if (equals)
		return take_assignment(r, word, equals + 1);
	for (size_t i = 0; i < N_OF(parts); i++) {
		if (strcmp(parts[i].word, word) != 0)
			continue;
		if (r->e->have & parts[i].part)
			return usage_error(r->self, "'%s' is there twice", word);
		r->in = parts[i].in;
		r->e->have |= parts[i].part;
		return -1;
	}
	if (!(r->in & (IN_TUPLE | IN_MASTER)) || !parse_l4(word, &tuple_in(r)->l4))
		return usage_error(r->self, "'%s' is neither a transport protocol nor mask, master, "
				   "nat or a word with '='", word);
	return -1;
}

/* A line may come as one argument or as many. */
static int take_words(struct reader *r, int argc, char **argv)
{
	int bad = -1;

	if (argc == 0)
		return usage_error(r->self, "which expectation? Such as: tcp src=10.0.1.2 "
				   "dst=10.0.2.2 dport=40000");
	for (int i = 0; i < argc; i++) {
		char *left = NULL;

		for (char *w = strtok_r(argv[i], " \t\n", &left); w && bad < 0;
		     w = strtok_r(NULL, " \t\n", &left))
			bad = take_word(r, w);
	}
	r->e->have |= CTH_EXPECT_TUPLE;
	return bad;
}

static struct cth_addr all_bits(uint8_t family)
{
	struct cth_addr a = { family, { 0 } };

	memset(a.b, 0xff, sizeof(a.b));
	return a;
}

/* What was not told: no source is any source, no source port is any. */
static void complete(struct reader *r)
{
	struct cth_expect *e = r->e;
	uint8_t family = e->tuple.dst.family;
	bool any = !e->tuple.src.family;

	e->tuple.src.family = any ? family : e->tuple.src.family;
	if (!e->mask.src.family && any)
		e->mask.src.family = family;
	else if (!e->mask.src.family)
		e->mask.src = all_bits(e->tuple.src.family);
	if (!e->mask.has_ports && r->source_port && e->tuple.sport)
		e->mask.sport = UINT16_MAX;
	if (!e->mask.has_icmp && r->source_port && e->tuple.icmp_id)
		e->mask.icmp_id = UINT16_MAX;
	e->have |= CTH_EXPECT_MASK;
}

static int check(const struct applet *self, const struct cth_expect *e)
{
	const char *why;

	if (cth_expect_check(e, &why) < 0)
		return usage_error(self, "%s", why);
	return -1;
}

int take_expectation(const struct applet *self, int argc, char **argv, struct cth_expect *e)
{
	struct reader r = { .self = self, .e = e, .in = IN_TUPLE };
	int bad;

	memset(e, 0, sizeof(*e));
	bad = take_words(&r, argc, argv);
	if (bad >= 0)
		return bad;
	if (!(e->have & CTH_EXPECT_MASTER))
		return usage_error(self, "whose? Say master and the tuple of the flow that announced "
				   "it");
	complete(&r);
	return check(self, e);
}

int take_expectation_key(const struct applet *self, int argc, char **argv, struct cth_expect *e)
{
	struct reader r = { .self = self, .e = e, .in = IN_TUPLE, .key_only = true };
	struct cth_expect key = { 0 };
	int bad;

	memset(e, 0, sizeof(*e));
	bad = take_words(&r, argc, argv);
	if (bad >= 0)
		return bad;
	key.tuple = e->tuple;
	key.mask.src = e->tuple.src;
	key.have = CTH_EXPECT_TUPLE | CTH_EXPECT_MASK;
	e->have &= CTH_EXPECT_TUPLE | CTH_EXPECT_ID | CTH_EXPECT_ZONE;
	return check(self, &key);
}
