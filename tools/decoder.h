/* SPDX-License-Identifier: MIT */
/*
 * decoder.h - the parts of `cth decode`: attrs.c has values and attributes, messages.c
 * messages and datagrams, decode.c frames and the applet.
 */
#ifndef TOOLS_DECODER_H
#define TOOLS_DECODER_H

#include "decode.h"
#include "schema.h"
#include "tree.h"

struct decoder {
	struct tree tree;
	const uint8_t *base; /* of the datagram: offsets count from here */
	bool to_kernel;
	/* Of the frame that it came in, for JSON; number 0: there is none. */
	size_t number;
	int64_t ns;          /* since the first one */
};

static inline size_t offset_of(const struct decoder *d, struct cth_span s)
{
	return (size_t)(s.p - d->base);
}

/* All attributes of a level that lies in so many nests, one line each. */
void show_attributes(struct decoder *d, struct cth_span level, const struct schema_attr *table,
		     unsigned depth);

/* All messages of a datagram. */
void show_datagram(struct decoder *d, struct cth_span bytes);

/* What JSON has of the frame in every object; in text it has a line of its own. */
void show_frame_json(struct decoder *d);

/* Adds the names of the bits that are set to "A|B", and takes them off what is left. */
void bit_names(char *text, size_t cap, const char *bits, uint32_t *left);

/* And the rest as a number. */
void other_bits(char *text, size_t cap, uint32_t left);

#endif
