// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Classification: finds the reason why a page was not collected. */
#include <linux/lockdep.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "engine/classify.h"
#include "engine/endpoint.h"
#include "engine/folio.h"
#include "engine/location.h"
#include "engine/pgtable.h"
#include "engine/reason.h"
#include "memory/pagemap.h"

#define CLASSIFY_BATCH	16

static enum devpub_entry classify_look(struct mm_struct *mm, unsigned long addr,
				       unsigned long *pfn)
{
	enum devpub_entry entry;
	unsigned long next;

	rcu_read_lock();
	entry = devpub_pgtable_look(mm, addr, pfn, &next);
	rcu_read_unlock();
	return entry;
}

/*
 * Return the reason for an address where devpub_location_get_pages() found no page.  A page
 * that another migration moves is busy, and so is a page that was mapped since.
 */
static u8 classify_absent(const struct devpub_endpoint *source,
			  struct vm_area_struct *vma, unsigned long addr)
{
	unsigned long pfn = 0;

	switch (classify_look(vma->vm_mm, addr, &pfn)) {
	case DEVPUB_ENTRY_MOVING:
	case DEVPUB_ENTRY_HUGE_MOVING:
	case DEVPUB_ENTRY_HUGE:
		return DEVPUB_REASON_BUSY;
	case DEVPUB_ENTRY_PAGE:
		if (!is_zero_pfn(pfn))
			return DEVPUB_REASON_BUSY;
		break;
	default:
		break;
	}
	return source->ops->absent(vma);
}

/*
 * Return true if the kernel may split this large folio at another attempt.  Kernels up to
 * 6.12 split a folio that is mapped by a PMD, and skip a folio that is mapped by PTEs.  Later
 * kernels split both (mm/migrate_device.c, migrate_vma_collect_pmd()).
 */
static bool classify_may_split(struct mm_struct *mm, unsigned long addr)
{
#ifdef DEVPUB_HAVE_SPLIT_OF_PTES
	return true;
#else
	unsigned long pfn;

	return classify_look(mm, addr, &pfn) != DEVPUB_ENTRY_PAGE;
#endif
}

/* Return the reason for a page that is mapped and was not collected. */
static u8 classify_page(const struct devpub_endpoint *source,
			const struct devpub_endpoint *destination,
			struct vm_area_struct *vma, unsigned long addr,
			struct page *page)
{
	const struct devpub_pagemap *pagemap = devpub_pagemap_of_page(page);
	struct folio *folio = page_folio(page);
	u8 reason;

	/* The pagemap is NULL both for the system endpoint and for a system page. */
	if (pagemap && pagemap != source->pagemap &&
	    pagemap != destination->pagemap)
		return DEVPUB_REASON_OTHER_DEVICE;
	if (pagemap == destination->pagemap)
		return DEVPUB_REASON_ALREADY;
	if (is_zone_device_page(page) && !pagemap)
		return DEVPUB_REASON_SPECIAL;

	reason = devpub_folio_refusal(folio);
	if (reason)
		return reason;
	if (folio_maybe_dma_pinned(folio))
		return DEVPUB_REASON_PINNED;
	if (folio_test_large(folio) && !classify_may_split(vma->vm_mm, addr))
		return DEVPUB_REASON_LARGE;
	return DEVPUB_REASON_BUSY;
}

/**
 * devpub_classify() - find the reasons for pages of a mapping that were not collected
 * @source: the endpoint that pages move from
 * @destination: the endpoint that pages move to
 * @vma: the mapping
 * @start: first address
 * @npages: number of pages
 * @states: one byte per page; each DEVPUB_PAGE_UNDECIDED becomes an enum devpub_reason
 *
 * Context: process context, mmap_lock held for reading.
 */
void devpub_classify(const struct devpub_endpoint *source,
		     const struct devpub_endpoint *destination,
		     struct vm_area_struct *vma, unsigned long start,
		     unsigned long npages, u8 *states)
{
	struct page *pages[CLASSIFY_BATCH];
	unsigned long i, n, addr;
	unsigned int got, j;

	lockdep_assert_held(&vma->vm_mm->mmap_lock);
	for (i = 0; i < npages; i += n) {
		for (n = 0; i + n < npages && n < CLASSIFY_BATCH &&
		     states[i + n] == DEVPUB_PAGE_UNDECIDED; n++)
			;
		if (!n) {
			n = 1;
			continue;
		}

		addr = start + (i << PAGE_SHIFT);
		got = devpub_location_get_pages(vma->vm_mm, addr, pages, n);
		for (j = 0; j < got; j++, addr += PAGE_SIZE) {
			if (!pages[j]) {
				states[i + j] = classify_absent(source, vma, addr);
				continue;
			}
			states[i + j] = classify_page(source, destination, vma, addr,
						      pages[j]);
			put_page(pages[j]);
		}
		n = got;
	}
}
