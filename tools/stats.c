/* SPDX-License-Identifier: MIT */
/*
 * stats.c - `cth queue stats`: the queues of this network namespace, their owners, what
 * waits in them and what was lost. Reads /proc only, so it disturbs nobody. The names of
 * the metrics are those that node_exporter has chosen for the same columns.
 */
#include <errno.h>
#include <inttypes.h>
#include <time.h>
#include "cth.h"
#include "proc.h"

#define QUEUES 256

struct sample {
	struct proc_queue queue[QUEUES];
	size_t n;
};

struct options {
	bool selected, prometheus, check;
	uint16_t num;
	uint64_t interval; /* seconds; 0: once */
	uint64_t times;    /* samples; 0: until interrupted */
};

static const char *mode_name(uint32_t mode)
{
	return mode == 0 ? "none" : mode == 1 ? "meta" : mode == 2 ? "packet" : "?";
}

static const char *owner_name(const struct proc_queue *q, char *text, size_t n)
{
	struct proc_owner owner;

	if (!proc_owner(q->portid, &owner))
		snprintf(text, n, "?");
	else if (owner.holders > 1)
		snprintf(text, n, "%ld/%s +%u", owner.pid, owner.command, owner.holders - 1);
	else
		snprintf(text, n, "%ld/%s", owner.pid, owner.command);
	return text;
}

static void print_table(const struct sample *s)
{
	char owner[64];

	printf("%5s  %-20s %10s %7s %6s %6s %13s %13s %10s\n", "queue", "owner", "portid",
	       "waiting", "mode", "range", "queue-dropped", "user-dropped", "last-id");
	for (size_t i = 0; i < s->n; i++) {
		const struct proc_queue *q = &s->queue[i];

		printf("%5" PRIu32 "  %-20s %10" PRIu32 " %7" PRIu32 " %6s %6" PRIu32 " %13" PRIu32
		       " %13" PRIu32 " %10" PRIu32 "\n", q->num,
		       owner_name(q, owner, sizeof(owner)), q->portid, q->waiting,
		       mode_name(q->mode), q->range, q->dropped_full, q->dropped_socket,
		       q->last_id);
	}
}

static void print_json(const struct sample *s)
{
	struct json j = { .f = stdout };
	struct proc_owner owner;

	json_open(&j, NULL, '[');
	for (size_t i = 0; i < s->n; i++) {
		const struct proc_queue *q = &s->queue[i];

		json_open(&j, NULL, '{');
		json_number(&j, "queue", q->num);
		json_number(&j, "portid", q->portid);
		if (proc_owner(q->portid, &owner)) {
			json_number(&j, "pid", (uint64_t)owner.pid);
			json_string(&j, "command", owner.command);
			json_number(&j, "processes", owner.holders);
		}
		json_number(&j, "waiting", q->waiting);
		json_string(&j, "copy_mode", mode_name(q->mode));
		json_number(&j, "copy_range", q->range);
		json_number(&j, "queue_dropped", q->dropped_full);
		json_number(&j, "user_dropped", q->dropped_socket);
		json_number(&j, "last_id", q->last_id);
		json_close(&j, '}');
	}
	json_close(&j, ']');
}

struct metric {
	const char *name, *type, *help;
	size_t offset; /* in struct proc_queue */
};

static const struct metric metrics[] = {
	{ "nfqueue_queue_length", "gauge", "Packets that wait for a verdict.",
	  offsetof(struct proc_queue, waiting) },
	{ "nfqueue_queue_dropped_total", "counter", "Packets dropped because the queue was full.",
	  offsetof(struct proc_queue, dropped_full) },
	{ "nfqueue_user_dropped_total", "counter",
	  "Packets dropped because they could not be given to the program.",
	  offsetof(struct proc_queue, dropped_socket) },
	{ "nfqueue_packet_id_total", "counter", "Id of the last packet queued.",
	  offsetof(struct proc_queue, last_id) },
};

/* A label's value, escaped as the text format wants it. */
static void print_label(const char *name, const char *value)
{
	printf("%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n')
			printf("\\n");
		else
			printf("%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
	}
	printf("\"");
}

static void print_info(const struct proc_queue *q)
{
	struct proc_owner owner;
	char pid[24] = "";

	if (proc_owner(q->portid, &owner))
		snprintf(pid, sizeof(pid), "%ld", owner.pid);
	printf("nfqueue_info{queue=\"%" PRIu32 "\",peer_portid=\"%" PRIu32 "\",copy_mode=\"%s\","
	       "copy_range=\"%" PRIu32 "\",pid=\"%s\",", q->num, q->portid, mode_name(q->mode),
	       q->range, pid);
	print_label("command", owner.command);
	printf("} 1\n");
}

static void print_prometheus(const struct sample *s)
{
	printf("# HELP nfqueue_info Who owns the queue, and how it is set up.\n"
	       "# TYPE nfqueue_info gauge\n");
	for (size_t i = 0; i < s->n; i++)
		print_info(&s->queue[i]);
	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		printf("# HELP %s %s\n# TYPE %s %s\n", metrics[m].name, metrics[m].help,
		       metrics[m].name, metrics[m].type);
		for (size_t i = 0; i < s->n; i++) {
			const char *queue = (const char *)&s->queue[i];
			uint32_t value;

			memcpy(&value, queue + metrics[m].offset, sizeof(value));
			printf("%s{queue=\"%" PRIu32 "\"} %" PRIu32 "\n", metrics[m].name,
			       s->queue[i].num, value);
		}
	}
}

static void print_sample(const struct options *o, const struct sample *s)
{
	if (o->prometheus)
		print_prometheus(s);
	else if (common.json)
		print_json(s);
	else if (s->n > 0)
		print_table(s);
	else if (!o->selected)
		warn("no queue is bound in this network namespace");
	fflush(stdout);
}

/* 0, or an exit code, and the reason has been said. */
static int take_sample(const struct options *o, struct sample *s)
{
	int n = proc_queues(s->queue, QUEUES);

	if (n == -ENOENT) {
		fail(n, "reading net/netfilter/nfnetlink_queue in /proc",
		     "the kernel has no nfnetlink_queue, or it is not loaded",
		     "modprobe nfnetlink_queue; on OpenWrt install kmod-nfnetlink-queue");
		return CTH_EXIT_UNSUPPORTED;
	}
	if (n < 0)
		return fail(n, "reading net/netfilter/nfnetlink_queue in /proc",
			    n == -EACCES ? "only root may read it" : NULL,
			    n == -EACCES ? "run as root" : NULL);
	s->n = n < QUEUES ? (size_t)n : QUEUES;
	if (n > QUEUES)
		warn("%d queues are bound; the first %d are shown", n, QUEUES);
	if (!o->selected)
		return CTH_EXIT_OK;
	s->n = proc_queue(o->num, &s->queue[0]) == 1;
	if (s->n == 0)
		warn("queue %u: nobody has bound it", o->num);
	return s->n ? CTH_EXIT_OK : CTH_EXIT_FAILURE;
}

/* By how much the losses grew. Counters wrap, and start anew when the queue is bound again. */
static uint32_t growth(const struct sample *before, const struct proc_queue *q)
{
	for (size_t i = 0; i < before->n; i++) {
		const struct proc_queue *b = &before->queue[i];

		bool same = b->num == q->num && b->portid == q->portid &&
			    (int32_t)(q->last_id - b->last_id) >= 0;

		if (same)
			return q->dropped_full - b->dropped_full +
			       (q->dropped_socket - b->dropped_socket);
	}
	return q->dropped_full + q->dropped_socket;
}

static int check_growth(const struct sample *before, const struct sample *now)
{
	int code = CTH_EXIT_OK;

	for (size_t i = 0; i < now->n; i++) {
		uint32_t lost = growth(before, &now->queue[i]);

		if (lost == 0)
			continue;
		warn("queue %" PRIu32 ": %" PRIu32 " packets dropped since the last look",
		     now->queue[i].num, lost);
		code = CTH_EXIT_FAILURE;
	}
	return code;
}

static void wait_seconds(uint64_t seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds };

	nanosleep(&t, NULL);
}

static int watch(const struct options *o)
{
	static struct sample samples[2];
	int code = take_sample(o, &samples[0]), worst = code;

	if (code > CTH_EXIT_FAILURE)
		return code;
	if (!o->check)
		print_sample(o, &samples[0]);
	for (uint64_t i = 1; o->interval && (o->times == 0 || i < o->times); i++) {
		wait_seconds(o->interval);
		if (interrupted || ferror(stdout))
			break;
		code = take_sample(o, &samples[i % 2]);
		if (code > CTH_EXIT_FAILURE)
			return code;
		print_sample(o, &samples[i % 2]);
		if (code == CTH_EXIT_OK && o->check)
			code = check_growth(&samples[(i + 1) % 2], &samples[i % 2]);
		worst = code > worst ? code : worst;
	}
	return worst;
}

enum { OPT_PROMETHEUS = OPT_APPLET, OPT_CHECK, OPT_PROC };

static const struct applet_option long_options[] = {
	{ "queue", required_argument, 'q' },
	{ "interval", required_argument, 'i' },
	{ "times", required_argument, 'n' },
	{ "prometheus", no_argument, OPT_PROMETHEUS },
	{ "check", no_argument, OPT_CHECK },
	{ "proc", required_argument, OPT_PROC },
	{ NULL, 0, 0 },
};

static int stats_main(const struct applet *self, int argc, char **argv)
{
	struct options o = { 0 };
	uint64_t v;
	int c, r;

	while ((c = next_option(argc, argv, long_options)) != -1) {
		switch (c) {
		case 'q':
			if (!parse_number(optarg, 0, UINT16_MAX, &v))
				return usage_error(self, "-q %s: not a queue number, 0 to 65535",
						   optarg);
			o.num = (uint16_t)v;
			o.selected = true;
			break;
		case 'i':
			if (!parse_number(optarg, 1, INT32_MAX, &o.interval))
				return usage_error(self, "-i %s: not a number of seconds", optarg);
			break;
		case 'n':
			if (!parse_number(optarg, 1, UINT64_MAX, &o.times))
				return usage_error(self, "-n %s: not a number of looks", optarg);
			break;
		case OPT_PROMETHEUS:
			o.prometheus = true;
			break;
		case OPT_CHECK:
			o.check = true;
			break;
		case OPT_PROC:
			proc_at(optarg);
			break;
		default:
			r = common_option(self, c);
			if (r != -1)
				return r;
		}
	}
	if (optind < argc)
		return usage_error(self, "unexpected word: %s", argv[optind]);
	if (o.prometheus && common.json)
		return usage_error(self, "--prometheus and --json exclude each other");
	if (o.check && o.interval == 0)
		o.interval = 1;
	if (o.check && o.times == 0)
		o.times = 2;
	catch_interrupts();
	return watch(&o);
}

const struct applet stats_applet = {
	.name = "queue stats",
	.usage = "[-q N] [-i S [-n TIMES]] [--check] [--prometheus]",
	.help =
	"Shows the queues of this network namespace: owner, depth, losses.\n"
	"\n"
	"  -q, --queue N     only this one; exit 1 if nobody has bound it\n"
	"  -i, --interval S  again every S seconds\n"
	"  -n, --times N     N times\n"
	"      --check       exit 1 if packets were dropped between two looks (-i 1 -n 2)\n"
	"      --prometheus  as metrics, for a textfile collector\n"
	"      --proc DIR    read a copy of /proc\n"
	"\n"
	"queue-dropped: the queue was full (--queue-len); user-dropped: the program's receive\n"
	"buffer was (--rcvbuf). What passes because a full queue is fail-open is counted nowhere.\n"
	"The counters have 32 bits and end with their queue.\n"
	"\n"
	"  cth queue stats -q 0 --check -i 60\n",
	.main = stats_main,
};
