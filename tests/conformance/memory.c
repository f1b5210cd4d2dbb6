// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Operations on the memory of the machine while processes use it. */
#include <stdio.h>
#include <sys/mman.h>

#include "device.h"
#include "machine.h"
#include "mem.h"
#include "place.h"

#define PAGES	256UL

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

static void write_or_skip(const char *path, const char *text)
{
	if (test_write_text(path, text))
		SKIP("%s: %s", path, strerror(errno));
}

PLACES(compaction, "compaction moves no page off the device, and loses none")
{
	char *addr = place_new(place, PAGES, 1), *holes = mem_new(16 * PAGES, 2);

	/* Free every other page, so that the kernel has something to compact. */
	for (size_t i = 0; i < 16 * PAGES; i += 2)
		CHECK_CALL(madvise(holes + i * PAGE, PAGE, MADV_DONTNEED));
	for (int i = 0; i < 3; i++) {
		write_or_skip("/proc/sys/vm/compact_memory", "1");
		mem_check(addr, PAGES, 1);
		place_check(place, addr, PAGES);
		mem_fill(addr, PAGES, 1);
	}
	to_system(place->fd, addr, PAGES);
	move_to_device(place->fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

PLACES(drop_caches, "dropping caches touches no page of a process")
{
	char *addr = place_new(place, PAGES, 1);

	for (int i = 0; i < 3; i++)
		write_or_skip("/proc/sys/vm/drop_caches", "3");
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
}

/* A page that is taken out of use stays so until the next boot. */
PLACES(soft_offline, "a page that is taken out of use softly keeps its data, elsewhere")
{
	char *addr = place_new(place, 2, 1);
	uint64_t pfn = mem_pfn(addr);

	machine_needs("/proc/sys/vm/memory_failure_recovery");
	CHECK_CALL(madvise(addr, PAGE, MADV_SOFT_OFFLINE));
	mem_check(addr, 2, 1);
	CHECK_CMP(mem_pfn(addr), !=, pfn);
	to_device(place->fd, addr, 2);
	check_on_device(place->fd, addr, 2);
	mem_check(addr, 2, 1);
}

PLACES(soft_offline_data, "a page is the same, and moves, after an attempt to take it out of use softly")
{
	char *addr = place_new(place, 2, 1);

	madvise(addr, PAGE, MADV_SOFT_OFFLINE);
	mem_check(addr, 2, 1);
	to_device(place->fd, addr, 2);
	to_system(place->fd, addr, 2);
	check_in_system(place->fd, addr, 2);
	mem_check(addr, 2, 1);
}
