/* SPDX-License-Identifier: MIT */
/*
 * jail.c - tries the jail on the running kernel: processes go in, and it is looked at from
 * outside what they still have and what becomes of them. Needs root.
 *
 *     jail --list     the cases, one a line
 *     jail CASE       exit 0: it is so; 1: it is not, and why is on stderr; 77: cannot be told
 *                     on this kernel
 *     jail --enter worker | keeper | user | old | /FOLDER
 *                     goes in, as user with root's uid, as old on a kernel without filters,
 *                     into a folder that is named; exit as cth does, with a word on stderr
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>
#include "../../tools/jail.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
#define UID 64321
#define GID 64322

/* linux/seccomp.h, which musl's include path may lack. */
#define RET_ALLOW 0x7fff0000u
#define RET_ERRNO 0x00050000u

static const struct jail worker = { .uid = UID, .gid = GID, .calls = &seccomp_worker };
static const struct jail keeper = {
	.uid = UID, .gid = GID, .keep = JAIL_CAPS(JAIL_CAP_NET_ADMIN), .files = 32,
	.grows_files = true, .calls = &seccomp_keeper,
};

static void no(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void no(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* Processes in a jail. They get bytes at 3 and say bytes at 4, and have nothing else open. */

#define HEAR 3
#define SAY  4

struct prisoner {
	pid_t pid;
	int to, from;
};

typedef void life(void);

static void put_at(int fd, int number)
{
	if (dup2(fd, number) < 0)
		no("dup2: %s", strerror(errno));
}

/* What could not be entered is told by its errno; the byte 0 says that all is well. */
static void live(const struct jail *jail, life *what)
{
	const int kept[] = { HEAR, -1, SAY };
	const char *step;
	int r = jail_close_all_but(kept, N_OF(kept));
	unsigned char told;

	if (r == 0)
		r = jail_enter(jail, &step);
	told = (unsigned char)-r;
	if (write(SAY, &told, 1) == 1 && r == 0)
		what();
	_exit(0);
}

static unsigned char hear(const struct prisoner *p)
{
	struct pollfd f = { p->from, POLLIN, 0 };
	unsigned char byte;

	if (poll(&f, 1, 20000) != 1 || read(p->from, &byte, 1) != 1)
		no("it says nothing");
	return byte;
}

static struct prisoner start(const struct jail *jail, life *what)
{
	struct prisoner p;
	int to[2], from[2], r;

	if (pipe(to) < 0 || pipe(from) < 0)
		no("pipe: %s", strerror(errno));
	p.pid = fork();
	if (p.pid == 0) {
		int a = fcntl(to[0], F_DUPFD, 100), b = fcntl(from[1], F_DUPFD, 100);

		put_at(a, HEAR);
		put_at(b, SAY);
		live(jail, what);
	}
	close(to[0]);
	close(from[1]);
	p.to = to[1];
	p.from = from[0];
	r = hear(&p);
	if (r != 0)
		no("cannot enter: %s", strerror(r));
	return p;
}

/* How it ended: its exit code, or 128 and the signal. */
static int end(struct prisoner *p)
{
	int status;

	close(p->to);
	if (waitpid(p->pid, &status, 0) != p->pid)
		no("waitpid: %s", strerror(errno));
	close(p->from);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void ends_well(struct prisoner *p)
{
	int how = end(p);

	if (how != 0)
		no("it ended with %d", how);
}

static void say(int byte)
{
	unsigned char b = (unsigned char)byte;

	if (write(SAY, &b, 1) != 1)
		_exit(90);
}

static void wait_for_the_end(void)
{
	char byte;

	while (read(HEAR, &byte, 1) > 0)
		say(byte);
}

/* What /proc has of it. */

static const char *file_of(pid_t pid, const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return path;
}

/* Is this a line of its status? White space is not looked at. */
static void shows(pid_t pid, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void shows(pid_t pid, const char *format, ...)
{
	char line[512], should[128], squeezed[512];
	FILE *f = fopen(file_of(pid, "status"), "r");
	va_list args;

	va_start(args, format);
	vsnprintf(should, sizeof(should), format, args);
	va_end(args);
	while (f && fgets(line, sizeof(line), f)) {
		size_t n = 0;

		for (const char *p = line; *p; p++)
			if (!strchr("\t\n ", *p))
				squeezed[n++] = *p;
		squeezed[n] = '\0';
		if (strcmp(squeezed, should) == 0) {
			fclose(f);
			return;
		}
	}
	no("its status does not show %s", should);
}

static void shows_caps(pid_t pid, const char *name, uint64_t caps)
{
	shows(pid, "%s:%016llx", name, (unsigned long long)caps);
}

static void shows_jail(pid_t pid, uint64_t caps)
{
	shows(pid, "Uid:%d%d%d%d", UID, UID, UID, UID);
	shows(pid, "Gid:%d%d%d%d", GID, GID, GID, GID);
	shows(pid, "Groups:");
	shows_caps(pid, "CapInh", 0);
	shows_caps(pid, "CapPrm", caps);
	shows_caps(pid, "CapEff", caps);
	shows_caps(pid, "CapBnd", 0);
	shows_caps(pid, "CapAmb", 0);
	shows(pid, "NoNewPrivs:1");
	shows(pid, "Seccomp:2");
}

static void has_descriptors(pid_t pid, int n)
{
	char path[64], target[256];
	int found = 0;

	for (int fd = 0; fd < 4096; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
		found += readlink(path, target, sizeof(target)) >= 0;
	}
	if (found != n)
		no("it has %d descriptors, should be %d", found, n);
}

static void has_dead_root(pid_t pid)
{
	char target[256] = "";

	if (readlink(file_of(pid, "root"), target, sizeof(target) - 1) < 0)
		no("its root: %s", strerror(errno));
	if (!strstr(target, "/cth-empty-") || !strstr(target, "(deleted)"))
		no("its root is %s", target);
}

/* A line of its limits; root without CAP_SYS_RESOURCE may not ask by prlimit(2). */
static void has_limit(pid_t pid, const char *name, int most)
{
	FILE *f = fopen(file_of(pid, "limits"), "r");
	char line[256];
	int soft = -1, hard = -1;

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			sscanf(line + strlen(name), "%d %d", &soft, &hard);
	if (f)
		fclose(f);
	if (soft != most || hard != most)
		no("%s: %d, %d", name, soft, hard);
}

/* ---- what they have ---- */

static void the_worker_has_nothing(void)
{
	struct prisoner p = start(&worker, wait_for_the_end);

	shows_jail(p.pid, 0);
	has_descriptors(p.pid, 2);
	has_dead_root(p.pid);
	has_limit(p.pid, "Max open files", 0);
	has_limit(p.pid, "Max core file size", 0);
	has_limit(p.pid, "Max processes", 0);
	has_limit(p.pid, "Max file size", 0);
	ends_well(&p);
}

static void the_keeper_has_net_admin_alone(void)
{
	struct prisoner p = start(&keeper, wait_for_the_end);

	shows_jail(p.pid, (uint64_t)1 << 12);
	has_descriptors(p.pid, 2);
	has_dead_root(p.pid);
	has_limit(p.pid, "Max open files", 32);
	has_limit(p.pid, "Max processes", 0);
	ends_well(&p);
}

/* Whatever the one who starts it has: groups, capabilities for programs that it would run. */
static void nothing_is_inherited(void)
{
	const gid_t groups[] = { 0, 4, 65000 };
	uint32_t header[2] = { 0x20080522u, 0 }, caps[6];
	struct prisoner p;

	if (setgroups(N_OF(groups), groups) < 0 || syscall(SYS_capget, header, caps) < 0)
		no("setgroups: %s", strerror(errno));
	caps[2] = caps[1];
	caps[5] = caps[4];
	if (syscall(SYS_capset, header, caps) < 0 ||
	    prctl(47 /* PR_CAP_AMBIENT */, 2 /* RAISE */, JAIL_CAP_NET_ADMIN, 0, 0) < 0 ||
	    prctl(47, 2, JAIL_CAP_KILL, 0, 0) < 0)
		no("ambient: %s", strerror(errno));
	p = start(&keeper, wait_for_the_end);
	shows_jail(p.pid, (uint64_t)1 << 12);
	ends_well(&p);
	p = start(&worker, wait_for_the_end);
	shows_jail(p.pid, 0);
	ends_well(&p);
}

/* A thousand bytes there and back, through the filter. */
static void the_worker_reads_and_writes(void)
{
	struct prisoner p = start(&worker, wait_for_the_end);

	for (int i = 0; i < 1000; i++) {
		unsigned char byte = (unsigned char)i;

		if (write(p.to, &byte, 1) != 1 || hear(&p) != byte)
			no("byte %d did not come back", i);
	}
	ends_well(&p);
}

static void leave_by_exit(void)
{
	exit(7);
}

static void the_worker_may_leave_as_libc_does(void)
{
	struct prisoner p = start(&worker, leave_by_exit);
	int how = end(&p);

	if (how != 7)
		no("it ended with %d", how);
}

static volatile int heard;

static void note(int number)
{
	heard = number;
}

static void hear_signals(void)
{
	say('!');
	wait_for_the_end();
	_exit(heard ? 9 : 8);
}

static void the_worker_comes_back_from_signals(void)
{
	struct prisoner p;
	int how;

	signal(SIGUSR1, note);
	p = start(&worker, hear_signals);
	hear(&p);
	kill(p.pid, SIGUSR1);
	if (write(p.to, "x", 1) != 1 || hear(&p) != 'x')
		no("it does not answer");
	how = end(&p);
	if (how != 9)
		no("it ended with %d", how);
}

static void no_folder_is_left_behind(void)
{
	static const char *const places[] = { "/run", "/tmp", "/var/tmp", "/dev/shm" };
	struct prisoner p = start(&worker, wait_for_the_end);
	char command[128];

	for (size_t i = 0; i < N_OF(places); i++) {
		snprintf(command, sizeof(command), "ls -d %s/cth-empty-* 2>/dev/null", places[i]);
		if (system(command) == 0)
			no("it is still in %s", places[i]);
	}
	ends_well(&p);
}

/* ---- what they cannot do ---- */

struct crime {
	const char *name;
	life *commit;
	bool by_keeper; /* whether it is one for the keeper too */
};

/* Calls that libc would not make, or make in another way. Of no harm if they are done. */
#define RAW(name, ...) static void do_##name(void) { syscall(__NR_##name, __VA_ARGS__); }
RAW(openat, AT_FDCWD, "/etc/passwd", O_RDONLY)
RAW(execve, "/bin/true", NULL, NULL)
RAW(execveat, AT_FDCWD, "/bin/true", NULL, NULL, 0)
RAW(ptrace, PTRACE_TRACEME, 0, 0, 0)
RAW(mount, "none", "/", "tmpfs", 0, NULL)
RAW(bpf, 0, NULL, 0)
RAW(kill, 1, 0)
RAW(prctl, PR_GET_DUMPABLE, 0, 0, 0, 0)
RAW(setresuid, 0, 0, 0)
RAW(chroot, ".")
RAW(unshare, CLONE_NEWUSER)
RAW(setns, -1, 0)
RAW(process_vm_readv, 1, NULL, 0, NULL, 0, 0)
RAW(memfd_create, "x", 0)
RAW(perf_event_open, NULL, 0, -1, -1, 0)
RAW(keyctl, 0, 0, 0, 0, 0)
RAW(rt_sigaction, SIGTERM, NULL, NULL, 8)
RAW(prlimit64, 0, 0, NULL, NULL)
RAW(pipe2, NULL, 0)
RAW(dup3, SAY, 20, 0)
RAW(io_setup, 0, NULL)
RAW(unlinkat, AT_FDCWD, "/x", 0)
RAW(getppid, 0)
RAW(fcntl, SAY, F_DUPFD, 0)
RAW(ioctl, SAY, 0x5412 /* TIOCSTI */, "x")
RAW(brk, 0)
RAW(munmap, NULL, 0)
RAW(mprotect, NULL, 0, PROT_READ | PROT_EXEC)
RAW(close, 77)
RAW(getrandom, NULL, 0, 0)
#ifdef __NR_open
RAW(open, "/etc/passwd", O_RDONLY)
#endif
#ifdef __NR_socketcall
RAW(socketcall, 1, ((long[]){ AF_INET, SOCK_STREAM, 0 }))
#endif

static void do_clock(void)
{
#ifdef __NR_clock_gettime
	syscall(__NR_clock_gettime, 0, NULL);
#else
	syscall(403, 0, NULL);
#endif
}

static void do_io_uring(void)
{
	syscall(425, 1, NULL);
}

static void do_clone3(void)
{
	syscall(435, NULL, 0);
}

static void do_no_such_call(void)
{
	syscall(3333);
}

static void do_socket(void)
{
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0)
		errno = 0;
}

static void do_connect(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(1) };

	if (connect(SAY, (struct sockaddr *)&to, sizeof(to)) == 0)
		_exit(91);
}

static void do_bind(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	if (bind(SAY, (struct sockaddr *)&to, sizeof(to)) == 0)
		_exit(91);
}

static void do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
}

#ifdef __x86_64__
static void do_x32(void)
{
	syscall(0x40000000 | __NR_getpid);
}

/* 3 is read in the numbers of 32 bits, and close in those of 64. */
static void do_32_bits(void)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(3L), "b"((long)HEAR), "c"(0L), "d"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = EPERM;
}
#endif

#define RAW_CRIME(name, keeper) { #name, do_##name, keeper }
static const struct crime crimes[] = {
	RAW_CRIME(openat, true), RAW_CRIME(execve, true), RAW_CRIME(execveat, true),
	RAW_CRIME(ptrace, true), RAW_CRIME(mount, true), RAW_CRIME(bpf, true),
	RAW_CRIME(kill, true), RAW_CRIME(prctl, true), RAW_CRIME(setresuid, true),
	RAW_CRIME(chroot, true), RAW_CRIME(unshare, true), RAW_CRIME(setns, true),
	RAW_CRIME(process_vm_readv, true), RAW_CRIME(memfd_create, true),
	RAW_CRIME(perf_event_open, true), RAW_CRIME(keyctl, true), RAW_CRIME(rt_sigaction, true),
	RAW_CRIME(prlimit64, true), RAW_CRIME(pipe2, true), RAW_CRIME(dup3, true),
	RAW_CRIME(io_setup, true), RAW_CRIME(unlinkat, true), RAW_CRIME(getppid, true),
	RAW_CRIME(fcntl, true), RAW_CRIME(ioctl, true), RAW_CRIME(brk, false),
	RAW_CRIME(munmap, false), RAW_CRIME(mprotect, true), RAW_CRIME(close, false), RAW_CRIME(getrandom, false),
#ifdef __NR_open
	RAW_CRIME(open, true),
#endif
#ifdef __NR_socketcall
	RAW_CRIME(socketcall, true),
#endif
	{ "clock_gettime", do_clock, false },
	{ "io_uring_setup", do_io_uring, true },
	{ "clone3", do_clone3, true },
	{ "a call that there is not", do_no_such_call, true },
	{ "socket", do_socket, true },
	{ "connect", do_connect, true },
	{ "bind", do_bind, true },
	{ "fork", do_fork, true },
};

static life *crime; /* the one that is to be committed */

static void commit(void)
{
	errno = 0;
	crime();
	_exit(errno == EPERM ? 60 : 61);
}

static void becomes(const struct jail *jail, const struct crime *c, int should)
{
	struct prisoner p;
	int how;

	crime = c->commit;
	p = start(jail, commit);
	how = end(&p);
	if (how != should)
		no("%s: it ended with %d, should be %d", c->name, how, should);
}

static void every_other_call_ends_the_worker(void)
{
	for (size_t i = 0; i < N_OF(crimes); i++)
		becomes(&worker, &crimes[i], 128 + SIGSYS);
}

static void every_other_call_ends_the_keeper(void)
{
	for (size_t i = 0; i < N_OF(crimes); i++)
		if (crimes[i].by_keeper)
			becomes(&keeper, &crimes[i], 128 + SIGSYS);
}

static void every_other_call_is_refused_where_that_is_asked_for(void)
{
	struct jail mild = worker;

	mild.otherwise = SECCOMP_REFUSE;
	for (size_t i = 0; i < N_OF(crimes); i++)
		becomes(&mild, &crimes[i], 60);
	mild = keeper;
	mild.otherwise = SECCOMP_REFUSE;
	for (size_t i = 0; i < N_OF(crimes); i++)
		if (crimes[i].by_keeper)
			becomes(&mild, &crimes[i], 60);
}

#ifdef __x86_64__
/* A kernel may have been built, or started, without them: then they end whoever makes one. */
static bool kernel_has_calls_of_32_bits(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		do_32_bits();
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status);
}

static void calls_of_another_kind_end_it_always(void)
{
	static const struct crime foreign[] = {
		{ "a call of x32", do_x32, true },
		{ "a call of 32 bits", do_32_bits, true },
	};
	struct jail mild = keeper;

	mild.otherwise = SECCOMP_LOG;
	for (size_t i = 0; i < N_OF(foreign); i++) {
		bool never = foreign[i].commit == do_32_bits && !kernel_has_calls_of_32_bits();
		int how = 128 + (never ? SIGSEGV : SIGSYS);

		becomes(&worker, &foreign[i], how);
		becomes(&mild, &foreign[i], how);
	}
}
#endif

static void a_log_is_no_hindrance(void)
{
	const struct crime harmless = { "getppid", do_getppid, true };
	struct jail mild = worker;

	mild.otherwise = SECCOMP_LOG;
	becomes(&mild, &harmless, 61);
}

/* The rest is tried without a filter: each wall has to stand by itself. */

static struct jail without_filter(const struct jail *jail)
{
	struct jail j = *jail;

	j.no_seccomp = true;
	return j;
}

static int failed_with(int r)
{
	return r >= 0 ? 0 : errno;
}

static void look_around(void)
{
	struct stat s;

	say(failed_with(open("/etc/passwd", O_RDONLY)));
	say(failed_with(open("/", O_RDONLY | O_DIRECTORY)));
	say(failed_with(stat("/proc", &s)));
	say(failed_with(stat("../../../../../../etc", &s)));
	say(failed_with(mkdir("/x", 0755)));
	say(failed_with(chroot("/")));
	say(failed_with(chdir("..")));
	say(failed_with(unshare(CLONE_NEWUSER)));
	wait_for_the_end();
}

static void the_old_root_is_out_of_sight(void)
{
	static const char *const what[] = { "open /etc/passwd", "open /", "stat /proc", "stat ../../etc",
					    "mkdir /x", "chroot", "chdir ..", "unshare" };
	struct jail j = without_filter(&worker);
	struct prisoner p;

	/* Not for want of descriptors. */
	j.files = 64;
	p = start(&j, look_around);
	for (size_t i = 0; i < N_OF(what); i++) {
		int err = hear(&p);

		if (err != ENOENT && err != EACCES && err != EPERM && err != ENOSYS &&
		    !(i == 7 && err == EINVAL))
			no("%s: %s", what[i], err ? strerror(err) : "done");
	}
	ends_well(&p);
}

/* Root itself sees nothing there and can put nothing there. */
static void nobody_can_put_anything_into_its_root(void)
{
	struct prisoner p = start(&worker, wait_for_the_end);
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/root/x", (int)p.pid);
	if (mkdir(path, 0755) == 0 || errno != ENOENT)
		no("mkdir there: %s", strerror(errno));
	snprintf(path, sizeof(path), "/proc/%d/root/etc", (int)p.pid);
	if (access(path, F_OK) == 0)
		no("/etc is there");
	ends_well(&p);
}

static int raise_caps(void)
{
	uint32_t header[2] = { 0x20080522u, 0 };
	uint32_t caps[6] = { UINT32_MAX, UINT32_MAX, 0, 1, 1, 0 };

	return (int)syscall(SYS_capset, header, caps);
}

static void try_to_go_back(void)
{
	gid_t groups[] = { 0 };

	say(failed_with(setuid(0)));
	say(failed_with(setgid(0)));
	say(failed_with(setresuid((uid_t)-1, 0, (uid_t)-1)));
	say(failed_with(setgroups(1, groups)));
	say(failed_with(raise_caps()));
	say(failed_with(prctl(PR_CAPBSET_DROP, 0, 0, 0, 0)));
	say(failed_with(kill(getppid(), 0)));
	say(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 0 ? EPERM : 0);
	wait_for_the_end();
}

static void there_is_no_way_back(void)
{
	const struct jail jails[] = { without_filter(&worker), without_filter(&keeper) };

	for (size_t i = 0; i < N_OF(jails); i++) {
		struct prisoner p = start(&jails[i], try_to_go_back);

		for (int n = 0; n < 8; n++) {
			int err = hear(&p);

			if (err != EPERM)
				no("attempt %d: %s", n, err ? strerror(err) : "done");
		}
		ends_well(&p);
	}
}

static void try_the_limits(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	say(failed_with(pid));
	say(failed_with(dup(SAY)));
	say(failed_with(socket(AF_UNIX, SOCK_STREAM, 0)));
	wait_for_the_end();
}

static void limits_hold_without_a_filter(void)
{
	const struct jail j = without_filter(&worker);
	struct prisoner p = start(&j, try_the_limits);
	const int should[] = { EAGAIN, EMFILE, EMFILE };

	for (size_t i = 0; i < N_OF(should); i++) {
		int err = hear(&p);

		if (err != should[i])
			no("attempt %zu: %s", i, err ? strerror(err) : "done");
	}
	ends_well(&p);
}

/* ---- what others can do to them ---- */

static const struct prisoner *victim;

/* Of the same user, with no capability: the bits of what it can reach. */
static void attack(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { (void *)(uintptr_t)&victim, 1 };
	int reached = 0;

	if (ptrace(PTRACE_ATTACH, victim->pid, NULL, NULL) == 0) {
		reached |= 1;
		waitpid(victim->pid, NULL, 0);
		ptrace(PTRACE_DETACH, victim->pid, NULL, NULL);
	}
	if (open(file_of(victim->pid, "mem"), O_RDWR) >= 0)
		reached |= 2;
	if (process_vm_readv(victim->pid, &here, 1, &there, 1, 0) == 1)
		reached |= 4;
	if (open(file_of(victim->pid, "environ"), O_RDONLY) >= 0)
		reached |= 8;
	if (readlink(file_of(victim->pid, "fd/3"), (char[9]){ 0 }, 8) > 0)
		reached |= 16;
	_exit(reached);
}

/* What a process of that user can reach of one in the jail. */
static int reach(const struct jail *jail)
{
	struct prisoner p = start(jail, wait_for_the_end);
	int status;
	pid_t pid;

	victim = &p;
	pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(GID, GID, GID) < 0 || setresuid(UID, UID, UID) < 0)
			_exit(64);
		attack();
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		no("the attacker died");
	ends_well(&p);
	return WEXITSTATUS(status);
}

static void its_own_user_cannot_look_into_it(void)
{
	struct jail open_one = worker;
	int reached = reach(&worker);

	if (reached != 0)
		no("reached %#x of the worker", (unsigned)reached);
	reached = reach(&keeper);
	if (reached != 0)
		no("reached %#x of the keeper", (unsigned)reached);
	/* That it is this what stops them: */
	open_one.dumpable = true;
	reached = reach(&open_one);
	if ((reached & 0x1f) != 0x1f)
		no("reached only %#x of one that may be dumped", (unsigned)reached);
}

/* ---- what is said when it cannot be done ---- */

/* Enters as a process that has been prepared so: what came of it, in a child's place. */
static void fails(const struct jail *jail, void (*prepare)(void), int err, const char *words)
{
	int said[2], status;
	char told[256] = "";
	pid_t pid;

	if (pipe(said) < 0)
		no("pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		const char *step = "";
		int r;

		if (prepare)
			prepare();
		r = jail_enter(jail, &step);
		if (write(said[1], step, strlen(step)) < 0)
			_exit(255);
		_exit(-r);
	}
	close(said[1]);
	if (read(said[0], told, sizeof(told) - 1) < 0 || waitpid(pid, &status, 0) != pid)
		no("nothing heard: %s", strerror(errno));
	close(said[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != err || strcmp(told, words) != 0)
		no("%s: %s, should be %s: %s", told, strerror(WEXITSTATUS(status)), words, strerror(err));
}

static void lose(uint64_t caps)
{
	uint32_t header[2] = { 0x20080522u, 0 }, c[6];

	if (syscall(SYS_capget, header, c) < 0)
		_exit(250);
	c[0] &= ~(uint32_t)caps;
	c[1] &= ~(uint32_t)caps;
	c[2] = c[5] = 0;
	if (syscall(SYS_capset, header, c) < 0)
		_exit(251);
}

static void lose_chroot(void) { lose(JAIL_CAPS(JAIL_CAP_SYS_CHROOT)); }
static void lose_setpcap(void) { lose(JAIL_CAPS(JAIL_CAP_SETPCAP)); }
static void lose_setgid(void) { lose(JAIL_CAPS(JAIL_CAP_SETGID)); }
static void lose_setuid(void) { lose(JAIL_CAPS(JAIL_CAP_SETUID)); }
static void lose_net_admin(void) { lose(JAIL_CAPS(JAIL_CAP_NET_ADMIN)); }

static void be_nobody(void)
{
	if (setresgid(GID, GID, GID) < 0 || setresuid(UID, UID, UID) < 0)
		_exit(252);
}

static void each_missing_right_is_named(void)
{
	fails(&worker, be_nobody, EPERM, "change the root folder");
	fails(&worker, lose_chroot, EPERM, "change the root folder");
	fails(&worker, lose_setpcap, EPERM, "empty the bounding set of capabilities");
	fails(&worker, lose_setgid, EPERM, "leave all groups");
	fails(&worker, lose_setuid, EPERM, "change the user");
	fails(&keeper, lose_net_admin, EPERM, "reduce the capabilities");
}

static void root_and_no_user_at_all_are_refused(void)
{
	struct jail j = worker;

	j.uid = 0;
	fails(&j, NULL, EINVAL, "look at the settings");
	j.uid = (uid_t)-1;
	fails(&j, NULL, EINVAL, "look at the settings");
	j = worker;
	j.gid = 0;
	fails(&j, NULL, EINVAL, "look at the settings");
	j.gid = (gid_t)-1;
	fails(&j, NULL, EINVAL, "look at the settings");
	j = worker;
	j.keep = JAIL_CAPS(JAIL_CAP_SETUID);
	fails(&j, NULL, EINVAL, "look at the settings");
	j.keep = JAIL_CAPS(JAIL_CAP_SETGID);
	fails(&j, NULL, EINVAL, "look at the settings");
	j = worker;
	j.calls = NULL;
	fails(&j, NULL, EINVAL, "look at the settings");
}

static void map_ids(pid_t pid, const char *name)
{
	int fd = open(file_of(pid, name), O_WRONLY);

	if (fd < 0 || write(fd, "0 0 1", 5) != 5)
		_exit(1);
	close(fd);
}

/* A user namespace of one user and one group; one from outside says so, who may. */
static void be_alone(void)
{
	int ready[2], status;
	pid_t self = getpid(), pid;
	char byte;

	if (pipe(ready) < 0 || (pid = fork()) < 0)
		_exit(254);
	if (pid == 0) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) != 1)
			_exit(1);
		map_ids(self, "uid_map");
		map_ids(self, "gid_map");
		_exit(0);
	}
	if (unshare(CLONE_NEWUSER) < 0 || write(ready[1], "x", 1) != 1 ||
	    waitpid(pid, &status, 0) != pid || status != 0)
		_exit(254);
}

static bool has_user_namespaces(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) < 0);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static void a_user_that_is_unknown_to_the_namespace_is_named(void)
{
	if (!has_user_namespaces())
		exit(77);
	fails(&worker, be_alone, EINVAL, "change the group");
}

static char folder[64];

static const char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void drop_folder(void)
{
	rmdir(in_folder("empty/x"));
	rmdir(in_folder("empty"));
	rmdir(folder);
}

static void a_named_root_is_looked_at_first(void)
{
	struct jail j = worker;
	char path[128];

	snprintf(folder, sizeof(folder), "/tmp/cth-jail-XXXXXX");
	if (!mkdtemp(folder) || atexit(drop_folder) != 0 || mkdir(in_folder("empty"), 0755) < 0)
		no("%s: %s", folder, strerror(errno));
	snprintf(path, sizeof(path), "%s", in_folder("empty"));
	j.root = path;
	fails(&j, NULL, 0, "filter system calls");
	/* CAP_DAC_OVERRIDE writes anywhere: this is found out at the end. */
	j.keep = JAIL_CAPS(1);
	fails(&j, NULL, ENOTRECOVERABLE, "prove that the root folder cannot be written");
	j.keep = 0;
	if (chmod(path, 0775) < 0)
		no("chmod");
	fails(&j, NULL, EACCES, "look at the empty root folder");
	if (chmod(path, 0755) < 0 || chown(path, UID, 0) < 0)
		no("chown");
	fails(&j, NULL, EACCES, "look at the empty root folder");
	if (chown(path, 0, 0) < 0 || mkdir(in_folder("empty/x"), 0755) < 0)
		no("mkdir");
	fails(&j, NULL, ENOTEMPTY, "look at the empty root folder");
	j.root = in_folder("none");
	fails(&j, NULL, ENOENT, "look at the empty root folder");
}

/* A kernel that lacks a call, made of a filter: the call gets this errno. */
static void without_call(uint32_t number, int err)
{
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, RET_ERRNO | (uint32_t)err),
		BPF_STMT(BPF_RET | BPF_K, RET_ALLOW),
	};

	if (seccomp_enter(code, N_OF(code)) < 0)
		_exit(253);
}

/* prctl() with PR_SET_SECCOMP only: the others are needed. */
static void without_seccomp(void)
{
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_seccomp, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, RET_ERRNO | ENOSYS),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_prctl, 0, 3),
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
#else
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 20),
#endif
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, RET_ALLOW),
	};

	if (seccomp_enter(code, N_OF(code)) < 0)
		_exit(253);
}

static void without_seccomp_call(void)
{
	without_call(__NR_seccomp, ENOSYS);
}

static void seccomp_that_is_invalid(void)
{
	without_call(__NR_seccomp, EINVAL);
}

static void a_kernel_without_filters_is_told(void)
{
	struct jail j = without_filter(&worker);

	fails(&worker, without_seccomp, ENOSYS, "filter system calls");
	fails(&worker, seccomp_that_is_invalid, ENOSYS, "filter system calls");
	/* and there it goes without, if that is asked for */
	fails(&j, without_seccomp, 0, "filter system calls");
}

/* Between 3.5 and 3.16 there is no call of this name, and filters there are. */
static void an_older_kernel_filters_too(void)
{
	struct crime c = { "openat", do_openat, true };
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		without_seccomp_call();
		becomes(&worker, &c, 128 + SIGSYS);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		no("status %d", status);
}

/* ---- the guardian ---- */

static void a_guardian_keeps_what_it_needs_and_starts_others(void)
{
	const char *step = "";
	int r = jail_guard(JAIL_GUARDIAN_CAPS, &step);

	if (r < 0)
		no("%s: %s", step, strerror(-r));
	shows(getpid(), "Uid:0000");
	shows_caps(getpid(), "CapPrm", JAIL_GUARDIAN_CAPS);
	shows_caps(getpid(), "CapEff", JAIL_GUARDIAN_CAPS);
	shows_caps(getpid(), "CapInh", 0);
	shows_caps(getpid(), "CapBnd", 0);
	shows_caps(getpid(), "CapAmb", 0);
	shows(getpid(), "NoNewPrivs:1");
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		no("it may be dumped");
	for (int i = 0; i < 3; i++) {
		struct prisoner k = start(&keeper, wait_for_the_end), w = start(&worker, wait_for_the_end);

		shows(k.pid, "CapEff:%016x", 1 << 12);
		shows(w.pid, "CapEff:%016x", 0);
		shows(w.pid, "Seccomp:2");
		if (kill(k.pid, SIGKILL) < 0 || end(&k) != 128 + SIGKILL)
			no("it cannot end the keeper");
		ends_well(&w);
	}
}

static void a_guardian_without_rights_is_told(void)
{
	const char *step = "";
	int r;

	lose_setpcap();
	r = jail_guard(JAIL_GUARDIAN_CAPS, &step);
	if (r != -EPERM || strcmp(step, "empty the bounding set of capabilities") != 0)
		no("%s: %s", step, strerror(-r));
}

/* ---- what the keeper does all day ---- */

static int queue_like, log_file, door, channel, watch;

static void check_that(bool so, int which)
{
	if (!so)
		_exit(which);
}

static void talk_to_the_kernel(void)
{
	uint8_t request[20] = { 20, 0, 0, 0, 22 /* RTM_GETADDR */, 0, 1, 3 }, answer[2][8192];
	struct iovec parts[] = { { request, sizeof(request) } };
	struct iovec rooms[] = { { answer[0], sizeof(answer[0]) }, { answer[1], sizeof(answer[1]) } };
	struct msghdr out = { .msg_iov = parts, .msg_iovlen = 1 };
	struct mmsghdr in[2] = { { .msg_hdr = { .msg_iov = &rooms[0], .msg_iovlen = 1 } },
				 { .msg_hdr = { .msg_iov = &rooms[1], .msg_iovlen = 1 } } };
	struct pollfd f = { queue_like, POLLIN, 0 };
	struct epoll_event e = { .events = EPOLLIN }, ready;
	uint32_t length = 20;
	uint16_t flags = 0x301, type = 22;
	int bytes = 1 << 20;
	socklen_t n = sizeof(bytes);

	memcpy(request, &length, 4);
	memcpy(request + 4, &type, 2);
	memcpy(request + 6, &flags, 2);
	check_that(sendmsg(queue_like, &out, 0) == 20, 11);
	check_that(poll(&f, 1, 5000) == 1, 12);
	check_that(epoll_ctl(watch, EPOLL_CTL_ADD, queue_like, &e) == 0, 18);
	check_that(epoll_wait(watch, &ready, 1, 5000) == 1, 19);
	check_that(recvmmsg(queue_like, in, 2, MSG_DONTWAIT, NULL) >= 1, 13);
	check_that(setsockopt(queue_like, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, n) == 0, 14);
	check_that(getsockopt(queue_like, SOL_SOCKET, SO_RCVBUF, &bytes, &n) == 0, 15);
	check_that(bytes == 2 << 20, 16);
	check_that(fcntl(queue_like, F_SETFL, fcntl(queue_like, F_GETFL) | O_NONBLOCK) == 0, 17);
}

static void take_descriptor(void)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec part = { &byte, 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	int fd;

	check_that(recvmsg(channel, &m, 0) == 1 && CMSG_FIRSTHDR(&m), 21);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	check_that(send(fd, "hello", 5, 0) == 5, 22);
	check_that(close(fd) == 0, 23);
}

static void answer_the_door(void)
{
	int fd = accept4(door, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int room = 1 << 18;
	struct ucred peer;
	socklen_t n = sizeof(peer);
	char text[8];

	check_that(fd >= 0, 31);
	check_that(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && peer.uid == 0, 35);
	check_that(setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) == 0, 36);
	check_that(recv(fd, text, sizeof(text), 0) == 4, 32);
	check_that(send(fd, "status", 6, MSG_NOSIGNAL) == 6, 33);
	check_that(close(fd) == 0, 34);
}

static int ascending(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void keep_a_log(void)
{
	FILE *f = fdopen(log_file, "r+");
	char line[64] = "";

	check_that(f != NULL, 41);
	check_that(fprintf(f, "%s %d %.2f\n", "packet", 7, 1.5) > 0 && fflush(f) == 0, 42);
	rewind(f);
	check_that(fgets(line, sizeof(line), f) && strcmp(line, "packet 7 1.50\n") == 0, 43);
	check_that(pread(log_file, line, 6, 0) == 6, 44);
	check_that(fclose(f) == 0, 45);
}

static void use_memory(void)
{
	void *blocks[300];
	int *numbers = malloc(100000 * sizeof(*numbers));

	for (size_t i = 0; i < N_OF(blocks); i++) {
		blocks[i] = malloc(i * i * 5 + 1);
		check_that(blocks[i] != NULL, 51);
		blocks[i] = realloc(blocks[i], i * i * 10 + 1);
		check_that(blocks[i] != NULL, 52);
	}
	for (size_t i = 0; i < N_OF(blocks); i++)
		free(blocks[i]);
	check_that(numbers != NULL, 53);
	for (int i = 0; i < 100000; i++)
		numbers[i] = (i * 7919) % 100003;
	qsort(numbers, 100000, sizeof(*numbers), ascending);
	check_that(numbers[0] <= numbers[99999], 54);
	free(numbers);
}

static void know_the_time(void)
{
	struct timespec t, moment = { 0, 1000000 };

	check_that(clock_gettime(CLOCK_MONOTONIC, &t) == 0, 61);
	check_that(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0, 62); /* a call in earnest */
	check_that(nanosleep(&moment, NULL) == 0, 63);
	check_that(clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL) == 0, 64);
	check_that(ppoll(NULL, 0, &moment, NULL) == 0, 65);
	check_that(time(NULL) > 0, 66);
}

static void keep(void)
{
	uint32_t seed;

	talk_to_the_kernel();
	take_descriptor();
	answer_the_door();
	keep_a_log();
	use_memory();
	know_the_time();
	check_that(syscall(__NR_getrandom, &seed, sizeof(seed), 0) == sizeof(seed), 71);
	/* What goes to the standard streams, whatever they are. */
	printf("%d\n", 5);
	fflush(stdout);
	fprintf(stderr, "a word\n");
	exit(5);
}

static void send_descriptor(int to, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { (void *)(uintptr_t)"x", 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof(control) };

	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(to, &m, 0) != 1)
		no("sendmsg: %s", strerror(errno));
}

static int knock(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)at, sizeof(*at)) < 0)
		no("connect: %s", strerror(errno));
	if (send(fd, "ask\n", 4, 0) != 4)
		no("send: %s", strerror(errno));
	return fd;
}

static int listen_at(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0 || listen(fd, 5) < 0)
		no("listen: %s", strerror(errno));
	return fd;
}

/* An ordinary day, with stdout to a pipe, a file, and a terminal. */
static void a_day(int output)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int pair[2], handed[2], guest, status;
	const char *step;
	char text[16] = "";
	pid_t pid;

	snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1, "cth-jail-%d-%d", (int)getpid(), output);
	door = listen_at(&at);
	guest = knock(&at);
	queue_like = socket(AF_NETLINK, SOCK_RAW, 0);
	watch = epoll_create1(0);
	log_file = fileno(tmpfile());
	if (queue_like < 0 || log_file < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, handed) < 0)
		no("sockets: %s", strerror(errno));
	channel = pair[0];
	send_descriptor(pair[1], handed[0]);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		put_at(output, 1);
		check_that(jail_enter(&keeper, &step) == 0, 10);
		keep();
	}
	if (waitpid(pid, &status, 0) != pid)
		no("waitpid: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 5)
		no("it ended with %s %d", WIFSIGNALED(status) ? "signal" : "code",
		   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (recv(handed[1], text, sizeof(text), MSG_DONTWAIT) != 5 || memcmp(text, "hello", 5) != 0)
		no("nothing came over the descriptor that it was given");
	if (recv(guest, text, sizeof(text), MSG_DONTWAIT) != 6 || memcmp(text, "status", 6) != 0)
		no("nothing came from the door");
	close(door);
	close(guest);
	for (int i = 0; i < 2; i++) {
		close(pair[i]);
		close(handed[i]);
	}
}

static void the_keeper_can_do_its_work(void)
{
	int p[2], terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY);

	if (pipe(p) < 0)
		no("pipe: %s", strerror(errno));
	a_day(p[1]);
	a_day(fileno(tmpfile()));
	a_day(open("/dev/null", O_WRONLY));
	if (terminal >= 0)
		a_day(terminal);
}

/* ---- descriptors ---- */

static void close_range_is_not_there(void)
{
	without_call(436, ENOSYS);
}

static void close_range_is_forbidden(void)
{
	without_call(436, EPERM);
}

/* Neither is /proc. */
static void nothing_is_there(void)
{
	close_range_is_not_there();
	if (chdir("/dev") < 0 || chroot(".") < 0)
		_exit(254);
}

/* A child that opens many, and closes all but two: which are open then? */
static void closes(void (*prepare)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		const int kept[] = { 1000, -1, 17, 2 }, absent[] = { 17, 18 };
		struct rlimit many = { 1200, 1200 };

		check_that(setrlimit(RLIMIT_NOFILE, &many) == 0, 5);
		for (int fd = 3; fd < 300; fd++)
			put_at(0, fd);
		put_at(0, 1000);
		put_at(0, 1100);
		if (prepare)
			prepare();
		check_that(jail_close_all_but(kept, N_OF(kept)) == 0, 1);
		for (int fd = 0; fd < 1200; fd++)
			check_that((fcntl(fd, F_GETFD) >= 0) == (fd == 1000 || fd == 17 || fd == 2), 2);
		check_that(jail_close_all_but(absent, N_OF(absent)) == -EBADF, 3);
		check_that(jail_close_all_but(NULL, 0) == 0 && fcntl(17, F_GETFD) < 0, 4);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		no("status %#x", (unsigned)status);
}

static void all_other_descriptors_are_closed(void)
{
	closes(NULL);
}

static void also_where_the_kernel_is_old(void)
{
	closes(close_range_is_not_there);
	closes(close_range_is_forbidden);
}

static void also_without_proc(void)
{
	closes(nothing_is_there);
}

/* ---- */

static int enter(const char *kind)
{
	struct jail j = strcmp(kind, "keeper") == 0 ? keeper : worker;
	const char *step;
	int r;

	if (strcmp(kind, "user") == 0)
		j.uid = 0;
	else if (strncmp(kind, "/", 1) == 0)
		j.root = kind;
	else if (strcmp(kind, "old") == 0)
		without_seccomp();
	r = jail_enter(&j, &step);
	return r < 0 ? jail_failed(r, step) : 0;
}

#define CASE(name) { #name, name }
static const struct {
	const char *name;
	life *run;
} cases[] = {
	CASE(the_worker_has_nothing),
	CASE(the_keeper_has_net_admin_alone),
	CASE(nothing_is_inherited),
	CASE(the_worker_reads_and_writes),
	CASE(the_worker_may_leave_as_libc_does),
	CASE(the_worker_comes_back_from_signals),
	CASE(no_folder_is_left_behind),
	CASE(every_other_call_ends_the_worker),
	CASE(every_other_call_ends_the_keeper),
	CASE(every_other_call_is_refused_where_that_is_asked_for),
#ifdef __x86_64__
	CASE(calls_of_another_kind_end_it_always),
#endif
	CASE(a_log_is_no_hindrance),
	CASE(the_old_root_is_out_of_sight),
	CASE(nobody_can_put_anything_into_its_root),
	CASE(there_is_no_way_back),
	CASE(limits_hold_without_a_filter),
	CASE(its_own_user_cannot_look_into_it),
	CASE(each_missing_right_is_named),
	CASE(root_and_no_user_at_all_are_refused),
	CASE(a_user_that_is_unknown_to_the_namespace_is_named),
	CASE(a_named_root_is_looked_at_first),
	CASE(a_kernel_without_filters_is_told),
	CASE(an_older_kernel_filters_too),
	CASE(a_guardian_keeps_what_it_needs_and_starts_others),
	CASE(a_guardian_without_rights_is_told),
	CASE(the_keeper_can_do_its_work),
	CASE(all_other_descriptors_are_closed),
	CASE(also_where_the_kernel_is_old),
	CASE(also_without_proc),
};

int main(int argc, char **argv)
{
	const char *wanted = argc == 2 ? argv[1] : "";

	if (argc == 3 && strcmp(argv[1], "--enter") == 0)
		return enter(argv[2]);
	for (size_t i = 0; i < N_OF(cases); i++) {
		if (strcmp(wanted, "--list") == 0) {
			puts(cases[i].name);
		} else if (strcmp(wanted, cases[i].name) == 0) {
			cases[i].run();
			return 0;
		}
	}
	if (strcmp(wanted, "--list") == 0)
		return 0;
	fprintf(stderr, "usage: jail --list | --enter KIND | CASE\n");
	return 2;
}
