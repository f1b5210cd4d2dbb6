/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_MIRROR_BLOCK_H
#define DEVPUB_MIRROR_BLOCK_H

#include <linux/hmm.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/pgtable.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/* The address range of a block is that of one page table of the process. */
#define DEVPUB_BLOCK_SHIFT	PMD_SHIFT
#define DEVPUB_BLOCK_SIZE	PMD_SIZE
#define DEVPUB_BLOCK_PAGES	PTRS_PER_PTE

/* An entry of a block: a frame number with these flags of enum hmm_pfn_flags, or 0. */
#define DEVPUB_ENTRY_FLAGS	(HMM_PFN_VALID | HMM_PFN_WRITE)

/**
 * struct devpub_mirror_block - a page table of the device's
 * @notifier:	tells of changes to the process's page tables in the block's range
 * @lock:	protects @entries and @dead.  It is held while the device accesses a page, so
 *		that an invalidation ends after the access.  Whoever holds it neither sleeps
 *		nor allocates
 * @dead:	@notifier is being removed: no entry may be added any more.  Can be read without
 *		@lock, as a hint
 * @ref:	one reference is the mirror's, others are held by users of the block
 * @index:	its address >> DEVPUB_BLOCK_SHIFT
 * @lru:	entry of the mirror's list, which the mirror's lock protects
 * @entries:	one entry per page
 *
 * While an entry is not 0 and @lock is held, the process's page tables map the page with at
 * least that permission, so the page can't be freed.
 */
struct devpub_mirror_block {
	struct mmu_interval_notifier notifier;
	spinlock_t lock; /* protects entries and dead */
	bool dead;
	struct kref ref;
	unsigned long index;
	struct list_head lru;
	unsigned long entries[];
};

struct devpub_mirror_block *devpub_mirror_block_create(struct mm_struct *mm,
						       unsigned long index);
void devpub_mirror_block_destroy(struct devpub_mirror_block *block);
void devpub_mirror_block_put(struct devpub_mirror_block *block);
bool devpub_mirror_block_install(struct devpub_mirror_block *block,
				 const struct hmm_range *range);

static inline unsigned long devpub_mirror_block_start(const struct devpub_mirror_block *block)
{
	return block->index << DEVPUB_BLOCK_SHIFT;
}

/* The entry of an address of the block's range; the caller holds @lock. */
static inline unsigned long *devpub_mirror_block_entry(struct devpub_mirror_block *block,
						       unsigned long addr)
{
	lockdep_assert_held(&block->lock);
	return &block->entries[(addr >> PAGE_SHIFT) % DEVPUB_BLOCK_PAGES];
}

#endif /* DEVPUB_MIRROR_BLOCK_H */
