/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_JOB_H
#define DEVPUB_JOB_H

#include <linux/types.h>

#include "engine/location.h"
#include "engine/process.h"
#include "engine/reason.h"
#include "engine/transfer.h"

struct devpub_sink;

/**
 * struct devpub_sink_ops - operations of a receiver of a job's results, one byte per page
 * @room:	returns how many of the @n results from page @first on can be stored
 * @take:	stores @n results from page @first on; returns 0 or a negative error
 *
 * Context: process context, no locks; both may sleep and fault.
 */
struct devpub_sink_ops {
	unsigned long (*room)(struct devpub_sink *sink, u64 first, unsigned long n);
	int (*take)(struct devpub_sink *sink, u64 first, const u8 *results,
		    unsigned long n);
};

/**
 * struct devpub_sink - a receiver of a job's results
 * @ops:	its operations
 */
struct devpub_sink {
	const struct devpub_sink_ops *ops;
};

/**
 * struct devpub_job - a range of a process's memory, handled window by window
 * @process:	the process
 * @addr:	first address
 * @length:	length of the range in bytes
 * @sink:	receives the results; NULL to discard them
 * @done:	receives the number of bytes from @addr on that are complete
 */
struct devpub_job {
	struct devpub_process process;
	u64 addr;
	u64 length;
	struct devpub_sink *sink;
	u64 done;
};

extern unsigned int devpub_job_max_workers;

int devpub_job_transfer(struct devpub_job *job, const struct devpub_transfer_spec *spec,
			unsigned int max_workers, struct devpub_reason_counts *counts);
int devpub_job_locate(struct devpub_job *job, const struct devpub_endpoint *device,
		      struct devpub_location_counts *counts);

#endif /* DEVPUB_JOB_H */
