// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The mirror: one process's page tables as a device sees them.  It consists of blocks, which
 * faults create (mirror_fault.c), and which are dropped when there are too many.
 *
 * A mirror does not prolong the life of the process's memory: it holds the mm_struct only,
 * and no page.  When the process ends, the kernel invalidates all blocks.
 */
#undef pr_fmt	/* compat.h is included first and includes headers that define it */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/mmu_notifier.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "access/mirror.h"
#include "access/mirror_block.h"
#include "access/mirrored.h"
#include "export.h"

/* In seconds. */
#define MIRROR_REPORT_EVERY	10

static struct workqueue_struct *mirror_queue;

/* Number of mirrors in the queue.  The unload waits until it is 0. */
static atomic_t mirrors_in_release;
static DECLARE_WAIT_QUEUE_HEAD(mirrors_released);

/**
 * devpub_mirror_init() - set the queue on which mirrors are destroyed
 * @queue: the queue, in which each mirror may occupy a slot for long
 *
 * Context: process context, during module init.
 */
void devpub_mirror_init(struct workqueue_struct *queue)
{
	mirror_queue = queue;
}

/**
 * devpub_mirror_exit() - wait until all mirrors are destroyed
 *
 * The caller ensures that no other mirror is released.
 *
 * Context: process context, during module exit.  Waits in TASK_IDLE, because processes that
 * change their memory without a pause can prolong this.
 */
void devpub_mirror_exit(void)
{
	unsigned int waited = 0;

	while (!wait_event_idle_timeout(mirrors_released, !atomic_read(&mirrors_in_release),
					MIRROR_REPORT_EVERY * HZ)) {
		waited += MIRROR_REPORT_EVERY;
		pr_warn("unload has waited %u s for %d mirror(s) of processes that change their memory without a pause; it goes on when they end\n",
			waited, atomic_read(&mirrors_in_release));
	}
}

/**
 * devpub_mirror_destroy() - destroy a mirror
 * @mirror: the mirror, which no other task uses
 *
 * The process may have ended, and the device may be gone.
 *
 * Context: process context; may wait as devpub_mirror_block_destroy() does.
 */
void devpub_mirror_destroy(struct devpub_mirror *mirror)
{
	struct devpub_mirror_block *block, *next;

	list_for_each_entry_safe(block, next, &mirror->lru, lru)
		devpub_mirror_block_destroy(block);
	xa_destroy(&mirror->blocks);
	devpub_mirrored_put(mirror->mirrored, !mirror->foreign);
	mmdrop(mirror->mm);
	kfree(mirror);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_mirror_destroy);

/*
 * Destroy the mirrors that have been released.  Empty the list once only: the last of its mirrors
 * frees the work, which may be queued again only if there is another mirror.
 */
static void mirror_release_work(struct work_struct *work)
{
	struct devpub_mirrored *mirrored = container_of(work, struct devpub_mirrored, release);
	struct llist_node *released = llist_del_all(&mirrored->released);
	struct devpub_mirror *mirror, *next;

	llist_for_each_entry_safe(mirror, next, released, released) {
		devpub_mirror_destroy(mirror);
		if (atomic_dec_and_test(&mirrors_in_release))
			wake_up_all(&mirrors_released);
	}
}

static int mirror_register(struct mm_struct *mm)
{
	int ret = mmap_write_lock_killable(mm);

	if (ret)
		return ret;
	ret = __mmu_notifier_register(NULL, mm);
	mmap_write_unlock(mm);
	return ret;
}

/**
 * devpub_mirror_create() - create an empty mirror of a process's memory
 * @mm: the memory, which the caller keeps alive by mmget() during the call.  Memory that is
 *	not the caller's own requires CAP_SYS_PTRACE, which the caller checks
 *
 * Registers for notifications here, under an mmap_lock whose wait can be killed.  Blocks
 * would do so later under one whose wait can't (mmu_interval_notifier_insert()).
 *
 * Context: process context; waits killably for mmap_lock.
 * Return: the mirror, or an ERR_PTR() of -EINTR, -ENOMEM, or -EMFILE if the memory is the
 * caller's own and has too many mirrors.
 */
struct devpub_mirror *devpub_mirror_create(struct mm_struct *mm)
{
	const struct devpub_mirror initial = { .mm = mm, .foreign = mm != current->mm };
	struct devpub_mirror *mirror;
	int ret;

	mirror = kmemdup(&initial, sizeof(initial), GFP_KERNEL_ACCOUNT);
	if (!mirror)
		return ERR_PTR(-ENOMEM);
	mirror->mirrored = devpub_mirrored_get(mm, !mirror->foreign, mirror_release_work);
	if (IS_ERR(mirror->mirrored)) {
		ret = PTR_ERR(mirror->mirrored);
		goto free_mirror;
	}
	ret = mirror_register(mm);
	if (ret)
		goto put_mirrored;
	mmgrab(mm);
	xa_init_flags(&mirror->blocks, XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&mirror->lru);
	return mirror;

put_mirrored:
	devpub_mirrored_put(mirror->mirrored, !mirror->foreign);
free_mirror:
	kfree(mirror);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_mirror_create);

/**
 * devpub_mirror_release() - destroy a mirror later
 * @mirror: the mirror, which no other task uses
 *
 * The task that closes the file last must not wait like devpub_mirror_destroy().  It can belong
 * to another user, who was sent the file, or it can be the kernel's thread that releases files.
 *
 * Context: any.
 */
void devpub_mirror_release(struct devpub_mirror *mirror)
{
	atomic_inc(&mirrors_in_release);
	if (llist_add(&mirror->released, &mirror->mirrored->released))
		queue_work(mirror_queue, &mirror->mirrored->release);
}

/**
 * devpub_mirror_check_caller() - check if the calling task may access the memory
 * @mirror: the mirror
 *
 * An open file can reach other processes: by fork, by exec, through a socket.  The memory of
 * the process that bound the file stays its own.
 *
 * Context: process context.
 * Return: 0 or -EPERM.
 */
int devpub_mirror_check_caller(const struct devpub_mirror *mirror)
{
	if (current->mm == mirror->mm)
		return 0;
	return mirror->foreign && capable(CAP_SYS_PTRACE) ? 0 : -EPERM;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_mirror_check_caller);

/*
 * Return the maximum number of blocks.  Each operation needs two blocks at a time, and the
 * engine executes all operations of a channel in turn.  So however many there are, the blocks
 * of each are still there when its turn comes.
 */
static unsigned int mirror_limit(struct devpub_mirror *mirror)
{
	return DEVPUB_MIRROR_BLOCKS + 2 * atomic_read(&mirror->users);
}

/* Return the block of an address with a reference, or NULL. */
static struct devpub_mirror_block *mirror_find(struct devpub_mirror *mirror,
					       unsigned long addr)
{
	struct devpub_mirror_block *block;

	xa_lock(&mirror->blocks);
	block = xa_load(&mirror->blocks, addr >> DEVPUB_BLOCK_SHIFT);
	if (block) {
		kref_get(&block->ref);
		list_move_tail(&block->lru, &mirror->lru);
	}
	xa_unlock(&mirror->blocks);
	return block;
}

/* Move the least recently used blocks to a list if there are too many. */
static void mirror_trim(struct devpub_mirror *mirror, struct list_head *dropped)
{
	struct devpub_mirror_block *block;

	lockdep_assert_held(&mirror->blocks.xa_lock);
	while (mirror->nr_blocks > mirror_limit(mirror)) {
		block = list_first_entry(&mirror->lru, struct devpub_mirror_block, lru);
		list_move(&block->lru, dropped);
		__xa_erase(&mirror->blocks, block->index);
		mirror->nr_blocks--;
	}
}

/* Add a block, and drop others if there are too many. */
static struct devpub_mirror_block *mirror_add(struct devpub_mirror *mirror,
					      struct devpub_mirror_block *block)
{
	struct devpub_mirror_block *old, *next;
	LIST_HEAD(dropped);

	xa_lock(&mirror->blocks);
	old = __xa_cmpxchg(&mirror->blocks, block->index, NULL, block, GFP_KERNEL_ACCOUNT);
	if (old) {
		/* Another task was faster, or there is no memory. */
		list_add(&block->lru, &dropped);
		block = xa_is_err(old) ? ERR_PTR(xa_err(old)) : old;
	} else {
		list_add_tail(&block->lru, &mirror->lru);
		mirror->nr_blocks++;
		mirror_trim(mirror, &dropped);
	}
	if (!IS_ERR(block))
		kref_get(&block->ref);
	xa_unlock(&mirror->blocks);

	list_for_each_entry_safe(old, next, &dropped, lru)
		devpub_mirror_block_destroy(old);
	return block;
}

/**
 * devpub_mirror_get_block() - find the block of an address, or create it
 * @mirror: the mirror; the caller keeps the process's memory alive by mmget()
 * @addr: the address
 *
 * Context: process context, may sleep.
 * Return: the block, to be released by devpub_mirror_block_put(), or an ERR_PTR().
 */
struct devpub_mirror_block *devpub_mirror_get_block(struct devpub_mirror *mirror,
						    unsigned long addr)
{
	struct devpub_mirror_block *block = mirror_find(mirror, addr);

	if (block)
		return block;
	block = devpub_mirror_block_create(mirror->mm, addr >> DEVPUB_BLOCK_SHIFT);
	return IS_ERR(block) ? block : mirror_add(mirror, block);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_mirror_get_block);

/**
 * devpub_mirror_peek() - look at the entry of an address
 * @mirror: the mirror
 * @addr: the address
 *
 * Context: process context.
 * Return: the entry, as it was at a moment during the call; 0 if there is none.
 */
unsigned long devpub_mirror_peek(struct devpub_mirror *mirror, unsigned long addr)
{
	struct devpub_mirror_block *block = mirror_find(mirror, addr);
	unsigned long entry;

	if (!block)
		return 0;
	spin_lock(&block->lock);
	entry = *devpub_mirror_block_entry(block, addr);
	spin_unlock(&block->lock);
	devpub_mirror_block_put(block);
	return entry;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_mirror_peek);

/* Find the span's block, which is mostly that of the access before. */
static bool span_find_block(struct devpub_mirror *mirror, struct devpub_mirror_span *span)
{
	struct devpub_mirror_block *block = span->block;

	if (block && block->index == span->addr >> DEVPUB_BLOCK_SHIFT &&
	    !READ_ONCE(block->dead))
		return true;
	if (block)
		devpub_mirror_block_put(block);
	span->block = mirror_find(mirror, span->addr);
	return span->block;
}

/* Lock the blocks of the spans, in the order of their addresses in the kernel. */
static void spans_lock(struct devpub_mirror_span *spans, unsigned int n)
{
	struct devpub_mirror_block *first = spans[0].block, *second = spans[n - 1].block;

	if (first > second)
		swap(first, second);
	/* The fake releases are for sparse, which expects balance in each function. */
	spin_lock(&first->lock);
	__release(&first->lock);
	if (second != first) {
		spin_lock_nested(&second->lock, SINGLE_DEPTH_NESTING);
		__release(&second->lock);
	}
}

static void spans_unlock(struct devpub_mirror_span *spans, unsigned int n)
{
	struct devpub_mirror_block *first = spans[0].block, *second = spans[n - 1].block;

	if (second != first) {
		__acquire(&second->lock);
		spin_unlock(&second->lock);
	}
	__acquire(&first->lock);
	spin_unlock(&first->lock);
}

/* Look up the page of a span whose block is locked. */
static bool span_find_page(struct devpub_mirror_span *span)
{
	unsigned long entry = *devpub_mirror_block_entry(span->block, span->addr);
	unsigned long wanted = HMM_PFN_VALID | (span->write ? HMM_PFN_WRITE : 0);

	if ((entry & wanted) != wanted)
		return false;
	span->page = hmm_pfn_to_page(entry);
	return true;
}

/**
 * devpub_mirror_lock() - look up pages and keep the process's page tables from changing
 * @mirror: the mirror
 * @spans: one or two spans, each within one page
 * @n: their number
 *
 * Until devpub_mirror_unlock(), the device may access the spans' bytes at @kaddr.  It
 * neither sleeps nor allocates meanwhile, and lets go after at most a page: changes of the
 * process's page tables wait for it.
 *
 * Context: process context.  On success, returns with spinlocks held.
 * Return: NULL, or the span for which the mirror has no entry that permits the access.
 */
struct devpub_mirror_span *devpub_mirror_lock(struct devpub_mirror *mirror,
					      struct devpub_mirror_span *spans,
					      unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!span_find_block(mirror, &spans[i]))
			return &spans[i];
	spans_lock(spans, n);
	for (i = 0; i < n; i++) {
		if (!span_find_page(&spans[i])) {
			spans_unlock(spans, n);
			return &spans[i];
		}
	}
	for (i = 0; i < n; i++)
		spans[i].kaddr = kmap_local_page(spans[i].page) +
				 offset_in_page(spans[i].addr);
	return NULL;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_mirror_lock);

/**
 * devpub_mirror_unlock() - undo devpub_mirror_lock()
 * @spans: the spans
 * @n: their number
 *
 * Marks written pages dirty, while they are certainly still mapped.  The page table entry
 * does not tell: after MADV_FREE a page that is writable and clean can be written to by the
 * device without a fault, and reclaim would drop it.
 *
 * Context: as devpub_mirror_lock() has left it.
 */
void devpub_mirror_unlock(struct devpub_mirror_span *spans, unsigned int n)
{
	unsigned int i;

	for (i = n; i--;) {
		kunmap_local(spans[i].kaddr);
		if (!spans[i].write)
			continue;
		flush_dcache_page(spans[i].page);
		folio_mark_dirty(page_folio(spans[i].page));
	}
	spans_unlock(spans, n);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_mirror_unlock);

/**
 * devpub_mirror_put() - drop the references that spans hold
 * @spans: the spans, which are not locked
 * @n: their number
 *
 * Context: process context.
 */
void devpub_mirror_put(struct devpub_mirror_span *spans, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (spans[i].block)
			devpub_mirror_block_put(spans[i].block);
		spans[i].block = NULL;
	}
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_mirror_put);
