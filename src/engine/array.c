// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Arrays with an entry for each page of a window. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "engine/array.h"

/**
 * devpub_array_alloc() - allocate an array with entries for the pages of windows
 * @size: size of the array in bytes
 *
 * A large array must not be physically contiguous.  Freeing it between two windows would
 * drain the per-CPU list of free pages, which serves the allocations of the next window
 * (mm/page_alloc.c, free_unref_page_commit()).
 *
 * Context: process context, may sleep.
 * Return: the array, to be freed by kvfree(), or NULL.
 */
void *devpub_array_alloc(size_t size)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN;

	if (size > KMALLOC_MAX_CACHE_SIZE)
		return __vmalloc(size, gfp);
	return kvmalloc(size, gfp);
}
