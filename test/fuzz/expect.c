/* SPDX-License-Identifier: MIT */
/*
 * expect.c - fuzz target: expectations, in messages and in verdicts. What the parser lets
 * through and the builder takes has to come out of both as it went in.
 */
#include <stdlib.h>
#include "../../cthelper/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define NFQA_EXP 15

static void again(const struct cth_expect *e)
{
	struct cth_expect back;
	uint8_t room[640]; /* what the library itself gives a message */
	struct cth_msg m;

	cth_msg_init(&m, room, sizeof(room));
	if (cth_expect_put_new(&m, 0, 1, e) != (cth_expect_check(e, NULL) < 0 ? -22 : 0))
		abort();
	cth_msg_reset(&m);
	cth_msg_begin_bare(&m);
	if (cth_expect_put(&m, e) < 0)
		return;
	if (cth_msg_end(&m) < 0 || cth_expect_parse(&back, cth_msg_bytes(&m)) < 0)
		abort();
	if (!cth_tuple_equal(&back.tuple, &e->tuple) || back.id != e->id ||
	    back.class_number != e->class_number || back.flags != e->flags ||
	    back.zone != e->zone || strcmp(back.helper, e->helper) != 0 ||
	    strcmp(back.fn, e->fn) != 0 || back.mask.sport != (back.mask.has_ports ? e->mask.sport : 0))
		abort();
}

static void expectation(struct cth_span attrs)
{
	struct cth_expect e;

	if (cth_expect_parse(&e, attrs) < 0)
		return;
	if (!memchr(e.helper, 0, sizeof(e.helper)) || !memchr(e.fn, 0, sizeof(e.fn)))
		abort();
	again(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cth_span d = cth_span(data, n);
	struct cth_expect e;
	struct cth_nlmsg m;
	struct cth_attr a;

	expectation(d);
	while (cth_nlmsg_next(&d, &m) > 0) {
		cth_expect_event(&e, &m);
		expectation(m.attrs);
		while (cth_attr_next(&m.attrs, &a) > 0)
			if (a.type == NFQA_EXP)
				expectation(a.value);
	}
	return 0;
}
