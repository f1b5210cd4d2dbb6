// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Page tables: reads them without their locks.  The results may be outdated.
 *
 * The kernel's walkers (mm/pagewalk.c, mm/page_vma_mapped.c) are not exported, and
 * get_user_pages_remote() takes a reference to each page, which keeps a large folio
 * from being split.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/rcupdate.h>

#include "engine/pgtable.h"

static unsigned long pgtable_next(unsigned long addr, unsigned long size)
{
	return (addr & ~(size - 1)) + size;
}

/**
 * devpub_pgtable_table() - find the table of PTEs for an address
 * @mm: the process's memory
 * @addr: the address
 * @entry: receives the kind of the higher-level entry if there is no such table
 * @pfn: receives the page frame number for @addr, if that entry maps a page
 * @next: receives the first address after @addr that another table or entry maps
 *
 * Context: as for devpub_pgtable_look().
 * Return: a pointer to the PTE for @addr, or NULL.
 */
pte_t *devpub_pgtable_table(struct mm_struct *mm, unsigned long addr,
			    enum devpub_entry *entry, unsigned long *pfn,
			    unsigned long *next)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud, pud_value;
	pmd_t pmd;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "page tables are freed by RCU");
	*entry = DEVPUB_ENTRY_NO_TABLE;
	*next = pgtable_next(addr, PGDIR_SIZE);
	if (pgd_none(READ_ONCE(*pgd)))
		return NULL;
	p4d = p4d_offset(pgd, addr);
	*next = pgtable_next(addr, P4D_SIZE);
	if (p4d_none(READ_ONCE(*p4d)))
		return NULL;
	pud = pud_offset(p4d, addr);
	pud_value = READ_ONCE(*pud);
	*next = pgtable_next(addr, PUD_SIZE);
	if (pud_none(pud_value))
		return NULL;
	if (!pud_present(pud_value) || pud_leaf(pud_value)) {
		*entry = DEVPUB_ENTRY_OTHER;
		return NULL;
	}
	pmd = READ_ONCE(*pmd_offset(pud, addr));
	*next = pgtable_next(addr, PMD_SIZE);
	if (pmd_none(pmd))
		return NULL;
	if (!pmd_present(pmd)) {
		*entry = DEVPUB_ENTRY_HUGE_MOVING;
		return NULL;
	}
	if (pmd_leaf(pmd)) {
		*pfn = pmd_pfn(pmd) + ((addr & ~PMD_MASK) >> PAGE_SHIFT);
		*entry = DEVPUB_ENTRY_HUGE;
		return NULL;
	}
	/* Use the value that was checked, because the entry itself may change. */
	return pte_offset_kernel(&pmd, addr);
}

/**
 * devpub_pgtable_look() - read the page table entry for an address
 * @mm: the process's memory
 * @addr: the address
 * @pfn: receives the page frame number, if the entry maps a page
 * @next: receives the first address after @addr that another entry maps
 *
 * The entry may change at any time, and its page may be freed.  The struct page of that
 * page stays valid as long as the caller holds rcu_read_lock().
 *
 * Context: rcu_read_lock() is held.  So is a lock that keeps the page tables: mmap_lock, or
 * the anon_vma lock of a mapping that contains @addr, because free_pgtables() (mm/memory.c)
 * unlinks the mapping before it frees page tables.
 * Return: the kind of the entry.
 */
enum devpub_entry devpub_pgtable_look(struct mm_struct *mm, unsigned long addr,
				      unsigned long *pfn, unsigned long *next)
{
	enum devpub_entry entry;
	pte_t *ptep, pte;

	ptep = devpub_pgtable_table(mm, addr, &entry, pfn, next);
	if (!ptep)
		return entry;
	*next = addr + PAGE_SIZE;
	pte = ptep_get(ptep);
	if (pte_none(pte))
		return DEVPUB_ENTRY_NONE;
	if (!pte_present(pte))
		return softleaf_is_migration(softleaf_from_pte(pte)) ?
		       DEVPUB_ENTRY_MOVING : DEVPUB_ENTRY_OTHER;
	*pfn = pte_pfn(pte);
	return DEVPUB_ENTRY_PAGE;
}
