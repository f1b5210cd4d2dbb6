// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc.h"

/* A flag in the ninth field of /proc/PID/stat. */
#define PF_KTHREAD	0x00200000

/* Retry: threads may end during the lookup. */
#define THREAD_TRIES	10

int proc_ended(const struct proc *proc)
{
	struct pollfd end = { .fd = proc->pidfd, .events = POLLIN };
	int ret = poll(&end, 1, 0);

	if (ret < 0)
		return -errno;
	return ret && end.revents & POLLNVAL ? -EBADF : ret;
}

int proc_gone(const struct proc *proc)
{
	const int ended = proc_ended(proc);

	if (ended < 0)
		return ended;
	return ended ? -ESRCH : -EAGAIN;
}

/* Return true for errors that mean a missing file or process. */
static int file_error(const struct proc *proc, int error)
{
	int ret;

	if (error != ENOENT && error != ESRCH)
		return -error;
	ret = proc_gone(proc);
	return ret == -EAGAIN && error == ENOENT ? -ENOENT : ret;
}

int proc_read_fd(int fd, char **text)
{
	size_t room = 4096, size = 0;
	char *read_to = malloc(room), *grown;
	ssize_t n;

	while (read_to) {
		n = read(fd, read_to + size, room - size - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			n = -errno;
			free(read_to);
			return n;
		}
		size += n;
		if (!n) {
			read_to[size] = '\0';
			*text = read_to;
			return 0;
		}
		if (room - size > 1024)
			continue;
		grown = realloc(read_to, 2 * room);
		if (!grown)
			free(read_to);
		read_to = grown;
		room *= 2;
	}
	return -ENOMEM;
}

/* Read a whole file of a folder.  Return the error of the first call that fails. */
static int read_at(int dir, const char *name, char **text)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = proc_read_fd(fd, text);
	close(fd);
	return ret;
}

bool proc_parse_stat(const char *text, struct proc_stat *stat)
{
	const char *name = strchr(text, '(');
	const char *rest = strrchr(text, ')');

	if (!name || !rest || rest < name)
		return false;
	snprintf(stat->name, sizeof(stat->name), "%.*s", (int)(rest - name - 1),
		 name + 1);
	return sscanf(rest + 1, " %c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64,
		      &stat->state, &stat->parent, &stat->flags,
		      &stat->started) == 4;
}

static int stat_at(int dir, struct proc_stat *stat)
{
	char *text = NULL;
	int ret = read_at(dir, "stat", &text);

	if (ret || !text)
		return ret ? ret : -EIO;
	ret = proc_parse_stat(text, stat) ? 0 : -EIO;
	free(text);
	return ret;
}

int proc_stat(const struct proc *proc, struct proc_stat *stat)
{
	int ret = stat_at(proc->dir, stat);

	return ret ? file_error(proc, -ret) : 0;
}

bool proc_is_kernel_thread(const struct proc_stat *stat)
{
	return stat->flags & PF_KTHREAD;
}

static bool has_memory(int dir)
{
	struct proc_stat stat;

	return !stat_at(dir, &stat) && stat.state != 'Z' && stat.state != 'X';
}

/* Open the folder of a live thread.  Return a descriptor or -errno. */
static int living_thread(const struct proc *proc)
{
	int fd = openat(proc->dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *tasks = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int ret = -ESRCH;

	if (!tasks) {
		ret = -errno;
		if (fd >= 0)
			close(fd);
		return file_error(proc, -ret);
	}
	while (ret == -ESRCH && (entry = readdir(tasks))) {
		if (entry->d_name[0] == '.')
			continue;
		ret = openat(fd, entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (ret < 0) {
			ret = errno == ENOENT ? -ESRCH : -errno;
		} else if (!has_memory(ret)) {
			close(ret);
			ret = -ESRCH;
		}
	}
	closedir(tasks);
	return ret;
}

static int open_memory(struct proc *proc)
{
	int tries, ret = 0;

	if (has_memory(proc->dir)) {
		proc->memory = fcntl(proc->dir, F_DUPFD_CLOEXEC, 0);
		return proc->memory < 0 ? -errno : 0;
	}
	for (tries = 0; tries < THREAD_TRIES; tries++) {
		/* If the read failed because of exit or exec, this returns the cause. */
		ret = proc_gone(proc);
		if (ret != -EAGAIN)
			return ret;
		ret = living_thread(proc);
		if (ret >= 0) {
			proc->memory = ret;
			return 0;
		}
		if (ret != -ESRCH)
			return ret;
	}
	return proc_gone(proc);
}

int proc_open(pid_t pid, struct proc *proc)
{
	char path[32];
	int ret;

	*proc = (struct proc) { .pid = pid, .dir = -1, .memory = -1 };
	proc->pidfd = syscall(SYS_pidfd_open, pid, 0);
	/* Some kernels return ENOENT for the number of a thread, others EINVAL. */
	if (proc->pidfd < 0)
		return errno == ENOENT ? -EINVAL : -errno;
	snprintf(path, sizeof(path), "/proc/%d", pid);
	proc->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (proc->dir < 0) {
		ret = file_error(proc, errno);
	} else {
		/* Check that the folder belongs to this process, not to another one with its number. */
		ret = proc_ended(proc);
		if (ret > 0)
			ret = -ESRCH;
		if (!ret)
			ret = open_memory(proc);
	}
	if (ret)
		proc_close(proc);
	return ret;
}

void proc_close(struct proc *proc)
{
	if (proc->pidfd >= 0)
		close(proc->pidfd);
	if (proc->dir >= 0)
		close(proc->dir);
	if (proc->memory >= 0)
		close(proc->memory);
	proc->pidfd = -1;
	proc->dir = -1;
	proc->memory = -1;
}

int proc_file(const struct proc *proc, const char *name)
{
	int fd = openat(proc->memory, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? file_error(proc, errno) : fd;
}

int proc_read(const struct proc *proc, const char *name, char **text)
{
	int ret = read_at(proc->memory, name, text);

	return ret ? file_error(proc, -ret) : 0;
}
