// SPDX-License-Identifier: GPL-2.0
/*
 * Arithmetic on ranges of user addresses and on the windows in which they are handled.
 * It knows neither processes nor devices, so that it can be tested alone.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>

#include "engine/range.h"
#include "export.h"

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
int devpub_range_check(u64 addr, u64 length, u64 limit)
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
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_range_check);

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
unsigned long devpub_range_window_end(unsigned long addr, unsigned long end,
				      unsigned long window)
{
	unsigned long size = window << PAGE_SHIFT;

	/* By differences: the sum may not fit at the top of the address space. */
	return addr + min(end - addr, size - (addr & (size - 1)));
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_range_window_end);
