/* SPDX-License-Identifier: MIT */
/*
 * queue.h - what the applets that show packets share.
 */
#ifndef TOOLS_QUEUE_H
#define TOOLS_QUEUE_H

#include "cth.h"

/* The three lines of nfqnl_test on stdout: "pkt received", the fields, "entering callback". */
void print_packet(const struct cth_pkt *p);

/* "flow tcp 10.0.0.1:40000 -> 10.0.0.2:21 helper=ftp ..." of a packet that has one. */
void print_flow(const struct cth_pkt *p);

/* The packet as one line of JSON; verdict may be NULL. */
void print_packet_json(const struct cth_pkt *p, const char *verdict);

#endif
