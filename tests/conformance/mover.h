/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
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
#include <sys/types.h>

struct mover {
	void *addr;
	size_t pages;
	int fd;
	pthread_t thread;
	pid_t pid;
	unsigned int rounds;
	atomic_uint passes;
	atomic_ulong moved_to, moved_back;
	atomic_bool stop;
};

void mover_start(struct mover *mover, void *addr, size_t pages);
/*
 * Return whether to continue.  Both sides get a minimum number of rounds, however slow the
 * other side is.
 */
bool mover_round(struct mover *mover);
/* Return whether pages have moved in both directions so far. */
bool mover_has_moved(const struct mover *mover);
/* Fail the case unless they have. */
void mover_stop(struct mover *mover);

/* Start a child that moves the memory that it inherits, until it is killed. */
struct mover *mover_fork(void *addr, size_t pages);
/* Fail the case unless the child still runs and pages have moved in both directions. */
void mover_kill(struct mover *mover);

#endif /* DEVPUB_CONFORMANCE_MOVER_H */
