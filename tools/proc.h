/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process, as /proc and a pidfd show it.  Names of processes may hold anything, so that
 * files are read whole.
 *
 * A process has ended when its pidfd says so, and only then.  An error that a call gives
 * because the process has ended is -ESRCH; one that comes because the process runs another
 * program at that moment, or is about to end, is -EAGAIN; all others say what they say.
 */
#ifndef DEVPUB_TOOLS_PROC_H
#define DEVPUB_TOOLS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct proc - a process that is held
 * @pid:	its number
 * @pidfd:	itself
 * @dir:	its folder in /proc, which is nobody else's when the number is used again
 * @memory:	the folder that has the files about its memory: @dir or, when the main
 *		thread has ended and others live, that of one of these
 */
struct proc {
	pid_t pid;
	int pidfd;
	int dir;
	int memory;
};

/**
 * struct proc_stat - what /proc/PID/stat tells
 * @name:	its name, with whatever is in it
 * @state:	of its main thread
 * @parent:	its parent's number
 * @flags:	the kernel's
 * @started:	when it began, in clock ticks: tells two that had one number apart
 */
struct proc_stat {
	char name[64];
	char state;
	pid_t parent;
	unsigned int flags;
	uint64_t started;
};

/* 0 or -errno; -ESRCH for no such process, -EINVAL for a thread. */
int proc_open(pid_t pid, struct proc *proc);
void proc_close(struct proc *proc);

/* 1 for a process that has ended, 0 for one that lives, or -errno. */
int proc_ended(const struct proc *proc);

/* What it means that a process has no memory: -ESRCH, -EAGAIN, or why that can't be told. */
int proc_gone(const struct proc *proc);

/* Open a file about its memory: a descriptor or -errno. */
int proc_file(const struct proc *proc, const char *name);

/* A whole file about its memory, for free(), with an end that is not counted. */
int proc_read(const struct proc *proc, const char *name, char **text);

/* A whole file of a descriptor, likewise. */
int proc_read_fd(int fd, char **text);

int proc_stat(const struct proc *proc, struct proc_stat *stat);

/* Of the file's text; false if it is none. */
bool proc_parse_stat(const char *text, struct proc_stat *stat);

bool proc_is_kernel_thread(const struct proc_stat *stat);

#endif /* DEVPUB_TOOLS_PROC_H */
