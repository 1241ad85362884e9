/* SPDX-License-Identifier: MIT */
/*
 * kept.c - see kept.h. A file that is there and empty was begun by somebody who could not write:
 * it is taken again, unless its lock tells that somebody is about to. Nothing in it is ever written
 * over, so that nobody who makes packets can push out those that came before.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "../netlink/pcap.h"
#include "../netlink/uapi.h"
#include "kept.h"

/* The folder. */

/* systemd names several, with colons between them, and its first is the service's own. */
static const char *folder_of(const char *variable)
{
	const char *list = getenv(variable);

	return list && *list == '/' ? phrase("%.*s", (int)strcspn(list, ":"), list) : NULL;
}

const char *kept_folder(const struct conf *c)
{
	const char *folder = NULL;

	if (!c->packets)
		return NULL;
	if (!c->at[CONF_PACKETS])
		folder = folder_of("STATE_DIRECTORY");
	if (!c->at[CONF_PACKETS] && !folder)
		folder = folder_of("RUNTIME_DIRECTORY");
	return folder ? folder : c->packets;
}

/* There may be a password in what is kept: it is root's alone. */
static int make_folder(const char *folder)
{
	return mkdir(folder, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static const char *folder_remedy(int err)
{
	switch (err) {
	case ENOENT:
		return "make the folder that it is to be in, or name another one";
	case ENOTDIR:
		return "it is no folder: name another one";
	case EACCES:
	case EPERM:
		return "it has to be root's, and root's to write";
	case EROFS:
		return "name one that can be written, or: off";
	case EEXIST:
		return "send those with a report, and take them away";
	case ENOSPC:
	case EDQUOT:
		return "make room, or name another folder";
	}
	return "name another folder, or: off";
}

/* The guardian is root, but may by then do no more to files than their owner. */
int kept_check(const struct conf *c)
{
	int err;

	if (!c->packets || !c->at[CONF_PACKETS])
		return CTH_EXIT_OK;
	err = make_folder(c->packets);
	if (err == 0 && access(phrase("%s/.", c->packets), W_OK | X_OK) < 0)
		err = -errno;
	return err == 0 ? CTH_EXIT_OK
			: fail(err, phrase("use %s for packets to be kept", c->packets), NULL,
			       folder_remedy(-err));
}

/* A file. */

/* No link, no pipe, nobody else's; and not in use. */
static bool is_ours_and_empty(int fd)
{
	struct stat s;

	return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode) &&
	       s.st_uid == geteuid() && s.st_nlink == 1 && s.st_size == 0;
}

static int take_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (is_ours_and_empty(fd))
		return fd;
	close(fd);
	return -EEXIST;
}

int kept_new(const char *folder)
{
	char path[PATH_MAX];
	int fd = make_folder(folder);

	if (fd < 0)
		return fd;
	for (unsigned i = 1; i <= KEPT_MOST; i++) {
		int n = snprintf(path, sizeof(path), "%s/packet-%02u.pcap", folder, i);

		if (n < 0 || (size_t)n >= sizeof(path))
			return -ENAMETOOLONG;
		fd = take_file(path);
		if (fd >= 0 || fd == -ENOSPC || fd == -EMFILE)
			break;
	}
	return fd;
}

int kept_write(int fd, struct cth_span message)
{
	struct cth_pcap_frame frame = { .family = NETLINK_NETFILTER, .full = message.n,
					.bytes = message };
	uint8_t file_header[CTH_PCAP_FILE_HEADER], header[CTH_PCAP_FRAME_HEADER];
	const struct iovec parts[] = {
		{ file_header, sizeof(file_header) },
		{ header, sizeof(header) },
		{ (void *)(uintptr_t)message.p, message.n }, /* which is only read */
	};
	struct timespec now = { 0, 0 };
	ssize_t n;
	int err;

	clock_gettime(CLOCK_REALTIME, &now);
	frame.sec = (uint64_t)now.tv_sec;
	frame.nsec = (uint32_t)now.tv_nsec;
	cth_pcap_file_header(file_header);
	cth_pcap_frame_header(header, &frame);
	n = writev(fd, parts, 3);
	if (n == (ssize_t)(sizeof(file_header) + sizeof(header) + message.n))
		return 0;
	err = n < 0 ? -errno : -ENOSPC;
	(void)ftruncate(fd, 0); /* if not even that works its reader will see where it ends */
	return err;
}

void kept_failed(int err, const char *folder)
{
	static int told[8];
	const char *where = folder ? folder : "its folder";
	int number = err < 0 ? -err : err;

	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		if (told[i] == number)
			return;
		if (told[i])
			continue;
		told[i] = number;
		fail(number, phrase("keep a packet that has cost two workers in %s", where),
		     number == EEXIST ? phrase("%d are there already", KEPT_MOST) : NULL,
		     phrase("%s; until then such packets are only counted: unkept",
			    folder_remedy(number)));
		return;
	}
}
