/* SPDX-License-Identifier: MIT */
/*
 * attr.c - the parser. Answers to include/uapi/linux/netlink.h; the layout is
 * drawn in msg.c, and how a cursor moves is in take.h. What the kernel's own parser
 * tolerates (unknown types, missing padding at the end, no NESTED bit, repeated
 * attributes) is tolerated here as well.
 */
#include "take.h"
#include "uapi.h"

#define NLMSG_HEADER    16u
#define NFGENMSG_HEADER 4u

/* What is left behind at, which may be past the end by padding that is missing. */
static inline struct cth_span rest_of(struct cth_span whole, size_t at)
{
	return at < whole.n ? cth_span(whole.p + at, whole.n - at) :
			      cth_span(whole.p + whole.n, 0);
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
	struct cth_span whole = *datagram;
	size_t headers = NLMSG_HEADER, at = 0, n;

	if (whole.n == 0)
		return 0;
	if (whole.n < NLMSG_HEADER)
		return -EBADMSG;
	n = cth_host32(whole.p);
	m->type = cth_host16(whole.p + 4);
	if (m->type >= NLMSG_MIN_TYPE)
		headers += NFGENMSG_HEADER;
	if (!cursor_take(whole, &at, n, headers))
		return -EBADMSG;

	read_headers(m, cth_span(whole.p, n), headers);
	*datagram = rest_of(whole, at);
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

int cth_attr_next(struct cth_span *cursor, struct cth_attr *a)
{
	size_t at = 0;
	uint16_t type;
	int r = attr_take(*cursor, &at, &type, &a->value);

	if (r <= 0)
		return r;
	a->type = (uint16_t)(type & NLA_TYPE_MASK);
	a->nested = (type & NLA_F_NESTED) != 0;
	*cursor = rest_of(*cursor, at);
	return 1;
}
