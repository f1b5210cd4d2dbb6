// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * Other processes.  The ioctls take the number of a process, which another process may get
 * after the first one has ended.  A pidfd tells whether the process has ended.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Return true if /proc is that of the caller's PID namespace. */
static bool proc_is_ours(void)
{
	char text[16] = "";

	return readlink("/proc/self", text, sizeof(text) - 1) > 0 &&
	       atoi(text) == getpid();
}

/* Return the number of the process of a pidfd, or -errno. */
static int number_of(int pidfd)
{
	char path[48], line[128];
	int pid = 0, found = 0;
	FILE *file;

	if (!proc_is_ours())
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "Pid: %d", &pid) == 1;
	fclose(file);
	if (!found)
		return -EBADF;
	/* -1: the process has ended.  0: it has no number in this PID namespace. */
	return pid > 0 ? pid : -ESRCH;
}

/* Take over the pidfd, and close it on failure. */
static int attach(int pidfd, pid_t pid, struct devpub_process **process)
{
	struct devpub_process *attached = malloc(sizeof(*attached));

	if (!attached) {
		close(pidfd);
		return -ENOMEM;
	}
	*attached = (struct devpub_process) { .pidfd = pidfd, .pid = pid };
	*process = attached;
	return 0;
}

EXPORT
int devpub_attach_fd(int pidfd, struct devpub_process **process)
{
	int fd = fcntl(pidfd, F_DUPFD_CLOEXEC, 0);
	int pid;

	if (fd < 0)
		return -errno;
	pid = number_of(fd);
	if (pid < 0) {
		close(fd);
		return pid;
	}
	return attach(fd, pid, process);
}

EXPORT
int devpub_attach(pid_t pid, struct devpub_process **process)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);

	/* Some kernels return ENOENT for the number of a thread, others EINVAL. */
	if (pidfd < 0)
		return errno == ENOENT ? -EINVAL : -errno;
	return attach(pidfd, pid, process);
}

EXPORT
void devpub_detach(struct devpub_process *process)
{
	if (!process)
		return;
	close(process->pidfd);
	free(process);
}

/*
 * Return 1 if the process has ended, 0 if not, or -errno.  poll(2) fails if the limit of
 * open files is below the number of descriptors passed.  Then this sends signal 0 instead,
 * which also succeeds for a zombie.  That is correct, because a zombie keeps its number.
 */
static int has_ended(const struct devpub_process *process)
{
	struct pollfd end = { .fd = process->pidfd, .events = POLLIN };
	int ret = poll(&end, 1, 0);

	if (ret >= 0)
		return ret && end.revents & POLLNVAL ? -EBADF : ret;
	if (!syscall(SYS_pidfd_send_signal, process->pidfd, 0, NULL, 0) ||
	    errno == EPERM)
		return 0;
	return errno == ESRCH ? 1 : -errno;
}

int devpub_process_call(const struct devpub *dev,
			const struct devpub_process *process,
			unsigned long command, void *arg)
{
	int ret, ended;

	if (!process)
		return devpub_call(dev->fd, command, arg);
	ended = has_ended(process);
	if (ended)
		return ended < 0 ? ended : -ESRCH;
	ret = devpub_call(dev->fd, command, arg);
	/* If the check fails, the result may be that of another process, too. */
	if (has_ended(process))
		return -ESRCH;
	return ret;
}
