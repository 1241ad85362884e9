/* SPDX-License-Identifier: MIT */
/*
 * cth.c - one program, many applets. What was called is found in this order:
 *
 *     the name of the program, when it is a link        nfct-helper-add test 0
 *     two words, or one                                 cth helper add test, cth attach test
 *     two words the other way round, as with nfct       cth add helper test inet tcp
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include "applets.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

/* Other words for the verbs of "helper" and "expect". */
static const struct {
	const char *typed, *meant;
} verbs[] = {
	{ "delete", "del" }, { "remove", "del" }, { "show", "get" }, { "ls", "list" },
	{ "update", "set" },
};

static const char *verb(const char *word)
{
	for (size_t i = 0; i < N_OF(verbs); i++)
		if (strcmp(word, verbs[i].typed) == 0)
			return verbs[i].meant;
	return word;
}

static const struct applet *find_link(const char *name)
{
	for (size_t i = 0; applet_links[i]; i++)
		if (strcmp(applet_links[i]->name, name) == 0)
			return applet_links[i];
	return NULL;
}

static const struct applet *find_named(const char *name)
{
	for (size_t i = 0; applets[i]; i++)
		if (strcmp(applets[i]->name, name) == 0)
			return applets[i];
	return find_link(name);
}

/* Finds the applet of the first words, and of how many. */
static const struct applet *find(int argc, char **argv, int *words)
{
	const struct applet *found = NULL;

	*words = 2;
	if (argc >= 2)
		found = find_named(phrase("%s %s", argv[0], verb(argv[1])));
	if (!found && argc >= 2 && (strcmp(argv[1], "helper") == 0 || strcmp(argv[1], "expect") == 0))
		found = find_named(phrase("%s %s", argv[1], verb(argv[0])));
	if (found)
		return found;
	*words = 1;
	return argc >= 1 ? find_named(argv[0]) : NULL;
}

/* Is the word the first one of some applets' names? */
static bool is_noun(const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; applets[i]; i++)
		if (strncmp(applets[i]->name, word, n) == 0 && applets[i]->name[n] == ' ')
			return true;
	return false;
}

/* There is none of the first words: says so, and whether there could be. */
static int no_applet(int argc, char **argv)
{
	for (int i = 0; i < 2 && i < argc; i++)
		for (size_t k = 0; applets_left_out[k]; k++)
			if (strcmp(argv[i], applets_left_out[k]) == 0) {
				warn("'%s' was left out when this program was built; `cth help` lists "
				     "what it has", argv[i]);
				return CTH_EXIT_USAGE;
			}
	warn("there is no applet '%s'; `cth help` lists them", argv[0]);
	return CTH_EXIT_USAGE;
}

/* What applets there are, one on a line with the first line of its help; noun: only its own. */
static void list_applets(FILE *f, const char *noun)
{
	size_t n = noun ? strlen(noun) : 0;

	for (size_t i = 0; applets[i]; i++) {
		const struct applet *a = applets[i];

		if (noun && (strncmp(a->name, noun, n) != 0 || (a->name[n] && a->name[n] != ' ')))
			continue;
		fprintf(f, "  cth %-15s %.*s\n", a->name, (int)strcspn(a->help, "\n"), a->help);
	}
	for (size_t i = 0; applet_links[i] && !noun; i++)
		fprintf(f, "  %-19s %.*s\n", applet_links[i]->name,
			(int)strcspn(applet_links[i]->help, "\n"), applet_links[i]->help);
}

static void overview(FILE *f, const char *noun)
{
	fprintf(f, "usage: cth %s ...\n\n", noun ? noun : "APPLET");
	list_applets(f, noun);
	fprintf(f, "\n`cth help%s%s APPLET` tells more of one, --version which version this is.\n",
		noun ? " " : "", noun ? noun : "");
}

static int run(const struct applet *a, const char *called_by, int argc, char **argv)
{
	char name[64];

	snprintf(name, sizeof(name), "%s", called_by);
	said_by = name;
	argv[0] = name;
	optind = 0; /* both libcs: forget what was parsed before */
	int status = a->main(a, argc, argv);

	said_by = "cth";
	return status;
}

/* `cth help WORDS...` */
static int help(int argc, char **argv)
{
	const struct applet *a;
	int words;

	a = find(argc, argv, &words);
	if (a && words == argc)
		show_help(a, find_link(a->name) ? a->name : phrase("cth %s", a->name));
	else if (argc == 0)
		overview(stdout, NULL);
	else if (argc == 1 && is_noun(argv[0]))
		overview(stdout, argv[0]);
	else
		return no_applet(argc, argv);
	return CTH_EXIT_OK;
}

int run_applet(int argc, char **argv)
{
	const struct applet *a;
	int words;

	if (argc == 0) {
		overview(stderr, NULL);
		return CTH_EXIT_USAGE;
	}
	if (strcmp(argv[0], "help") == 0 || strcmp(argv[0], "--help") == 0 ||
	    strcmp(argv[0], "-h") == 0)
		return help(argc - 1, argv + 1);
	if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0)
		return show_version();

	a = find(argc, argv, &words);
	if (a)
		return run(a, phrase("cth %s", a->name), argc - words + 1, argv + words - 1);
	if (is_noun(argv[0])) {
		if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
			return help(1, argv);
		if (argc > 1)
			warn("there is no applet '%s %s'", argv[0], argv[1]);
		overview(stderr, argv[0]);
		return CTH_EXIT_USAGE;
	}
	return no_applet(argc, argv);
}

/* Data that could not be written is a failure too, such as on a full disk. */
static int finish(int status)
{
	int recorded = kernel_end_recording();

	/* Whoever read our output has seen enough, and that has been respected. */
	if (interrupted == SIGPIPE)
		return status ? status : recorded;
	errno = 0;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		int written = fail(output_error(), "write to standard output", NULL, NULL);

		return status ? status : written;
	}
	return status ? status : recorded;
}

int main(int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "cth";
	const struct applet *a = find_link(name);

	if (a)
		return finish(run(a, a->name, argc, argv));
	return finish(run_applet(argc - 1, argv + 1));
}
