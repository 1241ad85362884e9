/* SPDX-License-Identifier: MIT */
/* schema.c - what the schema says of messages is what the system's headers say. */
#include <linux/version.h>
#include "unit.h"
#include "../../netlink/uapi.h"
#include "../../tools/schema.h"

#define IS(table, number) { table, number, #number }

static void the_schemas_names_are_the_kernels_numbers(void **state)
{
	const struct schema_attr *ct = schema_message(0x0100, true)->attrs;
	const struct schema_attr *exp = schema_message(0x0200, true)->attrs;
	const struct schema_attr *packet = schema_message(0x0300, false)->attrs;
	const struct schema_attr *config = schema_message(0x0302, true)->attrs;
	const struct schema_attr *helper = schema_message(0x0900, true)->attrs;
	const struct schema_attr *tuple = schema_attr(ct, CTA_TUPLE_ORIG)->nest;
	const struct {
		const struct schema_attr *table;
		unsigned number;
		const char *name;
	} attrs[] = {
		IS(ct, CTA_TUPLE_ORIG), IS(ct, CTA_TUPLE_REPLY), IS(ct, CTA_STATUS),
		IS(ct, CTA_PROTOINFO), IS(ct, CTA_HELP), IS(ct, CTA_NAT_SRC), IS(ct, CTA_TIMEOUT),
		IS(ct, CTA_MARK), IS(ct, CTA_COUNTERS_ORIG), IS(ct, CTA_COUNTERS_REPLY),
		IS(ct, CTA_USE), IS(ct, CTA_ID), IS(ct, CTA_NAT_DST), IS(ct, CTA_TUPLE_MASTER),
		IS(ct, CTA_SECMARK), IS(ct, CTA_ZONE), IS(ct, CTA_SECCTX), IS(ct, CTA_TIMESTAMP),
		IS(ct, CTA_MARK_MASK),
		IS(tuple, CTA_TUPLE_IP), IS(tuple, CTA_TUPLE_PROTO),
		IS(schema_attr(tuple, 1)->nest, CTA_IP_V4_SRC),
		IS(schema_attr(tuple, 1)->nest, CTA_IP_V6_DST),
		IS(schema_attr(tuple, 2)->nest, CTA_PROTO_NUM),
		IS(schema_attr(tuple, 2)->nest, CTA_PROTO_DST_PORT),
		IS(schema_attr(tuple, 2)->nest, CTA_PROTO_ICMPV6_CODE),
		IS(schema_attr(ct, CTA_HELP)->nest, CTA_HELP_NAME),
		IS(schema_attr(ct, CTA_NAT_SRC)->nest, CTA_NAT_V6_MAXIP),
		IS(schema_attr(ct, CTA_TIMESTAMP)->nest, CTA_TIMESTAMP_STOP),
		IS(schema_attr(schema_attr(ct, CTA_PROTOINFO)->nest, CTA_PROTOINFO_TCP)->nest,
		   CTA_PROTOINFO_TCP_FLAGS_REPLY),
		IS(schema_attr(schema_attr(ct, CTA_PROTOINFO)->nest, CTA_PROTOINFO_DCCP)->nest,
		   CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ),
		IS(schema_attr(schema_attr(ct, CTA_PROTOINFO)->nest, CTA_PROTOINFO_SCTP)->nest,
		   CTA_PROTOINFO_SCTP_VTAG_REPLY),
		IS(exp, CTA_EXPECT_MASTER), IS(exp, CTA_EXPECT_TUPLE), IS(exp, CTA_EXPECT_MASK),
		IS(exp, CTA_EXPECT_TIMEOUT), IS(exp, CTA_EXPECT_ID), IS(exp, CTA_EXPECT_HELP_NAME),
		IS(exp, CTA_EXPECT_ZONE), IS(exp, CTA_EXPECT_FLAGS), IS(exp, CTA_EXPECT_CLASS),
		IS(exp, CTA_EXPECT_NAT), IS(exp, CTA_EXPECT_FN),
		IS(packet, NFQA_PACKET_HDR), IS(packet, NFQA_VERDICT_HDR), IS(packet, NFQA_MARK),
		IS(packet, NFQA_TIMESTAMP), IS(packet, NFQA_IFINDEX_INDEV),
		IS(packet, NFQA_IFINDEX_OUTDEV), IS(packet, NFQA_IFINDEX_PHYSINDEV),
		IS(packet, NFQA_IFINDEX_PHYSOUTDEV), IS(packet, NFQA_HWADDR),
		IS(packet, NFQA_PAYLOAD), IS(packet, NFQA_CT), IS(packet, NFQA_CT_INFO),
		IS(packet, NFQA_CAP_LEN), IS(packet, NFQA_SKB_INFO),
		IS(config, NFQA_CFG_CMD), IS(config, NFQA_CFG_PARAMS),
		IS(config, NFQA_CFG_QUEUE_MAXLEN), IS(config, NFQA_CFG_MASK),
		IS(config, NFQA_CFG_FLAGS),
		IS(helper, NFCTH_NAME), IS(helper, NFCTH_TUPLE), IS(helper, NFCTH_QUEUE_NUM),
		IS(helper, NFCTH_POLICY), IS(helper, NFCTH_PRIV_DATA_LEN), IS(helper, NFCTH_STATUS),
		IS(schema_attr(helper, NFCTH_POLICY)->nest, NFCTH_POLICY_SET_NUM),
		IS(schema_attr(helper, NFCTH_POLICY)->nest, NFCTH_POLICY_SET4),
		IS(schema_attr(schema_attr(helper, NFCTH_POLICY)->nest, 2)->nest,
		   NFCTH_POLICY_EXPECT_TIMEOUT),
		IS(schema_attr(helper, NFCTH_TUPLE)->nest, NFCTH_TUPLE_L4PROTONUM),
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)
		IS(ct, CTA_SEQ_ADJ_ORIG), IS(ct, CTA_SEQ_ADJ_REPLY), IS(ct, CTA_LABELS),
		IS(ct, CTA_LABELS_MASK), IS(ct, CTA_SYNPROXY), IS(ct, CTA_FILTER),
		IS(ct, CTA_STATUS_MASK), IS(tuple, CTA_TUPLE_ZONE),
		IS(schema_attr(ct, CTA_SEQ_ADJ_ORIG)->nest, CTA_SEQADJ_OFFSET_AFTER),
		IS(schema_attr(ct, CTA_SYNPROXY)->nest, CTA_SYNPROXY_TSOFF),
		IS(schema_attr(ct, CTA_FILTER)->nest, CTA_FILTER_REPLY_FLAGS),
		IS(schema_message(0x0104, true)->attrs, CTA_STATS_CHAIN_TOOLONG),
		IS(packet, NFQA_EXP), IS(packet, NFQA_UID), IS(packet, NFQA_GID),
		IS(packet, NFQA_SECCTX), IS(packet, NFQA_VLAN), IS(packet, NFQA_L2HDR),
		IS(packet, NFQA_PRIORITY),
		IS(schema_attr(packet, NFQA_VLAN)->nest, NFQA_VLAN_TCI),
#endif
	};

	(void)state;
	for (size_t i = 0; i < N_OF(attrs); i++) {
		const struct schema_attr *a = schema_attr(attrs[i].table, (uint16_t)attrs[i].number);

		if (!a || strcmp(a->name, attrs[i].name) != 0)
			fail_msg("%s is %s in the schema", attrs[i].name, a ? a->name : "not");
	}
}

static const struct schema_attr *tables_seen[256];
static size_t tables_n;

/* Numbers ascend, names are not repeated, kinds have what they need. */
static void check_table(const struct schema_attr *table)
{
	for (size_t i = 0; i < tables_n; i++)
		if (tables_seen[i] == table)
			return;
	assert_true(tables_n < N_OF(tables_seen));
	tables_seen[tables_n++] = table;
	for (const struct schema_attr *a = table; a->name; a++) {
		if (a > table && a[-1].type >= a->type)
			fail_msg("%s does not come after %s", a->name, a[-1].name);
		if (a->kind == S_STRUCT)
			assert_non_null(a->nest);
		if (a->kind == S_NEST && a->nest)
			check_table(a->nest);
		if (a->kind != S_CHOICE)
			continue;
		assert_non_null(schema_attr(table, a->by));
		for (const struct schema_choice *c = a->choices; c->nest; c++)
			check_table(c->nest);
	}
}

static void the_schemas_tables_are_in_order(void **state)
{
	size_t messages = 0;

	(void)state;
	for (unsigned type = 0; type < 0x2000; type++) {
		const struct schema_message *m = schema_message((uint16_t)type, true);

		if (!m)
			continue;
		messages++;
		if (m->attrs)
			check_table(m->attrs);
	}
	check_table(schema_ext_ack);
	assert_int_equal(messages, 8 + 4 + 4 + 3 + 34 + 2 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_schemas_names_are_the_kernels_numbers),
		cmocka_unit_test(the_schemas_tables_are_in_order),
	};

	return RUN(tests);
}
