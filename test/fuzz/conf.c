/* SPDX-License-Identifier: MIT */
/*
 * conf.c - fuzz target: cth.conf and conntrackd.conf. What is read is printed, and must then read
 * back and print the same. The first byte chooses the format.
 */
#include <stdio.h>
#include <stdlib.h>
#include "../../tools/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char *printed(const struct conf *c, size_t *n)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, n);

	if (!f)
		abort();
	conf_print(f, c);
	if (fclose(f) != 0)
		abort();
	return text;
}

static void read_back(const struct conf *c)
{
	struct conf_report r = { 0 };
	struct conf again;
	size_t n = 0, again_n = 0;
	char *text = printed(c, &n), *same;

	if (conf_parse(&again, "printed", cth_span((const uint8_t *)text, n), &r) != 0) {
		conf_tell(stderr, &r.errors);
		abort();
	}
	same = printed(&again, &again_n);
	if (n != again_n || memcmp(text, same, n) != 0 || conf_changes(c, &again) != 0)
		abort();
	free(same);
	free(text);
	conf_free(&again);
	conf_report_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct conf_report r = { 0 };
	struct conf c;
	int err;

	if (n == 0)
		return 0;
	err = data[0] == '{' ? conf_parse_conntrackd(&c, "fuzz", cth_span(data + 1, n - 1), &r)
			     : conf_parse(&c, "fuzz", cth_span(data, n), &r);
	if (err == 0)
		read_back(&c);
	else if (r.errors.n == 0 || c.helpers)
		abort();
	conf_free(&c);
	conf_report_free(&r);
	return 0;
}
