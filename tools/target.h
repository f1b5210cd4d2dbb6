/* SPDX-License-Identifier: GPL-2.0 */
/* The process that a command is about. */
#ifndef DEVPUB_TOOLS_TARGET_H
#define DEVPUB_TOOLS_TARGET_H

#include <devpub.h>

#include "proc.h"

/**
 * struct target - a process that is acted on
 * @proc:	itself
 * @name:	its command, with whatever is in it
 * @process:	for calls of the library
 */
struct target {
	struct proc proc;
	char name[64];
	struct devpub_process *process;
};

/* It runs other programs, one after the other: so often is it looked at anew. */
#define TARGET_TRIES	100
#define TARGET_PAUSE_US	10000

/*
 * The process that --pid @text names.  0 or an exit status, after a message: no number,
 * no process, a kernel thread.
 */
int target_open(const char *text, struct target *target);
void target_close(struct target *target);

/* A call on the target failed: as ctl_error(), in the target's terms. */
int target_error(int error, const struct target *target);

#endif /* DEVPUB_TOOLS_TARGET_H */
