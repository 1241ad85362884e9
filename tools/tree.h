/* SPDX-License-Identifier: MIT */
/*
 * tree.h - what was decoded, on its way out: either as text, a line for each node and
 * its children indented below it, or as JSON, an object for each node:
 *
 *     NFCTH_TUPLE                             {"attr":"NFCTH_TUPLE","attrs":[
 *       NFCTH_TUPLE_L3PROTONUM 2 (inet)         {"attr":"NFCTH_TUPLE_L3PROTONUM",
 *                                                "value":2,"meaning":"inet"}]}
 */
#ifndef TOOLS_TREE_H
#define TOOLS_TREE_H

#include "cth.h"

struct tree {
	bool json;
	size_t shown;    /* of opaque bytes: how many, before "... N more" */
	/* private */
	struct json j;   /* its f is where the text goes as well */
	unsigned indent;
	bool line;       /* text: something stands in this line */
};

/*
 * A node. kind is the key of its name in JSON, and in text nothing; prefix is the other
 * way round. name may be "". Values come between begin and end, and then, between down
 * and up, children.
 */
void tree_begin(struct tree *t, const char *kind, const char *prefix, const char *name);
void tree_end(struct tree *t);
void tree_down(struct tree *t, const char *key);
void tree_up(struct tree *t);

/* Values. A key of NULL: the node's one value. */
void tree_number(struct tree *t, const char *key, uint64_t v);
void tree_signed(struct tree *t, const char *key, int64_t v);
void tree_hex(struct tree *t, const char *key, uint64_t v, int digits);
void tree_word(struct tree *t, const char *key, const char *word);
void tree_meaning(struct tree *t, const char *key, const char *meaning); /* of the last number */
void tree_quoted(struct tree *t, const char *key, struct cth_span text);
void tree_bytes(struct tree *t, struct cth_span bytes);
void tree_number_json(struct tree *t, const char *key, uint64_t v); /* that text goes without */

/* What is wrong with the node, and where, counted in bytes of the datagram. */
void tree_bad(struct tree *t, size_t offset, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
