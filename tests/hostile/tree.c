// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Very many mappings of a process that may contain the same page: after mremap() with
 * MREMAP_DONTUNMAP, both mappings have the anon_vma.
 */
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "user.h"

#define MAPPINGS	20000UL
#define WINDOW		512UL
/* A bound without hardware virtualisation that includes the exit with so many mappings. */
#define LIMIT_MS	4000U

static struct shared {
	atomic_uint ready;
} *shared;

static void share(void)
{
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
}

/* Create this number of pages, @stride apart, each in its own mapping, all with the same index. */
static char *many(unsigned long mappings, unsigned long stride)
{
	char *from = mem_map(3), *to = mmap(NULL, (mappings + 512) * stride * PAGE, PROT_NONE,
					    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned long i;

	CHECK(to != MAP_FAILED);
	to = (char *)(((unsigned long)to + 0x1fffff) & ~0x1fffffUL);
	CHECK_CALL(munmap(to, mappings * stride * PAGE));
	from[0] = from[2 * PAGE] = 1;
	for (i = 0; i < mappings; i++) {
		from[PAGE] = i % 255 + 1;
		if (mremap(from + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED |
			   MREMAP_DONTUNMAP, to + i * stride * PAGE) == MAP_FAILED)
			FAIL("mremap %lu: %s", i, strerror(errno));
	}
	return to;
}

static unsigned long long timed(int fd, unsigned long cmd, char *addr, unsigned long pages,
				unsigned int workers)
{
	struct devpub_migrate arg = migrate_arg(addr, pages, NULL);
	unsigned long long begin = test_milliseconds();

	arg.workers = workers;
	CHECK_CALL(ioctl(fd, cmd, &arg));
	test_note("%s %lu pages: %llu moved, %llu refused, %llu absent: %llu ms",
		  cmd == DEVPUB_IOC_MIGRATE_TO ? "to" : "from", pages, arg.moved,
		  arg.refused, arg.absent, test_milliseconds() - begin);
	return test_milliseconds() - begin;
}

/* Start a user's process that runs @body, and wait until so many processes are ready. */
static pid_t attacked(void (*body)(void), unsigned int processes)
{
	pid_t pid;

	share();
	user_admit();
	pid = user_fork(ATTACKER);
	if (pid == 0) {
		body();
		shared->ready++;
		for (;;)
			pause();
	}
	while (shared->ready < processes)
		test_sleep(100);
	return pid;
}

/* Kill a process in the middle of what it does: the time until it is gone. */
static unsigned long long killed(pid_t pid, const char *what)
{
	unsigned long long begin, took;

	test_sleep(3000);
	begin = test_milliseconds();
	CHECK_CALL(kill(pid, SIGKILL));
	waitpid(pid, NULL, 0);
	took = test_milliseconds() - begin;
	test_note("%s gone %llu ms after SIGKILL", what, took);
	return took;
}

static void move_on_and_on(void)
{
	int fd = device_open();
	char *addr = many(MAPPINGS, 1);

	timed(fd, DEVPUB_IOC_MIGRATE_TO, addr, 16, 1);
	timed(fd, DEVPUB_IOC_MIGRATE_FROM, addr, 16, 1);
	shared->ready++;
	for (;;) {
		timed(fd, DEVPUB_IOC_MIGRATE_TO, addr, 8192, 1);
		timed(fd, DEVPUB_IOC_MIGRATE_FROM, addr, 8192, 1);
	}
}

/* Measure how long a call continues after SIGKILL. */
CASE(killed_in_a_dense_tree)
{
	pid_t pid = attacked(move_on_and_on, 1);

	CHECK_CMP(killed(pid, "the process"), <=, LIMIT_MS);
}

static void put_one_a_window(void)
{
	int fd = device_open();
	char *addr = many(MAPPINGS, WINDOW);
	struct devpub_migrate to;

	for (unsigned long i = 0; i < 200; i++) {
		to = migrate_arg(addr + (MAPPINGS - 1 - i) * WINDOW * PAGE, 1, NULL);
		CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &to));
	}
}

/* Measure the duration of root's EVICT with one page per window. */
CASE(evicted_from_a_sparse_tree)
{
	struct devpub_evict arg = { 0 };
	unsigned long long begin;
	int fd = device_open();
	pid_t pid = attacked(put_one_a_window, 1);

	begin = test_milliseconds();
	CHECK_CALL(ioctl(fd, DEVPUB_IOC_EVICT, &arg));
	test_note("evicted %llu, %llu remain, in %llu ms", arg.moved, arg.remaining,
		  test_milliseconds() - begin);
	test_kill(pid);
}

#define RELATIVES	4

static void put_a_window_with_relatives(void)
{
	int fd = device_open();
	char *addr = many(MAPPINGS, 1);

	setsid();
	for (size_t i = 0; i < WINDOW; i += 16) {
		struct devpub_migrate to = migrate_arg(addr + i * PAGE, 16, NULL);

		to.workers = 1;
		CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &to));
	}
	for (int i = 0; i < RELATIVES; i++)
		if (!test_fork())
			break;
}

/* Root's EVICT finds a window with such pages, which many related processes map as well. */
CASE(evict_killed_in_a_dense_tree)
{
	pid_t pid = attacked(put_a_window_with_relatives, 1 + RELATIVES), evict;
	unsigned long long took;

	evict = test_fork();
	if (evict == 0) {
		int fd = device_open();
		struct devpub_evict arg = { 0 };

		ioctl(fd, DEVPUB_IOC_EVICT, &arg);
		test_note("evicted %llu, %llu remain, %s", arg.moved, arg.remaining, strerror(errno));
		_exit(0);
	}
	took = killed(evict, "root's EVICT");
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK_CMP(took, <=, LIMIT_MS);
}
