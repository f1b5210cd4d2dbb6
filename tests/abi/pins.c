// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Pages with foreign references.  vmsplice() takes a reference to each page that it puts into a
 * pipe, and keeps it until the pipe is read.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "device.h"
#include "disk.h"
#include "harness.h"
#include "mem.h"

#define PAGES	8UL

static struct {
	int in, out;
} held;

static void hold(char *addr, size_t pages)
{
	struct iovec range = { addr, pages * PAGE };
	int ends[2];

	CHECK_CALL(pipe2(ends, O_CLOEXEC));
	held.out = ends[0];
	held.in = ends[1];
	CHECK_EQ(vmsplice(held.in, &range, 1, 0), pages * PAGE);
}

/* The pipe delivers the content of the pages and drops the references. */
static void let_go(size_t pages, uint64_t seed)
{
	char *data = mem_map(pages);

	for (size_t i = 0; i < pages; i++)
		CHECK_EQ(read(held.out, data + i * PAGE, PAGE), PAGE);
	mem_check(data, pages, seed);
	close(held.in);
	close(held.out);
}

static void all_held(const struct outcome *out, size_t pages)
{
	CHECK_EQ(out->pages[DEVPUB_REASON_BUSY] +
		 out->pages[DEVPUB_REASON_PINNED], pages);
}

CASE(in_system)
{
	int fd = device_open();
	uint64_t idle = device_free_pages(fd);
	char *addr = mem_new(PAGES, 1);
	struct outcome out;

	hold(addr, PAGES);
	out = to_device(fd, addr, PAGES);
	all_held(&out, PAGES);
	check_in_system(fd, addr, PAGES);
	CHECK_EQ(device_free_pages(fd), idle);
	mem_check(addr, PAGES, 1);
	let_go(PAGES, 1);
	move_to_device(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

CASE(on_device)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	struct outcome out;

	move_to_device(fd, addr, PAGES);
	hold(addr, PAGES);
	check_on_device(fd, addr, PAGES);
	out = to_system(fd, addr, PAGES);
	all_held(&out, PAGES);
	check_on_device(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
	let_go(PAGES, 1);
	move_to_system(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

/* One held page among others that move. */
CASE(one_of_many)
{
	unsigned char reasons[1200];
	int fd = device_open();
	char *addr = mem_new(1200, 1);

	hold(addr + 700 * PAGE, 1);
	migrate_range(fd, DEVPUB_IOC_MIGRATE_TO, addr, 1200, 0, reasons);
	for (size_t i = 0; i < 1200; i++) {
		if (i == 700)
			CHECK(reasons[i] == DEVPUB_REASON_BUSY ||
			      reasons[i] == DEVPUB_REASON_PINNED);
		else
			CHECK_EQ(reasons[i], DEVPUB_REASON_MOVED);
	}
	mem_check(addr, 1200, 1);
	to_system(fd, addr, 1200);
	mem_check(addr, 1200, 1);
}

/*
 * A page is unmapped while the pipe holds it.  It returns to the pool only when the pipe is
 * read, and its data is unchanged until then.
 */
CASE(held_beyond_its_mapping)
{
	int fd = device_open();
	uint64_t idle = device_free_pages(fd);
	char *addr = mem_new(PAGES, 1);

	move_to_device(fd, addr, PAGES);
	hold(addr, PAGES);
	CHECK_CALL(munmap(addr, PAGES * PAGE));
	test_sleep(200);
	CHECK_EQ(device_free_pages(fd), idle - PAGES);
	/* Allocate and overwrite all free pages. */
	for (int i = 0; i < 4; i++)
		move_to_device(fd, mem_new(PAGES, 2 + i), PAGES);
	let_go(PAGES, 1);
	device_await_free_pages(fd, idle - 4 * PAGES);
}

/* Direct I/O from device memory and to it does not change the location. */
CASE(direct_io)
{
	const size_t pages = 256;
	int fd = device_open();
	bool loaded = disk_begin();
	int file = open(DISK, O_RDWR | O_DIRECT | O_EXCL | O_CLOEXEC);
	char *addr = mem_new(pages, 1), *other = mem_new(pages, 2);

	if (!loaded || file < 0)
		SKIP(DISK " is in use");
	move_to_device(fd, addr, pages);
	CHECK_EQ(write(file, addr, pages * PAGE), pages * PAGE);
	CHECK_EQ(pread(file, other, pages * PAGE, 0), pages * PAGE);
	mem_check(other, pages, 1);
	mem_fill(addr, pages, 3);
	CHECK_EQ(pread(file, addr, pages * PAGE, 0), pages * PAGE);
	check_on_device(fd, addr, pages);
	mem_check(addr, pages, 1);
	move_to_system(fd, addr, pages);
	mem_check(addr, pages, 1);
	close(file);
	disk_end(loaded);
}

/* System calls copy to and from device memory. */
CASE(pipe_copies)
{
	int fd = device_open(), ends[2];
	char *from = mem_new(PAGES, 1), *to = mem_new(PAGES, 2);

	CHECK_CALL(pipe2(ends, O_CLOEXEC));
	move_to_device(fd, from, PAGES);
	move_to_device(fd, to, PAGES);
	CHECK_EQ(write(ends[1], from, PAGES * PAGE), PAGES * PAGE);
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQ(read(ends[0], to + i * PAGE, PAGE), PAGE);
	mem_check(to, PAGES, 1);
	check_on_device(fd, to, PAGES);
}
