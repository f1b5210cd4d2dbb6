// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "harness.h"
#include "tracing.h"

void tracing_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	ssize_t ret;

	CHECK_CALL(fd);
	do {
		CHECK_CMP(done, <, size - 1);
		ret = read(fd, text + done, size - 1 - done);
		CHECK_CALL(ret);
		done += ret;
	} while (ret);
	text[done] = '\0';
	close(fd);
}

void tracing_need(void)
{
	if (access(TRACING "/events", F_OK) &&
	    mount("tracefs", TRACING, "tracefs", 0, NULL))
		SKIP("no tracefs: %s", strerror(errno));
	if (access(TRACING "/trace", F_OK))
		SKIP("no tracefs in " TRACING);
}

static void forget(void)
{
	int fd = open(TRACING "/trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	CHECK_CALL(fd);
	close(fd);
}

void tracing_listen(void)
{
	tracing_need();
	/*
	 * To record the names of tasks, the kernel would patch its scheduler.  During that, QEMU
	 * without hardware virtualisation can execute a breakpoint that no longer exists.
	 */
	CHECK(!test_write_text(TRACING "/options/record-cmd", "0"));
	CHECK(!test_write_text(TRACING "/buffer_size_kb", "4096"));
	forget();
	CHECK(!test_write_text(EVENTS "/enable", "1"));
}

char *tracing_heard(void)
{
	const size_t size = 8 << 20;
	char *text = malloc(size);

	CHECK(!test_write_text(EVENTS "/enable", "0"));
	CHECK(text);
	tracing_read(TRACING "/trace", text, size);
	forget();
	return text;
}
