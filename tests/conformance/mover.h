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
/* Whether to go on: each side gets a number of rounds, however slow the other. */
bool mover_round(struct mover *mover);
/* Whether pages moved both ways so far. */
bool mover_has_moved(const struct mover *mover);
/* The case fails unless they did. */
void mover_stop(struct mover *mover);

/* A child that does the same to the memory that it inherits, until it is killed. */
struct mover *mover_fork(void *addr, size_t pages);
/* The case fails unless the child was there still, and pages moved both ways. */
void mover_kill(struct mover *mover);

#endif /* DEVPUB_CONFORMANCE_MOVER_H */
