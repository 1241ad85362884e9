/* SPDX-License-Identifier: MIT */
/*
 * manager.c - see manager.h. A kept socket has a name:
 *
 *     queue          of the place that we were started in
 *     queue-kept     the same, and its helpers were registered before: they stay, at the end
 *     queue@dmz      of another network namespace
 *
 * Names alone prove nothing, for the configuration may be another one by now, and so may the
 * namespace of that name. So a socket is taken only if the kernel lists it, by its inode, among
 * those of the namespace where we are, and lists it as the owner of a queue that is ours to
 * serve. A manager gives it back only after the last process of the predecessor has ended; so
 * nobody else is reading from it.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <linux/netlink.h>
#include <unistd.h>
#include "log.h"
#include "manager.h"
#include "notify.h"
#include "proc.h"

#define KEPT "-kept"

static struct notify notify; /* manager_begin() comes before all others */
static struct {
	int fd;           /* -1: it has been taken */
	const char *name;
} stored[NOTIFY_STORED];
static size_t stored_n;

int manager_begin(const struct run *r)
{
	const char *syslog = r->conf.syslog ? LOG_SYSLOG : NULL;
	int err = log_begin(syslog);

	if (err < 0)
		log_failed(err, syslog);
	err = notify_begin(&notify);
	if (err < 0)
		warn("tell the service manager at $NOTIFY_SOCKET: %s: not an address that can be "
		     "reached from here; it is not told anything", errno_name(err));
	while (stored_n < NOTIFY_STORED &&
	       (stored[stored_n].fd = notify_stored(&notify, &stored[stored_n].name)) >= 0)
		stored_n++;
	return CTH_EXIT_OK;
}

void manager_log(bool syslog)
{
	int err;

	if (syslog == (log_fd() >= 0))
		return;
	err = log_begin(syslog ? LOG_SYSLOG : NULL);
	if (err < 0)
		log_failed(err, LOG_SYSLOG);
}

int manager_fd(void)
{
	return notify.fd;
}

/* Sockets. */

static const char *name_of(const struct run_place *p)
{
	bool kept = false;

	for (size_t i = 0; i < p->config.n; i++)
		kept |= p->config.served[i].terms.keep;
	return phrase("queue%s%s%s", kept ? KEPT : "", p->netns ? "@" : "", p->netns ? p->netns : "");
}

/* The portid of a netfilter socket of this namespace; 0: it is none. */
static uint32_t portid_here(int fd)
{
	struct sockaddr_nl self = { .nl_family = AF_UNSPEC };
	socklen_t n = sizeof(self);
	struct stat s;

	if (getsockname(fd, (struct sockaddr *)&self, &n) < 0 || self.nl_family != AF_NETLINK ||
	    self.nl_pid == 0 || fstat(fd, &s) < 0)
		return 0;
	return proc_socket_inode(self.nl_pid) == s.st_ino ? self.nl_pid : 0;
}

static bool owns_a_queue(const struct run_place *p, uint32_t portid)
{
	struct proc_queue q;
	int queue;

	for (size_t i = 0; (queue = place_queue(p, i)) >= 0; i++)
		if (proc_queue((uint32_t)queue, &q) == 1 && q.portid == portid)
			return true;
	return false;
}

/* The socket is ours. */
static int take(struct run_place *p, size_t i)
{
	bool kept = strncmp(stored[i].name, "queue" KEPT, strlen("queue" KEPT)) == 0;
	int status;

	kernel_close(&p->service.sock);
	status = kernel_open_on(&p->service.sock, stored[i].fd);
	if (status != CTH_EXIT_OK)
		return status;
	stored[i].fd = -1;
	p->inherited = true;
	for (size_t k = 0; k < p->config.n; k++)
		p->config.served[k].terms.keep = kept;
	note("going on with the queues of a predecessor that was killed");
	return CTH_EXIT_OK;
}

int manager_inherit(struct run_place *p)
{
	for (size_t i = 0; i < stored_n; i++) {
		uint32_t portid = stored[i].fd < 0 ? 0 : portid_here(stored[i].fd);

		if (portid && owns_a_queue(p, portid))
			return take(p, i);
	}
	return CTH_EXIT_OK;
}

/* What is kept and of no use would hold a queue that somebody else may want. */
void manager_let_go(void)
{
	for (; stored_n > 0; stored_n--) {
		if (stored[stored_n - 1].fd < 0)
			continue;
		close(stored[stored_n - 1].fd);
		notify_forget(&notify, stored[stored_n - 1].name);
	}
}

/* Messages. */

void manager_ready(const struct run *r)
{
	const char *words = "";

	for (size_t i = 0; i < r->places_n && !r->single; i++)
		notify_store(&notify, name_of(&r->places[i]), cth_sock_fd(&r->places[i].service.sock));
	for (size_t i = 0; i < r->n; i++)
		words = phrase("%s%s%s", words, i ? ", " : "", served_text(&r->served[i]));
	notify_ready(&notify, phrase("serving %s", words));
}

void manager_reloading(void)
{
	notify_reloading(&notify, "reading the configuration again");
}

void manager_stopping(void)
{
	notify_stopping(&notify);
}

void manager_status(const char *status)
{
	notify_status(&notify, status);
}

void manager_end(const struct run *r)
{
	for (size_t i = 0; i < r->places_n && !r->single; i++)
		notify_forget(&notify, name_of(&r->places[i]));
}

int manager_alive(bool healthy)
{
	/* This is asked for each packet, and mostly nobody watches. */
	return notify.every ? notify_alive(&notify, listener_now(), healthy) : -1;
}
