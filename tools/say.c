/* SPDX-License-Identifier: MIT */
/*
 * say.c - what people read and type: errors with a cause and a remedy, the names of
 * errnos, protocols and families, numbers.
 *
 *     cth helper add: register ftp (inet tcp): EBUSY: the cause; what to do
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cth.h"
#include "log.h"
#include "proc.h"

#define ENOTSUPP_KERNEL 524 /* the kernel's own ENOTSUPP, which libc has no name for */

const char *said_by = "cth";

/* Of two names for one number the first one here is told. */
#define E(name) { name, #name }
static const struct {
	int16_t number;
	char name[16];
} errnos[] = {
	E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG), E(ENOEXEC), E(EBADF),
	E(ECHILD), E(EAGAIN), E(ENOMEM), E(EACCES), E(EFAULT), E(ENOTBLK), E(EBUSY), E(EEXIST),
	E(EXDEV), E(ENODEV), E(ENOTDIR), E(EISDIR), E(EINVAL), E(ENFILE), E(EMFILE), E(ENOTTY),
	E(ETXTBSY), E(EFBIG), E(ENOSPC), E(ESPIPE), E(EROFS), E(EMLINK), E(EPIPE), E(EDOM),
	E(ERANGE), E(EDEADLK), E(ENAMETOOLONG), E(ENOLCK), E(ENOSYS), E(ENOTEMPTY), E(ELOOP),
	E(ENOMSG), E(EIDRM), E(ECHRNG), E(EL2NSYNC), E(EL3HLT), E(EL3RST), E(ELNRNG), E(EUNATCH),
	E(ENOCSI), E(EL2HLT), E(EBADE), E(EBADR), E(EXFULL), E(ENOANO), E(EBADRQC), E(EBADSLT),
	E(EBFONT), E(ENOSTR), E(ENODATA), E(ETIME), E(ENOSR), E(ENONET), E(ENOPKG), E(EREMOTE),
	E(ENOLINK), E(EADV), E(ESRMNT), E(ECOMM), E(EPROTO), E(EMULTIHOP), E(EDOTDOT), E(EBADMSG),
	E(EOVERFLOW), E(ENOTUNIQ), E(EBADFD), E(EREMCHG), E(ELIBACC), E(ELIBBAD), E(ELIBSCN),
	E(ELIBMAX), E(ELIBEXEC), E(EILSEQ), E(ERESTART), E(ESTRPIPE), E(EUSERS), E(ENOTSOCK),
	E(EDESTADDRREQ), E(EMSGSIZE), E(EPROTOTYPE), E(ENOPROTOOPT), E(EPROTONOSUPPORT),
	E(ESOCKTNOSUPPORT), E(EOPNOTSUPP), E(EPFNOSUPPORT), E(EAFNOSUPPORT), E(EADDRINUSE),
	E(EADDRNOTAVAIL), E(ENETDOWN), E(ENETUNREACH), E(ENETRESET), E(ECONNABORTED),
	E(ECONNRESET), E(ENOBUFS), E(EISCONN), E(ENOTCONN), E(ESHUTDOWN), E(ETOOMANYREFS),
	E(ETIMEDOUT), E(ECONNREFUSED), E(EHOSTDOWN), E(EHOSTUNREACH), E(EALREADY),
	E(EINPROGRESS), E(ESTALE), E(EUCLEAN), E(ENOTNAM), E(ENAVAIL), E(EISNAM), E(EREMOTEIO),
	E(EDQUOT), E(ENOMEDIUM), E(EMEDIUMTYPE), E(ECANCELED), E(ENOKEY), E(EKEYEXPIRED),
	E(EKEYREVOKED), E(EKEYREJECTED), E(EOWNERDEAD), E(ENOTRECOVERABLE), E(ERFKILL),
	E(EHWPOISON), E(EWOULDBLOCK), E(EDEADLOCK), E(ENOTSUP),
	{ ENOTSUPP_KERNEL, "ENOTSUPP" },
};
#undef E

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

const char *errno_name(int err)
{
	if (err < 0)
		err = -err;
	for (size_t i = 0; i < N_OF(errnos); i++)
		if (errnos[i].number == err)
			return errnos[i].name;
	return phrase("errno %d", err);
}

int exit_code(int err)
{
	switch (err < 0 ? -err : err) {
	case 0:
		return CTH_EXIT_OK;
	case EPERM:
	case EACCES:
		return CTH_EXIT_PERMISSION;
	case EBUSY:
	case EADDRINUSE:
		return CTH_EXIT_BUSY;
	case EPROTONOSUPPORT:
	case EOPNOTSUPP:
	case EAFNOSUPPORT:
	case ENOTSUPP_KERNEL:
		return CTH_EXIT_UNSUPPORTED;
	default:
		return CTH_EXIT_FAILURE;
	}
}

int output_error(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	if (errno)
		return errno;
	return poll(&out, 1, 0) > 0 && out.revents & POLLERR ? EPIPE : EIO;
}

const char *phrase(const char *format, ...)
{
	static char room[16][512];
	static unsigned next;
	char *buf = room[next++ % N_OF(room)];
	va_list args;

	va_start(args, format);
	vsnprintf(buf, sizeof(room[0]), format, args);
	va_end(args);
	return buf;
}

/* What is said at once, in one piece: two processes may share where it goes. */
struct sentence {
	char text[2048];
	size_t n;
};

static void add_args(struct sentence *s, const char *format, va_list args)
{
	int n = vsnprintf(s->text + s->n, sizeof(s->text) - s->n, format, args);

	if (n > 0)
		s->n += (size_t)n;
	if (s->n >= sizeof(s->text))
		s->n = sizeof(s->text) - 1;
}

__attribute__((format(printf, 2, 3)))
static void add(struct sentence *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_args(s, format, args);
	va_end(args);
}

static void say(enum log_kind kind, const struct sentence *s)
{
	fflush(stdout); /* so that both streams on one terminal come in order */
	log_say(kind, said_by, s->text);
}

int fail_nack(int err, const struct cth_nack *nack, const char *tried, const char *cause,
	      const char *remedy)
{
	int number = err < 0 ? -err : err;
	struct sentence s = { .n = 0 };

	add(&s, "%s: %s: %s", tried, errno_name(number),
	    cause ? cause : number == ENOTSUPP_KERNEL ? "not supported" : strerror(number));
	if (nack && nack->text[0])
		add(&s, " (the kernel says: %s)", nack->text);
	if (nack && nack->missing)
		add(&s, " (attribute %u is missing)", nack->missing);
	if (remedy)
		add(&s, "; %s", remedy);
	say(LOG_KIND_ERROR, &s);
	return exit_code(number);
}

int fail(int err, const char *tried, const char *cause, const char *remedy)
{
	return fail_nack(err, NULL, tried, cause, remedy);
}

int usage_error(const struct applet *self, const char *format, ...)
{
	struct sentence s = { .n = 0 };
	va_list args;

	va_start(args, format);
	add_args(&s, format, args);
	va_end(args);
	add(&s, "\nusage: %s %s", said_by, self->usage);
	say(LOG_KIND_ERROR, &s);
	return CTH_EXIT_USAGE;
}

void warn(const char *format, ...)
{
	struct sentence s = { .n = 0 };
	va_list args;

	va_start(args, format);
	add_args(&s, format, args);
	va_end(args);
	say(LOG_KIND_WARNING, &s);
}

void note(const char *format, ...)
{
	struct sentence s = { .n = 0 };
	va_list args;

	va_start(args, format);
	add_args(&s, format, args);
	va_end(args);
	say(LOG_KIND_NOTICE, &s);
}

const char *permission_cause(bool first)
{
	if (first && proc_net_admin() && !proc_first_user_namespace())
		return "this needs CAP_NET_ADMIN in the first user namespace, and root of a container "
		       "or of a user namespace has it only in its own";
	if (!proc_net_admin())
		return first ? "this needs CAP_NET_ADMIN in the first user namespace"
			     : "this needs CAP_NET_ADMIN";
	return "refused although CAP_NET_ADMIN is there: a security module or a filter of "
	       "system calls may be in the way";
}

const char *permission_remedy(bool first)
{
	if (first && !proc_first_user_namespace())
		return "run it on the host, as root";
	if (!proc_net_admin())
		return "run it as root, or give it the capability: setcap cap_net_admin+ep";
	return "look at the log of the kernel or of the container's manager";
}

bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	unsigned long long v;

	/* strtoull would take blanks, signs and, with base 0, octal numbers. */
	if (!digits[0] || digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")])
		return false;
	errno = 0;
	v = strtoull(digits, NULL, hex ? 16 : 10);
	if (errno || v < min || v > max)
		return false;
	*value = v;
	return true;
}

/* The first name of a number is the one that is shown. */
struct protocol_name {
	const char *name;
	uint16_t number;
};

static const struct protocol_name l3_names[] = {
	{ "inet", AF_INET }, { "inet6", AF_INET6 },
	{ "ipv4", AF_INET }, { "ipv6", AF_INET6 },
	{ "ip", AF_INET }, { "ip6", AF_INET6 },
	{ NULL, 0 },
};

static const struct protocol_name l4_names[] = {
	{ "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "sctp", IPPROTO_SCTP },
	{ "dccp", IPPROTO_DCCP }, { "udplite", IPPROTO_UDPLITE }, { "icmp", IPPROTO_ICMP },
	{ "icmpv6", IPPROTO_ICMPV6 }, { "gre", IPPROTO_GRE },
	{ NULL, 0 },
};

static bool find_number(const struct protocol_name *names, const char *text, uint64_t *number)
{
	for (; names->name; names++) {
		if (strcmp(names->name, text) == 0) {
			*number = names->number;
			return true;
		}
	}
	return false;
}

static const char *find_name(const struct protocol_name *names, unsigned number, char buf[12])
{
	for (; names->name; names++)
		if (names->number == number)
			return names->name;
	snprintf(buf, 12, "%u", number);
	return buf;
}

bool parse_l3(const char *text, uint16_t *l3)
{
	uint64_t v;

	if (!find_number(l3_names, text, &v) &&
	    !(parse_number(text, 0, UINT16_MAX, &v) && (v == AF_INET || v == AF_INET6)))
		return false;
	*l3 = (uint16_t)v;
	return true;
}

bool parse_l4(const char *text, uint8_t *l4)
{
	uint64_t v;

	if (!find_number(l4_names, text, &v) && !parse_number(text, 0, UINT8_MAX, &v))
		return false;
	*l4 = (uint8_t)v;
	return true;
}

const char *l3_name(uint16_t l3, char buf[12])
{
	return find_name(l3_names, l3, buf);
}

const char *l4_name(uint8_t l4, char buf[12])
{
	return find_name(l4_names, l4, buf);
}
