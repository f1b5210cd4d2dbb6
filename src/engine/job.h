/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_WALK_H
#define DEVPUB_WALK_H

#include <linux/types.h>

#include "engine/process.h"
#include "engine/reason.h"

struct devpub_device;

/* One byte a page: a code, of which there are at most this many. */
#define DEVPUB_WALK_NR_CODES	DEVPUB_NR_REASONS

enum devpub_walk_kind {
	DEVPUB_WALK_QUERY,
	DEVPUB_WALK_TO,
	DEVPUB_WALK_FROM,
};

/**
 * struct devpub_walk - a range gone through window by window
 * @ddev:	the device
 * @process:	whose memory
 * @kind:	what is done
 * @populate:	with DEVPUB_WALK_TO, give holes a page on the device
 * @workers:	at most so many at work; 0: as many as pay
 * @addr:	first address
 * @length:	bytes
 * @array:	user's array of one byte a page, or NULL
 * @retries:	how often it has tried again what was busy
 * @done:	receives bytes dealt with
 * @count:	receives pages by code: an enum devpub_reason or devpub_where
 */
struct devpub_walk {
	struct devpub_device *ddev;
	struct devpub_process process;
	enum devpub_walk_kind kind;
	bool populate;
	unsigned int workers;
	u64 addr;
	u64 length;
	u8 __user *array;
	unsigned int retries;
	u64 done;
	u64 count[DEVPUB_WALK_NR_CODES];
};

extern unsigned int devpub_walk_max_workers;

int devpub_walk_range(struct devpub_walk *walk);

int devpub_walk_init(void);
void devpub_walk_exit(void);

#endif /* DEVPUB_WALK_H */
