/* SPDX-License-Identifier: MIT */
/*
 * decode.c - fuzz target: the tree of a datagram, and a datagram of the other byte order
 * brought into ours. Its first byte chooses.
 */
#include <stdio.h>
#include <stdlib.h>
#include "../../tools/cth.h"
#include "../../tools/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static FILE *sink;
	uint8_t *copy;

	if (!sink)
		sink = fopen("/dev/null", "w");
	if (!sink || n == 0)
		return 0;
	copy = malloc(n);
	if (!copy)
		return 0;
	memcpy(copy, data, n);
	if (data[0] & 1)
		swap_datagram(copy, n, true);
	common.json = (data[0] & 2) != 0;
	decode_datagram(sink, cth_span(copy, n), (data[0] & 4) != 0);
	free(copy);
	return 0;
}
