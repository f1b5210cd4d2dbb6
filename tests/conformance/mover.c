// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <sys/mman.h>

#include "device.h"
#include "harness.h"
#include "mover.h"

#define ROUNDS	12
#define PATIENCE	100

static void pass(struct mover *mover)
{
	mover->moved_to += to_device_once(mover->fd, mover->addr, mover->pages)
			   .pages[DEVPUB_REASON_MOVED];
	mover->moved_back += to_system_once(mover->fd, mover->addr,
					    mover->pages)
			     .pages[DEVPUB_REASON_MOVED];
	mover->passes++;
}

static void *move(void *data)
{
	struct mover *mover = data;

	while (!mover->stop)
		pass(mover);
	return NULL;
}

void mover_start(struct mover *mover, void *addr, size_t pages)
{
	memset(mover, 0, sizeof(*mover));
	mover->addr = addr;
	mover->pages = pages;
	mover->fd = device_open();
	CHECK_EQ(pthread_create(&mover->thread, NULL, move, mover), 0);
}

bool mover_round(struct mover *mover)
{
	const unsigned int rounds = test_rounds(ROUNDS);

	if (mover->rounds++ < rounds || mover->passes < rounds)
		return true;
	/* If the pages are in one place most of the time, this takes more attempts. */
	return !mover_has_moved(mover) && mover->rounds < PATIENCE * rounds;
}

bool mover_has_moved(const struct mover *mover)
{
	return mover->moved_to && mover->moved_back;
}

void mover_stop(struct mover *mover)
{
	mover->stop = true;
	CHECK_EQ(pthread_join(mover->thread, NULL), 0);
	CHECK_CMP(mover->moved_to, >, 0);
	CHECK_CMP(mover->moved_back, >, 0);
}

struct mover *mover_fork(void *addr, size_t pages)
{
	struct mover *mover = mmap(NULL, sizeof(*mover), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	CHECK(mover != MAP_FAILED);
	mover->addr = addr;
	mover->pages = pages;
	pid = test_fork();
	if (pid == 0) {
		mover->fd = device_open();
		for (;;)
			pass(mover);
	}
	mover->pid = pid;
	return mover;
}

void mover_kill(struct mover *mover)
{
	test_kill(mover->pid);
	CHECK_CMP(mover->moved_to, >, 0);
	CHECK_CMP(mover->moved_back, >, 0);
	CHECK_CALL(munmap(mover, sizeof(*mover)));
}
