/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Processes whose mmap_lock is held until they are released.  An ordinary user needs only slow
 * storage for that: a read of /proc/self/mem holds the lock for reading while it waits for a
 * page of a file, and an mmap() that waits for the lock blocks all later readers.  Here the slow
 * storage is a RAM disk that a control group throttles.
 */
#ifndef DEVPUB_TESTS_HOSTILE_STUCK_H
#define DEVPUB_TESTS_HOSTILE_STUCK_H

#include <stdbool.h>
#include <sys/types.h>

struct stuck_control;

struct stuck {
	/* Called in the new process before its lock is taken; may be NULL. */
	void (*prepare)(struct stuck *stuck);
	/* Each of its callers runs this once the lock is held. */
	void (*call)(struct stuck *stuck);
	unsigned int callers;
	/* The one caller is a process of its own that shares the memory. */
	bool apart;
	/* Argument of prepare and call. */
	int fd;
	void *addr;
	size_t pages;
	unsigned long command;
	unsigned int workers;

	/* The process, and the caller that is one of its own. */
	pid_t pid, caller;
	struct stuck_control *control;
};

/*
 * Run the body of a case as root in a process of its own, which may use the functions below.
 * Afterwards, release and kill all stuck processes of the body.
 */
void stuck_run(void (*body)(void));

/* Create a stuck process of @uid, with its callers in their calls. */
void stuck_start(struct stuck *stuck, uid_t uid);
/* Release all stuck processes.  After that, no other can be created. */
void stuck_let_go(void);

/* Return true if a thread of the process is in a call of devpub. */
bool stuck_in_call(pid_t pid);
/* Return the milliseconds until the process has ended, or left all calls of devpub. */
unsigned int stuck_time_to_end(pid_t pid, unsigned int limit_ms);
unsigned int stuck_time_to_leave(pid_t pid, unsigned int limit_ms);

#endif /* DEVPUB_TESTS_HOSTILE_STUCK_H */
