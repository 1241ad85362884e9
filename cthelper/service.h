/* SPDX-License-Identifier: MIT */
/*
 * service.h - a whole helper program: registers its protocols, listens, serves, and leaves
 * nothing behind, in the order that loses no packet.
 *
 *     register (disabled) > bind > enable > rules | disable > drain > rules > unbind > delete
 *
 * A helper enabled while nobody listens keeps new flows from being confirmed; and a queue that
 * is unbound, like a rule that is taken away, drops what waits. Hence the order.
 *
 *     static struct cth_service s;
 *     static uint8_t memory[CTH_SERVICE_MEMORY];
 *     struct cth_served served = { .proto = &cth_proto_ftp, .terms = { .attach = true } };
 *     struct cth_service_config cfg = { .served = &served, .n = 1 };
 *
 *     if (cth_service_open(&s, &cfg, memory, sizeof(memory), &fault) == 0)
 *         while (!stop && cth_service_run(&s, 1000) >= 0)
 *             ;
 *     cth_service_close(&s);
 *
 * The registry of helpers is one for all network namespaces, queue and rules are this one's.
 * Services in several of them go together: see cth_services_open_on().
 */
#ifndef CTH_SERVICE_H
#define CTH_SERVICE_H

#include "attach.h"
#include "engine.h"
#include "helper.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CTH_SERVICE_SLOTS   8   /* packets that are received at once */
#define CTH_SERVICE_MAXLEN  512 /* packets that wait in the kernel, if not told otherwise */
#define CTH_SERVICE_HELPERS 32  /* registrations: protocols x families x l4 */

/* Room for so many packets waiting, in all queues. What is not used is not touched. */
#define CTH_SERVICE_ROOM(packets) \
	(CTH_SERVICE_SLOTS * (65536 + CTH_QUEUE_ROOM) + CTH_QUEUE_OUT + CTH_SOCK_BUF + \
	 (packets) * sizeof(struct cth_flight) + 64)
#define CTH_SERVICE_MEMORY CTH_SERVICE_ROOM(CTH_SERVICE_MAXLEN)

struct cth_service_config {
	struct cth_served *served; /* must live as long as the service; names differ */
	size_t n;
	int rcvbuf;                /* of the queues' socket, bytes; 0: as the system has it */
	uint32_t seed;             /* for the choice of ports: anything that others cannot guess */
	/*
	 * The sockets come from a predecessor, queues bound; and what that one has registered is ours.
	 * What it has read and not decided is dropped, for what it has done by half nobody knows;
	 * unless it is known to have left between two packets. What it has not read is served, by
	 * open already.
	 */
	bool resume, left_well;
};

/* What failed, and for whom: with the -errno that is returned. */
enum cth_service_step {
	CTH_STEP_MEMORY,    /* -ENOMEM: too little; -EINVAL: the configuration contradicts itself */
	CTH_STEP_SOCKET,    /* as cth_sock_open() */
	CTH_STEP_REGISTER,  /* as cth_helper_add(); -EBUSY: the kernel's own helper has the name */
	CTH_STEP_TAKE_OVER, /* it is there. -EEXIST: its classes or its private length are not ours;
			       -EBUSY: it is enabled on another queue: somebody serves it */
	CTH_STEP_BIND,      /* as cth_queue_bind(): served is the first of its queue */
	CTH_STEP_ENABLE,    /* as cth_helper_update() */
	CTH_STEP_ATTACH,    /* as cth_attach() */
};

struct cth_service_fault {
	enum cth_service_step step;
	const struct cth_service *service;
	const struct cth_served *served; /* NULL: not of one, and nor is helper */
	struct cth_helper helper;        /* as wanted; TAKE_OVER: as it is */
	struct cth_nack nack;
	bool torn;                       /* after a change: nor could be had again what was before */
};

/* The helper as it is registered for one l3 and l4, for cth_helper_add(): disabled. */
void cth_served_helper(const struct cth_served *served, uint16_t l3, uint8_t l4,
		       struct cth_helper *h);

/* A registration: one helper of the kernel's. */
struct cth_service_helper {
	struct cth_served *served;
	uint16_t l3;
	uint8_t l4;
	bool made;     /* by us; else it was there */
	bool enabled;  /* and ours to disable */
	bool attached; /* l3's rules are ours */
	/* private */
	bool shared;   /* it is the registration of a service before this one: only the rules are ours */
	bool taken;    /* over, and perhaps changed since: was is how we found it */
	bool changed;
	struct cth_helper was;
};

struct cth_service {
	struct cth_engine engine; /* engine.fn and engine.ctx may be set at any time */
	struct cth_queue queue;
	struct cth_sock sock, control;
	struct cth_service_helper helpers[CTH_SERVICE_HELPERS];
	size_t helpers_n;
	bool leaving;    /* the last packets are being decided */
	bool stay;       /* may be set: at the end helpers, disabled, and rules stay for a successor, whose
			    flows and expectations they keep */
	/* private */
	struct cth_service_config config;
	struct cth_slot ring[CTH_SERVICE_SLOTS];
	uint8_t *out, *control_buf;
	struct cth_flight *flights;
	size_t flights_n, waiting; /* packets: that there is room for, that can wait */
	uint16_t queues[CTH_SERVICE_HELPERS]; /* that are bound */
	size_t queues_n;
	struct cth_served *before; /* a change */
	bool opened;
};

/*
 * All of it, or nothing: what was done before something failed is undone. *s is zero, or was
 * closed. A helper that is there already is taken over if it has our classes' names and our private
 * length, and is disabled, or enabled on our queue, where nobody listens if we can: it gets our
 * queue, maxima and timeouts, and is left, disabled and with its own, at the end. Where the
 * kernel has no nf_tables for IPv6, only IPv4 is attached. memory must live as long as the
 * service. fault, which may be NULL, tells what the -errno means.
 */
int cth_service_open(struct cth_service *s, const struct cth_service_config *cfg, void *memory,
		     size_t size, struct cth_service_fault *fault);

/* The same on s->sock and s->control, opened already (or seams): the service closes them. */
int cth_service_open_on(struct cth_service *s, const struct cth_service_config *cfg, void *memory,
			size_t size, struct cth_service_fault *fault);

/*
 * Goes on with other terms, and loses no packet: served has the same n names and protocols in the
 * same order, for the same families, and lives as long as the service. Helpers get their queue,
 * maxima and timeouts, rules are made and taken away, what waits in a queue that is left is
 * served; served takes over what was counted. After an error all is as it was, as far as the
 * kernel lets it: fault tells. If it does not, fault->torn, it is only to be closed. -EINVAL: not
 * the same helpers; -ENOMEM: old and new queues together hold more packets than there is memory
 * for. What cannot be taken away is no error: it goes when the service is closed.
 */
int cth_service_change(struct cth_service *s, struct cth_served *served,
		       struct cth_service_fault *fault);

/* cth_engine_run(): how many packets; 0: none in timeout_ms, or a signal came; -errno: it is
   over, and only to be closed. */
int cth_service_run(struct cth_service *s, int timeout_ms);

/*
 * Undoes it all, in order; the last packets are served. What fails on the way does not stop it:
 * the first -errno is returned, and s->helpers tells what is left: made, enabled, attached. -EBUSY:
 * other rules refer to a helper, which stays registered, disabled. Harmless when repeated, or
 * never opened.
 */
int cth_service_close(struct cth_service *s);

/*
 * Services of one program in several network namespaces: the same three, for all at once. A helper
 * that several of them name alike is one in the kernel, and of the same terms then: it is
 * registered once, enabled when all of them listen, and changed or disabled while they do; no
 * rule refers to it any more when it is deleted. Where something fails for one it is undone for
 * all, and fault->service is the one.
 */
struct cth_service_part {
	struct cth_service *service;
	const struct cth_service_config *config; /* to open, as memory and size */
	void *memory;
	size_t size;
	struct cth_served *served; /* to change */
};

/* cth_service_open_on(), cth_service_change() and cth_service_close() of all of them. */
int cth_services_open_on(const struct cth_service_part *parts, size_t n,
			 struct cth_service_fault *fault);
int cth_services_change(const struct cth_service_part *parts, size_t n,
			struct cth_service_fault *fault);
int cth_services_close(const struct cth_service_part *parts, size_t n);

#ifdef __cplusplus
}
#endif
#endif
