// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Tests of libdevpub, with results as KTAP.  Tests that need a device are skipped if there
 * is none that the caller may open.
 */
#include "internal.h"

#include <devpub_array.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "../../tests/harness/ktap.h"

#define PAGES		512UL
#define SKIPPED		1

size_t page_size;

static const char *why;

int skip(const char *reason)
{
	why = reason;
	return SKIPPED;
}

char *touched(size_t pages)
{
	char *memory = mmap(NULL, pages * page_size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		exit(1);
	madvise(memory, pages * page_size, MADV_NOHUGEPAGE);
	memset(memory, 42, pages * page_size);
	return memory;
}

uint64_t insist(struct devpub *dev, char *memory, size_t pages)
{
	struct devpub_outcome outcome;
	int i;

	for (i = 0; i < 20; i++) {
		if (devpub_migrate_to(dev, memory, pages * page_size, 0, NULL,
				      &outcome) || !outcome.refused)
			break;
		usleep(50000);
	}
	return outcome.moved + outcome.already;
}

static int strings(void)
{
	unsigned int i;

	for (i = 0; i <= DEVPUB_REASON_OTHER_DEVICE; i++) {
		CHECK_EQ(!strcmp(devpub_reason_name(i), "unknown"), 0);
		CHECK(strlen(devpub_reason_string(i)) > 4);
	}
	CHECK_EQ(strcmp(devpub_reason_name(i), "unknown"), 0);
	CHECK_EQ(strcmp(devpub_reason_name(-1), "unknown"), 0);
	CHECK_EQ(strcmp(devpub_reason_name(DEVPUB_REASON_NO_SPACE), "no_space"), 0);
	for (i = 0; i <= DEVPUB_LOCATION_OTHER; i++)
		CHECK_EQ(!strcmp(devpub_location_name(i), "unknown"), 0);
	CHECK_EQ(strcmp(devpub_location_name(i), "unknown"), 0);
	CHECK_EQ(strcmp(devpub_provider_name(DEVPUB_PROVIDER_CARVE), "carve"), 0);
	CHECK_EQ(strcmp(devpub_provider_name(77), "unknown"), 0);
	return 0;
}

static int identity(struct devpub *dev)
{
	struct devpub_stats stats;
	struct devpub_info info;
	unsigned int index = ~0;

	CHECK_EQ(devpub_info(dev, &info), 0);
	CHECK_EQ(devpub_stats(info.index, &stats), 0);
	CHECK_EQ(stats.capacity, info.capacity);
	CHECK_EQ(stats.node, info.node);
	CHECK_EQ(stats.provider, info.provider);
	CHECK(devpub_list(&index, 1) > 0);
	CHECK(index <= info.index);
	CHECK_EQ(fcntl(devpub_fd(dev), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	return 0;
}

static int there_and_back(struct devpub *dev)
{
	const size_t length = PAGES * page_size;
	struct devpub_locations counts;
	unsigned char reasons[PAGES];
	struct devpub_outcome outcome;
	char *memory = touched(PAGES);

	CHECK_EQ(insist(dev, memory, PAGES), PAGES);
	CHECK_EQ(devpub_query(dev, memory, length, NULL, &counts), 0);
	CHECK_EQ(counts.device, PAGES);
	CHECK_EQ(counts.done, length);
	CHECK(memory[4711] == 42);
	CHECK_EQ(devpub_migrate_from(dev, memory, length, 0, reasons, &outcome), 0);
	CHECK_EQ(outcome.done, length);
	CHECK_EQ(outcome.moved, PAGES);
	CHECK_EQ(outcome.reason[DEVPUB_REASON_MOVED], PAGES);
	CHECK_EQ(reasons[PAGES - 1], DEVPUB_REASON_MOVED);
	CHECK_EQ(devpub_query(dev, memory, length, reasons, &counts), 0);
	CHECK_EQ(counts.system, PAGES);
	CHECK_EQ(reasons[0], DEVPUB_LOCATION_SYSTEM);
	munmap(memory, length);
	return 0;
}

static int ranges(struct devpub *dev)
{
	struct devpub_locations counts;
	struct devpub_outcome outcome;
	unsigned char locations[6];
	char *memory = touched(PAGES);
	char *shared = mmap(NULL, page_size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct devpub_range three[] = {
		{ (uintptr_t)memory + 2 * page_size, 2 * page_size },
		{ (uintptr_t)memory, page_size },
		{ (uintptr_t)shared, page_size },
	};
	int i;

	*shared = 1;
	for (i = 0; i < 20; i++) {
		CHECK_EQ(devpub_migrate_to_v(dev, NULL, three, 3, 0, NULL,
					     &outcome), 0);
		CHECK_EQ(outcome.done, 4 * page_size);
		CHECK_EQ(outcome.reason[DEVPUB_REASON_SHARED], 1);
		if (outcome.refused == 1)
			break;
		usleep(50000);
	}
	CHECK_EQ(devpub_query_v(dev, NULL, three, 3, locations, &counts), 0);
	CHECK_EQ(counts.device, 3);
	CHECK_EQ(counts.system, 1);
	CHECK_EQ(locations[2], DEVPUB_LOCATION_DEVICE);
	CHECK_EQ(locations[3], DEVPUB_LOCATION_SYSTEM);
	CHECK_EQ(devpub_query(dev, memory, 4 * page_size, locations, NULL), 0);
	CHECK_EQ(locations[1], DEVPUB_LOCATION_SYSTEM);
	munmap(memory, PAGES * page_size);
	munmap(shared, page_size);
	return 0;
}

static int allocation(struct devpub *dev)
{
	struct devpub_locations counts;
	struct devpub_info before, after;
	void *memory = NULL;

	CHECK_EQ(devpub_info(dev, &before), 0);
	CHECK_EQ(devpub_alloc(dev, 0, &memory), -EINVAL);
	CHECK_EQ(devpub_alloc(dev, SIZE_MAX, &memory), -ENOMEM);
	CHECK_EQ(devpub_alloc(dev, before.free + page_size, &memory), -ENOSPC);
	CHECK_EQ(devpub_info(dev, &after), 0);
	CHECK_EQ(after.free, before.free);
	CHECK_EQ(devpub_alloc(dev, PAGES * page_size - 1, &memory), 0);
	CHECK_EQ(devpub_query(dev, memory, PAGES * page_size, NULL, &counts), 0);
	CHECK_EQ(counts.device, PAGES);
	CHECK(!*(char *)memory);
	CHECK_EQ(devpub_free(memory, PAGES * page_size - 1), 0);
	CHECK_EQ(devpub_info(dev, &after), 0);
	CHECK_EQ(after.free, before.free);
	CHECK_EQ(devpub_free(NULL, 1), 0);
	return 0;
}

static int room(struct devpub *dev)
{
	struct devpub *other = NULL;
	struct devpub_info info;

	(void)dev;
	CHECK_EQ(devpub_open_any(UINT64_MAX, &other), -ENOSPC);
	CHECK_EQ(devpub_open_any(page_size, &other), 0);
	CHECK_EQ(devpub_info(other, &info), 0);
	CHECK(info.free >= page_size);
	devpub_close(other);
	return 0;
}

/* Each page that moves interrupts the processors of the other threads. */
#define THREAD_PAGES	64UL

static void *move_often(void *arg)
{
	char *memory = touched(THREAD_PAGES);
	struct devpub *dev = arg;
	intptr_t bad = 0;
	int i;

	for (i = 0; i < 20; i++) {
		if (devpub_migrate_to(dev, memory, THREAD_PAGES * page_size, 0, NULL,
				      NULL) ||
		    devpub_migrate_from(dev, memory, THREAD_PAGES * page_size, 0, NULL,
					NULL))
			bad++;
		bad += memory[i * page_size] != 42;
	}
	munmap(memory, THREAD_PAGES * page_size);
	return (void *)bad;
}

static int threads(struct devpub *dev)
{
	pthread_t thread[4];
	void *bad;
	int i;

	for (i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, move_often, dev), 0);
	for (i = 0; i < 4; i++) {
		pthread_join(thread[i], &bad);
		CHECK_EQ((intptr_t)bad, 0);
	}
	return 0;
}

static int eviction(struct devpub *dev)
{
	struct devpub_locations counts;
	uint64_t moved, remaining;
	void *memory;
	int ret;

	CHECK_EQ(devpub_alloc(dev, PAGES * page_size, &memory), 0);
	ret = devpub_evict(dev, &moved, &remaining);
	if (ret == -EPERM)
		return skip("needs CAP_SYS_ADMIN");
	CHECK_EQ(ret, 0);
	CHECK(moved >= PAGES);
	CHECK_EQ(devpub_query(dev, memory, PAGES * page_size, NULL, &counts), 0);
	CHECK_EQ(counts.device, 0);
	CHECK_EQ(devpub_free(memory, PAGES * page_size), 0);
	return 0;
}

/* The memory of a child moves, and the child still reads its data. */
static int other_process(struct devpub *dev)
{
	struct devpub_process *process;
	struct devpub_locations counts;
	struct devpub_outcome outcome;
	char *memory = touched(PAGES);
	struct devpub_range range = {
		(uintptr_t)memory, PAGES * page_size
	};
	int end[2], status, ret;
	pid_t child;
	char byte;

	CHECK_EQ(pipe(end), 0);
	child = fork();
	if (!child) {
		close(end[1]);
		memset(memory, 43, PAGES * page_size);
		if (read(end[0], &byte, 1))
			_exit(1);
		_exit(memory[0] != 43 || memory[PAGES * page_size - 1] != 43);
	}
	close(end[0]);
	CHECK_EQ(devpub_attach(child, &process), 0);
	usleep(500000);
	ret = devpub_migrate_to_v(dev, process, &range, 1, 0, NULL, &outcome);
	if (!ret) {
		ret = devpub_query_v(dev, process, &range, 1, NULL, &counts);
		CHECK_EQ(counts.device, outcome.moved);
		CHECK(outcome.moved > PAGES / 2);
		CHECK_EQ(devpub_query(dev, memory, PAGES * page_size, NULL,
				      &counts), 0);
		CHECK_EQ(counts.device, 0);
	}
	close(end[1]);
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	munmap(memory, PAGES * page_size);
	if (ret == -EOPNOTSUPP) {
		devpub_detach(process);
		return skip("the module is too old for other processes");
	}
	if (ret == -EPERM) {
		devpub_detach(process);
		return skip("needs CAP_SYS_PTRACE");
	}
	CHECK_EQ(ret, 0);
	CHECK_EQ(devpub_migrate_to_v(dev, process, &range, 1, 0, NULL, NULL),
		 -ESRCH);
	/* Simulate that another process has the number. */
	process->pid = getpid();
	CHECK_EQ(devpub_query_v(dev, process, &range, 1, NULL, &counts), -ESRCH);
	CHECK_EQ(counts.done, 0);
	devpub_detach(process);
	return 0;
}

static int at_run_time(struct devpub *dev)
{
	struct devpub *made;
	unsigned int index;
	uint64_t remaining = 1;
	int ret;

	(void)dev;
	ret = devpub_create_carved(1, -1, &index);
	if (ret == -EOPNOTSUPP) {
		CHECK_EQ(devpub_destroy(0, NULL), -EOPNOTSUPP);
		return skip("the module is too old for devices at run time");
	}
	if (ret == -EACCES || ret == -EPERM)
		return skip("needs CAP_SYS_ADMIN");
	CHECK_EQ(ret, 0);
	CHECK_EQ(devpub_open(index, &made), 0);
	devpub_close(made);
	CHECK_EQ(devpub_destroy(index, &remaining), 0);
	CHECK_EQ(remaining, 0);
	CHECK_EQ(devpub_open(index, &made), -ENODEV);
	CHECK_EQ(devpub_destroy(index, NULL), -ENODEV);
	CHECK_EQ(devpub_create_carved(0, -1, &index), -EINVAL);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
	int (*run_on)(struct devpub *dev);
} cases[] = {
	{ "strings", strings, NULL },
	{ "arguments", test_arguments, NULL },
	{ "wide_ranges", test_wide_ranges, NULL },
	{ "absent_device", test_absent_device, NULL },
	{ "attach", test_attach, NULL },
	{ "no_descriptors", test_no_descriptors, NULL },
	{ "identity", NULL, identity },
	{ "there_and_back", NULL, there_and_back },
	{ "ranges", NULL, ranges },
	{ "allocation", NULL, allocation },
	{ "room", NULL, room },
	{ "access", NULL, test_access },
	{ "access_ends", NULL, test_access_ends },
	{ "access_process", NULL, test_access_process },
	{ "threads", NULL, threads },
	{ "eviction", NULL, eviction },
	{ "other_process", NULL, other_process },
	{ "at_run_time", NULL, at_run_time },
};

int main(void)
{
	const unsigned int n = ARRAY_SIZE(cases);
	int failed = 0, ret;
	struct devpub *dev;
	unsigned int i;

	page_size = sysconf(_SC_PAGESIZE);
	setvbuf(stdout, NULL, _IOLBF, 0);
	ktap_plan(n);
	for (i = 0; i < n; i++) {
		if (cases[i].run) {
			ret = cases[i].run();
		} else if (devpub_open_any(PAGES * page_size * 5, &dev)) {
			ret = skip("no device to open");
		} else {
			ret = cases[i].run_on(dev);
			devpub_close(dev);
		}
		if (ret == SKIPPED)
			ktap_skip(i + 1, cases[i].name, why);
		else if (ret)
			ktap_not_ok(i + 1, cases[i].name);
		else
			ktap_ok(i + 1, cases[i].name);
		failed |= ret < 0;
	}
	return failed;
}
