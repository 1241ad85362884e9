/* SPDX-License-Identifier: MIT */
/*
 * run_options.c - the command line of `cth run`.
 */
#include <errno.h>
#include <sys/socket.h>
#include "attach.h"
#include "run.h"

#define DEADLINE_MS     1000
#define RESTARTS        20
#define RESTARTS_IN     60 /* seconds */
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

enum {
	OPT_LEN = OPT_APPLET, OPT_RCVBUF, OPT_ATTACH, OPT_NETNS, OPT_FOREIGN, OPT_LOW_PORTS,
	OPT_LIST, OPT_SINGLE, OPT_KEEPER, OPT_WORKER, OPT_DEADLINE, OPT_CLOSED, OPT_KEEP, OPT_NO_SECCOMP,
	OPT_RESTARTS,
};

static const struct option long_options[] = {
	COMMON_LONG,
	{ "queue", required_argument, NULL, 'q' },
	{ "queue-len", required_argument, NULL, OPT_LEN },
	{ "rcvbuf", required_argument, NULL, OPT_RCVBUF },
	{ "l3", required_argument, NULL, '3' },
	{ "attach", no_argument, NULL, OPT_ATTACH },
	{ "port", required_argument, NULL, 'p' },
	{ "netns", required_argument, NULL, OPT_NETNS },
	{ "allow-foreign", no_argument, NULL, OPT_FOREIGN },
	{ "allow-low-ports", no_argument, NULL, OPT_LOW_PORTS },
	{ "verbose", no_argument, NULL, 'v' },
	{ "list", no_argument, NULL, OPT_LIST },
	{ "single", no_argument, NULL, OPT_SINGLE },
	{ "keeper", required_argument, NULL, OPT_KEEPER },
	{ "worker", required_argument, NULL, OPT_WORKER },
	{ "deadline", required_argument, NULL, OPT_DEADLINE },
	{ "restarts", required_argument, NULL, OPT_RESTARTS },
	{ "fail-closed", no_argument, NULL, OPT_CLOSED },
	{ "keep", required_argument, NULL, OPT_KEEP },
	{ "no-seccomp", no_argument, NULL, OPT_NO_SECCOMP },
	{ NULL, 0, NULL, 0 },
};

static int take_family(const struct applet *self, struct run *r)
{
	uint16_t l3;

	if (!parse_l3(optarg, &l3))
		return usage_error(self, "--l3 %s: it is inet or inet6", optarg);
	r->config.no_ipv6 = l3 == AF_INET;
	r->config.no_ipv4 = l3 == AF_INET6;
	return -1;
}

/* COUNT/SECONDS, as `restarts COUNT in SECONDS seconds` of cth.conf. */
static bool take_restarts(char *word, struct run *r)
{
	char *slash = strchr(word, '/');
	uint64_t count, seconds;
	bool good;

	if (!slash)
		return false;
	*slash = 0;
	good = parse_number(word, 0, 100000, &count) &&
	       parse_number(slash + 1, 1, 86400, &seconds);
	*slash = '/';
	if (!good)
		return false;
	r->restarts.count = (uint32_t)count;
	r->restarts.seconds = (uint32_t)seconds;
	return true;
}

/* Those of the three roles. */
static int take_role_option(const struct applet *self, int c, struct run *r)
{
	uint64_t v;

	switch (c) {
	case OPT_SINGLE:
		r->single = true;
		return -1;
	case OPT_KEEPER:
		r->keeper = optarg;
		return -1;
	case OPT_WORKER:
		r->worker = optarg;
		return -1;
	case OPT_DEADLINE:
		if (!parse_number(optarg, 10, 60000, &v))
			return usage_error(self, "--deadline %s: it is a number of milliseconds from 10 "
					   "to 60000", optarg);
		r->deadline_ms = (unsigned)v;
		return -1;
	case OPT_RESTARTS:
		return take_restarts(optarg, r) ? -1 :
		       usage_error(self, "--restarts %s: it is COUNT/SECONDS, of at most 100000 and "
				   "86400", optarg);
	case OPT_CLOSED:
		r->fail_closed = true;
		return -1;
	case OPT_KEEP:
		r->keep_path = optarg;
		return -1;
	case OPT_NO_SECCOMP:
		r->keeper_jail.no_seccomp = r->worker_jail.no_seccomp = true;
		return -1;
	}
	return common_option(self, c);
}

/* -1: taken, or an exit code. */
static int take_option(const struct applet *self, int c, struct run *r)
{
	uint64_t v;

	switch (c) {
	case 'q':
		if (!parse_number(optarg, 0, UINT16_MAX, &v))
			return usage_error(self, "--queue %s: it is a number from 0 to 65535",
					   optarg);
		r->config.queue = (uint16_t)v;
		r->queue_given = true;
		return -1;
	case OPT_LEN:
		if (!parse_number(optarg, 1, UINT16_MAX, &v))
			return usage_error(self, "--queue-len %s: it is a number of packets from 1 "
					   "to 65535", optarg);
		r->config.maxlen = (uint32_t)v;
		return -1;
	case OPT_RCVBUF:
		if (!parse_number(optarg, 1, INT32_MAX / 2, &v))
			return usage_error(self, "--rcvbuf %s: it is a number of bytes from 1 to "
					   "1073741823", optarg);
		r->config.rcvbuf = (int)v;
		return -1;
	case '3':
		return take_family(self, r);
	case 'p':
		return take_ports(self, optarg, &r->ports, &r->config.ports_n);
	case OPT_ATTACH:
		r->config.attach = true;
		return -1;
	case OPT_NETNS:
		r->netns = optarg;
		return -1;
	case OPT_FOREIGN:
		r->allow |= CTH_ALLOW_FOREIGN;
		return -1;
	case OPT_LOW_PORTS:
		r->allow |= CTH_ALLOW_LOW_PORTS;
		return -1;
	case 'v':
		r->verbose = true;
		return -1;
	case OPT_LIST:
		r->list = true;
		return -1;
	}
	return take_role_option(self, c, r);
}

/* PROTOCOL, or NAME=PROTOCOL */
static int take_served(const struct applet *self, char *word, struct run *r)
{
	char *equals = strchr(word, '='), *proto = equals ? equals + 1 : word;
	struct cth_served *s = &r->served[r->config.n];
	size_t length = equals ? (size_t)(equals - word) : strlen(word);

	if (r->config.n == CTH_SERVICE_HELPERS)
		return usage_error(self, "%d protocols at most", CTH_SERVICE_HELPERS);
	s->proto = cth_proto_find(proto);
	if (!s->proto)
		return usage_error(self, "there is no protocol '%s'; there are: %s", proto,
				   protocol_words());
	if (length == 0 || length >= CTH_HELPER_NAME || strspn(word, NAME_CHARACTERS) != length)
		return usage_error(self, "'%s': NAME=%s takes a name of 1 to 15 letters, digits and "
				   ". _ -", word, s->proto->name);
	if (equals)
		*equals = 0;
	s->name = word;
	s->allow = r->allow;
	for (size_t i = 0; i < r->config.n; i++)
		if (strcmp(r->served[i].name, s->name) == 0)
			return usage_error(self, "'%s' twice: helpers need names that differ, as in "
					   "my-%s=%s", s->name, s->proto->name, s->proto->name);
	r->config.n++;
	return -1;
}

static int check_options(const struct applet *self, const struct run *r)
{
	if (r->config.n == 0)
		return usage_error(self, "which protocol? There are: %s", protocol_words());
	if (r->config.ports_n && !r->config.attach)
		return usage_error(self, "-p goes with --attach");
	if (r->config.ports_n && r->config.n > 1)
		return usage_error(self, "-p goes with one protocol: of several each has its own "
				   "port");
	if (r->single && (r->keeper || r->worker || r->keep_path || r->fail_closed))
		return usage_error(self, "--keeper, --worker, --keep and --fail-closed go with more "
				   "processes than --single is");
	return -1;
}

int take_run(const struct applet *self, int argc, char **argv, struct run *r)
{
	int c, bad = -1;

	r->deadline_ms = DEADLINE_MS;
	r->restarts.count = RESTARTS;
	r->restarts.seconds = RESTARTS_IN;
	while (bad < 0 && (c = getopt_long(argc, argv, COMMON_SHORT "q:3:p:v", long_options,
					   NULL)) != -1)
		bad = take_option(self, c, r);
	if (bad >= 0)
		return bad;
	if (r->list && optind < argc)
		return usage_error(self, "unexpected word: %s", argv[optind]);
	if (r->list) {
		show_protocols();
		return CTH_EXIT_OK;
	}
	for (; bad < 0 && optind < argc; optind++)
		bad = take_served(self, argv[optind], r);
	r->config.served = r->served;
	r->config.ports = r->ports;
	return bad < 0 ? check_options(self, r) : bad;
}
