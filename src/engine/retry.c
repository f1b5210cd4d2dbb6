// SPDX-License-Identifier: GPL-2.0
/*
 * Trying again what is busy.  The kernel itself holds or locks any page for moments: for
 * reclaim, compaction, collapse, or access sampling (DAMON).
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "engine/range.h"
#include "engine/retry.h"
#include "engine/transfer.h"

/* How often a range, and a whole call, are tried again. */
#define RETRIES_RANGE	5
#define RETRIES_CALL	60
/*
 * How long busy pages are left alone before the first retry, in microseconds, and by which
 * factor that grows: compaction keeps hundreds of pages at once.
 */
#define RETRY_US	200
#define RETRY_FACTOR	4

/* The end of the run of busy pages at @addr, within a window; @addr if it is not busy. */
static unsigned long retry_row(const struct devpub_transfer *transfer, unsigned long addr,
			       unsigned long end, const u8 *reason)
{
	end = devpub_range_window_end(addr, end, transfer->window);
	while (addr < end && *reason++ == DEVPUB_REASON_BUSY)
		addr += PAGE_SIZE;
	return addr;
}

/* Return: false when a fatal signal came or the device is going. */
static bool retry_once(struct devpub_transfer *transfer, unsigned long start,
		       unsigned long end, u8 *reasons)
{
	unsigned long addr, next;
	u8 *row;

	for (addr = start; addr < end; addr = next) {
		row = reasons + devpub_range_pages(start, addr);
		next = retry_row(transfer, addr, end, row);
		if (next == addr)
			next += PAGE_SIZE;
		else if (devpub_transfer_window(transfer, addr, next, row))
			return false;
	}
	return true;
}

/**
 * devpub_retry() - try again to move the busy pages of a range
 * @transfer: the transfer
 * @start: first address
 * @end: the end; any number of windows
 * @reasons: a byte a page; DEVPUB_REASON_BUSY may become another reason
 * @retries: counts the retries of the whole call, which has a limit
 *
 * Context: process context, may sleep for a tenth of a second a range, and two seconds a
 * call; takes mmap_lock and enters the endpoints.
 */
void devpub_retry(struct devpub_transfer *transfer, unsigned long start,
		  unsigned long end, u8 *reasons, unsigned int *retries)
{
	unsigned long n = devpub_range_pages(start, end);
	unsigned long delay = RETRY_US;
	bool go_on = true;
	unsigned int i;

	for (i = 0; i < RETRIES_RANGE && go_on; i++) {
		if (*retries >= RETRIES_CALL || signal_pending(current) ||
		    !memchr(reasons, DEVPUB_REASON_BUSY, n))
			return;
		++*retries;
		usleep_range(delay, 2 * delay);
		delay *= RETRY_FACTOR;
		go_on = retry_once(transfer, start, end, reasons);
	}
}
