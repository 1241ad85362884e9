/* SPDX-License-Identifier: MIT */
/*
 * read.c - the attributes of a level into the fields of a struct, by a table. What is malformed
 * and what is tolerated is as in attr.c.
 */
#include "take.h"
#include "uapi.h"

/* One value: 1; 0: not known; -ERANGE: of another length than its field. */
static inline int attr_store(uint8_t *to, uint8_t as, struct cth_span v)
{
	uint16_t n16;
	uint32_t n32;
	uint64_t n64;

	switch (as) {
	case CTH_ATTR_SPAN:
		memcpy(to, &v, sizeof(v));
		return 1;
	case CTH_ATTR_U8:
		if (v.n != 1)
			return -ERANGE;
		*to = v.p[0];
		return 1;
	case CTH_ATTR_BE16:
		if (v.n != sizeof(n16))
			return -ERANGE;
		n16 = cth_be16(v.p);
		memcpy(to, &n16, sizeof(n16));
		return 1;
	case CTH_ATTR_BE32:
		if (v.n != sizeof(n32))
			return -ERANGE;
		n32 = cth_be32(v.p);
		memcpy(to, &n32, sizeof(n32));
		return 1;
	case CTH_ATTR_BE64:
		if (v.n != sizeof(n64))
			return -ERANGE;
		n64 = cth_be64(v.p);
		memcpy(to, &n64, sizeof(n64));
		return 1;
	case CTH_ATTR_4:
		if (v.n != 4)
			return -ERANGE;
		memcpy(to, v.p, 4);
		return 1;
	case CTH_ATTR_16:
		if (v.n != 16)
			return -ERANGE;
		memcpy(to, v.p, 16);
		return 1;
	}
	return 0;
}

int cth_attr_read(struct cth_span level, const struct cth_attr_field *fields, size_t n,
		  void *into, uint32_t *told)
{
	struct cth_span value;
	uint16_t type;
	size_t at = 0;
	int r;

	while ((r = attr_take(level, &at, &type, &value)) > 0) {
		const struct cth_attr_field *f = &fields[type & NLA_TYPE_MASK];

		if ((type & NLA_TYPE_MASK) >= n)
			continue;
		r = attr_store((uint8_t *)into + f->at, f->as, value);
		if (r < 0)
			return r;
		if (r > 0)
			*told |= f->part;
	}
	return r;
}
