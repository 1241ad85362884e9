/* SPDX-License-Identifier: MIT */
/*
 * run_list.c - the protocols that `cth run` has, on the screen.
 */
#include <inttypes.h>
#include "line.h"
#include "run.h"

const char *served_text(const struct cth_served *s)
{
	const char *name = cth_served_name(s);

	return strcmp(name, s->proto->name) == 0 ? name : phrase("%s=%s", name, s->proto->name);
}

static size_t classes_of(const struct cth_proto *p)
{
	size_t n = 0;

	while (n < CTH_CLASSES && p->classes[n].name)
		n++;
	return n;
}

const char *l4_words(const struct cth_proto *p, const char *between)
{
	const char *words = "";
	char buf[12];

	for (const uint8_t *l4 = p->l4; *l4; l4++)
		words = phrase("%s%s%s", words, *words ? between : "", l4_name(*l4, buf));
	return words;
}

static void print_protocol(const struct cth_proto *p)
{
	printf("%s %s port %u private-length %u", p->name, l4_words(p, ","), p->port, p->state_len);
	for (size_t i = 0; i < classes_of(p); i++)
		printf(" class %s:%u:%" PRIu32, p->classes[i].name, p->classes[i].max,
		       p->classes[i].timeout);
	putchar('\n');
}

static void protocol_json(struct json *j, const struct cth_proto *p)
{
	char buf[12];

	json_open(j, NULL, '{');
	json_string(j, "name", p->name);
	json_open(j, "l4", '[');
	for (const uint8_t *l4 = p->l4; *l4; l4++)
		json_string(j, NULL, l4_name(*l4, buf));
	json_close(j, ']');
	json_number(j, "port", p->port);
	json_number(j, "private_length", p->state_len);
	json_open(j, "classes", '[');
	for (size_t i = 0; i < classes_of(p); i++) {
		json_open(j, NULL, '{');
		json_string(j, "name", p->classes[i].name);
		json_number(j, "max", p->classes[i].max);
		json_number(j, "timeout", p->classes[i].timeout);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}

void show_protocols(void)
{
	struct json j = { .f = stdout };

	if (common.json) {
		json_open(&j, NULL, '{');
		json_open(&j, "protocols", '[');
	}
	for (size_t i = 0; cth_protos[i]; i++) {
		if (common.json)
			protocol_json(&j, cth_protos[i]);
		else
			print_protocol(cth_protos[i]);
	}
	if (common.json) {
		json_close(&j, ']');
		json_close(&j, '}');
	}
}

/* "ftp (tcp 21), tftp (udp 69)" */
const char *protocol_words(void)
{
	static char words[512];
	struct line line;
	char name[12];

	line_begin(&line, words, sizeof(words)); /* phrases would be too many for one sentence */
	for (size_t i = 0; cth_protos[i]; i++) {
		const struct cth_proto *p = cth_protos[i];

		line_add(&line, "%s%s (", i ? ", " : "", p->name);
		for (const uint8_t *l4 = p->l4; *l4; l4++)
			line_add(&line, "%s%s", l4 == p->l4 ? "" : ",", l4_name(*l4, name));
		line_add(&line, " %u)", p->port);
	}
	return words;
}
