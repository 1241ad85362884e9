/* SPDX-License-Identifier: MIT */
/*
 * legacy.c - reads the tables of iptables-legacy. One is a block, in the machine's byte order:
 *
 *     | entry | entry | ... | entry |          hook_entry[]: where a built-in chain begins
 *         |
 *         '-- | addresses, l4 | u16 target | u16 next | counters | matches | target ... |
 *                                    '-- from the entry's begin --------------^
 *
 *     target: u16 size, char name[29], u8 revision, and what the name says:
 *         "CT"       u16 flags, u16 zone, u32, u32, char helper[16], ...
 *         "NFQUEUE"  u16 number, u16 how many, u16 flags
 *         "ERROR"    char name[30]: here a chain of this name begins
 *
 * linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h and
 * linux/netfilter/x_tables.h have all of it; they do not go together with libc's headers.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "legacy.h"
#include "proc.h"

#define TABLE_NAME   32 /* XT_TABLE_MAXNAMELEN */
#define GET_INFO     64 /* IPT_SO_GET_INFO, and IP6T_SO_GET_INFO */
#define GET_ENTRIES  65
#define TARGET_NAME  2
#define TARGET_NAMES 29
#define TARGET_INFO  32
#define CT_HELPER    12
#define ERROR_NAMES  30
#define QUEUE_BYPASS 1
#define ENTRIES_MOST (64u << 20) /* bytes of a table */
#define TRIES        4           /* for a table that changes meanwhile */

static const struct legacy_family {
	const char *tables;           /* their names are in /proc */
	int socket_family, level;
	uint8_t family;
	size_t l4_at, target_at;      /* in an entry; next is behind target */
} families[] = {
	{ "net/ip_tables_names", AF_INET, IPPROTO_IP, 2, 80, 88 },
	{ "net/ip6_tables_names", AF_INET6, IPPROTO_IPV6, 10, 128, 140 },
};

/* A block of entries. */

static int add_legacy(struct rules *rules, const struct rule *rule)
{
	struct rule *more = realloc(rules->list, (rules->n + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	rules->list = more;
	rules->list[rules->n++] = *rule;
	return 0;
}

/* Text that may lack its NUL. */
static void copy_field(char *to, size_t n, struct cth_span from)
{
	size_t length = from.n < n ? from.n : n - 1;

	memcpy(to, from.p, length);
	to[length] = '\0';
}

static bool field_is(struct cth_span field, const char *text)
{
	size_t n = strlen(text) + 1;

	return field.n >= n && memcmp(field.p, text, n) == 0;
}

/* "PREROUTING", if a built-in chain begins here. */
static const char *chain_at(const struct legacy_table *t, size_t at)
{
	static const char *const names[LEGACY_HOOKS] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT",
							 "POSTROUTING" };

	for (size_t i = 0; i < LEGACY_HOOKS; i++)
		if (t->valid_hooks & 1u << i && t->hook_entry[i] == at)
			return names[i];
	return NULL;
}

static int queue_target(struct rule *rule, struct cth_span info, struct rules *rules)
{
	struct cth_span number = cth_span_sub(info, 0, 2), total = cth_span_sub(info, 2, 2),
			flags = cth_span_sub(info, 4, 2);
	uint16_t n = total.p ? cth_host16(total.p) : 1;

	if (!number.p)
		return -EBADMSG;
	rule->kind = RULE_QUEUE;
	rule->queue_first = cth_host16(number.p);
	rule->queue_last = (uint16_t)(rule->queue_first + (n ? n - 1 : 0));
	rule->bypass = flags.p && cth_host16(flags.p) & QUEUE_BYPASS;
	return add_legacy(rules, rule);
}

static int helper_target(struct rule *rule, struct cth_span info, struct rules *rules)
{
	struct cth_span helper = cth_span_sub(info, CT_HELPER, sizeof(rule->helper));

	if (!helper.p)
		return -EBADMSG;
	if (helper.p[0] == '\0')
		return 0; /* it sets something else */
	rule->kind = RULE_HELPER;
	copy_field(rule->helper, sizeof(rule->helper), helper);
	return add_legacy(rules, rule);
}

/* rule: where we are, in which chain, and which number of it. */
static int take_target(struct rule *rule, struct cth_span target, struct rules *rules)
{
	struct cth_span name = cth_span_sub(target, TARGET_NAME, TARGET_NAMES), info, chain;

	if (!name.p || target.n < TARGET_INFO)
		return -EBADMSG;
	info = cth_span_sub(target, TARGET_INFO, target.n - TARGET_INFO);
	if (field_is(name, "CT"))
		return helper_target(rule, info, rules);
	if (field_is(name, "NFQUEUE"))
		return queue_target(rule, info, rules);
	if (!field_is(name, "ERROR"))
		return 0;
	chain = cth_span_sub(info, 0, ERROR_NAMES);
	if (!chain.p)
		return -EBADMSG;
	copy_field(rule->chain, sizeof(rule->chain), chain);
	rule->handle = 0;
	return 0;
}

/* Its length; 0: it goes beyond the block, or its parts beyond it. */
static size_t take_entry(const struct legacy_family *f, struct cth_span rest, struct rule *rule,
			 struct cth_span *target)
{
	struct cth_span offsets = cth_span_sub(rest, f->target_at, 4);
	struct cth_span l4 = cth_span_sub(rest, f->l4_at, 2);
	size_t at, next;

	if (!offsets.p || !l4.p)
		return 0;
	at = cth_host16(offsets.p);
	next = cth_host16(offsets.p + 2);
	if (at < f->target_at + 4 || next < at || next > rest.n)
		return 0;
	*target = cth_span_sub(rest, at, next - at);
	rule->l4 = (uint8_t)cth_host16(l4.p);
	return next;
}

int legacy_parse(const struct legacy_table *t, struct cth_span entries, struct rules *rules)
{
	const struct legacy_family *f = &families[t->family == families[1].family];
	struct rule rule = { .family = t->family, .xt = true, .legacy = true };
	size_t at = 0, n;
	int r = 0;

	snprintf(rule.table, sizeof(rule.table), "%s", t->name);
	for (; at < entries.n && r == 0; at += n) {
		const char *chain = chain_at(t, at);
		struct cth_span target;

		if (chain) {
			snprintf(rule.chain, sizeof(rule.chain), "%s", chain);
			rule.handle = 0;
		}
		rule.handle++;
		n = take_entry(f, cth_span_sub(entries, at, entries.n - at), &rule, &target);
		if (n == 0)
			return -EBADMSG;
		r = take_target(&rule, target, rules);
	}
	return r;
}

/* From the kernel. */

struct info { /* struct ipt_getinfo */
	char name[TABLE_NAME];
	uint32_t valid_hooks, hook_entry[LEGACY_HOOKS], underflow[LEGACY_HOOKS];
	uint32_t entries, size;
};

struct block { /* struct ipt_get_entries */
	char name[TABLE_NAME];
	uint32_t size;
	union {
		uint64_t align;
		uint8_t bytes[sizeof(uint64_t)];
	} entries[];
};

/* -EAGAIN: it has become another one between the two questions. */
static int read_entries(int fd, const struct legacy_family *f, const struct info *info,
			struct rules *rules)
{
	struct legacy_table t = { .family = f->family, .name = info->name,
				  .valid_hooks = info->valid_hooks };
	socklen_t n = (socklen_t)(sizeof(struct block) + info->size);
	struct block *b = malloc(n);
	int r;

	if (!b)
		return -ENOMEM;
	memcpy(t.hook_entry, info->hook_entry, sizeof(t.hook_entry));
	memcpy(b->name, info->name, sizeof(b->name));
	b->size = info->size;
	r = getsockopt(fd, f->level, GET_ENTRIES, b, &n) < 0 ? -errno
		: legacy_parse(&t, cth_span((const uint8_t *)b->entries, info->size), rules);
	free(b);
	return r;
}

static int read_table(int fd, const struct legacy_family *f, const char *name, struct rules *rules)
{
	int r = -EAGAIN;

	for (int i = 0; i < TRIES && r == -EAGAIN; i++) {
		struct info info = { .size = 0 };
		socklen_t n = sizeof(info);

		snprintf(info.name, sizeof(info.name), "%s", name);
		if (getsockopt(fd, f->level, GET_INFO, &info, &n) < 0)
			return -errno;
		if (info.size > ENTRIES_MOST)
			return -EFBIG;
		r = read_entries(fd, f, &info, rules);
	}
	return r;
}

static int read_family(const struct legacy_family *f, struct rules *rules)
{
	char names[128], *rest, *name;
	int fd, r = 0;

	if (!proc_words(f->tables, names, sizeof(names)))
		return 0;
	fd = socket(f->socket_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	for (name = strtok_r(names, " ", &rest); name && r == 0; name = strtok_r(NULL, " ", &rest))
		r = read_table(fd, f, name, rules);
	close(fd);
	return r;
}

int legacy_read(struct rules *rules)
{
	int r = 0, one;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		one = read_family(&families[i], rules);
		if (r == 0)
			r = one;
	}
	return r;
}
