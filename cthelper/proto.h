/* SPDX-License-Identifier: MIT */
/*
 * proto.h - what a protocol is to the engine: some constants, and one pure function that
 * looks at what a packet carries and says what is to come of it.
 *
 *     flow, state, bytes --> decide() --> struct cth_decision --> the engine
 *
 * The function sees nothing else and does nothing else: no clock, no memory of its own, no
 * address or port but those of this flow. The decision has a fixed size and no pointers, so
 * that the two may stand in two processes; and the engine believes none of it: whatever
 * goes beyond the constants here is refused.
 */
#ifndef CTH_PROTO_H
#define CTH_PROTO_H

#include "flow.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CTH_STATE       32 /* bytes that the kernel keeps for a flow, both directions together */
#define CTH_WANTED      4  /* expectations from one packet, at most */
#define CTH_ANNOUNCED   4  /* places in it that are to be rewritten */
#define CTH_COUNTED     2  /* lengths in it that follow from that */
#define CTH_CLASSES     4  /* of expectations */
#define CTH_NOWHERE     0xff /* no place in the state: see note_at */
#define CTH_LOWEST_PORT 1024 /* below it ports are the system's own services' */

/* What the operator may allow: the first only to protocols that want CTH_TO_OTHER at all. */
enum {
	CTH_ALLOW_FOREIGN   = 1 << 0, /* announced addresses of third parties */
	CTH_ALLOW_LOW_PORTS = 1 << 1, /* announced ports below 1024 */
};

/*
 * A packet of the flow, from its sender's point of view: addresses and ports are those that
 * the sender knows. Behind NAT the other side knows it as *_public.
 */
struct cth_view {
	uint8_t l4;                   /* IPPROTO_* */
	bool reply;                   /* sent by the side that answers */
	bool first;                   /* the flow's first packet, as yet unconfirmed */
	bool rewrite;                 /* the flow is translated: announcements will be rewritten */
	uint32_t allow;               /* CTH_ALLOW_* */
	struct cth_addr self, peer;   /* sender, receiver */
	struct cth_addr self_public;  /* the sender, as the receiver knows it */
	uint16_t self_port, peer_port;
	uint32_t seq;                 /* TCP: number of body's first byte, as the sender counts */
	uint32_t ack;                 /* TCP: the next one that the receiver owes, as he counts */
	uint8_t state[CTH_STATE];     /* as the flow's last decision left it; zero at first */
	struct cth_span body;         /* never empty */
};

/* Where an expected flow may come from. */
enum cth_source {
	CTH_FROM_PEER = 1 << 0, /* the receiver's address */
	CTH_FROM_ANY  = 1 << 1, /* any address */
};

/* Where it goes to. */
enum cth_dest {
	CTH_TO_SELF  = 1 << 0, /* the very address and port that the sender has in this flow */
	CTH_TO_OWN   = 1 << 1, /* the sender's address, and the port that is told */
	CTH_TO_OTHER = 1 << 2, /* the address that is told: never rewritten */
};

enum {
	CTH_WANT_PERMANENT = 1 << 0, /* outlives its first use */
	CTH_WANT_INACTIVE  = 1 << 1,
	CTH_WANT_EVEN      = 1 << 2, /* a chosen port is even, as the announced one must be */
	CTH_WANT_CHILD     = 1 << 3, /* the new flow has a helper as well: the protocol's child */
	CTH_WANT_PORT_ONLY = 1 << 4, /* only choose the public port, and note it: see public_port */
};

/* A flow that is about to begin. */
struct cth_wanted {
	uint8_t class_number;    /* from 0 */
	uint8_t l4;
	uint8_t source, dest;    /* enum cth_source, enum cth_dest */
	uint8_t flags;           /* CTH_WANT_* */
	uint8_t ports;           /* how many in a row, from port on; 0 counts as 1 */
	uint16_t port;           /* as its owner knows it */
	uint16_t source_port;    /* 0: any */
	/*
	 * Where the flow is translated the engine chooses a port that the other side will be told,
	 * and tries the owner's own one first. public_port is one that was chosen before, and
	 * note_at the place in the state where the choice is kept, big-endian, CTH_NOWHERE for
	 * nowhere: so a retransmission is told the same. If it came to nothing (no port was free,
	 * or the packet must not be rewritten) public_port is kept there, or 0. Where nothing in
	 * this packet tells it, public_port is final.
	 */
	uint16_t public_port;
	uint8_t note_at;
	struct cth_addr address; /* CTH_TO_OTHER */
};

/* How an announcement is written. What does not follow from the expectation is in text. */
enum cth_form {
	CTH_FORM_NONE,    /* nothing: the bytes are cut out */
	CTH_FORM_PORT,    /* 6446 */
	CTH_FORM_COMMAS,  /* 132,235,1,2,24,131: IPv4 only */
	CTH_FORM_ADDRESS_PORT, /* 132.235.1.2|6446, or an IPv6 address, with separator between */
	CTH_FORM_ADDRESS, /* 132.235.1.2, 2001:db8::1 */
	CTH_FORM_AUTHORITY, /* of RFC 3986: 132.235.1.2:6446, [2001:db8::1]:6446 */
	CTH_FORM_BINARY_PORT, /* two bytes, big-endian */
	CTH_FORM_UNIVERSAL, /* of RFC 5665, 132.235.1.2.25.46, as a string of XDR (RFC 4506): its
			       length in four bytes, and zeros behind it up to a multiple of four */
	CTH_FORMS
};

/*
 * A place in the packet where an expectation is announced. Of a text that segments cut, each has a
 * piece: from is how much the ones before have, and more says that others follow, so that here goes
 * no more of it than there is room in len; the last one has all that is left, maybe nothing. Who
 * goes by the places of the original's bytes has the same pieces again of any retransmission. With
 * from the port is the expectation's public_port, and final, as another packet has begun to
 * tell it.
 */
struct cth_announced {
	uint32_t off, len; /* in the body: in ascending order, not overlapping; not empty, but that
			      a last piece may be put in before the byte at off */
	uint8_t form;      /* enum cth_form */
	uint8_t separator; /* of CTH_FORM_ADDRESS_PORT: printable, and no digit */
	uint8_t wanted;    /* which of the expectations; of no meaning with CTH_FORM_NONE, ... */
	uint8_t from;      /* bytes of the text; ... */
	uint8_t more;      /* ... nor are these two: not 0, it goes on in the next segment */
};

/*
 * A big-endian length of the protocol's own, somewhere in the body: it grows, or shrinks, by as
 * much as the body does.
 */
struct cth_counted {
	uint32_t off;  /* in the body, ascending, beside all that is announced */
	uint8_t width; /* bytes: 2 or 4 */
};

/* Why something that looks like an announcement is not followed. Each is counted. */
enum cth_note {
	CTH_NOTE_NONE,
	CTH_NOTE_FOREIGN,   /* it names the address of a third party */
	CTH_NOTE_LOW_PORT,  /* a port below 1024 */
	CTH_NOTE_GARBLED,   /* it cannot be read */
	CTH_NOTE_UNFOLLOWED, /* a part of it was not seen, or came too late to be rewritten */
	CTH_NOTE_SEALED,    /* the flow is encrypted from here on */
	CTH_NOTES
};

/* No bool in here, nor enum: any byte is a value, whoever wrote it. */
struct cth_decision {
	uint8_t drop;           /* else the packet passes */
	uint8_t leave;          /* the flow's packets need not be queued any more */
	uint8_t state_changed;
	uint8_t notes;          /* set of 1 << enum cth_note */
	uint8_t wanted_n, announced_n, counted_n;
	uint8_t fixed;          /* another packet has told how long this one's text is, so it must
				   stay so: a shorter one gets zeros in front of its port, which
				   is in CTH_FORM_PORT, and with a longer one it stays as it is */
	uint32_t timeout;       /* seconds that the flow may be idle from now on; 0: as it is */
	uint8_t state[CTH_STATE];
	struct cth_wanted wanted[CTH_WANTED];
	struct cth_announced announced[CTH_ANNOUNCED];
	struct cth_counted counted[CTH_COUNTED];
};

/* What a protocol may do to flow and packet, beside announcing and expecting. */
enum {
	CTH_MAY_DROP  = 1 << 0,
	CTH_MAY_LEAVE = 1 << 1,
};

/* A class of expectations: how many at once per flow, and for how long each. */
struct cth_class {
	const char *name;
	uint8_t max;
	uint32_t timeout; /* seconds */
};

struct cth_proto {
	const char *name;        /* of the helper, too */
	const uint8_t *l4;       /* IPPROTO_*, 0 ends it */
	uint8_t family;          /* AF_INET, AF_INET6: only there; 0: both */
	uint16_t port;           /* the usual one, for rules */
	uint8_t state_len;       /* bytes of state in use, up to CTH_STATE */
	struct cth_class classes[CTH_CLASSES]; /* the first without a name ends them */
	/* What it may ever want. */
	const uint8_t *wants_l4; /* 0 ends it */
	uint8_t wants_source, wants_dest, wants_flags; /* sets */
	uint8_t wants_ports;     /* in a row, at most; 0 counts as 1 */
	uint16_t lowest_port;    /* announced ones below it only with CTH_ALLOW_LOW_PORTS */
	/* What it may ever have rewritten: so much of a stream is at a liar's mercy, no more. */
	uint8_t announces;       /* set of 1 << enum cth_form: CTH_FORM_NONE too if it cuts, or
				    announces in pieces */
	uint8_t longest_text;    /* bytes of one announcement as they may stand in a packet; and of
				    all that is cut out of one, or gives way to later pieces */
	uint16_t growth;         /* bytes that a rewritten packet may be longer */
	uint8_t counts;          /* lengths that may have to follow, at most */
	uint8_t may;             /* CTH_MAY_*: what else may come of its packets */
	/*
	 * It has to see a TCP stream from its first byte, as the receiver does. So a connection that
	 * the kernel picked up in its midst (net.netfilter.nf_conntrack_tcp_loose) is not decided on;
	 * and segments whose bytes a receiver may leave out, with URG, or without ACK, do not pass.
	 */
	bool whole_stream;
	uint32_t longest;        /* timeout of the flow, seconds; 0: it never sets one */
	const char *child;       /* the helper of CTH_WANT_CHILD; its own name stands for whatever
				    it is served by */
	/*
	 * Pure: the same view gives the same decision. *d comes as "pass, and nothing else", with
	 * the view's state in it; a change of d->state counts with d->state_changed. It may see a
	 * packet twice (a retransmission; on loopback both ways) and must then decide alike.
	 */
	void (*decide)(const struct cth_view *v, struct cth_decision *d);
};

/* Runs the protocol, from "pass, and nothing else". */
void cth_decide(const struct cth_proto *proto, const struct cth_view *v, struct cth_decision *d);

/*
 * For decide(): one more expectation to fill in, from the peer to the sender's own address,
 * class 0, of the flow's own l4, with note_at CTH_NOWHERE; NULL: there are CTH_WANTED already.
 */
struct cth_wanted *cth_want(const struct cth_view *v, struct cth_decision *d);

/*
 * The same for answers to what is asked of many: from any address, to the very port that asked, as
 * often as they come. source_port 0: of any.
 */
struct cth_wanted *cth_want_answers(const struct cth_view *v, struct cth_decision *d,
				    uint16_t source_port);

/* May it be announced, as CTH_LOWEST_PORT and CTH_ALLOW_LOW_PORTS have it? 0 is no port. */
static inline bool cth_port_is_allowed(const struct cth_view *v, uint32_t port)
{
	return port >= (v->allow & CTH_ALLOW_LOW_PORTS ? 1u : CTH_LOWEST_PORT);
}

/* For public_port, of what the state has kept: 0, where nothing is translated, or not allowed. */
static inline uint16_t cth_told_port(const struct cth_view *v, uint16_t port)
{
	return v->rewrite && cth_port_is_allowed(v, port) ? port : 0;
}

/*
 * Notes that the expectation w of d is announced at off, or with NULL, and CTH_FORM_NONE, that the
 * bytes there are to go. false: too many places. Nothing is rewritten but on a translated flow
 * (v->rewrite), and never the announcement of a third party.
 */
bool cth_announce(struct cth_decision *d, const struct cth_wanted *w, size_t off, size_t len,
		  enum cth_form form, char separator);

/* Notes that a length of width 2 or 4 at off follows the change. false: too many. */
bool cth_count(struct cth_decision *d, size_t off, unsigned width);

/* Has a reason counted why something is not followed. The packet passes in any case. */
static inline void cth_note(struct cth_decision *d, enum cth_note note)
{
	d->notes |= (uint8_t)(1 << note);
}

/*
 * Reads what stands at the front of *rest, and takes it off. false: it is not there, and *rest is
 * as it was. Numbers are decimal digits, and no greater than max. Addresses are four numbers up to
 * 255 with dots between them, or IPv6 as RFC 4291 part 2.2 writes it, in all its forms, without
 * brackets and zone; whatever can belong to one is taken for a part of it. _xdr: four bytes.
 */
bool cth_read_number(struct cth_span *rest, uint32_t max, uint32_t *number);
bool cth_read_address(struct cth_span *rest, struct cth_addr *a);
bool cth_read_xdr(struct cth_span *rest, uint32_t *number);

/* Is text, in upper or lower case ASCII, at the front of *rest? Then it is taken off. */
bool cth_read_word(struct cth_span *rest, const char *text);

enum cth_header {
	CTH_HEADER_FOUND,
	CTH_HEADER_ABSENT,
	CTH_HEADER_CUT, /* the headers go on in another segment */
};

/*
 * Of messages of lines: blanks off the front of *rest, and a line, without its end; false: there is
 * no whole one. The value of the first header of that name, blanks before it skipped. And an
 * authority of RFC 3986, an address and a port, or none, then it is the usual one; false: it is
 * none, or a name.
 */
void cth_skip_blanks(struct cth_span *rest);
bool cth_read_line(struct cth_span *rest, struct cth_span *line);
enum cth_header cth_find_header(struct cth_span message, const char *name, struct cth_span *value);
bool cth_read_authority(struct cth_span *rest, uint16_t usual, struct cth_addr *host,
			uint32_t *port);

/*
 * Writes an address as CTH_FORM_ADDRESS has it, without a NUL: how many bytes. So what a sender has
 * written can be held against its own address, byte by byte, where segments cut it.
 */
#define CTH_ADDRESS_ROOM 40
size_t cth_write_address(const struct cth_addr *a, char text[CTH_ADDRESS_ROOM]);

/* All protocols of the library; NULL ends the list. cth_proto_find(): NULL, there is none. */
extern const struct cth_proto *const cth_protos[];
const struct cth_proto *cth_proto_find(const char *name);

/* The protocols that the library has. */
extern const struct cth_proto cth_proto_amanda;
extern const struct cth_proto cth_proto_dhcpv6;
extern const struct cth_proto cth_proto_ftp;
extern const struct cth_proto cth_proto_mdns;
extern const struct cth_proto cth_proto_rpc;
extern const struct cth_proto cth_proto_sane;
extern const struct cth_proto cth_proto_slp;
extern const struct cth_proto cth_proto_ssdp;
extern const struct cth_proto cth_proto_tftp;
extern const struct cth_proto cth_proto_tns;

#ifdef __cplusplus
}
#endif
#endif
