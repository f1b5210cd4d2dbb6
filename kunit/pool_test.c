// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * pool: keeping track of the free pages of a device (src/memory/pool.c).
 *
 * All cases except the last ones have a pool of their own, with frame numbers that have no
 * pages.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/irq_work.h>
#include <linux/limits.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "fixture.h"
#include "memory/pool.h"

/* A number of pages that uses the last word of the bitmap only partly. */
#define POOL_PAGES	130
#define POOL_BASE	0x123456UL

static int pool_test_init(struct kunit *test)
{
	struct devpub_pool *pool;

	pool = kunit_kzalloc(test, sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return -ENOMEM;
	test->priv = pool;
	return devpub_pool_init(pool, POOL_BASE, POOL_PAGES);
}

static void pool_give_all(struct kunit *test, const unsigned long *pfns, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		KUNIT_EXPECT_TRUE(test, devpub_pool_give(test->priv, pfns[i]));
}

/* Check that each page can be taken exactly once; the counters do not prove that. */
static void pool_expect_whole(struct kunit *test)
{
	struct devpub_pool *pool = test->priv;
	DECLARE_BITMAP(seen, POOL_PAGES) = {};
	unsigned long pfns[POOL_PAGES];
	u32 i, n;

	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(pool), (u32)POOL_PAGES);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(pool->used, POOL_PAGES));
	n = devpub_pool_take(pool, pfns, POOL_PAGES);
	KUNIT_EXPECT_EQ(test, n, (u32)POOL_PAGES);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_FALSE(test, test_and_set_bit(pfns[i] - POOL_BASE,
							  seen));
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(pool), 0U);
	pool_give_all(test, pfns, n);
}

/* Check that all pages are free after each case, also after a failed one. */
static void pool_test_exit(struct kunit *test)
{
	struct devpub_pool *pool = test->priv;

	if (!pool || !pool->used)
		return;
	pool_expect_whole(test);
	devpub_pool_destroy(pool);
}

struct pool_size {
	const char *name;
	unsigned long npages;
	int want;
};

static const struct pool_size pool_sizes[] = {
	{ "none", 0, -EINVAL },
	{ "one", 1, 0 },
	{ "a word of the bitmap less one", BITS_PER_LONG - 1, 0 },
	{ "a word of the bitmap", BITS_PER_LONG, 0 },
	{ "a word of the bitmap and one", BITS_PER_LONG + 1, 0 },
	{ "4 GiB", SZ_4G >> PAGE_SHIFT, 0 },
	{ "more than 32 bits can number", 1UL << 32, -EINVAL },
	{ "a number whose low half is small", (1UL << 32) + 1, -EINVAL },
	{ "the most", ULONG_MAX, -EINVAL },
};

static void pool_size_desc(const struct pool_size *size, char *desc)
{
	strscpy(desc, size->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(pool_size, pool_sizes, pool_size_desc);

static void pool_init_bounds(struct kunit *test)
{
	const struct pool_size *size = test->param_value;
	struct devpub_pool pool = {};
	unsigned long pfn;

	KUNIT_ASSERT_EQ(test, devpub_pool_init(&pool, POOL_BASE, size->npages),
			size->want);
	if (size->want) {
		KUNIT_EXPECT_NULL(test, pool.next);
		KUNIT_EXPECT_NULL(test, pool.used);
		return;
	}
	KUNIT_EXPECT_EQ(test, (unsigned long)pool.npages, size->npages);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(&pool), pool.npages);
	KUNIT_EXPECT_EQ(test, devpub_pool_take(&pool, &pfn, 1), 1U);
	KUNIT_EXPECT_EQ(test, pfn, POOL_BASE);
	KUNIT_EXPECT_TRUE(test, devpub_pool_give(&pool, pfn));
	devpub_pool_destroy(&pool);
	/* A device whose probe fails early destroys a pool that was not set up. */
	devpub_pool_destroy(&pool);
}

/* Pages are taken in ascending order, in batches of any size, until none is left. */
static void pool_take_in_order(struct kunit *test)
{
	static const u32 batches[] = { 1, 3, 60, 1, 64, 0, 1 };
	struct devpub_pool *pool = test->priv;
	unsigned long pfns[POOL_PAGES] = {};
	u32 i, n = 0;

	for (i = 0; i < ARRAY_SIZE(batches); i++) {
		KUNIT_ASSERT_EQ(test, batches[i],
				devpub_pool_take(pool, pfns + n, batches[i]));
		n += batches[i];
		KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(pool),
				POOL_PAGES - n);
		KUNIT_EXPECT_EQ(test, bitmap_weight(pool->used, POOL_PAGES), n);
	}
	KUNIT_ASSERT_EQ(test, n, (u32)POOL_PAGES);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, pfns[i], POOL_BASE + i);
	pool_give_all(test, pfns, n);
}

static void pool_take_none(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, devpub_pool_take(test->priv, NULL, 0), 0U);
}

static void pool_exhausted(struct kunit *test)
{
	struct devpub_pool *pool = test->priv;
	unsigned long pfns[POOL_PAGES], pfn = 0;

	KUNIT_ASSERT_EQ(test, devpub_pool_take(pool, pfns, POOL_PAGES),
			(u32)POOL_PAGES);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(pool), 0U);
	KUNIT_EXPECT_EQ(test, devpub_pool_take(pool, &pfn, 1), 0U);
	KUNIT_EXPECT_EQ(test, pfn, 0UL);

	/* After one page is given back, exactly one can be taken. */
	KUNIT_EXPECT_TRUE(test, devpub_pool_give(pool, POOL_BASE + 77));
	KUNIT_EXPECT_EQ(test, devpub_pool_take(pool, &pfn, 1), 1U);
	KUNIT_EXPECT_EQ(test, pfn, POOL_BASE + 77);
	pool_give_all(test, pfns, POOL_PAGES);
}

/* If fewer pages are free than wanted, take them all, and write nothing beyond. */
static void pool_take_part(struct kunit *test)
{
	struct devpub_pool *pool = test->priv;
	unsigned long pfns[POOL_PAGES + 5];
	u32 i, n = POOL_PAGES - 2;

	for (i = 0; i < ARRAY_SIZE(pfns); i++)
		pfns[i] = ULONG_MAX;
	KUNIT_ASSERT_EQ(test, devpub_pool_take(pool, pfns, n), n);
	KUNIT_ASSERT_EQ(test, devpub_pool_take(pool, pfns + n, 7), 2U);
	KUNIT_EXPECT_EQ(test, pfns[n], POOL_BASE + n);
	KUNIT_EXPECT_EQ(test, pfns[n + 1], POOL_BASE + n + 1);
	for (i = POOL_PAGES; i < ARRAY_SIZE(pfns); i++)
		KUNIT_EXPECT_EQ(test, pfns[i], ULONG_MAX);
	pool_give_all(test, pfns, POOL_PAGES);
}

/* Pages may be given back in any order; the suite's exit checks that each one is free. */
static void pool_give_in_any_order(struct kunit *test)
{
	struct devpub_pool *pool = test->priv;
	unsigned long pfns[POOL_PAGES];
	u32 i;

	KUNIT_ASSERT_EQ(test, devpub_pool_take(pool, pfns, POOL_PAGES),
			(u32)POOL_PAGES);
	/* Steps of 37 reach all pages, because 37 and 130 have no common factor. */
	for (i = 0; i < POOL_PAGES; i++) {
		KUNIT_ASSERT_TRUE(test, devpub_pool_give(pool, POOL_BASE +
							 i * 37 % POOL_PAGES));
		KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(pool), i + 1);
	}
}

static void pool_give_twice(struct kunit *test)
{
	struct devpub_pool *pool = test->priv;
	unsigned long pfns[3];

	KUNIT_ASSERT_EQ(test, devpub_pool_take(pool, pfns, 3), 3U);
	KUNIT_EXPECT_TRUE(test, devpub_pool_give(pool, pfns[1]));
	KUNIT_EXPECT_FALSE(test, devpub_pool_give(pool, pfns[1]));
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(pool), POOL_PAGES - 2U);

	/* The second call must not push the page on the free list again. */
	KUNIT_EXPECT_EQ(test, devpub_pool_take(pool, &pfns[1], 1), 1U);
	KUNIT_EXPECT_EQ(test, pfns[1], POOL_BASE + 1);
	KUNIT_EXPECT_EQ(test, bitmap_weight(pool->used, POOL_PAGES), 3U);
	pool_give_all(test, pfns, 3);
}

struct pool_foreign {
	const char *name;
	unsigned long pfn;
};

static const struct pool_foreign pool_foreigns[] = {
	{ "just below", POOL_BASE - 1 },
	{ "far below", POOL_BASE - POOL_PAGES },
	{ "frame 0", 0 },
	{ "just above", POOL_BASE + POOL_PAGES },
	{ "in the last word of the bitmap", POOL_BASE + POOL_PAGES + 1 },
	{ "far above", POOL_BASE + (1UL << 32) },
	{ "the last frame", ULONG_MAX },
	{ "own, but never taken", POOL_BASE + 64 },
};

static void pool_foreign_desc(const struct pool_foreign *foreign, char *desc)
{
	strscpy(desc, foreign->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(pool_foreign, pool_foreigns, pool_foreign_desc);

static void pool_give_foreign(struct kunit *test)
{
	const struct pool_foreign *foreign = test->param_value;
	struct devpub_pool *pool = test->priv;
	unsigned long pfns[5], next;

	KUNIT_ASSERT_EQ(test, devpub_pool_take(pool, pfns, 5), 5U);
	/* The bits after that of the last page must not matter. */
	bitmap_set(pool->used, POOL_PAGES,
		   round_up(POOL_PAGES, BITS_PER_LONG) - POOL_PAGES);
	KUNIT_EXPECT_FALSE(test, devpub_pool_give(pool, foreign->pfn));
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(pool), POOL_PAGES - 5U);
	KUNIT_EXPECT_EQ(test, bitmap_weight(pool->used, POOL_PAGES), 5U);
	/* The free list is unchanged. */
	KUNIT_EXPECT_EQ(test, devpub_pool_take(pool, &next, 1), 1U);
	KUNIT_EXPECT_EQ(test, next, POOL_BASE + 5);
	KUNIT_EXPECT_TRUE(test, devpub_pool_give(pool, next));
	pool_give_all(test, pfns, 5);
}

/* Together, the workers want more pages than the pool has. */
#define HAMMER_WORKERS	4
#define HAMMER_BATCH	48
#define HAMMER_ROUNDS	3000

/* Number of pages that two workers had at the same time, or that the pool refused. */
static atomic_t pool_wrong;

/**
 * struct pool_mailbox - a page that an interrupt of one processor gives back
 * @work:	the interrupt
 * @pool:	the pool of the page
 * @pfn:	the page, or 0
 */
struct pool_mailbox {
	struct irq_work work;
	struct devpub_pool *pool;
	atomic_long_t pfn;
};

static DEFINE_PER_CPU(struct pool_mailbox, pool_boxes);

/**
 * struct pool_hammer - a worker that takes and gives pages
 * @work:	the work item
 * @pool:	the pool
 * @owner:	the @id of the worker that has each page, or 0; shared by all workers
 * @id:		number of this worker
 */
struct pool_hammer {
	struct work_struct work;
	struct devpub_pool *pool;
	atomic_t *owner;
	int id;
};

static void pool_box_empty(struct irq_work *work)
{
	struct pool_mailbox *box = container_of(work, struct pool_mailbox, work);
	unsigned long pfn = atomic_long_xchg(&box->pfn, 0);

	if (pfn && !devpub_pool_give(box->pool, pfn))
		atomic_inc(&pool_wrong);
}

/* Let an interrupt of this processor give the page back. */
static void pool_give_by_interrupt(struct pool_hammer *hammer, unsigned long pfn)
{
	struct pool_mailbox *box = get_cpu_ptr(&pool_boxes);

	/* Give a page that already waits in the mailbox back here. */
	pfn = atomic_long_xchg(&box->pfn, pfn);
	irq_work_queue(&box->work);
	put_cpu_ptr(&pool_boxes);
	if (pfn && !devpub_pool_give(hammer->pool, pfn))
		atomic_inc(&pool_wrong);
}

static void pool_hammer_round(struct pool_hammer *hammer, unsigned long *pfns,
			      u32 n)
{
	u32 i;

	n = devpub_pool_take(hammer->pool, pfns, n);
	for (i = 0; i < n; i++)
		if (atomic_xchg(&hammer->owner[pfns[i] - POOL_BASE], hammer->id))
			atomic_inc(&pool_wrong);
	for (i = 0; i < n; i++) {
		if (atomic_xchg(&hammer->owner[pfns[i] - POOL_BASE], 0) !=
		    hammer->id)
			atomic_inc(&pool_wrong);
		if (i % 8 == 7)
			pool_give_by_interrupt(hammer, pfns[i]);
		else if (!devpub_pool_give(hammer->pool, pfns[i]))
			atomic_inc(&pool_wrong);
	}
}

static void pool_hammer_work(struct work_struct *work)
{
	struct pool_hammer *hammer = container_of(work, struct pool_hammer, work);
	unsigned long pfns[HAMMER_BATCH];
	struct rnd_state random;
	int i;

	prandom_seed_state(&random, hammer->id);
	for (i = 0; i < HAMMER_ROUNDS; i++) {
		pool_hammer_round(hammer, pfns,
				  prandom_u32_state(&random) % HAMMER_BATCH + 1);
		cond_resched();
	}
}

/* The last reference to a page can be dropped in any context, including interrupts. */
static void pool_concurrent(struct kunit *test)
{
	struct pool_hammer hammers[HAMMER_WORKERS];
	struct workqueue_struct *wq;
	atomic_t *owner;
	int i;

	owner = kunit_kcalloc(test, POOL_PAGES, sizeof(*owner), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, owner);
	wq = alloc_workqueue("devpub_kunit", WQ_UNBOUND, HAMMER_WORKERS);
	KUNIT_ASSERT_NOT_NULL(test, wq);

	atomic_set(&pool_wrong, 0);
	/* Use hard interrupts, also on PREEMPT_RT. */
	for_each_possible_cpu(i)
		per_cpu(pool_boxes, i) = (struct pool_mailbox) {
			.work	= IRQ_WORK_INIT_HARD(pool_box_empty),
			.pool	= test->priv,
		};
	for (i = 0; i < HAMMER_WORKERS; i++) {
		hammers[i] = (struct pool_hammer) {
			.pool		= test->priv,
			.owner		= owner,
			.id		= i + 1,
		};
		INIT_WORK_ONSTACK(&hammers[i].work, pool_hammer_work);
		queue_work(wq, &hammers[i].work);
	}
	destroy_workqueue(wq);
	for (i = 0; i < HAMMER_WORKERS; i++)
		destroy_work_on_stack(&hammers[i].work);
	for_each_possible_cpu(i) {
		irq_work_sync(per_cpu_ptr(&pool_boxes.work, i));
		pool_box_empty(per_cpu_ptr(&pool_boxes.work, i));
	}

	KUNIT_EXPECT_EQ(test, atomic_read(&pool_wrong), 0);
	/* The suite's exit checks the pool. */
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE_PARAM(pool_init_bounds, pool_size_gen_params),
	KUNIT_CASE(pool_take_in_order),
	KUNIT_CASE(pool_take_none),
	KUNIT_CASE(pool_exhausted),
	KUNIT_CASE(pool_take_part),
	KUNIT_CASE(pool_give_in_any_order),
	KUNIT_CASE(pool_give_twice),
	KUNIT_CASE_PARAM(pool_give_foreign, pool_foreign_gen_params),
	KUNIT_CASE_SLOW(pool_concurrent),
	{}
};

struct kunit_suite devpub_pool_suite = {
	.name		= "devpub_pool",
	.init		= pool_test_init,
	.exit		= pool_test_exit,
	.test_cases	= pool_cases,
};

/*
 * Cases with the pages of a device.  The refcount suite checks the counts of pages in use.
 */

static void pool_alloc_pages(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct devpub_pool *pool = fix->pool;
	unsigned long pfns[5];
	int i;

	KUNIT_ASSERT_EQ(test, devpub_pagemap_alloc(&fix->ddev->pagemap, pfns, 5), 5U);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(pool), pool->npages - 5);
	for (i = 0; i < 5; i++) {
		struct page *page = pfn_to_page(pfns[i]);

		KUNIT_EXPECT_TRUE(test, devpub_fixture_owns(fix, pfns[i]));
		devpub_expect_state(test, DEVPUB_STATE_ALLOCATED, page, 1, 0);
		KUNIT_EXPECT_TRUE(test, is_device_coherent_page(page));
		KUNIT_EXPECT_PTR_EQ(test, page_pgmap(page), &fix->ddev->pagemap.pgmap);
		KUNIT_EXPECT_PTR_EQ(test, devpub_pagemap_of_page(page), &fix->ddev->pagemap);
	}
	for (i = 0; i < 5; i++) {
		unlock_page(pfn_to_page(pfns[i]));
		put_page(pfn_to_page(pfns[i]));
		devpub_expect_state(test, DEVPUB_STATE_FREE,
				    pfn_to_page(pfns[i]), 1, 0);
		KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(pool),
				pool->npages - 4 + i);
	}
}

/* Each page of the device can be allocated exactly once, and is free after its last put. */
static void pool_alloc_all(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct devpub_pool *pool = fix->pool;
	unsigned long *pfns, pfn;
	u32 i, n = pool->npages;

	pfns = kvmalloc_array(n + 1, sizeof(*pfns), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pfns);
	KUNIT_EXPECT_EQ(test, devpub_pagemap_alloc(&fix->ddev->pagemap, pfns, n + 1), n);
	KUNIT_EXPECT_EQ(test, devpub_pagemap_alloc(&fix->ddev->pagemap, &pfn, 1), 0U);
	KUNIT_EXPECT_TRUE(test, bitmap_full(pool->used, n));
	for (i = 0; i < n; i++) {
		struct page *page = pfn_to_page(pfns[i]);

		devpub_expect_state(test, DEVPUB_STATE_ALLOCATED, page, 1, 0);
		unlock_page(page);
		put_page(page);
	}
	kvfree(pfns);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(pool->used, n));
}

static void pool_of_other_page(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_NULL(test, devpub_pagemap_of_page(page));
	__free_page(page);
	KUNIT_EXPECT_NULL(test, devpub_pagemap_of_page(ZERO_PAGE(0)));
}

static struct kunit_case pool_pages_cases[] = {
	KUNIT_CASE(pool_alloc_pages),
	KUNIT_CASE(pool_alloc_all),
	KUNIT_CASE(pool_of_other_page),
	{}
};

struct kunit_suite devpub_pool_pages_suite = {
	.name		= "devpub_pool_pages",
	.init		= devpub_fixture_init,
	.exit		= devpub_fixture_exit,
	.test_cases	= pool_pages_cases,
};
