/* SPDX-License-Identifier: MIT */
/*
 * elsewhere.c - a child goes from one network namespace to the next, and says through a pipe
 * what it finds:
 *
 *     /run/netns/NAME     \                                     place > place > ... > end
 *                          >  setns > rules, bound queues  -->  ------------------------> us
 *     /proc/PID/ns/net    /
 *
 * It reads with sockets of its own: a recording shows what is done here, not there.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "cth.h"
#include "elsewhere.h"
#include "legacy.h"
#include "proc.h"
#include "rules.h"

#define NAMED  "/run/netns"
#define QUEUES 256

/* What the child says; less than PIPE_BUF, so it comes in one piece or not at all. */
struct elsewhere_word {
	enum elsewhere_kind { A_PLACE, SHUT, BEEN_THERE, BEEN_EVERYWHERE, BARRED } kind;
	struct elsewhere_place place; /* if it is one */
};
_Static_assert(sizeof(struct elsewhere_word) <= 4096, "PIPE_BUF");

/* The child's notes. */
struct elsewhere_walk {
	const struct elsewhere_helper *helpers;
	size_t n;
	int to;
	struct {
		dev_t dev;
		ino_t ino;
	} known[2 * ELSEWHERE_MOST]; /* the served ones, and where it has been */
	size_t known_n, looked;
	bool whole, barred;
};

/* Whether a namespace is new to us; it is known from now on. */
static bool is_new(struct elsewhere_walk *w, const struct stat *st)
{
	for (size_t i = 0; i < w->known_n; i++)
		if (w->known[i].dev == st->st_dev && w->known[i].ino == st->st_ino)
			return false;
	if (w->known_n == sizeof(w->known) / sizeof(w->known[0])) {
		w->whole = false;
		return false;
	}
	w->known[w->known_n].dev = st->st_dev;
	w->known[w->known_n++].ino = st->st_ino;
	return true;
}

static void pass_over(struct elsewhere_walk *w, const char *netns)
{
	const char *path = !netns ? "/proc/self/ns/net" :
			   strchr(netns, '/') ? netns : phrase(NAMED "/%s", netns);
	struct stat st;

	if (stat(path, &st) == 0)
		(void)is_new(w, &st);
}

/* In a namespace. */

static bool listened_to(const struct proc_queue *queues, int n, uint16_t num)
{
	for (int i = 0; i < n && i < QUEUES; i++)
		if (queues[i].num == num)
			return true;
	return false;
}

static const struct rule *rule_for(const struct rules *rules, const char *helper)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rules->list[i].kind == RULE_HELPER &&
		    strcmp(rules->list[i].helper, helper) == 0)
			return &rules->list[i];
	return NULL;
}

static bool told_before(const struct elsewhere_walk *w, size_t k)
{
	for (size_t i = 0; i < k; i++)
		if (strcmp(w->helpers[i].name, w->helpers[k].name) == 0 &&
		    w->helpers[i].queue == w->helpers[k].queue &&
		    w->helpers[i].listener == w->helpers[k].listener)
			return true;
	return false;
}

static void say(const struct elsewhere_walk *w, const struct elsewhere_word *word)
{
	if (write(w->to, word, sizeof(*word)) != (ssize_t)sizeof(*word))
		_exit(1); /* nobody listens to us either */
}

static void say_short(const struct elsewhere_walk *w, enum elsewhere_kind kind)
{
	struct elsewhere_word word = { .kind = kind };

	say(w, &word);
}

static void say_shut(const struct elsewhere_walk *w, const struct elsewhere_place *here)
{
	struct elsewhere_word word = { SHUT, *here };

	say(w, &word);
}

/* What there is to say of one helper. */
static void compare_one(const struct elsewhere_walk *w, size_t i, const struct rule *rule,
			bool listened, struct elsewhere_place *place)
{
	const struct elsewhere_helper *h = &w->helpers[i];
	struct elsewhere_word word = { A_PLACE, *place };

	if (listened != h->listener || !(rule || h->listener) || told_before(w, i))
		return;
	word.place.helper = *h;
	if (rule)
		rule_text(rule, word.place.rule, sizeof(word.place.rule));
	say(w, &word);
}

/* Of nf_tables, where the kernel has it, and of iptables-legacy, as far as it lets us. */
static bool read_rules(struct rules *rules)
{
	static uint8_t answers[CTH_SOCK_BUF];
	struct cth_nack nack;
	struct cth_sock s;
	int r;

	if (cth_sock_open(&s, answers, sizeof(answers)) < 0)
		return false;
	r = rules_read(&s, rules, &nack);
	(void)legacy_read(rules);
	cth_sock_close(&s);
	return r == 0 || r == -EPROTONOSUPPORT;
}

/* We are there. */
static void compare(struct elsewhere_walk *w, struct elsewhere_place *here)
{
	static struct proc_queue queues[QUEUES];
	struct rules rules = { 0 };
	int n;

	if (read_rules(&rules)) {
		n = proc_queues(queues, QUEUES); /* -ENOENT: nobody listens to anything */
		for (size_t i = 0; i < w->n && (n >= 0 || n == -ENOENT); i++)
			compare_one(w, i, rule_for(&rules, w->helpers[i].name),
				    listened_to(queues, n, w->helpers[i].queue), here);
		w->looked++;
		say_short(w, BEEN_THERE);
	}
	rules_free(&rules);
}

/* From one to the next. */

static void read_command(struct elsewhere_place *here)
{
	char path[64];
	ssize_t n;
	int fd;

	if (!here->pid)
		return;
	snprintf(path, sizeof(path), "/proc/%ld/comm", here->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, here->command, sizeof(here->command) - 1);
	here->command[n > 0 ? n : 0] = '\0';
	here->command[strcspn(here->command, "\n")] = '\0';
	close(fd);
}

static void visit(struct elsewhere_walk *w, const char *path, struct elsewhere_place *here)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		w->barred |= errno == EACCES || errno == EPERM;
		return;
	}
	if (fstat(fd, &st) == 0 && is_new(w, &st)) {
		if (w->looked == ELSEWHERE_MOST) {
			w->whole = false;
		} else if (setns(fd, CLONE_NEWNET) == 0) {
			read_command(here);
			compare(w, here);
		} else if (errno == EPERM) {
			read_command(here);
			say_shut(w, here);
		}
	}
	close(fd);
}

static void visit_named(struct elsewhere_walk *w)
{
	DIR *all = opendir(NAMED);
	struct elsewhere_place here;
	struct dirent *d;

	while (all && w->whole && (d = readdir(all))) {
		memset(&here, 0, sizeof(here));
		if (d->d_name[0] == '.' || strlen(d->d_name) >= sizeof(here.name))
			continue;
		memcpy(here.name, d->d_name, strlen(d->d_name));
		visit(w, phrase(NAMED "/%s", d->d_name), &here);
	}
	if (all)
		closedir(all);
}

static void visit_processes(struct elsewhere_walk *w)
{
	DIR *all = opendir("/proc");
	struct elsewhere_place here;
	struct dirent *d;

	while (all && w->whole && (d = readdir(all))) {
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		memset(&here, 0, sizeof(here));
		here.pid = strtol(d->d_name, NULL, 10);
		visit(w, phrase("/proc/%ld/ns/net", here.pid), &here);
	}
	if (all)
		closedir(all);
}

static void walk(struct elsewhere_walk *w, const char *const *served, size_t served_n)
{
	w->whole = true;
	proc_in(UINT_MAX); /* files that are kept open are another namespace's */
	for (size_t i = 0; i < served_n; i++)
		pass_over(w, served[i]);
	visit_named(w);
	visit_processes(w);
	if (w->barred)
		say_short(w, BARRED);
	if (w->whole)
		say_short(w, BEEN_EVERYWHERE);
}

/* The one who waits. */

static int64_t now_ms(void)
{
	struct timespec t = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void take_shut(struct elsewhere *found, const struct elsewhere_place *place)
{
	if (found->shut++ == 0)
		found->first_shut = *place;
}

static void take_word(struct elsewhere *found, const struct elsewhere_word *word)
{
	if (word->kind == BEEN_EVERYWHERE)
		found->whole = true;
	else if (word->kind == BEEN_THERE)
		found->looked++;
	else if (word->kind == BARRED)
		found->barred = true;
	else if (word->kind == SHUT)
		take_shut(found, &word->place);
	else if (found->n < ELSEWHERE_MOST)
		found->places[found->n++] = word->place;
}

static void listen_to(int from, struct elsewhere *found)
{
	int64_t end = now_ms() + ELSEWHERE_MS, now;
	struct pollfd wait = { .fd = from, .events = POLLIN };
	struct elsewhere_word word;

	while ((now = now_ms()) < end && !interrupted) {
		if (poll(&wait, 1, (int)(end - now)) <= 0)
			continue;
		if (read(from, &word, sizeof(word)) != (ssize_t)sizeof(word))
			return;
		take_word(found, &word);
	}
}

void elsewhere_look(const struct elsewhere_helper *helpers, size_t n, const char *const *served,
		    size_t served_n, struct elsewhere *found)
{
	static struct elsewhere_walk w;
	int ends[2];
	pid_t child;

	found->n = found->looked = found->shut = 0;
	found->whole = found->barred = false;
	if (n == 0 || pipe2(ends, O_CLOEXEC) < 0)
		return;
	child = fork();
	if (child == 0) {
		close(ends[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		w = (struct elsewhere_walk){ .helpers = helpers, .n = n, .to = ends[1] };
		walk(&w, served, served_n);
		_exit(0);
	}
	close(ends[1]);
	if (child > 0) {
		listen_to(ends[0], found);
		kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(ends[0]);
}

const char *elsewhere_text(const struct elsewhere_place *p)
{
	return p->name[0] ? phrase("network namespace %s", p->name)
			  : phrase("network namespace of pid %ld (%s)", p->pid, p->command);
}

const char *elsewhere_netns(const struct elsewhere_place *p)
{
	return p->name[0] ? p->name : phrase("/proc/%ld/ns/net", p->pid);
}

void elsewhere_warn(const struct elsewhere_helper *helpers, size_t n, const char *const *served,
		    size_t served_n, bool verbose)
{
	static struct elsewhere found;

	elsewhere_look(helpers, n, served, served_n, &found);
	if (found.shut)
		warn("%s%s cannot be looked at, which takes CAP_SYS_ADMIN: if a rule there attaches a "
		     "helper of ours and nobody listens, its new connections there hang; `cth doctor` as "
		     "root tells", elsewhere_text(&found.first_shut),
		     found.shut > 1 ? phrase(" and %zu more", found.shut - 1) : "");
	else if (found.barred && verbose)
		note("other network namespaces are not all looked at, which takes CAP_SYS_ADMIN and "
		     "CAP_SYS_PTRACE: `cth doctor` as root does");
	for (size_t i = 0; i < found.n; i++) {
		const struct elsewhere_place *p = &found.places[i];

		warn("%s has a rule that attaches %s (%s), and nobody listens on queue %u there: while "
		     "%s is enabled, its new connections there hang behind NAT or a stateful "
		     "firewall; take that rule away, or serve it there too: --netns %s",
		     elsewhere_text(p), p->helper.name, p->rule, p->helper.queue, p->helper.name,
		     elsewhere_netns(p));
	}
}
