/* SPDX-License-Identifier: MIT */
/*
 * attach.c - the batches that attach a helper, against golden bytes and against what nft
 * itself sends; and every way in which the kernel refuses one.
 */
#include <linux/netfilter/nf_tables.h>
#include "unit.h"
#include "golden.h"
#include "../../cthelper/attach.h"
#include "../../cthelper/helper.h"
#include "../../cthelper/nft.h"
#include "../../netlink/uapi.h"

#define TCP 6
#define UDP 17

static struct script k;
static struct cth_sock s;
static uint8_t answers[CTH_SOCK_BUF];
static uint8_t out[CTH_ATTACH_ROOM(4)];
static struct cth_msg msg;
static struct cth_nack nack;

/* How the kernel answers a batch, and the registry behind cth_helper_get(). */
static struct {
	int error;           /* 0: agrees */
	uint16_t refused;    /* type of the message that is refused; 0: any batch as a whole */
	bool everything;     /* and everything behind it is refused as well, with ENOENT */
	bool inet, inet6;    /* what is registered as ftp over TCP */
	int registry_error;  /* of who asks for that */
	int rehearsal_error; /* of the rule in the rehearsal */
	size_t rehearsals, batches, dumps;
} nf;

static int setup(void **state)
{
	(void)state;
	memset(&nf, 0, sizeof(nf));
	script_init(&k);
	cth_sock_seam(&s, &k.io, answers, sizeof(answers));
	s.timeout_ms = 0;
	cth_msg_init(&msg, out, sizeof(out));
	memset(&nack, 0, sizeof(nack));
	return 0;
}

static void refuse(uint32_t seq, uint16_t type, int error)
{
	uint8_t m[36] = { 0 };

	cth_store_host32(m, sizeof(m));
	cth_store_host16(m + 4, NLMSG_ERROR);
	cth_store_host16(m + 6, CTH_NLM_F_CAPPED);
	cth_store_host32(m + 8, seq);
	cth_store_host32(m + 16, (uint32_t)error);
	cth_store_host32(m + 20, 20);
	cth_store_host16(m + 24, type);
	cth_store_host32(m + 28, seq);
	script_bytes(&k, m, sizeof(m));
}

static void tell_helper(uint32_t seq, uint16_t l3)
{
	static uint8_t bytes[512];
	struct cth_helper h = { .name = "ftp", .l3 = l3, .l4 = TCP, .classes = 1 };
	struct cth_msg m;

	h.policy[0].name[0] = 'c';
	cth_msg_init(&m, bytes, sizeof(bytes));
	assert_int_equal(cth_helper_put_new(&m, NLM_F_MULTI | NLM_F_CREATE, seq, &h), 0);
	script_bytes(&k, bytes, cth_msg_bytes(&m).n);
}

static void answer_dump(uint32_t seq)
{
	nf.dumps++;
	if (nf.registry_error) {
		refuse(seq, 0x0901, nf.registry_error);
		return;
	}
	if (nf.inet)
		tell_helper(seq, 2);
	if (nf.inet6)
		tell_helper(seq, 10);
	script_done(&k, seq, 0);
}

static bool contains(struct cth_span bytes, const void *part, size_t n)
{
	for (size_t i = 0; i + n <= bytes.n; i++)
		if (memcmp(bytes.p + i, part, n) == 0)
			return true;
	return false;
}

/* All errors of a batch come at its end, in order, and an ACK even if it failed. */
static void answer_batch(struct cth_span datagram)
{
	bool rehearsal = contains(datagram, "rehearsal", 10);
	bool broken = false;
	struct cth_nlmsg m;

	nf.rehearsals += rehearsal;
	nf.batches += !rehearsal;
	while (cth_nlmsg_next(&datagram, &m) > 0) {
		if (rehearsal && m.type == 0x0a06) {
			if (nf.rehearsal_error)
				refuse(m.seq, m.type, nf.rehearsal_error);
			else
				script_ack(&k, m.seq, 0);
			return;
		}
		if (rehearsal && nf.refused)
			continue;
		if (m.type == CTH_NFNL_MSG_BATCH_BEGIN && nf.error && nf.refused == 0) {
			refuse(m.seq, m.type, nf.error);
			return;
		}
		if (nf.error && m.type == nf.refused) {
			refuse(m.seq, m.type, nf.error);
			broken = true;
			continue;
		}
		if (broken && nf.everything)
			refuse(m.seq, m.type, -ENOENT);
		else if (m.flags & NLM_F_ACK)
			script_ack(&k, m.seq, 0);
	}
}

static void kernel(struct script *script, struct cth_span datagram)
{
	struct cth_span copy = datagram;
	struct cth_nlmsg m;

	(void)script;
	assert_int_equal(cth_nlmsg_next(&copy, &m), 1);
	if (m.type == 0x0901)
		answer_dump(m.seq);
	else
		answer_batch(datagram);
}

static int with_kernel(void **state)
{
	setup(state);
	k.on_send = kernel;
	nf.inet = nf.inet6 = true;
	nf.rehearsal_error = -ENOENT;
	return 0;
}

static void our_numbers_are_nf_tables(void **state)
{
	(void)state;
	assert_int_equal(CTH_NFT_NEWTABLE, NFT_MSG_NEWTABLE);
	assert_int_equal(CTH_NFT_DELTABLE, NFT_MSG_DELTABLE);
	assert_int_equal(CTH_NFT_NEWCHAIN, NFT_MSG_NEWCHAIN);
	assert_int_equal(CTH_NFT_NEWRULE, NFT_MSG_NEWRULE);
	assert_int_equal(CTH_NFT_DELRULE, NFT_MSG_DELRULE);
	assert_int_equal(CTH_NFT_NEWOBJ, NFT_MSG_NEWOBJ);
	assert_int_equal(CTH_NFT_TABLE_NAME, NFTA_TABLE_NAME);
	assert_int_equal(CTH_NFT_OBJ_TABLE, NFTA_OBJ_TABLE);
	assert_int_equal(CTH_NFT_OBJ_NAME, NFTA_OBJ_NAME);
	assert_int_equal(CTH_NFT_OBJ_TYPE, NFTA_OBJ_TYPE);
	assert_int_equal(CTH_NFT_OBJ_DATA, NFTA_OBJ_DATA);
	assert_int_equal(CTH_NFT_CHAIN_TABLE, NFTA_CHAIN_TABLE);
	assert_int_equal(CTH_NFT_CHAIN_NAME, NFTA_CHAIN_NAME);
	assert_int_equal(CTH_NFT_CHAIN_HOOK, NFTA_CHAIN_HOOK);
	assert_int_equal(CTH_NFT_CHAIN_POLICY, NFTA_CHAIN_POLICY);
	assert_int_equal(CTH_NFT_CHAIN_TYPE, NFTA_CHAIN_TYPE);
	assert_int_equal(CTH_NFT_HOOK_HOOKNUM, NFTA_HOOK_HOOKNUM);
	assert_int_equal(CTH_NFT_HOOK_PRIORITY, NFTA_HOOK_PRIORITY);
	assert_int_equal(CTH_NFT_RULE_TABLE, NFTA_RULE_TABLE);
	assert_int_equal(CTH_NFT_RULE_CHAIN, NFTA_RULE_CHAIN);
	assert_int_equal(CTH_NFT_RULE_EXPRESSIONS, NFTA_RULE_EXPRESSIONS);
	assert_int_equal(CTH_NFT_RULE_USERDATA, NFTA_RULE_USERDATA);
	assert_int_equal(CTH_NFT_OBJECT_CT_HELPER, NFT_OBJECT_CT_HELPER);
	assert_int_equal(CTH_NFT_CT_HELPER_NAME, NFTA_CT_HELPER_NAME);
	assert_int_equal(CTH_NFT_CT_HELPER_L3PROTO, NFTA_CT_HELPER_L3PROTO);
	assert_int_equal(CTH_NFT_CT_HELPER_L4PROTO, NFTA_CT_HELPER_L4PROTO);
	assert_int_equal(CTH_NFT_LIST_ELEM, NFTA_LIST_ELEM);
	assert_int_equal(CTH_NFT_EXPR_NAME, NFTA_EXPR_NAME);
	assert_int_equal(CTH_NFT_EXPR_DATA, NFTA_EXPR_DATA);
	assert_int_equal(CTH_NFT_DATA_VALUE, NFTA_DATA_VALUE);
	assert_int_equal(CTH_NFT_REG_1, NFT_REG_1);
	assert_int_equal(CTH_NFT_META_DREG, NFTA_META_DREG);
	assert_int_equal(CTH_NFT_META_KEY, NFTA_META_KEY);
	assert_int_equal(CTH_NFT_META_L4PROTO, NFT_META_L4PROTO);
	assert_int_equal(CTH_NFT_CMP_SREG, NFTA_CMP_SREG);
	assert_int_equal(CTH_NFT_CMP_OP, NFTA_CMP_OP);
	assert_int_equal(CTH_NFT_CMP_DATA, NFTA_CMP_DATA);
	assert_int_equal(CTH_NFT_CMP_EQ, NFT_CMP_EQ);
	assert_int_equal(CTH_NFT_CMP_LTE, NFT_CMP_LTE);
	assert_int_equal(CTH_NFT_CMP_GTE, NFT_CMP_GTE);
	assert_int_equal(CTH_NFT_PAYLOAD_DREG, NFTA_PAYLOAD_DREG);
	assert_int_equal(CTH_NFT_PAYLOAD_BASE, NFTA_PAYLOAD_BASE);
	assert_int_equal(CTH_NFT_PAYLOAD_OFFSET, NFTA_PAYLOAD_OFFSET);
	assert_int_equal(CTH_NFT_PAYLOAD_LEN, NFTA_PAYLOAD_LEN);
	assert_int_equal(CTH_NFT_TRANSPORT_HEADER, NFT_PAYLOAD_TRANSPORT_HEADER);
	assert_int_equal(CTH_NFT_OBJREF_IMM_TYPE, NFTA_OBJREF_IMM_TYPE);
	assert_int_equal(CTH_NFT_OBJREF_IMM_NAME, NFTA_OBJREF_IMM_NAME);
}

/* Golden bytes. */

#define TABLE(type)    A(8, type), 'c', 't', 'h', '-', 'f', 't', 'p', 0
#define OBJECT(type)   A(8, type), 'f', 't', 'p', '-', 't', 'c', 'p', 0
#define CHAIN_IN(type) A(15, type), 'p', 'r', 'e', 'r', 'o', 'u', 't', 'i', 'n', 'g', '-', 't', \
	'c', 'p', 0, 0
#define CHAIN_OUT(type) A(11, type), 'o', 'u', 't', 'p', 'u', 't', '-', 't', 'c', 'p', 0, 0
#define FILTER A(7, 7), 'f', 'i', 'l', 't', 'e', 'r', 0, 0

#define META AN(32, 1), A(5, 1), 'm', 'e', 't', 'a', 0, 0, 0, 0, \
	AN(16, 2), A(4, 1), B32(1), A(4, 2), B32(16)
#define CMP_L4 AN(40, 1), A(4, 1), 'c', 'm', 'p', 0, \
	AN(28, 2), A(4, 1), B32(1), A(4, 2), B32(0), AN(8, 3), A(1, 1), TCP, 0, 0, 0
#define PAYLOAD AN(48, 1), A(8, 1), 'p', 'a', 'y', 'l', 'o', 'a', 'd', 0, \
	AN(32, 2), A(4, 1), B32(1), A(4, 2), B32(2), A(4, 3), B32(2), A(4, 4), B32(2)
#define CMP_PORT(op, port) AN(40, 1), A(4, 1), 'c', 'm', 'p', 0, \
	AN(28, 2), A(4, 1), B32(1), A(4, 2), B32(op), AN(8, 3), A(2, 1), B16(port), 0, 0
#define OBJREF AN(36, 1), A(7, 1), 'o', 'b', 'j', 'r', 'e', 'f', 0, 0, \
	AN(20, 2), A(4, 1), B32(3), OBJECT(2)
#define COMMENT A(11, 7), 0, 9, 'c', 't', 'h', 'e', 'l', 'p', 'e', 'r', 0, 0
#define ONE_PORT_BYTES (36 + 44 + 52 + 44 + 40)
#define RANGE_BYTES    (ONE_PORT_BYTES + 44)

static const struct cth_ports ftp_port = { 21, 21 };

static void a_batch_is_these_bytes(void **state)
{
	static const uint8_t should[] = {
		MESSAGE(20, 0x10, 0x001, 7, 0, 10),
		MESSAGE(32, 0x0a00, 0x401, 8, 2, 0), TABLE(1),
		MESSAGE(80, 0x0a12, 0x401, 9, 2, 0), TABLE(1), OBJECT(2), A(4, 3), B32(3),
			AN(24, 4), A(4, 1), 'f', 't', 'p', 0, A(2, 2), B16(2), 0, 0,
			A(1, 3), TCP, 0, 0, 0,
		MESSAGE(92, 0x0a03, 0x401, 10, 2, 0), TABLE(1), CHAIN_IN(3),
			AN(16, 4), A(4, 1), B32(0), A(4, 2), B32(0xffffff6a), FILTER,
			A(4, 5), B32(1),
		MESSAGE(52, 0x0a08, 0x001, 11, 2, 0), TABLE(1), CHAIN_IN(2),
		MESSAGE(72 + ONE_PORT_BYTES, 0x0a06, 0xc01, 12, 2, 0), TABLE(1), CHAIN_IN(2),
			AN(ONE_PORT_BYTES, 4), META, CMP_L4, PAYLOAD, CMP_PORT(0, 21), OBJREF,
			COMMENT,
		MESSAGE(88, 0x0a03, 0x401, 13, 2, 0), TABLE(1), CHAIN_OUT(3),
			AN(16, 4), A(4, 1), B32(3), A(4, 2), B32(0xffffff6a), FILTER,
			A(4, 5), B32(1),
		MESSAGE(48, 0x0a08, 0x001, 14, 2, 0), TABLE(1), CHAIN_OUT(2),
		MESSAGE(68 + ONE_PORT_BYTES, 0x0a06, 0xc05, 15, 2, 0), TABLE(1), CHAIN_OUT(2),
			AN(ONE_PORT_BYTES, 4), META, CMP_L4, PAYLOAD, CMP_PORT(0, 21), OBJREF,
			COMMENT,
		MESSAGE(20, 0x11, 0x001, 16, 0, 10),
	};
	struct cth_attach a = { .helper = "ftp", .l4 = TCP, .ipv4 = true, .ports = &ftp_port,
				.n = 1 };

	(void)state;
	assert_int_equal(cth_attach_put(&msg, 7, &a), 0);
	assert_bytes(cth_msg_bytes(&msg), should, sizeof(should));
}

/* The nth message of a type in what was built. */
static struct cth_nlmsg message(uint16_t type, size_t nth)
{
	struct cth_span bytes = cth_msg_bytes(&msg);
	struct cth_nlmsg m;

	while (cth_nlmsg_next(&bytes, &m) > 0)
		if (m.type == type && nth-- == 0)
			return m;
	fail_msg("no such message");
	return m;
}

static size_t messages(uint16_t type)
{
	struct cth_span bytes = cth_msg_bytes(&msg);
	struct cth_nlmsg m;
	size_t n = 0;

	while (cth_nlmsg_next(&bytes, &m) > 0)
		n += m.type == type;
	return n;
}

static void a_range_is_two_comparisons(void **state)
{
	static const uint8_t should[] = {
		TABLE(1), CHAIN_IN(2),
		AN(RANGE_BYTES, 4), META, CMP_L4, PAYLOAD, CMP_PORT(5, 2100), CMP_PORT(3, 2200),
		OBJREF, COMMENT,
	};
	const struct cth_ports ports[] = { { 21, 21 }, { 2100, 2200 } };
	struct cth_attach a = { .helper = "ftp", .l4 = TCP, .ipv4 = true, .ports = ports, .n = 2 };

	(void)state;
	assert_int_equal(cth_attach_put(&msg, 1, &a), 0);
	assert_int_equal(messages(0x0a06), 4);
	assert_bytes(message(0x0a06, 1).attrs, should, sizeof(should));
}

static void no_port_is_every_port(void **state)
{
	static const uint8_t should[] = {
		TABLE(1), CHAIN_OUT(2), AN(120, 4), META, CMP_L4, OBJREF, COMMENT,
	};
	struct cth_attach a = { .helper = "ftp", .l4 = TCP, .ipv4 = true };

	(void)state;
	assert_int_equal(cth_attach_put(&msg, 1, &a), 0);
	assert_int_equal(messages(0x0a06), 2);
	assert_bytes(message(0x0a06, 1).attrs, should, sizeof(should));
}

static void both_families_are_one_batch(void **state)
{
	struct cth_attach a = { .helper = "ftp", .l4 = TCP, .ipv4 = true, .ipv6 = true,
				.ports = &ftp_port, .n = 1 };
	struct cth_span bytes;
	struct cth_nlmsg m;
	uint32_t seq = 100;
	size_t n = 0, acks = 0;

	(void)state;
	assert_int_equal(cth_attach_put(&msg, seq, &a), 0);
	bytes = cth_msg_bytes(&msg);
	while (cth_nlmsg_next(&bytes, &m) > 0) {
		bool edge = n == 0 || n == 17;

		assert_int_equal(m.seq, seq++);
		assert_true(m.flags & NLM_F_REQUEST);
		assert_int_equal(m.family, edge ? 0 : n <= 8 ? 2 : 10);
		assert_int_equal(m.res_id, edge ? 10 : 0);
		acks += (m.flags & NLM_F_ACK) != 0;
		/* The answer that ends the waiting is the last message's before the end. */
		assert_int_equal((m.flags & NLM_F_ACK) != 0, n == 16);
		n++;
	}
	assert_int_equal(n, 18);
	assert_int_equal(acks, 1);
	/* The objects: of either family. */
	assert_int_equal(messages(0x0a12), 2);
	assert_int_equal(cth_be16(message(0x0a12, 1).attrs.p + 12 + 12 + 8 + 4 + 8 + 4), 10);
}

/* Rules are replaced before they are made; nothing else is ever taken away. */
static void attaching_again_destroys_no_object(void **state)
{
	struct cth_attach a = { .helper = "ftp", .l4 = TCP, .ipv4 = true, .ipv6 = true };
	struct cth_span bytes;
	struct cth_nlmsg m;

	(void)state;
	assert_int_equal(cth_attach_put(&msg, 1, &a), 0);
	bytes = cth_msg_bytes(&msg);
	while (cth_nlmsg_next(&bytes, &m) > 0) {
		if (m.type < 0x0a00)
			continue;
		assert_false(m.flags & NLM_F_EXCL);
		assert_true(m.type == 0x0a00 + NFT_MSG_NEWTABLE ||
			    m.type == 0x0a00 + NFT_MSG_NEWOBJ ||
			    m.type == 0x0a00 + NFT_MSG_NEWCHAIN ||
			    m.type == 0x0a00 + NFT_MSG_NEWRULE ||
			    m.type == 0x0a00 + NFT_MSG_DELRULE);
	}
	assert_int_equal(messages(0x0a08), 4);
}

static void a_priority_is_signed(void **state)
{
	struct cth_attach a = { .helper = "ftp", .l4 = TCP, .ipv4 = true, .priority = -199 };

	(void)state;
	assert_int_equal(cth_attach_put(&msg, 1, &a), 0);
	assert_int_equal((int32_t)cth_be32(message(0x0a03, 0).attrs.p + 12 + 20 + 4 + 8 + 4), -199);
	a.priority = -101;
	assert_int_equal(cth_attach_put(&msg, 1, &a), 0);
	assert_int_equal((int32_t)cth_be32(message(0x0a03, 1).attrs.p + 12 + 16 + 4 + 8 + 4), -101);
}

static void a_chain_is_named_for_its_protocol(void **state)
{
	static const struct {
		uint8_t l4;
		const char *object;
	} names[] = {
		{ 6, "x-tcp" }, { 17, "x-udp" }, { 33, "x-dccp" }, { 132, "x-sctp" },
		{ 136, "x-udplite" },
		{ 1, "x-1" }, { 47, "x-47" }, { 255, "x-255" }, { 100, "x-100" }, { 10, "x-10" },
	};
	struct cth_attach a = { .helper = "x", .ipv4 = true };

	(void)state;
	for (size_t i = 0; i < N_OF(names); i++) {
		a.l4 = names[i].l4;
		assert_int_equal(cth_attach_put(&msg, 1, &a), 0);
		/* behind the table's "cth-x": 4 + 6, padded */
		assert_string_equal((const char *)message(0x0a12, 0).attrs.p + 12 + 4,
				    names[i].object);
	}
}

static void sequence_numbers_are_taken_in_a_row(void **state)
{
	struct cth_attach a = { .helper = "ftp", .l4 = TCP, .ipv4 = true };
	struct cth_nlmsg m;

	(void)state;
	assert_int_equal(cth_attach(&s, &msg, &a, &nack), 0);
	m = message(CTH_NFNL_MSG_BATCH_END, 0);
	/* Behind the look at the registry and the five messages of the rehearsal. */
	assert_int_equal(m.seq, 1 + 5 + 10);
	assert_int_equal(cth_sock_seq(&s), 17);
	/* 0 is the kernel's. */
	assert_int_equal(cth_attach_put(&msg, UINT32_MAX - 1, &a), 0);
	assert_int_equal(message(CTH_NFNL_MSG_BATCH_BEGIN, 0).seq, UINT32_MAX - 1);
	assert_int_equal(message(0x0a00, 0).seq, UINT32_MAX);
	assert_int_equal(message(0x0a12, 0).seq, 1);
}

static void the_room_is_enough_and_no_less_would_do(void **state)
{
	static struct cth_ports ports[100];
	static uint8_t room[CTH_ATTACH_ROOM(100)];
	struct cth_attach a = { .helper = "exactly15letter", .l4 = 136, .ipv4 = true,
				.ipv6 = true, .ports = ports };
	size_t used;

	(void)state;
	for (size_t i = 0; i < N_OF(ports); i++) {
		ports[i].first = (uint16_t)i;
		ports[i].last = 65535;
	}
	for (size_t n = 0; n <= N_OF(ports); n += n < 3 ? 1 : 97) {
		a.n = n;
		cth_msg_init(&msg, room, CTH_ATTACH_ROOM(n));
		assert_int_equal(cth_attach_put(&msg, 1, &a), 0);
		used = cth_msg_bytes(&msg).n;
		cth_msg_init(&msg, room, used - 1);
		assert_int_equal(cth_attach_put(&msg, 1, &a), -EMSGSIZE);
		assert_int_equal(cth_msg_bytes(&msg).n, 0);
	}
	a.helper = "ftp";
	a.l4 = TCP;
	cth_msg_init(&msg, room, 100); /* not even the rehearsal */
	assert_int_equal(cth_attach(&s, &msg, &a, &nack), -EMSGSIZE);
	assert_int_equal(nf.rehearsals, 0);
	assert_int_equal(cth_attach_clear(&s, &msg, "exactly15letter", false, &nack), 0);
	cth_msg_init(&msg, room, 40);
	assert_int_equal(cth_detach(&s, &msg, "ftp", false, &nack), -EMSGSIZE);
	assert_int_equal(nf.batches, 1);
	cth_msg_init(&msg, room, 600); /* the rehearsal alone */
	assert_int_equal(cth_attach(&s, &msg, &a, &nack), -EMSGSIZE);
	assert_int_equal(nf.rehearsals, 1);
	assert_int_equal(nf.batches, 1);
	assert_int_equal(nack.error, 0);
}

static void nonsense_is_not_sent(void **state)
{
	static const struct cth_ports upside_down[] = { { 1, 2 }, { 5, 4 } };
	static const struct cth_attach good = { .helper = "ftp", .l4 = TCP, .ipv4 = true };
	static const char *const names[] = {
		"", "sixteen_letters_", "a b", "a\"b", "a/b", "a\nb", "\303\244", "{", "a;b",
	};
	struct cth_attach a;

	(void)state;
	for (size_t i = 0; i < N_OF(names); i++) {
		a = good, a.helper = names[i];
		assert_int_equal(cth_attach(&s, &msg, &a, &nack), -EINVAL);
		assert_int_equal(cth_attach_clear(&s, &msg, names[i], false, &nack), -EINVAL);
		assert_int_equal(cth_detach(&s, &msg, names[i], false, NULL), -EINVAL);
	}
	a = good, a.ipv4 = false;
	assert_int_equal(cth_attach(&s, &msg, &a, &nack), -EINVAL);
	a = good, a.l4 = 0;
	assert_int_equal(cth_attach(&s, &msg, &a, &nack), -EINVAL);
	a = good, a.ports = upside_down, a.n = 2;
	assert_int_equal(cth_attach(&s, &msg, &a, &nack), -EINVAL);
	a = good, a.ports = &ftp_port, a.n = 1, a.l4 = 47; /* GRE has no ports */
	assert_int_equal(cth_attach(&s, &msg, &a, &nack), -EINVAL);
	for (int32_t priority = -300; priority <= 300; priority++) {
		bool fine = priority == 0 || (priority >= -199 && priority <= -101);

		a = good, a.priority = priority;
		assert_int_equal(cth_attach_put(&msg, 1, &a), fine ? 0 : -EINVAL);
	}
	assert_int_equal(nack.error, 0);
	assert_int_equal(k.sends, 0);
	a = good, a.helper = "A.z_0-9";
	assert_int_equal(cth_attach_put(&msg, 1, &a), 0);
}

/* Taking away. */

static void clearing_and_detaching_are_these_bytes(void **state)
{
	static const uint8_t clear[] = {
		MESSAGE(20, 0x10, 1, 1, 0, 10),
		MESSAGE(32, 0x0a08, 5, 2, 2, 0), TABLE(1),
		MESSAGE(20, 0x11, 1, 3, 0, 10),
	};
	static const uint8_t detach[] = {
		MESSAGE(20, 0x10, 1, 4, 0, 10),
		MESSAGE(32, 0x0a02, 5, 5, 10, 0), TABLE(1),
		MESSAGE(20, 0x11, 1, 6, 0, 10),
	};

	(void)state;
	assert_int_equal(cth_attach_clear(&s, &msg, "ftp", false, &nack), 0);
	assert_bytes(script_sent(&k, 0), clear, sizeof(clear));
	assert_int_equal(cth_detach(&s, &msg, "ftp", true, &nack), 0);
	assert_bytes(script_sent(&k, 1), detach, sizeof(detach));
}

static void what_is_not_there_is_not_found(void **state)
{
	(void)state;
	nf.error = -ENOENT;
	nf.refused = 0x0a08;
	assert_int_equal(cth_attach_clear(&s, &msg, "ftp", false, &nack), -ENOENT);
	assert_int_equal(nack.error, -ENOENT);
	nf.refused = 0x0a02;
	assert_int_equal(cth_detach(&s, &msg, "ftp", false, &nack), -ENOENT);
	assert_int_equal(cth_detach(&s, &msg, "ftp", false, NULL), -ENOENT);
}

/* Refusals. */

static const struct cth_attach both = { .helper = "ftp", .l4 = TCP, .ipv4 = true, .ipv6 = true };

static void a_rehearsal_is_these_bytes(void **state)
{
#define REHEARSED(type) A(10, type), 'r', 'e', 'h', 'e', 'a', 'r', 's', 'a', 'l', 0, 0, 0
	static const uint8_t should[] = {
		MESSAGE(20, 0x10, 0x001, 3, 0, 10),
		MESSAGE(32, 0x0a00, 0x401, 4, 2, 0), TABLE(1),
		MESSAGE(48, 0x0a03, 0x401, 5, 2, 0), TABLE(1), REHEARSED(3),
		MESSAGE(228, 0x0a06, 0xc05, 6, 2, 0), TABLE(1), REHEARSED(2),
			AN(176, 4), META,
			AN(40, 1), A(4, 1), 'c', 'm', 'p', 0,
				AN(28, 2), A(4, 1), B32(1), A(4, 2), B32(0), AN(8, 3),
				A(1, 1), 0, 0, 0, 0,
			PAYLOAD,
			AN(40, 1), A(7, 1), 'o', 'b', 'j', 'r', 'e', 'f', 0, 0,
				AN(24, 2), A(4, 1), B32(3), REHEARSED(2),
		MESSAGE(20, 0x11, 0x001, 7, 0, 10),
	};

	(void)state;
	assert_int_equal(cth_attach(&s, &msg, &both, &nack), 0);
	assert_int_equal(k.outs, 4); /* two looks at the registry, the rehearsal, the batch */
	assert_bytes(script_sent(&k, 2), should, sizeof(should));
}

/* What is aborted destroys what it made, and with it what waits in every queue. */
static void nothing_is_made_that_would_be_destroyed_again(void **state)
{
	struct cth_span bytes;
	struct cth_nlmsg m;

	(void)state;
	assert_int_equal(cth_attach(&s, &msg, &both, &nack), 0);
	bytes = script_sent(&k, 2);
	while (cth_nlmsg_next(&bytes, &m) > 0) {
		struct cth_attr a;

		assert_int_not_equal(m.type, 0x0a00 + NFT_MSG_NEWOBJ);
		while (m.type == 0x0a00 + NFT_MSG_NEWCHAIN && cth_attr_next(&m.attrs, &a) > 0)
			assert_int_not_equal(a.type, NFTA_CHAIN_HOOK);
	}
	/* A helper of one family is not half attached. */
	nf.inet6 = false;
	assert_int_equal(cth_attach(&s, &msg, &both, &nack), -ENOENT);
	assert_int_equal(nf.rehearsals, 1);
	assert_int_equal(nf.batches, 1);
}

static void an_unregistered_helper_is_not_found(void **state)
{
	struct cth_attach one = both;

	(void)state;
	nf.inet = false;
	assert_int_equal(cth_attach(&s, &msg, &both, &nack), -ENOENT);
	assert_int_equal(nack.error, 0);
	one.ipv4 = false;
	assert_int_equal(cth_attach(&s, &msg, &one, &nack), 0);
	one.l4 = UDP;
	assert_int_equal(cth_attach(&s, &msg, &one, &nack), -ENOENT);
	nf.registry_error = -EINVAL;
	assert_int_equal(cth_attach(&s, &msg, &both, &nack), -EPROTONOSUPPORT);
}

/* Gone since we looked: the first refusal is told, not those that follow from it. */
static void the_first_refusal_is_told(void **state)
{
	(void)state;
	nf.error = -EBUSY;
	nf.refused = 0x0a12;
	nf.everything = true;
	assert_int_equal(cth_attach(&s, &msg, &both, &nack), -EBUSY);
	assert_int_equal(nack.type, 0x0a12);
	assert_int_equal(nack.error, -EBUSY);
	assert_int_equal(nack.seq, 2 + 5 + 3);
}

static void who_may_not_look_is_told_by_the_kernel(void **state)
{
	(void)state;
	nf.registry_error = -EPERM; /* root of a container */
	assert_int_equal(cth_attach(&s, &msg, &both, &nack), 0);
	nf.error = -ENOENT;
	nf.refused = 0x0a12;
	assert_int_equal(cth_attach(&s, &msg, &both, &nack), -ENOENT);
}

static void a_kernel_without_helper_objects_is_told_from_it(void **state)
{
	(void)state;
	nf.error = -ENOENT;
	nf.refused = 0x0a12;
	assert_int_equal(cth_attach(&s, &msg, &both, &nack), -EOPNOTSUPP);
	assert_int_equal(nack.error, -ENOENT);
	assert_int_equal(cth_attach(&s, &msg, &both, NULL), -EOPNOTSUPP);
}

static void a_kernel_without_nf_tables_is_not_supported(void **state)
{
	(void)state;
	nf.error = -EOPNOTSUPP;
	assert_int_equal(cth_attach(&s, &msg, &both, &nack), -EOPNOTSUPP);
	assert_int_equal(nack.type, CTH_NFNL_MSG_BATCH_BEGIN);
	assert_int_equal(cth_detach(&s, &msg, "ftp", false, &nack), -EOPNOTSUPP);
}

static void another_priority_needs_a_detach_first(void **state)
{
	static const int errors[] = { -EEXIST, -EOPNOTSUPP }; /* 6.1, 6.12 */

	(void)state;
	nf.refused = 0x0a03;
	for (size_t i = 0; i < N_OF(errors); i++) {
		nf.error = errors[i];
		assert_int_equal(cth_attach(&s, &msg, &both, &nack), -EEXIST);
		assert_int_equal(nack.error, errors[i]);
	}
	/* Of another message they mean what they say. */
	nf.refused = 0x0a00;
	nf.error = -EOPNOTSUPP;
	assert_int_equal(cth_attach(&s, &msg, &both, &nack), -EOPNOTSUPP);
}

static void other_refusals_are_passed_on(void **state)
{
	static const int errors[] = { -EPERM, -ENOMEM, -EBUSY, -EINVAL };
	static const uint16_t refused[] = { 0, 0x0a00, 0x0a12 };

	(void)state;
	for (size_t i = 0; i < N_OF(errors) * N_OF(refused); i++) {
		nf.error = errors[i % N_OF(errors)];
		nf.refused = refused[i / N_OF(errors)];
		k.ins = k.in_next = 0;
		/* of the batch's begin: see old.c */
		assert_int_equal(cth_attach(&s, &msg, &both, &nack),
				 nf.error == -EINVAL && !nf.refused ? -EOPNOTSUPP : nf.error);
		assert_int_equal(nack.error, nf.error);
	}
	nf.error = 0;
	nf.rehearsal_error = -ENOMEM;
	assert_int_equal(cth_attach(&s, &msg, &both, &nack), -ENOMEM);
	nf.rehearsal_error = 0; /* somebody made an object of that name: so be it */
	assert_int_equal(cth_attach(&s, &msg, &both, &nack), 0);
}

static void no_answer_is_a_timeout(void **state)
{
	(void)state;
	assert_int_equal(cth_attach(&s, &msg, &both, &nack), -ETIMEDOUT);
	assert_int_equal(nack.error, 0);
	assert_int_equal(cth_detach(&s, &msg, "ftp", true, &nack), -ETIMEDOUT);
	assert_int_equal(nack.error, 0);
}

/* A recording of nft, which was given "tcp dport 21 ct helper set ...". */

struct theirs {
	struct cth_span ours;
	size_t same;
};

/* Each | ELEM | NAME, DATA | of a rule whose content is also in ours. */
static void compare_elements(struct cth_span expressions, struct theirs *t)
{
	struct cth_attr elem;

	while (cth_attr_next(&expressions, &elem) > 0)
		t->same += contains(t->ours, elem.value.p, elem.value.n);
}

static void see_rule(struct cth_span datagram, bool to_kernel, void *ctx)
{
	struct cth_nlmsg m;
	struct cth_attr a;

	while (cth_nlmsg_next(&datagram, &m) > 0) {
		if (m.type != 0x0a06 || !to_kernel)
			continue;
		while (cth_attr_next(&m.attrs, &a) > 0)
			if (a.type == NFTA_RULE_EXPRESSIONS)
				compare_elements(a.value, ctx);
	}
}

static void nft_says_it_in_the_same_bytes(void **state)
{
	struct cth_attach a = { .helper = "ftp", .l4 = TCP, .ipv4 = true, .ports = &ftp_port,
				.n = 1 };
	struct theirs t = { .same = 0 };

	(void)state;
	assert_int_equal(cth_attach_put(&msg, 1, &a), 0);
	t.ours = message(0x0a06, 0).attrs;
	each_datagram("nft-ct-helper-ftp", see_rule, &t);
	/* In three rules: the protocol compared, the port loaded, the port compared. */
	assert_int_equal(t.same, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(our_numbers_are_nf_tables, setup),
		cmocka_unit_test_setup(a_batch_is_these_bytes, setup),
		cmocka_unit_test_setup(a_range_is_two_comparisons, setup),
		cmocka_unit_test_setup(no_port_is_every_port, setup),
		cmocka_unit_test_setup(both_families_are_one_batch, setup),
		cmocka_unit_test_setup(attaching_again_destroys_no_object, setup),
		cmocka_unit_test_setup(a_priority_is_signed, setup),
		cmocka_unit_test_setup(a_chain_is_named_for_its_protocol, setup),
		cmocka_unit_test_setup(sequence_numbers_are_taken_in_a_row, with_kernel),
		cmocka_unit_test_setup(the_room_is_enough_and_no_less_would_do, with_kernel),
		cmocka_unit_test_setup(nonsense_is_not_sent, with_kernel),
		cmocka_unit_test_setup(clearing_and_detaching_are_these_bytes, with_kernel),
		cmocka_unit_test_setup(what_is_not_there_is_not_found, with_kernel),
		cmocka_unit_test_setup(a_rehearsal_is_these_bytes, with_kernel),
		cmocka_unit_test_setup(nothing_is_made_that_would_be_destroyed_again, with_kernel),
		cmocka_unit_test_setup(an_unregistered_helper_is_not_found, with_kernel),
		cmocka_unit_test_setup(the_first_refusal_is_told, with_kernel),
		cmocka_unit_test_setup(who_may_not_look_is_told_by_the_kernel, with_kernel),
		cmocka_unit_test_setup(a_kernel_without_helper_objects_is_told_from_it,
				       with_kernel),
		cmocka_unit_test_setup(a_kernel_without_nf_tables_is_not_supported, with_kernel),
		cmocka_unit_test_setup(another_priority_needs_a_detach_first, with_kernel),
		cmocka_unit_test_setup(other_refusals_are_passed_on, with_kernel),
		cmocka_unit_test_setup(no_answer_is_a_timeout, setup),
		cmocka_unit_test_setup(nft_says_it_in_the_same_bytes, setup),
	};

	return RUN(tests);
}
