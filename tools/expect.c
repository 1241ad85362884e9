/* SPDX-License-Identifier: MIT */
/*
 * expect.c - the applets of the kernel's table of expectations:
 *
 *     cth expect list | get | add | del | flush | watch
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "expect.h"
#include "helper.h"
#include "proc.h"

#define WATCH_SLOTS 16
#define WATCH_EACH  4096u /* bytes: an event is under 1 KiB */
#define WATCH_BUF   (1 << 20)
#define WATCH_LOOK  500   /* ms: how late a signal may be seen that came at a bad moment */

/* What a command line asks for, beside words. */
struct options {
	const char *helper; /* only of this one's flows */
	uint8_t family;
	uint64_t events;    /* so many; 0: until interrupted */
};

/* What the errors that all requests share mean; the exit code. */
static int expect_refused(int err, const struct cth_nack *nack, const char *tried)
{
	switch (-err) {
	case EPERM:
		return fail_nack(err, nack, tried, permission_cause(false), permission_remedy(false));
	case EPROTONOSUPPORT:
		return fail_nack(err, nack, tried,
				 "this kernel has no netlink for conntrack: nf_conntrack_netlink "
				 "(CONFIG_NF_CT_NETLINK) is neither built in nor loaded",
				 "modprobe nf_conntrack_netlink; if there is no such module: Debian: "
				 "install a linux-image-* package, OpenWrt: kmod-nf-conntrack-netlink");
	case ENOENT:
		return fail_nack(err, nack, tried, "there is none with this tuple, or not in this "
				 "zone or with this id: they end with their time, their use and "
				 "their master", "`cth expect list` shows those that are");
	case ETIMEDOUT:
		return fail_nack(err, nack, tried, "the kernel did not answer; whether it was done "
				 "is not known", "`cth expect list` shows what is there");
	}
	return fail_nack(err, nack, tried, NULL, NULL);
}

/* list, get */

struct table {
	struct cth_expect *list;
	size_t n, room;
	const char *helper;
	bool full; /* no memory for more */
};

static bool is_wanted(const struct table *t, const struct cth_expect *e)
{
	return !t->helper || strcmp(t->helper, e->helper) == 0;
}

static void collect(const struct cth_expect *e, void *ctx)
{
	struct table *t = ctx;

	if (!e)
		t->n = 0;
	if (!e || !is_wanted(t, e))
		return;
	if (t->n == t->room) {
		size_t room = t->room ? t->room * 2 : 64;
		struct cth_expect *list = reallocarray(t->list, room, sizeof(*list));

		if (!list) {
			t->full = true;
			return;
		}
		t->list = list;
		t->room = room;
	}
	t->list[t->n++] = *e;
}

/* Those that there are: 0 and t->list, to be freed; or an exit code, and why has been said. */
static int read_table(struct cth_sock *s, const struct options *o, struct table *t)
{
	struct cth_nack nack = { 0 };
	int r;

	memset(t, 0, sizeof(*t));
	t->helper = o->helper;
	r = cth_expect_list(s, o->family, collect, t, &nack);
	if (r == 0 && t->full)
		r = -ENOMEM;
	if (r == 0)
		return CTH_EXIT_OK;
	free(t->list);
	return expect_refused(r, &nack, "list the expectations");
}

static void show_one(const struct cth_expect *e)
{
	struct json j = { .f = stdout };
	char line[EXPECT_LINE];

	if (common.json)
		expect_json(&j, NULL, e);
	else
		puts(expect_words(e, line));
}

static void show_table(const struct table *t)
{
	struct json j = { .f = stdout };

	if (!common.json) {
		for (size_t i = 0; i < t->n; i++)
			show_one(&t->list[i]);
		return;
	}
	json_open(&j, NULL, '{');
	json_open(&j, "expectations", '[');
	for (size_t i = 0; i < t->n; i++)
		expect_json(&j, NULL, &t->list[i]);
	json_close(&j, ']');
	json_close(&j, '}');
}

static const struct applet_option long_options[] = {
	{ "l3", required_argument, '3' },
	{ "helper", required_argument, 'H' },
	{ "events", required_argument, 'n' },
	{ NULL, 0, 0 },
};

/* Handles an option: -1, or an exit code. */
static int take_option(const struct applet *self, int c, struct options *o)
{
	uint16_t l3;

	switch (c) {
	case '3':
		if (!parse_l3(optarg, &l3))
			return usage_error(self, "unknown network protocol '%s': it is inet or inet6",
					   optarg);
		o->family = (uint8_t)l3;
		return -1;
	case 'H':
		if (!optarg[0] || strlen(optarg) >= CTH_EXPECT_HELPER_NAME)
			return usage_error(self, "helper '%s': a helper's name has 1 to %d characters",
					   optarg, CTH_EXPECT_HELPER_NAME - 1);
		o->helper = optarg;
		return -1;
	case 'n':
		if (!parse_number(optarg, 1, UINT64_MAX, &o->events))
			return usage_error(self, "-n %s: not a number of events", optarg);
		return -1;
	}
	return common_option(self, c);
}

/* mine: the letters of the options that this applet has; words: it takes some. */
static int take_options(const struct applet *self, const char *mine, bool words, int argc,
			char **argv, struct options *o)
{
	int c, bad = -1;

	memset(o, 0, sizeof(*o));
	while (bad < 0 && (c = next_option(argc, argv, long_options)) != -1) {
		if (strchr("3Hn", c) && !strchr(mine, c))
			return usage_error(self, "-%c is not an option of this applet", c);
		bad = take_option(self, c, o);
	}
	if (bad < 0 && !words && optind < argc)
		return usage_error(self, "'%s' is too much", argv[optind]);
	return bad;
}

static int list_main(const struct applet *self, int argc, char **argv)
{
	struct options o;
	struct cth_sock s;
	struct table t;
	int status = take_options(self, "3H", false, argc, argv, &o);

	if (status >= 0)
		return status;
	status = kernel_open(&s);
	if (status)
		return status;
	status = read_table(&s, &o, &t);
	if (status == CTH_EXIT_OK) {
		show_table(&t);
		if (t.n == 0 && !common.json)
			warn("there is no expectation in this network namespace%s",
			     o.helper || o.family ? " that is one of these" : "");
		free(t.list);
	}
	kernel_close(&s);
	return status;
}

static int get_main(const struct applet *self, int argc, char **argv)
{
	struct cth_expect e, found;
	struct cth_nack nack = { 0 };
	struct options o;
	struct cth_sock s;
	int err, status = take_options(self, "", true, argc, argv, &o);

	if (status < 0)
		status = take_expectation_key(self, argc - optind, argv + optind, &e);
	if (status >= 0)
		return status;
	status = kernel_open(&s);
	if (status)
		return status;
	err = cth_expect_get(&s, &e.tuple, e.zone, &found, &nack);
	if (err == 0 && (e.have & CTH_EXPECT_ID) && found.id != e.id)
		err = -ENOENT;
	if (err == 0)
		show_one(&found);
	else
		status = expect_refused(err, &nack, phrase("look up %s", tuple_words(&e.tuple)));
	kernel_close(&s);
	return status;
}

/* add */

static int add_exists(struct cth_sock *s, const struct cth_expect *e, const struct cth_nack *nack,
		      const char *tried)
{
	struct cth_expect found;

	if (cth_expect_get(s, &e->tuple, e->zone, &found, NULL) < 0)
		return fail_nack(-EEXIST, nack, tried, "one that such a flow meets was there",
				 "it is gone meanwhile: try again");
	if (cth_tuple_equal(&found.master, &e->master))
		return fail_nack(-EEXIST, nack, tried,
				 phrase("its master has one that such a flow meets: %s",
					tuple_words(&found.tuple)),
				 "it can be deleted: cth expect del");
	return fail_nack(-EEXIST, nack, tried,
			 phrase("another flow, %s, has one that such a flow meets: %s",
				tuple_words(&found.master), tuple_words(&found.tuple)),
			 "choose another port");
}

static int add_unsupported(int err, const struct cth_expect *e, const struct cth_nack *nack,
			   const char *tried)
{
	const char *remedy = "attach one before the flow begins: cth attach, or a `CT --helper` rule";
	const char *cause = "the master has no helper";

	if (e->have & CTH_EXPECT_HELPER) {
		cause = phrase("the master has no helper, or there is no helper '%s' for the child",
			       e->helper);
		remedy = "`cth helper list` shows those of user space";
	}
	fail_nack(err, nack, tried, cause, remedy);
	return CTH_EXIT_FAILURE; /* nothing that this kernel lacks */
}

static int add_invalid(const struct cth_expect *e, const struct cth_nack *nack, const char *tried)
{
	const char *cause = "the kernel does not like one of its parts";
	const char *remedy = NULL;

	if (e->have & CTH_EXPECT_CLASS) {
		cause = phrase("the master's helper has no class %" PRIu32, e->class_number);
		remedy = "classes count from 0: cth helper get";
	}
	if (e->have & CTH_EXPECT_FN) {
		cause = phrase("%s%sthere is no function '%s'", e->have & CTH_EXPECT_CLASS ? cause : "",
			       e->have & CTH_EXPECT_CLASS ? ", or " : "", e->fn);
		remedy = "nat-follow-master comes with NAT: modprobe nf_nat";
	}
	return fail_nack(-EINVAL, nack, tried, cause, remedy);
}

static int add_refused(struct cth_sock *s, int err, const struct cth_expect *e,
		       const struct cth_nack *nack)
{
	const char *tried = phrase("expect %s", tuple_words(&e->tuple));
	uint64_t max = 0;

	switch (-err) {
	case EEXIST:
		return add_exists(s, e, nack, tried);
	case EBUSY:
		return fail_nack(err, nack, tried, "it overlaps one that is there: some flow would "
				 "meet both", "`cth expect list` shows it; choose another port or mask");
	case EMFILE:
		if (proc_number("sys/net/netfilter/nf_conntrack_expect_max", &max) < 0)
			max = 0;
		return fail_nack(err, nack, tried,
				 phrase("the table of expectations is full (%" PRIu64 ")", max),
				 "sysctl -w net.netfilter.nf_conntrack_expect_max=N, more than that");
	case ENOENT:
		return fail_nack(err, nack, tried,
				 phrase("no flow is confirmed that has the tuple %s in either "
					"direction%s", tuple_words(&e->master),
					e->zone ? " and in that zone" : ""),
				 "`conntrack -L` or `cat /proc/net/nf_conntrack` shows them; "
				 "one in a zone needs zone=N");
	case EOPNOTSUPP:
	case ESHUTDOWN:
		return add_unsupported(err, e, nack, tried);
	case EINVAL:
		return add_invalid(e, nack, tried);
	}
	return expect_refused(err, nack, tried);
}

/* What the kernel has made of it is what is told: some older ones leave parts out. */
static void show_made(struct cth_sock *s, const struct cth_expect *e)
{
	struct cth_expect made;

	if (common.dry_run || cth_expect_get(s, &e->tuple, e->zone, &made, NULL) < 0)
		return;
	show_one(&made);
	if ((e->have & CTH_EXPECT_CLASS) && made.class_number != e->class_number)
		warn("it is of class %" PRIu32 ", not %" PRIu32 ": this kernel looks at the class only "
		     "if helper=NAME is told too", made.class_number, e->class_number);
}

static int add_main(const struct applet *self, int argc, char **argv)
{
	struct cth_nack nack = { 0 };
	struct cth_expect e;
	struct options o;
	struct cth_sock s;
	int err, status = take_options(self, "", true, argc, argv, &o);

	if (status < 0)
		status = take_expectation(self, argc - optind, argv + optind, &e);
	if (status >= 0)
		return status;
	status = kernel_open(&s);
	if (status)
		return status;
	err = cth_expect_new(&s, &e, &nack);
	if (err == 0)
		show_made(&s, &e);
	else
		status = add_refused(&s, err, &e, &nack);
	kernel_close(&s);
	return status;
}

/* del, flush */

static int del_main(const struct applet *self, int argc, char **argv)
{
	struct cth_nack nack = { 0 };
	struct cth_expect e;
	struct options o;
	struct cth_sock s;
	int err, status = take_options(self, "", true, argc, argv, &o);

	if (status < 0)
		status = take_expectation_key(self, argc - optind, argv + optind, &e);
	if (status >= 0)
		return status;
	status = kernel_open(&s);
	if (status)
		return status;
	err = cth_expect_del(&s, &e, &nack);
	if (err == 0)
		done("%s deleted", tuple_words(&e.tuple));
	else
		status = expect_refused(err, &nack, phrase("delete %s", tuple_words(&e.tuple)));
	kernel_close(&s);
	return status;
}

/*
 * By the kernel's own delete-all. One by one would not do: the zone that it takes to name an
 * expectation is not told in a list. Nothing can be busy, so all of them go.
 */
static int flush(struct cth_sock *s, const struct options *o)
{
	struct json j = { .f = stdout };
	struct cth_nack nack = { 0 };
	struct table t;
	int err, status = read_table(s, o, &t);

	if (status)
		return status;
	free(t.list);
	err = cth_expect_flush(s, o->helper, &nack);
	if (err)
		return expect_refused(err, &nack, "delete all expectations");
	done("%zu expectation%s deleted", t.n, t.n == 1 ? "" : "s");
	if (common.json && !common.dry_run) {
		json_open(&j, NULL, '{');
		json_number(&j, "deleted", t.n);
		json_close(&j, '}');
	}
	return CTH_EXIT_OK;
}

static int flush_main(const struct applet *self, int argc, char **argv)
{
	struct options o;
	struct cth_sock s;
	int status = take_options(self, "H", false, argc, argv, &o);

	if (status >= 0)
		return status;
	status = kernel_open(&s);
	if (status)
		return status;
	status = flush(&s, &o);
	kernel_close(&s);
	return status;
}

/* watch */

static void show_event(const struct cth_expect *e, bool is_new)
{
	struct json j = { .f = stdout };
	char line[EXPECT_LINE];

	if (common.json) {
		json_open(&j, NULL, '{');
		json_string(&j, "event", is_new ? "new" : "destroy");
		expect_json(&j, "expectation", e);
		json_close(&j, '}');
	} else {
		printf("%s %s\n", is_new ? "new" : "destroy", expect_words(e, line));
	}
	fflush(stdout);
}

/* The events of one datagram: how many. */
static uint64_t show_events(struct cth_span datagram)
{
	struct cth_expect e;
	struct cth_nlmsg m;
	uint64_t n = 0;
	int r;

	while (cth_nlmsg_next(&datagram, &m) > 0) {
		r = cth_expect_event(&e, &m);
		if (r < 0)
			continue; /* an event of something else */
		show_event(&e, r == 1);
		n++;
	}
	return n;
}

static int join(struct cth_sock *s)
{
	int r = cth_sock_join(s, CTH_GROUP_EXPECT_NEW);

	if (r == 0)
		r = cth_sock_join(s, CTH_GROUP_EXPECT_DESTROY);
	return r < 0 ? expect_refused(r, NULL, "listen to the events of expectations") : CTH_EXIT_OK;
}

static int watch(struct cth_sock *s, const struct options *o)
{
	static uint8_t memory[WATCH_SLOTS][WATCH_EACH];
	struct cth_slot ring[WATCH_SLOTS];
	uint32_t drops = 0;
	uint64_t seen = 0;
	int got;

	cth_slots(ring, WATCH_SLOTS, memory, WATCH_EACH);
	while (!interrupted && !ferror(stdout) && (o->events == 0 || seen < o->events)) {
		got = cth_sock_receive(s, ring, WATCH_SLOTS, WATCH_LOOK);
		if (got < 0)
			return expect_refused(got, NULL, "receive events");
		for (int i = 0; i < got && (o->events == 0 || seen < o->events); i++)
			seen += show_events(cth_span(ring[i].buf, ring[i].n));
	}
	if (cth_sock_drops(s, &drops) == 0 && drops)
		warn("%" PRIu32 " events were lost: they came faster than they could be shown", drops);
	return CTH_EXIT_OK;
}

static int start_watch(struct cth_sock *s, const struct options *o)
{
	struct cth_nack nack = { 0 };
	int r = cth_expect_list(s, AF_UNSPEC, NULL, NULL, &nack);
	int status;

	if (r < 0) /* groups can be joined whether anybody ever speaks there or not */
		return expect_refused(r, &nack, "look for expectations");
	cth_sock_rcvbuf(s, WATCH_BUF);
	status = join(s);
	if (status)
		return status;
	catch_interrupts();
	warn("watching; Ctrl-C ends it");
	return watch(s, o);
}

static int watch_main(const struct applet *self, int argc, char **argv)
{
	struct options o;
	struct cth_sock s;
	int status = take_options(self, "n", false, argc, argv, &o);

	if (status >= 0)
		return status;
	status = kernel_open(&s);
	if (status)
		return status;
	status = start_watch(&s, &o);
	kernel_close(&s);
	return status;
}

/* The applets. */

#define TUPLE_HELP \
	"TUPLE is a transport protocol and src=ADDRESS dst=ADDRESS sport=PORT dport=PORT, of ICMP\n" \
	"icmp-type= icmp-code= icmp-id=. A line of `cth expect list` will do, as words or quoted.\n"

#define KEY_HELP \
	"  zone=N                        in this zone, which lists do not tell\n" \
	"  id=N                          only if it has this id\n"

const struct applet expect_list_applet = {
	"expect list", "[OPTION]...",
	"Lists the expectations of this network namespace, one on a line.\n\n"
	"timeout is in seconds; mask tells which bits of source address and source port count;\n"
	"master is the flow that announced it, master-helper that flow's helper.\n"
	"  -3, --l3 inet|inet6           only of this network protocol\n"
	"  -H, --helper NAME             only those of this helper's flows\n"
	"\nExample:\n"
	"  cth expect list -H ftp\n",
	list_main,
};

const struct applet expect_get_applet = {
	"expect get", "[OPTION]... TUPLE [zone=N] [id=N]",
	"Shows the expectation that a flow with this tuple would meet.\n\n"
	TUPLE_HELP
	KEY_HELP
	"\nExample:\n"
	"  cth expect get tcp src=10.0.1.2 dst=10.0.2.2 sport=50000 dport=40000\n",
	get_main,
};

const struct applet expect_add_applet = {
	"expect add", "[OPTION]... TUPLE [mask ...] master TUPLE [nat ...] [WORD]...",
	"Makes an expectation, and shows it.\n\n"
	TUPLE_HELP
	"Without src= any source is expected, without sport= (or with 0) any source port.\n"
	"  mask src=ADDRESS sport=BITS   which bits of them count, if not all or none\n"
	"  master TUPLE                  the flow that announced it, in either direction: it must\n"
	"                                be confirmed, and have a helper\n"
	"  nat dir=original|reply src=ADDRESS sport=PORT\n"
	"                                for fn: whither the child goes, and the port announced\n"
	"  fn=nat-follow-master          the child is translated as its master is\n"
	"  class=N                       of the master's helper, from 0: its maximum and timeout count\n"
	"  flags=permanent,inactive      it outlives its first use, it does not count yet\n"
	"  helper=NAME                   helper for the child; newer kernels read it in a verdict only\n"
	"  zone=N                        the master's zone\n"
	"\nExample:\n"
	"  cth expect add tcp src=10.0.1.2 dst=10.0.2.2 dport=40000 \\\n"
	"    master tcp src=10.0.1.2 dst=10.0.2.2 sport=57086 dport=21\n",
	add_main,
};

const struct applet expect_del_applet = {
	"expect del", "[OPTION]... TUPLE [zone=N] [id=N]",
	"Deletes the expectation that has this tuple.\n\n"
	TUPLE_HELP
	KEY_HELP
	"\nExample:\n"
	"  cth expect del tcp src=10.0.1.2 dst=10.0.2.2 sport=0 dport=40000\n",
	del_main,
};

const struct applet expect_flush_applet = {
	"expect flush", "[OPTION]...",
	"Deletes all expectations of this network namespace.\n\n"
	"In every zone, those of the kernel's own helpers too; tells how many there were.\n"
	"  -H, --helper NAME             only those of this helper's flows\n"
	"\nExample:\n"
	"  cth expect flush -H ftp\n",
	flush_main,
};

const struct applet expect_watch_applet = {
	"expect watch", "[OPTION]...",
	"Shows expectations as they come and go, until Ctrl-C.\n\n"
	"`new` and `destroy` in front of the words of a list; with -j an object on a line each.\n"
	"Those of flows that began before it are missing unless someone else listened, such as\n"
	"`conntrack -E`: no flow gets events that nobody wants. The sysctl\n"
	"net.netfilter.nf_conntrack_events=1 gives them to every flow that begins from then on.\n"
	"  -n, --events N                end after so many\n"
	"\nExample:\n"
	"  cth expect watch -j\n",
	watch_main,
};
