/* SPDX-License-Identifier: MIT */
/*
 * service.c - the life of a helper program, from the registry to the queue and back:
 *
 *     open    look, NEW disabled | BIND | NEW enabled | batch of rules
 *     change                       BIND | NEW changed | batch of rules | verdicts | UNBIND
 *     resume  look | DROP, verdicts | BIND | NEW enabled | batch of rules
 *     close   NEW disabled | verdicts | DELRULE | verdicts | DELTABLE | UNBIND | DEL
 *
 * Every step notes what it has done, so that closing undoes just that, whether all went well
 * or something failed halfway. An answer that is lost leaves open whether the kernel has done
 * it; then it is undone too, for a helper that is disabled once too often is no harm, and
 * one that stays enabled with nobody listening is.
 *
 * Services in several network namespaces go through these steps side by side, each step for all of
 * them before the next: what is enabled is enabled everywhere at once.
 */
#include <errno.h>
#include <sys/socket.h>
#include "service.h"

#define SERVICE_SLOT (65536 + CTH_QUEUE_ROOM)

#define SERVICE_QUIET_MS 25 /* for a packet that is about to be queued */
#define SERVICE_FREE_MS  50 /* between two tries to delete what is busy */
#define SERVICE_ANSWER_MS 500
#define SERVICE_FREES    10 /* for all helpers together */

/* Before anything is done. */

static const char *service_name(const struct cth_service_helper *h)
{
	return cth_served_name(h->served);
}

static bool service_has_name(const struct cth_service *s, const char *name)
{
	for (size_t i = 0; i < s->helpers_n; i++)
		if (strcmp(service_name(&s->helpers[i]), name) == 0)
			return true;
	return false;
}

/* Rules without any port would give it every flow there is. */
static bool service_has_ports(const struct cth_served *served)
{
	return !served->terms.attach || served->terms.ports_n || served->proto->port;
}

static int service_list_one(struct cth_service *s, struct cth_served *served, uint8_t l4)
{
	const uint16_t l3[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < 2; i++) {
		struct cth_service_helper *h = &s->helpers[s->helpers_n];

		if (!cth_served_over(served, l3[i]))
			continue;
		if (s->helpers_n == CTH_SERVICE_HELPERS)
			return -EINVAL;
		memset(h, 0, sizeof(*h));
		h->served = served;
		h->l3 = l3[i];
		h->l4 = l4;
		s->helpers_n++;
	}
	return 0;
}

/* Lists what is to be registered. */
static int service_list(struct cth_service *s)
{
	for (size_t i = 0; i < s->config.n; i++) {
		struct cth_served *served = &s->config.served[i];

		if (service_has_name(s, cth_served_name(served)))
			return -EINVAL;
		if (!service_has_ports(served))
			return -EINVAL;
		for (const uint8_t *l4 = served->proto->l4; *l4; l4++)
			if (service_list_one(s, served, *l4) < 0)
				return -EINVAL;
	}
	return s->helpers_n ? 0 : -EINVAL;
}

static uint32_t service_maxlen(const struct cth_served *served)
{
	return served->terms.maxlen ? served->terms.maxlen : CTH_SERVICE_MAXLEN;
}

static bool service_shares(const struct cth_served *a, const struct cth_served *b)
{
	return a->terms.queue == b->terms.queue;
}

/* The first of those that share its queue. */
static bool service_is_first(const struct cth_served *served, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (service_shares(&served[k], &served[i]))
			return false;
	return true;
}

/* As those who share the i-th's queue want it. */
static void service_queue(const struct cth_served *served, size_t n, size_t i,
			  struct cth_queue_config *config)
{
	memset(config, 0, sizeof(*config));
	config->flags = CTH_QUEUE_CONNTRACK;
	config->wishes = CTH_QUEUE_FAIL_OPEN;
	for (size_t k = 0; k < n; k++) {
		if (!service_shares(&served[i], &served[k]))
			continue;
		if (service_maxlen(&served[k]) > config->maxlen)
			config->maxlen = service_maxlen(&served[k]);
		if (served[k].terms.full_closed)
			config->wishes = 0;
	}
}

static bool service_names(const struct cth_served *served, size_t n, uint16_t queue)
{
	for (size_t i = 0; i < n; i++)
		if (served[i].terms.queue == queue)
			return true;
	return false;
}

/* Packets that can wait, in all queues but those of others. */
static size_t service_waiting(const struct cth_served *served, size_t n,
			      const struct cth_served *others)
{
	struct cth_queue_config config;
	size_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		if (!service_is_first(served, i) ||
		    (others && service_names(others, n, served[i].terms.queue)))
			continue;
		service_queue(served, n, i, &config);
		sum += config.maxlen;
	}
	return sum;
}

/*
 * Cuts the caller's memory into pieces, those that are always in use first:
 *
 *     | to 8 bytes | flights | answers | verdicts | slot | slot | ...
 */
static int service_carve(struct cth_service *s, void *memory, size_t size)
{
	const size_t fixed = CTH_SOCK_BUF + CTH_QUEUE_OUT + CTH_SERVICE_SLOTS * SERVICE_SLOT;
	const size_t align = _Alignof(struct cth_flight);
	size_t pad = (align - (uintptr_t)memory % align) % align;
	uint8_t *p = memory;

	if (!p || size < pad + fixed)
		return -ENOMEM;
	s->flights_n = (size - pad - fixed) / sizeof(*s->flights);
	s->waiting = service_waiting(s->config.served, s->config.n, NULL);
	if (s->flights_n < s->waiting)
		return -ENOMEM;
	p += pad;
	s->flights = (void *)p;
	p += s->flights_n * sizeof(*s->flights);
	s->control_buf = p;
	s->out = p + CTH_SOCK_BUF;
	cth_slots(s->ring, CTH_SERVICE_SLOTS, s->out + CTH_QUEUE_OUT, SERVICE_SLOT);
	return 0;
}

static void service_clean(struct cth_service *s)
{
	s->helpers_n = s->queues_n = 0;
	s->leaving = s->stay = false;
}

static int service_prepare(struct cth_service *s, const struct cth_service_config *cfg,
			   void *memory, size_t size)
{
	int r;

	s->config = *cfg;
	service_clean(s);
	r = service_list(s);
	return r < 0 ? r : service_carve(s, memory, size);
}

/* Helpers. */

/* What is too long keeps no NUL, and is refused for that. */
static void service_copy_name(char to[CTH_HELPER_NAME], const char *from)
{
	size_t n = strlen(from);

	memcpy(to, from, n < CTH_HELPER_NAME ? n : CTH_HELPER_NAME);
}

void cth_served_helper(const struct cth_served *served, uint16_t l3, uint8_t l4,
		       struct cth_helper *h)
{
	const struct cth_terms *terms = &served->terms;

	memset(h, 0, sizeof(*h));
	service_copy_name(h->name, cth_served_name(served));
	h->l3 = l3;
	h->l4 = l4;
	h->queue = terms->queue;
	h->priv_len = served->proto->state_len;
	for (; h->classes < CTH_CLASSES && served->proto->classes[h->classes].name; h->classes++) {
		const struct cth_class *from = &served->proto->classes[h->classes];
		struct cth_helper_class *to = &h->policy[h->classes];

		service_copy_name(to->name, from->name);
		to->max = terms->classes[h->classes].max;
		to->timeout = terms->classes[h->classes].timeout;
		if (to->max == 0)
			to->max = from->max;
		if (to->timeout == 0)
			to->timeout = from->timeout;
	}
}

static void service_wanted(const struct cth_service_helper *h, struct cth_helper *want)
{
	cth_served_helper(h->served, h->l3, h->l4, want);
}

/* Neither done nor refused, as far as we know. */
static bool service_in_doubt(int r, const struct cth_nack *nack)
{
	return r < 0 && nack->error == 0 && r != -EINVAL && r != -ENOENT && r != -EMSGSIZE &&
	       r != -EPROTONOSUPPORT;
}

/* What cannot be changed about a helper is the same? */
static bool service_is_alike(const struct cth_helper *a, const struct cth_helper *b)
{
	if (a->classes != b->classes || a->priv_len != b->priv_len)
		return false;
	for (size_t i = 0; i < a->classes; i++)
		if (strcmp(a->policy[i].name, b->policy[i].name) != 0)
			return false;
	return true;
}

/* Nothing is changed yet: whether nobody listens on our queue only binding it will tell. */
static int service_take_over(struct cth_service *s, struct cth_service_helper *h,
			     struct cth_service_fault *f)
{
	bool alike = service_is_alike(&h->was, &f->helper);

	f->step = CTH_STEP_TAKE_OVER;
	f->helper = h->was;
	if (!alike)
		return -EEXIST;
	if (h->was.enabled && (uint16_t)h->was.queue != h->served->terms.queue &&
	    !s->config.resume) /* a predecessor may have died between two queues */
		return -EBUSY;
	h->taken = true;
	h->made = s->config.resume && !h->served->terms.keep; /* the predecessor's, and so ours */
	return 0;
}

/* Looking comes first: only so is one whose making is in doubt known to be ours. */
static int service_register(struct cth_service *s, struct cth_service_helper *h,
			    struct cth_service_fault *f)
{
	int r;

	if (h->shared)
		return 0;
	f->step = CTH_STEP_REGISTER;
	service_wanted(h, &f->helper);
	r = cth_helper_get(&s->control, f->helper.name, h->l3, h->l4, &h->was, &f->nack);
	if (r == -ENOENT) {
		r = cth_helper_add(&s->control, &f->helper, &f->nack);
		h->made = r == 0 || service_in_doubt(r, &f->nack);
		if (r != -EEXIST)
			return r;
		r = cth_helper_get(&s->control, f->helper.name, h->l3, h->l4, &h->was, &f->nack);
	}
	return r < 0 ? r : service_take_over(s, h, f);
}

static int service_enable(struct cth_service *s, struct cth_service_helper *h,
			  struct cth_service_fault *f)
{
	int r;

	if (h->shared)
		return 0;
	f->step = CTH_STEP_ENABLE;
	service_wanted(h, &f->helper);
	f->helper.enabled = true;
	f->helper.have = CTH_HELPER_STATUS;
	if (h->taken || h->changed)
		f->helper.have |= CTH_HELPER_QUEUE | CTH_HELPER_POLICY;
	r = cth_helper_update(&s->control, &f->helper, &f->nack);
	if (r == 0 || service_in_doubt(r, &f->nack))
		h->enabled = h->changed = true;
	return r;
}

static int service_disable(struct cth_service *s, const struct cth_service_helper *h)
{
	struct cth_helper change;
	int r;

	service_wanted(h, &change);
	change.have = CTH_HELPER_STATUS;
	r = cth_helper_update(&s->control, &change, NULL);
	if (r < 0 && r != -ENOENT && r != -EPERM)
		r = cth_helper_update(&s->control, &change, NULL);
	return r;
}

/* Gives one that was taken over its own queue, maxima and timeouts back. */
static int service_restore(struct cth_service *s, const struct cth_service_helper *h)
{
	struct cth_helper was = h->was;

	was.queue = (uint16_t)was.queue; /* more was listed perhaps, but never counted */
	was.have = CTH_HELPER_QUEUE | CTH_HELPER_POLICY;
	return cth_helper_update(&s->control, &was, NULL);
}

/*
 * The kernel lets go of a rule's helper a moment after the rule itself is gone. That moment is
 * waited for on a socket that nothing comes from.
 */
static int service_delete(struct cth_service *s, const struct cth_service_helper *h,
			  unsigned *patience)
{
	const char *name = service_name(h);
	int r = cth_helper_del(&s->control, name, h->l3, h->l4, NULL);

	while (r == -EBUSY && *patience > 0) {
		--*patience;
		cth_sock_receive(&s->control, s->ring, 1, SERVICE_FREE_MS);
		r = cth_helper_del(&s->control, name, h->l3, h->l4, NULL);
	}
	return r;
}

/* Queue and rules. */

static bool service_is_bound(const struct cth_service *s, uint16_t queue)
{
	for (size_t i = 0; i < s->queues_n; i++)
		if (s->queues[i] == queue)
			return true;
	return false;
}

static int service_bind(struct cth_service *s, size_t i, struct cth_service_fault *f)
{
	struct cth_served *served = &s->config.served[i];
	struct cth_queue_config config;
	int r;

	memset(f, 0, sizeof(*f));
	f->step = CTH_STEP_BIND;
	f->served = served;
	service_queue(s->config.served, s->config.n, i, &config);
	r = cth_queue_bind(&s->queue, served->terms.queue, &config, &f->nack);
	if (r < 0 || service_is_bound(s, served->terms.queue))
		return r;
	s->queues[s->queues_n++] = served->terms.queue;
	return 0;
}

static int service_bind_all(struct cth_service *s, struct cth_service_fault *f)
{
	int r = 0;

	for (size_t i = 0; i < s->config.n && r == 0; i++)
		if (service_is_first(s->config.served, i))
			r = service_bind(s, i, f);
	return r;
}

/*
 * What a dead predecessor had read and not decided is dropped, for what it had done by half nobody
 * knows; what it had not read is served: some of it here, the rest before the answer to bind,
 * which is behind it.
 *
 * Such a packet may show its flow's state from before the last verdict, and the table of states on
 * their way has died with the predecessor. A protocol reads that as packets that went by
 * unseen, and so it was, as far as it can know: FTP, whose state says which byte comes next in
 * either direction, finds a gap, does not read the segment, tells of it if it looks like an
 * announcement, and goes on from its end. As the older state is then the flow's, the other
 * side's next line may be behind a gap too. Never is a byte taken for another: numbers in an
 * older state are only smaller. What is sent again from before it may be read anew, and its
 * port be chosen anew; an AUTH may be forgotten, and what is encrypted goes on being queued.
 * All that is no worse than a segment that was lost on the way here, and takes a flow with
 * several packets queued at once.
 */
static int service_inherit(struct cth_service *s, struct cth_service_fault *f)
{
	const struct cth_served *served = s->config.served;
	int r = 0;

	memset(f, 0, sizeof(*f));
	f->step = CTH_STEP_BIND;
	f->served = served;
	for (size_t i = 0; i < s->config.n && r == 0; i++)
		if (service_is_first(served, i))
			r = cth_queue_take_over(&s->queue, served[i].terms.queue,
						CTH_QUEUE_CONNTRACK);
	if (r == 0)
		r = cth_engine_run(&s->engine, 0, 0);
	return r < 0 ? r : 0;
}

static int service_listen(struct cth_service *s, struct cth_service_fault *f)
{
	int r = 0;

	if (s->config.rcvbuf > 0)
		(void)cth_sock_rcvbuf(&s->sock, s->config.rcvbuf);
	if (s->config.resume && !s->config.left_well)
		r = service_inherit(s, f);
	return r < 0 ? r : service_bind_all(s, f);
}

/* Left by one that was killed: from now on it is us whom its packets come to. */
static int service_answer_for(struct cth_service *s, struct cth_service_fault *f)
{
	(void)f;
	for (size_t i = 0; i < s->helpers_n; i++)
		s->helpers[i].enabled = s->helpers[i].taken && s->helpers[i].was.enabled;
	return 0;
}

/* No slot is in use while nobody receives packets: the first one takes the batch. */
static void service_batch(struct cth_service *s, struct cth_msg *m)
{
	cth_msg_init(m, s->ring[0].buf, s->ring[0].cap);
}

static int service_attach(struct cth_service *s, struct cth_service_helper *h,
			  struct cth_service_fault *f)
{
	const struct cth_terms *terms = &h->served->terms;
	const struct cth_ports usual = { h->served->proto->port, h->served->proto->port };
	const struct cth_attach a = {
		.helper = service_name(h), .l4 = h->l4,
		.ipv4 = h->l3 == AF_INET, .ipv6 = h->l3 == AF_INET6,
		.ports = terms->ports_n ? terms->ports : &usual,
		.n = terms->ports_n ? terms->ports_n : 1,
	};
	struct cth_msg m;
	int r;

	if (!terms->attach)
		return 0;
	f->step = CTH_STEP_ATTACH;
	service_wanted(h, &f->helper);
	service_batch(s, &m);
	r = cth_attach(&s->control, &m, &a, &f->nack);
	if (r == 0 || service_in_doubt(r, &f->nack))
		h->attached = true; /* else what was there before still is */
	/* What IPv4 has just got, IPv6 can only lack because nf_tables has no such family. */
	if ((r == -EOPNOTSUPP || r == -EAFNOSUPPORT) && a.ipv6 && cth_served_over(h->served, AF_INET))
		return 0;
	return r;
}

/* On the way in. */

typedef int service_step(struct cth_service *s, struct cth_service_helper *h,
			 struct cth_service_fault *f);

static int service_each(struct cth_service *s, service_step *step, struct cth_service_fault *f)
{
	int r = 0;

	for (size_t i = 0; i < s->helpers_n && r == 0; i++) {
		memset(f, 0, sizeof(*f));
		f->served = s->helpers[i].served;
		r = step(s, &s->helpers[i], f);
	}
	return r;
}

/* Answers to a predecessor's questions. */
static void service_forget_answers(struct cth_service *s)
{
	while (cth_sock_receive(&s->control, s->ring, 1, 0) > 0)
		;
}

static int service_register_all(struct cth_service *s, struct cth_service_fault *f)
{
	if (s->config.resume)
		service_forget_answers(s);
	return service_each(s, service_register, f);
}

static int service_enable_all(struct cth_service *s, struct cth_service_fault *f)
{
	return service_each(s, service_enable, f);
}

static int service_attach_all(struct cth_service *s, struct cth_service_fault *f)
{
	return service_each(s, service_attach, f);
}

/* All services. */

typedef int service_stage(struct cth_service *s, struct cth_service_fault *f);

/* Every stage for all of them before the next one begins; NULL ends the stages. */
static int services_go(const struct cth_service_part *parts, size_t n, service_stage *const *stage,
		       struct cth_service_fault *f)
{
	int r = 0;

	for (; *stage && r == 0; stage++) {
		for (size_t i = 0; i < n && r == 0; i++) {
			r = (*stage)(parts[i].service, f);
			f->service = parts[i].service;
		}
	}
	return r;
}

/* The same registration, in a service before the n-th. */
static const struct cth_service_helper *
services_find(const struct cth_service_part *parts, size_t n, const struct cth_service_helper *like)
{
	for (size_t i = 0; i < n; i++) {
		const struct cth_service *s = parts[i].service;

		for (size_t k = 0; k < s->helpers_n; k++)
			if (s->helpers[k].l3 == like->l3 && s->helpers[k].l4 == like->l4 &&
			    strcmp(service_name(&s->helpers[k]), service_name(like)) == 0)
				return &s->helpers[k];
	}
	return NULL;
}

static bool service_wants_the_same(const struct cth_service_helper *a,
				   const struct cth_service_helper *b)
{
	struct cth_helper one, other;

	service_wanted(a, &one);
	service_wanted(b, &other);
	return memcmp(&one, &other, sizeof(one)) == 0;
}

/* What several have is the first one's to register; and cannot be on two terms. */
static int services_share(const struct cth_service_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct cth_service *s = parts[i].service;

		for (size_t k = 0; k < s->helpers_n; k++) {
			const struct cth_service_helper *first =
				services_find(parts, i, &s->helpers[k]);

			s->helpers[k].shared = first != NULL;
			if (first && !service_wants_the_same(first, &s->helpers[k]))
				return -EINVAL;
		}
	}
	return 0;
}

/* What the caller has set in it outlives a start. */
static void service_init_engine(struct cth_service *s)
{
	struct cth_engine *e = &s->engine;
	cth_event_fn *fn = e->fn;
	cth_decide_fn *decide = e->decide;
	void *ctx = e->ctx, *decide_ctx = e->decide_ctx;
	bool cold = e->cold;

	cth_engine_init(e, &s->queue, &s->control, s->config.served, s->config.n, s->flights,
			s->flights_n, s->config.seed);
	e->fn = fn;
	e->ctx = ctx;
	e->decide = decide;
	e->decide_ctx = decide_ctx;
	e->cold = cold;
}

static int services_prepare(const struct cth_service_part *parts, size_t n,
			    struct cth_service_fault *f)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		struct cth_service *s = parts[i].service;

		r = service_prepare(s, parts[i].config, parts[i].memory, parts[i].size);
		f->service = s;
		if (r < 0)
			continue;
		/* The slots are as large as it wants them. */
		(void)cth_queue_init(&s->queue, &s->sock, s->ring, CTH_SERVICE_SLOTS, s->out,
				     CTH_QUEUE_OUT, cth_engine_packet, &s->engine);
		service_init_engine(s);
	}
	return r < 0 ? r : services_share(parts, n);
}

static bool services_are_open(const struct cth_service_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].service->opened)
			return true;
	return false;
}

/* With a fault that is there: one on the stack is enough. */
static int services_open_told(const struct cth_service_part *parts, size_t n,
			      struct cth_service_fault *fault)
{
	static service_stage *const way_in[] = {
		service_register_all, service_listen, service_answer_for, service_enable_all,
		service_attach_all, NULL
	};
	int r;

	memset(fault, 0, sizeof(*fault));
	if (services_are_open(parts, n))
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		service_clean(parts[i].service);
		parts[i].service->opened = true;
	}
	r = services_prepare(parts, n, fault);
	if (r == 0)
		r = services_go(parts, n, way_in, fault);
	for (size_t i = 0; i < n; i++) {
		/* Its answers come at once, or were lost; and packets wait meanwhile. */
		if (r == 0)
			parts[i].service->control.timeout_ms = SERVICE_ANSWER_MS;
		else
			parts[i].service->stay = parts[i].config->resume; /* another one will try */
	}
	if (r < 0)
		cth_services_close(parts, n);
	return r;
}

int cth_services_open_on(const struct cth_service_part *parts, size_t n,
			 struct cth_service_fault *fault)
{
	struct cth_service_fault own;

	return services_open_told(parts, n, fault ? fault : &own);
}

int cth_service_open_on(struct cth_service *s, const struct cth_service_config *cfg, void *memory,
			size_t size, struct cth_service_fault *fault)
{
	const struct cth_service_part alone = { s, cfg, memory, size, NULL };

	return cth_services_open_on(&alone, 1, fault);
}

int cth_service_open(struct cth_service *s, const struct cth_service_config *cfg, void *memory,
		     size_t size, struct cth_service_fault *fault)
{
	const struct cth_service_part alone = { s, cfg, memory, size, NULL };
	struct cth_service_fault own;
	int r;

	if (!fault)
		fault = &own;
	memset(fault, 0, sizeof(*fault));
	if (s->opened)
		return -EINVAL;
	r = service_prepare(s, cfg, memory, size);
	if (r < 0)
		return r;
	fault->step = CTH_STEP_SOCKET;
	r = cth_sock_open(&s->sock, s->ring[0].buf, s->ring[0].cap);
	if (r < 0)
		return r;
	r = cth_sock_open(&s->control, s->control_buf, CTH_SOCK_BUF);
	if (r < 0) {
		cth_sock_close(&s->sock);
		return r;
	}
	return services_open_told(&alone, 1, fault);
}

int cth_service_run(struct cth_service *s, int timeout_ms)
{
	return s->opened ? cth_engine_run(&s->engine, 0, timeout_ms) : -EINVAL;
}

/* On the way out. */

/* Keeps the first error. What is gone already is as good as removed. */
static bool service_undone(int r, int *first)
{
	if (r < 0 && r != -ENOENT && *first == 0)
		*first = r;
	return r == 0 || r == -ENOENT;
}

/* How far it is. */
struct service_undoing {
	bool all;          /* it is the end; else what no terms speak of goes */
	bool cleared;      /* rules have gone, of tables that are to follow */
	unsigned patience; /* tries to delete what is busy */
	int first;         /* error; 0: none yet */
};

typedef void service_undo(struct cth_service *s, struct service_undoing *u);

static void services_undo(const struct cth_service_part *parts, size_t n, service_undo *undo,
			  struct service_undoing *u)
{
	for (size_t i = n; i-- > 0;)
		if (parts[i].service->opened)
			undo(parts[i].service, u);
}

static void service_disable_all(struct cth_service *s, struct service_undoing *u)
{
	for (size_t i = s->helpers_n; i-- > 0;) {
		struct cth_service_helper *h = &s->helpers[i];

		if (h->enabled && service_undone(service_disable(s, h), &u->first))
			h->enabled = false;
	}
	s->leaving = true;
}

/* Until its socket is empty; no more than can have waited, should another rule feed the queue. */
static void service_serve_waiting(struct cth_service *s, struct service_undoing *u)
{
	int r = s->queues_n ? cth_engine_run(&s->engine, s->waiting, 0) : 0;

	service_undone(r < 0 ? r : 0, &u->first);
}

/* Any of them that listens. */
static struct cth_service *services_listener(const struct cth_service_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].service->opened && parts[i].service->queues_n)
			return parts[i].service;
	return NULL;
}

/*
 * Serves what still waits; and once more after a moment, for a packet that another CPU was about to
 * queue. The moment is one for all, and spent on a socket that nothing comes from.
 */
static void services_drain(const struct cth_service_part *parts, size_t n,
			   struct service_undoing *u)
{
	struct cth_service *s = services_listener(parts, n);

	if (!s)
		return;
	services_undo(parts, n, service_serve_waiting, u);
	cth_sock_receive(&s->control, s->ring, 1, SERVICE_QUIET_MS);
	services_undo(parts, n, service_serve_waiting, u);
}

/* Whose rules are ours, and are to go: all, or those whose terms are without any. */
static bool service_is_to_detach(const struct cth_service *s, const struct cth_service_helper *h,
				 bool all)
{
	return h->attached && (all ? !s->stay : !h->served->terms.attach);
}

static void service_clear(struct cth_service *s, struct service_undoing *u)
{
	struct cth_msg m;

	service_batch(s, &m);
	for (size_t i = s->helpers_n; i-- > 0;) {
		struct cth_service_helper *h = &s->helpers[i];

		if (!service_is_to_detach(s, h, u->all))
			continue;
		u->cleared = true;
		service_undone(cth_attach_clear(&s->control, &m, service_name(h), h->l3 == AF_INET6,
						NULL), &u->first);
	}
}

static void service_detach(struct cth_service *s, struct service_undoing *u)
{
	struct cth_msg m;

	service_batch(s, &m);
	for (size_t i = s->helpers_n; i-- > 0;) {
		struct cth_service_helper *h = &s->helpers[i];

		/* One table has the rules of every l4: of the others it is gone already. */
		if (service_is_to_detach(s, h, u->all) &&
		    service_undone(cth_detach(&s->control, &m, service_name(h), h->l3 == AF_INET6,
					      NULL), &u->first))
			h->attached = false;
	}
}

/* All queues, or those that no terms name. */
static void service_unbind(struct cth_service *s, struct service_undoing *u)
{
	for (size_t i = s->queues_n; i-- > 0;) {
		if (u->all ? s->stay : service_names(s->config.served, s->config.n, s->queues[i]))
			continue;
		if (service_undone(cth_queue_unbind(&s->queue, s->queues[i], NULL), &u->first))
			s->queues[i] = s->queues[--s->queues_n];
	}
}

/* That unbinds even if the kernel would not hear of it. */
static void service_close_queue(struct cth_service *s, struct service_undoing *u)
{
	(void)u;
	cth_sock_close(&s->sock);
}

static void service_leave_registry(struct cth_service *s, struct service_undoing *u)
{
	for (size_t i = s->helpers_n; i-- > 0 && !s->stay;) {
		struct cth_service_helper *h = &s->helpers[i];

		if (!h->made && h->changed && !h->enabled)
			service_undone(service_restore(s, h), &u->first);
		if (h->made && service_undone(service_delete(s, h, &u->patience), &u->first))
			h->made = false;
	}
}

static void service_end(struct cth_service *s, struct service_undoing *u)
{
	(void)u;
	cth_sock_close(&s->control);
	s->opened = false;
}

int cth_services_close(const struct cth_service_part *parts, size_t n)
{
	struct service_undoing u = { .all = true, .patience = SERVICE_FREES };

	services_undo(parts, n, service_disable_all, &u);
	services_drain(parts, n, &u);
	services_undo(parts, n, service_clear, &u);
	if (u.cleared)
		services_drain(parts, n, &u);
	services_undo(parts, n, service_detach, &u);
	services_undo(parts, n, service_unbind, &u);
	services_undo(parts, n, service_close_queue, &u);
	services_undo(parts, n, service_leave_registry, &u);
	services_undo(parts, n, service_end, &u);
	return u.first;
}

int cth_service_close(struct cth_service *s)
{
	const struct cth_service_part alone = { .service = s };

	return cth_services_close(&alone, 1);
}

/* Other terms. */

static bool service_is_same(const struct cth_service *s, const struct cth_served *served)
{
	for (size_t i = 0; i < s->config.n; i++) {
		const struct cth_served *old = &s->config.served[i], *now = &served[i];

		if (now->proto != old->proto || !service_has_ports(now) ||
		    strcmp(cth_served_name(now), cth_served_name(old)) != 0 ||
		    now->terms.no_ipv4 != old->terms.no_ipv4 ||
		    now->terms.no_ipv6 != old->terms.no_ipv6)
			return false;
	}
	return true;
}

static void service_take_terms(struct cth_service *s, struct cth_served *served)
{
	for (size_t i = 0; i < s->helpers_n; i++)
		s->helpers[i].served = &served[s->helpers[i].served - s->config.served];
	s->config.served = served;
}

/* Old and new queues together. */
static size_t service_waiting_meanwhile(const struct cth_service *s,
					const struct cth_served *served)
{
	return service_waiting(served, s->config.n, NULL) +
	       service_waiting(s->config.served, s->config.n, served);
}

static int services_may_change(const struct cth_service_part *parts, size_t n,
			       struct cth_service_fault *f)
{
	for (size_t i = 0; i < n; i++) {
		const struct cth_service *s = parts[i].service;

		f->service = s;
		if (!s->opened || !service_is_same(s, parts[i].served))
			return -EINVAL;
		if (service_waiting_meanwhile(s, parts[i].served) > s->flights_n)
			return -ENOMEM;
	}
	return 0;
}

static int services_take_terms(const struct cth_service_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct cth_service *s = parts[i].service;

		s->waiting = service_waiting_meanwhile(s, parts[i].served);
		s->before = s->config.served;
		service_take_terms(s, parts[i].served);
	}
	return services_share(parts, n);
}

/* The kernel's side of the terms: what is bound, and what is ruled, afterwards may be more. */
static int services_agree(const struct cth_service_part *parts, size_t n,
			  struct cth_service_fault *f)
{
	static service_stage *const stages[] = {
		service_bind_all, service_enable_all, service_attach_all, NULL
	};

	return services_go(parts, n, stages, f);
}

/*
 * Takes away what no terms speak of; packets that wait there are served. What cannot be taken
 * away now does no harm, and is tried again at the end.
 */
static void services_forget(const struct cth_service_part *parts, size_t n)
{
	struct service_undoing u = { .all = false };

	services_undo(parts, n, service_clear, &u);
	services_drain(parts, n, &u);
	services_undo(parts, n, service_detach, &u);
	services_undo(parts, n, service_unbind, &u);
	for (size_t i = 0; i < n; i++)
		parts[i].service->waiting =
			service_waiting(parts[i].service->config.served,
					parts[i].service->config.n, NULL);
}

/* The old terms again. A queue that nobody names any more may be what a helper is still told. */
static void services_take_back(const struct cth_service_part *parts, size_t n,
			       struct cth_service_fault *f, struct cth_service_fault *second)
{
	for (size_t i = 0; i < n; i++)
		service_take_terms(parts[i].service, parts[i].service->before);
	f->torn = services_agree(parts, n, second) < 0;
	if (!f->torn)
		services_forget(parts, n);
}

int cth_services_change(const struct cth_service_part *parts, size_t n,
			struct cth_service_fault *fault)
{
	struct cth_service_fault own;
	int r;

	if (!fault)
		fault = &own;
	memset(fault, 0, sizeof(*fault));
	r = services_may_change(parts, n, fault);
	if (r < 0)
		return r;
	r = services_take_terms(parts, n);
	if (r == 0)
		r = services_agree(parts, n, fault);
	if (r < 0) {
		services_take_back(parts, n, fault, &own); /* what is in own, nobody will see */
		return r;
	}
	for (size_t i = 0; i < n; i++)
		parts[i].service->engine.served = parts[i].served;
	services_forget(parts, n);
	return 0;
}

int cth_service_change(struct cth_service *s, struct cth_served *served,
		       struct cth_service_fault *fault)
{
	const struct cth_service_part alone = { .service = s, .served = served };

	return cth_services_change(&alone, 1, fault);
}
