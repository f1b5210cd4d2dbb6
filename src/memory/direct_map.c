// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The direct map: splits the kernel's own mapping of memory that is to be unplugged.
 */
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sizes.h>

#include "memory/direct_map.h"

#ifdef CONFIG_X86_64

#include <asm/set_memory.h>

static bool direct_map_is_1g(u64 addr)
{
	unsigned int level;

	return lookup_address((unsigned long)__va(addr), &level) &&
	       level == PG_LEVEL_1G;
}

/*
 * Split the 1 GiB page that contains the range.  The kernel exports no function for that,
 * but it splits the 1 GiB page when the caching mode of a part changes.  Only an unused
 * page may change its caching mode, so this allocates a page of the range for a moment.
 */
static bool direct_map_split(u64 start, u64 end)
{
#ifdef CONFIG_CONTIG_ALLOC
	u64 addr;

	/* Try one page per 2 MiB: if it can't be allocated, its neighbours likely can't. */
	for (addr = start; addr < end; addr += SZ_2M) {
		unsigned long va = (unsigned long)__va(addr);
		unsigned long pfn = PHYS_PFN(addr);

		if (alloc_contig_range(pfn, pfn + 1, ACR_FLAGS_NONE,
				       GFP_KERNEL | __GFP_NOWARN))
			continue;
		/* A page that stays uncached must not be used: leak it. */
		if (set_memory_uc(va, 1) || !set_memory_wb(va, 1))
			free_contig_range(pfn, 1);
		return !direct_map_is_1g(addr);
	}
#endif
	return false;
}

/**
 * devpub_direct_map_can_be_cut() - separate the direct map of a range from its neighbours
 * @start:	physical address of online memory
 * @size:	size in bytes, a multiple of the memory block size
 *
 * Call this before the range is removed.  If the range contains only a part of a 1 GiB
 * page, remove_pud_table() (arch/x86/mm/init_64.c) treats the memory as a page table, and
 * clears data that looks like entries.  The kernel does not meet that case, because memory
 * that it unplugs by itself is never mapped that way.
 *
 * Context: process context, may sleep.
 * Return: true if the range can be removed.
 */
bool devpub_direct_map_can_be_cut(u64 start, u64 size)
{
	u64 end = start + size, addr, next;

	for (addr = start; addr < end; addr = next) {
		next = min(round_down(addr, SZ_1G) + SZ_1G, end);
		if (next - addr < SZ_1G && direct_map_is_1g(addr) &&
		    !direct_map_split(addr, next))
			return false;
	}
	return true;
}

#else

bool devpub_direct_map_can_be_cut(u64 start, u64 size)
{
	return true;
}

#endif
