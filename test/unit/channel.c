/* SPDX-License-Identifier: MIT */
/* Unit tests of tools/channel.c and tools/worker.c, over real pipes. */
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../../tools/roles.h" /* before cmocka, which has a macro of the name of a function */
#include "unit.h"

#define PATIENCE 60000 /* ms: a deadline that is not meant to pass */
#define SHORT    50    /* ms: one that is */

static struct channel keeper, worker;

static void begin(void)
{
	assert_int_equal(channel_pair(&keeper, &worker), 0);
}

static void end(void)
{
	channel_close(&keeper);
	channel_close(&worker);
}

static struct cth_view view_of(const void *body, size_t n)
{
	struct cth_view v;

	memset(&v, 0, sizeof(v));
	v.l4 = 6;
	v.seq = 4711;
	v.body = cth_span(body, n);
	return v;
}

/* The bytes of an answer, with something in it to know it by. */
static struct channel_answer answer_to(uint32_t id)
{
	struct channel_answer a;

	memset(&a, 0, sizeof(a));
	a.id = id;
	a.decision.timeout = 77;
	return a;
}

static void say(const void *bytes, size_t n)
{
	assert_int_equal(write(worker.out, bytes, n), (ssize_t)n);
}

static void put(const void *bytes, size_t n)
{
	assert_int_equal(write(keeper.out, bytes, n), (ssize_t)n);
}

static int waiting(int fd)
{
	int n = -1;

	assert_int_equal(ioctl(fd, FIONREAD, &n), 0);
	return n;
}

static int ask_for(uint32_t id, int timeout_ms, struct cth_decision *d)
{
	struct cth_view v = view_of("PASV\r\n", 6);

	memset(d, 0xee, sizeof(*d));
	return channel_ask(&keeper, id, 0, &v, timeout_ms, d);
}

static int ask(uint32_t id, struct cth_decision *d)
{
	return ask_for(id, PATIENCE, d);
}

/* A question is refused so, and the decision is as it was. */
static void assert_no_answer(uint32_t id, int error)
{
	struct cth_decision d, was;

	memset(&was, 0xee, sizeof(was));
	assert_int_equal(ask_for(id, error == -ETIMEDOUT ? SHORT : PATIENCE, &d), error);
	assert_memory_equal(&d, &was, sizeof(d));
}

/* ---- tests ---- */

static void a_question_arrives_as_it_was_asked_and_its_answer_as_it_was_given(void **unused)
{
	static struct channel_room room;
	struct channel_answer a = answer_to(9);
	struct cth_decision d;

	begin();
	say(&a, sizeof(a)); /* so that one process will do */
	assert_int_equal(ask(9, &d), 0);
	assert_memory_equal(&d, &a.decision, sizeof(d));
	assert_int_equal(channel_next(&worker, &room), 1);
	assert_int_equal(room.question.id, 9);
	assert_int_equal(room.question.proto, 0);
	assert_int_equal(room.question.view.seq, 4711);
	assert_bytes(room.question.view.body, "PASV\r\n", 6);
	end();
	(void)unused;
}

static void no_address_of_the_keepers_goes_out(void **unused)
{
	static uint8_t record[4096];
	struct channel_answer a = answer_to(1);
	struct channel_question q;
	struct cth_decision d;

	begin();
	say(&a, sizeof(a));
	assert_int_equal(ask(1, &d), 0);
	assert_int_equal(read(worker.in, record, sizeof(record)), sizeof(q) + 6);
	memcpy(&q, record, sizeof(q));
	assert_null(q.view.body.p);
	assert_memory_equal(record + sizeof(q), "PASV\r\n", 6);
	end();
	(void)unused;
}

static void the_largest_body_gets_through(void **unused)
{
	static struct channel_room room;
	static uint8_t body[CTH_PACKET_MAX];
	struct channel_answer a = answer_to(2);
	struct cth_view v = view_of(body, sizeof(body));
	struct cth_decision d;

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 7 + (i >> 8));
	begin();
	say(&a, sizeof(a));
	assert_int_equal(channel_ask(&keeper, 2, 0, &v, PATIENCE, &d), 0);
	assert_int_equal(channel_next(&worker, &room), 1);
	assert_bytes(room.question.view.body, body, sizeof(body));
	end();
	(void)unused;
}

static void who_has_gone_before_the_question_is_no_victim_of_it(void **unused)
{
	begin();
	channel_close(&worker);
	assert_no_answer(1, -EPIPE);
	end();
	(void)unused;
}

/* The worker is a process that takes the question and ends; what SIGKILL does, too. */
static void who_ends_after_the_question_is_told_from_that(void **unused)
{
	for (int killed = 0; killed < 2; killed++) {
		pid_t id;

		begin();
		id = fork();
		assert_true(id >= 0);
		if (id == 0) {
			static struct channel_room room;

			channel_close(&keeper);
			if (channel_next(&worker, &room) == 1 && killed)
				raise(SIGKILL);
			_exit(0);
		}
		channel_close(&worker);
		assert_no_answer(1, -ECONNRESET);
		assert_int_equal(waitpid(id, NULL, 0), id);
		end();
	}
	(void)unused;
}

static void who_dies_without_having_read_the_question_too(void **unused)
{
	pid_t id;

	begin();
	id = fork();
	assert_true(id >= 0);
	if (id == 0) {
		channel_close(&keeper);
		while (waiting(worker.in) == 0)
			;
		_exit(0);
	}
	channel_close(&worker);
	assert_no_answer(1, -ECONNRESET);
	assert_int_equal(waitpid(id, NULL, 0), id);
	end();
	(void)unused;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void silence_ends_at_the_deadline(void **unused)
{
	int64_t from;

	begin();
	from = now();
	assert_no_answer(1, -ETIMEDOUT);
	assert_true(now() - from >= SHORT - 10);
	end();
	(void)unused;
}

static void answered_within(int timeout_ms)
{
	struct channel_answer a = answer_to(1);
	struct cth_decision d;

	say(&a, sizeof(a));
	assert_int_equal(ask_for(1, timeout_ms, &d), 0);
}

/* One timer is for all of them, and each has a deadline of its own. */
static void a_deadline_is_not_that_of_the_question_before(void **unused)
{
	struct cth_decision d;
	int64_t from;

	begin();
	answered_within(SHORT);
	from = now();
	assert_int_equal(ask_for(2, 4 * SHORT, &d), -ETIMEDOUT);
	assert_true(now() - from >= 4 * SHORT - 10);
	end();
	begin();
	answered_within(PATIENCE);
	from = now();
	assert_no_answer(2, -ETIMEDOUT);
	assert_true(now() - from < PATIENCE / 2);
	end();
	begin(); /* its time is up before it is asked */
	assert_int_equal(ask_for(3, 0, &d), -ETIMEDOUT);
	end();
	(void)unused;
}

/* It counts or not; if it does, the next question has all the time that it is given. */
static void an_answer_just_at_the_deadline_spoils_no_later_one(void **unused)
{
	struct channel_answer a = answer_to(1);
	struct cth_decision d;

	for (unsigned i = 0; i < 60; i++) {
		pid_t id;
		int r;

		begin();
		id = fork();
		assert_true(id >= 0);
		if (id == 0) {
			usleep(4500 + 20 * i);
			_exit(write(worker.out, &a, sizeof(a)) != sizeof(a) || usleep(5000) ||
			      write(worker.out, &a, sizeof(a)) != sizeof(a));
		}
		r = ask_for(1, 5, &d);
		assert_true(r == 0 || r == -ETIMEDOUT);
		if (r == 0)
			assert_int_equal(ask(1, &d), 0);
		assert_int_equal(waitpid(id, NULL, 0), id);
		end();
	}
	(void)unused;
}

static void who_takes_no_question_ends_at_the_deadline_too(void **unused)
{
	static uint8_t body[CTH_PACKET_MAX];
	struct cth_view v = view_of(body, sizeof(body));
	struct cth_decision d;
	int r = -ETIMEDOUT;

	begin();
	/* The answers that do not come are waited for as well; then there is room for no more. */
	for (uint32_t i = 1; i <= 8 && r == -ETIMEDOUT; i++)
		r = channel_ask(&keeper, i, 0, &v, SHORT, &d);
	assert_int_equal(r, -ETIMEDOUT);
	end();
	(void)unused;
}

/* It takes a page before each wait is over, and would answer in the end. */
static void who_takes_a_question_slowly_does_not_get_more_time(void **unused)
{
	static uint8_t body[CTH_PACKET_MAX], page[4096];
	struct cth_view v = view_of(body, sizeof(body));
	struct channel_answer a = answer_to(1);
	struct cth_decision d;
	pid_t id;

	begin();
	assert_int_equal(fcntl(keeper.out, F_SETPIPE_SZ, 4096), 4096);
	id = fork();
	assert_true(id >= 0);
	if (id == 0) {
		channel_close(&keeper);
		do
			usleep(SHORT * 1000 / 4);
		while (read(worker.in, page, sizeof(page)) > 0 && write(worker.out, &a, sizeof(a)) > 0);
		_exit(0);
	}
	channel_close(&worker);
	assert_int_equal(channel_ask(&keeper, 1, 0, &v, SHORT, &d), -ETIMEDOUT);
	end();
	assert_int_equal(waitpid(id, NULL, 0), id);
	(void)unused;
}

static void a_record_of_another_length_is_no_answer(void **unused)
{
	static uint8_t bytes[sizeof(struct channel_answer) + 4096];
	static const size_t lengths[] = {
		1, 4, sizeof(struct channel_answer) - 1, sizeof(struct channel_answer) + 1,
		2 * sizeof(struct channel_answer), sizeof(bytes),
	};

	for (size_t i = 0; i < N_OF(lengths); i++) {
		struct channel_answer a = answer_to(3);

		memcpy(bytes, &a, sizeof(a));
		begin();
		say(bytes, lengths[i]);
		assert_no_answer(3, -EPROTO);
		end();
	}
	(void)unused;
}

static void an_answer_to_another_question_is_none(void **unused)
{
	static const uint32_t ids[] = { 0, 1, 4, 6, UINT32_MAX };

	for (size_t i = 0; i < N_OF(ids); i++) {
		struct channel_answer a = answer_to(ids[i]);

		begin();
		say(&a, sizeof(a));
		assert_no_answer(5, -EPROTO);
		end();
	}
	(void)unused;
}

static void of_two_answers_the_second_spoils_the_next_question(void **unused)
{
	struct channel_answer a = answer_to(1);
	struct cth_decision d;

	begin();
	say(&a, sizeof(a));
	say(&a, sizeof(a));
	assert_int_equal(ask(1, &d), 0);
	assert_no_answer(2, -EPROTO);
	end();
	(void)unused;
}

static void an_answer_may_be_any_bytes(void **unused)
{
	struct channel_answer a;
	struct cth_decision d;

	memset(&a, 0xff, sizeof(a));
	a.id = 4;
	begin();
	say(&a, sizeof(a));
	assert_int_equal(ask(4, &d), 0);
	assert_memory_equal(&d, &a.decision, sizeof(d));
	end();
	(void)unused;
}

/* ---- the worker's side ---- */

static void the_keeper_hanging_up_is_an_end(void **unused)
{
	static struct channel_room room;

	begin();
	channel_close(&keeper);
	assert_int_equal(channel_next(&worker, &room), 0);
	end();
	/* with something unread as well */
	begin();
	assert_int_equal(channel_greet(&worker), 0);
	channel_close(&keeper);
	assert_int_equal(channel_next(&worker, &room), 0);
	end();
	(void)unused;
}

static void a_question_that_contradicts_itself_is_refused(void **unused)
{
	static struct channel_room room;
	static struct { struct channel_question q; uint8_t more[8]; } record;
	static const size_t lengths[] = {
		1, sizeof(record.q) - 1, sizeof(record.q), sizeof(record.q) + 3, sizeof(record.q) + 5,
	};
	static const size_t lies[] = { CTH_PACKET_MAX + 1, SIZE_MAX };

	record.q.view.body.n = 4;
	for (size_t i = 0; i < N_OF(lengths); i++) {
		begin();
		put(&record, lengths[i]);
		channel_close(&keeper);
		assert_int_equal(channel_next(&worker, &room), -EPROTO);
		end();
	}
	for (size_t i = 0; i < N_OF(lies); i++) {
		record.q.view.body.n = lies[i];
		begin();
		put(&record, sizeof(record));
		assert_int_equal(channel_next(&worker, &room), -EPROTO);
		end();
	}
	(void)unused;
}

/* As it may where a pipe must not be as large as the channel wants it. */
static void a_question_may_come_in_pieces(void **unused)
{
	static struct channel_room room;
	static struct { struct channel_question q; uint8_t more[4]; } record;
	const size_t n = sizeof(record.q) + 4;

	record.q.view.body.n = 4;
	for (size_t cut = 1; cut < n; cut++) {
		int status;
		pid_t id;

		begin();
		put(&record, cut);
		id = fork();
		assert_true(id >= 0);
		if (id == 0)
			_exit(channel_next(&worker, &room) == 1 &&
			      room.question.view.body.p == room.body ? 0 : 1);
		while (waiting(worker.in) > 0)
			;
		put((const uint8_t *)&record + cut, n - cut);
		assert_int_equal(waitpid(id, &status, 0), id);
		assert_int_equal(status, 0);
		end();
	}
	(void)unused;
}

static void a_greeting_is_told_from_all_else(void **unused)
{
	struct channel_answer a = answer_to(1);

	begin();
	assert_int_equal(channel_greet(&worker), 0);
	assert_int_equal(channel_greeted(&keeper, PATIENCE), 0);
	assert_int_equal(channel_greeted(&keeper, 0), -ETIMEDOUT);
	say(&a, sizeof(a));
	assert_int_equal(channel_greeted(&keeper, PATIENCE), -EPROTO);
	channel_close(&worker);
	assert_int_equal(channel_greeted(&keeper, PATIENCE), -ECONNRESET);
	end();
	(void)unused;
}

static void nothing(int number)
{
	(void)number;
}

/* Half a millisecond, and again; SIGALRM and its timer are the channel's own. */
static timer_t interrupt_often(void)
{
	const struct itimerspec often = { { 0, 500000 }, { 0, 500000 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	timer_t timer;

	assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	assert_int_equal(timer_settime(timer, 0, &often, NULL), 0);
	return timer;
}

/* A timer that interrupts both sides all the time. */
static void signals_interrupt_neither_side(void **unused)
{
	struct sigaction a;
	timer_t timer;
	struct cth_decision d;
	pid_t id;

	memset(&a, 0, sizeof(a));
	a.sa_handler = nothing; /* and no SA_RESTART */
	sigaction(SIGUSR1, &a, NULL);
	begin();
	id = fork();
	assert_true(id >= 0);
	if (id == 0) {
		channel_close(&keeper);
		interrupt_often();
		worker_run(&worker);
	}
	channel_close(&worker);
	timer = interrupt_often();
	assert_int_equal(channel_greeted(&keeper, PATIENCE), 0);
	for (uint32_t i = 1; i <= 200; i++)
		assert_int_equal(ask(i, &d), 0);
	timer_delete(timer);
	channel_close(&keeper);
	assert_int_equal(waitpid(id, NULL, 0), id);
	signal(SIGUSR1, SIG_DFL);
	(void)unused;
}

static pid_t start_worker(void)
{
	pid_t id;

	begin();
	id = fork();
	assert_true(id >= 0);
	if (id == 0) {
		channel_close(&keeper);
		worker_run(&worker);
	}
	channel_close(&worker);
	assert_int_equal(channel_greeted(&keeper, PATIENCE), 0);
	return id;
}

static int ended(pid_t id)
{
	int status = -1;

	assert_int_equal(waitpid(id, &status, 0), id);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void a_worker_decides_as_the_protocol_does(void **unused)
{
	static const char line[] = "PORT 10,0,1,2,19,136\r\n";
	struct cth_view v = view_of(line, sizeof(line) - 1);
	struct cth_decision d, own;
	pid_t id = start_worker();

	v.self = (struct cth_addr){ .family = AF_INET, .b = { 10, 0, 1, 2 } };
	v.peer = (struct cth_addr){ .family = AF_INET, .b = { 10, 0, 2, 2 } };
	v.self_public = v.self;
	for (uint32_t i = 0; cth_protos[i]; i++) {
		cth_decide(cth_protos[i], &v, &own);
		assert_int_equal(channel_ask(&keeper, i + 1, i, &v, PATIENCE, &d), 0);
		assert_memory_equal(&d, &own, sizeof(d));
		if (strcmp(cth_protos[i]->name, "ftp") == 0)
			assert_true(memcmp(d.state, v.state, sizeof(d.state)) != 0 || d.wanted_n > 0);
	}
	channel_close(&keeper);
	assert_int_equal(ended(id), 0);
	(void)unused;
}

static void a_worker_asked_for_a_protocol_that_there_is_not_ends(void **unused)
{
	struct cth_view v = view_of("x", 1);
	struct cth_decision d;
	pid_t id = start_worker();

	assert_int_equal(channel_ask(&keeper, 1, 1000, &v, PATIENCE, &d), -ECONNRESET);
	channel_close(&keeper);
	assert_int_equal(ended(id), 1);
	(void)unused;
}

/* With the pipe as small as it may be. */
static void a_large_question_goes_through_a_small_pipe(void **unused)
{
	static uint8_t body[CTH_PACKET_MAX];
	struct cth_view v = view_of(body, sizeof(body));
	struct cth_decision d;
	pid_t id = start_worker();

	assert_int_equal(fcntl(keeper.out, F_SETPIPE_SZ, 4096), 4096);
	for (uint32_t i = 1; i <= 20; i++)
		assert_int_equal(channel_ask(&keeper, i, 0, &v, PATIENCE, &d), 0);
	channel_close(&keeper);
	assert_int_equal(ended(id), 0);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_arrives_as_it_was_asked_and_its_answer_as_it_was_given),
		cmocka_unit_test(no_address_of_the_keepers_goes_out),
		cmocka_unit_test(the_largest_body_gets_through),
		cmocka_unit_test(who_has_gone_before_the_question_is_no_victim_of_it),
		cmocka_unit_test(who_ends_after_the_question_is_told_from_that),
		cmocka_unit_test(who_dies_without_having_read_the_question_too),
		cmocka_unit_test(silence_ends_at_the_deadline),
		cmocka_unit_test(a_deadline_is_not_that_of_the_question_before),
		cmocka_unit_test(an_answer_just_at_the_deadline_spoils_no_later_one),
		cmocka_unit_test(who_takes_no_question_ends_at_the_deadline_too),
		cmocka_unit_test(who_takes_a_question_slowly_does_not_get_more_time),
		cmocka_unit_test(a_record_of_another_length_is_no_answer),
		cmocka_unit_test(an_answer_to_another_question_is_none),
		cmocka_unit_test(of_two_answers_the_second_spoils_the_next_question),
		cmocka_unit_test(an_answer_may_be_any_bytes),
		cmocka_unit_test(the_keeper_hanging_up_is_an_end),
		cmocka_unit_test(a_question_that_contradicts_itself_is_refused),
		cmocka_unit_test(a_question_may_come_in_pieces),
		cmocka_unit_test(a_large_question_goes_through_a_small_pipe),
		cmocka_unit_test(a_greeting_is_told_from_all_else),
		cmocka_unit_test(signals_interrupt_neither_side),
		cmocka_unit_test(a_worker_decides_as_the_protocol_does),
		cmocka_unit_test(a_worker_asked_for_a_protocol_that_there_is_not_ends),
	};

	signal(SIGPIPE, SIG_IGN); /* as in the keeper */
	if (channel_begin() < 0)
		return 1;
	return RUN(tests);
}
