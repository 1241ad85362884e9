/* SPDX-License-Identifier: MIT */
/*
 * decide.c - the half of the engine that runs a protocol, and what protocol files share.
 * Nothing here, or below here, knows of the kernel.
 */
#include "proto.h"

void cth_decide(const struct cth_proto *proto, const struct cth_view *v, struct cth_decision *d)
{
	memset(d, 0, sizeof(*d));
	memcpy(d->state, v->state, sizeof(d->state));
	proto->decide(v, d);
}

struct cth_wanted *cth_want(const struct cth_view *v, struct cth_decision *d)
{
	struct cth_wanted *w;

	if (d->wanted_n == CTH_WANTED)
		return NULL;
	w = &d->wanted[d->wanted_n++];
	memset(w, 0, sizeof(*w));
	w->l4 = v->l4;
	w->source = CTH_FROM_PEER;
	w->dest = CTH_TO_OWN;
	w->note_at = CTH_NOWHERE;
	return w;
}

struct cth_wanted *cth_want_answers(const struct cth_view *v, struct cth_decision *d,
				    uint16_t source_port)
{
	struct cth_wanted *w = cth_want(v, d);

	if (!w)
		return NULL;
	w->source = CTH_FROM_ANY;
	w->source_port = source_port;
	w->dest = CTH_TO_SELF;
	w->flags = CTH_WANT_PERMANENT;
	return w;
}

bool cth_announce(struct cth_decision *d, const struct cth_wanted *w, size_t off, size_t len,
		  enum cth_form form, char separator)
{
	struct cth_announced *a;

	if (d->announced_n == CTH_ANNOUNCED)
		return false;
	a = &d->announced[d->announced_n++];
	a->off = (uint32_t)off;
	a->len = (uint32_t)len;
	a->form = (uint8_t)form;
	a->separator = (uint8_t)separator;
	a->wanted = w ? (uint8_t)(w - d->wanted) : 0;
	a->from = a->more = 0;
	return true;
}

bool cth_count(struct cth_decision *d, size_t off, unsigned width)
{
	if (d->counted_n == CTH_COUNTED)
		return false;
	d->counted[d->counted_n].off = (uint32_t)off;
	d->counted[d->counted_n].width = (uint8_t)width;
	d->counted_n++;
	return true;
}
