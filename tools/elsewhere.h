/* SPDX-License-Identifier: MIT */
/*
 * elsewhere.h - other network namespaces. The registry of helpers is one for all of them, while
 * rules and queues are each one's own: a helper that is enabled for this one is enabled in all,
 * and where a rule attaches it and nobody listens, new connections hang.
 */
#ifndef TOOLS_ELSEWHERE_H
#define TOOLS_ELSEWHERE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELSEWHERE_MOST 64   /* namespaces that are looked at */
#define ELSEWHERE_MS   1000 /* that it takes at most */

/* What is looked for: rules that attach it, and who listens on its queue. */
struct elsewhere_helper {
	char name[16];
	uint16_t queue;
	bool listener;   /* where somebody listens, though its rules may come later; else rules alone */
};

/*
 * A namespace with a rule for a helper and no listener, or with a listener; each helper is told
 * once for each.
 */
struct elsewhere_place {
	struct elsewhere_helper helper;
	char name[128];  /* of `ip netns list`; "": it has none, but ... */
	long pid;        /* ... this process is in it, ... */
	char command[32];
	char rule[256];  /* the first rule's place; "": there is none yet */
};

struct elsewhere {
	size_t n;        /* of places, below: what stands behind them was never written to */
	size_t looked;   /* namespaces that were looked at, ours not counted */
	bool whole;      /* there are no more that may be looked at */
	bool barred;     /* some are not to be seen: the right to see where processes are is missing */
	size_t shut;     /* that were seen, while the right to go there is missing; and the first */
	struct elsewhere_place first_shut;
	struct elsewhere_place places[ELSEWHERE_MOST];
};

/*
 * Looks at the namespaces that have a name and at those that processes are in, each once; not
 * at the served ones, where somebody listens, or will: they are as enter_netns() takes them,
 * and NULL is the one that this process is in. Without the right to enter one it is counted.
 * This process stays where it is: a child goes there, and is ended when time is up.
 */
void elsewhere_look(const struct elsewhere_helper *helpers, size_t n, const char *const *served,
		    size_t served_n, struct elsewhere *found);

/* "network namespace blue", "network namespace of pid 812 (dnsmasq)"; and what --netns takes. */
const char *elsewhere_text(const struct elsewhere_place *p);
const char *elsewhere_netns(const struct elsewhere_place *p);

/*
 * For a program that is about to enable these helpers: looks, and warns of each place, and of
 * those that are there and cannot be looked at. That none can be seen, as it is for a service
 * with no more rights than it needs, is not worth a warning at each start: it is a line of -v.
 */
void elsewhere_warn(const struct elsewhere_helper *helpers, size_t n, const char *const *served,
		    size_t served_n, bool verbose);

#endif
