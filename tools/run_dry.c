/* SPDX-License-Identifier: MIT */
/*
 * run_dry.c - `cth run --dry-run`: what would be sent until it serves, in that order:
 *
 *     register (disabled) > bind > enable > rules
 *
 * The service itself would look, before it goes on, for what it has just made.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "../netlink/uapi.h"
#include "attach.h"
#include "helper.h"
#include "run.h"

/* Shows what has been put into m; kernel.c answers in the kernel's place. */
static int rehearse(struct run *r, struct cth_msg *m, int put)
{
	struct cth_nack nack = { 0 };

	if (put == 0)
		put = cth_sock_request(&r->places[0].service.control, cth_msg_bytes(m), NULL, NULL, &nack);
	return put == 0 ? CTH_EXIT_OK : fail_nack(put, &nack, "show what would be sent", NULL, NULL);
}

static int rehearse_helper(struct run *r, const struct cth_served *s, uint16_t l3, uint8_t l4,
			   bool enable)
{
	uint32_t seq = cth_sock_seq(&r->places[0].service.control);
	struct cth_helper h;
	struct cth_msg m;
	uint8_t buf[1024];
	int put;

	cth_served_helper(s, l3, l4, &h);
	h.have = CTH_HELPER_QUEUE | CTH_HELPER_PRIV_LEN | CTH_HELPER_STATUS | CTH_HELPER_POLICY;
	cth_msg_init(&m, buf, sizeof(buf));
	h.enabled = enable;
	if (enable)
		h.have = CTH_HELPER_STATUS;
	put = cth_helper_put_new(&m, (uint16_t)(NLM_F_REQUEST | NLM_F_ACK |
						(enable ? 0 : NLM_F_CREATE | NLM_F_EXCL)), seq, &h);
	return rehearse(r, &m, put);
}

/* Is it one that another before the n-th has registered, for another network namespace? */
static bool is_shared(const struct run *r, size_t n, uint16_t l3)
{
	for (size_t i = 0; i < n; i++) {
		const struct cth_served *s = &r->served[i];

		if (strcmp(cth_served_name(s), cth_served_name(&r->served[n])) == 0 &&
		    cth_served_over(s, l3))
			return true;
	}
	return false;
}

static int rehearse_helpers(struct run *r, bool enable)
{
	int status = CTH_EXIT_OK;

	for (size_t i = 0; i < r->n; i++) {
		const struct cth_served *s = &r->served[i];
		bool ipv4 = cth_served_over(s, AF_INET) && !is_shared(r, i, AF_INET);
		bool ipv6 = cth_served_over(s, AF_INET6) && !is_shared(r, i, AF_INET6);

		for (const uint8_t *l4 = s->proto->l4; *l4; l4++) {
			if (!status && ipv4)
				status = rehearse_helper(r, s, AF_INET, *l4, enable);
			if (!status && ipv6)
				status = rehearse_helper(r, s, AF_INET6, *l4, enable);
		}
	}
	return status;
}

static int rehearse_queue(struct run *r, const struct cth_served *s)
{
	const struct cth_queue_config config = { .maxlen = s->terms.maxlen };
	uint32_t full = s->terms.full_closed ? 0 : CTH_QUEUE_FAIL_OPEN;
	struct cth_msg m;
	uint8_t buf[128];

	cth_msg_init(&m, buf, sizeof(buf));
	return rehearse(r, &m, cth_queue_put_config(&m, cth_sock_seq(&r->places[0].service.control),
						    s->terms.queue, true, &config,
						    full | CTH_QUEUE_CONNTRACK));
}

static int rehearse_rules(struct run *r, const struct cth_served *s, uint8_t l4)
{
	const struct cth_ports own = { s->proto->port, s->proto->port };
	const struct cth_attach a = {
		.helper = cth_served_name(s), .l4 = l4,
		.ipv4 = cth_served_over(s, AF_INET), .ipv6 = cth_served_over(s, AF_INET6),
		.ports = s->terms.ports_n ? s->terms.ports : &own,
		.n = s->terms.ports_n ? s->terms.ports_n : 1,
	};
	size_t room = CTH_ATTACH_ROOM(a.n);
	uint8_t *buf = malloc(room);
	struct cth_msg m;
	int status;

	if (!buf)
		return fail(ENOMEM, "show the rules", NULL, NULL);
	cth_msg_init(&m, buf, room);
	status = rehearse(r, &m, cth_attach_put(&m, cth_sock_seq(&r->places[0].service.control), &a));
	free(buf);
	return status;
}

/* Each of a place once, as its first helper wants it. */
static int rehearse_queues(struct run *r)
{
	int status = CTH_EXIT_OK, queue;

	for (size_t i = 0; i < r->places_n; i++) {
		const struct cth_served *s = r->places[i].config.served;

		for (size_t k = 0; !status && (queue = place_queue(&r->places[i], k)) >= 0; k++) {
			const struct cth_served *first = s;

			while (first->terms.queue != queue)
				first++;
			status = rehearse_queue(r, first);
		}
	}
	return status;
}

int rehearse_run(struct run *r)
{
	int status = rehearse_helpers(r, false);

	if (!status)
		status = rehearse_queues(r);
	if (!status)
		status = rehearse_helpers(r, true);
	for (size_t i = 0; i < r->n; i++)
		for (const uint8_t *l4 = r->served[i].proto->l4;
		     *l4 && !status && r->served[i].terms.attach; l4++)
			status = rehearse_rules(r, &r->served[i], *l4);
	return status;
}
