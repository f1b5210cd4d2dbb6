// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* System memory that is taken offline while pages use it. */
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "machine.h"
#include "mem.h"
#include "mover.h"
#include "place.h"

#define PAGES	256UL

static struct machine_block block;

/* Count the pages in the block. */
static size_t in_block(const void *addr, size_t pages)
{
	static uint64_t pfns[PAGES];
	size_t count = 0;

	mem_pfns(addr, pages, pfns);
	for (size_t i = 0; i < pages; i++)
		count += pfns[i] - block.first < block.frames;
	return count;
}

/* Allocate new memory, from the block if possible. */
static char *new_in_block(uint64_t seed)
{
	unsigned long nodes = 1UL << block.node;
	char *addr = mem_map(PAGES);

	/* With one node, there is no other choice. */
	syscall(SYS_mbind, addr, PAGES * PAGE, MPOL_BIND, &nodes, 64, 0);
	mem_fill(addr, PAGES, seed);
	CHECK_EQ(in_block(addr, PAGES), PAGES);
	return addr;
}

static void taken_away(struct place *place)
{
	char *addr = new_in_block(1);

	place_put(place, addr, PAGES);
	CHECK_CALL(test_write_text(block.state, "offline"));
	CHECK_EQ(in_block(addr, PAGES), 0);
	mem_check(addr, PAGES, 1);
	place_check(place, addr, PAGES);

	/* The pages can still move. */
	mem_fill(addr, PAGES, 2);
	to_system(place->fd, addr, PAGES);
	check_in_system(place->fd, addr, PAGES);
	mem_check(addr, PAGES, 2);
	move_to_device(place->fd, addr, PAGES);
	mem_check(addr, PAGES, 2);
}

PLACES(taken_away, "memory that goes offline gives its pages to other memory, and those of the device stay")
{
	machine_movable_block(&block);
	machine_run(taken_away, place);
}

/* A page that moves at this moment keeps the block busy for a while. */
static void moving(struct place *place)
{
	char *addr = new_in_block(1);
	struct mover mover;
	uint64_t seed = 1;

	(void)place;
	mover_start(&mover, addr, PAGES);
	while (mover_round(&mover)) {
		CHECK_CALL(test_write_text(block.state, "offline"));
		CHECK_EQ(in_block(addr, PAGES), 0);
		mem_check(addr, PAGES, seed);
		CHECK_CALL(test_write_text(block.state, "online_movable"));
		mem_fill(addr, PAGES, ++seed);
	}
	mover_stop(&mover);
	mem_check(addr, PAGES, seed);
}

ONCE(moving, "memory goes offline and comes back while pages move, which keep their data")
{
	machine_movable_block(&block);
	machine_run(moving, NULL);
}
