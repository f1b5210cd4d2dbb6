// SPDX-License-Identifier: GPL-2.0
#include "hold.h"

void check_held(struct place *place, const void *addr, size_t pages)
{
	struct outcome out;

	if (place->kind == PLACE_DEVICE)
		out = to_system_once(place->fd, addr, pages);
	else
		out = to_device_once(place->fd, addr, pages);
	CHECK_EQ(out.pages[DEVPUB_REASON_PINNED] +
		 out.pages[DEVPUB_REASON_BUSY], pages);
	place_check(place, addr, pages);
}

void check_pinned_in_system(struct place *place, const void *addr, size_t pages)
{
	check_in_system(place->fd, addr, pages);
	to_device_all(place->fd, addr, pages, DEVPUB_REASON_PINNED);
	check_in_system(place->fd, addr, pages);
}

/*
 * A read is over before its pages are let go: where one has to be marked dirty again,
 * a worker does both (block/bio.c, bio_check_pages_dirty()).
 */
void check_let_go(struct place *place, const void *addr, size_t pages)
{
	const bool back = place->kind == PLACE_DEVICE;
	struct outcome out;

	for (int i = 0; i < 200; i++) {
		out = back ? to_system(place->fd, addr, pages) :
			     to_device(place->fd, addr, pages);
		if (!out.pages[DEVPUB_REASON_PINNED])
			break;
		test_sleep(50);
	}
	if (back) {
		check_in_system(place->fd, addr, pages);
		move_to_device(place->fd, addr, pages);
	} else {
		check_on_device(place->fd, addr, pages);
		move_to_system(place->fd, addr, pages);
	}
}
