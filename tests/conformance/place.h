/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Behaviours of memory, each seen in three places: with the pages in system
 * memory, on the device, and moved there and back.  A process may expect the
 * same everywhere.
 */
#ifndef DEVPUB_CONFORMANCE_PLACE_H
#define DEVPUB_CONFORMANCE_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness.h"

enum place_kind {
	PLACE_SYSTEM,
	PLACE_DEVICE,
	PLACE_RETURNED,
};

struct place {
	enum place_kind kind;
	int fd;			/* the device */
	uint64_t idle;		/* its free pages as the case began */
};

void place_run(enum place_kind kind, void (*behaviour)(struct place *place));

#define PLACE_CASE(fn, where, kind, sentence)				\
	TEST_CASE(fn##_##where, #fn "." #where, sentence)		\
	{								\
		place_run(kind, behave_##fn);				\
	}

/*
 * PLACES(name, "what a process may expect") { ... } makes the cases name.system,
 * name.device and name.returned of a body that is given its place.
 */
#define PLACES(fn, sentence)						\
	static void behave_##fn(struct place *place);			\
	PLACE_CASE(fn, system, PLACE_SYSTEM, sentence)			\
	PLACE_CASE(fn, device, PLACE_DEVICE, sentence)			\
	PLACE_CASE(fn, returned, PLACE_RETURNED, sentence)		\
	static void behave_##fn(struct place *place)

/* A behaviour that has no place, or all of them at once. */
#define ONCE(fn, sentence)	TEST_CASE(once_##fn, #fn, sentence)

/* Move pages that exist, all of which can move, to the place. */
void place_put(struct place *place, void *addr, size_t pages);

/* New memory, filled (see mem_fill()), in the place; the second of huge pages. */
void *place_new(struct place *place, size_t pages, uint64_t seed);
void *place_new_huge(struct place *place, size_t pages, uint64_t seed);

/* The pages must (still) be in the place. */
void place_check(struct place *place, const void *addr, size_t pages);

/*
 * So many of the case's pages must be on the device, if that is the place.  The
 * device gets a page back as soon as it has no more users.
 */
void place_check_used(struct place *place, size_t pages);

/*
 * From now on the process stays on the processor that it is on, so that none of
 * its pages waits in a batch of another one's, which would hold it.
 */
void place_stay_on_cpu(void);

#endif /* DEVPUB_CONFORMANCE_PLACE_H */
