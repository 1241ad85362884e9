/* SPDX-License-Identifier: MIT */
/*
 * messages.c - netlink messages, a line each, with their attributes below. A length that
 * cannot be is told with its place, and the next message is taken if it can be found.
 */
#include <inttypes.h>
#include "../netlink/uapi.h"
#include "decoder.h"

#define MSG_HEADER 16u
#define NFGENMSG   4u
#define ALIGNED(n) (((n) + 3) & ~(size_t)3)
#define ERRNO_MAX  4095 /* the kernel's largest */

static const char flags_of_all[] =
	WORD(0x01, "REQUEST")
	WORD(0x02, "MULTI")
	WORD(0x04, "ACK")
	WORD(0x08, "ECHO")
	WORD(0x10, "DUMP_INTR")
	WORD(0x20, "DUMP_FILTERED");

static const char flags_of_new[] =
	WORD(0x100, "REPLACE")
	WORD(0x200, "EXCL")
	WORD(0x400, "CREATE")
	WORD(0x800, "APPEND");

static const char flags_of_get[] =
	WORD(0x300, "DUMP")
	WORD(0x100, "ROOT")
	WORD(0x200, "MATCH")
	WORD(0x400, "ATOMIC");

static const char flags_of_delete[] =
	WORD(0x100, "NONREC")
	WORD(0x200, "BULK");

static const char flags_of_answer[] =
	WORD(0x100, "CAPPED")
	WORD(0x200, "ACK_TLVS");

static const char *upper_flags(uint16_t type, const struct schema_message *m)
{
	static const char *const by_verb[] = {
		[S_OTHER] = NULL,
		[S_NEW] = flags_of_new,
		[S_GET] = flags_of_get,
		[S_DELETE] = flags_of_delete,
	};

	if (type == NLMSG_ERROR || type == NLMSG_DONE)
		return flags_of_answer;
	return m ? by_verb[m->verb] : NULL;
}

static void flags(struct tree *t, const struct cth_nlmsg *m, const struct schema_message *s)
{
	uint32_t left = m->flags;
	char text[160] = "";

	bit_names(text, sizeof(text), flags_of_all, &left);
	bit_names(text, sizeof(text), upper_flags(m->type, s), &left);
	other_bits(text, sizeof(text), left);
	tree_word(t, "flags", text[0] ? text : "0");
}

static const char *type_name(uint16_t type, const struct schema_message *m)
{
	static const char *const control[] = { NULL, "NLMSG_NOOP", "NLMSG_ERROR", "NLMSG_DONE",
					       "NLMSG_OVERRUN" };
	const struct schema_subsystem *s = schema_subsystem(type);

	if (type < sizeof(control) / sizeof(control[0]) && control[type])
		return control[type];
	if (type < NLMSG_MIN_TYPE)
		return phrase("NLMSG type %u", type);
	if (m)
		return m->name;
	if (s && s->number)
		return phrase("%s message %u", s->name, type & 0xff);
	return phrase("subsystem %u message %u", type >> 8, type & 0xff);
}

static const struct schema_message *find_message(const struct cth_nlmsg *m)
{
	return schema_message(m->type, m->flags & NLM_F_REQUEST);
}

static bool has_nfgenmsg(const struct cth_nlmsg *m)
{
	return m->type >= NLMSG_MIN_TYPE && m->whole.n >= MSG_HEADER + NFGENMSG;
}

/* nlmsghdr, and nfgenmsg if it is there. */
static void headers(struct decoder *d, const struct cth_nlmsg *m)
{
	struct tree *t = &d->tree;
	const char *family = schema_word(schema_families, m->family);

	tree_number_json(t, "type", m->type);
	tree_number(t, "length", cth_host32(m->whole.p));
	flags(t, m, find_message(m));
	tree_number(t, "seq", m->seq);
	tree_number(t, "portid", m->portid);
	if (!has_nfgenmsg(m))
		return;
	tree_number(t, "family", m->family);
	if (family)
		tree_meaning(t, "family", family);
	if (m->whole.p[17])
		tree_number(t, "version", m->whole.p[17]);
	if (m->type >> 8 == NFNL_SUBSYS_QUEUE)
		tree_number(t, "queue", m->res_id);
	else if (m->res_id)
		tree_number(t, "res_id", m->res_id);
}

/* As cth_nlmsg_next() does, but of a message of which only these bytes are there. */
static void take_message(struct cth_nlmsg *m, struct cth_span bytes)
{
	size_t at = MSG_HEADER;

	memset(m, 0, sizeof(*m));
	m->whole = bytes;
	m->type = cth_host16(bytes.p + 4);
	m->flags = cth_host16(bytes.p + 6);
	m->seq = cth_host32(bytes.p + 8);
	m->portid = cth_host32(bytes.p + 12);
	if (has_nfgenmsg(m)) {
		m->family = bytes.p[16];
		m->res_id = cth_be16(bytes.p + 18);
		at += NFGENMSG;
	}
	if (m->type >= NLMSG_MIN_TYPE && !has_nfgenmsg(m))
		at = bytes.n;
	m->attrs = cth_span(bytes.p + at, bytes.n - at);
}

static void error_number(struct decoder *d, const uint8_t *p)
{
	int32_t error = (int32_t)cth_host32(p);

	tree_signed(&d->tree, "error", error);
	if (error < 0 && error >= -ERRNO_MAX)
		tree_meaning(&d->tree, "error", errno_name(error));
}

/* The request that an error answers: how many bytes of it are there. */
static size_t echo(struct decoder *d, struct cth_span rest, bool whole)
{
	const struct schema_message *s;
	size_t n = MSG_HEADER;
	struct cth_nlmsg m;

	if (whole && cth_host32(rest.p) > MSG_HEADER)
		n = cth_host32(rest.p) < rest.n ? cth_host32(rest.p) : rest.n;
	take_message(&m, cth_span(rest.p, n));
	s = find_message(&m);
	tree_begin(&d->tree, "message", "of ", type_name(m.type, s));
	headers(d, &m);
	if (n > MSG_HEADER && m.type >= NLMSG_MIN_TYPE) {
		tree_down(&d->tree, "attrs");
		show_attributes(d, m.attrs, s ? s->attrs : NULL, 0);
		tree_up(&d->tree);
	}
	tree_end(&d->tree);
	return n;
}

static void ext_ack(struct decoder *d, const struct cth_nlmsg *m, size_t at)
{
	at = ALIGNED(at);
	if (m->flags & CTH_NLM_F_ACK_TLVS && at < m->attrs.n)
		show_attributes(d, cth_span(m->attrs.p + at, m->attrs.n - at), schema_ext_ack, 0);
}

/* NLMSG_ERROR: an int, the request's header or all of it, what the kernel has to say. */
static void error_message(struct decoder *d, const struct cth_nlmsg *m)
{
	bool whole = !(m->flags & CTH_NLM_F_CAPPED);
	struct cth_span rest;

	if (m->attrs.n < 4 + MSG_HEADER) {
		tree_bad(&d->tree, offset_of(d, m->attrs),
			 "%zu bytes, too few for an error and the header that it answers",
			 m->attrs.n);
		return;
	}
	error_number(d, m->attrs.p);
	if (cth_host32(m->attrs.p) == 0)
		tree_meaning(&d->tree, "error", "ACK");
	rest = cth_span(m->attrs.p + 4, m->attrs.n - 4);
	tree_down(&d->tree, "attrs");
	ext_ack(d, m, 4 + echo(d, rest, whole && cth_host32(m->attrs.p) != 0));
	tree_up(&d->tree);
}

static void done_message(struct decoder *d, const struct cth_nlmsg *m)
{
	if (m->attrs.n < 4) {
		tree_bad(&d->tree, offset_of(d, m->attrs), "%zu bytes, too few for an error",
			 m->attrs.n);
		return;
	}
	error_number(d, m->attrs.p);
	tree_down(&d->tree, "attrs");
	ext_ack(d, m, 4);
	tree_up(&d->tree);
}

void show_frame_json(struct decoder *d)
{
	struct json *j = &d->tree.j;

	if (d->number) {
		json_number(j, "frame", d->number);
		json_signed(j, "ns", d->ns);
	}
	json_bool(j, "to_kernel", d->to_kernel);
}

static void begin_line(struct decoder *d, const char *name)
{
	tree_begin(&d->tree, "message", d->to_kernel ? "> " : "< ", name);
	if (d->tree.json)
		show_frame_json(d);
}

/* wrong: what is wrong with the message as a whole, or NULL. */
static void message(struct decoder *d, const struct cth_nlmsg *m, const char *wrong)
{
	const struct schema_message *s = find_message(m);
	struct tree *t = &d->tree;

	begin_line(d, type_name(m->type, s));
	headers(d, m);
	if (wrong)
		tree_bad(t, offset_of(d, m->whole), "%s", wrong);
	if (m->type == NLMSG_ERROR) {
		error_message(d, m);
	} else if (m->type == NLMSG_DONE) {
		done_message(d, m);
	} else if (m->type < NLMSG_MIN_TYPE) {
		if (m->attrs.n)
			tree_bytes(t, m->attrs);
	} else {
		tree_down(t, "attrs");
		show_attributes(d, m->attrs, s ? s->attrs : NULL, 0);
		tree_up(t);
	}
	tree_end(t);
}

/* Bytes that are no message. */
static void no_message(struct decoder *d, struct cth_span rest)
{
	begin_line(d, "");
	if (rest.n < MSG_HEADER)
		tree_bad(&d->tree, offset_of(d, rest),
			 "%zu byte%s left over, too few for a message", rest.n,
			 rest.n == 1 ? "" : "s");
	else
		tree_bad(&d->tree, offset_of(d, rest),
			 "a message of type %u says it has %" PRIu32 " bytes, less than its header",
			 cth_host16(rest.p + 4), cth_host32(rest.p));
	tree_end(&d->tree);
}

/* Shows what cth_nlmsg_next() could not take, and finds the next message if that can be. */
static void salvage(struct decoder *d, struct cth_span *left)
{
	struct cth_span rest = *left;
	struct cth_nlmsg m;
	size_t len;

	*left = cth_span(rest.p, 0);
	if (rest.n < MSG_HEADER || cth_host32(rest.p) < MSG_HEADER) {
		no_message(d, rest);
		return;
	}
	len = cth_host32(rest.p);
	if (len > rest.n) {
		take_message(&m, rest);
		message(d, &m, phrase("it says it has %zu bytes, and there are %zu", len, rest.n));
		return;
	}
	take_message(&m, cth_span(rest.p, len));
	message(d, &m, "too short for its nfgenmsg");
	if (ALIGNED(len) < rest.n)
		*left = cth_span(rest.p + ALIGNED(len), rest.n - ALIGNED(len));
}

void show_datagram(struct decoder *d, struct cth_span bytes)
{
	struct cth_span left = bytes;
	struct cth_nlmsg m;

	d->base = bytes.p;
	while (left.n) {
		if (cth_nlmsg_next(&left, &m) > 0)
			message(d, &m, NULL);
		else
			salvage(d, &left);
	}
}

void decode_datagram(FILE *f, struct cth_span bytes, bool to_kernel)
{
	struct decoder d = {
		.tree = { .json = common.json, .j = { .f = f } },
		.to_kernel = to_kernel,
	};

	d.tree.shown = common.json ? SIZE_MAX : DECODE_SHOWN;
	show_datagram(&d, bytes);
}
