// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The spy in the device's side: intercepts what the mirror calls of the kernel, and what the
 * engine calls of an operation, in a build for KUnit only.
 */
#include <linux/hmm.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>

#include "access/operation.h"
#include "export.h"
#include "spy_access.h"

static struct devpub_spy_access *spy_set;

/**
 * devpub_spy_set_access() - set the spy
 * @spy: the spy, or NULL for none
 *
 * Context: no access is in progress.
 */
void devpub_spy_set_access(struct devpub_spy_access *spy)
{
	WRITE_ONCE(spy_set, spy);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_spy_set_access);

static void spy_look(enum devpub_access_moment moment, struct devpub_operation *operation)
{
	struct devpub_spy_access *spy = READ_ONCE(spy_set);

	if (spy && spy->look)
		spy->look(spy, moment, operation);
}

unsigned long devpub_spy_read_begin(struct mmu_interval_notifier *notifier)
{
	unsigned long seq;

	spy_look(DEVPUB_BEFORE_BEGIN, NULL);
	seq = mmu_interval_read_begin(notifier);
	spy_look(DEVPUB_AFTER_BEGIN, NULL);
	return seq;
}

int devpub_spy_range_fault(struct hmm_range *range)
{
	int ret;

	spy_look(DEVPUB_BEFORE_READ, NULL);
	ret = hmm_range_fault(range);
	spy_look(DEVPUB_AFTER_READ, NULL);
	return ret;
}

vm_fault_t devpub_spy_mm_fault(struct vm_area_struct *vma, unsigned long addr,
			       unsigned int flags, struct pt_regs *regs)
{
	vm_fault_t ret = handle_mm_fault(vma, addr, flags, regs);

	spy_look(DEVPUB_AFTER_FAULT, NULL);
	return ret;
}

int devpub_spy_interval_insert(struct mmu_interval_notifier *notifier,
			       struct mm_struct *mm, unsigned long start,
			       unsigned long length,
			       const struct mmu_interval_notifier_ops *ops)
{
	struct devpub_spy_access *spy = READ_ONCE(spy_set);

	if (spy && spy->insert_error)
		return spy->insert_error;
	return mmu_interval_notifier_insert(notifier, mm, start, length, ops);
}

void devpub_spy_slice(struct devpub_operation *operation, struct devpub_mirror *mirror)
{
	spy_look(DEVPUB_BEFORE_SLICE, operation);
	devpub_operation_slice(operation, mirror);
	spy_look(DEVPUB_AFTER_SLICE, operation);
}
