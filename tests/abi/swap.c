// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Memory with a copy in swap.  A page in the swap cache must not move: on 6.12, it could never
 * move back.
 */
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "machine.h"
#include "mem.h"

#define PAGES		256UL

#define KPF_SWAPCACHE	(1ULL << 13)

static void with_swap(void (*body)(struct place *place))
{
	machine_swap_on();
	machine_run(body, NULL);
}

static size_t in_swap_cache(const char *addr, size_t pages)
{
	size_t count = 0;

	for (size_t i = 0; i < pages; i++)
		count += !!(mem_kpageflags(addr + i * PAGE) & KPF_SWAPCACHE);
	return count;
}

/* Swap the pages out.  Return true if most of them are out. */
static bool page_out(char *addr, size_t pages)
{
	for (int i = 0; i < 20; i++) {
		size_t present = 0;

		CHECK_CALL(madvise(addr, pages * PAGE, MADV_PAGEOUT));
		for (size_t j = 0; j < pages; j++)
			present += !!mem_pfn(addr + j * PAGE);
		if (present * 2 < pages)
			return true;
		test_sleep(50);
	}
	return false;
}

/*
 * The page is in memory again, but its swap slot is still in use: a child that shared the slot
 * prevented the fault from freeing it.
 */
static char *swap_cached(uint64_t seed)
{
	char *addr = mem_new(PAGES, seed);
	struct test_gate gate;
	pid_t pid;

	if (!page_out(addr, PAGES))
		SKIP("the kernel swapped nothing out");
	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		test_gate_await(&gate, 1);
		_exit(0);
	}
	mem_check(addr, PAGES, seed);
	test_kill(pid);
	if (in_swap_cache(addr, PAGES) < PAGES / 2)
		SKIP("this kernel leaves no pages in the swap cache");
	return addr;
}

static void swap_cache_body(struct place *place)
{
	unsigned char reasons[PAGES];
	bool cached[PAGES];
	int fd = device_open();
	char *addr = swap_cached(1);
	size_t stay = 0;

	(void)place;
	for (size_t i = 0; i < PAGES; i++) {
		cached[i] = in_swap_cache(addr + i * PAGE, 1);
		stay += cached[i];
	}
	migrate_range(fd, DEVPUB_IOC_MIGRATE_TO, addr, PAGES, 0, reasons);
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQ(reasons[i], cached[i] ? DEVPUB_REASON_SWAPCACHE :
						 DEVPUB_REASON_MOVED);
	CHECK_EQ(query(fd, addr, PAGES, NULL).system, stay);
	mem_check(addr, PAGES, 1);

	/* A write frees the slot, and then the page may move. */
	mem_fill(addr, PAGES, 2);
	for (size_t i = 0; i < PAGES; i++)
		if (!in_swap_cache(addr + i * PAGE, 1))
			to_device(fd, addr + i * PAGE, 1);
	CHECK_CMP(query(fd, addr, PAGES, NULL).device, >, PAGES / 2);
	mem_check(addr, PAGES, 2);
	to_system(fd, addr, PAGES);
	CHECK_EQ(query(fd, addr, PAGES, NULL).device, 0);
	mem_check(addr, PAGES, 2);
}

CASE(swap_cache)
{
	with_swap(swap_cache_body);
}

static void swap_cache_unmapped_body(struct place *place)
{
	int fd = device_open();
	uint64_t idle = device_free_pages(fd);
	char *addr = swap_cached(1);

	(void)place;
	to_device(fd, addr, PAGES);
	CHECK_CALL(munmap(addr, PAGES * PAGE));
	device_await_free_pages(fd, idle);
}

CASE(swap_cache_unmapped)
{
	with_swap(swap_cache_unmapped_body);
}

static void swapped_out_body(struct place *place)
{
	unsigned char reasons[PAGES], locations[PAGES];
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	size_t out = 0;

	(void)place;
	if (!page_out(addr, PAGES))
		SKIP("the kernel swapped nothing out");
	query(fd, addr, PAGES, locations);
	migrate_range(fd, DEVPUB_IOC_MIGRATE_TO, addr, PAGES,
		      DEVPUB_MIGRATE_POPULATE, reasons);
	for (size_t i = 0; i < PAGES; i++) {
		if (locations[i] != DEVPUB_LOCATION_ABSENT)
			continue;
		CHECK_EQ(reasons[i], DEVPUB_REASON_SWAPPED);
		out++;
	}
	CHECK_CMP(out, >=, PAGES / 2);
	mem_check(addr, PAGES, 1);
	to_device(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
	to_system(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

CASE(swapped_out)
{
	with_swap(swapped_out_body);
}

/* Reclaim does not affect pages on the device. */
static void device_pages_body(struct place *place)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);

	(void)place;
	move_to_device(fd, addr, PAGES);
	madvise(addr, PAGES * PAGE, MADV_PAGEOUT);
	madvise(addr, PAGES * PAGE, MADV_COLD);
	check_on_device(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
	move_to_system(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

CASE(device_pages_are_not_swapped)
{
	with_swap(device_pages_body);
}
