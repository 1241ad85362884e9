/* SPDX-License-Identifier: MIT */
/*
 * msg.h - the message builder: nfnetlink messages, one after the other, into a
 * buffer that the caller gives and that never grows.
 *
 * Puts return nothing. The first one that does not fit marks the message as
 * overflowed and the rest do nothing; cth_msg_end() then takes the message back
 * and says so. "As many messages as fit" is therefore: begin, put, end, and on
 * -EMSGSIZE send what is there, cth_msg_reset(), and the same message again.
 */
#ifndef CTH_MSG_H
#define CTH_MSG_H

#include <stdbool.h>
#include "span.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cth_msg {
	/* private */
	uint8_t *buf;
	size_t cap;
	size_t len;      /* bytes in buf, the open message included */
	size_t start;    /* where the open message begins in buf */
	size_t room;     /* bytes that may still be put into it */
	size_t outside;  /* bytes of the open message that are not in buf: see cth_msg_reserve */
	bool open;
	bool bare;       /* the open message has no headers */
	bool overflow;
};

/* Starts on an empty buffer of cap bytes, which must live as long as m does. */
void cth_msg_init(struct cth_msg *m, void *buf, size_t cap);

/* Forgets all messages; the buffer is kept. */
void cth_msg_reset(struct cth_msg *m);

/* Forgets the first n bytes of them, which are whole messages; none is open. */
void cth_msg_consume(struct cth_msg *m, size_t n);

/* The committed messages, ready to send; an open one is not part of it. */
struct cth_span cth_msg_bytes(const struct cth_msg *m);

/*
 * Opens a message: nlmsghdr and nfgenmsg. type is subsystem << 8 | message, flags
 * are NLM_F_*, res_id is host order here and goes out big-endian, as in the kernel.
 */
void cth_msg_begin(struct cth_msg *m, uint16_t type, uint16_t flags, uint32_t seq,
		   uint8_t family, uint16_t res_id);

/*
 * Opens a message without headers: attributes alone, to be put into another message
 * later as the content of a nest. cth_msg_end() commits it likewise.
 */
void cth_msg_begin_bare(struct cth_msg *m);

/* Commits the open message, padded to 4 bytes: 0; or takes it back: -EMSGSIZE. */
int cth_msg_end(struct cth_msg *m);

/* Takes the open message back, whatever it holds. */
void cth_msg_cancel(struct cth_msg *m);

/* One attribute each. Integers are host order here and big-endian on the wire. */
void cth_msg_put(struct cth_msg *m, uint16_t type, const void *data, size_t n);
void cth_msg_put_u8(struct cth_msg *m, uint16_t type, uint8_t v);
void cth_msg_put_be16(struct cth_msg *m, uint16_t type, uint16_t v);
void cth_msg_put_be32(struct cth_msg *m, uint16_t type, uint32_t v);
void cth_msg_put_be64(struct cth_msg *m, uint16_t type, uint64_t v);
void cth_msg_put_str(struct cth_msg *m, uint16_t type, const char *s); /* its NUL goes too */

/*
 * Room for n bytes of attributes that the caller writes at once, headers and padding too: n is
 * a multiple of 4. NULL when they do not fit. cth_msg_header() writes one's header, and
 * returns where its n bytes go.
 */
uint8_t *cth_msg_space(struct cth_msg *m, size_t n);
static inline uint8_t *cth_msg_header(uint8_t *p, uint16_t type, uint16_t n)
{
	cth_store_host16(p, (uint16_t)(4 + n));
	cth_store_host16(p + 2, type);
	return p + 4;
}

/* A nest: what is put between the two calls lies inside. The token is an offset. */
size_t cth_msg_nest(struct cth_msg *m, uint16_t type);
void cth_msg_nest_end(struct cth_msg *m, size_t nest);

/*
 * The header of an attribute whose n bytes are not copied here: the caller sends
 * them right behind this message and, if another message follows in the datagram,
 * cth_msg_pad(n) zero bytes. It must be the message's last attribute, outside of any nest.
 */
void cth_msg_reserve(struct cth_msg *m, uint16_t type, size_t n);

/* Bytes that pad n to netlink's 4. */
static inline size_t cth_msg_pad(size_t n)
{
	return (4 - n % 4) % 4;
}

#ifdef __cplusplus
}
#endif
#endif
