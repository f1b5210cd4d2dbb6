// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Both directions, ranges of all shapes, and the results of the calls. */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"

#define MIB_PAGES	256UL

CASE(there_and_back)
{
	const size_t pages = 48 * MIB_PAGES;
	int fd = device_open();
	uint64_t idle = device_free_pages(fd);
	char *addr = mem_new(pages, 1);

	check_in_system(fd, addr, pages);
	move_to_device(fd, addr, pages);
	check_on_device(fd, addr, pages);
	CHECK_EQ(device_free_pages(fd), idle - pages);
	mem_check(addr, pages, 1);
	mem_fill(addr, pages, 2);
	check_on_device(fd, addr, pages);
	move_to_system(fd, addr, pages);
	check_in_system(fd, addr, pages);
	mem_check(addr, pages, 2);
	device_await_free_pages(fd, idle);
}

/* Unused memory moves at the first call; few pages may be busy. */
CASE(at_once)
{
	const size_t pages = 16 * MIB_PAGES;
	int fd = device_open();
	char *addr = mem_new(pages, 1);

	CHECK_CMP(to_device_once(fd, addr, pages).pages[DEVPUB_REASON_MOVED],
		  >=, pages * 99 / 100);
	mem_check(addr, pages, 1);
}

CASE(many_rounds)
{
	const size_t pages = 2 * MIB_PAGES;
	const unsigned int rounds = test_rounds(10);
	int fd = device_open();
	char *addr = mem_new(pages, 0);

	for (unsigned int round = 0; round < rounds; round++) {
		move_to_device(fd, addr, pages);
		mem_check(addr, pages, 2 * round);
		mem_fill(addr, pages, 2 * round + 1);
		move_to_system(fd, addr, pages);
		mem_check(addr, pages, 2 * round + 1);
		mem_fill(addr, pages, 2 * round + 2);
	}
}

CASE(already_there)
{
	const size_t pages = 3 * MIB_PAGES;
	int fd = device_open();
	char *addr = mem_new(pages, 1);

	to_system_all(fd, addr, pages, DEVPUB_REASON_ALREADY);
	move_to_device(fd, addr, pages);
	to_device_all(fd, addr, pages, DEVPUB_REASON_ALREADY);
	check_on_device(fd, addr, pages);
	move_to_system(fd, addr, pages);
	to_system_all(fd, addr, pages, DEVPUB_REASON_ALREADY);
	mem_check(addr, pages, 1);
}

/* Adjacent pages do not move; a range of both kinds has different reasons. */
CASE(single_page)
{
	unsigned char reasons[3];
	int fd = device_open();
	char *addr = mem_new(3, 1);

	move_to_device(fd, addr + PAGE, 1);
	check_in_system(fd, addr, 1);
	check_on_device(fd, addr + PAGE, 1);
	check_in_system(fd, addr + 2 * PAGE, 1);
	mem_check(addr, 3, 1);
	migrate_range(fd, DEVPUB_IOC_MIGRATE_FROM, addr, 3, 0, reasons);
	CHECK_EQ(reasons[0], DEVPUB_REASON_ALREADY);
	CHECK_EQ(reasons[1], DEVPUB_REASON_MOVED);
	CHECK_EQ(reasons[2], DEVPUB_REASON_ALREADY);
	mem_check(addr, 3, 1);
}

/* Every third page exists, across the border of a window. */
CASE(holes)
{
	const size_t pages = 1500;
	unsigned char reasons[1500];
	int fd = device_open();
	char *addr = mem_map(pages);

	for (size_t i = 0; i < pages; i += 3)
		mem_fill(addr + i * PAGE, 1, i);
	migrate_range(fd, DEVPUB_IOC_MIGRATE_TO, addr, pages, 0, reasons);
	for (size_t i = 0; i < pages; i++)
		CHECK_EQ(reasons[i], i % 3 ? DEVPUB_REASON_ABSENT :
					     DEVPUB_REASON_MOVED);
	CHECK_EQ(query(fd, addr, pages, NULL).device, 500);
	CHECK_EQ(query(fd, addr, pages, NULL).absent, 1000);

	migrate_range(fd, DEVPUB_IOC_MIGRATE_TO, addr, pages,
		      DEVPUB_MIGRATE_POPULATE, reasons);
	for (size_t i = 0; i < pages; i++)
		CHECK_EQ(reasons[i], i % 3 ? DEVPUB_REASON_POPULATED :
					     DEVPUB_REASON_ALREADY);
	check_on_device(fd, addr, pages);
	for (size_t i = 0; i < pages; i++) {
		if (i % 3)
			mem_check_zero(addr + i * PAGE, 1);
		else
			mem_check(addr + i * PAGE, 1, i);
	}
	move_to_system(fd, addr, pages);
	for (size_t i = 0; i < pages; i += 3)
		mem_check(addr + i * PAGE, 1, i);
}

CASE(populate_untouched)
{
	const size_t pages = 4 * MIB_PAGES;
	int fd = device_open();
	char *addr = mem_map(pages);

	to_device_all(fd, addr, pages, DEVPUB_REASON_ABSENT);
	check_absent(fd, addr, pages);
	CHECK_EQ(populate(fd, addr, pages).pages[DEVPUB_REASON_POPULATED],
		 pages);
	check_on_device(fd, addr, pages);
	mem_check_zero(addr, pages);
	mem_fill(addr, pages, 1);
	check_on_device(fd, addr, pages);
	move_to_system(fd, addr, pages);
	mem_check(addr, pages, 1);
}

/* Ten mappings with different permissions, so that the kernel can't merge them. */
CASE(several_mappings)
{
	const size_t each = 100;
	int fd = device_open();
	char *addr = mem_new(10 * each, 1);

	for (int i = 0; i < 10; i += 2)
		CHECK_CALL(mprotect(addr + i * each * PAGE, each * PAGE,
				    PROT_READ));
	move_to_device(fd, addr, 10 * each);
	check_on_device(fd, addr, 10 * each);
	mem_check(addr, 10 * each, 1);
	move_to_system(fd, addr, 10 * each);
	mem_check(addr, 10 * each, 1);
}

CASE(gaps_between_mappings)
{
	const size_t each = 700, pages = 5 * each;
	unsigned char reasons[5 * 700];
	int fd = device_open();
	char *addr = mem_new(pages, 1);

	CHECK_CALL(munmap(addr + each * PAGE, each * PAGE));
	CHECK_CALL(munmap(addr + 3 * each * PAGE, each * PAGE));
	migrate_range(fd, DEVPUB_IOC_MIGRATE_TO, addr, pages, 0, reasons);
	for (size_t i = 0; i < pages; i++)
		CHECK_EQ(reasons[i], i / each % 2 ? DEVPUB_REASON_UNMAPPED :
						    DEVPUB_REASON_MOVED);
	check_on_device(fd, addr, each);
	check_absent(fd, addr + each * PAGE, each);
	check_on_device(fd, addr + 2 * each * PAGE, each);
	check_on_device(fd, addr + 4 * each * PAGE, each);
	migrate_range(fd, DEVPUB_IOC_MIGRATE_FROM, addr, pages, 0, reasons);
	for (size_t i = 0; i < pages; i++)
		CHECK_EQ(reasons[i], i / each % 2 ? DEVPUB_REASON_UNMAPPED :
						    DEVPUB_REASON_MOVED);
	check_in_system(fd, addr + 4 * each * PAGE, each);
}

/* Every start and every length works with every window. */
CASE(window_borders)
{
	int fd = device_open();
	size_t window = device_info(fd).window;
	size_t pages = 2 * window + 8;
	char *addr = mem_new(pages, 1);
	const size_t lengths[] = {
		1, window - 1, window, window + 1, 2 * window - 1, 2 * window,
		2 * window + 1,
	};

	CHECK_CMP(window, >=, 512);
	CHECK_EQ(window & (window - 1), 0);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		for (size_t skip = 0; skip < 7; skip += 3) {
			char *start = addr + skip * PAGE;

			move_to_device(fd, start, lengths[i]);
			CHECK_EQ(query(fd, addr, pages, NULL).device,
				 lengths[i]);
			check_on_device(fd, start, lengths[i]);
			move_to_system(fd, start, lengths[i]);
			check_in_system(fd, addr, pages);
		}
	}
	mem_check(addr, pages, 1);
}

/* A range far larger than memory, with three pages in it. */
CASE(sparse)
{
	const size_t pages = sizeof(long) == 8 ? 8UL << 18 : 1UL << 17;
	const size_t at[] = { 0, pages / 2 + 77, pages - 1 };
	unsigned char *locations = malloc(pages);
	int fd = device_open();
	struct devpub_query asked;
	struct outcome out;
	char *addr;

	CHECK(locations);
	addr = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(addr != MAP_FAILED);
	madvise(addr, pages * PAGE, MADV_NOHUGEPAGE);
	for (int i = 0; i < 3; i++)
		mem_fill(addr + at[i] * PAGE, 1, i);
	out = to_device(fd, addr, pages);
	CHECK_EQ(out.pages[DEVPUB_REASON_MOVED], 3);
	CHECK_EQ(out.pages[DEVPUB_REASON_ABSENT], pages - 3);
	asked = query(fd, addr, pages, locations);
	CHECK_EQ(asked.device, 3);
	CHECK_EQ(asked.absent, pages - 3);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(locations[at[i]], DEVPUB_LOCATION_DEVICE);
		mem_check(addr + at[i] * PAGE, 1, i);
	}
	CHECK_EQ(to_system(fd, addr, pages).pages[DEVPUB_REASON_MOVED], 3);
	free(locations);
}

/* The arrays are optional. */
CASE(no_arrays)
{
	const size_t pages = 1000;
	int fd = device_open();
	char *addr = mem_new(pages, 1);
	struct devpub_migrate arg = migrate_arg(addr, pages, NULL);

	CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg));
	CHECK_EQ(arg.done, pages * PAGE);
	CHECK_EQ(arg.moved + arg.refused, pages);
	CHECK_CMP(arg.moved, >, 0);
	CHECK_EQ(query(fd, addr, pages, NULL).device, arg.moved);
	mem_check(addr, pages, 1);
}

/* The results do not depend on earlier values in the struct. */
CASE(results_are_not_added_up)
{
	const size_t pages = 64;
	unsigned char reasons[64];
	int fd = device_open();
	char *addr = mem_new(pages, 1);
	struct devpub_migrate arg = migrate_arg(addr, pages, reasons);

	arg.done = arg.moved = arg.populated = arg.already = arg.absent =
		arg.refused = 12345;
	CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg));
	check_sums(&arg, reasons);
	CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg));
	check_sums(&arg, reasons);
	CHECK_EQ(arg.moved + arg.already + arg.refused, pages);
}

/* Pages that munmap() and MADV_DONTNEED free can be allocated again. */
CASE(freed_at_once)
{
	const size_t pages = 8 * MIB_PAGES;
	int fd = device_open();
	uint64_t idle = device_free_pages(fd);
	char *addr = mem_new(pages, 1);

	move_to_device(fd, addr, pages);
	CHECK_EQ(device_free_pages(fd), idle - pages);
	CHECK_CALL(madvise(addr, pages / 2 * PAGE, MADV_DONTNEED));
	device_await_free_pages(fd, idle - pages / 2);
	mem_check_zero(addr, pages / 2);
	CHECK_EQ(query(fd, addr, pages, NULL).device, pages / 2);
	CHECK_CALL(munmap(addr + pages / 2 * PAGE, pages / 2 * PAGE));
	device_await_free_pages(fd, idle);
}

/* mremap() may move the mapping, but not the pages. */
CASE(mremap_on_device)
{
	const size_t pages = 300;
	int fd = device_open();
	char *addr = mem_new(pages, 1);
	char *moved;

	move_to_device(fd, addr, pages);
	moved = mremap(addr, pages * PAGE, 4 * pages * PAGE, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED);
	check_on_device(fd, moved, pages);
	mem_check(moved, pages, 1);
	check_absent(fd, moved + pages * PAGE, 3 * pages);
	move_to_system(fd, moved, pages);
	mem_check(moved, pages, 1);
}
