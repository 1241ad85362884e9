/* SPDX-License-Identifier: MIT */
/*
 * take.h - private: how a cursor moves. Only cursor_take() moves one, so only cursor_take() can
 * step out of what it is in. It is a header because a file that calls attr_take() once has it
 * inside its loop, also when compiled for size, and packets have dozens of attributes: so attr.c,
 * find.c, index.c and read.c have one loop or call each.
 */
#ifndef CTH_TAKE_H
#define CTH_TAKE_H

#include <errno.h>
#include "attr.h"

#define CTH_ATTR_HEADER 4u

/*
 * Steps over the unit of n bytes at *at, which is a multiple of 4, and over its padding, be it
 * there or not. n comes from outside; header is the least that a unit of this kind has.
 */
static inline bool cursor_take(struct cth_span whole, size_t *at, size_t n, size_t header)
{
	if (n < header || n > whole.n - *at)
		return false;
	*at = (*at + n + 3) & ~(size_t)3;
	return true;
}

/* The attribute at *at: 1, its type with both flags, its value; 0 at the end; -EBADMSG. */
static inline int attr_take(struct cth_span level, size_t *at, uint16_t *type,
			    struct cth_span *value)
{
	const uint8_t *p;
	size_t n;

	if (*at >= level.n)
		return 0;
	if (level.n - *at < CTH_ATTR_HEADER)
		return -EBADMSG;
	p = level.p + *at;
	n = cth_host16(p);
	if (!cursor_take(level, at, n, CTH_ATTR_HEADER))
		return -EBADMSG;
	*type = cth_host16(p + 2);
	*value = cth_span(p + CTH_ATTR_HEADER, n - CTH_ATTR_HEADER);
	return 1;
}

#endif
