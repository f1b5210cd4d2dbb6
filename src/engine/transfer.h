/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_MIGRATE_H
#define DEVPUB_MIGRATE_H

#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/types.h>
#include <linux/vmalloc.h>

#include "engine/rmap.h"
#include "engine/system.h"
#include "memory/pool.h"

struct devpub_device;
struct mm_struct;
struct page;

/* The steps of a window that take time, in order. */
enum devpub_step {
	DEVPUB_STEP_SETUP,
	DEVPUB_STEP_FILL,
	DEVPUB_STEP_PAGES,
	DEVPUB_STEP_FINALIZE,
};

/**
 * struct devpub_migration - one call's tools, allocated once for all its windows
 * @ddev:	the device
 * @mm:		whose pages
 * @to:		to the device, or back from it
 * @populate:	give holes a page on the device
 * @insist:	the device has to be emptied: system memory of any node will do
 * @nodes:	where system pages come from
 * @relatives:	processes that may map the same pages
 * @src:	what migrate_vma_setup() collects, an entry a page of the window
 * @dst:	where each page goes
 * @pfns:	new pages, of the device or of the system, got at once for many
 */
struct devpub_migration {
	struct devpub_device *ddev;
	struct mm_struct *mm;
	bool to;
	bool populate;
	bool insist;
	struct devpub_nodes nodes;
	struct devpub_relatives relatives;
	unsigned long *src;
	unsigned long *dst;
	unsigned long *pfns;
};

int devpub_migrate_begin(struct devpub_migration *m);
void devpub_migrate_end(struct devpub_migration *m);
void devpub_migrate_set_mm(struct devpub_migration *m, struct mm_struct *mm);
void devpub_migrate_window_locked(struct devpub_migration *m, unsigned long start,
				  unsigned long end, u8 *reasons);
int devpub_migrate_window(struct devpub_migration *m, unsigned long start,
			  unsigned long end, u8 *reasons);

/**
 * devpub_migrate_alloc() - allocate an array of something a page of a window, or of some
 * @size: bytes
 *
 * However large, not of pages in a row: who frees such between two migrations has the
 * processor's list of free pages thrown out, from which those of the next one would have
 * come (mm/page_alloc.c, free_unref_page_commit()).
 *
 * Context: process context, may sleep.
 * Return: memory for kvfree(), or NULL.
 */
static inline void *devpub_migrate_alloc(size_t size)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN;

	if (size > KMALLOC_MAX_CACHE_SIZE)
		return __vmalloc(size, gfp);
	return kvmalloc(size, gfp);
}

/**
 * devpub_migrate_drain() - empty this processor's batches of LRU pages
 * @pool: of a device whose pagemap is registered
 *
 * A page in one of them has a reference more, which keeps it from moving.
 * lru_add_drain() is not exported, but is the first thing that a migration, even of
 * nothing, does (mm/migrate_device.c, migrate_device_unmap()).
 *
 * Context: process context.
 */
static inline void devpub_migrate_drain(const struct devpub_pool *pool)
{
	migrate_device_range(NULL, pool->base_pfn, 0);
}

#endif /* DEVPUB_MIGRATE_H */
