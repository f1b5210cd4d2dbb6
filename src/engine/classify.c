// SPDX-License-Identifier: GPL-2.0
/*
 * Classifying: why a page was not even collected.
 */
#include <linux/memremap.h>
#include <linux/mm.h>

#include "device/device.h"
#include "engine/classify.h"
#include "engine/location.h"
#include "engine/pgtable.h"
#include "engine/select.h"
#include "engine/transfer.h"

#define CLASSIFY_BATCH	16

/*
 * The reason of an address without a page: a page on its way to elsewhere is busy, and so
 * is one that has just arrived.
 */
static u8 classify_absent(const struct devpub_migration *m,
			  struct vm_area_struct *vma, unsigned long addr)
{
	unsigned long pfn = 0, next;
	enum devpub_entry entry;

	rcu_read_lock();
	entry = devpub_pgtable_look(m->mm, addr, &pfn, &next);
	rcu_read_unlock();
	if (entry == DEVPUB_ENTRY_MOVING || entry == DEVPUB_ENTRY_HUGE_MOVING ||
	    entry == DEVPUB_ENTRY_HUGE)
		return DEVPUB_REASON_BUSY;
	if (entry == DEVPUB_ENTRY_PAGE && !is_zero_pfn(pfn))
		return DEVPUB_REASON_BUSY;
	/* What is no page and was not collected as a hole is a swap entry. */
	return m->to && vma_is_anonymous(vma) ?
	       DEVPUB_REASON_SWAPPED : DEVPUB_REASON_ABSENT;
}

/*
 * Whether the kernel may move this large folio another time.  Up to 6.12 it splits one that
 * a page table maps as a whole, and skips one that is mapped by small pages; later it
 * splits both (mm/migrate_device.c, migrate_vma_collect_pmd()).
 */
static bool classify_may_split(struct mm_struct *mm, unsigned long addr)
{
#ifdef DEVPUB_HAVE_SPLIT_OF_PTES
	return true;
#else
	unsigned long pfn, next;
	enum devpub_entry entry;

	rcu_read_lock();
	entry = devpub_pgtable_look(mm, addr, &pfn, &next);
	rcu_read_unlock();
	return entry != DEVPUB_ENTRY_PAGE;
#endif
}

/* The reason of a page that is there and was not collected. */
static u8 classify_page(const struct devpub_migration *m, unsigned long addr,
			struct page *page)
{
	struct folio *folio = page_folio(page);
	struct devpub_pool *home = devpub_pool_of_page(page);
	u8 reason;

	if (home && home != &m->ddev->pool)
		return DEVPUB_REASON_OTHER_DEVICE;
	if (m->to ? !!home : !home)
		return DEVPUB_REASON_ALREADY;
	if (is_zone_device_page(page) && !home)
		return DEVPUB_REASON_SPECIAL;

	reason = m->to ? devpub_select_folio(folio) : 0;
	if (reason)
		return reason;
	if (folio_maybe_dma_pinned(folio))
		return DEVPUB_REASON_PINNED;
	if (folio_test_large(folio) && !classify_may_split(m->mm, addr))
		return DEVPUB_REASON_LARGE;
	return DEVPUB_REASON_BUSY;
}

/**
 * devpub_classify() - give pages of a mapping that were not collected their reason
 * @m: the migration
 * @vma: the mapping
 * @start: first address
 * @npages: how many pages
 * @reasons: a byte a page; each DEVPUB_REASON_UNSEEN becomes a reason
 *
 * Context: process context, mmap_lock held for reading.
 */
void devpub_classify(const struct devpub_migration *m,
		     struct vm_area_struct *vma, unsigned long start,
		     unsigned long npages, u8 *reasons)
{
	struct page *pages[CLASSIFY_BATCH];
	unsigned long i, n, addr;
	unsigned int got, j;

	for (i = 0; i < npages; i += n) {
		for (n = 0; i + n < npages && n < CLASSIFY_BATCH &&
		     reasons[i + n] == DEVPUB_REASON_UNSEEN; n++)
			;
		if (!n) {
			n = 1;
			continue;
		}

		addr = start + (i << PAGE_SHIFT);
		got = devpub_query_pages(m->mm, addr, pages, n);
		for (j = 0; j < got; j++, addr += PAGE_SIZE) {
			if (!pages[j]) {
				reasons[i + j] = classify_absent(m, vma, addr);
				continue;
			}
			reasons[i + j] = classify_page(m, addr, pages[j]);
			put_page(pages[j]);
		}
		n = got;
	}
}
