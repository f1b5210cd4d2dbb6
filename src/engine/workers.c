// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Workers: move a range on several processors at once, in rounds of some windows.
 *
 * Each worker takes the next window of the round until none is left.  The caller sleeps
 * during the round and reports the results after it.  So however a call ends, the completed
 * part begins at the start of the range and has no gap.
 *
 * The workers are kernel threads, and the caller is not one of them.  A processor that runs
 * a thread of the process must flush each page from its TLB, and gets an interrupt for that
 * when another processor migrates.  A processor that runs a kernel thread drops the process's
 * page tables at the first page.
 *
 * The caller takes mmap_lock for its workers and holds it while they work, because the
 * caller can be killed while it waits for the lock.  A worker that waits would occupy one of
 * the queue's slots (WQ_DFL_ACTIVE), which all users share.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "engine/array.h"
#include "engine/range.h"
#include "engine/transfer.h"
#include "engine/workers.h"

/* Windows per worker and round.  Workers idle while the last one finishes the round. */
#define ROUND_WINDOWS	8

/* Queues for callers that may run on any processor, and for callers bound to some. */
static struct workqueue_struct *workers_anywhere;
static struct workqueue_struct *workers_bound;

/* Return the first address of a window of the round.  The first window may be partial. */
static unsigned long crew_border(const struct devpub_crew *crew, unsigned int window)
{
	unsigned long size = (unsigned long)crew->workers[0].transfer.window << PAGE_SHIFT;

	if (!window)
		return crew->start;
	return min(crew->end, (crew->start & ~(size - 1)) + window * size);
}

/* Take windows until none is left, or @stop is set.  Complete each window taken. */
static void worker_take_windows(struct devpub_worker *worker)
{
	struct devpub_crew *crew = worker->crew;
	unsigned long start, end;
	unsigned int i;

	for (;;) {
		/* Take the first window even if @stop is set, so that each call progresses. */
		if (READ_ONCE(crew->stop) && atomic_read(&crew->next))
			return;
		i = atomic_fetch_inc(&crew->next);
		if (i >= crew->windows)
			break;
		start = crew_border(crew, i);
		end = crew_border(crew, i + 1);
		devpub_transfer_window_locked(&worker->transfer, start, end,
					      crew->reasons +
					      devpub_range_pages(crew->start, start));
		if (atomic_inc_return(&crew->finished) == crew->windows)
			complete(&crew->all);
		cond_resched();
	}
	/* Drain this processor's LRU batches, because other processors can't do that. */
	devpub_transfer_drain(devpub_transfer_device(&worker->transfer.spec));
}

/* Work on a round.  The caller holds mmap_lock and the gates until all workers are done. */
static void worker_run(struct work_struct *work)
{
	struct devpub_worker *worker = container_of(work, struct devpub_worker, work);

	/* Tell lockdep that this thread holds the lock, which the caller took. */
	rwsem_acquire_read(&worker->transfer.mm->mmap_lock.dep_map, 0, 1, _THIS_IP_);
	worker_take_windows(worker);
	rwsem_release(&worker->transfer.mm->mmap_lock.dep_map, _THIS_IP_);
}

static void crew_dispatch(struct devpub_crew *crew)
{
	bool bound = !cpumask_subset(cpu_online_mask, current->cpus_ptr);
	unsigned int i, cpu = raw_smp_processor_id();

	crew->stop = false;
	atomic_set(&crew->next, 0);
	atomic_set(&crew->finished, 0);
	reinit_completion(&crew->all);
	for (i = 0; i < crew->n; i++) {
		if (!bound) {
			queue_work(workers_anywhere, &crew->workers[i].work);
			continue;
		}
		cpu = cpumask_next_and(cpu, cpu_online_mask, current->cpus_ptr);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first_and(cpu_online_mask, current->cpus_ptr);
		if (cpu >= nr_cpu_ids)
			cpu = raw_smp_processor_id();
		queue_work_on(cpu, workers_bound, &crew->workers[i].work);
	}
}

/* Dispatch the workers and wait.  A signal ends this soon, as workers do not wait. */
static void crew_run(struct devpub_crew *crew)
{
	unsigned int i;

	/* Drain this processor's LRU batches, because the workers can't do that. */
	devpub_transfer_drain(devpub_transfer_device(&crew->workers[0].transfer.spec));
	crew_dispatch(crew);
	if (wait_for_completion_interruptible(&crew->all)) {
		WRITE_ONCE(crew->stop, true);
		/* This worker takes the first window if no other worker has. */
		flush_work(&crew->workers[0].work);
	}
	for (i = 0; i < crew->n; i++)
		cancel_work_sync(&crew->workers[i].work);
}

/**
 * devpub_crew_round() - let the workers move the pages of a round
 * @crew: the workers
 * @start: page-aligned first address
 * @end: page-aligned end address, at most @crew->max_windows windows further
 * @reasons: receives one enum devpub_reason per completed page
 * @done: receives the end address of the completed part
 *
 * On success at least one window is complete, even if a signal is pending.
 *
 * Context: process context; takes mmap_lock and enters the endpoints.
 * Return: 0; with nothing done, -EINTR when a fatal signal arrived before the lock was
 * taken, or -ENODEV when a gate is closed.
 */
int devpub_crew_round(struct devpub_crew *crew, unsigned long start,
		      unsigned long end, u8 *reasons, unsigned long *done)
{
	const struct devpub_transfer *transfer = &crew->workers[0].transfer;
	const struct devpub_transfer_spec *spec = &transfer->spec;
	unsigned long size = (unsigned long)transfer->window << PAGE_SHIFT;
	struct mm_struct *mm = transfer->mm;

	crew->start = start;
	crew->end = end;
	crew->reasons = reasons;
	crew->windows = DIV_ROUND_UP(end - (start & ~(size - 1)), size);
	if (spec->source->ops->prepare && !spec->source->ops->prepare(mm, start, end))
		return -EINTR;
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	if (!devpub_transfer_enter(spec)) {
		mmap_read_unlock(mm);
		return -ENODEV;
	}
	crew_run(crew);
	devpub_transfer_exit(spec);
	mmap_read_unlock(mm);
	*done = crew_border(crew, min_t(unsigned int, crew->windows,
					atomic_read(&crew->next)));
	return 0;
}

/**
 * devpub_crew_create() - allocate workers
 * @spec: direction and options of the transfer
 * @mm: the memory of the process whose pages move
 * @n: number of workers, at least 1
 * @pages: number of pages of the whole range
 *
 * Context: process context, may sleep.
 * Return: the crew, with fewer workers if memory is short; NULL if it suffices for none.
 */
struct devpub_crew *devpub_crew_create(const struct devpub_transfer_spec *spec,
				       struct mm_struct *mm, unsigned int n, u64 pages)
{
	unsigned int i, window = devpub_transfer_device(spec)->window;
	struct devpub_crew *crew;

	crew = kzalloc(struct_size(crew, workers, n), GFP_KERNEL | __GFP_NOWARN);
	if (!crew)
		return NULL;
	crew->n = n;
	init_completion(&crew->all);
	for (i = 0; i < n; i++) {
		if (devpub_transfer_begin(&crew->workers[i].transfer, spec, mm, pages))
			break;
		INIT_WORK(&crew->workers[i].work, worker_run);
		crew->workers[i].crew = crew;
	}
	crew->n = i;
	crew->max_windows = crew->n * ROUND_WINDOWS;
	if (crew->n)
		crew->buffer = devpub_array_alloc(min_t(u64, pages,
							(u64)crew->max_windows * window));
	if (!crew->buffer) {
		devpub_crew_destroy(crew);
		return NULL;
	}
	return crew;
}

/**
 * devpub_crew_destroy() - undo devpub_crew_create()
 * @crew: the workers; no round is in progress
 *
 * Context: process context, may sleep.
 */
void devpub_crew_destroy(struct devpub_crew *crew)
{
	unsigned int i;

	for (i = 0; i < crew->n; i++)
		devpub_transfer_end(&crew->workers[i].transfer);
	kvfree(crew->buffer);
	kfree(crew);
}

/**
 * devpub_workers_init() - set the queues that workers run in
 * @anywhere: the queue for callers that may run on any processor
 * @bound: the queue for callers that are bound to some processors
 *
 * Context: module init.
 */
void devpub_workers_init(struct workqueue_struct *anywhere,
			 struct workqueue_struct *bound)
{
	workers_anywhere = anywhere;
	workers_bound = bound;
}
