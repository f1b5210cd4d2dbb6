/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
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
 * struct devpub_stats - counts of pages since the device was created
 * @arrived:	pages that migrated to the device
 * @left:	pages that migrated from the device on request
 * @populated:	holes that were filled on the device
 * @evicted:	pages that eviction moved off the device
 * @refused:	pages refused by transfers to or from the device, by reason
 */
struct devpub_stats {
	atomic64_t arrived;
	atomic64_t left;
	atomic64_t populated;
	atomic64_t evicted;
	atomic64_t refused[DEVPUB_NR_REASONS];
};

/**
 * struct devpub_endpoint_ops - operations of a source or destination of transfers
 * @collect:	source: the MIGRATE_VMA_SELECT_... flag that selects its pages
 * @uncollectable: source: the reason for pages in a mapping that migrate_vma_setup() refuses
 * @prepare:	source, optional: prepare the pages of a range for collection.  Takes and
 *		releases mmap_lock.  Returns false after a fatal signal
 * @select_mapping: source: returns 0 if pages of the mapping may move, else the reason for
 *		all of them
 * @leave_out:	source: called before pages of a mapping are collected.  Stores a reason for
 *		each page that must not be collected; all states are DEVPUB_PAGE_UNDECIDED
 *		on entry
 * @select_folio: source: returns 0 if the collected folio may move, else its reason
 * @absent:	source: returns the reason for an address without a page that the kernel did
 *		not collect
 * @set_mm:	destination, optional: called before the transfer moves pages of another
 *		process
 * @alloc:	destination: allocate at most @n pages for consecutive addresses from @addr on,
 *		each locked and with reference count 1.  Stores their frame numbers in the
 *		transfer's @pfns and returns their number.  Sets *@more to false when another
 *		call would not allocate any
 * @fill:	destination: copy the collected pages, and clear the pages for holes.  The
 *		arrays are those of struct migrate_vma
 *
 * migrate_vma_finalize() frees a destination page that was not used: it drops the only
 * reference.
 *
 * Context: process context.  All operations except @prepare and @set_mm are called with
 * mmap_lock held, between devpub_endpoint_enter() and devpub_endpoint_exit().
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
 * struct devpub_endpoint - a source or destination of transfers: a device or system memory
 * @ops:	its operations
 * @gate:	the gate to enter before its memory is used; NULL for system memory
 * @pagemap:	the pagemap of its pages; NULL for system memory
 * @stats:	its counters; NULL for system memory
 * @dev:	the device to log messages for; NULL for system memory
 * @index:	the device's number
 * @window:	size of a window of its transfers in pages
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
bool devpub_endpoint_is_closed(const struct devpub_endpoint *endpoint);
void devpub_endpoint_fill(const unsigned long *src, const unsigned long *dst,
			  unsigned long n);

#endif /* DEVPUB_ENDPOINT_H */
