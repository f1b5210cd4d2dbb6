// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* A device writes to pages that the kernel moves, merges and swaps out.  No write is lost. */
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "access.h"
#include "machine.h"
#include "scene.h"
#include "user.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define THP		"/sys/kernel/mm/transparent_hugepage/"

/* Play a scene, and fail the case unless the kernel has counted something under this name. */
static void play_counted(const char *name, void (*act)(unsigned int round))
{
	unsigned long long before = machine_vmstat(name), after;

	scene_play(act);
	after = machine_vmstat(name);
	test_note("%s: %llu", name, after - before);
	CHECK_CMP(after, >, before);
}

static void wait_for_machine(unsigned int round)
{
	(void)round;
	test_sleep(20);
}

/* Start a child that writes to a file of /proc or /sys all the time, until it is killed. */
static pid_t start_writing(const char *path, const char *text)
{
	pid_t pid = test_fork();

	if (pid)
		return pid;
	for (;;) {
		CHECK_EQ(test_write_text(path, text), 0);
		test_sleep(10);
	}
}

CASE(compaction)
{
	pid_t pid;

	user_admit();
	machine_needs("/proc/sys/vm/compact_memory");
	pid = start_writing("/proc/sys/vm/compact_memory", "1");
	play_counted("compact_migrate_scanned", wait_for_machine);
	test_kill(pid);
}

/* The kernel makes huge pages, which the next migration of a small page splits. */
static void collapse(unsigned int round)
{
	CHECK_CALL(madvise(scene.addr, SCENE_SIZE, MADV_HUGEPAGE));
	if (round % 4 == 3)
		madvise(scene.addr, SCENE_SIZE, MADV_COLLAPSE);
	test_sleep(round % 4 * 10);
	to_device_once(scene.fd, scene.addr + round % SCENE_PAGES * PAGE, 1);
	to_system_once(scene.fd, scene.addr, SCENE_PAGES);
}

static void khugepaged_body(struct place *place)
{
	(void)place;
	play_counted("thp_collapse_alloc", collapse);
}

CASE(khugepaged)
{
	user_admit();
	machine_set(THP "enabled", "madvise");
	machine_set(THP "khugepaged/scan_sleep_millisecs", "0");
	machine_set(THP "khugepaged/alloc_sleep_millisecs", "0");
	machine_set(THP "khugepaged/pages_to_scan", "4096");
	machine_run(khugepaged_body, NULL);
}

static void merge(unsigned int round)
{
	CHECK_CALL(madvise(scene.addr, SCENE_SIZE,
			   round % 8 == 7 ? MADV_UNMERGEABLE : MADV_MERGEABLE));
	test_sleep(30);
}

static void ksm_body(struct place *place)
{
	(void)place;
	play_counted("cow_ksm", merge);
}

CASE(ksm)
{
	user_admit();
	machine_ksm_on("100000", "0");
	machine_run(ksm_body, NULL);
}

/* The pages move from node to node, by migrate_pages() and by NUMA balancing. */
static void change_node(unsigned int round)
{
	unsigned long from = 1UL << round % 2, to = 3 - from;

	if (round % 2)
		CHECK_CALL(sched_setaffinity(0, sizeof(to), (cpu_set_t *)&to));
	CHECK_CMP(syscall(SYS_migrate_pages, 0, 8 * sizeof(from), &from, &to), >=, 0);
	test_sleep(20);
}

static void numa_body(struct place *place)
{
	(void)place;
	play_counted("pgmigrate_success", change_node);
}

CASE(numa_balancing)
{
	user_admit();
	machine_other_node(0);
	machine_set("/proc/sys/kernel/numa_balancing", "1");
	machine_run(numa_body, NULL);
}

static void page_out(unsigned int round)
{
	CHECK_CALL(madvise(scene.addr + round % 2 * 100 * PAGE, 300 * PAGE, MADV_PAGEOUT));
	test_sleep(5);
}

static void swap_body(struct place *place)
{
	(void)place;
	play_counted("pswpout", page_out);
}

CASE(swap)
{
	user_admit();
	machine_swap_on();
	machine_run(swap_body, NULL);
}
