/* SPDX-License-Identifier: MIT */
/*
 * flows.c - many FTP control connections that only are there, of one process that is client and
 * server at once.
 *
 *     flows CLIENT-NETNS SERVER-NETNS SERVER-ADDRESS NUMBER
 *
 * The server listens on port 21. Each connection has said hello, and the client its name: a helper
 * on the way has seen both sides. "held" is printed when all are there; stdin's end ends them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "flows: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void enter(const char *netns)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die(path);
	close(fd);
}

static int stream(void)
{
	struct timeval patience = { .tv_sec = 30 };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		die("socket");
	return fd;
}

/* A line that is short: it comes as one. */
static void say(int from, int to, const char *line)
{
	size_t n = strlen(line);
	char heard[64];

	if (send(from, line, n, MSG_NOSIGNAL) != (ssize_t)n ||
	    recv(to, heard, n, MSG_WAITALL) != (ssize_t)n)
		die(line);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(21) };
	struct linger at_once = { .l_onoff = 1 };
	struct rlimit files;
	int listener;
	long n;

	if (argc != 5 || inet_pton(AF_INET, argv[3], &at.sin_addr) != 1 || (n = atol(argv[4])) < 1) {
		fprintf(stderr, "usage: flows CLIENT-NETNS SERVER-NETNS SERVER-ADDRESS NUMBER\n");
		return 2;
	}
	files.rlim_cur = files.rlim_max = (rlim_t)n * 2 + 64;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		die("number of files");
	enter(argv[2]);
	listener = stream();
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(listener, 16) < 0)
		die("listen");
	enter(argv[1]);
	for (long i = 0; i < n; i++) {
		int client = stream(), server;

		if (connect(client, (struct sockaddr *)&at, sizeof(at)) < 0)
			die("connect");
		server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (server < 0)
			die("accept");
		/* A reset ends it: there is nothing to wait for in the end. */
		setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		say(server, client, "220 Hello.\r\n");
		say(client, server, "USER anonymous\r\n");
		say(server, client, "331 Password.\r\n");
	}
	puts("held");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
