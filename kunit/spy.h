/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
#ifndef DEVPUB_SPY_H
#define DEVPUB_SPY_H

#include <linux/types.h>

struct dev_pagemap;
struct device;
struct devpub_pool;
struct migrate_vma;
struct page;

/**
 * enum devpub_phase - the phases of a page that moves
 * @DEVPUB_PHASE_FRESH:		just faulted in, before the LRU batches are drained
 * @DEVPUB_PHASE_BEFORE:	before the migration
 * @DEVPUB_PHASE_SETUP:		pages are collected, locked and unmapped (migrate_vma_setup())
 * @DEVPUB_PHASE_FILLED:	the engine has allocated and filled the destinations
 * @DEVPUB_PHASE_PAGES:		the state in struct page has moved (migrate_vma_pages())
 * @DEVPUB_PHASE_SORTED:	the engine has told moved pages from refused ones
 * @DEVPUB_PHASE_FINALIZED:	all pages are mapped and unlocked (migrate_vma_finalize())
 *
 * A spy is called in each phase from DEVPUB_PHASE_SETUP on.
 */
enum devpub_phase {
	DEVPUB_PHASE_FRESH,
	DEVPUB_PHASE_BEFORE,
	DEVPUB_PHASE_SETUP,
	DEVPUB_PHASE_FILLED,
	DEVPUB_PHASE_PAGES,
	DEVPUB_PHASE_SORTED,
	DEVPUB_PHASE_FINALIZED,
};

/**
 * struct devpub_spy - checks a migration or an eviction from the inside
 * @look:	called in each phase, by the migrating thread, with mmap_lock held.
 *		@src and @dst are the engine's arrays of @npages entries; @dst is NULL
 *		in DEVPUB_PHASE_SETUP
 */
struct devpub_spy {
	void (*look)(struct devpub_spy *spy, enum devpub_phase phase,
		     unsigned long *src, unsigned long *dst,
		     unsigned long npages);
};

/**
 * struct devpub_spy_machine - a machine that the providers see instead of the real one
 * @locked_down:	the kernel is locked down
 * @keeps_memory:	if set, returns true if a driver keeps memory that comes online;
 *			called with carve_lock held
 * @mapped:		if set, called before the reserved provider maps memory to verify it
 */
struct devpub_spy_machine {
	bool locked_down;
	bool (*keeps_memory)(void);
	void (*mapped)(u64 phys);
};

void devpub_spy_set(struct devpub_spy *spy);
void devpub_spy_set_machine(const struct devpub_spy_machine *machine);
void devpub_spy_set_freed(void (*freed)(struct page *page, bool refused));

/* Replacements for functions that the module calls; see DEVPUB_KUNIT in Kbuild. */
int devpub_spy_vma_setup(struct migrate_vma *args);
void devpub_spy_vma_pages(struct migrate_vma *args);
void devpub_spy_vma_finalize(struct migrate_vma *args);
void *devpub_spy_memremap_pages(struct device *dev, struct dev_pagemap *pgmap);
bool devpub_spy_pool_give(struct devpub_pool *pool, unsigned long pfn);
void devpub_spy_pool_warn_refused(unsigned long pfn);
bool devpub_spy_is_locked_down(void);
bool devpub_spy_keeps_memory(void);
void *devpub_spy_memremap(resource_size_t phys, size_t size,
			  unsigned long flags);

#endif /* DEVPUB_SPY_H */
