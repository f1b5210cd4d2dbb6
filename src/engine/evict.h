/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_EVICT_H
#define DEVPUB_EVICT_H

#include <linux/types.h>

struct devpub_device;

int devpub_evict(struct devpub_device *ddev, bool interruptible, u64 *moved);
int devpub_evict_all(struct devpub_device *ddev, bool interruptible);

#endif /* DEVPUB_EVICT_H */
