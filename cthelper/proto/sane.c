/* SPDX-License-Identifier: MIT */
/*
 * sane.c - the network protocol of SANE, Scanner Access Now Easy: the SANE standard, version 1,
 * chapter 5. An image comes over a connection of its own, to a port that the server tells:
 *
 *     client                                               server, port 6566
 *       ---- 7, handle ------------------------------------------>  SANE_NET_START
 *       <--- status, port, byte order, resource -------------------
 *            '----------' read here
 *       ---- a new connection ------------------------------------>  that port
 *
 *     +------+--------+         +--------+-------+------+------------+----------+
 *     | code | handle |         | status | 0 | P | byte order | resource        |
 *     +------+--------+         +--------+-------+------+------------+----------+
 *        4       4                  4      2   2        4        4, and its text
 *
 * Numbers are of four bytes, big-endian. If there is a resource, its use has to be authorised: port
 * is nothing then, and what the client says next is SANE_NET_AUTHORIZE, code 9, with the name of a
 * user. Behind the one number that answers this comes the first question's answer again.
 *
 * Client and server take turns, and nothing tells where one's ends but what is said. An option has
 * whatever value the client has given it, and the server repeats it: so that no piece of it passes
 * for SANE_NET_START's answer, all questions and answers are followed, word by word, from what the
 * kernel keeps:
 *
 *      0          4          8        12     14       16     19     21      23     26     27
 *     +----------+----------+--------+------+--------+------+------+-------+------+------+---
 *     | client's | server's | answer | port | public | left | many | inner | word | step | ...
 *     | next     | next     | begins | told | port   |      |      |       |      |      |
 *     +----------+----------+--------+------+--------+------+------+-------+------+------+---
 *     27 codes: being read, before | 28 flags, bytes of the word | 29 length of the question
 *
 *     next   number of the next byte | left: bytes to be passed | many: of an array's elements
 */
#include <netinet/in.h>
#include "../proto.h"

enum {
	SANE_NEXT     = 0,
	SANE_BEGINS   = 8,
	SANE_TOLD     = 12,
	SANE_PUBLIC   = 14,
	SANE_LEFT     = 16,
	SANE_MANY     = 19,
	SANE_INNER    = 21,
	SANE_WORD     = 23,
	SANE_STEP     = 26,
	SANE_CODES    = 27,
	SANE_FLAGS    = 28,
	SANE_QUESTION = 29,
	SANE_STATE    = 31,
};

enum {
	SANE_HAVE     = 3,      /* bytes of the word */
	SANE_BEGUN    = 1 << 2, /* the numbers are known */
	SANE_ANSWERS  = 1 << 3, /* it is the server's turn */
	SANE_STARTED  = 1 << 4, /* with an answer to SANE_NET_START, so far a good one */
	SANE_RESOURCE = 1 << 5, /* the answer has named one: that is to be authorised next */
	SANE_LOST     = 1 << 6, /* nobody knows any more who is to say what */
};

enum {
	SANE_OPEN      = 2,
	SANE_CONTROL   = 5,
	SANE_START     = 7,
	SANE_AUTHORIZE = 9,
	SANE_CODES_N   = 11,
	SANE_NO_CODE   = 15,
};

/*
 * What follows a code, and what answers it, by code.
 *
 *     #  the code                      (  an array's length, up to ) are its elements
 *     w  a word                        p  a pointer: but for 0 its element ends here
 *     s  a string                      c  kind of constraint: none, or a range, words, strings:
 *     o  what to do with an option     r  a pointer to three words      l  an array's length, of
 *     t  the type of its value         a  an array of words             i  strings
 *     v  its value, an array
 */
static const char *const sane_questions[SANE_CODES_N] = {
	"#ws", "#", "#s", "#w", "#w", "#wwotwv", "#w", "#w", "#w", "#sss", "#",
};

static const char *const sane_answers[SANE_CODES_N] = {
	"ww", "w(pssss)", "wws", "w", "(pssswwwwcrali)", "wwtwvs", "wwwwwww", "wwws", "w", "w", "",
};

enum { SANE_AUTO = 2 };            /* what to do: the option has no value then */
enum { SANE_TYPE_STRING = 3 };     /* below are words, beyond it values are empty */

#define SANE_TOLD_LEN 8u
#define SANE_PORT_AT  6u           /* in the answer: the word's lower half */
#define SANE_LEFT_MAX 0xffffffu
#define SANE_NAME_MAX 255u         /* bytes of a string in a question */

struct sane {
	const struct cth_view *v;
	struct cth_decision *d;
	uint32_t next[2], begins, left;
	uint16_t port, public, many, inner, question;
	uint8_t word[3], step, code, before, flags;
};

/* ---- state ---- */

static const char *sane_terms(const struct sane *s)
{
	if (s->code >= SANE_CODES_N)
		return "#";
	return s->flags & SANE_ANSWERS ? sane_answers[s->code] : sane_questions[s->code];
}

static void sane_lose(struct sane *s)
{
	if (!(s->flags & SANE_LOST))
		cth_note(s->d, CTH_NOTE_UNFOLLOWED);
	s->flags = SANE_BEGUN | SANE_LOST;
}

static void sane_load(struct sane *s)
{
	const uint8_t *p = s->v->state;

	s->next[0] = cth_be32(p + SANE_NEXT);
	s->next[1] = cth_be32(p + SANE_NEXT + 4);
	s->begins = cth_be32(p + SANE_BEGINS);
	s->port = cth_be16(p + SANE_TOLD);
	s->public = cth_be16(p + SANE_PUBLIC);
	s->left = (uint32_t)p[SANE_LEFT] << 16 | cth_be16(p + SANE_LEFT + 1);
	s->many = cth_be16(p + SANE_MANY);
	s->inner = cth_be16(p + SANE_INNER);
	memcpy(s->word, p + SANE_WORD, sizeof(s->word));
	s->step = p[SANE_STEP];
	s->code = p[SANE_CODES] >> 4;
	s->before = p[SANE_CODES] & 15;
	s->flags = p[SANE_FLAGS];
	s->question = cth_be16(p + SANE_QUESTION);
	if (!(s->flags & SANE_BEGUN))
		s->code = s->before = SANE_NO_CODE;
	if (s->step >= strlen(sane_terms(s)))
		s->flags |= SANE_LOST; /* no state of ours */
}

static void sane_store(const struct sane *s)
{
	uint8_t *p = s->d->state;

	cth_store_be32(p + SANE_NEXT, s->next[0]);
	cth_store_be32(p + SANE_NEXT + 4, s->next[1]);
	cth_store_be32(p + SANE_BEGINS, s->begins);
	cth_store_be16(p + SANE_TOLD, s->port);
	cth_store_be16(p + SANE_PUBLIC, s->public);
	p[SANE_LEFT] = (uint8_t)(s->left >> 16);
	cth_store_be16(p + SANE_LEFT + 1, (uint16_t)s->left);
	cth_store_be16(p + SANE_MANY, s->many);
	cth_store_be16(p + SANE_INNER, s->inner);
	memcpy(p + SANE_WORD, s->word, sizeof(s->word));
	p[SANE_STEP] = s->step;
	p[SANE_CODES] = (uint8_t)(s->code << 4 | s->before);
	p[SANE_FLAGS] = s->flags;
	cth_store_be16(p + SANE_QUESTION, s->question);
	s->d->state_changed = memcmp(p, s->v->state, CTH_STATE) != 0;
}

/* ---- turns ---- */

static void sane_answer_begins(struct sane *s)
{
	s->step = 0;
	s->flags |= SANE_ANSWERS;
	if (s->code != SANE_START)
		return;
	s->flags |= SANE_STARTED;
	s->begins = s->next[1];
	s->port = s->public = 0;
}

static void sane_question_begins(struct sane *s)
{
	s->flags &= (uint8_t)~SANE_ANSWERS;
	s->before = s->code;
	s->code = SANE_NO_CODE;
	s->step = 0;
}

/* Whose turn ends, and what comes next; behind an authorisation it is what it was for. */
static void sane_turn_ends(struct sane *s)
{
	if (s->flags & SANE_ANSWERS && s->code != SANE_AUTHORIZE) {
		sane_question_begins(s);
		return;
	}
	if (s->flags & SANE_ANSWERS)
		s->code = s->before;
	sane_answer_begins(s);
	if (*sane_terms(s) == 0)
		sane_question_begins(s);
}

/* Where a term is, which is there. */
static size_t sane_place(const char *terms, char term)
{
	size_t i = 0;

	while (terms[i] && terms[i] != term)
		i++;
	return i;
}

/* What is said next: of an array its next element, or what is behind it. */
static void sane_step(struct sane *s)
{
	const char *terms = sane_terms(s);

	s->step++;
	while (terms[s->step] == ')') {
		if (s->many > 1) {
			s->many--;
			s->step = (uint8_t)(sane_place(terms, '(') + 1);
		} else {
			s->step++;
		}
	}
	if (terms[s->step] == 0)
		sane_turn_ends(s);
}

/* ---- words ---- */

/* So many of so many bytes come next, and then what is behind the step. */
static void sane_pass(struct sane *s, uint32_t n, uint32_t each)
{
	if (n > SANE_LEFT_MAX / each)
		sane_lose(s);
	else if (n > 0)
		s->left = n * each;
	else
		sane_step(s);
}

/* To the step before this one of the terms, and on. */
static void sane_go_to(struct sane *s, char term)
{
	s->step = (uint8_t)(sane_place(sane_terms(s), term) - 1);
	sane_step(s);
}

static void sane_take_code(struct sane *s, uint32_t code)
{
	bool resource = s->flags & SANE_RESOURCE;

	s->flags &= (uint8_t)~(SANE_STARTED | SANE_RESOURCE);
	s->inner = 0;
	if (code >= SANE_CODES_N || (code == SANE_AUTHORIZE) != resource) {
		sane_lose(s);
		return;
	}
	s->code = (uint8_t)code;
	sane_step(s);
}

/* Of these answers the only string. */
static bool sane_has_resource(const struct sane *s)
{
	return s->code == SANE_OPEN || s->code == SANE_CONTROL || s->code == SANE_START;
}

/* The lengths of a question's last two are kept: see sane_ask_again(). */
static void sane_take_string(struct sane *s, uint32_t n)
{
	if (s->flags & SANE_ANSWERS) {
		if (n > 0 && sane_has_resource(s))
			s->flags |= SANE_RESOURCE;
	} else {
		s->inner = (uint16_t)((uint32_t)s->inner << 8 | (n & 0xff));
		if (n > SANE_NAME_MAX) {
			sane_lose(s);
			return;
		}
	}
	sane_pass(s, n, 1);
}

/* Small numbers, of which two cannot be mixed to make a third: see sane_ask_again(). */
static void sane_take_kind(struct sane *s, char term, uint32_t word)
{
	if (word > UINT8_MAX) {
		sane_lose(s);
		return;
	}
	if (term == 't')
		s->inner = (uint16_t)word;
	else if (word == SANE_AUTO)
		s->step += 3;
	sane_step(s);
}

/* n elements; where there are none, on behind them. */
static void sane_take_array(struct sane *s, uint16_t *count, uint32_t n)
{
	*count = (uint16_t)n;
	if (n > UINT16_MAX)
		sane_lose(s);
	else if (n > 0)
		sane_step(s);
	else
		sane_go_to(s, ')');
}

static void sane_take_constraint(struct sane *s, uint32_t kind)
{
	static const char terms[] = { ')', 'r', 'a', 'l' }; /* none, range, words, strings */

	if (kind < sizeof(terms))
		sane_go_to(s, terms[kind]);
	else
		sane_lose(s);
}

/* One of an array of strings. */
static void sane_take_element(struct sane *s, uint32_t n)
{
	if (s->inner > 1 && n == 0) {
		s->inner--;
		return;
	}
	sane_pass(s, n, 1);
}

static void sane_take_word(struct sane *s, uint32_t word)
{
	switch (sane_terms(s)[s->step]) {
	case '#':
		sane_take_code(s, word);
		break;
	case 's':
		sane_take_string(s, word);
		break;
	case 'o':
	case 't':
		sane_take_kind(s, sane_terms(s)[s->step], word);
		break;
	case 'v':
		if (s->inner > SANE_TYPE_STRING && word)
			sane_lose(s);
		else
			sane_pass(s, word, s->inner == SANE_TYPE_STRING ? 1 : 4);
		break;
	case '(':
		sane_take_array(s, &s->many, word);
		break;
	case 'p':
		word ? sane_go_to(s, ')') : sane_step(s);
		break;
	case 'c':
		sane_take_constraint(s, word);
		break;
	case 'r':
		word ? sane_go_to(s, ')') : sane_pass(s, 3, 4);
		break;
	case 'a':
		word ? sane_pass(s, word, 4) : sane_go_to(s, ')');
		break;
	case 'l':
		sane_take_array(s, &s->inner, word);
		break;
	case 'i':
		sane_take_element(s, word);
		break;
	default:
		sane_step(s);
	}
}

/* What was to be passed has gone by. */
static void sane_passed(struct sane *s)
{
	switch (sane_terms(s)[s->step]) {
	case 'r':
	case 'a':
		sane_go_to(s, ')');
		break;
	case 'i':
		if (s->inner > 1) {
			s->inner--;
			break;
		}
		/* fall through */
	default:
		sane_step(s);
	}
}

static void sane_take(struct sane *s, uint8_t b)
{
	uint8_t have = s->flags & SANE_HAVE;

	if (s->left > 0) {
		if (--s->left == 0)
			sane_passed(s);
	} else if (have < SANE_HAVE) {
		s->word[have] = b;
		s->flags++;
	} else {
		s->flags &= (uint8_t)~SANE_HAVE;
		sane_take_word(s, (uint32_t)cth_be16(s->word) << 16 | (uint32_t)s->word[2] << 8 | b);
	}
}

/* ---- what is told ---- */

/* The answer to SANE_NET_START: its status is 0 and the port's upper half too, or it has not. */
static void sane_tell(struct sane *s, uint8_t b)
{
	uint32_t at = s->next[1] - s->begins;

	if (!(s->flags & SANE_STARTED) || at >= SANE_TOLD_LEN)
		return;
	if (at >= SANE_PORT_AT) {
		s->port |= (uint16_t)(at == SANE_PORT_AT ? b << 8 : b);
	} else if (b) {
		s->flags &= (uint8_t)~SANE_STARTED;
		if (at >= 4)
			cth_note(s->d, CTH_NOTE_GARBLED);
	}
}

/*
 * Is the port one to be expected? Of the word's last two bytes the first alone says whether it is
 * high enough; of a lower one nothing is rewritten before it is known.
 */
static bool sane_is_port(struct sane *s, bool whole)
{
	if (!whole)
		return s->v->rewrite && s->port >= CTH_LOWEST_PORT;
	if (s->port == 0)
		return false; /* there is a resource */
	if (cth_port_is_allowed(s->v, s->port))
		return true;
	cth_note(s->d, CTH_NOTE_LOW_PORT);
	return false;
}

/* As much of the port as is here, at an offset; where it goes on, so does what was told of it. */
static void sane_announce(const struct cth_view *v, struct cth_decision *d, struct cth_wanted *w,
			  uint32_t at)
{
	bool first = at < v->body.n, last = at + 1 < v->body.n;
	struct cth_announced *a = &d->announced[d->announced_n];

	if (first && cth_announce(d, w, at, 1u + last, CTH_FORM_BINARY_PORT, 0)) {
		a->more = !last;
	} else if (last && w->public_port &&
		   cth_announce(d, w, at + 1, 1, CTH_FORM_BINARY_PORT, 0)) {
		a->from = 1;
	}
}

static void sane_expect(struct sane *s)
{
	const struct cth_view *v = s->v;
	uint32_t at = s->begins + SANE_PORT_AT - v->seq, told = s->next[1] - s->begins;
	bool whole = told >= SANE_TOLD_LEN;
	struct cth_wanted *w;

	if (!(s->flags & SANE_STARTED) || told <= SANE_PORT_AT ||
	    (at >= v->body.n && at + 1 >= v->body.n) || !sane_is_port(s, whole))
		return;
	w = cth_want(v, s->d);
	if (!w)
		return;
	w->port = whole ? s->port : 0;
	w->flags = whole ? 0 : CTH_WANT_PORT_ONLY;
	w->public_port = cth_told_port(v, s->public);
	w->note_at = SANE_PUBLIC;
	if (v->rewrite)
		sane_announce(v, s->d, w, at);
}

/* ---- segments ---- */

/* Who goes on when his turn is over has begun another's, or has not been understood. */
static void sane_read(struct sane *s, size_t at)
{
	uint8_t turn = s->v->reply ? SANE_ANSWERS : 0;

	for (; at < s->v->body.n && !(s->flags & SANE_LOST); at++) {
		if ((s->flags & SANE_ANSWERS) != turn) {
			sane_lose(s);
			return;
		}
		if (turn)
			sane_tell(s, s->v->body.p[at]);
		s->next[s->v->reply]++;
		sane_take(s, s->v->body.p[at]);
	}
}

static bool sane_is_at_start(const struct sane *s)
{
	return s->step == 0 && s->left == 0 && !(s->flags & SANE_HAVE);
}

/*
 * A question that had its segment for itself, and is not answered yet, sent again. The server may
 * get the one or the other, or a piece of each: so it has to be as long, and to have the same
 * lengths in it, by its code, type and strings.
 */
static void sane_ask_again(struct sane *s)
{
	struct sane once = *s;

	s->next[0] = s->v->seq;
	s->flags &= (uint8_t)~SANE_ANSWERS;
	if (once.code == SANE_AUTHORIZE)
		s->flags |= SANE_RESOURCE;
	s->code = SANE_NO_CODE;
	sane_read(s, 0);
	if (s->code != once.code || s->inner != once.inner || !(s->flags & SANE_ANSWERS))
		sane_lose(s);
}

/*
 * Was all up to end read before, and by the server, too? Of a question he has it when he begins to
 * answer; of the first one nobody knows what was before.
 */
static bool sane_is_known(const struct sane *s, uint32_t end)
{
	bool answers = s->flags & SANE_ANSWERS, midst = !sane_is_at_start(s);
	uint32_t known = s->next[0] - (answers && !midst ? s->question : 0);

	if (s->before == SANE_NO_CODE || (answers ? !midst && !s->question : midst))
		return false;
	return (int32_t)(end - known) <= 0;
}

/*
 * The client may send bytes that the server does not get, and others with their numbers; or bytes
 * that are not read here, behind a gap. Neither is followed.
 */
static void sane_question(struct sane *s)
{
	const struct cth_view *v = s->v;
	uint32_t n = (uint32_t)v->body.n;

	if (!(s->flags & SANE_BEGUN)) {
		s->flags = SANE_BEGUN;
		s->next[0] = v->seq;
		s->next[1] = v->ack;
	}
	if (sane_is_known(s, v->seq + n))
		return;
	if (s->flags & SANE_ANSWERS && sane_is_at_start(s) && n == s->question &&
	    v->seq == s->next[0] - n) {
		sane_ask_again(s);
		return;
	}
	if (v->seq != s->next[0]) {
		sane_lose(s);
		return;
	}
	s->question = sane_is_at_start(s) && n <= UINT16_MAX ? (uint16_t)n : 0;
	sane_read(s, 0);
}

/* Behind a gap nobody knows where an answer ends: a client that speaks then may be amid it. */
static void sane_answer(struct sane *s)
{
	uint32_t seen = s->next[1] - s->v->seq;

	if (!(s->flags & SANE_BEGUN))
		return;
	if (seen > INT32_MAX) {
		sane_lose(s);
		return;
	}
	sane_read(s, seen);
	sane_expect(s);
}

static void sane_decide(const struct cth_view *v, struct cth_decision *d)
{
	struct sane s = { .v = v, .d = d };

	sane_load(&s);
	if (s.flags & SANE_LOST)
		return;
	if (v->reply)
		sane_answer(&s);
	else
		sane_question(&s);
	sane_store(&s);
}

static const uint8_t sane_l4[] = { IPPROTO_TCP, 0 };

/*
 * The client connects as soon as it knows where to, and asks for nothing else before; whose SYN is
 * lost tries for two minutes.
 */
const struct cth_proto cth_proto_sane = {
	.name = "sane",
	.l4 = sane_l4,
	.port = 6566,
	.state_len = SANE_STATE,
	.classes = { { "sane", 1, 120 } },
	.wants_l4 = sane_l4,
	.wants_source = CTH_FROM_PEER,
	.wants_dest = CTH_TO_OWN,
	.wants_flags = CTH_WANT_PORT_ONLY,
	.lowest_port = CTH_LOWEST_PORT,
	.announces = 1 << CTH_FORM_NONE | 1 << CTH_FORM_BINARY_PORT,
	.longest_text = 2,
	.whole_stream = true,
	.decide = sane_decide,
};
