/* SPDX-License-Identifier: MIT */
/*
 * seccomp.h - which system calls a process may still make: a list becomes a classic BPF
 * program, which the kernel runs before each call. Needs Linux 3.5 with CONFIG_SECCOMP_FILTER.
 */
#ifndef TOOLS_SECCOMP_H
#define TOOLS_SECCOMP_H

#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>

/* A call that is allowed; where there are values, only if its argument has one of them. */
struct seccomp_call {
	uint32_t number;
	uint8_t argument;       /* the first one is 0; of each the lower 32 bits are looked at */
	uint8_t n_values;
	const uint32_t *values;
};

struct seccomp_list {
	const struct seccomp_call *calls; /* in any order, a number once */
	size_t n;
};

/* What a list, and the values of one call, may hold; and room for a program of that order. */
#define SECCOMP_CALLS_MAX   96
#define SECCOMP_VALUES_MAX  24
#define SECCOMP_PROGRAM_MAX 512

/*
 * The worker's: read, write, leave, and come back from a signal. No memory is got or given
 * back, no clock read, no descriptor made.
 *
 * The keeper's: messages over the sockets that it has, and what libc needs for memory,
 * clocks and stdio over open files. It makes no socket, opens no file, runs no program, and
 * no memory becomes code. syslog(3) and localtime(3) open things: not in a keeper.
 */
extern const struct seccomp_list seccomp_worker;
extern const struct seccomp_list seccomp_keeper;

/* What becomes of the other calls. */
enum seccomp_otherwise {
	SECCOMP_KILL,   /* the process ends with SIGSYS, which the kernel logs */
	SECCOMP_REFUSE, /* EPERM */
	SECCOMP_LOG,    /* done, and logged: for tests of a list; Linux 4.14, before it SECCOMP_KILL */
};

/* This processor as the kernel names it to a filter; 0: one that is not known here. */
extern const uint32_t seccomp_arch;

/*
 * Writes the program that allows a list: how many instructions, or -E2BIG: more than room,
 * or than the maxima above; -ENOSYS: the processor is unknown.
 *
 * Calls of the processor's other personality (32 bits on a 64-bit machine) always kill: their
 * numbers mean other calls. So do those of x32.
 */
int seccomp_program(struct sock_filter *code, size_t room, const struct seccomp_list *allowed,
		    enum seccomp_otherwise otherwise);

/* 0; -ENOSYS: this kernel has no filters, or this processor is unknown. Changes nothing. */
int seccomp_available(void);

/*
 * Puts a program into force, for ever, for this thread and those that it makes. Wants
 * no_new_privs or CAP_SYS_ADMIN. 0 or -errno; -ENOSYS: this kernel has no filters.
 */
int seccomp_enter(const struct sock_filter *code, size_t n);

#endif
