// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Tests with processes that try to delay tools by huge address ranges.  They need no device:
 * a fake device contains all frames.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"
#include "clock.h"
#include "maps.h"
#include "mover.h"
#include "pages.h"
#include "populated.h"
#include "proc.h"
#include "scan.h"

#include "../../lib/internal.h"

#define RESERVED	(80ULL << 40)

/* A generous bound for a busy machine without hardware virtualisation. */
#define SECONDS_BOUND	20

/* The fake device contains the frames of all memory. */
static struct devices *all_memory(void)
{
	static struct devpub dev = { .fd = -1 };
	static struct devices devices = {
		.n = 1,
		.device[0] = {
			.dev = &dev,
			.info = { .phys_start = 4096, .capacity = 1ULL << 52 },
		},
	};

	return &devices;
}

static const struct tenant *find_tenant(const struct scan *scan, pid_t pid)
{
	size_t i;

	for (i = 0; i < scan->found.n; i++)
		if (scan->found.tenant[i].pid == pid)
			return &scan->found.tenant[i];
	return NULL;
}

static void count(void *arg, unsigned int location, uint64_t pages)
{
	if (location >= LOCATION_DEVICE)
		*(uint64_t *)arg += pages;
}

static bool look(const struct proc *proc, struct pages *pages, uint64_t *seen)
{
	struct maps maps;
	uint64_t at;
	size_t i;
	int ret = 0;

	CHECK(!pages_maps(pages, &maps));
	for (i = 0; i < maps.n && !ret; i++) {
		at = maps.mapping[i].start;
		while (at < maps.mapping[i].end && !(at >> 63) && !ret)
			ret = pages_look(pages, &maps.mapping[i], &at, count, seen);
	}
	maps_free(&maps);
	CHECK(!ret && !pages_check(pages) && !proc_ended(proc));
	return true;
}

bool is_seen(pid_t pid, uint64_t pages)
{
	struct pages *opened;
	struct proc proc;
	uint64_t seen = 0;
	bool right;
	int ret;

	CHECK(!proc_open(pid, &proc));
	ret = pages_open_by_frame(&proc, all_memory(), &opened);
	if (ret) {
		printf("# frames are not shown here: %d\n", ret);
		proc_close(&proc);
		return ret == -EPERM;
	}
	right = look(&proc, opened, &seen);
	pages_close(opened);
	proc_close(&proc);
	return right && seen >= pages;
}

/* Reserve 80 TB with one page at each end. */
static void reserve(bool touch)
{
	size_t size = RESERVED;
	char *memory;

	/* Or as much as this machine allows. */
	while ((memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			      0)) == MAP_FAILED)
		size /= 2;
	if (touch) {
		memory[0] = 1;
		memory[size - 1] = 1;
	}
}

static void reserve_sparse(void)
{
	reserve(true);
}

static void reserve_untouched(void)
{
	reserve(false);
}

bool reservation_passed_over(void)
{
	const pid_t pid = start(reserve_sparse);
	struct populated populated;
	const double begun = clock_now();
	bool scans;
	int fd;

	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	populated_init(&populated, fd);
	close(fd);
	scans = populated.scans;
	if (scans)
		CHECK(is_seen(pid, 3));
	else
		puts("# this kernel does not look for pages");
	stop(pid);
	CHECK(clock_now() - begun < SECONDS_BOUND);
	return true;
}

/* Use a small process, because sanitizers of this program may reserve much memory. */
static pid_t start_sleep(void)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe2(ready, O_CLOEXEC))
		exit(1);
	pid = fork();
	if (!pid) {
		be_a_user();
		execlp("sleep", "sleep", "1000", NULL);
		_exit(1);
	}
	close(ready[1]);
	/* The pipe closes when the program starts. */
	if (pid < 0 || read(ready[0], &byte, 1))
		exit(1);
	close(ready[0]);
	return pid;
}

/* Rounds are short even if no range can be skipped, and other processes get their turn. */
static bool rounds_are_short(pid_t other)
{
	const double first = clock_now();
	struct scan scan = { 0 };
	double begun, longest = 0;
	int i;

	for (i = 0; clock_now() - first < 15 * SECONDS_BOUND; i++) {
		begun = clock_now();
		scan_round(&scan, all_memory(), 100);
		if (clock_now() - begun > longest)
			longest = clock_now() - begun;
		if (scan.blind || find_tenant(&scan, other))
			break;
	}
	printf("# %d rounds, the longest %.1f s\n", i + 1, longest);
	CHECK(4 * longest < SECONDS_BOUND);
	CHECK(scan.blind || find_tenant(&scan, other));
	scan_end(&scan);
	return true;
}

bool reservation_by_hand(void)
{
	const pid_t untouched = start(reserve_untouched), sparse = start(reserve_sparse);
	const pid_t other = start_sleep();
	struct populated populated;
	struct proc proc;
	struct maps maps;
	const struct mapping *largest;
	size_t i;

	populated_by_hand = true;
	populated_init(&populated, -1);
	CHECK(!proc_open(untouched, &proc));
	CHECK(!maps_read(&proc, &maps) && !maps_find_untouched(&proc, &maps));
	CHECK(maps.n);
	for (i = 0, largest = maps.mapping; i < maps.n; i++)
		if (maps.mapping[i].end - maps.mapping[i].start >
		    largest->end - largest->start)
			largest = &maps.mapping[i];
	CHECK(largest->untouched);
	maps_free(&maps);
	proc_close(&proc);
	CHECK(rounds_are_short(other));
	populated_by_hand = false;
	stop(sparse);
	stop(untouched);
	stop(other);
	return true;
}

/* Stop by a signal, and by the deadline. */
bool move_is_stopped(void)
{
	const pid_t pid = start(reserve_untouched);
	struct devpub none = { .fd = open("/dev/null", O_RDWR | O_CLOEXEC), .page_size = 4096 };
	struct mover mover = { .dev[0] = &none, .n = 1, .to = true, .tries = 1 };
	const struct mapping mapping = { .start = 1ULL << 40, .end = 100ULL << 40 };
	struct proc proc;
	double begun;
	int end[2];

	populated_by_hand = true;
	CHECK(!proc_open(pid, &proc) && !pipe(end));
	CHECK(!mover_open(&mover, &proc, NULL));
	mover.until = end[0];
	mover.deadline = clock_now() + 0.2;
	begun = clock_now();
	/* No pages exist, although memory is mapped. */
	CHECK(mover_move(&mover, &mapping, 0) == MOVER_STOPPED);
	CHECK(clock_now() - begun < SECONDS_BOUND);
	CHECK(mover.at > 1ULL << 40 && mover.at < 100ULL << 40);
	CHECK(write(end[1], "", 1) == 1);
	CHECK(mover_move(&mover, &mapping, 0) == MOVER_STOPPED);
	CHECK(mover.at == 1ULL << 40);
	populated_by_hand = false;
	mover_close(&mover);
	proc_close(&proc);
	close(none.fd);
	close(end[0]);
	close(end[1]);
	stop(pid);
	return true;
}
