/* SPDX-License-Identifier: MIT */
/*
 * seed.c - seeds for the fuzzers out of recordings: one file a datagram, as far as it has
 * a shape (types and lengths of its first attributes) that no earlier one had.
 *
 *     seed FOLDER RECORDING...
 */
#include <stdio.h>
#include <stdlib.h>
#include "../../netlink/attr.h"
#include "../../netlink/pcap.h"

#define SHAPES 4096
#define LARGEST 4096 /* bytes: larger seeds only slow a fuzzer down */

static uint32_t shapes[SHAPES];
static size_t n_shapes;

static uint32_t shape_of(struct cth_span d)
{
	uint32_t h = 2166136261u;
	struct cth_nlmsg m;
	struct cth_attr a;

	while (cth_nlmsg_next(&d, &m) > 0) {
		h = (h ^ m.type) * 16777619u;
		while (cth_attr_next(&m.attrs, &a) > 0)
			h = ((h ^ a.type) * 16777619u ^ (uint32_t)(a.value.n / 16)) * 16777619u;
	}
	return h;
}

static int is_new(uint32_t shape)
{
	for (size_t i = 0; i < n_shapes; i++)
		if (shapes[i] == shape)
			return 0;
	if (n_shapes < SHAPES)
		shapes[n_shapes++] = shape;
	return 1;
}

static void write_seed(const char *folder, uint32_t shape, struct cth_span d)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%08x", folder, shape);
	f = fopen(path, "wb");
	if (!f || fwrite(d.p, 1, d.n, f) != d.n || fclose(f)) {
		perror(path);
		exit(1);
	}
}

static void seeds_of(const char *folder, const char *path)
{
	static uint8_t bytes[1 << 20];
	FILE *f = fopen(path, "rb");
	struct cth_pcap p;
	struct cth_pcap_frame frame;
	size_t n;

	if (!f) {
		perror(path);
		exit(1);
	}
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	if (cth_pcap_open(&p, cth_span(bytes, n)) < 0)
		exit(1);
	while (cth_pcap_next(&p, &frame) > 0) {
		uint32_t shape = shape_of(frame.bytes);

		if (frame.bytes.n <= LARGEST && is_new(shape))
			write_seed(folder, shape, frame.bytes);
	}
}

int main(int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		seeds_of(argv[1], argv[i]);
	return argc < 3;
}
