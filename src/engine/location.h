/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_QUERY_H
#define DEVPUB_QUERY_H

#include <linux/types.h>

struct devpub_device;
struct devpub_pool;
struct mm_struct;
struct page;

unsigned int devpub_query_pages(struct mm_struct *mm, unsigned long addr,
				struct page **pages, unsigned int n);
void devpub_query_window_locked(struct devpub_pool *pool, struct mm_struct *mm,
				unsigned long start, unsigned long end, u8 *where);
int devpub_query_window(struct devpub_pool *pool, struct mm_struct *mm,
			unsigned long start, unsigned long end, u8 *where);
int devpub_query_device(struct devpub_device *ddev, struct mm_struct *mm,
			unsigned long start, unsigned long end, u8 *where);

#endif /* DEVPUB_QUERY_H */
