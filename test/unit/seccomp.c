/* SPDX-License-Identifier: MIT */
/*
 * The filters of system calls, run by a small machine of our own: what the kernel would do
 * with every number, on every processor. That the kernel does so is seen in test/tools/jail.sh.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include "unit.h"
#include "../../tools/jail.h"
#include "../../tools/seccomp.h"


static const uint32_t arches[] = {
	AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_ARMEB, AUDIT_ARCH_AARCH64,
	AUDIT_ARCH_MIPS, AUDIT_ARCH_MIPSEL, AUDIT_ARCH_MIPS64, AUDIT_ARCH_MIPSEL64,
	AUDIT_ARCH_MIPS64N32, AUDIT_ARCH_MIPSEL64N32, AUDIT_ARCH_PPC, AUDIT_ARCH_PPC64,
	AUDIT_ARCH_PPC64LE, AUDIT_ARCH_S390, AUDIT_ARCH_S390X, AUDIT_ARCH_RISCV32,
	AUDIT_ARCH_RISCV64, AUDIT_ARCH_SH, AUDIT_ARCH_SPARC64, AUDIT_ARCH_ALPHA, 0, UINT32_MAX,
};

/* A filter's machine: the few instructions that ours use, and no others. */

static uint32_t loaded(const struct seccomp_data *d, uint32_t at)
{
	uint32_t word;

	assert_true(at % 4 == 0 && at <= sizeof(*d) - 4);
	memcpy(&word, (const uint8_t *)d + at, 4);
	return word;
}

static bool compare(const struct sock_filter *f, uint32_t a)
{
	switch (f->code) {
	case BPF_JMP | BPF_JEQ | BPF_K:
		return a == f->k;
	case BPF_JMP | BPF_JGT | BPF_K:
		return a > f->k;
	case BPF_JMP | BPF_JGE | BPF_K:
		return a >= f->k;
	case BPF_JMP | BPF_JSET | BPF_K:
		return (a & f->k) != 0;
	}
	fail_msg("instruction %#x", f->code);
	return false;
}

static uint32_t run(const struct sock_filter *code, size_t n, const struct seccomp_data *d)
{
	uint32_t a = 0;

	for (size_t at = 0; at < n; at++) {
		const struct sock_filter *f = &code[at];

		if (f->code == (BPF_RET | BPF_K))
			return f->k;
		if (f->code == (BPF_LD | BPF_W | BPF_ABS))
			a = loaded(d, f->k);
		else
			at += compare(f, a) ? f->jt : f->jf;
	}
	fail_msg("the program runs over its end");
	return 0;
}

struct filter {
	struct sock_filter code[SECCOMP_PROGRAM_MAX];
	size_t n;
	uint32_t otherwise;
};

static void make(struct filter *f, const struct seccomp_list *list, enum seccomp_otherwise o)
{
	int n = seccomp_program(f->code, N_OF(f->code), list, o);

	assert_in_range(n, 1, SECCOMP_PROGRAM_MAX);
	f->n = (size_t)n;
	f->otherwise = o == SECCOMP_KILL ? SECCOMP_RET_KILL_PROCESS :
		o == SECCOMP_LOG ? SECCOMP_RET_LOG : (SECCOMP_RET_ERRNO | EPERM);
}

static uint32_t asked(const struct filter *f, uint32_t number, unsigned argument, uint64_t value)
{
	struct seccomp_data d = { .nr = (int)number, .arch = seccomp_arch };

	for (size_t i = 0; i < N_OF(d.args); i++)
		d.args[i] = 0xa5a5a5a5a5a5a5a5u;
	d.args[argument] = value;
	return run(f->code, f->n, &d);
}

/* What a list says, without any order or run. */
static const struct seccomp_call *find(const struct seccomp_list *list, uint32_t number)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->calls[i].number == number)
			return &list->calls[i];
	return NULL;
}

static bool has_value(const struct seccomp_call *c, uint32_t value)
{
	for (size_t i = 0; i < c->n_values; i++)
		if (c->values[i] == value)
			return true;
	return c->n_values == 0;
}

static bool is_x32(uint32_t number)
{
	return seccomp_arch == AUDIT_ARCH_X86_64 && (number & 0x40000000u);
}

static void check_number(const struct filter *f, const struct seccomp_list *list, uint32_t number)
{
	const struct seccomp_call *c = find(list, number);
	uint32_t should = is_x32(number) ? SECCOMP_RET_KILL_PROCESS :
		c && c->n_values == 0 ? SECCOMP_RET_ALLOW : f->otherwise;

	if (asked(f, number, 0, 0xfffffff0u) != should)
		fail_msg("number %u", number);
}

static void check_values(const struct filter *f, const struct seccomp_call *c)
{
	for (uint32_t value = 0; value < 70000; value++) {
		uint32_t should = has_value(c, value) ? SECCOMP_RET_ALLOW : f->otherwise;

		/* What the kernel takes for an int has an upper half that means nothing. */
		if (asked(f, c->number, c->argument, value) != should ||
		    asked(f, c->number, c->argument, value | 0xdeadbeef00000000u) != should)
			fail_msg("number %u with %u", c->number, value);
	}
	assert_int_equal(asked(f, c->number, c->argument, (uint64_t)c->values[0] << 32 | 0xfffffff0u),
			 f->otherwise);
}

static void check_list(const struct seccomp_list *list, enum seccomp_otherwise o)
{
	struct filter f;

	make(&f, list, o);
	for (uint32_t number = 0; number < 8192; number++) {
		check_number(&f, list, number);
		check_number(&f, list, number | 0x40000000u);
		check_number(&f, list, number | 0x80000000u);
		check_number(&f, list, UINT32_MAX - number);
	}
	for (size_t i = 0; i < list->n; i++)
		if (list->calls[i].n_values)
			check_values(&f, &list->calls[i]);
}

static void each_list_allows_what_it_names_and_nothing_else(void **state)
{
	(void)state;
	check_list(&seccomp_worker, SECCOMP_KILL);
	check_list(&seccomp_worker, SECCOMP_REFUSE);
	check_list(&seccomp_worker, SECCOMP_LOG);
	check_list(&seccomp_keeper, SECCOMP_KILL);
	check_list(&seccomp_keeper, SECCOMP_REFUSE);
	check_list(&seccomp_keeper, SECCOMP_LOG);
}

static void another_processors_calls_kill(void **state)
{
	static const enum seccomp_otherwise all[] = { SECCOMP_KILL, SECCOMP_REFUSE, SECCOMP_LOG };
	const struct seccomp_list *lists[] = { &seccomp_worker, &seccomp_keeper };
	struct seccomp_data d = { .nr = __NR_read };
	struct filter f;

	(void)state;
	for (size_t i = 0; i < N_OF(lists) * N_OF(all); i++) {
		make(&f, lists[i / N_OF(all)], all[i % N_OF(all)]);
		for (size_t a = 0; a < N_OF(arches); a++) {
			d.arch = arches[a];
			assert_int_equal(run(f.code, f.n, &d), arches[a] == seccomp_arch ?
					 SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
		}
		for (unsigned bit = 0; bit < 32; bit++) {
			d.arch = seccomp_arch ^ (uint32_t)1 << bit;
			assert_int_equal(run(f.code, f.n, &d), SECCOMP_RET_KILL_PROCESS);
		}
	}
}

static void this_processor_has_the_kernels_name(void **state)
{
	(void)state;
#if defined(__x86_64__)
	assert_int_equal(seccomp_arch, AUDIT_ARCH_X86_64);
#elif defined(__i386__)
	assert_int_equal(seccomp_arch, AUDIT_ARCH_I386);
#elif defined(__s390x__)
	assert_int_equal(seccomp_arch, AUDIT_ARCH_S390X);
#else
	assert_int_not_equal(seccomp_arch, 0);
#endif
}

/* Lists of any numbers. */

#define CALLS(...) (const struct seccomp_call[]){ __VA_ARGS__ }
#define NUMBER(n)  { n, 0, 0, NULL }

static void lists_may_come_in_any_order(void **state)
{
	struct seccomp_call calls[SECCOMP_CALLS_MAX];
	struct seccomp_list list = { calls, N_OF(calls) };
	uint32_t x = 1;

	(void)state;
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < N_OF(calls); i++) {
			x = x * 1664525u + 1013904223u;
			calls[i] = (struct seccomp_call)NUMBER((x >> 16) % (round % 2 ? 160 : 4096));
		}
		check_list(&list, SECCOMP_KILL);
	}
}

static void first_and_last_numbers_are_numbers_too(void **state)
{
	const struct seccomp_list ends = { CALLS(NUMBER(UINT32_MAX), NUMBER(0), NUMBER(UINT32_MAX - 2),
						 NUMBER(0x80000000u)), 4 };
	const struct seccomp_list none = { NULL, 0 };

	(void)state;
	check_list(&ends, SECCOMP_REFUSE);
	check_list(&none, SECCOMP_KILL);
}

static void values_may_come_in_any_order(void **state)
{
	static const uint32_t some[] = { 7, 65536, 0, 6, 40, 9, 8, 69999 }, one[] = { 5 };
	uint32_t many[SECCOMP_VALUES_MAX];
	const struct seccomp_list list = {
		CALLS(NUMBER(11), { 10, 5, N_OF(some), some }, NUMBER(9), { 12, 3, N_OF(one), one },
		      { 4000, 0, N_OF(many), many }, NUMBER(4001)), 6 };

	(void)state;
	for (uint32_t i = 0; i < N_OF(many); i++)
		many[i] = 100 - 2 * i;
	check_list(&list, SECCOMP_KILL);
	check_list(&list, SECCOMP_REFUSE);
}

/* Limits. */

static void a_program_is_whole_or_refused(void **state)
{
	struct filter f;

	(void)state;
	make(&f, &seccomp_keeper, SECCOMP_KILL);
	for (size_t room = 0; room <= f.n; room++) {
		struct sock_filter *code = malloc(room * sizeof(*code) + 1);
		int n = seccomp_program(code, room, &seccomp_keeper, SECCOMP_KILL);

		assert_int_equal(n, room < f.n ? -E2BIG : (int)f.n);
		free(code);
	}
	/* Three quarters full at most: nobody shall meet the end when a call is added. */
	assert_in_range(f.n, 1, SECCOMP_PROGRAM_MAX * 3 / 4);
}

static void too_long_lists_are_refused(void **state)
{
	struct seccomp_call calls[SECCOMP_CALLS_MAX + 1];
	uint32_t values[SECCOMP_VALUES_MAX + 1] = { 0 };
	struct seccomp_list list = { calls, N_OF(calls) };
	struct filter f;

	(void)state;
	for (uint32_t i = 0; i < N_OF(calls); i++)
		calls[i] = (struct seccomp_call)NUMBER(2 * i);
	assert_int_equal(seccomp_program(f.code, N_OF(f.code), &list, SECCOMP_KILL), -E2BIG);
	list.n--;
	assert_true(seccomp_program(f.code, N_OF(f.code), &list, SECCOMP_KILL) > 0);
	calls[3].values = values;
	calls[3].n_values = N_OF(values);
	assert_int_equal(seccomp_program(f.code, N_OF(f.code), &list, SECCOMP_KILL), -E2BIG);
	assert_int_equal(seccomp_enter(f.code, 0), -EINVAL);
	assert_int_equal(seccomp_enter(f.code, SECCOMP_PROGRAM_MAX + 1), -EINVAL);
}

/* What is in the lists. */

static void the_worker_reads_writes_and_leaves(void **state)
{
	static const uint32_t all[] = {
		__NR_read, __NR_write, __NR_exit, __NR_exit_group, __NR_rt_sigreturn,
		__NR_restart_syscall,
#ifdef __NR_sigreturn
		__NR_sigreturn,
#endif
	};

	(void)state;
	assert_int_equal(seccomp_worker.n, N_OF(all));
	for (size_t i = 0; i < N_OF(all); i++) {
		const struct seccomp_call *c = find(&seccomp_worker, all[i]);

		assert_non_null(c);
		assert_int_equal(c->n_values, 0);
		assert_non_null(find(&seccomp_keeper, all[i]));
	}
}

static void neither_opens_runs_or_looks_into_anything(void **state)
{
	static const uint32_t never[] = {
		__NR_openat, __NR_execve, __NR_execveat, __NR_clone, __NR_ptrace, __NR_bpf,
		__NR_mount, __NR_umount2, __NR_chroot, __NR_unshare, __NR_setns, __NR_kill,
		__NR_tgkill, __NR_prctl, __NR_seccomp, __NR_capset, __NR_setuid, __NR_setresuid,
		__NR_process_vm_readv, __NR_process_vm_writev, __NR_memfd_create, __NR_userfaultfd,
		__NR_perf_event_open, __NR_add_key, __NR_keyctl, __NR_init_module, __NR_reboot,
		__NR_unlinkat, __NR_linkat, __NR_mknodat, __NR_prlimit64, __NR_personality,
		__NR_dup3, __NR_pipe2, __NR_truncate, __NR_fallocate, __NR_rt_sigaction,
		__NR_io_setup, __NR_splice, __NR_name_to_handle_at, __NR_open_by_handle_at,
#ifdef __NR_pidfd_getfd /* and what is older */
		__NR_io_uring_setup, __NR_clone3, __NR_openat2, __NR_pidfd_getfd,
#endif
#ifdef __NR_open
		__NR_open, __NR_fork,
#endif
#ifdef __NR_vfork
		__NR_vfork,
#endif
#ifdef __NR_socket
		__NR_socket, __NR_connect, __NR_bind, __NR_listen, __NR_socketpair,
#endif
#ifdef __NR_ipc
		__NR_ipc,
#endif
	};

	(void)state;
	for (size_t i = 0; i < N_OF(never); i++)
		if (find(&seccomp_worker, never[i]) || find(&seccomp_keeper, never[i]))
			fail_msg("call %u is allowed", never[i]);
}

static void the_keeper_cuts_a_file_that_it_has_and_the_worker_none(void **state)
{
	static const uint32_t cuts[] = {
		__NR_ftruncate,
#ifdef __NR_ftruncate64
		__NR_ftruncate64,
#endif
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cuts); i++) {
		assert_non_null(find(&seccomp_keeper, cuts[i]));
		assert_null(find(&seccomp_worker, cuts[i]));
	}
}

static void the_keeper_asks_no_more_of_its_descriptors_than_it_needs(void **state)
{
	struct filter f;

	(void)state;
	make(&f, &seccomp_keeper, SECCOMP_KILL);
	assert_int_equal(asked(&f, __NR_ioctl, 1, TIOCGWINSZ), SECCOMP_RET_ALLOW);
	assert_int_equal(asked(&f, __NR_ioctl, 1, TIOCSTI), f.otherwise);
	assert_int_equal(asked(&f, __NR_fcntl, 1, F_GETFL), SECCOMP_RET_ALLOW);
	assert_int_equal(asked(&f, __NR_fcntl, 1, F_DUPFD), f.otherwise);
	assert_int_equal(asked(&f, __NR_fcntl, 1, F_SETOWN), f.otherwise);
	assert_int_equal(asked(&f, __NR_mprotect, 2, PROT_READ | PROT_WRITE), SECCOMP_RET_ALLOW);
	assert_int_equal(asked(&f, __NR_mprotect, 2, PROT_READ | PROT_EXEC), f.otherwise);
#if defined(__i386__)
	assert_int_equal(asked(&f, __NR_mmap, 2, PROT_READ), f.otherwise);
	assert_int_equal(asked(&f, __NR_mmap2, 2, PROT_READ), SECCOMP_RET_ALLOW);
	assert_int_equal(asked(&f, __NR_mmap2, 2, PROT_EXEC), f.otherwise);
#elif defined(__x86_64__)
	assert_int_equal(asked(&f, __NR_mmap, 2, PROT_READ), SECCOMP_RET_ALLOW);
	assert_int_equal(asked(&f, __NR_mmap, 2, PROT_READ | PROT_EXEC), f.otherwise);
#endif
}

/* linux/net.h numbers them: 1 is socket, 2 bind, 3 connect, 4 listen, 5 accept. */
static void no_socket_is_made_through_socketcall(void **state)
{
	(void)state;
#ifdef __NR_socketcall
	struct filter f;

	make(&f, &seccomp_keeper, SECCOMP_KILL);
	for (uint64_t call = 0; call <= 5; call++)
		assert_int_equal(asked(&f, __NR_socketcall, 0, call), f.otherwise);
	assert_int_equal(asked(&f, __NR_socketcall, 0, 8 /* socketpair */), f.otherwise);
	assert_int_equal(asked(&f, __NR_socketcall, 0, 16 /* sendmsg */), SECCOMP_RET_ALLOW);
	assert_int_equal(asked(&f, __NR_socketcall, 0, 19 /* recvmmsg */), SECCOMP_RET_ALLOW);
	assert_int_equal(asked(&f, __NR_socketcall, 0, 20 /* sendmmsg */), f.otherwise);
	assert_null(find(&seccomp_worker, __NR_socketcall));
#endif
}

static void our_capabilities_are_the_systems(void **state)
{
	(void)state;
	assert_int_equal(JAIL_CAP_KILL, CAP_KILL);
	assert_int_equal(JAIL_CAP_SETGID, CAP_SETGID);
	assert_int_equal(JAIL_CAP_SETUID, CAP_SETUID);
	assert_int_equal(JAIL_CAP_SETPCAP, CAP_SETPCAP);
	assert_int_equal(JAIL_CAP_NET_ADMIN, CAP_NET_ADMIN);
	assert_int_equal(JAIL_CAP_SYS_CHROOT, CAP_SYS_CHROOT);
	assert_int_equal(JAIL_GUARDIAN_CAPS, 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 12 | 1 << 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_list_allows_what_it_names_and_nothing_else),
		cmocka_unit_test(another_processors_calls_kill),
		cmocka_unit_test(this_processor_has_the_kernels_name),
		cmocka_unit_test(lists_may_come_in_any_order),
		cmocka_unit_test(first_and_last_numbers_are_numbers_too),
		cmocka_unit_test(values_may_come_in_any_order),
		cmocka_unit_test(a_program_is_whole_or_refused),
		cmocka_unit_test(too_long_lists_are_refused),
		cmocka_unit_test(the_worker_reads_writes_and_leaves),
		cmocka_unit_test(neither_opens_runs_or_looks_into_anything),
		cmocka_unit_test(the_keeper_cuts_a_file_that_it_has_and_the_worker_none),
		cmocka_unit_test(the_keeper_asks_no_more_of_its_descriptors_than_it_needs),
		cmocka_unit_test(no_socket_is_made_through_socketcall),
		cmocka_unit_test(our_capabilities_are_the_systems),
	};

	return RUN(tests);
}
