// SPDX-License-Identifier: GPL-2.0
/*
 * Selecting: which mappings and pages may move.
 */
#include <linux/dax.h>
#include <linux/hugetlb_inline.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/userfaultfd_k.h>

#include "engine/pgtable.h"
#include "engine/range.h"
#include "engine/reason.h"
#include "engine/rmap.h"
#include "engine/select.h"
#include "engine/thp.h"
#include "engine/transfer.h"

/**
 * devpub_select_mapping() - may pages of this mapping move?
 * @vma: the mapping
 * @to: to the device, not back from it
 *
 * Context: mmap_lock held for reading.
 * Return: 0 when they may, else their enum devpub_reason.
 */
u8 devpub_select_mapping(struct vm_area_struct *vma, bool to)
{
	u8 reason = 0;

	if (is_vm_hugetlb_page(vma))
		reason = DEVPUB_REASON_HUGETLB;
	else if (vma->vm_flags & VM_SPECIAL || vma_is_dax(vma))
		reason = DEVPUB_REASON_SPECIAL;
	else if (vma->vm_flags & VM_SHARED)
		reason = DEVPUB_REASON_SHARED;
	/* Private, but never written to: all its pages are the file's. */
	else if (!vma_is_anonymous(vma) && !vma->anon_vma)
		reason = DEVPUB_REASON_FILE;
	/* Pages that may not live on a device are not on one. */
	if (reason)
		return to ? reason : DEVPUB_REASON_ALREADY;
	/*
	 * migrate_vma_setup() unmaps a page that KSM is about to merge and can't map it
	 * again (Documentation/kernel-bugs.md).
	 */
	return to && vma->vm_flags & VM_MERGEABLE ? DEVPUB_REASON_KSM : 0;
}

/**
 * devpub_select_folio() - may this folio live on a device?
 * @folio: a folio of system memory
 *
 * Return: 0 when it may, else an enum devpub_reason.
 */
u8 devpub_select_folio(struct folio *folio)
{
	if (!folio_test_anon(folio))
		return DEVPUB_REASON_FILE;
	/*
	 * KSM finds its pages again by frame number, and nothing tells it when
	 * a device's page array goes away (mm/ksm.c, ksm_get_folio()).
	 */
	if (folio_test_ksm(folio))
		return DEVPUB_REASON_KSM;
	/*
	 * 6.12 up to 6.12.107 moves such a page on with the swap cache's idea
	 * of its references, after which nothing can move it again.
	 */
	if (folio_test_swapcache(folio))
		return DEVPUB_REASON_SWAPCACHE;
	return 0;
}

/*
 * migrate_vma_check_page() (mm/migrate_device.c) expects one reference too many of
 * a device page: each had one of its own before Linux 5.3.  So somebody else may
 * hold this page once.  He may write to it after the copy is made, and let go before
 * folio_migrate_mapping() counts again, and what he wrote would be lost.  A page
 * whose only reference is the migration's can't be written to: it is unmapped, and
 * nobody gets a new reference to write by.
 *
 * Return: 0, or the reason why the page must stay.
 */
static u8 select_device_folio(struct folio *folio)
{
	if (folio_ref_count(folio) == 1)
		return 0;
	return folio_maybe_dma_pinned(folio) ? DEVPUB_REASON_PINNED :
					       DEVPUB_REASON_BUSY;
}

/*
 * POPULATE does what a write fault would.  It must not fill holes that userfaultfd
 * handles, nor those of a mapping that can't be written to: a fault gives that the
 * zero page, and overcommit does not account for more.
 */
static bool select_may_populate(struct vm_area_struct *vma)
{
	return vma_is_anonymous(vma) && vma->vm_flags & VM_WRITE &&
	       !userfaultfd_armed(vma);
}

/**
 * devpub_select_pages() - select the pages of a collected window that shall move
 * @m: the migration
 * @args: the window, after migrate_vma_setup()
 * @reasons: a byte a page: stays DEVPUB_REASON_UNSEEN for a page that shall move, and
 *	     receives the reason of another one that was collected
 *
 * Return: how many shall move.
 */
unsigned long devpub_select_pages(const struct devpub_migration *m,
				  const struct migrate_vma *args, u8 *reasons)
{
	bool populate = m->populate && select_may_populate(args->vma);
	const unsigned long *src = m->src;
	unsigned long i, selected = 0;

	for (i = 0; i < args->npages; i++) {
		u8 reason = DEVPUB_REASON_UNSEEN;
		struct folio *folio;

		if (!(src[i] & MIGRATE_PFN_MIGRATE))
			continue;
		if (src[i] & MIGRATE_PFN_VALID) {
			folio = page_folio(migrate_pfn_to_page(src[i]));
			reason = m->to ? devpub_select_folio(folio) :
					 select_device_folio(folio);
		} else if (!populate) {
			reason = DEVPUB_REASON_ABSENT;
		}
		if (reason)
			reasons[i] = reason;
		else
			selected++;
	}
	return selected;
}

#ifdef CONFIG_KSM

/*
 * May KSM have to do with what is mapped here, by way of another process?  Not by
 * PageAnonExclusive(), which insists that the page is still anonymous: it may just be
 * freed.
 */
static bool select_is_shared(enum devpub_entry entry, unsigned long pfn)
{
	struct page *page;

	if (entry == DEVPUB_ENTRY_NONE || entry == DEVPUB_ENTRY_NO_TABLE)
		return false;
	/* It may become a shared page at any time. */
	if (entry != DEVPUB_ENTRY_PAGE && entry != DEVPUB_ENTRY_HUGE)
		return true;
	if (!pfn_valid(pfn))
		return false;
	page = pfn_to_page(pfn);
	/* On a large folio that is mapped as a whole, the first page has the mark. */
	if (entry == DEVPUB_ENTRY_HUGE)
		page = compound_head(page);
	/* KSM leaves device pages alone (mm/ksm.c, scan_get_next_rmap_item()). */
	return PageAnon(page) && !is_zone_device_page(page) &&
	       !test_bit(PG_anon_exclusive, page_flag_word(page));
}

/* Whether there is any such page in a part of a page table. */
static bool select_any_shared(pte_t *ptep, unsigned long n)
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
		/* The common case first, which this is for each page of each call. */
		if (test_bit(PG_anon_exclusive, page_flag_word(pte_page(pte))))
			continue;
		if (select_is_shared(DEVPUB_ENTRY_PAGE, pte_pfn(pte)))
			return true;
	}
	return false;
}

/* The reason of an entry that KSM may have to do with. */
static u8 select_absent(enum devpub_entry entry, u8 other, u8 shared)
{
	switch (entry) {
	case DEVPUB_ENTRY_OTHER:
		return other;
	case DEVPUB_ENTRY_MOVING:
	case DEVPUB_ENTRY_HUGE_MOVING:
		return DEVPUB_REASON_BUSY;
	default:
		return shared;
	}
}

/* Also a page that KSM has made its own and not yet entered into its tree. */
static bool select_is_ksm(enum devpub_entry entry, unsigned long pfn)
{
	return entry == DEVPUB_ENTRY_PAGE && pfn_valid(pfn) &&
	       folio_test_ksm(page_folio(pfn_to_page(pfn)));
}

/*
 * Give a reason to what KSM may be at.  An entry that is none of a page is left out as
 * well, for the page that it becomes meanwhile is not looked at here.
 */
static void select_leave_out(struct vm_area_struct *vma, unsigned long start,
			     unsigned long end, u8 shared, u8 *reasons)
{
	u8 other = vma_is_anonymous(vma) ? DEVPUB_REASON_SWAPPED :
					   DEVPUB_REASON_ABSENT;
	unsigned long addr, next, pfn;
	enum devpub_entry entry;
	u8 reason;

	rcu_read_lock();
	for (addr = start; addr < end; addr = next) {
		entry = devpub_pgtable_look(vma->vm_mm, addr, &pfn, &next);
		next = min(next, end);
		if (select_is_ksm(entry, pfn))
			reason = DEVPUB_REASON_KSM;
		else if (select_is_shared(entry, pfn))
			reason = select_absent(entry, other, shared);
		else
			continue;
		if (reason)
			memset(reasons + devpub_range_pages(start, addr), reason,
			       devpub_range_pages(addr, next));
	}
	rcu_read_unlock();
}

/*
 * KSM may make a page its own by way of another mapping of it.  Only one that is
 * exclusive to this process (PageAnonExclusive()) has no other, and stays so while
 * mmap_lock keeps the process from forking.  For the others, all processes that may map
 * them are held still for as long as the pages are collected.
 */
static void select_shared(struct devpub_migration *m, struct vm_area_struct *vma,
			  unsigned long start, unsigned long end, u8 *reasons)
{
	u8 shared = 0;

	if (!devpub_relatives_lock(&m->relatives, vma, start, end))
		shared = DEVPUB_REASON_BUSY;
	else if (m->relatives.mergeable)
		shared = DEVPUB_REASON_KSM;
	select_leave_out(vma, start, end, shared, reasons);
}

#else

static bool select_is_shared(enum devpub_entry entry, unsigned long pfn)
{
	return false;
}

static bool select_any_shared(pte_t *ptep, unsigned long n)
{
	return false;
}

static void select_shared(struct devpub_migration *m, struct vm_area_struct *vma,
			  unsigned long start, unsigned long end, u8 *reasons)
{
}

#endif

/* The reason of what is mapped by no page table of single pages, or 0. */
static u8 select_large(const struct devpub_migration *m, struct vm_area_struct *vma,
		       enum devpub_entry entry, unsigned long pfn)
{
	bool anon;

	if (entry == DEVPUB_ENTRY_NO_TABLE)
		return m->populate ? 0 : DEVPUB_REASON_ABSENT;
	/* It may become a THP again while the kernel looks at it. */
	if (entry == DEVPUB_ENTRY_HUGE_MOVING && devpub_thp_by_hand())
		return m->to ? DEVPUB_REASON_BUSY : DEVPUB_REASON_ALREADY;
	if (entry != DEVPUB_ENTRY_HUGE)
		return 0;
	anon = pfn_valid(pfn) && PageAnon(pfn_to_page(pfn));
	/* The huge zero page is a hole. */
	if (!anon && vma_is_anonymous(vma))
		return m->populate ? 0 : DEVPUB_REASON_ABSENT;
	/* Up to 6.12 the kernel splits it, though all of it stays. */
	if (!m->to)
		return DEVPUB_REASON_ALREADY;
	if (!anon)
		return DEVPUB_REASON_FILE;
	if (!READ_ONCE(devpub_thp_allowed))
		return DEVPUB_REASON_LARGE;
	return devpub_thp_by_hand() ? DEVPUB_REASON_BUSY : 0;
}

/**
 * devpub_select_begin() - look for pages that must not even be collected
 * @m: the migration
 * @vma: the mapping, whose pages may move
 * @start: first address of a window or a part of one
 * @end: its end
 * @reasons: zeros; receives the reason of each page that must be left alone
 *
 * Context: mmap_lock held for reading, until devpub_select_end().
 * Return: whether there is any such page.
 */
bool devpub_select_begin(struct devpub_migration *m, struct vm_area_struct *vma,
			 unsigned long start, unsigned long end, u8 *reasons)
{
	unsigned long addr, next, pfn;
	bool shared = false;

	mmap_assert_locked(vma->vm_mm);
	rcu_read_lock();
	for (addr = start; addr < end; addr = next) {
		enum devpub_entry entry;
		pte_t *ptep;
		u8 reason;

		ptep = devpub_pgtable_table(vma->vm_mm, addr, &entry, &pfn, &next);
		next = min(next, end);
		if (ptep) {
			if (m->to && !shared)
				shared = select_any_shared(ptep, devpub_range_pages(addr, next));
			continue;
		}
		reason = select_large(m, vma, entry, pfn);
		if (reason)
			memset(reasons + devpub_range_pages(start, addr), reason,
			       devpub_range_pages(addr, next));
		else if (m->to && !shared)
			shared = select_is_shared(entry, pfn);
	}
	rcu_read_unlock();
	if (shared)
		select_shared(m, vma, start, end, reasons);
	return memchr_inv(reasons, 0, devpub_range_pages(start, end));
}

/**
 * devpub_select_end() - undo devpub_select_begin()
 * @m: the migration
 */
void devpub_select_end(struct devpub_migration *m)
{
	devpub_relatives_unlock(&m->relatives);
}
