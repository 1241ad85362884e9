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

#define FLOW_TCP_LIBERAL 0x08u /* IP_CT_TCP_FLAG_BE_LIBERAL */

#define FLOW_MESSAGE(message) (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | (message))
#define FLOW_NAME 16u /* bytes of a helper's name, its NUL included */
#define FLOW_ROOM 192 /* what the longest of our messages takes: a DETACH over IPv6 */

/* The attributes of a flow, before its nests are read. */
struct flow_level {
	uint32_t id, status, timeout, mark, use;
	uint16_t zone;
	struct cth_span orig, reply, master, protoinfo, counters_orig, counters_reply;
	struct cth_span timestamp, help, secctx, seq_orig, seq_reply, synproxy, labels;
};

/* What is told besides CTH_FLOW_*: nests, of which it is not known yet what is in them. */
enum {
	FLOW_PROTOINFO      = 1 << 19,
	FLOW_COUNTERS_ORIG  = 1 << 20,
	FLOW_COUNTERS_REPLY = 1 << 21,
	FLOW_TIMESTAMP      = 1 << 22,
	FLOW_HELP           = 1 << 23,
	FLOW_SECCTX         = 1 << 24,
	FLOW_ADJ_ORIG       = 1 << 25,
	FLOW_ADJ_REPLY      = 1 << 26,
	FLOW_PROXY          = 1 << 27,
	FLOW_LABELS         = 1 << 28,
};

#define FLOW_WORDS (CTH_FLOW_ORIG | CTH_FLOW_REPLY | CTH_FLOW_MASTER | CTH_FLOW_ZONE | \
		    CTH_FLOW_ID | CTH_FLOW_STATUS | CTH_FLOW_TIMEOUT | CTH_FLOW_MARK | CTH_FLOW_USE)

#define FLOW_FIELD(as, member, part) { as, offsetof(struct flow_level, member), part }

static const struct cth_attr_field flow_fields[] = {
	[CTA_TUPLE_ORIG]     = FLOW_FIELD(CTH_ATTR_SPAN, orig, CTH_FLOW_ORIG),
	[CTA_TUPLE_REPLY]    = FLOW_FIELD(CTH_ATTR_SPAN, reply, CTH_FLOW_REPLY),
	[CTA_STATUS]         = FLOW_FIELD(CTH_ATTR_BE32, status, CTH_FLOW_STATUS),
	[CTA_PROTOINFO]      = FLOW_FIELD(CTH_ATTR_SPAN, protoinfo, FLOW_PROTOINFO),
	[CTA_HELP]           = FLOW_FIELD(CTH_ATTR_SPAN, help, FLOW_HELP),
	[CTA_TIMEOUT]        = FLOW_FIELD(CTH_ATTR_BE32, timeout, CTH_FLOW_TIMEOUT),
	[CTA_MARK]           = FLOW_FIELD(CTH_ATTR_BE32, mark, CTH_FLOW_MARK),
	[CTA_COUNTERS_ORIG]  = FLOW_FIELD(CTH_ATTR_SPAN, counters_orig, FLOW_COUNTERS_ORIG),
	[CTA_COUNTERS_REPLY] = FLOW_FIELD(CTH_ATTR_SPAN, counters_reply, FLOW_COUNTERS_REPLY),
	[CTA_USE]            = FLOW_FIELD(CTH_ATTR_BE32, use, CTH_FLOW_USE),
	[CTA_ID]             = FLOW_FIELD(CTH_ATTR_BE32, id, CTH_FLOW_ID),
	[CTA_TUPLE_MASTER]   = FLOW_FIELD(CTH_ATTR_SPAN, master, CTH_FLOW_MASTER),
	[CTA_NAT_SEQ_ADJ_ORIG]  = FLOW_FIELD(CTH_ATTR_SPAN, seq_orig, FLOW_ADJ_ORIG),
	[CTA_NAT_SEQ_ADJ_REPLY] = FLOW_FIELD(CTH_ATTR_SPAN, seq_reply, FLOW_ADJ_REPLY),
	[CTA_ZONE]           = FLOW_FIELD(CTH_ATTR_BE16, zone, CTH_FLOW_ZONE),
	[CTA_SECCTX]         = FLOW_FIELD(CTH_ATTR_SPAN, secctx, FLOW_SECCTX),
	[CTA_TIMESTAMP]      = FLOW_FIELD(CTH_ATTR_SPAN, timestamp, FLOW_TIMESTAMP),
	[CTH_CTA_LABELS]     = FLOW_FIELD(CTH_ATTR_SPAN, labels, FLOW_LABELS),
	[CTH_CTA_SYNPROXY]   = FLOW_FIELD(CTH_ATTR_SPAN, synproxy, FLOW_PROXY),
};

/* One in each protocol's nest; which it is, the number tells. */
static const struct cth_attr_field protoinfo_fields[] = {
	[CTA_PROTOINFO_TCP]  = { CTH_ATTR_SPAN, 0, CTH_FLOW_TCP },
	[CTA_PROTOINFO_DCCP] = { CTH_ATTR_SPAN, sizeof(struct cth_span), CTH_FLOW_DCCP },
	[CTA_PROTOINFO_SCTP] = { CTH_ATTR_SPAN, 2 * sizeof(struct cth_span), CTH_FLOW_SCTP },
};

#define FLOW_OF(as, member, part) { as, offsetof(struct cth_flow, member), part }

/* FLAGS_ is two bytes, flags and mask; big-endian, the flags are its upper part. */
struct flow_tcp {
	uint8_t state, wscale_orig, wscale_reply;
	uint16_t flags_orig, flags_reply;
};

static const struct cth_attr_field tcp_fields[] = {
	[CTA_PROTOINFO_TCP_STATE] =
		{ CTH_ATTR_U8, offsetof(struct flow_tcp, state), CTH_FLOW_TCP },
	[CTA_PROTOINFO_TCP_WSCALE_ORIGINAL] =
		{ CTH_ATTR_U8, offsetof(struct flow_tcp, wscale_orig), 0 },
	[CTA_PROTOINFO_TCP_WSCALE_REPLY] =
		{ CTH_ATTR_U8, offsetof(struct flow_tcp, wscale_reply), 0 },
	[CTA_PROTOINFO_TCP_FLAGS_ORIGINAL] =
		{ CTH_ATTR_BE16, offsetof(struct flow_tcp, flags_orig), 0 },
	[CTA_PROTOINFO_TCP_FLAGS_REPLY] =
		{ CTH_ATTR_BE16, offsetof(struct flow_tcp, flags_reply), 0 },
};

static const struct cth_attr_field sctp_fields[] = {
	[CTA_PROTOINFO_SCTP_STATE]         = FLOW_OF(CTH_ATTR_U8, sctp.state, CTH_FLOW_SCTP),
	[CTA_PROTOINFO_SCTP_VTAG_ORIGINAL] = FLOW_OF(CTH_ATTR_BE32, sctp.vtag_orig, 0),
	[CTA_PROTOINFO_SCTP_VTAG_REPLY]    = FLOW_OF(CTH_ATTR_BE32, sctp.vtag_reply, 0),
};

static const struct cth_attr_field dccp_fields[] = {
	[CTA_PROTOINFO_DCCP_STATE]         = FLOW_OF(CTH_ATTR_U8, dccp.state, CTH_FLOW_DCCP),
	[CTA_PROTOINFO_DCCP_ROLE]          = FLOW_OF(CTH_ATTR_U8, dccp.role, 0),
	[CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ] = FLOW_OF(CTH_ATTR_BE64, dccp.handshake_seq, 0),
};

struct flow_counters {
	uint64_t packets, bytes;
	uint32_t packets32, bytes32;
};

static const struct cth_attr_field counter_fields[] = {
	[CTA_COUNTERS_PACKETS] =
		{ CTH_ATTR_BE64, offsetof(struct flow_counters, packets), 1 },
	[CTA_COUNTERS_BYTES] =
		{ CTH_ATTR_BE64, offsetof(struct flow_counters, bytes), 2 },
	[CTA_COUNTERS32_PACKETS] =
		{ CTH_ATTR_BE32, offsetof(struct flow_counters, packets32), 4 },
	[CTA_COUNTERS32_BYTES] =
		{ CTH_ATTR_BE32, offsetof(struct flow_counters, bytes32), 8 },
};

static const struct cth_attr_field timestamp_fields[] = {
	[CTA_TIMESTAMP_START] = FLOW_OF(CTH_ATTR_BE64, start, CTH_FLOW_START),
	[CTA_TIMESTAMP_STOP]  = FLOW_OF(CTH_ATTR_BE64, stop, CTH_FLOW_STOP),
};

static const struct cth_attr_rule help_rules[] = {
	[CTA_HELP_NAME] = { 1, FLOW_NAME, true },
	[CTA_HELP_INFO] = { 0, CTH_FLOW_INFO, false },
};

static const struct cth_attr_field secctx_fields[] = {
	[CTA_SECCTX_NAME] = { CTH_ATTR_SPAN, 0, 1 },
};

/* Sequence adjustment and SYN proxy are both three words, numbered 1 to 3. */
static const struct cth_attr_field three_fields[] = {
	[1] = { CTH_ATTR_BE32, 0, 1 },
	[2] = { CTH_ATTR_BE32, 4, 2 },
	[3] = { CTH_ATTR_BE32, 8, 4 },
};

#define FLOW_ENTRIES(table) (sizeof(table) / sizeof((table)[0]))
#define FLOW_READ(level, table, into, told) \
	cth_attr_read(level, table, FLOW_ENTRIES(table), into, told)

static int flow_tcp(struct cth_flow *f, struct cth_span level)
{
	struct flow_tcp tcp = { 0 };
	int r = FLOW_READ(level, tcp_fields, &tcp, &f->have);

	if (r < 0 || !(f->have & CTH_FLOW_TCP))
		return r;
	f->tcp.state = tcp.state;
	f->tcp.wscale_orig = tcp.wscale_orig;
	f->tcp.wscale_reply = tcp.wscale_reply;
	f->tcp.flags_orig = (uint8_t)(tcp.flags_orig >> 8);
	f->tcp.flags_reply = (uint8_t)(tcp.flags_reply >> 8);
	return 0;
}

/* Without a state nothing of the protocol is told. */
static int flow_sctp(struct cth_flow *f, struct cth_span level)
{
	int r = FLOW_READ(level, sctp_fields, f, &f->have);

	if (!(f->have & CTH_FLOW_SCTP))
		memset(&f->sctp, 0, sizeof(f->sctp));
	return r;
}

static int flow_dccp(struct cth_flow *f, struct cth_span level)
{
	int r = FLOW_READ(level, dccp_fields, f, &f->have);

	if (!(f->have & CTH_FLOW_DCCP))
		memset(&f->dccp, 0, sizeof(f->dccp));
	return r;
}

static int flow_protoinfo(struct cth_flow *f, struct cth_span level)
{
	struct cth_span nest[3];
	uint32_t told = 0;
	int r = FLOW_READ(level, protoinfo_fields, nest, &told);

	if (r == 0 && told & CTH_FLOW_TCP)
		r = flow_tcp(f, nest[0]);
	if (r == 0 && told & CTH_FLOW_DCCP)
		r = flow_dccp(f, nest[1]);
	if (r == 0 && told & CTH_FLOW_SCTP)
		r = flow_sctp(f, nest[2]);
	return r;
}

/* One direction's counters: 1 if both were told. */
static int counters(uint64_t *packets, uint64_t *bytes, struct cth_span level)
{
	struct flow_counters c;
	uint32_t told = 0;
	int r = FLOW_READ(level, counter_fields, &c, &told);

	if (r < 0)
		return r;
	if ((told & 3) == 3) {
		*packets = c.packets;
		*bytes = c.bytes;
		return 1;
	}
	if ((told & 12) == 12) {
		*packets = c.packets32;
		*bytes = c.bytes32;
		return 1;
	}
	return 0;
}

static int flow_counters(struct cth_flow *f, const struct flow_level *l, uint32_t told)
{
	int orig = 0, reply = 0;

	if (told & FLOW_COUNTERS_ORIG)
		orig = counters(&f->packets_orig, &f->bytes_orig, l->counters_orig);
	if (told & FLOW_COUNTERS_REPLY)
		reply = counters(&f->packets_reply, &f->bytes_reply, l->counters_reply);
	if (orig > 0 && reply > 0)
		f->have |= CTH_FLOW_COUNTERS;
	if (orig < 0)
		return orig;
	return reply < 0 ? reply : 0;
}

static int flow_help(struct cth_flow *f, struct cth_span level)
{
	struct cth_span v[FLOW_ENTRIES(help_rules)];
	int r = cth_attr_index(level, help_rules, FLOW_ENTRIES(help_rules), v);

	if (r < 0 || !v[CTA_HELP_NAME].p)
		return r;
	/* By its rule it has a NUL within the 16 bytes that helper has. */
	memcpy(f->helper, v[CTA_HELP_NAME].p, strlen((const char *)v[CTA_HELP_NAME].p) + 1);
	f->info = v[CTA_HELP_INFO];
	f->have |= CTH_FLOW_HELPER;
	return 0;
}

/* The kernel terminates the context; a span has its length, so the NUL is left out. */
static int flow_secctx(struct cth_flow *f, struct cth_span level)
{
	struct cth_span name;
	uint32_t told = 0;
	const uint8_t *nul;
	int r = FLOW_READ(level, secctx_fields, &name, &told);

	if (r < 0 || !told)
		return r;
	nul = name.n ? (const uint8_t *)memchr(name.p, 0, name.n) : NULL;
	f->secctx = cth_span(name.p, nul ? (size_t)(nul - name.p) : name.n);
	return 0;
}

/* Three words: 1 if all were told. */
static int three_words(uint32_t word[3], struct cth_span level)
{
	uint32_t told = 0;
	int r = FLOW_READ(level, three_fields, word, &told);

	return r < 0 ? r : told == 7;
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

static int flow_synproxy(struct cth_flow *f, struct cth_span level)
{
	uint32_t word[3];
	int r = three_words(word, level);

	if (r <= 0)
		return r;
	f->synproxy_isn = word[0];
	f->synproxy_its = word[1];
	f->synproxy_tsoff = word[2];
	f->have |= CTH_FLOW_SYNPROXY;
	return 0;
}

/* What few flows have. */
static int flow_rare(struct cth_flow *f, const struct flow_level *l, uint32_t told)
{
	int r = flow_counters(f, l, told);

	if (r == 0 && told & CTH_FLOW_MASTER)
		r = cth_tuple_parse(&f->master, l->master);
	if (r == 0 && told & FLOW_TIMESTAMP)
		r = FLOW_READ(l->timestamp, timestamp_fields, f, &f->have);
	if (r == 0 && told & FLOW_SECCTX)
		r = flow_secctx(f, l->secctx);
	if (r == 0 && told & FLOW_ADJ_ORIG)
		r = seq_adj(f, CTH_FLOW_SEQ_ORIG, &f->seq_orig, l->seq_orig);
	if (r == 0 && told & FLOW_ADJ_REPLY)
		r = seq_adj(f, CTH_FLOW_SEQ_REPLY, &f->seq_reply, l->seq_reply);
	if (r == 0 && told & FLOW_PROXY)
		r = flow_synproxy(f, l->synproxy);
	if (told & FLOW_LABELS)
		f->labels = l->labels;
	return r;
}

#define FLOW_RARE (CTH_FLOW_MASTER | FLOW_COUNTERS_ORIG | FLOW_COUNTERS_REPLY | FLOW_TIMESTAMP | \
		   FLOW_SECCTX | FLOW_ADJ_ORIG | FLOW_ADJ_REPLY | FLOW_PROXY | FLOW_LABELS)

static int flow_nests(struct cth_flow *f, const struct flow_level *l, uint32_t told)
{
	int r = 0;

	if (told & CTH_FLOW_ORIG)
		r = cth_tuple_parse(&f->orig, l->orig);
	if (r == 0 && told & CTH_FLOW_REPLY)
		r = cth_tuple_parse(&f->reply, l->reply);
	if (r == 0 && told & FLOW_PROTOINFO)
		r = flow_protoinfo(f, l->protoinfo);
	if (r == 0 && told & FLOW_HELP)
		r = flow_help(f, l->help);
	if (r == 0 && told & FLOW_RARE)
		r = flow_rare(f, l, told);
	return r;
}

/* Of nests only those in the set. */
static int flow_read(struct cth_flow *f, struct cth_span attrs, uint32_t nests)
{
	struct flow_level l;
	uint32_t told = 0;
	int r;

	memset(f, 0, sizeof(*f));
	l.id = l.status = l.timeout = l.mark = l.use = l.zone = 0;
	r = FLOW_READ(attrs, flow_fields, &l, &told);
	if (r < 0)
		return r;
	f->have = told & FLOW_WORDS;
	f->zone = l.zone;
	f->id = l.id;
	f->status = l.status;
	f->timeout = l.timeout;
	f->mark = l.mark;
	f->use = l.use;
	return flow_nests(f, &l, told & nests);
}

int cth_flow_parse(struct cth_flow *f, struct cth_span attrs)
{
	return flow_read(f, attrs, UINT32_MAX);
}

int cth_flow_see(struct cth_flow *f, struct cth_span attrs)
{
	return flow_read(f, attrs, CTH_FLOW_ORIG | CTH_FLOW_REPLY | FLOW_HELP | FLOW_ADJ_ORIG |
				   FLOW_ADJ_REPLY);
}

const char *cth_flow_helper(struct cth_span attrs)
{
	struct cth_span name = cth_attr_find(cth_attr_find(attrs, CTA_HELP), CTA_HELP_NAME);
	size_t reach = name.n < FLOW_NAME ? name.n : FLOW_NAME;

	return reach && memchr(name.p, 0, reach) ? (const char *)name.p : NULL;
}

bool cth_flow_is_picked_up(struct cth_span attrs)
{
	struct cth_span tcp = cth_attr_find(cth_attr_find(attrs, CTA_PROTOINFO), CTA_PROTOINFO_TCP);
	struct cth_span flags = cth_attr_find(tcp, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL);

	return flags.n > 0 && flags.p[0] & FLOW_TCP_LIBERAL;
}

/* What a verdict may change. */

int cth_flow_put_helper(struct cth_msg *m, const char *helper, struct cth_span info)
{
	size_t help;

	/* The kernel would refuse the whole of ct for the one, and silently cut the other. */
	if (!memchr(helper, 0, FLOW_NAME) || info.n > CTH_FLOW_INFO)
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
