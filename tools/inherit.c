// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#include "inherit.h"

static struct sigaction children;
static struct rlimit files;
static bool has_limit;

/* Fill a closed descriptor.  Reads end at once and writes fail, as on a closed one. */
static void fill(int fd, int mode)
{
	int filled;

	if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
		return;
	filled = open("/dev/null", mode | O_CLOEXEC);
	/* open() returns the lowest free number.  The numbers below @fd are open already. */
	if (filled > fd)
		close(filled);
}

void inherit_adjust(void)
{
	const struct sigaction ordinary = { .sa_handler = SIG_DFL };
	struct rlimit most;

	fill(STDIN_FILENO, O_WRONLY);
	fill(STDOUT_FILENO, O_RDONLY);
	fill(STDERR_FILENO, O_RDONLY);
	/* If SIGCHLD is ignored, the kernel discards the status of children. */
	sigaction(SIGCHLD, &ordinary, &children);
	has_limit = !getrlimit(RLIMIT_NOFILE, &files);
	if (has_limit && files.rlim_cur < files.rlim_max) {
		most = files;
		most.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &most);
	}
}

void inherit_restore(void)
{
	sigaction(SIGCHLD, &children, NULL);
	if (has_limit)
		setrlimit(RLIMIT_NOFILE, &files);
}
