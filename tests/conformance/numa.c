// SPDX-License-Identifier: GPL-2.0
/* Policies and moves between nodes. */
#include <linux/mempolicy.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "machine.h"
#include "mem.h"
#include "place.h"

#define PAGES	64UL

static long mbind(void *addr, size_t pages, int mode, unsigned long nodes,
		  unsigned int flags)
{
	return syscall(SYS_mbind, addr, pages * PAGE, mode, &nodes, 64, flags);
}

/* The nodes with memory, as bits; those of more than one are what some want. */
static unsigned long nodes_with_memory(void)
{
	unsigned long nodes = 0;
	char path[64];

	for (unsigned int node = 0; node < 63; node++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/system/node/node%u/meminfo", node);
		if (!access(path, R_OK))
			nodes |= 1UL << node;
	}
	if (!nodes)
		SKIP("this kernel knows no nodes");
	return nodes;
}

static unsigned long other_node(int node)
{
	unsigned long others = nodes_with_memory() & ~(1UL << node);

	if (!others)
		SKIP("needs a second node with memory");
	return others & -others;
}

static int node_of_bit(unsigned long bit)
{
	return __builtin_ctzl(bit);
}

/* The node of each page, or what move_pages() says instead. */
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

	nodes_with_memory();
	nodes_of(addr, PAGES, status);
	for (size_t i = 0; i < PAGES; i++)
		if (status[i] < 0)
			FAIL("page %zu: %s", i, strerror(-status[i]));
}

PLACES(move_pages_stays, "move_pages() to a node leaves pages of the device where they are, with an error for each")
{
	char *addr = place_new(place, PAGES, 1);
	int nodes[PAGES], status[PAGES];
	void *each[PAGES];

	for (size_t i = 0; i < PAGES; i++) {
		each[i] = addr + i * PAGE;
		nodes[i] = node_of_bit(nodes_with_memory() &
				       -nodes_with_memory());
		status[i] = 1000;
	}
	CHECK_CMP(syscall(SYS_move_pages, 0, PAGES, each, nodes, status,
			  MPOL_MF_MOVE) + 1, >, 0);
	for (size_t i = 0; i < PAGES; i++) {
		if (place->kind == PLACE_DEVICE)
			CHECK_CMP(-status[i], >, 0);
		else
			CHECK_EQ(status[i], nodes[i]);
	}
	place_check(place, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

PLACES(bound, "mbind() with pages to be moved leaves pages of the device where they are, and loses none")
{
	char *addr = place_new(place, PAGES, 1);
	unsigned long nodes = nodes_with_memory();

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
	unsigned long nodes = nodes_with_memory(), last = nodes;

	while (last & (last - 1))
		last &= last - 1;
	CHECK_CMP(syscall(SYS_migrate_pages, 0, 64, &nodes, &last) + 1, >, 0);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);
}

PLACES(bound_back, "pages of a mapping that is bound to a node come back from the device to that node")
{
	int fd = place->fd;
	unsigned long other = other_node(device_info(fd).node);
	char *addr = mem_map(PAGES);
	int status[PAGES];

	CHECK_CALL(mbind(addr, PAGES, MPOL_BIND, other, 0));
	mem_fill(addr, PAGES, 1);
	place_put(place, addr, PAGES);
	to_system(fd, addr, PAGES);
	nodes_of(addr, PAGES, status);
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQ(status[i], node_of_bit(other));
	mem_check(addr, PAGES, 1);
}

PLACES(to_other_node, "pages that came back move from node to node as others do")
{
	char *addr = place_new(place, PAGES, 1);
	unsigned long other;
	int status[PAGES];

	if (place->kind == PLACE_DEVICE)
		move_to_system(place->fd, addr, PAGES);
	other = other_node(node_of(addr));
	CHECK_CALL(mbind(addr, PAGES, MPOL_BIND, other,
			 MPOL_MF_MOVE | MPOL_MF_STRICT));
	nodes_of(addr, PAGES, status);
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQ(status[i], node_of_bit(other));
	move_to_device(place->fd, addr, PAGES);
	mem_check(addr, PAGES, 1);
}

static void run_on_all(struct place *place)
{
	char *addr = place_new(place, PAGES, 1);
	unsigned long long end = test_milliseconds() + 3000;
	uint64_t seed = 1;

	while (test_milliseconds() < end) {
		mem_check(addr, PAGES, seed);
		mem_fill(addr, PAGES, ++seed);
	}
	if (place->kind == PLACE_DEVICE)
		place_check(place, addr, PAGES);
	else
		check_in_system(place->fd, addr, PAGES);
}

PLACES(balancing, "NUMA balancing samples pages wherever they are, and moves none off the device")
{
	machine_set("/proc/sys/kernel/numa_balancing", "1");
	machine_set_if_there("/sys/kernel/debug/sched/numa_balancing/scan_period_min_ms", "100");
	machine_set_if_there("/sys/kernel/debug/sched/numa_balancing/scan_delay_ms", "10");
	machine_run(run_on_all, place);
}
