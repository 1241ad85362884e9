/* SPDX-License-Identifier: MIT */
/*
 * old.c - kernels from Linux 3.12 on, by what they lack and how they say so:
 *
 *     no CAP_ACK (before 4.3)   an error brings the whole request along, a packet's too
 *     no EXT_ACK (before 4.12)  it explains nothing; nor does a dump's end, which may be a header
 *     no batches (before 3.13)  the begin of one is an unknown message, and so is what follows
 *     EEXIST                    also of a helper that the kernel has itself, where newer say EBUSY
 *     no SO_MEMINFO (before 4.12), no SO_RCVBUFFORCE for who may not
 *     signed numbers            in /proc, where a second socket's port is negative
 *
 * Flags that are not there are refused one by one in queue.c, also by kernels (before 4.6) that
 * have bound the queue by then. That newer kernels do say more is in socket.c.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "unit.h"
#include "../../cthelper/attach.h"
#include "../../cthelper/helper.h"
#include "../../netlink/uapi.h"
#include "../../queue/queue.h"
#include "../../tools/proc.h"

#define NEW    (NFNL_SUBSYS_CTHELPER << 8 | NFNL_MSG_CTHELPER_NEW)
#define PACKET (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)

static struct script k;
static struct cth_sock s;
static struct cth_nack nack;
static uint8_t answers[CTH_SOCK_BUF];

static struct {
	int of_new;       /* what it says of a NEW */
	bool listed;      /* and whether its list has that helper */
	size_t dumps;
} registry;

/* An error as before 4.3: the request behind it, whole, and nothing else. */
static void refuse_whole(struct script *script, struct cth_span request, int error)
{
	uint8_t m[4096] = { 0 };

	assert_true(20 + request.n <= sizeof(m));
	cth_store_host32(m, (uint32_t)(20 + request.n));
	cth_store_host16(m + 4, NLMSG_ERROR);
	memcpy(m + 8, request.p + 8, 4);
	cth_store_host32(m + 16, (uint32_t)error);
	memcpy(m + 20, request.p, request.n);
	script_bytes(script, m, 20 + request.n);
}

/* The end of a dump, without a word of how it went. */
static void end_dump(struct script *script, uint32_t seq)
{
	uint8_t m[16] = { 0 };

	cth_store_host32(m, sizeof(m));
	cth_store_host16(m + 4, NLMSG_DONE);
	cth_store_host16(m + 6, NLM_F_MULTI);
	cth_store_host32(m + 8, seq);
	script_bytes(script, m, sizeof(m));
}

static const struct cth_helper ftp = {
	.have = CTH_HELPER_QUEUE | CTH_HELPER_PRIV_LEN | CTH_HELPER_STATUS | CTH_HELPER_POLICY,
	.name = "ftp", .l3 = 2, .l4 = 6, .classes = 1, .policy = { { "ftp", 1, 300 } },
};

static void list_it(struct script *script, uint32_t seq)
{
	uint8_t m[512];
	struct cth_msg list;

	cth_msg_init(&list, m, sizeof(m));
	assert_int_equal(cth_helper_put_new(&list, NLM_F_MULTI, seq, &ftp), 0);
	script_bytes(script, m, cth_msg_bytes(&list).n);
}

static void registry_answers(struct script *script, struct cth_span datagram)
{
	struct cth_span left = datagram;
	struct cth_nlmsg m;

	assert_int_equal(cth_nlmsg_next(&left, &m), 1);
	if (m.type == NEW) {
		refuse_whole(script, datagram, registry.of_new);
		return;
	}
	assert_int_equal(m.flags & NLM_F_DUMP, NLM_F_DUMP);
	registry.dumps++;
	if (registry.listed)
		list_it(script, m.seq);
	end_dump(script, m.seq);
}

static int setup(void **state)
{
	(void)state;
	memset(&registry, 0, sizeof(registry));
	script_init(&k);
	cth_sock_seam(&s, &k.io, answers, sizeof(answers));
	s.timeout_ms = 0;
	return 0;
}

static void an_error_with_the_whole_request_is_read_and_explains_nothing(void **state)
{
	(void)state;
	k.on_send = registry_answers;
	registry.of_new = -EPERM;
	assert_int_equal(cth_helper_add(&s, &ftp, &nack), -EPERM);
	assert_int_equal(nack.error, -EPERM);
	assert_int_equal(nack.type, NEW);
	assert_int_equal(nack.seq, 1);
	assert_int_equal(nack.offset, 0);
	assert_int_equal(nack.missing, 0);
	assert_string_equal(nack.text, "");
}

static void an_einval_without_a_sentence_is_looked_into(void **state)
{
	(void)state;
	k.on_send = registry_answers;
	registry.of_new = -EINVAL;
	assert_int_equal(cth_helper_add(&s, &ftp, &nack), -EINVAL); /* the list can be had */
	assert_int_equal(registry.dumps, 1);
}

static void an_end_that_is_a_header_ends_a_dump(void **state)
{
	struct cth_helper list[2];

	(void)state;
	k.on_send = registry_answers;
	assert_int_equal(cth_helper_list(&s, list, N_OF(list), &nack), 0);
	registry.listed = true;
	assert_int_equal(cth_helper_list(&s, list, N_OF(list), &nack), 1);
	assert_string_equal(list[0].name, "ftp");
}

static void the_kernels_own_helper_is_told_from_one_that_is_registered(void **state)
{
	(void)state;
	k.on_send = registry_answers;
	registry.of_new = -EEXIST;
	assert_int_equal(cth_helper_add(&s, &ftp, &nack), -EBUSY);
	assert_int_equal(nack.error, -EEXIST); /* its own word */
	registry.listed = true;
	assert_int_equal(cth_helper_add(&s, &ftp, NULL), -EEXIST);
}

/* What nfnetlink says of a subsystem that it does not have: to each message of what it takes for
   no batch. */
static void refuse_each(struct script *script, struct cth_span datagram)
{
	struct cth_span left = datagram;
	struct cth_nlmsg m;

	while (cth_nlmsg_next(&left, &m) > 0) {
		struct cth_span one = cth_span(datagram.p, datagram.n - left.n);

		if (m.type >> 8 == NFNL_SUBSYS_CTHELPER) {
			list_it(script, m.seq);
			end_dump(script, m.seq);
		} else {
			refuse_whole(script, one, -EINVAL);
		}
		datagram = left;
	}
}

static void without_batches_there_is_no_attaching(void **state)
{
	static const struct cth_attach a = { .helper = "ftp", .l4 = 6, .ipv4 = true };
	static uint8_t room[CTH_ATTACH_ROOM(1)];
	struct cth_msg m;

	(void)state;
	cth_msg_init(&m, room, sizeof(room));
	k.on_send = refuse_each;
	assert_int_equal(cth_attach(&s, &m, &a, &nack), -EOPNOTSUPP);
	assert_int_equal(nack.error, -EINVAL);
	/* What was said of the batch's other messages answers nothing that is asked later. */
	k.in_next = k.ins = 0;
	assert_int_equal(cth_detach(&s, &m, "ftp", false, &nack), -EOPNOTSUPP);
	assert_int_equal(cth_attach_clear(&s, &m, "ftp", false, NULL), -EOPNOTSUPP);
	k.on_send = registry_answers;
	registry.listed = true;
	assert_int_equal(cth_helper_get(&s, "ftp", 2, 6, NULL, &nack), 0);
}

/* Packets */

static struct cth_queue q;
static struct cth_slot ring[2];
static uint8_t slots[2][2048 + CTH_QUEUE_ROOM], out[CTH_QUEUE_OUT];
static size_t packets;
static uint8_t changed[1500];

static void change(const struct cth_pkt *p, struct cth_verdict *v, void *ctx)
{
	(void)p, (void)ctx;
	packets++;
	v->packet = cth_span(changed, sizeof(changed));
}

static void packet_arrives(uint32_t id)
{
	uint8_t m[2048], header[7] = { 0, 0, 0, 0, 8, 0, 4 };
	struct cth_msg p;

	cth_store_be32(header, id);
	cth_msg_init(&p, m, sizeof(m));
	cth_msg_begin(&p, PACKET, 0, 0, 2, 0);
	cth_msg_put(&p, NFQA_PACKET_HDR, header, sizeof(header));
	cth_msg_put(&p, NFQA_PAYLOAD, changed, sizeof(changed));
	assert_int_equal(cth_msg_end(&p), 0);
	script_bytes(&k, m, cth_msg_bytes(&p).n);
}

static void refuse_verdict(struct script *script, struct cth_span datagram)
{
	refuse_whole(script, datagram, -ENOENT);
	script->out_n = script->outs = 0;
}

static void queue_with_slots_of(size_t cap)
{
	for (size_t i = 0; i < N_OF(ring); i++)
		ring[i] = (struct cth_slot){ .buf = slots[i], .cap = cap };
	packets = 0;
	memset(changed, 0, sizeof(changed));
	changed[0] = 0x45;
	cth_store_be16(changed + 2, sizeof(changed));
	changed[9] = 17;
	assert_int_equal(cth_queue_init(&q, &s, ring, N_OF(ring), out, sizeof(out), change, NULL), 0);
	assert_int_equal(cth_queue_adopt(&q, 0, 0), 0);
	k.on_send = refuse_verdict;
}

static void serve(size_t rounds)
{
	while (rounds--)
		assert_true(cth_queue_run(&q, 0, 0) >= 0);
}

static void a_refused_verdict_comes_back_with_its_packet_and_ends_nothing(void **state)
{
	(void)state;
	queue_with_slots_of(sizeof(slots[0]));
	packet_arrives(1);
	serve(3);
	packet_arrives(2);
	serve(3);
	assert_int_equal(packets, 2);
	assert_int_equal(q.stats.verdicts, 2);
	assert_int_equal(q.stats.nacks, 2);
	assert_int_equal(q.last_nack.error, -ENOENT);
	assert_int_equal(s.stats.truncated, 0);
}

/* A verdict may have grown its packet: its echo is longer than any packet that was asked for. */
static void also_where_it_does_not_fit_the_slot(void **state)
{
	uint8_t m[64 + 1500];

	(void)state;
	queue_with_slots_of(CTH_QUEUE_ROOM + 100);
	memset(m, 0, sizeof(m));
	cth_store_host32(m, sizeof(m));
	cth_store_host16(m + 4, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT);
	refuse_whole(&k, cth_span(m, sizeof(m)), -ENOENT);
	serve(2);
	assert_int_equal(q.stats.nacks, 1);
	assert_int_equal(q.last_nack.type, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT);
	assert_int_equal(s.stats.truncated, 1);
	assert_int_equal(s.stats.malformed, 0);
	assert_int_equal(q.stats.malformed, 0);
}

static void nor_does_a_requests_refusal_need_to_fit(void **state)
{
	static uint8_t few[64];

	(void)state;
	cth_sock_seam(&s, &k.io, few, sizeof(few));
	s.timeout_ms = 0;
	k.on_send = registry_answers;
	registry.of_new = -EPERM;
	assert_int_equal(cth_helper_add(&s, &ftp, &nack), -EPERM);
	assert_int_equal(nack.type, NEW);
	assert_int_equal(s.stats.truncated, 1);
}

/* The socket: a kernel that lacks options, in front of the one that there is. */

static bool options_lacking;

int setsockopt(int fd, int level, int option, const void *value, socklen_t n)
{
	if (options_lacking && level == SOL_NETLINK && option > NETLINK_NO_ENOBUFS) {
		errno = ENOPROTOOPT;
		return -1;
	}
	if (options_lacking && level == SOL_SOCKET && option == SO_RCVBUFFORCE) {
		errno = EPERM;
		return -1;
	}
	return (int)syscall(SYS_setsockopt, fd, level, option, value, n);
}

static void a_socket_does_without_options_that_are_not_there(void **state)
{
	static uint8_t request[256];
	struct cth_sock real;
	struct cth_msg m;
	int r;

	(void)state;
	options_lacking = true;
	r = cth_sock_open(&real, answers, sizeof(answers));
	if (r == -EPROTONOSUPPORT) {
		options_lacking = false;
		print_message("qemu-user has no netfilter netlink: no socket was opened\n");
		return;
	}
	assert_int_equal(r, 0);
	assert_false(real.ext_ack);
	assert_false(real.cap_ack);
	assert_true(cth_sock_rcvbuf(&real, 1 << 16) > 0);
	/* And now today's kernel echoes the whole request. */
	cth_msg_init(&m, request, sizeof(request));
	cth_msg_begin(&m, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG, NLM_F_REQUEST | NLM_F_ACK,
		      cth_sock_seq(&real), 0, 65535);
	cth_msg_put_be32(&m, NFQA_CFG_QUEUE_MAXLEN, 1);
	assert_int_equal(cth_msg_end(&m), 0);
	r = cth_sock_request(&real, cth_msg_bytes(&m), NULL, NULL, &nack);
	assert_true(r == -ENODEV || r == -EPERM || r == -EINVAL);
	assert_int_equal(nack.error, r);
	assert_int_equal(nack.type, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG);
	assert_string_equal(nack.text, "");
	assert_int_equal(cth_host32(answers), 20 + cth_msg_bytes(&m).n);
	cth_sock_close(&real);
	options_lacking = false;
}

static void queues_are_listed_with_signed_numbers(void **state)
{
	char at[] = "/tmp/cth-old-XXXXXX", path[256];
	struct proc_queue list[2];
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(at));
	snprintf(path, sizeof(path), "%s/net", at);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/net/netfilter", at);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/net/netfilter/nfnetlink_queue", at);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("    0  -4102     3 2 65531     0     1 -2147483648  1\n", f);
	fclose(f);
	proc_at(at);
	assert_int_equal(proc_queues(list, N_OF(list)), 1);
	assert_int_equal(list[0].portid, (uint32_t)-4102);
	assert_int_equal(list[0].last_id, 0x80000000);
	assert_int_equal(list[0].dropped_socket, 1);
	proc_at("/proc");
	unlink(path);
	for (char *end; (end = strrchr(path, '/')) && end - path >= (ptrdiff_t)strlen(at);) {
		*end = '\0';
		rmdir(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			an_error_with_the_whole_request_is_read_and_explains_nothing, setup),
		cmocka_unit_test_setup(an_einval_without_a_sentence_is_looked_into, setup),
		cmocka_unit_test_setup(an_end_that_is_a_header_ends_a_dump, setup),
		cmocka_unit_test_setup(
			the_kernels_own_helper_is_told_from_one_that_is_registered, setup),
		cmocka_unit_test_setup(without_batches_there_is_no_attaching, setup),
		cmocka_unit_test_setup(
			a_refused_verdict_comes_back_with_its_packet_and_ends_nothing, setup),
		cmocka_unit_test_setup(also_where_it_does_not_fit_the_slot, setup),
		cmocka_unit_test_setup(nor_does_a_requests_refusal_need_to_fit, setup),
		cmocka_unit_test_setup(a_socket_does_without_options_that_are_not_there, setup),
		cmocka_unit_test(queues_are_listed_with_signed_numbers),
	};

	return RUN(tests);
}
