// SPDX-License-Identifier: GPL-2.0
/*
 * Trying again what is busy.  The kernel itself holds or locks any page for moments: for
 * reclaim, compaction, collapse, or access sampling (DAMON).
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "engine/range.h"
#include "engine/reason.h"
#include "engine/retry.h"

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
static unsigned long retry_run(unsigned int window, unsigned long addr,
			       unsigned long end, const u8 *reason)
{
	end = devpub_range_window_end(addr, end, window);
	while (addr < end && *reason++ == DEVPUB_REASON_BUSY)
		addr += PAGE_SIZE;
	return addr;
}

/* Return: false when the pages can't be moved any more. */
static bool retry_once(const struct devpub_retry *retry, unsigned long start,
		       unsigned long end, u8 *reasons)
{
	unsigned long addr, next;
	u8 *run;

	for (addr = start; addr < end; addr = next) {
		run = reasons + devpub_range_pages(start, addr);
		next = retry_run(retry->window, addr, end, run);
		if (next == addr)
			next += PAGE_SIZE;
		else if (retry->move(retry->data, addr, next, run))
			return false;
	}
	return true;
}

/**
 * devpub_retry() - try again to move the busy pages of a range
 * @retry: how to move pages, and how often that was done
 * @start: first address
 * @end: the end; any number of windows further
 * @reasons: a byte a page; DEVPUB_REASON_BUSY may become another reason
 *
 * Context: process context, may sleep for a tenth of a second a range, and two seconds a
 * call, and do what @move does.
 */
void devpub_retry(struct devpub_retry *retry, unsigned long start, unsigned long end,
		  u8 *reasons)
{
	unsigned long n = devpub_range_pages(start, end);
	unsigned long delay = RETRY_US;
	bool go_on = true;
	unsigned int i;

	for (i = 0; i < RETRIES_RANGE && go_on; i++) {
		if (retry->retries >= RETRIES_CALL || signal_pending(current) ||
		    !memchr(reasons, DEVPUB_REASON_BUSY, n))
			return;
		retry->retries++;
		usleep_range(delay, 2 * delay);
		delay *= RETRY_FACTOR;
		go_on = retry_once(retry, start, end, reasons);
	}
}
