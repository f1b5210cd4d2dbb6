// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Several processes, and their exits. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "harness.h"
#include "mem.h"

#define PAGES	2000UL

CASE(two_at_once)
{
	const unsigned int rounds = test_rounds(8);
	pid_t pid[2];

	for (int i = 0; i < 2; i++) {
		pid[i] = test_fork();
		if (pid[i])
			continue;

		int fd = device_open();
		char *addr = mem_new(PAGES, i);

		for (unsigned int round = 0; round < rounds; round++) {
			move_to_device(fd, addr, PAGES);
			mem_check(addr, PAGES, 2 * round + i);
			mem_fill(addr, PAGES, 2 * round + 2 + i);
			move_to_system(fd, addr, PAGES);
			mem_check(addr, PAGES, 2 * round + 2 + i);
		}
		_exit(0);
	}
	for (int i = 0; i < 2; i++)
		test_wait(pid[i]);
}

/* Parent and child both write, and neither sees the other's writes. */
static void write_apart(int fd, char *addr, pid_t pid, struct test_gate *gate,
			bool parent_first)
{
	if (pid == 0) {
		test_gate_await(gate, 1);
		mem_check(addr, PAGES, 1);
		mem_fill(addr, PAGES, 2);
		mem_check(addr, PAGES, 2);
		_exit(0);
	}
	if (parent_first)
		mem_fill(addr, PAGES, 3);
	test_gate_signal(gate, 0);
	test_wait(pid);
	mem_check(addr, PAGES, parent_first ? 3 : 1);
	mem_fill(addr, PAGES, 4);
	to_device(fd, addr, PAGES);
	mem_check(addr, PAGES, 4);
}

static void fork_then_migrate(bool parent_first)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	struct test_gate gate;
	pid_t pid;

	test_gate_open(&gate);
	pid = test_fork();
	if (pid) {
		move_to_device(fd, addr, PAGES);
		check_on_device(fd, addr, PAGES);
	}
	write_apart(fd, addr, pid, &gate, parent_first);
}

static void migrate_then_fork(bool parent_first)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	struct test_gate gate;
	pid_t pid;

	move_to_device(fd, addr, PAGES);
	test_gate_open(&gate);
	pid = test_fork();
	if (pid)
		check_on_device(fd, addr, PAGES);
	write_apart(fd, addr, pid, &gate, parent_first);
}

CASE(fork_then_migrate_child_writes)
{
	fork_then_migrate(false);
}

CASE(fork_then_migrate_both_write)
{
	fork_then_migrate(true);
}

CASE(migrate_then_fork_child_writes)
{
	migrate_then_fork(false);
}

CASE(migrate_then_fork_both_write)
{
	migrate_then_fork(true);
}

/* A page that is shared by fork is one page of the device for both processes. */
CASE(child_sees_the_move)
{
	int fd = device_open();
	uint64_t idle = device_free_pages(fd);
	char *addr = mem_new(PAGES, 1);
	struct test_gate gate;
	pid_t pid;

	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		test_gate_await(&gate, 1);
		check_on_device(fd, addr, PAGES);
		to_device_all(fd, addr, PAGES, DEVPUB_REASON_ALREADY);
		/* The child can move the pages back for both. */
		move_to_system(fd, addr, PAGES);
		mem_check(addr, PAGES, 1);
		_exit(0);
	}
	move_to_device(fd, addr, PAGES);
	CHECK_EQ(device_free_pages(fd), idle - PAGES);
	test_gate_signal(&gate, 0);
	test_wait(pid);
	check_in_system(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
	device_await_free_pages(fd, idle);
}

/* The parent exits first; then only the child has the pages. */
CASE(parent_exits)
{
	int fd = device_open();
	struct test_gate gate;
	pid_t pid;

	test_gate_open(&gate);
	pid = test_fork();
	if (pid == 0) {
		char *addr = mem_new(PAGES, 1);

		move_to_device(fd, addr, PAGES);
		if (fork())
			_exit(0);
		test_sleep(300);
		check_on_device(fd, addr, PAGES);
		mem_check(addr, PAGES, 1);
		mem_fill(addr, PAGES, 2);
		move_to_system(fd, addr, PAGES);
		mem_check(addr, PAGES, 2);
		test_gate_signal(&gate, 1);
		_exit(0);
	}
	test_wait(pid);
	test_gate_await(&gate, 0);
}

CASE(exit_on_device)
{
	int fd = device_open();
	uint64_t idle = device_free_pages(fd);
	pid_t pid = test_fork();

	if (pid == 0) {
		move_to_device(fd, mem_new(PAGES, 1), PAGES);
		_exit(0);
	}
	test_wait(pid);
	device_await_free_pages(fd, idle);
}

/* exec() frees the old memory and closes the file. */
CASE(exec_on_device)
{
	int fd = device_open();
	uint64_t idle = device_free_pages(fd);
	pid_t pid = test_fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		move_to_device(fd, mem_new(PAGES, 1), PAGES);
		dup2(null, 1);
		execl("/proc/self/exe", "procs", "--list", NULL);
		_exit(1);
	}
	test_wait(pid);
	device_await_free_pages(fd, idle);
}

/* An inherited file acts on the memory of the calling process. */
CASE(file_of_another)
{
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	pid_t pid = test_fork();

	if (pid == 0) {
		char *own = mem_new(PAGES, 2);

		move_to_device(fd, own, PAGES);
		mem_check(own, PAGES, 2);
		_exit(0);
	}
	test_wait(pid);
	check_in_system(fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

/* A process is killed during a migration, each time at a later point. */
CASE(killed_in_the_middle)
{
	const size_t pages = 4 * PAGES;
	int fd = device_open();
	uint64_t idle = device_free_pages(fd);

	for (unsigned int i = 0; i < test_rounds(12); i++) {
		struct test_gate gate;
		pid_t pid;

		test_gate_open(&gate);
		pid = test_fork();
		if (pid == 0) {
			char *addr = mem_map(pages);

			for (size_t j = 0; j < pages; j++)
				addr[j * PAGE] = 1;
			test_gate_signal(&gate, 1);
			for (;;) {
				to_device_once(fd, addr, pages);
				to_system_once(fd, addr, pages);
			}
		}
		test_gate_await(&gate, 0);
		test_sleep(11 * (i % 16));
		test_kill(pid);
		device_await_free_pages(fd, idle);
	}
}

/* Parent and child migrate the same pages both ways. */
CASE(tug_of_war)
{
	const unsigned int rounds = test_rounds(6);
	int fd = device_open();
	char *addr = mem_new(PAGES, 1);
	pid_t pid = test_fork();

	for (unsigned int round = 0; round < rounds; round++) {
		if (pid)
			to_device_once(fd, addr, PAGES);
		else
			to_system_once(fd, addr, PAGES);
		mem_check(addr, PAGES, 1);
	}
	if (pid == 0)
		_exit(0);
	test_wait(pid);
	mem_check(addr, PAGES, 1);
}
