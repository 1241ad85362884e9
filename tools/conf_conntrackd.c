/* SPDX-License-Identifier: MIT */
/*
 * conf_conntrackd.c - conntrackd.conf's helpers, for who comes from there. Format: the manual
 * page conntrackd.conf(5). The other sections are skipped.
 *
 *     Helper {
 *         Type NAME inet|inet6 tcp|udp {
 *             QueueNum NUMBER
 *             QueueLen PACKETS
 *             Policy CLASS { ExpectMax COUNT  ExpectTimeout SECONDS }
 *         }
 *     }
 *
 * There a helper of each family and transport is one of its own; here they are one helper, with
 * one queue and one policy: the first Type of a name counts, and where a later one differs
 * there is a note.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "cth.h"
#include "conf.h"

#define CONNTRACKD_QUEUE_LEN 1024 /* where there is no QueueLen */

enum token_kind { T_END, T_OPEN, T_CLOSE, T_WORD };

/* One Type: what it says, and in which line; line 0: nothing. */
struct type {
	const struct cth_proto *proto;
	unsigned line;
	uint32_t family;   /* CONF_IPV4 or CONF_IPV6 */
	uint8_t l4;
	uint32_t queue, length;
	unsigned queue_at, length_at;
	struct conf_class classes[CTH_CLASSES];
};

struct scan {
	struct conf *c;
	struct conf_report *r;
	struct cth_span rest;
	unsigned at_line;        /* where rest begins */
	/* The token in hand. */
	enum token_kind kind;
	unsigned line;
	char text[64];           /* cut off if it is longer: then it is none that we know */
	struct type *types;
	size_t n;
};

#define complain(s, l, ...) conf_say(&(s)->r->errors, (s)->c->file, l, __VA_ARGS__)
#define remark(s, l, ...) conf_say(&(s)->r->notes, (s)->c->file, l, __VA_ARGS__)

/* Tokens: words and braces. */

static void skip_blanks(struct scan *s)
{
	bool comment = false;

	while (s->rest.n) {
		uint8_t c = s->rest.p[0];

		if (c == '#')
			comment = true;
		if (c == '\n')
			comment = false;
		if (!comment && c != ' ' && c != '\t' && c != '\r' && c != '\n')
			return;
		s->at_line += c == '\n';
		s->rest = cth_span_sub(s->rest, 1, s->rest.n - 1);
	}
}

static bool ends_word(uint8_t c)
{
	return c <= ' ' || c == '{' || c == '}' || c == '#';
}

static void next(struct scan *s)
{
	size_t n = 0, kept;

	skip_blanks(s);
	s->line = s->at_line;
	s->text[0] = 0;
	s->kind = T_END;
	if (s->rest.n == 0)
		return;
	while (n < s->rest.n && !ends_word(s->rest.p[n]))
		n++;
	s->kind = n ? T_WORD : s->rest.p[0] == '{' ? T_OPEN : T_CLOSE;
	kept = n < sizeof(s->text) ? n : sizeof(s->text) - 1;
	memcpy(s->text, s->rest.p, kept);
	s->text[kept] = 0;
	n = n ? n : 1;
	s->rest = cth_span_sub(s->rest, n, s->rest.n - n);
}

static bool is(const struct scan *s, const char *word)
{
	return s->kind == T_WORD && strcasecmp(s->text, word) == 0;
}

/* From behind a { to behind its }. line: where it was opened. */
static void skip_block(struct scan *s, unsigned line)
{
	for (size_t depth = 1; depth; next(s)) {
		if (s->kind == T_END) {
			complain(s, line, "{ is never closed: } is missing");
			return;
		}
		depth += s->kind == T_OPEN;
		depth -= s->kind == T_CLOSE;
	}
}

/* What is left of a statement: the rest of its line, and its block, if it has one. */
static void skip_statement(struct scan *s)
{
	unsigned line = s->line;

	while (s->kind == T_WORD && s->line == line)
		next(s);
	if (s->kind != T_OPEN)
		return;
	line = s->line;
	next(s);
	skip_block(s, line);
}

/* Takes the { behind a word: false, and it has been said. */
static bool open_block(struct scan *s, const char *what, unsigned line)
{
	if (s->kind == T_OPEN) {
		next(s);
		return true;
	}
	complain(s, line, "%s: { is missing behind it", what);
	skip_statement(s);
	return false;
}

/* Calls statement for each until the block's }. */
static void each_statement(struct scan *s, unsigned line, const char *what,
			   void (*statement)(struct scan *s, struct type *t), struct type *t)
{
	for (;;) {
		unsigned here = s->line;

		if (s->kind == T_WORD) {
			statement(s, t);
			continue;
		}
		if (s->kind == T_CLOSE)
			break;
		if (s->kind == T_END) {
			complain(s, line, "%s: its { is never closed: } is missing", what);
			break;
		}
		complain(s, here, "{ stands alone: in %s there is a word before it", what);
		next(s);
		skip_block(s, here);
	}
	next(s);
}

/* Numbers. */

static void take_number(struct scan *s, const char *what, uint32_t min, uint32_t max,
			uint32_t *to, unsigned *at)
{
	unsigned line = s->line;
	uint64_t v;

	next(s);
	if (s->kind != T_WORD || s->line != line) {
		complain(s, line, "%s: a number from %u to %u is missing", what, min, max);
		return;
	}
	if (*at)
		complain(s, line, "%s is there twice: in line %u already", what, *at);
	*at = line;
	if (parse_number(s->text, min, max, &v))
		*to = (uint32_t)v;
	else
		complain(s, line, "%s '%s': a number from %u to %u", what, s->text, min, max);
	next(s);
}

static void no_counterpart(struct scan *s)
{
	remark(s, s->line, "%s has no counterpart here, and is skipped", s->text);
	skip_statement(s);
}

/* Policy. */

static void policy_statement(struct scan *s, struct type *t)
{
	struct conf_class *class = &t->classes[0];

	if (is(s, "ExpectMax"))
		take_number(s, "ExpectMax", 0, conf_words[CONF_MAX].max[0], &class->max,
			    &class->max_at);
	else if (is(s, "ExpectTimeout"))
		take_number(s, "ExpectTimeout", conf_words[CONF_TIMEOUT].min[0],
			    conf_words[CONF_TIMEOUT].max[0], &class->timeout, &class->timeout_at);
	else
		no_counterpart(s);
}

static int class_number(const struct cth_proto *proto, const char *name)
{
	for (int i = 0; i < CTH_CLASSES && proto->classes[i].name; i++)
		if (strcmp(proto->classes[i].name, name) == 0)
			return i;
	return -1;
}

static void take_policy(struct scan *s, struct type *t)
{
	struct type in = { 0 }; /* the policy alone: in its first class */
	struct conf_class *class = &in.classes[0];
	unsigned line = s->line;
	char name[sizeof(s->text)];
	int number;

	next(s);
	if (s->kind != T_WORD) {
		complain(s, line, "Policy: the name of a class is missing behind it");
		skip_statement(s);
		return;
	}
	memcpy(name, s->text, sizeof(name));
	next(s);
	if (!open_block(s, "Policy", line))
		return;
	each_statement(s, line, "Policy", policy_statement, &in);
	number = class_number(t->proto, name);
	if (number < 0) {
		remark(s, line, "Policy %s: %s has no class of this name here; it is left out", name,
		       t->proto->name);
		return;
	}
	if (class->max_at && class->max == 0) {
		remark(s, class->max_at, "ExpectMax 0 is no limit to some kernels: here it is %u",
		       CTH_HELPER_MAX);
		class->max = CTH_HELPER_MAX;
	}
	t->classes[number] = *class;
}

/* Type. */

static void type_statement(struct scan *s, struct type *t)
{
	if (is(s, "QueueNum"))
		take_number(s, "QueueNum", 0, UINT16_MAX, &t->queue, &t->queue_at);
	else if (is(s, "QueueLen"))
		take_number(s, "QueueLen", 1, conf_words[CONF_QUEUE_LENGTH].max[0], &t->length,
			    &t->length_at);
	else if (is(s, "Policy"))
		take_policy(s, t);
	else
		no_counterpart(s);
}

static bool take_family(struct scan *s, struct type *t)
{
	t->family = is(s, "inet") ? CONF_IPV4 : is(s, "inet6") ? CONF_IPV6 : 0;
	if (t->family)
		next(s);
	else
		complain(s, t->line, "Type %s: inet or inet6 is missing behind the name",
			 t->proto->name);
	return t->family != 0;
}

static bool take_transport(struct scan *s, struct type *t)
{
	t->l4 = is(s, "tcp") ? IPPROTO_TCP : is(s, "udp") ? IPPROTO_UDP : 0;
	if (t->l4)
		next(s);
	else
		complain(s, t->line, "Type %s: tcp or udp is missing behind the family",
			 t->proto->name);
	return t->l4 != 0;
}

static const char *family_name(uint32_t family)
{
	return family == CONF_IPV4 ? "inet" : "inet6";
}

/* "inet6 tcp" */
static const char *kind_of(const struct type *t)
{
	return phrase("%s %s", family_name(t->family), t->l4 == IPPROTO_TCP ? "tcp" : "udp");
}

static void keep_type(struct scan *s, const struct type *t)
{
	struct type *more;

	for (size_t i = 0; i < s->n; i++)
		if (s->types[i].proto == t->proto && s->types[i].family == t->family &&
		    s->types[i].l4 == t->l4)
			complain(s, t->line, "Type %s %s is there twice: in line %u already",
				 t->proto->name, kind_of(t), s->types[i].line);
	more = realloc(s->types, (s->n + 1) * sizeof(*more));
	if (!more) {
		s->r->errors.failed = true;
		return;
	}
	s->types = more;
	more[s->n++] = *t;
}

static bool has_l4(const struct cth_proto *proto, uint8_t l4)
{
	return memchr(proto->l4, l4, strlen((const char *)proto->l4)) != NULL;
}

/* The name of a Type, of a protocol that there is here: false, and it has been said. */
static bool take_type_name(struct scan *s, struct type *t)
{
	char list[512];

	next(s);
	if (s->kind != T_WORD) {
		complain(s, t->line, "Type: the name of a helper is missing behind it");
		return false;
	}
	t->proto = cth_proto_find(s->text);
	if (!t->proto)
		remark(s, t->line, "Type %s: there is no such protocol here, so it is left out; "
		       "there are: %s", s->text, conf_protocols(list));
	else
		next(s);
	return t->proto != NULL;
}

static void take_type(struct scan *s)
{
	struct type t = { .line = s->line };

	if (!take_type_name(s, &t) || !take_family(s, &t) || !take_transport(s, &t)) {
		skip_statement(s);
		return;
	}
	if (!open_block(s, "Type", t.line))
		return;
	each_statement(s, t.line, "Type", type_statement, &t);
	if (has_l4(t.proto, t.l4))
		keep_type(s, &t);
	else
		remark(s, t.line, "Type %s %s: there is no %s over %s here, so it is left out",
		       t.proto->name, kind_of(&t), t.proto->name,
		       t.l4 == IPPROTO_TCP ? "tcp" : "udp");
}

/* Helper, and the file. */

/* "Setup no" would leave the registry to nfct: here the service is who registers. */
static void take_setup(struct scan *s)
{
	unsigned line = s->line;

	next(s);
	if (s->line == line && (is(s, "no") || is(s, "off")))
		remark(s, line, "Setup %s: the helpers are registered here all the same, or those that "
		       "are registered are taken over", s->text);
	if (s->line == line)
		skip_statement(s);
}

static void helper_statement(struct scan *s, struct type *unused)
{
	(void)unused;
	if (is(s, "Type"))
		take_type(s);
	else if (is(s, "Setup"))
		take_setup(s);
	else
		no_counterpart(s);
}

static void take_file(struct scan *s)
{
	while (s->kind != T_END) {
		unsigned line = s->line;

		if (s->kind == T_CLOSE) {
			complain(s, line, "} closes nothing: { is missing before it");
			next(s);
		} else if (is(s, "Helper")) {
			next(s);
			if (open_block(s, "Helper", line))
				each_statement(s, line, "Helper", helper_statement, NULL);
		} else {
			skip_statement(s);
		}
	}
}

/* From Types to helpers. */

static struct conf_helper *helper_of(struct conf *c, const struct cth_proto *proto)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->helpers[i].proto == proto)
			return &c->helpers[i];
	return NULL;
}

static void make_helper(struct scan *s, const struct type *t)
{
	struct conf_helper *h = conf_add(s->c, t->proto, t->line);

	if (!h) {
		s->r->errors.failed = true;
		return;
	}
	h->families = t->family;
	h->queue = t->queue;
	h->length = t->length_at ? t->length : CONNTRACKD_QUEUE_LEN;
	h->at[CONF_QUEUE] = t->queue_at ? t->queue_at : t->line;
	h->at[CONF_QUEUE_LENGTH] = t->length_at;
	for (size_t i = 0; i < CTH_CLASSES; i++) {
		const struct conf_class *class = &t->classes[i];

		h->classes[i].max = class->max_at ? class->max : h->classes[i].max;
		h->classes[i].timeout = class->timeout_at ? class->timeout : h->classes[i].timeout;
		h->classes[i].max_at = class->max_at;
		h->classes[i].timeout_at = class->timeout_at;
	}
	if (!t->queue_at)
		remark(s, t->line, "Type %s %s: QueueNum is missing: queue 0 is taken", t->proto->name,
		       kind_of(t));
}

static void remark_other(struct scan *s, const struct conf_helper *h, const struct type *t,
			 unsigned line, const char *what, uint32_t value, uint32_t counts)
{
	if (line && value != counts)
		remark(s, line, "%s %u: %s %s has the same one as the Type of line %u here: %u", what,
		       value, t->proto->name, kind_of(t), h->at[CONF_HELPER], counts);
}

/* A Type of a protocol that is there. What it does not say is no difference. */
static void join_type(struct scan *s, struct conf_helper *h, const struct type *t)
{
	h->families |= t->family;
	remark_other(s, h, t, t->queue_at, "QueueNum", t->queue, h->queue);
	remark_other(s, h, t, t->length_at, "QueueLen", t->length, h->length);
	for (size_t i = 0; i < CTH_CLASSES; i++) {
		const struct conf_class *class = &t->classes[i];

		remark_other(s, h, t, class->max_at, "ExpectMax", class->max, h->classes[i].max);
		remark_other(s, h, t, class->timeout_at, "ExpectTimeout", class->timeout,
			     h->classes[i].timeout);
	}
}

static bool has_type(const struct scan *s, const struct type *like)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->types[i].proto == like->proto && s->types[i].family == like->family &&
		    s->types[i].l4 == like->l4)
			return true;
	return false;
}

/* What a helper here serves beyond its Types: every transport, in each of its families. */
static void remark_beyond(struct scan *s, const struct conf_helper *h)
{
	for (uint32_t family = CONF_IPV4; family <= CONF_IPV6; family <<= 1) {
		for (const uint8_t *l4 = h->proto->l4; *l4; l4++) {
			const struct type t = { .proto = h->proto, .family = family, .l4 = *l4 };

			if ((h->families & family) && !has_type(s, &t))
				remark(s, h->at[CONF_HELPER], "Type %s: here it serves %s as well",
				       h->proto->name, kind_of(&t));
		}
	}
}

static void make_helpers(struct scan *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct conf_helper *h = helper_of(s->c, s->types[i].proto);

		if (h)
			join_type(s, h, &s->types[i]);
		else
			make_helper(s, &s->types[i]);
	}
	for (size_t i = 0; i < s->c->n; i++)
		remark_beyond(s, &s->c->helpers[i]);
}

int conf_parse_conntrackd(struct conf *c, const char *file, struct cth_span text,
			  struct conf_report *r)
{
	struct scan s = { .c = c, .r = r, .rest = text, .at_line = 1 };
	char list[512];
	int err = conf_begin(c, file, r);

	if (err < 0)
		return err;
	if (conf_is_text(file, text, r)) {
		next(&s);
		take_file(&s);
		make_helpers(&s);
	}
	if (c->n == 0 && r->errors.n == 0)
		conf_say(&r->errors, c->file, 0, "no Helper section with a Type that there is here: "
			 "there are: %s", conf_protocols(list));
	free(s.types);
	return conf_end(c, r);
}

int conf_read_conntrackd(struct conf *c, const char *path, struct conf_report *r)
{
	return conf_read_as(c, path, conf_parse_conntrackd, r);
}
