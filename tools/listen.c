/* SPDX-License-Identifier: MIT */
/*
 * listen.c - binds queues and serves them. A helper that is enabled while nobody listens
 * keeps new flows from being confirmed, and a queue that is unbound drops what waits in
 * it: so helpers are enabled last and disabled first, however the program ends.
 *
 * Helpers are looked after on a socket of its own: an answer awaited on the queue's socket
 * would have to get past packets.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include "helper.h"
#include "listen.h"
#include "proc.h"

#define SLOTS        64
#define WAITING      1024 /* packets in the kernel, for each queue, if not told: the kernel's own */
#define LOOK_MS      1000 /* between two looks for new helpers */
#define DRAIN_MS     2000
#define DRAIN_STEP   50

int64_t listener_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The configuration symbol or the release that a flag needs. */
static const struct {
	uint32_t flag;
	const char *text;
} flag_needs[] = {
	{ CTH_QUEUE_FAIL_OPEN, "fail-open needs Linux 3.6" },
	{ CTH_QUEUE_CONNTRACK, "conntrack needs CONFIG_NETFILTER_NETLINK_GLUE_CT" },
	{ CTH_QUEUE_GSO, "GSO needs Linux 3.10" },
	{ CTH_QUEUE_UID_GID, "uid and gid need Linux 3.14" },
	{ CTH_QUEUE_SECCTX, "secctx needs Linux 4.3 and CONFIG_NETWORK_SECMARK" },
};

static const char *needs_of(uint32_t flags)
{
	for (size_t i = 0; i < sizeof(flag_needs) / sizeof(flag_needs[0]); i++)
		if (flags & flag_needs[i].flag)
			return flag_needs[i].text;
	return "this kernel lacks a flag that was asked for";
}

/* EPERM has two meanings; /proc tells them apart. */
static int explain_eperm(const struct cth_nack *nack, uint16_t num, const char *tried)
{
	char owner[96], cause[160];
	struct proc_queue q;

	if (proc_queue(num, &q) == 1) {
		snprintf(cause, sizeof(cause), "the queue is owned by %s",
			 proc_owner_text(q.portid, owner, sizeof(owner)));
		fail_nack(-EPERM, nack, tried, cause, "stop that program, or choose another queue");
		return CTH_EXIT_BUSY;
	}
	return fail_nack(-EPERM, nack, tried, permission_cause(false), permission_remedy(false));
}

int bind_refused(int err, const struct cth_nack *nack, uint16_t num, uint32_t flags)
{
	char tried[64];

	snprintf(tried, sizeof(tried), "binding queue %u", num);
	switch (err) {
	case -EPERM:
		return explain_eperm(nack, num, tried);
	case -EINVAL:
		fail_nack(err, nack, tried,
			  "the kernel has no nfnetlink_queue (CONFIG_NETFILTER_NETLINK_QUEUE)",
			  "modprobe nfnetlink_queue; on OpenWrt install kmod-nfnetlink-queue");
		return CTH_EXIT_UNSUPPORTED;
	case -EOPNOTSUPP:
		fail_nack(err, nack, tried, needs_of(flags), "go without that option");
		return CTH_EXIT_UNSUPPORTED;
	case -EMFILE:
		return fail_nack(err, nack, tried, "one socket serves 16 queues at most",
				 "start the program twice");
	default:
		return fail_nack(err, nack, tried, NULL, NULL);
	}
}

static void tell_flags(const struct listener *l, uint16_t num)
{
	uint32_t flags = cth_queue_flags(&l->queue, num);

	fprintf(l->chatter, "queue %u:%s%s%s%s%s\n", num,
		flags & CTH_QUEUE_FAIL_OPEN ? " fail-open" : " fail-closed",
		flags & CTH_QUEUE_CONNTRACK ? ", conntrack" : ", no conntrack",
		flags & CTH_QUEUE_GSO ? ", GSO" : "",
		flags & CTH_QUEUE_UID_GID ? ", uid and gid" : "",
		flags & CTH_QUEUE_SECCTX ? ", secctx" : "");
}

static int bind_all(struct listener *l)
{
	struct cth_nack nack = { 0 };

	for (uint32_t num = l->first; num <= l->last; num++) {
		int r = cth_queue_bind(&l->queue, (uint16_t)num, &l->config, &nack);

		if (r < 0)
			return bind_refused(r, &nack, (uint16_t)num, l->config.flags);
		if (l->verbose)
			tell_flags(l, (uint16_t)num);
	}
	return 0;
}

/* Switches one helper, and touches nothing else of it. */
static int switch_helper(struct listener *l, const struct cth_helper *h, bool on,
			 struct cth_nack *nack)
{
	struct cth_helper change = { .l3 = h->l3, .l4 = h->l4, .have = CTH_HELPER_STATUS,
				     .enabled = on };

	memcpy(change.name, h->name, sizeof(change.name));
	return cth_helper_update(&l->control, &change, nack);
}

/*
 * After these the kernel has not done it. All else, such as a lost answer, leaves open whether
 * it has, and a helper that is disabled once too often is no harm.
 */
static bool surely_not_done(int r, const struct cth_nack *nack)
{
	return nack->error != 0 || r == -ENOENT || r == -EINVAL;
}

static void enable_one(struct listener *l, const struct cth_helper *h)
{
	uint16_t num = (uint16_t)h->queue; /* the kernel cuts it likewise */
	struct cth_nack nack = { 0 };
	int r;

	if (num < l->first || num > l->last || !(h->have & CTH_HELPER_STATUS))
		return;
	if (h->enabled) {
		if (l->verbose)
			fprintf(l->chatter, "helper %s on queue %u is enabled already, and is left "
				"so\n", helper_text(h), num);
		return;
	}
	r = switch_helper(l, h, true, &nack);
	if (r == 0 || !surely_not_done(r, &nack))
		l->enabled[l->enabled_n++] = *h;
	if (r == 0)
		fprintf(l->chatter, "%s helper %s on queue %u\n",
			common.dry_run ? "would enable" : "enabled", helper_text(h), num);
	else if (surely_not_done(r, &nack))
		warn("enabling helper %s: %s: it stays disabled and queues nothing%s%s",
		     helper_text(h), errno_name(r), nack.text[0] ? ": " : "", nack.text);
	else
		warn("enabling helper %s: %s: whether it is enabled is not known; it is disabled "
		     "at the end", helper_text(h), errno_name(r));
}

static const struct cth_helper *find_helper(const struct cth_helper *list, size_t n,
					    const struct cth_helper *key)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].l3 == key->l3 && list[i].l4 == key->l4 &&
		    strcmp(list[i].name, key->name) == 0)
			return &list[i];
	return NULL;
}

/* Who is deleted, or disabled by somebody else, is no longer ours to disable. */
static void forget_lost(struct listener *l, const struct cth_helper *all, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->enabled_n; i++) {
		const struct cth_helper *now = find_helper(all, n, &l->enabled[i]);

		if (now && (now->enabled || !(now->have & CTH_HELPER_STATUS)))
			l->enabled[kept++] = l->enabled[i];
	}
	l->enabled_n = kept;
}

static void tell_unlisted(const struct listener *l, int r)
{
	if (l->verbose)
		fprintf(l->chatter, "helpers are not looked after: %s: %s\n", errno_name(r),
			r == -EPROTONOSUPPORT ? "no nfnetlink_cthelper in this kernel" :
			r == -EPERM ? "this needs CAP_NET_ADMIN in the first user namespace" :
			"listing them failed");
}

/*
 * Enables the helpers that were not there at the last look. One that was there, and is
 * disabled all the same, somebody wants to be so. The queue works without helpers too: what
 * fails here is told and no more. Where it must fail again, nobody looks again: a question
 * to a subsystem that is not there makes the kernel look for its module.
 */
static void look_for_helpers(struct listener *l)
{
	struct cth_nack nack = { 0 };
	struct cth_helper *all, *more;
	int n = all_helpers(&l->control, &all, &nack);

	l->look_at = listener_now() + LOOK_MS;
	if (n < 0) {
		if (!l->known || n == -EPROTONOSUPPORT || n == -EPERM) {
			tell_unlisted(l, n);
			l->tending = false;
		}
		return;
	}
	forget_lost(l, all, (size_t)n);
	more = realloc(l->enabled, (l->enabled_n + (size_t)n + 1) * sizeof(*more));
	if (!more) {
		free(all);
		return;
	}
	l->enabled = more;
	for (int i = 0; i < n; i++)
		if (!find_helper(l->known, l->known_n, &all[i]))
			enable_one(l, &all[i]);
	free(l->known);
	l->known = all;
	l->known_n = (size_t)n;
}

void listener_enable(struct listener *l)
{
	if (l->no_enable)
		return;
	if (l->config.flags & CTH_QUEUE_GSO) {
		fprintf(l->chatter, "helpers are left alone: a queue with GSO is not for them\n");
		return;
	}
	if (kernel_open(&l->control) != 0)
		return;
	l->control_open = true;
	l->tending = true;
	look_for_helpers(l);
}

void listener_tend(struct listener *l)
{
	if (l->tending && listener_now() >= l->look_at)
		look_for_helpers(l);
}

void listener_disable(struct listener *l)
{
	l->tending = false;
	while (l->enabled_n > 0) {
		const struct cth_helper *h = &l->enabled[--l->enabled_n];
		struct cth_nack nack = { 0 };
		int r = switch_helper(l, h, false, &nack);

		if (r < 0 && r != -ENOENT && r != -EPERM)
			r = switch_helper(l, h, false, &nack);
		if (r == 0)
			fprintf(l->chatter, "%s helper %s\n",
				common.dry_run ? "would disable" : "disabled", helper_text(h));
		else if (r != -ENOENT) /* deleted meanwhile: as good */
			warn("disabling helper %s: %s: new connections that it serves will hang; "
			     "try: cth helper disable %s", helper_text(h), errno_name(r),
			     key_words(h));
	}
	if (l->control_open)
		kernel_close(&l->control);
	l->control_open = false;
	free(l->known);
	free(l->enabled);
	l->known = l->enabled = NULL;
	l->known_n = 0;
}

static int allocate(struct listener *l)
{
	uint32_t range = l->config.range ? l->config.range : CTH_PACKET_MAX;
	size_t cap = (range < CTH_PACKET_MAX ? range : CTH_PACKET_MAX) + CTH_QUEUE_ROOM;

	cap = (cap + 7) & ~(size_t)7;
	l->ring = calloc(SLOTS, sizeof(*l->ring));
	l->memory = malloc(SLOTS * cap + CTH_QUEUE_OUT);
	if (!l->ring || !l->memory)
		return fail(-ENOMEM, "allocating the receive ring", NULL, "lower --copy-range");
	for (size_t i = 0; i < SLOTS; i++) {
		l->ring[i].buf = l->memory + CTH_QUEUE_OUT + i * cap;
		l->ring[i].cap = cap;
	}
	return 0;
}

static void set_rcvbuf(struct listener *l)
{
	uint64_t waiting = l->config.maxlen ? l->config.maxlen : WAITING;
	int got;

	if (l->rcvbuf == 0) {
		(void)cth_sock_rcvbuf(&l->sock, kernel_buffer(waiting * (l->last - l->first + 1u)));
		return;
	}
	got = cth_sock_rcvbuf(&l->sock, l->rcvbuf);
	if (got < 0)
		warn("receive buffer of %d bytes: %s", l->rcvbuf, errno_name(got));
	else if (got < l->rcvbuf)
		warn("receive buffer: %d bytes instead of %d: raise net.core.rmem_max", got,
		     l->rcvbuf);
	else if (l->verbose)
		fprintf(l->chatter, "receive buffer: %d bytes\n", got);
}

int listener_open(struct listener *l, cth_pkt_fn *fn, void *ctx)
{
	int code = allocate(l);

	if (code == 0)
		code = kernel_open(&l->sock);
	if (code != 0) {
		free(l->memory);
		free(l->ring);
		l->memory = NULL;
		l->ring = NULL;
		return code;
	}
	set_rcvbuf(l);
	/* The slots are as large as it wants them: see allocate(). */
	(void)cth_queue_init(&l->queue, &l->sock, l->ring, SLOTS, l->memory, CTH_QUEUE_OUT, fn,
			     ctx);
	l->queue.no_ranges = l->no_ranges;
	code = bind_all(l);
	if (code == 0)
		listener_enable(l);
	else
		listener_close(l);
	return code;
}

/* What /proc tells of our queues, added up; how many packets wait: -errno if it cannot be read. */
static int look(struct listener *l)
{
	struct queue_losses *sum = &l->losses;
	struct proc_queue q;

	sum->full = sum->no_room = sum->waiting = 0;
	for (uint32_t num = l->first; num <= l->last; num++) {
		int r = proc_queue(num, &q);

		if (r < 0)
			return r;
		if (r == 0 || (l->sock.portid && q.portid != l->sock.portid))
			continue;
		sum->full += q.dropped_full;
		sum->no_room += q.dropped_socket;
		sum->waiting += q.waiting;
	}
	return (int)(sum->waiting < INT32_MAX ? sum->waiting : INT32_MAX);
}

/* Decides until nothing waits, or rules that still feed the queues make that hopeless. */
static void drain(struct listener *l)
{
	int64_t end = listener_now() + DRAIN_MS;
	int waiting, r = 1;

	do {
		r = cth_queue_run(&l->queue, 0, r == 0 ? DRAIN_STEP : 0);
		waiting = look(l);
		if (waiting < 0)
			waiting = r > 0;
	} while (r >= 0 && waiting > 0 && listener_now() < end);
}

/*
 * What has come since the last look goes with the queue: it is read before the answer, and its
 * verdicts come too late, which the kernel says behind the answer. Told as what waited, it is.
 */
static void unbind_all(struct listener *l)
{
	uint64_t *nacks = &l->queue.stats.nacks, before = *nacks;
	struct cth_nack nack;

	for (uint32_t num = l->first; num <= l->last; num++)
		cth_queue_unbind(&l->queue, (uint16_t)num, &nack);
	cth_queue_run(&l->queue, SIZE_MAX, 0);
	if (*nacks - before > l->losses.waiting)
		l->losses.waiting = (uint32_t)(*nacks - before);
	*nacks = before;
}

void listener_close(struct listener *l)
{
	uint32_t drops;

	if (!l->ring)
		return;
	listener_disable(l);
	l->leaving = true;
	drain(l);
	if (cth_sock_drops(&l->sock, &drops) == 0)
		l->losses.socket = drops;
	unbind_all(l);
	kernel_close(&l->sock);
	free(l->memory);
	free(l->ring);
	l->ring = NULL;
}

void queue_counters(const struct cth_queue_stats *q, const struct cth_sock_stats *s,
		    const struct queue_losses *lost, struct counter c[QUEUE_COUNTERS])
{
	const struct counter all[QUEUE_COUNTERS] = {
		{ "packets", q->packets, NULL },
		{ "verdicts", q->verdicts, NULL },
		{ "sends", q->sends, NULL },
		{ "malformed", q->malformed, "packets whose description was spoilt; they passed" },
		{ "unbound", q->unbound, "packets of a queue that is not bound here; they passed" },
		{ "refused", q->refused,
		  "verdicts that cannot be sent like that; the packets passed" },
		{ "held", q->held, "packets without a verdict" },
		{ "unsent", q->unsent, "verdicts that could not be sent" },
		{ "nacks", q->nacks, "verdicts refused by the kernel" },
		{ "gaps", q->gaps, "packets that never came: they passed unseen, or the kernel "
		  "dropped them; try --rcvbuf" },
		{ "queue_dropped", lost->full, "packets dropped by the kernel: the queue was "
		  "full; try --queue-len" },
		{ "user_dropped", lost->no_room, "packets dropped by the kernel: the receive "
		  "buffer was full; try --rcvbuf" },
		{ "socket_drops", lost->socket,
		  "datagrams dropped at the socket; try --rcvbuf" },
		{ "overruns", s->overruns, "overruns of the receive buffer; try --rcvbuf" },
		{ "truncated", s->truncated, "datagrams cut: longer than a slot" },
		{ "alien", s->alien, "datagrams that did not come from the kernel" },
		{ "stray", s->stray, NULL },
		{ "malformed_datagrams", s->malformed, "datagrams that could not be parsed" },
		{ "waiting", lost->waiting, "packets still waiting at the end: dropped with "
		  "the queue; a rule still feeds it" },
	};

	memcpy(c, all, sizeof(all));
}

static uint64_t value_of(const struct counter c[QUEUE_COUNTERS], const char *name)
{
	for (size_t i = 0; i < QUEUE_COUNTERS; i++)
		if (strcmp(c[i].name, name) == 0)
			return c[i].value;
	return 0;
}

/*
 * What finds no room in the receive buffer is a datagram that the socket has dropped; an id that
 * never came, once another has; and the kernel's user_dropped, unless fail-open lets it pass. Each
 * is told once: how much of c is told by another already?
 */
static uint64_t told_by_others(const struct counter *c, const struct counter all[QUEUE_COUNTERS])
{
	uint64_t dropped = value_of(all, "user_dropped"), gaps = value_of(all, "gaps");

	if (strcmp(c->name, "gaps") == 0)
		return dropped;
	if (strcmp(c->name, "socket_drops") == 0)
		return dropped > gaps ? dropped : gaps;
	return 0;
}

void tell_losses(const struct counter c[QUEUE_COUNTERS])
{
	for (size_t i = 0; i < QUEUE_COUNTERS; i++) {
		uint64_t told = told_by_others(&c[i], c);

		if (c[i].loss && c[i].value > told)
			warn("lost: %" PRIu64 " %s", c[i].value - told, c[i].loss);
	}
}

void listener_tell_losses(const struct listener *l)
{
	struct counter c[QUEUE_COUNTERS];

	queue_counters(&l->queue.stats, &l->sock.stats, &l->losses, c);
	tell_losses(c);
}

void listener_print_counters(const struct listener *l, bool whose)
{
	struct counter c[QUEUE_COUNTERS];
	struct json j = { .f = stdout };

	queue_counters(&l->queue.stats, &l->sock.stats, &l->losses, c);
	if (common.json) {
		json_open(&j, NULL, '{');
		if (whose)
			json_number(&j, "queue", l->first);
		json_open(&j, "counters", '{');
		for (size_t i = 0; i < QUEUE_COUNTERS; i++)
			json_number(&j, c[i].name, c[i].value);
		json_close(&j, '}');
		json_close(&j, '}');
		return;
	}
	if (whose)
		printf("%-20s %u\n", "queue", l->first);
	for (size_t i = 0; i < QUEUE_COUNTERS; i++)
		printf("%-20s %" PRIu64 "\n", c[i].name, c[i].value);
}
