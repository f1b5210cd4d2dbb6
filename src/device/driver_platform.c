// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The platform driver: binds to the platform devices that the registry creates. */
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/suspend.h>

#include "device/device.h"
#include "device/driver_platform.h"
#include "device/registry.h"

/*
 * Refuse hibernation while pages are on the device.  A hibernation image does not contain
 * device pages (kernel/power/snapshot.c, saveable_page()), so processes would find other
 * content after resume.  Suspend to RAM preserves device pages.
 */
static int driver_freeze(struct device *dev)
{
	struct devpub_device *ddev = dev_get_drvdata(dev);
	u32 used = devpub_pool_used_pages(&ddev->pool);

	if (!used)
		return 0;
	dev_err(dev, "can't hibernate, because %u page(s) on the device would be lost: evict them or unload devpub first\n",
		used);
	return -EBUSY;
}

static int driver_pm_notify(struct notifier_block *block, unsigned long event,
			    void *data)
{
	if (event != PM_HIBERNATION_PREPARE)
		return NOTIFY_DONE;
	return devpub_registry_may_hibernate() ? NOTIFY_OK :
						 notifier_from_errno(-EBUSY);
}

static struct notifier_block driver_pm_block = {
	.notifier_call = driver_pm_notify,
};

static const struct dev_pm_ops driver_pm_ops = {
	.freeze = pm_sleep_ptr(driver_freeze),
};

static struct platform_driver driver = {
	.probe	= devpub_registry_probe,
	.driver	= {
		.pm		= pm_sleep_ptr(&driver_pm_ops),
		.name		= "devpub",
		.probe_type	= PROBE_FORCE_SYNCHRONOUS,
	},
};

/**
 * devpub_driver_platform_register() - register the driver and its power management notifier
 *
 * Context: module init.
 * Return: 0 or a negative error.
 */
int devpub_driver_platform_register(void)
{
	int ret;

	ret = platform_driver_register(&driver);
	if (ret)
		return ret;
	ret = register_pm_notifier(&driver_pm_block);
	if (ret)
		platform_driver_unregister(&driver);
	return ret;
}

/**
 * devpub_driver_platform_unregister() - undo devpub_driver_platform_register()
 *
 * Context: module exit or failed init; every device has left.
 */
void devpub_driver_platform_unregister(void)
{
	unregister_pm_notifier(&driver_pm_block);
	platform_driver_unregister(&driver);
}
