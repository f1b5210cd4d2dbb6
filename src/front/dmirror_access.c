// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The commands of /dev/hmm_dmirrorN by which the device reads, writes and looks at a process's
 * memory.
 */
#include <linux/hmm.h>
#include <linux/memremap.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pfn.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <linux/devpub.h>

#include "access/engine.h"
#include "access/mirror.h"
#include "access/operation.h"
#include "device/device.h"
#include "front/dmirror.h"

/*
 * A miss of the device's page tables adds all pages from there on, up to this many bytes.  It is
 * much less than what a mirror keeps.
 */
#define DMIRROR_FAULT_AHEAD	SZ_16M

/*
 * Maximum size of an operation of the engine, in bytes.  An operation of several slices costs
 * two switches to the engine's thread, however long it is.
 */
#define DMIRROR_OPERATION_MAX	SZ_4M

/* Pages that a snapshot handles at a time. */
#define DMIRROR_SNAPSHOT_PAGES	64

/*
 * What a snapshot says about a page, in one byte, as the kernel's test module does: either
 * DMIRROR_PAGE_ERROR, or 0 if there is no page, or READ or WRITE with at most one of PMD and PUD
 * and at most one of the rest.
 */
enum dmirror_page {
	DMIRROR_PAGE_NONE		= 0x00,
	DMIRROR_PAGE_READ		= 0x01,
	DMIRROR_PAGE_WRITE		= 0x02,
	DMIRROR_PAGE_PMD		= 0x04,
	DMIRROR_PAGE_PUD		= 0x08,
	DMIRROR_PAGE_ZERO		= 0x10,
	DMIRROR_PAGE_COHERENT_LOCAL	= 0x40,
	DMIRROR_PAGE_COHERENT_REMOTE	= 0x50,
	DMIRROR_PAGE_ERROR		= 0xff,
};

/*
 * Add all pages of a range that are missing to the device's page tables.  This counts as one
 * fault, as a device would report all addresses that it waits for at once.
 */
static int dmirror_fault(struct devpub_dmirror *dmirror, unsigned long addr,
			 unsigned long end, bool write, u64 *faults)
{
	const unsigned long want = HMM_PFN_VALID | (write ? HMM_PFN_WRITE : 0);
	struct devpub_mirror *mirror = dmirror->channel->mirror;
	bool missed = false;
	int ret = 0;

	for (; addr < end && !ret; addr += PAGE_SIZE) {
		if ((devpub_mirror_peek(mirror, addr) & want) == want)
			continue;
		missed = true;
		ret = devpub_mirror_fault(mirror, addr, end - addr, write);
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	*faults += missed;
	return ret;
}

/* Let the engine read or write. */
static int dmirror_execute(struct devpub_dmirror *dmirror, unsigned long addr,
			   unsigned long length, bool write, void *buffer, u64 *faults)
{
	struct devpub_operation operation = {
		.op	= write ? DEVPUB_OP_WRITE : DEVPUB_OP_READ,
		.addr	= addr,
		.length	= length,
		.buffer	= buffer,
	};
	int ret;

	ret = devpub_channel_execute(dmirror->channel, &operation);
	*faults += operation.faults;
	return ret;
}

static int dmirror_copy(struct devpub_dmirror *dmirror, struct devpub_dmirror_command *arg,
			bool write, void *buffer)
{
	unsigned long addr = arg->addr, end = addr + (arg->npages << PAGE_SHIFT);
	unsigned long ready = addr, n;
	char __user *user = u64_to_user_ptr(arg->buffer);
	int ret;

	for (; addr < end; addr += n) {
		if (addr == ready) {
			ready = addr + min_t(unsigned long, end - addr, DMIRROR_FAULT_AHEAD);
			ret = dmirror_fault(dmirror, addr, ready, write, &arg->faults);
			if (ret)
				return ret;
		}
		n = min_t(unsigned long, ready - addr, DMIRROR_OPERATION_MAX);
		if (write && copy_from_user(buffer, user, n))
			return -EFAULT;
		ret = dmirror_execute(dmirror, addr, n, write, buffer, &arg->faults);
		if (ret)
			return ret;
		if (!write && copy_to_user(user, buffer, n))
			return -EFAULT;
		user += n;
		arg->cpages += n >> PAGE_SHIFT;
	}
	return 0;
}

static int dmirror_access(struct devpub_dmirror *dmirror, struct devpub_dmirror_command *arg,
			  bool write)
{
	unsigned long length = arg->npages << PAGE_SHIFT;
	void *buffer;
	int ret;

	buffer = kvmalloc(min_t(unsigned long, length, DMIRROR_OPERATION_MAX),
			  GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return -ENOMEM;
	ret = dmirror_copy(dmirror, arg, write, buffer);
	kvfree(buffer);
	return ret;
}

/**
 * devpub_dmirror_read() - let the device copy a range to the caller's buffer
 * @dmirror: the open file
 * @arg: the command
 *
 * Context: process context, may sleep.
 * Return: 0, -EFAULT where nothing readable is mapped, or another negative error.
 */
int devpub_dmirror_read(struct devpub_dmirror *dmirror, struct devpub_dmirror_command *arg)
{
	return dmirror_access(dmirror, arg, false);
}

/* The test module tells a mapping that is read-only from one that can't be accessed at all. */
static bool dmirror_is_read_only(struct devpub_dmirror_command *arg)
{
	unsigned long addr = arg->addr + (arg->cpages << PAGE_SHIFT);
	unsigned long end = arg->addr + (arg->npages << PAGE_SHIFT);
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	bool read_only = false;

	if (mmap_read_lock_killable(mm))
		return false;
	for (; addr < end; addr = vma->vm_end) {
		vma = vma_lookup(mm, addr);
		if (!vma || !(vma->vm_flags & VM_READ))
			break;
		if (!(vma->vm_flags & VM_WRITE)) {
			read_only = true;
			break;
		}
	}
	mmap_read_unlock(mm);
	return read_only;
}

/**
 * devpub_dmirror_write() - let the device copy the caller's buffer to a range
 * @dmirror: the open file
 * @arg: the command
 *
 * Context: process context, may sleep.
 * Return: 0, -EPERM where the mapping is read-only, -EFAULT where nothing is mapped, or
 * another negative error.
 */
int devpub_dmirror_write(struct devpub_dmirror *dmirror, struct devpub_dmirror_command *arg)
{
	int ret = dmirror_access(dmirror, arg, true);

	return ret == -EFAULT && dmirror_is_read_only(arg) ? -EPERM : ret;
}

/* Check if a frame belongs to any device's coherent memory. */
static bool dmirror_is_coherent(unsigned long pfn)
{
	/* Nobody holds the page, so only the pagemap may be looked at. */
	struct dev_pagemap *pgmap = get_dev_pagemap(pfn);
	bool coherent;

	if (!pgmap)
		return false;
	coherent = pgmap->type == MEMORY_DEVICE_COHERENT;
	put_dev_pagemap(pgmap);
	return coherent;
}

static u8 dmirror_describe(const struct devpub_dmirror *dmirror, unsigned long entry)
{
	const struct devpub_region *region = &dmirror->ddev->region;
	unsigned long pfn = entry & ~HMM_PFN_FLAGS;
	unsigned int order;
	u8 says;

	if (entry & HMM_PFN_ERROR)
		return DMIRROR_PAGE_ERROR;
	if (!(entry & HMM_PFN_VALID))
		return DMIRROR_PAGE_NONE;

	says = entry & HMM_PFN_WRITE ? DMIRROR_PAGE_WRITE : DMIRROR_PAGE_READ;
	if (PFN_PHYS(pfn) - region->start < region->size)
		says |= DMIRROR_PAGE_COHERENT_LOCAL;
	else if (dmirror_is_coherent(pfn))
		says |= DMIRROR_PAGE_COHERENT_REMOTE;
	else if (is_zero_pfn(pfn))
		says |= DMIRROR_PAGE_ZERO;

	order = hmm_pfn_to_map_order(entry);
	if (order + PAGE_SHIFT == PMD_SHIFT)
		says |= DMIRROR_PAGE_PMD;
	else if (order + PAGE_SHIFT == PUD_SHIFT)
		says |= DMIRROR_PAGE_PUD;
	return says;
}

/**
 * devpub_dmirror_snapshot() - describe the page table entries of a range
 * @dmirror: the open file
 * @arg: the command
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative error.
 */
int devpub_dmirror_snapshot(struct devpub_dmirror *dmirror,
			    struct devpub_dmirror_command *arg)
{
	unsigned long pfns[DMIRROR_SNAPSHOT_PAGES];
	u8 says[DMIRROR_SNAPSHOT_PAGES];
	unsigned long n, i;
	int ret;

	for (; arg->cpages < arg->npages; arg->cpages += n) {
		n = min(arg->npages - arg->cpages, ARRAY_SIZE(pfns));
		ret = devpub_mirror_snapshot(dmirror->channel->mirror,
					     arg->addr + (arg->cpages << PAGE_SHIFT), n, pfns);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		if (ret)
			return ret;
		for (i = 0; i < n; i++)
			says[i] = dmirror_describe(dmirror, pfns[i]);
		if (copy_to_user(u64_to_user_ptr(arg->buffer + arg->cpages), says, n))
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

/**
 * devpub_dmirror_exclusive() - take the pages of a range away from the CPUs, and read them
 * @dmirror: the open file
 * @arg: the command
 *
 * Context: process context, may sleep.
 * Return: 0; -EOPNOTSUPP if the kernel can't do this; -EBUSY if a page is on a device; -ENOENT
 * if a CPU took a page back meanwhile; another negative error.
 */
int devpub_dmirror_exclusive(struct devpub_dmirror *dmirror,
			     struct devpub_dmirror_command *arg)
{
	unsigned long addr = arg->addr, end = addr + (arg->npages << PAGE_SHIFT);
	char __user *user = u64_to_user_ptr(arg->buffer);
	void *buffer;
	int ret;

	ret = devpub_exclusive_take(&dmirror->exclusive, addr, end);
	if (ret)
		return ret;
	buffer = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return -ENOMEM;
	for (; addr < end && !ret; addr += PAGE_SIZE, user += PAGE_SIZE) {
		ret = devpub_exclusive_read(&dmirror->exclusive, addr, buffer);
		if (!ret && copy_to_user(user, buffer, PAGE_SIZE))
			ret = -EFAULT;
		if (!ret)
			arg->cpages++;
	}
	kfree(buffer);
	return ret;
}

/**
 * devpub_dmirror_check_exclusive() - check that no page of a range is taken away from the CPUs
 * @dmirror: the open file
 * @arg: the command
 *
 * Context: process context, may sleep.
 * Return: 0, or -EPERM if there is such a page.
 */
int devpub_dmirror_check_exclusive(struct devpub_dmirror *dmirror,
				   struct devpub_dmirror_command *arg)
{
	unsigned long end = arg->addr + (arg->npages << PAGE_SHIFT);

	return devpub_exclusive_has(&dmirror->exclusive, arg->addr, end) ? -EPERM : 0;
}
