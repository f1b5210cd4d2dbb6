// SPDX-License-Identifier: GPL-2.0
/*
 * Other processes.  The kernel is given a number, which is another process's some time
 * after the end of this one; a pidfd says whether that may be so.
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

/* Are the numbers in /proc those of the caller's PID namespace? */
static bool proc_is_ours(void)
{
	char text[16] = "";

	return readlink("/proc/self", text, sizeof(text) - 1) > 0 &&
	       atoi(text) == getpid();
}

/* The number of the process of a pidfd, or -errno. */
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
	/* -1: it has ended.  0: it is in no PID namespace that is seen from here. */
	return pid > 0 ? pid : -ESRCH;
}

/* Takes the pidfd, also on failure. */
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

	/* Kernels differ in what they say of a thread. */
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
 * 1 for a process that has ended, 0 for one that lives, or -errno.  poll(2) fails when
 * the limit of open files is below the number of its descriptors; a signal can be sent
 * all the same.  A process that nobody has waited for takes one, and keeps its number.
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
	/* Where that can't be told, the answer may be another process's. */
	if (has_ended(process))
		return -ESRCH;
	return ret;
}
