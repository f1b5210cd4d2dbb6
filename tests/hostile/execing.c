// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Processes that execute or exit while root's tools access their memory. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"
#include "user.h"

#define PAGES		16UL
#define SCRIPT		"/tmp/devpub-exec-loop"
#define CALL_MS		8000U

static const unsigned long cmds[] = {
	DEVPUB_IOC_QUERY, DEVPUB_IOC_MIGRATE_TO, DEVPUB_IOC_MIGRATE_FROM,
};

/* Return 0, or the error of a call for the process. */
static int call_for(int fd, pid_t pid, unsigned long cmd, const void *addr, size_t pages)
{
	struct devpub_migrate move = migrate_arg(addr, pages, NULL);
	struct devpub_query where = {
		.flags = DEVPUB_QUERY_PID, .pid = pid, .addr = move.addr,
		.length = move.length,
	};

	move.flags = DEVPUB_MIGRATE_PID;
	move.pid = pid;
	return ioctl(fd, cmd, cmd == DEVPUB_IOC_QUERY ? (void *)&where : &move) ? errno : 0;
}

/* Call exec() in a loop without a pause: each shell executes the next. */
static pid_t exec_for_ever(void)
{
	FILE *script = fopen(SCRIPT, "we");
	pid_t pid;

	CHECK(script);
	fputs("#!/bin/sh\nexec " SCRIPT "\n", script);
	fclose(script);
	CHECK_CALL(chmod(SCRIPT, 0755));
	pid = user_fork(ATTACKER);
	if (!pid) {
		execl(SCRIPT, SCRIPT, NULL);
		_exit(1);
	}
	return pid;
}

CASE(call_for_a_process_in_exec)
{
	unsigned long long end = test_milliseconds() + CALL_MS;
	unsigned int calls = 0, again = 0, gone = 0, wrong = 0;
	int fd = device_open(), error;
	pid_t pid = exec_for_ever();

	test_sleep(200);
	while (test_milliseconds() < end) {
		error = call_for(fd, pid, cmds[calls % 3], (void *)0x400000UL, PAGES);
		calls++;
		again += error == EAGAIN;
		/* Expect the memory before exec(), if the call got that. */
		gone += error == ESRCH;
		if (!error || error == EAGAIN || error == ESRCH)
			continue;
		if (!wrong++)
			test_note("first error: %s", strerror(error));
	}
	test_note("%u calls: EAGAIN %u times, ESRCH %u times, another error %u times",
		  calls, again, gone, wrong);
	test_kill(pid);
	CHECK_EQ(wrong, 0);
	/* Some calls must find the process with its memory. */
	CHECK_CMP(again + gone, <, calls);
}

static struct shared {
	atomic_bool ready;
	atomic_int ended;
} *shared;

static void share(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
}

static void *go_on(void *unused)
{
	(void)unused;
	/* The leader is a zombie by then. */
	test_sleep(500);
	shared->ready = true;
	for (;;)
		pause();
	return NULL;
}

CASE(call_for_a_process_without_main_thread)
{
	int fd = device_open();
	pthread_t thread;
	char *addr;
	pid_t pid;

	share();
	addr = mem_map(PAGES);
	pid = user_fork(ATTACKER);
	if (!pid) {
		mem_fill(addr, PAGES, 1);
		CHECK_EQ(pthread_create(&thread, NULL, go_on, NULL), 0);
		pthread_exit(NULL);
	}
	while (!shared->ready)
		test_sleep(10);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(call_for(fd, pid, cmds[i], addr, PAGES), 0);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK_EQ(call_for(fd, pid, DEVPUB_IOC_QUERY, addr, PAGES), ESRCH);
}

#define VICTIM_PAGES	(256UL << 20 >> 12)
#define RESERVED	(16UL << 40)
/* Tolerance for other memory use of the machine. */
#define KEPT_KB		(128LL << 10)

/* Two callers, each of which could count the other as a user of the process's memory. */
CASE(dead_process_gives_its_memory_back)
{
	long long before, after;
	unsigned long long end;
	pid_t pid, callers[2];
	char *addr, *hole;

	share();
	addr = mem_map(VICTIM_PAGES);
	hole = mmap(NULL, RESERVED, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(hole != MAP_FAILED);
	before = test_field("/proc/meminfo", "MemFree");
	pid = user_fork(ATTACKER);
	if (!pid) {
		mem_fill(addr, VICTIM_PAGES, 1);
		shared->ready = true;
		for (;;)
			pause();
	}
	while (!shared->ready)
		test_sleep(10);
	for (int i = 0; i < 2; i++) {
		callers[i] = test_fork();
		if (callers[i])
			continue;
		/* A long call each, on memory without pages. */
		call_for(device_open(), pid, DEVPUB_IOC_QUERY, hole, RESERVED / PAGE);
		shared->ended++;
		_exit(0);
	}
	test_sleep(1500);
	if (shared->ended)
		test_note("the calls were over too soon");
	CHECK_EQ(shared->ended, 0);
	test_kill(pid);
	end = test_milliseconds() + 10000;
	do {
		test_sleep(100);
		after = test_field("/proc/meminfo", "MemFree");
	} while (after + KEPT_KB < before && test_milliseconds() < end);
	test_note("MemFree before %lld MiB, after %lld; %d of 2 calls ended",
		  before / 1024, after / 1024, shared->ended);
	for (int i = 0; i < 2; i++)
		kill(callers[i], SIGKILL);
	CHECK_CMP(after + KEPT_KB, >=, before);
}
