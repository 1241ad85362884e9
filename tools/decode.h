/* SPDX-License-Identifier: MIT */
/*
 * decode.h - netlink datagrams as text, and between the byte orders.
 */
#ifndef TOOLS_DECODE_H
#define TOOLS_DECODE_H

#include <stdbool.h>
#include <stdio.h>
#include "../netlink/pcap.h"

/*
 * Prints the messages of one NETLINK_NETFILTER datagram of this machine's byte order, as a
 * tree, or, when the applet was asked for it, as JSON, an object on a line for each message.
 */
void decode_datagram(FILE *f, struct cth_span datagram, bool to_kernel);

/* How a recording is printed. */
struct decode_how {
	bool json;
	size_t shown; /* of opaque bytes: how many, before "... N more" */
};
#define DECODE_SHOWN 32

/*
 * Prints all frames of an open recording of this machine's byte order: how many there were;
 * or -EBADMSG: those that stand before the place at which the recording ends too early.
 */
int decode_recording(FILE *f, struct cth_pcap *p, const struct decode_how *how, size_t *frames);

/*
 * swap.c: a NETLINK_NETFILTER datagram from the other byte order to this machine's, in
 * place; or, with to_host false, the other way. What the schema does not know, and is not
 * marked as a nest, stays as it is.
 */
void swap_datagram(uint8_t *bytes, size_t n, bool to_host);

/*
 * A whole recording, made here or foreign, to what it would be on a machine of the other
 * byte order. The end of one that is cut short or spoilt stays as it is.
 */
void swap_recording(uint8_t *bytes, size_t n);

/*
 * Reads a recording into memory, in this machine's byte order, and opens it: 0 and *bytes,
 * to be freed; or an exit code, and what is wrong with the file has been said.
 */
int open_recording(const char *path, uint8_t **bytes, struct cth_pcap *p);

/* Says at which byte, after how many frames, a recording ends too early: an exit code. */
int cut_recording(const char *path, size_t offset, size_t frames);

#endif
