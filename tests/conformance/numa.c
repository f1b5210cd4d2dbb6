// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Memory policies, and moves between nodes. */
#include <linux/mempolicy.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "hold.h"
#include "machine.h"
#include "mem.h"
#include "place.h"

#define PAGES	64UL

static long mbind(void *addr, size_t pages, int mode, unsigned long nodes,
		  unsigned int flags)
{
	return syscall(SYS_mbind, addr, pages * PAGE, mode, &nodes, 64, flags);
}

/* Return the node of each page, or the error of move_pages(). */
static void nodes_of(void *addr, size_t pages, int *status)
{
	void *each[PAGES];

	for (size_t i = 0; i < pages; i++)
		each[i] = (char *)addr + i * PAGE;
	CHECK_CALL(syscall(SYS_move_pages, 0, pages, each, NULL, status, 0));
}

static int node_of(void *addr)
{
	int status;

	nodes_of(addr, 1, &status);
	return status;
}

PLACES(move_pages_tells, "move_pages() tells the node of each page")
{
	char *addr = place_new(place, PAGES, 1);
	int status[PAGES];

	machine_nodes();
	nodes_of(addr, PAGES, status);
	for (size_t i = 0; i < PAGES; i++)
		if (status[i] < 0)
			FAIL("page %zu: %s", i, strerror(-status[i]));
}

/* Move the pages to another node, and return that node. */
static int move_to_other_node(struct place *place, char *addr, int *status)
{
	int node = place->kind == PLACE_DEVICE ? device_info(place->fd).node :
						 node_of(addr);
	int other = machine_other_node(node), nodes[PAGES];
	void *each[PAGES];

	for (size_t i = 0; i < PAGES; i++) {
		each[i] = addr + i * PAGE;
		nodes[i] = other;
		status[i] = 1000;
	}
	CHECK_CMP(syscall(SYS_move_pages, 0, PAGES, each, nodes, status,
			  MPOL_MF_MOVE) + 1, >, 0);
	return other;
}

PLACES(move_pages, "move_pages() takes pages to another node")
{
	char *addr = place_new(place, PAGES, 1);
	int status[PAGES], node;

	node = move_to_other_node(place, addr, status);
	mem_check(addr, PAGES, 1);
	for (size_t i = 0; i < PAGES; i++)
		if (status[i] != node)
			FAIL("page %zu: %d instead of node %d", i, status[i],
			     node);
}

PLACES(move_pages_data, "pages are the same, and move, after an attempt to take them to another node")
{
	char *addr = place_new(place, PAGES, 1);
	int status[PAGES];

	move_to_other_node(place, addr, status);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
	check_let_go(place, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

PLACES(bound, "mbind() with pages to be moved leaves pages of the device where they are, and loses none")
{
	char *addr = place_new(place, PAGES, 1);
	unsigned long nodes = machine_nodes();

	CHECK_CALL(mbind(addr, PAGES, MPOL_BIND, nodes & -nodes, MPOL_MF_MOVE));
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
	CHECK_CALL(mbind(addr, PAGES, MPOL_INTERLEAVE, nodes, MPOL_MF_MOVE));
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
}

PLACES(migrate_pages, "migrate_pages() of a process leaves pages of the device where they are, and loses none")
{
	char *addr = place_new(place, PAGES, 1);
	unsigned long nodes = machine_nodes(), last = nodes;

	while (last & (last - 1))
		last &= last - 1;
	CHECK_CMP(syscall(SYS_migrate_pages, 0, 64, &nodes, &last) + 1, >, 0);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
}

PLACES(bound_back, "pages of a mapping that is bound to a node come back from the device to that node")
{
	int fd = place->fd;
	int other = machine_other_node(device_info(fd).node);
	char *addr = mem_map(PAGES);
	int status[PAGES];

	CHECK_CALL(mbind(addr, PAGES, MPOL_BIND, 1UL << other, 0));
	mem_fill(addr, PAGES, 1);
	place_put(place, addr, PAGES);
	to_system(fd, addr, PAGES);
	nodes_of(addr, PAGES, status);
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQ(status[i], other);
	mem_check(addr, PAGES, 1);
}

PLACES(to_other_node, "pages that came back move from node to node as others do")
{
	char *addr = place_new(place, PAGES, 1);
	int status[PAGES], other;

	if (place->kind == PLACE_DEVICE)
		move_to_system(place->fd, addr, PAGES);
	other = machine_other_node(node_of(addr));
	CHECK_CALL(mbind(addr, PAGES, MPOL_BIND, 1UL << other,
			 MPOL_MF_MOVE | MPOL_MF_STRICT));
	nodes_of(addr, PAGES, status);
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQ(status[i], other);
	move_to_device(place->fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

struct reader {
	pthread_t thread;
	const char *addr;
	atomic_bool stop;
};

static void *read_on(void *data)
{
	struct reader *reader = data;

	while (!reader->stop)
		for (size_t i = 0; i < PAGES; i++)
			mem_get(reader->addr + i * PAGE);
	return NULL;
}

/* The kernel does not sample pages on the node on which a process with one thread runs. */
static void run_on_all(struct place *place)
{
	unsigned long long sampled = machine_vmstat("numa_pte_updates");
	unsigned long long begin = test_milliseconds(), passed;
	struct reader reader = { .addr = mem_new(PAGES, 9) };
	char *addr = place_new(place, PAGES, 1);
	uint64_t seed = 1;

	CHECK_EQ(pthread_create(&reader.thread, NULL, read_on, &reader), 0);
	do {
		mem_check(addr, PAGES, seed);
		mem_fill(addr, PAGES, ++seed);
		passed = test_milliseconds() - begin;
	} while (passed < 3000 ||
		 (passed < 60000 && machine_vmstat("numa_pte_updates") == sampled));
	reader.stop = true;
	CHECK_EQ(pthread_join(reader.thread, NULL), 0);
	CHECK_CMP(machine_vmstat("numa_pte_updates"), >, sampled);
	mem_check(addr, PAGES, seed);
	place_check(place, addr, PAGES);
}

PLACES(balancing, "while NUMA balancing samples a process, its pages keep their data, and those of a device, which it passes by, their place")
{
	machine_set("/proc/sys/kernel/numa_balancing", "1");
	machine_set_if_there("/sys/kernel/debug/sched/numa_balancing/scan_period_min_ms", "100");
	machine_set_if_there("/sys/kernel/debug/sched/numa_balancing/scan_delay_ms", "10");
	machine_run(run_on_all, place);
}
