/* SPDX-License-Identifier: MIT */
/*
 * ip.h - where the headers of an IP packet are. The packet may be cut anywhere.
 */
#ifndef CTH_IP_H
#define CTH_IP_H

#include <stdbool.h>
#include "../netlink/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Offsets count from the first of the bytes that were given to cth_ip_find(). */
struct cth_ip {
	uint8_t version;     /* 4 or 6 */
	uint8_t proto;       /* IPPROTO_*, behind the IPv6 extension headers */
	bool fragment;       /* not the first: no transport header in here */
	bool more;           /* other fragments follow */
	bool routed;         /* IPv6: a routing header, not this one, has the final destination */
	bool sealed;         /* IPv6: an authentication header signs what follows */
	size_t header_len;   /* IPv4 with options, IPv6 with extensions; 0 if not there in full */
	size_t l4;           /* the transport header; 0 if its fixed part is not there in full */
	size_t body;         /* what the transport carries; 0 if unknown */
	size_t body_len;     /* bytes of it that are there: never past capture or packet */
	size_t total;        /* the packet's length by its own header; 0: untold (GSO, jumbogram) */
	uint16_t sport, dport; /* TCP, UDP */
	uint8_t type, code;  /* ICMP, ICMPv6 */
};

/*
 * Finds the headers of the packet that starts with bytes: 0, and what lies beyond the
 * cut is 0. -EBADMSG, and all of *ip is 0: not IP, or a header that contradicts itself.
 * Transports known are TCP, UDP, ICMP and ICMPv6; others have neither l4 nor body.
 */
int cth_ip_find(struct cth_ip *ip, struct cth_span bytes);

#ifdef __cplusplus
}
#endif
#endif
