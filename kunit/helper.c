// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The helper process of devpub_kunit.ko: makes the system calls that tests request, so that
 * tests have processes that map memory and fork.  A forked child serves requests as well.
 * Link it statically.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "helper.h"

int main(void)
{
	struct devpub_helper_call call = { 0 };
	int fd = open("/dev/" DEVPUB_HELPER_NAME, O_RDWR);

	if (fd < 0)
		return 1;
	while (!ioctl(fd, DEVPUB_HELPER_NEXT, &call)) {
		call.result = syscall(call.nr, call.args[0], call.args[1],
				      call.args[2], call.args[3],
				      call.args[4], call.args[5]);
		if (call.result == -1)
			call.result = -errno;
	}
	return 0;
}
