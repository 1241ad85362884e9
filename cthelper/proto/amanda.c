/* SPDX-License-Identifier: MIT */
/*
 * amanda.c - Amanda, the network archiver, with its auth "bsd": amanda-auth(7), and what Amanda
 * 3.5 sends. The tape server asks over UDP. The host whose disks are saved replies where it
 * listens, and the server connects to each of these ports over TCP:
 *
 *     tape server                              host with the disks
 *     Amanda 3.5 REQ HANDLE 000-00000000 SEQ 1795953451
 *     SECURITY USER backup
 *     SERVICE sendbackup ...
 *                                              Amanda 3.5 ACK HANDLE 000-00000000 SEQ 1795953451
 *                                              Amanda 3.5 REP HANDLE 000-00000000 SEQ 1795953451
 *                                              CONNECT DATA 50037 MESG 50038 INDEX -1 STATE 50040
 *     Amanda 3.5 ACK HANDLE ...                             '---'      '---'             '---'
 *
 * A stream that there is not has -1 for its port. Services name their streams as they like: those
 * of amrecover are MESG alone, and CTL, DATA and STATE.
 *
 * A reply whose ACK is lost is sent again. Where the flow is translated it has to tell the same
 * ports, so those that were told are kept, with the SEQ of their request:
 *
 *       0       4           6           8           10          12
 *     +-------+-----------+-----------+-----------+-----------+
 *     | SEQ   | public    | public    | public    | public    |
 *     |       | port      | port      | port      | port      |
 *     +-------+-----------+-----------+-----------+-----------+
 */
#include <netinet/in.h>
#include "../proto.h"

enum { AMANDA_SEQ = 0, AMANDA_PORTS = 4, AMANDA_STATE = 12 };

#define AMANDA_STREAMS     4
#define AMANDA_DIGITS      5 /* of a port */

/*
 * An estimate may take five minutes until something is said of it (etimeout in amanda.conf(5)), and
 * what is lost is sent three times, ten seconds apart.
 */
#define AMANDA_PATIENCE 330

/* The ports of a line, and where they stand in the packet. */
struct amanda_line {
	unsigned n;
	bool more; /* there are others than these */
	struct {
		uint16_t port;
		size_t off, len;
	} stream[AMANDA_STREAMS];
};

/* Takes what is no space and no line's end off the front. false: nothing is. */
static bool amanda_skip_word(struct cth_span *rest)
{
	size_t n = 0;

	while (n < rest->n && rest->p[n] > ' ' && rest->p[n] < 127)
		n++;
	*rest = cth_span_sub(*rest, n, rest->n - n);
	return n > 0;
}

/* "Amanda 3.5 " of any version; what kind of packet it is comes next. */
static bool amanda_read_version(struct cth_span *rest)
{
	return cth_read_word(rest, "Amanda ") && amanda_skip_word(rest) && cth_read_word(rest, " ");
}

/* The first line of a reply, up to its end. */
static bool amanda_read_reply(struct cth_span *rest, uint32_t *seq)
{
	return cth_read_word(rest, "REP HANDLE ") && amanda_skip_word(rest) &&
	       cth_read_word(rest, " SEQ ") && cth_read_number(rest, UINT32_MAX, seq) &&
	       cth_read_word(rest, "\n");
}

/* " DATA 50037": notes the port, unless it is the -1 of a stream that there is not. */
static bool amanda_read_stream(struct cth_span *rest, size_t body, struct amanda_line *l)
{
	size_t off;
	uint32_t port;

	if (!cth_read_word(rest, " ") || !amanda_skip_word(rest) || !cth_read_word(rest, " "))
		return false;
	if (cth_read_word(rest, "-1"))
		return true;
	off = body - rest->n;
	if (!cth_read_number(rest, UINT16_MAX, &port) || body - rest->n - off > AMANDA_DIGITS)
		return false;
	if (l->n == AMANDA_STREAMS) {
		l->more = true;
		return true;
	}
	l->stream[l->n].port = (uint16_t)port;
	l->stream[l->n].off = off;
	l->stream[l->n].len = body - rest->n - off;
	l->n++;
	return true;
}

/* What follows CONNECT, up to the line's end, which has to be there. */
static bool amanda_read_streams(struct cth_span *rest, size_t body, struct amanda_line *l)
{
	while (!cth_read_word(rest, "\n"))
		if (!amanda_read_stream(rest, body, l))
			return false;
	return true;
}

/* The port that the i-th stream was told by, when this reply was sent before; or 0. */
static uint16_t amanda_told(const struct cth_view *v, uint32_t seq, unsigned i)
{
	return cth_be32(v->state + AMANDA_SEQ) == seq ?
	       cth_told_port(v, cth_be16(v->state + AMANDA_PORTS + 2 * i)) : 0;
}

static void amanda_expect(const struct cth_view *v, struct cth_decision *d,
			  const struct amanda_line *l, unsigned i, uint32_t seq)
{
	uint16_t port = l->stream[i].port;
	struct cth_wanted *w;

	if (!cth_port_is_allowed(v, port)) {
		cth_note(d, CTH_NOTE_LOW_PORT);
		return;
	}
	w = cth_want(v, d);
	if (!w)
		return;
	w->l4 = IPPROTO_TCP;
	w->port = port;
	w->public_port = amanda_told(v, seq, i);
	w->note_at = (uint8_t)(AMANDA_PORTS + 2 * i);
	if (v->rewrite)
		cth_announce(d, w, l->stream[i].off, l->stream[i].len, CTH_FORM_PORT, 0);
}

static void amanda_decide(const struct cth_view *v, struct cth_decision *d)
{
	struct cth_span rest = v->body;
	struct amanda_line line = { 0 };
	uint32_t seq;

	if (!amanda_read_version(&rest))
		return;
	d->timeout = AMANDA_PATIENCE;
	if (!v->reply || !amanda_read_reply(&rest, &seq) || !cth_read_word(&rest, "CONNECT"))
		return;
	if (!amanda_read_streams(&rest, v->body.n, &line)) {
		cth_note(d, CTH_NOTE_GARBLED);
		return;
	}
	if (line.more)
		cth_note(d, CTH_NOTE_UNFOLLOWED);
	for (unsigned i = 0; i < line.n; i++)
		amanda_expect(v, d, &line, i, seq);
	if (v->rewrite && cth_be32(v->state + AMANDA_SEQ) != seq) {
		memset(d->state, 0, sizeof(d->state));
		cth_store_be32(d->state + AMANDA_SEQ, seq);
		d->state_changed = true;
	}
}

static const uint8_t amanda_l4[] = { IPPROTO_UDP, 0 };
static const uint8_t amanda_streams_l4[] = { IPPROTO_TCP, 0 };

/*
 * The server connects at once, or when the reply comes again, ten seconds after. Two minutes
 * outlast that, and a host that waits for one stream after the other. One request is answered at a
 * time.
 */
const struct cth_proto cth_proto_amanda = {
	.name = "amanda",
	.l4 = amanda_l4,
	.port = 10080,
	.state_len = AMANDA_STATE,
	.classes = { { "amanda", AMANDA_STREAMS, 120 } },
	.wants_l4 = amanda_streams_l4,
	.wants_source = CTH_FROM_PEER,
	.wants_dest = CTH_TO_OWN,
	.lowest_port = CTH_LOWEST_PORT,
	.announces = 1 << CTH_FORM_PORT,
	.longest_text = AMANDA_DIGITS,
	.growth = AMANDA_STREAMS * (AMANDA_DIGITS - 1), /* 1 may become 10000, if it is allowed */
	.longest = AMANDA_PATIENCE,
	.decide = amanda_decide,
};
