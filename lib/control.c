// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Creates, empties and destroys devices. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

EXPORT
int devpub_evict(const struct devpub *dev, uint64_t *moved, uint64_t *remaining)
{
	struct devpub_evict arg = { 0 };
	int ret = devpub_call(dev->fd, DEVPUB_IOC_EVICT, &arg);

	if (moved)
		*moved = arg.moved;
	if (remaining)
		*remaining = arg.remaining;
	return ret;
}

static int control(unsigned long command, void *arg)
{
	int fd = open(CONTROL_PATH, O_RDWR | O_CLOEXEC);
	int ret;

	if (fd < 0) {
		ret = -errno;
		if (ret != -ENOENT && ret != -ENXIO)
			return ret;
		/* If the class exists, the loaded module is older than the control file. */
		return access(CLASS_DIR, F_OK) ? -ENODEV : -EOPNOTSUPP;
	}
	ret = devpub_call(fd, command, arg);
	close(fd);
	return ret == -ENOTTY || ret == -E2BIG ? -EOPNOTSUPP : ret;
}

static int create(struct devpub_create *arg, unsigned int *index)
{
	int ret = control(DEVPUB_IOC_CREATE, arg);

	if (!ret)
		*index = arg->index;
	return ret;
}

EXPORT
int devpub_create_carved(uint64_t size, int node, unsigned int *index)
{
	struct devpub_create arg = {
		.provider = DEVPUB_PROVIDER_CARVE,
		.size = size,
		.node = node,
	};

	return create(&arg, index);
}

EXPORT
int devpub_create_reserved(uint64_t start, uint64_t size, unsigned int *index)
{
	struct devpub_create arg = {
		.provider = DEVPUB_PROVIDER_RESERVED,
		.start = start,
		.size = size,
		.node = -1,
	};

	return create(&arg, index);
}

EXPORT
int devpub_destroy(unsigned int index, uint64_t *remaining)
{
	struct devpub_destroy arg = { .index = index };
	int ret = control(DEVPUB_IOC_DESTROY, &arg);

	if (remaining)
		*remaining = arg.remaining;
	return ret;
}
