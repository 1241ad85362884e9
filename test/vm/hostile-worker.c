/* SPDX-License-Identifier: MIT */
/*
 * hostile-worker.c - takes the place of tools/worker.c in a test build of cth, for test/vm/roles:
 * a worker that a packet has taken over. It does as that one does, until a packet says
 *
 *     SITE HOSTILE word
 *
 * and then what the table says of the word. A call that its filter should not let through, and
 * that comes back, ends in a decision to drop the packet, which cannot be overlooked.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <netinet/in.h>
#include <unistd.h>
#include "../../tools/roles.h"

#define MAGIC "SITE HOSTILE "
#define FLOOD 100

static const struct channel *channel;
static uint32_t id;
static const struct cth_view *view;

static void say(const void *bytes, size_t n)
{
	if (write(channel->out, bytes, n) < 0)
		_exit(1);
}

static void say_decision(uint32_t answered, const struct cth_decision *d)
{
	struct channel_answer a;

	memset(&a, 0, sizeof(a));
	a.id = answered;
	a.decision = *d;
	say(&a, sizeof(a));
}

static struct cth_decision drop(void)
{
	struct cth_decision d;

	memset(&d, 0, sizeof(d));
	d.drop = 1;
	return d;
}

static void say_drop(uint32_t answered)
{
	struct cth_decision d = drop();

	say_decision(answered, &d);
}

/* ---- what kills it ---- */

static void do_crash(void)
{
	__builtin_trap();
}

static void do_spin(void)
{
	for (volatile unsigned i = 0;; i++)
		;
}

static void do_open(void)
{
	if (syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY) != 12345)
		say_drop(id);
}

static void do_socket(void)
{
	if (syscall(SYS_socket, AF_INET, SOCK_STREAM, 0) != 12345)
		say_drop(id);
}

static void do_ptrace(void)
{
	if (syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0) != 12345)
		say_drop(id);
}

static void do_exec(void)
{
	char *const none[] = { NULL };

	if (syscall(SYS_execve, "/proc/self/exe", none, none) != 12345)
		say_drop(id);
}

static void do_fork(void)
{
	if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) != 12345)
		say_drop(id);
}

static void do_kill(void)
{
	if (syscall(SYS_kill, -1, SIGKILL) != 12345)
		say_drop(id);
}

static void do_code(void)
{
	if (syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != 12345)
		say_drop(id);
}

static void do_setuid(void)
{
	if (syscall(SYS_setuid, 0) != 12345)
		say_drop(id);
}

/* ---- answers that are none ---- */

static void do_forge(void)
{
	say_drop(id + 1);
}

static void do_short(void)
{
	struct channel_answer a = { .id = id, .decision = drop() };

	say(&a, sizeof(a) - 1);
}

static void do_long(void)
{
	struct { struct channel_answer a; char more[8]; } a;

	memset(&a, 0, sizeof(a));
	a.a.id = id;
	a.a.decision = drop();
	say(&a, sizeof(a));
}

/* One answer, and what the next question must not be answered with. */
static void do_flood(void)
{
	struct cth_decision d;

	cth_decide(&cth_proto_ftp, view, &d);
	say_decision(id, &d);
	for (unsigned i = 0; i < FLOOD; i++)
		say_drop(id);
}

/* ---- decisions that may not be ---- */

/* As FTP would want it, but for what comes next. */
static struct cth_wanted *want(struct cth_decision *d, uint16_t port)
{
	struct cth_wanted *w;

	memset(d, 0, sizeof(*d));
	w = cth_want(view, d);
	w->l4 = IPPROTO_TCP;
	w->dest = CTH_TO_OWN;
	w->port = port;
	return w;
}

static void do_third(void)
{
	struct cth_decision d;
	struct cth_wanted *w = want(&d, 6001);

	w->dest = CTH_TO_OTHER;
	w->address = view->self;
	w->address.b[3] = 99;
	say_decision(id, &d);
}

static void do_low(void)
{
	struct cth_decision d;

	want(&d, 22);
	say_decision(id, &d);
}

static void do_any(void)
{
	struct cth_decision d;

	want(&d, 6002)->source = CTH_FROM_ANY | CTH_FROM_PEER;
	say_decision(id, &d);
}

static void do_udp(void)
{
	struct cth_decision d;

	want(&d, 6003)->l4 = IPPROTO_UDP;
	say_decision(id, &d);
}

static void do_class(void)
{
	struct cth_decision d;

	want(&d, 6004)->class_number = 3;
	say_decision(id, &d);
}

static void do_many(void)
{
	struct cth_decision d;

	want(&d, 6005);
	d.wanted_n = 200;
	say_decision(id, &d);
}

static void do_edit(void)
{
	struct cth_decision d;

	want(&d, 6006);
	d.announced_n = 1;
	d.announced[0].off = (uint32_t)view->body.n - 1;
	d.announced[0].len = 0xfffffff0u;
	d.announced[0].form = CTH_FORM_PORT;
	say_decision(id, &d);
}

static void do_ones(void)
{
	struct channel_answer a;

	memset(&a, 0xff, sizeof(a));
	a.id = id;
	a.decision.drop = 0;
	say(&a, sizeof(a));
}

static const struct {
	const char *word;
	void (*act)(void);
} acts[] = {
	{ "crash", do_crash }, { "spin", do_spin }, { "open", do_open }, { "socket", do_socket },
	{ "ptrace", do_ptrace }, { "exec", do_exec }, { "fork", do_fork }, { "kill", do_kill },
	{ "code", do_code }, { "setuid", do_setuid },
	{ "forge", do_forge }, { "short", do_short }, { "long", do_long }, { "flood", do_flood },
	{ "third", do_third }, { "low", do_low }, { "any", do_any }, { "udp", do_udp },
	{ "class", do_class }, { "many", do_many }, { "edit", do_edit }, { "ones", do_ones },
};

static bool body_is(const char *word)
{
	const size_t magic = sizeof(MAGIC) - 1, n = strlen(word);

	return view->body.n >= magic + n && memcmp(view->body.p, MAGIC, magic) == 0 &&
	       memcmp(view->body.p + magic, word, n) == 0;
}

static void answer(void)
{
	struct cth_decision d;

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (body_is(acts[i].word)) {
			acts[i].act();
			return;
		}
	cth_decide(&cth_proto_ftp, view, &d);
	say_decision(id, &d);
}

void worker_run(const struct channel *end)
{
	static struct channel_room room;

	channel = end;
	view = &room.question.view;
	if (channel_greet(end) < 0)
		_exit(1);
	while (channel_next(channel, &room) > 0) {
		id = room.question.id;
		answer();
	}
	_exit(0);
}
