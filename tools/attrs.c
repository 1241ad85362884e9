/* SPDX-License-Identifier: MIT */
/*
 * attrs.c - attributes by the schema's tables, a line each: the name, the value and what
 * it means. Those that the tables do not know come out as type, length and bytes.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include "../netlink/uapi.h"
#include "decoder.h"

#define ATTR_HEADER 4u

/* Of an attribute with this value: where it begins, as extended ACKs count it. */
static size_t header_of(const struct decoder *d, struct cth_span v)
{
	return offset_of(d, v) - ATTR_HEADER;
}

static size_t width(enum schema_kind kind)
{
	switch (kind) {
	case S_U8:
		return 1;
	case S_BE16:
		return 2;
	case S_BE32:
	case S_HOST32:
	case S_IPV4:
		return 4;
	case S_BE64:
	case S_HOST64:
		return 8;
	case S_HWADDR:
		return 12;
	case S_IPV6:
		return 16;
	default:
		return 0; /* any */
	}
}

static uint64_t host64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t load(enum schema_kind kind, const uint8_t *p)
{
	switch (kind) {
	case S_U8:
		return p[0];
	case S_BE16:
		return cth_be16(p);
	case S_BE32:
		return cth_be32(p);
	case S_BE64:
		return cth_be64(p);
	case S_HOST32:
		return cth_host32(p);
	default:
		return host64(p);
	}
}

void bit_names(char *text, size_t cap, const char *bits, uint32_t *left)
{
	struct schema_word b;

	while (schema_next_word(&bits, &b)) {
		size_t n = strlen(text);

		if ((*left & b.value) != b.value)
			continue;
		*left &= ~b.value;
		snprintf(text + n, cap - n, "%s%s", n ? "|" : "", b.name);
	}
}

void other_bits(char *text, size_t cap, uint32_t left)
{
	size_t n = strlen(text);

	if (left)
		snprintf(text + n, cap - n, "%s0x%" PRIx32, n ? "|" : "", left);
}

static void bits(struct tree *t, const char *key, const char *words, uint32_t v)
{
	char text[256] = "";

	bit_names(text, sizeof(text), words, &v);
	other_bits(text, sizeof(text), v);
	if (text[0])
		tree_meaning(t, key, text);
}

/* The word of a VERDICT_HDR: code, and in its upper half what the code takes with it. */
static void verdict(struct tree *t, const char *key, const struct schema_attr *a, uint32_t v)
{
	const char *name = schema_word(a->words, v & 0xff);
	char text[64];

	if (name && (v & 0xff) == CTH_QUEUE && !(v & 0x7f00))
		snprintf(text, sizeof(text), "%s %" PRIu32 "%s", name, v >> 16,
			 v & 0x8000 ? " bypass" : "");
	else
		snprintf(text, sizeof(text), v >> 8 ? "%s, high bits 0x%" PRIx32 : "%s",
			 name ? name : "unknown", v >> 8);
	tree_meaning(t, key, text);
}

static void number(struct tree *t, const char *key, const struct schema_attr *a, const uint8_t *p)
{
	uint64_t v = load(a->kind, p);
	const char *name = a->bits ? NULL : schema_word(a->words, (uint32_t)v);

	if (a->sign)
		tree_signed(t, key, width(a->kind) == 4 ? (int32_t)v : (int64_t)v);
	else if (a->hex || a->bits || a->verdict)
		tree_hex(t, key, v, a->kind == S_BE16 ? 4 : 1);
	else
		tree_number(t, key, v);
	if (a->bits)
		bits(t, key, a->words, (uint32_t)v);
	else if (a->verdict)
		verdict(t, key, a, (uint32_t)v);
	else if (name)
		tree_meaning(t, key, name);
}

static void address(struct tree *t, int family, const uint8_t *p)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(family, p, text, sizeof(text)))
		tree_word(t, NULL, text);
}

/* struct nfqnl_msg_packet_hw: be16 length, 2 unused, 8 bytes of which so many count. */
static void hwaddr(struct tree *t, const uint8_t *p)
{
	char text[3 * 8] = "";
	size_t n = cth_be16(p);

	tree_number(t, "length", n);
	for (size_t i = 0; i < n && i < 8; i++)
		snprintf(text + (i ? 3 * i - 1 : 0), 4, i ? ":%02x" : "%02x", p[4 + i]);
	tree_word(t, "address", text);
}

static bool all_zero(struct cth_span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i])
			return false;
	return true;
}

/* Text up to its NUL; if more than zeros stands behind that, all of it. */
static void string(struct decoder *d, struct cth_span v, bool must_end)
{
	const uint8_t *nul = v.n ? memchr(v.p, 0, v.n) : NULL;
	size_t n = nul ? (size_t)(nul - v.p) : v.n;
	bool padded = nul && all_zero(cth_span(v.p + n, v.n - n));

	tree_quoted(&d->tree, NULL, cth_span(v.p, padded ? n : v.n));
	if (!nul && must_end)
		tree_bad(&d->tree, header_of(d, v), "no NUL at its end");
	else if (padded && n + 1 != v.n)
		tree_number(&d->tree, "bytes", v.n);
}

/* 32-bit words, the lowest bits in the first. */
static void words(struct decoder *d, struct cth_span v)
{
	char text[9 * 16] = "";

	if (v.n % 4 || v.n > 4 * 16) {
		tree_bytes(&d->tree, v);
		tree_bad(&d->tree, header_of(d, v), "%zu bytes, which are not up to 16 words", v.n);
		return;
	}
	for (size_t i = 0; i < v.n / 4; i++)
		snprintf(text + (i ? 9 * i - 1 : 0), 10, i ? " %08" PRIx32 : "%08" PRIx32,
			 cth_host32(v.p + 4 * i));
	tree_word(&d->tree, "words", text);
}

static void packet(struct tree *t, struct cth_span v)
{
	char text[SUMMARY_MAX];

	packet_summary(v, text);
	tree_word(t, "packet", text);
	if (t->json) {
		tree_bytes(t, v);
		return;
	}
	tree_down(t, NULL);
	tree_begin(t, NULL, "", "data");
	tree_bytes(t, v);
	tree_end(t);
	tree_up(t);
}

/* What is not as long as it should be. */
static void wrong_size(struct decoder *d, struct cth_span v, size_t should)
{
	tree_bytes(&d->tree, v);
	tree_bad(&d->tree, header_of(d, v), "%zu byte%s where %zu should be", v.n,
		 v.n == 1 ? "" : "s", should);
}

static void structure(struct decoder *d, const struct schema_attr *fields, struct cth_span v)
{
	size_t size = 0, at = 0;

	for (const struct schema_attr *f = fields; f->name; f++)
		size += width(f->kind);
	if (v.n < size) {
		wrong_size(d, v, size);
		return;
	}
	for (const struct schema_attr *f = fields; f->name; f++) {
		number(&d->tree, f->name, f, v.p + at);
		at += width(f->kind);
	}
	if (v.n > size)
		tree_bad(&d->tree, header_of(d, v), "%zu bytes more than the structure has",
			 v.n - size);
}

static void nest(struct decoder *d, struct cth_span level, const struct schema_attr *table,
		 unsigned depth)
{
	if (depth > SCHEMA_DEPTH) {
		tree_bytes(&d->tree, level);
		tree_bad(&d->tree, header_of(d, level), "nests %u deep are not followed", depth);
		return;
	}
	if (level.n == 0 && !d->tree.json)
		tree_word(&d->tree, NULL, "empty");
	tree_down(&d->tree, "attrs");
	show_attributes(d, level, table, depth);
	tree_up(&d->tree);
}

static void value(struct decoder *d, const struct schema_attr *a, struct cth_span v)
{
	struct tree *t = &d->tree;

	if (width(a->kind) && width(a->kind) != v.n) {
		wrong_size(d, v, width(a->kind));
		return;
	}
	switch (a->kind) {
	case S_STRING:
	case S_TEXT:
		string(d, v, a->kind == S_STRING);
		break;
	case S_WORDS:
		words(d, v);
		break;
	case S_IPV4:
		address(t, AF_INET, v.p);
		break;
	case S_IPV6:
		address(t, AF_INET6, v.p);
		break;
	case S_HWADDR:
		hwaddr(t, v.p);
		break;
	case S_PACKET:
		packet(t, v);
		break;
	case S_STRUCT:
		structure(d, a->nest, v);
		break;
	case S_BYTES:
	case S_NEST:
	case S_CHOICE:
		tree_bytes(t, v);
		break;
	default:
		number(t, NULL, a, v.p);
	}
}

static void attribute(struct decoder *d, const struct cth_attr *a, const struct schema_attr *table,
		      const struct schema_attr *choice, unsigned depth)
{
	static const struct schema_attr unknown = { .kind = S_BYTES };
	const struct schema_attr *s = schema_attr(table, a->type);
	char name[32];

	snprintf(name, sizeof(name), "type %u%s", a->type, a->nested ? " nested" : "");
	tree_begin(&d->tree, "attr", "", s ? s->name : name);
	tree_number_json(&d->tree, "type", a->type);
	if (s && s->kind == S_NEST)
		nest(d, a->value, s->nest, depth + 1);
	else if (s && s->kind == S_CHOICE && choice)
		nest(d, a->value, choice, depth + 1);
	else if (a->nested && (!s || s->kind == S_CHOICE))
		nest(d, a->value, NULL, depth + 1);
	else
		value(d, s ? s : &unknown, a->value);
	tree_end(&d->tree);
}

/* What cth_attr_next() could not take. */
static void bad_attribute(struct decoder *d, struct cth_span rest)
{
	tree_begin(&d->tree, NULL, "", "");
	if (rest.n < 4)
		tree_bad(&d->tree, offset_of(d, rest),
			 "%zu byte%s left over, too few for an attribute", rest.n,
			 rest.n == 1 ? "" : "s");
	else
		tree_bad(&d->tree, offset_of(d, rest),
			 "attribute of type %u says it has %u bytes, and there are %zu",
			 cth_host16(rest.p + 2) & NLA_TYPE_MASK, cth_host16(rest.p), rest.n);
	tree_end(&d->tree);
}

void show_attributes(struct decoder *d, struct cth_span level, const struct schema_attr *table,
		     unsigned depth)
{
	const struct schema_attr *choice = schema_choice(table, level, false);
	struct cth_span left = level;
	struct cth_attr a;
	int r;

	while ((r = cth_attr_next(&left, &a)) > 0)
		attribute(d, &a, table, choice, depth);
	if (r < 0)
		bad_attribute(d, left);
}
