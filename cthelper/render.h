/* SPDX-License-Identifier: MIT */
/*
 * render.h - how an address and a port are written in the forms of proto.h. No packet byte
 * comes in here.
 */
#ifndef CTH_RENDER_H
#define CTH_RENDER_H

#include "proto.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CTH_RENDER_ROOM 56 /* a length, an IPv6 address, a port as two numbers, padding */

/*
 * Writes it into text, without a NUL: how many bytes. 0 for CTH_FORM_NONE, and for what
 * cannot be written: an unknown form, CTH_FORM_COMMAS of an IPv6 address, no address.
 */
size_t cth_render(enum cth_form form, char separator, const struct cth_addr *address,
		  uint16_t port, char text[CTH_RENDER_ROOM]);

#ifdef __cplusplus
}
#endif
#endif
