// SPDX-License-Identifier: GPL-2.0
/*
 * Eviction: moves pages off the device by device page, whoever maps them.
 */
#include <linux/bitmap.h>
#include <linux/cpu.h>
#include <linux/jiffies.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/oom.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <linux/devpub.h>

#include "device/device.h"
#include "engine/evict.h"
#include "engine/location.h"
#include "engine/rmap.h"
#include "engine/transfer.h"
#include "export.h"
#include "trace.h"

/* Between two looks at pages that could not leave. */
#define EVICT_RETRY_MIN		msecs_to_jiffies(10)
#define EVICT_RETRY_MAX		msecs_to_jiffies(500)
#define EVICT_REPORT_EVERY	(10 * HZ)

/* Most passes of one eviction over all pages. */
#define EVICT_PASSES		16
/* After so many in a row that moved nothing, what is left is not busy for a moment. */
#define EVICT_IDLE_PASSES	6

/* Most that one eviction waits for locks of processes' memory, all together. */
#define EVICT_PATIENCE		(2 * HZ)
/* Most of that for one page. */
#define EVICT_PATIENCE_PAGE	(HZ / 10UL)

/**
 * struct evict_round - an eviction under way
 * @m:		its tools
 * @codes:	a byte a page of a window
 * @interruptible: end early on a signal, and when the device is to be removed
 * @patience:	how long it may wait for locks yet, in jiffies
 * @missed:	some process's memory was locked
 * @is_short:	some page found no system memory
 * @moved:	pages moved
 */
struct evict_round {
	struct devpub_migration m;
	u8 *codes;
	bool interruptible;
	unsigned long patience;
	bool missed;
	bool is_short;
	u64 moved;
};

/*
 * The pages of @round's process that are on the device, from the first to the last of
 * them in the window around @addr.
 */
static void evict_window_locked(struct evict_round *round, unsigned long addr)
{
	struct devpub_device *ddev = round->m.ddev;
	const unsigned long size = (unsigned long)ddev->window << PAGE_SHIFT;
	unsigned long start = rounddown(addr, size);
	unsigned long i, first, last, n = ddev->window;
	struct mm_struct *mm = round->m.mm;
	u8 *codes = round->codes;

	/*
	 * A fork that failed leaves its parent's mappings in the child's tree (6.12,
	 * kernel/fork.c, dup_mmap()), and says so before it lets go of the lock.
	 */
	if (check_stable_address_space(mm))
		return;
	devpub_query_window_locked(&ddev->pool, mm, start, start + size, codes);
	for (first = 0; first < n && codes[first] != DEVPUB_WHERE_DEVICE; first++)
		;
	for (last = n; last > first && codes[last - 1] != DEVPUB_WHERE_DEVICE;
	     last--)
		;
	if (first == last)
		return;

	start += first << PAGE_SHIFT;
	n = last - first;
	devpub_migrate_window_locked(&round->m, start, start + (n << PAGE_SHIFT),
				     codes);
	for (i = 0; i < n; i++)
		round->moved += codes[i] == DEVPUB_REASON_MOVED;
	if (memchr(codes, DEVPUB_REASON_NO_SPACE, n))
		round->is_short = true;
}

/*
 * A process that maps the page, with its lock.  All who map it may keep their locks for
 * as long as they like: wait as long as there is patience left.
 */
static struct mm_struct *evict_lock(struct evict_round *round, struct page *page,
				    unsigned long *addr)
{
	unsigned long patience = min(round->patience, EVICT_PATIENCE_PAGE);
	struct mm_struct *mm;
	bool busy;

	for (;;) {
		busy = false;
		mm = devpub_rmap_lock(page, addr, &busy);
		if (mm || !busy)
			return mm;
		if (!patience ||
		    (round->interruptible && signal_pending(current)))
			break;
		patience--;
		round->patience--;
		schedule_timeout_idle(1);
	}
	round->missed = true;
	return NULL;
}

/* Is there a reason to end? */
static int evict_look_around(const struct evict_round *round, unsigned long looked)
{
	cond_resched();
	if (!round->interruptible)
		return 0;
	/* Progress comes before the first look at signals, unless the process ends. */
	if (looked < round->m.ddev->window && !fatal_signal_pending(current))
		return 0;
	if (signal_pending(current))
		return -EINTR;
	return devpub_device_is_draining(round->m.ddev) ? -ENODEV : 0;
}

/* Once over all pages in use. */
static int evict_pages(struct evict_round *round)
{
	struct devpub_device *ddev = round->m.ddev;
	struct devpub_pool *pool = &ddev->pool;
	unsigned long addr, window, tried = 0, looked = 0, i;
	struct mm_struct *mm, *tried_mm = NULL;
	int ret = 0;

	for (i = 0; !ret; i++, looked++) {
		ret = evict_look_around(round, looked);
		/* What is missed, because it changes now, is found the next time. */
		i = find_next_bit(pool->used, pool->npages, i);
		if (ret || i >= pool->npages)
			break;
		mm = evict_lock(round, pfn_to_page(pool->base_pfn + i), &addr);
		if (!mm)
			continue;
		/* Once for all pages that did not leave. */
		window = addr / (ddev->window * PAGE_SIZE);
		if (mm != tried_mm || window != tried) {
			/* The struct stays, lest another one come to stand where it was. */
			mmgrab(mm);
			if (tried_mm)
				mmdrop(tried_mm);
			tried_mm = mm;
			tried = window;
			looked += ddev->window;
			devpub_migrate_set_mm(&round->m, mm);
			evict_window_locked(round, addr);
		}
		mmap_read_unlock(mm);
		mmput_async(mm);
	}
	if (tried_mm)
		mmdrop(tried_mm);
	return ret;
}

/*
 * Over all pages, and again: what was busy may be free then, as where those who map it
 * fork all the time.
 */
static int evict_once(struct evict_round *round)
{
	struct devpub_device *ddev = round->m.ddev;
	struct devpub_pool *pool = &ddev->pool;
	unsigned int i, idle = 0;
	u64 before;
	int ret;

	ret = devpub_migrate_begin(&round->m);
	if (ret)
		return ret;
	round->codes = devpub_migrate_alloc(ddev->window);
	if (!round->codes) {
		devpub_migrate_end(&round->m);
		return -ENOMEM;
	}

	trace_devpub_evict_begin(ddev->index, 0, devpub_pool_used_pages(pool), 0);
	for (i = 0; i < EVICT_PASSES; i++) {
		before = round->moved;
		round->missed = false;
		round->is_short = false;
		ret = evict_pages(round);
		if (ret || !devpub_pool_used_pages(pool))
			break;
		idle = round->moved == before ? idle + 1 : 0;
		if (idle == EVICT_IDLE_PASSES || (idle && round->is_short))
			break;
		if (idle)
			schedule_timeout_idle(1UL << idle);
		/* Wait for locks once nobody else's pages have to wait for that. */
		if (!i)
			round->patience = EVICT_PATIENCE;
	}

	atomic64_add(round->moved, &ddev->stats.evicted);
	kvfree(round->codes);
	devpub_migrate_end(&round->m);
	trace_devpub_evict_end(ddev->index, round->moved,
			       devpub_pool_used_pages(pool), ret);
	return ret;
}

/**
 * devpub_evict() - move every page in use to system memory, once round
 * @ddev: the device
 * @interruptible: end early on a signal, and when the device is to be removed
 * @moved: receives how many pages moved, whatever is returned
 *
 * Pages that are locked or held by somebody stay, as do those for which there is
 * no system memory, and those that come to the device behind the eviction.  So do
 * those of a process whose mmap_lock can't be had within seconds.
 *
 * A page is moved by the addresses of a process that maps it, which stays as it
 * is for that time.  migrate_device_range(), which needs no process, does not keep
 * what it will map the page by from those that unmap it meanwhile
 * (Documentation/kernel-bugs.md).
 *
 * Context: process context, may sleep; the pagemap is registered.
 * Return: 0, -ENOMEM when there is no memory to work with, -EINTR or -ENODEV.
 */
int devpub_evict(struct devpub_device *ddev, bool interruptible, u64 *moved)
{
	struct evict_round round = {
		.m		= { .ddev = ddev, .insist = true },
		.interruptible	= interruptible,
	};
	int ret = evict_once(&round);

	*moved = round.moved;
	return ret;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_evict);

/* Why the pages that are out did not leave in a round that moved none. */
static const char *evict_cause(const struct evict_round *round)
{
	if (round->missed)
		return "a process's memory is locked (mmap_lock)";
	if (round->is_short)
		return "system memory is short";
	return "something holds them (I/O in flight, a pipe)";
}

static long evict_drain_this_cpu(void *data)
{
	devpub_migrate_drain(data);
	return 0;
}

/*
 * The batches in which each processor gathers pages for mlock and munlock hold
 * references, and an idle processor holds them for ever.  lru_add_drain_all() is
 * not exported.
 */
static void evict_drain_batches(struct devpub_pool *pool)
{
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		work_on_cpu(cpu, evict_drain_this_cpu, pool);
	cpus_read_unlock();
}

/**
 * devpub_evict_all() - move every page off the device
 * @ddev: the device; its gate is closed, and nobody allocates from it any more
 * @interruptible: give up on a signal, and when no page moves
 *
 * Succeeds only when every page is back in the pool, or about to be, for which
 * memunmap_pages() waits (mm/memremap.c): a page that is still out would otherwise
 * lose its memory under it.  If not @interruptible, this takes as long as users
 * please, and says so every ten seconds.
 *
 * Context: process context, sleeps; the pagemap is registered.
 * Return: 0, always if not @interruptible; else also -EINTR, -ENOMEM, -EBUSY when pages
 * can't move at present, or -ENODEV when the gate has closed for good.
 */
int devpub_evict_all(struct devpub_device *ddev, bool interruptible)
{
	struct devpub_pool *pool = &ddev->pool;
	unsigned long start = jiffies, report = start + EVICT_REPORT_EVERY;
	unsigned long delay = EVICT_RETRY_MIN;
	u32 out;
	int ret;

	while ((out = devpub_pool_used_pages(pool))) {
		struct evict_round round = {
			.m		= { .ddev = ddev, .insist = true },
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
			dev_warn(&ddev->dev,
				 "%u page(s) can't leave since %u s: %s; waiting\n",
				 out, jiffies_to_msecs(jiffies - start) / 1000,
				 evict_cause(&round));
			report += EVICT_REPORT_EVERY;
		}
		evict_drain_batches(pool);
		__set_current_state(interruptible ? TASK_INTERRUPTIBLE : TASK_IDLE);
		schedule_timeout(delay);
		delay = min(2 * delay, EVICT_RETRY_MAX);
	}
	return 0;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_evict_all);
