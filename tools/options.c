/* SPDX-License-Identifier: MIT */
/*
 * options.c - the options that every applet has, and the help that they lead to.
 */
#include <string.h>
#include "cth.h"

#ifndef CTH_VERSION
#define CTH_VERSION "of unknown version"
#endif

struct common common;

void show_help(const struct applet *a, const char *called_by)
{
	printf("usage: %s %s\n\n%s", called_by, a->usage, a->help);
	if (a->help[0] && a->help[strlen(a->help) - 1] != '\n')
		putchar('\n');
	printf("\nEvery applet has these options:\n"
	       "  -h, --help                    this text\n"
	       "  -V, --version                 the version\n"
	       "  -j, --json                    the output as JSON, where there is some\n"
	       "      --record FILE             write all that is exchanged with the kernel to a pcap\n"
	       "      --dry-run                 show what would change the kernel, do not send it\n"
	       "\nExit codes: 0 done, 1 failure, 2 usage, 3 not supported by this kernel,\n"
	       "4 permission, 5 busy.\n");
}

int show_version(void)
{
	printf("cth %s\n", CTH_VERSION);
	return CTH_EXIT_OK;
}

int common_option(const struct applet *self, int c)
{
	switch (c) {
	case 'h':
		show_help(self, said_by);
		return CTH_EXIT_OK;
	case 'V':
		return show_version();
	case 'j':
		common.json = true;
		return -1;
	case OPT_RECORD:
		common.record = optarg;
		return -1;
	case OPT_DRY_RUN:
		common.dry_run = true;
		return -1;
	}
	/* getopt has said what is wrong. */
	fprintf(stderr, "usage: %s %s\n", said_by, self->usage);
	return CTH_EXIT_USAGE;
}
