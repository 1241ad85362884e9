/* SPDX-License-Identifier: MIT */
/*
 * helper.c - the applets that read and change the kernel's registry of user-space helpers:
 *
 *     cth helper get | list | set | enable | disable | del | flush
 *     nfct-helper-get, nfct-helper-del
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include "helper.h"

/* get, list */

static int show_main(const struct applet *self, int argc, char **argv, enum helper_form form)
{
	struct cth_helper *list;
	struct request r;
	struct cth_sock s;
	size_t n;
	int status = take_selection(self, "34a", argc, argv, &r);

	if (status >= 0)
		return status;
	status = kernel_open(&s);
	if (status)
		return status;
	status = select_helpers(&s, &r.which, &list, &n);
	if (status == CTH_EXIT_OK) {
		show_helpers(list, n, common.json ? HELPER_JSON : form);
		if (n == 0 && !common.json)
			warn("no helper is registered");
		free(list);
	}
	kernel_close(&s);
	return status;
}

static int get_main(const struct applet *self, int argc, char **argv)
{
	return show_main(self, argc, argv, HELPER_BLOCK);
}

static int list_main(const struct applet *self, int argc, char **argv)
{
	return show_main(self, argc, argv, HELPER_LINE);
}

static int nfct_get_main(const struct applet *self, int argc, char **argv)
{
	return show_main(self, argc, argv, HELPER_NFCT);
}

/* set, enable, disable */

/* Sends the parts of each that have changed; the first refusal ends it. */
static int update_all(struct cth_sock *s, struct cth_helper *list, size_t n, const char *verb,
		      const char *outcome)
{
	struct cth_nack nack = { 0 };
	size_t i;
	int err = 0;

	for (i = 0; i < n && err == 0; i++) {
		uint32_t have = list[i].have;

		err = cth_helper_update(s, &list[i], &nack);
		if (err < 0) {
			helper_refused(err, &nack, phrase("%s %s", verb, helper_text(&list[i])));
			break;
		}
		done("%s %s, on queue %" PRIu32, helper_text(&list[i]), outcome, list[i].queue);
		if (have & (CTH_HELPER_QUEUE | CTH_HELPER_STATUS))
			note_service(&list[i], false);
	}
	if (common.json && !common.dry_run)
		show_helpers(list, i, HELPER_JSON);
	return exit_code(err);
}

static int status_main(const struct applet *self, int argc, char **argv, bool enabled)
{
	struct cth_helper *list;
	struct request r;
	struct cth_sock s;
	size_t n;
	int status = take_selection(self, "34a", argc, argv, &r);

	if (status >= 0)
		return status;
	if (!r.which.name && !r.all)
		return usage_error(self, "which helper? A name, or --all");
	status = kernel_open(&s);
	if (status)
		return status;
	status = select_helpers(&s, &r.which, &list, &n);
	if (status == CTH_EXIT_OK) {
		for (size_t i = 0; i < n; i++) {
			list[i].have = CTH_HELPER_STATUS;
			list[i].enabled = enabled;
		}
		status = update_all(&s, list, n, enabled ? "enable" : "disable",
				    enabled ? "enabled" : "disabled");
		free(list);
	}
	kernel_close(&s);
	return status;
}

static int enable_main(const struct applet *self, int argc, char **argv)
{
	return status_main(self, argc, argv, true);
}

static int disable_main(const struct applet *self, int argc, char **argv)
{
	return status_main(self, argc, argv, false);
}

/* Puts what was asked for into a helper that is there: -1, or an exit code. */
static int change(struct cth_helper *h, const struct request *r)
{
	struct cth_helper_class *class;
	char words[CLASS_WORDS];

	h->have = r->given;
	if (r->given & CTH_HELPER_QUEUE)
		h->queue = r->h.queue;
	if (r->given & CTH_HELPER_STATUS)
		h->enabled = r->h.enabled;
	for (size_t i = 0; i < r->h.classes; i++) {
		class = find_class(h, r->h.policy[i].name);
		if (!class)
			return fail(ENOENT, phrase("change %s", helper_text(h)),
				    phrase("it has no class '%s', only: %s", r->h.policy[i].name,
					   class_words(h, words)),
				    "classes do not change their names: delete the helper and add "
				    "it anew");
		*class = r->h.policy[i];
	}
	return -1;
}

static int set_main(const struct applet *self, int argc, char **argv)
{
	struct cth_helper *list;
	struct request r;
	struct cth_sock s;
	size_t n;
	int status = take_selection(self, "34qce", argc, argv, &r), bad = -1;

	if (status >= 0)
		return status;
	if (!r.which.name)
		return usage_error(self, "the helper's name is missing");
	if (!r.given)
		return usage_error(self, "nothing to change: say -q, -c or -e");
	status = kernel_open(&s);
	if (status)
		return status;
	status = select_helpers(&s, &r.which, &list, &n);
	if (status == CTH_EXIT_OK) {
		for (size_t i = 0; i < n && bad < 0; i++)
			bad = change(&list[i], &r);
		status = bad >= 0 ? bad : update_all(&s, list, n, "change", "changed");
		free(list);
	}
	kernel_close(&s);
	return status;
}

/* del, flush */

static int del_refused(int err, const struct cth_nack *nack, const struct cth_helper *h)
{
	const char *tried = phrase("delete %s", helper_text(h));

	if (err != -EBUSY)
		return helper_refused(err, nack, tried);
	return fail_nack(err, nack, tried,
			 "a rule refers to it: a `CT --helper` of iptables or a `ct helper` of "
			 "nftables, in this or in another network namespace",
			 phrase("remove that first: `cth detach %s`, or look for it with `iptables "
				"-t raw -S` and `nft list ruleset`", h->name));
}

static void del_json(struct json *j, const struct cth_helper *h, int err)
{
	char l3[12], l4[12];

	json_open(j, NULL, '{');
	json_string(j, "name", h->name);
	json_string(j, "l3", l3_name(h->l3, l3));
	json_string(j, "l4", l4_name(h->l4, l4));
	json_bool(j, "deleted", err == 0);
	if (err)
		json_string(j, "error", errno_name(err));
	json_close(j, '}');
}

/*
 * The kernel lets go of a rule's helper a moment after the rule itself is gone, so that
 * one that is busy now may be free when a person looks.
 */
static int del_patiently(struct cth_sock *s, const struct cth_helper *h, struct cth_nack *nack)
{
	const struct timespec moment = { .tv_nsec = 50 * 1000 * 1000 };
	int err = cth_helper_del(s, h->name, h->l3, h->l4, nack);

	for (int i = 0; i < 10 && err == -EBUSY; i++) {
		nanosleep(&moment, NULL);
		err = cth_helper_del(s, h->name, h->l3, h->l4, nack);
	}
	return err;
}

/* One by one, for of several the kernel deletes some and says that all went well. */
static int del_all(struct cth_sock *s, const struct cth_helper *list, size_t n)
{
	struct json j = { .f = stdout };
	bool json = common.json && !common.dry_run;
	int status = CTH_EXIT_OK;

	if (json) {
		json_open(&j, NULL, '{');
		json_open(&j, "helpers", '[');
	}
	for (size_t i = 0; i < n; i++) {
		struct cth_nack nack = { 0 };
		int err = del_patiently(s, &list[i], &nack), refused;

		if (json)
			del_json(&j, &list[i], err);
		if (err == 0) {
			done("%s deleted", helper_text(&list[i]));
			continue;
		}
		refused = del_refused(err, &nack, &list[i]);
		if (status == CTH_EXIT_OK || refused == CTH_EXIT_BUSY)
			status = refused;
	}
	if (json) {
		json_close(&j, ']');
		json_close(&j, '}');
	}
	return status;
}

static int del_selected(struct cth_sock *s, const struct selection *which)
{
	struct cth_helper *list, one;
	size_t n;
	int status;

	if (which->name && which->has_l3 && which->has_l4) {
		memset(&one, 0, sizeof(one));
		memcpy(one.name, which->name, strlen(which->name));
		one.l3 = which->l3;
		one.l4 = which->l4;
		return del_all(s, &one, 1);
	}
	status = select_helpers(s, which, &list, &n);
	if (status)
		return status;
	if (n == 0)
		warn("no helper is registered");
	status = del_all(s, list, n);
	free(list);
	return status;
}

static int delete(const struct applet *self, int argc, char **argv, bool flush)
{
	struct request r;
	struct cth_sock s;
	int status = take_selection(self, "34a", argc, argv, &r);

	if (status >= 0)
		return status;
	if (flush && r.which.name)
		return usage_error(self, "this deletes all helpers; for '%s' alone: cth helper del",
				   r.which.name);
	if (!flush && !r.which.name && !r.all)
		return usage_error(self, "which helper? A name, or --all");
	status = kernel_open(&s);
	if (status)
		return status;
	status = del_selected(&s, &r.which);
	kernel_close(&s);
	return status;
}

static int del_main(const struct applet *self, int argc, char **argv)
{
	return delete(self, argc, argv, false);
}

static int flush_main(const struct applet *self, int argc, char **argv)
{
	return delete(self, argc, argv, true);
}

/* The applets. */

#define WHICH_HELP \
	"NAME alone means all helpers of that name, L3 and L4 (or -3, -4) narrow it:\n" \
	"  -3, --l3 inet|inet6           the network protocol\n" \
	"  -4, --l4 tcp|udp|NUMBER       the transport protocol\n"

const struct applet helper_get_applet = {
	"helper get", "[OPTION]... [NAME [L3 [L4]]]",
	"Shows one helper, or all of them, with all parts.\n\n"
	WHICH_HELP
	"\nExample:\n"
	"  cth helper get ftp inet6 tcp\n",
	get_main,
};

const struct applet nfct_helper_get_applet = {
	"nfct-helper-get", "[OPTION]... [NAME [L3 [L4]]]",
	"Shows helpers as the program of that name does, and their classes.\n\n"
	WHICH_HELP
	"\nExample:\n"
	"  nfct-helper-get test\n",
	nfct_get_main,
};

const struct applet helper_list_applet = {
	"helper list", "[OPTION]... [NAME [L3 [L4]]]",
	"Lists helpers, one on a line.\n\n"
	WHICH_HELP
	"\nExample:\n"
	"  cth helper list | grep enabled\n",
	list_main,
};

const struct applet helper_set_applet = {
	"helper set", "[OPTION]... NAME [L3 [L4]]",
	"Changes a helper's queue, maxima and timeouts.\n\n"
	"It counts from the next packet on. Private length and names of classes cannot change.\n"
	WHICH_HELP
	"  -q, --queue NUMBER            queue that its packets go to\n"
	"  -c, --class NAME:MAX:TIMEOUT  anew for the class of this name; others stay as they are\n"
	"  -e, --enabled                 enable it too\n"
	"\nExample:\n"
	"  cth helper set ftp -q 2 -c ftp:4:60\n",
	set_main,
};

const struct applet helper_enable_applet = {
	"helper enable", "[OPTION]... NAME [L3 [L4]] | --all",
	"Enables helpers: packets go to their queues.\n\n"
	"Do so while someone listens there: otherwise new connections are not tracked.\n"
	WHICH_HELP
	"  -a, --all                     all helpers\n"
	"\nExample:\n"
	"  cth helper enable test\n",
	enable_main,
};

const struct applet helper_disable_applet = {
	"helper disable", "[OPTION]... NAME [L3 [L4]] | --all",
	"Disables helpers: packets pass them by.\n\n"
	WHICH_HELP
	"  -a, --all                     all helpers\n"
	"\nExample:\n"
	"  cth helper disable test\n",
	disable_main,
};

#define DEL_HELP \
	"Deletes helpers.\n\n" \
	"Connections that have one go on without it. One that a rule refers to is busy: it stays,\n" \
	"the others go, and the exit code is 5.\n" \
	WHICH_HELP \
	"  -a, --all                     all helpers\n\n"

const struct applet helper_del_applet = {
	"helper del", "[OPTION]... NAME [L3 [L4]] | --all",
	DEL_HELP
	"Example:\n"
	"  cth helper del test inet tcp\n",
	del_main,
};

const struct applet nfct_helper_del_applet = {
	"nfct-helper-del", "[OPTION]... NAME [L3 [L4]] | --all",
	DEL_HELP
	"Example:\n"
	"  nfct-helper-del test\n",
	del_main,
};

const struct applet helper_flush_applet = {
	"helper flush", "[OPTION]...",
	"Deletes all helpers.\n\n"
	"One by one, and tells which were busy and stayed; the exit code is 5 then.\n"
	"  -3, --l3 inet|inet6           only of this network protocol\n"
	"  -4, --l4 tcp|udp|NUMBER       only of this transport protocol\n"
	"\nExample:\n"
	"  cth helper flush\n",
	flush_main,
};
