/* SPDX-License-Identifier: MIT */
/*
 * apply.c - does what a protocol has decided, if it may: expectations first, then the packet
 * that announces them, then the flow's state, all of which end up in one verdict.
 *
 *     decision --> in bounds? --> ask --> rewrite --> state --> verdict
 *                     |            |         |
 *                     |            |         '-- refused, or not to be sent: take them back
 *                     |            '-- refused: what announces it stays as it is
 *                     '-- no: nothing of it is done
 */
#include <errno.h>
#include "inner.h"
#include "render.h"

/* IPS_FIXED_TIMEOUT of linux/netfilter/nf_conntrack_common.h: whoever set it wants it so. */
#define APPLY_FIXED_TIMEOUT (1u << 10)

/* One decision in work. */
struct apply {
	struct cth_engine *e;
	const struct cth_pkt *p;
	const struct cth_call *c;
	const struct cth_decision *d;
	struct cth_verdict *v;
	struct cth_asked *asked; /* CTH_WANTED of them */
	bool again;              /* the second time: all is counted */
	uint8_t state[CTH_STATE];
};

static void apply_notes(struct cth_engine *e, const struct cth_call *c, uint8_t notes)
{
	for (unsigned i = 1; i < CTH_NOTES; i++) {
		struct cth_event event = { .kind = CTH_EVENT_NOTE, .served = c->served,
					   .flow = &c->flow, .note = (enum cth_note)i };

		if (!(notes & 1u << i))
			continue;
		c->served->stats.notes[i]++;
		if (e->fn)
			e->fn(&event, e->ctx);
	}
}

/* Does this packet tell the other side of the i-th expectation: begin to, or go on? */
static bool apply_is_told(const struct cth_decision *d, unsigned i, bool begin)
{
	for (unsigned a = 0; a < d->announced_n; a++)
		if (d->announced[a].form != CTH_FORM_NONE && d->announced[a].wanted == i &&
		    (d->announced[a].from == 0) == begin)
			return true;
	return false;
}

/* For a port alone that another packet has begun to tell, the kernel is not asked. */
static void apply_ask(struct apply *a, unsigned i)
{
	const struct cth_wanted *w = &a->d->wanted[i];
	bool told = apply_is_told(a->d, i, true);

	if (told || !(w->flags & CTH_WANT_PORT_ONLY) || !apply_is_told(a->d, i, false))
		cth_ask(a->e, a->c, w, told, a->v, &a->asked[i]);
	else
		a->asked[i] = (struct cth_asked){ .outcome = CTH_ASKED_PORT };
}

/* Zeros in front of a port, where the text must not get shorter: how long it is then. */
static size_t apply_zeros(char *text, size_t len, size_t zeros)
{
	if (zeros > CTH_RENDER_ROOM - len)
		zeros = CTH_RENDER_ROOM - len;
	memmove(text + zeros, text, len);
	memset(text, '0', zeros);
	return len + zeros;
}

/* The text that comes for what is announced. false: what is there stays. */
static bool apply_text(struct apply *a, const struct cth_announced *n, size_t zeros, char *text,
		       struct cth_span *put)
{
	size_t from = 0, len = 0;

	if (n->form != CTH_FORM_NONE) {
		const struct cth_wanted *w = &a->d->wanted[n->wanted];
		uint16_t port = n->from ? w->public_port : a->asked[n->wanted].port;

		if (port == 0 || w->dest == CTH_TO_OTHER)
			return false;
		len = cth_render((enum cth_form)n->form, (char)n->separator,
				 &a->c->view.self_public, port, text);
		if (n->form == CTH_FORM_PORT)
			len = apply_zeros(text, len, zeros);
		from = n->from < len ? n->from : len;
		len -= from;
		if (n->more && len > n->len)
			len = n->len;
	}
	*put = cth_span(text + from, len);
	return true;
}

/* Puts the text in place of what is announced, unless it says the same. */
static void apply_announced(struct apply *a, const struct cth_announced *n, size_t zeros)
{
	struct cth_span old = cth_span_sub(a->c->view.body, n->off, n->len);
	char text[CTH_RENDER_ROOM];
	struct cth_span put;

	if (apply_text(a, n, zeros, text, &put) &&
	    (put.n != old.n || memcmp(old.p, put.p, put.n) != 0))
		cth_edit_cut(&a->v->edit, n->off, n->len, put.p, put.n);
}

/* How much longer all the texts are than what they come for, with so many zeros before a port. */
static int32_t apply_growth(struct apply *a, size_t zeros)
{
	char text[CTH_RENDER_ROOM];
	struct cth_span put;
	int32_t growth = 0;

	for (unsigned i = 0; i < a->d->announced_n; i++)
		if (apply_text(a, &a->d->announced[i], zeros, text, &put))
			growth += (int32_t)put.n - (int32_t)a->d->announced[i].len;
	return growth;
}

/* All places: 0, or -errno and in *why a sentence. */
static int apply_edit(struct apply *a, const char **why)
{
	size_t zeros = 0;
	int32_t growth;

	if (!a->c->view.rewrite)
		return 0;
	growth = apply_growth(a, 0);
	if (a->d->fixed && growth < 0) {
		zeros = (size_t)-growth;
		growth = apply_growth(a, zeros);
	}
	for (unsigned i = 0; i < a->d->announced_n; i++)
		apply_announced(a, &a->d->announced[i], zeros);
	if (cth_edit_empty(&a->v->edit))
		return 0;
	if (a->d->fixed && growth != 0) {
		*why = "the text would not be as long as another packet has said";
		return -EMSGSIZE;
	}
	if (growth > a->c->served->proto->growth) {
		*why = "the packet would grow more than this protocol's ever do";
		return -EMSGSIZE;
	}
	for (unsigned i = 0; i < a->d->counted_n; i++)
		cth_edit_length_at(&a->v->edit, a->d->counted[i].off, a->d->counted[i].width);
	return cth_edit_apply(&a->v->edit, a->p, &a->e->edited, why);
}

/* The packet goes as it is: nobody will come to where it points. */
static void apply_edit_refused(struct apply *a, int error, const char *why)
{
	memset(&a->v->edit, 0, sizeof(a->v->edit));
	for (unsigned i = 0; i < a->d->wanted_n; i++)
		cth_ask_undo(a->e, a->c, &a->d->wanted[i], &a->asked[i], a->v);
	a->c->served->stats.edits_refused++;
	cth_engine_tell(a->e, a->c, CTH_EVENT_EDIT_REFUSED, NULL, error, why);
}

/*
 * Which port was told belongs to the state, where the protocol has a place for it; one that was
 * told before stays, whatever became of this packet, as the other side will go by it.
 */
static void apply_keep_ports(struct apply *a)
{
	for (unsigned i = 0; i < a->d->wanted_n; i++) {
		const struct cth_wanted *w = &a->d->wanted[i];
		uint16_t port = a->asked[i].port ? a->asked[i].port : w->public_port;

		if (w->note_at != CTH_NOWHERE && a->c->view.rewrite)
			cth_store_be16(a->state + w->note_at, port);
	}
}

/* The new state, if it is one: into the verdict, and into flights. */
static void apply_state(struct apply *a, struct cth_msg *m)
{
	const struct cth_call *c = a->c;
	size_t len = c->served->proto->state_len;

	memset(a->state + len, 0, CTH_STATE - len); /* so much and no more is kept */
	if (memcmp(a->state, c->view.state, len) == 0)
		return;
	(void)cth_flow_put_helper(m, c->flow.helper, cth_span(a->state, len));
	cth_flight_note(a->e, c->flow.id, a->state);
	c->served->stats.states += !a->again;
}

static void apply_flow(struct apply *a)
{
	struct cth_msg m;

	memcpy(a->state, a->d->state_changed ? a->d->state : a->c->view.state, CTH_STATE);
	apply_keep_ports(a);
	cth_msg_init(&m, a->e->ct, sizeof(a->e->ct));
	cth_msg_begin_bare(&m);
	apply_state(a, &m);
	if (a->d->timeout && !(a->c->flow.status & APPLY_FIXED_TIMEOUT))
		cth_flow_put_timeout(&m, a->d->timeout);
	if (cth_msg_end(&m) < 0)
		return; /* never: the buffer holds both at their longest */
	/* Without it, even empty, the kernel looks at no expectation. */
	if (cth_msg_bytes(&m).n || a->v->expect.p)
		a->v->ct = cth_span(a->e->ct, cth_msg_bytes(&m).n);
}

/*
 * A flow leaves when its verdicts have gone, and not while the kernel shifts its sequence
 * numbers: what waits in the queue at that moment would go on with the wrong ones. One that was
 * expected itself the kernel does not let go.
 */
static void apply_leave(struct apply *a)
{
	const struct cth_flow *f = &a->c->flow;

	if (!a->d->leave || a->c->view.first || f->status & CTH_FLOW_SEQ_ADJUST ||
	    f->have & CTH_FLOW_MASTER || !cth_edit_empty(&a->v->edit))
		return;
	(void)cth_later_note(a->e, a->c, true);
}

static void apply_decision(struct apply *a)
{
	const char *why = NULL;
	int r;

	for (unsigned i = 0; i < a->d->wanted_n; i++)
		apply_ask(a, i);
	r = apply_edit(a, &why);
	if (r < 0)
		apply_edit_refused(a, r, why);
	else if (!cth_edit_empty(&a->v->edit))
		a->c->served->stats.edits++;
	apply_flow(a);
	for (unsigned i = 0; i < a->d->wanted_n; i++)
		cth_ask_tell(a->e, a->c, &a->d->wanted[i], &a->asked[i]);
	apply_leave(a);
}

void cth_engine_apply(struct cth_engine *e, const struct cth_pkt *p, const struct cth_call *c,
		      const struct cth_decision *d, struct cth_verdict *v)
{
	struct apply a = { .e = e, .p = p, .c = c, .d = d, .v = v, .asked = e->asked };
	const char *beyond = cth_decision_beyond(c, d);

	if (beyond) {
		c->served->stats.violations++;
		cth_engine_tell(e, c, CTH_EVENT_VIOLATION, NULL, 0, beyond);
		return;
	}
	cth_later_reserve(e);
	e->later_mark = e->later_n;
	apply_notes(e, c, d->notes);
	if (d->drop) {
		v->code = CTH_DROP;
		c->served->stats.dropped++;
		return;
	}
	apply_decision(&a);
}

void cth_engine_unsent(struct cth_engine *e, const struct cth_pkt *p, const struct cth_call *c,
		       const struct cth_decision *d, struct cth_verdict *v, int error,
		       const char *why)
{
	struct apply a = { .e = e, .p = p, .c = c, .d = d, .v = v, .asked = e->asked,
			   .again = true };

	if (cth_edit_empty(&v->edit))
		return;
	apply_edit_refused(&a, error, why);
	if (e->later_n > e->later_mark) /* what only the verdict would have made */
		e->later_n = e->later_mark;
	v->ct = cth_span(NULL, 0);
	apply_flow(&a);
}
