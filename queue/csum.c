/* SPDX-License-Identifier: MIT */
/*
 * csum.c - the Internet checksum. Answers to RFC 1071: the ones' complement of the ones'
 * complement sum of 16-bit words. The sum is kept in 64 bits and folded at the end, so it
 * cannot lose a carry.
 */
#include "csum.h"

void cth_csum_add(struct cth_csum *c, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	size_t i = 0;

	if (c->odd && n) {
		c->sum += p[i++];
		c->odd = false;
	}
	for (; n - i >= 2; i += 2)
		c->sum += cth_be16(p + i);
	if (i < n) {
		c->sum += (unsigned)p[i] << 8;
		c->odd = true;
	}
}

uint16_t cth_csum_end(const struct cth_csum *c)
{
	uint64_t sum = c->sum;

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}
