/* SPDX-License-Identifier: MIT */
/*
 * attach.h - rules that give flows a helper, straight to nf_tables: no nft, no iptables.
 *
 *     table ip cth-NAME {
 *         ct helper NAME-tcp { type "NAME" protocol tcp; l3proto ip }
 *         chain prerouting-tcp { type filter hook prerouting priority -150; policy accept;
 *             tcp dport 21 ct helper set "NAME-tcp" comment "cthelper"
 *         }
 *         chain output-tcp { the same on hook output, for flows that begin here }
 *     }
 */
#ifndef CTH_ATTACH_H
#define CTH_ATTACH_H

#include "../netlink/msg.h"
#include "../netlink/socket.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CTH_ATTACH_PRIORITY (-150) /* behind conntrack (-200), before destination NAT (-100) */

/* Room that a batch takes, at most: of the message's buffer. */
#define CTH_ATTACH_ROOM(ranges) (2048 + 1536 * ((ranges) ? (ranges) : 1))

struct cth_ports {
	uint16_t first, last; /* destination ports, host order, both included */
};

struct cth_attach {
	const char *helper; /* registered already: the kernel looks it up */
	uint8_t l4;         /* IPPROTO_* */
	bool ipv4, ipv6;    /* which of the two; registered for each of them */
	const struct cth_ports *ports; /* none: every port */
	size_t n;
	int32_t priority;   /* -199 to -101; 0 is CTH_ATTACH_PRIORITY */
};

/*
 * Makes the tables, objects, chains and rules in one batch: all of it or nothing. Done
 * again it adds what is missing and replaces the rules of this l4, but never an object:
 * destroying one drops what waits in every queue of the namespace. m is reset first, and
 * keeps what was sent.
 *
 * -EINVAL: a name that is empty, too long, or has other characters than A-Z a-z 0-9 . _ -;
 * no l4, neither family; a port range upside down, or ports of a protocol without ports; a
 * priority out of range. -ENOENT: the helper is not registered for each of the families;
 * -EPROTONOSUPPORT: no nfnetlink_cthelper, so that none can be; -EOPNOTSUPP: nf_tables,
 * nft_ct or nft_objref is absent; -EEXIST: it is attached at another priority, detach it
 * first; -EPERM; -EMSGSIZE: m's buffer is smaller than CTH_ATTACH_ROOM.
 */
int cth_attach(struct cth_sock *s, struct cth_msg *m, const struct cth_attach *a,
	       struct cth_nack *nack);

/*
 * Takes the rules of one family away, of every l4, and leaves the objects: no new flow gets
 * the helper. Only then, when the queues are empty, should cth_detach() follow. -ENOENT: was
 * not attached.
 */
int cth_attach_clear(struct cth_sock *s, struct cth_msg *m, const char *helper, bool ipv6,
		     struct cth_nack *nack);

/*
 * Removes the table of one family. -ENOENT: there was none, which is what was wanted. The
 * kernel lets go of the helper some milliseconds later, and at the latest when a socket of
 * this kind is closed (seen on 6.1 and 6.12): until then cth_helper_del() is told -EBUSY.
 */
int cth_detach(struct cth_sock *s, struct cth_msg *m, const char *helper, bool ipv6,
	       struct cth_nack *nack);

/* The batch that cth_attach() sends, into m, which is reset; seq is its first message's. */
int cth_attach_put(struct cth_msg *m, uint32_t seq, const struct cth_attach *a);

#ifdef __cplusplus
}
#endif
#endif
