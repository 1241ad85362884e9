/* SPDX-License-Identifier: MIT */
/*
 * verdict.c - what becomes of a packet. Answers to NFQNL_MSG_VERDICT and VERDICT_BATCH of
 * include/uapi/linux/netfilter/nfnetlink_queue.h. The verdict's word, big-endian:
 *
 *      31            16 15     14        8 7       0
 *     +----------------+------+-----------+---------+
 *     |  queue number  |bypass|     0     |  code   |    the upper part with QUEUE only
 *     +----------------+------+-----------+---------+
 *
 * With any other code the kernel compares the whole word and forgets what it would do
 * after an ACCEPT, so nothing but QUEUE can have a queue's number here.
 *
 * The kernel answers a verdict with 0 as soon as it has found the packet. Errors in what
 * else the message holds are silent, and some are worse: hence the checks.
 */
#include <errno.h>
#include <sys/socket.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include "verdict.h"
#include "../netlink/uapi.h"

#define VERDICT_BYPASS  0x8000u /* linux/netfilter.h: NF_VERDICT_FLAG_QUEUE_BYPASS */
#define VERDICT_IP4_DF  0x4000u
#define VERDICT_WORD    12u     /* attributes, with their headers */
#define VERDICT_MARK    8u
#define VERDICT_LABELS  16u     /* bytes, at most */
#define VERDICT_NAME    16u     /* bytes of a helper's, its NUL included */
#define VERDICT_ENTRIES(table) (sizeof(table) / sizeof((table)[0]))

/* What is told of a flow, or what is to be changed of it. */
enum {
	VERDICT_STATUS  = 1 << 0,
	VERDICT_TIMEOUT = 1 << 1,
};

void cth_verdict_init(struct cth_verdict *v)
{
	v->code = CTH_ACCEPT;
	v->to_queue = 0;
	v->bypass = v->set_mark = v->set_priority = v->set_vlan = false;
	v->mark = v->mark_mask = v->priority = 0;
	v->vlan_proto = v->vlan_tci = 0;
	v->l2hdr = v->ct = v->expect = v->packet = cth_span(NULL, 0);
	/* Not the edit's lists and text, which nobody reads beyond their counts. */
	memset(&v->edit, 0, offsetof(struct cth_edit, cut));
}

static int verdict_refuse(const char **why, int err, const char *sentence)
{
	if (why)
		*why = sentence;
	return err;
}

/* Of what the kernel told of a packet's flow; p NULL: nothing. */
static struct cth_span verdict_flow(const struct cth_pkt *p, uint16_t type)
{
	return p ? cth_attr_find(p->ct, type) : cth_span(NULL, 0);
}

/* false: it is not told. */
static bool verdict_flow_status(const struct cth_pkt *p, uint32_t *status)
{
	struct cth_span told = verdict_flow(p, CTA_STATUS);

	*status = told.n == 4 ? cth_be32(told.p) : 0;
	return told.n == 4;
}

/* The helper is called at the hook that would be repeated, and queues the packet again. */
static int verdict_check_code(const struct cth_verdict *v, const struct cth_pkt *p,
			      const char **why)
{
	switch (v->code) {
	case CTH_DROP:
	case CTH_ACCEPT:
	case CTH_QUEUE:
	case CTH_STOP:
		return 0;
	case CTH_REPEAT:
		if (!verdict_flow(p, CTA_HELP).p)
			return 0;
		return verdict_refuse(why, -EOPNOTSUPP, "REPEAT for a packet whose flow has a "
				      "helper: it would be queued again for ever");
	case CTH_HOLD:
		return verdict_refuse(why, -EINVAL, "HOLD is no verdict yet");
	}
	return verdict_refuse(why, -EINVAL, "no such verdict");
}

static int verdict_check_mark(const struct cth_verdict *v, const struct cth_pkt *p,
			      const char **why)
{
	if (!v->set_mark || p || v->mark_mask == 0 || v->mark_mask == UINT32_MAX)
		return 0;
	return verdict_refuse(why, -EINVAL, "a part of the mark needs the packet");
}

/* The kernel loses a packet whose VLAN tag or link-layer header it cannot set. */
static int verdict_check_bridge(const struct cth_verdict *v, const struct cth_pkt *p,
				const char **why)
{
	if (!p || (!v->set_vlan && !v->l2hdr.p))
		return 0;
	if (p->family != AF_BRIDGE)
		return verdict_refuse(why, -EINVAL,
				      "a VLAN tag or link-layer header outside of a bridge");
	if (v->l2hdr.p && v->l2hdr.n != p->l2hdr.n)
		return verdict_refuse(why, -EINVAL,
				      "the link-layer header must keep its length");
	return 0;
}

/*
 * A verdict that takes the helper off ends the kernel's care for this packet: it is not
 * confirmed, and its sequence numbers are not adjusted.
 */
static int verdict_check_detach(const struct cth_pkt *p, const char **why)
{
	uint32_t status;

	if (!p)
		return 0;
	if (!verdict_flow_status(p, &status) || !(status & IPS_CONFIRMED))
		return verdict_refuse(why, -EOPNOTSUPP, "the helper is detached from a flow that "
				      "would never be confirmed");
	if (verdict_flow(p, CTA_NAT_SEQ_ADJ_ORIG).p || verdict_flow(p, CTA_NAT_SEQ_ADJ_REPLY).p)
		return verdict_refuse(why, -EOPNOTSUPP, "the helper is detached from a flow whose "
				      "sequence numbers are adjusted");
	return 0;
}

/* The name in a CTA_HELP: up to 15 letters and a NUL; p NULL: none. */
static struct cth_span verdict_name(struct cth_span help)
{
	struct cth_span name = cth_attr_find(help, CTA_HELP_NAME);
	const uint8_t *nul = NULL;

	if (name.n)
		nul = memchr(name.p, 0, name.n < VERDICT_NAME ? name.n : VERDICT_NAME);
	return nul ? cth_span(name.p, (size_t)(nul - name.p)) : cth_span(NULL, 0);
}

/* The flow's helper can be spoken to and taken off, not exchanged. */
static bool verdict_other_helper(struct cth_span name, const struct cth_pkt *p)
{
	struct cth_span own;

	if (!p || !p->ct.p)
		return false;
	own = verdict_name(verdict_flow(p, CTA_HELP));
	return !own.p || own.n != name.n || memcmp(own.p, name.p, name.n) != 0;
}

static int verdict_check_help(struct cth_span help, const struct cth_pkt *p, const char **why)
{
	struct cth_span name = verdict_name(help);

	if (!name.p)
		return verdict_refuse(why, -EINVAL, "CTA_HELP without a name of up to 15 letters");
	if (name.n == 0)
		return verdict_check_detach(p, why);
	if (verdict_other_helper(name, p))
		return verdict_refuse(why, -EINVAL,
				      "CTA_HELP names a helper that is not the flow's");
	return 0;
}

/* What is to be changed of a flow. */
struct verdict_change {
	uint32_t status, timeout, mark;
	struct cth_span help, labels;
	uint32_t told;
};

#define VERDICT_FIELD(as, member, part) { as, offsetof(struct verdict_change, member), part }

/* What the kernel refuses to set, as far as the flow is seen. */
static int verdict_check_status(const struct verdict_change *c, const struct cth_pkt *p,
				const char **why)
{
	uint32_t status;

	if (!(c->told & (VERDICT_STATUS | VERDICT_TIMEOUT)) || !verdict_flow_status(p, &status))
		return 0;
	if (c->told & VERDICT_TIMEOUT && status & IPS_FIXED_TIMEOUT)
		return verdict_refuse(why, -EPERM, "the flow's timeout is fixed");
	if (c->told & VERDICT_STATUS &&
	    status & ~c->status & (IPS_SEEN_REPLY | IPS_ASSURED))
		return verdict_refuse(why, -EINVAL,
				      "the flow's status would lose SEEN_REPLY or ASSURED");
	return 0;
}

/*
 * The first error in here ends the kernel's work on it, and takes along the expectation and
 * the adjustment of sequence numbers behind a packet that changed its length.
 */
static int verdict_check_ct(const struct cth_verdict *v, const struct cth_pkt *p, const char **why)
{
	static const struct cth_attr_field fields[] = {
		[CTA_STATUS]  = VERDICT_FIELD(CTH_ATTR_BE32, status, VERDICT_STATUS),
		[CTA_HELP]    = VERDICT_FIELD(CTH_ATTR_SPAN, help, 0),
		[CTA_TIMEOUT] = VERDICT_FIELD(CTH_ATTR_BE32, timeout, VERDICT_TIMEOUT),
		[CTA_MARK]    = VERDICT_FIELD(CTH_ATTR_BE32, mark, 0),
		[CTH_CTA_LABELS] = VERDICT_FIELD(CTH_ATTR_SPAN, labels, 0),
	};
	struct verdict_change c;
	int r;

	if (!v->ct.p)
		return 0;
	memset(&c, 0, sizeof(c));
	if (cth_attr_read(v->ct, fields, VERDICT_ENTRIES(fields), &c, &c.told) < 0 ||
	    c.labels.n % 4 || c.labels.n > VERDICT_LABELS || (c.labels.p && c.labels.n == 0))
		return verdict_refuse(why, -EINVAL, "ct is malformed");
	r = verdict_check_status(&c, p, why);
	if (r == 0 && c.help.p)
		r = verdict_check_help(c.help, p, why);
	return r;
}

static bool verdict_has_tuple(struct cth_span tuple)
{
	return cth_attr_find(tuple, CTA_TUPLE_IP).p && cth_attr_find(tuple, CTA_TUPLE_PROTO).p;
}

/* Without one of the two the kernel reads through a null pointer. */
static int verdict_check_expect(const struct cth_verdict *v, const char **why)
{
	static const struct cth_attr_rule rules[] = {
		[CTA_EXPECT_TUPLE] = { 0, CTH_ATTR_ANY, false },
		[CTA_EXPECT_MASK]  = { 0, CTH_ATTR_ANY, false },
	};
	struct cth_span a[CTA_EXPECT_MASK + 1];

	if (!v->expect.p)
		return 0;
	if (cth_attr_index(v->expect, rules, CTA_EXPECT_MASK + 1, a) < 0)
		return verdict_refuse(why, -EINVAL, "the expectation is malformed");
	if (!a[CTA_EXPECT_TUPLE].p || !a[CTA_EXPECT_MASK].p)
		return verdict_refuse(why, -EINVAL, "an expectation without TUPLE and MASK: "
				      "it would crash the kernel");
	if (!verdict_has_tuple(a[CTA_EXPECT_TUPLE]) || !verdict_has_tuple(a[CTA_EXPECT_MASK]))
		return verdict_refuse(why, -EINVAL,
				      "an expectation without addresses or protocol");
	return 0;
}

/* Newer kernels want some fields unchanged. The new header is there in full: checked. */
static bool verdict_same_headers(const struct cth_ip *was, struct cth_span old,
				 const struct cth_ip *now, struct cth_span new)
{
	size_t fixed = was->version == 4 ? 20 : 40;

	if (was->version != now->version || was->header_len != now->header_len ||
	    memcmp(old.p + fixed, new.p + fixed, was->header_len - fixed) != 0)
		return false;
	if (was->version == 4)
		return ((cth_be16(old.p + 6) ^ cth_be16(new.p + 6)) & ~VERDICT_IP4_DF) == 0;
	return was->header_len == fixed || old.p[6] == new.p[6];
}

static int verdict_check_replaced(const struct cth_verdict *v, const struct cth_pkt *p,
				  const struct cth_ip *now, const char **why)
{
	struct cth_ip was;
	int r = cth_edit_possible(p, why);

	if (r < 0)
		return r;
	if (cth_ip_find(&was, p->payload) < 0 ||
	    !verdict_same_headers(&was, p->payload, now, v->packet))
		return verdict_refuse(why, -EOPNOTSUPP, "IP options, extension headers or fragment "
				      "fields would change: the kernel drops that");
	return 0;
}

/* What the kernel cannot use as a packet it drops, and answers 0. */
static int verdict_check_packet(const struct cth_verdict *v, const struct cth_pkt *p,
				const char **why)
{
	struct cth_ip now;

	if (!v->packet.p)
		return 0;
	if (!cth_edit_empty(&v->edit))
		return verdict_refuse(why, -EINVAL, "both another packet and an edit");
	if (v->packet.n > CTH_PACKET_MAX)
		return verdict_refuse(why, -EMSGSIZE, "the packet is longer than 65531 bytes");
	if (cth_ip_find(&now, v->packet) < 0 || now.total != v->packet.n || !now.header_len)
		return verdict_refuse(why, -EINVAL,
				      "the packet is not an IP packet of the length it tells");
	return p ? verdict_check_replaced(v, p, &now, why) : 0;
}

static int verdict_check_edit(const struct cth_verdict *v, const struct cth_pkt *p,
			      const char **why)
{
	if (p || cth_edit_empty(&v->edit))
		return 0;
	return verdict_refuse(why, -EINVAL, "an edit needs the packet");
}

int cth_verdict_check(const struct cth_verdict *v, const struct cth_pkt *p, const char **why)
{
	int r = verdict_check_code(v, p, why);

	if (r == 0)
		r = verdict_check_mark(v, p, why);
	if (r == 0)
		r = verdict_check_bridge(v, p, why);
	if (r == 0)
		r = verdict_check_ct(v, p, why);
	if (r == 0)
		r = verdict_check_expect(v, why);
	if (r == 0)
		r = verdict_check_packet(v, p, why);
	if (r == 0)
		r = verdict_check_edit(v, p, why);
	return r;
}

static uint32_t verdict_word(const struct cth_verdict *v)
{
	if (v->code != CTH_QUEUE)
		return (uint32_t)v->code;
	return (uint32_t)v->to_queue << 16 | (v->bypass ? VERDICT_BYPASS : 0) | CTH_QUEUE;
}

static uint32_t verdict_mark(const struct cth_verdict *v, const struct cth_pkt *p)
{
	uint32_t mask = v->mark_mask ? v->mark_mask : UINT32_MAX;

	return (p ? p->mark & ~mask : 0) | (v->mark & mask);
}

/* The message and its word; returns where more bytes may follow, NULL if all do not fit. */
static uint8_t *verdict_begin(struct cth_msg *m, uint16_t queue, uint32_t id, uint32_t word,
			      unsigned type, size_t more)
{
	uint8_t *p;

	/* Without a sequence number, so that no late refusal can pass for another's answer. */
	cth_msg_begin(m, (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type), NLM_F_REQUEST, 0, AF_UNSPEC,
		      queue);
	p = cth_msg_space(m, VERDICT_WORD + more);
	if (!p)
		return NULL;
	p = cth_msg_header(p, NFQA_VERDICT_HDR, VERDICT_WORD - 4);
	cth_store_be64(p, (uint64_t)word << 32 | id);
	return p + 8;
}

static void verdict_put_vlan(struct cth_msg *m, const struct cth_verdict *v)
{
	size_t nest = cth_msg_nest(m, CTH_NFQA_VLAN);

	cth_msg_put_be16(m, CTH_NFQA_VLAN_PROTO, v->vlan_proto);
	cth_msg_put_be16(m, CTH_NFQA_VLAN_TCI, v->vlan_tci);
	cth_msg_nest_end(m, nest);
}

/*
 * The kernel looks at an expectation, and sees to the sequence numbers behind a packet that
 * changed its length, only if the flow is spoken of; an empty nest is enough.
 */
static void verdict_put_flow(struct cth_msg *m, const struct cth_verdict *v, bool edited)
{
	if (!v->ct.p && !v->expect.p && !edited)
		return;
	cth_msg_put(m, NFQA_CT | NLA_F_NESTED, v->ct.p, v->ct.n);
	if (v->expect.p)
		cth_msg_put(m, CTH_NFQA_EXP | NLA_F_NESTED, v->expect.p, v->expect.n);
}

int cth_verdict_put(struct cth_msg *m, uint16_t queue, uint32_t id, const struct cth_verdict *v,
		    const struct cth_pkt *p, const struct cth_edited *edited)
{
	uint8_t *mark = verdict_begin(m, queue, id, verdict_word(v), NFQNL_MSG_VERDICT,
				      v->set_mark ? VERDICT_MARK : 0);

	if (v->set_mark && mark)
		cth_store_be32(cth_msg_header(mark, NFQA_MARK, 4), verdict_mark(v, p));
	if (v->set_priority)
		cth_msg_put_be32(m, CTH_NFQA_PRIORITY, v->priority);
	if (v->set_vlan)
		verdict_put_vlan(m, v);
	if (v->l2hdr.p)
		cth_msg_put(m, CTH_NFQA_L2HDR, v->l2hdr.p, v->l2hdr.n);
	verdict_put_flow(m, v, edited != NULL);
	if (edited)
		cth_msg_reserve(m, NFQA_PAYLOAD, edited->n);
	else if (v->packet.p)
		cth_msg_reserve(m, NFQA_PAYLOAD, v->packet.n);
	return cth_msg_end(m);
}

int cth_verdict_put_range(struct cth_msg *m, uint16_t queue, uint32_t id)
{
	verdict_begin(m, queue, id, CTH_ACCEPT, NFQNL_MSG_VERDICT_BATCH, 0);
	return cth_msg_end(m);
}

int cth_verdict_put_raw(struct cth_msg *m, uint16_t queue, uint32_t id, uint32_t word)
{
	verdict_begin(m, queue, id, word, NFQNL_MSG_VERDICT, 0);
	return cth_msg_end(m);
}
