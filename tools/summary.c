/* SPDX-License-Identifier: MIT */
/*
 * summary.c - a packet's headers on one line, as far as they are there.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include "cth.h"
#include "decode.h"
#include "line.h"

/* One of the two addresses, with the port if the protocol has such. */
static void add_end(struct line *l, const struct cth_ip *ip, struct cth_span packet, bool source)
{
	char text[INET6_ADDRSTRLEN];
	bool v6 = ip->version == 6;
	bool ports = ip->l4 && (ip->proto == IPPROTO_TCP || ip->proto == IPPROTO_UDP);
	struct cth_span addr = v6 ? cth_span_sub(packet, source ? 8 : 24, 16)
				  : cth_span_sub(packet, source ? 12 : 16, 4);

	if (!addr.p || !inet_ntop(v6 ? AF_INET6 : AF_INET, addr.p, text, sizeof(text)))
		line_add(l, "?");
	else if (!ports)
		line_add(l, "%s", text);
	else
		line_add(l, v6 ? "[%s]:%u" : "%s:%u", text, source ? ip->sport : ip->dport);
}

static void add_tcp_flags(struct line *l, uint8_t flags)
{
	static const char *const names[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR" };
	const char *before = " ";

	for (unsigned i = 0; i < 8; i++) {
		if (!(flags & 1u << i))
			continue;
		line_add(l, "%s%s", before, names[i]);
		before = "|";
	}
}

static void add_transport(struct line *l, const struct cth_ip *ip, struct cth_span packet)
{
	if (ip->fragment)
		line_add(l, " fragment");
	if (ip->l4 == 0)
		return;
	if (ip->proto == IPPROTO_TCP)
		add_tcp_flags(l, packet.p[ip->l4 + 13]);
	if (ip->proto == IPPROTO_ICMP || ip->proto == IPPROTO_ICMPV6)
		line_add(l, " type %u code %u", ip->type, ip->code);
	if (ip->body)
		line_add(l, " body %zu", ip->body_len);
}

void packet_summary(struct cth_span packet, char text[SUMMARY_MAX])
{
	struct line l;
	struct cth_ip ip;
	char proto[12];

	line_begin(&l, text, SUMMARY_MAX);
	if (cth_ip_find(&ip, packet) < 0) {
		line_add(&l, packet.n ? "not IP" : "empty");
		return;
	}
	line_add(&l, "IPv%u %s ", ip.version, l4_name(ip.proto, proto));
	add_end(&l, &ip, packet, true);
	line_add(&l, " > ");
	add_end(&l, &ip, packet, false);
	add_transport(&l, &ip, packet);
}
