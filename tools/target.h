/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* The process that a command acts on. */
#ifndef DEVPUB_TOOLS_TARGET_H
#define DEVPUB_TOOLS_TARGET_H

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

/* Number and pause of attempts, if the process executes other programs meanwhile. */
#define TARGET_TRIES	100
#define TARGET_PAUSE_US	10000

/*
 * Open the process that --pid @text names.  Return 0, or an exit status after a message, if
 * it is not a number, not a process, or a kernel thread.
 */
int target_open(const char *text, struct target *target);
void target_close(struct target *target);

/* Report that a call on the target failed; as ctl_error(), with its number and name. */
int target_error(int error, const struct target *target);

#endif /* DEVPUB_TOOLS_TARGET_H */
