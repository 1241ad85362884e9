/* SPDX-License-Identifier: MIT */
/* uapi.c - our own numbers are the system's, wherever its headers have them. */
#include "unit.h"
#include "../../netlink/uapi.h"
#include "../../queue/queue.h"
#include "../../cthelper/flow.h"
#include <linux/netfilter/nf_conntrack_common.h>

static void our_numbers_are_the_systems(void **state)
{
	(void)state;
	assert_int_equal(CTH_NETLINK_CAP_ACK, NETLINK_CAP_ACK);
	assert_int_equal(CTH_NETLINK_EXT_ACK, NETLINK_EXT_ACK);
	assert_int_equal(CTH_NLM_F_DUMP_INTR, NLM_F_DUMP_INTR);
	assert_int_equal(CTH_NLM_F_CAPPED, NLM_F_CAPPED);
	assert_int_equal(CTH_NLM_F_ACK_TLVS, NLM_F_ACK_TLVS);
	assert_int_equal(CTH_NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_MSG);
	assert_int_equal(CTH_NLMSGERR_ATTR_OFFS, NLMSGERR_ATTR_OFFS);
	assert_int_equal(CTH_NLMSGERR_ATTR_COOKIE, NLMSGERR_ATTR_COOKIE);
	assert_int_equal(CTH_NLMSGERR_ATTR_POLICY, NLMSGERR_ATTR_POLICY);
	assert_int_equal(CTH_NLMSGERR_ATTR_MISS_TYPE, NLMSGERR_ATTR_MISS_TYPE);
	assert_int_equal(CTH_NLMSGERR_ATTR_MISS_NEST, NLMSGERR_ATTR_MISS_NEST);

	assert_int_equal(CTH_NFNL_SUBSYS_NFTABLES, NFNL_SUBSYS_NFTABLES);
	assert_int_equal(CTH_NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_BEGIN);
	assert_int_equal(CTH_NFNL_MSG_BATCH_END, NFNL_MSG_BATCH_END);

	assert_int_equal(CTH_NFQA_EXP, NFQA_EXP);
	assert_int_equal(CTH_NFQA_UID, NFQA_UID);
	assert_int_equal(CTH_NFQA_GID, NFQA_GID);
	assert_int_equal(CTH_NFQA_SECCTX, NFQA_SECCTX);
	assert_int_equal(CTH_NFQA_VLAN, NFQA_VLAN);
	assert_int_equal(CTH_NFQA_L2HDR, NFQA_L2HDR);
	assert_int_equal(CTH_NFQA_PRIORITY, NFQA_PRIORITY);
	/* NFQA_CGROUP_CLASSID is newer than Debian 12's headers; it follows the last of theirs. */
	assert_int_equal(CTH_NFQA_CGROUP_CLASSID, NFQA_PRIORITY + 1);
	assert_int_equal(CTH_NFQA_VLAN_PROTO, NFQA_VLAN_PROTO);
	assert_int_equal(CTH_NFQA_VLAN_TCI, NFQA_VLAN_TCI);
	assert_int_equal(CTH_NFQA_CFG_F_GSO, NFQA_CFG_F_GSO);
	assert_int_equal(CTH_NFQA_CFG_F_UID_GID, NFQA_CFG_F_UID_GID);
	assert_int_equal(CTH_NFQA_CFG_F_SECCTX, NFQA_CFG_F_SECCTX);

	assert_int_equal(CTH_CTA_LABELS, CTA_LABELS);
	assert_int_equal(CTH_CTA_LABELS_MASK, CTA_LABELS_MASK);
	assert_int_equal(CTH_CTA_SYNPROXY, CTA_SYNPROXY);
}

static void the_public_numbers_are_the_systems(void **state)
{
	(void)state;
	assert_int_equal(CTH_QUEUE_FAIL_OPEN, NFQA_CFG_F_FAIL_OPEN);
	assert_int_equal(CTH_QUEUE_CONNTRACK, NFQA_CFG_F_CONNTRACK);
	assert_int_equal(CTH_QUEUE_GSO, NFQA_CFG_F_GSO);
	assert_int_equal(CTH_QUEUE_UID_GID, NFQA_CFG_F_UID_GID);
	assert_int_equal(CTH_QUEUE_SECCTX, NFQA_CFG_F_SECCTX);
	assert_int_equal(CTH_COPY_META, NFQNL_COPY_META);
	assert_int_equal(CTH_COPY_PACKET, NFQNL_COPY_PACKET);
	assert_int_equal(CTH_SKB_CSUM_NOT_READY, NFQA_SKB_CSUMNOTREADY);
	assert_int_equal(CTH_SKB_GSO, NFQA_SKB_GSO);
	assert_int_equal(CTH_SKB_CSUM_NOT_VERIFIED, NFQA_SKB_CSUM_NOTVERIFIED);
	assert_int_equal(CTH_FLOW_EXPECTED, IPS_EXPECTED);
	assert_int_equal(CTH_FLOW_SEEN_REPLY, IPS_SEEN_REPLY);
	assert_int_equal(CTH_FLOW_ASSURED, IPS_ASSURED);
	assert_int_equal(CTH_FLOW_CONFIRMED, IPS_CONFIRMED);
	assert_int_equal(CTH_FLOW_SRC_NAT, IPS_SRC_NAT);
	assert_int_equal(CTH_FLOW_DST_NAT, IPS_DST_NAT);
	assert_int_equal(CTH_FLOW_SEQ_ADJUST, IPS_SEQ_ADJUST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_numbers_are_the_systems),
		cmocka_unit_test(the_public_numbers_are_the_systems),
	};

	return RUN(tests);
}
