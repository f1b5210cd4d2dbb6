// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Rules that decide which mappings and folios may migrate to a device. */
#include <linux/dax.h>
#include <linux/hugetlb_inline.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/page-flags.h>

#include "engine/folio.h"
#include "engine/reason.h"

/**
 * devpub_mapping_refusal() - check if pages of a mapping may migrate to a device
 * @vma: the mapping
 *
 * Context: mmap_lock held for reading.
 * Return: 0 if they may, else the enum devpub_reason for all of them.
 */
u8 devpub_mapping_refusal(struct vm_area_struct *vma)
{
	lockdep_assert_held(&vma->vm_mm->mmap_lock);
	if (is_vm_hugetlb_page(vma))
		return DEVPUB_REASON_HUGETLB;
	if (vma->vm_flags & VM_SPECIAL || vma_is_dax(vma))
		return DEVPUB_REASON_SPECIAL;
	if (vma->vm_flags & VM_SHARED)
		return DEVPUB_REASON_SHARED;
	/* A private mapping that was never written to maps only pages of the file. */
	if (!vma_is_anonymous(vma) && !vma->anon_vma)
		return DEVPUB_REASON_FILE;
	return 0;
}

/**
 * devpub_folio_refusal() - check if a folio may migrate to a device
 * @folio: a folio that the caller holds a reference to
 *
 * Context: any.
 * Return: 0 if it may, else its enum devpub_reason.
 */
u8 devpub_folio_refusal(struct folio *folio)
{
	if (!folio_test_anon(folio))
		return DEVPUB_REASON_FILE;
	/*
	 * KSM looks its pages up by frame number, and gets no notification when a device's
	 * page array is freed (mm/ksm.c, ksm_get_folio()).
	 */
	if (folio_test_ksm(folio))
		return DEVPUB_REASON_KSM;
	/*
	 * 6.12 up to 6.12.107 moves such a page with a reference count as if it were still in
	 * the swap cache.  The extra reference keeps the page from ever moving again.
	 */
	if (folio_test_swapcache(folio))
		return DEVPUB_REASON_SWAPCACHE;
	return 0;
}

/**
 * devpub_folio_is_huge_hole() - check if the huge zero page is mapped
 * @vma: the mapping
 * @pfn: frame number of a page that the mapping maps as part of a PMD
 *
 * Context: mmap_lock and rcu_read_lock() are held.
 * Return: true if it is, so that the addresses count as a hole.
 */
bool devpub_folio_is_huge_hole(struct vm_area_struct *vma, unsigned long pfn)
{
	return vma_is_anonymous(vma) &&
	       !(pfn_valid(pfn) && PageAnon(pfn_to_page(pfn)));
}
