// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * KSM: leaves out pages that KSM may merge through another process's mapping.
 *
 * migrate_vma_setup() unmaps a page that KSM is about to merge and can't map it again
 * (Documentation/kernel-bugs.md).  Only a page that is exclusive to this process
 * (PageAnonExclusive()) has no other mapping.  It stays exclusive while mmap_lock keeps the
 * process from forking.  For other pages, this module holds the mmap_lock of each process
 * that may map them while the pages are collected.
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
 * devpub_ksm_may_share() - check if another process may map the same page
 * @entry: the content of the page table entry
 * @pfn: the page frame number, if the entry maps a page
 *
 * PageAnonExclusive() asserts that the page is anonymous, so it can't be used here: the
 * page may be freed at the same time.
 *
 * Context: rcu_read_lock() is held.
 * Return: false if it is certain that no other process maps the page.
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
	/* For a folio that is mapped by a PMD, the head page has PG_anon_exclusive. */
	if (entry == DEVPUB_ENTRY_HUGE)
		page = compound_head(page);
	/* KSM ignores device pages (mm/ksm.c, scan_get_next_rmap_item()). */
	return PageAnon(page) && !is_zone_device_page(page) &&
	       !test_bit(PG_anon_exclusive, page_flag_word(page));
}

/**
 * devpub_ksm_may_share_any() - devpub_ksm_may_share() for consecutive PTEs
 * @ptep: the first entry
 * @n: number of entries, in the same page table
 *
 * Context: rcu_read_lock() is held.
 * Return: false if it is certain that no other process maps any of the pages.
 */
bool devpub_ksm_may_share_any(pte_t *ptep, unsigned long n)
{
	for (; n; n--, ptep++) {
		pte_t pte = ptep_get(ptep);

		if (pte_none(pte))
			continue;
		if (!pte_present(pte))
			return true;
		/* A special PTE maps the zero page. */
		if (pte_special(pte))
			continue;
		/* Check the common case first: this runs for each page of each transfer. */
		if (test_bit(PG_anon_exclusive, page_flag_word(pte_page(pte))))
			continue;
		if (devpub_ksm_may_share(DEVPUB_ENTRY_PAGE, pte_pfn(pte)))
			return true;
	}
	return false;
}

/* Return true for a page of KSM, even if it is not in KSM's stable tree yet. */
static bool ksm_is_page(enum devpub_entry entry, unsigned long pfn)
{
	return entry == DEVPUB_ENTRY_PAGE && pfn_valid(pfn) &&
	       folio_test_ksm(page_folio(pfn_to_page(pfn)));
}

/*
 * Return the reason for an entry whose page another process may map; @shared is the reason
 * for an entry that maps a page.  A swap entry gets a reason as well: it may become a page
 * before the kernel collects, and this function has not checked that page.
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
 * devpub_ksm_leave_out() - leave out the pages that KSM may be about to merge
 * @relatives: receives the processes that may map pages of the range
 * @vma: the mapping
 * @start: first address
 * @end: end address
 * @states: one byte per page; receives a reason for each page that must not be collected
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
