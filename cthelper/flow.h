/* SPDX-License-Identifier: MIT */
/*
 * flow.h - a connection as conntrack describes it, in a queued packet or on its own;
 * and the parts of it that a verdict may change.
 */
#ifndef CTH_FLOW_H
#define CTH_FLOW_H

#include "../netlink/socket.h"
#include "../netlink/msg.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cth_addr {
	uint8_t family; /* AF_INET, AF_INET6; 0: absent */
	uint8_t b[16];  /* 4 or 16 bytes of it, as on the wire */
};

size_t cth_addr_len(const struct cth_addr *a); /* 4, 16, or 0 when absent */
bool cth_addr_equal(const struct cth_addr *a, const struct cth_addr *b); /* both absent: yes */

/* One direction of a flow. Ports in host order. */
struct cth_tuple {
	struct cth_addr src, dst;
	uint8_t l4;       /* IPPROTO_* */
	bool has_ports;   /* sport, dport are told */
	bool has_icmp;    /* icmp_* are told */
	bool has_zone;
	uint16_t sport, dport;
	uint16_t icmp_id; /* of ICMP and ICMPv6 */
	uint8_t icmp_type, icmp_code;
	uint16_t zone;    /* of this direction alone */
};

/* What the kernel told of a flow; absent is not zero. */
enum {
	CTH_FLOW_ORIG      = 1 << 0,
	CTH_FLOW_REPLY     = 1 << 1,
	CTH_FLOW_MASTER    = 1 << 2,
	CTH_FLOW_ZONE      = 1 << 3,
	CTH_FLOW_ID        = 1 << 4,
	CTH_FLOW_STATUS    = 1 << 5,
	CTH_FLOW_TIMEOUT   = 1 << 6,
	CTH_FLOW_MARK      = 1 << 7,
	CTH_FLOW_USE       = 1 << 8,
	CTH_FLOW_TCP       = 1 << 9,  /* its state; the rest of tcp is 0 where not told */
	CTH_FLOW_COUNTERS  = 1 << 10, /* of both directions */
	CTH_FLOW_START     = 1 << 11,
	CTH_FLOW_STOP      = 1 << 12,
	CTH_FLOW_HELPER    = 1 << 13,
	CTH_FLOW_SEQ_ORIG  = 1 << 14,
	CTH_FLOW_SEQ_REPLY = 1 << 15,
	CTH_FLOW_SYNPROXY  = 1 << 16,
	CTH_FLOW_SCTP      = 1 << 17, /* as TCP */
	CTH_FLOW_DCCP      = 1 << 18,
};

/* Bits of status: IPS_* of linux/netfilter/nf_conntrack_common.h. */
enum {
	CTH_FLOW_EXPECTED   = 1 << 0,
	CTH_FLOW_SEEN_REPLY = 1 << 1,
	CTH_FLOW_ASSURED    = 1 << 2,
	CTH_FLOW_CONFIRMED  = 1 << 3,
	CTH_FLOW_SRC_NAT    = 1 << 4,
	CTH_FLOW_DST_NAT    = 1 << 5,
	CTH_FLOW_SEQ_ADJUST = 1 << 6,
};

/* How the kernel shifts TCP sequence numbers in one direction. */
struct cth_seq_adj {
	uint32_t position;
	int32_t before, after;
};

#define CTH_FLOW_INFO   32 /* bytes of a helper's private data, at most */
#define CTH_FLOW_LABELS 16 /* bytes of labels, at most */

struct cth_flow {
	uint32_t have; /* CTH_FLOW_* */
	struct cth_tuple orig, reply, master;
	uint16_t zone;
	uint32_t id;      /* opaque */
	uint32_t status;
	uint32_t timeout; /* seconds left */
	uint32_t mark;
	uint32_t use;
	struct {
		uint8_t state, wscale_orig, wscale_reply;
		uint8_t flags_orig, flags_reply;
	} tcp;
	struct {
		uint8_t state;
		uint32_t vtag_orig, vtag_reply;
	} sctp;
	struct {
		uint8_t state, role;
		uint64_t handshake_seq;
	} dccp;
	uint64_t packets_orig, bytes_orig, packets_reply, bytes_reply;
	uint64_t start, stop; /* nanoseconds since 1970 */
	char helper[16];
	struct cth_seq_adj seq_orig, seq_reply;
	uint32_t synproxy_isn, synproxy_its, synproxy_tsoff;
	/* Views into the message. */
	struct cth_span info;    /* the helper's private data, at most CTH_FLOW_INFO bytes;
				    the kernel leaves it out where the message has no room */
	struct cth_span labels;  /* 16 bytes in 32-bit words of host order */
	struct cth_span secctx;  /* not terminated */
};

/*
 * Reads the attributes CTA_* of a flow: of a packet's p->ct, or of a conntrack message.
 * 0, or -EBADMSG, -ERANGE, -EINVAL: malformed.
 */
int cth_flow_parse(struct cth_flow *f, struct cth_span attrs);

/* Of the same attributes nothing but the helper's name, in place. NULL: none, or malformed. */
const char *cth_flow_helper(struct cth_span attrs);

/*
 * Was it a TCP connection before the kernel knew of it? Then that has never seen its handshake, and
 * is liberal about its numbers. false: no, or not told, or malformed.
 */
bool cth_flow_is_picked_up(struct cth_span attrs);

/* Reads one CTA_TUPLE_*'s content. */
int cth_tuple_parse(struct cth_tuple *t, struct cth_span attrs);

/* Puts what is told of a tuple, as the content of a nest that the caller has opened. */
void cth_tuple_put(struct cth_msg *m, const struct cth_tuple *t);

/* Do both tell the same? */
bool cth_tuple_equal(const struct cth_tuple *a, const struct cth_tuple *b);

/*
 * What a verdict's ct may carry; the kernel takes these, and STATUS, and ignores all else.
 * The message is one of cth_msg_begin_bare(). Only what is meant goes in: a flow that is
 * sent back whole undoes what others have changed meanwhile.
 *
 * put_helper names the flow's own helper and gives its new private data: an absent info
 * leaves the data as it is, one that is short is filled up with zeros (older kernels read on behind
 * it: give as much as the helper has been registered with), and an empty name detaches the helper.
 * -EINVAL, and nothing is put: a name over 15 characters, more than CTH_FLOW_INFO bytes.
 */
int cth_flow_put_helper(struct cth_msg *m, const char *helper, struct cth_span info);
void cth_flow_put_timeout(struct cth_msg *m, uint32_t seconds);
void cth_flow_put_mark(struct cth_msg *m, uint32_t mark, uint32_t mask); /* changes mask's bits */

/* Sets mask's bits of the labels, with an absent mask all. -EINVAL, and nothing is put: not
   4, 8, 12 or 16 bytes, or a mask of another length. */
int cth_flow_put_labels(struct cth_msg *m, struct cth_span labels, struct cth_span mask);

/*
 * Takes its helper away from a flow that is confirmed, by either direction's tuple: its packets
 * are queued no more, and its expectations are gone. Not while the kernel adjusts its sequence
 * numbers (CTH_FLOW_SEQ_ADJUST): packets that wait in a queue meanwhile go on unadjusted. A flow
 * that has no helper stays as it is: 0.
 *
 * -ENOENT: no such flow, or not confirmed yet; -EBUSY: it was expected, and cannot lose its
 * helper; -EINVAL: the tuple is not whole; -EPERM (CAP_NET_ADMIN); -EPROTONOSUPPORT: no
 * nf_conntrack_netlink; -ETIMEDOUT. nack may be NULL; its error is 0 when it was not the kernel
 * that refused.
 */
int cth_flow_detach(struct cth_sock *s, const struct cth_tuple *tuple, uint16_t zone,
		    struct cth_nack *nack);

/*
 * The message for it. flags: NLM_F_*, never CREATE. 0, -EMSGSIZE, or -EINVAL: a tuple without
 * both addresses, of one family, or without protocol.
 */
int cth_flow_put_detach(struct cth_msg *m, uint16_t flags, uint32_t seq,
			const struct cth_tuple *tuple, uint16_t zone);

#ifdef __cplusplus
}
#endif
#endif
