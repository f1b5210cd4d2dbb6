/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEVPUB_SPY_H
#define DEVPUB_SPY_H

#include <linux/types.h>

struct dev_pagemap;
struct device;
struct migrate_vma;
struct page;

/**
 * enum devpub_moment - the moments of a migration at which a spy is called
 * @DEVPUB_AFTER_SETUP:		pages are collected, locked and unmapped
 * @DEVPUB_BEFORE_PAGES:	the engine has filled the destinations
 * @DEVPUB_AFTER_PAGES:		the state in struct page has moved
 * @DEVPUB_BEFORE_FINALIZE:	the engine has told moved pages from refused ones
 * @DEVPUB_AFTER_FINALIZE:	all pages are mapped and unlocked
 */
enum devpub_moment {
	DEVPUB_AFTER_SETUP,
	DEVPUB_BEFORE_PAGES,
	DEVPUB_AFTER_PAGES,
	DEVPUB_BEFORE_FINALIZE,
	DEVPUB_AFTER_FINALIZE,
};

/**
 * struct devpub_spy - checks a migration or an eviction from the inside
 * @look:	called at each moment, by the migrating thread, with mmap_lock held.
 *		@src and @dst are the engine's arrays of @npages entries; @dst is NULL
 *		at the first moment
 */
struct devpub_spy {
	void (*look)(struct devpub_spy *spy, enum devpub_moment moment,
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

/* Replacements for functions that the module calls; Kbuild renames the calls. */
int devpub_spy_vma_setup(struct migrate_vma *args);
void devpub_spy_vma_pages(struct migrate_vma *args);
void devpub_spy_vma_finalize(struct migrate_vma *args);
void *devpub_spy_memremap_pages(struct device *dev, struct dev_pagemap *pgmap);
bool devpub_spy_is_locked_down(void);
bool devpub_spy_keeps_memory(void);
void *devpub_spy_memremap(resource_size_t phys, size_t size,
			  unsigned long flags);

#endif /* DEVPUB_SPY_H */
