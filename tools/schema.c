/* SPDX-License-Identifier: MIT */
/*
 * schema.c - ctnetlink, expectations, nfnetlink_queue and nfnetlink_cthelper, and
 * what netlink itself sends. Answers to linux/netlink.h and, in linux/netfilter/,
 * nfnetlink.h, nfnetlink_conntrack.h, nfnetlink_queue.h and nfnetlink_cthelper.h;
 * the tables stand in the order of those headers.
 */
#include <stdlib.h>
#include "schema.h"

const char schema_families[] =
	WORD(0, "UNSPEC")
	WORD(1, "INET")
	WORD(2, "IPV4")
	WORD(3, "ARP")
	WORD(5, "NETDEV")
	WORD(7, "BRIDGE")
	WORD(10, "IPV6");

static const char l3_protocols[] =
	WORD(2, "inet")
	WORD(10, "inet6");

static const char l4_protocols[] =
	WORD(1, "icmp")
	WORD(6, "tcp")
	WORD(17, "udp")
	WORD(33, "dccp")
	WORD(47, "gre")
	WORD(50, "esp")
	WORD(51, "ah")
	WORD(58, "icmpv6")
	WORD(132, "sctp")
	WORD(136, "udplite");

/* linux/netlink.h: extended acknowledgements */

static const char policy_types[] =
	WORD(0, "INVALID")
	WORD(1, "FLAG")
	WORD(2, "U8")
	WORD(3, "U16")
	WORD(4, "U32")
	WORD(5, "U64")
	WORD(6, "S8")
	WORD(7, "S16")
	WORD(8, "S32")
	WORD(9, "S64")
	WORD(10, "BINARY")
	WORD(11, "STRING")
	WORD(12, "NUL_STRING")
	WORD(13, "NESTED")
	WORD(14, "NESTED_ARRAY")
	WORD(15, "BITFIELD32")
	WORD(16, "SINT")
	WORD(17, "UINT");

static const struct schema_attr policy[] = {
	ATTR(1, "NL_POLICY_TYPE_ATTR_TYPE", S_HOST32, .words = policy_types),
	ATTR(2, "NL_POLICY_TYPE_ATTR_MIN_VALUE_S", S_HOST64, .sign = true),
	ATTR(3, "NL_POLICY_TYPE_ATTR_MAX_VALUE_S", S_HOST64, .sign = true),
	ATTR(4, "NL_POLICY_TYPE_ATTR_MIN_VALUE_U", S_HOST64),
	ATTR(5, "NL_POLICY_TYPE_ATTR_MAX_VALUE_U", S_HOST64),
	ATTR(6, "NL_POLICY_TYPE_ATTR_MIN_LENGTH", S_HOST32),
	ATTR(7, "NL_POLICY_TYPE_ATTR_MAX_LENGTH", S_HOST32),
	ATTR(8, "NL_POLICY_TYPE_ATTR_POLICY_IDX", S_HOST32),
	ATTR(9, "NL_POLICY_TYPE_ATTR_POLICY_MAXTYPE", S_HOST32),
	ATTR(10, "NL_POLICY_TYPE_ATTR_BITFIELD32_MASK", S_HOST32, .hex = true),
	ATTR(11, "NL_POLICY_TYPE_ATTR_PAD", S_BYTES),
	ATTR(12, "NL_POLICY_TYPE_ATTR_MASK", S_HOST64, .hex = true),
	END
};

const struct schema_attr schema_ext_ack[] = {
	ATTR(1, "NLMSGERR_ATTR_MSG", S_STRING),
	ATTR(2, "NLMSGERR_ATTR_OFFS", S_HOST32),
	ATTR(3, "NLMSGERR_ATTR_COOKIE", S_BYTES),
	ATTR(4, "NLMSGERR_ATTR_POLICY", S_NEST, .nest = policy),
	ATTR(5, "NLMSGERR_ATTR_MISS_TYPE", S_HOST32),
	ATTR(6, "NLMSGERR_ATTR_MISS_NEST", S_HOST32),
	END
};

/* linux/netfilter/nfnetlink_conntrack.h: what a flow consists of */

static const struct schema_attr tuple_ip[] = {
	ATTR(1, "CTA_IP_V4_SRC", S_IPV4),
	ATTR(2, "CTA_IP_V4_DST", S_IPV4),
	ATTR(3, "CTA_IP_V6_SRC", S_IPV6),
	ATTR(4, "CTA_IP_V6_DST", S_IPV6),
	END
};

static const struct schema_attr tuple_proto[] = {
	ATTR(1, "CTA_PROTO_NUM", S_U8, .words = l4_protocols),
	ATTR(2, "CTA_PROTO_SRC_PORT", S_BE16),
	ATTR(3, "CTA_PROTO_DST_PORT", S_BE16),
	ATTR(4, "CTA_PROTO_ICMP_ID", S_BE16),
	ATTR(5, "CTA_PROTO_ICMP_TYPE", S_U8),
	ATTR(6, "CTA_PROTO_ICMP_CODE", S_U8),
	ATTR(7, "CTA_PROTO_ICMPV6_ID", S_BE16),
	ATTR(8, "CTA_PROTO_ICMPV6_TYPE", S_U8),
	ATTR(9, "CTA_PROTO_ICMPV6_CODE", S_U8),
	END
};

static const struct schema_attr tuple[] = {
	ATTR(1, "CTA_TUPLE_IP", S_NEST, .nest = tuple_ip),
	ATTR(2, "CTA_TUPLE_PROTO", S_NEST, .nest = tuple_proto),
	ATTR(3, "CTA_TUPLE_ZONE", S_BE16),
	END
};

static const char status_bits[] =
	WORD(0x1, "EXPECTED")
	WORD(0x2, "SEEN_REPLY")
	WORD(0x4, "ASSURED")
	WORD(0x8, "CONFIRMED")
	WORD(0x10, "SRC_NAT")
	WORD(0x20, "DST_NAT")
	WORD(0x40, "SEQ_ADJUST")
	WORD(0x80, "SRC_NAT_DONE")
	WORD(0x100, "DST_NAT_DONE")
	WORD(0x200, "DYING")
	WORD(0x400, "FIXED_TIMEOUT")
	WORD(0x800, "TEMPLATE")
	WORD(0x1000, "UNTRACKED")
	WORD(0x2000, "HELPER")
	WORD(0x4000, "OFFLOAD")
	WORD(0x8000, "HW_OFFLOAD");

static const char tcp_states[] =
	WORD(0, "NONE")
	WORD(1, "SYN_SENT")
	WORD(2, "SYN_RECV")
	WORD(3, "ESTABLISHED")
	WORD(4, "FIN_WAIT")
	WORD(5, "CLOSE_WAIT")
	WORD(6, "LAST_ACK")
	WORD(7, "TIME_WAIT")
	WORD(8, "CLOSE")
	WORD(9, "SYN_SENT2");

static const char tcp_flag_bits[] =
	WORD(0x1, "WINDOW_SCALE")
	WORD(0x2, "SACK_PERM")
	WORD(0x4, "CLOSE_INIT")
	WORD(0x8, "BE_LIBERAL")
	WORD(0x10, "DATA_UNACKNOWLEDGED")
	WORD(0x20, "MAXACK_SET")
	WORD(0x40, "EXP_CHALLENGE_ACK")
	WORD(0x80, "SIMULTANEOUS_OPEN");

static const struct schema_attr tcp_flags[] = {
	FIELD("flags", S_U8, BITS(tcp_flag_bits)),
	FIELD("mask", S_U8, BITS(tcp_flag_bits)),
	END
};

static const struct schema_attr protoinfo_tcp[] = {
	ATTR(1, "CTA_PROTOINFO_TCP_STATE", S_U8, .words = tcp_states),
	ATTR(2, "CTA_PROTOINFO_TCP_WSCALE_ORIGINAL", S_U8),
	ATTR(3, "CTA_PROTOINFO_TCP_WSCALE_REPLY", S_U8),
	ATTR(4, "CTA_PROTOINFO_TCP_FLAGS_ORIGINAL", S_STRUCT, .nest = tcp_flags),
	ATTR(5, "CTA_PROTOINFO_TCP_FLAGS_REPLY", S_STRUCT, .nest = tcp_flags),
	END
};

static const char dccp_states[] =
	WORD(0, "NONE")
	WORD(1, "REQUEST")
	WORD(2, "RESPOND")
	WORD(3, "PARTOPEN")
	WORD(4, "OPEN")
	WORD(5, "CLOSEREQ")
	WORD(6, "CLOSING")
	WORD(7, "TIMEWAIT");

static const char dccp_roles[] =
	WORD(0, "CLIENT")
	WORD(1, "SERVER");

static const struct schema_attr protoinfo_dccp[] = {
	ATTR(1, "CTA_PROTOINFO_DCCP_STATE", S_U8, .words = dccp_states),
	ATTR(2, "CTA_PROTOINFO_DCCP_ROLE", S_U8, .words = dccp_roles),
	ATTR(3, "CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ", S_BE64),
	ATTR(4, "CTA_PROTOINFO_DCCP_PAD", S_BYTES),
	END
};

static const char sctp_states[] =
	WORD(0, "NONE")
	WORD(1, "CLOSED")
	WORD(2, "COOKIE_WAIT")
	WORD(3, "COOKIE_ECHOED")
	WORD(4, "ESTABLISHED")
	WORD(5, "SHUTDOWN_SENT")
	WORD(6, "SHUTDOWN_RECD")
	WORD(7, "SHUTDOWN_ACK_SENT")
	WORD(8, "HEARTBEAT_SENT");

static const struct schema_attr protoinfo_sctp[] = {
	ATTR(1, "CTA_PROTOINFO_SCTP_STATE", S_U8, .words = sctp_states),
	ATTR(2, "CTA_PROTOINFO_SCTP_VTAG_ORIGINAL", S_BE32, .hex = true),
	ATTR(3, "CTA_PROTOINFO_SCTP_VTAG_REPLY", S_BE32, .hex = true),
	END
};

static const struct schema_attr protoinfo[] = {
	ATTR(1, "CTA_PROTOINFO_TCP", S_NEST, .nest = protoinfo_tcp),
	ATTR(2, "CTA_PROTOINFO_DCCP", S_NEST, .nest = protoinfo_dccp),
	ATTR(3, "CTA_PROTOINFO_SCTP", S_NEST, .nest = protoinfo_sctp),
	END
};

static const struct schema_attr counters[] = {
	ATTR(1, "CTA_COUNTERS_PACKETS", S_BE64),
	ATTR(2, "CTA_COUNTERS_BYTES", S_BE64),
	ATTR(3, "CTA_COUNTERS32_PACKETS", S_BE32),
	ATTR(4, "CTA_COUNTERS32_BYTES", S_BE32),
	ATTR(5, "CTA_COUNTERS_PAD", S_BYTES),
	END
};

static const struct schema_attr timestamp[] = {
	ATTR(1, "CTA_TIMESTAMP_START", S_BE64),
	ATTR(2, "CTA_TIMESTAMP_STOP", S_BE64),
	ATTR(3, "CTA_TIMESTAMP_PAD", S_BYTES),
	END
};

static const struct schema_attr protonat[] = {
	ATTR(1, "CTA_PROTONAT_PORT_MIN", S_BE16),
	ATTR(2, "CTA_PROTONAT_PORT_MAX", S_BE16),
	END
};

static const struct schema_attr nat[] = {
	ATTR(1, "CTA_NAT_V4_MINIP", S_IPV4),
	ATTR(2, "CTA_NAT_V4_MAXIP", S_IPV4),
	ATTR(3, "CTA_NAT_PROTO", S_NEST, .nest = protonat),
	ATTR(4, "CTA_NAT_V6_MINIP", S_IPV6),
	ATTR(5, "CTA_NAT_V6_MAXIP", S_IPV6),
	END
};

static const struct schema_attr seqadj[] = {
	ATTR(1, "CTA_SEQADJ_CORRECTION_POS", S_BE32),
	ATTR(2, "CTA_SEQADJ_OFFSET_BEFORE", S_BE32, .sign = true),
	ATTR(3, "CTA_SEQADJ_OFFSET_AFTER", S_BE32, .sign = true),
	END
};

static const struct schema_attr synproxy[] = {
	ATTR(1, "CTA_SYNPROXY_ISN", S_BE32),
	ATTR(2, "CTA_SYNPROXY_ITS", S_BE32),
	ATTR(3, "CTA_SYNPROXY_TSOFF", S_BE32),
	END
};

static const struct schema_attr help[] = {
	ATTR(1, "CTA_HELP_NAME", S_STRING),
	ATTR(2, "CTA_HELP_INFO", S_BYTES),
	END
};

static const struct schema_attr secctx[] = {
	ATTR(1, "CTA_SECCTX_NAME", S_STRING),
	END
};

static const char filter_bits[] =
	WORD(0x1, "IP_SRC")
	WORD(0x2, "IP_DST")
	WORD(0x4, "ZONE")
	WORD(0x8, "PROTO_NUM")
	WORD(0x10, "PROTO_SRC_PORT")
	WORD(0x20, "PROTO_DST_PORT")
	WORD(0x40, "PROTO_ICMP_TYPE")
	WORD(0x80, "PROTO_ICMP_CODE")
	WORD(0x100, "PROTO_ICMP_ID")
	WORD(0x200, "PROTO_ICMPV6_TYPE")
	WORD(0x400, "PROTO_ICMPV6_CODE")
	WORD(0x800, "PROTO_ICMPV6_ID");

static const struct schema_attr filter[] = {
	ATTR(1, "CTA_FILTER_ORIG_FLAGS", S_HOST32, BITS(filter_bits)),
	ATTR(2, "CTA_FILTER_REPLY_FLAGS", S_HOST32, BITS(filter_bits)),
	END
};

static const struct schema_attr conntrack[] = {
	ATTR(1, "CTA_TUPLE_ORIG", S_NEST, .nest = tuple),
	ATTR(2, "CTA_TUPLE_REPLY", S_NEST, .nest = tuple),
	ATTR(3, "CTA_STATUS", S_BE32, BITS(status_bits)),
	ATTR(4, "CTA_PROTOINFO", S_NEST, .nest = protoinfo),
	ATTR(5, "CTA_HELP", S_NEST, .nest = help),
	ATTR(6, "CTA_NAT_SRC", S_NEST, .nest = nat),
	ATTR(7, "CTA_TIMEOUT", S_BE32),
	ATTR(8, "CTA_MARK", S_BE32, .hex = true),
	ATTR(9, "CTA_COUNTERS_ORIG", S_NEST, .nest = counters),
	ATTR(10, "CTA_COUNTERS_REPLY", S_NEST, .nest = counters),
	ATTR(11, "CTA_USE", S_BE32),
	ATTR(12, "CTA_ID", S_BE32, .hex = true),
	ATTR(13, "CTA_NAT_DST", S_NEST, .nest = nat),
	ATTR(14, "CTA_TUPLE_MASTER", S_NEST, .nest = tuple),
	ATTR(15, "CTA_SEQ_ADJ_ORIG", S_NEST, .nest = seqadj),
	ATTR(16, "CTA_SEQ_ADJ_REPLY", S_NEST, .nest = seqadj),
	ATTR(17, "CTA_SECMARK", S_BE32),
	ATTR(18, "CTA_ZONE", S_BE16),
	ATTR(19, "CTA_SECCTX", S_NEST, .nest = secctx),
	ATTR(20, "CTA_TIMESTAMP", S_NEST, .nest = timestamp),
	ATTR(21, "CTA_MARK_MASK", S_BE32, .hex = true),
	ATTR(22, "CTA_LABELS", S_WORDS),
	ATTR(23, "CTA_LABELS_MASK", S_WORDS),
	ATTR(24, "CTA_SYNPROXY", S_NEST, .nest = synproxy),
	ATTR(25, "CTA_FILTER", S_NEST, .nest = filter),
	ATTR(26, "CTA_STATUS_MASK", S_BE32, BITS(status_bits)),
	ATTR(27, "CTA_TIMESTAMP_EVENT", S_BE64),
	END
};

static const char directions[] =
	WORD(0, "ORIGINAL")
	WORD(1, "REPLY");

static const struct schema_attr expect_nat[] = {
	ATTR(1, "CTA_EXPECT_NAT_DIR", S_BE32, .words = directions),
	ATTR(2, "CTA_EXPECT_NAT_TUPLE", S_NEST, .nest = tuple),
	END
};

static const char expect_bits[] =
	WORD(0x1, "PERMANENT")
	WORD(0x2, "INACTIVE")
	WORD(0x4, "USERSPACE");

static const struct schema_attr expect[] = {
	ATTR(1, "CTA_EXPECT_MASTER", S_NEST, .nest = tuple),
	ATTR(2, "CTA_EXPECT_TUPLE", S_NEST, .nest = tuple),
	ATTR(3, "CTA_EXPECT_MASK", S_NEST, .nest = tuple),
	ATTR(4, "CTA_EXPECT_TIMEOUT", S_BE32),
	ATTR(5, "CTA_EXPECT_ID", S_BE32, .hex = true),
	ATTR(6, "CTA_EXPECT_HELP_NAME", S_STRING),
	ATTR(7, "CTA_EXPECT_ZONE", S_BE16),
	ATTR(8, "CTA_EXPECT_FLAGS", S_BE32, BITS(expect_bits)),
	ATTR(9, "CTA_EXPECT_CLASS", S_BE32),
	ATTR(10, "CTA_EXPECT_NAT", S_NEST, .nest = expect_nat),
	ATTR(11, "CTA_EXPECT_FN", S_STRING),
	END
};

static const struct schema_attr stats_cpu[] = {
	ATTR(1, "CTA_STATS_SEARCHED", S_BE32),
	ATTR(2, "CTA_STATS_FOUND", S_BE32),
	ATTR(3, "CTA_STATS_NEW", S_BE32),
	ATTR(4, "CTA_STATS_INVALID", S_BE32),
	ATTR(5, "CTA_STATS_IGNORE", S_BE32),
	ATTR(6, "CTA_STATS_DELETE", S_BE32),
	ATTR(7, "CTA_STATS_DELETE_LIST", S_BE32),
	ATTR(8, "CTA_STATS_INSERT", S_BE32),
	ATTR(9, "CTA_STATS_INSERT_FAILED", S_BE32),
	ATTR(10, "CTA_STATS_DROP", S_BE32),
	ATTR(11, "CTA_STATS_EARLY_DROP", S_BE32),
	ATTR(12, "CTA_STATS_ERROR", S_BE32),
	ATTR(13, "CTA_STATS_SEARCH_RESTART", S_BE32),
	ATTR(14, "CTA_STATS_CLASH_RESOLVE", S_BE32),
	ATTR(15, "CTA_STATS_CHAIN_TOOLONG", S_BE32),
	END
};

static const struct schema_attr stats_global[] = {
	ATTR(1, "CTA_STATS_GLOBAL_ENTRIES", S_BE32),
	ATTR(2, "CTA_STATS_GLOBAL_MAX_ENTRIES", S_BE32),
	END
};

static const struct schema_attr stats_expect[] = {
	ATTR(1, "CTA_STATS_EXP_NEW", S_BE32),
	ATTR(2, "CTA_STATS_EXP_CREATE", S_BE32),
	ATTR(3, "CTA_STATS_EXP_DELETE", S_BE32),
	END
};

/* The kernel answers EXP_GET_STATS_CPU under the number, but in ctnetlink's subsystem. */
static const struct schema_message conntrack_messages[] = {
	MESSAGE(0, S_NEW, "IPCTNL_MSG_CT_NEW", conntrack),
	MESSAGE(1, S_GET, "IPCTNL_MSG_CT_GET", conntrack),
	MESSAGE(2, S_DELETE, "IPCTNL_MSG_CT_DELETE", conntrack),
	MESSAGE(3, S_GET, "IPCTNL_MSG_EXP_GET_STATS_CPU", stats_expect, .answer = true),
	MESSAGE(3, S_GET, "IPCTNL_MSG_CT_GET_CTRZERO", conntrack),
	MESSAGE(4, S_GET, "IPCTNL_MSG_CT_GET_STATS_CPU", stats_cpu),
	MESSAGE(5, S_GET, "IPCTNL_MSG_CT_GET_STATS", stats_global),
	MESSAGE(6, S_GET, "IPCTNL_MSG_CT_GET_DYING", conntrack),
	MESSAGE(7, S_GET, "IPCTNL_MSG_CT_GET_UNCONFIRMED", conntrack),
	END
};

static const struct schema_message expect_messages[] = {
	MESSAGE(0, S_NEW, "IPCTNL_MSG_EXP_NEW", expect),
	MESSAGE(1, S_GET, "IPCTNL_MSG_EXP_GET", expect),
	MESSAGE(2, S_DELETE, "IPCTNL_MSG_EXP_DELETE", expect),
	MESSAGE(3, S_GET, "IPCTNL_MSG_EXP_GET_STATS_CPU", stats_expect),
	END
};

/* linux/netfilter/nfnetlink_queue.h */

static const char hooks[] =
	WORD(0, "PRE_ROUTING")
	WORD(1, "LOCAL_IN")
	WORD(2, "FORWARD")
	WORD(3, "LOCAL_OUT")
	WORD(4, "POST_ROUTING");

static const struct schema_attr packet_hdr[] = {
	FIELD("id", S_BE32),
	FIELD("hw_protocol", S_BE16, .hex = true),
	FIELD("hook", S_U8, .words = hooks),
	END
};

static const struct schema_attr packet_timestamp[] = {
	FIELD("sec", S_BE64),
	FIELD("usec", S_BE64),
	END
};

static const struct schema_attr vlan[] = {
	ATTR(1, "NFQA_VLAN_PROTO", S_BE16, .hex = true),
	ATTR(2, "NFQA_VLAN_TCI", S_BE16, .hex = true),
	END
};

static const char verdicts[] =
	WORD(0, "DROP")
	WORD(1, "ACCEPT")
	WORD(2, "STOLEN")
	WORD(3, "QUEUE")
	WORD(4, "REPEAT")
	WORD(5, "STOP");

static const struct schema_attr verdict_hdr[] = {
	FIELD("verdict", S_BE32, .hex = true, .verdict = true, .words = verdicts),
	FIELD("id", S_BE32),
	END
};

static const char ct_infos[] =
	WORD(0, "ESTABLISHED")
	WORD(1, "RELATED")
	WORD(2, "NEW")
	WORD(3, "ESTABLISHED_REPLY")
	WORD(4, "RELATED_REPLY");

static const char skb_bits[] =
	WORD(0x1, "CSUMNOTREADY")
	WORD(0x2, "GSO")
	WORD(0x4, "CSUM_NOTVERIFIED");

static const struct schema_attr packet[] = {
	ATTR(1, "NFQA_PACKET_HDR", S_STRUCT, .nest = packet_hdr),
	ATTR(2, "NFQA_VERDICT_HDR", S_STRUCT, .nest = verdict_hdr),
	ATTR(3, "NFQA_MARK", S_BE32, .hex = true),
	ATTR(4, "NFQA_TIMESTAMP", S_STRUCT, .nest = packet_timestamp),
	ATTR(5, "NFQA_IFINDEX_INDEV", S_BE32),
	ATTR(6, "NFQA_IFINDEX_OUTDEV", S_BE32),
	ATTR(7, "NFQA_IFINDEX_PHYSINDEV", S_BE32),
	ATTR(8, "NFQA_IFINDEX_PHYSOUTDEV", S_BE32),
	ATTR(9, "NFQA_HWADDR", S_HWADDR),
	ATTR(10, "NFQA_PAYLOAD", S_PACKET),
	ATTR(11, "NFQA_CT", S_NEST, .nest = conntrack),
	ATTR(12, "NFQA_CT_INFO", S_BE32, .words = ct_infos),
	ATTR(13, "NFQA_CAP_LEN", S_BE32),
	ATTR(14, "NFQA_SKB_INFO", S_BE32, BITS(skb_bits)),
	ATTR(15, "NFQA_EXP", S_NEST, .nest = expect),
	ATTR(16, "NFQA_UID", S_BE32),
	ATTR(17, "NFQA_GID", S_BE32),
	ATTR(18, "NFQA_SECCTX", S_TEXT),
	ATTR(19, "NFQA_VLAN", S_NEST, .nest = vlan),
	ATTR(20, "NFQA_L2HDR", S_BYTES),
	ATTR(21, "NFQA_PRIORITY", S_BE32, .hex = true),
	ATTR(22, "NFQA_CGROUP_CLASSID", S_BE32, .hex = true),
	END
};

static const char config_commands[] =
	WORD(0, "NONE")
	WORD(1, "BIND")
	WORD(2, "UNBIND")
	WORD(3, "PF_BIND")
	WORD(4, "PF_UNBIND");

static const struct schema_attr config_cmd[] = {
	FIELD("command", S_U8, .words = config_commands),
	FIELD("pad", S_U8),
	FIELD("pf", S_BE16),
	END
};

static const char copy_modes[] =
	WORD(0, "NONE")
	WORD(1, "META")
	WORD(2, "PACKET");

static const struct schema_attr config_params[] = {
	FIELD("copy_range", S_BE32),
	FIELD("copy_mode", S_U8, .words = copy_modes),
	END
};

static const char config_bits[] =
	WORD(0x1, "FAIL_OPEN")
	WORD(0x2, "CONNTRACK")
	WORD(0x4, "GSO")
	WORD(0x8, "UID_GID")
	WORD(0x10, "SECCTX");

static const struct schema_attr config[] = {
	ATTR(1, "NFQA_CFG_CMD", S_STRUCT, .nest = config_cmd),
	ATTR(2, "NFQA_CFG_PARAMS", S_STRUCT, .nest = config_params),
	ATTR(3, "NFQA_CFG_QUEUE_MAXLEN", S_BE32),
	ATTR(4, "NFQA_CFG_MASK", S_BE32, BITS(config_bits)),
	ATTR(5, "NFQA_CFG_FLAGS", S_BE32, BITS(config_bits)),
	END
};

static const struct schema_message queue_messages[] = {
	MESSAGE(0, S_OTHER, "NFQNL_MSG_PACKET", packet),
	MESSAGE(1, S_OTHER, "NFQNL_MSG_VERDICT", packet),
	MESSAGE(2, S_OTHER, "NFQNL_MSG_CONFIG", config),
	MESSAGE(3, S_OTHER, "NFQNL_MSG_VERDICT_BATCH", packet),
	END
};

/* linux/netfilter/nfnetlink_cthelper.h */

static const char helper_status[] =
	WORD(0, "DISABLED")
	WORD(1, "ENABLED");

static const struct schema_attr helper_tuple[] = {
	ATTR(1, "NFCTH_TUPLE_L3PROTONUM", S_BE16, .words = l3_protocols),
	ATTR(2, "NFCTH_TUPLE_L4PROTONUM", S_U8, .words = l4_protocols),
	END
};

static const struct schema_attr helper_policy[] = {
	ATTR(1, "NFCTH_POLICY_NAME", S_STRING),
	ATTR(2, "NFCTH_POLICY_EXPECT_MAX", S_BE32),
	ATTR(3, "NFCTH_POLICY_EXPECT_TIMEOUT", S_BE32),
	END
};

static const struct schema_attr helper_policies[] = {
	ATTR(1, "NFCTH_POLICY_SET_NUM", S_BE32),
	ATTR(2, "NFCTH_POLICY_SET1", S_NEST, .nest = helper_policy),
	ATTR(3, "NFCTH_POLICY_SET2", S_NEST, .nest = helper_policy),
	ATTR(4, "NFCTH_POLICY_SET3", S_NEST, .nest = helper_policy),
	ATTR(5, "NFCTH_POLICY_SET4", S_NEST, .nest = helper_policy),
	END
};

static const struct schema_attr helper[] = {
	ATTR(1, "NFCTH_NAME", S_STRING),
	ATTR(2, "NFCTH_TUPLE", S_NEST, .nest = helper_tuple),
	ATTR(3, "NFCTH_QUEUE_NUM", S_BE32),
	ATTR(4, "NFCTH_POLICY", S_NEST, .nest = helper_policies),
	ATTR(5, "NFCTH_PRIV_DATA_LEN", S_BE32),
	ATTR(6, "NFCTH_STATUS", S_BE32, .words = helper_status),
	END
};

static const struct schema_message helper_messages[] = {
	MESSAGE(0, S_NEW, "NFNL_MSG_CTHELPER_NEW", helper),
	MESSAGE(1, S_GET, "NFNL_MSG_CTHELPER_GET", helper),
	MESSAGE(2, S_DELETE, "NFNL_MSG_CTHELPER_DEL", helper),
	END
};

/* linux/netfilter/nfnetlink.h */

static const struct schema_message unknown_messages[] = { END };

static const struct schema_subsystem subsystems[] = {
	{ 0, "NONE", schema_nft_batch },
	{ 1, "CTNETLINK", conntrack_messages },
	{ 2, "CTNETLINK_EXP", expect_messages },
	{ 3, "QUEUE", queue_messages },
	{ 4, "ULOG", unknown_messages },
	{ 5, "OSF", unknown_messages },
	{ 6, "IPSET", unknown_messages },
	{ 7, "ACCT", unknown_messages },
	{ 8, "CTNETLINK_TIMEOUT", unknown_messages },
	{ 9, "CTHELPER", helper_messages },
	{ 10, "NFTABLES", schema_nft_messages },
	{ 11, "NFT_COMPAT", schema_nft_compat },
	{ 12, "HOOK", unknown_messages },
	END
};

const struct schema_subsystem *schema_subsystem(uint16_t type)
{
	for (const struct schema_subsystem *s = subsystems; s->name; s++)
		if (s->number == type >> 8)
			return s;
	return NULL;
}

const struct schema_message *schema_message(uint16_t type, bool request)
{
	const struct schema_subsystem *s = schema_subsystem(type);

	if (!s)
		return NULL;
	for (const struct schema_message *m = s->messages; m->name; m++)
		if (m->number == (type & 0xff) && !(m->answer && request))
			return m;
	return NULL;
}

const struct schema_attr *schema_attr(const struct schema_attr *table, uint16_t type)
{
	for (const struct schema_attr *a = table; a && a->name; a++)
		if (a->type == type)
			return a;
	return NULL;
}

bool schema_next_word(const char **words, struct schema_word *w)
{
	char *blank;

	if (!*words || !**words)
		return false;
	w->value = (uint32_t)strtoul(*words, &blank, 0);
	w->name = blank + 1;
	*words = w->name + strlen(w->name) + 1;
	return true;
}

const char *schema_word(const char *words, uint32_t value)
{
	struct schema_word w;

	while (schema_next_word(&words, &w))
		if (w.value == value)
			return w.name;
	return NULL;
}

static uint16_t load16(const uint8_t *p, bool foreign)
{
	const uint8_t turned[2] = { p[1], p[0] };

	return cth_host16(foreign ? turned : p);
}

/* The value of the level's last attribute of a type. */
static struct cth_span sibling(struct cth_span level, uint16_t type, bool foreign)
{
	struct cth_span found = cth_span(NULL, 0);

	while (level.n >= 4) {
		size_t n = load16(level.p, foreign), padded = (n + 3) & ~(size_t)3;

		if (n < 4 || n > level.n)
			break;
		if ((load16(level.p + 2, foreign) & 0x3fff) == type)
			found = cth_span(level.p + 4, n - 4);
		if (padded > level.n)
			break;
		level = cth_span(level.p + padded, level.n - padded);
	}
	return found;
}

static bool chooses(const struct schema_choice *c, struct cth_span key)
{
	if (!key.p)
		return false;
	if (!c->key)
		return key.n == 4 && cth_be32(key.p) == c->number;
	if (key.n && key.p[key.n - 1] == 0)
		key.n--;
	return key.n == strlen(c->key) && memcmp(key.p, c->key, key.n) == 0;
}

const struct schema_attr *schema_choice(const struct schema_attr *table, struct cth_span level,
					bool foreign)
{
	const struct schema_attr *a = table;
	struct cth_span key;

	while (a && a->name && a->kind != S_CHOICE)
		a++;
	if (!a || !a->name)
		return NULL;
	key = sibling(level, a->by, foreign);
	for (const struct schema_choice *c = a->choices; c->nest; c++)
		if (chooses(c, key))
			return c->nest;
	return NULL;
}
