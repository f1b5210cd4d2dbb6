/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_EXCLUSIVE_H
#define DEVPUB_EXCLUSIVE_H

#include <linux/errno.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct mm_struct;

/**
 * struct devpub_exclusive - pages of one process that a device has for itself
 * @mm:		the process's memory.  The caller keeps the struct
 * @notifier:	tells of pages that CPUs take back
 * @pages:	the pages, indexed by address >> PAGE_SHIFT.  While an entry is there and the
 *		xarray's lock is held, the page can't be freed
 * @starting:	held while @notifier is inserted
 * @started:	@notifier is inserted
 */
struct devpub_exclusive {
	struct mm_struct *mm;
	struct mmu_interval_notifier notifier;
	struct xarray pages;
	struct mutex starting;	/* protects @started */
	bool started;
};

/* make_device_exclusive() is compiled only with CONFIG_DEVICE_PRIVATE. */
#if defined(DEVPUB_HAVE_EXCLUSIVE) && IS_ENABLED(CONFIG_DEVICE_PRIVATE)
void devpub_exclusive_init(struct devpub_exclusive *exclusive, struct mm_struct *mm);
void devpub_exclusive_destroy(struct devpub_exclusive *exclusive);
int devpub_exclusive_take(struct devpub_exclusive *exclusive, unsigned long addr,
			  unsigned long end);
int devpub_exclusive_read(struct devpub_exclusive *exclusive, unsigned long addr,
			  void *buffer);
bool devpub_exclusive_has(struct devpub_exclusive *exclusive, unsigned long addr,
			  unsigned long end);
#else
static inline void devpub_exclusive_init(struct devpub_exclusive *exclusive,
					 struct mm_struct *mm)
{
}

static inline void devpub_exclusive_destroy(struct devpub_exclusive *exclusive)
{
}

static inline int devpub_exclusive_take(struct devpub_exclusive *exclusive,
					unsigned long addr, unsigned long end)
{
	return -EOPNOTSUPP;
}

static inline int devpub_exclusive_read(struct devpub_exclusive *exclusive,
					unsigned long addr, void *buffer)
{
	return -EOPNOTSUPP;
}

static inline bool devpub_exclusive_has(struct devpub_exclusive *exclusive,
					unsigned long addr, unsigned long end)
{
	return false;
}
#endif

#endif /* DEVPUB_EXCLUSIVE_H */
