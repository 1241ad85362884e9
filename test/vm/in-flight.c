/* SPDX-License-Identifier: MIT */
/*
 * in-flight N -- has so many descriptors on their way to nobody, up to 253, until it is killed.
 * What root's processes have on their way is limited for all of them: unix(7), ETOOMANYREFS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 253 /* of one message */

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? (size_t)atoi(argv[1]) : 0;
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(MOST * sizeof(int))];
	} control;
	char word = 0;
	struct iovec part = { &word, 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room };
	int ends[2];

	if (n == 0 || n > MOST || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		return 2;
	memset(&control, 0, sizeof(control)); /* all of them are standard input */
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(n * sizeof(int));
	m.msg_controllen = CMSG_SPACE(n * sizeof(int));
	if (sendmsg(ends[0], &m, 0) != 1)
		return 1;
	puts("flying");
	fflush(stdout);
	for (;;)
		pause();
}
