/* SPDX-License-Identifier: MIT */
/*
 * decode.h - recordings: reading them, turning their byte order, and their datagrams
 * as text or JSON.
 */
#ifndef TOOLS_DECODE_H
#define TOOLS_DECODE_H

#include <stdbool.h>
#include <stdio.h>
#include "../netlink/pcap.h"

/*
 * messages.c: prints the messages of one NETLINK_NETFILTER datagram of this machine's byte
 * order as a tree; or, when the applet was asked for JSON, as an object on a line for each.
 */
void decode_datagram(FILE *f, struct cth_span datagram, bool to_kernel);

/*
 * swap.c: turns a NETLINK_NETFILTER datagram of the other byte order into one of this
 * machine's, in place; or, with to_host false, the other way. What the schema does not
 * know, and is not marked as a nest, stays as it is.
 */
void swap_datagram(uint8_t *bytes, size_t n, bool to_host);

/*
 * Turns a whole recording, made here or foreign, into what it would be on a machine of
 * the other byte order. The end of one that is cut short or spoilt stays as it is.
 */
void swap_recording(uint8_t *bytes, size_t n);

/* tape.c: a recording that is read frame by frame, in this machine's byte order. */
struct tape {
	const char *path; /* for what is said */
	uint8_t *bytes;   /* the whole file; a frame's bytes lie in it and may be changed */
	size_t n;
	size_t at;        /* how much of it was read */
	size_t frames;    /* how many that was */
	/* private */
	struct cth_pcap pcap;
};

/* Reads a file: 0; or an exit code, and what is wrong with it has been said. */
int tape_open(struct tape *t, const char *path);
void tape_close(struct tape *t);

/* The same with bytes that are in memory and stay the caller's: 0, or as cth_pcap_open(). */
int tape_start(struct tape *t, uint8_t *bytes, size_t n);

/* The next frame: 1; at the end: 0; the recording ends too early or is spoilt here: -EBADMSG. */
int tape_next(struct tape *t, struct cth_pcap_frame *frame);

/* Says the latter: the exit code. */
int tape_cut(const struct tape *t);

/* decode.c: prints all that is left of a tape; returns what tape_next() returned last. */
struct decode_how {
	bool json;
	size_t shown; /* of opaque bytes: how many, before "... N more" */
};
#define DECODE_SHOWN 32
int decode_tape(FILE *f, struct tape *t, const struct decode_how *how);

/* summary.c: a packet's headers on one line, "IPv4 tcp 10.0.0.1:40000 > 10.0.0.2:21 SYN body 0". */
#define SUMMARY_MAX 192
void packet_summary(struct cth_span packet, char text[SUMMARY_MAX]);

#endif
