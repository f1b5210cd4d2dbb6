/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Behaviours of memory.  Each is tested in four places: with the pages in system memory, on
 * the device, moved there and back, and on the device while the device instead of the CPU
 * reads and writes them (mem_use_device()).  A process may expect the same in all of them.
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

/* With @by_device, the case fails if the behaviour lets the device access nothing. */
void place_run(enum place_kind kind, bool by_device, void (*behaviour)(struct place *place));
void place_run_once(void (*behaviour)(void));

#define PLACE_CASE(fn, where, kind, by_device, sentence)		\
	TEST_CASE(fn##_##where, #fn "." #where, sentence)		\
	{								\
		place_run(kind, by_device, behave_##fn);		\
	}

#define PLACE_CASES(fn, sentence)					\
	static void behave_##fn(struct place *place);			\
	PLACE_CASE(fn, system, PLACE_SYSTEM, false, sentence)		\
	PLACE_CASE(fn, device, PLACE_DEVICE, false, sentence)		\
	PLACE_CASE(fn, returned, PLACE_RETURNED, false, sentence)

/*
 * PLACES(name, "what a process may expect") { ... } makes the cases name.system,
 * name.device, name.returned and name.device_access of a body that is given its
 * place.  The body accesses the memory only by the functions of mem.h.
 */
#define PLACES(fn, sentence)						\
	PLACE_CASES(fn, sentence)					\
	PLACE_CASE(fn, device_access, PLACE_DEVICE, true, sentence)	\
	static void behave_##fn(struct place *place)

/* A behaviour without a place, or with all of them: cases name and name.device_access. */
#define ONCE(fn, sentence)						\
	static void behave_##fn(void);					\
	TEST_CASE(once_##fn, #fn, sentence)				\
	{								\
		behave_##fn();						\
	}								\
	TEST_CASE(once_##fn##_device_access, #fn ".device_access", sentence) \
	{								\
		place_run_once(behave_##fn);				\
	}								\
	static void behave_##fn(void)

/* The same for a behaviour that has no form with the device, for this reason. */
#define NO_DEVICE_ACCESS(fn, sentence, why)				\
	TEST_CASE(fn##_device_access, #fn ".device_access", sentence)	\
	{								\
		SKIP(why);						\
	}

#define PLACES_OF_CPU(fn, sentence, why)				\
	PLACE_CASES(fn, sentence)					\
	NO_DEVICE_ACCESS(fn, sentence, why)				\
	static void behave_##fn(struct place *place)

#define ONCE_OF_CPU(fn, sentence, why)					\
	static void once_##fn(void);					\
	TEST_CASE(case_once_##fn, #fn, sentence)			\
	{								\
		once_##fn();						\
	}								\
	NO_DEVICE_ACCESS(fn, sentence, why)				\
	static void once_##fn(void)

/* Move existing pages to the place.  All of them must move. */
void place_put(struct place *place, void *addr, size_t pages);

/*
 * Map new memory, fill it by mem_fill(), and move it to the place.  The second function
 * maps huge pages.
 */
void *place_new(struct place *place, size_t pages, uint64_t seed);
void *place_new_huge(struct place *place, size_t pages, uint64_t seed);

/* Check that the pages are in the place. */
void place_check(struct place *place, const void *addr, size_t pages);

/*
 * Check that this number of the case's pages is on the device, if that is the place.  The
 * device gets a page back when its last user has gone.
 */
void place_check_used(struct place *place, size_t pages);

/*
 * Bind the process to its current processor, so that none of its pages is in a batch of
 * another processor, which would hold a reference.
 */
void place_stay_on_cpu(void);

#endif /* DEVPUB_CONFORMANCE_PLACE_H */
