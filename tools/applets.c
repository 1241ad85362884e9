/* SPDX-License-Identifier: MIT */
/*
 * applets.c - the list of applets. Above each line is the first word of their names: tools/choose
 * makes programs of fewer from it, for `make TOOLS="run queue"`.
 */
#include "applets.h"

const struct applet *const applets[] = {
	/* helper */
	&helper_add_applet, &helper_get_applet, &helper_list_applet, &helper_set_applet,
	&helper_enable_applet, &helper_disable_applet, &helper_del_applet, &helper_flush_applet,
	/* run */
	&run_protocols_applet,
	/* status */
	&status_applet,
	/* top */
	&top_applet,
	/* attach */
	&attach_applet,
	/* detach */
	&detach_applet,
	/* expect */
	&expect_list_applet, &expect_get_applet, &expect_add_applet,
	&expect_del_applet, &expect_flush_applet, &expect_watch_applet,
	/* queue */
	&queue_applet, &stats_applet,
	/* record */
	&record_applet,
	/* decode */
	&decode_applet,
	/* replay */
	&replay_applet,
	/* doctor */
	&doctor_applet,
	NULL
};

const struct applet *const applet_links[] = {
	/* helper */
	&nfct_helper_add_applet, &nfct_helper_get_applet, &nfct_helper_del_applet,
	/* queue */
	&nfqnl_test_applet,
	NULL
};

const char *const applets_left_out[] = { NULL };
