// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* System memory as the source or the destination of transfers. */
#include <linux/lockdep.h>
#include <linux/mempolicy.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "engine/endpoint.h"
#include "engine/folio.h"
#include "engine/ksm.h"
#include "engine/pgtable.h"
#include "engine/range.h"
#include "engine/system.h"
#include "engine/thp.h"
#include "engine/transfer.h"
#include "export.h"
#include "trace.h"

/* The module parameter "thp": allow splitting THPs. */
bool devpub_thp_allowed = true;

static bool system_prepare(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	return !READ_ONCE(devpub_thp_allowed) || devpub_thp_split(mm, start, end);
}

static u8 system_select_mapping(struct vm_area_struct *vma)
{
	u8 reason = devpub_mapping_refusal(vma);

	if (reason)
		return reason;
	/* engine/ksm.c says why pages that KSM may merge are not collected. */
	return vma->vm_flags & VM_MERGEABLE ? DEVPUB_REASON_KSM : 0;
}

/* Return the reason for addresses without a table of PTEs, or DEVPUB_PAGE_UNDECIDED. */
static u8 system_large(const struct devpub_transfer *transfer,
		       struct vm_area_struct *vma, enum devpub_entry entry,
		       unsigned long pfn)
{
	bool hole = entry == DEVPUB_ENTRY_NO_TABLE ||
		    (entry == DEVPUB_ENTRY_HUGE && devpub_folio_is_huge_hole(vma, pfn));

	if (hole)
		return transfer->spec.populate ? DEVPUB_PAGE_UNDECIDED :
						 DEVPUB_REASON_ABSENT;
	/* The entry may map a THP again by the time that the kernel collects. */
	if (entry == DEVPUB_ENTRY_HUGE_MOVING && devpub_thp_by_hand())
		return DEVPUB_REASON_BUSY;
	if (entry != DEVPUB_ENTRY_HUGE)
		return DEVPUB_PAGE_UNDECIDED;
	if (!pfn_valid(pfn) || !PageAnon(pfn_to_page(pfn)))
		return DEVPUB_REASON_FILE;
	if (!READ_ONCE(devpub_thp_allowed))
		return DEVPUB_REASON_LARGE;
	/* @prepare could not split it. */
	return devpub_thp_by_hand() ? DEVPUB_REASON_BUSY : DEVPUB_PAGE_UNDECIDED;
}

/*
 * Return the reason for a page that is mapped by a PTE, or DEVPUB_PAGE_UNDECIDED.  The
 * kernel splits large folios while it collects, before this module can refuse them, and
 * waits for their locks.  The lock of a file's folio may be held for as long as a server
 * does not answer (mm/migrate_device.c, migrate_vma_split_folio()).
 */
static u8 system_small(struct vm_area_struct *vma, pte_t pte)
{
	struct page *page;

	if (pte_none(pte))
		return vma_is_anonymous(vma) ? DEVPUB_PAGE_UNDECIDED :
					       DEVPUB_REASON_ABSENT;
	if (!pte_present(pte) || pte_special(pte) || !pfn_valid(pte_pfn(pte)))
		return DEVPUB_PAGE_UNDECIDED;
	page = pte_page(pte);
	if (!PageAnon(page))
		return DEVPUB_REASON_FILE;
	return !READ_ONCE(devpub_thp_allowed) && PageCompound(page) ?
	       DEVPUB_REASON_LARGE : DEVPUB_PAGE_UNDECIDED;
}

/* In the common case, this reads no page table entry. */
static void system_leave_out_small(struct vm_area_struct *vma, pte_t *ptep,
				   unsigned long n, u8 *states)
{
	unsigned long i;

	if (vma_is_anonymous(vma) &&
	    (READ_ONCE(devpub_thp_allowed) || !DEVPUB_COMPAT_SPLITS_PTES))
		return;
	for (i = 0; i < n; i++)
		states[i] = system_small(vma, ptep_get(ptep + i));
}

static void system_leave_out(struct devpub_transfer *transfer,
			     struct vm_area_struct *vma, unsigned long start,
			     unsigned long end, u8 *states)
{
	unsigned long addr, next, pfn;
	enum devpub_entry entry;
	bool shared = false;

	lockdep_assert_held(&vma->vm_mm->mmap_lock);
	rcu_read_lock();
	for (addr = start; addr < end; addr = next) {
		pte_t *ptep = devpub_pgtable_table(vma->vm_mm, addr, &entry, &pfn, &next);
		u8 reason;

		next = min(next, end);
		if (ptep) {
			system_leave_out_small(vma, ptep, devpub_range_pages(addr, next),
					       states + devpub_range_pages(start, addr));
			shared = shared ||
				 devpub_ksm_may_share_any(ptep, devpub_range_pages(addr, next));
			continue;
		}
		reason = system_large(transfer, vma, entry, pfn);
		if (reason != DEVPUB_PAGE_UNDECIDED)
			memset(states + devpub_range_pages(start, addr), reason,
			       devpub_range_pages(addr, next));
		else
			shared = shared || devpub_ksm_may_share(entry, pfn);
	}
	rcu_read_unlock();
	if (shared)
		devpub_ksm_leave_out(&transfer->relatives, vma, start, end, states);
}

static u8 system_absent(struct vm_area_struct *vma)
{
	return vma_is_anonymous(vma) ? DEVPUB_REASON_SWAPPED : DEVPUB_REASON_ABSENT;
}

static void system_set_mm(struct devpub_transfer *transfer)
{
	devpub_nodes_of(&transfer->nodes, transfer->mm);
}

/* Emptying a device (@retry_hard) takes precedence over the owner's memory policy. */
static unsigned long system_alloc(struct devpub_transfer *transfer,
				  struct vm_area_struct *vma, unsigned long addr,
				  unsigned long n, bool *more)
{
	unsigned long got = devpub_system_alloc(&transfer->nodes, vma, addr,
						transfer->pfns, n);

	if (!got && transfer->spec.retry_hard) {
		got = devpub_system_alloc_anywhere(transfer->nodes.near,
						   transfer->pfns, n);
		if (got)
			trace_devpub_evict_elsewhere(transfer->spec.source->index,
						     addr, got);
	}
	/*
	 * When memory is short, stop trying, because the source pages are unmapped meanwhile.
	 * Continue if the mapping has a policy, which may name another node for the next page.
	 */
	*more = got || vma_policy(vma);
	return got;
}

static const struct devpub_endpoint_ops system_ops = {
	.collect	= MIGRATE_VMA_SELECT_SYSTEM,
	.uncollectable	= DEVPUB_REASON_SPECIAL,
	.prepare	= system_prepare,
	.select_mapping	= system_select_mapping,
	.leave_out	= system_leave_out,
	.select_folio	= devpub_folio_refusal,
	.absent		= system_absent,
	.set_mm		= system_set_mm,
	.alloc		= system_alloc,
	.fill		= devpub_endpoint_fill,
};

const struct devpub_endpoint devpub_endpoint_system = {
	.ops = &system_ops,
};
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_endpoint_system);
