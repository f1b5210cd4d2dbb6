// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The commands of /dev/hmm_dmirrorN that move pages.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched.h>

#include "device/device.h"
#include "engine/evict.h"
#include "engine/job.h"
#include "engine/process.h"
#include "front/dmirror.h"

/* The test module refuses a range that is not mapped, or not readable, as a whole. */
static int dmirror_check_mappings(struct mm_struct *mm, unsigned long addr,
				  unsigned long end)
{
	struct vm_area_struct *vma;
	int ret = 0;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	while (addr < end && !ret) {
		vma = vma_lookup(mm, addr);
		if (!vma || !(vma->vm_flags & VM_READ))
			ret = -EINVAL;
		else
			addr = vma->vm_end;
	}
	mmap_read_unlock(mm);
	return ret;
}

static int dmirror_move(struct devpub_dmirror *dmirror,
			const struct devpub_dmirror_command *arg, bool to,
			struct devpub_reason_counts *counts)
{
	const struct devpub_endpoint *device = &dmirror->ddev->endpoint;
	const struct devpub_transfer_spec spec = {
		.source		= to ? &devpub_endpoint_system : device,
		.destination	= to ? device : &devpub_endpoint_system,
		.populate	= to,
	};
	struct devpub_job job = {
		.addr	= arg->addr,
		.length	= arg->npages << PAGE_SHIFT,
	};
	int ret;

	ret = dmirror_check_mappings(current->mm, job.addr, job.addr + job.length);
	if (ret)
		return ret;
	ret = devpub_process_get(&job.process, false, 0);
	if (ret)
		return ret;
	ret = devpub_job_transfer(&job, &spec, 0, counts);
	devpub_process_put(&job.process);
	return ret;
}

/**
 * devpub_dmirror_migrate_to_device() - move a range to the device, and read it from there
 * @dmirror: the open file
 * @arg: the command
 *
 * Holes of a mapping that can't be written to stay (Documentation/design.md, "The engine"); the
 * device reads zeros there.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL if a part of the range is not mapped or not readable; -ENOENT if a page
 * stays elsewhere; another negative error.
 */
int devpub_dmirror_migrate_to_device(struct devpub_dmirror *dmirror,
				     struct devpub_dmirror_command *arg)
{
	struct devpub_reason_counts counts = {};
	int ret;

	ret = dmirror_move(dmirror, arg, true, &counts);
	if (ret)
		return ret;
	if (devpub_reason_refused(&counts))
		return -ENOENT;
	ret = devpub_dmirror_read(dmirror, arg);
	arg->faults = 0;
	return ret;
}

/**
 * devpub_dmirror_migrate_to_system() - move a range to system memory
 * @dmirror: the open file
 * @arg: the command; @cpages receives the number of pages that moved
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL if a part of the range is not mapped or not readable; another negative
 * error.
 */
int devpub_dmirror_migrate_to_system(struct devpub_dmirror *dmirror,
				     struct devpub_dmirror_command *arg)
{
	struct devpub_reason_counts counts = {};
	int ret;

	ret = dmirror_move(dmirror, arg, false, &counts);
	arg->cpages = counts.n[DEVPUB_REASON_MOVED];
	return ret;
}

/**
 * devpub_dmirror_release() - move all pages of all processes off the device
 * @dmirror: the open file
 * @arg: the command, whose range has no meaning
 *
 * Context: process context, may sleep.
 * Return: 0; -EPERM without CAP_SYS_ADMIN; -EBUSY if a page stays; another negative error.
 */
int devpub_dmirror_release(struct devpub_dmirror *dmirror,
			   struct devpub_dmirror_command *arg)
{
	struct devpub_device *ddev = dmirror->ddev;
	u64 moved;
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!devpub_gate_enter(&ddev->gate))
		return -ENODEV;
	ret = devpub_evict(&ddev->endpoint, true, &moved);
	devpub_gate_exit(&ddev->gate);
	if (!ret && devpub_pool_used_pages(&ddev->pool))
		ret = -EBUSY;
	return ret;
}
