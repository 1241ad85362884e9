/* SPDX-License-Identifier: MIT */
/*
 * request.c - the command line of `cth helper ...`: what it asks for, checked whole before
 * anything is sent.
 */
#include <inttypes.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "helper.h"

#define DEFAULT_MAX     100 /* of the class that a helper gets unless some are told */
#define DEFAULT_TIMEOUT 100

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

struct cth_helper_class *find_class(struct cth_helper *h, const char *name)
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
		return usage_error(self, "class '%s': the timeout is a number of seconds from 1 to "
				   "%" PRIu32, text, UINT32_MAX);
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

static const struct applet_option options[] = {
	{ "l3", required_argument, '3' },
	{ "l4", required_argument, '4' },
	{ "queue", required_argument, 'q' },
	{ "priv-len", required_argument, 'p' },
	{ "class", required_argument, 'c' },
	{ "enabled", no_argument, 'e' },
	{ "all", no_argument, 'a' },
	{ NULL, 0, 0 },
};

/* Takes the options; mine: the letters of those that this applet has. */
static int take_options(const struct applet *self, const char *mine, int argc, char **argv,
			struct request *r)
{
	int c, bad = -1;

	memset(r, 0, sizeof(*r));
	while (bad < 0 && (c = next_option(argc, argv, options)) != -1) {
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

int take_selection(const struct applet *self, const char *mine, int argc, char **argv,
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

int take_new(const struct applet *self, int argc, char **argv, struct request *r)
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
	/* test 0 inet tcp, test inet tcp 0 */
	for (int i = 1; i < argc && argc > 2; i += 2)
		if (parse_number(argv[i], 0, UINT64_MAX, &v) && (i == 1 || argc == 4))
			return usage_error(self, "QUEUE and L3 L4 exclude each other as words: say "
					   "%s inet tcp -q %s, or the like", argv[0], argv[i]);
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
