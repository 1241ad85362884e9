/* SPDX-License-Identifier: MIT */
/*
 * queue.c - binding, receiving, deciding, sending: against a script, where the bytes and
 * the faults matter, and against a model of the kernel's queue, where it matters that
 * every packet gets one verdict, and the right one.
 */
#include "unit.h"
#include "../../netlink/uapi.h"
#include "../../queue/queue.h"

#define PACKET  (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)
#define VERDICT (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT)
#define CONFIG  (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG)
#define BATCH   (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT_BATCH)

#define SLOTS 8
#define SLOT  (65531 + CTH_QUEUE_ROOM)

static struct script k;
static struct cth_sock s;
static struct cth_queue q;
static struct cth_slot ring[SLOTS];
static uint8_t slot_bytes[SLOTS][SLOT], answers[4096], out[CTH_QUEUE_OUT];
static struct cth_nack nack;

/* What the callback saw, and what it answers: by id, CTH_ACCEPT where nothing is told. */
static struct {
	size_t packets;
	uint16_t queue[64];
	uint32_t id[64];
	size_t payload[64];
	void (*answer)(const struct cth_pkt *p, struct cth_verdict *v);
} seen;

static void see(const struct cth_pkt *p, struct cth_verdict *v, void *ctx)
{
	assert_ptr_equal(ctx, &seen);
	assert_int_equal(v->code, CTH_ACCEPT);
	if (seen.packets < N_OF(seen.id)) {
		seen.queue[seen.packets] = p->queue;
		seen.id[seen.packets] = p->id;
		seen.payload[seen.packets] = p->payload.n;
	}
	seen.packets++;
	if (seen.answer)
		seen.answer(p, v);
}

static void start(const struct cth_io *io, size_t slot_size)
{
	memset(&seen, 0, sizeof(seen));
	for (size_t i = 0; i < SLOTS; i++) {
		ring[i].buf = slot_bytes[i];
		ring[i].cap = slot_size;
	}
	cth_sock_seam(&s, io, answers, sizeof(answers));
	s.timeout_ms = 0;
	assert_int_equal(cth_queue_init(&q, &s, ring, SLOTS, out, sizeof(out), see, &seen), 0);
}

static int setup(void **state)
{
	(void)state;
	script_init(&k);
	start(&k.io, SLOT);
	return 0;
}

/* Bytes as they should be: numbers in host order or big-endian. */
struct golden {
	uint8_t b[512];
	size_t n;
};

static void h16(struct golden *g, uint16_t v)
{
	cth_store_host16(g->b + g->n, v);
	g->n += 2;
}

static void h32(struct golden *g, uint32_t v)
{
	cth_store_host32(g->b + g->n, v);
	g->n += 4;
}

static void b16(struct golden *g, uint16_t v)
{
	cth_store_be16(g->b + g->n, v);
	g->n += 2;
}

static void b32(struct golden *g, uint32_t v)
{
	cth_store_be32(g->b + g->n, v);
	g->n += 4;
}

static void golden_headers(struct golden *g, uint32_t len, uint16_t type, uint16_t flags,
			   uint32_t seq, uint16_t queue)
{
	h32(g, len);
	h16(g, type);
	h16(g, flags);
	h32(g, seq);
	h32(g, 0);
	g->b[g->n++] = 0;
	g->b[g->n++] = 0;
	b16(g, queue);
}

static void golden_verdict(struct golden *g, uint16_t type, uint16_t queue, uint32_t word,
			   uint32_t id)
{
	golden_headers(g, 32, type, NLM_F_REQUEST, 0, queue);
	h16(g, 12);
	h16(g, NFQA_VERDICT_HDR);
	b32(g, word);
	b32(g, id);
}

static void golden_config(struct golden *g, uint32_t seq, uint16_t queue, bool bind, uint32_t range,
			  uint32_t mode, uint32_t flags)
{
	golden_headers(g, bind ? 56 : 48, CONFIG, NLM_F_REQUEST | NLM_F_ACK, seq, queue);
	if (bind) {
		h16(g, 8);
		h16(g, NFQA_CFG_CMD);
		b32(g, (uint32_t)NFQNL_CFG_CMD_BIND << 24);
	}
	h16(g, 9);
	h16(g, NFQA_CFG_PARAMS);
	b32(g, range);
	b32(g, mode << 24);
	h16(g, 8);
	h16(g, NFQA_CFG_MASK);
	b32(g, 31);
	h16(g, 8);
	h16(g, NFQA_CFG_FLAGS);
	b32(g, flags);
}

static void assert_sent(size_t i, const struct golden *g)
{
	assert_bytes(script_sent(&k, i), g->b, g->n);
}

/* Queued packets: messages are gathered in pm and make one datagram. */
static uint8_t packet_bytes[4096];
static struct cth_msg pm;

static void packet_in(struct cth_msg *m, uint8_t family, uint16_t queue, uint32_t id,
		      const void *payload, size_t n)
{
	uint8_t header[7] = { 0, 0, 0, 0, 0x08, 0x00, 4 };

	cth_store_be32(header, id);
	cth_msg_begin(m, PACKET, 0, 0, family, queue);
	cth_msg_put(m, NFQA_PACKET_HDR, header, sizeof(header));
	cth_msg_put_be32(m, NFQA_MARK, 0x0f);
	cth_msg_put(m, NFQA_PAYLOAD, payload, n);
	assert_int_equal(cth_msg_end(m), 0);
}

static void packet(uint16_t queue, uint32_t id)
{
	packet_in(&pm, 2, queue, id, "payload", 7);
}

static void packets_begin(void)
{
	cth_msg_init(&pm, packet_bytes, sizeof(packet_bytes));
}

static void packets_arrive(void)
{
	script_bytes(&k, packet_bytes, cth_msg_bytes(&pm).n);
	packets_begin();
}

/* n packets of a queue, one datagram each, as the kernel sends them. */
static void arrive(uint16_t queue, uint32_t first, uint32_t n)
{
	packets_begin();
	for (uint32_t i = 0; i < n; i++) {
		packet(queue, first + i);
		packets_arrive();
	}
}

static const struct cth_queue_config plain = { 0 };

/* As after a bind, but nothing was sent. */
static void bound(uint16_t num)
{
	assert_int_equal(cth_queue_adopt(&q, num, 0), 0);
	for (size_t i = 0; i < CTH_QUEUE_BOUND; i++)
		q.bound[i].foreign = false;
}

/* Binding. */

static void bind_is_one_message(void **state)
{
	const struct cth_queue_config cfg = {
		.copy = CTH_COPY_PACKET, .range = 1500, .maxlen = 4096,
		.flags = CTH_QUEUE_FAIL_OPEN, .wishes = CTH_QUEUE_UID_GID,
	};
	struct golden g = { .n = 0 };

	(void)state;
	k.on_send = script_ack_all;
	assert_int_equal(cth_queue_bind(&q, 513, &cfg, &nack), 0);
	golden_headers(&g, 64, CONFIG, NLM_F_REQUEST | NLM_F_ACK, 1, 513);
	h16(&g, 8);
	h16(&g, NFQA_CFG_CMD);
	b32(&g, (uint32_t)NFQNL_CFG_CMD_BIND << 24);
	h16(&g, 9);
	h16(&g, NFQA_CFG_PARAMS);
	b32(&g, 1500);
	b32(&g, 2u << 24);
	h16(&g, 8);
	h16(&g, NFQA_CFG_QUEUE_MAXLEN);
	b32(&g, 4096);
	h16(&g, 8);
	h16(&g, NFQA_CFG_MASK);
	b32(&g, 31);
	h16(&g, 8);
	h16(&g, NFQA_CFG_FLAGS);
	b32(&g, CTH_QUEUE_FAIL_OPEN | CTH_QUEUE_UID_GID);
	assert_sent(0, &g);
	assert_int_equal(k.outs, 1);
	assert_int_equal(cth_queue_flags(&q, 513), CTH_QUEUE_FAIL_OPEN | CTH_QUEUE_UID_GID);
	assert_int_equal(cth_queue_flags(&q, 514), 0);
}

static void peer_conntrackd_bind_and_params_in_two_messages(void **state)
{
	struct cth_nlmsg m;
	struct cth_attr a;
	struct cth_span sent;
	uint32_t have = 0;

	(void)state;
	k.on_send = script_ack_all;
	assert_int_equal(cth_queue_bind(&q, 0, &plain, &nack), 0);
	sent = script_sent(&k, 0);
	assert_int_equal(cth_nlmsg_next(&sent, &m), 1);
	assert_int_equal(sent.n, 0);
	assert_true(m.flags & NLM_F_ACK);
	while (cth_attr_next(&m.attrs, &a) > 0)
		have |= 1u << a.type;
	assert_true(have & 1u << NFQA_CFG_CMD);
	assert_true(have & 1u << NFQA_CFG_PARAMS);
	assert_true(have & 1u << NFQA_CFG_FLAGS);
	assert_true(have & 1u << NFQA_CFG_MASK);
}

static void binding_again_changes_parameters_and_sends_no_command(void **state)
{
	struct cth_queue_config cfg = { .flags = CTH_QUEUE_GSO };
	struct golden first = { .n = 0 }, second = { .n = 0 };

	(void)state;
	k.on_send = script_ack_all;
	assert_int_equal(cth_queue_bind(&q, 7, &cfg, &nack), 0);
	cfg.flags = 0;
	cfg.copy = CTH_COPY_META;
	assert_int_equal(cth_queue_bind(&q, 7, &cfg, &nack), 0);
	golden_config(&first, 1, 7, true, 65531, 2, CTH_QUEUE_GSO);
	golden_config(&second, 2, 7, false, 65531, 1, 0);
	assert_sent(0, &first);
	assert_sent(1, &second);
	assert_int_equal(cth_queue_flags(&q, 7), 0);
}

/* A kernel that knows some flags: as nfqnl_recv_config, which looks at flags first. */
static struct {
	uint32_t known;   /* flags it has */
	int bind_error;   /* for BIND, whatever else is right */
	bool old;         /* it does the command before it looks at the flags */
	bool is_bound;
	uint32_t flags;
	size_t configs;
} config;

static int config_kernel(const struct cth_nlmsg *m)
{
	struct cth_span attrs = m->attrs;
	struct cth_attr a;
	uint32_t flags = 0;
	int command = 0;
	bool unknown;

	while (cth_attr_next(&attrs, &a) > 0) {
		if (a.type == NFQA_CFG_CMD)
			command = a.value.p[0];
		if (a.type == NFQA_CFG_FLAGS)
			flags = cth_be32(a.value.p);
	}
	unknown = (flags & ~config.known) != 0;
	if (unknown && !config.old)
		return -EOPNOTSUPP;
	if (command == NFQNL_CFG_CMD_BIND) {
		if (config.bind_error)
			return config.bind_error;
		if (config.is_bound)
			return -EBUSY;
		config.is_bound = true;
	}
	if (!config.is_bound)
		return -ENODEV;
	if (command == NFQNL_CFG_CMD_UNBIND) {
		config.is_bound = false;
		return 0;
	}
	if (unknown)
		return -EOPNOTSUPP;
	config.flags = flags;
	return 0;
}

static void config_answer(struct script *script, struct cth_span datagram)
{
	struct cth_nlmsg m;

	while (cth_nlmsg_next(&datagram, &m) > 0) {
		if (m.type != CONFIG)
			continue;
		config.configs++;
		script_ack(script, m.seq, config_kernel(&m));
	}
}

static void config_start(uint32_t known)
{
	setup(NULL);
	memset(&config, 0, sizeof(config));
	config.known = known;
	k.on_send = config_answer;
}

static void wishes_are_refused_flag_by_flag(void **state)
{
	const struct cth_queue_config cfg = { .flags = CTH_QUEUE_FAIL_OPEN, .wishes = 31 };

	(void)state;
	for (int old = 0; old < 2; old++) {
		for (uint32_t known = 1; known < 32; known += 2) {
			config_start(known);
			config.old = old;
			assert_int_equal(cth_queue_bind(&q, 3, &cfg, &nack), 0);
			assert_int_equal(nack.error, 0);
			assert_true(config.is_bound);
			assert_int_equal(config.flags, known);
			assert_int_equal(cth_queue_flags(&q, 3), known);
			if (known == 31)
				assert_int_equal(config.configs, 1);
		}
	}
}

static void a_flag_that_is_needed_and_missing_leaves_nothing_behind(void **state)
{
	const struct cth_queue_config cfg = { .flags = CTH_QUEUE_CONNTRACK,
					      .wishes = CTH_QUEUE_UID_GID };

	(void)state;
	for (int old = 0; old < 2; old++) {
		config_start(CTH_QUEUE_FAIL_OPEN | CTH_QUEUE_UID_GID);
		config.old = old;
		assert_int_equal(cth_queue_bind(&q, 3, &cfg, &nack), -EOPNOTSUPP);
		assert_int_equal(nack.error, -EOPNOTSUPP);
		assert_false(config.is_bound);
		assert_int_equal(cth_queue_flags(&q, 3), 0);
		assert_int_equal(cth_queue_unbind(&q, 3, NULL), -ENODEV);
	}
}

static void a_failed_change_keeps_what_was(void **state)
{
	struct cth_queue_config cfg = { .flags = CTH_QUEUE_GSO };

	(void)state;
	config_start(CTH_QUEUE_GSO);
	assert_int_equal(cth_queue_bind(&q, 3, &cfg, &nack), 0);
	cfg.flags = CTH_QUEUE_CONNTRACK;
	assert_int_equal(cth_queue_bind(&q, 3, &cfg, &nack), -EOPNOTSUPP);
	assert_true(config.is_bound);
	assert_int_equal(cth_queue_flags(&q, 3), CTH_QUEUE_GSO);
	assert_int_equal(config.flags, CTH_QUEUE_GSO);
}

static void a_queue_of_another_socket_is_told(void **state)
{
	(void)state;
	config_start(31);
	config.bind_error = -EPERM;
	assert_int_equal(cth_queue_bind(&q, 3, &plain, &nack), -EPERM);
	assert_int_equal(nack.error, -EPERM);
	assert_int_equal(nack.seq, 1);
	assert_int_equal(config.configs, 1);
	assert_int_equal(cth_queue_unbind(&q, 3, &nack), -ENODEV);
	assert_int_equal(nack.error, 0);
}

static void a_queue_that_this_socket_has_already_is_only_configured(void **state)
{
	const struct cth_queue_config cfg = { .flags = CTH_QUEUE_GSO };
	struct golden g = { .n = 0 };

	(void)state;
	config_start(31);
	config.is_bound = true;
	assert_int_equal(cth_queue_bind(&q, 3, &cfg, &nack), 0);
	assert_int_equal(nack.error, 0);
	assert_int_equal(config.flags, CTH_QUEUE_GSO);
	k.outs = k.out_n = 0; /* and what was in it before may be undecided: no range */
	arrive(3, 11, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	golden_verdict(&g, VERDICT, 3, CTH_ACCEPT, 11);
	golden_verdict(&g, VERDICT, 3, CTH_ACCEPT, 12);
	assert_sent(0, &g);
}

static void a_lost_ack_leaves_nothing_behind_and_binding_again_works(void **state)
{
	(void)state;
	assert_int_equal(cth_queue_bind(&q, 3, &plain, &nack), -ETIMEDOUT);
	assert_int_equal(nack.error, 0);
	assert_int_equal(k.outs, 2); /* BIND and, just in case, UNBIND */
	assert_int_equal(cth_host32(script_sent(&k, 1).p), 28);
	assert_int_equal(script_sent(&k, 1).p[24], NFQNL_CFG_CMD_UNBIND);
	k.on_send = script_ack_all;
	assert_int_equal(cth_queue_bind(&q, 3, &plain, &nack), 0);
}

static void binding_without_memory_to_send_fails_cleanly(void **state)
{
	(void)state;
	k.on_send = script_ack_all;
	k.send_error[0] = -ENOBUFS;
	assert_int_equal(cth_queue_bind(&q, 3, &plain, &nack), -ENOBUFS);
	assert_int_equal(nack.error, 0);
	assert_int_equal(cth_queue_bind(&q, 3, &plain, NULL), 0);
}

static void a_range_never_exceeds_the_slots(void **state)
{
	struct cth_queue_config cfg = { .range = 2049 };
	struct golden g = { .n = 0 };

	(void)state;
	start(&k.io, 65536 + 65536);
	k.on_send = script_ack_all;
	ring[SLOTS - 1].cap = 2048 + CTH_QUEUE_ROOM;
	assert_int_equal(cth_queue_bind(&q, 1, &cfg, &nack), -EINVAL);
	assert_int_equal(nack.error, 0);
	assert_int_equal(k.outs, 0);
	cfg.range = 0; /* all that fits */
	assert_int_equal(cth_queue_bind(&q, 1, &cfg, &nack), 0);
	golden_config(&g, 1, 1, true, 2048, 2, 0);
	assert_sent(0, &g);
	cfg.range = 1;
	assert_int_equal(cth_queue_bind(&q, 1, &cfg, &nack), 0);
	ring[SLOTS - 1].cap = SLOT;
	cfg.range = 100000; /* as the kernel: 65531 */
	assert_int_equal(cth_queue_bind(&q, 1, &cfg, &nack), 0);
}

static int init_with(size_t slot, size_t room)
{
	ring[3].cap = slot;
	return cth_queue_init(&q, &s, ring, SLOTS, out, room, see, &seen);
}

static void buffers_that_are_too_small_are_refused(void **state)
{
	(void)state;
	assert_int_equal(init_with(SLOT, CTH_QUEUE_OUT - 1), -EINVAL);
	assert_int_equal(init_with(CTH_QUEUE_ROOM, CTH_QUEUE_OUT), -EINVAL);
	assert_int_equal(init_with(CTH_QUEUE_ROOM + 1, CTH_QUEUE_OUT), 0);
}

static void sixteen_queues_and_no_more(void **state)
{
	(void)state;
	k.on_send = script_ack_all;
	for (uint16_t i = 0; i < CTH_QUEUE_BOUND; i++)
		assert_int_equal(cth_queue_bind(&q, i, &plain, &nack), 0);
	assert_int_equal(cth_queue_bind(&q, 77, &plain, &nack), -EMFILE);
	assert_int_equal(cth_queue_adopt(&q, 77, 0), -EMFILE);
	assert_int_equal(cth_queue_unbind(&q, 3, &nack), 0);
	assert_int_equal(cth_queue_bind(&q, 77, &plain, &nack), 0);
}

static void unbind_is_one_command(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(9);
	k.on_send = script_ack_all;
	assert_int_equal(cth_queue_unbind(&q, 9, &nack), 0);
	golden_headers(&g, 28, CONFIG, NLM_F_REQUEST | NLM_F_ACK, 1, 9);
	h16(&g, 8);
	h16(&g, NFQA_CFG_CMD);
	b32(&g, (uint32_t)NFQNL_CFG_CMD_UNBIND << 24);
	assert_sent(0, &g);
}

static void an_unbind_that_fails_can_be_repeated(void **state)
{
	(void)state;
	bound(9);
	script_ack(&k, 1, -EPERM);
	assert_int_equal(cth_queue_unbind(&q, 9, &nack), -EPERM);
	assert_int_equal(nack.error, -EPERM);
	script_ack(&k, 2, -ENODEV);
	assert_int_equal(cth_queue_unbind(&q, 9, &nack), -ENODEV);
	assert_int_equal(cth_queue_unbind(&q, 9, &nack), -ENODEV); /* now by ourselves */
	assert_int_equal(k.outs, 2);
}

/* Packets that come before an answer. */

static void packets_before_the_ack(int (*ask)(void))
{
	struct golden g = { .n = 0 };

	bound(1);
	arrive(1, 10, 2);
	packets_begin();
	packet(1, 12);
	packet(1, 13);
	packets_arrive();
	script_ack(&k, 1, 0);
	arrive(1, 14, 1);

	assert_int_equal(ask(), 0);
	assert_int_equal(seen.packets, 4);
	for (uint32_t i = 0; i < 4; i++) {
		g.n = 0;
		golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 10 + i);
		assert_sent(1 + i, &g);
	}
	assert_int_equal(cth_queue_run(&q, 0, 0), 1); /* and what is behind is still there */
	assert_int_equal(seen.packets, 5);
}

static int ask_bind(void)
{
	return cth_queue_bind(&q, 2, &plain, &nack);
}

static int ask_unbind(void)
{
	bound(5);
	return cth_queue_unbind(&q, 5, &nack);
}

static void peer_nfq_rs_recv_error_drops_packets_before_the_ack(void **state)
{
	(void)state;
	packets_before_the_ack(ask_bind);
}

static void peer_conntrackd_cthelper_setup_throws_packets_away(void **state)
{
	(void)state;
	packets_before_the_ack(ask_unbind);
}

static void peer_go_nfqueue_execute_takes_a_packet_for_its_ack(void **state)
{
	(void)state;
	bound(1);
	arrive(1, 1, 1);
	script_ack(&k, 1, -EPERM);
	assert_int_equal(cth_queue_bind(&q, 2, &plain, &nack), -EPERM);
	assert_int_equal(q.stats.packets, 1);
	assert_int_equal(q.stats.verdicts, 1);
}

static void a_late_nack_before_the_ack_is_not_the_answer(void **state)
{
	(void)state;
	script_ack(&k, 0, -ENOENT);
	script_ack(&k, 1, 0);
	assert_int_equal(cth_queue_bind(&q, 2, &plain, &nack), 0);
	assert_int_equal(nack.error, 0);
	assert_int_equal(q.stats.nacks, 1);
	assert_int_equal(q.last_nack.error, -ENOENT);
}

static void verdicts_do_not_wait_while_an_answer_is_awaited(void **state)
{
	(void)state;
	bound(1);
	packets_begin();
	packet(1, 1);
	cth_queue_feed(&q, cth_msg_bytes(&pm));
	assert_int_equal(k.outs, 0);
	script_ack(&k, 1, 0);
	assert_int_equal(cth_queue_bind(&q, 2, &plain, &nack), 0);
	assert_int_equal(cth_host16(script_sent(&k, 0).p + 4), VERDICT);
	assert_int_equal(cth_host16(script_sent(&k, 1).p + 4), CONFIG);
}

/* Runs of ACCEPTs. */

static void one_accept_is_a_verdict(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(258);
	arrive(258, 0x01020304, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	golden_verdict(&g, VERDICT, 258, CTH_ACCEPT, 0x01020304);
	assert_sent(0, &g);
	assert_int_equal(q.stats.packets, 1);
	assert_int_equal(q.stats.verdicts, 1);
	assert_int_equal(q.stats.sends, 1);
}

static void many_accepts_are_one_range(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(258);
	arrive(258, 100, SLOTS);
	assert_int_equal(cth_queue_run(&q, 0, 0), SLOTS);
	golden_verdict(&g, BATCH, 258, CTH_ACCEPT, 100 + SLOTS - 1);
	assert_sent(0, &g);
	assert_int_equal(k.outs, 1);
	assert_int_equal(q.stats.verdicts, SLOTS);
}

static void ranges_can_be_forbidden(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	q.no_ranges = true;
	arrive(1, 5, 3);
	assert_int_equal(cth_queue_run(&q, 0, 0), 3);
	for (uint32_t id = 5; id < 8; id++)
		golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, id);
	assert_sent(0, &g);
}

static void drop_odd(const struct cth_pkt *p, struct cth_verdict *v)
{
	if (p->id % 2)
		v->code = CTH_DROP;
}

static void another_verdict_comes_behind_its_queues_run(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	bound(2);
	seen.answer = drop_odd;
	arrive(1, 2, 1);
	arrive(2, 2, 1);
	arrive(1, 4, 2);
	arrive(2, 4, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 5);
	golden_verdict(&g, BATCH, 1, CTH_ACCEPT, 4);
	golden_verdict(&g, VERDICT, 1, CTH_DROP, 5);
	golden_verdict(&g, BATCH, 2, CTH_ACCEPT, 4);
	assert_sent(0, &g);
	assert_int_equal(k.outs, 1);
}

static void mark_second(const struct cth_pkt *p, struct cth_verdict *v)
{
	if (p->id != 2)
		return;
	v->set_mark = true;
	v->mark = 0xf0;
	v->mark_mask = 0xf0;
}

static void an_accept_that_does_more_is_not_part_of_a_run(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	seen.answer = mark_second;
	arrive(1, 1, 4);
	assert_int_equal(cth_queue_run(&q, 0, 0), 4);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 1);
	golden_headers(&g, 40, VERDICT, NLM_F_REQUEST, 0, 1);
	h16(&g, 12);
	h16(&g, NFQA_VERDICT_HDR);
	b32(&g, CTH_ACCEPT);
	b32(&g, 2);
	h16(&g, 8);
	h16(&g, NFQA_MARK);
	b32(&g, 0xff); /* its own 0x0f stays */
	golden_verdict(&g, BATCH, 1, CTH_ACCEPT, 4);
	assert_sent(0, &g);
}

static void a_run_goes_over_the_wrap_of_ids(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	arrive(1, UINT32_MAX - 1, 2);
	arrive(1, 1, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 4);
	golden_verdict(&g, BATCH, 1, CTH_ACCEPT, 2);
	assert_sent(0, &g);
	assert_int_equal(q.stats.gaps, 1); /* 0 */
}

static void a_run_ends_where_ids_go_back(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	arrive(1, 7, 2);
	arrive(1, 3, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 3);
	golden_verdict(&g, BATCH, 1, CTH_ACCEPT, 8);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 3);
	assert_sent(0, &g);
	assert_int_equal(q.stats.gaps, 0);

	setup(NULL); /* however far, short of the half at which forward begins */
	g.n = 0;
	bound(1);
	arrive(1, 0x7fffffff, 2);
	arrive(1, 0, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 3);
	golden_verdict(&g, BATCH, 1, CTH_ACCEPT, 0x80000000);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 0);
	assert_sent(0, &g);
	assert_int_equal(q.stats.gaps, 0);
}

static void the_packet_with_id_0_gets_a_verdict(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	arrive(1, 0, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 0);
	assert_sent(0, &g);
}

static void ids_that_never_came_are_counted(void **state)
{
	(void)state;
	bound(1);
	arrive(1, 1000, 1);
	arrive(1, 1001, 1);
	arrive(1, 1005, 1);
	arrive(1, 2001006, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 4);
	assert_int_equal(q.stats.gaps, 2000003);
}

/* Held packets. */

static void hold_third(const struct cth_pkt *p, struct cth_verdict *v)
{
	if (p->id == 3)
		v->code = CTH_HOLD;
}

static void no_range_goes_past_a_held_packet(void **state)
{
	struct golden g = { .n = 0 };
	struct cth_verdict v;

	(void)state;
	bound(1);
	seen.answer = hold_third;
	arrive(1, 1, 5);
	assert_int_equal(cth_queue_run(&q, 0, 0), 5);
	golden_verdict(&g, BATCH, 1, CTH_ACCEPT, 2);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 4);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 5);
	assert_sent(0, &g);
	assert_int_equal(q.stats.held, 1);
	assert_int_equal(q.stats.verdicts, 4);

	cth_verdict_init(&v);
	v.code = CTH_DROP;
	assert_int_equal(cth_queue_verdict(&q, 1, 3, &v, NULL), 0);
	g.n = 0;
	golden_verdict(&g, VERDICT, 1, CTH_DROP, 3);
	assert_sent(1, &g);
	assert_int_equal(q.stats.held, 0);

	arrive(1, 6, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	g.n = 0;
	golden_verdict(&g, BATCH, 1, CTH_ACCEPT, 7);
	assert_sent(2, &g);
}

static void a_late_verdict_is_refused_and_the_packet_stays_held(void **state)
{
	struct cth_verdict v;

	(void)state;
	bound(1);
	seen.answer = hold_third;
	arrive(1, 3, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	cth_verdict_init(&v);
	v.code = CTH_HOLD;
	assert_int_equal(cth_queue_verdict(&q, 1, 3, &v, NULL), -EINVAL);
	assert_non_null(q.last_refusal);
	v.code = 2; /* STOLEN */
	q.last_refusal = NULL;
	assert_int_equal(cth_queue_verdict(&q, 1, 3, &v, NULL), -EINVAL);
	assert_non_null(q.last_refusal);
	v.code = CTH_ACCEPT;
	cth_edit_cut(&v.edit, 0, 0, "x", 1);
	assert_int_equal(cth_queue_verdict(&q, 1, 3, &v, NULL), -EINVAL);
	assert_int_equal(cth_queue_verdict(&q, 2, 3, &v, NULL), -ENODEV);
	assert_int_equal(k.outs, 0);

	assert_int_equal(q.stats.held, 1);
}

static void a_late_verdict_without_memory_goes_with_the_next_flush(void **state)
{
	struct golden g = { .n = 0 };
	struct cth_verdict v;

	(void)state;
	bound(1);
	seen.answer = hold_third;
	arrive(1, 3, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	cth_verdict_init(&v);
	k.send_error[0] = k.send_error[1] = -ENOBUFS;
	assert_int_equal(cth_queue_verdict(&q, 1, 3, &v, NULL), 0);
	assert_int_equal(q.stats.held, 0);
	assert_int_equal(k.outs, 0);
	assert_int_equal(cth_queue_verdict(&q, 1, 3, &v, NULL), -ENOENT); /* it has one */
	assert_int_equal(cth_queue_flush(&q), -ENOBUFS); /* of the send before */
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 3);
	assert_sent(0, &g);
	assert_int_equal(cth_queue_flush(&q), 0);
}

static void a_description_must_be_the_packets_own(void **state)
{
	struct cth_verdict v;
	struct cth_pkt p = { .queue = 1, .id = 4 };

	(void)state;
	bound(1);
	seen.answer = hold_third;
	arrive(1, 3, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	cth_verdict_init(&v);
	assert_int_equal(cth_queue_verdict(&q, 1, 3, &v, &p), -EINVAL);
	p.id = 3;
	p.queue = 2;
	assert_int_equal(cth_queue_verdict(&q, 1, 3, &v, &p), -EINVAL);
	p.queue = 1;
	assert_int_equal(cth_queue_verdict(&q, 1, 3, &v, &p), 0);
}

static void hold_1_and_2(const struct cth_pkt *p, struct cth_verdict *v)
{
	if (p->id <= 2)
		v->code = CTH_HOLD;
}

/* Two verdicts for 1: now 2 is held, and not counted. The refusal tells that something is. */
static void no_range_once_a_held_packet_was_taken_for_another(void **state)
{
	struct golden g = { .n = 0 };
	struct cth_verdict v;

	(void)state;
	bound(1);
	seen.answer = hold_1_and_2;
	arrive(1, 1, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	cth_verdict_init(&v);
	assert_int_equal(cth_queue_verdict(&q, 1, 1, &v, NULL), 0);
	assert_int_equal(cth_queue_verdict(&q, 1, 1, &v, NULL), 0);
	assert_int_equal(q.stats.held, 0);
	script_ack(&k, 0, -ENOENT);
	arrive(1, 3, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 3);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 4);
	assert_sent(2, &g);
	assert_int_equal(cth_queue_verdict(&q, 1, 2, &v, NULL), 0); /* it can still be told */
	assert_int_equal(q.stats.held, 0);
}

static void hold_the_last_id(const struct cth_pkt *p, struct cth_verdict *v)
{
	if (p->id == UINT32_MAX)
		v->code = CTH_HOLD;
}

/* A range to 1 would have it, for it is before 1 as well. */
static void no_range_takes_a_held_packet_along_over_the_wrap(void **state)
{
	struct golden g = { .n = 0 };
	struct cth_verdict v;

	(void)state;
	bound(1);
	seen.answer = hold_the_last_id;
	arrive(1, UINT32_MAX - 2, 5);
	assert_int_equal(cth_queue_run(&q, 0, 0), 5);
	golden_verdict(&g, BATCH, 1, CTH_ACCEPT, UINT32_MAX - 1);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 0);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 1);
	assert_sent(0, &g);
	assert_int_equal(q.stats.gaps, 0);
	cth_verdict_init(&v);
	v.code = CTH_DROP;
	assert_int_equal(cth_queue_verdict(&q, 1, UINT32_MAX, &v, NULL), 0);
	arrive(1, 2, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	g.n = 0;
	golden_verdict(&g, BATCH, 1, CTH_ACCEPT, 3);
	assert_sent(2, &g);
}

/* The kernel refuses it; then it is known that another one is held still, which can be told. */
static void a_verdict_for_an_id_never_seen_is_counted_and_decides_nothing(void **state)
{
	struct golden g = { .n = 0 };
	struct cth_verdict v;

	(void)state;
	bound(1);
	cth_verdict_init(&v);
	assert_int_equal(cth_queue_verdict(&q, 1, 4711, &v, NULL), -ENOENT);
	seen.answer = hold_third;
	arrive(1, 3, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_int_equal(cth_queue_verdict(&q, 1, 4711, &v, NULL), 0);
	script_ack(&k, 0, -ENOENT);
	arrive(1, 4, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	assert_int_equal(q.stats.nacks, 1);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 4);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 5);
	assert_sent(1, &g);
	assert_int_equal(cth_queue_verdict(&q, 1, 3, &v, NULL), 0);
	assert_int_equal(q.stats.verdicts - q.stats.nacks, q.stats.packets);
}

/* What a former owner of the socket has read and not decided, no range may accept. */
static void no_range_on_a_queue_that_was_adopted(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	assert_int_equal(cth_queue_adopt(&q, 5, 0), 0);
	arrive(5, 11, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	golden_verdict(&g, VERDICT, 5, CTH_ACCEPT, 11);
	golden_verdict(&g, VERDICT, 5, CTH_ACCEPT, 12);
	assert_sent(0, &g);
}

/* Taking over: what a dead owner has read and not decided. */

#define DROPS 0x51 /* the number of all DROP ranges */

static void take_over(uint16_t num)
{
	s.seq = DROPS;
	assert_int_equal(cth_queue_take_over(&q, num, CTH_QUEUE_CONNTRACK), 0);
	assert_int_equal(cth_queue_flags(&q, num), CTH_QUEUE_CONNTRACK);
	assert_int_equal(k.outs, 0);
}

static void golden_drop(struct golden *g, uint16_t queue, uint32_t up_to)
{
	golden_headers(g, 32, BATCH, NLM_F_REQUEST, q.drop_seq, queue);
	h16(g, 12);
	h16(g, NFQA_VERDICT_HDR);
	b32(g, CTH_DROP);
	b32(g, up_to);
}

static void golden_drop_all(struct golden *g, uint16_t queue)
{
	golden_drop(g, queue, UINT32_MAX);
	golden_drop(g, queue, INT32_MAX);
	golden_drop(g, queue, UINT32_MAX);
}

static void what_a_dead_owner_has_read_is_dropped_and_the_rest_served(void **state)
{
	static const uint32_t firsts[] = { 1, 9, 0x80000000, 0xfffffffe, 0xffffffff, 0 };
	uint32_t id = 99;

	(void)state;
	for (size_t i = 0; i < N_OF(firsts); i++) {
		struct golden g = { .n = 0 };

		setup(NULL);
		take_over(5);
		assert_false(cth_queue_first(&q, 5, &id));
		arrive(5, firsts[i], 3);
		assert_int_equal(cth_queue_run(&q, 0, 0), 3);
		assert_int_equal(seen.packets, 3);
		golden_drop(&g, 5, firsts[i] - 1);
		golden_verdict(&g, BATCH, 5, CTH_ACCEPT, firsts[i] + 2); /* ranges are no danger */
		assert_sent(0, &g);
		assert_int_equal(k.outs, 1);
		assert_true(cth_queue_first(&q, 5, &id));
		assert_int_equal(id, firsts[i]);
		assert_int_equal(q.stats.gaps, 0);
		script_ack(&k, q.drop_seq, -ENOENT);
		assert_int_equal(cth_queue_run(&q, 0, 0), 0);
		assert_int_equal(k.outs, 1);
		assert_int_equal(q.stats.nacks, 0);
	}
	assert_false(cth_queue_first(&q, 6, &id));
}

static void where_nothing_is_unread_all_is_dropped(void **state)
{
	struct golden g = { .n = 0 };
	uint32_t id;

	(void)state;
	take_over(5);
	assert_int_equal(cth_queue_run(&q, 0, 0), 0);
	golden_drop_all(&g, 5);
	assert_sent(0, &g);
	assert_false(cth_queue_first(&q, 5, &id));
	for (int i = 0; i < 3; i++)
		script_ack(&k, q.drop_seq, -ENOENT);
	arrive(5, 11, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	g.n = 0;
	golden_verdict(&g, BATCH, 5, CTH_ACCEPT, 12);
	assert_sent(1, &g);
	assert_int_equal(k.outs, 2);
	assert_int_equal(q.stats.nacks, 0);
}

/* Each has its own end; and the one that is quiet does not wait for a packet for ever. */
static void of_two_queues_each_has_its_own_end(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	take_over(5);
	assert_int_equal(cth_queue_take_over(&q, 6, 0), 0);
	assert_int_equal(cth_queue_take_over(&q, 7, 0), 0);
	arrive(6, 100, 1);
	arrive(5, 11, 2);
	arrive(6, 101, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 4);
	golden_drop(&g, 6, 99);
	golden_drop(&g, 5, 10);
	golden_verdict(&g, BATCH, 5, CTH_ACCEPT, 12);
	golden_verdict(&g, BATCH, 6, CTH_ACCEPT, 101);
	assert_sent(0, &g);
	g.n = 0;
	golden_drop_all(&g, 7);
	assert_sent(1, &g);
	assert_int_equal(k.outs, 2);
}

/* Only a receive that found nothing tells; not one that was filled, failed or was too small. */
static void what_is_left_stays_while_the_socket_is_not_empty(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	take_over(5);
	arrive(1, 1, SLOTS);
	arrive(5, 11, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), SLOTS);
	assert_int_equal(k.outs, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	golden_drop(&g, 5, 10);
	golden_verdict(&g, VERDICT, 5, CTH_ACCEPT, 11);
	assert_sent(1, &g);

	setup(NULL);
	take_over(5);
	script_error(&k, -ENOBUFS);
	assert_int_equal(cth_queue_run(&q, 0, 0), 0);
	assert_int_equal(k.outs, 0);
	k.send_error[0] = -ENOBUFS; /* and then it goes at once, or not at all */
	assert_int_equal(cth_queue_run(&q, 0, 0), 0);
	assert_int_equal(k.outs, 0);
	arrive(5, 11, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_sent(0, &g);
}

/* Its id counts, if it can be read; else the next one's, and it is dropped with those before. */
static void the_first_packet_may_be_malformed(void **state)
{
	const size_t id_known = 20 + 4 + 7;

	(void)state;
	for (size_t n = 4; n < 40; n++) {
		struct golden g = { .n = 0 };
		bool known = n >= id_known;

		setup(NULL);
		take_over(5);
		packets_begin();
		packet(5, 11);
		script_bytes(&k, packet_bytes, n);
		arrive(5, 12, 1);
		assert_int_equal(cth_queue_run(&q, 2, 0), n < 20 ? 1 : 2);
		golden_drop(&g, 5, known ? 10 : 11);
		if (known)
			golden_verdict(&g, VERDICT, 5, CTH_ACCEPT, 11);
		golden_verdict(&g, VERDICT, 5, CTH_ACCEPT, 12);
		assert_sent(0, &g);
		assert_int_equal(seen.packets, 1);
	}
}

static void packets_that_come_before_an_answer_have_their_end_too(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	take_over(5);
	arrive(5, 11, 2);
	script_ack(&k, s.seq + 1, -EBUSY); /* this very socket has it */
	script_ack(&k, s.seq + 2, 0);
	assert_int_equal(cth_queue_bind(&q, 5, &plain, &nack), 0);
	assert_int_equal(seen.packets, 2);
	golden_drop(&g, 5, 10);
	golden_verdict(&g, VERDICT, 5, CTH_ACCEPT, 11);
	assert_sent(1, &g);
	arrive(5, 13, 2);
	assert_int_equal(cth_queue_run(&q, 2, 0), 2);
	g.n = 0;
	golden_verdict(&g, BATCH, 5, CTH_ACCEPT, 14);
	assert_sent(4, &g);
	k.on_send = script_ack_all; /* and from now on it is bound */
	k.outs = k.out_n = 0;
	assert_int_equal(cth_queue_bind(&q, 5, &plain, &nack), 0);
	g.n = 0;
	golden_config(&g, s.seq, 5, false, SLOT - CTH_QUEUE_ROOM, 2, 0);
	assert_sent(0, &g);
}

/* One that died before it had bound the queue. */
static void what_is_taken_over_may_not_be_bound(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	take_over(5);
	script_ack(&k, q.drop_seq, -ENODEV);
	k.on_send = script_ack_all;
	assert_int_equal(cth_queue_bind(&q, 5, &plain, &nack), 0);
	golden_config(&g, s.seq, 5, true, SLOT - CTH_QUEUE_ROOM, 2, 0);
	assert_sent(0, &g);
	assert_int_equal(q.stats.nacks, 0);
}

/*
 * Without room for the DROP it goes when there is some: what was decided since is not before
 * its end.
 */
static void what_is_left_is_dropped_when_there_is_memory(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	take_over(5);
	seen.answer = drop_odd;
	for (uint32_t i = 0; i < CTH_QUEUE_OUT / 32; i++) {
		packets_begin();
		packet(1, 2 * i + 1);
		assert_int_equal(cth_queue_feed(&q, cth_msg_bytes(&pm)), 1);
	}
	for (size_t i = 0; i < 4; i++)
		k.send_error[i] = -ENOBUFS;
	packets_begin();
	packet(5, 10);
	assert_int_equal(cth_queue_feed(&q, cth_msg_bytes(&pm)), 1);
	assert_int_equal(k.outs, 0);
	assert_int_equal(q.stats.unsent, 1);
	arrive(5, 12, 1);
	assert_int_equal(cth_queue_run(&q, 1, 0), 1);
	golden_drop(&g, 5, 9);
	assert_sent(1, &g);
	g.n = 0;
	golden_verdict(&g, VERDICT, 5, CTH_DROP, 13);
	arrive(5, 13, 1);
	assert_int_equal(cth_queue_run(&q, 1, 0), 1);
	assert_sent(k.outs - 1, &g);
}

static void a_queue_can_be_taken_over_again(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(5);
	seen.answer = hold_third;
	arrive(5, 3, 1);
	assert_int_equal(cth_queue_run(&q, 1, 0), 1);
	take_over(5);
	assert_int_equal(q.stats.held, 0);
	arrive(5, 4, 1);
	assert_int_equal(cth_queue_run(&q, 1, 0), 1);
	golden_drop(&g, 5, 3);
	golden_verdict(&g, VERDICT, 5, CTH_ACCEPT, 4);
	assert_sent(0, &g);
	for (uint16_t num = 10; num < 10 + CTH_QUEUE_BOUND - 1; num++)
		assert_int_equal(cth_queue_take_over(&q, num, 0), 0);
	assert_int_equal(cth_queue_take_over(&q, 77, 0), -EMFILE);
}

static void unbinding_forgets_held_packets(void **state)
{
	struct cth_verdict v;

	(void)state;
	bound(1);
	seen.answer = hold_third;
	arrive(1, 3, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	k.on_send = script_ack_all;
	assert_int_equal(cth_queue_unbind(&q, 1, &nack), 0);
	assert_int_equal(q.stats.held, 0);
	cth_verdict_init(&v);
	assert_int_equal(cth_queue_verdict(&q, 1, 3, &v, NULL), -ENODEV);
}

/* What cannot be read passes. */

static void arrive_and_note_id(struct cth_span bytes, void *ctx)
{
	const size_t id_known = 20 + 4 + 7; /* headers, PACKET_HDR in full */
	struct golden g = { .n = 0 };
	size_t whole = *(size_t *)ctx;

	setup(NULL);
	bound(77);
	assert_int_equal(cth_queue_feed(&q, bytes), bytes.n >= 20);
	assert_int_equal(cth_queue_flush(&q), 0);
	if (bytes.n >= id_known) {
		golden_verdict(&g, VERDICT, 77, CTH_ACCEPT, 0xabcdef);
		assert_sent(0, &g);
	} else {
		assert_int_equal(k.outs, 0); /* nobody can name it */
	}
	if (bytes.n >= 20)
		assert_int_equal(q.stats.packets + q.stats.malformed, 1);
	/* the padding at the end may be missing, nothing else */
	assert_int_equal(seen.packets, bytes.n > whole - 4 ? 1 : 0);
}

static void a_packet_cut_anywhere_passes_and_is_not_shown(void **state)
{
	size_t whole;

	(void)state;
	packets_begin();
	packet_in(&pm, 2, 77, 0xabcdef, "12345", 5);
	/* the kernel's nlmsg_len includes the last attribute's padding: ours does too */
	whole = cth_msg_bytes(&pm).n;
	cth_store_host32(packet_bytes, (uint32_t)whole - 3);
	every_truncation(cth_msg_bytes(&pm), arrive_and_note_id, &whole);
}

static void feed_any(struct cth_span bytes, void *ctx)
{
	(void)ctx;
	setup(NULL);
	bound(77);
	assert_in_range(cth_queue_feed(&q, bytes), 0, 3);
	assert_int_equal(cth_queue_flush(&q), 0);
	assert_true(q.stats.verdicts >= q.stats.packets + q.stats.unbound);
	assert_true(q.stats.verdicts <= q.stats.packets + q.stats.malformed + q.stats.unbound);
}

static void every_byte_of_a_datagram_may_be_anything(void **state)
{
	(void)state;
	packets_begin();
	packet_in(&pm, 2, 77, 1, "12345", 5);
	packet_in(&pm, 10, 77, 2, "678", 3);
	every_byte_value(cth_msg_bytes(&pm), feed_any, NULL);
}

static void a_slot_too_small_lets_the_packet_pass(void **state)
{
	struct golden g = { .n = 0 };
	static const uint8_t payload[3000];

	(void)state;
	start(&k.io, 2048);
	bound(77);
	packets_begin();
	packet_in(&pm, 2, 77, 9, payload, sizeof(payload));
	packets_arrive();
	arrive(77, 10, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	golden_verdict(&g, VERDICT, 77, CTH_ACCEPT, 9);
	golden_verdict(&g, VERDICT, 77, CTH_ACCEPT, 10);
	assert_sent(0, &g);
	assert_int_equal(seen.packets, 1);
	assert_int_equal(s.stats.truncated, 1);
	assert_int_equal(q.stats.malformed, 1);
}

static void peer_conntrackd_queue_number_0_on_error_exits(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(513);
	packets_begin();
	packet(513, 6);
	/* MARK becomes too short to be one */
	cth_store_host16(packet_bytes + 20 + 12, 6);
	packets_arrive();
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	golden_verdict(&g, VERDICT, 513, CTH_ACCEPT, 6);
	assert_sent(0, &g);
	assert_int_equal(q.stats.malformed, 1);
}

static void a_malformed_packet_keeps_its_place_among_the_verdicts(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	arrive(1, 1, 2);
	packets_begin();
	packet(1, 3);
	cth_store_host16(packet_bytes + 20 + 12, 6);
	packets_arrive();
	arrive(1, 4, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 5);
	golden_verdict(&g, BATCH, 1, CTH_ACCEPT, 2);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 3);
	golden_verdict(&g, BATCH, 1, CTH_ACCEPT, 5);
	assert_sent(0, &g);
}

static void a_packet_of_a_number_not_bound_here_passes(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	arrive(2, 5, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	golden_verdict(&g, VERDICT, 2, CTH_ACCEPT, 5);
	assert_sent(0, &g);
	assert_int_equal(seen.packets, 0);
	assert_int_equal(q.stats.unbound, 1);
	assert_int_equal(q.stats.packets, 0);
}

static void peer_go_nfqueue_bridge_packets_never_get_a_verdict(void **state)
{
	(void)state;
	bound(1);
	packets_begin();
	packet_in(&pm, 7, 1, 5, "bridged", 7);
	packets_arrive();
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_int_equal(q.stats.verdicts, 1);
	assert_int_equal(seen.packets, 1);
}

static void an_alien_sender_is_not_believed(void **state)
{
	(void)state;
	bound(1);
	arrive(1, 5, 2);
	k.in[0].portid = 4711;
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_int_equal(seen.id[0], 6);
	assert_int_equal(s.stats.alien, 1);
	assert_int_equal(q.stats.verdicts, 1);
}

static void several_packets_in_a_datagram(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	packets_begin();
	packet(1, 1);
	packet(1, 2);
	packet(1, 3);
	packets_arrive();
	assert_int_equal(cth_queue_run(&q, 0, 0), 3);
	golden_verdict(&g, BATCH, 1, CTH_ACCEPT, 3);
	assert_sent(0, &g);
}

/* Verdicts that may not be sent. */

static void bad_code(const struct cth_pkt *p, struct cth_verdict *v)
{
	(void)p;
	v->code = 2;
}

static void peer_conntrackd_error_exit_sends_a_second_verdict(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	seen.answer = bad_code;
	arrive(1, 9, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 9);
	assert_sent(0, &g);
	assert_int_equal(k.outs, 1);
	assert_int_equal(q.stats.refused, 1);
	assert_int_equal(q.stats.verdicts, 1);
	assert_non_null(q.last_refusal);
}

static void drop_with_a_vlan(const struct cth_pkt *p, struct cth_verdict *v)
{
	(void)p;
	v->code = CTH_DROP;
	v->set_vlan = true; /* of an IPv4 packet */
}

static void a_refused_drop_still_drops(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	seen.answer = drop_with_a_vlan;
	arrive(1, 9, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	golden_verdict(&g, VERDICT, 1, CTH_DROP, 9);
	assert_sent(0, &g);
	assert_int_equal(q.stats.refused, 1);
	assert_int_equal(q.stats.verdicts, 1);
}

static void too_long(const struct cth_pkt *p, struct cth_verdict *v)
{
	static uint8_t ct[CTH_QUEUE_OUT];

	(void)p;
	if (p->id != 2)
		return;
	/* as one attribute, so that whoever looks at it finds it well-formed */
	cth_store_host16(ct, sizeof(ct));
	cth_store_host16(ct + 2, CTH_CTA_LABELS);
	v->ct = cth_span(ct, sizeof(ct));
}

static void a_verdict_longer_than_its_buffer_is_replaced(void **state)
{
	(void)state;
	bound(1);
	seen.answer = too_long;
	arrive(1, 1, 3);
	assert_int_equal(cth_queue_run(&q, 0, 0), 3);
	assert_int_equal(q.stats.refused, 1);
	assert_non_null(q.last_refusal);
	assert_int_equal(q.stats.verdicts, 3);
}

/* Payloads. */

static struct golden udp;

/* An IPv4 UDP packet with a body; its checksums do not matter here. */
static void udp_packet(uint32_t id, const char *body)
{
	udp.n = 0;
	b16(&udp, 0x4500);
	b16(&udp, (uint16_t)(28 + strlen(body)));
	b32(&udp, 0);
	b32(&udp, 0x40110000);
	b32(&udp, 0x7f000001);
	b32(&udp, 0x7f000001);
	b32(&udp, 0x30393039);
	b16(&udp, (uint16_t)(8 + strlen(body)));
	b16(&udp, 0);
	memcpy(udp.b + udp.n, body, strlen(body));
	udp.n += strlen(body);
	packet_in(&pm, 2, 1, id, udp.b, udp.n);
}

static void replace_all(const struct cth_pkt *p, struct cth_verdict *v)
{
	static uint8_t other[3][64];
	uint8_t *bytes = other[p->id % 3];

	memcpy(bytes, p->payload.p, p->payload.n);
	bytes[28] = '!';
	v->packet = cth_span(bytes, p->payload.n);
}

static void edit_some(const struct cth_pkt *p, struct cth_verdict *v)
{
	if (p->id % 2)
		cth_edit_cut(&v->edit, 1, 2, "XYZ", 3);
}

/* The one message of a datagram that ends with a payload. */
static struct cth_span sent_payload(struct cth_span datagram, uint32_t id)
{
	struct cth_span payload = { NULL, 0 };
	struct cth_nlmsg m;
	struct cth_attr a;

	while (cth_nlmsg_next(&datagram, &m) > 0) {
		uint32_t of = 0;

		while (cth_attr_next(&m.attrs, &a) > 0) {
			if (a.type == NFQA_VERDICT_HDR)
				of = cth_be32(a.value.p + 4);
			if (a.type == NFQA_PAYLOAD && of == id)
				payload = a.value;
		}
	}
	assert_int_equal(datagram.n, 0);
	assert_non_null(payload.p);
	return payload;
}

static void a_replaced_packet_follows_its_verdict(void **state)
{
	(void)state;
	bound(1);
	seen.answer = replace_all;
	for (uint32_t id = 1; id < 4; id++) {
		packets_begin();
		udp_packet(id, id == 1 ? "one" : id == 2 ? "second" : "three");
		packets_arrive();
	}
	assert_int_equal(cth_queue_run(&q, 0, 0), 3);
	assert_string_equal(q.last_refusal ? q.last_refusal : "", "");
	assert_int_equal(q.stats.verdicts, 3);
	assert_int_equal(sent_payload(script_sent(&k, 0), 1).n, 31);
	assert_memory_equal(sent_payload(script_sent(&k, 0), 1).p + 28, "!ne", 3);
	assert_memory_equal(sent_payload(script_sent(&k, 1), 2).p + 28, "!econd", 6);
	assert_memory_equal(sent_payload(script_sent(&k, 2), 3).p + 28, "!hree", 5);
}

static void an_edited_packet_follows_its_verdict(void **state)
{
	struct cth_span is;
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	seen.answer = edit_some;
	for (uint32_t id = 2; id < 7; id++) {
		packets_begin();
		udp_packet(id, id == 3 ? "abcdefg" : "hijklmn");
		packets_arrive();
	}
	assert_int_equal(cth_queue_run(&q, 0, 0), 5);
	assert_string_equal(q.last_refusal ? q.last_refusal : "", "");
	is = sent_payload(script_sent(&k, 1), 3);
	assert_int_equal(is.n, 28 + 8);
	assert_int_equal(cth_be16(is.p + 2), 28 + 8);
	assert_memory_equal(is.p + 28, "aXYZdefg", 8);
	is = sent_payload(script_sent(&k, 3), 5);
	assert_memory_equal(is.p + 28, "hXYZklmn", 8);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 2); /* what comes before goes before */
	assert_sent(0, &g);
	g.n = 0;
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 6);
	assert_sent(4, &g);
}

static void without_memory_for_an_edited_packet_it_passes_as_it_was(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	seen.answer = edit_some;
	packets_begin();
	udp_packet(3, "abcdefg");
	packets_arrive();
	k.send_error[0] = -ENOMEM;
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 3);
	assert_sent(0, &g);
	assert_int_equal(q.stats.refused, 1);
	assert_int_equal(q.stats.unsent, 0);
	assert_non_null(q.last_refusal);
}

static struct {
	int calls, error;
	const char *why;
	int code;
	bool impossible; /* what the verdict is made then */
} anew;

static void make_anew(const struct cth_pkt *p, struct cth_verdict *v, int error, const char *why,
		      void *ctx)
{
	assert_ptr_equal(ctx, &anew);
	assert_int_equal(p->id, 3);
	assert_false(cth_edit_empty(&v->edit));
	assert_int_equal(cth_queue_run(&q, 0, 0), -EBUSY);
	anew.calls++;
	anew.error = error;
	anew.why = why;
	v->code = anew.code;
	if (anew.impossible)
		v->l2hdr = cth_span("x", 1); /* of a packet that is no bridge's */
	else
		v->packet = cth_span("no packet at all", 16);
}

static void a_verdict_that_cannot_be_sent_may_be_made_anew(void **state)
{
	static const struct {
		int send_error, code;
		bool impossible;
		uint32_t word;
	} cases[] = {
		{ -ENOMEM, CTH_ACCEPT, false, CTH_ACCEPT },
		{ -ENOBUFS, CTH_DROP, false, CTH_DROP },
		{ -ENOMEM, CTH_STOP, false, CTH_STOP },
		{ -ENOMEM, CTH_HOLD, false, CTH_ACCEPT },
		{ -ENOMEM, CTH_ACCEPT, true, CTH_ACCEPT },
		{ -ENOMEM, CTH_DROP, true, CTH_DROP },
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		struct golden g = { .n = 0 };

		setup(state);
		bound(1);
		seen.answer = edit_some;
		memset(&anew, 0, sizeof(anew));
		anew.code = cases[i].code;
		anew.impossible = cases[i].impossible;
		q.refused = make_anew;
		q.refused_ctx = &anew;
		packets_begin();
		udp_packet(3, "abcdefg");
		packets_arrive();
		k.send_error[0] = cases[i].send_error;
		assert_int_equal(cth_queue_run(&q, 0, 0), 1);
		golden_verdict(&g, VERDICT, 1, cases[i].word, 3);
		assert_sent(0, &g);
		assert_int_equal(k.outs, 1);
		assert_int_equal(anew.calls, 1);
		assert_int_equal(anew.error, cases[i].send_error);
		assert_ptr_equal(anew.why, q.last_refusal);
		assert_int_equal(q.stats.refused, 1);
		assert_int_equal(q.stats.verdicts, 1);
		assert_int_equal(q.stats.held, 0);
	}
}

static void an_edited_packet_survives_a_failing_send(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	seen.answer = edit_some;
	packets_begin();
	udp_packet(2, "abcdefg");
	packets_arrive();
	packets_begin();
	udp_packet(3, "abcdefg");
	packets_arrive();
	k.send_error[0] = -ENOMEM;
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 2);
	assert_sent(0, &g);
	assert_memory_equal(sent_payload(script_sent(&k, 1), 3).p + 28, "aXYZdefg", 8);
	assert_int_equal(q.stats.unsent, 0);
}

static void peer_python_netfilterqueue_replaces_a_whole_packet_by_a_cut_one(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	seen.answer = edit_some;
	packets_begin();
	udp_packet(3, "abcdefg");
	cth_msg_init(&pm, packet_bytes, sizeof(packet_bytes));
	{
		uint8_t header[7] = { 0, 0, 0, 3, 8, 0, 4 };

		cth_msg_begin(&pm, PACKET, 0, 0, 2, 1);
		cth_msg_put(&pm, NFQA_PACKET_HDR, header, sizeof(header));
		cth_msg_put_be32(&pm, NFQA_CAP_LEN, 1400);
		cth_msg_put(&pm, NFQA_PAYLOAD, udp.b, udp.n);
		assert_int_equal(cth_msg_end(&pm), 0);
	}
	packets_arrive();
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 3);
	assert_sent(0, &g);
	assert_int_equal(q.stats.refused, 1);
	assert_non_null(q.last_refusal);
}

/* Overload and errors. */

static void an_overrun_is_an_event_and_not_the_end(void **state)
{
	(void)state;
	bound(1);
	arrive(1, 1, 1);
	script_error(&k, -ENOBUFS);
	arrive(1, 5, 2);
	assert_int_equal(cth_queue_run(&q, 10, 0), 3);
	assert_int_equal(s.stats.overruns, 1);
	assert_int_equal(q.stats.gaps, 3);
	assert_int_equal(q.stats.verdicts, 3);
}

static void a_signal_ends_the_wait(void **state)
{
	(void)state;
	bound(1);
	script_error(&k, 0); /* as EINTR comes through the seam: nothing */
	assert_int_equal(cth_queue_run(&q, 0, -1), 0);
	assert_int_equal(k.outs, 0);
}

static void a_socket_that_failed_is_told_after_the_verdicts(void **state)
{
	(void)state;
	bound(1);
	arrive(1, 1, 1);
	script_error(&k, -EBADF);
	assert_int_equal(cth_queue_run(&q, 10, 0), -EBADF);
	assert_int_equal(k.outs, 1);

	setup(NULL);
	bound(1);
	arrive(1, 1, 1);
	k.send_error[0] = k.send_error[1] = -EPERM;
	assert_int_equal(cth_queue_run(&q, 10, 0), -EPERM);
}

static void peer_libnetfilter_queue_and_libbpf_a_stray_error_ends_the_loop(void **state)
{
	(void)state;
	bound(1);
	script_ack(&k, 0, -ENOENT);
	script_ack(&k, 4711, 0); /* the ACK of a request long given up */
	script_done(&k, 0, 0);
	arrive(1, 1, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	assert_int_equal(q.stats.nacks, 1);
	assert_int_equal(q.last_nack.error, -ENOENT);
	assert_int_equal(q.stats.verdicts, 2);
}

static void peer_libnl_waits_for_an_ack_per_verdict(void **state)
{
	struct cth_span sent;
	struct cth_nlmsg m;

	(void)state;
	bound(1);
	seen.answer = drop_odd;
	arrive(1, 1, 6);
	assert_int_equal(cth_queue_run(&q, 0, 0), 6);
	assert_int_equal(k.outs, 1);
	sent = script_sent(&k, 0);
	while (cth_nlmsg_next(&sent, &m) > 0)
		assert_int_equal(m.flags, NLM_F_REQUEST);
}

static void a_send_that_fails_once_is_repeated_singly(void **state)
{
	static const int errors[] = { -ENOBUFS, -ENOMEM, -EMSGSIZE, -EAGAIN };
	struct golden g = { .n = 0 };

	(void)state;
	for (size_t i = 0; i < N_OF(errors); i++) {
		setup(NULL);
		bound(1);
		seen.answer = drop_odd;
		arrive(1, 2, 2);
		k.send_error[0] = errors[i];
		assert_int_equal(cth_queue_run(&q, 0, 0), 2);
		g.n = 0;
		golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 2);
		assert_sent(0, &g);
		g.n = 0;
		golden_verdict(&g, VERDICT, 1, CTH_DROP, 3);
		assert_sent(1, &g);
		assert_int_equal(q.stats.unsent, 0);
		assert_int_equal(q.stats.sends, 2);
	}
}

static void what_cannot_be_sent_waits_for_the_next_flush(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	seen.answer = drop_odd;
	for (size_t i = 0; i < 4; i++)
		k.send_error[i] = -ENOBUFS;
	arrive(1, 2, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2); /* an event, not the end */
	assert_int_equal(k.outs, 0);
	arrive(1, 4, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 2);
	golden_verdict(&g, VERDICT, 1, CTH_DROP, 3);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 4);
	assert_sent(0, &g);
	assert_int_equal(q.stats.unsent, 0);
	assert_int_equal(cth_queue_flush(&q), 0);
}

static int send_nothing(void *ctx, const struct iovec *parts, size_t n)
{
	(void)ctx;
	(void)parts;
	(void)n;
	return -ENOBUFS;
}

static int waited_ms[3];

static int receive_nothing_for(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms)
{
	size_t *times = ctx;

	(void)slots;
	(void)n;
	waited_ms[(*times)++] = timeout_ms;
	return 0;
}

/* A full queue delivers nothing until there are verdicts: who waits for packets waits for ever. */
static void nobody_waits_for_ever_on_a_verdict_that_cannot_be_sent(void **state)
{
	struct golden g = { .n = 0 };
	size_t times = 0;

	(void)state;
	bound(1);
	arrive(1, 1, 1);
	k.send_error[0] = k.send_error[1] = -ENOBUFS;
	assert_int_equal(cth_queue_run(&q, 0, -1), 1);
	s.io.receive = receive_nothing_for;
	s.io.ctx = &times;
	s.io.send = send_nothing;
	assert_int_equal(cth_queue_run(&q, 0, -1), 0);
	assert_int_equal(cth_queue_run(&q, 0, 5), 0);
	assert_in_range(waited_ms[0], 1, 100);
	assert_int_equal(waited_ms[1], 5);
	s.io = k.io;
	assert_int_equal(cth_queue_flush(&q), 0);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 1);
	assert_sent(0, &g);
	s.io.receive = receive_nothing_for;
	s.io.ctx = &times;
	assert_int_equal(cth_queue_run(&q, 0, -1), 0);
	assert_int_equal(waited_ms[2], -1);
}

/* A range must not overtake the verdict that stands before it. */
static void what_stands_behind_an_unsent_verdict_waits_too(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	seen.answer = drop_odd;
	arrive(1, 3, 1);
	arrive(1, 4, 1);
	arrive(1, 6, 1);
	k.send_error[0] = -ENOBUFS; /* all of it, */
	k.send_error[1] = -ENOBUFS; /* and then DROP 3; the range to 6 is not tried */
	assert_int_equal(cth_queue_run(&q, 0, 0), 3);
	assert_int_equal(k.outs, 0);
	assert_int_equal(k.sends, 2);
	assert_int_equal(cth_queue_flush(&q), 0);
	golden_verdict(&g, VERDICT, 1, CTH_DROP, 3);
	golden_verdict(&g, BATCH, 1, CTH_ACCEPT, 6);
	assert_sent(0, &g);
}

/*
 * Only when the buffer is full of what cannot be sent is a verdict lost: counted, no range
 * after.
 */
static void a_verdict_is_lost_only_when_the_buffer_is_full(void **state)
{
	uint32_t fit = CTH_QUEUE_OUT / 32;
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	q.no_ranges = true;
	s.io.send = send_nothing;
	for (uint32_t id = 1; id <= fit + 3; id++) {
		packets_begin();
		packet(1, id);
		assert_int_equal(cth_queue_feed(&q, cth_msg_bytes(&pm)), 1);
	}
	assert_int_equal(q.stats.unsent, 3);
	assert_int_equal(cth_queue_flush(&q), -ENOBUFS);
	s.io.send = k.io.send;
	assert_int_equal(cth_queue_flush(&q), 0);
	assert_int_equal(script_sent(&k, 0).n, fit * 32);

	q.no_ranges = false;
	arrive(1, fit + 4, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, fit + 4);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, fit + 5);
	assert_sent(1, &g);
}

static void out_is_sent_when_it_is_full(void **state)
{
	const uint32_t fit = CTH_QUEUE_OUT / 32;
	uint32_t n = fit + 10;

	(void)state;
	bound(1);
	q.no_ranges = true;
	for (uint32_t id = 1; id <= n; id++) {
		packets_begin();
		packet(1, id);
		assert_int_equal(cth_queue_feed(&q, cth_msg_bytes(&pm)), 1);
	}
	assert_int_equal(k.outs, 1);
	assert_int_equal(script_sent(&k, 0).n, fit * 32);
	assert_int_equal(cth_queue_flush(&q), 0);
	assert_int_equal(script_sent(&k, 1).n, 10 * 32);
	assert_int_equal(q.stats.verdicts, n);
	assert_int_equal(q.stats.sends, 2);
}

/* Budgets and feeding. */

static void a_budget_is_kept(void **state)
{
	(void)state;
	bound(1);
	arrive(1, 1, 2 * SLOTS + 5);
	assert_int_equal(cth_queue_run(&q, 0, 0), SLOTS); /* what a ring holds */
	assert_int_equal(cth_queue_run(&q, 3, 0), 3);
	assert_int_equal(cth_queue_run(&q, SLOTS + 1, 0), SLOTS + 1);
	assert_int_equal(cth_queue_run(&q, 100, 0), 1);
	assert_int_equal(cth_queue_run(&q, 100, 0), 0);
	assert_int_equal(q.stats.verdicts, 2 * SLOTS + 5);
}

static void feeding_receives_nothing_and_run_sends_first(void **state)
{
	(void)state;
	bound(1);
	arrive(1, 2, 1);
	packets_begin();
	packet(1, 1);
	assert_int_equal(cth_queue_feed(&q, cth_msg_bytes(&pm)), 1);
	assert_int_equal(k.in_next, 0);
	assert_int_equal(k.outs, 0);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_int_equal(k.outs, 2);
}

/* Rounds: for who remembers what its verdicts have changed. */

static uint64_t rounds_shown[64], emptied_shown[64];

static void note_round(const struct cth_pkt *p, struct cth_verdict *v)
{
	(void)p;
	rounds_shown[seen.packets - 1] = q.round;
	emptied_shown[seen.packets - 1] = q.emptied;
	v->set_mark = true; /* no plain ACCEPT: a verdict that has to get there */
}

static void assert_rounds(uint64_t round, uint64_t emptied)
{
	assert_true(q.round == round);
	assert_true(q.emptied == emptied);
}

static void every_receive_is_a_round_that_begins_before_its_packets(void **state)
{
	(void)state;
	bound(1);
	seen.answer = note_round;
	assert_rounds(0, 0);
	arrive(1, 1, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	assert_rounds(1, 1);
	arrive(1, 3, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_rounds(2, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 0); /* nothing came: it was empty all the same */
	assert_rounds(3, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(rounds_shown[i] == (i < 2 ? 1 : 2));
		assert_true(emptied_shown[i] == rounds_shown[i] - 1);
	}
}

static void a_round_empties_the_socket_only_when_its_verdicts_have_gone(void **state)
{
	(void)state;
	bound(1);
	seen.answer = note_round;
	arrive(1, 1, 1);
	k.send_error[0] = k.send_error[1] = -ENOBUFS;
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_rounds(1, 1);
	/* The verdict of round 1 goes only now, after round 2 has received. */
	k.send_error[2] = k.send_error[3] = -ENOBUFS;
	arrive(1, 2, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_int_equal(k.outs, 1);
	assert_rounds(2, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 0);
	assert_rounds(3, 3);
}

static void a_batch_that_fills_the_ring_does_not_empty_the_socket(void **state)
{
	(void)state;
	bound(1);
	seen.answer = note_round;
	arrive(1, 1, SLOTS);
	assert_int_equal(cth_queue_run(&q, 0, 0), SLOTS); /* no more are there, but who knows */
	assert_rounds(1, 0);
	arrive(1, 1 + SLOTS, SLOTS - 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), SLOTS - 1);
	assert_rounds(2, 2);
	arrive(1, 2 * SLOTS, 2 * SLOTS + 1);
	assert_int_equal(cth_queue_run(&q, 1000, 0), 2 * SLOTS + 1); /* three receives, and one for none */
	assert_rounds(6, 6);
	assert_true(emptied_shown[2 * SLOTS - 1] == 2);
	assert_true(emptied_shown[4 * SLOTS - 2] == 2);
	assert_true(rounds_shown[4 * SLOTS - 1] == 5);
	assert_true(emptied_shown[4 * SLOTS - 1] == 2);
}

static void a_budget_that_is_used_up_does_not_empty_the_socket(void **state)
{
	(void)state;
	bound(1);
	arrive(1, 1, 3);
	assert_int_equal(cth_queue_run(&q, 2, 0), 2);
	assert_rounds(1, 0);
	assert_int_equal(cth_queue_run(&q, 1, 0), 1); /* the last one, but who knows */
	assert_rounds(2, 0);
	assert_int_equal(cth_queue_run(&q, 1, 0), 0);
	assert_rounds(3, 3);
	arrive(1, 4, 1);
	assert_int_equal(cth_queue_run(&q, 2, 0), 1); /* and the receive for the second finds none */
	assert_rounds(5, 5);
}

/* For a while, and no longer than they do come alone. */
static void packets_that_come_alone_are_received_alone_if_one_wants_so(void **state)
{
	const unsigned alone = 32;
	uint32_t id = 1;

	(void)state;
	bound(1);
	q.singly = true;
	arrive(1, id++, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_rounds(1, 1);
	for (uint64_t round = 2; round <= 1 + alone; round++) {
		arrive(1, id++, 1);
		assert_int_equal(cth_queue_run(&q, 0, 0), 1);
		assert_rounds(round, 1); /* perhaps there are more */
	}
	arrive(1, id++, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_rounds(2 + alone, 2 + alone);
	arrive(1, id, alone + SLOTS + 3);
	for (unsigned i = 0; i < alone; i++)
		assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), SLOTS); /* there are */
	assert_int_equal(cth_queue_run(&q, 0, 0), 3);
	assert_rounds(4 + 2 * alone, 4 + 2 * alone);
	arrive(1, id + alone + SLOTS + 3, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	arrive(1, id + alone + SLOTS + 5, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 0); /* alone, and nothing: it is empty */
	assert_rounds(7 + 2 * alone, 7 + 2 * alone);
	assert_true(q.stats.gaps == 0 && q.stats.verdicts == q.stats.packets);
}

static void what_is_fed_is_a_round_that_empties_nothing(void **state)
{
	(void)state;
	bound(1);
	seen.answer = note_round;
	packets_begin();
	packet(1, 1);
	packet(1, 2);
	cth_queue_feed(&q, cth_msg_bytes(&pm));
	cth_queue_feed(&q, cth_msg_bytes(&pm));
	assert_rounds(2, 0);
	assert_true(rounds_shown[1] == 1 && rounds_shown[2] == 2);
	assert_int_equal(cth_queue_flush(&q), 0);
	assert_rounds(2, 0);
	assert_int_equal(cth_queue_run(&q, 0, 0), 0);
	assert_rounds(3, 3);
}

static void packets_before_an_answer_are_a_round_that_empties_nothing(void **state)
{
	(void)state;
	bound(1);
	seen.answer = note_round;
	arrive(1, 1, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_rounds(1, 1);
	arrive(1, 2, 2);
	script_ack(&k, 1, 0);
	assert_int_equal(cth_queue_bind(&q, 2, &plain, &nack), 0);
	assert_int_equal(seen.packets, 3);
	assert_rounds(3, 1);
	assert_true(rounds_shown[1] == 2 && rounds_shown[2] == 3);
	assert_true(emptied_shown[2] == 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 0);
	assert_rounds(4, 4);
}

/* The real socket may end a receive there, and more than what came be waiting. */
static void neither_an_error_nor_an_overrun_tells_that_the_socket_is_empty(void **state)
{
	(void)state;
	bound(1);
	script_error(&k, -ENOBUFS);
	arrive(1, 1, 1);
	assert_int_equal(cth_queue_run(&q, 0, 0), 1);
	assert_rounds(1, 0);
	script_error(&k, -ENOBUFS);
	script_error(&k, -ENOBUFS);
	assert_int_equal(cth_queue_run(&q, 0, 0), 0);
	assert_rounds(2, 0);
	script_error(&k, -EBADF);
	assert_int_equal(cth_queue_run(&q, 0, 0), -EBADF);
	assert_rounds(3, 0);
	assert_int_equal(cth_queue_run(&q, 0, 0), 0);
	assert_rounds(4, 4);
}

static void junk_is_counted(void **state)
{
	static const uint8_t junk[24] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	(void)state;
	assert_int_equal(cth_queue_feed(&q, cth_span(junk, sizeof(junk))), 0);
	assert_int_equal(cth_queue_feed(&q, cth_span(junk, 3)), 0);
	assert_int_equal(cth_queue_feed(&q, cth_span(NULL, 0)), 0);
	assert_int_equal(s.stats.malformed, 2);
	assert_int_equal(q.stats.malformed, 0);
}

static void receive_inside(const struct cth_pkt *p, struct cth_verdict *v)
{
	(void)v;
	assert_int_equal(cth_queue_run(&q, 0, 0), -EBUSY);
	assert_int_equal(cth_queue_feed(&q, p->payload), -EBUSY);
	assert_int_equal(cth_queue_bind(&q, 5, &plain, &nack), -EBUSY);
	assert_int_equal(cth_queue_unbind(&q, 1, &nack), -EBUSY);
}

static void a_callback_cannot_receive(void **state)
{
	(void)state;
	bound(1);
	seen.answer = receive_inside;
	arrive(1, 1, 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 2);
	assert_int_equal(q.stats.verdicts, 2);
	script_ack(&k, 1, 0);
	assert_int_equal(cth_queue_bind(&q, 5, &plain, &nack), 0);
}

static void release_first(const struct cth_pkt *p, struct cth_verdict *v)
{
	struct cth_verdict late;

	if (p->id == 1)
		v->code = CTH_HOLD;
	if (p->id == 3) {
		cth_verdict_init(&late);
		late.code = CTH_DROP;
		assert_int_equal(cth_queue_verdict(&q, 1, 1, &late, NULL), 0);
	}
}

static void a_callback_can_release_a_held_packet(void **state)
{
	struct golden g = { .n = 0 };

	(void)state;
	bound(1);
	seen.answer = release_first;
	arrive(1, 1, 4);
	assert_int_equal(cth_queue_run(&q, 0, 0), 4);
	golden_verdict(&g, VERDICT, 1, CTH_ACCEPT, 2);
	golden_verdict(&g, VERDICT, 1, CTH_DROP, 1);
	assert_sent(0, &g);
	g.n = 0;
	golden_verdict(&g, BATCH, 1, CTH_ACCEPT, 4);
	assert_sent(1, &g);
}

/*
 * A model of the kernel's queues: lists of undecided packets in the order of their ids,
 * and verdicts applied as nfnetlink_queue applies them.
 */
#define MODEL_QUEUES  3
#define MODEL_PACKETS 512

struct model_packet {
	uint32_t id;
	int should;      /* the callback's or the late verdict; CTH_HOLD: held */
	uint32_t mark;   /* that should be set; 0: none */
	bool shown;
};

static struct model {
	struct cth_io io;
	size_t failures; /* sends that were made to fail */
	struct {
		uint16_t num;
		uint32_t next;
		struct model_packet packet[MODEL_PACKETS]; /* undecided, in order */
		size_t n;
	} queue[MODEL_QUEUES];
	struct { size_t queue; uint32_t id; } wire[MODEL_PACKETS]; /* sent, not yet received */
	size_t wired;
	size_t payload;  /* bytes of it in every packet */
	unsigned fail;   /* one of this many sends fails; 0: none */
	size_t decided, ranges, wrong, unknown;
	size_t receives, waits;
	uint32_t seed;
} model;

static uint32_t chance(uint32_t n)
{
	model.seed = model.seed * 1664525u + 1013904223u;
	return (model.seed >> 8) % n;
}

static size_t model_queue(uint16_t num)
{
	for (size_t i = 0; i < MODEL_QUEUES; i++)
		if (model.queue[i].num == num)
			return i;
	fail_msg("a verdict for queue %u", num);
	return 0;
}

static struct model_packet *model_find(size_t i, uint32_t id)
{
	for (size_t j = 0; j < model.queue[i].n; j++)
		if (model.queue[i].packet[j].id == id)
			return &model.queue[i].packet[j];
	return NULL;
}

static void model_decide(size_t i, struct model_packet *p, uint32_t word, uint32_t mark)
{
	size_t at = (size_t)(p - model.queue[i].packet);

	if (!p->shown || p->should == CTH_HOLD || (uint32_t)p->should != word || p->mark != mark)
		model.wrong++;
	model.decided++;
	model.queue[i].n--;
	memmove(p, p + 1, (model.queue[i].n - at) * sizeof(*p));
}

static void model_verdict(const struct cth_nlmsg *m)
{
	size_t i = model_queue(m->res_id);
	struct cth_span attrs = m->attrs;
	uint32_t word = 99, id = 0, mark = 0;
	struct model_packet *p;
	struct cth_attr a;

	while (cth_attr_next(&attrs, &a) > 0) {
		if (a.type == NFQA_VERDICT_HDR) {
			word = cth_be32(a.value.p);
			id = cth_be32(a.value.p + 4);
		}
		if (a.type == NFQA_MARK)
			mark = cth_be32(a.value.p);
	}
	if (m->type == BATCH) {
		model.ranges++;
		if (m->seq == 0 && /* a DROP range may find nothing */
		    (!model.queue[i].n || (int32_t)(model.queue[i].packet[0].id - id) > 0))
			model.unknown++;
		while (model.queue[i].n && (int32_t)(model.queue[i].packet[0].id - id) <= 0)
			model_decide(i, &model.queue[i].packet[0], word, mark);
		return;
	}
	p = model_find(i, id);
	if (p)
		model_decide(i, p, word, mark);
	else
		model.unknown++;
}

static int model_send(void *ctx, const struct iovec *parts, size_t n)
{
	static uint8_t bytes[CTH_QUEUE_OUT];
	struct cth_span datagram = { bytes, 0 };
	struct cth_nlmsg m;

	(void)ctx;
	if (model.fail && chance(model.fail) == 0) {
		model.failures++;
		return chance(2) ? -ENOBUFS : -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		assert_true(datagram.n + parts[i].iov_len <= sizeof(bytes));
		memcpy(bytes + datagram.n, parts[i].iov_base, parts[i].iov_len);
		datagram.n += parts[i].iov_len;
	}
	while (cth_nlmsg_next(&datagram, &m) > 0) {
		assert_true(m.type == VERDICT || m.type == BATCH);
		model_verdict(&m);
	}
	assert_int_equal(datagram.n, 0);
	return 0;
}

static int model_receive(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms)
{
	static uint8_t payload[65531], bytes[65536 + 64];
	size_t got = 0;

	(void)ctx;
	model.receives++;
	model.waits += timeout_ms != 0;
	while (got < n && got < model.wired) {
		struct cth_msg m;
		size_t len;

		cth_msg_init(&m, bytes, sizeof(bytes));
		packet_in(&m, 2, model.queue[model.wire[got].queue].num, model.wire[got].id,
			  payload, model.payload);
		len = cth_msg_bytes(&m).n;
		slots[got].truncated = len > slots[got].cap;
		slots[got].n = slots[got].truncated ? slots[got].cap : len;
		slots[got].portid = 0;
		memcpy(slots[got].buf, bytes, slots[got].n);
		got++;
	}
	model.wired -= got;
	memmove(model.wire, model.wire + got, model.wired * sizeof(model.wire[0]));
	return (int)got;
}

/* The kernel queues a packet; sometimes the id is used up and the packet lost. */
static void model_packet_comes(void)
{
	size_t i = chance(MODEL_QUEUES);
	struct model_packet *p;
	uint32_t id = model.queue[i].next++;

	if (id == 0 || chance(20) == 0 || model.queue[i].n == MODEL_PACKETS ||
	    model.wired == MODEL_PACKETS)
		return;
	p = &model.queue[i].packet[model.queue[i].n++];
	memset(p, 0, sizeof(*p));
	p->id = id;
	model.wire[model.wired].queue = i;
	model.wire[model.wired].id = id;
	model.wired++;
}

static void model_answer(const struct cth_pkt *p, struct cth_verdict *v)
{
	struct model_packet *should = model_find(model_queue(p->queue), p->id);

	assert_non_null(should);
	assert_false(should->shown);
	should->shown = true;
	should->should = CTH_ACCEPT;
	switch (chance(8)) {
	case 0:
		should->should = v->code = CTH_DROP;
		break;
	case 1:
		v->set_mark = true;
		v->mark = v->mark_mask = 0x100;
		should->mark = 0x10f;
		break;
	case 2:
		if (chance(4) == 0)
			should->should = v->code = CTH_HOLD;
		break;
	case 3:
		if (chance(8) == 0)
			v->code = 2; /* refused, so: ACCEPT */
		break;
	}
}

/* Gives some held packets, in any order, their verdict. */
static void model_release(void)
{
	size_t i = chance(MODEL_QUEUES);
	struct cth_verdict v;

	for (size_t tries = 0; tries < 4 && model.queue[i].n; tries++) {
		struct model_packet *p = &model.queue[i].packet[chance((uint32_t)model.queue[i].n)];

		if (p->should != CTH_HOLD)
			continue;
		cth_verdict_init(&v);
		p->should = v.code = chance(2) ? CTH_ACCEPT : CTH_DROP;
		if (cth_queue_verdict(&q, model.queue[i].num, p->id, &v, NULL) < 0)
			p->should = CTH_HOLD; /* the send failed */
	}
}

static void model_start(uint32_t seed)
{
	memset(&model, 0, sizeof(model));
	model.seed = seed;
	model.io.receive = model_receive;
	model.io.send = model_send;
	model.payload = 40;
	start(&model.io, SLOT);
	seen.answer = model_answer;
	for (size_t i = 0; i < MODEL_QUEUES; i++) {
		model.queue[i].num = (uint16_t)(i * 1000);
		model.queue[i].next = UINT32_MAX - chance(400); /* so that ids wrap on the way */
		bound(model.queue[i].num);
	}
}

static size_t model_undecided(void)
{
	size_t n = 0;

	for (size_t i = 0; i < MODEL_QUEUES; i++)
		n += model.queue[i].n;
	return n;
}

static void model_run(unsigned rounds)
{
	for (unsigned round = 0; round < rounds; round++) {
		for (uint32_t n = chance(30); n > 0; n--)
			model_packet_comes();
		assert_true(cth_queue_run(&q, chance(2) ? 0 : 1 + chance(20), 0) >= 0);
		if (chance(3) == 0)
			model_release();
	}
	while (model.wired)
		assert_true(cth_queue_run(&q, 100, 0) >= 0);
}

static void every_packet_gets_one_verdict_and_the_right_one(void **state)
{
	size_t ranges = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= 40; seed++) {
		model_start(seed);
		q.no_ranges = seed % 10 == 0;
		model_run(200);
		assert_int_equal(model.wrong, 0);
		assert_int_equal(model.unknown, 0);
		assert_int_equal(model_undecided(), q.stats.held);
		assert_int_equal(model.decided, q.stats.verdicts);
		assert_int_equal(seen.packets, q.stats.packets);
		assert_int_equal(q.stats.packets, q.stats.verdicts + q.stats.held);
		assert_int_equal(q.stats.unsent, 0);
		assert_true(q.stats.gaps > 0 && q.stats.refused > 0);
		ranges += model.ranges;
	}
	assert_true(ranges > 100);
}

/*
 * The owner dies: what it has read of the wire, and all that it holds, is its successor's to
 * drop.
 */
static void model_die(uint32_t read)
{
	for (size_t i = 0; i < MODEL_QUEUES; i++)
		for (size_t j = 0; j < model.queue[i].n; j++)
			if (model.queue[i].packet[j].shown) {
				model.queue[i].packet[j].should = CTH_DROP;
				model.queue[i].packet[j].mark = 0;
			}
	for (uint32_t w = 0; w < read && w < model.wired; w++) {
		struct model_packet *p = model_find(model.wire[w].queue, model.wire[w].id);

		p->should = CTH_DROP;
		p->shown = true;
	}
	read = read < model.wired ? read : (uint32_t)model.wired;
	model.wired -= read;
	memmove(model.wire, model.wire + read, model.wired * sizeof(model.wire[0]));
	start(&model.io, SLOT);
	seen.answer = model_answer;
	for (size_t i = 0; i < MODEL_QUEUES; i++)
		assert_int_equal(cth_queue_take_over(&q, model.queue[i].num, 0), 0);
}

static void whenever_owners_die_only_what_they_had_read_is_dropped(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 40; seed++) {
		model_start(seed);
		model.fail = seed % 4 ? 0 : 5;
		for (size_t deaths = 0; deaths < 30; deaths++) {
			model_run(chance(4));
			for (uint32_t n = chance(40); n > 0; n--)
				model_packet_comes();
			if (chance(2))
				assert_true(cth_queue_run(&q, 1 + chance(10), 0) >= 0);
			model_die(chance(12));
			assert_int_equal(model.wrong, 0);
		}
		model.fail = 0;
		for (size_t i = 0; i < 3; i++)
			assert_true(cth_queue_run(&q, 1000, 0) >= 0);
		assert_int_equal(model.wrong, 0);
		assert_int_equal(model.unknown, 0);
		assert_int_equal(model.wired, 0);
		assert_int_equal(model_undecided(), q.stats.held);
		assert_int_equal(q.stats.unsent, 0);
	}
}

static void however_often_sends_fail_no_verdict_is_wrong(void **state)
{
	size_t failures = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= 40; seed++) {
		model_start(seed);
		model.fail = 2 + seed % 5;
		model_run(200);
		failures += model.failures;
		model.fail = 0;
		cth_queue_flush(&q);
		assert_int_equal(model.wrong, 0);
		assert_int_equal(model.unknown, 0);
		assert_int_equal(q.stats.unsent, 0);
		assert_int_equal(model_undecided(), q.stats.held);
	}
	assert_true(failures > 1000);
}

static void only_the_first_datagram_is_waited_for(void **state)
{
	(void)state;
	model_start(1);
	while (model.wired < 3 * SLOTS)
		model_packet_comes();
	assert_int_equal(cth_queue_run(&q, 100, -1), 3 * SLOTS);
	assert_int_equal(model.receives, 4);
	assert_int_equal(model.waits, 1);
}

static void peer_conntrackd_nfq_cb_has_4096_bytes_for_larger_packets(void **state)
{
	static const size_t payloads[] = { 1, 4000, 4076, 4077, 4096, 4097, 9000, 32768, 65531 };

	(void)state;
	for (size_t i = 0; i < N_OF(payloads); i++) {
		model_start(7);
		model.payload = payloads[i];
		model_run(4);
		assert_int_equal(model.wrong, 0);
		assert_int_equal(model_undecided(), q.stats.held);
		assert_int_equal(seen.payload[0], payloads[i]);
	}
}

static void a_packet_longer_than_the_answer_buffer_comes_before_the_ack(void **state)
{
	static const uint8_t payload[sizeof(answers) - 60];

	(void)state;
	bound(1);
	packets_begin();
	packet_in(&pm, 2, 1, 5, payload, sizeof(payload));
	s.answers.cap = 256;
	packets_arrive();
	script_ack(&k, 1, 0);
	assert_int_equal(cth_queue_bind(&q, 2, &plain, &nack), 0);
	assert_int_equal(seen.packets, 1);
	assert_int_equal(seen.payload[0], sizeof(payload));
	assert_int_equal(s.stats.truncated, 0);
	assert_int_equal(s.answers.cap, 256);
	assert_ptr_equal(s.answers.buf, answers);

	setup(NULL); /* and if the slots are the smaller ones */
	ring[0].cap = 1500;
	bound(1);
	packets_begin();
	packet_in(&pm, 2, 1, 5, payload, sizeof(payload));
	packets_arrive();
	script_ack(&k, 1, 0);
	assert_int_equal(cth_queue_bind(&q, 2, &plain, &nack), 0);
	assert_int_equal(seen.payload[0], sizeof(payload));
}

/* Recordings: of whatever a kernel has queued, each packet is decided once. */

static uint32_t recorded;

static void feed_recorded(struct cth_span datagram, bool to_kernel, void *ctx)
{
	struct cth_span left = datagram;
	struct cth_nlmsg m;

	(void)ctx;
	if (to_kernel)
		return;
	while (cth_nlmsg_next(&left, &m) > 0) {
		if (m.type != PACKET)
			continue;
		recorded++;
		assert_int_equal(cth_queue_adopt(&q, m.res_id, 0), 0);
	}
	cth_queue_feed(&q, datagram);
	cth_queue_flush(&q);
	k.outs = k.out_n = 0;
}

static void recorded_packets_all_get_a_verdict(void **state)
{
	static const char *const names[] = {
		"conntrackd-ftp-v4.pcap", "conntrackd-ftp-v6.pcap", "queue-bridge-vlan.pcap",
		"queue-ct-icmp-udp-tcp-v4v6.pcap", "queue-gso.pcap", "queue-truncated-meta.pcap",
		"queue-uid-gid-mark.pcap", "readme-demo.pcap",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(names); i++) {
		setup(NULL);
		recorded = 0;
		each_datagram(names[i], feed_recorded, NULL);
		assert_true(recorded > 0);
		assert_int_equal(q.stats.packets, recorded);
		assert_int_equal(q.stats.verdicts, recorded);
		assert_int_equal(q.stats.malformed, 0);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bind_is_one_message),
		TEST(peer_conntrackd_bind_and_params_in_two_messages),
		TEST(binding_again_changes_parameters_and_sends_no_command),
		TEST(wishes_are_refused_flag_by_flag),
		TEST(a_flag_that_is_needed_and_missing_leaves_nothing_behind),
		TEST(a_failed_change_keeps_what_was),
		TEST(a_queue_of_another_socket_is_told),
		TEST(a_queue_that_this_socket_has_already_is_only_configured),
		TEST(a_lost_ack_leaves_nothing_behind_and_binding_again_works),
		TEST(binding_without_memory_to_send_fails_cleanly),
		TEST(a_range_never_exceeds_the_slots),
		TEST(buffers_that_are_too_small_are_refused),
		TEST(sixteen_queues_and_no_more),
		TEST(unbind_is_one_command),
		TEST(an_unbind_that_fails_can_be_repeated),
		TEST(peer_nfq_rs_recv_error_drops_packets_before_the_ack),
		TEST(peer_conntrackd_cthelper_setup_throws_packets_away),
		TEST(peer_go_nfqueue_execute_takes_a_packet_for_its_ack),
		TEST(a_late_nack_before_the_ack_is_not_the_answer),
		TEST(verdicts_do_not_wait_while_an_answer_is_awaited),
		TEST(a_packet_longer_than_the_answer_buffer_comes_before_the_ack),
		TEST(one_accept_is_a_verdict),
		TEST(many_accepts_are_one_range),
		TEST(ranges_can_be_forbidden),
		TEST(another_verdict_comes_behind_its_queues_run),
		TEST(an_accept_that_does_more_is_not_part_of_a_run),
		TEST(a_run_goes_over_the_wrap_of_ids),
		TEST(a_run_ends_where_ids_go_back),
		TEST(the_packet_with_id_0_gets_a_verdict),
		TEST(ids_that_never_came_are_counted),
		TEST(no_range_goes_past_a_held_packet),
		TEST(a_late_verdict_is_refused_and_the_packet_stays_held),
		TEST(a_late_verdict_without_memory_goes_with_the_next_flush),
		TEST(a_description_must_be_the_packets_own),
		TEST(no_range_once_a_held_packet_was_taken_for_another),
		TEST(no_range_takes_a_held_packet_along_over_the_wrap),
		TEST(a_verdict_for_an_id_never_seen_is_counted_and_decides_nothing),
		TEST(no_range_on_a_queue_that_was_adopted),
		TEST(what_a_dead_owner_has_read_is_dropped_and_the_rest_served),
		TEST(where_nothing_is_unread_all_is_dropped),
		TEST(of_two_queues_each_has_its_own_end),
		TEST(what_is_left_stays_while_the_socket_is_not_empty),
		TEST(the_first_packet_may_be_malformed),
		TEST(packets_that_come_before_an_answer_have_their_end_too),
		TEST(what_is_taken_over_may_not_be_bound),
		TEST(what_is_left_is_dropped_when_there_is_memory),
		TEST(a_queue_can_be_taken_over_again),
		TEST(unbinding_forgets_held_packets),
		TEST(a_packet_cut_anywhere_passes_and_is_not_shown),
		TEST(every_byte_of_a_datagram_may_be_anything),
		TEST(a_slot_too_small_lets_the_packet_pass),
		TEST(peer_conntrackd_queue_number_0_on_error_exits),
		TEST(a_malformed_packet_keeps_its_place_among_the_verdicts),
		TEST(a_packet_of_a_number_not_bound_here_passes),
		TEST(peer_go_nfqueue_bridge_packets_never_get_a_verdict),
		TEST(an_alien_sender_is_not_believed),
		TEST(several_packets_in_a_datagram),
		TEST(peer_conntrackd_error_exit_sends_a_second_verdict),
		TEST(a_refused_drop_still_drops),
		TEST(a_verdict_longer_than_its_buffer_is_replaced),
		TEST(a_replaced_packet_follows_its_verdict),
		TEST(an_edited_packet_follows_its_verdict),
		TEST(a_verdict_that_cannot_be_sent_may_be_made_anew),
		TEST(an_edited_packet_survives_a_failing_send),
		TEST(without_memory_for_an_edited_packet_it_passes_as_it_was),
		TEST(peer_python_netfilterqueue_replaces_a_whole_packet_by_a_cut_one),
		TEST(an_overrun_is_an_event_and_not_the_end),
		TEST(a_signal_ends_the_wait),
		TEST(a_socket_that_failed_is_told_after_the_verdicts),
		TEST(peer_libnetfilter_queue_and_libbpf_a_stray_error_ends_the_loop),
		TEST(peer_libnl_waits_for_an_ack_per_verdict),
		TEST(a_send_that_fails_once_is_repeated_singly),
		TEST(what_cannot_be_sent_waits_for_the_next_flush),
		TEST(nobody_waits_for_ever_on_a_verdict_that_cannot_be_sent),
		TEST(what_stands_behind_an_unsent_verdict_waits_too),
		TEST(a_verdict_is_lost_only_when_the_buffer_is_full),
		TEST(out_is_sent_when_it_is_full),
		TEST(a_budget_is_kept),
		TEST(feeding_receives_nothing_and_run_sends_first),
		TEST(every_receive_is_a_round_that_begins_before_its_packets),
		TEST(a_round_empties_the_socket_only_when_its_verdicts_have_gone),
		TEST(a_batch_that_fills_the_ring_does_not_empty_the_socket),
		TEST(a_budget_that_is_used_up_does_not_empty_the_socket),
		TEST(packets_that_come_alone_are_received_alone_if_one_wants_so),
		TEST(what_is_fed_is_a_round_that_empties_nothing),
		TEST(packets_before_an_answer_are_a_round_that_empties_nothing),
		TEST(neither_an_error_nor_an_overrun_tells_that_the_socket_is_empty),
		TEST(junk_is_counted),
		TEST(a_callback_cannot_receive),
		TEST(a_callback_can_release_a_held_packet),
		TEST(every_packet_gets_one_verdict_and_the_right_one),
		TEST(whenever_owners_die_only_what_they_had_read_is_dropped),
		TEST(however_often_sends_fail_no_verdict_is_wrong),
		TEST(only_the_first_datagram_is_waited_for),
		TEST(peer_conntrackd_nfq_cb_has_4096_bytes_for_larger_packets),
		TEST(recorded_packets_all_get_a_verdict),
	};

	return RUN(tests);
}
