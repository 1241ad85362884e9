/* SPDX-License-Identifier: MIT */
/*
 * proc.c - reads /proc. Answers to seq_show() of net/netfilter/nfnetlink_queue.c, whose
 * lines are
 *
 *     queue  portid waiting mode range dropped  dropped   last  1
 *                                      (full)  (socket)   id
 *         3    4711       0    2 65531      0        0     12  1
 *
 * and to netlink_native_seq_show() of net/netlink/af_netlink.c: sk, protocol, portid,
 * groups, five more, inode. The inode leads to whoever has it among its descriptors.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "proc.h"

#define NETFILTER_PROTOCOL 12 /* NETLINK_NETFILTER */
#define CAP_NET_ADMIN_BIT  12 /* CAP_NET_ADMIN */

static const char *root = "/proc";

#define QUEUES_PATH "net/netfilter/nfnetlink_queue"

void proc_at(const char *dir)
{
	root = dir;
}

/* Files that are read by those who can open none any more. */
static struct {
	const char *path;
	unsigned place;
	FILE *f;
} kept[2 * PROC_PLACES];
#define KEPT (sizeof(kept) / sizeof(kept[0]))
static unsigned place;

void proc_in(unsigned number)
{
	place = number;
}

static FILE *open_below(const char *path)
{
	char whole[512];
	int n = snprintf(whole, sizeof(whole), "%s/%s", root, path);

	for (size_t i = 0; i < KEPT && kept[i].f; i++) {
		if (kept[i].place != place || strcmp(kept[i].path, path) != 0)
			continue;
		rewind(kept[i].f);
		return kept[i].f;
	}
	if (n < 0 || (size_t)n >= sizeof(whole)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return fopen(whole, "re");
}

static void close_below(FILE *f)
{
	for (size_t k = 0; k < KEPT; k++)
		if (kept[k].f == f)
			return;
	fclose(f);
}

void proc_keep(const char *path)
{
	FILE *f = open_below(path);
	size_t i = 0;

	while (i < KEPT && kept[i].f && kept[i].f != f)
		i++;
	if (!f || i == KEPT)
		return;
	kept[i].path = path;
	kept[i].place = place;
	kept[i].f = f;
}

int proc_kept(const char *path)
{
	for (size_t i = 0; i < KEPT && kept[i].f; i++)
		if (kept[i].place == place && strcmp(kept[i].path, path) == 0)
			return fileno(kept[i].f);
	return -1;
}

/* A line's columns, from left to right. NULL goes in and out where one was not there. */

#define BLANKS " \t\n"

static const char *skip_words(const char *at, unsigned n)
{
	while (at && n--) {
		at += strspn(at, BLANKS);
		at += strcspn(at, BLANKS);
	}
	return at;
}

static const char *take_number(const char *at, int base, uint64_t *value)
{
	char *end;

	if (!at)
		return NULL;
	*value = strtoull(at, &end, base);
	return end == at ? NULL : end;
}

static bool queue_line(const char *line, struct proc_queue *q)
{
	uint32_t *const columns[] = { &q->num, &q->portid, &q->waiting, &q->mode, &q->range,
				      &q->dropped_full, &q->dropped_socket, &q->last_id };
	uint64_t value;

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		line = take_number(line, 10, &value);
		if (!line)
			return false;
		*columns[i] = (uint32_t)value;
	}
	return true;
}

int proc_queues(struct proc_queue *list, size_t n)
{
	FILE *f = open_below(QUEUES_PATH);
	char line[256];
	int count = 0;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		struct proc_queue q;

		if (!queue_line(line, &q))
			continue;
		if ((size_t)count < n)
			list[count] = q;
		count++;
	}
	close_below(f);
	return count;
}

int proc_queue(uint32_t num, struct proc_queue *q)
{
	FILE *f = open_below(QUEUES_PATH);
	char line[256];
	int found = 0;

	if (!f)
		return -errno;
	while (!found && fgets(line, sizeof(line), f))
		found = queue_line(line, q) && q->num == num;
	close_below(f);
	return found;
}

unsigned long proc_socket_inode(uint32_t portid)
{
	FILE *f = open_below("net/netlink");
	unsigned long inode = 0;
	uint64_t protocol, port, found;
	char line[256];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		const char *at = take_number(skip_words(line, 1), 10, &protocol);

		at = take_number(at, 10, &port);
		if (take_number(skip_words(at, 6), 10, &found) && protocol == NETFILTER_PROTOCOL &&
		    port == portid)
			inode = (unsigned long)found;
	}
	close_below(f);
	return inode;
}

/* Has the process pid the descriptor whose link reads want? */
static bool holds(const char *pid, const char *want)
{
	char folder[512], link[64];
	struct dirent *d;
	bool found = false;
	DIR *fds;

	snprintf(folder, sizeof(folder), "%s/%s/fd", root, pid);
	fds = opendir(folder);
	if (!fds)
		return false;
	while (!found && (d = readdir(fds))) {
		ssize_t n = readlinkat(dirfd(fds), d->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = '\0';
		found = strcmp(link, want) == 0;
	}
	closedir(fds);
	return found;
}

static void command_of(long pid, char *command, size_t n)
{
	char path[64];
	FILE *f;

	snprintf(command, n, "?");
	snprintf(path, sizeof(path), "%ld/comm", pid);
	f = open_below(path);
	if (!f)
		return;
	if (fgets(command, (int)n, f))
		command[strcspn(command, "\n")] = '\0';
	close_below(f);
}

bool proc_owner(uint32_t portid, struct proc_owner *owner)
{
	unsigned long inode = proc_socket_inode(portid);
	char want[64];
	struct dirent *d;
	DIR *all;

	memset(owner, 0, sizeof(*owner));
	if (inode == 0)
		return false;
	snprintf(want, sizeof(want), "socket:[%lu]", inode);
	all = opendir(root);
	if (!all)
		return false;
	while ((d = readdir(all))) {
		long pid;

		if (!isdigit((unsigned char)d->d_name[0]) || !holds(d->d_name, want))
			continue;
		pid = strtol(d->d_name, NULL, 10);
		if (owner->holders++ == 0 || pid < owner->pid)
			owner->pid = pid;
	}
	closedir(all);
	if (owner->holders)
		command_of(owner->pid, owner->command, sizeof(owner->command));
	return owner->holders > 0;
}

const char *proc_owner_text(uint32_t portid, char *text, size_t n)
{
	struct proc_owner owner;

	if (proc_owner(portid, &owner))
		snprintf(text, n, "pid %ld (%s)", owner.pid, owner.command);
	else
		snprintf(text, n, "portid %" PRIu32 ", whose process is not visible from here",
			 portid);
	return text;
}

static bool loaded(const char *name)
{
	FILE *f = open_below("modules");
	size_t n = strlen(name);
	char line[512];
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = strncmp(line, name, n) == 0 && line[n] == ' ';
	close_below(f);
	return found;
}

bool proc_is_module_file(const char *path, const char *name)
{
	const char *file = strrchr(path, '/');
	size_t n = strlen(name);

	return file && strncmp(file + 1, name, n) == 0 && strncmp(file + 1 + n, ".ko", 3) == 0;
}

/* kernel/net/netfilter/nf_nat.ko is a line of the release's modules.builtin. */
static bool listed_as_builtin(const char *name)
{
	char path[300], line[512];
	struct utsname system;
	bool found = false;
	FILE *f;

	if (uname(&system) < 0)
		return false;
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", system.release);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = proc_is_module_file(line, name);
	fclose(f);
	return found;
}

enum proc_module proc_module(const char *name)
{
	char path[128];
	struct stat st;

	if (loaded(name))
		return PROC_MODULE_LOADED;
	/* Built-in code shows up in /sys only if it has parameters or a version. */
	snprintf(path, sizeof(path), "/sys/module/%s", name);
	if (stat(path, &st) == 0 || listed_as_builtin(name))
		return PROC_MODULE_BUILTIN;
	return PROC_MODULE_UNKNOWN;
}

bool proc_symbol(const char *name)
{
	FILE *f = open_below("kallsyms");
	size_t n = strlen(name);
	char line[512];
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		const char *symbol = skip_words(line, 2);

		symbol += strspn(symbol, BLANKS);
		found = strcspn(symbol, BLANKS) == n && memcmp(symbol, name, n) == 0;
	}
	close_below(f);
	return found;
}

int proc_number(const char *path, uint64_t *value)
{
	FILE *f = open_below(path);
	char line[64];
	bool got;

	if (!f)
		return -errno;
	got = fgets(line, sizeof(line), f) && take_number(line, 10, value);
	close_below(f);
	return got ? 0 : -EBADMSG;
}

bool proc_net_admin(void)
{
	FILE *f = open_below("self/status");
	uint64_t effective = 0;
	char line[256];

	if (!f)
		return geteuid() == 0;
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "CapEff:", 7) == 0)
			take_number(line + 7, 16, &effective);
	close_below(f);
	return effective >> CAP_NET_ADMIN_BIT & 1;
}

bool proc_first_user_namespace(void)
{
	FILE *f = open_below("self/uid_map");
	uint64_t inside, outside, n;
	const char *at;
	char line[128];

	if (!f)
		return true; /* a kernel without user namespaces */
	at = take_number(fgets(line, sizeof(line), f), 10, &inside);
	at = take_number(take_number(at, 10, &outside), 10, &n);
	close_below(f);
	return at && inside == 0 && outside == 0 && n == UINT32_MAX;
}

bool proc_words(const char *path, char *text, size_t n)
{
	FILE *f = open_below(path);
	size_t used = 0, length;
	char line[256];

	text[0] = '\0';
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		const char *word = line + strspn(line, BLANKS);

		for (; *word; word += strspn(word, BLANKS)) {
			length = strcspn(word, BLANKS);
			if (used + length + 2 < n)
				used += (size_t)snprintf(text + used, n - used, "%s%.*s",
							 used ? " " : "", (int)length, word);
			word += length;
		}
	}
	close_below(f);
	return used > 0;
}
