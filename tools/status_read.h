/* SPDX-License-Identifier: MIT */
/*
 * status_read.h - asks runs how they are, and reads what they say: see status.h. Only what
 * status_snapshot.c writes is read, and that strictly:
 *
 *     LINE = "#" text | NAME [ "{" LABEL *( "," LABEL ) "}" ] " " NUMBER
 *     LABEL = NAME "=" DQUOTE text DQUOTE     with \\ \" \n in it
 *     NUMBER = 1*DIGIT [ "." 1*9DIGIT ]       below 2^64
 */
#ifndef TOOLS_STATUS_READ_H
#define TOOLS_STATUS_READ_H

#include "cth.h"
#include "status.h"

#define STATUS_LABELS  8      /* of one value */
#define STATUS_SAMPLES 65536  /* values of one snapshot, at most */
#define STATUS_LENGTH  (1 << 20) /* bytes of one */
#define STATUS_RUNS    64     /* sockets that are asked at once */
#define STATUS_ROWS    1024   /* of a table, at most */
#define STATUS_BOUNDS  32     /* of the times that decisions take */

struct status_label {
	struct cth_span name, value; /* value: as it was escaped */
};

struct status_sample {
	struct cth_span name;
	struct status_label labels[STATUS_LABELS];
	size_t n;
	uint64_t value;
	uint32_t nano; /* billionths, beside value */
};

/* What one socket has said. Zero is nothing. */
struct status {
	char *path;
	char *text;
	size_t n;
	struct status_sample *samples;
	size_t samples_n;
	unsigned line; /* at which it could not be read */
	int error;     /* why there is nothing: -errno */
	int64_t at;    /* when: milliseconds that only grow */
};

/*
 * Reads text, which malloc() gave and s owns from now on: 0 or -errno, which is in s->error too.
 * -EBADMSG: the line s->line is not of the format; -ENODATA: there is none; -EMSGSIZE: it was
 * cut; -EFBIG: more than STATUS_SAMPLES; -ENOMEM.
 */
int status_take(struct status *s, char *text, size_t n);

void status_free(struct status *s);

/* status_ask.c */

/*
 * Asks: 0 or -errno as above, or -ETIMEDOUT, or of connect(2); -EFBIG: more than STATUS_LENGTH.
 * status_free() in any case.
 */
int status_ask(const char *path, int timeout_ms, struct status *s);

/*
 * All that words name, folders standing for all sockets in them; without words STATUS_FOLDER's.
 * Sockets of a folder that nobody listens at are left out. How many were asked, with or without
 * success; -errno: *of is a folder that cannot be read. status_free() for each.
 */
int status_ask_all(char **words, int words_n, int timeout_ms, struct status runs[STATUS_RUNS],
		   const char **of);

/* Says why it could not be asked: an exit code. And in half a sentence, with what to do or NULL. */
int status_failed(const struct status *s);
const char *status_why(const struct status *s, const char **remedy);

/* status_read.c */

/* The label's value; empty: it has none. */
struct cth_span status_label(const struct status_sample *s, const char *name);

/* The run's own value: one without a helper or a queue. 0: it tells none. */
uint64_t status_of_run(const struct status *s, const char *name);

/* What the tables show of a helper. */
enum status_column {
	STATUS_PACKETS, STATUS_EXPECTED, STATUS_AGAIN, STATUS_REFUSED, STATUS_EDITS, STATUS_PASSED,
	STATUS_VIOLATIONS, STATUS_DROPPED, STATUS_COLUMNS
};
struct status_row {
	const struct status *from;
	struct cth_span helper, queue, netns;
	uint64_t counts[STATUS_COLUMNS];
	struct {
		uint64_t within, n; /* nanoseconds, UINT64_MAX: beyond all; how many took no longer */
	} times[STATUS_BOUNDS];
	size_t times_n;
	uint64_t sum;               /* nanoseconds, of all */
};

/*
 * The helpers of all runs, or their queues, sorted by name: how many rows; free() them. -ENOMEM.
 * What is beyond STATUS_ROWS is left out.
 */
int status_rows(const struct status *runs, size_t n, bool queues, struct status_row **rows);

/* Is it a value of that row? */
bool status_in_row(const struct status_row *row, const struct status_sample *s);

/*
 * status.c: says that there is nobody to be asked, or why the folder cannot be read: an exit
 * code.
 */
int status_nobody(int err, const char *folder);

/* status_show.c */

/* Text, of n runs; JSON, a line. Those with an error are left out. */
void status_print(FILE *f, const struct status *runs, size_t n);
void status_json(FILE *f, const struct status *runs, size_t n);

/* The format itself, families of several runs joined. */
void status_prometheus(FILE *f, const struct status *runs, size_t n);

/* What has happened between two looks, per second; before may be of other runs, or of none. */
void status_rates(FILE *f, const struct status *before, size_t before_n, const struct status *now,
		  size_t n);

#endif
