/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_REGION_H
#define DEVPUB_REGION_H

#include <linux/types.h>

struct device;
struct devpub_region;

/**
 * struct devpub_provider_ops - a way to come by physical memory
 * @name:	as sysfs and messages call it
 * @id:		an enum devpub_provider of the ABI
 * @claim:	take @region->start/size/node as asked for, correct them to what was
 *		got, and leave the range unused by the kernel.  Writes nothing to the
 *		range.  Says on the log why it could not.  May sleep, for long
 * @verify:	optional: look at the range that was claimed, now that nobody else can
 *		request it, and correct @region->node.  May write there.  Says on the
 *		log what is wrong
 * @release:	give it back.  Can't fail: it says on the log what is lost
 *
 * A new kind of memory is one more file with one more of these.
 */
struct devpub_provider_ops {
	const char *name;
	u32 id;
	int (*claim)(struct devpub_region *region, struct device *dev);
	int (*verify)(struct devpub_region *region, struct device *dev);
	void (*release)(struct devpub_region *region, struct device *dev);
};

extern const struct devpub_provider_ops devpub_provider_carve;
extern const struct devpub_provider_ops devpub_provider_reserved;

/**
 * struct devpub_region - a physical range and where it came from
 * @provider:	who claims and releases it
 * @start:	physical address of the first byte
 * @size:	bytes
 * @node:	NUMA node, or NUMA_NO_NODE: none known, or none wanted in particular
 * @name:	of its entry in /proc/iomem
 */
struct devpub_region {
	const struct devpub_provider_ops *provider;
	u64 start;
	u64 size;
	int node;
	const char *name;
};

int devpub_region_claim(struct devpub_region *region, struct device *dev);
void devpub_region_release(struct devpub_region *region, struct device *dev);

#endif /* DEVPUB_REGION_H */
