/* SPDX-License-Identifier: MIT */
/* codec_cth.c - the jobs, with libcthelper. */
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <stdlib.h>
#include "codec.h"
#include "../../cthelper/flow.h"
#include "../../cthelper/helper.h"
#include "../../queue/pkt.h"
#include "../../queue/verdict.h"

static uint8_t out[4096];

static void need(int ok)
{
	if (!ok)
		abort();
}

static void parse(const uint8_t *datagram, size_t n)
{
	struct cth_span left = cth_span(datagram, n);
	struct cth_nlmsg m;
	struct cth_pkt p;

	need(cth_nlmsg_next(&left, &m) == 1 && cth_pkt_parse(&p, &m) == 0);
	codec_sum += p.id + p.hook + p.queue + p.payload.n + p.payload.p[0] + p.ct_info;
}

/* All that is told of the connection is decoded, as the peers do; an engine reads as much. */
static void parse_ct(const uint8_t *datagram, size_t n)
{
	struct cth_span left = cth_span(datagram, n);
	struct cth_nlmsg m;
	struct cth_pkt p;
	struct cth_flow f;

	need(cth_nlmsg_next(&left, &m) == 1 && cth_pkt_parse(&p, &m) == 0 &&
	     cth_flow_parse(&f, p.ct) == 0);
	codec_sum += p.id + p.hook + p.queue + p.payload.n + p.payload.p[0] + p.ct_info;
	codec_sum += f.orig.src.b[0] + f.orig.dst.b[0] + f.orig.sport + f.orig.dport + f.orig.l4;
	codec_sum += f.reply.src.b[0] + f.reply.dst.b[0] + f.reply.sport + f.reply.dport;
	codec_sum += f.status + f.id + (uint8_t)f.helper[0] + f.info.n;
}

static void verdict(const uint8_t *datagram, size_t n)
{
	struct cth_msg m;

	(void)datagram, (void)n;
	cth_msg_init(&m, out, sizeof(out));
	need(cth_verdict_put_raw(&m, 7, (uint32_t)codec_sum, CTH_ACCEPT) == 0);
	codec_sum += cth_msg_bytes(&m).n;
}

static void verdict_mark(const uint8_t *datagram, size_t n)
{
	struct cth_verdict v;
	struct cth_msg m;

	(void)datagram, (void)n;
	cth_verdict_init(&v);
	v.set_mark = true;
	v.mark = 5;
	cth_msg_init(&m, out, sizeof(out));
	need(cth_verdict_put(&m, 7, (uint32_t)codec_sum, &v, NULL, NULL) == 0);
	codec_sum += cth_msg_bytes(&m).n;
}

static void registration(const uint8_t *datagram, size_t n)
{
	struct cth_helper h = { .name = "ftp", .l3 = AF_INET, .l4 = IPPROTO_TCP, .queue = 7,
				.priv_len = 24, .enabled = true, .classes = 1,
				.policy = { { "ftp", 1, 300 } } };
	struct cth_msg m;

	(void)datagram, (void)n;
	cth_msg_init(&m, out, sizeof(out));
	need(cth_helper_put_new(&m, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK, 1, &h) == 0);
	codec_sum += cth_msg_bytes(&m).n;
}

const struct codec_job codec_jobs[] = {
	{ "packet", parse },
	{ "packet-ct", parse_ct },
	{ "verdict", verdict },
	{ "verdict-mark", verdict_mark },
	{ "registration", registration },
	{ NULL, NULL },
};
