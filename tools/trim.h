/* SPDX-License-Identifier: MIT */
/*
 * trim.h - gives back what only the start has needed.
 *
 * Linux maps sixteen pages of the program's file for each that is touched, and they count as ours
 * until memory is scarce. Most of what a service does it does once, before it serves.
 */
#ifndef TOOLS_TRIM_H
#define TOOLS_TRIM_H

/* What is needed again comes back by itself, from the file: a fault each, if it is cached. */
void trim_program(void);

#endif
