/* SPDX-License-Identifier: MIT */
/*
 * schema.h - what is known of nfnetlink's messages: their names, and of every
 * attribute its name, its layout and what its values mean. Tables only: decode.c
 * prints by them, swap.c converts byte orders by them.
 *
 * Numbers are written out beside the kernel's names for them, so that headers of
 * any age will do; test/unit/decode.c holds them against the system's.
 */
#ifndef TOOLS_SCHEMA_H
#define TOOLS_SCHEMA_H

#include <stdbool.h>
#include "../netlink/span.h"

enum schema_kind {
	S_BYTES,  /* opaque */
	S_U8,
	S_BE16,
	S_BE32,
	S_BE64,
	S_HOST32, /* in the order of the machine that wrote it, as S_HOST64 and S_WORDS */
	S_HOST64,
	S_WORDS,  /* any number of 32-bit words */
	S_STRING, /* ends with a NUL */
	S_TEXT,   /* need not */
	S_IPV4,
	S_IPV6,
	S_HWADDR, /* struct nfqnl_msg_packet_hw */
	S_PACKET, /* from the network header on */
	S_STRUCT, /* one behind the other, what nest lists */
	S_NEST,   /* attributes, of the table nest */
	S_CHOICE, /* attributes, of that table of choices which the sibling of type by names */
};

#define SCHEMA_DEPTH 16 /* nests in nests that are followed */

/*
 * The meanings of values, or of bits of them, are one text: "0 NONE", a NUL, "1 SYN_SENT", a NUL
 * and so on, and an empty one behind the last. Of two hundred, pointers and padding would be three
 * kilobytes.
 */
#define WORD(value, name) #value " " name "\0"

struct schema_word {
	uint32_t value;
	const char *name;
};

/* There are some three hundred of them: of pointers each has two. */
struct schema_attr {
	const char *name; /* NULL ends the table */
	union {
		const char *words;               /* of values, or, with bits, of bits */
		const struct schema_attr *nest;  /* of S_NEST; of S_STRUCT: fields of fixed size */
		const struct schema_choice *choices; /* of S_CHOICE */
	};
	uint16_t type;
	uint8_t kind;     /* enum schema_kind */
	uint8_t by;       /* of S_CHOICE */
	bool hex;         /* print numbers so */
	bool sign;        /* two's complement */
	bool bits;
	bool verdict;     /* its low byte and its high bits are things of their own */
};

struct schema_choice {
	const char *key;  /* a string; or NULL, and it is the be32 number */
	uint32_t number;
	const struct schema_attr *nest; /* NULL ends the list */
};

/* What the upper flags of a message mean depends on its verb. */
enum schema_verb {
	S_OTHER,
	S_NEW,
	S_GET,
	S_DELETE,
};

struct schema_message {
	const char *name; /* NULL ends the list */
	const struct schema_attr *attrs;
	uint8_t number;
	uint8_t verb;     /* enum schema_verb */
	bool answer;      /* only what the kernel sends under this number */
};

struct schema_subsystem {
	uint8_t number;
	const char *name; /* NULL ends the list */
	const struct schema_message *messages;
};

extern const struct schema_attr schema_ext_ack[];          /* behind NLMSG_ERROR, NLMSG_DONE */
extern const char schema_families[];                       /* nfgenmsg's, NFPROTO_* */
extern const struct schema_message schema_nft_messages[];  /* schema_nft.c */
extern const struct schema_message schema_nft_batch[];
extern const struct schema_message schema_nft_compat[];

const struct schema_subsystem *schema_subsystem(uint16_t type);

/* By a message's type; request tells a request from what the kernel sends. NULL: unknown. */
const struct schema_message *schema_message(uint16_t type, bool request);

/* An attribute in a table, which may be NULL. NULL: unknown. */
const struct schema_attr *schema_attr(const struct schema_attr *table, uint16_t type);

/*
 * Which table the S_CHOICE attribute of this level, if it has one, takes; NULL: unknown.
 * foreign: the level's attribute headers are in the other byte order.
 */
const struct schema_attr *schema_choice(const struct schema_attr *table, struct cth_span level,
					bool foreign);

/* The next word of a list, which moves on; false: there is none, or no list. */
bool schema_next_word(const char **words, struct schema_word *w);

/* The name of a value; NULL: it has none. */
const char *schema_word(const char *words, uint32_t value);

/* Shorthands of the tables. */
#define ATTR(t, n, ...) { .type = (t), .name = (n), .kind = __VA_ARGS__ }
#define FIELD(n, ...)   { .name = (n), .kind = __VA_ARGS__ }
#define MESSAGE(t, v, n, ...) { .number = (t), .verb = (v), .name = (n), .attrs = __VA_ARGS__ }
#define BITS(list)      .bits = true, .words = (list)
#define END             { .name = NULL }
#define END_CHOICE      { .nest = NULL }

#endif
