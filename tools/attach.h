/* SPDX-License-Identifier: MIT */
/*
 * attach.h - what the applets that make rules share.
 */
#ifndef TOOLS_ATTACH_H
#define TOOLS_ATTACH_H

#include "cth.h"
#include "../cthelper/attach.h"

/* More ports, 21,8000-8010, for *ports, to be freed: -1, or an exit code and it has been said. */
int take_ports(const struct applet *self, char *text, struct cth_ports **ports, size_t *n);

/* What the errors of cth_attach() and its kin mean; the exit code. */
int attach_refused(int err, const struct cth_nack *nack, const char *tried, const char *name);

#endif
