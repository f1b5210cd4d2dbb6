/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_TRANSFER_H
#define DEVPUB_TRANSFER_H

#include <linux/types.h>

#include "engine/endpoint.h"
#include "engine/rmap.h"
#include "engine/system.h"

struct mm_struct;
struct task_struct;
struct vm_area_struct;

/**
 * struct devpub_transfer_spec - the direction and options of a transfer
 * @source:	the endpoint that pages move from
 * @destination: the endpoint that pages move to
 * @populate:	fill holes with pages of the destination
 * @retry_hard:	the source must be emptied: allocate system memory of any node if needed
 * @unstoppable: neither a fatal signal nor a closed gate ends a window early
 * @unclassified: do not classify pages that were not collected; they stay
 *		DEVPUB_PAGE_UNDECIDED
 */
struct devpub_transfer_spec {
	const struct devpub_endpoint *source;
	const struct devpub_endpoint *destination;
	bool populate;
	bool retry_hard;
	bool unstoppable;
	bool unclassified;
};

/**
 * struct devpub_transfer - moves windows of pages from one endpoint to another
 * @spec:	direction and options
 * @task:	the task that waits for the transfer; a fatal signal to it ends a window early
 * @mm:		the memory of the process whose pages move
 * @window:	maximum size of a window in pages
 * @nodes:	nodes to allocate system pages from
 * @relatives:	processes that may map the same pages
 * @src:	the source array of struct migrate_vma, with DEVPUB_COMPAT_ENTRIES_A_PAGE
 *		entries per page of the window
 * @dst:	the destination array of struct migrate_vma, of the same size
 * @pfns:	frame numbers of new pages, which are allocated in bulk
 */
struct devpub_transfer {
	struct devpub_transfer_spec spec;
	struct task_struct *task;
	struct mm_struct *mm;
	unsigned int window;
	struct devpub_nodes nodes;
	struct devpub_relatives relatives;
	unsigned long *src;
	unsigned long *dst;
	unsigned long *pfns;
};

int devpub_transfer_begin(struct devpub_transfer *transfer,
			  const struct devpub_transfer_spec *spec,
			  struct mm_struct *mm, u64 pages);
void devpub_transfer_end(struct devpub_transfer *transfer);
void devpub_transfer_set_mm(struct devpub_transfer *transfer, struct mm_struct *mm);
bool devpub_transfer_enter(const struct devpub_transfer_spec *spec);
void devpub_transfer_exit(const struct devpub_transfer_spec *spec);
void devpub_transfer_window_locked(struct devpub_transfer *transfer,
				   unsigned long start, unsigned long end, u8 *reasons);
int devpub_transfer_window(struct devpub_transfer *transfer, unsigned long start,
			   unsigned long end, u8 *reasons);

const struct devpub_endpoint *
devpub_transfer_device(const struct devpub_transfer_spec *spec);
void devpub_transfer_drain(const struct devpub_endpoint *device);

#endif /* DEVPUB_TRANSFER_H */
