/* SPDX-License-Identifier: MIT */
/*
 * pkt.h - one queued packet, as the kernel describes it, and where its headers are.
 */
#ifndef CTH_PKT_H
#define CTH_PKT_H

#include "../netlink/attr.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the kernel sent: absent is not zero. PACKET_HDR is always there. */
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
	struct cth_span payload; /* from the network header on */
	struct cth_span ct;      /* the flow: attributes CTA_*; needs F_CONNTRACK */
	struct cth_span secctx;  /* not terminated */
	struct cth_span l2hdr;   /* bridge only */
};

/*
 * Reads a queued packet's message: 0; -EPROTO: some other message; -EBADMSG, -ERANGE,
 * -EINVAL: malformed. p->queue and, if its header could be read (p->id is not 0), p->id
 * are good in any case, so that even such a packet can get a verdict.
 */
int cth_pkt_parse(struct cth_pkt *p, const struct cth_nlmsg *m);

/* Where the headers of an IP packet are: offsets into the bytes given to cth_ip_find(). */
struct cth_ip {
	uint8_t version;     /* 4 or 6 */
	uint8_t proto;       /* IPPROTO_*, behind IPv6 extension headers */
	bool fragment;       /* not the first: no transport header in here */
	size_t header_len;   /* of IPv4 with options; of IPv6 with extension headers */
	size_t l4;           /* the transport header; 0 if it is not there in full */
	size_t body;         /* what the transport carries; 0 if unknown */
	size_t body_len;     /* bytes of it that are there: never past capture or packet */
	size_t total;        /* the packet's length as its own header tells */
	uint16_t sport, dport; /* TCP, UDP */
	uint8_t type, code;  /* ICMP, ICMPv6 */
};

/*
 * Finds the headers of the packet that starts with bytes, which may be cut anywhere:
 * 0, with l4 and body 0 as far as they lie beyond the cut; -EBADMSG: not IP, or a
 * header that contradicts itself.
 */
int cth_ip_find(struct cth_ip *ip, struct cth_span bytes);

#ifdef __cplusplus
}
#endif
#endif
