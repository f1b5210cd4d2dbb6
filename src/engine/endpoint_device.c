// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* A device as the source or the destination of transfers. */
#include <linux/lockdep.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "engine/endpoint.h"
#include "engine/folio.h"
#include "engine/pgtable.h"
#include "engine/range.h"
#include "engine/thp.h"
#include "engine/transfer.h"
#include "memory/pagemap.h"

/* No page of a mapping is on a device if devpub_mapping_refusal() refuses the mapping. */
static u8 device_select_mapping(struct vm_area_struct *vma)
{
	return devpub_mapping_refusal(vma) ? DEVPUB_REASON_ALREADY : 0;
}

/* Return the reason for addresses without a table of PTEs, or DEVPUB_PAGE_UNDECIDED. */
static u8 device_large(struct vm_area_struct *vma, enum devpub_entry entry,
		       unsigned long pfn)
{
	switch (entry) {
	case DEVPUB_ENTRY_NO_TABLE:
		return DEVPUB_REASON_ABSENT;
	case DEVPUB_ENTRY_HUGE_MOVING:
		return devpub_thp_by_hand() ? DEVPUB_REASON_ALREADY :
					      DEVPUB_PAGE_UNDECIDED;
	case DEVPUB_ENTRY_HUGE:
		/* Kernels up to 6.12 would split the THP, although all of its pages stay. */
		return devpub_folio_is_huge_hole(vma, pfn) ? DEVPUB_REASON_ABSENT :
						      DEVPUB_REASON_ALREADY;
	default:
		return DEVPUB_PAGE_UNDECIDED;
	}
}

static void device_leave_out(struct devpub_transfer *transfer,
			     struct vm_area_struct *vma, unsigned long start,
			     unsigned long end, u8 *states)
{
	unsigned long addr, next, pfn;
	enum devpub_entry entry;

	lockdep_assert_held(&vma->vm_mm->mmap_lock);
	rcu_read_lock();
	for (addr = start; addr < end; addr = next) {
		pte_t *ptep = devpub_pgtable_table(vma->vm_mm, addr, &entry, &pfn, &next);

		next = min(next, end);
		if (!ptep)
			memset(states + devpub_range_pages(start, addr),
			       device_large(vma, entry, pfn),
			       devpub_range_pages(addr, next));
	}
	rcu_read_unlock();
}

/*
 * migrate_vma_check_page() (mm/migrate_device.c) allows one reference too many for a
 * device page, because device pages had one of their own before Linux 5.3.  So another
 * user may hold one reference to this page.  That user may write to the page after it is
 * copied, and drop the reference before folio_migrate_mapping() counts again; the write
 * would be lost.  A page whose only reference is the migration's can't be written to: the
 * page is unmapped, so no user can get a new reference for writing.
 */
static u8 device_select_folio(struct folio *folio)
{
	if (folio_ref_count(folio) == 1)
		return 0;
	return folio_maybe_dma_pinned(folio) ? DEVPUB_REASON_PINNED :
					       DEVPUB_REASON_BUSY;
}

static u8 device_absent(struct vm_area_struct *vma)
{
	return DEVPUB_REASON_ABSENT;
}

static unsigned long device_alloc(struct devpub_transfer *transfer,
				  struct vm_area_struct *vma, unsigned long addr,
				  unsigned long n, bool *more)
{
	*more = false;
	return devpub_pagemap_alloc(transfer->spec.destination->pagemap,
				    transfer->pfns, n);
}

const struct devpub_endpoint_ops devpub_endpoint_device_ops = {
	.collect	= MIGRATE_VMA_SELECT_DEVICE_COHERENT,
	.uncollectable	= DEVPUB_REASON_ALREADY,
	.select_mapping	= device_select_mapping,
	.leave_out	= device_leave_out,
	.select_folio	= device_select_folio,
	.absent		= device_absent,
	.alloc		= device_alloc,
	.fill		= devpub_endpoint_fill,
};
