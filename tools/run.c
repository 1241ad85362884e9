/* SPDX-License-Identifier: MIT */
/*
 * run.c - `cth run`: serves protocols as helpers, from their registration until somebody asks
 * it to end. The order of things is cthelper/service.h's; here is what surrounds it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "attach.h"
#include "helper.h"
#include "manager.h"
#include "roles.h"
#include "trim.h"
#include "watch.h"

#define WAKE_MS 1000 /* verdicts that the kernel had no memory for are tried again */

static volatile sig_atomic_t counters_wanted, reload_wanted;

static void want_counters(int number)
{
	(void)number;
	counters_wanted = 1;
}

static void want_reload(int number)
{
	(void)number;
	reload_wanted = 1;
}

/* A helper does not end because nobody reads any more what it says; a dry run does. */
static void catch_signals(const struct run *r)
{
	struct sigaction a;

	memset(&a, 0, sizeof(a));
	sigemptyset(&a.sa_mask);
	catch_interrupts();
	a.sa_handler = SIG_IGN;
	if (!common.dry_run)
		sigaction(SIGPIPE, &a, NULL);
	a.sa_handler = want_counters;
	sigaction(SIGUSR1, &a, NULL);
	a.sa_handler = want_reload;
	if (r->conf_path)
		sigaction(SIGHUP, &a, NULL);
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

/* The start. */

/* "inet inet6": what it is served for, or attached to. */
static const char *families_text(struct run *r, const struct cth_served *s, bool attached)
{
	const struct cth_service *service = &place_of(r, s)->service;
	bool ipv4 = cth_served_over(s, AF_INET), ipv6 = cth_served_over(s, AF_INET6);

	/* Where nf_tables has no IPv6, only IPv4 is attached. */
	for (size_t i = 0; i < service->helpers_n && attached; i++)
		if (service->helpers[i].served == s && service->helpers[i].l3 == AF_INET6)
			ipv6 = service->helpers[i].attached;
	return phrase("%s%s%s", ipv4 ? "inet" : "", ipv4 && ipv6 ? " " : "", ipv6 ? "inet6" : "");
}

/* "ftp (inet inet6 tcp)" */
static const char *serving_text(struct run *r, const struct cth_served *s)
{
	return phrase("%s (%s %s)", served_text(s), families_text(r, s, false),
		      l4_words(s->proto, " "));
}

static const char *ports_text(const struct cth_served *s)
{
	const char *words = "";

	if (s->terms.ports_n == 0)
		return phrase("port %u", s->proto->port);
	for (size_t i = 0; i < s->terms.ports_n; i++) {
		const struct cth_ports *p = &s->terms.ports[i];

		words = phrase(p->first == p->last ? "%s%s%u" : "%s%s%u-%u", words, i ? "," : "",
			       p->first, p->last);
	}
	return phrase("port %s", words);
}

static void tell_unattached(struct run *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct run_place *p = place_of(r, &r->served[i]);

		if (!r->unattached[i])
			continue;
		warn("no rule attaches %s in %s%s: until one does it sees no packet; start with "
		     "--attach, or: cth attach %s -p %u", cth_served_name(&r->served[i]),
		     p->netns ? phrase("network namespace %s", p->netns) : "this network namespace",
		     p->legacy ? " (those of iptables-legacy cannot be looked at)" : "",
		     cth_served_name(&r->served[i]), r->served[i].proto->port);
	}
}

static void tell_rcvbuf(const struct run *r, const struct run_place *p)
{
	int fd = cth_sock_fd(&p->service.sock), got = 0;
	socklen_t n = sizeof(got);

	/* The kernel counts its own overhead too, and doubles what is asked for. */
	if (r->rcvbuf && fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &n) == 0 &&
	    got / 2 < r->rcvbuf)
		warn("receive buffer: %d bytes instead of %d: raise net.core.rmem_max", got / 2,
		     r->rcvbuf);
}

/* "serving ftp (inet inet6 tcp), tftp (inet inet6 udp) on queue 0", a line for each queue. */
static void tell_queue(struct run *r, const struct run_place *p, int queue, const char *verb)
{
	const char *words = "";

	for (size_t i = p->first; i < p->first + p->config.n; i++)
		if (r->served[i].terms.queue == queue)
			words = phrase("%s%s%s", words, *words ? ", " : "",
				       serving_text(r, &r->served[i]));
	note("%s %s on queue %d%s%s", verb, words, queue, p->netns ? " in " : "",
	     p->netns ? p->netns : "");
}

static void tell_serving(struct run *r, const char *verb)
{
	int queue;

	for (size_t i = 0; i < r->places_n; i++)
		for (size_t k = 0; (queue = place_queue(&r->places[i], k)) >= 0; k++)
			tell_queue(r, &r->places[i], queue, verb);
}

/* Scripts wait for the last line of these. */
static void tell_ready(struct run *r)
{
	for (size_t i = 0; i < r->places_n; i++)
		tell_rcvbuf(r, &r->places[i]);
	for (size_t i = 0; i < r->n; i++)
		if (r->served[i].terms.attach)
			note("attached %s to %s (%s)", cth_served_name(&r->served[i]),
			     ports_text(&r->served[i]), families_text(r, &r->served[i], true));
	tell_unattached(r);
	tell_serving(r, "serving");
}

/* The end. */

/* A rule of somebody else may hold what we have registered: it stays, and does no harm. */
static void tell_remaining(const struct cth_service *s)
{
	for (size_t i = 0; i < s->helpers_n; i++) {
		const struct cth_service_helper *h = &s->helpers[i];
		struct selection key = { cth_served_name(h->served), true, true, h->l3, h->l4 };

		if (h->made)
			warn("%s stays registered, %s: a rule that is not ours refers to it",
			     selection_text(&key), h->enabled ? "enabled" : "disabled");
	}
}

int run_leave(struct run *r)
{
	struct cth_service_part parts[RUN_PLACES];
	int status = CTH_EXIT_OK, err;

	measure_losses(r);
	places_parts(r, NULL, parts);
	err = cth_services_close(parts, r->places_n);
	if (err == -EBUSY)
		for (size_t i = 0; i < r->places_n; i++)
			tell_remaining(&r->places[i].service);
	else if (err < 0)
		status = fail(err, "leave nothing behind", NULL,
			      "`cth helper list` and `cth doctor` show what is left");
	places_close(r);
	show_counters(r, true);
	return status ? status : r->write_error ? CTH_EXIT_FAILURE : CTH_EXIT_OK;
}

/* The middle. */

int run_open(struct run *r, bool resume, bool left_well)
{
	struct cth_service_part parts[RUN_PLACES];
	struct cth_service_fault fault;
	int err;

	for (size_t i = 0; i < r->places_n; i++) {
		r->places[i].config.resume = resume || r->places[i].inherited;
		r->places[i].config.left_well = left_well;
	}
	places_parts(r, NULL, parts);
	err = cth_services_open_on(parts, r->places_n, &fault);
	if (err < 0)
		return run_refused(r, err, &fault);
	if (!interrupted && !r->ready_told)
		tell_ready(r);
	return CTH_EXIT_OK;
}

int run_turn(struct run *r, int wait_ms)
{
	for (size_t i = 0; i < r->places_n; i++) {
		int n = cth_service_run(&r->places[i].service, wait_ms);

		if (n < 0)
			return fail(n, "receive packets", NULL, NULL);
		if (n > 0 && !r->single)
			run_keep_counts(r);
	}
	show_gaps(r);
	return CTH_EXIT_OK;
}

int run_change(struct run *r)
{
	struct cth_served *next = r->sides[!r->side];
	struct cth_service_part parts[RUN_PLACES];
	struct cth_service_fault fault;
	int err;

	run_fill_served(r, &r->next, next);
	places_parts(r, next, parts);
	err = cth_services_change(parts, r->places_n, &fault);
	if (err < 0) {
		run_refused(r, err, &fault);
		return fault.torn ? -1 : 0;
	}
	run_take_next(r);
	return 1;
}

/* One process for everything. */

static int reload(struct run *r)
{
	int changed;

	if (!run_read_next(r))
		return CTH_EXIT_OK;
	manager_log(r->next.syslog);
	changed = run_change(r);
	if (changed < 0) /* next is what parts of it live on, and stays */
		return CTH_EXIT_FAILURE;
	if (changed) {
		note("%s is in force", r->conf.file);
		return CTH_EXIT_OK;
	}
	warn("%s is not taken: the old configuration stays in force", r->conf.file);
	run_drop_next(r);
	return CTH_EXIT_OK;
}

static int mind_signals(struct run *r)
{
	int status = CTH_EXIT_OK;

	if (reload_wanted) {
		reload_wanted = 0;
		manager_reloading();
		status = reload(r);
		manager_log(r->conf.syslog);
		manager_ready(r);
	}
	if (counters_wanted) {
		counters_wanted = 0;
		measure_losses(r);
		show_counters(r, false);
	}
	return status;
}

/* With one place the receive itself waits, which saves a call for each packet. */
static int serve(struct run *r)
{
	bool alone = r->places_n == 1;
	struct watch watch;
	int status = CTH_EXIT_OK, err = watch_begin(&watch);

	for (size_t i = 0; i < r->places_n && err == 0; i++)
		err = watch_add(&watch, cth_sock_fd(&r->places[i].service.sock), (unsigned)i);
	if (err < 0)
		return fail(err, "watch for packets", NULL, NULL);
	trim_program();
	while (!interrupted && status == CTH_EXIT_OK) {
		int watched = manager_alive(true);
		int wait = watched >= 0 && watched < WAKE_MS ? watched : WAKE_MS;

		if (!alone)
			(void)watch_wait(&watch, wait);
		status = run_turn(r, alone ? wait : 0);
		if (status == CTH_EXIT_OK)
			status = mind_signals(r);
	}
	return status;
}

static int run_single(struct run *r)
{
	int status = places_prepare(r), left;

	for (size_t i = 0; i < r->places_n; i++) {
		r->places[i].service.engine.decide = decide_within_limits;
		r->places[i].service.engine.decide_ctx = r;
	}
	if (status == CTH_EXIT_OK)
		status = run_open(r, false, false);
	if (status != CTH_EXIT_OK)
		return status;
	manager_ready(r);
	status = serve(r);
	manager_stopping();
	left = run_leave(r);
	return status ? status : left;
}

static int run_service(struct run *r)
{
	int status = places_plan(r);

	if (status != CTH_EXIT_OK)
		return status;
	fill_streams();
	catch_signals(r);
	setvbuf(stdout, NULL, _IOFBF, 0); /* shown() flushes, and sees what becomes of it */
	status = common.dry_run ? CTH_EXIT_OK : manager_begin(r);
	if (status == CTH_EXIT_OK)
		status = places_open(r);
	if (status == CTH_EXIT_OK && common.dry_run) {
		status = rehearse_run(r);
		if (status == CTH_EXIT_OK)
			tell_serving(r, "would serve");
	} else if (status == CTH_EXIT_OK) {
		status = r->single ? run_single(r) : guardian_run(r);
	}
	places_close(r);
	return status;
}

static int run_main(const struct applet *self, int argc, char **argv)
{
	static struct run r;
	int bad = take_run(self, argc, argv, &r);

	if (bad < 0)
		bad = r.check ? run_check_conf(&r) : run_service(&r);
	for (size_t i = 0; i < r.places_n; i++)
		free(r.places[i].memory);
	conf_free(&r.conf);
	return bad;
}

const struct applet run_protocols_applet = {
	.name = "run",
	.usage = "[OPTION]... [NAME=]PROTOCOL... | --config FILE | --conntrackd FILE | --list",
	.help =
	"Serves protocols as helpers, until SIGTERM or SIGINT.\n\n"
	"Registers them, listens on a queue, enables them; announced connections become\n"
	"expectations, also through NAT. At the end it leaves nothing behind. A helper that a rule\n"
	"of somebody else refers to stays registered, disabled. NAME=PROTOCOL registers it by\n"
	"another name, such as when a module of the kernel has the usual one.\n"
	"      --config FILE             all of that is in a file, such as cth.conf; SIGHUP reads it\n"
	"                                again, and no packet is lost\n"
	"      --conntrackd FILE         the same of the Helper section of a conntrackd.conf; beside it\n"
	"                                go all options but -q, -3, -p, -c and --queue-len\n"
	"      --check                   only say what is wrong with that file; -v: what it means\n"
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
	"  -c, --class NAME:MAX:TIMEOUT  of expectations: how many a flow may have at once, and for how\n"
	"                                many seconds; if not told the protocol's, see --list\n"
	"      --expectations NUMBER     that a helper may make in a second; no limit\n"
	"      --decisions NUMBER        packets to decide in a second; no limit\n"
	"      --queue-len NUMBER        packets that may wait in the kernel; 512\n"
	"      --full open|closed        what finds the queue full passes, or is dropped; if not told\n"
	"                                as what cannot be decided\n"
	"      --rcvbuf BYTES            receive buffer; if not told 4096 for each of them\n"
	"      --keeper USER             who speaks with the kernel; a name or a number, 64901\n"
	"      --worker USER             who reads packets; 64902\n"
	"      --deadline MILLISECONDS   for the decision of one packet; 1000\n"
	"      --restarts COUNT/SECONDS  start who speaks with the kernel again so often when it\n"
	"                                dies, before giving up and disabling helpers; 20/60\n"
	"      --fail-closed             drop what cannot be decided; if not told it passes\n"
	"      --keep FOLDER|off         where packets that workers die of are kept, each in a pcap of\n"
	"                                its own; /var/lib/cth\n"
	"      --log stderr|syslog       where messages go, whatever a file says\n"
	"      --status PATH|off         where `cth status` asks; " STATUS_FOLDER "/NAME.sock\n"
	"      --no-seccomp              on kernels without filters for system calls\n"
	"      --single                  one process, with all the rights that it was started with\n"
	"  -v, --verbose                 a line for each expectation, and for what is not followed\n"
	"\nWhat packets say is read by a process without any rights, which is started again when\n"
	"it dies; another, with CAP_NET_ADMIN alone, speaks with the kernel; a third watches both.\n"
	"SIGUSR1 prints all counters, the end those that are not 0.\n"
	"\nExamples:\n"
	"  cth run ftp tftp --attach\n"
	"  cth run -v my-ftp=ftp -q 3 --netns router\n"
	"  cth run --config /etc/cth.conf --check\n",
	.main = run_main,
};
