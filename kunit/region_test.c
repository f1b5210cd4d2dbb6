// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * region: claiming and releasing physical memory (src/memory/provider.c), and taking it from
 * the running system (src/memory/provider_carve.c).
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/ioport.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "claim.h"
#include "fake.h"
#include "fixture.h"
#include "spy.h"

/* Rounding up to a memory block would overflow to 0 for some of these sizes. */
static const struct devpub_claim_range region_carve_sizes[] = {
	{ "0", .size = 0 },
	{ "1 EiB", .size = 1ULL << 60 },
	{ "16 EiB less a byte", .size = U64_MAX },
	{ "16 EiB less a page", .size = -(u64)PAGE_SIZE },
	{ "16 EiB less 64 MiB", .size = -(u64)SZ_64M },
};

KUNIT_ARRAY_PARAM(region_carve_size, region_carve_sizes, devpub_claim_range_desc);

/*
 * Expect a refusal while a signal is pending.  The signal would end a search with -EINTR before
 * it changes anything, so another error proves that there was no search.
 */
static void region_expect_interrupted(struct kunit *test, u64 size, int want)
{
	set_thread_flag(TIF_SIGPENDING);
	devpub_claim_expect_refusal(test, 0, size, want);
	clear_thread_flag(TIF_SIGPENDING);
}

static void carve_refuses_size(struct kunit *test)
{
	const struct devpub_claim_range *range = test->param_value;
	struct devpub_claim *claim = test->priv;

	claim->request.provider = &devpub_provider_carve;
	region_expect_interrupted(test, range->size,
				  range->size ? -ENOMEM : -EINVAL);
}

static u64 region_half_available(void)
{
	return ((u64)si_mem_available() << PAGE_SHIFT) / 2;
}

/* More than half of the available memory, before and after rounding up. */
static void carve_refuses_half(struct kunit *test)
{
	u64 half = region_half_available(), block = memory_block_size_bytes();
	struct devpub_claim *claim = test->priv;
	void *ballast = NULL;

	/* Available memory varies meanwhile, so keep away from a multiple of the block size. */
	if ((half + SZ_16M) % block < SZ_32M) {
		ballast = vmalloc(SZ_64M);
		KUNIT_ASSERT_NOT_NULL(test, ballast);
	}
	half = region_half_available();
	claim->request.provider = &devpub_provider_carve;
	region_expect_interrupted(test, half + SZ_16M, -ENOMEM);
	region_expect_interrupted(test, rounddown(half, block) + 1, -ENOMEM);
	vfree(ballast);
}

static int region_offline_node(void)
{
	int node;

	for (node = 0; node < MAX_NUMNODES; node++)
		if (!node_online(node))
			return node;
	return MAX_NUMNODES;
}

static void carve_refuses_node(struct kunit *test)
{
	const int nodes[] = {
		region_offline_node(), MAX_NUMNODES, MAX_NUMNODES + 1, INT_MAX,
		-2, INT_MIN,
	};
	struct devpub_claim *claim = test->priv;
	int i;

	claim->request.provider = &devpub_provider_carve;
	for (i = 0; i < ARRAY_SIZE(nodes); i++) {
		claim->request.node = nodes[i];
		devpub_claim_expect_refusal(test, 0, 1, -EINVAL);
	}
}

/* A signal interrupts the search for memory. */
static void carve_interrupted(struct kunit *test)
{
	struct devpub_claim *claim = test->priv;

	claim->request.provider = &devpub_provider_carve;
	region_expect_interrupted(test, 1, -EINTR);
}

static bool region_memory_is_kept(void)
{
	return true;
}

/* A balloon driver would keep the memory when it is given back. */
static void carve_refuses_balloon(struct kunit *test)
{
	const struct devpub_spy_machine machine = {
		.keeps_memory = region_memory_is_kept,
	};
	struct devpub_claim *claim = test->priv;

	claim->request.provider = &devpub_provider_carve;
	devpub_spy_set_machine(&machine);
	devpub_claim_expect_refusal(test, 0, 1, -EOPNOTSUPP);
	devpub_spy_set_machine(NULL);
}

/* Longer than any wait in these cases, and shorter than the timeout of a case. */
#define REGION_PATIENCE		msecs_to_jiffies(60000)

static DECLARE_COMPLETION(region_lock_taken);
static DECLARE_COMPLETION(region_lock_wanted);

/* The thread that claims first calls this, with carve_lock held. */
static bool region_hold_lock(void)
{
	complete(&region_lock_taken);
	wait_for_completion_timeout(&region_lock_wanted, REGION_PATIENCE);
	return true;
}

static int region_claim_thread(void *data)
{
	struct devpub_claim *claim = data;
	const struct devpub_request request = {
		.provider	= &devpub_provider_carve,
		.size		= 1,
		.node		= NUMA_NO_NODE,
	};
	struct devpub_region region;

	return devpub_region_claim(&region, &request, "devpub-kunit-thread",
				   claim->dev);
}

/* A signal interrupts the wait while another device takes memory, which may last long. */
static void carve_interrupted_in_line(struct kunit *test)
{
	const struct devpub_spy_machine machine = {
		.keeps_memory = region_hold_lock,
	};
	struct devpub_claim *claim = test->priv;
	struct task_struct *other;

	reinit_completion(&region_lock_taken);
	reinit_completion(&region_lock_wanted);
	devpub_spy_set_machine(&machine);
	other = kthread_create(region_claim_thread, claim, "devpub-kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	get_task_struct(other);
	wake_up_process(other);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&region_lock_taken,
							  REGION_PATIENCE), 0UL);

	claim->request.provider = &devpub_provider_carve;
	region_expect_interrupted(test, 1, -EINTR);
	/* The other thread still holds the lock. */
	KUNIT_EXPECT_EQ(test, region_lock_wanted.done, 0U);
	complete(&region_lock_wanted);
	KUNIT_EXPECT_EQ(test, kthread_stop(other), -EOPNOTSUPP);
	put_task_struct(other);
	devpub_spy_set_machine(NULL);
}

/* Compare a range with the system memory in /proc/iomem. */
static int region_ram(u64 start, u64 size)
{
	return region_intersects(start, size, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE);
}

static bool region_is_online(u64 start, u64 size)
{
	unsigned long pfn, end = PHYS_PFN(start + size);

	for (pfn = PHYS_PFN(start); pfn < end; pfn += PAGES_PER_SECTION)
		if (!pfn_to_online_page(pfn))
			return false;
	return pfn_to_online_page(end - 1);
}

static void region_carve(struct kunit *test, u64 size, int node)
{
	struct devpub_claim *claim = test->priv;

	claim->request.provider = &devpub_provider_carve;
	claim->request.start = 0;
	claim->request.size = size;
	claim->request.node = node;
	KUNIT_ASSERT_EQ(test, devpub_claim_try(test), 0);
}

/*
 * A block is taken from the system and comes back online.  The first time, its page array
 * becomes system memory.  So the numbers of pages are exact the second time.
 */
static void carve_one_block(struct kunit *test)
{
	u64 block = memory_block_size_bytes();
	struct devpub_claim *claim = test->priv;
	struct devpub_region *region = &claim->region;
	unsigned long ram;
	u64 start;
	int node;

	region_carve(test, block, NUMA_NO_NODE);
	start = region->start;
	node = region->node;
	devpub_claim_release(test);

	ram = totalram_pages();
	region_carve(test, 1, node);
	KUNIT_EXPECT_EQ(test, region->size, block);
	KUNIT_EXPECT_EQ(test, region->start % block, 0ULL);
	KUNIT_EXPECT_EQ(test, region->node, node);
	KUNIT_EXPECT_FALSE(test, pfn_to_online_page(PHYS_PFN(region->start)));
	KUNIT_EXPECT_LE(test, totalram_pages(), ram - PHYS_PFN(block) * 3 / 4);
	KUNIT_EXPECT_EQ(test, devpub_claim_iomem(region->start, block),
			REGION_INTERSECTS);
	KUNIT_EXPECT_EQ(test, region_ram(region->start, block), REGION_DISJOINT);

	devpub_claim_release(test);
	KUNIT_EXPECT_EQ(test, region_ram(region->start, block),
			REGION_INTERSECTS);
	KUNIT_ASSERT_TRUE(test, region_is_online(region->start, block));
	KUNIT_EXPECT_EQ(test, pfn_to_nid(PHYS_PFN(region->start)), node);
	if (region->start == start)
		KUNIT_EXPECT_EQ(test, totalram_pages(), ram);
}

static int region_fills(struct resource *res, void *data)
{
	const struct resource *range = data;

	return res->start == range->start && res->end == range->end;
}

/* Return true if one entry of system memory contains the range; the walk clips entries. */
static bool region_is_one(u64 start, u64 size)
{
	struct resource range = { .start = start, .end = start + size - 1 };

	return walk_iomem_res_desc(IORES_DESC_NONE,
				   IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
				   range.start, range.end, &range,
				   region_fills) == 1;
}

/*
 * Memory that was given back in pieces can be taken as a whole again.  The case claims two
 * blocks at once and releases them one by one, because two blocks that are claimed separately
 * need not be neighbours.  The last claim may take other blocks.
 */
static void carve_pieces_then_whole(struct kunit *test)
{
	u64 block = memory_block_size_bytes();
	struct devpub_claim *claim = test->priv;
	struct devpub_region lower = {
		.provider	= &devpub_provider_carve,
		.size		= 2 * block,
		.node		= NUMA_NO_NODE,
	}, upper;

	KUNIT_ASSERT_EQ(test, lower.provider->claim(&lower, claim->dev), 0);
	lower.size = block;
	upper = lower;
	upper.start += block;
	KUNIT_EXPECT_FALSE(test, region_is_one(lower.start, 2 * block));
	upper.provider->release(&upper, claim->dev);
	lower.provider->release(&lower, claim->dev);
	KUNIT_EXPECT_TRUE(test, region_is_one(lower.start, 2 * block));
	region_carve(test, 2 * block, lower.node);
	KUNIT_EXPECT_EQ(test, claim->region.size, 2 * block);
}

/* If another user has requested the range, it is released to its provider. */
static void region_busy(struct kunit *test)
{
	struct devpub_claim *claim = test->priv;
	struct devpub_fake fake;
	u64 hole = devpub_fake_hole(SZ_4M);

	KUNIT_ASSERT_NE(test, hole, 0ULL);
	devpub_fake_init(&fake);
	claim->request.provider = &fake.ops;
	claim->request.data = &fake;

	KUNIT_ASSERT_NOT_NULL(test, request_mem_region(hole, SZ_2M,
						       "devpub-kunit"));
	claim->request.start = hole;
	claim->request.size = SZ_4M;
	KUNIT_EXPECT_EQ(test, devpub_claim_try(test), -EBUSY);
	KUNIT_EXPECT_EQ(test, fake.claims, 1U);
	KUNIT_EXPECT_EQ(test, fake.releases, 1U);
	release_mem_region(hole, SZ_2M);
	KUNIT_EXPECT_EQ(test, devpub_claim_iomem(hole, SZ_4M), REGION_DISJOINT);

	KUNIT_ASSERT_EQ(test, devpub_claim_try(test), 0);
	KUNIT_EXPECT_STREQ(test, devpub_claim_iomem_name(hole), DEVPUB_CLAIM_NAME);
	devpub_claim_release(test);
	KUNIT_EXPECT_EQ(test, fake.releases, 2U);
	KUNIT_EXPECT_EQ(test, devpub_claim_iomem(hole, SZ_4M), REGION_DISJOINT);
}

/* A failed claim is not released. */
static void region_provider_fails(struct kunit *test)
{
	struct devpub_claim *claim = test->priv;
	struct devpub_fake fake;

	devpub_fake_init(&fake);
	fake.error = -ENXIO;
	claim->request.provider = &fake.ops;
	claim->request.data = &fake;
	devpub_claim_expect_refusal(test, devpub_fake_hole(SZ_2M), SZ_2M, -ENXIO);
	KUNIT_EXPECT_EQ(test, fake.claims, 0U);
	KUNIT_EXPECT_EQ(test, fake.releases, 0U);
}

/* A provider verifies the range after it was requested, and its result counts. */
static void region_verify(struct kunit *test)
{
	struct devpub_claim *claim = test->priv;
	struct devpub_fake fake;
	u64 hole = devpub_fake_hole(SZ_2M);

	KUNIT_ASSERT_NE(test, hole, 0ULL);
	devpub_fake_init(&fake);
	devpub_fake_verify(&fake);
	claim->request.provider = &fake.ops;
	claim->request.data = &fake;
	claim->request.start = hole;
	claim->request.size = SZ_2M;
	KUNIT_ASSERT_EQ(test, devpub_claim_try(test), 0);
	KUNIT_EXPECT_TRUE(test, fake.verified_busy);
	devpub_claim_release(test);

	fake.verify_error = -ENXIO;
	KUNIT_EXPECT_EQ(test, devpub_claim_try(test), -ENXIO);
	KUNIT_EXPECT_EQ(test, fake.releases, 2U);
	KUNIT_EXPECT_EQ(test, devpub_claim_iomem(hole, SZ_2M), REGION_DISJOINT);
}

static struct kunit_case region_cases[] = {
	KUNIT_CASE_PARAM(carve_refuses_size, region_carve_size_gen_params),
	KUNIT_CASE(carve_refuses_half),
	KUNIT_CASE(carve_refuses_node),
	KUNIT_CASE(carve_interrupted),
	KUNIT_CASE(carve_refuses_balloon),
	KUNIT_CASE_SLOW(carve_interrupted_in_line),
	KUNIT_CASE_SLOW(carve_one_block),
	KUNIT_CASE_SLOW(carve_pieces_then_whole),
	KUNIT_CASE(region_busy),
	KUNIT_CASE(region_provider_fails),
	KUNIT_CASE(region_verify),
	{}
};

struct kunit_suite devpub_region_suite = {
	.name		= "devpub_region",
	.init		= devpub_claim_init,
	.exit		= devpub_claim_exit,
	.test_cases	= region_cases,
};
