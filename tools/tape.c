/* SPDX-License-Identifier: MIT */
/*
 * tape.c - a recording, from the file to one frame after the other. A recording from a
 * machine of the other byte order is turned as a whole when it is opened.
 */
#include <errno.h>
#include <stdlib.h>
#include "cth.h"
#include "decode.h"

#define TAPE_MOST (1u << 30) /* bytes that are read at once */

int tape_start(struct tape *t, uint8_t *bytes, size_t n)
{
	int r = cth_pcap_open(&t->pcap, cth_span(bytes, n));

	t->bytes = bytes;
	t->n = n;
	t->at = CTH_PCAP_FILE_HEADER;
	t->frames = 0;
	if (r < 0 || !t->pcap.foreign)
		return r;
	swap_recording(bytes, n);
	return cth_pcap_open(&t->pcap, cth_span(bytes, n));
}

int tape_next(struct tape *t, struct cth_pcap_frame *frame)
{
	int r = cth_pcap_next(&t->pcap, frame);

	if (r > 0) {
		t->at = (size_t)(frame->bytes.p - t->bytes) + frame->bytes.n;
		t->frames++;
	}
	return r;
}

/* Does it begin as a pcap of either byte order and unit of time? */
static bool begins_as_pcap(const struct tape *t)
{
	static const uint8_t magics[][4] = {
		{ 0xa1, 0xb2, 0xc3, 0xd4 }, { 0xd4, 0xc3, 0xb2, 0xa1 },
		{ 0xa1, 0xb2, 0x3c, 0x4d }, { 0x4d, 0x3c, 0xb2, 0xa1 },
	};

	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]) && t->n >= 4; i++)
		if (memcmp(t->bytes, magics[i], 4) == 0)
			return true;
	return false;
}

/* What the file is instead of a pcap: the cause, and the remedy if there is one. */
static const char *mistaken(const struct tape *t, const char **remedy)
{
	static const uint8_t pcapng[] = { 0x0a, 0x0d, 0x0d, 0x0a }, gzip[] = { 0x1f, 0x8b };

	if (t->n == 0)
		return "the file is empty";
	if (t->n < CTH_PCAP_FILE_HEADER && begins_as_pcap(t))
		return phrase("the recording is cut short: its header has %d bytes, and here are %zu",
			      CTH_PCAP_FILE_HEADER, t->n);
	if (t->n >= sizeof(pcapng) && memcmp(t->bytes, pcapng, sizeof(pcapng)) == 0) {
		*remedy = phrase("convert it: tcpdump -r %s -w NEW.pcap", t->path);
		return "this is a pcapng file, and only pcap is read";
	}
	if (t->n >= sizeof(gzip) && memcmp(t->bytes, gzip, sizeof(gzip)) == 0) {
		*remedy = phrase("gunzip it first");
		return "this file is compressed";
	}
	*remedy = "record with the option --record, or with tcpdump on an nlmon device";
	return "this is not a pcap file";
}

/* A pcap of something else: its link type stands in the header in the file's order. */
static const char *other_link_type(const struct tape *t)
{
	uint8_t b[4];

	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = t->bytes[20 + (t->pcap.foreign ? 3 - i : i)];
	return phrase("its link type is %u, and that of netlink is 253", cth_host32(b) & 0xffff);
}

static const char *reading(const struct tape *t)
{
	return strcmp(t->path, "-") == 0 ? "read standard input" : phrase("read %s", t->path);
}

int tape_open(struct tape *t, const char *path)
{
	const char *cause, *remedy = NULL;
	uint8_t *bytes;
	size_t n;
	int r = read_file(path, TAPE_MOST, &bytes, &n);

	t->path = path;
	if (r < 0)
		return fail(r, reading(t), NULL, NULL);
	r = tape_start(t, bytes, n);
	if (r == 0)
		return 0;
	if (r == -EPROTONOSUPPORT) {
		cause = other_link_type(t);
		remedy = "record with the option --record, or with tcpdump on an nlmon device";
	} else {
		cause = mistaken(t, &remedy);
	}
	fail(EBADMSG, reading(t), cause, remedy);
	free(bytes);
	return CTH_EXIT_FAILURE;
}

void tape_close(struct tape *t)
{
	free(t->bytes);
	t->bytes = NULL;
}

int tape_cut(const struct tape *t)
{
	fail(EBADMSG, reading(t),
	     phrase("the recording is cut short or spoilt at byte %zu of %zu, behind frame %zu",
		    t->at, t->n, t->frames),
	     "the frames before that were good");
	return CTH_EXIT_FAILURE;
}
