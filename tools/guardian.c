/* SPDX-License-Identifier: MIT */
/*
 * guardian.c - starts keeper and worker, and starts them again: see roles.h.
 *
 *     signals --> guardian <-- one byte at a time -- keeper
 *                    |
 *                    '-- waits for their deaths
 *
 * The queue's socket is opened here, and stays open until the end: a queue lives as long as
 * any process holds it. A keeper that dies is started again at once, and so is one that hangs,
 * after it has been killed; one that has not even begun to serve after a while. Unless keepers
 * die over and over: then the helpers are disabled, because a flow of an enabled one that
 * nobody listens to is never confirmed.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "helper.h"
#include "hindrance.h"
#include "jail.h"
#include "kept.h"
#include "log.h"
#include "manager.h"
#include "proc.h"
#include "roles.h"
#include "trim.h"

#define KEEPER_TRIES  8     /* in a row, none of which has come to serve, or even to life */
#define KEEPER_WAIT   50    /* ms before the second start then, and twice as long each time */
#define KEEPER_SILENT 10000 /* ms without a word, one packet's decision apart */
#define GUARDIAN_LATE 2000  /* ms: then it was not only the keeper who stood still */
#define BETWEEN_TRIES 2     /* keepers that another configuration may cost */
#define LEAVE_MS      10000 /* for a keeper to leave in good order, its last packets apart */
#define WORKER_BURST  64    /* workers at once, and then one for each ... */
#define WORKER_MS     20
#define WORKER_AGAIN  500   /* ms, after one could not be put into its jail */
#define TOLD_BURST    8     /* reasons that are told at once, and then one for each ... */
#define TOLD_MS       60000

struct guardian {
	struct run *run;
	int signals;
	int keeper_end;     /* of the pair; -1: no keeper */
	pid_t keeper, worker;
	bool leaving, ready, serving; /* ready: some keeper was; serving: this one is */
	bool relaying;      /* this keeper makes room for one with another configuration */
	bool reload;        /* the file is to be read, as soon as nothing is under way */
	bool stuck;         /* this one was killed for its silence; but is it dead? */
	bool left_well;     /* the last one did not leave anything by half */
	unsigned between;   /* keepers that have died between two configurations */
	int64_t kill_at;    /* when leaving takes too long */
	bool left_again;    /* it has died of something else, and another one leaves in its place */
	int64_t silent_at;  /* when a word is overdue */
	unsigned generation, unready, unstarted; /* unready: deaths in a row; unstarted: tries */
	int64_t start_at;
	int64_t keepers_at, workers_at, files_at; /* until when those that were had count */
	int64_t worker_at;  /* not before that */
	const char *lacking; /* what could not be had the last time, NULL: all can; and why */
	int lacking_why;
	int64_t told_at;    /* until when what was told counts */
	bool flood_told;
	int status;         /* the keeper's last */
};

static void guardian_tell(const struct guardian *g, char word)
{
	if (g->keeper_end >= 0)
		(void)pair_say(g->keeper_end, word, NULL, 0);
}

/* A bucket of so many, which gets another one each ms. *until: when it will be full. */
static bool is_due(int64_t *until, uint32_t burst, int64_t ms)
{
	int64_t now = listener_now();

	if (*until < now)
		*until = now;
	if (*until + ms - now > burst * ms)
		return false;
	*until += ms;
	return true;
}

/* Each once, until it works again; and not for ever, if it comes and goes. */
static bool is_told(struct guardian *g, int err, const char *tried)
{
	bool again = g->lacking == tried && g->lacking_why == err;

	g->lacking = tried;
	g->lacking_why = err;
	return again || !is_due(&g->told_at, TOLD_BURST, TOLD_MS);
}

static const char try_keeper[] = "start a keeper", try_worker[] = "start a worker",
		  try_jail[] = "put a worker into its jail";

static void tell_hindrance(struct guardian *g, int err, const char *tried, const char *meanwhile)
{
	if (!is_told(g, err, tried))
		hindrance_tell(err, tried, meanwhile);
}

/* What a child has of the guardian's is no more than this. */
static void child_begin(struct guardian *g, const int *keep, size_t n)
{
	static const int ignored[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE };
	sigset_t none;

	/* A terminal's Ctrl-C comes to all; only the guardian minds it. */
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (jail_close_all_but(keep, n) < 0)
		_exit(CTH_EXIT_FAILURE);
	g->signals = g->keeper_end = -1;
}

/* What guardian and keepers have open in common: how many. */
#define KEPT_OPEN (3 + 3 * RUN_PLACES + 6)
static size_t list_open(const struct run *r, int fds[KEPT_OPEN])
{
	size_t n = 0;

	fds[n++] = STDIN_FILENO;
	fds[n++] = STDOUT_FILENO;
	fds[n++] = STDERR_FILENO;
	fds[n++] = kernel_recording_fd();
	fds[n++] = log_fd();
	fds[n++] = status_fd(&r->status);
	for (size_t i = 0; i < r->places_n; i++) {
		fds[n++] = cth_sock_fd(&r->places[i].service.sock);
		fds[n++] = cth_sock_fd(&r->places[i].service.control);
		proc_in((unsigned)i);
		fds[n++] = proc_kept("net/netfilter/nfnetlink_queue");
	}
	proc_in(0);
	return n;
}

/* A recording is the keeper's to end: what it could not write nobody else knows. */
static void keeper_begin(struct guardian *g, int end)
{
	int keep[KEPT_OPEN], status, recorded;
	size_t n = list_open(g->run, keep);

	keep[n++] = end;
	child_begin(g, keep, n);
	log_jailed();
	status = keeper_run(g->run, end, g->generation > 0, g->left_well);
	recorded = kernel_end_recording();
	exit(status ? status : recorded);
}

static void keeper_is_heard(struct guardian *g)
{
	g->silent_at = listener_now() + KEEPER_SILENT + (int64_t)g->run->conf.deadline;
}

/* A keeper that has left, or never got in, has unbound it; then the helpers may be another's. */
static bool queue_is_ours(const struct guardian *g, const struct run_place *p, uint32_t queue)
{
	struct proc_queue q;
	int found = proc_queue(queue, &q);

	return found < 0 ? g->ready : found == 1 && q.portid == p->service.sock.portid;
}

static void disable_helper(struct cth_sock *control, const struct cth_served *s, uint16_t l3)
{
	struct cth_helper h;

	for (const uint8_t *l4 = s->proto->l4; *l4; l4++) {
		cth_served_helper(s, l3, *l4, &h);
		h.have = CTH_HELPER_STATUS;
		(void)cth_helper_update(control, &h, NULL);
	}
}

/* No keeper, and none to come. Its sockets may hold answers to a dead one's questions. */
static void disable_helpers(struct guardian *g)
{
	const struct conf *next = &g->run->next; /* which a dead keeper may have been about to bring in */
	struct cth_sock control;

	if (kernel_open(&control) != CTH_EXIT_OK)
		return;
	for (size_t i = 0; i < g->run->n; i++) {
		const struct cth_served *s = &g->run->served[i];
		struct run_place *p = place_of(g->run, s);

		proc_in((unsigned)(p - g->run->places));
		if (!queue_is_ours(g, p, s->terms.queue) &&
		    !(next->n && queue_is_ours(g, p, conf_find(next, g->run->terms[i])->queue)))
			continue;
		if (cth_served_over(s, AF_INET))
			disable_helper(&control, s, AF_INET);
		if (cth_served_over(s, AF_INET6))
			disable_helper(&control, s, AF_INET6);
	}
	kernel_close(&control);
}

/*
 * Not now; but who wants to leave does not wait for it. Nor do new connections, which hang while a
 * helper is enabled and nobody serves it: in the end helpers are disabled until somebody can.
 */
static void no_keeper(struct guardian *g, int err)
{
	tell_hindrance(g, err, try_keeper, "until then packets wait, for a few seconds");
	if (g->unstarted < KEEPER_TRIES && ++g->unstarted == KEEPER_TRIES) {
		warn("no keeper can be started: helpers are disabled until one can");
		disable_helpers(g);
	}
	g->start_at = g->leaving ? 0 : listener_now() + (KEEPER_WAIT << (g->unstarted - 1));
}

static void start_keeper(struct guardian *g)
{
	int ends[2], err;
	pid_t id;

	g->start_at = 0;
	g->serving = g->stuck = false;
	g->run->ready_told = g->ready;
	g->run->shared->roles.keepers++;
	manager_log(g->run->next.n ? g->run->next.syslog : g->run->conf.syslog);
	fflush(NULL); /* or both would say it */
	err = pair_open(ends);
	if (err < 0) {
		no_keeper(g, err);
		return;
	}
	id = fork();
	if (id == 0)
		keeper_begin(g, ends[1]);
	err = -errno;
	close(ends[1]);
	if (id < 0) {
		close(ends[0]);
		no_keeper(g, err);
		return;
	}
	g->lacking = NULL;
	g->unstarted = 0;
	g->keeper_end = ends[0];
	g->keeper = id;
	g->generation++;
	keeper_is_heard(g);
}

static void end_worker(struct guardian *g)
{
	if (g->worker > 0)
		kill(g->worker, SIGKILL);
}

/* Not more of them than a flood of bad packets should cost. */
static bool worker_is_due(struct guardian *g)
{
	bool due = is_due(&g->workers_at, WORKER_BURST, WORKER_MS);

	if (!due && !g->flood_told)
		warn("workers end faster than the %d in a second that are started: packets for which there "
		     "is none are decided by policy; `cth status` tells what they have died of, and the "
		     "packets are kept", 1000 / WORKER_MS);
	g->flood_told |= !due;
	return due;
}

/* As often as the operator wants it; and one that never comes to serve will not the next time. */
static bool keeper_is_due(struct guardian *g)
{
	uint32_t count = g->run->conf.restarts.count;

	g->unready = g->serving ? 0 : g->unready + 1;
	return count > 0 && g->unready < KEEPER_TRIES &&
	       is_due(&g->keepers_at, count, (int64_t)g->run->conf.restarts.seconds * 1000 / count);
}

/* It has not even a place to complain: see worker_died(). */
static void worker_begin(struct guardian *g, const struct channel *channel)
{
	const int keep[] = { channel->in, channel->out };
	const char *step;

	child_begin(g, keep, 2);
	if (munmap(g->run->shared, sizeof(*g->run->shared)) < 0 ||
	    jail_enter(&g->run->worker_jail, &step) < 0)
		_exit(ROLE_EXIT_OUTSIDE);
	worker_run(channel);
}

/* A worker, and the other end of its channel for the keeper: the guardian has neither for long. */
static int fork_worker(struct guardian *g)
{
	struct channel keeper, worker;
	int err = channel_pair(&keeper, &worker);
	pid_t id;

	if (err < 0)
		return err;
	id = fork();
	if (id == 0)
		worker_begin(g, &worker);
	err = id < 0 ? -errno : 0;
	channel_close(&worker);
	if (err == 0) {
		g->worker = id;
		err = pair_say(g->keeper_end, ROLE_WORKER, (const int[]){ keeper.in, keeper.out }, 2);
	}
	channel_close(&keeper);
	return err;
}

static void start_worker(struct guardian *g)
{
	int err;

	end_worker(g);
	if (listener_now() < g->worker_at || !worker_is_due(g)) {
		guardian_tell(g, ROLE_NONE);
		return;
	}
	err = fork_worker(g);
	if (err == 0) {
		if (g->lacking != try_jail) /* that is seen later */
			g->lacking = NULL;
		trim_program();
		return;
	}
	end_worker(g);
	guardian_tell(g, ROLE_NONE);
	tell_hindrance(g, err, try_worker, "until then packets are decided by policy");
}

/* A packet is to be kept. What is in it the keeper alone knows, and it has no folder. */
static void start_file(struct guardian *g)
{
	const char *folder = kept_folder(&g->run->conf);
	int fd = -ENOENT, err;

	if (folder && is_due(&g->files_at, WORKER_BURST, WORKER_MS)) {
		fd = kept_new(folder);
		if (fd < 0)
			kept_failed(fd, folder);
	}
	err = fd < 0 ? fd : pair_say(g->keeper_end, ROLE_KEEP, &fd, 1);
	if (err < 0)
		guardian_tell(g, ROLE_NONE);
	if (fd >= 0)
		close(fd);
}

/* A keeper that has said itself why it cannot serve is not asked again. */
static bool keeper_has_refused(const struct guardian *g)
{
	return WIFEXITED(g->status) && g->generation == 1 && !g->ready;
}

/* Whatever goes wrong between two configurations shall not go wrong for ever. */
static void refuse_next(struct guardian *g)
{
	warn("%s is not taken: the old configuration stays in force", g->run->next.file);
	run_drop_next(g->run);
	g->between = 0;
	manager_log(g->run->conf.syslog);
	manager_ready(g->run);
}

static void keeper_serves(struct guardian *g)
{
	g->ready = g->serving = true;
	if (g->run->next.n) {
		run_fill_served(g->run, &g->run->next, g->run->sides[!g->run->side]);
		run_take_next(g->run);
		g->between = 0;
		note("%s is in force", g->run->conf.file);
	}
	manager_ready(g->run);
	trim_program();
}

/* It has nothing to give. */
static bool hear(const struct guardian *g, struct pair_heard *h)
{
	if (g->keeper_end < 0 || pair_hear(g->keeper_end, h) != 1)
		return false;
	pair_drop(h);
	return true;
}

/* It may have come to serve, and said so, just before it died. */
static void hear_the_last(struct guardian *g)
{
	struct pair_heard h;

	while (hear(g, &h)) {
		if (h.word == ROLE_REFUSED && g->run->next.n)
			refuse_next(g);
		else if (h.word == ROLE_READY)
			keeper_serves(g);
	}
}

/* It has read that it shall make room, and not that it shall leave; or it was killed just now. */
static void leave_by_another(struct guardian *g)
{
	if (!g->left_well && (g->left_again || !g->ready || WIFEXITED(g->status)))
		return;
	g->left_again |= !g->left_well;
	run_drop_next(g->run);
	start_keeper(g);
	guardian_tell(g, ROLE_LEAVE);
}

static void keeper_died(struct guardian *g)
{
	bool again;

	hear_the_last(g);
	close(g->keeper_end);
	g->keeper_end = -1;
	g->keeper = 0;
	end_worker(g);
	g->left_well = g->relaying && WIFEXITED(g->status) &&
		       WEXITSTATUS(g->status) == ROLE_EXIT_RELAYED;
	g->relaying = false;
	if (g->leaving) {
		leave_by_another(g);
		return;
	}
	if (g->left_well) {
		g->start_at = listener_now();
		return;
	}
	if (g->run->next.n && !g->serving && ++g->between == BETWEEN_TRIES)
		refuse_next(g);
	if ((WIFEXITED(g->status) && WEXITSTATUS(g->status) == 0) || keeper_has_refused(g))
		return;
	again = keeper_is_due(g);
	manager_status(again ? "the keeper has died; the next one begins" : "giving up");
	warn("the keeper has died of %s; %s",
	     WIFSIGNALED(g->status) ? strsignal(WTERMSIG(g->status)) : "an error, see above",
	     again ? "the next one goes on" : "too often: giving up, helpers are disabled");
	if (again)
		g->start_at = listener_now() +
			      (g->unready > 1 ? KEEPER_WAIT << (g->unready - 2) : 0);
}

/*
 * What keeps a process from its jail is told by one that goes in, and out of the world: before
 * anything is begun, and for a worker that could not, as it has no place to complain.
 */
static int try_worker_jail(struct run *r, bool tell)
{
	const char *step;
	int status = 0, err;
	pid_t id = fork();

	if (id == 0) {
		err = jail_enter(&r->worker_jail, &step);
		_exit(err == 0 ? CTH_EXIT_OK : tell ? jail_failed(err, step) : CTH_EXIT_FAILURE);
	}
	if (id < 0 || waitpid(id, &status, 0) < 0)
		return fail(errno, "start a process", NULL, NULL);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return fail(EPERM, "put a process into a jail", "it died there", NULL);
}

/*
 * It says that it stayed outside; which is no more than a number, and any worker can say it. The
 * next one that goes in proves it.
 */
static void worker_died(struct guardian *g, int status)
{
	bool tell;

	if (!WIFEXITED(status) || WEXITSTATUS(status) != ROLE_EXIT_OUTSIDE || g->leaving)
		return;
	tell = !is_told(g, 0, try_jail);
	if (try_worker_jail(g->run, tell) == CTH_EXIT_OK)
		return;
	g->worker_at = listener_now() + WORKER_AGAIN;
	if (tell)
		warn("without its jail no worker is started: until then packets are decided by policy");
}

static void reap(struct guardian *g)
{
	int status;
	pid_t id;

	while ((id = waitpid(-1, &status, WNOHANG)) > 0) {
		if (id == g->worker)
			g->worker = 0;
		if (id == g->keeper) {
			g->status = status;
			keeper_died(g);
		} else {
			worker_died(g, status);
		}
	}
}

/* The keeper, which can read no file any more, makes room for one that has been told. */
static void reload(struct guardian *g)
{
	if (g->leaving || g->run->next.n || g->relaying || !g->serving)
		return; /* that comes first */
	g->reload = false;
	manager_reloading();
	if (!run_read_next(g->run)) {
		manager_ready(g->run);
		return;
	}
	if (kept_check(&g->run->next) != CTH_EXIT_OK) {
		refuse_next(g);
		return;
	}
	g->relaying = true;
	guardian_tell(g, ROLE_RELAY);
}

/* If one is to be started it is started now: who else would put things in order? */
static void leave_now(struct guardian *g)
{
	g->leaving = true;
	g->kill_at = listener_now() + LEAVE_MS + 2 * (int64_t)g->run->conf.deadline;
	manager_stopping();
	if (g->start_at)
		start_keeper(g);
	guardian_tell(g, ROLE_LEAVE);
}

static void take_signals(struct guardian *g)
{
	struct signalfd_siginfo info;

	while (read(g->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(g);
		else if (info.ssi_signo == SIGUSR1)
			guardian_tell(g, ROLE_COUNT);
		else if (info.ssi_signo == SIGHUP && g->run->conf_path)
			g->reload = true;
		else if (!g->leaving)
			leave_now(g);
	}
}

/* One at a time, or a keeper that has lost its mind would have signals wait. */
static void take_word(struct guardian *g)
{
	struct pair_heard h;

	if (!hear(g, &h))
		return;
	keeper_is_heard(g);
	switch (h.word) {
	case ROLE_WORKER:
		start_worker(g);
		break;
	case ROLE_NONE:
		end_worker(g);
		break;
	case ROLE_KEEP:
		start_file(g);
		break;
	case ROLE_READY:
		keeper_serves(g);
		break;
	case ROLE_REFUSED:
		if (g->run->next.n)
			refuse_next(g);
		break;
	}
}

/* Stopped, or busy for ever: as bad as dead, but nobody would be told. */
static void mind_silence(struct guardian *g)
{
	int64_t now = listener_now(), late = now - g->silent_at;

	if (!g->keeper || g->leaving || late < 0)
		return;
	keeper_is_heard(g);
	if (late > GUARDIAN_LATE) /* when all were frozen: once more as long */
		return;
	g->run->shared->roles.silent++;
	warn("the keeper gives no sign of life: it is killed");
	kill(g->keeper, SIGKILL);
	g->stuck = true;
}

/* Until when nothing has to be done but wait. */
static int guardian_timeout(const struct guardian *g)
{
	int64_t at = g->leaving ? g->kill_at : g->keeper ? g->silent_at : g->start_at;
	int64_t now = listener_now();
	int watched = manager_alive(!g->stuck), wait = at > now ? (int)(at - now) : 0;

	return watched >= 0 && watched < wait ? watched : wait;
}

static void guardian_turn(struct guardian *g)
{
	struct pollfd wait[] = {
		{ .fd = g->signals, .events = POLLIN },
		{ .fd = g->keeper_end, .events = POLLIN },
	};

	(void)poll(wait, 2, guardian_timeout(g));
	take_word(g);
	take_signals(g);
	if (g->reload)
		reload(g);
	log_mend();
	mind_silence(g);
	if (g->start_at && listener_now() >= g->start_at)
		start_keeper(g);
	if (g->leaving && g->keeper && listener_now() >= g->kill_at) {
		kill(g->keeper, SIGKILL);
		g->kill_at += LEAVE_MS;
	}
}

/* Blocked, a signal that is ignored comes all the same: SIGHUP under nohup(1) must not. */
static bool hangs_up(void)
{
	struct sigaction a;

	return sigaction(SIGHUP, NULL, &a) < 0 || a.sa_handler != SIG_IGN;
}

static int catch_as_descriptor(void)
{
	static const int numbers[] = { SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGUSR1 };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(&set, numbers[i]);
	if (hangs_up())
		sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int guardian_end(struct guardian *g)
{
	bool orderly = WIFEXITED(g->status) && WEXITSTATUS(g->status) != ROLE_EXIT_RELAYED;

	manager_end(g->run);
	end_worker(g);
	if (g->worker > 0)
		waitpid(g->worker, NULL, 0);
	if (!orderly || WEXITSTATUS(g->status) != 0)
		disable_helpers(g);
	return orderly ? WEXITSTATUS(g->status) : CTH_EXIT_FAILURE;
}

/* The start. */

/* Whoever started this may have left something open that is not for us to hold. */
static int close_what_was_inherited(const struct guardian *g)
{
	int keep[KEPT_OPEN];
	size_t n = list_open(g->run, keep);

	keep[n++] = g->signals;
	keep[n++] = manager_fd();
	return jail_close_all_but(keep, n);
}

/* Gives up what it does not need, and has the others serve until the end. */
static int guard(struct guardian *g)
{
	const char *step;
	int err = jail_guard(JAIL_GUARDIAN_CAPS, &step), status;

	if (err < 0)
		return jail_failed(err, step);
	status = kept_check(&g->run->conf);
	if (status == CTH_EXIT_OK)
		status = try_worker_jail(g->run, true);
	if (status != CTH_EXIT_OK)
		return status;
	if (interrupted) /* before they were caught so */
		return CTH_EXIT_OK;
	start_keeper(g);
	while (g->keeper || g->start_at)
		guardian_turn(g);
	return guardian_end(g);
}

int guardian_run(struct run *r)
{
	static struct guardian g;
	int err, status;

	status = run_users(r);
	if (status != CTH_EXIT_OK)
		return status;
	g.run = r;
	g.keeper_end = -1;
	g.signals = catch_as_descriptor();
	if (g.signals < 0)
		return fail(errno, "catch signals", NULL, NULL);
	err = close_what_was_inherited(&g);
	if (err < 0)
		return fail(err, "close descriptors", NULL, NULL);
	if (interrupted) /* before there was anybody to mind it */
		return CTH_EXIT_OK;
	status = run_open_status(r);
	if (status == CTH_EXIT_OK)
		status = guard(&g);
	status_close(&r->status);
	return status;
}
