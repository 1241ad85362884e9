/* SPDX-License-Identifier: MIT */
/*
 * span.h - a view of bytes that somebody else owns, and loads and stores that
 * never cast a pointer into them. All of the library reads packets this way,
 * so unaligned input, strict-alignment CPUs and both byte orders just work.
 *
 * A span with p == NULL says "absent"; one with n == 0 says "there, and empty".
 */
#ifndef CTH_SPAN_H
#define CTH_SPAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* n bytes at p. They belong to somebody else, who says how long they live. */
struct cth_span {
	const uint8_t *p;
	size_t n;
};

/* The span of these bytes, which may be NULL and none. */
static inline struct cth_span cth_span(const void *p, size_t n)
{
	struct cth_span s = { (const uint8_t *)p, n };
	return s;
}

/* The n bytes at off, or an absent span when they do not all lie inside s. */
static inline struct cth_span cth_span_sub(struct cth_span s, size_t off, size_t n)
{
	if (!s.p || off > s.n || n > s.n - off)
		return cth_span(NULL, 0);
	return cth_span(s.p + off, n);
}

/* Big-endian loads and stores: what nfnetlink carries in its attributes. */
static inline uint16_t cth_be16(const uint8_t *p)
{
	return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t cth_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t cth_be64(const uint8_t *p)
{
	return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 |
	       (uint64_t)p[3] << 32 | (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 |
	       (uint64_t)p[6] << 8 | p[7];
}

static inline void cth_store_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void cth_store_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static inline void cth_store_be64(uint8_t *p, uint64_t v)
{
	/* Spelled out: two stores of 32 bits in a row gcc takes for something to vectorize. */
	p[0] = (uint8_t)(v >> 56);
	p[1] = (uint8_t)(v >> 48);
	p[2] = (uint8_t)(v >> 40);
	p[3] = (uint8_t)(v >> 32);
	p[4] = (uint8_t)(v >> 24);
	p[5] = (uint8_t)(v >> 16);
	p[6] = (uint8_t)(v >> 8);
	p[7] = (uint8_t)v;
}

/* Host-order loads and stores: what netlink's own headers are made of. */
static inline uint16_t cth_host16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t cth_host32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void cth_store_host16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void cth_store_host32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

#endif
