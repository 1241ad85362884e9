/* SPDX-License-Identifier: MIT */
/*
 * service_terms.c - what follows from the terms that helpers are served on, before the kernel hears
 * of anything.
 */
#include "steps.h"

bool cth_terms_have_ports(const struct cth_served *served)
{
	return !served->terms.attach || served->terms.ports_n || served->proto->port;
}

static uint32_t service_maxlen(const struct cth_served *served)
{
	return served->terms.maxlen ? served->terms.maxlen : CTH_SERVICE_MAXLEN;
}

static bool service_shares(const struct cth_served *a, const struct cth_served *b)
{
	return a->terms.queue == b->terms.queue;
}

bool cth_terms_are_first(const struct cth_served *served, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (service_shares(&served[k], &served[i]))
			return false;
	return true;
}

void cth_terms_queue(const struct cth_served *served, size_t n, size_t i,
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

bool cth_terms_name(const struct cth_served *served, size_t n, uint16_t queue)
{
	for (size_t i = 0; i < n; i++)
		if (served[i].terms.queue == queue)
			return true;
	return false;
}

size_t cth_terms_waiting(const struct cth_served *served, size_t n,
			 const struct cth_served *others)
{
	struct cth_queue_config config;
	size_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		if (!cth_terms_are_first(served, i) ||
		    (others && cth_terms_name(others, n, served[i].terms.queue)))
			continue;
		cth_terms_queue(served, n, i, &config);
		sum += config.maxlen;
	}
	return sum;
}

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
