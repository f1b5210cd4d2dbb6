// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Changes of protection, addresses and locks while the pages move. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "machine.h"
#include "mem.h"
#include "mover.h"
#include "place.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

#define PAGES	128UL

#define WRITE	(PROT_READ | PROT_WRITE)

/* Whether the kernel, or the device, finds that the byte may be read, and written. */
static bool may_read(char *byte)
{
	int ends[2];
	bool may;

	if (mem_by_device())
		return !mem_try_touch(byte, false);
	CHECK_CALL(pipe(ends));
	may = write(ends[1], byte, 1) == 1;
	close(ends[0]);
	close(ends[1]);
	return may;
}

static bool may_write(char *byte)
{
	int ends[2];
	bool may;

	if (mem_by_device())
		return !mem_try_touch(byte, true);
	CHECK_CALL(pipe(ends));
	CHECK_EQ(write(ends[1], "x", 1), 1);
	may = read(ends[0], byte, 1) == 1;
	close(ends[0]);
	close(ends[1]);
	return may;
}

ONCE(protect, "a protection given to pages that move holds from then on")
{
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(mprotect(addr, PAGES * PAGE, PROT_READ));
		for (size_t i = 0; i < PAGES; i += 7)
			CHECK(!may_write(addr + i * PAGE));
		mem_check(addr, PAGES, seed);
		CHECK_CALL(mprotect(addr, PAGES * PAGE, PROT_NONE));
		for (size_t i = 0; i < PAGES; i += 7)
			CHECK(!may_read(addr + i * PAGE));
		CHECK_CALL(mprotect(addr, PAGES * PAGE, WRITE));
		mem_check(addr, PAGES, seed);
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

ONCE(protect_parts, "single pages change their protection while all move")
{
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	size_t turn = 0;

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		turn++;
		for (size_t i = turn % 5; i < PAGES; i += 5) {
			char *page = addr + i * PAGE;

			CHECK_CALL(mprotect(page, PAGE, PROT_NONE));
			CHECK(!may_read(page));
			CHECK_CALL(mprotect(page, PAGE, PROT_READ));
			CHECK(!may_write(page));
			CHECK_CALL(mprotect(page, PAGE, WRITE));
		}
		mem_check(addr, PAGES, 1);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, 1);
}

ONCE(pkeys, "pages that move change their protection key and lose nothing")
{
	int key = pkey_alloc(0, 0);
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	if (key < 0)
		SKIP("no protection keys: %s", strerror(errno));
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(pkey_mprotect(addr, PAGES * PAGE, WRITE, key));
		CHECK_CALL(pkey_set(key, PKEY_DISABLE_ACCESS));
		for (size_t i = 0; i < PAGES; i += 7)
			CHECK(!may_read(addr + i * PAGE));
		CHECK_CALL(pkey_set(key, 0));
		mem_check(addr, PAGES, seed);
		mem_fill(addr, PAGES, ++seed);
		CHECK_CALL(pkey_mprotect(addr, PAGES * PAGE, WRITE, 0));
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

ONCE(remap, "a mapping goes from address to address while its pages move")
{
	char *room = mem_map(2 * PAGES), *addr = room;
	struct mover mover;
	uint64_t seed = 1;

	CHECK_CALL(munmap(room + PAGES * PAGE, PAGES * PAGE));
	mem_fill(addr, PAGES, 1);
	/* Each pass covers the old and the new address. */
	mover_start(&mover, room, 2 * PAGES);
	while (mover_round(&mover)) {
		char *to = addr == room ? room + PAGES * PAGE : room;

		CHECK(mremap(addr, PAGES * PAGE, PAGES * PAGE,
			     MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
		addr = to;
		mem_check(addr, PAGES, seed);
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

ONCE(dontunmap, "pages are taken from address to address with DONTUNMAP while they move, and leave zeros")
{
	char *room = mem_map(2 * PAGES), *addr = room;
	struct mover mover;
	uint64_t seed = 1;

	mem_fill(addr, PAGES, 1);
	mover_start(&mover, room, 2 * PAGES);
	while (mover_round(&mover)) {
		char *to = addr == room ? room + PAGES * PAGE : room;

		CHECK(mremap(addr, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE |
			     MREMAP_FIXED | MREMAP_DONTUNMAP, to) == to);
		mem_check_zero(addr, PAGES);
		mem_check(to, PAGES, seed);
		mem_fill(to, PAGES, ++seed);
		addr = to;
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

ONCE(resize, "a mapping shrinks and grows while its pages move, with zeros where it grew")
{
	char *room = mem_map(2 * PAGES);
	uint64_t seed = 1, idle;
	struct mover mover;
	int fd = device_open();

	idle = device_free_pages(fd);
	CHECK_CALL(munmap(room + PAGES * PAGE, PAGES * PAGE));
	mem_fill(room, PAGES, 1);
	mover_start(&mover, room, 2 * PAGES);
	while (mover_round(&mover)) {
		CHECK(mremap(room, PAGES * PAGE, PAGES / 2 * PAGE, 0) == room);
		mem_check(room, PAGES / 2, seed);
		CHECK(mremap(room, PAGES / 2 * PAGE, PAGES * PAGE, 0) == room);
		mem_check_zero(room + PAGES / 2 * PAGE, PAGES / 2);
		mem_fill(room, PAGES, ++seed);
		mem_check(room, PAGES, seed);
	}
	mover_stop(&mover);
	CHECK_CALL(munmap(room, PAGES * PAGE));
	CHECK_EQ(device_free_pages(fd), idle);
}

ONCE(lock, "pages are locked and unlocked while they move, and counted rightly in the end")
{
	unsigned long long end;
	long long before;
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	/* Earlier cases may have left locked pages. */
	machine_drain_batches();
	before = machine_meminfo("Mlocked");
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(mlock(addr, PAGES * PAGE));
		mem_fill(addr, PAGES, ++seed);
		CHECK_CALL(munlock(addr + PAGES / 2 * PAGE, PAGES / 2 * PAGE));
		mem_check(addr, PAGES, seed);
		CHECK_CALL(munlock(addr, PAGES * PAGE));
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
	CHECK_CALL(munmap(addr, PAGES * PAGE));
	end = test_milliseconds() + 10000;
	while (machine_meminfo("Mlocked") != before) {
		if (test_milliseconds() > end)
			FAIL("Mlocked: %lld kB instead of %lld",
			     machine_meminfo("Mlocked"), before);
		test_sleep(50);
	}
}

ONCE(lock_all, "all memory is locked, at once or on fault, and unlocked while pages move, which keep their data")
{
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(mlockall(MCL_CURRENT | (mover.rounds % 2 ?
						   MCL_ONFAULT : 0)));
		/* The kernel may have merged the mapping with others. */
		CHECK_CMP(mem_smaps(addr, "Locked"), >=, PAGES * PAGE / 1024);
		mem_fill(addr, PAGES, ++seed);
		CHECK_CALL(munlockall());
		mem_check(addr, PAGES, seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

static unsigned long descend(volatile unsigned int depth)
{
	volatile unsigned long mark[128];

	mark[depth % 128] = depth;
	if (depth)
		return mark[depth % 128] + descend(depth - 1) +
		       (mark[depth % 128] - depth);
	return 0;
}

static void *run_on_stack(void *data)
{
	atomic_bool *stop = data;

	while (!*stop)
		for (unsigned int depth = 0; depth < 400; depth += 23)
			CHECK_EQ(descend(depth), depth * (depth + 1) / 2);
	return NULL;
}

ONCE_OF_CPU(stack, "a thread runs on a stack that moves all the time", "a device has no stack")
{
	const size_t pages = 512;
	char *addr = mem_map(pages);
	atomic_bool stop = false;
	pthread_attr_t attr;
	struct mover mover;
	pthread_t thread;

	CHECK_EQ(pthread_attr_init(&attr), 0);
	CHECK_EQ(pthread_attr_setstack(&attr, addr, pages * PAGE), 0);
	CHECK_EQ(pthread_create(&thread, &attr, run_on_stack, &stop), 0);
	mover_start(&mover, addr, pages);
	while (mover_round(&mover))
		test_sleep(5);
	mover_stop(&mover);
	stop = true;
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

ONCE(grows_down, "a mapping grows down while it moves, and keeps what it has")
{
	const size_t room = 4 * PAGES;
	char *hole = mem_map(room), *addr = hole + (room - 4) * PAGE;
	char *lowest = addr;
	struct mover mover;

	/* The memory of the thread must not be in the range into which this mapping grows. */
	mover_start(&mover, addr - 96 * PAGE, 100);
	while (!mover.passes)
		test_sleep(1);
	CHECK_CALL(munmap(hole, room * PAGE));
	CHECK(mmap(addr, 4 * PAGE, WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		   MAP_GROWSDOWN | MAP_FIXED_NOREPLACE, -1, 0) == addr);
	mem_fill(addr, 4, 1);
	while (mover_round(&mover)) {
		if (lowest > addr - 96 * PAGE) {
			lowest -= PAGE;
			mem_fill(lowest, 1, address(lowest) / PAGE);
		}
		mem_check(addr, 4, 1);
		for (char *page = lowest; page < addr; page += PAGE)
			mem_check(page, 1, address(page) / PAGE);
	}
	mover_stop(&mover);
}

ONCE(heap, "the heap shrinks and grows while it moves, with zeros where it grew")
{
	char *begin = sbrk(0), *addr;
	struct mover mover;
	uint64_t seed = 1;

	addr = (char *)((address(begin) + PAGE - 1) & ~(PAGE - 1)) +
	       64 * PAGE;
	CHECK_CALL(brk(addr + PAGES * PAGE));
	mem_fill(addr, PAGES, 1);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(brk(addr + PAGES / 2 * PAGE));
		mem_check(addr, PAGES / 2, seed);
		CHECK_CALL(brk(addr + PAGES * PAGE));
		mem_check_zero(addr + PAGES / 2 * PAGE, PAGES / 2);
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}
