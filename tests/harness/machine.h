/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Changes to the machine that are undone at the end of a case:
 *
 *	machine_set("/proc/sys/vm/...", "1");
 *	machine_swap_on();
 *	machine_run(body, place);
 *
 * The body runs in a process of its own.  machine_run() undoes the changes before it returns,
 * however the body ends.  A failure or skip of the body becomes that of the case.
 */
#ifndef DEVPUB_TESTS_MACHINE_H
#define DEVPUB_TESTS_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/* A place of conformance/, or NULL. */
struct place;

/* Write to a readable file of /proc or /sys.  Skip the case if it does not exist. */
void machine_set(const char *path, const char *text);
/* The same, but do nothing if the file does not exist. */
void machine_set_if_there(const char *path, const char *text);
/* Skip the case if this file does not exist. */
void machine_needs(const char *path);
/* Skip the case with this reason if the kernel has this function. */
void machine_lacks(const char *function, const char *why);
/* Return the value of this name in /proc/vmstat. */
unsigned long long machine_vmstat(const char *name);
/* Return the nodes with memory as bits.  Skip the case without NUMA. */
unsigned long machine_nodes(void);
/* Return another node with memory, or skip the case. */
int machine_other_node(int node);
/* Enable 8 MiB of swap space, or skip the case. */
void machine_swap_on(void);
/* Let KSM scan this number of pages, then pause, all the time.  Skip the case without KSM. */
void machine_ksm_on(const char *pages, const char *pause_ms);

/* A block of system memory, identified by its frames. */
struct machine_block {
	char state[96];		/* sysfs file that sets it offline and online */
	uint64_t first, frames;
	int node;
};

/*
 * Find a block that contains only movable pages, and is the first of its node to be used, so
 * that it can go offline.  Skip the case if there is none.
 */
void machine_movable_block(struct machine_block *block);

/* Return a field of /proc/meminfo, in which the processors' parts of counters are added up. */
long long machine_meminfo(const char *name);

/* Drain the batches of all processors, if the kernel makes that possible. */
void machine_drain_batches(void);

void machine_run(void (*body)(struct place *place), struct place *place);

#endif /* DEVPUB_TESTS_MACHINE_H */
