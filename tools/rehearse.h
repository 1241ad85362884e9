/* SPDX-License-Identifier: MIT */
/*
 * rehearse.h - a recording through a protocol: what `cth replay --helper` does.
 */
#ifndef TOOLS_REHEARSE_H
#define TOOLS_REHEARSE_H

#include "cth.h"
#include "../cthelper/proto.h"

struct rehearsal {
	const struct cth_proto *proto;
	const char *as;    /* the helper's name in the recording; NULL: to be found there */
	uint32_t only;     /* a queue's number, or REHEARSE_EVERY_QUEUE */
	uint32_t allow;    /* CTH_ALLOW_* */
	bool verbose;      /* bare packets too */
};
#define REHEARSE_EVERY_QUEUE UINT32_MAX

/* Shows on stdout what the protocol makes of the packets: an exit code. */
int rehearse(const struct rehearsal *what, const char *path);

#endif
