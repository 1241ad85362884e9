/* SPDX-License-Identifier: MIT */
/*
 * packets.h - IP packets for the unit tests, made and checked without the library: the
 * checksum here works byte by byte with the carry brought round at once.
 */
#ifndef TEST_PACKETS_H
#define TEST_PACKETS_H

#include "unit.h"

#define TCP 6
#define UDP 17

/* What a packet is to look like. Zeros are the plainest. */
struct shape {
	int version;             /* 4 or 6 */
	uint8_t proto;           /* TCP, UDP, or another, which then has no header of its own */
	size_t options;          /* bytes of IPv4 options, of TCP options: multiples of 4 */
	size_t tcp_options;
	const uint8_t *ext;      /* IPv6 extension headers; the last names the transport */
	size_t ext_len;
	uint8_t first;           /* the number of the first of them */
};

struct packet {
	uint8_t b[70000];
	size_t n, l4, body;
	int version;
	uint8_t proto;
};

static inline uint16_t naive_sum(uint16_t sum, const uint8_t *p, size_t n, bool *odd)
{
	for (size_t i = 0; i < n; i++, *odd = !*odd) {
		uint32_t wide = sum + (*odd ? p[i] : (uint32_t)p[i] << 8);

		sum = (uint16_t)(wide > 0xffff ? wide - 0xffff : wide);
	}
	return sum;
}

/* The sum over pseudo header and segment: 0xffff if the checksum in it is right. */
static inline uint16_t transport_sum(const struct packet *k)
{
	uint32_t len = (uint32_t)(k->n - k->l4);
	uint8_t pseudo[40] = { 0 };
	size_t n = 12;
	bool odd = false;
	uint16_t sum;

	if (k->version == 4) {
		memcpy(pseudo, k->b + 12, 8);
		pseudo[9] = k->proto;
		pseudo[10] = (uint8_t)(len >> 8);
		pseudo[11] = (uint8_t)len;
	} else {
		memcpy(pseudo, k->b + 8, 32);
		pseudo[33] = (uint8_t)(len >> 16);
		pseudo[34] = (uint8_t)(len >> 8);
		pseudo[35] = (uint8_t)len;
		pseudo[39] = k->proto;
		n = 40;
	}
	sum = naive_sum(0, pseudo, n, &odd);
	return naive_sum(sum, k->b + k->l4, k->n - k->l4, &odd);
}

static inline uint16_t header_sum(const struct packet *k)
{
	bool odd = false;

	return naive_sum(0, k->b, (k->b[0] & 15u) * 4u, &odd);
}

static inline void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline size_t get16(const uint8_t *p)
{
	return (size_t)p[0] << 8 | p[1];
}

static inline uint8_t *checksum_at(struct packet *k)
{
	return k->b + k->l4 + (k->proto == UDP ? 6 : 16);
}

/* Lengths and checksums that fit what the packet holds. */
static inline void finish_packet(struct packet *k)
{
	if (k->version == 4) {
		put16(k->b + 2, k->n);
		put16(k->b + 10, 0);
		put16(k->b + 10, (uint16_t)~header_sum(k));
	} else {
		put16(k->b + 4, k->n - 40);
	}
	if (k->proto == UDP)
		put16(k->b + k->l4 + 4, k->n - k->l4);
	if (k->proto == UDP || k->proto == TCP) {
		uint16_t sum;

		put16(checksum_at(k), 0);
		sum = (uint16_t)~transport_sum(k);
		put16(checksum_at(k), k->proto == UDP && sum == 0 ? 0xffff : sum);
	}
}

static inline void make_packet(struct packet *k, const struct shape *s, const void *body, size_t n)
{
	memset(k->b, 0, 1024);
	k->version = s->version;
	k->proto = s->proto;
	if (s->version == 4) {
		k->b[0] = (uint8_t)(0x45 + s->options / 4);
		put16(k->b + 4, 0x1234);
		k->b[6] = 0x40;
		k->b[8] = 64;
		k->b[9] = s->proto;
		memcpy(k->b + 12, "\x0a\x00\x01\x02\xc0\x00\x02\x07", 8);
		memset(k->b + 20, 1, s->options);
		k->l4 = 20 + s->options;
	} else {
		k->b[0] = 0x60;
		k->b[6] = s->ext_len ? s->first : s->proto;
		k->b[7] = 64;
		memcpy(k->b + 8, "\xfd\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x02", 16);
		memcpy(k->b + 24, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\xbe\xef", 16);
		if (s->ext_len)
			memcpy(k->b + 40, s->ext, s->ext_len);
		k->l4 = 40 + s->ext_len;
	}
	k->body = k->l4;
	if (s->proto == TCP || s->proto == UDP) {
		put16(k->b + k->l4, 40000);
		put16(k->b + k->l4 + 2, 21);
		k->body += 8;
	}
	if (s->proto == TCP) {
		k->body = k->l4 + 20 + s->tcp_options;
		put16(k->b + k->l4 + 6, 0x0102);
		k->b[k->l4 + 12] = (uint8_t)((5 + s->tcp_options / 4) << 4);
		k->b[k->l4 + 13] = 0x18;
		put16(k->b + k->l4 + 14, 502);
		memset(k->b + k->l4 + 20, 1, s->tcp_options);
	}
	memcpy(k->b + k->body, body, n);
	k->n = k->body + n;
	finish_packet(k);
}

/* Small numbers that come the same on every machine. */
static inline uint32_t dice(uint32_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state % below;
}

#endif
