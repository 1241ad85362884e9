/* SPDX-License-Identifier: MIT */
/*
 * codec_peers.c - the jobs, with libmnl, libnetfilter_queue, libnetfilter_conntrack and
 * libnetfilter_cthelper, each as their documentation tells.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_cthelper/libnetfilter_cthelper.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include "codec.h"

static char out[4096];
static int with_ct;

static void need(int ok)
{
	if (!ok)
		abort();
}

static void read_flow(const struct nlattr *attr)
{
	struct nf_conntrack *ct = nfct_new();

	need(ct && nfct_payload_parse(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr),
				      AF_INET, ct) == 0);
	codec_sum += nfct_get_attr_u32(ct, ATTR_ORIG_IPV4_SRC) +
		     nfct_get_attr_u32(ct, ATTR_ORIG_IPV4_DST) +
		     nfct_get_attr_u16(ct, ATTR_ORIG_PORT_SRC) +
		     nfct_get_attr_u16(ct, ATTR_ORIG_PORT_DST) +
		     nfct_get_attr_u8(ct, ATTR_ORIG_L4PROTO);
	codec_sum += nfct_get_attr_u32(ct, ATTR_REPL_IPV4_SRC) +
		     nfct_get_attr_u32(ct, ATTR_REPL_IPV4_DST) +
		     nfct_get_attr_u16(ct, ATTR_REPL_PORT_SRC) +
		     nfct_get_attr_u16(ct, ATTR_REPL_PORT_DST);
	codec_sum += nfct_get_attr_u32(ct, ATTR_STATUS) + nfct_get_attr_u32(ct, ATTR_ID) +
		     (uint8_t)*(const char *)nfct_get_attr(ct, ATTR_HELPER_NAME);
	if (nfct_attr_is_set(ct, ATTR_HELPER_INFO) > 0)
		codec_sum += *(const uint8_t *)nfct_get_attr(ct, ATTR_HELPER_INFO);
	nfct_destroy(ct);
}

static int see(const struct nlmsghdr *m, void *ctx)
{
	struct nlattr *attr[NFQA_MAX + 1] = { NULL };
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(m);
	const struct nfqnl_msg_packet_hdr *p;

	(void)ctx;
	need(nfq_nlmsg_parse(m, attr) >= 0 && attr[NFQA_PACKET_HDR] && attr[NFQA_CT]);
	p = mnl_attr_get_payload(attr[NFQA_PACKET_HDR]);
	codec_sum += ntohl(p->packet_id) + p->hook + ntohs(g->res_id) +
		     mnl_attr_get_payload_len(attr[NFQA_PAYLOAD]) +
		     *(const uint8_t *)mnl_attr_get_payload(attr[NFQA_PAYLOAD]) +
		     ntohl(mnl_attr_get_u32(attr[NFQA_CT_INFO]));
	if (with_ct)
		read_flow(attr[NFQA_CT]);
	return MNL_CB_OK;
}

static void parse(const uint8_t *datagram, size_t n)
{
	need(mnl_cb_run(datagram, n, 0, 0, see, NULL) >= 0);
}

static void parse_ct(const uint8_t *datagram, size_t n)
{
	with_ct = 1;
	parse(datagram, n);
}

static void verdict(const uint8_t *datagram, size_t n)
{
	struct nlmsghdr *h = nfq_nlmsg_put(out, NFQNL_MSG_VERDICT, 7);

	(void)datagram, (void)n;
	nfq_nlmsg_verdict_put(h, (int)codec_sum, NF_ACCEPT);
	codec_sum += h->nlmsg_len;
}

static void verdict_mark(const uint8_t *datagram, size_t n)
{
	struct nlmsghdr *h = nfq_nlmsg_put(out, NFQNL_MSG_VERDICT, 7);

	(void)datagram, (void)n;
	nfq_nlmsg_verdict_put(h, (int)codec_sum, NF_ACCEPT);
	nfq_nlmsg_verdict_put_mark(h, 5);
	codec_sum += h->nlmsg_len;
}

static void registration(const uint8_t *datagram, size_t n)
{
	struct nfct_helper *h = nfct_helper_alloc();
	struct nfct_helper_policy *p = nfct_helper_policy_alloc();
	struct nlmsghdr *m;

	(void)datagram, (void)n;
	nfct_helper_attr_set_str(h, NFCTH_ATTR_NAME, "ftp");
	nfct_helper_attr_set_u16(h, NFCTH_ATTR_PROTO_L3NUM, AF_INET);
	nfct_helper_attr_set_u8(h, NFCTH_ATTR_PROTO_L4NUM, IPPROTO_TCP);
	nfct_helper_attr_set_u32(h, NFCTH_ATTR_QUEUE_NUM, 7);
	nfct_helper_attr_set_u32(h, NFCTH_ATTR_PRIV_DATA_LEN, 24);
	nfct_helper_attr_set_u32(h, NFCTH_ATTR_STATUS, 1);
	nfct_helper_policy_attr_set_str(p, NFCTH_ATTR_POLICY_NAME, "ftp");
	nfct_helper_policy_attr_set_u32(p, NFCTH_ATTR_POLICY_MAX, 1);
	nfct_helper_policy_attr_set_u32(p, NFCTH_ATTR_POLICY_TIMEOUT, 300);
	nfct_helper_attr_set(h, NFCTH_ATTR_POLICY1, p);
	m = nfct_helper_nlmsg_build_hdr(out, NFNL_MSG_CTHELPER_NEW,
					NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK, 1);
	nfct_helper_nlmsg_build_payload(m, h);
	codec_sum += m->nlmsg_len;
	nfct_helper_free(h);
}

const struct codec_job codec_jobs[] = {
	{ "packet", parse },
	{ "packet-ct", parse_ct },
	{ "verdict", verdict },
	{ "verdict-mark", verdict_mark },
	{ "registration", registration },
	{ NULL, NULL },
};
