/* SPDX-License-Identifier: MIT */
/*
 * pkt.h - one queued packet, as the kernel describes it. Where the headers in its
 * payload are, ip.h tells.
 */
#ifndef CTH_PKT_H
#define CTH_PKT_H

#include "../netlink/attr.h"
#include "ip.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the kernel sent: absent is not zero. */
enum {
	CTH_PKT_MARK        = 1 << 0,
	CTH_PKT_PRIORITY    = 1 << 1,
	CTH_PKT_TIMESTAMP   = 1 << 2,
	CTH_PKT_INDEV       = 1 << 3,
	CTH_PKT_OUTDEV      = 1 << 4,
	CTH_PKT_PHYSINDEV   = 1 << 5,
	CTH_PKT_PHYSOUTDEV  = 1 << 6,
	CTH_PKT_HWADDR      = 1 << 7,
	CTH_PKT_UID         = 1 << 8,
	CTH_PKT_GID         = 1 << 9,
	CTH_PKT_CLASSID     = 1 << 10,
	CTH_PKT_CT_INFO     = 1 << 11,
	CTH_PKT_CAP_LEN     = 1 << 12,
	CTH_PKT_SKB_INFO    = 1 << 13,
	CTH_PKT_VLAN_PROTO  = 1 << 14,
	CTH_PKT_VLAN_TCI    = 1 << 15,
	CTH_PKT_HEADER      = 1 << 16, /* id, hw_protocol, hook: always, unless malformed */
};

/* Bits of skb_info: NFQA_SKB_* of linux/netfilter/nfnetlink_queue.h. */
enum {
	CTH_SKB_CSUM_NOT_READY   = 1 << 0, /* checksums in the payload are unfinished */
	CTH_SKB_GSO              = 1 << 1, /* longer than the device's MTU, to be segmented */
	CTH_SKB_CSUM_NOT_VERIFIED = 1 << 2,
};

/*
 * A packet. Integers are in host order; interface numbers are ifindexes, netfilter
 * hooks count from PREROUTING 0 to POSTROUTING 4. Spans lie in the receive buffer and
 * live as long as what it holds; an absent one has p == NULL.
 */
struct cth_pkt {
	uint32_t have;        /* CTH_PKT_* */
	uint16_t queue;
	uint16_t hw_protocol; /* EtherType */
	uint8_t family;       /* AF_INET, AF_INET6, AF_BRIDGE: of the hook */
	uint8_t hook;
	uint32_t id;          /* for the verdict */
	uint32_t mark, priority;
	uint32_t indev, outdev, physindev, physoutdev;
	uint32_t uid, gid;    /* of the local socket's owner, in the initial user namespace */
	uint32_t classid;     /* net_cls cgroup */
	uint32_t ct_info;     /* IP_CT_*: 3 and above is the reply direction */
	uint32_t cap_len;     /* the packet's whole length, when payload is only its beginning */
	uint32_t skb_info;    /* CTH_SKB_* */
	uint16_t vlan_proto, vlan_tci;
	uint64_t sec, usec;   /* when it was received, since 1970 */
	uint8_t hw_addr[8];   /* the sender's link-layer address, hw_len bytes of it */
	uint8_t hw_len;
	struct cth_span message; /* what it was read from, whole */
	struct cth_span payload; /* from the network header on */
	struct cth_span ct;      /* the flow: attributes CTA_*; needs F_CONNTRACK */
	struct cth_span secctx;  /* not terminated */
	struct cth_span l2hdr;   /* bridge only */
};

/*
 * Reads a queued packet's message: 0; -EPROTO: some other message; -EBADMSG: malformed, or
 * without its header; -ERANGE: an attribute too short for what it is. Whatever could be
 * read is there in any case: with CTH_PKT_HEADER p->queue and p->id are good, and even such
 * a packet can get a verdict. (An id of 0 is one like any other: they wrap.)
 */
int cth_pkt_parse(struct cth_pkt *p, const struct cth_nlmsg *m);

#ifdef __cplusplus
}
#endif
#endif
