/* SPDX-License-Identifier: MIT */
/*
 * packet.c - a queued packet, and the flow that it belongs to, as people and programs
 * read them. The text is nfqnl_test's, to the trailing blank:
 *
 *     pkt received
 *     hw_protocol=0x0800 hook=1 id=2 hw_src_addr=ca:0b:7e:97:1f:6d indev=3 payload_len=60 
 *     entering callback
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include "queue.h"
#include "../cthelper/flow.h"

static bool have(const struct cth_pkt *p, uint32_t field)
{
	return (p->have & field) != 0;
}

/* "ca:0b:7e:97:1f:6d" */
static const char *hw_text(const struct cth_pkt *p, char text[3 * sizeof(p->hw_addr) + 1])
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < p->hw_len && i < sizeof(p->hw_addr); i++)
		used += (size_t)sprintf(text + used, "%s%02x", i ? ":" : "", p->hw_addr[i]);
	return text;
}

static void field(const struct cth_pkt *p, uint32_t bit, const char *name, uint32_t value)
{
	if (have(p, bit))
		printf("%s=%" PRIu32 " ", name, value);
}

void print_packet(const struct cth_pkt *p)
{
	char hw[3 * sizeof(p->hw_addr) + 1];

	printf("pkt received\nhw_protocol=0x%04x hook=%u id=%" PRIu32 " ", p->hw_protocol, p->hook,
	       p->id);
	if (have(p, CTH_PKT_HWADDR))
		printf("hw_src_addr=%s ", hw_text(p, hw));
	field(p, CTH_PKT_MARK, "mark", p->mark);
	field(p, CTH_PKT_INDEV, "indev", p->indev);
	field(p, CTH_PKT_OUTDEV, "outdev", p->outdev);
	field(p, CTH_PKT_PHYSINDEV, "physindev", p->physindev);
	field(p, CTH_PKT_PHYSOUTDEV, "physoutdev", p->physoutdev);
	field(p, CTH_PKT_UID, "uid", p->uid);
	field(p, CTH_PKT_GID, "gid", p->gid);
	if (p->secctx.n)
		printf("secctx=\"%.*s\" ", (int)p->secctx.n, (const char *)p->secctx.p);
	if (p->payload.p)
		printf("payload_len=%zu ", p->payload.n);
	printf("\nentering callback\n");
}

static const struct {
	uint32_t bit;
	const char *name;
} statuses[] = {
	{ CTH_FLOW_EXPECTED, "expected" },
	{ CTH_FLOW_SEEN_REPLY, "seen-reply" },
	{ CTH_FLOW_ASSURED, "assured" },
	{ CTH_FLOW_CONFIRMED, "confirmed" },
	{ CTH_FLOW_SRC_NAT, "src-nat" },
	{ CTH_FLOW_DST_NAT, "dst-nat" },
};
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

static const char *addr_text(const struct cth_addr *a, char text[INET6_ADDRSTRLEN])
{
	if (a->family == 0 || !inet_ntop(a->family, a->b, text, INET6_ADDRSTRLEN))
		snprintf(text, INET6_ADDRSTRLEN, "?");
	return text;
}

/* How the packet stands in its flow: IP_CT_* of linux/netfilter/nf_conntrack_common.h. */
static const char *info_text(uint32_t info)
{
	static const char *const names[] = { "established", "related", "new", "established-reply",
					     "related-reply" };

	return info < sizeof(names) / sizeof(names[0]) ? names[info] : "unknown";
}

static void print_end(const char *before, const struct cth_addr *a, bool has_port, uint16_t port)
{
	char text[INET6_ADDRSTRLEN];
	bool v6 = a->family == AF_INET6;

	addr_text(a, text);
	if (has_port)
		printf("%s%s%s%s:%u", before, v6 ? "[" : "", text, v6 ? "]" : "", port);
	else
		printf("%s%s", before, text);
}

void print_flow(const struct cth_pkt *p)
{
	struct cth_flow f;
	char l4[12];
	int r;

	if (!p->ct.p)
		return;
	r = cth_flow_parse(&f, p->ct);
	if (r < 0) {
		printf("flow unreadable: %s\n", errno_name(r));
		return;
	}
	printf("flow %s", l4_name(f.orig.l4, l4));
	print_end(" ", &f.orig.src, f.orig.has_ports, f.orig.sport);
	print_end(" -> ", &f.orig.dst, f.orig.has_ports, f.orig.dport);
	if (have(p, CTH_PKT_CT_INFO))
		printf(" ctinfo=%s", info_text(p->ct_info));
	if (f.have & CTH_FLOW_HELPER)
		printf(" helper=%s", f.helper);
	if (f.info.p)
		printf(" private=%zu", f.info.n);
	if (f.have & CTH_FLOW_MARK)
		printf(" mark=%" PRIu32, f.mark);
	printf(" status=");
	for (size_t i = 0, n = 0; i < STATUSES; i++)
		if (f.status & statuses[i].bit)
			printf("%s%s", n++ ? "," : "", statuses[i].name);
	printf("\n");
}

static void json_tuple(struct json *j, const char *key, const struct cth_tuple *t)
{
	char text[INET6_ADDRSTRLEN], l4[12];

	json_open(j, key, '{');
	json_string(j, "l4", l4_name(t->l4, l4));
	json_string(j, "src", addr_text(&t->src, text));
	json_string(j, "dst", addr_text(&t->dst, text));
	if (t->has_ports) {
		json_number(j, "sport", t->sport);
		json_number(j, "dport", t->dport);
	}
	if (t->has_icmp) {
		json_number(j, "icmp_type", t->icmp_type);
		json_number(j, "icmp_code", t->icmp_code);
		json_number(j, "icmp_id", t->icmp_id);
	}
	json_close(j, '}');
}

static void json_flow(struct json *j, const struct cth_pkt *p)
{
	struct cth_flow f;

	if (!p->ct.p || cth_flow_parse(&f, p->ct) < 0)
		return;
	json_open(j, "flow", '{');
	if (f.have & CTH_FLOW_ORIG)
		json_tuple(j, "orig", &f.orig);
	if (f.have & CTH_FLOW_REPLY)
		json_tuple(j, "reply", &f.reply);
	if (f.have & CTH_FLOW_MASTER)
		json_tuple(j, "master", &f.master);
	if (f.have & CTH_FLOW_ID)
		json_number(j, "id", f.id);
	if (f.have & CTH_FLOW_ZONE)
		json_number(j, "zone", f.zone);
	if (f.have & CTH_FLOW_MARK)
		json_number(j, "mark", f.mark);
	if (f.have & CTH_FLOW_HELPER)
		json_string(j, "helper", f.helper);
	if (f.info.p)
		json_number(j, "private_len", f.info.n);
	json_open(j, "status", '[');
	for (size_t i = 0; i < STATUSES; i++)
		if (f.status & statuses[i].bit)
			json_string(j, NULL, statuses[i].name);
	json_close(j, ']');
	json_close(j, '}');
}

static void json_field(struct json *j, const struct cth_pkt *p, uint32_t bit, const char *name,
		       uint32_t value)
{
	if (have(p, bit))
		json_number(j, name, value);
}

void print_packet_json(const struct cth_pkt *p, const char *verdict)
{
	char hw[3 * sizeof(p->hw_addr) + 1];
	struct json j = { .f = stdout };

	json_open(&j, NULL, '{');
	json_number(&j, "queue", p->queue);
	json_number(&j, "id", p->id);
	json_number(&j, "family", p->family);
	json_number(&j, "hw_protocol", p->hw_protocol);
	json_number(&j, "hook", p->hook);
	if (have(p, CTH_PKT_HWADDR))
		json_string(&j, "hw_src_addr", hw_text(p, hw));
	json_field(&j, p, CTH_PKT_MARK, "mark", p->mark);
	json_field(&j, p, CTH_PKT_PRIORITY, "priority", p->priority);
	json_field(&j, p, CTH_PKT_INDEV, "indev", p->indev);
	json_field(&j, p, CTH_PKT_OUTDEV, "outdev", p->outdev);
	json_field(&j, p, CTH_PKT_PHYSINDEV, "physindev", p->physindev);
	json_field(&j, p, CTH_PKT_PHYSOUTDEV, "physoutdev", p->physoutdev);
	json_field(&j, p, CTH_PKT_UID, "uid", p->uid);
	json_field(&j, p, CTH_PKT_GID, "gid", p->gid);
	json_field(&j, p, CTH_PKT_CLASSID, "classid", p->classid);
	json_field(&j, p, CTH_PKT_VLAN_PROTO, "vlan_proto", p->vlan_proto);
	json_field(&j, p, CTH_PKT_VLAN_TCI, "vlan_tci", p->vlan_tci);
	if (p->secctx.n)
		json_bytes(&j, "secctx", p->secctx);
	if (have(p, CTH_PKT_TIMESTAMP)) {
		json_number(&j, "seconds", p->sec);
		json_number(&j, "microseconds", p->usec);
	}
	json_field(&j, p, CTH_PKT_SKB_INFO, "skb_info", p->skb_info);
	json_field(&j, p, CTH_PKT_CAP_LEN, "cap_len", p->cap_len);
	if (p->payload.p)
		json_number(&j, "payload_len", p->payload.n);
	if (have(p, CTH_PKT_CT_INFO))
		json_string(&j, "ctinfo", info_text(p->ct_info));
	json_flow(&j, p);
	if (verdict)
		json_string(&j, "verdict", verdict);
	json_close(&j, '}');
}
