/* SPDX-License-Identifier: MIT */
/*
 * status_serve.c - the socket at which a run tells how it is: see status.h.
 *
 * A client costs the keeper one accept, one look at whose it is, one send and one close, whatever
 * it does or does not: the snapshot is shorter than the send buffer that the kernel is asked
 * for, and stays in the kernel for who reads slowly. Should it not fit, it lacks its last line.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "cth.h"
#include "status.h"

#define BACKLOG   16   /* clients that wait */
#define AT_ONCE   4    /* that are answered before packets are looked at again */
#define REST_MS   1000 /* after a failure to accept one, or waiting would go round */
#define TRIES     15   /* for a predecessor that is about to leave */
#define TRIES_MS  100

/* The file. */

/* NAME@NETNS, of which a path may be part. */
static void usual_path(struct status_socket *s, const char *name, const char *netns)
{
	size_t at;

	snprintf(s->at, sizeof(s->at), STATUS_FOLDER "/%s%s", name, netns ? "@" : "");
	at = strlen(s->at);
	while (netns && *netns == '/')
		netns++;
	snprintf(s->at + at, sizeof(s->at) - at, "%.64s.sock", netns ? netns : "");
	for (; s->at[at]; at++)
		if (s->at[at] == '/')
			s->at[at] = '-';
}

static void address_of(const struct status_socket *s, struct sockaddr_un *address)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, s->at, sizeof(address->sun_path));
}

static int stream_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Of the file that is in our way: 1, 0: it is left over, or -errno: it is no socket of ours. */
static int somebody_listens(const struct status_socket *s)
{
	struct sockaddr_un address;
	struct stat file;
	int fd, err;

	if (lstat(s->at, &file) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(file.st_mode))
		return -EEXIST;
	fd = stream_socket();
	if (fd < 0)
		return -errno;
	address_of(s, &address);
	err = connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
	close(fd);
	return err != ECONNREFUSED && err != ENOENT;
}

/* For root alone, from the first moment. */
static int bind_for_root(const struct status_socket *s)
{
	struct sockaddr_un address;
	mode_t usual = umask(0177);
	int err;

	address_of(s, &address);
	err = bind(s->fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(usual);
	return err;
}

static int make_file(struct status_socket *s)
{
	for (int i = 0; i < TRIES; i++) {
		int r = bind_for_root(s);

		if (r != -EADDRINUSE)
			return r;
		r = somebody_listens(s);
		if (r < 0)
			return r;
		if (r == 0 && unlink(s->at) < 0 && errno != ENOENT)
			return -errno;
		if (r > 0)
			poll(NULL, 0, TRIES_MS);
	}
	return -EADDRINUSE;
}

static int listen_there(struct status_socket *s)
{
	struct stat file;
	int err;

	s->fd = stream_socket();
	if (s->fd < 0)
		return -errno;
	err = make_file(s);
	if (err == 0 && (listen(s->fd, BACKLOG) < 0 || lstat(s->at, &file) < 0)) {
		err = -errno;
		unlink(s->at);
	}
	if (err < 0) {
		close(s->fd);
		return err;
	}
	s->open = true;
	s->device = file.st_dev;
	s->node = file.st_ino;
	s->made = file.st_mtim;
	return 0;
}

static const char *open_cause(int err)
{
	switch (-err) {
	case EADDRINUSE:
		return "another run answers there";
	case EEXIST:
		return "there is something that is no socket";
	case ENOENT:
		return "there is no such folder";
	case ENAMETOOLONG:
		return "a socket's path has at most 107 bytes";
	case EACCES:
	case EPERM:
		return "the folder is not ours to write";
	}
	return NULL;
}

static const char *open_remedy(int err)
{
	return err == -EADDRINUSE ? "end that one, or name another path, or off: --status"
				  : "name another path, or off: --status";
}

/* Where nobody has asked for it, its absence ends nothing. */
static int cannot_open(const struct status_socket *s, int err)
{
	const char *tried = phrase("make the status socket %s", s->path ? s->path : s->at);

	if ((s->path && !s->usual) || err == -EADDRINUSE)
		return fail(err, tried, open_cause(err), open_remedy(err));
	fail(err, tried, open_cause(err), "the service goes on without");
	return CTH_EXIT_OK;
}

int status_open(struct status_socket *s, const char *name, const char *netns)
{
	int err = 0;

	if (s->off)
		return CTH_EXIT_OK;
	s->started = (int64_t)time(NULL);
	if (!s->path)
		usual_path(s, name, netns);
	else if (strlen(s->path) < sizeof(s->at))
		snprintf(s->at, sizeof(s->at), "%s", s->path);
	else
		err = -ENAMETOOLONG;
	if (strncmp(s->at, STATUS_FOLDER "/", sizeof(STATUS_FOLDER)) == 0)
		(void)mkdir(STATUS_FOLDER, 0755);
	if (err == 0)
		err = listen_there(s);
	return err < 0 ? cannot_open(s, err) : CTH_EXIT_OK;
}

static bool is_still_ours(const struct status_socket *s)
{
	struct stat file;

	return lstat(s->at, &file) == 0 && file.st_dev == s->device && file.st_ino == s->node &&
	       file.st_mtim.tv_sec == s->made.tv_sec && file.st_mtim.tv_nsec == s->made.tv_nsec;
}

void status_close(struct status_socket *s)
{
	if (!s->open)
		return;
	s->open = false;
	close(s->fd);
	if (is_still_ours(s))
		unlink(s->at);
}

int status_fd(const struct status_socket *s)
{
	return s->open ? s->fd : -1;
}

/* The clients. */

int status_wait(struct status_socket *s)
{
	if (s->rests && listener_now() < s->rests)
		return -1;
	s->rests = 0;
	return status_fd(s);
}

/* The file's mode says the same, but modes are changed. */
static bool is_root(int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && n == sizeof(peer) &&
	       peer.uid == 0;
}

/* The kernel doubles what it is asked for, for what it needs itself. */
static void make_room(int fd)
{
	int bytes = STATUS_ROOM;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static void answer(struct status_socket *s, int fd, const char *text, size_t n)
{
	ssize_t sent;

	make_room(fd);
	s->answers++;
	sent = send(fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent >= 0 && (size_t)sent < n)
		s->cut++;
}

void status_serve(struct status_socket *s, void (*look)(struct status_look *l, void *ctx), void *ctx)
{
	static char room[STATUS_ROOM];
	static struct status_look l;
	bool whole;
	size_t n = 0;

	for (int i = 0; i < AT_ONCE && s->open; i++) {
		int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && errno != EAGAIN && errno != EINTR)
			s->rests = listener_now() + REST_MS;
		if (fd < 0)
			return;
		if (!is_root(fd)) {
			s->strangers++;
			close(fd);
			continue;
		}
		if (n == 0) {
			memset(&l, 0, sizeof(l));
			look(&l, ctx);
			n = status_snapshot(s, &l, room, sizeof(room), &whole);
		}
		answer(s, fd, room, n);
		close(fd);
	}
}
