// SPDX-License-Identifier: GPL-2.0
/*
 * The device: ties a region, its registration as coherent memory, its pool and
 * its character device together, from probe to unbind.
 *
 * Everything is undone in reverse by the driver core (devres), which is how
 * unbinding and unloading come to be the same:
 *
 *	/dev/devpubN goes		no new users; calls inside end
 *	the device is drained		every page is back in the pool
 *	devm_memremap_pages() undone	nobody holds a page, so it does not wait
 *	the region is released		the memory is the system's again
 *	the struct is put		last, or when the last open file is closed
 */
#include <linux/completion.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "device.h"
#include "evict.h"
#include "export.h"
#include "ioctl.h"
#include "sysfs.h"
#include "walk.h"

static struct class devpub_class = {
	.name		= "devpub",
	.dev_groups	= devpub_sysfs_groups,
};

static dev_t devpub_devt;

static void device_release(struct device *dev)
{
	struct devpub_device *ddev = container_of(dev, struct devpub_device, dev);

	devpub_pool_destroy(&ddev->pool);
	kfree(ddev);
}

static void device_put_action(void *data)
{
	struct devpub_device *ddev = data;

	put_device(&ddev->dev);
}

static void device_release_region(void *data)
{
	struct devpub_device *ddev = data;

	devpub_region_release(&ddev->region, ddev->parent);
}

/**
 * struct device_eviction - the eviction before a device's end
 * @work:	its place in the queue
 * @ddev:	the device
 * @done:	completed when nothing is on it any more
 */
struct device_eviction {
	struct work_struct work;
	struct devpub_device *ddev;
	struct completion done;
};

static void device_evict_all(struct work_struct *work)
{
	struct device_eviction *eviction =
		container_of(work, struct device_eviction, work);

	devpub_evict_all(eviction->ddev);
	complete(&eviction->done);
}

/*
 * A kernel thread evicts: get_user_pages() and others refuse to work for who has got a
 * fatal signal, which may come at any time to whoever unloads a module.  However long
 * it takes, the waits are no D state for the hung task detector to mistake for a bug.
 */
static void device_drain(void *data)
{
	struct device_eviction eviction = { .ddev = data };
	struct devpub_device *ddev = data;

	WRITE_ONCE(ddev->draining, true);
	devpub_device_exit(ddev);
	/* A call inside ends with its window. */
	wait_for_completion_state(&ddev->drained, TASK_IDLE);

	init_completion(&eviction.done);
	INIT_WORK_ONSTACK(&eviction.work, device_evict_all);
	queue_work(devpub_walk_anywhere, &eviction.work);
	wait_for_completion_state(&eviction.done, TASK_IDLE);
	flush_work(&eviction.work);
	destroy_work_on_stack(&eviction.work);
}

static void device_del_node(void *data)
{
	struct devpub_device *ddev = data;

	cdev_device_del(&ddev->cdev, &ddev->dev);
}

static struct devpub_device *device_create_struct(struct platform_device *pdev)
{
	const struct devpub_device_spec *spec = dev_get_platdata(&pdev->dev);
	struct devpub_device *ddev;
	int ret;

	ddev = kzalloc_obj(*ddev);
	if (!ddev)
		return ERR_PTR(-ENOMEM);

	ddev->parent = &pdev->dev;
	ddev->index = pdev->id;
	ddev->window = spec->window;
	ddev->region = spec->region;
	refcount_set(&ddev->users, 1);
	init_completion(&ddev->drained);

	device_initialize(&ddev->dev);
	ddev->dev.class = &devpub_class;
	ddev->dev.parent = &pdev->dev;
	ddev->dev.release = device_release;
	ddev->dev.devt = MKDEV(MAJOR(devpub_devt), pdev->id);
	cdev_init(&ddev->cdev, &devpub_ioctl_fops);
	ddev->cdev.owner = THIS_MODULE;

	ret = dev_set_name(&ddev->dev, "devpub%u", ddev->index);
	if (!ret)
		ret = devm_add_action_or_reset(&pdev->dev, device_put_action,
					       ddev);
	else
		put_device(&ddev->dev);
	if (ret)
		return ERR_PTR(ret);
	ddev->region.name = dev_name(&ddev->dev);
	return ddev;
}

/* Register the region with the kernel and let the pool hand its pages out. */
static int device_map(struct devpub_device *ddev)
{
	struct devpub_region *region = &ddev->region;
	struct device *parent = ddev->parent;
	void *addr;
	int ret;

	ret = devpub_pool_init(&ddev->pool, PHYS_PFN(region->start),
			       region->size >> PAGE_SHIFT);
	if (ret) {
		dev_err(parent, "no memory for the book-keeping of %llu MiB (%d)\n",
			region->size / SZ_1M, ret);
		return ret;
	}

	ddev->pool.index = ddev->index;

	/* The page array of the region comes from this node. */
	set_dev_node(parent, region->node);
	ddev->pgmap.range.start = region->start;
	ddev->pgmap.range.end = region->start + region->size - 1;
	ddev->pgmap.nr_range = 1;
	devpub_pool_setup_pagemap(&ddev->pool, &ddev->pgmap);
	addr = devm_memremap_pages(parent, &ddev->pgmap);
	if (IS_ERR(addr)) {
		dev_err(parent, "can't register [mem %#llx-%#llx] as coherent memory (%ld)\n",
			region->start, region->start + region->size - 1,
			PTR_ERR(addr));
		return PTR_ERR(addr);
	}

	return devm_add_action_or_reset(parent, device_drain, ddev);
}

static int device_setup(struct platform_device *pdev)
{
	struct device *parent = &pdev->dev;
	struct devpub_region *region;
	struct devpub_device *ddev;
	int ret;

	ddev = device_create_struct(pdev);
	if (IS_ERR(ddev))
		return PTR_ERR(ddev);
	region = &ddev->region;

	ret = devpub_region_claim(region, parent);
	if (ret)
		return ret;
	ret = devm_add_action_or_reset(parent, device_release_region, ddev);
	if (ret)
		return ret;

	ret = device_map(ddev);
	if (ret)
		return ret;

	set_dev_node(&ddev->dev, region->node);
	ret = cdev_device_add(&ddev->cdev, &ddev->dev);
	if (ret)
		return ret;
	ret = devm_add_action_or_reset(parent, device_del_node, ddev);
	if (ret)
		return ret;

	platform_set_drvdata(pdev, ddev);
	dev_info(&ddev->dev, "%llu MiB of coherent memory at [mem %#llx-%#llx], node %d, provider %s\n",
		 region->size / SZ_1M, region->start,
		 region->start + region->size - 1, region->node,
		 region->provider->name);
	return 0;
}

static int device_probe(struct platform_device *pdev)
{
	const struct devpub_device_spec *spec = dev_get_platdata(&pdev->dev);

	/* Not of our making: driver_override binds anything to anyone. */
	if (!spec)
		return -ENODEV;
	*spec->error = device_setup(pdev);
	return *spec->error;
}

/*
 * A hibernation image holds what the kernel's own zones hold: device pages are not
 * in it, and processes would wake to other content (kernel/power/snapshot.c,
 * saveable_page()).  Suspend to RAM keeps them.
 */
static int device_freeze(struct device *dev)
{
	struct devpub_device *ddev = dev_get_drvdata(dev);
	u32 used = devpub_pool_used_pages(&ddev->pool);

	if (!used)
		return 0;
	dev_err(dev, "%u pages live on the device and would be lost: evict them or unload devpub, then hibernate\n",
		used);
	return -EBUSY;
}

static const struct dev_pm_ops device_pm_ops = {
	.freeze = pm_sleep_ptr(device_freeze),
};

static struct platform_driver devpub_driver = {
	.probe	= device_probe,
	.driver	= {
		.pm		= pm_sleep_ptr(&device_pm_ops),
		.name		= "devpub",
		.probe_type	= PROBE_FORCE_SYNCHRONOUS,
	},
};

#ifdef DEVPUB_KUNIT
/**
 * devpub_device_find_get() - the live device of a number, for tests
 * @index: N of devpubN
 *
 * Return: the device, to be given back by devpub_device_find_put(), or NULL.
 */
struct devpub_device *devpub_device_find_get(unsigned int index)
{
	struct device *dev;

	dev = class_find_device_by_devt(&devpub_class,
					MKDEV(MAJOR(devpub_devt), index));
	return dev ? container_of(dev, struct devpub_device, dev) : NULL;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_device_find_get);

/**
 * devpub_device_find_put() - give a device back
 * @ddev: what devpub_device_find_get() returned
 */
void devpub_device_find_put(struct devpub_device *ddev)
{
	put_device(&ddev->dev);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_device_find_put);
#endif

/**
 * devpub_device_driver_register() - let platform devices "devpub" become devices
 *
 * Context: module init.
 * Return: 0 or a negative error.
 */
int devpub_device_driver_register(void)
{
	int ret;

	ret = class_register(&devpub_class);
	if (ret)
		return ret;
	ret = alloc_chrdev_region(&devpub_devt, 0, DEVPUB_MAX_DEVICES, "devpub");
	if (ret)
		goto err_class;
	ret = platform_driver_register(&devpub_driver);
	if (ret)
		goto err_chrdev;
	return 0;

err_chrdev:
	unregister_chrdev_region(devpub_devt, DEVPUB_MAX_DEVICES);
err_class:
	class_unregister(&devpub_class);
	return ret;
}

/**
 * devpub_device_driver_unregister() - undo devpub_device_driver_register()
 *
 * Devices that are still bound are drained and removed first.
 *
 * Context: module exit or failed init.
 */
void devpub_device_driver_unregister(void)
{
	platform_driver_unregister(&devpub_driver);
	unregister_chrdev_region(devpub_devt, DEVPUB_MAX_DEVICES);
	class_unregister(&devpub_class);
}
