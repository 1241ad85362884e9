/* SPDX-License-Identifier: MIT */
/*
 * rules.h - the rules of nf_tables that queue packets or give flows a helper, read over
 * netlink; those that iptables has put into nf_tables included. Those of iptables-legacy are
 * legacy.h's.
 */
#ifndef TOOLS_RULES_H
#define TOOLS_RULES_H

#include "../netlink/socket.h"

enum rule_kind {
	RULE_QUEUE,  /* NFQUEUE */
	RULE_HELPER, /* nft's `ct helper set`, iptables' `CT --helper` */
};

#define RULE_NAME 64 /* of tables and chains: longer ones are cut */

/* A place where packets enter a chain. */
struct rule_hook {
	bool known;       /* false: no hook leads to the chain by plain jumps */
	uint32_t hook;    /* 0 PREROUTING to 4 POSTROUTING */
	int32_t priority;
};

struct rule {
	enum rule_kind kind;
	uint8_t family;   /* NFPROTO_*: 1 inet, 2 ip, 7 bridge, 10 ip6 */
	char table[RULE_NAME], chain[RULE_NAME];
	uint64_t handle;  /* legacy: its number in the chain */
	struct rule_hook at;
	bool xt;          /* an iptables target */
	bool legacy;      /* in a table of iptables-legacy */
	/* RULE_QUEUE */
	bool computed;    /* the number is worked out per packet */
	bool bypass;      /* without listener packets pass */
	uint16_t queue_first, queue_last;
	/* RULE_HELPER */
	char helper[16];  /* "" if the object could not be found */
	uint8_t l4;       /* 0: not told */
	bool by_map;      /* helper is one of those that a map has; "": the map is empty, */
	bool map_unread;  /* or what it has could not be read */
};

struct rules {
	struct rule *list;
	size_t n;
};

/*
 * Reads them all; a rule with a map stands there once for each helper of the map. 0, or -errno;
 * -EPROTONOSUPPORT: the kernel has no nf_tables. list is free()d by rules_free(), in any case.
 */
int rules_read(struct cth_sock *s, struct rules *rules, struct cth_nack *nack);
void rules_free(struct rules *rules);

/*
 * "ip filter OUTPUT handle 4 (output, priority 0)", or "ip raw OUTPUT rule 4 (iptables-legacy)";
 * and "prerouting" of hook 0.
 */
const char *rule_text(const struct rule *r, char *text, size_t n);
const char *hook_name(uint32_t hook);

#endif
