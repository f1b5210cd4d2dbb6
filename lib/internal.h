/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of libdevpub share. */
#ifndef DEVPUB_INTERNAL_H
#define DEVPUB_INTERNAL_H

#include "devpub_next.h"

#include "devpub.h"

#define EXPORT		__attribute__((visibility("default")))
#define CLASS_DIR	"/sys/class/devpub"
#define CONTROL_PATH	"/dev/devpub-control"

struct devpub {
	int fd;
	uint32_t page_size;
};

struct devpub_process {
	int pidfd;
};

/* An ioctl, with 0 or -errno. */
int devpub_call(int fd, unsigned long command, void *arg);

/* Whether all ranges are ones that a call takes: 0 or -errno. */
int devpub_check_ranges(const struct devpub *dev,
			const struct devpub_range *ranges, size_t n);

/*
 * The error of a call on @process: an older module refuses a pidfd for what it is
 * to it, bytes after the end of its struct.
 */
int devpub_process_error(const struct devpub_process *process, int error);

#endif /* DEVPUB_INTERNAL_H */
