// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Processes: finds the process whose memory a call acts on.
 */
#include <linux/capability.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "engine/process.h"

/* Maximum number of attempts to get the new memory of a process that executes a program. */
#define PROCESS_TRIES	20

/* A leader that has called pthread_exit() has no mm; the other threads have one. */
static struct mm_struct *process_mm(struct task_struct *task)
{
	struct mm_struct *mm = NULL;
	struct task_struct *thread;

	rcu_read_lock();
	for_each_thread(task, thread) {
		mm = get_task_mm(thread);
		if (mm)
			break;
	}
	rcu_read_unlock();
	return mm;
}

static int process_find(struct devpub_process *process, s32 nr)
{
	struct pid *pid = find_get_pid(nr);

	process->task = get_pid_task(pid, PIDTYPE_TGID);
	put_pid(pid);
	if (!process->task)
		return -ESRCH;
	process->mm = process_mm(process->task);
	if (process->mm)
		return 0;
	put_task_struct(process->task);
	return -ESRCH;
}

/**
 * devpub_process_get() - get a reference to a process's memory
 * @process: receives the process; the caller calls devpub_process_put() on success
 * @other: true for the process with the number @nr, false for the caller's own
 * @nr: the number in the caller's PID namespace; 0 if not @other
 *
 * ptrace_may_access() is not exported, so another process requires CAP_SYS_PTRACE.  The
 * memory stays even if the process ends.
 *
 * Context: process context, may sleep for some milliseconds.
 * Return: 0, -EINVAL, -ESRCH, -EPERM, or -EAGAIN when the process is executing a new program
 * and its mm has no task_size yet (fs/exec.c, exec_mmap() and setup_new_exec()).
 */
int devpub_process_get(struct devpub_process *process, bool other, s32 nr)
{
	unsigned int tries;
	int ret;

	process->task = NULL;
	if (!other) {
		if (nr)
			return -EINVAL;
		process->mm = current->mm;
		mmget(process->mm);
		return 0;
	}
	if (nr <= 0)
		return -EINVAL;

	for (tries = 0; tries < PROCESS_TRIES; tries++) {
		ret = process_find(process, nr);
		if (ret)
			return ret;
		ret = -EPERM;
		if (process->mm != current->mm && !capable(CAP_SYS_PTRACE))
			break;
		if (READ_ONCE(process->mm->task_size))
			return 0;
		ret = -EAGAIN;
		devpub_process_put(process);
		if (msleep_interruptible(1))
			return ret;
	}
	if (ret == -EPERM)
		devpub_process_put(process);
	return ret;
}

/**
 * devpub_process_put() - drop the references to a process and its memory
 * @process: the process, from devpub_process_get()
 *
 * Context: process context, may sleep.
 */
void devpub_process_put(struct devpub_process *process)
{
	mmput(process->mm);
	if (process->task)
		put_task_struct(process->task);
}

/**
 * devpub_process_has_ended() - check if no thread of the process uses the memory any more
 * @process: the process
 *
 * The process may have ended or executed another program.  A caller that continues to work
 * on the memory only delays its release.
 *
 * Context: any.
 * Return: true if no thread uses the memory; always false for the caller's own process.
 */
bool devpub_process_has_ended(const struct devpub_process *process)
{
	struct task_struct *thread;
	bool ended = true;

	if (!process->task)
		return false;
	rcu_read_lock();
	for_each_thread(process->task, thread) {
		if (READ_ONCE(thread->mm) == process->mm) {
			ended = false;
			break;
		}
	}
	rcu_read_unlock();
	return ended;
}
