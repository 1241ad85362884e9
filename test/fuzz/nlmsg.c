/* SPDX-License-Identifier: MIT */
/* nlmsg.c - fuzz target: a datagram's messages, their attributes two levels down, answers. */
#include <stdlib.h>
#include "../../netlink/socket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct cth_attr_rule rules[8] = {
	[1] = { 1, CTH_ATTR_ANY, false }, [2] = { 2, 2, false }, [3] = { 1, 16, true },
	[4] = { 4, 8, false },            [5] = { 0, CTH_ATTR_ANY, false },
};
struct everything {
	struct cth_span span;
	uint64_t be64;
	uint32_t be32;
	uint16_t be16;
	uint8_t u8, four[4], sixteen[16];
};

static const struct cth_attr_field fields[8] = {
	[1] = { CTH_ATTR_SPAN, offsetof(struct everything, span), 1 },
	[2] = { CTH_ATTR_BE64, offsetof(struct everything, be64), 0 },
	[3] = { CTH_ATTR_BE32, offsetof(struct everything, be32), 0 },
	[4] = { CTH_ATTR_BE16, offsetof(struct everything, be16), 0 },
	[5] = { CTH_ATTR_U8, offsetof(struct everything, u8), 0 },
	[6] = { CTH_ATTR_4, offsetof(struct everything, four), 0 },
	[7] = { CTH_ATTR_16, offsetof(struct everything, sixteen), 0 },
};
static volatile uint32_t sum;

static void read_all(struct cth_span s)
{
	for (size_t i = 0; i < s.n; i++)
		sum += s.p[i];
}

static void walk(struct cth_span level, int depth)
{
	struct everything e;
	struct cth_span v[8];
	struct cth_attr a;
	uint32_t told = 0;

	if (cth_attr_index(level, rules, 8, v) == 0)
		for (uint16_t i = 0; i < 8; i++) {
			read_all(v[i]);
			if (rules[i].max && cth_attr_find(level, i).p != v[i].p)
				abort();
		}
	if (cth_attr_read(level, fields, 8, &e, &told) == 0 && told)
		read_all(e.span);
	while (cth_attr_next(&level, &a) > 0) {
		read_all(a.value);
		if (depth < 3)
			walk(a.value, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cth_span d = cth_span(data, n);
	struct cth_nlmsg m;
	struct cth_nack nack;

	while (cth_nlmsg_next(&d, &m) > 0) {
		read_all(m.whole);
		walk(m.attrs, 0);
		if (cth_nack_parse(&m, &nack) == 0)
			sum += (uint32_t)strlen(nack.text);
	}
	return 0;
}
