/* SPDX-License-Identifier: MIT */
/* flow.c - fuzz target: conntrack's description of a flow, and the registry's of a helper. */
#include <stdlib.h>
#include "../../cthelper/flow.h"
#include "../../cthelper/helper.h"
#include "../../queue/pkt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static volatile uint32_t sum;

static void flow(struct cth_span attrs)
{
	const char *helper = cth_flow_helper(attrs);
	struct cth_flow f;

	if (helper)
		sum += (uint32_t)strlen(helper);
	if (cth_flow_parse(&f, attrs) < 0)
		return;
	if (strcmp(helper ? helper : "", f.helper) != 0)
		abort();
	for (size_t i = 0; i < f.info.n; i++)
		sum += f.info.p[i];
	for (size_t i = 0; i < f.labels.n; i++)
		sum += f.labels.p[i];
	for (size_t i = 0; i < f.secctx.n; i++)
		sum += f.secctx.p[i];
	if (memchr(f.helper, 0, sizeof(f.helper)) == NULL)
		abort();
}

static void helper(const struct cth_nlmsg *m)
{
	struct cth_helper h;

	if (cth_helper_parse(&h, m) < 0)
		return;
	if (h.classes > CTH_HELPER_CLASSES || memchr(h.name, 0, sizeof(h.name)) == NULL)
		abort();
	for (unsigned i = 0; i < h.classes; i++)
		if (memchr(h.policy[i].name, 0, sizeof(h.policy[i].name)) == NULL)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cth_span d = cth_span(data, n);
	struct cth_nlmsg m;
	struct cth_pkt p;

	flow(d);
	while (cth_nlmsg_next(&d, &m) > 0) {
		flow(m.attrs);
		helper(&m);
		if (cth_pkt_parse(&p, &m) == 0 && p.ct.p)
			flow(p.ct);
	}
	return 0;
}
