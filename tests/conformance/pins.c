// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Pages that are held for a long time: by a pipe (vmsplice() takes references), by an
 * io_uring, and as by a network card.  The last two take long-term pins, for which the
 * kernel moves pages to system memory.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "device.h"
#include "gup.h"
#include "hold.h"
#include "mem.h"
#include "place.h"
#include "uring.h"

#define PAGES	8UL

static int splice_in(const char *addr, size_t pages, int ends[2])
{
	struct iovec range = { (void *)addr, pages * PAGE };

	CHECK_CALL(pipe2(ends, O_CLOEXEC));
	CHECK_EQ(vmsplice(ends[1], &range, 1, 0), pages * PAGE);
	return ends[0];
}

/* Empty the pipe, and check that it contains the data of the pages. */
static void read_out(int end, size_t pages, uint64_t seed)
{
	char *data = mem_map(pages);

	for (size_t i = 0; i < pages; i++)
		CHECK_EQ(read(end, data + i * PAGE, PAGE), PAGE);
	mem_check(data, pages, seed);
}

PLACES(spliced, "pages in a pipe stay where they are until it is read, and can move then")
{
	char *addr = place_new(place, PAGES, 1);
	int ends[2], end = splice_in(addr, PAGES, ends);

	check_held(place, addr, PAGES);
	mem_check(addr, PAGES, 1);
	read_out(end, PAGES, 1);
	check_let_go(place, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

PLACES(spliced_unmapped, "pages in a pipe outlive their mapping, and are freed when it is read")
{
	char *addr = place_new(place, PAGES, 1);
	int ends[2], end = splice_in(addr, PAGES, ends);

	CHECK_CALL(munmap(addr, PAGES * PAGE));
	place_check_used(place, PAGES);
	read_out(end, PAGES, 1);
	place_check_used(place, 0);
}

PLACES(spliced_closed, "pages in a pipe are freed with the pipe")
{
	char *addr = place_new(place, PAGES, 1);
	int ends[2];

	splice_in(addr, PAGES, ends);
	CHECK_CALL(munmap(addr, PAGES * PAGE));
	close(ends[0]);
	close(ends[1]);
	place_check_used(place, 0);
}

PLACES(spliced_by_child,
	"what the parent writes does not show in pages that its child put into a pipe")
{
	char *addr = place_new(place, PAGES, 1);
	struct test_gate gate;
	pid_t pid;

	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		int ends[2], end = splice_in(addr, PAGES, ends);

		CHECK_CALL(munmap(addr, PAGES * PAGE));
		test_gate_signal(&gate, 1);
		test_gate_await(&gate, 1);
		read_out(end, PAGES, 1);
		_exit(0);
	}
	test_gate_await(&gate, 0);
	mem_fill(addr, PAGES, 2);
	test_gate_signal(&gate, 0);
	test_wait(pid);
	mem_check(addr, PAGES, 2);
}

PLACES(spliced_exit, "pages in another's pipe outlive their process")
{
	struct test_gate gate;
	int ends[2];
	pid_t pid;

	CHECK_CALL(pipe2(ends, O_CLOEXEC));
	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		char *addr = place_new(place, PAGES, 1);
		struct iovec range = { addr, PAGES * PAGE };

		CHECK_EQ(vmsplice(ends[1], &range, 1, 0), PAGES * PAGE);
		_exit(0);
	}
	test_wait(pid);
	place_check_used(place, PAGES);
	read_out(ends[0], PAGES, 1);
	place_check_used(place, 0);
}

PLACES(registered,
	"registering a buffer pins its pages in system memory, and they move again without it")
{
	char *addr = place_new(place, PAGES, 1);
	struct uring ring;

	uring_open(&ring);
	uring_register(&ring, addr, PAGES);
	place_check_used(place, 0);
	check_pinned_in_system(place, addr, PAGES);
	mem_check(addr, PAGES, 1);
	uring_unregister(&ring);
	move_to_device(place->fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
	move_to_system(place->fd, addr, PAGES);
}

PLACES(registered_holes,
	"registering a buffer whose pages are here and there pins all in system memory")
{
	char *addr = mem_map(3 * PAGES);
	struct uring ring;

	for (size_t i = 0; i < PAGES; i++) {
		mem_fill(addr + 3 * i * PAGE, 2, i);
		place_put(place, addr + 3 * i * PAGE, 1);
	}
	uring_open(&ring);
	uring_register(&ring, addr, 3 * PAGES);
	check_pinned_in_system(place, addr, 3 * PAGES);
	for (size_t i = 0; i < PAGES; i++) {
		mem_check(addr + 3 * i * PAGE, 2, i);
		mem_check_zero(addr + (3 * i + 2) * PAGE, 1);
	}
	uring_close(&ring);
}

PLACES(registered_io, "what is transferred by a registered buffer is what the process sees")
{
	char *addr = place_new(place, PAGES, 1), *data = mem_map(PAGES);
	int file = memfd_create("conformance", MFD_CLOEXEC);
	struct uring ring;

	CHECK_CALL(file);
	uring_open(&ring);
	uring_register(&ring, addr, PAGES);
	uring_write(&ring, file, addr, PAGES);
	CHECK_EQ(pread(file, data, PAGES * PAGE, 0), PAGES * PAGE);
	mem_check(data, PAGES, 1);
	mem_fill(data, PAGES, 2);
	CHECK_EQ(pwrite(file, data, PAGES * PAGE, 0), PAGES * PAGE);
	to_device(place->fd, addr, PAGES);
	uring_read(&ring, file, addr, PAGES);
	mem_check(addr, PAGES, 2);
	mem_fill(addr, PAGES, 3);
	uring_write(&ring, file, addr, PAGES);
	CHECK_EQ(pread(file, data, PAGES * PAGE, 0), PAGES * PAGE);
	mem_check(data, PAGES, 3);
	uring_close(&ring);
}

PLACES(registered_forked,
	"pinned pages stay their process's at fork(), and the child gets copies at once")
{
	char *addr = place_new(place, PAGES, 1);
	uint64_t before[PAGES], after[PAGES];
	struct uring ring;
	pid_t pid;

	uring_open(&ring);
	uring_register(&ring, addr, PAGES);
	mem_pfns(addr, PAGES, before);
	pid = test_fork();
	if (pid == 0) {
		mem_pfns(addr, PAGES, after);
		for (size_t i = 0; i < PAGES; i++)
			CHECK_CMP(after[i], !=, before[i]);
		mem_check(addr, PAGES, 1);
		move_to_device(place->fd, addr, PAGES);
		mem_check(addr, PAGES, 1);
		_exit(0);
	}
	test_wait(pid);
	mem_fill(addr, PAGES, 2);
	mem_pfns(addr, PAGES, after);
	CHECK(!memcmp(before, after, sizeof(before)));
	mem_check(addr, PAGES, 2);
	uring_close(&ring);
}

PLACES(registered_shared, "registering pages that a child shares pins copies of the process's own")
{
	char *addr = place_new(place, PAGES, 1);
	int file = memfd_create("conformance", MFD_CLOEXEC);
	struct test_gate gate;
	struct uring ring;
	pid_t pid;

	CHECK_CALL(file);
	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		test_gate_await(&gate, 1);
		mem_check(addr, PAGES, 1);
		place_check(place, addr, PAGES);
		_exit(0);
	}
	uring_open(&ring);
	uring_register(&ring, addr, PAGES);
	check_in_system(place->fd, addr, PAGES);
	mem_fill(addr, PAGES, 2);
	uring_write(&ring, file, addr, PAGES);
	test_gate_signal(&gate, 0);
	test_wait(pid);
	mem_check(addr, PAGES, 2);
	uring_close(&ring);
	place_check_used(place, 0);
}

PLACES(registered_unmapped, "a registered buffer outlives its mapping, without the device")
{
	char *addr = place_new(place, PAGES, 1);
	struct uring ring;

	uring_open(&ring);
	uring_register(&ring, addr, PAGES);
	CHECK_CALL(munmap(addr, PAGES * PAGE));
	place_check_used(place, 0);
	uring_close(&ring);
}

PLACES(registered_while_spliced, "pages in a pipe can be registered")
{
	char *addr = place_new(place, PAGES, 1);
	int ends[2], end = splice_in(addr, PAGES, ends);
	struct uring ring;
	bool registered;

	uring_open(&ring);
	registered = uring_try_register(&ring, addr, PAGES);
	if (!registered)
		test_note("register: %s", strerror(errno));
	read_out(end, PAGES, 1);
	mem_check(addr, PAGES, 1);
	/* A failure of now must not be permanent. */
	if (!registered)
		uring_register(&ring, addr, PAGES);
	check_pinned_in_system(place, addr, PAGES);
	uring_close(&ring);
	CHECK(registered);
}

static void long_pin(struct place *place, unsigned int flags)
{
	int gup = gup_open();
	char *addr = place_new(place, PAGES, 1);

	if (!gup_pin(gup, addr, PAGES, flags))
		FAIL("pin: %s", strerror(errno));
	check_pinned_in_system(place, addr, PAGES);
	mem_fill(addr, PAGES, 2);
	gup_check(gup, PAGES, 2);
	gup_unpin(gup);
	move_to_device(place->fd, addr, PAGES);
	mem_check(addr, PAGES, 2);
}

PLACES(long_pin, "a device's long-term pin takes the pages to system memory and keeps them there")
{
	long_pin(place, GUP_WRITE);
}

PLACES(long_pin_fast, "so does one that is taken without the lock")
{
	long_pin(place, GUP_WRITE | GUP_FAST);
}

PLACES(long_pin_read, "so does one that only reads")
{
	long_pin(place, 0);
}
