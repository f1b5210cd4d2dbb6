/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_POOL_H
#define DEVPUB_POOL_H

#include <linux/atomic.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/**
 * struct devpub_pool - the free pages of a device
 * @lock:	serializes popping from the stack; pushing takes no lock
 * @base_pfn:	frame number of page 0
 * @npages:	number of pages of the device
 * @nfree:	number of free pages: the pages on the stack, and pages that are about to be
 *		pushed
 * @first:	number of the page on top of the stack
 * @next:	for each free page, the number of the page below it
 * @used:	one bit per page, set while the page is in use; detects a page that is freed
 *		twice
 */
struct devpub_pool {
	spinlock_t lock; /* popping from the stack */
	unsigned long base_pfn;
	u32 npages;
	atomic_t nfree;
	u32 first;
	u32 *next;
	unsigned long *used;
};

int devpub_pool_init(struct devpub_pool *pool, unsigned long base_pfn,
		     unsigned long npages);
void devpub_pool_destroy(struct devpub_pool *pool);
u32 devpub_pool_take(struct devpub_pool *pool, unsigned long *pfns, u32 n);
bool devpub_pool_give(struct devpub_pool *pool, unsigned long pfn);
void devpub_pool_warn_refused(unsigned long pfn);
u32 devpub_pool_free_pages(struct devpub_pool *pool);
u32 devpub_pool_used_pages(struct devpub_pool *pool);
unsigned long devpub_pool_next_used(const struct devpub_pool *pool,
				    unsigned long pfn);

#endif /* DEVPUB_POOL_H */
