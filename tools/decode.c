/* SPDX-License-Identifier: MIT */
/*
 * decode.c - `cth decode`: recordings as a readable tree.
 *
 *     #7 +0.001204 to kernel 52 bytes                          a frame
 *     > NFNL_MSG_CTHELPER_DEL length 52 flags REQUEST|ACK ...  a message in it; < to user
 *       NFCTH_NAME "test"                                      an attribute of that
 *       NFCTH_TUPLE
 *         NFCTH_TUPLE_L3PROTONUM 2 (inet)                      and one of that
 */
#include <inttypes.h>
#include "../netlink/uapi.h"
#include "decoder.h"

static const char *protocol_name(uint16_t family)
{
	static const char names[] =
		WORD(0, "NETLINK_ROUTE")
		WORD(4, "NETLINK_SOCK_DIAG")
		WORD(6, "NETLINK_XFRM")
		WORD(9, "NETLINK_AUDIT")
		WORD(12, "NETLINK_NETFILTER")
		WORD(15, "NETLINK_KOBJECT_UEVENT")
		WORD(16, "NETLINK_GENERIC");
	const char *name = schema_word(names, family);

	return name ? name : phrase("netlink protocol %u", family);
}

static void text_frame(struct decoder *d, const struct cth_pcap_frame *frame)
{
	int64_t us = d->ns / 1000, size = us < 0 ? -us : us;
	FILE *f = d->tree.j.f;

	fprintf(f, "#%zu %c%" PRId64 ".%06" PRId64 " to %s %zu bytes", d->number,
		us < 0 ? '-' : '+', size / 1000000, size % 1000000,
		d->to_kernel ? "kernel" : "user", frame->full);
	if (frame->bytes.n < frame->full)
		fprintf(f, ", of which the capture has %zu", frame->bytes.n);
	if (frame->family != NETLINK_NETFILTER)
		fprintf(f, " of %s", protocol_name(frame->family));
	fputc('\n', f);
}

/* A frame that is not ours is told, but not looked into. */
static void json_other(struct decoder *d, const struct cth_pcap_frame *frame)
{
	struct json *j = &d->tree.j;

	json_open(j, NULL, '{');
	json_string(j, "protocol", protocol_name(frame->family));
	show_frame_json(d);
	json_number(j, "length", frame->full);
	json_close(j, '}');
}

static int64_t since(const struct cth_pcap_frame *frame, const struct cth_pcap_frame *first)
{
	return ((int64_t)frame->sec - (int64_t)first->sec) * 1000000000 +
	       ((int64_t)frame->nsec - (int64_t)first->nsec);
}

int decode_tape(FILE *f, struct tape *tape, const struct decode_how *how)
{
	struct decoder d = {
		.tree = { .json = how->json, .shown = how->shown, .j = { .f = f } },
	};
	struct cth_pcap_frame frame, first = { .sec = 0 };
	int r;

	while ((r = tape_next(tape, &frame)) > 0) {
		if (d.number++ == 0)
			first = frame;
		d.ns = since(&frame, &first);
		d.to_kernel = frame.to_kernel;
		if (!how->json)
			text_frame(&d, &frame);
		if (frame.family == NETLINK_NETFILTER)
			show_datagram(&d, frame.bytes);
		else if (how->json)
			json_other(&d, &frame);
	}
	return r;
}

static int decode_main(const struct applet *self, int argc, char **argv)
{
	static const struct applet_option options[] = {
		{ "bytes", required_argument, 'x' },
		{ NULL, 0, 0 },
	};
	struct decode_how how = { .shown = DECODE_SHOWN };
	uint64_t shown = UINT64_MAX;
	struct tape tape;
	int c, status;

	while ((c = next_option(argc, argv, options)) != -1) {
		if (c == 'x') {
			if (!parse_number(optarg, 0, UINT32_MAX, &shown))
				return usage_error(self, "'%s' is not a number of bytes", optarg);
			continue;
		}
		status = common_option(self, c);
		if (status >= 0)
			return status;
	}
	if (optind + 1 != argc)
		return usage_error(self, "%s", optind < argc ? "one recording at a time"
							     : "which recording?");
	how.json = common.json;
	if (common.json)
		how.shown = SIZE_MAX;
	if (shown != UINT64_MAX)
		how.shown = (size_t)shown;

	status = tape_open(&tape, argv[optind]);
	if (status)
		return status;
	if (decode_tape(stdout, &tape, &how) < 0)
		status = tape_cut(&tape);
	tape_close(&tape);
	return status;
}

const struct applet decode_applet = {
	.name = "decode",
	.usage = "[-j] [-x N] FILE",
	.help =
		"Shows a recording of netfilter's netlink messages as a readable tree.\n"
		"\n"
		"FILE is a pcap with link type 253: made by --record, or by tcpdump on an nlmon\n"
		"device, on a machine of either byte order. - is standard input. Every attribute of\n"
		"conntrack, expectations, queues and helpers, and what attach sends to nf_tables, is\n"
		"shown by name and value; others by type, length and bytes.\n"
		"  -x, --bytes N                 show up to N bytes of packets and other opaque data;\n"
		"                                32 if not told, and all of them as JSON\n"
		"\n"
		"Example:\n"
		"  tcpdump -i nlmon0 -s 0 -w x.pcap; cth decode x.pcap\n",
	.main = decode_main,
};
