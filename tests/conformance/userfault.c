// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Memory whose faults a program handles by userfaultfd. */
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "mem.h"
#include "place.h"
#include "uffd.h"

#define PAGES	32UL

static void *touch(void *addr)
{
	/* One access that writes. */
	mem_add_word(addr, 1);
	return NULL;
}

static struct uffd_msg next_message(int uffd)
{
	struct pollfd ready = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	if (poll(&ready, 1, 20000) != 1)
		FAIL("no message from the userfaultfd");
	CHECK_EQ(read(uffd, &msg, sizeof(msg)), sizeof(msg));
	return msg;
}

/* Check that a write to the page waits and raises a fault with these flags. */
static pthread_t touch_faults(int uffd, char *addr, uint64_t flags)
{
	struct uffd_msg msg;
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, touch, addr), 0);
	msg = next_message(uffd);
	CHECK_EQ(msg.event, UFFD_EVENT_PAGEFAULT);
	CHECK_EQ(msg.arg.pagefault.address & -PAGE, address(addr));
	CHECK_EQ(msg.arg.pagefault.flags & flags, flags);
	return thread;
}

static void no_fault(int uffd)
{
	struct pollfd none = { .fd = uffd, .events = POLLIN };

	CHECK_EQ(poll(&none, 1, 0), 0);
}

PLACES(missing, "the handler of missing pages hears of holes, and not of pages")
{
	char *addr = mem_map(2 * PAGES), *hole = addr + PAGES * PAGE;
	char *source = mem_new(PAGES, 2);
	struct uffdio_copy copy = {
		.dst = address(hole), .src = address(source), .len = PAGES * PAGE,
	};
	int uffd = uffd_open(0);
	pthread_t thread;

	mem_fill(addr, PAGES, 1);
	uffd_register(uffd, addr, 2 * PAGES, UFFDIO_REGISTER_MODE_MISSING);
	place_put(place, addr, PAGES);
	mem_check(addr, PAGES, 1);
	mem_fill(addr, PAGES, 3);
	no_fault(uffd);
	/* A caller that asks to populate holes. */
	CHECK_EQ(populate(place->fd, hole, PAGES).pages[DEVPUB_REASON_ABSENT],
		 PAGES);
	thread = touch_faults(uffd, hole, UFFD_PAGEFAULT_FLAG_WRITE);
	CHECK_CALL(ioctl(uffd, UFFDIO_COPY, &copy));
	CHECK_EQ(pthread_join(thread, NULL), 0);
	mem_add_word(hole, -1);
	mem_check(hole, PAGES, 2);
	mem_check(addr, PAGES, 3);
}

PLACES(copied, "pages that the handler copied in move like others")
{
	char *addr = mem_map(PAGES), *source = place_new(place, PAGES, 2);
	struct uffdio_copy copy = {
		.dst = address(addr), .src = address(source), .len = PAGES * PAGE,
	};
	int uffd = uffd_open(0);

	uffd_register(uffd, addr, PAGES, UFFDIO_REGISTER_MODE_MISSING);
	CHECK_CALL(ioctl(uffd, UFFDIO_COPY, &copy));
	check_in_system(place->fd, addr, PAGES);
	place_put(place, addr, PAGES);
	mem_check(addr, PAGES, 2);
	mem_check(source, PAGES, 2);
	place_check(place, source, PAGES);
}

PLACES(occupied, "UFFDIO_COPY and UFFDIO_ZEROPAGE refuse to replace pages")
{
	char *addr = place_new(place, PAGES, 1), *source = mem_new(PAGES, 2);
	struct uffdio_copy copy = {
		.dst = address(addr), .src = address(source), .len = PAGES * PAGE,
	};
	struct uffdio_zeropage zero = {
		.range = { .start = address(addr), .len = PAGES * PAGE },
	};
	int uffd = uffd_open(0);

	uffd_register(uffd, addr, PAGES, UFFDIO_REGISTER_MODE_MISSING);
	CHECK_ERRNO(ioctl(uffd, UFFDIO_COPY, &copy), EEXIST);
	CHECK_ERRNO(ioctl(uffd, UFFDIO_ZEROPAGE, &zero), EEXIST);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
}

PLACES(write_protected, "write-protected pages raise a fault when written to, wherever they are")
{
	char *addr = place_new(place, PAGES, 1);
	int uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	pthread_t thread;
	char before;

	uffd_register(uffd, addr, PAGES, UFFDIO_REGISTER_MODE_WP);
	uffd_protect(uffd, addr, PAGES, true);
	mem_check(addr, PAGES, 1);
	no_fault(uffd);
	before = mem_get(addr + 5 * PAGE);
	thread = touch_faults(uffd, addr + 5 * PAGE, UFFD_PAGEFAULT_FLAG_WP);
	CHECK_EQ(mem_get(addr + 5 * PAGE), before);
	uffd_protect(uffd, addr, PAGES, false);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(mem_get(addr + 5 * PAGE), (char)(before + 1));
	place_check(place, addr, PAGES);
}

PLACES(protected_moves, "write-protected pages are so where they are moved to")
{
	char *addr = mem_new(PAGES, 1);
	int uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	pthread_t thread;

	uffd_register(uffd, addr, PAGES, UFFDIO_REGISTER_MODE_WP);
	uffd_protect(uffd, addr, PAGES, true);
	place_put(place, addr, PAGES);
	mem_check(addr, PAGES, 1);
	for (size_t i = 0; i < PAGES; i += 7) {
		thread = touch_faults(uffd, addr + i * PAGE,
				      UFFD_PAGEFAULT_FLAG_WP);
		uffd_protect(uffd, addr + i * PAGE, 1, false);
		CHECK_EQ(pthread_join(thread, NULL), 0);
	}
	place_check(place, addr, PAGES);
}

PLACES(protected_part, "of pages that were protected in part, those are protected and no other")
{
	char *addr = place_new(place, PAGES, 1);
	int uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	pthread_t thread;

	uffd_register(uffd, addr, PAGES, UFFDIO_REGISTER_MODE_WP);
	uffd_protect(uffd, addr + 8 * PAGE, 8, true);
	if (place->kind == PLACE_DEVICE)
		move_to_system(place->fd, addr, PAGES);
	else
		move_to_device(place->fd, addr, PAGES);
	mem_fill(addr, 8, 2);
	mem_fill(addr + 16 * PAGE, PAGES - 16, 3);
	no_fault(uffd);
	thread = touch_faults(uffd, addr + 8 * PAGE, UFFD_PAGEFAULT_FLAG_WP);
	uffd_protect(uffd, addr + 8 * PAGE, 8, false);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	mem_check(addr, 8, 2);
	mem_check(addr + 16 * PAGE, PAGES - 16, 3);
}

PLACES(unregistered, "pages are free of protection when the handler goes")
{
	char *addr = place_new(place, PAGES, 1);
	int uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);

	uffd_register(uffd, addr, PAGES, UFFDIO_REGISTER_MODE_WP);
	uffd_protect(uffd, addr, PAGES, true);
	close(uffd);
	mem_fill(addr, PAGES, 2);
	mem_check(addr, PAGES, 2);
	place_check(place, addr, PAGES);
}

PLACES(forked, "a child's copies are free of its parent's protection, the parent's pages are not")
{
	char *addr = place_new(place, PAGES, 1);
	int uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	pthread_t thread;
	pid_t pid;

	uffd_register(uffd, addr, PAGES, UFFDIO_REGISTER_MODE_WP);
	uffd_protect(uffd, addr, PAGES, true);
	pid = test_fork();
	if (pid == 0) {
		mem_check(addr, PAGES, 1);
		mem_fill(addr, PAGES, 2);
		mem_check(addr, PAGES, 2);
		_exit(0);
	}
	test_wait(pid);
	mem_check(addr, PAGES, 1);
	thread = touch_faults(uffd, addr, UFFD_PAGEFAULT_FLAG_WP);
	uffd_protect(uffd, addr, PAGES, false);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	mem_add_word(addr, -1);
	mem_check(addr, PAGES, 1);
}

PLACES(moved, "UFFDIO_MOVE takes pages to another address")
{
	char *source = place_new(place, PAGES, 1), *addr = mem_map(PAGES);
	struct uffdio_move move = {
		.dst = address(addr), .src = address(source), .len = PAGES * PAGE,
	};
	int uffd = uffd_open(UFFD_FEATURE_MOVE);

	uffd_register(uffd, addr, PAGES, UFFDIO_REGISTER_MODE_MISSING);
	CHECK_CALL(ioctl(uffd, UFFDIO_MOVE, &move));
	CHECK_EQ(move.move, PAGES * PAGE);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
	check_absent(place->fd, source, PAGES);
	place_check_used(place, PAGES);
	/* The pages can move from there. */
	to_system(place->fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
	check_in_system(place->fd, addr, PAGES);
}

static void *discard(void *addr)
{
	CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_DONTNEED));
	return NULL;
}

PLACES(removed, "the handler hears of pages that MADV_DONTNEED frees, and of the faults after that")
{
	char *addr = place_new(place, PAGES, 1);
	int uffd = uffd_open(UFFD_FEATURE_EVENT_REMOVE);
	struct uffdio_zeropage zero = {
		.range = { .start = address(addr), .len = PAGES * PAGE },
	};
	struct uffd_msg msg;
	pthread_t thread;

	uffd_register(uffd, addr, PAGES, UFFDIO_REGISTER_MODE_MISSING);
	CHECK_EQ(pthread_create(&thread, NULL, discard, addr), 0);
	msg = next_message(uffd);
	CHECK_EQ(msg.event, UFFD_EVENT_REMOVE);
	CHECK_EQ(msg.arg.remove.start, address(addr));
	CHECK_EQ(pthread_join(thread, NULL), 0);
	place_check_used(place, 0);
	thread = touch_faults(uffd, addr, UFFD_PAGEFAULT_FLAG_WRITE);
	CHECK_CALL(ioctl(uffd, UFFDIO_ZEROPAGE, &zero));
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(mem_get(addr), 1);
}

PLACES(minor, "minor faults, which are for shared memory, can't be asked for, and the pages stay as they are")
{
	char *addr = place_new(place, PAGES, 1);
	int uffd = uffd_open(UFFD_FEATURE_MINOR_SHMEM);

	CHECK_ERRNO(uffd_try_register(uffd, addr, PAGES, UFFDIO_REGISTER_MODE_MINOR),
		    EINVAL);
	place_check(place, addr, PAGES);
	mem_check(addr, PAGES, 1);
	to_system(place->fd, addr, PAGES);
	move_to_device(place->fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

ONCE(minor_shared, "shared memory whose minor faults are handled is refused as shared, and the handler hears of them")
{
	int fd = device_open(), uffd = uffd_open(UFFD_FEATURE_MINOR_SHMEM);
	int memory = memfd_create("minor", MFD_CLOEXEC);
	struct uffdio_continue go_on;
	pthread_t thread;
	char *addr, *other;

	CHECK_CALL(memory);
	CHECK_CALL(ftruncate(memory, PAGES * PAGE));
	addr = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		    memory, 0);
	other = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		     memory, 0);
	CHECK(addr != MAP_FAILED && other != MAP_FAILED);
	mem_fill(other, PAGES, 1);
	CHECK_CALL(uffd_try_register(uffd, addr, PAGES, UFFDIO_REGISTER_MODE_MINOR));
	to_device_all(fd, addr, PAGES, DEVPUB_REASON_SHARED);
	no_fault(uffd);

	thread = touch_faults(uffd, addr, UFFD_PAGEFAULT_FLAG_MINOR);
	go_on = (struct uffdio_continue) {
		.range = { .start = address(addr), .len = PAGES * PAGE },
	};
	CHECK_CALL(ioctl(uffd, UFFDIO_CONTINUE, &go_on));
	CHECK_EQ(pthread_join(thread, NULL), 0);
	mem_add_word(addr, -1);
	to_device_all(fd, addr, PAGES, DEVPUB_REASON_SHARED);
	mem_check(addr, PAGES, 1);
	mem_check(other, PAGES, 1);
}
