// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * A reader of page table entries.
 */
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <linux/swapops.h>

#include "pte.h"

/**
 * devpub_pte_decode() - decode a page table entry
 * @pte: the entry
 *
 * Return: the decoded entry; all members are false for an empty one.
 */
struct devpub_pte devpub_pte_decode(pte_t pte)
{
	struct devpub_pte is = { 0 };

	if (pte_present(pte)) {
		is.present = true;
		is.pfn = pte_pfn(pte);
		is.writable = pte_write(pte);
		is.dirty = pte_dirty(pte);
		is.young = pte_young(pte);
		is.soft_dirty = pte_soft_dirty(pte);
		is.special = pte_special(pte);
		is.devmap = devpub_compat_pte_devmap(pte);
	} else if (!pte_none(pte)) {
		softleaf_t entry = softleaf_from_pte(pte);

		is.soft_dirty = pte_swp_soft_dirty(pte);
		is.swap = softleaf_is_swap(entry);
		is.migration = softleaf_is_migration(entry);
		if (is.migration) {
			is.pfn = softleaf_to_pfn(entry);
			is.writable = softleaf_is_migration_write(entry);
		}
	}
	return is;
}

/*
 * Find the PTE for an address.  This needs no lock to keep the page tables, because the process
 * of a struct devpub_user maps and unmaps memory only when a test requests it.
 */
static pte_t *pte_find(struct mm_struct *mm, unsigned long addr, pmd_t **pmdp)
{
	p4d_t *p4d;
	pgd_t *pgd;
	pud_t *pud;
	pmd_t *pmd;

	pgd = pgd_offset(mm, addr);
	if (pgd_none(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(*p4d))
		return NULL;
	pud = pud_offset(p4d, addr);
	if (pud_none(*pud) || pud_leaf(*pud))
		return NULL;
	pmd = pmd_offset(pud, addr);
	if (pmd_none(*pmd) || pmd_leaf(*pmd))
		return NULL;
	*pmdp = pmd;
	return pte_offset_kernel(pmd, addr);
}

/**
 * devpub_pte_read() - read the page table entry of an address
 * @mm: address space of a struct devpub_user
 * @addr: the address
 *
 * Context: any; the process must not be making a call.
 * Return: the decoded entry; all members are false if there is none.
 */
struct devpub_pte devpub_pte_read(struct mm_struct *mm, unsigned long addr)
{
	pmd_t *pmd;
	pte_t *pte = pte_find(mm, addr, &pmd);

	return devpub_pte_decode(pte ? READ_ONCE(*pte) : __pte(0));
}

/**
 * devpub_pte_set_flags() - set the flags of the page table entry of an address
 * @mm: address space of a struct devpub_user
 * @addr: the address
 * @dirty: the dirty flag; clearing it may lose data, which the test must allow for
 * @young: the accessed flag
 * @soft_dirty: the soft-dirty flag
 *
 * This does not flush the TLB, because the test calls migration, fork or mprotect before the
 * next access, and each of these flushes.
 *
 * Context: process context; the process is not making a call.
 * Return: false if no page is mapped there.
 */
bool devpub_pte_set_flags(struct mm_struct *mm, unsigned long addr, bool dirty,
			  bool young, bool soft_dirty)
{
	pmd_t *pmd;
	pte_t *ptep = pte_find(mm, addr, &pmd);
	pte_t pte;

	if (!ptep || !pte_present(*ptep))
		return false;

	spin_lock(pte_lockptr(mm, pmd));
	/* Setting the dirty flag also sets the soft-dirty flag, so change the latter last. */
	pte = READ_ONCE(*ptep);
	pte = dirty ? pte_mkdirty(pte) : pte_mkclean(pte);
	pte = young ? pte_mkyoung(pte) : pte_mkold(pte);
	pte = soft_dirty ? pte_mksoft_dirty(pte) : pte_clear_soft_dirty(pte);
	set_pte(ptep, pte);
	spin_unlock(pte_lockptr(mm, pmd));
	return true;
}
