// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The spy: intercepts calls of the module, in a build for KUnit only.  So a test can check the
 * phases of the engine's own migrations instead of those of a copy.
 *
 * Kbuild renames the calls of some files of src/, so that they call the functions here instead of
 * those of the kernel or of another file of src/, with the same arguments.
 */
#include <linux/err.h>
#include <linux/io.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/sched.h>

#include "export.h"
#include "memory/machine.h"
#include "memory/pool.h"
#include "spy.h"

static struct devpub_spy *spy_set;
static void (*spy_freed)(struct page *page, bool refused);
static struct devpub_spy_machine spy_machine;

/**
 * devpub_spy_set() - set the spy
 * @spy: the spy, or NULL for none
 *
 * Context: no migration is in progress.
 */
void devpub_spy_set(struct devpub_spy *spy)
{
	WRITE_ONCE(spy_set, spy);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_spy_set);

/**
 * devpub_spy_set_freed() - set a function to be called for freed pages
 * @freed: called by the free callback, in its context, with the page; called again with
 *	   "refused" if the pool refuses the page, instead of a warning.  Or NULL
 *
 * Context: no page is being freed.
 */
void devpub_spy_set_freed(void (*freed)(struct page *page, bool refused))
{
	WRITE_ONCE(spy_freed, freed);
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_spy_set_freed);

bool devpub_spy_pool_give(struct devpub_pool *pool, unsigned long pfn)
{
	void (*freed)(struct page *page, bool refused) = READ_ONCE(spy_freed);
	bool given = devpub_pool_give(pool, pfn);

	if (freed)
		freed(pfn_to_page(pfn), false);
	return given;
}

void devpub_spy_pool_warn_refused(unsigned long pfn)
{
	void (*freed)(struct page *page, bool refused) = READ_ONCE(spy_freed);

	if (freed)
		freed(pfn_to_page(pfn), true);
	else
		devpub_pool_warn_refused(pfn);
}

static void spy_look(enum devpub_phase phase, unsigned long *src,
		     unsigned long *dst, unsigned long npages)
{
	struct devpub_spy *spy = READ_ONCE(spy_set);

	if (spy)
		spy->look(spy, phase, src, dst, npages);
}

int devpub_spy_vma_setup(struct migrate_vma *args)
{
	int ret = migrate_vma_setup(args);

	if (!ret)
		spy_look(DEVPUB_PHASE_SETUP, args->src, NULL, args->npages);
	return ret;
}

void devpub_spy_vma_pages(struct migrate_vma *args)
{
	spy_look(DEVPUB_PHASE_FILLED, args->src, args->dst, args->npages);
	migrate_vma_pages(args);
	spy_look(DEVPUB_PHASE_PAGES, args->src, args->dst, args->npages);
}

void devpub_spy_vma_finalize(struct migrate_vma *args)
{
	spy_look(DEVPUB_PHASE_SORTED, args->src, args->dst, args->npages);
	migrate_vma_finalize(args);
	spy_look(DEVPUB_PHASE_FINALIZED, args->src, args->dst, args->npages);
}

/*
 * devpub_fault_arm() counts this whole function as one allocation, because the kernel warns if
 * an allocation fails in the middle of it (arch/x86/mm/init_64.c, add_pages()).
 */
void *devpub_spy_memremap_pages(struct device *dev, struct dev_pagemap *pgmap)
{
#ifdef CONFIG_FAULT_INJECTION
	unsigned int nth = current->fail_nth;
	void *addr;

	current->fail_nth = 0;
	if (nth == 1)
		return ERR_PTR(-ENOMEM);
	addr = devm_memremap_pages(dev, pgmap);
	current->fail_nth = nth ? nth - 1 : 0;
	return addr;
#else
	return devm_memremap_pages(dev, pgmap);
#endif
}

/**
 * devpub_spy_set_machine() - simulate another machine
 * @machine: the machine, or NULL for the real one
 *
 * Context: no other task claims memory.
 */
void devpub_spy_set_machine(const struct devpub_spy_machine *machine)
{
	spy_machine = machine ? *machine : (struct devpub_spy_machine){};
}
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_spy_set_machine);

bool devpub_spy_is_locked_down(void)
{
	return spy_machine.locked_down || devpub_machine_is_locked_down();
}

bool devpub_spy_keeps_memory(void)
{
	return spy_machine.keeps_memory ? spy_machine.keeps_memory() :
					  devpub_machine_keeps_memory();
}

void *devpub_spy_memremap(resource_size_t phys, size_t size,
			  unsigned long flags)
{
	if (spy_machine.mapped)
		spy_machine.mapped(phys);
	return memremap(phys, size, flags);
}
