/* SPDX-License-Identifier: MIT */
/*
 * lacking.c - is there NAT in this kernel? ctnetlink_parse_nat_setup() of
 * net/netfilter/nf_conntrack_netlink.c tells: with a connection to be made that is translated,
 *
 *     IPCTNL_MSG_CT_NEW   CREATE EXCL, a tuple and its reply, a timeout, and
 *         CTA_NAT_SRC     CTA_NAT_V6_MINIP, two bytes long instead of sixteen
 *
 * it gives the nest to nf_nat, which refuses it (ERANGE); or there is no nf_nat, nor can it be
 * loaded: EOPNOTSUPP. Either way the connection, between addresses for documentation, is not
 * made. (An address of IPv4 that is too short would be logged by the kernel. And Linux 3.6,
 * which has none for IPv6, makes the connection: it is gone after a second.)
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "../cthelper/flow.h"
#include "../netlink/msg.h"
#include "../netlink/uapi.h"
#include "cth.h"
#include "lacking.h"
#include "proc.h"

#define TIMEOUT_S 1

static const struct cth_tuple documentation = {
	.src = { AF_INET, { 192, 0, 2, 1 } }, .dst = { AF_INET, { 198, 51, 100, 1 } },
	.l4 = IPPROTO_UDP, .has_ports = true, .sport = 9, .dport = 9,
};

static void put_tuple(struct cth_msg *m, uint16_t type, bool reply)
{
	struct cth_tuple t = documentation;
	size_t nest = cth_msg_nest(m, type);

	if (reply) {
		t.src = documentation.dst;
		t.dst = documentation.src;
	}
	cth_tuple_put(m, &t);
	cth_msg_nest_end(m, nest);
}

int lacking_ask_nat(struct cth_sock *s)
{
	static const uint8_t cut[2] = { 0x20, 0x01 };
	struct cth_nack nack = { 0 };
	uint8_t buf[256];
	struct cth_msg m;
	size_t nest;
	int r;

	cth_msg_init(&m, buf, sizeof(buf));
	cth_msg_begin(&m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW,
		      NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, cth_sock_seq(s),
		      AF_INET, 0);
	put_tuple(&m, CTA_TUPLE_ORIG, false);
	put_tuple(&m, CTA_TUPLE_REPLY, true);
	cth_msg_put_be32(&m, CTA_TIMEOUT, TIMEOUT_S);
	nest = cth_msg_nest(&m, CTA_NAT_SRC);
	cth_msg_put(&m, CTA_NAT_V6_MINIP, cut, sizeof(cut));
	cth_msg_nest_end(&m, nest);
	r = cth_msg_end(&m);
	if (r == 0)
		r = cth_sock_request(s, cth_msg_bytes(&m), NULL, NULL, &nack);
	if (r == 0 || (r == -ERANGE && nack.error))
		return 1;
	return r == -EOPNOTSUPP && nack.error ? 0 : r;
}

/* A file of the release's modules: where modules.dep has it, or (OpenWrt) beside that. */
static bool is_loadable(const char *name)
{
	struct utsname system;
	char *line = NULL;
	size_t room = 0;
	bool found = false;
	FILE *f;

	if (uname(&system) < 0)
		return false;
	if (access(phrase("/lib/modules/%s/%s.ko", system.release, name), F_OK) == 0)
		return true;
	f = fopen(phrase("/lib/modules/%s/modules.dep", system.release), "re");
	while (f && !found && getline(&line, &room, f) > 0) {
		line[strcspn(line, ":")] = '\0'; /* then come those that it needs */
		found = proc_is_module_file(line, name) &&
			access(phrase("/lib/modules/%s/%s", system.release, line), F_OK) == 0;
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

enum lacking_nat lacking_nat(struct cth_sock *s)
{
	int r;

	if (proc_module("nf_nat") != PROC_MODULE_UNKNOWN)
		return NAT_THERE;
	if (is_loadable("nf_nat"))
		return NAT_LOADABLE;
	r = common.dry_run ? -EAGAIN : lacking_ask_nat(s);
	if (r < 0)
		return proc_symbol("nf_nat_setup_info") ? NAT_THERE : NAT_UNKNOWN;
	return r ? NAT_THERE : NAT_LACKING;
}

const char lacking_nat_means[] = "this kernel has no NAT (CONFIG_NF_NAT): connections are followed as "
				 "they are, but none can be translated";
const char lacking_nat_remedy[] = "if this machine is to translate: Debian: install a linux-image-* "
				  "package, OpenWrt: kmod-nf-nat";

void lacking_warn(struct cth_sock *s)
{
	if (lacking_nat(s) == NAT_LACKING)
		warn("%s; %s", lacking_nat_means, lacking_nat_remedy);
}
