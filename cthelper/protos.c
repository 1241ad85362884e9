/* SPDX-License-Identifier: MIT */
/* protos.c - the list of protocols. Who names the ones he serves is not linked with the others. */
#include "proto.h"

const struct cth_proto *const cth_protos[] = {
	&cth_proto_ftp,
	&cth_proto_tftp,
	NULL,
};

const struct cth_proto *cth_proto_find(const char *name)
{
	for (size_t i = 0; cth_protos[i]; i++)
		if (strcmp(cth_protos[i]->name, name) == 0)
			return cth_protos[i];
	return NULL;
}
