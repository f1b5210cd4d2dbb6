// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * /dev/devpub-control: creates and removes devices at run time.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include <linux/devpub.h>

#include "device/registry.h"
#include "front/control_ioctl.h"
#include "front/dispatch.h"
#include "memory/provider.h"

/*
 * depmod needs a fixed minor number, so that the file exists before the module is loaded.
 * The kernel leaves 243 to 254 to local use (Documentation/admin-guide/devices.txt).
 */
#define DEVPUB_CONTROL_MINOR	250

static unsigned int control_window;

static int control_create(void *target, void *arg_, bool *answered)
{
	struct devpub_create *arg = arg_;
	struct devpub_device_spec spec = {
		.memory = {
			.start	= arg->start,
			.size	= arg->size,
			.node	= arg->node,
		},
		.window = control_window,
	};
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (arg->flags || arg->index || !arg->size)
		return -EINVAL;
	switch (arg->provider) {
	case DEVPUB_PROVIDER_CARVE:
		if (arg->start)
			return -EINVAL;
		spec.memory.provider = &devpub_provider_carve;
		break;
	case DEVPUB_PROVIDER_RESERVED:
		/* The node follows from the range. */
		if (arg->node != NUMA_NO_NODE)
			return -EINVAL;
		spec.memory.provider = &devpub_provider_reserved;
		break;
	default:
		return -EINVAL;
	}

	ret = devpub_registry_create(&spec, &arg->index);
	*answered = !ret;
	return ret;
}

static int control_destroy(void *target, void *arg_, bool *answered)
{
	struct devpub_destroy *arg = arg_;
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (arg->flags || arg->remaining)
		return -EINVAL;

	ret = devpub_registry_destroy(arg->index, &arg->remaining);
	*answered = !ret || ret == -EBUSY || ret == -EINTR;
	return ret;
}

static const struct devpub_command control_commands[] = {
	DEVPUB_COMMAND(DEVPUB_IOC_CREATE, struct devpub_create,
		       DEVPUB_CREATE_SIZE_VER0, index, control_create),
	DEVPUB_COMMAND(DEVPUB_IOC_DESTROY, struct devpub_destroy,
		       DEVPUB_DESTROY_SIZE_VER0, remaining, control_destroy),
};

static long control_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return devpub_dispatch(control_commands, ARRAY_SIZE(control_commands),
			       NULL, cmd, (void __user *)arg);
}

static const struct file_operations control_fops = {
	.owner		= THIS_MODULE,
	.open		= nonseekable_open,
	.unlocked_ioctl	= control_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice control_device = {
	.minor	= DEVPUB_CONTROL_MINOR,
	.name	= "devpub-control",
	.fops	= &control_fops,
	.mode	= 0600,
};

/**
 * devpub_control_register() - create /dev/devpub-control
 * @window: size of a window in pages, for the devices that it creates
 *
 * Context: module init.
 * Return: 0 or a negative error.
 */
int devpub_control_register(unsigned int window)
{
	int ret;

	control_window = window;
	ret = misc_register(&control_device);
	if (!ret)
		return 0;
	/* Another local driver may use the minor number. */
	control_device.minor = MISC_DYNAMIC_MINOR;
	return misc_register(&control_device);
}

/**
 * devpub_control_unregister() - remove /dev/devpub-control
 *
 * No call is in progress, because an open file keeps the module from being unloaded.
 *
 * Context: module exit.
 */
void devpub_control_unregister(void)
{
	misc_deregister(&control_device);
}

/* The kernel loads the module when the file is opened. */
MODULE_ALIAS_MISCDEV(DEVPUB_CONTROL_MINOR);
MODULE_ALIAS("devname:devpub-control");
