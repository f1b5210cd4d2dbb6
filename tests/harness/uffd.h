/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Memory with a userfaultfd. */
#ifndef DEVPUB_TESTS_UFFD_H
#define DEVPUB_TESTS_UFFD_H

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"

/* Headers before 6.4 and 6.7 lack these features. */
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED	(1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC		(1 << 15)
#endif

/* Headers before 6.8 have no UFFDIO_MOVE. */
#ifndef UFFDIO_MOVE
#define UFFD_FEATURE_MOVE	(1 << 16)

struct uffdio_move {
	uint64_t dst;
	uint64_t src;
	uint64_t len;
	uint64_t mode;
	int64_t move;
};

#define UFFDIO_MOVE		_IOWR(UFFDIO, 0x05, struct uffdio_move)
#endif

/* Open a non-blocking userfaultfd, or return -1 and set errno. */
static inline int uffd_try_open(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (uffd >= 0 && ioctl(uffd, UFFDIO_API, &api)) {
		close(uffd);
		return -1;
	}
	return uffd;
}

/* Return as ioctl(). */
static inline int uffd_try_register(int uffd, void *addr, size_t pages,
				    uint64_t mode)
{
	struct uffdio_register reg = {
		.range = { .start = address(addr), .len = pages * PAGE },
		.mode = mode,
	};

	return ioctl(uffd, UFFDIO_REGISTER, &reg);
}

static inline int uffd_try_protect(int uffd, void *addr, size_t pages, bool on)
{
	struct uffdio_writeprotect arg = {
		.range = { .start = address(addr), .len = pages * PAGE },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &arg);
}

/* Open a non-blocking userfaultfd, or skip the case. */
int uffd_open(uint64_t features);
/* Skip the case if the kernel can't do this for a new mapping; else it must succeed for all. */
void uffd_register(int uffd, void *addr, size_t pages, uint64_t mode);
/* Set or remove write protection. */
void uffd_protect(int uffd, void *addr, size_t pages, bool on);

#endif /* DEVPUB_TESTS_UFFD_H */
