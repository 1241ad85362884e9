/* SPDX-License-Identifier: MIT */
/*
 * run_options.c - the command line of `cth run`: either it names a file, or it says all that
 * could stand in one, the same for each helper.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "attach.h"
#include "run.h"

/* Users without a name: numbers that systems give to nobody for long. */
#define KEEPER_USER     "64901"
#define WORKER_USER     "64902"
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

enum {
	OPT_LEN = OPT_APPLET, OPT_RCVBUF, OPT_ATTACH, OPT_NETNS, OPT_FOREIGN, OPT_LOW_PORTS,
	OPT_LIST, OPT_SINGLE, OPT_KEEPER, OPT_WORKER, OPT_DEADLINE, OPT_CLOSED, OPT_KEEP, OPT_NO_SECCOMP,
	OPT_RESTARTS, OPT_CONFIG, OPT_CONNTRACKD, OPT_CHECK, OPT_STATUS, OPT_LOG,
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
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "conntrackd", required_argument, NULL, OPT_CONNTRACKD },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "single", no_argument, NULL, OPT_SINGLE },
	{ "keeper", required_argument, NULL, OPT_KEEPER },
	{ "worker", required_argument, NULL, OPT_WORKER },
	{ "deadline", required_argument, NULL, OPT_DEADLINE },
	{ "restarts", required_argument, NULL, OPT_RESTARTS },
	{ "fail-closed", no_argument, NULL, OPT_CLOSED },
	{ "keep", required_argument, NULL, OPT_KEEP },
	{ "status", required_argument, NULL, OPT_STATUS },
	{ "no-seccomp", no_argument, NULL, OPT_NO_SECCOMP },
	{ "log", required_argument, NULL, OPT_LOG },
	{ NULL, 0, NULL, 0 },
};

/* What the command line says of every helper; and of the run, what a file would say. */
struct words {
	struct conf_helper helper;
	const char *keeper, *worker, *keep, *status; /* NULL: not told */
	uint32_t deadline;         /* 0: not told */
	struct {
		uint32_t count, seconds;
	} restarts;                /* seconds is 0: not told */
	bool cth_says, conntrackd_says; /* an option was there that this form of a file has a word for */
};

static int take_family(const struct applet *self, struct words *w)
{
	uint16_t l3;

	if (!parse_l3(optarg, &l3))
		return usage_error(self, "--l3 %s: it is inet or inet6", optarg);
	w->helper.families = l3 == AF_INET ? CONF_IPV4 : CONF_IPV6;
	return -1;
}

/* COUNT/SECONDS, as `restarts COUNT in SECONDS seconds` of cth.conf. */
static bool take_restarts(char *word, struct words *w)
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
	w->restarts.count = (uint32_t)count;
	w->restarts.seconds = (uint32_t)seconds;
	return true;
}

/* Those of the three roles. */
static int take_role_option(const struct applet *self, int c, struct run *r, struct words *w)
{
	uint64_t v;

	switch (c) {
	case OPT_KEEPER:
		w->keeper = optarg;
		return -1;
	case OPT_WORKER:
		w->worker = optarg;
		return -1;
	case OPT_DEADLINE:
		if (!parse_number(optarg, 10, 60000, &v))
			return usage_error(self, "--deadline %s: it is a number of milliseconds from 10 "
					   "to 60000", optarg);
		w->deadline = (uint32_t)v;
		return -1;
	case OPT_RESTARTS:
		return take_restarts(optarg, w) ? -1 :
		       usage_error(self, "--restarts %s: it is COUNT/SECONDS, of at most 100000 and "
				   "86400", optarg);
	case OPT_CLOSED:
		w->helper.fail_closed = true;
		return -1;
	case OPT_KEEP:
		w->keep = r->keep_path = optarg;
		return -1;
	case OPT_STATUS:
		w->status = optarg;
		r->status.off = strcmp(optarg, "off") == 0;
		r->status.path = r->status.off ? NULL : optarg;
		return -1;
	}
	return common_option(self, c);
}

/* Those that cth.conf has words for, and a conntrackd.conf a few: -1: taken, or an exit code. */
static int take_word_option(const struct applet *self, int c, struct run *r, struct words *w)
{
	uint64_t v;

	w->cth_says = true;
	w->conntrackd_says |= c == 'q' || c == OPT_LEN || c == '3' || c == 'p';
	switch (c) {
	case 'q':
		if (!parse_number(optarg, 0, UINT16_MAX, &v))
			return usage_error(self, "--queue %s: it is a number from 0 to 65535",
					   optarg);
		w->helper.queue = (uint32_t)v;
		r->queue_given = true;
		return -1;
	case OPT_LEN:
		if (!parse_number(optarg, 1, UINT16_MAX, &v))
			return usage_error(self, "--queue-len %s: it is a number of packets from 1 "
					   "to 65535", optarg);
		w->helper.length = (uint32_t)v;
		return -1;
	case '3':
		return take_family(self, w);
	case 'p':
		return take_ports(self, optarg, &w->helper.ports, &w->helper.ports_n);
	case OPT_ATTACH:
		w->helper.attach = true;
		return -1;
	case OPT_NETNS:
		w->helper.netns = optarg;
		return -1;
	case OPT_FOREIGN:
		w->helper.allow |= CTH_ALLOW_FOREIGN;
		return -1;
	case OPT_LOW_PORTS:
		w->helper.allow |= CTH_ALLOW_LOW_PORTS;
		return -1;
	}
	return take_role_option(self, c, r, w);
}

/* Those that go with a file too. */
static int take_option(const struct applet *self, int c, struct run *r, struct words *w)
{
	uint64_t v;

	switch (c) {
	case OPT_CONFIG:
		r->conf_path = optarg;
		return -1;
	case OPT_CONNTRACKD:
		r->conf_path = r->conntrackd_path = optarg;
		return -1;
	case OPT_CHECK:
		r->check = true;
		return -1;
	case OPT_SINGLE:
		r->single = true;
		return -1;
	case OPT_NO_SECCOMP:
		r->keeper_jail.no_seccomp = r->worker_jail.no_seccomp = true;
		return -1;
	case OPT_LOG:
		r->log = optarg;
		return strcmp(optarg, "syslog") == 0 || strcmp(optarg, "stderr") == 0 ? -1 :
		       usage_error(self, "--log %s: it is stderr or syslog", optarg);
	case OPT_RCVBUF:
		if (!parse_number(optarg, 1, INT32_MAX / 2, &v))
			return usage_error(self, "--rcvbuf %s: it is a number of bytes from 1 to "
					   "1073741823", optarg);
		r->rcvbuf = (int)v;
		return -1;
	case 'v':
		r->verbose = true;
		return -1;
	case OPT_LIST:
		r->list = true;
		return -1;
	}
	if (c > OPT_APPLET - 1 || strchr("q3p", c))
		return take_word_option(self, c, r, w);
	return common_option(self, c);
}

/* A helper on the words' terms. */
static int add_helper(struct run *r, const struct cth_proto *proto, const char *name,
		      const struct words *w)
{
	struct conf_report report = { .errors = { .n = 0 } };
	struct conf_helper *h = conf_add(&r->conf, proto, 0);

	if (!h)
		return fail(ENOMEM, "set up the service", NULL, NULL);
	conf_set_text(&h->name, name, &report);
	conf_set_text(&h->netns, w->helper.netns, &report);
	h->queue = w->helper.queue;
	h->length = w->helper.length;
	h->families = w->helper.families;
	h->attach = w->helper.attach;
	h->allow = w->helper.allow;
	h->fail_closed = w->helper.fail_closed;
	for (size_t i = 0; i < w->helper.ports_n; i++)
		conf_add_ports(h, w->helper.ports[i].first, w->helper.ports[i].last, &report);
	return report.errors.failed ? fail(ENOMEM, "set up the service", NULL, NULL) : -1;
}

/* PROTOCOL, or NAME=PROTOCOL */
static int take_served(const struct applet *self, char *word, struct run *r, const struct words *w)
{
	char *equals = strchr(word, '='), *name = equals ? equals + 1 : word;
	const struct cth_proto *proto = cth_proto_find(name);
	size_t length = equals ? (size_t)(equals - word) : strlen(word);

	if (r->conf.n == CTH_SERVICE_HELPERS)
		return usage_error(self, "%d protocols at most", CTH_SERVICE_HELPERS);
	if (!proto)
		return usage_error(self, "there is no protocol '%s'; there are: %s%s", name,
				   protocol_words(), equals || strspn(name, NAME_CHARACTERS) != length
				   ? "" : phrase("; one of them under that name: %s=PROTOCOL", name));
	if (length == 0 || length >= CTH_HELPER_NAME || strspn(word, NAME_CHARACTERS) != length)
		return usage_error(self, "'%s': NAME=%s takes a name of 1 to 15 letters, digits and "
				   ". _ -", word, proto->name);
	if (equals)
		*equals = 0;
	for (size_t i = 0; i < r->conf.n; i++)
		if (strcmp(r->conf.helpers[i].name, word) == 0)
			return usage_error(self, "'%s' twice: helpers need names that differ, as in "
					   "my-%s=%s", word, proto->name, proto->name);
	return add_helper(r, proto, word, w);
}

/* Those of more processes. */
static int check_single(const struct applet *self, const struct run *r, const struct words *w)
{
	if (r->single && (w->keeper || w->worker || r->keep_path || w->helper.fail_closed ||
			  r->status.path))
		return usage_error(self, "--keeper, --worker, --keep, --status and --fail-closed go "
				   "with more processes than --single is");
	return -1;
}

static int check_options(const struct applet *self, const struct run *r, const struct words *w)
{
	if (r->conf.n == 0)
		return usage_error(self, "which protocol? There are: %s", protocol_words());
	if (w->helper.ports_n && !w->helper.attach)
		return usage_error(self, "-p goes with --attach");
	if (w->helper.ports_n && r->conf.n > 1)
		return usage_error(self, "-p goes with one protocol: of several each has its own "
				   "port");
	if (r->check)
		return usage_error(self, "--check goes with --config or --conntrackd");
	return check_single(self, r, w);
}

/* What is said of the run as a whole. */
static void say_of_run(const struct run *r, const struct words *w, struct conf *c,
		       struct conf_report *report)
{
	conf_set_text(&c->keeper, w->keeper ? w->keeper : KEEPER_USER, report);
	conf_set_text(&c->worker, w->worker ? w->worker : WORKER_USER, report);
	c->optional_users = true;
	if (w->deadline)
		c->deadline = w->deadline;
	if (w->restarts.seconds) {
		c->restarts.count = w->restarts.count;
		c->restarts.seconds = w->restarts.seconds;
	}
	if (w->keep || !r->conf_path)
		conf_set_text(&c->packets, NULL, report);
	if (r->log)
		c->syslog = strcmp(r->log, "syslog") == 0;
}

/* What a conntrackd.conf has no words for, the same for each helper, as without a file. */
int run_say_beside(const struct run *r, struct conf *c)
{
	struct conf_report report = { .errors = { .n = 0 } };
	const struct words *w = r->words;

	say_of_run(r, w, c, &report);
	if (w->status) {
		conf_set_text(&c->status, strcmp(w->status, "off") == 0 ? NULL : w->status, &report);
		c->at[CONF_STATUS] = 1; /* it is asked for, if not by the file */
	}
	for (size_t i = 0; i < c->n; i++) {
		struct conf_helper *h = &c->helpers[i];

		conf_set_text(&h->netns, w->helper.netns, &report);
		h->attach = w->helper.attach;
		if (h->attach && h->proto->port)
			conf_add_ports(h, h->proto->port, h->proto->port, &report);
		h->allow |= w->helper.allow;
		h->fail_closed |= w->helper.fail_closed;
	}
	return report.errors.failed ? -ENOMEM : 0;
}

/* All of it is in the file, or all of that which it has words for. */
static int take_file(const struct applet *self, int argc, struct run *r, const struct words *w)
{
	int status;

	if (optind < argc || (r->conntrackd_path ? w->conntrackd_says : w->cth_says))
		return usage_error(self, "--config and --conntrackd go without protocols, and without "
				   "options that say what the file says; `cth run --help`");
	status = check_single(self, r, w);
	if (status >= 0)
		return status;
	conf_free(&r->conf);
	r->words = w;
	status = run_read_conf(r, &r->conf);
	return status == CTH_EXIT_OK ? -1 : status;
}

static int take_protocols(const struct applet *self, int argc, char **argv, struct run *r,
			  const struct words *w)
{
	struct conf_report report = { .errors = { .n = 0 } };
	int bad = -1;

	for (; bad < 0 && optind < argc; optind++)
		bad = take_served(self, argv[optind], r, w);
	say_of_run(r, w, &r->conf, &report);
	if (report.errors.failed)
		return fail(ENOMEM, "set up the service", NULL, NULL);
	return bad < 0 ? check_options(self, r, w) : bad;
}

int take_run(const struct applet *self, int argc, char **argv, struct run *r)
{
	struct conf_report report = { .errors = { .n = 0 } };
	static struct words w; /* a file that is read again is read beside them */
	static const struct words usual = { .helper = { .length = CTH_SERVICE_MAXLEN,
						  .families = CONF_IPV4 | CONF_IPV6 } };
	int c, bad = -1;

	w = usual;
	if (conf_begin(&r->conf, "cth run", &report) < 0)
		return fail(ENOMEM, "set up the service", NULL, NULL);
	while (bad < 0 && (c = getopt_long(argc, argv, COMMON_SHORT "q:3:p:v", long_options,
					   NULL)) != -1)
		bad = take_option(self, c, r, &w);
	if (bad < 0 && r->list && optind < argc)
		bad = usage_error(self, "unexpected word: %s", argv[optind]);
	if (bad < 0 && r->list) {
		show_protocols();
		bad = CTH_EXIT_OK;
	}
	if (bad < 0)
		bad = r->conf_path ? take_file(self, argc, r, &w)
				   : take_protocols(self, argc, argv, r, &w);
	free(w.helper.ports);
	return bad;
}
