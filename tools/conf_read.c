/* SPDX-License-Identifier: MIT */
/*
 * conf_read.c - the reader of cth.conf, which the table of words drives.
 *
 *     line = [blanks] word ... [# comment]
 *     word = what its form says: capitals are a value, a|b a choice, a,b a list
 *
 * A line that begins with blanks goes on with the helper above. After an error it goes on with
 * the next word, so that all errors are found at once.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "cth.h"
#include "conf.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

struct token {
	char *text;
	bool quoted;
};

struct reader {
	struct conf *c;
	struct conf_report *r;
	unsigned line;
	bool in_helper;        /* the last of c's */
	int class_number;      /* that was named, or -1 */
	unsigned class_line;   /* of a class of which nothing was said yet; 0: none */
	char class_name[32];
	char text[CONF_LINE + 1]; /* the line, cut into tokens */
	struct token tokens[CONF_LINE / 2 + 1];
	size_t n, i;           /* i: the next one */
};

#define complain(r, ...) \
	conf_say(&(r)->r->errors, (r)->c->file, (r)->line, __VA_ARGS__)

/* The nearest known word: what was meant. */

#define LONGEST_WORD 24

struct nearest {
	const char *text, *best;
	size_t n, distance; /* of best */
};

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * How many letters must be put in, taken away, replaced or swapped with the next. row[i % 3][j] is
 * that of the first i of a and the first j of b.
 */
static size_t distance(const char *a, size_t a_n, const char *b, size_t b_n)
{
	size_t row[3][LONGEST_WORD + 1];

	for (size_t j = 0; j <= b_n; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= a_n; i++) {
		size_t *now = row[i % 3], *above = row[(i + 2) % 3], *two_above = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= b_n; j++) {
			now[j] = smaller(above[j - 1] + (a[i - 1] != b[j - 1]),
					 1 + smaller(above[j], now[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = smaller(now[j], two_above[j - 2] + 1);
		}
	}
	return row[a_n % 3][b_n];
}

/* Two words have something in common if not every second letter is wrong. */
static void try_nearest(struct nearest *near, const char *name, size_t n)
{
	size_t text_n = strlen(near->text), d;

	if (text_n > LONGEST_WORD || n > LONGEST_WORD)
		return;
	d = distance(near->text, text_n, name, n);
	if (d * 2 > n || (near->best && d >= near->distance))
		return;
	near->best = name;
	near->n = n;
	near->distance = d;
}

/* Words. */

/* For %.*s. */
static int word_n(const struct conf_word *w)
{
	return (int)strcspn(w->form, " ");
}

static const struct conf_word *find_word(const struct token *t)
{
	return t->quoted ? NULL : conf_word(t->text);
}

static struct conf_helper *helper(struct reader *r)
{
	return r->in_helper ? &r->c->helpers[r->c->n - 1] : NULL;
}

static void *field(struct reader *r, const struct conf_word *w)
{
	return (char *)(r->in_helper ? (void *)helper(r) : (void *)r->c) + w->at;
}

static void set_field(struct reader *r, const struct conf_word *w, const char *text)
{
	conf_set_text(field(r, w), text, r->r);
}

/* Values. Each take_...() tells what is wrong with the text, and leaves the field alone then. */

static void take_user(struct reader *r, const struct conf_word *w, const char *text)
{
	size_t n = strlen(text);
	uint64_t v;

	if (strcmp(text, "root") == 0 || (parse_number(text, 0, UINT64_MAX, &v) && v == 0))
		complain(r, "%.*s '%s': any user but root", word_n(w), w->form, text);
	else if (!parse_number(text, 1, UINT32_MAX - 1, &v) &&
		 (n == 0 || n > 31 || isdigit((unsigned char)text[0]) || text[0] == '-' ||
		  text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			      "0123456789_.-")]))
		complain(r, "%.*s '%.40s': the name of a user, letters, digits, '_', '.' and '-', "
			 "31 at most, or a number from 1 to %u", word_n(w), w->form, text,
			 UINT32_MAX - 1);
	else
		set_field(r, w, text);
}

static void take_path(struct reader *r, const struct conf_word *w, const struct token *t)
{
	if (!t->quoted && strcmp(t->text, "off") == 0)
		set_field(r, w, NULL);
	else if (t->text[0] != '/')
		complain(r, "%.*s '%.40s': a path that begins with '/', or off", word_n(w), w->form,
			 t->text);
	else if (strlen(t->text) > w->max[0])
		complain(r, "%.*s '%.40s...': the path has %zu bytes: %u at most", word_n(w), w->form,
			 t->text, strlen(t->text), w->max[0]);
	else
		set_field(r, w, t->text);
}

/* What `ip netns` made is called by its name, so that two ways to say it are one. */
static const char *netns_name(const char *path)
{
	static const char *const folders[] = { "/run/netns/", "/var/run/netns/" };

	for (size_t i = 0; i < N_OF(folders); i++) {
		size_t n = strlen(folders[i]);

		if (strncmp(path, folders[i], n) == 0 && path[n] && !strchr(path + n, '/'))
			return path + n;
	}
	return path;
}

static void take_netns(struct reader *r, const struct conf_word *w, const char *text)
{
	const char *name = netns_name(text);

	if (strlen(text) > w->max[0])
		complain(r, "netns '%.40s...' has %zu bytes: %u at most", text, strlen(text), w->max[0]);
	else if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		 (name[0] != '/' && strchr(name, '/')))
		complain(r, "netns '%s': a name that `ip netns` shows, or a path that begins with '/'",
			 text);
	else
		set_field(r, w, name);
}

static void take_name(struct reader *r, const struct conf_word *w, const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n > w->max[0] || text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						   "abcdefghijklmnopqrstuvwxyz0123456789._-")])
		complain(r, "name '%.40s': 1 to %u letters, digits, '.', '_' and '-'", text, w->max[0]);
	else
		set_field(r, w, text);
}

static void number_of(struct reader *r, const struct conf_word *w, size_t nth, const char *text,
		      uint32_t *to)
{
	uint64_t v;

	if (parse_number(text, w->min[nth], w->max[nth], &v))
		*to = (uint32_t)v;
	else
		complain(r, "%.*s '%.40s': a number from %u to %u", word_n(w), w->form, text,
			 w->min[nth], w->max[nth]);
}

static void take_number(struct reader *r, const struct conf_word *w, size_t nth, const char *text)
{
	number_of(r, w, nth, text, (uint32_t *)field(r, w) + nth);
}

/* piece is "open|closed". */
static void take_choice(struct reader *r, const struct conf_word *w, const char *text,
			const char *piece, size_t piece_n)
{
	size_t first = strcspn(piece, "|"), n = strlen(text);
	bool second = n == piece_n - first - 1 && strncmp(text, piece + first + 1, n) == 0;

	if (second || (n == first && strncmp(text, piece, n) == 0))
		*(bool *)field(r, w) = second;
	else
		complain(r, "%.*s '%.40s': %.*s or %.*s", word_n(w), w->form, text, (int)first, piece,
			 (int)(piece_n - first - 1), piece + first + 1);
}

/* "no protocol 'ftq': did you mean 'ftp'? There are: ftp, tftp"; list is NULL when it is long. */
static void complain_unknown(struct reader *r, const char *what, const struct nearest *near,
			     const char *list)
{
	char guess[LONGEST_WORD + 20] = "";

	if (near->best)
		snprintf(guess, sizeof(guess), " did you mean '%.*s'?", (int)near->n, near->best);
	complain(r, "no %s '%.40s':%s%s%s", what, near->text, guess,
		 !list ? "" : near->best ? " There are: " : " there are: ", list ? list : "");
}

/* A list may have blanks about its commas: then it is several tokens. */
static void join_list(struct reader *r, char list[CONF_LINE + 1])
{
	size_t n = 0;
	bool more;

	do {
		const char *text = r->tokens[r->i++].text;

		memcpy(list + n, text, strlen(text) + 1);
		n += strlen(text);
		more = r->i < r->n && !find_word(&r->tokens[r->i]) &&
		       (list[n ? n - 1 : 0] == ',' || r->tokens[r->i].text[0] == ',');
	} while (more);
}

/* Takes the first item off the list, which is NULL after the last. */
static char *next_item(char **list)
{
	char *item = *list, *comma = strchr(item, ',');

	if (comma)
		*comma = 0;
	*list = comma ? comma + 1 : NULL;
	return item;
}

/* The bit of item in "ipv4,ipv6", or 0, and it has been said. */
static uint32_t bit_of(struct reader *r, const struct conf_word *w, const char *item,
		       const char *names)
{
	struct nearest near = { .text = item };
	uint32_t bit = 1;

	for (const char *name = names;; name += strcspn(name, ",") + 1, bit <<= 1) {
		size_t n = strcspn(name, ",");

		if (n == strlen(item) && strncmp(item, name, n) == 0)
			return bit;
		try_nearest(&near, name, n);
		if (!name[n])
			break;
	}
	complain_unknown(r, w == &conf_words[CONF_FAMILIES] ? "family" : "allowance", &near, names);
	return 0;
}

static void take_set(struct reader *r, const struct conf_word *w, const char *names)
{
	char list[CONF_LINE + 1], *rest = list;
	uint32_t bits = 0;

	join_list(r, list);
	while (rest)
		bits |= bit_of(r, w, next_item(&rest), names);
	if (bits)
		*(uint32_t *)field(r, w) = bits;
}

static void take_range(struct reader *r, const struct conf_word *w, char *item)
{
	char *dash = strchr(item, '-'), *end = dash ? dash + 1 : item;
	uint64_t first, last;

	if (!*item) {
		complain(r, "ports: nothing before, between or behind the commas of the list");
		return;
	}
	if (dash)
		*dash = 0;
	if (parse_number(item, w->min[0], w->max[0], &first) &&
	    parse_number(end, w->min[0], w->max[0], &last)) {
		if (first > last)
			complain(r, "ports '%s-%s': upside down: %s-%s", item, end, end, item);
		else
			conf_add_ports(helper(r), (uint16_t)first, (uint16_t)last, r->r);
		return;
	}
	complain(r, "port '%.40s%s%.40s': a number from %u to %u, or two with '-' between", item,
		 dash ? "-" : "", dash ? end : "", w->min[0], w->max[0]);
}

static void take_ports_list(struct reader *r, const struct conf_word *w)
{
	char list[CONF_LINE + 1], *rest = list;

	join_list(r, list);
	while (rest)
		take_range(r, w, next_item(&rest));
}

static void take_protocol(struct reader *r, const char *text)
{
	const struct cth_proto *proto = cth_proto_find(text);
	struct nearest near = { .text = text };
	char list[512];

	if (proto) {
		conf_set_protocol(helper(r), proto);
		return;
	}
	for (size_t i = 0; cth_protos[i]; i++)
		try_nearest(&near, cth_protos[i]->name, strlen(cth_protos[i]->name));
	complain_unknown(r, "protocol", &near, conf_protocols(list));
}

/* Classes. */

static const char *class_names(const struct cth_proto *proto, char list[128])
{
	size_t n = 0;

	list[0] = 0;
	for (size_t i = 0; i < CTH_CLASSES && proto->classes[i].name && n < 128; i++)
		n += (size_t)snprintf(list + n, 128 - n, "%s%s", n ? ", " : "",
				      proto->classes[i].name);
	return list;
}

/* A class that is named, and then nothing: in the line where it is. */
static void end_class(struct reader *r)
{
	if (r->class_line)
		conf_say(&r->r->errors, r->c->file, r->class_line,
			 "class %s: max or timeout is missing behind it", r->class_name);
	r->class_line = 0;
}

static void take_class(struct reader *r, const char *text)
{
	const struct cth_proto *proto = helper(r)->proto;
	struct nearest near = { .text = text };
	char what[64], list[128];

	end_class(r);
	r->class_number = -1;
	for (int i = 0; proto && i < CTH_CLASSES && proto->classes[i].name; i++) {
		if (strcmp(proto->classes[i].name, text) == 0)
			r->class_number = i;
		try_nearest(&near, proto->classes[i].name, strlen(proto->classes[i].name));
	}
	if (!proto)
		return;
	if (r->class_number < 0) {
		snprintf(what, sizeof(what), "class of %s", proto->name);
		complain_unknown(r, what, &near, class_names(proto, list));
		r->class_number = CTH_CLASSES; /* that has been said */
		return;
	}
	r->class_line = r->line;
	snprintf(r->class_name, sizeof(r->class_name), "%s", text);
}

/* That which max and timeout speak of: NULL when it cannot be told, and it has been said. */
static struct conf_class *class_in(struct reader *r, const struct conf_word *w)
{
	struct conf_helper *h = helper(r);
	char list[128];

	if (!h->proto || r->class_number == CTH_CLASSES)
		return NULL;
	if (r->class_number >= 0)
		return &h->classes[r->class_number];
	if (!h->proto->classes[1].name)
		return &h->classes[0];
	complain(r, "%s: of which class? Before it, class and one of: %s", w->form,
		 class_names(h->proto, list));
	return NULL;
}

static void take_class_number(struct reader *r, const struct conf_word *w, const char *text)
{
	bool is_max = w == &conf_words[CONF_MAX];
	struct conf_class *class = class_in(r, w), ignored;
	unsigned *at;

	r->class_line = 0;
	if (!class) {
		number_of(r, w, 0, text, &ignored.max);
		return;
	}
	at = is_max ? &class->max_at : &class->timeout_at;
	if (*at)
		complain(r, "%.*s is there twice for this class: in line %u already", word_n(w),
			 w->form, *at);
	*at = r->line;
	number_of(r, w, 0, text, is_max ? &class->max : &class->timeout);
}

/* Lines. */

/* Is there a value? A word of our own is none, or a value that was forgotten would eat it. */
static bool has_value(struct reader *r, const struct conf_word *w, const char *piece, size_t n)
{
	if (r->i == r->n)
		complain(r, "%.*s: %.*s is missing: %s", word_n(w), w->form, (int)n, piece, w->form);
	else if (find_word(&r->tokens[r->i]))
		complain(r, "%.*s: %.*s is missing before '%s' (in quotes that would be one): %s",
			 word_n(w), w->form, (int)n, piece, r->tokens[r->i].text, w->form);
	else
		return true;
	return false;
}

static void take_value(struct reader *r, const struct conf_word *w, size_t nth, const char *piece,
		       size_t piece_n)
{
	const struct token *t = &r->tokens[r->i];

	switch (w->kind) {
	case CONF_IS_PORTS:
		take_ports_list(r, w);
		return;
	case CONF_IS_SET:
		take_set(r, w, piece);
		return;
	case CONF_IS_USER:
		take_user(r, w, t->text);
		break;
	case CONF_IS_PATH:
		take_path(r, w, t);
		break;
	case CONF_IS_NETNS:
		take_netns(r, w, t->text);
		break;
	case CONF_IS_NAME:
		take_name(r, w, t->text);
		break;
	case CONF_IS_NUMBER:
		take_number(r, w, nth, t->text);
		break;
	case CONF_IS_CHOICE:
		take_choice(r, w, t->text, piece, piece_n);
		break;
	case CONF_IS_PROTOCOL:
		take_protocol(r, t->text);
		break;
	case CONF_IS_CLASS:
		take_class(r, t->text);
		break;
	case CONF_IS_CLASS_NUMBER:
		take_class_number(r, w, t->text);
		break;
	case CONF_IS_FLAG:
		break;
	}
	r->i++;
}

static bool take_literal(struct reader *r, const struct conf_word *w, const char *piece, size_t n)
{
	const struct token *t = r->i < r->n ? &r->tokens[r->i] : NULL;

	if (t && strlen(t->text) == n && strncmp(t->text, piece, n) == 0) {
		r->i++;
		return true;
	}
	complain(r, "%.*s: '%.*s' is missing: %s", word_n(w), w->form, (int)n, piece, w->form);
	return false;
}

/* What follows the word itself, as its form has it. */
static bool take_form(struct reader *r, const struct conf_word *w)
{
	const char *form = w->form + word_n(w);
	size_t nth = 0;

	while (*form) {
		const char *piece = form + 1;
		size_t n = strcspn(piece, " ");

		form = piece + n;
		if (conf_is_literal(piece, n) && !take_literal(r, w, piece, n))
			return false;
		if (conf_is_literal(piece, n))
			continue;
		if (!has_value(r, w, piece, n))
			return false;
		take_value(r, w, nth++, piece, n);
	}
	return true;
}

static void to_next_word(struct reader *r)
{
	while (r->i < r->n && !find_word(&r->tokens[r->i]))
		r->i++;
}

/* What an unknown word should have been, so that its values are not taken for words. */
static const struct conf_word *guess_word(struct reader *r)
{
	size_t from = r->in_helper ? CONF_AS : 0, to = r->in_helper ? CONF_WORDS : CONF_AS;
	struct nearest near = { .text = r->tokens[r->i].text };
	char list[512];
	size_t n = 0;

	if (conf_word(near.text)) { /* find_word() has not taken it for one */
		complain(r, "'%s' is a word, and words stand without quotes", near.text);
		return NULL;
	}
	for (size_t i = from; i < to; i++) {
		try_nearest(&near, conf_words[i].form, (size_t)word_n(&conf_words[i]));
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%.*s", n ? ", " : "",
				      word_n(&conf_words[i]), conf_words[i].form);
	}
	complain_unknown(r, "word", &near, near.best ? NULL : list);
	for (size_t i = from; i < to; i++)
		if (near.best == conf_words[i].form)
			return &conf_words[i];
	return NULL;
}

/* Is it in its place? Else the line means something else than was meant. */
static bool in_place(struct reader *r, const struct conf_word *w)
{
	bool of_helper = w > &conf_words[CONF_HELPER];

	if (w == &conf_words[CONF_HELPER])
		complain(r, "'helper' stands at the very beginning of a line");
	else if (of_helper && !r->in_helper)
		complain(r, "'%.*s' belongs to a helper: behind it, or in a line below it that begins "
			 "with blanks", word_n(w), w->form);
	else if (!of_helper && r->in_helper)
		complain(r, "'%.*s' is for the whole file: at the very beginning of a line, without "
			 "blanks, not among a helper's words", word_n(w), w->form);
	else
		return true;
	return false;
}

static void note_place(struct reader *r, const struct conf_word *w)
{
	unsigned *at = &(r->in_helper ? helper(r)->at : r->c->at)[w - conf_words];

	if (*at && w->kind != CONF_IS_PORTS && w->kind != CONF_IS_CLASS &&
	    w->kind != CONF_IS_CLASS_NUMBER)
		complain(r, "%.*s is there twice: in line %u already", word_n(w), w->form, *at);
	*at = r->line;
}

static void begin_helper(struct reader *r)
{
	if (!conf_add(r->c, NULL, r->line)) {
		r->r->errors.failed = true;
		r->i = r->n;
		return;
	}
	r->in_helper = true;
	r->i++;
	if (!take_form(r, &conf_words[CONF_HELPER]))
		to_next_word(r);
}

static void take_word(struct reader *r, bool begins)
{
	const struct conf_word *w = find_word(&r->tokens[r->i]);

	if (!w)
		w = guess_word(r);
	if (!w) {
		to_next_word(r);
	} else if (w == &conf_words[CONF_HELPER] && begins) {
		begin_helper(r);
	} else if (!in_place(r, w)) {
		r->i = r->n;
	} else {
		r->i++;
		note_place(r, w);
		if (w->kind == CONF_IS_FLAG)
			*(bool *)field(r, w) = true;
		if (!take_form(r, w))
			to_next_word(r);
	}
}

static void take_line(struct reader *r, bool indented)
{
	if (r->n == 0)
		return;
	if (!indented) {
		end_class(r);
		r->class_number = -1;
		r->in_helper = false;
	}
	r->i = 0;
	if (indented && !r->in_helper) {
		complain(r, "blanks at the beginning: such a line goes on with the helper above, and "
			 "there is none");
		return;
	}
	while (r->i < r->n)
		take_word(r, r->i == 0 && !indented);
}

/* Text. */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* From behind a quote to its end; the text moves down over the backslashes. NULL: no end. */
static char *unquote(char *p)
{
	char *to = p;

	for (; *p != '"'; p++) {
		if (p[0] == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		if (!*p)
			return NULL;
		*to++ = *p;
	}
	*to = 0;
	return p + 1;
}

/* Cuts the line into tokens: false, and it has been said. */
static bool tokenise(struct reader *r)
{
	char *p = r->text;

	for (r->n = 0;;) {
		struct token *t = &r->tokens[r->n];

		while (is_blank(*p))
			p++;
		if (!*p || *p == '#')
			return true;
		t->quoted = *p == '"';
		t->text = t->quoted ? p + 1 : p;
		r->n++;
		if (t->quoted)
			p = unquote(t->text);
		else
			p += strcspn(p, " \t");
		if (!p || (*p && !is_blank(*p))) {
			complain(r, p ? "a quoted value ends with its quote: a blank is missing behind it"
				      : "a quote that is not closed: \" at the end of the value");
			return false;
		}
		if (*p)
			*p++ = 0;
	}
}

static void read_line(struct reader *r, struct cth_span line)
{
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n > CONF_LINE) {
		complain(r, "the line has %zu bytes: %u at most; a helper goes on in the next line, "
			 "behind blanks", line.n, CONF_LINE);
		return;
	}
	if (line.n)
		memcpy(r->text, line.p, line.n);
	r->text[line.n] = 0;
	if (tokenise(r))
		take_line(r, is_blank(r->text[0]));
}

static struct cth_span without_mark(struct cth_span text)
{
	bool marked = text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0;

	return marked ? cth_span_sub(text, 3, text.n - 3) : text;
}

static void read_lines(struct reader *r, struct cth_span text)
{
	while (text.n) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;

		r->line++;
		read_line(r, cth_span_sub(text, 0, n));
		n += end != NULL;
		text = cth_span_sub(text, n, text.n - n);
	}
	end_class(r);
}

int conf_parse(struct conf *c, const char *file, struct cth_span text, struct conf_report *r)
{
	struct reader reader = { .c = c, .r = r, .class_number = -1 };
	int err = conf_begin(c, file, r);

	if (err < 0)
		return err;
	if (conf_is_text(file, text, r))
		read_lines(&reader, without_mark(text));
	return conf_end(c, r);
}

int conf_read(struct conf *c, const char *path, struct conf_report *r)
{
	return conf_read_as(c, path, conf_parse, r);
}
