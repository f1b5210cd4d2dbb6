// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
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

void check_let_go(struct place *place, const void *addr, size_t pages)
{
	if (place->kind == PLACE_DEVICE)
		move_to_system(place->fd, addr, pages);
	move_to_device(place->fd, addr, pages);
	if (place->kind != PLACE_DEVICE)
		move_to_system(place->fd, addr, pages);
}
