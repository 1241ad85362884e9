/* SPDX-License-Identifier: MIT */
/*
 * interrupts.c - ends a program that serves a queue in good order: SIGINT, SIGQUIT, SIGTERM
 * and SIGHUP set a flag, and the calls that wait return. So does SIGPIPE, for whoever reads
 * our output may leave first, and a helper must not stay enabled because of that.
 */
#include <signal.h>
#include <string.h>
#include "cth.h"

volatile int interrupted;

static void take(int number)
{
	interrupted = number;
}

static void catch_one(int number)
{
	struct sigaction a;

	memset(&a, 0, sizeof(a));
	a.sa_handler = take;
	sigemptyset(&a.sa_mask);
	sigaction(number, &a, NULL);
}

static bool is_ignored(int number)
{
	struct sigaction a;

	return sigaction(number, NULL, &a) == 0 && a.sa_handler == SIG_IGN;
}

/*
 * Asked again, the program goes on leaving: that takes a few seconds at most, and a second
 * Ctrl-C would leave helpers enabled. Under nohup a hang-up stays ignored.
 */
void catch_interrupts(void)
{
	catch_one(SIGPIPE);
	catch_one(SIGTERM);
	catch_one(SIGINT);
	catch_one(SIGQUIT);
	if (!is_ignored(SIGHUP))
		catch_one(SIGHUP);
}
