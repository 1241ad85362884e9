/* SPDX-License-Identifier: MIT */
/*
 * rehearse.c - a recording's packets through engine and protocol, before a pretended kernel:
 *
 *     recording --> tape --> cth_queue_feed --> engine <--> protocol
 *                                  |              |
 *                    verdict, taken apart       pretend.c: a table of expectations
 *
 * What the recorded program answered, and what it kept as the flows' state, counts for nothing.
 * For each packet with something for the protocol there is a line, and below it what came of it:
 *
 *     #31 +0.052311 original 10.0.1.2:40196 > 10.0.2.2:21 "PORT 10,0,1,2,156,64\r\n"
 *       expected tcp src=10.0.2.2 dst=10.0.2.1 sport=0 dport=50000 mask ... nat ... port=40000
 *       edit "10,0,1,2,156,64" -> "10,0,2,1,195,80"
 *       state 00000001 9c400000
 *       verdict ACCEPT with packet flow
 *
 * port is the owner's own one, where the other side is told another.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "../cthelper/engine.h"
#include "../netlink/uapi.h"
#include "decode.h"
#include "expect.h"
#include "pretend.h"
#include "rehearse.h"

#define PACKET_TYPE  (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)
#define VERDICT_TYPE (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT)
#define QUOTED       96 /* bytes of a body that are shown */
#define EVENTS       16 /* of one packet */

struct happening {
	struct cth_event event;
	struct cth_expect expect;
	bool has_expect;
};

/* What the engine made of one packet. */
struct outcome {
	const struct cth_pcap_frame *frame;
	struct cth_pkt packet;
	struct cth_call call;
	bool decided;
	struct happening events[EVENTS];
	size_t events_n;
	uint32_t word;                 /* of the verdict */
	bool has_flow, has_expect, has_packet;
	struct cth_flow flow;
	uint8_t info[CTH_FLOW_INFO];
	size_t info_n;
	struct cth_span body;          /* the new one */
};

struct stage {
	const struct rehearsal *what;
	struct pretend kernel;
	struct cth_sock sock, control;
	struct cth_queue queue;
	struct cth_served served;
	struct cth_engine engine;
	struct cth_flight *flights;
	struct outcome o;
	uint64_t sec;                  /* of the first frame */
	uint32_t nsec;
	size_t frame;
	bool crowded;
	uint8_t out[CTH_QUEUE_OUT], answers[CTH_SOCK_BUF], sent[CTH_PACKET_MAX + CTH_QUEUE_OUT];
};

/* Text. */

static void put_quoted(struct cth_span text)
{
	size_t n = text.n < QUOTED ? text.n : QUOTED;

	putchar('"');
	for (size_t i = 0; i < n; i++) {
		uint8_t c = text.p[i];

		if (c == '\r')
			fputs("\\r", stdout);
		else if (c == '\n')
			fputs("\\n", stdout);
		else if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < ' ' || c > '~')
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	putchar('"');
	if (n < text.n)
		printf(" ... %zu more", text.n - n);
}

static const char *end_text(const struct cth_addr *a, uint16_t port)
{
	char text[INET6_ADDRSTRLEN];

	if (!a->family || !inet_ntop(a->family, a->b, text, sizeof(text)))
		return "?";
	return phrase(a->family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
}

static const char *event_word(enum cth_event_kind kind)
{
	static const char *const words[] = {
		[CTH_EVENT_EXPECTED] = "expected", [CTH_EVENT_AGAIN] = "again",
		[CTH_EVENT_REFUSED] = "refused", [CTH_EVENT_UNSURE] = "unsure",
		[CTH_EVENT_EDIT_REFUSED] = "edit-refused", [CTH_EVENT_NOTE] = "note",
		[CTH_EVENT_LEFT] = "left", [CTH_EVENT_VIOLATION] = "violation",
	};

	return words[kind];
}

static const char *note_word(enum cth_note note)
{
	static const char *const words[CTH_NOTES] = {
		[CTH_NOTE_FOREIGN] = "foreign", [CTH_NOTE_LOW_PORT] = "low-port",
		[CTH_NOTE_GARBLED] = "garbled", [CTH_NOTE_UNFOLLOWED] = "unfollowed",
		[CTH_NOTE_SEALED] = "sealed",
	};

	return (size_t)note < CTH_NOTES && words[note] ? words[note] : "other";
}

static void put_hex(FILE *f, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s%02x", i && i % 4 == 0 ? " " : "", p[i]);
}

/* Where old and new part, widened to whole words. */

static bool separates(uint8_t c)
{
	return c <= ' ' || c == '(' || c == ')';
}

static void where_they_differ(struct cth_span *old, struct cth_span *new)
{
	size_t n = old->n < new->n ? old->n : new->n, from = 0, end = 0;

	while (from < n && old->p[from] == new->p[from])
		from++;
	while (from > 0 && !separates(old->p[from - 1]))
		from--;
	while (end < n - from && old->p[old->n - 1 - end] == new->p[new->n - 1 - end])
		end++;
	while (end > 0 && !separates(old->p[old->n - end]))
		end--;
	*old = cth_span(old->p + from, old->n - end - from);
	*new = cth_span(new->p + from, new->n - end - from);
}

static bool is_plain(const struct outcome *o)
{
	return o->word == CTH_ACCEPT && !o->has_flow && !o->has_expect && !o->has_packet;
}

static const char *verdict_words(const struct outcome *o)
{
	return phrase("%s%s%s%s%s", o->word == CTH_DROP ? "DROP" : "ACCEPT",
		      is_plain(o) || o->word == CTH_DROP ? "" : " with",
		      o->has_packet ? " packet" : "", o->has_flow ? " flow" : "",
		      o->has_expect ? " expectation" : "");
}

static void print_event(const struct happening *h)
{
	const struct cth_event *e = &h->event;
	struct cth_expect x = h->expect;
	char line[EXPECT_LINE];

	printf("  %s", event_word(e->kind));
	if (e->kind == CTH_EVENT_NOTE)
		printf(" %s", note_word(e->note));
	x.have &= ~(uint32_t)(CTH_EXPECT_MASTER | CTH_EXPECT_ID); /* the line above tells it */
	if (h->has_expect)
		printf(" %s", expect_words(&x, line));
	if (e->port && !(h->has_expect && e->port == x.tuple.dport))
		printf(" port=%u", e->port);
	if (e->error)
		printf(": %s", errno_name(e->error));
	if (e->why)
		printf(": %s", e->why);
	putchar('\n');
}

static void print_changes(const struct outcome *o)
{
	struct cth_span old = o->call.view.body, new = o->body;

	if (o->has_packet) {
		where_they_differ(&old, &new);
		fputs("  edit ", stdout);
		put_quoted(old);
		fputs(" -> ", stdout);
		put_quoted(new);
		putchar('\n');
	}
	if (o->info_n) {
		fputs("  state ", stdout);
		put_hex(stdout, o->info, o->info_n);
		putchar('\n');
	}
	if (o->flow.have & CTH_FLOW_TIMEOUT)
		printf("  timeout %" PRIu32 "\n", o->flow.timeout);
}

static uint64_t micros(const struct stage *s)
{
	const struct cth_pcap_frame *f = s->o.frame;

	return (f->sec - s->sec) * 1000000 + f->nsec / 1000 - s->nsec / 1000;
}

static void print_outcome(const struct stage *s)
{
	const struct outcome *o = &s->o;
	const struct cth_view *v = &o->call.view;
	uint64_t us = micros(s);
	char summary[SUMMARY_MAX];

	printf("#%zu +%" PRIu64 ".%06" PRIu64 " ", s->frame, us / 1000000, us % 1000000);
	if (o->decided) {
		printf("%s %s > %s ", v->reply ? "reply" : "original",
		       end_text(&v->self, v->self_port), end_text(&v->peer, v->peer_port));
		put_quoted(v->body);
	} else {
		packet_summary(o->packet.payload, summary);
		printf("%s %s", o->call.served ? "bare" : "other", summary);
	}
	putchar('\n');
	for (size_t i = 0; i < o->events_n; i++)
		print_event(&o->events[i]);
	print_changes(o);
	if (s->what->verbose || !is_plain(o))
		printf("  verdict %s\n", verdict_words(o));
}

/* JSON. */

static void event_json(struct json *j, const struct happening *h)
{
	const struct cth_event *e = &h->event;

	json_open(j, NULL, '{');
	json_string(j, "event", event_word(e->kind));
	if (e->kind == CTH_EVENT_NOTE)
		json_string(j, "note", note_word(e->note));
	if (h->has_expect)
		expect_json(j, "expectation", &h->expect);
	if (e->port)
		json_number(j, "port", e->port);
	if (e->error)
		json_string(j, "error", errno_name(e->error));
	if (e->why)
		json_string(j, "why", e->why);
	json_close(j, '}');
}

static void changes_json(struct json *j, const struct outcome *o)
{
	char hex[2 * CTH_FLOW_INFO + 1];

	if (o->has_packet) {
		json_open(j, "edit", '{');
		json_bytes(j, "old", o->call.view.body);
		json_bytes(j, "new", o->body);
		json_close(j, '}');
	}
	for (size_t i = 0; i < o->info_n; i++)
		sprintf(hex + 2 * i, "%02x", o->info[i]);
	if (o->info_n)
		json_string(j, "state", hex);
	if (o->flow.have & CTH_FLOW_TIMEOUT)
		json_number(j, "timeout", o->flow.timeout);
}

static void outcome_json(const struct stage *s)
{
	const struct outcome *o = &s->o;
	const struct cth_view *v = &o->call.view;
	struct json j = { .f = stdout };

	json_open(&j, NULL, '{');
	json_number(&j, "frame", s->frame);
	json_number(&j, "microseconds", micros(s));
	if (o->decided) {
		json_string(&j, "dir", v->reply ? "reply" : "original");
		json_string(&j, "from", end_text(&v->self, v->self_port));
		json_string(&j, "to", end_text(&v->peer, v->peer_port));
		json_bytes(&j, "body", v->body);
	}
	json_open(&j, "events", '[');
	for (size_t i = 0; i < o->events_n; i++)
		event_json(&j, &o->events[i]);
	json_close(&j, ']');
	changes_json(&j, o);
	json_string(&j, "verdict", o->word == CTH_DROP ? "DROP" : "ACCEPT");
	json_close(&j, '}');
}

/* What comes out of the engine. */

static void note_event(const struct cth_event *e, void *ctx)
{
	struct stage *s = ctx;
	struct happening *h;

	if (s->o.events_n == EVENTS)
		return;
	h = &s->o.events[s->o.events_n++];
	h->event = *e;
	h->has_expect = e->expect != NULL;
	if (e->expect) {
		h->expect = *e->expect;
		h->expect.have &= ~(uint32_t)CTH_EXPECT_TIMEOUT; /* its class's, or what is left of it */
	}
}

/* A packet in the place of another: the attribute's bytes are behind the message. */
static void take_packet(struct outcome *o, struct cth_span packet)
{
	struct cth_ip ip;

	o->has_packet = true;
	if (cth_ip_find(&ip, packet) == 0)
		o->body = cth_span_sub(packet, ip.body, ip.body_len);
}

/* What the kernel makes of a verdict's expectation: its master is the packet's flow. */
static void take_verdict_expect(struct stage *s, struct cth_span attrs)
{
	struct cth_expect e;

	s->o.has_expect = true;
	if (cth_expect_parse(&e, attrs) == 0 && cth_expect_check(&e, NULL) == 0 &&
	    cth_expect_set_master(&e, &s->o.call.flow) == 0)
		pretend_new(&s->kernel, &e); /* and whether it was made it does not tell */
}

static void take_flow(struct outcome *o, struct cth_span attrs)
{
	o->has_flow = true;
	if (cth_flow_parse(&o->flow, attrs) < 0)
		return;
	o->info_n = o->flow.info.n < sizeof(o->info) ? o->flow.info.n : sizeof(o->info);
	if (o->info_n)
		memcpy(o->info, o->flow.info.p, o->info_n);
}

static void take_verdict(struct stage *s, const struct cth_nlmsg *m)
{
	struct cth_span left = m->attrs;
	struct cth_attr a;

	while (cth_attr_next(&left, &a) > 0) {
		if (a.type == NFQA_VERDICT_HDR && a.value.n >= 4)
			s->o.word = cth_be32(a.value.p);
		else if (a.type == NFQA_CT)
			take_flow(&s->o, a.value);
		else if (a.type == CTH_NFQA_EXP)
			take_verdict_expect(s, a.value);
		else if (a.type == NFQA_PAYLOAD)
			take_packet(&s->o, a.value);
	}
}

static int send_verdict(void *ctx, const struct iovec *parts, size_t n)
{
	struct stage *s = ctx;
	struct cth_span left = { s->sent, 0 };
	struct cth_nlmsg m;

	for (size_t i = 0; i < n; i++) {
		if (parts[i].iov_len > sizeof(s->sent) - left.n)
			return -EMSGSIZE;
		memcpy(s->sent + left.n, parts[i].iov_base, parts[i].iov_len);
		left.n += parts[i].iov_len;
	}
	while (cth_nlmsg_next(&left, &m) > 0)
		if (m.type == VERDICT_TYPE)
			take_verdict(s, &m);
	return 0;
}

static int receive_nothing(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms)
{
	(void)ctx;
	(void)slots;
	(void)n;
	(void)timeout_ms;
	return 0;
}

/* The two halves of the engine, so that what the protocol sees can be shown. */
static void take_queued(const struct cth_pkt *p, struct cth_verdict *v, void *ctx)
{
	struct stage *s = ctx;
	struct cth_decision d;

	s->o.packet = *p;
	s->o.decided = cth_engine_call(&s->engine, p, &s->o.call);
	if (!s->o.decided) {
		if (s->o.call.drop)
			v->code = CTH_DROP;
		return;
	}
	cth_decide(s->served.proto, &s->o.call.view, &d);
	cth_engine_apply(&s->engine, p, &s->o.call, &d, v);
}

/* What goes in. */

static bool wanted(const struct rehearsal *what, struct cth_span m)
{
	return m.n >= 20 && cth_host16(m.p + 4) == PACKET_TYPE &&
	       (what->only == REHEARSE_EVERY_QUEUE || what->only == cth_be16(m.p + 18));
}

static void show(const struct stage *s)
{
	if (!s->o.decided && !s->what->verbose)
		return;
	if (common.json)
		outcome_json(s);
	else
		print_outcome(s);
}

static void rehearse_packet(struct stage *s, struct cth_span message)
{
	uint64_t before = s->queue.stats.packets;

	if (cth_queue_adopt(&s->queue, cth_be16(message.p + 18), CTH_QUEUE_CONNTRACK) < 0) {
		if (!s->crowded)
			warn("packets of some queues are left out: there are more than %d; choose "
			     "one by -q", CTH_QUEUE_BOUND);
		s->crowded = true;
		return;
	}
	cth_queue_feed(&s->queue, message);
	cth_queue_flush(&s->queue);
	cth_engine_settle(&s->engine);
	if (s->queue.stats.packets > before)
		show(s);
}

static void rehearse_frame(struct stage *s, const struct cth_pcap_frame *frame)
{
	struct cth_span left = frame->bytes;
	struct cth_nlmsg m;

	s->kernel.now = frame->sec;
	while (cth_nlmsg_next(&left, &m) > 0) {
		if (!wanted(s->what, m.whole))
			continue;
		memset(&s->o, 0, sizeof(s->o));
		s->o.frame = frame;
		rehearse_packet(s, m.whole);
	}
	if (left.n && wanted(s->what, left)) /* one that is cut: it passes, and is counted */
		rehearse_packet(s, left);
}

/* Before that: which helper's packets are in the recording? */

struct search {
	const struct rehearsal *what;
	char name[16], seen[256]; /* the helper's name; all names */
	size_t packets;
	bool exact;
};

static bool speaks(const struct cth_proto *p, uint8_t l4)
{
	for (const uint8_t *known = p->l4; *known; known++)
		if (*known == l4)
			return true;
	return false;
}

static void note_name(struct search *f, const char *name)
{
	size_t n = strlen(f->seen);
	const char *at = f->seen;

	for (size_t len; *at; at += len + (at[len] == ',') + (at[len] == ',' && at[len + 1] == ' ')) {
		len = strcspn(at, ",");
		if (strlen(name) == len && strncmp(at, name, len) == 0)
			return;
	}
	snprintf(f->seen + n, sizeof(f->seen) - n, "%s%s", n ? ", " : "", name);
}

/* The protocol's own name is best; else the first that speaks its transport. */
static void search_message(struct search *f, const struct cth_nlmsg *m)
{
	const struct cth_proto *proto = f->what->proto;
	struct cth_flow flow;
	struct cth_pkt p;

	if (!wanted(f->what, m->whole) || cth_pkt_parse(&p, m) < 0)
		return;
	f->packets++;
	if (cth_flow_parse(&flow, p.ct) < 0 || !(flow.have & CTH_FLOW_HELPER))
		return;
	note_name(f, flow.helper);
	if (!speaks(proto, flow.orig.l4) || f->exact)
		return;
	f->exact = strcmp(flow.helper, f->what->as ? f->what->as : proto->name) == 0;
	if (f->exact || (!f->name[0] && !f->what->as))
		strcpy(f->name, flow.helper);
}

static void search_tape(struct search *f, struct tape *tape)
{
	struct cth_pcap_frame frame;
	struct cth_nlmsg m;

	while (tape_next(tape, &frame) > 0)
		while (frame.family == NETLINK_NETFILTER && !frame.to_kernel &&
		       cth_nlmsg_next(&frame.bytes, &m) > 0)
			search_message(f, &m);
	tape_start(tape, tape->bytes, tape->n);
}

static int nothing_found(const struct search *f, const char *path)
{
	const struct cth_proto *proto = f->what->proto;
	const char *remedy = NULL, *cause = "there are no queued packets in it";

	if (f->packets && !f->seen[0]) {
		cause = "no packet in it tells of a flow that has a helper";
		remedy = "record with a queue that has F_CONNTRACK, while the helper is enabled";
	} else if (f->packets) {
		cause = f->what->as ? phrase("no flow in it has the helper '%s' over a transport that "
					     "%s speaks", f->what->as, proto->name)
				    : phrase("no flow in it has a helper over a transport that %s "
					     "speaks", proto->name);
		remedy = phrase("its helpers are: %s", f->seen);
	}
	return fail(ENOENT, phrase("rehearse %s with %s", proto->name, path), cause, remedy);
}

/* All together. */

static void set_stage(struct stage *s, const struct search *f)
{
	const struct cth_io io = { receive_nothing, send_verdict, s };

	pretend_init(&s->kernel);
	s->kernel.classes = s->what->proto->classes;
	cth_sock_seam(&s->sock, &io, NULL, 0);
	cth_sock_seam(&s->control, &s->kernel.io, s->answers, sizeof(s->answers));
	s->control.timeout_ms = 0;
	s->served.proto = s->what->proto;
	s->served.name = f->name;
	s->served.allow = s->what->allow;
	cth_queue_init(&s->queue, &s->sock, NULL, 0, s->out, sizeof(s->out), take_queued, s);
	s->queue.no_ranges = true;
	cth_engine_init(&s->engine, &s->queue, &s->control, &s->served, 1, s->flights,
			f->packets, 1);
	s->engine.cold = true;
	s->engine.fn = note_event;
	s->engine.ctx = s;
}

static int rehearse_tape(struct stage *s, struct tape *tape)
{
	struct cth_pcap_frame frame;
	int r;

	while ((r = tape_next(tape, &frame)) > 0) {
		s->frame++;
		if (s->frame == 1) {
			s->sec = frame.sec;
			s->nsec = frame.nsec;
		}
		if (frame.family == NETLINK_NETFILTER && !frame.to_kernel)
			rehearse_frame(s, &frame);
	}
	return r;
}

static void totals(const struct stage *s, const struct tape *tape)
{
	const struct cth_engine_stats *c = &s->served.stats;

	warn("%zu frames: %" PRIu64 " packets of the helper %s, %" PRIu64 " of them bare; "
	     "%" PRIu64 " expected, %" PRIu64 " again, %" PRIu64 " refused, %" PRIu64 " edits, "
	     "%" PRIu64 " states", tape->frames, c->packets, s->served.name, c->bare, c->expected,
	     c->again, c->refused, c->edits, c->states);
	if (c->unseen || s->queue.stats.malformed)
		warn("%" PRIu64 " packets were not recorded whole, and passed", c->unseen +
		     s->queue.stats.malformed);
}

static int perform(const struct rehearsal *what, const struct search *f, struct tape *tape)
{
	struct stage *s = calloc(1, sizeof(*s));
	int status = CTH_EXIT_OK;

	if (s)
		s->flights = calloc(f->packets, sizeof(*s->flights));
	if (!s || !s->flights) {
		free(s);
		return fail(ENOMEM, "rehearse", NULL, NULL);
	}
	s->what = what;
	set_stage(s, f);
	if (rehearse_tape(s, tape) < 0)
		status = tape_cut(tape);
	totals(s, tape);
	free(s->flights);
	free(s);
	return status;
}

int rehearse(const struct rehearsal *what, const char *path)
{
	struct search found = { .what = what };
	struct tape tape;
	int status = tape_open(&tape, path);

	if (status)
		return status;
	search_tape(&found, &tape);
	status = found.name[0] ? perform(what, &found, &tape) : nothing_found(&found, path);
	tape_close(&tape);
	return status;
}
