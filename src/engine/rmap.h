/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_RMAP_H
#define DEVPUB_RMAP_H

#include <linux/types.h>

struct mm_struct;
struct page;
struct vm_area_struct;

/**
 * struct devpub_relatives - processes that may map the same pages, with mmap_lock held
 * @mms:	their memory; each mmap_lock is held for reading
 * @n:		number of processes
 * @room:	allocated entries of @mms
 * @mergeable:	one of them has a mapping whose pages KSM may merge (VM_MERGEABLE)
 */
struct devpub_relatives {
	struct mm_struct **mms;
	unsigned int n;
	unsigned int room;
	bool mergeable;
};

struct mm_struct *devpub_rmap_lock(struct page *page, unsigned long *addr,
				   bool wait, bool *busy);
unsigned int devpub_rmap_count(struct vm_area_struct *vma, unsigned long start,
			       unsigned long end);
bool devpub_relatives_lock(struct devpub_relatives *relatives,
			   struct vm_area_struct *vma, unsigned long start,
			   unsigned long end);
void devpub_relatives_unlock(struct devpub_relatives *relatives);
void devpub_relatives_free(struct devpub_relatives *relatives);

#endif /* DEVPUB_RMAP_H */
