/* SPDX-License-Identifier: MIT */
/*
 * bounds.c - what a decision may not be. It may come from a process that a packet has taken
 * over, so it is held against the packet that it answers, and against the constants of its
 * protocol as the operator has widened them, before anything of it is done.
 */
#include <sys/socket.h>
#include "inner.h"

#define BOUNDS_ROW 16u

static bool bounds_one_of(uint8_t set, uint8_t bit)
{
	return bit != 0 && (bit & (bit - 1)) == 0 && (set & bit) != 0;
}

static uint8_t bounds_classes(const struct cth_proto *proto)
{
	uint8_t n = 0;

	while (n < CTH_CLASSES && proto->classes[n].name)
		n++;
	return n;
}

static const char *bounds_dest(const struct cth_call *c, const struct cth_wanted *w)
{
	if (!bounds_one_of(c->served->proto->wants_dest, w->dest))
		return "an expectation to where this protocol never expects any";
	if (w->dest != CTH_TO_OTHER)
		return NULL;
	if (!(c->view.allow & CTH_ALLOW_FOREIGN))
		return "an expectation to a third party";
	if (w->address.family != c->view.self.family)
		return "an expectation to an address of another family";
	return NULL;
}

static unsigned bounds_lowest(const struct cth_call *c)
{
	return c->view.allow & CTH_ALLOW_LOW_PORTS ? 1 : c->served->proto->lowest_port;
}

/* A port of the engine's own choice, and not a way around the others. */
static const char *bounds_public_port(const struct cth_call *c, const struct cth_wanted *w)
{
	if (w->public_port == 0)
		return NULL;
	if (!c->view.rewrite || w->dest != CTH_TO_OWN)
		return "a chosen port where none is chosen";
	if (w->public_port < bounds_lowest(c) ||
	    w->public_port + cth_row(w->ports) - 1 > UINT16_MAX)
		return "a chosen port that never is";
	if (w->flags & CTH_WANT_EVEN && w->public_port & 1)
		return "an odd port where even ones are chosen";
	return NULL;
}

static const char *bounds_port(const struct cth_call *c, const struct cth_wanted *w)
{
	const struct cth_proto *proto = c->served->proto;
	unsigned lowest = bounds_lowest(c);
	unsigned ports = cth_row(w->ports);

	if (ports > cth_row(proto->wants_ports) || ports > BOUNDS_ROW)
		return "more ports in a row than this protocol ever expects";
	if (w->dest == CTH_TO_SELF)
		return ports > 1 ? "more ports than the sender's own" : NULL;
	if (w->flags & CTH_WANT_PORT_ONLY && w->port == 0)
		return NULL; /* it is not known yet */
	if (w->port == 0 || w->port < lowest)
		return "a port below the lowest that is allowed";
	if (w->port + ports - 1 > UINT16_MAX)
		return "ports beyond the last";
	if (w->flags & CTH_WANT_EVEN && w->port & 1)
		return "an odd port where only even ones are announced";
	return NULL;
}

static const char *bounds_wanted(const struct cth_call *c, const struct cth_wanted *w)
{
	const struct cth_proto *proto = c->served->proto;
	const char *fault;

	if (!cth_l4_in(proto->wants_l4, w->l4))
		return "an expectation of a transport that this protocol never expects";
	if (!bounds_one_of(proto->wants_source, w->source))
		return "an expectation from where this protocol never expects any";
	if (w->flags & ~proto->wants_flags)
		return "an expectation with a flag that this protocol never uses";
	if (w->flags & CTH_WANT_CHILD && !proto->child)
		return "a helper for the new flow, and there is none";
	if (w->class_number >= bounds_classes(proto))
		return "a class that there is not";
	if (w->note_at != CTH_NOWHERE && w->note_at + 2 > proto->state_len)
		return "a port to be kept outside of the state";
	fault = bounds_dest(c, w);
	if (!fault)
		fault = bounds_port(c, w);
	return fault ? fault : bounds_public_port(c, w);
}

/* One that a number would run into, or that ends a line, might make another announcement of it. */
static bool bounds_separates(uint8_t c)
{
	return c > ' ' && c < 127 && !(c >= '0' && c <= '9');
}

/* What is put in the place of what is there. */
static const char *bounds_text(const struct cth_call *c, const struct cth_decision *d,
			       const struct cth_announced *a)
{
	if (a->form == CTH_FORM_NONE)
		return NULL;
	if (a->wanted >= d->wanted_n)
		return "an announcement of nothing";
	if ((a->from || a->more) && !(c->served->proto->announces & 1u << CTH_FORM_NONE))
		return "a piece of an announcement, and this protocol's are whole";
	if (a->from > c->served->proto->longest_text)
		return "a piece beyond the longest of this protocol's announcements";
	if (a->from && d->wanted[a->wanted].public_port == 0)
		return "the rest of an announcement whose port was not told";
	if (a->form == CTH_FORM_COMMAS && c->view.self.family != AF_INET)
		return "an announcement that cannot hold the address";
	if (a->form == CTH_FORM_ADDRESS_PORT && !bounds_separates(a->separator))
		return "an announcement with a separator that separates nothing";
	return NULL;
}

/* Bytes that were there go, and what comes for them is not the engine's to begin. */
static bool bounds_is_late(const struct cth_announced *a)
{
	return a->form == CTH_FORM_NONE || a->from;
}

/* The last piece may have none of the original's: it stands before what ended that. */
static bool bounds_may_be_empty(const struct cth_announced *a)
{
	return a->form != CTH_FORM_NONE && a->from && !a->more;
}

static const char *bounds_announced(const struct cth_call *c, const struct cth_decision *d,
				    const struct cth_announced *a, uint32_t from)
{
	const struct cth_proto *proto = c->served->proto;
	size_t body = c->view.body.n;

	if (a->off < from)
		return "announcements out of order";
	if (a->off >= body || a->len > body - a->off)
		return "an announcement outside of the packet";
	if (a->form >= CTH_FORMS)
		return "an announcement in no known form";
	if (!(proto->announces & 1u << a->form))
		return "an announcement in a form that this protocol never uses";
	if (a->len == 0 && !bounds_may_be_empty(a))
		return "an announcement in no place";
	if (a->len > proto->longest_text)
		return "an announcement longer than this protocol's ever are";
	return bounds_text(c, d, a);
}

static const char *bounds_announcements(const struct cth_call *c, const struct cth_decision *d)
{
	const char *fault = NULL;
	uint32_t from = 0, cut = 0;

	for (unsigned i = 0; i < d->announced_n && !fault; i++) {
		const struct cth_announced *a = &d->announced[i];

		fault = bounds_announced(c, d, a, from);
		from = a->off + a->len;
		cut += bounds_is_late(a) ? a->len : 0;
	}
	if (!fault && cut > c->served->proto->longest_text)
		fault = "more to be cut out than an announcement has";
	return fault;
}

/* Is it beside all that is announced? */
static bool bounds_is_aside(const struct cth_decision *d, const struct cth_counted *n)
{
	for (unsigned i = 0; i < d->announced_n; i++)
		if (n->off < d->announced[i].off + d->announced[i].len &&
		    d->announced[i].off < n->off + n->width)
			return false;
	return true;
}

/* After bounds_announcements(): what is announced lies in the body. */
static const char *bounds_counts(const struct cth_call *c, const struct cth_decision *d)
{
	size_t body = c->view.body.n;
	uint32_t from = 0;

	if (d->counted_n > c->served->proto->counts)
		return "more lengths to be changed than this protocol has";
	for (unsigned i = 0; i < d->counted_n; i++) {
		const struct cth_counted *n = &d->counted[i];

		if (n->width != 2 && n->width != 4)
			return "a length of no known width";
		if (n->off < from)
			return "lengths out of order";
		if (n->off >= body || n->width > body - n->off)
			return "a length outside of the packet";
		if (!bounds_is_aside(d, n))
			return "a length where something is announced";
		from = n->off + n->width;
	}
	return NULL;
}

/* What is to come of packet and flow. */
static const char *bounds_fate(const struct cth_proto *proto, const struct cth_decision *d)
{
	if (d->drop && !(proto->may & CTH_MAY_DROP))
		return "a packet to be dropped, which this protocol never does";
	if (d->leave && !(proto->may & CTH_MAY_LEAVE))
		return "a flow to be left, which this protocol never does";
	if (d->state_changed && proto->state_len == 0)
		return "a state, and this protocol keeps none";
	if (d->timeout > proto->longest)
		return "a timeout longer than this protocol ever sets";
	if (d->notes >> CTH_NOTES)
		return "a note that there is not";
	return NULL;
}

const char *cth_decision_beyond(const struct cth_call *c, const struct cth_decision *d)
{
	const char *fault = bounds_fate(c->served->proto, d);

	if (d->wanted_n > CTH_WANTED || d->announced_n > CTH_ANNOUNCED ||
	    d->counted_n > CTH_COUNTED)
		return "more of them than a decision holds";
	for (unsigned i = 0; i < d->wanted_n && !fault; i++)
		fault = bounds_wanted(c, &d->wanted[i]);
	if (!fault)
		fault = bounds_announcements(c, d);
	return fault ? fault : bounds_counts(c, d);
}
