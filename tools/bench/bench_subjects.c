// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The operations that the benchmark measures: devpub's calls, and others for comparison. */
#include <errno.h>
#include <fcntl.h>
#include <linux/devpub.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define HUGE		(2UL << 20)
#define TRIES		20
#define MOVE_BATCH	512
#define MPOL_MF_MOVE	(1 << 1)

const char *const source_names[SOURCES] = {
	[SOURCE_SMALL]		= "small",
	[SOURCE_THP]		= "thp",
	[SOURCE_FORKED]		= "forked",
	[SOURCE_THREADS]	= "threads",
};

/* The memory that this process moves. */
unsigned char *bench_memory;
static size_t mapped;
static pid_t sharer;

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* No-ops that scripts/profile.c knows by their displacement. */
uint64_t bench_timed_begin(const struct bench *bench)
{
	if (bench->profile)
		asm volatile("nopl 0x0deb0b01(%%rax)" : : : "memory");
	return clock_ns();
}

uint64_t bench_timed_end(const struct bench *bench, uint64_t begun)
{
	uint64_t took = clock_ns() - begun;

	if (bench->profile)
		asm volatile("nopl 0x0deb0b02(%%rax)" : : : "memory");
	return took;
}

static void unmap(void)
{
	if (bench_memory)
		munmap(bench_memory, mapped);
	bench_memory = NULL;
}

/* Align the memory to huge pages. */
static void map(const struct bench *bench)
{
	size_t length = bench->pages * PAGE;
	unsigned char *area;
	uintptr_t at;

	unmap();
	mapped = length + 2 * HUGE;
	area = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		bench_die("no memory to map: %s", strerror(errno));
	at = ((uintptr_t)area + HUGE - 1) & ~(HUGE - 1);
	munmap(area, at - (uintptr_t)area);
	bench_memory = (unsigned char *)at;
	mapped -= at - (uintptr_t)area;
	madvise(bench_memory, mapped, bench->source == SOURCE_THP ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

static void fill(const struct bench *bench)
{
	size_t i;

	for (i = 0; i < bench->pages; i++)
		*(volatile uint64_t *)(bench_memory + i * PAGE) = i + 1;
}

void bench_check(const struct bench *bench)
{
	size_t i;

	for (i = 0; i < bench->pages; i++)
		if (*(volatile uint64_t *)(bench_memory + i * PAGE) != i + 1)
			bench_die("page %zu lost its content", i);
}

static void *run_along(void *arg)
{
	volatile uint64_t *word = arg;

	for (;;)
		(*word)++;
	return NULL;
}

static void end_sharer(void)
{
	if (sharer <= 0)
		return;
	kill(sharer, SIGKILL);
	waitpid(sharer, NULL, 0);
	sharer = 0;
}

/* Allocate memory of the kind @source.  Small pages are reused for all repetitions. */
void bench_prepare(const struct bench *bench)
{
	static uint64_t word[512] __attribute__((aligned(4096)));
	static pthread_t thread;

	end_sharer();
	if (bench_memory && (bench->source == SOURCE_SMALL || bench->source == SOURCE_THREADS))
		return;
	map(bench);
	fill(bench);
	if (bench->source == SOURCE_THREADS && !thread &&
	    pthread_create(&thread, NULL, run_along, word))
		bench_die("no thread");
	if (bench->source != SOURCE_FORKED)
		return;
	sharer = fork();
	if (sharer < 0)
		bench_die("fork: %s", strerror(errno));
	if (!sharer) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
}

int bench_device(const struct bench *bench)
{
	static int fd = -1;
	char name[32];

	snprintf(name, sizeof(name), "/dev/devpub%u", bench->device);
	if (fd < 0)
		fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		bench_die("%s: %s", name, strerror(errno));
	return fd;
}

void *bench_buffer(const struct bench *bench)
{
	static unsigned char *buffer;

	if (buffer)
		return buffer;
	buffer = mmap(NULL, bench->pages * PAGE + HUGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (buffer == MAP_FAILED)
		bench_die("no memory to map: %s", strerror(errno));
	/* Pad it, so that it does not share cache sets with the memory. */
	buffer += 17 * PAGE;
	return buffer;
}

void bench_invalidate(const struct bench *bench)
{
	if (mprotect(bench_memory, mapped, PROT_READ) ||
	    mprotect(bench_memory, mapped, PROT_READ | PROT_WRITE))
		bench_die("mprotect: %s", strerror(errno));
	/* Writes may fault, since the pages were read-only. */
	fill(bench);
}

/* Make one call, which must move every page unless it is @idle. */
static void migrate(const struct bench *bench, unsigned long command, unsigned int flags,
		    bool idle)
{
	struct devpub_migrate arg = {
		.flags = flags,
		.addr = (uintptr_t)bench_memory,
		.length = bench->pages * PAGE,
		.workers = bench->workers,
	};

	if (ioctl(bench_device(bench), command, &arg))
		bench_die("migration: %s", strerror(errno));
	if (arg.refused || arg.absent)
		bench_die("%llu pages refused, %llu absent",
			  (unsigned long long)arg.refused, (unsigned long long)arg.absent);
	if (arg.already != (idle ? bench->pages : 0))
		bench_die("%llu of %zu pages were there", (unsigned long long)arg.already,
			  bench->pages);
}

static uint64_t migrate_timed(const struct bench *bench, unsigned long command,
			      unsigned int flags, bool idle)
{
	uint64_t took = bench_timed_begin(bench);

	migrate(bench, command, flags, idle);
	return bench_timed_end(bench, took);
}

/* Make a call that is not measured, and retry busy pages. */
static void migrate_patiently(const struct bench *bench, unsigned long command)
{
	struct devpub_migrate arg = {
		.addr = (uintptr_t)bench_memory,
		.length = bench->pages * PAGE,
	};
	int try;

	for (try = 0; try < TRIES; try++) {
		if (ioctl(bench_device(bench), command, &arg))
			bench_die("migration: %s", strerror(errno));
		if (!arg.refused)
			return;
	}
	bench_die("%llu pages refused", (unsigned long long)arg.refused);
}

static uint64_t run_to(const struct bench *bench)
{
	uint64_t took;

	bench_prepare(bench);
	took = migrate_timed(bench, DEVPUB_IOC_MIGRATE_TO, 0, false);
	end_sharer();
	migrate_patiently(bench, DEVPUB_IOC_MIGRATE_FROM);
	bench_check(bench);
	return took;
}

static uint64_t run_from(const struct bench *bench)
{
	uint64_t took;

	bench_prepare(bench);
	migrate_patiently(bench, DEVPUB_IOC_MIGRATE_TO);
	took = migrate_timed(bench, DEVPUB_IOC_MIGRATE_FROM, 0, false);
	end_sharer();
	bench_check(bench);
	return took;
}

static uint64_t run_again(const struct bench *bench)
{
	bench_prepare(bench);
	migrate_patiently(bench, DEVPUB_IOC_MIGRATE_TO);
	return migrate_timed(bench, DEVPUB_IOC_MIGRATE_TO, 0, true);
}

static uint64_t run_populate(const struct bench *bench)
{
	map(bench);
	return migrate_timed(bench, DEVPUB_IOC_MIGRATE_TO, DEVPUB_MIGRATE_POPULATE, false);
}

static uint64_t run_fault(const struct bench *bench)
{
	uint64_t took;

	map(bench);
	took = bench_timed_begin(bench);
	fill(bench);
	return bench_timed_end(bench, took);
}

/* Move the memory to a node.  Return the time of the calls alone. */
static uint64_t move(const struct bench *bench, int node, size_t batch)
{
	static void **pages;
	static int *nodes, *status;
	uint64_t took;
	size_t i, n;

	if (!pages) {
		pages = malloc(bench->pages * sizeof(*pages));
		nodes = malloc(bench->pages * sizeof(*nodes));
		status = malloc(bench->pages * sizeof(*status));
		if (!pages || !nodes || !status)
			bench_die("no memory");
	}
	for (i = 0; i < bench->pages; i++) {
		pages[i] = bench_memory + i * PAGE;
		nodes[i] = node;
		status[i] = -1;
	}

	took = bench_timed_begin(bench);
	for (i = 0; i < bench->pages; i += n) {
		n = bench->pages - i < batch ? bench->pages - i : batch;
		if (syscall(SYS_move_pages, 0, n, pages + i, nodes + i, status + i, MPOL_MF_MOVE))
			bench_die("move_pages: %s", strerror(errno));
	}
	took = bench_timed_end(bench, took);

	for (i = 0; i < bench->pages; i++)
		if (status[i] != node)
			bench_die("move_pages: page %zu is at %d", i, status[i]);
	return took;
}

static uint64_t move_timed(const struct bench *bench, size_t batch)
{
	struct bench untimed = *bench;
	uint64_t took;

	untimed.profile = false;
	bench_prepare(bench);
	move(&untimed, 0, bench->pages);
	took = move(bench, 1, batch);
	bench_check(bench);
	return took;
}

static uint64_t run_move(const struct bench *bench)
{
	return move_timed(bench, bench->pages);
}

static uint64_t run_move_batches(const struct bench *bench)
{
	return move_timed(bench, MOVE_BATCH);
}

const struct subject subjects[] = {
	{ "to", "memory to the device", run_to, true, true, NEEDS_DEVICE },
	{ "from", "memory back from the device", run_from, true, true, NEEDS_DEVICE },
	{ "again", "memory on the device to the device", run_again, true, true, NEEDS_DEVICE },
	{ "populate", "holes to the device", run_populate, false, true, NEEDS_DEVICE },
	{ "fault", "the first touch of holes", run_fault, false, false, NEEDS_NOTHING },
	{ "move", "move_pages(2) from node 0 to 1, one call", run_move, false, false,
	  NEEDS_NODES },
	{ "move-512", "the same, 512 pages a call", run_move_batches, false, false,
	  NEEDS_NODES },
	{ "memcpy", "copying, in user space", bench_run_memcpy, false, false, NEEDS_NOTHING },
	{ "copy", "copying, by the device", bench_run_copy, true, false, NEEDS_DEVICE },
	{ "read", "reading by the device, its page tables filled", bench_run_read, true, false,
	  NEEDS_DEVICE },
	{ "read-miss", "the same, its page tables empty", bench_run_read_miss, true, false,
	  NEEDS_DEVICE },
	{ "peer-hit", "reading by HMM's test module, its page tables filled",
	  bench_run_peer_hit, true, false, NEEDS_PEER },
	{ "peer-miss", "the same, its page tables empty", bench_run_peer_miss, true, false,
	  NEEDS_PEER },
	{ "peer-to", "HMM's test module, to its device and read back", bench_run_peer_to, true,
	  false, NEEDS_PEER },
	{ "peer-read", "its reading back alone", bench_run_peer_read, true, false, NEEDS_PEER },
	{ "peer-from", "HMM's test module, back from its device", bench_run_peer_from, true,
	  false, NEEDS_PEER },
};

const size_t nr_subjects = sizeof(subjects) / sizeof(subjects[0]);

const char *bench_lacks(const struct subject *subject, const struct bench *bench)
{
	char name[32];

	switch (subject->needs) {
	case NEEDS_NODES:
		return access("/sys/devices/system/node/node1", F_OK) ?
		       "there is one NUMA node only" : NULL;
	case NEEDS_PEER:
		return access(BENCH_PEER, F_OK) ?
		       "test_hmm is not loaded with a coherent device" : NULL;
	case NEEDS_DEVICE:
		snprintf(name, sizeof(name), "/dev/devpub%u", bench->device);
		return access(name, R_OK | W_OK) ? "no such device, or no permission" : NULL;
	default:
		return NULL;
	}
}
