/* SPDX-License-Identifier: MIT */
/*
 * interrupts.c - ends a program that serves a queue in good order: SIGINT, SIGQUIT, SIGTERM
 * and SIGHUP set a flag, and the calls that wait return. So does SIGPIPE, for whoever reads
 * our output may leave first, and a helper must not stay enabled because of that.
 */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
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

void obey_parent(pid_t parent)
{
	static const int of_all[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < sizeof(of_all) / sizeof(of_all[0]); i++)
		signal(of_all[i], SIG_IGN);
	catch_one(SIGPIPE);
	catch_one(SIGNAL_OF_PARENT);
	prctl(PR_SET_PDEATHSIG, SIGNAL_OF_PARENT);
	if (getppid() != parent)
		interrupted = SIGNAL_OF_PARENT; /* it has died before */
}
