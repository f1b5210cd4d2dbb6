// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Exclusive pages: the kernel replaces the page table entry of a page by one that makes CPUs
 * fault (make_device_exclusive()), so that a device can do atomic operations that its bus can't
 * do on shared memory.  The fault of a CPU puts the former entry back, after it has told the
 * notifier, and so does fork().  If the device is gone, that still works.
 *
 * devpub's memory is coherent and does not need this.  It is here for the kernel's hmm-tests.
 */
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/signal.h>

#include "access/exclusive.h"

/*
 * Called when page table entries of the process change.  Neither sleeps nor allocates, so it
 * does not care if the caller could wait.
 */
static bool exclusive_invalidate(struct mmu_interval_notifier *notifier,
				 const struct mmu_notifier_range *range,
				 unsigned long cur_seq)
{
	struct devpub_exclusive *exclusive = container_of(notifier, struct devpub_exclusive,
							  notifier);
	unsigned long index, last = (range->end - 1) >> PAGE_SHIFT;
	void *entry;

	/* make_device_exclusive() tells others to drop the page, for exclusive_take_page(). */
	if (range->event == MMU_NOTIFY_EXCLUSIVE && range->owner == exclusive)
		return true;
	xa_lock(&exclusive->pages);
	mmu_interval_set_seq(notifier, cur_seq);
	xa_for_each_range(&exclusive->pages, index, entry, range->start >> PAGE_SHIFT, last)
		__xa_erase(&exclusive->pages, index);
	xa_unlock(&exclusive->pages);
	return true;
}

static const struct mmu_interval_notifier_ops exclusive_ops = {
	.invalidate = exclusive_invalidate,
};

/**
 * devpub_exclusive_init() - prepare a process's exclusive pages
 * @exclusive: the pages, none yet
 * @mm: the process's memory; the caller keeps the struct until devpub_exclusive_destroy()
 *
 * Context: any.
 */
void devpub_exclusive_init(struct devpub_exclusive *exclusive, struct mm_struct *mm)
{
	exclusive->mm = mm;
	exclusive->started = false;
	mutex_init(&exclusive->starting);
	xa_init_flags(&exclusive->pages, XA_FLAGS_ACCOUNT);
}

/**
 * devpub_exclusive_destroy() - forget a process's exclusive pages
 * @exclusive: the pages; no call is in progress
 *
 * The page table entries stay as they are until a CPU faults on them.
 *
 * Context: process context, may sleep.
 */
void devpub_exclusive_destroy(struct devpub_exclusive *exclusive)
{
	if (exclusive->started)
		mmu_interval_notifier_remove(&exclusive->notifier);
	xa_destroy(&exclusive->pages);
}

/* Insert the notifier at the first use, because it makes the process's page faults slower. */
static int exclusive_start(struct devpub_exclusive *exclusive)
{
	struct mm_struct *mm = exclusive->mm;
	int ret = 0;

	if (mutex_lock_killable(&exclusive->starting))
		return -EINTR;
	if (!exclusive->started) {
		/* mmu_interval_notifier_insert() would wait for the lock unkillably. */
		ret = mmap_write_lock_killable(mm);
		if (!ret) {
			ret = mmu_interval_notifier_insert_locked(&exclusive->notifier, mm, 0,
								  ULONG_MAX & PAGE_MASK,
								  &exclusive_ops);
			mmap_write_unlock(mm);
		}
		exclusive->started = !ret;
	}
	mutex_unlock(&exclusive->starting);
	return ret;
}

/*
 * Enter a page, which is locked, so that no CPU can take it back before.  Return -EAGAIN if its
 * page table entry may have changed in another way.
 */
static int exclusive_enter(struct devpub_exclusive *exclusive, unsigned long addr,
			   struct page *page, unsigned long seq)
{
	int ret = -EAGAIN;

	xa_lock(&exclusive->pages);
	if (!mmu_interval_read_retry(&exclusive->notifier, seq))
		/* The entry is reserved, so this does not allocate. */
		ret = xa_err(__xa_store(&exclusive->pages, addr >> PAGE_SHIFT, page,
					GFP_NOWAIT));
	xa_unlock(&exclusive->pages);
	return ret;
}

/* Take one page. */
static int exclusive_take_locked(struct devpub_exclusive *exclusive, unsigned long addr,
				 unsigned long seq)
{
	struct folio *folio;
	struct page *page;
	int ret;

	mmap_assert_locked(exclusive->mm);
	page = make_device_exclusive(exclusive->mm, addr, exclusive, &folio);
	if (IS_ERR(page))
		return PTR_ERR(page);
	/* Eviction finds pages by page table entries that map them. */
	ret = folio_is_zone_device(folio) ? -EBUSY :
	      exclusive_enter(exclusive, addr, page, seq);
	folio_unlock(folio);
	folio_put(folio);
	/* Give the page back to the CPUs, as a fault of one does. */
	if (ret)
		fixup_user_fault(exclusive->mm, addr, 0, NULL);
	return ret;
}

static int exclusive_take_page(struct devpub_exclusive *exclusive, unsigned long addr)
{
	unsigned long index = addr >> PAGE_SHIFT, seq;
	int ret;

	do {
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = xa_reserve(&exclusive->pages, index, GFP_KERNEL_ACCOUNT);
		if (ret)
			return ret;
		seq = mmu_interval_read_begin(&exclusive->notifier);
		ret = mmap_read_lock_killable(exclusive->mm);
		if (!ret) {
			ret = exclusive_take_locked(exclusive, addr, seq);
			mmap_read_unlock(exclusive->mm);
		}
		if (ret)
			xa_release(&exclusive->pages, index);
		cond_resched();
	} while (ret == -EAGAIN);
	return ret;
}

/**
 * devpub_exclusive_take() - take pages away from the CPUs
 * @exclusive: the process's exclusive pages
 * @addr: first address
 * @end: end of the range
 *
 * A page that is exclusive already stays so.
 *
 * Context: process context of the process itself, may sleep.
 * Return: 0; -EBUSY if a page is on a device; -EOPNOTSUPP if the kernel can't do this; or
 * another negative error.  The pages before the one that failed are exclusive.
 */
int devpub_exclusive_take(struct devpub_exclusive *exclusive, unsigned long addr,
			  unsigned long end)
{
	int ret;

	ret = exclusive_start(exclusive);
	for (; addr < end && !ret; addr += PAGE_SIZE)
		ret = exclusive_take_page(exclusive, addr);
	return ret;
}

/**
 * devpub_exclusive_read() - read an exclusive page
 * @exclusive: the process's exclusive pages
 * @addr: the page's address
 * @buffer: receives its content
 *
 * Context: process context.
 * Return: 0, or -ENOENT if the page is not exclusive any more.
 */
int devpub_exclusive_read(struct devpub_exclusive *exclusive, unsigned long addr,
			  void *buffer)
{
	struct page *page;

	xa_lock(&exclusive->pages);
	page = xa_load(&exclusive->pages, addr >> PAGE_SHIFT);
	if (page)
		memcpy_from_page(buffer, page, 0, PAGE_SIZE);
	xa_unlock(&exclusive->pages);
	return page ? 0 : -ENOENT;
}

/**
 * devpub_exclusive_has() - check if a range has exclusive pages
 * @exclusive: the process's exclusive pages
 * @addr: first address
 * @end: end of the range
 *
 * Context: any.
 * Return: true if it has.
 */
bool devpub_exclusive_has(struct devpub_exclusive *exclusive, unsigned long addr,
			  unsigned long end)
{
	unsigned long index = addr >> PAGE_SHIFT;

	return xa_find(&exclusive->pages, &index, (end - 1) >> PAGE_SHIFT, XA_PRESENT);
}
