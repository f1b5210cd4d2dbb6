// SPDX-License-Identifier: GPL-2.0
/*
 * The reader of page table entries.
 */
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <linux/swapops.h>

#include "pte.h"

/**
 * devpub_pte_decode() - what an entry says
 * @pte: the entry
 *
 * Return: all false for an entry that is none.
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
 * No lock keeps the tables: a struct devpub_user's memory is mapped and unmapped
 * only when a test says so.
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
 * devpub_pte_read() - what the entry of an address says
 * @mm: address space of a struct devpub_user
 * @addr: the address
 *
 * Context: any in which the process is not making a call.
 * Return: all false when there is no entry.
 */
struct devpub_pte devpub_pte_read(struct mm_struct *mm, unsigned long addr)
{
	pmd_t *pmd;
	pte_t *pte = pte_find(mm, addr, &pmd);

	return devpub_pte_decode(pte ? READ_ONCE(*pte) : __pte(0));
}

/**
 * devpub_pte_set_flags() - set the marks of the entry of an address
 * @mm: address space of a struct devpub_user
 * @addr: the address
 * @dirty: the dirty mark, whose loss is the test's problem
 * @young: the accessed mark
 * @soft_dirty: the soft-dirty mark
 *
 * The TLB is not told.  It need not be: a migration, a fork or an mprotect comes
 * before the next access, and flushes.
 *
 * Context: process context; the process is not making a call.
 * Return: false when nothing is mapped there.
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
	/* Setting the dirty mark sets the soft-dirty one, too: that comes last. */
	pte = READ_ONCE(*ptep);
	pte = dirty ? pte_mkdirty(pte) : pte_mkclean(pte);
	pte = young ? pte_mkyoung(pte) : pte_mkold(pte);
	pte = soft_dirty ? pte_mksoft_dirty(pte) : pte_clear_soft_dirty(pte);
	set_pte(ptep, pte);
	spin_unlock(pte_lockptr(mm, pmd));
	return true;
}
