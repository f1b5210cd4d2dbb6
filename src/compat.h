/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Compatibility: defines the newest kernel's names on older kernels.  The build includes
 * this file before every source file.  The rest of the module is written for the newest
 * kernel only, and needs this file only for older kernels.
 *
 * src/probes.sh finds out which names a kernel has.
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
	!IS_ENABLED(CONFIG_MEMORY_HOTREMOVE) || !IS_ENABLED(CONFIG_HMM_MIRROR)
#error devpub needs 64BIT, ZONE_DEVICE, DEVICE_MIGRATION, MEMORY_HOTREMOVE and HMM_MIRROR
#endif

/*
 * After 6.12: dev_pagemap_ops.page_free(page) became folio_free(folio).  The kernel calls
 * it when the last reference to a device page is dropped.
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

/* After 6.12: each allocation of a page sets its pagemap.  Before, it was set only once. */
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

/* After 6.12: get_dev_pagemap() no longer takes a pagemap to compare with. */
#ifndef DEVPUB_HAVE_GET_PAGEMAP
#define get_dev_pagemap(pfn)	get_dev_pagemap(pfn, NULL)
#endif

/* 6.3: functions set the flags of a mapping, and each mapping has a lock. */
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

/* After 6.12: the flags of a page have the type memdesc_flags_t. */
#ifdef DEVPUB_HAVE_MEMDESC_FLAGS
#define page_flag_word(page)	(&(page)->flags.f)
#else
#define page_flag_word(page)	(&(page)->flags)
#endif

/*
 * 6.5: pte_offset_map_lock() fails if there is no page table, and walkers retry.  So they
 * wait for a migration entry in a PMD, which they skipped before.
 */
#ifdef DEVPUB_HAVE_PTE_MAP_FAILS
#define DEVPUB_COMPAT_COLLECT_WAITS	1
#else
#define DEVPUB_COMPAT_COLLECT_WAITS	0
#endif

/* After 6.12: alloc_contig_range() takes flags instead of the migrate type. */
#ifndef DEVPUB_HAVE_ACR_FLAGS
#define ACR_FLAGS_NONE	MIGRATE_MOVABLE
#endif

/* 6.5: get_user_pages_remote() no longer takes an array that receives the VMAs. */
#ifdef DEVPUB_HAVE_GUP_REMOTE_VMAS
#define get_user_pages_remote(mm, start, nr_pages, gup_flags, pages, locked) \
	get_user_pages_remote(mm, start, nr_pages, gup_flags, pages, NULL, locked)
#endif

/*
 * After 6.12: anonymous pages of a private file mapping have an index of their own.
 * Before, they had the index of the file's page.
 */
#ifndef DEVPUB_HAVE_ANON_PGOFF
#define vma_start_anon_pgoff(vma)	((vma)->vm_pgoff)
#endif

/* After 6.12: the flags in folio->mapping were renamed. */
#ifndef FOLIO_MAPPING_ANON
#define FOLIO_MAPPING_ANON		PAGE_MAPPING_ANON
#endif

/* After 6.12: the one-bit members of struct device became flags with accessors. */
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

/* 6.6, and late updates of 6.1: annotation for the length of a flexible array. */
#ifndef __counted_by
#define __counted_by(member)
#endif

/* After 6.12: kzalloc_obj() allocates an object by its type. */
#ifndef DEVPUB_HAVE_KZALLOC_OBJ
#define kzalloc_obj(obj) kzalloc(sizeof(obj), GFP_KERNEL)
#endif

/* After 6.12: __alloc_pages_bulk() no longer takes a list as an alternative to the array. */
#ifdef DEVPUB_HAVE_PAGES_BULK_LIST
#define alloc_pages_bulk_nodes(gfp, nid, nodes, n, pages) \
	__alloc_pages_bulk(gfp, nid, nodes, n, NULL, pages)
#else
#define alloc_pages_bulk_nodes(gfp, nid, nodes, n, pages) \
	__alloc_pages_bulk(gfp, nid, nodes, n, pages)
#endif

/* After 6.12: the kernel warns about a per-CPU workqueue without WQ_PERCPU. */
#ifndef DEVPUB_HAVE_WQ_PERCPU
#define WQ_PERCPU 0
#endif

/*
 * After 6.12: migrate_vma_setup() also splits a large folio that is mapped by PTEs.  No
 * header shows that, but MIGRATE_VMA_SELECT_COMPOUND was added together with it, and
 * DEVPUB_HAVE_SPLIT_OF_PTES tells if the kernel has that flag.  If the page table is unmapped
 * during the split, migrate_vma_setup() enters a part of the range twice, so there are at most
 * twice as many entries as pages (Documentation/kernel-bugs.md).
 */
#ifdef DEVPUB_HAVE_SPLIT_OF_PTES
#define DEVPUB_COMPAT_SPLITS_PTES	true
#define DEVPUB_COMPAT_ENTRIES_A_PAGE	2
#else
#define DEVPUB_COMPAT_SPLITS_PTES	false
#define DEVPUB_COMPAT_ENTRIES_A_PAGE	1
#endif

/*
 * After 6.12: page table entries that do not map a page became softleaf_t, with functions of
 * their own.  Updates of 6.12 define the first of these names in the same way as below.
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

/* 6.6: shadow stacks are mappings that only the processor may write to. */
#ifndef VM_SHADOW_STACK
#define VM_SHADOW_STACK VM_NONE
#endif

/* Only the tests need the rest of this file. */
#ifdef DEVPUB_KUNIT

/* After 6.12: a symbol namespace is a string.  Before, it was an identifier. */
#ifdef DEVPUB_HAVE_STRING_NAMESPACE
#define DEVPUB_COMPAT_NAMESPACE(name) #name
#else
#define DEVPUB_COMPAT_NAMESPACE(name) name
#endif

/*
 * 6.2: mprotect() makes a page writable again even if it is not dirty; the function that
 * decides this is in a header since.  Also since 6.2, a migration no longer marks dirty pages
 * soft-dirty, which no header shows.  KUnit expects the old or the new behaviour.
 */
#ifdef DEVPUB_HAVE_CAN_CHANGE_PTE
#define DEVPUB_COMPAT_DIRTY_COUNTS 0
#else
#define DEVPUB_COMPAT_DIRTY_COUNTS 1
#endif

/* After 6.12: page table entries no longer have a devmap flag. */
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
