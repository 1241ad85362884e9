/* SPDX-License-Identifier: MIT */
/*
 * expect.h - what the applets of expectations share: one language in which they are typed
 * and shown, so that a line of `cth expect list` is what `cth expect del` takes.
 *
 *     TUPLE [mask src=ADDRESS sport=BITS] [master TUPLE] [nat dir=reply sport=PORT] WORD...
 *
 *     TUPLE    tcp src=10.0.1.2 dst=10.0.2.2 sport=0 dport=40000
 *     WORD     class=0 flags=permanent,inactive helper=NAME fn=NAME zone=5 id=0x1f timeout=9
 */
#ifndef TOOLS_EXPECT_H
#define TOOLS_EXPECT_H

#include "cth.h"
#include "../cthelper/expect.h"

/* The longest line: three tuples of IPv6, NAT's and all words. */
#define EXPECT_LINE 768

/* expect_words.c: words typed. Each -1, or an exit code and it has been said. */

/* All of an expectation that is to be made; what may be left out is filled in. */
int take_expectation(const struct applet *self, int argc, char **argv, struct cth_expect *e);

/* Tuple, id and zone; the other words of a line are known, and not looked at. */
int take_expectation_key(const struct applet *self, int argc, char **argv, struct cth_expect *e);

/* expect_show.c: words shown. */

/* "tcp src=10.0.1.2 dst=10.0.2.2 sport=0 dport=40000": a phrase(). */
const char *tuple_words(const struct cth_tuple *t);

/* The whole line, without a newline. */
const char *expect_words(const struct cth_expect *e, char line[EXPECT_LINE]);

/* An object, as a member of what is open; key as with json_open(). */
void expect_json(struct json *j, const char *key, const struct cth_expect *e);

#endif
