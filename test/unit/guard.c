/* SPDX-License-Identifier: MIT */
/*
 * guard.c - inputs that end where memory ends, every truncation and every byte value.
 *
 *     | ... the copy | PROT_NONE page |
 *                    ^ one byte further is a crash
 */
#include <sys/mman.h>
#include <unistd.h>
#include "unit.h"

static size_t mapped(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (n + page - 1) / page * page + page;
}

uint8_t *guarded(const void *bytes, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = mapped(n);
	uint8_t *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *p;

	assert_true(map != MAP_FAILED);
	p = map + size - page - n;
	if (n)
		memcpy(p, bytes, n);
	assert_int_equal(mprotect(map + size - page, page, PROT_NONE), 0);
	return p;
}

void free_guarded(uint8_t *p, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = mapped(n);

	munmap(p + n + page - size, size);
}

struct cth_span at_the_edge(struct cth_span bytes)
{
	static uint8_t *room; /* kept: a mapping for each look would be most of a test's time */
	static size_t n;

	if (!room || bytes.n > n) {
		if (room)
			free_guarded(room, n);
		n = bytes.n;
		room = guarded(bytes.p, n);
	}
	if (bytes.n)
		memmove(room + n - bytes.n, bytes.p, bytes.n);
	return cth_span(room + n - bytes.n, bytes.n);
}

void every_truncation(struct cth_span bytes, bytes_fn *fn, void *ctx)
{
	/* One mapping for all: each truncation is moved to its end. */
	uint8_t *p = guarded(bytes.p, bytes.n);

	for (size_t n = bytes.n + 1; n-- > 0;) {
		memmove(p + bytes.n - n, bytes.p, n);
		fn(cth_span(p + bytes.n - n, n), ctx);
	}
	free_guarded(p, bytes.n);
}

void every_byte_value(struct cth_span bytes, bytes_fn *fn, void *ctx)
{
	uint8_t *p = guarded(bytes.p, bytes.n);

	for (size_t i = 0; i < bytes.n; i++) {
		for (unsigned v = 0; v < 256; v++) {
			p[i] = (uint8_t)v;
			fn(cth_span(p, bytes.n), ctx);
		}
		p[i] = bytes.p[i];
	}
	free_guarded(p, bytes.n);
}

void assert_bytes(struct cth_span is, const void *should, size_t n)
{
	const uint8_t *s = should;

	for (size_t i = 0; i < is.n && i < n; i++)
		if (is.p[i] != s[i])
			fail_msg("byte %zu is %02x, should be %02x (%zu bytes, should be %zu)",
				 i, is.p[i], s[i], is.n, n);
	if (is.n != n)
		fail_msg("%zu bytes, should be %zu", is.n, n);
}
