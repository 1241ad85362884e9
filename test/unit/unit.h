/* SPDX-License-Identifier: MIT */
/*
 * unit.h - what the unit tests share: cmocka, buffers that end at a forbidden page,
 * and a scripted kernel behind the socket's seam.
 */
#ifndef TEST_UNIT_H
#define TEST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>
#include "../../netlink/socket.h"
#include "../../netlink/msg.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

/* Runs a group under its name and is main's whole body. */
#define RUN(tests) cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL)

/*
 * guard.c: a copy of n bytes whose end is the end of readable memory: one byte read
 * behind it is a crash, without any sanitizer. free_guarded() takes it back.
 */
uint8_t *guarded(const void *bytes, size_t n);
void free_guarded(uint8_t *p, size_t n);

/* The same, good until the next one. */
struct cth_span at_the_edge(struct cth_span bytes);

/* Calls fn with every truncation of bytes, each at a guard page. */
typedef void bytes_fn(struct cth_span bytes, void *ctx);
void every_truncation(struct cth_span bytes, bytes_fn *fn, void *ctx);

/* Calls fn with every byte set to every value, one at a time. */
void every_byte_value(struct cth_span bytes, bytes_fn *fn, void *ctx);

/* A recording of test/recordings, in this machine's byte order. */
struct recording {
	uint8_t *bytes;
	size_t n;
};
struct recording recording(const char *name);   /* fails the test if it cannot be read */
void free_recording(struct recording *r);

/* Calls fn with each datagram of a recording. */
typedef void datagram_fn(struct cth_span datagram, bool to_kernel, void *ctx);
void each_datagram(const char *name, datagram_fn *fn, void *ctx);

/*
 * script.c: a kernel made of a script. Each send takes the next step's answer in place;
 * what was sent is kept to be looked at. Answers are made with script_ack() and its
 * kin or given as bytes; they are received one datagram each, in order.
 */
struct script {
	struct cth_io io;              /* give this to cth_sock_seam() */
	struct {
		uint8_t bytes[4096];
		size_t n;
		uint32_t portid;
		int error;             /* instead of a datagram: this -errno, from receive */
	} in[96];
	size_t ins, in_next;
	uint8_t out[65536];            /* everything sent, one datagram after the other */
	size_t out_n, out_at[256], outs;
	int send_error[8];             /* errors of the first sends; 0: fine */
	size_t sends;
	void (*on_send)(struct script *k, struct cth_span datagram); /* answers may be added here */
};
void script_init(struct script *k);
void script_bytes(struct script *k, const void *bytes, size_t n);
void script_error(struct script *k, int error);
void script_ack(struct script *k, uint32_t seq, int error);   /* as from a kernel without EXT_ACK */
void script_done(struct script *k, uint32_t seq, int error);
struct cth_span script_sent(const struct script *k, size_t i); /* the i-th datagram sent */
void script_ack_all(struct script *k, struct cth_span datagram); /* for on_send: a kernel that agrees */

/* Fails unless both are the same bytes, and shows where they part. */
void assert_bytes(struct cth_span is, const void *should, size_t n);

#endif
