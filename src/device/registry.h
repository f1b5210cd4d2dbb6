/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_REGISTRY_H
#define DEVPUB_REGISTRY_H

#include <linux/list.h>
#include <linux/types.h>

#include "device/device.h"

struct platform_device;

/**
 * struct devpub_registration - a device that was asked for
 * @list:	of all; protected by registry_lock (registry.c), as are the other members
 *		but @spec
 * @pdev:	its platform device, which user space may bind and unbind
 * @spec:	what each probe makes the device of
 * @probed:	the first probe has ended
 * @first_error: what the first probe returned, which the driver core does not pass on
 * @error:	what the last probe returned
 * @destroying:	no probe may begin
 * @ddev:	what the last probe made, with a reference: it may be leaving, or have
 *		left; NULL when there was none
 */
struct devpub_registration {
	struct list_head list;
	struct platform_device *pdev;
	struct devpub_device_spec spec;
	bool probed;
	int first_error;
	int error;
	bool destroying;
	struct devpub_device *ddev;
};

struct devpub_registration *devpub_registry_add(unsigned int index,
					const struct devpub_device_spec *spec);
void devpub_registry_remove(struct devpub_registration *entry);

int devpub_registry_create(const struct devpub_device_spec *spec, unsigned int *index);
void devpub_registry_publish(void);
int devpub_registry_destroy(unsigned int index, u64 *remaining);
void devpub_registry_destroy_all(void);

int devpub_registry_probe(struct platform_device *pdev);
bool devpub_registry_may_hibernate(void);

#endif /* DEVPUB_REGISTRY_H */
