/* SPDX-License-Identifier: MIT */
/*
 * faults.c - a kernel that fails at the worst moment, to be preloaded (LD_PRELOAD) into
 * the program by the tests of tools. FAULT says how:
 *
 *     answer   a helper is enabled, and the answer to that cannot be received
 *     memory   the first five verdicts that carry a packet find no memory: ENOBUFS
 *     never    and so do all others
 *     late     a queue is given back a second after it was to be; "late" on stderr tells of it
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CTHELPER_NEW  0x0900 /* NFNL_SUBSYS_CTHELPER << 8 | NFNL_MSG_CTHELPER_NEW */
#define VERDICT       0x0301 /* NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT */
#define CONFIG        0x0302 /* NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG */
#define COMMAND_AT    24     /* where such a message has its command, behind three headers */
#define UNBIND        2      /* NFQNL_CFG_CMD_UNBIND */
#define LONGEST_PLAIN 64     /* bytes of a verdict without a packet */

static int lose_answer, verdicts, answers;

static int fault_is(const char *name)
{
	const char *fault = getenv("FAULT");

	return fault && strcmp(fault, name) == 0;
}

static int is_fatal(unsigned type, size_t n)
{
	if (type == CTHELPER_NEW && fault_is("answer") && answers++ == 0)
		lose_answer = 1;
	if (type != VERDICT || n <= LONGEST_PLAIN)
		return 0;
	return fault_is("never") || (fault_is("memory") && verdicts++ < 5);
}

static void delay(unsigned type, const char *message, size_t n)
{
	if (!fault_is("late") || type != CONFIG || n <= COMMAND_AT || message[COMMAND_AT] != UNBIND)
		return;
	if (write(STDERR_FILENO, "late\n", 5) == 5)
		sleep(1);
}

/* A message of one part goes out by send, one of several by sendmsg. */

static int is_fatal_message(const void *start, size_t start_len, size_t n)
{
	unsigned short type = 0;

	if (start_len >= 6)
		memcpy(&type, (const char *)start + 4, sizeof(type));
	delay(type, start, start_len);
	if (!is_fatal(type, n))
		return 0;
	errno = ENOBUFS;
	return 1;
}

ssize_t send(int fd, const void *buf, size_t n, int flags)
{
	ssize_t (*real)(int, const void *, size_t, int);

	*(void **)&real = dlsym(RTLD_NEXT, "send");
	return is_fatal_message(buf, n, n) ? -1 : real(fd, buf, n, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int);
	size_t n = 0;

	*(void **)&real = dlsym(RTLD_NEXT, "sendmsg");
	for (size_t i = 0; i < msg->msg_iovlen; i++)
		n += msg->msg_iov[i].iov_len;
	if (msg->msg_iovlen && is_fatal_message(msg->msg_iov[0].iov_base, msg->msg_iov[0].iov_len, n))
		return -1;
	return real(fd, msg, flags);
}

/* One datagram is awaited by recvfrom, several by recvmmsg. */

static int answer_is_lost(void)
{
	if (!lose_answer)
		return 0;
	lose_answer = 0;
	errno = EIO;
	return 1;
}

ssize_t recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *from_len)
{
	ssize_t (*real)(int, void *, size_t, int, struct sockaddr *, socklen_t *);

	*(void **)&real = dlsym(RTLD_NEXT, "recvfrom");
	return answer_is_lost() ? -1 : real(fd, buf, n, flags, from, from_len);
}

int recvmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags, struct timespec *timeout)
{
	int (*real)(int, struct mmsghdr *, unsigned, int, struct timespec *);

	*(void **)&real = dlsym(RTLD_NEXT, "recvmmsg");
	return answer_is_lost() ? -1 : real(fd, msgs, n, flags, timeout);
}
