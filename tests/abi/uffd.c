// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Memory with userfaultfd. */
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "uffd.h"

#define PAGES	32UL

static void *write_byte(void *addr)
{
	*(volatile char *)addr = 77;
	return NULL;
}

/* Check that a write to the page raises a fault with these flags. */
static pthread_t write_faults(int uffd, char *addr, uint64_t flags)
{
	struct pollfd ready = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, write_byte, addr), 0);
	if (poll(&ready, 1, 20000) != 1)
		FAIL("a write raised no fault");
	CHECK_EQ(read(uffd, &msg, sizeof(msg)), sizeof(msg));
	CHECK_EQ(msg.event, UFFD_EVENT_PAGEFAULT);
	CHECK_EQ(msg.arg.pagefault.address & -PAGE, address(addr));
	CHECK_EQ(msg.arg.pagefault.flags & flags, flags);
	return thread;
}

/* Holes are left to the handler; existing pages move. */
CASE(missing)
{
	int fd = device_open();
	char *addr = mem_map(PAGES);
	char *hole = addr + PAGES / 2 * PAGE;
	struct uffdio_zeropage zero = {
		.range = { .start = address(hole), .len = PAGES / 2 * PAGE },
	};
	struct outcome out;
	pthread_t thread;
	int uffd = uffd_open(0);

	mem_fill(addr, PAGES / 2, 1);
	uffd_register(uffd, addr, PAGES, UFFDIO_REGISTER_MODE_MISSING);
	out = populate(fd, addr, PAGES);
	CHECK_EQ(out.pages[DEVPUB_REASON_MOVED], PAGES / 2);
	CHECK_EQ(out.pages[DEVPUB_REASON_ABSENT], PAGES / 2);
	check_on_device(fd, addr, PAGES / 2);
	check_absent(fd, hole, PAGES / 2);
	mem_check(addr, PAGES / 2, 1);

	thread = write_faults(uffd, hole, UFFD_PAGEFAULT_FLAG_WRITE);
	CHECK_CALL(ioctl(uffd, UFFDIO_ZEROPAGE, &zero));
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(hole[0], 77);
}

/* Write protection persists in both directions. */
CASE(write_protected)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	pthread_t thread;
	int uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);

	uffd_register(uffd, addr, PAGES, UFFDIO_REGISTER_MODE_WP);
	for (int back = 0; back < 2; back++) {
		uffd_protect(uffd, addr, PAGES, true);
		move_to_device(fd, addr, PAGES);
		if (back)
			move_to_system(fd, addr, PAGES);
		mem_check(addr, PAGES, 1);
		thread = write_faults(uffd, addr + 5 * PAGE,
				      UFFD_PAGEFAULT_FLAG_WP);
		uffd_protect(uffd, addr, PAGES, false);
		CHECK_EQ(pthread_join(thread, NULL), 0);
		CHECK_EQ(addr[5 * PAGE], 77);
		mem_fill(addr, PAGES, 1);
		to_system(fd, addr, PAGES);
	}
}
