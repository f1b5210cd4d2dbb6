// SPDX-License-Identifier: GPL-2.0
/*
 * The devices that were asked for, by parameters or at run time.  Each is a platform
 * device, which the driver core has the driver below probe, and which user space may
 * unbind and bind again through sysfs.
 */
#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/notifier.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/suspend.h>

#include "device/device.h"
#include "device/registry.h"
#include "export.h"

/* Protects all below, not for as long as a device takes to come or go. */
static DEFINE_MUTEX(devices_lock);
static LIST_HEAD(devices_all);
static DECLARE_BITMAP(devices_taken, DEVPUB_MAX_DEVICES);
/* NULL also while a device comes or goes. */
static struct devpub_entry *devices[DEVPUB_MAX_DEVICES];
/* False until module init can't fail any more: no open file may outlive its code. */
static bool devices_visible;

/* Find the entry of a platform device of our making, and get what was probed last. */
static struct devpub_entry *devices_find(const struct platform_device *pdev)
{
	struct devpub_entry *entry;

	lockdep_assert_held(&devices_lock);
	list_for_each_entry(entry, &devices_all, list)
		if (entry->pdev == pdev)
			return entry;
	return NULL;
}

static struct devpub_device *devices_get(struct devpub_entry *entry)
{
	struct devpub_device *ddev;

	mutex_lock(&devices_lock);
	ddev = entry->ddev;
	if (ddev)
		get_device(&ddev->dev);
	mutex_unlock(&devices_lock);
	return ddev;
}

/* Remember what was probed, with a reference, instead of what was before. */
static void devices_set(struct devpub_entry *entry, struct devpub_device *ddev)
{
	struct devpub_device *former;

	if (ddev)
		get_device(&ddev->dev);
	mutex_lock(&devices_lock);
	former = entry->ddev;
	entry->ddev = ddev;
	mutex_unlock(&devices_lock);
	if (former)
		put_device(&former->dev);
}

static void devices_leave(void *data)
{
	devpub_device_leave(data);
}

static int devices_setup(struct devpub_entry *entry)
{
	struct device *parent = &entry->pdev->dev;
	struct devpub_device *ddev = entry->ddev;
	int ret;

	if (ddev && !devpub_device_has_left(ddev)) {
		dev_err(parent, "%u page(s) of the device that was unbound have not come back: bind it when they have\n",
			devpub_pool_used_pages(&ddev->pool));
		return -EBUSY;
	}
	devices_set(entry, NULL);

	ddev = devpub_device_create(parent, entry->pdev->id, &entry->spec);
	if (IS_ERR(ddev))
		return PTR_ERR(ddev);
	devices_set(entry, ddev);
	ret = devm_add_action_or_reset(parent, devices_leave, ddev);
	if (ret)
		return ret;
	if (READ_ONCE(devices_visible)) {
		ret = devpub_device_publish(ddev);
		if (ret)
			return ret;
	}
	dev_set_drvdata(parent, ddev);
	return 0;
}

static int devices_probe(struct platform_device *pdev)
{
	struct devpub_entry *entry;
	int ret;

	mutex_lock(&devices_lock);
	entry = devices_find(pdev);
	/* driver_override binds this driver to any platform device there is. */
	ret = !entry ? -ENODEV : entry->destroying ? -EBUSY : 0;
	mutex_unlock(&devices_lock);
	if (ret)
		return ret;
	/* The entry is freed after its platform device is removed. */
	WRITE_ONCE(entry->error, devices_setup(entry));
	return entry->error;
}

/*
 * A hibernation image holds what the kernel's own zones hold: device pages are not
 * in it, and processes would wake to other content (kernel/power/snapshot.c,
 * saveable_page()).  Suspend to RAM keeps them.
 */
static int devices_freeze(struct device *dev)
{
	struct devpub_device *ddev = dev_get_drvdata(dev);
	u32 used = devpub_pool_used_pages(&ddev->pool);

	if (!used)
		return 0;
	dev_err(dev, "%u pages live on the device and would be lost: evict them or unload devpub, then hibernate\n",
		used);
	return -EBUSY;
}

/* No driver is asked about a device that is leaving. */
static int devices_pm_notify(struct notifier_block *block, unsigned long event,
			     void *data)
{
	struct devpub_entry *entry;
	int ret = NOTIFY_OK;

	if (event != PM_HIBERNATION_PREPARE)
		return NOTIFY_DONE;
	mutex_lock(&devices_lock);
	list_for_each_entry(entry, &devices_all, list) {
		struct devpub_device *ddev = entry->ddev;
		u32 used;

		if (!ddev || READ_ONCE(ddev->closer) != DEVPUB_CLOSED_FOR_GOOD)
			continue;
		used = devpub_pool_used_pages(&ddev->pool);
		if (!used)
			continue;
		dev_err(&ddev->dev, "%u pages live on the device that was unbound, and would be lost: hibernate when they have come back\n",
			used);
		ret = notifier_from_errno(-EBUSY);
	}
	mutex_unlock(&devices_lock);
	return ret;
}

static struct notifier_block devices_pm_block = {
	.notifier_call = devices_pm_notify,
};

static const struct dev_pm_ops devices_pm_ops = {
	.freeze = pm_sleep_ptr(devices_freeze),
};

static struct platform_driver devices_driver = {
	.probe	= devices_probe,
	.driver	= {
		.pm		= pm_sleep_ptr(&devices_pm_ops),
		.name		= "devpub",
		.probe_type	= PROBE_FORCE_SYNCHRONOUS,
	},
};

/**
 * devpub_devices_add() - let the driver core probe a new device
 * @index: its number
 * @spec: what to make it of
 *
 * Context: process context, may sleep, and for carved memory takes seconds.
 * Return: the entry, for devpub_devices_remove(); its @error tells what the probe
 * returned.  A negative error when there is no platform device.
 */
struct devpub_entry *devpub_devices_add(unsigned int index,
					const struct devpub_device_spec *spec)
{
	struct devpub_entry *entry;
	int ret = -ENOMEM;

	entry = kzalloc_obj(*entry);
	if (!entry)
		return ERR_PTR(-ENOMEM);
	entry->spec = *spec;
	entry->error = -ENODEV;
	entry->pdev = platform_device_alloc("devpub", index);
	if (!entry->pdev)
		goto err_free;

	mutex_lock(&devices_lock);
	list_add_tail(&entry->list, &devices_all);
	mutex_unlock(&devices_lock);
	ret = platform_device_add(entry->pdev);
	if (!ret)
		return entry;

	mutex_lock(&devices_lock);
	list_del(&entry->list);
	mutex_unlock(&devices_lock);
	platform_device_put(entry->pdev);
err_free:
	kfree(entry);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_devices_add);

/*
 * Wait until the memory of an entry whose platform device is deleted is back, and free
 * it.  A module's exit can't be refused: this waits for any page that a user holds, but
 * with no lock, not in D state, and out of the way of a suspend.
 */
static void devices_bury(struct devpub_entry *entry)
{
	if (entry->ddev)
		wait_for_completion_state(&entry->ddev->left,
					  TASK_IDLE | TASK_FREEZABLE);
	devices_set(entry, NULL);
	mutex_lock(&devices_lock);
	list_del(&entry->list);
	mutex_unlock(&devices_lock);
	/* Until here no other platform device could have this one's address. */
	platform_device_put(entry->pdev);
	kfree(entry);
}

/**
 * devpub_devices_remove() - undo devpub_devices_add()
 * @entry: the entry
 *
 * Waits for each page on the device, as long as it takes.
 *
 * Context: process context, without locks.
 */
void devpub_devices_remove(struct devpub_entry *entry)
{
	platform_device_del(entry->pdev);
	devices_bury(entry);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_devices_remove);

/**
 * devpub_devices_create() - make a device
 * @region: what to claim; only provider, start, size and node are set
 * @window: pages per window of a migration
 * @index: receives its number, the lowest that is free
 *
 * Context: process context, may sleep, and for carved memory takes seconds.
 * Return: 0, -ENOSPC when there are DEVPUB_MAX_DEVICES, or what the probe said.
 */
int devpub_devices_create(const struct devpub_region *region,
			  unsigned int window, unsigned int *index)
{
	struct devpub_device_spec spec = {
		.region	= *region,
		.window	= window,
	};
	struct devpub_entry *entry;
	unsigned int i;
	int ret;

	mutex_lock(&devices_lock);
	i = find_first_zero_bit(devices_taken, DEVPUB_MAX_DEVICES);
	if (i < DEVPUB_MAX_DEVICES)
		__set_bit(i, devices_taken);
	mutex_unlock(&devices_lock);
	if (i == DEVPUB_MAX_DEVICES)
		return -ENOSPC;

	entry = devpub_devices_add(i, &spec);
	ret = PTR_ERR_OR_ZERO(entry);
	if (!ret) {
		/* A failed probe is no error to the driver core. */
		ret = READ_ONCE(entry->error);
		if (ret)
			devpub_devices_remove(entry);
	}

	mutex_lock(&devices_lock);
	if (ret)
		__clear_bit(i, devices_taken);
	else
		devices[i] = entry;
	mutex_unlock(&devices_lock);

	*index = i;
	return ret;
}

/* The platform device of a number, with a reference, or NULL. */
static struct platform_device *devices_get_pdev(unsigned int index)
{
	struct platform_device *pdev = NULL;
	struct devpub_entry *entry;

	mutex_lock(&devices_lock);
	list_for_each_entry(entry, &devices_all, list) {
		if (entry->pdev->id != index)
			continue;
		pdev = entry->pdev;
		get_device(&pdev->dev);
	}
	mutex_unlock(&devices_lock);
	return pdev;
}

/**
 * devpub_devices_publish() - let user space see the devices that there are
 *
 * From here on, a probe lets it see what it makes.
 *
 * Context: module init, which can't fail any more; process context, may sleep.
 */
void devpub_devices_publish(void)
{
	struct platform_device *pdev;
	struct devpub_device *ddev;
	unsigned int i;
	int ret;

	WRITE_ONCE(devices_visible, true);
	for (i = 0; i < DEVPUB_MAX_DEVICES; i++) {
		pdev = devices_get_pdev(i);
		if (!pdev)
			continue;
		/* A probe that did not see the above is over when the lock is ours. */
		device_lock(&pdev->dev);
		ddev = platform_get_drvdata(pdev);
		ret = ddev && !ddev->published ? devpub_device_publish(ddev) : 0;
		if (ret)
			dev_err(&pdev->dev, "can't make /dev/devpub%u (%d): unbind and bind %s to try again\n",
				i, ret, dev_name(&pdev->dev));
		device_unlock(&pdev->dev);
		put_device(&pdev->dev);
	}
}

static struct devpub_entry *devices_take_out(unsigned int index)
{
	struct devpub_entry *entry;

	mutex_lock(&devices_lock);
	entry = devices[index];
	devices[index] = NULL;
	if (entry)
		entry->destroying = true;
	mutex_unlock(&devices_lock);
	return entry;
}

static void devices_put_back(unsigned int index, struct devpub_entry *entry)
{
	mutex_lock(&devices_lock);
	devices[index] = entry;
	if (entry)
		entry->destroying = false;
	else
		__clear_bit(index, devices_taken);
	mutex_unlock(&devices_lock);
}

/* Get the memory of an entry back, or say why that can't be now. */
static int devices_drain(struct devpub_entry *entry, u64 *remaining)
{
	struct devpub_device *ddev;
	int ret;

	/* A probe that is under way ends first, and no other one begins. */
	ret = device_lock_interruptible(&entry->pdev->dev);
	if (ret)
		return ret;
	device_unlock(&entry->pdev->dev);

	ddev = devices_get(entry);
	if (!ddev)
		return 0;
	ret = devpub_device_drain(ddev, remaining);
	/* Somebody has unbound it. */
	if (ret == -ENODEV)
		ret = devpub_device_await(ddev, remaining);
	put_device(&ddev->dev);
	return ret;
}

/**
 * devpub_devices_destroy() - remove a device and give its memory back
 * @index: its number
 * @remaining: receives how many pages on it could not move
 *
 * Context: process context, may sleep.
 * Return: 0, -ENODEV when there is none of this number, or it goes just now;
 * -EBUSY when pages on it can't move at present, -EINTR, -ENOMEM: it is still there.
 */
int devpub_devices_destroy(unsigned int index, u64 *remaining)
{
	struct devpub_entry *entry;
	int ret;

	*remaining = 0;
	if (index >= DEVPUB_MAX_DEVICES)
		return -ENODEV;
	entry = devices_take_out(array_index_nospec(index, DEVPUB_MAX_DEVICES));
	if (!entry)
		return -ENODEV;

	ret = devices_drain(entry, remaining);
	if (!ret) {
		/* Nobody is inside and no page is out: this does not wait for a user. */
		devpub_devices_remove(entry);
		entry = NULL;
	}
	devices_put_back(index, entry);
	return ret;
}

/**
 * devpub_devices_destroy_all() - remove all devices, the newest first
 *
 * Waits for each page on them, as long as it takes, and for those on devices that
 * were unbound before.
 *
 * Context: process context, may sleep; nobody makes or removes devices meanwhile.
 */
void devpub_devices_destroy_all(void)
{
	unsigned int i = DEVPUB_MAX_DEVICES;

	/* All leave at the same time. */
	while (i--)
		if (devices[i])
			platform_device_del(devices[i]->pdev);
	for (i = 0; i < DEVPUB_MAX_DEVICES; i++) {
		if (!devices[i])
			continue;
		devices_bury(devices[i]);
		devices_put_back(i, NULL);
	}
}

/**
 * devpub_devices_init() - let platform devices "devpub" become devices
 *
 * Context: module init.
 * Return: 0 or a negative error.
 */
int devpub_devices_init(void)
{
	int ret;

	ret = devpub_device_init();
	if (ret)
		return ret;
	ret = platform_driver_register(&devices_driver);
	if (ret)
		goto err_device;
	ret = register_pm_notifier(&devices_pm_block);
	if (ret)
		goto err_driver;
	return 0;

err_driver:
	platform_driver_unregister(&devices_driver);
err_device:
	devpub_device_end();
	return ret;
}

/**
 * devpub_devices_exit() - undo devpub_devices_init()
 *
 * Context: module exit or failed init, after devpub_devices_destroy_all().
 */
void devpub_devices_exit(void)
{
	unregister_pm_notifier(&devices_pm_block);
	platform_driver_unregister(&devices_driver);
	devpub_device_end();
}
