/* SPDX-License-Identifier: MIT */
/*
 * seam.c - what stands between an applet and the kernel: the dry run lets questions through
 * and nothing else, the recorder writes what was exchanged.
 */
#include <unistd.h>
#include "../../tools/cth.h" /* before cmocka, which has a macro of the name fail */
#include "unit.h"
#include "../../netlink/pcap.h"
#include "../../netlink/uapi.h"

#define HELPER(message) (uint16_t)(NFNL_SUBSYS_CTHELPER << 8 | NFNL_MSG_CTHELPER_##message)
#define ASK  (NLM_F_REQUEST | NLM_F_ACK)

/* An applet's socket whose kernel is a script. */
struct applet_socket {
	struct script k;
	struct cth_sock s;
	uint8_t answers[4096], out[4096];
	struct cth_msg m;
	int terminal, nothing;
};

static int set_up(void **state)
{
	struct applet_socket *a = calloc(1, sizeof(*a));

	script_init(&a->k);
	cth_sock_seam(&a->s, &a->k.io, a->answers, sizeof(a->answers));
	cth_msg_init(&a->m, a->out, sizeof(a->out));
	memset(&common, 0, sizeof(common));
	*state = a;
	return 0;
}

static int tear_down(void **state)
{
	memset(&common, 0, sizeof(common));
	free(*state);
	return 0;
}

static void put(struct applet_socket *a, uint16_t type, uint16_t flags)
{
	cth_msg_begin(&a->m, type, flags, cth_sock_seq(&a->s), 0, 0);
	assert_int_equal(cth_msg_end(&a->m), 0);
}

static int request(struct applet_socket *a)
{
	struct cth_nack nack;
	int r = cth_sock_request(&a->s, cth_msg_bytes(&a->m), NULL, NULL, &nack);

	cth_msg_reset(&a->m);
	return r;
}

/* The dry run speaks on both streams, and TAP is on one of them. */
static void hush(struct applet_socket *a)
{
	fflush(stdout);
	fflush(stderr);
	a->terminal = dup(STDOUT_FILENO);
	a->nothing = dup(STDERR_FILENO);
	assert_non_null(freopen("/dev/null", "w", stderr));
	assert_int_equal(dup2(STDERR_FILENO, STDOUT_FILENO), STDOUT_FILENO);
}

static void speak(struct applet_socket *a)
{
	fflush(stdout);
	fflush(stderr);
	assert_int_equal(dup2(a->terminal, STDOUT_FILENO), STDOUT_FILENO);
	assert_int_equal(dup2(a->nothing, STDERR_FILENO), STDERR_FILENO);
	close(a->terminal);
	close(a->nothing);
}

static void a_dry_run_sends_no_change_and_has_it_acknowledged(void **state)
{
	static const uint16_t changes[] = {
		HELPER(NEW), HELPER(DEL), HELPER(GET) + 100,
		NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT,
		NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT_BATCH,
		NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW,
		NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
		NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_CTRZERO,
		NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_NEW,
		NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_DELETE,
		CTH_NFNL_MSG_BATCH_BEGIN, CTH_NFNL_SUBSYS_NFTABLES << 8,
		CTH_NFNL_SUBSYS_NFTABLES << 8 | 6, CTH_NFNL_SUBSYS_NFTABLES << 8 | 21, 6 << 8 | 1,
	};
	struct applet_socket *a = *state;

	common.dry_run = true;
	hush(a);
	assert_int_equal(kernel_adopt(&a->s), 0);
	for (size_t i = 0; i < N_OF(changes); i++) {
		put(a, changes[i], ASK);
		assert_int_equal(request(a), 0);
	}
	speak(a);
	assert_int_equal(a->k.sends, 0);
	hush(a);
	kernel_close(&a->s);
	speak(a);
}

static void a_dry_run_lets_questions_through(void **state)
{
	static const uint16_t questions[] = {
		HELPER(GET), NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
		NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_GET,
		CTH_NFNL_SUBSYS_NFTABLES << 8 | 1, CTH_NFNL_SUBSYS_NFTABLES << 8 | 7,
	};
	struct applet_socket *a = *state;

	common.dry_run = true;
	a->k.on_send = script_ack_all;
	assert_int_equal(kernel_adopt(&a->s), 0);
	for (size_t i = 0; i < N_OF(questions); i++) {
		put(a, questions[i], ASK);
		assert_int_equal(request(a), 0);
		assert_int_equal(a->k.sends, i + 1);
	}
	kernel_close(&a->s);
}

static void the_kernels_refusal_of_a_question_comes_through_a_dry_run(void **state)
{
	struct applet_socket *a = *state;

	common.dry_run = true;
	assert_int_equal(kernel_adopt(&a->s), 0);
	script_ack(&a->k, 1, -EPERM);
	put(a, HELPER(GET), ASK);
	assert_int_equal(request(a), -EPERM);
	kernel_close(&a->s);
}

static void of_a_mixed_datagram_a_dry_run_sends_only_the_question(void **state)
{
	struct applet_socket *a = *state;
	struct cth_span sent;
	struct cth_nlmsg m;

	common.dry_run = true;
	a->k.on_send = script_ack_all;
	hush(a);
	assert_int_equal(kernel_adopt(&a->s), 0);
	put(a, HELPER(NEW), ASK);
	put(a, HELPER(GET), ASK);
	put(a, HELPER(DEL), NLM_F_REQUEST);
	assert_int_equal(request(a), 0);
	kernel_close(&a->s);
	speak(a);
	assert_int_equal(a->k.outs, 1);
	sent = script_sent(&a->k, 0);
	assert_int_equal(cth_nlmsg_next(&sent, &m), 1);
	assert_int_equal(m.type, HELPER(GET));
	assert_int_equal(sent.n, 0);
}

static void a_batch_of_many_acks_is_answered_in_a_dry_run(void **state)
{
	struct applet_socket *a = *state;

	common.dry_run = true;
	hush(a);
	assert_int_equal(kernel_adopt(&a->s), 0);
	put(a, CTH_NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST);
	for (int i = 0; i < 64; i++)
		put(a, CTH_NFNL_SUBSYS_NFTABLES << 8, ASK);
	put(a, CTH_NFNL_MSG_BATCH_END, NLM_F_REQUEST);
	assert_int_equal(request(a), 0);
	kernel_close(&a->s);
	speak(a);
	assert_int_equal(a->k.sends, 0);
}

static void the_recording_is_what_was_exchanged(void **state)
{
	char path[] = "/tmp/cth-seam-XXXXXX";
	struct applet_socket *a = *state;
	struct cth_pcap_frame f;
	struct cth_pcap p;
	uint8_t *bytes;
	size_t n;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	common.record = path;
	a->k.on_send = script_ack_all;
	assert_int_equal(kernel_adopt(&a->s), 0);
	put(a, HELPER(NEW), ASK);
	put(a, HELPER(DEL), ASK);
	assert_int_equal(request(a), 0);
	kernel_close(&a->s);
	assert_int_equal(kernel_end_recording(), 0);

	assert_int_equal(read_file(path, 1 << 30, &bytes, &n), 0);
	unlink(path);
	assert_int_equal(cth_pcap_open(&p, cth_span(bytes, n)), 0);
	assert_int_equal(cth_pcap_next(&p, &f), 1);
	assert_true(f.to_kernel);
	assert_int_equal(f.family, NETLINK_NETFILTER);
	assert_int_equal(f.full, f.bytes.n);
	assert_true(f.sec > 1500000000);
	assert_bytes(f.bytes, script_sent(&a->k, 0).p, script_sent(&a->k, 0).n);
	for (size_t i = 0; i < a->k.ins; i++) {
		assert_int_equal(cth_pcap_next(&p, &f), 1);
		assert_false(f.to_kernel);
		assert_bytes(f.bytes, a->k.in[i].bytes, a->k.in[i].n);
	}
	assert_int_equal(cth_pcap_next(&p, &f), 0);
	free(bytes);
}

static void what_was_not_sent_is_not_recorded(void **state)
{
	char path[] = "/tmp/cth-seam-XXXXXX";
	struct applet_socket *a = *state;
	uint8_t *bytes;
	size_t n;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	common.record = path;
	a->k.send_error[0] = -ENOMEM;
	assert_int_equal(kernel_adopt(&a->s), 0);
	put(a, HELPER(NEW), ASK);
	assert_int_equal(request(a), -ENOMEM);
	kernel_close(&a->s);
	assert_int_equal(kernel_end_recording(), 0);
	assert_int_equal(read_file(path, 1 << 30, &bytes, &n), 0);
	unlink(path);
	assert_int_equal(n, CTH_PCAP_FILE_HEADER);
	free(bytes);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_dry_run_sends_no_change_and_has_it_acknowledged,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_dry_run_lets_questions_through, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_kernels_refusal_of_a_question_comes_through_a_dry_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_a_mixed_datagram_a_dry_run_sends_only_the_question,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_batch_of_many_acks_is_answered_in_a_dry_run, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_recording_is_what_was_exchanged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_not_sent_is_not_recorded, set_up, tear_down),
	};

	return RUN(tests);
}
