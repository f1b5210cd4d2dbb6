// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Pages return to the node of their owner's policy, although root's cpuset lacks that node. */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cgroup.h"
#include "device.h"
#include "harness.h"
#include "machine.h"
#include "mem.h"
#include "user.h"

#define PAGES	256UL

static struct shared {
	atomic_uint ready;
	atomic_uint go, calling;
	unsigned long addr;
} *shared;

static unsigned int on_node(char *addr, int node)
{
	unsigned int n = 0;

	for (size_t i = 0; i < PAGES; i++) {
		void *page = addr + i * PAGE;
		int status = -1;

		CHECK_CALL(syscall(SYS_move_pages, 0, 1UL, &page, NULL, &status, 0));
		n += status == node;
	}
	return n;
}

#define PIECES	16

/* Hold the pages in pipes, which are read soon after the call has begun. */
static void hold(char *addr, int ends[PIECES][2])
{
	const size_t size = PAGES / PIECES * PAGE;

	for (size_t i = 0; i < PIECES; i++) {
		struct iovec piece = { addr + i * size, size };

		CHECK_CALL(pipe(ends[i]));
		CHECK_EQ(vmsplice(ends[i][1], &piece, 1, 0), (ssize_t)size);
	}
}

static void let_go(int ends[PIECES][2])
{
	while (!shared->calling)
		;
	test_sleep(15);
	for (size_t i = 0; i < PIECES; i++) {
		close(ends[i][0]);
		close(ends[i][1]);
	}
}

/* Its policy names node 1; its pages are on the device. */
static void be_owner(bool held)
{
	unsigned long nodes = 1UL << 1;
	int fd = device_open(), ends[PIECES][2];
	char *addr = mem_map(PAGES);

	CHECK_CALL(syscall(SYS_mbind, addr, PAGES * PAGE, MPOL_BIND, &nodes, 64UL, 0UL));
	mem_fill(addr, PAGES, 3);
	move_to_device(fd, addr, PAGES);
	if (held)
		hold(addr, ends);
	shared->addr = (unsigned long)addr;
	shared->ready = 1;
	if (held)
		let_go(ends);
	while (!shared->go)
		test_sleep(10);
	test_note("after: %u on node 1, %u on node 0", on_node(addr, 1), on_node(addr, 0));
	mem_check(addr, PAGES, 3);
	CHECK_EQ(on_node(addr, 1), PAGES);
	_exit(0);
}

static void bring_back(int fd, pid_t pid)
{
	struct devpub_migrate from = {
		.flags	= DEVPUB_MIGRATE_PID,
		.pid	= pid,
		.addr	= shared->addr,
		.length	= PAGES * PAGE,
	};

	shared->calling = 1;
	CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_FROM, &from));
	test_note("%llu moved, %llu refused", from.moved, from.refused);
	CHECK_EQ(from.moved, PAGES);
}

static void evict(int fd)
{
	struct devpub_evict arg = { 0 };

	CHECK_CALL(ioctl(fd, DEVPUB_IOC_EVICT, &arg));
	CHECK_EQ(arg.remaining, 0);
}

static void go_back(bool bound, bool pid_call, bool held)
{
	struct cgroup group;
	int fd = device_open();
	pid_t pid;

	machine_other_node(0);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	user_admit();
	cgroup_create(&group, "cpuset");
	cgroup_write(&group, "cpuset.mems", "0");
	pid = user_fork(VICTIM);
	if (pid == 0)
		be_owner(held);
	while (!shared->ready)
		test_sleep(10);
	if (bound)
		cgroup_enter(&group);
	if (pid_call)
		bring_back(fd, pid);
	else
		evict(fd);
	cgroup_leave();
	shared->go = 1;
	cgroup_remove(&group);
	test_wait(pid);
}

CASE(evicted_by_unbound_root)
{
	go_back(false, false, false);
}

CASE(evicted_by_bound_root)
{
	go_back(true, false, false);
}

/* Pages that are held at the first attempt of the call, but not at a retry. */
CASE(retried_for_another_by_bound_root)
{
	go_back(true, true, true);
}

CASE(retried_for_another_by_unbound_root)
{
	go_back(false, true, true);
}

CASE(brought_back_for_another_by_bound_root)
{
	go_back(true, true, false);
}
