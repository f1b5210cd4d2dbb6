/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel tells of single pages. */
#ifndef DEVPUB_TESTS_PAGEMAP_H
#define DEVPUB_TESTS_PAGEMAP_H

#include <devpub_pagemap.h>
#include <linux/kernel-page-flags.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many of one of /proc's files of a word for each page or frame. */
void pagemap_entries(const char *path, uint64_t first, size_t count,
		     uint64_t *entries);
/* The entries of the range, of the calling process or of another one. */
void pagemap_read(const void *addr, size_t pages, uint64_t *entries);
void pagemap_read_of(int pid, const void *addr, size_t pages,
		     uint64_t *entries);
uint64_t pagemap_kpagecount(const void *addr);

/*
 * The ranges of pages of all categories of the mask.  The case is skipped on
 * kernels that have no such call.
 */
size_t pagemap_scan(const void *addr, size_t pages, uint64_t flags,
		    uint64_t mask, struct page_region *found, size_t count);

/* Have writes noted, for good, or the case is skipped. */
void pagemap_track_writes(void *addr, size_t pages);
/* How many pages are noted; "again" forgets them. */
size_t pagemap_written(const void *addr, size_t pages, bool again);

#endif /* DEVPUB_TESTS_PAGEMAP_H */
