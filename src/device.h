/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_DEVICE_H
#define DEVPUB_DEVICE_H

#include <linux/atomic.h>
#include <linux/cdev.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/memremap.h>
#include <linux/refcount.h>

#include "pool.h"
#include "reason.h"
#include "region.h"

#define DEVPUB_MAX_DEVICES	16

#define DEVPUB_WINDOW_MIN	512
#define DEVPUB_WINDOW_MAX	65536

/**
 * struct devpub_stats - pages since the device came, for sysfs
 * @migrated_to:	moved to the device
 * @migrated_from:	moved back on a process's request
 * @populated:		came into being on the device
 * @evicted:		moved back by eviction
 * @refused:		refused in a migration, either way, by reason
 */
struct devpub_stats {
	atomic64_t migrated_to;
	atomic64_t migrated_from;
	atomic64_t populated;
	atomic64_t evicted;
	atomic64_t refused[DEVPUB_NR_REASONS];
};

/**
 * struct devpub_device - one instance: /dev/devpubN and its memory
 * @dev:	the class device; its reference count is the life of this struct,
 *		which an open file prolongs beyond the removal of the device
 * @cdev:	the character device; parent of open files' references
 * @parent:	the platform device, where everything is registered that goes
 *		with the device
 * @index:	N
 * @window:	pages per window of a migration
 * @region:	the memory
 * @pgmap:	its registration with the kernel
 * @pool:	its free pages
 * @stats:	counters
 * @users:	calls inside, and one for the device being live.  0 is final
 * @drained:	completed when @users comes to 0
 * @draining:	set when the device is on its way out
 *
 * Live -> draining -> gone.  While @users is above 0 the pagemap is registered
 * and the pool may be allocated from.
 */
struct devpub_device {
	struct device dev;
	struct cdev cdev;
	struct device *parent;
	unsigned int index;
	unsigned int window;
	struct devpub_region region;
	struct dev_pagemap pgmap;
	struct devpub_pool pool;
	struct devpub_stats stats;
	refcount_t users;
	struct completion drained;
	bool draining;
};

/**
 * struct devpub_device_spec - what to make a device of (platform data)
 * @region:	what to claim; only provider, start, size and node are set
 * @window:	pages per window
 * @error:	receives what became of the last probe: 0 or a negative error,
 *		which the driver core keeps to itself
 */
struct devpub_device_spec {
	struct devpub_region region;
	unsigned int window;
	int *error;
};

/**
 * devpub_device_is_draining() - is the device on its way out?
 * @ddev: the device
 *
 * Context: any.
 */
static inline bool devpub_device_is_draining(const struct devpub_device *ddev)
{
	return READ_ONCE(ddev->draining);
}

/**
 * devpub_device_enter() - begin to use a device's memory
 * @ddev: the device
 *
 * Until devpub_device_exit(), the pagemap stays registered.  The removal of the
 * device waits for that, so nothing that waits for user space may stand between
 * the two.
 *
 * Context: any.
 * Return: false when the device is going away or gone.
 */
static inline bool devpub_device_enter(struct devpub_device *ddev)
{
	return !devpub_device_is_draining(ddev) &&
	       refcount_inc_not_zero(&ddev->users);
}

/**
 * devpub_device_exit() - end what devpub_device_enter() began
 * @ddev: the device
 *
 * Context: any.
 */
static inline void devpub_device_exit(struct devpub_device *ddev)
{
	if (refcount_dec_and_test(&ddev->users))
		complete(&ddev->drained);
}

#ifdef DEVPUB_KUNIT
struct devpub_device *devpub_device_find_get(unsigned int index);
void devpub_device_find_put(struct devpub_device *ddev);
#endif

int devpub_device_driver_register(void);
void devpub_device_driver_unregister(void);

#endif /* DEVPUB_DEVICE_H */
