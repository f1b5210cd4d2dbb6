// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The end of pages, mappings and processes. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "device.h"
#include "mem.h"
#include "place.h"

#define PAGES	64UL

PLACES(unmap_whole, "munmap() frees the pages at once")
{
	char *addr = place_new(place, PAGES, 1);

	place_check_used(place, PAGES);
	CHECK_CALL(munmap(addr, PAGES * PAGE));
	place_check_used(place, 0);
}

PLACES(unmap_part, "munmap() of a part frees that part, and leaves the rest")
{
	char *addr = place_new(place, PAGES, 1);
	char *copy = mem_new(PAGES, 1);
	const size_t from = 10, count = 30;

	CHECK_CALL(munmap(addr + from * PAGE, count * PAGE));
	place_check_used(place, PAGES - count);
	CHECK(mem_equal(addr, copy, from * PAGE));
	CHECK(mem_equal(addr + (from + count) * PAGE,
			copy + (from + count) * PAGE,
			(PAGES - from - count) * PAGE));
	place_check(place, addr, from);
	place_check(place, addr + (from + count) * PAGE, PAGES - from - count);
	CHECK_CALL(munmap(addr, PAGES * PAGE));
	place_check_used(place, 0);
}

PLACES(unmap_huge_middle,
	"munmap() from the middle of one huge page to that of the next leaves the ends")
{
	const size_t pages = 2 * HUGE_PAGES, from = 100, count = HUGE_PAGES;
	char *addr = place_new_huge(place, pages, 1);
	char *copy = mem_new(pages, 1);

	CHECK_CALL(munmap(addr + from * PAGE, count * PAGE));
	place_check_used(place, pages - count);
	CHECK(mem_equal(addr, copy, from * PAGE));
	CHECK(mem_equal(addr + (from + count) * PAGE,
			copy + (from + count) * PAGE,
			(pages - from - count) * PAGE));
	place_check(place, addr, from);
	CHECK_CALL(munmap(addr, pages * PAGE));
	place_check_used(place, 0);
}

PLACES(unmap_mixed, "munmap() frees pages of all places, and holes, in one go")
{
	char *addr = mem_map(4 * PAGES);
	size_t placed = 0;

	/* Of four pages, one is in the place, two are in system memory, and one is a hole. */
	for (size_t i = 0; i < 4 * PAGES; i += 4) {
		mem_fill(addr + i * PAGE, 3, i);
		place_put(place, addr + (i + 1) * PAGE, 1);
		placed++;
	}
	place_check_used(place, placed);
	for (size_t i = 0; i < 4 * PAGES; i += 4)
		mem_check(addr + i * PAGE, 3, i);
	CHECK_CALL(munmap(addr, 4 * PAGES * PAGE));
	place_check_used(place, 0);
}

PLACES(map_over, "a mapping put over others frees their pages and shows zeros")
{
	char *addr = place_new(place, PAGES, 1);

	CHECK(mmap(addr, PAGES * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == addr);
	place_check_used(place, 0);
	mem_check_zero(addr, PAGES);
}

PLACES(shared_by_fork, "pages of several processes are freed with the last that maps them")
{
	char *addr = place_new(place, PAGES, 1);
	struct test_gate gate;
	pid_t pid;

	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		test_gate_await(&gate, 1);
		mem_check(addr, PAGES, 1);
		CHECK_CALL(munmap(addr, PAGES / 2 * PAGE));
		_exit(0);
	}
	CHECK_CALL(munmap(addr, PAGES * PAGE));
	place_check_used(place, PAGES);
	test_gate_signal(&gate, 0);
	test_wait(pid);
	place_check_used(place, 0);
}

/*
 * Start a child that has pages in the place and has written to some of them since its
 * fork.  It ends when the gate opens.
 */
static pid_t start_owner(struct place *place, struct test_gate *gate)
{
	char *addr;
	pid_t pid;

	test_gate_open(gate);
	pid = test_fork();
	if (pid) {
		test_gate_await(gate, 0);
		place_check_used(place, PAGES);
		return pid;
	}
	addr = place_new(place, PAGES, 1);
	mem_check(addr, PAGES, 1);
	test_gate_signal(gate, 1);
	return 0;
}

PLACES(exits, "a process that exits frees its pages")
{
	struct test_gate gate;
	pid_t pid = start_owner(place, &gate);

	if (pid == 0) {
		test_gate_await(&gate, 1);
		_exit(0);
	}
	test_gate_signal(&gate, 0);
	test_wait(pid);
	place_check_used(place, 0);
}

PLACES(execs, "a process that becomes another program frees its pages")
{
	struct test_gate gate;
	pid_t pid = start_owner(place, &gate);

	if (pid == 0) {
		test_gate_await(&gate, 1);
		CHECK_CALL(dup2(gate.fd[1][1], 1));
		execl("/proc/self/exe", "life", "--list", NULL);
		_exit(1);
	}
	test_gate_signal(&gate, 0);
	/* The new program writes to the pipe. */
	test_gate_await(&gate, 0);
	place_check_used(place, 0);
	test_wait(pid);
}

PLACES(killed, "a process that is killed frees its pages")
{
	struct test_gate gate;
	pid_t pid = start_owner(place, &gate);

	if (pid == 0)
		for (;;)
			pause();
	test_kill(pid);
	place_check_used(place, 0);
}

static void *touch_for_ever(void *addr)
{
	for (size_t i = 0;; i++)
		mem_add_word((char *)addr + i % PAGES * PAGE, 1);
	return NULL;
}

PLACES(killed_with_threads, "a process killed while its threads write frees its pages")
{
	struct test_gate gate;
	pid_t pid;

	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		char *addr = place_new(place, PAGES, 1);
		pthread_t thread;

		for (int i = 0; i < 3; i++)
			CHECK_EQ(pthread_create(&thread, NULL, touch_for_ever,
						addr), 0);
		test_gate_signal(&gate, 1);
		touch_for_ever(addr);
	}
	test_gate_await(&gate, 0);
	place_check_used(place, PAGES);
	test_kill(pid);
	place_check_used(place, 0);
}

#ifndef SYS_process_mrelease
#define SYS_process_mrelease	448
#endif

PLACES(reaped, "process_mrelease() frees the pages of a killed process before it exits")
{
	struct test_gate gate;
	pid_t pid = start_owner(place, &gate);
	int pidfd, status;

	if (pid == 0)
		for (;;)
			pause();
	/* The tracer stops the process on its way to exit. */
	CHECK_CALL(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXIT));
	CHECK_CALL(kill(pid, SIGKILL));
	CHECK_CALL(waitpid(pid, &status, 0));
	CHECK_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_EXIT << 8);
	place_check_used(place, PAGES);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	CHECK_CALL(pidfd);
	CHECK_CALL(syscall(SYS_process_mrelease, pidfd, 0));
	place_check_used(place, 0);
	CHECK_CALL(ptrace(PTRACE_CONT, pid, 0, 0));
	CHECK_CALL(waitpid(pid, NULL, 0));
	place_check_used(place, 0);
}

PLACES(out_of_memory, "a process that its memory cgroup kills frees its pages")
{
	struct cgroup group;
	pid_t pid;

	cgroup_create(&group, "memory");
	cgroup_limit(&group, "16M");
	pid = test_fork();
	if (pid == 0) {
		char *more;

		cgroup_enter(&group);
		place_new(place, PAGES, 1);
		more = mem_map(64 << 20 >> 12);
		mem_set(more, 1, 64 << 20);
		_exit(0);
	}
	test_wait_killed(pid);
	CHECK_EQ(cgroup_field(&group, "memory.events", "oom_kill"), 1);
	place_check_used(place, 0);
	cgroup_remove(&group);
}
