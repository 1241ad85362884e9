/* SPDX-License-Identifier: MIT */
/*
 * find.c - one attribute of a level, where nobody asks for the others. What is malformed and what
 * is tolerated is as in attr.c.
 */
#include "take.h"
#include "uapi.h"

struct cth_span cth_attr_find(struct cth_span level, uint16_t type)
{
	struct cth_span value, found = { NULL, 0 };
	uint16_t at_hand;
	size_t at = 0;
	int r;

	while ((r = attr_take(level, &at, &at_hand, &value)) > 0)
		if ((at_hand & NLA_TYPE_MASK) == type)
			found = value;
	return r == 0 ? found : cth_span(NULL, 0);
}
