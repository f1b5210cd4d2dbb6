// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Transparent huge pages and khugepaged. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "machine.h"
#include "mem.h"
#include "place.h"

#define THP		"/sys/kernel/mm/transparent_hugepage/"
#define KHUGEPAGED	THP "khugepaged/"

/* Return the number of huge pages at the address according to smaps. */
static long long huge_pages(const void *addr)
{
	return mem_smaps(addr, "AnonHugePages") / (long long)(HUGE_PAGES * PAGE / 1024);
}

static void await_scans(void)
{
	unsigned long long begin, now, end = test_milliseconds() + 120000;

	CHECK_CALL(test_read_value(KHUGEPAGED "full_scans", &begin));
	do {
		test_sleep(50);
		CHECK_CALL(test_read_value(KHUGEPAGED "full_scans", &now));
		if (test_milliseconds() > end)
			FAIL("khugepaged does not get round");
	} while (now < begin + 3);
}

static void with_khugepaged(void (*body)(struct place *place),
			    struct place *place)
{
	machine_set(THP "enabled", "madvise");
	machine_set(KHUGEPAGED "defrag", "1");
	machine_set(KHUGEPAGED "pages_to_scan", "100000");
	machine_set(KHUGEPAGED "scan_sleep_millisecs", "10");
	machine_set(KHUGEPAGED "alloc_sleep_millisecs", "10");
	machine_run(body, place);
}

/* Map two huge pages as small pages, in a mapping that allows huge pages. */
static char *new_small(size_t pages, uint64_t seed)
{
	char *addr = mem_map_huge(pages);

	CHECK_CALL(madvise(addr, pages * PAGE, MADV_NOHUGEPAGE));
	mem_fill(addr, pages, seed);
	return addr;
}

static void collapse(struct place *place)
{
	char *addr = new_small(2 * HUGE_PAGES, 1);

	place_put(place, addr, 2 * HUGE_PAGES);
	CHECK_CALL(madvise(addr, 2 * HUGE_PAGES * PAGE, MADV_HUGEPAGE));
	await_scans();
	mem_check(addr, 2 * HUGE_PAGES, 1);
	place_check(place, addr, 2 * HUGE_PAGES);
	CHECK_EQ(huge_pages(addr), 2);
}

PLACES(khugepaged, "khugepaged makes huge pages of small ones, which stay where they are")
{
	with_khugepaged(collapse, place);
}

static void collapse_mixed(struct place *place)
{
	char *addr = new_small(2 * HUGE_PAGES, 1);

	/* One page in the second half. */
	place_put(place, addr + (HUGE_PAGES + 77) * PAGE, 1);
	CHECK_CALL(madvise(addr, 2 * HUGE_PAGES * PAGE, MADV_HUGEPAGE));
	await_scans();
	mem_check(addr, 2 * HUGE_PAGES, 1);
	place_check(place, addr + (HUGE_PAGES + 77) * PAGE, 1);
	CHECK_EQ(huge_pages(addr), 2);
}

PLACES(khugepaged_mixed, "khugepaged makes huge pages of small ones of which a single one was moved")
{
	with_khugepaged(collapse_mixed, place);
}

static void collapse_holes(struct place *place)
{
	char *addr = mem_map_huge(HUGE_PAGES);

	CHECK_CALL(madvise(addr, HUGE_PAGES * PAGE, MADV_NOHUGEPAGE));
	mem_fill(addr, HUGE_PAGES / 2, 1);
	place_put(place, addr, HUGE_PAGES / 2);
	CHECK_CALL(madvise(addr, HUGE_PAGES * PAGE, MADV_HUGEPAGE));
	await_scans();
	mem_check(addr, HUGE_PAGES / 2, 1);
	mem_check_zero(addr + HUGE_PAGES / 2 * PAGE, HUGE_PAGES / 2);
	CHECK_EQ(huge_pages(addr), 1);
}

PLACES(khugepaged_holes, "khugepaged makes huge pages of small ones and of holes, which it fills with zeros")
{
	with_khugepaged(collapse_holes, place);
}

static void collapse_and_move(struct place *place)
{
	char *addr = new_small(HUGE_PAGES, 1);

	place_put(place, addr, HUGE_PAGES);
	CHECK_CALL(madvise(addr, HUGE_PAGES * PAGE, MADV_HUGEPAGE));
	await_scans();
	to_device(place->fd, addr, HUGE_PAGES);
	check_on_device(place->fd, addr, HUGE_PAGES);
	mem_check(addr, HUGE_PAGES, 1);
	move_to_system(place->fd, addr, HUGE_PAGES);
	await_scans();
	CHECK_EQ(huge_pages(addr), 1);
	mem_check(addr, HUGE_PAGES, 1);
}

PLACES(khugepaged_after, "pages that khugepaged made one move, and are made one again when they are back")
{
	with_khugepaged(collapse_and_move, place);
}

PLACES(part_moved, "the rest of a huge page stays where it is when a part of it moves")
{
	char *addr = mem_map_huge(2 * HUGE_PAGES);
	const size_t from = HUGE_PAGES / 2;

	mem_fill(addr, 2 * HUGE_PAGES, 1);
	place_put(place, addr + from * PAGE, HUGE_PAGES);
	check_in_system(place->fd, addr, from);
	check_in_system(place->fd, addr + (from + HUGE_PAGES) * PAGE, from);
	mem_check(addr, 2 * HUGE_PAGES, 1);
	mem_fill(addr, 2 * HUGE_PAGES, 2);
	mem_check(addr, 2 * HUGE_PAGES, 2);
	place_check(place, addr + from * PAGE, HUGE_PAGES);
	place_check_used(place, HUGE_PAGES);
}

ONCE(zero_page, "the huge zero page is no page to move, and reads as zeros before and after")
{
	int fd = device_open();
	char *addr = mem_map_huge(HUGE_PAGES);

	mem_check_zero(addr, HUGE_PAGES);
	to_device_all(fd, addr, HUGE_PAGES, DEVPUB_REASON_ABSENT);
	mem_check_zero(addr, HUGE_PAGES);
	CHECK_EQ(populate(fd, addr, HUGE_PAGES).pages[DEVPUB_REASON_POPULATED],
		 HUGE_PAGES);
	check_on_device(fd, addr, HUGE_PAGES);
	mem_check_zero(addr, HUGE_PAGES);
}
