/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_SYSFS_H
#define DEVPUB_SYSFS_H

#include <linux/sysfs.h>

extern const struct attribute_group *devpub_sysfs_groups[];

#endif /* DEVPUB_SYSFS_H */
