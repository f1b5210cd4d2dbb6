// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Blocks: the page tables of a mirror.  Each has a notifier for its own address range, so a
 * process that changes other mappings all the time does not keep the device's faults from
 * succeeding.
 */
#include <linux/err.h>
#include <linux/hmm.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "access/mirror_block.h"
#include "export.h"

/*
 * The process's page tables change: forget what the mirror knows of the range.  The kernel
 * calls this before the change, in any context in which it may not wait for memory: reclaim,
 * compaction, the OOM reaper.  So this takes a spinlock only, which is never held for longer
 * than the access to one page, and serves ranges that must not block as well.
 *
 * A range need not consist of whole pages: on 6.1, __replace_page() of uprobes passes the
 * address of an instruction.
 */
static bool block_invalidate(struct mmu_interval_notifier *notifier,
			     const struct mmu_notifier_range *range, unsigned long seq)
{
	struct devpub_mirror_block *block = container_of(notifier, struct devpub_mirror_block,
							 notifier);
	unsigned long first = devpub_mirror_block_start(block);
	unsigned long start = PAGE_ALIGN_DOWN(max(range->start, first));
	unsigned long end = PAGE_ALIGN(min(range->end, first + DEVPUB_BLOCK_SIZE));

	spin_lock(&block->lock);
	mmu_interval_set_seq(notifier, seq);
	memset(devpub_mirror_block_entry(block, start), 0,
	       ((end - start) >> PAGE_SHIFT) * sizeof(*block->entries));
	spin_unlock(&block->lock);
	return true;
}

static const struct mmu_interval_notifier_ops block_ops = {
	.invalidate = block_invalidate,
};

/**
 * devpub_mirror_block_create() - create an empty block and register its notifier
 * @mm: the process's memory, which the caller keeps alive by mmget(), and for which
 *	__mmu_notifier_register() has been called: then this takes no mmap_lock
 * @index: the address of the block >> DEVPUB_BLOCK_SHIFT
 *
 * Context: process context, may sleep.
 * Return: the block, with one reference, or an ERR_PTR().
 */
struct devpub_mirror_block *devpub_mirror_block_create(struct mm_struct *mm,
						       unsigned long index)
{
	struct devpub_mirror_block *block;
	int ret;

	block = kvzalloc(struct_size(block, entries, DEVPUB_BLOCK_PAGES), GFP_KERNEL_ACCOUNT);
	if (!block)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&block->lock);
	kref_init(&block->ref);
	INIT_LIST_HEAD(&block->lru);
	block->index = index;
	ret = mmu_interval_notifier_insert(&block->notifier, mm,
					   devpub_mirror_block_start(block),
					   DEVPUB_BLOCK_SIZE, &block_ops);
	if (ret) {
		kvfree(block);
		return ERR_PTR(ret);
	}
	return block;
}

static void block_release(struct kref *ref)
{
	kvfree(container_of(ref, struct devpub_mirror_block, ref));
}

/**
 * devpub_mirror_block_put() - drop a reference to a block
 * @block: the block
 *
 * Context: process context; the caller does not hold the block's lock.
 */
void devpub_mirror_block_put(struct devpub_mirror_block *block)
{
	kref_put(&block->ref, block_release);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_mirror_block_put);

/**
 * devpub_mirror_block_destroy() - empty a block, unregister its notifier, drop a reference
 * @block: the block, which no one can find any more.  Tasks that have found it before find
 *	   that it is dead
 *
 * Context: process context; waits uninterruptibly for the end of invalidations of the process's
 * memory, if one of them has begun that includes any block of any mirror of it
 * (mmu_interval_notifier_remove(), mn_itree_is_invalidating()).
 */
void devpub_mirror_block_destroy(struct devpub_mirror_block *block)
{
	/* Without its notifier, an entry would outlive the page. */
	spin_lock(&block->lock);
	/* Pairs with READ_ONCE() of those who do not hold the lock. */
	WRITE_ONCE(block->dead, true);
	memset(block->entries, 0, DEVPUB_BLOCK_PAGES * sizeof(*block->entries));
	spin_unlock(&block->lock);
	mmu_interval_notifier_remove(&block->notifier);
	devpub_mirror_block_put(block);
}

/**
 * devpub_mirror_block_install() - add the result of hmm_range_fault() to a block
 * @block: the block
 * @range: the range, which lies in the block; entries without HMM_PFN_VALID are skipped
 *
 * Context: process context.
 * Return: false when the process's page tables have changed since
 * mmu_interval_read_begin(), or the block is dead.  Nothing is added then.
 */
bool devpub_mirror_block_install(struct devpub_mirror_block *block,
				 const struct hmm_range *range)
{
	unsigned long *entry, i, n = (range->end - range->start) >> PAGE_SHIFT;
	bool valid;

	spin_lock(&block->lock);
	valid = !block->dead &&
		!mmu_interval_read_retry(&block->notifier, range->notifier_seq);
	if (valid) {
		entry = devpub_mirror_block_entry(block, range->start);
		for (i = 0; i < n; i++)
			if (range->hmm_pfns[i] & HMM_PFN_VALID)
				entry[i] = range->hmm_pfns[i] &
					   (~HMM_PFN_FLAGS | DEVPUB_ENTRY_FLAGS);
	}
	spin_unlock(&block->lock);
	return valid;
}
