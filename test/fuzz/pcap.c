/* SPDX-License-Identifier: MIT */
/* pcap.c - fuzz target: the reader of recordings. */
#include "../../netlink/pcap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static volatile uint32_t sum;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cth_pcap p;
	struct cth_pcap_frame f;

	if (cth_pcap_open(&p, cth_span(data, n)) < 0)
		return 0;
	while (cth_pcap_next(&p, &f) > 0)
		for (size_t i = 0; i < f.bytes.n; i++)
			sum += f.bytes.p[i];
	return 0;
}
