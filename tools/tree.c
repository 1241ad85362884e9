/* SPDX-License-Identifier: MIT */
/*
 * tree.c - decoded messages as text and as JSON. Both show the same, but for opaque
 * bytes, which JSON spells out whole unless told otherwise.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include "tree.h"

void tree_begin(struct tree *t, const char *kind, const char *prefix, const char *name)
{
	if (t->json) {
		json_open(&t->j, NULL, '{');
		json_string(&t->j, kind, name);
		return;
	}
	fprintf(t->j.f, "%*s%s%s", (int)t->indent, "", prefix, name);
	t->line = true;
}

void tree_end(struct tree *t)
{
	if (t->json) {
		json_close(&t->j, '}');
	} else if (t->line) {
		fputc('\n', t->j.f);
		t->line = false;
	}
}

void tree_down(struct tree *t, const char *key)
{
	if (t->json)
		json_open(&t->j, key, '[');
	else
		tree_end(t);
	t->indent += 2;
}

void tree_up(struct tree *t)
{
	t->indent -= 2;
	if (t->json)
		json_close(&t->j, ']');
}

/* " key " in front of a value's text. */
static void text_key(struct tree *t, const char *key)
{
	fprintf(t->j.f, " %s%s", key ? key : "", key ? " " : "");
}

static const char *json_key(const char *key)
{
	return key ? key : "value";
}

void tree_number_json(struct tree *t, const char *key, uint64_t v)
{
	if (t->json)
		json_number(&t->j, key, v);
}

void tree_number(struct tree *t, const char *key, uint64_t v)
{
	if (t->json) {
		json_number(&t->j, json_key(key), v);
		return;
	}
	text_key(t, key);
	fprintf(t->j.f, "%" PRIu64, v);
}

void tree_signed(struct tree *t, const char *key, int64_t v)
{
	if (t->json) {
		json_signed(&t->j, json_key(key), v);
		return;
	}
	text_key(t, key);
	fprintf(t->j.f, "%" PRId64, v);
}

void tree_hex(struct tree *t, const char *key, uint64_t v, int digits)
{
	if (t->json) {
		json_number(&t->j, json_key(key), v);
		return;
	}
	text_key(t, key);
	fprintf(t->j.f, "0x%0*" PRIx64, digits, v);
}

void tree_word(struct tree *t, const char *key, const char *word)
{
	if (t->json) {
		json_string(&t->j, json_key(key), word);
		return;
	}
	text_key(t, key);
	fputs(word, t->j.f);
}

void tree_meaning(struct tree *t, const char *key, const char *meaning)
{
	char name[64];

	if (!t->json) {
		fprintf(t->j.f, " (%s)", meaning);
		return;
	}
	snprintf(name, sizeof(name), "%s%smeaning", key ? key : "", key ? "_" : "");
	json_string(&t->j, name, meaning);
}

void tree_quoted(struct tree *t, const char *key, struct cth_span text)
{
	if (t->json) {
		json_bytes(&t->j, json_key(key), text);
		return;
	}
	text_key(t, key);
	fputc('"', t->j.f);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < ' ' || text.p[i] > '~')
			fprintf(t->j.f, "\\x%02x", text.p[i]);
		else
			fprintf(t->j.f, text.p[i] == '"' || text.p[i] == '\\' ? "\\%c" : "%c",
				text.p[i]);
	}
	fputc('"', t->j.f);
}

static void json_hex(struct tree *t, struct cth_span bytes, size_t shown)
{
	static const char digit[] = "0123456789abcdef";
	char *text = malloc(2 * shown + 1);

	if (!text)
		return;
	for (size_t i = 0; i < shown; i++) {
		text[2 * i] = digit[bytes.p[i] >> 4];
		text[2 * i + 1] = digit[bytes.p[i] & 15];
	}
	json_bytes(&t->j, "hex", cth_span(text, 2 * shown));
	free(text);
}

void tree_bytes(struct tree *t, struct cth_span bytes)
{
	size_t shown = bytes.n < t->shown ? bytes.n : t->shown;

	if (t->json) {
		json_number(&t->j, "bytes", bytes.n);
		json_hex(t, bytes, shown);
		return;
	}
	fprintf(t->j.f, " %zu byte%s", bytes.n, bytes.n == 1 ? "" : "s");
	for (size_t i = 0; i < shown; i++)
		fprintf(t->j.f, "%s%02x", i % 4 ? "" : " ", bytes.p[i]);
	if (shown < bytes.n)
		fprintf(t->j.f, " ... %zu more", bytes.n - shown);
}

void tree_bad(struct tree *t, size_t offset, const char *format, ...)
{
	char text[160];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (t->json) {
		json_string(&t->j, "malformed", text);
		json_number(&t->j, "offset", offset);
		return;
	}
	fprintf(t->j.f, "%smalformed at byte %zu: %s", t->line ? " " : "", offset, text);
	t->line = true;
}
