// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * 6.12 spins while it collects a THP that another task is about to move
 * (Documentation/kernel-bugs.md).  If that task waits for the same processor, the
 * processor hangs forever.
 */
#include <linux/mempolicy.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "user.h"

#define THPS	2
#define PAGES	(THPS * HUGE_PAGES)

static struct shared {
	atomic_ulong beat;
	atomic_ulong moves, calls;
} *shared;

static char *range;
static int fd;

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	CHECK_CALL(sched_setaffinity(0, sizeof(set), &set));
}

/* Hold a plain reference to each, so that the THP is unmapped and remapped, but not split. */
static void hold(void)
{
	for (int i = 0; i < THPS; i++) {
		struct iovec piece = { range + i * HUGE_PAGES * PAGE, PAGE };
		int ends[2];

		range[i * HUGE_PAGES * PAGE] = 1;
		CHECK_CALL(pipe(ends));
		CHECK_EQ(vmsplice(ends[1], &piece, 1, 0), PAGE);
	}
}

static void *moves_between_nodes(void *data)
{
	void *each[THPS];
	int nodes[THPS], status[THPS];

	(void)data;
	for (unsigned int round = 0;; round++) {
		for (int i = 0; i < THPS; i++) {
			each[i] = range + i * HUGE_PAGES * PAGE;
			nodes[i] = round % 2;
		}
		syscall(SYS_move_pages, 0, THPS, each, nodes, status, MPOL_MF_MOVE);
		shared->moves++;
	}
	return NULL;
}

static void *migrates(void *data)
{
	unsigned int i = (unsigned long)data;

	for (;; i++) {
		struct devpub_migrate arg = migrate_arg(range + i % THPS * HUGE_PAGES * PAGE,
							HUGE_PAGES, NULL);

		arg.workers = 1;
		ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg);
		shared->calls++;
	}
	return NULL;
}

CASE(migrated_on_one_processor)
{
	const unsigned int seconds = test_rounds(20);
	unsigned long last;
	pthread_t id;
	pid_t beat, pid;

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	user_admit();
	beat = user_fork(VICTIM);
	if (beat == 0) {
		pin(0);
		for (;;) {
			shared->beat++;
			test_sleep(20);
		}
	}
	pid = user_fork(ATTACKER);
	if (pid == 0) {
		setsid();
		for (int i = 0; i < 7; i++)
			if (!test_fork())
				break;
		fd = device_open();
		pin(0);
		range = mem_map_huge(PAGES);
		hold();
		for (unsigned long i = 0; i < 12; i++)
			CHECK_EQ(pthread_create(&id, NULL, migrates, (void *)i), 0);
		moves_between_nodes(NULL);
	}
	pin(1);
	for (unsigned int s = 0; s < seconds; s++) {
		last = shared->beat;
		test_sleep(1000);
		if (s % 10 == 0)
			test_note("%u s: %lu calls, %lu move_pages", s,
				  shared->calls, shared->moves);
		if (shared->beat != last)
			continue;
		test_sleep(5000);
		if (shared->beat == last) {
			test_note("at %u s: processor 0 does not run others since 5 s", s);
			kill(-pid, SIGKILL);
			test_sleep(30000);
			FAIL("stuck; %s after SIGKILL to the attacker and 30 s",
			     shared->beat == last ? "still" : "not any more");
		}
	}
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	test_kill(beat);
}
