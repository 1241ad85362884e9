/* SPDX-License-Identifier: MIT */
/*
 * ftp.c - the whole of a small firmware's FTP helper: no stdio, nothing but the exit code is said.
 * test/size weighs it.
 */
#include <signal.h>
#include <sys/random.h>
#include <cth/cthelper/service.h>

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	stop = number;
}

int main(void)
{
	static struct cth_service s;
	static uint8_t memory[CTH_SERVICE_MEMORY];
	struct cth_served served = {
		.proto = &cth_proto_ftp, .terms = { .queue = 1, .attach = true }
	};
	struct cth_service_config cfg = { .served = &served, .n = 1 };
	int r;

	signal(SIGTERM, on_signal);
	if (getrandom(&cfg.seed, sizeof(cfg.seed), 0) < 0)
		return 1;
	r = cth_service_open(&s, &cfg, memory, sizeof(memory), NULL);
	while (!stop && r >= 0)
		r = cth_service_run(&s, 1000);
	return cth_service_close(&s) < 0 || r < 0;
}
