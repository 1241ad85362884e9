/* SPDX-License-Identifier: MIT */
/*
 * socket.c - the only file that makes system calls. Answers to net/netlink/af_netlink.c
 * and to netlink(7); what an answer looks like:
 *
 *     NLMSG_ERROR: | nlmsghdr | int error | nlmsghdr of the request | its rest | TLVs |
 *     NLMSG_DONE:  | nlmsghdr | int error | TLVs |
 *
 * The request's rest is absent when NLM_F_CAPPED is set, the extended ACK's TLVs are
 * there when NLM_F_ACK_TLVS is. error is 0 (an ACK) or -errno, in host order like all
 * of netlink's own fields.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* recvmmsg */
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "socket.h"
#include "uapi.h"

#define MAX_PARTS       1024 /* of one datagram: UIO_MAXIOV of linux/uio.h */
#define RECEIVE_BATCH   36   /* datagrams per system call: what the stack has room for */
#define LONGEST_WAIT    86400 /* s; kernels with 32 bits take 24 days for no end at all */
#define LEAST_DATAGRAM  256  /* bytes of the receive buffer that one takes, at the very least */
#define REQUEST_TIMEOUT 5000 /* ms; netlink answers at once, or the answer was lost */
#define GRACE           1000 /* ms, see await_answer */
#define DUMP_TRIES      4
#define MEMINFO_DROPS   8    /* SK_MEMINFO_DROPS of linux/sock_diag.h */
#define MEMINFO_VARS    9

/*
 * The real kernel behind the seam.
 *
 * Whoever may can send to our port, and only the kernel is believed. To a socket that is connected
 * to the kernel nobody else can send, so nobody has to ask who sent what comes then. What was there
 * before is gone when the socket was seen empty, or as many datagrams have come as had room in it;
 * until then they are received singly, each with its sender. To a group others can send all the
 * same.
 */

static void strangers_pass(struct cth_sock *s, int received)
{
	if (s->strangers == 0 || s->strangers == SIZE_MAX)
		return;
	s->strangers = received == -EAGAIN ? 0 : s->strangers - (received > 0);
}

static int receive_one(struct cth_sock *s, struct cth_slot *slot, size_t n, bool wait)
{
	struct sockaddr_nl from = { .nl_pid = 0 };
	socklen_t from_len = sizeof(from);
	/* With MSG_TRUNC the kernel tells how long it was, instead of how much of it there is. */
	ssize_t got = recvfrom(s->fd, slot->buf, slot->cap, MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT),
			       s->strangers ? (struct sockaddr *)&from : NULL,
			       s->strangers ? &from_len : NULL);

	(void)n;
	if (got < 0)
		return -errno;
	slot->truncated = (size_t)got > slot->cap;
	slot->n = slot->truncated ? slot->cap : (size_t)got;
	slot->portid = from.nl_pid;
	return 1;
}

/* It is only the first that is waited for. */
static int receive_batch(struct cth_sock *s, struct cth_slot *slots, size_t n, bool wait)
{
	struct mmsghdr msgs[RECEIVE_BATCH];
	struct iovec iov[RECEIVE_BATCH];
	int got;

	memset(msgs, 0, sizeof(msgs[0]) * n);
	for (size_t i = 0; i < n; i++) {
		iov[i].iov_base = slots[i].buf;
		iov[i].iov_len = slots[i].cap;
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	got = recvmmsg(s->fd, msgs, (unsigned)n, wait ? MSG_WAITFORONE : MSG_DONTWAIT, NULL);
	if (got < 0)
		return -errno;
	for (int i = 0; i < got; i++) {
		slots[i].n = msgs[i].msg_len < slots[i].cap ? msgs[i].msg_len : slots[i].cap;
		slots[i].portid = 0;
		slots[i].truncated = (msgs[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
	}
	return got;
}

/*
 * An answer is awaited from deep below, where stack is dear: by this table no compiler makes
 * one function, and one frame, of the two.
 */
static int (*const receive_some[])(struct cth_sock *s, struct cth_slot *slots, size_t n,
				   bool wait) = {
	receive_batch, receive_one,
};

/*
 * Fills as many slots as there are datagrams. A slot takes some preparation: at first so many are
 * as came the last time, and one that stays empty, so that this was all; then a system call for
 * each RECEIVE_BATCH.
 */
static int receive_all(struct cth_sock *s, struct cth_slot *slots, size_t n, bool wait)
{
	size_t got = 0, some, most = s->lately ? s->lately + 1 : 2;
	int r = 0;

	while (got < n) {
		if (most > RECEIVE_BATCH)
			most = RECEIVE_BATCH;
		some = s->strangers ? 1 : n - got < most ? n - got : most;
		r = receive_some[some == 1](s, slots + got, some, wait && got == 0);
		strangers_pass(s, r);
		if (r <= 0)
			break;
		got += (size_t)r;
		if ((size_t)r < some)
			break;
		most = RECEIVE_BATCH;
	}
	if (got && r == -ENOBUFS)
		s->stats.overruns++; /* the kernel tells it once, and this was it */
	if (got)
		s->lately = got;
	return got ? (int)got : r;
}

/*
 * How long a receive waits is an option of the socket, so that one call waits and receives: with
 * poll(2) it would be two for each packet that comes alone. There always is an end to it, because
 * only then a signal is one, too, if its handler has SA_RESTART.
 */
static int set_wait(struct cth_sock *s, int timeout_ms)
{
	struct timeval wait = { .tv_sec = LONGEST_WAIT };

	if (timeout_ms == s->wait_ms)
		return 0;
	if (timeout_ms > 0) {
		wait.tv_sec = timeout_ms / 1000;
		wait.tv_usec = timeout_ms % 1000 * 1000;
	}
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0)
		return -errno;
	s->wait_ms = timeout_ms;
	return 0;
}

/* Whoever else has the socket open, or an event loop, may want that no receive waits. */
static bool never_waits(const struct cth_sock *s)
{
	int flags = fcntl(s->fd, F_GETFL);

	return flags >= 0 && flags & O_NONBLOCK;
}

static int kernel_receive(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms)
{
	struct cth_sock *s = (struct cth_sock *)ctx;
	struct pollfd ready = { .fd = s->fd, .events = POLLIN };
	int r = timeout_ms ? set_wait(s, timeout_ms) : 0;

	if (r == 0)
		r = receive_all(s, slots, n, timeout_ms != 0);
	if (r == -EAGAIN && timeout_ms != 0 && (timeout_ms < 0 || never_waits(s))) {
		if (poll(&ready, 1, timeout_ms) < 0)
			return errno == EINTR ? 0 : -errno;
		r = receive_all(s, slots, n, false);
	}
	return r == -EAGAIN || r == -EINTR ? 0 : r;
}

/* A datagram has to fit the send buffer; a large batch of rules may not, as it is. */
static int grow_send_buffer(int fd, const struct iovec *parts, size_t n)
{
	size_t total = 0;
	int want;

	for (size_t i = 0; i < n; i++)
		total += parts[i].iov_len;
	if (total > INT32_MAX / 2)
		return -EMSGSIZE;
	want = (int)total + 4096;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &want, sizeof(want)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &want, sizeof(want)) < 0)
		return -errno;
	return 0;
}

/*
 * To the kernel, as is whatever goes without an address. One part takes no list of parts, which
 * would have to be copied.
 */
static ssize_t send_parts(int fd, const struct iovec *parts, size_t n)
{
	struct msghdr msg;
	uint16_t count = (uint16_t)n; /* msg_iovlen is size_t in glibc, int in musl */

	if (n == 1)
		return send(fd, parts->iov_base, parts->iov_len, 0);
	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = (struct iovec *)(uintptr_t)parts; /* sendmsg(2) does not write to it */
	msg.msg_iovlen = count;
	return sendmsg(fd, &msg, 0);
}

static int kernel_send(void *ctx, const struct iovec *parts, size_t n)
{
	const struct cth_sock *s = (const struct cth_sock *)ctx;
	bool grown = false;

	if (n > MAX_PARTS)
		return -EMSGSIZE;
	while (send_parts(s->fd, parts, n) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EMSGSIZE || grown || grow_send_buffer(s->fd, parts, n) < 0)
			return -errno;
		grown = true;
	}
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Opening and closing. */

static void sock_init(struct cth_sock *s, void *buf, size_t cap)
{
	memset(s, 0, sizeof(*s));
	s->fd = -1;
	s->timeout_ms = REQUEST_TIMEOUT;
	s->answers.buf = (uint8_t *)buf;
	s->answers.cap = cap;
}

/* Every option is a wish: kernels that lack one work without it. */
static bool wish(int fd, int option)
{
	int on = 1;

	return setsockopt(fd, SOL_NETLINK, option, &on, sizeof(on)) == 0;
}

static int learn_portid(struct cth_sock *s)
{
	struct sockaddr_nl self;
	socklen_t n = sizeof(self);

	memset(&self, 0, sizeof(self));
	if (getsockname(s->fd, (struct sockaddr *)&self, &n) < 0)
		return -errno;
	if (n < sizeof(self) || self.nl_family != AF_NETLINK)
		return -EPROTOTYPE;
	s->portid = self.nl_pid;
	return 0;
}

void cth_sock_seam(struct cth_sock *s, const struct cth_io *io, void *buf, size_t cap)
{
	sock_init(s, buf, cap);
	s->io = *io;
}

/* From now on they cannot send: see strangers_pass(). */
static void shut_strangers_out(struct cth_sock *s)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int room = 0;
	socklen_t n = sizeof(room);

	s->strangers = SIZE_MAX;
	if (connect(s->fd, (struct sockaddr *)&kernel, sizeof(kernel)) == 0 &&
	    getsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &room, &n) == 0)
		s->strangers = (size_t)room / LEAST_DATAGRAM + 1;
}

/* What adopting needs and can fail at: a flag and a port of our own. */
static int prepare_descriptor(struct cth_sock *s)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int protocol = 0, r;
	socklen_t n = sizeof(protocol);

	r = learn_portid(s);
	if (r < 0)
		return r == -ENOTSOCK ? -EPROTOTYPE : r;
	if (getsockopt(s->fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &n) < 0)
		return -errno;
	if (protocol != NETLINK_NETFILTER)
		return -EPROTOTYPE;
	if (fcntl(s->fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	if (s->portid != 0)
		return 0;
	/* Port 0 asks the kernel for one, as a first send would. Known, it tells our queues
	   from another socket's in /proc. */
	if (bind(s->fd, (struct sockaddr *)&self, sizeof(self)) < 0)
		return -errno;
	return learn_portid(s);
}

int cth_sock_adopt(struct cth_sock *s, int fd, void *buf, size_t cap)
{
	int r;

	sock_init(s, buf, cap);
	s->fd = fd;
	s->io.receive = kernel_receive;
	s->io.send = kernel_send;
	s->io.ctx = s;
	r = prepare_descriptor(s);
	if (r < 0) {
		s->fd = -1;
		return r;
	}

	shut_strangers_out(s);
	s->ext_ack = wish(fd, CTH_NETLINK_EXT_ACK);
	s->cap_ack = wish(fd, CTH_NETLINK_CAP_ACK);
	/* Without this the first overrun makes the kernel refuse every packet until the
	   buffer has been read empty. What is lost is counted all the same: cth_sock_drops(). */
	wish(fd, NETLINK_NO_ENOBUFS);
	/* An adopted socket may still hold answers to a former owner's requests: start where
	   that one is unlikely to have been. */
	s->seq = (uint32_t)now_ms() << 8;
	return 0;
}

int cth_sock_open(struct cth_sock *s, void *buf, size_t cap)
{
	int fd, r;

	sock_init(s, buf, cap);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0)
		return -errno;
	r = cth_sock_adopt(s, fd, buf, cap);
	if (r < 0)
		close(fd);
	return r;
}

void cth_sock_close(struct cth_sock *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

int cth_sock_fd(const struct cth_sock *s)
{
	return s->fd;
}

uint32_t cth_sock_seq(struct cth_sock *s)
{
	s->seq++;
	if (s->seq == 0)
		s->seq = 1;
	return s->seq;
}

int cth_sock_rcvbuf(struct cth_sock *s, int bytes)
{
	socklen_t n = sizeof(bytes);

	/* By force needs CAP_NET_ADMIN in the first user namespace; else net.core.rmem_max
	   caps it. */
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0 &&
	    setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) < 0)
		return -errno;
	if (getsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &bytes, &n) < 0)
		return -errno;
	return bytes;
}

int cth_sock_drops(const struct cth_sock *s, uint32_t *drops)
{
#ifdef SO_MEMINFO
	uint32_t info[MEMINFO_VARS] = { 0 };
	socklen_t n = sizeof(info);

	if (getsockopt(s->fd, SOL_SOCKET, SO_MEMINFO, info, &n) < 0)
		return -errno;
	if (n < sizeof(info))
		return -ENOPROTOOPT;
	*drops = info[MEMINFO_DROPS];
	return 0;
#else
	(void)s;
	(void)drops;
	return -ENOPROTOOPT;
#endif
}

int cth_sock_join(struct cth_sock *s, unsigned group)
{
	if (setsockopt(s->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	s->strangers = SIZE_MAX;
	return 0;
}

/* Datagrams. */

int cth_sock_send(struct cth_sock *s, const struct iovec *parts, size_t n)
{
	return s->io.send(s->io.ctx, parts, n);
}

int cth_sock_receive(struct cth_sock *s, struct cth_slot *slots, size_t n, int timeout_ms)
{
	int got;

	got = s->io.receive(s->io.ctx, slots, n, timeout_ms);
	if (got == -ENOBUFS) {
		/* Told once, and nothing that was queued is lost by it: read on. */
		s->stats.overruns++;
		got = s->io.receive(s->io.ctx, slots, n, 0);
		if (got == -ENOBUFS)
			got = 0;
	}
	for (int i = 0; i < got; i++) {
		if (slots[i].portid != 0) {
			/* Any process may send to our port; only the kernel is believed. */
			s->stats.alien++;
			slots[i].n = 0;
			slots[i].truncated = false;
		} else if (slots[i].truncated) {
			s->stats.truncated++;
		}
	}
	return got;
}

/* Answers. */

static const struct cth_attr_rule ext_ack_rules[] = {
	[CTH_NLMSGERR_ATTR_MSG]       = { 1, CTH_ATTR_ANY, false },
	[CTH_NLMSGERR_ATTR_OFFS]      = { 4, CTH_ATTR_ANY, false },
	[CTH_NLMSGERR_ATTR_MISS_TYPE] = { 4, CTH_ATTR_ANY, false },
};
#define EXT_ACK_RULES (sizeof(ext_ack_rules) / sizeof(ext_ack_rules[0]))

/* A sentence for people: what is not plain text in it is none of it. */
static void copy_text(char *text, size_t cap, struct cth_span v)
{
	size_t n = 0;

	while (n < v.n && n < cap - 1 && v.p[n] != 0) {
		text[n] = v.p[n] >= ' ' && v.p[n] <= '~' ? (char)v.p[n] : '?';
		n++;
	}
	text[n] = 0;
}

static void parse_ext_ack(struct cth_span tlvs, struct cth_nack *nack)
{
	struct cth_span v[EXT_ACK_RULES];

	/* A bad explanation is no explanation; the error itself stands. */
	if (cth_attr_index(tlvs, ext_ack_rules, EXT_ACK_RULES, v) < 0)
		return;
	if (v[CTH_NLMSGERR_ATTR_MSG].p)
		copy_text(nack->text, sizeof(nack->text), v[CTH_NLMSGERR_ATTR_MSG]);
	if (v[CTH_NLMSGERR_ATTR_OFFS].p)
		nack->offset = cth_host32(v[CTH_NLMSGERR_ATTR_OFFS].p);
	if (v[CTH_NLMSGERR_ATTR_MISS_TYPE].p)
		nack->missing = (uint16_t)cth_host32(v[CTH_NLMSGERR_ATTR_MISS_TYPE].p);
}

int cth_nack_parse(const struct cth_nlmsg *m, struct cth_nack *nack)
{
	struct cth_span error = cth_span_sub(m->attrs, 0, 4);
	struct cth_span request = cth_span_sub(m->attrs, 4, 16);
	size_t tlvs = 4;

	memset(nack, 0, sizeof(*nack));
	if (m->type != NLMSG_ERROR && m->type != NLMSG_DONE)
		return -EBADMSG;
	nack->seq = m->seq;
	if (m->type == NLMSG_DONE && m->attrs.n == 0)
		return 0; /* some ends of dumps are nothing but a header */
	if (!error.p || (m->type == NLMSG_ERROR && !request.p))
		return -EBADMSG;
	nack->error = (int32_t)cth_host32(error.p);
	if (nack->error > 0)
		return -EBADMSG;

	if (m->type == NLMSG_ERROR) {
		uint32_t len = cth_host32(request.p);

		nack->type = cth_host16(request.p + 4);
		tlvs += 16;
		if (!(m->flags & CTH_NLM_F_CAPPED) && len > m->attrs.n)
			return 0; /* the echo is not all there, and nothing behind it */
		if (!(m->flags & CTH_NLM_F_CAPPED) && len > 16)
			tlvs += ((size_t)len - 16 + 3) & ~(size_t)3;
	}
	if ((m->flags & CTH_NLM_F_ACK_TLVS) && tlvs < m->attrs.n)
		parse_ext_ack(cth_span_sub(m->attrs, tlvs, m->attrs.n - tlvs), nack);
	return 0;
}

/* Requests. */

/* What a request is waiting for, and what has come of it so far. */
struct waiting {
	struct cth_sock *s;
	uint32_t first, last;  /* sequence numbers of the request's messages */
	uint32_t awaited;      /* of the one whose answer ends the waiting */
	bool any;              /* one is awaited at all */
	bool batch;            /* the messages stand or fall together */
	bool done;
	bool interrupted;      /* the dump is inconsistent */
	int result;
	cth_msg_fn *fn;
	void *ctx;
	struct cth_nack *nack;
};

/* Notes the sequence numbers of the messages that are about to be sent. */
static int note_request(struct waiting *w, struct cth_span bytes)
{
	struct cth_nlmsg m;
	bool first = true;
	int r;

	while ((r = cth_nlmsg_next(&bytes, &m)) > 0) {
		if (first) {
			w->first = m.seq;
			w->batch = m.type == CTH_NFNL_MSG_BATCH_BEGIN;
			first = false;
		}
		w->last = m.seq;
		if ((m.flags & NLM_F_ACK) || (m.flags & NLM_F_DUMP) == NLM_F_DUMP) {
			w->awaited = m.seq;
			w->any = true;
		}
	}
	return r < 0 || first ? -EINVAL : 0;
}

static bool is_ours(const struct waiting *w, uint32_t seq)
{
	return seq - w->first <= w->last - w->first;
}

static void take_answer(struct waiting *w, const struct cth_nlmsg *m)
{
	struct cth_nack nack;

	if (cth_nack_parse(m, &nack) < 0) {
		w->s->stats.malformed++;
		return;
	}
	if (nack.error < 0 && w->result == 0) {
		w->result = nack.error;
		if (w->nack)
			*w->nack = nack;
	}
	if (m->seq == w->awaited)
		w->done = true;
	/* A whole batch is refused by refusing its begin, and a whole datagram (EPERM)
	   by refusing its first message: nothing more will come. */
	if (nack.error < 0 && m->seq == w->first && (w->batch || nack.error == -EPERM))
		w->done = true;
}

/* What is no answer, and whatever it may lead to. */
static void take_other(struct waiting *w, const struct cth_nlmsg *m)
{
	int r;

	if (!is_ours(w, m->seq))
		w->s->stats.stray++;
	if (!w->fn)
		return;
	r = w->fn(m, w->ctx);
	if (r < 0 && w->result == 0)
		w->result = r;
}

/* One function, and one frame, each: see receive_some. */
static void (*const take_some[])(struct waiting *w, const struct cth_nlmsg *m) = {
	take_other, take_answer,
};

static void take_message(struct waiting *w, const struct cth_nlmsg *m)
{
	bool ours = is_ours(w, m->seq);

	if (ours && (m->flags & CTH_NLM_F_DUMP_INTR) && m->type != NLMSG_ERROR)
		w->interrupted = true;
	take_some[ours && (m->type == NLMSG_ERROR || m->type == NLMSG_DONE)](w, m);
}

static void take_datagram(struct waiting *w, struct cth_span datagram)
{
	struct cth_nlmsg m;
	int r;

	while ((r = cth_nlmsg_next(&datagram, &m)) > 0)
		take_message(w, &m);
	if (r == 0)
		return;
	w->s->stats.malformed++;
	if (cth_nlmsg_rest(datagram, &m) > 0)
		take_message(w, &m);
}

static int await_answer(struct waiting *w)
{
	struct cth_slot *slot = &w->s->answers;
	int64_t deadline = now_ms() + w->s->timeout_ms;
	int64_t left = w->s->timeout_ms;
	int got;

	while (!w->done) {
		got = cth_sock_receive(w->s, slot, 1, (int)left);
		if (got < 0)
			return got;
		if (got > 0)
			take_datagram(w, cth_span(slot->buf, slot->n));
		left = deadline - now_ms();
		/* The answer may stand behind many packets: what has come is read even when
		   the time is up, but not for ever. */
		if (!w->done && left <= 0 && (got == 0 || left < -w->s->timeout_ms - GRACE))
			return -ETIMEDOUT;
		if (left < 0)
			left = 0;
	}
	return w->result;
}

/* One request, once; *interrupted tells whether a dump came in pieces that do not fit. */
static int request_once(struct cth_sock *s, struct cth_span bytes, cth_msg_fn *fn, void *ctx,
			struct cth_nack *nack, bool *interrupted)
{
	struct waiting w = { .s = s, .fn = fn, .ctx = ctx, .nack = nack };
	struct iovec part = { (void *)(uintptr_t)bytes.p, bytes.n };
	int r;

	if (nack)
		memset(nack, 0, sizeof(*nack));
	r = note_request(&w, bytes);
	if (r < 0)
		return r;
	r = cth_sock_send(s, &part, 1);
	if (r < 0 || !w.any)
		return r;
	r = await_answer(&w);
	*interrupted = w.interrupted;
	return r;
}

int cth_sock_request(struct cth_sock *s, struct cth_span bytes, cth_msg_fn *fn, void *ctx,
		     struct cth_nack *nack)
{
	bool interrupted;

	return request_once(s, bytes, fn, ctx, nack, &interrupted);
}

int cth_sock_dump(struct cth_sock *s, struct cth_span bytes, cth_msg_fn *fn, void *ctx,
		  struct cth_nack *nack)
{
	for (int i = 0; i < DUMP_TRIES; i++) {
		bool interrupted = false;
		int r = request_once(s, bytes, fn, ctx, nack, &interrupted);

		if (r < 0 || !interrupted)
			return r;
		if (fn)
			fn(NULL, ctx);
	}
	return -EINTR;
}
