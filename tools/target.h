/* SPDX-License-Identifier: GPL-2.0 */
/* The process that a command is about. */
#ifndef DEVPUB_TOOLS_TARGET_H
#define DEVPUB_TOOLS_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <devpub.h>

struct target {
	pid_t pid;
	char name[32];	/* its command; no control characters */
	struct devpub_process *process;
};

/*
 * The process that --pid @text names, held by a pidfd.  0 or an exit status,
 * after a message: no number, no process, a kernel thread.
 */
int target_open(const char *text, struct target *target);
void target_close(struct target *target);

/* A process's command, "?" when that can't be told. */
void target_name(pid_t pid, char *name, size_t size);

bool target_is_kernel_thread(pid_t pid);

/* A call on the target failed: as ctl_error(), in the target's terms. */
int target_error(int error, const struct target *target);

#endif /* DEVPUB_TOOLS_TARGET_H */
