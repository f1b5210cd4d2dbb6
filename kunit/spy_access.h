/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_SPY_ACCESS_H
#define DEVPUB_SPY_ACCESS_H

#include <linux/mm_types.h>
#include <linux/types.h>

struct devpub_mirror;
struct devpub_operation;
struct hmm_range;
struct mmu_interval_notifier;
struct mmu_interval_notifier_ops;
struct pt_regs;

/**
 * enum devpub_access_moment - the moments of a device's access at which a spy is called
 * @DEVPUB_BEFORE_BEGIN:	before mmu_interval_read_begin()
 * @DEVPUB_AFTER_BEGIN:		after it
 * @DEVPUB_BEFORE_READ:		before hmm_range_fault(), with mmap_lock held for reading
 * @DEVPUB_AFTER_READ:		after it, with mmap_lock held for reading
 * @DEVPUB_AFTER_FAULT:		after handle_mm_fault()
 * @DEVPUB_BEFORE_SLICE:	in the engine's thread, inside the gate
 * @DEVPUB_AFTER_SLICE:		in the engine's thread, inside the gate
 */
enum devpub_access_moment {
	DEVPUB_BEFORE_BEGIN,
	DEVPUB_AFTER_BEGIN,
	DEVPUB_BEFORE_READ,
	DEVPUB_AFTER_READ,
	DEVPUB_AFTER_FAULT,
	DEVPUB_BEFORE_SLICE,
	DEVPUB_AFTER_SLICE,
};

/**
 * struct devpub_spy_access - observes accesses from the inside
 * @look:	called at each moment; @operation is NULL but for slices
 * @insert_error: if not 0, the return value of mmu_interval_notifier_insert()
 */
struct devpub_spy_access {
	void (*look)(struct devpub_spy_access *spy, enum devpub_access_moment moment,
		     struct devpub_operation *operation);
	int insert_error;
};

void devpub_spy_set_access(struct devpub_spy_access *spy);

/* Replacements for functions that the module calls; Kbuild renames the calls. */
unsigned long devpub_spy_read_begin(struct mmu_interval_notifier *notifier);
int devpub_spy_range_fault(struct hmm_range *range);
vm_fault_t devpub_spy_mm_fault(struct vm_area_struct *vma, unsigned long addr,
			       unsigned int flags, struct pt_regs *regs);
int devpub_spy_interval_insert(struct mmu_interval_notifier *notifier,
			       struct mm_struct *mm, unsigned long start,
			       unsigned long length,
			       const struct mmu_interval_notifier_ops *ops);
void devpub_spy_slice(struct devpub_operation *operation, struct devpub_mirror *mirror);

#endif /* DEVPUB_SPY_ACCESS_H */
