/* SPDX-License-Identifier: MIT */
/*
 * rendezvous.c - a helper of one's own. A server on TCP port 7000 says "MEET 6446" and a newline,
 * and its client then connects to that port too: which a firewall must expect, and NAT rewrite.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <cth/cthelper/service.h>

static void decide(const struct cth_view *v, struct cth_decision *d)
{
	struct cth_span word = cth_span_sub(v->body, 0, 5);
	unsigned port = 0;
	size_t at = 5;

	if (!v->reply || !word.p || memcmp(word.p, "MEET ", 5) != 0)
		return;
	while (at < v->body.n && at < 10 && v->body.p[at] >= '0' && v->body.p[at] <= '9')
		port = port * 10 + (unsigned)(v->body.p[at++] - '0');
	if (at == v->body.n || v->body.p[at] != '\n' || port < 1024 || port > 65535) {
		cth_note(d, CTH_NOTE_GARBLED);
		return;
	}
	struct cth_wanted *w = cth_want(v, d); /* TCP, from the receiver to the sender */
	w->port = (uint16_t)port;
	if (v->rewrite)
		cth_announce(d, w, 5, at - 5, CTH_FORM_PORT, 0);
}

static const uint8_t tcp[] = { 6, 0 };
static const struct cth_proto rendezvous = {
	.name = "rendezvous", .l4 = tcp, .port = 7000, .classes = { { "meeting", 4, 60 } },
	.wants_l4 = tcp, .wants_source = CTH_FROM_PEER, .wants_dest = CTH_TO_OWN,
	.lowest_port = 1024, .announces = 1 << CTH_FORM_PORT, .longest_text = 5,
	.growth = 1, .decide = decide, /* 9999 may become 10000 */
};
static const char *const steps[] = { "memory", "sockets", "register", "take over", "bind queue 70",
				     "enable", "make the rules" };
static volatile sig_atomic_t stop;
static void on_signal(int number) { stop = number; }

int main(void)
{
	static struct cth_service s;
	static uint8_t memory[CTH_SERVICE_MEMORY];
	struct cth_served served = { .proto = &rendezvous, .terms = { .queue = 70, .attach = true } };
	struct cth_service_config cfg = { .served = &served, .n = 1 };
	struct cth_service_fault fault;
	int r = getrandom(&cfg.seed, sizeof(cfg.seed), 0) < 0 ? -1 : 0;

	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	if (r == 0 && (r = cth_service_open(&s, &cfg, memory, sizeof(memory), &fault)) < 0)
		fprintf(stderr, "rendezvous: %s: %s\n", steps[fault.step], strerror(-r));
	while (r >= 0 && !stop)
		r = cth_service_run(&s, 1000);
	return cth_service_close(&s) < 0 || r < 0;
}
