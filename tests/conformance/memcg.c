// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Memory control groups: their charges and their limits. */
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "device.h"
#include "machine.h"
#include "mem.h"
#include "place.h"

/* The counters of a group include the batches of the processors. */
#define PAGES	4096UL
#define SLACK	(512UL * PAGE)
#define SIZE	(PAGES * PAGE)

/* Return the charge of the group after it has stopped changing. */
static unsigned long long current(const struct cgroup *group)
{
	unsigned long long now, before = 0;

	while ((now = cgroup_value(group, "memory.current")) != before) {
		before = now;
		test_sleep(50);
	}
	return now;
}

static void check_about(unsigned long long value, unsigned long long expected)
{
	CHECK_CMP(value + SLACK, >=, expected);
	CHECK_CMP(value, <=, expected + SLACK);
}

static pid_t fork_into(const struct cgroup *group)
{
	pid_t pid = test_fork();

	if (pid == 0)
		cgroup_enter(group);
	return pid;
}

PLACES(current, "a group pays for its pages, and no more for those that moved")
{
	struct cgroup group;
	struct test_gate gate;
	unsigned long long before;
	pid_t pid;

	cgroup_create(&group, "memory");
	test_gate_open(&gate);
	before = current(&group);
	pid = fork_into(&group);
	if (pid == 0) {
		char *addr = place_new(place, PAGES, 1);

		test_gate_signal(&gate, 1);
		test_gate_await(&gate, 1);
		CHECK_CALL(munmap(addr, SIZE));
		test_gate_signal(&gate, 1);
		test_gate_await(&gate, 1);
		_exit(0);
	}
	test_gate_await(&gate, 0);
	check_about(current(&group), before + SIZE);
	check_about(cgroup_field(&group, "memory.stat", "anon"), SIZE);
	test_gate_signal(&gate, 0);
	test_gate_await(&gate, 0);
	check_about(current(&group), before);
	check_about(cgroup_field(&group, "memory.stat", "anon"), 0);
	test_gate_signal(&gate, 0);
	test_wait(pid);
	cgroup_remove(&group);
}

PLACES(to_and_fro, "a group pays the same after its pages have moved ten times")
{
	unsigned long long before;
	struct cgroup group;
	pid_t pid;

	cgroup_create(&group, "memory");
	pid = fork_into(&group);
	if (pid == 0) {
		char *addr = place_new(place, PAGES, 1);

		before = current(&group);
		for (int i = 0; i < 10; i++) {
			to_device(place->fd, addr, PAGES);
			to_system(place->fd, addr, PAGES);
		}
		check_about(current(&group), before);
		mem_check(addr, PAGES, 1);
		_exit(0);
	}
	test_wait(pid);
	check_about(current(&group), 0);
	cgroup_remove(&group);
}

PLACES(populated, "a group pays for pages that come into being on the device")
{
	struct cgroup group;
	pid_t pid;

	cgroup_create(&group, "memory");
	pid = fork_into(&group);
	if (pid == 0) {
		char *addr = mem_map(PAGES);
		unsigned long long before = current(&group);

		if (place->kind == PLACE_SYSTEM)
			mem_set(addr, 0, SIZE);
		else
			populate(place->fd, addr, PAGES);
		if (place->kind == PLACE_RETURNED)
			move_to_system(place->fd, addr, PAGES);
		check_about(current(&group), before + SIZE);
		mem_check_zero(addr, PAGES);
		check_about(current(&group), before + SIZE);
		CHECK_CALL(munmap(addr, SIZE));
		check_about(current(&group), before);
		_exit(0);
	}
	test_wait(pid);
	cgroup_remove(&group);
}

PLACES(lists, "a group's pages are on its lists for reclaim")
{
	struct cgroup group;
	pid_t pid;

	cgroup_create(&group, "memory");
	pid = fork_into(&group);
	if (pid == 0) {
		unsigned long long listed;
		char *addr = place_new(place, PAGES, 1);

		listed = cgroup_field(&group, "memory.stat", "active_anon") +
			 cgroup_field(&group, "memory.stat", "inactive_anon") +
			 cgroup_field(&group, "memory.stat", "unevictable");
		mem_check(addr, PAGES, 1);
		CHECK_CMP(listed + SLACK, >=, SIZE);
		CHECK_CMP(listed, <=, SIZE + SLACK);
		_exit(0);
	}
	test_wait(pid);
	cgroup_remove(&group);
}

PLACES(forked, "a child's group pays for the copies that it makes, not for what it reads")
{
	char *addr = place_new(place, PAGES, 1);
	struct cgroup group;
	pid_t pid;

	cgroup_create(&group, "memory");
	pid = fork_into(&group);
	if (pid == 0) {
		unsigned long long before = current(&group);

		mem_check(addr, PAGES, 1);
		check_about(current(&group), before);
		mem_fill(addr, PAGES, 2);
		check_about(current(&group), before + SIZE);
		/* The group also pays for its own pages when they move. */
		move_to_device(place->fd, addr, PAGES);
		check_about(current(&group), before + SIZE);
		_exit(0);
	}
	test_wait(pid);
	check_about(current(&group), 0);
	cgroup_remove(&group);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
}

PLACES(moved_by_child, "whoever moves pages, the group pays that had them charged")
{
	char *addr = place_new(place, PAGES, 1);
	struct cgroup group;
	pid_t pid;

	cgroup_create(&group, "memory");
	pid = fork_into(&group);
	if (pid == 0) {
		unsigned long long before = current(&group);

		to_device(place->fd, addr, PAGES);
		to_system(place->fd, addr, PAGES);
		check_about(current(&group), before);
		_exit(0);
	}
	test_wait(pid);
	cgroup_remove(&group);
	mem_check(addr, PAGES, 1);
}

/* The process that fills the pages exceeds the limit, so the kernel swaps pages out. */
static void at_limit(struct place *place)
{
	const size_t pages = 1024;
	struct cgroup group;
	char text[32];
	pid_t pid;

	cgroup_create(&group, "memory");
	pid = fork_into(&group);
	if (pid == 0) {
		char *addr = place_new(place, pages, 1), *more = mem_map(pages);
		unsigned long moved = 0;

		snprintf(text, sizeof(text), "%llu",
			 current(&group) + pages / 2 * PAGE);
		cgroup_write(&group, "memory.max", text);
		for (uint64_t seed = 2; seed < 6; seed++) {
			mem_fill(more, pages, seed);
			moved += to_system(place->fd, addr, pages)
				 .pages[DEVPUB_REASON_MOVED];
			mem_check(more, pages, seed);
			/* A read brings pages back from swap. */
			mem_check(addr, pages, 1);
			to_device(place->fd, addr, pages);
			mem_check(addr, pages, 1);
		}
		CHECK_CMP(moved, >, 0);
		_exit(0);
	}
	test_wait(pid);
	CHECK_CMP(cgroup_field(&group, "memory.events", "max"), >, 0);
	CHECK_EQ(cgroup_field(&group, "memory.events", "oom_kill"), 0);
	cgroup_remove(&group);
}

PLACES(limit, "pages move both ways in a group that is at its limit")
{
	machine_swap_on();
	machine_run(at_limit, place);
}

PLACES(beyond_limit, "a process that fills more pages than its group may have is killed, and the device gets its own back")
{
	struct cgroup group;
	int status;
	pid_t pid;

	cgroup_create(&group, "memory");
	cgroup_write(&group, "memory.max", "8M");
	cgroup_write(&group, "memory.swap.max", "0");
	pid = fork_into(&group);
	if (pid == 0) {
		char *addr = mem_map(PAGES);

		if (place->kind == PLACE_SYSTEM || mem_by_device())
			mem_set(addr, 0, SIZE);
		else
			populate(place->fd, addr, PAGES);
		_exit(0);
	}
	CHECK_CALL(waitpid(pid, &status, 0));
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGKILL);
	CHECK_CMP(cgroup_field(&group, "memory.events", "oom_kill"), >, 0);
	cgroup_remove(&group);
	device_await_free_pages(place->fd, place->idle);
}

PLACES(reclaimed, "reclaim asked for by memory.reclaim leaves pages that can't be swapped, and their data, alone")
{
	struct cgroup group;
	char path[96];
	pid_t pid;

	cgroup_create(&group, "memory");
	pid = fork_into(&group);
	if (pid == 0) {
		char *addr = place_new(place, PAGES, 1);

		/* The group can't allocate this much, so the call fails after some attempts. */
		snprintf(path, sizeof(path), "%s/memory.reclaim", group.path);
		test_write_text(path, "16M");
		place_check(place, addr, PAGES);
		mem_check(addr, PAGES, 1);
		_exit(0);
	}
	test_wait(pid);
	cgroup_remove(&group);
}

PLACES(changed_group, "pages stay charged to the group that they were charged to when their process leaves it")
{
	struct cgroup group;
	pid_t pid;

	cgroup_create(&group, "memory");
	pid = fork_into(&group);
	if (pid == 0) {
		char *addr = place_new(place, PAGES, 1);

		cgroup_leave();
		check_about(current(&group), SIZE);
		to_device(place->fd, addr, PAGES);
		to_system(place->fd, addr, PAGES);
		check_about(current(&group), SIZE);
		mem_check(addr, PAGES, 1);
		_exit(0);
	}
	test_wait(pid);
	check_about(current(&group), 0);
	cgroup_remove(&group);
}

PLACES(removed_group, "pages whose group is removed move both ways and keep their data")
{
	struct cgroup group;
	struct test_gate gate;
	pid_t pid;

	cgroup_create(&group, "memory");
	test_gate_open(&gate);
	pid = fork_into(&group);
	if (pid == 0) {
		char *addr = place_new(place, PAGES, 1);

		cgroup_leave();
		test_gate_signal(&gate, 1);
		test_gate_await(&gate, 1);
		to_device(place->fd, addr, PAGES);
		mem_check(addr, PAGES, 1);
		to_system(place->fd, addr, PAGES);
		mem_check(addr, PAGES, 1);
		_exit(0);
	}
	test_gate_await(&gate, 0);
	cgroup_remove(&group);
	test_gate_signal(&gate, 0);
	test_wait(pid);
}
