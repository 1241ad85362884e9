/* SPDX-License-Identifier: MIT */
/*
 * applets.h - all applets, and those of them that this program has.
 */
#ifndef TOOLS_APPLETS_H
#define TOOLS_APPLETS_H

#include "cth.h"

extern const struct applet helper_add_applet, helper_get_applet, helper_list_applet,
	helper_del_applet, helper_flush_applet, helper_enable_applet, helper_disable_applet,
	helper_set_applet;
extern const struct applet nfct_helper_add_applet, nfct_helper_get_applet, nfct_helper_del_applet;
extern const struct applet attach_applet, detach_applet, record_applet;
extern const struct applet expect_list_applet, expect_get_applet, expect_add_applet,
	expect_del_applet, expect_flush_applet, expect_watch_applet;
extern const struct applet run_protocols_applet;
extern const struct applet queue_applet, stats_applet, nfqnl_test_applet, doctor_applet;
extern const struct applet decode_applet, replay_applet;
extern const struct applet status_applet, top_applet;

/* In the order in which `cth help` shows them; NULL ends each. */
extern const struct applet *const applets[];
extern const struct applet *const applet_links[]; /* those that are links to the program, too */
extern const char *const applets_left_out[];      /* first words: "expect" */

#endif
