/* SPDX-License-Identifier: MIT */
/*
 * roles.h - the three processes of `cth run`.
 *
 *     guardian   root, the capabilities of JAIL_GUARDIAN_CAPS. Opens the queue's socket and holds
 *        |       it, starts the others and starts them again. It reads neither packets nor
 *        |       a word of the worker's.
 *        |
 *        |-- fork --> keeper   own user, CAP_NET_ADMIN alone, a filter for system calls. Has the
 *        |              |      netlink sockets: registers, receives, checks decisions, sends
 *        |              |      verdicts. Believes nothing that the worker says.
 *        |              |
 *        |              |  the channel: one question out, one answer back
 *        |              |
 *        '-- fork --> worker   another user, no capability, an empty root, and a filter that
 *                              leaves it read and write. Runs the protocols.
 *
 * The keeper could not start a worker itself: it may neither change users nor fork. It asks the
 * guardian, with one byte, and gets the new channel's end by SCM_RIGHTS; the other end's two
 * descriptors are all that the worker has, and the guardian keeps neither. Nor can it open a
 * file from its empty root: for a packet that is to be kept it gets one in the same way.
 *
 * Whoever dies: a packet is at one place at a time, and with the flow's state in the kernel, so
 * nothing is lost. The worker's question is asked again, of the next worker. The keeper's packets
 * wait in the queue, which lives as long as the guardian holds its socket; what it had read
 * and not decided is dropped by the next keeper, and TCP sends it again. A keeper of which nothing
 * is heard any more is killed, and that was that. If the guardian dies the
 * keeper leaves, and has helpers, disabled, and rules stay for whoever is started next.
 *
 * What they count they count together, on a page that guardian and keepers share: no pointer stands
 * there, and nothing that the guardian reads. A worker lets go of it before it reads a word.
 *
 * Another configuration is read by the guardian. The keeper leaves between two packets, with all
 * in place, and the next one, which knows both, takes over and changes to the new one.
 */
#ifndef TOOLS_ROLES_H
#define TOOLS_ROLES_H

#include "run.h"

/* The keeper's exit status when it has left all in place, to be taken over by the next one. */
#define ROLE_EXIT_RELAYED 64

/* The worker's, when it could not be put into its jail. */
#define ROLE_EXIT_OUTSIDE 65

/* Keeper to guardian, and back. One byte a message. */
enum role_word {
	ROLE_READY  = 'r', /* keeper: serving now */
	ROLE_WORKER = 'w', /* keeper: another worker, instead; guardian: here it is */
	ROLE_NONE   = 'n', /* keeper: the worker is of no more use; guardian: what you want is not to be
			      had now */
	ROLE_KEEP   = 'k', /* keeper: a file for a packet; guardian: here it is */
	ROLE_ALIVE  = 'a', /* keeper, each second: not stuck */
	ROLE_LEAVE  = 'l', /* guardian: in good order, please */
	ROLE_RELAY  = 'y', /* guardian: leave all as it is, to one with another configuration */
	ROLE_REFUSED = 'f', /* keeper: serving, but not as the other configuration says */
	ROLE_COUNT  = 'c', /* guardian: show the counters */
};

/* pair.c: one of them, and what came with it; the descriptors are whose who has heard it. */
#define PAIR_FDS 2
struct pair_heard {
	char word;
	int fds[PAIR_FDS];
	size_t n;
};

/* Two ends: 0 or -errno. */
int pair_open(int ends[2]);

/* Does not wait: 0; -errno: nobody will hear it. What is said is the caller's to close. */
int pair_say(int end, char word, const int *fds, size_t n);

/* Nor does this: 1; 0: the other side has gone; -EAGAIN: it says nothing; -errno. */
int pair_hear(int end, struct pair_heard *h);
void pair_drop(struct pair_heard *h);

/* guardian.c: `cth run` with three processes, from the socket to the end: the exit code. */
int guardian_run(struct run *r);

/* keeper.c: the keeper, which has been forked, with its end of the guardian's pair. */
int keeper_run(struct run *r, int guardian, bool resume, bool left_well);

/* channel.c: one end of two pipes; -1: there is none. */
struct channel {
	int in, out;
};

/* worker.c: the worker; does not return. */
void worker_run(const struct channel *channel) __attribute__((noreturn));

/*
 * The keeper, before it asks anybody, and before its jail: has SIGALRM and its timer end the wait
 * for an answer. 0 or -errno.
 */
int channel_begin(void);

/* One question and its answer. Structs as they are: both ends are one program. */
struct channel_question {
	uint32_t id;
	uint32_t proto;        /* its place in cth_protos */
	struct cth_view view;  /* body: no pointer; its bytes follow */
};

struct channel_answer {
	uint32_t id;
	struct cth_decision decision;
};

/*
 * Asks, id not 0 and not to be guessed, and waits for so long in all: 0. -EPIPE: nobody was there
 * to be asked; -ECONNRESET: who was asked is dead; -ETIMEDOUT: it does not answer; -EPROTO: what it
 * says is no answer. Then the worker is to go.
 */
int channel_ask(const struct channel *c, uint32_t id, uint32_t proto, const struct cth_view *v,
		int timeout_ms, struct cth_decision *d);

/*
 * A worker that is in its jail says so, as if asked a question 0, which nobody is asked otherwise.
 * The keeper waits for that: what goes wrong up to there is no packet's fault. As channel_ask().
 */
int channel_greet(const struct channel *c);
int channel_greeted(const struct channel *c, int timeout_ms);

/* Takes the next question: 1, and its body lies in room; 0: the keeper is gone; -errno. */
struct channel_room {
	struct channel_question question;
	uint8_t body[CTH_PACKET_MAX];
};
int channel_next(const struct channel *c, struct channel_room *room);
int channel_answer(const struct channel *c, const struct channel_answer *answer);

/* Both ends of one, close-on-exec: 0 or -errno. SIGPIPE is the caller's to ignore. */
int channel_pair(struct channel *keeper, struct channel *worker);
void channel_close(struct channel *c);

#endif
