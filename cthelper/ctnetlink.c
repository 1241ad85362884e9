/* SPDX-License-Identifier: MIT */
/*
 * ctnetlink.c - is there an nf_conntrack_netlink at all? It has two subsystems, CTNETLINK and
 * CTNETLINK_EXP, which come and go together.
 */
#include <errno.h>
#include "inner.h"
#include "../netlink/uapi.h"

#define CTNETLINK_STATS (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS)

/*
 * EINVAL, and no word, is what nfnetlink says of a subsystem that it does not have, and what the
 * subsystem says of much. So it is asked for the one thing in which nothing can be wrong, and which
 * costs the kernel nothing, however many flows and expectations there are.
 */
bool cth_ctnetlink_is_absent(struct cth_sock *s, const struct cth_nack *nack)
{
	struct cth_nack ignored;
	uint8_t buf[32];
	struct cth_msg m;

	if (nack->error != -EINVAL || nack->text[0])
		return false;
	cth_msg_init(&m, buf, sizeof(buf));
	cth_msg_begin(&m, CTNETLINK_STATS, NLM_F_REQUEST | NLM_F_ACK, cth_sock_seq(s), 0, 0);
	return cth_msg_end(&m) == 0 &&
	       cth_sock_request(s, cth_msg_bytes(&m), NULL, NULL, &ignored) == -EINVAL;
}
