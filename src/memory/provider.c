// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The region: a physical range that a provider claims and gives back, with its entry in
 * /proc/iomem.
 */
#include <linux/device.h>
#include <linux/ioport.h>

#include "export.h"
#include "memory/provider.h"

static int region_request(const struct devpub_region *region, const char *name,
			  struct device *dev)
{
	if (region->provider->has_resource ||
	    request_mem_region(region->start, region->size, name))
		return 0;
	dev_err(dev, "another driver uses a part of [mem %#llx-%#llx], see /proc/iomem: unload it, or choose another range\n",
		region->start, region->start + region->size - 1);
	return -EBUSY;
}

static void region_unrequest(const struct devpub_region *region)
{
	if (!region->provider->has_resource)
		release_mem_region(region->start, region->size);
}

/**
 * devpub_region_claim() - claim memory
 * @region: receives the claimed region
 * @request: the memory to claim
 * @name: name of the entry in /proc/iomem; must stay valid as long as the region
 * @dev: the device to log messages for
 *
 * This writes to the range only after its entry in /proc/iomem keeps other users away.
 *
 * Context: process context, may sleep for as long as the provider does.
 * Return: 0, or a negative error after a message that says what to do.
 */
int devpub_region_claim(struct devpub_region *region,
			const struct devpub_request *request, const char *name,
			struct device *dev)
{
	const struct devpub_provider_ops *provider = request->provider;
	int ret;

	*region = (struct devpub_region) {
		.provider	= provider,
		.data		= request->data,
		.start		= request->start,
		.size		= request->size,
		.node		= request->node,
	};
	ret = provider->claim(region, dev);
	if (ret)
		return ret;
	ret = region_request(region, name, dev);
	if (ret)
		goto err_release;
	ret = provider->verify ? provider->verify(region, dev) : 0;
	if (ret)
		goto err_unrequest;
	return 0;

err_unrequest:
	region_unrequest(region);
err_release:
	provider->release(region, dev);
	return ret;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_region_claim);

/**
 * devpub_region_release() - give the memory of a claimed region back
 * @region: the region, which is not in use
 * @dev: the device to log messages for
 *
 * Context: process context, may sleep.
 */
void devpub_region_release(struct devpub_region *region, struct device *dev)
{
	region_unrequest(region);
	region->provider->release(region, dev);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_region_release);
