// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* A full device, and a second one. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"

#define SPARE	1000UL

/* Use all but SPARE pages of the device. */
static char *fill_device(int fd, size_t *pages)
{
	char *addr;

	*pages = device_free_pages(fd) - SPARE;
	addr = mem_map(*pages);
	CHECK_EQ(populate(fd, addr, *pages).pages[DEVPUB_REASON_POPULATED],
		 *pages);
	CHECK_EQ(device_free_pages(fd), SPARE);
	return addr;
}

CASE(rest_stays)
{
	const size_t pages = 3 * SPARE;
	unsigned char reasons[3 * SPARE];
	int fd = device_open();
	size_t taken, moved = 0;
	char *fill = fill_device(fd, &taken);
	char *addr = mem_new(pages, 1);

	migrate_range(fd, DEVPUB_IOC_MIGRATE_TO, addr, pages, 0, reasons);
	for (size_t i = 0; i < pages; i++) {
		bool here = reasons[i] == DEVPUB_REASON_MOVED;

		CHECK(here || reasons[i] == DEVPUB_REASON_NO_SPACE);
		if (here)
			check_on_device(fd, addr + i * PAGE, 1);
		else
			check_in_system(fd, addr + i * PAGE, 1);
		moved += here;
	}
	CHECK_EQ(moved, SPARE);
	CHECK_EQ(device_free_pages(fd), 0);
	mem_check(addr, pages, 1);

	/* When no page is free, no more pages move, and no data is lost. */
	CHECK_EQ(to_device(fd, addr, pages).pages[DEVPUB_REASON_NO_SPACE],
		 pages - SPARE);
	CHECK_EQ(populate(fd, mem_map(5), 5).pages[DEVPUB_REASON_NO_SPACE], 5);

	/* When pages are free again, the rest moves. */
	CHECK_CALL(munmap(fill, pages * PAGE));
	device_await_free_pages(fd, pages);
	CHECK_EQ(to_device(fd, addr, pages).pages[DEVPUB_REASON_MOVED],
		 pages - SPARE);
	check_on_device(fd, addr, pages);
	mem_check(addr, pages, 1);
	move_to_system(fd, addr, pages);
	mem_check(addr, pages, 1);
}

/* No owner of a page sees the data of an earlier owner. */
CASE(no_stale_data)
{
	int fd = device_open();
	size_t pages = device_free_pages(fd);
	size_t part = pages / 4;
	char *addr = mem_map(pages);

	for (size_t i = 0; i < pages; i += part) {
		size_t now = pages - i < part ? pages - i : part;

		memset(addr + i * PAGE, 0xa5, now * PAGE);
		move_to_device(fd, addr + i * PAGE, now);
	}
	CHECK_EQ(device_free_pages(fd), 0);
	CHECK_CALL(munmap(addr, pages * PAGE));
	device_await_free_pages(fd, pages);

	addr = mem_map(pages);
	CHECK_EQ(populate(fd, addr, pages).pages[DEVPUB_REASON_POPULATED], pages);
	mem_check_zero(addr, pages);
}

CASE(two_devices)
{
	const size_t pages = 1000;
	int first = device_open(), second = device_open_nth(1);
	uint64_t first_idle = device_free_pages(first);
	uint64_t second_idle = device_free_pages(second);
	char *addr = mem_new(pages, 1);
	struct devpub_query asked;

	CHECK_EQ(device_info(first).index, 0);
	CHECK_EQ(device_info(second).index, 1);
	CHECK(device_info(first).phys_start != device_info(second).phys_start);

	move_to_device(second, addr, pages);
	check_on_device(second, addr, pages);
	CHECK_EQ(device_free_pages(first), first_idle);
	CHECK_EQ(device_free_pages(second), second_idle - pages);
	asked = query(first, addr, pages, NULL);
	CHECK_EQ(asked.other_device, pages);
	CHECK_EQ(asked.device, 0);

	to_device_all(first, addr, pages, DEVPUB_REASON_OTHER_DEVICE);
	to_system_all(first, addr, pages, DEVPUB_REASON_OTHER_DEVICE);
	check_on_device(second, addr, pages);
	mem_check(addr, pages, 1);

	move_to_system(second, addr, pages / 2);
	CHECK_EQ(to_device(first, addr, pages).pages[DEVPUB_REASON_MOVED],
		 pages / 2);
	asked = query(second, addr, pages, NULL);
	CHECK_EQ(asked.device, pages / 2);
	CHECK_EQ(asked.other_device, pages / 2);
	mem_check(addr, pages, 1);
}

/* One of two devices is full.  Each has its own counters. */
CASE(full_beside_empty)
{
	int first = device_open(), second = device_open_nth(1);
	size_t taken;
	char *addr = mem_new(2 * SPARE, 1);
	struct outcome out;

	fill_device(first, &taken);
	out = to_device(first, addr, 2 * SPARE);
	CHECK_EQ(out.pages[DEVPUB_REASON_MOVED], SPARE);
	out = to_device(second, addr, 2 * SPARE);
	CHECK_EQ(out.pages[DEVPUB_REASON_MOVED], SPARE);
	CHECK_EQ(out.pages[DEVPUB_REASON_OTHER_DEVICE], SPARE);
	mem_check(addr, 2 * SPARE, 1);
}
