/* SPDX-License-Identifier: MIT */
/*
 * ip.c - where the headers of an IP packet are. Answers to RFC 791 (IPv4), 8200 (IPv6),
 * 4302 (authentication header), 9293 (TCP), 768 (UDP), 792 and 4443 (ICMP):
 *
 *     IPv4   | 4,ihl | tos | total | id | flags,offset | ttl | proto | sum | src | dst | options
 *              0       1     2       4    6              8     9       10    12    16    20
 *     IPv6   | 6,class,flow | payload length | next | hops | src | dst | extension headers
 *              0              4                6      7      8     24    40
 *     an extension header:   | next | length beyond 8, in units of 8 | ...
 *     a fragment header:     | next | -  | offset,more u16 | id u32 |
 *     a routing header:      | next | length | type | segments left | ...
 *     authentication:        | next | length beyond 8, in units of 4 | ...
 *
 * What counts is what both the capture and the packet hold: a capture may be cut short,
 * and it may go on behind the packet's end.
 */
#include <errno.h>
#include <netinet/in.h>
#include "ip.h"

#define IP4_HEADER     20u
#define IP4_MORE       0x2000u
#define IP4_OFFSET     0x1fffu
#define IP6_HEADER     40u
#define IP6_EXTENSION  8u    /* the least length of one */
#define IP6_MORE       0x0001u
#define IP6_OFFSET     0xfff8u
#define TCP_HEADER     20u
#define UDP_HEADER     8u
#define ICMP_HEADER    8u    /* of ICMPv6 too: every message of either has as much */

/* What of the capture is the packet's. */
static struct cth_span ip_visible(const struct cth_ip *ip, struct cth_span b)
{
	return ip->total && ip->total < b.n ? cth_span(b.p, ip->total) : b;
}

static int ip_v4(struct cth_ip *ip, struct cth_span b)
{
	size_t ihl = (b.p[0] & 15u) * 4u;
	uint16_t flags;

	ip->version = 4;
	if (ihl < IP4_HEADER)
		return -EBADMSG;
	if (b.n < IP4_HEADER)
		return 0;
	ip->total = cth_be16(b.p + 2); /* 0 in a GSO packet beyond 64 KiB */
	if (ip->total && ip->total < ihl)
		return -EBADMSG;
	flags = cth_be16(b.p + 6);
	ip->fragment = (flags & IP4_OFFSET) != 0;
	ip->more = (flags & IP4_MORE) != 0;
	ip->proto = b.p[9];
	if (ihl <= b.n)
		ip->header_len = ihl;
	return 0;
}

static bool ip6_is_extension(uint8_t proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING ||
	       proto == IPPROTO_FRAGMENT || proto == IPPROTO_AH || proto == IPPROTO_DSTOPTS;
}

/* Notes what the extension header at x means for the rest; returns its length. */
static size_t ip6_extension(struct cth_ip *ip, const uint8_t *x)
{
	switch (ip->proto) {
	case IPPROTO_FRAGMENT:
		ip->fragment = (cth_be16(x + 2) & IP6_OFFSET) != 0;
		ip->more = (cth_be16(x + 2) & IP6_MORE) != 0;
		return IP6_EXTENSION;
	case IPPROTO_AH:
		ip->sealed = true;
		return (x[1] + 2u) * 4u;
	case IPPROTO_ROUTING:
		ip->routed = x[3] != 0;
		break;
	}
	return (x[1] + 1u) * 8u;
}

/*
 * As many as there are: the kernel walks them all, and who stopped before would be blind to what is
 * behind. Behind the header of a later fragment, numbers of extensions mean nothing any more.
 */
static void ip6_walk(struct cth_ip *ip, struct cth_span b)
{
	size_t at = IP6_HEADER;

	while (!ip->fragment && ip6_is_extension(ip->proto)) {
		struct cth_span x = cth_span_sub(b, at, IP6_EXTENSION);
		size_t len;

		if (!x.p)
			return;
		len = ip6_extension(ip, x.p);
		if (len > b.n - at)
			return;
		ip->proto = x.p[0];
		at += len;
	}
	ip->header_len = at;
}

static int ip_v6(struct cth_ip *ip, struct cth_span b)
{
	size_t payload;

	ip->version = 6;
	if (b.n < IP6_HEADER)
		return 0;
	payload = cth_be16(b.p + 4);
	ip->proto = b.p[6];
	if (payload || ip->proto == IPPROTO_NONE)
		ip->total = IP6_HEADER + payload;
	ip6_walk(ip, ip_visible(ip, b));
	return 0;
}

static int ip_tcp(struct cth_ip *ip, struct cth_span b)
{
	const uint8_t *h = cth_span_sub(b, ip->header_len, TCP_HEADER).p;
	size_t len;

	if (!h)
		return 0;
	len = (size_t)(h[12] >> 4) * 4u;
	if (len < TCP_HEADER)
		return -EBADMSG;
	ip->l4 = ip->header_len;
	ip->sport = cth_be16(h);
	ip->dport = cth_be16(h + 2);
	if (len <= b.n - ip->l4) {
		ip->body = ip->l4 + len;
		ip->body_len = b.n - ip->body;
	}
	return 0;
}

static int ip_udp(struct cth_ip *ip, struct cth_span b)
{
	const uint8_t *h = cth_span_sub(b, ip->header_len, UDP_HEADER).p;
	size_t len;

	if (!h)
		return 0;
	len = cth_be16(h + 4);
	if (len < UDP_HEADER)
		return -EBADMSG;
	ip->l4 = ip->header_len;
	ip->sport = cth_be16(h);
	ip->dport = cth_be16(h + 2);
	ip->body = ip->l4 + UDP_HEADER;
	ip->body_len = b.n - ip->body;
	if (ip->body_len > len - UDP_HEADER)
		ip->body_len = len - UDP_HEADER;
	return 0;
}

static int ip_icmp(struct cth_ip *ip, struct cth_span b)
{
	const uint8_t *h = cth_span_sub(b, ip->header_len, ICMP_HEADER).p;

	if (!h)
		return 0;
	ip->l4 = ip->header_len;
	ip->type = h[0];
	ip->code = h[1];
	ip->body = ip->l4 + ICMP_HEADER;
	ip->body_len = b.n - ip->body;
	return 0;
}

static int ip_transport(struct cth_ip *ip, struct cth_span b)
{
	if (!ip->header_len || ip->fragment)
		return 0;
	if (ip->proto == IPPROTO_TCP)
		return ip_tcp(ip, b);
	if (ip->proto == IPPROTO_UDP)
		return ip_udp(ip, b);
	if (ip->proto == (ip->version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return ip_icmp(ip, b);
	return 0;
}

int cth_ip_find(struct cth_ip *ip, struct cth_span bytes)
{
	int version = bytes.n ? bytes.p[0] >> 4 : 0;
	int r = -EBADMSG;

	memset(ip, 0, sizeof(*ip));
	if (version == 4)
		r = ip_v4(ip, bytes);
	else if (version == 6)
		r = ip_v6(ip, bytes);
	if (r == 0)
		r = ip_transport(ip, ip_visible(ip, bytes));
	if (r < 0)
		memset(ip, 0, sizeof(*ip));
	return r;
}
