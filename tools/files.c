/* SPDX-License-Identifier: MIT */
/*
 * files.c - whole files in memory, pipes too.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cth.h"

static int read_all(int fd, size_t most, uint8_t **bytes, size_t *n)
{
	size_t cap = 65536;
	uint8_t *buf = malloc(cap), *more;
	ssize_t r = 1;

	*n = 0;
	while (buf) {
		r = read(fd, buf + *n, cap - *n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		*n += (size_t)r;
		if (*n > most) {
			free(buf);
			return -EFBIG;
		}
		if (*n < cap)
			continue;
		cap *= 2;
		more = realloc(buf, cap);
		if (!more)
			free(buf);
		buf = more;
	}
	if (!buf)
		return -ENOMEM;
	if (r < 0) {
		int err = errno;

		free(buf);
		return -err;
	}
	*bytes = buf;
	return 0;
}

int read_file(const char *path, size_t most, uint8_t **bytes, size_t *n)
{
	int fd, r;

	if (strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, most, bytes, n);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = read_all(fd, most, bytes, n);
	close(fd);
	return r;
}
