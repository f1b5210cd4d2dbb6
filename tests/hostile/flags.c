// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Pages must not inherit flags that earlier owners left on pages of the device.  A page returns
 * from the device with the flags that it had.
 */
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "disk.h"
#include "harness.h"
#include "machine.h"
#include "mem.h"

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE	0x08
#endif

#define PAGES		1024UL
#define SEED		77

/* Nothing else changes these flags during a move. */
#define STABLE							\
	(1ULL << KPF_WRITEBACK | 1ULL << KPF_RECLAIM |		\
	 1ULL << KPF_SWAPCACHE | 1ULL << KPF_SWAPBACKED |	\
	 1ULL << KPF_UNEVICTABLE | 1ULL << KPF_ANON |		\
	 1ULL << 33 /* mlocked */ | 1ULL << 34 /* mapped to disk */ |	\
	 1ULL << 36 /* private */ | 1ULL << 37 /* private 2 */ |	\
	 1ULL << 38 /* owner private */ | 1ULL << 39 /* arch */)

/*
 * Use pages of the device with owners of all kinds.  The device allocates the pages first that
 * were freed last.
 */
static void use_device(int fd)
{
	char *addr = mem_new(2 * PAGES, 1), *locked = mem_new(PAGES, 2);

	CHECK_CALL(mlock(locked, PAGES * PAGE));
	move_to_device(fd, addr, 2 * PAGES);
	to_device(fd, locked, PAGES);
	mem_check(addr, 2 * PAGES, 1);
	CHECK_CALL(munlock(locked, PAGES * PAGE));
	CHECK_CALL(munmap(locked, PAGES * PAGE));
	move_to_system(fd, addr, 2 * PAGES);
	CHECK_CALL(munmap(addr, 2 * PAGES * PAGE));
}

static void check_as_it_was(int fd, char *addr)
{
	uint64_t before[PAGES], now;

	/* Drain the LRU batches, because the flags of batched pages still change. */
	machine_drain_batches();
	for (size_t i = 0; i < PAGES; i++)
		before[i] = mem_kpageflags(addr + i * PAGE) & STABLE;
	/* /proc/kpageflags has no flags of pages on a device. */
	to_device(fd, addr, PAGES);
	to_system(fd, addr, PAGES);
	machine_drain_batches();
	for (size_t i = 0; i < PAGES; i++) {
		now = mem_kpageflags(addr + i * PAGE) & STABLE;
		if (now != before[i])
			FAIL("page %zu: flags %#llx after its return, %#llx before", i,
			     (unsigned long long)now, (unsigned long long)before[i]);
	}
}

CASE(ordinary_pages_come_back_as_they_were)
{
	int fd = device_open();

	use_device(fd);
	check_as_it_was(fd, mem_new(PAGES, SEED));
}

/* MADV_FREE: the owner does not need the pages, and the kernel may drop them. */
CASE(lazily_freed_pages_come_back_as_they_were)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, SEED);

	use_device(fd);
	machine_drain_batches();
	CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_FREE));
	check_as_it_was(fd, addr);
}

static char *map_droppable(void)
{
	char *addr = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			  MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);

	if (addr == MAP_FAILED)
		SKIP("this kernel has no MAP_DROPPABLE");
	madvise(addr, PAGES * PAGE, MADV_NOHUGEPAGE);
	mem_fill(addr, PAGES, SEED);
	return addr;
}

CASE(droppable_pages_come_back_as_they_were)
{
	int fd = device_open();
	char *addr = map_droppable();

	use_device(fd);
	check_as_it_was(fd, addr);
}

/* Return the number of pages of the disk that contain a word of the secret. */
static size_t secrets_on_disk(void)
{
	uint64_t *secret = mem_new(PAGES, SEED), *page = mem_map(1);
	int file = open(DISK, O_RDONLY | O_DIRECT | O_CLOEXEC);
	const size_t words = PAGE / sizeof(*page);
	size_t found = 0;
	off_t at = 0;

	CHECK_CALL(file);
	while (pread(file, page, PAGE, at) == (ssize_t)PAGE) {
		for (size_t i = 0; i < PAGES; i++)
			found += page[7] == secret[i * words + 7];
		at += PAGE;
	}
	CHECK_CMP(at, >, 0);
	close(file);
	return found;
}

static void droppable_body(struct place *place)
{
	int fd = device_open();
	char *addr = map_droppable();

	(void)place;
	use_device(fd);
	to_device(fd, addr, PAGES);
	to_system(fd, addr, PAGES);
	machine_drain_batches();
	for (int i = 0; i < 10; i++) {
		madvise(addr, PAGES * PAGE, MADV_PAGEOUT);
		test_sleep(20);
	}
	sync();
	CHECK_EQ(secrets_on_disk(), 0);
}

CASE(droppable_pages_are_not_swapped_out)
{
	machine_swap_on();
	machine_run(droppable_body, NULL);
}

/* Check that the search finds existing words. */
static void ordinary_body(struct place *place)
{
	char *addr = mem_new(PAGES, SEED);

	(void)place;
	machine_drain_batches();
	for (int i = 0; i < 10; i++) {
		madvise(addr, PAGES * PAGE, MADV_PAGEOUT);
		test_sleep(20);
	}
	sync();
	CHECK_CMP(secrets_on_disk(), >, 0);
}

CASE(ordinary_pages_are_swapped_out)
{
	machine_swap_on();
	machine_run(ordinary_body, NULL);
}
