// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own mapping of memory that is to be unplugged.
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
 * Have the 1 GiB page around the range split.  No function for it is exported, but
 * a page whose caching differs can't be part of one.  That must be a page that
 * nobody uses: one is taken out of the range, for a moment.
 */
static bool direct_map_split(u64 start, u64 end)
{
#ifdef CONFIG_CONTIG_ALLOC
	u64 addr;

	/* One that can't be had is likely to have neighbours like it. */
	for (addr = start; addr < end; addr += SZ_2M) {
		unsigned long va = (unsigned long)__va(addr);
		unsigned long pfn = PHYS_PFN(addr);

		if (alloc_contig_range(pfn, pfn + 1, ACR_FLAGS_NONE,
				       GFP_KERNEL | __GFP_NOWARN))
			continue;
		/* One that stays uncached is lost rather than let loose. */
		if (set_memory_uc(va, 1) || !set_memory_wb(va, 1))
			free_contig_range(pfn, 1);
		return !direct_map_is_1g(addr);
	}
#endif
	return false;
}

/**
 * devpub_direct_map_can_be_cut() - make the direct map of a range one of its own
 * @start:	physical address, of online memory
 * @size:	bytes, a multiple of the memory block size
 *
 * To be called before the range is removed.  Of a 1 GiB page that lies in the range
 * only in part, remove_pud_table() (arch/x86/mm/init_64.c) takes the memory for a
 * table, and clears in there what looks like its entries: nothing that the kernel
 * unplugs by itself was ever mapped so.
 *
 * Context: process context, may sleep.
 * Return: whether the range can be removed.
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
