/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* An io_uring with one registered buffer.  It pins the pages of the buffer. */
#ifndef DEVPUB_TESTS_URING_H
#define DEVPUB_TESTS_URING_H

#include <stdbool.h>
#include <stddef.h>

struct uring {
	int fd;
	void *rings, *entries;
};

/* Create a ring, or skip the case. */
void uring_open(struct uring *ring);
void uring_close(struct uring *ring);

/* Pin the pages.  The case fails on errors, or the function returns them in errno. */
void uring_register(struct uring *ring, void *addr, size_t pages);
bool uring_try_register(struct uring *ring, void *addr, size_t pages);
void uring_unregister(struct uring *ring);

/* Let the kernel copy between the start of the file and pages of the buffer. */
void uring_write(struct uring *ring, int file, void *addr, size_t pages);
void uring_read(struct uring *ring, int file, void *addr, size_t pages);

/* Let a kernel thread copy from the file's beginning to pages that are not registered. */
void uring_read_by_worker(struct uring *ring, int file, void *addr, size_t pages);

#endif /* DEVPUB_TESTS_URING_H */
