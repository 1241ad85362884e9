/* SPDX-License-Identifier: MIT */
/*
 * keeper.c - serves as `cth run --single` does, but has the worker decide: see roles.h.
 *
 *     packet --> engine --> question --> worker
 *                  ^                       |
 *                  '-- bounds <-- answer --'
 *                                  | none, or not one
 *                                  v
 *                             another worker, the same question; and if that does not help either
 *                             the packet passes (or, --fail-closed, is dropped) unread, is kept for
 *                             a report, and counted
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../netlink/pcap.h"
#include "../netlink/uapi.h"
#include "jail.h"
#include "proc.h"
#include "roles.h"

#define WORKER_WAIT 5000 /* ms: for the guardian to fork one */
#define WORKER_AGAIN 500 /* ms, after it has said no */
#define KEPT_MOST    64   /* packets */
#define TRIES        2   /* workers that one packet may cost */

struct keeper {
	struct run *run;
	int guardian, channel;
	uint32_t id;
	bool leaving;
	int64_t worker_at; /* not before that */
};

/* Words of the guardian. */

/* One of them: 0: nothing there, or the guardian is gone. A channel comes with ROLE_WORKER. */
static char next_word(struct keeper *k, int flags, int *channel)
{
	char word = 0;
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { &word, 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	const struct cmsghdr *c;
	ssize_t n = recvmsg(k->guardian, &m, flags | MSG_CMSG_CLOEXEC);

	*channel = -1;
	if (n == 0) /* nobody is there to restart anybody: a successor of us all may come */
		k->leaving = k->run->service.stay = true;
	if (n <= 0)
		return 0;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(channel, CMSG_DATA(c), sizeof(*channel));
	return word;
}

static void take_word(struct keeper *k, char word)
{
	if (word == ROLE_LEAVE)
		k->leaving = true;
	if (word != ROLE_COUNT)
		return;
	measure_losses(k->run);
	show_counters(k->run, false);
}

static void take_words(struct keeper *k)
{
	int channel;
	char word;

	while ((word = next_word(k, MSG_DONTWAIT, &channel)) != 0) {
		if (channel >= 0)
			close(channel); /* one that came too late to be waited for */
		take_word(k, word);
	}
}

/* Workers. */

static bool get_worker(struct keeper *k)
{
	char word = ROLE_WORKER;
	int64_t end = listener_now() + WORKER_WAIT;

	if (listener_now() < k->worker_at)
		return false;
	if (send(k->guardian, &word, 1, MSG_NOSIGNAL) != 1)
		return false;
	while (listener_now() < end) {
		struct pollfd wait = { .fd = k->guardian, .events = POLLIN };

		if (poll(&wait, 1, (int)(end - listener_now())) <= 0)
			break;
		word = next_word(k, MSG_DONTWAIT, &k->channel);
		if (k->channel >= 0) {
			k->run->roles.workers++;
			return true;
		}
		if (word == ROLE_NONE || (word == 0 && k->leaving))
			break;
		take_word(k, word);
	}
	k->worker_at = listener_now() + WORKER_AGAIN;
	return false;
}

/* Why it goes is counted, and said once for each cause. */
static void lose_worker(struct keeper *k, int error)
{
	struct role_counts *n = &k->run->roles;
	uint64_t *count = error == -ETIMEDOUT ? &n->hung : error == -EPROTO ? &n->protested : &n->died;

	close(k->channel);
	k->channel = -1;
	if (error == -EPIPE)
		return; /* dead since before: the packet is not to blame, and it is counted there */
	if ((*count)++ == 0)
		warn("the worker %s; the packet is given to another one",
		     error == -ETIMEDOUT ? "does not answer in time" :
		     error == -EPROTO ? "says what is no answer" : "has died of a packet, or was killed");
}

/* What it is that nobody can read. */
static void keep_packet(struct keeper *k, const struct cth_pkt *p)
{
	struct run *r = k->run;
	struct cth_pcap_frame frame = { .family = NETLINK_NETFILTER, .full = p->message.n,
					.bytes = p->message };
	uint8_t header[CTH_PCAP_FRAME_HEADER];

	if (!r->kept || r->roles.kept == r->keep_most)
		return;
	cth_pcap_frame_header(header, &frame);
	if (fwrite(header, sizeof(header), 1, r->kept) == 1 &&
	    fwrite(p->message.p, 1, p->message.n, r->kept) == p->message.n && fflush(r->kept) == 0) {
		r->roles.kept++;
		return;
	}
	warn("keep a packet in %s: %s: make room, or name another file; no more are kept",
	     r->keep_path, errno_name(errno));
	r->keep_most = r->roles.kept;
}

static uint32_t protocol_number(const struct cth_proto *p)
{
	uint32_t n = 0;

	while (cth_protos[n] && cth_protos[n] != p)
		n++;
	return n;
}

/* A cth_decide_fn. */
static void have_decided(const struct cth_call *c, struct cth_decision *d, void *keeper)
{
	struct keeper *k = keeper;
	uint32_t proto = protocol_number(c->served->proto);
	unsigned blamed = 0;

	while (blamed < TRIES && (k->channel >= 0 || get_worker(k))) {
		int r = channel_ask(k->channel, ++k->id, proto, &c->view, d);

		if (r == 0)
			return;
		lose_worker(k, r);
		blamed += r != -EPIPE;
	}
	memset(d, 0, sizeof(*d));
	memcpy(d->state, c->view.state, sizeof(d->state));
	d->drop = k->run->fail_closed;
	if (k->run->roles.undecided++ == 0)
		warn("a packet of %s cannot be decided, and %s", served_text(c->served),
		     d->drop ? "is dropped" : "passes as it is");
	if (blamed == TRIES)
		keep_packet(k, c->pkt);
}

/* The process. */

/* All that it will ever have open; from inside of the jail nothing can be. */
static int open_files(struct run *r)
{
	uint8_t header[CTH_PCAP_FILE_HEADER];

	proc_keep_queues();
	r->keep_most = r->keep_path ? KEPT_MOST : 0;
	if (!r->keep_path)
		return CTH_EXIT_OK;
	r->kept = fopen(r->keep_path, "abe");
	if (!r->kept)
		return fail(errno, phrase("open %s for packets to be kept", r->keep_path), NULL,
			    "its folder must be there, and root's to write");
	cth_pcap_file_header(header);
	if (ftell(r->kept) == 0 &&
	    (fwrite(header, sizeof(header), 1, r->kept) != 1 || fflush(r->kept) != 0))
		return fail(errno, phrase("write %s", r->keep_path), NULL, "make room");
	return CTH_EXIT_OK;
}

static int keep_serving(struct keeper *k)
{
	struct run *r = k->run;
	struct pollfd wait[] = {
		{ .fd = k->guardian, .events = POLLIN },
		{ .fd = cth_sock_fd(&r->service.sock), .events = POLLIN },
	};

	while (!k->leaving) {
		int n = cth_service_run(&r->service, 0);

		if (n < 0)
			return fail(n, "receive packets", NULL, NULL);
		show_gaps(r);
		(void)poll(wait, 2, -1);
		if (wait[0].revents)
			take_words(k);
	}
	return CTH_EXIT_OK;
}

int keeper_run(struct run *r, int guardian, bool resume)
{
	static struct keeper k;
	char word = ROLE_READY;
	const char *step;
	int status, left;

	k.run = r;
	k.guardian = guardian;
	k.channel = -1;
	r->config.resume = resume;
	r->service.engine.decide = have_decided;
	r->service.engine.decide_ctx = &k;
	status = kernel_open(&r->service.control);
	if (status == CTH_EXIT_OK)
		status = run_prepare(r);
	if (status == CTH_EXIT_OK)
		status = open_files(r);
	if (status != CTH_EXIT_OK)
		return status;
	status = jail_enter(&r->keeper_jail, &step);
	if (status < 0)
		return jail_failed(status, step);
	status = run_open(r);
	if (status != CTH_EXIT_OK)
		return status;
	r->roles.thrown = (uint64_t)(r->service.thrown > 0 ? r->service.thrown : 0);
	(void)send(guardian, &word, 1, MSG_NOSIGNAL);
	status = keep_serving(&k);
	left = run_leave(r);
	return status ? status : left;
}
