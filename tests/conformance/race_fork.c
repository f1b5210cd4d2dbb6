// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* fork() and copies by later writes, while the pages move to the device and back. */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "mem.h"
#include "mover.h"
#include "place.h"

#define PAGES	128UL

ONCE(both_write, "parent and child write while the parent's pages move, and see their own only")
{
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		pid_t pid = test_fork();

		if (pid == 0) {
			mem_check(addr, PAGES, seed);
			mem_fill(addr, PAGES, seed + 1000);
			mem_check(addr, PAGES, seed + 1000);
			_exit(0);
		}
		mem_fill(addr, PAGES, ++seed);
		mem_check(addr, PAGES, seed);
		test_wait(pid);
		mem_check(addr, PAGES, seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

ONCE(both_move, "parent and child move the pages that they share, and each sees its own")
{
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		pid_t pid = test_fork();

		if (pid == 0) {
			int fd = device_open();

			to_device_once(fd, addr, PAGES);
			mem_check(addr, PAGES, seed);
			to_system_once(fd, addr, PAGES);
			mem_check(addr, PAGES, seed);
			_exit(0);
		}
		if (seed % 2)
			mem_fill(addr, PAGES, ++seed);
		test_wait(pid);
		mem_check(addr, PAGES, seed);
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

ONCE(child_moves,
	"a parent writes while another process moves the pages that it has in common with it")
{
	char *addr = mem_map(PAGES);
	int fd = device_open();
	uint64_t idle = device_free_pages(fd);

	for (unsigned int round = 0; round < test_rounds(6); round++) {
		struct mover *mover;
		uint64_t seed = 1;

		mem_fill(addr, PAGES, seed);
		mover = mover_fork(addr, PAGES);
		while (seed < 20 || !mover_has_moved(mover)) {
			mem_fill(addr, PAGES, ++seed);
			mem_check(addr, PAGES, seed);
		}
		mover_kill(mover);
		mem_check(addr, PAGES, seed);
	}
	CHECK_CALL(munmap(addr, PAGES * PAGE));
	device_await_free_pages(fd, idle);
}

ONCE(reuse, "a process writes the pages that its children have just left, while they move")
{
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		pid_t pid = test_fork();

		if (pid == 0)
			_exit(0);
		mem_fill(addr, PAGES / 2, ++seed);
		test_wait(pid);
		mem_fill(addr, PAGES, seed);
		mem_check(addr, PAGES, seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

static void generation(char *addr, uint64_t seed, unsigned int depth)
{
	pid_t pid;

	if (depth == 0)
		return;
	pid = test_fork();
	if (pid == 0) {
		struct mover mover;

		mem_check(addr, PAGES, seed);
		mover_start(&mover, addr, PAGES);
		mem_fill(addr, PAGES, seed + 1);
		generation(addr, seed + 1, depth - 1);
		mem_check(addr, PAGES, seed + 1);
		_exit(0);
	}
	test_wait(pid);
	mem_check(addr, PAGES, seed);
}

ONCE(generations, "children of children write, while each generation moves what it inherited")
{
	char *addr = mem_new(PAGES, 1);
	struct mover mover;

	mover_start(&mover, addr, PAGES);
	for (unsigned int i = 0; i < test_rounds(3); i++)
		generation(addr, 1, 4);
	while (mover_round(&mover))
		mem_check(addr, PAGES, 1);
	mover_stop(&mover);
}

static struct {
	char *addr;
	uint64_t seed;
	char stack[65536] __attribute__((aligned(16)));
} sharer;

static int share(void *unused)
{
	(void)unused;
	mem_check(sharer.addr, PAGES, sharer.seed);
	mem_fill(sharer.addr, PAGES, sharer.seed + 1);
	return 0;
}

ONCE(clone_vm, "processes that share the memory write it in turn while it moves")
{
	char *addr = mem_new(PAGES, 0);
	struct mover mover;

	sharer.addr = addr;
	mover_start(&mover, addr, PAGES);
	for (sharer.seed = 0; mover_round(&mover); sharer.seed++) {
		int vfork = sharer.seed % 2 ? CLONE_VFORK : 0;
		pid_t pid = clone(share, sharer.stack + sizeof(sharer.stack),
				  CLONE_VM | vfork | SIGCHLD, NULL);

		CHECK_CALL(pid);
		test_wait(pid);
		mem_check(addr, PAGES, sharer.seed + 1);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, sharer.seed);
}

ONCE(huge, "a child writes what was huge pages while its parent moves them")
{
	const size_t pages = 2 * HUGE_PAGES;
	char *addr = mem_map_huge(pages);
	struct mover mover;

	for (unsigned int round = 0; round < test_rounds(3); round++) {
		pid_t pid;

		CHECK_CALL(madvise(addr, pages * PAGE, MADV_DONTNEED));
		mem_fill(addr, pages, round);
		mover_start(&mover, addr, pages);
		pid = test_fork();
		if (pid == 0) {
			mem_check(addr, pages, round);
			mem_fill(addr, pages, round + 1);
			mem_check(addr, pages, round + 1);
			_exit(0);
		}
		while (mover.passes < 2)
			mem_check(addr, pages, round);
		test_wait(pid);
		mover_stop(&mover);
		mem_check(addr, pages, round);
	}
}
