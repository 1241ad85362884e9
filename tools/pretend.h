/* SPDX-License-Identifier: MIT */
/*
 * pretend.h - a kernel's table of expectations, pretended: what ctnetlink answers to who makes,
 * finds and deletes them, without a kernel. Flows are whatever is named: all of them exist.
 */
#ifndef TOOLS_PRETEND_H
#define TOOLS_PRETEND_H

#include "../cthelper/expect.h"
#include "../cthelper/proto.h"

#define PRETEND_EXPECTATIONS 256

struct pretend {
	struct cth_io io; /* for cth_sock_seam(); this struct stays where it is */
	const struct cth_class *classes; /* CTH_CLASSES of them: how many and for how long;
					    NULL: any number, for ever */
	uint64_t now;     /* seconds; expectations grow old by it */
	struct cth_expect table[PRETEND_EXPECTATIONS]; /* oldest first */
	uint64_t until[PRETEND_EXPECTATIONS];
	size_t n;
	/* private */
	uint32_t ids;
	uint8_t answers[65536];
	size_t answers_n;
};

void pretend_init(struct pretend *k);

/* As the kernel makes one: 0, -EEXIST, -EBUSY, -EMFILE. */
int pretend_new(struct pretend *k, const struct cth_expect *e);

/* The one that a flow of this tuple meets, or NULL. */
const struct cth_expect *pretend_find(struct pretend *k, const struct cth_tuple *t, uint16_t zone);

#endif
