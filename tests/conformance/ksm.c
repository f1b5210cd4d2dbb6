// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* KSM, which merges pages with equal contents. */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "device.h"
#include "machine.h"
#include "mem.h"
#include "place.h"

#define PAGES	64UL
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE	67
#endif

#define KSM	"/sys/kernel/mm/ksm/"

/* Fill all pages with the same contents, which no other process uses. */
static void fill_same(char *addr, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		mem_fill(addr + i * PAGE, 1, getpid());
}

static void check_same(const char *addr, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		mem_check(addr + i * PAGE, 1, getpid());
}

static char *new_same(struct place *place)
{
	char *addr = mem_map(PAGES);

	fill_same(addr, PAGES);
	place_put(place, addr, PAGES);
	return addr;
}

/*
 * Count pages that have the same pfn as another page of the range.  The kpageflags of some
 * kernels call every anonymous page merged.
 */
static size_t merged(const char *addr, size_t pages)
{
	uint64_t pfns[PAGES];
	size_t count = 0;

	CHECK_CMP(pages, <=, PAGES);
	mem_pfns(addr, pages, pfns);
	for (size_t i = 0; i < pages; i++) {
		size_t j = 0;

		while (j < pages && (j == i || pfns[j] != pfns[i]))
			j++;
		count += j < pages;
	}
	return count;
}

/* Wait until KSM has scanned all memory several times. */
static void await_scans(void)
{
	unsigned long long begin, now, end = test_milliseconds() + 60000;

	CHECK_CALL(test_read_value(KSM "full_scans", &begin));
	do {
		test_sleep(50);
		CHECK_CALL(test_read_value(KSM "full_scans", &now));
		if (test_milliseconds() > end)
			FAIL("KSM does not get round");
	} while (now < begin + 4);
}

static void with_ksm(void (*body)(struct place *place), struct place *place)
{
	machine_ksm_on("10000", "10");
	machine_run(body, place);
}

static void merge(struct place *place)
{
	char *addr = new_same(place);

	CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_MERGEABLE));
	await_scans();
	check_same(addr, PAGES);
	place_check(place, addr, PAGES);
	CHECK_EQ(merged(addr, PAGES), PAGES);
}

PLACES(merging, "same pages are merged, and hold what they held")
{
	with_ksm(merge, place);
}

/* Put half of the equal pages in the place and half in system memory. */
static void merge_mixed(struct place *place)
{
	char *addr = mem_map(2 * PAGES), *rest = addr + PAGES * PAGE;

	fill_same(addr, 2 * PAGES);
	place_put(place, addr, PAGES);
	CHECK_CALL(madvise(addr, 2 * PAGES * PAGE, MADV_MERGEABLE));
	await_scans();
	CHECK_EQ(merged(rest, PAGES), PAGES);
	check_same(addr, 2 * PAGES);
	/* A write to one page changes no other page. */
	mem_fill(addr, 1, 99);
	mem_fill(rest, 1, 98);
	mem_check(addr, 1, 99);
	mem_check(rest, 1, 98);
	check_same(addr + PAGE, PAGES - 1);
	check_same(rest + PAGE, PAGES - 1);
}

PLACES(mixed, "of same pages in both kinds of memory, those in system memory are merged")
{
	with_ksm(merge_mixed, place);
}

static void move_merged(struct place *place)
{
	char *addr = mem_map(PAGES);

	fill_same(addr, PAGES);
	CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_MERGEABLE));
	await_scans();
	CHECK_EQ(merged(addr, PAGES), PAGES);
	to_device_all(place->fd, addr, PAGES, DEVPUB_REASON_KSM);
	check_same(addr, PAGES);
	/* After a write to each page, no page is merged. */
	CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_UNMERGEABLE));
	CHECK_EQ(merged(addr, PAGES), 0);
	place_put(place, addr, PAGES);
	check_same(addr, PAGES);
}

PLACES(merged_moves, "merged pages are refused as such, and move when they are not merged any more")
{
	with_ksm(move_merged, place);
}

PLACES(may_be_merged, "pages that KSM may merge are refused as such, and come back from the device")
{
	char *addr = new_same(place);

	if (madvise(mem_map(1), PAGE, MADV_MERGEABLE))
		SKIP("no KSM in this kernel");
	CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_MERGEABLE));
	to_device_all(place->fd, addr, PAGES, DEVPUB_REASON_KSM);
	place_check(place, addr, PAGES);
	to_system(place->fd, addr, PAGES);
	check_in_system(place->fd, addr, PAGES);
	to_device_all(place->fd, addr, PAGES, DEVPUB_REASON_KSM);
	check_same(addr, PAGES);
	CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_UNMERGEABLE));
	move_to_device(place->fd, addr, PAGES);
	check_same(addr, PAGES);
}

static void merge_then_fork(struct place *place)
{
	char *addr = new_same(place);
	pid_t self = getpid();
	pid_t pid;

	CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_MERGEABLE));
	await_scans();
	pid = test_fork();
	if (pid == 0) {
		for (size_t i = 0; i < PAGES; i++)
			mem_check(addr + i * PAGE, 1, self);
		mem_fill(addr, PAGES, 5);
		CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_UNMERGEABLE));
		move_to_device(place->fd, addr, PAGES);
		mem_check(addr, PAGES, 5);
		_exit(0);
	}
	test_wait(pid);
	check_same(addr, PAGES);
}

PLACES(forked, "a child's writes to what may be merged are its own")
{
	with_ksm(merge_then_fork, place);
}

static void merge_whole_process(struct place *place)
{
	char *addr = new_same(place);
	size_t count;

	if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0))
		SKIP("this kernel can't merge a process' whole memory");
	await_scans();
	check_same(addr, PAGES);
	count = merged(addr, PAGES);
	CHECK_CALL(prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0));
	check_same(addr, PAGES);
	place_check(place, addr, PAGES);
	CHECK_EQ(count, PAGES);
}

PLACES(whole_process, "same pages of a process that has all its memory merged are, too")
{
	with_ksm(merge_whole_process, place);
}
