// SPDX-License-Identifier: GPL-2.0
/*
 * KSM: pages that it may merge by way of another process's mapping are not collected.
 *
 * migrate_vma_setup() unmaps a page that KSM is about to merge and can't map it again
 * (Documentation/kernel-bugs.md).  Only a page that is exclusive to this process
 * (PageAnonExclusive()) has no other mapping, and stays so while mmap_lock keeps the process
 * from forking.  For other pages, all processes that may map them are held still while the
 * pages are collected.
 */
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>

#include "engine/ksm.h"
#include "engine/pgtable.h"
#include "engine/range.h"
#include "engine/reason.h"
#include "engine/rmap.h"

/**
 * devpub_ksm_may_share() - may another process map the same page?
 * @entry: what the page table has at an address
 * @pfn: the page frame number of that, if it is a page
 *
 * PageAnonExclusive() is not used: it insists that the page is still anonymous, while this
 * one may just be freed.
 *
 * Context: RCU's read side is held.
 * Return: false when it is certain that no other process maps it.
 */
bool devpub_ksm_may_share(enum devpub_entry entry, unsigned long pfn)
{
	struct page *page;

	if (entry == DEVPUB_ENTRY_NONE || entry == DEVPUB_ENTRY_NO_TABLE)
		return false;
	/* The entry may become a shared page at any time. */
	if (entry != DEVPUB_ENTRY_PAGE && entry != DEVPUB_ENTRY_HUGE)
		return true;
	if (!pfn_valid(pfn))
		return false;
	page = pfn_to_page(pfn);
	/* The first page of a large folio that is mapped as a whole has the mark. */
	if (entry == DEVPUB_ENTRY_HUGE)
		page = compound_head(page);
	/* KSM leaves device pages alone (mm/ksm.c, scan_get_next_rmap_item()). */
	return PageAnon(page) && !is_zone_device_page(page) &&
	       !test_bit(PG_anon_exclusive, page_flag_word(page));
}

/**
 * devpub_ksm_may_share_any() - devpub_ksm_may_share() of a part of a page table
 * @ptep: the first entry
 * @n: entries, of the same page table
 *
 * Context: RCU's read side is held.
 * Return: false when it is certain of all entries.
 */
bool devpub_ksm_may_share_any(pte_t *ptep, unsigned long n)
{
	for (; n; n--, ptep++) {
		pte_t pte = ptep_get(ptep);

		if (pte_none(pte))
			continue;
		if (!pte_present(pte))
			return true;
		/* The zero page. */
		if (pte_special(pte))
			continue;
		/* The common case first: this runs for each page of each transfer. */
		if (test_bit(PG_anon_exclusive, page_flag_word(pte_page(pte))))
			continue;
		if (devpub_ksm_may_share(DEVPUB_ENTRY_PAGE, pte_pfn(pte)))
			return true;
	}
	return false;
}

/* True also for a page that KSM owns and has not entered into its tree yet. */
static bool ksm_is_page(enum devpub_entry entry, unsigned long pfn)
{
	return entry == DEVPUB_ENTRY_PAGE && pfn_valid(pfn) &&
	       folio_test_ksm(page_folio(pfn_to_page(pfn)));
}

/*
 * The reason of an entry that another process may map, too, where @shared is the reason
 * of a page.  The page that a swap entry becomes meanwhile is not looked at here, so that
 * it must not be collected either.
 */
static u8 ksm_reason(struct vm_area_struct *vma, enum devpub_entry entry, u8 shared)
{
	switch (entry) {
	case DEVPUB_ENTRY_OTHER:
		return vma_is_anonymous(vma) ? DEVPUB_REASON_SWAPPED :
					       DEVPUB_REASON_ABSENT;
	case DEVPUB_ENTRY_MOVING:
	case DEVPUB_ENTRY_HUGE_MOVING:
		return DEVPUB_REASON_BUSY;
	default:
		return shared;
	}
}

/**
 * devpub_ksm_leave_out() - give a reason to the pages that KSM may be about to merge
 * @relatives: receives the processes that may map pages of the range
 * @vma: the mapping
 * @start: first address of the pages
 * @end: their end
 * @states: a byte a page; changed for those that must not be collected
 *
 * Context: process context, mmap_lock held for reading.  The caller calls
 * devpub_relatives_unlock() when the pages are mapped again.
 */
void devpub_ksm_leave_out(struct devpub_relatives *relatives,
			  struct vm_area_struct *vma, unsigned long start,
			  unsigned long end, u8 *states)
{
	unsigned long addr, next, pfn;
	u8 shared = DEVPUB_PAGE_UNDECIDED, reason;
	enum devpub_entry entry;

	if (!devpub_relatives_lock(relatives, vma, start, end))
		shared = DEVPUB_REASON_BUSY;
	else if (relatives->mergeable)
		shared = DEVPUB_REASON_KSM;

	rcu_read_lock();
	for (addr = start; addr < end; addr = next) {
		entry = devpub_pgtable_look(vma->vm_mm, addr, &pfn, &next);
		next = min(next, end);
		if (ksm_is_page(entry, pfn))
			reason = DEVPUB_REASON_KSM;
		else if (devpub_ksm_may_share(entry, pfn))
			reason = ksm_reason(vma, entry, shared);
		else
			continue;
		if (reason != DEVPUB_PAGE_UNDECIDED)
			memset(states + devpub_range_pages(start, addr), reason,
			       devpub_range_pages(addr, next));
	}
	rcu_read_unlock();
}
