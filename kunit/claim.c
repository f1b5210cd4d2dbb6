// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * A region for one case, and checks of what a claim changes in the system.
 */
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/numa.h>
#include <linux/string.h>

#include "claim.h"

/**
 * devpub_claim_init() - .init of a suite whose cases claim regions
 * @test: the case; its priv becomes a struct devpub_claim
 *
 * Return: 0 or a negative error, which fails the case.
 */
int devpub_claim_init(struct kunit *test)
{
	struct devpub_claim *claim;

	claim = kunit_kzalloc(test, sizeof(*claim), GFP_KERNEL);
	if (!claim)
		return -ENOMEM;
	/* Register it without a module: 6.1 runs the cases before this module is in sysfs. */
	claim->dev = __root_device_register("devpub-kunit", NULL);
	if (IS_ERR(claim->dev))
		return PTR_ERR(claim->dev);
	claim->request.node = NUMA_NO_NODE;
	claim->ram = totalram_pages();
	test->priv = claim;
	return 0;
}

/**
 * devpub_claim_exit() - .exit of a suite whose cases claim regions
 * @test: the case
 *
 * Checks that the system has its memory back, also after a failed case.
 */
void devpub_claim_exit(struct kunit *test)
{
	unsigned long block = PHYS_PFN(memory_block_size_bytes());
	struct devpub_claim *claim = test->priv;

	if (!claim)
		return;
	if (claim->claimed)
		devpub_claim_release(test);
	root_device_unregister(claim->dev);
	/*
	 * When a block of boot memory is removed for the first time, its page array becomes
	 * system memory.  A case takes at most two blocks.
	 */
	KUNIT_EXPECT_GE(test, totalram_pages(), claim->ram);
	KUNIT_EXPECT_LE(test, totalram_pages() - claim->ram,
			2 * PHYS_PFN(block * sizeof(struct page)));
}

/**
 * devpub_claim_range_desc() - describe a parameter
 * @range: the parameter
 * @desc: receives its name
 */
void devpub_claim_range_desc(const struct devpub_claim_range *range, char *desc)
{
	strscpy(desc, range->name, KUNIT_PARAM_DESC_SIZE);
}

/**
 * devpub_claim_try() - claim the region
 * @test: the case
 *
 * Return: as devpub_region_claim().
 */
int devpub_claim_try(struct kunit *test)
{
	struct devpub_claim *claim = test->priv;
	int ret = devpub_region_claim(&claim->region, &claim->request,
				      DEVPUB_CLAIM_NAME, claim->dev);

	claim->claimed = !ret;
	return ret;
}

/**
 * devpub_claim_release() - release the claimed region
 * @test: the case
 */
void devpub_claim_release(struct kunit *test)
{
	struct devpub_claim *claim = test->priv;

	devpub_region_release(&claim->region, claim->dev);
	claim->claimed = false;
}

/**
 * devpub_claim_iomem() - check if a range has entries in /proc/iomem
 * @start: physical address
 * @size: size in bytes
 *
 * Return: REGION_DISJOINT, REGION_INTERSECTS or REGION_MIXED.
 */
int devpub_claim_iomem(u64 start, u64 size)
{
	return region_intersects(start, size, 0, IORES_DESC_NONE);
}

/**
 * devpub_claim_iomem_name() - get the name of the entry for a range in /proc/iomem
 * @start: physical address of its beginning
 *
 * The lock of the resource tree is not exported, and the exported walks of the tree do not
 * return names.  Only the running case changes the tree, so this needs no lock.
 *
 * Return: the name of the entry of /proc/iomem that begins there, or "".
 */
const char *devpub_claim_iomem_name(u64 start)
{
	struct resource *res;

	for (res = iomem_resource.child; res; res = res->sibling)
		if (res->start == start)
			return res->name;
	return "";
}

/**
 * devpub_claim_expect_refusal() - expect a claim to fail and to change nothing
 * @test: the case; provider and node are set in its request
 * @start: requested address
 * @size: requested size in bytes
 * @want: the expected error
 */
void devpub_claim_expect_refusal(struct kunit *test, u64 start, u64 size,
				 int want)
{
	struct devpub_claim *claim = test->priv;
	int iomem = devpub_claim_iomem(start, size), node = claim->request.node;

	claim->request.start = start;
	claim->request.size = size;
	KUNIT_EXPECT_EQ(test, devpub_claim_try(test), want);
	KUNIT_EXPECT_EQ(test, claim->region.start, start);
	KUNIT_EXPECT_EQ(test, claim->region.node, node);
	KUNIT_EXPECT_EQ(test, totalram_pages(), claim->ram);
	KUNIT_EXPECT_EQ(test, devpub_claim_iomem(start, size), iomem);
}
