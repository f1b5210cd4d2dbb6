// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The layout of a process: mremap(), stacks and the heap. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "mem.h"
#include "place.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

#define PAGES	64UL

static char *remap(char *addr, size_t from, size_t to, int flags, char *where)
{
	char *new = mremap(addr, from * PAGE, to * PAGE, flags, where);

	if (new == MAP_FAILED)
		FAIL("mremap: %s", strerror(errno));
	return new;
}

static void check_unmapped(char *addr)
{
	unsigned char in_core;

	CHECK_ERRNO(mincore(addr, PAGE, &in_core), ENOMEM);
}

/* Reserve an unused address range.  The mapping keeps other mappings away from it. */
static char *room(size_t pages)
{
	char *addr = mmap(NULL, pages * PAGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(addr != MAP_FAILED);
	return addr;
}

PLACES(moved, "mremap() to another address takes the same pages there")
{
	char *addr = place_new(place, PAGES, 1), *to = room(PAGES);
	uint64_t before[PAGES], after[PAGES];

	mem_pfns(addr, PAGES, before);
	CHECK(remap(addr, PAGES, PAGES, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
	      to);
	mem_pfns(to, PAGES, after);
	CHECK(!memcmp(before, after, sizeof(before)));
	mem_check(to, PAGES, 1);
	place_check(place, to, PAGES);
	place_check_used(place, PAGES);
	check_unmapped(addr);
	mem_fill(to, PAGES, 2);
	to_system(place->fd, to, PAGES);
	mem_check(to, PAGES, 2);
}

PLACES(moved_over, "mremap() over other pages frees those")
{
	char *addr = place_new(place, PAGES, 1);
	char *to = place_new(place, PAGES, 2);

	place_check_used(place, 2 * PAGES);
	remap(addr, PAGES, PAGES, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	place_check_used(place, PAGES);
	mem_check(to, PAGES, 1);
	place_check(place, to, PAGES);
}

PLACES(moved_part, "mremap() of the middle of a mapping leaves both ends")
{
	const size_t from = 10, count = 30;
	char *addr = place_new(place, PAGES, 1), *to = room(count);
	char *copy = mem_new(PAGES, 1);

	remap(addr + from * PAGE, count, count, MREMAP_MAYMOVE | MREMAP_FIXED,
	      to);
	CHECK(mem_equal(addr, copy, from * PAGE));
	CHECK(mem_equal(to, copy + from * PAGE, count * PAGE));
	CHECK(mem_equal(addr + (from + count) * PAGE,
			copy + (from + count) * PAGE,
			(PAGES - from - count) * PAGE));
	place_check(place, to, count);
	place_check_used(place, PAGES);
}

PLACES(moved_huge, "mremap() of what was huge pages to an odd address keeps the data")
{
	const size_t pages = 2 * HUGE_PAGES;
	char *addr = place_new_huge(place, pages, 1), *to = room(pages + 3);

	remap(addr, pages, pages, MREMAP_MAYMOVE | MREMAP_FIXED,
	      to + 3 * PAGE);
	mem_check(to + 3 * PAGE, pages, 1);
	place_check(place, to + 3 * PAGE, pages);
	place_check_used(place, pages);
}

PLACES(grown, "mremap() to more adds zeros behind the pages, in place or elsewhere")
{
	char *addr = place_new(place, PAGES, 1);

	addr = remap(addr, PAGES, 2 * PAGES, MREMAP_MAYMOVE, NULL);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
	mem_check_zero(addr + PAGES * PAGE, PAGES);
	place_check_used(place, PAGES);
	mem_fill(addr, 2 * PAGES, 2);
	to_device(place->fd, addr, 2 * PAGES);
	mem_check(addr, 2 * PAGES, 2);
}

PLACES(shrunk, "mremap() to less frees the pages behind, at once")
{
	char *addr = place_new(place, PAGES, 1);

	remap(addr, PAGES, PAGES / 4, 0, NULL);
	place_check_used(place, PAGES / 4);
	mem_check(addr, PAGES / 4, 1);
	place_check(place, addr, PAGES / 4);
	check_unmapped(addr + PAGES / 4 * PAGE);
}

PLACES(dontunmap, "mremap() with DONTUNMAP takes the pages away and leaves zeros")
{
	const int flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
	char *addr = place_new(place, PAGES, 1), *to;

	if (mremap(mem_map(1), PAGE, PAGE, flags, NULL) == MAP_FAILED)
		SKIP("no MREMAP_DONTUNMAP: %s", strerror(errno));
	to = remap(addr, PAGES, PAGES, flags, NULL);
	mem_check(to, PAGES, 1);
	place_check(place, to, PAGES);
	place_check_used(place, PAGES);
	mem_check_zero(addr, PAGES);
	mem_fill(addr, PAGES, 2);
	mem_check(to, PAGES, 1);
	CHECK_CALL(munmap(to, PAGES * PAGE));
	place_check_used(place, 0);
	mem_check(addr, PAGES, 2);
}

PLACES(forked, "a child that moves its mapping leaves its parent's where it is")
{
	char *addr = place_new(place, PAGES, 1);
	pid_t pid = test_fork();

	if (pid == 0) {
		char *to = room(PAGES);

		remap(addr, PAGES, PAGES, MREMAP_MAYMOVE | MREMAP_FIXED, to);
		mem_check(to, PAGES, 1);
		place_check(place, to, PAGES);
		mem_fill(to, PAGES, 2);
		_exit(0);
	}
	test_wait(pid);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
	place_check_used(place, PAGES);
}

PLACES(grows_down, "a mapping that grows down goes on growing, and keeps what it has")
{
	const size_t below = 300;
	char *hole = room(below + PAGES), *addr = hole + below * PAGE;

	/* No mapping may be in the range into which the stack grows. */
	CHECK_CALL(munmap(hole, (below + PAGES) * PAGE));
	CHECK(mmap(addr, PAGES * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN |
		   MAP_FIXED_NOREPLACE, -1, 0) == addr);
	mem_fill(addr, PAGES, 1);
	place_put(place, addr, PAGES);
	mem_fill(addr - 16 * PAGE, 16, 2);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
	place_put(place, addr - 16 * PAGE, 16);
	mem_check(addr - 16 * PAGE, 16, 2);
	mem_fill(addr - 20 * PAGE, 4, 3);
	mem_check(addr - 16 * PAGE, 16, 2);
	mem_check(addr - 20 * PAGE, 4, 3);
	CHECK_CALL(munmap(addr - 20 * PAGE, (20 + PAGES) * PAGE));
	place_check_used(place, 0);
}

/* Recurse, write a mark into each stack frame, and check it at the return. */
static unsigned long descend(volatile unsigned int depth)
{
	volatile unsigned long mark[128];

	mark[depth % 128] = depth;
	if (depth)
		return mark[depth % 128] + descend(depth - 1) +
		       (mark[depth % 128] - depth);
	return 0;
}

struct own_stack {
	struct place *place;
	char *addr;
	size_t pages;
};

static void *run_on_stack(void *data)
{
	struct own_stack *own = data;

	/* Recurse deeper than the pages that move, and return through them. */
	CHECK_EQ(descend(400), 400 * 401 / 2);
	if (own->place->kind != PLACE_SYSTEM)
		to_device(own->place->fd, own->addr, own->pages);
	CHECK_EQ(descend(400), 400 * 401 / 2);
	if (own->place->kind == PLACE_RETURNED)
		to_system(own->place->fd, own->addr, own->pages);
	CHECK_EQ(descend(800), 800 * 801 / 2);
	return own;
}

PLACES_OF_CPU(own_stack, "a thread runs on while the stack that it runs on moves",
	"a device has no stack")
{
	struct own_stack own = { .place = place, .pages = 512 };
	pthread_attr_t attr;
	pthread_t thread;
	void *ret;

	own.addr = mem_map(own.pages);
	CHECK_EQ(pthread_attr_init(&attr), 0);
	CHECK_EQ(pthread_attr_setstack(&attr, own.addr, own.pages * PAGE), 0);
	CHECK_EQ(pthread_create(&thread, &attr, run_on_stack, &own), 0);
	CHECK_EQ(pthread_join(thread, &ret), 0);
	CHECK(ret == &own);
	if (place->kind == PLACE_DEVICE)
		CHECK_CMP(query(place->fd, own.addr, own.pages, NULL).device,
			  >, 0);
}

PLACES(heap, "the heap's pages move, and brk() frees them at once")
{
	char *begin = sbrk(0), *addr;

	addr = (char *)((address(begin) + PAGE - 1) & ~(PAGE - 1));
	CHECK(sbrk(addr - begin + PAGES * PAGE) != (void *)-1);
	CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_NOHUGEPAGE));
	mem_fill(addr, PAGES, 1);
	place_put(place, addr, PAGES);
	mem_check(addr, PAGES, 1);
	CHECK_CALL(brk(addr));
	place_check_used(place, 0);
	CHECK_CALL(brk(addr + PAGES * PAGE));
	mem_check_zero(addr, PAGES);
}

static char data_section[PAGES * PAGE] __attribute__((aligned(PAGE))) = { 1 };

PLACES(program_data, "the written pages of a program's data move as any others")
{
	mem_fill(data_section, PAGES, 1);
	place_put(place, data_section, PAGES);
	mem_check(data_section, PAGES, 1);
	mem_fill(data_section, PAGES, 2);
	mem_check(data_section, PAGES, 2);
	place_check(place, data_section, PAGES);
}
