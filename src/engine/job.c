// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The job: divides a range into windows, moves or locates the pages of each window, and
 * passes the results to a sink.
 */
#include <linux/cpumask.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "engine/array.h"
#include "engine/job.h"
#include "engine/range.h"
#include "engine/retry.h"
#include "engine/workers.h"

/* A worker with fewer windows than this costs more than it saves. */
#define JOB_WINDOWS_PER_WORKER	2

/* The module parameter "workers": maximum number of workers of a call, 0 for no limit. */
unsigned int devpub_job_max_workers;

/**
 * struct transfer_job - a job that moves pages
 * @job:	the range
 * @spec:	direction and options of the transfer
 * @counts:	receives the numbers of pages by reason
 * @retry:	retries busy pages
 */
struct transfer_job {
	struct devpub_job *job;
	const struct devpub_transfer_spec *spec;
	struct devpub_reason_counts *counts;
	struct devpub_retry retry;
};

/* Account @n more pages as done, and pass their results to the sink. */
static int job_take(struct devpub_job *job, const u8 *results, unsigned long n)
{
	u64 first = job->done >> PAGE_SHIFT;

	job->done += n << PAGE_SHIFT;
	return job->sink ? job->sink->ops->take(job->sink, first, results, n) : 0;
}

/* Check between two windows or rounds.  Return 0 to continue, or the error to end with. */
static int job_look_around(const struct devpub_job *job)
{
	if (signal_pending(current))
		return -EINTR;
	if (devpub_process_has_ended(&job->process))
		return -ESRCH;
	cond_resched();
	return 0;
}

static void transfer_count(const struct devpub_endpoint *endpoint,
			   const struct devpub_reason_counts *counts, bool arrived)
{
	struct devpub_stats *stats = endpoint->stats;
	unsigned int i;

	if (!stats)
		return;
	atomic64_add(counts->n[DEVPUB_REASON_MOVED],
		     arrived ? &stats->arrived : &stats->left);
	if (arrived)
		atomic64_add(counts->n[DEVPUB_REASON_POPULATED], &stats->populated);
	for (i = DEVPUB_FIRST_REFUSAL; i < DEVPUB_NR_REASONS; i++)
		if (counts->n[i])
			atomic64_add(counts->n[i], &stats->refused[i]);
}

/* Count the pages of completed windows by reason, and pass the results to the sink. */
static int transfer_take(struct transfer_job *tj, const u8 *reasons, unsigned long n)
{
	struct devpub_reason_counts counts = {};
	unsigned long i;

	for (i = 0; i < n; i++)
		counts.n[reasons[i]]++;
	for (i = 0; i < DEVPUB_NR_REASONS; i++)
		tj->counts->n[i] += counts.n[i];
	transfer_count(tj->spec->source, &counts, false);
	transfer_count(tj->spec->destination, &counts, true);
	return job_take(tj->job, reasons, n);
}

static int transfer_alone_again(void *data, unsigned long start, unsigned long end,
				u8 *reasons)
{
	return devpub_transfer_window(data, start, end, reasons);
}

/* Move all pages in the calling thread.  Complete one window before checking for signals. */
static int transfer_alone(struct transfer_job *tj, struct devpub_transfer *transfer,
			  u8 *reasons)
{
	struct devpub_job *job = tj->job;
	unsigned long addr = job->addr, end = job->addr + job->length;
	unsigned long next;
	int ret;

	tj->retry.move = transfer_alone_again;
	tj->retry.data = transfer;
	for (;;) {
		next = devpub_range_window_end(addr, end, transfer->window);
		ret = devpub_transfer_window(transfer, addr, next, reasons);
		if (ret)
			return ret;
		devpub_retry(&tj->retry, addr, next, reasons);
		ret = transfer_take(tj, reasons, devpub_range_pages(addr, next));
		if (ret || next == end)
			return ret;
		ret = job_look_around(job);
		if (ret)
			return ret;
		addr = next;
	}
}

/*
 * Return the end of a round.  It extends as far as the sink has room, so that the results
 * of all moved pages can be reported, but at least over one window, as in transfer_alone().
 */
static unsigned long transfer_plan(const struct transfer_job *tj,
				   const struct devpub_crew *crew, unsigned long start)
{
	const struct devpub_job *job = tj->job;
	unsigned int window = crew->workers[0].transfer.window;
	unsigned long size = (unsigned long)window << PAGE_SHIFT;
	unsigned long first, end = job->addr + job->length;
	unsigned long n, room;

	first = devpub_range_window_end(start, end, window);
	end = first + min(end - first, (crew->max_windows - 1) * size);
	if (!job->sink)
		return end;
	n = devpub_range_pages(start, end);
	room = job->sink->ops->room(job->sink, job->done >> PAGE_SHIFT, n);
	if (room < n)
		end = max(first, (start + (room << PAGE_SHIFT)) & ~(size - 1));
	return end;
}

static int transfer_together_again(void *data, unsigned long start, unsigned long end,
				   u8 *reasons)
{
	unsigned long done;

	/* The range is in one window, so the round completes it even if a signal is pending. */
	return devpub_crew_round(data, start, end, reasons, &done);
}

static int transfer_together(struct transfer_job *tj, struct devpub_crew *crew)
{
	struct devpub_job *job = tj->job;
	unsigned long end = job->addr + job->length;
	unsigned long addr, next, done;
	int ret;

	tj->retry.move = transfer_together_again;
	tj->retry.data = crew;
	for (addr = job->addr;; addr = next) {
		next = transfer_plan(tj, crew, addr);
		ret = devpub_crew_round(crew, addr, next, crew->buffer, &done);
		if (ret)
			return ret;
		devpub_retry(&tj->retry, addr, done, crew->buffer);
		ret = transfer_take(tj, crew->buffer, devpub_range_pages(addr, done));
		if (!ret && done < next)
			ret = -EINTR;
		if (ret || done == end)
			return ret;
		ret = job_look_around(job);
		if (ret)
			return ret;
	}
}

/*
 * Return the number of workers that are allowed and worth their cost; 0 if the caller does
 * all the work.
 *
 * With @populate there are no workers: pages that fill holes must be charged to the caller's
 * memory cgroup, and a kernel thread has none.
 */
static unsigned int transfer_workers(const struct transfer_job *tj,
				     unsigned int max_workers)
{
	const struct devpub_transfer_spec *spec = tj->spec;
	unsigned long windows = tj->job->length >> PAGE_SHIFT;
	unsigned int n = min(num_online_cpus(), cpumask_weight(current->cpus_ptr));
	unsigned int most = min_not_zero(READ_ONCE(devpub_job_max_workers), max_workers);

	if (spec->populate || most == 1)
		return 0;
	if (most)
		n = min(n, most);
	windows /= devpub_transfer_device(spec)->window;
	return min_t(unsigned long, n, windows / JOB_WINDOWS_PER_WORKER);
}

/**
 * devpub_job_transfer() - move the pages of a range
 * @job: the range; @done is 0
 * @spec: direction and options of the transfer
 * @max_workers: maximum number of workers, 0 for as many as are worth their cost
 * @counts: receives the numbers of pages by reason; zeroed by the caller
 *
 * The memory that this allocates depends on the window, not on the length of the range.
 *
 * Context: process context, no locks, may sleep.
 * Return: 0; -ENOMEM with nothing done; -EINTR, -ENODEV, -ESRCH or the sink's error, with
 * @job->done set to the number of bytes that are complete.
 */
int devpub_job_transfer(struct devpub_job *job, const struct devpub_transfer_spec *spec,
			unsigned int max_workers, struct devpub_reason_counts *counts)
{
	u64 pages = job->length >> PAGE_SHIFT;
	unsigned int window = devpub_transfer_device(spec)->window;
	struct transfer_job tj = {
		.job	= job,
		.spec	= spec,
		.counts	= counts,
		.retry	= { .window = window },
	};
	unsigned int n = transfer_workers(&tj, max_workers);
	struct devpub_transfer transfer;
	struct devpub_crew *crew;
	int ret = -ENOMEM;
	u8 *reasons;

	if (n) {
		crew = devpub_crew_create(spec, job->process.mm, n, pages);
		if (crew) {
			ret = transfer_together(&tj, crew);
			devpub_crew_destroy(crew);
			return ret;
		}
	}

	reasons = devpub_array_alloc(min_t(u64, window, pages));
	if (!reasons)
		return -ENOMEM;
	if (!devpub_transfer_begin(&transfer, spec, job->process.mm, pages)) {
		ret = transfer_alone(&tj, &transfer, reasons);
		devpub_transfer_end(&transfer);
	}
	kvfree(reasons);
	return ret;
}

/*
 * Enter the gate after taking mmap_lock: the removal of the device waits for the gate, and
 * user space can delay mmap_lock.
 */
static int locate_window(const struct devpub_job *job,
			 const struct devpub_endpoint *device, unsigned long start,
			 unsigned long end, u8 *locations)
{
	struct mm_struct *mm = job->process.mm;
	int ret = -ENODEV;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	if (devpub_endpoint_enter(device)) {
		devpub_location_window(device->pagemap, mm, start, end, locations);
		devpub_endpoint_exit(device);
		ret = 0;
	}
	mmap_read_unlock(mm);
	return ret;
}

static int locate_all(struct devpub_job *job, const struct devpub_endpoint *device,
		      struct devpub_location_counts *counts, u8 *locations)
{
	unsigned long addr = job->addr, end = job->addr + job->length;
	unsigned long i, n, next;
	int ret;

	for (;;) {
		next = devpub_range_window_end(addr, end, device->window);
		ret = locate_window(job, device, addr, next, locations);
		if (ret)
			return ret;
		n = devpub_range_pages(addr, next);
		for (i = 0; i < n; i++)
			counts->n[locations[i]]++;
		ret = job_take(job, locations, n);
		if (ret || next == end)
			return ret;
		ret = job_look_around(job);
		if (ret)
			return ret;
		addr = next;
	}
}

/**
 * devpub_job_locate() - find the location of each page of a range
 * @job: the range; @done is 0
 * @device: the device whose pages have DEVPUB_LOCATION_DEVICE
 * @counts: receives the numbers of pages by location; zeroed by the caller
 *
 * Context: process context, no locks, may sleep.
 * Return: as devpub_job_transfer().
 */
int devpub_job_locate(struct devpub_job *job, const struct devpub_endpoint *device,
		      struct devpub_location_counts *counts)
{
	u8 *locations = devpub_array_alloc(min_t(u64, device->window,
						 job->length >> PAGE_SHIFT));
	int ret;

	if (!locations)
		return -ENOMEM;
	ret = locate_all(job, device, counts, locations);
	kvfree(locations);
	return ret;
}
