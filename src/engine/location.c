// SPDX-License-Identifier: GPL-2.0
/*
 * Locations: where the pages of a range live.  Nothing is moved or faulted in.
 */
#include <linux/hugetlb_inline.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>

#include "engine/location.h"
#include "engine/range.h"
#include "export.h"
#include "memory/pagemap.h"

/* Pages that are looked up at a time. */
#define LOCATION_BATCH	16

/**
 * devpub_location_get_pages() - get the pages at consecutive addresses
 * @mm: whose addresses
 * @addr: the first address, in a mapping without VM_IO and VM_PFNMAP that is not hugetlb
 * @pages: receives the pages, NULL where none is present; the caller puts each page
 * @n: pages of the same mapping from @addr on, at least 1
 *
 * get_user_pages_remote() is the only exported reader of page tables that sees pages under
 * PROT_NONE (by FOLL_FORCE) and leaves absent pages absent: FOLL_NOFAULT forbids the
 * fault, and FOLL_DUMP makes a hole or the shared zero page an error, which ends the
 * batch.  hmm_range_fault() would take PROT_NONE for a hole, and leaves a notifier behind
 * in the mm.  The price is that pages are marked accessed and held for a moment.
 *
 * Context: mmap_lock held for reading.
 * Return: how many entries of @pages were filled in, at least 1.
 */
unsigned int devpub_location_get_pages(struct mm_struct *mm, unsigned long addr,
				       struct page **pages, unsigned int n)
{
	long got;

	mmap_assert_locked(mm);
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

/* The pages from @start to @end, within one mapping. */
static void location_mapping(const struct devpub_pagemap *device,
			     struct vm_area_struct *vma, unsigned long start,
			     unsigned long end, u8 *locations)
{
	unsigned long i, n = devpub_range_pages(start, end);
	struct page *pages[LOCATION_BATCH];
	unsigned int got, j;
	u8 absent;

	/*
	 * 6.1 faults hugetlb pages in whatever the flags are (mm/hugetlb.c,
	 * follow_hugetlb_page()).
	 */
	if (vma->vm_flags & (VM_IO | VM_PFNMAP) || is_vm_hugetlb_page(vma)) {
		memset(locations, DEVPUB_LOCATION_OTHER, n);
		return;
	}

	/* In a VM_MIXEDMAP mapping, a driver may have mapped memory without pages. */
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
 * devpub_location_window() - find out where each page of a window lives
 * @device: the device that is DEVPUB_LOCATION_DEVICE
 * @mm: whose addresses
 * @start: page-aligned first address
 * @end: page-aligned end; any mappings and gaps may lie between
 * @locations: receives an enum devpub_location a page
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
