/* SPDX-License-Identifier: MIT */
/* ip.c - the headers of IP packets: plain, with options and extensions, cut, and lying. */
#include <sys/socket.h>
#include "packets.h"
#include "../../netlink/uapi.h"
#include "../../queue/pkt.h"

static struct packet k;

static int find(struct cth_ip *ip)
{
	return cth_ip_find(ip, at_the_edge(cth_span(k.b, k.n)));
}

static void plain_tcp_over_ipv4(void **state)
{
	struct shape s = { .version = 4, .proto = TCP };
	struct cth_ip ip;

	(void)state;
	make_packet(&k, &s, "USER ftp\r\n", 10);
	assert_int_equal(find(&ip), 0);
	assert_int_equal(ip.version, 4);
	assert_int_equal(ip.proto, TCP);
	assert_false(ip.fragment);
	assert_false(ip.more);
	assert_int_equal(ip.header_len, 20);
	assert_int_equal(ip.l4, 20);
	assert_int_equal(ip.body, 40);
	assert_int_equal(ip.body_len, 10);
	assert_int_equal(ip.total, 50);
	assert_int_equal(ip.sport, 40000);
	assert_int_equal(ip.dport, 21);
}

static void options_of_ip_and_tcp_of_every_length(void **state)
{
	struct shape s = { .version = 4, .proto = TCP };
	struct cth_ip ip;

	(void)state;
	for (s.options = 0; s.options <= 40; s.options += 4)
		for (s.tcp_options = 0; s.tcp_options <= 40; s.tcp_options += 4) {
			make_packet(&k, &s, "abc", 3);
			assert_int_equal(find(&ip), 0);
			assert_int_equal(ip.header_len, 20 + s.options);
			assert_int_equal(ip.l4, 20 + s.options);
			assert_int_equal(ip.body, 40 + s.options + s.tcp_options);
			assert_int_equal(ip.body_len, 3);
		}
}

static void plain_udp_over_ipv6(void **state)
{
	struct shape s = { .version = 6, .proto = UDP };
	struct cth_ip ip;

	(void)state;
	make_packet(&k, &s, "\0\1file\0octet", 12);
	assert_int_equal(find(&ip), 0);
	assert_int_equal(ip.version, 6);
	assert_int_equal(ip.proto, UDP);
	assert_int_equal(ip.header_len, 40);
	assert_int_equal(ip.l4, 40);
	assert_int_equal(ip.body, 48);
	assert_int_equal(ip.body_len, 12);
	assert_int_equal(ip.total, 60);
	assert_int_equal(ip.dport, 21);
}

static void icmp_tells_type_and_code(void **state)
{
	struct shape s = { .version = 4, .proto = 1 };
	struct cth_ip ip;

	(void)state;
	make_packet(&k, &s, "\3\1....xyz", 9);
	k.n = k.l4 + 11;
	put16(k.b + 2, k.n);
	assert_int_equal(find(&ip), 0);
	assert_int_equal(ip.l4, 20);
	assert_int_equal(ip.type, 3);
	assert_int_equal(ip.code, 1);
	assert_int_equal(ip.body, 28);
	assert_int_equal(ip.body_len, 3);

	s.version = 6;
	s.proto = 58;
	make_packet(&k, &s, "\200\7....xy", 8);
	assert_int_equal(find(&ip), 0);
	assert_int_equal(ip.l4, 40);
	assert_int_equal(ip.type, 128);
	assert_int_equal(ip.code, 7);
	assert_int_equal(ip.body_len, 0);

	/* The one protocol's number in the other's packet is no ICMP. */
	k.b[6] = 1;
	assert_int_equal(find(&ip), 0);
	assert_int_equal(ip.l4, 0);
	assert_int_equal(ip.type, 0);
}

static void other_protocols_have_no_known_header(void **state)
{
	static const uint8_t protos[] = { 0, 2, 41, 47, 50, 51, 59, 132, 136, 255 };
	struct shape s = { .version = 4 };
	struct cth_ip ip;

	(void)state;
	for (size_t i = 0; i < N_OF(protos); i++) {
		s.proto = protos[i];
		make_packet(&k, &s, "0123456789012345678901234", 24);
		assert_int_equal(find(&ip), 0);
		assert_int_equal(ip.proto, protos[i]);
		assert_int_equal(ip.header_len, 20);
		assert_int_equal(ip.l4, 0);
		assert_int_equal(ip.body, 0);
		assert_int_equal(ip.body_len, 0);
	}
}

/* Everything is 0, whatever *ip held before. */
static void assert_refused(void)
{
	static const struct cth_ip nothing;
	struct cth_ip ip;

	memset(&ip, 0xa5, sizeof(ip));
	assert_int_equal(find(&ip), -EBADMSG);
	assert_int_equal(ip.version, 0);
	assert_int_equal(ip.proto, 0);
	assert_int_equal(ip.header_len, nothing.header_len);
	assert_int_equal(ip.l4, nothing.l4);
	assert_int_equal(ip.body, nothing.body);
	assert_int_equal(ip.body_len, nothing.body_len);
	assert_int_equal(ip.total, nothing.total);
	assert_int_equal(ip.sport, nothing.sport);
}

static void what_is_not_ip_is_refused(void **state)
{
	struct shape s = { .version = 4, .proto = TCP };

	(void)state;
	k.n = 0;
	assert_refused();
	for (unsigned v = 0; v < 16; v++) {
		if (v == 4 || v == 6)
			continue;
		make_packet(&k, &s, "abc", 3);
		k.b[0] = (uint8_t)(v << 4 | 5);
		assert_refused();
	}
}

static void peer_libnetfilter_queue_ihl_below_5(void **state)
{
	struct shape s = { .version = 4, .proto = TCP };

	(void)state;
	for (unsigned ihl = 0; ihl < 5; ihl++) {
		make_packet(&k, &s, "abc", 3);
		k.b[0] = (uint8_t)(0x40 + ihl);
		assert_refused();
		k.n = 1;
		assert_refused();
	}
}

static void peer_libnetfilter_queue_tcp_payload_length_underflows(void **state)
{
	struct shape s = { .version = 4, .proto = TCP };
	struct cth_ip ip;

	(void)state;
	/* A data offset inside of the fixed header. */
	for (unsigned words = 0; words < 5; words++) {
		make_packet(&k, &s, "abc", 3);
		k.b[k.l4 + 12] = (uint8_t)(words << 4);
		assert_refused();
	}
	/* One that lies beyond the packet. */
	make_packet(&k, &s, "abc", 3);
	k.b[k.l4 + 12] = 6 << 4;
	assert_int_equal(find(&ip), 0);
	assert_int_equal(ip.l4, 20);
	assert_int_equal(ip.dport, 21);
	assert_int_equal(ip.body, 0);
	assert_int_equal(ip.body_len, 0);
	/* A total length that ends inside of the headers. */
	for (size_t total = 1; total < 40; total++) {
		make_packet(&k, &s, "abc", 3);
		put16(k.b + 2, total);
		if (total < 20) {
			assert_refused();
			continue;
		}
		assert_int_equal(find(&ip), 0);
		assert_int_equal(ip.total, total);
		assert_int_equal(ip.l4, 0);
		assert_int_equal(ip.body_len, 0);
	}
	s.options = 8;
	for (size_t total = 20; total < 30; total++) {
		make_packet(&k, &s, "abc", 3);
		put16(k.b + 2, total);
		if (total < 28)
			assert_refused();
		else
			assert_int_equal(find(&ip), 0);
	}
}

static void peer_libnetfilter_queue_udp_payload_length_ignores_udps_own(void **state)
{
	struct cth_ip ip;

	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		struct shape s = { .version = version, .proto = UDP };

		for (size_t len = 0; len < 40; len++) {
			make_packet(&k, &s, "0123456789", 10);
			put16(k.b + k.l4 + 4, len);
			if (len < 8) {
				assert_refused();
				continue;
			}
			assert_int_equal(find(&ip), 0);
			assert_int_equal(ip.body, k.body);
			assert_int_equal(ip.body_len, len > 18 ? 10 : len - 8);
		}
	}
}

static void the_body_ends_where_the_packet_or_the_capture_ends(void **state)
{
	struct cth_ip ip;

	(void)state;
	for (int version = 4; version <= 6; version += 2)
		for (int proto = TCP; proto <= UDP; proto += UDP - TCP) {
			struct shape s = { .version = version, .proto = (uint8_t)proto };

			make_packet(&k, &s, "0123456789", 10);
			memset(k.b + k.n, 0xff, 16);
			k.n += 16; /* padding of the link layer */
			assert_int_equal(find(&ip), 0);
			assert_int_equal(ip.total, k.n - 16);
			assert_int_equal(ip.body_len, 10);
			k.n -= 20; /* a capture that ends early */
			assert_int_equal(find(&ip), 0);
			assert_int_equal(ip.total, k.n + 4);
			assert_int_equal(ip.body_len, 6);
		}
}

static void a_gso_packet_tells_no_length(void **state)
{
	struct cth_ip ip;

	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		struct shape s = { .version = version, .proto = TCP };

		make_packet(&k, &s, "0123456789", 10);
		put16(k.b + (version == 4 ? 2 : 4), 0);
		assert_int_equal(find(&ip), 0);
		assert_int_equal(ip.total, 0);
		assert_int_equal(ip.body, k.body);
		assert_int_equal(ip.body_len, 10);
	}
}

static void ipv4_fragments(void **state)
{
	struct shape s = { .version = 4, .proto = UDP };
	struct cth_ip ip;

	(void)state;
	make_packet(&k, &s, "0123456789", 10);
	put16(k.b + k.l4 + 4, 3000); /* UDP's length is that of all fragments */
	put16(k.b + 6, 0x2000);
	assert_int_equal(find(&ip), 0);
	assert_false(ip.fragment);
	assert_true(ip.more);
	assert_int_equal(ip.body_len, 10);

	for (uint16_t at = 1; at < 0x2000; at = (uint16_t)(at * 2)) {
		put16(k.b + 6, at);
		assert_int_equal(find(&ip), 0);
		assert_true(ip.fragment);
		assert_false(ip.more);
		assert_int_equal(ip.proto, UDP);
		assert_int_equal(ip.header_len, 20);
		assert_int_equal(ip.l4, 0);
		assert_int_equal(ip.body, 0);
		assert_int_equal(ip.sport, 0);
	}
	put16(k.b + 6, 0xc000); /* the reserved bit and "don't" are neither */
	assert_int_equal(find(&ip), 0);
	assert_false(ip.fragment);
	assert_false(ip.more);
}

/* Hop-by-hop 8, destination options 16, routing 24 with 0 left, fragment 8, AH 24, TCP. */
static const uint8_t all_ext[] = {
	60, 0, 1, 4, 0, 0, 0, 0,
	43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	44, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	51, 0, 0, 0, 0, 0, 0, 9,
	TCP, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};
#define AT_ROUTING 24u
#define AT_FRAGMENT 48u
#define AT_AH 56u

static void peer_conntrackd_extension_headers_not_walked(void **state)
{
	struct shape s = { .version = 6, .proto = TCP, .ext = all_ext,
			   .ext_len = sizeof(all_ext), .first = 0 };
	struct cth_ip ip;

	(void)state;
	make_packet(&k, &s, "EPSV\r\n", 6);
	assert_int_equal(find(&ip), 0);
	assert_int_equal(ip.proto, TCP);
	assert_int_equal(ip.header_len, 40 + sizeof(all_ext));
	assert_int_equal(ip.l4, 40 + sizeof(all_ext));
	assert_int_equal(ip.body_len, 6);
	assert_int_equal(ip.dport, 21);
	assert_false(ip.routed);
	assert_true(ip.sealed);
	assert_false(ip.fragment);
	assert_false(ip.more);

	k.b[40 + AT_ROUTING + 3] = 1;
	assert_int_equal(find(&ip), 0);
	assert_true(ip.routed);
	assert_int_equal(ip.dport, 21);
}

static void ipv6_fragments(void **state)
{
	struct shape s = { .version = 6, .proto = TCP, .ext = all_ext,
			   .ext_len = sizeof(all_ext), .first = 0 };
	struct cth_ip ip;

	(void)state;
	make_packet(&k, &s, "0123456789", 10);
	put16(k.b + 40 + AT_FRAGMENT + 2, 1);
	assert_int_equal(find(&ip), 0);
	assert_false(ip.fragment);
	assert_true(ip.more);
	assert_int_equal(ip.body_len, 10);

	/* What follows a later fragment's header is not the header that it names. */
	for (unsigned bit = 3; bit < 16; bit++) {
		put16(k.b + 40 + AT_FRAGMENT + 2, (size_t)1 << bit | 1);
		assert_int_equal(find(&ip), 0);
		assert_true(ip.fragment);
		assert_true(ip.more);
		assert_int_equal(ip.proto, 51);
		assert_int_equal(ip.header_len, 40 + AT_AH);
		assert_int_equal(ip.l4, 0);
		assert_int_equal(ip.body, 0);
		assert_false(ip.sealed);
	}
}

static void no_next_header_ends_the_walk(void **state)
{
	static const uint8_t none[8] = { 59, 0, 1, 4, 0, 0, 0, 0 };
	struct shape s = { .version = 6, .proto = 59, .ext = none, .ext_len = 8, .first = 60 };
	struct cth_ip ip;

	(void)state;
	make_packet(&k, &s, "behind", 6);
	assert_int_equal(find(&ip), 0);
	assert_int_equal(ip.proto, 59);
	assert_int_equal(ip.header_len, 48);
	assert_int_equal(ip.l4, 0);

	s.ext_len = 0;
	make_packet(&k, &s, "", 0);
	assert_int_equal(find(&ip), 0);
	assert_int_equal(ip.proto, 59);
	assert_int_equal(ip.total, 40); /* an empty packet, not one that tells no length */
}

/* As the kernel does: a packet whose extensions were too many for us would pass unread. */
static void however_many_extension_headers_there_are_all_are_walked(void **state)
{
	uint8_t many[100 * 8] = { 0 };
	struct shape s = { .version = 6, .proto = TCP, .ext = many, .first = 60 };
	struct cth_ip ip;

	(void)state;
	for (size_t n = 1; n <= 100; n++) {
		for (size_t i = 0; i < n; i++)
			many[i * 8] = i + 1 < n ? 60 : TCP;
		s.ext_len = n * 8;
		make_packet(&k, &s, "abc", 3);
		assert_int_equal(find(&ip), 0);
		assert_int_equal(ip.l4, 40 + n * 8);
		assert_int_equal(ip.body_len, 3);
		assert_int_equal(ip.header_len, ip.l4);
	}
}

static void an_extension_header_beyond_the_packet_leads_nowhere(void **state)
{
	uint8_t ext[8] = { TCP, 200, 0, 0, 0, 0, 0, 0 };
	struct shape s = { .version = 6, .proto = TCP, .ext = ext, .ext_len = 8, .first = 0 };
	struct cth_ip ip;

	(void)state;
	make_packet(&k, &s, "abc", 3);
	assert_int_equal(find(&ip), 0);
	assert_int_equal(ip.header_len, 0);
	assert_int_equal(ip.l4, 0);
	assert_int_equal(ip.proto, 0);
	assert_int_equal(ip.total, k.n);
}

/* Nothing that is told may lie outside of what was given. */
static void stays_inside(struct cth_span bytes, void *ctx)
{
	size_t *l4s = ctx;
	struct cth_ip ip;
	int r = cth_ip_find(&ip, bytes);

	assert_true(r == 0 || r == -EBADMSG);
	assert_true(ip.header_len <= bytes.n);
	assert_true(ip.l4 == 0 || (ip.l4 == ip.header_len && ip.l4 <= bytes.n - 8));
	assert_true(ip.body == 0 || (ip.body > ip.l4 && ip.body <= bytes.n));
	assert_true(ip.body_len <= bytes.n - ip.body);
	assert_true(ip.body_len == 0 || ip.body != 0);
	assert_true(ip.total == 0 || ip.body + ip.body_len <= ip.total);
	*l4s += ip.l4 != 0;
}

static void no_truncation_and_no_byte_value_reads_outside(void **state)
{
	static const uint8_t protos[] = { TCP, UDP, 1, 58 };
	size_t l4s = 0;

	(void)state;
	for (size_t i = 0; i < N_OF(protos); i++)
		for (int form = 0; form < 4; form++) {
			struct shape s = { .version = form < 2 ? 4 : 6, .proto = protos[i] };
			uint8_t ext[sizeof(all_ext)];

			s.options = form == 1 ? 12 : 0;
			s.tcp_options = form == 1 ? 20 : 0;
			if (form == 3) {
				memcpy(ext, all_ext, sizeof(ext));
				ext[AT_AH] = protos[i];
				s.ext = ext;
				s.ext_len = sizeof(ext);
			}
			make_packet(&k, &s, "0123456789012345", 16);
			every_truncation(cth_span(k.b, k.n), stays_inside, &l4s);
			every_byte_value(cth_span(k.b, k.n), stays_inside, &l4s);
		}
	assert_true(l4s > 10000);
}

/* Each truncation tells what its length allows and no more. */
static void known_by_length(struct cth_span bytes, void *ctx)
{
	struct cth_ip ip;

	(void)ctx;
	if (bytes.n == 0)
		return;
	assert_int_equal(cth_ip_find(&ip, bytes), 0);
	assert_int_equal(ip.version, 4);
	assert_int_equal(ip.total, bytes.n >= 20 ? k.n : 0);
	assert_int_equal(ip.proto, bytes.n >= 20 ? TCP : 0);
	assert_int_equal(ip.header_len, bytes.n >= 28 ? 28 : 0);
	assert_int_equal(ip.l4, bytes.n >= 48 ? 28 : 0);
	assert_int_equal(ip.body, bytes.n >= 60 ? 60 : 0);
	assert_int_equal(ip.body_len, bytes.n >= 60 ? bytes.n - 60 : 0);
}

static void a_cut_packet_tells_what_is_there(void **state)
{
	struct shape s = { .version = 4, .proto = TCP, .options = 8, .tcp_options = 12 };

	(void)state;
	make_packet(&k, &s, "0123456789", 10);
	every_truncation(cth_span(k.b, k.n), known_by_length, NULL);
}

struct seen {
	size_t ip, other, tcp, udp, icmp, icmp6, cut, wrong;
};

static void see(const struct cth_pkt *p, struct seen *t)
{
	struct cth_ip ip;

	if (!p->payload.p)
		return;
	if (p->hw_protocol != 0x0800 && p->hw_protocol != 0x86dd) {
		t->other++;
		return;
	}
	t->ip++;
	if (cth_ip_find(&ip, p->payload) < 0) {
		t->wrong++;
		return;
	}
	if (p->have & CTH_PKT_CAP_LEN) {
		t->cut++;
		t->wrong += ip.total != p->cap_len;
	} else {
		t->wrong += ip.total != p->payload.n;
		t->wrong += ip.l4 == 0;
		t->wrong += ip.body + ip.body_len != p->payload.n;
	}
	t->wrong += ip.version != (p->hw_protocol == 0x0800 ? 4 : 6);
	t->tcp += ip.proto == TCP;
	t->udp += ip.proto == UDP;
	t->icmp += ip.proto == 1;
	t->icmp6 += ip.proto == 58;
}

static void see_datagram(struct cth_span d, bool to_kernel, void *ctx)
{
	struct cth_nlmsg m;
	struct cth_pkt p;

	(void)to_kernel;
	while (cth_nlmsg_next(&d, &m) > 0)
		if (cth_pkt_parse(&p, &m) == 0)
			see(&p, ctx);
}

static void recorded_packets_are_as_long_as_they_tell(void **state)
{
	static const char *const names[] = {
		"readme-demo.pcap", "helper-behaviours.pcap", "queue-bridge-vlan.pcap",
		"queue-ct-icmp-udp-tcp-v4v6.pcap", "queue-truncated-meta.pcap", "queue-gso.pcap",
		"queue-uid-gid-mark.pcap", "conntrackd-ftp-v4.pcap", "conntrackd-ftp-v6.pcap",
		"nft-ct-helper-ftp.pcap",
	};
	struct seen t = { 0 };

	(void)state;
	for (size_t i = 0; i < N_OF(names); i++)
		each_datagram(names[i], see_datagram, &t);
	assert_int_equal(t.wrong, 0);
	assert_true(t.ip > 250);
	assert_true(t.other > 0); /* ARP on the bridge */
	assert_true(t.cut > 0);
	assert_true(t.tcp > 150 && t.udp > 50 && t.icmp > 4 && t.icmp6 > 4);
}

/* IPv4, IPv6 and ARP on one bridge: each is known by its EtherType, in host order. */
static void peer_libnetfilter_queue_bridge_packets_match_no_ethertype(void **state)
{
	struct seen t = { 0 };

	(void)state;
	each_datagram("queue-bridge-vlan.pcap", see_datagram, &t);
	assert_int_equal(t.wrong, 0);
	assert_int_equal(t.ip + t.other, 12);
	assert_true(t.icmp > 0);
	assert_true(t.other > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_tcp_over_ipv4),
		cmocka_unit_test(options_of_ip_and_tcp_of_every_length),
		cmocka_unit_test(plain_udp_over_ipv6),
		cmocka_unit_test(icmp_tells_type_and_code),
		cmocka_unit_test(other_protocols_have_no_known_header),
		cmocka_unit_test(what_is_not_ip_is_refused),
		cmocka_unit_test(peer_libnetfilter_queue_ihl_below_5),
		cmocka_unit_test(peer_libnetfilter_queue_tcp_payload_length_underflows),
		cmocka_unit_test(peer_libnetfilter_queue_udp_payload_length_ignores_udps_own),
		cmocka_unit_test(the_body_ends_where_the_packet_or_the_capture_ends),
		cmocka_unit_test(a_gso_packet_tells_no_length),
		cmocka_unit_test(ipv4_fragments),
		cmocka_unit_test(peer_conntrackd_extension_headers_not_walked),
		cmocka_unit_test(ipv6_fragments),
		cmocka_unit_test(no_next_header_ends_the_walk),
		cmocka_unit_test(however_many_extension_headers_there_are_all_are_walked),
		cmocka_unit_test(an_extension_header_beyond_the_packet_leads_nowhere),
		cmocka_unit_test(no_truncation_and_no_byte_value_reads_outside),
		cmocka_unit_test(a_cut_packet_tells_what_is_there),
		cmocka_unit_test(recorded_packets_are_as_long_as_they_tell),
		cmocka_unit_test(peer_libnetfilter_queue_bridge_packets_match_no_ethertype),
	};

	return RUN(tests);
}
