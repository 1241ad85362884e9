/* SPDX-License-Identifier: MIT */
/*
 * asking.h - what tests of protocols share whose questions are answered to the port that they came
 * from: the decision d, which expects just that, or nothing.
 */
#ifndef TEST_UNIT_ASKING_H
#define TEST_UNIT_ASKING_H

#include <netinet/in.h>
#include <sys/socket.h>
#include "unit.h"
#include "../../cthelper/proto.h"

static struct cth_decision d;

static inline void assert_nothing_else(uint32_t timeout)
{
	assert_false(d.drop);
	assert_false(d.leave);
	assert_false(d.state_changed);
	assert_int_equal(d.announced_n, 0);
	assert_int_equal(d.counted_n, 0);
	assert_int_equal(d.timeout, timeout);
}

static inline void assert_answers(uint8_t source, uint16_t source_port, uint8_t flags,
				  uint32_t timeout)
{
	assert_nothing_else(timeout);
	assert_int_equal(d.notes, 0);
	assert_int_equal(d.wanted_n, 1);
	assert_int_equal(d.wanted[0].class_number, 0);
	assert_int_equal(d.wanted[0].l4, IPPROTO_UDP);
	assert_int_equal(d.wanted[0].source, source);
	assert_int_equal(d.wanted[0].source_port, source_port);
	assert_int_equal(d.wanted[0].dest, CTH_TO_SELF);
	assert_int_equal(d.wanted[0].flags, flags);
	assert_int_equal(d.wanted[0].note_at, CTH_NOWHERE);
}

static inline void assert_ignored(uint8_t notes)
{
	assert_nothing_else(0);
	assert_int_equal(d.wanted_n, 0);
	assert_int_equal(d.notes, notes);
}

static inline void assert_garbled(void)
{
	assert_ignored(1 << CTH_NOTE_GARBLED);
}

static inline void assert_silent(void)
{
	assert_ignored(0);
}

#endif
