/* SPDX-License-Identifier: MIT */
/*
 * attach.c - rules that give flows a helper, without nft or iptables. Answers to
 * linux/netfilter/nf_tables.h. One datagram is one transaction:
 *
 *     BATCH_BEGIN
 *       for ip, then for ip6:
 *         NEWTABLE   cth-NAME
 *         NEWOBJ     NAME-tcp: ct helper, which looks the helper up and holds it
 *         NEWCHAIN   prerouting-tcp, output-tcp
 *         DELRULE    all of either chain
 *         NEWRULE    for each range of ports, in either chain:
 *                    meta l4proto == tcp, payload dport in range, objref NAME-tcp
 *     BATCH_END
 *
 * NEW on a table, chain or object that is there changes nothing, so the batch may be
 * sent again. Rules have no names and would pile up: that is why they are deleted first.
 *
 * Destroying an object, or taking a chain off its hook, drops what waits in every queue of
 * the namespace. So neither is ever replaced. But a batch that the kernel aborts does both
 * to what it has made so far, and it aborts one not only to refuse it: it also begins anew
 * when it had to load a module. That is why cth_attach() looks first whether the helper is
 * registered, and sends a rehearsal ahead, in which there is nothing to destroy.
 */
#include <errno.h>
#include <sys/socket.h>
#include "attach.h"
#include "helper.h"
#include "nft.h"
#include "../netlink/uapi.h"

#define NFTABLES(message) (uint16_t)(CTH_NFNL_SUBSYS_NFTABLES << 8 | (message))

/* Enough for cth- and a helper's name; for a name and -udplite; for prerouting-udplite. */
#define ATTACH_NAME 32

#define REHEARSAL "rehearsal" /* a chain on no hook, an object that is not */

enum { HOOK_PREROUTING = 0, HOOK_OUTPUT = 3, POLICY_ACCEPT = 1 };
enum { PRIORITY_FIRST = -199, PRIORITY_LAST = -101 };

/* Transport protocols whose header begins with two ports. */
static const struct {
	uint8_t l4;
	const char *name;
} with_ports[] = {
	{ 6, "tcp" }, { 17, "udp" }, { 33, "dccp" }, { 132, "sctp" }, { 136, "udplite" },
};

#define WITH_PORTS (sizeof(with_ports) / sizeof(with_ports[0]))

/* A batch that is being written. */
struct batch {
	struct cth_msg *m;
	uint32_t seq;
	uint8_t family;
	size_t left; /* messages before BATCH_END: the last of them asks for the ACK */
	int r;
};

/* Names. */

/* nft prints these and reads them again. */
static bool nft_can_read(const char *name)
{
	size_t n = 0;

	for (; name[n]; n++) {
		char c = name[n];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		bool other = (c >= '0' && c <= '9') || c == '.' || c == '-';

		if (n == CTH_HELPER_NAME - 1 || !(letter || other))
			return false;
	}
	return n > 0;
}

/* "tcp", or the number in text. */
static const char *l4_text(uint8_t l4, char text[4])
{
	size_t n = 0;

	for (size_t i = 0; i < WITH_PORTS; i++)
		if (with_ports[i].l4 == l4)
			return with_ports[i].name;
	if (l4 >= 100)
		text[n++] = (char)('0' + l4 / 100);
	if (l4 >= 10)
		text[n++] = (char)('0' + l4 / 10 % 10);
	text[n++] = (char)('0' + l4 % 10);
	text[n] = 0;
	return text;
}

static bool l4_has_ports(uint8_t l4)
{
	for (size_t i = 0; i < WITH_PORTS; i++)
		if (with_ports[i].l4 == l4)
			return true;
	return false;
}

/* Both parts have been checked: they fit. */
static const char *joined(char to[ATTACH_NAME], const char *a, const char *b)
{
	size_t n = strlen(a);

	memcpy(to, a, n);
	memcpy(to + n, b, strlen(b) + 1);
	return to;
}

static void put_table(struct cth_msg *m, uint16_t type, const char *helper)
{
	char name[ATTACH_NAME];

	cth_msg_put_str(m, type, joined(name, "cth-", helper));
}

static void put_object(struct cth_msg *m, uint16_t type, const struct cth_attach *a)
{
	char name[ATTACH_NAME], dashed[ATTACH_NAME], text[4];

	joined(dashed, "-", l4_text(a->l4, text));
	cth_msg_put_str(m, type, joined(name, a->helper, dashed));
}

static void put_chain(struct cth_msg *m, uint16_t type, uint8_t l4, uint32_t hook)
{
	char name[ATTACH_NAME], text[4];

	cth_msg_put_str(m, type, joined(name, hook == HOOK_OUTPUT ? "output-" : "prerouting-",
					l4_text(l4, text)));
}

/* The batch and its messages. */

static void batch_end(struct batch *b)
{
	int r = cth_msg_end(b->m);

	if (b->r == 0)
		b->r = r;
	b->seq++;
	if (b->seq == 0) /* as cth_sock_seq() counts */
		b->seq = 1;
}

static void batch_begin(struct batch *b, uint16_t message, uint16_t flags)
{
	if (--b->left == 0)
		flags |= NLM_F_ACK;
	cth_msg_begin(b->m, NFTABLES(message), (uint16_t)(NLM_F_REQUEST | flags), b->seq,
		      b->family, 0);
}

/* BATCH_BEGIN and BATCH_END. */
static void batch_edge(struct batch *b, uint16_t type)
{
	cth_msg_begin(b->m, type, NLM_F_REQUEST, b->seq, AF_UNSPEC, CTH_NFNL_SUBSYS_NFTABLES);
	batch_end(b);
}

/* A batch that did not fit is worth nothing. */
static int batch_finish(struct batch *b)
{
	batch_edge(b, CTH_NFNL_MSG_BATCH_END);
	if (b->r < 0)
		cth_msg_reset(b->m);
	return b->r;
}

static void new_table(struct batch *b, const struct cth_attach *a)
{
	batch_begin(b, CTH_NFT_NEWTABLE, NLM_F_CREATE);
	put_table(b->m, CTH_NFT_TABLE_NAME, a->helper);
	batch_end(b);
}

static void new_object(struct batch *b, const struct cth_attach *a)
{
	size_t data;

	batch_begin(b, CTH_NFT_NEWOBJ, NLM_F_CREATE);
	put_table(b->m, CTH_NFT_OBJ_TABLE, a->helper);
	put_object(b->m, CTH_NFT_OBJ_NAME, a);
	cth_msg_put_be32(b->m, CTH_NFT_OBJ_TYPE, CTH_NFT_OBJECT_CT_HELPER);
	data = cth_msg_nest(b->m, CTH_NFT_OBJ_DATA);
	cth_msg_put_str(b->m, CTH_NFT_CT_HELPER_NAME, a->helper);
	cth_msg_put_be16(b->m, CTH_NFT_CT_HELPER_L3PROTO, b->family);
	cth_msg_put_u8(b->m, CTH_NFT_CT_HELPER_L4PROTO, a->l4);
	cth_msg_nest_end(b->m, data);
	batch_end(b);
}

static void new_chain(struct batch *b, const struct cth_attach *a, uint32_t hook)
{
	int32_t priority = a->priority ? a->priority : CTH_ATTACH_PRIORITY;
	size_t where;

	batch_begin(b, CTH_NFT_NEWCHAIN, NLM_F_CREATE);
	put_table(b->m, CTH_NFT_CHAIN_TABLE, a->helper);
	put_chain(b->m, CTH_NFT_CHAIN_NAME, a->l4, hook);
	where = cth_msg_nest(b->m, CTH_NFT_CHAIN_HOOK);
	cth_msg_put_be32(b->m, CTH_NFT_HOOK_HOOKNUM, hook);
	cth_msg_put_be32(b->m, CTH_NFT_HOOK_PRIORITY, (uint32_t)priority);
	cth_msg_nest_end(b->m, where);
	cth_msg_put_str(b->m, CTH_NFT_CHAIN_TYPE, "filter");
	cth_msg_put_be32(b->m, CTH_NFT_CHAIN_POLICY, POLICY_ACCEPT);
	batch_end(b);
}

/* Every rule of the chain: no handle is given. */
static void del_rules(struct batch *b, const struct cth_attach *a, uint32_t hook)
{
	batch_begin(b, CTH_NFT_DELRULE, 0);
	put_table(b->m, CTH_NFT_RULE_TABLE, a->helper);
	put_chain(b->m, CTH_NFT_RULE_CHAIN, a->l4, hook);
	batch_end(b);
}

/* A rule's expressions: each | ELEM | NAME string | DATA nest |. */

struct expression {
	size_t elem, data;
};

static struct expression expression(struct cth_msg *m, const char *name)
{
	struct expression e;

	e.elem = cth_msg_nest(m, CTH_NFT_LIST_ELEM);
	cth_msg_put_str(m, CTH_NFT_EXPR_NAME, name);
	e.data = cth_msg_nest(m, CTH_NFT_EXPR_DATA);
	return e;
}

static void expression_end(struct cth_msg *m, struct expression e)
{
	cth_msg_nest_end(m, e.data);
	cth_msg_nest_end(m, e.elem);
}

static void load_l4proto(struct cth_msg *m)
{
	struct expression e = expression(m, "meta");

	cth_msg_put_be32(m, CTH_NFT_META_DREG, CTH_NFT_REG_1);
	cth_msg_put_be32(m, CTH_NFT_META_KEY, CTH_NFT_META_L4PROTO);
	expression_end(m, e);
}

/* The destination port: two bytes, behind the source port. */
static void load_dport(struct cth_msg *m)
{
	struct expression e = expression(m, "payload");

	cth_msg_put_be32(m, CTH_NFT_PAYLOAD_DREG, CTH_NFT_REG_1);
	cth_msg_put_be32(m, CTH_NFT_PAYLOAD_BASE, CTH_NFT_TRANSPORT_HEADER);
	cth_msg_put_be32(m, CTH_NFT_PAYLOAD_OFFSET, 2);
	cth_msg_put_be32(m, CTH_NFT_PAYLOAD_LEN, 2);
	expression_end(m, e);
}

static void compare(struct cth_msg *m, uint32_t op, const void *value, size_t n)
{
	struct expression e = expression(m, "cmp");
	size_t data;

	cth_msg_put_be32(m, CTH_NFT_CMP_SREG, CTH_NFT_REG_1);
	cth_msg_put_be32(m, CTH_NFT_CMP_OP, op);
	data = cth_msg_nest(m, CTH_NFT_CMP_DATA);
	cth_msg_put(m, CTH_NFT_DATA_VALUE, value, n);
	cth_msg_nest_end(m, data);
	expression_end(m, e);
}

static void compare_port(struct cth_msg *m, uint32_t op, uint16_t port)
{
	uint8_t value[2];

	cth_store_be16(value, port);
	compare(m, op, value, sizeof(value));
}

static void match_ports(struct cth_msg *m, const struct cth_ports *ports)
{
	load_dport(m);
	if (ports->first == ports->last) {
		compare_port(m, CTH_NFT_CMP_EQ, ports->first);
		return;
	}
	compare_port(m, CTH_NFT_CMP_GTE, ports->first);
	compare_port(m, CTH_NFT_CMP_LTE, ports->last);
}

static void set_helper(struct cth_msg *m, const struct cth_attach *a)
{
	struct expression e = expression(m, "objref");

	cth_msg_put_be32(m, CTH_NFT_OBJREF_IMM_TYPE, CTH_NFT_OBJECT_CT_HELPER);
	put_object(m, CTH_NFT_OBJREF_IMM_NAME, a);
	expression_end(m, e);
}

/* Every expression that new_rule() may use, to no effect: there is no such object. */
static void put_rehearsed(struct cth_msg *m)
{
	static const uint8_t zero[1];
	struct expression e;

	load_l4proto(m);
	compare(m, CTH_NFT_CMP_EQ, zero, sizeof(zero));
	load_dport(m);
	e = expression(m, "objref");
	cth_msg_put_be32(m, CTH_NFT_OBJREF_IMM_TYPE, CTH_NFT_OBJECT_CT_HELPER);
	cth_msg_put_str(m, CTH_NFT_OBJREF_IMM_NAME, REHEARSAL);
	expression_end(m, e);
}

/* ports is NULL for a rule that takes every one. */
static void new_rule(struct batch *b, const struct cth_attach *a, uint32_t hook,
		     const struct cth_ports *ports)
{
	size_t expressions;

	batch_begin(b, CTH_NFT_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	put_table(b->m, CTH_NFT_RULE_TABLE, a->helper);
	put_chain(b->m, CTH_NFT_RULE_CHAIN, a->l4, hook);
	expressions = cth_msg_nest(b->m, CTH_NFT_RULE_EXPRESSIONS);
	load_l4proto(b->m);
	compare(b->m, CTH_NFT_CMP_EQ, &a->l4, 1);
	if (ports)
		match_ports(b->m, ports);
	set_helper(b->m, a);
	cth_msg_nest_end(b->m, expressions);
	cth_msg_put(b->m, CTH_NFT_RULE_USERDATA, CTH_NFT_COMMENT, sizeof(CTH_NFT_COMMENT));
	batch_end(b);
}

/* The whole. */

static int attach_check(const struct cth_attach *a)
{
	if (!nft_can_read(a->helper) || a->l4 == 0 || !(a->ipv4 || a->ipv6))
		return -EINVAL;
	if (a->priority && (a->priority < PRIORITY_FIRST || a->priority > PRIORITY_LAST))
		return -EINVAL;
	if (a->n && !l4_has_ports(a->l4))
		return -EINVAL;
	for (size_t i = 0; i < a->n; i++)
		if (a->ports[i].first > a->ports[i].last)
			return -EINVAL;
	return 0;
}

/* Messages between BATCH_BEGIN and BATCH_END. */
static size_t attach_messages(const struct cth_attach *a)
{
	size_t families = (size_t)a->ipv4 + (size_t)a->ipv6;
	size_t rules = a->n ? a->n : 1;

	return families * (6 + 2 * rules);
}

static void attach_hook(struct batch *b, const struct cth_attach *a, uint32_t hook)
{
	new_chain(b, a, hook);
	del_rules(b, a, hook);
	for (size_t i = 0; i < a->n; i++)
		new_rule(b, a, hook, &a->ports[i]);
	if (a->n == 0)
		new_rule(b, a, hook, NULL);
}

static void attach_family(struct batch *b, const struct cth_attach *a, uint8_t family)
{
	b->family = family;
	new_table(b, a);
	new_object(b, a);
	attach_hook(b, a, HOOK_PREROUTING);
	attach_hook(b, a, HOOK_OUTPUT);
}

int cth_attach_put(struct cth_msg *m, uint32_t seq, const struct cth_attach *a)
{
	struct batch b = { .m = m, .seq = seq };
	int r = attach_check(a);

	cth_msg_reset(m);
	if (r < 0)
		return r;
	b.left = attach_messages(a);
	batch_edge(&b, CTH_NFNL_MSG_BATCH_BEGIN);
	if (a->ipv4)
		attach_family(&b, a, AF_INET);
	if (a->ipv6)
		attach_family(&b, a, AF_INET6);
	return batch_finish(&b);
}

/* Numbers for a batch of n messages between its edges: the first of them. */
static uint32_t batch_seq(struct cth_sock *s, size_t n)
{
	uint32_t first = cth_sock_seq(s);

	for (size_t i = 0; i < n + 1; i++)
		cth_sock_seq(s);
	return first;
}

/*
 * Sends a batch. Linux 3.12 knows of none, and takes its begin for a message to a subsystem that
 * is not there.
 */
static int batch_request(struct cth_sock *s, const struct cth_msg *m, struct cth_nack *nack)
{
	int r = cth_sock_request(s, cth_msg_bytes(m), NULL, NULL, nack);

	if (nack->error == -EINVAL && nack->type == CTH_NFNL_MSG_BATCH_BEGIN)
		return -EOPNOTSUPP;
	return r;
}

/*
 * Loads the modules that the rules need: 6.1 has objref in one. The rule's object does not
 * exist, so in the end the batch is refused with ENOENT, and nothing of it remains.
 */
static int rehearse(struct cth_sock *s, struct cth_msg *m, const struct cth_attach *a,
		    struct cth_nack *nack)
{
	struct batch b = { .m = m, .family = a->ipv4 ? AF_INET : AF_INET6, .left = 3 };
	size_t expressions;
	int r;

	cth_msg_reset(m);
	b.seq = batch_seq(s, b.left);
	batch_edge(&b, CTH_NFNL_MSG_BATCH_BEGIN);
	new_table(&b, a);
	batch_begin(&b, CTH_NFT_NEWCHAIN, NLM_F_CREATE);
	put_table(m, CTH_NFT_CHAIN_TABLE, a->helper);
	cth_msg_put_str(m, CTH_NFT_CHAIN_NAME, REHEARSAL);
	batch_end(&b);
	batch_begin(&b, CTH_NFT_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	put_table(m, CTH_NFT_RULE_TABLE, a->helper);
	cth_msg_put_str(m, CTH_NFT_RULE_CHAIN, REHEARSAL);
	expressions = cth_msg_nest(m, CTH_NFT_RULE_EXPRESSIONS);
	put_rehearsed(m);
	cth_msg_nest_end(m, expressions);
	batch_end(&b);
	r = batch_finish(&b);
	if (r < 0)
		return r;
	r = batch_request(s, m, nack);
	if (nack->error != -ENOENT)
		return r;
	memset(nack, 0, sizeof(*nack));
	return 0;
}

/* 1: the helper is registered. 0: who has no right to look may still have one to attach. */
static int look_up(struct cth_sock *s, const struct cth_attach *a, uint16_t l3)
{
	struct cth_helper h;
	int r = cth_helper_get(s, a->helper, l3, a->l4, &h, NULL);

	return r == -EPERM ? 0 : r < 0 ? r : 1;
}

static int look_up_both(struct cth_sock *s, const struct cth_attach *a)
{
	int r = a->ipv4 ? look_up(s, a, AF_INET) : 1;

	return r == 1 && a->ipv6 ? look_up(s, a, AF_INET6) : r;
}

/*
 * A chain's priority cannot change. Linux 6.1 says EEXIST, 6.12 EOPNOTSUPP, which from
 * another message would mean that nf_tables is not there.
 */
static bool is_elsewhere(const struct cth_nack *nack)
{
	return nack->type == NFTABLES(CTH_NFT_NEWCHAIN) &&
	       (nack->error == -EEXIST || nack->error == -EOPNOTSUPP);
}

/*
 * ENOENT is what the kernel says of an object whose helper is not registered, but also of an
 * object type or an expression that it lacks. If the helper is there, it is the latter.
 */
static int attach_result(int r, const struct cth_nack *nack, bool registered)
{
	if (is_elsewhere(nack))
		return -EEXIST;
	return nack->error == -ENOENT && registered ? -EOPNOTSUPP : r;
}

int cth_attach(struct cth_sock *s, struct cth_msg *m, const struct cth_attach *a,
	       struct cth_nack *nack)
{
	struct cth_nack own;
	int r, registered;

	if (!nack)
		nack = &own;
	memset(nack, 0, sizeof(*nack));
	r = attach_check(a);
	if (r < 0)
		return r;
	registered = look_up_both(s, a);
	if (registered < 0)
		return registered;
	r = rehearse(s, m, a, nack);
	if (r == 0)
		r = cth_attach_put(m, batch_seq(s, attach_messages(a)), a);
	if (r < 0)
		return r;
	r = batch_request(s, m, nack);
	return attach_result(r, nack, registered == 1);
}

/* A batch of one message that names the table, and nothing in it. */
static int table_request(struct cth_sock *s, struct cth_msg *m, uint16_t message, uint16_t attr,
			 const char *helper, bool ipv6, struct cth_nack *nack)
{
	struct batch b = { .m = m, .family = ipv6 ? AF_INET6 : AF_INET, .left = 1 };
	struct cth_nack own;
	int r;

	if (!nack)
		nack = &own;
	memset(nack, 0, sizeof(*nack));
	if (!nft_can_read(helper))
		return -EINVAL;
	cth_msg_reset(m);
	b.seq = batch_seq(s, 1);
	batch_edge(&b, CTH_NFNL_MSG_BATCH_BEGIN);
	batch_begin(&b, message, 0);
	put_table(m, attr, helper);
	batch_end(&b);
	r = batch_finish(&b);
	return r < 0 ? r : batch_request(s, m, nack);
}

int cth_attach_clear(struct cth_sock *s, struct cth_msg *m, const char *helper, bool ipv6,
		     struct cth_nack *nack)
{
	return table_request(s, m, CTH_NFT_DELRULE, CTH_NFT_RULE_TABLE, helper, ipv6, nack);
}

int cth_detach(struct cth_sock *s, struct cth_msg *m, const char *helper, bool ipv6,
	       struct cth_nack *nack)
{
	return table_request(s, m, CTH_NFT_DELTABLE, CTH_NFT_TABLE_NAME, helper, ipv6, nack);
}
