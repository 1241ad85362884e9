/* SPDX-License-Identifier: MIT */
/*
 * worker.c - the process that reads what strangers have sent. All it has is two pipes' ends,
 * and all it does with them is to take questions and to give answers: see roles.h.
 *
 * What it says about itself is its exit status and no more; it may not even speak.
 */
#include <unistd.h>
#include "roles.h"

static size_t worker_protocols(void)
{
	size_t n = 0;

	while (cth_protos[n])
		n++;
	return n;
}

void worker_run(const struct channel *channel)
{
	static struct channel_room room;
	struct channel_answer answer;
	size_t protocols = worker_protocols();
	int r = channel_greet(channel);

	if (r < 0)
		_exit(1);
	while ((r = channel_next(channel, &room)) > 0 && room.question.proto < protocols) {
		memset(&answer, 0, sizeof(answer)); /* what stands between the fields goes out, too */
		answer.id = room.question.id;
		cth_decide(cth_protos[room.question.proto], &room.question.view, &answer.decision);
		if (channel_answer(channel, &answer) < 0)
			break;
	}
	_exit(r == 0 ? 0 : 1);
}
