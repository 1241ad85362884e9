/* SPDX-License-Identifier: MIT */
/*
 * rpc.c - what RPC makes of calls and answers: over UDP, and over TCP cut at every byte; of NAT,
 * of what is sent again, and of calls that would have rpcbind say what the client likes.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include "unit.h"
#include "../../cthelper/helper.h"
#include "../../cthelper/proto.h"

/* One end's bytes: words of four, and a mark in front over TCP. */
struct text {
	uint8_t b[1024];
	size_t n;
};

/* A flow, from both sides: what it is now, and what came of its last packet. */
static struct {
	uint8_t l4;
	bool rewrite;
	uint32_t allow;
	struct cth_addr server, public;
	uint32_t seq[2];
	uint8_t state[CTH_STATE];
	unsigned wanted, notes;     /* of all packets since new_flow() */
	struct cth_wanted last;     /* of them */
} flow;

static struct cth_decision d;

static const struct cth_addr server4 = { AF_INET, { 10, 0, 2, 2 } };
static const struct cth_addr router4 = { AF_INET, { 10, 0, 1, 1 } };
static const struct cth_addr server6 = { AF_INET6, { 0xfd, 2, [15] = 2 } };
static const struct cth_addr router6 = { AF_INET6, { 0xfd, 1, [15] = 1 } };

static void new_flow(uint8_t l4)
{
	memset(&flow, 0, sizeof(flow));
	flow.l4 = l4;
	flow.server = flow.public = server4;
	flow.seq[0] = 0xfffffff0u; /* it will wrap */
	flow.seq[1] = 7;
}

static void translate(void)
{
	flow.rewrite = true;
	flow.public = router4;
}

static struct cth_view view_of(bool reply, struct cth_span body)
{
	struct cth_view v = {
		.l4 = flow.l4, .reply = reply, .rewrite = flow.rewrite, .allow = flow.allow,
		.self = flow.server, .peer = flow.server, .self_public = flow.public,
		.self_port = 111, .peer_port = 111, .seq = flow.seq[reply], .ack = flow.seq[!reply],
		.body = body,
	};
	struct cth_addr client = { AF_INET, { 10, 0, 1, 2 } };

	client.family = flow.server.family;
	*(reply ? &v.peer : &v.self) = client;
	*(reply ? &v.peer_port : &v.self_port) = 700;
	memcpy(v.state, flow.state, sizeof(v.state));
	return v;
}

/* A packet goes by: in memory that ends with it, and decided twice. */
static void goes(bool reply, const void *bytes, size_t n)
{
	uint8_t *body = malloc(n);
	struct cth_view v = view_of(reply, cth_span(body, n));
	struct cth_decision again;

	assert_non_null(body);
	memcpy(body, bytes, n);
	cth_decide(&cth_proto_rpc, &v, &d);
	cth_decide(&cth_proto_rpc, &v, &again);
	assert_memory_equal(&d, &again, sizeof(d));
	assert_false(d.drop || d.leave);
	assert_true(d.announced_n == (flow.rewrite ? d.wanted_n : 0));
	memcpy(flow.state, d.state, sizeof(flow.state));
	for (unsigned i = 0; i < d.wanted_n; i++)
		if (d.wanted[i].note_at != CTH_NOWHERE) /* as the engine does */
			cth_store_be16(flow.state + d.wanted[i].note_at, 40000);
	flow.seq[reply] += (uint32_t)n;
	flow.wanted += d.wanted_n;
	flow.notes |= d.notes;
	if (d.wanted_n)
		flow.last = d.wanted[d.wanted_n - 1];
	free(body);
}

static void says(bool reply, const struct text *t)
{
	goes(reply, t->b, t->n);
}

/* ---- messages ---- */

static void word(struct text *t, uint32_t w)
{
	cth_store_be32(t->b + t->n, w);
	t->n += 4;
}

static void opaque(struct text *t, const char *bytes, size_t n)
{
	word(t, (uint32_t)n);
	memset(t->b + t->n, 0, (n + 3) / 4 * 4);
	memcpy(t->b + t->n, bytes, n);
	t->n += (n + 3) / 4 * 4;
}

static void begin(struct text *t)
{
	t->n = 0;
	if (flow.l4 == IPPROTO_TCP)
		word(t, 0x80000000u);
}

static void end(struct text *t)
{
	if (flow.l4 == IPPROTO_TCP)
		cth_store_be32(t->b, 0x80000000u | (uint32_t)(t->n - 4));
}

static void call_begin(struct text *t, uint32_t xid, uint32_t version, uint32_t procedure)
{
	static const char unix_credential[] = "\0\0\0\1" "\0\0\0\4" "host" "\0\0\0\0\0\0\0\0\0\0\0\0";

	begin(t);
	word(t, xid);
	word(t, 0);
	word(t, 2);
	word(t, 100000);
	word(t, version);
	word(t, procedure);
	word(t, xid & 1); /* every second one with a credential */
	opaque(t, unix_credential, xid & 1 ? 24 : 0);
	word(t, 0);
	word(t, 0);
}

static struct text getport(uint32_t xid, uint32_t protocol)
{
	struct text t;

	call_begin(&t, xid, 2, 3);
	word(&t, 100005);
	word(&t, 3);
	word(&t, protocol);
	word(&t, 0);
	end(&t);
	return t;
}

static struct text getaddr_by(uint32_t xid, uint32_t version, uint32_t procedure, const char *netid)
{
	struct text t;

	call_begin(&t, xid, version, procedure);
	word(&t, 100005);
	word(&t, 3);
	opaque(&t, netid, strlen(netid));
	opaque(&t, "10.0.2.2.0.111", 14);
	opaque(&t, "", 0);
	end(&t);
	return t;
}

static struct text getaddr(uint32_t xid, const char *netid)
{
	return getaddr_by(xid, 4, 3, netid);
}

static void reply_begin(struct text *t, uint32_t xid)
{
	begin(t);
	word(t, xid);
	word(t, 1);
	word(t, 0);
	word(t, 0);
	word(t, 0);
	word(t, 0);
}

static struct text port_is(uint32_t xid, uint32_t port)
{
	struct text t;

	reply_begin(&t, xid);
	word(&t, port);
	end(&t);
	return t;
}

static struct text address_is(uint32_t xid, const char *text)
{
	struct text t;

	reply_begin(&t, xid);
	opaque(&t, text, strlen(text));
	end(&t);
	return t;
}

static void asks(struct text call)
{
	says(false, &call);
	assert_int_equal(d.wanted_n, 0);
	assert_int_equal(d.timeout, flow.l4 == IPPROTO_UDP && flow.wanted ? 120 : 0);
}

static void answers(struct text reply)
{
	says(true, &reply);
}

static void assert_expected(uint8_t l4, uint16_t port)
{
	assert_int_equal(d.wanted_n, 1);
	assert_int_equal(d.notes, 0);
	assert_int_equal(d.wanted[0].l4, l4);
	assert_int_equal(d.wanted[0].port, port);
	assert_int_equal(d.wanted[0].source, CTH_FROM_PEER);
	assert_int_equal(d.wanted[0].dest, CTH_TO_OWN);
	assert_int_equal(d.wanted[0].flags, CTH_WANT_PERMANENT);
	assert_int_equal(d.wanted[0].source_port, 0);
	assert_int_equal(d.wanted[0].class_number, 0);
	assert_int_equal(d.timeout, flow.l4 == IPPROTO_UDP ? 120 : 0);
}

static void assert_only_noted(unsigned notes)
{
	assert_int_equal(d.wanted_n, 0);
	assert_int_equal(d.notes, notes);
	assert_int_equal(d.announced_n, 0);
}

#define NOTE(kind) (1u << CTH_NOTE_##kind)

/* Runs a test over both transports. */
static void over_both(void (*test)(void))
{
	new_flow(IPPROTO_UDP);
	test();
	new_flow(IPPROTO_TCP);
	test();
}

/* ---- what is followed ---- */

static void port_of_tcp(void)
{
	asks(getport(0x12345678, IPPROTO_TCP));
	answers(port_is(0x12345678, 20048));
	assert_expected(IPPROTO_TCP, 20048);
}

static void port_of_udp(void)
{
	asks(getport(0x12345679, IPPROTO_UDP));
	answers(port_is(0x12345679, 65535));
	assert_expected(IPPROTO_UDP, 65535);
}

static void an_answered_port_is_expected_over_the_transport_that_was_asked_for(void **state)
{
	(void)state;
	over_both(port_of_tcp);
	over_both(port_of_udp);
}

static void addresses(void)
{
	asks(getaddr_by(1, 3, 3, "udp"));
	answers(address_is(1, "10.0.2.2.78.80"));
	assert_expected(IPPROTO_UDP, 20048);
	asks(getaddr_by(2, 4, 3, "tcp"));
	answers(address_is(2, "10.0.2.2.8.1"));
	assert_expected(IPPROTO_TCP, 2049);
	asks(getaddr_by(3, 4, 9, "tcp"));
	answers(address_is(3, "10.0.2.2.255.255"));
	assert_expected(IPPROTO_TCP, 65535);
}

static void addresses6(void)
{
	flow.server = flow.public = server6;
	asks(getaddr(1, "udp6"));
	answers(address_is(1, "fd02::2.78.80"));
	assert_expected(IPPROTO_UDP, 20048);
	asks(getaddr(2, "tcp6"));
	answers(address_is(2, "fd02::2.4.0"));
	assert_expected(IPPROTO_TCP, 1024);
}

static void universal_addresses_are_read_of_versions_3_and_4(void **state)
{
	(void)state;
	over_both(addresses);
	over_both(addresses6);
}

/* rpcinfo of rpcbind 1.2.6 with libtirpc 1.3.3, where statd has port 662. */
static void rpcinfo_and_rpcbind_understand_each_other(void **state)
{
	static const uint8_t call[] = {
		0x80, 0x00, 0x00, 0x58, 0xc6, 0xbd, 0x36, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
		0x00, 0x01, 0x86, 0xa0, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x86, 0xb8,
		0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x03, 0x74, 0x63, 0x70, 0x00, 0x00, 0x00, 0x00, 0x0f,
		0x31, 0x32, 0x37, 0x2e, 0x30, 0x2e, 0x30, 0x2e, 0x31, 0x2e, 0x30, 0x2e, 0x31, 0x31, 0x31, 0x00,
		0x00, 0x00, 0x00, 0x08, 0x6c, 0x69, 0x62, 0x74, 0x69, 0x72, 0x70, 0x63,
	};
	static const uint8_t reply[] = {
		0x80, 0x00, 0x00, 0x2c, 0xc6, 0xbd, 0x36, 0x14, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0f,
		0x31, 0x32, 0x37, 0x2e, 0x30, 0x2e, 0x30, 0x2e, 0x31, 0x2e, 0x32, 0x2e, 0x31, 0x35, 0x30, 0x00,
	};
	static const uint8_t call6[] = {
		0x6b, 0x0c, 0x0b, 0x64, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01, 0x86, 0xa0,
		0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x86, 0xb8, 0x00, 0x00, 0x00, 0x01,
		0x00, 0x00, 0x00, 0x04, 0x75, 0x64, 0x70, 0x36, 0x00, 0x00, 0x00, 0x09, 0x3a, 0x3a, 0x31, 0x2e,
		0x30, 0x2e, 0x31, 0x31, 0x31, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x6c, 0x69, 0x62, 0x74,
		0x69, 0x72, 0x70, 0x63,
	};
	static const uint8_t reply6[] = {
		0x6b, 0x0c, 0x0b, 0x64, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x3a, 0x3a, 0x31, 0x2e,
		0x32, 0x2e, 0x31, 0x35, 0x30, 0x00, 0x00, 0x00,
	};

	(void)state;
	new_flow(IPPROTO_TCP);
	flow.server = flow.public = (struct cth_addr){ AF_INET, { 127, 0, 0, 1 } };
	flow.allow = CTH_ALLOW_LOW_PORTS;
	goes(false, call, sizeof(call));
	assert_only_noted(0);
	goes(true, reply, sizeof(reply));
	assert_expected(IPPROTO_TCP, 662);
	new_flow(IPPROTO_UDP);
	flow.server = flow.public = (struct cth_addr){ AF_INET6, { [15] = 1 } };
	flow.allow = CTH_ALLOW_LOW_PORTS;
	goes(false, call6, sizeof(call6));
	assert_only_noted(0);
	goes(true, reply6, sizeof(reply6));
	assert_expected(IPPROTO_UDP, 662);
}

static void not_there(void)
{
	asks(getport(8, IPPROTO_TCP));
	answers(port_is(8, 0));
	assert_only_noted(0);
	asks(getaddr(9, "tcp"));
	answers(address_is(9, ""));
	assert_only_noted(0);
}

/* An expectation goes with its flow, whose time any packet sets anew. */
static void a_flow_of_udp_stays_for_what_is_expected(void **state)
{
	(void)state;
	new_flow(IPPROTO_UDP);
	asks(getport(1, IPPROTO_TCP));
	answers(port_is(1, 0));
	assert_int_equal(d.timeout, 0);
	asks(getport(2, IPPROTO_TCP));
	answers(port_is(2, 20048));
	assert_expected(IPPROTO_TCP, 20048);
	asks(getport(3, IPPROTO_TCP));
	answers(port_is(3, 0));
	assert_int_equal(d.wanted_n, 0);
	assert_int_equal(d.timeout, 120);
}

static void a_program_that_is_not_registered_is_not_expected(void **state)
{
	(void)state;
	over_both(not_there);
}

static void low(void)
{
	asks(getport(8, IPPROTO_UDP));
	answers(port_is(8, 1023));
	assert_only_noted(NOTE(LOW_PORT));
	asks(getaddr(9, "tcp"));
	answers(address_is(9, "10.0.2.2.3.255"));
	assert_only_noted(NOTE(LOW_PORT));
	flow.allow = CTH_ALLOW_LOW_PORTS;
	asks(getport(8, IPPROTO_UDP));
	answers(port_is(8, 1023));
	assert_expected(IPPROTO_UDP, 1023);
	asks(getaddr(9, "tcp"));
	answers(address_is(9, "10.0.2.2.0.1"));
	assert_expected(IPPROTO_TCP, 1);
}

static void ports_below_1024_are_followed_if_that_is_allowed(void **state)
{
	(void)state;
	over_both(low);
}

static void foreign(void)
{
	static const char *const others[] = {
		"10.0.2.3.78.80", "10.0.2.22.78.80", "10.0.2.78.80", "0.0.0.0.78.80", "fd02::2.78.80",
		"/run/rpcbind.sock", "10.0.2.2,78.80", "10.0.2.2",
	};

	flow.allow = CTH_ALLOW_FOREIGN;
	for (uint32_t i = 0; i < N_OF(others); i++) {
		asks(getaddr(i, "tcp"));
		answers(address_is(i, others[i]));
		assert_only_noted(i + 1 < N_OF(others) ? NOTE(FOREIGN) : NOTE(GARBLED));
	}
}

static void another_address_than_the_servers_own_is_not_followed(void **state)
{
	(void)state;
	over_both(foreign);
}

static void several(void)
{
	unsigned n = flow.l4 == IPPROTO_TCP ? 3 : 8;

	for (uint32_t i = 0; i <= n; i++)
		asks(i & 1 ? getaddr(100 + i, i & 2 ? "udp" : "tcp") : getport(100 + i, i & 2 ? 17 : 6));
	for (uint32_t i = n; i > 0; i--) {
		answers(i & 1 ? address_is(100 + i, "10.0.2.2.78.80") : port_is(100 + i, 20048));
		assert_expected(i & 2 ? IPPROTO_UDP : IPPROTO_TCP, 20048);
	}
	answers(port_is(100, 20048)); /* the oldest one was forgotten */
	assert_only_noted(0);
}

static void several_calls_may_wait_for_their_answers_in_any_order(void **state)
{
	(void)state;
	over_both(several);
}

static void a_call_that_is_sent_again_takes_no_room(void **state)
{
	(void)state;
	new_flow(IPPROTO_UDP);
	asks(getport(1, IPPROTO_TCP));
	for (unsigned i = 0; i < 20; i++)
		asks(getport(2, IPPROTO_UDP));
	answers(port_is(1, 2000));
	assert_expected(IPPROTO_TCP, 2000);
	answers(port_is(2, 2001));
	assert_expected(IPPROTO_UDP, 2001);
	answers(port_is(2, 2001));
	assert_expected(IPPROTO_UDP, 2001);
}

static void the_later_question_of_one_number_counts(void **state)
{
	(void)state;
	new_flow(IPPROTO_UDP);
	asks(getport(1, IPPROTO_TCP));
	asks(getaddr(1, "udp"));
	answers(port_is(1, 2000));
	assert_only_noted(NOTE(GARBLED));
	answers(address_is(1, "10.0.2.2.78.80"));
	assert_expected(IPPROTO_UDP, 20048);
}

/* ---- what is not ---- */

static void silent_replies(void)
{
	struct text t;
	uint32_t at = flow.l4 == IPPROTO_TCP ? 4 : 0;

	answers(port_is(1, 2000)); /* nobody has asked */
	assert_only_noted(0);
	asks(getport(1, IPPROTO_TCP));
	answers(port_is(2, 2000));
	assert_only_noted(0);
	for (unsigned i = 1; i < 6; i++) { /* not a reply, denied, ..., an error */
		if (i == 3)
			continue; /* a verifier's flavour: any */
		t = port_is(1, 2000);
		t.b[at + 4 * i + 3] ^= 2;
		if (i == 4)
			t.b[at + 4 * i] = 1; /* a verifier longer than any */
		says(true, &t);
		assert_only_noted(0);
	}
	t = port_is(1, 2000);
	says(false, &t); /* from the wrong side: not a call, so that is the end */
	assert_only_noted(0);
	answers(port_is(1, 2000));
	assert_only_noted(0);
}

static void other_answers_are_none(void **state)
{
	(void)state;
	over_both(silent_replies);
}

static void garbled(void)
{
	static const char *const wrong[] = {
		"10.0.2.2.78", "10.0.2.2.78.", "10.0.2.2.78.256", "10.0.2.2.256.1", "10.0.2.2..1",
		"10.0.2.2.", "10.0.2.2.1.x", "10.0.2.2.1.2.3", "10.0.2.2.78.80 ", "10.0.2.2.7-.1",
		"10.0.2.2.4294967296.1",
		"10.0.2.2.00000000000000000000000000000000000078.80",
	};
	struct text t;

	for (uint32_t i = 0; i < N_OF(wrong); i++) {
		asks(getaddr(i, "tcp"));
		answers(address_is(i, wrong[i]));
		assert_only_noted(NOTE(GARBLED));
	}
	for (unsigned bit = 16; bit < 32; bit++) {
		asks(getport(50, IPPROTO_TCP));
		answers(port_is(50, 1u << bit | 2049));
		assert_only_noted(NOTE(GARBLED));
	}
	asks(getport(51, IPPROTO_TCP));
	reply_begin(&t, 51);
	word(&t, 2049);
	word(&t, 7); /* more than a port */
	end(&t);
	says(true, &t);
	assert_only_noted(NOTE(GARBLED));
	asks(getaddr(52, "tcp"));
	reply_begin(&t, 52);
	opaque(&t, "10.0.2.2.78.80", 14);
	opaque(&t, "", 0); /* as the answer to INDIRECT */
	end(&t);
	says(true, &t);
	assert_only_noted(NOTE(GARBLED));
}

static void what_cannot_be_read_is_noted(void **state)
{
	(void)state;
	over_both(garbled);
}

static void other_transports(void)
{
	static const char *const netids[] = { "local", "rawip", "tdp", "ucx", "tcp66", "unix", "",
					      "ticotsord", "xxx", "utp6" };

	for (uint32_t i = 0; i < N_OF(netids); i++) {
		asks(getaddr(i, netids[i]));
		answers(address_is(i, "10.0.2.2.78.80"));
		assert_only_noted(0);
	}
	for (uint32_t protocol = 0; protocol < 600; protocol++) {
		asks(getport(99, protocol));
		answers(port_is(99, 2000));
		assert_int_equal(d.wanted_n, protocol == IPPROTO_TCP || protocol == IPPROTO_UDP);
	}
}

static void transports_other_than_tcp_and_udp_are_not_followed(void **state)
{
	(void)state;
	over_both(other_transports);
}

static void harmless(void)
{
	for (uint32_t version = 2; version <= 4; version++)
		for (uint32_t procedure = 0; procedure <= 4; procedure += 4) {
			struct text t;

			call_begin(&t, 1, version, procedure);
			end(&t);
			asks(t);
			answers(port_is(1, 2000));
			assert_only_noted(0);
		}
	asks(getaddr_by(1, 5, 3, "tcp")); /* a version that is yet to come */
	answers(address_is(1, "10.0.2.2.78.80"));
	assert_only_noted(0);
	port_of_tcp();
}

static void pings_and_dumps_are_nobodys_business(void **state)
{
	(void)state;
	over_both(harmless);
}

/* What would have the server say what the client has made up: from then on nothing is believed. */
static void closed_by(uint8_t l4, uint32_t program, uint32_t version, uint32_t procedure)
{
	struct text t;

	new_flow(l4);
	asks(getaddr(1, "tcp"));
	call_begin(&t, 1, version, procedure);
	cth_store_be32(t.b + (l4 == IPPROTO_TCP ? 16 : 12), program);
	opaque(&t, "\12\0\2\2\4\0", 6);
	end(&t);
	asks(t);
	for (uint32_t i = 0; i < 20; i++)
		asks(getaddr(i, "tcp"));
	answers(address_is(1, "10.0.2.2.78.80"));
	assert_only_noted(0);
}

static void who_has_the_server_write_an_address_is_not_followed_any_more(void **state)
{
	static const uint8_t l4[] = { IPPROTO_UDP, IPPROTO_TCP };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		for (uint32_t version = 2; version <= 4; version++)
			for (uint32_t procedure = 1; procedure < 13; procedure++)
				if (procedure != 3 && procedure != 4 && (version == 2 || procedure != 9))
					closed_by(l4[i], 100000, version, procedure);
		closed_by(l4[i], 100003, 3, 3);
		closed_by(l4[i], 0, 3, 3);
		closed_by(l4[i], 100000, 4, 1 << 16 | 3);
		closed_by(l4[i], 100000, 4, 1u << 31 | 3);
	}
}

/* ---- NAT ---- */

static void a_translated_port_is_two_bytes_of_the_answer(void **state)
{
	(void)state;
	new_flow(IPPROTO_UDP);
	translate();
	asks(getport(1, IPPROTO_TCP));
	answers(port_is(1, 20048));
	assert_expected(IPPROTO_TCP, 20048);
	assert_int_equal(d.announced[0].form, CTH_FORM_BINARY_PORT);
	assert_int_equal(d.announced[0].off, 26);
	assert_int_equal(d.announced[0].len, 2);
	assert_int_equal(d.counted_n, 0);
	assert_int_equal(d.wanted[0].note_at, CTH_NOWHERE);
	new_flow(IPPROTO_TCP);
	translate();
	asks(getport(1, IPPROTO_TCP));
	answers(port_is(1, 20048));
	assert_expected(IPPROTO_TCP, 20048);
	assert_int_equal(d.announced[0].off, 30);
	assert_int_equal(d.counted_n, 0);
	assert_int_equal(d.wanted[0].note_at, CTH_NOWHERE);
}

static void a_translated_address_is_a_string_and_over_tcp_the_mark_follows(void **state)
{
	(void)state;
	new_flow(IPPROTO_UDP);
	translate();
	asks(getaddr(1, "tcp"));
	answers(address_is(1, "10.0.2.2.8.1"));
	assert_expected(IPPROTO_TCP, 2049);
	assert_int_equal(d.announced[0].form, CTH_FORM_UNIVERSAL);
	assert_int_equal(d.announced[0].off, 24);
	assert_int_equal(d.announced[0].len, 16);
	assert_int_equal(d.counted_n, 0);
	new_flow(IPPROTO_TCP);
	translate();
	flow.server = server6;
	flow.public = router6;
	asks(getaddr(1, "tcp6"));
	answers(address_is(1, "fd02::2.8.1"));
	assert_expected(IPPROTO_TCP, 2049);
	assert_int_equal(d.announced[0].off, 28);
	assert_int_equal(d.announced[0].len, 16);
	assert_int_equal(d.counted_n, 1);
	assert_int_equal(d.counted[0].off, 0);
	assert_int_equal(d.counted[0].width, 4);
	assert_int_not_equal(d.wanted[0].note_at, CTH_NOWHERE);
	assert_int_equal(d.wanted[0].public_port, 0);
}

/* Puts the reply's number back, as when it was lost on the way. */
static void again(struct text reply, uint32_t behind)
{
	uint32_t next = flow.seq[1];

	flow.seq[1] -= behind;
	answers(reply);
	flow.seq[1] = next;
}

static void what_was_rewritten_is_rewritten_alike_when_it_is_sent_again(void **state)
{
	struct text port, one, two;
	struct cth_decision before;

	(void)state;
	new_flow(IPPROTO_TCP);
	translate();
	port = port_is(1, 20048);
	one = address_is(2, "10.0.2.2.8.1");
	two = address_is(3, "10.0.2.2.255.255");
	asks(getport(1, IPPROTO_TCP));
	asks(getaddr(2, "udp"));
	asks(getaddr(3, "tcp"));
	answers(port);
	before = d;
	again(port, (uint32_t)port.n);
	assert_memory_equal(&d.wanted, &before.wanted, sizeof(d.wanted));
	assert_memory_equal(&d.announced, &before.announced, sizeof(d.announced));
	answers(one);
	before = d;
	again(one, (uint32_t)one.n);
	assert_int_equal(d.wanted[0].public_port, 40000); /* which was told */
	d.wanted[0].public_port = 0;
	assert_memory_equal(&d.wanted, &before.wanted, sizeof(d.wanted));
	assert_memory_equal(&d.announced, &before.announced, sizeof(d.announced));
	assert_memory_equal(&d.counted, &before.counted, sizeof(d.counted));
	answers(two);
	assert_expected(IPPROTO_TCP, 65535);
	assert_int_equal(d.wanted[0].public_port, 0);
	/* All three are still known, and new questions do not mix them up. */
	again(port, (uint32_t)(port.n + one.n + two.n));
	assert_expected(IPPROTO_TCP, 20048);
	again(one, (uint32_t)(one.n + two.n));
	assert_expected(IPPROTO_UDP, 2049);
	assert_int_equal(d.wanted[0].note_at, CTH_NOWHERE);
	again(two, (uint32_t)two.n);
	assert_expected(IPPROTO_TCP, 65535);
	assert_int_equal(d.wanted[0].public_port, 40000);
	/* One that stands elsewhere is none of them. */
	again(port, (uint32_t)(port.n + one.n + two.n - 4));
	assert_int_equal(d.wanted_n, 0);
}

static void two_that_were_told_come_again_in_one_segment(void **state)
{
	struct text both, two;

	(void)state;
	new_flow(IPPROTO_TCP);
	translate();
	asks(getaddr(1, "tcp"));
	asks(getport(2, IPPROTO_TCP));
	both = port_is(2, 3000);
	two = address_is(1, "10.0.2.2.8.1");
	answers(both);
	answers(two);
	memcpy(both.b + both.n, two.b, two.n);
	both.n += two.n;
	again(both, (uint32_t)both.n);
	assert_int_equal(d.wanted_n, 2);
	assert_int_equal(d.announced[0].off, 30);
	assert_int_equal(d.announced[1].off, 32 + 28);
	assert_int_equal(d.counted[0].off, 32);
	/* And the second one alone, behind a piece of the first. */
	memmove(both.b, both.b + 31, both.n - 31);
	both.n -= 31;
	again(both, (uint32_t)both.n);
	assert_int_equal(d.wanted_n, 1);
	assert_int_equal(d.wanted[0].port, 2049);
	assert_int_equal(d.announced[0].off, 1 + 28);
}

static void two_addresses_in_one_segment_cannot_both_be_rewritten(void **state)
{
	struct text both, two;

	(void)state;
	new_flow(IPPROTO_TCP);
	translate();
	asks(getaddr(1, "tcp"));
	asks(getaddr(2, "udp"));
	both = address_is(1, "10.0.2.2.8.1");
	two = address_is(2, "10.0.2.2.8.1");
	memcpy(both.b + both.n, two.b, two.n);
	both.n += two.n;
	answers(both);
	assert_int_equal(d.wanted_n, 1);
	assert_int_equal(d.wanted[0].l4, IPPROTO_TCP);
	assert_int_equal(d.notes, NOTE(UNFOLLOWED));
}

/* ---- segments ---- */

/* Each in two segments. */
static void cut_at(struct text call, struct text reply, size_t cut_call, size_t cut_reply)
{
	if (cut_call)
		goes(false, call.b, cut_call);
	if (cut_call < call.n)
		goes(false, call.b + cut_call, call.n - cut_call);
	if (cut_reply)
		goes(true, reply.b, cut_reply);
	if (cut_reply < reply.n)
		goes(true, reply.b + cut_reply, reply.n - cut_reply);
}

static void followed(void)
{
	assert_int_equal(flow.wanted, 1);
	assert_int_equal(flow.last.port, 20048);
	assert_int_equal(flow.last.l4, IPPROTO_UDP);
	assert_int_equal(flow.notes, 0);
}

static void new_stream(bool six)
{
	new_flow(IPPROTO_TCP);
	if (six)
		flow.server = flow.public = server6;
}

static void every_cut(bool six, struct text (*call)(uint32_t), struct text (*reply)(uint32_t))
{
	for (uint32_t xid = 6; xid < 8; xid++) {
		struct text c, a;

		new_flow(IPPROTO_TCP);
		c = call(xid);
		a = reply(xid);
		for (size_t i = 0; i <= c.n; i++) {
			new_stream(six);
			cut_at(c, a, i, 0);
			followed();
		}
		for (size_t i = 0; i <= a.n; i++) {
			new_stream(six);
			cut_at(c, a, c.n, i);
			followed();
		}
		new_stream(six);
		for (size_t i = 0; i < c.n; i++)
			goes(false, c.b + i, 1);
		for (size_t i = 0; i < a.n; i++)
			goes(true, a.b + i, 1);
		followed();
	}
}

static struct text call_port(uint32_t xid)
{
	return getport(xid, IPPROTO_UDP);
}

static struct text reply_port(uint32_t xid)
{
	return port_is(xid, 20048);
}

static struct text call_address(uint32_t xid)
{
	return getaddr(xid, "udp6");
}

static struct text reply_address(uint32_t xid)
{
	return address_is(xid, "fd02::2.78.80");
}

static void segments_may_cut_calls_and_answers_at_every_byte(void **state)
{
	(void)state;
	every_cut(false, call_port, reply_port);
	every_cut(true, call_address, reply_address);
}

static void translated_a_port_may_be_cut_before_and_an_address_nowhere(void **state)
{
	struct text c, a;

	(void)state;
	new_flow(IPPROTO_TCP);
	c = getport(1, IPPROTO_TCP);
	a = port_is(1, 20048);
	for (size_t i = 0; i < a.n; i++) {
		new_flow(IPPROTO_TCP);
		translate();
		cut_at(c, a, c.n, i);
		if (i == 31) {
			assert_int_equal(flow.wanted, 0);
			assert_int_equal(flow.notes, NOTE(UNFOLLOWED));
			continue;
		}
		assert_int_equal(flow.wanted, 1);
		assert_int_equal(d.announced[0].off, 30 - i);
		/* The segment with the port, again. */
		flow.seq[1] -= (uint32_t)(a.n - i);
		goes(true, a.b + i, a.n - i);
		assert_int_equal(d.wanted_n, 1);
		assert_int_equal(d.wanted[0].port, 20048);
		assert_int_equal(d.announced[0].off, 30 - i);
	}
	new_flow(IPPROTO_TCP);
	c = getaddr(1, "tcp");
	a = address_is(1, "10.0.2.2.78.80");
	for (size_t i = 1; i < a.n; i++) {
		new_flow(IPPROTO_TCP);
		translate();
		cut_at(c, a, c.n, i);
		assert_int_equal(flow.wanted, 0);
		assert_int_equal(flow.notes, NOTE(UNFOLLOWED));
	}
}

static void messages_may_have_several_fragments_wherever_they_end(void **state)
{
	struct text c, a;

	(void)state;
	new_flow(IPPROTO_TCP);
	c = call_address(7);
	a = reply_address(7);
	for (size_t i = 0; i <= c.n - 4; i++) {
		struct text t = { { 0 }, 0 };

		word(&t, (uint32_t)i); /* not the last one */
		memcpy(t.b + t.n, c.b + 4, i);
		t.n += i;
		word(&t, 0x80000000u | (uint32_t)(c.n - 4 - i));
		memcpy(t.b + t.n, c.b + 4 + i, c.n - 4 - i);
		t.n += c.n - 4 - i;
		new_flow(IPPROTO_TCP);
		flow.server = flow.public = server6;
		for (size_t k = 0; k < t.n; k++)
			goes(false, t.b + k, 1);
		says(true, &a);
		followed();
	}
	for (size_t i = 0; i <= a.n - 4; i++) {
		struct text t = { { 0 }, 0 };

		word(&t, (uint32_t)i);
		memcpy(t.b + t.n, a.b + 4, i);
		t.n += i;
		word(&t, 0x80000000u | (uint32_t)(a.n - 4 - i));
		memcpy(t.b + t.n, a.b + 4 + i, a.n - 4 - i);
		t.n += a.n - 4 - i;
		new_flow(IPPROTO_TCP);
		flow.server = flow.public = server6;
		says(false, &c);
		says(true, &t);
		followed();
		/* Rewritten only if the mark that counts stands where it always does. */
		new_flow(IPPROTO_TCP);
		flow.server = server6;
		flow.public = router6;
		flow.rewrite = true;
		says(false, &c);
		says(true, &t);
		assert_int_equal(flow.wanted, i == 0);
		if (i == 0)
			assert_int_equal(d.counted[0].off, 4);
	}
}

static void several_messages_may_share_a_segment(void **state)
{
	struct text both, two;

	(void)state;
	new_flow(IPPROTO_TCP);
	both = getport(1, IPPROTO_TCP);
	two = getaddr(2, "udp");
	memcpy(both.b + both.n, two.b, two.n);
	both.n += two.n;
	asks(both);
	both = port_is(1, 2001);
	two = address_is(2, "10.0.2.2.78.80");
	memcpy(both.b + both.n, two.b, two.n);
	both.n += two.n;
	answers(both);
	assert_int_equal(d.wanted_n, 2);
	assert_int_equal(d.wanted[0].port, 2001);
	assert_int_equal(d.wanted[1].port, 20048);
}

static void a_gap_ends_it_until_it_is_filled(void **state)
{
	struct text one = { { 0 }, 0 };

	(void)state;
	new_flow(IPPROTO_TCP);
	asks(getport(1, IPPROTO_TCP));
	asks(getport(2, IPPROTO_TCP));
	one = port_is(1, 2001);
	flow.seq[1] += (uint32_t)one.n; /* it was not seen */
	answers(port_is(2, 2002));
	assert_only_noted(NOTE(UNFOLLOWED));
	again(one, (uint32_t)(2 * one.n));
	assert_expected(IPPROTO_TCP, 2001);
	again(port_is(2, 2002), (uint32_t)one.n);
	assert_expected(IPPROTO_TCP, 2002);
}

static void a_gap_amid_what_nobody_wants_is_none(void **state)
{
	struct text t;

	(void)state;
	new_flow(IPPROTO_TCP);
	call_begin(&t, 1, 2, 4);
	end(&t);
	asks(t);
	reply_begin(&t, 1);
	for (unsigned i = 0; i < 100; i++)
		word(&t, 1);
	end(&t);
	goes(true, t.b, 40);
	flow.seq[1] += (uint32_t)t.n - 40;
	port_of_tcp();
	/* But one that swallows a mark is. */
	call_begin(&t, 1, 2, 4);
	end(&t);
	asks(t);
	reply_begin(&t, 1);
	word(&t, 1);
	end(&t);
	goes(true, t.b, 24);
	flow.seq[1] += (uint32_t)t.n - 24 + 4;
	asks(getport(3, IPPROTO_TCP));
	answers(port_is(3, 2000));
	assert_only_noted(NOTE(UNFOLLOWED));
}

/* Puts the call's number back, as when it was lost on the way. */
static void asks_again(struct text call, uint32_t behind)
{
	uint32_t next = flow.seq[0];

	flow.seq[0] -= behind;
	asks(call);
	flow.seq[0] = next;
}

static struct text writes_address(uint32_t xid)
{
	struct text t;

	call_begin(&t, xid, 4, 8);
	opaque(&t, "\12\0\2\2\4\0", 6);
	end(&t);
	return t;
}

static void a_call_that_was_lost_is_read_again(void **state)
{
	struct text call;

	(void)state;
	for (unsigned times = 0; times < 4; times++) {
		new_flow(IPPROTO_TCP);
		asks(getport(1, IPPROTO_TCP));
		answers(port_is(1, 2001));
		call = getaddr(2, "udp");
		asks(call);
		for (unsigned i = 0; i < times; i++)
			asks_again(call, (uint32_t)call.n);
		assert_int_equal(d.notes, 0);
		answers(address_is(2, "10.0.2.2.78.80"));
		assert_expected(IPPROTO_UDP, 20048);
		port_of_tcp();
	}
}

/* The server may take the second instead of the first. */
static void closed_by_the_second_of_two(struct text first, struct text second, uint32_t behind,
					unsigned notes)
{
	new_flow(IPPROTO_TCP);
	asks(first);
	asks_again(second, behind);
	assert_int_equal(d.notes, notes);
	asks(getaddr(7, "tcp"));
	answers(address_is(7, "10.0.2.2.78.80"));
	assert_only_noted(0);
}

static void who_sends_other_bytes_with_the_same_numbers_is_not_followed(void **state)
{
	struct text call, longer, other, two;

	(void)state;
	new_flow(IPPROTO_TCP);
	call = getaddr(7, "tcp");
	longer = writes_address(7);
	call_begin(&other, 7, 4, 8); /* as long as the call */
	memset(other.b + other.n, 0, call.n - other.n);
	other.n = call.n;
	end(&other);
	closed_by_the_second_of_two(call, other, (uint32_t)call.n, 0);
	closed_by_the_second_of_two(call, longer, (uint32_t)call.n, NOTE(UNFOLLOWED));
	closed_by_the_second_of_two(call, getaddr(7, "udp"), (uint32_t)call.n, 0);
	closed_by_the_second_of_two(call, getaddr(9, "tcp"), (uint32_t)call.n, 0);
	/* A part of it, from its start or not, or more than it. */
	two = call;
	memcpy(two.b + two.n, longer.b, longer.n);
	two.n += longer.n;
	closed_by_the_second_of_two(call, two, (uint32_t)call.n, NOTE(UNFOLLOWED));
	longer.n = call.n - 4;
	memcpy(longer.b, call.b, longer.n);
	closed_by_the_second_of_two(call, longer, (uint32_t)call.n, NOTE(UNFOLLOWED));
	closed_by_the_second_of_two(call, call, 4, NOTE(UNFOLLOWED));
	closed_by_the_second_of_two(call, call, (uint32_t)call.n + 1, NOTE(UNFOLLOWED));
	/* Two calls in one segment, whose second copy might begin in the first. */
	two = getport(6, IPPROTO_TCP);
	memcpy(two.b + two.n, call.b, call.n);
	two.n += call.n;
	closed_by_the_second_of_two(two, two, (uint32_t)two.n, NOTE(UNFOLLOWED));
	closed_by_the_second_of_two(two, call, (uint32_t)call.n, NOTE(UNFOLLOWED));
}

static void who_asks_behind_a_gap_is_not_followed_any_more(void **state)
{
	struct text fill, ask;

	(void)state;
	new_flow(IPPROTO_TCP);
	asks(getaddr(7, "tcp"));
	answers(address_is(7, "10.0.2.2.78.80"));
	assert_expected(IPPROTO_TCP, 20048);
	call_begin(&fill, 8, 4, 0);
	end(&fill);
	ask = writes_address(7);
	flow.seq[0] += (uint32_t)fill.n;
	asks(ask);
	assert_only_noted(NOTE(UNFOLLOWED));
	asks_again(fill, (uint32_t)(ask.n + fill.n));
	reply_begin(&fill, 8);
	end(&fill);
	answers(fill);
	answers(address_is(7, "10.0.2.2.4.0"));
	assert_only_noted(0);
	/* Nor is there a gap before the first. */
	new_flow(IPPROTO_TCP);
	flow.seq[0] += (uint32_t)ask.n;
	asks(getaddr(7, "tcp"));
	asks_again(ask, (uint32_t)(ask.n + getaddr(7, "tcp").n));
	assert_only_noted(NOTE(UNFOLLOWED));
	answers(address_is(7, "10.0.2.2.4.0"));
	assert_only_noted(0);
}

static void over_tcp_a_call_is_answered_once(void **state)
{
	(void)state;
	new_flow(IPPROTO_TCP);
	asks(getport(1, IPPROTO_TCP));
	answers(port_is(1, 2001));
	assert_expected(IPPROTO_TCP, 2001);
	answers(port_is(1, 2002));
	assert_only_noted(0);
	asks(getport(1, IPPROTO_TCP));
	answers(port_is(1, 0)); /* there is no such program */
	answers(port_is(1, 2002));
	assert_only_noted(0);
}

/* A client chooses where segments begin, by what he acknowledges: that alone makes no message. */
static void an_answer_begins_where_a_mark_says_and_nowhere_else(void **state)
{
	struct text lie, all;

	(void)state;
	new_flow(IPPROTO_TCP);
	asks(getport(1, IPPROTO_TCP));
	lie = port_is(1, 2000);
	reply_begin(&all, 9);
	memcpy(all.b + all.n, lie.b, lie.n);
	all.n += lie.n;
	end(&all);
	goes(true, all.b, all.n - lie.n);
	goes(true, lie.b, lie.n);
	assert_only_noted(0);
	answers(lie);
	assert_expected(IPPROTO_TCP, 2000);
}

static void fragments_longer_than_any_of_rfc_1833_end_it(void **state)
{
	uint8_t mark[] = { 0x80, 1, 0, 0 };

	(void)state;
	new_flow(IPPROTO_TCP);
	asks(getport(1, IPPROTO_TCP));
	goes(true, mark, sizeof(mark));
	assert_only_noted(NOTE(UNFOLLOWED));
	answers(port_is(1, 2000));
	assert_only_noted(0);
	new_flow(IPPROTO_TCP);
	goes(false, "GET / HTTP/1.1\r\n", 16);
	assert_only_noted(NOTE(UNFOLLOWED));
}

static void empty_messages_are_passed(void **state)
{
	uint8_t mark[] = { 0x80, 0, 0, 0, 0, 0, 0, 0 };

	(void)state;
	new_flow(IPPROTO_TCP);
	goes(false, mark, sizeof(mark));
	goes(false, mark + 4, 4);
	goes(false, mark, 4); /* it was one with two fragments, and that is the other */
	port_of_tcp();
}

/* ---- hostile ---- */

static void prefix(struct cth_span bytes, void *ctx)
{
	bool *reply = ctx;

	if (bytes.n == 0)
		return;
	new_flow(IPPROTO_UDP);
	if (*reply)
		asks(getaddr(1, "tcp"));
	goes(*reply, bytes.p, bytes.n);
	assert_true(d.wanted_n == 0 || bytes.n >= 24 + 4 + 14); /* but for what fills it up */
}

static void what_is_cut_short_is_no_answer(void **state)
{
	bool reply = false;
	struct text t;

	(void)state;
	new_flow(IPPROTO_UDP);
	t = getaddr(1, "tcp");
	every_truncation(cth_span(t.b, t.n), prefix, &reply);
	reply = true;
	t = address_is(1, "10.0.2.2.78.80");
	every_truncation(cth_span(t.b, t.n), prefix, &reply);
}

static void any_byte(struct cth_span bytes, void *ctx)
{
	unsigned which = *(unsigned *)ctx;

	new_flow(which & 1 ? IPPROTO_TCP : IPPROTO_UDP);
	flow.rewrite = which & 2;
	asks(getaddr(1, "tcp"));
	goes(true, bytes.p, bytes.n);
	assert_true(d.wanted_n <= 1);
	goes(false, bytes.p, bytes.n);
	assert_true(d.wanted_n == 0);
}

static void every_byte_may_have_every_value(void **state)
{
	struct text t;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		new_flow(i & 1 ? IPPROTO_TCP : IPPROTO_UDP);
		t = address_is(1, "10.0.2.2.78.80");
		every_byte_value(cth_span(t.b, t.n), any_byte, &i);
		t = getaddr(1, "tcp");
		every_byte_value(cth_span(t.b, t.n), any_byte, &i);
	}
}

static void any_state_is_survived(void **state)
{
	uint32_t x = 1;

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		struct text t;

		new_flow(i & 1 ? IPPROTO_TCP : IPPROTO_UDP);
		flow.rewrite = i & 2;
		for (unsigned k = 0; k < CTH_STATE; k++) {
			x = x * 1664525 + 1013904223;
			flow.state[k] = i & 4 && x >> 30 ? 0 : (uint8_t)(x >> 24);
		}
		if (i & 1) { /* as if it were right there */
			cth_store_be32(flow.state + 1, flow.seq[0]);
			cth_store_be32(flow.state + 11, flow.seq[1]);
		}
		t = i & 8 ? address_is(x >> 20, "10.0.2.2.78.80") : getaddr(x >> 20, "tcp");
		says(i & 8, &t);
		assert_true(d.wanted_n <= 1 || flow.l4 == IPPROTO_TCP);
	}
}

static void calls_without_end_leave_the_last_ones(void **state)
{
	(void)state;
	new_flow(IPPROTO_UDP);
	for (uint32_t i = 0; i < 3000; i++)
		asks(getport(i, IPPROTO_TCP));
	answers(port_is(2999, 2000));
	assert_expected(IPPROTO_TCP, 2000);
	answers(port_is(1500, 2000));
	assert_only_noted(0);
}

static void the_constants_are_what_the_kernel_takes(void **state)
{
	struct cth_helper h = { .name = "rpc", .l3 = AF_INET, .l4 = IPPROTO_TCP, .classes = 1 };

	(void)state;
	assert_string_equal(cth_proto_rpc.name, "rpc");
	assert_int_equal(cth_proto_rpc.port, 111);
	assert_null(cth_proto_rpc.classes[1].name);
	strcpy(h.policy[0].name, cth_proto_rpc.classes[0].name);
	h.policy[0].max = cth_proto_rpc.classes[0].max;
	h.policy[0].timeout = cth_proto_rpc.classes[0].timeout;
	h.priv_len = cth_proto_rpc.state_len;
	assert_int_equal(cth_helper_check(&h, NULL), 0);
	assert_ptr_equal(cth_proto_find("rpc"), &cth_proto_rpc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answered_port_is_expected_over_the_transport_that_was_asked_for),
		cmocka_unit_test(universal_addresses_are_read_of_versions_3_and_4),
		cmocka_unit_test(rpcinfo_and_rpcbind_understand_each_other),
		cmocka_unit_test(a_flow_of_udp_stays_for_what_is_expected),
		cmocka_unit_test(a_program_that_is_not_registered_is_not_expected),
		cmocka_unit_test(ports_below_1024_are_followed_if_that_is_allowed),
		cmocka_unit_test(another_address_than_the_servers_own_is_not_followed),
		cmocka_unit_test(several_calls_may_wait_for_their_answers_in_any_order),
		cmocka_unit_test(a_call_that_is_sent_again_takes_no_room),
		cmocka_unit_test(the_later_question_of_one_number_counts),
		cmocka_unit_test(other_answers_are_none),
		cmocka_unit_test(what_cannot_be_read_is_noted),
		cmocka_unit_test(transports_other_than_tcp_and_udp_are_not_followed),
		cmocka_unit_test(pings_and_dumps_are_nobodys_business),
		cmocka_unit_test(who_has_the_server_write_an_address_is_not_followed_any_more),
		cmocka_unit_test(a_translated_port_is_two_bytes_of_the_answer),
		cmocka_unit_test(a_translated_address_is_a_string_and_over_tcp_the_mark_follows),
		cmocka_unit_test(what_was_rewritten_is_rewritten_alike_when_it_is_sent_again),
		cmocka_unit_test(two_that_were_told_come_again_in_one_segment),
		cmocka_unit_test(two_addresses_in_one_segment_cannot_both_be_rewritten),
		cmocka_unit_test(segments_may_cut_calls_and_answers_at_every_byte),
		cmocka_unit_test(translated_a_port_may_be_cut_before_and_an_address_nowhere),
		cmocka_unit_test(messages_may_have_several_fragments_wherever_they_end),
		cmocka_unit_test(several_messages_may_share_a_segment),
		cmocka_unit_test(a_gap_ends_it_until_it_is_filled),
		cmocka_unit_test(a_gap_amid_what_nobody_wants_is_none),
		cmocka_unit_test(a_call_that_was_lost_is_read_again),
		cmocka_unit_test(who_sends_other_bytes_with_the_same_numbers_is_not_followed),
		cmocka_unit_test(who_asks_behind_a_gap_is_not_followed_any_more),
		cmocka_unit_test(over_tcp_a_call_is_answered_once),
		cmocka_unit_test(an_answer_begins_where_a_mark_says_and_nowhere_else),
		cmocka_unit_test(fragments_longer_than_any_of_rfc_1833_end_it),
		cmocka_unit_test(empty_messages_are_passed),
		cmocka_unit_test(what_is_cut_short_is_no_answer),
		cmocka_unit_test(every_byte_may_have_every_value),
		cmocka_unit_test(any_state_is_survived),
		cmocka_unit_test(calls_without_end_leave_the_last_ones),
		cmocka_unit_test(the_constants_are_what_the_kernel_takes),
	};

	return RUN(tests);
}
