/* SPDX-License-Identifier: MIT */
/*
 * queue.c - the NFQUEUE client on the running kernel. test/live/run says which rules
 * there are: in short, what is sent to port 5000 waits in queue 10.
 *
 *     tx --- OUTPUT --- queue 10 --- cth_queue --- lo --- rx
 */
#include <time.h>
#include "live.h"

#define QUEUE   10
#define OTHER   11
#define NOBODYS 99 /* no listener */

#define SLOTS 32
#define SLOT  (65531 + CTH_QUEUE_ROOM)

static struct cth_sock s;
static struct cth_queue q;
static struct cth_slot ring[SLOTS];
static uint8_t slot_bytes[SLOTS][SLOT], answers[CTH_SOCK_BUF], out[CTH_QUEUE_OUT];
static struct cth_nack nack;

/* Notes of the callback, and what it is to do. */
static struct {
	struct cth_pkt last;      /* without its spans */
	uint16_t queue[64];
	uint32_t id[64];
	size_t n;                 /* noted */
	size_t longest;           /* payload */
	uint32_t skb_info;        /* all that were seen */
	void (*answer)(const struct cth_pkt *p, struct cth_verdict *v);
} seen;

static void see(const struct cth_pkt *p, struct cth_verdict *v, void *ctx)
{
	(void)ctx;
	seen.last = *p;
	if (seen.n < N_OF(seen.id)) {
		seen.queue[seen.n] = p->queue;
		seen.id[seen.n++] = p->id;
	}
	if (p->payload.n > seen.longest)
		seen.longest = p->payload.n;
	seen.skb_info |= p->skb_info;
	if (seen.answer)
		seen.answer(p, v);
}

static void ring_init(size_t cap)
{
	for (size_t i = 0; i < SLOTS; i++) {
		ring[i].buf = slot_bytes[i];
		ring[i].cap = cap;
	}
}

static void bind_with(struct cth_queue_config cfg)
{
	int r = cth_queue_bind(&q, QUEUE, &cfg, &nack);

	if (r < 0)
		fail_msg("bind: %s: %s", strerror(-r), nack.text);
}

static void bind_plainly(void)
{
	bind_with((struct cth_queue_config){ 0 });
}

static int setup(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	ring_init(SLOT);
	assert_int_equal(cth_sock_open(&s, answers, sizeof(answers)), 0);
	assert_int_equal(cth_queue_init(&q, &s, ring, SLOTS, out, sizeof(out), see, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cth_sock_close(&s);
	close_all();
	return 0;
}

/* Runs until n packets are done; a kernel that does not deliver them fails the test. */
static void run(size_t n)
{
	size_t done = 0;

	while (done < n) {
		int r = cth_queue_run(&q, n - done, 2000);

		assert_true(r > 0);
		done += (size_t)r;
	}
}

static void one_message_configures_everything(void **state)
{
	struct proc p;

	(void)state;
	bind_with((struct cth_queue_config){ .range = 1234, .maxlen = 77,
					     .flags = CTH_QUEUE_FAIL_OPEN });
	p = proc(QUEUE);
	assert_true(p.there);
	assert_int_equal(p.portid, s.portid);
	assert_int_equal(p.mode, CTH_COPY_PACKET);
	assert_int_equal(p.range, 1234);
	assert_int_equal(cth_queue_flags(&q, QUEUE), CTH_QUEUE_FAIL_OPEN);

	bind_with((struct cth_queue_config){ .copy = CTH_COPY_META });
	assert_int_equal(proc(QUEUE).mode, CTH_COPY_META);
	bind_plainly();
	assert_int_equal(proc(QUEUE).mode, CTH_COPY_PACKET);
	assert_int_equal(proc(QUEUE).range, 65531);
	assert_int_equal(cth_queue_unbind(&q, QUEUE, &nack), 0);
	assert_false(proc(QUEUE).there);
	assert_int_equal(q.stats.nacks, 0);
	assert_int_equal(cth_queue_unbind(&q, QUEUE, &nack), -ENODEV);
}

static void drop_d(const struct cth_pkt *p, struct cth_verdict *v)
{
	if (p->payload.n > 28 && p->payload.p[28] == 'd')
		v->code = CTH_DROP;
}

static void what_is_accepted_arrives_and_what_is_dropped_does_not(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	bind_plainly();
	seen.answer = drop_d;
	say(u, "a1");
	say(u, "d2");
	say(u, "a3");
	assert_string_equal(heard(u), "");
	run(3);
	assert_string_equal(heard(u), "a1");
	assert_string_equal(heard(u), "a3");
	assert_string_equal(heard(u), "");
	assert_int_equal(proc(QUEUE).depth, 0);
	assert_int_equal(seen.last.hook, 3);
	assert_int_equal(seen.last.hw_protocol, 0x0800);
	assert_int_equal(seen.last.family, AF_INET);
	assert_int_equal(seen.id[0], 1);
	assert_int_equal(seen.id[2], 3);
}

static void ipv6_works_as_well(void **state)
{
	struct udp u = udp_open(AF_INET6, 5000);

	(void)state;
	bind_plainly();
	say(u, "six");
	run(1);
	assert_string_equal(heard(u), "six");
	assert_int_equal(seen.last.hw_protocol, 0x86dd);
	assert_int_equal(seen.last.family, AF_INET6);
}

static void repeat_with_mark_1(const struct cth_pkt *p, struct cth_verdict *v)
{
	(void)p;
	v->code = CTH_REPEAT;
	v->set_mark = true;
	v->mark = 1;
	v->mark_mask = UINT32_MAX;
}

static void repeat_goes_through_the_rules_again(void **state)
{
	struct udp u = udp_open(AF_INET, 5001);

	(void)state;
	bind_plainly();
	seen.answer = repeat_with_mark_1;
	say(u, "again");
	run(1);
	assert_string_equal(heard(u), "again");
	assert_int_equal(cth_queue_run(&q, 0, 0), 0);
}

static void set_mark_42(const struct cth_pkt *p, struct cth_verdict *v)
{
	(void)p;
	v->set_mark = true;
	v->mark = 0x42;
	v->mark_mask = 0xff;
}

static void a_mark_is_set_under_its_mask(void **state)
{
	struct udp u = udp_open(AF_INET, 5003);
	uint32_t mark = 0xf11;

	(void)state;
	bind_plainly();
	assert_int_equal(setsockopt(u.tx, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
	say(u, "unmarked");
	run(1);
	assert_int_equal(seen.last.mark, mark);
	assert_string_equal(heard(u), "unmarked");
	seen.answer = set_mark_42;
	say(u, "marked"); /* now 0xf42, for which there is a rule */
	run(1);
	assert_string_equal(heard(u), "");
}

static void stop(const struct cth_pkt *p, struct cth_verdict *v)
{
	(void)p;
	v->code = CTH_STOP;
}

static void stop_passes_the_tables_behind(void **state)
{
	struct udp u = udp_open(AF_INET, 5002);

	(void)state;
	bind_plainly();
	say(u, "accepted");
	run(1);
	assert_string_equal(heard(u), ""); /* the table behind drops it */
	seen.answer = stop;
	say(u, "stopped");
	run(1);
	assert_string_equal(heard(u), "stopped");
}

static struct cth_verdict onward;

static void send_onward(const struct cth_pkt *p, struct cth_verdict *v)
{
	if (p->queue == QUEUE) {
		v->code = CTH_QUEUE;
		v->to_queue = onward.to_queue;
		v->bypass = onward.bypass;
	}
}

static void a_packet_goes_on_to_another_queue(void **state)
{
	const struct cth_queue_config plain = { 0 };
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	bind_plainly();
	assert_int_equal(cth_queue_bind(&q, OTHER, &plain, &nack), 0);
	seen.answer = send_onward;
	onward.to_queue = OTHER;
	onward.bypass = false;
	say(u, "onward");
	run(2);
	assert_int_equal(seen.queue[0], QUEUE);
	assert_int_equal(seen.queue[1], OTHER);
	assert_string_equal(heard(u), "onward");

	onward.to_queue = NOBODYS;
	say(u, "lost");
	run(1);
	assert_string_equal(heard(u), "");
	onward.bypass = true;
	say(u, "bypassed");
	run(1);
	assert_string_equal(heard(u), "bypassed");
}

static void swap_name(const struct cth_pkt *p, struct cth_verdict *v)
{
	(void)p;
	cth_edit_cut(&v->edit, 6, 5, "everybody out there", 19);
}

static void an_edit_passes_the_receivers_checksum(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };

	(void)state;
	bind_plainly();
	seen.answer = swap_name;
	for (size_t i = 0; i < N_OF(families); i++) {
		struct udp u = udp_open(families[i], 5000);

		say(u, "Hello world!");
		say(u, "Tired Atlas, carry on"); /* odd length, and two in a row */
		run(2);
		assert_string_equal(q.last_refusal ? q.last_refusal : "", "");
		assert_string_equal(heard(u), "Hello everybody out there!");
		assert_string_equal(heard(u), "Tired everybody out there, carry on");
	}
}

/* Another payload by hand, with the checksum switched off, as IPv4 allows. */
static void replace(const struct cth_pkt *p, struct cth_verdict *v)
{
	static uint8_t packet[64];

	memcpy(packet, p->payload.p, p->payload.n);
	memcpy(packet + 28, "other", 5);
	cth_store_be16(packet + 26, 0);
	v->packet = cth_span(packet, p->payload.n);
}

static void spoil(const struct cth_pkt *p, struct cth_verdict *v)
{
	replace(p, v);
	cth_store_be16((uint8_t *)v->packet.p + 26, 0x1234);
}

static void a_packet_is_replaced_as_it_is_given(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	bind_plainly();
	seen.answer = replace;
	say(u, "these");
	run(1);
	assert_string_equal(heard(u), "other");
	seen.answer = spoil; /* the receiver does look at checksums */
	say(u, "these");
	run(1);
	assert_string_equal(heard(u), "");
	assert_int_equal(q.stats.refused, 0);
}

static void a_packet_that_was_cut_is_not_edited(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	bind_with((struct cth_queue_config){ .range = 34 });
	seen.answer = swap_name;
	say(u, "Hello world!");
	run(1);
	assert_int_equal(seen.longest, 34);
	assert_int_equal(seen.last.cap_len, 28 + 12);
	assert_string_equal(heard(u), "Hello world!");
	assert_int_equal(q.stats.refused, 1);
	assert_non_null(q.last_refusal);
}

static void packets_without_payload(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	bind_with((struct cth_queue_config){ .copy = CTH_COPY_META });
	say(u, "unseen");
	run(1);
	assert_null(seen.last.payload.p);
	assert_string_equal(heard(u), "unseen");
}

static void small_slots_mean_a_smaller_range_and_not_a_lost_packet(void **state)
{
	static char text[3001];
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	ring_init(1024 + CTH_QUEUE_ROOM);
	bind_plainly();
	memset(text, 'x', sizeof(text) - 1);
	say(u, text);
	run(1);
	assert_int_equal(seen.longest, 1024);
	assert_int_equal(seen.last.cap_len, 3028);
	assert_string_equal(heard(u), text);
	assert_int_equal(s.stats.truncated, 0);

	ring_init(512); /* behind bind's back: now datagrams are cut */
	say(u, text);
	run(1);
	assert_int_equal(s.stats.truncated, 1);
	assert_int_equal(q.stats.malformed, 1);
	assert_int_equal(seen.n, 1);
	assert_string_equal(heard(u), text);
	assert_int_equal(proc(QUEUE).depth, 0);
}

static void the_largest_packet_comes_whole(void **state)
{
	static char text[65503 + 1]; /* with its headers 65531 bytes, what a message can carry */
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	bind_plainly();
	memset(text, 'x', sizeof(text) - 1);
	say(u, text);
	run(1);
	assert_int_equal(seen.longest, 65531);
	assert_false(seen.last.have & CTH_PKT_CAP_LEN);
	assert_string_equal(heard(u), text);
}

static void hold(const struct cth_pkt *p, struct cth_verdict *v)
{
	(void)p;
	v->code = CTH_HOLD;
}

static void late_verdicts_come_in_any_order(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);
	struct cth_verdict v;

	(void)state;
	bind_plainly();
	seen.answer = hold;
	say(u, "one");
	say(u, "two");
	say(u, "three");
	say(u, "four");
	run(4);
	seen.answer = NULL;
	say(u, "five");
	say(u, "six");
	run(2); /* no range takes the held ones along */
	assert_string_equal(heard(u), "five");
	assert_string_equal(heard(u), "six");
	assert_string_equal(heard(u), "");
	assert_int_equal(proc(QUEUE).depth, 4);
	assert_int_equal(q.stats.held, 4);

	cth_verdict_init(&v);
	assert_int_equal(cth_queue_verdict(&q, QUEUE, seen.id[3], &v, NULL), 0);
	assert_string_equal(heard(u), "four");
	assert_int_equal(cth_queue_verdict(&q, QUEUE, seen.id[0], &v, NULL), 0);
	assert_string_equal(heard(u), "one");
	v.code = CTH_DROP;
	assert_int_equal(cth_queue_verdict(&q, QUEUE, seen.id[1], &v, NULL), 0);
	assert_string_equal(heard(u), "");
	v.code = CTH_ACCEPT;
	assert_int_equal(cth_queue_verdict(&q, QUEUE, seen.id[2], &v, NULL), 0);
	assert_string_equal(heard(u), "three");
	assert_int_equal(proc(QUEUE).depth, 0);
	assert_int_equal(q.stats.held, 0);
	assert_int_equal(q.stats.nacks, 0);
}

static void a_second_verdict_is_refused_by_the_kernel_and_counted(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);
	struct cth_verdict v;

	(void)state;
	bind_plainly();
	seen.answer = hold;
	say(u, "once");
	say(u, "twice");
	run(2);
	cth_verdict_init(&v);
	assert_int_equal(cth_queue_verdict(&q, QUEUE, seen.id[0], &v, NULL), 0);
	assert_int_equal(cth_queue_verdict(&q, QUEUE, seen.id[0], &v, NULL), 0);
	assert_int_equal(cth_queue_run(&q, 0, 1000), 0);
	assert_int_equal(q.stats.nacks, 1);
	assert_int_equal(q.last_nack.error, -ENOENT);
	seen.answer = NULL;
	say(u, "goes on");
	run(1);
	assert_string_equal(heard(u), "once");
	assert_string_equal(heard(u), "goes on"); /* and the one still held did not */
	assert_int_equal(proc(QUEUE).depth, 1);
	assert_int_equal(cth_queue_verdict(&q, QUEUE, seen.id[1], &v, NULL), 0);
	assert_string_equal(heard(u), "twice");
}

static void a_ring_full_of_accepts_is_one_message(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	bind_plainly();
	say_many(u, 200);
	assert_int_equal(proc(QUEUE).depth, 200);
	run(200);
	assert_int_equal(proc(QUEUE).depth, 0);
	assert_int_equal(heard_all(u), 200);
	assert_int_equal(q.stats.verdicts, 200);
	assert_int_equal(q.stats.sends, (200 + SLOTS - 1) / SLOTS);
	assert_int_equal(q.stats.nacks, 0);
}

/* Every datagram is there as soon as it was sent: it goes out through the queue. */
static void a_round_tells_whether_it_left_the_socket_empty(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	bind_plainly();
	assert_true(q.round == 0 && q.emptied == 0);
	say_many(u, SLOTS + 3);
	assert_int_equal(cth_queue_run(&q, 0, 2000), SLOTS);
	assert_true(q.round == 1 && q.emptied == 0);
	assert_int_equal(cth_queue_run(&q, 0, 2000), 3);
	assert_true(q.round == 2 && q.emptied == 2);
	say_many(u, SLOTS); /* nothing is left, but that is not seen yet */
	assert_int_equal(cth_queue_run(&q, 0, 2000), SLOTS);
	assert_true(q.round == 3 && q.emptied == 2);
	assert_int_equal(cth_queue_run(&q, 0, 0), 0);
	assert_true(q.round == 4 && q.emptied == 4);
	assert_int_equal(heard_all(u), 2 * SLOTS + 3);
}

static void drop_every_seventh(const struct cth_pkt *p, struct cth_verdict *v)
{
	if (p->id % 7 == 0)
		v->code = CTH_DROP;
}

static void ranges_and_verdicts_keep_their_order(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	bind_plainly();
	seen.answer = drop_every_seventh;
	say_many(u, 210);
	run(210);
	assert_int_equal(heard_all(u), 180);
	assert_int_equal(proc(QUEUE).depth, 0);
	assert_int_equal(q.stats.nacks, 0);
}

static void another_sockets_queue_is_refused(void **state)
{
	static uint8_t more_answers[CTH_SOCK_BUF], more_out[CTH_QUEUE_OUT];
	const struct cth_queue_config plain = { 0 };
	struct cth_sock other;
	struct cth_queue second;

	(void)state;
	bind_plainly();
	assert_int_equal(cth_sock_open(&other, more_answers, sizeof(more_answers)), 0);
	assert_int_equal(cth_queue_init(&second, &other, ring, SLOTS, more_out, sizeof(more_out),
					see, NULL), 0);
	assert_int_equal(cth_queue_bind(&second, QUEUE, &plain, &nack), -EPERM);
	assert_int_equal(nack.error, -EPERM);
	assert_int_equal(proc(QUEUE).portid, s.portid);
	cth_sock_close(&other);
}

static void a_descriptor_is_handed_over_with_its_queues(void **state)
{
	static uint8_t more_answers[CTH_SOCK_BUF];
	struct udp u = udp_open(AF_INET, 5000);
	int fd;

	(void)state;
	bind_plainly();
	fd = dup(cth_sock_fd(&s));
	say(u, "between two readers");
	cth_sock_close(&s);
	assert_int_equal(cth_sock_adopt(&s, fd, more_answers, sizeof(more_answers)), 0);
	assert_int_equal(cth_queue_init(&q, &s, ring, SLOTS, out, sizeof(out), see, NULL), 0);
	bind_plainly(); /* the packet comes before the ACK */
	assert_int_equal(seen.n, 1);
	assert_string_equal(heard(u), "between two readers");
	say(u, "and on");
	run(1);
	assert_int_equal(seen.id[1], 2);
	assert_string_equal(heard(u), "and on");
}

static void a_full_queue_drops_or_lets_pass_as_was_chosen(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	bind_with((struct cth_queue_config){ .maxlen = 10 });
	say_many(u, 30);
	assert_int_equal(proc(QUEUE).depth, 10);
	assert_int_equal(proc(QUEUE).dropped, 20);
	run(10);
	assert_int_equal(heard_all(u), 10);

	bind_with((struct cth_queue_config){ .maxlen = 10, .flags = CTH_QUEUE_FAIL_OPEN });
	say_many(u, 30);
	assert_int_equal(proc(QUEUE).depth, 10);
	assert_int_equal(heard_all(u), 20);
	run(10);
	assert_int_equal(heard_all(u), 10);
	assert_int_equal(proc(QUEUE).dropped, 20);
}

/* A flood into the smallest buffer there is. Packets get lost, the queue never stands still. */
static void flood(uint32_t flags, size_t n)
{
	struct udp u = udp_open(AF_INET, 5000);
	uint32_t drops = 0;
	size_t got = 0;

	bind_with((struct cth_queue_config){ .flags = flags });
	assert_true(cth_sock_rcvbuf(&s, 1) > 0);
	for (size_t i = 0; i < n; i += 100) {
		say_many(u, 100);
		assert_true(cth_queue_run(&q, 50, 0) >= 0);
		while (recv(u.rx, answers, 8, MSG_DONTWAIT) > 0)
			got++;
	}
	while (cth_queue_run(&q, 1000, 50) > 0)
		;
	got += heard_all(u);
	assert_int_equal(proc(QUEUE).depth, 0);
	if (flags == 0) /* else nothing was dropped, nor is it counted there */
		assert_true(proc(QUEUE).user_dropped > 0);
	assert_true(q.stats.gaps > 0);
	assert_int_equal(got, flags ? n : q.stats.packets);
	assert_int_equal(q.stats.packets, q.stats.verdicts);
	assert_int_equal(q.stats.unsent + q.stats.nacks, 0);
	if (cth_sock_drops(&s, &drops) == 0)
		assert_true(drops > 0);
	say(u, "afterwards");
	run(1);
	assert_string_equal(heard(u), "afterwards");
}

static void a_flood_into_the_smallest_buffer_does_not_stop_the_queue(void **state)
{
	(void)state;
	flood(0, 5000);
}

static void with_fail_open_the_flood_passes(void **state)
{
	(void)state;
	flood(CTH_QUEUE_FAIL_OPEN, 5000);
}

/* Sends n bytes through a TCP connection whose client's packets are all queued. */
static void tcp_send(size_t n)
{
	static uint8_t bytes[65536];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(5004),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	int listener = closed_later(socket(AF_INET, SOCK_STREAM, 0)), on = 1, server = -1;
	int client = closed_later(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	size_t sent = 0, got = 0;
	time_t end = time(NULL) + 20;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(listener, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), -1);
	while (got < n) {
		struct pollfd p = { .fd = listener, .events = POLLIN };
		ssize_t r;

		assert_true(time(NULL) < end);
		assert_true(cth_queue_run(&q, 100, 1) >= 0);
		if (server < 0 && poll(&p, 1, 0) == 1)
			server = closed_later(accept4(listener, NULL, NULL, SOCK_NONBLOCK));
		r = send(client, bytes, n - sent < sizeof(bytes) ? n - sent : sizeof(bytes),
			 MSG_NOSIGNAL);
		sent += r > 0 ? (size_t)r : 0;
		while (server >= 0 && (r = recv(server, bytes, sizeof(bytes), 0)) > 0)
			got += (size_t)r;
	}
	/* A reset, so that nothing of this connection comes back into a later test's queue. */
	assert_int_equal(connect(client, &nowhere, sizeof(nowhere)), 0);
	while (cth_queue_run(&q, 100, 100) > 0)
		;
	assert_int_equal(proc(QUEUE).depth, 0);
}

static void without_gso_packets_are_segmented(void **state)
{
	(void)state;
	bind_plainly();
	tcp_send(400000);
	assert_in_range(seen.longest, 1000, 1500);
	assert_int_equal(seen.skb_info & CTH_SKB_GSO, 0);
}

static void with_gso_they_come_in_one_piece(void **state)
{
	(void)state;
	bind_with((struct cth_queue_config){ .flags = CTH_QUEUE_GSO });
	tcp_send(400000);
	assert_true(seen.longest > 1500);
	assert_true(seen.skb_info & CTH_SKB_GSO);
}

static void the_senders_user_is_told_when_asked_for(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	bind_plainly();
	say(u, "whose?");
	run(1);
	assert_false(seen.last.have & CTH_PKT_UID);
	bind_with((struct cth_queue_config){ .flags = CTH_QUEUE_UID_GID });
	say(u, "mine");
	run(1);
	assert_true(seen.last.have & CTH_PKT_UID);
	assert_int_equal(seen.last.uid, getuid());
	assert_int_equal(seen.last.gid, getgid());
}

static void a_flag_that_the_kernel_lacks_is_done_without_or_told(void **state)
{
	struct cth_queue_config cfg = { .flags = CTH_QUEUE_CONNTRACK };
	int r;

	(void)state;
	r = cth_queue_bind(&q, QUEUE, &cfg, &nack);
	if (r == 0) /* this kernel has all; only what is no flag at all is left */
		assert_int_equal(cth_queue_unbind(&q, QUEUE, &nack), 0);
	else
		assert_int_equal(r, -EOPNOTSUPP);
	cfg.flags = 1u << 30;
	assert_int_equal(cth_queue_bind(&q, QUEUE, &cfg, &nack), -EOPNOTSUPP);
	assert_int_equal(nack.error, -EOPNOTSUPP);
	assert_false(proc(QUEUE).there);

	cfg.wishes = CTH_QUEUE_CONNTRACK | CTH_QUEUE_GSO | CTH_QUEUE_SECCTX | 1u << 30;
	cfg.flags = CTH_QUEUE_UID_GID;
	bind_with(cfg);
	assert_true(proc(QUEUE).there);
	assert_int_equal(cth_queue_flags(&q, QUEUE) & (CTH_QUEUE_UID_GID | CTH_QUEUE_GSO),
			 CTH_QUEUE_UID_GID | CTH_QUEUE_GSO);
	assert_int_equal(cth_queue_flags(&q, QUEUE) & CTH_QUEUE_CONNTRACK,
			 r == 0 ? CTH_QUEUE_CONNTRACK : 0);
	assert_int_equal(cth_queue_flags(&q, QUEUE) & 1u << 30, 0);
}

static void packets_come_while_another_queue_is_bound(void **state)
{
	const struct cth_queue_config plain = { 0 };
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	bind_plainly();
	say_many(u, 20);
	assert_int_equal(cth_queue_bind(&q, OTHER, &plain, &nack), 0);
	assert_int_equal(heard_all(u), 20);
	assert_int_equal(cth_queue_run(&q, 0, 0), 0);
	assert_int_equal(proc(QUEUE).depth, 0);
}

static void an_unbound_queue_drops_and_a_new_one_counts_from_1(void **state)
{
	struct udp u = udp_open(AF_INET, 5000);

	(void)state;
	bind_plainly();
	seen.answer = hold;
	say(u, "held");
	run(1);
	assert_int_equal(cth_queue_unbind(&q, QUEUE, &nack), 0);
	assert_string_equal(heard(u), "");
	say(u, "nobody");
	assert_string_equal(heard(u), "");
	seen.answer = NULL;
	bind_plainly();
	say(u, "again");
	run(1);
	assert_int_equal(seen.id[1], 1);
	assert_string_equal(heard(u), "again");
	assert_int_equal(q.stats.gaps, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_message_configures_everything),
		TEST(what_is_accepted_arrives_and_what_is_dropped_does_not),
		TEST(ipv6_works_as_well),
		TEST(repeat_goes_through_the_rules_again),
		TEST(a_mark_is_set_under_its_mask),
		TEST(stop_passes_the_tables_behind),
		TEST(a_packet_goes_on_to_another_queue),
		TEST(an_edit_passes_the_receivers_checksum),
		TEST(a_packet_is_replaced_as_it_is_given),
		TEST(a_packet_that_was_cut_is_not_edited),
		TEST(packets_without_payload),
		TEST(small_slots_mean_a_smaller_range_and_not_a_lost_packet),
		TEST(the_largest_packet_comes_whole),
		TEST(late_verdicts_come_in_any_order),
		TEST(a_second_verdict_is_refused_by_the_kernel_and_counted),
		TEST(a_ring_full_of_accepts_is_one_message),
		TEST(a_round_tells_whether_it_left_the_socket_empty),
		TEST(ranges_and_verdicts_keep_their_order),
		TEST(another_sockets_queue_is_refused),
		TEST(a_descriptor_is_handed_over_with_its_queues),
		TEST(a_full_queue_drops_or_lets_pass_as_was_chosen),
		TEST(a_flood_into_the_smallest_buffer_does_not_stop_the_queue),
		TEST(with_fail_open_the_flood_passes),
		TEST(without_gso_packets_are_segmented),
		TEST(with_gso_they_come_in_one_piece),
		TEST(the_senders_user_is_told_when_asked_for),
		TEST(a_flag_that_the_kernel_lacks_is_done_without_or_told),
		TEST(packets_come_while_another_queue_is_bound),
		TEST(an_unbound_queue_drops_and_a_new_one_counts_from_1),
	};

	return RUN(tests);
}
