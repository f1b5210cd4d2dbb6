/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_ENDPOINT_H
#define DEVPUB_ENDPOINT_H

#include <linux/atomic.h>
#include <linux/mm_types.h>
#include <linux/types.h>

#include "engine/reason.h"

struct devpub_endpoint;
struct devpub_gate;
struct devpub_pagemap;
struct devpub_transfer;
struct device;

/**
 * struct devpub_stats - pages since the device was made
 * @arrived:	moved to the device
 * @left:	moved away on a process's request
 * @populated:	came into being on the device
 * @evicted:	moved away by eviction
 * @refused:	refused in a transfer to or from the device, by reason
 */
struct devpub_stats {
	atomic64_t arrived;
	atomic64_t left;
	atomic64_t populated;
	atomic64_t evicted;
	atomic64_t refused[DEVPUB_NR_REASONS];
};

/**
 * struct devpub_endpoint_ops - what a source and a destination of transfers can do
 * @collect:	source: the MIGRATE_VMA_SELECT_... flag that finds its pages
 * @uncollectable: source: the reason of pages in a mapping that migrate_vma_setup() refuses
 * @prepare:	source, optional: make the pages of a range fit for collecting.  Takes and
 *		releases mmap_lock.  Returns false when a fatal signal came
 * @select_mapping: source: returns 0 when the mapping may have pages that can move, else
 *		their reason
 * @leave_out:	source: before pages of a mapping are collected, give a reason to those that
 *		must not be.  The states are DEVPUB_PAGE_UNDECIDED before
 * @select_folio: source: returns 0 when the collected folio may move, else its reason
 * @absent:	source: returns the reason of an address without a page that the kernel did
 *		not collect
 * @set_mm:	destination, optional: the transfer's next pages are of another process
 * @alloc:	destination: allocate at most so many pages, locked and with reference count
 *		1, for the given address and further ones.  Puts their frame numbers into
 *		the transfer's @pfns and returns how many it got; sets *more to false when
 *		another call would not get any
 * @fill:	destination: copy what was collected, and clear the pages of holes.  The arrays
 *		are those of migrate_vma
 *
 * A destination page that does not move in the end is given back by
 * migrate_vma_finalize(), which drops its only reference.
 *
 * Context: process context.  All but @prepare and @set_mm are called with mmap_lock held
 * and between devpub_endpoint_enter() and devpub_endpoint_exit().
 */
struct devpub_endpoint_ops {
	unsigned long collect;
	u8 uncollectable;
	bool (*prepare)(struct mm_struct *mm, unsigned long start, unsigned long end);
	u8 (*select_mapping)(struct vm_area_struct *vma);
	void (*leave_out)(struct devpub_transfer *transfer, struct vm_area_struct *vma,
			  unsigned long start, unsigned long end, u8 *states);
	u8 (*select_folio)(struct folio *folio);
	u8 (*absent)(struct vm_area_struct *vma);

	void (*set_mm)(struct devpub_transfer *transfer);
	unsigned long (*alloc)(struct devpub_transfer *transfer,
			       struct vm_area_struct *vma, unsigned long addr,
			       unsigned long n, bool *more);
	void (*fill)(const unsigned long *src, const unsigned long *dst,
		     unsigned long n);
};

/**
 * struct devpub_endpoint - a place that pages move from or to
 * @ops:	what it can do
 * @gate:	must be entered while it is used; NULL for system memory
 * @pagemap:	where its pages come from; NULL for system memory
 * @stats:	its counters; NULL for system memory
 * @dev:	for messages; NULL for system memory
 * @index:	the device's number
 * @window:	pages of a window of its transfers
 */
struct devpub_endpoint {
	const struct devpub_endpoint_ops *ops;
	struct devpub_gate *gate;
	struct devpub_pagemap *pagemap;
	struct devpub_stats *stats;
	struct device *dev;
	unsigned int index;
	unsigned int window;
};

extern const struct devpub_endpoint_ops devpub_endpoint_device_ops;
extern const struct devpub_endpoint devpub_endpoint_system;

extern bool devpub_thp_allowed;

bool devpub_endpoint_enter(const struct devpub_endpoint *endpoint);
void devpub_endpoint_exit(const struct devpub_endpoint *endpoint);
void devpub_endpoint_fill(const unsigned long *src, const unsigned long *dst,
			  unsigned long n);

#endif /* DEVPUB_ENDPOINT_H */
