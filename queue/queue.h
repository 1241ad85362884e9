/* SPDX-License-Identifier: MIT */
/*
 * queue.h - the NFQUEUE client: bind, receive, decide, flush. One object, one socket,
 * any of up to CTH_QUEUE_BOUND queue numbers on it, nothing shared with another object.
 *
 *     cth_queue_init(&q, &sock, ring, n, out, sizeof(out), fn, ctx);
 *     cth_queue_bind(&q, 0, &cfg, &nack);
 *     while (!stop)
 *         cth_queue_run(&q, 0, -1);
 *     cth_queue_unbind(&q, 0, &nack);
 *
 * Every packet gets one verdict. The callback finds ACCEPT filled in and changes it, or
 * sets CTH_HOLD, notes p->queue and p->id, and calls cth_queue_verdict() later.
 */
#ifndef CTH_QUEUE_H
#define CTH_QUEUE_H

#include "../netlink/socket.h"
#include "verdict.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CTH_QUEUE_BOUND 16    /* queue numbers on one socket */
#define CTH_QUEUE_OUT   8192  /* the least room for verdicts waiting to be sent */
#define CTH_QUEUE_ROOM  1024  /* what a slot needs beyond the copy range, conntrack included */

/* Flags of a queue: NFQA_CFG_F_* of linux/netfilter/nfnetlink_queue.h. */
enum {
	CTH_QUEUE_FAIL_OPEN = 1 << 0, /* what does not fit passes, uncounted by the kernel */
	CTH_QUEUE_CONNTRACK = 1 << 1, /* p->ct and p->ct_info. Older kernels take it and tell
				       * nothing while nf_conntrack_netlink is not loaded */
	CTH_QUEUE_GSO       = 1 << 2, /* packets up to 64 KiB; never for a helper's queue */
	CTH_QUEUE_UID_GID   = 1 << 3,
	CTH_QUEUE_SECCTX    = 1 << 4,
};

enum cth_copy {
	CTH_COPY_PACKET = 2,
	CTH_COPY_META   = 1, /* no payload */
};

struct cth_queue_config {
	int copy;           /* enum cth_copy; 0 is CTH_COPY_PACKET */
	uint32_t range;     /* bytes of payload wanted; 0: all that a slot holds, 65531 at most */
	uint32_t maxlen;    /* packets that wait in the kernel; 0: the kernel's 1024 */
	uint32_t flags;     /* without one of these the queue is of no use: refused if missing */
	uint32_t wishes;    /* flags that are tried one by one and done without */
};

/* Counts only grow, but for held. What the kernel lost is in cth_sock_stats and /proc. */
struct cth_queue_stats {
	uint64_t packets;   /* delivered to the callback */
	uint64_t malformed; /* descriptions cut short or not to be read; such packets pass */
	uint64_t unbound;   /* packets of a number that is not bound here; they pass */
	uint64_t refused;   /* verdicts that could not be sent: ACCEPT was, or DROP alone, or what
			     * the queue's refused made of them */
	uint64_t held;      /* at this moment */
	uint64_t verdicts;  /* decided, ranges counted by packet */
	uint64_t sends;     /* datagrams that carried them */
	uint64_t unsent;    /* verdicts lost: the kernel had no memory, nor the buffer room */
	uint64_t nacks;     /* verdicts that the kernel refused: late, unknown, not ours */
	uint64_t gaps;      /* ids that never came: the kernel lost them, or let them pass */
};

/*
 * Sees a packet. *p, and all it points to, lives until the return. It may call
 * cth_queue_verdict() for packets held before; what receives (run, feed, bind, unbind)
 * is -EBUSY from in here, because the buffers that it would receive into are in use.
 */
typedef void cth_pkt_fn(const struct cth_pkt *p, struct cth_verdict *v, void *ctx);

/*
 * Sees a verdict of cth_pkt_fn's that cannot be sent: error and why are those of
 * cth_verdict_check() or cth_edit_apply(), or the kernel had no memory for a changed packet
 * (-ENOBUFS and its like), which cannot wait for it. It may change *v to what shall go instead,
 * with no changed packet and not CTH_HOLD; what it leaves of either is taken away. If that cannot
 * be sent as well, ACCEPT goes, or DROP alone. What receives is -EBUSY, as above.
 */
typedef void cth_refused_fn(const struct cth_pkt *p, struct cth_verdict *v, int error,
			    const char *why, void *ctx);

struct cth_queue {
	struct cth_queue_stats stats;
	const char *last_refusal;    /* why the last refused verdict was; NULL: none was */
	struct cth_nack last_nack;   /* the last refusal by the kernel */
	/*
	 * round counts receives from 1: run's, and each datagram that is fed or comes before an
	 * answer. emptied is the last of run's that left the socket empty, set once its verdicts
	 * are sent. What a verdict of round R changed in a flow, packets may not show yet, unless
	 * emptied > R when they were received.
	 */
	uint64_t round, emptied;
	cth_refused_fn *refused;     /* may be set, with refused_ctx, at any time; or NULL */
	void *refused_ctx;
	bool singly;                 /* packets that come alone are received alone, which takes less
				      * than to find nothing behind them. Then emptied falls behind
				      * round, by some receives, and run without a budget leaves
				      * packets for the next */
	bool no_ranges;              /* never collapse ACCEPTs into VERDICT_BATCH: a must where
				      * several processes read from one descriptor */
	/* private */
	struct cth_sock *sock;
	struct cth_slot *ring;
	size_t slots;
	struct cth_msg out;
	int send_error;       /* the first since the last flush */
	uint32_t drop_seq;    /* of DROP ranges: nobody minds that nothing was there */
	bool busy, fed;       /* fed: and not flushed since */
	cth_pkt_fn *fn;
	void *ctx;
	struct cth_verdict verdict;
	struct cth_edited edited;
	unsigned alone;       /* receives of one that are left */
	size_t bounds;        /* of bound, those that may be in use */
	struct cth_queue_bound {
		bool used;
		bool seen;    /* last_id is one */
		/* What a range would decide as well, and must not: */
		bool lost;      /* a packet whose verdict could not be sent */
		bool foreign;   /* packets that another owner of the socket has read */
		bool doubt;     /* one that is held, but was taken for another */
		bool ever_held;
		bool taken;   /* over, and not bound since: perhaps it is not bound at all */
		bool left;    /* what a dead owner has left is not dropped yet; it ends before first */
		bool first_known;
		uint32_t first;
		uint16_t num;
		uint32_t flags; /* in force */
		uint32_t last_id;
		uint32_t run_id, run_count; /* ACCEPTs noted, not yet put: how many, the last one */
		uint32_t held;
	} bound[CTH_QUEUE_BOUND];
};

/*
 * Starts on an open socket. ring's n slots have their buf and cap set: cap is the copy
 * range plus CTH_QUEUE_ROOM. out is room for verdicts, CTH_QUEUE_OUT or more. All of it
 * must live as long as q. fn is called from run, feed and, for packets that come while
 * an answer is awaited, from bind and unbind. -EINVAL: a slot, or out, is too small.
 */
int cth_queue_init(struct cth_queue *q, struct cth_sock *sock, struct cth_slot *ring, size_t n,
		   void *out, size_t cap, cth_pkt_fn *fn, void *ctx);

/*
 * Binds queue num with all its parameters in one message, so that no packet falls into a
 * half-configured queue; a wish that the kernel refuses costs more messages. Binding
 * again changes the parameters; after a failure the queue is as it was. -EPERM: no
 * CAP_NET_ADMIN, or another socket owns it; -EINVAL: no nfnetlink_queue, or (nack->error
 * is 0) a range that the slots cannot hold; -EOPNOTSUPP: a flag; -EMFILE: CTH_QUEUE_BOUND
 * are bound; -ETIMEDOUT: no answer.
 */
int cth_queue_bind(struct cth_queue *q, uint16_t num, const struct cth_queue_config *cfg,
		   struct cth_nack *nack);

/*
 * Notes that the socket has num bound already, with these flags, and tells the kernel
 * nothing: for a descriptor that was handed over, and for feeding recordings. Such a queue
 * goes without ranges, for they would decide what its former owner has read and not decided.
 */
int cth_queue_adopt(struct cth_queue *q, uint16_t num, uint32_t flags);

/*
 * The same, from a former owner that is dead: what that one has read and not decided is dropped,
 * what it has not read is served as ever; and the queue goes with ranges again from then on.
 * Nothing is sent yet. What was read ends before the first packet of num to be received, by
 * run, or by feed, or before an answer; so take all queues over before anything else is done
 * with the socket. Where none is received it is all there is, as soon as run finds the socket
 * empty: for that it may do a few packets more than its budget. A packet that is queued between
 * that receive and the DROP, some microseconds, is dropped as well, although it is delivered:
 * TCP sends it again. A packet whose very id cannot be read is dropped with those before it, if
 * it is the first; and what was left more than 2^31 packets ago stays. -EMFILE, -EBUSY: as in
 * bind.
 *
 * It may be that num is not bound at all: bind then does it.
 */
int cth_queue_take_over(struct cth_queue *q, uint16_t num, uint32_t flags);

/* The id of the first packet received of a queue that was taken over; false: none was, yet. */
bool cth_queue_first(const struct cth_queue *q, uint16_t num, uint32_t *id);

/* The flags in force on a queue that is bound; 0 otherwise. */
uint32_t cth_queue_flags(const struct cth_queue *q, uint16_t num);

/*
 * Gives queue num back. Packets still in it are dropped by the kernel, held ones too:
 * drain it first.
 */
int cth_queue_unbind(struct cth_queue *q, uint16_t num, struct cth_nack *nack);

/*
 * Receives and decides until budget packets are done or no more are there (0: what is
 * there now, once), waiting up to timeout_ms for the first datagram (-1: for ever; a
 * signal ends the wait). All verdicts have been sent when it returns, but for those that the
 * kernel had no memory for: while there are such it waits some milliseconds only, and tries
 * again. How many packets, or -errno: the socket itself has failed.
 */
int cth_queue_run(struct cth_queue *q, size_t budget, int timeout_ms);

/*
 * The same for one datagram that came from elsewhere: how many packets. Nothing is
 * received; verdicts are sent when there is no more room for them, and by flush.
 */
int cth_queue_feed(struct cth_queue *q, struct cth_span datagram);

/*
 * The late verdict of a held packet, sent at once. p is NULL, or the packet's description,
 * which the caller has kept whole; an edit needs it. -errno: the packet is still held, and
 * q->last_refusal tells why, if the verdict was refused. -ENOENT: none is held; -ENODEV: the
 * queue is not bound, the packet gone. Only the number of held packets is known here: a
 * second verdict for the same id counts for another, until the kernel refuses it; from
 * then on the queue goes without ranges.
 */
int cth_queue_verdict(struct cth_queue *q, uint16_t num, uint32_t id, const struct cth_verdict *v,
		      const struct cth_pkt *p);

/*
 * Sends what is gathered: 0, or the first -errno of any send since the last flush. What the
 * kernel has no memory for (-ENOBUFS) is kept and tried again by the next flush or run.
 */
int cth_queue_flush(struct cth_queue *q);

/*
 * Puts the CONFIG message that bind sends; for tools and tests. Every flag that is not in
 * flags is cleared.
 */
int cth_queue_put_config(struct cth_msg *m, uint32_t seq, uint16_t num, bool bind,
			 const struct cth_queue_config *cfg, uint32_t flags);

#ifdef __cplusplus
}
#endif
#endif
