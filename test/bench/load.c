/* SPDX-License-Identifier: MIT */
/*
 * load.c - UDP over loopback, as much as the consumer can take.
 *
 *     load [-p PORT] [-s BYTES] [-w WINDOW] [-f] CONSUMER ARGUMENT...
 *
 * Starts the consumer on the last processor, waits until it is ready, and sends to
 * 127.0.0.1 from the first one until the consumer ends, whose exit status it returns. A window of
 * packets is queued, then the consumer is let through its gate and decides them, and so on: it
 * always has a full queue before it, nothing is lost, neither disturbs the other, and what
 * else this machine does changes little. With -f both run freely, with at most a window
 * undecided. A socket that nobody reads takes the packets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "consumer.h"

#define BURST 32

static uint16_t port = 5000;
static size_t size = 64;
static uint64_t window = 1024, sent;
static struct bench_page *page;

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static int last_cpu(void)
{
	cpu_set_t set;
	int last = 0;

	sched_getaffinity(0, sizeof(set), &set);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			last = i;
	return last;
}

static int first_cpu(void)
{
	cpu_set_t set;
	int i = 0;

	sched_getaffinity(0, sizeof(set), &set);
	while (!CPU_ISSET(i, &set))
		i++;
	return i;
}

static pid_t start(char **argv, int argc, int fd)
{
	char **with = calloc((size_t)argc + 3, sizeof(*with)), number[16];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	pin(last_cpu());
	snprintf(number, sizeof(number), "%d", fd);
	memcpy(with, argv, (size_t)argc * sizeof(*with));
	with[argc] = "-W";
	with[argc + 1] = number;
	execvp(with[0], with);
	die(with[0]);
	return 0;
}

static int udp(struct sockaddr_in *to, int bound_here)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), small = 1, large = 64 << 20;

	/* What waits in a queue is still charged to who has sent it. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof(large));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (fd < 0 || (bound_here ? bind : connect)(fd, (struct sockaddr *)to, sizeof(*to)) < 0)
		die("udp");
	return fd;
}

static int runs(pid_t consumer)
{
	siginfo_t end = { 0 };

	return waitid(P_PID, (id_t)consumer, &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       end.si_pid == 0;
}

static void send_packets(int fd, struct mmsghdr *m, uint64_t n)
{
	int r;

	while (n > 0) {
		r = sendmmsg(fd, m, n < BURST ? (unsigned)n : BURST, 0);
		if (r <= 0)
			die("sendmmsg");
		sent += (uint64_t)r;
		n -= (uint64_t)r;
	}
}

static void open_gate(void)
{
	page->opened++;
	syscall(SYS_futex, &page->opened, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void generate(pid_t consumer)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct mmsghdr m[BURST];
	struct iovec iov = { calloc(1, size), size };
	int fd;

	udp(&to, 1);
	fd = udp(&to, 0);
	memset(m, 0, sizeof(m));
	for (int i = 0; i < BURST; i++) {
		m[i].msg_hdr.msg_iov = &iov;
		m[i].msg_hdr.msg_iovlen = 1;
	}
	while (runs(consumer)) {
		if (page->window && page->decided < sent) {
			usleep(20);
		} else if (page->window) {
			send_packets(fd, m, window);
			open_gate();
		} else if (sent - page->decided <= window - BURST) {
			send_packets(fd, m, BURST);
		}
	}
}

int main(int argc, char **argv)
{
	int c, fd, status = 0, gate = 1;
	pid_t pid;

	while ((c = getopt(argc, argv, "+fp:s:w:")) != -1) {
		if (c == 'p')
			port = (uint16_t)atoi(optarg);
		else if (c == 's')
			size = strtoul(optarg, NULL, 10);
		else if (c == 'f')
			gate = 0;
		else if (c == 'w')
			window = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	fd = memfd_create("page", 0);
	if (fd < 0 || ftruncate(fd, sizeof(*page)) < 0)
		die("memfd");
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		die("mmap");
	page->window = gate ? (uint32_t)window : 0;
	pid = start(argv + optind, argc - optind, fd);
	pin(first_cpu());
	while (!page->ready && runs(pid))
		usleep(1000);
	generate(pid);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
