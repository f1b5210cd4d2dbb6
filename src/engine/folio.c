// SPDX-License-Identifier: GPL-2.0
/* Which mappings and folios may live on a device. */
#include <linux/dax.h>
#include <linux/hugetlb_inline.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/page-flags.h>

#include "engine/folio.h"
#include "engine/reason.h"

/**
 * devpub_mapping_refusal() - may pages of this mapping live on a device?
 * @vma: the mapping
 *
 * Context: mmap_lock held for reading.
 * Return: 0 when they may, else the enum devpub_reason of all of them.
 */
u8 devpub_mapping_refusal(struct vm_area_struct *vma)
{
	mmap_assert_locked(vma->vm_mm);
	if (is_vm_hugetlb_page(vma))
		return DEVPUB_REASON_HUGETLB;
	if (vma->vm_flags & VM_SPECIAL || vma_is_dax(vma))
		return DEVPUB_REASON_SPECIAL;
	if (vma->vm_flags & VM_SHARED)
		return DEVPUB_REASON_SHARED;
	/* A private mapping that was never written to has the file's pages only. */
	if (!vma_is_anonymous(vma) && !vma->anon_vma)
		return DEVPUB_REASON_FILE;
	return 0;
}

/**
 * devpub_folio_refusal() - may this folio live on a device?
 * @folio: a folio that the caller holds a reference to
 *
 * Context: any.
 * Return: 0 when it may, else its enum devpub_reason.
 */
u8 devpub_folio_refusal(struct folio *folio)
{
	if (!folio_test_anon(folio))
		return DEVPUB_REASON_FILE;
	/*
	 * KSM finds its pages again by frame number, and nothing tells it when a device's
	 * page array goes away (mm/ksm.c, ksm_get_folio()).
	 */
	if (folio_test_ksm(folio))
		return DEVPUB_REASON_KSM;
	/*
	 * 6.12 up to 6.12.107 moves such a page with the reference count of a page in the
	 * swap cache, after which nothing can move it again.
	 */
	if (folio_test_swapcache(folio))
		return DEVPUB_REASON_SWAPCACHE;
	return 0;
}

/**
 * devpub_folio_is_huge_hole() - does the huge zero page stand in for a hole?
 * @vma: the mapping
 * @pfn: the page frame number of a page that it maps as part of something larger
 *
 * Context: mmap_lock and RCU's read side are held.
 * Return: true when it does.
 */
bool devpub_folio_is_huge_hole(struct vm_area_struct *vma, unsigned long pfn)
{
	return vma_is_anonymous(vma) &&
	       !(pfn_valid(pfn) && PageAnon(pfn_to_page(pfn)));
}
