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
#define KSM		"/sys/kernel/mm/ksm/"

/* Let the test pass only if the machine has done what the case is about. */
static unsigned long long counted;

static void count_from(const char *name)
{
	counted = machine_vmstat(name);
}

static void count_check(const char *name)
{
	unsigned long long now = machine_vmstat(name);

	test_note("%s: %llu", name, now - counted);
	CHECK_CMP(now, >, counted);
}

static void wait_for_machine(unsigned int round)
{
	(void)round;
	test_sleep(20);
}

/* Write to a file of the kernel's all the time, until killed. */
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
	count_from("compact_migrate_scanned");
	pid = start_writing("/proc/sys/vm/compact_memory", "1");
	scene_play(wait_for_machine);
	test_kill(pid);
	count_check("compact_migrate_scanned");
}

/* Huge pages come together, and are split by the next migration of a page. */
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
	count_from("thp_collapse_alloc");
	scene_play(collapse);
	count_check("thp_collapse_alloc");
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
	count_from("cow_ksm");
	scene_play(merge);
	count_check("cow_ksm");
}

CASE(ksm)
{
	user_admit();
	machine_set(KSM "pages_to_scan", "100000");
	machine_set(KSM "sleep_millisecs", "0");
	machine_set_if_there(KSM "smart_scan", "0");
	machine_set(KSM "run", "1");
	machine_run(ksm_body, NULL);
}

/* The pages go from node to node, asked for and by the kernel's own choice. */
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
	count_from("pgmigrate_success");
	scene_play(change_node);
	count_check("pgmigrate_success");
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
	count_from("pswpout");
	scene_play(page_out);
	count_check("pswpout");
}

CASE(swap)
{
	user_admit();
	machine_swap_on();
	machine_run(swap_body, NULL);
}
