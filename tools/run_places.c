/* SPDX-License-Identifier: MIT */
/*
 * run_places.c - the network namespaces that `cth run` serves in. Each has a service of its
 * own: sockets, queues, rules. One process goes into all of them at the start, one after the
 * other, and opens what will be needed; later nobody may.
 *
 *     helper ftp          queue 1  --.
 *     helper tftp         queue 1  --+--> place 0  (where we were started)
 *     helper ftp as dmz   queue 2
 *            netns dmz    ------------->  place 1  dmz
 *
 * The registry of helpers is one for all namespaces, and so what is done in several is done in
 * step: cth_services_open_on().
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "elsewhere.h"
#include "helper.h"
#include "legacy.h"
#include "manager.h"
#include "netns.h"
#include "rules.h"
#include "run.h"

#define OWNED_TRIES 15 /* to find a queue free */
#define OWNED_MS    100

/* The plan. */

static struct run_place *find_place(struct run *r, const char *netns)
{
	for (size_t i = 0; i < r->places_n; i++)
		if (conf_same_text(r->places[i].netns, netns))
			return &r->places[i];
	if (r->places_n == RUN_PLACES)
		return NULL;
	r->places[r->places_n].netns = netns;
	return &r->places[r->places_n++];
}

/* Helpers stand in the file in any order; here those of a place stand together. */
static void list_helpers(struct run *r)
{
	for (size_t i = 0; i < r->places_n; i++) {
		struct run_place *p = &r->places[i];

		p->first = r->n;
		for (size_t k = 0; k < r->conf.n; k++)
			if (conf_same_text(p->netns, r->conf.helpers[k].netns))
				r->terms[r->n++] = &r->conf.helpers[k];
		p->config.served = r->served + p->first;
		p->config.n = r->n - p->first;
		p->config.rcvbuf = r->rcvbuf;
	}
}

int places_plan(struct run *r)
{
	r->shared = mmap(NULL, sizeof(*r->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->shared == MAP_FAILED)
		return fail(errno, "set up the service", NULL, NULL);
	r->served = r->sides[0];
	for (size_t k = 0; k < r->conf.n; k++)
		if (!find_place(r, r->conf.helpers[k].netns))
			return fail(E2BIG, "set up the service",
				    phrase("more than %d network namespaces", RUN_PLACES),
				    "start it twice");
	if (r->conf.n > CTH_SERVICE_HELPERS)
		return fail(E2BIG, "set up the service",
			    phrase("more than %d helpers", CTH_SERVICE_HELPERS), "start it twice");
	list_helpers(r);
	run_fill_served(r, &r->conf, r->served);
	return CTH_EXIT_OK;
}

size_t run_index(const struct run *r, const struct cth_served *s)
{
	return (size_t)(s - r->sides[0]) % CTH_SERVICE_HELPERS;
}

void run_keep_counts_of(struct run *r, const struct cth_served *s)
{
	r->shared->stats[run_index(r, s)] = s->stats;
}

void run_keep_counts(struct run *r)
{
	for (size_t i = 0; i < r->n; i++)
		r->shared->stats[i] = r->served[i].stats;
}

void run_go_on_counting(struct run *r)
{
	for (size_t i = 0; i < r->n; i++)
		r->served[i].stats = r->shared->stats[i];
}

struct run_place *place_of(struct run *r, const struct cth_served *s)
{
	size_t at = run_index(r, s);

	for (size_t i = 0; i < r->places_n; i++)
		if (at - r->places[i].first < r->places[i].config.n)
			return &r->places[i];
	return NULL;
}

int place_queue(const struct run_place *p, size_t i)
{
	for (size_t k = 0; k < p->config.n; k++) {
		size_t first = 0;

		while (p->config.served[first].terms.queue != p->config.served[k].terms.queue)
			first++;
		if (first == k && i-- == 0)
			return p->config.served[k].terms.queue;
	}
	return -1;
}

/* What is there already. */

/*
 * The queue is, if neither -q nor a file told it, the one that the first protocol is registered
 * for.
 */
static void choose_queue(struct run *r, const struct cth_helper *list, int n)
{
	for (int i = n - 1; i >= 0 && !r->queue_given && !r->conf_path; i--) {
		if (strcmp(list[i].name, cth_served_name(r->served)) != 0)
			continue;
		for (size_t k = 0; k < r->n; k++) {
			r->conf.helpers[k].queue = list[i].queue & UINT16_MAX;
			r->served[k].terms.queue = (uint16_t)list[i].queue;
		}
	}
}

static int look_at_registry(struct run *r)
{
	struct cth_nack nack = { 0 };
	struct cth_helper *list, first;
	int n = all_helpers(&r->places[0].service.control, &list, &nack);

	cth_served_helper(r->served, cth_served_over(r->served, AF_INET) ? AF_INET : AF_INET6,
			  r->served->proto->l4[0], &first);
	if (n < 0)
		return common.dry_run ? CTH_EXIT_OK
				      : helper_refused(n, &nack, phrase("register %s",
									helper_text(&first)));
	choose_queue(r, list, n);
	for (int i = 0; i < n; i++)
		for (size_t k = 0; k < r->n; k++)
			r->served[k].terms.keep |=
				strcmp(list[i].name, cth_served_name(&r->served[k])) == 0;
	free(list);
	return CTH_EXIT_OK;
}

static bool rule_may_attach(const struct rule *rule, const char *name)
{
	return rule->kind == RULE_HELPER && (strcmp(rule->helper, name) == 0 || rule->map_unread);
}

static bool any_rule_attaches(const struct rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rule_may_attach(&rules->list[i], name))
			return true;
	return false;
}

/* Which of ours no rule attaches. It is read before packets come, for they would have to wait. */
static void look_for_rules(struct run *r, struct run_place *p)
{
	struct cth_nack nack = { 0 };
	struct rules rules = { 0 };
	int error = rules_read(&p->service.control, &rules, &nack);

	p->legacy = legacy_read(&rules) < 0;
	if (error == 0 || error == -EPROTONOSUPPORT) /* none without nf_tables */
		for (size_t i = p->first; i < p->first + p->config.n; i++)
			r->unattached[i] = !r->served[i].terms.attach &&
					   !any_rule_attaches(&rules, cth_served_name(&r->served[i]));
	rules_free(&rules);
}

/* Who owns a queue is looked for by one who still may; a keeper is not shown others' files. */
static int check_queue(uint16_t queue, uint32_t ours)
{
	const struct cth_nack none = { 0 };
	struct proc_queue q;

	/* A predecessor's keeper may be about to leave; and so may we. */
	for (int i = 0; i < OWNED_TRIES && !interrupted; i++) {
		if (proc_queue(queue, &q) != 1 || q.portid == ours)
			return CTH_EXIT_OK;
		poll(NULL, 0, OWNED_MS);
	}
	return interrupted ? CTH_EXIT_OK : bind_refused(-EPERM, &none, queue, CTH_QUEUE_CONNTRACK);
}

static int check_queues(const struct run_place *p)
{
	int status = CTH_EXIT_OK, queue;

	for (size_t i = 0; status == CTH_EXIT_OK && (queue = place_queue(p, i)) >= 0; i++)
		status = check_queue((uint16_t)queue, p->service.sock.portid);
	return status;
}

/* Left by the dead. */

/*
 * Does anybody listen there, in this network namespace or another where the helper can be in
 * use? Where that cannot be known somebody may.
 */
static bool is_served_somewhere(const struct run_place *p, const struct cth_helper *there)
{
	struct elsewhere_helper wanted = { .queue = (uint16_t)there->queue, .listener = true };
	static struct elsewhere found;
	struct proc_queue q;
	int here = proc_queue(wanted.queue, &q);

	memcpy(wanted.name, there->name, sizeof(wanted.name));
	if (here == -ENOENT) /* no module, no queue */
		return false;
	if (here != 0)
		return true;
	elsewhere_look(&wanted, 1, (const char *const[]){ p->netns }, 1, &found);
	if (found.n > 0)
		warn("%s is enabled, and in %s somebody listens on its queue %u", helper_text(there),
		     elsewhere_text(&found.places[0]), wanted.queue);
	return found.n > 0 || found.shut > 0 || found.barred || !found.whole;
}

/*
 * All processes of a predecessor were killed, and it was told another queue since: what it has left
 * enabled keeps connections from coming up, whether we can serve it or not. Disabled it does no
 * harm, and can be taken over with any queue.
 */
static void disable_left(struct run_place *p, const struct cth_served *s, uint16_t l3, uint8_t l4)
{
	struct cth_helper there;

	if (cth_helper_get(&p->service.control, cth_served_name(s), l3, l4, &there, NULL) < 0 ||
	    !there.enabled || (uint16_t)there.queue == s->terms.queue ||
	    is_served_somewhere(p, &there))
		return;
	there.enabled = false;
	there.have = CTH_HELPER_STATUS;
	if (cth_helper_update(&p->service.control, &there, NULL) == 0)
		warn("%s was left enabled on queue %u, where nobody listens: it is disabled until it is "
		     "served on queue %u", helper_text(&there), there.queue & UINT16_MAX,
		     s->terms.queue);
}

static void disable_all_left(struct run_place *p)
{
	for (size_t i = 0; i < p->config.n; i++) {
		const struct cth_served *s = &p->config.served[i];

		for (const uint8_t *l4 = s->proto->l4; *l4; l4++) {
			if (cth_served_over(s, AF_INET))
				disable_left(p, s, AF_INET, *l4);
			if (cth_served_over(s, AF_INET6))
				disable_left(p, s, AF_INET6, *l4);
		}
	}
}

/* Going there. */

static int open_sockets(struct run_place *p)
{
	int status = kernel_open(&p->service.sock);

	if (status != CTH_EXIT_OK)
		return status;
	status = kernel_open(&p->service.control);
	if (status != CTH_EXIT_OK)
		kernel_close(&p->service.sock);
	return status;
}

static int open_place(struct run *r, struct run_place *p)
{
	int status = p->netns ? enter_netns(p->netns) : CTH_EXIT_OK;

	if (status == CTH_EXIT_OK)
		status = open_sockets(p);
	if (status == CTH_EXIT_OK && p == r->places)
		status = look_at_registry(r);
	if (status != CTH_EXIT_OK || common.dry_run)
		return status;
	look_for_rules(r, p);
	status = manager_inherit(p);
	if (status == CTH_EXIT_OK && !r->single)
		status = check_queues(p);
	if (status == CTH_EXIT_OK)
		disable_all_left(p);
	proc_keep("net/netfilter/nfnetlink_queue");
	return status;
}

int places_open(struct run *r)
{
	int status = CTH_EXIT_OK, back;

	for (size_t i = 0; i < r->places_n && status == CTH_EXIT_OK; i++) {
		back = r->places[i].netns && r->places_n > 1 ? remember_netns() : -1;
		proc_in((unsigned)i);
		status = open_place(r, &r->places[i]);
		if (back >= 0 && return_to_netns(back) != CTH_EXIT_OK)
			status = CTH_EXIT_FAILURE;
	}
	proc_in(0);
	if (status == CTH_EXIT_OK && !common.dry_run) {
		manager_let_go();
		run_look_around(r);
	}
	return status;
}

static uint32_t unguessable(void)
{
	struct timespec t = { 0, 0 };
	uint32_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed))
		return seed;
	/* Early at boot, or before Linux 3.17. */
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint32_t)t.tv_nsec * 2654435761u ^ (uint32_t)t.tv_sec ^ (uint32_t)getpid() << 16;
}

/* Other terms may bind each queue under another number before the first is empty. */
static size_t room_of(const struct run_place *p)
{
	size_t packets = 0;

	for (size_t i = 0; i < p->config.n; i++)
		packets += 2 * (size_t)p->config.served[i].terms.maxlen;
	return CTH_SERVICE_ROOM(packets);
}

static int buffer_of(const struct run_place *p)
{
	uint64_t packets = 0;

	for (size_t i = 0; i < p->config.n; i++) {
		const struct cth_terms *t = &p->config.served[i].terms;
		size_t first = 0;

		while (p->config.served[first].terms.queue != t->queue)
			first++;
		if (first == i)
			packets += t->maxlen ? t->maxlen : CTH_SERVICE_MAXLEN;
	}
	return kernel_buffer(packets);
}

int places_prepare(struct run *r)
{
	for (size_t i = 0; i < r->places_n; i++) {
		struct run_place *p = &r->places[i];

		p->room = room_of(p);
		p->memory = malloc(p->room);
		if (!p->memory)
			return fail(ENOMEM, "set up the service", NULL, "let fewer packets wait: "
				    "--queue-len, or length");
		if (!p->config.rcvbuf)
			p->config.rcvbuf = buffer_of(p);
		p->config.seed = unguessable();
		p->service.engine.fn = show_event;
		p->service.engine.ctx = r;
	}
	return CTH_EXIT_OK;
}

void places_parts(struct run *r, struct cth_served *next,
		  struct cth_service_part parts[RUN_PLACES])
{
	for (size_t i = 0; i < r->places_n; i++) {
		struct run_place *p = &r->places[i];

		parts[i] = (struct cth_service_part){
			.service = &p->service, .config = &p->config, .memory = p->memory,
			.size = p->room, .served = next ? next + p->first : NULL,
		};
	}
}

void places_close(struct run *r)
{
	for (size_t i = 0; i < r->places_n; i++) {
		kernel_close(&r->places[i].service.control);
		kernel_close(&r->places[i].service.sock);
	}
}
