/* SPDX-License-Identifier: MIT */
/* protos.c - the list of protocols. Who names the ones he serves is not linked with the others. */
#include "proto.h"

const struct cth_proto *const cth_protos[] = {
	&cth_proto_amanda,
	&cth_proto_dhcpv6,
	&cth_proto_ftp,
	&cth_proto_mdns,
	&cth_proto_rpc,
	&cth_proto_sane,
	&cth_proto_slp,
	&cth_proto_ssdp,
	&cth_proto_tftp,
	&cth_proto_tns,
	NULL,
};

const struct cth_proto *cth_proto_find(const char *name)
{
	for (size_t i = 0; cth_protos[i]; i++)
		if (strcmp(cth_protos[i]->name, name) == 0)
			return cth_protos[i];
	return NULL;
}
