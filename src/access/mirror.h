/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_MIRROR_H
#define DEVPUB_MIRROR_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct devpub_mirror_block;
struct devpub_mirrored;
struct workqueue_struct;
struct mm_struct;
struct page;

/* Blocks that a mirror keeps; see mirror_limit(). */
#define DEVPUB_MIRROR_BLOCKS	64

/* Maximum number of pages around the wanted one that a fault adds if they are present. */
#define DEVPUB_MIRROR_AROUND	16

/* The same for pages that the device wants to access: with small pages, those of a slice. */
#define DEVPUB_MIRROR_AHEAD	64

/**
 * struct devpub_mirror - the page tables of one process as a device sees them
 * @mm:		the process's memory.  The reference (mmgrab()) keeps the struct, not the
 *		memory: the process can end at any time
 * @foreign:	the memory was not the binder's, so each use requires CAP_SYS_PTRACE
 * @blocks:	the blocks, indexed by address >> DEVPUB_BLOCK_SHIFT.  Its lock protects also
 *		@lru and @nr_blocks
 * @lru:	all blocks, the most recently used one last
 * @nr_blocks:	number of blocks
 * @users:	number of operations in progress, each of which needs up to two blocks
 * @mirrored:	what all mirrors of this memory have in common
 * @released:	entry of its list, once the file is closed
 *
 * The mirror starts empty; faults fill it, and changes of the process's page tables empty it.
 */
struct devpub_mirror {
	struct mm_struct *mm;
	bool foreign;
	struct xarray blocks;
	struct list_head lru;
	unsigned int nr_blocks;
	atomic_t users;
	struct devpub_mirrored *mirrored;
	struct llist_node released;
};

/**
 * struct devpub_mirror_span - bytes of one page that the device accesses
 * @addr:	in: the address
 * @write:	in: the access writes
 * @kaddr:	out: the kernel's address of @addr's byte
 * @page:	out: the page
 * @block:	the block of the last access; NULL before the first one.  Holds a reference
 */
struct devpub_mirror_span {
	unsigned long addr;
	bool write;
	void *kaddr;
	struct page *page;
	struct devpub_mirror_block *block;
};

void devpub_mirror_init(struct workqueue_struct *queue);
void devpub_mirror_exit(void);
struct devpub_mirror *devpub_mirror_create(struct mm_struct *mm);
void devpub_mirror_destroy(struct devpub_mirror *mirror);
void devpub_mirror_release(struct devpub_mirror *mirror);
int devpub_mirror_check_caller(const struct devpub_mirror *mirror);
struct devpub_mirror_block *devpub_mirror_get_block(struct devpub_mirror *mirror,
						    unsigned long addr);

int devpub_mirror_fault(struct devpub_mirror *mirror, unsigned long addr, unsigned long length,
			bool write);
int devpub_mirror_snapshot(struct devpub_mirror *mirror, unsigned long addr,
			   unsigned long npages, unsigned long *pfns);
unsigned long devpub_mirror_peek(struct devpub_mirror *mirror, unsigned long addr);

struct devpub_mirror_span *devpub_mirror_lock(struct devpub_mirror *mirror,
					      struct devpub_mirror_span *spans,
					      unsigned int n);
void devpub_mirror_unlock(struct devpub_mirror_span *spans, unsigned int n);
void devpub_mirror_put(struct devpub_mirror_span *spans, unsigned int n);

#endif /* DEVPUB_MIRROR_H */
