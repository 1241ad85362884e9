/* SPDX-License-Identifier: MIT */
/*
 * schema_nft.c - nf_tables, as far as rules that give flows a helper go: tables,
 * chains, rules, objects, and the expressions that stand in such rules or that
 * iptables and nft put beside them. Answers to linux/netfilter/nf_tables.h,
 * nf_tables_compat.h and nfnetlink.h. Integers are big-endian throughout; what is
 * compared and loaded is in the order of its register, which nothing here tells. Strings
 * may lack their NUL.
 */
#include "schema.h"

static const struct schema_attr batch[] = {
	ATTR(1, "NFNL_BATCH_GENID", S_BE32),
	END
};

const struct schema_message schema_nft_batch[] = {
	MESSAGE(16, S_OTHER, "NFNL_MSG_BATCH_BEGIN", batch),
	MESSAGE(17, S_OTHER, "NFNL_MSG_BATCH_END", batch),
	END
};

/* What rules compute with */

static const char verdict_codes[] =
	WORD(0, "DROP")
	WORD(1, "ACCEPT")
	WORD(3, "QUEUE")
	WORD(0xffffffff, "CONTINUE")
	WORD(0xfffffffe, "BREAK")
	WORD(0xfffffffd, "JUMP")
	WORD(0xfffffffc, "GOTO")
	WORD(0xfffffffb, "RETURN");

static const struct schema_attr verdict[] = {
	ATTR(1, "NFTA_VERDICT_CODE", S_BE32, .sign = true, .words = verdict_codes),
	ATTR(2, "NFTA_VERDICT_CHAIN", S_TEXT),
	ATTR(3, "NFTA_VERDICT_CHAIN_ID", S_BE32),
	END
};

static const struct schema_attr data[] = {
	ATTR(1, "NFTA_DATA_VALUE", S_BYTES),
	ATTR(2, "NFTA_DATA_VERDICT", S_NEST, .nest = verdict),
	END
};

static const struct schema_attr immediate[] = {
	ATTR(1, "NFTA_IMMEDIATE_DREG", S_BE32),
	ATTR(2, "NFTA_IMMEDIATE_DATA", S_NEST, .nest = data),
	END
};

static const char bitwise_ops[] =
	WORD(0, "MASK_XOR")
	WORD(1, "LSHIFT")
	WORD(2, "RSHIFT");

static const struct schema_attr bitwise[] = {
	ATTR(1, "NFTA_BITWISE_SREG", S_BE32),
	ATTR(2, "NFTA_BITWISE_DREG", S_BE32),
	ATTR(3, "NFTA_BITWISE_LEN", S_BE32),
	ATTR(4, "NFTA_BITWISE_MASK", S_NEST, .nest = data),
	ATTR(5, "NFTA_BITWISE_XOR", S_NEST, .nest = data),
	ATTR(6, "NFTA_BITWISE_OP", S_BE32, .words = bitwise_ops),
	ATTR(7, "NFTA_BITWISE_DATA", S_NEST, .nest = data),
	END
};

static const char cmp_ops[] =
	WORD(0, "EQ")
	WORD(1, "NEQ")
	WORD(2, "LT")
	WORD(3, "LTE")
	WORD(4, "GT")
	WORD(5, "GTE");

static const struct schema_attr cmp[] = {
	ATTR(1, "NFTA_CMP_SREG", S_BE32),
	ATTR(2, "NFTA_CMP_OP", S_BE32, .words = cmp_ops),
	ATTR(3, "NFTA_CMP_DATA", S_NEST, .nest = data),
	END
};

static const struct schema_attr range[] = {
	ATTR(1, "NFTA_RANGE_SREG", S_BE32),
	ATTR(2, "NFTA_RANGE_OP", S_BE32, .words = cmp_ops),
	ATTR(3, "NFTA_RANGE_FROM_DATA", S_NEST, .nest = data),
	ATTR(4, "NFTA_RANGE_TO_DATA", S_NEST, .nest = data),
	END
};

static const struct schema_attr lookup[] = {
	ATTR(1, "NFTA_LOOKUP_SET", S_TEXT),
	ATTR(2, "NFTA_LOOKUP_SREG", S_BE32),
	ATTR(3, "NFTA_LOOKUP_DREG", S_BE32),
	ATTR(4, "NFTA_LOOKUP_SET_ID", S_BE32),
	ATTR(5, "NFTA_LOOKUP_FLAGS", S_BE32, .hex = true),
	END
};

static const char payload_bases[] =
	WORD(0, "LL_HEADER")
	WORD(1, "NETWORK_HEADER")
	WORD(2, "TRANSPORT_HEADER")
	WORD(3, "INNER_HEADER");

static const struct schema_attr payload[] = {
	ATTR(1, "NFTA_PAYLOAD_DREG", S_BE32),
	ATTR(2, "NFTA_PAYLOAD_BASE", S_BE32, .words = payload_bases),
	ATTR(3, "NFTA_PAYLOAD_OFFSET", S_BE32),
	ATTR(4, "NFTA_PAYLOAD_LEN", S_BE32),
	ATTR(5, "NFTA_PAYLOAD_SREG", S_BE32),
	ATTR(6, "NFTA_PAYLOAD_CSUM_TYPE", S_BE32),
	ATTR(7, "NFTA_PAYLOAD_CSUM_OFFSET", S_BE32),
	ATTR(8, "NFTA_PAYLOAD_CSUM_FLAGS", S_BE32, .hex = true),
	END
};

static const char meta_keys[] =
	WORD(0, "LEN")
	WORD(1, "PROTOCOL")
	WORD(2, "PRIORITY")
	WORD(3, "MARK")
	WORD(4, "IIF")
	WORD(5, "OIF")
	WORD(6, "IIFNAME")
	WORD(7, "OIFNAME")
	WORD(8, "IIFTYPE")
	WORD(9, "OIFTYPE")
	WORD(10, "SKUID")
	WORD(11, "SKGID")
	WORD(12, "NFTRACE")
	WORD(13, "RTCLASSID")
	WORD(14, "SECMARK")
	WORD(15, "NFPROTO")
	WORD(16, "L4PROTO");

static const struct schema_attr meta[] = {
	ATTR(1, "NFTA_META_DREG", S_BE32),
	ATTR(2, "NFTA_META_KEY", S_BE32, .words = meta_keys),
	ATTR(3, "NFTA_META_SREG", S_BE32),
	END
};

static const char ct_keys[] =
	WORD(0, "STATE")
	WORD(1, "DIRECTION")
	WORD(2, "STATUS")
	WORD(3, "MARK")
	WORD(4, "SECMARK")
	WORD(5, "EXPIRATION")
	WORD(6, "HELPER")
	WORD(7, "L3PROTOCOL")
	WORD(8, "SRC")
	WORD(9, "DST")
	WORD(10, "PROTOCOL")
	WORD(11, "PROTO_SRC")
	WORD(12, "PROTO_DST")
	WORD(13, "LABELS");

static const struct schema_attr ct[] = {
	ATTR(1, "NFTA_CT_DREG", S_BE32),
	ATTR(2, "NFTA_CT_KEY", S_BE32, .words = ct_keys),
	ATTR(3, "NFTA_CT_DIRECTION", S_U8),
	ATTR(4, "NFTA_CT_SREG", S_BE32),
	END
};

static const struct schema_attr counter[] = {
	ATTR(1, "NFTA_COUNTER_BYTES", S_BE64),
	ATTR(2, "NFTA_COUNTER_PACKETS", S_BE64),
	ATTR(3, "NFTA_COUNTER_PAD", S_BYTES),
	END
};

static const struct schema_attr queue[] = {
	ATTR(1, "NFTA_QUEUE_NUM", S_BE16),
	ATTR(2, "NFTA_QUEUE_TOTAL", S_BE16),
	ATTR(3, "NFTA_QUEUE_FLAGS", S_BE16, .hex = true),
	ATTR(4, "NFTA_QUEUE_SREG_QNUM", S_BE32),
	END
};

static const struct schema_attr masq[] = {
	ATTR(1, "NFTA_MASQ_FLAGS", S_BE32, .hex = true),
	ATTR(2, "NFTA_MASQ_REG_PROTO_MIN", S_BE32),
	ATTR(3, "NFTA_MASQ_REG_PROTO_MAX", S_BE32),
	END
};

static const char object_types[] =
	WORD(1, "COUNTER")
	WORD(2, "QUOTA")
	WORD(3, "CT_HELPER")
	WORD(4, "LIMIT")
	WORD(5, "CONNLIMIT")
	WORD(6, "TUNNEL")
	WORD(7, "CT_TIMEOUT")
	WORD(8, "SECMARK")
	WORD(9, "CT_EXPECT")
	WORD(10, "SYNPROXY");

static const struct schema_attr objref[] = {
	ATTR(1, "NFTA_OBJREF_IMM_TYPE", S_BE32, .words = object_types),
	ATTR(2, "NFTA_OBJREF_IMM_NAME", S_TEXT),
	ATTR(3, "NFTA_OBJREF_SET_SREG", S_BE32),
	ATTR(4, "NFTA_OBJREF_SET_NAME", S_TEXT),
	ATTR(5, "NFTA_OBJREF_SET_ID", S_BE32),
	END
};

/* iptables' own matches and targets: their parameters are structures of the host. */

static const struct schema_attr match[] = {
	ATTR(1, "NFTA_MATCH_NAME", S_TEXT),
	ATTR(2, "NFTA_MATCH_REV", S_BE32),
	ATTR(3, "NFTA_MATCH_INFO", S_BYTES),
	END
};

static const struct schema_attr target[] = {
	ATTR(1, "NFTA_TARGET_NAME", S_TEXT),
	ATTR(2, "NFTA_TARGET_REV", S_BE32),
	ATTR(3, "NFTA_TARGET_INFO", S_BYTES),
	END
};

static const struct schema_choice expressions[] = {
	{ "bitwise", 0, bitwise },
	{ "cmp", 0, cmp },
	{ "counter", 0, counter },
	{ "ct", 0, ct },
	{ "immediate", 0, immediate },
	{ "lookup", 0, lookup },
	{ "masq", 0, masq },
	{ "match", 0, match },
	{ "meta", 0, meta },
	{ "objref", 0, objref },
	{ "payload", 0, payload },
	{ "queue", 0, queue },
	{ "range", 0, range },
	{ "target", 0, target },
	END_CHOICE
};

static const struct schema_attr expr[] = {
	ATTR(1, "NFTA_EXPR_NAME", S_TEXT),
	ATTR(2, "NFTA_EXPR_DATA", S_CHOICE, .choices = expressions, .by = 1),
	END
};

static const struct schema_attr expr_list[] = {
	ATTR(1, "NFTA_LIST_ELEM", S_NEST, .nest = expr),
	END
};

/* Tables, chains, rules, objects */

static const char table_bits[] =
	WORD(0x1, "DORMANT")
	WORD(0x2, "OWNER")
	WORD(0x4, "PERSIST");

static const struct schema_attr table[] = {
	ATTR(1, "NFTA_TABLE_NAME", S_TEXT),
	ATTR(2, "NFTA_TABLE_FLAGS", S_BE32, BITS(table_bits)),
	ATTR(3, "NFTA_TABLE_USE", S_BE32),
	ATTR(4, "NFTA_TABLE_HANDLE", S_BE64),
	ATTR(5, "NFTA_TABLE_PAD", S_BYTES),
	ATTR(6, "NFTA_TABLE_USERDATA", S_BYTES),
	ATTR(7, "NFTA_TABLE_OWNER", S_BE32),
	END
};

static const struct schema_attr hook[] = {
	ATTR(1, "NFTA_HOOK_HOOKNUM", S_BE32), /* what it means depends on the family */
	ATTR(2, "NFTA_HOOK_PRIORITY", S_BE32, .sign = true),
	ATTR(3, "NFTA_HOOK_DEV", S_TEXT),
	ATTR(4, "NFTA_HOOK_DEVS", S_NEST),
	END
};

static const char policies[] =
	WORD(0, "DROP")
	WORD(1, "ACCEPT");

static const char chain_bits[] =
	WORD(0x1, "BASE")
	WORD(0x2, "HW_OFFLOAD")
	WORD(0x4, "BINDING");

static const struct schema_attr chain[] = {
	ATTR(1, "NFTA_CHAIN_TABLE", S_TEXT),
	ATTR(2, "NFTA_CHAIN_HANDLE", S_BE64),
	ATTR(3, "NFTA_CHAIN_NAME", S_TEXT),
	ATTR(4, "NFTA_CHAIN_HOOK", S_NEST, .nest = hook),
	ATTR(5, "NFTA_CHAIN_POLICY", S_BE32, .words = policies),
	ATTR(6, "NFTA_CHAIN_USE", S_BE32),
	ATTR(7, "NFTA_CHAIN_TYPE", S_TEXT),
	ATTR(8, "NFTA_CHAIN_COUNTERS", S_NEST, .nest = counter),
	ATTR(9, "NFTA_CHAIN_PAD", S_BYTES),
	ATTR(10, "NFTA_CHAIN_FLAGS", S_BE32, BITS(chain_bits)),
	ATTR(11, "NFTA_CHAIN_ID", S_BE32),
	ATTR(12, "NFTA_CHAIN_USERDATA", S_BYTES),
	END
};

static const struct schema_attr rule_compat[] = {
	ATTR(1, "NFTA_RULE_COMPAT_PROTO", S_BE32),
	ATTR(2, "NFTA_RULE_COMPAT_FLAGS", S_BE32, .hex = true),
	END
};

static const struct schema_attr rule[] = {
	ATTR(1, "NFTA_RULE_TABLE", S_TEXT),
	ATTR(2, "NFTA_RULE_CHAIN", S_TEXT),
	ATTR(3, "NFTA_RULE_HANDLE", S_BE64),
	ATTR(4, "NFTA_RULE_EXPRESSIONS", S_NEST, .nest = expr_list),
	ATTR(5, "NFTA_RULE_COMPAT", S_NEST, .nest = rule_compat),
	ATTR(6, "NFTA_RULE_POSITION", S_BE64),
	ATTR(7, "NFTA_RULE_USERDATA", S_BYTES),
	ATTR(8, "NFTA_RULE_PAD", S_BYTES),
	ATTR(9, "NFTA_RULE_ID", S_BE32),
	ATTR(10, "NFTA_RULE_POSITION_ID", S_BE32),
	ATTR(11, "NFTA_RULE_CHAIN_ID", S_BE32),
	END
};

static const char l4_protocols[] =
	WORD(6, "tcp")
	WORD(17, "udp");

static const struct schema_attr ct_helper[] = {
	ATTR(1, "NFTA_CT_HELPER_NAME", S_TEXT),
	ATTR(2, "NFTA_CT_HELPER_L3PROTO", S_BE16, .words = schema_families),
	ATTR(3, "NFTA_CT_HELPER_L4PROTO", S_U8, .words = l4_protocols),
	END
};

static const struct schema_choice objects[] = {
	{ NULL, 1, counter },
	{ NULL, 3, ct_helper },
	END_CHOICE
};

static const struct schema_attr object[] = {
	ATTR(1, "NFTA_OBJ_TABLE", S_TEXT),
	ATTR(2, "NFTA_OBJ_NAME", S_TEXT),
	ATTR(3, "NFTA_OBJ_TYPE", S_BE32, .words = object_types),
	ATTR(4, "NFTA_OBJ_DATA", S_CHOICE, .choices = objects, .by = 3),
	ATTR(5, "NFTA_OBJ_USE", S_BE32),
	ATTR(6, "NFTA_OBJ_HANDLE", S_BE64),
	ATTR(7, "NFTA_OBJ_PAD", S_BYTES),
	ATTR(8, "NFTA_OBJ_USERDATA", S_BYTES),
	END
};

static const char set_bits[] =
	WORD(0x1, "ANONYMOUS")
	WORD(0x2, "CONSTANT")
	WORD(0x4, "INTERVAL")
	WORD(0x8, "MAP")
	WORD(0x10, "TIMEOUT")
	WORD(0x20, "EVAL")
	WORD(0x40, "OBJECT")
	WORD(0x80, "CONCAT")
	WORD(0x100, "EXPR");

static const struct schema_attr set[] = {
	ATTR(1, "NFTA_SET_TABLE", S_TEXT),
	ATTR(2, "NFTA_SET_NAME", S_TEXT),
	ATTR(3, "NFTA_SET_FLAGS", S_BE32, BITS(set_bits)),
	ATTR(4, "NFTA_SET_KEY_TYPE", S_BE32),
	ATTR(5, "NFTA_SET_KEY_LEN", S_BE32),
	ATTR(16, "NFTA_SET_HANDLE", S_BE64),
	END
};

static const struct schema_attr generation[] = {
	ATTR(1, "NFTA_GEN_ID", S_BE32),
	ATTR(2, "NFTA_GEN_PROC_PID", S_BE32),
	ATTR(3, "NFTA_GEN_PROC_NAME", S_TEXT),
	END
};

const struct schema_message schema_nft_messages[] = {
	MESSAGE(0, S_NEW, "NFT_MSG_NEWTABLE", table),
	MESSAGE(1, S_GET, "NFT_MSG_GETTABLE", table),
	MESSAGE(2, S_DELETE, "NFT_MSG_DELTABLE", table),
	MESSAGE(3, S_NEW, "NFT_MSG_NEWCHAIN", chain),
	MESSAGE(4, S_GET, "NFT_MSG_GETCHAIN", chain),
	MESSAGE(5, S_DELETE, "NFT_MSG_DELCHAIN", chain),
	MESSAGE(6, S_NEW, "NFT_MSG_NEWRULE", rule),
	MESSAGE(7, S_GET, "NFT_MSG_GETRULE", rule),
	MESSAGE(8, S_DELETE, "NFT_MSG_DELRULE", rule),
	MESSAGE(9, S_NEW, "NFT_MSG_NEWSET", set),
	MESSAGE(10, S_GET, "NFT_MSG_GETSET", set),
	MESSAGE(11, S_DELETE, "NFT_MSG_DELSET", set),
	MESSAGE(12, S_NEW, "NFT_MSG_NEWSETELEM", NULL),
	MESSAGE(13, S_GET, "NFT_MSG_GETSETELEM", NULL),
	MESSAGE(14, S_DELETE, "NFT_MSG_DELSETELEM", NULL),
	MESSAGE(15, S_NEW, "NFT_MSG_NEWGEN", generation),
	MESSAGE(16, S_GET, "NFT_MSG_GETGEN", generation),
	MESSAGE(17, S_OTHER, "NFT_MSG_TRACE", NULL),
	MESSAGE(18, S_NEW, "NFT_MSG_NEWOBJ", object),
	MESSAGE(19, S_GET, "NFT_MSG_GETOBJ", object),
	MESSAGE(20, S_DELETE, "NFT_MSG_DELOBJ", object),
	MESSAGE(21, S_GET, "NFT_MSG_GETOBJ_RESET", object),
	MESSAGE(22, S_NEW, "NFT_MSG_NEWFLOWTABLE", NULL),
	MESSAGE(23, S_GET, "NFT_MSG_GETFLOWTABLE", NULL),
	MESSAGE(24, S_DELETE, "NFT_MSG_DELFLOWTABLE", NULL),
	MESSAGE(25, S_GET, "NFT_MSG_GETRULE_RESET", rule),
	MESSAGE(26, S_DELETE, "NFT_MSG_DESTROYTABLE", table),
	MESSAGE(27, S_DELETE, "NFT_MSG_DESTROYCHAIN", chain),
	MESSAGE(28, S_DELETE, "NFT_MSG_DESTROYRULE", rule),
	MESSAGE(29, S_DELETE, "NFT_MSG_DESTROYSET", set),
	MESSAGE(30, S_DELETE, "NFT_MSG_DESTROYSETELEM", NULL),
	MESSAGE(31, S_DELETE, "NFT_MSG_DESTROYOBJ", object),
	MESSAGE(32, S_DELETE, "NFT_MSG_DESTROYFLOWTABLE", NULL),
	MESSAGE(33, S_GET, "NFT_MSG_GETSETELEM_RESET", NULL),
	END
};

static const struct schema_attr compat[] = {
	ATTR(1, "NFTA_COMPAT_NAME", S_TEXT),
	ATTR(2, "NFTA_COMPAT_REV", S_BE32),
	ATTR(3, "NFTA_COMPAT_TYPE", S_BE32),
	END
};

const struct schema_message schema_nft_compat[] = {
	MESSAGE(0, S_GET, "NFNL_MSG_COMPAT_GET", compat),
	END
};
