/* SPDX-License-Identifier: MIT */
/*
 * line.c - a line of text that grows.
 */
#include <stdarg.h>
#include <stdio.h>
#include "line.h"

void line_begin(struct line *l, char *text, size_t room)
{
	*l = (struct line){ text, room, 0 };
	text[0] = 0;
}

void line_add(struct line *l, const char *format, ...)
{
	size_t left = l->room - l->n;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(l->text + l->n, left, format, args);
	va_end(args);
	if (n > 0)
		l->n += (size_t)n < left ? (size_t)n : left - 1;
}
