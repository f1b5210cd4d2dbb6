/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_PROVIDER_H
#define DEVPUB_PROVIDER_H

#include <linux/types.h>

struct device;
struct devpub_region;

/**
 * struct devpub_provider_ops - a source of physical memory
 * @name:	its name in sysfs and messages
 * @id:		its enum devpub_provider of the ABI
 * @has_resource: another driver has already requested the range in /proc/iomem, so this
 *		module must not request it
 * @claim:	take the memory that @region asks for, so that the kernel does not use it.
 *		Set start, size and node of @region to those of the memory taken.  Must not
 *		write to the range.  Returns 0, or a negative error after a message.  May
 *		sleep, for long
 * @verify:	optional: check the claimed range after it was requested in /proc/iomem, and
 *		correct @region->node.  May write to the range.  Returns 0, or a negative
 *		error after a message
 * @release:	give the memory back.  Can't fail; logs an error when memory is lost
 *
 * To add a kind of memory, add a file that defines one more of these.
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
 * struct devpub_request - a request for memory
 * @provider:	the provider to claim it from
 * @data:	private data of the provider
 * @start:	physical address of the first byte, for providers that need one
 * @size:	size in bytes
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
 * @provider:	the provider that claims and releases it
 * @data:	private data of the provider, from the request
 * @start:	physical address of the first byte
 * @size:	size in bytes
 * @node:	NUMA node, or NUMA_NO_NODE if unknown
 *
 * devpub_region_claim() and the provider fill it in.  It does not change after that.
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
