// SPDX-License-Identifier: GPL-2.0
/* Devices: which there are, opening one, asking what it is. */
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
	/* It takes an open() that fails to leave 0 in errno. */
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
		/* Whatever this file is, it is none of our devices. */
		return ret == -ENOTTY ? -ENODEV : ret;
	}
	opened->page_size = info.page_size;
	*dev = opened;
	return 0;
}

/* Has the device so much free?  0 or -errno. */
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
		/* What says nothing of the device is told at once. */
		if (ret == -EMFILE || ret == -ENFILE || ret == -ENOMEM)
			return ret;
		/* The most useful answer is of the device that came closest. */
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
