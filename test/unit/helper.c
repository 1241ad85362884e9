/* SPDX-License-Identifier: MIT */
/*
 * helper.c - the registry: its messages against golden bytes, its parser against lies, and
 * its functions against a registry that answers as the kernel's does, whims included.
 */
#include "unit.h"
#include "golden.h"
#include "../../cthelper/helper.h"
#include "../../netlink/uapi.h"

#define INET   2
#define INET6  10
#define TCP    6
#define UDP    17

#define EVERY_PART (CTH_HELPER_QUEUE | CTH_HELPER_PRIV_LEN | CTH_HELPER_STATUS | CTH_HELPER_POLICY)

static struct script k;
static struct cth_sock s;
static uint8_t answers[CTH_SOCK_BUF];
static uint8_t out[8192];
static struct cth_msg msg;
static struct cth_nack nack;

/* The kernel's registry. */
static struct {
	struct cth_helper list[8];
	bool busy[8];
	size_t n;
	bool absent;         /* no such subsystem: EINVAL, whatever is asked */
	bool deaf;           /* nothing is answered */
	bool no_permission;
	int refuse_new;      /* this -errno for the next NEW, and no explanation */
	const char *explain; /* with this explanation */
	int interruptions;   /* dumps that will be told to have changed meanwhile */
	bool other_at_retry; /* and whose second look shows one helper less */
	bool lose_it;        /* after the next dump everything is deleted */
	size_t dumps, news, dels;
} registry;

static int setup(void **state)
{
	(void)state;
	memset(&registry, 0, sizeof(registry));
	script_init(&k);
	cth_sock_seam(&s, &k.io, answers, sizeof(answers));
	s.timeout_ms = 0;
	cth_msg_init(&msg, out, sizeof(out));
	memset(&nack, 0, sizeof(nack));
	return 0;
}

static struct cth_helper helper(const char *name, uint16_t l3, uint8_t l4)
{
	struct cth_helper h = { .l3 = l3, .l4 = l4, .classes = 1, .queue = 5 };

	strcpy(h.name, name);
	strcpy(h.policy[0].name, name);
	h.policy[0].max = 1;
	h.policy[0].timeout = 300;
	return h;
}

static bool same_key(const struct cth_helper *a, const struct cth_helper *b)
{
	return strcmp(a->name, b->name) == 0 && a->l3 == b->l3 && a->l4 == b->l4;
}

static size_t registered(const struct cth_helper *h)
{
	size_t i = 0;

	while (i < registry.n && !same_key(&registry.list[i], h))
		i++;
	return i;
}

/* A refusal with an extended ACK's text. */
static void refuse_with_text(uint32_t seq, int error, const char *text)
{
	uint8_t m[36 + 4 + 64] = { 0 };
	size_t n = strlen(text) + 1;
	size_t len = 36 + 4 + (n + 3) / 4 * 4;

	cth_store_host32(m, (uint32_t)len);
	cth_store_host16(m + 4, NLMSG_ERROR);
	cth_store_host16(m + 6, CTH_NLM_F_CAPPED | CTH_NLM_F_ACK_TLVS);
	cth_store_host32(m + 8, seq);
	cth_store_host32(m + 16, (uint32_t)error);
	cth_store_host32(m + 20, 20);
	cth_store_host32(m + 28, seq);
	cth_store_host16(m + 36, (uint16_t)(4 + n));
	cth_store_host16(m + 38, CTH_NLMSGERR_ATTR_MSG);
	memcpy(m + 40, text, n);
	script_bytes(&k, m, len);
}

static int kernel_update(struct cth_helper *old, const struct cth_helper *h)
{
	if ((h->have & CTH_HELPER_PRIV_LEN) && h->priv_len != old->priv_len)
		return -EBUSY;
	if (h->have & CTH_HELPER_POLICY) {
		if (h->classes != old->classes)
			return -EBUSY;
		for (size_t i = 0; i < h->classes; i++)
			if (strcmp(h->policy[i].name, old->policy[i].name) != 0)
				return -EBUSY;
		memcpy(old->policy, h->policy, sizeof(old->policy));
	}
	if (h->have & CTH_HELPER_QUEUE)
		old->queue = h->queue;
	if (h->have & CTH_HELPER_STATUS)
		old->enabled = h->enabled;
	return 0;
}

static int kernel_new(const struct cth_nlmsg *m)
{
	const uint32_t needed = CTH_HELPER_POLICY | CTH_HELPER_PRIV_LEN;
	struct cth_helper h;
	size_t i;

	registry.news++;
	assert_int_equal(cth_helper_parse(&h, m), 0);
	if (registry.refuse_new)
		return registry.refuse_new;
	i = registered(&h);
	if (i < registry.n)
		return m->flags & NLM_F_EXCL ? -EEXIST : kernel_update(&registry.list[i], &h);
	if ((h.have & needed) != needed)
		return -EINVAL;
	assert_true(registry.n < N_OF(registry.list));
	registry.list[registry.n++] = h; /* CREATE or not */
	return 0;
}

static int kernel_del(const struct cth_nlmsg *m)
{
	struct cth_nlmsg as_new = *m;
	struct cth_helper h;
	size_t i;

	registry.dels++;
	as_new.type = NFNL_SUBSYS_CTHELPER << 8 | NFNL_MSG_CTHELPER_NEW;
	assert_int_equal(cth_helper_parse(&h, &as_new), 0);
	i = registered(&h);
	if (registry.n == 0)
		return 0; /* as after a flush */
	if (i == registry.n)
		return -ENOENT;
	if (registry.busy[i])
		return -EBUSY;
	registry.n--;
	memmove(&registry.list[i], &registry.list[i + 1],
		(registry.n - i) * sizeof(registry.list[0]));
	memmove(&registry.busy[i], &registry.busy[i + 1],
		(registry.n - i) * sizeof(registry.busy[0]));
	return 0;
}

static void kernel_dump(uint32_t seq)
{
	static uint8_t bytes[4096];
	uint16_t flags = NLM_F_MULTI;
	size_t n = registry.n;
	struct cth_msg m;

	registry.dumps++;
	if (registry.interruptions) {
		registry.interruptions--;
		flags |= CTH_NLM_F_DUMP_INTR;
	} else if (registry.other_at_retry) {
		n--;
	}
	cth_msg_init(&m, bytes, sizeof(bytes));
	for (size_t i = 0; i < n; i++) {
		struct cth_helper h = registry.list[i];

		h.have = EVERY_PART;
		assert_int_equal(cth_helper_put_new(&m, flags, seq, &h), 0);
	}
	if (n)
		script_bytes(&k, bytes, cth_msg_bytes(&m).n);
	script_done(&k, seq, 0);
	if (registry.lose_it)
		registry.n = 0;
}

static void kernel(struct script *script, struct cth_span datagram)
{
	struct cth_nlmsg m;
	int r = 0;

	assert_int_equal(cth_nlmsg_next(&datagram, &m), 1);
	assert_int_equal(datagram.n, 0);
	if (registry.deaf)
		return;
	if (registry.no_permission || registry.absent) {
		registry.dumps += (m.flags & NLM_F_DUMP) == NLM_F_DUMP;
		script_ack(script, m.seq, registry.absent ? -EINVAL : -EPERM);
		return;
	}
	switch (m.type) {
	case NFNL_SUBSYS_CTHELPER << 8 | NFNL_MSG_CTHELPER_NEW:
		r = kernel_new(&m);
		break;
	case NFNL_SUBSYS_CTHELPER << 8 | NFNL_MSG_CTHELPER_DEL:
		r = kernel_del(&m);
		break;
	default:
		assert_int_equal(m.type, NFNL_SUBSYS_CTHELPER << 8 | NFNL_MSG_CTHELPER_GET);
		assert_int_equal(m.flags & NLM_F_DUMP, NLM_F_DUMP);
		kernel_dump(m.seq);
		return;
	}
	assert_true(m.flags & NLM_F_ACK);
	if (r < 0 && registry.explain)
		refuse_with_text(m.seq, r, registry.explain);
	else
		script_ack(script, m.seq, r);
}

static int with_registry(void **state)
{
	setup(state);
	k.on_send = kernel;
	return 0;
}

static void register_one(const char *name, uint16_t l3, uint8_t l4)
{
	struct cth_helper h = helper(name, l3, l4);

	assert_int_equal(cth_helper_add(&s, &h, &nack), 0);
}

/* Golden bytes. */

static void a_new_helper_is_these_bytes(void **state)
{
	static const uint8_t should[] = {
		MESSAGE(152, 0x0900, 0x605, 7, 0, 0),
		A(4, 1), 'f', 't', 'p', 0,
		AN(16, 2), A(2, 1), B16(10), 0, 0, A(1, 2), 6, 0, 0, 0,
		A(4, 3), B32(0xfffe),
		AN(76, 4),
			A(4, 1), B32(2),
			AN(28, 2), A(8, 1), 'c', 'o', 'n', 't', 'r', 'o', 'l', 0,
				A(4, 2), B32(1), A(4, 3), B32(300),
			AN(32, 3), A(9, 1), '1', '2', '3', '4', '5', '6', '7', '8', 0, 0, 0, 0,
				A(4, 2), B32(255), A(4, 3), B32(0x01020304),
		A(4, 5), B32(32),
		A(4, 6), B32(1),
	};
	struct cth_helper h = helper("ftp", INET6, TCP);

	(void)state;
	h.queue = 0xfffe;
	h.priv_len = 32;
	h.enabled = true;
	h.classes = 2;
	strcpy(h.policy[0].name, "control");
	strcpy(h.policy[1].name, "12345678");
	h.policy[1].max = 255;
	h.policy[1].timeout = 0x01020304;
	h.have = 0; /* a new helper has all its parts */
	assert_int_equal(cth_helper_put_new(&msg,
					    NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
					    7, &h), 0);
	assert_bytes(cth_msg_bytes(&msg), should, sizeof(should));
}

static void a_change_carries_only_its_parts(void **state)
{
	static const uint8_t status[] = {
		MESSAGE(56, 0x0900, 5, 8, 0, 0),
		A(4, 1), 'f', 't', 'p', 0,
		AN(16, 2), A(2, 1), B16(2), 0, 0, A(1, 2), 17, 0, 0, 0,
		A(4, 6), B32(0),
	};
	static const uint8_t queue[] = {
		MESSAGE(56, 0x0900, 5, 9, 0, 0),
		A(4, 1), 'f', 't', 'p', 0,
		AN(16, 2), A(2, 1), B16(2), 0, 0, A(1, 2), 17, 0, 0, 0,
		A(4, 3), B32(5),
	};
	struct cth_helper h = helper("ftp", INET, UDP);

	(void)state;
	h.have = CTH_HELPER_STATUS;
	assert_int_equal(cth_helper_put_new(&msg, NLM_F_REQUEST | NLM_F_ACK, 8, &h), 0);
	assert_bytes(cth_msg_bytes(&msg), status, sizeof(status));
	cth_msg_reset(&msg);
	h.have = CTH_HELPER_QUEUE;
	assert_int_equal(cth_helper_put_new(&msg, NLM_F_REQUEST | NLM_F_ACK, 9, &h), 0);
	assert_bytes(cth_msg_bytes(&msg), queue, sizeof(queue));
}

static void a_dump_and_a_delete_are_these_bytes(void **state)
{
	static const uint8_t get[] = { MESSAGE(20, 0x0901, 0x301, 1, 0, 0) };
	static const uint8_t del[] = {
		MESSAGE(60, 0x0902, 5, 2, 0, 0),
		A(16, 1), 'e', 'x', 'a', 'c', 't', 'l', 'y', '1', '5', 'l', 'e', 't', 't', 'e',
		'r', 0,
		AN(16, 2), A(2, 1), B16(2), 0, 0, A(1, 2), 6, 0, 0, 0,
	};

	(void)state;
	assert_int_equal(cth_helper_put_get(&msg, NLM_F_REQUEST | NLM_F_DUMP, 1), 0);
	assert_bytes(cth_msg_bytes(&msg), get, sizeof(get));
	cth_msg_reset(&msg);
	assert_int_equal(cth_helper_put_del(&msg, NLM_F_REQUEST | NLM_F_ACK, 2, "exactly15letter",
					    INET, TCP), 0);
	assert_bytes(cth_msg_bytes(&msg), del, sizeof(del));
}

static void what_does_not_fit_is_taken_back(void **state)
{
	struct cth_helper h = helper("ftp", INET, TCP);
	size_t n;

	(void)state;
	assert_int_equal(cth_helper_put_new(&msg, NLM_F_CREATE, 1, &h), 0);
	n = cth_msg_bytes(&msg).n;
	for (size_t cap = 0; cap < n; cap++) {
		cth_msg_init(&msg, out, cap);
		assert_int_equal(cth_helper_put_new(&msg, NLM_F_CREATE, 1, &h), -EMSGSIZE);
		assert_int_equal(cth_msg_bytes(&msg).n, 0);
	}
}

/* Mistakes that the kernel never gets to see. */

static void assert_fault(const struct cth_helper *h, const char *fault)
{
	const char *why = NULL;

	assert_int_equal(cth_helper_check(h, &why), -EINVAL);
	assert_non_null(strstr(why, fault));
	assert_int_equal(cth_helper_check(h, NULL), -EINVAL);
	nack.error = 1;
	assert_int_equal(cth_helper_add(&s, h, &nack), -EINVAL);
	assert_int_equal(nack.error, 0); /* it was not the kernel */
	assert_int_equal(k.sends, 0);
}

static void every_mistake_has_its_sentence(void **state)
{
	const struct cth_helper good = helper("ftp", INET, TCP);
	struct cth_helper h;
	const char *why = "";

	(void)state;
	assert_int_equal(cth_helper_check(&good, &why), 0);
	assert_null(why);
	assert_int_equal(cth_helper_check(&good, NULL), 0);

	h = good, h.name[0] = 0;
	assert_fault(&h, "no name");
	h = good, memset(h.name, 'x', sizeof(h.name));
	assert_fault(&h, "15 characters");
	h = good, h.l4 = 0;
	assert_fault(&h, "protocol");
	h = good, h.queue = 65536;
	assert_fault(&h, "65535");
	h = good, h.priv_len = 33;
	assert_fault(&h, "32 bytes");
	h = good, h.classes = 0;
	assert_fault(&h, "no class");
	h = good, h.classes = 5;
	assert_fault(&h, "4 classes");
	h = good, h.policy[0].name[0] = 0;
	assert_fault(&h, "no name");
	h = good, memset(h.policy[0].name, 'x', 16);
	assert_fault(&h, "15 characters");
	h = good, h.policy[0].max = 256;
	assert_fault(&h, "255");
	h = good, h.classes = 4; /* the last three have no names */
	assert_fault(&h, "no name");
}

static void the_limits_themselves_are_fine(void **state)
{
	struct cth_helper h = helper("exactly15letter", INET, TCP);

	(void)state;
	h.queue = 65535;
	h.priv_len = 32;
	h.classes = 4;
	for (size_t i = 0; i < 4; i++) {
		strcpy(h.policy[i].name, "exactly15letter");
		h.policy[i].max = 255;
		h.policy[i].timeout = UINT32_MAX;
	}
	assert_int_equal(cth_helper_check(&h, NULL), 0);
	assert_int_equal(cth_helper_add(&s, &h, &nack), 0);
	assert_int_equal(registry.n, 1);
	assert_memory_equal(registry.list[0].policy, h.policy, sizeof(h.policy));
}

static void peer_libnetfilter_cthelper_names_silently_cut(void **state)
{
	struct cth_helper h = helper("sixteen_letter", INET, TCP), got;

	(void)state;
	memcpy(h.name, "sixteen_letters_", 16);
	assert_int_equal(cth_helper_add(&s, &h, &nack), -EINVAL);
	h.have = CTH_HELPER_STATUS;
	assert_int_equal(cth_helper_update(&s, &h, &nack), -EINVAL);
	assert_int_equal(cth_helper_get(&s, "sixteen_letters_", INET, TCP, &got, &nack), -EINVAL);
	assert_int_equal(cth_helper_del(&s, "sixteen_letters_", INET, TCP, &nack), -EINVAL);
	assert_int_equal(cth_helper_put_del(&msg, 0, 1, "sixteen_letters_", INET, TCP), -EINVAL);
	assert_int_equal(k.sends, 0);
}

static void a_change_is_held_to_the_same_limits(void **state)
{
	struct cth_helper h = helper("ftp", INET, TCP);

	(void)state;
	register_one("ftp", INET, TCP);
	h.have = CTH_HELPER_QUEUE;
	h.queue = 70000; /* the kernel would take it, and queue to 4464 */
	assert_int_equal(cth_helper_update(&s, &h, &nack), -EINVAL);
	h.queue = 1;
	h.classes = 0; /* not among what is to change */
	assert_int_equal(cth_helper_update(&s, &h, &nack), 0);
	assert_int_equal(registry.list[0].queue, 1);
	assert_int_equal(registry.list[0].classes, 1);
}

/* A life. */

static void what_is_added_is_found(void **state)
{
	struct cth_helper h = helper("ftp", INET, TCP), got;

	(void)state;
	h.priv_len = 24;
	assert_int_equal(cth_helper_add(&s, &h, &nack), 0);
	register_one("ftp", INET6, TCP);
	register_one("tftp", INET, UDP);
	assert_int_equal(cth_helper_get(&s, "ftp", INET, TCP, &got, &nack), 0);
	assert_string_equal(got.name, "ftp");
	assert_int_equal(got.l3, INET);
	assert_int_equal(got.l4, TCP);
	assert_int_equal(got.queue, 5);
	assert_int_equal(got.priv_len, 24);
	assert_false(got.enabled);
	assert_int_equal(got.classes, 1);
	assert_string_equal(got.policy[0].name, "ftp");
	assert_int_equal(got.policy[0].max, 1);
	assert_int_equal(got.policy[0].timeout, 300);
	assert_int_equal(got.have, EVERY_PART);
}

static void peer_nfct_a_second_add_silently_succeeds(void **state)
{
	struct cth_helper h = helper("ftp", INET, TCP);

	(void)state;
	register_one("ftp", INET, TCP);
	h.queue = 9;
	assert_int_equal(cth_helper_add(&s, &h, &nack), -EEXIST);
	assert_int_equal(nack.error, -EEXIST);
	assert_int_equal(registry.list[0].queue, 5);
}

static void peer_nfct_get_of_nothing_prints_nothing_and_succeeds(void **state)
{
	struct cth_helper got;

	(void)state;
	register_one("ftp", INET, TCP);
	assert_int_equal(cth_helper_get(&s, "ftp", INET6, TCP, &got, &nack), -ENOENT);
	assert_int_equal(cth_helper_get(&s, "ftp", INET, UDP, &got, &nack), -ENOENT);
	assert_int_equal(cth_helper_get(&s, "ft", INET, TCP, &got, &nack), -ENOENT);
	assert_int_equal(nack.error, 0); /* the kernel refused nothing */
}

static void a_list_may_be_longer_than_its_room(void **state)
{
	struct cth_helper list[3];

	(void)state;
	memset(list, 0xaa, sizeof(list));
	assert_int_equal(cth_helper_list(&s, list, 3, &nack), 0);
	register_one("a", INET, TCP);
	register_one("b", INET, TCP);
	register_one("c", INET, TCP);
	assert_int_equal(cth_helper_list(&s, list, 2, &nack), 3);
	assert_string_equal(list[0].name, "a");
	assert_string_equal(list[1].name, "b");
	assert_int_equal((uint8_t)list[2].name[0], 0xaa);
	assert_int_equal(cth_helper_list(&s, NULL, 0, &nack), 3);
	assert_int_equal(cth_helper_list(&s, list, 3, NULL), 3);
}

static void a_status_is_changed_and_nothing_else(void **state)
{
	struct cth_helper h = { .l3 = INET, .l4 = TCP, .have = CTH_HELPER_STATUS, .enabled = true };

	(void)state;
	register_one("ftp", INET, TCP);
	strcpy(h.name, "ftp");
	assert_int_equal(cth_helper_update(&s, &h, &nack), 0);
	assert_true(registry.list[0].enabled);
	assert_int_equal(registry.list[0].queue, 5);
	assert_int_equal(registry.list[0].policy[0].max, 1);
}

static void an_update_never_creates(void **state)
{
	struct cth_helper h = helper("ftp", INET, TCP);

	(void)state;
	h.have = EVERY_PART;
	assert_int_equal(cth_helper_update(&s, &h, &nack), -ENOENT);
	assert_int_equal(registry.news, 0);

	/* Not even when it vanishes between the look and the change. */
	register_one("ftp", INET, TCP);
	registry.lose_it = true;
	assert_int_equal(cth_helper_update(&s, &h, &nack), -ENOENT);
	assert_int_equal(registry.news, 2);
	assert_int_equal(registry.n, 0);
}

static void what_cannot_change_is_busy(void **state)
{
	struct cth_helper h = helper("ftp", INET, TCP);

	(void)state;
	register_one("ftp", INET, TCP);
	h.have = CTH_HELPER_PRIV_LEN;
	assert_int_equal(cth_helper_update(&s, &h, &nack), 0);
	h.priv_len = 8;
	assert_int_equal(cth_helper_update(&s, &h, &nack), -EBUSY);
	assert_int_equal(nack.error, 0);
	h.have = CTH_HELPER_POLICY;
	strcpy(h.policy[0].name, "other");
	assert_int_equal(cth_helper_update(&s, &h, &nack), -EBUSY);
	assert_int_equal(nack.error, -EBUSY);
	h = helper("ftp", INET, TCP);
	h.have = CTH_HELPER_POLICY;
	h.policy[0].max = 7;
	h.policy[0].timeout = 8;
	assert_int_equal(cth_helper_update(&s, &h, &nack), 0);
	assert_int_equal(registry.list[0].policy[0].max, 7);
	assert_int_equal(registry.list[0].policy[0].timeout, 8);
}

static void a_delete_takes_the_one_with_the_key(void **state)
{
	(void)state;
	register_one("ftp", INET, TCP);
	register_one("ftp", INET6, TCP);
	register_one("ftp", INET, UDP);
	assert_int_equal(cth_helper_del(&s, "ftp", INET6, TCP, &nack), 0);
	assert_int_equal(registry.n, 2);
	assert_int_equal(registry.list[0].l3, INET);
	assert_int_equal(registry.list[1].l3, INET);
	assert_int_equal(cth_helper_del(&s, "ftp", INET6, TCP, &nack), -ENOENT);
	registry.busy[0] = true;
	assert_int_equal(cth_helper_del(&s, "ftp", INET, TCP, &nack), -EBUSY);
	assert_int_equal(nack.error, -EBUSY);
}

/* Of an empty registry the kernel deletes anything with success. */
static void nothing_is_deleted_where_nothing_is(void **state)
{
	(void)state;
	assert_int_equal(cth_helper_del(&s, "ftp", INET, TCP, &nack), -ENOENT);
	assert_int_equal(registry.dels, 0);
}

static void peer_libnetfilter_cthelper_sends_l4_0_when_only_l3_is_given(void **state)
{
	struct cth_span sent;

	(void)state;
	register_one("ftp", INET, TCP);
	assert_int_equal(cth_helper_del(&s, "ftp", INET, TCP, &nack), 0);
	/* The key is always whole: the tuple's attributes end in the protocol's byte. */
	sent = script_sent(&k, k.outs - 1);
	assert_int_equal(sent.p[sent.n - 4], TCP);
	assert_int_equal(cth_be16(sent.p + sent.n - 12), INET);
}

static void peer_nfct_a_partial_flush_looks_like_success(void **state)
{
	struct cth_helper list[4];
	int n, busy = 0;

	(void)state;
	register_one("a", INET, TCP);
	register_one("b", INET, TCP);
	register_one("c", INET, TCP);
	registry.busy[1] = true;
	n = cth_helper_list(&s, list, N_OF(list), &nack);
	assert_int_equal(n, 3);
	for (int i = 0; i < n; i++)
		busy += cth_helper_del(&s, list[i].name, list[i].l3, list[i].l4, &nack) == -EBUSY;
	assert_int_equal(busy, 1);
	assert_int_equal(registry.n, 1);
	assert_string_equal(registry.list[0].name, "b");
}

/* Refusals. */

static int add_ftp(void)
{
	struct cth_helper h = helper("ftp", INET, TCP);

	return cth_helper_add(&s, &h, &nack);
}

static int update_ftp(void)
{
	struct cth_helper h = helper("ftp", INET, TCP);

	h.have = CTH_HELPER_STATUS;
	return cth_helper_update(&s, &h, &nack);
}

static int get_ftp(void)
{
	struct cth_helper got;

	return cth_helper_get(&s, "ftp", INET, TCP, &got, &nack);
}

static int list_all(void)
{
	struct cth_helper got;

	return cth_helper_list(&s, &got, 1, &nack);
}

static int del_ftp(void)
{
	return cth_helper_del(&s, "ftp", INET, TCP, &nack);
}

static int (*const operations[])(void) = { add_ftp, update_ftp, get_ftp, list_all, del_ftp };

static void an_absent_subsystem_is_told_from_a_bad_request(void **state)
{
	(void)state;
	registry.absent = true;
	for (size_t i = 0; i < N_OF(operations); i++) {
		size_t sends = k.sends;

		assert_int_equal(operations[i](), -EPROTONOSUPPORT);
		assert_int_equal(nack.error, -EINVAL); /* what the kernel said */
		assert_in_range(k.sends - sends, 1, 2); /* the request, and one look */
	}
}

static void a_refusal_with_einval_stays_one_where_the_subsystem_is(void **state)
{
	(void)state;
	registry.refuse_new = -EINVAL;
	assert_int_equal(add_ftp(), -EINVAL);
	assert_int_equal(registry.dumps, 1);
	assert_int_equal(nack.error, -EINVAL);
}

static void a_refusal_that_is_explained_needs_no_second_look(void **state)
{
	(void)state;
	registry.refuse_new = -EINVAL;
	registry.explain = "Attribute failed policy validation";
	assert_int_equal(add_ftp(), -EINVAL);
	assert_int_equal(registry.dumps, 0);
	assert_string_equal(nack.text, registry.explain);
}

static void without_permission_nothing_works(void **state)
{
	(void)state;
	registry.no_permission = true;
	for (size_t i = 0; i < N_OF(operations); i++) {
		assert_int_equal(operations[i](), -EPERM);
		assert_int_equal(nack.error, -EPERM);
	}
}

static void the_kernels_own_helper_makes_it_busy(void **state)
{
	(void)state;
	registry.refuse_new = -EBUSY;
	assert_int_equal(add_ftp(), -EBUSY);
	assert_int_equal(nack.error, -EBUSY);
	assert_int_equal(nack.seq, 1);
}

static void no_answer_is_a_timeout(void **state)
{
	(void)state;
	registry.deaf = true;
	for (size_t i = 0; i < N_OF(operations); i++) {
		assert_int_equal(operations[i](), -ETIMEDOUT);
		assert_int_equal(nack.error, 0);
	}
}

static void a_socket_that_fails_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(operations); i++) {
		k.send_error[i] = -ENOBUFS;
		assert_int_equal(operations[i](), -ENOBUFS);
		assert_int_equal(nack.error, 0);
	}
}

static void a_dump_that_changed_is_read_again(void **state)
{
	struct cth_helper list[4], got;

	(void)state;
	register_one("a", INET, TCP);
	register_one("b", INET, TCP);
	registry.interruptions = 2;
	registry.other_at_retry = true;
	assert_int_equal(cth_helper_list(&s, list, N_OF(list), &nack), 1);
	assert_int_equal(registry.dumps, 3);
	registry.interruptions = 1; /* seen at first, gone at the second look */
	assert_int_equal(cth_helper_get(&s, "b", INET, TCP, &got, &nack), -ENOENT);
	registry.interruptions = 100;
	assert_int_equal(cth_helper_list(&s, list, N_OF(list), &nack), -EINTR);
}

static void what_answers_somebody_else_is_not_listed(void **state)
{
	static uint8_t bytes[512];
	struct cth_helper h = helper("late", INET, TCP), list[2];
	struct cth_msg m;

	(void)state;
	cth_msg_init(&m, bytes, sizeof(bytes));
	/* The rest of a dump that was given up, a packet, a message that does not exist yet. */
	cth_helper_put_new(&m, NLM_F_MULTI | NLM_F_CREATE, 77, &h);
	cth_msg_begin(&m, NFNL_SUBSYS_QUEUE << 8, 0, 0, 2, 0);
	cth_msg_end(&m);
	cth_msg_begin(&m, NFNL_SUBSYS_CTHELPER << 8 | 9, 0, 1, 0, 0);
	cth_msg_end(&m);
	cth_helper_put_new(&m, NLM_F_MULTI | NLM_F_CREATE, 1, &h);
	script_bytes(&k, bytes, cth_msg_bytes(&m).n);
	script_done(&k, 1, 0);
	assert_int_equal(cth_helper_list(&s, list, 2, &nack), 1);
}

static void a_damaged_dump_is_an_error_not_a_short_list(void **state)
{
	static const uint8_t nameless[] = { MESSAGE(28, 0x0900, 2, 1, 0, 0), A(4, 3), B32(5) };
	struct cth_helper list[2];

	(void)state;
	script_bytes(&k, nameless, sizeof(nameless));
	script_done(&k, 1, 0);
	assert_int_equal(cth_helper_list(&s, list, 2, &nack), -EINVAL);
	assert_int_equal(nack.error, 0); /* so it is not taken for an absent subsystem */
}

/* The parser. */

static struct cth_nlmsg first_message(struct cth_span bytes)
{
	struct cth_nlmsg m;

	assert_int_equal(cth_nlmsg_next(&bytes, &m), 1);
	return m;
}

static int parse_bytes(struct cth_helper *h, const void *bytes, size_t n)
{
	uint8_t *p = guarded(bytes, n);
	struct cth_nlmsg m = first_message(cth_span(p, n));
	int r = cth_helper_parse(h, &m);

	free_guarded(p, n);
	return r;
}

#define PARSE(h, ...) \
	parse_bytes(h, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))
#define KEY A(2, 1), 'x', 0, 0, 0, AN(16, 2), A(2, 1), B16(2), 0, 0, A(1, 2), 6, 0, 0, 0
#define CLASS A(2, 1), 'c', 0, 0, 0, A(4, 2), B32(1), A(4, 3), B32(2)

static void what_is_absent_is_not_zero(void **state)
{
	struct cth_helper h;

	(void)state;
	assert_int_equal(PARSE(&h, MESSAGE(48, 0x0900, 0, 1, 0, 0), KEY), 0);
	assert_string_equal(h.name, "x");
	assert_int_equal(h.have, 0);
	assert_int_equal(PARSE(&h, MESSAGE(64, 0x0900, 0, 1, 0, 0), KEY, A(4, 6), B32(0),
			       A(4, 3), B32(0)), 0);
	assert_int_equal(h.have, CTH_HELPER_STATUS | CTH_HELPER_QUEUE);
}

static void a_helper_has_a_key(void **state)
{
	struct cth_helper h;

	(void)state;
	assert_int_equal(PARSE(&h, MESSAGE(20, 0x0900, 0, 1, 0, 0)), -EINVAL);
	assert_int_equal(PARSE(&h, MESSAGE(28, 0x0900, 0, 1, 0, 0), A(2, 1), 'x', 0, 0, 0),
			 -EINVAL);
	assert_int_equal(PARSE(&h, MESSAGE(40, 0x0900, 0, 1, 0, 0), AN(16, 2), A(2, 1), B16(2), 0,
			       0,
			       A(1, 2), 6, 0, 0, 0), -EINVAL);
	assert_int_equal(PARSE(&h, MESSAGE(40, 0x0900, 0, 1, 0, 0), A(2, 1), 'x', 0, 0, 0,
			       AN(8, 2), A(2, 1), B16(2), 0, 0), -EINVAL);
	assert_int_equal(PARSE(&h, MESSAGE(40, 0x0900, 0, 1, 0, 0), A(2, 1), 'x', 0, 0, 0,
			       AN(8, 2), A(1, 2), 6, 0, 0, 0), -EINVAL);
}

static void other_messages_are_no_helpers(void **state)
{
	struct cth_helper h;

	(void)state;
	assert_int_equal(PARSE(&h, MESSAGE(48, 0x0901, 0, 1, 0, 0), KEY), -EPROTO);
	assert_int_equal(PARSE(&h, MESSAGE(48, 0x0902, 0, 1, 0, 0), KEY), -EPROTO);
	assert_int_equal(PARSE(&h, MESSAGE(48, 0x0300, 0, 1, 0, 0), KEY), -EPROTO);
}

static void a_message_that_is_cut_is_no_helper(void **state)
{
	uint8_t bytes[256];
	struct cth_helper h = { .name = "test", .l3 = 2, .l4 = 6 }, read;
	struct cth_nlmsg part;
	struct cth_msg built;

	(void)state;
	cth_msg_init(&built, bytes, sizeof(bytes));
	assert_int_equal(cth_helper_put_new(&built, NLM_F_REQUEST, 1, &h), 0);
	for (size_t n = 20; n < cth_msg_bytes(&built).n; n++) {
		assert_int_equal(cth_nlmsg_rest(cth_span(bytes, n), &part), 1);
		assert_int_equal(cth_helper_parse(&read, &part), -EBADMSG);
	}
}

static void a_name_of_16_letters_is_none(void **state)
{
	struct cth_helper h;

	(void)state;
	assert_int_equal(PARSE(&h, MESSAGE(40, 0x0900, 0, 1, 0, 0), A(16, 1), '0', '1', '2', '3',
			       '4', '5',
			       '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'), -EINVAL);
	assert_int_equal(PARSE(&h, MESSAGE(44, 0x0900, 0, 1, 0, 0), A(17, 1), '0', '1', '2', '3',
			       '4', '5',
			       '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', 0, 0, 0, 0),
			       -ERANGE);
}

static void peer_libnetfilter_cthelper_no_length_check_for_status_and_private_length(void **state)
{
	struct cth_helper h;

	(void)state;
	/* Each of them the last thing in front of the forbidden page. */
	for (unsigned type = 3; type <= 6; type++) {
		const uint8_t short_one[] = { MESSAGE(53, 0x0900, 0, 1, 0, 0), KEY,
			H16(5), H16(type), 1 };
		const uint8_t long_one[] = { MESSAGE(60, 0x0900, 0, 1, 0, 0), KEY,
			A(8, type), B32(0), B32(1) };

		if (type == 4) /* a nest */
			continue;
		assert_int_equal(parse_bytes(&h, short_one, sizeof(short_one)), -ERANGE);
		assert_int_equal(parse_bytes(&h, long_one, sizeof(long_one)), -ERANGE);
	}
}

static void peer_libnetfilter_cthelper_tests_the_wrong_attribute_for_the_queue(void **state)
{
	struct cth_helper h;

	(void)state;
	assert_int_equal(PARSE(&h, MESSAGE(56, 0x0900, 0, 1, 0, 0), KEY, A(4, 6), B32(1)), 0);
	assert_int_equal(h.have, CTH_HELPER_STATUS);
	assert_true(h.enabled);
	assert_int_equal(PARSE(&h, MESSAGE(56, 0x0900, 0, 1, 0, 0), KEY, A(4, 3), B32(9)), 0);
	assert_int_equal(h.have, CTH_HELPER_QUEUE);
	assert_int_equal(h.queue, 9);
}

static void peer_libnetfilter_cthelper_policies_under_one_number(void **state)
{
	struct cth_helper h = helper("sip", INET, UDP), got;
	struct cth_nlmsg m;

	(void)state;
	h.classes = 4;
	for (size_t i = 0; i < 4; i++) {
		h.policy[i].name[0] = (char)('a' + i);
		h.policy[i].max = (uint32_t)i;
	}
	assert_int_equal(cth_helper_put_new(&msg, NLM_F_CREATE, 1, &h), 0);
	m = first_message(cth_msg_bytes(&msg));
	assert_int_equal(cth_helper_parse(&got, &m), 0);
	/* Of duplicates the last stands: under one number three would be lost. */
	assert_int_equal(got.classes, 4);
	assert_memory_equal(got.policy, h.policy, sizeof(h.policy));
}

static void peer_libnetfilter_cthelper_writes_past_four_policies(void **state)
{
	struct cth_helper h;

	(void)state;
	/* A count over four, modest and huge. */
	assert_int_equal(PARSE(&h, MESSAGE(60, 0x0900, 0, 1, 0, 0), KEY, AN(8, 4),
			       A(4, 1), B32(5)), -ERANGE);
	assert_int_equal(PARSE(&h, MESSAGE(60, 0x0900, 0, 1, 0, 0), KEY, AN(8, 4),
			       A(4, 1), B32(-1)), -ERANGE);
	/* A count without its sets, sets without a count, more sets than counted. */
	assert_int_equal(PARSE(&h, MESSAGE(60, 0x0900, 0, 1, 0, 0), KEY, AN(8, 4),
			       A(4, 1), B32(1)), -EBADMSG);
	assert_int_equal(PARSE(&h, MESSAGE(80, 0x0900, 0, 1, 0, 0), KEY, AN(28, 4), AN(24, 2),
			       CLASS), -EINVAL);
	assert_int_equal(PARSE(&h, MESSAGE(88, 0x0900, 0, 1, 0, 0), KEY, AN(36, 4), A(4, 1), B32(0),
			       AN(24, 2), CLASS), -EBADMSG);
	/* The first set is the second class. */
	assert_int_equal(PARSE(&h, MESSAGE(88, 0x0900, 0, 1, 0, 0), KEY, AN(36, 4), A(4, 1), B32(1),
			       AN(24, 3), CLASS), -EBADMSG);
	/* As it should be. */
	assert_int_equal(PARSE(&h, MESSAGE(88, 0x0900, 0, 1, 0, 0), KEY, AN(36, 4), A(4, 1), B32(1),
			       AN(24, 2), CLASS), 0);
	assert_int_equal(h.classes, 1);
	assert_string_equal(h.policy[0].name, "c");
	assert_int_equal(h.policy[0].max, 1);
	assert_int_equal(h.policy[0].timeout, 2);
	/* A sixth set, unknown today. */
	assert_int_equal(PARSE(&h, MESSAGE(116, 0x0900, 0, 1, 0, 0), KEY, AN(64, 4),
			       A(4, 1), B32(1),
			       AN(24, 2), CLASS, AN(24, 6), CLASS), 0);
}

static void half_a_class_is_none(void **state)
{
	struct cth_helper h;

	(void)state;
	assert_int_equal(PARSE(&h, MESSAGE(80, 0x0900, 0, 1, 0, 0), KEY, AN(28, 4),
			       A(4, 1), B32(1), AN(16, 2),
			       A(4, 2), B32(1), A(4, 3), B32(2)), -EINVAL);
	assert_int_equal(PARSE(&h, MESSAGE(80, 0x0900, 0, 1, 0, 0), KEY, AN(28, 4),
			       A(4, 1), B32(1), AN(16, 2),
			       A(2, 1), 'c', 0, 0, 0, A(4, 3), B32(2)), -EINVAL);
	assert_int_equal(PARSE(&h, MESSAGE(80, 0x0900, 0, 1, 0, 0), KEY, AN(28, 4),
			       A(4, 1), B32(1), AN(16, 2),
			       A(2, 1), 'c', 0, 0, 0, A(4, 2), B32(2)), -EINVAL);
}

/* What every answer of the parser has to keep to, whatever it was fed. */
static void parse_any(struct cth_span bytes, void *ctx)
{
	size_t *good = ctx;
	struct cth_helper h;
	struct cth_nlmsg m;

	if (cth_nlmsg_next(&bytes, &m) <= 0)
		return;
	if (cth_helper_parse(&h, &m) < 0)
		return;
	(*good)++;
	assert_non_null(memchr(h.name, 0, sizeof(h.name)));
	assert_in_range(h.classes, 0, CTH_HELPER_CLASSES);
	for (size_t i = 0; i < h.classes; i++)
		assert_non_null(memchr(h.policy[i].name, 0, sizeof(h.policy[i].name)));
}

static void whatever_comes_stays_inside(void **state)
{
	struct cth_helper h = helper("exactly15letter", INET, TCP);
	size_t truncated = 0, changed = 0;

	(void)state;
	h.classes = 4;
	for (size_t i = 0; i < 4; i++)
		strcpy(h.policy[i].name, "exactly15letter");
	assert_int_equal(cth_helper_put_new(&msg, NLM_F_CREATE, 1, &h), 0);
	every_truncation(cth_msg_bytes(&msg), parse_any, &truncated);
	assert_int_equal(truncated, 1);
	every_byte_value(cth_msg_bytes(&msg), parse_any, &changed);
	assert_in_range(changed, cth_msg_bytes(&msg).n, 256 * cth_msg_bytes(&msg).n);
}

/* Truncation inside: the headers agree with what is left. */
static void parse_cut(struct cth_span bytes, void *ctx)
{
	struct cth_nlmsg m = { .type = 0x0900, .attrs = bytes };
	struct cth_helper h;

	(void)ctx;
	cth_helper_parse(&h, &m);
}

static void attributes_cut_anywhere_stay_inside(void **state)
{
	struct cth_helper h = helper("ftp", INET, TCP);

	(void)state;
	assert_int_equal(cth_helper_put_new(&msg, NLM_F_CREATE, 1, &h), 0);
	every_truncation(first_message(cth_msg_bytes(&msg)).attrs, parse_cut, NULL);
	every_byte_value(first_message(cth_msg_bytes(&msg)).attrs, parse_cut, NULL);
}

/* Recordings of real kernels. */

struct seen {
	size_t told;      /* helpers that the kernel told */
	size_t asked;     /* NEW requests that parse */
	size_t bad;       /* and that do not */
	size_t ebusy_new, ebusy_del;
	struct cth_helper helper[64];
};

static void see_message(const struct cth_nlmsg *m, bool to_kernel, struct seen *seen)
{
	struct cth_nack n;
	struct cth_helper h;
	int r;

	if (m->type == NLMSG_ERROR && cth_nack_parse(m, &n) == 0 && n.error == -EBUSY) {
		seen->ebusy_new += n.type == 0x0900;
		seen->ebusy_del += n.type == 0x0902;
	}
	r = cth_helper_parse(&h, m);
	if (r == -EPROTO)
		return;
	if (to_kernel) {
		seen->asked += r == 0;
		seen->bad += r < 0;
		return;
	}
	assert_int_equal(r, 0);
	assert_int_equal(h.have, EVERY_PART);
	assert_true(seen->told < N_OF(seen->helper));
	seen->helper[seen->told++] = h;
}

static void see(struct cth_span datagram, bool to_kernel, void *ctx)
{
	struct cth_nlmsg m;

	while (cth_nlmsg_next(&datagram, &m) > 0)
		see_message(&m, to_kernel, ctx);
}

static void a_recorded_life_is_read(void **state)
{
	static struct seen seen;
	size_t ftp = 0, test = 0;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	each_datagram("helper-lifecycle", see, &seen);
	/* 14 NEW in all: requests of nfct and nfct-helper-add, and what the kernel answered. */
	assert_int_equal(seen.asked + seen.bad + seen.told, 14);
	assert_int_equal(seen.bad, 0);
	for (size_t i = 0; i < seen.told; i++) {
		const struct cth_helper *h = &seen.helper[i];

		assert_int_equal(h->classes, 1);
		assert_false(h->enabled);
		if (strcmp(h->name, "ftp") == 0) {
			ftp++;
			assert_int_equal(h->priv_len, 24);
			assert_int_equal(h->policy[0].max, 1);
			assert_int_equal(h->policy[0].timeout, 300);
		}
		if (strcmp(h->name, "test") == 0) {
			test++;
			assert_int_equal(h->priv_len, 0);
			assert_int_equal(h->policy[0].max, 100);
			assert_int_equal(h->policy[0].timeout, 100);
		}
	}
	assert_true(ftp > 0);
	assert_true(test > 0);
}

static void recorded_dumps_are_read(void **state)
{
	static struct seen seen;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	each_datagram("dump-helpers-ct-expect", see, &seen);
	assert_int_equal(seen.told, 8);
	assert_string_equal(seen.helper[0].name, seen.helper[4].name);
}

static void recorded_mistakes_are_survived(void **state)
{
	static struct seen seen;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	each_datagram("cthelper-errors", see, &seen);
	/* 96, but one of them ends within nfgenmsg and is no message. */
	assert_int_equal(seen.asked + seen.bad + seen.told, 95);
	assert_true(seen.bad > 10);
	assert_int_equal(seen.ebusy_new, 4);
	memset(&seen, 0, sizeof(seen));
	each_datagram("helper-behaviours", see, &seen);
	assert_int_equal(seen.asked + seen.bad + seen.told, 21);
	assert_int_equal(seen.ebusy_del, 6);
}

static void recorded_refusals_are_read(void **state)
{
	static struct seen seen;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	each_datagram("helper-errors-nfct", see, &seen);
	assert_int_equal(seen.ebusy_new, 1);
	assert_int_equal(seen.ebusy_del, 2);
}

/* What we would register is what the peers did register. */
static void rebuild(struct cth_span datagram, bool to_kernel, void *ctx)
{
	size_t *rebuilt = ctx;
	struct cth_helper h, again;
	struct cth_nlmsg m, ours;

	if (cth_nlmsg_next(&datagram, &m) <= 0 || cth_helper_parse(&h, &m) < 0)
		return;
	if (!to_kernel || !(h.have & CTH_HELPER_POLICY))
		return;
	cth_msg_reset(&msg);
	assert_int_equal(cth_helper_put_new(&msg, NLM_F_REQUEST, m.seq, &h), 0);
	ours = first_message(cth_msg_bytes(&msg));
	assert_int_equal(cth_helper_parse(&again, &ours), 0);
	assert_memory_equal(&again, &h, sizeof(h));
	(*rebuilt)++;
}

static void what_the_peers_registered_we_would_too(void **state)
{
	size_t rebuilt = 0;

	(void)state;
	each_datagram("helper-lifecycle", rebuild, &rebuilt);
	assert_true(rebuilt >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_new_helper_is_these_bytes, setup),
		cmocka_unit_test_setup(a_change_carries_only_its_parts, setup),
		cmocka_unit_test_setup(a_dump_and_a_delete_are_these_bytes, setup),
		cmocka_unit_test_setup(what_does_not_fit_is_taken_back, setup),
		cmocka_unit_test_setup(every_mistake_has_its_sentence, setup),
		cmocka_unit_test_setup(the_limits_themselves_are_fine, with_registry),
		cmocka_unit_test_setup(peer_libnetfilter_cthelper_names_silently_cut, setup),
		cmocka_unit_test_setup(a_change_is_held_to_the_same_limits, with_registry),
		cmocka_unit_test_setup(what_is_added_is_found, with_registry),
		cmocka_unit_test_setup(peer_nfct_a_second_add_silently_succeeds, with_registry),
		cmocka_unit_test_setup(peer_nfct_get_of_nothing_prints_nothing_and_succeeds,
				       with_registry),
		cmocka_unit_test_setup(a_list_may_be_longer_than_its_room, with_registry),
		cmocka_unit_test_setup(a_status_is_changed_and_nothing_else, with_registry),
		cmocka_unit_test_setup(an_update_never_creates, with_registry),
		cmocka_unit_test_setup(what_cannot_change_is_busy, with_registry),
		cmocka_unit_test_setup(a_delete_takes_the_one_with_the_key, with_registry),
		cmocka_unit_test_setup(nothing_is_deleted_where_nothing_is, with_registry),
		cmocka_unit_test_setup(peer_libnetfilter_cthelper_sends_l4_0_when_only_l3_is_given, with_registry),
		cmocka_unit_test_setup(peer_nfct_a_partial_flush_looks_like_success, with_registry),
		cmocka_unit_test_setup(an_absent_subsystem_is_told_from_a_bad_request,
				       with_registry),
		cmocka_unit_test_setup(a_refusal_with_einval_stays_one_where_the_subsystem_is,
				       with_registry),
		cmocka_unit_test_setup(a_refusal_that_is_explained_needs_no_second_look,
				       with_registry),
		cmocka_unit_test_setup(without_permission_nothing_works, with_registry),
		cmocka_unit_test_setup(the_kernels_own_helper_makes_it_busy, with_registry),
		cmocka_unit_test_setup(no_answer_is_a_timeout, with_registry),
		cmocka_unit_test_setup(a_socket_that_fails_is_told, with_registry),
		cmocka_unit_test_setup(a_dump_that_changed_is_read_again, with_registry),
		cmocka_unit_test_setup(what_answers_somebody_else_is_not_listed, setup),
		cmocka_unit_test_setup(a_damaged_dump_is_an_error_not_a_short_list, setup),
		cmocka_unit_test_setup(what_is_absent_is_not_zero, setup),
		cmocka_unit_test_setup(a_helper_has_a_key, setup),
		cmocka_unit_test_setup(other_messages_are_no_helpers, setup),
		cmocka_unit_test_setup(a_message_that_is_cut_is_no_helper, setup),
		cmocka_unit_test_setup(a_name_of_16_letters_is_none, setup),
		cmocka_unit_test_setup(peer_libnetfilter_cthelper_no_length_check_for_status_and_private_length, setup),
		cmocka_unit_test_setup(peer_libnetfilter_cthelper_tests_the_wrong_attribute_for_the_queue, setup),
		cmocka_unit_test_setup(peer_libnetfilter_cthelper_policies_under_one_number, setup),
		cmocka_unit_test_setup(peer_libnetfilter_cthelper_writes_past_four_policies, setup),
		cmocka_unit_test_setup(half_a_class_is_none, setup),
		cmocka_unit_test_setup(whatever_comes_stays_inside, setup),
		cmocka_unit_test_setup(attributes_cut_anywhere_stay_inside, setup),
		cmocka_unit_test_setup(a_recorded_life_is_read, setup),
		cmocka_unit_test_setup(recorded_dumps_are_read, setup),
		cmocka_unit_test_setup(recorded_mistakes_are_survived, setup),
		cmocka_unit_test_setup(recorded_refusals_are_read, setup),
		cmocka_unit_test_setup(what_the_peers_registered_we_would_too, setup),
	};

	return RUN(tests);
}
