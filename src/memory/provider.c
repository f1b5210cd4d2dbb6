// SPDX-License-Identifier: GPL-2.0
/*
 * The region: a physical range that a provider claims and gives back, with its
 * entry in /proc/iomem.
 */
#include <linux/device.h>
#include <linux/ioport.h>

#include "export.h"
#include "memory/provider.h"

/**
 * devpub_region_claim() - take the memory that a region asks for
 * @region: provider, size, node and, for some providers, start are set
 * @dev: for messages
 *
 * On return, start, size and node tell what was got.  Nothing is written to the range
 * before its entry in /proc/iomem keeps others away.
 *
 * Context: process context, may sleep for as long as the provider does.
 * Return: 0, or a negative error after a message that says what to do.
 */
int devpub_region_claim(struct devpub_region *region, struct device *dev)
{
	const struct devpub_provider_ops *provider = region->provider;
	int ret;

	ret = provider->claim(region, dev);
	if (ret)
		return ret;

	if (!request_mem_region(region->start, region->size, region->name)) {
		dev_err(dev, "[mem %#llx-%#llx] is in use, see /proc/iomem\n",
			region->start, region->start + region->size - 1);
		ret = -EBUSY;
		goto err_release;
	}
	ret = provider->verify ? provider->verify(region, dev) : 0;
	if (ret)
		goto err_iomem;
	return 0;

err_iomem:
	release_mem_region(region->start, region->size);
err_release:
	provider->release(region, dev);
	return ret;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_region_claim);

/**
 * devpub_region_release() - give the memory of a claimed region back
 * @region: the region; nothing may be using it
 * @dev: for messages
 *
 * Context: process context, may sleep.
 */
void devpub_region_release(struct devpub_region *region, struct device *dev)
{
	release_mem_region(region->start, region->size);
	region->provider->release(region, dev);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_region_release);
