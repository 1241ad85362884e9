/* SPDX-License-Identifier: MIT */
/*
 * kept.h - packets that cost two workers, each in a pcap of its own, for a report:
 *
 *     FOLDER/packet-01.pcap .. packet-64.pcap
 *
 * The guardian makes a file and hands it over, the keeper writes into it. There is one whole packet
 * in it, or nothing.
 */
#ifndef TOOLS_KEPT_H
#define TOOLS_KEPT_H

#include "conf.h"
#include "cth.h"

#define KEPT_MOST 64 /* in a folder; those that are there stay */

/*
 * Where they are: as the configuration tells; else $STATE_DIRECTORY, else $RUNTIME_DIRECTORY, which
 * systemd has made for us; else as it is if not told. NULL: nowhere.
 */
const char *kept_folder(const struct conf *c);

/* A folder that somebody has named has to work, from the start: an exit code. */
int kept_check(const struct conf *c);

/*
 * The next file, empty, ours and locked: a descriptor. -errno; -EEXIST: all of them are there. A
 * folder that is missing is made.
 */
int kept_new(const char *folder);

/* Writes one packet, as it came from the kernel: 0. Or nothing of it: -errno. */
int kept_write(int fd, struct cth_span message);

/* Why a packet is not kept: each errno once. folder: NULL if who says it does not know. */
void kept_failed(int err, const char *folder);

#endif
