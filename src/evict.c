// SPDX-License-Identifier: GPL-2.0
/*
 * Eviction: moves pages off the device by device page, when it is not known which
 * processes map them.
 */
#include <linux/bitmap.h>
#include <linux/cpu.h>
#include <linux/highmem.h>
#include <linux/jiffies.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "device.h"
#include "evict.h"
#include "export.h"
#include "trace.h"

/* Between two looks at pages that could not leave. */
#define EVICT_RETRY_MIN		msecs_to_jiffies(10)
#define EVICT_RETRY_MAX		msecs_to_jiffies(500)
#define EVICT_REPORT_EVERY	(10 * HZ)

/* The system's memory has to take them: retry, but leave the OOM killer out. */
#define EVICT_GFP	(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

/*
 * Move the pages in use among @n from @pfn on.  The same steps as in migrate.c,
 * with the pages found by frame number (mm/migrate_device.c,
 * migrate_device_range()).
 *
 * Return: how many moved.
 */
static unsigned long evict_window(int node, unsigned long pfn,
				  unsigned long *src, unsigned long *dst,
				  unsigned long n)
{
	unsigned long i, moved = 0;

	migrate_device_range(src, pfn, n);

	for (i = 0; i < n; i++) {
		struct page *from = migrate_pfn_to_page(src[i]);
		struct page *to;

		dst[i] = 0;
		if (!from || !(src[i] & MIGRATE_PFN_MIGRATE))
			continue;
		if (!(i % PTRS_PER_PTE))
			cond_resched();
		/* Near where it is now; whose policy would apply is not known. */
		to = alloc_pages_node(node, EVICT_GFP, 0);
		if (!to)
			continue;
		lock_page(to);
		copy_highpage(to, from);
		dst[i] = migrate_pfn(page_to_pfn(to));
	}

	migrate_device_pages(src, dst, n);
	for (i = 0; i < n; i++)
		moved += dst[i] && src[i] & MIGRATE_PFN_MIGRATE;
	migrate_device_finalize(src, dst, n);
	return moved;
}

/**
 * devpub_evict() - move every page in use to system memory, once round
 * @ddev: the device
 * @interruptible: end early on a signal, and when the device is to be removed
 * @moved: receives how many pages moved, whatever is returned
 *
 * Pages that are locked or held by somebody stay, as do those for which there is
 * no system memory, and those that come to the device behind the eviction.
 *
 * Context: process context, may sleep; the pagemap is registered.
 * Return: 0, -ENOMEM when there is no memory to work with, -EINTR or -ENODEV.
 */
int devpub_evict(struct devpub_device *ddev, bool interruptible, u64 *moved)
{
	struct devpub_pool *pool = &ddev->pool;
	unsigned long *src, i, n;
	int ret = 0;

	*moved = 0;
	src = kvmalloc_array(2 * ddev->window, sizeof(*src), GFP_KERNEL);
	if (!src)
		return -ENOMEM;

	trace_devpub_evict_begin(ddev->index, 0, devpub_pool_used_pages(pool), 0);
	for (i = 0;; i += n) {
		i = find_next_bit(pool->used, pool->npages, i);
		if (i >= pool->npages)
			break;
		n = min_t(unsigned long, ddev->window, pool->npages - i);
		*moved += evict_window(ddev->region.node, pool->base_pfn + i,
				       src, src + ddev->window, n);
		cond_resched();
		/* Progress comes before the first look at signals. */
		if (interruptible && signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		if (interruptible && devpub_device_is_draining(ddev)) {
			ret = -ENODEV;
			break;
		}
	}

	atomic64_add(*moved, &ddev->stats.evicted);
	kvfree(src);
	trace_devpub_evict_end(ddev->index, *moved, devpub_pool_used_pages(pool),
			       ret);
	return ret;
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_evict);

static long evict_drain_this_cpu(void *data)
{
	const struct devpub_pool *pool = data;

	/* The first thing that a migration, even of nothing, does. */
	return migrate_device_range(NULL, pool->base_pfn, 0);
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
 * devpub_evict_all() - move every page off the device, however long it takes
 * @ddev: the device; nobody allocates from it any more
 *
 * Returns only when every page is back in the pool: a page that is still out
 * would otherwise lose its memory under it.  While some can't leave, says so
 * every ten seconds.  The wait is no D state for the hung task detector to
 * mistake for one.
 *
 * Context: process context, sleeps; the pagemap is registered.
 */
void devpub_evict_all(struct devpub_device *ddev)
{
	struct devpub_pool *pool = &ddev->pool;
	unsigned long start = jiffies, report = start + EVICT_REPORT_EVERY;
	unsigned long delay = EVICT_RETRY_MIN;
	u32 out;
	u64 moved;

	while ((out = devpub_pool_used_pages(pool))) {
		devpub_evict(ddev, false, &moved);
		if (moved) {
			delay = EVICT_RETRY_MIN;
			continue;
		}
		if (time_after_eq(jiffies, report)) {
			dev_warn(&ddev->dev,
				 "%u page(s) can't leave since %u s: something holds them (I/O in flight, a pipe) or system memory is short; waiting\n",
				 out, jiffies_to_msecs(jiffies - start) / 1000);
			report += EVICT_REPORT_EVERY;
		}
		evict_drain_batches(pool);
		schedule_timeout_idle(delay);
		delay = min(2 * delay, EVICT_RETRY_MAX);
	}
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_evict_all);
