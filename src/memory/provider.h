/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_PROVIDER_H
#define DEVPUB_PROVIDER_H

#include <linux/types.h>

struct device;
struct devpub_region;

/**
 * struct devpub_provider_ops - a way to come by physical memory
 * @name:	its name in sysfs and messages
 * @id:		its enum devpub_provider of the ABI
 * @has_resource: another driver has requested the range in /proc/iomem already, and
 *		this module must not request it
 * @claim:	take the memory that @region asks for.  Set @region's start, size and node
 *		to what was taken, and leave the range unused by the kernel.  Must not write
 *		to the range.  Logs why it failed.  May sleep, for long
 * @verify:	optional: check the claimed range once nobody else can request it, and
 *		correct @region->node.  May write to the range.  Logs what is wrong
 * @release:	give the memory back.  Can't fail: it logs what is lost
 *
 * New kinds of memory are added as one more file with one more of these.
 */
struct devpub_provider_ops {
	const char *name;
	u32 id;
	bool has_resource;
	int (*claim)(struct devpub_region *region, struct device *dev);
	int (*verify)(struct devpub_region *region, struct device *dev);
	void (*release)(struct devpub_region *region, struct device *dev);
};

extern const struct devpub_provider_ops devpub_provider_carve;
extern const struct devpub_provider_ops devpub_provider_reserved;

/**
 * struct devpub_request - memory that somebody asks for
 * @provider:	where it comes from
 * @data:	the provider's own
 * @start:	physical address of the first byte, for providers that want one
 * @size:	bytes
 * @node:	NUMA node, or NUMA_NO_NODE for any
 */
struct devpub_request {
	const struct devpub_provider_ops *provider;
	void *data;
	u64 start;
	u64 size;
	int node;
};

/**
 * struct devpub_region - a physical range that a provider has claimed
 * @provider:	claims and releases it
 * @data:	the provider's own, from the request
 * @start:	physical address of the first byte
 * @size:	bytes
 * @node:	NUMA node, or NUMA_NO_NODE when none is known
 *
 * devpub_region_claim() and the provider fill it in; nobody changes it after that.
 */
struct devpub_region {
	const struct devpub_provider_ops *provider;
	void *data;
	u64 start;
	u64 size;
	int node;
};

int devpub_region_claim(struct devpub_region *region,
			const struct devpub_request *request, const char *name,
			struct device *dev);
void devpub_region_release(struct devpub_region *region, struct device *dev);

#endif /* DEVPUB_PROVIDER_H */
