/* SPDX-License-Identifier: MIT */
/*
 * show.c - helpers on the screen. The forms are for people and for scripts: a word for
 * each part, in this order, and new parts only ever at the end.
 */
#include <inttypes.h>
#include "helper.h"

/* The kernel keeps numbers above 65535 as they were given, but uses 16 bits of them. */
static void print_queue(uint32_t queue)
{
	printf("%" PRIu32, queue);
	if (queue > UINT16_MAX)
		printf(" (in effect %" PRIu32 ")", queue & UINT16_MAX);
}

static void print_block(const struct cth_helper *h)
{
	char l3[12], l4[12];

	printf("helper %s %s %s\n\tqueue ", h->name, l3_name(h->l3, l3), l4_name(h->l4, l4));
	print_queue(h->queue);
	printf("\n\tprivate-length %" PRIu32 "\n\tstatus %s\n", h->priv_len,
	       h->enabled ? "enabled" : "disabled");
	for (size_t i = 0; i < h->classes; i++)
		printf("\tclass %s max %" PRIu32 " timeout %" PRIu32 "\n", h->policy[i].name,
		       h->policy[i].max, h->policy[i].timeout);
}

static void print_line(const struct cth_helper *h)
{
	char l3[12], l4[12];

	printf("%s %s %s queue ", h->name, l3_name(h->l3, l3), l4_name(h->l4, l4));
	print_queue(h->queue);
	printf(" private-length %" PRIu32 " %s", h->priv_len, h->enabled ? "enabled" : "disabled");
	for (size_t i = 0; i < h->classes; i++)
		printf(" class %s:%" PRIu32 ":%" PRIu32, h->policy[i].name, h->policy[i].max,
		       h->policy[i].timeout);
	putchar('\n');
}

static void print_nfct(const struct cth_helper *h)
{
	printf("{\n"
	       "\t.name = %s,\n"
	       "\t.queuenum = %" PRIu32 ",\n"
	       "\t.l3protonum = %u,\n"
	       "\t.l4protonum = %u,\n"
	       "\t.priv_data_len = %" PRIu32 ",\n"
	       "\t.status = %s,\n",
	       h->name, h->queue, h->l3, h->l4, h->priv_len, h->enabled ? "enabled" : "disabled");
	for (size_t i = 0; i < h->classes; i++)
		printf("\t.policy[%zu] = { .name = %s, .expect_max = %" PRIu32
		       ", .expect_timeout = %" PRIu32 " },\n", i, h->policy[i].name,
		       h->policy[i].max, h->policy[i].timeout);
	printf("};\n");
}

static void print_json(struct json *j, const struct cth_helper *h)
{
	char l3[12], l4[12];

	json_open(j, NULL, '{');
	json_string(j, "name", h->name);
	json_string(j, "l3", l3_name(h->l3, l3));
	json_string(j, "l4", l4_name(h->l4, l4));
	json_number(j, "queue", h->queue);
	json_number(j, "private_length", h->priv_len);
	json_string(j, "status", h->enabled ? "enabled" : "disabled");
	json_open(j, "classes", '[');
	for (size_t i = 0; i < h->classes; i++) {
		json_open(j, NULL, '{');
		json_string(j, "name", h->policy[i].name);
		json_number(j, "max", h->policy[i].max);
		json_number(j, "timeout", h->policy[i].timeout);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}

void show_helpers(const struct cth_helper *list, size_t n, enum helper_form form)
{
	struct json j = { .f = stdout };

	if (form == HELPER_JSON) {
		json_open(&j, NULL, '{');
		json_open(&j, "helpers", '[');
	}
	for (size_t i = 0; i < n; i++) {
		if (form == HELPER_JSON)
			print_json(&j, &list[i]);
		else if (form == HELPER_NFCT)
			print_nfct(&list[i]);
		else if (form == HELPER_LINE)
			print_line(&list[i]);
		else
			print_block(&list[i]);
	}
	if (form == HELPER_JSON) {
		json_close(&j, ']');
		json_close(&j, '}');
	}
}
