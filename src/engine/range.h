/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_RANGE_H
#define DEVPUB_RANGE_H

#include <linux/mm.h>
#include <linux/types.h>

int devpub_range_check(u64 addr, u64 length, u64 limit);
unsigned long devpub_range_window_end(unsigned long addr, unsigned long end,
				      unsigned long window);

/* The number of pages between two page-aligned addresses. */
static inline unsigned long devpub_range_pages(unsigned long start, unsigned long end)
{
	return (end - start) >> PAGE_SHIFT;
}

#endif /* DEVPUB_RANGE_H */
