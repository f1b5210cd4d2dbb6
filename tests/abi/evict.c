// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Eviction of pages of any process. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"

#define PAGES	3000UL

static struct devpub_evict evict(int fd)
{
	struct devpub_evict arg = { 0 };

	CHECK_CALL(ioctl(fd, DEVPUB_IOC_EVICT, &arg));
	return arg;
}

/* Another CPU may reference a page for a moment. */
static uint64_t evict_all(int fd)
{
	uint64_t moved = 0;

	for (int i = 0; i < 20; i++) {
		struct devpub_evict arg = evict(fd);

		moved += arg.moved;
		if (!arg.remaining)
			return moved;
		test_sleep(50);
	}
	FAIL("%llu pages moved, and some stay", (unsigned long long)moved);
}

CASE(empty_device)
{
	struct devpub_evict arg = evict(device_open());

	CHECK_EQ(arg.moved, 0);
	CHECK_EQ(arg.remaining, 0);
}

CASE(own_pages)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);

	move_to_device(fd, addr, PAGES);
	CHECK_EQ(evict_all(fd), PAGES);
	check_in_system(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);

	/* The device still works. */
	move_to_device(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

/* A page that three processes share is moved once, for all of them. */
CASE(shared_by_fork)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	struct test_gate gate[2];
	pid_t pid[2];

	move_to_device(fd, addr, PAGES);
	for (int i = 0; i < 2; i++) {
		test_gate_open(&gate[i]);
		pid[i] = test_fork();
		if (pid[i] == 0) {
			test_gate_await(&gate[i], 1);
			check_in_system(fd, addr, PAGES);
			mem_check(addr, PAGES, 1);
			mem_fill(addr, PAGES, 2 + i);
			mem_check(addr, PAGES, 2 + i);
			_exit(0);
		}
	}
	CHECK_EQ(evict_all(fd), PAGES);
	for (int i = 0; i < 2; i++)
		test_gate_signal(&gate[i], 0);
	for (int i = 0; i < 2; i++)
		test_wait(pid[i]);
	mem_check(addr, PAGES, 1);
}

/* After the first of two processes has written, only the second maps the old page. */
CASE(left_to_a_child)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	struct test_gate gate;
	pid_t pid;

	move_to_device(fd, addr, PAGES);
	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		test_gate_await(&gate, 1);
		check_in_system(fd, addr, PAGES);
		mem_check(addr, PAGES, 1);
		_exit(0);
	}
	mem_fill(addr, PAGES, 2);
	check_in_system(fd, addr, PAGES);
	CHECK_EQ(evict_all(fd), PAGES);
	test_gate_signal(&gate, 0);
	test_wait(pid);
	mem_check(addr, PAGES, 2);
}

/* Processes unmap, fork and exit while their pages are evicted. */
CASE(owners_go)
{
	const unsigned int rounds = test_rounds(20);
	int fd = device_open();
	pid_t pid[2];

	for (int i = 0; i < 2; i++) {
		pid[i] = test_fork();
		if (pid[i])
			continue;
		for (unsigned int round = 0; round < rounds; round++) {
			char *addr = mem_new(100, round), *more = mem_new(100, round);
			pid_t child;

			to_device_once(fd, addr, 100);
			to_device_once(fd, more, 100);
			child = test_fork();
			if (child == 0) {
				CHECK_CALL(munmap(addr, 100 * PAGE));
				mem_check(more, 100, round);
				_exit(0);
			}
			mem_check(addr, 100, round);
			CHECK_CALL(munmap(more, 100 * PAGE));
			test_wait(child);
			CHECK_CALL(munmap(addr, 100 * PAGE));
		}
		_exit(0);
	}
	for (unsigned int i = 0; i < 5 * rounds; i++) {
		evict(fd);
		test_sleep(5);
	}
	for (int i = 0; i < 2; i++)
		test_wait(pid[i]);
	evict_all(fd);
	CHECK_EQ(device_free_pages(fd), device_info(fd).capacity / PAGE);
}

CASE(held_page_remains)
{
	int fd = device_open(), ends[2];
	char *addr = mem_new(PAGES, 1);
	struct iovec range = { addr + 100 * PAGE, PAGE };
	struct devpub_evict arg = { 0 };
	char byte[PAGE];

	CHECK_CALL(pipe2(ends, O_CLOEXEC));
	move_to_device(fd, addr, PAGES);
	CHECK_EQ(vmsplice(ends[1], &range, 1, 0), PAGE);
	for (int i = 0; i < 20 && arg.remaining != 1; i++)
		arg = evict(fd);
	CHECK_EQ(arg.remaining, 1);
	check_on_device(fd, addr + 100 * PAGE, 1);
	CHECK_EQ(query(fd, addr, PAGES, NULL).device, 1);
	mem_check(addr, PAGES, 1);
	CHECK_EQ(read(ends[0], byte, PAGE), PAGE);
	CHECK_EQ(evict_all(fd), 1);
	mem_check(addr, PAGES, 1);
}

/* Eviction while other processes migrate all the time. */
CASE(under_load)
{
	const unsigned int rounds = test_rounds(8);
	int fd = device_open();
	pid_t pid[2];

	for (int i = 0; i < 2; i++) {
		pid[i] = test_fork();
		if (pid[i] == 0) {
			char *addr = mem_new(PAGES, i);

			for (unsigned int round = 0; round < rounds; round++) {
				to_device_once(fd, addr, PAGES);
				mem_check(addr, PAGES, 2 * round + i);
				mem_fill(addr, PAGES, 2 * round + 2 + i);
			}
			_exit(0);
		}
	}
	for (unsigned int i = 0; i < rounds; i++) {
		evict(fd);
		test_sleep(20);
	}
	for (int i = 0; i < 2; i++)
		test_wait(pid[i]);
	evict_all(fd);
}
