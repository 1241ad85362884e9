/* SPDX-License-Identifier: MIT */
/*
 * attr.c - the parser. Answers to include/uapi/linux/netlink.h; the layout is
 * drawn in msg.c. Only take() advances a cursor, so only take() can step out of
 * one. What the kernel's own parser tolerates (unknown types, missing padding at
 * the end, no NESTED bit, repeated attributes) is tolerated here as well.
 */
#include <errno.h>
#include "attr.h"
#include "uapi.h"

#define NLMSG_HEADER    16u
#define NFGENMSG_HEADER 4u
#define ATTR_HEADER     4u

/*
 * Takes the unit of n bytes that stands at the cursor, and the padding behind it
 * as far as there is any: the one place where a cursor moves. n comes from
 * outside; header is the least that a unit of this kind has.
 */
static inline bool take(struct cth_span *cursor, size_t n, size_t header, struct cth_span *unit)
{
	size_t padded;

	if (n < header || n > cursor->n)
		return false;
	*unit = cth_span(cursor->p, n);
	padded = n + (0 - n) % 4;
	if (padded > cursor->n)
		padded = cursor->n;
	cursor->p += padded;
	cursor->n -= padded;
	return true;
}

/* All but the type, which is known; headers is where the attributes begin. */
static void read_headers(struct cth_nlmsg *m, struct cth_span unit, size_t headers)
{
	m->flags = cth_host16(unit.p + 6);
	m->seq = cth_host32(unit.p + 8);
	m->portid = cth_host32(unit.p + 12);
	m->family = 0;
	m->res_id = 0;
	if (m->type >= NLMSG_MIN_TYPE) {
		m->family = unit.p[16];
		m->res_id = cth_be16(unit.p + 18);
	}
	m->cut = false;
	m->whole = unit;
	m->attrs = cth_span_sub(unit, headers, unit.n - headers);
}

int cth_nlmsg_next(struct cth_span *datagram, struct cth_nlmsg *m)
{
	struct cth_span left = *datagram, unit;
	size_t headers = NLMSG_HEADER;

	if (left.n == 0)
		return 0;
	if (left.n < NLMSG_HEADER)
		return -EBADMSG;
	m->type = cth_host16(left.p + 4);
	if (m->type >= NLMSG_MIN_TYPE)
		headers += NFGENMSG_HEADER;
	if (!take(&left, cth_host32(left.p), headers, &unit))
		return -EBADMSG;

	read_headers(m, unit, headers);
	*datagram = left;
	return 1;
}

int cth_nlmsg_rest(struct cth_span rest, struct cth_nlmsg *m)
{
	size_t headers = NLMSG_HEADER;

	if (rest.n < headers)
		return 0;
	m->type = cth_host16(rest.p + 4);
	if (m->type >= NLMSG_MIN_TYPE)
		headers += NFGENMSG_HEADER;
	else if (m->type != NLMSG_ERROR || rest.n < sizeof(struct nlmsghdr) + sizeof(struct nlmsgerr))
		return 0;
	if (rest.n < headers)
		return 0;
	read_headers(m, rest, headers);
	m->cut = true;
	return 1;
}

/* The next attribute, as cth_attr_next(); inline, for a packet has dozens of them. */
static inline int attr_take(struct cth_span *cursor, struct cth_attr *a)
{
	struct cth_span unit;
	uint16_t type;

	if (cursor->n == 0)
		return 0;
	if (cursor->n < ATTR_HEADER)
		return -EBADMSG;
	type = cth_host16(cursor->p + 2);
	if (!take(cursor, cth_host16(cursor->p), ATTR_HEADER, &unit))
		return -EBADMSG;
	a->type = (uint16_t)(type & NLA_TYPE_MASK);
	a->nested = (type & NLA_F_NESTED) != 0;
	a->value = cth_span(unit.p + ATTR_HEADER, unit.n - ATTR_HEADER);
	return 1;
}

int cth_attr_next(struct cth_span *cursor, struct cth_attr *a)
{
	return attr_take(cursor, a);
}

/* Holds a value against its rule. */
static int check(const struct cth_attr_rule *rule, struct cth_span v)
{
	size_t reach;

	if (v.n < rule->min)
		return -ERANGE;
	if (!rule->string)
		return v.n > rule->max ? -ERANGE : 0;
	reach = v.n < rule->max ? v.n : rule->max;
	if (reach > 0 && memchr(v.p, 0, reach))
		return 0;
	return v.n > rule->max ? -ERANGE : -EINVAL;
}

int cth_attr_index(struct cth_span level, const struct cth_attr_rule *rules, size_t n,
		   struct cth_span *values)
{
	struct cth_attr a;
	int r;

	for (size_t i = 0; i < n; i++)
		values[i] = cth_span(NULL, 0);
	while ((r = attr_take(&level, &a)) > 0) {
		if (a.type >= n || rules[a.type].max == 0)
			continue;
		r = check(&rules[a.type], a.value);
		if (r < 0)
			return r;
		values[a.type] = a.value;
	}
	return r;
}
