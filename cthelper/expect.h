/* SPDX-License-Identifier: MIT */
/*
 * expect.h - expectations: what the kernel is told of a flow that is about to begin, so
 * that it is taken for related to the one that announced it.
 */
#ifndef CTH_EXPECT_H
#define CTH_EXPECT_H

#include "../netlink/socket.h"
#include "flow.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The parts of an expectation that are told; absent is not zero. */
enum {
	CTH_EXPECT_TUPLE   = 1 << 0,
	CTH_EXPECT_MASK    = 1 << 1,
	CTH_EXPECT_MASTER  = 1 << 2,
	CTH_EXPECT_ZONE    = 1 << 3,
	CTH_EXPECT_TIMEOUT = 1 << 4,
	CTH_EXPECT_ID      = 1 << 5,
	CTH_EXPECT_FLAGS   = 1 << 6,
	CTH_EXPECT_CLASS   = 1 << 7,
	CTH_EXPECT_HELPER  = 1 << 8,
	CTH_EXPECT_FN      = 1 << 9,
	CTH_EXPECT_NAT     = 1 << 10,
};

/* Bits of flags: NF_CT_EXPECT_* of linux/netfilter/nf_conntrack_common.h. */
enum {
	CTH_EXPECT_PERMANENT = 1 << 0, /* outlives its first use */
	CTH_EXPECT_INACTIVE  = 1 << 1, /* not looked at yet */
	CTH_EXPECT_USERSPACE = 1 << 2, /* never kept: the kernel clears it */
};

#define CTH_EXPECT_HELPER_NAME 16 /* bytes, NUL included */
#define CTH_EXPECT_FN_NAME     32 /* likewise */
#define CTH_EXPECT_ROOM        640 /* the largest message: NEW with every part, IPv6, long names */

struct cth_expect {
	uint32_t have;           /* CTH_EXPECT_* */
	struct cth_tuple tuple;  /* of the flow that is expected */
	struct cth_tuple mask;   /* which bits of its source address and source port (or ICMP id)
				    count. All else matches exactly, and is filled in when put */
	struct cth_tuple master; /* the flow that announced it: shown in its original direction,
				    found by either */
	uint16_t zone;           /* the master's. The kernel takes it, and does not show it */
	uint32_t timeout;        /* seconds left; when made, the class's counts and not this */
	uint32_t id;             /* opaque */
	uint32_t flags;
	uint32_t class_number;   /* of the master's helper, from 0 */
	char helper[CTH_EXPECT_HELPER_NAME]; /* when made: the child's, which newer kernels read in
				    a verdict only; when shown: the master's */
	char fn[CTH_EXPECT_FN_NAME]; /* what the kernel does to the child: "nat-follow-master" */
	uint32_t nat_dir;        /* whither the child goes, as seen from the master: 0 as its
				    original direction, 1 as its replies */
	struct cth_tuple nat;    /* source address and source port are kept for FN: the port is the
				    one announced. All else is filled in; so is no address */
};

/*
 * Is e something to make? 0, or -EINVAL and in *why half a sentence: no tuple or no mask (such
 * a message inside of a verdict crashes kernels), a tuple without both addresses, protocol or
 * ports, tuples of two families, a zone inside of a tuple (it goes into e->zone), a name that
 * is empty or too long, a flag or a direction that there is not. *why is NULL when all is well; why
 * may be NULL.
 */
int cth_expect_check(const struct cth_expect *e, const char **why);

/* Sets master and zone to a flow's, as a packet's p->ct tells it. -EINVAL: it tells no tuple. */
int cth_expect_set_master(struct cth_expect *e, const struct cth_flow *f);

/*
 * The attributes CTA_EXPECT_*, for a message or, with cth_msg_begin_bare(), for a verdict's
 * expect. -EINVAL, and nothing is put: what cth_expect_check() refuses. Zone 0 is left out: it is
 * the default, and kernels without zones refuse any.
 */
int cth_expect_put(struct cth_msg *m, const struct cth_expect *e);

/*
 * Reads them: 0, or -EBADMSG, -ERANGE, -EINVAL: malformed. Tuples are what was sent, whole or
 * not; a mask's destination is there and means nothing.
 */
int cth_expect_parse(struct cth_expect *e, struct cth_span attrs);

/*
 * The messages themselves. flags: NLM_F_*. put_get asks for one, by tuple; with NLM_F_DUMP and
 * no tuple (NULL) for those of a family. put_del removes by tuple and, if told, id; put_flush
 * those of the helper's flows, or with NULL all. 0, -EMSGSIZE, or -EINVAL for what
 * cth_expect_check() refuses.
 */
int cth_expect_put_new(struct cth_msg *m, uint16_t flags, uint32_t seq,
		       const struct cth_expect *e);
int cth_expect_put_get(struct cth_msg *m, uint16_t flags, uint32_t seq, uint8_t family,
		       const struct cth_tuple *tuple, uint16_t zone);
int cth_expect_put_del(struct cth_msg *m, uint16_t flags, uint32_t seq,
		       const struct cth_expect *e);
int cth_expect_put_flush(struct cth_msg *m, uint16_t flags, uint32_t seq, const char *helper);

/*
 * Groups for cth_sock_join(), and what comes from them, or in answer to put_get: 1 and *e is
 * there, 0 and *e is gone, -EPROTO: some other message; malformed as with cth_expect_parse().
 *
 * Since 6.0 a flow that began while nobody in its namespace listened to conntrack has no events,
 * nor have its expectations (net.netfilter.nf_conntrack_events is 2; with 1 all flows have).
 */
enum {
	CTH_GROUP_EXPECT_NEW     = 4,
	CTH_GROUP_EXPECT_DESTROY = 6,
};
int cth_expect_event(struct cth_expect *e, const struct cth_nlmsg *m);

/*
 * All of the following speak to the kernel, in the socket's network namespace. Errors they
 * share: -EPERM (CAP_NET_ADMIN), -EPROTONOSUPPORT (no nf_conntrack_netlink; the kernel itself
 * says only EINVAL), -ETIMEDOUT. nack may be NULL; its error is 0 when it was not the kernel
 * that refused.
 */

/*
 * Makes an expectation of a flow that is confirmed. -EEXIST: one that the tuple meets is there,
 * perhaps another flow's: cth_expect_get() tells; -EBUSY: it would overlap another; -EALREADY:
 * there, with another class or master (of a verdict only: here that is EEXIST); -EMFILE: the
 * namespace's table is full; -ENOENT: no such flow, or not confirmed yet; -EOPNOTSUPP: the flow has
 * no helper, or (older kernels) there is no e->helper; -EINVAL: class or FN unknown. Older kernels
 * take class for 0 unless there is e->helper. Beyond the class's maximum its oldest one goes, and
 * nothing is said.
 */
int cth_expect_new(struct cth_sock *s, const struct cth_expect *e, struct cth_nack *nack);

/*
 * Finds the expectation that a flow of this tuple would meet in a zone, of which there is at most
 * one: 0 and *found, or -ENOENT. Its own tuple and master may be others: cth_tuple_equal().
 */
int cth_expect_get(struct cth_sock *s, const struct cth_tuple *tuple, uint16_t zone,
		   struct cth_expect *found, struct cth_nack *nack);

/*
 * Removes the one that has e's tuple and, if they are told, id and zone. -ENOENT: there is none;
 * one that the tuple only meets stays.
 */
int cth_expect_del(struct cth_sock *s, const struct cth_expect *e, struct cth_nack *nack);

/*
 * Removes all of the namespace in every zone, the kernel's own helpers' too; or those of the
 * flows of one helper. Never -ENOENT.
 */
int cth_expect_flush(struct cth_sock *s, const char *helper, struct cth_nack *nack);

/* Sees an expectation; e is NULL when a dump begins anew. */
typedef void cth_expect_fn(const struct cth_expect *e, void *ctx);

/* All expectations of a family, or AF_UNSPEC for every one. fn may be NULL. */
int cth_expect_list(struct cth_sock *s, uint8_t family, cth_expect_fn *fn, void *ctx,
		    struct cth_nack *nack);

#ifdef __cplusplus
}
#endif
#endif
