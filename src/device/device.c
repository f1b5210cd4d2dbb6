// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The device: consists of a region, its registration as coherent memory, its pool and its
 * character device.  Its states are:
 *
 *	created		The memory is claimed and registered.  User space can't see the device.
 *	published	/dev/devpubN exists.
 *	draining	The gate is closed, the calls inside end, and pages move off the
 *			device.  Then the gate opens again, or the device leaves.
 *	leaving		The gate is closed for good and /dev/devpubN is removed.  The memory is
 *			given back when no call is inside and no page is in use.
 *	left		The memory is given back.  The struct lives until the last open file is
 *			closed.
 *
 * The driver core unbinds a device under its device lock, which a reboot takes as well.  So
 * a workqueue waits for pages and calls, without holding a lock.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "access/engine.h"
#include "device/device.h"
#include "engine/evict.h"
#include "export.h"

#define DEVICE_REPORT_EVERY	(10 * HZ)

/* A device that leaves by itself must make progress within this time, in jiffies. */
#define DEVICE_PROGRESS		HZ

static struct class devpub_class = {
	.name = "devpub",
};

static const struct file_operations *device_fops;

static dev_t devpub_devt;

static struct workqueue_struct *device_leavers;

static void device_release(struct device *dev)
{
	struct devpub_device *ddev = container_of(dev, struct devpub_device, dev);

	devpub_engine_destroy(&ddev->engine);
	kfree(ddev);
}

static void device_release_memory(struct device *dev)
{
	struct devpub_device *ddev = container_of(dev, struct devpub_device,
						  memory);

	devpub_pool_destroy(&ddev->pool);
	put_device(&ddev->dev);
}

/* Give the memory back: no call is inside, and no page is in use. */
static void device_give_back(struct devpub_device *ddev)
{
	devm_memunmap_pages(&ddev->memory, &ddev->pagemap.pgmap);
	devpub_region_release(&ddev->region, &ddev->dev);
	complete_all(&ddev->left);
	put_device(&ddev->memory);
}

/*
 * A kernel thread evicts, because get_user_pages() and other functions fail for a task with
 * a fatal signal, and the task that unloads the module may get one at any time.
 */
static void device_leave_work(struct work_struct *work)
{
	struct devpub_device *ddev = container_of(work, struct devpub_device,
						  leaving);
	unsigned long start = jiffies;

	/* Each call inside exits the gate at the end of its window or round. */
	while (!devpub_gate_wait(&ddev->gate, DEVICE_REPORT_EVERY))
		dev_warn(&ddev->dev, "removal has waited %u s for %u ioctl(s) to finish their window of pages; it goes on when they have\n",
			 jiffies_to_msecs(jiffies - start) / 1000,
			 devpub_gate_users(&ddev->gate));
	devpub_evict_all(&ddev->endpoint, false);
	device_give_back(ddev);
}

static struct devpub_device *device_create_struct(struct device *parent,
						  unsigned int index,
						  const struct devpub_device_spec *spec)
{
	struct devpub_device *ddev;
	int ret;

	ddev = kzalloc_obj(*ddev);
	if (!ddev)
		return ERR_PTR(-ENOMEM);

	ddev->index = index;
	devpub_gate_init(&ddev->gate);
	ddev->endpoint = (struct devpub_endpoint) {
		.ops		= &devpub_endpoint_device_ops,
		.gate		= &ddev->gate,
		.pagemap	= &ddev->pagemap,
		.stats		= &ddev->stats,
		.dev		= &ddev->dev,
		.index		= index,
		.window		= spec->window,
	};
	INIT_WORK(&ddev->leaving, device_leave_work);
	init_completion(&ddev->left);

	device_initialize(&ddev->dev);
	ddev->dev.class = &devpub_class;
	ddev->dev.parent = parent;
	ddev->dev.release = device_release;
	ddev->dev.devt = MKDEV(MAJOR(devpub_devt), index);
	device_initialize(&ddev->memory);
	ddev->memory.release = device_release_memory;
	cdev_init(&ddev->cdev, device_fops);
	ddev->cdev.owner = THIS_MODULE;

	ret = dev_set_name(&ddev->dev, "devpub%u", index);
	if (!ret)
		ret = dev_set_name(&ddev->memory, "devpub%u-memory", index);
	if (!ret)
		ret = devpub_engine_init(&ddev->engine, &ddev->gate, index);
	if (ret) {
		put_device(&ddev->memory);
		return ERR_PTR(ret);
	}
	return ddev;
}

/* Register the region with the kernel, and set up its pool. */
static int device_map(struct devpub_device *ddev)
{
	struct devpub_region *region = &ddev->region;
	struct dev_pagemap *pgmap = &ddev->pagemap.pgmap;
	struct device *parent = ddev->dev.parent;
	void *addr;
	int ret;

	ret = devpub_pool_init(&ddev->pool, PHYS_PFN(region->start),
			       region->size >> PAGE_SHIFT);
	if (ret) {
		dev_err(parent, "can't allocate the list of free pages for %llu MiB (%d): free memory, or ask for a smaller device\n",
			region->size / SZ_1M, ret);
		return ret;
	}

	/* The kernel allocates the page array of the region from this node. */
	set_dev_node(&ddev->memory, region->node);
	devpub_pagemap_init(&ddev->pagemap, &ddev->pool, ddev->index);
	pgmap->range.start = region->start;
	pgmap->range.end = region->start + region->size - 1;
	pgmap->nr_range = 1;
	addr = devm_memremap_pages(&ddev->memory, pgmap);
	if (IS_ERR(addr)) {
		dev_err(parent, "can't register [mem %#llx-%#llx] as coherent memory (%ld)\n",
			region->start, region->start + region->size - 1,
			PTR_ERR(addr));
		return PTR_ERR(addr);
	}
	return 0;
}

/**
 * devpub_device_create() - claim memory and create a device
 * @parent: the platform device, which is also used for messages
 * @index: N of devpubN
 * @spec: parameters of the device
 *
 * User space can't see the device before devpub_device_publish().
 *
 * Context: process context, may sleep; takes seconds for carved memory.
 * Return: the device, to be removed by devpub_device_leave(), or an error after a message.
 */
struct devpub_device *devpub_device_create(struct device *parent, unsigned int index,
					   const struct devpub_device_spec *spec)
{
	struct devpub_device *ddev;
	int ret;

	ddev = device_create_struct(parent, index, spec);
	if (IS_ERR(ddev))
		return ddev;
	ret = devpub_region_claim(&ddev->region, &spec->memory, dev_name(&ddev->dev),
				  parent);
	if (ret)
		goto err_put;
	ret = device_map(ddev);
	if (ret)
		goto err_release;
	set_dev_node(&ddev->dev, ddev->region.node);
	return ddev;

err_release:
	devpub_region_release(&ddev->region, parent);
err_put:
	put_device(&ddev->memory);
	return ERR_PTR(ret);
}

/**
 * devpub_device_publish() - make a device visible to user space
 * @ddev: the device; after a failure the caller must call devpub_device_leave()
 *
 * Context: process context, with the platform device's lock.
 * Return: 0 or a negative error.
 */
int devpub_device_publish(struct devpub_device *ddev)
{
	struct devpub_region *region = &ddev->region;
	int ret;

	device_lock_assert(ddev->dev.parent);
	ret = cdev_device_add(&ddev->cdev, &ddev->dev);
	if (ret)
		return ret;
	ddev->published = true;
	dev_info(&ddev->dev, "%llu MiB of coherent memory at [mem %#llx-%#llx], node %d, provider %s\n",
		 region->size / SZ_1M, region->start,
		 region->start + region->size - 1, region->node,
		 region->provider->name);
	return 0;
}

/**
 * devpub_device_drain() - wait for all calls and move all pages off a device
 * @ddev: the device, to which the caller holds a reference
 * @remaining: receives the number of pages that are still on it
 *
 * This closes the gate first, so no page can arrive any more.  On success the gate stays
 * closed, and the caller calls devpub_device_leave().  On error the gate opens again, unless
 * the device is already leaving.
 *
 * Context: process context, without the platform device's lock; sleeps
 * interruptibly.
 * Return: 0; -EBUSY when pages can't move at present, -EINTR, -ENOMEM, or -ENODEV when
 * the device is leaving by itself.
 */
int devpub_device_drain(struct devpub_device *ddev, u64 *remaining)
{
	int ret;

	if (!devpub_gate_enter(&ddev->gate))
		return -ENODEV;
	ret = devpub_gate_close(&ddev->gate);
	if (!ret)
		ret = devpub_evict_all(&ddev->endpoint, true);
	*remaining = devpub_pool_used_pages(&ddev->pool);
	if (ret)
		devpub_gate_open(&ddev->gate);
	devpub_gate_exit(&ddev->gate);
	return ret;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_device_drain);

/**
 * devpub_device_leave() - remove a device
 * @ddev: the device; this drops the caller's reference
 *
 * Closes the gate for good and removes /dev/devpubN.  If no call is inside and no page is in
 * use, this gives the memory back before it returns.  Otherwise a workqueue gives it back
 * later, possibly after a long time.
 *
 * Context: process context, with the platform device's lock; waits neither for calls nor for
 * pages.
 */
void devpub_device_leave(struct devpub_device *ddev)
{
	device_lock_assert(ddev->dev.parent);
	devpub_gate_close_for_good(&ddev->gate);
	if (ddev->published)
		cdev_device_del(&ddev->cdev, &ddev->dev);

	if (devpub_gate_users(&ddev->gate) || devpub_pool_used_pages(&ddev->pool))
		queue_work(device_leavers, &ddev->leaving);
	else
		device_give_back(ddev);
}

/**
 * devpub_device_has_left() - check if the memory of a device is given back
 * @ddev: the device
 *
 * Context: any.
 * Return: true if it is.
 */
bool devpub_device_has_left(struct devpub_device *ddev)
{
	return completion_done(&ddev->left);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_device_has_left);

/**
 * devpub_device_await() - wait for a device that is leaving
 * @ddev: the device, to which the caller holds a reference
 * @remaining: receives the number of pages that are still on it
 *
 * Context: process context; sleeps interruptibly.
 * Return: 0 when it has left, -EINTR, or -EBUSY when no page moved off for one second.
 */
int devpub_device_await(struct devpub_device *ddev, u64 *remaining)
{
	u64 before;
	long left;

	*remaining = devpub_pool_used_pages(&ddev->pool);
	do {
		before = *remaining;
		left = wait_for_completion_interruptible_timeout(&ddev->left,
								 DEVICE_PROGRESS);
		*remaining = devpub_pool_used_pages(&ddev->pool);
		if (left > 0)
			return 0;
		if (left < 0)
			return -EINTR;
	} while (*remaining < before);
	return -EBUSY;
}

/**
 * devpub_device_find_get() - get a reference to the published device of a number
 * @index: N of devpubN
 *
 * Context: process context, may sleep.
 * Return: the device, to be released by devpub_device_find_put(), or NULL.
 */
struct devpub_device *devpub_device_find_get(unsigned int index)
{
	struct device *dev;

	dev = class_find_device_by_devt(&devpub_class,
					MKDEV(MAJOR(devpub_devt), index));
	return dev ? container_of(dev, struct devpub_device, dev) : NULL;
}

/**
 * devpub_device_find_put() - drop a reference to a device
 * @ddev: the device, from devpub_device_find_get()
 *
 * Context: process context, may sleep.
 */
void devpub_device_find_put(struct devpub_device *ddev)
{
	put_device(&ddev->dev);
}

/**
 * devpub_device_init() - register the class and the device numbers
 * @fops: file operations of /dev/devpubN
 * @groups: sysfs attributes of each device
 * @leavers: a workqueue in which each device that leaves may wait for long
 *
 * Context: module init.
 * Return: 0 or a negative error.
 */
int devpub_device_init(const struct file_operations *fops,
		       const struct attribute_group **groups,
		       struct workqueue_struct *leavers)
{
	int ret;

	device_fops = fops;
	device_leavers = leavers;
	devpub_class.dev_groups = groups;
	ret = class_register(&devpub_class);
	if (ret)
		return ret;
	ret = alloc_chrdev_region(&devpub_devt, 0, DEVPUB_MAX_DEVICES, "devpub");
	if (ret)
		class_unregister(&devpub_class);
	return ret;
}

/**
 * devpub_device_exit() - undo devpub_device_init()
 *
 * Context: module exit or failed init; every device has left.
 */
void devpub_device_exit(void)
{
	unregister_chrdev_region(devpub_devt, DEVPUB_MAX_DEVICES);
	class_unregister(&devpub_class);
}
