/* SPDX-License-Identifier: MIT */
/*
 * codec.h - what both halves of the codec benchmark share: the packet, and the loop.
 *
 *     PROGRAM JOB TIMES RECORDING     does the job so often, with the packet of the
 *                                     recording that carries an FTP client's PORT
 *     PROGRAM                         the names of its jobs
 */
#ifndef BENCH_CODEC_H
#define BENCH_CODEC_H

#include <stddef.h>
#include <stdint.h>

struct codec_job {
	const char *name;
	void (*run)(const uint8_t *datagram, size_t n);
};

/* The last one has no name. */
extern const struct codec_job codec_jobs[];

/* What a job has read or built goes here, so that no compiler leaves out the work. */
extern volatile uint64_t codec_sum;

#endif
