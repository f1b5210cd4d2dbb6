// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Kernel threads hold and lock pages for moments: DAMON, khugepaged, compaction.  A call retries
 * such pages, and must not refuse any.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "machine.h"
#include "mem.h"
#include "user.h"

#define PAGES		4096UL		/* 16 MiB */
#define ROUNDS		100U
#define FULL_ROUNDS	2000U

#define DAMON		"/sys/module/damon_stat/parameters/enabled"
#define HUGE		"/sys/kernel/mm/transparent_hugepage/"
#define EXAMPLE		"/devpub/example"

static void stir(void)
{
	machine_set_if_there(DAMON, "Y");
	machine_set_if_there(HUGE "enabled", "always");
	machine_set_if_there(HUGE "khugepaged/scan_sleep_millisecs", "10");
	machine_set_if_there(HUGE "khugepaged/pages_to_scan", "4096");
}

/* Compact memory all the time, in a child that is killed with the case. */
static void compact(void)
{
	if (test_fork())
		return;
	for (;;) {
		test_write_text("/proc/sys/vm/compact_memory", "1");
		test_sleep(20);
	}
}

static void count_refused(const struct outcome *out, unsigned long *refused)
{
	for (int i = DEVPUB_REASON_UNMAPPED; i < REASONS; i++) {
		if (out->pages[i] && !*refused)
			test_note("%lu pages: reason %d", out->pages[i], i);
		*refused += out->pages[i];
	}
}

static void rounds_body(struct place *place)
{
	const unsigned int rounds = test_rounds_of(ROUNDS, FULL_ROUNDS);
	unsigned int bad_to = 0, bad_back = 0;
	unsigned long refused;
	int fd;

	(void)place;
	user_admit();
	compact();
	user_become(ATTACKER);
	fd = device_open();
	for (unsigned int i = 0; i < rounds; i++) {
		char *addr = mem_map_huge(PAGES);
		struct outcome out;

		mem_fill(addr, PAGES, i);
		refused = 0;
		out = to_device_once(fd, addr, PAGES);
		count_refused(&out, &refused);
		bad_to += !!refused;
		refused = 0;
		out = to_system_once(fd, addr, PAGES);
		count_refused(&out, &refused);
		bad_back += !!refused;
		mem_check(addr, PAGES, i);
		CHECK_CALL(munmap(addr, PAGES * PAGE));
	}
	test_note("%u rounds; pages were refused %u times on the way to the device, %u back",
		  rounds, bad_to, bad_back);
	CHECK_EQ(bad_to, 0);
	CHECK_EQ(bad_back, 0);
}

CASE(huge_pages_move_whatever_the_machine_does)
{
	stir();
	machine_run(rounds_body, NULL);
}

static void example_body(struct place *place)
{
	const unsigned int rounds = test_rounds_of(ROUNDS, FULL_ROUNDS);
	unsigned int failed = 0;

	(void)place;
	user_admit();
	compact();
	user_become(ATTACKER);
	for (unsigned int i = 0; i < rounds; i++) {
		pid_t pid = test_fork();
		int status;

		if (!pid) {
			if (!freopen("/dev/null", "w", stdout))
				_exit(1);
			execl(EXAMPLE, EXAMPLE, NULL);
			_exit(1);
		}
		CHECK_CALL(waitpid(pid, &status, 0));
		failed += !!status;
	}
	test_note("%u of %u failed", failed, rounds);
	CHECK_EQ(failed, 0);
}

CASE(example_works_whatever_the_machine_does)
{
	if (access(EXAMPLE, X_OK))
		SKIP("no " EXAMPLE);
	stir();
	machine_run(example_body, NULL);
}
