/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changes to the machine that end with the case that makes them:
 *
 *	machine_set("/proc/sys/vm/...", "1");
 *	machine_swap_on();
 *	machine_run(body, place);
 *
 * The body is run in a process of its own.  Before machine_run() returns, all is
 * as it was, whatever became of the body, and a failure or a skip of the body is
 * the case's.
 */
#ifndef DEVPUB_TESTS_MACHINE_H
#define DEVPUB_TESTS_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/* Of conformance/; who has none gives NULL. */
struct place;

/* Write to a file of /proc or /sys that can be read; skips where it isn't. */
void machine_set(const char *path, const char *text);
/* The same where the file exists, and nothing where it doesn't. */
void machine_set_if_there(const char *path, const char *text);
/* The case is skipped on machines that have no such file. */
void machine_needs(const char *path);
/* The case is skipped, and says why, on kernels that have such a function. */
void machine_lacks(const char *function, const char *why);
/* What /proc/vmstat counts under this name. */
unsigned long long machine_vmstat(const char *name);
/* The nodes with memory, as bits; the case is skipped where there are no nodes. */
unsigned long machine_nodes(void);
/* One of them that isn't the given one, or the case is skipped. */
int machine_other_node(int node);
/* 8 MiB of swap space, or the case is skipped. */
void machine_swap_on(void);

/* A block of system memory, by its frames. */
struct machine_block {
	char state[96];		/* the file that takes it off and puts it back */
	uint64_t first, frames;
	int node;
};

/*
 * A block that holds nothing but what can move, and is the first of its node to be
 * used, so that it can go offline; or the case is skipped.
 */
void machine_movable_block(struct machine_block *block);

/* Have what waits in batches of any processor dealt with, where that is possible. */
void machine_drain_batches(void);

void machine_run(void (*body)(struct place *place), struct place *place);

#endif /* DEVPUB_TESTS_MACHINE_H */
