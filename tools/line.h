/* SPDX-License-Identifier: MIT */
/*
 * line.h - a line of text that grows. What does not fit is cut.
 */
#ifndef TOOLS_LINE_H
#define TOOLS_LINE_H

#include <stddef.h>

struct line {
	char *text;
	size_t room, n; /* n: characters that are there, without the NUL behind them */
};

/* The line is empty, and has room for so many bytes, the NUL included. */
void line_begin(struct line *l, char *text, size_t room);

void line_add(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
