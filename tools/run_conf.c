/* SPDX-License-Identifier: MIT */
/*
 * run_conf.c - the configuration of `cth run`: read from a file, checked, turned into the terms
 * that the library wants, and read again when a SIGHUP asks for it.
 *
 *     file --> struct conf --> struct cth_served of the helpers, place by place
 *     SIGHUP --> struct conf --> differs in what is live? --> the same places, other terms
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "log.h"
#include "netns.h"
#include "run.h"

#define KEEPER_FILES 64 /* three of each place, and a dozen more */

/* They begin with a file's name and a line's number. */
static void tell(enum log_kind kind, const struct conf_says *s)
{
	for (size_t i = 0; i < s->n; i++)
		log_say(kind, NULL, s->texts[i]);
	if (s->more)
		log_say(kind, NULL, phrase("and %zu more", s->more));
}

/* Which of the two forms it has was told on the command line. */
static int read_either(const struct run *r, struct conf *c, struct conf_report *report)
{
	int err;

	if (!r->conntrackd_path)
		return conf_read(c, r->conf_path, report);
	err = conf_read_conntrackd(c, r->conntrackd_path, report);
	return err < 0 ? err : run_say_beside(r, c);
}

int run_read_conf(const struct run *r, struct conf *c)
{
	struct conf_report report = { .errors = { .n = 0 } };
	int err = read_either(r, c, &report);

	tell(LOG_KIND_ERROR, &report.errors);
	tell(LOG_KIND_WARNING, &report.notes);
	conf_report_free(&report);
	if (r->log)
		c->syslog = strcmp(r->log, "syslog") == 0;
	return err < 0 ? CTH_EXIT_USAGE : CTH_EXIT_OK;
}

int run_users(struct run *r)
{
	struct conf_report report = { .errors = { .n = 0 } };
	struct conf_ids keeper, worker;
	int err = conf_users(&r->conf, &keeper, &worker, &report);

	tell(LOG_KIND_ERROR, &report.errors);
	conf_report_free(&report);
	if (err < 0)
		return CTH_EXIT_USAGE;
	r->keeper_jail.uid = keeper.uid;
	r->keeper_jail.gid = keeper.gid;
	r->keeper_jail.keep = JAIL_CAPS(JAIL_CAP_NET_ADMIN);
	r->keeper_jail.files = KEEPER_FILES;
	r->keeper_jail.grows_files = true; /* recordings, and whatever stdout is */
	r->keeper_jail.calls = &seccomp_keeper;
	r->keeper_jail.otherwise = SECCOMP_REFUSE; /* libcs differ, and one must not end the service */
	r->worker_jail.uid = worker.uid;
	r->worker_jail.gid = worker.gid;
	r->worker_jail.calls = &seccomp_worker;
	return CTH_EXIT_OK;
}

/* Of one line; 0: the command line says it, where the file cannot. */
static void tell_error(const struct conf *c, unsigned line, const char *text)
{
	struct conf_report report = { .errors = { .n = 0 } };

	conf_say(&report.errors, c->file, line, "%s", text);
	tell(LOG_KIND_ERROR, &report.errors);
	conf_report_free(&report);
}

/* A namespace is tried by going there and back, which takes root; others are told so. */
static int check_netns(const struct conf *c)
{
	int back = remember_netns(), status = CTH_EXIT_OK;

	if (back < 0)
		return CTH_EXIT_OK;
	for (size_t i = 0; i < c->n && status == CTH_EXIT_OK; i++) {
		if (c->helpers[i].netns)
			status = enter_netns(c->helpers[i].netns);
		if (status != CTH_EXIT_OK)
			tell_error(c, c->helpers[i].at[CONF_NETNS],
				   phrase("helper %s: its network namespace cannot be entered, see "
					  "above", c->helpers[i].name));
	}
	return_to_netns(back);
	return status;
}

static int folder_fault(const char *folder)
{
	struct stat s;

	if (stat(folder, &s) < 0)
		return errno == EACCES ? 0 : -errno; /* root will see */
	return S_ISDIR(s.st_mode) ? 0 : -ENOTDIR;
}

/* A start makes the last folder for packets, and the usual one for sockets; no other. */
static int check_folder(const struct conf *c, enum conf_number word, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *folder = !slash ? "." : slash == path ? "/"
				    : phrase("%.*s", (int)(slash - path), path);
	int err = strcmp(folder, STATUS_FOLDER) == 0 ? 0 : folder_fault(folder);

	if (err == 0 && word == CONF_PACKETS && folder_fault(path) == -ENOTDIR) {
		folder = path;
		err = -ENOTDIR;
	}
	if (err == 0)
		return CTH_EXIT_OK;
	tell_error(c, c->optional_users ? 0 : c->at[word],
		   phrase("folder %s: %s: make it, or name another one", folder, errno_name(err)));
	return CTH_EXIT_USAGE;
}

static int check_folders(const struct conf *c)
{
	int status = CTH_EXIT_OK;

	if (c->packets && c->at[CONF_PACKETS])
		status = check_folder(c, CONF_PACKETS, c->packets);
	if (status == CTH_EXIT_OK && c->status && c->at[CONF_STATUS])
		status = check_folder(c, CONF_STATUS, c->status);
	return status;
}

int run_check_conf(struct run *r)
{
	int status = r->single ? CTH_EXIT_OK : run_users(r);

	if (status == CTH_EXIT_OK)
		status = check_netns(&r->conf);
	if (status == CTH_EXIT_OK)
		status = check_folders(&r->conf);
	if (status != CTH_EXIT_OK)
		return status;
	if (r->verbose)
		conf_print(stdout, &r->conf);
	else
		printf("%s: right: %zu helper%s\n", r->conf.file, r->conf.n, r->conf.n == 1 ? "" : "s");
	return CTH_EXIT_OK;
}

/* The library's terms. Texts and ports stay the configuration's. */
static void fill_one(struct cth_served *s, const struct conf_helper *h)
{
	struct cth_terms *t = &s->terms;

	s->proto = h->proto;
	s->name = h->name;
	s->allow = h->allow;
	t->queue = (uint16_t)h->queue;
	t->maxlen = h->length;
	t->full_closed = h->full_closed;
	t->no_ipv4 = !(h->families & CONF_IPV4);
	t->no_ipv6 = !(h->families & CONF_IPV6);
	t->attach = h->attach;
	t->ports = h->ports;
	t->ports_n = h->ports_n;
	for (size_t i = 0; i < CTH_CLASSES; i++) {
		t->classes[i].max = h->classes[i].max;
		t->classes[i].timeout = h->classes[i].timeout;
	}
}

void run_fill_served(const struct run *r, const struct conf *c, struct cth_served *served)
{
	for (size_t i = 0; i < r->n; i++) {
		fill_one(&served[i], conf_find(c, r->terms[i]));
		served[i].terms.keep = r->served[i].terms.keep;
	}
}

/* Another one. */

static bool is_the_same(const struct conf *a, const struct conf *b)
{
	uint32_t changes = conf_changes(a, b);

	for (size_t i = 0; i < a->n; i++)
		changes |= conf_helper_changes(&a->helpers[i], conf_find(b, &a->helpers[i]));
	return changes == 0;
}

/* Whoever reads from a pipe waits for whoever writes, and so would all that the guardian does. */
static bool can_be_read_again(const char *path)
{
	struct stat s;

	if (strcmp(path, "-") == 0)
		return false;
	return stat(path, &s) < 0 || S_ISREG(s.st_mode) || S_ISDIR(s.st_mode);
}

int run_read_next(struct run *r)
{
	struct conf_says restart = { .n = 0 };
	int n;

	if (!can_be_read_again(r->conf_path)) {
		warn("%s is not taken: only a file can be read again: the old configuration stays in force",
		     r->conf.file);
		return 0;
	}
	if (run_read_conf(r, &r->next) != CTH_EXIT_OK) {
		warn("%s is not taken: the old configuration stays in force", r->conf.file);
		return 0;
	}
	n = conf_difference(&r->conf, &r->next, &restart);
	tell(LOG_KIND_ERROR, &restart);
	for (size_t i = 0; i < restart.n; i++)
		free(restart.texts[i]);
	free(restart.texts);
	if (n != 0)
		warn("%s is not taken: it %s: the old configuration stays in force", r->conf.file,
		     n < 0 ? "does not fit into memory" : "needs a restart");
	else if (is_the_same(&r->conf, &r->next))
		warn("%s has not changed", r->conf.file);
	else
		return 1;
	run_drop_next(r);
	return 0;
}

/* The other side of served has been filled, and the services have taken it. */
void run_take_next(struct run *r)
{
	struct conf old = r->conf;

	for (size_t i = 0; i < r->n; i++)
		r->terms[i] = conf_find(&r->next, r->terms[i]);
	r->side = !r->side;
	r->served = r->sides[r->side];
	for (size_t i = 0; i < r->places_n; i++)
		r->places[i].config.served = r->served + r->places[i].first;
	r->conf = r->next;
	memset(&r->next, 0, sizeof(r->next));
	conf_free(&old);
}

void run_drop_next(struct run *r)
{
	conf_free(&r->next);
}
