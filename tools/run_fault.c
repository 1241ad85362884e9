/* SPDX-License-Identifier: MIT */
/*
 * run_fault.c - why a service did not start: the step, the kernel's word, the likely cause and
 * the remedy.
 */
#include <errno.h>
#include <inttypes.h>
#include "attach.h"
#include "helper.h"
#include "proc.h"
#include "run.h"

/* It is enabled on another queue, and perhaps served there. */
static int enabled_elsewhere(const struct cth_helper *there, const char *tried)
{
	uint32_t num = there->queue & UINT16_MAX;
	struct proc_queue q;
	char owner[96];

	if (proc_queue(num, &q) == 1)
		return fail(EBUSY, tried,
			    phrase("it is enabled on queue %" PRIu32 ", served by %s", num,
				   proc_owner_text(q.portid, owner, sizeof(owner))),
			    "stop that program, or serve it under another name");
	return fail(EBUSY, tried,
		    phrase("it is enabled on queue %" PRIu32 ", where nobody listens in this "
			   "network namespace, but perhaps somebody in another", num),
		    phrase("if its program is dead: `cth helper disable %s`, or take that queue: "
			   "-q %" PRIu32, key_words(there), num));
}

/* Maxima and timeouts can be changed, and are no reason. */
static void what_cannot_change(const struct cth_service_fault *f, char *text, size_t n)
{
	const struct cth_helper *there = &f->helper;
	struct cth_helper want;

	cth_served_helper(f->served, there->l3, there->l4, &want);
	want.have = CTH_HELPER_QUEUE | CTH_HELPER_PRIV_LEN | CTH_HELPER_STATUS | CTH_HELPER_POLICY;
	want.queue = there->queue;
	for (size_t i = 0; i < want.classes && i < there->classes; i++) {
		want.policy[i].max = there->policy[i].max;
		want.policy[i].timeout = there->policy[i].timeout;
	}
	differences(there, &want, text, n);
}

static int take_over_refused(int err, const struct cth_service_fault *f)
{
	const struct cth_helper *there = &f->helper;
	const char *tried = phrase("take over %s", helper_text(there));
	const char *name = cth_served_name(f->served), *proto = f->served->proto->name;
	char text[512];

	if (err == -EBUSY)
		return enabled_elsewhere(there, tried);
	if (err != -EEXIST)
		return helper_refused(err, &f->nack, tried);
	what_cannot_change(f, text, sizeof(text));
	return fail(err, tried, phrase("it is registered with %s", text),
		    phrase("if no program serves it: `cth helper del %s`, and before that `cth detach "
			   "%s` if a rule refers to it; or serve %s under another name: my-%s=%s",
			   key_words(there), name, proto, proto, proto));
}

static int register_refused(int err, const struct cth_service_fault *f)
{
	const char *tried = phrase("register %s", helper_text(&f->helper));
	const char *proto = f->served->proto->name;
	int status;

	if (err != -EBUSY)
		return helper_refused(err, &f->nack, tried);
	status = kernel_has_its_own(&f->helper, &f->nack, tried);
	warn("or serve %s under another name: my-%s=%s", proto, proto, proto);
	return status;
}

static int no_conntrack(const struct cth_service_fault *f)
{
	return fail_nack(EOPNOTSUPP, &f->nack, phrase("binding queue %u", f->served->terms.queue),
			 "this kernel does not tell the connections of queued packets "
			 "(CONFIG_NETFILTER_NETLINK_GLUE_CT, with nf_conntrack_netlink loaded), and "
			 "a helper needs that",
			 "modprobe nf_conntrack_netlink; Debian: install a linux-image-* package, "
			 "OpenWrt: kmod-nf-conntrack-netlink");
}

static int set_up_refused(const struct run_place *p, int err)
{
	if (err == -ENOMEM)
		return fail(err, "set up the service", NULL, "lower --queue-len");
	if (err == -EINVAL)
		return fail(err, "set up the service",
			    phrase("%zu helpers are too many for one program, or they contradict "
				   "each other", p->config.n),
			    "start it twice, on two queues");
	return fail(err, "set up the service", NULL, NULL);
}

/* Where it is about, and where queues are looked up from now on. */
static const struct run_place *place_of_fault(const struct run *r,
					      const struct cth_service_fault *f)
{
	size_t i = 0;

	while (i + 1 < r->places_n && &r->places[i].service != f->service)
		i++;
	proc_in((unsigned)i);
	return &r->places[i];
}

int run_refused(const struct run *r, int err, const struct cth_service_fault *f)
{
	const struct run_place *p = place_of_fault(r, f);
	const char *name = f->served ? cth_served_name(f->served) : "";

	switch (f->step) {
	case CTH_STEP_MEMORY:
		return set_up_refused(p, err);
	case CTH_STEP_REGISTER:
		return register_refused(err, f);
	case CTH_STEP_TAKE_OVER:
		return take_over_refused(err, f);
	case CTH_STEP_BIND:
		if (err == -EOPNOTSUPP)
			return no_conntrack(f);
		return bind_refused(err, &f->nack, f->served->terms.queue, CTH_QUEUE_CONNTRACK);
	case CTH_STEP_ENABLE:
		return helper_refused(err, &f->nack, phrase("enable %s", helper_text(&f->helper)));
	case CTH_STEP_ATTACH:
		return attach_refused(err, &f->nack, phrase("attach %s", name), name);
	case CTH_STEP_SOCKET:
		break;
	}
	return fail_nack(err, &f->nack, "open a socket to the kernel's netfilter", NULL, NULL);
}
