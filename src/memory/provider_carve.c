// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * The "carve" provider: takes memory blocks from the running system by memory hot-unplug,
 * and plugs them in again when the device is removed.
 */
#include <linux/device.h>
#include <linux/ioport.h>
#include <linux/kobject.h>
#include <linux/math64.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sizes.h>

#include <linux/devpub.h>

#include "export.h"
#include "memory/direct_map.h"
#include "memory/machine.h"
#include "memory/provider.h"

/*
 * An attempt to empty a range can take seconds, and the kernel logs lines for each failed
 * attempt.
 */
#define CARVE_MAX_ATTEMPTS	16

/*
 * Maximum number of pages in a range that are not on an LRU list.  Pages of processes that
 * are on their way to a list look like the kernel's own pages, so a few are worth an attempt.
 */
#define CARVE_MAX_SUSPECTS	64

/*
 * Serializes devices that take memory or put it back: no device may take a block that
 * another device is putting online.  The kernel's device_hotplug_lock, which a write to a
 * block's "state" takes, is not exported.
 */
static DEFINE_MUTEX(carve_lock);

struct carve_search {
	struct device *dev;
	u64 size;
	int node;
	bool movable_only;
	bool image_in_the_way;
	bool map_in_the_way;
	unsigned int attempts;
};

/*
 * Return true if the kernel is likely able to empty this range.  This is a hint that is
 * read without locks; offlining decides.  It checks those conditions of
 * has_unmovable_pages() (mm/page_isolation.c) that are cheap to check.
 */
static bool carve_range_looks_movable(const struct carve_search *search,
				      u64 start)
{
	unsigned long pfn = PHYS_PFN(start);
	unsigned long end = PHYS_PFN(start + search->size);
	unsigned int suspects = 0;

	for (; pfn < end; pfn++) {
		struct page *page = pfn_to_online_page(pfn);

		if (!page || PageReserved(page) || PageSlab(page) ||
		    page_to_nid(page) != search->node)
			return false;
		if (search->movable_only &&
		    page_zonenum(page) != ZONE_MOVABLE)
			return false;
		if (page_count(page) && !PageLRU(page) && !PageCompound(page) &&
		    ++suspects > CARVE_MAX_SUSPECTS)
			return false;
		if (!(pfn % PAGES_PER_SECTION))
			cond_resched();
	}
	return true;
}

/*
 * Return the memory block with this number, with a reference to its device, or NULL.  This
 * searches the kset that contains all devices, because the bus of memory blocks is not
 * exported.
 */
static struct memory_block *carve_find_block(struct device *dev,
					     unsigned long id)
{
	struct kobject *kobj;
	struct device *block;
	char name[32];

	snprintf(name, sizeof(name), "memory%lu", id);
	kobj = kset_find_obj(dev->kobj.kset, name);
	if (!kobj)
		return NULL;

	block = kobj_to_dev(kobj);
	if (block->bus && !strcmp(block->bus->name, "memory") &&
	    block->bus->online)
		return container_of(block, struct memory_block, dev);
	put_device(block);
	return NULL;
}

/*
 * Drivers that plugged in memory (virtio-mem, dax/kmem, ACPI) mark it with a memory group.
 * They still want to unplug it, so it must not be carved.  hv_balloon does not mark its
 * memory, see devpub_machine_keeps_memory().
 */
static bool carve_range_is_owned(const struct carve_search *search, u64 start)
{
	u64 block_size = memory_block_size_bytes();
	struct memory_block *block;
	bool owned = false;
	u64 addr;

	for (addr = start; addr < start + search->size && !owned;
	     addr += block_size) {
		block = carve_find_block(search->dev,
					 div64_u64(addr, block_size));
		owned = !block || block->group;
		if (block)
			put_device(&block->dev);
	}
	return owned;
}

static int carve_first_entry(struct resource *res, void *data)
{
	struct resource *first = data;

	*first = *res;
	return 1;
}

/*
 * Return how many bytes of a range are in the same entry of /proc/iomem as its first byte,
 * at most @size.  Return 0 if there is no system memory, or if the entry ends within a
 * memory block.
 */
static u64 carve_piece_size(u64 start, u64 size)
{
	struct resource first = {};

	/* The walk clips each entry to the range. */
	if (walk_iomem_res_desc(IORES_DESC_NONE,
				IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
				start, start + size - 1, &first,
				carve_first_entry) != 1 ||
	    first.start != start ||
	    !IS_ALIGNED(first.end + 1, memory_block_size_bytes()))
		return 0;
	return resource_size(&first);
}

static int carve_resource_is_whole(struct resource *res, void *data)
{
	const struct resource *range = data;

	return res->start == range->start && res->end == range->end;
}

static bool carve_range_is_one_resource(u64 start, u64 size)
{
	struct resource range = { .start = start, .end = start + size - 1 };

	/* The first entry must fill the range. */
	return walk_iomem_res_desc(IORES_DESC_NONE,
				   IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
				   range.start, range.end, &range,
				   carve_resource_is_whole) == 1;
}

/* Return true if @child is above the range, in the same entry of /proc/iomem. */
static bool carve_child_is_above(const struct resource *range, u64 child)
{
	return child > range->end &&
	       carve_range_is_one_resource(range->start, child - range->start);
}

static int carve_crash_kernel_is_above(struct resource *res, void *data)
{
	return carve_child_is_above(data, res->start);
}

/*
 * Return true if the kernel can cut the piece out of its entry in /proc/iomem.  The kernel
 * first shortens the entry so that it ends below the piece.  That fails with a warning if
 * the entry has a child above the piece: the kernel's image, or the memory of a crash
 * kernel.  The kernel then removes the memory but leaves the entry, so nothing can use the
 * range any more (kernel/resource.c, release_mem_region_adjustable()).
 */
static bool carve_piece_can_be_cut_out(struct carve_search *search, u64 start,
				       u64 size)
{
	struct resource piece = { .start = start, .end = start + size - 1 };

	if (carve_child_is_above(&piece, __pa_symbol(&init_task))) {
		search->image_in_the_way = true;
		return false;
	}
	return walk_iomem_res_desc(IORES_DESC_CRASH_KERNEL,
				   IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
				   start, U64_MAX, &piece,
				   carve_crash_kernel_is_above) != 1;
}

/*
 * Return true if the kernel can cut each piece of the range out of its entry in
 * /proc/iomem.  If a range spans two entries, the kernel would remove the memory and leave
 * both entries, so a range is taken in pieces, one per entry.  Memory that was carved and
 * given back has an entry of its own.  The kernel merges such entries with each other, but
 * not with entries that exist since boot.
 */
static bool carve_range_can_be_cut_out(struct carve_search *search, u64 start)
{
	u64 addr, piece, end = start + search->size;

	for (addr = start; addr < end; addr += piece) {
		piece = carve_piece_size(addr, end - addr);
		if (!piece || !carve_piece_can_be_cut_out(search, addr, piece))
			return false;
	}
	return true;
}

/*
 * Put a memory block online.  A kernel may be configured to leave added memory offline until
 * user space puts it online.  This memory was online before, so it must be online again.
 * device_online() is not exported; this does the same (drivers/base/core.c).
 */
static int carve_online_block(struct device *dev, unsigned long id)
{
	struct memory_block *block = carve_find_block(dev, id);
	int ret = 0;

	if (!block)
		return -ENODEV;

	device_lock(&block->dev);
	if (dev_offline(&block->dev)) {
		ret = block->dev.bus->online(&block->dev);
		if (!ret) {
			kobject_uevent(&block->dev.kobj, KOBJ_ONLINE);
			dev_clear_offline(&block->dev);
		}
	}
	device_unlock(&block->dev);
	put_device(&block->dev);
	return ret;
}

/* Return true if a driver has kept a block's pages when they came online. */
static bool carve_block_is_kept(u64 start)
{
	struct page *page = pfn_to_online_page(PHYS_PFN(start));

	return page && (PageReserved(page) || PageOffline(page));
}

static void carve_put_back(struct device *dev, int node, u64 start, u64 size)
{
	u64 block = memory_block_size_bytes();
	u64 addr, end = start + size;
	int ret;

	lockdep_assert_held(&carve_lock);
	/* Merge the entries, so that /proc/iomem does not get an entry for each block. */
	ret = add_memory(node, start, size, MHP_MERGE_RESOURCE);
	if (ret) {
		dev_err(dev, "can't give [mem %#llx-%#llx] back to the system (%d): it stays unused until a reboot\n",
			start, end - 1, ret);
		return;
	}

	for (addr = start; addr < end; addr += block) {
		ret = carve_online_block(dev, div64_u64(addr, block));
		if (ret)
			dev_err(dev, "can't put memory block %llu back online (%d): try echo online > /sys/devices/system/memory/memory%llu/state\n",
				div64_u64(addr, block), ret,
				div64_u64(addr, block));
		else if (carve_block_is_kept(addr))
			dev_err(dev, "a balloon driver, loaded after devpub took memory block %llu, keeps its memory from the system: deflate the balloon, or reboot\n",
				div64_u64(addr, block));
	}
}

static bool carve_range_has_own_map(struct carve_search *search, u64 start)
{
	u64 addr, piece, end = start + search->size;

	for (addr = start; addr < end; addr += piece) {
		piece = carve_piece_size(addr, end - addr);
		if (!piece || !devpub_direct_map_can_be_cut(addr, piece)) {
			search->map_in_the_way = true;
			return false;
		}
	}
	return true;
}

/* Take the whole range.  On failure, put the pieces back that were taken. */
static bool carve_take(struct carve_search *search, u64 start)
{
	u64 addr, piece, end = start + search->size;

	if (!carve_range_has_own_map(search, start))
		return false;

	for (addr = start; addr < end; addr += piece) {
		piece = carve_piece_size(addr, end - addr);
		if (!piece || offline_and_remove_memory(addr, piece))
			break;
	}
	if (addr == end)
		return true;
	if (addr > start)
		carve_put_back(search->dev, search->node, start, addr - start);
	return false;
}

/*
 * Search a node from the top down, because the kernel and its early data are usually at low
 * addresses.
 *
 * Return: 1 if a range was taken, 0 if there is none, -EINTR.
 */
static int carve_node(struct carve_search *search, u64 *startp)
{
	u64 block = memory_block_size_bytes();
	u64 first = roundup(PFN_PHYS(node_start_pfn(search->node)), block);
	u64 end = rounddown(PFN_PHYS(node_end_pfn(search->node)), block);
	u64 start;

	if (end < first + search->size)
		return 0;

	for (start = end - search->size; start >= first; start -= block) {
		if (signal_pending(current))
			return -EINTR;
		if (carve_range_can_be_cut_out(search, start) &&
		    carve_range_looks_movable(search, start) &&
		    !carve_range_is_owned(search, start)) {
			if (carve_take(search, start)) {
				*startp = start;
				return 1;
			}
			if (++search->attempts == CARVE_MAX_ATTEMPTS)
				return 0;
		}
		if (start < block)
			break;
	}
	return 0;
}

static int carve_check(struct devpub_region *region, struct device *dev)
{
	u64 block = memory_block_size_bytes();
	u64 available = (u64)si_mem_available() << PAGE_SHIFT;
	u64 asked = region->size;

	if (!asked) {
		dev_err(dev, "size=0: a device needs memory; the smallest is %llu MiB here\n",
			block / SZ_1M);
		return -EINVAL;
	}
	if (region->node != NUMA_NO_NODE &&
	    (region->node < 0 || region->node >= MAX_NUMNODES ||
	     !node_online(region->node))) {
		dev_err(dev, "node=%d: there is no such NUMA node, see /sys/devices/system/node\n",
			region->node);
		return -EINVAL;
	}
	/* Check before rounding, which would overflow for a size near 2^64. */
	if (asked > available / 2) {
		dev_err(dev, "size=%lluM: more than half of the %llu MiB available; ask for less, or reserve memory with memmap=SIZE$START at boot and use region=START,SIZE\n",
			asked / SZ_1M, available / SZ_1M);
		return -ENOMEM;
	}

	region->size = roundup(asked, block);
	if (region->size > available / 2) {
		dev_err(dev, "size=%lluM: rounded up to memory blocks of %llu MiB, %llu MiB are more than half of the %llu MiB available; reserve memory with memmap=SIZE$START at boot and use region=START,SIZE\n",
			asked / SZ_1M, block / SZ_1M, region->size / SZ_1M,
			available / SZ_1M);
		return -ENOMEM;
	}
	if (region->size != asked)
		dev_info(dev, "size rounded up to %llu MiB, a multiple of the memory block size of %llu MiB\n",
			 region->size / SZ_1M, block / SZ_1M);
	return 0;
}

/* Return 1 if a range was taken, 0 if there is none, -EINTR. */
static int carve_search_nodes(struct carve_search *search,
			      struct devpub_region *region)
{
	int node, ret;

	lockdep_assert_held(&carve_lock);
	for_each_online_node(node) {
		if (region->node != NUMA_NO_NODE && region->node != node)
			continue;
		search->node = node;
		ret = carve_node(search, &region->start);
		if (ret > 0)
			region->node = node;
		if (ret || search->attempts == CARVE_MAX_ATTEMPTS)
			return ret;
	}
	return 0;
}

/* Return as carve_search_nodes(), or -EOPNOTSUPP if a driver would keep the memory. */
static int carve_search_locked(struct carve_search *search,
			       struct devpub_region *region)
{
	int ret;

	/* Wait interruptibly: another device may take memory for minutes. */
	if (mutex_lock_interruptible(&carve_lock))
		return -EINTR;
	if (devpub_machine_keeps_memory()) {
		ret = -EOPNOTSUPP;
		goto unlock;
	}
	ret = carve_search_nodes(search, region);
	if (!ret) {
		search->movable_only = false;
		ret = carve_search_nodes(search, region);
	}
unlock:
	mutex_unlock(&carve_lock);
	return ret;
}

static int carve_claim(struct devpub_region *region, struct device *dev)
{
	struct carve_search search = { .dev = dev, .movable_only = true };
	int ret;

	ret = carve_check(region, dev);
	if (ret)
		return ret;

	search.size = region->size;
	ret = carve_search_locked(&search, region);
	if (ret > 0)
		return 0;
	if (ret == -EINTR) {
		dev_err(dev, "a signal interrupted the search for memory, and nothing was taken; try again\n");
		return ret;
	}
	if (ret == -EOPNOTSUPP) {
		dev_err(dev, "size=%lluM: a balloon driver of this virtual machine (hv_balloon, xen-balloon) would keep the memory when devpub gives it back; unload that driver, or reserve memory with memmap=SIZE$START at boot and use region=START,SIZE\n",
			region->size / SZ_1M);
		return ret;
	}
	dev_err(dev, "size=%lluM: found no %llu MiB of contiguous memory that the running system can give up; load devpub soon after boot, ask for less, %sboot with movablecore=, or reserve memory with memmap=SIZE$START at boot and use region=START,SIZE\n",
		region->size / SZ_1M, region->size / SZ_1M,
		search.image_in_the_way ?
		"boot with nokaslr (the kernel's image lies in the way), " :
		search.map_in_the_way ?
		"boot with nogbpages (the kernel can't split its 1 GiB pages), " : "");
	return -ENOMEM;
}

static void carve_release(struct devpub_region *region, struct device *dev)
{
	/* Wait uninterruptibly, because memory that is not given back is lost. */
	mutex_lock(&carve_lock);
	carve_put_back(dev, region->node, region->start, region->size);
	mutex_unlock(&carve_lock);
}

const struct devpub_provider_ops devpub_provider_carve = {
	.name		= "carve",
	.id		= DEVPUB_PROVIDER_CARVE,
	.claim		= carve_claim,
	.release	= carve_release,
};
EXPORT_SYMBOL_FOR_DEVPUB_KUNIT(devpub_provider_carve);
