/* SPDX-License-Identifier: MIT */
/*
 * helper_add.c - `cth helper add` and nfct-helper-add: registers a helper, or says how the
 * one that is in its place differs.
 */
#include <errno.h>
#include <inttypes.h>
#include "helper.h"
#include "proc.h"

/* The module whose helper has this name: netbios-ns is in nf_conntrack_netbios_ns. */
static const char *module_of(const char *prefix, const char *name)
{
	static const char *const h323[] = { "RAS", "Q.931", "H.245" };
	char flat[CTH_HELPER_NAME];
	size_t i;

	for (i = 0; i < sizeof(h323) / sizeof(h323[0]); i++)
		if (strcmp(name, h323[i]) == 0)
			name = "h323";
	for (i = 0; name[i] && i < sizeof(flat) - 1; i++)
		flat[i] = name[i] == '-' ? '_' : name[i];
	flat[i] = 0;
	return phrase("%s_%s", prefix, flat);
}

int kernel_has_its_own(const struct cth_helper *h, const struct cth_nack *nack,
			      const char *tried)
{
	const char *helper = module_of("nf_conntrack", h->name);
	const char *nat = module_of("nf_nat", h->name);

	if (proc_module(helper) == PROC_MODULE_LOADED) {
		bool with_nat = proc_module(nat) == PROC_MODULE_LOADED;

		return fail_nack(EBUSY, nack, tried,
				 phrase("the module %s is loaded and has the kernel's own helper of "
					"this name", helper),
				 phrase("rmmod %s%s%s; if it is in use, remove the rules that refer to "
					"it first", with_nat ? nat : "", with_nat ? " " : "", helper));
	}
	return fail_nack(EBUSY, nack, tried,
			 phrase("the kernel has a helper of its own by this name, built in or from "
				"another module than %s", helper),
			 "remove that module, or take another name");
}

static void add_difference(char *text, size_t n, const char *difference)
{
	size_t used = strlen(text);

	snprintf(text + used, n - used, "%s%s", used ? ", " : "", difference);
}

static bool same_class_names(const struct cth_helper *a, const struct cth_helper *b)
{
	if (a->classes != b->classes)
		return false;
	for (size_t i = 0; i < a->classes; i++)
		if (strcmp(a->policy[i].name, b->policy[i].name) != 0)
			return false;
	return true;
}

void differences(const struct cth_helper *there, const struct cth_helper *want, char *text, size_t n)
{
	char is[CLASS_WORDS], should[CLASS_WORDS];

	text[0] = 0;
	class_words(there, is);
	class_words(want, should);
	if (there->queue != want->queue)
		add_difference(text, n, phrase("queue %" PRIu32 " instead of %" PRIu32,
					       there->queue, want->queue));
	if (there->priv_len != want->priv_len)
		add_difference(text, n, phrase("private length %" PRIu32 " instead of %" PRIu32,
					       there->priv_len, want->priv_len));
	if (strcmp(is, should) != 0)
		add_difference(text, n, phrase("classes %s instead of %s", is, should));
	/* Whoever serves it may have enabled it meanwhile, which is no difference. */
	if (want->enabled && !there->enabled)
		add_difference(text, n, "status disabled instead of enabled");
}

/* How the helper that is there could become what was wanted. */
static const char *way_there(const struct cth_helper *there, const struct cth_helper *want)
{
	const char *words = phrase("cth helper set %s", key_words(want));

	if (there->priv_len != want->priv_len || !same_class_names(there, want))
		return phrase("private length and names of classes cannot change: `cth helper del "
			      "%s`, then add it anew", key_words(want));
	if (there->queue != want->queue)
		words = phrase("%s -q %" PRIu32, words, want->queue);
	for (size_t i = 0; i < want->classes; i++)
		if (there->policy[i].max != want->policy[i].max ||
		    there->policy[i].timeout != want->policy[i].timeout)
			words = phrase("%s -c %s:%" PRIu32 ":%" PRIu32, words, want->policy[i].name,
				       want->policy[i].max, want->policy[i].timeout);
	if (want->enabled && !there->enabled)
		return phrase("to change it: %s -e", words);
	return phrase("to change it: %s", words);
}

/* A second add of the same helper is no error, one of another by its name is. */
static int already_there(struct cth_sock *s, const struct cth_helper *want, const char *tried)
{
	struct cth_nack nack = { 0 };
	struct cth_helper there;
	char text[512];

	if (cth_helper_get(s, want->name, want->l3, want->l4, &there, &nack) < 0)
		return fail(EEXIST, tried, "it was there a moment ago", "try again");
	differences(&there, want, text, sizeof(text));
	if (text[0])
		return fail(EEXIST, tried, phrase("it is there already, with %s", text),
			    way_there(&there, want));
	if (common.json)
		show_helpers(&there, 1, HELPER_JSON);
	done("%s is there already, on queue %" PRIu32 ", %s", helper_text(&there), there.queue,
	     there.enabled ? "enabled" : "disabled");
	return CTH_EXIT_OK;
}

static void added(const struct cth_helper *h)
{
	if (common.json && !common.dry_run)
		show_helpers(h, 1, HELPER_JSON);
	if (h->enabled)
		done("%s added on queue %" PRIu32 ", enabled", helper_text(h), h->queue);
	else
		done("%s added on queue %" PRIu32 ", disabled: nfqnl_test enables it while it "
		     "listens, or: cth helper enable %s", helper_text(h), h->queue, h->name);
	note_service(h, false);
}

static int add_main(const struct applet *self, int argc, char **argv)
{
	struct cth_nack nack = { 0 };
	struct request r;
	struct cth_sock s;
	const char *tried;
	int status = take_new(self, argc, argv, &r), err;

	if (status >= 0)
		return status;
	status = kernel_open(&s);
	if (status)
		return status;
	tried = phrase("register %s", helper_text(&r.h));
	err = cth_helper_add(&s, &r.h, &nack);
	if (err == -EEXIST)
		status = already_there(&s, &r.h, tried);
	else if (err == -EBUSY)
		status = kernel_has_its_own(&r.h, &nack, tried);
	else if (err < 0)
		status = helper_refused(err, &nack, tried);
	else
		added(&r.h);
	kernel_close(&s);
	return status;
}

#define ADD_HELP \
	"Registers a user-space helper with the kernel.\n\n" \
	"It is disabled unless told otherwise: enabled while nobody listens on its queue, it\n" \
	"would keep new connections from being tracked.\n" \
	"  -3, --l3 inet|inet6           network protocol; inet if not told\n" \
	"  -4, --l4 tcp|udp|NUMBER       transport protocol; tcp if not told\n" \
	"  -q, --queue NUMBER            queue that its packets go to; 0 if not told\n" \
	"  -p, --priv-len BYTES          of state that the kernel keeps for a flow, 0 to 32\n" \
	"  -c, --class NAME:MAX:TIMEOUT  a class of expectations: how many a flow may have at once,\n" \
	"                                0 to 255, for how many seconds each; one to four classes;\n" \
	"                                if not told one by the helper's name, of 100 and 100 s\n" \
	"  -e, --enabled                 enable it at once\n\n"

const struct applet helper_add_applet = {
	"helper add", "[OPTION]... NAME [QUEUE | L3 L4]",
	ADD_HELP
	"Examples:\n"
	"  cth helper add test 0\n"
	"  cth helper add ftp inet6 tcp -q 1 -p 24 -c ftp:1:300\n",
	add_main,
};

const struct applet nfct_helper_add_applet = {
	"nfct-helper-add", "[OPTION]... NAME [QUEUE | L3 L4]",
	ADD_HELP
	"Example:\n"
	"  nfct-helper-add test 0\n",
	add_main,
};
