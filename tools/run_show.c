/* SPDX-License-Identifier: MIT */
/*
 * run_show.c - what `cth run` shows of what happens. On stdout with -v a line for each thing,
 * new words only ever at the end:
 *
 *     ftp expected TUPLE for 10.0.1.2:34567 > 10.0.2.2:21
 *     ftp expected TUPLE port=5000 for FLOW
 *     ftp refused TUPLE for FLOW: EMFILE: why
 *     ftp note foreign for FLOW: why
 *
 * TUPLE is as `cth expect get` takes it: tcp src=10.0.2.2 dst=10.0.1.2 sport=0 dport=5001.
 * port is the owner's own one, when the other side was told another. On stderr what an operator
 * has to know, each cause once for each helper: the counters tell how often it came.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>
#include "expect.h"
#include "run.h"

/*
 * Standard output. A packet waits for its verdict while its line is written: so a line that its
 * reader has no room for is left out and counted, and a reader that has gone is done without.
 */

bool reader_has_room(struct run *r, int wait_ms)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	if (r->mute)
		return false;
	if (poll(&out, 1, wait_ms) != 1) {
		r->untold++;
		return false;
	}
	return true;
}

void show_no_more(struct run *r, const char *why)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	r->mute = true;
	warn("standard output: %s: no more is shown there; the service goes on", why);
	if (fd >= 0) {
		dup2(fd, STDOUT_FILENO);
		close(fd);
	}
	clearerr(stdout);
	fflush(stdout);
}

void shown(struct run *r)
{
	int error;

	errno = 0;
	if (r->mute || (fflush(stdout) == 0 && !ferror(stdout)))
		return;
	error = output_error();
	if (error != EPIPE)
		r->write_error = error;
	show_no_more(r, errno_name(error));
}

/* Events. */

static const char *const event_words[] = {
	[CTH_EVENT_EXPECTED] = "expected",
	[CTH_EVENT_AGAIN] = "again",
	[CTH_EVENT_REFUSED] = "refused",
	[CTH_EVENT_UNSURE] = "unsure",
	[CTH_EVENT_EDIT_REFUSED] = "edit-refused",
	[CTH_EVENT_NOTE] = "note",
	[CTH_EVENT_LEFT] = "left",
	[CTH_EVENT_VIOLATION] = "violation",
};

static const struct {
	const char *word, *text;
	const char *remedy; /* NULL: nothing that an operator would have to know */
} notes[CTH_NOTES] = {
	[CTH_NOTE_FOREIGN] = { "foreign", "an address of a third party is announced",
			       "--allow-foreign, if that is meant to be" },
	[CTH_NOTE_LOW_PORT] = { "low-port", "a port below 1024 is announced",
				"--allow-low-ports, if that is meant to be" },
	[CTH_NOTE_GARBLED] = { "garbled", "what is announced cannot be read", NULL },
	[CTH_NOTE_UNFOLLOWED] = { "unfollowed", "it was not seen as the other side may have it, "
				  "or came too late to be rewritten", NULL },
	[CTH_NOTE_SEALED] = { "sealed", "the flow is encrypted from here on", NULL },
};

static bool is_note(const struct cth_event *e)
{
	return e->kind == CTH_EVENT_NOTE && (size_t)e->note < CTH_NOTES && notes[e->note].word;
}

static const char *end_text(const struct cth_addr *a, uint16_t port)
{
	char text[INET6_ADDRSTRLEN];

	if (!a->family || !inet_ntop(a->family, a->b, text, sizeof(text)))
		return "?";
	return phrase(a->family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
}

static const char *flow_text(const struct cth_flow *f)
{
	const struct cth_tuple *t = &f->orig;

	return phrase("%s > %s", end_text(&t->src, t->sport), end_text(&t->dst, t->dport));
}

/* ": EMFILE: why" */
static const char *reason(const struct cth_event *e)
{
	const char *why = is_note(e) ? notes[e->note].text : e->why;

	return phrase("%s%s%s%s", e->error ? ": " : "", e->error ? errno_name(e->error) : "",
		      why ? ": " : "", why ? why : "");
}

/* The owner's own port; 0: the other side was told the same. */
static uint16_t own_port(const struct cth_event *e)
{
	return e->expect && e->port != e->expect->tuple.dport ? e->port : 0;
}

static void print_event(const struct cth_event *e)
{
	printf("%s %s", cth_served_name(e->served), event_words[e->kind]);
	if (is_note(e))
		printf(" %s", notes[e->note].word);
	if (e->expect)
		printf(" %s", tuple_words(&e->expect->tuple));
	if (own_port(e))
		printf(" port=%u", own_port(e));
	printf(" for %s%s\n", flow_text(e->flow), reason(e));
}

static void flow_json(struct json *j, const struct cth_flow *f)
{
	const struct cth_tuple *t = &f->orig;
	char text[INET6_ADDRSTRLEN] = "?", l4[12];

	json_open(j, "flow", '{');
	json_string(j, "l4", l4_name(t->l4, l4));
	inet_ntop(t->src.family, t->src.b, text, sizeof(text));
	json_string(j, "src", text);
	json_number(j, "sport", t->sport);
	inet_ntop(t->dst.family, t->dst.b, text, sizeof(text));
	json_string(j, "dst", text);
	json_number(j, "dport", t->dport);
	json_close(j, '}');
}

static void event_json(const struct cth_event *e)
{
	struct json j = { .f = stdout };

	json_open(&j, NULL, '{');
	json_string(&j, "event", event_words[e->kind]);
	json_string(&j, "helper", cth_served_name(e->served));
	if (is_note(e))
		json_string(&j, "note", notes[e->note].word);
	if (e->expect)
		expect_json(&j, "expectation", e->expect);
	if (own_port(e))
		json_number(&j, "port", own_port(e));
	flow_json(&j, e->flow);
	if (e->error)
		json_string(&j, "error", errno_name(e->error));
	if (is_note(e) || e->why)
		json_string(&j, "why", is_note(e) ? notes[e->note].text : e->why);
	json_close(&j, '}');
}

/* Warnings. */

/* true: this cause is new for this helper. */
static bool is_first(struct run *r, const struct cth_event *e)
{
	struct run_cause cause = {
		.served = e->served,
		.kind = e->kind,
		.number = e->kind == CTH_EVENT_NOTE ? (int)e->note : e->error,
		.why = e->why,
	};

	for (size_t i = 0; i < r->told_n; i++)
		if (r->told[i].served == cause.served && r->told[i].kind == cause.kind &&
		    r->told[i].number == cause.number && r->told[i].why == cause.why)
			return false;
	if (r->told_n == RUN_CAUSES)
		return false;
	r->told[r->told_n++] = cause;
	return true;
}

/* What to do about an expectation that the kernel does not take, beyond what its why says. */
static const char *refusal_remedy(const struct cth_event *e)
{
	switch (-e->error) {
	case EPERM:
		return permission_remedy(false);
	case EPROTONOSUPPORT:
		return "modprobe nf_conntrack_netlink";
	case EINVAL:
		return e->expect && e->expect->have & CTH_EXPECT_FN ? "try: modprobe nf_nat" : NULL;
	}
	return NULL;
}

static const char *note_remedy(const struct cth_event *e)
{
	if (e->note == CTH_NOTE_FOREIGN && !(e->served->proto->wants_dest & CTH_TO_OTHER))
		return "no option changes that, as this helper opens the way to who announces, alone";
	return notes[e->note].remedy;
}

static const char *remedy_of(const struct cth_event *e)
{
	return e->kind == CTH_EVENT_REFUSED ? refusal_remedy(e) : is_note(e) ? note_remedy(e) : NULL;
}

static bool concerns_operator(const struct cth_event *e)
{
	return e->kind == CTH_EVENT_REFUSED || e->kind == CTH_EVENT_EDIT_REFUSED ||
	       e->kind == CTH_EVENT_VIOLATION || (is_note(e) && notes[e->note].remedy);
}

static void warn_of(struct run *r, const struct cth_event *e)
{
	static const char *const texts[] = {
		[CTH_EVENT_REFUSED] = "an expectation could not be made",
		[CTH_EVENT_EDIT_REFUSED] = "a packet could not be rewritten, and passed as it was",
		[CTH_EVENT_NOTE] = "an announcement is not followed",
		[CTH_EVENT_VIOLATION] = "the protocol wanted what it may not, and nothing was done",
	};
	const char *what = e->expect ? phrase(" (%s)", tuple_words(&e->expect->tuple)) : "";
	const char *remedy = remedy_of(e);

	if (is_first(r, e))
		warn("%s: %s: %s%s%s%s%s; from now on this is only counted",
		     cth_served_name(e->served), flow_text(e->flow), texts[e->kind], what, reason(e),
		     remedy ? "; " : "", remedy ? remedy : "");
}

void show_event(const struct cth_event *e, void *ctx)
{
	struct run *r = ctx;

	if ((size_t)e->kind >= sizeof(event_words) / sizeof(event_words[0]))
		return;
	if (concerns_operator(e))
		warn_of(r, e);
	if (!r->verbose || !reader_has_room(r, 0))
		return;
	if (common.json)
		event_json(e);
	else
		print_event(e);
	shown(r);
}

void show_gaps(struct run *r)
{
	for (size_t i = 0; i < r->places_n; i++) {
		struct run_place *p = &r->places[i];

		if (p->gaps_told || !p->service.queue.stats.gaps)
			continue;
		p->gaps_told = true;
		warn("the queue was full: packets passed unseen or were lost, and what they announced "
		     "is not expected; try --queue-len and --rcvbuf");
	}
}
