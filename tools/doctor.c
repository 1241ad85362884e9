/* SPDX-License-Identifier: MIT */
/*
 * doctor.c - `cth doctor`: why is my helper not working? Looks at one thing after the
 * other, from the socket to the rules, and for each that is wrong names the cause and
 * the remedy. It asks only harmless questions; the one thing that it does is to bind, for
 * a moment, a queue that nobody uses.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>
#include "../netlink/uapi.h"
#include "cth.h"
#include "elsewhere.h"
#include "lacking.h"
#include "legacy.h"
#include "proc.h"
#include "rules.h"

#define HELPERS 256
#define QUEUES  256

enum state { GOOD, IDLE, DOUBTFUL, BAD };

struct doctor {
	/* The question. */
	const char *name; /* of a helper; NULL: all */
	bool queue_asked;
	uint16_t queue;
	/* The answer. */
	struct json j;
	int code;
	/* What is known so far. */
	struct cth_sock sock;
	bool permitted, queue_there, helpers_read, rules_read, queues_read;
	struct cth_helper helpers[HELPERS];
	size_t helpers_n;
	struct rules rules;
	int legacy;       /* 0, or why those of iptables-legacy are not among them */
	struct proc_queue queues[QUEUES];
	size_t queues_n;
	struct elsewhere elsewhere;
};

/* What is worse stands further down: with no permission the rest is guesswork. */
static int worse(int a, int b)
{
	static const int order[] = { CTH_EXIT_OK, CTH_EXIT_FAILURE, CTH_EXIT_UNSUPPORTED,
				     CTH_EXIT_PERMISSION };
	int worst = CTH_EXIT_OK;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (order[i] == a || order[i] == b)
			worst = order[i];
	return worst;
}

/* One line, with the remedy's lines indented below it. detail, remedy may be NULL. */
static void tell(struct doctor *d, enum state state, const char *what, const char *detail,
		 const char *remedy)
{
	static const char *const words[] = { "ok", "--", "warn", "FAIL" };
	static const char *const json_words[] = { "ok", "skip", "warn", "fail" };

	if (state == BAD)
		d->code = worse(d->code, CTH_EXIT_FAILURE);
	if (common.json) {
		json_open(&d->j, NULL, '{');
		json_string(&d->j, "check", what);
		json_string(&d->j, "state", json_words[state]);
		if (detail)
			json_string(&d->j, "detail", detail);
		if (remedy)
			json_string(&d->j, "remedy", remedy);
		json_close(&d->j, '}');
		return;
	}
	printf("%-4s  %s%s%s\n", words[state], what, detail ? ": " : "", detail ? detail : "");
	while (remedy && *remedy) {
		size_t line = strcspn(remedy, "\n");

		printf("      %.*s\n", (int)line, remedy);
		remedy += line + (remedy[line] == '\n');
	}
}

static void missing(struct doctor *d, const char *what, const char *detail, const char *remedy)
{
	tell(d, BAD, what, detail, remedy);
	d->code = worse(d->code, CTH_EXIT_UNSUPPORTED);
}

/* Where a part of the kernel comes from. */
struct part {
	const char *what, *symbol, *module, *openwrt;
};

static const struct part part_queue = { "packet queues (nfnetlink_queue)",
	"NETFILTER_NETLINK_QUEUE", "nfnetlink_queue", "kmod-nfnetlink-queue" };
static const struct part part_ct = { "connection tracking (nf_conntrack_netlink)",
	"NF_CT_NETLINK", "nf_conntrack_netlink", "kmod-nf-conntrack-netlink" };
static const struct part part_expect = { "expectations (nf_conntrack_netlink)",
	"NF_CT_NETLINK", "nf_conntrack_netlink", "kmod-nf-conntrack-netlink" };
static const struct part part_nft = { "rules (nf_tables)",
	"NF_TABLES", "nf_tables", "kmod-nft-core" };
static const struct part part_helper = { "user-space helpers (nfnetlink_cthelper)",
	"NF_CT_NETLINK_HELPER", "nfnetlink_cthelper", "kmod-nfnetlink-cthelper" };
static const struct part part_glue = { "connections of queued packets (conntrack flag)",
	"NETFILTER_NETLINK_GLUE_CT", "nf_conntrack_netlink", "kmod-nfnetlink-cthelper" };

static const char *where_from(const struct part *p)
{
	bool modular = access("/proc/modules", F_OK) == 0;

	return phrase("the kernel needs CONFIG_%s%s%s\n"
		      "Debian: linux-image-ARCH has it; OpenWrt: %s", p->symbol,
		      modular ? "; try: modprobe " : ", built in: it loads no modules",
		      modular ? p->module : "", p->openwrt);
}

/* Questions to the kernel. */

struct count {
	uint64_t n;
	uint16_t type;
};

static int count_message(const struct cth_nlmsg *m, void *ctx)
{
	struct count *c = ctx;

	if (!m)
		c->n = 0;
	else if (m->type == c->type)
		c->n++;
	return 0;
}

static int ask(struct doctor *d, uint16_t type, uint16_t flags, struct count *c)
{
	struct cth_nack nack = { 0 };
	uint8_t buf[64];
	struct cth_msg m;
	int r;

	cth_msg_init(&m, buf, sizeof(buf));
	cth_msg_begin(&m, type, (uint16_t)(NLM_F_REQUEST | flags), cth_sock_seq(&d->sock), 0, 0);
	r = cth_msg_end(&m);
	if (r < 0)
		return r;
	if (flags & NLM_F_DUMP)
		return cth_sock_dump(&d->sock, cth_msg_bytes(&m), count_message, c, &nack);
	return cth_sock_request(&d->sock, cth_msg_bytes(&m), count_message, c, &nack);
}

/* Tells how a subsystem answered, and whether it is there. */
static bool judge(struct doctor *d, const struct part *p, int r, enum state if_absent,
		  const char *detail)
{
	if (r == 0) {
		tell(d, GOOD, p->what, detail, NULL);
		return true;
	}
	if (r == -EPERM)
		tell(d, IDLE, p->what, "not looked at: no permission", NULL);
	else if (r != -EINVAL && r != -EPROTONOSUPPORT && r != -EOPNOTSUPP)
		tell(d, BAD, p->what, phrase("%s, which is no answer that was expected",
					     errno_name(r)), NULL);
	else if (if_absent == BAD)
		missing(d, p->what, "not in this kernel", where_from(p));
	else
		tell(d, if_absent, p->what, "not in this kernel", where_from(p));
	return false;
}

static bool check_socket(struct doctor *d)
{
	int r = kernel_open(&d->sock);

	if (r == CTH_EXIT_OK) {
		tell(d, GOOD, "netlink socket", d->sock.ext_ack ? NULL :
		     "before Linux 4.12 the kernel does not say why it refuses",
		     NULL);
		return true;
	}
	if (r == CTH_EXIT_UNSUPPORTED)
		missing(d, "netlink socket", "no NETLINK_NETFILTER in this kernel",
			"the kernel needs CONFIG_NETFILTER_NETLINK; try: modprobe nfnetlink\n"
			"Debian: linux-image-ARCH has it; OpenWrt: kmod-nfnetlink");
	else
		tell(d, BAD, "netlink socket", "cannot be opened", NULL);
	return false;
}

/* An answer, whatever it is but EPERM, shows that the kernel listens to us. */
static void check_capability(struct doctor *d)
{
	struct count c = { 0 };
	int r = ask(d, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS, NLM_F_ACK, &c);

	d->permitted = r != -EPERM;
	if (!d->permitted) {
		tell(d, BAD, "capability", permission_cause(false), permission_remedy(false));
		d->code = worse(d->code, CTH_EXIT_PERMISSION);
	} else if (proc_first_user_namespace()) {
		tell(d, GOOD, "capability", "CAP_NET_ADMIN", NULL);
	} else {
		tell(d, DOUBTFUL, "capability",
		     "CAP_NET_ADMIN in a user namespace that is not the first one: queues and "
		     "rules work, helpers cannot be registered or enabled",
		     "register and enable helpers on the host: they are one for all namespaces");
	}
}

static const struct proc_queue *find_queue(const struct doctor *d, uint32_t num)
{
	for (size_t i = 0; i < d->queues_n; i++)
		if (d->queues[i].num == num)
			return &d->queues[i];
	return NULL;
}

static bool used_by_a_rule(const struct doctor *d, uint32_t num)
{
	for (size_t i = 0; i < d->rules.n; i++)
		if (d->rules.list[i].kind == RULE_QUEUE && num >= d->rules.list[i].queue_first &&
		    num <= d->rules.list[i].queue_last)
			return true;
	return false;
}

/* A queue number that nobody has bound and that no rule uses. */
static uint16_t free_queue(const struct doctor *d)
{
	uint16_t num = UINT16_MAX;

	while (num > 0 && (find_queue(d, num) || used_by_a_rule(d, num)))
		num--;
	return num;
}

static int configure(struct cth_sock *s, uint16_t num, bool bind, uint32_t flags)
{
	const struct cth_queue_config config = { .copy = CTH_COPY_META };
	struct cth_nack nack = { 0 };
	uint8_t buf[128];
	struct cth_msg m;
	int r;

	cth_msg_init(&m, buf, sizeof(buf));
	r = cth_queue_put_config(&m, cth_sock_seq(s), num, bind, &config, flags);
	return r < 0 ? r : cth_sock_request(s, cth_msg_bytes(&m), NULL, NULL, &nack);
}

static void read_queues(struct doctor *d)
{
	int n = proc_queues(d->queues, QUEUES);

	d->queues_read = n >= 0;
	d->queues_n = n < 0 ? 0 : n < QUEUES ? (size_t)n : QUEUES;
}

/* Parameters for a queue that is not bound are refused by whoever knows queues: ENODEV. */
static void check_queue_subsystem(struct doctor *d)
{
	int r;

	read_queues(d);
	if (common.dry_run) {
		tell(d, IDLE, part_queue.what, "not looked at in a dry run", NULL);
		return;
	}
	r = configure(&d->sock, free_queue(d), false, 0);
	d->queue_there = judge(d, &part_queue, r == -ENODEV ? 0 : r, BAD, NULL);
	if (!d->queues_read)
		read_queues(d); /* the question may have made the kernel load the module */
}

static void check_subsystems(struct doctor *d)
{
	struct count flows = { 0 }, expectations = { 0 };
	struct cth_nack nack = { 0 };
	int r;

	check_queue_subsystem(d);
	judge(d, &part_ct, ask(d, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS, NLM_F_ACK,
			       &flows), BAD, NULL);
	judge(d, &part_expect, ask(d, NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_GET,
				   NLM_F_DUMP, &expectations), BAD, NULL);
	r = rules_read(&d->sock, &d->rules, &nack);
	d->rules_read = r == 0;
	d->legacy = legacy_read(&d->rules);
	judge(d, &part_nft, r, DOUBTFUL, r ? NULL :
	      phrase("%zu rules queue packets or attach helpers", d->rules.n));
}

static const struct flag {
	uint32_t flag;
	enum state if_absent;
	const char *what, *since;
} flags[] = {
	{ CTH_QUEUE_FAIL_OPEN, DOUBTFUL, "queue flag fail-open",
	  "a full queue drops packets; the kernel needs Linux 3.6" },
	{ CTH_QUEUE_GSO, IDLE, "queue flag GSO", "the kernel needs Linux 3.10" },
	{ CTH_QUEUE_UID_GID, IDLE, "queue flag uid-gid", "the kernel needs Linux 3.14" },
	{ CTH_QUEUE_SECCTX, IDLE, "queue flag secctx",
	  "the kernel needs Linux 4.3 and CONFIG_NETWORK_SECMARK" },
};

/* On a queue of its own, that ends with its socket. */
static void check_flags(struct doctor *d)
{
	uint16_t num = free_queue(d);
	struct cth_sock s;
	int r;

	if (!d->queue_there || kernel_open(&s) != CTH_EXIT_OK) {
		tell(d, IDLE, "queue flags", "not looked at", NULL);
		return;
	}
	r = configure(&s, num, true, 0);
	if (r < 0) {
		tell(d, BAD, "queue flags", phrase("binding queue %u to try them: %s", num,
						   errno_name(r)), NULL);
		kernel_close(&s);
		return;
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		r = configure(&s, num, false, flags[i].flag);
		tell(d, r == 0 ? GOOD : flags[i].if_absent, flags[i].what,
		     r == 0 ? NULL : errno_name(r), r == 0 ? NULL : flags[i].since);
	}
	judge(d, &part_glue, configure(&s, num, false, CTH_QUEUE_CONNTRACK), BAD, NULL);
	kernel_close(&s);
}

static bool wanted(const struct doctor *d, const char *name)
{
	return !d->name || strcmp(d->name, name) == 0;
}

static const char *registered_text(const struct doctor *d)
{
	size_t on = 0;

	for (size_t i = 0; i < d->helpers_n; i++)
		on += d->helpers[i].enabled;
	return phrase("%zu registered, %zu of them enabled", d->helpers_n, on);
}

static void check_helper_subsystem(struct doctor *d)
{
	struct cth_nack nack = { 0 };
	int n = cth_helper_list(&d->sock, d->helpers, HELPERS, &nack);

	d->helpers_read = n >= 0;
	if (n >= 0)
		d->helpers_n = n < HELPERS ? (size_t)n : HELPERS;
	if (n == -EPERM && d->permitted) {
		tell(d, BAD, part_helper.what, permission_cause(true), permission_remedy(true));
		d->code = worse(d->code, CTH_EXIT_PERMISSION);
		return;
	}
	judge(d, &part_helper, n < 0 ? n : 0, BAD, registered_text(d));
}

/* The kernel's own helpers, each of which keeps a name of ours from being registered. */
static const struct own_helper {
	const char *name, *module;
} own_helpers[] = {
	{ "ftp", "nf_conntrack_ftp" }, { "tftp", "nf_conntrack_tftp" },
	{ "sip", "nf_conntrack_sip" }, { "irc", "nf_conntrack_irc" },
	{ "amanda", "nf_conntrack_amanda" }, { "sane", "nf_conntrack_sane" },
	{ "pptp", "nf_conntrack_pptp" }, { "snmp", "nf_conntrack_snmp" },
	{ "netbios-ns", "nf_conntrack_netbios_ns" }, { "RAS", "nf_conntrack_h323" },
	{ "Q.931", "nf_conntrack_h323" }, { "H.245", "nf_conntrack_h323" },
};

static bool is_registered(const struct doctor *d, const char *name)
{
	for (size_t i = 0; i < d->helpers_n; i++)
		if (strcmp(d->helpers[i].name, name) == 0)
			return true;
	return false;
}

static void tell_own(struct doctor *d, const struct own_helper *own, enum proc_module where)
{
	const char *detail = phrase("%s has a helper named %s: registering ours fails with EBUSY",
				    own->module, own->name);

	if (where == PROC_MODULE_BUILTIN)
		tell(d, BAD, "the kernel's own helpers", detail,
		     "it is built into this kernel: register ours under another name");
	else
		tell(d, BAD, "the kernel's own helpers", detail,
		     phrase("try: modprobe -r %s (and what uses it: lsmod), and keep it out:\n"
			    "echo blacklist %s > /etc/modprobe.d/%s.conf", own->module, own->module,
			    own->module));
}

static void check_own_helpers(struct doctor *d)
{
	char names[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < sizeof(own_helpers) / sizeof(own_helpers[0]); i++) {
		const struct own_helper *own = &own_helpers[i];
		enum proc_module where = proc_module(own->module);

		if (where == PROC_MODULE_UNKNOWN || is_registered(d, own->name))
			continue;
		if (d->name && strcmp(d->name, own->name) == 0) {
			tell_own(d, own, where);
			return;
		}
		if (used < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
						 used ? ", " : "", own->name);
	}
	if (d->name || !used)
		tell(d, GOOD, "the kernel's own helpers", "none is in the way", NULL);
	else
		tell(d, IDLE, "the kernel's own helpers",
		     phrase("helpers of these names cannot be registered: %s", names), NULL);
}

static void tell_queue(struct doctor *d, const struct proc_queue *q)
{
	const char *what = phrase("queue %" PRIu32, q->num);
	char owner[96];

	proc_owner_text(q->portid, owner, sizeof(owner));
	if (q->mode == 0)
		tell(d, BAD, what, phrase("%s has bound it without a copy mode: its packets are "
					  "dropped", owner), "that program is not set up rightly");
	else if (q->dropped_full || q->dropped_socket)
		tell(d, DOUBTFUL, what, phrase("%s; dropped: %" PRIu32 " as it was full, %" PRIu32
			" as the program's receive buffer was", owner, q->dropped_full,
			q->dropped_socket), "give it a longer queue, or a larger receive buffer");
	else
		tell(d, GOOD, what, phrase("%s; %" PRIu32 " waiting", owner, q->waiting), NULL);
}

static void check_owners(struct doctor *d)
{
	const struct proc_queue *q;

	if (!d->queues_read) {
		tell(d, IDLE, "queues", "not looked at: their list is not there, or "
		     "only root may read it", NULL);
		return;
	}
	if (d->queue_asked) {
		q = find_queue(d, d->queue);
		if (q)
			tell_queue(d, q);
		else
			tell(d, IDLE, phrase("queue %u", d->queue),
			     "nobody in this network namespace has bound it", NULL);
		return;
	}
	for (size_t i = 0; i < d->queues_n; i++)
		tell_queue(d, &d->queues[i]);
	if (d->queues_n == 0)
		tell(d, IDLE, "queues", "none is bound in this network namespace", NULL);
}

static bool attached_here(const struct doctor *d, const struct cth_helper *h)
{
	for (size_t i = 0; i < d->rules.n; i++)
		if (d->rules.list[i].kind == RULE_HELPER &&
		    strcmp(d->rules.list[i].helper, h->name) == 0)
			return true;
	return false;
}

/* Another network namespace, where somebody listens on its queue. */
static const struct elsewhere_place *listener_elsewhere(const struct doctor *d,
							const struct cth_helper *h)
{
	for (size_t i = 0; i < d->elsewhere.n; i++) {
		const struct elsewhere_place *p = &d->elsewhere.places[i];

		if (p->helper.listener && p->helper.queue == (uint16_t)h->queue &&
		    strcmp(p->helper.name, h->name) == 0)
			return p;
	}
	return NULL;
}

static void tell_helper(struct doctor *d, const struct cth_helper *h)
{
	const struct proc_queue *q = find_queue(d, (uint16_t)h->queue);
	const struct elsewhere_place *other = listener_elsewhere(d, h);
	char l3[12], l4[12], owner[96];
	const char *key = phrase("%s %s %s", h->name, l3_name(h->l3, l3), l4_name(h->l4, l4));
	const char *what = phrase("helper %s", key);
	unsigned num = (uint16_t)h->queue;

	if (q)
		proc_owner_text(q->portid, owner, sizeof(owner));
	if (h->enabled && q)
		tell(d, GOOD, what, phrase("enabled; queue %u is served by %s", num, owner), NULL);
	else if (h->enabled && other && !attached_here(d, h))
		tell(d, GOOD, what, phrase("enabled; nobody listens on queue %u in this network namespace, "
					   "but somebody does in %s%s", num, elsewhere_text(other),
					   other->rule[0] ? "" : ", where no rule attaches it yet"),
		     NULL);
	else if (h->enabled)
		tell(d, attached_here(d, h) ? BAD : DOUBTFUL, what,
		     phrase("enabled, and in this network namespace nobody listens on queue %u: "
			    "new connections that get it are never confirmed, and hang behind "
			    "NAT or a stateful firewall", num),
		     other ? phrase("start its program here too, or take the rule away; %s is served in %s",
				    h->name, elsewhere_text(other))
			   : phrase("start its program, or: cth helper disable %s", key));
	else if (q)
		tell(d, DOUBTFUL, what, phrase("disabled, although %s listens on queue %u: nothing "
					       "is queued", owner, num),
		     phrase("try: cth helper enable %s", key));
	else
		tell(d, IDLE, what, phrase("disabled: its packets pass by queue %u, as they should "
					   "while nobody listens", num), NULL);
}

static void check_helpers(struct doctor *d)
{
	bool any = false;

	if (!d->helpers_read)
		return; /* has been told */
	for (size_t i = 0; i < d->helpers_n; i++) {
		if (!wanted(d, d->helpers[i].name))
			continue;
		tell_helper(d, &d->helpers[i]);
		any = true;
	}
	if (!any && d->name)
		tell(d, BAD, phrase("helper %s", d->name), "not registered",
		     phrase("try: cth helper add %s inet tcp", d->name));
	else if (!any)
		tell(d, IDLE, "helpers", "none is registered", NULL);
}

/* The helper that a rule attaches; NULL: not one of user space. */
static const struct cth_helper *helper_of(const struct doctor *d, const struct rule *r)
{
	for (size_t i = 0; i < d->helpers_n; i++)
		if (strcmp(d->helpers[i].name, r->helper) == 0 &&
		    (r->l4 == 0 || r->l4 == d->helpers[i].l4))
			return &d->helpers[i];
	return NULL;
}

static const char *attaches(const struct rule *r)
{
	return phrase("%sattaches %s", r->by_map ? "by a map " : "", r->helper);
}

static void check_attaching(struct doctor *d)
{
	char place[256];
	bool any = false;

	for (size_t i = 0; i < d->rules.n; i++) {
		const struct rule *r = &d->rules.list[i];
		const struct cth_helper *h = helper_of(d, r);
		const char *what;

		if (r->kind != RULE_HELPER || !(wanted(d, r->helper) || r->map_unread))
			continue;
		any = true;
		what = phrase("rule %s", rule_text(r, place, sizeof(place)));
		if (r->by_map && !r->helper[0])
			tell(d, IDLE, what, r->map_unread ? "attaches by a map, not looked into"
							  : "attaches by a map, which is empty",
			     NULL);
		else if (!h)
			tell(d, IDLE, what, phrase("%s, which is none of user space",
						   attaches(r)), NULL);
		else if (h->enabled && find_queue(d, (uint16_t)h->queue))
			tell(d, GOOD, what, attaches(r), NULL);
		else
			tell(d, DOUBTFUL, what, phrase("%s, which nobody serves", attaches(r)),
			     phrase("start its program: it listens on queue %u and enables it",
				    (uint16_t)h->queue));
	}
	if (!any)
		tell(d, d->name ? DOUBTFUL : IDLE, "rules that attach a helper", "none",
		     d->name ? phrase("try: cth attach %s", d->name) : NULL);
}

static const char *queues_text(const struct rule *r)
{
	if (r->computed)
		return "a queue that it computes";
	return r->queue_first == r->queue_last
	       ? phrase("queue %u", r->queue_first)
	       : phrase("queues %u to %u", r->queue_first, r->queue_last);
}

static void check_other_queues(struct doctor *d)
{
	char place[256];
	size_t n = 0;

	for (size_t i = 0; i < d->rules.n; i++) {
		const struct rule *r = &d->rules.list[i];
		const char *what;

		if (r->kind != RULE_QUEUE)
			continue;
		n++;
		what = phrase("rule %s", rule_text(r, place, sizeof(place)));
		if (d->helpers_n == 0 && !d->name)
			tell(d, IDLE, what, phrase("sends packets to %s%s", queues_text(r),
						   r->bypass ? ", with bypass" : ""), NULL);
		else
			tell(d, DOUBTFUL, what,
			     phrase("sends packets to %s: those of a connection with a helper are "
				    "confirmed there, too early: later SNAT rules do not apply to "
				    "them, and TCP sequence numbers may be adjusted twice",
				    queues_text(r)),
			     "keep these connections out: match ct helper before it, and return");
	}
	if (n == 0)
		tell(d, GOOD, "other queue rules", "none in this network namespace", NULL);
}

static void check_legacy(struct doctor *d)
{
	static const char *const files[][2] = {
		{ "net/ip_tables_names", "iptables-legacy-save" },
		{ "net/ip6_tables_names", "ip6tables-legacy-save" },
	};
	char words[128];

	for (size_t i = 0; i < 2 && d->legacy < 0; i++)
		if (proc_words(files[i][0], words, sizeof(words)))
			tell(d, IDLE, "rules of iptables-legacy",
			     phrase("they cannot be read (%s), in these tables: %s",
				    errno_name(d->legacy), words),
			     phrase("they are shown by %s", files[i][1]));
}

static void check_nat(struct doctor *d)
{
	const char *what = "NAT (nf_nat)";

	switch (lacking_nat(&d->sock)) {
	case NAT_THERE:
		tell(d, GOOD, what, NULL, NULL);
		break;
	case NAT_LOADABLE:
		tell(d, IDLE, what, "not loaded: nothing is translated on this machine; a rule that "
		     "translates will load it", NULL);
		break;
	case NAT_LACKING:
		tell(d, DOUBTFUL, what, lacking_nat_means, lacking_nat_remedy);
		break;
	case NAT_UNKNOWN:
		tell(d, IDLE, what, "not loaded; whether it could be is not known", NULL);
	}
}

static void check_expectations(struct doctor *d)
{
	struct count c = { .type = NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_NEW };
	const char *what = "table of expectations";
	uint64_t max;
	int r = ask(d, NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_GET, NLM_F_DUMP, &c);

	if (r < 0 || proc_number("sys/net/netfilter/nf_conntrack_expect_max", &max) < 0) {
		tell(d, IDLE, what, "not looked at", NULL);
		return;
	}
	r = c.n >= max ? BAD : c.n >= max - max / 10 ? DOUBTFUL : GOOD;
	tell(d, (enum state)r, what,
	     phrase("%" PRIu64 " of %" PRIu64 "%s", c.n, max,
		    r == BAD ? ": full: no expectation can be made, EMFILE" : ""),
	     r == GOOD ? NULL : phrase("try: sysctl -w net.netfilter."
				       "nf_conntrack_expect_max=%" PRIu64, max * 2));
}

/* iptables' target works before conntrack and nowhere else; nft's statement only behind it. */
static bool never_matches(const struct rule *r)
{
	bool last_hook = r->at.hook == 1 || r->at.hook == 4; /* where flows are confirmed */

	return r->kind == RULE_HELPER && !r->xt && r->at.known &&
	       (r->at.priority <= -200 || (last_hook && r->at.priority == INT32_MAX));
}

static void check_priorities(struct doctor *d)
{
	char place[256];
	bool any = false;

	for (size_t i = 0; i < d->rules.n; i++) {
		const struct rule *r = &d->rules.list[i];

		if (!never_matches(r) || !(wanted(d, r->helper) || r->map_unread))
			continue;
		any = true;
		tell(d, BAD, phrase("rule %s", rule_text(r, place, sizeof(place))),
		     phrase("%s where it never does: %s conntrack",
			    r->helper[0] ? attaches(r) : "attaches by a map",
			    r->at.priority <= -200 ? "before" : "confirmed already by"),
		     "give its chain a priority from -199 to -101, on hook prerouting or output");
	}
	if (!any)
		tell(d, GOOD, "priorities of rules that attach a helper", NULL, NULL);
}

static bool is_enabled(const struct doctor *d, const struct elsewhere_helper *e)
{
	for (size_t i = 0; i < d->helpers_n; i++)
		if (d->helpers[i].enabled && (uint16_t)d->helpers[i].queue == e->queue &&
		    strcmp(d->helpers[i].name, e->name) == 0)
			return true;
	return false;
}

static void tell_place(struct doctor *d, const struct elsewhere_place *p)
{
	const char *attached = phrase("rule %s attaches %s", p->rule, p->helper.name);

	if (is_enabled(d, &p->helper))
		tell(d, BAD, elsewhere_text(p),
		     phrase("%s, which is enabled, and nobody listens on queue %u there: its new "
			    "connections are never confirmed, and hang behind NAT or a stateful "
			    "firewall", attached, p->helper.queue),
		     phrase("start its program there too (cth run: --netns %s), or take the rule "
			    "away, or: cth helper disable %s", elsewhere_netns(p), p->helper.name));
	else
		tell(d, IDLE, elsewhere_text(p),
		     phrase("%s, which is disabled: packets pass, as they should while nobody "
			    "listens on queue %u there", attached, p->helper.queue), NULL);
}

/* For rules without a listener, and for listeners: others may serve what nobody serves here. */
static void look_elsewhere(struct doctor *d)
{
	static struct elsewhere_helper wants[2 * HELPERS];
	const char *const here = NULL;
	size_t n = 0;

	for (size_t i = 0; i < 2 * d->helpers_n; i++) {
		const struct cth_helper *h = &d->helpers[i / 2];

		if (!wanted(d, h->name))
			continue;
		memcpy(wants[n].name, h->name, sizeof(wants[n].name));
		wants[n].queue = (uint16_t)h->queue;
		wants[n++].listener = i % 2;
	}
	elsewhere_look(wants, n, &here, 1, &d->elsewhere);
}

/* Who has no right to go there hears nothing of it. */
static void check_elsewhere(struct doctor *d)
{
	const struct elsewhere *found = &d->elsewhere;
	const char *what = "other network namespaces";
	bool all_served = true;

	for (size_t i = 0; i < found->n; i++) {
		if (found->places[i].helper.listener)
			continue;
		all_served = false;
		tell_place(d, &found->places[i]);
	}
	if (found->looked && all_served)
		tell(d, GOOD, what, phrase("in %zu of them no rule attaches a helper that nobody "
					   "there serves", found->looked), NULL);
	if (found->looked && !found->whole)
		tell(d, IDLE, what, phrase("only %zu were looked at; there are more", found->looked),
		     NULL);
}

static void examine(struct doctor *d)
{
	if (!check_socket(d))
		return;
	check_capability(d);
	check_subsystems(d);
	check_flags(d);
	check_helper_subsystem(d);
	check_own_helpers(d);
	check_owners(d);
	look_elsewhere(d);
	check_helpers(d);
	if (d->rules_read) {
		check_attaching(d);
		check_other_queues(d);
	}
	check_legacy(d);
	check_nat(d);
	check_expectations(d);
	if (d->rules_read)
		check_priorities(d);
	check_elsewhere(d);
	kernel_close(&d->sock);
	rules_free(&d->rules);
}

static const struct applet_option long_options[] = {
	{ "queue", required_argument, 'q' },
	{ NULL, 0, 0 },
};

static int doctor_main(const struct applet *self, int argc, char **argv)
{
	static struct doctor d;
	uint64_t v;
	int c, r;

	while ((c = next_option(argc, argv, long_options)) != -1) {
		if (c == 'q') {
			if (!parse_number(optarg, 0, UINT16_MAX, &v))
				return usage_error(self, "-q %s: not a queue number, 0 to 65535",
						   optarg);
			d.queue = (uint16_t)v;
			d.queue_asked = true;
		} else if ((r = common_option(self, c)) != -1) {
			return r;
		}
	}
	if (argc - optind > 1)
		return usage_error(self, "unexpected word: %s", argv[optind + 1]);
	if (optind < argc) {
		d.name = argv[optind];
		if (strlen(d.name) >= CTH_HELPER_NAME)
			return usage_error(self, "%s: a helper's name has 15 characters at most",
					   d.name);
	}
	d.j.f = stdout;
	if (common.json) {
		json_open(&d.j, NULL, '{');
		json_open(&d.j, "checks", '[');
	}
	examine(&d);
	if (common.json) {
		json_close(&d.j, ']');
		json_number(&d.j, "exit", (uint64_t)d.code);
		json_close(&d.j, '}');
	}
	return d.code;
}

const struct applet doctor_applet = {
	.name = "doctor",
	.usage = "[-q QUEUE] [NAME]",
	.help =
	"Looks for what keeps helpers and queues from working.\n"
	"\n"
	"  -q, --queue N   look at this queue only\n"
	"  NAME            look at this helper only\n"
	"\n"
	"Each line is ok, -- (not there, and not needed), warn or FAIL, with cause and remedy.\n"
	"Exit: 0 nothing FAILs, 1 something does, 3 the kernel lacks a part, 4 no permission.\n"
	"\n"
	"  cth doctor ftp\n",
	.main = doctor_main,
};
