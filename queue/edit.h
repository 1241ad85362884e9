/* SPDX-License-Identifier: MIT */
/*
 * edit.h - changes to what a TCP or UDP packet carries: noted down while the packet is
 * looked at, made when its verdict is sent, all or nothing, with lengths and checksums.
 */
#ifndef CTH_EDIT_H
#define CTH_EDIT_H

#include <sys/uio.h>
#include "pkt.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CTH_EDIT_CUTS    8    /* per packet */
#define CTH_EDIT_PATCHES 2    /* lengths of the protocol's own that follow the change */
#define CTH_EDIT_TEXT    512  /* bytes put in, all cuts together */
#define CTH_EDIT_HEAD    608  /* scratch for headers: IP with options or extensions, TCP */

#define CTH_PACKET_MAX   65531 /* the longest packet that an attribute carries to the kernel */

/*
 * A bounded list of changes, offsets counted from the start of the transport's body.
 * Zero-initialised it is empty.
 */
struct cth_edit {
	/* private */
	uint8_t cuts, patches;
	bool overflow;
	uint16_t text_len;
	struct {
		uint32_t off, len;
		uint16_t text, text_len;
	} cut[CTH_EDIT_CUTS];
	struct {
		uint32_t off;
		uint8_t width;
	} patch[CTH_EDIT_PATCHES];
	uint8_t text[CTH_EDIT_TEXT];
};

/*
 * At off, takes len bytes out and puts n others in. Cuts must come in ascending order
 * and not overlap. Nothing is returned: what cannot be noted makes the edit refused.
 * A cut of nothing for nothing is one too: the packet goes back as it is, checksums anew.
 */
void cth_edit_cut(struct cth_edit *e, size_t off, size_t len, const void *put, size_t n);

/*
 * The big-endian number of width 2 or 4 at off is a length of the protocol's own: the
 * edit's total change is added to it. Up to two, outside of all cuts and of each other.
 */
void cth_edit_length_at(struct cth_edit *e, size_t off, unsigned width);

/* Is there nothing to change? An edit that noted too much is not empty: it is to be refused. */
static inline bool cth_edit_empty(const struct cth_edit *e)
{
	return e->cuts == 0 && !e->overflow;
}

/*
 * May the kernel be given another packet in place of this one? 0, or what cth_edit_apply()
 * would say, before any edit is thought of: -ENODATA, or -EOPNOTSUPP for bridge and GSO.
 */
int cth_edit_possible(const struct cth_pkt *p, const char **why);

/* The edited packet, in pieces that point into the packet, the edit and head. */
struct cth_edited {
	struct iovec part[2 * CTH_EDIT_CUTS + 2 + 2 * CTH_EDIT_PATCHES];
	size_t parts;
	size_t n; /* bytes in all */
	uint8_t head[CTH_EDIT_HEAD];
};

/*
 * Makes the edited packet: 0. Otherwise -errno and in *why a sentence; *out is then of no
 * use, and p and e are as they were.
 *
 * -EINVAL     the edit: too much of it, out of order, outside the body, a length that would
 *             leave its width.
 * -ENODATA    the payload is not the whole packet.
 * -EMSGSIZE   the result is longer than CTH_PACKET_MAX, or the headers than CTH_EDIT_HEAD.
 * -EBADMSG    neither TCP nor UDP, or the headers disagree with each other.
 * -EOPNOTSUPP the kernel or the receiver would not take it: a bridge's packet, a GSO packet,
 *             a fragment, one whose checksum cannot be known (IPv6 routing header) or is
 *             signed (IPv6 authentication header); or a TCP stream's length that the kernel
 *             would not adjust: it does so only on a helper's flows with NAT, which
 *             F_CONNTRACK shows, and over IPv6 only in packets without extension headers.
 *
 * Where a TCP stream over IPv6 changes its length, the packet's traffic class changes too: to
 * 0xa0, with the low four bits as they were, or else the kernel would adjust the stream wrongly.
 * A TCP segment may be left empty; the sender, to whom nobody acknowledges it, repeats it until
 * more of the stream follows.
 *
 * A packet with CTH_SKB_CSUM_NOT_READY is fine unless it is GSO: whatever its checksum
 * fields held, they are made anew, and the kernel takes them as final.
 */
int cth_edit_apply(const struct cth_edit *e, const struct cth_pkt *p, struct cth_edited *out,
		   const char **why);

#ifdef __cplusplus
}
#endif
#endif
