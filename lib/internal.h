/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Declarations that the files of libdevpub share. */
#ifndef DEVPUB_INTERNAL_H
#define DEVPUB_INTERNAL_H

#include "devpub.h"

#define EXPORT		__attribute__((visibility("default")))
#define CLASS_DIR	"/sys/class/devpub"
#define CONTROL_PATH	"/dev/devpub-control"

struct devpub {
	int fd;
	uint32_t page_size;
};

/* @pid is the number of the process until @pidfd says that the process has ended. */
struct devpub_process {
	int pidfd;
	pid_t pid;
};

/* Call ioctl().  Return 0 or -errno. */
int devpub_call(int fd, unsigned long command, void *arg);

/*
 * Check that all ranges are valid, and store the total number of their pages in @pages.
 * Return 0 or -errno.  If @array is not NULL, an array at this address with one byte per
 * page must fit into the caller's address space, which may be smaller than that of the
 * process.
 */
int devpub_check_ranges(const struct devpub *dev,
			const struct devpub_range *ranges, size_t n,
			const void *array, uint64_t *pages);

/*
 * Call ioctl() with an @arg that contains the number of @process.  @process is NULL if
 * @arg contains no process.  Return 0 or -errno.  With -ESRCH, the results in @arg and in
 * its array may be those of another process.
 */
int devpub_process_call(const struct devpub *dev,
			const struct devpub_process *process,
			unsigned long command, void *arg);

#endif /* DEVPUB_INTERNAL_H */
