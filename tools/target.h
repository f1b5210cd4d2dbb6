/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* The process that a command acts on. */
#ifndef DEVPUB_TOOLS_TARGET_H
#define DEVPUB_TOOLS_TARGET_H

#include <stdbool.h>
#include <devpub.h>

#include "proc.h"

/**
 * struct target - the process that a command acts on
 * @proc:	the open process
 * @name:	name of its command, with any bytes
 * @process:	the process for library calls
 */
struct target {
	struct proc proc;
	char name[64];
	struct devpub_process *process;
};

/*
 * Open the process that --pid @text names.  Return 0, or an exit status after a message, if
 * it is not a number, not a process, or a kernel thread.
 */
int target_open(const char *text, struct target *target);
void target_close(struct target *target);

/*
 * Pause after a call failed with -EAGAIN, because the process executes another program.
 * @tries counts the pauses.  Return false if there have been enough.
 */
bool target_pause(unsigned int *tries);

/* Report that a call on the target failed; as ctl_error(), with its number and name. */
int target_error(int error, const struct target *target);

#endif /* DEVPUB_TOOLS_TARGET_H */
