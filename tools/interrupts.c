/* SPDX-License-Identifier: MIT */
/*
 * interrupts.c - ends a program that serves a queue in good order: SIGINT, SIGTERM and
 * SIGHUP set a flag, and the calls that wait return. So does SIGPIPE, for whoever reads
 * our output may leave first, and a helper must not stay enabled because of that.
 */
#include <signal.h>
#include <string.h>
#include "cth.h"

volatile int interrupted;

static void note(int number)
{
	(void)number;
	interrupted = 1;
}

void catch_interrupts(void)
{
	struct sigaction a;

	memset(&a, 0, sizeof(a));
	a.sa_handler = note;
	sigemptyset(&a.sa_mask);
	sigaction(SIGPIPE, &a, NULL);
	/* Asked twice, the program ends at once. */
	a.sa_flags = (int)SA_RESETHAND;
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGHUP, &a, NULL);
}
