/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_WORKERS_H
#define DEVPUB_WORKERS_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "engine/transfer.h"

struct devpub_crew;

/**
 * struct devpub_worker - a worker
 * @work:	its work item
 * @crew:	the crew that it belongs to
 * @transfer:	its transfer, with arrays of its own
 */
struct devpub_worker {
	struct work_struct work;
	struct devpub_crew *crew;
	struct devpub_transfer transfer;
};

/**
 * struct devpub_crew - the workers of one call, and the round that they are in
 * @max_windows: maximum number of windows of a round
 * @buffer:	array for the reasons of a round, one byte per page
 * @reasons:	receives the reasons of the round
 * @start:	first address of the round
 * @end:	end address of the round
 * @windows:	number of windows of the round
 * @next:	the next window to take; at least @windows when none is left
 * @finished:	number of completed windows
 * @all:	completed when all windows are complete
 * @stop:	the workers take no more windows
 * @n:		number of workers
 * @workers:	the workers
 */
struct devpub_crew {
	unsigned int max_windows;
	u8 *buffer;
	u8 *reasons;
	unsigned long start;
	unsigned long end;
	unsigned int windows;
	atomic_t next;
	atomic_t finished;
	struct completion all;
	bool stop;
	unsigned int n;
	struct devpub_worker workers[] __counted_by(n);
};

struct devpub_crew *devpub_crew_create(const struct devpub_transfer_spec *spec,
				       struct mm_struct *mm, unsigned int n,
				       u64 pages);
void devpub_crew_destroy(struct devpub_crew *crew);
int devpub_crew_round(struct devpub_crew *crew, unsigned long start,
		      unsigned long end, u8 *reasons, unsigned long *done);

void devpub_workers_init(struct workqueue_struct *anywhere,
			 struct workqueue_struct *bound);

#endif /* DEVPUB_WORKERS_H */
