/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Pages that somebody holds, and that must stay where they are meanwhile. */
#ifndef DEVPUB_CONFORMANCE_HOLD_H
#define DEVPUB_CONFORMANCE_HOLD_H

#include <stddef.h>

#include "device.h"
#include "place.h"

/*
 * The pages are held: an attempt to move them from where they are is refused,
 * because they are pinned or busy, and they are in the place still.
 */
void check_held(struct place *place, const void *addr, size_t pages);

/* The same of pages in system memory, whatever the place; refused as pinned. */
void check_pinned_in_system(struct place *place, const void *addr,
			    size_t pages);

/* Nobody holds the pages any more: they move, away from the place and back. */
void check_let_go(struct place *place, const void *addr, size_t pages);

#endif /* DEVPUB_CONFORMANCE_HOLD_H */
