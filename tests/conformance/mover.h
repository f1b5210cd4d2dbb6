/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A thread that moves memory to the device and back as long as a case does
 * something else to it:
 *
 *	mover_start(&mover, addr, pages);
 *	while (mover_round(&mover))
 *		something();
 *	mover_stop(&mover);
 *
 * Pages may be unmapped, held or in any other state that refuses a move.
 */
#ifndef DEVPUB_CONFORMANCE_MOVER_H
#define DEVPUB_CONFORMANCE_MOVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct mover {
	void *addr;
	size_t pages;
	int fd;
	pthread_t thread;
	unsigned int rounds;
	atomic_uint passes;
	atomic_ulong moved_to, moved_back;
	atomic_bool stop;
};

void mover_start(struct mover *mover, void *addr, size_t pages);
/* Whether to go on: each side gets a number of rounds, however slow the other. */
bool mover_round(struct mover *mover);
/* The case fails unless pages moved both ways. */
void mover_stop(struct mover *mover);

/* Move the memory to and fro for ever: what a child does that is killed later. */
void mover_run(void *addr, size_t pages) __attribute__((noreturn));

#endif /* DEVPUB_CONFORMANCE_MOVER_H */
