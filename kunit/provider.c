// SPDX-License-Identifier: GPL-2.0
/*
 * A provider whose every step a test decides, and addresses that nobody uses.
 */
#include <linux/container_of.h>
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/numa.h>
#include <linux/range.h>
#include <linux/sizes.h>

#include "provider.h"

static struct kunit_provider *to_provider(const struct devpub_region *region)
{
	return container_of(region->provider, struct kunit_provider, ops);
}

static int provider_claim(struct devpub_region *region, struct device *dev)
{
	struct kunit_provider *provider = to_provider(region);

	if (provider->error)
		return provider->error;
	if (provider->start)
		region->start = provider->start;
	region->node = first_online_node;
	provider->claims++;
	return 0;
}

static void provider_release(struct devpub_region *region, struct device *dev)
{
	struct kunit_provider *provider = to_provider(region);

	provider->releases++;
	if (provider->released)
		provider->released(provider, region);
}

/**
 * kunit_provider_init() - set up a provider whose claims succeed
 * @provider: the provider
 */
void kunit_provider_init(struct kunit_provider *provider)
{
	*provider = (struct kunit_provider) {
		.ops = {
			.name		= "kunit",
			.claim		= provider_claim,
			.release	= provider_release,
		},
	};
}

/**
 * kunit_provider_hole() - find physical addresses that nobody uses
 * @size: bytes
 *
 * Return: the first address, a multiple of 1 GiB above all memory, or 0 when
 * there is none.
 */
u64 kunit_provider_hole(u64 size)
{
	struct range possible = mhp_get_pluggable_range(true);
	u64 start;

	for (start = 64ULL * SZ_1G;
	     start + size - 1 <= possible.end && start + size - 1 <= iomem_resource.end;
	     start += SZ_1G)
		if (region_intersects(start, size, 0, IORES_DESC_NONE) ==
		    REGION_DISJOINT)
			return start;
	return 0;
}
