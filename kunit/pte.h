/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_PTE_H
#define DEVPUB_PTE_H

#include <linux/mm_types.h>
#include <linux/pgtable.h>

/**
 * struct devpub_pte - what a page table entry says
 * @present:	a page is mapped
 * @swap:	none is: it is in swap
 * @migration:	none is: it is being migrated
 * @writable:	a present page or one in migration can be written to
 * @dirty:	a present page was
 * @young:	a present page was accessed
 * @soft_dirty:	written to since soft-dirty tracking last began
 * @special:	a present page is not for the kernel to look at
 * @devmap:	a present page is marked as device memory of the kind that has no
 *		ordinary references
 * @pfn:	frame number of a present page or of one in migration
 */
struct devpub_pte {
	bool present;
	bool swap;
	bool migration;
	bool writable;
	bool dirty;
	bool young;
	bool soft_dirty;
	bool special;
	bool devmap;
	unsigned long pfn;
};

struct devpub_pte devpub_pte_decode(pte_t pte);
struct devpub_pte devpub_pte_read(struct mm_struct *mm, unsigned long addr);
bool devpub_pte_set_flags(struct mm_struct *mm, unsigned long addr, bool dirty,
			  bool young, bool soft_dirty);

#endif /* DEVPUB_PTE_H */
