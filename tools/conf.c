/* SPDX-License-Identifier: MIT */
/*
 * conf.c - the configuration of the helper service: the table of its words, from which it is
 * read, printed and compared; its defaults; and what must be true of the whole.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "../cthelper/service.h"
#include "cth.h"
#include "conf.h"
#include "proc.h"

/* A longer time would run over where long has 32 bits and the clock ticks 1000 times a second. */
#define LONGEST_TIMEOUT 2147483

/*
 * ms: where the clock ticks 100 times a second a worker that waits for its turn once has taken
 * so long.
 */
#define SHORTEST_DEADLINE 10

/* A file of that many bytes is none of ours, and might not fit into a router's memory. */
#define LONGEST_FILE (1u << 20)

#define SOCKET_PATH 107 /* sockaddr_un has room for so much, and a NUL */

_Static_assert(CTH_ALLOW_FOREIGN == 1 && CTH_ALLOW_LOW_PORTS == 2, "allow's list is in this order");

const struct conf_word conf_words[CONF_WORDS] = {
	[CONF_KEEPER] = { .form = "keeper USER", .kind = CONF_IS_USER,
		.means = "the user of the process that speaks with the kernel",
		.otherwise = "cth-keeper", .at = offsetof(struct conf, keeper) },
	[CONF_WORKER] = { .form = "worker USER", .kind = CONF_IS_USER,
		.means = "the user of the process that reads what packets carry: another one",
		.otherwise = "cth-worker", .at = offsetof(struct conf, worker) },
	[CONF_STATUS] = { .form = "status SOCKET|off", .kind = CONF_IS_PATH,
		.means = "where `cth status` asks",
		.otherwise = "/run/cth/status", .max = { SOCKET_PATH },
		.at = offsetof(struct conf, status) },
	[CONF_PACKETS] = { .form = "packets FOLDER|off", .kind = CONF_IS_PATH,
		.means = "where a packet that killed the worker twice is kept",
		.otherwise = "/var/lib/cth", .live = true, .max = { CONF_PATH },
		.at = offsetof(struct conf, packets) },
	[CONF_RESTARTS] = { .form = "restarts COUNT in SECONDS seconds", .kind = CONF_IS_NUMBER,
		.means = "how often a process that dies is started again, before the service gives up",
		.otherwise = "20 in 60 seconds", .live = true, .min = { 0, 1 }, .max = { 100000, 86400 },
		.at = offsetof(struct conf, restarts) },
	[CONF_DEADLINE] = { .form = "deadline TIME ms", .kind = CONF_IS_NUMBER,
		.means = "a worker that thinks about one packet for longer is replaced",
		.otherwise = "1000 ms", .live = true, .min = { SHORTEST_DEADLINE }, .max = { 60000 },
		.at = offsetof(struct conf, deadline) },
	[CONF_LOG] = { .form = "log to stderr|syslog", .kind = CONF_IS_CHOICE,
		.means = "where messages go",
		.otherwise = "stderr", .live = true, .at = offsetof(struct conf, syslog) },

	[CONF_HELPER] = { .form = "helper PROTOCOL", .kind = CONF_IS_PROTOCOL,
		.means = "begins a helper",
		.at = offsetof(struct conf_helper, proto) },
	[CONF_AS] = { .form = "as NAME", .kind = CONF_IS_NAME,
		.means = "the name by which the kernel, and rules, know it",
		.otherwise = "the protocol's", .max = { CTH_HELPER_NAME - 1 },
		.at = offsetof(struct conf_helper, name) },
	[CONF_NETNS] = { .form = "netns NAME", .kind = CONF_IS_NETNS,
		.means = "the network namespace of its queue and rules: a name of `ip netns`, or a path",
		.otherwise = "the one that the service is started in", .max = { CONF_PATH },
		.at = offsetof(struct conf_helper, netns) },
	[CONF_QUEUE] = { .form = "queue NUMBER", .kind = CONF_IS_NUMBER,
		.means = "its queue; helpers of one namespace may share one",
		.live = true, .min = { 0 }, .max = { UINT16_MAX },
		.at = offsetof(struct conf_helper, queue) },
	[CONF_QUEUE_LENGTH] = { .form = "length PACKETS", .kind = CONF_IS_NUMBER,
		.means = "how many may wait in the queue",
		.otherwise = "512", .min = { 1 }, .max = { 1048576 },
		.at = offsetof(struct conf_helper, length) },
	[CONF_FAMILIES] = { .form = "families ipv4,ipv6", .kind = CONF_IS_SET,
		.means = "which it serves",
		.otherwise = "both", .at = offsetof(struct conf_helper, families) },
	[CONF_ATTACH] = { .form = "attach", .kind = CONF_IS_FLAG,
		.means = "make the rules that give flows this helper, too",
		.otherwise = "other rules do", .live = true, .at = offsetof(struct conf_helper, attach) },
	[CONF_PORTS] = { .form = "ports LIST", .kind = CONF_IS_PORTS,
		.means = "for which the rules are, such as 21,8000-8010; may be there several times",
		.otherwise = "the protocol's", .live = true, .min = { 1 }, .max = { UINT16_MAX },
		.at = offsetof(struct conf_helper, ports) },
	[CONF_ALLOW] = { .form = "allow foreign,low-ports", .kind = CONF_IS_SET,
		.means = "believe announcements of third addresses, of ports below 1024",
		.otherwise = "neither", .live = true, .at = offsetof(struct conf_helper, allow) },
	[CONF_EXPECTATIONS] = { .form = "expectations COUNT per second", .kind = CONF_IS_NUMBER,
		.means = "that the helper may make, in all its flows",
		.otherwise = "no limit", .live = true, .min = { 1 }, .max = { 1000000 },
		.at = offsetof(struct conf_helper, expectations) },
	[CONF_DECISIONS] = { .form = "decisions COUNT per second", .kind = CONF_IS_NUMBER,
		.means = "packets that the worker is asked about; those beyond cannot be decided",
		.otherwise = "no limit", .live = true, .min = { 1 }, .max = { 10000000 },
		.at = offsetof(struct conf_helper, decisions) },
	[CONF_FAIL] = { .form = "fail open|closed", .kind = CONF_IS_CHOICE,
		.means = "a packet that cannot be decided passes, or is dropped",
		.otherwise = "open", .live = true, .at = offsetof(struct conf_helper, fail_closed) },
	[CONF_FULL] = { .form = "full open|closed", .kind = CONF_IS_CHOICE,
		.means = "a packet that finds the queue full passes, or is dropped",
		.otherwise = "what fail says", .live = true,
		.at = offsetof(struct conf_helper, full_closed) },
	[CONF_CLASS] = { .form = "class NAME", .kind = CONF_IS_CLASS,
		.means = "of whose expectations max and timeout behind it speak",
		.otherwise = "the protocol's only one" },
	[CONF_MAX] = { .form = "max COUNT", .kind = CONF_IS_CLASS_NUMBER,
		.means = "expectations of the class that a flow may have at once",
		.otherwise = "the protocol's", .live = true, .min = { 1 }, .max = { CTH_HELPER_MAX },
		.at = offsetof(struct conf_class, max) },
	[CONF_TIMEOUT] = { .form = "timeout SECONDS", .kind = CONF_IS_CLASS_NUMBER,
		.means = "how long an expectation of the class waits",
		.otherwise = "the protocol's", .live = true, .min = { 1 }, .max = { LONGEST_TIMEOUT },
		.at = offsetof(struct conf_class, timeout) },
};

/* The table's words. */

static size_t word_length(const struct conf_word *w)
{
	return strcspn(w->form, " ");
}

const struct conf_word *conf_word(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < CONF_WORDS; i++)
		if (n == word_length(&conf_words[i]) && strncmp(text, conf_words[i].form, n) == 0)
			return &conf_words[i];
	return NULL;
}

bool conf_is_literal(const char *piece, size_t n)
{
	return islower((unsigned char)piece[0]) && !memchr(piece, '|', n) && !memchr(piece, ',', n);
}

const char *conf_protocols(char list[512])
{
	size_t n = 0;

	list[0] = 0;
	for (size_t i = 0; cth_protos[i] && n < 512; i++)
		n += (size_t)snprintf(list + n, 512 - n, "%s%s", n ? ", " : "", cth_protos[i]->name);
	return list;
}

/* Bytes. */

bool conf_is_text(const char *file, struct cth_span text, struct conf_report *r)
{
	unsigned line = 1;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		bool cr = c == '\r' && (i + 1 == text.n || text.p[i + 1] == '\n');

		if (c >= ' ' ? c != 127 : c == '\t' || c == '\n' || cr) {
			line += c == '\n';
			continue;
		}
		if (c == 0)
			conf_say(&r->errors, file, line, "a NUL byte: this is no text file");
		else
			conf_say(&r->errors, file, line, "a byte 0x%02x: in a text file there are "
				 "letters, tabs and line ends", c);
		return false;
	}
	return true;
}

static int conf_load(const char *path, const char **name, uint8_t **bytes, size_t *n,
		     struct conf_report *r)
{
	int err = read_file(path, LONGEST_FILE, bytes, n);

	*name = strcmp(path, "-") == 0 ? "standard input" : path;
	if (err < 0)
		conf_say(&r->errors, *name, 0, "read the configuration: %s: %s", errno_name(err),
			 strerror(-err));
	return err;
}

int conf_read_as(struct conf *c, const char *path, conf_parse_fn *parse, struct conf_report *r)
{
	const char *name;
	uint8_t *bytes;
	size_t n;
	int err;

	memset(c, 0, sizeof(*c));
	err = conf_load(path, &name, &bytes, &n, r);
	if (err < 0)
		return err;
	err = parse(c, name, cth_span(bytes, n), r);
	free(bytes);
	return err;
}

/* The beginning and the end of every configuration. */

/* Puts a copy in to's place. */
void conf_set_text(char **to, const char *text, struct conf_report *r)
{
	free(*to);
	*to = text ? strdup(text) : NULL;
	if (text && !*to)
		r->errors.failed = true;
}

void conf_add_ports(struct conf_helper *h, uint16_t first, uint16_t last, struct conf_report *r)
{
	struct cth_ports *more = realloc(h->ports, (h->ports_n + 1) * sizeof(*more));

	if (!more) {
		r->errors.failed = true;
		return;
	}
	h->ports = more;
	more[h->ports_n++] = (struct cth_ports){ first, last };
}

int conf_begin(struct conf *c, const char *file, struct conf_report *r)
{
	memset(c, 0, sizeof(*c));
	r->errors.most = CONF_ERRORS;
	c->restarts.count = 20;
	c->restarts.seconds = 60;
	c->deadline = 1000;
	c->file = strdup(file);
	c->keeper = strdup(conf_words[CONF_KEEPER].otherwise);
	c->worker = strdup(conf_words[CONF_WORKER].otherwise);
	c->status = strdup(conf_words[CONF_STATUS].otherwise);
	c->packets = strdup(conf_words[CONF_PACKETS].otherwise);
	if (c->file && c->keeper && c->worker && c->status && c->packets)
		return 0;
	r->errors.failed = true;
	conf_free(c);
	return -ENOMEM;
}

uint32_t conf_families(const struct cth_proto *proto)
{
	return proto->family == AF_INET ? CONF_IPV4 : proto->family == AF_INET6 ? CONF_IPV6 :
	       CONF_IPV4 | CONF_IPV6;
}

void conf_set_protocol(struct conf_helper *h, const struct cth_proto *proto)
{
	h->proto = proto;
	if (!h->at[CONF_FAMILIES])
		h->families = conf_families(proto);
	for (size_t i = 0; i < CTH_CLASSES && proto->classes[i].name; i++) {
		h->classes[i].max = proto->classes[i].max;
		h->classes[i].timeout = proto->classes[i].timeout;
	}
}

struct conf_helper *conf_add(struct conf *c, const struct cth_proto *proto, unsigned line)
{
	struct conf_helper *more = realloc(c->helpers, (c->n + 1) * sizeof(*more)), *h;

	if (!more)
		return NULL;
	c->helpers = more;
	h = &more[c->n++];
	memset(h, 0, sizeof(*h));
	h->length = 512;
	h->families = CONF_IPV4 | CONF_IPV6;
	h->at[CONF_HELPER] = line;
	if (proto)
		conf_set_protocol(h, proto);
	return h;
}

static void free_helper(struct conf_helper *h)
{
	free(h->name);
	free(h->netns);
	free(h->ports);
}

void conf_free(struct conf *c)
{
	for (size_t i = 0; i < c->n; i++)
		free_helper(&c->helpers[i]);
	free(c->helpers);
	free(c->file);
	free(c->keeper);
	free(c->worker);
	free(c->status);
	free(c->packets);
	memset(c, 0, sizeof(*c));
}

/* The last one to its place among those before it, which are sorted. */
static void sort_in(struct cth_ports *ports, size_t last)
{
	struct cth_ports moved = ports[last];
	size_t at = last;

	for (; at && ports[at - 1].first > moved.first; at--)
		ports[at] = ports[at - 1];
	ports[at] = moved;
}

/* Sorted, and one range where several touch; they are few. */
static void settle_ports(struct conf_helper *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->ports_n; i++)
		sort_in(h->ports, i);
	for (size_t i = 0; i < h->ports_n; i++) {
		struct cth_ports *last = n ? &h->ports[n - 1] : NULL;

		if (!last || h->ports[i].first > last->last + 1)
			h->ports[n++] = h->ports[i];
		else if (h->ports[i].last > last->last)
			last->last = h->ports[i].last;
	}
	h->ports_n = n;
}

static unsigned line_of(const struct conf_helper *h, enum conf_number word)
{
	return h->at[word] ? h->at[word] : h->at[CONF_HELPER];
}

/* What was left out. */
static void settle(struct conf *c, struct conf_helper *h, struct conf_report *r)
{
	if (!h->name)
		conf_set_text(&h->name, h->proto->name, r);
	if (!h->at[CONF_FULL])
		h->full_closed = h->fail_closed;
	if (h->attach && h->ports_n == 0 && h->at[CONF_PORTS] == 0 && h->proto->port)
		conf_add_ports(h, h->proto->port, h->proto->port, r);
	settle_ports(h);
	if (h->families & ~conf_families(h->proto))
		conf_say(&r->errors, c->file, line_of(h, CONF_FAMILIES),
			 "families: %s is a protocol of %s alone", h->proto->name,
			 h->proto->family == AF_INET6 ? "ipv6" : "ipv4");
	if (h->attach && h->ports_n == 0 && h->at[CONF_PORTS] == 0)
		conf_say(&r->errors, c->file, line_of(h, CONF_ATTACH),
			 "attach: %s has no usual port: ports LIST is missing", h->proto->name);
	if (!h->attach && h->ports_n)
		conf_say(&r->notes, c->file, line_of(h, CONF_PORTS),
			 "ports without attach: no rules are made, so they mean nothing");
}

static void check_has_queue(const struct conf *c, const struct conf_helper *h,
			    struct conf_report *r)
{
	const struct conf_word *w = &conf_words[CONF_QUEUE];

	if (!h->at[CONF_QUEUE])
		conf_say(&r->errors, c->file, h->at[CONF_HELPER],
			 "the helper's queue is missing: %s, from %u to %u", w->form, w->min[0],
			 w->max[0]);
}

/* Two helpers, a above b. */

bool conf_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_classes(const struct conf_helper *a, const struct conf_helper *b)
{
	for (size_t i = 0; i < CTH_CLASSES; i++)
		if (a->classes[i].max != b->classes[i].max ||
		    a->classes[i].timeout != b->classes[i].timeout)
			return false;
	return true;
}

/* The registry of helpers is one for all namespaces: what has one name there is one thing. */
static void check_name(const struct conf *c, const struct conf_helper *a,
		       const struct conf_helper *b, struct conf_report *r)
{
	unsigned above = a->at[CONF_HELPER], line = line_of(b, CONF_AS);

	if (conf_same_text(a->netns, b->netns) && a->proto == b->proto)
		conf_say(&r->errors, c->file, line, "helper %s is there twice: in line %u already; "
			 "as NAME gives a second one another name", b->name, above);
	else if (conf_same_text(a->netns, b->netns))
		conf_say(&r->errors, c->file, line, "name %s is taken: the helper of line %u has it; "
			 "as NAME gives another", b->name, above);
	else if (a->proto != b->proto || a->queue != b->queue || !same_classes(a, b))
		conf_say(&r->errors, c->file, line, "helper %s is one in the kernel for all namespaces: "
			 "protocol, queue, max and timeout must be those of line %u, or its name "
			 "another", b->name, above);
}

static void check_queue(const struct conf *c, const struct conf_helper *a,
			const struct conf_helper *b, struct conf_report *r)
{
	unsigned above = a->at[CONF_HELPER];

	if (a->length != b->length)
		conf_say(&r->errors, c->file, line_of(b, CONF_QUEUE_LENGTH),
			 "length %u: queue %u is shared with the helper of line %u, which says %u: one "
			 "for both", b->length, b->queue, above, a->length);
	if (a->full_closed != b->full_closed)
		conf_say(&r->errors, c->file, line_of(b, b->at[CONF_FULL] ? CONF_FULL : CONF_FAIL),
			 "full %s: queue %u is shared with the helper of line %u, which says %s: one for "
			 "both", b->full_closed ? "closed" : "open", b->queue, above,
			 a->full_closed ? "closed" : "open");
}

static bool share_l4(const struct conf_helper *a, const struct conf_helper *b)
{
	for (const uint8_t *l4 = a->proto->l4; *l4; l4++)
		if (strchr((const char *)b->proto->l4, *l4))
			return true;
	return false;
}

static void check_ports(const struct conf *c, const struct conf_helper *a,
			const struct conf_helper *b, struct conf_report *r)
{
	for (size_t i = 0; i < a->ports_n; i++) {
		for (size_t j = 0; j < b->ports_n; j++) {
			const struct cth_ports *p = &a->ports[i], *q = &b->ports[j];

			if (p->last < q->first || q->last < p->first)
				continue;
			conf_say(&r->errors, c->file, line_of(b, CONF_PORTS),
				 "port %u is attached to the helper of line %u already: a flow has one "
				 "helper", p->first > q->first ? p->first : q->first,
				 a->at[CONF_HELPER]);
			return;
		}
	}
}

static void check_pair(const struct conf *c, const struct conf_helper *a,
		       const struct conf_helper *b, struct conf_report *r)
{
	bool together = conf_same_text(a->netns, b->netns);

	if (conf_same_text(a->name, b->name)) {
		check_name(c, a, b, r);
		return;
	}
	if (together && a->at[CONF_QUEUE] && b->at[CONF_QUEUE] && a->queue == b->queue)
		check_queue(c, a, b, r);
	if (together && a->attach && b->attach && (a->families & b->families) && share_l4(a, b))
		check_ports(c, a, b, r);
}

/* How much one service takes. */

#define TWICE "start it twice, with two files"

/* One for each family and transport. */
static size_t registrations(const struct conf_helper *h)
{
	size_t families = (h->families & CONF_IPV4 ? 1 : 0) + (h->families & CONF_IPV6 ? 1 : 0);

	return h->proto ? families * strlen((const char *)h->proto->l4) : 0;
}

/* By the helpers up to one: namespaces in all; registrations and queues in the one's namespace. */
struct taken {
	size_t places, registered, queues;
};

static struct taken taken_up_to(const struct conf *c, size_t last)
{
	struct taken t = { 0, 0, 0 };

	for (size_t i = 0; i <= last; i++) {
		const struct conf_helper *h = &c->helpers[i];
		bool is_here = conf_same_text(h->netns, c->helpers[last].netns);
		bool new_place = true, new_queue = true;

		for (size_t j = 0; j < i; j++) {
			if (!conf_same_text(c->helpers[j].netns, h->netns))
				continue;
			new_place = false;
			new_queue &= c->helpers[j].queue != h->queue;
		}
		t.places += new_place;
		t.registered += is_here ? registrations(h) : 0;
		t.queues += is_here && new_queue;
	}
	return t;
}

static void check_room_of(const struct conf *c, size_t i, struct conf_report *r)
{
	const struct conf_helper *h = &c->helpers[i];
	struct taken t = taken_up_to(c, i);

	if (t.places > PROC_PLACES)
		conf_say(&r->errors, c->file, line_of(h, CONF_NETNS), "helper %s: one service is in %d "
			 "network namespaces at most: " TWICE, h->name, PROC_PLACES);
	if (t.registered > CTH_SERVICE_HELPERS)
		conf_say(&r->errors, c->file, h->at[CONF_HELPER], "helper %s: with it there are %zu to be "
			 "registered in this namespace, one for each family and transport: one service has "
			 "%d there at most: " TWICE, h->name, t.registered, CTH_SERVICE_HELPERS);
	if (t.queues > CTH_QUEUE_BOUND)
		conf_say(&r->errors, c->file, line_of(h, CONF_QUEUE), "queue %u: one service has %d queues "
			 "in a namespace at most: have helpers share one", h->queue, CTH_QUEUE_BOUND);
}

static void check_helpers(struct conf *c, struct conf_report *r)
{
	for (size_t i = 0; i < c->n; i++) {
		check_has_queue(c, &c->helpers[i], r);
		if (!c->helpers[i].proto)
			continue;
		settle(c, &c->helpers[i], r);
		for (size_t j = 0; j < i; j++)
			if (c->helpers[j].proto)
				check_pair(c, &c->helpers[j], &c->helpers[i], r);
		check_room_of(c, i, r);
	}
}

static void check(struct conf *c, struct conf_report *r)
{
	if (c->n > CTH_SERVICE_HELPERS)
		conf_say(&r->errors, c->file, c->helpers[CTH_SERVICE_HELPERS].at[CONF_HELPER],
			 "%zu helpers: one service has %d at most: " TWICE, c->n, CTH_SERVICE_HELPERS);
	else
		check_helpers(c, r);
	if (conf_same_text(c->keeper, c->worker))
		conf_say(&r->errors, c->file, c->at[CONF_WORKER] > c->at[CONF_KEEPER] ?
			 c->at[CONF_WORKER] : c->at[CONF_KEEPER],
			 "keeper and worker are both %s: two users, so that the one cannot touch the "
			 "other", c->keeper);
}

int conf_end(struct conf *c, struct conf_report *r)
{
	char list[512];

	check(c, r);
	if (c->n == 0 && r->errors.n == 0)
		conf_say(&r->errors, c->file, 0, "no helper: a line such as: helper ftp queue 1 attach; "
			 "there are: %s", conf_protocols(list));
	if (!r->errors.failed && !r->notes.failed && r->errors.n == 0)
		return 0;
	conf_free(c);
	return r->errors.failed || r->notes.failed ? -ENOMEM : -EINVAL;
}
