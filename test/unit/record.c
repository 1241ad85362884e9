/* SPDX-License-Identifier: MIT */
/*
 * record.c - the recordings of test/recordings as fixtures. They were made on a
 * little-endian machine; elsewhere they are turned first.
 */
#include "unit.h"
#include "../../netlink/pcap.h"
#include "../../tools/decode.h"

/* name may go without its ".pcap". */
struct recording recording(const char *name)
{
	struct recording r = { NULL, 0 };
	struct cth_pcap p;
	char path[256];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "test/recordings/%s%s", name,
		 strstr(name, ".pcap") ? "" : ".pcap");
	f = fopen(path, "rb");
	if (f && fseek(f, 0, SEEK_END) == 0)
		n = ftell(f);
	if (n > 0) {
		rewind(f);
		r.bytes = malloc((size_t)n);
		r.n = r.bytes ? fread(r.bytes, 1, (size_t)n, f) : 0;
	}
	if (f)
		fclose(f);
	if (n <= 0 || r.n != (size_t)n)
		fail_msg("%s cannot be read; the tests run in the repository's root", path);
	if (cth_pcap_open(&p, cth_span(r.bytes, r.n)) < 0)
		fail_msg("%s is no recording of netlink", path);
	if (p.foreign)
		swap_recording(r.bytes, r.n);
	return r;
}

void free_recording(struct recording *r)
{
	free(r->bytes);
	r->bytes = NULL;
	r->n = 0;
}

void each_datagram(const char *name, datagram_fn *fn, void *ctx)
{
	struct recording r = recording(name);
	struct cth_pcap_frame f;
	struct cth_pcap p;
	int status;

	assert_int_equal(cth_pcap_open(&p, cth_span(r.bytes, r.n)), 0);
	while ((status = cth_pcap_next(&p, &f)) > 0)
		if (f.family == 12) /* NETLINK_NETFILTER */
			fn(f.bytes, f.to_kernel, ctx);
	assert_int_equal(status, 0);
	free_recording(&r);
}
