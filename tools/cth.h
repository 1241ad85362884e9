/* SPDX-License-Identifier: MIT */
/*
 * cth.h - what the applets of the program cth share. One file is one applet, or one
 * family of them; cth.c has the table.
 */
#ifndef TOOLS_CTH_H
#define TOOLS_CTH_H

#include <getopt.h>
#include <stdio.h>
#include <sys/types.h>
#include "../netlink/socket.h"
#include "../queue/queue.h"
#include "../cthelper/helper.h"

/* Exit codes, as documented in the README and in every --help. */
enum {
	CTH_EXIT_OK          = 0,
	CTH_EXIT_FAILURE     = 1,
	CTH_EXIT_USAGE       = 2,
	CTH_EXIT_UNSUPPORTED = 3, /* this kernel lacks it */
	CTH_EXIT_PERMISSION  = 4,
	CTH_EXIT_BUSY        = 5,
};

/*
 * A file that has an applet defines `const struct applet NAME_applet`, and cth.c lists it.
 * argv[0] is what the applet was called by, "cth helper add" or "nfct-helper-add": getopt
 * and the functions of say.c put it in front of what they say.
 */
struct applet {
	const char *name;     /* "helper add": words of the command line */
	const char *usage;    /* what follows the name, on one line */
	const char *help;     /* a sentence, on a line of its own; then options and an example */
	int (*main)(const struct applet *self, int argc, char **argv);
};

/* Runs the applet that the words name; they are what would follow "cth". */
int run_applet(int argc, char **argv);

/* An option of an applet: --name, and -l where its number is a letter. The last has no name. */
struct applet_option {
	const char *name;
	uint8_t argument;     /* no_argument, required_argument */
	uint16_t number;
};
enum { OPT_RECORD = 1000, OPT_DRY_RUN, OPT_APPLET = 1100 };

/*
 * getopt_long() of an applet's options and those that every applet has, which are for
 * common_option(). own is NULL: there are no others, and the first word ends them.
 */
int next_option(int argc, char **argv, const struct applet_option *own);

struct common {
	bool json;
	bool dry_run;          /* show what would be sent, send nothing that changes */
	const char *record;    /* a pcap to write the exchange to */
};
extern struct common common;

/*
 * Handles a common option: -1 when it was one. Otherwise an exit code that the applet
 * returns at once (help was shown, or the option is unknown and that has been said).
 */
int common_option(const struct applet *self, int c);

/* What -h and -V print, on stdout. */
void show_help(const struct applet *a, const char *called_by);
int show_version(void);

/* say.c: what people read. Data goes to stdout, all of this to stderr, or to syslog: log.h. */

/* What is put in front of it: the words that the applet was called by. */
extern const char *said_by;

/* "ENOENT" of ENOENT or of -ENOENT: symbols, for numbers differ between machines. */
const char *errno_name(int err);

/* The exit code that stands for an errno. */
int exit_code(int err);

/* Why stdout failed: errno, or when that was some time ago and is lost, what can be seen now. */
int output_error(void);

/* "APPLET: tried: ERRNO: cause; remedy" and the exit code for err. cause, remedy may be NULL. */
int fail(int err, const char *tried, const char *cause, const char *remedy);

/* The same when the kernel may have refused: its extended ACK's text joins the cause. */
int fail_nack(int err, const struct cth_nack *nack, const char *tried, const char *cause,
	      const char *remedy);

/* "APPLET: ..." and the usage line; CTH_EXIT_USAGE. */
int usage_error(const struct applet *self, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What is no complaint: nothing is put in front of it. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A sentence made of parts, for the functions above. The last sixteen of them live. */
const char *phrase(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * -EPERM of something that needs CAP_NET_ADMIN: why it was refused, and what to do. first:
 * only the first user namespace counts, as for helpers.
 */
const char *permission_cause(bool first);
const char *permission_remedy(bool first);

/* Numbers of the command line: false unless the whole text is one, min to max. */
bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/* inet|inet6|ipv4|ipv6|2|10, tcp|udp|...|0-255; and back: "inet", "tcp", or a number in buf. */
bool parse_l3(const char *text, uint16_t *l3);
bool parse_l4(const char *text, uint8_t *l4);
const char *l3_name(uint16_t l3, char buf[12]);
const char *l4_name(uint8_t l4, char buf[12]);

/*
 * JSON: objects and lists open and close, members in between; strings are escaped.
 * bracket is '{' or '[' when opening and either form of it when closing. key is NULL inside a
 * list and at the top, where a newline follows the end.
 */
struct json {
	FILE *f;
	bool comma;
	unsigned depth;
};
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);
void json_string(struct json *j, const char *key, const char *value);
void json_bytes(struct json *j, const char *key, struct cth_span value); /* not terminated */
void json_number(struct json *j, const char *key, uint64_t value);
void json_signed(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);

/* kernel.c: the socket of an applet, recorded and dry-run as the common options say. */

/* Opens it: 0, or an exit code, and the reason has been said. */
int kernel_open(struct cth_sock *s);

/* The same with room for answers that the caller gives, and that lives as long as s. */
int kernel_open_sized(struct cth_sock *s, void *buf, size_t cap);

/* The same on a descriptor that is open already: s owns it then. */
int kernel_open_on(struct cth_sock *s, int fd);

/* The same with a socket that is open already, or has a seam for a kernel. */
int kernel_adopt(struct cth_sock *s);

/* Bytes of a receive buffer in which so many packets of a queue find room. */
int kernel_buffer(uint64_t packets);

void kernel_close(struct cth_sock *s);

/*
 * Begins the recording, if there is to be one: 0, or an exit code, and why has been said. The
 * first socket does so as well; this is for those who say something before.
 */
int kernel_begin_recording(void);

/* Its descriptor, or -1. */
int kernel_recording_fd(void);

/* Ends the recording, after the last socket: 0, or an exit code, and why has been said. */
int kernel_end_recording(void);

/*
 * files.c: a whole file in memory: 0; -EFBIG: it has more bytes than most; or -errno. free() it.
 * "-" is standard input.
 */
int read_file(const char *path, size_t most, uint8_t **bytes, size_t *n);

/* interrupts.c: SIGINT, SIGTERM and the like ask the program to end; run loops look at this. */
extern volatile int interrupted;
void catch_interrupts(void);

/*
 * In a child: only the parent, by this signal or its death, says when to end. What is sent to a
 * whole group of processes, by a terminal or an init system, is not for the child.
 */
#define SIGNAL_OF_PARENT SIGUSR1
void obey_parent(pid_t parent);

#endif
