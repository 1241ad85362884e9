/* SPDX-License-Identifier: MIT */
/*
 * words.c - what protocol files read alike: numbers, words, addresses (RFC 4291 part 2.2 for IPv6),
 * and XDR's four bytes (RFC 4506).
 *
 *     10.0.1.2    2001:db8::1    ::ffff:10.0.1.2    ::
 */
#include <sys/socket.h>
#include "proto.h"

#define WORDS_GROUPS 8u
#define WORDS_NO_GAP 9u /* more than any address has groups */

static bool words_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static uint8_t words_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* The value of a hexadecimal digit; 16: it is none. */
static unsigned words_digit(uint8_t c)
{
	c = words_lower(c);
	if (words_is_digit(c))
		return c - (unsigned)'0';
	return c >= 'a' && c <= 'f' ? c - (unsigned)'a' + 10 : 16;
}

static void words_skip(struct cth_span *rest, size_t n)
{
	*rest = cth_span_sub(*rest, n, rest->n - n);
}

bool cth_read_number(struct cth_span *rest, uint32_t max, uint32_t *number)
{
	uint64_t value = 0;
	size_t n = 0;

	for (; n < rest->n && words_is_digit(rest->p[n]); n++) {
		value = value * 10 + (unsigned)(rest->p[n] - '0');
		if (value > max)
			return false;
	}
	if (n == 0)
		return false;
	*number = (uint32_t)value;
	words_skip(rest, n);
	return true;
}

bool cth_read_word(struct cth_span *rest, const char *text)
{
	size_t n = strlen(text);

	if (n > rest->n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (words_lower(rest->p[i]) != words_lower((uint8_t)text[i]))
			return false;
	words_skip(rest, n);
	return true;
}

bool cth_read_xdr(struct cth_span *rest, uint32_t *number)
{
	if (rest->n < 4)
		return false;
	*number = cth_be32(rest->p);
	words_skip(rest, 4);
	return true;
}

/* Four numbers with dots between. */
static bool words_ipv4(struct cth_span *rest, uint8_t b[4])
{
	struct cth_span at = *rest;

	for (unsigned i = 0; i < 4; i++) {
		uint32_t number;

		if ((i && !cth_read_word(&at, ".")) || !cth_read_number(&at, 255, &number))
			return false;
		b[i] = (uint8_t)number;
	}
	*rest = at;
	return true;
}

/* One to four hexadecimal digits. */
static bool words_group(struct cth_span *rest, uint8_t b[2])
{
	unsigned value = 0;
	size_t n = 0;

	for (; n < rest->n && words_digit(rest->p[n]) < 16; n++) {
		if (n == 4)
			return false;
		value = value << 4 | words_digit(rest->p[n]);
	}
	cth_store_be16(b, (uint16_t)value);
	words_skip(rest, n);
	return n > 0;
}

/*
 * Groups from the left, as they stand; where "::" was, at gap, zeros are put in once it is known
 * how many.
 */
static bool words_ipv6(struct cth_span *rest, uint8_t b[16])
{
	struct cth_span at = *rest;
	unsigned n = 0, gap = cth_read_word(&at, "::") ? 0 : WORDS_NO_GAP;

	memset(b, 0, 16);
	while (n < WORDS_GROUPS) {
		struct cth_span before = at;

		if (n + 2 <= WORDS_GROUPS && words_ipv4(&at, b + 2 * n)) {
			n += 2;
			break;
		}
		if (!words_group(&at, b + 2 * n)) {
			at = before;
			if (n != gap)
				return false; /* a colon, and nothing behind it */
			break;
		}
		n++;
		if (gap == WORDS_NO_GAP && cth_read_word(&at, "::"))
			gap = n;
		else if (n == WORDS_GROUPS || !cth_read_word(&at, ":"))
			break;
	}
	if (gap == WORDS_NO_GAP ? n != WORDS_GROUPS : n == WORDS_GROUPS)
		return false;
	if (gap != WORDS_NO_GAP) {
		memmove(b + 16 - 2 * (n - gap), b + 2 * gap, 2 * (n - gap));
		memset(b + 2 * gap, 0, 16 - 2 * n);
	}
	*rest = at;
	return true;
}

/* A name or a longer number may begin like an address. */
static bool words_end(struct cth_span rest)
{
	uint8_t c = rest.n ? words_lower(rest.p[0]) : 0;

	return !words_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '.' && c != '-' && c != '_';
}

bool cth_read_address(struct cth_span *rest, struct cth_addr *a)
{
	struct cth_span at = *rest;

	memset(a, 0, sizeof(*a));
	if (words_ipv4(&at, a->b))
		a->family = AF_INET;
	else if (words_ipv6(&at, a->b) && (at.n == 0 || at.p[0] != ':'))
		a->family = AF_INET6;
	if (!a->family || !words_end(at)) {
		memset(a, 0, sizeof(*a));
		return false;
	}
	*rest = at;
	return true;
}
