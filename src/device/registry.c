// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The registry: contains the devices that module parameters or DEVPUB_IOC_CREATE request,
 * and their numbers.  Each has a platform device to which the platform driver binds.  User
 * space may unbind and bind it again through sysfs.
 */
#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "device/device.h"
#include "device/registry.h"
#include "export.h"

/* Protects the variables below.  It is not held while a device is created or removed. */
static DEFINE_MUTEX(registry_lock);
static LIST_HEAD(registry_all);
static DECLARE_BITMAP(registry_taken, DEVPUB_MAX_DEVICES);
/* Registrations by number.  An entry is NULL while its device is created or removed. */
static struct devpub_registration *registry_entries[DEVPUB_MAX_DEVICES];
/* False until module init can't fail any more, as an open file must not outlive the code. */
static bool registry_visible;

/* Find the registration of a platform device. */
static struct devpub_registration *registry_find(const struct platform_device *pdev)
{
	struct devpub_registration *entry;

	lockdep_assert_held(&registry_lock);
	list_for_each_entry(entry, &registry_all, list)
		if (entry->pdev == pdev)
			return entry;
	return NULL;
}

static struct devpub_device *registry_get(struct devpub_registration *entry)
{
	struct devpub_device *ddev;

	mutex_lock(&registry_lock);
	ddev = entry->ddev;
	if (ddev)
		get_device(&ddev->dev);
	mutex_unlock(&registry_lock);
	return ddev;
}

/* Set the device of a registration with a reference, and drop the former device. */
static void registry_set(struct devpub_registration *entry, struct devpub_device *ddev)
{
	struct devpub_device *former;

	if (ddev)
		get_device(&ddev->dev);
	mutex_lock(&registry_lock);
	former = entry->ddev;
	entry->ddev = ddev;
	mutex_unlock(&registry_lock);
	if (former)
		put_device(&former->dev);
}

static void registry_leave(void *data)
{
	devpub_device_leave(data);
}

static int registry_setup(struct devpub_registration *entry)
{
	struct device *parent = &entry->pdev->dev;
	struct devpub_device *ddev = entry->ddev;
	int ret;

	if (ddev && !devpub_device_has_left(ddev)) {
		dev_err(parent, "can't bind yet, because %u page(s) are still in use since the device was unbound: end the I/O that holds them, then bind it again\n",
			devpub_pool_used_pages(&ddev->pool));
		return -EBUSY;
	}
	registry_set(entry, NULL);

	ddev = devpub_device_create(parent, entry->pdev->id, &entry->spec);
	if (IS_ERR(ddev))
		return PTR_ERR(ddev);
	registry_set(entry, ddev);
	ret = devm_add_action_or_reset(parent, registry_leave, ddev);
	if (ret)
		return ret;
	if (READ_ONCE(registry_visible)) {
		ret = devpub_device_publish(ddev);
		if (ret)
			return ret;
	}
	dev_set_drvdata(parent, ddev);
	return 0;
}

/**
 * devpub_registry_probe() - create the device of a platform device
 * @pdev: the platform device
 *
 * Context: the platform driver's probe, with the device lock of @pdev.
 * Return: 0; -ENODEV if this module did not create @pdev; -EBUSY if the device is being
 * destroyed, or if its memory is not given back since it was unbound; or an error of the
 * device's creation.
 */
int devpub_registry_probe(struct platform_device *pdev)
{
	struct devpub_registration *entry;
	int ret;

	mutex_lock(&registry_lock);
	entry = registry_find(pdev);
	/* User space can bind this driver to any platform device by driver_override. */
	ret = !entry ? -ENODEV : entry->destroying ? -EBUSY : 0;
	mutex_unlock(&registry_lock);
	if (ret)
		return ret;
	/* The entry stays: it is freed after its platform device is removed. */
	ret = registry_setup(entry);
	mutex_lock(&registry_lock);
	if (!entry->probed)
		entry->first_error = ret;
	entry->probed = true;
	entry->error = ret;
	mutex_unlock(&registry_lock);
	return ret;
}

/**
 * devpub_registry_may_hibernate() - check that no page is on a device that is leaving
 *
 * The freeze callback of the driver does not cover such a device, because it is unbound.
 *
 * Context: process context, may sleep.
 * Return: false, after a message, if pages would be lost.
 */
bool devpub_registry_may_hibernate(void)
{
	struct devpub_registration *entry;
	struct devpub_device *ddev;
	bool may = true;
	u32 used;

	mutex_lock(&registry_lock);
	list_for_each_entry(entry, &registry_all, list) {
		ddev = entry->ddev;
		if (!ddev || !devpub_gate_is_closed_for_good(&ddev->gate))
			continue;
		used = devpub_pool_used_pages(&ddev->pool);
		if (!used)
			continue;
		dev_err(&ddev->dev, "can't hibernate, because %u page(s) are still in use since the device was unbound, and would be lost: end the I/O that holds them first\n",
			used);
		may = false;
	}
	mutex_unlock(&registry_lock);
	return may;
}

/**
 * devpub_registry_add() - let the driver core probe a new device
 * @index: its number
 * @spec: its parameters
 *
 * Context: process context, may sleep; takes seconds for carved memory.
 * Return: the entry, to be removed by devpub_registry_remove(); its @error is the return
 * value of the probe.  A negative error if the platform device can't be created.
 */
struct devpub_registration *
devpub_registry_add(unsigned int index, const struct devpub_device_spec *spec)
{
	struct devpub_registration *entry;
	int ret = -ENOMEM;

	entry = kzalloc_obj(*entry);
	if (!entry)
		return ERR_PTR(-ENOMEM);
	entry->spec = *spec;
	entry->first_error = -ENODEV;
	entry->error = -ENODEV;
	entry->pdev = platform_device_alloc("devpub", index);
	if (!entry->pdev)
		goto err_free;

	mutex_lock(&registry_lock);
	list_add_tail(&entry->list, &registry_all);
	mutex_unlock(&registry_lock);
	ret = platform_device_add(entry->pdev);
	if (!ret)
		return entry;

	mutex_lock(&registry_lock);
	list_del(&entry->list);
	mutex_unlock(&registry_lock);
	platform_device_put(entry->pdev);
err_free:
	kfree(entry);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_registry_add);

/*
 * Wait until the memory of an entry is given back, and free the entry.  The platform device
 * of the entry is deleted.  A module can't refuse its exit, so this waits for each page that
 * a user holds.  It holds no lock, does not sleep in D state, and does not block a suspend.
 */
static void registry_bury(struct devpub_registration *entry)
{
	if (entry->ddev)
		wait_for_completion_state(&entry->ddev->left,
					  TASK_IDLE | TASK_FREEZABLE);
	registry_set(entry, NULL);
	mutex_lock(&registry_lock);
	list_del(&entry->list);
	mutex_unlock(&registry_lock);
	/* Drop it last, because registry_find() compares addresses of platform devices. */
	platform_device_put(entry->pdev);
	kfree(entry);
}

/**
 * devpub_registry_remove() - undo devpub_registry_add()
 * @entry: the entry
 *
 * Waits for each page on the device without a time limit.
 *
 * Context: process context, without locks.
 */
void devpub_registry_remove(struct devpub_registration *entry)
{
	platform_device_del(entry->pdev);
	registry_bury(entry);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_registry_remove);

/**
 * devpub_registry_create() - create a device
 * @spec: its parameters
 * @index: receives its number, the lowest that is free
 *
 * Context: process context, may sleep; takes seconds for carved memory.
 * Return: 0, -ENOSPC if there are DEVPUB_MAX_DEVICES, or another negative error.
 */
int devpub_registry_create(const struct devpub_device_spec *spec, unsigned int *index)
{
	struct devpub_registration *entry;
	unsigned int i;
	int ret;

	mutex_lock(&registry_lock);
	i = find_first_zero_bit(registry_taken, DEVPUB_MAX_DEVICES);
	if (i < DEVPUB_MAX_DEVICES)
		__set_bit(i, registry_taken);
	mutex_unlock(&registry_lock);
	if (i == DEVPUB_MAX_DEVICES)
		return -ENOSPC;

	entry = devpub_registry_add(i, spec);
	ret = PTR_ERR_OR_ZERO(entry);
	if (!ret) {
		/*
		 * The driver core does not report a failed probe.  Use the result of the first
		 * probe: user space may have unbound and bound the device since, and may hold
		 * pages of it.
		 */
		ret = READ_ONCE(entry->first_error);
		if (ret)
			devpub_registry_remove(entry);
	}

	mutex_lock(&registry_lock);
	if (ret)
		__clear_bit(i, registry_taken);
	else
		registry_entries[i] = entry;
	mutex_unlock(&registry_lock);

	*index = i;
	return ret;
}

/* Return the platform device of a number, with a reference, or NULL. */
static struct platform_device *registry_get_pdev(unsigned int index)
{
	struct platform_device *pdev = NULL;
	struct devpub_registration *entry;

	mutex_lock(&registry_lock);
	list_for_each_entry(entry, &registry_all, list) {
		if (entry->pdev->id != index)
			continue;
		pdev = entry->pdev;
		get_device(&pdev->dev);
	}
	mutex_unlock(&registry_lock);
	return pdev;
}

/**
 * devpub_registry_publish() - make all devices visible to user space
 *
 * From here on, each probe publishes the device that it creates.
 *
 * Context: module init, which can't fail any more; process context, may sleep.
 */
void devpub_registry_publish(void)
{
	struct platform_device *pdev;
	struct devpub_device *ddev;
	unsigned int i;
	int ret;

	WRITE_ONCE(registry_visible, true);
	for (i = 0; i < DEVPUB_MAX_DEVICES; i++) {
		pdev = registry_get_pdev(i);
		if (!pdev)
			continue;
		/* The device lock waits for a probe that has read registry_visible as false. */
		device_lock(&pdev->dev);
		ddev = platform_get_drvdata(pdev);
		ret = ddev && !ddev->published ? devpub_device_publish(ddev) : 0;
		if (ret)
			dev_err(&pdev->dev, "can't create /dev/devpub%u (%d): unbind and bind %s to try again\n",
				i, ret, dev_name(&pdev->dev));
		device_unlock(&pdev->dev);
		put_device(&pdev->dev);
	}
}

static struct devpub_registration *registry_take_out(unsigned int index)
{
	struct devpub_registration *entry;

	mutex_lock(&registry_lock);
	entry = registry_entries[index];
	registry_entries[index] = NULL;
	if (entry)
		entry->destroying = true;
	mutex_unlock(&registry_lock);
	return entry;
}

static void registry_put_back(unsigned int index, struct devpub_registration *entry)
{
	mutex_lock(&registry_lock);
	registry_entries[index] = entry;
	if (entry)
		entry->destroying = false;
	else
		__clear_bit(index, registry_taken);
	mutex_unlock(&registry_lock);
}

/* Move all pages off the device of an entry.  Return 0 if no page is left, else an error. */
static int registry_drain(struct devpub_registration *entry, u64 *remaining)
{
	struct devpub_device *ddev;
	int ret;

	/* Wait for a probe in progress.  @destroying keeps others from beginning. */
	ret = device_lock_interruptible(&entry->pdev->dev);
	if (ret)
		return ret;
	device_unlock(&entry->pdev->dev);

	ddev = registry_get(entry);
	if (!ddev)
		return 0;
	ret = devpub_device_drain(ddev, remaining);
	/* The device was unbound, and is leaving. */
	if (ret == -ENODEV)
		ret = devpub_device_await(ddev, remaining);
	put_device(&ddev->dev);
	return ret;
}

/**
 * devpub_registry_destroy() - remove a device and give its memory back
 * @index: its number
 * @remaining: receives the number of pages on it that could not move
 *
 * Context: process context, may sleep.
 * Return: 0; -ENODEV if no device has this number, or it is being created or removed;
 * -EBUSY if pages on it can't move at present, -EINTR, or -ENOMEM, and the device stays.
 */
int devpub_registry_destroy(unsigned int index, u64 *remaining)
{
	struct devpub_registration *entry;
	int ret;

	*remaining = 0;
	if (index >= DEVPUB_MAX_DEVICES)
		return -ENODEV;
	entry = registry_take_out(array_index_nospec(index, DEVPUB_MAX_DEVICES));
	if (!entry)
		return -ENODEV;

	ret = registry_drain(entry, remaining);
	if (!ret) {
		/* No call is inside and no page is in use, so this waits for no user. */
		devpub_registry_remove(entry);
		entry = NULL;
	}
	registry_put_back(index, entry);
	return ret;
}

/**
 * devpub_registry_destroy_all() - remove all devices, beginning with the highest number
 *
 * Waits for each page on them without a time limit, also on devices that were unbound
 * before.
 *
 * Context: process context, may sleep; no other task creates or removes devices.
 */
void devpub_registry_destroy_all(void)
{
	unsigned int i = DEVPUB_MAX_DEVICES;

	/* First let all leave, so that they evict at the same time. */
	while (i--)
		if (registry_entries[i])
			platform_device_del(registry_entries[i]->pdev);
	for (i = 0; i < DEVPUB_MAX_DEVICES; i++) {
		if (!registry_entries[i])
			continue;
		registry_bury(registry_entries[i]);
		registry_put_back(i, NULL);
	}
}
