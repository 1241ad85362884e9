/* SPDX-License-Identifier: MIT */
/*
 * headers.c - messages of lines, as HTTP, SIP, RTSP and the like have them: RFC 9112 part 2.1; and
 * where a URL leads: RFC 3986 part 3.2.
 *
 *     M-SEARCH * HTTP/1.1
 *     ST : upnp:rootdevice        '\n' or "\r\n" ends a line
 *                                 an empty one ends the headers
 *
 *     http://10.0.1.2:5000/description      http://[2001:db8::1]/
 *            '-----------' authority               '-----------' without a port
 */
#include <sys/socket.h>
#include "proto.h"

void cth_skip_blanks(struct cth_span *rest)
{
	size_t n = 0;

	while (n < rest->n && (rest->p[n] == ' ' || rest->p[n] == '\t'))
		n++;
	*rest = cth_span_sub(*rest, n, rest->n - n);
}

bool cth_read_line(struct cth_span *rest, struct cth_span *line)
{
	const uint8_t *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t n;

	if (!end)
		return false;
	n = (size_t)(end - rest->p);
	*line = cth_span_sub(*rest, 0, n && end[-1] == '\r' ? n - 1 : n);
	*rest = cth_span_sub(*rest, n + 1, rest->n - n - 1);
	return true;
}

enum cth_header cth_find_header(struct cth_span message, const char *name, struct cth_span *value)
{
	while (cth_read_line(&message, value)) {
		if (value->n == 0)
			return CTH_HEADER_ABSENT;
		if (!cth_read_word(value, name))
			continue;
		cth_skip_blanks(value);
		if (!cth_read_word(value, ":"))
			continue;
		cth_skip_blanks(value);
		return CTH_HEADER_FOUND;
	}
	return CTH_HEADER_CUT;
}

bool cth_read_authority(struct cth_span *rest, uint16_t usual, struct cth_addr *host,
			uint32_t *port)
{
	struct cth_span at = *rest;
	bool brackets = cth_read_word(&at, "[");
	bool read = cth_read_address(&at, host) && (host->family == AF_INET6) == brackets &&
		    (!brackets || cth_read_word(&at, "]"));

	*port = usual;
	if (read && cth_read_word(&at, ":"))
		read = cth_read_number(&at, UINT16_MAX, port);
	if (!read || *port == 0 || (at.n && !memchr("/?#> \t", at.p[0], 6)))
		return false;
	*rest = at;
	return true;
}
