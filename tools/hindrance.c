/* SPDX-License-Identifier: MIT */
/* hindrance.c - see hindrance.h. */
#include <errno.h>
#include "cth.h"
#include "hindrance.h"

static const struct {
	int err;
	const char *cause, *remedy;
} hindrances[] = {
	{ EAGAIN, "there may be no more processes", "raise TasksMax= of the unit, pids.max of the "
	  "control group, or kernel.threads-max" },
	{ EMFILE, "the guardian may have no more files open", "raise LimitNOFILE= of the unit, or "
	  "ulimit -n" },
	{ ENFILE, "the system may have no more files open", "raise fs.file-max, or end who has so many" },
	{ ENOMEM, "memory is short", "free some, or raise MemoryMax= of the unit" },
	{ ETOOMANYREFS, "too many descriptors are on their way between processes of root", "raise "
	  "LimitNOFILE= of the unit, or end who sends some and does not receive them" },
	{ EPERM, "a filter of system calls, or a security module, may be in the way", "look at its log" },
};

void hindrance_tell(int err, const char *tried, const char *meanwhile)
{
	const char *cause = NULL, *remedy = "start the service again";

	for (size_t i = 0; i < sizeof(hindrances) / sizeof(hindrances[0]); i++) {
		if (hindrances[i].err != -err)
			continue;
		cause = hindrances[i].cause;
		remedy = hindrances[i].remedy;
	}
	fail(err, tried, cause, phrase("%s; %s", remedy, meanwhile));
}
