// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Ranges: arithmetic on ranges of user addresses and on their windows.  It depends on
 * neither processes nor devices, so it can be tested alone.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>

#include "engine/range.h"
#include "export.h"

/**
 * devpub_range_check() - check if a range is valid for a call
 * @addr: first address
 * @length: length in bytes
 * @limit: end of the address space that the process may map
 *
 * This does not check if anything is mapped in the range.
 *
 * Context: any.
 * Return: 0; -EINVAL when the range is empty or not page-aligned; -EOVERFLOW when its end
 * exceeds 64 bits; -EFAULT when its end exceeds @limit.
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
 * devpub_range_window_end() - find the end of the window that begins at an address
 * @addr: page-aligned address below @end
 * @end: end of the range
 * @window: size of a window in pages, a power of two
 *
 * Windows begin and end at multiples of the window size, so that a 2 MiB folio is always
 * in one window.  Otherwise the transfer of one window would split it, and the transfer of
 * the next window would find it split.
 *
 * Context: any.
 * Return: an address above @addr, at most @end.
 */
unsigned long devpub_range_window_end(unsigned long addr, unsigned long end,
				      unsigned long window)
{
	unsigned long size = window << PAGE_SHIFT;

	/* Compare differences: addr + size may overflow at the top of the address space. */
	return addr + min(end - addr, size - (addr & (size - 1)));
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_range_window_end);
