/* SPDX-License-Identifier: MIT */
/*
 * edit.c - edits of what a packet carries: against golden packets, against a naive model
 * that edits a flat copy and sums it up another way, and everything that is refused.
 */
#include <sys/socket.h>
#include "packets.h"
#include "../../netlink/uapi.h"
#include "../../queue/csum.h"
#include "../../queue/edit.h"

static struct packet k, should, is;
static struct cth_edited out;
static uint8_t ct_bytes[64];

/* A flow as NFQA_CT tells it, with this status. */
static struct cth_span flow(uint32_t status)
{
	struct cth_msg m;
	size_t help;

	cth_msg_init(&m, ct_bytes, sizeof(ct_bytes));
	cth_msg_begin_bare(&m);
	cth_msg_put_be32(&m, CTA_ID, 7);
	cth_msg_put_be32(&m, CTA_STATUS, status);
	help = cth_msg_nest(&m, CTA_HELP);
	cth_msg_put_str(&m, CTA_HELP_NAME, "ftp");
	cth_msg_nest_end(&m, help);
	assert_int_equal(cth_msg_end(&m), 0);
	return cth_msg_bytes(&m);
}

static struct cth_pkt pkt(void)
{
	struct cth_pkt p = { .have = CTH_PKT_HEADER, .id = 1 };

	p.family = k.version == 4 ? AF_INET : AF_INET6;
	p.payload = cth_span(k.b, k.n);
	p.ct = flow(0x19a); /* SRC_NAT among others */
	return p;
}

/* The edited packet in one piece, put together from parts each at a guard page. */
static int apply(const struct cth_edit *e, struct cth_pkt *p)
{
	const char *why = NULL;
	struct cth_span saved = p->payload, copy = at_the_edge(saved);
	int r;

	memset(&out, 0xee, sizeof(out));
	if (saved.p)
		p->payload = copy;
	r = cth_edit_apply(e, p, &out, &why);
	assert_int_equal(cth_edit_apply(e, p, &out, NULL), r);
	is.n = 0;
	if (r < 0) {
		assert_non_null(why);
		assert_true(strlen(why) > 10);
	} else {
		assert_null(why);
		assert_true(out.parts <= N_OF(out.part));
		for (size_t i = 0; i < out.parts; i++) {
			assert_true(out.part[i].iov_len > 0);
			memcpy(is.b + is.n, out.part[i].iov_base, out.part[i].iov_len);
			is.n += out.part[i].iov_len;
		}
		assert_int_equal(is.n, out.n);
		is.version = k.version;
		is.proto = k.proto;
		is.l4 = k.l4;
	}
	if (saved.n)
		assert_memory_equal(copy.p, saved.p, saved.n);
	p->payload = saved;
	return r;
}

/*
 * The packet is now this one, down to the last byte, and its checksums are right. head: its
 * first two bytes, where IPv6 has the traffic class; 0: the plainest.
 */
static void assert_packet_of_class(const struct shape *s, size_t head, const void *body, size_t n)
{
	make_packet(&should, s, body, n);
	if (head)
		put16(should.b, head);
	assert_bytes(cth_span(is.b, is.n), should.b, should.n);
	assert_int_equal(transport_sum(&is), 0xffff);
	if (is.version == 4)
		assert_int_equal(header_sum(&is), 0xffff);
}

static void assert_packet(const struct shape *s, const void *body, size_t n)
{
	assert_packet_of_class(s, 0, body, n);
}

static void one_cut_changes_body_lengths_and_checksums(void **state)
{
	static const char port[] = "PORT 10,0,1,2,156,64\r\n";
	static const char nat[] = "PORT 192,168,100,200,156,65\r\n";
	struct shape s = { .version = 4, .proto = TCP };
	struct cth_edit e = { 0 };
	struct cth_pkt p;

	(void)state;
	make_packet(&k, &s, port, strlen(port));
	p = pkt();
	cth_edit_cut(&e, 5, 15, "192,168,100,200,156,65", 22);
	assert_false(cth_edit_empty(&e));
	assert_int_equal(apply(&e, &p), 0);
	assert_packet(&s, nat, strlen(nat));
	assert_int_equal(get16(is.b + 2), 40 + 29);
}

/* As few pieces as there are: no copy of what stays. */
static void kept_bytes_are_views_into_the_packet(void **state)
{
	struct shape s = { .version = 4, .proto = UDP };
	struct cth_edit e = { 0 };
	struct cth_pkt p;
	const char *why;

	(void)state;
	make_packet(&k, &s, "0123456789", 10);
	p = pkt();
	cth_edit_cut(&e, 4, 2, "XY", 2);
	assert_int_equal(cth_edit_apply(&e, &p, &out, &why), 0);
	assert_int_equal(out.parts, 4);
	assert_ptr_equal(out.part[0].iov_base, out.head);
	assert_ptr_equal(out.part[1].iov_base, k.b + k.body);
	assert_ptr_equal(out.part[3].iov_base, k.b + k.body + 6);
	assert_int_equal(out.part[0].iov_len, 28);
}

static void an_edit_of_nothing_gives_the_packet_back(void **state)
{
	struct cth_pkt p;

	(void)state;
	for (int version = 4; version <= 6; version += 2)
		for (int proto = TCP; proto <= UDP; proto += UDP - TCP)
			for (size_t n = 0; n < 4; n++) {
				struct shape s = { .version = version, .proto = (uint8_t)proto };
				struct cth_edit e = { 0 };

				make_packet(&k, &s, "0123", n);
				p = pkt();
				p.ct = cth_span(NULL, 0);
				assert_true(cth_edit_empty(&e));
				cth_edit_cut(&e, 0, 0, NULL, 0);
				assert_false(cth_edit_empty(&e));
				assert_int_equal(apply(&e, &p), 0);
				assert_packet(&s, "0123", n);
			}
}

static void cuts_at_both_ends_and_side_by_side(void **state)
{
	struct shape s = { .version = 6, .proto = UDP };
	struct cth_edit e = { 0 };
	struct cth_pkt p;

	(void)state;
	make_packet(&k, &s, "0123456789", 10);
	p = pkt();
	cth_edit_cut(&e, 0, 1, "abc", 3);
	cth_edit_cut(&e, 1, 0, "-", 1);
	cth_edit_cut(&e, 1, 2, "", 0);
	cth_edit_cut(&e, 5, 0, "INS", 3);
	cth_edit_cut(&e, 9, 1, "z", 1);
	cth_edit_cut(&e, 10, 0, "end", 3);
	assert_int_equal(apply(&e, &p), 0);
	assert_packet(&s, "abc-34INS5678zend", 17);
}

static void a_body_vanishes_and_appears(struct shape s)
{
	struct cth_edit gone = { 0 }, come = { 0 };
	size_t head = s.version == 6 && s.proto == TCP ? 0x6a00 : 0;
	struct cth_pkt p;

	make_packet(&k, &s, "hello", 5);
	p = pkt();
	cth_edit_cut(&gone, 0, 5, NULL, 0);
	assert_int_equal(apply(&gone, &p), 0);
	assert_packet_of_class(&s, head, "", 0); /* of TCP, an ACK like any other */
	assert_int_equal(out.parts, 1);

	make_packet(&k, &s, "", 0);
	p = pkt();
	cth_edit_cut(&come, 0, 0, "hello", 5);
	assert_int_equal(apply(&come, &p), 0);
	assert_packet_of_class(&s, head, "hello", 5);
}

static void a_body_may_vanish_and_appear(void **state)
{
	(void)state;
	for (int version = 4; version <= 6; version += 2)
		for (int proto = TCP; proto <= UDP; proto += UDP - TCP)
			for (size_t options = 0; options <= 12; options += 12) {
				struct shape s = { .version = version, .proto = (uint8_t)proto,
						   .tcp_options = options };

				a_body_vanishes_and_appears(s);
			}
}

static void lengths_of_the_protocol_take_the_whole_change(void **state)
{
	struct shape s = { .version = 4, .proto = TCP };
	struct cth_edit e = { 0 };
	struct cth_pkt p;

	(void)state;
	make_packet(&k, &s, "\0\x14....\0\0\0\x10" "ADDRESS=1;", 20);
	p = pkt();
	cth_edit_length_at(&e, 6, 4); /* later ones may be told first */
	cth_edit_length_at(&e, 0, 2);
	cth_edit_cut(&e, 18, 1, "12345", 5);
	assert_int_equal(apply(&e, &p), 0);
	assert_packet(&s, "\0\x18....\0\0\0\x14" "ADDRESS=12345;", 24);

	memset(&e, 0, sizeof(e));
	cth_edit_length_at(&e, 0, 2);
	cth_edit_length_at(&e, 18, 2); /* at the very end */
	cth_edit_cut(&e, 2, 4, NULL, 0);
	assert_int_equal(apply(&e, &p), 0);
	assert_packet(&s, "\0\x10\0\0\0\x10" "ADDRESS=1\x37", 16);
}

static void a_length_that_leaves_its_width_is_refused(void **state)
{
	struct shape s = { .version = 4, .proto = UDP };
	static const struct {
		const char *body;
		unsigned width;
		size_t grow, cut;
		int r;
	} cases[] = {
		{ "\xff\xfe__....", 2, 1, 0, 0 },
		{ "\xff\xfe__....", 2, 2, 0, -EINVAL },
		{ "\xff\xff\xff\xfe....", 4, 1, 0, 0 },
		{ "\xff\xff\xff\xfe....", 4, 2, 0, -EINVAL },
		{ "\0\2__....", 2, 0, 2, 0 },
		{ "\0\2__....", 2, 0, 3, -EINVAL },
		{ "\0\0\0\2....", 4, 0, 2, 0 },
		{ "\0\0\0\2....", 4, 0, 3, -EINVAL },
		{ "\x80\0\0\0....", 4, 1, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct cth_edit e = { 0 };
		struct cth_pkt p;

		make_packet(&k, &s, cases[i].body, 8);
		p = pkt();
		cth_edit_length_at(&e, 0, cases[i].width);
		cth_edit_cut(&e, 4, cases[i].cut, "++", cases[i].grow);
		assert_int_equal(apply(&e, &p), cases[i].r);
	}
}

/* Applies to a plain UDP packet of 32 bytes of body. */
static int apply_to_32(struct cth_edit *e)
{
	struct shape s = { .version = 4, .proto = UDP };
	struct cth_pkt p;

	make_packet(&k, &s, "0123456789abcdef0123456789abcdef", 32);
	p = pkt();
	return apply(e, &p);
}

static void an_edit_that_cannot_be_noted_is_refused(void **state)
{
	static const uint8_t much[CTH_EDIT_TEXT + 1];
	struct cth_edit e;

	(void)state;
	memset(&e, 0, sizeof(e)); /* out of order */
	cth_edit_cut(&e, 10, 1, "x", 1);
	cth_edit_cut(&e, 4, 1, "x", 1);
	assert_int_equal(apply_to_32(&e), -EINVAL);

	memset(&e, 0, sizeof(e)); /* overlapping */
	cth_edit_cut(&e, 4, 4, "x", 1);
	cth_edit_cut(&e, 7, 4, "x", 1);
	assert_int_equal(apply_to_32(&e), -EINVAL);

	memset(&e, 0, sizeof(e)); /* one cut too many */
	for (size_t i = 0; i < CTH_EDIT_CUTS; i++)
		cth_edit_cut(&e, i, 1, "x", 1);
	assert_int_equal(apply_to_32(&e), 0);
	cth_edit_cut(&e, CTH_EDIT_CUTS, 1, "x", 1);
	assert_int_equal(apply_to_32(&e), -EINVAL);

	memset(&e, 0, sizeof(e)); /* one byte too many */
	cth_edit_cut(&e, 0, 0, much, 500);
	cth_edit_cut(&e, 1, 0, much, CTH_EDIT_TEXT - 500);
	assert_int_equal(apply_to_32(&e), 0);
	cth_edit_cut(&e, 2, 0, much, 1);
	assert_int_equal(apply_to_32(&e), -EINVAL);

	memset(&e, 0, sizeof(e));
	cth_edit_cut(&e, 0, 0, much, sizeof(much));
	assert_false(cth_edit_empty(&e));
	assert_int_equal(apply_to_32(&e), -EINVAL);
	cth_edit_cut(&e, 0, 1, "x", 1); /* and that stays so */
	assert_int_equal(apply_to_32(&e), -EINVAL);

	for (unsigned width = 0; width < 10; width++) {
		memset(&e, 0, sizeof(e));
		cth_edit_cut(&e, 20, 1, "x", 1);
		cth_edit_length_at(&e, 0, width);
		assert_int_equal(apply_to_32(&e), width == 2 || width == 4 ? 0 : -EINVAL);
	}
	memset(&e, 0, sizeof(e)); /* one length too many */
	cth_edit_cut(&e, 20, 1, "x", 1);
	cth_edit_length_at(&e, 0, 2);
	cth_edit_length_at(&e, 2, 2);
	assert_int_equal(apply_to_32(&e), 0);
	cth_edit_length_at(&e, 4, 2);
	assert_int_equal(apply_to_32(&e), -EINVAL);
}

static void an_edit_outside_of_the_body_is_refused(void **state)
{
	static const size_t far[] = { 33, 1000, 65531, 65536, UINT32_MAX, SIZE_MAX - 1, SIZE_MAX };
	struct cth_edit e;

	(void)state;
	for (size_t i = 0; i < N_OF(far); i++) {
		memset(&e, 0, sizeof(e));
		cth_edit_cut(&e, far[i], 0, NULL, 0);
		assert_int_equal(apply_to_32(&e), -EINVAL);
		memset(&e, 0, sizeof(e));
		cth_edit_cut(&e, 0, far[i], NULL, 0);
		assert_int_equal(apply_to_32(&e), -EINVAL);
		memset(&e, 0, sizeof(e));
		cth_edit_cut(&e, 16, far[i] - 16, NULL, 0);
		assert_int_equal(apply_to_32(&e), -EINVAL);
		memset(&e, 0, sizeof(e));
		cth_edit_cut(&e, 0, 1, NULL, 0);
		cth_edit_length_at(&e, far[i] - 2, 2);
		assert_int_equal(apply_to_32(&e), -EINVAL);
	}
	memset(&e, 0, sizeof(e));
	cth_edit_cut(&e, 0, 32, NULL, 0);
	cth_edit_cut(&e, 32, 0, "x", 1);
	assert_int_equal(apply_to_32(&e), 0);
}

static void a_length_in_a_cut_or_in_another_is_refused(void **state)
{
	struct cth_edit e;

	(void)state;
	for (size_t off = 0; off < 20; off++) {
		memset(&e, 0, sizeof(e));
		cth_edit_cut(&e, 10, 3, "x", 1);
		cth_edit_length_at(&e, off, 4);
		assert_int_equal(apply_to_32(&e), off <= 6 || off >= 13 ? 0 : -EINVAL);
		/* Nothing taken out: but what is put in would tear it apart. */
		memset(&e, 0, sizeof(e));
		cth_edit_cut(&e, 10, 0, "xy", 2);
		cth_edit_length_at(&e, off, 4);
		assert_int_equal(apply_to_32(&e), off <= 6 || off >= 10 ? 0 : -EINVAL);
		memset(&e, 0, sizeof(e));
		cth_edit_cut(&e, 31, 1, "x", 1);
		cth_edit_length_at(&e, off, 4);
		cth_edit_length_at(&e, 8, 2);
		assert_int_equal(apply_to_32(&e), off <= 4 || off >= 10 ? 0 : -EINVAL);
	}
}

static void peer_python_replaces_a_packet_that_was_cut(void **state)
{
	struct shape s = { .version = 4, .proto = UDP };
	struct cth_edit e = { 0 };
	struct cth_pkt p;

	(void)state;
	make_packet(&k, &s, "0123456789", 10);
	cth_edit_cut(&e, 0, 1, "x", 1);
	p = pkt();
	p.have |= CTH_PKT_CAP_LEN;
	p.cap_len = 38;
	assert_int_equal(cth_edit_possible(&p, NULL), -ENODATA);
	assert_int_equal(apply(&e, &p), -ENODATA);
	p = pkt();
	p.payload.n--; /* nobody said so, but the packet tells */
	assert_int_equal(apply(&e, &p), -ENODATA);
	p.payload.n = 0;
	assert_int_equal(apply(&e, &p), -ENODATA);
	p.payload = cth_span(NULL, 0); /* COPY_META */
	assert_int_equal(cth_edit_possible(&p, NULL), -ENODATA);
	assert_int_equal(apply(&e, &p), -ENODATA);
}

static void bytes_behind_the_packet_are_refused(void **state)
{
	struct cth_edit e = { 0 };
	struct cth_pkt p;

	(void)state;
	cth_edit_cut(&e, 0, 1, "x", 1);
	for (int version = 4; version <= 6; version += 2) {
		struct shape s = { .version = version, .proto = UDP };

		make_packet(&k, &s, "0123456789", 10);
		k.b[k.n++] = 0;
		p = pkt();
		assert_int_equal(apply(&e, &p), -EBADMSG);
		k.n--;
		put16(k.b + (version == 4 ? 2 : 4), 0); /* no length at all */
		assert_int_equal(apply(&e, &p), -EBADMSG);
	}
}

static void a_gso_packet_is_refused_an_unfinished_checksum_is_not(void **state)
{
	struct shape s = { .version = 4, .proto = TCP };
	struct cth_edit e = { 0 };
	struct cth_pkt p;

	(void)state;
	make_packet(&k, &s, "0123456789", 10);
	put16(checksum_at(&k), 0x4242);
	cth_edit_cut(&e, 0, 1, "x", 1);
	p = pkt();
	p.have |= CTH_PKT_SKB_INFO;
	p.skb_info = CTH_SKB_CSUM_NOT_READY | CTH_SKB_CSUM_NOT_VERIFIED;
	assert_int_equal(apply(&e, &p), 0);
	assert_packet(&s, "x123456789", 10);
	p.skb_info |= CTH_SKB_GSO;
	assert_int_equal(cth_edit_possible(&p, NULL), -EOPNOTSUPP);
	assert_int_equal(apply(&e, &p), -EOPNOTSUPP);
}

static void a_bridges_packet_is_refused(void **state)
{
	struct shape s = { .version = 4, .proto = UDP };
	struct cth_edit e = { 0 };
	struct cth_pkt p;

	(void)state;
	make_packet(&k, &s, "0123456789", 10);
	cth_edit_cut(&e, 0, 1, "x", 1);
	p = pkt();
	assert_int_equal(cth_edit_possible(&p, NULL), 0);
	p.family = AF_BRIDGE;
	assert_int_equal(cth_edit_possible(&p, NULL), -EOPNOTSUPP);
	assert_int_equal(apply(&e, &p), -EOPNOTSUPP);
}

static void fragments_are_refused(void **state)
{
	static const uint8_t fragment[] = { UDP, 0, 0, 1, 0, 0, 0, 1 };
	struct shape s4 = { .version = 4, .proto = UDP };
	struct shape s6 = { .version = 6, .proto = UDP, .ext = fragment, .ext_len = 8,
			    .first = 44 };
	static const uint16_t flags[] = { 0x2000, 0x2001, 0x0001, 0x1fff };
	struct cth_edit e = { 0 };
	struct cth_pkt p;

	(void)state;
	cth_edit_cut(&e, 0, 1, "x", 1);
	for (size_t i = 0; i < N_OF(flags); i++) {
		make_packet(&k, &s4, "0123456789", 10);
		put16(k.b + 6, flags[i]);
		p = pkt();
		assert_int_equal(apply(&e, &p), -EOPNOTSUPP);
	}
	make_packet(&k, &s6, "0123456789", 10);
	p = pkt();
	assert_int_equal(apply(&e, &p), -EOPNOTSUPP);
	k.b[40 + 3] = 0; /* a fragment that is all of the packet */
	assert_int_equal(apply(&e, &p), 0);
	k.b[40 + 3] = 8;
	assert_int_equal(apply(&e, &p), -EOPNOTSUPP);
}

static void a_routing_header_with_segments_left_is_refused(void **state)
{
	uint8_t routing[] = { UDP, 2, 2, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6,
			      7, 8 };
	struct shape s = { .version = 6, .proto = UDP, .ext = routing,
			   .ext_len = sizeof(routing), .first = 43 };
	struct cth_edit e = { 0 };
	struct cth_pkt p;

	(void)state;
	cth_edit_cut(&e, 0, 1, "x", 1);
	make_packet(&k, &s, "0123456789", 10);
	p = pkt();
	assert_int_equal(apply(&e, &p), 0);
	assert_packet(&s, "x123456789", 10);
	k.b[40 + 3] = 1;
	assert_int_equal(apply(&e, &p), -EOPNOTSUPP);
}

static void an_authenticated_packet_is_refused(void **state)
{
	static const uint8_t ah[24] = { UDP, 4 };
	struct shape s = { .version = 6, .proto = UDP, .ext = ah, .ext_len = sizeof(ah),
			   .first = 51 };
	struct cth_edit e = { 0 };
	struct cth_pkt p;

	(void)state;
	cth_edit_cut(&e, 0, 1, "x", 1);
	make_packet(&k, &s, "0123456789", 10);
	p = pkt();
	assert_int_equal(apply(&e, &p), -EOPNOTSUPP);
}

static void what_is_neither_tcp_nor_udp_is_refused(void **state)
{
	static const uint8_t protos[] = { 1, 33, 47, 50, 58, 132, 136 };
	struct cth_edit e = { 0 };
	struct cth_pkt p;

	(void)state;
	cth_edit_cut(&e, 0, 0, "x", 1);
	for (size_t i = 0; i < N_OF(protos); i++)
		for (int version = 4; version <= 6; version += 2) {
			struct shape s = { .version = version, .proto = protos[i] };

			make_packet(&k, &s, "01234567890123456789", 20);
			p = pkt();
			assert_int_equal(apply(&e, &p), -EBADMSG);
		}
	k.b[0] = 0x25;
	assert_int_equal(apply(&e, &p), -EBADMSG);
}

static void headers_that_disagree_are_refused(void **state)
{
	struct shape s = { .version = 4, .proto = UDP };
	struct cth_edit e = { 0 };
	struct cth_pkt p;

	(void)state;
	cth_edit_cut(&e, 0, 0, "x", 1);
	for (size_t len = 0; len < 30; len++) {
		make_packet(&k, &s, "0123456789", 10);
		put16(k.b + k.l4 + 4, len);
		p = pkt();
		assert_int_equal(apply(&e, &p), len == 18 ? 0 : -EBADMSG);
	}
	s.proto = TCP;
	for (unsigned words = 0; words < 16; words++) {
		make_packet(&k, &s, "0123456789", 8);
		k.b[k.l4 + 12] = (uint8_t)(words << 4);
		p = pkt();
		assert_int_equal(apply(&e, &p), words >= 5 && words <= 7 ? 0 : -EBADMSG);
	}
}

static void a_tcp_stream_changes_its_length_only_behind_nat(void **state)
{
	struct shape s = { .version = 4, .proto = TCP };
	struct cth_edit same = { 0 }, grow = { 0 }, shrink = { 0 };
	struct cth_pkt p;

	(void)state;
	cth_edit_cut(&same, 0, 1, "x", 1);
	cth_edit_cut(&grow, 0, 1, "xy", 2);
	cth_edit_cut(&shrink, 0, 1, NULL, 0);
	make_packet(&k, &s, "0123456789", 10);
	for (unsigned bit = 0; bit < 32; bit++) {
		int r = bit == 4 || bit == 5 ? 0 : -EOPNOTSUPP;

		p = pkt();
		p.ct = flow((uint32_t)1 << bit);
		assert_int_equal(apply(&same, &p), 0);
		assert_int_equal(apply(&grow, &p), r);
		assert_int_equal(apply(&shrink, &p), r);
	}
	p.ct = cth_span(NULL, 0);
	assert_int_equal(apply(&same, &p), 0);
	assert_int_equal(apply(&grow, &p), -EOPNOTSUPP);
	p.ct = cth_span("\x20\0\3\0\0\0\0\x30", 8); /* malformed on either byte order */
	assert_int_equal(apply(&grow, &p), -EOPNOTSUPP);
	p.ct = cth_span(flow(0x30).p, 8); /* CTA_ID alone */
	assert_int_equal(apply(&grow, &p), -EOPNOTSUPP);
	p.ct = cth_span(flow(0x30).p, 16); /* NAT, and no helper: the kernel has no room for it */
	assert_int_equal(apply(&grow, &p), -EOPNOTSUPP);

	s.version = 6; /* where the flow is looked at no less */
	make_packet(&k, &s, "0123456789", 10);
	p = pkt();
	assert_int_equal(apply(&same, &p), 0);
	assert_int_equal(apply(&grow, &p), 0);
	p.ct = flow(0);
	assert_int_equal(apply(&same, &p), 0);
	assert_int_equal(apply(&grow, &p), -EOPNOTSUPP);
	assert_int_equal(apply(&shrink, &p), -EOPNOTSUPP);
	s.proto = UDP;
	make_packet(&k, &s, "0123456789", 10);
	p = pkt();
	p.ct = cth_span(NULL, 0);
	assert_int_equal(apply(&grow, &p), 0);
}

/* Cuts one byte and puts n, in a packet whose first two bytes are head. */
static int apply_to_class(const struct shape *s, size_t head, size_t n)
{
	struct cth_edit e = { 0 };
	struct cth_pkt p;

	make_packet(&k, s, "0123456789", 10);
	put16(k.b, head);
	p = pkt();
	cth_edit_cut(&e, 0, 1, "xy", n);
	return apply(&e, &p);
}

/* Where the kernel would look for the TCP header of this packet. */
static size_t kernels_tcp_header(void)
{
	return 4 * (is.b[0] & 15u);
}

static void over_ipv6_a_class_leads_the_kernel_to_the_tcp_header(void **state)
{
	struct shape s = { .version = 6, .proto = TCP };

	(void)state;
	for (size_t class = 0; class < 256; class++) {
		size_t head = 0x6007 | class << 4; /* with a bit of the flow label */

		assert_int_equal(apply_to_class(&s, head, 1), 0);
		assert_packet_of_class(&s, head, "x123456789", 10);
		assert_int_equal(apply_to_class(&s, head, 2), 0);
		assert_packet_of_class(&s, 0x6a07 | (class & 15) << 4, "xy123456789", 11);
		assert_int_equal(kernels_tcp_header(), is.l4);
		assert_int_equal(apply_to_class(&s, head, 0), 0);
		assert_packet_of_class(&s, 0x6a07 | (class & 15) << 4, "123456789", 9);
	}
	/* Only the kernel's TCP does that; and IPv4 has another there. */
	s.proto = UDP;
	assert_int_equal(apply_to_class(&s, 0x6120, 2), 0);
	assert_packet_of_class(&s, 0x6120, "xy123456789", 11);
	s.version = 4;
	s.proto = TCP;
	s.options = 8;
	assert_int_equal(apply_to_class(&s, 0x4700, 2), 0);
	assert_packet(&s, "xy123456789", 11);
	assert_int_equal(kernels_tcp_header(), is.l4);
}

static void behind_extension_headers_the_kernel_cannot_be_led(void **state)
{
	static const uint8_t ext[16] = { TCP, 1 };
	struct shape s = { .version = 6, .proto = TCP, .ext = ext, .ext_len = sizeof(ext),
			   .first = 60 };
	struct cth_edit e = { 0 };
	const char *why = NULL;
	struct cth_pkt p;

	(void)state;
	assert_int_equal(apply_to_class(&s, 0x6120, 1), 0);
	assert_packet_of_class(&s, 0x6120, "x123456789", 10);
	assert_int_equal(apply_to_class(&s, 0x6120, 2), -EOPNOTSUPP);
	assert_int_equal(apply_to_class(&s, 0x6120, 0), -EOPNOTSUPP);
	p = pkt();
	cth_edit_cut(&e, 0, 0, "x", 1);
	assert_int_equal(cth_edit_apply(&e, &p, &out, &why), -EOPNOTSUPP);
	assert_non_null(strstr(why, "extension headers"));
	p.ct = flow(0); /* no NAT is the first reason */
	assert_int_equal(cth_edit_apply(&e, &p, &out, &why), -EOPNOTSUPP);
	assert_non_null(strstr(why, "F_CONNTRACK"));
}

static void peer_libnetfilter_queue_udp_checksum_0_is_not_mapped(void **state)
{
	struct cth_pkt p;

	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		struct shape s = { .version = version, .proto = UDP };
		struct cth_edit e = { 0 };
		uint8_t fit[2];

		/* The word that makes the sum of all others 0xffff, and the checksum so 0. */
		make_packet(&should, &s, "\0\0", 2);
		put16(fit, get16(checksum_at(&should)));
		make_packet(&k, &s, "ab", 2);
		p = pkt();
		cth_edit_cut(&e, 0, 2, fit, 2);
		assert_int_equal(apply(&e, &p), 0);
		assert_int_equal(get16(checksum_at(&is)), 0xffff);
		assert_packet(&s, fit, 2);
	}
}

/* Of TCP 0 is a checksum like any other. */
static void a_tcp_checksum_of_0_stays_0(void **state)
{
	struct shape s = { .version = 4, .proto = TCP };
	struct cth_edit e = { 0 };
	struct cth_pkt p;
	uint8_t fit[2];

	(void)state;
	make_packet(&should, &s, "\0\0", 2);
	put16(fit, get16(checksum_at(&should)));
	make_packet(&k, &s, "ab", 2);
	p = pkt();
	cth_edit_cut(&e, 0, 2, fit, 2);
	assert_int_equal(apply(&e, &p), 0);
	assert_int_equal(get16(checksum_at(&is)), 0);
	assert_packet(&s, fit, 2);
}

static void a_udp_sender_without_checksum_stays_without(void **state)
{
	struct shape s = { .version = 4, .proto = UDP };
	struct cth_edit e = { 0 };
	struct cth_pkt p;

	(void)state;
	cth_edit_cut(&e, 0, 1, "xyz", 3);
	make_packet(&k, &s, "0123456789", 10);
	put16(checksum_at(&k), 0);
	p = pkt();
	assert_int_equal(apply(&e, &p), 0);
	make_packet(&should, &s, "xyz123456789", 12);
	put16(checksum_at(&should), 0);
	assert_bytes(cth_span(is.b, is.n), should.b, should.n);

	/* Over IPv6 there has to be one. */
	s.version = 6;
	make_packet(&k, &s, "0123456789", 10);
	put16(checksum_at(&k), 0);
	p = pkt();
	assert_int_equal(apply(&e, &p), 0);
	assert_packet(&s, "xyz123456789", 12);
}

static uint8_t large[70000];

/* Growth far beyond any spare room, up to the last byte that the kernel takes. */
static void peer_libnetfilter_queue_mangle_grows_past_its_buffer(void **state)
{
	struct shape s = { .version = 4, .proto = UDP };
	struct cth_pkt p;

	(void)state;
	memset(large, 'L', sizeof(large));
	for (size_t grow = 0; grow <= CTH_EDIT_TEXT; grow += 64) {
		struct cth_edit e = { 0 };

		make_packet(&k, &s, large, 100);
		p = pkt();
		cth_edit_cut(&e, 50, 0, large, grow);
		assert_int_equal(apply(&e, &p), 0);
		assert_packet(&s, large, 100 + grow);
	}
	for (size_t n = 65531 - 28 - 20; n <= 65531 - 28; n++) {
		struct cth_edit e = { 0 };

		make_packet(&k, &s, large, n);
		p = pkt();
		cth_edit_cut(&e, n, 0, large, 10);
		assert_int_equal(apply(&e, &p), n + 10 + 28 > 65531 ? -EMSGSIZE : 0);
		if (n + 10 + 28 <= 65531)
			assert_packet(&s, large, n + 10);
	}
}

static void peer_libnl_sums_in_16_bits(void **state)
{
	struct cth_pkt p;

	(void)state;
	memset(large, 0xff, sizeof(large));
	for (int version = 4; version <= 6; version += 2) {
		struct shape s = { .version = version, .proto = TCP };
		struct cth_edit e = { 0 };

		make_packet(&k, &s, large, 65451);
		p = pkt();
		cth_edit_cut(&e, 65450, 1, "x", 1);
		assert_int_equal(apply(&e, &p), 0);
		large[65450] = 'x';
		assert_packet(&s, large, 65451);
		large[65450] = 0xff;
	}
}

static void headers_up_to_the_scratch_space(void **state)
{
	uint8_t ext[600] = { 0 };
	struct shape s = { .version = 6, .proto = TCP, .ext = ext, .first = 60 };
	struct cth_edit e = { 0 };
	struct cth_pkt p;

	(void)state;
	cth_edit_cut(&e, 0, 1, "x", 1);
	for (size_t len = 8; len <= sizeof(ext); len += 8) {
		ext[0] = TCP;
		ext[1] = (uint8_t)(len / 8 - 1);
		s.ext_len = len;
		s.tcp_options = len % 16 ? 40 : 36;
		make_packet(&k, &s, "0123456789", 10);
		p = pkt();
		assert_int_equal(apply(&e, &p), k.body > CTH_EDIT_HEAD - 8 ? -EMSGSIZE : 0);
		if (k.body <= CTH_EDIT_HEAD - 8)
			assert_packet(&s, "x123456789", 10);
	}
}

/* An edit as the model sees it. */
struct wish {
	size_t cuts, patches;
	struct {
		size_t off, len, put;
	} cut[10];
	struct {
		size_t off;
		unsigned width;
	} patch[3];
};

static uint8_t text[10 * 400];
static uint8_t body[2048], model[4096];

/* May this be noted and made? Byte by byte: who owns it. */
static bool model_allows(const struct wish *w, size_t n)
{
	static uint8_t owner[2048 + 64];
	size_t at = 0, put = 0;

	memset(owner, 0, sizeof(owner));
	if (w->cuts > CTH_EDIT_CUTS || w->patches > CTH_EDIT_PATCHES)
		return false;
	for (size_t i = 0; i < w->cuts; i++) {
		put += w->cut[i].put;
		if (w->cut[i].off < at || w->cut[i].off + w->cut[i].len > n || put > CTH_EDIT_TEXT)
			return false;
		at = w->cut[i].off + w->cut[i].len;
		memset(owner + w->cut[i].off, 1, w->cut[i].len);
	}
	for (size_t i = 0; i < w->patches; i++) {
		size_t off = w->patch[i].off;

		if (off + w->patch[i].width > n)
			return false;
		for (unsigned b = 0; b < w->patch[i].width; b++)
			if (owner[off + b]++)
				return false;
		for (size_t c = 0; c < w->cuts; c++)
			if (w->cut[c].off > off && w->cut[c].off < off + w->patch[i].width)
				return false;
	}
	return true;
}

/* The body with the wish made, in model: how long; 0 and *fits false if a number overflows. */
static size_t model_makes(const struct wish *w, size_t n, bool *fits)
{
	static uint8_t changed[2048];
	size_t at = 0, to = 0, from = 0;
	int64_t change = 0;

	memcpy(changed, body, n);
	for (size_t i = 0; i < w->cuts; i++)
		change += (int64_t)w->cut[i].put - (int64_t)w->cut[i].len;
	*fits = true;
	for (size_t i = 0; i < w->patches; i++) {
		int64_t number = 0;

		for (unsigned b = 0; b < w->patch[i].width; b++)
			number = number << 8 | changed[w->patch[i].off + b];
		number += change;
		if (number < 0 || number >> (8 * w->patch[i].width))
			*fits = false;
		for (unsigned b = w->patch[i].width; b-- > 0; number >>= 8)
			changed[w->patch[i].off + b] = (uint8_t)number;
	}
	for (size_t i = 0; i < w->cuts; i++) {
		while (at < w->cut[i].off)
			model[to++] = changed[at++];
		for (size_t b = 0; b < w->cut[i].put; b++)
			model[to++] = text[from++];
		at += w->cut[i].len;
	}
	while (at < n)
		model[to++] = changed[at++];
	return to;
}

static void wish_something(struct wish *w, size_t n, uint32_t *seed)
{
	size_t at = 0;

	memset(w, 0, sizeof(*w));
	w->cuts = dice(seed, 10);
	for (size_t i = 0; i < w->cuts; i++) {
		at += dice(seed, (uint32_t)(n / 9 + 2));
		w->cut[i].off = at;
		w->cut[i].len = dice(seed, 3) ? dice(seed, 8) : dice(seed, (uint32_t)(n / 6 + 2));
		w->cut[i].put = dice(seed, 20) ? dice(seed, 30) : dice(seed, 400);
		at += w->cut[i].len;
		if (dice(seed, 100) == 0)
			at -= at ? 1 : 0;
	}
	w->patches = w->cuts ? dice(seed, 3) : 0;
	if (w->patches && dice(seed, 50) == 0)
		w->patches = 3;
	for (size_t i = 0; i < w->patches; i++) {
		w->patch[i].off = dice(seed, (uint32_t)n + 4);
		w->patch[i].width = dice(seed, 2) ? 2 : 4;
	}
}

static void note(const struct wish *w, struct cth_edit *e)
{
	static uint8_t own[400];
	size_t from = 0;

	memset(e, 0, sizeof(*e));
	for (size_t i = 0; i < w->cuts; i++) {
		size_t put = w->cut[i].put;

		/* What is put in is copied: it may be gone before the edit is made. */
		memcpy(own, text + from, put);
		cth_edit_cut(e, w->cut[i].off, w->cut[i].len, own, put);
		memset(own, 0xdb, put);
		from += put;
	}
	for (size_t i = 0; i < w->patches; i++)
		cth_edit_length_at(e, w->patch[i].off, w->patch[i].width);
}

static void random_shape(struct shape *s, uint8_t ext[64], uint32_t *seed)
{
	memset(s, 0, sizeof(*s));
	s->version = dice(seed, 2) ? 4 : 6;
	s->proto = dice(seed, 2) ? TCP : UDP;
	s->options = 4 * dice(seed, 11);
	s->tcp_options = 4 * dice(seed, 11);
	if (s->version == 6 && dice(seed, 2)) {
		memset(ext, 0, 64);
		s->ext = ext;
		s->ext_len = 8 + 8 * dice(seed, 7);
		s->first = dice(seed, 2) ? 0 : 60;
		ext[0] = s->proto;
		ext[1] = (uint8_t)(s->ext_len / 8 - 1);
	}
}

static void random_edits_do_what_a_naive_model_does(void **state)
{
	uint32_t seed = 20240229;
	size_t made = 0, refused = 0, lengths = 0, overflows = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)dice(&seed, 256);
	for (int round = 0; round < 6000; round++) {
		size_t n = dice(&seed, 4) ? dice(&seed, 90) : dice(&seed, 1600), to, head;
		struct cth_edit e;
		struct cth_pkt p;
		struct shape s;
		struct wish w;
		uint8_t ext[64];
		bool fits;
		int r;

		random_shape(&s, ext, &seed);
		memset(body, dice(&seed, 2) ? 0 : 0xff, n);
		if (dice(&seed, 4))
			for (size_t i = 0; i < n; i++)
				body[i] = (uint8_t)dice(&seed, 256);
		make_packet(&k, &s, body, n);
		head = get16(k.b);
		if (s.version == 6)
			put16(k.b, head |= dice(&seed, 0x1000));
		wish_something(&w, n, &seed);
		note(&w, &e);
		if (cth_edit_empty(&e))
			continue;
		p = pkt();
		r = apply(&e, &p);
		if (!model_allows(&w, n)) {
			assert_int_equal(r, -EINVAL);
			refused++;
			continue;
		}
		to = model_makes(&w, n, &fits);
		if (s.version == 6 && s.proto == TCP && to != n) {
			lengths++;
			head = (head & 0xff) | 0x6a00;
			if (s.ext_len) {
				assert_int_equal(r, -EOPNOTSUPP);
				continue;
			}
		}
		if (!fits) {
			assert_int_equal(r, -EINVAL);
			overflows++;
			continue;
		}
		assert_int_equal(r, 0);
		assert_packet_of_class(&s, head, model, to);
		made++;
	}
	assert_true(made > 1000);
	assert_true(refused > 300);
	assert_true(lengths > 200);
	assert_true(overflows > 20);
}

static void checksums_of_pieces_of_any_length(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (size_t i = 0; i < 300; i++)
		large[i] = (uint8_t)dice(&seed, 256);
	for (size_t n = 0; n < 300; n++) {
		struct cth_csum c = { 0 };
		bool odd = false;

		for (size_t at = 0, len; at < n; at += len) {
			len = dice(&seed, 6);
			if (len > n - at)
				len = n - at;
			cth_csum_add(&c, large + at, len);
		}
		assert_int_equal(cth_csum_end(&c), (uint16_t)~naive_sum(0, large, n, &odd));
	}
}

/* RFC 1071's own example. */
static void the_checksum_of_the_rfc(void **state)
{
	static const uint8_t rfc[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
	struct cth_csum c = { 0 };

	(void)state;
	assert_int_equal(cth_csum_end(&c), 0xffff);
	cth_csum_add(&c, rfc, sizeof(rfc));
	assert_int_equal(cth_csum_end(&c), (uint16_t)~0xddf2);
}

/* Packets as kernels made them: with the checksums they came with, or the right ones. */
static void edit_recorded(struct cth_span d, bool to_kernel, void *ctx)
{
	size_t *done = ctx;
	struct cth_edit e = { 0 };
	struct cth_nlmsg m;
	struct cth_pkt p;

	(void)to_kernel;
	cth_edit_cut(&e, 0, 0, NULL, 0);
	while (cth_nlmsg_next(&d, &m) > 0) {
		struct cth_ip ip;

		if (cth_pkt_parse(&p, &m) < 0 || cth_edit_possible(&p, NULL) < 0 ||
		    cth_ip_find(&ip, p.payload) < 0 || (ip.proto != TCP && ip.proto != UDP))
			continue;
		k.version = ip.version;
		k.proto = ip.proto;
		k.l4 = ip.l4;
		assert_int_equal(apply(&e, &p), 0);
		assert_bytes(cth_span(is.b, is.n), p.payload.p, p.payload.n);
		assert_int_equal(transport_sum(&is), 0xffff);
		(*done)++;
	}
}

static void recorded_packets_come_back_as_they_were(void **state)
{
	static const char *const names[] = {
		"readme-demo.pcap", "helper-behaviours.pcap", "conntrackd-ftp-v4.pcap",
		"conntrackd-ftp-v6.pcap", "conntrackd-ftp-masq-port.pcap",
	};
	size_t done = 0;

	(void)state;
	for (size_t i = 0; i < N_OF(names); i++)
		each_datagram(names[i], edit_recorded, &done);
	assert_true(done > 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_cut_changes_body_lengths_and_checksums),
		cmocka_unit_test(kept_bytes_are_views_into_the_packet),
		cmocka_unit_test(an_edit_of_nothing_gives_the_packet_back),
		cmocka_unit_test(cuts_at_both_ends_and_side_by_side),
		cmocka_unit_test(a_body_may_vanish_and_appear),
		cmocka_unit_test(lengths_of_the_protocol_take_the_whole_change),
		cmocka_unit_test(a_length_that_leaves_its_width_is_refused),
		cmocka_unit_test(an_edit_that_cannot_be_noted_is_refused),
		cmocka_unit_test(an_edit_outside_of_the_body_is_refused),
		cmocka_unit_test(a_length_in_a_cut_or_in_another_is_refused),
		cmocka_unit_test(peer_python_replaces_a_packet_that_was_cut),
		cmocka_unit_test(bytes_behind_the_packet_are_refused),
		cmocka_unit_test(a_gso_packet_is_refused_an_unfinished_checksum_is_not),
		cmocka_unit_test(a_bridges_packet_is_refused),
		cmocka_unit_test(fragments_are_refused),
		cmocka_unit_test(a_routing_header_with_segments_left_is_refused),
		cmocka_unit_test(an_authenticated_packet_is_refused),
		cmocka_unit_test(what_is_neither_tcp_nor_udp_is_refused),
		cmocka_unit_test(headers_that_disagree_are_refused),
		cmocka_unit_test(a_tcp_stream_changes_its_length_only_behind_nat),
		cmocka_unit_test(over_ipv6_a_class_leads_the_kernel_to_the_tcp_header),
		cmocka_unit_test(behind_extension_headers_the_kernel_cannot_be_led),
		cmocka_unit_test(peer_libnetfilter_queue_udp_checksum_0_is_not_mapped),
		cmocka_unit_test(a_tcp_checksum_of_0_stays_0),
		cmocka_unit_test(a_udp_sender_without_checksum_stays_without),
		cmocka_unit_test(peer_libnetfilter_queue_mangle_grows_past_its_buffer),
		cmocka_unit_test(peer_libnl_sums_in_16_bits),
		cmocka_unit_test(headers_up_to_the_scratch_space),
		cmocka_unit_test(random_edits_do_what_a_naive_model_does),
		cmocka_unit_test(checksums_of_pieces_of_any_length),
		cmocka_unit_test(the_checksum_of_the_rfc),
		cmocka_unit_test(recorded_packets_come_back_as_they_were),
	};

	return RUN(tests);
}
