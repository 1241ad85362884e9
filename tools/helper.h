/* SPDX-License-Identifier: MIT */
/*
 * helper.h - what the applets that name helpers share: how helpers are found and shown,
 * and what the kernel's refusals mean.
 */
#ifndef TOOLS_HELPER_H
#define TOOLS_HELPER_H

#include "cth.h"

/* A helper's key, or a part of it that several share; no name: all of them. */
struct selection {
	const char *name;
	bool has_l3, has_l4;
	uint16_t l3;
	uint8_t l4;
};

/* What a command line asks for. */
struct request {
	struct selection which;
	struct cth_helper h;  /* of it: queue, private length, classes, status */
	uint32_t given;       /* CTH_HELPER_*: which of them were told */
	bool all;
	const char *l3, *l4;  /* -3, -4 */
};

/*
 * request.c: each takes the command line, or the words [NAME [L3 [L4]]] of it: -1, or an
 * exit code and it has been said. mine: the letters of the options that the applet has.
 */
int take_selection(const struct applet *self, const char *mine, int argc, char **argv,
		   struct request *r);
int take_new(const struct applet *self, int argc, char **argv, struct request *r);
int parse_selection(const struct applet *self, int argc, char **argv, struct selection *which);

/* The class of this name, or NULL. */
struct cth_helper_class *find_class(struct cth_helper *h, const char *name);

/* registry.c: "test (inet tcp)", and "test inet tcp" as the command line takes it: phrase()s. */
const char *selection_text(const struct selection *which);
const char *helper_text(const struct cth_helper *h);
const char *key_words(const struct cth_helper *h);

/* "data:4:30 control:1:60": the classes as the command line takes them. */
#define CLASS_WORDS 160 /* four classes with longest names and numbers, and their blanks */
const char *class_words(const struct cth_helper *h, char words[CLASS_WORDS]);

/* All that are registered: how many, in *list, to be freed; or -errno. */
int all_helpers(struct cth_sock *s, struct cth_helper **list, struct cth_nack *nack);

/*
 * Those registered helpers that match: 0 and *n of them in *list, to be freed. Or an exit
 * code, and the reason has been said; a name without a helper is one.
 */
int select_helpers(struct cth_sock *s, const struct selection *which, struct cth_helper **list,
		   size_t *n);

/* What the errors that all requests to the registry share mean; the exit code. */
int helper_refused(int err, const struct cth_nack *nack, const char *tried);

/*
 * Says what is odd about a helper's service. Enabled with nobody on its queue, new flows
 * are never confirmed; disabled, which is no harm, it does nothing.
 */
void note_service(const struct cth_helper *h, bool disabled_too);

/* Says on stdout what has been done, unless it was a dry run or JSON says it. */
void done(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* helper_add.c: -EBUSY of a registration: whose the name is, and what to do; the exit code. */
int kernel_has_its_own(const struct cth_helper *h, const struct cth_nack *nack,
		       const char *tried);

/* What of the helper that is there is not as wanted, in words; "": nothing. */
void differences(const struct cth_helper *there, const struct cth_helper *want, char *text,
		 size_t n);

/* show.c: how helpers are shown. */
enum helper_form {
	HELPER_BLOCK, /* a line for each part: cth helper get */
	HELPER_LINE,  /* one line: cth helper list */
	HELPER_NFCT,  /* as the program nfct-helper-get has it, and the classes */
	HELPER_JSON,
};
void show_helpers(const struct cth_helper *list, size_t n, enum helper_form form);

#endif
