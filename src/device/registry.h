/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_DEVICES_H
#define DEVPUB_DEVICES_H

#include <linux/list.h>
#include <linux/types.h>

#include "device/device.h"

struct platform_device;

/**
 * struct devpub_entry - a device that was asked for
 * @list:	of all; protected by a lock in devices.c, as are the others but @spec
 * @pdev:	its platform device, which user space may bind and unbind
 * @spec:	what each probe makes the device of
 * @error:	what became of the last probe, which the driver core keeps to itself
 * @destroying:	no probe may begin
 * @ddev:	what the last probe made, with a reference: it may be leaving, or have
 *		left; NULL when there was none
 */
struct devpub_entry {
	struct list_head list;
	struct platform_device *pdev;
	struct devpub_device_spec spec;
	int error;
	bool destroying;
	struct devpub_device *ddev;
};

struct devpub_entry *devpub_devices_add(unsigned int index,
					const struct devpub_device_spec *spec);
void devpub_devices_remove(struct devpub_entry *entry);

int devpub_devices_create(const struct devpub_region *region,
			  unsigned int window, unsigned int *index);
void devpub_devices_publish(void);
int devpub_devices_destroy(unsigned int index, u64 *remaining);
void devpub_devices_destroy_all(void);

int devpub_devices_init(void);
void devpub_devices_exit(void);

#endif /* DEVPUB_DEVICES_H */
