/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_THP_H
#define DEVPUB_THP_H

#include <linux/types.h>

struct mm_struct;

#ifdef DEVPUB_HAVE_SPLIT_OF_PTES

/* The kernel splits them itself, and loses nothing. */
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

/* Whether migrate_vma_setup() must see a THP within devpub_thp_split() only. */
static inline bool devpub_thp_by_hand(void)
{
	return true;
}

void devpub_thp_init(void);
bool devpub_thp_split(struct mm_struct *mm, unsigned long start,
		      unsigned long end);

#endif

#endif /* DEVPUB_THP_H */
