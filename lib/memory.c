// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Allocates and frees memory on a device. */
#include "internal.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

/* Round up to whole pages.  Return 0 if the result would exceed size_t. */
static size_t whole_pages(size_t length)
{
	const size_t mask = sysconf(_SC_PAGESIZE) - 1;

	return length > SIZE_MAX - mask ? 0 : (length + mask) & ~mask;
}

static int populate(const struct devpub *dev, char *addr, size_t length)
{
	struct devpub_outcome outcome;
	size_t done = 0;
	int ret;

	do {
		ret = devpub_migrate_to(dev, addr + done, length - done,
					DEVPUB_MIGRATE_POPULATE, NULL,
					&outcome);
		done += outcome.done;
		if (outcome.reason[DEVPUB_REASON_NO_SPACE])
			return -ENOSPC;
		/* With mlockall(), mmap() has filled the range with pages of system memory. */
		if (outcome.reason[DEVPUB_REASON_BUSY])
			return -EAGAIN;
		/* A limit of the process or of its cgroup prevented some allocations. */
		if (outcome.absent || outcome.refused)
			return -ENOMEM;
	} while (ret == -EINTR && done < length);
	return ret == -EINTR ? 0 : ret;
}

EXPORT
int devpub_alloc(const struct devpub *dev, size_t length, void **addr)
{
	void *memory;
	int ret;

	if (!length)
		return -EINVAL;
	length = whole_pages(length);
	if (!length)
		return -ENOMEM;
	memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	ret = populate(dev, memory, length);
	if (ret) {
		munmap(memory, length);
		return ret;
	}
	*addr = memory;
	return 0;
}

EXPORT
int devpub_free(void *addr, size_t length)
{
	if (!addr)
		return 0;
	return munmap(addr, whole_pages(length)) ? -errno : 0;
}
