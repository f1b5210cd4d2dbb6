// SPDX-License-Identifier: GPL-2.0
/* Other processes, by pidfd. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A descriptor of ours that is never 0, which an older module would not notice. */
static int duplicate(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 1);

	return copy < 0 ? -errno : copy;
}

EXPORT
int devpub_attach_fd(int pidfd, struct devpub_process **process)
{
	struct devpub_process *attached;
	int fd = duplicate(pidfd);

	if (fd < 0)
		return fd;
	attached = malloc(sizeof(*attached));
	if (!attached) {
		close(fd);
		return -ENOMEM;
	}
	attached->pidfd = fd;
	*process = attached;
	return 0;
}

EXPORT
int devpub_attach(pid_t pid, struct devpub_process **process)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int ret;

	/* Kernels differ in what they say of a thread. */
	if (pidfd < 0)
		return errno == ENOENT ? -EINVAL : -errno;
	ret = devpub_attach_fd(pidfd, process);
	close(pidfd);
	return ret;
}

EXPORT
void devpub_detach(struct devpub_process *process)
{
	if (!process)
		return;
	close(process->pidfd);
	free(process);
}

int devpub_process_error(const struct devpub_process *process, int error)
{
	return process && error == -E2BIG ? -EOPNOTSUPP : error;
}
