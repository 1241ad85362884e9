/* SPDX-License-Identifier: MIT */
/*
 * swap.c - recordings from machines of the other byte order. Netlink's own headers are
 * in the order of the machine, and so are a few values, of which the schema knows; all
 * else is big-endian or without an order:
 *
 *     nlmsghdr      len u32, type u16, flags u16, seq u32, pid u32        machine's order
 *     nfgenmsg      family u8, version u8, res_id be16
 *     attribute     len u16, type u16                                     machine's order
 *       value       by the schema; inside of a nest attributes again
 *     NLMSG_ERROR   error i32, the request that it answers                machine's order
 *                   (only its nlmsghdr, when capped), extended ACK attributes
 *     NLMSG_DONE    error i32, extended ACK attributes                    machine's order
 *
 * Every field is read before or after it is turned, whichever gives its value here, so
 * the same walk goes both ways. Lengths that lie end the walk of their level.
 */
#include "decode.h"
#include "schema.h"
#include "../netlink/uapi.h"

#define MSG_HEADER    16u
#define ATTR_HEADER   4u
#define ATTR_TYPE     0x3fffu /* without the flags NESTED and NET_BYTEORDER */
#define FILE_MAGIC    0xa1b2c3d4u /* of a pcap file; and with nanoseconds: */
#define FILE_MAGIC_NS 0xa1b23c4du
#define FRAME_FIELDS  16u /* a frame: seconds, fraction, stored, full; then */
#define COOKED_HEADER 16u /* what stored counts too, always big-endian, with */
#define COOKED_FAMILY 14u /* the netlink protocol at its end */

static void turn(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		uint8_t b = p[i];

		p[i] = p[n - 1 - i];
		p[n - 1 - i] = b;
	}
}

static uint16_t turn16(uint8_t *p, bool to_host)
{
	uint16_t before = cth_host16(p);

	turn(p, 2);
	return to_host ? cth_host16(p) : before;
}

static uint32_t turn32(uint8_t *p, bool to_host)
{
	uint32_t before = cth_host32(p);

	turn(p, 4);
	return to_host ? cth_host32(p) : before;
}

static void swap_attrs(uint8_t *p, size_t n, const struct schema_attr *table, bool to_host,
		       unsigned depth);

static void swap_value(uint8_t *p, size_t n, const struct schema_attr *a,
		       const struct schema_attr *choice, bool nested, bool to_host, unsigned depth)
{
	enum schema_kind kind = a ? a->kind : nested ? S_NEST : S_BYTES;

	switch (kind) {
	case S_HOST32:
		if (n == 4)
			turn(p, 4);
		break;
	case S_HOST64:
		if (n == 8)
			turn(p, 8);
		break;
	case S_WORDS:
		for (size_t i = 0; n - i >= 4 && i < n; i += 4)
			turn(p + i, 4);
		break;
	case S_NEST:
		swap_attrs(p, n, a ? a->nest : NULL, to_host, depth + 1);
		break;
	case S_CHOICE:
		if (choice || nested)
			swap_attrs(p, n, choice, to_host, depth + 1);
		break;
	default:
		break;
	}
}

static void swap_attrs(uint8_t *p, size_t n, const struct schema_attr *table, bool to_host,
		       unsigned depth)
{
	const struct schema_attr *choice;

	if (depth > SCHEMA_DEPTH)
		return;
	choice = schema_choice(table, cth_span(p, n), to_host);
	while (n >= ATTR_HEADER) {
		size_t len = turn16(p, to_host), padded = (len + 3) & ~(size_t)3;
		uint16_t type = turn16(p + 2, to_host);

		if (len < ATTR_HEADER || len > n)
			return;
		swap_value(p + ATTR_HEADER, len - ATTR_HEADER,
			   schema_attr(table, type & ATTR_TYPE), choice,
			   (type & NLA_F_NESTED) != 0, to_host, depth);
		if (padded > n)
			return;
		p += padded;
		n -= padded;
	}
}

/* What a nlmsghdr says. */
struct header {
	uint32_t len;
	uint16_t type, flags;
};

static struct header swap_header(uint8_t *p, bool to_host)
{
	struct header h;

	h.len = turn32(p, to_host);
	h.type = turn16(p + 4, to_host);
	h.flags = turn16(p + 6, to_host);
	turn(p + 8, 4);
	turn(p + 12, 4);
	return h;
}

/* An nfnetlink message behind its nlmsghdr. */
static void swap_body(uint8_t *p, size_t n, const struct header *h, bool to_host)
{
	const struct schema_message *m = schema_message(h->type, h->flags & NLM_F_REQUEST);

	if (h->type >= NLMSG_MIN_TYPE && n >= 4)
		swap_attrs(p + 4, n - 4, m ? m->attrs : NULL, to_host, 0);
}

/* NLMSG_ERROR behind its nlmsghdr. */
static void swap_error(uint8_t *p, size_t n, const struct header *h, bool to_host)
{
	struct header request;
	size_t echoed = MSG_HEADER;
	uint32_t error;

	if (n < 4)
		return;
	error = turn32(p, to_host);
	if (n < 4 + MSG_HEADER)
		return;
	p += 4;
	n -= 4;
	request = swap_header(p, to_host);
	if (error != 0 && !(h->flags & CTH_NLM_F_CAPPED) && request.len > MSG_HEADER) {
		echoed = request.len < n ? request.len : n;
		swap_body(p + MSG_HEADER, echoed - MSG_HEADER, &request, to_host);
		echoed = (echoed + 3) & ~(size_t)3;
	}
	if (h->flags & CTH_NLM_F_ACK_TLVS && echoed < n)
		swap_attrs(p + echoed, n - echoed, schema_ext_ack, to_host, 0);
}

static void swap_done(uint8_t *p, size_t n, const struct header *h, bool to_host)
{
	if (n < 4)
		return;
	turn(p, 4);
	if (h->flags & CTH_NLM_F_ACK_TLVS)
		swap_attrs(p + 4, n - 4, schema_ext_ack, to_host, 0);
}

void swap_datagram(uint8_t *p, size_t n, bool to_host)
{
	while (n >= MSG_HEADER) {
		struct header h = swap_header(p, to_host);
		size_t len = h.len < n ? h.len : n, padded = (len + 3) & ~(size_t)3;

		if (h.len < MSG_HEADER)
			return;
		if (h.type == NLMSG_ERROR)
			swap_error(p + MSG_HEADER, len - MSG_HEADER, &h, to_host);
		else if (h.type == NLMSG_DONE)
			swap_done(p + MSG_HEADER, len - MSG_HEADER, &h, to_host);
		else
			swap_body(p + MSG_HEADER, len - MSG_HEADER, &h, to_host);
		if (padded >= n)
			return;
		p += padded;
		n -= padded;
	}
}

/* Which way a file has to go. */
static bool is_foreign(const uint8_t *file)
{
	uint32_t magic = cth_host32(file);

	return magic != FILE_MAGIC && magic != FILE_MAGIC_NS;
}

static void swap_file_header(uint8_t *p)
{
	turn(p, 4);      /* magic */
	turn(p + 4, 2);  /* version: major and minor */
	turn(p + 6, 2);
	turn(p + 8, 4);  /* unused */
	turn(p + 12, 4);
	turn(p + 16, 4); /* longest frame */
	turn(p + 20, 4); /* link type */
}

/* The bytes of a frame that follow the first four fields, of which this is the third. */
static size_t swap_frame_header(uint8_t *p, bool to_host)
{
	turn(p, 4);
	turn(p + 4, 4);
	turn(p + 12, 4);
	return turn32(p + 8, to_host);
}

void swap_recording(uint8_t *p, size_t n)
{
	bool to_host;

	if (n < CTH_PCAP_FILE_HEADER)
		return;
	to_host = is_foreign(p);
	swap_file_header(p);
	p += CTH_PCAP_FILE_HEADER;
	n -= CTH_PCAP_FILE_HEADER;
	while (n >= CTH_PCAP_FRAME_HEADER) {
		size_t stored = swap_frame_header(p, to_host);

		p += FRAME_FIELDS;
		n -= FRAME_FIELDS;
		if (stored < COOKED_HEADER || stored > n)
			return;
		if (cth_be16(p + COOKED_FAMILY) == NETLINK_NETFILTER)
			swap_datagram(p + COOKED_HEADER, stored - COOKED_HEADER, to_host);
		p += stored;
		n -= stored;
	}
}
