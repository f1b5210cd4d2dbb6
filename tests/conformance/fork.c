// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* fork(), vfork() and clone(), and the copies that later writes make. */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "mem.h"
#include "place.h"

#define PAGES	64UL

PLACES(child_reads, "a child reads what its parent wrote, in the same pages")
{
	char *addr = place_new(place, PAGES, 1);
	uint64_t pfn = mem_pfn(addr);
	pid_t pid = test_fork();

	if (pid == 0) {
		mem_check(addr, PAGES, 1);
		CHECK_EQ(mem_pfn(addr), pfn);
		place_check(place, addr, PAGES);
		_exit(0);
	}
	test_wait(pid);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
	place_check_used(place, PAGES);
}

PLACES(child_writes,
	"a child that writes gets copies, in system memory; the parent keeps the pages")
{
	char *addr = place_new(place, PAGES, 1);
	pid_t pid = test_fork();

	if (pid == 0) {
		mem_fill(addr, PAGES, 2);
		check_in_system(place->fd, addr, PAGES);
		mem_check(addr, PAGES, 2);
		_exit(0);
	}
	test_wait(pid);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
	place_check_used(place, PAGES);
}

PLACES(parent_writes,
	"a parent that writes gets copies, in system memory; the child keeps the pages")
{
	char *addr = place_new(place, PAGES, 1);
	struct test_gate gate;
	pid_t pid;

	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		test_gate_await(&gate, 1);
		mem_check(addr, PAGES, 1);
		place_check(place, addr, PAGES);
		_exit(0);
	}
	mem_fill(addr, PAGES, 2);
	check_in_system(place->fd, addr, PAGES);
	test_gate_signal(&gate, 0);
	test_wait(pid);
	mem_check(addr, PAGES, 2);
	/* Only the child maps the pages. */
	place_check_used(place, 0);
}

PLACES(both_write, "of parent and child that both write, neither sees what the other wrote")
{
	char *addr = place_new(place, PAGES, 1);
	struct test_gate gate;
	pid_t pid;

	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		for (size_t i = 0; i < PAGES; i += 2)
			mem_put(addr + i * PAGE + 5, 'c');
		test_gate_signal(&gate, 1);
		test_gate_await(&gate, 1);
		for (size_t i = 0; i < PAGES; i++)
			CHECK_CMP(mem_get(addr + i * PAGE + 5), !=, 'p');
		for (size_t i = 0; i < PAGES; i += 2)
			CHECK_EQ(mem_get(addr + i * PAGE + 5), 'c');
		_exit(0);
	}
	test_gate_await(&gate, 0);
	mem_check(addr, PAGES, 1);
	for (size_t i = 0; i < PAGES; i += 3)
		mem_put(addr + i * PAGE + 5, 'p');
	test_gate_signal(&gate, 0);
	test_wait(pid);
	for (size_t i = 0; i < PAGES; i += 3)
		CHECK_EQ(mem_get(addr + i * PAGE + 5), 'p');
	for (size_t i = 0; i < PAGES; i++)
		if (i % 3)
			CHECK_CMP(mem_get(addr + i * PAGE + 5), !=, 'c');
}

/* Each generation writes to a quarter of the pages. */
static void generation(struct place *place, char *addr, unsigned int depth)
{
	const size_t mine = PAGES / 4;
	pid_t pid;

	mem_fill(addr + depth * mine * PAGE, mine, 10 + depth);
	if (depth < 3) {
		pid = test_fork();
		if (pid == 0) {
			generation(place, addr, depth + 1);
			_exit(0);
		}
		test_wait(pid);
	}
	for (unsigned int i = 0; i < 4; i++) {
		char *part = addr + i * mine * PAGE;

		if (i <= depth)
			mem_check(part, mine, 10 + i);
		else
			mem_check(part, mine, 20 + i);
	}
}

PLACES(generations,
	"children of children write, and each generation sees its own and what it inherited")
{
	const size_t part = PAGES / 4;
	char *addr = mem_map(PAGES);

	for (unsigned int i = 0; i < 4; i++)
		mem_fill(addr + i * part * PAGE, part, 20 + i);
	place_put(place, addr, PAGES);
	generation(place, addr, 0);
}

PLACES(many_children, "each of many children at once writes a page of its own and reads all others")
{
	char *addr = place_new(place, PAGES, 1), *copy = mem_new(PAGES, 1);
	pid_t pid[8];

	for (unsigned int i = 0; i < 8; i++) {
		pid[i] = test_fork();
		if (pid[i])
			continue;
		mem_set(addr + i * PAGE, 'c', PAGE);
		mem_set(copy + i * PAGE, 'c', PAGE);
		/* All generations write to this page. */
		mem_fill(addr, 1, i);
		mem_fill(copy, 1, i);
		CHECK(mem_equal(addr, copy, PAGES * PAGE));
		_exit(0);
	}
	for (unsigned int i = 0; i < 8; i++)
		test_wait(pid[i]);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
	place_check_used(place, PAGES);
}

static void check_same_frames(const void *addr, const uint64_t *pfns)
{
	uint64_t now[PAGES];

	mem_pfns(addr, PAGES, now);
	for (size_t i = 0; i < PAGES; i++)
		if (now[i] != pfns[i])
			FAIL("page %zu was copied", i);
}

PLACES(reuse_after_child, "who writes after the child's exit keeps the pages, and no copy is made")
{
	uint64_t pfns[PAGES];
	char *addr;
	pid_t pid;

	place_stay_on_cpu();
	addr = place_new(place, PAGES, 1);
	mem_pfns(addr, PAGES, pfns);
	pid = test_fork();
	if (pid == 0)
		_exit(0);
	test_wait(pid);
	mem_fill(addr, PAGES, 2);
	mem_check(addr, PAGES, 2);
	check_same_frames(addr, pfns);
	place_check(place, addr, PAGES);
	place_check_used(place, PAGES);
}

PLACES(reuse_after_parent,
	"a child that writes after its parent unmapped them gets the pages, not copies")
{
	struct test_gate gate;
	uint64_t pfns[PAGES];
	char *addr;
	pid_t pid;

	place_stay_on_cpu();
	addr = place_new(place, PAGES, 1);
	mem_pfns(addr, PAGES, pfns);
	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		test_gate_await(&gate, 1);
		mem_fill(addr, PAGES, 2);
		check_same_frames(addr, pfns);
		place_check(place, addr, PAGES);
		place_check_used(place, PAGES);
		_exit(0);
	}
	CHECK_CALL(munmap(addr, PAGES * PAGE));
	test_gate_signal(&gate, 0);
	test_wait(pid);
	place_check_used(place, 0);
}

PLACES(sibling_exits, "of two children, one's exit leaves the other its pages")
{
	char *addr = place_new(place, PAGES, 1);
	pid_t first = test_fork(), second;
	struct test_gate gate;

	if (first == 0) {
		mem_fill(addr, PAGES / 2, 3);
		_exit(0);
	}
	test_gate_open(&gate);
	second = test_fork();
	if (second == 0) {
		test_gate_await(&gate, 1);
		mem_check(addr, PAGES, 1);
		place_check(place, addr, PAGES);
		mem_fill(addr, PAGES, 2);
		mem_check(addr, PAGES, 2);
		_exit(0);
	}
	test_wait(first);
	test_gate_signal(&gate, 0);
	test_wait(second);
	mem_check(addr, PAGES, 1);
	place_check_used(place, PAGES);
}

/* The state and the stack of a process that shares the memory. */
static struct {
	struct place *place;
	char *addr;
	char stack[65536] __attribute__((aligned(16)));
} sharer;

static int share(void *unused)
{
	(void)unused;
	mem_check(sharer.addr, PAGES, 1);
	place_check(sharer.place, sharer.addr, PAGES);
	mem_fill(sharer.addr, PAGES, 2);
	return 0;
}

static void run_sharer(struct place *place, int flags)
{
	char *addr = place_new(place, PAGES, 1);
	uint64_t pfns[PAGES];
	pid_t pid;

	sharer.place = place;
	sharer.addr = addr;
	mem_pfns(addr, PAGES, pfns);
	pid = clone(share, sharer.stack + sizeof(sharer.stack),
		    flags | SIGCHLD, NULL);
	CHECK_CALL(pid);
	test_wait(pid);
	mem_check(addr, PAGES, 2);
	check_same_frames(addr, pfns);
	place_check(place, addr, PAGES);
	place_check_used(place, PAGES);
}

PLACES(vfork, "a child of vfork() reads and writes its parent's own pages")
{
	run_sharer(place, CLONE_VM | CLONE_VFORK);
}

PLACES(clone_vm, "a process that shares the memory reads and writes the same pages")
{
	run_sharer(place, CLONE_VM);
}

PLACES(moved_by_child, "pages that a child moves are its parent's still, and moved for both")
{
	char *addr = place_new(place, PAGES, 1);
	pid_t pid = test_fork();

	if (pid == 0) {
		if (place->kind == PLACE_DEVICE)
			move_to_system(place->fd, addr, PAGES);
		else
			move_to_device(place->fd, addr, PAGES);
		mem_check(addr, PAGES, 1);
		_exit(0);
	}
	test_wait(pid);
	if (place->kind == PLACE_DEVICE)
		check_in_system(place->fd, addr, PAGES);
	else
		check_on_device(place->fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

PLACES(kernel_writes,
	"a system call that writes into a child's memory does not show in the parent's")
{
	char *addr = place_new(place, 4, 1), *other = mem_new(4, 2);
	int ends[2];
	pid_t pid;

	CHECK_CALL(pipe(ends));
	pid = test_fork();
	if (pid == 0) {
		CHECK_EQ(write(ends[1], other, 4 * PAGE), 4 * PAGE);
		CHECK_EQ(read(ends[0], addr, 4 * PAGE), 4 * PAGE);
		mem_check(addr, 4, 2);
		_exit(0);
	}
	test_wait(pid);
	mem_check(addr, 4, 1);
	place_check(place, addr, 4);
}

PLACES(read_only, "pages that were read-only at fork() are copied when the child may write them")
{
	char *addr = place_new(place, PAGES, 1);
	pid_t pid;

	CHECK_CALL(mprotect(addr, PAGES * PAGE, PROT_READ));
	pid = test_fork();
	if (pid == 0) {
		CHECK_CALL(mprotect(addr, PAGES * PAGE,
				    PROT_READ | PROT_WRITE));
		mem_fill(addr, PAGES, 2);
		_exit(0);
	}
	test_wait(pid);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
}

PLACES(dontfork, "MADV_DONTFORK keeps the pages from the child")
{
	char *addr = place_new(place, PAGES, 1);
	unsigned char in_core;
	pid_t pid;

	CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_DONTFORK));
	pid = test_fork();
	if (pid == 0) {
		CHECK_ERRNO(mincore(addr, PAGE, &in_core), ENOMEM);
		_exit(0);
	}
	test_wait(pid);
	mem_fill(addr, PAGES, 2);
	place_check(place, addr, PAGES);
}

PLACES(wipeonfork, "MADV_WIPEONFORK shows the child zeros")
{
	char *addr = place_new(place, PAGES, 1);
	pid_t pid;

	CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_WIPEONFORK));
	pid = test_fork();
	if (pid == 0) {
		mem_check_zero(addr, PAGES);
		mem_fill(addr, PAGES, 2);
		_exit(0);
	}
	test_wait(pid);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
	place_check_used(place, PAGES);
}

PLACES(huge, "a child writes what was a huge page of its parent's, which stays as it was")
{
	char *addr = place_new_huge(place, 2 * HUGE_PAGES, 1);
	pid_t pid = test_fork();

	if (pid == 0) {
		mem_check(addr, 2 * HUGE_PAGES, 1);
		mem_fill(addr, 2 * HUGE_PAGES, 2);
		mem_check(addr, 2 * HUGE_PAGES, 2);
		_exit(0);
	}
	test_wait(pid);
	mem_check(addr, 2 * HUGE_PAGES, 1);
	place_check(place, addr, 2 * HUGE_PAGES);
	place_check_used(place, 2 * HUGE_PAGES);
}
