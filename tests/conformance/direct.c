// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Direct I/O between a disk and pages. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aio.h"
#include "device.h"
#include "hold.h"
#include "mem.h"
#include "place.h"

#define PAGES	16UL

/* The first pages of the disk have the contents of the seed. */
static void disk_fill(struct aio *aio, size_t pages, uint64_t seed)
{
	char *data = mem_new(pages, seed);

	cgroup_leave();
	CHECK_EQ(pwrite(aio->disk, data, pages * PAGE, 0), pages * PAGE);
	cgroup_enter(&aio->group);
	CHECK_CALL(munmap(data, pages * PAGE));
}

static void disk_check(struct aio *aio, size_t pages, uint64_t seed)
{
	char *data = mem_map(pages);

	CHECK_EQ(pread(aio->disk, data, pages * PAGE, 0), pages * PAGE);
	mem_check(data, pages, seed);
}

/*
 * The kernel reports the end of a transfer before it releases the pages (block/fops.c,
 * blkdev_bio_end_io_async()).  After a read, a worker may release them (block/bio.c,
 * bio_check_pages_dirty()).
 */
static void await_let_go(struct place *place, const void *addr, size_t pages)
{
	struct outcome out;

	for (int i = 0; i < 200; i++) {
		if (place->kind == PLACE_DEVICE) {
			out = to_system(place->fd, addr, pages);
			to_device(place->fd, addr, pages);
		} else {
			out = to_device(place->fd, addr, pages);
			to_system(place->fd, addr, pages);
		}
		if (!out.pages[DEVPUB_REASON_PINNED] &&
		    !out.pages[DEVPUB_REASON_BUSY])
			break;
		test_sleep(50);
	}
	check_let_go(place, addr, pages);
}

PLACES(reads, "direct I/O reads into pages where they are")
{
	char *addr = place_new(place, PAGES, 1);
	struct aio aio;

	aio_open(&aio);
	disk_fill(&aio, PAGES, 2);
	aio_go_on(&aio);
	CHECK_EQ(pread(aio.disk, addr, PAGES * PAGE, 0), PAGES * PAGE);
	mem_check(addr, PAGES, 2);
	place_check(place, addr, PAGES);
	aio_close(&aio);
}

PLACES(writes, "direct I/O writes from pages where they are")
{
	char *addr = place_new(place, PAGES, 1);
	struct aio aio;

	aio_open(&aio);
	aio_go_on(&aio);
	CHECK_EQ(pwrite(aio.disk, addr, PAGES * PAGE, 0), PAGES * PAGE);
	place_check(place, addr, PAGES);
	disk_check(&aio, PAGES, 1);
	aio_close(&aio);
}

PLACES(read_in_flight,
	"pages that a disk is about to fill stay until it has, and have its data then")
{
	char *addr = place_new(place, PAGES, 1);
	struct aio aio;

	aio_open(&aio);
	disk_fill(&aio, PAGES, 2);
	aio_start_read(&aio, addr, PAGES * PAGE);
	check_held(place, addr, PAGES);
	aio_check_in_flight(&aio);
	aio_go_on(&aio);
	aio_await(&aio, PAGES * PAGE);
	mem_check(addr, PAGES, 2);
	await_let_go(place, addr, PAGES);
	mem_check(addr, PAGES, 2);
	aio_close(&aio);
}

PLACES(write_in_flight,
	"pages that a disk is about to write stay until it has, and it has their data then")
{
	char *addr = place_new(place, PAGES, 1);
	struct aio aio;

	aio_open(&aio);
	aio_start_write(&aio, addr, PAGES * PAGE);
	check_held(place, addr, PAGES);
	aio_check_in_flight(&aio);
	aio_go_on(&aio);
	aio_await(&aio, PAGES * PAGE);
	disk_check(&aio, PAGES, 1);
	await_let_go(place, addr, PAGES);
	mem_check(addr, PAGES, 1);
	aio_close(&aio);
}

PLACES(called_pinned, "pages in flight are refused as pinned, not as busy")
{
	char *addr = place_new(place, PAGES, 1);
	struct outcome out;
	struct aio aio;

	aio_open(&aio);
	aio_start_read(&aio, addr, PAGES * PAGE);
	if (place->kind == PLACE_DEVICE)
		out = to_system_once(place->fd, addr, PAGES);
	else
		out = to_device_once(place->fd, addr, PAGES);
	aio_go_on(&aio);
	aio_await(&aio, PAGES * PAGE);
	aio_close(&aio);
	CHECK_EQ(out.pages[DEVPUB_REASON_PINNED], PAGES);
}

PLACES(unmapped_in_flight,
	"pages in flight outlive their mapping, and are freed when the disk is done")
{
	char *addr = place_new(place, PAGES, 1);
	char *other = mem_new(4 * PAGES, 2);
	struct aio aio;

	aio_open(&aio);
	aio_start_write(&aio, addr, PAGES * PAGE);
	CHECK_CALL(munmap(addr, PAGES * PAGE));
	place_check_used(place, PAGES);
	/* Let others allocate the free pages and overwrite them. */
	move_to_device(place->fd, other, 4 * PAGES);
	CHECK_CALL(munmap(other, 4 * PAGES * PAGE));
	aio_check_in_flight(&aio);
	aio_go_on(&aio);
	aio_await(&aio, PAGES * PAGE);
	/* See await_let_go(). */
	device_await_free_pages(place->fd, place->idle);
	disk_check(&aio, PAGES, 1);
	aio_close(&aio);
}

PLACES(protected_in_flight, "pages in flight may be protected, and are filled all the same")
{
	char *addr = place_new(place, PAGES, 1);
	struct aio aio;

	aio_open(&aio);
	disk_fill(&aio, PAGES, 2);
	aio_start_read(&aio, addr, PAGES * PAGE);
	CHECK_CALL(mprotect(addr, PAGES * PAGE, PROT_NONE));
	aio_go_on(&aio);
	aio_await(&aio, PAGES * PAGE);
	CHECK_CALL(mprotect(addr, PAGES * PAGE, PROT_READ));
	mem_check(addr, PAGES, 2);
	place_check(place, addr, PAGES);
	aio_close(&aio);
}

PLACES(remapped_in_flight, "pages in flight may go to other addresses, and are filled there")
{
	char *addr = place_new(place, PAGES, 1), *to = mem_map(PAGES);
	struct aio aio;

	aio_open(&aio);
	disk_fill(&aio, PAGES, 2);
	aio_start_read(&aio, addr, PAGES * PAGE);
	CHECK(mremap(addr, PAGES * PAGE, PAGES * PAGE,
		     MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	check_held(place, to, PAGES);
	aio_go_on(&aio);
	aio_await(&aio, PAGES * PAGE);
	mem_check(to, PAGES, 2);
	place_check(place, to, PAGES);
	aio_close(&aio);
}

PLACES(forked_in_flight, "a process that forks and writes beside what the disk fills has both")
{
	const size_t bytes = 2048;
	char *addr = place_new(place, 1, 1), *expected = mem_new(1, 2);
	struct aio aio;
	pid_t pid;

	aio_open(&aio);
	disk_fill(&aio, 1, 2);
	aio_start_read(&aio, addr, bytes);
	pid = test_fork();
	if (pid == 0) {
		for (;;)
			pause();
	}
	mem_put(addr + bytes + 100, 'p');
	aio_check_in_flight(&aio);
	aio_go_on(&aio);
	aio_await(&aio, bytes);
	test_kill(pid);
	aio_close(&aio);
	CHECK_EQ(mem_get(addr + bytes + 100), 'p');
	CHECK(mem_equal(addr, expected, bytes));
}

PLACES(killed_in_flight,
	"a process that is killed with pages in flight ends and frees them when the disk is done")
{
	struct test_gate gate;
	struct aio aio;
	pid_t pid;

	aio_open(&aio);
	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		char *addr = place_new(place, PAGES, 1);

		/* A child does not inherit the io_context of its parent. */
		aio.context = 0;
		CHECK_CALL(syscall(SYS_io_setup, 4, &aio.context));
		aio_start_read(&aio, addr, PAGES * PAGE);
		test_gate_signal(&gate, 1);
		for (;;)
			pause();
	}
	test_gate_await(&gate, 0);
	place_check_used(place, PAGES);
	CHECK_CALL(kill(pid, SIGKILL));
	aio_go_on(&aio);
	test_wait_killed(pid);
	/* See await_let_go(). */
	device_await_free_pages(place->fd, place->idle);
	aio_close(&aio);
}
