/* SPDX-License-Identifier: MIT */
/*
 * json.c - writes JSON (RFC 8259). Numbers are whole and exact; what is not UTF-8 in a
 * string comes out byte by byte as \u00XX, so that the output always parses.
 */
#include <inttypes.h>
#include "cth.h"

/* How many bytes of UTF-8 (RFC 3629) one character at p takes; 0: it is none. */
static size_t utf8_length(const uint8_t *p, size_t n)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 :
		     p[0] < 0xf5 ? 4 : 0;

	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* Too long for what it says, a surrogate, or beyond the last character. */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

static void put_text(FILE *f, struct cth_span text)
{
	size_t len;

	fputc('"', f);
	for (size_t i = 0; i < text.n; i += len ? len : 1) {
		len = utf8_length(text.p + i, text.n - i);
		if (text.p[i] == '"' || text.p[i] == '\\')
			fprintf(f, "\\%c", text.p[i]);
		else if (len == 0 || text.p[i] < ' ' || text.p[i] == 0x7f)
			fprintf(f, "\\u%04x", text.p[i]);
		else
			fwrite(text.p + i, 1, len, f);
	}
	fputc('"', f);
}

/* What stands before every value: a comma if it is not the first, and its key. */
static void put_key(struct json *j, const char *key)
{
	if (j->comma)
		fputc(',', j->f);
	j->comma = true;
	if (!key)
		return;
	put_text(j->f, cth_span(key, strlen(key)));
	fputc(':', j->f);
}

void json_open(struct json *j, const char *key, char bracket)
{
	put_key(j, key);
	fputc(bracket, j->f);
	j->comma = false;
	j->depth++;
}

void json_close(struct json *j, char bracket)
{
	fputc(bracket == '{' || bracket == '}' ? '}' : ']', j->f);
	j->comma = true;
	if (--j->depth)
		return;
	j->comma = false;
	fputc('\n', j->f);
}

void json_bytes(struct json *j, const char *key, struct cth_span value)
{
	put_key(j, key);
	put_text(j->f, value);
}

void json_string(struct json *j, const char *key, const char *value)
{
	json_bytes(j, key, cth_span(value, strlen(value)));
}

void json_number(struct json *j, const char *key, uint64_t value)
{
	put_key(j, key);
	fprintf(j->f, "%" PRIu64, value);
}

void json_signed(struct json *j, const char *key, int64_t value)
{
	put_key(j, key);
	fprintf(j->f, "%" PRId64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	put_key(j, key);
	fputs(value ? "true" : "false", j->f);
}
