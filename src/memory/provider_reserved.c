// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The "reserved" provider: claims a range of memory that the kernel does not use, because of
 * the boot parameter memmap=SIZE$START (x86) or because firmware reserves it.
 */
#include <linux/device.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/memremap.h>
#include <linux/numa.h>
#include <linux/sizes.h>

#include <linux/devpub.h>

#include "export.h"
#include "memory/machine.h"
#include "memory/provider.h"

/* Return true if the range overlaps no resource except the reserved ones below. */
static bool reserved_range_is_unused(u64 start, u64 size)
{
	static const unsigned long unused[] = {
		IORES_DESC_RESERVED, IORES_DESC_SOFT_RESERVED,
	};
	int i;

	/* A child of a reserved entry is in use: a former devpub device, a dax device. */
	if (region_intersects(start, size, IORESOURCE_BUSY, IORES_DESC_NONE) !=
	    REGION_DISJOINT)
		return false;
	if (region_intersects(start, size, 0, IORES_DESC_NONE) ==
	    REGION_DISJOINT)
		return true;
	for (i = 0; i < ARRAY_SIZE(unused); i++)
		if (region_intersects(start, size, IORESOURCE_MEM, unused[i]) ==
		    REGION_INTERSECTS)
			return true;
	return false;
}

/*
 * Return true if there is memory at the address.  If there is none, stores are lost, and so
 * would be the content of the first page that migrates there.
 */
static bool reserved_range_holds(u64 phys)
{
	static const u64 patterns[] = { 0x5aa5f00d5aa5f00dULL,
					0xa55a0ff2a55a0ff2ULL };
	bool holds = true;
	u64 *mem, old;
	int i;

	/* Map write-combining: a write-back cache would answer for absent memory. */
	mem = memremap(phys, PAGE_SIZE, MEMREMAP_WC);
	if (!mem)
		return false;

	old = READ_ONCE(*mem);
	for (i = 0; i < ARRAY_SIZE(patterns); i++) {
		WRITE_ONCE(*mem, patterns[i]);
		/* Flush the store buffer, so that the load does not read from it. */
		mb();
		holds = holds && READ_ONCE(*mem) == patterns[i];
	}
	WRITE_ONCE(*mem, old);
	memunmap(mem);
	return holds;
}

static int reserved_claim(struct devpub_region *region, struct device *dev)
{
	u64 start = region->start, size = region->size;
	/* The alignment that a page array needs on any architecture. */
	unsigned long align = max_t(unsigned long, memremap_compat_align(), SZ_2M);
	u64 first = mhp_get_pluggable_range(true).start;
	u64 last = devpub_machine_last_address();

	if (!size || !IS_ALIGNED(start | size, align)) {
		dev_err(dev, "region=%#llx,%#llx: start and size must be multiples of %lu MiB, and the size not 0\n",
			start, size, align / SZ_1M);
		return -EINVAL;
	}
	if (start < first || start > last || size - 1 > last - start) {
		dev_err(dev, "region=%#llx,%#llx: this machine can address memory from %#llx to %#llx only\n",
			start, size, first, last);
		return -EINVAL;
	}
	if (devpub_machine_is_locked_down()) {
		dev_err(dev, "region=%#llx,%#llx: the kernel is locked down, and root may not choose physical memory; use size=, or boot without Secure Boot or lockdown=\n",
			start, size);
		return -EPERM;
	}
	if (!reserved_range_is_unused(start, size)) {
		dev_err(dev, "region=%#llx,%#llx: the kernel or a device uses this range, see /proc/iomem; reserve memory with memmap=SIZE$START at boot, or use size=\n",
			start, size);
		return -EINVAL;
	}
	return 0;
}

static int reserved_verify(struct devpub_region *region, struct device *dev)
{
	u64 start = region->start, size = region->size;

	if (!reserved_range_holds(start) ||
	    !reserved_range_holds(start + size - PAGE_SIZE)) {
		dev_err(dev, "region=%#llx,%#llx: the range does not hold what is written to it, so it is not memory; check START and SIZE against the map of memory that the kernel logs at boot\n",
			start, size);
		return -EINVAL;
	}
	region->node = phys_to_target_node(start);
	return 0;
}

static void reserved_release(struct devpub_region *region, struct device *dev)
{
	/* Nothing to give back: the kernel never used the range. */
}

const struct devpub_provider_ops devpub_provider_reserved = {
	.name		= "reserved",
	.id		= DEVPUB_PROVIDER_RESERVED,
	.claim		= reserved_claim,
	.verify		= reserved_verify,
	.release	= reserved_release,
};
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_provider_reserved);
