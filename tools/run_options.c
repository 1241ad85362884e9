/* SPDX-License-Identifier: MIT */
/*
 * run_options.c - the command line of `cth run`: either it names a file, or it says all that
 * could stand in one, the same for each helper. What a number may be the file's words tell:
 * conf_words.
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
	OPT_RESTARTS, OPT_CONFIG, OPT_CONNTRACKD, OPT_CHECK, OPT_STATUS, OPT_LOG, OPT_FULL,
	OPT_EXPECTATIONS, OPT_DECISIONS,
};

static const struct applet_option long_options[] = {
	{ "queue", required_argument, 'q' },
	{ "queue-len", required_argument, OPT_LEN },
	{ "rcvbuf", required_argument, OPT_RCVBUF },
	{ "l3", required_argument, '3' },
	{ "attach", no_argument, OPT_ATTACH },
	{ "port", required_argument, 'p' },
	{ "netns", required_argument, OPT_NETNS },
	{ "allow-foreign", no_argument, OPT_FOREIGN },
	{ "allow-low-ports", no_argument, OPT_LOW_PORTS },
	{ "verbose", no_argument, 'v' },
	{ "list", no_argument, OPT_LIST },
	{ "config", required_argument, OPT_CONFIG },
	{ "conntrackd", required_argument, OPT_CONNTRACKD },
	{ "check", no_argument, OPT_CHECK },
	{ "single", no_argument, OPT_SINGLE },
	{ "keeper", required_argument, OPT_KEEPER },
	{ "worker", required_argument, OPT_WORKER },
	{ "deadline", required_argument, OPT_DEADLINE },
	{ "restarts", required_argument, OPT_RESTARTS },
	{ "fail-closed", no_argument, OPT_CLOSED },
	{ "full", required_argument, OPT_FULL },
	{ "expectations", required_argument, OPT_EXPECTATIONS },
	{ "decisions", required_argument, OPT_DECISIONS },
	{ "class", required_argument, 'c' },
	{ "keep", required_argument, OPT_KEEP },
	{ "status", required_argument, OPT_STATUS },
	{ "no-seccomp", no_argument, OPT_NO_SECCOMP },
	{ "log", required_argument, OPT_LOG },
	{ NULL, 0, 0 },
};

#define TOLD_CLASSES 16

/* What the command line says of every helper; and of the run, what a file would say. */
struct words {
	struct conf_helper helper;
	bool full_told;
	struct told_class {
		const char *text;  /* NAME:MAX:TIMEOUT */
		size_t name_n;
		uint32_t max, timeout;
		bool found;        /* one of the protocols has it */
	} classes[TOLD_CLASSES];   /* each for the protocols that have a class of this name */
	size_t classes_n;
	const char *keeper, *worker, *keep, *status; /* NULL: not told */
	uint32_t deadline;         /* 0: not told */
	struct {
		uint32_t count, seconds;
	} restarts;                /* seconds is 0: not told */
	bool config;               /* a cth.conf was named */
	bool cth_says, conntrackd_says; /* an option was there that this form of a file has a word for */
};

/* The nth number of a word of cth.conf: -1, or an exit code. form: what the option takes. */
static int take_number(const struct applet *self, const char *option, enum conf_number number,
		       const char *form, uint32_t *to)
{
	const struct conf_word *w = &conf_words[number];
	uint64_t v;

	if (!parse_number(optarg, w->min[0], w->max[0], &v))
		return usage_error(self, "--%s %s: it is a number%s from %u to %u", option, optarg,
				   form, w->min[0], w->max[0]);
	*to = (uint32_t)v;
	return -1;
}

/* NAME:MAX:TIMEOUT; the numbers are at its end. */
static bool read_class(char *text, struct told_class *class)
{
	const struct conf_word *max_word = &conf_words[CONF_MAX];
	const struct conf_word *timeout_word = &conf_words[CONF_TIMEOUT];
	char *timeout = strrchr(text, ':'), *max;
	uint64_t m, t;
	bool good;

	max = timeout ? memrchr(text, ':', (size_t)(timeout - text)) : NULL;
	if (!max || max == text)
		return false;
	*timeout = 0;
	good = parse_number(max + 1, max_word->min[0], max_word->max[0], &m) &&
	       parse_number(timeout + 1, timeout_word->min[0], timeout_word->max[0], &t);
	*timeout = ':';
	if (good)
		*class = (struct told_class){ .text = text, .name_n = (size_t)(max - text),
					      .max = (uint32_t)m, .timeout = (uint32_t)t };
	return good;
}

static int take_class(const struct applet *self, char *text, struct words *w)
{
	struct told_class class;

	if (!read_class(text, &class))
		return usage_error(self, "--class %s: it is NAME:MAX:TIMEOUT, of at most %u and %u, such "
				   "as ftp:8:60", text, conf_words[CONF_MAX].max[0],
				   conf_words[CONF_TIMEOUT].max[0]);
	for (size_t i = 0; i < w->classes_n; i++)
		if (w->classes[i].name_n == class.name_n &&
		    memcmp(w->classes[i].text, text, class.name_n) == 0)
			return usage_error(self, "--class %s: that class is there already: %s", text,
					   w->classes[i].text);
	if (w->classes_n == TOLD_CLASSES)
		return usage_error(self, "--class %s: %d at most", text, TOLD_CLASSES);
	w->classes[w->classes_n++] = class;
	return -1;
}

static int take_full(const struct applet *self, struct words *w)
{
	w->full_told = true;
	w->helper.full_closed = strcmp(optarg, "closed") == 0;
	return w->helper.full_closed || strcmp(optarg, "open") == 0 ? -1 :
	       usage_error(self, "--full %s: it is open or closed", optarg);
}

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
	const struct conf_word *restarts = &conf_words[CONF_RESTARTS];
	char *slash = strchr(word, '/');
	uint64_t count, seconds;
	bool good;

	if (!slash)
		return false;
	*slash = 0;
	good = parse_number(word, restarts->min[0], restarts->max[0], &count) &&
	       parse_number(slash + 1, restarts->min[1], restarts->max[1], &seconds);
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
	switch (c) {
	case OPT_KEEPER:
		w->keeper = optarg;
		return -1;
	case OPT_WORKER:
		w->worker = optarg;
		return -1;
	case OPT_DEADLINE:
		return take_number(self, "deadline", CONF_DEADLINE, " of milliseconds", &w->deadline);
	case OPT_RESTARTS:
		return take_restarts(optarg, w) ? -1 :
		       usage_error(self, "--restarts %s: it is COUNT/SECONDS, of at most %u and %u",
				   optarg, conf_words[CONF_RESTARTS].max[0],
				   conf_words[CONF_RESTARTS].max[1]);
	case OPT_CLOSED:
		w->helper.fail_closed = true;
		return -1;
	case OPT_DECISIONS:
		return take_number(self, "decisions", CONF_DECISIONS, " per second",
				   &w->helper.decisions);
	case OPT_KEEP:
		w->keep = optarg;
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
	w->cth_says = true;
	w->conntrackd_says |= c == 'q' || c == OPT_LEN || c == '3' || c == 'p' || c == 'c';
	switch (c) {
	case 'q':
		r->queue_given = true;
		return take_number(self, "queue", CONF_QUEUE, "", &w->helper.queue);
	case OPT_LEN:
		return take_number(self, "queue-len", CONF_QUEUE_LENGTH, " of packets",
				   &w->helper.length);
	case OPT_FULL:
		return take_full(self, w);
	case OPT_EXPECTATIONS:
		return take_number(self, "expectations", CONF_EXPECTATIONS, " per second",
				   &w->helper.expectations);
	case 'c':
		return take_class(self, optarg, w);
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
		w->config = true;
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
	if (c > OPT_APPLET - 1 || strchr("q3pc", c))
		return take_word_option(self, c, r, w);
	return common_option(self, c);
}

static void set_classes(struct conf_helper *h, struct words *w)
{
	for (size_t i = 0; i < w->classes_n; i++) {
		struct told_class *told = &w->classes[i];

		for (size_t k = 0; k < CTH_CLASSES && h->proto->classes[k].name; k++) {
			const char *name = h->proto->classes[k].name;

			if (strlen(name) != told->name_n || memcmp(name, told->text, told->name_n) != 0)
				continue;
			told->found = true;
			h->classes[k].max = told->max;
			h->classes[k].timeout = told->timeout;
		}
	}
}

/* What cth.conf has words for, and a conntrackd.conf none: the same for each helper. */
static void set_limits(struct conf_helper *h, const struct words *w)
{
	h->allow |= w->helper.allow;
	h->expectations = w->helper.expectations;
	h->decisions = w->helper.decisions;
	h->fail_closed = w->helper.fail_closed;
	h->full_closed = w->full_told ? w->helper.full_closed : h->fail_closed;
}

/* A helper on the words' terms. */
static int add_helper(const struct applet *self, struct run *r, const struct cth_proto *proto,
		      const char *name, struct words *w)
{
	struct conf_report report = { .errors = { .n = 0 } };
	struct conf_helper *h = conf_add(&r->conf, proto, 0);

	if (!h)
		return fail(ENOMEM, "set up the service", NULL, NULL);
	if (w->helper.families & ~conf_families(proto))
		return usage_error(self, "--l3: %s is a protocol of %s alone", proto->name,
				   proto->family == AF_INET6 ? "inet6" : "inet");
	conf_set_text(&h->name, name, &report);
	conf_set_text(&h->netns, w->helper.netns, &report);
	h->queue = w->helper.queue;
	h->length = w->helper.length;
	if (w->helper.families)
		h->families = w->helper.families;
	h->attach = w->helper.attach;
	set_limits(h, w);
	set_classes(h, w);
	for (size_t i = 0; i < w->helper.ports_n; i++)
		conf_add_ports(h, w->helper.ports[i].first, w->helper.ports[i].last, &report);
	return report.errors.failed ? fail(ENOMEM, "set up the service", NULL, NULL) : -1;
}

/* PROTOCOL, or NAME=PROTOCOL */
static int take_served(const struct applet *self, char *word, struct run *r, struct words *w)
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
	return add_helper(self, r, proto, word, w);
}

/* Those of more processes. */
static int check_single(const struct applet *self, const struct run *r, const struct words *w)
{
	if (r->single && (w->keeper || w->worker || w->deadline || w->restarts.seconds ||
			  w->keep || r->status.path))
		return usage_error(self, "--keeper, --worker, --deadline, --restarts, --keep and --status "
				   "go with more processes than --single is");
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
	for (size_t i = 0; i < w->classes_n; i++)
		if (!w->classes[i].found)
			return usage_error(self, "--class %s: no protocol here has a class of this name; "
					   "`cth run --list` shows them", w->classes[i].text);
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
	if (w->keep) {
		conf_set_text(&c->packets, strcmp(w->keep, "off") == 0 ? NULL : w->keep, report);
		c->at[CONF_PACKETS] = 1; /* it is asked for, if not by the file */
	}
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
		set_limits(h, w);
	}
	return report.errors.failed ? -ENOMEM : 0;
}

/* All of it is in the file, or all of that which it has words for. */
static int take_file(const struct applet *self, int argc, struct run *r, const struct words *w)
{
	int status;

	if (w->config && r->conntrackd_path)
		return usage_error(self, "--config and --conntrackd: the one or the other");
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
			  struct words *w)
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
	static const struct words usual = { .helper = { .length = CTH_SERVICE_MAXLEN } };
	int c, bad = -1;

	w = usual;
	if (conf_begin(&r->conf, "cth run", &report) < 0)
		return fail(ENOMEM, "set up the service", NULL, NULL);
	while (bad < 0 && (c = next_option(argc, argv, long_options)) != -1)
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
