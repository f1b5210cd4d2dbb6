/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which parts of an address space have pages.  Programs reserve far more than they use,
 * terabytes some, of which only what is there may cost time; and since a program may make
 * it cost time, it is looked at by the piece, for the caller to look at the clock and at
 * signals in between.
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
 * struct populated - where looking at an address space is
 * @pagemap:	/proc/PID/pagemap; -1 for none: all may have pages
 * @page_size:	bytes
 * @scans:	the kernel looks for pages (PAGEMAP_SCAN), since 6.7
 * @piece:	bytes that it is asked about at a time, by how long that takes
 * @region:	what it has found
 * @n:		their number
 * @known_from:	@region is about these addresses
 * @known_to:	up to there
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

/* As if the kernel could not look for pages; for tests. */
extern bool populated_by_hand;

void populated_init(struct populated *populated, int pagemap);

/* Likewise, of a process, whose pagemap is opened where that is allowed.  0 or -errno. */
int populated_open(struct populated *populated, const struct proc *proc);
void populated_close(struct populated *populated);

/*
 * The process's mappings, with those known that nothing is in, where looking would take
 * long.  0 or -errno as maps_read().
 */
int populated_maps(const struct populated *populated, const struct proc *proc,
		   struct maps *maps);

/*
 * Looks on from *@at, by no more than a piece.  1: the pages from there up to *@to may be
 * there.  0: none is there up to *@at, which has moved on, at most to @end.  Or -errno.
 */
int populated_next(struct populated *populated, uint64_t *at, uint64_t end,
		   uint64_t *to);

/* Has the memory gone, since the process has ended or runs another program?  Or -errno. */
int populated_gone(const struct populated *populated);

#endif /* DEVPUB_TOOLS_POPULATED_H */
