// SPDX-License-Identifier: GPL-2.0
/*
 * The walk: goes through a range window by window, in the calling thread, or on
 * several processors at once.
 *
 * Several work in rounds: each takes the next window of the round, until none is
 * left, and the caller, who sleeps meanwhile, hands the results to user space.  So
 * whatever ends a walk, what is done is a piece from its beginning, without a gap.
 *
 * The workers are kernel threads, the caller is none of them: a processor that has
 * the process's page tables loaded must drop each page from its TLB, and is
 * interrupted for that when another one migrates; one that runs a kernel thread
 * lets go of them at the first page.
 *
 * All waiting for user space is the caller's, who can be killed: he takes mmap_lock for
 * his workers, and holds it while they are at work.  A worker that waited for a lock
 * would keep its place in the queue, of which there are 256 for all users.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/minmax.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include <linux/devpub.h>

#include "device/device.h"
#include "engine/job.h"
#include "engine/location.h"
#include "engine/range.h"
#include "engine/retry.h"
#include "engine/thp.h"
#include "engine/transfer.h"

static_assert(DEVPUB_WALK_NR_CODES > DEVPUB_WHERE_OTHER);

/* A worker with less to do than this costs more than it saves. */
#define WALK_WINDOWS_PER_WORKER	2

/* Windows of a round, for each worker: what all wait for is one of these. */
#define WALK_ROUND		8

/**
 * struct walk_worker - one of those at work
 * @work:	its place in a queue
 * @crew:	whose it is
 * @migration:	its tools
 */
struct walk_worker {
	struct work_struct work;
	struct walk_crew *crew;
	struct devpub_migration migration;
};

/**
 * struct walk_crew - those who go through a range, and the round they are in
 * @walk:	the range
 * @codes:	a byte a page of the round
 * @start:	first address of the round
 * @end:	its end
 * @windows:	windows of the round
 * @next:	the next window to be taken; above @windows when none is left
 * @finished:	how many are done
 * @all:	completed when all are, or nobody may take another one
 * @stop:	take no more windows
 * @n:		workers
 * @workers:	the workers
 */
struct walk_crew {
	struct devpub_walk *walk;
	u8 *codes;
	unsigned long start;
	unsigned long end;
	unsigned int windows;
	atomic_t next;
	atomic_t finished;
	struct completion all;
	bool stop;
	unsigned int n;
	struct walk_worker workers[] __counted_by(n);
};

unsigned int devpub_walk_max_workers;

/* For callers that may run anywhere, and for those that are bound to processors. */
static struct workqueue_struct *walk_anywhere;
static struct workqueue_struct *walk_bound;

static int walk_window(struct devpub_walk *walk,
		       struct devpub_migration *migration, unsigned long start,
		       unsigned long end, u8 *codes)
{
	if (walk->kind == DEVPUB_WALK_QUERY)
		return devpub_query_device(walk->ddev, walk->process.mm, start,
					   end, codes);
	return devpub_migrate_window(migration, start, end, codes);
}

static void walk_account(struct devpub_walk *walk, const u8 *codes,
			 unsigned long n)
{
	struct devpub_stats *stats = &walk->ddev->stats;
	u32 count[DEVPUB_WALK_NR_CODES] = {};
	unsigned long i;

	for (i = 0; i < n; i++)
		count[codes[i]]++;
	for (i = 0; i < DEVPUB_WALK_NR_CODES; i++)
		walk->count[i] += count[i];

	if (walk->kind == DEVPUB_WALK_QUERY)
		return;
	atomic64_add(count[DEVPUB_REASON_MOVED], walk->kind == DEVPUB_WALK_TO ?
		     &stats->migrated_to : &stats->migrated_from);
	atomic64_add(count[DEVPUB_REASON_POPULATED], &stats->populated);
	for (i = DEVPUB_FIRST_REFUSAL; i < DEVPUB_NR_REASONS; i++)
		if (count[i])
			atomic64_add(count[i], &stats->refused[i]);
}

/* Pages that are dealt with: count them, and tell user space. */
static int walk_tell(struct devpub_walk *walk, const u8 *codes, unsigned long n)
{
	u8 __user *array = walk->array + (walk->done >> PAGE_SHIFT);

	walk_account(walk, codes, n);
	walk->done += n << PAGE_SHIFT;
	if (walk->array && copy_to_user(array, codes, n))
		return -EFAULT;
	return 0;
}

/* Between two windows or rounds: is there a reason to end? */
static int walk_look_around(const struct devpub_walk *walk)
{
	if (signal_pending(current))
		return -EINTR;
	if (devpub_process_has_ended(&walk->process))
		return -ESRCH;
	cond_resched();
	return 0;
}

/*
 * In the calling thread.  Progress comes first: a window is dealt with before the
 * first look at signals.
 */
static int walk_alone(struct devpub_walk *walk,
		      struct devpub_migration *migration, u8 *codes)
{
	unsigned long addr = walk->addr, end = walk->addr + walk->length;
	unsigned long next;
	int ret;

	for (;;) {
		next = devpub_range_window_end(addr, end, walk->ddev->window);
		ret = walk_window(walk, migration, addr, next, codes);
		if (ret)
			return ret;
		if (walk->kind != DEVPUB_WALK_QUERY)
			devpub_retry(migration, addr, next, codes, &walk->retries);
		ret = walk_tell(walk, codes, devpub_range_pages(addr, next));
		if (ret || next == end)
			return ret;
		ret = walk_look_around(walk);
		if (ret)
			return ret;
		addr = next;
	}
}

/* The borders of a round's window; the first one may begin within one. */
static unsigned long walk_round_border(const struct walk_crew *crew,
				       unsigned int window)
{
	unsigned long size = (unsigned long)crew->walk->ddev->window << PAGE_SHIFT;

	if (!window)
		return crew->start;
	return min(crew->end, (crew->start & ~(size - 1)) + window * size);
}

/* Take windows until none is left; a window that was taken is finished. */
static void walk_windows(struct walk_worker *worker)
{
	struct walk_crew *crew = worker->crew;
	unsigned long start, end;
	unsigned int i;

	for (;;) {
		/* Progress comes first here, too. */
		if (READ_ONCE(crew->stop) && atomic_read(&crew->next))
			return;
		i = atomic_fetch_inc(&crew->next);
		if (i >= crew->windows)
			break;
		start = walk_round_border(crew, i);
		end = walk_round_border(crew, i + 1);
		devpub_migrate_window_locked(&worker->migration, start, end,
					     crew->codes +
					     devpub_range_pages(crew->start, start));
		if (atomic_inc_return(&crew->finished) == crew->windows)
			complete(&crew->all);
		cond_resched();
	}
	/* Drain this processor's batches: other processors can't reach them. */
	devpub_migrate_drain(&crew->walk->ddev->pool);
}

/* A worker's round, under the locks that the caller holds until all are done. */
static void walk_work(struct work_struct *work)
{
	struct walk_worker *worker = container_of(work, struct walk_worker, work);

	/* Lockdep knows locks by the thread that holds them. */
	rwsem_acquire_read(&worker->migration.mm->mmap_lock.dep_map, 0, 1, _THIS_IP_);
	walk_windows(worker);
	rwsem_release(&worker->migration.mm->mmap_lock.dep_map, _THIS_IP_);
}

static void walk_dispatch(struct walk_crew *crew)
{
	bool bound = !cpumask_subset(cpu_online_mask, current->cpus_ptr);
	unsigned int i, cpu = raw_smp_processor_id();

	crew->stop = false;
	atomic_set(&crew->next, 0);
	atomic_set(&crew->finished, 0);
	reinit_completion(&crew->all);
	for (i = 0; i < crew->n; i++) {
		if (!bound) {
			queue_work(walk_anywhere, &crew->workers[i].work);
			continue;
		}
		cpu = cpumask_next_and(cpu, cpu_online_mask, current->cpus_ptr);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first_and(cpu_online_mask, current->cpus_ptr);
		if (cpu >= nr_cpu_ids)
			cpu = raw_smp_processor_id();
		queue_work_on(cpu, walk_bound, &crew->workers[i].work);
	}
}

/*
 * Have the workers do a round, and wait.  They wait for nobody, so that this ends soon
 * after a signal.
 */
static int walk_work_together(struct walk_crew *crew)
{
	struct devpub_device *ddev = crew->walk->ddev;
	struct mm_struct *mm = crew->walk->process.mm;
	unsigned int i;

	if (crew->walk->kind == DEVPUB_WALK_TO &&
	    !devpub_thp_split(mm, crew->start, crew->end))
		return -EINTR;
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	if (!devpub_device_enter(ddev)) {
		mmap_read_unlock(mm);
		return -ENODEV;
	}
	/* Drain the caller's batches, which the workers can't reach. */
	devpub_migrate_drain(&ddev->pool);
	walk_dispatch(crew);
	if (wait_for_completion_interruptible(&crew->all)) {
		WRITE_ONCE(crew->stop, true);
		/* It takes the first window if nobody has. */
		flush_work(&crew->workers[0].work);
	}
	for (i = 0; i < crew->n; i++)
		cancel_work_sync(&crew->workers[i].work);
	devpub_device_exit(ddev);
	mmap_read_unlock(mm);
	return 0;
}

/* A round: what is done is a piece from its beginning. */
static int walk_round(struct walk_crew *crew)
{
	unsigned long addr;
	int ret;

	ret = walk_work_together(crew);
	if (ret)
		return ret;
	addr = walk_round_border(crew, min_t(unsigned int, crew->windows,
					     atomic_read(&crew->next)));
	devpub_retry(&crew->workers[0].migration, crew->start, addr, crew->codes,
		     &crew->walk->retries);
	ret = walk_tell(crew->walk, crew->codes,
			devpub_range_pages(crew->start, addr));
	if (ret)
		return ret;
	crew->start = addr;
	return addr == crew->end ? 0 : -EINTR;
}

/*
 * What the next round is: as far as user space's array can be written to, so that
 * nothing is done that can't be told, but a window at least, as in walk_alone().
 */
static void walk_plan(struct walk_crew *crew)
{
	struct devpub_walk *walk = crew->walk;
	unsigned long end = walk->addr + walk->length;
	unsigned long size = (unsigned long)walk->ddev->window << PAGE_SHIFT;
	unsigned long first, n, bad = 0;

	first = devpub_range_window_end(crew->start, end, walk->ddev->window);
	crew->end = first + min(end - first, (WALK_ROUND * crew->n - 1) * size);
	n = devpub_range_pages(crew->start, crew->end);
	if (walk->array)
		bad = fault_in_writeable((char __user *)walk->array +
					 (walk->done >> PAGE_SHIFT), n);
	if (bad)
		crew->end = max(first, (crew->start + ((n - bad) << PAGE_SHIFT)) &
				       ~(size - 1));
	crew->windows = DIV_ROUND_UP(crew->end - (crew->start & ~(size - 1)),
				     size);
}

static int walk_together(struct walk_crew *crew)
{
	struct devpub_walk *walk = crew->walk;
	unsigned long end = walk->addr + walk->length;
	int ret;

	crew->start = walk->addr;
	for (;;) {
		walk_plan(crew);
		ret = walk_round(crew);
		if (ret || crew->end == end)
			return ret;
		ret = walk_look_around(walk);
		if (ret)
			return ret;
	}
}

/*
 * How many workers are worth it and allowed; 0 when the caller does it all.
 *
 * New pages of holes are charged to the caller's memory cgroup, and a kernel thread has
 * none.
 */
static unsigned int walk_crew_size(const struct devpub_walk *walk)
{
	unsigned long windows = walk->length >> PAGE_SHIFT;
	unsigned int n = min(num_online_cpus(),
			     cpumask_weight(current->cpus_ptr));
	unsigned int most = min_not_zero(READ_ONCE(devpub_walk_max_workers),
					 walk->workers);

	if (walk->kind == DEVPUB_WALK_QUERY || walk->populate)
		return 0;
	/*
	 * The page allocator keeps to the cpuset of the task that asks, and a kernel thread's
	 * has all nodes.
	 */
	if (walk->kind == DEVPUB_WALK_FROM && walk->process.mm != current->mm)
		return 1;
	if (most == 1)
		return 0;
	if (most)
		n = min(n, most);
	windows /= walk->ddev->window;
	return min_t(unsigned long, n, windows / WALK_WINDOWS_PER_WORKER);
}

static int walk_begin(struct devpub_walk *walk,
		      struct devpub_migration *migration)
{
	if (walk->kind == DEVPUB_WALK_QUERY)
		return 0;
	migration->ddev = walk->ddev;
	migration->mm = walk->process.mm;
	migration->to = walk->kind == DEVPUB_WALK_TO;
	migration->populate = walk->populate;
	return devpub_migrate_begin(migration);
}

static void walk_crew_destroy(struct walk_crew *crew)
{
	unsigned int i;

	for (i = 0; i < crew->n; i++)
		devpub_migrate_end(&crew->workers[i].migration);
	kvfree(crew->codes);
	kfree(crew);
}

/* As many workers as there is memory for; NULL when that is for none. */
static struct walk_crew *walk_crew_create(struct devpub_walk *walk, unsigned int n)
{
	struct walk_crew *crew;
	unsigned int i;

	crew = kzalloc(struct_size(crew, workers, n), GFP_KERNEL | __GFP_NOWARN);
	if (!crew)
		return NULL;
	crew->n = n;
	crew->walk = walk;
	init_completion(&crew->all);
	for (i = 0; i < n; i++) {
		struct walk_worker *worker = &crew->workers[i];

		if (walk_begin(walk, &worker->migration))
			break;
		INIT_WORK(&worker->work, walk_work);
		worker->crew = crew;
	}
	crew->n = i;
	if (crew->n)
		crew->codes = devpub_migrate_alloc(min_t(u64, walk->length >> PAGE_SHIFT,
							 (u64)crew->n * WALK_ROUND *
							 walk->ddev->window));
	if (!crew->codes) {
		walk_crew_destroy(crew);
		return NULL;
	}
	return crew;
}

/**
 * devpub_walk_range() - go through a range
 * @walk: all but @done and @count are set, and these are zero
 *
 * The memory used is that of some windows, however long the range.
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOMEM when nothing was done for lack of memory; -EINTR, -ENODEV, -ESRCH
 * or -EFAULT when @done says how far it came.
 */
int devpub_walk_range(struct devpub_walk *walk)
{
	struct devpub_migration migration = {};
	unsigned int n = walk_crew_size(walk);
	struct walk_crew *crew;
	int ret = -ENOMEM;
	u8 *codes;

	if (n) {
		crew = walk_crew_create(walk, n);
		if (crew) {
			ret = walk_together(crew);
			walk_crew_destroy(crew);
			return ret;
		}
	}

	codes = devpub_migrate_alloc(walk->ddev->window);
	if (codes)
		ret = walk_begin(walk, &migration);
	if (!ret) {
		ret = walk_alone(walk, &migration, codes);
		devpub_migrate_end(&migration);
	}
	kvfree(codes);
	return ret;
}

/**
 * devpub_walk_init() - get ready for walks
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int devpub_walk_init(void)
{
	walk_anywhere = alloc_workqueue("devpub", WQ_UNBOUND, 0);
	walk_bound = alloc_workqueue("devpub_bound",
				     WQ_CPU_INTENSIVE | WQ_PERCPU, 0);
	if (walk_anywhere && walk_bound)
		return 0;
	devpub_walk_exit();
	return -ENOMEM;
}

/**
 * devpub_walk_exit() - undo devpub_walk_init()
 *
 * Context: module exit or failed init; no walk goes on.
 */
void devpub_walk_exit(void)
{
	if (walk_anywhere)
		destroy_workqueue(walk_anywhere);
	if (walk_bound)
		destroy_workqueue(walk_bound);
}
