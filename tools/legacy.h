/* SPDX-License-Identifier: MIT */
/*
 * legacy.h - the rules of iptables-legacy that queue packets or give flows a helper, beside those
 * of nf_tables in rules.h. The kernel keeps them in tables of its own, of each network namespace,
 * and shows them to CAP_NET_ADMIN by getsockopt(2).
 */
#ifndef TOOLS_LEGACY_H
#define TOOLS_LEGACY_H

#include "rules.h"

/*
 * Adds those of the network namespace where we are: 0, with none too; -errno: there are tables, and
 * they, or some, cannot be read.
 */
int legacy_read(struct rules *rules);

/* As the kernel tells of a table before it gives its entries. */
#define LEGACY_HOOKS 5
struct legacy_table {
	uint8_t family;                /* NFPROTO_*: 2 ip, 10 ip6 */
	const char *name;
	uint32_t valid_hooks;          /* bits; and where in the entries their chains begin */
	uint32_t hook_entry[LEGACY_HOOKS];
};

/* Adds those among a table's entries: 0, -ENOMEM, or -EBADMSG: they are not as they should be. */
int legacy_parse(const struct legacy_table *t, struct cth_span entries, struct rules *rules);

#endif
