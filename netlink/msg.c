/* SPDX-License-Identifier: MIT */
/*
 * msg.c - the message builder. Answers to include/uapi/linux/netlink.h and
 * nfnetlink.h: the layout is
 *
 *     |<---------------------------- nlmsg_len ---------------------------->|
 *     +-----+------+-------+-----+-----+--------+---------+-----------+-----+-  -+
 *     | len | type | flags | seq | pid | family | version | res_id be | attributes|
 *     | u32 |  u16 |   u16 | u32 | u32 |     u8 |      u8 |       u16 |     pad 4 |
 *     +-----+------+-------+-----+-----+--------+---------+-----------+-----+-  -+
 *
 *     attribute: | nla_len u16 | nla_type u16 | value | pad to 4, not in nla_len |
 *
 * Only grow() moves the end of the buffer, so only grow() can run out of it.
 * Nests are offsets, never pointers. A length that does not fit the 16 bits of
 * nla_len is an overflow too: cut to 16 bits it would go out as another, shorter
 * attribute, and the kernel would read the rest of its bytes as attributes.
 */
#include <errno.h>
#include "msg.h"
#include "uapi.h"

#define MSG_HEADERS 20u    /* nlmsghdr and nfgenmsg */
#define ATTR_HEADER 4u
#define ATTR_MAX    65535u /* the largest nla_len, header included */

/* From here on nothing fits. */
static void overflow(struct cth_msg *m)
{
	m->overflow = m->open;
	m->room = 0;
}

/* Takes n bytes at the end of the buffer: the one place that advances it. */
static inline bool grow(struct cth_msg *m, size_t n)
{
	if (n > m->room) {
		overflow(m);
		return false;
	}
	m->room -= n;
	m->len += n;
	return true;
}

/* A message begins where the last one ends. */
static inline void start_message(struct cth_msg *m, bool bare)
{
	if (m->open)
		cth_msg_cancel(m);
	m->start = m->len;
	m->room = m->cap - m->len;
	m->open = true;
	m->bare = bare;
}

void cth_msg_init(struct cth_msg *m, void *buf, size_t cap)
{
	m->buf = (uint8_t *)buf;
	m->cap = cap;
	m->len = m->start = m->room = m->outside = 0;
	m->open = m->bare = m->overflow = false;
}

void cth_msg_reset(struct cth_msg *m)
{
	cth_msg_init(m, m->buf, m->cap);
}

void cth_msg_consume(struct cth_msg *m, size_t n)
{
	if (m->open || n > m->len)
		return;
	memmove(m->buf, m->buf + n, m->len - n);
	m->len -= n;
}

struct cth_span cth_msg_bytes(const struct cth_msg *m)
{
	return cth_span(m->buf, m->open ? m->start : m->len);
}

void cth_msg_begin(struct cth_msg *m, uint16_t type, uint16_t flags, uint32_t seq,
		   uint8_t family, uint16_t res_id)
{
	uint8_t *p;

	start_message(m, false);
	if (!grow(m, MSG_HEADERS))
		return;
	p = m->buf + m->start;
	/* The length is known at the end. */
	cth_store_host16(p + 4, type);
	cth_store_host16(p + 6, flags);
	cth_store_host32(p + 8, seq);
	cth_store_host32(p + 12, 0);
	p[16] = family;
	p[17] = NFNETLINK_V0;
	cth_store_be16(p + 18, res_id);
}

void cth_msg_begin_bare(struct cth_msg *m)
{
	start_message(m, true);
}

/* The open message, as far as it is there, is one no more. */
static inline void close_message(struct cth_msg *m)
{
	m->open = false;
	m->room = m->outside = 0;
}

void cth_msg_cancel(struct cth_msg *m)
{
	if (m->open)
		m->len = m->start;
	m->overflow = false;
	close_message(m);
}

int cth_msg_end(struct cth_msg *m)
{
	size_t n = m->len - m->start + m->outside;

	if (!m->open)
		return -EINVAL;
	if (m->overflow || n > UINT32_MAX) {
		cth_msg_cancel(m);
		return -EMSGSIZE;
	}
	if (!m->bare)
		cth_store_host32(m->buf + m->start, (uint32_t)n);
	close_message(m);
	return 0;
}

uint8_t *cth_msg_space(struct cth_msg *m, size_t n)
{
	return grow(m, n) ? m->buf + m->len - n : NULL;
}

/* An attribute's header, and room for n bytes of value with their padding zeroed. */
static uint8_t *attribute(struct cth_msg *m, uint16_t type, size_t n)
{
	size_t whole = (ATTR_HEADER + n + 3) & ~(size_t)3;
	uint8_t *end;

	if (n > ATTR_MAX - ATTR_HEADER)
		whole = SIZE_MAX; /* more than there is room for */
	if (!grow(m, whole))
		return NULL;
	end = m->buf + m->len;
	cth_store_host32(end - 4, 0); /* the value's last word, which padding ends */
	return cth_msg_header(end - whole, type, (uint16_t)n);
}

void cth_msg_put(struct cth_msg *m, uint16_t type, const void *data, size_t n)
{
	uint8_t *p = attribute(m, type, n);

	if (p && n)
		memcpy(p, data, n);
}

void cth_msg_put_u8(struct cth_msg *m, uint16_t type, uint8_t v)
{
	cth_msg_put(m, type, &v, sizeof(v));
}

void cth_msg_put_be16(struct cth_msg *m, uint16_t type, uint16_t v)
{
	uint8_t *p = attribute(m, type, sizeof(v));

	if (p)
		cth_store_be16(p, v);
}

void cth_msg_put_be32(struct cth_msg *m, uint16_t type, uint32_t v)
{
	uint8_t *p = attribute(m, type, sizeof(v));

	if (p)
		cth_store_be32(p, v);
}

void cth_msg_put_be64(struct cth_msg *m, uint16_t type, uint64_t v)
{
	uint8_t *p = attribute(m, type, sizeof(v));

	if (p)
		cth_store_be64(p, v);
}

void cth_msg_put_str(struct cth_msg *m, uint16_t type, const char *s)
{
	cth_msg_put(m, type, s, strlen(s) + 1);
}

size_t cth_msg_nest(struct cth_msg *m, uint16_t type)
{
	size_t nest = m->len;

	attribute(m, (uint16_t)(type | NLA_F_NESTED), 0);
	return nest;
}

void cth_msg_nest_end(struct cth_msg *m, size_t nest)
{
	if (m->overflow || !m->open)
		return;
	if (m->outside || m->len - nest > ATTR_MAX) {
		overflow(m);
		return;
	}
	cth_store_host16(m->buf + nest, (uint16_t)(m->len - nest));
}

void cth_msg_reserve(struct cth_msg *m, uint16_t type, size_t n)
{
	uint8_t *p = attribute(m, type, n > ATTR_MAX - ATTR_HEADER ? n : 0);

	if (!p)
		return;
	cth_msg_header(p - ATTR_HEADER, type, (uint16_t)n);
	m->outside = n;
	m->room = 0; /* nothing comes behind it */
}
