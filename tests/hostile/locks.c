// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Users whose mmap_lock is held do not delay others. */
#include <pthread.h>
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
#include "stuck.h"
#include "user.h"

/* Enough windows for two workers; calls for more than a queue of 512 slots. */
#define PAGES		4096UL
#define CALLS		600U
#define ROUNDS		3
#define BUSY		4

/* A killed process should end within a second; the bound allows for slow emulated machines. */
#define GONE_MS		4000U
#define LIMIT_MS	20000U
/* Minimum time limit for others, because emulated machines stall at times. */
#define LEAST_MS	2000U

static const struct {
	unsigned long command;
	unsigned int workers;
} calls[] = {
	{ DEVPUB_IOC_MIGRATE_TO, 0 }, { DEVPUB_IOC_MIGRATE_FROM, 0 },
	{ DEVPUB_IOC_MIGRATE_TO, 1 }, { DEVPUB_IOC_MIGRATE_FROM, 1 },
	{ DEVPUB_IOC_MIGRATE_TO, 2 }, { DEVPUB_IOC_MIGRATE_FROM, 2 },
	{ DEVPUB_IOC_MIGRATE_TO, 64 }, { DEVPUB_IOC_MIGRATE_FROM, 64 },
};

#define KINDS	(sizeof(calls) / sizeof(*calls))

static void map(struct stuck *stuck)
{
	stuck->addr = mem_map(PAGES);
	stuck->pages = PAGES;
}

static void map_on_device(struct stuck *stuck)
{
	stuck->addr = mem_new(512, 7);
	stuck->pages = 512;
	move_to_device(stuck->fd, stuck->addr, stuck->pages);
}

static void call(struct stuck *stuck)
{
	struct devpub_migrate arg = migrate_arg(stuck->addr, stuck->pages, NULL);

	arg.workers = stuck->workers;
	for (;;)
		ioctl(stuck->fd, stuck->command, &arg);
}

static const char *name_of(size_t kind)
{
	return calls[kind].command == DEVPUB_IOC_MIGRATE_TO ? "to" : "from";
}

struct victim {
	atomic_uint ms;
	atomic_bool ready, go;
	pid_t pid;
};

/* A user that moves memory both ways after a start signal. */
static struct victim *victim_start(void)
{
	struct victim *victim = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long long begin;
	char *addr;
	pid_t pid;
	int fd;

	CHECK(victim != MAP_FAILED);
	pid = user_fork(VICTIM);
	if (pid) {
		/* Not in the child, which shares this memory. */
		victim->pid = pid;
		while (!victim->ready)
			test_sleep(10);
		return victim;
	}
	fd = device_open();
	addr = mem_new(PAGES, 3);
	to_device_once(fd, addr, PAGES);
	to_system_once(fd, addr, PAGES);
	victim->ready = true;
	while (!victim->go)
		test_sleep(1);
	begin = test_milliseconds();
	for (int i = 0; i < ROUNDS; i++) {
		to_device_once(fd, addr, PAGES);
		to_system_once(fd, addr, PAGES);
	}
	victim->ms = test_milliseconds() - begin + 1;
	mem_check(addr, PAGES, 3);
	_exit(0);
}

/* Measure the duration; the case fails if it exceeds the limit. */
static unsigned int victim_time(unsigned int limit_ms)
{
	struct victim *victim = victim_start();
	unsigned long long end = test_milliseconds() + limit_ms;
	unsigned int ms;

	victim->go = true;
	while (!victim->ms) {
		if (test_milliseconds() > end)
			FAIL("another user's migration takes more than %u ms",
			     limit_ms);
		test_sleep(10);
	}
	ms = victim->ms;
	test_wait(victim->pid);
	CHECK_CMP(ms, <=, limit_ms);
	munmap(victim, PAGE);
	return ms;
}

/* Limit of a migration: three times its duration during busy threads. */
static unsigned int fair_time(void)
{
	pid_t busy[BUSY];
	unsigned int ms;

	for (int i = 0; i < BUSY; i++) {
		busy[i] = user_fork(ATTACKER);
		if (busy[i] == 0)
			for (volatile int forever = 1; forever;)
				;
	}
	ms = victim_time(200000);
	for (int i = 0; i < BUSY; i++)
		test_kill(busy[i]);
	return 3 * ms > LEAST_MS ? 3 * ms : LEAST_MS;
}

static void many_calls(void)
{
	struct stuck stuck = {
		.prepare = map, .call = call, .callers = CALLS,
		.command = DEVPUB_IOC_MIGRATE_TO,
	};
	unsigned int fair = fair_time();

	if (fair > LIMIT_MS)
		fair = LIMIT_MS;
	stuck_start(&stuck, ATTACKER);
	test_note("%u ms of %u beside %u calls that are stuck",
		  victim_time(fair), fair, CALLS);
}

CASE(many_stuck_calls)
{
	user_admit();
	stuck_run(many_calls);
}

static void kill_bystander(void)
{
	struct stuck stuck = {
		.prepare = map, .call = call, .callers = CALLS,
		.command = DEVPUB_IOC_MIGRATE_TO,
	};
	struct victim *victim;
	unsigned int ms;

	stuck_start(&stuck, ATTACKER);
	victim = victim_start();
	victim->go = true;
	test_sleep(20);
	kill(victim->pid, SIGKILL);
	ms = stuck_time_to_end(victim->pid, LIMIT_MS);
	CHECK_CMP(ms, <=, GONE_MS);
}

CASE(killed_beside_stuck_calls)
{
	user_admit();
	stuck_run(kill_bystander);
}

/*
 * The calling process shares its memory with the stuck process.  Its exit waits for the lock in
 * the kernel, so check only that it has left the call.
 */
static void kill_stuck(void)
{
	for (size_t i = 0; i < KINDS; i++) {
		struct stuck stuck = {
			.prepare = map, .call = call, .callers = 1,
			.apart = true, .command = calls[i].command,
			.workers = calls[i].workers,
		};
		unsigned int ms;

		stuck_start(&stuck, ATTACKER);
		CHECK(stuck_in_call(stuck.caller));
		CHECK_CALL(kill(stuck.caller, SIGKILL));
		ms = stuck_time_to_leave(stuck.caller, LIMIT_MS);
		test_note("%s, workers %u: out of the call in %u ms",
			  name_of(i), calls[i].workers, ms);
		CHECK_CMP(ms, <=, GONE_MS);
	}
}

CASE(killed_with_own_lock_stuck)
{
	user_admit();
	stuck_run(kill_stuck);
}

/* A privileged caller that moves the memory of a stuck process. */
static void kill_caller_for_another(void)
{
	struct stuck stuck = { .prepare = map };

	stuck_start(&stuck, ATTACKER);
	for (size_t i = 0; i < KINDS; i++) {
		struct devpub_migrate arg = migrate_arg((void *)4096, PAGES, NULL);
		unsigned int ms;
		pid_t pid;

		arg.flags = DEVPUB_MIGRATE_PID;
		arg.pid = stuck.pid;
		arg.workers = calls[i].workers;
		pid = test_fork();
		if (pid == 0) {
			ioctl(device_open(), calls[i].command, &arg);
			_exit(1);
		}
		test_sleep(500);
		CHECK_CALL(kill(pid, SIGKILL));
		ms = stuck_time_to_end(pid, LIMIT_MS);
		test_note("%s, workers %u: gone in %u ms", name_of(i),
			  calls[i].workers, ms);
		CHECK_CMP(ms, <=, GONE_MS);
		test_wait_killed(pid);
	}
}

CASE(killed_with_anothers_lock_stuck)
{
	user_admit();
	stuck_run(kill_caller_for_another);
}

/* The case fails unless a child with this body ends within the time. */
static void within(unsigned int limit_ms, void (*run)(int fd), int fd,
		   const char *what)
{
	pid_t pid = test_fork();
	unsigned int ms;

	if (pid == 0) {
		run(fd);
		_exit(0);
	}
	ms = stuck_time_to_end(pid, limit_ms);
	test_note("%s: %u ms", what, ms);
	if (ms > limit_ms)
		FAIL("%s does not end within %u ms", what, limit_ms);
	test_wait(pid);
}

static void evict(int fd)
{
	struct devpub_evict arg = { 0 };

	CHECK_CALL(ioctl(fd, DEVPUB_IOC_EVICT, &arg));
	test_note("%llu pages moved, %llu remain", arg.moved, arg.remaining);
}

/* A stuck process has pages on the device, between pages of other processes. */
static void evict_beside(void)
{
	struct stuck stuck = { .prepare = map_on_device };
	char *before = mem_new(PAGES, 1), *after;
	int fd = device_open();

	move_to_device(fd, before, PAGES);
	stuck_start(&stuck, ATTACKER);
	/* Not shared with the process that is stuck, whose lock would keep it here. */
	after = mem_new(PAGES, 2);
	move_to_device(fd, after, PAGES);
	within(LIMIT_MS, evict, fd, "an eviction");
	check_in_system(fd, before, PAGES);
	check_in_system(fd, after, PAGES);
	mem_check(before, PAGES, 1);
	mem_check(after, PAGES, 2);
	stuck_let_go();
	within(LIMIT_MS, evict, fd, "an eviction of all");
	device_await_free_pages(fd, device_info(fd).capacity / PAGE);
}

CASE(evict_beside_stuck)
{
	user_admit();
	stuck_run(evict_beside);
}

/* A process that shares pages with a stuck process. */
static atomic_uint *passes;

static void fork_relative(struct stuck *stuck)
{
	map_on_device(stuck);
	move_to_system(stuck->fd, stuck->addr, stuck->pages);
	if (test_fork())
		return;
	for (;;) {
		to_device_once(stuck->fd, stuck->addr, stuck->pages);
		to_system_once(stuck->fd, stuck->addr, stuck->pages);
		mem_check(stuck->addr, stuck->pages, 7);
		++*passes;
	}
}

static void move_beside_relative(void)
{
	struct stuck stuck = { .prepare = fork_relative };
	unsigned long long end;
	unsigned int before;

	passes = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(passes != MAP_FAILED);
	stuck_start(&stuck, ATTACKER);
	before = *passes;
	end = test_milliseconds() + LIMIT_MS;
	while (*passes < before + 5) {
		if (test_milliseconds() > end)
			FAIL("moved to and fro %u times in %u ms",
			     *passes - before, LIMIT_MS);
		test_sleep(10);
	}
}

CASE(relative_stuck)
{
	user_admit();
	stuck_run(move_beside_relative);
}
