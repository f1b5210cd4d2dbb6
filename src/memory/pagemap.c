// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The pagemap: registers a device's memory as coherent, allocates its pages, and frees a
 * page when the kernel has dropped the last reference to it.
 */
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/vmstat.h>

#include "export.h"
#include "memory/pagemap.h"
#include "memory/pool.h"
#include "trace.h"

/*
 * The kernel calls this after it has cleared the page's mapping and uncharged its memory
 * cgroup (mm/memremap.c, free_zone_device_folio()).
 */
static void pagemap_folio_free(struct folio *folio)
{
	struct page *page = folio_page(folio, 0);
	struct devpub_pagemap *pagemap = page_pgmap(page)->owner;

	/*
	 * munlock() skips device pages (mm/mlock.c, mlock_pte_range()), so a page may still be
	 * marked and counted as mlocked here.  The page allocator undoes that for its own pages
	 * as well (mm/page_alloc.c, free_pages_prepare()).
	 */
	if (folio_test_mlocked(folio)) {
		__folio_clear_mlocked(folio);
		mod_zone_page_state(page_zone(page), NR_MLOCK, -1);
	}

	/*
	 * folio_migrate_mapping() and folio_migrate_flags() set flags of the destination page
	 * (swap-backed, active, flags of an architecture such as MTE's), and do not clear
	 * flags that are left over.  Without this, the next owner of the page would inherit
	 * them.  The page allocator clears the same flags (mm/page_alloc.c,
	 * __free_pages_prepare()).  PG_reserved is an exception, because the kernel sets it
	 * once for each device page (mm/mm_init.c, __init_zone_device_page()).  A plain store
	 * suffices, because no other task changes the flags of a page without references;
	 * mm/swap.c, __folio_clear_lru_flags(), relies on that as well.
	 */
	*page_flag_word(page) &= ~(PAGE_FLAGS_CHECK_AT_PREP & ~BIT(PG_reserved));

	trace_devpub_free(pagemap->index, page_to_pfn(page));
	if (!devpub_pool_give(pagemap->pool, page_to_pfn(page)))
		devpub_pool_warn_refused(page_to_pfn(page));
}

/*
 * Reject memory failures.  The kernel's own handler assumes that the mapping of each device
 * page is that of a file, and dereferences an invalid pointer for an anonymous page
 * (mm/memory-failure.c, mf_generic_kill_procs()).
 */
static int pagemap_memory_failure(struct dev_pagemap *pgmap, unsigned long pfn,
				  unsigned long nr_pages, int mf_flags)
{
	return -ENXIO;
}

DEVPUB_DEFINE_PAGEMAP_OPS(pagemap_ops, pagemap_folio_free, pagemap_memory_failure);

/**
 * devpub_pagemap_init() - prepare the registration of a pool's pages
 * @pagemap: the pagemap; the caller sets the range of its @pgmap
 * @pool: the pool, which outlives the registration
 * @index: the device's number, for trace events
 *
 * Context: any.
 */
void devpub_pagemap_init(struct devpub_pagemap *pagemap, struct devpub_pool *pool,
			 unsigned int index)
{
	pagemap->pool = pool;
	pagemap->index = index;
	pagemap->pgmap.type = MEMORY_DEVICE_COHERENT;
	pagemap->pgmap.ops = &pagemap_ops;
	pagemap->pgmap.owner = pagemap;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_pagemap_init);

/**
 * devpub_pagemap_alloc() - allocate pages of the device
 * @pagemap: the pagemap
 * @pfns: receives their frame numbers
 * @n: number of pages to allocate
 *
 * Each page has reference count 1 and is locked (mm/memremap.c, zone_device_page_init()).
 * A page still has the content of its last owner: the caller must overwrite all of it
 * before it maps the page.
 *
 * Context: the pagemap stays registered, as it does between devpub_gate_enter() and
 * devpub_gate_exit().
 * Return: the number of allocated pages, at most @n.
 */
u32 devpub_pagemap_alloc(struct devpub_pagemap *pagemap, unsigned long *pfns, u32 n)
{
	u32 got = devpub_pool_take(pagemap->pool, pfns, n), i;

	for (i = 0; i < got; i++)
		zone_device_page_init(pfn_to_page(pfns[i]), &pagemap->pgmap, 0);
	trace_devpub_alloc(pagemap->index, n, got, got ? pfns[0] : 0);
	return got;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_pagemap_alloc);

/**
 * devpub_pagemap_of_page() - find the pagemap that a page belongs to
 * @page: a page that the caller holds a reference to
 *
 * Context: any.
 * Return: the pagemap, or NULL when the page belongs to no devpub device.
 */
struct devpub_pagemap *devpub_pagemap_of_page(const struct page *page)
{
	if (!is_device_coherent_page(page) || page_pgmap(page)->ops != &pagemap_ops)
		return NULL;
	return page_pgmap(page)->owner;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_pagemap_of_page);
