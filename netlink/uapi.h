/* SPDX-License-Identifier: MIT */
/*
 * uapi.h - private: the kernel's headers, and the numbers that they lack where
 * they are old. Headers of Linux 3.10 are enough to build; test/unit/uapi.c proves
 * every number here equal to the system's where the system has it.
 *
 * Only .c files include this one: <linux/...> clashes with libc's network headers,
 * so no public header of ours may lead there.
 */
#ifndef CTH_UAPI_H
#define CTH_UAPI_H

#include <linux/netlink.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_cthelper.h>
#include <linux/netfilter/nfnetlink_queue.h>

/* linux/netlink.h: socket options, flags and extended ACKs, 4.3 and 4.12 */
#define CTH_NETLINK_CAP_ACK         10
#define CTH_NETLINK_EXT_ACK         11
#define CTH_NLM_F_DUMP_INTR         0x10
#define CTH_NLM_F_CAPPED            0x100
#define CTH_NLM_F_ACK_TLVS          0x200
#define CTH_NLMSGERR_ATTR_MSG       1
#define CTH_NLMSGERR_ATTR_OFFS      2
#define CTH_NLMSGERR_ATTR_COOKIE    3
#define CTH_NLMSGERR_ATTR_POLICY    4
#define CTH_NLMSGERR_ATTR_MISS_TYPE 5
#define CTH_NLMSGERR_ATTR_MISS_NEST 6

/* linux/netfilter/nfnetlink.h: batches, 3.13 */
#define CTH_NFNL_SUBSYS_NFTABLES  10
#define CTH_NFNL_MSG_BATCH_BEGIN  0x10
#define CTH_NFNL_MSG_BATCH_END    0x11

/* linux/netfilter/nfnetlink_queue.h: 3.12 to 6.12 */
#define CTH_NFQA_EXP              15
#define CTH_NFQA_UID              16
#define CTH_NFQA_GID              17
#define CTH_NFQA_SECCTX           18
#define CTH_NFQA_VLAN             19
#define CTH_NFQA_L2HDR            20
#define CTH_NFQA_PRIORITY         21
#define CTH_NFQA_CGROUP_CLASSID   22
#define CTH_NFQA_VLAN_PROTO       1
#define CTH_NFQA_VLAN_TCI         2
#define CTH_NFQA_CFG_F_GSO        (1 << 2)
#define CTH_NFQA_CFG_F_UID_GID    (1 << 3)
#define CTH_NFQA_CFG_F_SECCTX     (1 << 4)

/* linux/netfilter/nfnetlink_conntrack.h: 3.9 to 4.10 */
#define CTH_CTA_LABELS            22
#define CTH_CTA_LABELS_MASK       23
#define CTH_CTA_SYNPROXY          24

#endif
