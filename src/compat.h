/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What older kernels lack, under the newest kernel's names.  The build includes
 * this file before every source file, so that the rest of the module is written
 * for the newest kernel only; without this file, it is.
 *
 * src/probes.sh finds out what a kernel has.
 */
#ifndef DEVPUB_COMPAT_H
#define DEVPUB_COMPAT_H

#include <linux/compiler_attributes.h>
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/kconfig.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/slab.h>

#if !IS_ENABLED(CONFIG_64BIT) || !IS_ENABLED(CONFIG_ZONE_DEVICE) || \
	!IS_ENABLED(CONFIG_DEVICE_MIGRATION) || \
	!IS_ENABLED(CONFIG_MEMORY_HOTREMOVE)
#error devpub needs 64BIT, ZONE_DEVICE, DEVICE_MIGRATION and MEMORY_HOTREMOVE in the kernel
#endif

/*
 * After 6.12: dev_pagemap_ops.page_free(page) became folio_free(folio), which the
 * kernel calls when the last reference to a device page is gone.
 */
#ifdef DEVPUB_HAVE_FOLIO_FREE
#define DEVPUB_DEFINE_PAGEMAP_OPS(name, free_folio, failure)		\
	static const struct dev_pagemap_ops name = {			\
		.folio_free	= free_folio,				\
		.memory_failure	= failure,				\
	}
#define devpub_compat_folio_free(ops, folio)	((ops)->folio_free(folio))
#else
#define DEVPUB_DEFINE_PAGEMAP_OPS(name, free_folio, failure)		\
	static void name##_page_free(struct page *page)			\
	{								\
		free_folio(page_folio(page));				\
	}								\
	static const struct dev_pagemap_ops name = {			\
		.page_free	= name##_page_free,			\
		.memory_failure	= failure,				\
	}
#define devpub_compat_folio_free(ops, folio)	((ops)->page_free(&(folio)->page))
#endif

/* After 6.12: a page's pagemap is set at each allocation, no more once for all. */
#ifndef DEVPUB_HAVE_PAGE_INIT_PGMAP
static inline void devpub_compat_page_init(struct page *page,
					   struct dev_pagemap *pgmap,
					   unsigned int order)
{
	zone_device_page_init(page);
}

#define zone_device_page_init devpub_compat_page_init
#endif

/* After 6.12: the pagemap moved from struct page into struct folio. */
#ifndef DEVPUB_HAVE_PAGE_PGMAP
static inline struct dev_pagemap *page_pgmap(const struct page *page)
{
	return page->pgmap;
}
#endif

/* 6.3: the flags of a mapping change by functions, and mappings have locks of their own. */
#ifndef DEVPUB_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags |= flags;
}
#endif
#ifndef DEVPUB_HAVE_VMA_LOCKS
static inline void vma_start_write(struct vm_area_struct *vma)
{
}
#endif

/* After 6.12: the flags of a page got a type. */
#ifdef DEVPUB_HAVE_MEMDESC_FLAGS
#define page_flag_word(page)	(&(page)->flags.f)
#else
#define page_flag_word(page)	(&(page)->flags)
#endif

/*
 * 6.5: pte_offset_map_lock() fails where there is no page table, and walkers look again:
 * they wait for a PMD's migration entry, which they passed by before.
 */
#ifdef DEVPUB_HAVE_PTE_MAP_FAILS
#define DEVPUB_COMPAT_COLLECT_WAITS	1
#else
#define DEVPUB_COMPAT_COLLECT_WAITS	0
#endif

/* After 6.12: alloc_contig_range() lost the type of the page blocks, and got flags. */
#ifndef DEVPUB_HAVE_ACR_FLAGS
#define ACR_FLAGS_NONE	MIGRATE_MOVABLE
#endif

/* 6.5: get_user_pages_remote() lost the array that returned the VMAs. */
#ifdef DEVPUB_HAVE_GUP_REMOTE_VMAS
#define get_user_pages_remote(mm, start, nr_pages, gup_flags, pages, locked) \
	get_user_pages_remote(mm, start, nr_pages, gup_flags, pages, NULL, locked)
#endif

/*
 * After 6.12: written pages of a private file mapping are found by an index of
 * their own, no more by that of the file's.
 */
#ifndef DEVPUB_HAVE_ANON_PGOFF
#define vma_start_anon_pgoff(vma)	((vma)->vm_pgoff)
#endif

/* After 6.12: the marks in a folio's mapping were renamed. */
#ifndef FOLIO_MAPPING_ANON
#define FOLIO_MAPPING_ANON		PAGE_MAPPING_ANON
#endif

/* After 6.12: struct device's one-bit members became flags with accessors. */
#ifndef DEVPUB_HAVE_DEV_FLAGS
static inline bool dev_offline(const struct device *dev)
{
	return dev->offline;
}

static inline void dev_clear_offline(struct device *dev)
{
	dev->offline = false;
}
#endif

/* 6.6, and late updates of 6.1: how long an array is that ends a struct. */
#ifndef __counted_by
#define __counted_by(member)
#endif

/* After 6.12: allocation by type. */
#ifndef DEVPUB_HAVE_KZALLOC_OBJ
#define kzalloc_obj(obj) kzalloc(sizeof(obj), GFP_KERNEL)
#endif

/* After 6.12: __alloc_pages_bulk() lost the list, which it filled instead of the array. */
#ifdef DEVPUB_HAVE_PAGES_BULK_LIST
#define alloc_pages_bulk_nodes(gfp, nid, nodes, n, pages) \
	__alloc_pages_bulk(gfp, nid, nodes, n, NULL, pages)
#else
#define alloc_pages_bulk_nodes(gfp, nid, nodes, n, pages) \
	__alloc_pages_bulk(gfp, nid, nodes, n, pages)
#endif

/* After 6.12: who wants a workqueue of each processor says so, or is warned. */
#ifndef DEVPUB_HAVE_WQ_PERCPU
#define WQ_PERCPU 0
#endif

/*
 * After 6.12: migrate_vma_setup() splits a large folio that is mapped by small pages, too.
 * No header shows that; MIGRATE_VMA_SELECT_COMPOUND, which DEVPUB_HAVE_SPLIT_OF_PTES
 * stands for, came with it.  When the page table is unmapped meanwhile, it enters a part of
 * the range twice: at most twice as many entries as pages (Documentation/kernel-bugs.md).
 */
#ifdef DEVPUB_HAVE_SPLIT_OF_PTES
#define DEVPUB_COMPAT_SPLITS_PTES	true
#define DEVPUB_COMPAT_ENTRIES_A_PAGE	2
#else
#define DEVPUB_COMPAT_SPLITS_PTES	false
#define DEVPUB_COMPAT_ENTRIES_A_PAGE	1
#endif

/*
 * After 6.12: what a page table entry without a page stands for got functions of
 * its own.  6.12's updates brought the first of these names, as below.
 */
#ifdef DEVPUB_HAVE_LEAFOPS
#include <linux/leafops.h>
#else
#include <linux/swap.h>
#include <linux/swapops.h>
#define softleaf_t swp_entry_t
#define softleaf_from_pte(pte) pte_to_swp_entry(pte)
#define softleaf_to_pfn(entry) swp_offset_pfn(entry)
#define softleaf_is_swap(entry) (!non_swap_entry(entry))
#define softleaf_is_migration(entry) is_migration_entry(entry)
#define softleaf_is_migration_write(entry) is_writable_migration_entry(entry)
#endif

/* From here on, what only the tests want. */
#ifdef DEVPUB_KUNIT

/* After 6.12: a namespace of symbols is a string, no more a bare word. */
#ifdef DEVPUB_HAVE_STRING_NAMESPACE
#define DEVPUB_COMPAT_NAMESPACE(name) #name
#else
#define DEVPUB_COMPAT_NAMESPACE(name) name
#endif

/*
 * 6.2: mprotect() makes a page writable again though it is not dirty, and what it
 * asks is in a header since; nor does a migration mark dirty pages soft-dirty any
 * more, which no header shows.  KUnit expects the one or the other.
 */
#ifdef DEVPUB_HAVE_CAN_CHANGE_PTE
#define DEVPUB_COMPAT_DIRTY_COUNTS 0
#else
#define DEVPUB_COMPAT_DIRTY_COUNTS 1
#endif

/* After 6.12: no entry can be marked devmap any more, and there is no asking. */
#ifdef CONFIG_ARCH_HAS_PTE_DEVMAP
#define DEVPUB_COMPAT_DEVMAP true
#define devpub_compat_pte_devmap(pte) pte_devmap(pte)
#define devpub_compat_pte_mkdevmap(pte) pte_mkdevmap(pte)
#else
#define DEVPUB_COMPAT_DEVMAP false
#define devpub_compat_pte_devmap(pte) ((void)(pte), false)
#define devpub_compat_pte_mkdevmap(pte) (pte)
#endif

#endif /* DEVPUB_KUNIT */

#endif /* DEVPUB_COMPAT_H */
