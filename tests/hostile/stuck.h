/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes whose mmap_lock is taken until they are let go.  An ordinary user needs no
 * more than slow storage: a read of /proc/self/mem holds the lock for reading while it
 * waits for a page of a file, and an mmap() that waits behind it keeps all others out.
 * Here a RAM disk, throttled by a control group, is the slow storage.
 */
#ifndef DEVPUB_TESTS_HOSTILE_STUCK_H
#define DEVPUB_TESTS_HOSTILE_STUCK_H

#include <stdbool.h>
#include <sys/types.h>

struct stuck_control;

struct stuck {
	/* Called in the new process before its lock is taken; may be NULL. */
	void (*prepare)(struct stuck *stuck);
	/* What each of its callers does once the lock is taken. */
	void (*call)(struct stuck *stuck);
	unsigned int callers;
	/* The one caller is a process of its own that shares the memory. */
	bool apart;
	/* For prepare and call. */
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
 * Run the body of a case, as root and in a process of its own, which may use what
 * follows.  After it all processes that it has stuck are let go and killed.
 */
void stuck_run(void (*body)(void));

/* A process of @uid that is stuck, its callers in their calls. */
void stuck_start(struct stuck *stuck, uid_t uid);
/* Let all that are stuck go on.  No other can be made after that. */
void stuck_let_go(void);

/* Whether a thread of the process is in a call of devpub's. */
bool stuck_in_call(pid_t pid);
/* In how many milliseconds a process was gone, or out of all calls of devpub's. */
unsigned int stuck_time_to_end(pid_t pid, unsigned int limit_ms);
unsigned int stuck_time_to_leave(pid_t pid, unsigned int limit_ms);

#endif /* DEVPUB_TESTS_HOSTILE_STUCK_H */
