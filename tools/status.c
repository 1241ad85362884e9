/* SPDX-License-Identifier: MIT */
/*
 * status.c - `cth status`: asks runs of `cth run` how they are. They answer in Prometheus' text
 * format, which is passed on, or made into a table or JSON.
 */
#include <errno.h>
#include "status_read.h"

#define TIMEOUT_MS 5000 /* a keeper that waits for a worker takes as long */

enum { OPT_PROMETHEUS = OPT_APPLET };

static const struct applet_option long_options[] = {
	{ "prometheus", no_argument, OPT_PROMETHEUS },
	{ NULL, 0, 0 },
};

int status_nobody(int err, const char *folder)
{
	if (err < 0 && err != -ENOENT)
		return fail(err, phrase("look into %s", folder), NULL,
			    err == -EACCES ? "run it as root" : NULL);
	warn("nobody runs that could be asked: there is no live socket in %s; start `cth run`, or "
	     "name the socket that --status gave it", folder);
	return CTH_EXIT_FAILURE;
}

static int show(const struct status *runs, size_t n, bool prometheus)
{
	int status = CTH_EXIT_OK;

	for (size_t i = 0; i < n; i++)
		if (runs[i].error) {
			int failed = status_failed(&runs[i]);

			status = status ? status : failed;
		}
	if (prometheus)
		status_prometheus(stdout, runs, n);
	else if (common.json)
		status_json(stdout, runs, n);
	else
		status_print(stdout, runs, n);
	return status;
}

static int status_main(const struct applet *self, int argc, char **argv)
{
	static struct status runs[STATUS_RUNS];
	bool prometheus = false;
	const char *of;
	int c, n, r;

	while ((c = next_option(argc, argv, long_options)) != -1) {
		if (c == OPT_PROMETHEUS) {
			prometheus = true;
			continue;
		}
		r = common_option(self, c);
		if (r != -1)
			return r;
	}
	if (prometheus && common.json)
		return usage_error(self, "--prometheus and --json exclude each other");
	n = status_ask_all(argv + optind, argc - optind, TIMEOUT_MS, runs, &of);
	if (n <= 0)
		return status_nobody(n, of);
	r = show(runs, (size_t)n, prometheus);
	for (int i = 0; i < n; i++)
		status_free(&runs[i]);
	return r;
}

const struct applet status_applet = {
	.name = "status",
	.usage = "[--prometheus] [SOCKET|FOLDER]...",
	.help =
	"Shows what runs of `cth run` have done so far.\n"
	"\n"
	"      --prometheus  as metrics, as they come from the socket\n"
	"\n"
	"Without a socket it asks all in " STATUS_FOLDER ". Needs root, as the sockets do. A socket gives\n"
	"whoever connects the metrics in Prometheus' text format and closes, so any program can ask:\n"
	"nc -U " STATUS_FOLDER "/ftp.sock. mean and 99% are how long packets waited for their decision.\n"
	"\n"
	"  cth status\n"
	"  cth status --prometheus " STATUS_FOLDER "/ftp.sock\n",
	.main = status_main,
};
