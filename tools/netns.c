/* SPDX-License-Identifier: MIT */
/*
 * netns.c - setns() into what `ip netns` keeps below /run/netns, or into any other file of
 * a network namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include "cth.h"
#include "netns.h"

#define FOLDER "/run/netns"

static int netns_refused(int err, const char *name, const char *path)
{
	const char *tried = phrase("enter the network namespace %s", name);

	switch (err) {
	case ENOENT:
	case ENOTDIR:
		return fail(err, tried, phrase("there is no %s", path),
			    strchr(name, '/') ? "name a file such as /proc/PID/ns/net"
					      : "`ip netns list` shows those that are");
	case EACCES:
	case EPERM:
		return fail(err, tried, "this needs CAP_SYS_ADMIN", "run it as root");
	case EINVAL:
		return fail(err, tried, phrase("%s is no network namespace", path),
			    "name a file such as /proc/PID/ns/net");
	case ENOSYS:
		return fail(EOPNOTSUPP, tried, "this kernel has no namespaces (CONFIG_NET_NS)",
			    "go without it");
	}
	return fail(err, tried, NULL, NULL);
}

int enter_netns(const char *name)
{
	const char *path = strchr(name, '/') ? name : phrase(FOLDER "/%s", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return netns_refused(errno, name, path);
	if (setns(fd, CLONE_NEWNET) < 0)
		err = errno;
	close(fd);
	return err ? netns_refused(err, name, path) : CTH_EXIT_OK;
}

int remember_netns(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int return_to_netns(int fd)
{
	int err = setns(fd, CLONE_NEWNET) < 0 ? errno : 0;

	close(fd);
	return err ? fail(err, "return to the network namespace where this was started", NULL, NULL)
		   : CTH_EXIT_OK;
}
