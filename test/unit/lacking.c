/* SPDX-License-Identifier: MIT */
/*
 * lacking.c - the question whether a kernel has NAT: what is asked, and what the answers mean. That
 * kernels answer so is seen in test/vm/lacking.
 */
#include "unit.h"
#include "../../cthelper/flow.h"
#include "../../netlink/attr.h"
#include "../../netlink/uapi.h"
#include "../../tools/lacking.h"

static struct script k;
static struct cth_sock s;
static uint8_t answers[CTH_SOCK_BUF];
static int answer;
static bool deaf;

static void answers_so(struct script *script, struct cth_span datagram)
{
	struct cth_nlmsg m;

	while (cth_nlmsg_next(&datagram, &m) > 0)
		if (!deaf)
			script_ack(script, m.seq, answer);
}

static int setup(void **state)
{
	(void)state;
	script_init(&k);
	k.on_send = answers_so;
	answer = 0;
	deaf = false;
	cth_sock_seam(&s, &k.io, answers, sizeof(answers));
	s.timeout_ms = 0;
	return 0;
}

static int asked(int error)
{
	answer = error;
	return lacking_ask_nat(&s);
}

static void who_cannot_read_the_number_has_nat(void **state)
{
	(void)state;
	assert_int_equal(asked(-ERANGE), 1);
}

static void who_does_not_know_what_is_meant_has_none(void **state)
{
	(void)state;
	assert_int_equal(asked(-EOPNOTSUPP), 0);
}

static void who_makes_the_connection_has_nat_too(void **state)
{
	(void)state;
	assert_int_equal(asked(0), 1);
}

static void any_other_answer_is_none(void **state)
{
	const int errors[] = { -EPERM, -EINVAL, -EEXIST, -ENOMEM, -EBUSY, -ENOENT };

	(void)state;
	for (size_t i = 0; i < N_OF(errors); i++)
		assert_int_equal(asked(errors[i]), errors[i]);
}

static void silence_is_no_answer(void **state)
{
	(void)state;
	deaf = true;
	assert_int_equal(lacking_ask_nat(&s), -ETIMEDOUT);
}

static void what_cannot_be_sent_is_not_taken_for_an_answer(void **state)
{
	(void)state;
	k.send_error[0] = -EOPNOTSUPP;
	assert_int_equal(lacking_ask_nat(&s), -EOPNOTSUPP);
}

/* It must not be one that the kernel could make. */
static void the_question_is_a_connection_that_cannot_be_made(void **state)
{
	struct cth_span datagram, nest = { 0 };
	struct cth_nlmsg m;
	struct cth_attr a;
	struct cth_flow f;

	(void)state;
	assert_int_equal(asked(-ERANGE), 1);
	assert_int_equal(k.outs, 1);
	datagram = script_sent(&k, 0);
	assert_int_equal(cth_nlmsg_next(&datagram, &m), 1);
	assert_int_equal(m.type, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW);
	assert_int_equal(m.flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	assert_int_equal(cth_flow_parse(&f, m.attrs), 0);
	assert_int_equal(f.have, CTH_FLOW_ORIG | CTH_FLOW_REPLY | CTH_FLOW_TIMEOUT);
	assert_int_equal(f.timeout, 1);
	assert_true(cth_addr_equal(&f.orig.src, &f.reply.dst));
	assert_true(cth_addr_equal(&f.orig.dst, &f.reply.src));
	assert_int_equal(f.orig.sport, f.reply.dport);
	assert_int_equal(f.orig.dport, f.reply.sport);
	while (cth_attr_next(&m.attrs, &a) > 0)
		if (a.type == CTA_NAT_SRC)
			nest = a.value;
	assert_int_equal(cth_attr_next(&nest, &a), 1);
	assert_int_equal(a.type, CTA_NAT_V6_MINIP);
	assert_true(a.value.n < 16); /* what it takes to be read */
	assert_int_equal(nest.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_cannot_read_the_number_has_nat, setup),
		cmocka_unit_test_setup(who_does_not_know_what_is_meant_has_none, setup),
		cmocka_unit_test_setup(who_makes_the_connection_has_nat_too, setup),
		cmocka_unit_test_setup(any_other_answer_is_none, setup),
		cmocka_unit_test_setup(silence_is_no_answer, setup),
		cmocka_unit_test_setup(what_cannot_be_sent_is_not_taken_for_an_answer, setup),
		cmocka_unit_test_setup(the_question_is_a_connection_that_cannot_be_made, setup),
	};

	return RUN(tests);
}
