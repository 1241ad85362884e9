/* SPDX-License-Identifier: MIT */
/* ssdp.c - what UPnP's searches, answers and subscriptions come to, and everything else. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include "unit.h"
#include "../../cthelper/service.h"
#include "../../cthelper/helper.h"

#define TCP 6
#define UDP 17

enum { EVENT, SEARCH, DESCRIPTION }; /* classes */

#define SEARCHES(more) "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n" \
		       "MAN: \"ssdp:discover\"\r\n" more "\r\n"
#define ANSWERS(more)  "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nEXT:\r\n" more \
		       "ST: upnp:rootdevice\r\n\r\n"
#define CALLS(more)    "SUBSCRIBE /event HTTP/1.1\r\nHOST: 10.0.1.9:5000\r\n" more \
		       "NT: upnp:event\r\n\r\n"
#define LOCATION       "LOCATION: http://10.0.1.9:5000/rootDesc.xml\r\n"
#define CALLBACK       "CALLBACK: <http://10.0.1.2:6000/event>\r\n"

static struct cth_decision d;
static struct cth_view v;

static struct cth_addr address(const char *text)
{
	struct cth_addr a = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	assert_int_equal(inet_pton(a.family, text, a.b), 1);
	return a;
}

/* The view of a packet that was sent by one and goes to the other; decided,
and within bounds. */
static void decide_view(struct cth_span body)
{
	struct cth_served served = { .proto = &cth_proto_ssdp, .allow = v.allow };
	struct cth_call c = { .served = &served };

	v.body = body;
	cth_decide(&cth_proto_ssdp, &v, &d);
	c.view = v;
	assert_null(cth_decision_beyond(&c, &d));
}

static void decide(const char *text)
{
	decide_view(at_the_edge(cth_span(text, strlen(text))));
}

static void sent(uint8_t l4, const char *self, uint16_t self_port, const char *peer,
		 uint16_t peer_port)
{
	memset(&v, 0, sizeof(v));
	v.l4 = l4;
	v.first = l4 == UDP;
	v.self = v.self_public = address(self);
	v.peer = address(peer);
	v.self_port = self_port;
	v.peer_port = peer_port;
}

static void searching(const char *group)
{
	sent(UDP, strchr(group, ':') ? "fd01::2" : "10.0.1.2", 43433, group, 1900);
}

static void answering(void)
{
	sent(UDP, "10.0.1.9", 1900, "10.0.1.2", 43433);
}

static void subscribing(void)
{
	sent(TCP, "10.0.1.2", 37192, "10.0.1.9", 5000);
}

static void assert_nothing_else(void)
{
	assert_false(d.drop);
	assert_false(d.leave);
	assert_false(d.state_changed);
	assert_int_equal(d.counted_n, 0);
	assert_int_equal(d.announced_n, d.wanted_n - (d.wanted_n && d.wanted[0].dest == CTH_TO_SELF));
}

static void assert_silent(void)
{
	assert_nothing_else();
	assert_int_equal(d.wanted_n, 0);
	assert_int_equal(d.notes, 0);
	assert_int_equal(d.timeout, 0);
}

static void assert_noted(enum cth_note note)
{
	assert_nothing_else();
	assert_int_equal(d.wanted_n, 0);
	assert_int_equal(d.notes, 1 << note);
	assert_int_equal(d.timeout, 0);
}

static void assert_searched(enum cth_source source)
{
	assert_nothing_else();
	assert_int_equal(d.notes, 0);
	assert_int_equal(d.wanted_n, 1);
	assert_int_equal(d.wanted[0].class_number, SEARCH);
	assert_int_equal(d.wanted[0].l4, UDP);
	assert_int_equal(d.wanted[0].source, source);
	assert_int_equal(d.wanted[0].dest, CTH_TO_SELF);
	assert_int_equal(d.wanted[0].flags, CTH_WANT_PERMANENT | CTH_WANT_CHILD);
	assert_int_equal(d.wanted[0].source_port, 0);
}

/* The i-th is of a TCP flow to the sender, at this port, told by this text. */
static void assert_told(unsigned i, unsigned class_number, uint16_t port, const char *text)
{
	assert_nothing_else();
	assert_true(i < d.wanted_n);
	assert_int_equal(d.wanted[i].class_number, class_number);
	assert_int_equal(d.wanted[i].l4, TCP);
	assert_int_equal(d.wanted[i].source, CTH_FROM_PEER);
	assert_int_equal(d.wanted[i].dest, CTH_TO_OWN);
	assert_int_equal(d.wanted[i].flags,
			 CTH_WANT_PERMANENT | (class_number == DESCRIPTION ? CTH_WANT_CHILD : 0));
	assert_int_equal(d.wanted[i].port, port);
	assert_int_equal(d.wanted[i].source_port, 0);
	assert_int_equal(d.announced[i].form, CTH_FORM_AUTHORITY);
	assert_int_equal(d.announced[i].wanted, i);
	assert_int_equal(d.announced[i].len, strlen(text));
	assert_memory_equal(v.body.p + d.announced[i].off, text, strlen(text));
}

static void assert_located(uint16_t port, const char *text)
{
	assert_int_equal(d.notes, 0);
	assert_int_equal(d.wanted_n, 1);
	assert_int_equal(d.timeout, 300);
	assert_told(0, DESCRIPTION, port, text);
}

static void assert_called_back(uint16_t port, const char *text)
{
	assert_int_equal(d.notes, 0);
	assert_int_equal(d.wanted_n, 1);
	assert_int_equal(d.timeout, 0);
	assert_told(0, EVENT, port, text);
}

/* ---- searches ---- */

static void a_search_of_a_group_expects_answers_from_anyone_at_the_askers_port(void **state)
{
	static const char *const groups[] = {
		"239.255.255.250", "ff02::c", "ff05::c", "ff08::c", "ff0e::c",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(groups); i++) {
		searching(groups[i]);
		decide(SEARCHES("MX: 2\r\nST: ssdp:all\r\n"));
		assert_searched(CTH_FROM_ANY);
	}
}

static void a_search_of_one_device_expects_it_alone(void **state)
{
	static const char *const others[] = {
		"10.0.1.9",
		"239.255.255.251",
		"fd01::9",
		"ff02::d",
		"ff02::1:c",
		"ff12::c",
		"fe02::c",
		"ff02:1::c",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(others); i++) {
		searching(others[i]);
		decide(SEARCHES("ST: ssdp:all\r\n"));
		assert_searched(CTH_FROM_PEER);
		assert_int_equal(d.timeout, 0);
	}
}

static void answers_are_waited_for_as_long_as_mx_says(void **state)
{
	static const struct {
		const char *text;
		uint32_t timeout;
	} cases[] = {
		{ SEARCHES("MX: 2\r\n"), 7 },
		{ SEARCHES("mx:5\r\n"), 10 },
		{ SEARCHES("Mx :\t 120 \r\n"), 125 },
		{ SEARCHES("MX: 121\r\n"), 125 },
		{ SEARCHES("MX: 4294967295\r\n"), 125 },
		{ SEARCHES("MX: 0\r\n"), 5 },
		{ SEARCHES(""), 0 }, { SEARCHES("MX:\r\n"), 0 }, { SEARCHES("MX: soon\r\n"), 0 },
		{ SEARCHES("MX: 4294967296\r\n"), 0 },
		{ SEARCHES("MXX: 3\r\n"), 0 },
		{ SEARCHES("\r\nMX: 3\r\n"), 0 },
		{ "M-SEARCH * HTTP/1.1\nMX: 3\n\n", 8 }, { "M-SEARCH * HTTP/1.0\r\nMX: 3", 0 },
	};

	(void)state;
	searching("239.255.255.250");
	for (size_t i = 0; i < N_OF(cases); i++) {
		decide(cases[i].text);
		assert_searched(CTH_FROM_ANY);
		if (d.timeout != cases[i].timeout)
			fail_msg("%s: %u", cases[i].text, d.timeout);
	}
}

static void who_is_asked_does_not_search(void **state)
{
	(void)state;
	searching("239.255.255.250");
	v.reply = true;
	decide(SEARCHES("MX: 2\r\n"));
	assert_silent();
}

static void what_is_no_search_is_none(void **state)
{
	static const char *const others[] = {
		"M-SEARCH",
		"M-SEARCH * HTTP/",
		"M-SEARCH  * HTTP/1.1\r\n\r\n",
		" M-SEARCH * HTTP/1.1\r\n\r\n",
		"M-SEARCH http://10.0.1.9/ HTTP/1.1\r\n\r\n",
		"NOTIFY * HTTP/1.1\r\n" LOCATION "\r\n",
		CALLS(CALLBACK),
		"\r",
	};

	(void)state;
	searching("239.255.255.250");
	for (size_t i = 0; i < N_OF(others); i++) {
		decide(others[i]);
		assert_silent();
	}
}

/* ---- answers ---- */

static void an_answer_expects_the_asker_where_its_location_is(void **state)
{
	(void)state;
	answering();
	decide(ANSWERS(LOCATION));
	assert_located(5000, "10.0.1.9:5000");
}

static void an_answer_in_the_searchs_own_flow_does_so_too(void **state)
{
	(void)state;
	answering();
	v.reply = true;
	decide(ANSWERS(LOCATION));
	assert_located(5000, "10.0.1.9:5000");
}

static void a_location_is_read_in_any_case_and_with_any_spacing(void **state)
{
	static const char *const cases[] = {
		ANSWERS("Location:http://10.0.1.9:5000/d\r\n"),
		ANSWERS("location : \t http://10.0.1.9:5000\r\n"),
		ANSWERS("LOCATION: HTTP://10.0.1.9:5000/d \r\n"),
		ANSWERS("LOCATION:\thttp://10.0.1.9:5000?d\r\n"),
		ANSWERS("LOCATION: http://10.0.1.9:5000#d\r\n"),
		"HTTP/1.0 200 ok\nLOCATION: http://10.0.1.9:5000/d\n",
		ANSWERS("LOCATIONS: x\r\nALOCATION: y\r\nLOCATION\r\n" LOCATION),
		ANSWERS(LOCATION "LOCATION: http://10.0.1.10:5000/\r\n"),
	};

	(void)state;
	answering();
	for (size_t i = 0; i < N_OF(cases); i++) {
		decide(cases[i]);
		assert_located(5000, "10.0.1.9:5000");
	}
}

static void an_ipv6_location_stands_in_brackets(void **state)
{
	(void)state;
	sent(UDP, "fd01::9", 1900, "fd01::2", 43433);
	decide(ANSWERS("LOCATION: http://[fd01::9]:5000/d\r\n"));
	assert_located(5000, "[fd01::9]:5000");
	decide(ANSWERS("LOCATION: http://[FD01:0:0:0:0:0:0:9]:5000/d\r\n"));
	assert_located(5000, "[FD01:0:0:0:0:0:0:9]:5000");
	decide(ANSWERS("LOCATION: http://fd01::9/d\r\n"));
	assert_noted(CTH_NOTE_GARBLED);
	decide(ANSWERS("LOCATION: http://[fd01::9:5000/d\r\n"));
	assert_noted(CTH_NOTE_GARBLED);
	decide(ANSWERS("LOCATION: http://[10.0.1.9]:5000/d\r\n"));
	assert_noted(CTH_NOTE_GARBLED);
}

static void the_location_of_another_host_is_foreign(void **state)
{
	static const char *const cases[] = {
		ANSWERS("LOCATION: http://10.0.1.10:5000/d\r\n"),
		ANSWERS("LOCATION: http://127.0.0.1:5000/d\r\n"),
		ANSWERS("LOCATION: http://10.0.1.2:5000/d\r\n"),
		ANSWERS("LOCATION: http://[fd01::9]:5000/d\r\n"),
	};

	(void)state;
	answering();
	v.allow = CTH_ALLOW_FOREIGN; /* this protocol has no use for it */
	for (size_t i = 0; i < N_OF(cases); i++) {
		decide(cases[i]);
		assert_noted(CTH_NOTE_FOREIGN);
	}
}

static void ports_below_1024_are_for_the_operator_to_allow(void **state)
{
	static const struct {
		const char *text, *told;
		uint16_t port;
	} cases[] = {
		{ ANSWERS("LOCATION: http://10.0.1.9/d\r\n"), "10.0.1.9", 80 },
		{ ANSWERS("LOCATION: http://10.0.1.9:80/d\r\n"), "10.0.1.9:80", 80 },
		{ ANSWERS("LOCATION: http://10.0.1.9:1/\r\n"), "10.0.1.9:1", 1 },
		{ ANSWERS("LOCATION: http://10.0.1.9:1023\r\n"), "10.0.1.9:1023", 1023 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		answering();
		decide(cases[i].text);
		assert_noted(CTH_NOTE_LOW_PORT);
		v.allow = CTH_ALLOW_LOW_PORTS;
		decide(cases[i].text);
		assert_located(cases[i].port, cases[i].told);
	}
	answering();
	decide(ANSWERS("LOCATION: http://10.0.1.9:1024\r\n"));
	assert_located(1024, "10.0.1.9:1024");
}

static void a_location_that_is_no_address_and_port_is_garbled(void **state)
{
	static const char *const cases[] = {
		ANSWERS("LOCATION:\r\n"),
		ANSWERS("LOCATION: 10.0.1.9:5000\r\n"),
		ANSWERS("LOCATION: https://10.0.1.9:5000/\r\n"),
		ANSWERS("LOCATION: http://\r\n"),
		ANSWERS("LOCATION: http:///d\r\n"),
		ANSWERS("LOCATION: http://host:5000/\r\n"),
		ANSWERS("LOCATION: http://10.0.1.9:0/\r\n"), ANSWERS("LOCATION: http://10.0.1.9:65536/\r\n"),
		ANSWERS("LOCATION: http://10.0.1.9:/\r\n"), ANSWERS("LOCATION: http://10.0.1.9:5000x/\r\n"),
		ANSWERS("LOCATION: http://10.0.1.9:5000@10.0.1.10/\r\n"),
		ANSWERS("LOCATION: http://10.0.1.9@10.0.1.10:5000/\r\n"),
		ANSWERS("LOCATION: http://10.0.1.9.example:5000/\r\n"),
		ANSWERS("LOCATION: http://10.0.1:5000/\r\n"),
		ANSWERS("LOCATION: http://10.0.1.256:5000/\r\n"),
		ANSWERS("LOCATION: http:// 10.0.1.9:5000/\r\n"),
		ANSWERS("LOCATION: http://10.0.1.9:000000000000000000000000000000000000000005000/\r\n"),
		/* beyond any */
	};

	(void)state;
	answering();
	v.allow = CTH_ALLOW_LOW_PORTS;
	for (size_t i = 0; i < N_OF(cases); i++) {
		decide(cases[i]);
		assert_noted(CTH_NOTE_GARBLED);
	}
}

static void the_longest_authority_is_read(void **state)
{
	(void)state;
	sent(UDP, "2001:db8:1111:2222:3333:4444:192.168.100.200", 1900, "fd01::2", 43433);
	decide(ANSWERS("LOCATION: http://[2001:0db8:1111:2222:3333:4444:192.168.100.200]:65535/\r\n"));
	assert_located(65535, "[2001:0db8:1111:2222:3333:4444:192.168.100.200]:65535");
	decide(ANSWERS("LOCATION: http://[2001:0db8:1111:2222:3333:4444:192.168.100.200]:065535/\r\n"));
	assert_noted(CTH_NOTE_GARBLED);
}

static void what_is_no_answer_with_a_location_means_nothing(void **state)
{
	static const char *const cases[] = {
		ANSWERS(""),
		ANSWERS("\r\n" LOCATION),
		"HTTP/1.1 200 OK\r\n\r\n" LOCATION,
		"HTTP/1.1 200 OK\r\nLOCATION: http://10.0.1.9:5000",
		"HTTP/1.1 404 Not Found\r\n" LOCATION "\r\n",
		"HTTP/1.1 2000 OK\r\n" LOCATION "\r\n",
		"HTTP/1.1 200\r\n" LOCATION "\r\n",
		"HTTP/2.1 200 OK\r\n" LOCATION "\r\n",
		"HTTP/1.10 200 OK\r\n" LOCATION "\r\n",
		"\r\nHTTP/1.1 200 OK\r\n" LOCATION "\r\n",
		"NOTIFY * HTTP/1.1\r\n" LOCATION "\r\n", LOCATION, "\n", "HTTP/1.1 200 OK",
	};

	(void)state;
	answering();
	for (size_t i = 0; i < N_OF(cases); i++) {
		decide(cases[i]);
		assert_silent();
	}
}

static void a_translated_device_may_name_either_of_its_addresses(void **state)
{
	(void)state;
	answering();
	v.self_public = address("192.0.2.1");
	v.rewrite = true;
	decide(ANSWERS("LOCATION: http://192.0.2.1:5000/\r\n"));
	assert_located(5000, "192.0.2.1:5000");
	decide(ANSWERS(LOCATION));
	assert_located(5000, "10.0.1.9:5000");
}

/* ---- subscriptions ---- */

static void a_subscription_expects_the_device_at_its_callback(void **state)
{
	(void)state;
	subscribing();
	decide(CALLS(CALLBACK));
	assert_called_back(6000, "10.0.1.2:6000");
	decide(CALLS("Callback :<HTTP://10.0.1.2:6000>\r\n"));
	assert_called_back(6000, "10.0.1.2:6000");
	decide("SUBSCRIBE /event HTTP/1.1\n" "CALLBACK:\t <http://10.0.1.2:6000/>  \n");
	assert_called_back(6000, "10.0.1.2:6000");
}

static void an_ipv6_callback_stands_in_brackets(void **state)
{
	(void)state;
	sent(TCP, "fd01::2", 37192, "fd01::9", 5000);
	decide(CALLS("CALLBACK: <http://[fd01::2]:6000/event>\r\n"));
	assert_called_back(6000, "[fd01::2]:6000");
}

static void each_of_several_callbacks_is_expected(void **state)
{
	(void)state;
	subscribing();
	decide(CALLS("CALLBACK: <http://10.0.1.2:6000/a><http://10.0.1.2:6001/b> "
		     "<http://10.0.1.2:6002/>\r\n"));
	assert_int_equal(d.notes, 0);
	assert_int_equal(d.wanted_n, 3);
	assert_told(0, EVENT, 6000, "10.0.1.2:6000");
	assert_told(1, EVENT, 6001, "10.0.1.2:6001");
	assert_told(2, EVENT, 6002, "10.0.1.2:6002");
}

static void no_more_of_them_than_a_packet_may_bring(void **state)
{
	(void)state;
	subscribing();
	decide(CALLS("CALLBACK: <http://10.0.1.2:6000><http://10.0.1.2:6001><http://10.0.1.2:6002>"
		     "<http://10.0.1.2:6003><http://10.0.1.2:6004><http://10.0.1.99:6005>\r\n"));
	assert_int_equal(d.notes, 1 << CTH_NOTE_UNFOLLOWED);
	assert_int_equal(d.wanted_n, CTH_WANTED);
	assert_told(3, EVENT, 6003, "10.0.1.2:6003");
}

static void callbacks_that_are_not_followed_do_not_hold_up_the_others(void **state)
{
	(void)state;
	subscribing();
	decide(CALLS("CALLBACK: <http://10.0.1.99:6000/><http://10.0.1.2/>"
		     "<http://host/><http://10.0.1.2:6000/>\r\n"));
	assert_int_equal(d.notes, 1 << CTH_NOTE_FOREIGN | 1 << CTH_NOTE_LOW_PORT | 1 << CTH_NOTE_GARBLED);
	assert_int_equal(d.wanted_n, 1);
	assert_told(0, EVENT, 6000, "10.0.1.2:6000");
}

static void callbacks_without_their_signs_are_garbled(void **state)
{
	static const char *const cases[] = {
		CALLS("CALLBACK:\r\n"),
		CALLS("CALLBACK: http://10.0.1.2:6000/\r\n"),
		CALLS("CALLBACK: <http://10.0.1.2:6000/\r\n"),
		CALLS("CALLBACK: http://10.0.1.2:6000/>\r\n"),
		CALLS("CALLBACK: <>\r\n"),
		CALLS("CALLBACK: <http://10.0.1.2:6000x>\r\n"),
		CALLS("CALLBACK: << http://10.0.1.2:6000/>\r\n"), CALLS("CALLBACK: ><\r\n"),
	};

	(void)state;
	subscribing();
	for (size_t i = 0; i < N_OF(cases); i++) {
		decide(cases[i]);
		assert_noted(CTH_NOTE_GARBLED);
	}
}

static void a_subscription_cut_before_its_callback_is_not_followed(void **state)
{
	static const char *const cases[] = {
		"SUBSCRIBE ", "SUBSCRIBE /event HTTP/1.1\r\nHOST: 10.0.1.9:5000\r\n",
		"SUBSCRIBE /event HTTP/1.1\r\nCALLBACK: <http://10.0.1.2:6000/>",
	};

	(void)state;
	subscribing();
	for (size_t i = 0; i < N_OF(cases); i++) {
		decide(cases[i]);
		assert_noted(CTH_NOTE_UNFOLLOWED);
	}
}

static void a_renewal_and_all_other_requests_mean_nothing(void **state)
{
	static const char *const cases[] = {
		CALLS("SID: uuid:1\r\n"),
		CALLS("\r\n" CALLBACK),
		"UNSUBSCRIBE /event HTTP/1.1\r\n" CALLBACK "\r\n",
		"GET / HTTP/1.1\r\n" CALLBACK "\r\n",
		"POST / HTTP/1.1\r\n\r\n" CALLS(CALLBACK),
		SEARCHES("MX: 2\r\n"),
		ANSWERS(LOCATION),
		"NOTIFY /event HTTP/1.1\r\n" CALLBACK "\r\n", "SUBSCRIBER / HTTP/1.1\r\n" CALLBACK "\r\n",
	};

	(void)state;
	subscribing();
	for (size_t i = 0; i < N_OF(cases); i++) {
		decide(cases[i]);
		assert_silent();
	}
}

static void a_device_subscribes_to_nothing(void **state)
{
	(void)state;
	subscribing();
	v.reply = true;
	decide(CALLS(CALLBACK));
	assert_silent();
}

static void what_is_sent_again_is_decided_alike(void **state)
{
	static const char *const texts[] = { SEARCHES("MX: 2\r\n"), ANSWERS(LOCATION), CALLS(CALLBACK) };
	struct cth_decision again;

	(void)state;
	for (unsigned i = 0; i < N_OF(texts); i++) {
		if (i == 0)
			searching("239.255.255.250");
		else if (i == 1)
			answering();
		else
			subscribing();
		decide(texts[i]);
		v.first = false; /* the first one is confirmed by now */
		cth_decide(&cth_proto_ssdp, &v, &again);
		assert_memory_equal(&d, &again, sizeof(d));
	}
}

/* ---- whatever comes ---- */

static void whatever(struct cth_span bytes, void *ctx)
{
	(void)ctx;
	if (bytes.n == 0)
		return; /* never comes to a protocol */
	searching("239.255.255.250");
	decide_view(bytes);
	answering();
	decide_view(bytes);
	subscribing();
	decide_view(bytes);
	v.allow = CTH_ALLOW_LOW_PORTS | CTH_ALLOW_FOREIGN;
	decide_view(bytes);
}

static void truncations_and_bytes_of_any_value_stay_within_bounds(void **state)
{
	static const char *const texts[] = {
		SEARCHES("MX: 2\r\n"),
		ANSWERS(LOCATION),
		CALLS(CALLBACK),
		CALLS("CALLBACK: <http://10.0.1.2:1><http://[::1]:2>\r\n"),
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(texts); i++) {
		every_truncation(cth_span(texts[i], strlen(texts[i])), whatever, NULL);
		every_byte_value(cth_span(texts[i], strlen(texts[i])), whatever, NULL);
	}
}

static void cut_short(struct cth_span bytes, void *ctx)
{
	size_t whole = *(size_t *)ctx;

	if (bytes.n == 0)
		return;
	answering();
	decide_view(bytes);
	if (bytes.n < whole)
		assert_silent();
	else
		assert_located(5000, "10.0.1.9:5000");
}

/* parse_url and find_hdr of conntrackd's ssdp read on behind the packet's end. */
static void peer_bug_reads_a_location_beyond_the_end(void **state)
{
	static const char text[] = "HTTP/1.1 200 OK\r\n" LOCATION;
	size_t whole = sizeof(text) - 1;

	(void)state;
	every_truncation(cth_span(text, whole), cut_short, &whole);
}

static void the_constants_are_what_the_kernel_takes(void **state)
{
	struct cth_served served = { .proto = &cth_proto_ssdp };
	struct cth_helper h;

	(void)state;
	for (const uint8_t *l4 = cth_proto_ssdp.l4; *l4; l4++) {
		cth_served_helper(&served, AF_INET6, *l4, &h);
		assert_int_equal(cth_helper_check(&h, NULL), 0);
		assert_int_equal(h.classes, 3);
		assert_int_equal(h.priv_len, 0); /* expected flows keep nothing */
	}
	assert_ptr_equal(cth_proto_find("ssdp"), &cth_proto_ssdp);
	assert_string_equal(cth_proto_ssdp.child, cth_proto_ssdp.name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_search_of_a_group_expects_answers_from_anyone_at_the_askers_port),
		cmocka_unit_test(a_search_of_one_device_expects_it_alone),
		cmocka_unit_test(answers_are_waited_for_as_long_as_mx_says),
		cmocka_unit_test(who_is_asked_does_not_search),
		cmocka_unit_test(what_is_no_search_is_none),
		cmocka_unit_test(an_answer_expects_the_asker_where_its_location_is),
		cmocka_unit_test(an_answer_in_the_searchs_own_flow_does_so_too),
		cmocka_unit_test(a_location_is_read_in_any_case_and_with_any_spacing),
		cmocka_unit_test(an_ipv6_location_stands_in_brackets),
		cmocka_unit_test(the_location_of_another_host_is_foreign),
		cmocka_unit_test(ports_below_1024_are_for_the_operator_to_allow),
		cmocka_unit_test(a_location_that_is_no_address_and_port_is_garbled),
		cmocka_unit_test(the_longest_authority_is_read),
		cmocka_unit_test(what_is_no_answer_with_a_location_means_nothing),
		cmocka_unit_test(a_translated_device_may_name_either_of_its_addresses),
		cmocka_unit_test(a_subscription_expects_the_device_at_its_callback),
		cmocka_unit_test(an_ipv6_callback_stands_in_brackets),
		cmocka_unit_test(each_of_several_callbacks_is_expected),
		cmocka_unit_test(no_more_of_them_than_a_packet_may_bring),
		cmocka_unit_test(callbacks_that_are_not_followed_do_not_hold_up_the_others),
		cmocka_unit_test(callbacks_without_their_signs_are_garbled),
		cmocka_unit_test(a_subscription_cut_before_its_callback_is_not_followed),
		cmocka_unit_test(a_renewal_and_all_other_requests_mean_nothing),
		cmocka_unit_test(a_device_subscribes_to_nothing),
		cmocka_unit_test(what_is_sent_again_is_decided_alike),
		cmocka_unit_test(truncations_and_bytes_of_any_value_stay_within_bounds),
		cmocka_unit_test(peer_bug_reads_a_location_beyond_the_end),
		cmocka_unit_test(the_constants_are_what_the_kernel_takes),
	};

	return RUN(tests);
}
