// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Locations: finds the location of each page of a range.  It moves no page and faults none
 * in.
 */
#include <linux/hugetlb_inline.h>
#include <linux/lockdep.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>

#include "engine/location.h"
#include "engine/range.h"
#include "export.h"
#include "memory/pagemap.h"

/* Number of pages that are looked up at a time. */
#define LOCATION_BATCH	16

/**
 * devpub_location_get_pages() - get the pages at consecutive addresses
 * @mm: the memory of the process
 * @addr: the first address, in a mapping without VM_IO and VM_PFNMAP that is not hugetlb
 * @pages: receives the pages, or NULL for an address without a page; the caller calls
 *	   put_page() on each page
 * @n: number of pages from @addr on, all in the same mapping, at least 1
 *
 * get_user_pages_remote() is the only exported reader of page tables that sees pages under
 * PROT_NONE (by FOLL_FORCE) and does not fault pages in.  FOLL_NOFAULT forbids the fault,
 * and FOLL_DUMP makes a hole or the shared zero page an error, which ends the batch.
 * hmm_range_fault() would treat PROT_NONE as a hole, and leaves a notifier behind in the
 * mm.  The cost of get_user_pages_remote() is that it marks pages accessed and takes a
 * short reference to each.
 *
 * Context: mmap_lock held for reading.
 * Return: the number of entries of @pages that were filled in, at least 1.
 */
unsigned int devpub_location_get_pages(struct mm_struct *mm, unsigned long addr,
				       struct page **pages, unsigned int n)
{
	long got;

	lockdep_assert_held(&mm->mmap_lock);
	got = get_user_pages_remote(mm, addr, n,
				    FOLL_FORCE | FOLL_NOFAULT | FOLL_DUMP,
				    pages, NULL);
	if (got > 0)
		return got;
	pages[0] = NULL;
	return 1;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_location_get_pages);

static u8 location_of_page(const struct devpub_pagemap *device, const struct page *page)
{
	const struct devpub_pagemap *pagemap;

	if (!is_zone_device_page(page))
		return DEVPUB_LOCATION_SYSTEM;
	pagemap = devpub_pagemap_of_page(page);
	if (!pagemap)
		return DEVPUB_LOCATION_OTHER;
	return pagemap == device ? DEVPUB_LOCATION_DEVICE :
				   DEVPUB_LOCATION_OTHER_DEVICE;
}

/* Find the locations of the pages from @start to @end, which are in one mapping. */
static void location_mapping(const struct devpub_pagemap *device,
			     struct vm_area_struct *vma, unsigned long start,
			     unsigned long end, u8 *locations)
{
	unsigned long i, n = devpub_range_pages(start, end);
	struct page *pages[LOCATION_BATCH];
	unsigned int got, j;
	u8 absent;

	/*
	 * 6.1 faults hugetlb pages in regardless of the flags (mm/hugetlb.c,
	 * follow_hugetlb_page()).
	 */
	if (vma->vm_flags & (VM_IO | VM_PFNMAP) || is_vm_hugetlb_page(vma)) {
		memset(locations, DEVPUB_LOCATION_OTHER, n);
		return;
	}

	/* In a VM_MIXEDMAP mapping, a driver may have mapped memory that has no struct page. */
	absent = vma->vm_flags & VM_MIXEDMAP ? DEVPUB_LOCATION_OTHER :
					       DEVPUB_LOCATION_ABSENT;
	for (i = 0; i < n; i += got) {
		got = devpub_location_get_pages(vma->vm_mm, start + (i << PAGE_SHIFT),
						pages, min(n - i, LOCATION_BATCH + 0UL));
		for (j = 0; j < got; j++) {
			locations[i + j] = absent;
			if (!pages[j])
				continue;
			locations[i + j] = location_of_page(device, pages[j]);
			put_page(pages[j]);
		}
	}
}

/**
 * devpub_location_window() - find the location of each page of a window
 * @device: the device whose pages have DEVPUB_LOCATION_DEVICE
 * @mm: the memory of the process
 * @start: page-aligned first address
 * @end: page-aligned end address; the window may contain any mappings and gaps
 * @locations: receives one enum devpub_location per page
 *
 * Context: process context, mmap_lock held for reading.
 */
void devpub_location_window(const struct devpub_pagemap *device, struct mm_struct *mm,
			    unsigned long start, unsigned long end, u8 *locations)
{
	struct vm_area_struct *vma;
	unsigned long addr, next;

	mmap_assert_locked(mm);
	memset(locations, DEVPUB_LOCATION_ABSENT, devpub_range_pages(start, end));
	for (addr = start; addr < end; addr = next) {
		vma = find_vma(mm, addr);
		if (!vma || vma->vm_start >= end)
			break;
		addr = max(addr, vma->vm_start);
		next = min(end, vma->vm_end);
		location_mapping(device, vma, addr, next,
				 locations + devpub_range_pages(start, addr));
	}
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_location_window);
