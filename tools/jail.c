/* SPDX-License-Identifier: MIT */
/*
 * jail.c - giving up privilege. Answers to credentials(7), capabilities(7), prctl(2). The
 * order, and why it is this one:
 *
 *     a question        is there a filter to be had? Afterwards it is too late to go without
 *     empty root        needs CAP_SYS_CHROOT
 *     bounding set      needs CAP_SETPCAP
 *     groups, gid, uid  need CAP_SETGID, CAP_SETUID; leaving uid 0 would take every
 *                       capability along, so they are kept over it
 *     capabilities      down to those that stay
 *     no_new_privs
 *     dumpable          the kernel sets it anew whenever ids or capabilities change
 *     a try to go back  with the calls that the filter takes away
 *     limits            late, for they keep errors out of a stderr that is a file
 *     seccomp
 *
 * The empty root is a folder that has been removed: it is made, entered, removed, and made
 * the root. Nothing is in it and nothing can be put there any more, by whomever; nothing is
 * left on the disk, and no mount is needed, nor a folder that a package would have to bring.
 * Where no folder can be made, one can be named.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "cth.h"
#include "jail.h"
#include "trim.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

/* linux/prctl.h and asm/unistd.h, where they are old: 3.5, 4.3, 5.9. */
#define NO_NEW_PRIVS_SET 38
#define NO_NEW_PRIVS_GET 39
#define AMBIENT          47
#define AMBIENT_IS_SET   1
#define AMBIENT_CLEAR    4
#ifndef __NR_close_range
#if defined(__alpha__)
#define __NR_close_range 546
#elif defined(__mips__) && _MIPS_SIM == _ABIO32
#define __NR_close_range 4436
#elif defined(__mips__) && _MIPS_SIM == _ABI64
#define __NR_close_range 5436
#elif defined(__mips__)
#define __NR_close_range 6436
#else
#define __NR_close_range 436
#endif
#endif

/* The steps: what was tried, in the words of an error. */
static const char step_settings[] = "look at the settings";
static const char step_folder[] = "make an empty root folder";
static const char step_check_folder[] = "look at the empty root folder";
static const char step_chroot[] = "change the root folder";
static const char step_bounding[] = "empty the bounding set of capabilities";
static const char step_ambient[] = "empty the ambient set of capabilities";
static const char step_keep[] = "keep capabilities over the change of user";
static const char step_groups[] = "leave all groups";
static const char step_gid[] = "change the group";
static const char step_uid[] = "change the user";
static const char step_caps[] = "reduce the capabilities";
static const char step_limits[] = "lower the limits of resources";
static const char step_privs[] = "set no_new_privs";
static const char step_dumpable[] = "forbid tracing and core dumps";
static const char step_back_uid[] = "prove that there is no way back to the user root";
static const char step_back_gid[] = "prove that there is no way back to the group root";
static const char step_back_root[] = "prove that the root folder cannot be written";
static const char step_seccomp[] = "filter system calls";

/* Of a look afterwards: it is not as the kernel has agreed. */
#define NOT_SO (-ENOTRECOVERABLE)

/* Capabilities, as linux/capability.h has them in version 3: two words of 32 each. */

#define CAPS_VERSION 0x20080522u
#define CAPS_MOST    64

struct caps_header {
	uint32_t version;
	int pid;
};

struct caps_word {
	uint32_t effective, permitted, inheritable;
};

static int reduce_caps(const struct jail *jail)
{
	const uint32_t low = (uint32_t)jail->keep, high = (uint32_t)(jail->keep >> 32);
	struct caps_header h = { CAPS_VERSION, 0 };
	struct caps_word should[2] = { { low, low, 0 }, { high, high, 0 } };
	struct caps_word is[2];

	if (syscall(SYS_capset, &h, should) < 0 || syscall(SYS_capget, &h, is) < 0)
		return -errno;
	return memcmp(is, should, sizeof(is)) == 0 ? 0 : NOT_SO;
}

/* The kernel says where its capabilities end: the first one that it does not know. */
static int empty_bounding_set(const struct jail *jail)
{
	(void)jail;
	for (unsigned long c = 0; c < CAPS_MOST; c++) {
		int in = prctl(PR_CAPBSET_READ, c, 0ul, 0ul, 0ul);

		if (in < 0)
			return errno == EINVAL && c > 0 ? 0 : -errno;
		if (in > 0 && prctl(PR_CAPBSET_DROP, c, 0ul, 0ul, 0ul) < 0)
			return -errno;
		if (prctl(PR_CAPBSET_READ, c, 0ul, 0ul, 0ul) != 0)
			return NOT_SO;
	}
	return 0;
}

/* A kernel before 4.3 has no such set. */
static int empty_ambient_set(const struct jail *jail)
{
	(void)jail;
	if (prctl(AMBIENT, (unsigned long)AMBIENT_CLEAR, 0ul, 0ul, 0ul) < 0)
		return errno == EINVAL ? 0 : -errno;
	for (unsigned long c = 0; c < CAPS_MOST; c++)
		if (prctl(AMBIENT, (unsigned long)AMBIENT_IS_SET, c, 0ul, 0ul) > 0)
			return NOT_SO;
	return 0;
}

static int keep_caps(const struct jail *jail)
{
	(void)jail;
	return prctl(PR_SET_KEEPCAPS, 1ul, 0ul, 0ul, 0ul) < 0 ? -errno : 0;
}

static int keep_caps_no_more(const struct jail *jail)
{
	(void)jail;
	return prctl(PR_SET_KEEPCAPS, 0ul, 0ul, 0ul, 0ul) < 0 ? -errno : 0;
}

/* The empty root. */

static int enter_new_folder(const struct jail *jail)
{
	static const char *const places[] = { "/run", "/tmp", "/var/tmp", "/dev/shm" };
	int err = ENOENT;

	for (size_t i = 0; i < N_OF(places) && !jail->root; i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/cth-empty-XXXXXX", places[i]);
		if (mkdtemp(path)) {
			err = chdir(path) < 0 ? errno : 0;
			if (rmdir(path) < 0 && err == 0)
				err = errno;
			return -err;
		}
		if (errno != ENOENT)
			err = errno;
	}
	return jail->root ? 0 : -err;
}

/* 0 if nothing is in the folder where we are. */
static int look_for_entries(void)
{
	DIR *d = opendir(".");
	const struct dirent *e;
	int r = 0;

	if (!d)
		return -errno;
	while (r == 0 && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = -ENOTEMPTY;
	closedir(d);
	return r;
}

static int enter_named_folder(const struct jail *jail)
{
	struct stat s;

	if (!jail->root)
		return 0;
	if (chdir(jail->root) < 0 || stat(".", &s) < 0)
		return -errno;
	if (s.st_uid != 0 || (s.st_mode & (S_IWGRP | S_IWOTH)))
		return -EACCES;
	return look_for_entries();
}

static int is_root_here(void)
{
	struct stat root, here, above;

	if (stat("/", &root) < 0 || stat(".", &here) < 0 || stat("..", &above) < 0)
		return -errno;
	if (root.st_dev != here.st_dev || root.st_ino != here.st_ino ||
	    root.st_dev != above.st_dev || root.st_ino != above.st_ino)
		return NOT_SO;
	return 0;
}

static int change_root(const struct jail *jail)
{
	(void)jail;
	if (chroot(".") < 0 || chdir("/") < 0)
		return -errno;
	return is_root_here();
}

/* Ids. */

static int leave_groups(const struct jail *jail)
{
	int n;

	(void)jail;
	if (setgroups(0, NULL) < 0)
		return -errno;
	n = getgroups(0, NULL);
	return n == 0 ? 0 : n < 0 ? -errno : NOT_SO;
}

static int change_gid(const struct jail *jail)
{
	gid_t gid = jail->gid, real, effective, saved;

	if (setresgid(gid, gid, gid) < 0 || getresgid(&real, &effective, &saved) < 0)
		return -errno;
	return real == gid && effective == gid && saved == gid ? 0 : NOT_SO;
}

static int change_uid(const struct jail *jail)
{
	uid_t uid = jail->uid, real, effective, saved;

	if (setresuid(uid, uid, uid) < 0 || getresuid(&real, &effective, &saved) < 0)
		return -errno;
	return real == uid && effective == uid && saved == uid ? 0 : NOT_SO;
}

/* Limits. */

#ifdef __GLIBC__
typedef __rlimit_resource_t limit_name;
#else
typedef int limit_name;
#endif

static int limit(limit_name what, rlim_t most)
{
	struct rlimit l = { most, most }, is;

	if (setrlimit(what, &l) < 0 || getrlimit(what, &is) < 0)
		return -errno;
	return is.rlim_cur == most && is.rlim_max == most ? 0 : NOT_SO;
}

/* It cannot ask for more than it is allowed already. */
static int limit_files(rlim_t most)
{
	struct rlimit is;

	if (getrlimit(RLIMIT_NOFILE, &is) < 0)
		return -errno;
	return limit(RLIMIT_NOFILE, most < is.rlim_max ? most : is.rlim_max);
}

static int lower_limits(const struct jail *jail)
{
	int r = limit(RLIMIT_CORE, 0);

	if (r == 0)
		r = limit(RLIMIT_NPROC, 0);
	if (r == 0 && !jail->grows_files)
		r = limit(RLIMIT_FSIZE, 0);
	return r == 0 ? limit_files(jail->files) : r;
}

static int forbid_core(const struct jail *jail)
{
	(void)jail;
	return limit(RLIMIT_CORE, 0);
}

/* What is set once and for all. */

static int set_no_new_privs(const struct jail *jail)
{
	(void)jail;
	if (prctl(NO_NEW_PRIVS_SET, 1ul, 0ul, 0ul, 0ul) < 0)
		return -errno;
	return prctl(NO_NEW_PRIVS_GET, 0ul, 0ul, 0ul, 0ul) == 1 ? 0 : NOT_SO;
}

static int set_dumpable(const struct jail *jail)
{
	if (prctl(PR_SET_DUMPABLE, (unsigned long)jail->dumpable, 0ul, 0ul, 0ul) < 0)
		return -errno;
	return prctl(PR_GET_DUMPABLE, 0ul, 0ul, 0ul, 0ul) == (int)jail->dumpable ? 0 : NOT_SO;
}

static int try_uid_back(const struct jail *jail)
{
	(void)jail;
	return setuid(0) == 0 ? NOT_SO : 0;
}

static int try_gid_back(const struct jail *jail)
{
	(void)jail;
	return setgid(0) == 0 ? NOT_SO : 0;
}

static int try_root_folder(const struct jail *jail)
{
	(void)jail;
	if (mkdir("/x", 0700) < 0)
		return 0;
	rmdir("/x");
	return NOT_SO;
}

static int ask_for_filters(const struct jail *jail)
{
	return jail->no_seccomp ? 0 : seccomp_available();
}

/* That it is in force nobody can ask any more: to ask is not among the calls. */
static int filter_calls(const struct jail *jail)
{
	struct sock_filter code[SECCOMP_PROGRAM_MAX];
	int n;

	if (jail->no_seccomp)
		return 0;
	n = seccomp_program(code, N_OF(code), jail->calls, jail->otherwise);
	trim_program(); /* which is no call for whoever is inside */
	return n < 0 ? n : seccomp_enter(code, (size_t)n);
}

/* An id of -1 would mean "as it is": it would stay root, and nobody would be told. */
static int check_settings(const struct jail *jail)
{
	const uint64_t ways_back = JAIL_CAPS(JAIL_CAP_SETUID) | JAIL_CAPS(JAIL_CAP_SETGID);

	if (jail->uid == 0 || jail->uid == (uid_t)-1 || jail->gid == 0 || jail->gid == (gid_t)-1)
		return -EINVAL;
	if ((jail->keep & ways_back) || (!jail->calls && !jail->no_seccomp))
		return -EINVAL;
	return 0;
}

/* All in order. */

struct step {
	const char *name;
	int (*take)(const struct jail *jail);
};

static const struct step way_in[] = {
	{ step_settings, check_settings },
	{ step_seccomp, ask_for_filters },
	{ step_folder, enter_new_folder },
	{ step_check_folder, enter_named_folder },
	{ step_chroot, change_root },
	{ step_bounding, empty_bounding_set },
	{ step_ambient, empty_ambient_set },
	{ step_keep, keep_caps },
	{ step_groups, leave_groups },
	{ step_gid, change_gid },
	{ step_uid, change_uid },
	{ step_caps, reduce_caps },
	{ step_keep, keep_caps_no_more },
	{ step_privs, set_no_new_privs },
	{ step_dumpable, set_dumpable },
	{ step_back_uid, try_uid_back },
	{ step_back_gid, try_gid_back },
	{ step_back_root, try_root_folder },
	{ step_limits, lower_limits },
	{ step_seccomp, filter_calls },
};

static const struct step on_guard[] = {
	{ step_bounding, empty_bounding_set },
	{ step_ambient, empty_ambient_set },
	{ step_caps, reduce_caps },
	{ step_limits, forbid_core },
	{ step_privs, set_no_new_privs },
	{ step_dumpable, set_dumpable },
};

static int walk(const struct step *way, size_t n, const struct jail *jail, const char **step)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		*step = way[i].name;
		r = way[i].take(jail);
	}
	return r;
}

int jail_enter(const struct jail *jail, const char **step)
{
	return walk(way_in, N_OF(way_in), jail, step);
}

int jail_guard(uint64_t keep, const char **step)
{
	const struct jail guard = { .keep = keep };

	return walk(on_guard, N_OF(on_guard), &guard, step);
}

/* What is said. */

static const char needs_root[] = "start it as root, or in one process: --single";

/* The likely cause of an errno at a step; err 0 is any. */
static const struct {
	const char *step;
	int err;
	const char *cause, *remedy;
} causes[] = {
	{ step_settings, 0, "the user or the group is root's or none, or a capability is to be kept "
	  "that leads back to root", "name a user and a group of their own" },
	{ step_folder, 0, "no folder can be made in /run, /tmp, /var/tmp or /dev/shm",
	  "make one of them writable, or name an empty folder of root's" },
	{ step_check_folder, ENOTEMPTY, "something is in it, and the process would see it",
	  "name an empty one" },
	{ step_check_folder, EACCES, "it is not root's, or its group or others may write to it",
	  "chown root and chmod 755, or name another one" },
	{ step_check_folder, ENOENT, "there is no such folder", "make it, empty and root's" },
	{ step_chroot, EPERM, "this needs root, with CAP_SYS_CHROOT", needs_root },
	{ step_bounding, EPERM, "this needs root, with CAP_SETPCAP", needs_root },
	{ step_groups, EPERM, "this needs root, with CAP_SETGID, and a user namespace that allows "
	  "setgroups", needs_root },
	{ step_gid, EPERM, "this needs root, with CAP_SETGID", needs_root },
	{ step_gid, EINVAL, "the user namespace does not have this group", "name one that it has" },
	{ step_uid, EPERM, "this needs root, with CAP_SETUID", needs_root },
	{ step_uid, EINVAL, "the user namespace does not have this user", "name one that it has" },
	{ step_uid, EAGAIN, "the user has too many processes", "give it a user of its own" },
	{ step_caps, EPERM, "a capability is to be kept that the process does not have "
	  "(CAP_NET_ADMIN, if it is to talk to the kernel)", needs_root },
	{ step_privs, EINVAL, "this kernel is older than 3.5", "run it in one process: --single" },
	{ step_seccomp, ENOSYS, "this kernel has no filters of system calls "
	  "(CONFIG_SECCOMP_FILTER), or none is known here for this processor",
	  "run it without them: --no-seccomp" },
};

int jail_failed(int err, const char *step)
{
	const char *tried = phrase("give up privilege: %s", step);
	int number = err < 0 ? -err : err;

	if (number == -NOT_SO)
		return fail(err, tried, "the kernel agreed, but it is not so; nothing is started",
			    "please report this, with the kernel's version");
	for (size_t i = 0; i < N_OF(causes); i++) {
		if (causes[i].step != step || (causes[i].err && causes[i].err != number))
			continue;
		fail(err, tried, causes[i].cause, causes[i].remedy);
		return number == ENOSYS ? CTH_EXIT_UNSUPPORTED : exit_code(err);
	}
	return fail(err, tried, NULL, NULL);
}

/* Descriptors. */

static bool is_kept(int fd, const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] == fd)
			return true;
	return false;
}

/* The lowest one of the list that is not below from; UINT_MAX: there is none. */
static unsigned next_kept(unsigned from, const int *fds, size_t n)
{
	unsigned next = UINT_MAX;

	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0 && (unsigned)fds[i] >= from && (unsigned)fds[i] < next)
			next = (unsigned)fds[i];
	return next;
}

/* The gaps between those that are kept; -errno: the kernel is older than 5.9, or forbids it. */
static int close_gaps(const int *fds, size_t n)
{
	for (unsigned from = 0;;) {
		unsigned kept = next_kept(from, fds, n);
		unsigned last = kept == UINT_MAX ? UINT_MAX : kept - 1;

		if (kept > from && syscall(__NR_close_range, from, last, 0u) < 0)
			return -errno;
		if (kept == UINT_MAX)
			return 0;
		from = kept + 1;
	}
}

static int close_listed(const int *fds, size_t n)
{
	DIR *d = opendir("/proc/self/fd");
	const struct dirent *e;

	if (!d)
		return -errno;
	while ((e = readdir(d)) != NULL) {
		int fd = atoi(e->d_name);

		if (e->d_name[0] != '.' && fd != dirfd(d) && !is_kept(fd, fds, n))
			close(fd);
	}
	closedir(d);
	return 0;
}

/* Without a list every number that there can be is tried. */
static int close_each(const int *fds, size_t n)
{
	struct rlimit l;
	int end;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return -errno;
	end = l.rlim_max < (rlim_t)(1 << 20) ? (int)l.rlim_max : 1 << 20;
	for (int fd = 0; fd < end; fd++)
		if (!is_kept(fd, fds, n))
			close(fd);
	return 0;
}

int jail_close_all_but(const int *fds, size_t n)
{
	int r = close_gaps(fds, n);

	if (r < 0)
		r = close_listed(fds, n);
	if (r < 0)
		r = close_each(fds, n);
	for (size_t i = 0; i < n && r == 0; i++)
		if (fds[i] >= 0 && fcntl(fds[i], F_GETFD) < 0)
			r = -errno;
	return r;
}
