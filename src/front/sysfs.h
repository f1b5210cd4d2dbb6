/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_SYSFS_H
#define DEVPUB_SYSFS_H

#include <linux/sysfs.h>

extern const struct attribute_group *devpub_sysfs_groups[];

#endif /* DEVPUB_SYSFS_H */
