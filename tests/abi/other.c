// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Calls on the memory of another process. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"

#define NOBODY	65534
#define PAGES	600UL

static struct devpub_migrate pid_arg(pid_t pid, const void *addr, size_t pages)
{
	struct devpub_migrate arg = migrate_arg(addr, pages, NULL);

	arg.flags = DEVPUB_MIGRATE_PID;
	arg.pid = pid;
	return arg;
}

static struct devpub_query query_arg(pid_t pid, const void *addr, size_t pages)
{
	return (struct devpub_query) {
		.flags = DEVPUB_QUERY_PID,
		.pid = pid,
		.addr = address(addr),
		.length = pages * PAGE,
	};
}

/* Return the number of pages of the process on the device. */
static uint64_t on_device(int fd, pid_t pid, const void *addr, size_t pages)
{
	struct devpub_query arg = query_arg(pid, addr, pages);

	CHECK_CALL(ioctl(fd, DEVPUB_IOC_QUERY, &arg));
	CHECK_EQ(arg.done, pages * PAGE);
	return arg.device;
}

/* Repeat until all movable pages have moved, because any page may be busy for a moment. */
static void move(int fd, unsigned long cmd, pid_t pid, const void *addr,
		 size_t pages)
{
	uint64_t wanted = cmd == DEVPUB_IOC_MIGRATE_TO ? pages : 0;

	for (int i = 0; i < 20 && on_device(fd, pid, addr, pages) != wanted; i++) {
		struct devpub_migrate arg = pid_arg(pid, addr, pages);

		CHECK_CALL(ioctl(fd, cmd, &arg));
		CHECK_EQ(arg.done, pages * PAGE);
	}
	CHECK_EQ(on_device(fd, pid, addr, pages), wanted);
}

/* Fork a child with memory of its own at the address, which it checks on request. */
static pid_t child_with(char *addr, size_t pages, struct test_gate *gate)
{
	pid_t pid;

	test_gate_open(gate);
	pid = test_fork();
	if (pid == 0) {
		mem_fill(addr, pages, 5);
		test_gate_signal(gate, 1);
		test_gate_await(gate, 1);
		mem_check(addr, pages, 5);
		_exit(0);
	}
	test_gate_await(gate, 0);
	return pid;
}

CASE(there_and_back)
{
	int fd = device_open();
	uint64_t idle = device_free_pages(fd);
	char *addr = mem_map(PAGES);
	struct test_gate gate;
	pid_t pid = child_with(addr, PAGES, &gate);

	CHECK_EQ(on_device(fd, pid, addr, PAGES), 0);
	move(fd, DEVPUB_IOC_MIGRATE_TO, pid, addr, PAGES);
	CHECK_EQ(device_free_pages(fd), idle - PAGES);
	/* The call does not affect the caller's memory at that address. */
	check_absent(fd, addr, PAGES);
	move(fd, DEVPUB_IOC_MIGRATE_FROM, pid, addr, PAGES);
	CHECK_EQ(device_free_pages(fd), idle);
	move(fd, DEVPUB_IOC_MIGRATE_TO, pid, addr, PAGES);
	test_gate_signal(&gate, 0);
	test_wait(pid);
	device_await_free_pages(fd, idle);
}

CASE(holes_are_filled)
{
	struct devpub_migrate arg;
	int fd = device_open();
	char *addr = mem_map(2 * PAGES);
	struct test_gate gate;
	pid_t pid = child_with(addr, PAGES, &gate);

	arg = pid_arg(pid, addr + PAGES * PAGE, PAGES);
	arg.flags |= DEVPUB_MIGRATE_POPULATE;
	CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg));
	CHECK_EQ(arg.populated, PAGES);
	CHECK_EQ(on_device(fd, pid, addr, 2 * PAGES), PAGES);
	check_absent(fd, addr, 2 * PAGES);
	test_gate_signal(&gate, 0);
	test_wait(pid);
}

/* The caller's own number requires no privilege. */
CASE(oneself)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);

	CHECK_CALL(setgid(NOBODY));
	CHECK_CALL(setuid(NOBODY));
	move(fd, DEVPUB_IOC_MIGRATE_TO, getpid(), addr, PAGES);
	move(fd, DEVPUB_IOC_MIGRATE_FROM, getpid(), addr, PAGES);
	mem_check(addr, PAGES, 1);
}

static void fails(int fd, pid_t pid, const void *addr, int expected)
{
	struct devpub_migrate arg = pid_arg(pid, addr, PAGES), given = arg;
	struct devpub_query query = query_arg(pid, addr, PAGES);

	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg), expected);
	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_MIGRATE_FROM, &arg), expected);
	CHECK(!memcmp(&arg, &given, sizeof(arg)));
	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_QUERY, &query), expected);
}

CASE(not_privileged)
{
	int fd = device_open();
	char *addr = mem_map(PAGES);
	struct test_gate gate;
	pid_t pid = child_with(addr, PAGES, &gate);

	CHECK_CALL(setgid(NOBODY));
	CHECK_CALL(setuid(NOBODY));
	fails(fd, pid, addr, EPERM);
}

/* The memory decides: even a child of the caller has memory of another process. */
CASE(same_user)
{
	int fd = device_open();
	char *addr = mem_map(PAGES);
	struct test_gate gate;
	pid_t pid;

	CHECK_CALL(setgid(NOBODY));
	CHECK_CALL(setuid(NOBODY));
	pid = child_with(addr, PAGES, &gate);
	fails(fd, pid, addr, EPERM);
}

CASE(no_such_process)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	pid_t pid = test_fork();

	if (pid == 0)
		_exit(0);
	/* A zombie has no memory. */
	CHECK_CALL(waitid(P_PID, pid, NULL, WEXITED | WNOWAIT));
	fails(fd, pid, addr, ESRCH);
	test_wait(pid);
	fails(fd, pid, addr, ESRCH);
	fails(fd, 0x7fffffff, addr, ESRCH);
	check_in_system(fd, addr, PAGES);
}

CASE(kernel_thread)
{
	/* kthreadd, unless this process is in a PID namespace */
	fails(device_open(), 2, mem_new(PAGES, 1), ESRCH);
}

static void *thread_body(void *tid)
{
	__atomic_store_n((pid_t *)tid, gettid(), __ATOMIC_RELEASE);
	pause();
	return NULL;
}

CASE(thread_is_no_process)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	pthread_t thread;
	pid_t tid = 0;

	CHECK_EQ(pthread_create(&thread, NULL, thread_body, &tid), 0);
	while (!__atomic_load_n(&tid, __ATOMIC_ACQUIRE))
		sched_yield();
	fails(fd, tid, addr, ESRCH);
}

CASE(wrong_values)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	struct devpub_migrate arg = migrate_arg(addr, PAGES, NULL);
	struct devpub_query query = query_arg(0, addr, PAGES);

	fails(fd, 0, addr, EINVAL);
	fails(fd, -1, addr, EINVAL);
	fails(fd, -0x7fffffff - 1, addr, EINVAL);
	/* A number without the flag is refused. */
	arg.pid = getpid();
	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg), EINVAL);
	query.flags = 0;
	query.pid = getpid();
	CHECK_ERRNO(ioctl(fd, DEVPUB_IOC_QUERY, &query), EINVAL);
}

/* The process may end at any moment: the call reports its progress, or ESRCH. */
CASE(ends_meanwhile)
{
	int fd = device_open();
	uint64_t idle = device_free_pages(fd);
	const size_t pages = 8 * 512;
	char *addr = mem_map(pages);

	for (unsigned int n = test_rounds(20); n--; ) {
		struct test_gate gate;
		struct devpub_migrate arg;
		pid_t pid = child_with(addr, pages, &gate);
		pid_t killer = test_fork();

		if (killer == 0) {
			usleep(n * 500);
			kill(pid, SIGKILL);
			_exit(0);
		}
		do {
			arg = pid_arg(pid, addr, pages);
			if (ioctl(fd, DEVPUB_IOC_MIGRATE_TO, &arg))
				break;
			arg = pid_arg(pid, addr, pages);
		} while (!ioctl(fd, DEVPUB_IOC_MIGRATE_FROM, &arg));
		CHECK_EQ(errno, ESRCH);
		CHECK_CMP(arg.done, <=, pages * PAGE);
		CHECK_EQ(arg.moved + arg.populated + arg.already + arg.absent +
			 arg.refused, arg.done / PAGE);
		test_wait(killer);
		CHECK_EQ(waitpid(pid, NULL, 0), pid);
		device_await_free_pages(fd, idle);
	}
}
