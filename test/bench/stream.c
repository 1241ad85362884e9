/* SPDX-License-Identifier: MIT */
/*
 * stream.c - one TCP stream, as fast as it goes.
 *
 *     stream PORT                      takes one connection, reads it to its end, prints Gbit/s
 *     stream ADDRESS PORT SECONDS      connects and writes that long
 *
 * The reader's clock runs from the first byte to the last.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char bytes[256 << 10];

static void die(const char *what)
{
	fprintf(stderr, "stream: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int take(const char *port)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	double start = 0, sum = 0;
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, 1) < 0)
		die("listen");
	fd = accept(fd, NULL, NULL);
	if (fd < 0)
		die("accept");
	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		if (sum == 0)
			start = now();
		sum += (double)n;
	}
	printf("%.3f\n", sum == 0 ? 0 : sum * 8 / 1e9 / (now() - start));
	return 0;
}

static int give(char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)atoi(argv[2])) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), tries = 100;
	double end;

	inet_pton(AF_INET, argv[1], &to.sin_addr);
	while (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && tries-- > 0)
		usleep(20000);
	if (tries <= 0)
		die("connect");
	end = now() + atof(argv[3]);
	while (now() < end)
		if (write(fd, bytes, sizeof(bytes)) < 0)
			die("write");
	return 0;
}

int main(int argc, char **argv)
{
	alarm(60);
	if (argc == 4)
		return give(argv);
	return argc == 2 ? take(argv[1]) : 2;
}
