/* SPDX-License-Identifier: MIT */
/*
 * proc.h - what /proc tells about queues, their owners, modules and limits. All of it
 * belongs to the network namespace of the process that reads.
 */
#ifndef TOOLS_PROC_H
#define TOOLS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads below dir instead of /proc: a copy from another machine. */
void proc_at(const char *dir);

/* One line of net/netfilter/nfnetlink_queue. */
struct proc_queue {
	uint32_t num;
	uint32_t portid;         /* of the socket that owns it */
	uint32_t waiting;        /* packets without a verdict */
	uint32_t mode;           /* 0 none, 1 meta, 2 packet */
	uint32_t range;          /* bytes of payload copied, at most */
	uint32_t dropped_full;   /* the queue had no room; wraps, as the next one does */
	uint32_t dropped_socket; /* the owner's receive buffer had none */
	uint32_t last_id;
};

/* All bound queues, up to n into list: how many, or -errno (-ENOENT: no nfnetlink_queue). */
int proc_queues(struct proc_queue *list, size_t n);

/* The one queue: 1, 0 when nobody has bound it, or -errno. */
int proc_queue(uint32_t num, struct proc_queue *q);

/*
 * Keeps a file of /proc open, such as "net/netfilter/nfnetlink_queue", for a process that is
 * about to give up the right to open any. path lives as long as the process.
 */
void proc_keep(const char *path);

/* The descriptor of one that is kept; -1: it is not. */
int proc_kept(const char *path);

/*
 * For who is in several network namespaces, one after the other: what is kept from now on is kept,
 * and is read, for the place of this number. 0 at first; up to PROC_PLACES.
 */
#define PROC_PLACES 8
void proc_in(unsigned place);

/* The inode of this namespace's netfilter socket with this portid; 0: there is none. */
unsigned long proc_socket_inode(uint32_t portid);

/* Who holds a netfilter socket. */
struct proc_owner {
	long pid;
	unsigned holders; /* processes that share it, this one included */
	char command[32];
};

/* Finds the owner by the socket's portid; false: in another PID namespace, or no right. */
bool proc_owner(uint32_t portid, struct proc_owner *owner);

/* "pid 812 (suricata)", or "portid 812, whose process is not visible". */
const char *proc_owner_text(uint32_t portid, char *text, size_t n);

/* Where the code of a module is. */
enum proc_module {
	PROC_MODULE_UNKNOWN, /* neither loaded nor known to be built in */
	PROC_MODULE_LOADED,
	PROC_MODULE_BUILTIN,
};
enum proc_module proc_module(const char *name);

/* Is a path that of the module's file, kernel/net/netfilter/NAME.ko, or of that compressed? */
bool proc_is_module_file(const char *path, const char *name);

/* Is a function of this name in the kernel? Answers for what has no other sign. */
bool proc_symbol(const char *name);

/* The number in a file, such as sys/net/netfilter/nf_conntrack_expect_max: 0 or -errno. */
int proc_number(const char *path, uint64_t *value);

/* Has this process CAP_NET_ADMIN in its own user namespace? Is that the first one? */
bool proc_net_admin(void);
bool proc_first_user_namespace(void);

/* The words of a file, such as net/ip_tables_names, joined by blanks: true unless there is none. */
bool proc_words(const char *path, char *text, size_t n);

#endif
