/* SPDX-License-Identifier: MIT */
/*
 * socket.h - a NETLINK_NETFILTER socket: datagrams out and in, requests with their
 * answers, dumps. All I/O goes through a table of two functions, so that a test, a
 * recorder or a replayer can stand in for the kernel.
 *
 * Returns are 0 (or a count) or -errno. A refusal by the kernel is told twice: as
 * the returned -errno, and in full in struct cth_nack, whose error is 0 as long as
 * nothing was refused: so a failure of our own can be told from one of the kernel.
 */
#ifndef CTH_SOCKET_H
#define CTH_SOCKET_H

#include <sys/uio.h>
#include "attr.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Room for one datagram. The caller gives buf and cap, a receive fills in the rest. */
struct cth_slot {
	uint8_t *buf;
	size_t cap;
	size_t n;        /* bytes received, at most cap */
	uint32_t portid; /* who sent it; 0 is the kernel */
	bool truncated;  /* it was longer than cap: the rest is lost */
};

/* Makes a ring of n slots out of n times each bytes at memory. */
static inline void cth_slots(struct cth_slot *ring, size_t n, void *memory, size_t each)
{
	for (size_t i = 0; i < n; i++) {
		ring[i].buf = (uint8_t *)memory + i * each;
		ring[i].cap = each;
		ring[i].n = 0;
	}
}

/*
 * The seam. receive fills up to n slots and returns how many; when nothing is there
 * it waits up to timeout_ms (0: not at all, -1: for ever) and then returns 0, also
 * when a signal came. send takes one datagram whole. Both return -errno on failure.
 */
struct cth_io {
	int (*receive)(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms);
	int (*send)(void *ctx, const struct iovec *parts, size_t n);
	void *ctx;
};

/* What a socket has been through. Counts only grow. */
struct cth_sock_stats {
	uint64_t overruns;  /* ENOBUFS: the kernel had no room to queue for us */
	uint64_t truncated; /* datagrams longer than their slot */
	uint64_t alien;     /* datagrams that did not come from the kernel, thrown away: sent before
			     * the socket was open here, or to a group */
	uint64_t stray;     /* messages that answered no request of the moment */
	uint64_t malformed; /* datagrams whose rest could not be parsed */
};

struct cth_sock {
	struct cth_io io;
	struct cth_sock_stats stats;
	uint32_t portid;      /* ours, as the kernel assigned it; 0 without a real socket */
	bool ext_ack;         /* the kernel explains refusals (4.12) */
	bool cap_ack;         /* and does not echo requests (4.3) */
	int timeout_ms;       /* for one request's answer; may be changed */
	/* private */
	int fd, wait_ms;      /* how long a receive waits; 0: not set yet */
	size_t strangers;     /* datagrams that may yet be of another sender's; SIZE_MAX: any may */
	size_t lately;        /* datagrams that the last one had */
	uint32_t seq;
	struct cth_slot answers;
};

/* How the kernel refused. */
struct cth_nack {
	int error;        /* the kernel's -errno; 0: it refused nothing */
	uint32_t seq;     /* of the message that it answers */
	uint16_t type;    /* of that message: subsystem << 8 | message */
	uint16_t missing; /* type of a required attribute that was absent; 0: not told */
	uint32_t offset;  /* into that message, of the attribute at fault; 0: not told */
	char text[96];    /* the extended ACK's sentence, cut to fit; "" if none came */
};

#define CTH_SOCK_BUF 32768 /* enough for any answer but queued packets */

/*
 * Opens a socket in the current network namespace: close-on-exec, with EXT_ACK, CAP_ACK
 * and NO_ENOBUFS where the kernel has them. A receive waits in the kernel (SO_RCVTIMEO), so it is
 * not O_NONBLOCK; an event loop may set that, which costs a poll(2) for each wait. It is connected
 * to the kernel, so that nobody else can send to it, but to a group. Answers are received into
 * buf, which must live as long as s; s itself must stay where it is.
 * -EPROTONOSUPPORT: no nfnetlink in the kernel.
 */
int cth_sock_open(struct cth_sock *s, void *buf, size_t cap);

/*
 * The same on a descriptor that is already open, from another process or namespace. On
 * success s owns it; what others have sent to it before is told from the kernel's and thrown
 * away. SO_RCVTIMEO is one for all processes that have it: those that receive by turns wait
 * alike. -EPROTOTYPE: it is no netfilter netlink socket; it is as it was.
 */
int cth_sock_adopt(struct cth_sock *s, int fd, void *buf, size_t cap);

/* The same without a descriptor: io stands for the kernel. Sequence numbers start at 1. */
void cth_sock_seam(struct cth_sock *s, const struct cth_io *io, void *buf, size_t cap);

/* Closes the descriptor, if there is one. Harmless when repeated. */
void cth_sock_close(struct cth_sock *s);

/* For poll and its kin; -1 without a real socket. */
int cth_sock_fd(const struct cth_sock *s);

/* A sequence number for the next message: never 0, which is what the kernel's own carry. */
uint32_t cth_sock_seq(struct cth_sock *s);

/* Asks for a receive buffer, by force if allowed: the size achieved in bytes, or -errno. */
int cth_sock_rcvbuf(struct cth_sock *s, int bytes);

/* Datagrams the kernel dropped because that buffer was full. -ENOPROTOOPT before 4.12. */
int cth_sock_drops(const struct cth_sock *s, uint32_t *drops);

/*
 * Joins a multicast group, NFNLGRP_* of linux/netfilter/nfnetlink.h: its events come with
 * whatever else is received, a request's answers included. -EPERM: CAP_NET_ADMIN; -EINVAL:
 * the kernel has no such group. A full receive buffer loses events: cth_sock_drops().
 */
int cth_sock_join(struct cth_sock *s, unsigned group);

/* One datagram out. */
int cth_sock_send(struct cth_sock *s, const struct iovec *parts, size_t n);

/*
 * Up to n datagrams in, into slots: how many; 0 when timeout_ms went by or a signal
 * came. An overrun is counted and not an error; a datagram of an alien sender is
 * counted and has n == 0.
 */
int cth_sock_receive(struct cth_sock *s, struct cth_slot *slots, size_t n, int timeout_ms);

/*
 * Sees a message; a negative return is kept and becomes the request's result. One with
 * m->cut did not fit into its datagram or slot.
 */
typedef int cth_msg_fn(const struct cth_nlmsg *m, void *ctx);

/*
 * Sends the messages in bytes as one datagram and waits until the last one of them
 * that has NLM_F_ACK (or NLM_F_DUMP) is answered, or a batch is refused as a whole.
 * Every other message that comes meanwhile goes to fn, when fn is given: answers to
 * the request carry its seq, packets and late errors others. The first refusal goes
 * to nack. -ETIMEDOUT: no answer, the state in the kernel is unknown.
 */
int cth_sock_request(struct cth_sock *s, struct cth_span bytes, cth_msg_fn *fn, void *ctx,
		     struct cth_nack *nack);

/*
 * A dump: the same, and when the kernel says that what it dumped changed meanwhile,
 * calls fn with NULL ("forget what you saw") and asks again, three times at most;
 * then -EINTR. Some dumps that have nothing to show end without DONE, as with expectations
 * of a flow that has no helper: with NLM_F_ACK beside NLM_F_DUMP the ACK ends those.
 */
int cth_sock_dump(struct cth_sock *s, struct cth_span bytes, cth_msg_fn *fn, void *ctx,
		  struct cth_nack *nack);

/*
 * Reads an NLMSG_ERROR or NLMSG_DONE: 0 when m is one and well formed, else -EBADMSG.
 * nack->error is 0 for an ACK.
 */
int cth_nack_parse(const struct cth_nlmsg *m, struct cth_nack *nack);

#ifdef __cplusplus
}
#endif
#endif
