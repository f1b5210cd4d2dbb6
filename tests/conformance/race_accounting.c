// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Memory statistics while the pages move to the device and back. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cgroup.h"
#include "device.h"
#include "machine.h"
#include "mem.h"
#include "mover.h"
#include "pagemap.h"
#include "place.h"

/* The range is larger than a window. */
#define PAGES	640UL

#define KIB(pages)	((long long)(pages) * (long long)PAGE / 1024)

ONCE(smaps, "smaps shows all pages as resident at any time")
{
	char *around = mem_map(PAGES + 2), *addr = around + PAGE;
	struct mover mover;

	/*
	 * This keeps the kernel from merging the mapping with the stack of a thread
	 * beside it.
	 */
	CHECK_CALL(mprotect(around, PAGE, PROT_NONE));
	CHECK_CALL(mprotect(addr + PAGES * PAGE, PAGE, PROT_NONE));
	mem_fill(addr, PAGES, 1);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_EQ(mem_smaps(addr, "Rss"), KIB(PAGES));
		CHECK_EQ(mem_smaps(addr, "Pss"), KIB(PAGES));
		CHECK_EQ(mem_smaps(addr, "Swap"), 0);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, 1);
}

ONCE(rollup, "smaps_rollup shows all pages at any time")
{
	long long before = test_field("/proc/self/smaps_rollup", "Rss");
	char *addr = mem_new(PAGES, 1);
	struct mover mover;

	mover_start(&mover, addr, PAGES);
	/* Wait until the thread has all its memory; see rollup_contended in accounting.c. */
	while (!mover.passes)
		test_sleep(1);
	while (mover_round(&mover))
		CHECK_CMP(test_field("/proc/self/smaps_rollup", "Rss"), >=,
			  before + KIB(PAGES));
	mover_stop(&mover);
	mem_check(addr, PAGES, 1);
}

ONCE(resident, "the resident set is the same after many moves as before")
{
	char *addr = mem_new(PAGES, 1);
	long long before = test_field("/proc/self/status", "RssAnon");
	struct mover mover;

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		/* The value does not include the batches of the processors. */
		CHECK_CMP(test_field("/proc/self/status", "RssAnon") +
			  KIB(PAGES / 2), >=, before);
		CHECK_CMP(test_field("/proc/self/status", "RssAnon"), <,
			  before + KIB(PAGES / 2));
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, 1);
}

ONCE(pagemap, "pagemap shows each page as present, or for a moment as being moved, and never as a hole")
{
	char *addr = mem_new(PAGES, 1);
	uint64_t entries[PAGES];
	struct mover mover;

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		pagemap_read(addr, PAGES, entries);
		for (size_t i = 0; i < PAGES; i++)
			CHECK(entries[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED));
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, 1);
}

ONCE(mincore, "mincore() tells all pages as there at any time")
{
	char *addr = mem_new(PAGES, 1);
	unsigned char there[PAGES];
	struct mover mover;

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(mincore(addr, PAGES * PAGE, there));
		for (size_t i = 0; i < PAGES; i++)
			CHECK(there[i] & 1);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, 1);
}

ONCE(limits, "pages of a process that may have no more address space nor data move, and it may still not")
{
	char *addr = mem_new(PAGES, 1);
	struct rlimit none = { .rlim_cur = 0, .rlim_max = RLIM_INFINITY };
	unsigned long to, back;
	struct mover mover;
	uint64_t seed = 1;

	mover_start(&mover, addr, PAGES);
	/* The helpers must not be the first that need a new page. */
	while (!mover.passes)
		test_sleep(1);
	CHECK_CALL(setrlimit(RLIMIT_AS, &none));
	CHECK_CALL(setrlimit(RLIMIT_DATA, &none));
	to = mover.moved_to;
	back = mover.moved_back;
	while (mover_round(&mover) || mover.moved_to == to ||
	       mover.moved_back == back) {
		CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
		mem_check(addr, PAGES, seed);
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

static void read_whole(const char *path)
{
	static char text[1 << 16];
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	CHECK_CALL(file);
	do {
		got = read(file, text, sizeof(text));
		CHECK_CALL(got);
	} while (got > 0);
	close(file);
}

ONCE(by_child, "a child that reads its parent's pagemap, smaps and numa_maps disturbs no move")
{
	char *addr = mem_new(PAGES, 1);
	pid_t parent = getpid(), pid;
	uint64_t entries[PAGES];
	struct mover mover;
	char path[64];

	pid = test_fork();
	if (pid == 0) {
		for (;;) {
			pagemap_read_of(parent, addr, PAGES, entries);
			snprintf(path, sizeof(path), "/proc/%d/smaps", parent);
			read_whole(path);
			snprintf(path, sizeof(path), "/proc/%d/numa_maps",
				 parent);
			if (!access(path, R_OK))
				read_whole(path);
		}
	}
	mem_fill(addr, PAGES, 2);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover))
		mem_check(addr, PAGES, 2);
	mover_stop(&mover);
	test_kill(pid);
	mem_check(addr, PAGES, 2);
}

ONCE(charged, "a group pays for each page once, but for those that are between two places")
{
	unsigned long long before;
	struct cgroup group;
	pid_t pid;

	cgroup_create(&group, "memory");
	pid = test_fork();
	if (pid == 0) {
		struct mover mover;
		char *addr;

		cgroup_enter(&group);
		addr = mem_new(4 * PAGES, 1);
		before = cgroup_value(&group, "memory.current");
		mover_start(&mover, addr, 4 * PAGES);
		while (mover_round(&mover)) {
			unsigned long long now =
				cgroup_value(&group, "memory.current");

			/* A window and the batches of the processors. */
			CHECK_CMP(now + 512 * PAGE, >=, before);
			CHECK_CMP(now, <, before + 1536 * PAGE);
		}
		mover_stop(&mover);
		mem_check(addr, 4 * PAGES, 1);
		_exit(0);
	}
	test_wait(pid);
	cgroup_remove(&group);
}

/* The bytes that processors may have charged in advance or not yet reported. */
static size_t batched(void)
{
	return 2 * 64 * PAGE * sysconf(_SC_NPROCESSORS_ONLN);
}

ONCE(memory_stat, "memory.stat counts a group's pages as anonymous, but for those that are between two places")
{
	const size_t windows = 512 * PAGE * sysconf(_SC_NPROCESSORS_ONLN);
	struct cgroup group;
	pid_t pid;

	cgroup_create(&group, "memory");
	pid = test_fork();
	if (pid == 0) {
		unsigned long long before;
		struct mover mover;
		char *addr;

		cgroup_enter(&group);
		addr = mem_new(4 * PAGES, 1);
		before = cgroup_field(&group, "memory.stat", "anon");
		mover_start(&mover, addr, 4 * PAGES);
		while (mover_round(&mover)) {
			unsigned long long now =
				cgroup_field(&group, "memory.stat", "anon");

			/* The pages in a window of each worker are not mapped. */
			CHECK_CMP(now + windows + batched(), >=, before);
			CHECK_CMP(now, <, before + batched());
			test_sleep(10);
		}
		mover_stop(&mover);
		mem_check(addr, 4 * PAGES, 1);
		_exit(0);
	}
	test_wait(pid);
	cgroup_remove(&group);
}

ONCE(forked_group, "a child in a group of its own pays for the copies that it makes of pages that move")
{
	char *addr = mem_new(4 * PAGES, 1);
	struct cgroup group;
	struct mover mover;

	cgroup_create(&group, "memory");
	mover_start(&mover, addr, 4 * PAGES);
	while (mover_round(&mover)) {
		pid_t pid = test_fork();

		if (pid == 0) {
			unsigned long long before, now;

			cgroup_enter(&group);
			mem_check(addr, 4 * PAGES, 1);
			before = cgroup_value(&group, "memory.current");
			mem_fill(addr, 2 * PAGES, 2);
			mem_check(addr, 2 * PAGES, 2);
			now = cgroup_value(&group, "memory.current");
			CHECK_CMP(now + batched(), >=, before + 2 * PAGES * PAGE);
			CHECK_CMP(now, <, before + 2 * PAGES * PAGE + batched());
			_exit(0);
		}
		test_wait(pid);
	}
	mover_stop(&mover);
	mem_check(addr, 4 * PAGES, 1);
	cgroup_remove(&group);
}

static void at_limit_body(struct place *place)
{
	/* The part of the memory above the limit must fit into swap. */
	const size_t pages = 4 * PAGES, others = 1536, room = 1024;
	struct cgroup group;
	char text[32];
	pid_t pid;

	(void)place;
	cgroup_create(&group, "memory");
	pid = test_fork();
	if (pid == 0) {
		struct mover mover;
		char *addr, *more;

		cgroup_enter(&group);
		addr = mem_new(pages, 1);
		more = mem_map(others);
		snprintf(text, sizeof(text), "%llu",
			 cgroup_value(&group, "memory.current") + room * PAGE);
		cgroup_write(&group, "memory.max", text);
		mover_start(&mover, addr, pages);
		while (mover_round(&mover)) {
			mem_fill(more, others, 3);
			mem_check(more, others, 3);
			CHECK_CALL(madvise(more, others * PAGE, MADV_DONTNEED));
		}
		mover_stop(&mover);
		mem_check(addr, pages, 1);
		_exit(0);
	}
	test_wait(pid);
	CHECK_CMP(cgroup_field(&group, "memory.events", "max"), >, 0);
	CHECK_EQ(cgroup_field(&group, "memory.events", "oom_kill"), 0);
	cgroup_remove(&group);
}

ONCE(at_limit, "a group at its limit allocates and frees while its pages move, and no process is killed")
{
	machine_swap_on();
	machine_run(at_limit_body, NULL);
}

ONCE(changes_group, "a process changes groups while its pages move, and all is paid back in the end")
{
	struct cgroup group;
	pid_t pid;

	cgroup_create(&group, "memory");
	pid = test_fork();
	if (pid == 0) {
		struct mover mover;
		char *addr;

		cgroup_enter(&group);
		addr = mem_new(PAGES, 1);
		mover_start(&mover, addr, PAGES);
		while (mover_round(&mover)) {
			cgroup_leave();
			mem_check(addr, PAGES, 1);
			cgroup_enter(&group);
			mem_check(addr, PAGES, 1);
		}
		mover_stop(&mover);
		_exit(0);
	}
	test_wait(pid);
	for (int i = 0; cgroup_value(&group, "memory.current") >= 512 * PAGE; i++) {
		CHECK_CMP(i, <, 100);
		test_sleep(50);
	}
	cgroup_remove(&group);
}
