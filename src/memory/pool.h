/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_POOL_H
#define DEVPUB_POOL_H

#include <linux/atomic.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct dev_pagemap;
struct page;

/**
 * struct devpub_pool - the free pages of a device
 * @lock:	held by who takes pages; who gives one back takes none, since the last
 *		reference to a page can be dropped in any context
 * @base_pfn:	frame number of page 0
 * @npages:	pages of the device
 * @index:	the device's number, for trace events
 * @nfree:	pages on the stack, and for a moment also one that is about to be
 * @first:	the top of the stack of free pages, by number
 * @next:	by number of a free page, the one below it
 * @used:	a bit a page, set while the page is out; what makes a page that is
 *		freed twice visible
 * @pgmap:	the registration that the pages belong to; set once before the
 *		first allocation
 */
struct devpub_pool {
	spinlock_t lock; /* held by who takes from the stack */
	unsigned long base_pfn;
	u32 npages;
	unsigned int index;
	atomic_t nfree;
	u32 first;
	u32 *next;
	unsigned long *used;
	struct dev_pagemap *pgmap;
};

int devpub_pool_init(struct devpub_pool *pool, unsigned long base_pfn,
		     unsigned long npages);
void devpub_pool_destroy(struct devpub_pool *pool);
u32 devpub_pool_take(struct devpub_pool *pool, unsigned long *pfns, u32 n);
bool devpub_pool_give(struct devpub_pool *pool, unsigned long pfn);
u32 devpub_pool_free_pages(struct devpub_pool *pool);

/* The others; old when it is looked at, too. */
static inline u32 devpub_pool_used_pages(struct devpub_pool *pool)
{
	return pool->npages - devpub_pool_free_pages(pool);
}

void devpub_pool_setup_pagemap(struct devpub_pool *pool,
			       struct dev_pagemap *pgmap);
u32 devpub_pool_alloc(struct devpub_pool *pool, unsigned long *pfns, u32 n);
struct devpub_pool *devpub_pool_of_page(const struct page *page);

#endif /* DEVPUB_POOL_H */
