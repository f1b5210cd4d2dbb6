// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* The nodes of the system memory for pages that leave a device. */
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "device.h"
#include "harness.h"
#include "machine.h"
#include "mem.h"
#include "tracing.h"
#include "user.h"

/* More pages than between the watermarks where reclaim starts and allocations fail. */
#define PAGES		16384UL
#define PIECE		512UL
#define LIMIT_MS	30000U
#define DRIVER		"/sys/bus/platform/drivers/devpub/"

static long set_policy(void *addr, size_t pages, int mode, int node)
{
	unsigned long nodes = 1UL << node;

	return syscall(SYS_mbind, addr, pages * PAGE, mode, &nodes, 64, 0);
}

/* Return the number of pages on the node, as the process sees them. */
static size_t pages_on(char *addr, size_t pages, int node)
{
	void *each[PAGES];
	int status[PAGES];
	size_t n = 0;

	CHECK_CMP(pages, <=, PAGES);
	for (size_t i = 0; i < pages; i++)
		each[i] = addr + i * PAGE;
	CHECK_CALL(syscall(SYS_move_pages, 0, pages, each, NULL, status, 0));
	for (size_t i = 0; i < pages; i++)
		n += status[i] == node;
	return n;
}

/* The processes of a case: one owns the memory and executes commands. */
static struct shared {
	void *addr;
	atomic_bool ready;
	atomic_int node;	/* expected node of all pages, or -1 */
	atomic_bool back;	/* fetch them first */
	atomic_bool go, done;
	atomic_size_t there;
} *shared;

enum binding { BIND_TASK, BIND_MEMORY, BIND_CPUSET };

static struct cgroup group;

static pid_t owner_start(enum binding binding, int node)
{
	pid_t pid;

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	pid = test_fork();
	if (pid == 0) {
		unsigned long nodes = 1UL << node;
		char *addr;
		int fd;

		if (binding == BIND_CPUSET)
			cgroup_enter(&group);
		user_become(VICTIM);
		fd = device_open();
		if (binding == BIND_TASK)
			CHECK_CALL(syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 64));
		addr = mem_map(PAGES);
		if (binding == BIND_MEMORY)
			CHECK_CALL(set_policy(addr, PAGES, MPOL_BIND, node));
		mem_fill(addr, PAGES, 9);
		move_to_device(fd, addr, PAGES);
		shared->addr = addr;
		shared->ready = true;
		while (!shared->go)
			test_sleep(5);
		if (shared->back)
			to_system(fd, addr, PAGES);
		mem_check(addr, PAGES, 9);
		shared->there = pages_on(addr, PAGES, node);
		shared->done = true;
		for (;;)
			pause();
	}
	while (!shared->ready) {
		if (waitpid(pid, NULL, WNOHANG))
			FAIL("the owner has ended");
		test_sleep(10);
	}
	return pid;
}

static size_t owner_end(pid_t pid)
{
	shared->go = true;
	while (!shared->done) {
		if (waitpid(pid, NULL, WNOHANG))
			FAIL("the owner has ended");
		test_sleep(10);
	}
	test_kill(pid);
	return shared->there;
}

/* Run on a processor of another node. */
static void stay_away_from(int node)
{
	char path[80];

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		cpu_set_t set;

		snprintf(path, sizeof(path),
			 "/sys/devices/system/node/node%d/cpu%d", node, cpu);
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (access(path, F_OK) && !sched_setaffinity(0, sizeof(set), &set))
			return;
	}
	SKIP("all processors are of node %d", node);
}

enum way { BY_OWNER, BY_ROOT, BY_EVICTION };

static const char * const ways[] = { "the owner", "root", "an eviction" };

static void move_back(int fd, enum way way, pid_t pid)
{
	struct devpub_migrate arg = migrate_arg(shared->addr, PAGES, NULL);
	struct devpub_evict out = { 0 };

	switch (way) {
	case BY_OWNER:
		shared->back = true;
		break;
	case BY_ROOT:
		arg.flags = DEVPUB_MIGRATE_PID;
		arg.pid = pid;
		for (int i = 0; i < 10 && arg.moved + arg.already < PAGES; i++)
			CHECK_CALL(ioctl(fd, DEVPUB_IOC_MIGRATE_FROM, &arg));
		break;
	case BY_EVICTION:
		for (int i = 0; i < 10 && (!i || out.remaining); i++)
			CHECK_CALL(ioctl(fd, DEVPUB_IOC_EVICT, &out));
		break;
	}
}

/* Each way back, for each node, by a caller that runs on another node. */
static void come_back(enum binding binding)
{
	unsigned long nodes = machine_nodes();
	int fd = device_open();

	user_admit();
	for (enum way way = BY_OWNER; way <= BY_EVICTION; way++) {
		for (int node = 0; nodes >> node; node++) {
			char text[16];
			size_t there;
			pid_t pid;

			if (!(nodes >> node & 1))
				continue;
			snprintf(text, sizeof(text), "%d", node);
			if (binding == BIND_CPUSET)
				cgroup_write(&group, "cpuset.mems", text);
			stay_away_from(node);
			pid = owner_start(binding, node);
			move_back(fd, way, pid);
			there = owner_end(pid);
			if (there != PAGES)
				FAIL("by %s: %zu of %zu pages came back to node %d",
				     ways[way], there, PAGES, node);
		}
	}
}

CASE(memory_bound)
{
	machine_other_node(0);
	come_back(BIND_MEMORY);
}

CASE(process_bound)
{
	machine_other_node(0);
	come_back(BIND_TASK);
}

CASE(cpuset_bound)
{
	pid_t pid;
	int status;

	machine_other_node(0);
	cgroup_create(&group, "cpuset");
	pid = test_fork();
	if (pid == 0) {
		come_back(BIND_CPUSET);
		fflush(stdout);
		_exit(0);
	}
	CHECK_CALL(waitpid(pid, &status, 0));
	cgroup_write(&group, "cgroup.kill", "1");
	cgroup_remove(&group);
	if (status)
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* Free memory of a node, with what the kernel keeps for itself. */
static unsigned long node_free_kb(int node)
{
	unsigned long kb = 0;
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
	file = fopen(path, "r");
	CHECK(file);
	while (!kb && fgets(line, sizeof(line), file))
		sscanf(line, "Node %*d MemFree: %lu", &kb);
	fclose(file);
	return kb;
}

/* Return the watermark at which reclaim starts on a node. */
static unsigned long node_low_kb(int node)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	unsigned long pages, sum = 0;
	int at = -1;
	char line[128];

	CHECK(file);
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "Node %d, zone", &at);
		if (at == node && sscanf(line, " low %lu", &pages) == 1)
			sum += pages;
	}
	fclose(file);
	return sum * (PAGE / 1024);
}

/*
 * Take a node's memory, but for less than the pages that are to come back want.  The OOM
 * killer would come for the last of it if the node were asked for and not only preferred.
 */
static pid_t fill_node(int node)
{
	const unsigned long low = node_low_kb(node);
	atomic_bool *full = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	CHECK(full != MAP_FAILED);
	pid = user_fork(ATTACKER);
	if (pid == 0) {
		size_t there;

		do {
			char *addr = mem_map(PIECE);

			CHECK_CALL(set_policy(addr, PIECE, MPOL_PREFERRED, node));
			for (size_t i = 0; i < PIECE; i++)
				addr[i * PAGE] = 1;
			there = pages_on(addr, PIECE, node);
		} while (there > PIECE / 8 && node_free_kb(node) > low);
		*full = true;
		for (;;)
			pause();
	}
	while (!*full) {
		if (waitpid(pid, NULL, WNOHANG))
			FAIL("the process that should fill the node has ended");
		test_sleep(20);
	}
	return pid;
}

/* In a process of its own, which may hang. */
static bool ends(void (*run)(int fd), int fd, const char *what)
{
	unsigned long long begin = test_milliseconds(), now;
	pid_t pid = test_fork();
	int status;

	if (pid == 0) {
		run(fd);
		_exit(0);
	}
	do {
		test_sleep(10);
		now = test_milliseconds() - begin;
		if (waitpid(pid, &status, WNOHANG) == pid) {
			test_note("%s: %llu ms", what, now);
			return !status;
		}
	} while (now < LIMIT_MS);
	test_note("%s: no end after %llu ms", what, now);
	kill(pid, SIGKILL);
	return false;
}

static void evict_all(int fd)
{
	struct devpub_evict arg = { 0 };

	for (int i = 0; i < 4 && (!i || arg.remaining); i++)
		CHECK_CALL(ioctl(fd, DEVPUB_IOC_EVICT, &arg));
	if (arg.remaining)
		FAIL("%llu pages remain", arg.remaining);
}

static void unbind(int fd)
{
	close(fd);
	CHECK_CALL(test_write_text(DRIVER "unbind", "devpub.0"));
}

static void leave_full_node(void (*run)(int fd), const char *what)
{
	int node = machine_other_node(device_info(device_open()).node);
	pid_t owner, hog;
	bool ended;

	user_admit();
	/* The boosted watermarks at which the node counts as full would fall again. */
	test_write_text("/proc/sys/vm/watermark_boost_factor", "0");
	owner = owner_start(BIND_MEMORY, node);
	hog = fill_node(node);
	ended = ends(run, device_open(), what);
	test_kill(hog);
	if (!ended)
		FAIL("%s needs memory of the node that is full", what);
	owner_end(owner);
}

/* The trace reports that the owner's node had no memory. */
CASE(evict_to_full_node)
{
	char *heard;

	machine_other_node(0);
	tracing_listen();
	leave_full_node(evict_all, "an eviction");
	heard = tracing_heard();
	CHECK(strstr(heard, " devpub_evict_elsewhere: devpub0 "));
	free(heard);
}

CASE(unbind_to_full_node)
{
	machine_other_node(0);
	if (access(DRIVER "unbind", W_OK))
		SKIP("no " DRIVER);
	leave_full_node(unbind, "unbinding");
	CHECK_CALL(test_write_text(DRIVER "bind", "devpub.0"));
}
