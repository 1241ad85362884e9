/* SPDX-License-Identifier: MIT */
/*
 * kept.c - adds packets that cost two workers to a pcap, whole or not at all. Answers to
 * netlink/pcap.h:
 *
 *     | file header | frame header | message | frame header | message | fra
 *                                                             '---- cut off ----
 *
 * A write that stops amid a packet is taken back at once; and what somebody could not take back,
 * who was killed at it, by the next one that opens the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "../netlink/pcap.h"
#include "../netlink/uapi.h"
#include "kept.h"

#define KEPT_MOST 64 /* packets */

/* The file. */

/* Up to where it is whole, if only to its begin: 0. */
static int64_t whole_of(struct cth_span file)
{
	uint8_t header[CTH_PCAP_FILE_HEADER];
	struct cth_pcap_frame frame;
	struct cth_pcap pcap;
	int64_t whole = sizeof(header);

	cth_pcap_file_header(header);
	if (memcmp(file.p, header, file.n < sizeof(header) ? file.n : sizeof(header)) != 0)
		return -EBADMSG;
	if (cth_pcap_open(&pcap, file) < 0)
		return 0;
	while (cth_pcap_next(&pcap, &frame) == 1)
		whole += (int64_t)(CTH_PCAP_FRAME_HEADER + frame.bytes.n);
	return whole;
}

static int64_t look_for_whole(int fd, off_t size)
{
	int64_t whole;
	void *file;

	if (size == 0)
		return 0;
	if ((uint64_t)size > SIZE_MAX)
		return -EFBIG;
	file = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		return -errno;
	whole = whole_of((struct cth_span){ file, (size_t)size });
	munmap(file, (size_t)size);
	return whole;
}

/* All of it or, with a full disk, nothing. */
static int add_whole(struct kept *k, off_t end, const struct iovec *parts, int n)
{
	size_t all = 0;
	ssize_t written;
	int error;

	for (int i = 0; i < n; i++)
		all += parts[i].iov_len;
	written = writev(k->fd, parts, n);
	if (written == (ssize_t)all)
		return 0;
	error = written < 0 ? -errno : -ENOSPC;
	if (written > 0 && ftruncate(k->fd, end) < 0)
		k->broken = true; /* what comes behind it could not be read */
	return error;
}

/* Cut to what is whole, with a header: how much was cut. */
static int64_t mend(struct kept *k)
{
	uint8_t header[CTH_PCAP_FILE_HEADER];
	const struct iovec part = { header, sizeof(header) };
	off_t size = lseek(k->fd, 0, SEEK_END);
	int64_t whole = size < 0 ? -errno : look_for_whole(k->fd, size);
	int r = 0;

	if (whole < 0)
		return whole;
	if (whole < size && ftruncate(k->fd, (off_t)whole) < 0)
		return -errno;
	cth_pcap_file_header(header);
	if (whole == 0)
		r = add_whole(k, 0, &part, 1);
	return r < 0 ? r : size - whole;
}

/* There may be a password in what is kept: nobody else reads it. */
int64_t kept_open_file(struct kept *k, const char *path)
{
	int64_t cut;

	k->broken = false;
	k->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (k->fd < 0)
		return -errno;
	cut = mend(k);
	if (cut < 0) {
		close(k->fd);
		k->fd = -1;
	}
	return cut;
}

/* Somebody may have emptied it meanwhile. */
int kept_add(struct kept *k, struct cth_span packet)
{
	struct cth_pcap_frame frame = { .family = NETLINK_NETFILTER, .full = packet.n,
					.bytes = packet };
	uint8_t file_header[CTH_PCAP_FILE_HEADER], header[CTH_PCAP_FRAME_HEADER];
	const struct iovec parts[] = {
		{ file_header, sizeof(file_header) },
		{ header, sizeof(header) },
		{ (void *)(uintptr_t)packet.p, packet.n }, /* which is only read */
	};
	struct timespec now = { 0, 0 };
	off_t end = lseek(k->fd, 0, SEEK_END);

	if (end < 0)
		return -errno;
	if (k->broken)
		return -EBADMSG;
	clock_gettime(CLOCK_REALTIME, &now);
	frame.sec = (uint64_t)now.tv_sec;
	frame.nsec = (uint32_t)now.tv_nsec;
	cth_pcap_file_header(file_header);
	cth_pcap_frame_header(header, &frame);
	return end == 0 ? add_whole(k, end, parts, 3) : add_whole(k, end, parts + 1, 2);
}

/* The keeper's. */

void kept_packet(struct run *r, const struct cth_pkt *p)
{
	int error;

	if (!r->keep_path || r->shared->roles.kept >= KEPT_MOST)
		return;
	error = kept_add(&r->kept, p->message);
	if (error == 0) {
		r->shared->roles.kept++;
		return;
	}
	if (!r->kept.told)
		warn("keep a packet in %s: %s: make room, or name another file; it is not kept",
		     r->keep_path, errno_name(-error));
	r->kept.told = true;
}

/* packets FOLDER of a file: the pcap in there, a folder of root's that nobody else looks into. */
static const char *folder_of_kept(struct run *r)
{
	static char path[CONF_PATH + 16];

	if (mkdir(r->conf.packets, 0700) < 0 && errno != EEXIST)
		warn("make the folder %s: %s: %s", r->conf.packets, errno_name(errno), strerror(errno));
	snprintf(path, sizeof(path), "%s/packets.pcap", r->conf.packets);
	return path;
}

static int cannot_be_kept(struct run *r, int error)
{
	const char *path = r->keep_path;

	r->keep_path = NULL;
	if (r->conf.packets && !r->conf.at[CONF_PACKETS]) { /* nobody has asked for it */
		warn("open %s: %s: packets that a worker dies of are not kept; name a folder, or "
		     "off: packets", path, errno_name(error));
		return CTH_EXIT_OK;
	}
	return fail(error, phrase("open %s for packets to be kept", path), NULL,
		    error == EBADMSG ? "it is no file of such packets: name another one" :
		    error == ENOSPC ? "make room" : "its folder must be there, and root's to write");
}

int kept_open(struct run *r)
{
	int64_t cut;

	if (r->conf.packets)
		r->keep_path = folder_of_kept(r);
	if (!r->keep_path)
		return CTH_EXIT_OK;
	cut = kept_open_file(&r->kept, r->keep_path);
	if (cut < 0)
		return cannot_be_kept(r, (int)-cut);
	if (cut > 0)
		warn("%s ended in a part of a packet: its %lld bytes are cut off", r->keep_path,
		     (long long)cut);
	return CTH_EXIT_OK;
}
