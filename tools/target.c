// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "target.h"
#include "text.h"

/* Number and pause of attempts, if the process executes other programs meanwhile. */
#define TRIES		100
#define PAUSE_US	10000

/* Return 0, or an exit status after a message. */
static int look_at(struct target *target)
{
	const pid_t pid = target->proc.pid;
	struct proc_stat stat;
	int ret;

	ret = proc_stat(&target->proc, &stat);
	if (ret)
		return ctl_error(ret, "process %d", pid);
	snprintf(target->name, sizeof(target->name), "%s", *stat.name ? stat.name : "?");
	if (proc_is_kernel_thread(&stat))
		return ctl_fail(CTL_NO_PROCESS, "process %d (%s) is a kernel thread; it has no memory of its own",
				pid, target->name);
	ret = devpub_attach_fd(target->proc.pidfd, &target->process);
	if (ret)
		return target_error(ret, target);
	return 0;
}

int target_open(const char *text, struct target *target)
{
	uint64_t number;
	pid_t pid;
	int ret;

	*target = (struct target) { 0 };
	if (!text_parse_number(text, INT_MAX, &number) || !number)
		return ctl_fail(CTL_USAGE, "--pid %s: write a process id, a number from 1 on",
				text);
	pid = number;
	ret = proc_open(pid, &target->proc);
	if (ret == -ESRCH)
		return ctl_fail(CTL_NO_PROCESS, "there is no process %d; see: ps -e", pid);
	if (ret == -EINVAL)
		return ctl_fail(CTL_NO_PROCESS, "%d is a thread; give its process, see: ps -eL",
				pid);
	if (ret)
		return ctl_error(ret, "process %d", pid);
	ret = look_at(target);
	if (ret)
		target_close(target);
	return ret;
}

void target_close(struct target *target)
{
	devpub_detach(target->process);
	target->process = NULL;
	proc_close(&target->proc);
}

bool target_pause(unsigned int *tries)
{
	if (++*tries >= TRIES)
		return false;
	usleep(PAUSE_US);
	return true;
}

int target_error(int error, const struct target *target)
{
	switch (error) {
	case -EPERM:
	case -EACCES:
		return ctl_fail(CTL_NO_PERMISSION, "process %d (%s): not permitted; be root, or have CAP_SYS_PTRACE",
				target->proc.pid, target->name);
	case -EOPNOTSUPP:
		return ctl_fail(CTL_UNSUPPORTED, "process %d (%s): the devpub module that is loaded can't act on other processes; load a newer one",
				target->proc.pid, target->name);
	case -EAGAIN:
		return ctl_fail(CTL_FAILED, "process %d (%s): it goes on starting other programs, or is about to end; try again",
				target->proc.pid, target->name);
	case -ENODEV:
		return ctl_fail(CTL_NO_DEVICE, "process %d (%s): the device was removed meanwhile; see: devpubctl list",
				target->proc.pid, target->name);
	default:
		return ctl_error(error, "process %d (%s)", target->proc.pid,
				 target->name);
	}
}
