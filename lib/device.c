// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Opens and closes devices, and reads their properties. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

int devpub_call(int fd, unsigned long command, void *arg)
{
	return ioctl(fd, command, arg) ? -errno : 0;
}

EXPORT
int devpub_info(const struct devpub *dev, struct devpub_info *info)
{
	*info = (struct devpub_info) { 0 };
	/* The analyzer's warning assumes that open() fails and leaves errno at 0. */
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	return devpub_call(dev->fd, DEVPUB_IOC_INFO, info);
}

EXPORT
int devpub_open(unsigned int index, struct devpub **dev)
{
	struct devpub *opened = malloc(sizeof(*opened));
	struct devpub_info info;
	char path[32];
	int ret;

	if (!opened)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/dev/devpub%u", index);
	opened->fd = open(path, O_RDWR | O_CLOEXEC);
	if (opened->fd < 0) {
		ret = errno == ENOENT || errno == ENXIO ? -ENODEV : -errno;
		free(opened);
		return ret;
	}
	ret = devpub_info(opened, &info);
	if (ret) {
		devpub_close(opened);
		/* The file is not a devpub device. */
		return ret == -ENOTTY ? -ENODEV : ret;
	}
	opened->page_size = info.page_size;
	*dev = opened;
	return 0;
}

/* Return 0 if the device has @free bytes of free memory, or -errno. */
static int has_room(const struct devpub *dev, uint64_t free)
{
	struct devpub_info info;
	int ret = devpub_info(dev, &info);

	if (ret)
		return ret;
	return info.free >= free ? 0 : -ENOSPC;
}

EXPORT
int devpub_open_any(uint64_t free, struct devpub **dev)
{
	unsigned int index[256];
	int i, ret, n, answer = -ENODEV;

	n = devpub_list(index, 256);
	if (n < 0)
		return n;
	for (i = 0; i < n && i < 256; i++) {
		ret = devpub_open(index[i], dev);
		if (!ret) {
			ret = has_room(*dev, free);
			if (!ret)
				return 0;
			devpub_close(*dev);
			*dev = NULL;
		}
		/* These errors do not depend on the device. */
		if (ret == -EMFILE || ret == -ENFILE || ret == -ENOMEM)
			return ret;
		/* Prefer the error of the device that was closest to success. */
		if (ret == -ENOSPC || answer == -ENODEV)
			answer = ret;
	}
	return answer;
}

EXPORT
void devpub_close(struct devpub *dev)
{
	if (!dev)
		return;
	close(dev->fd);
	free(dev);
}

EXPORT
int devpub_fd(const struct devpub *dev)
{
	return dev->fd;
}
