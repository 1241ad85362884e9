/* SPDX-License-Identifier: MIT */
/*
 * codec.c - finds the packet and does the job. A recording is a pcap file, little-endian, of
 * records with 16 bytes of header each; netlink's bytes follow 16 more of a cooked one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "codec.h"

#define FILE_HEADER   24
#define RECORD_HEADER 16
#define COOKED_HEADER 16
#define QUEUE_PACKET  0x300 /* NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET */

volatile uint64_t codec_sum;

static uint8_t bytes[1 << 20];

static int contains(const uint8_t *p, size_t n, const char *text)
{
	return memmem(p, n, text, strlen(text)) != NULL;
}

static const uint8_t *find_packet(const char *name, size_t *n)
{
	FILE *f = fopen(name, "rb");
	size_t size = f ? fread(bytes, 1, sizeof(bytes), f) : 0, at = FILE_HEADER;
	uint32_t len;
	uint16_t type;

	for (; at + RECORD_HEADER < size; at += RECORD_HEADER + len) {
		memcpy(&len, bytes + at + 8, sizeof(len));
		if (len < COOKED_HEADER + 20 || len > size - at - RECORD_HEADER)
			continue;
		memcpy(&type, bytes + at + RECORD_HEADER + COOKED_HEADER + 4, sizeof(type));
		*n = len - COOKED_HEADER;
		if (type == QUEUE_PACKET &&
		    contains(bytes + at + RECORD_HEADER + COOKED_HEADER, *n, "PORT "))
			return bytes + at + RECORD_HEADER + COOKED_HEADER;
	}
	fprintf(stderr, "%s: no such packet\n", name);
	exit(1);
}

int main(int argc, char **argv)
{
	const struct codec_job *job = codec_jobs;
	const uint8_t *datagram;
	size_t n;

	if (argc != 4) {
		for (; job->name; job++)
			puts(job->name);
		return 0;
	}
	while (job->name && strcmp(job->name, argv[1]) != 0)
		job++;
	if (!job->name)
		return 2;
	datagram = find_packet(argv[3], &n);
	for (int i = atoi(argv[2]); i > 0; i--)
		job->run(datagram, n);
	return 0;
}
