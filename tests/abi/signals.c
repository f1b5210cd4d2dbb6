// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Calls that signals interrupt, and how a program resumes them. */
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "device.h"
#include "harness.h"
#include "mem.h"

#define PAGES	(64UL * 256)

static volatile sig_atomic_t alarms;

/* The member workers of the struct of each call. */
static unsigned int workers;

static void on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

static void alarms_every(long microseconds, int flags)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = flags };
	struct itimerval timer = {
		.it_interval = { .tv_usec = microseconds },
		.it_value = { .tv_usec = microseconds },
	};

	CHECK_CALL(sigaction(SIGALRM, &action, NULL));
	CHECK_CALL(setitimer(ITIMER_REAL, &timer, NULL));
}

/* Complete the whole range with resumed calls.  Return the number of interrupted calls. */
static unsigned int resume(int fd, unsigned long cmd, char *addr, size_t pages,
			   unsigned char *reasons)
{
	struct devpub_migrate arg = migrate_arg(addr, pages, reasons);
	unsigned int interrupted = 0;

	arg.workers = workers;
	for (;;) {
		int ret = ioctl(fd, cmd, &arg);

		if (ret && errno != EINTR)
			FAIL("call %u: %s", interrupted, strerror(errno));
		check_sums(&arg, (unsigned char *)(uintptr_t)arg.reasons);
		if (!ret) {
			CHECK_EQ(arg.done, arg.length);
			return interrupted;
		}
		interrupted++;
		/* A call completes at least one window before it checks for signals. */
		CHECK_CMP(arg.done, >, 0);
		CHECK_CMP(arg.done, <, arg.length);
		/* "done" is exact: no page after it has moved. */
		if (interrupted == 1) {
			struct itimerval timer, none = { 0 };

			CHECK_CALL(setitimer(ITIMER_REAL, &none, &timer));
			CHECK_EQ(query(fd, addr, pages, NULL).device,
				 cmd == DEVPUB_IOC_MIGRATE_TO ? arg.moved :
				 pages - arg.moved);
			CHECK_CALL(setitimer(ITIMER_REAL, &timer, NULL));
		}
		arg.addr += arg.done;
		arg.length -= arg.done;
		arg.reasons += arg.done / PAGE;
	}
}

static void interrupted_migration(int flags)
{
	unsigned char *reasons = mem_map(PAGES / PAGE + 1);
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	unsigned int interrupted;

	/* A program with a timer that is faster than a window still completes. */
	alarms_every(2000, flags);
	memset(reasons, 0, PAGES);
	interrupted = resume(fd, DEVPUB_IOC_MIGRATE_TO, addr, PAGES, reasons);
	CHECK_CMP(interrupted, >, 0);
	alarms_every(0, flags);
	for (size_t i = 0; i < PAGES; i++)
		CHECK(reasons[i] == DEVPUB_REASON_MOVED ||
		      reasons[i] == DEVPUB_REASON_BUSY);
	to_device(fd, addr, PAGES);
	check_on_device(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);

	alarms_every(2000, flags);
	interrupted = resume(fd, DEVPUB_IOC_MIGRATE_FROM, addr, PAGES, reasons);
	CHECK_CMP(interrupted, >, 0);
	alarms_every(0, flags);
	to_system(fd, addr, PAGES);
	check_in_system(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
	CHECK_CMP(alarms, >, 1);
}

CASE(interrupted)
{
	interrupted_migration(0);
}

/* The calling thread does all the work. */
CASE(interrupted_alone)
{
	workers = 1;
	interrupted_migration(0);
}

/* A restarted call would lose its counts, so SA_RESTART has no effect. */
CASE(interrupted_with_sa_restart)
{
	interrupted_migration(SA_RESTART);
}

/* Each call makes progress, however frequent the signals are. */
CASE(storm)
{
	unsigned char *reasons = mem_map(PAGES / PAGE + 1);
	int fd = device_open();
	char *addr = mem_new(PAGES / 4, 1);

	alarms_every(100, 0);
	CHECK_CMP(resume(fd, DEVPUB_IOC_MIGRATE_TO, addr, PAGES / 4, reasons),
		  >, 0);
	alarms_every(0, 0);
	mem_check(addr, PAGES / 4, 1);
}

/* A window is always completed. */
CASE(one_window_completes)
{
	int fd = device_open();
	size_t window = device_info(fd).window;
	unsigned char *reasons = mem_map(window / PAGE + 1);
	char *addr = mem_new(2 * window, 1);

	addr += -address(addr) & (window * PAGE - 1);
	alarms_every(100, 0);
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(resume(fd, DEVPUB_IOC_MIGRATE_TO, addr, window,
				reasons), 0);
		CHECK_EQ(resume(fd, DEVPUB_IOC_MIGRATE_FROM, addr, window,
				reasons), 0);
	}
	alarms_every(0, 0);
}

CASE(query_is_resumed)
{
	const size_t pages = sizeof(long) == 8 ? 1UL << 20 : 1UL << 18;
	struct devpub_query arg = { .length = pages * PAGE };
	int fd = device_open();
	char *addr = mmap(NULL, pages * PAGE, PROT_READ,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned int interrupted = 0;
	uint64_t absent = 0;
	int ret;

	CHECK(addr != MAP_FAILED);
	arg.addr = address(addr);
	alarms_every(1000, 0);
	do {
		ret = ioctl(fd, DEVPUB_IOC_QUERY, &arg);
		if (ret)
			CHECK_EQ(errno, EINTR);
		interrupted += !!ret;
		CHECK_CMP(arg.done, >, 0);
		CHECK_EQ(arg.absent, arg.done / PAGE);
		absent += arg.absent;
		arg.addr += arg.done;
		arg.length -= arg.done;
	} while (ret);
	alarms_every(0, 0);
	CHECK_EQ(absent, pages);
	CHECK_CMP(interrupted, >, 0);
}
