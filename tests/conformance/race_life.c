// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The end of mappings, pages and processes while pages move to the device and back. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "device.h"
#include "mem.h"
#include "mover.h"
#include "place.h"

#define PAGES	128UL
#define PART	(PAGES / 4)

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#define MADV_GUARD_REMOVE	103
#endif
#ifndef SYS_process_mrelease
#define SYS_process_mrelease	448
#endif

/* The device gets all pages back after the end of the case's processes. */
static void check_all_freed(void *addr, size_t pages, uint64_t idle)
{
	int fd = device_open();

	CHECK_CALL(munmap(addr, pages * PAGE));
	CHECK_EQ(device_free_pages(fd), idle);
}

static uint64_t idle_pages(void)
{
	return device_free_pages(device_open());
}

ONCE(unmap,
	"parts are unmapped and mapped again while all move: those show zeros, the others their data")
{
	uint64_t idle = idle_pages(), seed = 1;
	char *addr = mem_new(PAGES, 1);
	struct mover mover;

	mem_fill(addr, PART, 7);
	mem_fill(addr + 3 * PART * PAGE, PART, 8);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		char *middle = addr + PART * PAGE;

		CHECK_CALL(munmap(middle, 2 * PART * PAGE));
		CHECK(mmap(middle, 2 * PART * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		      middle);
		mem_check_zero(middle, 2 * PART);
		mem_fill(middle, 2 * PART, ++seed);
		mem_check(addr, PART, 7);
		mem_check(middle, 2 * PART, seed);
		mem_check(addr + 3 * PART * PAGE, PART, 8);
	}
	mover_stop(&mover);
	check_all_freed(addr, PAGES, idle);
}

ONCE(dontneed, "MADV_DONTNEED of pages that move shows zeros, and never what was there")
{
	uint64_t idle = idle_pages(), seed = 1;
	char *addr = mem_new(PAGES, 1);
	struct mover mover;

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(madvise(addr, PAGES / 2 * PAGE, MADV_DONTNEED));
		mem_check_zero(addr, PAGES / 2);
		mem_fill(addr, PAGES, ++seed);
		mem_check(addr, PAGES, seed);
	}
	mover_stop(&mover);
	check_all_freed(addr, PAGES, idle);
}

ONCE(populate, "MADV_DONTNEED races with a migration that fills the holes with zeroed pages")
{
	uint64_t idle = idle_pages(), seed = 1;
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	int fd = device_open();

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_DONTNEED));
		populate(fd, addr, PAGES);
		mem_check_zero(addr, PAGES);
		mem_fill(addr, PAGES, ++seed);
		mem_check(addr, PAGES, seed);
	}
	mover_stop(&mover);
	check_all_freed(addr, PAGES, idle);
}

ONCE(prefault, "MADV_POPULATE_READ and _WRITE beside a migration fill holes with zeros, and touch no page")
{
	uint64_t idle = idle_pages(), seed = 1;
	char *addr = mem_new(PAGES, 1);
	struct mover mover;

	mem_fill(addr + PAGES / 2 * PAGE, PAGES / 2, 7);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(madvise(addr, PAGES / 2 * PAGE, MADV_DONTNEED));
		CHECK_CALL(madvise(addr, PAGES * PAGE, mover.rounds % 2 ?
				   MADV_POPULATE_READ : MADV_POPULATE_WRITE));
		mem_check_zero(addr, PAGES / 2);
		mem_fill(addr, PAGES / 2, ++seed);
		mem_check(addr, PAGES / 2, seed);
		mem_check(addr + PAGES / 2 * PAGE, PAGES / 2, 7);
	}
	mover_stop(&mover);
	check_all_freed(addr, PAGES, idle);
}

ONCE(private_file, "a private mapping of a file shows what was written while it moves, and the file once that is dropped")
{
	int file = memfd_create("conformance", MFD_CLOEXEC);
	uint64_t idle = idle_pages(), seed = 1;
	char *addr, *data = mem_new(PAGES, 1);
	struct mover mover;

	CHECK_CALL(file);
	CHECK_EQ(write(file, data, PAGES * PAGE), PAGES * PAGE);
	addr = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		    file, 0);
	CHECK(addr != MAP_FAILED);
	mem_fill(addr, PAGES, 2);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(madvise(addr, PAGES / 2 * PAGE, MADV_DONTNEED));
		mem_check(addr, PAGES / 2, 1);
		mem_fill(addr, PAGES, ++seed);
		mem_check(addr, PAGES, seed);
		CHECK_EQ(pread(file, data, PAGES * PAGE, 0), PAGES * PAGE);
		mem_check(data, PAGES, 1);
	}
	mover_stop(&mover);
	check_all_freed(addr, PAGES, idle);
}

ONCE(remove, "MADV_REMOVE of a file's pages takes them, and none of the private copies that move")
{
	int file = memfd_create("conformance", MFD_CLOEXEC);
	uint64_t idle = idle_pages(), seed = 1;
	struct mover mover;
	char *addr, *whole;

	CHECK_CALL(file);
	CHECK_CALL(ftruncate(file, PAGES * PAGE));
	addr = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		    file, 0);
	whole = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		     file, 0);
	CHECK(addr != MAP_FAILED && whole != MAP_FAILED);
	mem_fill(addr, PAGES, seed);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		mem_fill(whole, PAGES, 7);
		CHECK_CALL(madvise(whole, PAGES * PAGE, MADV_REMOVE));
		mem_check_zero(whole, PAGES);
		mem_check(addr, PAGES, seed);
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
	check_all_freed(addr, PAGES, idle);
}

ONCE(guard, "MADV_GUARD_INSTALL over pages that move takes them, and without the guard there are zeros")
{
	uint64_t idle = idle_pages(), seed = 1;
	char *addr = mem_new(PAGES, 1), *rest = addr + PAGES / 2 * PAGE;
	struct mover mover;

	if (madvise(mem_map(1), PAGE, MADV_GUARD_INSTALL))
		SKIP("no MADV_GUARD_INSTALL: %s", strerror(errno));
	mem_fill(rest, PAGES / 2, 7);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(madvise(addr, PAGES / 2 * PAGE, MADV_GUARD_INSTALL));
		CHECK_ERRNO(madvise(addr, PAGE, MADV_POPULATE_READ), EFAULT);
		mem_check(rest, PAGES / 2, 7);
		CHECK_CALL(madvise(addr, PAGES / 2 * PAGE, MADV_GUARD_REMOVE));
		mem_check_zero(addr, PAGES / 2);
		mem_fill(addr, PAGES / 2, ++seed);
		mem_check(addr, PAGES / 2, seed);
	}
	mover_stop(&mover);
	check_all_freed(addr, PAGES, idle);
}

ONCE(lazy_free, "after MADV_FREE of pages that move, what is written stays")
{
	uint64_t idle = idle_pages(), seed = 1;
	char *addr = mem_new(PAGES, 1);
	struct mover mover;

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_FREE));
		mem_fill(addr, PAGES, ++seed);
		CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_PAGEOUT));
		mem_check(addr, PAGES, seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
	check_all_freed(addr, PAGES, idle);
}

ONCE(reclaim, "MADV_COLD and MADV_PAGEOUT of pages that move lose nothing")
{
	uint64_t idle = idle_pages(), seed = 1;
	char *addr = mem_new(PAGES, 1);
	struct mover mover;

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_COLD));
		mem_check(addr, PAGES, seed);
		CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_PAGEOUT));
		mem_check(addr, PAGES, seed);
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
	check_all_freed(addr, PAGES, idle);
}

ONCE(by_another, "process_madvise() of another process's pages, which moves them, loses nothing")
{
	char *addr = mem_new(PAGES, 1), *copy = mem_map(PAGES);
	struct iovec range = { addr, PAGES * PAGE }, here = { copy, PAGES * PAGE };
	struct mover *mover = mover_fork(addr, PAGES);
	int pidfd = syscall(SYS_pidfd_open, mover->pid, 0);

	CHECK_CALL(pidfd);
	/* MADV_COLD skips pages that two processes map (mm/madvise.c). */
	CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_DONTNEED));
	for (unsigned int i = 0; i < test_rounds(40) || !mover_has_moved(mover); i++) {
		CHECK_EQ(syscall(SYS_process_madvise, pidfd, &range, 1,
				 i % 2 ? MADV_COLD : MADV_PAGEOUT, 0),
			 PAGES * PAGE);
		CHECK_EQ(process_vm_readv(mover->pid, &here, 1, &range, 1, 0),
			 PAGES * PAGE);
		mem_check(copy, PAGES, 1);
	}
	mover_kill(mover);
	close(pidfd);
}

ONCE(collapse, "MADV_COLLAPSE of pages that move loses nothing")
{
	uint64_t idle = idle_pages(), seed = 1;
	char *addr = mem_map_huge(HUGE_PAGES);
	unsigned int collapsed = 0;
	struct mover mover;

	mem_fill(addr, HUGE_PAGES, 1);
	mover_start(&mover, addr, HUGE_PAGES);
	while (mover_round(&mover)) {
		collapsed += !madvise(addr, HUGE_PAGES * PAGE, MADV_COLLAPSE);
		mem_check(addr, HUGE_PAGES, seed);
		mem_fill(addr, HUGE_PAGES, ++seed);
	}
	mover_stop(&mover);
	test_note("collapsed %u times in %u rounds", collapsed, mover.rounds);
	mem_check(addr, HUGE_PAGES, seed);
	check_all_freed(addr, HUGE_PAGES, idle);
}

ONCE(unmap_huge, "munmap() from the middle of a huge page that moves to that of the next leaves the ends")
{
	const size_t pages = 2 * HUGE_PAGES, half = HUGE_PAGES / 2;
	char *addr = mem_map_huge(pages), *middle = addr + half * PAGE;
	char *end = middle + HUGE_PAGES * PAGE;
	uint64_t idle = idle_pages(), seed = 1;
	unsigned int huge = 0;
	struct mover mover;

	mem_fill(addr, pages, seed);
	if (mem_smaps(addr, "AnonHugePages") <= 0)
		SKIP("no huge page to be had");
	mover_start(&mover, addr, pages);
	while (mover_round(&mover) || !huge) {
		CHECK(mmap(addr, pages * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		      addr);
		CHECK_CALL(madvise(addr, pages * PAGE, MADV_HUGEPAGE));
		mem_fill(addr, half, ++seed);
		mem_fill(end, half, seed);
		/* The remaining pages of each huge page, if there is one. */
		mem_check_zero(middle, HUGE_PAGES);
		huge += mem_smaps(addr, "AnonHugePages") > 0;
		CHECK_CALL(munmap(middle, HUGE_PAGES * PAGE));
		mem_check(addr, half, seed);
		mem_check(end, half, seed);
		mem_fill(addr, half, ++seed);
		mem_fill(end, half, seed);
		mem_check(addr, half, seed);
		mem_check(end, half, seed);
	}
	mover_stop(&mover);
	check_all_freed(addr, pages, idle);
}

/*
 * Start a child with a thread that moves its pages to the device and back.  Return when
 * they move; then the child ends.
 */
static pid_t start_moving_child(void (*end)(void))
{
	int ends[2];
	pid_t pid;
	char byte;

	CHECK_CALL(pipe2(ends, O_CLOEXEC));
	pid = test_fork();
	if (pid == 0) {
		char *addr = mem_new(PAGES, 1);
		struct mover mover;

		mover_start(&mover, addr, PAGES);
		while (!mover_has_moved(&mover))
			test_sleep(1);
		CHECK_EQ(write(ends[1], "", 1), 1);
		end();
	}
	close(ends[1]);
	CHECK_EQ(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static void leave(void)
{
	_exit(0);
}

static void become_another(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(null, STDOUT_FILENO);
	execl("/proc/self/exe", "race_life", "--list", NULL);
	_exit(1);
}

static void stay(void)
{
	for (;;)
		pause();
}

ONCE(exit, "a process that exits while its pages move frees them all")
{
	uint64_t idle = idle_pages();

	for (unsigned int i = 0; i < test_rounds(12); i++) {
		test_wait(start_moving_child(leave));
		CHECK_EQ(idle_pages(), idle);
	}
}

ONCE(exec, "a process that becomes another program while its pages move frees them all")
{
	uint64_t idle = idle_pages();

	for (unsigned int i = 0; i < test_rounds(12); i++) {
		test_wait(start_moving_child(become_another));
		CHECK_EQ(idle_pages(), idle);
	}
}

ONCE(kill, "a process that is killed while its pages move frees them all")
{
	uint64_t idle = idle_pages();

	for (unsigned int i = 0; i < test_rounds(12); i++) {
		pid_t pid = start_moving_child(stay);

		test_sleep(3 * i);
		test_kill(pid);
		CHECK_EQ(idle_pages(), idle);
	}
}

ONCE(reap, "process_mrelease() of a process that is killed while its pages move frees them all")
{
	uint64_t idle = idle_pages();

	for (unsigned int i = 0; i < test_rounds(12); i++) {
		pid_t pid = start_moving_child(stay);
		int pidfd = syscall(SYS_pidfd_open, pid, 0);

		CHECK_CALL(pidfd);
		test_sleep(3 * i);
		CHECK_CALL(kill(pid, SIGKILL));
		/* The process may have ended, which is fine as well. */
		if (syscall(SYS_process_mrelease, pidfd, 0))
			CHECK(errno == ESRCH || errno == EAGAIN);
		test_wait_killed(pid);
		close(pidfd);
		/* This call may have been the last user of the memory. */
		device_await_free_pages(device_open(), idle);
	}
}

static void fill_memory(void)
{
	mem_set(mem_map(64 << 20 >> 12), 1, 64 << 20);
	_exit(0);
}

ONCE(out_of_memory, "a process that its memory cgroup kills while its pages move frees them all")
{
	uint64_t idle = idle_pages();
	struct cgroup group;

	cgroup_create(&group, "memory");
	cgroup_limit(&group, "16M");
	cgroup_enter(&group);
	for (unsigned int i = 0; i < test_rounds(6); i++) {
		test_wait_killed(start_moving_child(fill_memory));
		CHECK_CMP(cgroup_field(&group, "memory.events", "oom_kill"), >, i);
		/* The OOM reaper may have been the last user of the memory. */
		device_await_free_pages(device_open(), idle);
	}
	cgroup_leave();
	cgroup_remove(&group);
}
