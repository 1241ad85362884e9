/* SPDX-License-Identifier: MIT */
/*
 * status.c - fuzz target: what a status socket answers. What is read is shown in every form, of
 * which the format itself must read back as the same values.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../tools/status_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int take(struct status *s, const void *text, size_t n)
{
	char *copy = malloc(n + 1);

	if (!copy)
		abort();
	memset(s, 0, sizeof(*s));
	if (n)
		memcpy(copy, text, n);
	return status_take(s, copy, n);
}

/* No terminal is given a command. */
static void show(const struct status *runs, size_t n)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	status_print(f, runs, n);
	status_json(f, runs, n);
	status_rates(f, runs, 1, runs, n);
	if (fclose(f) != 0)
		abort();
	for (size_t i = 0; i < size; i++)
		if (text[i] != '\n' && (unsigned char)text[i] < ' ')
			abort();
	free(text);
}

static void read_back(const struct status *s)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	struct status again;

	if (!f)
		abort();
	status_prometheus(f, s, 1);
	if (fclose(f) != 0 || take(&again, text, size) != 0 || again.samples_n != s->samples_n)
		abort();
	for (size_t i = 0; i < s->samples_n; i++)
		if (again.samples[i].value != s->samples[i].value ||
		    again.samples[i].nano != s->samples[i].nano)
			abort();
	status_free(&again);
	free(text);
}

/* Of two alike the second one adds values, but no family. */
static void join(const struct status *s)
{
	const struct status both[] = { *s, *s };
	FILE *f = fopen("/dev/null", "w");

	if (!f)
		abort();
	status_prometheus(f, both, 2);
	fclose(f);
	show(both, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct status s;

	if (take(&s, data, n) == 0) {
		show(&s, 1);
		read_back(&s);
		join(&s);
	} else if (s.samples_n != 0 || s.error == 0) {
		abort();
	}
	status_free(&s);
	return 0;
}
