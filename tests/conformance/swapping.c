// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Reclaim and swap, which do not apply to pages on the device. */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <unistd.h>

#include "cgroup.h"
#include "device.h"
#include "disk.h"
#include "machine.h"
#include "mem.h"
#include "pagemap.h"
#include "place.h"

#define PAGES	256UL

static size_t swapped(const void *addr, size_t pages)
{
	uint64_t entries[PAGES];
	size_t count = 0;

	pagemap_read(addr, pages, entries);
	for (size_t i = 0; i < pages; i++)
		count += !!(entries[i] & PAGEMAP_SWAPPED);
	return count;
}

/*
 * Ask the kernel to swap the pages out until most of them are, or until the attempts are
 * used up.
 */
static size_t page_out(void *addr, size_t pages)
{
	for (int i = 0; i < 20; i++) {
		CHECK_CALL(madvise(addr, pages * PAGE, MADV_PAGEOUT));
		if (swapped(addr, pages) * 2 > pages)
			break;
		test_sleep(50);
	}
	return swapped(addr, pages);
}

/* Pages in the place are swapped out, except pages on the device. */
static size_t swap_out(struct place *place, void *addr, size_t pages)
{
	size_t count = page_out(addr, pages);

	if (place->kind == PLACE_DEVICE) {
		CHECK_EQ(count, 0);
		place_check(place, addr, pages);
	} else {
		CHECK_CMP(count, >, 0);
	}
	return count;
}

static void swapped_out(struct place *place)
{
	char *addr = place_new(place, PAGES, 1);
	size_t count = swap_out(place, addr, PAGES);

	CHECK_EQ(mem_smaps(addr, "Swap"), (long long)(count * PAGE / 1024));
	mem_check(addr, PAGES, 1);
}

PLACES(pageout, "pages in system memory are swapped out when asked for, those of a device never")
{
	machine_swap_on();
	machine_run(swapped_out, place);
}

static void swapped_and_moved(struct place *place)
{
	char *addr = place_new(place, PAGES, 1);

	swap_out(place, addr, PAGES);
	/* A swapped-out page does not move, and the attempt does not change it. */
	to_device(place->fd, addr, PAGES);
	CHECK_EQ(swapped(addr, PAGES) + query(place->fd, addr, PAGES, NULL).system +
		 query(place->fd, addr, PAGES, NULL).device, PAGES);
	mem_check(addr, PAGES, 1);
	/* After a write, the page has no copy in swap and can move. */
	mem_fill(addr, PAGES, 2);
	to_device(place->fd, addr, PAGES);
	CHECK_CMP(query(place->fd, addr, PAGES, NULL).device, >, PAGES / 2);
	mem_check(addr, PAGES, 2);
	to_system(place->fd, addr, PAGES);
	mem_check(addr, PAGES, 2);
}

PLACES(sources, "pages that were swapped out keep their data on the way to the device")
{
	machine_swap_on();
	machine_run(swapped_and_moved, place);
}

static void swapped_by_fork(struct place *place)
{
	char *addr = place_new(place, PAGES, 1);
	struct test_gate gate;
	pid_t pid;

	swap_out(place, addr, PAGES);
	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		mem_check(addr, PAGES / 2, 1);
		to_device(place->fd, addr, PAGES);
		test_gate_signal(&gate, 1);
		test_gate_await(&gate, 1);
		mem_check(addr, PAGES, 1);
		_exit(0);
	}
	test_gate_await(&gate, 0);
	mem_check(addr, PAGES, 1);
	mem_fill(addr, PAGES, 2);
	to_device(place->fd, addr, PAGES);
	mem_check(addr, PAGES, 2);
	test_gate_signal(&gate, 0);
	test_wait(pid);
}

PLACES(forked, "parent and child that share swapped pages each keep their data when either moves them")
{
	machine_swap_on();
	machine_run(swapped_by_fork, place);
}

static void swapped_off(struct place *place)
{
	char *addr = place_new(place, PAGES, 1);
	char *other = mem_new(PAGES, 2);

	swap_out(place, addr, PAGES);
	CHECK_CMP(page_out(other, PAGES), >, 0);
	CHECK_CALL(swapoff(DISK));
	CHECK_EQ(swapped(other, PAGES), 0);
	place_check(place, addr, PAGES);
	mem_check(addr, PAGES, 1);
	mem_check(other, PAGES, 2);
	/* The end of the case restores this value. */
	CHECK_CALL(swapon(DISK, 0));
}

PLACES(swap_goes, "when the swap space goes, all is in memory again, and what is on the device stays")
{
	machine_swap_on();
	machine_run(swapped_off, place);
}

/* A group whose limit is half of the memory that it fills. */
static void squeezed(struct place *place)
{
	char *addr = place_new(place, PAGES, 1), *rest;
	struct cgroup group;
	pid_t pid;

	cgroup_create(&group, "memory");
	cgroup_write(&group, "memory.max", "2M");
	pid = test_fork();
	if (pid == 0) {
		cgroup_enter(&group);
		rest = mem_new(3 * PAGES, 3);
		CHECK_CMP(test_field("/proc/self/status", "VmSwap"), >, 0);
		mem_check(rest, 3 * PAGES, 3);
		mem_check(addr, PAGES, 1);
		_exit(0);
	}
	test_wait(pid);
	CHECK_EQ(cgroup_field(&group, "memory.events", "oom_kill"), 0);
	cgroup_remove(&group);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
}

PLACES(others_squeezed, "while another group is swapped out, pages stay where they are")
{
	machine_swap_on();
	machine_run(squeezed, place);
}

/* The group is charged for the pages, and its limit is lower. */
static void squeezed_itself(struct place *place)
{
	struct cgroup group;
	pid_t pid;

	cgroup_create(&group, "memory");
	pid = test_fork();
	if (pid == 0) {
		char *addr, *rest;

		cgroup_enter(&group);
		addr = place_new(place, PAGES, 1);
		cgroup_write(&group, "memory.max", "3M");
		rest = mem_new(3 * PAGES, 3);
		CHECK_CMP(test_field("/proc/self/status", "VmSwap"), >, 0);
		mem_check(rest, 3 * PAGES, 3);
		if (place->kind == PLACE_DEVICE)
			place_check(place, addr, PAGES);
		mem_check(addr, PAGES, 1);
		_exit(0);
	}
	test_wait(pid);
	cgroup_remove(&group);
}

PLACES(group_squeezed, "a group at its limit has its system memory swapped out, and keeps what is on the device")
{
	machine_swap_on();
	machine_run(squeezed_itself, place);
}
