// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* refcount: the counts of a device page from its allocation until it is free again. */
#include <kunit/test.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/percpu-refcount.h>

#include "engine/evict.h"
#include "expect.h"
#include "fixture.h"
#include "pte.h"
#include "user.h"

#define MAX_MAPS	3
#define BATCH		8

/* A free page has no reference, no mapping, no lock and no owner. */
static void refcount_expect_free(struct kunit *test, unsigned long pfn)
{
	struct devpub_fixture *fix = test->priv;
	struct page *page = pfn_to_page(pfn);

	devpub_expect_state(test, DEVPUB_STATE_FREE, page, 1, 0);
	KUNIT_EXPECT_PTR_EQ(test, READ_ONCE(page->mapping), NULL);
	KUNIT_EXPECT_FALSE(test, test_bit(pfn - fix->pool->base_pfn,
					  fix->pool->used));
}

static void refcount_free_pages(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	u32 i;

	/* Stop at the first wrong page, because all of them would fill the kernel log. */
	for (i = 0; i < fix->pool->npages && test->status == KUNIT_SUCCESS; i++)
		refcount_expect_free(test, fix->pool->base_pfn + i);
}

/* Allocate @n pages, unlocked. */
static void refcount_alloc(struct kunit *test, unsigned long *pfns, u32 n)
{
	struct devpub_fixture *fix = test->priv;
	struct page *page;
	u32 i;

	KUNIT_ASSERT_EQ(test, devpub_pagemap_alloc(&fix->ddev->pagemap, pfns, n), n);
	for (i = 0; i < n; i++) {
		page = pfn_to_page(pfns[i]);
		KUNIT_EXPECT_TRUE(test, devpub_fixture_owns(fix, pfns[i]));
		devpub_expect_state(test, DEVPUB_STATE_ALLOCATED, page, 1, 0);
		KUNIT_EXPECT_TRUE(test, is_device_coherent_page(page));
		KUNIT_EXPECT_PTR_EQ(test, devpub_pagemap_of_page(page), &fix->ddev->pagemap);
		unlock_page(page);
	}
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool),
			fix->pool->npages - n);
}

/* Expect one call of the free callback for each released page, and all pages to be free. */
static void refcount_expect_freed(struct kunit *test, unsigned long *pfns, u32 n)
{
	struct devpub_fixture *fix = test->priv;
	u32 i;

	KUNIT_EXPECT_EQ(test, atomic_read(&fix->frees), n);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->refused), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->wrong), 0);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool),
			fix->pool->npages);
	for (i = 0; i < n; i++)
		refcount_expect_free(test, pfns[i]);
}

static void refcount_put_page(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	unsigned long pfn;

	refcount_alloc(test, &pfn, 1);
	devpub_fixture_count_frees(fix, true);
	put_page(pfn_to_page(pfn));
	refcount_expect_freed(test, &pfn, 1);
}

/* PG_head and PG_mlocked are excluded: the kernel would act on them before the callback. */
static void refcount_marks_go(struct kunit *test)
{
	const unsigned long set = PAGE_FLAGS_CHECK_AT_PREP &
				  ~(BIT(PG_reserved) | BIT(PG_head) | BIT(PG_mlocked));
	unsigned long pfn, before, *flags;

	refcount_alloc(test, &pfn, 1);
	flags = page_flag_word(pfn_to_page(pfn));
	before = *flags;
	KUNIT_EXPECT_EQ(test, before & PAGE_FLAGS_CHECK_AT_PREP, BIT(PG_reserved));
	*flags |= set;
	put_page(pfn_to_page(pfn));
	KUNIT_EXPECT_EQ(test, *flags, before);
}

/* The callbacks of a coherent page's pagemap tell if it belongs to devpub. */
static void refcount_of_other_driver(struct kunit *test)
{
	static const struct dev_pagemap_ops other_ops;
	struct devpub_fixture *fix = test->priv;
	struct dev_pagemap *pgmap = &fix->ddev->pagemap.pgmap;
	const struct dev_pagemap_ops *ops = pgmap->ops;
	struct devpub_pagemap *pagemap;
	unsigned long pfn;

	refcount_alloc(test, &pfn, 1);
	WRITE_ONCE(pgmap->ops, &other_ops);
	pagemap = devpub_pagemap_of_page(pfn_to_page(pfn));
	WRITE_ONCE(pgmap->ops, ops);
	KUNIT_EXPECT_PTR_EQ(test, pagemap, NULL);
	KUNIT_EXPECT_PTR_EQ(test, devpub_pagemap_of_page(pfn_to_page(pfn)),
			    &fix->ddev->pagemap);
	put_page(pfn_to_page(pfn));
}

static void refcount_release_pages(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct page *pages[BATCH];
	unsigned long pfns[BATCH];
	int i;

	refcount_alloc(test, pfns, BATCH);
	for (i = 0; i < BATCH; i++)
		pages[i] = pfn_to_page(pfns[i]);
	devpub_fixture_count_frees(fix, true);
	release_pages(pages, BATCH);
	refcount_expect_freed(test, pfns, BATCH);
}

/* Release a batch in which each second page is a system page on an LRU list. */
static void refcount_release_mixed_pages(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct page *pages[2 * BATCH];
	struct devpub_user *user;
	unsigned long pfns[BATCH], addr;
	int i;

	user = devpub_user_start(test);
	addr = devpub_user_mmap(test, user, BATCH, PROT_READ | PROT_WRITE);
	for (i = 0; i < BATCH; i++)
		KUNIT_ASSERT_EQ(test, devpub_user_write(user, addr + i * PAGE_SIZE,
							1), 0);
	devpub_fixture_drain_batches(fix);
	refcount_alloc(test, pfns, BATCH);
	for (i = 0; i < BATCH; i++) {
		pages[2 * i] = pfn_to_page(pfns[i]);
		pages[2 * i + 1] = pfn_to_page(devpub_pte_read(user->mm, addr +
							       i * PAGE_SIZE).pfn);
		KUNIT_EXPECT_TRUE(test, PageLRU(pages[2 * i + 1]));
		get_page(pages[2 * i + 1]);
	}
	/* The first half of the system pages stays mapped; the batch releases the others. */
	KUNIT_EXPECT_EQ(test, 0, devpub_user_call(user, __NR_munmap,
						  addr + BATCH / 2 * PAGE_SIZE,
						  BATCH / 2 * PAGE_SIZE));
	for (i = 0; i < BATCH; i++)
		devpub_expect_state(test, i < BATCH / 2 ? DEVPUB_STATE_MAPPED :
				    DEVPUB_STATE_HELD, pages[2 * i + 1], 1,
				    i < BATCH / 2);

	devpub_fixture_count_frees(fix, true);
	release_pages(pages, 2 * BATCH);
	refcount_expect_freed(test, pfns, BATCH);
	for (i = 0; i < BATCH / 2; i++)
		devpub_expect_state(test, DEVPUB_STATE_MAPPED, pages[2 * i + 1],
				    1, 0);
}

/* An extra reference delays the callback, and does not cause a second call. */
static void refcount_extra_reference(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct page *page, *pages[1];
	unsigned long pfn;

	refcount_alloc(test, &pfn, 1);
	page = pfn_to_page(pfn);
	pages[0] = page;
	devpub_fixture_count_frees(fix, true);

	get_page(page);
	devpub_expect_state(test, DEVPUB_STATE_HELD, page, 2, 0);
	put_page(page);
	devpub_expect_state(test, DEVPUB_STATE_HELD, page, 1, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->frees), 0);

	get_page(page);
	release_pages(pages, 1);
	devpub_expect_state(test, DEVPUB_STATE_HELD, page, 1, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->frees), 0);

	put_page(page);
	refcount_expect_freed(test, &pfn, 1);
}

static const int refcount_maps[] = { 1, 2, 3 };

static void refcount_describe(const int *maps, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%d mapped", *maps);
}

KUNIT_ARRAY_PARAM(refcount_maps, refcount_maps, refcount_describe);

/* Create a device page that @n processes map at *@addr. */
static struct page *refcount_map(struct kunit *test, struct devpub_user **users,
				 int maps, unsigned long *addr)
{
	struct devpub_fixture *fix = test->priv;
	struct devpub_pte pte;
	int i;

	users[0] = devpub_user_start(test);
	*addr = devpub_user_mmap(test, users[0], 1, PROT_READ | PROT_WRITE);
	KUNIT_ASSERT_EQ(test, devpub_user_write(users[0], *addr, 1), 0);
	KUNIT_ASSERT_EQ(test, devpub_fixture_migrate(test, users[0], *addr, true,
						     false),
			DEVPUB_REASON_MOVED);
	for (i = 1; i < maps; i++)
		users[i] = devpub_user_fork(test, users[0]);
	for (i = 0; i < maps; i++) {
		pte = devpub_pte_read(users[i]->mm, *addr);
		KUNIT_ASSERT_TRUE(test, pte.present);
		KUNIT_ASSERT_TRUE(test, devpub_fixture_owns(fix, pte.pfn));
	}
	return pfn_to_page(pte.pfn);
}

/* Each mapping holds a reference; the last munmap() frees the page. */
static void refcount_until_last(struct kunit *test, bool exits)
{
	struct devpub_fixture *fix = test->priv;
	int maps = *(const int *)test->param_value;
	struct devpub_user *users[MAX_MAPS];
	unsigned long addr, pfn;
	struct page *page;
	int i;

	page = refcount_map(test, users, maps, &addr);
	pfn = page_to_pfn(page);
	devpub_fixture_count_frees(fix, true);
	for (i = 0; i < maps; i++) {
		devpub_expect_state(test, DEVPUB_STATE_MAPPED, page, maps - i, 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&fix->frees), 0);
		if (exits)
			devpub_user_stop(test, users[i]);
		else
			KUNIT_EXPECT_EQ(test, 0, devpub_user_call(users[i], __NR_munmap,
								  addr, PAGE_SIZE));
	}
	refcount_expect_freed(test, &pfn, 1);
}

static void refcount_of_mappings(struct kunit *test)
{
	refcount_until_last(test, false);
}

/* The end of the last process frees the page. */
static void refcount_of_exits(struct kunit *test)
{
	refcount_until_last(test, true);
}

/* If a holder has the last reference, dropping it frees the page. */
static void refcount_held_past_unmap(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct devpub_user *user;
	unsigned long addr, pfn;
	struct page *page;

	page = refcount_map(test, &user, 1, &addr);
	pfn = page_to_pfn(page);
	devpub_fixture_count_frees(fix, true);
	get_page(page);
	devpub_expect_state(test, DEVPUB_STATE_MAPPED, page, 1, 1);
	KUNIT_EXPECT_EQ(test, 0, devpub_user_call(user, __NR_munmap, addr, PAGE_SIZE));
	devpub_expect_state(test, DEVPUB_STATE_HELD, page, 1, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->frees), 0);
	put_page(page);
	refcount_expect_freed(test, &pfn, 1);
}

/* The migration from the device frees the page. */
static void refcount_of_migration_back(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct devpub_user *users[MAX_MAPS];
	int maps = *(const int *)test->param_value;
	unsigned long addr, pfn;

	pfn = page_to_pfn(refcount_map(test, users, maps, &addr));
	devpub_fixture_count_frees(fix, true);
	KUNIT_EXPECT_EQ(test, devpub_fixture_migrate(test, users[0], addr, false,
						     false),
			DEVPUB_REASON_MOVED);
	refcount_expect_freed(test, &pfn, 1);
}

static void refcount_of_eviction(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct devpub_user *users[MAX_MAPS];
	int maps = *(const int *)test->param_value;
	unsigned long addr, pfn;
	u64 moved;

	pfn = page_to_pfn(refcount_map(test, users, maps, &addr));
	devpub_fixture_count_frees(fix, true);
	KUNIT_EXPECT_EQ(test, devpub_evict(&fix->ddev->endpoint, false, &moved), 0);
	KUNIT_EXPECT_EQ(test, moved, 1);
	refcount_expect_freed(test, &pfn, 1);
}

/* A copy on write drops the reference to the page that was copied. */
static void refcount_of_copy_on_write(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct devpub_user *users[2];
	unsigned long addr, pfn;
	struct page *page;
	u64 value;

	page = refcount_map(test, users, 2, &addr);
	devpub_fixture_count_frees(fix, true);
	KUNIT_EXPECT_EQ(test, devpub_user_write(users[1], addr, 2), 0);
	devpub_expect_state(test, DEVPUB_STATE_MAPPED, page, 1, 0);
	pfn = devpub_pte_read(users[1]->mm, addr).pfn;
	KUNIT_EXPECT_FALSE(test, devpub_fixture_owns(fix, pfn));
	KUNIT_EXPECT_EQ(test, devpub_user_read(users[0], addr, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 1);

	KUNIT_EXPECT_EQ(test, atomic_read(&fix->frees), 0);
	KUNIT_EXPECT_EQ(test, 0, devpub_user_call(users[0], __NR_munmap, addr,
						  PAGE_SIZE));
	pfn = page_to_pfn(page);
	refcount_expect_freed(test, &pfn, 1);
}

/*
 * Return the number of references to a pagemap plus a constant.  memunmap_pages() waits for
 * these references.  They are counted per CPU, and the kernel has no function for the sum.
 */
static long refcount_of_pagemap(struct devpub_fixture *fix)
{
	const struct percpu_ref *ref = &fix->ddev->pagemap.pgmap.ref;
	const unsigned long __percpu *counts;
	long sum = atomic_long_read(&ref->data->count);
	int cpu;

	counts = (const unsigned long __percpu *)ref->percpu_count_ptr;
	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(counts, cpu));
	return sum;
}

static void refcount_pagemap_balances(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct devpub_user *users[MAX_MAPS];
	unsigned long pfns[BATCH], addr;
	struct page *pages[BATCH];
	long at_rest;
	int i;

	/* The pointer is valid only while the references are counted per CPU. */
	KUNIT_ASSERT_EQ(test, fix->ddev->pagemap.pgmap.ref.percpu_count_ptr &
			__PERCPU_REF_ATOMIC_DEAD, 0UL);
	at_rest = refcount_of_pagemap(fix);
	refcount_alloc(test, pfns, BATCH);
	KUNIT_EXPECT_EQ(test, refcount_of_pagemap(fix) - at_rest,
			BATCH * devpub_expect_pagemap_refs);
	for (i = 0; i < BATCH; i++)
		pages[i] = pfn_to_page(pfns[i]);
	get_page(pages[0]);
	KUNIT_EXPECT_EQ(test, refcount_of_pagemap(fix) - at_rest,
			BATCH * devpub_expect_pagemap_refs);
	put_page(pages[0]);
	put_page(pages[0]);
	KUNIT_EXPECT_EQ(test, refcount_of_pagemap(fix) - at_rest,
			(BATCH - 1) * devpub_expect_pagemap_refs);
	release_pages(pages + 1, BATCH - 1);
	KUNIT_EXPECT_EQ(test, refcount_of_pagemap(fix), at_rest);

	/* The number of mappings does not matter. */
	refcount_map(test, users, MAX_MAPS, &addr);
	KUNIT_EXPECT_EQ(test, refcount_of_pagemap(fix) - at_rest,
			devpub_expect_pagemap_refs);
	KUNIT_EXPECT_EQ(test, devpub_fixture_migrate(test, users[0], addr, false,
						     false),
			DEVPUB_REASON_MOVED);
	KUNIT_EXPECT_EQ(test, refcount_of_pagemap(fix), at_rest);
}

/* If the callback is called for a free page, the page still has only one later owner. */
static void refcount_double_free(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	unsigned long pfn, again[2];

	devpub_fixture_count_frees(fix, true);
	refcount_alloc(test, &pfn, 1);
	put_page(pfn_to_page(pfn));
	refcount_expect_freed(test, &pfn, 1);

	devpub_compat_folio_free(fix->ddev->pagemap.pgmap.ops,
				 page_folio(pfn_to_page(pfn)));
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->frees), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->refused), 1);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool),
			fix->pool->npages);
	devpub_fixture_count_frees(fix, false);

	refcount_alloc(test, again, 2);
	KUNIT_EXPECT_NE(test, again[0], again[1]);
	put_page(pfn_to_page(again[0]));
	put_page(pfn_to_page(again[1]));
}

static void refcount_foreign_page(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	unsigned long end = fix->pool->base_pfn + fix->pool->npages;
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_PTR_EQ(test, devpub_pagemap_of_page(page), NULL);
	KUNIT_EXPECT_FALSE(test, devpub_pool_give(fix->pool, page_to_pfn(page)));
	KUNIT_EXPECT_FALSE(test, devpub_pool_give(fix->pool, 0));
	KUNIT_EXPECT_FALSE(test, devpub_pool_give(fix->pool,
						  fix->pool->base_pfn - 1));
	KUNIT_EXPECT_FALSE(test, devpub_pool_give(fix->pool, end));
	devpub_expect_state(test, DEVPUB_STATE_HELD, page, 1, 0);
	__free_page(page);
}

/* The callback is called for a page that is not in the pool of its pagemap. */
static void refcount_foreign_free(struct kunit *test)
{
	struct devpub_fixture *fix = test->priv;
	struct devpub_pagemap *pagemap = &fix->ddev->pagemap;
	struct devpub_pool other = {};
	unsigned long pfn;

	KUNIT_ASSERT_EQ(test, devpub_pool_init(&other, fix->pool->base_pfn +
					       fix->pool->npages, BATCH), 0);
	refcount_alloc(test, &pfn, 1);
	devpub_fixture_count_frees(fix, true);
	pagemap->pool = &other;
	devpub_compat_folio_free(pagemap->pgmap.ops, page_folio(pfn_to_page(pfn)));
	pagemap->pool = fix->pool;
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->frees), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->refused), 1);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(&other), (u32)BATCH);
	KUNIT_EXPECT_EQ(test, devpub_pool_free_pages(fix->pool),
			fix->pool->npages - 1);
	devpub_expect_state(test, DEVPUB_STATE_HELD, pfn_to_page(pfn), 1, 0);
	put_page(pfn_to_page(pfn));
	devpub_pool_destroy(&other);
}

static struct kunit_case refcount_cases[] = {
	KUNIT_CASE(refcount_free_pages),
	KUNIT_CASE(refcount_put_page),
	KUNIT_CASE(refcount_marks_go),
	KUNIT_CASE(refcount_release_pages),
	KUNIT_CASE(refcount_release_mixed_pages),
	KUNIT_CASE(refcount_extra_reference),
	KUNIT_CASE_PARAM(refcount_of_mappings, refcount_maps_gen_params),
	KUNIT_CASE_PARAM(refcount_of_exits, refcount_maps_gen_params),
	KUNIT_CASE(refcount_held_past_unmap),
	KUNIT_CASE_PARAM(refcount_of_migration_back, refcount_maps_gen_params),
	KUNIT_CASE_PARAM(refcount_of_eviction, refcount_maps_gen_params),
	KUNIT_CASE(refcount_of_copy_on_write),
	KUNIT_CASE(refcount_pagemap_balances),
	KUNIT_CASE(refcount_double_free),
	KUNIT_CASE(refcount_foreign_page),
	KUNIT_CASE(refcount_foreign_free),
	KUNIT_CASE(refcount_of_other_driver),
	{}
};

struct kunit_suite devpub_refcount_suite = {
	.name		= "devpub_refcount",
	.init		= devpub_fixture_init,
	.exit		= devpub_fixture_exit,
	.test_cases	= refcount_cases,
};
