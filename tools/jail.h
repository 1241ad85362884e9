/* SPDX-License-Identifier: MIT */
/*
 * jail.h - giving up privilege, for ever. A process that reads what strangers send does it
 * from in here: another user, no capability but those that are named, an empty root folder,
 * no new descriptors, and a few system calls.
 */
#ifndef TOOLS_JAIL_H
#define TOOLS_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "seccomp.h"

/* Capabilities, as numbers of linux/capability.h and as a mask. */
enum {
	JAIL_CAP_KILL       = 5,
	JAIL_CAP_SETGID     = 6,
	JAIL_CAP_SETUID     = 7,
	JAIL_CAP_SETPCAP    = 8,
	JAIL_CAP_NET_ADMIN  = 12,
	JAIL_CAP_SYS_CHROOT = 18,
};
#define JAIL_CAPS(number) ((uint64_t)1 << (number))

/* What a process needs to put others into a jail, a NET_ADMIN among them, and to end them. */
#define JAIL_GUARDIAN_CAPS                                                      \
	(JAIL_CAPS(JAIL_CAP_KILL) | JAIL_CAPS(JAIL_CAP_SETGID) |                \
	 JAIL_CAPS(JAIL_CAP_SETUID) | JAIL_CAPS(JAIL_CAP_SETPCAP) |             \
	 JAIL_CAPS(JAIL_CAP_NET_ADMIN) | JAIL_CAPS(JAIL_CAP_SYS_CHROOT))

struct jail {
	uid_t uid;             /* neither may be 0; other groups there are none */
	gid_t gid;
	uint64_t keep;         /* capabilities; neither CAP_SETUID nor CAP_SETGID */
	const char *root;      /* an empty folder of root's that others cannot write; NULL: one is
				  made, and is gone again before anybody can see into it */
	unsigned files;        /* new descriptors are below this; 0: there are none. poll(2) takes
				  no more than this many */
	bool grows_files;      /* may write to the files that it has open */
	bool dumpable;         /* may be traced and dumped by its own user: for debugging */
	bool no_seccomp;       /* every call stays: for kernels without filters */
	const struct seccomp_list *calls;
	enum seccomp_otherwise otherwise;
};

/*
 * Goes in. Everything is done in the order in which each step still has the right to be done,
 * and looked at afterwards. 0; or -errno, and *step is what was tried: the process is then
 * neither in nor out, and shall end.
 *
 * One thread only. Descriptors that are open stay so, and one of a folder leads out again:
 * jail_close_all_but() comes first. What opens files is done before: /proc, tzset(3), logs.
 * PR_SET_PDEATHSIG does not survive the change of user.
 */
int jail_enter(const struct jail *jail, const char **step);

/*
 * For the one who stays outside, as root: keeps these capabilities, of which no program that
 * it runs gets any; no core dump, not traceable. As jail_enter() otherwise.
 */
int jail_guard(uint64_t keep, const char **step);

/* Says on stderr why one of the above failed, and what to do: the exit code. */
int jail_failed(int err, const char *step);

/*
 * Closes every descriptor but these; negative ones in the list mean nothing. 0; -EBADF: one
 * of the list is not open; or another -errno: some that were to be closed may be open.
 */
int jail_close_all_but(const int *fds, size_t n);

#endif
