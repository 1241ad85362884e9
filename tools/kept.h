/* SPDX-License-Identifier: MIT */
/*
 * kept.h - packets that nobody survives, in a pcap for a report. The keeper's file, opened before
 * its jail. There are whole packets in it and nothing else, whatever fails and whoever dies.
 */
#ifndef TOOLS_KEPT_H
#define TOOLS_KEPT_H

#include "run.h"

/*
 * Opens a pcap to add to, made if it is not there; what somebody who died has left behind its last
 * whole packet is cut off: how many bytes that was. -errno; -EBADMSG: it is another kind of file.
 */
int64_t kept_open_file(struct kept *k, const char *path);

/* Adds a packet as a whole: 0. Or nothing of it: -errno. */
int kept_add(struct kept *k, struct cth_span packet);

/* The file that options or the configuration name, if any: an exit code. */
int kept_open(struct run *r);

/* Adds one to it, if there is a file, and counts it. */
void kept_packet(struct run *r, const struct cth_pkt *p);

#endif
