// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables, read without their locks: for a first look at what a process maps.
 *
 * The kernel's walkers (mm/pagewalk.c, mm/page_vma_mapped.c) are not exported, and
 * get_user_pages_remote() takes a reference of each page, which keeps a large folio
 * from being split.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/rcupdate.h>

#include "pgtable.h"

static enum devpub_entry pgtable_none(unsigned long addr, unsigned long size,
				      unsigned long *next)
{
	*next = (addr & ~(size - 1)) + size;
	return DEVPUB_ENTRY_NO_TABLE;
}

/* The mapping of a PMD or larger: only that of a PMD is an ordinary page's. */
static enum devpub_entry pgtable_pmd(pmd_t pmd, unsigned long addr,
				     unsigned long *pfn, unsigned long *next)
{
	*next = (addr & PMD_MASK) + PMD_SIZE;
	if (!pmd_present(pmd))
		return DEVPUB_ENTRY_HUGE_MOVING;
	*pfn = pmd_pfn(pmd) + ((addr & ~PMD_MASK) >> PAGE_SHIFT);
	return DEVPUB_ENTRY_HUGE;
}

/**
 * devpub_pgtable_look() - what a process maps at an address
 * @mm: the process's memory
 * @addr: the address
 * @pfn: receives the page frame number of what is present
 * @next: receives the first address that another entry is for
 *
 * The answer may be old when it is looked at.  A page that it names may be freed; its
 * struct page stays as long as RCU's read side is held, which the caller does who
 * wants to look at it.
 *
 * Context: the page tables stay: mmap_lock is held, or the anon_vma lock of a mapping
 * that covers @addr, since free_pgtables() (mm/memory.c) unlinks the mapping first.
 * RCU's read side is held.
 * Return: the kind of the entry.
 */
enum devpub_entry devpub_pgtable_look(struct mm_struct *mm, unsigned long addr,
				      unsigned long *pfn, unsigned long *next)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud, pud_value;
	pmd_t pmd;
	pte_t pte;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "page tables are freed by RCU");
	if (pgd_none(READ_ONCE(*pgd)))
		return pgtable_none(addr, PGDIR_SIZE, next);
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(READ_ONCE(*p4d)))
		return pgtable_none(addr, P4D_SIZE, next);
	pud = pud_offset(p4d, addr);
	pud_value = READ_ONCE(*pud);
	if (pud_none(pud_value))
		return pgtable_none(addr, PUD_SIZE, next);
	if (!pud_present(pud_value) || pud_leaf(pud_value)) {
		*next = (addr & PUD_MASK) + PUD_SIZE;
		return DEVPUB_ENTRY_OTHER;
	}
	pmd = READ_ONCE(*pmd_offset(pud, addr));
	if (pmd_none(pmd))
		return pgtable_none(addr, PMD_SIZE, next);
	if (!pmd_present(pmd) || pmd_leaf(pmd))
		return pgtable_pmd(pmd, addr, pfn, next);

	pte = ptep_get(pte_offset_kernel(&pmd, addr));
	*next = addr + PAGE_SIZE;
	if (pte_none(pte))
		return DEVPUB_ENTRY_NONE;
	if (!pte_present(pte))
		return softleaf_is_migration(softleaf_from_pte(pte)) ?
		       DEVPUB_ENTRY_MOVING : DEVPUB_ENTRY_OTHER;
	*pfn = pte_pfn(pte);
	return DEVPUB_ENTRY_PAGE;
}
