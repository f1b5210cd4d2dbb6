/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Pages that are pinned or referenced and must not move meanwhile. */
#ifndef DEVPUB_CONFORMANCE_HOLD_H
#define DEVPUB_CONFORMANCE_HOLD_H

#include <stddef.h>

#include "device.h"
#include "place.h"

/*
 * Check that a migration refuses the held pages as pinned or busy and that they are still
 * in the place.
 */
void check_held(struct place *place, const void *addr, size_t pages);

/*
 * Check the same for pages in system memory, whatever the place is.  They must be refused
 * as pinned.
 */
void check_pinned_in_system(struct place *place, const void *addr,
			    size_t pages);

/*
 * Check that the pages can move away from the place and back, because nothing holds them
 * any more.
 */
void check_let_go(struct place *place, const void *addr, size_t pages);

#endif /* DEVPUB_CONFORMANCE_HOLD_H */
