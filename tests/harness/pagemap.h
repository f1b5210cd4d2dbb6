/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Information of the kernel about single pages. */
#ifndef DEVPUB_TESTS_PAGEMAP_H
#define DEVPUB_TESTS_PAGEMAP_H

#include <devpub_pagemap.h>
#include <linux/kernel-page-flags.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read words of a file in /proc that has one word per page or frame. */
void pagemap_entries(const char *path, uint64_t first, size_t count,
		     uint64_t *entries);
/* Read the pagemap entries of a range of the calling process, or of another one. */
void pagemap_read(const void *addr, size_t pages, uint64_t *entries);
void pagemap_read_of(int pid, const void *addr, size_t pages,
		     uint64_t *entries);
uint64_t pagemap_kpagecount(const void *addr);

/*
 * Find ranges of pages with all categories of the mask.  Skip the case if the kernel does not
 * have PAGEMAP_SCAN.
 */
size_t pagemap_scan(const void *addr, size_t pages, uint64_t flags,
		    uint64_t mask, struct page_region *found, size_t count);

/* Start to track writes permanently, or skip the case. */
void pagemap_track_writes(void *addr, size_t pages);
/* Return the number of written pages; "again" resets them. */
size_t pagemap_written(const void *addr, size_t pages, bool again);

#endif /* DEVPUB_TESTS_PAGEMAP_H */
