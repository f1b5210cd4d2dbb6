// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "target.h"
#include "text.h"

/* A flag of the ninth field of /proc/PID/stat. */
#define PF_KTHREAD	0x00200000

void target_name(pid_t pid, char *name, size_t size)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (!text_file(path, name, size) || !*name)
		snprintf(name, size, "?");
	text_clean(name);
}

/* From /proc/PID/stat; false when there is no such process any more. */
static bool read_stat(pid_t pid, char *state, unsigned int *flags)
{
	char path[32], stat[512], *rest;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (!text_file(path, stat, sizeof(stat)))
		return false;
	/* The command may hold anything, parentheses, too. */
	rest = strrchr(stat, ')');
	return rest && sscanf(rest + 1, " %c %*d %*d %*d %*d %*d %u", state,
			      flags) == 2;
}

bool target_is_kernel_thread(pid_t pid)
{
	unsigned int flags;
	char state;

	return read_stat(pid, &state, &flags) && flags & PF_KTHREAD;
}

/* A process that nobody has waited for yet keeps its number, and nothing else. */
static bool has_ended(pid_t pid)
{
	unsigned int flags;
	char state;

	return !read_stat(pid, &state, &flags) || state == 'Z' || state == 'X';
}

int target_open(const char *text, struct target *target)
{
	uint64_t number;
	int ret;

	*target = (struct target) { 0 };
	if (!text_parse_number(text, INT_MAX, &number) || !number)
		return ctl_fail(CTL_USAGE, "--pid %s: write a process id, a number from 1 on",
				text);
	target->pid = number;
	ret = devpub_attach(target->pid, &target->process);
	if (ret == -ESRCH)
		return ctl_fail(CTL_NO_PROCESS, "there is no process %d; see: ps -e",
				target->pid);
	if (ret == -EINVAL)
		return ctl_fail(CTL_NO_PROCESS, "%d is a thread; give its process, see: ps -eL",
				target->pid);
	if (ret)
		return ctl_error(ret, "process %d", target->pid);
	target_name(target->pid, target->name, sizeof(target->name));
	if (target_is_kernel_thread(target->pid)) {
		target_close(target);
		return ctl_fail(CTL_NO_PROCESS, "process %d (%s) is a kernel thread; it has no memory of its own",
				target->pid, target->name);
	}
	if (has_ended(target->pid)) {
		target_close(target);
		return ctl_error(-ESRCH, "process %d (%s)", target->pid, target->name);
	}
	return 0;
}

void target_close(struct target *target)
{
	devpub_detach(target->process);
	target->process = NULL;
}

int target_error(int error, const struct target *target)
{
	switch (error) {
	case -EPERM:
	case -EACCES:
		return ctl_fail(CTL_NO_PERMISSION, "process %d (%s): not permitted; be root, or have CAP_SYS_PTRACE",
				target->pid, target->name);
	case -EOPNOTSUPP:
		return ctl_fail(CTL_UNSUPPORTED, "process %d (%s): the devpub module that is loaded can't act on other processes; load a newer one",
				target->pid, target->name);
	default:
		return ctl_error(error, "process %d (%s)", target->pid,
				 target->name);
	}
}
