/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_THP_H
#define DEVPUB_THP_H

#include <linux/types.h>

struct mm_struct;

#ifdef DEVPUB_HAVE_SPLIT_OF_PTES

/* migrate_vma_setup() splits THPs by itself, without losing references. */
static inline bool devpub_thp_by_hand(void)
{
	return false;
}

static inline void devpub_thp_init(void)
{
}

static inline bool devpub_thp_split(struct mm_struct *mm, unsigned long start,
				    unsigned long end)
{
	return true;
}

#else

/* On this kernel, only devpub_thp_split() may let migrate_vma_setup() see a THP. */
static inline bool devpub_thp_by_hand(void)
{
	return true;
}

void devpub_thp_init(void);
bool devpub_thp_split(struct mm_struct *mm, unsigned long start,
		      unsigned long end);

#endif

#endif /* DEVPUB_THP_H */
