/* SPDX-License-Identifier: MIT */
/*
 * ftp.c - FTP: RFC 959, RFC 1123 part 4.1.2.6 (how servers write a 227), RFC 2428 (EPRT, EPSV),
 * RFC 2228 (AUTH, after which nothing can be read). Each side may announce where it will listen:
 *
 *     client                                   server
 *     PORT 132,235,1,2,24,131                  227 Entering Passive Mode (132,235,1,2,24,131)
 *          '----------------'                                             '----------------'
 *     EPRT |2|1080::8:800:200C:417A|5282|      229 Entering Extended Passive Mode (|||6446|)
 *             '------------------------'                                              '--'
 *
 * What is underlined, the numbers, is what NAT has to replace. Lines may be cut anywhere into
 * segments and are followed byte by byte, from nothing but the 32 bytes that the kernel keeps:
 *
 *       0        4        8        10       11       12    13     14     16         32
 *     +--------+--------+--------+--------+--------+-----+------+------+-----------+
 *     | next:  | next:  | public | stage: | stage: | sep | len  | port | address   |
 *     | client | server | port   | client | server |     |      |      |           |
 *     +--------+--------+--------+--------+--------+-----+------+------+-----------+
 *                                  |        '-- 3 bits: fate
 *                                  '-- 3 bits: announcement is the server's, asked, sealed
 *
 * One announcement has room in it: the one that is being read, from its first number (or
 * separator) on, and after that the last one. While its address is read, port tells how far.
 * When it is done the address is of no use, as it was the sender's own, and age and before take
 * its place; if it is a third party's, age takes that of the public port, as nothing is rewritten.
 * Behind those two there is room for the last gap: bytes that have not been here when later
 * ones were.
 *
 * Where the flow is translated and a segment ends amid the numbers, a port is chosen then, and each
 * segment gets as many bytes of the new text as it had of the old one; only the one with the byte
 * that ends the numbers gets longer or shorter, as all that is left goes there:
 *
 *     PORT 10,0,1,2,15 + 6,160 CRLF    -->    PORT 10,0,2,123, + 156,160 CRLF
 *
 * For the kernel keeps one position from which on it shifts a direction's sequence numbers: with
 * two such changes on their way, the first segment, sent again, would get a wrong one for ever. It
 * cannot be helped where the new text is shorter than what came before the end: then it ends early,
 * and the rest of the old one is cut out. Nor that, where it is longer and a segment before the
 * last is lost, the kernel holds the other side's SACK of the last, beyond all that it saw
 * sent, to be invalid: a router that does not drop that resets the flow. Holding back the first
 * part would have a client wait for its ACK for ever.
 *
 * A segment that is sent again is not read: what the last announcement was, and where, says
 * what to do with any piece of it. Not as before are: the first of several announcements that came
 * in one segment, whose port is chosen anew (and the sender's own first); all but the last, if
 * one of them was split or garbled, or a third party's is the last; any older one, which passes as
 * it is.
 *
 * What comes late, into a gap, is read if it goes on where reading stopped, at a line's start:
 * such as an announcement that a program before us had read, and died of. Not where the flow is
 * translated: bytes behind it have gone on already, with their numbers as if it had kept its
 * length.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include "../proto.h"

enum {
	FTP_NEXT        = 0,
	FTP_PUBLIC_PORT = 8,
	FTP_STAGE       = 10,
	FTP_SEPARATOR   = 12,
	FTP_LENGTH      = 13,
	FTP_PORT_AT     = 14,
	FTP_ADDRESS_AT  = 16,
	FTP_GAP_AT      = 20,
};

/* The longest numbers that are read; IPv6 takes 45 + 1 + 5, the rest is for zeros. */
#define FTP_LONGEST 60


/* What the next byte of a direction is, or may be, a part of. */
enum ftp_stage {
	FTP_UNSEEN,     /* no byte was seen yet */
	FTP_DULL,       /* rest of a line */
	FTP_SPACES,     /* PORT: in front of its numbers */
	FTP_SCAN,       /* 227: text in front of them */
	FTP_SKIP,       /* ... digits and commas that are none */
	FTP_OPENING,    /* EPRT: spaces, and the first separator */
	FTP_BRACKET,    /* 229: text in front of its bracket */
	FTP_FIRST,      /* ... and the first separator */
	/* An announcement is being read. */
	FTP_COMMAS,     /* PORT, 227 */
	FTP_PROTOCOL,   /* EPRT: 1 or 2 */
	FTP_PROTOCOL_END,
	FTP_ADDRESS,
	FTP_SECOND,     /* 229 */
	FTP_THIRD,
	FTP_PORT,       /* EPRT, 229 */
	/* A line's start; and after it FTP_VERB_MAX stages for each verb. */
	FTP_LINE = 16,
};

#define FTP_VERBS     3
#define FTP_VERB_MAX  5
#define FTP_STAGE_END (FTP_LINE + FTP_VERBS * FTP_VERB_MAX)

static const char ftp_verbs[2][FTP_VERBS][FTP_VERB_MAX + 1] = {
	{ "PORT ", "EPRT ", "AUTH " },
	{ "227 ", "229 ", "234" },
};

/* What has become of an announcement. */
enum ftp_fate {
	FTP_NOTHING, /* it is of no interest any more */
	FTP_READING,
	FTP_OWN,     /* followed */
	FTP_OTHER,   /* followed, to a third party */
	FTP_VOID,    /* rewritten before it could be told that it is not to be followed */
	FTP_FATES
};

struct ftp_told {
	uint8_t fate;         /* enum ftp_fate */
	bool reply;           /* it is the server's */
	uint8_t separator;    /* 0: commas */
	uint8_t length;       /* of the numbers, as text */
	uint8_t index;        /* progress in the address: numbers that are done, */
	uint8_t digits;       /* and digits of the one that is being read; in IPv6 */
	uint8_t gap, dots;    /* where "::" was, + 1; dots of an IPv4 address */
	bool colon;           /* after a single ':' */
	uint16_t port, public_port;
	uint16_t age;         /* bytes from the numbers' end to next */
	uint16_t before;      /* from the line of its segment's first announcement to the numbers */
	uint8_t address[16];
};

struct ftp_gap {
	uint32_t begin;
	uint16_t length;      /* 0: there is none */
	bool reply, line;     /* line: it begins where a line does */
};

struct ftp_state {
	struct ftp_gap gap;
	uint32_t next[2];     /* number of the first byte that was not read */
	uint8_t stage[2];     /* enum ftp_stage */
	bool asked, sealed;   /* AUTH; and the server agreed */
	struct ftp_told told;
};

struct ftp_run {
	const struct cth_view *v;
	struct cth_decision *d;
	struct ftp_state s;
	int32_t line;         /* where the line begins in body, -1 if not in it */
	int32_t first;        /* where the line of the first announcement does */
};

static bool ftp_is_reading(uint8_t stage)
{
	return stage >= FTP_COMMAS && stage <= FTP_PORT;
}

/* The state, from 32 bytes and back. */

static bool ftp_reads_address(const struct ftp_state *s)
{
	return s->told.fate == FTP_READING && s->stage[s->told.reply] != FTP_PORT;
}

static void ftp_load_progress(struct ftp_told *t)
{
	t->index = t->port & 15;
	t->digits = t->port >> 4 & 7;
	t->gap = t->port >> 7 & 15;
	t->dots = t->port >> 11 & 3;
	t->colon = t->port >> 13 & 1;
	t->port = 0;
}

static uint16_t ftp_progress(const struct ftp_told *t)
{
	return (uint16_t)(t->index | t->digits << 4 | t->gap << 7 | t->dots << 11 | t->colon << 13);
}

static uint8_t ftp_load_stage(const uint8_t *p)
{
	return (*p & 31) < FTP_STAGE_END ? *p & 31 : FTP_DULL;
}

static void ftp_load_told(struct ftp_told *t, const uint8_t *p)
{
	t->reply = p[FTP_STAGE] >> 5 & 1;
	t->fate = p[FTP_STAGE + 1] >> 5 < FTP_FATES ? p[FTP_STAGE + 1] >> 5 : FTP_NOTHING;
	t->separator = p[FTP_SEPARATOR];
	t->length = p[FTP_LENGTH];
	t->port = cth_be16(p + FTP_PORT_AT);
	if (t->fate == FTP_OTHER)
		t->age = cth_be16(p + FTP_PUBLIC_PORT);
	else
		t->public_port = cth_be16(p + FTP_PUBLIC_PORT);
	if (t->fate == FTP_OWN || t->fate == FTP_VOID) {
		t->age = cth_be16(p + FTP_ADDRESS_AT);
		t->before = cth_be16(p + FTP_ADDRESS_AT + 2);
	} else {
		memcpy(t->address, p + FTP_ADDRESS_AT, sizeof(t->address));
	}
}

/* Else the address is there. */
static bool ftp_has_room_for_gap(const struct ftp_told *t)
{
	return t->fate == FTP_NOTHING || t->fate == FTP_OWN || t->fate == FTP_VOID;
}

static struct ftp_state ftp_load(const uint8_t *p)
{
	struct ftp_state s = { .next = { cth_be32(p + FTP_NEXT), cth_be32(p + FTP_NEXT + 4) } };

	s.stage[0] = ftp_load_stage(p + FTP_STAGE);
	s.stage[1] = ftp_load_stage(p + FTP_STAGE + 1);
	s.asked = p[FTP_STAGE] >> 6 & 1;
	s.sealed = p[FTP_STAGE] >> 7 & 1;
	ftp_load_told(&s.told, p);
	if (ftp_reads_address(&s))
		ftp_load_progress(&s.told);
	if (ftp_has_room_for_gap(&s.told)) {
		s.gap.begin = cth_be32(p + FTP_GAP_AT);
		s.gap.length = cth_be16(p + FTP_GAP_AT + 4);
		s.gap.reply = p[FTP_GAP_AT + 6] & 1;
		s.gap.line = p[FTP_GAP_AT + 6] >> 1 & 1;
	}
	return s;
}

static void ftp_store_told(const struct ftp_told *t, uint16_t port, uint8_t *p)
{
	p[FTP_SEPARATOR] = t->separator;
	p[FTP_LENGTH] = t->length;
	cth_store_be16(p + FTP_PORT_AT, port);
	cth_store_be16(p + FTP_PUBLIC_PORT, t->fate == FTP_OTHER ? t->age : t->public_port);
	if (t->fate == FTP_OWN || t->fate == FTP_VOID) {
		cth_store_be16(p + FTP_ADDRESS_AT, t->age);
		cth_store_be16(p + FTP_ADDRESS_AT + 2, t->before);
	} else {
		memcpy(p + FTP_ADDRESS_AT, t->address, sizeof(t->address));
	}
}

static void ftp_store(const struct ftp_state *s, struct cth_decision *d)
{
	const struct ftp_told *t = &s->told;
	uint8_t p[CTH_STATE] = { 0 };

	cth_store_be32(p + FTP_NEXT, s->next[0]);
	cth_store_be32(p + FTP_NEXT + 4, s->next[1]);
	p[FTP_STAGE] = (uint8_t)(s->stage[0] | t->reply << 5 | s->asked << 6 | s->sealed << 7);
	p[FTP_STAGE + 1] = (uint8_t)(s->stage[1] | t->fate << 5);
	if (t->fate != FTP_NOTHING)
		ftp_store_told(t, ftp_reads_address(s) ? ftp_progress(t) : t->port, p);
	if (ftp_has_room_for_gap(t) && s->gap.length) {
		cth_store_be32(p + FTP_GAP_AT, s->gap.begin);
		cth_store_be16(p + FTP_GAP_AT + 4, s->gap.length);
		p[FTP_GAP_AT + 6] = (uint8_t)(s->gap.reply | s->gap.line << 1);
	}
	if (memcmp(p, d->state, sizeof(p)) == 0)
		return;
	memcpy(d->state, p, sizeof(p));
	d->state_changed = true;
}

/* Characters. */

static bool ftp_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static uint8_t ftp_upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

static int ftp_hex(uint8_t c)
{
	c = ftp_upper(c);
	if (ftp_is_digit(c))
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 2428 allows any that is printed; one that numbers are made of would be read as such, and
   with "((" it is the second that counts. */
static bool ftp_may_separate(uint8_t c)
{
	return c > ' ' && c < 127 && ftp_hex(c) < 0 && c != '.' && c != ':' && c != '(';
}

/* Addresses as text, character by character: false, c is none of it. */

static bool ftp_octet(uint8_t *octet, uint8_t *digits, uint8_t c)
{
	unsigned value = *octet * 10u + (c - '0');

	if (!ftp_is_digit(c) || *digits == 3 || value > 255)
		return false;
	*octet = (uint8_t)value;
	++*digits;
	return true;
}

static bool ftp_octets(struct ftp_told *t, uint8_t c, char between, unsigned count)
{
	if (t->index >= count)
		return false;
	if (c != between)
		return ftp_octet(&t->address[t->index], &t->digits, c);
	if (!t->digits || t->index + 1u == count)
		return false;
	t->index++;
	t->digits = 0;
	return true;
}

static bool ftp_octets_complete(const struct ftp_told *t, unsigned count)
{
	return t->index + 1u == count && t->digits;
}

static bool ftp_ip6_colon(struct ftp_told *t)
{
	if (t->dots)
		return false;
	if (t->digits) {
		t->index++;
		t->digits = 0;
		t->colon = true;
	} else if (t->colon && !t->gap) {
		t->gap = (uint8_t)(t->index + 1);
		t->colon = false;
	} else if (!t->colon && !t->gap && t->index == 0) {
		t->colon = true;
	} else {
		return false;
	}
	return true;
}

/* The group was read as hexadecimal; it was decimal, as now turns out. */
static bool ftp_ip6_dot(struct ftp_told *t)
{
	uint8_t *group = t->address + 2 * t->index;
	unsigned value = group[0] * 100u + (group[1] >> 4) * 10u + (group[1] & 15);

	if (!t->digits || t->dots == 3)
		return false;
	if (!t->dots) {
		if (group[0] > 9 || group[1] >> 4 > 9 || (group[1] & 15) > 9 || value > 255)
			return false;
		group[0] = (uint8_t)value;
		group[1] = 0;
	}
	t->dots++;
	t->digits = 0;
	return true;
}

static bool ftp_ip6_digit(struct ftp_told *t, uint8_t c)
{
	uint8_t *group = t->address + 2 * t->index;
	int digit = ftp_hex(c);

	if (digit < 0 || t->digits == 4 || (t->colon && t->index == 0))
		return false;
	t->colon = false;
	t->digits++;
	cth_store_be16(group, (uint16_t)(cth_be16(group) << 4 | digit));
	return true;
}

static bool ftp_ip6(struct ftp_told *t, uint8_t c)
{
	if (c == ':')
		return ftp_ip6_colon(t);
	if (t->index > 7 || ((t->dots || c == '.') && t->index > 6))
		return false;
	if (c == '.')
		return ftp_ip6_dot(t);
	if (t->dots)
		return ftp_octet(&t->address[2 * t->index + t->dots], &t->digits, c);
	return ftp_ip6_digit(t, c);
}

/* Spreads what was read around the gap. */
static bool ftp_ip6_complete(struct ftp_told *t)
{
	size_t groups = t->index + (t->dots ? 2u : t->digits ? 1u : 0u);
	size_t gap, tail;

	if (t->colon || (t->dots && (t->dots != 3 || !t->digits)))
		return false;
	if (!t->gap)
		return groups == 8;
	gap = 2 * (t->gap - 1u);
	if (groups > 7 || gap > 2 * groups)
		return false;
	tail = 2 * groups - gap;
	memmove(t->address + 16 - tail, t->address + gap, tail);
	memset(t->address + gap, 0, 16 - tail - gap);
	return true;
}

static bool ftp_address(struct ftp_run *r, uint8_t c)
{
	return r->v->self.family == AF_INET ? ftp_octets(&r->s.told, c, '.', 4) :
					      ftp_ip6(&r->s.told, c);
}

static bool ftp_address_complete(struct ftp_run *r)
{
	return r->v->self.family == AF_INET ? ftp_octets_complete(&r->s.told, 4) :
					      ftp_ip6_complete(&r->s.told);
}

/* What comes of an announcement. */

/* Offsets in body; below 0, or beyond it, for what is in other segments. */
static int32_t ftp_next(const struct ftp_run *r)
{
	return (int32_t)(r->s.next[r->v->reply] - r->v->seq);
}

static int32_t ftp_numbers_end(const struct ftp_run *r)
{
	return ftp_next(r) - r->s.told.age;
}

static int32_t ftp_numbers(const struct ftp_run *r)
{
	return ftp_numbers_end(r) - r->s.told.length;
}

static enum cth_form ftp_form(const struct ftp_told *t)
{
	if (!t->separator)
		return CTH_FORM_COMMAS;
	return t->reply ? CTH_FORM_PORT : CTH_FORM_ADDRESS_PORT;
}

static struct cth_addr ftp_told_address(const struct ftp_run *r)
{
	struct cth_addr a = { .family = r->v->self.family };

	memcpy(a.b, r->s.told.address, a.family == AF_INET ? 4 : 16);
	return a;
}

/* The expectation; or, not followed (yet), only a port to be told. */
static struct cth_wanted *ftp_want(struct ftp_run *r, bool followed)
{
	struct ftp_told *t = &r->s.told;
	struct cth_wanted *w = cth_want(r->v, r->d);

	if (!w)
		return NULL;
	if (t->fate == FTP_OWN || t->fate == FTP_OTHER)
		w->port = t->port;
	if (!followed)
		w->flags = CTH_WANT_PORT_ONLY;
	if (t->fate == FTP_OTHER) {
		w->dest = CTH_TO_OTHER;
		w->address = ftp_told_address(r);
	} else {
		w->public_port = t->public_port;
	}
	return w;
}

/* The text in place of numbers. Where there is no room for it, nothing is to be expected. */
static bool ftp_announce(struct ftp_run *r, struct cth_wanted *w, int32_t begin, int32_t end)
{
	const struct ftp_told *t = &r->s.told;
	int32_t n = (int32_t)r->v->body.n, at = begin > 0 ? begin : 0, stop = end < n ? end : n;
	struct cth_announced *a = &r->d->announced[r->d->announced_n];

	if (!cth_announce(r->d, w, (size_t)at, (size_t)(stop - at), ftp_form(t),
			  (char)t->separator)) {
		r->d->wanted_n--;
		return false;
	}
	a->from = (uint8_t)(at - begin);
	a->more = end >= n; /* what ended the numbers is not in here */
	if (!a->from)
		w->note_at = FTP_PUBLIC_PORT;
	return true;
}

/* Says what is to come of the announcement, as far as it is in this segment. */
static void ftp_tell(struct ftp_run *r)
{
	struct ftp_told *t = &r->s.told;
	int32_t n = (int32_t)r->v->body.n, begin = ftp_numbers(r), end = ftp_numbers_end(r);
	bool rewrite = r->v->rewrite && t->fate != FTP_OTHER;
	bool followed = end < n && (t->fate == FTP_OWN || t->fate == FTP_OTHER);
	bool text = rewrite && (begin >= 0 || t->public_port);
	struct cth_wanted *w = NULL;

	if (begin >= n || end < 0 || t->length == 0)
		return;
	if (followed || text) {
		w = ftp_want(r, followed);
		if (!w || (text && !ftp_announce(r, w, begin, end)))
			cth_note(r->d, CTH_NOTE_UNFOLLOWED);
	}
}

/* It was read: may it be followed? */
static enum ftp_fate ftp_judge(struct ftp_run *r)
{
	struct ftp_told *t = &r->s.told;
	struct cth_addr a = ftp_told_address(r);

	if (t->port == 0) {
		cth_note(r->d, CTH_NOTE_GARBLED);
	} else if (!cth_port_is_allowed(r->v, t->port)) {
		cth_note(r->d, CTH_NOTE_LOW_PORT);
	} else if (ftp_form(t) == CTH_FORM_PORT || cth_addr_equal(&a, &r->v->self) ||
		   cth_addr_equal(&a, &r->v->self_public)) {
		if (!r->v->rewrite || t->public_port || ftp_numbers(r) >= 0)
			return FTP_OWN;
		cth_note(r->d, CTH_NOTE_UNFOLLOWED);
	} else if ((r->v->allow & CTH_ALLOW_FOREIGN) && !t->public_port) {
		return FTP_OTHER;
	} else {
		cth_note(r->d, CTH_NOTE_FOREIGN);
	}
	return t->public_port ? FTP_VOID : FTP_NOTHING;
}

/* For when this segment is sent again: where its announcements begin. */
static void ftp_remember_first(struct ftp_run *r)
{
	int32_t before = ftp_numbers(r) - r->first;

	if (r->first < 0)
		r->first = r->line;
	else if (before <= UINT16_MAX)
		r->s.told.before = (uint16_t)before;
}

static void ftp_complete(struct ftp_run *r, unsigned port)
{
	r->s.told.port = (uint16_t)port;
	r->s.told.fate = (uint8_t)ftp_judge(r);
	r->s.stage[r->v->reply] = FTP_DULL;
	if (r->s.told.fate == FTP_NOTHING)
		return;
	ftp_remember_first(r);
	ftp_tell(r);
}

/* The state keeps the port of one announcement: those of the others so far go nowhere. */
static void ftp_drop_ports(struct cth_decision *d)
{
	for (size_t i = 0; i < d->wanted_n; i++)
		d->wanted[i].note_at = CTH_NOWHERE;
}

/* An announcement takes the place of the last one; not while the other side's is half read. */
static bool ftp_begin(struct ftp_run *r, uint8_t separator)
{
	struct ftp_told *t = &r->s.told;

	if (t->fate == FTP_READING && t->reply != r->v->reply) {
		cth_note(r->d, CTH_NOTE_UNFOLLOWED);
		r->s.stage[r->v->reply] = FTP_DULL;
		return false;
	}
	ftp_drop_ports(r->d);
	*t = (struct ftp_told){ .fate = FTP_READING, .reply = r->v->reply, .separator = separator };
	return true;
}

/* What was read is no announcement, as c shows. In a reply there may be one further on. */
static void ftp_give_up(struct ftp_run *r, uint8_t c)
{
	struct ftp_told *t = &r->s.told;
	uint8_t *stage = &r->s.stage[r->v->reply];

	t->fate = t->public_port ? FTP_VOID : FTP_NOTHING;
	if (t->fate == FTP_VOID)
		ftp_tell(r);
	if (!r->v->reply) {
		cth_note(r->d, CTH_NOTE_GARBLED);
		*stage = FTP_DULL;
	} else if (*stage == FTP_COMMAS) {
		*stage = ftp_is_digit(c) || c == ',' ? FTP_SKIP : FTP_SCAN;
	} else {
		*stage = c == '(' ? FTP_FIRST : FTP_BRACKET;
	}
}

/* The automaton: each of these takes one byte. */

static void ftp_commas(struct ftp_run *r, uint8_t c)
{
	struct ftp_told *t = &r->s.told;
	bool ends = r->v->reply || c == '\r' || c == '\n' || c == ' ';

	if (t->length < FTP_LONGEST && ftp_octets(t, c, ',', 6))
		t->length++;
	else if (ftp_octets_complete(t, 6) && ends && !ftp_is_digit(c))
		ftp_complete(r, cth_be16(t->address + 4));
	else
		ftp_give_up(r, c);
}

static void ftp_commas_begin(struct ftp_run *r, uint8_t c)
{
	uint8_t *stage = &r->s.stage[r->v->reply];

	if (r->v->self.family != AF_INET) {
		cth_note(r->d, CTH_NOTE_GARBLED);
		*stage = FTP_DULL;
	} else if (ftp_begin(r, 0)) {
		*stage = FTP_COMMAS;
		ftp_commas(r, c);
	}
}

static void ftp_separator(struct ftp_run *r, uint8_t c, enum ftp_stage then)
{
	if (!ftp_begin(r, c))
		return;
	if (ftp_may_separate(c))
		r->s.stage[r->v->reply] = (uint8_t)then;
	else
		ftp_give_up(r, c);
}

static void ftp_just(struct ftp_run *r, uint8_t c, uint8_t awaited, enum ftp_stage then)
{
	if (c == awaited)
		r->s.stage[r->v->reply] = (uint8_t)then;
	else
		ftp_give_up(r, c);
}

static void ftp_address_byte(struct ftp_run *r, uint8_t c)
{
	struct ftp_told *t = &r->s.told;

	if (t->length == FTP_LONGEST ||
	    (c != t->separator ? !ftp_address(r, c) : !ftp_address_complete(r))) {
		ftp_give_up(r, c);
		return;
	}
	t->length++;
	if (c == t->separator)
		r->s.stage[r->v->reply] = FTP_PORT;
}

static void ftp_port_byte(struct ftp_run *r, uint8_t c)
{
	struct ftp_told *t = &r->s.told;
	unsigned port = t->port * 10u + (c - '0');

	if (c == t->separator) {
		ftp_complete(r, t->port);
	} else if (ftp_is_digit(c) && port <= UINT16_MAX && t->length < FTP_LONGEST) {
		t->port = (uint16_t)port;
		t->length++;
	} else {
		ftp_give_up(r, c);
	}
}

/* The verb with that number was read whole. */
static void ftp_command(struct ftp_run *r, size_t verb)
{
	static const uint8_t then[2][FTP_VERBS] = {
		{ FTP_SPACES, FTP_OPENING, FTP_DULL },
		{ FTP_SCAN, FTP_BRACKET, FTP_DULL },
	};
	struct ftp_state *s = &r->s;
	bool reply = r->v->reply;

	s->stage[reply] = then[reply][verb];
	if (verb == 2 && !reply) {
		s->asked = true;
	} else if (verb == 2 && s->asked) {
		s->sealed = true;
		r->d->leave = true;
		cth_note(r->d, CTH_NOTE_SEALED);
	}
}

/* One step on in a verb; "22" may yet become any of two. */
static void ftp_verb(struct ftp_run *r, uint8_t c)
{
	const char (*verbs)[FTP_VERB_MAX + 1] = ftp_verbs[r->v->reply];
	uint8_t *stage = &r->s.stage[r->v->reply];
	unsigned so_far = (unsigned)*stage - FTP_LINE;
	unsigned now = so_far / FTP_VERB_MAX, done = so_far % FTP_VERB_MAX;

	if (done == 0 && r->v->reply && (c == '4' || c == '5'))
		r->s.asked = false; /* refused; others may answer a command before AUTH */
	for (size_t i = 0; i < FTP_VERBS; i++) {
		char next = verbs[i][done];

		if (!next || (uint8_t)next != ftp_upper(c) ||
		    memcmp(verbs[i], verbs[now], done) != 0)
			continue;
		if (verbs[i][done + 1])
			*stage = (uint8_t)(FTP_LINE + i * FTP_VERB_MAX + done + 1);
		else
			ftp_command(r, i);
		return;
	}
	*stage = FTP_DULL;
}

static void ftp_step(struct ftp_run *r, uint8_t c)
{
	struct ftp_told *t = &r->s.told;
	uint8_t *stage = &r->s.stage[r->v->reply];

	switch (*stage) {
	case FTP_DULL:
		break;
	case FTP_SPACES:
		if (c != ' ')
			ftp_commas_begin(r, c);
		break;
	case FTP_SCAN:
		if (ftp_is_digit(c))
			ftp_commas_begin(r, c);
		break;
	case FTP_SKIP:
		if (!ftp_is_digit(c) && c != ',')
			*stage = FTP_SCAN;
		break;
	case FTP_COMMAS:
		ftp_commas(r, c);
		break;
	case FTP_OPENING:
		if (c != ' ')
			ftp_separator(r, c, FTP_PROTOCOL);
		break;
	case FTP_PROTOCOL:
		ftp_just(r, c, r->v->self.family == AF_INET ? '1' : '2', FTP_PROTOCOL_END);
		break;
	case FTP_PROTOCOL_END:
		ftp_just(r, c, t->separator, FTP_ADDRESS);
		break;
	case FTP_ADDRESS:
		ftp_address_byte(r, c);
		break;
	case FTP_PORT:
		ftp_port_byte(r, c);
		break;
	case FTP_BRACKET:
		if (c == '(')
			*stage = FTP_FIRST;
		break;
	case FTP_FIRST:
		ftp_separator(r, c, FTP_SECOND);
		break;
	case FTP_SECOND:
		ftp_just(r, c, t->separator, FTP_THIRD);
		break;
	case FTP_THIRD:
		ftp_just(r, c, t->separator, FTP_PORT);
		break;
	default:
		ftp_verb(r, c);
	}
}

/* Segments. */

/* The last announcement gets older, and too old in the end. */
static void ftp_advance(struct ftp_state *s, bool reply, uint32_t n)
{
	struct ftp_told *t = &s->told;

	s->next[reply] += n;
	if (t->reply != reply || t->fate < FTP_OWN)
		return;
	if (n > (uint32_t)UINT16_MAX - t->age)
		t->fate = FTP_NOTHING;
	else
		t->age = (uint16_t)(t->age + n);
}

static void ftp_byte(struct ftp_run *r, uint8_t c)
{
	uint8_t *stage = &r->s.stage[r->v->reply];

	if (*stage == FTP_LINE)
		r->line = ftp_next(r);
	ftp_step(r, c);
	if (c == '\n') {
		if (*stage == FTP_SCAN || *stage == FTP_BRACKET)
			cth_note(r->d, CTH_NOTE_GARBLED);
		*stage = FTP_LINE;
	}
	ftp_advance(&r->s, r->v->reply, 1);
}

/* Of the rest of a line only its end matters: how many bytes are in front of that. */
static uint32_t ftp_dull(const struct ftp_run *r, int32_t at, int32_t end)
{
	const uint8_t *from = r->v->body.p + at, *newline;

	if (r->s.stage[r->v->reply] != FTP_DULL)
		return 0;
	newline = memchr(from, '\n', (size_t)(end - at));
	return newline ? (uint32_t)(newline - from) : (uint32_t)(end - at);
}

/* All that is new, up to end. */
static void ftp_read(struct ftp_run *r, int32_t end)
{
	int32_t at;

	while ((at = ftp_next(r)) < end && !r->s.sealed) {
		uint32_t dull = ftp_dull(r, at, end);

		if (dull)
			ftp_advance(&r->s, r->v->reply, dull);
		else
			ftp_byte(r, r->v->body.p[at]);
	}
	if (r->s.told.fate == FTP_READING && r->s.told.reply == r->v->reply)
		ftp_tell(r);
}

/* The last announcement, and those in front of it in its segment, if they are sent again. */
static void ftp_again(struct ftp_run *r)
{
	struct ftp_run former = { r->v, r->d, { .next = { 0 } }, -1, -1 };
	const struct ftp_told *t = &r->s.told;
	int32_t n = (int32_t)r->v->body.n, numbers = ftp_numbers(r), first = numbers - t->before;

	if (t->reply != r->v->reply || t->fate < FTP_OWN)
		return;
	if (t->before && first >= 0) {
		former.s.stage[r->v->reply] = FTP_LINE;
		former.s.next[r->v->reply] = r->v->seq + (uint32_t)first;
		ftp_read(&former, numbers < n ? numbers : n);
		ftp_drop_ports(r->d);
	}
	ftp_tell(r);
}

static void ftp_note_gap(struct ftp_state *s, bool reply, uint32_t end)
{
	uint32_t length = end - s->next[reply];

	s->gap = (struct ftp_gap){ s->next[reply], 0, reply, s->stage[reply] == FTP_LINE };
	if (length <= UINT16_MAX)
		s->gap.length = (uint16_t)length;
}

/*
 * Bytes were not seen, up to end: to is the next that will be, and line tells whether a line starts
 * there.
 */
static void ftp_lose(struct ftp_run *r, bool reply, uint32_t end, uint32_t to, bool line)
{
	struct ftp_state *s = &r->s;

	ftp_note_gap(s, reply, end);
	if (s->stage[reply] > FTP_DULL && s->stage[reply] < FTP_LINE)
		cth_note(r->d, CTH_NOTE_UNFOLLOWED);
	if (s->told.fate == FTP_READING && s->told.reply == reply)
		s->told.fate = FTP_NOTHING;
	s->stage[reply] = line ? FTP_LINE : FTP_DULL;
	ftp_advance(s, reply, to - s->next[reply]);
}

static bool ftp_ends_line(struct cth_span body)
{
	return body.n > 0 && body.p[body.n - 1] == '\n';
}

/* A segment behind a gap is not read: does it begin like an announcement? */
static bool ftp_looks_announcing(const struct cth_view *v)
{
	for (size_t i = 0; i < 2; i++) {
		const char *verb = ftp_verbs[v->reply][i];
		size_t n = 0;

		while (verb[n] && n < v->body.n && (uint8_t)verb[n] == ftp_upper(v->body.p[n]))
			n++;
		if (!verb[n])
			return true;
	}
	return false;
}

/*
 * Told, if it is the last one that was; and what has been read does not fall into the gap any
 * more.
 */
static void ftp_take_late(struct ftp_run *r, const struct ftp_run *late)
{
	bool reply = r->v->reply;
	uint32_t n = late->s.next[reply] - r->s.gap.begin, more = r->s.next[reply] - late->s.next[reply];

	r->s.asked = late->s.asked;
	r->s.sealed = late->s.sealed;
	if (r->s.told.fate == FTP_NOTHING && late->s.told.fate >= FTP_OWN &&
	    more <= (uint32_t)UINT16_MAX - late->s.told.age) {
		r->s.told = late->s.told;
		r->s.told.age = (uint16_t)(r->s.told.age + more);
	}
	r->s.gap.begin += n;
	r->s.gap.length = (uint16_t)(r->s.gap.length - n);
	if (late->s.stage[reply] != FTP_LINE)
		r->s.gap.length = 0;
}

/* A segment that falls into the gap. */
static void ftp_late(struct ftp_run *r)
{
	const struct cth_view *v = r->v;
	const struct ftp_gap *gap = &r->s.gap;
	struct ftp_run late = { v, r->d, r->s, -1, -1 };
	uint32_t n = (uint32_t)v->body.n;

	if (gap->length == 0 || gap->reply != v->reply || v->seq - gap->begin >= gap->length)
		return;
	if (v->seq != gap->begin || !gap->line || v->rewrite || r->s.told.fate == FTP_READING) {
		if (ftp_looks_announcing(v))
			cth_note(r->d, CTH_NOTE_UNFOLLOWED);
		r->s.gap.length = 0;
		return;
	}
	late.s.told = (struct ftp_told){ .fate = FTP_NOTHING };
	late.s.stage[v->reply] = FTP_LINE;
	late.s.next[v->reply] = v->seq;
	ftp_read(&late, (int32_t)(n < gap->length ? n : gap->length));
	if (late.s.told.fate == FTP_READING)
		cth_note(r->d, CTH_NOTE_UNFOLLOWED);
	ftp_take_late(r, &late);
}

static void ftp_segment(struct ftp_run *r)
{
	const struct cth_view *v = r->v;
	struct ftp_state *s = &r->s;

	if (s->stage[v->reply] == FTP_UNSEEN) {
		s->next[v->reply] = v->seq;
		s->stage[v->reply] = FTP_LINE;
	}
	if (ftp_next(r) < 0) {
		if (ftp_looks_announcing(v))
			cth_note(r->d, CTH_NOTE_UNFOLLOWED);
		ftp_lose(r, v->reply, v->seq, v->seq + (uint32_t)v->body.n, ftp_ends_line(v->body));
		return;
	}
	ftp_again(r);
	ftp_late(r);
	ftp_read(r, (int32_t)v->body.n);
}

/*
 * The client gives a command after it has got a server's lines that were not seen here: so they are
 * complete, and the next one will be followed; or every transfer after an outage of the helper
 * would fail. A client that lies, and acknowledges half a line, can have the rest of it read as a
 * line: text that it made the server echo, at the very time when packets passed unseen. What it
 * gains is a way from itself to a high port of that server, and no other. Not the other way round:
 * what a client announces opens the way to the client, so there must be no doubt where its lines
 * begin.
 */
static void ftp_heal(struct ftp_run *r)
{
	const struct cth_view *v = r->v;

	if (!v->reply && ftp_ends_line(v->body) && r->s.stage[1] != FTP_UNSEEN &&
	    (int32_t)(v->ack - r->s.next[1]) > 0)
		ftp_lose(r, true, v->ack, v->ack, true);
}

static bool ftp_is_allowed(const struct ftp_told *t, const struct cth_view *v)
{
	return cth_port_is_allowed(v, t->port) &&
	       (t->fate != FTP_OTHER || v->allow & CTH_ALLOW_FOREIGN);
}

/* What is kept may be odd, or from before the operator changed his mind. */
static void ftp_forget_odd(struct ftp_state *s, const struct cth_view *v)
{
	struct ftp_told *t = &s->told;

	if ((t->fate == FTP_READING && !ftp_is_reading(s->stage[t->reply])) ||
	    t->length > FTP_LONGEST ||
	    (t->public_port && (!v->rewrite || !cth_port_is_allowed(v, t->public_port))) ||
	    (t->separator ? !ftp_may_separate(t->separator) : v->self.family != AF_INET))
		t->fate = FTP_NOTHING;
	for (size_t i = 0; i < 2; i++)
		if (ftp_is_reading(s->stage[i]) && (t->fate != FTP_READING || t->reply != i))
			s->stage[i] = FTP_DULL;
	if ((t->fate == FTP_OWN || t->fate == FTP_OTHER) && !ftp_is_allowed(t, v))
		t->fate = FTP_NOTHING;
}

static void ftp_decide(const struct cth_view *v, struct cth_decision *d)
{
	struct ftp_run r = { v, d, ftp_load(v->state), -1, -1 };

	if (r.s.sealed) {
		d->leave = true;
		return;
	}
	ftp_forget_odd(&r.s, v);
	ftp_heal(&r);
	ftp_segment(&r);
	ftp_store(&r.s, d);
}

static const uint8_t ftp_l4[] = { IPPROTO_TCP, 0 };

const struct cth_proto cth_proto_ftp = {
	.name = "ftp",
	.l4 = ftp_l4,
	.port = 21,
	.state_len = CTH_STATE,
	.classes = { { "ftp", 1, 300 } },
	.wants_l4 = ftp_l4,
	.wants_source = CTH_FROM_PEER,
	.wants_dest = CTH_TO_OWN | CTH_TO_OTHER,
	.wants_flags = CTH_WANT_PORT_ONLY,
	.lowest_port = CTH_LOWEST_PORT,
	.announces = 1 << CTH_FORM_NONE | 1 << CTH_FORM_PORT | 1 << CTH_FORM_COMMAS |
		     1 << CTH_FORM_ADDRESS_PORT,
	.longest_text = FTP_LONGEST,
	.may = CTH_MAY_LEAVE,
	/* EPRT: an address of 39 and a port of 5 characters, three times for "::1|1", once for one
	   that ended, unreadable, after the one character that the segment before has. */
	.growth = 3 * (45 - 5) + (45 - 1),
	.decide = ftp_decide,
};
