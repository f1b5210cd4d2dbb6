/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Finds the parts of an address space that have pages.  Programs reserve far more memory
 * than they use, up to terabytes, so parts without pages must not cost time.  A program may
 * still make the search slow.  So it is done in pieces, and the caller can check the clock and
 * signals between two pieces.
 */
#ifndef DEVPUB_TOOLS_POPULATED_H
#define DEVPUB_TOOLS_POPULATED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <devpub_pagemap.h>

#include "maps.h"
#include "proc.h"

#define POPULATED_REGIONS	64

/**
 * struct populated - the state of a search in an address space
 * @pagemap:	descriptor of /proc/PID/pagemap; -1 for none: all parts may have pages
 * @page_size:	size of a page in bytes
 * @scans:	the kernel has PAGEMAP_SCAN (since 6.7)
 * @piece:	size of the next piece in bytes, adapted to the duration of the last one
 * @region:	regions with pages that the last scan found
 * @n:		number of entries of @region
 * @known_from:	first address of the range that @region covers
 * @known_to:	end address of that range
 */
struct populated {
	int pagemap;
	uint64_t page_size;
	bool scans;
	uint64_t piece;
	struct page_region region[POPULATED_REGIONS];
	size_t n;
	uint64_t known_from;
	uint64_t known_to;
};

/* If true, PAGEMAP_SCAN is not used; for tests. */
extern bool populated_by_hand;

void populated_init(struct populated *populated, int pagemap);

/* Open for a process.  Use its pagemap if the caller may open it.  Return 0 or -errno. */
int populated_open(struct populated *populated, const struct proc *proc);
void populated_close(struct populated *populated);

/*
 * Read the process's mappings, and mark large ones without pages if lookups take long.
 * Return as maps_read().
 */
int populated_maps(const struct populated *populated, const struct proc *proc,
		   struct maps *maps);

/*
 * Search from *@at on, at most one piece.  Return 1 if there may be pages from *@at to *@to.
 * Return 0 after advancing *@at, at most to @end, if there are no pages before it.  Return
 * -errno on failure.
 */
int populated_next(struct populated *populated, uint64_t *at, uint64_t end,
		   uint64_t *to);

/* Return 1 if the memory is gone, because of exit or exec; 0 if not; or -errno. */
int populated_gone(const struct populated *populated);

#endif /* DEVPUB_TOOLS_POPULATED_H */
