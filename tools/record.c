/* SPDX-License-Identifier: MIT */
/*
 * record.c - `cth record FILE APPLET...` is the applet with --record FILE: for those who
 * want the whole of a command recorded without looking where its options go.
 */
#include "cth.h"

static int record_main(const struct applet *self, int argc, char **argv)
{
	int c, bad = -1;

	/* What follows the file is the other applet's. */
	while (bad < 0 && (c = next_option(argc, argv, NULL)) != -1)
		bad = common_option(self, c);
	if (bad >= 0)
		return bad;
	if (argc - optind < 2)
		return usage_error(self, "%s", optind == argc ? "the file's name is missing"
							      : "what is to be recorded?");
	common.record = argv[optind];
	return run_applet(argc - optind - 1, argv + optind + 1);
}

const struct applet record_applet = {
	"record", "FILE APPLET [ARGUMENT]...",
	"Runs an applet and writes what it exchanges with the kernel to a pcap.\n\n"
	"`cth decode FILE` shows it, so does Wireshark: the link type is 253, netlink.\n"
	"\nExample:\n"
	"  cth record add.pcap helper add test 0\n",
	record_main,
};
