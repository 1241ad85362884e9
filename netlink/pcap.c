/* SPDX-License-Identifier: MIT */
/*
 * pcap.c - recordings of netlink traffic. Answers to draft-ietf-opsawg-pcap and to the
 * LINKTYPE_NETLINK (253) page of tcpdump.org:
 *
 *     file:  | magic | 2 | 4 | 0 | 0 | snaplen | 253 |        u32 u16 u16 u32 u32 u32 u32
 *     frame: | seconds | micro- or nanoseconds | stored | full |    u32 each
 *            | packet type | ARPHRD 824 | 10 unused | family |    be16 be16 - be16
 *            | the datagram |
 *
 * The file's own fields and the netlink inside are in the byte order of the machine
 * that recorded it, which the magic tells. Packet types 6 and 7 are the kernel's
 * PACKET_USER and PACKET_KERNEL, to the one or to the other; tcpdump writes 4 for both,
 * and then the first message's NLM_F_REQUEST tells.
 */
#include <errno.h>
#include "pcap.h"
#include "uapi.h"

#define PCAP_MAGIC       0xa1b2c3d4u
#define PCAP_MAGIC_NANO  0xa1b23c4du
#define LINKTYPE_NETLINK 253u
#define COOKED_HEADER    16u
#define ARPHRD_NETLINK_  824u
#define TO_USER          6u
#define TO_KERNEL        7u

static uint16_t file16(const struct cth_pcap *p, const uint8_t *at)
{
	uint16_t v = cth_host16(at);

	return (uint16_t)(p->foreign ? v << 8 | v >> 8 : v);
}

static uint32_t file32(const struct cth_pcap *p, const uint8_t *at)
{
	uint32_t v = cth_host32(at);

	if (p->foreign)
		v = v << 24 | (v & 0xff00) << 8 | (v >> 8 & 0xff00) | v >> 24;
	return v;
}

void cth_pcap_file_header(uint8_t out[CTH_PCAP_FILE_HEADER])
{
	memset(out, 0, CTH_PCAP_FILE_HEADER);
	cth_store_host32(out, PCAP_MAGIC_NANO);
	cth_store_host16(out + 4, 2);
	cth_store_host16(out + 6, 4);
	cth_store_host32(out + 16, CTH_PCAP_SNAPLEN);
	cth_store_host32(out + 20, LINKTYPE_NETLINK);
}

void cth_pcap_frame_header(uint8_t out[CTH_PCAP_FRAME_HEADER], const struct cth_pcap_frame *f)
{
	memset(out, 0, CTH_PCAP_FRAME_HEADER);
	cth_store_host32(out, (uint32_t)f->sec);
	cth_store_host32(out + 4, f->nsec);
	cth_store_host32(out + 8, (uint32_t)(COOKED_HEADER + f->bytes.n));
	cth_store_host32(out + 12, (uint32_t)(COOKED_HEADER + f->full));
	cth_store_be16(out + 16, f->to_kernel ? TO_KERNEL : TO_USER);
	cth_store_be16(out + 18, ARPHRD_NETLINK_);
	cth_store_be16(out + 30, f->family);
}

int cth_pcap_open(struct cth_pcap *p, struct cth_span file)
{
	struct cth_span header = cth_span_sub(file, 0, CTH_PCAP_FILE_HEADER);
	uint32_t magic;

	memset(p, 0, sizeof(*p));
	if (!header.p)
		return -EBADMSG;
	magic = file32(p, header.p);
	if (magic != PCAP_MAGIC && magic != PCAP_MAGIC_NANO) {
		p->foreign = true;
		magic = file32(p, header.p);
	}
	if ((magic != PCAP_MAGIC && magic != PCAP_MAGIC_NANO) || file16(p, header.p + 4) != 2)
		return -EBADMSG;
	/* The upper bits of the link type tell of frame check sequences. */
	if ((file32(p, header.p + 20) & 0xffff) != LINKTYPE_NETLINK)
		return -EPROTONOSUPPORT;
	p->nano = magic == PCAP_MAGIC_NANO;
	p->left = cth_span_sub(file, CTH_PCAP_FILE_HEADER, file.n - CTH_PCAP_FILE_HEADER);
	return 0;
}

static bool goes_to_kernel(const struct cth_pcap *p, uint16_t packet_type, struct cth_span bytes)
{
	struct cth_span flags = cth_span_sub(bytes, 6, 2);

	if (packet_type == TO_KERNEL || packet_type == TO_USER)
		return packet_type == TO_KERNEL;
	return flags.p && (file16(p, flags.p) & NLM_F_REQUEST);
}

int cth_pcap_next(struct cth_pcap *p, struct cth_pcap_frame *f)
{
	struct cth_span header = cth_span_sub(p->left, 0, CTH_PCAP_FRAME_HEADER);
	size_t stored, full, frame;

	if (p->left.n == 0)
		return 0;
	if (!header.p)
		return -EBADMSG;
	stored = file32(p, header.p + 8);
	full = file32(p, header.p + 12);
	if (stored < COOKED_HEADER || full < stored ||
	    stored > p->left.n - (CTH_PCAP_FRAME_HEADER - COOKED_HEADER))
		return -EBADMSG;

	f->sec = file32(p, header.p);
	f->nsec = file32(p, header.p + 4);
	if (!p->nano)
		f->nsec = f->nsec < 1000000 ? f->nsec * 1000 : 999999999;
	f->bytes = cth_span_sub(p->left, CTH_PCAP_FRAME_HEADER, stored - COOKED_HEADER);
	f->full = full - COOKED_HEADER;
	f->family = cth_be16(header.p + 30);
	f->to_kernel = goes_to_kernel(p, cth_be16(header.p + 16), f->bytes);

	frame = CTH_PCAP_FRAME_HEADER - COOKED_HEADER + stored;
	p->left = cth_span_sub(p->left, frame, p->left.n - frame);
	return 1;
}
