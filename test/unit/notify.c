/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of tools/notify.c: what comes out of the other end of its socket, and back from
 * there.
 */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <inttypes.h>
#include <unistd.h>
#include "../../tools/notify.h"
#include "unit.h"

static char folder[] = "/tmp/cth-notify-XXXXXX", path[64];
static struct notify n;
static int manager = -1; /* who wants to be told */
static int passed = -1;  /* the descriptor that came with the last message */

static void environment_is_clean(void)
{
	static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
					     "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES" };

	for (size_t i = 0; i < N_OF(names); i++)
		assert_null(getenv(names[i]));
}

/* A manager at an address of n bytes, '@' as in NOTIFY_SOCKET. */
static void manage(const char *address)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t length = strlen(address);

	alarm(60); /* what waits for ever ends the test */
	memcpy(a.sun_path, address, length);
	if (address[0] == '@')
		a.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_true(manager >= 0);
	unlink(path);
	assert_int_equal(bind(manager, (struct sockaddr *)&a,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)), 0);
	setenv("NOTIFY_SOCKET", address, 1);
}

static void begin(void)
{
	manage(path);
	assert_int_equal(notify_begin(&n), 0);
	environment_is_clean();
}

static void end(void)
{
	alarm(0);
	if (n.fd >= 0)
		close(n.fd);
	if (manager >= 0)
		close(manager);
	n.fd = manager = -1;
	unlink(path);
}

static char message[8192];
static const char *told(void)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec part = { message, sizeof(message) - 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	ssize_t got = recvmsg(manager, &m, MSG_DONTWAIT);
	struct cmsghdr *c = got < 0 ? NULL : CMSG_FIRSTHDR(&m);

	message[got < 0 ? 0 : got] = '\0';
	passed = -1;
	if (c && c->cmsg_type == SCM_RIGHTS) {
		assert_int_equal(c->cmsg_len, CMSG_LEN(sizeof(int)));
		memcpy(&passed, CMSG_DATA(c), sizeof(passed));
	}
	return message;
}

/* Messages. */

static void nobody_wants_to_be_told(void **state)
{
	const char *name;

	(void)state;
	assert_int_equal(notify_begin(&n), 0);
	assert_int_equal(n.fd, -1);
	notify_ready(&n, "x");
	notify_stopping(&n);
	notify_store(&n, "x", 0);
	assert_int_equal(notify_alive(&n, 1000, true), -1);
	assert_int_equal(notify_stored(&n, &name), -1);
	assert_int_equal(n.lost, 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify_begin(&n), 0);
	assert_int_equal(n.fd, -1);
	environment_is_clean();
}

static void say_everything(void)
{
	char should[256];
	struct timespec before, after;
	uint64_t us, at[2];

	notify_ready(&n, "serving ftp on queue 0");
	snprintf(should, sizeof(should), "READY=1\nMAINPID=%ld\nSTATUS=serving ftp on queue 0",
		 (long)getpid());
	assert_string_equal(told(), should);
	notify_status(&n, "one\ntwo");
	assert_string_equal(told(), "STATUS=one two");
	clock_gettime(CLOCK_MONOTONIC, &before);
	notify_reloading(&n, "reading it");
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_int_equal(sscanf(told(), "RELOADING=1\nMONOTONIC_USEC=%" SCNu64, &us), 1);
	at[0] = (uint64_t)before.tv_sec * 1000000u + (uint64_t)before.tv_nsec / 1000u;
	at[1] = (uint64_t)after.tv_sec * 1000000u + (uint64_t)after.tv_nsec / 1000u;
	assert_true(us >= at[0] && us <= at[1]);
	assert_non_null(strstr(message, "\nSTATUS=reading it"));
	notify_stopping(&n);
	assert_string_equal(told(), "STOPPING=1\nSTATUS=leaving in good order");
	notify_forget(&n, "queue");
	assert_string_equal(told(), "FDSTOREREMOVE=1\nFDNAME=queue");
	assert_string_equal(told(), "");
	assert_int_equal(n.lost, 0);
}

static void all_that_there_is_to_tell(void **state)
{
	(void)state;
	begin();
	assert_true(fcntl(n.fd, F_GETFD) & FD_CLOEXEC);
	say_everything();
	end();
}

static void at_an_abstract_address_too(void **state)
{
	char address[64];

	(void)state;
	snprintf(address, sizeof(address), "@cth-notify-%ld", (long)getpid());
	manage(address);
	assert_int_equal(notify_begin(&n), 0);
	environment_is_clean();
	say_everything();
	end();
}

static void a_manager_that_was_started_again_is_told_too(void **state)
{
	(void)state;
	begin();
	close(manager);
	notify_status(&n, "to nobody");
	assert_int_equal(n.lost, 1);
	manage(path);
	unsetenv("NOTIFY_SOCKET");
	notify_status(&n, "to somebody");
	assert_string_equal(told(), "STATUS=to somebody");
	end();
}

static void a_long_status_is_cut(void **state)
{
	static char status[5000];

	(void)state;
	begin();
	memset(status, 'x', sizeof(status) - 1);
	notify_status(&n, status);
	assert_in_range(strlen(told()), 512, 1024);
	assert_int_equal(strspn(message + 7, "x"), strlen(message) - 7);
	notify_ready(&n, status);
	assert_int_equal(strncmp(told(), "READY=1\nMAINPID=", 16), 0);
	end();
}

static void a_manager_that_does_not_read_stops_nobody(void **state)
{
	unsigned sent = 0, read = 0;

	(void)state;
	begin();
	while (n.lost == 0 && sent < 1000000) {
		notify_status(&n, "x");
		sent++;
	}
	assert_int_equal(n.lost, 1);
	while (told()[0])
		read++;
	assert_int_equal(read, sent - 1);
	end();
}

static void addresses_that_are_none(void **state)
{
	static const struct {
		const char *address;
		int error;
	} bad[] = {
		{ "relative", -EAFNOSUPPORT }, { "vsock:2:1234", -EAFNOSUPPORT },
		{ "@", -EINVAL }, { "/", -EINVAL },
		{ "/12345678901234567890123456789012345678901234567890"
		  "1234567890123456789012345678901234567890123456789012345678", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		setenv("NOTIFY_SOCKET", bad[i].address, 1);
		assert_int_equal(notify_begin(&n), bad[i].error);
		assert_int_equal(n.fd, -1);
		notify_status(&n, "x");
		environment_is_clean();
	}
}

/* The watchdog. */

static void watch(const char *us, long pid)
{
	char text[32];

	manage(path);
	setenv("WATCHDOG_USEC", us, 1);
	snprintf(text, sizeof(text), "%ld", pid);
	if (pid)
		setenv("WATCHDOG_PID", text, 1);
	assert_int_equal(notify_begin(&n), 0);
	environment_is_clean();
}

static void signs_of_life_come_at_half_of_the_time(void **state)
{
	(void)state;
	watch("3000000", getpid());
	assert_int_equal(notify_alive(&n, 5000, true), 1500);
	assert_string_equal(told(), "WATCHDOG=1");
	assert_int_equal(notify_alive(&n, 5100, true), 1400);
	assert_int_equal(notify_alive(&n, 6499, true), 1);
	assert_string_equal(told(), "");
	assert_int_equal(notify_alive(&n, 6500, true), 1500);
	assert_string_equal(told(), "WATCHDOG=1");
	assert_string_equal(told(), "");
	end();
}

static void who_is_not_well_gives_none(void **state)
{
	(void)state;
	watch("2000", 0);
	assert_int_equal(notify_alive(&n, 10, true), 1);
	assert_string_equal(told(), "WATCHDOG=1");
	assert_true(notify_alive(&n, 11, false) > 0);
	assert_true(notify_alive(&n, 100, false) > 0);
	assert_string_equal(told(), "");
	assert_int_equal(notify_alive(&n, 101, true), 1); /* at once, when it is well again */
	assert_string_equal(told(), "WATCHDOG=1");
	end();
}

static void none_are_wanted(void **state)
{
	static const char *const values[] = { "0", "", "x", "-1", "99999999999999999999" };

	(void)state;
	watch("3000000", 1); /* of our parent */
	assert_int_equal(notify_alive(&n, 5000, true), -1);
	end();
	for (size_t i = 0; i < N_OF(values); i++) {
		watch(values[i], getpid());
		assert_int_equal(notify_alive(&n, 5000, true), -1);
		end();
	}
	assert_string_equal(told(), "");
}

/* Descriptors. */

static bool is_same(int a, int b)
{
	struct stat s[2];

	return fstat(a, &s[0]) == 0 && fstat(b, &s[1]) == 0 && s[0].st_ino == s[1].st_ino &&
	       s[0].st_dev == s[1].st_dev;
}

static void a_descriptor_is_stored_under_its_name(void **state)
{
	int ends[2];

	(void)state;
	begin();
	assert_int_equal(pipe(ends), 0);
	notify_store(&n, "queue", ends[1]);
	assert_string_equal(told(), "FDSTORE=1\nFDNAME=queue\nFDPOLL=0");
	assert_true(passed >= 0 && passed != ends[1]);
	assert_true(is_same(passed, ends[1]));
	close(passed);
	notify_store(&n, "queue:a b\n/x", ends[1]);
	assert_string_equal(told(), "FDSTORE=1\nFDNAME=queue_a_b_/x\nFDPOLL=0");
	close(passed);
	close(ends[0]);
	close(ends[1]);
	end();
}

static int pipes[4];

/*
 * A new start, as the manager makes it: its descriptors from 3 on. 0, or the line of what is
 * wrong.
 */
static int started_anew(const char *names, const char *count, bool for_us)
{
	int fds[4] = { -1, -1, -1, -1 };
	const char *name[4];
	char pid[32];

	for (int i = 0; i < 3; i++)
		if (fcntl(pipes[i], F_DUPFD, 20 + 10 * i) != 20 + 10 * i)
			return __LINE__;
	for (int i = 0; i < 3; i++)
		dup2(20 + 10 * i, 3 + i);
	snprintf(pid, sizeof(pid), "%ld", for_us ? (long)getpid() : 1L);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", count, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
	if (notify_begin(&n) != 0 || getenv("LISTEN_PID") || getenv("LISTEN_FDS") ||
	    getenv("LISTEN_FDNAMES"))
		return __LINE__;
	for (int i = 0; i < 4; i++)
		fds[i] = notify_stored(&n, &name[i]);
	if (!for_us || strcmp(count, "3") != 0)
		return fds[0] == -1 ? 0 : __LINE__;
	for (int i = 0; i < 3; i++)
		if (fds[i] != 3 + i || !is_same(fds[i], 20 + 10 * i) ||
		    !(fcntl(fds[i], F_GETFD) & FD_CLOEXEC))
			return __LINE__;
	if (fds[3] != -1)
		return __LINE__;
	if (!names)
		return name[0][0] || name[2][0] ? __LINE__ : 0;
	return strcmp(name[0], "queue") || strcmp(name[1], "dmz") || name[2][0] ? __LINE__ : 0;
}

static void start_anew(const char *names, const char *count, bool for_us)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(started_anew(names, count, for_us) & 0xff);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status))
		fail_msg("line %d, or 256 more", WEXITSTATUS(status));
}

static void a_new_start_gets_them_back(void **state)
{
	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(pipe(pipes + 2), 0);
	start_anew("queue:dmz", "3", true);
	start_anew("queue:dmz:", "3", true);
	start_anew(NULL, "3", true);
	start_anew("queue:dmz", "3", false);
	start_anew("queue:dmz", "0", true);
	start_anew("queue:dmz", "-3", true);
	start_anew("queue:dmz", "1000", true);
	for (int i = 0; i < 4; i++)
		close(pipes[i]);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/notify", folder);
	n.fd = -1;
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_wants_to_be_told),
		cmocka_unit_test(all_that_there_is_to_tell),
		cmocka_unit_test(at_an_abstract_address_too),
		cmocka_unit_test(a_manager_that_was_started_again_is_told_too),
		cmocka_unit_test(a_long_status_is_cut),
		cmocka_unit_test(a_manager_that_does_not_read_stops_nobody),
		cmocka_unit_test(addresses_that_are_none),
		cmocka_unit_test(signs_of_life_come_at_half_of_the_time),
		cmocka_unit_test(who_is_not_well_gives_none),
		cmocka_unit_test(none_are_wanted),
		cmocka_unit_test(a_descriptor_is_stored_under_its_name),
		cmocka_unit_test(a_new_start_gets_them_back),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, make_folder, remove_folder);
}
