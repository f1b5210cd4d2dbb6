/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_REGISTRY_H
#define DEVPUB_REGISTRY_H

#include <linux/list.h>
#include <linux/types.h>

#include "device/device.h"

struct platform_device;

/**
 * struct devpub_registration - a requested device
 * @list:	entry of the list of all registrations; registry_lock (registry.c) protects it
 *		and the other members except @spec
 * @pdev:	its platform device, which user space may bind and unbind
 * @spec:	the parameters that each probe uses
 * @probed:	the first probe has ended
 * @first_error: return value of the first probe, which the driver core does not pass on
 * @error:	return value of the last probe
 * @destroying:	no probe may begin
 * @ddev:	the device that the last probe created, with a reference; it may be leaving, or
 *		have left.  NULL if there is none
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

struct devpub_registration *
devpub_registry_add(unsigned int index, const struct devpub_device_spec *spec);
void devpub_registry_remove(struct devpub_registration *entry);

int devpub_registry_create(const struct devpub_device_spec *spec, unsigned int *index);
void devpub_registry_publish(void);
int devpub_registry_destroy(unsigned int index, u64 *remaining);
void devpub_registry_destroy_all(void);

int devpub_registry_probe(struct platform_device *pdev);
bool devpub_registry_may_hibernate(void);

#endif /* DEVPUB_REGISTRY_H */
