// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Eviction: moves the pages of all processes off a device, one device page after the other.
 */
#include <linux/cpu.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/oom.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "engine/array.h"
#include "engine/evict.h"
#include "engine/gate.h"
#include "engine/range.h"
#include "engine/rmap.h"
#include "engine/transfer.h"
#include "export.h"
#include "memory/pagemap.h"
#include "memory/pool.h"
#include "trace.h"

/* Jiffies between two attempts to move pages that could not move. */
#define EVICT_RETRY_MIN		msecs_to_jiffies(10)
#define EVICT_RETRY_MAX		msecs_to_jiffies(500)
#define EVICT_REPORT_EVERY	(10 * HZ)

/* One eviction looks this many times at each page, on average. */
#define EVICT_LOOKS		16
/* After this many passes in a row without progress, the pages are not just briefly busy. */
#define EVICT_IDLE_PASSES	8
/* Milliseconds between these passes: the first pause, and the longest one. */
#define EVICT_PAUSE_MIN		8U
#define EVICT_PAUSE_MAX		128U

/* Maximum time in jiffies that one eviction waits for the locks of processes in total. */
#define EVICT_WAIT		(10 * HZ)
/* Maximum part of that time without progress. */
#define EVICT_PATIENCE		(2UL * HZ)
/* Maximum part of that time for one page. */
#define EVICT_PATIENCE_PAGE	(HZ / 10UL)

/**
 * struct evict_round - an eviction in progress
 * @device:	the device
 * @transfer:	moves the pages
 * @reasons:	receives the reasons of a window, one byte per page
 * @interruptible: end early on a signal, or when another task closes the gate
 * @wait:	remaining time to wait for mmap_locks and anon_vma locks, in jiffies
 * @patience:	remaining part of it for mmap_locks, unless pages move
 * @looks:	how many more pages to look at
 * @missed:	an mmap_lock was not free during this pass
 * @is_short:	no system memory was free for a page during this pass
 * @moved:	number of pages that moved
 */
struct evict_round {
	const struct devpub_endpoint *device;
	struct devpub_transfer transfer;
	u8 *reasons;
	bool interruptible;
	unsigned long wait;
	unsigned long patience;
	unsigned long looks;
	bool missed;
	bool is_short;
	u64 moved;
};

/**
 * struct evict_tried - the range of the last attempt
 * @mm:		the memory of the process, or NULL.  A reference by mmgrab() prevents that
 *		another mm_struct is allocated at the same address
 * @start:	first address
 * @end:	end address
 */
struct evict_tried {
	struct mm_struct *mm;
	unsigned long start;
	unsigned long end;
};

static struct devpub_pool *evict_pool(const struct devpub_endpoint *device)
{
	return device->pagemap->pool;
}

/* Move the pages in the intersection of the window and the mapping that contain @addr. */
static void evict_window_locked(struct evict_round *round, struct mm_struct *mm,
				unsigned long addr, struct evict_tried *tried)
{
	const unsigned long size = (unsigned long)round->device->window << PAGE_SHIFT;
	unsigned long i, n, window = rounddown(addr, size);
	struct vm_area_struct *vma;

	lockdep_assert_held(&mm->mmap_lock);
	/*
	 * A fork that failed leaves the parent's mappings in the child's tree (6.12,
	 * kernel/fork.c, dup_mmap()).  The kernel marks the child's mm as unstable before it
	 * releases mmap_lock.
	 */
	if (check_stable_address_space(mm))
		return;
	vma = vma_lookup(mm, addr);
	if (!vma)
		return;
	tried->start = max(window, vma->vm_start);
	/* Compare differences: window + size may overflow at the top of the address space. */
	tried->end = window + min(size, vma->vm_end - window);

	devpub_transfer_set_mm(&round->transfer, mm);
	devpub_transfer_window_locked(&round->transfer, tried->start, tried->end,
				      round->reasons);
	n = devpub_range_pages(tried->start, tried->end);
	for (i = 0; i < n; i++)
		round->moved += round->reasons[i] == DEVPUB_REASON_MOVED;
	if (memchr(round->reasons, DEVPUB_REASON_NO_SPACE, n))
		round->is_short = true;
}

/*
 * Move the pages around @addr, unless the last attempt included @addr.  Without that
 * check, each page that stays would cause another attempt for its whole window.
 *
 * Return: false when the last attempt included @addr.
 */
static bool evict_address(struct evict_round *round, struct mm_struct *mm,
			  unsigned long addr, struct evict_tried *tried)
{
	if (mm == tried->mm && addr >= tried->start && addr < tried->end)
		return false;
	mmgrab(mm);
	if (tried->mm)
		mmdrop(tried->mm);
	*tried = (struct evict_tried) { .mm = mm };
	evict_window_locked(round, mm, addr, tried);
	return true;
}

/*
 * Find a process that maps the page, and take its mmap_lock.  A process may hold its
 * mmap_lock for any time, so this waits only until @patience is used up.
 */
static struct mm_struct *evict_lock(struct evict_round *round, struct page *page,
				    unsigned long *addr)
{
	unsigned long patience = min(round->patience, EVICT_PATIENCE_PAGE);
	unsigned long start = jiffies, waited;
	struct mm_struct *mm;
	bool busy;

	for (;;) {
		busy = false;
		mm = devpub_rmap_lock(page, addr, round->wait, &busy);
		waited = jiffies - start;
		if (mm || !busy || waited >= patience ||
		    (round->interruptible && signal_pending(current)))
			break;
		schedule_timeout_idle(1);
	}
	round->patience -= min(round->patience, waited);
	round->wait -= min(round->wait, waited);
	round->missed |= !mm && busy;
	return mm;
}

/* Return 0 to continue, or the error to end with.  @looked counts pages. */
static int evict_look_around(const struct evict_round *round, unsigned long looked)
{
	cond_resched();
	if (!round->interruptible)
		return 0;
	/* Complete one window before the first check, unless a fatal signal is pending. */
	if (looked < round->device->window && !fatal_signal_pending(current))
		return 0;
	if (signal_pending(current))
		return -EINTR;
	return devpub_gate_is_closed(round->device->gate) ? -ENODEV : 0;
}

/* Make one pass over all pages in use. */
static int evict_pages(struct evict_round *round)
{
	struct devpub_pool *pool = evict_pool(round->device);
	struct evict_tried tried = {};
	unsigned long addr, pfn, looked = 0;
	struct mm_struct *mm;
	int ret = 0;

	for (pfn = pool->base_pfn; round->looks; pfn++, looked++, round->looks--) {
		ret = evict_look_around(round, looked);
		if (ret)
			break;
		/* The next pass finds a page that is missed because it changes just now. */
		pfn = devpub_pool_next_used(pool, pfn);
		if (!pfn)
			break;
		mm = evict_lock(round, pfn_to_page(pfn), &addr);
		if (!mm)
			continue;
		if (evict_address(round, mm, addr, &tried))
			looked += round->device->window;
		mmap_read_unlock(mm);
		mmput_async(mm);
	}
	if (tried.mm)
		mmdrop(tried.mm);
	return ret;
}

/*
 * Make several passes over all pages.  Busy pages may be free at a later pass, for example
 * when the processes that map them fork frequently.
 */
static int evict_passes(struct evict_round *round)
{
	struct devpub_pool *pool = evict_pool(round->device);
	unsigned int i, pause = 0, idle = 0;
	u64 before;
	int ret = 0;

	round->wait = EVICT_WAIT;
	/*
	 * New pages may arrive all the time, so the number of pages of now limits the looks.
	 * The number of passes has no limit of its own: a few pages that move one by one need
	 * many passes with few looks.
	 */
	round->looks = (unsigned long)EVICT_LOOKS * devpub_pool_used_pages(pool) +
		       round->device->window;
	for (i = 0; ; i++) {
		before = round->moved;
		round->missed = false;
		round->is_short = false;
		ret = evict_pages(round);
		if (ret || !round->looks || !devpub_pool_used_pages(pool))
			break;
		idle = round->moved == before ? idle + 1 : 0;
		if (idle == EVICT_IDLE_PASSES || (idle && round->is_short))
			break;
		pause = idle ? clamp(2 * pause, EVICT_PAUSE_MIN, EVICT_PAUSE_MAX) : 0;
		if (pause)
			schedule_timeout_idle(msecs_to_jiffies(pause));
		/* Wait for mmap_locks only after all pages that need no wait have moved. */
		if (!i || !idle)
			round->patience = min(round->wait, EVICT_PATIENCE);
	}
	return ret;
}

static int evict_once(struct evict_round *round)
{
	const struct devpub_endpoint *device = round->device;
	const struct devpub_transfer_spec spec = {
		.source		= device,
		.destination	= &devpub_endpoint_system,
		.retry_hard	= true,
		.unstoppable	= !round->interruptible,
		.unclassified	= true,
	};
	int ret;

	ret = devpub_transfer_begin(&round->transfer, &spec, NULL, device->window);
	if (ret)
		return ret;
	round->reasons = devpub_array_alloc(device->window);
	if (!round->reasons) {
		devpub_transfer_end(&round->transfer);
		return -ENOMEM;
	}

	trace_devpub_evict_begin(device->index, 0,
				 devpub_pool_used_pages(evict_pool(device)), 0);
	ret = evict_passes(round);
	atomic64_add(round->moved, &device->stats->evicted);
	kvfree(round->reasons);
	devpub_transfer_end(&round->transfer);
	trace_devpub_evict_end(device->index, round->moved,
			       devpub_pool_used_pages(evict_pool(device)), ret);
	return ret;
}

/**
 * devpub_evict() - move the pages in use to system memory
 * @device: the device
 * @interruptible: end early on a signal, or when another task closes the gate
 * @moved: receives the number of pages that moved, also on failure
 *
 * These pages stay: pages that are locked or referenced by others, pages for which no
 * system memory is free, pages that arrive after the eviction has passed them, and pages
 * of a process whose mmap_lock is not free within seconds.
 *
 * Eviction moves a page through the addresses of a process that maps it.  mmap_lock keeps
 * the mappings of that process from changing.  migrate_device_range() needs no process,
 * but races with processes that unmap the page (Documentation/kernel-bugs.md).
 *
 * Context: process context, may sleep; the pagemap is registered.
 * Return: 0, -ENOMEM when there is no memory to work with, -EINTR or -ENODEV.
 */
int devpub_evict(const struct devpub_endpoint *device, bool interruptible, u64 *moved)
{
	struct evict_round round = {
		.device		= device,
		.interruptible	= interruptible,
	};
	int ret = evict_once(&round);

	*moved = round.moved;
	return ret;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_evict);

/* Return why pages stayed in a round that moved none, for a message. */
static const char *evict_cause(const struct evict_round *round)
{
	if (round->missed)
		return "a process holds its mmap_lock; end that process if it hangs";
	if (round->is_short)
		return "there is no system memory to move them to; free some";
	return "I/O in flight, a pipe or a driver holds references; end the programs that use them";
}

static long evict_drain_this_cpu(void *data)
{
	devpub_transfer_drain(data);
	return 0;
}

/*
 * Each processor batches pages for mlock and munlock and holds references to them.  An
 * idle processor keeps its batches forever.  lru_add_drain_all() is not exported.
 */
static void evict_drain_batches(const struct devpub_endpoint *device)
{
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		work_on_cpu(cpu, evict_drain_this_cpu, (void *)device);
	cpus_read_unlock();
}

/**
 * devpub_evict_all() - move every page off the device
 * @device: the device; its gate is closed, so nothing allocates from it any more
 * @interruptible: give up on a signal, or when no page moves
 *
 * Succeeds only when every page is back in the pool or is about to be put there, which
 * memunmap_pages() waits for (mm/memremap.c).  A page in use would lose its memory.
 * If not @interruptible, this waits for as long as users hold pages, and logs a warning
 * every ten seconds.
 *
 * Context: process context, sleeps; the pagemap is registered.
 * Return: always 0 if not @interruptible.  Otherwise 0, -EINTR, -ENOMEM, -EBUSY when pages
 * can't move at present, or -ENODEV when the gate has closed for good.
 */
int devpub_evict_all(const struct devpub_endpoint *device, bool interruptible)
{
	struct devpub_pool *pool = evict_pool(device);
	unsigned long start = jiffies, report = start + EVICT_REPORT_EVERY;
	unsigned long delay = EVICT_RETRY_MIN;
	u32 out;
	int ret;

	while ((out = devpub_pool_used_pages(pool))) {
		struct evict_round round = {
			.device		= device,
			.interruptible	= interruptible,
		};

		ret = evict_once(&round);
		if (interruptible && ret)
			return ret;
		if (round.moved) {
			delay = EVICT_RETRY_MIN;
			continue;
		}
		if (interruptible && signal_pending(current))
			return -EINTR;
		if (interruptible && delay == EVICT_RETRY_MAX)
			return -EBUSY;
		if (!interruptible && time_after_eq(jiffies, report)) {
			dev_warn(device->dev,
				 "removal has waited %u s for %u page(s) that are still in use: %s\n",
				 jiffies_to_msecs(jiffies - start) / 1000, out,
				 evict_cause(&round));
			report += EVICT_REPORT_EVERY;
		}
		evict_drain_batches(device);
		__set_current_state(interruptible ? TASK_INTERRUPTIBLE : TASK_IDLE);
		schedule_timeout(delay);
		delay = min(2 * delay, EVICT_RETRY_MAX);
	}
	return 0;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_evict_all);
