/* SPDX-License-Identifier: MIT */
/*
 * conf.c - the configuration: every word right and wrong, what must be true of the whole, its
 * canonical form, differences, and what conntrackd's users bring.
 *
 * The protocols here are the test's own, so that their classes and ports are what it says; they
 * stand in for the library's list, which then is not linked.
 */
#include <pwd.h>
#include <unistd.h>
#include "../../tools/cth.h" /* before cmocka, which has a macro of the name fail */
#include "../../tools/conf.h"
#include "unit.h"

static const uint8_t tcp[] = { 6, 0 }, udp[] = { 17, 0 }, both[] = { 6, 17, 0 };

static const struct cth_proto ftp = { .name = "ftp", .l4 = tcp, .port = 21,
	.classes = { { "ftp", 1, 300 } } };
static const struct cth_proto tftp = { .name = "tftp", .l4 = udp, .port = 69,
	.classes = { { "tftp", 1, 120 } } };
static const struct cth_proto talk = { .name = "talk", .l4 = both, .port = 5060,
	.classes = { { "signalling", 1, 180 }, { "media", 16, 120 }, { "max", 2, 60 } } };
static const struct cth_proto loose = { .name = "loose", .l4 = tcp,
	.classes = { { "loose", 1, 30 } } };

const struct cth_proto *const cth_protos[] = { &ftp, &tftp, &talk, &loose, NULL };

const struct cth_proto *cth_proto_find(const char *name)
{
	for (size_t i = 0; cth_protos[i]; i++)
		if (strcmp(cth_protos[i]->name, name) == 0)
			return cth_protos[i];
	return NULL;
}

static struct conf c;
static struct conf_report report;

static int forget(void **state)
{
	(void)state;
	conf_free(&c);
	conf_report_free(&report);
	return 0;
}

static int parse(const char *text)
{
	forget(NULL);
	return conf_parse(&c, "f", cth_span((const uint8_t *)text, strlen(text)), &report);
}

static const struct conf_helper *reads(const char *text)
{
	if (parse(text) != 0)
		fail_msg("'%s' was refused: %s", text, report.errors.texts[0]);
	assert_int_equal(report.errors.n, 0);
	return &c.helpers[0];
}

/* Exactly these errors, one line each. */
static void refuses(const char *text, const char *errors)
{
	char *told = NULL;
	size_t n = 0;
	FILE *f;

	assert_int_equal(parse(text), -EINVAL);
	f = open_memstream(&told, &n);
	conf_tell(f, &report.errors);
	fclose(f);
	if (strcmp(told, errors) != 0)
		fail_msg("of '%s':\n%swas said, and should be:\n%s", text, told, errors);
	free(told);
	assert_null(c.helpers);
	assert_null(c.file);
}

static void notes(const char *text)
{
	char *told = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&told, &n);

	conf_tell(f, &report.notes);
	fclose(f);
	assert_string_equal(told, text);
	free(told);
}

static char *printed(const struct conf *of)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	conf_print(f, of);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void assert_same(const struct conf *a, const struct conf *b)
{
	assert_int_equal(conf_changes(a, b), 0);
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
		assert_int_equal(conf_helper_changes(&a->helpers[i], &b->helpers[i]), 0);
}

/* parse(print(x)) is x, and prints the same. */
static void assert_round_trip(const struct conf *x)
{
	struct conf_report r = { 0 };
	struct conf again;
	char *text = printed(x), *same;

	if (conf_parse(&again, "printed", cth_span((const uint8_t *)text, strlen(text)), &r) != 0)
		fail_msg("%s\nin what was printed:\n%s", r.errors.texts[0], text);
	assert_same(x, &again);
	same = printed(&again);
	assert_string_equal(text, same);
	free(text);
	free(same);
	conf_free(&again);
	conf_report_free(&r);
}

/* Words that are right. */

static void a_protocol_and_a_queue_are_enough(void **state)
{
	const struct conf_helper *h = reads("helper ftp queue 1");

	(void)state;
	assert_int_equal(c.n, 1);
	assert_string_equal(c.file, "f");
	assert_string_equal(c.keeper, "cth-keeper");
	assert_string_equal(c.worker, "cth-worker");
	assert_string_equal(c.status, "/run/cth/status");
	assert_string_equal(c.packets, "/var/lib/cth");
	assert_int_equal(c.restarts.count, 20);
	assert_int_equal(c.restarts.seconds, 60);
	assert_int_equal(c.deadline, 1000);
	assert_false(c.syslog);
	assert_ptr_equal(h->proto, &ftp);
	assert_string_equal(h->name, "ftp");
	assert_null(h->netns);
	assert_int_equal(h->queue, 1);
	assert_int_equal(h->length, 512);
	assert_int_equal(h->families, CONF_IPV4 | CONF_IPV6);
	assert_false(h->attach);
	assert_int_equal(h->ports_n, 0);
	assert_int_equal(h->allow, 0);
	assert_int_equal(h->expectations, 0);
	assert_int_equal(h->decisions, 0);
	assert_false(h->fail_closed);
	assert_false(h->full_closed);
	assert_int_equal(h->classes[0].max, 1);
	assert_int_equal(h->classes[0].timeout, 300);
	assert_int_equal(report.notes.n, 0);
}

static const char everything[] =
	"# all words\n"
	"keeper ann  worker \"bob\"\n"
	"status \"/run/a b\" packets off\n"
	"restarts 3 in 10 seconds\n"
	"deadline 250 ms\n"
	"log to syslog\n"
	"\n"
	"helper talk queue 7 # as it is\n"
	"\tas talk-2 netns \"status\"\n"
	"\n"
	"  # in between\n"
	"  length 4096 families ipv6\n"
	" ports 5062, 5060 attach\n"
	" expectations 9 per second decisions 80 per second\n"
	" fail closed full open\n"
	" allow foreign, low-ports\n"
	" class media max 255 timeout 5 class \"max\" timeout 1\n";

static void every_word_has_its_place(void **state)
{
	const struct conf_helper *h = reads(everything);

	(void)state;
	assert_string_equal(c.keeper, "ann");
	assert_string_equal(c.worker, "bob");
	assert_string_equal(c.status, "/run/a b");
	assert_null(c.packets);
	assert_int_equal(c.restarts.count, 3);
	assert_int_equal(c.restarts.seconds, 10);
	assert_int_equal(c.deadline, 250);
	assert_true(c.syslog);
	assert_ptr_equal(h->proto, &talk);
	assert_string_equal(h->name, "talk-2");
	assert_string_equal(h->netns, "status");
	assert_int_equal(h->queue, 7);
	assert_int_equal(h->length, 4096);
	assert_int_equal(h->families, CONF_IPV6);
	assert_true(h->attach);
	assert_int_equal(h->ports_n, 2);
	assert_int_equal(h->ports[0].first, 5060);
	assert_int_equal(h->ports[1].last, 5062);
	assert_int_equal(h->allow, CTH_ALLOW_FOREIGN | CTH_ALLOW_LOW_PORTS);
	assert_int_equal(h->expectations, 9);
	assert_int_equal(h->decisions, 80);
	assert_true(h->fail_closed);
	assert_false(h->full_closed);
	assert_int_equal(h->classes[0].max, 1);
	assert_int_equal(h->classes[1].max, 255);
	assert_int_equal(h->classes[1].timeout, 5);
	assert_int_equal(h->classes[2].max, 2);
	assert_int_equal(h->classes[2].timeout, 1);
}

static void every_word_keeps_its_line(void **state)
{
	const struct conf_helper *h = reads(everything);

	(void)state;
	assert_int_equal(c.at[CONF_KEEPER], 2);
	assert_int_equal(c.at[CONF_WORKER], 2);
	assert_int_equal(c.at[CONF_LOG], 6);
	assert_int_equal(h->at[CONF_HELPER], 8);
	assert_int_equal(h->at[CONF_QUEUE], 8);
	assert_int_equal(h->at[CONF_NETNS], 9);
	assert_int_equal(h->at[CONF_PORTS], 13);
	assert_int_equal(h->classes[1].max_at, 17);
	assert_int_equal(h->classes[2].max_at, 0);
	for (size_t i = 0; i < CONF_WORDS; i++)
		if ((i < CONF_HELPER ? c.at : h->at)[i] == 0)
			fail_msg("'%s' is not in the text of all words", conf_words[i].form);
}

static void the_table_tells_all_of_each_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONF_WORDS; i++) {
		const struct conf_word *w = &conf_words[i];

		assert_non_null(w->form);
		assert_non_null(w->means);
		assert_true(w->otherwise || i == CONF_HELPER || i == CONF_QUEUE);
		assert_true(w->min[0] <= w->max[0] && w->min[1] <= w->max[1]);
	}
}

static void a_list_may_have_blanks_and_end_a_line(void **state)
{
	const struct conf_helper *h = reads("helper ftp queue 1 attach ports 30 , 21,\t40-50 ,60\n"
					    " ports 70");

	(void)state;
	assert_int_equal(h->ports_n, 5);
	assert_int_equal(h->ports[0].first, 21);
	assert_int_equal(h->ports[2].last, 50);
	assert_int_equal(h->ports[4].first, 70);
}

static void ports_are_sorted_and_joined(void **state)
{
	const struct conf_helper *h = reads("helper ftp queue 1 attach ports 65535,5-9,1-3,4,7-20,21,65534");

	(void)state;
	assert_int_equal(h->ports_n, 2);
	assert_int_equal(h->ports[0].first, 1);
	assert_int_equal(h->ports[0].last, 21);
	assert_int_equal(h->ports[1].first, 65534);
	assert_int_equal(h->ports[1].last, 65535);
}

static void attach_alone_takes_the_usual_port(void **state)
{
	const struct conf_helper *h = reads("helper tftp queue 1 attach");

	(void)state;
	assert_int_equal(h->ports_n, 1);
	assert_int_equal(h->ports[0].first, 69);
	assert_int_equal(h->ports[0].last, 69);
	assert_int_equal(h->at[CONF_PORTS], 0);
}

static void ports_without_attach_are_noted(void **state)
{
	(void)state;
	reads("helper ftp queue 1\n ports 21");
	notes("f:2: ports without attach: no rules are made, so they mean nothing\n");
}

static void full_is_what_fail_says_unless_told(void **state)
{
	(void)state;
	assert_true(reads("helper ftp queue 1 fail closed")->full_closed);
	assert_false(reads("helper ftp queue 1 fail closed full open")->full_closed);
	assert_false(reads("helper ftp queue 1 full closed")->fail_closed);
	assert_true(reads("helper ftp queue 1 full closed fail open")->full_closed);
}

static void the_only_class_needs_no_name(void **state)
{
	const struct conf_helper *h = reads("helper ftp queue 1 max 200 timeout 2147483");

	(void)state;
	assert_int_equal(h->classes[0].max, 200);
	assert_int_equal(h->classes[0].timeout, 2147483);
}

static void a_namespace_of_ip_netns_has_one_name(void **state)
{
	(void)state;
	assert_string_equal(reads("helper ftp queue 1 netns /run/netns/a")->netns, "a");
	assert_string_equal(reads("helper ftp queue 1 netns /var/run/netns/a")->netns, "a");
	assert_string_equal(reads("helper ftp queue 1 netns /proc/1/ns/net")->netns, "/proc/1/ns/net");
}

static void quotes_keep_blanks_words_and_comments(void **state)
{
	(void)state;
	reads("status \"/a b#\\\"c\\\\d\\e\"\nhelper ftp queue 1");
	assert_string_equal(c.status, "/a b#\"c\\d\\e");
	reads("status /a#b # c\nhelper ftp queue 1");
	assert_string_equal(c.status, "/a#b");
	reads("worker \"keeper\"\nhelper ftp queue 1");
	assert_string_equal(c.worker, "keeper");
	reads("packets \"/off\" status \"/x\" # \"\nhelper ftp queue 1");
}

static void line_ends_of_others_and_a_mark_are_text(void **state)
{
	(void)state;
	reads("\xef\xbb\xbfkeeper x\r\n\r\nhelper ftp queue 1\r\n\tattach # \xe4\xff\r");
	assert_string_equal(c.keeper, "x");
	assert_true(c.helpers[0].attach);
}

static void users_may_be_numbers(void **state)
{
	(void)state;
	reads("keeper 4001 worker 4294967294\nhelper ftp queue 1");
	reads("keeper _apt worker Some.user-1\nhelper ftp queue 1");
}

static void helpers_may_share_queue_name_and_port_where_that_can_be(void **state)
{
	(void)state;
	reads("helper ftp queue 1 attach\nhelper tftp queue 1 attach ports 21");
	reads("helper ftp queue 1 attach families ipv4\nhelper ftp as f6 queue 2 attach families ipv6");
	reads("helper ftp queue 1 attach\nhelper ftp queue 1 attach netns a");
	reads("helper ftp queue 1\nhelper talk as x queue 1 length 9 netns a");
	reads("helper ftp queue 1 attach\nhelper ftp as b queue 1 ports 21");
}

static void there_may_be_many_helpers(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	for (int i = 0; i < 32; i++)
		fprintf(f, "helper ftp as ftp-%d netns %d queue %d attach ports %d\n", i, i / 4, i % 16,
			1000 + i);
	fclose(f);
	reads(text);
	assert_int_equal(c.n, 32);
	assert_int_equal(c.helpers[31].ports[0].first, 1031);
	assert_round_trip(&c);
	free(text);
}

/* n helpers of one line each, which is told its number, and must be refused like this. */
static void too_many(int n, const char *form, int each, const char *errors)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	for (int i = 0; i < n; i++)
		fprintf(f, form, i, i / each);
	fclose(f);
	refuses(text, errors);
	free(text);
}

/* What the service itself would refuse when it is started, the check of its file must tell. */
static void a_service_has_an_end(void **state)
{
	(void)state;
	too_many(33, "helper ftp as f%d netns n%d queue 1\n", 5,
		 "f:33: 33 helpers: one service has 32 at most: start it twice, with two files\n");
	too_many(9, "helper ftp as f%d netns n%d queue 1\n", 1, "f:9: helper f8: one service is in 8 "
		 "network namespaces at most: start it twice, with two files\n");
	too_many(17, "helper ftp as f%d queue %d\n", 20, "f:17: helper f16: with it there are 34 to be "
		 "registered in this namespace, one for each family and transport: one service has 32 "
		 "there at most: start it twice, with two files\n");
	too_many(9, "helper talk as t%d queue %d\n", 20, "f:9: helper t8: with it there are 36 to be "
		 "registered in this namespace, one for each family and transport: one service has 32 "
		 "there at most: start it twice, with two files\n");
	too_many(17, "helper ftp as f%d families ipv6 queue %d\n", 1, "f:17: queue 16: one service has "
		 "16 queues in a namespace at most: have helpers share one\n");
}

static void a_list_of_any_length_is_read_and_printed(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	fprintf(f, "helper ftp queue 1 attach\n");
	for (int i = 1; i < 3000; i++)
		fprintf(f, " ports %d\n", 2 * i);
	fclose(f);
	assert_int_equal(reads(text)->ports_n, 2999);
	assert_round_trip(&c);
	free(text);
}

/* Words that are wrong. */

#define F "helper ftp queue 1\n"

static const struct {
	const char *text, *errors;
} wrong[] = {
	/* users */
	{ "keeper\n" F, "f:1: keeper: USER is missing: keeper USER\n" },
	{ "keeper worker x\n" F, "f:1: keeper: USER is missing before 'worker' (in quotes that would "
	  "be one): keeper USER\n" },
	{ "keeper root\n" F, "f:1: keeper 'root': any user but root\n" },
	{ "worker 0\n" F, "f:1: worker '0': any user but root\n" },
	{ "worker a/b\n" F, "f:1: worker 'a/b': the name of a user, letters, digits, '_', '.' and "
	  "'-', 31 at most, or a number from 1 to 4294967294\n" },
	{ "worker 4294967295\n" F, "f:1: worker '4294967295': the name of a user, letters, digits, "
	  "'_', '.' and '-', 31 at most, or a number from 1 to 4294967294\n" },
	{ "keeper x\nworker x\n" F, "f:2: keeper and worker are both x: two users, so that the one "
	  "cannot touch the other\n" },
	{ "keeper x\nkeeper y\n" F, "f:2: keeper is there twice: in line 1 already\n" },
	/* paths */
	{ "status run\n" F, "f:1: status 'run': a path that begins with '/', or off\n" },
	{ "packets \"off\"\n" F, "f:1: packets 'off': a path that begins with '/', or off\n" },
	{ "packets \"\"\n" F, "f:1: packets '': a path that begins with '/', or off\n" },
	{ "packets\n" F, "f:1: packets: FOLDER|off is missing: packets FOLDER|off\n" },
	/* numbers */
	{ "restarts 3\n" F, "f:1: restarts: 'in' is missing: restarts COUNT in SECONDS seconds\n" },
	{ "restarts 3 in\n" F, "f:1: restarts: SECONDS is missing: restarts COUNT in SECONDS "
	  "seconds\n" },
	{ "restarts 3 in 60 log to syslog\n" F, "f:1: restarts: 'seconds' is missing: restarts COUNT "
	  "in SECONDS seconds\n" },
	{ "restarts x in 0 seconds\n" F, "f:1: restarts 'x': a number from 0 to 100000\n"
	  "f:1: restarts '0': a number from 1 to 86400\n" },
	{ "deadline 9 ms\n" F, "f:1: deadline '9': a number from 10 to 60000\n" },
	{ "deadline 60001 ms\n" F, "f:1: deadline '60001': a number from 10 to 60000\n" },
	{ "deadline 50 s\n" F, "f:1: deadline: 'ms' is missing: deadline TIME ms\n" },
	{ "log syslog\n" F, "f:1: log: 'to' is missing: log to stderr|syslog\n" },
	{ "log to file\n" F, "f:1: log 'file': stderr or syslog\n" },
	/* helpers */
	{ "", "f: no helper: a line such as: helper ftp queue 1 attach; there are: ftp, tftp, talk, "
	  "loose\n" },
	{ "# helper ftp queue 1", "f: no helper: a line such as: helper ftp queue 1 attach; there "
	  "are: ftp, tftp, talk, loose\n" },
	{ "helper\n", "f:1: helper: PROTOCOL is missing: helper PROTOCOL\n"
	  "f:1: the helper's queue is missing: queue NUMBER, from 0 to 65535\n" },
	{ "helper fpt queue 1", "f:1: no protocol 'fpt': did you mean 'ftp'? There are: ftp, tftp, "
	  "talk, loose\n" },
	{ "helper irc queue 1", "f:1: no protocol 'irc': there are: ftp, tftp, talk, loose\n" },
	{ "helper irc queue 1\n class x max 300", "f:1: no protocol 'irc': there are: ftp, tftp, talk, "
	  "loose\nf:2: max '300': a number from 1 to 255\n" },
	{ "helper ftp attach", "f:1: the helper's queue is missing: queue NUMBER, from 0 to 65535\n" },
	{ "helper ftp queue 65536", "f:1: queue '65536': a number from 0 to 65535\n" },
	{ "helper ftp queue -1", "f:1: queue '-1': a number from 0 to 65535\n" },
	{ "helper ftp queue 1\n queue 2", "f:2: queue is there twice: in line 1 already\n" },
	{ "helper ftp queue 1 length 0", "f:1: length '0': a number from 1 to 1048576\n" },
	{ F " as a/b", "f:2: name 'a/b': 1 to 15 letters, digits, '.', '_' and '-'\n" },
	{ F " as \"\"", "f:2: name '': 1 to 15 letters, digits, '.', '_' and '-'\n" },
	{ F " as sixteen-letters-", "f:2: name 'sixteen-letters-': 1 to 15 letters, digits, '.', '_' "
	  "and '-'\n" },
	{ F " netns a/b", "f:2: netns 'a/b': a name that `ip netns` shows, or a path that begins with "
	  "'/'\n" },
	{ F " netns ..", "f:2: netns '..': a name that `ip netns` shows, or a path that begins with "
	  "'/'\n" },
	{ F " families ip4", "f:2: no family 'ip4': did you mean 'ipv4'? There are: ipv4,ipv6\n" },
	{ F " families", "f:2: families: ipv4,ipv6 is missing: families ipv4,ipv6\n" },
	{ F " allow foreign,everything", "f:2: no allowance 'everything': there are: "
	  "foreign,low-ports\n" },
	{ F " attach yes", "f:2: no word 'yes': there are: as, netns, queue, length, families, attach, "
	  "ports, allow, expectations, decisions, fail, full, class, max, timeout\n" },
	{ F " ports 0", "f:2: port '0': a number from 1 to 65535, or two with '-' between\n" },
	{ F " ports 21-65536", "f:2: port '21-65536': a number from 1 to 65535, or two with '-' "
	  "between\n" },
	{ F " ports 21-", "f:2: port '21-': a number from 1 to 65535, or two with '-' between\n" },
	{ F " ports 30-20", "f:2: ports '30-20': upside down: 20-30\n" },
	{ F " ports 21,,22", "f:2: ports: nothing before, between or behind the commas of the list\n" },
	{ F " ports 21, attach", "f:2: ports: nothing before, between or behind the commas of the "
	  "list\n" },
	{ F " ports", "f:2: ports: LIST is missing: ports LIST\n" },
	{ "helper loose queue 1 attach", "f:1: attach: loose has no usual port: ports LIST is "
	  "missing\n" },
	{ F " expectations 10", "f:2: expectations: 'per' is missing: expectations COUNT per second\n" },
	{ F " expectations 0 per second", "f:2: expectations '0': a number from 1 to 1000000\n" },
	{ F " decisions 5 per minute", "f:2: decisions: 'second' is missing: decisions COUNT per "
	  "second\n" },
	{ F " fail opn", "f:2: fail 'opn': open or closed\n" },
	{ F " full", "f:2: full: open|closed is missing: full open|closed\n" },
	/* classes */
	{ F " max 256", "f:2: max '256': a number from 1 to 255\n" },
	{ F " max 0", "f:2: max '0': a number from 1 to 255\n" },
	{ F " timeout 2147484", "f:2: timeout '2147484': a number from 1 to 2147483\n" },
	{ F " max 1 max 2", "f:2: max is there twice for this class: in line 2 already\n" },
	{ F " class media max 1", "f:2: no class of ftp 'media': there are: ftp\n" },
	{ F " class", "f:2: class: NAME is missing: class NAME\n" },
	{ "helper ftp class ftp\n queue", "f:2: queue: NUMBER is missing: queue NUMBER\n"
	  "f:1: class ftp: max or timeout is missing behind it\n" },
	{ "helper talk queue 1 class midia max 1", "f:1: no class of talk 'midia': did you mean "
	  "'media'? There are: signalling, media, max\n" },
	{ "helper talk queue 1 max 2", "f:1: max COUNT: of which class? Before it, class and one of: "
	  "signalling, media, max\n" },
	{ "helper talk queue 1\n class media\n class signalling max 3\n class media",
	  "f:2: class media: max or timeout is missing behind it\n"
	  "f:4: class media: max or timeout is missing behind it\n" },
	/* places */
	{ "ports 21\n" F, "f:1: 'ports' belongs to a helper: behind it, or in a line below it that "
	  "begins with blanks\n" },
	{ F "log to syslog\n attach\n", "f:3: blanks at the beginning: such a line goes on with the "
	  "helper above, and there is none\n" },
	{ F " log to syslog", "f:2: 'log' is for the whole file: at the very beginning of a line, "
	  "without blanks, not among a helper's words\n" },
	{ F " helper tftp queue 2", "f:2: 'helper' stands at the very beginning of a line\n" },
	{ "log to syslog helper ftp queue 2\n" F, "f:1: 'helper' stands at the very beginning of a "
	  "line\n" },
	{ "keper x\n" F, "f:1: no word 'keper': did you mean 'keeper'?\n" },
	{ "qu x\n" F, "f:1: no word 'qu': there are: keeper, worker, status, packets, restarts, "
	  "deadline, log, helper\n" },
	{ "helper ftp qeue 1 atach", "f:1: no word 'qeue': did you mean 'queue'?\nf:1: no word 'atach': "
	  "did you mean 'attach'?\n" },
	{ "helpr ftp queue 1\n ports 21 atach", "f:1: no word 'helpr': did you mean 'helper'?\nf:2: no "
	  "word 'atach': did you mean 'attach'?\n" },
	/* text */
	{ "status \"/a\n" F, "f:1: a quote that is not closed: \" at the end of the value\n" },
	{ "status \"/a\\\"\n" F, "f:1: a quote that is not closed: \" at the end of the value\n" },
	{ "status \"/a\"b\n" F, "f:1: a quoted value ends with its quote: a blank is missing behind "
	  "it\n" },
	{ "helper ftp \"queue\" 1\n queue 2", "f:1: 'queue' is a word, and words stand without quotes\n" },
	{ F "\x07", "f:2: a byte 0x07: in a text file there are letters, tabs and line ends\n" },
	{ F "a\rb", "f:2: a byte 0x0d: in a text file there are letters, tabs and line ends\n" },
	/* of two helpers */
	{ F F, "f:2: helper ftp is there twice: in line 1 already; as NAME gives a second one another "
	  "name\n" },
	{ F "helper tftp queue 2\n as ftp", "f:3: name ftp is taken: the helper of line 1 has it; as "
	  "NAME gives another\n" },
	{ F "helper ftp queue 2 netns a", "f:2: helper ftp is one in the kernel for all namespaces: "
	  "protocol, queue, max and timeout must be those of line 1, or its name another\n" },
	{ F "helper tftp queue 1\n length 9", "f:3: length 9: queue 1 is shared with the helper of line "
	  "1, which says 512: one for both\n" },
	{ F "helper tftp queue 1\n full closed", "f:3: full closed: queue 1 is shared with the helper of "
	  "line 1, which says open: one for both\n" },
	{ "helper ftp queue 1 attach ports 20-30\nhelper talk queue 2 attach ports 5060,25-99",
	  "f:2: port 25 is attached to the helper of line 1 already: a flow has one helper\n" },
};

static void what_is_wrong_is_told_with_what_is_allowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(wrong); i++)
		refuses(wrong[i].text, wrong[i].errors);
}

static bool is_in(const char *errors, const struct conf_word *w)
{
	size_t n = strcspn(w->form, " ");

	for (const char *at = strstr(errors, ": "); at; at = strstr(at + 1, ": "))
		for (size_t quote = 0; quote < 2; quote++)
			if (strncmp(at + 2 + quote, w->form, n) == 0 && strchr(" ':", at[2 + quote + n]))
				return true;
	return false;
}

static void every_word_is_among_the_wrong_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONF_WORDS; i++) {
		bool found = i == CONF_ALLOW || i == CONF_AS; /* "no allowance", "name" */

		for (size_t j = 0; j < N_OF(wrong); j++)
			found |= is_in(wrong[j].errors, &conf_words[i]);
		if (!found)
			fail_msg("no wrong '%s' is tried", conf_words[i].form);
	}
}

static void paths_have_a_longest(void **state)
{
	char text[400] = "status /";

	(void)state;
	for (size_t length = 107; length <= 108; length++) {
		memset(text + 8, 'x', length - 1);
		strcpy(text + 7 + length, "\n" F);
		assert_int_equal(parse(text), length == 107 ? 0 : -EINVAL);
	}
	assert_non_null(strstr(report.errors.texts[0], "the path has 108 bytes: 107 at most"));
}

static void a_line_has_an_end(void **state)
{
	char text[1200];

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "helper ftp queue 1", 18);
	strcpy(text + 1023, "\n");
	reads(text);
	memcpy(text + 1023, " \n", 3);
	refuses(text, "f:1: the line has 1024 bytes: 1023 at most; a helper goes on in the next line, "
		"behind blanks\n");
	/* As many tokens as go into a line. */
	memset(text, 0, sizeof(text));
	for (size_t i = 0; i < 1023; i++)
		text[i] = i % 2 ? ' ' : 'x';
	assert_int_equal(parse(text), -EINVAL);
}

static void a_nul_byte_is_no_text(void **state)
{
	static const char text[] = "# a\nhelper ftp queue 1\0\n";

	(void)state;
	forget(NULL);
	assert_int_equal(conf_parse(&c, "f", cth_span((const uint8_t *)text, sizeof(text) - 1),
				    &report), -EINVAL);
	assert_int_equal(report.errors.n, 1);
	assert_string_equal(report.errors.texts[0], "f:2: a NUL byte: this is no text file");
}

static void ten_errors_are_told_and_the_others_counted(void **state)
{
	char text[400] = "";

	(void)state;
	for (int i = 0; i < 13; i++)
		strcat(text, "deadline 0 ms\n");
	assert_int_equal(parse(text), -EINVAL);
	assert_int_equal(report.errors.n, 10);
	assert_int_equal(report.errors.more, 15); /* twelve are there twice as well */
}

/* Only where it ends tells that it is no configuration, and that may be far away. */
static void a_file_that_is_far_too_long_is_not_read(void **state)
{
	char path[] = "/tmp/cth-conf-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (1 << 20) + 1), 0);
	assert_int_equal(conf_read(&c, path, &report), -EFBIG);
	conf_report_free(&report);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_int_equal(conf_read(&c, path, &report), -EINVAL); /* it consists of NUL bytes */
	close(fd);
	unlink(path);
}

static void a_file_that_cannot_be_read_is_told_with_its_errno(void **state)
{
	(void)state;
	assert_int_equal(conf_read(&c, "/nonexistent/cth.conf", &report), -ENOENT);
	assert_string_equal(report.errors.texts[0], "/nonexistent/cth.conf: read the configuration: "
			    "ENOENT: No such file or directory");
	conf_report_free(&report);
	assert_int_equal(conf_read_conntrackd(&c, "/", &report), -EISDIR);
	assert_non_null(strstr(report.errors.texts[0], "/: read the configuration: EISDIR: "));
}

static void the_example_is_right_and_has_every_word(void **state)
{
	uint8_t *bytes;
	size_t n;
	char *text;

	(void)state;
	assert_int_equal(conf_read(&c, "tools/cth.conf.example", &report), 0);
	assert_int_equal(report.notes.n, 0);
	assert_int_equal(c.n, 2);
	assert_round_trip(&c);
	assert_int_equal(read_file("tools/cth.conf.example", 1 << 20, &bytes, &n), 0);
	text = strndup((char *)bytes, n);
	for (size_t i = 0; i < CONF_WORDS; i++) {
		char word[32];

		snprintf(word, sizeof(word), "%.*s", (int)strcspn(conf_words[i].form, " "),
			 conf_words[i].form);
		if (!strstr(text, word))
			fail_msg("'%s' is not in the example", word);
	}
	free(text);
	free(bytes);
}

/* What the example shows as counting otherwise is what counts otherwise. */
static void the_examples_words_of_the_whole_file_are_the_defaults(void **state)
{
	struct conf_report r = { 0 };
	struct conf example;

	(void)state;
	reads(F);
	assert_int_equal(conf_read(&example, "tools/cth.conf.example", &r), 0);
	assert_int_equal(conf_changes(&c, &example), 0);
	conf_free(&example);
	conf_report_free(&r);
}

/* The canonical form. */

static void the_canonical_form_tells_every_default(void **state)
{
	char *text;

	(void)state;
	reads("helper talk queue 3 attach as t");
	text = printed(&c);
	assert_string_equal(text,
		"keeper cth-keeper\nworker cth-worker\nstatus /run/cth/status\n"
		"packets /var/lib/cth\nrestarts 20 in 60 seconds\ndeadline 1000 ms\nlog to stderr\n"
		"\nhelper talk\n\tas t\n\tqueue 3\n\tlength 512\n\tfamilies ipv4,ipv6\n\tattach\n"
		"\tports 5060\n\tfail open\n\tfull open\n"
		"\tclass signalling max 1 timeout 180\n\tclass media max 16 timeout 120\n"
		"\tclass \"max\" max 2 timeout 60\n");
	free(text);
	assert_round_trip(&c);
}

static void what_is_printed_reads_back_as_the_same(void **state)
{
	static const char *const texts[] = {
		F, "status off packets off\nlog to syslog\n" F,
		"status \"/a b#\\\"c\\\\d\"\nkeeper \"status\"\n" F,
		"restarts 0 in 1 seconds\n" F,
		F " families ipv6 allow low-ports fail closed full open netns \"as\"",
		F " families ipv4 allow foreign as \"ports\" expectations 1 per second",
	};

	(void)state;
	reads(everything);
	assert_round_trip(&c);
	for (size_t i = 0; i < N_OF(texts); i++) {
		reads(texts[i]);
		assert_round_trip(&c);
	}
}

/* Any bytes: either it is right and goes round, or there is an error. */
static void right_or_told(struct cth_span bytes, void *ctx)
{
	int (*parser)(struct conf *, const char *, struct cth_span, struct conf_report *) =
		ctx ? conf_parse_conntrackd : conf_parse;
	struct conf_report r = { 0 };
	struct conf x;
	int err = parser(&x, "f", bytes, &r);

	if (err == 0) {
		assert_true(x.n > 0);
		assert_int_equal(r.errors.n, 0);
		assert_round_trip(&x);
	} else {
		assert_int_equal(err, -EINVAL);
		assert_true(r.errors.n > 0);
		assert_null(x.helpers);
	}
	conf_free(&x);
	conf_report_free(&r);
}

static struct cth_span bytes_of(const char *text)
{
	return cth_span((const uint8_t *)text, strlen(text));
}

static void every_truncation_is_right_or_told(void **state)
{
	(void)state;
	every_truncation(bytes_of(everything), right_or_told, NULL);
}

static void every_byte_value_is_right_or_told(void **state)
{
	(void)state;
	every_byte_value(bytes_of("keeper \"a\"\nstatus off\nlog to syslog\n\nhelper talk queue 7 #\n"
				  "\tnetns b\n ports 50,7-9 attach allow foreign\n class media max 2\n"
				  " expectations 9 per second"), right_or_told, NULL);
}

/* Differences. */

#define OLD "helper ftp queue 1\nhelper tftp queue 2 attach\n"

static const struct {
	const char *now;
	uint32_t whole, helper; /* of the file, of its first helper */
	const char *restart;
} differences[] = {
	{ OLD, 0, 0, "" },
	{ "\n# moved\nhelper tftp queue 2 attach ports 69\nhelper ftp as ftp queue 1", 0, 0, "" },
	{ "log to syslog\n" OLD, 1 << CONF_LOG, 0, "" },
	{ "deadline 10 ms\nrestarts 1 in 1 seconds\n" OLD, 1 << CONF_DEADLINE | 1 << CONF_RESTARTS, 0,
	  "" },
	{ "helper ftp queue 9 attach ports 21,2121 max 7 timeout 8 expectations 1 per second decisions "
	  "2 per second allow foreign fail closed\nhelper tftp queue 2 attach", 0,
	  1 << CONF_QUEUE | 1 << CONF_ATTACH | 1 << CONF_PORTS | 1 << CONF_MAX | 1 << CONF_TIMEOUT |
	  1 << CONF_EXPECTATIONS | 1 << CONF_DECISIONS | 1 << CONF_ALLOW | 1 << CONF_FAIL |
	  1 << CONF_FULL, "" },
	{ "\nkeeper x\nworker y\n" OLD, 1 << CONF_KEEPER | 1 << CONF_WORKER, 0,
	  "f:2: keeper x: needs a restart: it is keeper cth-keeper now\n"
	  "f:3: worker y: needs a restart: it is worker cth-worker now\n" },
	{ "status off\npackets /p\n" OLD, 1 << CONF_STATUS | 1 << CONF_PACKETS, 0,
	  "f:1: status off: needs a restart: it is status /run/cth/status now\n" },
	{ "helper ftp queue 1\n length 9\n families ipv4\nhelper tftp queue 2 attach", 0,
	  1 << CONF_QUEUE_LENGTH | 1 << CONF_FAMILIES,
	  "f:2: length 9: needs a restart: it is length 512 now\n"
	  "f:3: families ipv4: needs a restart: it is families ipv4,ipv6 now\n" },
	{ "helper talk as ftp queue 1\nhelper tftp queue 2 attach", 0, 1 << CONF_HELPER,
	  "f:1: helper talk: needs a restart: it is helper ftp now; a helper keeps its classes and the "
	  "length of its state\n" },
	{ "helper ftp queue 1\n netns a\nhelper tftp queue 2 attach", 0, 0,
	  "f:2: netns a: needs a restart: it is no netns now\n" },
	{ OLD "helper talk queue 3", 0, 0, "f:3: helper talk: needs a restart: it is new\n" },
	{ "helper ftp queue 1", 0, 0, "f: helper tftp, in line 2 before: needs a restart: it is gone\n" },
	{ "helper ftp as f queue 1\nhelper tftp queue 2 attach", 0, 0,
	  "f:1: helper f: needs a restart: it is new\n"
	  "f: helper ftp, in line 1 before: needs a restart: it is gone\n" },
};

static void what_changes_live_and_what_needs_a_restart(void **state)
{
	struct conf_report r = { 0 };
	struct conf old;

	(void)state;
	assert_int_equal(conf_parse(&old, "f", bytes_of(OLD), &r), 0);
	for (size_t i = 0; i < N_OF(differences); i++) {
		struct conf_report told = { 0 };
		const struct conf_helper *h;
		char *text = NULL;
		size_t n = 0;
		FILE *f;
		int count;

		reads(differences[i].now);
		assert_int_equal(conf_changes(&old, &c), differences[i].whole);
		h = conf_find(&c, &old.helpers[0]);
		if (h)
			assert_int_equal(conf_helper_changes(&old.helpers[0], h),
					 differences[i].helper);
		count = conf_difference(&old, &c, &told.errors);
		f = open_memstream(&text, &n);
		conf_tell(f, &told.errors);
		fclose(f);
		assert_string_equal(text, differences[i].restart);
		assert_int_equal(count, told.errors.n);
		free(text);
		conf_report_free(&told);
	}
	conf_free(&old);
	conf_report_free(&r);
}

static void back_in_the_old_namespace_is_a_difference_too(void **state)
{
	struct conf_report r = { 0 };
	struct conf old;

	(void)state;
	assert_int_equal(conf_parse(&old, "f", bytes_of(F " netns a"), &r), 0);
	reads(F);
	assert_int_equal(conf_difference(&old, &c, &r.errors), 1);
	assert_string_equal(r.errors.texts[0], "f:1: no netns: needs a restart: it is netns a now");
	conf_free(&old);
	conf_report_free(&r);
}

/* Users. */

static void users_are_found_by_name_and_number(void **state)
{
	const struct passwd *nobody = getpwnam("nobody");
	struct conf_ids keeper, worker;
	uid_t uid;
	gid_t gid;

	(void)state;
	if (!nobody)
		return;
	uid = nobody->pw_uid;
	gid = nobody->pw_gid;
	reads("keeper nobody worker 54321\n" F);
	assert_int_equal(conf_users(&c, &keeper, &worker, &report), 0);
	assert_int_equal(keeper.uid, uid);
	assert_int_equal(keeper.gid, gid);
	assert_int_equal(worker.uid, 54321);
	assert_int_equal(worker.gid, 54321);
}

static void users_that_are_missing_or_one_are_told(void **state)
{
	const struct passwd *nobody = getpwnam("nobody");
	unsigned number = nobody ? (unsigned)nobody->pw_uid : 0;
	struct conf_ids keeper, worker;
	char text[128];

	(void)state;
	reads("keeper no-such-user-x\nworker no-such-user-y\n" F);
	assert_int_equal(conf_users(&c, &keeper, &worker, &report), -EINVAL);
	assert_int_equal(report.errors.n, 2);
	assert_string_equal(report.errors.texts[1], "f:2: user no-such-user-y: there is none of this "
			    "name; `useradd --system no-such-user-y` makes one, or worker USER takes a "
			    "number");
	if (!number)
		return;
	snprintf(text, sizeof(text), "keeper nobody\nworker %u\n" F, number);
	reads(text);
	assert_int_equal(conf_users(&c, &keeper, &worker, &report), -EINVAL);
	assert_non_null(strstr(report.errors.texts[0], "f:2: keeper nobody and worker "));
}

/* conntrackd.conf. */

static int parse_conntrackd(const char *text)
{
	forget(NULL);
	return conf_parse_conntrackd(&c, "f", bytes_of(text), &report);
}

static const struct conf_helper *reads_conntrackd(const char *text, const char *noted)
{
	if (parse_conntrackd(text) != 0)
		fail_msg("'%s' was refused: %s", text, report.errors.texts[0]);
	notes(noted);
	assert_round_trip(&c);
	return &c.helpers[0];
}

static const char conntrackd[] =
	"Sync {\n\tMode FTFW { }\n\tHelper {\n }\n}\n"
	"General {\n\tHashSize 8192 # {\n\tUNIX {\n\t\tPath /x\n\t}\n\tSyslog on\n}\n"
	"Helper {\n"
	"\tType ftp inet tcp {\n"                              /* 14 */
	"\t\tQueueNum 3\n"
	"\t\tQueueLen 10240\n"
	"\t\tPolicy ftp {\n"
	"\t\t\tExpectMax 8\n"
	"\t\t\tExpectTimeout 60\n"
	"\t\t}\n"
	"\t}\n"
	"\tType ftp inet6 tcp {\n"
	"\t\tQueueNum 3\n"
	"\t\tQueueLen 10240\n"
	"\t\tPolicy ftp { ExpectMax 8 ExpectTimeout 60 }\n"
	"\t}\n"
	"\ttype tftp INET UDP{queuenum 4 policy tftp{expectmax 2}}\n"
	"}\n"
	"Stats {\n\tLogFile on\n}\n";

static void conntrackds_helpers_become_ours(void **state)
{
	const struct conf_helper *h = reads_conntrackd(conntrackd, "");

	(void)state;
	assert_int_equal(c.n, 2);
	assert_ptr_equal(h[0].proto, &ftp);
	assert_string_equal(h[0].name, "ftp");
	assert_int_equal(h[0].queue, 3);
	assert_int_equal(h[0].length, 10240);
	assert_int_equal(h[0].families, CONF_IPV4 | CONF_IPV6);
	assert_int_equal(h[0].classes[0].max, 8);
	assert_int_equal(h[0].classes[0].timeout, 60);
	assert_int_equal(h[0].at[CONF_HELPER], 14);
	assert_int_equal(h[0].at[CONF_QUEUE], 15);
	assert_false(h[0].attach);
	assert_ptr_equal(h[1].proto, &tftp);
	assert_int_equal(h[1].queue, 4);
	assert_int_equal(h[1].length, 1024);
	assert_int_equal(h[1].families, CONF_IPV4);
	assert_int_equal(h[1].classes[0].max, 2);
}

#define TYPE(name, kind, body) "Type " name " " kind " {\n" body "\n}\n"
#define HELPER(types) "Helper {\n" types "}\n"

/* There, what a Policy leaves out is 0: an expectation that is gone at once. */
static void an_omitted_timeout_is_the_protocols_and_not_zero(void **state)
{
	const struct conf_helper *h = reads_conntrackd(
		HELPER(TYPE("ftp", "inet tcp", "QueueNum 1\nPolicy ftp { ExpectMax 3 }")), "");

	(void)state;
	assert_int_equal(h->classes[0].max, 3);
	assert_int_equal(h->classes[0].timeout, 300);
	h = reads_conntrackd(HELPER(TYPE("ftp", "inet tcp", "QueueNum 1")), "");
	assert_int_equal(h->classes[0].max, 1);
}

/* There, both silently have what was read last. */
static void policies_of_two_families_that_differ_are_told(void **state)
{
	const struct conf_helper *h = reads_conntrackd(HELPER(
		TYPE("ftp", "inet tcp", "QueueNum 1\nPolicy ftp {\nExpectMax 3\nExpectTimeout 10\n}")
		TYPE("ftp", "inet6 tcp", "QueueNum 2\nPolicy ftp {\nExpectMax 4\nExpectTimeout 20\n}")),
		"f:10: QueueNum 2: ftp inet6 tcp has the same one as the Type of line 2 here: 1\n"
		"f:12: ExpectMax 4: ftp inet6 tcp has the same one as the Type of line 2 here: 3\n"
		"f:13: ExpectTimeout 20: ftp inet6 tcp has the same one as the Type of line 2 here: "
		"10\n");

	(void)state;
	assert_int_equal(h->queue, 1);
	assert_int_equal(h->classes[0].max, 3);
	assert_int_equal(h->classes[0].timeout, 10);
}

static void what_has_no_counterpart_is_noted(void **state)
{
	(void)state;
	reads_conntrackd(HELPER("Setup no\nExtra 1 2 { 3 { 4 } }\n"
				TYPE("rpc", "inet tcp", "QueueNum 1\nPolicy rpc { ExpectMax 1 }")
				TYPE("ftp", "inet udp", "QueueNum 1")
				TYPE("ftp", "inet tcp", "Policy fpt { ExpectMax 0 Foo 1 }\nOther x y\n"
							"Policy ftp { ExpectMax 0 }")),
		"f:2: Setup no: the helpers are registered here all the same, or those that are "
		"registered are taken over\n"
		"f:3: Extra has no counterpart here, and is skipped\n"
		"f:4: Type rpc: there is no such protocol here, so it is left out; there are: ftp, "
		"tftp, talk, loose\n"
		"f:8: Type ftp inet udp: there is no ftp over udp here, so it is left out\n"
		"f:12: Foo has no counterpart here, and is skipped\n"
		"f:12: Policy fpt: ftp has no class of this name here; it is left out\n"
		"f:13: Other has no counterpart here, and is skipped\n"
		"f:14: ExpectMax 0 is no limit to some kernels: here it is 255\n"
		"f:11: Type ftp inet tcp: QueueNum is missing: queue 0 is taken\n");
	assert_int_equal(c.helpers[0].classes[0].max, 255);
}

static void transports_that_are_served_beyond_are_noted(void **state)
{
	(void)state;
	reads_conntrackd(HELPER(TYPE("talk", "inet udp", "QueueNum 1")
				TYPE("talk", "inet6 tcp", "QueueNum 1")),
			 "f:2: Type talk: here it serves inet tcp as well\n"
			 "f:2: Type talk: here it serves inet6 udp as well\n");
	assert_int_equal(c.n, 1);
}

static void what_is_wrong_in_conntrackds_is_told(void **state)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{ "", "f: no Helper section with a Type that there is here: there are: ftp, tftp, talk, "
		  "loose" },
		{ "General {\n}\n", "f: no Helper section with a Type that there is here: there are: "
		  "ftp, tftp, talk, loose" },
		{ "General {\nUNIX {\n}\n", "f:1: { is never closed: } is missing" },
		{ "}\n", "f:1: } closes nothing: { is missing before it" },
		{ "Helper\n", "f:1: Helper: { is missing behind it" },
		{ "Helper {\n", "f:1: Helper: its { is never closed: } is missing" },
		{ HELPER("{ { } }\n"), "f:2: { stands alone: in Helper there is a word before it" },
		{ HELPER("Type\n"), "f:2: Type: the name of a helper is missing behind it" },
		{ HELPER("Type ftp {\n}\n"), "f:2: Type ftp: inet or inet6 is missing behind the name" },
		{ HELPER("Type ftp inet {\n}\n"), "f:2: Type ftp: tcp or udp is missing behind the "
		  "family" },
		{ HELPER("Type ftp inet tcp\n"), "f:2: Type: { is missing behind it" },
		{ HELPER(TYPE("ftp", "inet tcp", "QueueNum 65536")), "f:3: QueueNum '65536': a number "
		  "from 0 to 65535" },
		{ HELPER(TYPE("ftp", "inet tcp", "QueueNum")), "f:3: QueueNum: a number from 0 to 65535 "
		  "is missing" },
		{ HELPER(TYPE("ftp", "inet tcp", "QueueNum 1\nQueueNum 1")), "f:4: QueueNum is there "
		  "twice: in line 3 already" },
		{ HELPER(TYPE("ftp", "inet tcp", "QueueLen 0")), "f:3: QueueLen '0': a number from 1 to "
		  "1048576" },
		{ HELPER(TYPE("ftp", "inet tcp", "Policy ftp { ExpectMax 256 }")),
		  "f:3: ExpectMax '256': a number from 0 to 255" },
		{ HELPER(TYPE("ftp", "inet tcp", "Policy ftp { ExpectTimeout 0 }")),
		  "f:3: ExpectTimeout '0': a number from 1 to 2147483" },
		{ HELPER(TYPE("ftp", "inet tcp", "Policy { }")), "f:3: Policy: the name of a class is "
		  "missing behind it" },
		{ HELPER(TYPE("ftp", "inet tcp", "QueueNum 1") TYPE("ftp", "inet tcp", "QueueNum 1")),
		  "f:5: Type ftp inet tcp is there twice: in line 2 already" },
		{ "Helper { \x01", "f:1: a byte 0x01: in a text file there are letters, tabs and line "
		  "ends" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		assert_int_equal(parse_conntrackd(bad[i].text), -EINVAL);
		assert_string_equal(report.errors.texts[0], bad[i].error);
		assert_null(c.helpers);
	}
}

static void braces_of_any_depth_and_number_are_skipped(void **state)
{
	enum { DEPTH = 200000 };
	char *text = malloc(2 * DEPTH + 100);

	(void)state;
	strcpy(text, "Helper {\n");
	for (size_t i = 0; i < DEPTH; i++)
		memcpy(text + 9 + 2 * i, "{}", 2);
	strcpy(text + 9 + 2 * (size_t)DEPTH, "}\n");
	assert_int_equal(parse_conntrackd(text), -EINVAL);
	strcpy(text, "X ");
	memset(text + 2, '{', DEPTH);
	memset(text + 2 + DEPTH, '}', DEPTH);
	strcpy(text + 2 + 2 * (size_t)DEPTH, "\nHelper {\nType ftp inet tcp { QueueNum 1 }\n}\n");
	assert_int_equal(parse_conntrackd(text), 0);
	free(text);
}

static void every_truncation_and_byte_of_conntrackds_is_right_or_told(void **state)
{
	(void)state;
	every_truncation(bytes_of(conntrackd), right_or_told, &c);
	every_byte_value(bytes_of("S { H { } }\nHelper {\n Type ftp inet tcp {\n  QueueNum 3 # x\n"
				  "  Policy ftp {\n   ExpectMax 8\n  }\n }\n}\n"), right_or_told, &c);
}

/* Those of Debian's package, if it is installed, or its examples are where CONNTRACKD_DOC says. */
static void conntrackds_own_examples_have_no_helper_and_nothing_wrong(void **state)
{
	static const char *const files[] = { "stats", "sync/alarm", "sync/ftfw", "sync/notrack" };
	const char *doc = getenv("CONNTRACKD_DOC");

	(void)state;
	if (!doc)
		doc = "/usr/share/doc/conntrackd/examples";
	if (access(doc, R_OK) != 0)
		return;
	for (size_t i = 0; i < N_OF(files); i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s/conntrackd.conf", doc, files[i]);
		forget(NULL);
		assert_int_equal(conf_read_conntrackd(&c, path, &report), -EINVAL);
		assert_int_equal(report.errors.n, 1);
		assert_non_null(strstr(report.errors.texts[0], "no Helper section"));
	}
}

#define TEST(f) cmocka_unit_test_teardown(f, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_protocol_and_a_queue_are_enough),
		TEST(every_word_has_its_place),
		TEST(every_word_keeps_its_line),
		TEST(the_table_tells_all_of_each_word),
		TEST(a_list_may_have_blanks_and_end_a_line),
		TEST(ports_are_sorted_and_joined),
		TEST(attach_alone_takes_the_usual_port),
		TEST(ports_without_attach_are_noted),
		TEST(full_is_what_fail_says_unless_told),
		TEST(the_only_class_needs_no_name),
		TEST(a_namespace_of_ip_netns_has_one_name),
		TEST(quotes_keep_blanks_words_and_comments),
		TEST(line_ends_of_others_and_a_mark_are_text),
		TEST(users_may_be_numbers),
		TEST(helpers_may_share_queue_name_and_port_where_that_can_be),
		TEST(there_may_be_many_helpers),
		TEST(a_service_has_an_end),
		TEST(a_list_of_any_length_is_read_and_printed),
		TEST(what_is_wrong_is_told_with_what_is_allowed),
		TEST(every_word_is_among_the_wrong_ones),
		TEST(paths_have_a_longest),
		TEST(a_line_has_an_end),
		TEST(a_nul_byte_is_no_text),
		TEST(ten_errors_are_told_and_the_others_counted),
		TEST(a_file_that_is_far_too_long_is_not_read),
		TEST(a_file_that_cannot_be_read_is_told_with_its_errno),
		TEST(the_example_is_right_and_has_every_word),
		TEST(the_examples_words_of_the_whole_file_are_the_defaults),
		TEST(the_canonical_form_tells_every_default),
		TEST(what_is_printed_reads_back_as_the_same),
		TEST(every_truncation_is_right_or_told),
		TEST(every_byte_value_is_right_or_told),
		TEST(what_changes_live_and_what_needs_a_restart),
		TEST(back_in_the_old_namespace_is_a_difference_too),
		TEST(users_are_found_by_name_and_number),
		TEST(users_that_are_missing_or_one_are_told),
		TEST(conntrackds_helpers_become_ours),
		TEST(an_omitted_timeout_is_the_protocols_and_not_zero),
		TEST(policies_of_two_families_that_differ_are_told),
		TEST(what_has_no_counterpart_is_noted),
		TEST(transports_that_are_served_beyond_are_noted),
		TEST(what_is_wrong_in_conntrackds_is_told),
		TEST(braces_of_any_depth_and_number_are_skipped),
		TEST(every_truncation_and_byte_of_conntrackds_is_right_or_told),
		TEST(conntrackds_own_examples_have_no_helper_and_nothing_wrong),
	};

	return RUN(tests);
}
