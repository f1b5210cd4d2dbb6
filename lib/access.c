// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Accesses of the device to memory. */
#include "internal.h"

#include <errno.h>

EXPORT
int devpub_bind(const struct devpub *dev, const struct devpub_process *process)
{
	struct devpub_bind arg = { 0 };

	if (process) {
		arg.flags = DEVPUB_BIND_PID;
		arg.pid = process->pid;
	}
	return devpub_process_call(dev, process, DEVPUB_IOC_BIND, &arg);
}

EXPORT
int devpub_access(const struct devpub *dev, struct devpub_access *access)
{
	return devpub_call(dev->fd, DEVPUB_IOC_ACCESS, access);
}
