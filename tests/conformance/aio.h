/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * Direct I/O between pages and a disk that stays in flight for as long as a case needs: a
 * cgroup throttles the disk until the case lets the I/O continue.
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

/* Open the disk, or skip the case. */
void aio_open(struct aio *aio);
void aio_close(struct aio *aio);

/* Start to read or write bytes at the start of the disk. */
void aio_start_read(struct aio *aio, void *addr, size_t bytes);
void aio_start_write(struct aio *aio, const void *addr, size_t bytes);
/* Check that the I/O has not ended. */
void aio_check_in_flight(struct aio *aio);
/* Remove the limit. */
void aio_go_on(struct aio *aio);
/* Wait for the I/O, which must transfer this number of bytes. */
void aio_await(struct aio *aio, size_t bytes);

#endif /* DEVPUB_CONFORMANCE_AIO_H */
