/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of libdevpub share. */
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

/* The number means the process for as long as the pidfd says that it lives. */
struct devpub_process {
	int pidfd;
	pid_t pid;
};

/* An ioctl, with 0 or -errno. */
int devpub_call(int fd, unsigned long command, void *arg);

/*
 * Whether all ranges are ones that a call takes: 0 or -errno.  The pages of all of them
 * go to @pages; an array with a byte for each, if @array is not NULL, must fit into the
 * caller's address space, which may be smaller than that of the process acted on.
 */
int devpub_check_ranges(const struct devpub *dev,
			const struct devpub_range *ranges, size_t n,
			const void *array, uint64_t *pages);

/*
 * An ioctl whose @arg names @process by its number, or, where that is NULL, nobody.
 * 0 or -errno.  With -ESRCH, what was written to @arg and the array that it has may
 * be about another process.
 */
int devpub_process_call(const struct devpub *dev,
			const struct devpub_process *process,
			unsigned long command, void *arg);

#endif /* DEVPUB_INTERNAL_H */
