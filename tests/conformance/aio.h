/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Direct I/O between pages and a disk that is kept in flight: a cgroup allows the
 * process next to nothing of the disk until it is told to go on.
 */
#ifndef DEVPUB_CONFORMANCE_AIO_H
#define DEVPUB_CONFORMANCE_AIO_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/aio_abi.h>

#include "cgroup.h"

struct aio {
	aio_context_t context;
	struct cgroup group;
	int disk;
	bool loaded;
};

/* Have the disk, or skip the case. */
void aio_open(struct aio *aio);
void aio_close(struct aio *aio);

/* Begin to read or write bytes at the disk's beginning. */
void aio_start_read(struct aio *aio, void *addr, size_t bytes);
void aio_start_write(struct aio *aio, const void *addr, size_t bytes);
/* What has begun must not have ended. */
void aio_check_in_flight(struct aio *aio);
/* No limit from now on. */
void aio_go_on(struct aio *aio);
/* Wait for what has begun, which must transfer so many bytes. */
void aio_await(struct aio *aio, size_t bytes);

#endif /* DEVPUB_CONFORMANCE_AIO_H */
