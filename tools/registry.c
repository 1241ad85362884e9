/* SPDX-License-Identifier: MIT */
/*
 * registry.c - helpers found, helpers named, and what the registry's refusals mean.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include "helper.h"
#include "proc.h"

void done(const char *format, ...)
{
	va_list args;

	if (common.dry_run || common.json)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

const char *selection_text(const struct selection *which)
{
	char l3[12] = "", l4[12] = "";
	const char *a = which->has_l3 ? l3_name(which->l3, l3) : "";
	const char *b = which->has_l4 ? l4_name(which->l4, l4) : "";

	if (!which->name)
		return "the helpers";
	if (!which->has_l3 && !which->has_l4)
		return which->name;
	return phrase("%s (%s%s%s)", which->name, a, which->has_l3 && which->has_l4 ? " " : "", b);
}

static struct selection key_of(const struct cth_helper *h)
{
	struct selection key = { h->name, true, true, h->l3, h->l4 };

	return key;
}

const char *helper_text(const struct cth_helper *h)
{
	struct selection key = key_of(h);

	return selection_text(&key);
}

const char *key_words(const struct cth_helper *h)
{
	char l3[12], l4[12];

	return phrase("%s %s %s", h->name, l3_name(h->l3, l3), l4_name(h->l4, l4));
}

const char *class_words(const struct cth_helper *h, char words[CLASS_WORDS])
{
	size_t used = 0;

	words[0] = 0;
	for (size_t i = 0; i < h->classes && used < CLASS_WORDS; i++)
		used += (size_t)snprintf(words + used, CLASS_WORDS - used,
					 "%s%s:%" PRIu32 ":%" PRIu32, i ? " " : "",
					 h->policy[i].name, h->policy[i].max, h->policy[i].timeout);
	return words;
}

int helper_refused(int err, const struct cth_nack *nack, const char *tried)
{
	switch (-err) {
	case EPERM:
		return fail_nack(err, nack, tried, permission_cause(true), permission_remedy(true));
	case EPROTONOSUPPORT:
		return fail_nack(err, nack, tried,
				 "this kernel has no user-space helpers: nfnetlink_cthelper "
				 "(CONFIG_NF_CT_NETLINK_HELPER) is neither built in nor loaded",
				 "modprobe nfnetlink_cthelper; if there is no such module: Debian: "
				 "install a linux-image-* package, OpenWrt: kmod-nfnetlink-cthelper");
	case ENOENT:
		return fail_nack(err, nack, tried, "no such helper is registered",
				 "`cth helper list` shows those that are, `cth helper add` "
				 "registers one");
	case ETIMEDOUT:
		return fail_nack(err, nack, tried, "the kernel did not answer; whether it was done "
				 "is not known", "`cth helper list` shows what is there");
	}
	return fail_nack(err, nack, tried, NULL, NULL);
}

static bool matches(const struct cth_helper *h, const struct selection *which)
{
	return (!which->name || strcmp(h->name, which->name) == 0) &&
	       (!which->has_l3 || h->l3 == which->l3) && (!which->has_l4 || h->l4 == which->l4);
}

int all_helpers(struct cth_sock *s, struct cth_helper **list, struct cth_nack *nack)
{
	size_t room = 32;
	int r;

	/* There may be more a moment later. */
	for (;;) {
		*list = calloc(room, sizeof(**list));
		if (!*list)
			return -ENOMEM;
		r = cth_helper_list(s, *list, room, nack);
		if (r >= 0 && (size_t)r <= room)
			return r;
		free(*list);
		*list = NULL;
		if (r < 0)
			return r;
		room = (size_t)r + 32;
	}
}

int select_helpers(struct cth_sock *s, const struct selection *which, struct cth_helper **list,
		   size_t *n)
{
	struct cth_nack nack = { 0 };
	const char *tried = phrase("look up %s", selection_text(which));
	int r = all_helpers(s, list, &nack);

	*n = 0;
	if (r < 0)
		return helper_refused(r, &nack, tried);
	for (int i = 0; i < r; i++)
		if (matches(&(*list)[i], which))
			(*list)[(*n)++] = (*list)[i];
	if (*n == 0 && which->name) {
		free(*list);
		*list = NULL;
		return helper_refused(-ENOENT, NULL, tried);
	}
	return CTH_EXIT_OK;
}

void note_service(const struct cth_helper *h, bool disabled_too)
{
	uint32_t queue = h->queue & UINT16_MAX;
	struct proc_queue q;
	int r;

	if (common.dry_run)
		return;
	if (!h->enabled && disabled_too)
		warn("%s is disabled: packets pass it by until nfqnl_test listens on queue %" PRIu32
		     ", or: cth helper enable %s", helper_text(h), queue, h->name);
	r = proc_queue(queue, &q);
	if (!h->enabled || r == 1 || (r < 0 && r != -ENOENT))
		return;
	warn("%s is enabled, but nobody listens on queue %" PRIu32 " in this network namespace: "
	     "new connections that get this helper are not tracked, and stall behind a stateful "
	     "firewall or NAT, until someone does", helper_text(h), queue);
}
