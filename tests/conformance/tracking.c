// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Tracking of written and of used pages. */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "mem.h"
#include "pagemap.h"
#include "place.h"

#define PAGES	64UL

static size_t soft_dirty(const void *addr, size_t pages)
{
	uint64_t entries[PAGES];
	size_t count = 0;

	pagemap_read(addr, pages, entries);
	for (size_t i = 0; i < pages; i++)
		count += !!(entries[i] & PAGEMAP_SOFT_DIRTY);
	return count;
}

/* New memory counts as written if the kernel has the soft-dirty bit. */
static void need_soft_dirty(void)
{
	if (!soft_dirty(mem_new(1, 1), 1))
		SKIP("no soft-dirty bits: the kernel has no CONFIG_MEM_SOFT_DIRTY");
}

/* Start to track writes. */
static void clear_soft_dirty(void)
{
	CHECK_CALL(test_write_text("/proc/self/clear_refs", "4"));
}

PLACES(written, "soft-dirty marks pages that were written to, and only those")
{
	char *addr;

	need_soft_dirty();
	addr = place_new(place, PAGES, 1);
	CHECK_EQ(soft_dirty(addr, PAGES), PAGES);
	clear_soft_dirty();
	CHECK_EQ(soft_dirty(addr, PAGES), 0);
	mem_check(addr, PAGES, 1);
	CHECK_EQ(soft_dirty(addr, PAGES), 0);
	mem_fill(addr + 8 * PAGE, 4, 2);
	CHECK_EQ(soft_dirty(addr, PAGES), 4);
	CHECK_EQ(soft_dirty(addr + 8 * PAGE, 4), 4);
	place_check(place, addr, PAGES);
}

PLACES(written_then_moved, "pages that were written to are marked still where they are moved to")
{
	char *addr = mem_new(PAGES, 1);

	need_soft_dirty();
	clear_soft_dirty();
	mem_fill(addr, PAGES, 2);
	place_put(place, addr, PAGES);
	CHECK_EQ(soft_dirty(addr, PAGES), PAGES);
}

PLACES(moved, "moving pages is no writing")
{
	char *addr = mem_new(PAGES, 1);

	need_soft_dirty();
	clear_soft_dirty();
	place_put(place, addr, PAGES);
	CHECK_EQ(soft_dirty(addr, PAGES), 0);
	mem_fill(addr, 4, 2);
	CHECK_EQ(soft_dirty(addr, PAGES), 4);
}

PLACES(scanned, "PAGEMAP_SCAN tells pages that were written to since the last time")
{
	char *addr = place_new(place, PAGES, 1);

	pagemap_track_writes(addr, PAGES);
	pagemap_written(addr, PAGES, true);
	CHECK_EQ(pagemap_written(addr, PAGES, false), 0);
	mem_fill(addr + 8 * PAGE, 4, 2);
	CHECK_EQ(pagemap_written(addr, PAGES, true), 4);
	CHECK_EQ(pagemap_written(addr, PAGES, true), 0);
	place_check(place, addr, PAGES);
}

PLACES(scanned_moved, "moving pages is no writing for PAGEMAP_SCAN, and hides none")
{
	char *addr = mem_new(PAGES, 1);

	pagemap_track_writes(addr, PAGES);
	pagemap_written(addr, PAGES, true);
	mem_fill(addr + 8 * PAGE, 4, 2);
	place_put(place, addr, PAGES);
	CHECK_EQ(pagemap_written(addr, PAGES, true), 4);
	mem_fill(addr + 20 * PAGE, 2, 2);
	CHECK_EQ(pagemap_written(addr, PAGES, true), 2);
}

PLACES(referenced, "smaps tells pages that were used since their marks were cleared")
{
	char *addr = place_new(place, PAGES, 1);

	CHECK_CALL(test_write_text("/proc/self/clear_refs", "1"));
	CHECK_EQ(mem_smaps(addr, "Referenced"), 0);
	/* The processor does not mark pages that are in its TLB, so flush the TLB. */
	CHECK_CALL(mprotect(addr, PAGES * PAGE, PROT_READ));
	CHECK_CALL(mprotect(addr, PAGES * PAGE, PROT_READ | PROT_WRITE));
	mem_check(addr, PAGES / 2, 1);
	CHECK_EQ(mem_smaps(addr, "Referenced"), PAGES / 2 * PAGE / 1024);
	place_check(place, addr, PAGES);
}

/* The bit of the page's pfn in the bitmap of idle pages. */
static bool idle(uint64_t pfn, bool set)
{
	uint64_t bits = 1ULL << pfn % 64;
	int fd = open("/sys/kernel/mm/page_idle/bitmap", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		SKIP("no bitmap of idle pages");
	if (set)
		CHECK_EQ(pwrite(fd, &bits, 8, pfn / 64 * 8), 8);
	CHECK_EQ(pread(fd, &bits, 8, pfn / 64 * 8), 8);
	close(fd);
	return bits & 1ULL << pfn % 64;
}

PLACES(idle_pages, "the bitmap of idle pages tells a page that was not used from one that was")
{
	char *addr = place_new(place, 1, 1);
	uint64_t pfn = mem_pfn(addr);

	/* A page in a processor's batch can't be marked as idle. */
	for (int i = 0; i < 50 && !idle(pfn, true); i++)
		test_sleep(20);
	CHECK(idle(pfn, false));
	/* The processor does not mark a page that is in its TLB, so flush the TLB. */
	CHECK_CALL(mprotect(addr, PAGE, PROT_READ));
	CHECK_CALL(mprotect(addr, PAGE, PROT_READ | PROT_WRITE));
	mem_add_word(addr, 1);
	CHECK(!idle(pfn, false));
}
