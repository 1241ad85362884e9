/* SPDX-License-Identifier: MIT */
/*
 * render.c - addresses and ports as text: decimal, RFC 959 (commas), RFC 5952 (IPv6), RFC
 * 3986 (authorities), RFC 5665 (universal addresses).
 *
 *     commas         132,235,1,2,24,131
 *     address, port  132.235.1.2|6275    2001:db8::1|6275
 *     authority      132.235.1.2:6275    [2001:db8::1]:6275
 *     universal      132.235.1.2.24.131  2001:db8::1.24.131, as strings of XDR
 */
#include <sys/socket.h>
#include "render.h"

struct render_text {
	char *p;
	size_t n;
};

static void render_char(struct render_text *t, char c)
{
	t->p[t->n++] = c;
}

static void render_number(struct render_text *t, unsigned v, unsigned base)
{
	unsigned unit = 1;

	while (v / unit >= base)
		unit *= base;
	for (; unit; unit /= base)
		render_char(t, "0123456789abcdef"[v / unit % base]);
}

/* Bytes in decimal, with a sign between them. */
static void render_bytes(struct render_text *t, const uint8_t *b, size_t n, char between)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			render_char(t, between);
		render_number(t, b[i], 10);
	}
}

static unsigned render_group(const struct cth_addr *a, size_t i)
{
	return cth_be16(a->b + 2 * i);
}

/* RFC 5952: the first of the longest runs of zeros, of two groups at least, becomes "::". */
static void render_ipv6(struct render_text *t, const struct cth_addr *a)
{
	size_t gap = 8, gap_n = 1;

	for (size_t i = 0, n; i < 8; i += n ? n : 1) {
		for (n = 0; i + n < 8 && render_group(a, i + n) == 0; n++)
			;
		if (n > gap_n) {
			gap = i;
			gap_n = n;
		}
	}
	for (size_t i = 0; i < 8; i++) {
		if (i == gap) {
			render_char(t, ':');
			if (i == 0)
				render_char(t, ':');
			i += gap_n - 1;
			continue;
		}
		render_number(t, render_group(a, i), 16);
		if (i < 7)
			render_char(t, ':');
	}
}

static void render_address(struct render_text *t, const struct cth_addr *a)
{
	if (a->family == AF_INET)
		render_bytes(t, a->b, 4, '.');
	else
		render_ipv6(t, a);
}

size_t cth_write_address(const struct cth_addr *a, char text[CTH_ADDRESS_ROOM])
{
	struct render_text t = { text, 0 };

	if (a->family)
		render_address(&t, a);
	return t.n;
}

static void render_authority(struct render_text *t, const struct cth_addr *a, uint16_t port)
{
	if (a->family != AF_INET)
		render_char(t, '[');
	render_address(t, a);
	if (a->family != AF_INET)
		render_char(t, ']');
	render_char(t, ':');
	render_number(t, port, 10);
}

static void render_universal(struct render_text *t, const struct cth_addr *a,
			     const uint8_t halves[2])
{
	uint8_t length[4];

	t->n = sizeof(length);
	render_address(t, a);
	render_char(t, '.');
	render_bytes(t, halves, 2, '.');
	cth_store_be32(length, (uint32_t)(t->n - sizeof(length)));
	memcpy(t->p, length, sizeof(length));
	while (t->n % 4)
		render_char(t, 0);
}

size_t cth_render(enum cth_form form, char separator, const struct cth_addr *address,
		  uint16_t port, char text[CTH_RENDER_ROOM])
{
	struct render_text t = { text, 0 };
	uint8_t halves[2];

	cth_store_be16(halves, port);
	if (form == CTH_FORM_PORT) {
		render_number(&t, port, 10);
	} else if (form == CTH_FORM_BINARY_PORT) {
		memcpy(text, halves, sizeof(halves));
		t.n = sizeof(halves);
	} else if (!address->family) {
		return 0;
	} else if (form == CTH_FORM_COMMAS && address->family == AF_INET) {
		render_bytes(&t, address->b, 4, ',');
		render_char(&t, ',');
		render_bytes(&t, halves, 2, ',');
	} else if (form == CTH_FORM_ADDRESS_PORT) {
		render_address(&t, address);
		render_char(&t, separator);
		render_number(&t, port, 10);
	} else if (form == CTH_FORM_ADDRESS) {
		render_address(&t, address);
	} else if (form == CTH_FORM_AUTHORITY) {
		render_authority(&t, address, port);
	} else if (form == CTH_FORM_UNIVERSAL) {
		render_universal(&t, address, halves);
	}
	return t.n;
}
