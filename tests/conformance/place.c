// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <sched.h>

#include "device.h"
#include "mem.h"
#include "place.h"

static void check_accessed(void)
{
	if (!mem_device_operations())
		FAIL("the device has accessed nothing");
}

void place_run(enum place_kind kind, bool by_device, void (*behaviour)(struct place *place))
{
	struct place place = { .kind = kind, .fd = device_open() };

	place.idle = device_free_pages(place.fd);
	if (by_device)
		mem_use_device();
	behaviour(&place);
	if (by_device)
		check_accessed();
}

void place_run_once(void (*behaviour)(void))
{
	mem_use_device();
	behaviour();
	check_accessed();
}

void place_put(struct place *place, void *addr, size_t pages)
{
	if (place->kind != PLACE_SYSTEM)
		move_to_device(place->fd, addr, pages);
	if (place->kind == PLACE_RETURNED)
		move_to_system(place->fd, addr, pages);
	place_check(place, addr, pages);
}

void *place_new(struct place *place, size_t pages, uint64_t seed)
{
	void *addr = mem_new(pages, seed);

	place_put(place, addr, pages);
	return addr;
}

void *place_new_huge(struct place *place, size_t pages, uint64_t seed)
{
	void *addr = mem_map_huge(pages);

	mem_fill(addr, pages, seed);
	if (mem_smaps(addr, "AnonHugePages") != (long long)(pages * PAGE / 1024))
		SKIP("the kernel gave no huge pages");
	place_put(place, addr, pages);
	return addr;
}

void place_check(struct place *place, const void *addr, size_t pages)
{
	if (place->kind == PLACE_DEVICE)
		check_on_device(place->fd, addr, pages);
	else
		check_in_system(place->fd, addr, pages);
}

void place_check_used(struct place *place, size_t pages)
{
	if (place->kind != PLACE_DEVICE)
		pages = 0;
	CHECK_EQ(place->idle - device_free_pages(place->fd), pages);
}

void place_stay_on_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	CHECK_CALL(sched_setaffinity(0, sizeof(set), &set));
}
