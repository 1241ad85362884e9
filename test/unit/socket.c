/* SPDX-License-Identifier: MIT */
/* socket.c - requests, their answers, and everything that can come between the two. */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "unit.h"
#include "../../netlink/uapi.h"

static struct script k;
static struct cth_sock s;
static uint8_t answers[8192];
static uint8_t out[8192];
static struct cth_msg msg;

static int setup(void **state)
{
	(void)state;
	script_init(&k);
	cth_sock_seam(&s, &k.io, answers, sizeof(answers));
	s.timeout_ms = 0;
	cth_msg_init(&msg, out, sizeof(out));
	return 0;
}

/* A request of subsystem 9 with an ACK. */
static struct cth_span request(uint16_t flags)
{
	cth_msg_begin(&msg, 0x0901, NLM_F_REQUEST | flags, cth_sock_seq(&s), 0, 0);
	cth_msg_put_u8(&msg, 1, 1);
	cth_msg_end(&msg);
	return cth_msg_bytes(&msg);
}

/* A message from the kernel: an answer when seq is the request's. */
static void answer(uint16_t type, uint16_t flags, uint32_t seq)
{
	static uint8_t bytes[64];
	struct cth_msg m;

	cth_msg_init(&m, bytes, sizeof(bytes));
	cth_msg_begin(&m, type, flags, seq, 0, 0);
	cth_msg_put_be32(&m, 1, 42);
	cth_msg_end(&m);
	script_bytes(&k, bytes, cth_msg_bytes(&m).n);
}

struct seen {
	int messages, forgotten, errors;
	uint32_t last_seq;
	int result;
};

static int see(const struct cth_nlmsg *m, void *ctx)
{
	struct seen *seen = ctx;

	if (!m) {
		seen->forgotten++;
		seen->messages = 0;
		return 0;
	}
	seen->messages++;
	seen->errors += m->type == NLMSG_ERROR;
	seen->last_seq = m->seq;
	return seen->result;
}

static void an_ack_ends_a_request(void **state)
{
	struct cth_nack nack;

	(void)state;
	script_ack(&k, 1, 0);
	assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), NULL, NULL, &nack), 0);
	assert_int_equal(nack.error, 0);
	assert_bytes(script_sent(&k, 0), out, cth_msg_bytes(&msg).n);
}

static void a_refusal_is_told_with_its_request(void **state)
{
	struct cth_nack nack;

	(void)state;
	script_ack(&k, 1, -EBUSY);
	assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), NULL, NULL, &nack), -EBUSY);
	assert_int_equal(nack.error, -EBUSY);
	assert_int_equal(nack.seq, 1);
	assert_string_equal(nack.text, "");
}

static void a_request_without_ack_waits_for_nothing(void **state)
{
	struct cth_nack nack;

	(void)state;
	assert_int_equal(cth_sock_request(&s, request(0), NULL, NULL, &nack), 0);
}

static void a_lost_ack_is_a_timeout(void **state)
{
	struct cth_nack nack;

	(void)state;
	assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), NULL, NULL, &nack), -ETIMEDOUT);
	assert_int_equal(nack.error, 0);
}

static void a_late_nack_of_an_earlier_request_is_not_ours(void **state)
{
	struct seen seen = { 0 };
	struct cth_nack nack;

	(void)state;
	cth_sock_request(&s, request(NLM_F_ACK), NULL, NULL, &nack); /* its answer was lost */
	cth_msg_reset(&msg);
	script_ack(&k, 1, -ENOENT);
	script_ack(&k, 2, 0);
	assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), see, &seen, &nack), 0);
	assert_int_equal(nack.error, 0);
	assert_int_equal(seen.errors, 1);
	assert_int_equal(s.stats.stray, 1);
}

/* Several clients take a packet that comes before the ACK for the answer, or lose it. */
static void peer_nfq_rs_loses_messages_before_the_ack(void **state)
{
	struct seen seen = { 0 };
	struct cth_nack nack;

	(void)state;
	for (int i = 0; i < 5; i++)
		answer(0x0300, 0, 0);
	script_ack(&k, 1, 0);
	assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), see, &seen, &nack), 0);
	assert_int_equal(seen.messages, 5);
}

/* In libbpf and libnetfilter_queue a stray message ends the loop with an error. */
static void peer_libbpf_stray_message_is_fatal(void **state)
{
	struct cth_nack nack;

	(void)state;
	answer(0x0100, 0, 77);
	script_ack(&k, 99, -EINVAL);
	script_ack(&k, 1, 0);
	assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), NULL, NULL, &nack), 0);
	assert_int_equal(s.stats.stray, 2);
}

/* A socket on which packets never end, and the ACK never comes. */
static int receive_for_ever(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms)
{
	struct cth_msg m;

	(void)ctx;
	(void)n;
	(void)timeout_ms;
	cth_msg_init(&m, slots[0].buf, slots[0].cap);
	cth_msg_begin(&m, 0x0300, 0, 0, 0, 0);
	cth_msg_end(&m);
	slots[0].n = cth_msg_bytes(&m).n;
	slots[0].portid = 0;
	slots[0].truncated = false;
	return 1;
}

static void a_lost_ack_under_a_flood_is_a_timeout_too(void **state)
{
	struct cth_nack nack;

	(void)state;
	s.io.receive = receive_for_ever;
	assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), NULL, NULL, &nack), -ETIMEDOUT);
	assert_true(s.stats.stray > 1);
}

static void messages_behind_the_ack_in_its_datagram_are_seen(void **state)
{
	uint8_t both[128];
	struct seen seen = { 0 };
	struct cth_nack nack;
	size_t n;

	(void)state;
	script_ack(&k, 1, 0);
	answer(0x0300, 0, 0);
	n = k.in[0].n;
	memcpy(both, k.in[0].bytes, n);
	memcpy(both + n, k.in[1].bytes, k.in[1].n);
	n += k.in[1].n;
	k.ins = 0;
	script_bytes(&k, both, n);
	assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), see, &seen, &nack), 0);
	assert_int_equal(seen.messages, 1);
}

static void an_alien_sender_is_not_believed(void **state)
{
	struct cth_nack nack;

	(void)state;
	script_ack(&k, 1, 0);
	k.in[0].portid = 4242;
	assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), NULL, NULL, &nack), -ETIMEDOUT);
	assert_int_equal(s.stats.alien, 1);
}

static void an_overrun_is_counted_and_read_over(void **state)
{
	struct cth_nack nack;

	(void)state;
	script_error(&k, -ENOBUFS);
	script_ack(&k, 1, 0);
	assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), NULL, NULL, &nack), 0);
	assert_int_equal(s.stats.overruns, 1);
}

static void a_storm_of_overruns_is_no_error_either(void **state)
{
	struct cth_slot slot = { .buf = answers, .cap = sizeof(answers) };

	(void)state;
	script_error(&k, -ENOBUFS);
	script_error(&k, -ENOBUFS);
	assert_int_equal(cth_sock_receive(&s, &slot, 1, 0), 0);
}

static void a_failing_socket_ends_a_request(void **state)
{
	struct cth_nack nack;

	(void)state;
	script_error(&k, -EBADF);
	assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), NULL, NULL, &nack), -EBADF);
	assert_int_equal(nack.error, 0);
	cth_msg_reset(&msg);
	k.send_error[1] = -ENOMEM;
	assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), NULL, NULL, &nack), -ENOMEM);
}

static void a_truncated_datagram_is_counted(void **state)
{
	static uint8_t small[20];
	struct cth_nack nack;

	(void)state;
	s.answers.buf = small;
	s.answers.cap = sizeof(small);
	script_ack(&k, 1, 0);
	assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), NULL, NULL, &nack), -ETIMEDOUT);
	assert_int_equal(s.stats.truncated, 1);
	assert_int_equal(s.stats.malformed, 1);
}

static int see_cut(const struct cth_nlmsg *m, void *ctx)
{
	int *cut = ctx;

	*cut += m->cut;
	assert_int_equal(m->seq, 0);
	assert_int_equal(m->res_id, 7);
	return 0;
}

/* A packet longer than its slot comes before the answer: whoever asked gets to see its id. */
static void a_message_that_is_cut_is_seen_as_such(void **state)
{
	uint8_t bytes[64];
	struct cth_nack nack;
	struct cth_msg m;
	int cut = 0;

	(void)state;
	cth_msg_init(&m, bytes, sizeof(bytes));
	cth_msg_begin(&m, 0x0300, 0, 0, 2, 7);
	cth_msg_put_be32(&m, 1, 42);
	cth_msg_end(&m);
	script_bytes(&k, bytes, 26);
	script_bytes(&k, bytes, 19); /* not even its headers */
	script_ack(&k, 1, 0);
	assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), see_cut, &cut, &nack), 0);
	assert_int_equal(cut, 1);
	assert_int_equal(s.stats.malformed, 2);
}

/* NLM_F_EXCL and NLM_F_REPLACE are each one of the dump's two bits. */
static void a_request_with_excl_alone_is_no_dump(void **state)
{
	struct cth_nack nack;

	(void)state;
	assert_int_equal(cth_sock_request(&s, request(NLM_F_EXCL), NULL, NULL, &nack), 0);
	assert_int_equal(cth_sock_request(&s, request(NLM_F_REPLACE), NULL, NULL, &nack), 0);
}

static void the_kernels_refusal_stands_before_the_callbacks(void **state)
{
	struct seen seen = { .result = -ENOSPC };
	struct cth_nack nack;

	(void)state;
	request(NLM_F_ACK);
	request(NLM_F_ACK);
	script_ack(&k, 1, -EBUSY);
	answer(0x0900, 0, 2);
	script_ack(&k, 2, 0);
	assert_int_equal(cth_sock_request(&s, cth_msg_bytes(&msg), see, &seen, &nack), -EBUSY);
}

static void an_alien_datagram_is_not_called_truncated(void **state)
{
	uint8_t small[8];
	struct cth_slot slot = { .buf = small, .cap = sizeof(small) };

	(void)state;
	script_ack(&k, 1, 0);
	k.in[0].portid = 4242;
	assert_int_equal(cth_sock_receive(&s, &slot, 1, 0), 1);
	assert_false(slot.truncated);
	assert_int_equal(slot.n, 0);
	assert_int_equal(s.stats.truncated, 0);
}

static void garbage_is_counted_and_passed_over(void **state)
{
	struct cth_nack nack;

	(void)state;
	script_bytes(&k, "\1\2\3", 3);
	script_bytes(&k, "", 0);
	script_ack(&k, 1, 5); /* no kernel answers a positive errno */
	script_ack(&k, 1, 0);
	assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), NULL, NULL, &nack), 0);
	assert_int_equal(s.stats.malformed, 2);
}

static void the_last_of_several_messages_ends_the_request(void **state)
{
	struct cth_nack nack;

	(void)state;
	request(NLM_F_ACK);
	request(NLM_F_ACK);
	request(0);
	script_ack(&k, 1, -ENOENT);
	script_ack(&k, 2, -EBUSY);
	script_ack(&k, 3, -EINVAL);
	assert_int_equal(cth_sock_request(&s, cth_msg_bytes(&msg), NULL, NULL, &nack), -ENOENT);
	assert_int_equal(nack.seq, 1);
	assert_int_equal(k.in_next, 2); /* 3 asked for no answer: its error is a later stray */
}

static void without_privilege_only_the_first_message_is_answered(void **state)
{
	struct cth_nack nack;

	(void)state;
	request(NLM_F_ACK);
	request(NLM_F_ACK);
	script_ack(&k, 1, -EPERM);
	assert_int_equal(cth_sock_request(&s, cth_msg_bytes(&msg), NULL, NULL, &nack), -EPERM);
}

static void a_batch_is_refused_by_its_begin(void **state)
{
	struct cth_nack nack;

	(void)state;
	cth_msg_begin(&msg, CTH_NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, cth_sock_seq(&s), 0, 10);
	cth_msg_end(&msg);
	request(NLM_F_ACK);
	script_ack(&k, 1, -ENOMEM);
	assert_int_equal(cth_sock_request(&s, cth_msg_bytes(&msg), NULL, NULL, &nack), -ENOMEM);
}

static void a_dump_ends_with_done(void **state)
{
	struct seen seen = { 0 };
	struct cth_nack nack;

	(void)state;
	answer(0x0900, NLM_F_MULTI, 1);
	answer(0x0900, NLM_F_MULTI, 1);
	script_done(&k, 1, 0);
	assert_int_equal(cth_sock_dump(&s, request(NLM_F_DUMP), see, &seen, &nack), 0);
	assert_int_equal(seen.messages, 2);
	assert_int_equal(seen.forgotten, 0);
}

static void a_dump_may_fail_in_its_done(void **state)
{
	struct cth_nack nack;

	(void)state;
	script_done(&k, 1, -ENOMEM);
	assert_int_equal(cth_sock_dump(&s, request(NLM_F_DUMP), NULL, NULL, &nack), -ENOMEM);
	assert_int_equal(nack.error, -ENOMEM);
}

static void an_interrupted_dump_is_done_again(void **state)
{
	struct seen seen = { 0 };
	struct cth_nack nack;

	(void)state;
	for (int i = 0; i < 2; i++) {
		answer(0x0900, NLM_F_MULTI | CTH_NLM_F_DUMP_INTR, 1);
		answer(0x0900, NLM_F_MULTI, 1);
		script_done(&k, 1, 0);
	}
	answer(0x0900, NLM_F_MULTI, 1);
	script_done(&k, 1, 0);
	assert_int_equal(cth_sock_dump(&s, request(NLM_F_DUMP), see, &seen, &nack), 0);
	assert_int_equal(seen.forgotten, 2);
	assert_int_equal(seen.messages, 1);
	assert_int_equal(k.outs, 3);
}

static void a_dump_that_never_settles_is_told(void **state)
{
	struct cth_nack nack;

	(void)state;
	for (int i = 0; i < 6; i++) {
		answer(0x0900, NLM_F_MULTI | CTH_NLM_F_DUMP_INTR, 1);
		script_done(&k, 1, 0);
	}
	assert_int_equal(cth_sock_dump(&s, request(NLM_F_DUMP), NULL, NULL, &nack), -EINTR);
	assert_int_equal(k.outs, 4);
}

static void a_negative_return_of_the_callback_is_the_result(void **state)
{
	struct seen seen = { .result = -ENOSPC };
	struct cth_nack nack;

	(void)state;
	answer(0x0900, NLM_F_MULTI, 1);
	script_done(&k, 1, 0);
	assert_int_equal(cth_sock_request(&s, request(NLM_F_DUMP), see, &seen, &nack), -ENOSPC);
	assert_int_equal(nack.error, 0);
	assert_int_equal(k.in_next, 2); /* and the dump was read to its end */
}

/* An NLMSG_ERROR with an extended ACK: capped or with the request echoed. */
static size_t put_ext_ack(uint8_t *p, bool capped, size_t echoed)
{
	struct cth_msg m;
	size_t n = 36, tlvs;

	memset(p, 0, 256);
	if (!capped)
		n += (echoed + 3) & ~(size_t)3;
	cth_msg_init(&m, p + n, 200);
	cth_msg_begin_bare(&m);
	cth_msg_put_str(&m, CTH_NLMSGERR_ATTR_MSG, "Attribute failed policy validation");
	cth_msg_put(&m, CTH_NLMSGERR_ATTR_OFFS, &(uint32_t){ 20 }, 4);
	cth_msg_put(&m, CTH_NLMSGERR_ATTR_MISS_TYPE, &(uint32_t){ 4 }, 4);
	cth_msg_end(&m);
	tlvs = cth_msg_bytes(&m).n;
	cth_store_host32(p, (uint32_t)(n + tlvs));
	cth_store_host16(p + 4, NLMSG_ERROR);
	cth_store_host16(p + 6, (uint16_t)(CTH_NLM_F_ACK_TLVS | (capped ? CTH_NLM_F_CAPPED : 0)));
	cth_store_host32(p + 8, 1);
	cth_store_host32(p + 16, (uint32_t)-EINVAL);
	cth_store_host32(p + 20, (uint32_t)(16 + echoed));
	cth_store_host16(p + 24, 0x0900);
	cth_store_host32(p + 28, 1);
	return n + tlvs;
}

static void the_extended_ack_is_read_capped_or_not(void **state)
{
	uint8_t bytes[256];
	struct cth_nack nack;

	(void)state;
	for (int capped = 0; capped < 2; capped++) {
		size_t n = put_ext_ack(bytes, capped, 9);

		setup(NULL);
		script_bytes(&k, bytes, n);
		assert_int_equal(cth_sock_request(&s, request(NLM_F_ACK), NULL, NULL, &nack), -EINVAL);
		assert_string_equal(nack.text, "Attribute failed policy validation");
		assert_int_equal(nack.offset, 20);
		assert_int_equal(nack.missing, 4);
		assert_int_equal(nack.type, 0x0900);
	}
}

static void parse_answers(struct cth_span d, void *ctx)
{
	struct cth_nack nack;
	struct cth_nlmsg m;

	(void)ctx;
	while (cth_nlmsg_next(&d, &m) > 0) {
		if (cth_nack_parse(&m, &nack) == 0) {
			assert_true(nack.error <= 0);
			assert_true(strlen(nack.text) < sizeof(nack.text));
			for (const char *c = nack.text; *c; c++)
				assert_true(*c >= ' ' && *c <= '~');
		}
	}
}

static void no_answer_reads_past_its_end(void **state)
{
	uint8_t bytes[256];

	(void)state;
	for (int capped = 0; capped < 2; capped++) {
		size_t n = put_ext_ack(bytes, capped, 9);

		every_truncation(cth_span(bytes, n), parse_answers, NULL);
		every_byte_value(cth_span(bytes, n), parse_answers, NULL);
	}
}

static void sequence_numbers_skip_zero(void **state)
{
	(void)state;
	s.seq = UINT32_MAX - 1;
	assert_int_equal(cth_sock_seq(&s), UINT32_MAX);
	assert_int_equal(cth_sock_seq(&s), 1);
}

/* A request whose numbers wrap around knows its own answers. */
static void numbers_that_wrap_are_ours_all_the_same(void **state)
{
	struct cth_nack nack;

	(void)state;
	s.seq = UINT32_MAX - 1;
	request(NLM_F_ACK);
	request(NLM_F_ACK);
	script_ack(&k, UINT32_MAX, 0);
	script_ack(&k, 1, 0);
	assert_int_equal(cth_sock_request(&s, cth_msg_bytes(&msg), NULL, NULL, &nack), 0);
	assert_int_equal(s.stats.stray, 0);
}

static void nothing_to_send_is_refused(void **state)
{
	(void)state;
	assert_int_equal(cth_sock_request(&s, cth_span(out, 0), NULL, NULL, NULL), -EINVAL);
	assert_int_equal(cth_sock_request(&s, cth_span(out, 3), NULL, NULL, NULL), -EINVAL);
}

/* qemu-user, on which the big-endian run stands, emulates no netfilter netlink. */
static bool has_nfnetlink(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* The real socket: no privilege is needed to open one, and to be refused. */
static void the_real_socket_opens_and_is_what_it_says(void **state)
{
	struct cth_sock real, twin;
	uint32_t drops = 7;
	int fd, r;

	(void)state;
	r = cth_sock_open(&real, answers, sizeof(answers));
	if (!has_nfnetlink()) {
		assert_int_equal(r, -EPROTONOSUPPORT);
		return;
	}
	assert_int_equal(r, 0);
	fd = cth_sock_fd(&real);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_not_equal(real.portid, 0);
	assert_int_equal(cth_sock_open(&twin, answers, sizeof(answers)), 0);
	assert_int_not_equal(twin.portid, real.portid);
	assert_true(cth_sock_rcvbuf(&real, 1 << 16) >= 1 << 16);
	if (cth_sock_drops(&real, &drops) == 0)
		assert_int_equal(drops, 0);
	cth_sock_close(&twin);
	cth_sock_close(&real);
	cth_sock_close(&real);
	assert_int_equal(cth_sock_fd(&real), -1);
}

/* The kernel itself says no: nobody has bound that queue, or we may not ask. */
static void the_real_kernel_answers(void **state)
{
	struct cth_sock real;
	struct cth_nack nack;
	struct cth_slot slot = { .buf = out, .cap = sizeof(out) };
	int r;

	(void)state;
	if (!has_nfnetlink())
		return;
	assert_int_equal(cth_sock_open(&real, answers, sizeof(answers)), 0);
	cth_msg_begin(&msg, 0x0302, NLM_F_REQUEST | NLM_F_ACK, cth_sock_seq(&real), 0, 65535);
	cth_msg_put_be32(&msg, NFQA_CFG_QUEUE_MAXLEN, 1);
	cth_msg_end(&msg);
	r = cth_sock_request(&real, cth_msg_bytes(&msg), NULL, NULL, &nack);
	assert_true(r == -ENODEV || r == -EPERM || r == -EINVAL);
	assert_int_equal(nack.error, r);
	assert_int_equal(nack.type, 0x0302);
	assert_int_equal(cth_sock_receive(&real, &slot, 1, 0), 0);
	assert_int_equal(cth_sock_receive(&real, &slot, 1, 10), 0);
	cth_sock_close(&real);
	assert_true(cth_sock_receive(&real, &slot, 1, 0) < 0);
	assert_true(cth_sock_rcvbuf(&real, 4096) < 0);
}

static void wake_up(int number)
{
	(void)number;
}

/* EINTR: whoever waits for ever gets to look at what the signal was for. */
static void a_signal_ends_the_wait_and_is_no_error(void **state)
{
	static const int flags[] = { 0, SA_RESTART }, waits[] = { -1, 60000 };
	struct itimerval soon = { .it_value = { .tv_usec = 20000 } };
	struct cth_slot slots[2] = { { .buf = out, .cap = 512 }, { .buf = out + 512, .cap = 512 } };
	struct cth_sock real;

	(void)state;
	if (!has_nfnetlink())
		return;
	assert_int_equal(cth_sock_open(&real, answers, sizeof(answers)), 0);
	for (size_t i = 0; i < 8; i++) {
		struct sigaction action = { .sa_handler = wake_up, .sa_flags = flags[i & 1] };

		assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
		assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
		assert_int_equal(cth_sock_receive(&real, slots, 1 + (i >> 1 & 1), waits[i >> 2]), 0);
	}
	cth_sock_close(&real);
}

static int64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* As long as it was asked to, also where an event loop has made the descriptor non-blocking. */
static void a_receive_waits_as_long_as_it_is_told(void **state)
{
	static const int waits[] = { 30, 60, 0, 30, 1 };
	struct cth_slot slot = { .buf = out, .cap = sizeof(out) };
	struct cth_sock real;
	int fd;

	(void)state;
	if (!has_nfnetlink())
		return;
	assert_int_equal(cth_sock_open(&real, answers, sizeof(answers)), 0);
	fd = cth_sock_fd(&real);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
			int64_t from = milliseconds();

			assert_int_equal(cth_sock_receive(&real, &slot, 1, waits[i]), 0);
			assert_true(milliseconds() - from >= waits[i] - 1);
			assert_true(milliseconds() - from < waits[i] + 20000);
		}
		assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
	}
	cth_sock_close(&real);
}

/* What is longer than its slot is told so, and nothing is written behind that. */
static void a_datagram_longer_than_its_slot_is_cut(void **state)
{
	uint8_t noop[16] = { 0 }, room[3][24];
	struct cth_slot ring[3];
	struct iovec part = { noop, sizeof(noop) };
	struct cth_sock real;

	(void)state;
	if (!has_nfnetlink())
		return;
	assert_int_equal(cth_sock_open(&real, answers, sizeof(answers)), 0);
	cth_store_host32(noop, 16);
	cth_store_host16(noop + 4, NLMSG_NOOP);
	cth_store_host16(noop + 6, NLM_F_REQUEST | NLM_F_ACK);
	for (size_t n = 1; n <= 3; n += 2) {
		memset(room, 0xee, sizeof(room));
		cth_slots(ring, 3, room, sizeof(room[0]));
		for (size_t i = 0; i < 3; i++)
			ring[i].cap = 20;
		assert_int_equal(cth_sock_send(&real, &part, 1), 0);
		assert_int_equal(cth_sock_receive(&real, ring, n, 1000), 1);
		assert_true(ring[0].truncated); /* an answer has 36 bytes, or more */
		assert_int_equal(ring[0].n, 20);
		assert_int_equal(room[0][19] == 0xee && room[0][18] == 0xee, 0);
		assert_int_equal(room[0][20], 0xee);
	}
	assert_int_equal(real.stats.truncated, 2);
	cth_sock_close(&real);
}

/* More than a ring's worth of ACKs at once takes several system calls, and loses none. */
static void many_answers_fill_many_slots(void **state)
{
	static uint8_t memory[80][256];
	static struct cth_slot ring[80];
	struct cth_sock real;
	struct iovec part;
	int got;

	(void)state;
	if (!has_nfnetlink())
		return;
	cth_slots(ring, 80, memory, sizeof(memory[0]));
	assert_int_equal(cth_sock_open(&real, answers, sizeof(answers)), 0);
	for (int i = 0; i < 70; i++) {
		uint8_t noop[16] = { 0 };

		cth_store_host32(noop, 16);
		cth_store_host16(noop + 4, NLMSG_NOOP);
		cth_store_host16(noop + 6, NLM_F_REQUEST | NLM_F_ACK);
		part.iov_base = noop;
		part.iov_len = sizeof(noop);
		assert_int_equal(cth_sock_send(&real, &part, 1), 0);
	}
	got = cth_sock_receive(&real, ring, 80, 1000);
	/* Without CAP_NET_ADMIN each of them is refused, which is an answer as well. */
	assert_int_equal(got, 70);
	for (int i = 0; i < got; i++)
		assert_int_equal(cth_host16(ring[i].buf + 4), NLMSG_ERROR);
	cth_sock_close(&real);
}

/* A question that the kernel answers with an ACK, or with a refusal. */
static void ask_the_kernel(struct cth_sock *real)
{
	uint8_t noop[16] = { 0 };
	struct iovec part = { noop, sizeof(noop) };

	cth_store_host32(noop, 16);
	cth_store_host16(noop + 4, NLMSG_NOOP);
	cth_store_host16(noop + 6, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(cth_sock_send(real, &part, 1), 0);
}

/* Another socket's: 0, or errno. EPERM: netfilter's sockets hear only whoever has CAP_NET_ADMIN. */
static int stranger_sends(uint32_t portid, uint32_t groups)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_pid = portid, .nl_groups = groups };
	uint8_t ack[36] = { 0 };
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER), error = 0;

	assert_true(fd >= 0);
	cth_store_host32(ack, sizeof(ack));
	cth_store_host16(ack + 4, NLMSG_ERROR);
	if (sendto(fd, ack, sizeof(ack), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		error = errno;
	close(fd);
	return error;
}

static void nobody_but_the_kernel_can_send_to_an_open_socket(void **state)
{
	struct cth_slot slot = { .buf = out, .cap = sizeof(out) };
	struct cth_sock real;
	int error;

	(void)state;
	if (!has_nfnetlink())
		return;
	assert_int_equal(cth_sock_open(&real, answers, sizeof(answers)), 0);
	error = stranger_sends(real.portid, 0);
	assert_true(error == ECONNREFUSED || error == EPERM);
	assert_int_equal(cth_sock_receive(&real, &slot, 1, 0), 0);
	ask_the_kernel(&real);
	assert_int_equal(cth_sock_receive(&real, &slot, 1, 1000), 1);
	assert_int_equal(real.stats.alien, 0);
	cth_sock_close(&real);
}

/* What was sent to it before, strangers' and the kernel's, in slots for all. */
static void of_what_an_adopted_socket_holds_the_senders_are_looked_at(void **state)
{
	static uint8_t memory[4][256];
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	socklen_t n = sizeof(self);
	struct cth_slot ring[4];
	struct cth_sock real;
	int fd;

	(void)state;
	if (!has_nfnetlink())
		return;
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	assert_int_equal(bind(fd, (struct sockaddr *)&self, sizeof(self)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&self, &n), 0);
	if (stranger_sends(self.nl_pid, 0) == EPERM) {
		close(fd);
		return;
	}
	assert_int_equal(stranger_sends(self.nl_pid, 0), 0);
	assert_int_equal(cth_sock_adopt(&real, fd, answers, sizeof(answers)), 0);
	assert_int_equal(stranger_sends(self.nl_pid, 0), ECONNREFUSED);
	ask_the_kernel(&real);
	cth_slots(ring, 4, memory, sizeof(memory[0]));
	assert_int_equal(cth_sock_receive(&real, ring, 4, 1000), 3);
	assert_int_equal(real.stats.alien, 2);
	assert_int_equal(ring[0].n, 0);
	assert_int_equal(ring[1].n, 0);
	assert_true(ring[2].n >= 36);
	assert_int_equal(real.strangers, 0); /* the fourth slot found it empty */
	cth_sock_close(&real);
}

/* Nor is it ever seen empty where packets come faster than they are read. */
static void strangers_are_gone_when_as_much_has_come_as_had_room(void **state)
{
	struct cth_slot slot = { .buf = out, .cap = sizeof(out) };
	int fd, small = 1;
	struct cth_sock real;

	(void)state;
	if (!has_nfnetlink())
		return;
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(cth_sock_adopt(&real, fd, answers, sizeof(answers)), 0);
	assert_true(real.strangers > 1 && real.strangers < 100);
	for (size_t left = real.strangers; left-- > 0;) {
		ask_the_kernel(&real);
		assert_int_equal(cth_sock_receive(&real, &slot, 1, 1000), 1);
		assert_int_equal(real.strangers, left);
	}
	ask_the_kernel(&real);
	assert_int_equal(cth_sock_receive(&real, &slot, 1, 1000), 1);
	assert_int_equal(real.strangers, 0);
	assert_int_equal(real.stats.alien, 0);
	cth_sock_close(&real);
}

/* That the socket is connected does not keep others from its groups. */
static void of_a_group_the_senders_are_always_looked_at(void **state)
{
	struct cth_slot slot = { .buf = out, .cap = sizeof(out) };
	struct cth_sock real;

	(void)state;
	if (!has_nfnetlink())
		return;
	assert_int_equal(cth_sock_open(&real, answers, sizeof(answers)), 0);
	if (cth_sock_join(&real, 1) == 0) {
		assert_int_equal(cth_sock_receive(&real, &slot, 1, 0), 0);
		if (stranger_sends(0, 1) == 0) {
			assert_int_equal(cth_sock_receive(&real, &slot, 1, 1000), 1);
			assert_int_equal(slot.n, 0);
			assert_int_equal(real.stats.alien, 1);
		}
	}
	cth_sock_close(&real);
}

/* A batch of many rules is longer than a socket's usual send buffer. */
static void a_datagram_longer_than_the_send_buffer_is_sent(void **state)
{
	static uint8_t large[300000];
	struct iovec part = { large, sizeof(large) };
	struct cth_sock real;

	(void)state;
	if (!has_nfnetlink())
		return;
	assert_int_equal(cth_sock_open(&real, answers, sizeof(answers)), 0);
	cth_store_host32(large, sizeof(large));
	cth_store_host16(large + 4, NLMSG_NOOP);
	assert_int_equal(cth_sock_send(&real, &part, 1), 0);
	cth_sock_close(&real);
	assert_true(cth_sock_send(&real, &part, 1) < 0);
}

static void an_open_socket_can_be_adopted(void **state)
{
	struct cth_sock real;
	uint32_t first, portid;
	int wrong[2], fd;

	(void)state;
	if (has_nfnetlink()) {
		fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
		assert_true(fd >= 0);
		assert_int_equal(cth_sock_adopt(&real, fd, answers, sizeof(answers)), 0);
		assert_int_not_equal(real.portid, 0);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		first = cth_sock_seq(&real);
		assert_true(first > 1); /* where a former owner's answers are unlikely */
		portid = real.portid;
		assert_int_equal(cth_sock_adopt(&real, fd, answers, sizeof(answers)), 0);
		assert_int_equal(real.portid, portid); /* handed over, it keeps its port */
		cth_sock_close(&real);
		fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
		assert_int_equal(cth_sock_adopt(&real, fd, answers, sizeof(answers)), -EPROTOTYPE);
		assert_false(fcntl(fd, F_GETFD) & FD_CLOEXEC); /* as it was */
		close(fd);
	}
	assert_int_equal(pipe(wrong), 0);
	assert_int_equal(cth_sock_adopt(&real, wrong[0], answers, sizeof(answers)), -EPROTOTYPE);
	assert_int_equal(cth_sock_fd(&real), -1);
	assert_true(fcntl(wrong[0], F_GETFD) >= 0); /* still the caller's */
	assert_int_equal(cth_sock_adopt(&real, 9999, answers, sizeof(answers)), -EBADF);
	close(wrong[0]);
	close(wrong[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_ack_ends_a_request, setup),
		cmocka_unit_test_setup(a_refusal_is_told_with_its_request, setup),
		cmocka_unit_test_setup(a_request_without_ack_waits_for_nothing, setup),
		cmocka_unit_test_setup(a_lost_ack_is_a_timeout, setup),
		cmocka_unit_test_setup(a_late_nack_of_an_earlier_request_is_not_ours, setup),
		cmocka_unit_test_setup(peer_nfq_rs_loses_messages_before_the_ack, setup),
		cmocka_unit_test_setup(peer_libbpf_stray_message_is_fatal, setup),
		cmocka_unit_test_setup(a_lost_ack_under_a_flood_is_a_timeout_too, setup),
		cmocka_unit_test_setup(messages_behind_the_ack_in_its_datagram_are_seen, setup),
		cmocka_unit_test_setup(an_alien_sender_is_not_believed, setup),
		cmocka_unit_test_setup(an_overrun_is_counted_and_read_over, setup),
		cmocka_unit_test_setup(a_storm_of_overruns_is_no_error_either, setup),
		cmocka_unit_test_setup(a_failing_socket_ends_a_request, setup),
		cmocka_unit_test_setup(a_truncated_datagram_is_counted, setup),
		cmocka_unit_test_setup(a_message_that_is_cut_is_seen_as_such, setup),
		cmocka_unit_test_setup(a_request_with_excl_alone_is_no_dump, setup),
		cmocka_unit_test_setup(the_kernels_refusal_stands_before_the_callbacks, setup),
		cmocka_unit_test_setup(an_alien_datagram_is_not_called_truncated, setup),
		cmocka_unit_test_setup(garbage_is_counted_and_passed_over, setup),
		cmocka_unit_test_setup(the_last_of_several_messages_ends_the_request, setup),
		cmocka_unit_test_setup(without_privilege_only_the_first_message_is_answered, setup),
		cmocka_unit_test_setup(a_batch_is_refused_by_its_begin, setup),
		cmocka_unit_test_setup(a_dump_ends_with_done, setup),
		cmocka_unit_test_setup(a_dump_may_fail_in_its_done, setup),
		cmocka_unit_test_setup(an_interrupted_dump_is_done_again, setup),
		cmocka_unit_test_setup(a_dump_that_never_settles_is_told, setup),
		cmocka_unit_test_setup(a_negative_return_of_the_callback_is_the_result, setup),
		cmocka_unit_test_setup(the_extended_ack_is_read_capped_or_not, setup),
		cmocka_unit_test_setup(no_answer_reads_past_its_end, setup),
		cmocka_unit_test_setup(sequence_numbers_skip_zero, setup),
		cmocka_unit_test_setup(numbers_that_wrap_are_ours_all_the_same, setup),
		cmocka_unit_test_setup(nothing_to_send_is_refused, setup),
		cmocka_unit_test_setup(the_real_socket_opens_and_is_what_it_says, setup),
		cmocka_unit_test_setup(the_real_kernel_answers, setup),
		cmocka_unit_test_setup(a_signal_ends_the_wait_and_is_no_error, setup),
		cmocka_unit_test_setup(a_receive_waits_as_long_as_it_is_told, setup),
		cmocka_unit_test_setup(a_datagram_longer_than_its_slot_is_cut, setup),
		cmocka_unit_test_setup(many_answers_fill_many_slots, setup),
		cmocka_unit_test_setup(nobody_but_the_kernel_can_send_to_an_open_socket, setup),
		cmocka_unit_test_setup(of_what_an_adopted_socket_holds_the_senders_are_looked_at, setup),
		cmocka_unit_test_setup(strangers_are_gone_when_as_much_has_come_as_had_room, setup),
		cmocka_unit_test_setup(of_a_group_the_senders_are_always_looked_at, setup),
		cmocka_unit_test_setup(a_datagram_longer_than_the_send_buffer_is_sent, setup),
		cmocka_unit_test_setup(an_open_socket_can_be_adopted, setup),
	};

	return RUN(tests);
}
