/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_PAGEMAP_H
#define DEVPUB_PAGEMAP_H

#include <linux/memremap.h>
#include <linux/types.h>

struct devpub_pool;
struct page;

/**
 * struct devpub_pagemap - the registration of a device's memory with the kernel
 * @pgmap:	for devm_memremap_pages(); its owner is this struct
 * @pool:	its free pages
 * @index:	the device's number, for trace events
 */
struct devpub_pagemap {
	struct dev_pagemap pgmap;
	struct devpub_pool *pool;
	unsigned int index;
};

void devpub_pagemap_init(struct devpub_pagemap *pagemap, struct devpub_pool *pool,
			 unsigned int index);
u32 devpub_pagemap_alloc(struct devpub_pagemap *pagemap, unsigned long *pfns, u32 n);
struct devpub_pagemap *devpub_pagemap_of_page(const struct page *page);

#endif /* DEVPUB_PAGEMAP_H */
