/* SPDX-License-Identifier: MIT */
/*
 * peers.c - mistakes of other libraries and tools in registering, binding, receiving and
 * deciding: those that no other file tries already. Where each of them is tried:
 *
 *   libnetfilter_cthelper
 *     policies under one number        helper.c  .._policies_under_one_number
 *     a set's place and count          helper.c  .._writes_past_four_policies
 *     0 for what was not given         helper.c  .._sends_l4_0_when_only_l3_is_given
 *     the wrong attribute tested       helper.c  .._tests_the_wrong_attribute_for_the_queue
 *     lengths unchecked                helper.c  .._no_length_check_for_status_and_private_length
 *     names cut                        helper.c  .._names_silently_cut
 *     another library's header guard   test/rules: headers stand in any order
 *   nfct
 *     l4 by a 32-bit setter            here      peer_nfct_l4_by_a_setter_of_32_bits
 *     get of nothing succeeds          helper.c, test/vm/registry, test/vm/foundation
 *     partial flush succeeds           helper.c, test/vm/foundation
 *   conntrackd
 *     enabled before the queue is      test/vm/foundation  cthelper_nfqueue_setup
 *     enabled after it has gone        test/vm/foundation  cthelper_kill
 *     bind and parameters apart        queue.c   .._bind_and_params_in_two_messages
 *     bind without an answer           here      peer_conntrackd_a_refused_bind_is_told_late
 *     packets thrown away in setup     queue.c   .._cthelper_setup_throws_packets_away
 *     4096 bytes for larger packets    queue.c   .._nfq_cb_has_4096_bytes_for_larger_packets
 *     queue 0 on error exits           queue.c, pkt.c
 *     a second verdict                 queue.c   .._error_exit_sends_a_second_verdict
 *     a verdict outgrows its buffer    verdict.c .._verdict_outgrows_its_buffer
 *     the whole flow echoed            flow.c    .._echoes_the_whole_object
 *     private data taken for granted   flow.c    .._assumes_that_private_data_is_there
 *     a u8 read as u16                 flow.c    .._a_short_attribute_is_read_as_a_longer_one
 *     two helpers on one queue         test/vm/foundation  helper_run
 *     a policy shared by families      here      peer_conntrackd_families_share_a_policy
 *     what is omitted becomes 0        here      peer_conntrackd_what_is_omitted_becomes_0
 *   libnetfilter_queue
 *     growth past the buffer           edit.c    .._mangle_grows_past_its_buffer
 *     EtherTypes in two orders         ip.c      .._bridge_packets_match_no_ethertype
 *     UDP checksum 0                   edit.c    .._udp_checksum_0_is_not_mapped
 *     TCP's length below 0             ip.c      .._tcp_payload_length_underflows
 *     flags in host order              here      peer_libnetfilter_queue_flags_in_host_order
 *     nfq_tcp_snprintf's return        nothing here prints into a buffer piece by piece
 *   go-nfqueue
 *     bridge packets refused           pkt.c, queue.c
 *     verdicts cut                     verdict.c .._cuts_the_verdict_to_8_bits
 *     lengths that wrap                pkt.c     .._hardware_address_length_wraps
 *     a packet taken for an ACK        queue.c   .._execute_takes_a_packet_for_its_ack
 *   nfq-rs
 *     packets before the ACK           queue.c, socket.c
 *     panics                           pkt.c     .._short_attributes_panic
 *     a message without a verdict      here      peer_nfq_rs_a_message_without_a_verdict
 *   python-netfilterqueue
 *     a cut packet sent back           queue.c, edit.c, verdict.c
 *     an empty packet ignored          verdict.c .._sends_an_empty_packet_or_one_too_long
 *     errors of verdicts ignored       here      peer_python_errors_of_verdicts_are_ignored
 *   libnl
 *     an ACK per verdict               queue.c   .._waits_for_an_ack_per_verdict
 *     EtherType in network order       pkt.c     .._hw_protocol_left_in_network_order
 *     no conntrack, flags, length      here      peer_libnl_knows_no_flow_flags_or_length
 *     no expectation in a verdict      here      peer_libnl_knows_no_expectation
 *
 * What protocol files get wrong is tried with them.
 */
#include "unit.h"
#include "golden.h"
#include "../../cthelper/flow.h"
#include "../../cthelper/helper.h"
#include "../../netlink/uapi.h"
#include "../../queue/queue.h"

#define INET  2
#define INET6 10
#define TCP   6

#define PACKET  (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)
#define VERDICT (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT)

#define SLOTS 4
#define SLOT  (2048 + CTH_QUEUE_ROOM)

static struct script k;
static struct cth_sock s;
static struct cth_queue q;
static struct cth_slot ring[SLOTS];
static uint8_t slots[SLOTS][SLOT], answers[4096], out[CTH_QUEUE_OUT], bytes[4096];
static struct cth_msg msg;
static struct cth_nack nack;

/* What the callback saw, and the code that it answers with. */
static struct {
	size_t packets;
	bool sets_code;
	int code;
	uint32_t have, cap_len, mark;
	char helper[16];
} seen;

static void see(const struct cth_pkt *p, struct cth_verdict *v, void *ctx)
{
	struct cth_flow f;

	(void)ctx;
	seen.packets++;
	seen.have = p->have;
	seen.cap_len = p->cap_len;
	if (p->ct.p && cth_flow_parse(&f, p->ct) == 0) {
		seen.mark = f.mark;
		memcpy(seen.helper, f.helper, sizeof(seen.helper));
	}
	if (seen.sets_code)
		v->code = seen.code;
}

static int setup(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	memset(&nack, 0, sizeof(nack));
	script_init(&k);
	cth_sock_seam(&s, &k.io, answers, sizeof(answers));
	s.timeout_ms = 0;
	cth_slots(ring, SLOTS, slots, SLOT);
	cth_msg_init(&msg, bytes, sizeof(bytes));
	return cth_queue_init(&q, &s, ring, SLOTS, out, sizeof(out), see, NULL);
}

static struct cth_helper helper(uint16_t l3, uint32_t max)
{
	struct cth_helper h = { .name = "sane", .l3 = l3, .l4 = TCP, .classes = 1 };

	strcpy(h.policy[0].name, "sane");
	h.policy[0].max = max;
	h.policy[0].timeout = 10 * max;
	return h;
}

static struct cth_nlmsg first(struct cth_span datagram)
{
	struct cth_nlmsg m;

	assert_int_equal(cth_nlmsg_next(&datagram, &m), 1);
	return m;
}

/* Is this run of bytes in there? */
static bool holds(struct cth_span where, const void *what, size_t n)
{
	for (size_t i = 0; i + n <= where.n; i++)
		if (memcmp(where.p + i, what, n) == 0)
			return true;
	return false;
}

/* The description of a packet, up to its payload. */
static void packet_begin(uint16_t queue, uint32_t id)
{
	const uint8_t header[] = { B32(id), B16(0x0800), 4 };

	cth_msg_begin(&msg, PACKET, 0, 0, INET, queue);
	cth_msg_put(&msg, NFQA_PACKET_HDR, header, sizeof(header));
}

static void packet_arrives(void)
{
	cth_msg_put(&msg, NFQA_PAYLOAD, "payload", 7);
	assert_int_equal(cth_msg_end(&msg), 0);
	script_bytes(&k, bytes, cth_msg_bytes(&msg).n);
	cth_msg_reset(&msg);
}

static void packet(uint16_t queue, uint32_t id)
{
	packet_begin(queue, id);
	packet_arrives();
}

/* Registration. */

static void peer_nfct_l4_by_a_setter_of_32_bits(void **state)
{
	/* A byte that was set as a word is 0 where the last byte comes last. */
	static const uint8_t key[] = { AN(16, 2), A(2, 1), B16(INET), 0, 0, A(1, 2), TCP, 0, 0, 0 };
	const struct cth_helper h = helper(INET, 1);

	(void)state;
	assert_int_equal(cth_helper_put_new(&msg, NLM_F_CREATE, 1, &h), 0);
	assert_true(holds(cth_msg_bytes(&msg), key, sizeof(key)));
	cth_msg_reset(&msg);
	assert_int_equal(cth_helper_put_del(&msg, 0, 1, "sane", INET, TCP), 0);
	assert_true(holds(cth_msg_bytes(&msg), key, sizeof(key)));
}

static void peer_conntrackd_families_share_a_policy(void **state)
{
	static const uint16_t family[] = { INET, INET6 };
	struct cth_helper h[2] = { helper(INET, 3), helper(INET6, 7) };

	(void)state;
	k.on_send = script_ack_all;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(cth_helper_add(&s, &h[i], &nack), 0);
	for (size_t i = 0; i < 2; i++) {
		struct cth_helper got;
		struct cth_nlmsg m = first(script_sent(&k, i));

		assert_int_equal(cth_helper_parse(&got, &m), 0);
		assert_int_equal(got.l3, family[i]);
		assert_int_equal(got.policy[0].max, i == 0 ? 3 : 7);
		assert_int_equal(got.policy[0].timeout, i == 0 ? 30 : 70);
	}
}

static void peer_conntrackd_what_is_omitted_becomes_0(void **state)
{
	struct cth_helper h = helper(INET, 3), got;
	struct cth_nlmsg m;

	(void)state;
	h.have = CTH_HELPER_QUEUE;
	h.queue = 9;
	assert_int_equal(cth_helper_put_new(&msg, 0, 1, &h), 0);
	m = first(cth_msg_bytes(&msg));
	assert_int_equal(cth_helper_parse(&got, &m), 0);
	assert_int_equal(got.have, CTH_HELPER_QUEUE);
	/* And half a class, which the kernel would take for one of zeros, is told as such. */
	h = helper(INET, 3);
	h.policy[0].name[0] = 0;
	assert_int_equal(cth_helper_check(&h, NULL), -EINVAL);
}

/* Binding. */

static void refuse(struct script *script, struct cth_span datagram)
{
	struct cth_nlmsg m = first(datagram);

	/* Whatever comes first: a packet of another queue is no answer. */
	packet(1, 5);
	script_ack(script, m.seq, -EPERM);
}

static void peer_conntrackd_a_refused_bind_is_told_late(void **state)
{
	const struct cth_queue_config cfg = { .range = 1024 };

	(void)state;
	assert_int_equal(cth_queue_adopt(&q, 1, 0), 0);
	k.on_send = refuse;
	assert_int_equal(cth_queue_bind(&q, 0, &cfg, &nack), -EPERM);
	assert_int_equal(nack.error, -EPERM);
	assert_int_equal(nack.seq, first(script_sent(&k, 0)).seq);
	assert_true(first(script_sent(&k, 0)).flags & NLM_F_ACK);
	assert_int_equal(seen.packets, 1);
}

static void peer_libnetfilter_queue_flags_in_host_order(void **state)
{
	static const uint8_t mask[] = { A(4, 4), B32(31) }, flags[] = { A(4, 5), B32(2) };
	const struct cth_queue_config cfg = { .range = 1024 };

	(void)state;
	assert_int_equal(cth_queue_put_config(&msg, 1, 0, true, &cfg, CTH_QUEUE_CONNTRACK), 0);
	assert_true(holds(cth_msg_bytes(&msg), mask, sizeof(mask)));
	assert_true(holds(cth_msg_bytes(&msg), flags, sizeof(flags)));
}

/* Deciding. */

static void verdict_is_refused(uint16_t queue, uint32_t id, int error)
{
	const uint8_t nlmsgerr[] = {
		H32(52), H16(NLMSG_ERROR), H16(0), H32(0), H32(0), H32(error),
		MESSAGE(32, VERDICT, NLM_F_REQUEST, 0, 0, queue), A(8, NFQA_VERDICT_HDR),
		B32(CTH_ACCEPT), B32(id),
	};

	script_bytes(&k, nlmsgerr, sizeof(nlmsgerr));
}

static void peer_nfq_rs_a_message_without_a_verdict(void **state)
{
	const struct cth_verdict accept = { .code = CTH_ACCEPT };

	(void)state;
	assert_int_equal(cth_queue_adopt(&q, 3, 0), 0);
	/* A callback that does nothing has accepted. */
	packet(3, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_int_equal(seen.packets, 1);
	assert_int_equal(q.stats.verdicts, 1);
	/* One that wants to answer later says so, is counted, and can. */
	seen.sets_code = true;
	seen.code = CTH_HOLD;
	packet(3, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_int_equal(q.stats.verdicts, 1);
	assert_int_equal(q.stats.held, 1);
	assert_int_equal(cth_queue_verdict(&q, 3, 2, &accept, NULL), 0);
	assert_int_equal(q.stats.verdicts, 2);
	assert_int_equal(q.stats.held, 0);
	/* Nonsense is no way to leave a packet where it is, either. */
	seen.code = 77;
	packet(3, 3);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_int_equal(q.stats.verdicts, 3);
	assert_int_equal(q.stats.refused, 1);
	assert_int_equal(k.outs, 3);
	for (size_t i = 0; i < 3; i++) {
		struct cth_span sent = script_sent(&k, i);

		assert_int_equal(first(sent).type, VERDICT);
		assert_int_equal(cth_be32(sent.p + 24), CTH_ACCEPT);
		assert_int_equal(cth_be32(sent.p + 28), i + 1);
	}
}

static void peer_python_errors_of_verdicts_are_ignored(void **state)
{
	(void)state;
	assert_int_equal(cth_queue_adopt(&q, 3, 0), 0);
	/* The kernel refuses a verdict, long after it was sent and without having been asked. */
	packet(3, 1);
	verdict_is_refused(3, 1, -ENOENT);
	packet(3, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	assert_int_equal(q.stats.nacks, 1);
	assert_int_equal(q.last_nack.error, -ENOENT);
	/* The send itself fails, and for good. */
	for (size_t i = 0; i < N_OF(k.send_error); i++)
		k.send_error[i] = -EPIPE;
	packet(3, 3);
	assert_int_equal(cth_queue_run(&q, 0, 0), -EPIPE);
}

static void peer_libnl_knows_no_flow_flags_or_length(void **state)
{
	const struct cth_queue_config cfg = { .range = 1024, .flags = CTH_QUEUE_CONNTRACK,
					      .wishes = CTH_QUEUE_UID_GID };
	size_t ct, help;

	(void)state;
	k.on_send = script_ack_all;
	assert_int_equal(cth_queue_bind(&q, 3, &cfg, &nack), 0);
	assert_int_equal(cth_queue_flags(&q, 3), CTH_QUEUE_CONNTRACK | CTH_QUEUE_UID_GID);
	k.ins = k.in_next = 0;

	packet_begin(3, 1);
	ct = cth_msg_nest(&msg, NFQA_CT);
	cth_msg_put_be32(&msg, CTA_MARK, 42);
	help = cth_msg_nest(&msg, CTA_HELP);
	cth_msg_put_str(&msg, CTA_HELP_NAME, "sane");
	cth_msg_nest_end(&msg, help);
	cth_msg_nest_end(&msg, ct);
	cth_msg_put_be32(&msg, NFQA_CT_INFO, 2);
	cth_msg_put_be32(&msg, NFQA_CAP_LEN, 1400);
	packet_arrives();
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_true(seen.have & CTH_PKT_CT_INFO);
	assert_true(seen.have & CTH_PKT_CAP_LEN);
	assert_int_equal(seen.cap_len, 1400);
	assert_int_equal(seen.mark, 42);
	assert_string_equal(seen.helper, "sane");
}

static void peer_libnl_knows_no_expectation(void **state)
{
	struct cth_verdict v = { .code = CTH_ACCEPT };
	bool ct = false, expect = false;
	struct cth_nlmsg m;
	struct cth_attr a;

	(void)state;
	v.ct = cth_span((const uint8_t[]){ A(4, 8), B32(1) }, 8);
	v.expect = cth_span((const uint8_t[]){ A(4, 4), B32(300) }, 8);
	assert_int_equal(cth_verdict_put(&msg, 3, 1, &v, NULL, NULL), 0);
	m = first(cth_msg_bytes(&msg));
	while (cth_attr_next(&m.attrs, &a) > 0) {
		ct |= a.type == NFQA_CT && a.value.n == 8 && cth_be32(a.value.p + 4) == 1;
		expect |= a.type == CTH_NFQA_EXP && a.value.n == 8 && cth_be32(a.value.p + 4) == 300;
	}
	assert_true(ct);
	assert_true(expect);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(peer_nfct_l4_by_a_setter_of_32_bits),
		TEST(peer_conntrackd_families_share_a_policy),
		TEST(peer_conntrackd_what_is_omitted_becomes_0),
		TEST(peer_conntrackd_a_refused_bind_is_told_late),
		TEST(peer_libnetfilter_queue_flags_in_host_order),
		TEST(peer_nfq_rs_a_message_without_a_verdict),
		TEST(peer_python_errors_of_verdicts_are_ignored),
		TEST(peer_libnl_knows_no_flow_flags_or_length),
		TEST(peer_libnl_knows_no_expectation),
	};

	return RUN(tests);
}
