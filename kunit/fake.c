// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * A provider that a test controls, and unused physical addresses.
 */
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/nodemask.h>
#include <linux/range.h>
#include <linux/sizes.h>

#include "fake.h"

static struct devpub_fake *to_fake(const struct devpub_region *region)
{
	return region->data;
}

static int fake_claim(struct devpub_region *region, struct device *dev)
{
	struct devpub_fake *fake = to_fake(region);

	if (fake->error)
		return fake->error;
	region->node = first_online_node;
	fake->claims++;
	return 0;
}

static void fake_release(struct devpub_region *region, struct device *dev)
{
	struct devpub_fake *fake = to_fake(region);

	fake->releases++;
	if (fake->released)
		fake->released(fake, region);
}

/**
 * devpub_fake_init() - set up a provider whose claims succeed
 * @fake: the provider
 */
void devpub_fake_init(struct devpub_fake *fake)
{
	*fake = (struct devpub_fake) {
		.ops = {
			.name		= "kunit",
			.claim		= fake_claim,
			.release	= fake_release,
		},
	};
}

static int fake_verify(struct devpub_region *region, struct device *dev)
{
	struct devpub_fake *fake = to_fake(region);

	fake->verified_busy = region_intersects(region->start, region->size,
						IORESOURCE_BUSY,
						IORES_DESC_NONE) ==
			      REGION_INTERSECTS;
	return fake->verify_error;
}

/**
 * devpub_fake_verify() - let a provider verify the claimed range
 * @fake: the provider
 */
void devpub_fake_verify(struct devpub_fake *fake)
{
	fake->ops.verify = fake_verify;
}

/**
 * devpub_fake_hole() - find unused physical addresses
 * @size: size in bytes
 *
 * Return: the first address, a multiple of 1 GiB above all memory, or 0 if there is none.
 */
u64 devpub_fake_hole(u64 size)
{
	struct range possible = mhp_get_pluggable_range(true);
	u64 end = min(possible.end, iomem_resource.end);
	u64 start;

	for (start = 64ULL * SZ_1G; start + size - 1 <= end; start += SZ_1G)
		if (region_intersects(start, size, 0, IORES_DESC_NONE) ==
		    REGION_DISJOINT)
			return start;
	return 0;
}
