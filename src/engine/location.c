// SPDX-License-Identifier: GPL-2.0
/*
 * The query: where the pages of a range live, without moving or faulting in any.
 */
#include <linux/hugetlb_inline.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>

#include <linux/devpub.h>

#include "device/device.h"
#include "engine/location.h"
#include "engine/range.h"
#include "export.h"
#include "memory/pool.h"

/* Pages looked up at a time: what fits the stack without a thought. */
#define QUERY_BATCH	16

/**
 * devpub_query_pages() - look up the pages at consecutive addresses
 * @mm: whose addresses
 * @addr: the first, in a mapping without VM_IO and VM_PFNMAP, not of hugetlb
 * @pages: receives a page each, or NULL where none is present; the caller puts
 *	   each page
 * @n: pages of the same mapping from @addr on; not 0
 *
 * get_user_pages_remote() is the one exported page table reader that sees
 * through PROT_NONE (by FOLL_FORCE) and leaves absent pages absent: FOLL_NOFAULT
 * forbids the fault, and FOLL_DUMP makes holes, and the shared zero page that
 * stands in for them, an error that ends the batch.  hmm_range_fault() takes
 * PROT_NONE for a hole and leaves a notifier behind in the mm.  The price: pages
 * are marked accessed, and held for a moment.
 *
 * Context: mmap_lock held for reading.
 * Return: how many entries of @pages were filled in, at least 1.
 */
unsigned int devpub_query_pages(struct mm_struct *mm, unsigned long addr,
				struct page **pages, unsigned int n)
{
	long got;

	got = get_user_pages_remote(mm, addr, n,
				    FOLL_FORCE | FOLL_NOFAULT | FOLL_DUMP,
				    pages, NULL);
	if (got > 0)
		return got;
	pages[0] = NULL;
	return 1;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_query_pages);

static u8 query_where(const struct devpub_pool *pool, const struct page *page)
{
	const struct devpub_pool *home;

	if (!is_zone_device_page(page))
		return DEVPUB_WHERE_SYSTEM;
	home = devpub_pool_of_page(page);
	if (!home)
		return DEVPUB_WHERE_OTHER;
	return home == pool ? DEVPUB_WHERE_DEVICE : DEVPUB_WHERE_OTHER_DEVICE;
}

/* Pages from @start to @end, within one mapping. */
static void query_mapping(struct devpub_pool *pool, struct vm_area_struct *vma,
			  unsigned long start, unsigned long end, u8 *where)
{
	unsigned long i, n = devpub_range_pages(start, end);
	struct page *pages[QUERY_BATCH];
	unsigned int got, j;
	u8 absent;

	/*
	 * 6.1 faults hugetlb pages in whatever the flags (mm/hugetlb.c,
	 * follow_hugetlb_page()).
	 */
	if (vma->vm_flags & (VM_IO | VM_PFNMAP) || is_vm_hugetlb_page(vma)) {
		memset(where, DEVPUB_WHERE_OTHER, n);
		return;
	}

	/* A driver may have mapped what is no page. */
	absent = vma->vm_flags & VM_MIXEDMAP ? DEVPUB_WHERE_OTHER :
					       DEVPUB_WHERE_ABSENT;
	for (i = 0; i < n; i += got) {
		got = devpub_query_pages(vma->vm_mm, start + (i << PAGE_SHIFT),
					 pages, min(n - i, QUERY_BATCH + 0UL));
		for (j = 0; j < got; j++) {
			where[i + j] = absent;
			if (!pages[j])
				continue;
			where[i + j] = query_where(pool, pages[j]);
			put_page(pages[j]);
		}
	}
}

/**
 * devpub_query_window_locked() - tell where each page of a window lives
 * @pool: the device's pool
 * @mm: whose addresses
 * @start: page-aligned first address
 * @end: page-aligned end; any mappings and gaps may lie between
 * @where: receives an enum devpub_where a page
 *
 * Context: process context; mmap_lock held for reading.
 */
void devpub_query_window_locked(struct devpub_pool *pool, struct mm_struct *mm,
				unsigned long start, unsigned long end, u8 *where)
{
	struct vm_area_struct *vma;
	unsigned long addr, next;

	mmap_assert_locked(mm);
	memset(where, DEVPUB_WHERE_ABSENT, devpub_range_pages(start, end));
	for (addr = start; addr < end; addr = next) {
		vma = find_vma(mm, addr);
		if (!vma || vma->vm_start >= end)
			break;
		addr = max(addr, vma->vm_start);
		next = min(end, vma->vm_end);
		query_mapping(pool, vma, addr, next,
			      where + devpub_range_pages(start, addr));
	}
}

/**
 * devpub_query_window() - tell where each page of a window lives
 * @pool: the device's pool
 * @mm: whose addresses
 * @start: page-aligned first address
 * @end: page-aligned end; any mappings and gaps may lie between
 * @where: receives an enum devpub_where a page
 *
 * Context: process context; takes mmap_lock for reading.
 * Return: 0, or -EINTR when a fatal signal came before the lock was had.
 */
int devpub_query_window(struct devpub_pool *pool, struct mm_struct *mm,
			unsigned long start, unsigned long end, u8 *where)
{
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	devpub_query_window_locked(pool, mm, start, end, where);
	mmap_read_unlock(mm);
	return 0;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_query_window);

/**
 * devpub_query_device() - tell where each page of a window lives, of a device that may go
 * @ddev: the device
 * @mm: whose addresses
 * @start: page-aligned first address
 * @end: page-aligned end, as of devpub_query_window_locked()
 * @where: receives an enum devpub_where a page
 *
 * The device is entered last, so that its removal waits for nothing that user space can
 * hold up.
 *
 * Context: process context; takes mmap_lock for reading, and enters the device.
 * Return: 0; -EINTR when a fatal signal came before the lock was had, or -ENODEV.
 */
int devpub_query_device(struct devpub_device *ddev, struct mm_struct *mm,
			unsigned long start, unsigned long end, u8 *where)
{
	int ret = -ENODEV;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	if (devpub_device_enter(ddev)) {
		devpub_query_window_locked(&ddev->pool, mm, start, end, where);
		devpub_device_exit(ddev);
		ret = 0;
	}
	mmap_read_unlock(mm);
	return ret;
}
