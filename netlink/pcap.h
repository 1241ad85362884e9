/* SPDX-License-Identifier: MIT */
/*
 * pcap.h - recordings of netlink traffic, as tcpdump writes them on an nlmon device
 * and Wireshark reads them. Only bytes: opening files is the caller's.
 */
#ifndef CTH_PCAP_H
#define CTH_PCAP_H

#include <stdbool.h>
#include "span.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CTH_PCAP_FILE_HEADER  24 /* bytes, once at the start */
#define CTH_PCAP_FRAME_HEADER 32 /* bytes, before each datagram */
#define CTH_PCAP_SNAPLEN      262144 /* bytes of a datagram that are kept, at most */

/* One datagram of a recording. bytes lies in the recording and lives as long. */
struct cth_pcap_frame {
	uint64_t sec; /* since 1970 */
	uint32_t nsec;
	bool to_kernel;
	uint16_t family; /* netlink protocol: 12 is NETLINK_NETFILTER */
	size_t full;     /* the datagram's length; more than bytes.n if the capture cut it */
	struct cth_span bytes;
};

/* A reader of a recording that lies in memory. */
struct cth_pcap {
	bool foreign; /* made on a machine of the other byte order: so is the netlink inside */
	/* private */
	bool nano;
	struct cth_span left;
};

/* What a file starts with, in this machine's byte order. */
void cth_pcap_file_header(uint8_t out[CTH_PCAP_FILE_HEADER]);

/* What goes before f's bytes. Frames longer than CTH_PCAP_SNAPLEN are to be cut to it. */
void cth_pcap_frame_header(uint8_t out[CTH_PCAP_FRAME_HEADER], const struct cth_pcap_frame *f);

/*
 * Starts reading: 0. -EBADMSG: not a pcap file (pcapng is none either).
 * -EPROTONOSUPPORT: a pcap file of another link type.
 */
int cth_pcap_open(struct cth_pcap *p, struct cth_span file);

/*
 * Takes the next frame off: 1; at the end: 0; a frame cut short or impossible:
 * -EBADMSG, and the reader stays where it is.
 */
int cth_pcap_next(struct cth_pcap *p, struct cth_pcap_frame *f);

#ifdef __cplusplus
}
#endif
#endif
