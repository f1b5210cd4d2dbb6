// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * reserved: regions of memory that the kernel does not use
 * (src/memory/provider_reserved.c).
 */
#include <kunit/test.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "claim.h"
#include "fake.h"
#include "fixture.h"
#include "memory/machine.h"
#include "spy.h"

/* Ranges that are refused before /proc/iomem is searched. */
static const struct devpub_claim_range reserved_ranges[] = {
	{ "empty", DEVPUB_CLAIM_HOLE, 0 },
	{ "empty at 0", 0, 0 },
	{ "start at 4 EiB", 1ULL << 62, SZ_2M },
	{ "start at the top", -(u64)SZ_2M, SZ_2M },
	{ "end past 2^64", -(u64)SZ_2M, SZ_4M },
	{ "end wraps to the start", DEVPUB_CLAIM_HOLE, -(u64)SZ_2M },
	{ "all there is", 0, -(u64)SZ_2M },
	{ "size of 4 EiB", DEVPUB_CLAIM_HOLE, 1ULL << 62 },
};

KUNIT_ARRAY_PARAM(reserved_range, reserved_ranges, devpub_claim_range_desc);

static void reserved_refuses_range(struct kunit *test)
{
	const struct devpub_claim_range *range = test->param_value;
	struct devpub_claim *claim = test->priv;

	claim->request.provider = &devpub_provider_reserved;
	devpub_claim_expect_refusal(test, range->start, range->size, -EINVAL);
}

/* Memory above the processor's last address is never mapped for verification. */
static void reserved_refuses_too_far(struct kunit *test)
{
	u64 end = rounddown(devpub_machine_last_address(), SZ_2M) + SZ_2M;
	struct devpub_claim *claim = test->priv;

	KUNIT_EXPECT_LE(test, end - 1, iomem_resource.end);
#ifdef CONFIG_X86
	KUNIT_EXPECT_LE(test, end, 1ULL << boot_cpu_data.x86_phys_bits);
#endif
	claim->request.provider = &devpub_provider_reserved;
	devpub_claim_expect_refusal(test, end, SZ_2M, -EINVAL);
	devpub_claim_expect_refusal(test, end - SZ_2M, SZ_4M, -EINVAL);
	devpub_claim_expect_refusal(test, 2 * end, SZ_2M, -EINVAL);
}

/* A range that overlaps memory of the kernel is refused, even if only at its edge. */
static void reserved_refuses_ram(struct kunit *test)
{
	struct devpub_claim *claim = test->priv;
	u64 ours = rounddown(virt_to_phys(claim), SZ_2M);
	u64 image = rounddown(__pa_symbol(&iomem_resource), SZ_2M);
	u64 end = roundup(PFN_PHYS(node_end_pfn(first_online_node)), SZ_2M);

	claim->request.provider = &devpub_provider_reserved;
	devpub_claim_expect_refusal(test, ours, SZ_2M, -EINVAL);
	devpub_claim_expect_refusal(test, image, SZ_2M, -EINVAL);
	devpub_claim_expect_refusal(test, end - SZ_4M, SZ_8M, -EINVAL);
	devpub_claim_expect_refusal(test, 0, end + SZ_2M, -EINVAL);
}

static void reserved_refuses_void(struct kunit *test)
{
	struct devpub_claim *claim = test->priv;
	u64 hole = devpub_fake_hole(SZ_2M);

	KUNIT_ASSERT_NE(test, hole, 0ULL);
	claim->request.provider = &devpub_provider_reserved;
	devpub_claim_expect_refusal(test, hole, SZ_2M, -EINVAL);
}

/* The caching mode of the provider's verification; memremap() refuses to mix two modes. */
#define RESERVED_MEMREMAP	MEMREMAP_WC

static bool reserved_mark(u64 phys, u64 mark, bool set)
{
	u64 *mem = memremap(phys, PAGE_SIZE, RESERVED_MEMREMAP);
	bool is;

	if (!mem)
		return false;
	if (set)
		WRITE_ONCE(*mem, mark);
	is = READ_ONCE(*mem) == mark;
	memunmap(mem);
	return is;
}

/*
 * Create a range that the kernel does not use, as after booting with memmap=.  It is carved,
 * but has no entry in /proc/iomem.
 */
static void reserved_set_aside(struct kunit *test, struct devpub_region *aside)
{
	struct devpub_claim *claim = test->priv;

	*aside = (struct devpub_region) {
		.provider	= &devpub_provider_carve,
		.size		= memory_block_size_bytes(),
		.node		= NUMA_NO_NODE,
	};
	KUNIT_ASSERT_EQ(test, aside->provider->claim(aside, claim->dev), 0);
	claim->request.provider = &devpub_provider_reserved;
	claim->request.start = aside->start;
	claim->request.size = aside->size;
}

/* Expect the refusal of a range that contains memory. */
static void reserved_expect_refusal(struct kunit *test, u64 start, u64 size)
{
	struct devpub_claim *claim = test->priv;
	int iomem = devpub_claim_iomem(start, size);

	claim->request.start = start;
	claim->request.size = size;
	KUNIT_EXPECT_EQ_MSG(test, devpub_claim_try(test), -EINVAL,
			    "start %#llx, size %#llx", start, size);
	if (claim->claimed)
		devpub_claim_release(test);
	KUNIT_EXPECT_EQ(test, devpub_claim_iomem(start, size), iomem);
}

/* Expect a claim to succeed. */
static void reserved_expect_claim(struct kunit *test, u64 start, u64 size)
{
	struct devpub_claim *claim = test->priv;

	claim->request.start = start;
	claim->request.size = size;
	KUNIT_EXPECT_EQ_MSG(test, devpub_claim_try(test), 0,
			    "start %#llx, size %#llx", start, size);
	if (claim->claimed)
		devpub_claim_release(test);
}

/* An offset within a memory block, which has at least 128 MiB. */
#define RESERVED_INSIDE		SZ_16M

static void reserved_refuses_unaligned(struct kunit *test)
{
	static const struct {
		u64 offset, size;
	} ranges[] = {
		{ 0, 1 }, { 0, PAGE_SIZE }, { 0, SZ_1M }, { 0, SZ_2M + PAGE_SIZE },
		{ 1, SZ_2M }, { PAGE_SIZE, SZ_2M }, { SZ_1M, SZ_2M },
		{ SZ_1M, SZ_1M },
	};
	struct devpub_claim *claim = test->priv;
	struct devpub_region aside;
	u64 start;
	int i;

	reserved_set_aside(test, &aside);
	start = aside.start + RESERVED_INSIDE;
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		reserved_expect_refusal(test, start + ranges[i].offset,
					ranges[i].size);
	reserved_expect_claim(test, start, SZ_2M);
	aside.provider->release(&aside, claim->dev);
}

/* The range of another region: all of it, a part of it, and a range that contains it. */
static void reserved_refuses_overlap(struct kunit *test)
{
	struct devpub_claim *claim = test->priv;
	struct devpub_region aside;
	u64 start;

	reserved_set_aside(test, &aside);
	start = aside.start + RESERVED_INSIDE;
	KUNIT_EXPECT_NOT_NULL(test, request_mem_region(start + SZ_2M, SZ_4M,
						       "devpub-kunit"));
	reserved_expect_refusal(test, start + SZ_2M, SZ_4M);
	reserved_expect_refusal(test, start + SZ_2M, SZ_2M);
	reserved_expect_refusal(test, start, SZ_4M);
	reserved_expect_refusal(test, start + SZ_4M, SZ_4M);
	reserved_expect_refusal(test, start, SZ_8M);
	release_mem_region(start + SZ_2M, SZ_4M);
	reserved_expect_claim(test, start, SZ_8M);
	aside.provider->release(&aside, claim->dev);
}

static void reserved_claims(struct kunit *test)
{
	struct devpub_claim *claim = test->priv;
	struct devpub_region *region = &claim->region;
	struct devpub_region aside;
	u64 start, last;

	reserved_set_aside(test, &aside);
	start = aside.start;
	last = start + aside.size - PAGE_SIZE;
	KUNIT_EXPECT_TRUE(test, reserved_mark(start, 0x123, true));
	KUNIT_EXPECT_TRUE(test, reserved_mark(last, 0x456, true));

	KUNIT_EXPECT_EQ(test, devpub_claim_try(test), 0);
	if (claim->claimed) {
		KUNIT_EXPECT_EQ(test, region->start, start);
		KUNIT_EXPECT_EQ(test, region->size, aside.size);
		KUNIT_EXPECT_EQ(test, devpub_claim_iomem(start, aside.size),
				REGION_INTERSECTS);
		KUNIT_EXPECT_STREQ(test, devpub_claim_iomem_name(start),
				   DEVPUB_CLAIM_NAME);
		/* The verification has restored the content. */
		KUNIT_EXPECT_TRUE(test, reserved_mark(start, 0x123, false));
		KUNIT_EXPECT_TRUE(test, reserved_mark(last, 0x456, false));

		devpub_claim_release(test);
		KUNIT_EXPECT_EQ(test, devpub_claim_iomem(start, aside.size),
				REGION_DISJOINT);
	}
	aside.provider->release(&aside, claim->dev);
}

/* If the kernel is locked down, root may not choose addresses, even of real memory. */
static void reserved_refuses_locked_down(struct kunit *test)
{
	const struct devpub_spy_machine machine = { .locked_down = true };
	struct devpub_claim *claim = test->priv;
	struct devpub_region aside;

	reserved_set_aside(test, &aside);
	devpub_spy_set_machine(&machine);
	KUNIT_EXPECT_EQ(test, devpub_claim_try(test), -EPERM);
	devpub_spy_set_machine(NULL);
	if (claim->claimed)
		devpub_claim_release(test);
	reserved_expect_claim(test, aside.start, aside.size);
	aside.provider->release(&aside, claim->dev);
}

static unsigned int reserved_looks, reserved_early_looks;

static void reserved_look(u64 phys)
{
	reserved_looks++;
	if (region_intersects(phys, PAGE_SIZE, IORESOURCE_BUSY,
			      IORES_DESC_NONE) != REGION_INTERSECTS)
		reserved_early_looks++;
}

/* The verification writes to the range, so the range must be requested before. */
static void reserved_looks_when_claimed(struct kunit *test)
{
	const struct devpub_spy_machine machine = { .mapped = reserved_look };
	struct devpub_claim *claim = test->priv;
	struct devpub_region aside;

	reserved_looks = 0;
	reserved_early_looks = 0;
	reserved_set_aside(test, &aside);
	devpub_spy_set_machine(&machine);
	reserved_expect_claim(test, aside.start, aside.size);
	devpub_spy_set_machine(NULL);
	KUNIT_EXPECT_EQ(test, reserved_looks, 2U);
	KUNIT_EXPECT_EQ(test, reserved_early_looks, 0U);
	aside.provider->release(&aside, claim->dev);
}

static const struct devpub_claim_range reserved_ends[] = {
	{ "first page", .start = 0 },
	{ "last page", .start = PAGE_SIZE },
};

KUNIT_ARRAY_PARAM(reserved_end, reserved_ends, devpub_claim_range_desc);

/*
 * The verification checks both ends.  It treats memory as absent if it can't map it, because
 * another user has mapped it with another caching mode.
 */
static void reserved_looks_at_ends(struct kunit *test)
{
	const struct devpub_claim_range *end = test->param_value;
	struct devpub_claim *claim = test->priv;
	struct devpub_region aside;
	void *mapped;
	u64 phys;

	reserved_set_aside(test, &aside);
	phys = aside.start + (end->start ? aside.size - PAGE_SIZE : 0);
	mapped = memremap(phys, PAGE_SIZE, MEMREMAP_WB);
	KUNIT_EXPECT_NOT_NULL(test, mapped);
	if (mapped) {
		KUNIT_EXPECT_NULL(test, memremap(phys, PAGE_SIZE,
						 RESERVED_MEMREMAP));
		KUNIT_EXPECT_EQ(test, devpub_claim_try(test), -EINVAL);
		if (claim->claimed)
			devpub_claim_release(test);
		memunmap(mapped);
	}
	KUNIT_EXPECT_EQ(test, devpub_claim_try(test), 0);
	if (claim->claimed)
		devpub_claim_release(test);
	aside.provider->release(&aside, claim->dev);
}

static struct kunit_case reserved_cases[] = {
	KUNIT_CASE_PARAM(reserved_refuses_range, reserved_range_gen_params),
	KUNIT_CASE(reserved_refuses_too_far),
	KUNIT_CASE(reserved_refuses_ram),
	KUNIT_CASE(reserved_refuses_void),
	KUNIT_CASE_SLOW(reserved_refuses_unaligned),
	KUNIT_CASE_SLOW(reserved_refuses_overlap),
	KUNIT_CASE(reserved_refuses_locked_down),
	KUNIT_CASE(reserved_looks_when_claimed),
	KUNIT_CASE(reserved_claims),
	KUNIT_CASE_PARAM(reserved_looks_at_ends, reserved_end_gen_params),
	{}
};

struct kunit_suite devpub_reserved_suite = {
	.name		= "devpub_reserved",
	.init		= devpub_claim_init,
	.exit		= devpub_claim_exit,
	.test_cases	= reserved_cases,
};
