/* SPDX-License-Identifier: MIT */
/*
 * service.c - a helper program's life, against a kernel with a registry, a queue and tables that
 * writes down what it is told, refuses any request at will, does what it does not admit, and
 * fails the test when packets would be lost: a helper that is enabled while nobody listens, in
 * any of its network namespaces, a queue that is unbound while a packet waits.
 */
#include <sys/socket.h>
#include "unit.h"
#include "../../cthelper/nft.h"
#include "../../cthelper/service.h"
#include "../../netlink/uapi.h"

#define TCP 6
#define UDP 17
#define QUEUE 7
#define OTHER 9
#define MAXLEN 16
#define SUBSYS(m) ((m)->type >> 8)
#define MSG(m) ((m)->type & 255)

/* The protocols. */

static void decide_nothing(const struct cth_view *v, struct cth_decision *d)
{
	(void)v;
	(void)d;
}

static const uint8_t udp[] = { UDP, 0 }, both[] = { TCP, UDP, 0 };

static const struct cth_proto one = {
	.name = "one", .l4 = udp, .port = 69, .state_len = 4,
	.classes = { { "alpha", 1, 120 }, { "beta", 5, 300 } },
	.wants_l4 = udp, .decide = decide_nothing,
};

static const struct cth_proto two = {
	.name = "two", .l4 = both, .port = 5060, .classes = { { "two", 9, 10 } },
	.wants_l4 = udp, .decide = decide_nothing,
};

/* The kernel. */

enum { FINE, REFUSE, LOSE_UNDONE, LOSE_DONE };

struct registry {
	struct cth_helper list[12];
	size_t n;
};

static struct {
	struct registry registry;
	unsigned net, nets;      /* who is speaking: the second network namespace, if there is one */
	bool bound[2], bound_there[2], ignores_crash; /* QUEUE's and OTHER's */
	uint32_t flags;          /* of the queue */
	int flags_unknown;
	struct {
		uint8_t family;
		unsigned net;
		char name[32];
		bool rules;
	} table[12];
	size_t tables, waiting;
	bool packet_at_disable, packet_at_enable;
	int receive_error;       /* that the queue's socket begins with */
	uint32_t unread;         /* the id of a packet that a predecessor has not read; 0: none */
	int ipv6_tables;         /* the error instead of them; 0: there are */
	unsigned busy;           /* so many DELs are too early */
	int always;              /* every batch is refused with this; 0: no */
	size_t requests, fault_at;
	int fault, error;
	char log[2048];
} world;

static struct script on_queue, on_control;
static struct cth_service service;
static struct cth_served served[3];
static struct cth_service_config config;
static struct cth_service_fault fault;
static uint8_t memory[CTH_SERVICE_ROOM(2 * MAXLEN) + 1], queue_answers[4096];
static uint8_t control_answers[CTH_SOCK_BUF];

static void note(const char *what, const char *name, uint16_t l3, uint8_t l4)
{
	char word[64];

	snprintf(word, sizeof(word), "%s%s%s%s%s%s%s", world.log[0] ? ", " : "",
		 world.net ? "there " : "", what, *name ? " " : "", name,
		 !*name ? "" : l3 == AF_INET ? "4" : "6", l4 == UDP ? "u" : l4 ? "t" : "");
	assert_true(strlen(world.log) + strlen(word) < sizeof(world.log));
	strcat(world.log, word);
}

static void answer(struct script *k, const struct cth_nlmsg *to, int error)
{
	uint8_t m[36] = { 0 };

	cth_store_host32(m, sizeof(m));
	cth_store_host16(m + 4, NLMSG_ERROR);
	cth_store_host16(m + 6, CTH_NLM_F_CAPPED);
	cth_store_host32(m + 8, to->seq);
	cth_store_host32(m + 16, (uint32_t)error);
	cth_store_host32(m + 20, 20);
	cth_store_host16(m + 24, to->type);
	cth_store_host32(m + 28, to->seq);
	script_bytes(k, m, sizeof(m));
}

static struct cth_helper *find(const struct cth_helper *key)
{
	for (size_t i = 0; i < world.registry.n; i++) {
		struct cth_helper *h = &world.registry.list[i];

		if (h->l3 == key->l3 && h->l4 == key->l4 && strcmp(h->name, key->name) == 0)
			return h;
	}
	return NULL;
}

/* The kernel lists a queue's number as it was given, which no message of ours can have. */
static void set_queue(uint8_t *bytes, size_t n, uint32_t queue)
{
	struct cth_span left = cth_span(bytes, n);
	struct cth_nlmsg m;
	struct cth_attr a;

	assert_true(cth_nlmsg_next(&left, &m) > 0);
	while (cth_attr_next(&m.attrs, &a) > 0)
		if (a.type == NFCTH_QUEUE_NUM)
			cth_store_be32(bytes + (a.value.p - bytes), queue);
}

static void dump(struct script *k, uint32_t seq)
{
	static uint8_t bytes[4096];
	struct cth_msg m;

	for (size_t i = 0; i < world.registry.n; i++) {
		struct cth_helper h = world.registry.list[i];

		h.queue = (uint16_t)h.queue;
		cth_msg_init(&m, bytes, sizeof(bytes));
		assert_int_equal(cth_helper_put_new(&m, NLM_F_MULTI | NLM_F_CREATE, seq, &h), 0);
		set_queue(bytes, cth_msg_bytes(&m).n, world.registry.list[i].queue);
		script_bytes(k, bytes, cth_msg_bytes(&m).n);
	}
	script_done(k, seq, 0);
}

static void packet_comes(uint32_t id)
{
	uint8_t bytes[256];
	const uint8_t payload[] = { 0x45, 0, 0, 20, [8] = 64, 17, [12] = 10, 0, 1, 2, 10, 0, 2, 2 };
	uint8_t header[7] = { 0, 0, 0, 0, 8, 0, 4 };
	struct cth_msg m;

	cth_store_be32(header, id);
	cth_msg_init(&m, bytes, sizeof(bytes));
	cth_msg_begin(&m, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET, 0, 0, AF_INET, QUEUE);
	cth_msg_put(&m, NFQA_PACKET_HDR, header, sizeof(header));
	cth_msg_put(&m, NFQA_PAYLOAD, payload, sizeof(payload));
	assert_int_equal(cth_msg_end(&m), 0);
	script_bytes(&on_queue, bytes, cth_msg_bytes(&m).n);
	world.waiting++;
}

/* Parts that a message does not tell stay as they are. */
static void change(struct cth_helper *h, const struct cth_helper *to)
{
	if (to->have & CTH_HELPER_QUEUE)
		h->queue = to->queue;
	if (to->have & CTH_HELPER_POLICY) {
		assert_int_equal(h->classes, to->classes);
		memcpy(h->policy, to->policy, sizeof(h->policy));
	}
	if (to->have & CTH_HELPER_STATUS)
		h->enabled = to->enabled;
}

static int take_new(const struct cth_nlmsg *m)
{
	struct cth_helper to, *h;

	assert_int_equal(cth_helper_parse(&to, m), 0);
	h = find(&to);
	if (h && m->flags & NLM_F_EXCL)
		return -EEXIST;
	if (!h) {
		assert_true(m->flags & NLM_F_CREATE);
		assert_true(world.registry.n < N_OF(world.registry.list));
		note(to.enabled ? "new enabled" : "new", to.name, to.l3, to.l4);
		world.registry.list[world.registry.n++] = to;
		return 0;
	}
	note(!(to.have & CTH_HELPER_STATUS) ? "change" : to.enabled ? "enable" : "disable", to.name,
	     to.l3, to.l4);
	change(h, &to);
	if ((to.have & CTH_HELPER_STATUS) && !to.enabled && world.packet_at_disable) {
		world.packet_at_disable = false;
		packet_comes(1);
	}
	if ((to.have & CTH_HELPER_STATUS) && to.enabled && world.packet_at_enable) {
		world.packet_at_enable = false;
		packet_comes(1);
	}
	return 0;
}

static bool is_referred_to(const struct cth_helper *h)
{
	for (size_t i = 0; i < world.tables; i++)
		if (world.table[i].family == h->l3 && strcmp(world.table[i].name + 4, h->name) == 0)
			return true;
	return false;
}

static int take_del(const struct cth_nlmsg *m)
{
	struct cth_nlmsg as_new = *m;
	struct cth_helper key, *h;

	as_new.type = NFNL_SUBSYS_CTHELPER << 8 | NFNL_MSG_CTHELPER_NEW;
	assert_int_equal(cth_helper_parse(&key, &as_new), 0);
	h = find(&key);
	if (!h)
		return -ENOENT;
	if (is_referred_to(h))
		return -EBUSY;
	if (world.busy > 0) {
		world.busy--;
		return -EBUSY;
	}
	note("del", key.name, key.l3, key.l4);
	*h = world.registry.list[--world.registry.n];
	return 0;
}

static int take_config(const struct cth_nlmsg *m)
{
	static const struct cth_attr_rule rules[] = {
		[NFQA_CFG_CMD] = { 4, 4, false }, [NFQA_CFG_FLAGS] = { 4, 4, false },
		[NFQA_CFG_QUEUE_MAXLEN] = { 4, 4, false }, [NFQA_CFG_PARAMS] = { 5, 5, false },
	};
	struct cth_span v[N_OF(rules)];

	bool *bound = &(world.net ? world.bound_there : world.bound)[m->res_id == OTHER];

	assert_true(m->res_id == QUEUE || m->res_id == OTHER);
	assert_int_equal(cth_attr_index(m->attrs, rules, N_OF(rules), v), 0);
	if (v[NFQA_CFG_CMD].p && v[NFQA_CFG_CMD].p[0] == NFQNL_CFG_CMD_UNBIND) {
		if (!*bound)
			return -ENODEV;
		note(m->res_id == QUEUE ? "unbind" : "unbind other", "", 0, 0);
		assert_int_equal(world.waiting, 0); /* it would be dropped */
		*bound = false;
		return 0;
	}
	if (!v[NFQA_CFG_CMD].p && !*bound)
		return -ENODEV;
	if (cth_be32(v[NFQA_CFG_FLAGS].p) & (uint32_t)world.flags_unknown)
		return -EOPNOTSUPP;
	world.flags = cth_be32(v[NFQA_CFG_FLAGS].p);
	assert_int_equal(cth_be32(v[NFQA_CFG_QUEUE_MAXLEN].p), MAXLEN);
	assert_int_equal(cth_be32(v[NFQA_CFG_PARAMS].p), 65531); /* packets whole */
	assert_int_equal(v[NFQA_CFG_PARAMS].p[4], 2);
	if (v[NFQA_CFG_CMD].p) {
		if (*bound)
			return -EBUSY;
		note(m->res_id == QUEUE ? "bind" : "bind other", "", 0, 0);
		*bound = true;
	}
	return 0;
}

/* Batches: what they do is known by the last message that is not their end. */

static size_t table_of(uint8_t family, const char *name)
{
	size_t i = 0;

	while (i < world.tables &&
	       (world.table[i].family != family || world.table[i].net != world.net ||
		strcmp(world.table[i].name, name) != 0))
		i++;
	return i;
}

static int take_attach(uint8_t family, const char *table)
{
	size_t i = table_of(family, table), registered = 0;

	for (size_t k = 0; k < world.registry.n; k++)
		if (world.registry.list[k].l3 == family &&
		    strcmp(world.registry.list[k].name, table + 4) == 0)
			registered++;
	if (!registered)
		return -ENOENT;
	note("attach", table + 4, family, 0);
	if (i == world.tables) {
		assert_true(world.tables < N_OF(world.table));
		world.tables++;
	}
	world.table[i].family = family;
	world.table[i].net = world.net;
	strcpy(world.table[i].name, table);
	world.table[i].rules = true;
	return 0;
}

static int take_table(uint16_t message, uint8_t family, const char *table)
{
	size_t i = table_of(family, table);

	if (i == world.tables)
		return -ENOENT;
	if (message == CTH_NFT_DELRULE) {
		note("clear", table + 4, family, 0);
		world.table[i].rules = false;
	} else {
		note("detach", table + 4, family, 0);
		assert_int_equal(world.waiting, 0); /* its object drops what waits */
		world.table[i] = world.table[--world.tables];
	}
	return 0;
}

static int take_batch(struct cth_span left, struct cth_nlmsg *last)
{
	const char *table = NULL;
	bool object = false;
	struct cth_nlmsg m;
	struct cth_attr a;

	while (cth_nlmsg_next(&left, &m) > 0) {
		if (SUBSYS(&m) != CTH_NFNL_SUBSYS_NFTABLES)
			continue;
		*last = m;
		if (MSG(&m) == CTH_NFT_NEWOBJ)
			object = true;
		if (cth_attr_next(&m.attrs, &a) > 0)
			table = (const char *)a.value.p;
	}
	assert_non_null(table);
	if (world.always)
		return world.always;
	if (last->family == AF_INET6 && world.ipv6_tables)
		return world.ipv6_tables;
	if (MSG(last) == CTH_NFT_NEWRULE)
		return object ? take_attach(last->family, table) : -ENOENT;
	return take_table(MSG(last), last->family, table);
}

/* What is asked, and who answers. */

static int take(struct script *k, struct cth_span datagram, struct cth_nlmsg *m)
{
	if (m->type == CTH_NFNL_MSG_BATCH_BEGIN)
		return take_batch(datagram, m);
	if (SUBSYS(m) == NFNL_SUBSYS_QUEUE)
		return take_config(m);
	assert_int_equal(SUBSYS(m), NFNL_SUBSYS_CTHELPER);
	if (MSG(m) == NFNL_MSG_CTHELPER_NEW)
		return take_new(m);
	if (MSG(m) == NFNL_MSG_CTHELPER_DEL)
		return take_del(m);
	dump(k, m->seq);
	return 1;
}

/* Packets of an enabled helper whose queue nobody has bound leave new flows unconfirmed. */
static void assert_somebody_listens(void)
{
	for (size_t i = 0; i < world.registry.n; i++) {
		const struct cth_helper *h = &world.registry.list[i];

		if (!h->enabled || (h->queue != QUEUE && h->queue != OTHER) || world.ignores_crash)
			continue;
		assert_true(world.bound[h->queue == OTHER]);
		assert_true(world.nets < 2 || world.bound_there[h->queue == OTHER]);
	}
}

static void kernel(struct script *k, struct cth_span datagram)
{
	struct cth_span left = datagram;
	struct cth_nlmsg m = { 0 };
	int mode, r;

	k->out_n = k->outs = 0;
	if (k->in_next == k->ins)
		k->in_next = k->ins = 0;
	assert_true(cth_nlmsg_next(&left, &m) > 0);
	if (SUBSYS(&m) == NFNL_SUBSYS_QUEUE && MSG(&m) != NFQNL_MSG_CONFIG) {
		note("verdict", "", 0, 0);
		world.waiting = 0;
		return;
	}
	mode = ++world.requests == world.fault_at ? world.fault : FINE;
	if (mode == LOSE_UNDONE)
		return;
	if (mode == REFUSE) {
		struct cth_nlmsg last = m;

		while (cth_nlmsg_next(&left, &last) > 0 && !(last.flags & NLM_F_ACK))
			;
		answer(k, m.type == CTH_NFNL_MSG_BATCH_BEGIN ? &last : &m, world.error);
		return;
	}
	r = take(k, datagram, &m);
	assert_somebody_listens();
	if (mode == LOSE_DONE)
		k->ins = k->in_next = 0;
	else if (r <= 0)
		answer(k, &m, r);
}

/* From the other network namespace, whose registry is the same. */
static void kernel_there(struct script *k, struct cth_span datagram)
{
	world.net = 1;
	kernel(k, datagram);
	world.net = 0;
}

/* The tests' own. */

static int setup(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	memset(&service, 0, sizeof(service));
	memset(served, 0, sizeof(served));
	served[0].proto = &one;
	served[1].proto = &two;
	memset(&config, 0, sizeof(config));
	config.served = served;
	config.n = 1;
	for (size_t i = 0; i < N_OF(served); i++) {
		served[i].terms.queue = QUEUE;
		served[i].terms.maxlen = MAXLEN;
		served[i].terms.attach = true;
	}
	return 0;
}

static int open_service(void)
{
	script_init(&on_queue);
	script_init(&on_control);
	on_queue.on_send = on_control.on_send = kernel;
	cth_sock_seam(&service.sock, &on_queue.io, queue_answers, sizeof(queue_answers));
	cth_sock_seam(&service.control, &on_control.io, control_answers, sizeof(control_answers));
	service.sock.timeout_ms = service.control.timeout_ms = 0;
	if (world.receive_error)
		script_error(&on_queue, world.receive_error);
	if (world.unread)
		packet_comes(world.unread);
	memset(&fault, 0xff, sizeof(fault));
	return cth_service_open_on(&service, &config, memory, sizeof(memory), &fault);
}

/* A helper like ours in the registry, made by somebody else. */
static struct cth_helper *there(uint16_t l3, uint32_t queue, bool enabled)
{
	struct cth_helper *h = &world.registry.list[world.registry.n++];

	memset(h, 0, sizeof(*h));
	strcpy(h->name, "one");
	h->l3 = l3;
	h->l4 = UDP;
	h->queue = queue;
	h->enabled = enabled;
	h->priv_len = 4;
	h->classes = 2;
	strcpy(h->policy[0].name, "alpha");
	h->policy[0].max = 3;
	h->policy[0].timeout = 33;
	strcpy(h->policy[1].name, "beta");
	h->policy[1].max = 4;
	h->policy[1].timeout = 44;
	return h;
}

static void assert_same_registry(const struct registry *should)
{
	assert_int_equal(world.registry.n, should->n);
	for (size_t i = 0; i < should->n; i++) {
		const struct cth_helper *a = &should->list[i], *b = find(a);

		assert_non_null(b);
		assert_int_equal(b->queue, a->queue);
		assert_int_equal(b->enabled, a->enabled);
		assert_memory_equal(b->policy, a->policy, sizeof(a->policy));
	}
}

static void assert_nothing_is_left(void)
{
	const struct registry empty = { .n = 0 };

	assert_same_registry(&empty);
	assert_false(world.bound[0]);
	assert_int_equal(world.tables, 0);
}

static void assert_log(const char *should)
{
	if (strcmp(world.log, should) != 0)
		fail_msg("is:     %s\nshould: %s", world.log, should);
	world.log[0] = 0;
}

/* In order. */

static void what_is_said_has_the_order_that_loses_no_packet(void **state)
{
	(void)state;
	assert_int_equal(open_service(), 0);
	assert_log("new one4u, new one6u, bind, enable one4u, enable one6u, attach one4, attach one6");
	assert_false(service.leaving);
	world.packet_at_disable = true;
	assert_int_equal(cth_service_close(&service), 0);
	assert_log("disable one6u, disable one4u, verdict, clear one6, clear one4, detach one6, "
		   "detach one4, unbind, del one6u, del one4u");
	assert_true(service.leaving);
	assert_nothing_is_left();
}

static void a_helper_is_registered_as_its_protocol_says(void **state)
{
	const struct cth_helper *h = &world.registry.list[0];

	(void)state;
	assert_int_equal(open_service(), 0);
	assert_int_equal(world.registry.n, 2);
	assert_string_equal(h->name, "one");
	assert_int_equal(h->l3, AF_INET);
	assert_int_equal(h[1].l3, AF_INET6);
	assert_int_equal(h->l4, UDP);
	assert_int_equal(h->queue, QUEUE);
	assert_int_equal(h->priv_len, 4);
	assert_int_equal(h->classes, 2);
	assert_string_equal(h->policy[0].name, "alpha");
	assert_string_equal(h->policy[1].name, "beta");
	assert_int_equal(h->policy[1].max, 5);
	assert_int_equal(h->policy[1].timeout, 300);
	assert_int_equal(service.helpers_n, 2);
	assert_true(service.helpers[0].made && service.helpers[0].enabled &&
		    service.helpers[0].attached);
	assert_int_equal(cth_service_close(&service), 0);
}

static void a_queue_has_conntrack_and_fails_open_and_never_gso(void **state)
{
	(void)state;
	assert_int_equal(open_service(), 0);
	assert_int_equal(world.flags, CTH_QUEUE_CONNTRACK | CTH_QUEUE_FAIL_OPEN);
	assert_int_equal(cth_service_close(&service), 0);
}

static void failing_open_is_a_wish(void **state)
{
	(void)state;
	world.flags_unknown = CTH_QUEUE_FAIL_OPEN;
	assert_int_equal(open_service(), 0);
	assert_int_equal(world.flags, CTH_QUEUE_CONNTRACK);
	assert_int_equal(cth_service_close(&service), 0);
	assert_nothing_is_left();
}

static void conntrack_is_none(void **state)
{
	(void)state;
	world.flags_unknown = CTH_QUEUE_CONNTRACK;
	assert_int_equal(open_service(), -EOPNOTSUPP);
	assert_int_equal(fault.step, CTH_STEP_BIND);
	assert_ptr_equal(fault.served, served);
	assert_nothing_is_left();
}

static void two_protocols_share_a_queue_and_each_l4_has_its_rules(void **state)
{
	(void)state;
	config.n = 2;
	served[0].terms.no_ipv6 = served[1].terms.no_ipv6 = true;
	served[1].name = "other";
	assert_int_equal(open_service(), 0);
	assert_log("new one4u, new other4t, new other4u, bind, enable one4u, enable other4t, "
		   "enable other4u, attach one4, attach other4, attach other4");
	assert_int_equal(cth_service_close(&service), 0);
	assert_log("disable other4u, disable other4t, disable one4u, clear other4, clear other4, "
		   "clear one4, detach other4, detach one4, unbind, del other4u, del other4t, "
		   "del one4u");
	assert_nothing_is_left();
}

static void without_attach_there_are_no_rules(void **state)
{
	(void)state;
	served[0].terms.attach = false;
	served[0].terms.no_ipv4 = served[1].terms.no_ipv4 = true;
	assert_int_equal(open_service(), 0);
	assert_log("new one6u, bind, enable one6u");
	assert_int_equal(cth_service_close(&service), 0);
	assert_log("disable one6u, unbind, del one6u");
}

static void packets_are_served(void **state)
{
	(void)state;
	assert_int_equal(open_service(), 0);
	assert_int_equal(cth_service_run(&service, 0), 0);
	packet_comes(1);
	packet_comes(2);
	assert_int_equal(cth_service_run(&service, 0), 2);
	assert_int_equal(world.waiting, 0);
	assert_int_equal(service.engine.others, 2); /* they tell of no helper */
	assert_int_equal(cth_service_close(&service), 0);
}

static void who_listens_to_events_may_do_so_before_it_opens(void **state)
{
	(void)state;
	service.engine.ctx = &world;
	assert_int_equal(open_service(), 0);
	assert_ptr_equal(service.engine.ctx, &world);
	assert_int_equal(cth_service_close(&service), 0);
}

static void closing_is_harmless_when_repeated_or_never_opened(void **state)
{
	(void)state;
	assert_int_equal(cth_service_close(&service), 0);
	assert_int_equal(cth_service_run(&service, 0), -EINVAL);
	assert_int_equal(open_service(), 0);
	assert_int_equal(cth_service_close(&service), 0);
	world.log[0] = 0;
	assert_int_equal(cth_service_close(&service), 0);
	assert_int_equal(cth_service_run(&service, 0), -EINVAL);
	assert_log("");
}

static void what_was_closed_opens_again(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(open_service(), 0);
		assert_int_equal(service.helpers_n, 2);
		assert_int_equal(cth_service_close(&service), 0);
		assert_nothing_is_left();
	}
}

static size_t served_before_unbinding;

/* Verdicts change nothing: there is always one more. */
static void endless(struct script *k, struct cth_span datagram)
{
	struct cth_nlmsg m;

	assert_true(cth_nlmsg_next(&datagram, &m) > 0);
	if (MSG(&m) != NFQNL_MSG_CONFIG)
		return;
	served_before_unbinding = k->in_next;
	answer(k, &m, 0);
}

static void draining_ends_though_another_rule_feeds_the_queue(void **state)
{
	(void)state;
	served[0].terms.attach = false;
	assert_int_equal(open_service(), 0);
	on_queue.ins = on_queue.in_next = 0;
	for (uint32_t id = 1; id <= 60; id++)
		packet_comes(id);
	on_queue.on_send = endless;
	assert_int_equal(cth_service_close(&service), 0);
	assert_int_equal(served_before_unbinding, 2 * MAXLEN); /* more cannot have waited */
	assert_int_equal(world.registry.n, 0);
}

/* Helpers that are there. */

static void a_disabled_helper_is_taken_over_and_given_back(void **state)
{
	struct registry before;

	(void)state;
	there(AF_INET, 3, false);
	there(AF_INET6, 4, false);
	before = world.registry;
	assert_int_equal(open_service(), 0);
	assert_log("bind, enable one4u, enable one6u, attach one4, attach one6");
	assert_int_equal(world.registry.list[0].queue, QUEUE);
	assert_int_equal(world.registry.list[0].policy[0].max, 1);
	assert_int_equal(world.registry.list[0].policy[1].timeout, 300);
	assert_false(service.helpers[0].made);
	assert_int_equal(cth_service_close(&service), 0);
	assert_log("disable one6u, disable one4u, clear one6, clear one4, detach one6, detach one4, "
		   "unbind, change one6u, change one4u");
	assert_same_registry(&before);
}

static void one_that_a_killed_service_left_enabled_is_disabled_at_the_end(void **state)
{
	struct registry after;

	(void)state;
	there(AF_INET, QUEUE, true);
	there(AF_INET6, QUEUE + 65536, true); /* the kernel counts 16 bits */
	after = world.registry;
	after.list[0].enabled = after.list[1].enabled = false;
	after.list[1].queue = QUEUE;
	world.ignores_crash = true;
	assert_int_equal(open_service(), 0);
	world.ignores_crash = false;
	assert_int_equal(cth_service_close(&service), 0);
	assert_same_registry(&after);
}

static void one_that_is_enabled_elsewhere_is_somebody_elses(void **state)
{
	struct registry before;

	(void)state;
	there(AF_INET6, QUEUE + 1, true);
	before = world.registry;
	assert_int_equal(open_service(), -EBUSY);
	assert_int_equal(fault.step, CTH_STEP_TAKE_OVER);
	assert_ptr_equal(fault.served, &served[0]);
	assert_int_equal(fault.helper.queue, QUEUE + 1);
	assert_int_equal(fault.helper.l3, AF_INET6);
	assert_log("new one4u, del one4u");
	assert_same_registry(&before);
}

static void one_of_other_classes_or_state_cannot_be_taken_over(void **state)
{
	struct cth_helper *h = there(AF_INET, QUEUE, false);

	(void)state;
	h->priv_len = 8;
	assert_int_equal(open_service(), -EEXIST);
	assert_int_equal(fault.step, CTH_STEP_TAKE_OVER);
	assert_int_equal(fault.helper.priv_len, 8);
	h->priv_len = 4;
	h->classes = 1;
	assert_int_equal(open_service(), -EEXIST);
	h->classes = 2;
	strcpy(h->policy[1].name, "gamma");
	assert_int_equal(open_service(), -EEXIST);
	assert_string_equal(fault.helper.policy[1].name, "gamma");
	assert_log("");
	assert_int_equal(world.registry.n, 1);
}

static void the_kernels_own_helper_is_told_apart(void **state)
{
	(void)state;
	world.fault_at = 2;
	world.fault = REFUSE;
	world.error = -EBUSY;
	assert_int_equal(open_service(), -EBUSY);
	assert_int_equal(fault.step, CTH_STEP_REGISTER);
	assert_int_equal(fault.nack.error, -EBUSY);
	assert_string_equal(fault.helper.name, "one");
	assert_int_equal(fault.helper.l3, AF_INET);
	assert_nothing_is_left();
}

static void a_queue_that_is_taken_leaves_helpers_as_they_are(void **state)
{
	struct registry before;

	(void)state;
	there(AF_INET, QUEUE, true); /* whose program lives */
	before = world.registry;
	world.ignores_crash = true;
	world.fault_at = 4; /* look; look, new; bind */
	world.fault = REFUSE;
	world.error = -EPERM;
	assert_int_equal(open_service(), -EPERM);
	assert_int_equal(fault.step, CTH_STEP_BIND);
	assert_log("new one6u, del one6u");
	assert_same_registry(&before);
}

static void a_dead_predecessors_queue_is_emptied_and_its_helpers_are_deleted(void **state)
{
	(void)state;
	there(AF_INET, QUEUE, true);
	there(AF_INET6, QUEUE, true);
	world.bound[0] = true; /* by the socket that was handed over */
	config.resume = true;
	assert_int_equal(open_service(), 0);
	assert_log("verdict, enable one4u, enable one6u, attach one4, attach one6");
	assert_int_equal(cth_service_close(&service), 0);
	assert_log("disable one6u, disable one4u, clear one6, clear one4, detach one6, detach one4, "
		   "unbind, del one6u, del one4u");
	assert_nothing_is_left();
}

static void what_a_dead_predecessor_has_not_read_is_served(void **state)
{
	uint32_t first = 0;

	(void)state;
	there(AF_INET, QUEUE, true);
	there(AF_INET6, QUEUE, true);
	world.bound[0] = true;
	world.unread = 77;
	world.fault_at = 3; /* look, look; bind: which waits for no packet */
	world.fault = REFUSE;
	world.error = -EBUSY;
	config.resume = true;
	assert_int_equal(open_service(), 0);
	assert_int_equal(service.queue.stats.packets, 1);
	assert_true(cth_queue_first(&service.queue, QUEUE, &first));
	assert_int_equal(first, 77);
	assert_int_equal(world.waiting, 0);
	assert_log("verdict, enable one4u, enable one6u, attach one4, attach one6");
	assert_int_equal(cth_service_close(&service), 0);
	assert_nothing_is_left();
}

static void each_queue_of_a_dead_predecessor_has_its_own_end(void **state)
{
	uint32_t first = 0;

	(void)state;
	config.n = 2;
	served[0].terms.no_ipv6 = served[1].terms.no_ipv6 = true;
	served[1].terms.queue = OTHER;
	served[1].terms.attach = false;
	world.bound[0] = true; /* and the other not yet, when it died */
	world.unread = 77;
	config.resume = true;
	assert_int_equal(open_service(), 0);
	assert_true(cth_queue_first(&service.queue, QUEUE, &first));
	assert_false(cth_queue_first(&service.queue, OTHER, &first));
	assert_log("new one4u, new two4t, new two4u, verdict, verdict, bind other, enable one4u, "
		   "enable two4t, enable two4u, attach one4");
	assert_int_equal(cth_service_close(&service), 0);
	assert_nothing_is_left();
}

static void a_socket_that_fails_when_it_is_taken_over_is_told(void **state)
{
	(void)state;
	config.resume = true;
	world.receive_error = -EPERM;
	assert_int_equal(open_service(), -EPERM);
	assert_int_equal(fault.step, CTH_STEP_BIND);
	assert_ptr_equal(fault.served, &served[0]);
	assert_int_equal(cth_service_close(&service), 0);
}

static void one_who_left_well_has_left_nothing_to_drop(void **state)
{
	(void)state;
	there(AF_INET, QUEUE, true);
	there(AF_INET6, QUEUE, true);
	world.bound[0] = true;
	config.resume = config.left_well = true;
	assert_int_equal(open_service(), 0);
	assert_log("enable one4u, enable one6u, attach one4, attach one6");
	assert_int_equal(cth_service_close(&service), 0);
	assert_nothing_is_left();
}

static void what_was_there_before_the_predecessor_stays(void **state)
{
	(void)state;
	there(AF_INET, QUEUE, true);
	there(AF_INET6, QUEUE, true);
	world.bound[0] = true;
	config.resume = served[0].terms.keep = true;
	assert_int_equal(open_service(), 0);
	assert_int_equal(cth_service_close(&service), 0);
	assert_int_equal(world.registry.n, 2);
	assert_false(world.registry.list[0].enabled || world.registry.list[1].enabled);
}

/* One that died between two queues has left a helper on either. */
static void a_predecessors_helper_may_be_on_another_queue(void **state)
{
	(void)state;
	there(AF_INET, OTHER, true);
	there(AF_INET6, QUEUE, true);
	world.bound[0] = world.bound[1] = true;
	config.resume = true;
	assert_int_equal(open_service(), 0);
	assert_int_equal(world.registry.list[0].queue, QUEUE);
	assert_int_equal(cth_service_close(&service), 0);
	assert_int_equal(world.registry.n, 0);
}

/* Terms. */

static void each_has_the_maxima_and_timeouts_of_its_terms(void **state)
{
	(void)state;
	served[0].terms.classes[0].max = 7;
	served[0].terms.classes[1].timeout = 77;
	assert_int_equal(open_service(), 0);
	for (size_t i = 0; i < 2; i++) {
		const struct cth_helper *h = &world.registry.list[i];

		assert_int_equal(h->policy[0].max, 7);
		assert_int_equal(h->policy[0].timeout, 120);
		assert_int_equal(h->policy[1].max, 5);
		assert_int_equal(h->policy[1].timeout, 77);
	}
	assert_int_equal(cth_service_close(&service), 0);
}

static void each_has_its_queue(void **state)
{
	(void)state;
	config.n = 2;
	served[0].terms.no_ipv6 = served[1].terms.no_ipv6 = true;
	served[1].terms.queue = OTHER;
	served[1].terms.attach = false;
	assert_int_equal(open_service(), 0);
	assert_log("new one4u, new two4t, new two4u, bind, bind other, enable one4u, enable two4t, "
		   "enable two4u, attach one4");
	assert_int_equal(cth_service_close(&service), 0);
	assert_log("disable two4u, disable two4t, disable one4u, clear one4, detach one4, "
		   "unbind other, unbind, del two4u, del two4t, del one4u");
	assert_nothing_is_left();
}

/* Who wants what does not fit dropped has the same done to those who share the queue. */
static void a_queue_that_is_full_drops_for_who_says_so(void **state)
{
	(void)state;
	config.n = 2;
	served[1].terms.full_closed = true;
	assert_int_equal(open_service(), 0);
	assert_int_equal(world.flags & NFQA_CFG_F_FAIL_OPEN, 0);
	assert_int_equal(cth_service_close(&service), 0);
}

/* Other terms. */

static struct cth_served others[2];

static void open_for_change(void)
{
	served[0].terms.no_ipv6 = true;
	others[0] = served[0];
	assert_int_equal(open_service(), 0);
	world.log[0] = 0;
}

static void the_same_terms_again_change_nothing(void **state)
{
	const struct registry *now = &world.registry;

	(void)state;
	open_for_change();
	assert_int_equal(cth_service_change(&service, others, &fault), 0);
	assert_log("enable one4u, attach one4");
	assert_int_equal(now->list[0].queue, QUEUE);
	assert_ptr_equal(service.engine.served, others);
	assert_int_equal(cth_service_close(&service), 0);
	assert_nothing_is_left();
}

static void another_queue_is_bound_before_and_the_old_one_left_when_empty(void **state)
{
	(void)state;
	open_for_change();
	others[0].terms.queue = OTHER;
	world.packet_at_enable = true;
	assert_int_equal(cth_service_change(&service, others, &fault), 0);
	assert_log("bind other, enable one4u, attach one4, verdict, unbind");
	assert_int_equal(world.registry.list[0].queue, OTHER);
	assert_int_equal(cth_service_close(&service), 0);
	assert_log("disable one4u, clear one4, detach one4, unbind other, del one4u");
	assert_nothing_is_left();
}

static void maxima_and_timeouts_change_on_the_living_helper(void **state)
{
	(void)state;
	open_for_change();
	others[0].terms.classes[0].max = 9;
	others[0].terms.classes[0].timeout = 99;
	assert_int_equal(cth_service_change(&service, others, &fault), 0);
	assert_int_equal(world.registry.list[0].policy[0].max, 9);
	assert_int_equal(world.registry.list[0].policy[0].timeout, 99);
	assert_true(world.registry.list[0].enabled);
	assert_int_equal(cth_service_close(&service), 0);
}

static void what_is_counted_until_other_terms_are_in_force_goes_on(void **state)
{
	(void)state;
	open_for_change();
	served[0].stats.expected = 7; /* when the others had been made */
	assert_int_equal(cth_service_change(&service, others, &fault), 0);
	assert_int_equal(others[0].stats.expected, 7);
	assert_int_equal(cth_service_close(&service), 0);
}

static void rules_go_and_come_with_the_terms(void **state)
{
	(void)state;
	open_for_change();
	others[0].terms.attach = false;
	world.packet_at_enable = true; /* the rules' object would drop it */
	assert_int_equal(cth_service_change(&service, others, &fault), 0);
	assert_log("enable one4u, clear one4, verdict, detach one4");
	assert_int_equal(cth_service_change(&service, served, &fault), 0);
	assert_log("enable one4u, attach one4");
	assert_int_equal(cth_service_close(&service), 0);
	assert_nothing_is_left();
}

static void other_helpers_are_no_other_terms(void **state)
{
	(void)state;
	open_for_change();
	others[0].proto = &two;
	assert_int_equal(cth_service_change(&service, others, &fault), -EINVAL);
	others[0] = served[0];
	others[0].name = "new";
	assert_int_equal(cth_service_change(&service, others, &fault), -EINVAL);
	others[0] = served[0];
	others[0].terms.no_ipv6 = false;
	assert_int_equal(cth_service_change(&service, others, &fault), -EINVAL);
	others[0] = served[0];
	others[0].terms.queue = OTHER;
	others[0].terms.maxlen = 2 * MAXLEN;
	assert_int_equal(cth_service_change(&service, others, &fault), -ENOMEM);
	assert_log("");
	assert_int_equal(cth_service_close(&service), 0);
	assert_int_equal(cth_service_change(&service, served, &fault), -EINVAL);
}

/* Refused, or with its answer lost, at each request in turn. */
static void a_change_that_fails_leaves_all_as_it_was(void **state)
{
	static const int faults[] = { REFUSE, LOSE_UNDONE, LOSE_DONE };
	struct registry before;

	(void)state;
	for (size_t i = 0; i < N_OF(faults); i++) {
		for (size_t at = 1; at <= 3; at++) {
			setup(NULL);
			open_for_change();
			before = world.registry;
			others[0].terms.queue = OTHER;
			others[0].terms.classes[0].max = 9;
			world.fault = faults[i];
			world.error = -EPERM;
			world.fault_at = world.requests + at;
			assert_true(cth_service_change(&service, others, &fault) < 0);
			assert_true(fault.step >= CTH_STEP_BIND);
			assert_ptr_equal(service.engine.served, served);
			assert_same_registry(&before);
			assert_true(world.registry.list[0].enabled && world.bound[0]);
			assert_true(world.table[0].rules);
			packet_comes(1);
			assert_int_equal(cth_service_run(&service, 0), 1);
			assert_int_equal(cth_service_close(&service), 0);
			assert_nothing_is_left();
		}
	}
}

/* Rules and queue of before are in nobody's way: their going is tried again at the end. */
static void what_cannot_be_taken_away_does_not_undo_a_change(void **state)
{
	static const int faults[] = { REFUSE, LOSE_UNDONE, LOSE_DONE };

	(void)state;
	for (size_t i = 0; i < N_OF(faults); i++) {
		for (size_t at = 4; at <= 6; at++) { /* clear, detach, unbind */
			setup(NULL);
			open_for_change();
			others[0].terms.queue = OTHER;
			others[0].terms.attach = false;
			world.fault = faults[i];
			world.error = -EPERM;
			world.fault_at = world.requests + at;
			assert_int_equal(cth_service_change(&service, others, &fault), 0);
			assert_true(world.requests >= world.fault_at);
			assert_ptr_equal(service.engine.served, others);
			packet_comes(1);
			assert_int_equal(cth_service_run(&service, 0), 1);
			(void)cth_service_close(&service);
			assert_int_equal(world.registry.n, 0);
			assert_int_equal(world.tables, 0);
			assert_false(world.bound[0] || world.bound[1]);
		}
	}
}

/* No IPv6. */

static void without_tables_for_ipv6_ipv4_is_attached_alone(void **state)
{
	(void)state;
	world.ipv6_tables = -EAFNOSUPPORT;
	assert_int_equal(open_service(), 0);
	assert_true(service.helpers[0].attached);
	assert_false(service.helpers[1].attached);
	assert_int_equal(cth_service_close(&service), 0);
	assert_nothing_is_left();
	world.ipv6_tables = -EOPNOTSUPP;
	assert_int_equal(open_service(), 0);
	assert_int_equal(cth_service_close(&service), 0);
	assert_nothing_is_left();
}

static void if_ipv6_is_all_that_is_wanted_it_must_be_there(void **state)
{
	(void)state;
	served[0].terms.no_ipv4 = served[1].terms.no_ipv4 = true;
	world.ipv6_tables = -EAFNOSUPPORT;
	assert_int_equal(open_service(), -EAFNOSUPPORT);
	assert_int_equal(fault.step, CTH_STEP_ATTACH);
	assert_nothing_is_left();
}

static void without_nf_tables_there_is_no_attaching(void **state)
{
	(void)state;
	world.always = -EOPNOTSUPP;
	assert_int_equal(open_service(), -EOPNOTSUPP);
	assert_int_equal(fault.step, CTH_STEP_ATTACH);
	assert_int_equal(fault.helper.l3, AF_INET);
	assert_nothing_is_left();
}

/* Refusals, everywhere. */

static size_t requests_of_opening(void)
{
	size_t n;

	assert_int_equal(open_service(), 0);
	n = world.requests;
	assert_int_equal(cth_service_close(&service), 0);
	return n;
}

static void opened_or_not_all_is_as_before(size_t at, int how, int error)
{
	struct registry before = world.registry;

	world.requests = 0;
	world.fault_at = at;
	world.fault = how;
	world.error = error;
	if (open_service() == 0)
		assert_int_equal(cth_service_close(&service), 0);
	assert_true(world.requests >= at);
	assert_same_registry(&before);
	assert_false(world.bound[0]);
	assert_int_equal(world.tables, 0);
	assert_false(service.opened);
	world.log[0] = 0;
}

static void every_refusal_undoes_what_was_done(size_t requests)
{
	static const int errors[] = {
		-EPERM, -EINVAL, -EBUSY, -EEXIST, -ENOENT, -ENOMEM, -EOPNOTSUPP, -EAFNOSUPPORT,
		-EMFILE, -ENOBUFS,
	};

	for (size_t at = 1; at <= requests; at++)
		for (size_t i = 0; i < N_OF(errors); i++)
			opened_or_not_all_is_as_before(at, REFUSE, errors[i]);
}

static void any_refused_request_leaves_all_as_it_was(void **state)
{
	(void)state;
	config.n = 2;
	every_refusal_undoes_what_was_done(requests_of_opening());
}

static void and_so_it_does_with_helpers_that_were_there(void **state)
{
	(void)state;
	there(AF_INET, 3, false);
	every_refusal_undoes_what_was_done(requests_of_opening());
}

static void a_lost_answer_leaves_nothing_enabled_nor_anything_else(void **state)
{
	size_t requests;

	(void)state;
	there(AF_INET6, 3, false);
	config.n = 2;
	requests = requests_of_opening();
	for (size_t at = 1; at <= requests; at++) {
		opened_or_not_all_is_as_before(at, LOSE_UNDONE, 0);
		opened_or_not_all_is_as_before(at, LOSE_DONE, 0);
	}
}

/* On the way out what fails stops nothing; only that itself may be left, and is said to be. */
static void whatever_fails_at_the_end_nothing_stays_enabled(void **state)
{
	static const int how[] = { REFUSE, LOSE_UNDONE, LOSE_DONE };
	size_t opening, all;

	(void)state;
	opening = requests_of_opening();
	all = world.requests;
	for (size_t at = opening + 1; at <= all; at++)
		for (size_t i = 0; i < N_OF(how); i++) {
			setup(NULL);
			world.fault_at = at;
			world.fault = how[i];
			world.error = -ENOMEM;
			assert_int_equal(open_service(), 0);
			world.ignores_crash = true; /* that which cannot be disabled */
			cth_service_close(&service);
			for (size_t k = 0; k < world.registry.n; k++)
				assert_false(world.registry.list[k].enabled);
			for (size_t k = 0; k < service.helpers_n; k++)
				assert_false(service.helpers[k].enabled);
			assert_true(world.registry.n <= 1 && world.tables <= 1);
		}
}

static void one_that_is_not_allowed_to_leave_says_so_and_unbinds(void **state)
{
	size_t opening;

	(void)state;
	opening = requests_of_opening();
	setup(NULL);
	world.fault_at = opening + 1; /* looks before it disables */
	world.fault = REFUSE;
	world.error = -EPERM;
	world.ignores_crash = true;
	assert_int_equal(open_service(), 0);
	assert_int_equal(cth_service_close(&service), -EPERM);
	assert_false(world.bound[0]);
	assert_true(service.helpers[1].enabled);
	assert_false(service.helpers[0].enabled);
}

static void deleting_waits_a_moment_for_what_is_busy(void **state)
{
	(void)state;
	assert_int_equal(open_service(), 0);
	world.busy = 7;
	assert_int_equal(cth_service_close(&service), 0);
	assert_nothing_is_left();
}

static void what_stays_busy_stays_disabled_and_is_told(void **state)
{
	(void)state;
	assert_int_equal(open_service(), 0);
	world.busy = 1000;
	assert_int_equal(cth_service_close(&service), -EBUSY);
	assert_int_equal(1000 - world.busy, 12); /* one patience for both */
	assert_int_equal(world.registry.n, 2);
	assert_false(world.registry.list[0].enabled || world.registry.list[1].enabled);
	assert_true(service.helpers[0].made && service.helpers[1].made);
	assert_false(service.helpers[0].enabled || service.helpers[0].attached);
}

/* Two network namespaces. */

static struct cth_service second;
static struct cth_served served_there[3], others_there[1];
static struct cth_service_config config_there;
static struct script queue_there, control_there;
static uint8_t memory_there[sizeof(memory)], queue_there_answers[4096];
static uint8_t control_there_answers[CTH_SOCK_BUF];
static struct cth_service_part parts[2] = {
	{ &service, &config, memory, sizeof(memory), others },
	{ &second, &config_there, memory_there, sizeof(memory_there), others_there },
};

/* A helper of one name in both. */
static int open_both(void)
{
	memset(&second, 0, sizeof(second));
	memcpy(served_there, served, sizeof(served));
	config_there = config;
	config_there.served = served_there;
	world.nets = 2;
	script_init(&on_queue);
	script_init(&on_control);
	script_init(&queue_there);
	script_init(&control_there);
	on_queue.on_send = on_control.on_send = kernel;
	queue_there.on_send = control_there.on_send = kernel_there;
	cth_sock_seam(&service.sock, &on_queue.io, queue_answers, sizeof(queue_answers));
	cth_sock_seam(&service.control, &on_control.io, control_answers, sizeof(control_answers));
	cth_sock_seam(&second.sock, &queue_there.io, queue_there_answers,
		      sizeof(queue_there_answers));
	cth_sock_seam(&second.control, &control_there.io, control_there_answers,
		      sizeof(control_there_answers));
	service.sock.timeout_ms = service.control.timeout_ms = 0;
	second.sock.timeout_ms = second.control.timeout_ms = 0;
	return cth_services_open_on(parts, 2, &fault);
}

static int close_both(void)
{
	return cth_services_close(parts, 2);
}

static void assert_nothing_is_left_anywhere(void)
{
	assert_nothing_is_left();
	assert_false(world.bound_there[0] || world.bound[1] || world.bound_there[1]);
	assert_false(service.opened || second.opened);
}

static void a_helper_of_two_namespaces_is_enabled_when_both_listen(void **state)
{
	(void)state;
	served[0].terms.no_ipv6 = true;
	assert_int_equal(open_both(), 0);
	assert_log("new one4u, bind, there bind, enable one4u, attach one4, there attach one4");
	assert_int_equal(close_both(), 0);
	assert_log("disable one4u, there clear one4, clear one4, there detach one4, detach one4, "
		   "there unbind, unbind, del one4u");
	assert_nothing_is_left_anywhere();
	assert_int_equal(close_both(), 0);
	assert_log("");
}

/* What the first does not serve is the second's to register. */
static void what_only_the_second_serves_it_registers(void **state)
{
	(void)state;
	config.n = 1;
	served[0].terms.no_ipv6 = true;
	open_both();
	close_both();
	world.log[0] = 0;
	served[0].terms.attach = false;
	memcpy(served_there, served, sizeof(served));
	served_there[0].terms.no_ipv6 = false;
	assert_int_equal(cth_services_open_on(parts, 2, &fault), 0);
	assert_log("new one4u, there new one6u, bind, there bind, enable one4u, there enable one6u");
	assert_int_equal(close_both(), 0);
	assert_log("there disable one6u, disable one4u, there unbind, unbind, there del one6u, del one4u");
}

static void a_queue_changes_when_both_have_the_new_one(void **state)
{
	(void)state;
	served[0].terms.no_ipv6 = true;
	assert_int_equal(open_both(), 0);
	world.log[0] = 0;
	others[0] = others_there[0] = served[0];
	others[0].terms.queue = others_there[0].terms.queue = OTHER;
	world.packet_at_enable = true;
	assert_int_equal(cth_services_change(parts, 2, &fault), 0);
	assert_log("bind other, there bind other, enable one4u, attach one4, there attach one4, verdict, "
		   "there unbind, unbind");
	assert_ptr_equal(second.engine.served, others_there);
	assert_int_equal(close_both(), 0);
	assert_nothing_is_left_anywhere();
}

/* Refused are: to bind, in either, to enable, and the last of the second's rules. */
static void a_change_that_fails_in_one_leaves_both_as_they_were(void **state)
{
	static const struct {
		size_t at;
		struct cth_service *service;
		enum cth_service_step step;
	} faults[] = {
		{ 1, &service, CTH_STEP_BIND }, { 2, &second, CTH_STEP_BIND },
		{ 3, &service, CTH_STEP_ENABLE }, { 9, &second, CTH_STEP_ATTACH },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(faults); i++) {
		struct registry before;

		setup(NULL);
		served[0].terms.no_ipv6 = true;
		assert_int_equal(open_both(), 0);
		before = world.registry;
		others[0] = others_there[0] = served[0];
		others[0].terms.queue = others_there[0].terms.queue = OTHER;
		world.fault = REFUSE;
		world.error = -EPERM;
		world.fault_at = world.requests + faults[i].at;
		assert_int_equal(cth_services_change(parts, 2, &fault), -EPERM);
		assert_false(fault.torn);
		assert_int_equal(fault.step, faults[i].step);
		assert_ptr_equal(fault.service, faults[i].service);
		assert_same_registry(&before);
		assert_false(world.bound[1] || world.bound_there[1]);
		assert_true(world.bound[0] && world.bound_there[0]);
		assert_ptr_equal(service.engine.served, served);
		assert_ptr_equal(second.engine.served, served_there);
		assert_int_equal(close_both(), 0);
		assert_nothing_is_left_anywhere();
	}
}

/* The new queue stays bound: nobody knows whether the helper has been told of it. */
static void a_change_of_which_there_is_no_way_back_says_so(void **state)
{
	(void)state;
	served[0].terms.no_ipv6 = true;
	assert_int_equal(open_both(), 0);
	others[0] = others_there[0] = served[0];
	others[0].terms.queue = others_there[0].terms.queue = OTHER;
	world.always = -ENOMEM; /* rules */
	assert_int_equal(cth_services_change(parts, 2, &fault), -ENOMEM);
	assert_true(fault.torn);
	assert_true(world.bound[1] && world.bound_there[1]);
	world.always = 0;
	assert_int_equal(close_both(), 0);
	assert_nothing_is_left_anywhere();
}

static void who_goes_on_for_a_dead_predecessor_deletes_once_too(void **state)
{
	(void)state;
	served[0].terms.no_ipv6 = true;
	there(AF_INET, QUEUE, true);
	world.bound[0] = world.bound_there[0] = true;
	config.resume = config.left_well = true;
	assert_int_equal(open_both(), 0);
	assert_log("enable one4u, attach one4, there attach one4");
	assert_int_equal(close_both(), 0);
	assert_log("disable one4u, there clear one4, clear one4, there detach one4, detach one4, "
		   "there unbind, unbind, del one4u");
	assert_nothing_is_left_anywhere();
}

static void one_that_was_there_is_given_back_once(void **state)
{
	struct registry before;

	(void)state;
	served[0].terms.no_ipv6 = true;
	there(AF_INET, 3, false);
	before = world.registry;
	assert_int_equal(open_both(), 0);
	assert_int_equal(world.registry.list[0].queue, QUEUE);
	world.log[0] = 0;
	assert_int_equal(close_both(), 0);
	assert_log("disable one4u, there clear one4, clear one4, there detach one4, detach one4, "
		   "there unbind, unbind, change one4u");
	assert_same_registry(&before);
}

static void whatever_is_refused_in_either_is_undone_in_both(void **state)
{
	size_t requests;

	(void)state;
	served[0].terms.no_ipv6 = true;
	assert_int_equal(open_both(), 0);
	requests = world.requests;
	assert_int_equal(close_both(), 0);
	for (size_t at = 1; at <= requests; at++) {
		setup(NULL);
		served[0].terms.no_ipv6 = true;
		world.fault_at = at;
		world.fault = REFUSE;
		world.error = -EPERM;
		if (open_both() == 0) /* a question whose answer it can do without */
			assert_int_equal(close_both(), 0);
		else
			assert_non_null(fault.service);
		assert_true(world.requests >= at);
		assert_nothing_is_left_anywhere();
	}
}

static void two_terms_of_one_helper_are_a_contradiction(void **state)
{
	(void)state;
	config.n = 1;
	assert_int_equal(open_both(), 0);
	world.log[0] = 0;
	others[0] = others_there[0] = served[0];
	others_there[0].terms.classes[0].max = 9;
	assert_int_equal(cth_services_change(parts, 2, &fault), -EINVAL);
	assert_int_equal(world.registry.list[0].policy[0].max, 1);
	assert_int_equal(close_both(), 0);
	assert_nothing_is_left_anywhere();
	served_there[0].terms.queue = OTHER;
	assert_int_equal(cth_services_open_on(parts, 2, &fault), -EINVAL);
	assert_nothing_is_left_anywhere();
}

/* Memory and configuration. */

static void memory_may_begin_anywhere_and_must_suffice(void **state)
{
	size_t room = CTH_SERVICE_ROOM(MAXLEN);

	(void)state;
	for (size_t off = 0; off < 2; off++) {
		open_service();
		cth_service_close(&service);
		assert_int_equal(cth_service_open_on(&service, &config, memory + off, room, &fault), 0);
		assert_int_equal((uintptr_t)service.flights % _Alignof(struct cth_flight), 0);
		assert_true((uint8_t *)service.flights >= memory + off);
		for (size_t i = 0; i < CTH_SERVICE_SLOTS; i++)
			assert_true(service.ring[i].buf + service.ring[i].cap <= memory + off + room);
		assert_int_equal(cth_service_close(&service), 0);
	}
	world.log[0] = 0;
	for (size_t size = 0; size < room - 64; size += size < 1000 ? 1 : 9973) {
		assert_int_equal(cth_service_open_on(&service, &config, memory, size, &fault), -ENOMEM);
		assert_int_equal(fault.step, CTH_STEP_MEMORY);
	}
	assert_int_equal(cth_service_open(&service, &config, NULL, 0, NULL), -ENOMEM);
	served[0].terms.maxlen = UINT32_MAX;
	assert_int_equal(open_service(), -ENOMEM);
	assert_log("");
}

static void contradictions_are_refused(void **state)
{
	static const struct cth_ports ports = { 1000, 1001 };
	struct cth_proto portless = one;

	(void)state;
	served[0].terms.no_ipv4 = served[0].terms.no_ipv6 = true;
	assert_int_equal(open_service(), -EINVAL);
	setup(NULL);
	config.n = 0;
	assert_int_equal(open_service(), -EINVAL);
	setup(NULL);
	config.n = 2;
	served[1].name = "one";
	assert_int_equal(open_service(), -EINVAL);
	setup(NULL);
	portless.port = 0;
	served[0].proto = &portless;
	assert_int_equal(open_service(), -EINVAL);
	assert_int_equal(fault.step, CTH_STEP_MEMORY);
	served[0].terms.ports = &ports;
	served[0].terms.ports_n = 1;
	assert_int_equal(open_service(), 0);
	assert_int_equal(cth_service_close(&service), 0);
	assert_nothing_is_left();
}

static void a_name_too_long_is_refused_not_cut(void **state)
{
	(void)state;
	served[0].name = "sixteen-letters!";
	there(AF_INET, QUEUE, false);
	strcpy(world.registry.list[0].name, "sixteen-letters");
	assert_int_equal(open_service(), -EINVAL);
	assert_int_equal(fault.step, CTH_STEP_REGISTER);
	assert_log("");
}

static void more_protocols_than_places_are_refused(void **state)
{
	static struct cth_served many[CTH_SERVICE_HELPERS + 1];
	static char names[N_OF(many)][8];

	(void)state;
	for (size_t i = 0; i < N_OF(many); i++) {
		snprintf(names[i], sizeof(names[i]), "n%zu", i);
		many[i].proto = &one;
		many[i].name = names[i];
	}
	config.served = many;
	config.n = CTH_SERVICE_HELPERS / 2 + 1;
	assert_int_equal(open_service(), -EINVAL);
	assert_log("");
	config.n = N_OF(many);
	for (size_t i = 0; i < N_OF(many); i++)
		many[i].terms.no_ipv6 = true;
	assert_int_equal(open_service(), -EINVAL);
	assert_log("");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(what_is_said_has_the_order_that_loses_no_packet),
		TEST(a_helper_is_registered_as_its_protocol_says),
		TEST(a_queue_has_conntrack_and_fails_open_and_never_gso),
		TEST(failing_open_is_a_wish),
		TEST(conntrack_is_none),
		TEST(two_protocols_share_a_queue_and_each_l4_has_its_rules),
		TEST(without_attach_there_are_no_rules),
		TEST(packets_are_served),
		TEST(who_listens_to_events_may_do_so_before_it_opens),
		TEST(closing_is_harmless_when_repeated_or_never_opened),
		TEST(what_was_closed_opens_again),
		TEST(draining_ends_though_another_rule_feeds_the_queue),
		TEST(a_disabled_helper_is_taken_over_and_given_back),
		TEST(one_that_a_killed_service_left_enabled_is_disabled_at_the_end),
		TEST(one_that_is_enabled_elsewhere_is_somebody_elses),
		TEST(one_of_other_classes_or_state_cannot_be_taken_over),
		TEST(the_kernels_own_helper_is_told_apart),
		TEST(a_queue_that_is_taken_leaves_helpers_as_they_are),
		TEST(a_dead_predecessors_queue_is_emptied_and_its_helpers_are_deleted),
		TEST(what_a_dead_predecessor_has_not_read_is_served),
		TEST(each_queue_of_a_dead_predecessor_has_its_own_end),
		TEST(a_socket_that_fails_when_it_is_taken_over_is_told),
		TEST(one_who_left_well_has_left_nothing_to_drop),
		TEST(what_was_there_before_the_predecessor_stays),
		TEST(a_predecessors_helper_may_be_on_another_queue),
		TEST(each_has_the_maxima_and_timeouts_of_its_terms),
		TEST(each_has_its_queue),
		TEST(a_queue_that_is_full_drops_for_who_says_so),
		TEST(the_same_terms_again_change_nothing),
		TEST(another_queue_is_bound_before_and_the_old_one_left_when_empty),
		TEST(maxima_and_timeouts_change_on_the_living_helper),
		TEST(what_is_counted_until_other_terms_are_in_force_goes_on),
		TEST(rules_go_and_come_with_the_terms),
		TEST(other_helpers_are_no_other_terms),
		TEST(a_change_that_fails_leaves_all_as_it_was),
		TEST(what_cannot_be_taken_away_does_not_undo_a_change),
		TEST(without_tables_for_ipv6_ipv4_is_attached_alone),
		TEST(if_ipv6_is_all_that_is_wanted_it_must_be_there),
		TEST(without_nf_tables_there_is_no_attaching),
		TEST(any_refused_request_leaves_all_as_it_was),
		TEST(and_so_it_does_with_helpers_that_were_there),
		TEST(a_lost_answer_leaves_nothing_enabled_nor_anything_else),
		TEST(whatever_fails_at_the_end_nothing_stays_enabled),
		TEST(one_that_is_not_allowed_to_leave_says_so_and_unbinds),
		TEST(deleting_waits_a_moment_for_what_is_busy),
		TEST(what_stays_busy_stays_disabled_and_is_told),
		TEST(a_helper_of_two_namespaces_is_enabled_when_both_listen),
		TEST(what_only_the_second_serves_it_registers),
		TEST(a_queue_changes_when_both_have_the_new_one),
		TEST(a_change_that_fails_in_one_leaves_both_as_they_were),
		TEST(a_change_of_which_there_is_no_way_back_says_so),
		TEST(who_goes_on_for_a_dead_predecessor_deletes_once_too),
		TEST(one_that_was_there_is_given_back_once),
		TEST(whatever_is_refused_in_either_is_undone_in_both),
		TEST(two_terms_of_one_helper_are_a_contradiction),
		TEST(memory_may_begin_anywhere_and_must_suffice),
		TEST(contradictions_are_refused),
		TEST(a_name_too_long_is_refused_not_cut),
		TEST(more_protocols_than_places_are_refused),
	};

	return RUN(tests);
}
