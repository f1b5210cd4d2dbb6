// SPDX-License-Identifier: GPL-2.0
/*
 * The pool: which pages of a device are free.
 *
 * devpub_pool_take() and devpub_pool_give() are the bookkeeping alone.
 * devpub_pool_alloc() hands out struct pages, and the kernel gives them back by
 * the pagemap's free callback when their last reference goes.
 */
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/limits.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#include "export.h"
#include "memory/pool.h"
#include "trace.h"

/* What is below the last page on the stack: no page has this number. */
#define POOL_END	U32_MAX

/* The most pages that are cut off the stack at a time. */
#define POOL_BATCH	64U

/**
 * devpub_pool_init() - set up a pool with all pages free
 * @pool: the pool
 * @base_pfn: frame number of the first page
 * @npages: pages; 1 to 2^32 - 1
 *
 * Pages are handed out from the lowest up while none has come back.
 *
 * Context: process context, may sleep.
 * Return: 0, -EINVAL or -ENOMEM.
 */
int devpub_pool_init(struct devpub_pool *pool, unsigned long base_pfn,
		     unsigned long npages)
{
	u32 i;

	if (!npages || npages > U32_MAX)
		return -EINVAL;

	/*
	 * kvmalloc() warns above 2 GiB, which a device of 2 TiB comes to.  That memory
	 * is short is the caller's to say, in one line.
	 */
	pool->next = __vmalloc(array_size(npages, sizeof(*pool->next)),
			       GFP_KERNEL | __GFP_NOWARN);
	pool->used = __vmalloc(array_size(BITS_TO_LONGS(npages),
					  sizeof(*pool->used)),
			       GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	if (!pool->next || !pool->used) {
		devpub_pool_destroy(pool);
		return -ENOMEM;
	}

	spin_lock_init(&pool->lock);
	pool->base_pfn = base_pfn;
	pool->npages = npages;
	atomic_set(&pool->nfree, npages);
	pool->first = 0;
	for (i = 0; i < npages - 1; i++)
		pool->next[i] = i + 1;
	pool->next[i] = POOL_END;
	return 0;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_pool_init);

/**
 * devpub_pool_destroy() - free what devpub_pool_init() allocated
 * @pool: the pool; no page of it may be out
 *
 * Context: process context, may sleep.
 */
void devpub_pool_destroy(struct devpub_pool *pool)
{
	vfree(pool->used);
	vfree(pool->next);
	pool->used = NULL;
	pool->next = NULL;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_pool_destroy);

/*
 * Cut at most @n pages off the top of the stack.  Only the top changes below us, and only
 * by pages that are put on it: nobody else takes any.
 */
static u32 pool_pop(struct devpub_pool *pool, unsigned long *pfns, u32 n)
{
	u32 first, rest, got;

	/* If a page came back meanwhile: fewer links take less time. */
	for (;; n = DIV_ROUND_UP(n, 2)) {
		first = READ_ONCE(pool->first);
		rest = first;
		for (got = 0; got < n && rest != POOL_END; got++) {
			pfns[got] = pool->base_pfn + rest;
			rest = pool->next[rest];
		}
		if (cmpxchg(&pool->first, first, rest) == first)
			return got;
	}
}

/**
 * devpub_pool_take() - mark free pages as used
 * @pool: the pool
 * @pfns: receives their frame numbers
 * @n: how many are wanted
 *
 * Context: process context.
 * Return: how many were free, at most @n.
 */
u32 devpub_pool_take(struct devpub_pool *pool, unsigned long *pfns, u32 n)
{
	u32 done = 0, got, i;

	do {
		spin_lock(&pool->lock);
		got = pool_pop(pool, pfns + done, min(n - done, POOL_BATCH));
		for (i = 0; i < got; i++)
			set_bit(pfns[done + i] - pool->base_pfn, pool->used);
		spin_unlock(&pool->lock);
		done += got;
	} while (got && done < n);
	atomic_sub(done, &pool->nfree);
	return done;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_pool_take);

/* Inline, since a call of each page that is freed costs half as much again. */
static inline bool pool_give(struct devpub_pool *pool, unsigned long pfn)
{
	unsigned long index = pfn - pool->base_pfn;
	u32 first;

	if (pfn < pool->base_pfn || index >= pool->npages)
		return false;
	if (!test_and_clear_bit(index, pool->used))
		return false;

	/* Before it can be taken again: the number never goes below zero. */
	atomic_inc(&pool->nfree);
	first = READ_ONCE(pool->first);
	do {
		pool->next[index] = first;
	} while (!try_cmpxchg(&pool->first, &first, index));
	return true;
}

/**
 * devpub_pool_give() - mark a used page as free
 * @pool: the pool
 * @pfn: its frame number
 *
 * Context: any; takes no lock.
 * Return: false, and nothing changed, when the page is not the pool's or is
 * free already.
 */
bool devpub_pool_give(struct devpub_pool *pool, unsigned long pfn)
{
	return pool_give(pool, pfn);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_pool_give);

/**
 * devpub_pool_free_pages() - how many pages are free
 * @pool: the pool
 *
 * Context: any.
 * Return: a number that may be old when it is looked at.
 */
u32 devpub_pool_free_pages(struct devpub_pool *pool)
{
	return atomic_read(&pool->nfree);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_pool_free_pages);

/*
 * The last reference to a device page is gone; its mapping and memory cgroup
 * are undone (mm/memremap.c, free_zone_device_folio()).
 */
static void devpub_pool_folio_free(struct folio *folio)
{
	struct page *page = folio_page(folio, 0);
	struct devpub_pool *pool = page_pgmap(page)->owner;
	bool ours;

	/*
	 * munlock() passes device pages by (mm/mlock.c, mlock_pte_range()), so a
	 * page may arrive here marked and counted as locked.  The page allocator
	 * does the same for its pages (mm/page_alloc.c, free_pages_prepare()).
	 */
	if (folio_test_mlocked(folio)) {
		__folio_clear_mlocked(folio);
		mod_zone_page_state(page_zone(page), NR_MLOCK, -1);
	}

	/*
	 * folio_migrate_mapping() and folio_migrate_flags() set flags of the page that
	 * came (swap-backed, active, a processor's own such as MTE's) and clear none of
	 * the page that was: the next owner would inherit them.  The page allocator
	 * clears this list, too (mm/page_alloc.c, __free_pages_prepare()).  The kernel
	 * marks each page of a device as reserved, once for all (mm/mm_init.c,
	 * __init_zone_device_page()).  Nobody else changes the flags of a page without
	 * references (mm/swap.c, __folio_clear_lru_flags(), relies on it, too).
	 */
	*page_flag_word(page) &= ~(PAGE_FLAGS_CHECK_AT_PREP & ~BIT(PG_reserved));

	trace_devpub_free(pool->index, page_to_pfn(page));
	ours = pool_give(pool, page_to_pfn(page));
	devpub_spy_freed(page);
	WARN_ON_ONCE(!ours && !devpub_spy_refused(page));
}

/*
 * The kernel's own handler takes every device page's mapping for that of a file,
 * and follows an anonymous page's into nowhere (mm/memory-failure.c,
 * mf_generic_kill_procs()).
 */
static int pool_memory_failure(struct dev_pagemap *pgmap, unsigned long pfn,
			       unsigned long nr_pages, int mf_flags)
{
	return -ENXIO;
}

DEVPUB_DEFINE_PAGEMAP_OPS(devpub_pagemap_ops, devpub_pool_folio_free,
			  pool_memory_failure);

/**
 * devpub_pool_setup_pagemap() - make a pagemap's pages come from a pool
 * @pool: the pool
 * @pgmap: the pagemap, before devm_memremap_pages().  Its owner becomes @pool
 */
void devpub_pool_setup_pagemap(struct devpub_pool *pool,
			       struct dev_pagemap *pgmap)
{
	pgmap->type = MEMORY_DEVICE_COHERENT;
	pgmap->ops = &devpub_pagemap_ops;
	pgmap->owner = pool;
	pool->pgmap = pgmap;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_pool_setup_pagemap);

/**
 * devpub_pool_alloc() - allocate pages of the device
 * @pool: the pool
 * @pfns: receives their frame numbers
 * @n: how many are wanted
 *
 * Each page has reference count 1 and is locked (mm/memremap.c,
 * zone_device_page_init()).  Its content is whatever was there before: the
 * caller overwrites it whole before anyone sees it.
 *
 * Context: the pagemap is registered and stays so, as it does between
 * devpub_device_enter() and devpub_device_exit().
 * Return: how many were allocated, at most @n.
 */
u32 devpub_pool_alloc(struct devpub_pool *pool, unsigned long *pfns, u32 n)
{
	u32 got = devpub_pool_take(pool, pfns, n), i;

	for (i = 0; i < got; i++)
		zone_device_page_init(pfn_to_page(pfns[i]), pool->pgmap, 0);
	trace_devpub_alloc(pool->index, n, got, got ? pfns[0] : 0);
	return got;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_pool_alloc);

/**
 * devpub_pool_of_page() - the pool that a page comes from
 * @page: a page that the caller holds a reference to
 *
 * Return: its pool, or NULL when no devpub device has it.
 */
struct devpub_pool *devpub_pool_of_page(const struct page *page)
{
	if (!is_device_coherent_page(page) ||
	    page_pgmap(page)->ops != &devpub_pagemap_ops)
		return NULL;
	return page_pgmap(page)->owner;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_pool_of_page);
