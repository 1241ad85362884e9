/* SPDX-License-Identifier: MIT */
/*
 * netns.h - going into another network namespace: sockets that are opened afterwards, and
 * what /proc/net shows, belong to it.
 */
#ifndef TOOLS_NETNS_H
#define TOOLS_NETNS_H

/*
 * name is one of `ip netns list`, or with a slash in it the path of a namespace, such as
 * /proc/812/ns/net. 0, or an exit code, and why has been said.
 */
int enter_netns(const char *name);

/* The way back: a descriptor of the one we are in, -errno; and into it again, which closes it. */
int remember_netns(void);
int return_to_netns(int fd);

#endif
