/* SPDX-License-Identifier: MIT */
/*
 * replay.c - `cth replay`: the packets of a recording through the same code that takes
 * them from the kernel, without kernel and without privilege.
 *
 *     recording --> tape --> cth_queue_feed --> print_packet
 *                                 |
 *                                 v
 *                    a seam that counts verdicts, shows them to -v, and sends none
 *
 * With --helper a protocol decides: see rehearse.c.
 */
#include <inttypes.h>
#include "../netlink/uapi.h"
#include "cth.h"
#include "decode.h"
#include "queue.h"
#include "rehearse.h"

#define PACKET_TYPE (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)
#define HEADERS     20u /* nlmsghdr and nfgenmsg */
#define EVERY_QUEUE UINT32_MAX

struct replay {
	struct cth_queue q;
	struct cth_sock sock;
	uint8_t out[CTH_QUEUE_OUT];
	uint32_t only;     /* a queue's number, or EVERY_QUEUE */
	bool verbose;
	bool crowded;      /* more queues than one object takes: told */
};

static int receive_nothing(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms)
{
	(void)ctx;
	(void)slots;
	(void)n;
	(void)timeout_ms;
	return 0;
}

/* Verdicts come in pieces only where a payload is replaced, and nothing here does that. */
static int send_nowhere(void *ctx, const struct iovec *parts, size_t n)
{
	struct replay *r = ctx;

	for (size_t i = 0; i < n && r->verbose; i++)
		decode_datagram(stdout, cth_span(parts[i].iov_base, parts[i].iov_len), true);
	return 0;
}

static void show(const struct cth_pkt *p, struct cth_verdict *v, void *ctx)
{
	const struct replay *r = ctx;

	(void)v; /* ACCEPT */
	if (common.json) {
		print_packet_json(p, NULL);
		return;
	}
	print_packet(p);
	if (r->verbose)
		print_flow(p);
}

/* Is it a queued packet that was asked for? Of a message that is cut only the start is there. */
static bool wanted(const struct replay *r, struct cth_span m)
{
	return m.n >= HEADERS && cth_host16(m.p + 4) == PACKET_TYPE &&
	       (r->only == EVERY_QUEUE || r->only == cth_be16(m.p + 18));
}

static void feed(struct replay *r, struct cth_span m)
{
	uint16_t num;

	if (!wanted(r, m))
		return;
	if (r->verbose)
		decode_datagram(stdout, m, false);
	num = cth_be16(m.p + 18);
	if (cth_queue_adopt(&r->q, num, CTH_QUEUE_CONNTRACK) < 0 && !r->crowded) {
		warn("packets of queue %u and others are not shown: there are more than %d queues; "
		     "choose one by -q", num, CTH_QUEUE_BOUND);
		r->crowded = true;
	}
	cth_queue_feed(&r->q, m);
	cth_queue_flush(&r->q);
}

static void replay_datagram(struct replay *r, struct cth_span datagram)
{
	struct cth_nlmsg m;

	while (cth_nlmsg_next(&datagram, &m) > 0)
		feed(r, m.whole);
	feed(r, datagram); /* what could not be taken, if anything */
}

static int replay_tape(struct replay *r, struct tape *tape)
{
	struct cth_pcap_frame frame;
	int status;

	while ((status = tape_next(tape, &frame)) > 0)
		if (frame.family == NETLINK_NETFILTER && !frame.to_kernel)
			replay_datagram(r, frame.bytes);
	return status;
}

static void totals(const struct replay *r, const struct tape *tape)
{
	const struct cth_queue_stats *s = &r->q.stats;

	warn("%zu frames: %" PRIu64 " packets, %" PRIu64 " malformed, %" PRIu64
	     " verdicts made and none sent", tape->frames, s->packets, s->malformed, s->verdicts);
}

static int replay(struct replay *r, const char *path)
{
	const struct cth_io nowhere = { receive_nothing, send_nowhere, r };
	struct tape tape;
	int status = tape_open(&tape, path);

	if (status)
		return status;
	cth_sock_seam(&r->sock, &nowhere, NULL, 0);
	cth_queue_init(&r->q, &r->sock, NULL, 0, r->out, sizeof(r->out), show, r);
	r->q.no_ranges = true; /* one answer for each packet, so that -v shows it beside it */
	if (replay_tape(r, &tape) < 0)
		status = tape_cut(&tape);
	totals(r, &tape);
	tape_close(&tape);
	return status;
}

static int unknown_protocol(const struct applet *self, const char *name)
{
	const char *list = "";

	for (size_t i = 0; cth_protos[i]; i++)
		list = phrase("%s%s%s", list, i ? ", " : "", cth_protos[i]->name);
	return usage_error(self, "'%s' is not a protocol; there are: %s", name, list);
}

enum { OPT_HELPER = OPT_APPLET, OPT_AS, OPT_FOREIGN, OPT_LOW_PORTS };

/* One of ours: -1; otherwise as common_option(). */
static int replay_option(const struct applet *self, int c, struct replay *r, struct rehearsal *h)
{
	uint64_t num;

	switch (c) {
	case 'q':
		if (!parse_number(optarg, 0, UINT16_MAX, &num))
			return usage_error(self, "'%s' is not a queue, 0 to 65535", optarg);
		r->only = h->only = (uint32_t)num;
		return -1;
	case 'v':
		r->verbose = h->verbose = true;
		return -1;
	case OPT_HELPER:
		h->proto = cth_proto_find(optarg);
		return h->proto ? -1 : unknown_protocol(self, optarg);
	case OPT_AS:
		h->as = optarg;
		return -1;
	case OPT_FOREIGN:
		h->allow |= CTH_ALLOW_FOREIGN;
		return -1;
	case OPT_LOW_PORTS:
		h->allow |= CTH_ALLOW_LOW_PORTS;
		return -1;
	}
	return common_option(self, c);
}

static int replay_main(const struct applet *self, int argc, char **argv)
{
	static const struct applet_option options[] = {
		{ "queue", required_argument, 'q' },
		{ "verbose", no_argument, 'v' },
		{ "helper", required_argument, OPT_HELPER },
		{ "as", required_argument, OPT_AS },
		{ "allow-foreign", no_argument, OPT_FOREIGN },
		{ "allow-low-ports", no_argument, OPT_LOW_PORTS },
		{ NULL, 0, 0 },
	};
	struct rehearsal h = { .only = REHEARSE_EVERY_QUEUE };
	static struct replay r;
	int c, status;

	memset(&r, 0, sizeof(r));
	r.only = EVERY_QUEUE;
	while ((c = next_option(argc, argv, options)) != -1) {
		status = replay_option(self, c, &r, &h);
		if (status >= 0)
			return status;
	}
	if (optind + 1 != argc)
		return usage_error(self, "%s", optind < argc ? "one recording at a time"
							     : "which recording?");
	if (!h.proto && (h.as || h.allow))
		return usage_error(self, "--as and --allow-... mean something only with --helper");
	return h.proto ? rehearse(&h, argv[optind]) : replay(&r, argv[optind]);
}

const struct applet replay_applet = {
	.name = "replay",
	.usage = "[-j] [-v] [-q QUEUE] [--helper PROTOCOL [--as NAME]] FILE",
	.help =
		"Feeds a recording's queued packets through the queue code, without a kernel.\n"
		"\n"
		"Prints for each packet the lines that `cth queue` and nfqnl_test print, and on\n"
		"stderr how many there were. FILE is a pcap as for `cth decode`; - is standard\n"
		"input. No privilege is needed, and nothing is sent.\n"
		"  -q, --queue N                 only the packets of queue N\n"
		"  -v, --verbose                 each packet's message as a tree before its lines, its\n"
		"                                flow, and the verdict that would be sent behind them\n"
		"      --helper PROTOCOL         has a protocol decide, before a pretended kernel, and\n"
		"                                prints what it would expect, edit, keep and answer;\n"
		"                                what the recorded program did is not looked at.\n"
		"                                Packets without anything for it only with -v\n"
		"      --as NAME                 the helper's name in the recording, if it is not the\n"
		"                                protocol's, nor the first that could be\n"
		"      --allow-foreign           as with cth run\n"
		"      --allow-low-ports         as well\n"
		"\n"
		"Examples:\n"
		"  cth replay -q 0 test/recordings/readme-demo.pcap\n"
		"  cth replay --helper ftp test/recordings/conntrackd-ftp-masq-port.pcap\n",
	.main = replay_main,
};
