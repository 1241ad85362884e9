/* SPDX-License-Identifier: MIT */
/* Unit tests of tools/pair.c: what guardian and keeper say to each other, and hand over. */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../../tools/roles.h" /* before cmocka, which has a macro of the name of a function */
#include "unit.h"

static int ends[2];
static const int streams[] = { 0, 1, 2 };

static int begin(void **state)
{
	(void)state;
	return pair_open(ends);
}

static int end(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* All below are in use: what is left open by mistake comes to stand here. */
static int lowest_free(void)
{
	int fd = dup(0);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static bool is_same_file(int a, int b)
{
	struct stat s, t;

	assert_int_equal(fstat(a, &s), 0);
	assert_int_equal(fstat(b, &t), 0);
	return s.st_dev == t.st_dev && s.st_ino == t.st_ino;
}

static rlim_t may_have(rlim_t files)
{
	struct rlimit l;
	rlim_t before;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
	before = l.rlim_cur;
	l.rlim_cur = files;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
	return before;
}

static void words_come_one_by_one(void **state)
{
	struct pair_heard h;

	(void)state;
	assert_int_equal(pair_hear(ends[1], &h), -EAGAIN);
	assert_int_equal(pair_say(ends[0], ROLE_READY, NULL, 0), 0);
	assert_int_equal(pair_say(ends[0], ROLE_ALIVE, NULL, 0), 0);
	assert_int_equal(pair_hear(ends[1], &h), 1);
	assert_int_equal(h.word, ROLE_READY);
	assert_int_equal(h.n, 0);
	assert_int_equal(pair_hear(ends[1], &h), 1);
	assert_int_equal(h.word, ROLE_ALIVE);
	assert_int_equal(pair_hear(ends[1], &h), -EAGAIN);
}

static void descriptors_come_with_their_word_and_close_on_exec(void **state)
{
	int questions[2], answers[2], lowest = lowest_free();
	struct pair_heard h;

	(void)state;
	assert_int_equal(pipe(questions), 0);
	assert_int_equal(pipe(answers), 0);
	assert_int_equal(pair_say(ends[0], ROLE_WORKER, (const int[]){ questions[0], answers[1] }, 2), 0);
	assert_int_equal(pair_say(ends[0], ROLE_KEEP, &answers[0], 1), 0);
	assert_int_equal(pair_hear(ends[1], &h), 1);
	assert_int_equal(h.word, ROLE_WORKER);
	assert_int_equal(h.n, 2);
	assert_true(is_same_file(h.fds[0], questions[0]) && is_same_file(h.fds[1], answers[1]));
	assert_true(fcntl(h.fds[0], F_GETFD) & FD_CLOEXEC && fcntl(h.fds[1], F_GETFD) & FD_CLOEXEC);
	pair_drop(&h);
	assert_int_equal(pair_hear(ends[1], &h), 1);
	assert_int_equal(h.n, 1);
	assert_true(is_same_file(h.fds[0], answers[0]));
	pair_drop(&h);
	for (int i = 0; i < 2; i++) {
		close(questions[i]);
		close(answers[i]);
	}
	assert_int_equal(lowest_free(), lowest);
}

static void who_has_gone_is_told_from_who_says_nothing(void **state)
{
	struct pair_heard h;

	(void)state;
	close(ends[0]);
	assert_int_equal(pair_hear(ends[1], &h), 0);
	assert_int_equal(pair_say(ends[1], ROLE_ALIVE, NULL, 0), -EPIPE);
	assert_int_equal(pair_say(ends[1], ROLE_WORKER, streams, 2), -EPIPE);
	assert_int_equal(begin(NULL), 0);
}

static void who_does_not_read_is_not_waited_for(void **state)
{
	int r = 0;

	(void)state;
	for (int i = 0; i < 100000 && r == 0; i++)
		r = pair_say(ends[0], ROLE_COUNT, NULL, 0);
	assert_int_equal(r, -EAGAIN);
	assert_int_equal(pair_say(ends[0], ROLE_WORKER, streams, 2), -EAGAIN);
}

static void of_two_descriptors_for_which_there_is_room_for_one_none_stays_open(void **state)
{
	int lowest = lowest_free();
	struct pair_heard h;
	rlim_t before;

	(void)state;
	for (rlim_t room = 0; room < 2; room++) {
		assert_int_equal(pair_say(ends[0], ROLE_WORKER, streams, 2), 0);
		before = may_have((rlim_t)lowest + room);
		assert_int_equal(pair_hear(ends[1], &h), 1);
		may_have(before);
		assert_int_equal(h.word, ROLE_WORKER);
		assert_int_equal(h.n, 0);
		assert_int_equal(lowest_free(), lowest);
	}
	assert_int_equal(pair_say(ends[0], ROLE_WORKER, streams, 2), 0);
	assert_int_equal(pair_hear(ends[1], &h), 1);
	assert_int_equal(h.n, 2);
	pair_drop(&h);
}

/* As only somebody else could send them. */
static void of_more_descriptors_than_there_can_be_none_stays_open(void **state)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(streams))];
	} control = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(sizeof(streams)) } };
	char word = ROLE_WORKER;
	struct iovec part = { &word, 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	int lowest = lowest_free();
	struct pair_heard h;

	(void)state;
	memcpy(CMSG_DATA(&control.header), streams, sizeof(streams));
	assert_int_equal(sendmsg(ends[0], &m, 0), 1);
	assert_int_equal(pair_hear(ends[1], &h), 1);
	assert_true(h.n <= PAIR_FDS);
	pair_drop(&h);
	assert_int_equal(lowest_free(), lowest);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(words_come_one_by_one),
		T(descriptors_come_with_their_word_and_close_on_exec),
		T(who_has_gone_is_told_from_who_says_nothing),
		T(who_does_not_read_is_not_waited_for),
		T(of_two_descriptors_for_which_there_is_room_for_one_none_stays_open),
		T(of_more_descriptors_than_there_can_be_none_stays_open),
	};

	return RUN(tests);
}
