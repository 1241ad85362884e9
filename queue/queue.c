/* SPDX-License-Identifier: MIT */
/*
 * queue.c - the NFQUEUE client. Answers to linux/netfilter/nfnetlink_queue.h.
 *
 *     kernel -- PACKET id ----------------> ring slot --> cth_pkt --> callback
 *                                                                        |
 *     kernel <-- VERDICT VERDICT_BATCH ... <-- out <-- run <-- cth_verdict
 *                \_____ one datagram _____/
 *
 * Verdicts are gathered in out and sent together. Plain ACCEPTs are not even put there
 * but noted per queue: the run of them becomes one VERDICT_BATCH, which accepts all that
 * is undecided up to an id. So it may only be used while everything before that id is
 * decided and sent ahead of it: every other verdict of the queue first puts the run, and
 * a held packet, a verdict that was lost on the way, or packets that a former owner of
 * the socket has left undecided, end runs altogether.
 *
 * Who takes a socket over from one that is dead knows by the ids what that one has read. A queue's
 * rise one by one, and its packets stand in the socket in that order:
 *
 *     undecided   5   7 8 | 9 10 11        first to be received: 9
 *                 read    | in the socket
 *
 * So DROP for all up to 8 goes ahead of whatever is decided of that queue. Where the socket has
 * nothing, all that is undecided was read.
 *
 * A verdict with a new payload goes at once, in a datagram of its own: the payload's pieces
 * lie in the slot, in the verdict and in the edit's scratch, all of which the next packet
 * takes over.
 */
#include <errno.h>
#include "queue.h"
#include "../netlink/uapi.h"

#define QUEUE_TYPE(msg)   ((uint16_t)(NFNL_SUBSYS_QUEUE << 8 | (msg)))
#define QUEUE_EVERY_FLAG  31u
#define QUEUE_OUT_MAX     131072u /* with a payload behind it, less than a usual send buffer */
#define QUEUE_CONFIG_SIZE 64u
#define QUEUE_RETRY_MS    20 /* at most, between two tries of verdicts that found no memory */
#define QUEUE_ALONE       32 /* receives of one, until one looks whether there are more */

/* Ids wrap; the kernel too compares them by their difference. */
static bool id_after(uint32_t id, uint32_t other)
{
	return id != other && id - other < 0x80000000u;
}

static struct cth_queue_bound *bound_find(struct cth_queue *q, uint16_t num)
{
	for (size_t i = 0; i < q->bounds; i++)
		if (q->bound[i].used && q->bound[i].num == num)
			return &q->bound[i];
	return NULL;
}

static struct cth_queue_bound *bound_add(struct cth_queue *q, uint16_t num)
{
	for (size_t i = 0; i < CTH_QUEUE_BOUND; i++) {
		if (q->bound[i].used)
			continue;
		memset(&q->bound[i], 0, sizeof(q->bound[i]));
		q->bound[i].used = true;
		q->bound[i].num = num;
		if (q->bounds <= i)
			q->bounds = i + 1;
		return &q->bound[i];
	}
	return NULL;
}

static void bound_remove(struct cth_queue *q, struct cth_queue_bound *b)
{
	q->stats.held -= b->held;
	b->used = false;
	while (q->bounds > 0 && !q->bound[q->bounds - 1].used)
		q->bounds--;
}

/* Messages, and behind the last of them the payload that it announces. */
static int messages_send(struct cth_queue *q, struct cth_span bytes, const struct iovec *tail,
			 size_t n)
{
	struct iovec part[1 + sizeof(q->edited.part) / sizeof(q->edited.part[0])];
	int r;

	part[0].iov_base = (void *)bytes.p;
	part[0].iov_len = bytes.n;
	for (size_t i = 0; i < n; i++)
		part[1 + i] = tail[i];
	r = cth_sock_send(q->sock, part, 1 + n);
	if (r == 0)
		q->stats.sends++;
	return r;
}

/*
 * Sends what is gathered. If the kernel has no memory for all of it, the messages go one
 * by one; the first that cannot go stays, and what stands behind it, so that no verdict
 * overtakes another. They are tried again with the next send.
 */
static void out_send(struct cth_queue *q)
{
	struct cth_span all = cth_msg_bytes(&q->out), left = all;
	int r;

	if (all.n == 0)
		return;
	r = messages_send(q, all, NULL, 0);
	if (r == 0) {
		cth_msg_reset(&q->out);
		return;
	}
	while (left.n) {
		size_t len = cth_host32(left.p);

		r = messages_send(q, cth_span(left.p, len), NULL, 0);
		if (r < 0)
			break;
		left = cth_span_sub(left, len, left.n - len);
	}
	cth_msg_consume(&q->out, all.n - left.n);
	if (r < 0 && q->send_error == 0)
		q->send_error = r;
}

/* There was no room for a verdict, and none could be made. */
static void verdict_lost(struct cth_queue *q, uint16_t num)
{
	struct cth_queue_bound *b = bound_find(q, num);

	q->stats.unsent++;
	if (b)
		b->lost = true; /* a range would decide that packet as well, perhaps differently */
}

/* A verdict that is only a word. */
static void word_put(struct cth_queue *q, uint16_t num, uint32_t id, uint32_t word)
{
	if (cth_verdict_put_raw(&q->out, num, id, word) == 0)
		return;
	out_send(q);
	if (cth_verdict_put_raw(&q->out, num, id, word) < 0)
		verdict_lost(q, num);
}

/* ACCEPT for all up to an id. */
static void range_put(struct cth_queue *q, uint16_t num, uint32_t id)
{
	if (cth_verdict_put_range(&q->out, num, id) == 0)
		return;
	out_send(q);
	if (cth_verdict_put_range(&q->out, num, id) < 0)
		verdict_lost(q, num);
}

/* May there be packets of this queue, before the next one, that no range must decide? */
static bool ranges_forbidden(const struct cth_queue *q, const struct cth_queue_bound *b)
{
	return q->no_ranges || b->held || b->lost || b->foreign || b->doubt;
}

static void run_put(struct cth_queue *q, struct cth_queue_bound *b)
{
	uint32_t count = b->run_count;

	b->run_count = 0;
	if (count > 1)
		range_put(q, b->num, b->run_id);
	else if (count == 1)
		word_put(q, b->num, b->run_id, CTH_ACCEPT);
}

/* An ACCEPT that nothing goes with, into the queue's run if there may be one. */
static void accept_note(struct cth_queue *q, struct cth_queue_bound *b, uint32_t id)
{
	bool alone = ranges_forbidden(q, b);

	q->stats.verdicts++;
	if (alone || !id_after(id, b->run_id))
		run_put(q, b);
	b->run_id = id;
	b->run_count++;
	if (alone)
		run_put(q, b);
}

/* ACCEPT outside of any run: for an id that is not to be trusted as a range's end. */
static void accept_alone(struct cth_queue *q, struct cth_queue_bound *b, uint16_t num,
			 uint32_t id)
{
	if (b)
		run_put(q, b);
	word_put(q, num, id, CTH_ACCEPT);
	q->stats.verdicts++;
}

/* DROP, and nothing of what was to go with it. */
static void drop_alone(struct cth_queue *q, struct cth_queue_bound *b, uint32_t id)
{
	run_put(q, b);
	word_put(q, b->num, id, CTH_DROP);
	q->stats.verdicts++;
}

/* DROP for all up to an id. It is no matter if none is there, which the kernel calls an error. */
static int drop_range_put(struct cth_queue *q, uint16_t num, uint32_t id)
{
	uint8_t header[8];

	cth_store_be32(header, CTH_DROP);
	cth_store_be32(header + 4, id);
	cth_msg_begin(&q->out, QUEUE_TYPE(NFQNL_MSG_VERDICT_BATCH), NLM_F_REQUEST, q->drop_seq, 0,
		      num);
	cth_msg_put(&q->out, NFQA_VERDICT_HDR, header, sizeof(header));
	return cth_msg_end(&q->out);
}

static bool drop_range(struct cth_queue *q, uint16_t num, uint32_t id)
{
	if (drop_range_put(q, num, id) == 0)
		return true;
	out_send(q);
	return drop_range_put(q, num, id) == 0;
}

/*
 * What a dead owner has left, once it is known where that ends. Without room for it, it is tried
 * again with the next send: what has been decided meanwhile is not before that end.
 */
static void left_drop(struct cth_queue *q, struct cth_queue_bound *b)
{
	if (b->left && b->first_known && drop_range(q, b->num, b->first - 1))
		b->left = b->foreign = false;
}

/*
 * The same where the socket is empty: all that is undecided. A range has those that are not after
 * its id, by their difference, and ends at the first that is: so one for each half, and one
 * more for a queue whose first packet was in the other half than its last. It goes at once or
 * not at all: later it would drop what has come meanwhile.
 */
static void left_drop_all(struct cth_queue *q, struct cth_queue_bound *b)
{
	static const uint32_t ends[] = { UINT32_MAX, INT32_MAX, UINT32_MAX };

	out_send(q);
	if (cth_msg_bytes(&q->out).n)
		return;
	for (size_t i = 0; i < 3; i++)
		(void)drop_range_put(q, b->num, ends[i]);
	if (messages_send(q, cth_msg_bytes(&q->out), NULL, 0) == 0)
		b->left = b->foreign = false;
	cth_msg_reset(&q->out);
}

static bool left_is_unknown(const struct cth_queue_bound *b)
{
	return b->used && b->left && !b->first_known;
}

/* Is it open, of any queue, where what a dead owner has left ends? */
static bool left_any(const struct cth_queue *q)
{
	for (size_t i = 0; i < q->bounds; i++)
		if (left_is_unknown(&q->bound[i]))
			return true;
	return false;
}

/* A packet's id: if it is the queue's first, whatever is wrong with it, all before it was read. */
static void first_note(struct cth_queue *q, struct cth_queue_bound *b, uint32_t id)
{
	if (!left_is_unknown(b))
		return;
	b->first = id;
	b->first_known = true;
	left_drop(q, b);
}

static bool verdict_is_plain(const struct cth_verdict *v)
{
	return v->code == CTH_ACCEPT && !v->set_mark && !v->set_priority && !v->set_vlan &&
	       !v->l2hdr.p && !v->ct.p && !v->expect.p && !v->packet.p && cth_edit_empty(&v->edit);
}

/*
 * A verdict with a payload, in a datagram of its own: see the top of the file. It cannot
 * be kept for later, so without memory for it the packet stays as it was.
 */
static int payload_send(struct cth_queue *q, struct cth_queue_bound *b, uint32_t id,
			const struct cth_verdict *v, const struct cth_pkt *p,
			const struct cth_edited *edited, const char **why)
{
	struct iovec packet = { (void *)v->packet.p, v->packet.n };
	int r = -ENOBUFS;

	*why = "the kernel has no memory for the changed packet";
	out_send(q);
	if (cth_msg_bytes(&q->out).n)
		return r;
	r = cth_verdict_put(&q->out, b->num, id, v, p, edited);
	if (r < 0)
		*why = "the verdict is longer than the buffer for verdicts";
	else if (edited)
		r = messages_send(q, cth_msg_bytes(&q->out), edited->part, edited->parts);
	else
		r = messages_send(q, cth_msg_bytes(&q->out), &packet, 1);
	cth_msg_reset(&q->out);
	return r;
}

/* One without. */
static int verdict_gather(struct cth_queue *q, struct cth_queue_bound *b, uint32_t id,
			  const struct cth_verdict *v, const struct cth_pkt *p, const char **why)
{
	int r = cth_verdict_put(&q->out, b->num, id, v, p, NULL);

	if (r == -EMSGSIZE) {
		out_send(q);
		r = cth_verdict_put(&q->out, b->num, id, v, p, NULL);
	}
	if (r < 0)
		*why = "the verdict is longer than the buffer for verdicts";
	return r;
}

/* Any verdict: 0, or -errno and in *why a sentence: refused, and nothing was put. */
static int verdict_take(struct cth_queue *q, struct cth_queue_bound *b, uint32_t id,
			const struct cth_verdict *v, const struct cth_pkt *p, const char **why)
{
	bool edited = !cth_edit_empty(&v->edit);
	int r = cth_verdict_check(v, p, why);

	if (r == 0 && edited)
		r = cth_edit_apply(&v->edit, p, &q->edited, why);
	if (r < 0)
		return r;
	run_put(q, b);
	if (edited || v->packet.p)
		r = payload_send(q, b, id, v, p, edited ? &q->edited : NULL, why);
	else
		r = verdict_gather(q, b, id, v, p, why);
	if (r == 0)
		q->stats.verdicts++;
	return r;
}

/* The verdict in q->verdict cannot be sent: whoever minds may have another, in its place. */
static int verdict_again(struct cth_queue *q, struct cth_queue_bound *b, const struct cth_pkt *p,
			 int error, const char *why)
{
	struct cth_verdict *v = &q->verdict;

	q->stats.refused++;
	q->last_refusal = why;
	if (!q->refused)
		return error;
	q->refused(p, v, error, why, q->refused_ctx);
	memset(&v->edit, 0, sizeof(v->edit));
	v->packet = cth_span(NULL, 0);
	return verdict_is_plain(v) ? error : verdict_take(q, b, p->id, v, p, &why);
}

/* What the callback has left in q->verdict. */
static void packet_decide(struct cth_queue *q, struct cth_queue_bound *b, const struct cth_pkt *p)
{
	const char *why = NULL;
	int r;

	if (q->verdict.code == CTH_HOLD) {
		run_put(q, b);
		b->held++;
		b->ever_held = true;
		q->stats.held++;
		return;
	}
	if (!verdict_is_plain(&q->verdict)) {
		r = verdict_take(q, b, p->id, &q->verdict, p, &why);
		if (r == 0 || verdict_again(q, b, p, r, why) == 0)
			return;
		if (q->verdict.code == CTH_DROP) {
			drop_alone(q, b, p->id);
			return;
		}
	}
	accept_note(q, b, p->id);
}

/* Ids count every packet of a queue, those too that the kernel then failed to deliver. */
static void gap_note(struct cth_queue *q, struct cth_queue_bound *b, uint32_t id)
{
	if (b->seen && id_after(id, b->last_id))
		q->stats.gaps += id - b->last_id - 1;
	b->seen = true;
	b->last_id = id;
}

/* A packet, whatever is wrong with it. */
static void packet_take(struct cth_queue *q, const struct cth_nlmsg *m)
{
	struct cth_queue_bound *b = bound_find(q, m->res_id);
	struct cth_pkt p;
	int r = cth_pkt_parse(&p, m);

	if (b && p.have & CTH_PKT_HEADER)
		first_note(q, b, p.id);
	if (r < 0 || m->cut) {
		q->stats.malformed++;
		if (b && p.have & CTH_PKT_HEADER)
			gap_note(q, b, p.id);
		if (p.have & CTH_PKT_HEADER)
			accept_alone(q, b, m->res_id, p.id);
		return;
	}
	if (!b) {
		q->stats.unbound++;
		accept_alone(q, NULL, m->res_id, p.id);
		return;
	}
	gap_note(q, b, p.id);
	q->stats.packets++;
	cth_verdict_init(&q->verdict);
	q->fn(&p, &q->verdict, q->ctx);
	packet_decide(q, b, &p);
}

/*
 * Verdicts ask for no ACK, so an error here is theirs, or that of a request given up. If it
 * was a second verdict for a packet that was held, another one is held that was not counted.
 */
static void refusal_note(struct cth_queue *q, const struct cth_nlmsg *m)
{
	struct cth_nack nack;

	if (cth_nack_parse(m, &nack) < 0 || nack.error == 0)
		return;
	if (q->drop_seq && nack.seq == q->drop_seq)
		return;
	q->stats.nacks++;
	q->last_nack = nack;
	for (size_t i = 0; i < q->bounds; i++)
		q->bound[i].doubt |= q->bound[i].ever_held;
}

/* A message, and how many packets it was. */
static size_t message_take(struct cth_queue *q, const struct cth_nlmsg *m)
{
	if (m->type == NLMSG_ERROR)
		refusal_note(q, m);
	if (m->type != QUEUE_TYPE(NFQNL_MSG_PACKET))
		return 0;
	packet_take(q, m);
	return 1;
}

/*
 * A message that is cut short is mostly a packet without its payload's end; the id stands
 * first, and is enough to let it pass. Or it refuses a verdict, and the end of that one's
 * echo is missing, which nobody reads.
 */
static size_t datagram_take(struct cth_queue *q, struct cth_span left)
{
	struct cth_nlmsg m;
	size_t packets = 0;
	int r;

	while ((r = cth_nlmsg_next(&left, &m)) > 0)
		packets += message_take(q, &m);
	if (r == 0)
		return packets;
	if (cth_nlmsg_rest(left, &m) > 0 &&
	    (m.type == QUEUE_TYPE(NFQNL_MSG_PACKET) || m.type == NLMSG_ERROR))
		return packets + message_take(q, &m);
	q->sock->stats.malformed++;
	return packets;
}

int cth_queue_init(struct cth_queue *q, struct cth_sock *sock, struct cth_slot *ring, size_t n,
		   void *out, size_t cap, cth_pkt_fn *fn, void *ctx)
{
	memset(q, 0, sizeof(*q));
	q->sock = sock;
	q->ring = ring;
	q->slots = n;
	q->fn = fn;
	q->ctx = ctx;
	cth_msg_init(&q->out, out, cap < QUEUE_OUT_MAX ? cap : QUEUE_OUT_MAX);
	for (size_t i = 0; i < n; i++)
		if (ring[i].cap <= CTH_QUEUE_ROOM)
			return -EINVAL;
	return cap < CTH_QUEUE_OUT ? -EINVAL : 0;
}

/* All runs become messages, and all messages go; an error waits for cth_queue_flush(). */
static void gathered_send(struct cth_queue *q)
{
	for (size_t i = 0; i < q->bounds; i++) {
		if (!q->bound[i].used)
			continue;
		left_drop(q, &q->bound[i]);
		run_put(q, &q->bound[i]);
	}
	q->fed = false;
	out_send(q);
}

static void command_put(struct cth_msg *m, uint8_t command)
{
	const uint8_t cmd[4] = { command }; /* and a family, which BIND does not look at */

	cth_msg_put(m, NFQA_CFG_CMD, cmd, sizeof(cmd));
}

int cth_queue_put_config(struct cth_msg *m, uint32_t seq, uint16_t num, bool bind,
			 const struct cth_queue_config *cfg, uint32_t flags)
{
	uint8_t params[5]; /* be32 range, u8 mode; unpadded */

	cth_store_be32(params, cfg->range ? cfg->range : CTH_PACKET_MAX);
	params[4] = cfg->copy ? (uint8_t)cfg->copy : CTH_COPY_PACKET;
	cth_msg_begin(m, QUEUE_TYPE(NFQNL_MSG_CONFIG), NLM_F_REQUEST | NLM_F_ACK, seq, 0, num);
	if (bind)
		command_put(m, NFQNL_CFG_CMD_BIND);
	cth_msg_put(m, NFQA_CFG_PARAMS, params, sizeof(params));
	if (cfg->maxlen)
		cth_msg_put_be32(m, NFQA_CFG_QUEUE_MAXLEN, cfg->maxlen);
	cth_msg_put_be32(m, NFQA_CFG_MASK, QUEUE_EVERY_FLAG);
	cth_msg_put_be32(m, NFQA_CFG_FLAGS, flags);
	return cth_msg_end(m);
}

/* Packets that come before an answer are packets like any others. */
static int meanwhile_take(const struct cth_nlmsg *m, void *ctx)
{
	struct cth_queue *q = ctx;

	q->round++;
	message_take(q, m);
	gathered_send(q); /* not a verdict waits while we do */
	return 0;
}

/* The answer is received into a slot: what comes before it may be as long as a packet. */
static int config_send(struct cth_queue *q, struct cth_span bytes, struct cth_nack *nack)
{
	struct cth_slot answers = q->sock->answers;
	int r;

	gathered_send(q);
	if (q->slots > 0 && q->ring[0].cap > answers.cap)
		q->sock->answers = q->ring[0];
	q->busy = true;
	r = cth_sock_request(q->sock, bytes, meanwhile_take, q, nack);
	q->busy = false;
	q->sock->answers = answers;
	return r;
}

static int configure(struct cth_queue *q, uint16_t num, bool bind,
		     const struct cth_queue_config *cfg, uint32_t flags, struct cth_nack *nack)
{
	uint8_t buf[QUEUE_CONFIG_SIZE];
	struct cth_queue_bound *b;
	struct cth_msg m;
	int r;

	cth_msg_init(&m, buf, sizeof(buf));
	r = cth_queue_put_config(&m, cth_sock_seq(q->sock), num, bind, cfg, flags);
	if (r == 0)
		r = config_send(q, cth_msg_bytes(&m), nack);
	if (r != -EBUSY || !bind)
		return r;
	/* This very socket has it: an ACK was lost, or the socket was adopted, or taken over. */
	b = bound_find(q, num);
	if (!b->taken)
		b->foreign = true;
	return configure(q, num, false, cfg, flags, nack);
}

static int give_back(struct cth_queue *q, uint16_t num, struct cth_nack *nack)
{
	uint8_t buf[32];
	struct cth_msg m;
	int r;

	cth_msg_init(&m, buf, sizeof(buf));
	cth_msg_begin(&m, QUEUE_TYPE(NFQNL_MSG_CONFIG), NLM_F_REQUEST | NLM_F_ACK,
		      cth_sock_seq(q->sock), 0, num);
	command_put(&m, NFQNL_CFG_CMD_UNBIND);
	r = cth_msg_end(&m);
	return r < 0 ? r : config_send(q, cth_msg_bytes(&m), nack);
}

/*
 * With every flag at once if possible. A kernel refuses all of a message for one flag
 * that it does not know, so then the wishes come one by one, in messages of their own.
 */
static int bind_flags(struct cth_queue *q, struct cth_queue_bound *b, bool bind,
		      const struct cth_queue_config *cfg, struct cth_nack *nack)
{
	uint32_t wishes = cfg->wishes & ~cfg->flags;
	int r;

	b->flags = cfg->flags | wishes;
	r = configure(q, b->num, bind, cfg, b->flags, nack);
	if (r != -EOPNOTSUPP || wishes == 0)
		return r;

	b->flags = cfg->flags;
	r = configure(q, b->num, bind, cfg, b->flags, nack);
	for (uint32_t wish = 1; r == 0 && wish != 0; wish <<= 1)
		if (wishes & wish &&
		    configure(q, b->num, false, cfg, b->flags | wish, NULL) == 0)
			b->flags |= wish;
	return r;
}

/* The copy range: as asked, or all that the smallest slot can hold. 0: it cannot hold it. */
static uint32_t range_fit(const struct cth_queue *q, const struct cth_queue_config *cfg)
{
	size_t cap = q->slots > 0 ? q->ring[0].cap : q->sock->answers.cap;
	uint32_t range = cfg->range < CTH_PACKET_MAX ? cfg->range : CTH_PACKET_MAX;

	for (size_t i = 1; i < q->slots; i++)
		if (q->ring[i].cap < cap)
			cap = q->ring[i].cap;
	cap = cap > CTH_QUEUE_ROOM ? cap - CTH_QUEUE_ROOM : 0;
	if (range == 0)
		return cap < CTH_PACKET_MAX ? (uint32_t)cap : CTH_PACKET_MAX;
	return range <= cap ? range : 0;
}

int cth_queue_bind(struct cth_queue *q, uint16_t num, const struct cth_queue_config *cfg,
		   struct cth_nack *nack)
{
	struct cth_queue_bound *b = bound_find(q, num);
	struct cth_queue_config fit = *cfg;
	bool again = b != NULL;
	uint32_t flags;
	int r;

	if (nack)
		memset(nack, 0, sizeof(*nack));
	if (q->busy)
		return -EBUSY;
	fit.range = range_fit(q, cfg);
	if (fit.range == 0)
		return -EINVAL;
	if (!again)
		b = bound_add(q, num);
	if (!b)
		return -EMFILE;

	flags = b->flags;
	/* One that is dead may have gone before it had bound it. */
	r = bind_flags(q, b, !again || b->taken, &fit, nack);
	if (r == 0 && nack)
		memset(nack, 0, sizeof(*nack)); /* of a wish */
	if (r == 0) {
		b->taken = false;
		return 0;
	}
	b->flags = flags;
	if (again)
		return r;
	if (r == -EOPNOTSUPP || r == -ETIMEDOUT) /* the kernel may have it bound all the same */
		give_back(q, num, NULL);
	bound_remove(q, b);
	return r;
}

int cth_queue_adopt(struct cth_queue *q, uint16_t num, uint32_t flags)
{
	struct cth_queue_bound *b = bound_find(q, num);

	if (!b)
		b = bound_add(q, num);
	if (!b)
		return -EMFILE;
	b->flags = flags;
	b->foreign = true;
	return 0;
}

int cth_queue_take_over(struct cth_queue *q, uint16_t num, uint32_t flags)
{
	struct cth_queue_bound *b = bound_find(q, num);

	if (q->busy)
		return -EBUSY;
	if (b) {
		run_put(q, b);
		bound_remove(q, b);
	}
	b = bound_add(q, num);
	if (!b)
		return -EMFILE;
	if (q->drop_seq == 0)
		q->drop_seq = cth_sock_seq(q->sock);
	b->flags = flags;
	b->foreign = b->left = b->taken = true;
	return 0;
}

bool cth_queue_first(const struct cth_queue *q, uint16_t num, uint32_t *id)
{
	for (size_t i = 0; i < q->bounds; i++) {
		const struct cth_queue_bound *b = &q->bound[i];

		if (!b->used || b->num != num || !b->first_known)
			continue;
		*id = b->first;
		return true;
	}
	return false;
}

uint32_t cth_queue_flags(const struct cth_queue *q, uint16_t num)
{
	for (size_t i = 0; i < q->bounds; i++)
		if (q->bound[i].used && q->bound[i].num == num)
			return q->bound[i].flags;
	return 0;
}

int cth_queue_unbind(struct cth_queue *q, uint16_t num, struct cth_nack *nack)
{
	struct cth_queue_bound *b = bound_find(q, num);
	int r;

	if (nack)
		memset(nack, 0, sizeof(*nack));
	if (q->busy)
		return -EBUSY;
	r = b ? give_back(q, num, nack) : -ENODEV;
	if (b && (r == 0 || r == -ENODEV))
		bound_remove(q, b);
	return r;
}

/* What passes when there is memory again, as opposed to a socket that is of no more use. */
static bool is_overload(int error)
{
	return error == -ENOBUFS || error == -ENOMEM || error == -EMSGSIZE || error == -EAGAIN;
}

/*
 * A receive that takes fewer datagrams than it could leaves none behind; if an overrun did
 * not end it.
 */
static int ring_receive(struct cth_queue *q, size_t slots, int timeout_ms, bool *emptied)
{
	uint64_t overruns = q->sock->stats.overruns;
	int n = cth_sock_receive(q->sock, q->ring, slots, timeout_ms);

	*emptied = n >= 0 && (size_t)n < slots && q->sock->stats.overruns == overruns;
	return n;
}

/* So what a dead owner has left is all there is, where no first packet tells. */
static void nothing_unread(struct cth_queue *q)
{
	for (size_t i = 0; i < q->bounds; i++)
		if (left_is_unknown(&q->bound[i]))
			left_drop_all(q, &q->bound[i]);
}

/*
 * A batch always looks for one more than there is, to know that there is none. While packets come
 * alone, and it has been asked for, only some receives do so.
 */
static size_t ring_slots(struct cth_queue *q, size_t most)
{
	if (!q->singly || q->alone == 0 || left_any(q))
		return most;
	q->alone--;
	return 1;
}

/* One receive and the verdicts for it: how many packets in *done; 0: nothing came. */
static int ring_turn(struct cth_queue *q, size_t slots, int timeout_ms, size_t *done)
{
	/* What is yet to be sent goes after this receive, whose end so tells nothing of it. */
	bool owed = cth_msg_bytes(&q->out).n > 0, emptied;
	int n = ring_receive(q, slots, timeout_ms, &emptied);
	int r;

	if (n == 0 && emptied)
		nothing_unread(q); /* at once: what comes from now on is not the dead owner's */
	q->round++;
	q->busy = true;
	for (int i = 0; i < n; i++)
		*done += datagram_take(q, cth_span(q->ring[i].buf, q->ring[i].n));
	q->busy = false;
	if (slots > 1)
		q->alone = n == 1 ? QUEUE_ALONE : 0;
	r = cth_queue_flush(q);
	if (emptied && !owed)
		q->emptied = q->round;
	return n >= 0 && r < 0 && !is_overload(r) ? r : n;
}

/* One more receive is then to find nothing: a queue that is quiet is not to keep what was left. */
static bool emptied_but_left(const struct cth_queue *q)
{
	return q->emptied == q->round && left_any(q);
}

int cth_queue_run(struct cth_queue *q, size_t budget, int timeout_ms)
{
	size_t done = 0;
	int r;

	if (q->busy)
		return -EBUSY;
	if (q->slots == 0)
		return -EINVAL;
	/* Nobody sleeps on a verdict. */
	if (q->fed || cth_msg_bytes(&q->out).n)
		gathered_send(q);
	/* Nor on one that cannot go: perhaps no packet comes any more before it has gone. */
	if (cth_msg_bytes(&q->out).n && (timeout_ms < 0 || timeout_ms > QUEUE_RETRY_MS))
		timeout_ms = QUEUE_RETRY_MS;
	do {
		size_t slots = q->slots;

		if (budget > done && budget - done < slots)
			slots = budget - done;
		r = ring_turn(q, ring_slots(q, slots), timeout_ms, &done);
		timeout_ms = 0;
	} while (r > 0 && (done < budget || emptied_but_left(q)));
	return r < 0 ? r : (int)done;
}

int cth_queue_feed(struct cth_queue *q, struct cth_span datagram)
{
	size_t done;

	if (q->busy)
		return -EBUSY;
	q->round++;
	q->fed = q->busy = true;
	done = datagram_take(q, datagram);
	q->busy = false;
	return (int)done;
}

int cth_queue_flush(struct cth_queue *q)
{
	int r;

	gathered_send(q);
	r = q->send_error;
	q->send_error = 0;
	return r;
}

int cth_queue_verdict(struct cth_queue *q, uint16_t num, uint32_t id, const struct cth_verdict *v,
		      const struct cth_pkt *p)
{
	struct cth_queue_bound *b = bound_find(q, num);
	int r;

	if (!b)
		return -ENODEV;
	if (b->held == 0 && !b->doubt)
		return -ENOENT;
	if (p && (p->queue != num || p->id != id)) {
		q->last_refusal = "the description is another packet's";
		return -EINVAL;
	}
	r = verdict_take(q, b, id, v, p, &q->last_refusal);
	if (r < 0)
		return r;
	if (b->held > 0) {
		b->held--;
		q->stats.held--;
	}
	gathered_send(q);
	return 0;
}
