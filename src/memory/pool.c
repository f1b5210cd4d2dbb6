// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The pool: keeps track of the free pages of a device.
 *
 * Free pages form a stack, linked by page number.  Pages are pushed without a lock, because
 * the last reference to a page can be dropped in any context.  Pages are popped under @lock,
 * so no other task pops a page while the links below it are read.
 */
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/vmalloc.h>

#include "export.h"
#include "memory/pool.h"

/* Ends the stack: no page has this number. */
#define POOL_END	U32_MAX

/* Maximum number of pages that are popped at a time. */
#define POOL_BATCH	64U

/**
 * devpub_pool_init() - set up a pool with all pages free
 * @pool: the pool
 * @base_pfn: frame number of the first page
 * @npages: number of pages; 1 to 2^32 - 1
 *
 * Pages are allocated in ascending order until the first page is freed.
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
	 * kvmalloc() would warn above 2 GiB, which a device of 2 TiB needs.  The caller logs
	 * one line when memory is short, so the allocator must not warn.
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
 * devpub_pool_destroy() - free the memory that devpub_pool_init() allocated
 * @pool: the pool; no page of it is in use
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

/* Pop at most @n pages.  Return their number. */
static u32 pool_pop(struct devpub_pool *pool, unsigned long *pfns, u32 n)
{
	u32 first, rest, got;

	lockdep_assert_held(&pool->lock);
	/* If a page was pushed meanwhile, retry with fewer pages, which takes less time. */
	for (;; n = DIV_ROUND_UP(n, 2)) {
		first = READ_ONCE(pool->first);
		rest = first;
		for (got = 0; got < n && rest != POOL_END; got++) {
			pfns[got] = pool->base_pfn + rest;
			rest = READ_ONCE(pool->next[rest]);
		}
		if (cmpxchg(&pool->first, first, rest) == first)
			return got;
	}
}

/**
 * devpub_pool_take() - mark free pages as used
 * @pool: the pool
 * @pfns: receives their frame numbers
 * @n: number of pages to take
 *
 * Context: process context.
 * Return: the number of pages taken, at most @n.
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

/**
 * devpub_pool_give() - mark a used page as free
 * @pool: the pool
 * @pfn: its frame number
 *
 * Context: any; takes no lock.
 * Return: false, with nothing changed, if the page does not belong to the pool or is
 * already free.
 */
bool devpub_pool_give(struct devpub_pool *pool, unsigned long pfn)
{
	unsigned long index = pfn - pool->base_pfn;
	u32 first;

	if (pfn < pool->base_pfn || index >= pool->npages)
		return false;
	if (!test_and_clear_bit(index, pool->used))
		return false;

	/* Count the page before it can be taken, so that @nfree never becomes negative. */
	atomic_inc(&pool->nfree);
	first = READ_ONCE(pool->first);
	do {
		WRITE_ONCE(pool->next[index], first);
	} while (!try_cmpxchg(&pool->first, &first, index));
	return true;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_pool_give);

/**
 * devpub_pool_warn_refused() - warn once that devpub_pool_give() refused a freed page
 * @pfn: its frame number
 *
 * Context: any.
 */
void devpub_pool_warn_refused(unsigned long pfn)
{
	WARN_ONCE(true, "devpub: page frame %#lx was freed, but was not in use\n", pfn);
}

/**
 * devpub_pool_free_pages() - count the free pages
 * @pool: the pool
 *
 * Context: any.
 * Return: the number of free pages, which may be outdated at once.
 */
u32 devpub_pool_free_pages(struct devpub_pool *pool)
{
	return atomic_read(&pool->nfree);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_pool_free_pages);

/**
 * devpub_pool_used_pages() - count the pages in use
 * @pool: the pool
 *
 * Context: any.
 * Return: the number of used pages, which may be outdated at once.
 */
u32 devpub_pool_used_pages(struct devpub_pool *pool)
{
	return pool->npages - devpub_pool_free_pages(pool);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_pool_used_pages);

/**
 * devpub_pool_next_used() - find the next page in use
 * @pool: the pool
 * @pfn: the frame number to begin at, at least the pool's first
 *
 * This may find or miss a page that is taken or given at the same time.
 *
 * Context: any.
 * Return: its frame number, or 0 if no page from @pfn on is in use.
 */
unsigned long devpub_pool_next_used(const struct devpub_pool *pool, unsigned long pfn)
{
	unsigned long index = find_next_bit(pool->used, pool->npages,
					    pfn - pool->base_pfn);

	return index < pool->npages ? pool->base_pfn + index : 0;
}
