/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_DEVICE_H
#define DEVPUB_DEVICE_H

#include <linux/atomic.h>
#include <linux/cdev.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/memremap.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "engine/reason.h"
#include "memory/pool.h"
#include "memory/provider.h"

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

/* What closes the gate of a device that will never be live again. */
#define DEVPUB_CLOSED_FOR_GOOD	((struct task_struct *)1UL)

/**
 * struct devpub_device - one instance: /dev/devpubN and its memory
 * @dev:	the class device; its reference count is the life of this struct,
 *		which an open file prolongs beyond the removal of the device
 * @memory:	what @pgmap is registered for.  It is never added to the system:
 *		device_del() of @dev would undo the registration, and wait for pages
 * @cdev:	the character device; parent of open files' references
 * @index:	N
 * @window:	pages per window of a migration
 * @region:	the memory
 * @pgmap:	its registration with the kernel
 * @pool:	its free pages
 * @stats:	counters
 * @users:	calls inside
 * @closer:	the gate: NULL when it is open, the task that drains the device when
 *		it may open again, or DEVPUB_CLOSED_FOR_GOOD
 * @changed:	woken when a call ends behind a closed gate, and when the gate closes
 *		for good
 * @leaving:	gives the memory back when the driver is gone and pages are not
 * @left:	completed when the memory is back
 * @published:	user space can see the device; written under the platform device's
 *		lock
 *
 * Live -> draining -> live again, or leaving -> left.  While @users is above 0
 * the pagemap is registered and the pool may be allocated from.
 */
struct devpub_device {
	struct device dev;
	struct device memory;
	struct cdev cdev;
	unsigned int index;
	unsigned int window;
	struct devpub_region region;
	struct dev_pagemap pgmap;
	struct devpub_pool pool;
	struct devpub_stats stats;
	atomic_t users;
	struct task_struct *closer;
	wait_queue_head_t changed;
	struct work_struct leaving;
	struct completion left;
	bool published;
};

/**
 * struct devpub_device_spec - what to make a device of
 * @region:	what to claim; only provider, start, size and node are set
 * @window:	pages per window
 */
struct devpub_device_spec {
	struct devpub_region region;
	unsigned int window;
};

/**
 * devpub_device_is_draining() - must the caller leave the device?
 * @ddev: the device
 *
 * The task that drains a device may stay inside, unless the gate has closed for good
 * meanwhile.
 *
 * Context: process context.
 */
static inline bool devpub_device_is_draining(const struct devpub_device *ddev)
{
	const struct task_struct *closer = READ_ONCE(ddev->closer);

	return closer && closer != current;
}

/**
 * devpub_device_has_left() - is the memory of a device back where it came from?
 * @ddev: the device
 *
 * Context: any.
 */
static inline bool devpub_device_has_left(struct devpub_device *ddev)
{
	return completion_done(&ddev->left);
}

/**
 * devpub_device_exit() - end what devpub_device_enter() began
 * @ddev: the device, whose struct the caller holds a reference to
 *
 * Context: any.
 */
static inline void devpub_device_exit(struct devpub_device *ddev)
{
	/*
	 * A full barrier on both sides: the use of the device comes before, and the
	 * look at the gate after.  A task that closes it looks at @users after that, so
	 * it sees this call ended, or is woken here.
	 */
	atomic_dec_return(&ddev->users);
	if (READ_ONCE(ddev->closer))
		wake_up_all(&ddev->changed);
}

/**
 * devpub_device_enter() - begin to use a device's memory
 * @ddev: the device, whose struct the caller holds a reference to
 *
 * Until devpub_device_exit(), the pagemap stays registered.  Those who drain the
 * device wait for that, so nothing that waits for user space may stand between the
 * two.
 *
 * Context: any.
 * Return: false when the gate is closed: the device drains, or is leaving or gone.
 */
static inline bool devpub_device_enter(struct devpub_device *ddev)
{
	/* Callers that try again and again must not keep @users above 0. */
	if (READ_ONCE(ddev->closer))
		return false;
	atomic_inc(&ddev->users);
	/*
	 * Pairs with the full barrier of cmpxchg() and xchg() in device.c, which close
	 * the gate before they look at @users: this call sees the gate closed, or it is
	 * seen and waited for.
	 */
	smp_mb__after_atomic();
	if (likely(!READ_ONCE(ddev->closer)))
		return true;
	devpub_device_exit(ddev);
	return false;
}

#ifdef DEVPUB_KUNIT
struct devpub_device *devpub_device_find_get(unsigned int index);
void devpub_device_find_put(struct devpub_device *ddev);
#endif

struct devpub_device *devpub_device_create(struct device *parent, unsigned int index,
					   const struct devpub_device_spec *spec);
int devpub_device_publish(struct devpub_device *ddev);
int devpub_device_drain(struct devpub_device *ddev, u64 *remaining);
void devpub_device_leave(struct devpub_device *ddev);
int devpub_device_await(struct devpub_device *ddev, u64 *remaining);

int devpub_device_init(void);
void devpub_device_end(void);

#endif /* DEVPUB_DEVICE_H */
