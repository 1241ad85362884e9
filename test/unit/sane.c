/* SPDX-License-Identifier: MIT */
/* sane.c - what SANE's network protocol makes of questions and answers, however they are cut. */
#include <netinet/in.h>
#include <sys/socket.h>
#include "unit.h"
#include "../../cthelper/helper.h"
#include "../../cthelper/proto.h"

#define PUBLIC_AT 14 /* of the state: the port that was told */

/* As scanimage and saned of Debian 12 exchanged them; 33682 is 0x8392. */
#define INIT    "\0\0\0\0" "\1\0\0\3" "\0\0\0\5root\0"
#define HELLO   "\0\0\0\0" "\1\0\0\3"
#define START   "\0\0\0\7" "\0\0\0\0"
#define ANSWER  "\0\0\0\0" "\0\0\x83\x92" "\0\0\x12\x34" "\0\0\0\0"
#define BYTES(text) cth_span(text, sizeof(text) - 1)

static struct cth_decision d;
static struct cth_view v; /* of the flow: its state goes on from one segment to the next */
static uint32_t said[2];  /* number of the next byte: the client's, the server's */
static uint16_t chosen;   /* the port that the engine would choose, 0: none is free */
static uint32_t allow;
static bool once;        /* segments do not come twice: pieces of a question must not */

static void begin(bool rewrite)
{
	once = false;
	memset(&v, 0, sizeof(v));
	v.l4 = IPPROTO_TCP;
	v.rewrite = rewrite;
	v.allow = allow;
	v.self.family = v.peer.family = v.self_public.family = AF_INET;
	said[0] = 0xfffffffc; /* the numbers wrap amid all this */
	said[1] = 0xfffffff0;
	chosen = 4660;
}

/* A segment at a number of its own; the state goes on as the engine keeps it. */
static void segment(bool reply, uint32_t seq, uint32_t ack, struct cth_span body)
{
	struct cth_decision again;

	v.reply = reply;
	v.seq = seq;
	v.ack = ack;
	v.body = body;
	cth_decide(&cth_proto_sane, &v, &d);
	assert_false(d.drop);
	assert_false(d.leave);
	assert_int_equal(d.timeout, 0);
	assert_int_equal(d.counted_n, 0);
	assert_in_range(d.wanted_n, 0, 1);
	assert_int_equal(d.state_changed, memcmp(d.state, v.state, CTH_STATE) != 0);
	memcpy(v.state, d.state, CTH_STATE);
	if (v.rewrite && d.wanted_n)
		cth_store_be16(v.state + d.wanted[0].note_at,
			       d.wanted[0].public_port ? d.wanted[0].public_port : chosen);
	if (once)
		return;
	cth_decide(&cth_proto_sane, &v, &again); /* as on loopback, where it comes twice */
	assert_memory_equal(again.state, v.state, CTH_STATE);
	assert_int_equal(again.wanted_n, d.wanted_n);
	assert_int_equal(again.announced_n, d.announced_n);
}

static void client(struct cth_span body)
{
	segment(false, said[0], said[1], body);
	assert_int_equal(d.wanted_n, 0);
	assert_int_equal(d.notes, 0);
	said[0] += (uint32_t)body.n;
}

static void server(struct cth_span body)
{
	segment(true, said[1], said[0], body);
	said[1] += (uint32_t)body.n;
}

static void assert_silent(void)
{
	assert_int_equal(d.wanted_n, 0);
	assert_int_equal(d.announced_n, 0);
	assert_int_equal(d.notes, 0);
}

static void assert_noted(enum cth_note note)
{
	assert_int_equal(d.wanted_n, 0);
	assert_int_equal(d.announced_n, 0);
	assert_int_equal(d.notes, 1 << note);
}

static void assert_expected(uint16_t port)
{
	assert_int_equal(d.notes, 0);
	assert_int_equal(d.wanted_n, 1);
	assert_int_equal(d.wanted[0].class_number, 0);
	assert_int_equal(d.wanted[0].l4, IPPROTO_TCP);
	assert_int_equal(d.wanted[0].source, CTH_FROM_PEER);
	assert_int_equal(d.wanted[0].dest, CTH_TO_OWN);
	assert_int_equal(d.wanted[0].flags, 0);
	assert_int_equal(d.wanted[0].port, port);
	assert_int_equal(d.wanted[0].source_port, 0);
}

static void assert_announced(uint32_t off, uint32_t len, uint8_t from, bool more)
{
	assert_int_equal(d.announced_n, 1);
	assert_int_equal(d.announced[0].form, CTH_FORM_BINARY_PORT);
	assert_int_equal(d.announced[0].wanted, 0);
	assert_int_equal(d.announced[0].off, off);
	assert_int_equal(d.announced[0].len, len);
	assert_int_equal(d.announced[0].from, from);
	assert_int_equal(!!d.announced[0].more, more);
}

/* A flow that has come as far as the question. */
static void started(bool rewrite)
{
	begin(rewrite);
	client(BYTES(INIT));
	server(BYTES(HELLO));
	assert_silent();
	client(BYTES(START));
}

static void the_port_of_an_answer_is_expected_from_the_client(void **state)
{
	(void)state;
	started(false);
	server(BYTES(ANSWER));
	assert_expected(33682);
	assert_int_equal(d.announced_n, 0);
}

static void on_a_translated_flow_it_is_announced_as_well(void **state)
{
	(void)state;
	started(true);
	server(BYTES(ANSWER));
	assert_expected(33682);
	assert_announced(6, 2, 0, false);
	assert_int_equal(d.wanted[0].note_at, PUBLIC_AT);
	assert_int_equal(d.wanted[0].public_port, 0);
}

static void every_image_is_a_question_of_its_own(void **state)
{
	(void)state;
	started(true);
	server(BYTES(ANSWER));
	for (int i = 0; i < 3; i++) {
		client(BYTES("\0\0\0\6" "\0\0\0\0")); /* SANE_NET_GET_PARAMETERS */
		server(BYTES("\0\0\0\0" "\0\0\0\1" "\0\0\0\1" "\0\0\0\x10" "\0\0\0\x10" "\0\0\0\1" "\0\0\0\x8"));
		assert_silent();
		client(BYTES(START));
		server(BYTES("\0\0\0\0" "\0\0\x27\x10" "\0\0\x12\x34" "\0\0\0\0"));
		assert_expected(10000);
		assert_announced(6, 2, 0, false);
		assert_int_equal(d.wanted[0].public_port, 0);
	}
}

/* The question in two segments and its answer in two, each cut anywhere. */
static void questions_and_answers_may_be_cut_anywhere(void **state)
{
	struct cth_span question = BYTES(START), answer = BYTES(ANSWER);

	(void)state;
	for (size_t q = 1; q < question.n; q++) {
		for (size_t a = 1; a < answer.n; a++) {
			begin(false);
			client(BYTES(INIT));
			server(BYTES(HELLO));
			once = true;
			client(cth_span_sub(question, 0, q));
			client(cth_span_sub(question, q, question.n - q));
			once = false;
			server(cth_span_sub(answer, 0, a));
			if (a >= 8)
				assert_expected(33682);
			else
				assert_silent();
			server(cth_span_sub(answer, a, answer.n - a));
			if (a < 8)
				assert_expected(33682);
			else
				assert_silent(); /* it was before */
		}
	}
}

static void byte_by_byte_it_is_the_same(void **state)
{
	struct cth_span question = BYTES(START), answer = BYTES(ANSWER);

	(void)state;
	begin(false);
	once = true;
	for (size_t i = 0; i < question.n; i++)
		client(cth_span_sub(question, i, 1));
	once = false;
	for (size_t i = 0; i < answer.n; i++) {
		server(cth_span_sub(answer, i, 1));
		if (i == 7)
			assert_expected(33682);
		else
			assert_silent();
	}
}

/* The port was chosen before its second byte was there: both are told of the same one. */
static void a_port_that_is_cut_in_two_is_told_in_two_pieces(void **state)
{
	(void)state;
	started(true);
	server(cth_span(ANSWER, 7));
	assert_int_equal(d.wanted_n, 1);
	assert_int_equal(d.wanted[0].flags, CTH_WANT_PORT_ONLY);
	assert_int_equal(d.wanted[0].port, 0);
	assert_announced(6, 1, 0, true);
	server(BYTES("\x92\0\0"));
	assert_expected(33682);
	assert_int_equal(d.wanted[0].public_port, 4660);
	assert_announced(0, 1, 1, false);
	/* Sent again, and cut elsewhere. */
	segment(true, said[1] - 10, said[0], BYTES(ANSWER));
	assert_expected(33682);
	assert_int_equal(d.wanted[0].public_port, 4660);
	assert_announced(6, 2, 0, false);
	segment(true, said[1] - 4, said[0], BYTES("\x83"));
	assert_expected(33682);
	assert_announced(0, 1, 0, true);
}

static void if_no_port_was_free_for_the_first_piece_the_rest_stays_too(void **state)
{
	(void)state;
	started(true);
	chosen = 0;
	server(cth_span(ANSWER, 7));
	server(BYTES("\x92"));
	assert_expected(33682);
	assert_int_equal(d.announced_n, 0);
}

/* Nothing is rewritten of what may turn out to be no port. */
static void a_low_port_that_is_cut_in_two_passes_as_it_is(void **state)
{
	(void)state;
	started(true);
	server(BYTES("\0\0\0\0" "\0\0\3"));
	assert_silent();
	server(BYTES("\xff"));
	assert_noted(CTH_NOTE_LOW_PORT);
}

static void what_is_sent_again_is_decided_alike(void **state)
{
	struct cth_decision first;
	uint32_t answered;

	(void)state;
	started(true);
	answered = said[1];
	server(BYTES(ANSWER));
	first = d;
	segment(false, said[0] - 8, answered, BYTES(START)); /* the question */
	assert_silent();
	segment(true, answered, said[0], BYTES(ANSWER));
	assert_expected(33682);
	assert_int_equal(d.wanted[0].public_port, 4660); /* which was chosen at the first time */
	assert_memory_equal(d.announced, first.announced, sizeof(d.announced));
	/* The next question is another one's, and that of before may still come once more. */
	client(BYTES("\0\0\0\x8" "\0\0\0\0"));
	segment(false, said[0] - 16, answered, BYTES(START));
	assert_silent();
	server(BYTES("\0\0\0\0"));
	assert_silent();
}

/* Nobody knows where it ends, and a client could have the server stop amid it. */
static void behind_a_gap_in_an_answer_nothing_is_followed(void **state)
{
	static const char question[] = "\0\0\0\4" "\0\0\0";

	(void)state;
	for (int begun = 0; begun < 2; begun++) {
		begin(false);
		client(BYTES(INIT));
		server(BYTES(HELLO));
		client(cth_span(question, 8));
		if (begun)
			server(BYTES("\0\0\0\5"));
		said[1] += 1448;
		once = true;
		server(BYTES("is not read any more"));
		assert_noted(CTH_NOTE_UNFOLLOWED);
		client(BYTES(START));
		server(BYTES(ANSWER));
		assert_silent();
	}
}

/* The first numbers are the client's word: there may be others before them. */
static void what_is_before_the_first_question_is_not_followed(void **state)
{
	(void)state;
	begin(false);
	client(BYTES("\0\0\0\6" "\0\0\0\0"));
	once = true;
	segment(false, said[0] - 8 - 17, said[1], BYTES(INIT));
	assert_noted(CTH_NOTE_UNFOLLOWED);
	/* Nor are the server's: he has not said less than was acknowledged. */
	begin(false);
	said[1] -= 8;
	client(BYTES(INIT));
	said[1] += 8;
	once = true;
	server(cth_span(HELLO, 4));
	assert_noted(CTH_NOTE_UNFOLLOWED);
}

static void a_refusal_expects_nothing(void **state)
{
	(void)state;
	started(false);
	server(BYTES("\0\0\0\7" "\0\0\x83\x92" "\0\0\x12\x34" "\0\0\0\0")); /* no paper */
	assert_silent();
	started(false);
	server(BYTES("\x83\x92\0\0" "\0\0\x83\x92" "\0\0\x12\x34" "\0\0\0\0"));
	assert_silent();
}

/* An answer that names a resource; and after the password the answer to the question of before. */
static void a_scanner_that_asks_for_a_password_answers_behind_it(void **state)
{
	static const char password[] = "\0\0\0\x9" "\0\0\0\5test\0" "\0\0\0\2u\0" "\0\0\0\2p";

	(void)state;
	started(false);
	server(BYTES("\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\5test\0"));
	assert_silent();
	client(cth_span(password, sizeof(password)));
	server(BYTES("\0\0\0\0" ANSWER));
	assert_expected(33682);
	/* One that is for opening the device is not for starting it. */
	started(false);
	server(BYTES(ANSWER));
	client(BYTES("\0\0\0\2" "\0\0\0\7test:0\0"));
	server(BYTES("\0\0\0\0" "\0\0\0\0" "\0\0\0\5test\0"));
	client(cth_span(password, sizeof(password)));
	server(BYTES("\0\0\0\0" "\0\0\0\0" "\0\0\x27\x10" "\0\0\0\0"));
	assert_silent();
	client(BYTES(START));
	server(BYTES(ANSWER));
	assert_expected(33682);
	/* Nobody else has the word before it: what he says is thrown away, for as much as there is. */
	started(false);
	server(BYTES("\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\5test\0"));
	once = true;
	segment(false, said[0], said[1], BYTES(START));
	assert_noted(CTH_NOTE_UNFOLLOWED);
	/* Without a question before there is nothing that a password is for. */
	begin(false);
	segment(false, said[0], said[1], cth_span(password, sizeof(password)));
	assert_noted(CTH_NOTE_UNFOLLOWED);
	server(BYTES("\0\0\0\0" ANSWER));
	assert_silent();
}

static void ports_below_1024_only_if_allowed(void **state)
{
	(void)state;
	started(false);
	server(BYTES("\0\0\0\0" "\0\0\3\xff" "\0\0\x12\x34" "\0\0\0\0"));
	assert_noted(CTH_NOTE_LOW_PORT);
	started(false);
	server(BYTES("\0\0\0\0" "\0\0\4\0" "\0\0\x12\x34" "\0\0\0\0"));
	assert_expected(1024);
	allow = CTH_ALLOW_LOW_PORTS;
	started(false);
	server(BYTES("\0\0\0\0" "\0\0\0\x16" "\0\0\x12\x34" "\0\0\0\0"));
	assert_expected(22);
	started(false);
	server(BYTES("\0\0\0\0" "\0\0\0\0" "\0\0\x12\x34" "\0\0\0\0"));
	assert_silent(); /* none at all */
	allow = 0;
}

static void a_number_that_is_no_port_is_garbled(void **state)
{
	(void)state;
	started(true);
	server(BYTES("\0\0\0\0" "\0\1\x83\x92" "\0\0\x12\x34" "\0\0\0\0"));
	assert_noted(CTH_NOTE_GARBLED);
	started(true);
	server(BYTES("\0\0\0\0" "\x80\0\x83\x92"));
	assert_noted(CTH_NOTE_GARBLED);
}

static void other_questions_mean_nothing_whatever_is_answered(void **state)
{
	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		uint8_t question[] = { 0, 0, 0, (uint8_t)code, 0, 0, 0, 0 };

		for (unsigned i = 0; i < 4; i++) {
			begin(false);
			client(BYTES(INIT));
			server(BYTES(HELLO));
			once = true;
			if (i < 3)
				question[i] = 1;
			segment(false, said[0], said[1], cth_span(question, sizeof(question)));
			said[0] += sizeof(question);
			server(BYTES(ANSWER));
			if (i == 3 && code == 7)
				assert_expected(33682);
			else
				assert_int_equal(d.wanted_n, 0);
			if (i < 3)
				question[i] = 0;
		}
	}
}

/* What only looks like a question, or like an answer, amid what is something else. */
static void inside_of_others_questions_and_answers_mean_nothing(void **state)
{
	(void)state;
	begin(false);
	once = true;
	client(BYTES("\0\0\0\2" "\0\0\0\x14"));
	client(BYTES(START)); /* a part of the name: it is not the server's turn */
	server(BYTES(ANSWER));
	assert_noted(CTH_NOTE_UNFOLLOWED);
	started(false);
	server(BYTES("\0\0\0\7" "\0\0\0\0" "\0\0\x12\x34" "\0\0\0\0"));
	once = true;
	server(BYTES(ANSWER)); /* behind the answer */
	assert_noted(CTH_NOTE_UNFOLLOWED);
	begin(false);
	server(BYTES(ANSWER)); /* and before any question */
	assert_silent();
}

#define W(n)       "\0\0\0" n
#define CONTROL(action, type, size, value) W("\5") W("\0") W("\3") W(action) W(type) W(size) value
#define CONTROLLED(type, size, value) W("\0") W("\0") W(type) W(size) value W("\0")
#define LIAR       "\0\0\0\0" "\0\0\x1f\x90" "\0\0\x12\x34"

/*
 * A liar has what he wrote given back, and starts amid it, where his window had the server stop.
 */
static void who_speaks_amid_an_answer_is_not_followed_any_more(void **state)
{
	static const char question[] = CONTROL("\1", "\3", "\xd", W("\xd") LIAR);
	static const char answer[] = CONTROLLED("\3", "\xd", W("\xd") LIAR "\0");

	(void)state;
	for (size_t cut = 0; cut < sizeof(answer) - 1; cut++) {
		begin(false);
		client(BYTES(INIT));
		server(BYTES(HELLO));
		client(cth_span(question, sizeof(question))); /* with its NUL */
		if (cut) {
			server(cth_span(answer, cut));
			assert_silent();
		}
		once = true;
		segment(false, said[0], said[1], BYTES(START));
		assert_noted(CTH_NOTE_UNFOLLOWED);
		said[0] += 8;
		server(cth_span(answer + cut, sizeof(answer) - 1 - cut));
		assert_silent();
		client(BYTES(START));
		server(BYTES(ANSWER));
		assert_silent();
	}
	begin(false);
	client(cth_span(question, sizeof(question)));
	server(cth_span(answer, sizeof(answer) - 1));
	client(BYTES(START));
	server(BYTES(ANSWER));
	assert_expected(33682);
}

/* Both in one segment: the second is answered unseen. */
static void two_questions_at_once_are_not_followed(void **state)
{
	(void)state;
	begin(false);
	once = true;
	segment(false, said[0], said[1], BYTES("\0\0\0\6" "\0\0\0\0" START));
	assert_noted(CTH_NOTE_UNFOLLOWED);
	server(BYTES(ANSWER));
	assert_silent();
}

/* Nor bytes that the server may not get, nor those that it may get in their place. */
static void who_asks_otherwise_with_the_same_numbers_is_not_followed(void **state)
{
	static const char number[] = CONTROL("\0", "\1", "\4", W("\1") "\0\0\0");
	static const char text[] = CONTROL("\0", "\3", "\4", W("\4") "\0\0\0");
	static const char mixed[] = W("\5") W("\0") W("\3") "\1\0\0\2" W("\1") W("\4") W("\1") "\0\0\0";
	const struct {
		struct cth_span first, second;
		uint32_t behind;
		bool good;
	} copies[] = {
		{ BYTES(START), BYTES(START), 8, true },
		{ BYTES("\0\0\0\7" "\0\0\0\1"), BYTES(START), 8, true },
		{ BYTES("\0\0\0\6" "\0\0\0\0"), BYTES(START), 8, false },
		{ BYTES(START), BYTES("\0\0\0\1"), 8, false },
		{ BYTES(START), BYTES("\0\0\0\1"), 4, false },
		{ BYTES(START), BYTES("\0\0\0\7" "\0\0\0\0" "\0"), 8, false },
		{ cth_span(number, sizeof(number)), cth_span(number, sizeof(number)), 32, true },
		{ cth_span(number, sizeof(number)), cth_span(text, sizeof(text)), 32, false },
		{ cth_span(number, sizeof(number)), cth_span(mixed, sizeof(mixed)), 32, false },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(copies); i++) {
		begin(false);
		client(BYTES(INIT));
		server(BYTES(HELLO));
		client(copies[i].first);
		once = true;
		segment(false, said[0] - copies[i].behind, said[1], copies[i].second);
		if (copies[i].good)
			assert_silent();
		else
			assert_noted(CTH_NOTE_UNFOLLOWED);
	}
	/* A gap is as good. */
	begin(false);
	client(BYTES(INIT));
	server(BYTES(HELLO));
	said[0] += 8;
	once = true;
	segment(false, said[0], said[1], BYTES(START));
	assert_noted(CTH_NOTE_UNFOLLOWED);
	said[0] += 8;
	server(BYTES(ANSWER));
	assert_silent();
}

/* One turn of client and server, and whether its end is known: the next one starts. */
static void turn(struct cth_span question, struct cth_span answer)
{
	for (size_t cut = 0; cut < answer.n; cut++) {
		begin(false);
		client(question);
		if (cut)
			server(cth_span_sub(answer, 0, cut));
		if (cut)
			assert_silent();
		server(cth_span_sub(answer, cut, answer.n - cut));
		assert_silent();
		client(BYTES(START));
		server(BYTES(ANSWER));
		assert_expected(33682);
	}
}

#define NAMES   W("\2") "a\0" W("\1") "\0" W("\0")
#define OPTION(kind) W("\0") NAMES W("\1") W("\0") W("\4") W("\5") kind

static void every_question_has_an_end_and_every_answer(void **state)
{
	(void)state;
	turn(BYTES(INIT), BYTES(HELLO));
	turn(BYTES(W("\1")), BYTES(W("\0") W("\0")));
	turn(BYTES(W("\1")), BYTES(W("\0") W("\3") W("\0") NAMES W("\3") "abc" W("\0") NAMES W("\0")
				W("\1")));
	turn(BYTES(W("\2") W("\3") "abc"), BYTES(W("\0") W("\0") W("\0")));
	turn(BYTES(W("\3") W("\0")), BYTES(W("\0")));
	turn(BYTES(W("\4") W("\0")), BYTES(W("\0")));
	turn(BYTES(W("\4") W("\0")), BYTES(W("\3") OPTION(W("\0")) W("\1") OPTION(W("\0"))));
	turn(BYTES(W("\4") W("\0")),
	     BYTES(W("\2") OPTION(W("\1") W("\0") W("\1") W("\2") W("\3")) OPTION(W("\1") W("\1"))));
	turn(BYTES(W("\4") W("\0")),
	     BYTES(W("\3") OPTION(W("\2") W("\2") W("\1") W("\7")) OPTION(W("\2") W("\0")) W("\1")));
	turn(BYTES(W("\4") W("\0")), BYTES(W("\2") OPTION(W("\3") W("\3") W("\1") "a" W("\0") W("\0"))
				       OPTION(W("\3") W("\2") W("\0") W("\2") "bc")));
	turn(BYTES(W("\4") W("\0")), BYTES(W("\2") OPTION(W("\3") W("\0")) OPTION(W("\0"))));
	for (unsigned type = 0; type < 3; type++) {
		char q[] = CONTROL("\1", "\0", "\x8", W("\2") W("\0") "\0\0\0");
		char a[] = CONTROLLED("\0", "\x8", W("\2") W("\0") W("\0"));

		q[19] = a[11] = (char)type;
		turn(cth_span(q, sizeof(q)), cth_span(a, sizeof(a) - 1));
	}
	turn(BYTES(CONTROL("\1", "\3", "\3", W("\3") "abc")), BYTES(CONTROLLED("\3", "\3", W("\3") "abc")));
	turn(BYTES(CONTROL("\1", "\4", "\0", W("\0"))), BYTES(CONTROLLED("\4", "\0", W("\0"))));
	turn(BYTES(W("\5") W("\0") W("\3") W("\2")), BYTES(CONTROLLED("\1", "\4", W("\1") W("\7"))));
	turn(BYTES(W("\6") W("\0")), BYTES(W("\0") W("\0") W("\1") W("\0") W("\0") W("\0") W("\x8")));
	turn(BYTES(W("\7") W("\0")), BYTES(W("\7") W("\0") W("\0") W("\0")));
	turn(BYTES(W("\x8") W("\0")), BYTES(W("\0")));
}

/* Those that nobody's scanner has. */
static void what_is_too_long_is_not_followed(void **state)
{
	const struct {
		struct cth_span question, answer;
	} turns[] = {
		{ BYTES(W("\1")), BYTES(W("\0") "\0\1\0\0") },
		{ BYTES(W("\4") W("\0")), BYTES("\0\1\0\0") },
		{ BYTES(CONTROL("\1", "\4", "\0", W("\0"))), BYTES(CONTROLLED("\4", "\0", W("\1"))) },
		{ BYTES(W("\4") W("\0")), BYTES(W("\1") OPTION(W("\4"))) },
		{ BYTES(W("\4") W("\0")), BYTES(W("\1") OPTION(W("\2") "\1\0\0\0")) },
		{ BYTES(W("\4") W("\0")), BYTES(W("\1") OPTION(W("\3") "\0\1\0\0")) },
		{ BYTES(W("\4") W("\0")), BYTES(W("\1") W("\0") "\1\0\0\0") },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(turns); i++) {
		begin(false);
		client(turns[i].question);
		once = true;
		server(turns[i].answer);
		assert_noted(CTH_NOTE_UNFOLLOWED);
	}
	begin(false);
	once = true;
	segment(false, said[0], said[1], BYTES(W("\2") "\0\0\1\0"));
	assert_noted(CTH_NOTE_UNFOLLOWED);
}

static void truncated(struct cth_span bytes, void *ctx)
{
	(void)ctx;
	if (bytes.n == 0)
		return; /* never comes to a protocol */
	started(false);
	server(bytes);
	if (bytes.n >= 8)
		assert_expected(33682);
	else
		assert_silent();
	begin(false);
	once = true;
	segment(false, said[0], said[1], bytes);
	assert_int_equal(d.wanted_n, 0);
}

static void no_truncation_is_read_beyond_its_end(void **state)
{
	(void)state;
	every_truncation(BYTES(ANSWER), truncated, NULL);
}

static void any_byte(struct cth_span bytes, void *ctx)
{
	(void)ctx;
	started(true);
	server(bytes);
	assert_true(d.wanted_n + (d.notes != 0) <= 1);
	assert_int_equal(d.announced_n, d.wanted_n);
	assert_true(!d.wanted_n || d.wanted[0].port >= 1024);
}

static void every_byte_may_have_every_value(void **state)
{
	(void)state;
	every_byte_value(BYTES(ANSWER), any_byte, NULL);
}

static void a_state_of_anything_is_only_a_state(void **state)
{
	uint32_t x = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		begin(round & 1);
		for (size_t i = 0; i < CTH_STATE; i++) {
			x = x * 1664525u + 1013904223u;
			v.state[i] = (uint8_t)(x >> 24);
		}
		v.reply = round & 2;
		v.seq = cth_be32(v.state + (v.reply ? 4 : 0)) + (x & 7);
		v.ack = x;
		v.body = BYTES(ANSWER);
		cth_decide(&cth_proto_sane, &v, &d);
		assert_true(d.wanted_n <= 1 && d.announced_n <= d.wanted_n);
		if (d.wanted_n)
			assert_true(d.wanted[0].public_port == 0 || d.wanted[0].public_port >= 1024);
	}
}

/* Wherever a state says that it is, there is something to be read. */
static void no_step_of_a_state_is_behind_what_is_said(void **state)
{
	(void)state;
	for (unsigned code = 0; code < 16; code++)
		for (unsigned flags = 0; flags < 128; flags++)
			for (unsigned step = 0; step < 18; step++) {
				begin(false);
				v.state[26] = (uint8_t)step;
				v.state[27] = (uint8_t)(code << 4);
				v.state[28] = (uint8_t)flags;
				v.reply = flags & 8;
				v.body = BYTES(ANSWER ANSWER);
				cth_decide(&cth_proto_sane, &v, &d);
				assert_true(d.wanted_n <= 1);
			}
}

static void the_constants_are_what_the_kernel_takes(void **state)
{
	struct cth_helper h = { .name = "sane", .l3 = AF_INET, .l4 = IPPROTO_TCP, .classes = 1 };

	(void)state;
	assert_ptr_equal(cth_proto_find("sane"), &cth_proto_sane);
	assert_int_equal(cth_proto_sane.port, 6566);
	assert_int_equal(cth_proto_sane.l4[0], IPPROTO_TCP);
	assert_int_equal(cth_proto_sane.l4[1], 0);
	assert_int_equal(cth_proto_sane.growth, 0);
	assert_null(cth_proto_sane.classes[1].name);
	strcpy(h.policy[0].name, cth_proto_sane.classes[0].name);
	h.policy[0].max = cth_proto_sane.classes[0].max;
	h.policy[0].timeout = cth_proto_sane.classes[0].timeout;
	h.priv_len = cth_proto_sane.state_len;
	assert_int_equal(cth_helper_check(&h, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_port_of_an_answer_is_expected_from_the_client),
		cmocka_unit_test(on_a_translated_flow_it_is_announced_as_well),
		cmocka_unit_test(every_image_is_a_question_of_its_own),
		cmocka_unit_test(questions_and_answers_may_be_cut_anywhere),
		cmocka_unit_test(byte_by_byte_it_is_the_same),
		cmocka_unit_test(a_port_that_is_cut_in_two_is_told_in_two_pieces),
		cmocka_unit_test(if_no_port_was_free_for_the_first_piece_the_rest_stays_too),
		cmocka_unit_test(a_low_port_that_is_cut_in_two_passes_as_it_is),
		cmocka_unit_test(what_is_sent_again_is_decided_alike),
		cmocka_unit_test(behind_a_gap_in_an_answer_nothing_is_followed),
		cmocka_unit_test(what_is_before_the_first_question_is_not_followed),
		cmocka_unit_test(a_refusal_expects_nothing),
		cmocka_unit_test(a_scanner_that_asks_for_a_password_answers_behind_it),
		cmocka_unit_test(ports_below_1024_only_if_allowed),
		cmocka_unit_test(a_number_that_is_no_port_is_garbled),
		cmocka_unit_test(other_questions_mean_nothing_whatever_is_answered),
		cmocka_unit_test(inside_of_others_questions_and_answers_mean_nothing),
		cmocka_unit_test(who_speaks_amid_an_answer_is_not_followed_any_more),
		cmocka_unit_test(two_questions_at_once_are_not_followed),
		cmocka_unit_test(who_asks_otherwise_with_the_same_numbers_is_not_followed),
		cmocka_unit_test(every_question_has_an_end_and_every_answer),
		cmocka_unit_test(what_is_too_long_is_not_followed),
		cmocka_unit_test(no_truncation_is_read_beyond_its_end),
		cmocka_unit_test(every_byte_may_have_every_value),
		cmocka_unit_test(a_state_of_anything_is_only_a_state),
		cmocka_unit_test(no_step_of_a_state_is_behind_what_is_said),
		cmocka_unit_test(the_constants_are_what_the_kernel_takes),
	};

	return RUN(tests);
}
