/* SPDX-License-Identifier: MIT */
/* pkt.c - the description of a queued packet: all of it, parts of it, and broken ones. */
#include <sys/socket.h>
#include "unit.h"
#include "../../netlink/uapi.h"
#include "../../queue/pkt.h"

#define PACKET (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)

static uint8_t buf[1024];

static const uint8_t header[7] = { 0x01, 0x02, 0x03, 0x04, 0x08, 0x00, 4 };
static const uint8_t hwaddr[12] = { 0, 6, 0xee, 0xee, 0xca, 0x0b, 0x7e, 0x97, 0x1f, 0x6d, 1, 2 };

static struct cth_nlmsg message_of(struct cth_span bytes)
{
	struct cth_nlmsg m;

	assert_int_equal(cth_nlmsg_next(&bytes, &m), 1);
	return m;
}

static void begin(struct cth_msg *m)
{
	cth_msg_init(m, buf, sizeof(buf));
	cth_msg_begin(m, PACKET, 0, 0, AF_INET, 513);
}

static int end(struct cth_msg *m, struct cth_pkt *p)
{
	struct cth_nlmsg n;

	assert_int_equal(cth_msg_end(m), 0);
	n = message_of(cth_msg_bytes(m));
	return cth_pkt_parse(p, &n);
}

/* One message with every attribute that there is. */
static void fill(struct cth_msg *m)
{
	size_t nest;

	begin(m);
	cth_msg_put(m, NFQA_PACKET_HDR, header, sizeof(header));
	cth_msg_put_be32(m, NFQA_IFINDEX_INDEV, 2);
	cth_msg_put_be32(m, NFQA_IFINDEX_OUTDEV, 3);
	cth_msg_put_be32(m, NFQA_IFINDEX_PHYSINDEV, 4);
	cth_msg_put_be32(m, NFQA_IFINDEX_PHYSOUTDEV, 5);
	cth_msg_put_be32(m, NFQA_MARK, 0x99);
	cth_msg_put_be32(m, CTH_NFQA_PRIORITY, 0x10001);
	cth_msg_put(m, NFQA_HWADDR, hwaddr, sizeof(hwaddr));
	nest = cth_msg_nest(m, CTH_NFQA_VLAN);
	cth_msg_put_be16(m, CTH_NFQA_VLAN_PROTO, 0x8100);
	cth_msg_put_be16(m, CTH_NFQA_VLAN_TCI, 7);
	cth_msg_nest_end(m, nest);
	cth_msg_put(m, CTH_NFQA_L2HDR, "llllllllllllll", 14);
	cth_msg_put(m, NFQA_TIMESTAMP, "\0\0\0\0\x65\x01\x02\x03\0\0\0\0\0\x01\x02\x03", 16);
	cth_msg_put_be32(m, CTH_NFQA_UID, 1000);
	cth_msg_put_be32(m, CTH_NFQA_GID, 1001);
	cth_msg_put_be32(m, CTH_NFQA_CGROUP_CLASSID, 0x00100001);
	cth_msg_put(m, CTH_NFQA_SECCTX, "system_u", 8);
	nest = cth_msg_nest(m, NFQA_CT);
	cth_msg_put_be32(m, CTA_MARK, 42);
	cth_msg_nest_end(m, nest);
	cth_msg_put_be32(m, NFQA_CT_INFO, 3);
	cth_msg_put_be32(m, NFQA_CAP_LEN, 1500);
	cth_msg_put_be32(m, NFQA_SKB_INFO, 5);
	cth_msg_put(m, NFQA_PAYLOAD, "payload", 7);
}

static void every_attribute_comes_out(void **state)
{
	struct cth_msg m;
	struct cth_pkt p;

	(void)state;
	fill(&m);
	assert_int_equal(end(&m, &p), 0);
	assert_int_equal(p.have, (1 << 17) - 1);
	assert_int_equal(p.queue, 513);
	assert_int_equal(p.family, AF_INET);
	assert_int_equal(p.id, 0x01020304);
	assert_int_equal(p.hw_protocol, 0x0800);
	assert_int_equal(p.hook, 4);
	assert_int_equal(p.indev, 2);
	assert_int_equal(p.outdev, 3);
	assert_int_equal(p.physindev, 4);
	assert_int_equal(p.physoutdev, 5);
	assert_int_equal(p.mark, 0x99);
	assert_int_equal(p.priority, 0x10001);
	assert_int_equal(p.hw_len, 6);
	assert_memory_equal(p.hw_addr, hwaddr + 4, 6);
	assert_int_equal(p.vlan_proto, 0x8100);
	assert_int_equal(p.vlan_tci, 7);
	assert_bytes(p.l2hdr, "llllllllllllll", 14);
	assert_int_equal(p.sec, 0x65010203);
	assert_int_equal(p.usec, 0x010203);
	assert_int_equal(p.uid, 1000);
	assert_int_equal(p.gid, 1001);
	assert_int_equal(p.classid, 0x00100001);
	assert_bytes(p.secctx, "system_u", 8);
	assert_int_equal(p.ct.n, 8);
	assert_int_equal(p.ct_info, 3);
	assert_int_equal(p.cap_len, 1500);
	assert_int_equal(p.skb_info, CTH_SKB_CSUM_NOT_READY | CTH_SKB_CSUM_NOT_VERIFIED);
	assert_bytes(p.payload, "payload", 7);
}

static void absent_is_not_zero(void **state)
{
	struct cth_msg m;
	struct cth_pkt p;

	(void)state;
	begin(&m);
	cth_msg_put(&m, NFQA_PACKET_HDR, header, sizeof(header));
	assert_int_equal(end(&m, &p), 0);
	assert_int_equal(p.have, CTH_PKT_HEADER);
	assert_null(p.payload.p);
	assert_null(p.ct.p);

	begin(&m);
	cth_msg_put(&m, NFQA_PACKET_HDR, header, sizeof(header));
	cth_msg_put_be32(&m, CTH_NFQA_UID, 0);
	cth_msg_put(&m, NFQA_PAYLOAD, "", 0);
	cth_msg_put(&m, NFQA_CT, "", 0);
	assert_int_equal(end(&m, &p), 0);
	assert_int_equal(p.have, CTH_PKT_HEADER | CTH_PKT_UID);
	assert_non_null(p.payload.p);
	assert_int_equal(p.payload.n, 0);
	assert_non_null(p.ct.p);
}

static void another_message_is_not_a_packet(void **state)
{
	static const uint16_t types[] = { PACKET + 1, PACKET + 3, PACKET + 0x100, 2, 0 };
	struct cth_nlmsg m = { .attrs = { buf, 0 } };
	struct cth_pkt p;

	(void)state;
	for (size_t i = 0; i < N_OF(types); i++) {
		m.type = types[i];
		assert_int_equal(cth_pkt_parse(&p, &m), -EPROTO);
	}
}

static void without_its_header_it_is_malformed(void **state)
{
	struct cth_msg m;
	struct cth_pkt p;

	(void)state;
	begin(&m);
	cth_msg_put_be32(&m, NFQA_MARK, 1);
	assert_int_equal(end(&m, &p), -EBADMSG);
	assert_int_equal(p.have, CTH_PKT_MARK);
	assert_int_equal(p.id, 0);
	assert_int_equal(p.queue, 513);
}

static void ids_wrap_so_zero_is_one(void **state)
{
	static const uint8_t zero[7] = { 0, 0, 0, 0, 0x86, 0xdd, 1 };
	struct cth_msg m;
	struct cth_pkt p;

	(void)state;
	begin(&m);
	cth_msg_put(&m, NFQA_PACKET_HDR, zero, sizeof(zero));
	assert_int_equal(end(&m, &p), 0);
	assert_int_equal(p.have, CTH_PKT_HEADER);
	assert_int_equal(p.hook, 1);
}

/* Attributes with a least length, and that length. */
static const struct {
	uint16_t type;
	uint8_t least;
} sized[] = {
	{ NFQA_MARK, 4 }, { NFQA_TIMESTAMP, 16 }, { NFQA_IFINDEX_INDEV, 4 },
	{ NFQA_IFINDEX_OUTDEV, 4 }, { NFQA_IFINDEX_PHYSINDEV, 4 },
	{ NFQA_IFINDEX_PHYSOUTDEV, 4 }, { NFQA_HWADDR, 12 }, { NFQA_CT_INFO, 4 },
	{ NFQA_CAP_LEN, 4 }, { NFQA_SKB_INFO, 4 }, { CTH_NFQA_UID, 4 }, { CTH_NFQA_GID, 4 },
	{ CTH_NFQA_PRIORITY, 4 }, { CTH_NFQA_CGROUP_CLASSID, 4 },
};

/* One of them of each length, in front of the header and behind it. */
static void peer_nfq_rs_short_attributes_panic(void **state)
{
	static const uint8_t zeros[32];
	struct cth_msg m;
	struct cth_pkt p;

	(void)state;
	for (size_t i = 0; i < N_OF(sized); i++)
		for (size_t n = 0; n <= 20; n++)
			for (int behind = 0; behind < 2; behind++) {
				begin(&m);
				if (behind)
					cth_msg_put(&m, NFQA_PACKET_HDR, header, sizeof(header));
				cth_msg_put(&m, sized[i].type, zeros, n);
				if (!behind)
					cth_msg_put(&m, NFQA_PACKET_HDR, header, sizeof(header));
				cth_msg_put(&m, NFQA_PAYLOAD, "p", 1);
				assert_int_equal(end(&m, &p), n < sized[i].least ? -ERANGE : 0);
				assert_int_equal(p.have & CTH_PKT_HEADER, CTH_PKT_HEADER);
				assert_int_equal((p.have & ~CTH_PKT_HEADER) != 0,
						 n >= sized[i].least);
				assert_int_equal(p.id, 0x01020304);
				assert_int_equal(p.queue, 513);
				assert_int_equal(p.payload.n, 1);
			}
	for (size_t n = 0; n < sizeof(header); n++) {
		begin(&m);
		cth_msg_put(&m, NFQA_PACKET_HDR, header, n);
		assert_int_equal(end(&m, &p), -ERANGE);
		assert_int_equal(p.have, 0);
		assert_int_equal(p.id, 0);
	}
}

static void peer_conntrackd_broken_packet_gets_its_verdict_on_queue_0(void **state)
{
	static const uint16_t lengths[] = { 0, 3, 9, 400, 65535 };
	struct cth_msg m;
	struct cth_nlmsg n;
	struct cth_pkt p;

	(void)state;
	for (size_t i = 0; i < N_OF(lengths); i++) {
		begin(&m);
		cth_msg_put(&m, NFQA_PACKET_HDR, header, sizeof(header));
		cth_msg_put_be32(&m, NFQA_MARK, 1);
		cth_msg_end(&m);
		n = message_of(cth_msg_bytes(&m));
		cth_store_host16(buf + 20 + 12, lengths[i]);
		assert_int_equal(cth_pkt_parse(&p, &n), -EBADMSG);
		assert_int_equal(p.id, 0x01020304);
		assert_int_equal(p.queue, 513);
		assert_int_equal(p.have, CTH_PKT_HEADER);
	}
}

static void the_parts_of_a_vlan_tag_come_one_by_one(void **state)
{
	struct cth_msg m;
	struct cth_pkt p;
	size_t nest;

	(void)state;
	for (unsigned parts = 0; parts < 4; parts++) {
		begin(&m);
		cth_msg_put(&m, NFQA_PACKET_HDR, header, sizeof(header));
		nest = cth_msg_nest(&m, CTH_NFQA_VLAN);
		cth_msg_put_be32(&m, 77, 1);
		if (parts & 1)
			cth_msg_put_be16(&m, CTH_NFQA_VLAN_PROTO, 0x88a8);
		if (parts & 2)
			cth_msg_put_be16(&m, CTH_NFQA_VLAN_TCI, 0);
		cth_msg_nest_end(&m, nest);
		assert_int_equal(end(&m, &p), 0);
		assert_int_equal((p.have & CTH_PKT_VLAN_PROTO) != 0, parts & 1);
		assert_int_equal((p.have & CTH_PKT_VLAN_TCI) != 0, parts >> 1);
		assert_int_equal(p.vlan_proto, parts & 1 ? 0x88a8 : 0);
	}
	begin(&m);
	cth_msg_put(&m, NFQA_PACKET_HDR, header, sizeof(header));
	nest = cth_msg_nest(&m, CTH_NFQA_VLAN);
	cth_msg_put_u8(&m, CTH_NFQA_VLAN_PROTO, 1);
	cth_msg_put_be16(&m, CTH_NFQA_VLAN_TCI, 9);
	cth_msg_nest_end(&m, nest);
	assert_int_equal(end(&m, &p), -ERANGE);
	assert_int_equal(p.have, CTH_PKT_HEADER | CTH_PKT_VLAN_TCI);

	begin(&m);
	cth_msg_put(&m, NFQA_PACKET_HDR, header, sizeof(header));
	cth_msg_put(&m, CTH_NFQA_VLAN, "\x7f\x7f\x7f", 3);
	assert_int_equal(end(&m, &p), -EBADMSG);
	assert_int_equal(p.have, CTH_PKT_HEADER);
}

static void of_duplicates_the_last_one_stands(void **state)
{
	static const uint8_t other[7] = { 0, 0, 0, 9, 0x86, 0xdd, 1 };
	struct cth_msg m;
	struct cth_pkt p;

	(void)state;
	begin(&m);
	cth_msg_put(&m, NFQA_PACKET_HDR, header, sizeof(header));
	cth_msg_put_be32(&m, NFQA_MARK, 1);
	cth_msg_put(&m, NFQA_PAYLOAD, "first", 5);
	cth_msg_put(&m, NFQA_PACKET_HDR, other, sizeof(other));
	cth_msg_put_be32(&m, NFQA_MARK, 2);
	cth_msg_put(&m, NFQA_PAYLOAD, "2nd", 3);
	assert_int_equal(end(&m, &p), 0);
	assert_int_equal(p.id, 9);
	assert_int_equal(p.mark, 2);
	assert_bytes(p.payload, "2nd", 3);
}

static void unknown_attributes_are_skipped(void **state)
{
	struct cth_msg m;
	struct cth_pkt p;

	(void)state;
	begin(&m);
	for (uint16_t type = 23; type < 40; type++)
		cth_msg_put(&m, type, "xyz", type % 4);
	cth_msg_put_u8(&m, 0, 1);
	cth_msg_put_u8(&m, NFQA_VERDICT_HDR, 1);
	cth_msg_put_u8(&m, CTH_NFQA_EXP, 1);
	cth_msg_put_u8(&m, 0x3fff, 1);
	cth_msg_put(&m, NFQA_PACKET_HDR, header, sizeof(header));
	assert_int_equal(end(&m, &p), 0);
	assert_int_equal(p.have, CTH_PKT_HEADER);
}

static void the_last_attribute_may_lack_its_padding(void **state)
{
	struct cth_msg m;
	struct cth_nlmsg n;
	struct cth_pkt p;
	uint8_t *g;

	(void)state;
	begin(&m);
	cth_msg_put(&m, NFQA_PACKET_HDR, header, sizeof(header));
	cth_msg_put(&m, NFQA_PAYLOAD, "hello", 5);
	cth_msg_end(&m);
	cth_store_host32(buf, 20 + 12 + 9);
	g = guarded(buf, 20 + 12 + 9);
	n = message_of(cth_span(g, 20 + 12 + 9));
	assert_int_equal(cth_pkt_parse(&p, &n), 0);
	assert_bytes(p.payload, "hello", 5);
	free_guarded(g, 20 + 12 + 9);
}

static void peer_nfq_rs_padding_counted_inside_nla_len(void **state)
{
	static const uint8_t padded[8] = { 0, 0, 0, 5, 0x08, 0x00, 2, 0 };
	struct cth_msg m;
	struct cth_pkt p;

	(void)state;
	begin(&m);
	cth_msg_put(&m, NFQA_PACKET_HDR, padded, sizeof(padded));
	cth_msg_put(&m, NFQA_PAYLOAD, "hello", 5);
	assert_int_equal(end(&m, &p), 0);
	assert_int_equal(p.id, 5);
	assert_int_equal(p.hook, 2);
	assert_int_equal(p.payload.n, 5);
}

static void peer_go_nfqueue_hardware_address_length_wraps(void **state)
{
	static const uint16_t lengths[] = { 0, 6, 8, 9, 20, 32, 0x7fff, 0xfffc, 0xfffe, 0xffff };
	uint8_t hw[12] = { 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct cth_msg m;
	struct cth_pkt p;

	(void)state;
	for (size_t i = 0; i < N_OF(lengths); i++) {
		cth_store_be16(hw, lengths[i]);
		begin(&m);
		cth_msg_put(&m, NFQA_PACKET_HDR, header, sizeof(header));
		cth_msg_put(&m, NFQA_HWADDR, hw, sizeof(hw));
		assert_int_equal(end(&m, &p), 0);
		assert_int_equal(p.hw_len, lengths[i] > 8 ? 8 : lengths[i]);
		assert_memory_equal(p.hw_addr, hw + 4, p.hw_len);
	}
}

static void peer_go_nfqueue_bridge_packets_are_refused(void **state)
{
	static const uint8_t families[] = { AF_INET, AF_INET6, AF_BRIDGE, 3, 0 };
	struct cth_msg m;
	struct cth_pkt p;

	(void)state;
	for (size_t i = 0; i < N_OF(families); i++) {
		begin(&m);
		cth_msg_put(&m, NFQA_PACKET_HDR, header, sizeof(header));
		buf[16] = families[i];
		assert_int_equal(end(&m, &p), 0);
		assert_int_equal(p.family, families[i]);
	}
}

static void peer_libnl_hw_protocol_left_in_network_order(void **state)
{
	static const uint8_t arp[7] = { 0, 0, 0, 1, 0x08, 0x06, 0 };
	struct cth_msg m;
	struct cth_pkt p;

	(void)state;
	begin(&m);
	cth_msg_put(&m, NFQA_PACKET_HDR, arp, sizeof(arp));
	assert_int_equal(end(&m, &p), 0);
	assert_int_equal(p.hw_protocol, 0x0806);
}

/* Reads every byte that a description points to. */
static void parse_all(struct cth_span bytes, void *ctx)
{
	unsigned *sum = ctx;
	struct cth_nlmsg m;
	struct cth_pkt p;

	while (cth_nlmsg_next(&bytes, &m) > 0) {
		const struct cth_span *all[] = { &p.payload, &p.ct, &p.secctx, &p.l2hdr };
		int r = cth_pkt_parse(&p, &m);

		assert_true(r == 0 || r == -EPROTO || r == -EBADMSG || r == -ERANGE);
		assert_true(p.hw_len <= sizeof(p.hw_addr));
		assert_true(r != 0 || p.have & CTH_PKT_HEADER);
		for (size_t i = 0; i < N_OF(all); i++)
			for (size_t k = 0; k < all[i]->n; k++)
				*sum += all[i]->p[k];
	}
}

static void no_truncation_and_no_byte_value_reads_outside(void **state)
{
	struct cth_msg m;
	unsigned sum = 0;

	(void)state;
	fill(&m);
	assert_int_equal(cth_msg_end(&m), 0);
	every_truncation(cth_msg_bytes(&m), parse_all, &sum);
	every_byte_value(cth_msg_bytes(&m), parse_all, &sum);
	assert_true(sum > 0);
}

/* The attributes alone cut anywhere: what came before the cut is there. */
static void cut_attributes(struct cth_span attrs, void *ctx)
{
	struct cth_nlmsg m = { .type = PACKET, .family = AF_INET, .res_id = 513, .attrs = attrs };
	struct cth_pkt p;
	int r = cth_pkt_parse(&p, &m);

	(void)ctx;
	assert_int_equal(p.queue, 513);
	assert_int_equal((p.have & CTH_PKT_HEADER) != 0, attrs.n >= 11);
	assert_int_equal((p.have & CTH_PKT_INDEV) != 0, attrs.n >= 20);
	if (attrs.n < 11)
		assert_int_equal(r, -EBADMSG);
}

static void a_cut_message_keeps_what_came_before_the_cut(void **state)
{
	struct cth_msg m;
	struct cth_span all;

	(void)state;
	fill(&m);
	assert_int_equal(cth_msg_end(&m), 0);
	all = cth_msg_bytes(&m);
	every_truncation(cth_span_sub(all, 20, all.n - 20), cut_attributes, NULL);
}

/* What a recording's packets have in common, counted. */
struct tally {
	size_t packets, bad, ct, uid, gso, unfinished, vlan, tagged, l2hdr, bridge, cut, meta, mark;
	uint32_t have;
	uint16_t queue;
};

static void tally_packet(const struct cth_pkt *p, struct tally *t)
{
	t->packets++;
	t->have |= p->have;
	t->queue = p->queue;
	t->ct += p->ct.p != NULL;
	t->uid += (p->have & CTH_PKT_UID) != 0;
	t->gso += p->skb_info == (CTH_SKB_GSO | CTH_SKB_CSUM_NOT_READY);
	t->unfinished += p->skb_info == CTH_SKB_CSUM_NOT_READY;
	t->tagged += p->vlan_proto == 0x8100 && p->vlan_tci == 7;
	t->l2hdr += p->l2hdr.n == 14;
	t->bridge += p->family == AF_BRIDGE;
	t->cut += p->payload.n == 40 && p->cap_len == 328;
	t->meta += p->payload.p == NULL;
	t->mark += p->mark == 0x99;
}

static void tally_datagram(struct cth_span d, bool to_kernel, void *ctx)
{
	struct tally *t = ctx;
	struct cth_nlmsg m;
	struct cth_pkt p;

	(void)to_kernel;
	while (cth_nlmsg_next(&d, &m) > 0) {
		int r = cth_pkt_parse(&p, &m);

		if (r == 0)
			tally_packet(&p, t);
		else if (r != -EPROTO)
			t->bad++;
	}
}

static struct tally tally(const char *name)
{
	struct tally t = { 0 };

	each_datagram(name, tally_datagram, &t);
	return t;
}

static void recorded_packets_of_the_four_steps(void **state)
{
	struct tally t = tally("readme-demo.pcap");

	(void)state;
	assert_int_equal(t.packets, 8);
	assert_int_equal(t.bad, 0);
	assert_int_equal(t.ct, 0);
	assert_true(t.uid > 0);
	assert_int_equal(t.queue, 0);
}

static void recorded_packets_of_a_helper(void **state)
{
	struct tally t = tally("helper-behaviours.pcap");

	(void)state;
	assert_int_equal(t.packets, 57);
	assert_int_equal(t.bad, 0);
	assert_int_equal(t.ct, 56); /* one came before F_CONNTRACK was set */
	assert_int_equal(t.queue, 3);
}

static void recorded_packets_of_a_bridge(void **state)
{
	struct tally t = tally("queue-bridge-vlan.pcap");

	(void)state;
	assert_int_equal(t.packets, 12);
	assert_int_equal(t.bad, 0);
	assert_int_equal(t.bridge, 12);
	assert_int_equal(t.l2hdr, 12);
	assert_true(t.tagged > 0 && t.tagged < 12);
	assert_true(t.have & CTH_PKT_PHYSINDEV && t.have & CTH_PKT_PHYSOUTDEV);
	assert_int_equal(t.queue, 12);
}

static void recorded_packets_cut_or_without_payload(void **state)
{
	struct tally t = tally("queue-truncated-meta.pcap");

	(void)state;
	assert_int_equal(t.packets, 8);
	assert_int_equal(t.bad, 0);
	assert_true(t.cut > 0);
	assert_true(t.meta > 0);
	assert_true(t.ct > 0);
}

static void recorded_packets_with_gso(void **state)
{
	struct tally t = tally("queue-gso.pcap");

	(void)state;
	assert_int_equal(t.packets, 50);
	assert_int_equal(t.bad, 0);
	assert_int_equal(t.gso, 21);
	assert_int_equal(t.unfinished, 29);
}

static void recorded_packets_with_mark_and_owner(void **state)
{
	struct tally t = tally("queue-uid-gid-mark.pcap");

	(void)state;
	assert_int_equal(t.packets, 1);
	assert_int_equal(t.bad, 0);
	assert_int_equal(t.mark, 1);
	assert_int_equal(t.uid, 1);
}

static void recorded_packets_of_v4_and_v6_flows(void **state)
{
	struct tally t = tally("queue-ct-icmp-udp-tcp-v4v6.pcap");

	(void)state;
	assert_int_equal(t.packets, 10);
	assert_int_equal(t.bad, 0);
	assert_int_equal(t.ct, 6);
	assert_int_equal(t.queue, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_attribute_comes_out),
		cmocka_unit_test(absent_is_not_zero),
		cmocka_unit_test(another_message_is_not_a_packet),
		cmocka_unit_test(without_its_header_it_is_malformed),
		cmocka_unit_test(ids_wrap_so_zero_is_one),
		cmocka_unit_test(peer_nfq_rs_short_attributes_panic),
		cmocka_unit_test(peer_conntrackd_broken_packet_gets_its_verdict_on_queue_0),
		cmocka_unit_test(the_parts_of_a_vlan_tag_come_one_by_one),
		cmocka_unit_test(of_duplicates_the_last_one_stands),
		cmocka_unit_test(unknown_attributes_are_skipped),
		cmocka_unit_test(the_last_attribute_may_lack_its_padding),
		cmocka_unit_test(peer_nfq_rs_padding_counted_inside_nla_len),
		cmocka_unit_test(peer_go_nfqueue_hardware_address_length_wraps),
		cmocka_unit_test(peer_go_nfqueue_bridge_packets_are_refused),
		cmocka_unit_test(peer_libnl_hw_protocol_left_in_network_order),
		cmocka_unit_test(no_truncation_and_no_byte_value_reads_outside),
		cmocka_unit_test(a_cut_message_keeps_what_came_before_the_cut),
		cmocka_unit_test(recorded_packets_of_the_four_steps),
		cmocka_unit_test(recorded_packets_of_a_helper),
		cmocka_unit_test(recorded_packets_of_a_bridge),
		cmocka_unit_test(recorded_packets_cut_or_without_payload),
		cmocka_unit_test(recorded_packets_with_gso),
		cmocka_unit_test(recorded_packets_with_mark_and_owner),
		cmocka_unit_test(recorded_packets_of_v4_and_v6_flows),
	};

	return RUN(tests);
}
