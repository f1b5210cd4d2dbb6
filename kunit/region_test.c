// SPDX-License-Identifier: GPL-2.0
/*
 * region: claiming physical memory and giving it back, by either provider
 * (src/region.c, src/region_carve.c, src/region_reserved.c).
 */
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "fake.h"
#include "region.h"

/* Some address; nothing is looked up there. */
#define HOLE	(64ULL * SZ_1G)

/**
 * struct region_test - what a case has
 * @dev:	for the messages
 * @region:	to claim; cases set provider, start, size and node
 * @claimed:	@region is claimed, and is released after the case
 * @ram:	pages of system memory before the case
 */
struct region_test {
	struct device *dev;
	struct devpub_region region;
	bool claimed;
	unsigned long ram;
};

static int region_test_init(struct kunit *test)
{
	struct region_test *ctx;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	ctx->dev = root_device_register("devpub-kunit");
	if (IS_ERR(ctx->dev))
		return PTR_ERR(ctx->dev);
	ctx->region.name = "devpub-kunit";
	ctx->region.node = NUMA_NO_NODE;
	ctx->ram = totalram_pages();
	test->priv = ctx;
	return 0;
}

static void region_test_exit(struct kunit *test)
{
	struct region_test *ctx = test->priv;

	if (!ctx)
		return;
	if (ctx->claimed)
		devpub_region_release(&ctx->region, ctx->dev);
	root_device_unregister(ctx->dev);
	/*
	 * The page array of memory that was there at boot becomes system memory
	 * when the block goes for the first time.
	 */
	KUNIT_EXPECT_GE(test, totalram_pages(), ctx->ram);
	KUNIT_EXPECT_LE(test, totalram_pages() - ctx->ram,
			PHYS_PFN(memory_block_size_bytes()) *
			sizeof(struct page) / PAGE_SIZE);
}

static int region_claim(struct kunit *test)
{
	struct region_test *ctx = test->priv;
	int ret = devpub_region_claim(&ctx->region, ctx->dev);

	ctx->claimed = !ret;
	return ret;
}

static void region_release(struct kunit *test)
{
	struct region_test *ctx = test->priv;

	devpub_region_release(&ctx->region, ctx->dev);
	ctx->claimed = false;
}

/* How /proc/iomem has a range: REGION_DISJOINT, REGION_INTERSECTS or _MIXED. */
static int region_iomem(u64 start, u64 size)
{
	return region_intersects(start, size, 0, IORES_DESC_NONE);
}

/* Likewise, as system memory. */
static int region_ram(u64 start, u64 size)
{
	return region_intersects(start, size, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE);
}

/* A claim that fails, and leaves things as they were. */
static void region_expect_refusal(struct kunit *test, u64 start, u64 size,
				  int want)
{
	struct region_test *ctx = test->priv;
	int iomem = region_iomem(start, size), node = ctx->region.node;

	ctx->region.start = start;
	ctx->region.size = size;
	KUNIT_EXPECT_EQ(test, region_claim(test), want);
	KUNIT_EXPECT_EQ(test, ctx->region.start, start);
	KUNIT_EXPECT_EQ(test, ctx->region.node, node);
	KUNIT_EXPECT_EQ(test, totalram_pages(), ctx->ram);
	KUNIT_EXPECT_EQ(test, region_iomem(start, size), iomem);
}

struct region_range {
	const char *name;
	u64 start;
	u64 size;
};

static void region_range_desc(const struct region_range *range, char *desc)
{
	strscpy(desc, range->name, KUNIT_PARAM_DESC_SIZE);
}

/* Rounded up to a memory block, some of these would be 0. */
static const struct region_range region_carve_sizes[] = {
	{ "0", .size = 0 },
	{ "1 EiB", .size = 1ULL << 60 },
	{ "16 EiB less a byte", .size = U64_MAX },
	{ "16 EiB less a page", .size = -(u64)PAGE_SIZE },
	{ "16 EiB less 64 MiB", .size = -(u64)SZ_64M },
};

KUNIT_ARRAY_PARAM(region_carve_size, region_carve_sizes, region_range_desc);

static void carve_refuses_size(struct kunit *test)
{
	const struct region_range *range = test->param_value;
	struct region_test *ctx = test->priv;

	ctx->region.provider = &devpub_provider_carve;
	region_expect_refusal(test, 0, range->size, range->size ? -ENOMEM : -EINVAL);
}

static u64 region_half_available(void)
{
	return ((u64)si_mem_available() << PAGE_SHIFT) / 2;
}

/* More than half of what is available, before and after rounding up. */
static void carve_refuses_half(struct kunit *test)
{
	u64 half = region_half_available(), block = memory_block_size_bytes();
	struct region_test *ctx = test->priv;
	void *ballast = NULL;

	/* What is available moves: keep it clear of a multiple of the block. */
	if ((half + SZ_16M) % block < SZ_32M)
		ballast = vmalloc(SZ_64M);
	half = region_half_available();
	ctx->region.provider = &devpub_provider_carve;
	region_expect_refusal(test, 0, half + SZ_16M, -ENOMEM);
	region_expect_refusal(test, 0, rounddown(half, block) + 1, -ENOMEM);
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
	struct region_test *ctx = test->priv;
	int i;

	ctx->region.provider = &devpub_provider_carve;
	for (i = 0; i < ARRAY_SIZE(nodes); i++) {
		ctx->region.node = nodes[i];
		region_expect_refusal(test, 0, 1, -EINVAL);
	}
}

/* Somebody presses ^C while memory is looked for. */
static void carve_interrupted(struct kunit *test)
{
	struct region_test *ctx = test->priv;

	ctx->region.provider = &devpub_provider_carve;
	set_thread_flag(TIF_SIGPENDING);
	region_expect_refusal(test, 0, 1, -EINTR);
	clear_thread_flag(TIF_SIGPENDING);
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
	struct region_test *ctx = test->priv;

	ctx->region.provider = &devpub_provider_carve;
	ctx->region.start = 0;
	ctx->region.size = size;
	ctx->region.node = node;
	KUNIT_ASSERT_EQ(test, region_claim(test), 0);
}

/*
 * A block leaves the system and comes back online.  The second time around the
 * page array counts the same before and after, so the numbers are exact.
 */
static void carve_one_block(struct kunit *test)
{
	u64 block = memory_block_size_bytes();
	struct region_test *ctx = test->priv;
	struct devpub_region *region = &ctx->region;
	unsigned long ram;
	u64 start;
	int node;

	region_carve(test, block, NUMA_NO_NODE);
	start = region->start;
	node = region->node;
	region_release(test);

	ram = totalram_pages();
	region_carve(test, 1, node);
	KUNIT_EXPECT_EQ(test, region->size, block);
	KUNIT_EXPECT_EQ(test, region->start % block, 0ULL);
	KUNIT_EXPECT_EQ(test, region->node, node);
	KUNIT_EXPECT_FALSE(test, pfn_to_online_page(PHYS_PFN(region->start)));
	KUNIT_EXPECT_LE(test, totalram_pages(), ram - PHYS_PFN(block) * 3 / 4);
	KUNIT_EXPECT_EQ(test, region_iomem(region->start, block),
			REGION_INTERSECTS);
	KUNIT_EXPECT_EQ(test, region_ram(region->start, block), REGION_DISJOINT);

	region_release(test);
	KUNIT_EXPECT_EQ(test, region_ram(region->start, block),
			REGION_INTERSECTS);
	KUNIT_ASSERT_TRUE(test, region_is_online(region->start, block));
	KUNIT_EXPECT_EQ(test, pfn_to_nid(PHYS_PFN(region->start)), node);
	if (region->start == start)
		KUNIT_EXPECT_EQ(test, totalram_pages(), ram);
}

/*
 * What was taken and given back in pieces can be taken as one again.  Blocks are
 * taken from the top down, so that the second is likely to lie under the first.
 */
static void carve_pieces_then_whole(struct kunit *test)
{
	u64 block = memory_block_size_bytes();
	struct region_test *ctx = test->priv;
	struct devpub_region upper;

	region_carve(test, block, NUMA_NO_NODE);
	upper = ctx->region;
	ctx->claimed = false;
	ctx->region.size = block;
	ctx->region.node = NUMA_NO_NODE;
	KUNIT_EXPECT_EQ(test, region_claim(test), 0);
	devpub_region_release(&upper, ctx->dev);
	if (!ctx->claimed)
		return;
	region_release(test);
	if (ctx->region.start + block != upper.start)
		kunit_skip(test, "the two blocks are not neighbours");
	region_carve(test, 2 * block, NUMA_NO_NODE);
	KUNIT_EXPECT_EQ(test, ctx->region.start, upper.start - block);
	KUNIT_EXPECT_EQ(test, ctx->region.size, 2 * block);
}

/* Refused before anybody asks what is there. */
static const struct region_range region_reserved_ranges[] = {
	{ "empty", HOLE, 0 },
	{ "empty at 0", 0, 0 },
	{ "size of a byte", HOLE, 1 },
	{ "size of a page", HOLE, PAGE_SIZE },
	{ "size of 1 MiB", HOLE, SZ_1M },
	{ "size a page over", HOLE, SZ_2M + PAGE_SIZE },
	{ "start a byte off", HOLE + 1, SZ_2M },
	{ "start a page off", HOLE + PAGE_SIZE, SZ_2M },
	{ "start 1 MiB off", HOLE + SZ_1M, SZ_2M },
	{ "both off, end aligned", HOLE + SZ_1M, SZ_1M },
	{ "start at 4 EiB", 1ULL << 62, SZ_2M },
	{ "start at the top", -(u64)SZ_2M, SZ_2M },
	{ "end past 2^64", -(u64)SZ_2M, SZ_4M },
	{ "end wraps to the start", HOLE, -(u64)SZ_2M },
	{ "all there is", 0, -(u64)SZ_2M },
	{ "size of 4 EiB", HOLE, 1ULL << 62 },
};

KUNIT_ARRAY_PARAM(region_reserved_range, region_reserved_ranges,
		  region_range_desc);

static void reserved_refuses_range(struct kunit *test)
{
	const struct region_range *range = test->param_value;
	struct region_test *ctx = test->priv;

	ctx->region.provider = &devpub_provider_reserved;
	region_expect_refusal(test, range->start, range->size, -EINVAL);
}

/* Nothing of what the kernel uses can be had, not even at the edge. */
static void reserved_refuses_ram(struct kunit *test)
{
	struct region_test *ctx = test->priv;
	u64 ours = rounddown(virt_to_phys(ctx), SZ_2M);
	u64 image = rounddown(__pa_symbol(&iomem_resource), SZ_2M);
	u64 end = roundup(PFN_PHYS(node_end_pfn(first_online_node)), SZ_2M);

	ctx->region.provider = &devpub_provider_reserved;
	region_expect_refusal(test, ours, SZ_2M, -EINVAL);
	region_expect_refusal(test, image, SZ_2M, -EINVAL);
	region_expect_refusal(test, end - SZ_4M, SZ_8M, -EINVAL);
	region_expect_refusal(test, 0, end + SZ_2M, -EINVAL);
}

/* Another region's range, whole, in part, and with more around it. */
static void reserved_refuses_overlap(struct kunit *test)
{
	struct region_test *ctx = test->priv;
	u64 hole = devpub_fake_hole(SZ_8M);

	KUNIT_ASSERT_NE(test, hole, 0ULL);
	KUNIT_ASSERT_NOT_NULL(test, request_mem_region(hole + SZ_2M, SZ_4M,
						       "devpub-kunit"));
	ctx->region.provider = &devpub_provider_reserved;
	region_expect_refusal(test, hole + SZ_2M, SZ_4M, -EINVAL);
	region_expect_refusal(test, hole + SZ_2M, SZ_2M, -EINVAL);
	region_expect_refusal(test, hole, SZ_4M, -EINVAL);
	region_expect_refusal(test, hole + SZ_4M, SZ_4M, -EINVAL);
	region_expect_refusal(test, hole, SZ_8M, -EINVAL);
	release_mem_region(hole + SZ_2M, SZ_4M);
}

static void reserved_refuses_void(struct kunit *test)
{
	struct region_test *ctx = test->priv;
	u64 hole = devpub_fake_hole(SZ_2M);

	KUNIT_ASSERT_NE(test, hole, 0ULL);
	ctx->region.provider = &devpub_provider_reserved;
	region_expect_refusal(test, hole, SZ_2M, -EINVAL);
}

static bool region_mark(u64 phys, u64 mark, bool set)
{
	u64 *mem = memremap(phys, PAGE_SIZE, MEMREMAP_WB);
	bool is;

	if (!mem)
		return false;
	if (set)
		WRITE_ONCE(*mem, mark);
	is = READ_ONCE(*mem) == mark;
	memunmap(mem);
	return is;
}

static const char *region_iomem_name(u64 start)
{
	struct resource *res;

	for (res = iomem_resource.child; res; res = res->sibling)
		if (res->start == start)
			return res->name;
	return "";
}

/*
 * A range that the kernel leaves alone, as after booting with memmap=: made by
 * carving, without its entry in /proc/iomem.
 */
static void reserved_claims(struct kunit *test)
{
	struct region_test *ctx = test->priv;
	struct devpub_region carved = {
		.provider	= &devpub_provider_carve,
		.size		= memory_block_size_bytes(),
		.node		= NUMA_NO_NODE,
	};
	struct devpub_region *region = &ctx->region;
	u64 last;

	KUNIT_ASSERT_EQ(test, carved.provider->claim(&carved, ctx->dev), 0);
	last = carved.start + carved.size - PAGE_SIZE;
	KUNIT_EXPECT_TRUE(test, region_mark(carved.start, 0x123, true));
	KUNIT_EXPECT_TRUE(test, region_mark(last, 0x456, true));

	region->provider = &devpub_provider_reserved;
	region->start = carved.start;
	region->size = carved.size;
	KUNIT_EXPECT_EQ(test, region_claim(test), 0);
	if (ctx->claimed) {
		KUNIT_EXPECT_EQ(test, region->start, carved.start);
		KUNIT_EXPECT_EQ(test, region_iomem(region->start, region->size),
				REGION_INTERSECTS);
		KUNIT_EXPECT_STREQ(test, region_iomem_name(region->start),
				   region->name);
		/* Looking for memory has left it as it was. */
		KUNIT_EXPECT_TRUE(test, region_mark(carved.start, 0x123, false));
		KUNIT_EXPECT_TRUE(test, region_mark(last, 0x456, false));

		region_release(test);
		KUNIT_EXPECT_EQ(test, region_iomem(region->start, region->size),
				REGION_DISJOINT);
	}
	carved.provider->release(&carved, ctx->dev);
}

/* What a provider gives and somebody else has goes back to it. */
static void region_busy(struct kunit *test)
{
	struct region_test *ctx = test->priv;
	struct devpub_fake fake;
	u64 hole = devpub_fake_hole(SZ_4M);

	KUNIT_ASSERT_NE(test, hole, 0ULL);
	devpub_fake_init(&fake);
	ctx->region.provider = &fake.ops;

	KUNIT_ASSERT_NOT_NULL(test, request_mem_region(hole, SZ_2M,
						       "devpub-kunit"));
	ctx->region.start = hole;
	ctx->region.size = SZ_4M;
	KUNIT_EXPECT_EQ(test, region_claim(test), -EBUSY);
	KUNIT_EXPECT_EQ(test, fake.claims, 1U);
	KUNIT_EXPECT_EQ(test, fake.releases, 1U);
	release_mem_region(hole, SZ_2M);
	KUNIT_EXPECT_EQ(test, region_iomem(hole, SZ_4M), REGION_DISJOINT);

	KUNIT_ASSERT_EQ(test, region_claim(test), 0);
	KUNIT_EXPECT_STREQ(test, region_iomem_name(hole), ctx->region.name);
	region_release(test);
	KUNIT_EXPECT_EQ(test, fake.releases, 2U);
	KUNIT_EXPECT_EQ(test, region_iomem(hole, SZ_4M), REGION_DISJOINT);
}

/* What was not claimed is not released. */
static void region_provider_fails(struct kunit *test)
{
	struct region_test *ctx = test->priv;
	struct devpub_fake fake;

	devpub_fake_init(&fake);
	fake.error = -ENXIO;
	ctx->region.provider = &fake.ops;
	region_expect_refusal(test, devpub_fake_hole(SZ_2M), SZ_2M, -ENXIO);
	KUNIT_EXPECT_EQ(test, fake.claims, 0U);
	KUNIT_EXPECT_EQ(test, fake.releases, 0U);
}

static struct kunit_case region_cases[] = {
	KUNIT_CASE_PARAM(carve_refuses_size, region_carve_size_gen_params),
	KUNIT_CASE(carve_refuses_half),
	KUNIT_CASE(carve_refuses_node),
	KUNIT_CASE(carve_interrupted),
	KUNIT_CASE(carve_one_block),
	KUNIT_CASE(carve_pieces_then_whole),
	KUNIT_CASE_PARAM(reserved_refuses_range,
			 region_reserved_range_gen_params),
	KUNIT_CASE(reserved_refuses_ram),
	KUNIT_CASE(reserved_refuses_overlap),
	KUNIT_CASE(reserved_refuses_void),
	KUNIT_CASE(reserved_claims),
	KUNIT_CASE(region_busy),
	KUNIT_CASE(region_provider_fails),
	{}
};

struct kunit_suite devpub_region_suite = {
	.name		= "devpub_region",
	.init		= region_test_init,
	.exit		= region_test_exit,
	.test_cases	= region_cases,
};
