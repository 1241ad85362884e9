/* SPDX-License-Identifier: MIT */
/*
 * status_ask.c - asks status sockets: see status_read.h.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "listen.h"
#include "status_read.h"

#define AGAIN_MS 20 /* after a queue of clients that was full */

/* The socket. */

static int time_left(int64_t end)
{
	int64_t now = listener_now();

	return now < end ? (int)(end - now) : 0;
}

static int connect_to(int fd, const char *path, int64_t end)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	while (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (time_left(end) == 0 || interrupted)
			return -ETIMEDOUT;
		poll(NULL, 0, AGAIN_MS);
	}
	return 0;
}

/* One piece: how many bytes, 0 at the end. */
static ssize_t receive(int fd, char *room, size_t size, int64_t end)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	ssize_t n;

	for (;;) {
		n = recv(fd, room, size, MSG_DONTWAIT);
		if (n >= 0)
			return n;
		if (errno == ECONNRESET)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (time_left(end) == 0 || interrupted)
			return -ETIMEDOUT;
		(void)poll(&wait, 1, time_left(end));
	}
}

static int receive_all(int fd, char *text, size_t *n, int64_t end)
{
	ssize_t got;

	do {
		got = receive(fd, text + *n, STATUS_LENGTH - *n, end);
		if (got < 0)
			return (int)got;
		*n += (size_t)got;
		if (*n == STATUS_LENGTH)
			return -EFBIG;
	} while (got > 0);
	return 0;
}

static int ask_over(int fd, int timeout_ms, struct status *s)
{
	char *text = malloc(STATUS_LENGTH);
	int64_t end = listener_now() + timeout_ms;
	size_t n = 0;
	int err;

	if (!text)
		return -ENOMEM;
	err = connect_to(fd, s->path, end);
	if (err == 0)
		err = receive_all(fd, text, &n, end);
	s->at = listener_now();
	if (err == 0)
		return status_take(s, text, n);
	free(text);
	return err;
}

int status_ask(const char *path, int timeout_ms, struct status *s)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memset(s, 0, sizeof(*s));
	s->error = fd < 0 ? -errno : -ENOMEM;
	s->path = strdup(path);
	if (fd < 0 || !s->path)
		return s->error;
	s->error = ask_over(fd, timeout_ms, s);
	close(fd);
	return s->error;
}

static bool is_socket(const char *path)
{
	struct stat file;

	return stat(path, &file) == 0 && S_ISSOCK(file.st_mode);
}

const char *status_why(const struct status *s, const char **remedy)
{
	*remedy = NULL;
	switch (-s->error) {
	case ENOENT:
		*remedy = "without a path `cth status` asks every run in " STATUS_FOLDER;
		return "there is no such socket";
	case ECONNREFUSED:
		*remedy = is_socket(s->path) ? "start that one again" : NULL;
		return is_socket(s->path) ? "its run is dead and has left it behind"
					  : "that is no socket";
	case EACCES:
		*remedy = "run it as root";
		return "root alone may ask";
	case EPROTOTYPE:
		return "that is a socket of another kind";
	case ENAMETOOLONG:
		return "a socket's path has at most 107 bytes";
	case ETIMEDOUT:
		*remedy = "see whether its keeper is stopped, or waits for a worker";
		return "it does not answer";
	case ENODATA:
		*remedy = geteuid() ? "run it as root" : NULL;
		return "nothing came: a run answers root alone";
	case EMSGSIZE:
		*remedy = "raise net.core.wmem_max";
		return "the answer was cut";
	case EFBIG:
		return "the answer does not end: it is not a run's";
	case EBADMSG:
		return phrase("line %u of the answer is not a run's", s->line);
	}
	return strerror(-s->error);
}

int status_failed(const struct status *s)
{
	const char *remedy, *why = status_why(s, &remedy);
	int code = fail(s->error, phrase("ask %s", s->path), why, remedy);

	return s->error == -ENODATA && geteuid() ? CTH_EXIT_PERMISSION : code;
}

/* Which sockets. */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The sockets in a folder, sorted: how many, or -errno. */
static int sockets_in(const char *folder, char *paths[STATUS_RUNS])
{
	DIR *d = opendir(folder);
	const struct dirent *e;
	size_t n = 0;

	if (!d)
		return -errno;
	while (n < STATUS_RUNS && (e = readdir(d))) {
		char path[1024];

		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (!is_socket(path))
			continue;
		paths[n] = strdup(path);
		n += paths[n] != NULL;
	}
	closedir(d);
	if (n)
		qsort(paths, n, sizeof(*paths), by_name);
	return (int)n;
}

/* One that is left over, or that goes at this moment, is none of those that run. */
static int ask_folder(const char *folder, int timeout_ms, struct status runs[STATUS_RUNS], size_t *n)
{
	char *paths[STATUS_RUNS];
	int found = sockets_in(folder, paths);

	for (int i = 0; i < found; i++) {
		if (*n < STATUS_RUNS) {
			int err = status_ask(paths[i], timeout_ms, &runs[*n]);

			if (err == -ECONNREFUSED || err == -ENOENT)
				status_free(&runs[*n]);
			else
				++*n;
		}
		free(paths[i]);
	}
	return found < 0 ? found : 0;
}

static bool is_folder(const char *path)
{
	struct stat file;

	return stat(path, &file) == 0 && S_ISDIR(file.st_mode);
}

int status_ask_all(char **words, int words_n, int timeout_ms, struct status runs[STATUS_RUNS],
		   const char **of)
{
	size_t n = 0;
	int err = 0;

	*of = STATUS_FOLDER;
	if (words_n == 0)
		err = ask_folder(*of, timeout_ms, runs, &n);
	for (int i = 0; i < words_n && err == 0; i++) {
		*of = words[i];
		if (is_folder(words[i]))
			err = ask_folder(words[i], timeout_ms, runs, &n);
		else if (n < STATUS_RUNS)
			(void)status_ask(words[i], timeout_ms, &runs[n++]);
	}
	return err < 0 ? err : (int)n;
}
