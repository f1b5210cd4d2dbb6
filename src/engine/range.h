/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arithmetic on user address ranges and on the windows in which they are
 * handled.  Pure: no mm, no device, so that it can be tested alone.
 */
#ifndef DEVPUB_RANGE_H
#define DEVPUB_RANGE_H

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>

/**
 * devpub_range_check() - is this a range that a call may work on?
 * @addr: first byte
 * @length: bytes
 * @limit: first address that the caller may not map
 *
 * Whether anything is mapped there is not asked.
 *
 * Return: 0; -EINVAL when the range is empty or not made of whole pages;
 * -EOVERFLOW when its end does not fit 64 bits; -EFAULT when it reaches past
 * @limit.
 */
static inline int devpub_range_check(u64 addr, u64 length, u64 limit)
{
	u64 end;

	if (!length || !PAGE_ALIGNED(addr) || !PAGE_ALIGNED(length))
		return -EINVAL;
	if (check_add_overflow(addr, length, &end))
		return -EOVERFLOW;
	if (end > limit)
		return -EFAULT;
	return 0;
}

/**
 * devpub_range_window_end() - where the window that begins at @addr ends
 * @addr: page-aligned address below @end
 * @end: end of the range
 * @window: pages of a window, a power of two
 *
 * Borders between windows lie at multiples of the window size, so that no 2 MiB
 * folio straddles one: it would be split for one window and found split by the
 * next.
 *
 * Return: an address above @addr, at most @end.
 */
static inline unsigned long devpub_range_window_end(unsigned long addr,
						    unsigned long end,
						    unsigned long window)
{
	unsigned long size = window << PAGE_SHIFT;

	/* By differences: the sum may not fit at the top of the address space. */
	return addr + min(end - addr, size - (addr & (size - 1)));
}

/**
 * devpub_range_pages() - pages of a range
 * @start: page-aligned first address
 * @end: page-aligned end
 *
 * Return: the number of pages.
 */
static inline unsigned long devpub_range_pages(unsigned long start,
					       unsigned long end)
{
	return (end - start) >> PAGE_SHIFT;
}

#endif /* DEVPUB_RANGE_H */
