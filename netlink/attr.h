/* SPDX-License-Identifier: MIT */
/*
 * attr.h - the parser: a cursor that only shrinks, over the messages of a
 * datagram and over the attributes of a message. No length in the input is
 * believed before it was held against what is left.
 */
#ifndef CTH_ATTR_H
#define CTH_ATTR_H

#include <stdbool.h>
#include "span.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One message of a datagram. Spans lie in the datagram and live as long as it does. */
struct cth_nlmsg {
	uint16_t type;   /* subsystem << 8 | message, or NLMSG_* below 16 */
	uint16_t flags;
	uint32_t seq;
	uint32_t portid;
	uint8_t family;  /* of nfgenmsg; 0 in control messages */
	uint16_t res_id; /* of nfgenmsg, host order; 0 in control messages */
	bool cut;        /* its end is missing: see cth_nlmsg_rest() */
	struct cth_span whole; /* from the nlmsghdr on, without the padding behind */
	struct cth_span attrs; /* behind nfgenmsg; of control messages: behind nlmsghdr */
};

/*
 * Takes the next message off the datagram: 1; nothing left: 0; a length that is
 * impossible, or a message too short for its headers: -EBADMSG, and the cursor
 * stays where it is. The last message may lack its padding.
 */
int cth_nlmsg_next(struct cth_span *datagram, struct cth_nlmsg *m);

/*
 * What is left when that said -EBADMSG, read as the beginning of a message, as far as it
 * goes: 1, or 0 if not even its headers are there. m->cut is set. Of control messages only
 * NLMSG_ERROR, for kernels before 4.3 have it echo as long a request as was made.
 */
int cth_nlmsg_rest(struct cth_span rest, struct cth_nlmsg *m);

struct cth_attr {
	uint16_t type; /* without the two flag bits */
	bool nested;   /* NLA_F_NESTED was set; senders need not */
	struct cth_span value;
};

/* Takes the next attribute off the cursor: 1; nothing left: 0; malformed: -EBADMSG. */
int cth_attr_next(struct cth_span *cursor, struct cth_attr *a);

/* What a known attribute must look like. A rule whose max is 0 means: not known. */
struct cth_attr_rule {
	uint16_t min;
	uint16_t max;
	bool string; /* must hold a NUL within max bytes */
};

#define CTH_ATTR_ANY UINT16_MAX /* a max for "as long as it likes" */

/*
 * Files every attribute of a level under its type: values[type], absent ones with
 * p == NULL. Unknown types are skipped, of duplicates the last one stands, as in
 * the kernel. -EBADMSG malformed, -ERANGE too short or too long for its rule,
 * -EINVAL a string without its NUL. rules and values have n entries each.
 */
int cth_attr_index(struct cth_span level, const struct cth_attr_rule *rules, size_t n,
		   struct cth_span *values);

/*
 * The value of one attribute, of duplicates the last, of whatever length; p == NULL: there is none,
 * or the level is malformed.
 */
struct cth_span cth_attr_find(struct cth_span level, uint16_t type);

/* Where a known attribute goes: a field of a struct. */
struct cth_attr_field {
	uint8_t as;    /* enum cth_attr_as */
	uint16_t at;   /* offsetof */
	uint32_t part; /* bits that tell of it */
};

/* What it is, which is of the field's own length. */
enum cth_attr_as {
	CTH_ATTR_UNKNOWN, /* skipped */
	CTH_ATTR_SPAN,    /* of any length: a struct cth_span */
	CTH_ATTR_U8, CTH_ATTR_BE16, CTH_ATTR_BE32, CTH_ATTR_BE64, /* integers of host order */
	CTH_ATTR_4, CTH_ATTR_16, /* so many bytes, as they are */
};

/*
 * Reads a level into the struct that its fields are of, and adds the parts that are there to
 * *told; what is not there stays as it is. Types and errors are as above: -ERANGE is another
 * length than the field's. What came before an error is read.
 */
int cth_attr_read(struct cth_span level, const struct cth_attr_field *fields, size_t n,
		  void *into, uint32_t *told);

#ifdef __cplusplus
}
#endif
#endif
