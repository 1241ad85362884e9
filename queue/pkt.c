/* SPDX-License-Identifier: MIT */
/*
 * pkt.c - one queued packet, as the kernel describes it. Answers to NFQNL_MSG_PACKET of
 * include/uapi/linux/netfilter/nfnetlink_queue.h; numbers are big-endian, as everywhere
 * in nfnetlink:
 *
 *     NFQA_PACKET_HDR  | id u32 | EtherType u16 | hook u8 |
 *     NFQA_HWADDR      | length u16 | - u16 | address, 8 bytes |
 *     NFQA_TIMESTAMP   | seconds u64 | microseconds u64 |
 *     NFQA_VLAN        nest of PROTO u16, TCI u16
 *
 * The walk goes on behind an attribute that breaks its rule: a packet whose id can be
 * read will get its verdict, and only that keeps the kernel from holding it for ever.
 */
#include "pkt.h"
#include "../netlink/take.h"
#include "../netlink/uapi.h"

#define PKT_HEADER    7u
#define PKT_HWADDR    12u
#define PKT_TIMESTAMP 16u

static int pkt_header(struct cth_pkt *p, struct cth_span v)
{
	if (v.n < PKT_HEADER)
		return -ERANGE;
	p->id = cth_be32(v.p);
	p->hw_protocol = cth_be16(v.p + 4);
	p->hook = v.p[6];
	p->have |= CTH_PKT_HEADER;
	return 0;
}

static int pkt_u32(struct cth_pkt *p, struct cth_span v, uint32_t *number, uint32_t bit)
{
	if (v.n < 4)
		return -ERANGE;
	*number = cth_be32(v.p);
	p->have |= bit;
	return 0;
}

static int pkt_u16(struct cth_pkt *p, struct cth_span v, uint16_t *number, uint32_t bit)
{
	if (v.n < 2)
		return -ERANGE;
	*number = cth_be16(v.p);
	p->have |= bit;
	return 0;
}

static int pkt_timestamp(struct cth_pkt *p, struct cth_span v)
{
	if (v.n < PKT_TIMESTAMP)
		return -ERANGE;
	p->sec = cth_be64(v.p);
	p->usec = cth_be64(v.p + 8);
	p->have |= CTH_PKT_TIMESTAMP;
	return 0;
}

/* Link layers with longer addresses exist; the kernel sends the length and 8 bytes. */
static int pkt_hwaddr(struct cth_pkt *p, struct cth_span v)
{
	uint16_t len;

	if (v.n < PKT_HWADDR)
		return -ERANGE;
	len = cth_be16(v.p);
	p->hw_len = (uint8_t)(len < sizeof(p->hw_addr) ? len : sizeof(p->hw_addr));
	memcpy(p->hw_addr, v.p + 4, p->hw_len);
	p->have |= CTH_PKT_HWADDR;
	return 0;
}

static int pkt_vlan(struct cth_pkt *p, struct cth_span v)
{
	struct cth_attr a;
	int r, bad = 0;

	while ((r = cth_attr_next(&v, &a)) > 0) {
		if (a.type == CTH_NFQA_VLAN_PROTO)
			r = pkt_u16(p, a.value, &p->vlan_proto, CTH_PKT_VLAN_PROTO);
		else if (a.type == CTH_NFQA_VLAN_TCI)
			r = pkt_u16(p, a.value, &p->vlan_tci, CTH_PKT_VLAN_TCI);
		if (r < 0)
			bad = r;
	}
	return r < 0 ? r : bad;
}

static int pkt_attr(struct cth_pkt *p, uint16_t type, struct cth_span v)
{
	switch (type) {
	case NFQA_PACKET_HDR:
		return pkt_header(p, v);
	case NFQA_MARK:
		return pkt_u32(p, v, &p->mark, CTH_PKT_MARK);
	case NFQA_TIMESTAMP:
		return pkt_timestamp(p, v);
	case NFQA_IFINDEX_INDEV:
		return pkt_u32(p, v, &p->indev, CTH_PKT_INDEV);
	case NFQA_IFINDEX_OUTDEV:
		return pkt_u32(p, v, &p->outdev, CTH_PKT_OUTDEV);
	case NFQA_IFINDEX_PHYSINDEV:
		return pkt_u32(p, v, &p->physindev, CTH_PKT_PHYSINDEV);
	case NFQA_IFINDEX_PHYSOUTDEV:
		return pkt_u32(p, v, &p->physoutdev, CTH_PKT_PHYSOUTDEV);
	case NFQA_HWADDR:
		return pkt_hwaddr(p, v);
	case NFQA_PAYLOAD:
		p->payload = v;
		return 0;
	case NFQA_CT:
		p->ct = v;
		return 0;
	case NFQA_CT_INFO:
		return pkt_u32(p, v, &p->ct_info, CTH_PKT_CT_INFO);
	case NFQA_CAP_LEN:
		return pkt_u32(p, v, &p->cap_len, CTH_PKT_CAP_LEN);
	case NFQA_SKB_INFO:
		return pkt_u32(p, v, &p->skb_info, CTH_PKT_SKB_INFO);
	case CTH_NFQA_UID:
		return pkt_u32(p, v, &p->uid, CTH_PKT_UID);
	case CTH_NFQA_GID:
		return pkt_u32(p, v, &p->gid, CTH_PKT_GID);
	case CTH_NFQA_SECCTX:
		p->secctx = v;
		return 0;
	case CTH_NFQA_VLAN:
		return pkt_vlan(p, v);
	case CTH_NFQA_L2HDR:
		p->l2hdr = v;
		return 0;
	case CTH_NFQA_PRIORITY:
		return pkt_u32(p, v, &p->priority, CTH_PKT_PRIORITY);
	case CTH_NFQA_CGROUP_CLASSID:
		return pkt_u32(p, v, &p->classid, CTH_PKT_CLASSID);
	}
	return 0;
}

int cth_pkt_parse(struct cth_pkt *p, const struct cth_nlmsg *m)
{
	struct cth_span attrs = m->attrs, value;
	uint16_t type;
	size_t at = 0;
	int r, bad = 0;

	memset(p, 0, sizeof(*p));
	if (m->type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
		return -EPROTO;
	p->message = m->whole;
	p->queue = m->res_id;
	p->family = m->family;
	while ((r = attr_take(attrs, &at, &type, &value)) > 0) {
		r = pkt_attr(p, (uint16_t)(type & NLA_TYPE_MASK), value);
		if (r < 0)
			bad = r;
	}
	if (r == 0)
		r = bad;
	if (r == 0 && !(p->have & CTH_PKT_HEADER))
		r = -EBADMSG;
	return r;
}
