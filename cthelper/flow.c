/* SPDX-License-Identifier: MIT */
/*
 * flow.c - a connection as conntrack describes it. Answers to linux/netfilter/
 * nfnetlink_conntrack.h. All integers are big-endian, labels are not integers:
 *
 *     TUPLE_ORIG, TUPLE_REPLY, TUPLE_MASTER   see tuple.c
 *     ZONE be16    ID STATUS TIMEOUT MARK USE be32    LABELS 16 bytes
 *     PROTOINFO    | TCP | STATE u8 | WSCALE_ u8, twice | FLAGS_ flags u8 mask u8, twice |
 *                  | SCTP | STATE u8 | VTAG_ be32, twice |
 *                  | DCCP | STATE u8 | ROLE u8 | HANDSHAKE_SEQ be64 |
 *     COUNTERS_    | PACKETS be64 | BYTES be64 |, once as be32 under other numbers
 *     TIMESTAMP    | START be64 | STOP be64 |
 *     HELP         | NAME string | INFO up to 32 bytes |
 *     SECCTX       | NAME string |
 *     SEQ_ADJ_     | CORRECTION_POS be32 | OFFSET_BEFORE be32 | OFFSET_AFTER be32 |
 *     SYNPROXY     | ISN be32 | ITS be32 | TSOFF be32 |
 *
 * Linux 3.10 calls SEQ_ADJ_ by the older name NAT_SEQ_ADJ_, which later ones keep.
 */
#include <errno.h>
#include "inner.h"
#include "../netlink/uapi.h"

#define FLOW_MESSAGE(message) (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | (message))
#define FLOW_ROOM 192 /* what the longest of our messages takes: a DETACH over IPv6 */

#define FLOW_NEST { 0, CTH_ATTR_ANY, false }

static const struct cth_attr_rule flow_rules[] = {
	[CTA_TUPLE_ORIG]        = FLOW_NEST,
	[CTA_TUPLE_REPLY]       = FLOW_NEST,
	[CTA_STATUS]            = { 4, 4, false },
	[CTA_PROTOINFO]         = FLOW_NEST,
	[CTA_HELP]              = FLOW_NEST,
	[CTA_TIMEOUT]           = { 4, 4, false },
	[CTA_MARK]              = { 4, 4, false },
	[CTA_COUNTERS_ORIG]     = FLOW_NEST,
	[CTA_COUNTERS_REPLY]    = FLOW_NEST,
	[CTA_USE]               = { 4, 4, false },
	[CTA_ID]                = { 4, 4, false },
	[CTA_TUPLE_MASTER]      = FLOW_NEST,
	[CTA_NAT_SEQ_ADJ_ORIG]  = FLOW_NEST,
	[CTA_NAT_SEQ_ADJ_REPLY] = FLOW_NEST,
	[CTA_ZONE]              = { 2, 2, false },
	[CTA_SECCTX]            = FLOW_NEST,
	[CTA_TIMESTAMP]         = FLOW_NEST,
	[CTH_CTA_LABELS]        = { 0, CTH_ATTR_ANY, false },
	[CTH_CTA_SYNPROXY]      = FLOW_NEST,
};

static const struct cth_attr_rule protoinfo_rules[] = {
	[CTA_PROTOINFO_TCP]  = FLOW_NEST,
	[CTA_PROTOINFO_DCCP] = FLOW_NEST,
	[CTA_PROTOINFO_SCTP] = FLOW_NEST,
};

static const struct cth_attr_rule tcp_rules[] = {
	[CTA_PROTOINFO_TCP_STATE]           = { 1, 1, false },
	[CTA_PROTOINFO_TCP_WSCALE_ORIGINAL] = { 1, 1, false },
	[CTA_PROTOINFO_TCP_WSCALE_REPLY]    = { 1, 1, false },
	[CTA_PROTOINFO_TCP_FLAGS_ORIGINAL]  = { 2, 2, false },
	[CTA_PROTOINFO_TCP_FLAGS_REPLY]     = { 2, 2, false },
};

static const struct cth_attr_rule sctp_rules[] = {
	[CTA_PROTOINFO_SCTP_STATE]         = { 1, 1, false },
	[CTA_PROTOINFO_SCTP_VTAG_ORIGINAL] = { 4, 4, false },
	[CTA_PROTOINFO_SCTP_VTAG_REPLY]    = { 4, 4, false },
};

static const struct cth_attr_rule dccp_rules[] = {
	[CTA_PROTOINFO_DCCP_STATE]         = { 1, 1, false },
	[CTA_PROTOINFO_DCCP_ROLE]          = { 1, 1, false },
	[CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ] = { 8, 8, false },
};

static const struct cth_attr_rule counter_rules[] = {
	[CTA_COUNTERS_PACKETS]   = { 8, 8, false },
	[CTA_COUNTERS_BYTES]     = { 8, 8, false },
	[CTA_COUNTERS32_PACKETS] = { 4, 4, false },
	[CTA_COUNTERS32_BYTES]   = { 4, 4, false },
};

static const struct cth_attr_rule timestamp_rules[] = {
	[CTA_TIMESTAMP_START] = { 8, 8, false },
	[CTA_TIMESTAMP_STOP]  = { 8, 8, false },
};

static const struct cth_attr_rule help_rules[] = {
	[CTA_HELP_NAME] = { 1, 16, true },
	[CTA_HELP_INFO] = { 0, CTH_FLOW_INFO, false },
};

static const struct cth_attr_rule secctx_rules[] = {
	[CTA_SECCTX_NAME] = { 0, CTH_ATTR_ANY, false },
};

/* Sequence adjustment and SYN proxy are both three words, numbered 1 to 3. */
static const struct cth_attr_rule three_rules[] = {
	[1] = { 4, 4, false },
	[2] = { 4, 4, false },
	[3] = { 4, 4, false },
};

#define FLOW_RULES(table) (sizeof(table) / sizeof((table)[0]))

static void flow_be32(struct cth_flow *f, uint32_t part, uint32_t *to, struct cth_span v)
{
	if (!v.p)
		return;
	*to = cth_be32(v.p);
	f->have |= part;
}

static int flow_tuple(struct cth_flow *f, uint32_t part, struct cth_tuple *t, struct cth_span v)
{
	if (!v.p)
		return 0;
	f->have |= part;
	return cth_tuple_parse(t, v);
}

static int flow_tuples(struct cth_flow *f, const struct cth_span *v)
{
	int r = flow_tuple(f, CTH_FLOW_ORIG, &f->orig, v[CTA_TUPLE_ORIG]);

	if (r == 0)
		r = flow_tuple(f, CTH_FLOW_REPLY, &f->reply, v[CTA_TUPLE_REPLY]);
	if (r == 0)
		r = flow_tuple(f, CTH_FLOW_MASTER, &f->master, v[CTA_TUPLE_MASTER]);
	return r;
}

static int flow_words(struct cth_flow *f, const struct cth_span *v)
{
	flow_be32(f, CTH_FLOW_ID, &f->id, v[CTA_ID]);
	flow_be32(f, CTH_FLOW_STATUS, &f->status, v[CTA_STATUS]);
	flow_be32(f, CTH_FLOW_TIMEOUT, &f->timeout, v[CTA_TIMEOUT]);
	flow_be32(f, CTH_FLOW_MARK, &f->mark, v[CTA_MARK]);
	flow_be32(f, CTH_FLOW_USE, &f->use, v[CTA_USE]);
	if (v[CTA_ZONE].p) {
		f->zone = cth_be16(v[CTA_ZONE].p);
		f->have |= CTH_FLOW_ZONE;
	}
	f->labels = v[CTH_CTA_LABELS];
	return 0;
}

static uint8_t byte_or_0(struct cth_span v)
{
	return v.p ? v.p[0] : 0;
}

static int flow_tcp(struct cth_flow *f, struct cth_span level)
{
	struct cth_span v[FLOW_RULES(tcp_rules)];
	int r;

	if (!level.p)
		return 0;
	r = cth_attr_index(level, tcp_rules, FLOW_RULES(tcp_rules), v);
	if (r < 0 || !v[CTA_PROTOINFO_TCP_STATE].p)
		return r;
	f->tcp.state = v[CTA_PROTOINFO_TCP_STATE].p[0];
	f->tcp.wscale_orig = byte_or_0(v[CTA_PROTOINFO_TCP_WSCALE_ORIGINAL]);
	f->tcp.wscale_reply = byte_or_0(v[CTA_PROTOINFO_TCP_WSCALE_REPLY]);
	f->tcp.flags_orig = byte_or_0(v[CTA_PROTOINFO_TCP_FLAGS_ORIGINAL]);
	f->tcp.flags_reply = byte_or_0(v[CTA_PROTOINFO_TCP_FLAGS_REPLY]);
	f->have |= CTH_FLOW_TCP;
	return 0;
}

static int flow_sctp(struct cth_flow *f, struct cth_span level)
{
	struct cth_span v[FLOW_RULES(sctp_rules)];
	int r;

	if (!level.p)
		return 0;
	r = cth_attr_index(level, sctp_rules, FLOW_RULES(sctp_rules), v);
	if (r < 0 || !v[CTA_PROTOINFO_SCTP_STATE].p)
		return r;
	f->sctp.state = v[CTA_PROTOINFO_SCTP_STATE].p[0];
	flow_be32(f, 0, &f->sctp.vtag_orig, v[CTA_PROTOINFO_SCTP_VTAG_ORIGINAL]);
	flow_be32(f, 0, &f->sctp.vtag_reply, v[CTA_PROTOINFO_SCTP_VTAG_REPLY]);
	f->have |= CTH_FLOW_SCTP;
	return 0;
}

static int flow_dccp(struct cth_flow *f, struct cth_span level)
{
	struct cth_span v[FLOW_RULES(dccp_rules)];
	int r;

	if (!level.p)
		return 0;
	r = cth_attr_index(level, dccp_rules, FLOW_RULES(dccp_rules), v);
	if (r < 0 || !v[CTA_PROTOINFO_DCCP_STATE].p)
		return r;
	f->dccp.state = v[CTA_PROTOINFO_DCCP_STATE].p[0];
	f->dccp.role = byte_or_0(v[CTA_PROTOINFO_DCCP_ROLE]);
	if (v[CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ].p)
		f->dccp.handshake_seq = cth_be64(v[CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ].p);
	f->have |= CTH_FLOW_DCCP;
	return 0;
}

static int flow_protoinfo(struct cth_flow *f, const struct cth_span *flow)
{
	struct cth_span v[FLOW_RULES(protoinfo_rules)];
	int r;

	if (!flow[CTA_PROTOINFO].p)
		return 0;
	r = cth_attr_index(flow[CTA_PROTOINFO], protoinfo_rules, FLOW_RULES(protoinfo_rules), v);
	if (r == 0)
		r = flow_tcp(f, v[CTA_PROTOINFO_TCP]);
	if (r == 0)
		r = flow_sctp(f, v[CTA_PROTOINFO_SCTP]);
	if (r == 0)
		r = flow_dccp(f, v[CTA_PROTOINFO_DCCP]);
	return r;
}

/* One direction's counters: 1 if both were told. */
static int counters(uint64_t *packets, uint64_t *bytes, struct cth_span level)
{
	struct cth_span v[FLOW_RULES(counter_rules)];
	int r;

	if (!level.p)
		return 0;
	r = cth_attr_index(level, counter_rules, FLOW_RULES(counter_rules), v);
	if (r < 0)
		return r;
	if (v[CTA_COUNTERS_PACKETS].p && v[CTA_COUNTERS_BYTES].p) {
		*packets = cth_be64(v[CTA_COUNTERS_PACKETS].p);
		*bytes = cth_be64(v[CTA_COUNTERS_BYTES].p);
		return 1;
	}
	if (v[CTA_COUNTERS32_PACKETS].p && v[CTA_COUNTERS32_BYTES].p) {
		*packets = cth_be32(v[CTA_COUNTERS32_PACKETS].p);
		*bytes = cth_be32(v[CTA_COUNTERS32_BYTES].p);
		return 1;
	}
	return 0;
}

static int flow_counters(struct cth_flow *f, const struct cth_span *v)
{
	int orig = counters(&f->packets_orig, &f->bytes_orig, v[CTA_COUNTERS_ORIG]);
	int reply = counters(&f->packets_reply, &f->bytes_reply, v[CTA_COUNTERS_REPLY]);

	if (orig > 0 && reply > 0)
		f->have |= CTH_FLOW_COUNTERS;
	if (orig < 0)
		return orig;
	return reply < 0 ? reply : 0;
}

static int flow_timestamp(struct cth_flow *f, const struct cth_span *flow)
{
	struct cth_span v[FLOW_RULES(timestamp_rules)];
	int r;

	if (!flow[CTA_TIMESTAMP].p)
		return 0;
	r = cth_attr_index(flow[CTA_TIMESTAMP], timestamp_rules, FLOW_RULES(timestamp_rules), v);
	if (r < 0)
		return r;
	if (v[CTA_TIMESTAMP_START].p) {
		f->start = cth_be64(v[CTA_TIMESTAMP_START].p);
		f->have |= CTH_FLOW_START;
	}
	if (v[CTA_TIMESTAMP_STOP].p) {
		f->stop = cth_be64(v[CTA_TIMESTAMP_STOP].p);
		f->have |= CTH_FLOW_STOP;
	}
	return 0;
}

static int flow_help(struct cth_flow *f, const struct cth_span *flow)
{
	struct cth_span v[FLOW_RULES(help_rules)];
	int r;

	if (!flow[CTA_HELP].p)
		return 0;
	r = cth_attr_index(flow[CTA_HELP], help_rules, FLOW_RULES(help_rules), v);
	if (r < 0 || !v[CTA_HELP_NAME].p)
		return r;
	/* By its rule it has a NUL within the 16 bytes that helper has. */
	memcpy(f->helper, v[CTA_HELP_NAME].p, strlen((const char *)v[CTA_HELP_NAME].p) + 1);
	f->info = v[CTA_HELP_INFO];
	f->have |= CTH_FLOW_HELPER;
	return 0;
}

/* The kernel terminates the context; a span has its length, so the NUL is left out. */
static int flow_secctx(struct cth_flow *f, const struct cth_span *flow)
{
	struct cth_span v[FLOW_RULES(secctx_rules)];
	struct cth_span name;
	const uint8_t *nul;
	int r;

	if (!flow[CTA_SECCTX].p)
		return 0;
	r = cth_attr_index(flow[CTA_SECCTX], secctx_rules, FLOW_RULES(secctx_rules), v);
	name = v[CTA_SECCTX_NAME];
	if (r < 0 || !name.p)
		return r;
	nul = name.n ? (const uint8_t *)memchr(name.p, 0, name.n) : NULL;
	f->secctx = cth_span(name.p, nul ? (size_t)(nul - name.p) : name.n);
	return 0;
}

/* Three words: 1 if all were told. */
static int three_words(uint32_t word[3], struct cth_span level)
{
	struct cth_span v[FLOW_RULES(three_rules)];
	int r;

	if (!level.p)
		return 0;
	r = cth_attr_index(level, three_rules, FLOW_RULES(three_rules), v);
	if (r < 0 || !v[1].p || !v[2].p || !v[3].p)
		return r;
	for (size_t i = 0; i < 3; i++)
		word[i] = cth_be32(v[i + 1].p);
	return 1;
}

static int seq_adj(struct cth_flow *f, uint32_t part, struct cth_seq_adj *s, struct cth_span v)
{
	uint32_t word[3];
	int r = three_words(word, v);

	if (r <= 0)
		return r;
	s->position = word[0];
	s->before = (int32_t)word[1];
	s->after = (int32_t)word[2];
	f->have |= part;
	return 0;
}

static int flow_seq_adj(struct cth_flow *f, const struct cth_span *v)
{
	int r = seq_adj(f, CTH_FLOW_SEQ_ORIG, &f->seq_orig, v[CTA_NAT_SEQ_ADJ_ORIG]);

	return r < 0 ? r : seq_adj(f, CTH_FLOW_SEQ_REPLY, &f->seq_reply, v[CTA_NAT_SEQ_ADJ_REPLY]);
}

static int flow_synproxy(struct cth_flow *f, const struct cth_span *v)
{
	uint32_t word[3];
	int r = three_words(word, v[CTH_CTA_SYNPROXY]);

	if (r <= 0)
		return r;
	f->synproxy_isn = word[0];
	f->synproxy_its = word[1];
	f->synproxy_tsoff = word[2];
	f->have |= CTH_FLOW_SYNPROXY;
	return 0;
}

static int (*const flow_parts[])(struct cth_flow *f, const struct cth_span *v) = {
	flow_tuples, flow_words, flow_protoinfo, flow_counters, flow_timestamp,
	flow_help, flow_secctx, flow_seq_adj, flow_synproxy,
};

int cth_flow_parse(struct cth_flow *f, struct cth_span attrs)
{
	struct cth_span v[FLOW_RULES(flow_rules)];
	int r;

	memset(f, 0, sizeof(*f));
	r = cth_attr_index(attrs, flow_rules, FLOW_RULES(flow_rules), v);
	for (size_t i = 0; r == 0 && i < FLOW_RULES(flow_parts); i++)
		r = flow_parts[i](f, v);
	return r;
}

/* What a verdict may change. */

int cth_flow_put_helper(struct cth_msg *m, const char *helper, struct cth_span info)
{
	size_t help;

	/* The kernel would refuse the whole of ct for the one, and silently cut the other. */
	if (!memchr(helper, 0, 16) || info.n > CTH_FLOW_INFO)
		return -EINVAL;
	help = cth_msg_nest(m, CTA_HELP);
	cth_msg_put_str(m, CTA_HELP_NAME, helper);
	if (info.p)
		cth_msg_put(m, CTA_HELP_INFO, info.p, info.n);
	cth_msg_nest_end(m, help);
	return 0;
}

void cth_flow_put_timeout(struct cth_msg *m, uint32_t seconds)
{
	cth_msg_put_be32(m, CTA_TIMEOUT, seconds);
}

/* The kernel's new mark is (old & ~mask) ^ mark: bits outside of the mask would flip. */
void cth_flow_put_mark(struct cth_msg *m, uint32_t mark, uint32_t mask)
{
	cth_msg_put_be32(m, CTA_MARK, mark & mask);
	cth_msg_put_be32(m, CTA_MARK_MASK, mask);
}

int cth_flow_put_labels(struct cth_msg *m, struct cth_span labels, struct cth_span mask)
{
	if (labels.n == 0 || labels.n % 4 || labels.n > CTH_FLOW_LABELS)
		return -EINVAL;
	if (mask.p && mask.n != labels.n)
		return -EINVAL;
	cth_msg_put(m, CTH_CTA_LABELS, labels.p, labels.n);
	if (mask.p)
		cth_msg_put(m, CTH_CTA_LABELS_MASK, mask.p, mask.n);
	return 0;
}

/* The kernel's table. */

static bool flow_tuple_names_one(const struct cth_tuple *t)
{
	return t->src.family != 0 && t->src.family == t->dst.family && t->l4 != 0;
}

/* Without CREATE a NEW changes what is there, and without anything else only the helper. */
int cth_flow_put_detach(struct cth_msg *m, uint16_t flags, uint32_t seq,
			const struct cth_tuple *tuple, uint16_t zone)
{
	size_t nest;

	if (!flow_tuple_names_one(tuple))
		return -EINVAL;
	cth_msg_begin(m, FLOW_MESSAGE(IPCTNL_MSG_CT_NEW), flags, seq, tuple->src.family, 0);
	nest = cth_msg_nest(m, CTA_TUPLE_ORIG); /* found by its reply all the same */
	cth_tuple_put(m, tuple);
	cth_msg_nest_end(m, nest);
	if (zone)
		cth_msg_put_be16(m, CTA_ZONE, zone);
	cth_flow_put_helper(m, "", cth_span(NULL, 0));
	return cth_msg_end(m);
}

int cth_flow_detach(struct cth_sock *s, const struct cth_tuple *tuple, uint16_t zone,
		    struct cth_nack *nack)
{
	struct cth_nack own;
	uint8_t buf[FLOW_ROOM];
	struct cth_msg m;
	int r;

	if (!nack)
		nack = &own;
	memset(nack, 0, sizeof(*nack));
	cth_msg_init(&m, buf, sizeof(buf));
	r = cth_flow_put_detach(&m, NLM_F_REQUEST | NLM_F_ACK, cth_sock_seq(s), tuple, zone);
	if (r == 0)
		r = cth_sock_request(s, cth_msg_bytes(&m), NULL, NULL, nack);
	return cth_ctnetlink_is_absent(s, nack) ? -EPROTONOSUPPORT : r;
}
