/* SPDX-License-Identifier: MIT */
/*
 * helper.c - the applets that read and change the kernel's registry of user-space helpers:
 *
 *     cth helper add | get | list | set | enable | disable | del | flush
 *     nfct-helper-add, nfct-helper-get, nfct-helper-del
 *
 * What is asked for is checked whole before anything is sent.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "helper.h"
#include "proc.h"

#define DEFAULT_MAX     100 /* of the class that a helper gets unless some are told */
#define DEFAULT_TIMEOUT 100

/* What the command line asks for. */
struct request {
	struct selection which;
	struct cth_helper h;  /* of it: queue, private length, classes, status */
	uint32_t given;       /* CTH_HELPER_*: which of them were told */
	bool all;
	const char *l3, *l4;  /* -3, -4 */
};

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

/* "test inet tcp": the key as the command line takes it. */
static const char *key_words(const struct cth_helper *h)
{
	char l3[12], l4[12];

	return phrase("%s %s %s", h->name, l3_name(h->l3, l3), l4_name(h->l4, l4));
}

/* The command line. */

static int take_name(const struct applet *self, const char *what, const char *text, size_t n,
		     char name[CTH_HELPER_NAME])
{
	if (n == 0)
		return usage_error(self, "%s is empty", what);
	if (n >= CTH_HELPER_NAME)
		return usage_error(self, "%s '%.*s' has %zu characters, the kernel takes %d at most",
				   what, (int)n, text, n, CTH_HELPER_NAME - 1);
	memcpy(name, text, n);
	name[n] = 0;
	return -1;
}

static int take_l3(const struct applet *self, const char *text, uint16_t *l3)
{
	if (parse_l3(text, l3))
		return -1;
	return usage_error(self, "unknown network protocol '%s': it is inet or inet6", text);
}

static int take_l4(const struct applet *self, const char *text, uint8_t *l4)
{
	if (parse_l4(text, l4))
		return -1;
	return usage_error(self, "unknown transport protocol '%s': it is tcp, udp, sctp, dccp, "
			   "udplite or a number from 0 to 255", text);
}

static int take_queue(const struct applet *self, const char *text, struct request *r)
{
	uint64_t v;

	if (!parse_number(text, 0, UINT16_MAX, &v))
		return usage_error(self, "queue '%s': it is a number from 0 to 65535", text);
	if (r->given & CTH_HELPER_QUEUE && r->h.queue != v)
		return usage_error(self, "queue %" PRIu32 " or queue %" PRIu64 "? A helper has one",
				   r->h.queue, v);
	r->h.queue = (uint32_t)v;
	r->given |= CTH_HELPER_QUEUE;
	return -1;
}

static int take_priv_len(const struct applet *self, const char *text, struct request *r)
{
	uint64_t v;

	if (!parse_number(text, 0, CTH_HELPER_PRIV, &v))
		return usage_error(self, "private length '%s': it is a number of bytes from 0 to "
				   "%d, all that the kernel keeps for a flow", text, CTH_HELPER_PRIV);
	r->h.priv_len = (uint32_t)v;
	r->given |= CTH_HELPER_PRIV_LEN;
	return -1;
}

static struct cth_helper_class *find_class(struct cth_helper *h, const char *name)
{
	for (size_t i = 0; i < h->classes; i++)
		if (strcmp(h->policy[i].name, name) == 0)
			return &h->policy[i];
	return NULL;
}

/* NAME:MAX:TIMEOUT. The name may hold colons, the numbers do not. */
static int take_class(const struct applet *self, char *text, struct request *r)
{
	struct cth_helper_class class;
	char *timeout = strrchr(text, ':'), *max;
	uint64_t v;
	int bad;

	max = timeout ? memrchr(text, ':', (size_t)(timeout - text)) : NULL;
	if (!max)
		return usage_error(self, "class '%s': it is NAME:MAX:TIMEOUT, such as data:4:30",
				   text);
	if (r->h.classes == CTH_HELPER_CLASSES)
		return usage_error(self, "class '%s' is one too many: the kernel takes %d at most",
				   text, CTH_HELPER_CLASSES);
	bad = take_name(self, "the name of a class", text, (size_t)(max - text), class.name);
	if (bad >= 0)
		return bad;
	if (find_class(&r->h, class.name))
		return usage_error(self, "class '%s' is there twice", class.name);
	if (!parse_number(timeout + 1, 1, UINT32_MAX, &v))
		return usage_error(self, "class '%s': the timeout is a number of seconds, 1 or more",
				   text);
	class.timeout = (uint32_t)v;
	*timeout = 0;
	bad = !parse_number(max + 1, 0, CTH_HELPER_MAX, &v);
	*timeout = ':';
	if (bad)
		return usage_error(self, "class '%s': the maximum is a number from 0 to %d", text,
				   CTH_HELPER_MAX);
	class.max = (uint32_t)v;
	r->h.policy[r->h.classes++] = class;
	r->given |= CTH_HELPER_POLICY;
	return -1;
}

/* Handles an option: -1, or an exit code. */
static int take_option(const struct applet *self, int c, struct request *r)
{
	switch (c) {
	case '3':
		r->l3 = optarg;
		return -1;
	case '4':
		r->l4 = optarg;
		return -1;
	case 'q':
		return take_queue(self, optarg, r);
	case 'p':
		return take_priv_len(self, optarg, r);
	case 'c':
		return take_class(self, optarg, r);
	case 'e':
		r->h.enabled = true;
		r->given |= CTH_HELPER_STATUS;
		return -1;
	case 'a':
		r->all = true;
		return -1;
	}
	return common_option(self, c);
}

static const struct option options[] = {
	COMMON_LONG,
	{ "l3", required_argument, NULL, '3' },
	{ "l4", required_argument, NULL, '4' },
	{ "queue", required_argument, NULL, 'q' },
	{ "priv-len", required_argument, NULL, 'p' },
	{ "class", required_argument, NULL, 'c' },
	{ "enabled", no_argument, NULL, 'e' },
	{ "all", no_argument, NULL, 'a' },
	{ NULL, 0, NULL, 0 },
};

/* Takes the options; mine: the letters of those that this applet has. */
static int take_options(const struct applet *self, const char *mine, int argc, char **argv,
			struct request *r)
{
	int c, bad = -1;

	memset(r, 0, sizeof(*r));
	while (bad < 0 && (c = getopt_long(argc, argv, COMMON_SHORT "3:4:q:p:c:ea", options,
					   NULL)) != -1) {
		if (strchr("34qpcea", c) && !strchr(mine, c))
			return usage_error(self, "-%c is not an option of this applet", c);
		bad = take_option(self, c, r);
	}
	return bad;
}

int parse_selection(const struct applet *self, int argc, char **argv, struct selection *which)
{
	char name[CTH_HELPER_NAME];
	int bad = -1;

	if (argc > 3)
		return usage_error(self, "'%s' is too much", argv[3]);
	if (argc > 0) {
		which->name = argv[0];
		bad = take_name(self, "the name", argv[0], strlen(argv[0]), name);
	}
	if (bad < 0 && argc > 1) {
		which->has_l3 = true;
		bad = take_l3(self, argv[1], &which->l3);
	}
	if (bad < 0 && argc > 2) {
		which->has_l4 = true;
		bad = take_l4(self, argv[2], &which->l4);
	}
	return bad;
}

/* -3 and -4 say the same as the words do. */
static int select_by_options(const struct applet *self, struct request *r)
{
	int bad = -1;

	if (r->l3 && r->which.has_l3)
		return usage_error(self, "the network protocol is told twice");
	if (r->l4 && r->which.has_l4)
		return usage_error(self, "the transport protocol is told twice");
	if (r->l3) {
		r->which.has_l3 = true;
		bad = take_l3(self, r->l3, &r->which.l3);
	}
	if (bad < 0 && r->l4) {
		r->which.has_l4 = true;
		bad = take_l4(self, r->l4, &r->which.l4);
	}
	return bad;
}

/* The command line of all applets but add: [NAME [L3 [L4]]]. */
static int take_selection(const struct applet *self, const char *mine, int argc, char **argv,
			  struct request *r)
{
	int bad = take_options(self, mine, argc, argv, r);

	if (bad < 0)
		bad = parse_selection(self, argc - optind, argv + optind, &r->which);
	if (bad < 0)
		bad = select_by_options(self, r);
	if (bad < 0 && r->all && r->which.name)
		return usage_error(self, "--all or '%s'?", r->which.name);
	return bad;
}

/* What is not told of a new helper. */
static int complete(const struct applet *self, struct request *r)
{
	struct cth_helper *h = &r->h;
	const char *why;

	h->l3 = r->which.has_l3 ? r->which.l3 : AF_INET;
	h->l4 = r->which.has_l4 ? r->which.l4 : IPPROTO_TCP;
	h->have = CTH_HELPER_QUEUE | CTH_HELPER_PRIV_LEN | CTH_HELPER_STATUS | CTH_HELPER_POLICY;
	if (h->classes == 0) {
		memcpy(h->policy[0].name, h->name, sizeof(h->name));
		h->policy[0].max = DEFAULT_MAX;
		h->policy[0].timeout = DEFAULT_TIMEOUT;
		h->classes = 1;
	}
	if (cth_helper_check(h, &why) < 0)
		return usage_error(self, "%s", why);
	return -1;
}

/* The command line of add: NAME, NAME QUEUE, or NAME L3 L4. */
static int take_new(const struct applet *self, int argc, char **argv, struct request *r)
{
	int bad = take_options(self, "34qpce", argc, argv, r);
	uint16_t l3;
	uint64_t v;

	if (bad >= 0)
		return bad;
	argc -= optind;
	argv += optind;
	if (argc == 0)
		return usage_error(self, "the helper's name is missing");
	if (argc == 2 && !parse_number(argv[1], 0, UINT64_MAX, &v)) {
		if (parse_l3(argv[1], &l3))
			return usage_error(self, "'%s' without a transport protocol: say %s %s tcp",
					   argv[1], argv[0], argv[1]);
		return usage_error(self, "'%s' is neither a queue, 0 to 65535, nor inet or inet6",
				   argv[1]);
	}
	if (argc == 2) {
		bad = take_queue(self, argv[1], r);
		argc = 1;
	}
	if (bad < 0)
		bad = parse_selection(self, argc, argv, &r->which);
	if (bad < 0)
		bad = select_by_options(self, r);
	if (bad < 0)
		bad = take_name(self, "the name", argv[0], strlen(argv[0]), r->h.name);
	return bad < 0 ? complete(self, r) : bad;
}

/* The kernel's answers. */

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

/* All that are registered: how many, in *list, to be freed; or -errno. */
static int all_helpers(struct cth_sock *s, struct cth_helper **list, struct cth_nack *nack)
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

/* add */

/* The module whose helper has this name: netbios-ns is in nf_conntrack_netbios_ns. */
static const char *module_of(const char *prefix, const char *name)
{
	static const char *const h323[] = { "RAS", "Q.931", "H.245" };
	char flat[CTH_HELPER_NAME];
	size_t i;

	for (i = 0; i < sizeof(h323) / sizeof(h323[0]); i++)
		if (strcmp(name, h323[i]) == 0)
			name = "h323";
	for (i = 0; name[i] && i < sizeof(flat) - 1; i++)
		flat[i] = name[i] == '-' ? '_' : name[i];
	flat[i] = 0;
	return phrase("%s_%s", prefix, flat);
}

static int kernel_has_its_own(const struct cth_helper *h, const struct cth_nack *nack,
			      const char *tried)
{
	const char *helper = module_of("nf_conntrack", h->name);
	const char *nat = module_of("nf_nat", h->name);

	if (proc_module(helper) == PROC_MODULE_LOADED) {
		bool with_nat = proc_module(nat) == PROC_MODULE_LOADED;

		return fail_nack(EBUSY, nack, tried,
				 phrase("the module %s is loaded and has the kernel's own helper of "
					"this name", helper),
				 phrase("rmmod %s%s%s; if it is in use, remove the rules that refer to "
					"it first", with_nat ? nat : "", with_nat ? " " : "", helper));
	}
	return fail_nack(EBUSY, nack, tried,
			 phrase("the kernel has a helper of its own by this name, built in or from "
				"another module than %s", helper),
			 "remove that module, or take another name");
}

static void add_difference(char *text, size_t n, const char *difference)
{
	size_t used = strlen(text);

	snprintf(text + used, n - used, "%s%s", used ? ", " : "", difference);
}

static bool same_class_names(const struct cth_helper *a, const struct cth_helper *b)
{
	if (a->classes != b->classes)
		return false;
	for (size_t i = 0; i < a->classes; i++)
		if (strcmp(a->policy[i].name, b->policy[i].name) != 0)
			return false;
	return true;
}

#define CLASS_WORDS 160 /* four classes with longest names and numbers, and their blanks */

/* "data:4:30 control:1:60": the classes as the command line takes them. */
static const char *class_words(const struct cth_helper *h, char words[CLASS_WORDS])
{
	size_t used = 0;

	words[0] = 0;
	for (size_t i = 0; i < h->classes && used < CLASS_WORDS; i++)
		used += (size_t)snprintf(words + used, CLASS_WORDS - used,
					 "%s%s:%" PRIu32 ":%" PRIu32, i ? " " : "",
					 h->policy[i].name, h->policy[i].max, h->policy[i].timeout);
	return words;
}

/* What of the helper that is there is not as wanted, in words; "": nothing. */
static void differences(const struct cth_helper *there, const struct cth_helper *want, char *text,
			size_t n)
{
	char is[CLASS_WORDS], should[CLASS_WORDS];

	text[0] = 0;
	class_words(there, is);
	class_words(want, should);
	if (there->queue != want->queue)
		add_difference(text, n, phrase("queue %" PRIu32 " instead of %" PRIu32,
					       there->queue, want->queue));
	if (there->priv_len != want->priv_len)
		add_difference(text, n, phrase("private length %" PRIu32 " instead of %" PRIu32,
					       there->priv_len, want->priv_len));
	if (strcmp(is, should) != 0)
		add_difference(text, n, phrase("classes %s instead of %s", is, should));
	/* Whoever serves it may have enabled it meanwhile, which is no difference. */
	if (want->enabled && !there->enabled)
		add_difference(text, n, "it is disabled");
}

/* How the helper that is there could become what was wanted. */
static const char *way_there(const struct cth_helper *there, const struct cth_helper *want)
{
	const char *words = phrase("cth helper set %s", key_words(want));

	if (there->priv_len != want->priv_len || !same_class_names(there, want))
		return phrase("private length and names of classes cannot change: `cth helper del "
			      "%s`, then add it anew", key_words(want));
	if (there->queue != want->queue)
		words = phrase("%s -q %" PRIu32, words, want->queue);
	for (size_t i = 0; i < want->classes; i++)
		if (there->policy[i].max != want->policy[i].max ||
		    there->policy[i].timeout != want->policy[i].timeout)
			words = phrase("%s -c %s:%" PRIu32 ":%" PRIu32, words, want->policy[i].name,
				       want->policy[i].max, want->policy[i].timeout);
	if (want->enabled && !there->enabled)
		return phrase("to change it: %s -e", words);
	return phrase("to change it: %s", words);
}

/* A second add of the same helper is no error, one of another by its name is. */
static int already_there(struct cth_sock *s, const struct cth_helper *want, const char *tried)
{
	struct cth_nack nack = { 0 };
	struct cth_helper there;
	char text[512];

	if (cth_helper_get(s, want->name, want->l3, want->l4, &there, &nack) < 0)
		return fail(EEXIST, tried, "it was there a moment ago", "try again");
	differences(&there, want, text, sizeof(text));
	if (text[0])
		return fail(EEXIST, tried, phrase("it is there already, with %s", text),
			    way_there(&there, want));
	if (common.json)
		show_helpers(&there, 1, HELPER_JSON);
	done("%s is there already, on queue %" PRIu32 ", %s", helper_text(&there), there.queue,
	     there.enabled ? "enabled" : "disabled");
	return CTH_EXIT_OK;
}

static void added(const struct cth_helper *h)
{
	if (common.json && !common.dry_run)
		show_helpers(h, 1, HELPER_JSON);
	if (h->enabled)
		done("%s added on queue %" PRIu32 ", enabled", helper_text(h), h->queue);
	else
		done("%s added on queue %" PRIu32 ", disabled: nfqnl_test enables it while it "
		     "listens, or: cth helper enable %s", helper_text(h), h->queue, h->name);
	note_service(h, false);
}

static int add_main(const struct applet *self, int argc, char **argv)
{
	struct cth_nack nack = { 0 };
	struct request r;
	struct cth_sock s;
	const char *tried;
	int status = take_new(self, argc, argv, &r), err;

	if (status >= 0)
		return status;
	status = kernel_open(&s);
	if (status)
		return status;
	tried = phrase("register %s", helper_text(&r.h));
	err = cth_helper_add(&s, &r.h, &nack);
	if (err == -EEXIST)
		status = already_there(&s, &r.h, tried);
	else if (err == -EBUSY)
		status = kernel_has_its_own(&r.h, &nack, tried);
	else if (err < 0)
		status = helper_refused(err, &nack, tried);
	else
		added(&r.h);
	kernel_close(&s);
	return status;
}

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
static int change(const struct applet *self, struct cth_helper *h, const struct request *r)
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
			return usage_error(self, "%s has no class '%s', only: %s; classes do not "
					   "change their names: delete the helper and add it anew",
					   helper_text(h), r->h.policy[i].name,
					   class_words(h, words));
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
			bad = change(self, &list[i], &r);
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
		int err = cth_helper_del(s, list[i].name, list[i].l3, list[i].l4, &nack), refused;

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

#define ADD_HELP \
	"Registers a user-space helper with the kernel.\n\n" \
	"It is disabled unless told otherwise: enabled while nobody listens on its queue, it\n" \
	"would keep new connections from being tracked.\n" \
	"  -3, --l3 inet|inet6           network protocol; inet if not told\n" \
	"  -4, --l4 tcp|udp|NUMBER       transport protocol; tcp if not told\n" \
	"  -q, --queue NUMBER            queue that its packets go to; 0 if not told\n" \
	"  -p, --priv-len BYTES          of state that the kernel keeps for a flow, 0 to 32\n" \
	"  -c, --class NAME:MAX:TIMEOUT  a class of expectations: how many a flow may have at once,\n" \
	"                                0 to 255, for how many seconds each; one to four classes;\n" \
	"                                if not told one by the helper's name, of 100 and 100 s\n" \
	"  -e, --enabled                 enable it at once\n\n"

const struct applet helper_add_applet = {
	"helper add", "[OPTION]... NAME [QUEUE | L3 L4]",
	ADD_HELP
	"Examples:\n"
	"  cth helper add test 0\n"
	"  cth helper add ftp inet6 tcp -q 1 -p 24 -c ftp:1:300\n",
	add_main,
};

const struct applet nfct_helper_add_applet = {
	"nfct-helper-add", "[OPTION]... NAME [QUEUE | L3 L4]",
	ADD_HELP
	"Example:\n"
	"  nfct-helper-add test 0\n",
	add_main,
};

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
