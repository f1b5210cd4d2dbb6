// SPDX-License-Identifier: GPL-2.0
/*
 * The devices that were asked for, by parameters or at run time: each is a platform
 * device, which the driver core has the driver in device.c probe.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/platform_device.h>

#include "device.h"
#include "devices.h"
#include "evict.h"

/* Protects the two below, not for as long as a device takes to come or go. */
static DEFINE_MUTEX(devices_lock);
static DECLARE_BITMAP(devices_taken, DEVPUB_MAX_DEVICES);
/* NULL also while a device comes or goes. */
static struct platform_device *devices[DEVPUB_MAX_DEVICES];

/* A later probe, after an unbind, writes here, too. */
static int probe_errors[DEVPUB_MAX_DEVICES];

/* A failed probe is no error to the driver core, but is to who asked for it. */
static struct platform_device *devices_register(unsigned int index,
						struct devpub_device_spec *spec)
{
	struct platform_device *pdev;
	int error;

	spec->error = &probe_errors[index];
	probe_errors[index] = -ENODEV;
	pdev = platform_device_register_data(NULL, "devpub", index, spec,
					     sizeof(*spec));
	if (!IS_ERR(pdev) && probe_errors[index]) {
		error = probe_errors[index];
		platform_device_unregister(pdev);
		return ERR_PTR(error);
	}
	return pdev;
}

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
	struct platform_device *pdev;
	unsigned int i;

	mutex_lock(&devices_lock);
	i = find_first_zero_bit(devices_taken, DEVPUB_MAX_DEVICES);
	if (i < DEVPUB_MAX_DEVICES)
		__set_bit(i, devices_taken);
	mutex_unlock(&devices_lock);
	if (i == DEVPUB_MAX_DEVICES)
		return -ENOSPC;

	pdev = devices_register(i, &spec);

	mutex_lock(&devices_lock);
	if (IS_ERR(pdev))
		__clear_bit(i, devices_taken);
	else
		devices[i] = pdev;
	mutex_unlock(&devices_lock);

	*index = i;
	return PTR_ERR_OR_ZERO(pdev);
}

static struct platform_device *devices_take_out(unsigned int index)
{
	struct platform_device *pdev;

	mutex_lock(&devices_lock);
	pdev = devices[index];
	devices[index] = NULL;
	mutex_unlock(&devices_lock);
	return pdev;
}

static void devices_put_back(unsigned int index, struct platform_device *pdev)
{
	mutex_lock(&devices_lock);
	devices[index] = pdev;
	if (!pdev)
		__clear_bit(index, devices_taken);
	mutex_unlock(&devices_lock);
}

/*
 * Move off what can be moved: the removal of the device waits for each page, for as
 * long as it takes, and can't be interrupted.
 */
static int devices_evict(struct platform_device *pdev, u64 *remaining)
{
	struct devpub_device *ddev = NULL;
	u64 moved;
	int ret;

	*remaining = 0;
	/* Who unbinds the device has the lock until its last page comes free. */
	ret = device_lock_interruptible(&pdev->dev);
	if (ret)
		return ret;
	if (pdev->dev.driver)
		ddev = platform_get_drvdata(pdev);
	if (ddev && !devpub_device_enter(ddev))
		ddev = NULL;
	device_unlock(&pdev->dev);

	if (!ddev)
		return 0;
	ret = devpub_evict(ddev, true, &moved);
	*remaining = devpub_pool_used_pages(&ddev->pool);
	devpub_device_exit(ddev);
	if (!ret && *remaining)
		ret = -EBUSY;
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
	struct platform_device *pdev;
	int ret;

	*remaining = 0;
	if (index >= DEVPUB_MAX_DEVICES)
		return -ENODEV;
	pdev = devices_take_out(array_index_nospec(index, DEVPUB_MAX_DEVICES));
	if (!pdev)
		return -ENODEV;

	ret = devices_evict(pdev, remaining);
	if (!ret) {
		platform_device_unregister(pdev);
		pdev = NULL;
	}
	devices_put_back(index, pdev);
	return ret;
}

/**
 * devpub_devices_destroy_all() - remove all devices, the newest first
 *
 * Waits for each page on them, as long as it takes.
 *
 * Context: process context, may sleep; nobody makes or removes devices meanwhile.
 */
void devpub_devices_destroy_all(void)
{
	unsigned int i = DEVPUB_MAX_DEVICES;

	while (i--) {
		if (!devices[i])
			continue;
		platform_device_unregister(devices[i]);
		devices_put_back(i, NULL);
	}
}
