// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* After any use of huge pages by users, all memory of the machine is free again. */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "machine.h"
#include "mem.h"
#include "user.h"

/* Headers before 6.1 lack this constant. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define PAGES		(64 * 1024 * 1024 / PAGE)
#define SLACK_KB	(16 * 1024LL)
#define SETTLE_MS	10000
#define FULL_ROUNDS	500
#define KHUGEPAGED	"/sys/kernel/mm/transparent_hugepage/khugepaged/"

/* The processes and threads that use the same memory in a round. */
struct attack {
	unsigned int processes, threads;
	/* Threads of each process with other operations. */
	bool others;
	/* Rounds of a short run; FULL_ROUNDS otherwise. */
	unsigned int rounds;
};

struct team {
	char *addr;
	int fd;
	pthread_barrier_t begin;
	volatile bool end;
};

static void *migrate(void *data)
{
	struct team *team = data;

	pthread_barrier_wait(&team->begin);
	to_device_once(team->fd, team->addr, PAGES);
	to_system_once(team->fd, team->addr, PAGES);
	to_device_once(team->fd, team->addr, PAGES);
	return NULL;
}

static void advise(struct team *team, int advice)
{
	/* Some kernels do not split the THP. */
	for (size_t i = 0; i < PAGES && !team->end; i += HUGE_PAGES)
		madvise(team->addr + i * PAGE, HUGE_PAGES * PAGE, advice);
}

static void move_between_nodes(struct team *team, int node)
{
	void *each[16];
	int nodes[16], status[16];

	for (size_t i = 0; i + 16 * HUGE_PAGES <= PAGES; i += 16 * HUGE_PAGES) {
		for (size_t j = 0; j < 16; j++) {
			each[j] = team->addr + (i + j * HUGE_PAGES) * PAGE;
			nodes[j] = node;
		}
		syscall(SYS_move_pages, 0, 16, each, nodes, status, MPOL_MF_MOVE);
	}
}

static void *other(void *data)
{
	static const int advice[] = { MADV_PAGEOUT, MADV_COLLAPSE, MADV_COLD };
	struct team *team = data;

	pthread_barrier_wait(&team->begin);
	for (unsigned int i = 0; !team->end; i++) {
		if (i % 4 < 3)
			advise(team, advice[i % 4]);
		else
			move_between_nodes(team, i / 4 % 2);
	}
	return NULL;
}

static void check(const char *addr)
{
	for (size_t i = 0; i < PAGES; i += HUGE_PAGES)
		CHECK_EQ((unsigned char)addr[i * PAGE], (i / HUGE_PAGES) % 255 + 1);
}

static void be_team(const struct attack *attack, char *addr)
{
	const unsigned int threads = attack->threads;
	struct team team = { .addr = addr, .fd = device_open() };
	pthread_t id[16], others[3];

	CHECK_EQ(pthread_barrier_init(&team.begin, NULL, threads +
				      (attack->others ? 3 : 0)), 0);
	for (int i = 0; attack->others && i < 3; i++)
		CHECK_EQ(pthread_create(&others[i], NULL, other, &team), 0);
	for (unsigned int i = 0; i < threads; i++)
		CHECK_EQ(pthread_create(&id[i], NULL, migrate, &team), 0);
	for (unsigned int i = 0; i < threads; i++)
		CHECK_EQ(pthread_join(id[i], NULL), 0);
	team.end = true;
	for (int i = 0; attack->others && i < 3; i++)
		CHECK_EQ(pthread_join(others[i], NULL), 0);
	check(addr);
}

/* One round: new huge pages, which all processes share, and which are freed with them. */
static void round_of(const struct attack *attack)
{
	pid_t pid = user_fork(ATTACKER), child[8];
	char *addr;

	if (pid) {
		test_wait(pid);
		return;
	}
	addr = mem_map_huge(PAGES);
	for (size_t i = 0; i < PAGES; i += HUGE_PAGES)
		addr[i * PAGE] = (i / HUGE_PAGES) % 255 + 1;
	for (unsigned int i = 1; i < attack->processes; i++) {
		child[i] = test_fork();
		if (child[i] == 0) {
			be_team(attack, addr);
			_exit(0);
		}
	}
	be_team(attack, addr);
	for (unsigned int i = 1; i < attack->processes; i++)
		test_wait(child[i]);
	_exit(0);
}

/* Free pages in per-CPU lists, which MemFree does not contain. */
static long long listed_kb(void)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	long long pages, sum = 0;
	char line[128];

	CHECK(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " count: %lld", &pages) == 1)
			sum += pages;
	fclose(file);
	return sum * (PAGE / 1024);
}

/* Sum up free memory, reclaimable memory, and memory of the kernel. */
static long long memory_kb(void)
{
	static const char * const kinds[] = {
		"MemFree", "Buffers", "Cached", "SwapCached", "Slab", "PageTables",
		"KernelStack", "Percpu",
	};
	long long sum, kb;

	CHECK_CALL(test_write_text("/proc/sys/vm/drop_caches", "3"));
	machine_drain_batches();
	sum = listed_kb();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		kb = test_field("/proc/meminfo", kinds[i]);
		sum += kb > 0 ? kb : 0;
	}
	return sum;
}

static void check_memory(long long before, unsigned int rounds)
{
	unsigned long long end = test_milliseconds() + SETTLE_MS;
	long long lost;

	for (;;) {
		lost = before - memory_kb();
		if (lost <= SLACK_KB || test_milliseconds() > end)
			break;
		test_sleep(200);
	}
	test_note("%u rounds: %lld kB lost, %lld kB a round", rounds, lost,
		  lost / rounds);
	if (lost > SLACK_KB)
		FAIL("%lld MiB are lost after %u rounds", lost / 1024, rounds);
}

/* Leaked memory can't be removed from the system either. */
static void check_blocks(void)
{
	int control = open("/dev/devpub-control", O_RDWR | O_CLOEXEC);
	struct devpub_create create = {
		.provider = DEVPUB_PROVIDER_CARVE, .size = 256 << 20, .node = -1,
	};
	struct devpub_destroy destroy = { 0 };

	CHECK(control >= 0);
	CHECK_CALL(ioctl(control, DEVPUB_IOC_CREATE, &create));
	destroy.index = create.index;
	CHECK_CALL(ioctl(control, DEVPUB_IOC_DESTROY, &destroy));
}

static void attack(const struct attack *attack)
{
	const unsigned int rounds = test_rounds_of(attack->rounds, FULL_ROUNDS);
	long long before;

	user_admit();
	/* The first round allocates memory that stays allocated. */
	round_of(attack);
	before = memory_kb();
	for (unsigned int i = 0; i < rounds; i++)
		round_of(attack);
	check_memory(before, rounds);
	check_blocks();
}

CASE(two_threads)
{
	attack(&(struct attack){ .processes = 1, .threads = 2, .rounds = 20 });
}

CASE(eight_threads)
{
	attack(&(struct attack){ .processes = 1, .threads = 8, .rounds = 6 });
}

CASE(processes)
{
	attack(&(struct attack){ .processes = 4, .threads = 2, .rounds = 6 });
}

static void compact(void)
{
	for (;;) {
		test_write_text("/proc/sys/vm/compact_memory", "1");
		test_sleep(100);
	}
}

static void beside_others(struct place *place)
{
	pid_t pid = test_fork();

	(void)place;
	if (pid == 0)
		compact();
	attack(&(struct attack){ .processes = 2, .threads = 2, .others = true,
				 .rounds = 8 });
	test_kill(pid);
}

CASE(beside_all_that_handles_huge_pages)
{
	machine_set(KHUGEPAGED "scan_sleep_millisecs", "0");
	machine_set(KHUGEPAGED "alloc_sleep_millisecs", "0");
	machine_set(KHUGEPAGED "pages_to_scan", "100000");
	machine_swap_on();
	machine_run(beside_others, NULL);
}
