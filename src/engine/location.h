/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_LOCATION_H
#define DEVPUB_LOCATION_H

#include <linux/types.h>

#include <linux/devpub.h>

#define DEVPUB_NR_LOCATIONS	(DEVPUB_LOCATION_OTHER + 1)

struct devpub_pagemap;
struct mm_struct;
struct page;

/**
 * struct devpub_location_counts - numbers of pages by location
 * @n:	numbers, indexed by enum devpub_location
 */
struct devpub_location_counts {
	u64 n[DEVPUB_NR_LOCATIONS];
};

unsigned int devpub_location_get_pages(struct mm_struct *mm, unsigned long addr,
				       struct page **pages, unsigned int n);
void devpub_location_window(const struct devpub_pagemap *device, struct mm_struct *mm,
			    unsigned long start, unsigned long end, u8 *locations);

#endif /* DEVPUB_LOCATION_H */
