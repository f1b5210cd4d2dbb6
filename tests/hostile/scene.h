/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * A device and a CPU write to memory while a case does something else to it:
 *
 *	static void act(unsigned int round) { ... }
 *	scene_play(act);
 *
 * Each page contains counts that only the device changes, and one that only the CPU changes.
 * Each side knows the values of its counts, so it notices a lost write at the next access.
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
	/* Pages may be absent, so writes may fail, and reads may return other contents. */
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
/* Let the device access a word.  Return false after an error that the scene permits. */
bool scene_access(int fd, unsigned int op, uint64_t *addr, void *buffer, uint64_t *before);
/* Play the scene in a process of an ordinary user, which calls @act repeatedly. */
void scene_play(void (*act)(unsigned int round));

#endif /* DEVPUB_TESTS_HOSTILE_SCENE_H */
