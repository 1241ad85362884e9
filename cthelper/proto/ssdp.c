/* SPDX-License-Identifier: MIT */
/*
 * ssdp.c - how control points find devices, and are told of events: SSDP and GENA of the UPnP
 * Device Architecture, 1.0 to 2.0.
 *
 *     control point, port C --- M-SEARCH ----------> group 239.255.255.250 or ff0x::c
 *     control point, port C <-- 200, LOCATION ------ any device, of any port
 *     control point --- SUBSCRIBE, CALLBACK, ... --> the device, TCP, port of LOCATION
 *     control point, port of CALLBACK <-- NOTIFY --- the device, TCP
 *
 *     M-SEARCH * HTTP/1.1          HTTP/1.1 200 OK
 *     HOST: 239.255.255.250:1900   LOCATION: http://10.0.1.9:5000/device
 *     MX: 3                        ST: upnp:rootdevice
 *
 *     SUBSCRIBE /event HTTP/1.1
 *     CALLBACK: <http://10.0.1.2:6000/>
 *     NT: upnp:event
 *
 * An answer is a flow of its own, and so is each connection to a device. Both are expected, and
 * expected flows keep no state: what is announced is followed if it stands in one packet with
 * the line that begins the message.
 */
#include <sys/socket.h>
#include "../proto.h"

#define SSDP_TCP 6
#define SSDP_UDP 17

#define SSDP_HTTP        80   /* the port of a URL that names none */
#define SSDP_MX_MAX      120  /* seconds, of 1.0; later versions have 5 */
#define SSDP_MX_LATE     5    /* that a device may take longer */
#define SSDP_DEVICE      300  /* seconds, see below */
#define SSDP_AUTHORITY   53   /* bytes: eight groups, four of the digits with dots, and a port */

enum { SSDP_EVENT, SSDP_SEARCH, SSDP_DESCRIPTION };

/* A URL of the sender's own: he will be called there. */
static void ssdp_follow(const struct cth_view *v, struct cth_decision *d, struct cth_span url,
			uint8_t class_number, uint8_t flags)
{
	bool http = cth_read_word(&url, "http://");
	const uint8_t *start = url.p;
	struct cth_wanted *w;
	struct cth_addr host;
	uint32_t port;

	if (!http || !cth_read_authority(&url, SSDP_HTTP, &host, &port) ||
	    (size_t)(url.p - start) > SSDP_AUTHORITY) {
		cth_note(d, CTH_NOTE_GARBLED);
	} else if (!cth_addr_equal(&host, &v->self) && !cth_addr_equal(&host, &v->self_public)) {
		cth_note(d, CTH_NOTE_FOREIGN);
	} else if (!cth_port_is_allowed(v, port)) {
		cth_note(d, CTH_NOTE_LOW_PORT);
	} else if ((w = cth_want(v, d)) != NULL) {
		w->class_number = class_number;
		w->l4 = SSDP_TCP;
		w->flags = flags;
		w->port = (uint16_t)port;
		(void)cth_announce(d, w, (size_t)(start - v->body.p), (size_t)(url.p - start),
				   CTH_FORM_AUTHORITY, 0);
	}
}

/* 239.255.255.250, and ff0x::c of whatever scope x. */
static bool ssdp_is_group(const struct cth_addr *a)
{
	static const uint8_t ipv4[] = { 239, 255, 255, 250 };
	static const uint8_t ipv6[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0c };

	if (a->family == AF_INET)
		return memcmp(a->b, ipv4, sizeof(ipv4)) == 0;
	return a->b[0] == 0xff && a->b[1] < 0x10 && memcmp(a->b + 2, ipv6, sizeof(ipv6)) == 0;
}

/* Who asks one device alone is answered by that one, though maybe from another port. */
static void ssdp_search(const struct cth_view *v, struct cth_decision *d)
{
	struct cth_wanted *w = cth_want_answers(v, d, 0);
	struct cth_span value;
	uint32_t mx;

	if (!w)
		return;
	w->class_number = SSDP_SEARCH;
	if (!ssdp_is_group(&v->peer))
		w->source = CTH_FROM_PEER;
	w->flags |= CTH_WANT_CHILD;
	if (cth_find_header(v->body, "MX", &value) == CTH_HEADER_FOUND &&
	    cth_read_number(&value, UINT32_MAX, &mx))
		d->timeout = (mx < SSDP_MX_MAX ? mx : SSDP_MX_MAX) + SSDP_MX_LATE;
}

static bool ssdp_is_answer(struct cth_span body)
{
	uint32_t number;

	return cth_read_word(&body, "HTTP/1.") && cth_read_number(&body, 9, &number) &&
	       cth_read_word(&body, " 200 ");
}

static void ssdp_answer(const struct cth_view *v, struct cth_decision *d)
{
	struct cth_span url;

	if (cth_find_header(v->body, "LOCATION", &url) != CTH_HEADER_FOUND)
		return;
	ssdp_follow(v, d, url, SSDP_DESCRIPTION, CTH_WANT_PERMANENT | CTH_WANT_CHILD);
	if (d->wanted_n)
		d->timeout = SSDP_DEVICE;
}

/* Of several URLs the device takes the first that answers. Who renews has sent his before. */
static void ssdp_subscribe(const struct cth_view *v, struct cth_decision *d)
{
	struct cth_span urls;
	enum cth_header h = cth_find_header(v->body, "CALLBACK", &urls);

	if (h == CTH_HEADER_CUT)
		cth_note(d, CTH_NOTE_UNFOLLOWED);
	if (h != CTH_HEADER_FOUND)
		return;
	for (unsigned i = 0; i < CTH_WANTED && (i == 0 || urls.n); i++) {
		const uint8_t *end = urls.n ? memchr(urls.p, '>', urls.n) : NULL;
		struct cth_span url;

		if (!end || !cth_read_word(&urls, "<")) {
			cth_note(d, CTH_NOTE_GARBLED);
			return;
		}
		url = cth_span_sub(urls, 0, (size_t)(end - urls.p) + 1);
		urls = cth_span_sub(urls, url.n, urls.n - url.n);
		ssdp_follow(v, d, url, SSDP_EVENT, CTH_WANT_PERMANENT);
		cth_skip_blanks(&urls);
	}
	if (urls.n)
		cth_note(d, CTH_NOTE_UNFOLLOWED);
}

static void ssdp_decide(const struct cth_view *v, struct cth_decision *d)
{
	struct cth_span rest = v->body;

	if (v->l4 == SSDP_TCP && !v->reply && cth_read_word(&rest, "SUBSCRIBE "))
		ssdp_subscribe(v, d);
	else if (v->l4 == SSDP_UDP && !v->reply && cth_read_word(&rest, "M-SEARCH * HTTP/1."))
		ssdp_search(v, d);
	else if (v->l4 == SSDP_UDP && ssdp_is_answer(rest))
		ssdp_answer(v, d);
}

static const uint8_t ssdp_l4[] = { SSDP_UDP, SSDP_TCP, 0 };

/*
 * A search is answered for as long as its MX says; its expectation ends with its flow. A device is
 * called for its description, those of its services, actions and subscriptions at once, in a few
 * connections, and later again: what comes more than five minutes after its answer is the
 * firewall's to allow. Some programs answer for all devices of their host, each with a port of
 * its own. Events come for as long as the connection that subscribed is remembered, and for half
 * an hour at most, in which subscriptions are renewed. Theirs is the first class because older
 * kernels know no other without a helper for the new flow.
 */
const struct cth_proto cth_proto_ssdp = {
	.name = "ssdp",
	.l4 = ssdp_l4,
	.port = 1900,
	.classes = {
		[SSDP_EVENT] = { "event", 8, 1800 },
		[SSDP_SEARCH] = { "search", 1, SSDP_MX_MAX + SSDP_MX_LATE },
		[SSDP_DESCRIPTION] = { "description", 8, SSDP_DEVICE },
	},
	.wants_l4 = ssdp_l4,
	.wants_source = CTH_FROM_PEER | CTH_FROM_ANY,
	.wants_dest = CTH_TO_SELF | CTH_TO_OWN,
	.wants_flags = CTH_WANT_PERMANENT | CTH_WANT_CHILD,
	.lowest_port = CTH_LOWEST_PORT,
	.announces = 1 << CTH_FORM_AUTHORITY,
	.longest_text = SSDP_AUTHORITY,
	.growth = CTH_WANTED * 42, /* "[::1]" gets a port, and an address without a zero */
	.longest = SSDP_DEVICE,
	.child = "ssdp",
	.decide = ssdp_decide,
};
