/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel tells of single pages. */
#ifndef DEVPUB_TESTS_PAGEMAP_H
#define DEVPUB_TESTS_PAGEMAP_H

#include <linux/fs.h>
#include <linux/kernel-page-flags.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An entry of pagemap: Documentation/admin-guide/mm/pagemap.rst of the kernel. */
#define PAGEMAP_PFN		((1ULL << 55) - 1)
#define PAGEMAP_SOFT_DIRTY	(1ULL << 55)
#define PAGEMAP_EXCLUSIVE	(1ULL << 56)
#define PAGEMAP_UFFD_WP		(1ULL << 57)
#define PAGEMAP_FILE		(1ULL << 61)
#define PAGEMAP_SWAPPED		(1ULL << 62)
#define PAGEMAP_PRESENT		(1ULL << 63)

/* Headers before 6.7 have no PAGEMAP_SCAN. */
#ifndef PAGEMAP_SCAN
#define PAGE_IS_WPALLOWED	(1 << 0)
#define PAGE_IS_WRITTEN		(1 << 1)
#define PAGE_IS_PRESENT		(1 << 3)
#define PM_SCAN_WP_MATCHING	(1 << 0)

struct page_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

struct pm_scan_arg {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t vec;
	uint64_t vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

#define PAGEMAP_SCAN		_IOWR('f', 16, struct pm_scan_arg)
#endif

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
