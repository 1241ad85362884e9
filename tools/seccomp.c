/* SPDX-License-Identifier: MIT */
/*
 * seccomp.c - filters of system calls. Answers to linux/seccomp.h and linux/filter.h. The
 * program looks at
 *
 *      0     4      8                     16        24
 *     | nr  | arch | instruction pointer | args[0] | args[1] ... args[5] |
 *
 * all of it in the machine's byte order, and ends with an action. It goes like this:
 *
 *     arch is another one                        -> kill
 *     nr is one of x32's (only x86-64 has them)  -> kill
 *     for each run of numbers lo..hi, ascending:
 *         nr > hi                                -> next
 *         nr < lo                                -> otherwise
 *                                                -> allow
 *     for a call of which some values are allowed, the same over its argument
 *                                                -> otherwise
 *
 * Jumps stay within a run, so that no list is too long for their 8 bits. The order costs
 * little: Linux 5.11 remembers which numbers always pass.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "seccomp.h"

/* linux/seccomp.h, which is older than some of these. */
#define MODE_FILTER  2u /* for prctl() */
#define SET_FILTER   1u /* for seccomp() */
#define RET_KILL     0x80000000u /* before 4.14 the kernel takes it for the thread: we have one */
#define RET_EPERM    (0x00050000u | EPERM)
#define RET_LOG      0x7ffc0000u
#define RET_ALLOW    0x7fff0000u

#define AT_NUMBER    0u
#define AT_ARCH      4u
#define AT_ARGUMENTS 16u
#define X32_NUMBERS  0x40000000u

/* linux/audit.h: the machine's number from ELF, and two bits. */
#define ARCH_64 0x80000000u
#define ARCH_LE 0x40000000u
#define ARCH_N32 0x20000000u

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH_ORDER ARCH_LE
#define LOWER_HALF 0u
#else
#define ARCH_ORDER 0u
#define LOWER_HALF 4u
#endif

#if defined(__x86_64__)
#define ARCH (62u | ARCH_64 | ARCH_LE) /* x32 has it too */
#elif defined(__i386__)
#define ARCH (3u | ARCH_LE)
#elif defined(__aarch64__)
#define ARCH (183u | ARCH_64 | ARCH_LE) /* the kernel says so in either order */
#elif defined(__arm__)
#define ARCH (40u | ARCH_ORDER)
#elif defined(__mips64) && defined(_ABIN32) && _MIPS_SIM == _ABIN32
#define ARCH (8u | ARCH_64 | ARCH_N32 | ARCH_ORDER)
#elif defined(__mips64) && defined(_ABI64) && _MIPS_SIM == _ABI64
#define ARCH (8u | ARCH_64 | ARCH_ORDER)
#elif defined(__mips__)
#define ARCH (8u | ARCH_ORDER)
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH (243u | ARCH_64 | ARCH_LE)
#elif defined(__riscv)
#define ARCH (243u | ARCH_LE)
#elif defined(__powerpc64__)
#define ARCH (21u | ARCH_64 | ARCH_ORDER)
#elif defined(__powerpc__)
#define ARCH (20u | ARCH_ORDER)
#elif defined(__s390x__)
#define ARCH (22u | ARCH_64)
#elif defined(__loongarch__) && __loongarch_grlen == 64
#define ARCH (258u | ARCH_64 | ARCH_LE)
#else
#define ARCH 0u
#endif

#if defined(__x86_64__) && defined(__ILP32__)
#error "x32 is not supported: its calls have the numbers of x86-64 with a bit of their own"
#endif

const uint32_t seccomp_arch = ARCH;

/* Calls with 64-bit times, which a libc may make that is newer than the kernel's headers. */
#if __SIZEOF_LONG__ == 4 && !defined(__NR_clock_gettime64)
#if defined(__mips__)
#define FIRST_NUMBER 4000
#else
#define FIRST_NUMBER 0
#endif
#define __NR_clock_gettime64        (FIRST_NUMBER + 403)
#define __NR_clock_nanosleep_time64 (FIRST_NUMBER + 407)
#define __NR_ppoll_time64           (FIRST_NUMBER + 414)
#define __NR_recvmmsg_time64        (FIRST_NUMBER + 417)
#define __NR_futex_time64           (FIRST_NUMBER + 422)
#endif

/* The lists. */

#define ANY(name) { __NR_##name, 0, 0, NULL }
#define ONLY(name, argument, values) \
	{ __NR_##name, argument, sizeof(values) / sizeof((values)[0]), values }

static const struct seccomp_call worker_calls[] = {
	ANY(read), ANY(write), ANY(exit), ANY(exit_group), ANY(rt_sigreturn), ANY(restart_syscall),
#ifdef __NR_sigreturn
	ANY(sigreturn),
#endif
};

/* Does an open file ask for line buffering? Both libcs ask at the first write. */
static const uint32_t ioctl_requests[] = {
	TIOCGWINSZ,
#ifdef __powerpc__
	0x402c7413u, /* TCGETS, which the headers make of a struct that libc has in another size */
#else
	TCGETS,
#endif
#if !defined(__mips__) && !defined(__powerpc__)
	0x802c542au, /* TCGETS2, glibc 2.42 */
#endif
};

/* What adopting a socket takes, and fdopen(3). Not F_SETOWN and its like. */
static const uint32_t fcntl_commands[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL };

static const uint32_t no_code[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE };

/*
 * The call behind which older kernels of some processors have all calls of sockets, and which
 * libc makes there to this day (i386, s390). Its first argument says which one is meant.
 */
#ifdef __NR_socketcall
static const uint32_t socket_calls[] = {
	/* linux/net.h: getsockname send recv sendto recvfrom setsockopt getsockopt sendmsg
	   recvmsg accept4 recvmmsg; not 1 to 5, socket bind connect listen accept */
	6, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19,
};
#endif

static const struct seccomp_call keeper_calls[] = {
	/* as the worker */
	ANY(read), ANY(write), ANY(exit), ANY(exit_group), ANY(rt_sigreturn), ANY(restart_syscall),
#ifdef __NR_sigreturn
	ANY(sigreturn),
#endif

	/* messages */
#ifdef __NR_recvmmsg
	ANY(recvmmsg),
#endif
#ifdef __NR_recvmsg
	ANY(recvmsg), ANY(sendmsg), ANY(sendto), ANY(recvfrom),
	ANY(getsockopt), ANY(setsockopt), ANY(getsockname),
#endif
#ifdef __NR_accept4
	ANY(accept4),
#endif
#ifdef __NR_send
	ANY(send), ANY(recv),
#endif
#ifdef __NR_socketcall
	ONLY(socketcall, 0, socket_calls),
#endif

	/* waiting, and the time of day */
#ifdef __NR_poll
	ANY(poll),
#endif
#ifdef __NR_ppoll
	ANY(ppoll),
#endif
#ifdef __NR_epoll_wait
	ANY(epoll_wait),
#endif
	ANY(epoll_pwait), ANY(epoll_ctl),
#ifdef __NR_clock_gettime
	ANY(clock_gettime),
#endif
#ifdef __NR_clock_gettime32 /* musl's names of the same */
	ANY(clock_gettime32),
#endif
#ifdef __NR_clock_nanosleep
	ANY(clock_nanosleep),
#endif
#ifdef __NR_clock_nanosleep_time32
	ANY(clock_nanosleep_time32),
#endif
#ifdef __NR_nanosleep
	ANY(nanosleep),
#endif
#ifdef __NR_gettimeofday
	ANY(gettimeofday),
#endif
#ifdef __NR_gettimeofday_time32
	ANY(gettimeofday_time32),
#endif
#ifdef __NR_time
	ANY(time),
#endif
#ifdef __NR_futex
	ANY(futex),
#endif
#if __SIZEOF_LONG__ == 4
	ANY(clock_gettime64), ANY(clock_nanosleep_time64), ANY(ppoll_time64), ANY(recvmmsg_time64),
	ANY(futex_time64),
#endif

	/* questions, and files that are open, by hand and by stdio */
	ANY(writev), ANY(readv), ANY(pread64), ANY(close),
#ifdef __NR_lseek
	ANY(lseek),
#endif
#ifdef __NR__llseek
	ANY(_llseek),
#endif
#ifdef __NR_ftruncate
	ANY(ftruncate), /* half a packet in a recording, when the disk is full */
#endif
#ifdef __NR_ftruncate64
	ANY(ftruncate64),
#endif
#ifdef __NR_fstat
	ANY(fstat),
#endif
#ifdef __NR_fstat64
	ANY(fstat64),
#endif
#ifdef __NR_newfstatat /* fstat(2) of a newer libc; the root is empty */
	ANY(newfstatat),
#endif
#ifdef __NR_fstatat64
	ANY(fstatat64),
#endif
#ifdef __NR_statx
	ANY(statx),
#endif
	ONLY(ioctl, 1, ioctl_requests),
#ifdef __NR_fcntl
	ONLY(fcntl, 1, fcntl_commands),
#endif
#ifdef __NR_fcntl64
	ONLY(fcntl64, 1, fcntl_commands),
#endif

	/* memory */
	ANY(brk), ANY(munmap), ANY(mremap), ANY(madvise), ONLY(mprotect, 2, no_code),
#ifdef __NR_mmap2
	ONLY(mmap2, 2, no_code),
#endif
#if defined(__s390__)
	ANY(mmap), /* its arguments are in memory, where a filter cannot look */
#elif defined(__NR_mmap) && !defined(__i386__) /* so are those of i386, which has mmap2 */
	ONLY(mmap, 2, no_code),
#endif

	/* the rest; glibc's qsort(3) asks for the size of memory */
	ANY(rt_sigprocmask), ANY(getpid), ANY(sysinfo), ANY(setitimer),
#ifdef __NR_getrandom
	ANY(getrandom),
#endif
};

#define LIST(calls) { calls, sizeof(calls) / sizeof((calls)[0]) }
const struct seccomp_list seccomp_worker = LIST(worker_calls);
const struct seccomp_list seccomp_keeper = LIST(keeper_calls);

/* The program. */

struct program {
	struct sock_filter *code;
	size_t n, room; /* n may be more than room: then it did not fit */
	uint32_t otherwise;
};

static void put(struct program *p, unsigned code, unsigned if_true, unsigned if_false, uint32_t k)
{
	struct sock_filter f = { (uint16_t)code, (uint8_t)if_true, (uint8_t)if_false, k };

	if (p->n < p->room)
		p->code[p->n] = f;
	p->n++;
}

static void load(struct program *p, uint32_t at)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, at);
}

static void finish(struct program *p, uint32_t action)
{
	put(p, BPF_RET | BPF_K, 0, 0, action);
}

/* What is loaded is compared with lo to hi; what is above goes on behind it. */
static void allow_run(struct program *p, uint32_t lo, uint32_t hi)
{
	put(p, BPF_JMP | BPF_JGT | BPF_K, 3, 0, hi);
	put(p, BPF_JMP | BPF_JGE | BPF_K, 1, 0, lo);
	finish(p, p->otherwise);
	finish(p, RET_ALLOW);
}

static void sort_values(const struct seccomp_call *call, uint32_t sorted[SECCOMP_VALUES_MAX])
{
	for (size_t i = 0; i < call->n_values; i++) {
		size_t at = i;

		for (; at > 0 && sorted[at - 1] > call->values[i]; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = call->values[i];
	}
}

static void allow_values(struct program *p, const struct seccomp_call *call)
{
	uint32_t sorted[SECCOMP_VALUES_MAX];

	sort_values(call, sorted);
	load(p, AT_ARGUMENTS + 8u * call->argument + LOWER_HALF);
	for (size_t i = 0, next; i < call->n_values; i = next) {
		for (next = i + 1; next < call->n_values; next++)
			if (sorted[next] - sorted[next - 1] > 1)
				break;
		allow_run(p, sorted[i], sorted[next - 1]);
	}
	finish(p, p->otherwise);
}

/* One call of which some values are allowed: all other numbers go on behind it. */
static void allow_some(struct program *p, const struct seccomp_call *call)
{
	struct program measure = { NULL, 0, 0, 0 };

	allow_values(&measure, call);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, (unsigned)measure.n, call->number);
	allow_values(p, call);
}

/* The calls by number; those without condition first, where a number is there twice. */
static bool comes_before(const struct seccomp_call *a, const struct seccomp_call *b)
{
	if (a->number != b->number)
		return a->number < b->number;
	return a->n_values == 0 && b->n_values > 0;
}

static void sort_calls(const struct seccomp_list *list, const struct seccomp_call **sorted)
{
	for (size_t i = 0; i < list->n; i++) {
		size_t at = i;

		for (; at > 0 && comes_before(&list->calls[i], sorted[at - 1]); at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = &list->calls[i];
	}
}

static void allow_calls(struct program *p, const struct seccomp_call *const *sorted, size_t n)
{
	for (size_t i = 0, next; i < n; i = next) {
		next = i + 1;
		if (sorted[i]->n_values) {
			allow_some(p, sorted[i]);
			continue;
		}
		while (next < n && !sorted[next]->n_values &&
		       sorted[next]->number - sorted[next - 1]->number <= 1)
			next++;
		allow_run(p, sorted[i]->number, sorted[next - 1]->number);
	}
}

static bool is_too_long(const struct seccomp_list *list)
{
	for (size_t i = 0; i < list->n && i < SECCOMP_CALLS_MAX; i++)
		if (list->calls[i].n_values > SECCOMP_VALUES_MAX)
			return true;
	return list->n > SECCOMP_CALLS_MAX;
}

static uint32_t action_of(enum seccomp_otherwise otherwise)
{
	switch (otherwise) {
	case SECCOMP_REFUSE:
		return RET_EPERM;
	case SECCOMP_LOG:
		return RET_LOG;
	case SECCOMP_KILL:
		break;
	}
	return RET_KILL;
}

int seccomp_program(struct sock_filter *code, size_t room, const struct seccomp_list *allowed,
		    enum seccomp_otherwise otherwise)
{
	const struct seccomp_call *sorted[SECCOMP_CALLS_MAX];
	struct program p = { code, 0, room, action_of(otherwise) };

	if (seccomp_arch == 0)
		return -ENOSYS;
	if (is_too_long(allowed))
		return -E2BIG;
	sort_calls(allowed, sorted);

	load(&p, AT_ARCH);
	put(&p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, seccomp_arch);
	finish(&p, RET_KILL);
	load(&p, AT_NUMBER);
#ifdef __x86_64__
	put(&p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, X32_NUMBERS);
	finish(&p, RET_KILL);
#endif
	allow_calls(&p, sorted, allowed->n);
	finish(&p, p.otherwise);
	return p.n <= room ? (int)p.n : -E2BIG;
}

/* program NULL is a question: a kernel that has filters cannot read it, and says EFAULT. */
static int install(const struct sock_fprog *program)
{
#ifdef __NR_seccomp /* 3.17 */
	if (syscall(__NR_seccomp, SET_FILTER, 0u, program) == 0)
		return 0;
	if (errno != ENOSYS)
		return errno == EINVAL ? -ENOSYS : -errno;
#endif
	if (prctl(PR_SET_SECCOMP, (unsigned long)MODE_FILTER, program) == 0)
		return 0;
	return errno == EINVAL ? -ENOSYS : -errno;
}

int seccomp_available(void)
{
	int r = seccomp_arch == 0 ? -ENOSYS : install(NULL);

	return r == -EFAULT ? 0 : r;
}

int seccomp_enter(const struct sock_filter *code, size_t n)
{
	struct sock_fprog program;

	if (n == 0 || n > SECCOMP_PROGRAM_MAX)
		return -EINVAL;
	program.len = (unsigned short)n;
	program.filter = (struct sock_filter *)(uintptr_t)code; /* which the kernel copies */
	return install(&program);
}
