/* SPDX-License-Identifier: MIT */
/*
 * index.c - the attributes of a level by their types, each held against a rule. What is
 * malformed and what is tolerated is as in attr.c.
 */
#include "take.h"
#include "uapi.h"

/* Holds a value against its rule. */
static inline int attr_check(const struct cth_attr_rule *rule, struct cth_span v)
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
	struct cth_span value;
	uint16_t type;
	size_t at = 0;
	int r;

	for (size_t i = 0; i < n; i++)
		values[i] = cth_span(NULL, 0);
	while ((r = attr_take(level, &at, &type, &value)) > 0) {
		type = (uint16_t)(type & NLA_TYPE_MASK);
		if (type >= n || rules[type].max == 0)
			continue;
		r = attr_check(&rules[type], value);
		if (r < 0)
			return r;
		values[type] = value;
	}
	return r;
}
