/* SPDX-License-Identifier: MIT */
/*
 * kernel.c - the socket of an applet. Two fillings of the library's seam stand between
 * it and the kernel when they are asked for:
 *
 *     applet -> cth_sock -> [ dry run ] -> [ recorder ] -> the real socket
 *
 * The recorder copies every datagram to a pcap. The dry run lets questions through;
 * what would change the kernel is shown on stdout, and answered as if it had been done.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "../netlink/pcap.h"
#include "../netlink/uapi.h"
#include "cth.h"
#include "decode.h"

#define ACK_LENGTH    36u /* nlmsghdr, int error, nlmsghdr of the request */
#define PACKET_MEMORY 4096u
#define BUFFER_MOST   (64 << 20)

/* The one recording of the process; several sockets may add to it. */
static struct {
	FILE *f;
	int error;
} recording;

/* What stands in for an applet's socket. */
struct kernel {
	struct kernel *next;
	const struct cth_sock *s;
	struct cth_io real;
	uint8_t *answers;          /* ours to free; NULL: the caller's */
	uint32_t acks[256];        /* dry run: what is to be acknowledged, by seq */
	uint16_t ack_types[256];
	size_t acks_from, acks_to; /* counters; their difference is never above 256 */
};
static struct kernel *kernels;
static bool held_back; /* dry run: something was not sent */

/* The recorder. */

static void record_bytes(const void *bytes, size_t n)
{
	if (!recording.error && n && fwrite(bytes, 1, n, recording.f) != n)
		recording.error = errno ? errno : EIO;
}

static void record_start_of_frame(size_t stored, size_t full, bool to_kernel)
{
	uint8_t header[CTH_PCAP_FRAME_HEADER];
	struct cth_pcap_frame frame = { 0 };
	struct timespec now = { 0, 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	frame.sec = (uint64_t)now.tv_sec;
	frame.nsec = (uint32_t)now.tv_nsec;
	frame.to_kernel = to_kernel;
	frame.family = NETLINK_NETFILTER;
	frame.full = full;
	frame.bytes.n = stored;
	cth_pcap_frame_header(header, &frame);
	record_bytes(header, sizeof(header));
}

/* A frame is in the file whole as soon as it was exchanged: whatever comes next. */
static void record_end_of_frame(void)
{
	if (!recording.error && fflush(recording.f) != 0)
		recording.error = errno;
}

static void record_parts(const struct iovec *parts, size_t n)
{
	size_t full = 0, left;

	for (size_t i = 0; i < n; i++)
		full += parts[i].iov_len;
	left = full < CTH_PCAP_SNAPLEN ? full : CTH_PCAP_SNAPLEN;
	record_start_of_frame(left, full, true);
	for (size_t i = 0; i < n && left; i++) {
		size_t part = parts[i].iov_len < left ? parts[i].iov_len : left;

		record_bytes(parts[i].iov_base, part);
		left -= part;
	}
	record_end_of_frame();
}

static void record_slot(const struct cth_slot *slot)
{
	size_t stored = slot->n < CTH_PCAP_SNAPLEN ? slot->n : CTH_PCAP_SNAPLEN;

	if (slot->portid != 0)
		return; /* not the kernel's, and the library throws it away */
	/* By how much a cut one was longer is not known: one byte tells that it was. */
	record_start_of_frame(stored, slot->truncated ? slot->n + 1 : slot->n, false);
	record_bytes(slot->buf, stored);
	record_end_of_frame();
}

static const char *recording_remedy(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return "its folder is not there: make it first (mkdir -p), or name another";
	case EACCES:
	case EPERM:
	case EROFS:
	case EISDIR:
		return "name a file that may be written";
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return "make room, or name a file on another disk";
	}
	return "name another file";
}

static int start_recording(const char *path)
{
	uint8_t header[CTH_PCAP_FILE_HEADER];
	int error;

	recording.f = fopen(path, "wbe");
	if (!recording.f) {
		error = errno;
		return fail(error, phrase("create the recording %s", path), NULL,
			    recording_remedy(error));
	}
	cth_pcap_file_header(header);
	record_bytes(header, sizeof(header));
	record_end_of_frame();
	error = recording.error;
	if (!error)
		return CTH_EXIT_OK;
	fclose(recording.f);
	recording.f = NULL;
	recording.error = 0;
	return fail(error, phrase("write the recording %s", path), NULL, recording_remedy(error));
}

int kernel_begin_recording(void)
{
	return common.record && !recording.f ? start_recording(common.record) : CTH_EXIT_OK;
}

int kernel_recording_fd(void)
{
	return recording.f ? fileno(recording.f) : -1;
}

int kernel_end_recording(void)
{
	if (!recording.f)
		return CTH_EXIT_OK;
	if (fclose(recording.f) != 0 && !recording.error)
		recording.error = errno;
	recording.f = NULL;
	if (recording.error)
		return fail(recording.error, phrase("write the recording %s", common.record),
			    phrase("%s; what it holds so far is good", strerror(recording.error)),
			    recording_remedy(recording.error));
	return CTH_EXIT_OK;
}

/* What reaches the kernel is what the recording shows. */
static int real_send(struct kernel *k, const struct iovec *parts, size_t n)
{
	int r = k->real.send(k->real.ctx, parts, n);

	if (r >= 0 && recording.f)
		record_parts(parts, n);
	return r;
}

/* The dry run. */

/* Only questions go through: whatever is not known to be one is held back. */
static bool is_question(uint16_t type)
{
	switch (type) {
	case NFNL_SUBSYS_CTHELPER << 8 | NFNL_MSG_CTHELPER_GET:
	case NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET:
	case NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS_CPU:
	case NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS:
	case NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_GET:
		return true;
	}
	/* Of nf_tables: GET of table, chain, rule, set, element, generation, object, flowtable. */
	if (type >> 8 == CTH_NFNL_SUBSYS_NFTABLES)
		switch (type & 0xff) {
		case 1: case 4: case 7: case 10: case 13: case 16: case 19: case 23:
			return true;
		}
	return false;
}

/* Notes that a message is to be acknowledged; the oldest of too many is forgotten. */
static void hold(struct kernel *k, const struct cth_nlmsg *m)
{
	size_t room = sizeof(k->acks) / sizeof(k->acks[0]);

	held_back = true;
	if (!(m->flags & NLM_F_ACK))
		return;
	if (k->acks_to - k->acks_from == room)
		k->acks_from++;
	k->acks[k->acks_to % room] = m->seq;
	k->ack_types[k->acks_to % room] = m->type;
	k->acks_to++;
}

static bool only_questions(struct cth_span datagram)
{
	struct cth_nlmsg m;

	while (cth_nlmsg_next(&datagram, &m) > 0)
		if (!is_question(m.type))
			return false;
	return true;
}

/* Holds a datagram back, except for the questions in it. */
static int dry_send(struct kernel *k, struct cth_span datagram)
{
	struct cth_span rest = datagram;
	struct cth_nlmsg m;
	int r = 0;

	decode_datagram(stdout, datagram, true);
	while (r >= 0 && cth_nlmsg_next(&rest, &m) > 0) {
		struct iovec part = { (void *)(uintptr_t)m.whole.p, m.whole.n };

		if (is_question(m.type))
			r = real_send(k, &part, 1);
		else
			hold(k, &m);
	}
	return r;
}

static struct cth_span gather(const struct iovec *parts, size_t n, uint8_t **room)
{
	size_t total = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		total += parts[i].iov_len;
	*room = malloc(total ? total : 1);
	if (!*room)
		return cth_span(NULL, 0);
	for (size_t i = 0; i < n; i++) {
		memcpy(*room + at, parts[i].iov_base, parts[i].iov_len);
		at += parts[i].iov_len;
	}
	return cth_span(*room, total);
}

/* An ACK as the kernel would write it. */
static void put_ack(struct cth_slot *slot, uint32_t seq, uint16_t type)
{
	memset(slot->buf, 0, ACK_LENGTH);
	cth_store_host32(slot->buf, ACK_LENGTH);
	cth_store_host16(slot->buf + 4, NLMSG_ERROR);
	cth_store_host16(slot->buf + 6, CTH_NLM_F_CAPPED);
	cth_store_host32(slot->buf + 8, seq);
	cth_store_host32(slot->buf + 20, 20); /* the request's length, which nobody reads */
	cth_store_host16(slot->buf + 24, type);
	cth_store_host32(slot->buf + 28, seq);
	slot->n = ACK_LENGTH;
	slot->portid = 0;
	slot->truncated = false;
}

static int dry_receive(struct kernel *k, struct cth_slot *slots, size_t n)
{
	size_t room = sizeof(k->acks) / sizeof(k->acks[0]), got = 0;

	while (got < n && k->acks_from != k->acks_to && slots[got].cap >= ACK_LENGTH) {
		put_ack(&slots[got++], k->acks[k->acks_from % room],
			k->ack_types[k->acks_from % room]);
		k->acks_from++;
	}
	return (int)got;
}

/* The seam. */

static int between_send(void *ctx, const struct iovec *parts, size_t n)
{
	struct kernel *k = ctx;
	struct cth_span datagram;
	uint8_t *room;
	int r;

	if (!common.dry_run)
		return real_send(k, parts, n);
	datagram = gather(parts, n, &room);
	if (!datagram.p)
		return -ENOMEM;
	r = only_questions(datagram) ? real_send(k, parts, n) : dry_send(k, datagram);
	free(room);
	return r;
}

static int between_receive(void *ctx, struct cth_slot *slots, size_t n, int timeout_ms)
{
	struct kernel *k = ctx;
	int got = dry_receive(k, slots, n);

	if (got > 0)
		return got;
	got = k->real.receive(k->real.ctx, slots, n, timeout_ms);
	for (int i = 0; i < got && recording.f; i++)
		record_slot(&slots[i]);
	return got;
}

int kernel_adopt(struct cth_sock *s)
{
	struct kernel *k;
	int status = kernel_begin_recording();

	if (status)
		return status;
	k = calloc(1, sizeof(*k));
	if (!k)
		return fail(ENOMEM, "open a socket to the kernel's netfilter", NULL, NULL);
	k->s = s;
	k->real = s->io;
	k->next = kernels;
	kernels = k;
	s->io.ctx = k;
	s->io.send = between_send;
	s->io.receive = between_receive;
	return CTH_EXIT_OK;
}

int kernel_open_sized(struct cth_sock *s, void *buf, size_t cap)
{
	const char *tried = "open a socket to the kernel's netfilter";
	int r = cth_sock_open(s, buf, cap);

	if (r == -EPROTONOSUPPORT)
		return fail(r, tried, "this kernel has no nfnetlink (CONFIG_NETFILTER_NETLINK), or its "
			    "module is not there", "modprobe nfnetlink; OpenWrt: install kmod-nfnetlink");
	if (r == -EAFNOSUPPORT)
		return fail(r, tried, "netlink sockets are not allowed here: a sandbox, such as "
			    "systemd's RestrictAddressFamilies", "allow AF_NETLINK");
	if (r < 0)
		return fail(r, tried, NULL, NULL);
	r = kernel_adopt(s);
	if (r)
		cth_sock_close(s);
	return r;
}

int kernel_open(struct cth_sock *s)
{
	uint8_t *buf = malloc(CTH_SOCK_BUF);
	int r;

	if (!buf)
		return fail(ENOMEM, "open a socket to the kernel's netfilter", NULL, NULL);
	r = kernel_open_sized(s, buf, CTH_SOCK_BUF);
	if (r)
		free(buf);
	else
		kernels->answers = buf;
	return r;
}

int kernel_open_on(struct cth_sock *s, int fd)
{
	uint8_t *buf = malloc(CTH_SOCK_BUF);
	int r = buf ? cth_sock_adopt(s, fd, buf, CTH_SOCK_BUF) : -ENOMEM;

	if (r < 0) {
		free(buf);
		return fail(r, "use a socket to the kernel's netfilter that was open", NULL, NULL);
	}
	r = kernel_adopt(s);
	if (r == CTH_EXIT_OK) {
		kernels->answers = buf;
		return r;
	}
	cth_sock_close(s);
	free(buf);
	return r;
}

/*
 * A burst is to find room in the socket for what may wait: a packet takes that much of the kernel's
 * memory, and what finds none passes unseen, or is dropped.
 */
int kernel_buffer(uint64_t packets)
{
	return packets < BUFFER_MOST / PACKET_MEMORY ? (int)(packets * PACKET_MEMORY) : BUFFER_MOST;
}

void kernel_close(struct cth_sock *s)
{
	struct kernel **at = &kernels, *k;

	while (*at && (*at)->s != s)
		at = &(*at)->next;
	k = *at;
	if (!k)
		return;
	*at = k->next;
	cth_sock_close(s);
	if (held_back && !kernels)
		warn("dry run: nothing was changed");
	held_back = held_back && kernels;
	free(k->answers);
	free(k);
}
