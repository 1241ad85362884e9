/* SPDX-License-Identifier: MIT */
/*
 * csum.h - the Internet checksum of RFC 1071, over bytes that come in pieces: for those
 * who send a whole packet of their own.
 */
#ifndef CTH_CSUM_H
#define CTH_CSUM_H

#include <stdbool.h>
#include "../netlink/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialised it is the sum of nothing. */
struct cth_csum {
	/* private */
	uint64_t sum;
	bool odd; /* half a word is still to come */
};

/* Adds the n bytes that come next, an odd number too. */
void cth_csum_add(struct cth_csum *c, const void *bytes, size_t n);

/* The checksum, as it is to be stored with cth_store_be16(). UDP sends 0xffff for 0. */
uint16_t cth_csum_end(const struct cth_csum *c);

#ifdef __cplusplus
}
#endif
#endif
