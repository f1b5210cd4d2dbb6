/* SPDX-License-Identifier: GPL-2.0 */
/* An io_uring with one registered buffer, whose pages it pins for as long. */
#ifndef DEVPUB_TESTS_URING_H
#define DEVPUB_TESTS_URING_H

#include <stdbool.h>
#include <stddef.h>

struct uring {
	int fd;
	void *rings, *entries;
};

/* A ring, or the case is skipped. */
void uring_open(struct uring *ring);
void uring_close(struct uring *ring);

/* Pin the pages; the case fails when they can't be, or errno says why. */
void uring_register(struct uring *ring, void *addr, size_t pages);
bool uring_try_register(struct uring *ring, void *addr, size_t pages);
void uring_unregister(struct uring *ring);

/* Let the kernel copy between the file's beginning and pages of the buffer. */
void uring_write(struct uring *ring, int file, void *addr, size_t pages);
void uring_read(struct uring *ring, int file, void *addr, size_t pages);

/* Let a kernel thread copy from the file's beginning to pages that are not registered. */
void uring_read_by_worker(struct uring *ring, int file, void *addr, size_t pages);

#endif /* DEVPUB_TESTS_URING_H */
