// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Calls with several workers: their results, and the processors that they use. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "tracing.h"

/* Enough windows for several workers, with partial windows at both ends. */
#define WINDOW	512UL
#define PAGES	(8 * WINDOW + 200)
#define TRIES	20
#define STEP	"devpub_migrate_step: devpub0 setup "

#define PARAMETER	"/sys/module/devpub/parameters/workers"

static const unsigned int crews[] = { 1, 2, 3, 64, 1U << 31, 0 };

#define CREWS	(sizeof(crews) / sizeof(*crews))

/* Make one call, with an array of reasons. */
static struct devpub_migrate call(int fd, unsigned long cmd, const void *addr, size_t pages,
				  unsigned int workers, unsigned char *reasons)
{
	struct devpub_migrate arg = migrate_arg(addr, pages, reasons);

	arg.workers = workers;
	memset(reasons, 0xff, pages);
	CHECK_CALL(ioctl(fd, cmd, &arg));
	CHECK_EQ(arg.done, arg.length);
	check_sums(&arg, reasons);
	return arg;
}

/* Pages in another processor's LRU batch may be busy for a moment. */
static void move(int fd, unsigned long cmd, const void *addr, unsigned int workers)
{
	static unsigned char reasons[PAGES];
	struct devpub_migrate arg;

	for (int try = 0; try < TRIES; try++) {
		arg = call(fd, cmd, addr, PAGES, workers, reasons);
		if (arg.moved + arg.already == PAGES)
			return;
	}
	FAIL("workers %u: %llu moved, %llu refused", workers, arg.moved, arg.refused);
}

CASE(as_many_as_asked)
{
	int fd = device_open();
	char *addr = (char *)mem_new(PAGES + 77, 1) + 77 * PAGE;

	for (size_t i = 0; i < CREWS; i++) {
		mem_fill(addr, PAGES, i);
		move(fd, DEVPUB_IOC_MIGRATE_TO, addr, crews[i]);
		check_on_device(fd, addr, PAGES);
		mem_check(addr, PAGES, i);
		move(fd, DEVPUB_IOC_MIGRATE_FROM, addr, crews[i]);
		check_in_system(fd, addr, PAGES);
		mem_check(addr, PAGES, i);
	}
}

/* The reason of each page is at its place in the array, whichever worker moved it. */
CASE(same_reasons)
{
	static unsigned char alone[PAGES], together[PAGES], ignored[PAGES];
	int fd = device_open();
	char *addr = mem_map(PAGES);

	for (size_t i = 0; i < PAGES; i += 1 + i % 7)
		addr[i * PAGE] = i;
	CHECK_CALL(munmap(addr + 700 * PAGE, 1000 * PAGE));
	CHECK(mmap(addr + 2000 * PAGE, 90 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	for (size_t i = 0; i < CREWS; i++) {
		for (int try = 0;; try++) {
			call(fd, DEVPUB_IOC_MIGRATE_TO, addr, PAGES, 1, alone);
			call(fd, DEVPUB_IOC_MIGRATE_FROM, addr, PAGES, 1, ignored);
			call(fd, DEVPUB_IOC_MIGRATE_TO, addr, PAGES, crews[i], together);
			call(fd, DEVPUB_IOC_MIGRATE_FROM, addr, PAGES, crews[i], ignored);
			if (!memcmp(alone, together, PAGES))
				break;
			/* A page may have been busy for a moment. */
			if (try == TRIES)
				FAIL("workers %u: other reasons", crews[i]);
		}
	}
}

CASE(what_is_reserved)
{
	int fd = device_open();
	char *addr = mem_new(1, 1);
	struct devpub_migrate arg = migrate_arg(addr, 1, NULL);

	arg.reserved = 1;
	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg), EINVAL);
	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_MIGRATE_FROM, &arg), EINVAL);
}

/* Count the threads that began a window, and the windows of this thread. */
static unsigned int threads(const char *text, unsigned int *mine, int cpu)
{
	unsigned int n = 0;

	*mine = 0;
	for (const char *at = text; (at = strstr(at, STEP)); at++) {
		const char *line = at;
		int pid, on;

		while (line > text && line[-1] != '\n')
			line--;
		/* "           <...>-123     [000] ..... 12.3456: event" */
		line = strchr(line, '-');
		CHECK(line && sscanf(line, "-%d [%d]", &pid, &on) == 2);
		n++;
		*mine += pid == (int)syscall(SYS_gettid);
		if (cpu >= 0)
			CHECK_EQ(on, cpu);
	}
	return n;
}

/* Return the number of windows of a call that this thread moved. */
static void heard_of(int fd, unsigned long cmd, const char *addr, unsigned int workers,
		     unsigned int *windows, unsigned int *mine, int cpu)
{
	static unsigned char reasons[PAGES];
	char *text;

	tracing_listen();
	call(fd, cmd, addr, PAGES, workers, reasons);
	text = tracing_heard();
	*windows = threads(text, mine, cpu);
	CHECK_CMP(*windows, >=, PAGES / WINDOW);
	free(text);
}

CASE(alone_when_asked)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	unsigned int windows, mine;

	heard_of(fd, DEVPUB_IOC_MIGRATE_TO, addr, 1, &windows, &mine, -1);
	CHECK_EQ(mine, windows);
	heard_of(fd, DEVPUB_IOC_MIGRATE_FROM, addr, 2, &windows, &mine, -1);
	CHECK_EQ(mine, 0);
}

CASE(parameter_bounds)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	unsigned int windows, mine;

	CHECK(!test_write_text(PARAMETER, "1"));
	heard_of(fd, DEVPUB_IOC_MIGRATE_TO, addr, 2, &windows, &mine, -1);
	CHECK(!test_write_text(PARAMETER, "0"));
	CHECK_EQ(mine, windows);
}

/* For a thread that is bound to processors, workers run on these only. */
CASE(on_the_callers_processors)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	unsigned int windows, mine;
	cpu_set_t all, one;

	CHECK_CALL(sched_getaffinity(0, sizeof(all), &all));
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		CHECK_CALL(sched_setaffinity(0, sizeof(one), &one));
		for (int round = 0; round < 3; round++) {
			heard_of(fd, DEVPUB_IOC_MIGRATE_TO, addr, 0, &windows, &mine, cpu);
			heard_of(fd, DEVPUB_IOC_MIGRATE_FROM, addr, 0, &windows, &mine, cpu);
		}
	}
	mem_check(addr, PAGES, 1);
}

/* A killed call begins no more windows, and no data is lost. */
CASE(killed)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	unsigned char *reasons = mem_map(PAGES / PAGE + 1);

	for (int round = 0; round < 10; round++) {
		pid_t pid = test_fork();

		if (!pid) {
			mem_fill(addr, PAGES, 2);
			for (;;) {
				call(fd, DEVPUB_IOC_MIGRATE_TO, addr, PAGES, 2, reasons);
				call(fd, DEVPUB_IOC_MIGRATE_FROM, addr, PAGES, 2, reasons);
			}
		}
		test_sleep(50 + 17 * round);
		test_kill(pid);
	}
	device_await_free_pages(fd, device_info(fd).capacity / PAGE);
	mem_check(addr, PAGES, 1);
}
