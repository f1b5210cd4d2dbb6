/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_PTE_H
#define DEVPUB_PTE_H

#include <linux/mm_types.h>
#include <linux/pgtable.h>

/**
 * struct devpub_pte - a decoded page table entry
 * @present:	a page is mapped
 * @swap:	the entry is a swap entry
 * @migration:	the entry is a migration entry
 * @writable:	the present or migrating page is writable
 * @dirty:	the present page is dirty
 * @young:	the present page was accessed
 * @soft_dirty:	the page was written to since soft-dirty tracking last began
 * @special:	the kernel must not use the struct page of the present page
 * @devmap:	the present page is marked as device memory without ordinary references
 * @pfn:	frame number of the present or migrating page
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
