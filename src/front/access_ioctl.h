/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_ACCESS_IOCTL_H
#define DEVPUB_ACCESS_IOCTL_H

#include <linux/types.h>

int devpub_access_ioctl_bind(void *target, void *arg, bool *answered);
int devpub_access_ioctl_access(void *target, void *arg, bool *answered);

#endif /* DEVPUB_ACCESS_IOCTL_H */
