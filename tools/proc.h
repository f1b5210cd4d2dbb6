/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Processes, by /proc and pidfds.  Names of processes may contain any bytes, so files are read
 * as a whole.
 *
 * A process has ended only when its pidfd says so.  Functions return -ESRCH if the process has
 * ended, and -EAGAIN if a call failed because the process executes another program or is about
 * to end.  Other errors have their usual meaning.
 */
#ifndef DEVPUB_TOOLS_PROC_H
#define DEVPUB_TOOLS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct proc - an open process
 * @pid:	its number
 * @pidfd:	its pidfd
 * @dir:	its folder in /proc, which stays its own if the number is reused
 * @memory:	the folder with the files about its memory: @dir, or that of a live thread if
 *		the main thread has ended
 */
struct proc {
	pid_t pid;
	int pidfd;
	int dir;
	int memory;
};

/**
 * struct proc_stat - fields of /proc/PID/stat
 * @name:	its name, with any bytes
 * @state:	state of its main thread
 * @parent:	number of its parent
 * @flags:	flags of the kernel
 * @started:	start time in clock ticks; distinguishes processes with the same number
 */
struct proc_stat {
	char name[64];
	char state;
	pid_t parent;
	unsigned int flags;
	uint64_t started;
};

/* Open a process.  Return 0 or -errno: -ESRCH if it does not exist, -EINVAL for a thread. */
int proc_open(pid_t pid, struct proc *proc);
void proc_close(struct proc *proc);

/* Return 1 if the process has ended, 0 if not, or -errno. */
int proc_ended(const struct proc *proc);

/* Return the cause if a process has no memory: -ESRCH, -EAGAIN, or another error. */
int proc_gone(const struct proc *proc);

/* Open a file about its memory.  Return a descriptor or -errno. */
int proc_file(const struct proc *proc, const char *name);

/* Read a whole file about its memory as a string.  Free it with free(). */
int proc_read(const struct proc *proc, const char *name, char **text);

/* The same for the file of a descriptor. */
int proc_read_fd(int fd, char **text);

int proc_stat(const struct proc *proc, struct proc_stat *stat);

/* Parse the text of the file.  Return false if it is not valid. */
bool proc_parse_stat(const char *text, struct proc_stat *stat);

bool proc_is_kernel_thread(const struct proc_stat *stat);

#endif /* DEVPUB_TOOLS_PROC_H */
