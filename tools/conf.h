/* SPDX-License-Identifier: MIT */
/*
 * conf.h - the configuration of the helper service: cth.conf, or the Helper section of a
 * conntrackd.conf.
 *
 *     # words of the whole file stand at the beginning of a line
 *     keeper cth-keeper  worker cth-worker
 *     log to syslog
 *
 *     helper ftp queue 1 ports 21,2121 attach
 *         class ftp max 8 timeout 60       # indented lines belong to the helper above
 *
 * Words may stand on one line or on several, each once ("ports" add up); a value with blanks,
 * or one that is a word itself, is put in double quotes, and there \" and \\ are " and \.
 * conf_words is the list of all.
 */
#ifndef TOOLS_CONF_H
#define TOOLS_CONF_H

#include <stdio.h>
#include <sys/types.h>
#include "../cthelper/attach.h"
#include "../cthelper/helper.h"
#include "../cthelper/proto.h"

#define CONF_LINE   1023 /* bytes, at most */
#define CONF_ERRORS 10   /* of a file that are told; the others are counted */
#define CONF_PATH   255

#define CONF_IPV4 (1u << 0)
#define CONF_IPV6 (1u << 1)

/* Words, in the order in which they are printed; CONF_HELPER begins those of a helper. */
enum conf_number {
	CONF_KEEPER, CONF_WORKER, CONF_STATUS, CONF_PACKETS, CONF_RESTARTS, CONF_DEADLINE, CONF_LOG,
	CONF_HELPER, CONF_AS, CONF_NETNS, CONF_QUEUE, CONF_QUEUE_LENGTH, CONF_FAMILIES, CONF_ATTACH,
	CONF_PORTS, CONF_ALLOW, CONF_EXPECTATIONS, CONF_DECISIONS, CONF_FAIL, CONF_FULL,
	CONF_CLASS, CONF_MAX, CONF_TIMEOUT, CONF_WORDS
};

enum conf_kind {
	CONF_IS_USER, CONF_IS_PATH, CONF_IS_NETNS, CONF_IS_NAME, /* char * */
	CONF_IS_NUMBER,  /* uint32_t, or as many as the form has */
	CONF_IS_CHOICE,  /* bool: the second of the two */
	CONF_IS_SET,     /* uint32_t: bits, the first is 1 << 0 */
	CONF_IS_FLAG,    /* bool */
	CONF_IS_PORTS, CONF_IS_PROTOCOL, CONF_IS_CLASS, CONF_IS_CLASS_NUMBER,
};

struct conf_word {
	const char *form;      /* "queue NUMBER": capitals are a value, other words stand as they are */
	const char *means;     /* half a sentence */
	const char *otherwise; /* what counts when the word is absent; NULL: it must be there */
	enum conf_kind kind;
	bool live;             /* changes without a restart */
	size_t at;             /* in struct conf, or in struct conf_helper */
	uint32_t min[2], max[2];
};
extern const struct conf_word conf_words[CONF_WORDS];

struct conf_class { /* beside proto->classes */
	uint32_t max, timeout;
	unsigned max_at, timeout_at; /* lines; 0: the protocol's own */
};

struct conf_helper {
	const struct cth_proto *proto;
	char *name;               /* by which it is registered */
	char *netns;              /* a name of `ip netns`, or a path; NULL: the one we are in */
	uint32_t queue, length;   /* length: packets that may wait */
	uint32_t families;        /* CONF_IPV4 | CONF_IPV6 */
	bool attach;
	struct cth_ports *ports;  /* sorted, apart from each other; with attach never none */
	size_t ports_n;
	uint32_t allow;           /* CTH_ALLOW_* */
	uint32_t expectations, decisions; /* per second; 0: no limit */
	bool fail_closed;         /* what cannot be decided is dropped */
	bool full_closed;         /* what finds the queue full is dropped */
	struct conf_class classes[CTH_CLASSES];
	unsigned at[CONF_WORDS];  /* the line of each word, 0: absent; CONF_HELPER is always there */
};

struct conf {
	char *file;               /* for messages */
	char *keeper, *worker;    /* users: names or numbers, see conf_users() */
	bool optional_users;      /* they are of the command line, and so is the advice */
	char *status, *packets;   /* paths; NULL: off */
	struct {
		uint32_t count, seconds;
	} restarts;
	uint32_t deadline;        /* milliseconds for a packet */
	bool syslog;
	struct conf_helper *helpers; /* one at least */
	size_t n;
	unsigned at[CONF_WORDS];
};

/* Sentences: "cth.conf:12: port 70000: a number from 1 to 65535". Zero is none. */
struct conf_says {
	char **texts;
	size_t n, more;           /* more: that were not kept, being beyond most */
	size_t most;              /* 0: all are kept */
	bool failed;              /* no memory */
};
struct conf_report {
	struct conf_says errors, notes;
};

/*
 * Reads a configuration; "-" is standard input. *r is zero before. 0: *c is whole, and
 * r->notes are warnings. -EINVAL, -ENOMEM, or what reading the file gave: r->errors tell,
 * *c is empty, whatever it was: keep the old one elsewhere. conf_report_free() in any case.
 * Whether users, folders and namespaces exist is not looked at.
 */
int conf_read(struct conf *c, const char *path, struct conf_report *r);
int conf_read_conntrackd(struct conf *c, const char *path, struct conf_report *r);

/* The same of bytes in memory; file is their name in messages. */
int conf_parse(struct conf *c, const char *file, struct cth_span text, struct conf_report *r);
int conf_parse_conntrackd(struct conf *c, const char *file, struct cth_span text,
			  struct conf_report *r);

void conf_free(struct conf *c);
void conf_report_free(struct conf_report *r);

/* Each sentence on a line of its own, then how many more there were. */
void conf_tell(FILE *f, const struct conf_says *s);

/* The whole configuration, every default told: it reads back as the same. */
void conf_print(FILE *f, const struct conf *c);

/*
 * The users' numbers. -EINVAL: one does not exist, is root, or both are one; r->errors tell.
 * A number needs no entry in the system's list, and is its own group then.
 */
struct conf_ids {
	uid_t uid;
	gid_t gid;
};
int conf_users(const struct conf *c, struct conf_ids *keeper, struct conf_ids *worker,
	       struct conf_report *r);

/*
 * What differs, as a set of 1 << CONF_*: of the whole file's words, and of one helper's (class
 * has no bit of its own: max and timeout do).
 */
uint32_t conf_changes(const struct conf *old, const struct conf *now);
uint32_t conf_helper_changes(const struct conf_helper *old, const struct conf_helper *now);

/* Which helper of c this is: the same name in the same namespace; NULL: none. */
const struct conf_helper *conf_find(const struct conf *c, const struct conf_helper *h);

/*
 * May now take old's place without a restart? 0: yes, and every helper is conf_find() in the
 * other. Else how many changes may not, a sentence in restart for each. -ENOMEM.
 */
int conf_difference(const struct conf *old, const struct conf *now, struct conf_says *restart);

/* For the readers: defaults, one more helper (NULL: no memory), and the end. */
int conf_begin(struct conf *c, const char *file, struct conf_report *r);
struct conf_helper *conf_add(struct conf *c, const struct cth_proto *proto, unsigned line);
void conf_set_protocol(struct conf_helper *h, const struct cth_proto *proto);

/* CONF_IPV4 | CONF_IPV6, or the only one that the protocol is of. */
uint32_t conf_families(const struct cth_proto *proto);
void conf_set_text(char **to, const char *text, struct conf_report *r);
void conf_add_ports(struct conf_helper *h, uint16_t first, uint16_t last, struct conf_report *r);
int conf_end(struct conf *c, struct conf_report *r); /* checks all; frees *c unless 0 */
void conf_say(struct conf_says *s, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
bool conf_is_text(const char *file, struct cth_span text, struct conf_report *r);
typedef int conf_parse_fn(struct conf *c, const char *file, struct cth_span text,
			  struct conf_report *r);
int conf_read_as(struct conf *c, const char *path, conf_parse_fn *parse, struct conf_report *r);
const char *conf_protocols(char list[512]);          /* "ftp, tftp" */
const struct conf_word *conf_word(const char *text); /* NULL: there is none */
bool conf_is_literal(const char *piece, size_t n);   /* of a form */
bool conf_same_text(const char *a, const char *b);   /* or both are NULL */

#endif
