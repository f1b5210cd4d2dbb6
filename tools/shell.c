// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shell.h"

/* The PATH of root lacks some of these folders without a login shell. */
#define SYSTEM_PATH	"/usr/sbin:/usr/bin:/sbin:/bin"

char *shell_path(const char *path)
{
	char *safe = malloc((path ? strlen(path) : 0) + sizeof(SYSTEM_PATH) + 1);
	size_t length, n = 0;

	if (!safe)
		return NULL;
	while (path && *path) {
		length = strcspn(path, ":");
		if (*path == '/') {
			memcpy(safe + n, path, length);
			n += length;
			safe[n++] = ':';
		}
		path += length;
		path += *path == ':';
	}
	memcpy(safe + n, SYSTEM_PATH, sizeof(SYSTEM_PATH));
	return safe;
}

/* Set a safe PATH, and return the old one for restore(). */
static int make_safe(char **was)
{
	const char *path = getenv("PATH");
	char *safe = shell_path(path);
	int ret;

	*was = path ? strdup(path) : NULL;
	if (!safe || (path && !*was)) {
		free(safe);
		free(*was);
		errno = ENOMEM;
		return -1;
	}
	ret = setenv("PATH", safe, 1);
	free(safe);
	if (ret)
		free(*was);
	return ret;
}

static void restore(char *was)
{
	const int error = errno;

	if (!was)
		unsetenv("PATH");
	else if (setenv("PATH", was, 1))
		abort();
	free(was);
	errno = error;
}

FILE *shell_open(const char *command)
{
	FILE *pipe;
	char *was;

	if (make_safe(&was))
		return NULL;
	pipe = popen(command, "re");
	restore(was);
	return pipe;
}

int shell_close(FILE *pipe)
{
	return pclose(pipe);
}

int shell_run(const char *command)
{
	char *was;
	int ret;

	if (make_safe(&was))
		return -1;
	ret = system(command);
	restore(was);
	return ret;
}
