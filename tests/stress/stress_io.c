// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Operations of the stress in which the kernel reads memory or writes to it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "stress.h"

/* Check the data that a system call reads from the memory. */
void stress_readv(struct stress_thread *thread, const struct stress_op *op)
{
	const size_t size = op->count * PAGE;
	struct iovec from = { thread->slice + op->first * PAGE, size };
	struct iovec to = { thread->buffer, size };
	ssize_t ret;
	int fd;

	stress_unguard(thread, op->first, op->count);
	if (op->flags & 1) {
		fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
		ret = pread(fd, thread->buffer, size, address(from.iov_base));
		close(fd);
	} else {
		ret = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
	}
	if (ret != (ssize_t)size)
		stress_wrong(thread, "read %zd bytes: %s", ret, strerror(errno));
	else
		stress_check_copy(thread, op->first, op->count, thread->buffer);
}

/* Fill the buffer with the next contents of the pages. */
static void fill_buffer(struct stress_thread *thread, const struct stress_op *op)
{
	stress_unguard(thread, op->first, op->count);
	thread->generation++;
	for (size_t i = 0; i < op->count; i++)
		stress_page_fill(thread, &thread->pages[op->first + i],
				 thread->buffer + i * PAGE);
}

/* Write new contents into the memory by a system call. */
void stress_writev(struct stress_thread *thread, const struct stress_op *op)
{
	const size_t size = op->count * PAGE;
	struct iovec from = { thread->buffer, size };
	struct iovec to = { thread->slice + op->first * PAGE, size };
	ssize_t ret;
	int fd;

	fill_buffer(thread, op);
	if (op->flags & 1) {
		fd = open("/proc/self/mem", O_WRONLY | O_CLOEXEC);
		ret = pwrite(fd, thread->buffer, size, address(to.iov_base));
		close(fd);
	} else {
		ret = process_vm_writev(getpid(), &from, 1, &to, 1, 0);
	}
	if (ret != (ssize_t)size)
		stress_wrong(thread, "wrote %zd bytes: %s", ret, strerror(errno));
	else
		stress_check_copy(thread, op->first, op->count, to.iov_base);
}

/* Move the pages while a pipe holds references to them. */
void stress_vmsplice(struct stress_thread *thread, const struct stress_op *op)
{
	struct iovec pages = { thread->slice + op->first * PAGE,
			       op->count * PAGE };
	ssize_t held, got = 0;

	stress_unguard(thread, op->first, op->count);
	held = vmsplice(thread->pipe[1], &pages, 1, SPLICE_F_NONBLOCK);
	if (held <= 0 || held % PAGE) {
		stress_wrong(thread, "vmsplice: %zd, %s", held, strerror(errno));
		return;
	}
	if (thread->fd >= 0)
		stress_migrate(thread, op->flags & 1 ? DEVPUB_IOC_MIGRATE_TO :
						       DEVPUB_IOC_MIGRATE_FROM,
			       pages.iov_base, op->count, 0);
	while (got < held) {
		ssize_t ret = read(thread->pipe[0], thread->buffer + got,
				   held - got);

		if (ret <= 0) {
			stress_wrong(thread, "pipe: %s", strerror(errno));
			return;
		}
		got += ret;
	}
	stress_check_copy(thread, op->first, held / PAGE, thread->buffer);
}

/*
 * A disk's driver reads the pages or writes to them.  A fork must not copy pages that the
 * driver writes to: before 6.5, the copy does not receive the data (block/bio.c).
 */
void stress_direct(struct stress_thread *thread, const struct stress_op *op)
{
	const size_t size = op->count * PAGE;
	const off_t at = (thread->process * thread->options->threads + thread->nr) *
			 STRESS_BUFFER_PAGES * PAGE;
	const int disk = thread->options->disk;
	char *pages = thread->slice + op->first * PAGE;
	const bool in = op->flags & 1;
	char *from = in ? (char *)thread->buffer : pages;
	char *to = in ? pages : (char *)thread->buffer;
	ssize_t ret;

	if (disk < 0) {
		thread->result->failed[op->kind]++;
		return;
	}
	if (in)
		fill_buffer(thread, op);
	else
		stress_unguard(thread, op->first, op->count);
	ret = pwrite(disk, from, size, at);
	if (ret != (ssize_t)size) {
		stress_wrong(thread, "wrote %zd of %zu bytes to the disk at %lld: %s",
			     ret, size, (long long)at, strerror(errno));
		return;
	}
	if (in && madvise(pages, size, MADV_DONTFORK))
		stress_wrong(thread, "madvise: %s", strerror(errno));
	ret = pread(disk, to, size, at);
	if (ret != (ssize_t)size)
		stress_wrong(thread, "read %zd of %zu bytes from the disk at %lld: %s",
			     ret, size, (long long)at, strerror(errno));
	if (in && madvise(pages, size, MADV_DOFORK))
		stress_wrong(thread, "madvise: %s", strerror(errno));
	stress_check_copy(thread, op->first, op->count, to);
}
