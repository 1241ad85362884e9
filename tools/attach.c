/* SPDX-License-Identifier: MIT */
/*
 * attach.c - `cth attach` and `cth detach`: rules that give flows a helper, without
 * iptables or nft. What is sent is described in cthelper/attach.h; --print shows it in
 * nft's own language.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "../cthelper/attach.h"
#include "attach.h"
#include "helper.h"
#include "proc.h"

#define DRAIN_SECONDS 5  /* for which detach waits, if not told otherwise */
#define DRAIN_STEP_MS 20

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

enum { OPT_PRIORITY = OPT_APPLET, OPT_PRINT };

/* What the command line asks for. */
struct plan {
	struct selection which;
	struct cth_ports *ports;
	size_t n;
	int32_t priority;
	bool print;
	unsigned seconds;
};

/* The helpers of one transport protocol: one batch. */
struct target {
	uint8_t l4;
	bool ipv4, ipv6;
};

static bool has_ports(uint8_t l4)
{
	return l4 == IPPROTO_TCP || l4 == IPPROTO_UDP || l4 == IPPROTO_SCTP ||
	       l4 == IPPROTO_DCCP || l4 == IPPROTO_UDPLITE;
}

static uint16_t family_of(bool ipv6)
{
	return ipv6 ? AF_INET6 : AF_INET;
}

/* The command line. */

static int take_range(const struct applet *self, char *text, struct cth_ports **ports, size_t *n)
{
	char *dash = strpbrk(text, "-:"), *last = text;
	struct cth_ports *more;
	uint64_t from, to;
	bool good;

	if (dash) {
		*dash = 0;
		last = dash + 1;
	}
	good = parse_number(text, 1, UINT16_MAX, &from) && parse_number(last, 1, UINT16_MAX, &to);
	if (dash)
		*dash = '-';
	if (!good)
		return usage_error(self, "port '%s': it is a number from 1 to 65535, or two with a "
				   "dash between them", text);
	if (from > to)
		return usage_error(self, "ports '%s': the range is upside down", text);
	more = realloc(*ports, (*n + 1) * sizeof(*more));
	if (!more)
		return fail(ENOMEM, "take the ports", NULL, NULL);
	*ports = more;
	more[*n].first = (uint16_t)from;
	more[(*n)++].last = (uint16_t)to;
	return -1;
}

int take_ports(const struct applet *self, char *text, struct cth_ports **ports, size_t *n)
{
	char *comma;
	int bad = -1;

	while (bad < 0 && text) {
		comma = strchr(text, ',');
		if (comma)
			*comma++ = 0;
		bad = take_range(self, text, ports, n);
		text = comma;
	}
	return bad;
}

static int take_priority(const struct applet *self, const char *text, struct plan *p)
{
	uint64_t v;

	if (text[0] != '-' || !parse_number(text + 1, 101, 199, &v))
		return usage_error(self, "priority '%s': it is a number from -199 to -101, behind "
				   "connection tracking and before destination NAT", text);
	p->priority = -(int32_t)v;
	return -1;
}

static int take_seconds(const struct applet *self, const char *text, struct plan *p)
{
	uint64_t v;

	if (!parse_number(text, 0, 3600, &v))
		return usage_error(self, "'%s' seconds: it is a number from 0 to 3600", text);
	p->seconds = (unsigned)v;
	return -1;
}

static int take_options(const struct applet *self, const struct applet_option *options, int argc,
			char **argv, struct plan *p)
{
	int c, bad = -1;

	while (bad < 0 && (c = next_option(argc, argv, options)) != -1) {
		if (c == 'p')
			bad = take_ports(self, optarg, &p->ports, &p->n);
		else if (c == 'w')
			bad = take_seconds(self, optarg, p);
		else if (c == OPT_PRIORITY)
			bad = take_priority(self, optarg, p);
		else if (c == OPT_PRINT)
			p->print = true;
		else
			bad = common_option(self, c);
	}
	if (bad < 0 && optind == argc)
		return usage_error(self, "the helper's name is missing");
	return bad;
}

/* [NAME [L3] [L4]]: unlike the registry's applets, attach NAME tcp makes sense too. */
static int take_words(const struct applet *self, int argc, char **argv, struct plan *p)
{
	struct selection *which = &p->which;
	const char *last = argv[argc - 1];
	uint64_t v;
	int bad;

	if (argc == 2 && !parse_number(argv[1], 0, UINT64_MAX, &v) &&
	    !parse_l3(argv[1], &which->l3) && parse_l4(argv[1], &which->l4)) {
		which->has_l4 = true;
		argc = 1;
	}
	bad = parse_selection(self, argc, argv, which);
	if (bad < 0 && argv[0][strspn(argv[0], NAME_CHARACTERS)])
		return usage_error(self, "'%s': a table can be named for a helper only if its name is "
				   "of letters, digits and . _ -", argv[0]);
	if (bad < 0 && p->n && which->has_l4 && !has_ports(which->l4))
		return usage_error(self, "'%s' has no ports", last);
	return bad;
}

/* Which batches it takes. */

static int add_target(struct target *targets, size_t *n, uint16_t l3, uint8_t l4)
{
	size_t i = 0;

	while (i < *n && targets[i].l4 != l4)
		i++;
	if (i == *n)
		targets[(*n)++] = (struct target){ .l4 = l4 };
	if (l3 == AF_INET)
		targets[i].ipv4 = true;
	if (l3 == AF_INET6)
		targets[i].ipv6 = true;
	return -1;
}

static int check_target(const struct applet *self, const struct plan *p, const struct cth_helper *h)
{
	if (h->l3 != AF_INET && h->l3 != AF_INET6)
		return usage_error(self, "%s is neither for IPv4 nor for IPv6", helper_text(h));
	if (p->n && !has_ports(h->l4))
		return usage_error(self, "%s is for a protocol without ports: say which one is meant",
				   helper_text(h));
	return -1;
}

/*
 * The registry tells what there is. It is asked even if the command line tells all: the
 * kernel would load its own module of that name before it says that there is none, and
 * ours could then not be registered any more.
 */
static int find_targets(const struct applet *self, struct cth_sock *s, const struct plan *p,
			struct target *targets, size_t *n)
{
	bool whole = p->which.has_l3 && p->which.has_l4;
	struct cth_helper *list;
	size_t found;
	int status = CTH_EXIT_OK, bad = -1;

	*n = 0;
	if (!(whole && (p->print || common.dry_run)))
		status = select_helpers(s, &p->which, &list, &found);
	else
		return add_target(targets, n, p->which.l3, p->which.l4);
	if (whole && status == CTH_EXIT_PERMISSION) {
		/* A user namespace may have rules of its own for a helper of the host's. */
		warn("going on without; the kernel refuses the rules if it is not registered");
		return add_target(targets, n, p->which.l3, p->which.l4);
	}
	if (status)
		return status;
	for (size_t i = 0; i < found && bad < 0; i++)
		bad = check_target(self, p, &list[i]);
	for (size_t i = 0; i < found && bad < 0; i++) {
		add_target(targets, n, list[i].l3, list[i].l4);
		if (!p->print)
			note_service(&list[i], true);
	}
	free(list);
	return bad;
}

/* --print */

static void print_ports(const struct plan *p, const char *between)
{
	for (size_t i = 0; i < p->n; i++) {
		printf("%s%u", i ? between : "", p->ports[i].first);
		if (p->ports[i].last != p->ports[i].first)
			printf("-%u", p->ports[i].last);
	}
}

static void print_chain(const struct plan *p, const char *hook, const char *l4)
{
	printf("\tchain %s-%s {\n"
	       "\t\ttype filter hook %s priority %" PRId32 "; policy accept;\n\t\t",
	       hook, l4, hook, p->priority);
	if (p->n) {
		printf("%s dport { ", l4);
		print_ports(p, ", ");
		printf(" }");
	} else {
		printf("meta l4proto %s", l4);
	}
	printf(" ct helper set \"%s-%s\" comment \"cthelper\"\n\t}\n", p->which.name, l4);
}

static void print_target(const struct plan *p, const struct target *t, bool ipv6)
{
	char buf[12];
	const char *l4 = l4_name(t->l4, buf), *family = ipv6 ? "ip6" : "ip";

	printf("table %s cth-%s {\n\tct helper %s-%s {\n\t\ttype \"%s\" protocol %s\n\t\tl3proto "
	       "%s\n\t}\n", family, p->which.name, p->which.name, l4, p->which.name, l4, family);
	print_chain(p, "prerouting", l4);
	print_chain(p, "output", l4);
	printf("}\n");
}

static int print_all(const struct applet *self, const struct plan *p, const struct target *targets,
		     size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (targets[i].l4 != IPPROTO_TCP && targets[i].l4 != IPPROTO_UDP)
			return usage_error(self, "--print: nft's language has helpers of tcp and udp "
					   "only; attach itself has no such limit");
	printf("# nft -f THIS, once `cth helper add` has registered %s\n", p->which.name);
	for (size_t i = 0; i < n; i++) {
		if (targets[i].ipv4)
			print_target(p, &targets[i], false);
		if (targets[i].ipv6)
			print_target(p, &targets[i], true);
	}
	return CTH_EXIT_OK;
}

/* attach */

int attach_refused(int err, const struct cth_nack *nack, const char *tried, const char *name)
{
	switch (-err) {
	case EPERM:
		return fail_nack(err, nack, tried, permission_cause(false),
				 permission_remedy(false));
	case ENOENT:
		return fail_nack(err, nack, tried, "the helper is not registered",
				 phrase("first: cth helper add %s", name));
	case EPROTONOSUPPORT:
		return helper_refused(err, nack, tried);
	case EOPNOTSUPP:
		return fail_nack(err, nack, tried,
				 "this kernel has no nf_tables, or not its ct expression "
				 "(CONFIG_NF_TABLES, CONFIG_NF_TABLES_IPV4, CONFIG_NF_TABLES_IPV6, "
				 "CONFIG_NFT_CT)",
				 "modprobe nf_tables; modprobe nft_ct; Debian: install a "
				 "linux-image-* package, OpenWrt: kmod-nft-core; or use iptables "
				 "-t raw -j CT --helper");
	case EEXIST:
	case EBUSY:
		return fail_nack(err, nack, tried,
				 phrase("table cth-%s has chains of another priority, or is "
					"another program's", name),
				 phrase("first: cth detach %s", name));
	case EMSGSIZE:
		return fail_nack(err, nack, tried, "too many ports for one batch",
				 "give ranges, as in -p 6000-6063");
	case ETIMEDOUT:
		return fail_nack(err, nack, tried,
				 "the kernel did not answer; whether it was done is not known",
				 "try again: it does no harm");
	}
	return fail_nack(err, nack, tried, NULL, NULL);
}

static const char *target_text(const struct plan *p, uint8_t l4, bool ipv6)
{
	struct selection one = { p->which.name, true, true, family_of(ipv6), l4 };

	return selection_text(&one);
}

static void tell_attached(const struct plan *p, uint8_t l4, bool ipv6)
{
	if (common.dry_run || common.json)
		return;
	printf("%s attached to ", target_text(p, l4, ipv6));
	if (p->n)
		printf("port%s ", p->n > 1 || p->ports[0].first != p->ports[0].last ? "s" : "");
	else
		printf("every %s", has_ports(l4) ? "port" : "packet");
	print_ports(p, ", ");
	putchar('\n');
}

static void attached_json(struct json *j, const struct plan *p, uint8_t l4, bool ipv6)
{
	char l3[12], buf[12];

	json_open(j, NULL, '{');
	json_string(j, "name", p->which.name);
	json_string(j, "l3", l3_name(family_of(ipv6), l3));
	json_string(j, "l4", l4_name(l4, buf));
	json_open(j, "ports", '[');
	for (size_t i = 0; i < p->n; i++) {
		json_open(j, NULL, '{');
		json_number(j, "first", p->ports[i].first);
		json_number(j, "last", p->ports[i].last);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}

/* The outcome of n batches. */
static void tell_all(const struct plan *p, const struct target *targets, size_t n)
{
	struct json j = { .f = stdout };
	bool json = common.json && !common.dry_run;

	if (json) {
		json_open(&j, NULL, '{');
		json_open(&j, "attached", '[');
	}
	for (size_t i = 0; i < 2 * n; i++) {
		const struct target *t = &targets[i / 2];
		bool ipv6 = i % 2;

		if (!(ipv6 ? t->ipv6 : t->ipv4))
			continue;
		if (json)
			attached_json(&j, p, t->l4, ipv6);
		else
			tell_attached(p, t->l4, ipv6);
	}
	if (json) {
		json_close(&j, ']');
		json_close(&j, '}');
	}
}

/* A dry run shows the batch, whether the kernel would be able to take it or not. */
static int attach_one(struct cth_sock *s, struct cth_msg *m, const struct cth_attach *a,
		      struct cth_nack *nack)
{
	int r;

	if (!common.dry_run)
		return cth_attach(s, m, a, nack);
	r = cth_attach_put(m, cth_sock_seq(s), a);
	return r < 0 ? r : cth_sock_request(s, cth_msg_bytes(m), NULL, NULL, nack);
}

static int attach_all(struct cth_sock *s, const struct plan *p, const struct target *targets,
		      size_t n)
{
	size_t room = CTH_ATTACH_ROOM(p->n), i;
	struct cth_nack nack = { 0 };
	uint8_t *buf = malloc(room);
	struct cth_msg m;
	int err = 0, status = CTH_EXIT_OK;

	if (!buf)
		return fail(ENOMEM, "attach", NULL, NULL);
	for (i = 0; i < n; i++) {
		struct cth_attach a = {
			p->which.name, targets[i].l4, targets[i].ipv4, targets[i].ipv6,
			p->ports, p->n, p->priority,
		};

		cth_msg_init(&m, buf, room);
		err = attach_one(s, &m, &a, &nack);
		if (err < 0)
			break;
	}
	free(buf);
	tell_all(p, targets, i);
	if (err < 0)
		status = attach_refused(err, &nack,
					phrase("attach %s", target_text(p, targets[i].l4,
									!targets[i].ipv4)),
					p->which.name);
	return status;
}

static int attach_planned(const struct applet *self, struct plan *p)
{
	struct target targets[256];
	bool offline = p->print && p->which.has_l3 && p->which.has_l4;
	struct cth_sock s;
	size_t n;
	int status;

	if (offline) {
		find_targets(self, NULL, p, targets, &n);
		return print_all(self, p, targets, n);
	}
	status = kernel_open(&s);
	if (status)
		return status;
	status = find_targets(self, &s, p, targets, &n);
	if (status < 0)
		status = p->print ? print_all(self, p, targets, n) : attach_all(&s, p, targets, n);
	kernel_close(&s);
	return status;
}

static int attach_main(const struct applet *self, int argc, char **argv)
{
	static const struct applet_option options[] = {
		{ "port", required_argument, 'p' },
		{ "priority", required_argument, OPT_PRIORITY },
		{ "print", no_argument, OPT_PRINT },
		{ NULL, 0, 0 },
	};
	struct plan p = { .priority = CTH_ATTACH_PRIORITY };
	int bad = take_options(self, options, argc, argv, &p);

	if (bad < 0)
		bad = take_words(self, argc - optind, argv + optind, &p);
	if (bad < 0)
		bad = attach_planned(self, &p);
	free(p.ports);
	return bad;
}

/* detach */

/* Packets that wait in the queues of this namespace, and where, in words. */
static uint64_t waiting(char *where, size_t n)
{
	struct proc_queue list[256];
	int count = proc_queues(list, sizeof(list) / sizeof(list[0]));
	uint64_t sum = 0;
	size_t used = 0;

	where[0] = 0;
	for (int i = 0; i < count && i < 256; i++) {
		if (list[i].waiting == 0)
			continue;
		sum += list[i].waiting;
		if (used < n)
			used += (size_t)snprintf(where + used, n - used,
						 "%squeue %" PRIu32 " (%" PRIu32 ")", used ? ", " : "",
						 list[i].num, list[i].waiting);
	}
	return sum;
}

/* To destroy a helper's object drops whatever waits in any queue of the namespace. */
static void drain(unsigned seconds)
{
	struct timespec step = { 0, DRAIN_STEP_MS * 1000000L };
	char where[256];

	for (unsigned i = 0; i < seconds * (1000 / DRAIN_STEP_MS); i++) {
		if (waiting(where, sizeof(where)) == 0)
			return;
		nanosleep(&step, NULL);
	}
	if (waiting(where, sizeof(where)) != 0)
		warn("packets still wait after %u s, and may be dropped now: %s", seconds, where);
}

typedef int step_fn(struct cth_sock *s, struct cth_msg *m, const char *helper, bool ipv6,
		    struct cth_nack *nack);

/* One step for both families, noting which had something: 0, or -1 and *status has been said. */
static int for_both(struct cth_sock *s, step_fn *step, const char *name, bool had[2], int *status)
{
	uint8_t buf[CTH_ATTACH_ROOM(0)];
	struct cth_nack nack = { 0 };
	struct cth_msg m;
	int unsupported = 0, err;

	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		cth_msg_init(&m, buf, sizeof(buf));
		err = step(s, &m, name, ipv6, &nack);
		had[ipv6] = had[ipv6] || err == 0;
		/* One family may be missing in a kernel; that both are is an error. */
		if (err == -EOPNOTSUPP || err == -EPROTONOSUPPORT)
			unsupported++;
		if (err == 0 || err == -ENOENT || (unsupported == 1 && exit_code(err) ==
						   CTH_EXIT_UNSUPPORTED))
			continue;
		*status = attach_refused(err, &nack, phrase("detach %s", name), name);
		return -1;
	}
	return 0;
}

static int detach_planned(const struct plan *p)
{
	bool had[2] = { false, false };
	struct cth_sock s;
	int status = kernel_open(&s);

	if (status)
		return status;
	if (for_both(&s, cth_attach_clear, p->which.name, had, &status) == 0) {
		if ((had[0] || had[1]) && !common.dry_run)
			drain(p->seconds);
		for_both(&s, cth_detach, p->which.name, had, &status);
	}
	if (status == CTH_EXIT_OK && !had[0] && !had[1])
		done("%s is not attached", p->which.name);
	else if (status == CTH_EXIT_OK)
		done("%s detached (%s%s%s)", p->which.name, had[0] ? "inet" : "",
		     had[0] && had[1] ? ", " : "", had[1] ? "inet6" : "");
	kernel_close(&s);
	return status;
}

static int detach_main(const struct applet *self, int argc, char **argv)
{
	static const struct applet_option options[] = {
		{ "wait", required_argument, 'w' },
		{ NULL, 0, 0 },
	};
	struct plan p = { .seconds = DRAIN_SECONDS };
	int bad = take_options(self, options, argc, argv, &p);

	if (bad >= 0)
		return bad;
	if (argc - optind > 1)
		return usage_error(self, "'%s' is too much: all of a helper's rules go as one",
				   argv[optind + 1]);
	bad = parse_selection(self, 1, argv + optind, &p.which);
	return bad < 0 ? detach_planned(&p) : bad;
}

const struct applet attach_applet = {
	"attach", "[OPTION]... NAME [inet|inet6] [tcp|udp]",
	"Makes the rules that give connections a helper.\n\n"
	"In this network namespace, with nf_tables alone: connections to and through this machine\n"
	"and those that begin here. Protocols that are not told are those that the helper is\n"
	"registered for. Done again, it replaces the rules.\n"
	"  -p, --port PORT[-PORT][,...]  destination ports; every port if not told\n"
	"      --priority NUMBER         of the chains, -199 to -101; -150 if not told\n"
	"      --print                   print it in nft's language instead of doing it\n"
	"\nExamples:\n"
	"  cth attach test\n"
	"  cth attach ftp inet tcp -p 21,2121\n",
	attach_main,
};

const struct applet detach_applet = {
	"detach", "[OPTION]... NAME",
	"Takes away what attach made.\n\n"
	"First the rules; then, when no packet waits in any queue of this network namespace, for\n"
	"the kernel would drop it, all the rest. That it was not attached is no error.\n"
	"  -w, --wait SECONDS            for the queues to become empty; 5 if not told\n"
	"\nExample:\n"
	"  cth detach test\n",
	detach_main,
};
