// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Transparent huge pages: all of their content moves. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define HUGE_KB		2048
#define COUNT		4

/* Allocate memory of huge pages, or skip the case. */
static char *huge_new(uint64_t seed)
{
	char *addr = mem_map_huge(COUNT * HUGE_PAGES);

	mem_fill(addr, COUNT * HUGE_PAGES, seed);
	if (mem_smaps(addr, "AnonHugePages") != COUNT * HUGE_KB)
		SKIP("the kernel gave no huge pages");
	return addr;
}

CASE(there_and_back)
{
	const size_t pages = COUNT * HUGE_PAGES;
	int fd = device_open();
	char *addr = huge_new(1);

	move_to_device(fd, addr, pages);
	check_on_device(fd, addr, pages);
	mem_check(addr, pages, 1);
	mem_fill(addr, pages, 2);
	move_to_system(fd, addr, pages);
	check_in_system(fd, addr, pages);
	mem_check(addr, pages, 2);
}

/* Parts of huge pages move, the rest stays, and no data is lost. */
CASE(parts)
{
	const size_t pages = COUNT * HUGE_PAGES;
	int fd = device_open();
	char *addr = huge_new(1);
	size_t moved = 0;

	for (size_t i = 0; i < COUNT; i++) {
		char *part = addr + (i * HUGE_PAGES + 37 * i) * PAGE;
		struct outcome out = to_device(fd, part, 100);

		/* A kernel may be unable to split the folio; then the reason says so. */
		CHECK_EQ(out.pages[DEVPUB_REASON_MOVED] +
			 out.pages[DEVPUB_REASON_LARGE], 100);
		moved += out.pages[DEVPUB_REASON_MOVED];
		CHECK_EQ(query(fd, addr, pages, NULL).device, moved);
	}
	CHECK_CMP(moved, >, 0);
	mem_check(addr, pages, 1);
	CHECK_EQ(to_system(fd, addr, pages).pages[DEVPUB_REASON_MOVED], moved);
	mem_check(addr, pages, 1);
}

/* A range that begins and ends within a huge page. */
CASE(odd_borders)
{
	const size_t pages = COUNT * HUGE_PAGES;
	int fd = device_open();
	char *addr = huge_new(1);
	struct outcome out = to_device(fd, addr + 11 * PAGE, pages - 30);

	CHECK_EQ(out.pages[DEVPUB_REASON_MOVED] +
		 out.pages[DEVPUB_REASON_LARGE], pages - 30);
	CHECK_CMP(out.pages[DEVPUB_REASON_MOVED], >=, (COUNT - 2) * HUGE_PAGES);
	mem_check(addr, pages, 1);
	to_system(fd, addr, pages);
	check_in_system(fd, addr, pages);
	mem_check(addr, pages, 1);
}

/* Small pages of a huge one that was split in the page table only. */
CASE(mapped_by_small_pages)
{
	const size_t pages = COUNT * HUGE_PAGES;
	int fd = device_open();
	char *addr = huge_new(1);
	struct outcome out;

	/* Another permission for one page splits the mapping of each huge page. */
	for (size_t i = 0; i < COUNT; i++)
		CHECK_CALL(mprotect(addr + (i * HUGE_PAGES + 1) * PAGE, PAGE,
				    PROT_READ));
	out = to_device(fd, addr, pages);
	CHECK_EQ(out.pages[DEVPUB_REASON_MOVED] +
		 out.pages[DEVPUB_REASON_LARGE], pages);
	CHECK_EQ(query(fd, addr, pages, NULL).device,
		 out.pages[DEVPUB_REASON_MOVED]);
	mem_check(addr, pages, 1);
	to_system(fd, addr, pages);
	check_in_system(fd, addr, pages);
	mem_check(addr, pages, 1);
}

CASE(forked)
{
	const size_t pages = COUNT * HUGE_PAGES;
	int fd = device_open();
	char *addr = huge_new(1);
	struct test_gate gate;
	struct outcome out;
	pid_t pid;

	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		test_gate_await(&gate, 1);
		mem_check(addr, pages, 1);
		mem_fill(addr, pages, 2);
		mem_check(addr, pages, 2);
		_exit(0);
	}
	out = to_device(fd, addr, pages);
	CHECK_EQ(out.pages[DEVPUB_REASON_MOVED] +
		 out.pages[DEVPUB_REASON_LARGE], pages);
	test_gate_signal(&gate, 0);
	test_wait(pid);
	mem_check(addr, pages, 1);
	to_system(fd, addr, pages);
	mem_check(addr, pages, 1);
}

CASE(freed_in_part)
{
	const size_t pages = COUNT * HUGE_PAGES;
	int fd = device_open();
	uint64_t idle = device_free_pages(fd);
	char *addr = huge_new(1);

	move_to_device(fd, addr, pages);
	CHECK_CALL(munmap(addr + 10 * PAGE, (pages - 20) * PAGE));
	device_await_free_pages(fd, idle - 20);
	check_on_device(fd, addr, 10);
	CHECK_CALL(munmap(addr, pages * PAGE));
	device_await_free_pages(fd, idle);
}

/* The huge zero page is mapped for memory that was only read. */
CASE(huge_zero_page)
{
	const size_t pages = COUNT * HUGE_PAGES;
	int fd = device_open();
	char *addr = mem_map_huge(pages);

	mem_check_zero(addr, pages);
	to_device_all(fd, addr, pages, DEVPUB_REASON_ABSENT);
	CHECK_EQ(query(fd, addr, pages, NULL).absent, pages);
	CHECK_EQ(populate(fd, addr, pages).pages[DEVPUB_REASON_POPULATED],
		 pages);
	check_on_device(fd, addr, pages);
	mem_check_zero(addr, pages);
	mem_fill(addr, pages, 1);
	move_to_system(fd, addr, pages);
	mem_check(addr, pages, 1);
}

/* Untouched huge memory: absent, or zeroed pages on the device. */
CASE(huge_hole)
{
	const size_t pages = COUNT * HUGE_PAGES;
	int fd = device_open();
	char *addr = mem_map_huge(pages);

	to_device_all(fd, addr, pages, DEVPUB_REASON_ABSENT);
	CHECK_EQ(populate(fd, addr, pages).pages[DEVPUB_REASON_POPULATED],
		 pages);
	check_on_device(fd, addr, pages);
	mem_check_zero(addr, pages);
}

/* The kernel must not collapse device pages into a huge page. */
CASE(collapse)
{
	const size_t pages = COUNT * HUGE_PAGES;
	int fd = device_open();
	char *addr = huge_new(1);

	move_to_device(fd, addr, pages);
	/* Some kernels refuse this for device pages; the data must be unchanged. */
	madvise(addr, pages * PAGE, MADV_COLLAPSE);
	mem_check(addr, pages, 1);
	to_system(fd, addr, pages);
	mem_check(addr, pages, 1);
}

/* With thp=N, huge pages are refused, and small pages still move. */
CASE(refused_by_parameter)
{
	const char *parameter = "/sys/module/devpub/parameters/thp";
	const size_t pages = COUNT * HUGE_PAGES;
	int fd = device_open();
	char *addr = huge_new(1), *small = mem_new(16, 2);
	struct outcome out;

	CHECK_CALL(test_write_text(parameter, "N"));
	out = to_device(fd, addr, pages);
	move_to_device(fd, small, 16);
	CHECK_CALL(test_write_text(parameter, "Y"));
	CHECK_EQ(out.pages[DEVPUB_REASON_LARGE], pages);
	CHECK_EQ(mem_smaps(addr, "AnonHugePages"), COUNT * HUGE_KB);
	move_to_device(fd, addr, pages);
	check_on_device(fd, addr, pages);
	mem_check(addr, pages, 1);
	mem_check(small, 16, 2);
}
