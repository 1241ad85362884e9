/* SPDX-License-Identifier: MIT */
/*
 * conf_show.c - what is said of a configuration: sentences about it, its canonical form, in what
 * two of them differ, and who the users are.
 */
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "cth.h"
#include "conf.h"

#define LIST_WIDTH 60 /* characters of a list, before the next line begins */

/* Sentences. */

static bool keep(struct conf_says *s, char *text)
{
	char **more = realloc(s->texts, (s->n + 1) * sizeof(*more));

	if (!more)
		return false;
	s->texts = more;
	more[s->n++] = text;
	return true;
}

void conf_say(struct conf_says *s, const char *file, unsigned line, const char *format, ...)
{
	char *what = NULL, *text = NULL;
	va_list args;
	int n;

	if (s->most && s->n == s->most) {
		s->more++;
		return;
	}
	va_start(args, format);
	n = vasprintf(&what, format, args);
	va_end(args);
	if (n < 0)
		what = NULL;
	else if (line)
		n = asprintf(&text, "%s:%u: %s", file, line, what);
	else
		n = asprintf(&text, "%s: %s", file, what);
	free(what);
	if (n >= 0 && keep(s, text))
		return;
	if (n >= 0)
		free(text);
	s->failed = true;
}

void conf_tell(FILE *f, const struct conf_says *s)
{
	for (size_t i = 0; i < s->n; i++)
		fprintf(f, "%s\n", s->texts[i]);
	if (s->more)
		fprintf(f, "... and %zu more\n", s->more);
	if (s->failed)
		fprintf(f, "%s: ENOMEM: no memory for all of it\n", said_by);
}

static void free_says(struct conf_says *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->texts[i]);
	free(s->texts);
	memset(s, 0, sizeof(*s));
}

void conf_report_free(struct conf_report *r)
{
	free_says(&r->errors);
	free_says(&r->notes);
}

/* The canonical form. */

static void put_text(FILE *f, const char *text)
{
	if (!conf_word(text) && text[0] && !text[strcspn(text, " \t\"\\#")]) {
		fputs(text, f);
		return;
	}
	putc('"', f);
	for (; *text; text++)
		fprintf(f, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	putc('"', f);
}

static const void *value_of(const struct conf_word *w, const void *of)
{
	return (const char *)of + w->at;
}

static const char *text_of(const struct conf_word *w, const void *of)
{
	return *(char *const *)value_of(w, of);
}

/* A name or a path that has a choice can be "off" instead. */
static bool can_be_off(const struct conf_word *w)
{
	return strchr(w->form, '|') != NULL;
}

/* Is there anything to print, or does the absence say it? */
static bool is_told(const struct conf_word *w, const void *of)
{
	switch (w->kind) {
	case CONF_IS_USER:
	case CONF_IS_PATH:
	case CONF_IS_NETNS:
	case CONF_IS_NAME:
		return text_of(w, of) || can_be_off(w);
	case CONF_IS_NUMBER:
		return *(const uint32_t *)value_of(w, of) >= w->min[0];
	case CONF_IS_SET:
		return *(const uint32_t *)value_of(w, of) != 0;
	case CONF_IS_FLAG:
		return *(const bool *)value_of(w, of);
	case CONF_IS_PORTS:
		return ((const struct conf_helper *)of)->ports_n > 0;
	case CONF_IS_CHOICE:
	case CONF_IS_PROTOCOL:
		return true;
	case CONF_IS_CLASS:
	case CONF_IS_CLASS_NUMBER:
		break;
	}
	return false;
}

static void put_choice(FILE *f, bool second, const char *piece, size_t n)
{
	size_t first = strcspn(piece, "|");

	if (second)
		fprintf(f, "%.*s", (int)(n - first - 1), piece + first + 1);
	else
		fprintf(f, "%.*s", (int)first, piece);
}

static void put_set(FILE *f, uint32_t bits, const char *names)
{
	const char *comma = "";

	for (; bits; bits >>= 1, names += strcspn(names, ",") + 1) {
		if (bits & 1)
			fprintf(f, "%s%.*s", comma, (int)strcspn(names, ","), names);
		comma = bits & 1 ? "," : comma;
	}
}

static int put_range(FILE *f, const struct cth_ports *p)
{
	return p->first == p->last ? fprintf(f, "%u", p->first)
				   : fprintf(f, "%u-%u", p->first, p->last);
}

/* A long list goes on as a second word, for lines have an end. */
static void put_ports(FILE *f, const struct conf_helper *h)
{
	int column = 0;

	for (size_t i = 0; i < h->ports_n; i++) {
		if (i && column > LIST_WIDTH) {
			fputs("\n\tports ", f);
			column = 0;
		} else if (i) {
			putc(',', f);
		}
		column += 1 + put_range(f, &h->ports[i]);
	}
}

static void put_value(FILE *f, const struct conf_word *w, const void *of, size_t nth,
		      const char *piece, size_t piece_n)
{
	switch (w->kind) {
	case CONF_IS_USER:
	case CONF_IS_PATH:
	case CONF_IS_NETNS:
	case CONF_IS_NAME:
		put_text(f, text_of(w, of) ? text_of(w, of) : "off");
		break;
	case CONF_IS_NUMBER:
		fprintf(f, "%u", ((const uint32_t *)value_of(w, of))[nth]);
		break;
	case CONF_IS_CHOICE:
		put_choice(f, *(const bool *)value_of(w, of), piece, piece_n);
		break;
	case CONF_IS_SET:
		put_set(f, *(const uint32_t *)value_of(w, of), piece);
		break;
	case CONF_IS_PORTS:
		put_ports(f, of);
		break;
	case CONF_IS_PROTOCOL:
		put_text(f, ((const struct conf_helper *)of)->proto->name);
		break;
	case CONF_IS_CLASS:
	case CONF_IS_CLASS_NUMBER:
	case CONF_IS_FLAG:
		break;
	}
}

/*
 * The form, with values in it: what is neither a capital nor a choice nor a list stands as it
 * is.
 */
static void put_word(FILE *f, const struct conf_word *w, const void *of)
{
	const char *piece = w->form;
	size_t nth = 0;

	for (;; piece++) {
		size_t n = strcspn(piece, " ");

		if (piece == w->form || conf_is_literal(piece, n))
			fprintf(f, "%.*s", (int)n, piece);
		else
			put_value(f, w, of, nth++, piece, n);
		piece += n;
		if (!*piece)
			return;
		putc(' ', f);
	}
}

static void print_classes(FILE *f, const struct conf_helper *h)
{
	for (size_t i = 0; i < CTH_CLASSES && h->proto->classes[i].name; i++) {
		fputs("\tclass ", f);
		put_text(f, h->proto->classes[i].name);
		fprintf(f, " max %u timeout %u\n", h->classes[i].max, h->classes[i].timeout);
	}
}

static void print_helper(FILE *f, const struct conf_helper *h)
{
	for (size_t i = CONF_HELPER; i < CONF_CLASS; i++) {
		const struct conf_word *w = &conf_words[i];

		if (!is_told(w, h) || (i == CONF_AS && strcmp(h->name, h->proto->name) == 0))
			continue;
		fputs(i == CONF_HELPER ? "\n" : "\t", f);
		put_word(f, w, h);
		putc('\n', f);
	}
	print_classes(f, h);
}

void conf_print(FILE *f, const struct conf *c)
{
	for (size_t i = 0; i < CONF_HELPER; i++) {
		put_word(f, &conf_words[i], c);
		putc('\n', f);
	}
	for (size_t i = 0; i < c->n; i++)
		print_helper(f, &c->helpers[i]);
}

/* Differences. */

static bool same_ports(const struct conf_helper *a, const struct conf_helper *b)
{
	if (a->ports_n != b->ports_n)
		return false;
	for (size_t i = 0; i < a->ports_n; i++)
		if (a->ports[i].first != b->ports[i].first || a->ports[i].last != b->ports[i].last)
			return false;
	return true;
}

static bool same_numbers(const struct conf_word *w, const void *a, const void *b)
{
	size_t n = w->max[1] ? 2 : 1;

	return memcmp(value_of(w, a), value_of(w, b), n * sizeof(uint32_t)) == 0;
}

static bool same(const struct conf_word *w, const void *a, const void *b)
{
	switch (w->kind) {
	case CONF_IS_USER:
	case CONF_IS_PATH:
	case CONF_IS_NETNS:
	case CONF_IS_NAME:
		return conf_same_text(text_of(w, a), text_of(w, b));
	case CONF_IS_NUMBER:
	case CONF_IS_SET:
		return same_numbers(w, a, b);
	case CONF_IS_CHOICE:
	case CONF_IS_FLAG:
		return *(const bool *)value_of(w, a) == *(const bool *)value_of(w, b);
	case CONF_IS_PORTS:
		return same_ports(a, b);
	case CONF_IS_PROTOCOL:
		return ((const struct conf_helper *)a)->proto == ((const struct conf_helper *)b)->proto;
	case CONF_IS_CLASS:
	case CONF_IS_CLASS_NUMBER:
		break;
	}
	return true;
}

uint32_t conf_changes(const struct conf *old, const struct conf *now)
{
	uint32_t set = 0;

	for (size_t i = 0; i < CONF_HELPER; i++)
		if (!same(&conf_words[i], old, now))
			set |= 1u << i;
	return set;
}

uint32_t conf_helper_changes(const struct conf_helper *old, const struct conf_helper *now)
{
	uint32_t set = 0;

	for (size_t i = CONF_HELPER; i < CONF_CLASS; i++)
		if (!same(&conf_words[i], old, now))
			set |= 1u << i;
	for (size_t i = 0; i < CTH_CLASSES && old->proto == now->proto; i++) {
		if (old->classes[i].max != now->classes[i].max)
			set |= 1u << CONF_MAX;
		if (old->classes[i].timeout != now->classes[i].timeout)
			set |= 1u << CONF_TIMEOUT;
	}
	return set;
}

const struct conf_helper *conf_find(const struct conf *c, const struct conf_helper *h)
{
	for (size_t i = 0; i < c->n; i++)
		if (conf_same_text(c->helpers[i].name, h->name) &&
		    conf_same_text(c->helpers[i].netns, h->netns))
			return &c->helpers[i];
	return NULL;
}

/* "length 512", to be freed; NULL: no memory. */
static char *word_text(const struct conf_word *w, const void *of)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		return NULL;
	if (is_told(w, of))
		put_word(f, w, of);
	else
		fprintf(f, "no %.*s", (int)strcspn(w->form, " "), w->form);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static void say_restart(struct conf_says *s, const char *file, unsigned line,
			const struct conf_word *w, const void *old, const void *now)
{
	char *was = word_text(w, old), *is = word_text(w, now);

	if (was && is)
		conf_say(s, file, line, "%s: needs a restart: it is %s now%s", is, was,
			 w == &conf_words[CONF_HELPER] ?
				 "; a helper keeps its classes and the length of its state" : "");
	else
		s->failed = true;
	free(was);
	free(is);
}

static int words_difference(const char *file, const unsigned at[CONF_WORDS], unsigned line,
			    uint32_t changes, const void *old, const void *now,
			    struct conf_says *restart)
{
	int n = 0;

	for (size_t i = 0; i < CONF_WORDS; i++) {
		if (!(changes & 1u << i) || conf_words[i].live)
			continue;
		say_restart(restart, file, at[i] ? at[i] : line, &conf_words[i], old, now);
		n++;
	}
	return n;
}

/* The one of the same name, in whatever namespace, that c's other side has not. */
static const struct conf_helper *moved_from(const struct conf *old, const struct conf *now,
					    const struct conf_helper *h)
{
	for (size_t i = 0; i < old->n; i++)
		if (conf_same_text(old->helpers[i].name, h->name) && !conf_find(now, &old->helpers[i]))
			return &old->helpers[i];
	return NULL;
}

static int new_difference(const struct conf *old, const struct conf *now,
			  const struct conf_helper *h, struct conf_says *restart)
{
	const struct conf_helper *was = moved_from(old, now, h);
	unsigned line = h->at[CONF_HELPER];

	if (was)
		say_restart(restart, now->file, h->at[CONF_NETNS] ? h->at[CONF_NETNS] : line,
			    &conf_words[CONF_NETNS], was, h);
	else
		conf_say(restart, now->file, line, "helper %s: needs a restart: it is new", h->name);
	return 1;
}

int conf_difference(const struct conf *old, const struct conf *now, struct conf_says *restart)
{
	int n = words_difference(now->file, now->at, 0, conf_changes(old, now), old, now, restart);

	for (size_t i = 0; i < now->n; i++) {
		const struct conf_helper *h = &now->helpers[i], *was = conf_find(old, h);

		n += was ? words_difference(now->file, h->at, h->at[CONF_HELPER],
					    conf_helper_changes(was, h), was, h, restart)
			 : new_difference(old, now, h, restart);
	}
	for (size_t i = 0; i < old->n; i++) {
		const struct conf_helper *h = &old->helpers[i];

		if (conf_find(now, h) || moved_from(now, old, h))
			continue;
		conf_say(restart, now->file, 0, "helper %s, in line %u before: needs a restart: it is "
			 "gone", h->name, h->at[CONF_HELPER]);
		n++;
	}
	return restart->failed ? -ENOMEM : n;
}

/* Users. */

/* Where a number can stand instead. */
static const char *user_word(const struct conf *c, enum conf_number word)
{
	if (!c->optional_users)
		return conf_words[word].form;
	return word == CONF_KEEPER ? "--keeper" : "--worker";
}

static bool find_user(const struct conf *c, enum conf_number word, const char *name,
		      struct conf_ids *ids, struct conf_report *r)
{
	struct passwd *user;
	uint64_t number;
	bool is_number = parse_number(name, 1, UINT32_MAX - 1, &number);

	errno = 0;
	user = is_number ? getpwuid((uid_t)number) : getpwnam(name);
	if (!user && !is_number) {
		conf_say(&r->errors, c->file, c->at[word], "user %s: there is none of this name; "
			 "`useradd --system %s` makes one, or %s takes a number", name, name,
			 user_word(c, word));
		return false;
	}
	ids->uid = user ? user->pw_uid : (uid_t)number;
	ids->gid = user ? user->pw_gid : (gid_t)number;
	if (ids->uid == 0)
		conf_say(&r->errors, c->file, c->at[word], "user %s is root: any other user", name);
	return ids->uid != 0;
}

int conf_users(const struct conf *c, struct conf_ids *keeper, struct conf_ids *worker,
	       struct conf_report *r)
{
	bool both = find_user(c, CONF_KEEPER, c->keeper, keeper, r);

	both &= find_user(c, CONF_WORKER, c->worker, worker, r);
	if (both && keeper->uid == worker->uid) {
		conf_say(&r->errors, c->file, c->at[CONF_WORKER],
			 "keeper %s and worker %s are both number %u: two users, so that the one cannot "
			 "touch the other", c->keeper, c->worker, (unsigned)keeper->uid);
		both = false;
	}
	return r->errors.failed ? -ENOMEM : both ? 0 : -EINVAL;
}
