/* SPDX-License-Identifier: MIT */
/*
 * run.c - `cth run`: serves protocols as helpers, from their registration until somebody asks
 * it to end. The order of things is cthelper/service.h's; here is what surrounds it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "attach.h"
#include "helper.h"
#include "netns.h"
#include "proc.h"
#include "roles.h"
#include "rules.h"

#define WAKE_MS     1000
#define OWNED_TRIES 15   /* to find the queue free */
#define OWNED_MS    100

static volatile sig_atomic_t counters_wanted;

static void want_counters(int number)
{
	(void)number;
	counters_wanted = 1;
}

/* A helper does not end because nobody reads any more what it says. */
static void catch_signals(void)
{
	struct sigaction a;

	memset(&a, 0, sizeof(a));
	sigemptyset(&a.sa_mask);
	catch_interrupts();
	a.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &a, NULL);
	a.sa_handler = want_counters;
	sigaction(SIGUSR1, &a, NULL);
}

/* Started without standard streams, no socket must come to stand in their place. */
static void fill_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Before the service. */

static uint32_t unguessable(void)
{
	struct timespec t = { 0, 0 };
	uint32_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed))
		return seed;
	/* Early at boot, or before Linux 3.17. */
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint32_t)t.tv_nsec * 2654435761u ^ (uint32_t)t.tv_sec ^ (uint32_t)getpid() << 16;
}

void served_helper(const struct run *r, const struct cth_served *s, uint16_t l3, uint8_t l4,
		   struct cth_helper *h)
{
	const struct cth_proto *p = s->proto;

	memset(h, 0, sizeof(*h));
	snprintf(h->name, sizeof(h->name), "%s", served_name(s));
	h->l3 = l3;
	h->l4 = l4;
	h->have = CTH_HELPER_QUEUE | CTH_HELPER_PRIV_LEN | CTH_HELPER_STATUS | CTH_HELPER_POLICY;
	h->queue = r->config.queue;
	h->priv_len = p->state_len;
	while (h->classes < CTH_CLASSES && p->classes[h->classes].name) {
		struct cth_helper_class *class = &h->policy[h->classes];

		snprintf(class->name, sizeof(class->name), "%s", p->classes[h->classes].name);
		class->max = p->classes[h->classes].max;
		class->timeout = p->classes[h->classes++].timeout;
	}
}

/* The queue is, if not told, the one that the first protocol is registered for already. */
static int choose_queue(struct run *r)
{
	struct cth_nack nack = { 0 };
	struct cth_helper *list, first;
	int n = all_helpers(&r->service.control, &list, &nack);

	served_helper(r, &r->served[0], r->config.no_ipv4 ? AF_INET6 : AF_INET,
		      r->served[0].proto->l4[0], &first);
	if (n < 0)
		return common.dry_run ? CTH_EXIT_OK
				      : helper_refused(n, &nack, phrase("register %s",
									helper_text(&first)));
	for (int i = n - 1; i >= 0 && !r->queue_given; i--)
		if (strcmp(list[i].name, first.name) == 0)
			r->config.queue = (uint16_t)list[i].queue;
	for (int i = 0; i < n; i++)
		for (size_t k = 0; k < r->config.n; k++)
			r->config.registered |= strcmp(list[i].name, served_name(&r->served[k])) == 0;
	free(list);
	return CTH_EXIT_OK;
}

static bool rule_may_attach(const struct rule *rule, const char *name)
{
	return rule->kind == RULE_HELPER && (strcmp(rule->helper, name) == 0 || rule->map_unread);
}

/* Which of ours no rule attaches. It is read before packets come, for they would have to wait. */
static void look_for_rules(struct run *r)
{
	struct cth_nack nack = { 0 };
	struct rules rules = { 0 };

	char tables[128];

	r->legacy = proc_words("net/ip_tables_names", tables, sizeof(tables)) ||
		    proc_words("net/ip6_tables_names", tables, sizeof(tables));
	if (r->config.attach || rules_read(&r->service.control, &rules, &nack) < 0) {
		rules_free(&rules);
		return;
	}
	for (size_t i = 0; i < r->config.n; i++) {
		r->unattached[i] = true;
		for (size_t k = 0; k < rules.n; k++)
			if (rule_may_attach(&rules.list[k], served_name(&r->served[i])))
				r->unattached[i] = false;
	}
	rules_free(&rules);
}

static int open_sockets(struct run *r)
{
	int status = r->netns ? enter_netns(r->netns) : CTH_EXIT_OK;

	if (status == CTH_EXIT_OK)
		status = kernel_open(&r->service.sock);
	if (status != CTH_EXIT_OK)
		return status;
	status = kernel_open(&r->service.control);
	if (status != CTH_EXIT_OK)
		kernel_close(&r->service.sock);
	return status;
}

static void close_sockets(struct run *r)
{
	kernel_close(&r->service.control);
	kernel_close(&r->service.sock);
}

/* The start. */

/* "inet inet6": what it is served for, or attached to. */
static const char *families_text(const struct run *r, const struct cth_served *s, bool attached)
{
	bool ipv4 = !r->config.no_ipv4, ipv6 = !r->config.no_ipv6;

	/* Where nf_tables has no IPv6, only IPv4 is attached. */
	for (size_t i = 0; i < r->service.helpers_n && attached; i++)
		if (r->service.helpers[i].served == s && r->service.helpers[i].l3 == AF_INET6)
			ipv6 = r->service.helpers[i].attached;
	return phrase("%s%s%s", ipv4 ? "inet" : "", ipv4 && ipv6 ? " " : "", ipv6 ? "inet6" : "");
}

/* "ftp (inet inet6 tcp)" */
static const char *serving_text(const struct run *r, const struct cth_served *s)
{
	return phrase("%s (%s %s)", served_text(s), families_text(r, s, false),
		      l4_words(s->proto, " "));
}

static const char *ports_text(const struct run *r, const struct cth_served *s)
{
	const char *words = "";

	if (r->config.ports_n == 0)
		return phrase("port %u", s->proto->port);
	for (size_t i = 0; i < r->config.ports_n; i++) {
		const struct cth_ports *p = &r->ports[i];

		words = phrase(p->first == p->last ? "%s%s%u" : "%s%s%u-%u", words, i ? "," : "",
			       p->first, p->last);
	}
	return phrase("port %s", words);
}

static void tell_unattached(const struct run *r)
{
	for (size_t i = 0; i < r->config.n; i++)
		if (r->unattached[i])
			warn("no rule attaches %s in this network namespace%s: until one does it "
			     "sees no packet; start with --attach, or: cth attach %s -p %u",
			     served_name(&r->served[i]),
			     r->legacy ? " (those of iptables-legacy are not looked at)" : "",
			     served_name(&r->served[i]), r->served[i].proto->port);
}

static void tell_rcvbuf(const struct run *r)
{
	int fd = cth_sock_fd(&r->service.sock), got = 0;
	socklen_t n = sizeof(got);

	/* The kernel counts its own overhead too, and doubles what is asked for. */
	if (r->config.rcvbuf && fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &n) == 0 &&
	    got / 2 < r->config.rcvbuf)
		warn("receive buffer: %d bytes instead of %d: raise net.core.rmem_max", got / 2,
		     r->config.rcvbuf);
}

/* "serving ftp (inet inet6 tcp), tftp (inet inet6 udp) on queue 0" */
static void tell_serving(const struct run *r, const char *verb)
{
	fprintf(stderr, "%s ", verb);
	for (size_t i = 0; i < r->config.n; i++)
		fprintf(stderr, "%s%s", i ? ", " : "", serving_text(r, &r->served[i]));
	fprintf(stderr, " on queue %u\n", r->config.queue);
}

/* Scripts wait for the last line of these. */
static void tell_ready(const struct run *r)
{
	tell_rcvbuf(r);
	for (size_t i = 0; i < r->config.n; i++) {
		if (r->config.attach)
			fprintf(stderr, "attached %s to %s (%s)\n", served_name(&r->served[i]),
				ports_text(r, &r->served[i]),
				families_text(r, &r->served[i], true));
	}
	tell_unattached(r);
	tell_serving(r, "serving");
}

/* The end. */

/* A rule of somebody else may hold what we have registered: it stays, and does no harm. */
static void tell_remaining(const struct run *r)
{
	for (size_t i = 0; i < r->service.helpers_n; i++) {
		const struct cth_service_helper *h = &r->service.helpers[i];
		struct selection key = { served_name(h->served), true, true, h->l3, h->l4 };

		if (h->made)
			warn("%s stays registered, %s: a rule that is not ours refers to it",
			     selection_text(&key), h->enabled ? "enabled" : "disabled");
	}
}

int run_leave(struct run *r)
{
	int err;

	measure_losses(r);
	err = cth_service_close(&r->service);
	close_sockets(r);
	show_counters(r, true);
	if (err == -EBUSY)
		tell_remaining(r);
	else if (err < 0)
		return fail(err, "leave nothing behind", NULL,
			    "`cth helper list` and `cth doctor` show what is left");
	return r->write_error ? CTH_EXIT_FAILURE : CTH_EXIT_OK;
}

static int serve(struct run *r)
{
	int n;

	while (!interrupted) {
		n = cth_service_run(&r->service, WAKE_MS);
		if (n < 0)
			return fail(n, "receive packets", NULL, NULL);
		show_gaps(r);
		if (!counters_wanted)
			continue;
		counters_wanted = 0;
		measure_losses(r);
		show_counters(r, false);
	}
	return CTH_EXIT_OK;
}

int run_prepare(struct run *r)
{
	size_t room = CTH_SERVICE_ROOM(r->config.maxlen ? r->config.maxlen : CTH_SERVICE_MAXLEN);

	r->memory = malloc(room);
	if (!r->memory)
		return fail(ENOMEM, "set up the service", NULL, "lower --queue-len");
	r->config.seed = unguessable();
	r->service.engine.fn = show_event;
	r->service.engine.ctx = r;
	return CTH_EXIT_OK;
}

int run_open(struct run *r)
{
	size_t room = CTH_SERVICE_ROOM(r->config.maxlen ? r->config.maxlen : CTH_SERVICE_MAXLEN);
	struct cth_service_fault fault;
	int err;

	memset(&fault, 0, sizeof(fault));
	err = cth_service_open_on(&r->service, &r->config, r->memory, room, &fault);
	if (err < 0)
		return run_refused(r, err, &fault);
	if (!interrupted && !r->ready_told)
		tell_ready(r);
	return CTH_EXIT_OK;
}

/* One process for everything. */
static int run_single(struct run *r)
{
	int status = run_prepare(r), left;

	if (status == CTH_EXIT_OK)
		status = run_open(r);
	if (status != CTH_EXIT_OK)
		return status;
	status = serve(r);
	left = run_leave(r);
	return status ? status : left;
}

/* Who owns the queue is looked for by one who still may; a keeper is not shown others' files. */
static int check_queue(const struct run *r)
{
	const struct cth_nack none = { 0 };
	struct proc_queue q;

	/* A predecessor's keeper may be about to leave. */
	for (int i = 0; i < OWNED_TRIES && !interrupted; i++) {
		if (proc_queue(r->config.queue, &q) != 1)
			return CTH_EXIT_OK;
		poll(NULL, 0, OWNED_MS);
	}
	return bind_refused(-EPERM, &none, r->config.queue, CTH_QUEUE_CONNTRACK);
}

static int run_service(struct run *r)
{
	int status;

	fill_streams();
	catch_signals();
	setvbuf(stdout, NULL, _IOFBF, 0); /* shown() flushes, and sees what becomes of it */
	status = open_sockets(r);
	if (status != CTH_EXIT_OK)
		return status;
	status = choose_queue(r);
	if (status == CTH_EXIT_OK && common.dry_run) {
		status = rehearse_run(r);
		if (status == CTH_EXIT_OK)
			tell_serving(r, "would serve");
	} else if (status == CTH_EXIT_OK) {
		look_for_rules(r);
		status = r->single ? CTH_EXIT_OK : check_queue(r);
	}
	if (status == CTH_EXIT_OK && !common.dry_run)
		status = r->single ? run_single(r) : guardian_run(r);
	close_sockets(r);
	return status;
}

static int run_main(const struct applet *self, int argc, char **argv)
{
	static struct run r;
	int bad = take_run(self, argc, argv, &r);

	if (bad < 0)
		bad = run_service(&r);
	free(r.memory);
	free(r.ports);
	return bad;
}

const struct applet run_protocols_applet = {
	.name = "run",
	.usage = "[OPTION]... [NAME=]PROTOCOL... | --list",
	.help =
	"Serves protocols as helpers, until SIGTERM or SIGINT.\n\n"
	"Registers them, listens on a queue, enables them; announced connections become\n"
	"expectations, also through NAT. At the end it leaves nothing behind. A helper that a rule\n"
	"of somebody else refers to stays registered, disabled. NAME=PROTOCOL registers it by\n"
	"another name, such as when a module of the kernel has the usual one.\n"
	"      --list                    show the protocols: ports, state, classes with their\n"
	"                                maximum and timeout\n"
	"  -q, --queue NUMBER            if not told the one that the first is registered for, or 0\n"
	"  -3, --l3 inet|inet6           only this network protocol\n"
	"      --attach                  make the rules that give connections the helper, and take\n"
	"                                them away at the end\n"
	"  -p, --port PORT[-PORT][,...]  their destination ports; if not told the usual one\n"
	"      --netns NAME              in another network namespace, of `ip netns list`, or a path\n"
	"      --allow-foreign           follow announced addresses of third parties: whoever speaks\n"
	"                                the protocol can have the firewall opened to any of them\n"
	"      --allow-low-ports         follow announced ports below 1024: so can services of\n"
	"                                the system be reached that the firewall hides\n"
	"      --queue-len NUMBER        packets that may wait in the kernel; 512\n"
	"      --rcvbuf BYTES            receive buffer\n"
	"      --keeper USER             who speaks with the kernel; a name or a number, 64901\n"
	"      --worker USER             who reads packets; 64902\n"
	"      --deadline MILLISECONDS   for the decision of one packet; 1000\n"
	"      --restarts COUNT/SECONDS  start who speaks with the kernel again so often when it\n"
	"                                dies, before giving up and disabling helpers; 20/60\n"
	"      --fail-closed             drop what cannot be decided; if not told it passes\n"
	"      --keep FILE               add packets that a worker dies of to this pcap\n"
	"      --no-seccomp              on kernels without filters for system calls\n"
	"      --single                  one process, with all the rights that it was started with\n"
	"  -v, --verbose                 a line for each expectation, and for what is not followed\n"
	"\nWhat packets say is read by a process without any rights, which is started again when\n"
	"it dies; another, with CAP_NET_ADMIN alone, speaks with the kernel; a third watches both.\n"
	"SIGUSR1 prints all counters, the end those that are not 0.\n"
	"\nExamples:\n"
	"  cth run ftp tftp --attach\n"
	"  cth run -v my-ftp=ftp -q 3 --netns router\n",
	.main = run_main,
};
