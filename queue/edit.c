/* SPDX-License-Identifier: MIT */
/*
 * edit.c - changes to what a TCP or UDP packet carries. Answers to RFC 791 and 8200
 * (lengths), 1071, 9293, 768 and 8200 part 8.1 (checksums), and to what the kernel does
 * with a packet that comes back changed (nfnetlink_queue's NFQA_PAYLOAD). The result:
 *
 *     head: IP and transport header | kept | put | kept | patched | kept | put | ...
 *     copied, lengths and checksums   '--- views into the packet, the edit, and head ---'
 *
 * What the kernel would spoil or drop without a word is refused here, with one.
 *
 * Unfinished checksums are no reason to refuse. The kernel sets the checksum state of a
 * replaced packet to "none": final, as they stand in the packet; and they are computed
 * here over every byte, not adjusted. Only with GSO the same bytes would be headers for
 * segments that are yet to be made.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include "csum.h"
#include "edit.h"
#include "../netlink/uapi.h"

#define EDIT_PATCH_WIDTH 4u /* the widest number */
#define EDIT_IP6_HEADER  40u
#define EDIT_HEADERS     (CTH_EDIT_HEAD - CTH_EDIT_PATCHES * EDIT_PATCH_WIDTH)

static int edit_refuse(const char **why, int err, const char *sentence)
{
	if (why)
		*why = sentence;
	return err;
}

/* Where in the body the last cut ends. */
static uint32_t edit_end(const struct cth_edit *e)
{
	return e->cuts ? e->cut[e->cuts - 1].off + e->cut[e->cuts - 1].len : 0;
}

void cth_edit_cut(struct cth_edit *e, size_t off, size_t len, const void *put, size_t n)
{
	if (e->overflow || e->cuts == CTH_EDIT_CUTS || n > CTH_EDIT_TEXT - (size_t)e->text_len ||
	    off < edit_end(e) || off > CTH_PACKET_MAX || len > CTH_PACKET_MAX) {
		e->overflow = true;
		return;
	}
	e->cut[e->cuts].off = (uint32_t)off;
	e->cut[e->cuts].len = (uint32_t)len;
	e->cut[e->cuts].text = e->text_len;
	e->cut[e->cuts].text_len = (uint16_t)n;
	e->cuts++;
	if (n)
		memcpy(e->text + e->text_len, put, n);
	e->text_len = (uint16_t)(e->text_len + n);
}

/* Keeps the patches in ascending order. */
void cth_edit_length_at(struct cth_edit *e, size_t off, unsigned width)
{
	unsigned at = e->patches;

	if (at == CTH_EDIT_PATCHES || off > CTH_PACKET_MAX || (width != 2 && width != 4)) {
		e->overflow = true;
		return;
	}
	for (; at > 0 && e->patch[at - 1].off > off; at--)
		e->patch[at] = e->patch[at - 1];
	e->patch[at].off = (uint32_t)off;
	e->patch[at].width = (uint8_t)width;
	e->patches++;
}

int cth_edit_possible(const struct cth_pkt *p, const char **why)
{
	if (p->family == AF_BRIDGE)
		return edit_refuse(why, -EOPNOTSUPP, "the kernel drops a bridge's changed packets");
	if (p->payload.n == 0 || p->have & CTH_PKT_CAP_LEN)
		return edit_refuse(why, -ENODATA, "the packet was not seen whole: "
				   "ask for a longer copy range");
	if (p->skb_info & CTH_SKB_GSO)
		return edit_refuse(why, -EOPNOTSUPP, "the packet is yet to be segmented: "
				   "bind the queue without F_GSO");
	return 0;
}

/* Does the packet hold what its headers say, and nothing that forbids a change? */
static int edit_check_headers(const struct cth_pkt *p, const struct cth_ip *ip, const char **why)
{
	size_t l4_len = ip->total - ip->l4;

	/* Bytes behind the packet would count as a change of its length. */
	if (ip->total < p->payload.n)
		return edit_refuse(why, -EBADMSG, ip->total ? "bytes follow behind the packet"
				   : "the packet tells no length");
	if (ip->total > p->payload.n)
		return edit_refuse(why, -ENODATA, "the payload is shorter than the packet");
	if (ip->fragment || ip->more)
		return edit_refuse(why, -EOPNOTSUPP, "the packet is a fragment");
	if (ip->routed)
		return edit_refuse(why, -EOPNOTSUPP,
				   "an IPv6 routing header takes part in the checksum");
	if (ip->sealed)
		return edit_refuse(why, -EOPNOTSUPP, "an IPv6 authentication header signs it");
	if ((ip->proto != IPPROTO_TCP && ip->proto != IPPROTO_UDP) || !ip->body)
		return edit_refuse(why, -EBADMSG, "the packet has no whole TCP or UDP header");
	if (ip->body > EDIT_HEADERS)
		return edit_refuse(why, -EMSGSIZE, "the packet's headers are too long");
	if (ip->proto == IPPROTO_UDP && cth_be16(p->payload.p + ip->l4 + 4) != l4_len)
		return edit_refuse(why, -EBADMSG, "UDP tells another length than IP");
	return 0;
}

/* A patch must lie behind the one before it, and beside every cut. */
static bool edit_patch_fits(const struct cth_edit *e, unsigned i, size_t body_len)
{
	uint32_t from = e->patch[i].off, to = from + e->patch[i].width;

	if (to > body_len || (i > 0 && e->patch[i - 1].off + e->patch[i - 1].width > from))
		return false;
	for (unsigned c = 0; c < e->cuts; c++)
		if (from < e->cut[c].off + e->cut[c].len && e->cut[c].off < to)
			return false;
	return true;
}

static int edit_check_list(const struct cth_edit *e, size_t body_len, const char **why)
{
	if (e->overflow)
		return edit_refuse(why, -EINVAL, "the edit is too much or out of order");
	if (edit_end(e) > body_len)
		return edit_refuse(why, -EINVAL, "the edit goes beyond the packet's body");
	for (unsigned i = 0; i < e->patches; i++)
		if (!edit_patch_fits(e, i, body_len))
			return edit_refuse(why, -EINVAL,
					   "a length lies in a cut or beyond the packet's body");
	return 0;
}

/* By how many bytes the packet grows. */
static int32_t edit_change(const struct cth_edit *e)
{
	int32_t change = e->text_len;

	for (unsigned i = 0; i < e->cuts; i++)
		change -= (int32_t)e->cut[i].len;
	return change;
}

/* Conntrack can shift sequence numbers of flows that have both, a helper and NAT. */
static bool edit_flow_is_adjusted(const struct cth_pkt *p)
{
	struct cth_span status = cth_attr_find(p->ct, CTA_STATUS);

	return status.n == 4 && cth_be32(status.p) & IPS_NAT_MASK &&
	       cth_attr_find(p->ct, CTA_HELP).p;
}

/* TCP numbers its bytes: somebody has to shift the numbers of all later segments. */
static int edit_check_growth(const struct cth_pkt *p, const struct cth_ip *ip, int32_t change,
			     const char **why)
{
	if ((int32_t)ip->total + change > CTH_PACKET_MAX)
		return edit_refuse(why, -EMSGSIZE, "the packet would be longer than 65531 bytes");
	if (change == 0 || ip->proto != IPPROTO_TCP)
		return 0;
	if (!edit_flow_is_adjusted(p))
		return edit_refuse(why, -EOPNOTSUPP, "a TCP stream would change its length: the "
				   "kernel adjusts only a helper's flows with NAT, which "
				   "F_CONNTRACK shows");
	if (ip->version == 6 && ip->header_len != EDIT_IP6_HEADER)
		return edit_refuse(why, -EOPNOTSUPP, "a TCP stream would change its length in a "
				   "packet with IPv6 extension headers: the kernel adjusts that "
				   "wrongly");
	return 0;
}

static void edit_part(struct cth_edited *out, const void *p, size_t n)
{
	if (n == 0)
		return;
	out->part[out->parts].iov_base = (void *)p; /* sent, never written to */
	out->part[out->parts].iov_len = n;
	out->parts++;
	out->n += n;
}

static uint8_t *edit_patched(struct cth_edited *out, unsigned i)
{
	return out->head + EDIT_HEADERS + i * EDIT_PATCH_WIDTH;
}

/* The protocol's own lengths, changed. */
static int edit_patch(const struct cth_edit *e, struct cth_span body, int32_t change,
		      struct cth_edited *out, const char **why)
{
	for (unsigned i = 0; i < e->patches; i++) {
		const uint8_t *from = body.p + e->patch[i].off;
		bool wide = e->patch[i].width == 4;
		int64_t n = (int64_t)(wide ? cth_be32(from) : cth_be16(from)) + change;

		if (n < 0 || n > (wide ? UINT32_MAX : UINT16_MAX))
			return edit_refuse(why, -EINVAL, "a length would leave its range");
		if (wide)
			cth_store_be32(edit_patched(out, i), (uint32_t)n);
		else
			cth_store_be16(edit_patched(out, i), (uint16_t)n);
	}
	return 0;
}

/* Bytes from up to to of the body stay, but for the patches among them. */
static void edit_keep(const struct cth_edit *e, struct cth_span body, size_t from, size_t to,
		      struct cth_edited *out)
{
	for (unsigned i = 0; i < e->patches; i++) {
		size_t off = e->patch[i].off;

		if (off < from || off >= to)
			continue;
		edit_part(out, body.p + from, off - from);
		edit_part(out, edit_patched(out, i), e->patch[i].width);
		from = off + e->patch[i].width;
	}
	edit_part(out, body.p + from, to - from);
}

static void edit_body(const struct cth_edit *e, struct cth_span body, struct cth_edited *out)
{
	size_t from = 0;

	for (unsigned i = 0; i < e->cuts; i++) {
		edit_keep(e, body, from, e->cut[i].off, out);
		edit_part(out, e->text + e->cut[i].text, e->cut[i].text_len);
		from = e->cut[i].off + e->cut[i].len;
	}
	edit_keep(e, body, from, body.n, out);
}

static void edit_lengths(const struct cth_ip *ip, struct cth_edited *out)
{
	struct cth_csum c = { 0 };

	if (ip->proto == IPPROTO_UDP)
		cth_store_be16(out->head + ip->l4 + 4, (uint16_t)(out->n - ip->l4));
	if (ip->version == 6) {
		cth_store_be16(out->head + 4, (uint16_t)(out->n - EDIT_IP6_HEADER));
		return;
	}
	cth_store_be16(out->head + 2, (uint16_t)out->n);
	cth_store_be16(out->head + 10, 0);
	cth_csum_add(&c, out->head, ip->header_len);
	cth_store_be16(out->head + 10, cth_csum_end(&c));
}

/*
 * When a TCP stream's length changes, the kernel takes from the packet the sequence number
 * behind which all others are to be shifted. It looks for it at 4 times the low half of the
 * first byte, IPv4's header length, whatever the version is:
 *
 *     IPv4  | version 4 | header length 5..15 | ...
 *     IPv6  | version 6 | traffic class: high | low, with ECN | flow label ...
 *                             here 10 for once
 *
 * So here it has to find 10, and so the TCP header at 40. With a low half of 0 that makes the
 * packet one of class selector 5; no checksum covers the class.
 */
static void edit_guide_kernel(const struct cth_ip *ip, int32_t change, struct cth_edited *out)
{
	if (ip->version == 6 && ip->proto == IPPROTO_TCP && change != 0)
		out->head[0] = 6u << 4 | EDIT_IP6_HEADER / 4;
}

/* Addresses, protocol and length, as both transports sum them up before themselves. */
static void edit_pseudo_header(const struct cth_ip *ip, const struct cth_edited *out,
			       struct cth_csum *c)
{
	uint8_t tail[8] = { 0 };

	if (ip->version == 4)
		cth_csum_add(c, out->head + 12, 8);
	else
		cth_csum_add(c, out->head + 8, 32);
	cth_store_be32(tail, (uint32_t)(out->n - ip->l4));
	tail[7] = ip->proto;
	cth_csum_add(c, tail, sizeof(tail));
}

static void edit_checksum(const struct cth_ip *ip, struct cth_edited *out)
{
	bool udp = ip->proto == IPPROTO_UDP;
	uint8_t *field = out->head + ip->l4 + (udp ? 6 : 16);
	struct cth_csum c = { 0 };
	uint16_t sum;

	/* UDP's sender did without, which IPv6 does not allow. */
	if (udp && ip->version == 4 && cth_be16(field) == 0)
		return;
	cth_store_be16(field, 0);
	edit_pseudo_header(ip, out, &c);
	cth_csum_add(&c, out->head + ip->l4, ip->body - ip->l4);
	for (size_t i = 1; i < out->parts; i++)
		cth_csum_add(&c, out->part[i].iov_base, out->part[i].iov_len);
	sum = cth_csum_end(&c);
	cth_store_be16(field, udp && sum == 0 ? 0xffff : sum);
}

int cth_edit_apply(const struct cth_edit *e, const struct cth_pkt *p, struct cth_edited *out,
		   const char **why)
{
	struct cth_span body;
	struct cth_ip ip;
	int32_t change;
	int r;

	r = cth_edit_possible(p, why);
	if (r < 0)
		return r;
	if (cth_ip_find(&ip, p->payload) < 0)
		return edit_refuse(why, -EBADMSG, "the packet's headers contradict themselves");
	r = edit_check_headers(p, &ip, why);
	if (r < 0)
		return r;
	body = cth_span_sub(p->payload, ip.body, ip.body_len);
	r = edit_check_list(e, body.n, why);
	if (r < 0)
		return r;
	change = edit_change(e);
	r = edit_check_growth(p, &ip, change, why);
	if (r < 0)
		return r;
	r = edit_patch(e, body, change, out, why);
	if (r < 0)
		return r;

	out->parts = 0;
	out->n = 0;
	memcpy(out->head, p->payload.p, ip.body);
	edit_part(out, out->head, ip.body);
	edit_body(e, body, out);
	edit_lengths(&ip, out);
	edit_guide_kernel(&ip, change, out);
	edit_checksum(&ip, out);
	return 0;
}
