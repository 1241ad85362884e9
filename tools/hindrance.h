/* SPDX-License-Identifier: MIT */
/* hindrance.h - why a process cannot be started, or not be given what it needs, and what to do. */
#ifndef TOOLS_HINDRANCE_H
#define TOOLS_HINDRANCE_H

/* Says it: tried is "start a worker"; meanwhile what becomes of packets. */
void hindrance_tell(int err, const char *tried, const char *meanwhile);

#endif
