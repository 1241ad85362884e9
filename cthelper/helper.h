/* SPDX-License-Identifier: MIT */
/*
 * helper.h - the registry of user-space helpers in the kernel: nfnetlink_cthelper.
 * It is one for all network namespaces, and outlives the program that fills it.
 */
#ifndef CTH_HELPER_H
#define CTH_HELPER_H

#include "../netlink/msg.h"
#include "../netlink/socket.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CTH_HELPER_NAME    16  /* bytes, NUL included */
#define CTH_HELPER_CLASSES 4   /* of expectations, at most */
#define CTH_HELPER_MAX     255 /* the most that a class may allow per flow */
#define CTH_HELPER_PRIV    32  /* bytes of state per flow, at most */

/* A class of expectations: how many at once per flow, and for how long each. */
struct cth_helper_class {
	char name[CTH_HELPER_NAME];
	uint32_t max;     /* 0: no limit before 7.1, 255 since */
	uint32_t timeout; /* seconds */
};

/* The parts of a helper beside its key: in an update, those that are to change. */
enum {
	CTH_HELPER_QUEUE    = 1 << 0,
	CTH_HELPER_PRIV_LEN = 1 << 1,
	CTH_HELPER_STATUS   = 1 << 2,
	CTH_HELPER_POLICY   = 1 << 3,
};

/* A helper. Name, l3 and l4 together are its key. */
struct cth_helper {
	char name[CTH_HELPER_NAME];
	uint16_t l3;       /* AF_INET or AF_INET6; the kernel keeps any other number too */
	uint8_t l4;        /* IPPROTO_* */
	uint8_t classes;
	uint32_t have;     /* CTH_HELPER_*: which of the following are told */
	uint32_t queue;    /* listed as it was given, but only 16 bits count */
	uint32_t priv_len; /* bytes of state per flow */
	bool enabled;      /* disabled, packets pass by and nothing is queued */
	struct cth_helper_class policy[CTH_HELPER_CLASSES]; /* classes of them */
};

/*
 * Is h something to register? 0, or -EINVAL and in *why half a sentence: no name, a name
 * over 15 characters, l4 0, a queue over 65535, no class or more than four, a class
 * without name, a maximum over 255, more than 32 bytes of state. All parts are looked
 * at, whatever h->have says. *why is NULL when all is well; why may be NULL.
 */
int cth_helper_check(const struct cth_helper *h, const char **why);

/*
 * All of the following speak to the kernel. Errors they share: -EPERM (CAP_NET_ADMIN in
 * the first user namespace is needed, a container's is not enough), -EPROTONOSUPPORT (no
 * nfnetlink_cthelper; the kernel itself says only EINVAL), -ETIMEDOUT. nack may be NULL;
 * its error is 0 when it was not the kernel that refused.
 */

/*
 * Registers h as a new helper, with all its parts. -EEXIST: name, l3 and l4 are registered
 * already; -EBUSY: the kernel has a helper of its own by that name, such as the module
 * nf_conntrack_ftp (older ones say EEXIST of it too, and are asked again); -EINVAL:
 * cth_helper_check() tells. Four classes crash kernels of 3.x, and of 4.x without the fixes of
 * 2017.
 */
int cth_helper_add(struct cth_sock *s, const struct cth_helper *h, struct cth_nack *nack);

/*
 * Changes the parts in h->have of the helper with h's key, from the next packet on. -ENOENT:
 * there is none, and none is made; -EBUSY: private length, number or names of the classes
 * cannot change; -EINVAL: one of the parts is what cth_helper_check() refuses.
 */
int cth_helper_update(struct cth_sock *s, const struct cth_helper *h, struct cth_nack *nack);

/* Finds the one helper with this key: 0 and *h, or -ENOENT; -EINVAL: a name too long. */
int cth_helper_get(struct cth_sock *s, const char *name, uint16_t l3, uint8_t l4,
		   struct cth_helper *h, struct cth_nack *nack);

/* All helpers, up to n into list: how many there are, which may be more than n. */
int cth_helper_list(struct cth_sock *s, struct cth_helper *list, size_t n,
		    struct cth_nack *nack);

/*
 * Deletes the one helper with this key. -ENOENT: there is none; -EBUSY: an iptables CT rule or
 * an nft object refers to it, in any namespace, or did until a moment ago: see cth_detach()
 * in attach.h. Its flows go on without a helper, their expectations are gone. To delete all:
 * list them, and one by one, for the kernel's own flush says success when it left some. Linux 6.1
 * loses count when one is deleted while an iptables rule refers to another: the other stays
 * busy until the next boot. Rules of attach.h are not concerned, nor is Linux 6.12. From 7.1 on
 * nothing is ever busy, and a rule of a helper that was deleted does nothing, also when the helper
 * is registered again: so on every kernel cth_detach() comes first.
 */
int cth_helper_del(struct cth_sock *s, const char *name, uint16_t l3, uint8_t l4,
		   struct cth_nack *nack);

/*
 * The messages themselves. flags: NLM_F_*. put_new puts every part with NLM_F_CREATE and
 * those of h->have without; put_get asks for all, with NLM_F_DUMP. 0, -EMSGSIZE, or -EINVAL
 * for what cth_helper_check() refuses.
 */
int cth_helper_put_new(struct cth_msg *m, uint16_t flags, uint32_t seq, const struct cth_helper *h);
int cth_helper_put_get(struct cth_msg *m, uint16_t flags, uint32_t seq);
int cth_helper_put_del(struct cth_msg *m, uint16_t flags, uint32_t seq, const char *name,
		       uint16_t l3, uint8_t l4);

/*
 * Reads a NEW, which is also what a dump consists of. -EPROTO: some other message;
 * -EBADMSG, -ERANGE: malformed; -EINVAL: name, l3 or l4 is missing, or half of a class.
 */
int cth_helper_parse(struct cth_helper *h, const struct cth_nlmsg *m);

#ifdef __cplusplus
}
#endif
#endif
