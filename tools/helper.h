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

/* Takes [NAME [L3 [L4]]] off the command line: -1, or an exit code and it has been said. */
int parse_selection(const struct applet *self, int argc, char **argv, struct selection *which);

/* "test (inet tcp)", as a phrase(). */
const char *selection_text(const struct selection *which);
const char *helper_text(const struct cth_helper *h);

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

/* How helpers are shown. */
enum helper_form {
	HELPER_BLOCK, /* a line for each part: cth helper get */
	HELPER_LINE,  /* one line: cth helper list */
	HELPER_NFCT,  /* as the program nfct-helper-get has it, and the classes */
	HELPER_JSON,
};
void show_helpers(const struct cth_helper *list, size_t n, enum helper_form form);

#endif
