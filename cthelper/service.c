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
 * or something failed halfway.
 */
#include <errno.h>
#include <sys/socket.h>
#include "steps.h"

#define SERVICE_SLOT (65536 + CTH_QUEUE_ROOM)

#define SERVICE_ANSWER_MS 500
#define SERVICE_FREES     10 /* tries to delete what is busy, for all helpers together */

/* Before anything is done. */

static bool service_has_name(const struct cth_service *s, const char *name)
{
	for (size_t i = 0; i < s->helpers_n; i++)
		if (strcmp(cth_registered_name(&s->helpers[i]), name) == 0)
			return true;
	return false;
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
		if (!cth_terms_have_ports(served))
			return -EINVAL;
		for (const uint8_t *l4 = served->proto->l4; *l4; l4++)
			if (service_list_one(s, served, *l4) < 0)
				return -EINVAL;
	}
	return s->helpers_n ? 0 : -EINVAL;
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
	s->waiting = cth_terms_waiting(s->config.served, s->config.n, NULL);
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
		s->queue.singly = true; /* a dialogue's packets mostly come alone */
		service_init_engine(s);
	}
	return r < 0 ? r : cth_steps_share(parts, n);
}

static bool services_are_open(const struct cth_service_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].service->opened)
			return true;
	return false;
}

/* On the way in. */

/* With a fault that is there: one on the stack is enough. */
static int services_open_told(const struct cth_service_part *parts, size_t n,
			      struct cth_service_fault *fault)
{
	static cth_step_fn *const way_in[] = {
		cth_step_register, cth_step_listen, cth_step_answer_for, cth_step_enable,
		cth_step_attach, NULL
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
		r = cth_steps_go(parts, n, way_in, fault);
	for (size_t i = 0; i < n; i++) {
		struct cth_service *s = parts[i].service;

		/* Its answers come at once, or were lost; and packets wait meanwhile. */
		if (r == 0 && (unsigned)s->control.timeout_ms > SERVICE_ANSWER_MS) /* or for ever */
			s->control.timeout_ms = SERVICE_ANSWER_MS;
		if (r < 0)
			s->stay = parts[i].config->resume; /* another one will try */
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

static void service_end(struct cth_service *s, struct cth_undoing *u)
{
	(void)u;
	cth_sock_close(&s->control);
	s->opened = false;
}

int cth_services_close(const struct cth_service_part *parts, size_t n)
{
	struct cth_undoing u = { .all = true, .patience = SERVICE_FREES };

	cth_steps_undo(parts, n, cth_undo_enable, &u);
	cth_steps_drain(parts, n, &u);
	cth_steps_undo(parts, n, cth_undo_rules, &u);
	if (u.cleared)
		cth_steps_drain(parts, n, &u);
	cth_steps_undo(parts, n, cth_undo_attach, &u);
	cth_steps_undo(parts, n, cth_undo_bind, &u);
	cth_steps_undo(parts, n, cth_undo_listen, &u);
	cth_steps_undo(parts, n, cth_undo_register, &u);
	cth_steps_undo(parts, n, service_end, &u);
	return u.first;
}

int cth_service_close(struct cth_service *s)
{
	const struct cth_service_part alone = { .service = s };

	return cth_services_close(&alone, 1);
}
