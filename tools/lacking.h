/* SPDX-License-Identifier: MIT */
/*
 * lacking.h - parts of the kernel that a helper can do without, and what it cannot do then.
 */
#ifndef TOOLS_LACKING_H
#define TOOLS_LACKING_H

#include "../netlink/socket.h"

enum lacking_nat {
	NAT_THERE,    /* loaded, or built in */
	NAT_LOADABLE, /* a rule that translates loads it */
	NAT_LACKING,  /* there is none, as far as this machine knows */
	NAT_UNKNOWN,
};

/*
 * Looks for traces of nf_nat, and only when there are none asks the kernel: no module is loaded for
 * the question that could be loaded.
 */
enum lacking_nat lacking_nat(struct cth_sock *s);

/*
 * The question alone: for a connection that is translated, with a number that cannot be read, so
 * that none is made. 1: there is NAT; 0: there is none; -errno: no answer to it, -EPERM and
 * -EINVAL (no nf_conntrack_netlink) among them. It has the kernel load nf_nat if it can.
 */
int lacking_ask_nat(struct cth_sock *s);

/* For a program that serves helpers: says what will not work. */
void lacking_warn(struct cth_sock *s);

/* What it means, and where it is to be had. */
extern const char lacking_nat_means[], lacking_nat_remedy[];

#endif
