/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Memory that a device and a CPU write to while something else happens to it:
 *
 *	static void act(unsigned int round) { ... }
 *	scene_play(act);
 *
 * Each page contains counts that only the device changes, and one that only the CPU changes.
 * Whoever changes a count knows its value, so a lost write is noticed at once.
 */
#ifndef DEVPUB_TESTS_HOSTILE_SCENE_H
#define DEVPUB_TESTS_HOSTILE_SCENE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "mem.h"

#define SCENE_PAGES	HUGE_PAGES
#define SCENE_SIZE	(SCENE_PAGES * PAGE)
#define SCENE_WRITERS	2
#define SCENE_MS	2500U

struct scene {
	/* Flags of the mapping, or 0. */
	int flags;
	/* Pages are not always there: accesses fail, and others' content is read. */
	bool writes_fail, reads_differ;
	/* The CPU does not write. */
	bool cpu_waits;

	char *addr;
	int fd;
	unsigned long long end;
	atomic_ulong writes, failures;
};

extern struct scene scene;

/* Map the memory, and set the end of the scene. */
void scene_prepare(unsigned int ms);
/* Return false after the end. */
bool scene_goes_on(void);
/* Return false if the device could not get at the word, as it may be. */
bool scene_access(int fd, unsigned int op, uint64_t *addr, void *buffer, uint64_t *before);
/* Run the scene in a process of an ordinary user, which calls @act again and again. */
void scene_play(void (*act)(unsigned int round));

#endif /* DEVPUB_TESTS_HOSTILE_SCENE_H */
