// SPDX-License-Identifier: GPL-2.0
/* A device as the source or the destination of transfers. */
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/rcupdate.h>

#include "engine/endpoint.h"
#include "engine/folio.h"
#include "engine/pgtable.h"
#include "engine/range.h"
#include "engine/thp.h"
#include "engine/transfer.h"
#include "memory/pagemap.h"

/* A mapping whose pages may not live on a device has none on one. */
static u8 device_select_mapping(struct vm_area_struct *vma)
{
	return devpub_mapping_refusal(vma) ? DEVPUB_REASON_ALREADY : 0;
}

/* The reason of what is mapped without a page table of single pages, or UNDECIDED. */
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
		/* Up to 6.12 the kernel would split it, though all of it stays. */
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

	mmap_assert_locked(vma->vm_mm);
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
 * migrate_vma_check_page() (mm/migrate_device.c) expects one reference too many of a
 * device page: each had one of its own before Linux 5.3.  So somebody else may hold this
 * page once.  The holder may write to it after the copy is made, and let go before
 * folio_migrate_mapping() counts again, and the write would be lost.  A page whose only
 * reference is the migration's can't be written to: it is unmapped, and nobody gets a
 * new reference to write by.
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
