/* SPDX-License-Identifier: MIT */
/*
 * options.c - the options that every applet has, and the help that they lead to.
 */
#include <assert.h>
#include <string.h>
#include "cth.h"

#ifndef CTH_VERSION
#define CTH_VERSION "of unknown version"
#endif

struct common common;

static const struct applet_option common_options[] = {
	{ "help", no_argument, 'h' },
	{ "version", no_argument, 'V' },
	{ "json", no_argument, 'j' },
	{ "record", required_argument, OPT_RECORD },
	{ "dry-run", no_argument, OPT_DRY_RUN },
	{ NULL, 0, 0 },
};

#define OPTIONS_MAX 48 /* of an applet, common ones included */

/* As getopt takes them: a list with zeros at its end, and letters, with a colon behind some. */
struct getopt_words {
	struct option list[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 2];
};

static void add_options(struct getopt_words *w, const struct applet_option *o)
{
	size_t n = 0, used = strlen(w->letters);

	while (w->list[n].name)
		n++;
	for (; o->name && n < OPTIONS_MAX; o++) {
		w->list[n++] = (struct option){ o->name, o->argument, NULL, o->number };
		if (o->number < OPT_RECORD)
			w->letters[used++] = (char)o->number;
		if (o->number < OPT_RECORD && o->argument)
			w->letters[used++] = ':';
	}
	assert(!o->name); /* or one would be unknown to getopt */
}

int next_option(int argc, char **argv, const struct applet_option *own)
{
	struct getopt_words w = { .letters = "" };

	if (!own)
		w.letters[0] = '+';
	add_options(&w, common_options);
	if (own)
		add_options(&w, own);
	return getopt_long(argc, argv, w.letters, w.list, NULL);
}

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
