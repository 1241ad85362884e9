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
		if (name[0])
			json_string(&t->j, kind, name);
		return;
	}
	for (unsigned i = 0; i < t->indent; i++)
		fputc(' ', t->j.f);
	fputs(prefix, t->j.f);
	fputs(name, t->j.f);
	t->line = name[0] != '\0';
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
	fputc(' ', t->j.f);
	if (key) {
		fputs(key, t->j.f);
		fputc(' ', t->j.f);
	}
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
		if (text.p[i] < ' ' || text.p[i] > '~') {
			fprintf(t->j.f, "\\x%02x", text.p[i]);
			continue;
		}
		if (text.p[i] == '"' || text.p[i] == '\\')
			fputc('\\', t->j.f);
		fputc(text.p[i], t->j.f);
	}
	fputc('"', t->j.f);
}

static const char digit[] = "0123456789abcdef";

static void text_hex(FILE *f, struct cth_span bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		if (i % 4 == 0)
			fputc(' ', f);
		fputc(digit[bytes.p[i] >> 4], f);
		fputc(digit[bytes.p[i] & 15], f);
	}
}

static void json_hex(struct json *j, struct cth_span bytes)
{
	char *text = malloc(2 * bytes.n + 1);

	if (!text)
		return;
	for (size_t i = 0; i < bytes.n; i++) {
		text[2 * i] = digit[bytes.p[i] >> 4];
		text[2 * i + 1] = digit[bytes.p[i] & 15];
	}
	json_bytes(j, "hex", cth_span(text, 2 * bytes.n));
	free(text);
}

void tree_bytes(struct tree *t, struct cth_span bytes)
{
	struct cth_span shown = cth_span(bytes.p, bytes.n < t->shown ? bytes.n : t->shown);

	if (t->json) {
		json_number(&t->j, "bytes", bytes.n);
		json_hex(&t->j, shown);
		return;
	}
	fprintf(t->j.f, " %zu byte%s", bytes.n, bytes.n == 1 ? "" : "s");
	text_hex(t->j.f, shown);
	if (shown.n < bytes.n)
		fprintf(t->j.f, " ... %zu more", bytes.n - shown.n);
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
