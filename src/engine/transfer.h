/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_TRANSFER_H
#define DEVPUB_TRANSFER_H

#include <linux/types.h>

#include "engine/endpoint.h"
#include "engine/rmap.h"
#include "engine/system.h"

struct mm_struct;
struct vm_area_struct;

/**
 * struct devpub_transfer_spec - which pages move where
 * @source:	where pages come from
 * @destination: where they go
 * @populate:	give holes a page at the destination
 * @retry_hard:	the source has to be emptied: take system memory of any node
 * @unclassified: nobody asks why a page was not collected; it stays DEVPUB_PAGE_UNDECIDED
 */
struct devpub_transfer_spec {
	const struct devpub_endpoint *source;
	const struct devpub_endpoint *destination;
	bool populate;
	bool retry_hard;
	bool unclassified;
};

/**
 * struct devpub_transfer - moves windows of pages from one endpoint to another
 * @spec:	which pages move where
 * @mm:		whose pages
 * @window:	most pages of a window
 * @nodes:	where system pages come from
 * @relatives:	processes that may map the same pages
 * @src:	what migrate_vma_setup() collects, DEVPUB_COMPAT_ENTRIES_A_PAGE entries a page of
 *		the window
 * @dst:	where each page goes
 * @pfns:	frame numbers of new pages, allocated many at a time
 */
struct devpub_transfer {
	struct devpub_transfer_spec spec;
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
			  struct mm_struct *mm);
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
void *devpub_transfer_alloc_array(size_t size);
void devpub_transfer_drain(const struct devpub_transfer_spec *spec);

#endif /* DEVPUB_TRANSFER_H */
