/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_RETRY_H
#define DEVPUB_RETRY_H

#include <linux/types.h>

/**
 * struct devpub_retry - the retries of one call
 * @move:	moves the pages from @start to @end, which are in one window; returns 0, or an
 *		error after which no more pages can move
 * @data:	argument for @move
 * @window:	size of a window in pages
 * @slept:	the sum of the delays so far, in microseconds, which is limited
 */
struct devpub_retry {
	int (*move)(void *data, unsigned long start, unsigned long end, u8 *reasons);
	void *data;
	unsigned int window;
	unsigned long slept;
};

void devpub_retry(struct devpub_retry *retry, unsigned long start, unsigned long end,
		  u8 *reasons);

#endif /* DEVPUB_RETRY_H */
