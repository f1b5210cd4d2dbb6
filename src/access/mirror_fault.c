// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Faults of the mirror: copies what the process's page tables say into the mirror, and lets
 * the kernel fault pages in.
 *
 * hmm_range_fault() only reads the page tables here.  Before 7.x it would fault pages in with
 * mmap_lock held, uninterruptibly, and without userfaultfd.  handle_mm_fault() lets mmap_lock
 * go before it waits, and its waits end with a signal, as those of the process's own faults.
 */
#include <linux/dax.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/hmm.h>
#include <linux/magic.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/mmu_notifier.h>
#include <linux/oom.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "access/mirror.h"
#include "access/mirror_block.h"
#include "export.h"

/* Attempts that a signal does not interrupt, so that a program with many signals progresses. */
#define FAULT_TRIES	8

/* Maximum number of attempts after which the kernel still has no page for the address. */
#define FAULT_ERRORS	64

/**
 * struct fault - a fault of the device
 * @mirror:	the mirror
 * @addr:	the page-aligned address
 * @end:	end of the range that the device wants to access
 * @write:	the device wants to write
 * @flags:	FAULT_FLAG_TRIED after the first wait
 * @errors:	number of times that the page tables had an entry that is no page
 */
struct fault {
	struct devpub_mirror *mirror;
	unsigned long addr;
	unsigned long end;
	bool write;
	unsigned int flags;
	unsigned int errors;
};

/* Secret memory is not in the kernel's direct map.  vma_is_secretmem() is not exported. */
static bool mapping_is_secret(const struct vm_area_struct *vma)
{
	return vma->vm_file &&
	       file_inode(vma->vm_file)->i_sb->s_magic == SECRETMEM_MAGIC;
}

/* Only call instructions of the processor may write to a shadow stack. */
static bool mapping_is_writable(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_WRITE | VM_SHADOW_STACK)) == VM_WRITE;
}

/* get_user_pages() has the same rules (mm/gup.c, check_vma_flags()). */
static bool mapping_permits(struct vm_area_struct *vma, bool write)
{
	if (!(vma->vm_flags & VM_READ) || vma->vm_flags & (VM_IO | VM_PFNMAP))
		return false;
	/* A driver may have mapped memory that has no struct page, or is not memory. */
	if (vma->vm_flags & VM_MIXEDMAP && !vma_is_dax(vma))
		return false;
	if (mapping_is_secret(vma))
		return false;
	return !write || mapping_is_writable(vma);
}

/*
 * Set the range to the pages around the address, and to more of those that the device wants to
 * access, as far as they are in the mapping and in the block.
 */
static void range_around(struct hmm_range *range, const struct vm_area_struct *vma,
			 const struct fault *fault)
{
	unsigned long start = ALIGN_DOWN(fault->addr, DEVPUB_MIRROR_AROUND << PAGE_SHIFT);
	unsigned long end = start + (DEVPUB_MIRROR_AROUND << PAGE_SHIFT);
	unsigned long limit = min(start + (DEVPUB_MIRROR_AHEAD << PAGE_SHIFT),
				  ALIGN(end, DEVPUB_BLOCK_SIZE));

	BUILD_BUG_ON(DEVPUB_BLOCK_PAGES % DEVPUB_MIRROR_AROUND);
	end = max(end, min(fault->end, limit));
	range->start = max(start, vma->vm_start);
	range->end = min(end, vma->vm_end);
}

/*
 * pte_write() is true for a page of a shadow stack.  The entry that a read adds for it must not
 * permit a later write.
 */
static void range_deny_writes(struct hmm_range *range)
{
	unsigned long i, n = (range->end - range->start) >> PAGE_SHIFT;

	for (i = 0; i < n; i++)
		range->hmm_pfns[i] &= ~HMM_PFN_WRITE;
}

/*
 * Let the kernel fault the page in.  Releases mmap_lock, whatever happens.  Returns -EAGAIN
 * on success: the page tables must be read again.
 */
static int fault_handle(struct fault *fault, struct vm_area_struct *vma)
{
	unsigned int flags = FAULT_FLAG_REMOTE | FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE |
			     FAULT_FLAG_INTERRUPTIBLE | fault->flags;
	vm_fault_t done;

	mmap_assert_locked(fault->mirror->mm);
	if (fault->write)
		flags |= FAULT_FLAG_WRITE;
	done = handle_mm_fault(vma, fault->addr, flags, NULL);
	if (done & VM_FAULT_RETRY) {
		/* The kernel has waited for something, without mmap_lock. */
		fault->flags = FAULT_FLAG_TRIED;
		return signal_pending(current) ? -EINTR : -EAGAIN;
	}
	if (done & VM_FAULT_COMPLETED)
		return -EAGAIN;
	mmap_read_unlock(fault->mirror->mm);
	if (done & VM_FAULT_ERROR)
		return vm_fault_to_errno(done, FOLL_HWPOISON) ?: -EFAULT;
	return -EAGAIN;
}

/*
 * Read the page tables around the address into the block.  Releases mmap_lock.  Returns 0, or
 * -EAGAIN to begin anew.
 */
static int fault_read(struct fault *fault, struct devpub_mirror_block *block,
		      struct vm_area_struct *vma, struct hmm_range *range)
{
	unsigned long wanted = HMM_PFN_VALID | (fault->write ? HMM_PFN_WRITE : 0);
	unsigned long pfn;
	int ret;

	mmap_assert_locked(fault->mirror->mm);
	range_around(range, vma, fault);
	ret = hmm_range_fault(range);
	if (ret) {
		mmap_read_unlock(fault->mirror->mm);
		return ret == -EBUSY ? -EAGAIN : ret;
	}
	if (!mapping_is_writable(vma))
		range_deny_writes(range);
	pfn = range->hmm_pfns[(fault->addr - range->start) >> PAGE_SHIFT];
	if ((pfn & wanted) == wanted) {
		mmap_read_unlock(fault->mirror->mm);
		return devpub_mirror_block_install(block, range) ? 0 : -EAGAIN;
	}
	/* 7.x reports an error also while a THP migrates, so it may not last. */
	if (pfn & HMM_PFN_ERROR && ++fault->errors > FAULT_ERRORS) {
		mmap_read_unlock(fault->mirror->mm);
		return -EFAULT;
	}
	return fault_handle(fault, vma);
}

static int fault_try(struct fault *fault)
{
	unsigned long pfns[DEVPUB_MIRROR_AHEAD] = {};
	struct mm_struct *mm = fault->mirror->mm;
	struct devpub_mirror_block *block;
	struct vm_area_struct *vma;
	struct hmm_range range;
	int ret;

	block = devpub_mirror_get_block(fault->mirror, fault->addr);
	if (IS_ERR(block))
		return PTR_ERR(block);
	range = (struct hmm_range) {
		.notifier	= &block->notifier,
		.notifier_seq	= mmu_interval_read_begin(&block->notifier),
		.hmm_pfns	= pfns,
	};
	ret = mmap_read_lock_killable(mm);
	if (ret)
		goto put_block;
	vma = vma_lookup(mm, fault->addr);
	/* Memory that the OOM reaper has taken would read as zeros. */
	if (vma && mapping_permits(vma, fault->write) && !check_stable_address_space(mm)) {
		ret = fault_read(fault, block, vma, &range);
	} else {
		mmap_read_unlock(mm);
		ret = -EFAULT;
	}
put_block:
	devpub_mirror_block_put(block);
	return ret;
}

/**
 * devpub_mirror_fault() - get an entry for an address into the mirror
 * @mirror: the mirror
 * @addr: the address
 * @length: number of bytes from there on that the device wants to access, at least 1
 * @write: the device wants to write
 *
 * Adds also entries of pages around it, and of up to DEVPUB_MIRROR_AHEAD pages in @length, if
 * the pages are present.  An entry can be gone again when this returns: the caller lets the
 * device try again.
 *
 * Context: process context, in the task that has asked for the access; holds no lock, and is
 * not in a gate.  Waits for mmap_lock, and for whatever a fault of the process would wait for
 * (a disk, userfaultfd).  A signal ends most of that, a fatal one at once.  The reply of a FUSE
 * server that has read the request (fs/fuse/dev.c, request_wait_answer()) and
 * mmu_interval_read_begin() are waited for uninterruptibly.
 * Return: 0; -EFAULT when the process could not access the address itself, or a device can't;
 * -EHWPOISON, -ENOMEM; -EINTR; -ESRCH when the process has ended.
 */
int devpub_mirror_fault(struct devpub_mirror *mirror, unsigned long addr, unsigned long length,
			bool write)
{
	struct fault fault = {
		.mirror	= mirror,
		.addr	= addr & PAGE_MASK,
		.end	= PAGE_ALIGN(addr + length),
		.write	= write,
	};
	unsigned int tries = 0;
	int ret;

	if (!mmget_not_zero(mirror->mm))
		return -ESRCH;
	do {
		ret = fault_try(&fault);
		if (ret != -EAGAIN)
			break;
		if (fatal_signal_pending(current) ||
		    (++tries >= FAULT_TRIES && signal_pending(current)))
			ret = -EINTR;
		cond_resched();
	} while (ret == -EAGAIN);
	mmput(mirror->mm);
	return ret;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_mirror_fault);

static int snapshot_try(struct devpub_mirror *mirror, unsigned long start,
			unsigned long end, unsigned long *pfns)
{
	struct devpub_mirror_block *block;
	struct hmm_range range;
	int ret;

	block = devpub_mirror_get_block(mirror, start);
	if (IS_ERR(block))
		return PTR_ERR(block);
	range = (struct hmm_range) {
		.notifier	= &block->notifier,
		.notifier_seq	= mmu_interval_read_begin(&block->notifier),
		.start		= start,
		.end		= end,
		.hmm_pfns	= pfns,
	};
	memset(pfns, 0, ((end - start) >> PAGE_SHIFT) * sizeof(*pfns));
	ret = mmap_read_lock_killable(mirror->mm);
	if (ret)
		goto put_block;
	ret = hmm_range_fault(&range);
	mmap_read_unlock(mirror->mm);
	if (!ret && mmu_interval_check_retry(&block->notifier, range.notifier_seq))
		ret = -EBUSY;
put_block:
	devpub_mirror_block_put(block);
	return ret;
}

/**
 * devpub_mirror_snapshot() - read the process's page tables
 * @mirror: the mirror, whose entries do not change.  It can get blocks, and lose others
 * @addr: page-aligned first address
 * @npages: number of pages
 * @pfns: receives one entry per page, with the flags that hmm_range_fault() returns
 *
 * Nothing is faulted in.  The pages may change at any time: the result is for information.
 *
 * Context: process context; waits killably for mmap_lock, and uninterruptibly as
 * devpub_mirror_block_destroy() and mmu_interval_read_begin() do.
 * Return: 0, -EINTR, -ENOMEM, or -ESRCH when the process has ended.
 */
int devpub_mirror_snapshot(struct devpub_mirror *mirror, unsigned long addr,
			   unsigned long npages, unsigned long *pfns)
{
	unsigned long end = addr + (npages << PAGE_SHIFT), next;
	int ret = 0;

	if (!mmget_not_zero(mirror->mm))
		return -ESRCH;
	while (addr < end && !ret) {
		next = min(end, ALIGN(addr + 1, DEVPUB_BLOCK_SIZE));
		ret = snapshot_try(mirror, addr, next, pfns);
		if (ret == -EBUSY) {
			ret = signal_pending(current) ? -EINTR : 0;
			cond_resched();
			continue;
		}
		pfns += (next - addr) >> PAGE_SHIFT;
		addr = next;
	}
	mmput(mirror->mm);
	return ret;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_mirror_snapshot);
