/* SPDX-License-Identifier: MIT */
/*
 * ftp.c - tests of FTP: segments of both sides go through the protocol, a little engine keeps
 * its state, chooses the public port and rewrites, and what the other side gets is looked at.
 *
 *     client 10.0.0.1, fd00::1      known to the other side as   203.0.113.9, 2001:db8::9
 *     server 198.51.100.7, fd01::7
 *
 * Each segment is decided twice, as on loopback or when it is sent again.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include "unit.h"
#include "../../cthelper/engine.h"
#include "../../cthelper/render.h"

#define CHOSEN  40001 /* 156,65 */
#define PRIVATE 5001  /* 19,137 */

struct flow {
	bool rewrite, no_port, once;
	int family;
	uint32_t allow;
	uint32_t seq[2];
	bool acked;                 /* ack holds what the client has got; else all */
	uint32_t ack;
	const char *self, *public;  /* instead of the usual: the client's */
	uint8_t state[CTH_STATE];
	/* What came of it. */
	struct cth_decision d;
	struct cth_wanted wanted[64];
	size_t wanted_n;
	unsigned notes;
	uint8_t out[2][16384];
	size_t out_n[2];
};

static struct flow flow_of(int family, bool rewrite)
{
	struct flow f = { .family = family, .rewrite = rewrite, .seq = { 1000, 5000 } };
	return f;
}

static struct cth_addr addr(int family, const char *text)
{
	struct cth_addr a = { .family = (uint8_t)family };

	assert_int_equal(inet_pton(family, text, a.b), 1);
	return a;
}

static struct cth_addr own(const struct flow *f, bool reply)
{
	if (reply)
		return f->family == AF_INET ? addr(AF_INET, "198.51.100.7") : addr(AF_INET6, "fd01::7");
	if (f->self)
		return addr(f->family, f->self);
	return f->family == AF_INET ? addr(AF_INET, "10.0.0.1") : addr(AF_INET6, "fd00::1");
}

static struct cth_addr public(const struct flow *f, bool reply)
{
	if (!f->rewrite)
		return own(f, reply);
	if (f->public)
		return addr(f->family, f->public);
	return f->family == AF_INET ? addr(AF_INET, "203.0.113.9") : addr(AF_INET6, "2001:db8::9");
}

static struct cth_view view_of(const struct flow *f, bool reply, uint32_t seq, struct cth_span body)
{
	struct cth_view v = {
		.l4 = IPPROTO_TCP, .reply = reply, .rewrite = f->rewrite, .allow = f->allow,
		.self = own(f, reply), .peer = own(f, !reply), .self_public = public(f, reply),
		.self_port = 21, .peer_port = 21, .seq = seq,
		.ack = f->acked ? f->ack : f->seq[!reply], .body = body,
	};

	memcpy(v.state, f->state, sizeof(v.state));
	return v;
}

/* What no decision may ever be. */
static void assert_lawful(const struct cth_view *v, const struct cth_decision *d)
{
	struct cth_served served = { .proto = &cth_proto_ftp, .allow = v->allow };
	struct cth_call call = { .served = &served, .view = *v };
	size_t end = 0;

	assert_null(cth_decision_beyond(&call, d));
	assert_false(d->drop);
	assert_true(d->state_changed || memcmp(d->state, v->state, CTH_STATE) == 0);
	assert_true(!d->state_changed || memcmp(d->state, v->state, CTH_STATE) != 0);
	assert_true(v->rewrite || d->announced_n == 0);
	for (unsigned i = 0; i < d->wanted_n; i++) {
		const struct cth_wanted *w = &d->wanted[i];

		assert_int_equal(w->l4, IPPROTO_TCP);
		assert_int_equal(w->source, CTH_FROM_PEER);
		assert_int_equal(w->flags & ~CTH_WANT_PORT_ONLY, 0);
		assert_true(w->dest == CTH_TO_OWN ||
			    (w->dest == CTH_TO_OTHER && (v->allow & CTH_ALLOW_FOREIGN)));
		if (!(w->flags & CTH_WANT_PORT_ONLY))
			assert_true(w->port >= 1024 ||
				    (w->port && (v->allow & CTH_ALLOW_LOW_PORTS)));
		assert_true(v->rewrite || (w->note_at == CTH_NOWHERE && !w->flags));
	}
	for (unsigned i = 0; i < d->announced_n; i++) {
		const struct cth_announced *a = &d->announced[i];

		assert_true(a->off >= end && (a->len > 0 || (a->from > 0 && !a->more)));
		end = a->off + a->len;
		assert_true(end <= v->body.n);
		if (a->form != CTH_FORM_NONE) {
			assert_true(a->wanted < d->wanted_n);
			assert_int_equal(d->wanted[a->wanted].dest, CTH_TO_OWN);
		}
	}
}

static uint16_t port_for(const struct flow *f, const struct cth_wanted *w)
{
	return f->no_port ? 0 : w->public_port ? w->public_port : CHOSEN;
}

/* The packet as it goes on. */
static size_t rewritten(const struct flow *f, const struct cth_view *v, const struct cth_decision *d,
			uint8_t *out)
{
	struct cth_addr public_addr = public(f, v->reply);
	size_t at = 0, n = 0, growth = 0;

	for (unsigned i = 0; i < d->announced_n; i++) {
		const struct cth_announced *a = &d->announced[i];
		char text[CTH_RENDER_ROOM];
		size_t len = a->form == CTH_FORM_NONE ? 0 :
			cth_render((enum cth_form)a->form, (char)a->separator, &public_addr,
				   port_for(f, &d->wanted[a->wanted]), text);
		size_t from = a->from < len ? a->from : len;

		len -= from;
		if (a->more && len > a->len)
			len = a->len;

		memcpy(out + n, v->body.p + at, a->off - at);
		n += a->off - at;
		at = a->off;
		if (f->no_port && a->form != CTH_FORM_NONE)
			continue;
		memcpy(out + n, text + from, len);
		n += len;
		at += a->len;
		growth += len > a->len ? len - a->len : 0;
	}
	memcpy(out + n, v->body.p + at, v->body.n - at);
	assert_true(growth <= cth_proto_ftp.growth);
	return n + v->body.n - at;
}

static void decide(const struct flow *f, const struct cth_view *v, struct cth_decision *d)
{
	struct cth_decision again;

	cth_decide(&cth_proto_ftp, v, d);
	cth_decide(&cth_proto_ftp, v, &again);
	assert_memory_equal(d, &again, sizeof(again));
	assert_lawful(v, d);
	for (unsigned i = 0; i < d->wanted_n; i++)
		if (f->rewrite && d->wanted[i].note_at != CTH_NOWHERE)
			cth_store_be16(d->state + d->wanted[i].note_at, port_for(f, &d->wanted[i]));
}

/* A segment that was decided is decided alike once more, and leaves the state as it is. */
static void assert_alike(struct flow *f, const struct cth_view *first, const struct cth_decision *d)
{
	uint8_t a[9000], b[9000];
	struct cth_view v = *first;
	struct cth_decision again;
	size_t n;

	memcpy(v.state, f->state, sizeof(v.state));
	decide(f, &v, &again);
	assert_memory_equal(again.state, f->state, CTH_STATE);
	assert_int_equal(again.wanted_n, d->wanted_n);
	for (unsigned i = 0; i < d->wanted_n; i++) {
		assert_int_equal(again.wanted[i].flags, d->wanted[i].flags);
		assert_int_equal(again.wanted[i].dest, d->wanted[i].dest);
		assert_memory_equal(&again.wanted[i].address, &d->wanted[i].address,
				    sizeof(struct cth_addr));
		if (!d->wanted[i].flags)
			assert_int_equal(again.wanted[i].port, d->wanted[i].port);
	}
	n = rewritten(f, first, d, a);
	assert_int_equal(rewritten(f, &v, &again, b), n);
	assert_memory_equal(a, b, n);
	assert_int_equal(again.leave, d->leave);
}

static void segment_at(struct flow *f, bool reply, uint32_t seq, const void *bytes, size_t n)
{
	struct cth_view v = view_of(f, reply, seq, cth_span(bytes, n));
	struct cth_decision *d = &f->d;

	decide(f, &v, d);
	memcpy(f->state, d->state, CTH_STATE);
	for (unsigned i = 0; i < d->wanted_n; i++)
		if (!(d->wanted[i].flags & CTH_WANT_PORT_ONLY) && f->wanted_n < N_OF(f->wanted))
			f->wanted[f->wanted_n++] = d->wanted[i];
	f->notes |= d->notes;
	if (!f->once)
		assert_alike(f, &v, d);
	f->out_n[reply] += rewritten(f, &v, d, f->out[reply] + f->out_n[reply]);
}

static void segment(struct flow *f, bool reply, const void *bytes, size_t n)
{
	segment_at(f, reply, f->seq[reply], bytes, n);
	f->seq[reply] += (uint32_t)n;
}

static void client(struct flow *f, const char *text)
{
	segment(f, false, text, strlen(text));
}

static void server(struct flow *f, const char *text)
{
	segment(f, true, text, strlen(text));
}

static void assert_got(const struct flow *f, bool reply, const char *text)
{
	assert_bytes(cth_span(f->out[reply], f->out_n[reply]), text, strlen(text));
}

static void assert_notes(struct flow *f, unsigned notes)
{
	assert_int_equal(f->notes, notes);
	f->notes = 0;
}

static void assert_wanted(struct flow *f, uint16_t port)
{
	assert_int_equal(f->wanted_n, 1);
	assert_int_equal(f->wanted[0].port, port);
	assert_int_equal(f->wanted[0].dest, CTH_TO_OWN);
	assert_int_equal(f->wanted[0].class_number, 0);
	assert_int_equal(f->wanted[0].source_port, 0);
	f->wanted_n = 0;
}

#define NOTE(x) (1u << CTH_NOTE_##x)

/* Every form in which an announcement is written, and what NAT makes of it. */
static const struct form {
	int family;
	bool reply;
	const char *line, *behind_nat;
} forms[] = {
	{ AF_INET, false, "PORT 10,0,0,1,19,137\r\n", "PORT 203,0,113,9,156,65\r\n" },
	{ AF_INET, false, "port   010,000,000,001,019,137 \n", "port   203,0,113,9,156,65 \n" },
	{ AF_INET, false, "EPRT |1|10.0.0.1|5001|\r\n", "EPRT |1|203.0.113.9|40001|\r\n" },
	{ AF_INET, false, "eprt !1!10.0.0.1!05001!\r\n", "eprt !1!203.0.113.9!40001!\r\n" },
	{ AF_INET6, false, "EPRT |2|fd00::1|5001|\r\n", "EPRT |2|2001:db8::9|40001|\r\n" },
	{ AF_INET6, false, "Eprt  |2|FD00:0:000:0::0001|5001|\r\n", "Eprt  |2|2001:db8::9|40001|\r\n" },
	{ AF_INET6, false, "EPRT |2|fd00:0:0:0:0:0:0.0.0.1|5001|\r\n", "EPRT |2|2001:db8::9|40001|\r\n" },
	{ AF_INET, true, "227 Entering Passive Mode (198,51,100,7,19,137)\r\n",
	  "227 Entering Passive Mode (203,0,113,9,156,65)\r\n" },
	{ AF_INET, true, "227 Entering Passive Mode (198,51,100,7,19,137).\n",
	  "227 Entering Passive Mode (203,0,113,9,156,65).\n" },
	{ AF_INET, true, "227 =198,51,100,7,19,137\r\n", "227 =203,0,113,9,156,65\r\n" },
	{ AF_INET, true, "227 Passive 198,51,100,7,19,137\r\n", "227 Passive 203,0,113,9,156,65\r\n" },
	{ AF_INET, true, "227  198,51,100,7,19,137\n", "227  203,0,113,9,156,65\n" },
	{ AF_INET, true, "227 Go (ok) ( 198,51,100,7,19,137 )\r\n", "227 Go (ok) ( 203,0,113,9,156,65 )\r\n" },
	{ AF_INET, true, "229 Entering Extended Passive Mode (|||5001|)\r\n",
	  "229 Entering Extended Passive Mode (|||40001|)\r\n" },
	{ AF_INET6, true, "229 Extended (ok) ((!!!5001!)\r\n", "229 Extended (ok) ((!!!40001!)\r\n" },
	{ AF_INET6, true, "229 ($$$5001$)\n", "229 ($$$40001$)\n" },
};

static void assert_followed(struct flow *f, const struct form *form)
{
	assert_wanted(f, PRIVATE);
	assert_got(f, form->reply, f->rewrite ? form->behind_nat : form->line);
	assert_notes(f, 0);
}

static void every_form_is_followed(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < N_OF(forms); i++) {
		for (int rewrite = 0; rewrite < 2; rewrite++) {
			struct flow f = flow_of(forms[i].family, rewrite);

			segment(&f, forms[i].reply, forms[i].line, strlen(forms[i].line));
			assert_followed(&f, &forms[i]);
		}
	}
}

static void every_form_is_followed_after_other_lines(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < N_OF(forms); i++) {
		for (int rewrite = 0; rewrite < 2; rewrite++) {
			struct flow f = flow_of(forms[i].family, rewrite);
			char line[200], nat[200];

			server(&f, "220 welcome\r\n");
			client(&f, "USER anonymous\r\n");
			server(&f, "331-a\r\n 227 b\r\n331 c\r\n");
			f.out_n[0] = f.out_n[1] = 0;
			snprintf(line, sizeof(line), "NOOP\r\n%sLIST\r\n", forms[i].line);
			snprintf(nat, sizeof(nat), "NOOP\r\n%sLIST\r\n", forms[i].behind_nat);
			segment(&f, forms[i].reply, line, strlen(line));
			assert_followed(&f, &(struct form){ 0, forms[i].reply, line, nat });
		}
	}
}

/* The pieces of a line from a flow's side; then all of them, sent once more. */
static void pieces(const struct form *form, bool rewrite, size_t a, size_t b)
{
	struct flow f = flow_of(form->family, rewrite);
	size_t n = strlen(form->line), cut[] = { 0, a, b, n };
	uint32_t seq = f.seq[form->reply];

	for (int i = 0; i < 3; i++)
		if (cut[i + 1] > cut[i])
			segment(&f, form->reply, form->line + cut[i], cut[i + 1] - cut[i]);
	assert_followed(&f, form);
	f.out_n[form->reply] = 0;
	for (int i = 0; i < 3; i++)
		if (cut[i + 1] > cut[i])
			segment_at(&f, form->reply, seq + (uint32_t)cut[i], form->line + cut[i],
				   cut[i + 1] - cut[i]);
	assert_followed(&f, form);
	f.out_n[form->reply] = 0;
	segment_at(&f, form->reply, seq, form->line, n);
	assert_followed(&f, form);
}

static void each_cut(bool rewrite)
{
	for (size_t i = 0; i < N_OF(forms); i++)
		for (size_t a = 1, n = strlen(forms[i].line); a <= n; a++)
			for (size_t b = a; b <= n; b++)
				pieces(&forms[i], rewrite, a, b);
}

static void a_line_in_three_pieces_is_followed(void **unused)
{
	(void)unused;
	each_cut(false);
}

static void a_line_in_three_pieces_is_rewritten_to_the_byte(void **unused)
{
	(void)unused;
	each_cut(true);
}

static void a_line_byte_by_byte_is_followed(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < N_OF(forms); i++) {
		for (int rewrite = 0; rewrite < 2; rewrite++) {
			struct flow f = flow_of(forms[i].family, rewrite);

			for (const char *p = forms[i].line; *p; p++)
				segment(&f, forms[i].reply, p, 1);
			assert_followed(&f, &forms[i]);
		}
	}
}

/* A segment that was sent before, as it goes out now: the same as out of then. */
static void assert_again(struct flow *f, const struct form *form, uint32_t seq, size_t from,
			 size_t to, const uint8_t *out, size_t n)
{
	size_t wanted_n = f->wanted_n;

	f->out_n[form->reply] = 0;
	segment_at(f, form->reply, seq + (uint32_t)from, form->line + from, to - from);
	assert_int_equal(f->out_n[form->reply], n);
	assert_memory_equal(f->out[form->reply], out, n);
	f->wanted_n = wanted_n;
}

/* The kernel can shift the numbers of what follows one place only. */
static void two_pieces(const struct form *form, const char *public, size_t a)
{
	struct flow f = flow_of(form->family, true), whole = f;
	bool reply = form->reply;
	size_t n = strlen(form->line), first, all, begin, end, text;
	uint32_t seq = f.seq[reply];
	uint8_t out[256];

	f.public = whole.public = public;
	segment(&whole, reply, form->line, n);
	begin = whole.d.announced[0].off;
	end = begin + whole.d.announced[0].len;
	text = whole.out_n[reply] - (n - (end - begin)); /* how long it is */
	segment(&f, reply, form->line, a);
	first = f.out_n[reply];
	if (a > end)
		assert_int_equal(first, a - (end - begin) + text);
	else
		assert_int_equal(first, a <= begin + text ? a : begin + text);
	memcpy(out, f.out[reply], first);
	assert_again(&f, form, seq, 0, a, out, first);
	segment(&f, reply, form->line + a, n - a);
	all = f.out_n[reply];
	memcpy(out + first, f.out[reply] + first, all - first);
	assert_int_equal(all, whole.out_n[reply]);
	assert_memory_equal(out, whole.out[reply], all);
	assert_wanted(&f, PRIVATE);
	assert_notes(&f, 0);
	for (int twice = 0; twice < 2; twice++) { /* the second time there is more behind them */
		assert_again(&f, form, seq, 0, a, out, first);
		assert_again(&f, form, seq, a, n, out + first, all - first);
		assert_again(&f, form, seq, 0, n, out, all);
		segment(&f, reply, "NOOP\r\n", 6);
	}
}

static void of_two_pieces_only_one_changes_its_length(void **unused)
{
	/* The usual, longer ones, shorter ones, and as long as a form's own. */
	static const char *const ip4[] = { NULL, "198.151.100.107", "1.2.3.4", "10.0.0.9" };
	static const char *const ip6[] = { NULL, "1111:2222:3333:4444:5555:6666:7777:8888", "::1",
					   "fd00::", "fd00::1:2" };

	(void)unused;
	for (size_t i = 0; i < N_OF(forms); i++) {
		bool v4 = forms[i].family == AF_INET;

		for (size_t p = 0; p < (v4 ? N_OF(ip4) : N_OF(ip6)); p++)
			for (size_t a = 1; a < strlen(forms[i].line); a++)
				two_pieces(&forms[i], v4 ? ip4[p] : ip6[p], a);
	}
}

/* The first part has been told; what comes again is as long as it likes. */
static void pieces_that_come_again_joined_are_rewritten_alike(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < N_OF(forms); i++) {
		size_t n = strlen(forms[i].line);

		for (size_t a = 1; a < n; a++) {
			struct flow f = flow_of(forms[i].family, true);
			uint32_t seq = f.seq[forms[i].reply];

			segment(&f, forms[i].reply, forms[i].line, a);
			f.out_n[forms[i].reply] = f.wanted_n = 0;
			segment_at(&f, forms[i].reply, seq, forms[i].line, n);
			assert_followed(&f, &forms[i]);
		}
	}
}

static void a_line_that_comes_again_in_other_pieces_is_rewritten_alike(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < N_OF(forms); i++) {
		size_t n = strlen(forms[i].line);

		for (size_t a = 1; a < n; a++) {
			struct flow f = flow_of(forms[i].family, true);
			bool reply = forms[i].reply;
			uint32_t seq = f.seq[reply];

			segment(&f, reply, forms[i].line, n);
			segment(&f, reply, "NOOP\r\n", 6);
			f.out_n[reply] = f.wanted_n = 0;
			segment_at(&f, reply, seq, forms[i].line, a);
			segment_at(&f, reply, seq + (uint32_t)a, forms[i].line + a, n - a);
			assert_followed(&f, &forms[i]);
		}
	}
}

static void a_port_that_was_told_is_told_again(void **unused)
{
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	client(&f, "PORT 10,0,0,1,19,137\r\n");
	cth_store_be16(f.state + 8, 50000);
	segment_at(&f, false, 1000, "PORT 10,0,0,1,19,137\r\n", 22);
	assert_int_equal(f.d.wanted[0].public_port, 50000);
	assert_int_equal(f.d.wanted[0].note_at, 8);
	assert_false(f.d.state_changed);
}

static void a_split_announcement_keeps_the_port_of_its_first_part(void **unused)
{
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	client(&f, "PORT 10,0,0");
	assert_int_equal(f.d.wanted_n, 1);
	assert_int_equal(f.d.wanted[0].flags, CTH_WANT_PORT_ONLY);
	assert_int_equal(f.d.wanted[0].note_at, 8);
	assert_int_equal(f.d.announced_n, 1);
	assert_int_equal(f.d.announced[0].off, 5);
	assert_int_equal(f.d.announced[0].len, 6);
	assert_int_equal(f.d.announced[0].from, 0);
	assert_true(f.d.announced[0].more);
	client(&f, ",1,19,137");
	assert_int_equal(f.d.wanted_n, 1);
	assert_int_equal(f.d.wanted[0].flags, CTH_WANT_PORT_ONLY);
	assert_int_equal(f.d.wanted[0].note_at, CTH_NOWHERE);
	assert_int_equal(f.d.wanted[0].public_port, CHOSEN);
	assert_int_equal(f.d.announced[0].off, 0);
	assert_int_equal(f.d.announced[0].len, 9);
	assert_int_equal(f.d.announced[0].from, 6);
	assert_true(f.d.announced[0].more);
	client(&f, "\r\n");
	assert_int_equal(f.d.announced_n, 1);
	assert_int_equal(f.d.announced[0].off, 0);
	assert_int_equal(f.d.announced[0].len, 0);
	assert_int_equal(f.d.announced[0].from, 15);
	assert_false(f.d.announced[0].more);
	assert_int_equal(f.d.wanted[0].public_port, CHOSEN);
	assert_int_equal(f.d.wanted[0].note_at, CTH_NOWHERE);
	assert_wanted(&f, PRIVATE);
}

static void without_a_port_nothing_is_cut_out(void **unused)
{
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	f.no_port = true;
	client(&f, "PORT 10,0,0");
	client(&f, ",1,19,");
	client(&f, "137\r\n");
	assert_got(&f, false, "PORT 10,0,0,1,19,137\r\n");
	assert_int_equal(f.wanted_n, 0);
	assert_notes(&f, NOTE(UNFOLLOWED));
}

static void a_number_at_a_segments_end_may_go_on(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	client(&f, "PORT 10,0,0,1,19,13");
	assert_int_equal(f.wanted_n, 0);
	client(&f, "7\r\n");
	assert_wanted(&f, PRIVATE);
	server(&f, "227 198,51,100,7,19,13");
	assert_int_equal(f.wanted_n, 0);
	server(&f, "7\r\n");
	assert_wanted(&f, PRIVATE);
}

static void a_sender_may_know_its_public_address(void **unused)
{
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	server(&f, "227 (203,0,113,9,19,137)\r\n");
	assert_wanted(&f, PRIVATE);
	assert_got(&f, true, "227 (203,0,113,9,156,65)\r\n");
}

static void several_commands_in_a_segment_are_all_followed(void **unused)
{
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	client(&f, "PORT 10,0,0,1,19,137\r\nNOOP\r\nEPRT |1|10.0.0.1|5002|\r\n"
		   "port 10,0,0,1,19,139\r\n");
	assert_int_equal(f.wanted_n, 3);
	assert_int_equal(f.wanted[0].port, 5001);
	assert_int_equal(f.wanted[1].port, 5002);
	assert_int_equal(f.wanted[2].port, 5003);
	assert_got(&f, false, "PORT 203,0,113,9,156,65\r\nNOOP\r\nEPRT |1|203.0.113.9|40001|\r\n"
			      "port 203,0,113,9,156,65\r\n");
	assert_notes(&f, 0);
}

static void more_announcements_than_a_decision_holds_are_noted(void **unused)
{
	for (int rewrite = 0; rewrite < 2; rewrite++) {
		struct flow f = flow_of(AF_INET, rewrite);

		(void)unused;
		client(&f, "PORT 10,0,0,1,19,1\nPORT 10,0,0,1,19,2\nPORT 10,0,0,1,19,3\n"
			   "PORT 10,0,0,1,19,4\nPORT 10,0,0,1,19,5\n");
		assert_int_equal(f.wanted_n, 4);
		assert_notes(&f, NOTE(UNFOLLOWED));
	}
}

/* The rest of one and four texts are one too many: what is not rewritten must not be expected. */
static void what_finds_no_place_to_be_rewritten_is_not_wanted(void **unused)
{
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	f.once = true;
	client(&f, "PORT 1");
	client(&f, "0,0,0,2,19,1\nPORT 10,0,0,1,19,1\nPORT 10,0,0,1,19,2\nPORT 10,0,0,1,19,3\n"
		   "PORT 10,0,0,1,19,4\n");
	assert_int_equal(f.d.announced_n, 4);
	assert_int_equal(f.d.wanted_n, 4);
	assert_int_equal(f.d.wanted[0].flags, CTH_WANT_PORT_ONLY);
	assert_int_equal(f.wanted_n, 3);
	assert_notes(&f, NOTE(FOREIGN) | NOTE(UNFOLLOWED));
}

/* The state is the second one's by then. */
static void the_port_of_the_first_is_not_kept_for_the_second(void **unused)
{
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	f.once = true;
	client(&f, "PORT 10,0,0,1,19,137\r\nEPRT |1|");
	assert_int_equal(f.d.wanted_n, 1);
	assert_int_equal(f.d.wanted[0].note_at, CTH_NOWHERE);
	client(&f, "10.0.0.1|5002|\r\n");
	assert_int_equal(f.d.wanted[0].public_port, 0);
	assert_got(&f, false, "PORT 203,0,113,9,156,65\r\nEPRT |1|203.0.113.9|40001|\r\n");
}

static void both_sides_may_be_in_the_middle_of_a_verb(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	client(&f, "PO");
	server(&f, "22");
	client(&f, "RT 10,0,0,1,19,137\r\n");
	assert_wanted(&f, PRIVATE);
	server(&f, "7 (198,51,100,7,19,138)\r\n");
	assert_wanted(&f, PRIVATE + 1);
	assert_notes(&f, 0);
}

static void of_two_halves_the_first_is_followed(void **unused)
{
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	client(&f, "PORT 10,0,0,");
	server(&f, "227 (198,51,100,7,19,138)\r\n");
	assert_int_equal(f.wanted_n, 0);
	assert_notes(&f, NOTE(UNFOLLOWED));
	client(&f, "1,19,137\r\n");
	assert_wanted(&f, PRIVATE);
	assert_got(&f, false, "PORT 203,0,113,9,156,65\r\n");
	assert_got(&f, true, "227 (198,51,100,7,19,138)\r\n");
	server(&f, "227 (198,51,100,7,19,138)\r\n");
	assert_wanted(&f, PRIVATE + 1);
}

/* What must not be followed. */

static const struct {
	bool reply;
	const char *line;
	unsigned notes;
} hostile[] = {
	{ false, "PORT 10,0,0,2,19,137\r\n", NOTE(FOREIGN) },
	{ false, "PORT 198,51,100,7,19,137\r\n", NOTE(FOREIGN) },
	{ false, "EPRT |1|10.0.0.2|5001|\r\n", NOTE(FOREIGN) },
	{ true, "227 (10,0,0,1,19,137)\r\n", NOTE(FOREIGN) },
	{ true, "227 (0,0,0,0,19,137)\r\n", NOTE(FOREIGN) },
	{ false, "PORT 10,0,0,1,0,22\r\n", NOTE(LOW_PORT) },
	{ false, "PORT 10,0,0,1,3,255\r\n", NOTE(LOW_PORT) },
	{ false, "PORT 10,0,0,1,0,0\r\n", NOTE(GARBLED) },
	{ false, "EPRT |1|10.0.0.1|1023|\r\n", NOTE(LOW_PORT) },
	{ false, "EPRT |1|10.0.0.1|0|\r\n", NOTE(GARBLED) },
	{ false, "EPRT |1|10.0.0.1||\r\n", NOTE(GARBLED) },
	{ true, "227 (198,51,100,7,0,25)\r\n", NOTE(LOW_PORT) },
	{ true, "229 (|||1023|)\r\n", NOTE(LOW_PORT) },
	{ true, "229 (|||0|)\r\n", NOTE(GARBLED) },
	{ true, "229 (||||)\r\n", NOTE(GARBLED) },
	/* Not at a line's start, or of the other side. */
	{ false, "STOR PORT 10,0,0,1,19,137\r\n", 0 },
	{ false, " PORT 10,0,0,1,19,137\r\n", 0 },
	{ false, "XPORT 10,0,0,1,19,137\r\n", 0 },
	{ false, "NOOP\rPORT 10,0,0,1,19,137\r\n", 0 },
	{ true, "550 227 (198,51,100,7,19,137)\r\n", 0 },
	{ true, "550 a\r227 (198,51,100,7,19,137)\r\n", 0 },
	{ true, " 227 (198,51,100,7,19,137)\r\n", 0 },
	{ true, "227-(198,51,100,7,19,137)\r\n", 0 },
	{ true, "2270(198,51,100,7,19,137)\r\n", 0 },
	{ true, "229-(|||5001|)\r\n", 0 },
	{ false, "227 (10,0,0,1,19,137)\r\n", 0 },
	{ false, "229 (|||5001|)\r\n", 0 },
	{ true, "PORT 198,51,100,7,19,137\r\n", 0 },
	{ true, "EPRT |1|198.51.100.7|5001|\r\n", 0 },
	{ false, "PORT\r\n", 0 },
	{ false, "PORT\t10,0,0,1,19,137\r\n", 0 },
	{ true, "227\r\n", 0 },
	/* Garbled. */
	{ false, "PORT \r\n", NOTE(GARBLED) },
	{ false, "PORT 10,0,0,1,19\r\n", NOTE(GARBLED) },
	{ false, "PORT 10,0,0,1,19,\r\n", NOTE(GARBLED) },
	{ false, "PORT 10,0,0,1,19,137,1\r\n", NOTE(GARBLED) },
	{ false, "PORT 10,0,0,1,19,137x\r\n", NOTE(GARBLED) },
	{ false, "PORT ,10,0,0,1,19,137\r\n", NOTE(GARBLED) },
	{ false, "PORT 10,,0,1,19,137\r\n", NOTE(GARBLED) },
	{ false, "PORT 10,0,0,1,256,137\r\n", NOTE(GARBLED) },
	{ false, "PORT 266,0,0,1,19,137\r\n", NOTE(GARBLED) },
	{ false, "PORT 10,0,0,1,19,0137\r\n", NOTE(GARBLED) },
	{ false, "PORT 10,0,0,1,19,4294967433\r\n", NOTE(GARBLED) },
	{ false, "PORT -10,0,0,1,19,137\r\n", NOTE(GARBLED) },
	{ false, "PORT 10, 0,0,1,19,137\r\n", NOTE(GARBLED) },
	{ false, "PORT 10.0.0.1.19.137\r\n", NOTE(GARBLED) },
	{ false, "EPRT |2|fd00::1|5001|\r\n", NOTE(GARBLED) },
	{ false, "EPRT |3|10.0.0.1|5001|\r\n", NOTE(GARBLED) },
	{ false, "EPRT |1|10.0.0.1|5001\r\n", NOTE(GARBLED) },
	{ false, "EPRT |1|10.0.0.1|5001!\r\n", NOTE(GARBLED) },
	{ false, "EPRT |1!10.0.0.1|5001|\r\n", NOTE(GARBLED) },
	{ false, "EPRT |1|10.0.0|5001|\r\n", NOTE(GARBLED) },
	{ false, "EPRT |1|10.0.0.1.5|5001|\r\n", NOTE(GARBLED) },
	{ false, "EPRT |1|10.0.0.|5001|\r\n", NOTE(GARBLED) },
	{ false, "EPRT |1|10.0.0.1|65536|\r\n", NOTE(GARBLED) },
	{ false, "EPRT |1|10.0.0.1|70537|\r\n", NOTE(GARBLED) },
	{ false, "EPRT |1|10.0.0.1|4294972297|\r\n", NOTE(GARBLED) },
	{ false, "EPRT |1|10.0.0.1|0000000000000000000000000000000000000000000000000000000005001|\r\n",
	  NOTE(GARBLED) },
	{ false, "EPRT |1|10.0.0.1|+5001|\r\n", NOTE(GARBLED) },
	{ false, "EPRT 1110.0.0.1150011\r\n", NOTE(GARBLED) },
	{ false, "EPRT .1.10.0.0.1.5001.\r\n", NOTE(GARBLED) },
	{ false, "EPRT a1a10.0.0.1a5001a\r\n", NOTE(GARBLED) },
	{ false, "EPRT 7170.0.0.175001|\r\n", NOTE(GARBLED) },
	{ false, "EPRT :1:10.0.0.1:5001:\r\n", NOTE(GARBLED) },
	{ true, "229 (...5001.)\r\n", NOTE(GARBLED) },
	{ true, "229 (7775001 7)\r\n", NOTE(GARBLED) },
	{ true, "229 (77750017)\r\n", NOTE(GARBLED) },
	{ true, "227 1,2\r\n", NOTE(GARBLED) },
	{ true, "227 1,2,\n", NOTE(GARBLED) },
	{ true, "227 1111\n", NOTE(GARBLED) },
	{ false, "EPRT \r\n", NOTE(GARBLED) },
	{ true, "227 \r\n", NOTE(GARBLED) },
	{ true, "227 Entering Passive Mode\r\n", NOTE(GARBLED) },
	{ true, "227 (198,51,100,7,19)\r\n", NOTE(GARBLED) },
	{ true, "227 (198,51,100,7,19,256)\r\n", NOTE(GARBLED) },
	{ true, "227 (1198,51,100,7,19,137)\r\n", NOTE(GARBLED) },
	{ true, "227 (1,2,3,4,5,6666,198,51,100,7,19,137)\r\n", NOTE(GARBLED) },
	{ true, "229 \r\n", NOTE(GARBLED) },
	{ true, "229 (|||65536|)\r\n", NOTE(GARBLED) },
	{ true, "229 (||5001|)\r\n", NOTE(GARBLED) },
	{ true, "229 (|!|5001|)\r\n", NOTE(GARBLED) },
	{ true, "229 (|||5001)\r\n", NOTE(GARBLED) },
	{ true, "229 (   5001 )\r\n", NOTE(GARBLED) },
	{ true, "229 (6665001 6\r\n", NOTE(GARBLED) },
	{ true, "229 |||5001|\r\n", NOTE(GARBLED) },
};

static void hostile_lines_open_nothing(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < N_OF(hostile); i++) {
		for (int rewrite = 0; rewrite < 2; rewrite++) {
			struct flow f = flow_of(AF_INET, rewrite);

			segment(&f, hostile[i].reply, hostile[i].line, strlen(hostile[i].line));
			if (f.wanted_n || f.notes != hostile[i].notes)
				fail_msg("%s: %zu wanted, notes %x", hostile[i].line, f.wanted_n, f.notes);
			assert_got(&f, hostile[i].reply, hostile[i].line);
			/* The next line is followed. */
			if (hostile[i].reply)
				server(&f, "227 (198,51,100,7,19,137)\r\n");
			else
				client(&f, "PORT 10,0,0,1,19,137\r\n");
			assert_wanted(&f, PRIVATE);
		}
	}
}

static void hostile_lines_open_nothing_in_two_pieces(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < N_OF(hostile); i++) {
		for (size_t a = 1, n = strlen(hostile[i].line); a < n; a++) {
			for (int rewrite = 0; rewrite < 2; rewrite++) {
				struct flow f = flow_of(AF_INET, rewrite);
	
				segment(&f, hostile[i].reply, hostile[i].line, a);
				segment(&f, hostile[i].reply, hostile[i].line + a, n - a);
				if (f.wanted_n || f.notes != hostile[i].notes)
					fail_msg("%s cut at %zu: %zu wanted, notes %x", hostile[i].line,
						 a, f.wanted_n, f.notes);
				if (hostile[i].reply)
					server(&f, "227 (198,51,100,7,19,137)\r\n");
				else
					client(&f, "PORT 10,0,0,1,19,137\r\n");
				assert_wanted(&f, PRIVATE);
			}
		}
	}
}

static void numbers_that_are_none_do_not_hide_those_that_are(void **unused)
{
	static const char *const lines[] = {
		"227 h2 1,2 (198,51,100,7,19,137)\r\n",
		"227 300,1,2,3,4,5 198,51,100,7,19,137\r\n",
		"227 1,2,3,4,5,300 (198,51,100,7,19,137)\r\n",
		"227 (198,51,100,7,19,137\n",
		"227 v1.3.5 =198,51,100,7,19,137,\r\n",
	};

	(void)unused;
	for (size_t i = 0; i < N_OF(lines); i++) {
		struct flow f = flow_of(AF_INET, false);

		server(&f, lines[i]);
		assert_wanted(&f, PRIVATE);
		assert_notes(&f, 0);
	}
}

static void nul_bytes_are_only_bytes(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	segment(&f, false, "PORT 10,0,0,1\0,19,137\r\n", 23);
	segment(&f, false, "PORT\0 10,0,0,1,19,137\r\n", 23);
	segment(&f, false, "\0PORT 10,0,0,1,19,137\r\n", 23);
	segment(&f, true, "234\0\0\0\r\n", 8);
	assert_int_equal(f.wanted_n, 0);
	assert_notes(&f, NOTE(GARBLED));
}

static void a_third_party_needs_leave(void **unused)
{
	struct flow f = flow_of(AF_INET, false);
	struct cth_addr third = addr(AF_INET, "10.0.0.2");

	(void)unused;
	f.allow = CTH_ALLOW_FOREIGN;
	client(&f, "PORT 10,0,0,2,19,137\r\n");
	assert_int_equal(f.wanted_n, 1);
	assert_int_equal(f.wanted[0].dest, CTH_TO_OTHER);
	assert_int_equal(f.wanted[0].port, PRIVATE);
	assert_memory_equal(&f.wanted[0].address, &third, sizeof(third));
	assert_notes(&f, 0);
	f.wanted_n = 0;
	client(&f, "PORT 10,0,0,1,19,137\r\n");
	assert_wanted(&f, PRIVATE);
}

static void a_third_party_is_followed_again_after_other_lines(void **unused)
{
	struct flow f = flow_of(AF_INET6, false);
	struct cth_addr third = addr(AF_INET6, "fd00::2:3:4:5");

	(void)unused;
	f.allow = CTH_ALLOW_FOREIGN;
	client(&f, "EPRT |2|fd00::2:3:4:5|5001|\r\n");
	client(&f, "RETR x\r\n");
	f.wanted_n = 0;
	segment_at(&f, false, 1000, "EPRT |2|fd00::2:3:4:5|5001|\r\n", 29);
	assert_int_equal(f.wanted_n, 1);
	assert_int_equal(f.wanted[0].dest, CTH_TO_OTHER);
	assert_memory_equal(&f.wanted[0].address, &third, sizeof(third));
}

static void a_third_party_is_never_rewritten(void **unused)
{
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	f.allow = CTH_ALLOW_FOREIGN;
	client(&f, "PORT 10,0,0,2,19,137\r\n");
	assert_int_equal(f.wanted_n, 1);
	assert_int_equal(f.wanted[0].dest, CTH_TO_OTHER);
	assert_got(&f, false, "PORT 10,0,0,2,19,137\r\n");
}

/* One's own address had been put in its place when that came to light. */
static void a_third_party_that_was_rewritten_is_not_followed(void **unused)
{
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	f.allow = CTH_ALLOW_FOREIGN;
	client(&f, "PORT 10,0,0,");
	client(&f, "2,19,137\r\n");
	assert_int_equal(f.wanted_n, 0);
	assert_got(&f, false, "PORT 203,0,113,9,156,65\r\n");
	assert_notes(&f, NOTE(FOREIGN));
	f.out_n[0] = 0;
	segment_at(&f, false, 1000, "PORT 10,0,0,2,19,137\r\n", 22);
	assert_got(&f, false, "PORT 203,0,113,9,156,65\r\n");
}

static void leave_that_was_taken_back_holds_for_what_comes_again(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	f.once = true;
	f.allow = CTH_ALLOW_FOREIGN;
	client(&f, "PORT 10,0,0,2,19,137\r\n");
	f.allow = CTH_ALLOW_LOW_PORTS;
	f.wanted_n = 0;
	segment_at(&f, false, 1000, "PORT 10,0,0,2,19,137\r\n", 22);
	assert_int_equal(f.wanted_n, 0);
	client(&f, "PORT 10,0,0,1,0,137\r\n");
	assert_wanted(&f, 137);
	f.allow = 0;
	segment_at(&f, false, 1022, "PORT 10,0,0,1,0,137\r\n", 21);
	assert_int_equal(f.wanted_n, 0);
}

static void what_was_rewritten_and_then_unreadable_comes_again_alike(void **unused)
{
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	client(&f, "PORT 10,0,0,");
	client(&f, "1,19,x\r\n");
	assert_int_equal(f.wanted_n, 0);
	assert_notes(&f, NOTE(GARBLED));
	assert_got(&f, false, "PORT 203,0,113,9,156,65x\r\n");
	f.out_n[0] = 0;
	segment_at(&f, false, 1000, "PORT 10,0,0,1,19,x\r\n", 20);
	assert_got(&f, false, "PORT 203,0,113,9,156,65x\r\n");
	/* A low port, too; and what is only to be told has no port that is out of bounds. */
	f.out_n[0] = 0;
	client(&f, "PORT 10,0,0,1");
	client(&f, ",0,137\r\n");
	assert_notes(&f, NOTE(LOW_PORT));
	segment_at(&f, false, 1020, "PORT 10,0,0,1", 13);
	assert_int_equal(f.d.wanted[0].port, 0);
	assert_int_equal(f.wanted_n, 0);
}

static void low_ports_need_leave(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	f.allow = CTH_ALLOW_LOW_PORTS;
	client(&f, "PORT 10,0,0,1,0,20\r\n");
	assert_wanted(&f, 20);
	client(&f, "PORT 10,0,0,1,0,0\r\n");
	assert_int_equal(f.wanted_n, 0);
	assert_notes(&f, NOTE(GARBLED));
}

static void ipv4_numbers_say_nothing_on_ipv6(void **unused)
{
	for (int rewrite = 0; rewrite < 2; rewrite++) {
		struct flow f = flow_of(AF_INET6, rewrite);

		(void)unused;
		f.allow = CTH_ALLOW_FOREIGN;
		client(&f, "PORT 10,0,0,1,19,");
		client(&f, "137\r\n");
		server(&f, "227 (198,51,100,7,19,137)\r\n");
		client(&f, "EPRT |1|10.0.0.1|5001|\r\n");
		assert_int_equal(f.wanted_n, 0);
		assert_notes(&f, NOTE(GARBLED));
	}
}

/* IPv6 addresses as text: the same as inet_pton() reads. */
static void ipv6_addresses_are_read_in_every_form(void **unused)
{
	static const char *const texts[] = {
		"::", "::1", "1::", "a:b:c:d:e:f:1:2", "A:B:C:D:E:F:1:2", "1:2:3::7:8", "1:2:3:4:5:6:7::",
		"::2:3:4:5:6:7:8", "1::8", "0001:0002:0003:0004:0005:0006:0007:0008", "ffff::FFFF",
		"::ffff:192.0.2.128", "::1.2.3.4", "64:ff9b::192.0.2.33", "1:2:3:4:5:6:1.2.3.4",
		"1:2:3:4:5::255.255.255.255", "1::5:6:0.0.0.0", "::1:2:3:4:5:1.2.3.4",
		/* and what it does not read */
		"", ":", ":::", "1", "1:", ":1", "1:2", "1::2::3", ":1::2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:",
		"1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "1:2:3:4::5:6:7:8", "::1:2:3:4:5:6:7:8", "12345::",
		"1::g", "::1.2.3", "::1.2.3.4.5", "::1.2.3.4:5", "::1.2.3.", "::.1.2.3", "::1..2.3", "::256.1.1.1",
		"::1.2.3.256", "::a.1.1.1", "::1a.1.1.1", "::1.2.3.a", "1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4",
		"1:2:3:4:5:6:7:8.1.1.1", "1:2:3:4:5:1.2.3.4", "::1234.1.1.1", "1:2:3:4:5:6::1.2.3.4", ".", "1::2:",
		"::1a1.1.1.1", "1:2:3:4:5:6:1.2.3.4.5", "::0a1.1.1.1", "::1.2.3.4.", "::1.2.3.4.1", "::1.2.3..", "::99a.1.1.1", "::fff.1.1.1", "1:2:3:4:5:6:7:8:1.2.3.4",
	};

	(void)unused;
	for (size_t i = 0; i < N_OF(texts); i++) {
		struct flow f = flow_of(AF_INET6, false);
		struct cth_addr a = { .family = AF_INET6 };
		bool good = inet_pton(AF_INET6, texts[i], a.b) == 1;
		char line[100];

		f.allow = CTH_ALLOW_FOREIGN;
		snprintf(line, sizeof(line), "EPRT |2|%s|5001|\r\n", texts[i]);
		client(&f, line);
		if (f.wanted_n != good)
			fail_msg("%s: %zu", texts[i], f.wanted_n);
		if (good)
			assert_memory_equal(&f.wanted[0].address, &a, sizeof(a));
		else
			assert_notes(&f, NOTE(GARBLED));
	}
}

/* Long lines. */

static void long_lines_are_followed_to_their_end(void **unused)
{
	static char text[6100];

	(void)unused;
	for (int rewrite = 0; rewrite < 2; rewrite++) {
		struct flow f = flow_of(AF_INET, rewrite);

		memset(text, 'x', 6000);
		memcpy(text, "SITE ", 5);
		strcpy(text + 6000, "\r\nPORT 10,0,0,1,19,137\r\n");
		client(&f, text);
		assert_wanted(&f, PRIVATE);
		memset(text, ' ', 6000);
		memcpy(text, "227 ", 4);
		strcpy(text + 6000, "198,51,100,7,19,137\r\n");
		server(&f, text);
		assert_wanted(&f, PRIVATE);
		memset(text, ' ', 6000);
		memcpy(text, "PORT ", 5);
		strcpy(text + 6000, "10,0,0,1,19,137\r\n");
		for (size_t at = 0; at < 6017; at += 1460)
			segment(&f, false, text + at, 6017 - at < 1460 ? 6017 - at : 1460);
		assert_wanted(&f, PRIVATE);
		assert_notes(&f, 0);
	}
}

static void an_announcement_is_forgotten_when_it_is_long_past(void **unused)
{
	static char text[9000];
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	memset(text, 'x', sizeof(text));
	client(&f, "PORT 10,0,0,1,19,137\r\n");
	f.wanted_n = 0;
	f.once = true;
	for (int i = 0; i < 7; i++) {
		segment(&f, false, text, sizeof(text));
		f.out_n[0] = 0;
	}
	segment_at(&f, false, 1000, "PORT 10,0,0,1,19,137\r\n", 22);
	assert_int_equal(f.wanted_n, 1);
	segment(&f, false, text, sizeof(text));
	f.wanted_n = f.out_n[0] = 0;
	segment_at(&f, false, 1000, "PORT 10,0,0,1,19,137\r\n", 22);
	assert_int_equal(f.wanted_n, 0);
	/* Nor does it come back when the count has gone round. */
	segment_at(&f, false, f.seq[0] - 65536 - 22 + 2, "PORT 10,0,0,1,19,137\r\n", 22);
	for (uint32_t back = 0; back < 9000; back += 20) {
		segment_at(&f, false, f.seq[0] - back - 22, "PORT 10,0,0,1,19,137\r\n", 22);
		f.out_n[0] = 0;
	}
	assert_int_equal(f.wanted_n, 0);
}

static void the_other_sides_lines_make_it_no_older(void **unused)
{
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	client(&f, "PORT 10,0,0,1,19,137\r\n");
	server(&f, "200 fine\r\n");
	f.out_n[0] = f.wanted_n = 0;
	segment_at(&f, false, 1000, "PORT 10,0,0,1,19,137\r\n", 22);
	assert_wanted(&f, PRIVATE);
	assert_got(&f, false, "PORT 203,0,113,9,156,65\r\n");
}

/* Segments that come again, late, or never. */

static void an_overlapping_segment_is_read_from_where_it_is_new(void **unused)
{
	const char *line = "NOOP\r\nPORT 10,0,0,1,19,137\r\n";

	(void)unused;
	for (size_t a = 1; a < 28; a++) {
		for (size_t b = 0; b < a && b <= 26; b++) {
			struct flow f = flow_of(AF_INET, false);

			segment(&f, false, line, a);
			f.wanted_n = 0;
			segment_at(&f, false, 1000 + (uint32_t)b, line + b, 28 - b);
			assert_wanted(&f, PRIVATE);
		}
	}
}

static void a_retransmission_joined_with_new_commands_is_followed(void **unused)
{
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	f.once = true;
	client(&f, "PORT 10,0,0,1,19,137\r\n");
	f.wanted_n = f.out_n[0] = 0;
	segment_at(&f, false, 1000, "PORT 10,0,0,1,19,137\r\nPORT 10,0,0,1,19,138\r\n", 44);
	assert_int_equal(f.wanted_n, 2);
	assert_int_equal(f.wanted[0].port, PRIVATE);
	assert_int_equal(f.wanted[1].port, PRIVATE + 1);
	assert_got(&f, false, "PORT 203,0,113,9,156,65\r\nPORT 203,0,113,9,156,65\r\n");
}

static void several_announcements_sent_again_are_rewritten_alike(void **unused)
{
	static const char text[] = "NOOP\r\nPORT 10,0,0,1,19,137\r\nPORT 10,0,0,1,19,138\r\n"
				   "EPRT |1|10.0.0.1|5003|\r\n";
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	client(&f, text); /* harness: once more, alike */
	client(&f, "NOOP\r\n");
	f.wanted_n = f.out_n[0] = 0;
	segment_at(&f, false, 1000, text, sizeof(text) - 1);
	assert_int_equal(f.wanted_n, 3);
	assert_got(&f, false, "NOOP\r\nPORT 203,0,113,9,156,65\r\nPORT 203,0,113,9,156,65\r\n"
			      "EPRT |1|203.0.113.9|40001|\r\n");
}

static void a_retransmission_is_believed_only_once(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	f.once = true;
	client(&f, "NOOP 10,0,0,1,19,137\r\n");
	segment_at(&f, false, 1000, "PORT 10,0,0,1,19,137\r\n", 22);
	assert_int_equal(f.wanted_n, 0);
	client(&f, "PORT 10,0,0,1,19,137\r\n");
	f.wanted_n = 0;
	segment_at(&f, false, 1022, "PORT 10,0,0,1,99,99\r\n\n", 22); /* says something else now */
	assert_wanted(&f, PRIVATE);
}

static void behind_a_gap_a_line_must_end_first(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	client(&f, "NOOP\r\n");
	f.seq[0] += 10;
	client(&f, "PORT 10,0,0,1,19,137"); /* nobody knows whether a line begins there */
	client(&f, "\r\nPORT 10,0,0,1,19,138\r\n");
	assert_wanted(&f, PRIVATE + 1);
	assert_notes(&f, NOTE(UNFOLLOWED));
	f.seq[0] += 10;
	client(&f, "STOR PORT 10,0,0,1,19,137\r\n");
	assert_notes(&f, 0);
	f.seq[0] += 10;
	client(&f, "STOR ");
	client(&f, "PORT 10,0,0,1,19,137\r\n");
	assert_int_equal(f.wanted_n, 0);
	assert_notes(&f, 0);
	client(&f, "PORT 10,0,0,1,19,137\r\n");
	assert_wanted(&f, PRIVATE);
	assert_notes(&f, 0);
}

static void a_gap_in_an_announcement_loses_it(void **unused)
{
	for (int rewrite = 0; rewrite < 2; rewrite++) {
		struct flow f = flow_of(AF_INET, rewrite);

		(void)unused;
		client(&f, "PORT 10,0,0,");
		f.seq[0] += 2;
		client(&f, "19,137\r\n");
		assert_int_equal(f.wanted_n, 0);
		assert_notes(&f, NOTE(UNFOLLOWED));
		server(&f, "227 (198,51,100,7,19,138)\r\n");
		assert_wanted(&f, PRIVATE + 1);
		client(&f, "PORT 10,0,0,1,19,137\r\n");
		assert_wanted(&f, PRIVATE);
		assert_notes(&f, 0);
	}
}

/*
 * As of one whom a program before us had read, and died: it comes again, after a later one was
 * served.
 */
static void what_comes_late_into_a_gap_is_read_where_a_line_begins(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	client(&f, "NOOP\r\n");
	segment_at(&f, false, 1006 + 22, "LIST\r\n", 6);
	assert_int_equal(f.wanted_n, 0);
	assert_notes(&f, 0);
	f.wanted_n = 0;
	segment_at(&f, false, 1006, "PORT 10,0,0,1,19,137\r\n", 22);
	assert_wanted(&f, PRIVATE);
	assert_notes(&f, 0);
	f.seq[0] = 1006 + 22 + 6;
	client(&f, "PORT 10,0,0,1,19,138\r\n");
	assert_wanted(&f, PRIVATE + 1);
	f.wanted_n = 0;
	/* Once: it says something else now. */
	segment_at(&f, false, 1006, "PORT 10,0,0,1,99,99\r\n\n", 22);
	assert_int_equal(f.wanted_n, 0);
}

/* In two segments, and with what came behind it. */
static void what_comes_late_may_be_cut_and_joined(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	client(&f, "NOOP\r\n");
	segment_at(&f, false, 1006 + 28, "LIST\r\n", 6);
	segment_at(&f, false, 1006, "NOOP\r\n", 6);
	segment_at(&f, false, 1012, "PORT 10,0,0,1,19,137\r\nLIST\r\nNOOP\r\n", 34);
	assert_wanted(&f, PRIVATE);
	assert_notes(&f, 0);
}

/* Nobody knows where a line begins; or it cannot be rewritten any more: it is counted, once. */
static void what_comes_late_and_is_not_followed_is_noted(void **unused)
{
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	f.once = true;
	client(&f, "NOOP\r\n");
	segment_at(&f, false, 1006 + 22, "LIST\r\n", 6);
	segment_at(&f, false, 1006, "PORT 10,0,0,1,19,137\r\n", 22);
	assert_int_equal(f.wanted_n, 0);
	assert_notes(&f, NOTE(UNFOLLOWED));
	segment_at(&f, false, 1006, "PORT 10,0,0,1,19,137\r\n", 22);
	assert_notes(&f, 0);

	f = flow_of(AF_INET, false);
	f.once = true;
	client(&f, "STOR ");
	segment_at(&f, false, 1005 + 22, "LIST\r\n", 6);
	segment_at(&f, false, 1005, "PORT 10,0,0,1,19,137\r\n", 22);
	assert_int_equal(f.wanted_n, 0);
	assert_notes(&f, NOTE(UNFOLLOWED));
	f.seq[0] = 1005 + 22 + 6;
	client(&f, "PORT 10,0,0,1,19,138\r\n");
	assert_wanted(&f, PRIVATE + 1);

	/* In the middle of the gap. */
	f = flow_of(AF_INET, false);
	f.once = true;
	client(&f, "NOOP\r\n");
	segment_at(&f, false, 1006 + 32, "LIST\r\n", 6);
	segment_at(&f, false, 1006 + 10, "PORT 10,0,0,1,19,137\r\n", 22);
	assert_int_equal(f.wanted_n, 0);
	assert_notes(&f, NOTE(UNFOLLOWED));
}

static void a_servers_lines_that_passed_unseen_are_made_up_for(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	server(&f, "220 welcome\r\n");
	client(&f, "USER x\r\n");
	f.seq[1] += 1000; /* unseen */
	client(&f, "EPSV\r\n");
	server(&f, "229 (|||5001|)\r\n");
	assert_wanted(&f, PRIVATE);
	assert_notes(&f, 0);
	/* Not when the command is not complete: then the reply may not be either. */
	f.seq[1] += 1000;
	client(&f, "EPS");
	server(&f, "229 (|||5001|)\r\n");
	assert_int_equal(f.wanted_n, 0);
	assert_notes(&f, NOTE(UNFOLLOWED));
	/* And not for the client's. */
	server(&f, "200 ok\r\n");
	f.seq[0] += 1000;
	server(&f, "200 ok\r\n");
	client(&f, "PORT 10,0,0,1,19,137\r\n");
	assert_int_equal(f.wanted_n, 0);
	assert_notes(&f, NOTE(UNFOLLOWED));
}

static void an_old_ack_heals_nothing(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	server(&f, "200 ok 227 ");
	f.acked = true;
	f.ack = 5004;
	client(&f, "NOOP\r\n");
	f.ack = 9999;
	server(&f, "a\n"); /* the server's own says nothing */
	server(&f, "229 x");
	f.ack = 5004;
	client(&f, "NOOP\r\n");
	assert_notes(&f, 0);
	f.acked = false;
	server(&f, "\n229 (|||5001|)\r\n");
	assert_wanted(&f, PRIVATE);
}

static void sequence_numbers_wrap(void **unused)
{
	const struct form *form = &forms[0];
	size_t n = strlen(form->line);

	(void)unused;
	for (uint32_t before = 0; before <= n; before++) {
		for (int rewrite = 0; rewrite < 2; rewrite++) {
			struct flow f = flow_of(AF_INET, rewrite);

			f.seq[0] = 0u - before;
			f.seq[1] = 0x80000000u - before;
			for (size_t i = 0; i < n; i += 7)
				segment(&f, false, form->line + i, n - i < 7 ? n - i : 7);
			assert_followed(&f, form);
			f.seq[0] += 5;
			client(&f, "gap\r\n");
			client(&f, form->line);
			assert_wanted(&f, PRIVATE);
			f.notes = 0;
			f.seq[1] = 0u - before;
			server(&f, "220 hi\r\n");
			f.seq[1] += 10;
			client(&f, "EPSV\r\n");
			server(&f, "229 (|||5001|)\r\n");
			assert_wanted(&f, PRIVATE);
		}
	}
}

/* AUTH. */

static void after_auth_and_234_nothing_is_read(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	f.once = true;
	client(&f, "auth TLS\r\n");
	assert_false(f.d.leave);
	server(&f, "234 go\r\n227 (198,51,100,7,19,137)\r\n");
	assert_true(f.d.leave);
	assert_notes(&f, NOTE(SEALED));
	client(&f, "PORT 10,0,0,1,19,137\r\n");
	assert_true(f.d.leave);
	assert_false(f.d.state_changed);
	server(&f, "234 go\r\n");
	assert_true(f.d.leave);
	assert_int_equal(f.wanted_n, 0);
	assert_notes(&f, 0);
}

static void auth_and_its_answer_may_come_in_pieces(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	f.once = true;
	for (const char *p = "AUTH TLS\r\n"; *p; p++)
		segment(&f, false, p, 1);
	server(&f, "2");
	server(&f, "3");
	assert_false(f.d.leave);
	server(&f, "4");
	assert_true(f.d.leave);
	assert_notes(&f, NOTE(SEALED));
}

static void after_a_refused_auth_all_goes_on(void **unused)
{
	static const char *const refusals[] = { "500 what?\r\n", "431 no\r\n", "534-no\r\n534 no\r\n" };

	(void)unused;
	for (size_t i = 0; i < N_OF(refusals); i++) {
		struct flow f = flow_of(AF_INET, false);

		client(&f, "AUTH TLS\r\n");
		server(&f, refusals[i]);
		client(&f, "PORT 10,0,0,1,19,137\r\n");
		assert_wanted(&f, PRIVATE);
		server(&f, "234 what?\r\n");
		assert_false(f.d.leave);
		server(&f, "227 (198,51,100,7,19,137)\r\n");
		assert_wanted(&f, PRIVATE);
		assert_notes(&f, 0);
	}
}

static void auth_in_several_steps_is_waited_for(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	client(&f, "USER x\r\nAUTH GSSAPI\r\n5\r\n");
	server(&f, "331 password\r\n"); /* to USER */
	server(&f, "334 more\r\n");
	client(&f, "ADAT abc\r\n");
	server(&f, "120 wait\r\n");
	assert_false(f.d.leave);
	server(&f, "234 done\r\n");
	assert_true(f.d.leave);
}

static void without_auth_234_is_just_a_line(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	client(&f, "XAUTH TLS\r\n AUTH TLS\r\nAUTHTLS\r\n");
	server(&f, "234 go\r\n227 (198,51,100,7,19,137)\r\n");
	assert_wanted(&f, PRIVATE);
	assert_false(f.d.leave);
	client(&f, "AUTH TLS\r\n");
	server(&f, "200 234 go\r\n");
	assert_false(f.d.leave);
}

/* Whatever comes. */

static void lawful(struct cth_span bytes, void *ctx)
{
	const struct form *form = ctx;

	if (!bytes.n)
		return;
	for (int rewrite = 0; rewrite < 2; rewrite++) {
		struct flow f = flow_of(form->family, rewrite);

		segment(&f, form->reply, bytes.p, bytes.n);
		for (size_t i = 0; i < f.wanted_n; i++)
			assert_true(f.wanted[i].port >= 1024 && f.wanted[i].dest == CTH_TO_OWN);
	}
}

static void every_truncation_is_lawful(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < N_OF(forms); i++)
		every_truncation(cth_span(forms[i].line, strlen(forms[i].line)), lawful, (void *)&forms[i]);
}

static void every_byte_value_at_every_place_is_lawful(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < N_OF(forms); i++)
		every_byte_value(cth_span(forms[i].line, strlen(forms[i].line)), lawful, (void *)&forms[i]);
}

/* With any byte of the address another it is a third party's, or unreadable. */
static void no_byte_value_makes_an_address_foreign_and_followed(void **unused)
{
	char line[] = "PORT 10,0,0,1,19,137\r\n";

	(void)unused;
	for (size_t i = 5; i < 13; i++) {
		for (unsigned v = 0; v < 256; v++) {
			struct flow f = flow_of(AF_INET, false);
			char was = line[i];

			if ((char)v == was || (i == 5 && v == ' '))
				continue;
			line[i] = (char)v;
			segment(&f, false, line, sizeof(line) - 1);
			if (f.wanted_n)
				fail_msg("%02x at %zu", v, i);
			line[i] = was;
		}
	}
}

static void any_state_is_borne(void **unused)
{
	uint32_t x = 1;

	(void)unused;
	for (int i = 0; i < 20000; i++) {
		const struct form *form = &forms[(unsigned)i % N_OF(forms)];
		struct flow f = flow_of(form->family, i & 1);

		f.once = true;
		for (size_t k = 0; k < CTH_STATE; k++) {
			x = x * 1103515245u + 12345u;
			f.state[k] = (uint8_t)(x >> 16);
		}
		f.seq[form->reply] = cth_be32(f.state + 4 * form->reply);
		segment(&f, form->reply, form->line, strlen(form->line));
	}
}

/* A state that was true but for one byte. */
static void assert_borne(const struct flow *f, bool reply, uint32_t seq, const char *text)
{
	static const uint8_t values[] = { 0, 1, 60, 61, 100, 255 };
	struct cth_view v = view_of(f, reply, seq, cth_span(text, strlen(text)));
	struct cth_decision d;

	for (size_t i = 8; v.body.n && i < CTH_STATE; i++) {
		uint8_t was = v.state[i];

		for (size_t k = 0; k < N_OF(values); k++) {
			v.state[i] = values[k];
			decide(f, &v, &d);
		}
		v.state[i] = was;
	}
}

static void a_state_with_one_byte_wrong_is_borne(void **unused)
{
	char text[256];

	(void)unused;
	for (size_t i = 0; i < 2 * N_OF(forms); i++) {
		const struct form *form = &forms[i / 2];
		size_t n = (size_t)snprintf(text, sizeof(text), "%0120d\n%s", 0, form->line);

		for (size_t at = 122; at <= n; at++) {
			struct flow f = flow_of(form->family, i & 1);
			uint32_t seq = f.seq[form->reply];

			f.once = true;
			segment(&f, form->reply, text, at);
			assert_borne(&f, form->reply, f.seq[form->reply], text + at);
			assert_borne(&f, form->reply, seq, text);
		}
	}
}

/* The kernel keeps the bytes, and may hand them to a machine of the other order. */
static void the_state_is_written_big_endian(void **unused)
{
	static const uint8_t should[CTH_STATE] = {
		0x01, 0x02, 0x03, 0x04 + 22, 0x05, 0x06, 0x07, 0x08 + 8, 0x9c, 0x41,
		16, 16 | 2 << 5, 0, 15, 0x13, 0x89, 0, 2, 0, 0,
	};
	struct flow f = flow_of(AF_INET, true);

	(void)unused;
	f.seq[0] = 0x01020304;
	f.seq[1] = 0x05060708;
	server(&f, "220 hi\r\n");
	client(&f, "PORT 10,0,0,1,19,137\r\n");
	assert_memory_equal(f.state, should, sizeof(should));
}

static void the_constants_are_those_of_ftp(void **unused)
{
	(void)unused;
	assert_string_equal(cth_proto_ftp.name, "ftp");
	assert_int_equal(cth_proto_ftp.port, 21);
	assert_int_equal(cth_proto_ftp.state_len, 32);
	assert_int_equal(cth_proto_ftp.l4[0], IPPROTO_TCP);
	assert_int_equal(cth_proto_ftp.l4[1], 0);
	assert_int_equal(cth_proto_ftp.classes[0].max, 1);
	assert_int_equal(cth_proto_ftp.classes[0].timeout, 300);
	assert_null(cth_proto_ftp.classes[1].name);
	assert_int_equal(cth_proto_ftp.lowest_port, 1024);
	assert_null(cth_proto_ftp.child);
}

/* The most that a packet can grow: three short ones, and the rest of one with one character. */
static void growth_is_the_true_maximum(void **unused)
{
	struct flow f = flow_of(AF_INET6, true);
	const char *text = "x|\nEPRT |2|::1|1|\nEPRT |2|::1|1|\nEPRT |2|::1|1|\n";

	(void)unused;
	f.self = "::1";
	f.public = "1111:2222:3333:4444:5555:6666:7777:8888";
	f.allow = CTH_ALLOW_LOW_PORTS;
	f.once = true;
	client(&f, "EPRT |2|:");
	f.out_n[0] = 0;
	client(&f, text);
	assert_int_equal(f.out_n[0] - strlen(text), cth_proto_ftp.growth);
}

/* Mistakes of other helpers, each in its own name. */

static void peer_commands_in_lower_case_are_missed(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	client(&f, "pOrT 10,0,0,1,19,137\r\n");
	assert_wanted(&f, PRIVATE);
	client(&f, "eprt |1|10.0.0.1|5002|\r\n");
	assert_wanted(&f, 5002);
}

static void peer_a_227_without_bracket_is_missed(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	server(&f, "227 Entering Passive Mode 198,51,100,7,19,137\r\n");
	assert_wanted(&f, PRIVATE);
}

static void peer_a_229_never_matches(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	client(&f, "EPSV\r\n");
	server(&f, "229 Entering Extended Passive Mode (|||5001|)\r\n");
	assert_wanted(&f, PRIVATE);
}

static void peer_eprt_is_ipv4_only(void **unused)
{
	struct flow f = flow_of(AF_INET6, false);

	(void)unused;
	client(&f, "EPRT |2|fd00::1|5001|\r\n");
	assert_wanted(&f, PRIVATE);
}

static void peer_a_command_that_is_split_is_missed(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	client(&f, "PORT 10,0");
	client(&f, ",0,1,19,137\r\n");
	assert_wanted(&f, PRIVATE);
}

static void peer_a_command_behind_another_in_its_segment_is_missed(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	client(&f, "TYPE I\r\nPORT 10,0,0,1,19,137\r\n");
	assert_wanted(&f, PRIVATE);
}

static void peer_the_byte_before_the_payload_is_read(void **unused)
{
	struct flow f = flow_of(AF_INET, false);
	uint8_t bytes[] = "\nX";
	struct cth_view v;
	struct cth_decision d;

	/* Nothing of the kind reaches a protocol; if it did, nothing would come of it. */
	(void)unused;
	client(&f, "NOOP\r\nNO");
	v = view_of(&f, false, f.seq[0], cth_span(bytes + 1, 0));
	decide(&f, &v, &d);
	assert_false(d.state_changed);
	client(&f, "PORT 10,0,0,1,19,137\r\n");
	assert_int_equal(f.wanted_n, 0);
}

static void peer_a_partial_match_is_dropped(void **unused)
{
	(void)unused;
	for (size_t n = 1; n < 22; n++) {
		struct flow f = flow_of(AF_INET, false);

		segment(&f, false, "PORT 10,0,0,1,19,137\r\n", n);
		assert_false(f.d.drop);
	}
}

static void peer_two_line_ends_are_remembered_and_no_more(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	for (int i = 0; i < 5; i++) {
		client(&f, "NOOP\r\n");
		server(&f, "200 ok\r\n");
	}
	client(&f, "PORT 10,0,0,1,19,137\r\n");
	assert_wanted(&f, PRIVATE);
}

static void peer_auth_is_invisible(void **unused)
{
	struct flow f = flow_of(AF_INET, false);

	(void)unused;
	client(&f, "AUTH TLS\r\n");
	server(&f, "234 go\r\n");
	assert_true(f.d.leave);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_followed),
		cmocka_unit_test(every_form_is_followed_after_other_lines),
		cmocka_unit_test(a_line_in_three_pieces_is_followed),
		cmocka_unit_test(a_line_in_three_pieces_is_rewritten_to_the_byte),
		cmocka_unit_test(a_line_byte_by_byte_is_followed),
		cmocka_unit_test(pieces_that_come_again_joined_are_rewritten_alike),
		cmocka_unit_test(a_line_that_comes_again_in_other_pieces_is_rewritten_alike),
		cmocka_unit_test(a_port_that_was_told_is_told_again),
		cmocka_unit_test(of_two_pieces_only_one_changes_its_length),
		cmocka_unit_test(a_split_announcement_keeps_the_port_of_its_first_part),
		cmocka_unit_test(without_a_port_nothing_is_cut_out),
		cmocka_unit_test(a_number_at_a_segments_end_may_go_on),
		cmocka_unit_test(a_sender_may_know_its_public_address),
		cmocka_unit_test(several_commands_in_a_segment_are_all_followed),
		cmocka_unit_test(more_announcements_than_a_decision_holds_are_noted),
		cmocka_unit_test(what_finds_no_place_to_be_rewritten_is_not_wanted),
		cmocka_unit_test(the_port_of_the_first_is_not_kept_for_the_second),
		cmocka_unit_test(both_sides_may_be_in_the_middle_of_a_verb),
		cmocka_unit_test(of_two_halves_the_first_is_followed),
		cmocka_unit_test(hostile_lines_open_nothing),
		cmocka_unit_test(hostile_lines_open_nothing_in_two_pieces),
		cmocka_unit_test(numbers_that_are_none_do_not_hide_those_that_are),
		cmocka_unit_test(nul_bytes_are_only_bytes),
		cmocka_unit_test(a_third_party_needs_leave),
		cmocka_unit_test(a_third_party_is_followed_again_after_other_lines),
		cmocka_unit_test(a_third_party_is_never_rewritten),
		cmocka_unit_test(a_third_party_that_was_rewritten_is_not_followed),
		cmocka_unit_test(leave_that_was_taken_back_holds_for_what_comes_again),
		cmocka_unit_test(what_was_rewritten_and_then_unreadable_comes_again_alike),
		cmocka_unit_test(low_ports_need_leave),
		cmocka_unit_test(ipv4_numbers_say_nothing_on_ipv6),
		cmocka_unit_test(ipv6_addresses_are_read_in_every_form),
		cmocka_unit_test(long_lines_are_followed_to_their_end),
		cmocka_unit_test(an_announcement_is_forgotten_when_it_is_long_past),
		cmocka_unit_test(the_other_sides_lines_make_it_no_older),
		cmocka_unit_test(an_overlapping_segment_is_read_from_where_it_is_new),
		cmocka_unit_test(a_retransmission_joined_with_new_commands_is_followed),
		cmocka_unit_test(several_announcements_sent_again_are_rewritten_alike),
		cmocka_unit_test(a_retransmission_is_believed_only_once),
		cmocka_unit_test(behind_a_gap_a_line_must_end_first),
		cmocka_unit_test(a_gap_in_an_announcement_loses_it),
		cmocka_unit_test(what_comes_late_into_a_gap_is_read_where_a_line_begins),
		cmocka_unit_test(what_comes_late_may_be_cut_and_joined),
		cmocka_unit_test(what_comes_late_and_is_not_followed_is_noted),
		cmocka_unit_test(a_servers_lines_that_passed_unseen_are_made_up_for),
		cmocka_unit_test(an_old_ack_heals_nothing),
		cmocka_unit_test(sequence_numbers_wrap),
		cmocka_unit_test(after_auth_and_234_nothing_is_read),
		cmocka_unit_test(auth_and_its_answer_may_come_in_pieces),
		cmocka_unit_test(after_a_refused_auth_all_goes_on),
		cmocka_unit_test(auth_in_several_steps_is_waited_for),
		cmocka_unit_test(without_auth_234_is_just_a_line),
		cmocka_unit_test(every_truncation_is_lawful),
		cmocka_unit_test(every_byte_value_at_every_place_is_lawful),
		cmocka_unit_test(no_byte_value_makes_an_address_foreign_and_followed),
		cmocka_unit_test(any_state_is_borne),
		cmocka_unit_test(a_state_with_one_byte_wrong_is_borne),
		cmocka_unit_test(the_state_is_written_big_endian),
		cmocka_unit_test(the_constants_are_those_of_ftp),
		cmocka_unit_test(growth_is_the_true_maximum),
		cmocka_unit_test(peer_commands_in_lower_case_are_missed),
		cmocka_unit_test(peer_a_227_without_bracket_is_missed),
		cmocka_unit_test(peer_a_229_never_matches),
		cmocka_unit_test(peer_eprt_is_ipv4_only),
		cmocka_unit_test(peer_a_command_that_is_split_is_missed),
		cmocka_unit_test(peer_a_command_behind_another_in_its_segment_is_missed),
		cmocka_unit_test(peer_the_byte_before_the_payload_is_read),
		cmocka_unit_test(peer_a_partial_match_is_dropped),
		cmocka_unit_test(peer_two_line_ends_are_remembered_and_no_more),
		cmocka_unit_test(peer_auth_is_invisible),
	};
	return RUN(tests);
}
