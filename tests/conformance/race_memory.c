// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Other operations that move pages or remove memory, while the pages move to the device
 * and back.
 */
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "disk.h"
#include "machine.h"
#include "mem.h"
#include "mover.h"
#include "place.h"

/* The range is larger than a window. */
#define PAGES	640UL

#define KSM	"/sys/kernel/mm/ksm/"
#define THP	"/sys/kernel/mm/transparent_hugepage/"
#define COLLAPSED THP "khugepaged/pages_collapsed"
#define BALANCING "/sys/kernel/debug/sched/numa_balancing/"

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

/* Repeat the advice until the counter of this name has increased, if there is a name. */
static void advise_and_check(int advice, const char *counter)
{
	unsigned long long before = counter ? machine_vmstat(counter) : 0;
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover) ||
	       (counter && machine_vmstat(counter) == before)) {
		CHECK_CALL(madvise(addr, PAGES * PAGE, advice));
		mem_check(addr, PAGES, seed);
		if (mover.rounds % 2)
			mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

static void swap_body(struct place *place)
{
	(void)place;
	advise_and_check(MADV_PAGEOUT, "pswpout");
}

ONCE(swapping, "pages are swapped out while they move, and keep their data")
{
	machine_swap_on();
	machine_run(swap_body, NULL);
}

static void swap_goes_body(struct place *place)
{
	unsigned long long before = machine_vmstat("pswpout");
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	(void)place;
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover) || machine_vmstat("pswpout") == before) {
		CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_PAGEOUT));
		CHECK_CALL(swapoff(DISK));
		mem_check(addr, PAGES, seed);
		CHECK_CALL(swapon(DISK, 0));
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

ONCE(swap_goes, "swap space goes and comes back while what is in it moves, and keeps its data")
{
	machine_swap_on();
	machine_run(swap_goes_body, NULL);
}

ONCE(reclaim, "pages are put on their way out while they move, and keep their data")
{
	advise_and_check(MADV_COLD, NULL);
}

/* All pages have equal contents. */
static void fill_alike(char *addr, size_t pages, uint64_t seed)
{
	for (size_t i = 0; i < pages; i++)
		mem_fill(addr + i * PAGE, 1, seed);
}

static void check_alike(const char *addr, size_t pages, uint64_t seed)
{
	for (size_t i = 0; i < pages; i++)
		mem_check(addr + i * PAGE, 1, seed);
}

static void ksm_body(struct place *place)
{
	unsigned long long sharing, merged = 0;
	char *addr = mem_map(PAGES);
	struct mover mover;
	uint64_t seed = 7;

	(void)place;
	fill_alike(addr, PAGES, seed);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover) || !merged) {
		/*
		 * Pages that KSM may merge only move back; later they move to the device
		 * again.
		 */
		CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_MERGEABLE));
		check_alike(addr, PAGES, seed);
		test_sleep(100);
		CHECK_EQ(test_read_value(KSM "pages_sharing", &sharing), 0);
		merged += sharing;
		check_alike(addr, PAGES, seed);
		fill_alike(addr, PAGES, ++seed);
		CHECK_CALL(madvise(addr, PAGES * PAGE, MADV_UNMERGEABLE));
		check_alike(addr, PAGES, seed);
	}
	mover_stop(&mover);
	check_alike(addr, PAGES, seed);
}

ONCE(merging, "KSM merges pages while they move, and each keeps its data")
{
	machine_ksm_on("10000", "10");
	machine_run(ksm_body, NULL);
}

static void khugepaged_body(struct place *place)
{
	char *addr = mem_map_huge(2 * HUGE_PAGES);
	unsigned long long before, now = 0;
	struct mover mover;
	uint64_t seed = 1;

	(void)place;
	CHECK_EQ(test_read_value(COLLAPSED, &before), 0);
	mem_fill(addr, 2 * HUGE_PAGES, seed);
	mover_start(&mover, addr, 2 * HUGE_PAGES);
	while (mover_round(&mover) || now == before) {
		test_sleep(50);
		mem_check(addr, 2 * HUGE_PAGES, seed);
		mem_fill(addr, 2 * HUGE_PAGES, ++seed);
		CHECK_EQ(test_read_value(COLLAPSED, &now), 0);
	}
	mover_stop(&mover);
	mem_check(addr, 2 * HUGE_PAGES, seed);
}

ONCE(khugepaged, "khugepaged makes huge pages of pages that move, and they keep their data")
{
	machine_set(THP "enabled", "madvise");
	machine_set(THP "khugepaged/pages_to_scan", "100000");
	machine_set(THP "khugepaged/scan_sleep_millisecs", "10");
	machine_run(khugepaged_body, NULL);
}

static void write_while_moving(const char *path, const char *text)
{
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	if (access(path, W_OK))
		SKIP("no %s", path);
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(test_write_text(path, text));
		mem_check(addr, PAGES, seed);
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

ONCE(compaction, "compaction moves pages while they move, and they keep their data")
{
	write_while_moving("/proc/sys/vm/compact_memory", "1");
}

ONCE(drop_caches, "caches are dropped while pages move, which keep their data")
{
	write_while_moving("/proc/sys/vm/drop_caches", "3");
}

/* A page that is taken out of use stays so until the next boot. */
ONCE(soft_offline, "pages are taken out of use softly while they move, and their data is kept elsewhere")
{
	char *addr = mem_new(PAGES, 1);
	unsigned int taken = 0;
	struct mover mover;
	uint64_t seed = 1;

	machine_needs("/proc/sys/vm/memory_failure_recovery");
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover) || !taken) {
		char *page = addr + mover.rounds % PAGES * PAGE;

		/* The call fails while the page is on the device or busy. */
		if (taken < 8 && !madvise(page, PAGE, MADV_SOFT_OFFLINE))
			taken++;
		else if (!taken && errno == EOPNOTSUPP)
			SKIP("vm.enable_soft_offline is 0");
		mem_check(addr, PAGES, seed);
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	test_note("%u pages taken out of use in %u rounds", taken, mover.rounds);
	mem_check(addr, PAGES, seed);
}

ONCE(nodes, "move_pages(), mbind() and migrate_pages() take pages from node to node that move, and keep their data")
{
	const unsigned long all = machine_nodes();
	const size_t pages = 128;
	char *addr = mem_new(pages, 1);
	int before[pages], nodes[pages], after[pages];
	void *each[pages];
	unsigned long moved = 0;
	struct mover mover;
	int node = 0;

	for (size_t i = 0; i < pages; i++)
		each[i] = addr + i * PAGE;
	mover_start(&mover, addr, pages);
	while (mover_round(&mover) || !moved) {
		unsigned long target;

		node = machine_other_node(node);
		target = 1UL << node;
		for (size_t i = 0; i < pages; i++)
			nodes[i] = node;
		syscall(SYS_move_pages, 0, pages, each, NULL, before, 0);
		syscall(SYS_move_pages, 0, pages, each, nodes, after,
			MPOL_MF_MOVE);
		mem_check(addr, pages, 1);
		for (size_t i = 0; i < pages; i++)
			moved += before[i] >= 0 && before[i] != node &&
				 after[i] == node;
		CHECK_CALL(syscall(SYS_migrate_pages, 0, 64, &all, &target));
		mem_check(addr, pages, 1);
		/* The call may report that some pages could not move. */
		if (syscall(SYS_mbind, addr, pages * PAGE, MPOL_BIND, &target,
			    64, MPOL_MF_MOVE))
			CHECK_EQ(errno, EIO);
		mem_check(addr, pages, 1);
	}
	mover_stop(&mover);
	mem_check(addr, pages, 1);
}

static void balancing_body(struct place *place)
{
	unsigned long long sampled = machine_vmstat("numa_pte_updates");
	unsigned long long begin = test_milliseconds();
	char *addr = mem_new(PAGES, 1);
	struct mover mover;
	uint64_t seed = 1;

	(void)place;
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover) ||
	       (machine_vmstat("numa_pte_updates") < sampled + PAGES &&
		test_milliseconds() - begin < 60000)) {
		mem_check(addr, PAGES, seed);
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	CHECK_CMP(machine_vmstat("numa_pte_updates"), >=, sampled + PAGES);
	mem_check(addr, PAGES, seed);
}

ONCE(balancing, "NUMA balancing samples pages that move, and they keep their data")
{
	machine_set("/proc/sys/kernel/numa_balancing", "1");
	machine_set_if_there(BALANCING "scan_period_min_ms", "100");
	machine_set_if_there(BALANCING "scan_delay_ms", "10");
	machine_run(balancing_body, NULL);
}
