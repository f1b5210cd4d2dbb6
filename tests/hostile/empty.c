// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* A device can be emptied, whatever the owners of its pages do meanwhile. */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "user.h"

#define WINDOW		512UL
#define SPARSE		64UL
#define MAPPERS		2000U
#define MIB		(1024 * 1024UL / PAGE)

static struct devpub_evict evict(int fd)
{
	struct devpub_evict arg = { 0 };

	CHECK_CALL(ioctl(fd, DEVPUB_IOC_EVICT, &arg));
	return arg;
}

/* Shared by the processes of a case. */
static struct shared {
	atomic_uint ready;
	atomic_bool go;
} *shared;

static void share(void)
{
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
}

static void await_ready(unsigned int n)
{
	while (shared->ready < n)
		test_sleep(10);
}

static void await_go(void)
{
	while (!shared->go)
		test_sleep(10);
}

static void become_ready(void)
{
	shared->ready++;
}

/* The process group of the leading child and all its children. */
static void end_group(pid_t pid)
{
	CHECK_CALL(kill(-pid, SIGKILL));
	test_wait_killed(pid);
	while (!kill(-pid, 0))
		test_sleep(20);
}

/* Each page is in a window of its own. */
static char *sparse(char *addr, size_t i)
{
	return addr + i * WINDOW * PAGE;
}

/*
 * Many mappings, of which only the last has the pages.  A search over all mappings that may have
 * the pages finds it last.
 */
static void be_mappers(unsigned int mappers)
{
	char *addr = mem_map(SPARSE * WINDOW);
	int fd = device_open();

	/* Mappings that have had no page are no relatives. */
	mem_fill(addr + PAGE, 1, 1);
	for (unsigned int i = 2; i < mappers; i++)
		if (!test_fork())
			for (;;)
				pause();
	for (size_t i = 0; i < SPARSE; i++) {
		mem_fill(sparse(addr, i), 1, i);
		move_to_device(fd, sparse(addr, i), 1);
	}
	if (test_fork()) {
		await_ready(1);
		CHECK_CALL(madvise(addr, SPARSE * WINDOW * PAGE, MADV_DONTNEED));
		become_ready();
		for (;;)
			pause();
	}
	become_ready();
	await_go();
	for (size_t i = 0; i < SPARSE; i++)
		mem_check(sparse(addr, i), 1, i);
	become_ready();
	for (;;)
		pause();
}

static unsigned int time_of_mappers(int fd, unsigned int mappers)
{
	unsigned long long begin, ms, best = ~0ULL;

	/* Use the shortest time, which contains the least other work of the machine. */
	for (int try = 0; try < 2; try++) {
		struct devpub_evict arg;
		pid_t pid;

		share();
		pid = user_fork(ATTACKER);
		if (pid == 0) {
			CHECK_CALL(setsid());
			be_mappers(mappers);
		}
		await_ready(2);
		begin = test_milliseconds();
		arg = evict(fd);
		ms = test_milliseconds() - begin;
		best = ms < best ? ms : best;
		CHECK_EQ(arg.moved + arg.remaining, SPARSE);
		CHECK_CMP(arg.remaining, <=, 2);
		shared->go = true;
		await_ready(3);
		end_group(pid);
		device_await_free_pages(fd, device_info(fd).capacity / PAGE);
	}
	test_note("%u mappers: %llu ms", mappers, best);
	return best;
}

/* Eight times as many may take forty times as long; quadratic would be 64 times. */
CASE(sparse_pages_of_many_mappers)
{
	int fd = device_open();
	unsigned int few, some, many;

	user_admit();
	few = time_of_mappers(fd, MAPPERS / 8);
	some = time_of_mappers(fd, MAPPERS / 2);
	many = time_of_mappers(fd, MAPPERS);
	few = few < 20 ? 20 : few;
	CHECK_CMP(some, <=, 3 * 4 * few);
	CHECK_CMP(many, <=, 5 * 8 * few);
}

/* A full device with pages that many processes map. */
CASE(full_with_many_sharers)
{
	const unsigned int sharers = test_rounds(50);
	int fd = device_open();
	const size_t pages = device_info(fd).capacity / PAGE;
	unsigned long long begin;
	struct devpub_evict arg;
	pid_t pid;

	user_admit();
	share();
	pid = user_fork(ATTACKER);
	if (pid == 0) {
		int own = device_open();
		char *addr = mem_map(pages);

		populate(own, addr, pages);
		for (unsigned int i = 0; i < sharers; i++)
			if (!test_fork()) {
				become_ready();
				for (;;)
					pause();
			}
		become_ready();
		await_go();
		mem_check_zero(addr, pages);
		_exit(0);
	}
	await_ready(sharers + 1);
	CHECK_EQ(device_free_pages(fd), 0);
	begin = test_milliseconds();
	arg = evict(fd);
	test_note("%zu pages of %u sharers: %llu ms, %llu remain", pages,
		  sharers, test_milliseconds() - begin, arg.remaining);
	CHECK_CMP(arg.remaining, <=, pages / 100);
	CHECK_CMP(test_milliseconds() - begin, <=, 120000);
	shared->go = true;
	test_wait(pid);
}

/* A family of processes; each does this all the time at the end of the mapping. */
#define FAMILY_PAGES	256UL

static void change_rights(char *rest)
{
	CHECK_CALL(mprotect(rest, PAGE, PROT_READ));
	CHECK_CALL(mprotect(rest, PAGE, PROT_READ | PROT_WRITE));
}

static void only_fork(char *rest)
{
	pid_t pid = fork();

	(void)rest;
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void map_and_unmap(char *rest)
{
	CHECK_CALL(munmap(rest + PAGE, PAGE));
	CHECK(mmap(rest + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	rest[PAGE] = 1;
}

static void be_family(int fd, unsigned int members, void (*work)(char *rest))
{
	char *addr = mem_new(2 * FAMILY_PAGES, 5);

	CHECK_CALL(setsid());
	move_to_device(fd, addr, FAMILY_PAGES);
	for (unsigned int i = 0; i < members; i++) {
		if (test_fork())
			continue;
		become_ready();
		for (;;)
			work(addr + (FAMILY_PAGES + 2) * PAGE);
	}
	become_ready();
	await_go();
	mem_check(addr, FAMILY_PAGES, 5);
	become_ready();
	for (;;)
		pause();
}

static pid_t family_start(int fd, unsigned int members, void (*work)(char *rest))
{
	pid_t pid;

	share();
	pid = user_fork(ATTACKER);
	if (pid == 0)
		be_family(fd, members, work);
	await_ready(members + 1);
	test_sleep(500);
	return pid;
}

static void family_end(pid_t pid, unsigned int members)
{
	shared->go = true;
	await_ready(members + 2);
	end_group(pid);
}

/* The first eviction moves nearly all pages, and the second one the rest. */
static void evict_family(unsigned int members, void (*work)(char *rest))
{
	int fd = device_open();
	pid_t pid = family_start(fd, members, work);
	unsigned long long begin = test_milliseconds(), first;
	struct devpub_evict arg = evict(fd);

	first = arg.remaining;
	for (int i = 1; i < 4 && arg.remaining; i++) {
		test_sleep(50);
		arg = evict(fd);
	}
	test_note("%u members: %llu remain after one, %llu after all, in %llu ms",
		  members, first, arg.remaining, test_milliseconds() - begin);
	CHECK_CMP(first, <=, FAMILY_PAGES / 16);
	CHECK_EQ(arg.remaining, 0);
	family_end(pid, members);
}

CASE(twelve_change_rights)
{
	user_admit();
	evict_family(12, change_rights);
}

CASE(many_change_rights)
{
	user_admit();
	evict_family(24, change_rights);
}

CASE(eight_only_fork)
{
	user_admit();
	evict_family(8, only_fork);
}

CASE(twelve_map_and_unmap)
{
	user_admit();
	evict_family(12, map_and_unmap);
}

/* Create another device, which is removed with the case. */
static unsigned int create(int control)
{
	struct devpub_create arg = {
		.provider = DEVPUB_PROVIDER_CARVE,
		.size = 128 * MIB * PAGE,
		.node = -1,
	};

	if (ioctl(control, DEVPUB_IOC_CREATE, &arg))
		SKIP("no second device: %s", strerror(errno));
	return arg.index;
}

static void destroy_family(unsigned int members, void (*work)(char *rest))
{
	int control = open("/dev/devpub-control", O_RDWR | O_CLOEXEC);
	struct devpub_destroy arg = { 0 };
	unsigned long long begin;
	int ret = -1;
	pid_t pid;

	CHECK(control >= 0);
	arg.index = create(control);
	user_admit();
	pid = family_start(device_open_nth(arg.index), members, work);
	begin = test_milliseconds();
	for (int i = 0; i < 4 && ret; i++) {
		arg.remaining = 0;
		ret = ioctl(control, DEVPUB_IOC_DESTROY, &arg);
		if (ret)
			test_note("%s: %llu remain", strerror(errno), arg.remaining);
	}
	test_note("%u members: %llu ms", members, test_milliseconds() - begin);
	family_end(pid, members);
	if (ret) {
		arg.remaining = 0;
		ioctl(control, DEVPUB_IOC_DESTROY, &arg);
		FAIL("the device can't be removed");
	}
}

CASE(destroyed_while_they_change_rights)
{
	destroy_family(12, change_rights);
}

CASE(destroyed_while_they_fork)
{
	destroy_family(8, only_fork);
}
