/* SPDX-License-Identifier: MIT */
/*
 * queue.c - `cth queue` and nfqnl_test: listen on queues, show the packets, decide them.
 * What a packet gets is worked out once, from the options; decide() only copies it.
 */
#include <errno.h>
#include <signal.h>
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include "fanout.h"
#include "proc.h"
#include "queue.h"
#include "../cthelper/flow.h"
#include "../queue/edit.h"

#define HELD_MAX   16  /* packets that -O keeps before it decides them, last one first */
#define HELD_MS    20  /* and for how long it waits for more of them */
#define WAKE_MS    1000
#define LAST_TRIES 50  /* at the end, for what the kernel had no memory for */
#define LAST_MS    20

/* A packet that waits for its verdict, with all that its description points to. */
struct held {
	struct cth_pkt p;
	uint8_t *bytes;
};

struct watch {
	struct listener listener;
	struct cth_verdict verdict; /* for every packet, but for what depends on it */
	uint8_t ct[64];             /* verdict.ct's bytes */
	const char *old, *new;      /* --replace */
	size_t old_len, new_len;
	uint64_t idle_s;            /* -t; 0: for ever */
	uint64_t wanted;            /* -n; 0: no end */
	uint64_t delay_ms;
	bool count, quiet, show_flow, reverse, bogus;
	bool of_several;  /* another process serves each of the other queues */
	int ready;        /* and then this is where to tell that the queue is bound */
	bool marked_told; /* that -v repeat was not done */
	/* Progress. */
	uint64_t seen;
	struct held held[HELD_MAX];
	size_t held_n;
	uint64_t refused_told, nacks_told;
	uint64_t bogus_sent;
	const char *refusal_told;
	int nack_told;
	struct cth_io kernel; /* -b: what is behind show_refusals() */
};

static const struct {
	const char *name;
	int code;
} codes[] = {
	{ "drop", CTH_DROP },
	{ "accept", CTH_ACCEPT },
	{ "queue", CTH_QUEUE },
	{ "repeat", CTH_REPEAT },
	{ "stop", CTH_STOP },
};
#define CODES (sizeof(codes) / sizeof(codes[0]))

static const char *code_name(int code)
{
	for (size_t i = 0; i < CODES; i++)
		if (codes[i].code == code)
			return codes[i].name;
	return "hold";
}

/* Options. */

static bool parse_code(const char *text, int *code)
{
	uint64_t number = UINT64_MAX;

	parse_number(text, 0, CTH_STOP, &number);
	for (size_t i = 0; i < CODES; i++) {
		if (strcasecmp(text, codes[i].name) == 0 || number == (uint64_t)codes[i].code) {
			*code = codes[i].code;
			return true;
		}
	}
	return false;
}

/* "V" or "V/M". */
static bool parse_masked(const char *text, uint32_t *value, uint32_t *mask)
{
	char copy[64];
	uint64_t v, m = UINT32_MAX;
	char *slash;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	if (!parse_number(copy, 0, UINT32_MAX, &v) ||
	    (slash && !parse_number(slash, 0, UINT32_MAX, &m)))
		return false;
	*value = (uint32_t)v;
	*mask = (uint32_t)m;
	return true;
}

/* "N", "N:M" as iptables writes it, "N-M" as nft does. */
static bool parse_queues(const char *text, uint16_t *first, uint16_t *last)
{
	char copy[32];
	uint64_t a, b;
	char *second;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	second = strpbrk(copy, ":-");
	if (second)
		*second++ = '\0';
	if (!parse_number(copy, 0, UINT16_MAX, &a))
		return false;
	b = a;
	if (second && !parse_number(second, a, UINT16_MAX, &b))
		return false;
	*first = (uint16_t)a;
	*last = (uint16_t)b;
	return true;
}

static bool parse_replace(struct watch *w, const char *text)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text)
		return false;
	w->old = text;
	w->old_len = (size_t)(equals - text);
	w->new = equals + 1;
	w->new_len = strlen(w->new);
	return w->new_len <= CTH_EDIT_TEXT;
}

static bool put_ct_mark(struct watch *w, uint32_t mark, uint32_t mask)
{
	struct cth_msg m;

	cth_msg_init(&m, w->ct, sizeof(w->ct));
	cth_msg_begin_bare(&m);
	cth_flow_put_mark(&m, mark, mask);
	if (cth_msg_end(&m) < 0)
		return false;
	w->verdict.ct = cth_msg_bytes(&m);
	return true;
}

enum {
	OPT_BYPASS = OPT_APPLET, OPT_QUIET, OPT_MARK, OPT_PRIORITY, OPT_CT_MARK, OPT_REPLACE,
	OPT_RANGE, OPT_LEN, OPT_RCVBUF, OPT_OPEN, OPT_CLOSED, OPT_NO_RANGES, OPT_NO_ENABLE,
	OPT_CT, OPT_VERBOSE,
};

static const struct applet_option long_options[] = {
	{ "queue", required_argument, 'q' },
	{ "verdict", required_argument, 'v' },
	{ "to-queue", required_argument, 'Q' },
	{ "timeout", required_argument, 't' },
	{ "count", no_argument, 'c' },
	{ "delay", required_argument, 'd' },
	{ "out-of-order", no_argument, 'O' },
	{ "gso", no_argument, 'G' },
	{ "bogus", no_argument, 'b' },
	{ "packets", required_argument, 'n' },
	{ "bypass", no_argument, OPT_BYPASS },
	{ "quiet", no_argument, OPT_QUIET },
	{ "mark", required_argument, OPT_MARK },
	{ "priority", required_argument, OPT_PRIORITY },
	{ "ct-mark", required_argument, OPT_CT_MARK },
	{ "replace", required_argument, OPT_REPLACE },
	{ "copy-range", required_argument, OPT_RANGE },
	{ "queue-len", required_argument, OPT_LEN },
	{ "rcvbuf", required_argument, OPT_RCVBUF },
	{ "fail-open", no_argument, OPT_OPEN },
	{ "no-fail-open", no_argument, OPT_CLOSED },
	{ "no-ranges", no_argument, OPT_NO_RANGES },
	{ "no-enable", no_argument, OPT_NO_ENABLE },
	{ "ct", no_argument, OPT_CT },
	{ "verbose", no_argument, OPT_VERBOSE },
	{ NULL, 0, 0 },
};

/* What only looks and listens: nfqnl_test has these too. -1, 0: not one of them, 1: wrong. */
static int listening_option(struct watch *w, int c)
{
	struct listener *l = &w->listener;
	uint64_t v;

	switch (c) {
	case 't':
		return parse_number(optarg, 1, INT32_MAX, &w->idle_s) ? -1 : 1;
	case 'n':
		return parse_number(optarg, 1, UINT64_MAX, &w->wanted) ? -1 : 1;
	case OPT_LEN:
		if (!parse_number(optarg, 1, UINT32_MAX, &v))
			return 1;
		l->config.maxlen = (uint32_t)v;
		return -1;
	case OPT_RCVBUF:
		if (!parse_number(optarg, 1, INT32_MAX / 2, &v))
			return 1;
		l->rcvbuf = (int)v;
		return -1;
	case OPT_QUIET:
		w->quiet = true;
		return -1;
	case OPT_CT:
		w->show_flow = true;
		return -1;
	case OPT_NO_ENABLE:
		l->no_enable = true;
		return -1;
	case OPT_VERBOSE:
		l->verbose = true;
		return -1;
	}
	return 0;
}

static int deciding_option(struct watch *w, int c)
{
	struct listener *l = &w->listener;
	uint64_t v;
	uint32_t a, b;

	switch (c) {
	case 'q':
		return parse_queues(optarg, &l->first, &l->last) ? -1 : 1;
	case 'v':
		return parse_code(optarg, &w->verdict.code) ? -1 : 1;
	case 'd':
		return parse_number(optarg, 0, 3600 * 1000, &w->delay_ms) ? -1 : 1;
	case 'c':
		w->count = true;
		return -1;
	case 'O':
		w->reverse = true;
		return -1;
	case 'G':
		l->config.flags |= CTH_QUEUE_GSO;
		return -1;
	case 'b':
		w->bogus = true;
		return -1;
	case OPT_BYPASS:
		w->verdict.bypass = true;
		return -1;
	case OPT_MARK:
		w->verdict.set_mark = true;
		return parse_masked(optarg, &w->verdict.mark, &w->verdict.mark_mask) ? -1 : 1;
	case OPT_PRIORITY:
		if (!parse_number(optarg, 0, UINT32_MAX, &v))
			return 1;
		w->verdict.set_priority = true;
		w->verdict.priority = (uint32_t)v;
		return -1;
	case OPT_CT_MARK:
		return parse_masked(optarg, &a, &b) && put_ct_mark(w, a, b) ? -1 : 1;
	case OPT_REPLACE:
		return parse_replace(w, optarg) ? -1 : 1;
	case OPT_RANGE:
		if (!parse_number(optarg, 1, CTH_PACKET_MAX, &v))
			return 1;
		l->config.range = (uint32_t)v;
		return -1;
	case OPT_OPEN:
		l->config.flags |= CTH_QUEUE_FAIL_OPEN;
		return -1;
	case OPT_CLOSED:
		l->config.wishes &= ~(uint32_t)CTH_QUEUE_FAIL_OPEN;
		return -1;
	case OPT_NO_RANGES:
		l->no_ranges = true;
		return -1;
	}
	return 0;
}

/* What an option takes, for those who got it wrong. */
static const struct {
	int c;
	const char *form;
} forms[] = {
	{ 'q', "it is a number from 0 to 65535, or two, as in 3:5, the lower one first" },
	{ 'v', "it is accept, drop, repeat, stop, queue, or 0, 1, 3, 4, 5" },
	{ 't', "it is a number of seconds from 1 to 2147483647" },
	{ 'd', "it is a number of milliseconds from 0 to 3600000" },
	{ 'n', "it is a number from 1 up" },
	{ OPT_MARK, "it is VALUE or VALUE/MASK, each from 0 to 0xffffffff" },
	{ OPT_PRIORITY, "it is a number from 0 to 0xffffffff" },
	{ OPT_CT_MARK, "it is VALUE or VALUE/MASK, each from 0 to 0xffffffff" },
	{ OPT_REPLACE, "it is OLD=NEW: OLD is not empty, NEW has 512 bytes at most" },
	{ OPT_RANGE, "it is a number of bytes from 1 to 65531" },
	{ OPT_LEN, "it is a number of packets from 1 to 4294967295" },
	{ OPT_RCVBUF, "it is a number of bytes from 1 to 1073741823" },
};

/* c is what getopt has just returned, of an option whose argument is wrong. */
static int bad_argument(const struct applet *self, int c)
{
	const struct applet_option *o = long_options;
	size_t i = 0;

	while (o->name && o->number != c)
		o++;
	while (i + 1 < sizeof(forms) / sizeof(forms[0]) && forms[i].c != c)
		i++;
	return usage_error(self, "--%s %s: %s", o->name ? o->name : "?", optarg, forms[i].form);
}

/* What ends with what all queues have had, or is written to one file, one process has to see. */
static bool goes_together(const struct watch *w)
{
	return w->listener.first == w->listener.last || w->wanted || w->idle_s || common.record ||
	       common.dry_run;
}

static int check_options(const struct applet *self, struct watch *w, bool code_given, bool to_given)
{
	struct listener *l = &w->listener;
	struct cth_verdict *v = &w->verdict;

	if (to_given && !code_given)
		v->code = CTH_QUEUE;
	if (l->last - l->first >= (goes_together(w) ? CTH_QUEUE_BOUND : FANOUT_MAX))
		return usage_error(self, "queues %u to %u: %d at most, and %d with --record, "
				   "--dry-run, -n or -t, for which one process serves them all", l->first,
				   l->last, FANOUT_MAX, CTH_QUEUE_BOUND);
	if ((v->code == CTH_QUEUE) != to_given)
		return usage_error(self, to_given ? "-Q goes with -v queue only"
						  : "-v queue needs -Q, the queue to go to");
	if (v->bypass && !to_given)
		return usage_error(self, "--bypass goes with -Q only");
	if (to_given && v->to_queue >= l->first && v->to_queue <= l->last)
		return usage_error(self, "-Q %u: that queue is ours: its packets would go round "
				   "for ever", v->to_queue);
	if (v->code == CTH_REPEAT && !v->set_mark)
		return usage_error(self, "-v repeat needs --mark, and the rule a test of it: "
				   "without, a packet goes round for ever");
	if (l->config.flags & CTH_QUEUE_FAIL_OPEN && !(l->config.wishes & CTH_QUEUE_FAIL_OPEN))
		return usage_error(self, "--fail-open and --no-fail-open exclude each other");
	return CTH_EXIT_OK;
}

static void init(struct watch *w, FILE *chatter)
{
	memset(w, 0, sizeof(*w));
	cth_verdict_init(&w->verdict);
	w->listener.chatter = chatter;
	w->listener.config.wishes = CTH_QUEUE_FAIL_OPEN | CTH_QUEUE_CONNTRACK |
				    CTH_QUEUE_UID_GID | CTH_QUEUE_SECCTX;
}

/* 0, or an exit code to leave with; *leave tells the two apart, for --help exits with 0. */
static int parse_watch(const struct applet *self, int argc, char **argv, struct watch *w,
		       bool *leave)
{
	bool code_given = false, to_given = false;
	uint64_t v;
	int c, r;

	*leave = true;
	while ((c = next_option(argc, argv, long_options)) != -1) {
		code_given |= c == 'v';
		if (c == 'Q') {
			if (!parse_number(optarg, 0, UINT16_MAX, &v))
				return usage_error(self, "-Q %s: not a queue number, 0 to 65535",
						   optarg);
			w->verdict.to_queue = (uint16_t)v;
			to_given = true;
			continue;
		}
		r = listening_option(w, c);
		if (r == 0)
			r = deciding_option(w, c);
		if (r == 1)
			return bad_argument(self, c);
		if (r == 0 && (r = common_option(self, c)) != -1)
			return r;
	}
	if (optind < argc)
		return usage_error(self, "unexpected word: %s", argv[optind]);
	r = check_options(self, w, code_given, to_given);
	*leave = r != CTH_EXIT_OK;
	return r;
}

/* Packets. */

static void show(struct watch *w, const struct cth_pkt *p, const struct cth_verdict *v)
{
	if (w->quiet)
		return;
	if (common.json) {
		print_packet_json(p, code_name(v->code));
	} else {
		print_packet(p);
		if (w->show_flow)
			print_flow(p);
	}
	/* A reader that has gone is a reason to end in good order. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && !interrupted)
		interrupted = SIGTERM;
}

static void pause_ms(uint64_t ms)
{
	struct timespec t = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};

	if (ms)
		nanosleep(&t, NULL);
}

/* Puts the new text in the place of the old one, once, in what TCP or UDP carries. */
static void replace(const struct watch *w, const struct cth_pkt *p, struct cth_verdict *v)
{
	const uint8_t *body, *at;
	struct cth_ip ip;

	if (!w->old || !p->payload.p || cth_ip_find(&ip, p->payload) < 0 || ip.body == 0)
		return;
	body = p->payload.p + ip.body;
	at = memmem(body, ip.body_len, w->old, w->old_len);
	if (at)
		cth_edit_cut(&v->edit, (size_t)(at - body), w->old_len, w->new, w->new_len);
}

/* A packet that comes with the mark that -v repeat sets would come again for ever. */
static bool comes_again(const struct watch *w, const struct cth_pkt *p)
{
	const struct cth_verdict *v = &w->verdict;
	uint32_t mask = v->mark_mask ? v->mark_mask : UINT32_MAX;

	return v->code == CTH_REPEAT && (p->mark & mask) == (v->mark & mask);
}

static void settle(struct watch *w, const struct cth_pkt *p, struct cth_verdict *v)
{
	*v = w->verdict;
	replace(w, p, v);
	if (!comes_again(w, p))
		return;
	v->code = CTH_ACCEPT;
	if (!w->marked_told)
		warn("a packet came with the mark 0x%" PRIx32 " set already, and is accepted: "
		     "repeated, it would go round for ever; the rule that queues should pass over "
		     "what has the mark", w->verdict.mark);
	w->marked_told = true;
}

/* Three verdicts that the kernel must refuse and that must do no harm, one after the other. */
static void send_bogus(struct watch *w, const struct cth_pkt *p)
{
	static const struct {
		uint32_t id_offset, word;
	} bogus[] = {
		{ 0x40000000, CTH_ACCEPT }, /* an id that does not exist: ENOENT */
		{ 0, 2 },                   /* NF_STOLEN: EINVAL */
		{ 0, 0xff },                /* no verdict at all: EINVAL */
	};
	const size_t i = (size_t)(w->bogus_sent % (sizeof(bogus) / sizeof(bogus[0])));
	struct iovec part;
	struct cth_span bytes;
	struct cth_msg m;
	uint8_t buf[64];

	cth_msg_init(&m, buf, sizeof(buf));
	if (cth_verdict_put_raw(&m, p->queue, p->id + bogus[i].id_offset, bogus[i].word) < 0)
		return;
	bytes = cth_msg_bytes(&m);
	part.iov_base = buf;
	part.iov_len = bytes.n;
	if (cth_sock_send(&w->listener.sock, &part, 1) < 0)
		return;
	w->bogus_sent++;
	if (!w->quiet)
		fprintf(w->listener.chatter, "bogus verdict 0x%02" PRIx32 " for id %" PRIu32 "\n",
			bogus[i].word, p->id + bogus[i].id_offset);
}

/* Of many refusals the queue keeps the last one; here each is shown as it comes. */
static int show_refusals(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms)
{
	struct watch *w = ctx;
	int got = w->kernel.receive(w->kernel.ctx, slots, n, timeout_ms);
	struct cth_nack nack;
	struct cth_nlmsg m;

	for (int i = 0; i < got && !w->quiet; i++) {
		struct cth_span left = cth_span(slots[i].buf, slots[i].portid ? 0 : slots[i].n);

		while (cth_nlmsg_next(&left, &m) > 0)
			if (cth_nack_parse(&m, &nack) == 0 && nack.error)
				fprintf(w->listener.chatter, "refused by the kernel: %s%s%s\n",
					errno_name(nack.error), nack.text[0] ? ": " : "",
					nack.text);
	}
	return got;
}

static int pass_on(void *ctx, const struct iovec *parts, size_t n)
{
	struct watch *w = ctx;

	return w->kernel.send(w->kernel.ctx, parts, n);
}

static void watch_refusals(struct watch *w)
{
	w->kernel = w->listener.sock.io;
	w->listener.sock.io = (struct cth_io){ show_refusals, pass_on, w };
}

/* Those were meant to be refused, and are no loss. */
static void tell_bogus(struct watch *w)
{
	uint64_t *nacks = &w->listener.queue.stats.nacks;

	fprintf(w->listener.chatter, "bogus verdicts: %" PRIu64 " sent, %" PRIu64
		" refused by the kernel\n", w->bogus_sent, *nacks);
	*nacks -= *nacks < w->bogus_sent ? *nacks : w->bogus_sent;
}

static struct cth_span keep(uint8_t **at, struct cth_span s)
{
	struct cth_span copy = cth_span(s.p ? *at : NULL, s.n);

	if (s.n)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

static bool hold(struct watch *w, const struct cth_pkt *p)
{
	struct held *h;
	uint8_t *at;

	if (w->held_n == HELD_MAX)
		return false;
	h = &w->held[w->held_n];
	h->bytes = malloc(p->payload.n + p->ct.n + p->secctx.n + p->l2hdr.n + 1);
	if (!h->bytes)
		return false;
	at = h->bytes;
	h->p = *p;
	h->p.payload = keep(&at, p->payload);
	h->p.ct = keep(&at, p->ct);
	h->p.secctx = keep(&at, p->secctx);
	h->p.l2hdr = keep(&at, p->l2hdr);
	w->held_n++;
	return true;
}

static void decide(const struct cth_pkt *p, struct cth_verdict *v, void *ctx)
{
	struct watch *w = ctx;

	settle(w, p, v);
	if (w->listener.leaving)
		return;
	w->seen++;
	show(w, p, v);
	if (w->bogus)
		send_bogus(w, p);
	if (!interrupted)
		pause_ms(w->delay_ms);
	if (w->reverse && hold(w, p))
		v->code = CTH_HOLD;
}

/* Decides a held packet; false: it is held still, for the kernel had no memory. */
static bool release_one(struct watch *w, const struct cth_pkt *p, bool last)
{
	struct cth_queue *q = &w->listener.queue;
	struct cth_verdict v;
	int r;

	settle(w, p, &v);
	r = cth_queue_verdict(q, p->queue, p->id, &v, p);
	if (!last && (r == -ENOBUFS || r == -ENOMEM))
		return false;
	if (r == 0 || r == -ENOENT || r == -ENODEV)
		return true;
	warn("id %" PRIu32 ": %s: accepted instead", p->id,
	     q->last_refusal ? q->last_refusal : errno_name(r));
	cth_verdict_init(&v);
	r = cth_queue_verdict(q, p->queue, p->id, &v, p);
	if (r < 0)
		warn("id %" PRIu32 ": %s: it is left without a verdict", p->id, errno_name(r));
	return true;
}

static void release(struct watch *w, bool last)
{
	while (w->held_n > 0) {
		struct held *h = &w->held[w->held_n - 1];

		if (!release_one(w, &h->p, last))
			return;
		free(h->bytes);
		w->held_n--;
	}
}

/* Whatever happens, nothing is held after this. */
static void release_all(struct watch *w)
{
	for (int i = 0; i < LAST_TRIES && w->held_n > 0; i++) {
		if (i > 0)
			pause_ms(LAST_MS);
		release(w, false);
	}
	release(w, true);
}

/* What was refused in the last turn, by the library and by the kernel; the same only once. */
static void tell_refusals(struct watch *w)
{
	const struct cth_queue *q = &w->listener.queue;
	const struct cth_nack *nack = &q->last_nack;

	if (q->stats.refused != w->refused_told && q->last_refusal != w->refusal_told) {
		warn("verdict %s refused, packet accepted: %s", code_name(w->verdict.code),
		     q->last_refusal);
		w->refusal_told = q->last_refusal;
	}
	w->refused_told = q->stats.refused;
	if (q->stats.nacks != w->nacks_told && !w->bogus && nack->error != w->nack_told) {
		warn("verdict refused by the kernel: %s%s%s", errno_name(nack->error),
		     nack->text[0] ? ": " : nack->error == -ENOENT ? ": no such packet waits" : "",
		     nack->text);
		w->nack_told = nack->error;
	}
	w->nacks_told = q->stats.nacks;
}

/* How many packets the next turn may take; 0: as many as come. */
static size_t budget(const struct watch *w)
{
	uint64_t n = w->wanted ? w->wanted - w->seen : 0;

	if (w->reverse && (n == 0 || n > HELD_MAX - w->held_n))
		n = HELD_MAX - w->held_n;
	return (size_t)(n < SIZE_MAX ? n : SIZE_MAX);
}

static int turn(struct watch *w)
{
	int r = cth_queue_run(&w->listener.queue, budget(w), w->held_n ? HELD_MS : WAKE_MS);

	if (w->held_n && (r <= 0 || w->held_n == HELD_MAX))
		release(w, false);
	listener_tend(&w->listener);
	tell_refusals(w);
	return r;
}

/* Serves until somebody asks it to end, enough packets have come, or none for long enough. */
static int serve(struct watch *w)
{
	int64_t last = listener_now();

	while (!interrupted && (w->wanted == 0 || w->seen < w->wanted)) {
		int r = turn(w);

		if (r < 0)
			return fail(r, "receiving packets", NULL, NULL);
		if (r > 0)
			last = listener_now();
		else if (w->idle_s && listener_now() - last >= (int64_t)w->idle_s * 1000)
			break;
	}
	return CTH_EXIT_OK;
}

/* A kernel may lack what --ct is about; the queue works all the same. */
static void warn_of_flags(const struct watch *w)
{
	const struct listener *l = &w->listener;

	if (w->show_flow && !(cth_queue_flags(&l->queue, l->first) & CTH_QUEUE_CONNTRACK))
		warn("--ct: this kernel does not tell the connections of packets "
		     "(CONFIG_NETFILTER_NETLINK_GLUE_CT, with nf_conntrack_netlink loaded): none "
		     "is shown");
}

static int run(struct watch *w, void (*started)(const struct watch *w))
{
	int code;

	/* What is one packet's is one write, where several processes do so. */
	setvbuf(stdout, NULL, w->of_several ? _IOFBF : _IOLBF, BUFSIZ);
	if (!w->of_several)
		catch_interrupts();
	code = listener_open(&w->listener, decide, w);
	if (code != CTH_EXIT_OK)
		return code;
	warn_of_flags(w);
	if (w->bogus)
		watch_refusals(w);
	if (started && !common.dry_run)
		started(w);
	if (!common.dry_run)
		code = serve(w);
	release_all(w);
	listener_close(&w->listener);
	tell_refusals(w);
	if (w->count)
		listener_print_counters(&w->listener, w->of_several);
	if (w->bogus)
		tell_bogus(w);
	listener_tell_losses(&w->listener);
	return code;
}

static void tell_bound(const struct watch *w)
{
	fanout_bound(w->ready);
}

static int consume(uint16_t num, int ready, void *ctx)
{
	struct watch *w = ctx;

	w->listener.first = w->listener.last = num;
	w->listener.no_enable = true; /* that is the parent's to do */
	w->of_several = true;
	w->ready = ready;
	return run(w, tell_bound);
}

static int queue_main(const struct applet *self, int argc, char **argv)
{
	static struct watch w;
	bool leave;
	int code;

	init(&w, stderr);
	code = parse_watch(self, argc, argv, &w, &leave);
	if (leave)
		return code;
	return goes_together(&w) ? run(&w, NULL) : fan_out(&w.listener, consume, &w);
}

const struct applet queue_applet = {
	.name = "queue",
	.usage = "[-q N[:M]] [-v VERDICT] [-Q N] [options]",
	.help =
	"Listens on queues, shows their packets and decides them.\n"
	"\n"
	"  -q, --queue N[:M]     queue, or queues N to M (also N-M): a process for each; 0\n"
	"  -v, --verdict V       accept (the default), drop, repeat, stop, queue, or its number\n"
	"  -Q, --to-queue N      hand packets on to queue N\n"
	"      --bypass          and accept them if nobody is there\n"
	"      --mark V[/M]      set the packet's mark, under a mask\n"
	"      --priority V      set its priority\n"
	"      --ct-mark V[/M]   set its connection's mark\n"
	"      --replace OLD=NEW edit the first OLD in what TCP or UDP carries\n"
	"  -t, --timeout S       end when no packet came for S seconds\n"
	"  -n, --packets N       end after N packets\n"
	"  -c, --count           print all counters at the end (in nfqnl_test -c N ends after N)\n"
	"  -d, --delay MS        wait before each verdict\n"
	"  -O, --out-of-order    hold up to 16 packets, and decide the last one first\n"
	"  -b, --bogus           send an impossible verdict before each real one\n"
	"  -G, --gso             take packets up to 64 KiB, unsegmented; not for helpers\n"
	"      --copy-range N    bytes of each packet; all\n"
	"      --queue-len N     packets that may wait in the kernel; 1024\n"
	"      --rcvbuf BYTES    receive buffer; 4096 for each packet that may wait\n"
	"      --no-fail-open    drop what does not fit into the queue; otherwise it passes,\n"
	"      --fail-open       and with this the kernel must be able to\n"
	"      --no-ranges       one verdict message for each packet\n"
	"      --no-enable       leave the helpers of these queues disabled\n"
	"      --ct              show the connection of each packet\n"
	"      --quiet           print nothing per packet\n"
	"      --verbose         tell what is set up\n"
	"\n"
	"After binding, the disabled helpers that are registered on these queues are enabled, later\n"
	"ones too; they are disabled before the program leaves. One that somebody disables meanwhile\n"
	"stays so. This is so for all network namespaces.\n"
	"\n"
	"Of several queues each has a process of its own, 256 at most; if one of them dies, all end.\n"
	"With --record, --dry-run, -n or -t one process serves them all, 16 at most.\n"
	"\n"
	"  nft add rule inet filter input udp dport 53 queue flags bypass to 3\n"
	"  cth queue -q 3 -v accept -n 10 --ct\n",
	.main = queue_main,
};

/* nfqnl_test */

static const struct applet_option nfqnl_test_options[] = {
	{ "timeout", required_argument, 't' },
	{ "packets", required_argument, 'n' },
	{ "count", required_argument, 'c' },
	{ "queue-len", required_argument, OPT_LEN },
	{ "rcvbuf", required_argument, OPT_RCVBUF },
	{ "quiet", no_argument, OPT_QUIET },
	{ "ct", no_argument, OPT_CT },
	{ "no-enable", no_argument, OPT_NO_ENABLE },
	{ "verbose", no_argument, OPT_VERBOSE },
	{ NULL, 0, 0 },
};

static int parse_nfqnl_test(const struct applet *self, int argc, char **argv, struct watch *w,
			    bool *leave)
{
	int c, r;

	*leave = true;
	while ((c = next_option(argc, argv, nfqnl_test_options)) != -1) {
		r = listening_option(w, c == 'c' ? 'n' : c);
		if (r == 1)
			return bad_argument(self, c == 'c' ? 'n' : c);
		if (r == 0 && (r = common_option(self, c)) != -1)
			return r;
	}
	if (argc - optind > 1)
		return usage_error(self, "unexpected word: %s", argv[optind + 1]);
	if (optind < argc) {
		uint64_t num;

		if (!parse_number(argv[optind], 0, UINT16_MAX, &num))
			return usage_error(self, "%s: not a queue number, 0 to 65535",
					   argv[optind]);
		w->listener.first = w->listener.last = (uint16_t)num;
	}
	*leave = false;
	return CTH_EXIT_OK;
}

static void waiting(const struct watch *w)
{
	fprintf(w->listener.chatter, "Waiting for packets...\n");
}

static int nfqnl_test_main(const struct applet *self, int argc, char **argv)
{
	static struct watch w;
	bool leave;
	int code;

	init(&w, stdout);
	code = parse_nfqnl_test(self, argc, argv, &w, &leave);
	if (leave)
		return code;
	if (common.json)
		w.listener.chatter = stderr;
	code = kernel_begin_recording();
	if (code != CTH_EXIT_OK)
		return code;
	fprintf(w.listener.chatter, "binding this socket to queue '%u'\n", w.listener.first);
	return run(&w, waiting);
}

const struct applet nfqnl_test_applet = {
	.name = "nfqnl_test",
	.usage = "[QUEUE] [-t S] [-n N] [--no-enable] [options]",
	.help =
	"Listens on one queue (0), prints each packet and accepts it.\n"
	"\n"
	"  -t, --timeout S    end when no packet came for S seconds\n"
	"  -n, -c N           end after N packets (in cth queue -c prints counters)\n"
	"      --no-enable    leave the helpers of this queue disabled\n"
	"      --queue-len N  packets that may wait in the kernel; 1024\n"
	"      --rcvbuf BYTES receive buffer; 4096 for each packet that may wait\n"
	"      --ct           show the connection of each packet\n"
	"      --quiet        print nothing per packet\n"
	"      --verbose      tell what is set up\n"
	"\n"
	"After binding, the disabled helpers that are registered on the queue are enabled, later\n"
	"ones too; they are disabled before the program leaves. One that somebody disables meanwhile\n"
	"stays so. This is so for all network namespaces.\n"
	"\n"
	"  nfct-helper-add test 0\n"
	"  iptables -I OUTPUT -t raw -p tcp -j CT --helper test\n"
	"  nfqnl_test\n",
	.main = nfqnl_test_main,
};
