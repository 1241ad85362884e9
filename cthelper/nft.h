/* SPDX-License-Identifier: MIT */
/*
 * nft.h - private: the few numbers of linux/netfilter/nf_tables.h that attach.c speaks.
 * Linux 3.10 has no such header and the ct helper object came with 4.12, so they are
 * all here; test/unit/attach.c proves them equal to the system's.
 */
#ifndef CTH_NFT_H
#define CTH_NFT_H

enum { /* messages */
	CTH_NFT_NEWTABLE = 0,
	CTH_NFT_DELTABLE = 2,
	CTH_NFT_NEWCHAIN = 3,
	CTH_NFT_NEWRULE  = 6,
	CTH_NFT_DELRULE  = 8,
	CTH_NFT_NEWOBJ   = 18,
};

enum { /* their attributes */
	CTH_NFT_TABLE_NAME       = 1,
	CTH_NFT_OBJ_TABLE        = 1,
	CTH_NFT_OBJ_NAME         = 2,
	CTH_NFT_OBJ_TYPE         = 3,
	CTH_NFT_OBJ_DATA         = 4,
	CTH_NFT_CHAIN_TABLE      = 1,
	CTH_NFT_CHAIN_NAME       = 3,
	CTH_NFT_CHAIN_HOOK       = 4,
	CTH_NFT_CHAIN_POLICY     = 5,
	CTH_NFT_CHAIN_TYPE       = 7,
	CTH_NFT_HOOK_HOOKNUM     = 1,
	CTH_NFT_HOOK_PRIORITY    = 2,
	CTH_NFT_RULE_TABLE       = 1,
	CTH_NFT_RULE_CHAIN       = 2,
	CTH_NFT_RULE_EXPRESSIONS = 4,
	CTH_NFT_RULE_USERDATA    = 7,
};

enum { /* the ct helper object */
	CTH_NFT_OBJECT_CT_HELPER  = 3,
	CTH_NFT_CT_HELPER_NAME    = 1,
	CTH_NFT_CT_HELPER_L3PROTO = 2,
	CTH_NFT_CT_HELPER_L4PROTO = 3,
};

enum { /* expressions */
	CTH_NFT_LIST_ELEM        = 1,
	CTH_NFT_EXPR_NAME        = 1,
	CTH_NFT_EXPR_DATA        = 2,
	CTH_NFT_DATA_VALUE       = 1,
	CTH_NFT_REG_1            = 1,
	CTH_NFT_META_DREG        = 1,
	CTH_NFT_META_KEY         = 2,
	CTH_NFT_META_L4PROTO     = 16, /* a key of meta */
	CTH_NFT_CMP_SREG         = 1,
	CTH_NFT_CMP_OP           = 2,
	CTH_NFT_CMP_DATA         = 3,
	CTH_NFT_CMP_EQ           = 0,  /* operators of cmp */
	CTH_NFT_CMP_LTE          = 3,
	CTH_NFT_CMP_GTE          = 5,
	CTH_NFT_PAYLOAD_DREG     = 1,
	CTH_NFT_PAYLOAD_BASE     = 2,
	CTH_NFT_PAYLOAD_OFFSET   = 3,
	CTH_NFT_PAYLOAD_LEN      = 4,
	CTH_NFT_TRANSPORT_HEADER = 2,  /* a base of payload */
	CTH_NFT_OBJREF_IMM_TYPE  = 1,
	CTH_NFT_OBJREF_IMM_NAME  = 2,
};

/* What nft writes as a rule's comment: userdata of its own, | type 0 | length | text, NUL |. */
#define CTH_NFT_COMMENT "\0\x09" "cthelper"

#endif
