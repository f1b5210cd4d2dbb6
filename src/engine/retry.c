// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Retries of busy pages.  The kernel itself takes short references to any page and locks
 * it: for reclaim, compaction, collapse, or access sampling (DAMON).
 */
#include <linux/delay.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "engine/range.h"
#include "engine/reason.h"
#include "engine/retry.h"

/* Maximum number of retries of a range. */
#define RETRIES_RANGE	7
/*
 * The delay before the first retry in microseconds, the factor by which it grows at each
 * retry, and its maximum.  Compaction holds hundreds of pages at once, so short delays alone
 * do not suffice.
 */
#define RETRY_US	200
#define RETRY_FACTOR	4
#define RETRY_MAX_US	100000
/* The sum of the delays of a call, after which it does not retry any more. */
#define RETRY_CALL_US	1000000

/* Return the end of the run of busy pages at @addr, within a window; @addr if not busy. */
static unsigned long retry_run(unsigned int window, unsigned long addr,
			       unsigned long end, const u8 *reason)
{
	end = devpub_range_window_end(addr, end, window);
	while (addr < end && *reason++ == DEVPUB_REASON_BUSY)
		addr += PAGE_SIZE;
	return addr;
}

/* Retry all busy pages once.  Return false if no more pages can move. */
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
		else if (fatal_signal_pending(current))
			return false;
		else if (retry->move(retry->data, addr, next, run))
			return false;
	}
	return true;
}

/**
 * devpub_retry() - retry to move the busy pages of a range
 * @retry: the retries of the call
 * @start: first address
 * @end: end address; the range may span any number of windows
 * @reasons: one byte per page; DEVPUB_REASON_BUSY may become another reason
 *
 * Context: process context; as for @move of @retry.  May sleep, for about half a second per
 * range and 2 seconds per call.
 */
void devpub_retry(struct devpub_retry *retry, unsigned long start, unsigned long end,
		  u8 *reasons)
{
	unsigned long n = devpub_range_pages(start, end);
	unsigned long delay = RETRY_US;
	bool go_on = true;
	unsigned int i;

	for (i = 0; i < RETRIES_RANGE && go_on; i++) {
		if (retry->slept >= RETRY_CALL_US || signal_pending(current) ||
		    !memchr(reasons, DEVPUB_REASON_BUSY, n))
			return;
		retry->slept += delay;
		usleep_range(delay, 2 * delay);
		delay = min(delay * RETRY_FACTOR, RETRY_MAX_US + 0UL);
		go_on = retry_once(retry, start, end, reasons);
	}
}
