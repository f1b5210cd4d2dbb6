/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_RETRY_H
#define DEVPUB_RETRY_H

#include <linux/types.h>

/**
 * struct devpub_retry - the retries of one call
 * @move:	moves the pages from @start to @end, which are in one window; returns 0, or an
 *		error after which no more pages can be moved
 * @data:	for @move
 * @window:	pages of a window
 * @retries:	how often busy pages were tried again so far, which has a limit
 */
struct devpub_retry {
	int (*move)(void *data, unsigned long start, unsigned long end, u8 *reasons);
	void *data;
	unsigned int window;
	unsigned int retries;
};

void devpub_retry(struct devpub_retry *retry, unsigned long start, unsigned long end,
		  u8 *reasons);

#endif /* DEVPUB_RETRY_H */
